// What the files of the SQLite backend share: the open database, its prepared statements, and the few ways in
// which they are run. Inside store_sqlite*.c only.
#ifndef CPIS_BROKER_STORE_SQLITE_PRIV_H
#define CPIS_BROKER_STORE_SQLITE_PRIV_H

#include <sqlite3.h>

#include "broker/store.h"

// A reader of the same file (`cpis audit verify`, a backup) may hold a lock for a moment.
#define STORE_BUSY_TIMEOUT_MS 5000
// Once that was too long for one batch, those after it are told soon that they cannot be recorded.
#define STORE_BUSY_AGAIN_MS 100

#define INBOX_COLUMNS                                                                                \
	"organisation, box, id, kind, created_ms, sealed, acknowledged_ms, delivered_ms, lease_until_ms, escalated_ms," \
	" escalation_id, expired_ms, answered_ms, due_ms, acknowledged_by, leased_by"
#define INBOX_OF " WHERE organisation = ?1 AND box = ?2"
#define INBOX_SELECT "SELECT " INBOX_COLUMNS " FROM inbox" INBOX_OF
// The same parameters, so that both views are bound alike.
#define ESCALATION_SELECT                                                                            \
	"SELECT " INBOX_COLUMNS " FROM inbox WHERE organisation = ?1 AND ?2 IS NOT NULL AND escalation_id > 0"
#define INBOX_IS_OPEN "acknowledged_ms = 0 AND expired_ms = 0"
// By its own choice SQLite takes the primary key, and reads all that was ever acknowledged.
#define INBOX_OPEN " FROM inbox INDEXED BY inbox_open" INBOX_OF " AND " INBOX_IS_OPEN
#define INBOX_OPEN_SELECT "SELECT " INBOX_COLUMNS INBOX_OPEN

#define HEARD_COLUMNS "id, organisation, system, fits, size, received_ms, note"

