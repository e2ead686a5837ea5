// What the files of the PostgreSQL backend share: the connection, its prepared statements, and the few ways in which they are run.
// Inside store_postgres*.c only.
#ifndef CPIS_BROKER_STORE_POSTGRES_PRIV_H
#define CPIS_BROKER_STORE_POSTGRES_PRIV_H

#include <libpq-fe.h>

#include "broker/store_postgres.h"
#include "certs/postgres_target.h"

#define PLAN_COLUMNS "slot, generation, subject, authority, sealed"
#define REJECTION_COLUMNS "authority, generation, place, record, code, field, since_ms, sealed"
#define AUDIT_COLUMNS(nodes) "idx, salt, record, " nodes ", time_ms, organisation, subject, person"
#define INBOX_COLUMNS                                                                                                          \
	"organisation, box, id, kind, created_ms, sealed, acknowledged_ms, delivered_ms, lease_until_ms, escalated_ms,"        \
	" escalation_id, expired_ms, answered_ms, due_ms, acknowledged_by, leased_by"
#define INBOX_FROM " FROM inbox WHERE organisation = $1 AND box = $2"
// The same parameters, so that both views are bound alike.
#define ESCALATION_FROM " FROM inbox WHERE organisation = $1 AND $2::bigint IS NOT NULL AND escalation_id > 0"
#define INBOX_IS_OPEN " AND acknowledged_ms = 0 AND expired_ms = 0"
#define AUTHORITY_COLUMNS "organisation, last_published_ms, due_ms, sealed"
#define HEARD_COLUMNS "id, organisation, system, fits, size, received_ms, note"

// Of one tag after the other, so that each is one walk along its index, which ends at the limit.
#define SEARCH_OF_TAGS(key, more, order)                                                                                       \
	"SELECT " AUDIT_COLUMNS("NULL::bytea") " FROM (SELECT DISTINCT unnest($6::bytea[]) AS tag) AS wanted CROSS JOIN LATERAL" \
	" (SELECT * FROM audit WHERE " key " = wanted.tag AND idx >= $1 AND idx < $2"                                         \
	" AND time_ms >= $3 AND time_ms < $4" more " ORDER BY idx " order " LIMIT $5) AS found ORDER BY idx " order " LIMIT $5"
#define SEARCH_OF_ALL(order)                                                                                             \
	"SELECT " AUDIT_COLUMNS("NULL::bytea") " FROM audit WHERE idx >= $1 AND idx < $2"                                          \
	" AND time_ms >= $3 AND time_ms < $4 ORDER BY idx " order " LIMIT $5"

// By pairs, so that there is no other index with their order: the numbers alone would be all rows from one to the next of a small one.
#define SEARCH_OF_ORGANISATION(order)                                                                                          \
	"SELECT " AUDIT_COLUMNS("NULL::bytea") " FROM audit WHERE (organisation, idx) >= ($6::text, $1) AND (organisation, idx) < ($6::text, $2)" \
	" AND time_ms >= $3 AND time_ms < $4 ORDER BY organisation " order ", idx " order " LIMIT $5"

