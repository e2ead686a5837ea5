// SQLite backend: one file in WAL mode, owned by one process. Opening, the schema, batches.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/log.h"
#include "broker/store_backup.h"
#include "broker/store_sqlite_priv.h"
#include "broker/store_sqlite_upgrade.h"
#include "proto/invariant.h"

#define APPLICATION_ID 0x63706973 // "cpis"

// What the tables hold is described in broker/README.md. All that names a child or a person is sealed.
static const char schema[] =
	// Plans and kept replies have row numbers, so that they lie one after another: by their keys, which are random, each would change
	// a page of its own.
	"CREATE TABLE plan ("
	"  slot BLOB NOT NULL,"             // tag of NHS number, authority and plan type
	"  generation INTEGER NOT NULL,"    // of the authority's file or correction that it came with
	"  subject BLOB NOT NULL,"          // tag of the NHS number
	"  authority TEXT NOT NULL,"
	"  sealed BLOB NOT NULL,"
	"  PRIMARY KEY (slot, generation)"
	") STRICT;"
	"CREATE INDEX plan_by_subject ON plan (subject);"
	"CREATE INDEX plan_by_authority ON plan (authority, generation, slot);"
	"CREATE TABLE rejection ("          // records of files that were not stored
	"  authority TEXT NOT NULL,"
	"  generation INTEGER NOT NULL,"
	"  place INTEGER NOT NULL,"
	"  record BLOB NOT NULL,"           // tag of number and type as sent
	"  code INTEGER NOT NULL,"
	"  field TEXT NOT NULL,"
	"  since_ms INTEGER NOT NULL,"
	"  sealed BLOB NOT NULL,"
	"  PRIMARY KEY (authority, generation, place)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX rejection_by_record ON rejection (authority, generation, record);"
	"CREATE TABLE access ("
	"  subject BLOB NOT NULL,"
	"  audit_index INTEGER NOT NULL,"
	"  silent INTEGER NOT NULL,"
	"  sealed BLOB NOT NULL,"
	"  PRIMARY KEY (subject, audit_index)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE inbox ("
	"  organisation TEXT NOT NULL,"
	"  box INTEGER NOT NULL,"           // enum store_box
	"  id INTEGER NOT NULL,"            // rows are never deleted, so max(id) + 1 was never used
	"  kind INTEGER NOT NULL,"
	"  created_ms INTEGER NOT NULL,"
	"  acknowledged_ms INTEGER NOT NULL DEFAULT 0,"
	"  delivered_ms INTEGER NOT NULL DEFAULT 0,"
	"  lease_until_ms INTEGER NOT NULL DEFAULT 0,"
	"  escalated_ms INTEGER NOT NULL DEFAULT 0,"
	"  escalation_id INTEGER NOT NULL DEFAULT 0,"
	"  expired_ms INTEGER NOT NULL DEFAULT 0,"
	"  answered_ms INTEGER NOT NULL DEFAULT 0,"
	"  due_ms INTEGER NOT NULL,"
	"  sealed BLOB NOT NULL,"
	"  acknowledged_by BLOB,"
	"  leased_by BLOB,"
	"  PRIMARY KEY (organisation, box, id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX inbox_open ON inbox (organisation, box, id) WHERE acknowledged_ms = 0 AND expired_ms = 0;"
	"CREATE UNIQUE INDEX inbox_escalated ON inbox (organisation, escalation_id) WHERE escalation_id > 0;"
	"CREATE INDEX inbox_due ON inbox (box, due_ms) WHERE due_ms > 0;"
	"CREATE TABLE reported ("           // how far 'nothing to report' has got
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  until_ms INTEGER NOT NULL,"
	"  after TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE authority ("
	"  organisation TEXT PRIMARY KEY NOT NULL,"
	"  last_published_ms INTEGER NOT NULL,"
	"  due_ms INTEGER NOT NULL,"        // 0: nothing is due
	"  sealed BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE inactive ("
	"  subject BLOB PRIMARY KEY NOT NULL," // tag of the NHS number
	"  sealed BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX authority_due ON authority (due_ms) WHERE due_ms > 0;"
	"CREATE TABLE quarantine ("
	"  target BLOB PRIMARY KEY NOT NULL," // tag of kind and target
	"  since_ms INTEGER NOT NULL,"
	"  sealed BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE enrolment ("
	"  system BLOB PRIMARY KEY NOT NULL," // tag of organisation and name
	"  code BLOB NOT NULL,"             // tag of the one-time code's hash
	"  sealed BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE role ("
	"  profile BLOB PRIMARY KEY NOT NULL," // tag of person, role and organisation
	"  sealed BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE role_use ("
	"  profile BLOB PRIMARY KEY NOT NULL,"
	"  used_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE policy ("             // the one put in force over the broker
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  sealed BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE request ("
	"  key BLOB UNIQUE NOT NULL,"
	"  digest BLOB NOT NULL,"
	"  expires_ms INTEGER NOT NULL,"
	"  sealed BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX request_by_expiry ON request (expires_ms);"
	"CREATE TABLE audit ("
	"  idx INTEGER PRIMARY KEY,"        // from 0, no gaps
	"  salt BLOB NOT NULL,"
	"  record BLOB NOT NULL,"           // cpis.v1.AuditRecord
	"  nodes BLOB NOT NULL,"            // 32-byte hashes, leaf first: certs/merkle.h
	"  time_ms INTEGER NOT NULL,"
	"  organisation TEXT NOT NULL,"
	"  subject BLOB,"
	"  person BLOB"
	") STRICT;"
	// What searches go along; each in the order of time.
	// What rows are found by: store_sqlite_search.c. Written some hundred rows at a time, and always made whole before it is read.
	"CREATE VIRTUAL TABLE audit_word USING fts5 (words, content = '', detail = none, columnsize = 0, tokenize = 'ascii');"
	"INSERT INTO audit_word (audit_word, rank) VALUES ('automerge', 8);"
	SQLITE_AUDIT_BLOCK
	"CREATE TABLE audit_indexed ("      // rows before `next` are in the two above
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  next INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO audit_indexed (id, next) VALUES (1, 0);"
	// Against our own mistakes. Whoever can write the file can drop these; the signed log is what finds them out.
	"CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit"
	"  BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;"
	"CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit"
	"  BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;"
	// REPLACE deletes without asking the trigger above.
	"CREATE TRIGGER audit_is_only_appended BEFORE INSERT ON audit"
	"  WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM audit)"
	"  BEGIN SELECT RAISE(ABORT, 'audit rows are only appended, in order'); END;"
	"CREATE TABLE audit_key ("          // what the records of a month and class are sealed with
	"  id INTEGER PRIMARY KEY,"
	"  month INTEGER NOT NULL,"
	"  class INTEGER NOT NULL,"
	"  destroyed_ms INTEGER NOT NULL DEFAULT 0,"
	"  sealed BLOB"                     // NULL: destroyed
	") STRICT;"
	"CREATE TABLE hold ("               // months whose keys are not destroyed
	"  name BLOB PRIMARY KEY NOT NULL,"
	"  sealed BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE checkpoint ("
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  note TEXT NOT NULL"
	") STRICT;"
	"CREATE TABLE heard ("              // checkpoints that systems handed in
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  organisation TEXT NOT NULL,"
	"  system TEXT NOT NULL,"
	"  fits INTEGER NOT NULL,"          // 0: it is not of this log
	"  size INTEGER NOT NULL,"
	"  received_ms INTEGER NOT NULL,"
	"  note TEXT NOT NULL,"
	"  UNIQUE (organisation, system, fits)"
	") STRICT;"
	"CREATE INDEX heard_by_size ON heard (size);"
	"CREATE INDEX heard_by_time ON heard (fits, received_ms DESC);"
	"CREATE TABLE cosigned ("
	"  which INTEGER PRIMARY KEY,"      // enum store_cosigned_which
	"  time_ms INTEGER NOT NULL,"
	"  note TEXT NOT NULL"
	") STRICT;";

enum store_status sqlite_store_fail(struct sqlite_store *store, const char *what, const char *why)
{
	char trouble[SQLITE_TROUBLE_BYTES];
	if (why == NULL)
		sqlite_trouble(store->database, true, trouble);
	log_trouble(LOG_EVENT_STORE_FAILED, "%s: %s", what, why != NULL ? why : trouble);
	if (store->begun)
		store->poisoned = true;
	return STORE_FAILED;
}

// ------------------------------------------------------------------ batches

static enum store_status begin(struct store *base)
{
	struct sqlite_store *store = sqlite_store_of(base);
	INVARIANT(!store->begun);
	store->poisoned = false;
	if (store->leaves_remains && sqlite_clear_remains(store))
		store->leaves_remains = false;
	store->begun = true;
	enum store_status status = sqlite_run(store, store->statements[STATEMENT_BEGIN], SQLITE_OK, "begin");
	bool busy = status != STORE_OK && (sqlite3_errcode(store->database) & 0xff) == SQLITE_BUSY;
	if (busy != store->busy)
		sqlite3_busy_timeout(store->database, busy ? STORE_BUSY_AGAIN_MS : STORE_BUSY_TIMEOUT_MS);
	store->busy = busy;
	base->busy += busy;
	if (status != STORE_OK) {
		store->begun = false;
		store->poisoned = false;
	}
	return status;
}

static void rollback(struct store *base)
{
	struct sqlite_store *store = sqlite_store_of(base);
	if (!store->begun)
		return;
	store->poisoned = false;
	// SQLite rolls back by itself when the disk is full or fails.
	if (!sqlite3_get_autocommit(store->database)) {
		enum store_status status =
			sqlite_run(store, store->statements[STATEMENT_ROLLBACK], SQLITE_OK, "rollback");
		(void)status; // noted in the log; the next begin fails if a transaction is still open
	}
	store->begun = false;
	store->poisoned = false;
	store->audit_counted = store->indexed_counted = false;
	sqlite_inbox_counts_forget(store);
}

static enum store_status commit(struct store *base)
{
	struct sqlite_store *store = sqlite_store_of(base);
	INVARIANT(store->begun);
	if (store->poisoned || !sqlite_search_keep_up(store))
		return STORE_FAILED;
	enum store_status status = sqlite_run(store, store->statements[STATEMENT_COMMIT], SQLITE_OK, "commit");
	if (status != STORE_OK)
		return status;
	store->begun = false;
	if (store->leaves_remains && sqlite_clear_remains(store))
		store->leaves_remains = false;
	return STORE_OK;
}

static void close_store(struct store *base)
{
	struct sqlite_store *store = sqlite_store_of(base);
	rollback(base);
	sqlite_wal_keeper_stop(store);
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	for (int i = 0; i < SEARCH_STATEMENTS; i++)
		sqlite3_finalize(store->searches[i]);
	sqlite3_close(store->database);
	sqlite_subjects_free(store);
	sqlite_inbox_counts_free(store);
	if (store->lock_file >= 0)
		close(store->lock_file);
	free(store);
}

// Nobody else writes the file.
static enum store_status others(struct store *base, struct store_others *ret)
{
	(void)base;
	ret->possible = false;
	return STORE_OK;
}

static const struct store_ops sqlite_ops = {
	.name = "sqlite",
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.close = close_store,
	.others = others,
	.plan_put = sqlite_plan_put,
	.plan_get = sqlite_plan_get,
	.plan_delete = sqlite_plan_delete,
	.plans_in = sqlite_plans_in,
	.plans_of = sqlite_plans_of,
	.access_put = sqlite_access_put,
	.access_delete = sqlite_access_delete,
	.accesses_of = sqlite_accesses_of,
	.inbox_next_id = sqlite_inbox_next_id,
	.inbox_put = sqlite_inbox_put,
	.inbox_update = sqlite_inbox_update,
	.inbox_list = sqlite_inbox_list,
	.inbox_free = sqlite_inbox_free,
	.inbox_next_free = sqlite_inbox_next_free,
	.inbox_due = sqlite_inbox_due,
	.inbox_latest = sqlite_inbox_latest,
	.inbox_get = sqlite_inbox_get,
	.inbox_acknowledge = sqlite_inbox_acknowledge,
	.inbox_waiting = sqlite_inbox_waiting,
	.inbox_unacknowledged = sqlite_inbox_unacknowledged,
	.reported_put = sqlite_reported_put,
	.reported_get = sqlite_reported_get,
	.authority_put = sqlite_authority_put,
	.authority_get = sqlite_authority_get,
	.authority_due = sqlite_authority_due,
	.rejection_put = sqlite_rejection_put,
	.rejections_of = sqlite_rejections_of,
	.rejection_since = sqlite_rejection_since,
	.rejection_counts = sqlite_rejection_counts,
	.rejection_expire = sqlite_rejection_expire,
	.quarantine_put = sqlite_quarantine_put,
	.quarantine_delete = sqlite_quarantine_delete,
	.quarantine_all = sqlite_quarantine_all,
	.inactive_put = sqlite_inactive_put,
	.inactive_get = sqlite_inactive_get,
	.inactive_delete = sqlite_inactive_delete,
	.enrolment_put = sqlite_enrolment_put,
	.enrolment_delete = sqlite_enrolment_delete,
	.enrolment_all = sqlite_enrolment_all,
	.role_put = sqlite_role_put,
	.role_all = sqlite_role_all,
	.role_use_put = sqlite_role_use_put,
	.role_use_get = sqlite_role_use_get,
	.policy_put = sqlite_policy_put,
	.policy_get = sqlite_policy_get,
	.request_put = sqlite_request_put,
	.request_get = sqlite_request_get,
	.request_expire = sqlite_request_expire,
	.audit_append = sqlite_audit_append,
	.audit_get = sqlite_audit_get,
	.audit_node = sqlite_audit_node,
	.audit_search = sqlite_audit_search,
	.audit_size = sqlite_audit_size,
	.audit_key_put = sqlite_audit_key_put,
	.audit_key_destroy = sqlite_audit_key_destroy,
	.audit_key_all = sqlite_audit_key_all,
	.hold_put = sqlite_hold_put,
	.hold_delete = sqlite_hold_delete,
	.hold_all = sqlite_hold_all,
	.checkpoint_put = sqlite_checkpoint_put,
	.checkpoint_get = sqlite_checkpoint_get,
	.heard_put = sqlite_heard_put,
	.heard_after = sqlite_heard_after,
	.heard_largest = sqlite_heard_largest,
	.heard_expire = sqlite_heard_expire,
	.cosigned_put = sqlite_cosigned_put,
	.cosigned_get = sqlite_cosigned_get,
};

// ------------------------------------------------------------------ opening

static bool refuse(char detail[STORE_DETAIL_BYTES], const char *path, const char *what)
{
	snprintf(detail, STORE_DETAIL_BYTES, "%.100s: %.290s", path, what);
	return false;
}

static bool refuse_as_sqlite(sqlite3 *database, char detail[STORE_DETAIL_BYTES], const char *path)
{
	char trouble[SQLITE_TROUBLE_BYTES];
	sqlite_trouble(database, false, trouble);
	return refuse(detail, path, trouble);
}

// SQLite's own locks would let a second broker in between two batches; this one lasts as long as the process.
int store_sqlite_lock(const char *path, char detail[STORE_DETAIL_BYTES])
{
	char lock_path[4096];
	if ((size_t)snprintf(lock_path, sizeof lock_path, "%s.lock", path) >= sizeof lock_path) {
		refuse(detail, path, "the path is too long");
		return -1;
	}
	int file = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0) {
		refuse(detail, lock_path, strerror(errno));
	} else if (flock(file, LOCK_EX | LOCK_NB) != 0) {
		refuse(detail, path, errno == EWOULDBLOCK ? "another broker has this store open" : strerror(errno));
		close(file);
		file = -1;
	}
	return file;
}