#define STORE_STATEMENTS(X)                                                                          \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                  \
	X(COMMIT, "COMMIT")                                                                          \
	X(ROLLBACK, "ROLLBACK")                                                                      \
	X(PLAN_PUT, "INSERT INTO plan (slot, generation, subject, authority, sealed) VALUES (?1, ?2, ?3, ?4, ?5)" \
		    " ON CONFLICT (slot, generation) DO UPDATE SET sealed = excluded.sealed")        \
	X(PLAN_GET, "SELECT slot, generation, subject, authority, sealed FROM plan WHERE slot = ?1"  \
		    " AND generation <= ?2 ORDER BY generation DESC LIMIT 1")                        \
	X(PLAN_DELETE, "DELETE FROM plan WHERE slot = ?1 AND generation = ?2")                       \
	X(PLANS_IN, "SELECT slot, generation, subject, authority, sealed FROM plan WHERE authority = ?1" \
		    " AND (generation, slot) > (?2, ?3) AND generation <= ?4 ORDER BY generation, slot LIMIT ?5") \
	X(PLANS_OF, "SELECT slot, generation, subject, authority, sealed FROM plan WHERE subject = ?1 LIMIT ?2") \
	X(REJECTION_PUT, "INSERT OR REPLACE INTO rejection (authority, generation, place, record, code, field, since_ms, sealed)" \
			 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                 \
	X(REJECTIONS_OF, "SELECT authority, generation, place, record, code, field, since_ms, sealed FROM rejection" \
			 " WHERE authority = ?1 AND generation = ?2 AND place >= ?3 ORDER BY place LIMIT ?4") \
	X(REJECTION_SINCE, "SELECT min(since_ms) FROM rejection WHERE authority = ?1 AND generation = ?2" \
			   " AND record = ?3 AND code = ?4 AND field = ?5 HAVING count(*) > 0")      \
	X(REJECTION_COUNTS, "SELECT code, field, count(*), min(since_ms) FROM rejection WHERE authority = ?1" \
			    " AND generation = ?2 GROUP BY code, field ORDER BY code, field LIMIT ?3") \
	X(REJECTION_EXPIRE, "DELETE FROM rejection WHERE (authority, generation, place) IN"          \
			    " (SELECT authority, generation, place FROM rejection WHERE authority = ?1" \
			    " AND generation NOT IN (?2, ?3) LIMIT ?4)")                             \
	X(ACCESS_PUT, "INSERT INTO access (subject, audit_index, silent, sealed) VALUES (?1, ?2, ?3, ?4)") \
	X(ACCESS_DELETE, "DELETE FROM access WHERE subject = ?1 AND audit_index = ?2")               \
	X(ACCESSES_OF, "SELECT subject, audit_index, silent, sealed FROM access WHERE subject = ?1"  \
	  " AND silent <= ?2 AND audit_index < ?3 ORDER BY audit_index DESC LIMIT ?4")               \
	X(INBOX_NEXT_ID, "SELECT coalesce(max(id), 0) + 1 FROM inbox WHERE organisation = ?1 AND box = ?2") \
	X(INBOX_PUT, "INSERT INTO inbox (organisation, box, id, kind, created_ms, due_ms, sealed)"     \
		     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                         \
	X(INBOX_UPDATE, "UPDATE inbox SET acknowledged_ms = ?4, delivered_ms = ?5, lease_until_ms = ?6, escalated_ms = ?7," \
			" escalation_id = ?8, expired_ms = ?9, answered_ms = ?10, due_ms = ?11, acknowledged_by = ?12," \
			" leased_by = ?13 WHERE organisation = ?1 AND box = ?2 AND id = ?3")         \
	X(INBOX_LIST_OPEN, INBOX_OPEN_SELECT " AND id > ?3 ORDER BY id LIMIT ?4")                    \
	X(INBOX_LIST_ALL, INBOX_SELECT " AND id > ?3 ORDER BY id LIMIT ?4")                          \
	X(INBOX_FREE, INBOX_OPEN_SELECT " AND id > ?3 AND lease_until_ms <= ?5 ORDER BY id LIMIT ?4") \
	X(INBOX_NEXT_FREE, "SELECT coalesce(min(lease_until_ms), 0)" INBOX_OPEN " AND lease_until_ms > ?3") \
	X(INBOX_GET, INBOX_SELECT " AND id = ?3")                                                    \
	X(INBOX_ACKNOWLEDGE, "UPDATE inbox SET acknowledged_ms = ?4, acknowledged_by = ?5"           \
			     " WHERE organisation = ?1 AND box = ?2 AND id = ?3 AND acknowledged_ms = 0") \
	X(INBOX_WAS_OPEN, "SELECT " INBOX_IS_OPEN " FROM inbox WHERE organisation = ?1 AND box = ?2 AND id = ?3") \
	X(INBOX_UNACKNOWLEDGED, "SELECT count(*)" INBOX_OPEN)                                        \
	X(INBOX_WAITING, "SELECT coalesce(min(created_ms), 0), count(*), count(*) FILTER (WHERE created_ms >= ?1)," \
			 " count(*) FILTER (WHERE created_ms >= ?2), count(*) FILTER (WHERE created_ms >= ?3)," \
			 " count(*) FILTER (WHERE created_ms >= ?4) FROM (SELECT created_ms FROM inbox INDEXED BY inbox_open" \
			 " WHERE box = 0 AND " INBOX_IS_OPEN " LIMIT ?5)")                             \
	X(INBOX_DUE, "SELECT " INBOX_COLUMNS " FROM inbox WHERE box = ?1 AND due_ms > 0 AND due_ms <= ?2" \
		     " ORDER BY due_ms LIMIT ?3")                                                     \
	X(INBOX_LATEST, "SELECT created_ms FROM inbox WHERE organisation = ?1 AND box = ?2 AND created_ms < ?3" \
			" AND kind <> ?4 ORDER BY id DESC LIMIT 1")                                  \
	X(ESCALATION_NEXT_ID, "SELECT coalesce(max(escalation_id), 0) + 1 FROM inbox WHERE organisation = ?1" \
			      " AND escalation_id > 0 AND ?2 IS NOT NULL")                           \
	X(ESCALATION_LIST_OPEN, ESCALATION_SELECT " AND escalation_id > ?3 AND " INBOX_IS_OPEN       \
				" ORDER BY escalation_id LIMIT ?4")                                  \
	X(ESCALATION_LIST_ALL, ESCALATION_SELECT " AND escalation_id > ?3 ORDER BY escalation_id LIMIT ?4") \
	X(ESCALATION_FREE, ESCALATION_SELECT " AND escalation_id > ?3 AND " INBOX_IS_OPEN            \
			   " AND lease_until_ms <= ?5 ORDER BY escalation_id LIMIT ?4")              \
	X(ESCALATION_NEXT_FREE, "SELECT coalesce(min(lease_until_ms), 0) FROM inbox WHERE organisation = ?1" \
				" AND ?2 IS NOT NULL AND escalation_id > 0 AND " INBOX_IS_OPEN " AND lease_until_ms > ?3") \
	X(ESCALATION_GET, ESCALATION_SELECT " AND escalation_id = ?3")                               \
	X(ESCALATION_UNACKNOWLEDGED, "SELECT count(*) FROM inbox WHERE organisation = ?1 AND escalation_id > 0" \
				     " AND ?2 IS NOT NULL AND " INBOX_IS_OPEN)                       \
	X(REPORTED_PUT, "INSERT OR REPLACE INTO reported (id, until_ms, after) VALUES (1, ?1, ?2)")  \
	X(REPORTED_GET, "SELECT until_ms, after FROM reported WHERE id = 1")                         \
	X(INACTIVE_PUT, "INSERT OR REPLACE INTO inactive (subject, sealed) VALUES (?1, ?2)")         \
	X(INACTIVE_GET, "SELECT subject, sealed FROM inactive WHERE subject = ?1")                   \
	X(INACTIVE_DELETE, "DELETE FROM inactive WHERE subject = ?1")                                \
	X(AUTHORITY_PUT, "INSERT OR REPLACE INTO authority (organisation, last_published_ms, due_ms, sealed)" \
			 " VALUES (?1, ?2, ?3, ?4)")                                                 \
	X(AUTHORITY_GET, "SELECT organisation, last_published_ms, due_ms, sealed FROM authority WHERE organisation = ?1") \
	X(AUTHORITY_DUE, "SELECT organisation, last_published_ms, due_ms, sealed FROM authority WHERE due_ms > 0" \
			 " ORDER BY due_ms LIMIT 1")                                                 \
	X(QUARANTINE_PUT, "INSERT OR REPLACE INTO quarantine (target, since_ms, sealed) VALUES (?1, ?2, ?3)") \
	X(QUARANTINE_DELETE, "DELETE FROM quarantine WHERE target = ?1")                             \
	X(QUARANTINE_ALL, "SELECT target, since_ms, sealed FROM quarantine ORDER BY since_ms DESC, target LIMIT ?1") \
	X(ENROLMENT_PUT, "INSERT OR REPLACE INTO enrolment (system, code, sealed) VALUES (?1, ?2, ?3)") \
	X(ENROLMENT_DELETE, "DELETE FROM enrolment WHERE system = ?1")                               \
	X(ENROLMENT_ALL, "SELECT system, code, sealed FROM enrolment ORDER BY system LIMIT ?1")      \
	X(ROLE_PUT, "INSERT OR REPLACE INTO role (profile, sealed) VALUES (?1, ?2)")                 \
	X(ROLE_ALL, "SELECT profile, sealed FROM role ORDER BY profile LIMIT ?1")                    \
	X(ROLE_USE_PUT, "INSERT OR REPLACE INTO role_use (profile, used_ms) VALUES (?1, ?2)")        \
	X(ROLE_USE_GET, "SELECT used_ms FROM role_use WHERE profile = ?1")                           \
	X(POLICY_PUT, "INSERT OR REPLACE INTO policy (id, sealed) VALUES (1, ?1)")                   \
	X(POLICY_GET, "SELECT sealed FROM policy WHERE id = 1")                                      \
	X(REQUEST_PUT, "INSERT OR REPLACE INTO request (key, digest, expires_ms, sealed) VALUES (?1, ?2, ?3, ?4)") \
	X(REQUEST_GET, "SELECT key, digest, expires_ms, sealed FROM request WHERE key = ?1"          \
		       " AND expires_ms > ?2")         \
	X(REQUEST_EXPIRED, "SELECT expires_ms FROM request WHERE expires_ms <= ?1 LIMIT 1")          \
	X(REQUEST_EXPIRE, "DELETE FROM request WHERE rowid IN"                                       \
			  " (SELECT rowid FROM request WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT 1100)") \
	X(AUDIT_APPEND, "INSERT INTO audit (idx, salt, record, nodes, time_ms, organisation, subject, person)" \
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                  \
	X(AUDIT_GET, "SELECT idx, salt, record, nodes, time_ms, organisation, subject, person FROM audit" \
		     " WHERE idx = ?1")                                                              \
	X(AUDIT_NODES, "SELECT nodes FROM audit WHERE idx = ?1")                                     \
	X(AUDIT_SIZE, "SELECT coalesce(max(idx) + 1, 0) FROM audit")                                 \
	X(AUDIT_TO_INDEX, "SELECT idx, time_ms, subject, person, organisation FROM audit WHERE idx >= ?1 ORDER BY idx LIMIT ?2") \
	X(AUDIT_WORD_PUT, "INSERT INTO audit_word (rowid, words) VALUES (?1, ?2)")                   \
	X(AUDIT_BLOCK_PUT, "INSERT INTO audit_block (block, min_ms, max_ms, peak_ms, floor_ms) VALUES (?1, ?2, ?3,"              \
			   " max(?3, coalesce((SELECT peak_ms FROM audit_block WHERE block < ?1 ORDER BY block DESC LIMIT 1), ?3)), ?2)" \
			   " ON CONFLICT (block) DO UPDATE SET min_ms = min(min_ms, excluded.min_ms),"                           \
			   " max_ms = max(max_ms, excluded.max_ms), peak_ms = max(peak_ms, excluded.peak_ms),"                   \
			   " floor_ms = min(floor_ms, excluded.floor_ms)")                                                       \
	X(AUDIT_BLOCK_LOWER, "UPDATE audit_block SET floor_ms = ?2 WHERE floor_ms > ?2 AND block < ?1")                                  \
	X(AUDIT_BLOCK_FIRST, "SELECT block FROM audit_block WHERE peak_ms >= ?1 ORDER BY peak_ms, block LIMIT 1")                        \
	X(AUDIT_BLOCK_LAST, "SELECT block FROM audit_block WHERE floor_ms < ?1 ORDER BY floor_ms DESC, block DESC LIMIT 1")              \
	X(AUDIT_INDEXED_GET, "SELECT next FROM audit_indexed WHERE id = 1")                          \
	X(AUDIT_INDEXED_PUT, "UPDATE audit_indexed SET next = ?1 WHERE id = 1")                      \
	X(AUDIT_KEY_PUT, "INSERT INTO audit_key (id, month, class, sealed) VALUES (?1, ?2, ?3, ?4)")  \
	X(AUDIT_KEY_DESTROY, "UPDATE audit_key SET sealed = NULL, destroyed_ms = ?2 WHERE id = ?1")   \
	X(AUDIT_KEY_ALL, "SELECT id, month, class, destroyed_ms, sealed FROM audit_key ORDER BY id LIMIT ?1") \
	X(HOLD_PUT, "INSERT OR REPLACE INTO hold (name, sealed) VALUES (?1, ?2)")                    \
	X(HOLD_DELETE, "DELETE FROM hold WHERE name = ?1")                                           \
	X(HOLD_ALL, "SELECT name, sealed FROM hold ORDER BY name LIMIT ?1")                          \
	X(CHECKPOINT_PUT, "INSERT OR REPLACE INTO checkpoint (id, note) VALUES (1, ?1)")             \
	X(CHECKPOINT_GET, "SELECT note FROM checkpoint WHERE id = 1")                                \
	X(HEARD_PUT, "INSERT INTO heard (organisation, system, fits, size, received_ms, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)" \
		     " ON CONFLICT (organisation, system, fits) DO UPDATE SET size = excluded.size,"  \
		     " received_ms = excluded.received_ms, note = excluded.note WHERE excluded.size >= size") \
	X(HEARD_AFTER, "SELECT " HEARD_COLUMNS " FROM heard WHERE id > ?1 ORDER BY id LIMIT ?2")      \
	X(HEARD_LARGEST, "SELECT " HEARD_COLUMNS " FROM heard ORDER BY size DESC, id LIMIT 1")        \
	X(HEARD_EXPIRE, "DELETE FROM heard WHERE id IN (SELECT id FROM heard ORDER BY fits, received_ms DESC" \
			" LIMIT -1 OFFSET ?1)")                                                      \
	X(COSIGNED_PUT, "INSERT OR REPLACE INTO cosigned (which, time_ms, note) VALUES (?1, ?2, ?3)") \
	X(COSIGNED_GET, "SELECT time_ms, note FROM cosigned WHERE which = ?1")

enum store_statement {
#define X(name, sql) STATEMENT_##name,
	STORE_STATEMENTS(X)
#undef X
	STATEMENT_COUNT
};

// All rows, and rows by words: newest first, and oldest first.
#define SEARCH_STATEMENTS 4

struct sqlite_store {
	struct store base;           // first: a struct store * of ours is a struct sqlite_store *
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	sqlite3_stmt *searches[SEARCH_STATEMENTS];
	int lock_file;
	bool begun;
	bool busy;                   // somebody held the lock too long
	bool poisoned;               // a call of this batch failed: it cannot be committed
	bool audit_counted, indexed_counted; // in this batch: the two below are known
	uint64_t audit_next;         // number of rows, with those of this batch
	uint64_t indexed_next;       // rows before it can be searched
	struct wal_keeper *keeper;   // store_sqlite_wal.c
	struct subject_filter *subjects; // store_sqlite_subjects.c
	struct inbox_counts *inbox_counts; // store_sqlite_inbox_count.c
	bool leaves_remains;         // what a batch destroyed may still be in the WAL
};

static inline struct sqlite_store *sqlite_store_of(struct store *store)
{
	return (struct sqlite_store *)store;
}

// Times of 1,024 rows each: peak_ms is the greatest max_ms up to this block, floor_ms the least min_ms from this block on.
#define SQLITE_AUDIT_BLOCK_SCHEMA \
	"CREATE TABLE audit_block (" \
	"  block INTEGER PRIMARY KEY," \
	"  min_ms INTEGER NOT NULL," \
	"  max_ms INTEGER NOT NULL," \
	"  peak_ms INTEGER NOT NULL," \
	"  floor_ms INTEGER NOT NULL" \
	") STRICT;" \
	"CREATE INDEX audit_block_by_peak ON audit_block (peak_ms, block);" \
	"CREATE INDEX audit_block_by_floor ON audit_block (floor_ms, block);"
#define SQLITE_APPLICATION_ID 0x63706973 // "cpis"
// A change of it needs a step in store_sqlite_migrate.c.
#define SQLITE_SCHEMA_VERSION 6
// A store of the version before becomes one of this version, and the operator is told; all others stay as they are. False: SQLite has an
// error, and nothing has changed. store_sqlite_migrate.c.
__attribute__((warn_unused_result)) bool sqlite_migrate(sqlite3 *database, const char *path);

// Looks and changes nothing: whether the file is a store of this version, or empty. False with a sentence.
bool sqlite_check_schema(sqlite3 *database, const char *path, bool *ret_empty, char detail[STORE_DETAIL_BYTES]);
// The same, and `or_moved`: one that was moved into another store (store_sqlite_move.h) will do too.
#define SQLITE_MOVED_ID 0x6370696d // "cpim", in place of a store's application_id
bool sqlite_check_version(sqlite3 *database, const char *path, bool or_moved, bool *ret_empty, char detail[STORE_DETAIL_BYTES]);

#define SQLITE_TROUBLE_BYTES 300
// What SQLite and the system say of the last failed call, and what to do about it. `running`: else the broker ends of it.
void sqlite_trouble(sqlite3 *database, bool running, char ret[SQLITE_TROUBLE_BYTES]); // store_sqlite_trouble.c

// Notes the failure in the broker's log, poisons the batch, and is STORE_FAILED. `what` is the operation; `why` NULL:
// what SQLite says.
enum store_status sqlite_store_fail(struct sqlite_store *store, const char *what, const char *why);

// Binds what was given; the results are or-ed together by callers, SQLITE_OK being 0.
int sqlite_bind_u64(sqlite3_stmt *statement, int place, uint64_t value); // SQLITE_RANGE past INT64_MAX
int sqlite_bind_bytes(sqlite3_stmt *statement, int place, const void *data, size_t bytes);
int sqlite_bind_tag(sqlite3_stmt *statement, int place, const struct store_tag *tag); // NULL: SQL's NULL
int sqlite_bind_ods(sqlite3_stmt *statement, int place, const struct ods_code *code);

// Reads of the current row. False: not what we would have written, or the arena is full (its `overflowed` tells).
bool sqlite_column_u64(sqlite3_stmt *statement, int column, uint64_t *ret);
bool sqlite_column_tag(sqlite3_stmt *statement, int column, struct store_tag *ret);
bool sqlite_column_ods(sqlite3_stmt *statement, int column, struct ods_code *ret);
bool sqlite_column_blob(sqlite3_stmt *statement, int column, struct arena *arena, struct store_blob *ret);

// Runs a statement that gives no rows, in a batch only; `bound` is the or of its bindings.
enum store_status sqlite_run(struct sqlite_store *store, sqlite3_stmt *statement, int bound, const char *what);

// One row read into `row`.
typedef bool sqlite_read_row(sqlite3_stmt *statement, struct arena *arena, void *row);
// Its first column, into a uint64_t.
bool sqlite_read_u64(sqlite3_stmt *statement, struct arena *arena, void *row);
// One row of `row_bytes`, at most as large as a struct store_audit, or STORE_NOT_FOUND.
enum store_status sqlite_get(struct sqlite_store *store, sqlite3_stmt *statement, int bound, sqlite_read_row *read,
			     size_t row_bytes, struct arena *arena, void *ret, const char *what);
// All rows, as an array in the arena.
enum store_status sqlite_list(struct sqlite_store *store, sqlite3_stmt *statement, int bound, sqlite_read_row *read,
			      size_t row_bytes, struct arena *arena, void **ret, size_t *ret_count, const char *what);

// The functions of store_ops, by file.
// store_sqlite_rows.c
enum store_status sqlite_access_put(struct store *, const struct store_access *);
enum store_status sqlite_access_delete(struct store *, const struct store_tag *subject, uint64_t audit_index);
enum store_status sqlite_accesses_of(struct store *, const struct store_tag *subject, bool with_silent,
				     uint64_t before_index, size_t max, struct arena *, struct store_access **ret,
				     size_t *ret_count);
enum store_status sqlite_request_put(struct store *, const struct store_request *);
enum store_status sqlite_request_get(struct store *, const struct store_tag *key, uint64_t now_ms, struct arena *,
				     struct store_request *ret);
enum store_status sqlite_request_expire(struct store *, uint64_t now_ms);
// store_sqlite_inactive.c
enum store_status sqlite_inactive_put(struct store *, const struct store_inactive *);
enum store_status sqlite_inactive_get(struct store *, const struct store_tag *subject, struct arena *,
				      struct store_inactive *ret);
enum store_status sqlite_inactive_delete(struct store *, const struct store_tag *subject);
// store_sqlite_plans.c
enum store_status sqlite_plan_put(struct store *, const struct store_plan *);
enum store_status sqlite_plan_get(struct store *, const struct store_tag *slot, uint64_t generation, struct arena *,
				  struct store_plan *ret);
enum store_status sqlite_plan_delete(struct store *, const struct store_tag *slot, uint64_t generation);
enum store_status sqlite_plans_in(struct store *, const struct ods_code *authority, const struct store_plan_place *after,
				  uint64_t until_generation, size_t max, struct arena *, struct store_plan **ret,
				  size_t *ret_count);
enum store_status sqlite_plans_of(struct store *, const struct store_tag *subject, size_t max, struct arena *,
				  struct store_plan **ret, size_t *ret_count);
enum store_status sqlite_authority_put(struct store *, const struct store_authority *);
enum store_status sqlite_authority_get(struct store *, const struct ods_code *, struct arena *,
				       struct store_authority *ret);
enum store_status sqlite_authority_due(struct store *, struct arena *, struct store_authority *ret);
enum store_status sqlite_rejection_put(struct store *, const struct store_rejection *);
enum store_status sqlite_rejections_of(struct store *, const struct ods_code *authority, uint64_t generation,
				       uint64_t from_place, size_t max, struct arena *, struct store_rejection **ret,
				       size_t *ret_count);
enum store_status sqlite_rejection_since(struct store *, const struct store_rejection *like, uint64_t *ret_since_ms);
enum store_status sqlite_rejection_counts(struct store *, const struct ods_code *authority, uint64_t generation, size_t max,
					  struct arena *, struct store_rejection_count **ret, size_t *ret_count);
enum store_status sqlite_rejection_expire(struct store *, const struct ods_code *authority, const uint64_t keep[2],
					  size_t max, size_t *ret_removed);
// store_sqlite_rights.c
enum store_status sqlite_quarantine_put(struct store *, const struct store_quarantine *);
enum store_status sqlite_quarantine_delete(struct store *, const struct store_tag *target);
enum store_status sqlite_quarantine_all(struct store *, size_t max, struct arena *, struct store_quarantine **ret,
					size_t *ret_count);
enum store_status sqlite_role_put(struct store *, const struct store_role *);
enum store_status sqlite_role_all(struct store *, size_t max, struct arena *, struct store_role **ret, size_t *ret_count);
enum store_status sqlite_role_use_put(struct store *, const struct store_tag *profile, uint64_t used_ms);
enum store_status sqlite_role_use_get(struct store *, const struct store_tag *profile, uint64_t *ret_used_ms);
enum store_status sqlite_policy_put(struct store *, struct store_blob sealed);
enum store_status sqlite_policy_get(struct store *, struct arena *, struct store_blob *ret);
// store_sqlite_enrolment.c
enum store_status sqlite_enrolment_put(struct store *, const struct store_enrolment *);
enum store_status sqlite_enrolment_delete(struct store *, const struct store_tag *system);
enum store_status sqlite_enrolment_all(struct store *, size_t max, struct arena *, struct store_enrolment **ret,
				       size_t *ret_count);
// store_sqlite_inbox.c
enum store_status sqlite_inbox_next_id(struct store *, enum store_box, const struct ods_code *, uint64_t *ret);
enum store_status sqlite_inbox_put(struct store *, const struct store_inbox_item *);
enum store_status sqlite_inbox_update(struct store *, const struct store_inbox_item *);
enum store_status sqlite_inbox_free(struct store *, enum store_box, const struct ods_code *, uint64_t after_id, uint64_t now_ms,
				    size_t max, struct arena *, struct store_inbox_item **ret, size_t *ret_count);
enum store_status sqlite_inbox_next_free(struct store *, enum store_box, const struct ods_code *, uint64_t now_ms,
					 uint64_t *ret_ms);
enum store_status sqlite_inbox_due(struct store *, enum store_box, uint64_t now_ms, size_t max, struct arena *,
				   struct store_inbox_item **ret, size_t *ret_count);
enum store_status sqlite_inbox_latest(struct store *, enum store_box, const struct ods_code *, uint64_t before_ms,
				      uint64_t but_kind, uint64_t *ret_created_ms);
enum store_status sqlite_reported_put(struct store *, const struct store_reported *);
enum store_status sqlite_reported_get(struct store *, struct store_reported *ret);
enum store_status sqlite_inbox_list(struct store *, enum store_box, const struct ods_code *, uint64_t after_id, bool include_acknowledged,
				    size_t max, struct arena *, struct store_inbox_item **ret, size_t *ret_count);
enum store_status sqlite_inbox_get(struct store *, enum store_box, const struct ods_code *, uint64_t id, struct arena *,
				   struct store_inbox_item *ret);
enum store_status sqlite_inbox_acknowledge(struct store *, enum store_box, const struct ods_code *, uint64_t id, uint64_t now_ms,
					   struct store_blob acknowledged_by);
enum store_status sqlite_inbox_waiting(struct store *, const uint64_t since_ms[STORE_AGES - 1], uint32_t max, struct store_waiting *ret);
enum store_status sqlite_inbox_unacknowledged(struct store *, enum store_box, const struct ods_code *, uint64_t *ret);
// store_sqlite_inbox_count.c
bool sqlite_inbox_counts_init(struct sqlite_store *store); // false: no memory
void sqlite_inbox_counts_free(struct sqlite_store *store);
void sqlite_inbox_counts_forget(struct sqlite_store *store);
bool sqlite_inbox_count_get(struct sqlite_store *store, enum store_box, const struct ods_code *, uint64_t *ret); // false: it is not known
void sqlite_inbox_count_put(struct sqlite_store *store, enum store_box, const struct ods_code *, uint64_t open);
// After one row was written; nothing where the count is not known.
void sqlite_inbox_count_change(struct sqlite_store *store, enum store_box, const struct ods_code *, bool was_open, bool is_open);
// store_sqlite_audit.c
bool sqlite_read_audit(sqlite3_stmt *statement, struct arena *arena, void *row); // a struct store_audit
enum store_status sqlite_audit_append(struct store *, const struct store_audit *);
enum store_status sqlite_audit_get(struct store *, uint64_t index, struct arena *, struct store_audit *ret);
enum store_status sqlite_audit_node(struct store *, uint64_t index, unsigned height, struct merkle_hash *ret);
enum store_status sqlite_audit_search(struct store *, const struct store_audit_range *, struct arena *,
				      struct store_audit **ret, size_t *ret_count);
enum store_status sqlite_audit_size(struct store *, uint64_t *ret);
enum store_status sqlite_checkpoint_put(struct store *, const char *note);
enum store_status sqlite_checkpoint_get(struct store *, struct arena *, const char **ret);
// store_sqlite_wal.c
bool sqlite_wal_keeper_start(struct sqlite_store *store, const char *path); // false: it cannot be had
void sqlite_wal_keeper_stop(struct sqlite_store *store); // harmless without one
int sqlite_wal_cut(struct sqlite_store *store); // between batches; SQLITE_BUSY: somebody reads beside the broker
// store_sqlite_subjects.c
// So many rows; false: SQLite says why, or there is no memory. Not `ret_agree`: the index has not the subjects of the plans.
bool sqlite_subjects_load(struct sqlite_store *store, uint64_t plans, bool *ret_agree);
void sqlite_subjects_free(struct sqlite_store *store);
void sqlite_subject_add(struct sqlite_store *store, const struct store_tag *subject); // before a plan is put
bool sqlite_subject_may_have_plan(const struct sqlite_store *store, const struct store_tag *subject);
// store_sqlite_search.c
bool sqlite_prepare_searches(struct sqlite_store *store);
// Before a commit: indexes rows when there are many that are not yet. False: it failed.
bool sqlite_search_keep_up(struct sqlite_store *store);
// store_sqlite_heard.c
enum store_status sqlite_heard_put(struct store *, const struct store_heard *);
enum store_status sqlite_heard_after(struct store *, uint64_t after, size_t max, struct arena *, struct store_heard **ret,
				     size_t *ret_count);
enum store_status sqlite_heard_largest(struct store *, struct arena *, struct store_heard *ret);
enum store_status sqlite_heard_expire(struct store *, size_t keep);
enum store_status sqlite_cosigned_put(struct store *, enum store_cosigned_which, const struct store_cosigned *);
enum store_status sqlite_cosigned_get(struct store *, enum store_cosigned_which, struct arena *, struct store_cosigned *ret);
// store_sqlite_retention.c
enum store_status sqlite_audit_key_put(struct store *, const struct store_audit_key *);
enum store_status sqlite_audit_key_destroy(struct store *, uint32_t id, uint64_t now_ms);
enum store_status sqlite_audit_key_all(struct store *, size_t max, struct arena *, struct store_audit_key **ret,
				       size_t *ret_count);
enum store_status sqlite_hold_put(struct store *, const struct store_hold *);
enum store_status sqlite_hold_delete(struct store *, const struct store_tag *name);
enum store_status sqlite_hold_all(struct store *, size_t max, struct arena *, struct store_hold **ret, size_t *ret_count);
// After a commit: cuts off the WAL, which has older images of pages. True when it is done; somebody who reads beside the broker
// prevents it.
bool sqlite_clear_remains(struct sqlite_store *store);

#endif