#define POSTGRES_STATEMENTS(X)                                                                                                 \
	/* Its name may be unknown yet: the first is prepared by itself. */                                                    \
	X(CHECK, "SELECT (SELECT coalesce(max(number), 0)::bigint FROM cpis.migration),"                                       \
		 " has_table_privilege('cpis.audit', 'UPDATE, DELETE, TRUNCATE') OR"                                           \
		 " has_any_column_privilege('cpis.audit', 'UPDATE') OR pg_has_role('cpis_owner', 'MEMBER')")                   \
	X(BEGIN, "BEGIN ISOLATION LEVEL READ COMMITTED")                                                                       \
	X(COMMIT, "COMMIT")                                                                                                    \
	X(ROLLBACK, "ROLLBACK")                                                                                                \
	X(GUARD, "SELECT durable($1)")                                                                                         \
	/* The batch's turn: its row is locked until the commit, and it makes each commit one that writes. */                        \
	X(TURN, "UPDATE turn SET batches = batches + 1 WHERE id = 1")                                                          \
	/* A statement of its own, after the turn: it sees what was committed while that was waited for. */                     \
	X(OTHERS, "SELECT (SELECT number FROM revision WHERE id = 1), (SELECT coalesce(max(idx) + 1, 0) FROM audit),"           \
		  " (SELECT note FROM checkpoint WHERE id = 1)")                                                              \
	X(PLAN_PUT, "INSERT INTO plan (" PLAN_COLUMNS ") VALUES ($1, $2, $3, $4, $5)"                                          \
		    " ON CONFLICT (slot, generation) DO UPDATE SET sealed = excluded.sealed")                                  \
	X(PLAN_GET, "SELECT " PLAN_COLUMNS " FROM plan WHERE slot = $1 AND generation <= $2 ORDER BY generation DESC LIMIT 1") \
	X(PLAN_DELETE, "DELETE FROM plan WHERE slot = $1 AND generation = $2")                                                 \
	X(PLANS_IN, "SELECT " PLAN_COLUMNS " FROM plan WHERE authority = $1 AND (generation, slot) > ($2, $3)"                 \
		    " AND generation <= $4 ORDER BY generation, slot LIMIT $5")                                                \
	X(PLANS_OF, "SELECT " PLAN_COLUMNS " FROM plan WHERE subject = $1 LIMIT $2")                                           \
	X(REJECTION_PUT, "INSERT INTO rejection (" REJECTION_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"               \
			 " ON CONFLICT (authority, generation, place) DO UPDATE SET record = excluded.record, code = excluded.code," \
			 " field = excluded.field, since_ms = excluded.since_ms, sealed = excluded.sealed")                    \
	X(REJECTIONS_OF, "SELECT " REJECTION_COLUMNS " FROM rejection WHERE authority = $1 AND generation = $2"                \
			 " AND place >= $3 ORDER BY place LIMIT $4")                                                           \
	X(REJECTION_SINCE, "SELECT min(since_ms) FROM rejection WHERE authority = $1 AND generation = $2 AND record = $3"      \
			   " AND code = $4 AND field = $5 HAVING count(*) > 0")                                                \
	X(REJECTION_COUNTS, "SELECT code, field, count(*), min(since_ms) FROM rejection WHERE authority = $1"                  \
			    " AND generation = $2 GROUP BY code, field ORDER BY code, field LIMIT $3")                         \
	X(REJECTION_EXPIRE, "DELETE FROM rejection WHERE (authority, generation, place) IN (SELECT authority, generation, place" \
			    " FROM rejection WHERE authority = $1 AND generation NOT IN ($2, $3) LIMIT $4)")                   \
	X(ACCESS_PUT, "INSERT INTO access (subject, audit_index, silent, sealed) VALUES ($1, $2, $3, $4)")                     \
	X(ACCESS_DELETE, "DELETE FROM access WHERE subject = $1 AND audit_index = $2")                         \
	X(ACCESSES_OF, "SELECT subject, audit_index, silent, sealed FROM access WHERE subject = $1"            \
		       " AND ($2 OR NOT silent) AND audit_index < $3 ORDER BY audit_index DESC LIMIT $4")                      \
	X(INBOX_NEXT_ID, "SELECT coalesce(max(id), 0) + 1" INBOX_FROM)                                                         \
	X(ESCALATION_NEXT_ID, "SELECT coalesce(max(escalation_id), 0) + 1" ESCALATION_FROM)                                    \
	X(INBOX_PUT, "INSERT INTO inbox (organisation, box, id, kind, created_ms, due_ms, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)") \
	X(INBOX_UPDATE, "UPDATE inbox SET acknowledged_ms = $4, delivered_ms = $5, lease_until_ms = $6, escalated_ms = $7,"    \
			" escalation_id = $8, expired_ms = $9, answered_ms = $10, due_ms = $11, acknowledged_by = $12,"        \
			" leased_by = $13 WHERE organisation = $1 AND box = $2 AND id = $3")                                   \
	X(INBOX_LIST_OPEN, "SELECT " INBOX_COLUMNS INBOX_FROM INBOX_IS_OPEN " AND id > $3 ORDER BY id LIMIT $4")               \
	X(INBOX_LIST_ALL, "SELECT " INBOX_COLUMNS INBOX_FROM " AND id > $3 ORDER BY id LIMIT $4")                              \
	X(INBOX_FREE, "SELECT " INBOX_COLUMNS INBOX_FROM INBOX_IS_OPEN " AND id > $3 AND lease_until_ms <= $5 ORDER BY id LIMIT $4") \
	X(INBOX_NEXT_FREE, "SELECT coalesce(min(lease_until_ms), 0)" INBOX_FROM INBOX_IS_OPEN " AND lease_until_ms > $3")      \
	X(INBOX_GET, "SELECT " INBOX_COLUMNS INBOX_FROM " AND id = $3")                                                        \
	X(INBOX_ACKNOWLEDGE, "UPDATE inbox SET acknowledged_ms = $4, acknowledged_by = $5 WHERE organisation = $1 AND box = $2" \
			     " AND id = $3 AND acknowledged_ms = 0")                                                           \
	X(INBOX_UNACKNOWLEDGED, "SELECT count(*)" INBOX_FROM INBOX_IS_OPEN)                                                    \
	X(INBOX_WAITING, "SELECT coalesce(min(created_ms), 0), count(*), count(*) FILTER (WHERE created_ms >= $1),"            \
			 " count(*) FILTER (WHERE created_ms >= $2), count(*) FILTER (WHERE created_ms >= $3),"                \
			 " count(*) FILTER (WHERE created_ms >= $4) FROM (SELECT created_ms FROM inbox"                        \
			 " WHERE box = 0" INBOX_IS_OPEN " LIMIT $5) AS waiting")                                               \
	X(INBOX_DUE, "SELECT " INBOX_COLUMNS " FROM inbox WHERE box = $1 AND due_ms > 0 AND due_ms <= $2 ORDER BY due_ms LIMIT $3") \
	X(INBOX_LATEST, "SELECT created_ms" INBOX_FROM " AND created_ms < $3 AND kind <> $4 ORDER BY id DESC LIMIT 1")         \
	X(ESCALATION_LIST_OPEN, "SELECT " INBOX_COLUMNS ESCALATION_FROM INBOX_IS_OPEN " AND escalation_id > $3"                \
				" ORDER BY escalation_id LIMIT $4")                                                            \
	X(ESCALATION_LIST_ALL, "SELECT " INBOX_COLUMNS ESCALATION_FROM " AND escalation_id > $3 ORDER BY escalation_id LIMIT $4") \
	X(ESCALATION_FREE, "SELECT " INBOX_COLUMNS ESCALATION_FROM INBOX_IS_OPEN " AND escalation_id > $3"                     \
			   " AND lease_until_ms <= $5 ORDER BY escalation_id LIMIT $4")                                        \
	X(ESCALATION_NEXT_FREE, "SELECT coalesce(min(lease_until_ms), 0)" ESCALATION_FROM INBOX_IS_OPEN " AND lease_until_ms > $3") \
	X(ESCALATION_GET, "SELECT " INBOX_COLUMNS ESCALATION_FROM " AND escalation_id = $3")                                   \
	X(ESCALATION_UNACKNOWLEDGED, "SELECT count(*)" ESCALATION_FROM INBOX_IS_OPEN)                                          \
	X(REPORTED_PUT, "INSERT INTO reported (id, until_ms, after) VALUES (1, $1, $2)"                                        \
			" ON CONFLICT (id) DO UPDATE SET until_ms = excluded.until_ms, after = excluded.after")                \
	X(REPORTED_GET, "SELECT until_ms, after FROM reported WHERE id = 1")                                                   \
	X(INACTIVE_PUT, "INSERT INTO inactive (subject, sealed) VALUES ($1, $2)"                                               \
			" ON CONFLICT (subject) DO UPDATE SET sealed = excluded.sealed")                                       \
	X(INACTIVE_GET, "SELECT subject, sealed FROM inactive WHERE subject = $1")                                             \
	X(INACTIVE_DELETE, "DELETE FROM inactive WHERE subject = $1")                                                          \
	X(AUTHORITY_PUT, "INSERT INTO authority (" AUTHORITY_COLUMNS ") VALUES ($1, $2, $3, $4) ON CONFLICT (organisation) DO UPDATE" \
			 " SET last_published_ms = excluded.last_published_ms, due_ms = excluded.due_ms, sealed = excluded.sealed") \
	X(AUTHORITY_GET, "SELECT " AUTHORITY_COLUMNS " FROM authority WHERE organisation = $1")                                \
	X(AUTHORITY_DUE, "SELECT " AUTHORITY_COLUMNS " FROM authority WHERE due_ms > 0 ORDER BY due_ms LIMIT 1")               \
	X(QUARANTINE_PUT, "INSERT INTO quarantine (target, since_ms, sealed) VALUES ($1, $2, $3)"                              \
			  " ON CONFLICT (target) DO UPDATE SET since_ms = excluded.since_ms, sealed = excluded.sealed")        \
	X(QUARANTINE_DELETE, "DELETE FROM quarantine WHERE target = $1")                                                       \
	X(QUARANTINE_ALL, "SELECT target, since_ms, sealed FROM quarantine ORDER BY since_ms DESC, target LIMIT $1")           \
	X(ENROLMENT_PUT, "INSERT INTO enrolment (system, code, sealed) VALUES ($1, $2, $3)"                                    \
			 " ON CONFLICT (system) DO UPDATE SET code = excluded.code, sealed = excluded.sealed")                 \
	X(ENROLMENT_DELETE, "DELETE FROM enrolment WHERE system = $1")                                                         \
	X(ENROLMENT_ALL, "SELECT system, code, sealed FROM enrolment ORDER BY system LIMIT $1")                                \
	X(ROLE_PUT, "INSERT INTO role (profile, sealed) VALUES ($1, $2) ON CONFLICT (profile) DO UPDATE SET sealed = excluded.sealed") \
	X(ROLE_ALL, "SELECT profile, sealed FROM role ORDER BY profile LIMIT $1")                                              \
	X(ROLE_USE_PUT, "INSERT INTO role_use (profile, used_ms) VALUES ($1, $2)"                                              \
			" ON CONFLICT (profile) DO UPDATE SET used_ms = greatest(role_use.used_ms, excluded.used_ms)")                                   \
	X(ROLE_USE_GET, "SELECT used_ms FROM role_use WHERE profile = $1")                                                     \
	X(POLICY_PUT, "INSERT INTO policy (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed") \
	X(POLICY_GET, "SELECT sealed FROM policy WHERE id = 1")                                                                \
	X(REQUEST_PUT, "INSERT INTO request (key, digest, expires_ms, sealed) VALUES ($1, $2, $3, $4)"                         \
		       " ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, expires_ms = excluded.expires_ms,"          \
		       " sealed = excluded.sealed")                                                                            \
	X(REQUEST_GET, "SELECT key, digest, expires_ms, sealed FROM request WHERE key = $1 AND expires_ms > $2")               \
	X(REQUEST_EXPIRE, "DELETE FROM request WHERE key IN (SELECT key FROM request WHERE expires_ms <= $1"                   \
			  " ORDER BY expires_ms LIMIT 1100)")                                                                  \
	X(AUDIT_APPEND, "INSERT INTO audit (idx, salt, record, nodes, time_ms, organisation, subject, person)"                 \
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")                                                        \
	X(AUDIT_GET, "SELECT " AUDIT_COLUMNS("nodes") " FROM audit WHERE idx = $1")                            \
	X(AUDIT_NODES, "SELECT nodes FROM audit WHERE idx = $1")                                               \
	X(AUDIT_SIZE, "SELECT coalesce(max(idx) + 1, 0) FROM audit")                                         \
	X(AUDIT_BLOCK_PUT, "INSERT INTO audit_block (block, min_ms, max_ms, peak_ms, floor_ms) VALUES ($1, $2, $3,"            \
			   " greatest($3, (SELECT peak_ms FROM audit_block WHERE block < $1 ORDER BY block DESC LIMIT 1)), $2)" \
			   " ON CONFLICT (block) DO UPDATE SET min_ms = least(audit_block.min_ms, excluded.min_ms),"           \
			   " max_ms = greatest(audit_block.max_ms, excluded.max_ms),"                                          \
			   " peak_ms = greatest(audit_block.peak_ms, excluded.peak_ms),"                                       \
			   " floor_ms = least(audit_block.floor_ms, excluded.floor_ms)")                                       \
	X(AUDIT_BLOCK_LOWER, "UPDATE audit_block SET floor_ms = $2 WHERE floor_ms > $2 AND block < $1")                        \
	X(AUDIT_BLOCK_FIRST, "SELECT block FROM audit_block WHERE peak_ms >= $1 ORDER BY peak_ms, block LIMIT 1")              \
	X(AUDIT_BLOCK_LAST, "SELECT block FROM audit_block WHERE floor_ms < $1 ORDER BY floor_ms DESC, block DESC LIMIT 1")    \
	X(SEARCH_ALL, SEARCH_OF_ALL("DESC"))                                                                               \
	X(SEARCH_ALL_OLDEST, SEARCH_OF_ALL("ASC"))                                                                         \
	X(SEARCH_ORGANISATION, SEARCH_OF_ORGANISATION("DESC"))                                                \
	X(SEARCH_ORGANISATION_OLDEST, SEARCH_OF_ORGANISATION("ASC"))                                          \
	X(SEARCH_PERSON, SEARCH_OF_TAGS("person", "", "DESC"))                                                                 \
	X(SEARCH_PERSON_OLDEST, SEARCH_OF_TAGS("person", "", "ASC"))                                                           \
	X(SEARCH_SUBJECT, SEARCH_OF_TAGS("subject", "", "DESC"))                                                               \
	X(SEARCH_SUBJECT_OLDEST, SEARCH_OF_TAGS("subject", "", "ASC"))                                                         \
	X(SEARCH_BOTH, SEARCH_OF_TAGS("subject", " AND person = ANY ($7::bytea[])", "DESC"))                                   \
	X(SEARCH_BOTH_OLDEST, SEARCH_OF_TAGS("subject", " AND person = ANY ($7::bytea[])", "ASC"))                             \
	X(AUDIT_KEY_PUT, "INSERT INTO audit_key (id, month, class, sealed) VALUES ($1, $2, $3, $4)")                           \
	X(AUDIT_KEY_DESTROY, "UPDATE audit_key SET sealed = NULL, destroyed_ms = $2 WHERE id = $1")                            \
	X(AUDIT_KEY_ALL, "SELECT id, month, class, destroyed_ms, sealed FROM audit_key ORDER BY id LIMIT $1")                  \
	X(HOLD_PUT, "INSERT INTO hold (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed") \
	X(HOLD_DELETE, "DELETE FROM hold WHERE name = $1")                                                                     \
	X(HOLD_ALL, "SELECT name, sealed FROM hold ORDER BY name LIMIT $1")                                                    \
	X(CHECKPOINT_PUT, "INSERT INTO checkpoint (id, note) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET note = excluded.note") \
	X(CHECKPOINT_GET, "SELECT note FROM checkpoint WHERE id = 1")                                                          \
	X(HEARD_PUT, "INSERT INTO heard (organisation, system, fits, size, received_ms, note)"                                 \
		     " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (organisation, system, fits) DO UPDATE"                     \
		     " SET size = excluded.size, received_ms = excluded.received_ms, note = excluded.note"                     \
		     " WHERE excluded.size >= heard.size")                                                                     \
	X(HEARD_AFTER, "SELECT " HEARD_COLUMNS " FROM heard WHERE id > $1 ORDER BY id LIMIT $2")                               \
	X(HEARD_LARGEST, "SELECT " HEARD_COLUMNS " FROM heard ORDER BY size DESC, id LIMIT 1")                                 \
	X(HEARD_EXPIRE, "DELETE FROM heard WHERE id IN (SELECT id FROM heard ORDER BY fits, received_ms DESC OFFSET $1)")      \
	X(COSIGNED_PUT, "INSERT INTO cosigned (which, time_ms, note) VALUES ($1, $2, $3)"                                      \
			" ON CONFLICT (which) DO UPDATE SET time_ms = excluded.time_ms, note = excluded.note")                 \
	X(COSIGNED_GET, "SELECT time_ms, note FROM cosigned WHERE which = $1")

enum postgres_statement {
#define X(name, sql) POSTGRES_##name,
	POSTGRES_STATEMENTS(X)
#undef X
	POSTGRES_STATEMENT_COUNT
};

// ------------------------------------------------------------------ the connection string: store_postgres_target.c

// Of each session, after those of the connection string, so that these win. Plans do not depend on when statistics were made: always
// the index, as with SQLite. A broker that stops in the middle of its batch, or is gone without a word, has its turn taken away in less
// time than the others wait for it; that never ends a commit, which is no idling. Who waits for its turn and is gone does not stay in the
// queue: the server looks whether its client is there. It does not while a commit waits for the second server.
#define POSTGRES_SESSION_OPTIONS                                                                                                        \
	" -c search_path=cpis -c enable_seqscan=off -c enable_bitmapscan=off -c plan_cache_mode=force_generic_plan -c jit=off"  \
	" -c statement_timeout=0 -c idle_in_transaction_session_timeout=3000 -c client_connection_check_interval=2000"

// The options above, and a server that can be written to.
extern const struct postgres_session postgres_store_session;
_Static_assert(POSTGRES_TARGET_HOSTS_MAX == DATABASE_HOSTS_MAX, "what a connection string may name has its place in the sandbox");

// Tries each host once, `timeout_ms` for each, beginning with the one after the last. NULL with a sentence. For one that can be
// written to.
PGconn *postgres_target_connect(struct postgres_target *target, unsigned timeout_ms, char failure[POSTGRES_FAILURE_BYTES]);

// ------------------------------------------------------------------ the store

// Statements whose results are still to come; at this many they are awaited. Their results fit what a socket takes.
#define QUEUE_LENGTH 256

struct postgres_queued {
	enum postgres_statement statement;
	bool prepared;               // and not run
	bool is_sync;                // no statement: the server is to be heard of, and reckons with who does not go on
};

struct postgres_store {
	struct store base;           // first: a struct store * of ours is a struct postgres_store *
	struct postgres_target target;
	PGconn *connection;          // NULL: lost
	bool lone_server;
	unsigned timeout_ms, connect_timeout_ms;
	bool begun;
	bool opened;                 // the server knows of the batch
	bool poisoned;               // a call of this batch failed: it cannot be committed
	bool warned;                 // since it was last set false
	struct postgres_queued queue[QUEUE_LENGTH];
	size_t queue_count;
	size_t unsynced_bytes;       // of statements since the last sync
	char failure[POSTGRES_FAILURE_BYTES]; // the last one
	bool audit_counted;          // `audit_next` is known
	uint64_t audit_next;         // rows, with those of this batch
	uint64_t span_block, span_min_ms, span_max_ms; // times of rows of this batch that audit_block has not got yet
	bool span_open;
};

static inline struct postgres_store *postgres_store_of(struct store *store)
{
	return (struct postgres_store *)store;
}

// ------------------------------------------------------------------ values and rows: store_postgres_values.c

// The parameters of a statement, in PostgreSQL's binary formats; what they point to is the caller's. May be copied.
#define VALUES_LENGTH 13
struct values {
	int count;
	const char *data[VALUES_LENGTH];
	int bytes[VALUES_LENGTH];
	uint8_t numbers[VALUES_LENGTH][8];
	bool is_number[VALUES_LENGTH]; // it is the one above, and not at `data`
	bool out_of_range;
};
// Where each is, for libpq.
void values_places(const struct values *values, const char *ret[VALUES_LENGTH]);
void values_u64(struct values *values, uint64_t value); // past INT64_MAX: out of range
void values_bool(struct values *values, bool value);
void values_bytes(struct values *values, const void *data, size_t bytes);
void values_blob_or_null(struct values *values, struct store_blob blob); // empty: NULL
void values_tag(struct values *values, const struct store_tag *tag);     // NULL: NULL
void values_text(struct values *values, const char *text);
void values_ods(struct values *values, const struct ods_code *code);
// bytea[]: in the arena. False: it does not fit.
bool values_tags(struct values *values, const struct store_tag *tags, size_t count, struct arena *arena);

struct postgres_row {
	const PGresult *result;
	int number;
};
// False: not what this program writes, or the arena is full.
bool row_u64(struct postgres_row row, int column, uint64_t *ret);
bool row_u32(struct postgres_row row, int column, uint32_t *ret);
bool row_bool(struct postgres_row row, int column, bool *ret);
bool row_is_null(struct postgres_row row, int column);
size_t row_bytes(struct postgres_row row, int column);
bool row_fixed(struct postgres_row row, int column, void *ret, size_t bytes);
bool row_tag(struct postgres_row row, int column, struct store_tag *ret);
bool row_ods(struct postgres_row row, int column, struct ods_code *ret);
bool row_blob(struct postgres_row row, int column, struct arena *arena, struct store_blob *ret); // NULL: empty
bool row_text(struct postgres_row row, int column, char *ret, size_t ret_bytes);
bool row_note(struct postgres_row row, int column, struct arena *arena, const char **ret);

// ------------------------------------------------------------------ running: store_postgres_run.c

// Notes the failure in the broker's log, poisons the batch, and is STORE_FAILED.
enum store_status postgres_fail(struct postgres_store *store, const char *what, const char *why);
// Drops the connection and all that was under way. Never cancels.
void postgres_drop(struct postgres_store *store);
// Sends a statement; its result is awaited later. False: it cannot be sent. `sql`: to prepare it; NULL: to run it.
bool postgres_send(struct postgres_store *store, enum postgres_statement statement, const char *sql, const struct values *values);
// Awaits all that was sent, and gives the last result unless `ret_last` is NULL. False when any of it failed: `failure` says why, and
// the log; the connection is dropped where it is lost or the deadline is over.
bool postgres_await(struct postgres_store *store, PGresult **ret_last);

// In a batch: begins the transaction, unless it has been. Every other statement does so first.
enum store_status postgres_open_batch(struct postgres_store *store);
// In a batch: a statement that gives no rows, whose failure is that of the next read or the commit.
enum store_status postgres_write(struct postgres_store *store, enum postgres_statement statement, const struct values *values);
// In a batch: one that is awaited, and how many rows it changed.
enum store_status postgres_change(struct postgres_store *store, enum postgres_statement statement, const struct values *values,
				  size_t *ret_rows);
// The same, of one row: STORE_NOT_FOUND when none was changed.
enum store_status postgres_change_one(struct postgres_store *store, enum postgres_statement statement, const struct values *values);

typedef bool postgres_read_row(struct postgres_row row, struct arena *arena, void *to);
bool postgres_read_u64(struct postgres_row row, struct arena *arena, void *to);
// One row of `bytes`, at most as large as a struct store_audit, or STORE_NOT_FOUND. In a batch or outside of one.
enum store_status postgres_get(struct postgres_store *store, enum postgres_statement statement, const struct values *values,
			       postgres_read_row *read, size_t bytes, struct arena *arena, void *ret);
// All rows, as an array in the arena; `ret` is the address of a pointer to such rows.
enum store_status postgres_list(struct postgres_store *store, enum postgres_statement statement, const struct values *values,
				postgres_read_row *read, size_t bytes, struct arena *arena, void *ret, size_t *ret_count);

// A connection that is ready, made anew where there is none. store_postgres.c.
bool postgres_ready(struct postgres_store *store);

// ------------------------------------------------------------------ the operations, by file

// store_postgres_rows.c
enum store_status postgres_access_put(struct store *, const struct store_access *);
enum store_status postgres_access_delete(struct store *, const struct store_tag *subject, uint64_t audit_index);
enum store_status postgres_accesses_of(struct store *, const struct store_tag *subject, bool with_silent,
				     uint64_t before_index, size_t max, struct arena *, struct store_access **ret,
				     size_t *ret_count);
enum store_status postgres_request_put(struct store *, const struct store_request *);
enum store_status postgres_request_get(struct store *, const struct store_tag *key, uint64_t now_ms, struct arena *,
				     struct store_request *ret);
enum store_status postgres_request_expire(struct store *, uint64_t now_ms);
// store_postgres_rights.c
enum store_status postgres_inactive_put(struct store *, const struct store_inactive *);
enum store_status postgres_inactive_get(struct store *, const struct store_tag *subject, struct arena *,
				      struct store_inactive *ret);
enum store_status postgres_inactive_delete(struct store *, const struct store_tag *subject);
// store_postgres_plans.c
enum store_status postgres_plan_put(struct store *, const struct store_plan *);
enum store_status postgres_plan_get(struct store *, const struct store_tag *slot, uint64_t generation, struct arena *,
				  struct store_plan *ret);
enum store_status postgres_plan_delete(struct store *, const struct store_tag *slot, uint64_t generation);
enum store_status postgres_plans_in(struct store *, const struct ods_code *authority, const struct store_plan_place *after,
				  uint64_t until_generation, size_t max, struct arena *, struct store_plan **ret,
				  size_t *ret_count);
enum store_status postgres_plans_of(struct store *, const struct store_tag *subject, size_t max, struct arena *,
				  struct store_plan **ret, size_t *ret_count);
enum store_status postgres_authority_put(struct store *, const struct store_authority *);
enum store_status postgres_authority_get(struct store *, const struct ods_code *, struct arena *,
				       struct store_authority *ret);
enum store_status postgres_authority_due(struct store *, struct arena *, struct store_authority *ret);
enum store_status postgres_rejection_put(struct store *, const struct store_rejection *);
enum store_status postgres_rejections_of(struct store *, const struct ods_code *authority, uint64_t generation,
				       uint64_t from_place, size_t max, struct arena *, struct store_rejection **ret,
				       size_t *ret_count);
enum store_status postgres_rejection_since(struct store *, const struct store_rejection *like, uint64_t *ret_since_ms);
enum store_status postgres_rejection_counts(struct store *, const struct ods_code *authority, uint64_t generation, size_t max,
					  struct arena *, struct store_rejection_count **ret, size_t *ret_count);
enum store_status postgres_rejection_expire(struct store *, const struct ods_code *authority, const uint64_t keep[2],
					  size_t max, size_t *ret_removed);
// store_postgres_rights.c
enum store_status postgres_quarantine_put(struct store *, const struct store_quarantine *);
enum store_status postgres_quarantine_delete(struct store *, const struct store_tag *target);
enum store_status postgres_quarantine_all(struct store *, size_t max, struct arena *, struct store_quarantine **ret,
					size_t *ret_count);
enum store_status postgres_role_put(struct store *, const struct store_role *);
enum store_status postgres_role_all(struct store *, size_t max, struct arena *, struct store_role **ret, size_t *ret_count);
enum store_status postgres_role_use_put(struct store *, const struct store_tag *profile, uint64_t used_ms);
enum store_status postgres_role_use_get(struct store *, const struct store_tag *profile, uint64_t *ret_used_ms);
enum store_status postgres_policy_put(struct store *, struct store_blob sealed);
enum store_status postgres_policy_get(struct store *, struct arena *, struct store_blob *ret);
enum store_status postgres_enrolment_put(struct store *, const struct store_enrolment *);
enum store_status postgres_enrolment_delete(struct store *, const struct store_tag *system);
enum store_status postgres_enrolment_all(struct store *, size_t max, struct arena *, struct store_enrolment **ret,
				       size_t *ret_count);
// store_postgres_inbox.c
enum store_status postgres_inbox_next_id(struct store *, enum store_box, const struct ods_code *, uint64_t *ret);
enum store_status postgres_inbox_put(struct store *, const struct store_inbox_item *);
enum store_status postgres_inbox_update(struct store *, const struct store_inbox_item *);
enum store_status postgres_inbox_free(struct store *, enum store_box, const struct ods_code *, uint64_t after_id, uint64_t now_ms,
				    size_t max, struct arena *, struct store_inbox_item **ret, size_t *ret_count);
enum store_status postgres_inbox_next_free(struct store *, enum store_box, const struct ods_code *, uint64_t now_ms,
					 uint64_t *ret_ms);
enum store_status postgres_inbox_due(struct store *, enum store_box, uint64_t now_ms, size_t max, struct arena *,
				   struct store_inbox_item **ret, size_t *ret_count);
enum store_status postgres_inbox_latest(struct store *, enum store_box, const struct ods_code *, uint64_t before_ms,
				      uint64_t but_kind, uint64_t *ret_created_ms);
enum store_status postgres_reported_put(struct store *, const struct store_reported *);
enum store_status postgres_reported_get(struct store *, struct store_reported *ret);
enum store_status postgres_inbox_list(struct store *, enum store_box, const struct ods_code *, uint64_t after_id, bool include_acknowledged,
				    size_t max, struct arena *, struct store_inbox_item **ret, size_t *ret_count);
enum store_status postgres_inbox_get(struct store *, enum store_box, const struct ods_code *, uint64_t id, struct arena *,
				   struct store_inbox_item *ret);
enum store_status postgres_inbox_acknowledge(struct store *, enum store_box, const struct ods_code *, uint64_t id, uint64_t now_ms,
					   struct store_blob acknowledged_by);
enum store_status postgres_inbox_waiting(struct store *, const uint64_t since_ms[STORE_AGES - 1], uint32_t max, struct store_waiting *ret);
enum store_status postgres_inbox_unacknowledged(struct store *, enum store_box, const struct ods_code *, uint64_t *ret);
// store_postgres_audit.c
enum store_status postgres_audit_append(struct store *, const struct store_audit *);
enum store_status postgres_audit_get(struct store *, uint64_t index, struct arena *, struct store_audit *ret);
enum store_status postgres_audit_node(struct store *, uint64_t index, unsigned height, struct merkle_hash *ret);
enum store_status postgres_audit_search(struct store *, const struct store_audit_range *, struct arena *,
				      struct store_audit **ret, size_t *ret_count);
enum store_status postgres_audit_size(struct store *, uint64_t *ret);
enum store_status postgres_checkpoint_put(struct store *, const char *note);
enum store_status postgres_checkpoint_get(struct store *, struct arena *, const char **ret);
// store_postgres_heard.c
enum store_status postgres_heard_put(struct store *, const struct store_heard *);
enum store_status postgres_heard_after(struct store *, uint64_t after, size_t max, struct arena *, struct store_heard **ret,
				     size_t *ret_count);
enum store_status postgres_heard_largest(struct store *, struct arena *, struct store_heard *ret);
enum store_status postgres_heard_expire(struct store *, size_t keep);
enum store_status postgres_cosigned_put(struct store *, enum store_cosigned_which, const struct store_cosigned *);
enum store_status postgres_cosigned_get(struct store *, enum store_cosigned_which, struct arena *, struct store_cosigned *ret);
// store_postgres_retention.c
enum store_status postgres_audit_key_put(struct store *, const struct store_audit_key *);
enum store_status postgres_audit_key_destroy(struct store *, uint32_t id, uint64_t now_ms);
enum store_status postgres_audit_key_all(struct store *, size_t max, struct arena *, struct store_audit_key **ret,
				       size_t *ret_count);
enum store_status postgres_hold_put(struct store *, const struct store_hold *);
enum store_status postgres_hold_delete(struct store *, const struct store_tag *name);
enum store_status postgres_hold_all(struct store *, size_t max, struct arena *, struct store_hold **ret, size_t *ret_count);

// store_postgres_search.c
// Notes the time of a row that was appended. False: it failed.
bool postgres_note_time(struct postgres_store *store, uint64_t index, uint64_t time_ms);
// Before a search or a commit: what was noted goes into audit_block. False: it failed.
bool postgres_end_span(struct postgres_store *store);
bool postgres_read_audit(struct postgres_row row, struct arena *arena, void *to); // a struct store_audit

#endif