// A restore that was interrupted may have taken the file away already: an empty store in its place would begin a second log.
static bool is_in_place(const char *path, char detail[STORE_DETAIL_BYTES])
{
	char restoring[4096];
	snprintf(restoring, sizeof restoring, "%s" STORE_RESTORING_ENDING, path);
	return access(restoring, F_OK) != 0 || refuse(detail, restoring, "a restore was interrupted: do it again");
}

// The file is made here and not by SQLite, for its mode; -wal and -shm take theirs from it.
static bool make_file(const char *path, char detail[STORE_DETAIL_BYTES])
{
	struct stat status;
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return refuse(detail, path, strerror(errno));
	bool good = false;
	if (fstat(file, &status) != 0)
		refuse(detail, path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		refuse(detail, path, "is not a file");
	else if ((status.st_mode & 077) != 0)
		refuse(detail, path, "can be read or written by others: chmod 600");
	else
		good = true;
	close(file);
	return good;
}

static bool read_number(sqlite3 *database, const char *sql, sqlite3_int64 *ret)
{
	sqlite3_stmt *statement = NULL;
	bool read = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
		    sqlite3_step(statement) == SQLITE_ROW;
	if (read)
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return read;
}

static bool run_sql(struct sqlite_store *store, const char *sql)
{
	return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

// Its log goes on elsewhere, or is about to: going on here too would fork it.
static bool refuse_moved(sqlite3 *database, const char *path, char detail[STORE_DETAIL_BYTES])
{
	sqlite3_int64 done = 0;
	if (!read_number(database, "SELECT done FROM moved WHERE id = 1", &done))
		return refuse_as_sqlite(database, detail, path);
	return refuse(detail, path,
		      done != 0 ? "was moved into a PostgreSQL, where its log goes on: the configuration is to say store_postgres in place of "
				  "store_file. This file is never opened again"
				: "is being moved into a PostgreSQL, and the end of that was interrupted: run `cpis-broker --move CONFIG CONNINFO "
				  "--finish` again");
}

// Looks before anything is changed: a file that is not ours, or of another version, stays as it is.
bool sqlite_check_version(sqlite3 *database, const char *path, bool or_moved, bool *ret_empty, char detail[STORE_DETAIL_BYTES])
{
	sqlite3_int64 application = 0, version = 0, tables = 0;
	if (!read_number(database, "PRAGMA application_id", &application) ||
	    !read_number(database, "PRAGMA user_version", &version) ||
	    !read_number(database, "SELECT count(*) FROM sqlite_master", &tables))
		return refuse_as_sqlite(database, detail, path);
	*ret_empty = application == 0 && version == 0 && tables == 0;
	if (*ret_empty)
		return true;
	if (application == SQLITE_MOVED_ID && !or_moved)
		return refuse_moved(database, path, detail);
	if (application != APPLICATION_ID && application != SQLITE_MOVED_ID)
		return refuse(detail, path, "is a database of another program");
	if (version != SQLITE_SCHEMA_VERSION)
		sqlite_upgrade_refuse(path, version, detail);
	return version == SQLITE_SCHEMA_VERSION;
}

bool sqlite_check_schema(sqlite3 *database, const char *path, bool *ret_empty, char detail[STORE_DETAIL_BYTES])
{
	return sqlite_check_version(database, path, false, ret_empty, detail);
}

// Only one that a broker is about to serve from: whoever looks at another's store leaves it as it is.
static bool bring_up_to_date(sqlite3 *database, const char *path, char detail[STORE_DETAIL_BYTES])
{
	sqlite3_int64 application = 0, version = 0;
	if (!read_number(database, "PRAGMA application_id", &application) || !read_number(database, "PRAGMA user_version", &version))
		return refuse_as_sqlite(database, detail, path);
	return application != APPLICATION_ID || sqlite_upgrade(database, path, version, detail);
}

static bool create_schema(struct sqlite_store *store)
{
	char identity[100];
	snprintf(identity, sizeof identity, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID,
		 SQLITE_SCHEMA_VERSION);
	return run_sql(store, "BEGIN IMMEDIATE") && run_sql(store, schema) && run_sql(store, identity) &&
	       run_sql(store, "COMMIT");
}

static bool prepare(struct sqlite_store *store)
{
	static const char *const texts[STATEMENT_COUNT] = {
#define X(name, sql) [STATEMENT_##name] = sql,
		STORE_STATEMENTS(X)
#undef X
	};
	for (int i = 0; i < STATEMENT_COUNT; i++)
		if (sqlite3_prepare_v3(store->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[i],
				       NULL) != SQLITE_OK)
			return false;
	return sqlite_prepare_searches(store);
}

static bool open_database(struct sqlite_store *store, const char *path, char detail[STORE_DETAIL_BYTES])
{
	bool empty = false;
	sqlite3_int64 synchronous = 0;
	// NOMUTEX: one thread owns the store.
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	char real[4096];
	if (realpath(path, real) == NULL) // NOFOLLOW refuses a link anywhere in the path
		return refuse(detail, path, strerror(errno));
	if (sqlite3_open_v2(real, &store->database, flags, NULL) != SQLITE_OK)
		return refuse_as_sqlite(store->database, detail, path);
	sqlite3_extended_result_codes(store->database, 1);
	sqlite3_busy_timeout(store->database, STORE_BUSY_TIMEOUT_MS);
	if (!bring_up_to_date(store->database, path, detail) || !sqlite_check_schema(store->database, path, &empty, detail))
		return false;
	// secure_delete: an expired answer leaves no bytes behind. trusted_schema: the file may have been edited.
	if (!run_sql(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
			    "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
			    // What a day's questions touch, so that it is not read from the file again and again.
			    "PRAGMA cache_size = -8192;"
			    // A long read beside the broker lets the WAL grow; afterwards it is cut again.
			    "PRAGMA journal_size_limit = 67108864") ||
	    (empty && !create_schema(store)) || !prepare(store))
		return refuse_as_sqlite(store->database, detail, path);
	if (!read_number(store->database, "PRAGMA synchronous", &synchronous) || synchronous != 2)
		return refuse(detail, path, "SQLite does not flush commits here");
	// A process before may have ended between the commit and the cut. Where nothing was ever destroyed nobody is kept waiting.
	sqlite3_int64 destroyed = 0;
	if (!read_number(store->database, "SELECT count(*) FROM audit_key WHERE destroyed_ms > 0", &destroyed))
		return refuse_as_sqlite(store->database, detail, path);
	store->leaves_remains = destroyed > 0;
	if (!sqlite_inbox_counts_init(store))
		return refuse(detail, path, "out of memory");
	sqlite3_int64 plans = 0;
	bool agree = false;
	if (!read_number(store->database, "SELECT count(*) FROM plan", &plans) ||
	    !sqlite_subjects_load(store, (uint64_t)plans, &agree))
		return refuse_as_sqlite(store->database, detail, path);
	if (!agree)
		return refuse(detail, path, "its index of children does not agree with the plans, so that a known child may not be found; the file is damaged:"
				      " keep it, and put a backup in its place");
	if (!sqlite_wal_keeper_start(store, real))
		return refuse(detail, path, "the thread that keeps its write-ahead log short cannot be started");
	return true;
}

enum store_status store_sqlite_open(const char *path, struct store **ret, char detail[STORE_DETAIL_BYTES])
{
	struct sqlite_store *store = calloc(1, sizeof *store);
	if (store == NULL) {
		refuse(detail, path, "out of memory");
		return STORE_FAILED;
	}
	store->base.ops = &sqlite_ops;
	store->lock_file = -1;
	// Nobody asks what SQLite has allocated, and each allocation would take a lock for counting it. Refused, and no harm, when
	// SQLite is in use already.
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	// The lock first: closing any descriptor of a database file drops this process's SQLite locks on it.
	store->lock_file = store_sqlite_lock(path, detail);
	if (store->lock_file < 0 || !is_in_place(path, detail) || !make_file(path, detail) || !open_database(store, path, detail)) {
		close_store(&store->base);
		return STORE_FAILED;
	}
	*ret = &store->base;
	return STORE_OK;
}
