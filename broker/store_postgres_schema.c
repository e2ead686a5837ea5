// PostgreSQL backend: the tables, made by numbered migrations. A number that was released is never changed: what comes after it is a
// migration of its own. What the tables hold is described in broker/README.md.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/store_postgres_priv.h"

#define CONNECT_TIMEOUT_MS 5000u

// Every broker reads and writes these; all that names a child or a person is sealed. Texts are compared byte by byte.
#define CHILD_TABLES                                                                                                          \
	"CREATE TABLE plan ("                                                                                                  \
	"  slot bytea NOT NULL, generation bigint NOT NULL, subject bytea NOT NULL, authority text COLLATE \"C\" NOT NULL,"    \
	"  sealed bytea NOT NULL, PRIMARY KEY (slot, generation));"                                                            \
	"CREATE INDEX plan_by_subject ON plan (subject);"                                                                      \
	"CREATE INDEX plan_by_authority ON plan (authority, generation, slot);"                                                \
	"CREATE TABLE rejection ("                                                                                             \
	"  authority text COLLATE \"C\" NOT NULL, generation bigint NOT NULL, place bigint NOT NULL, record bytea NOT NULL,"   \
	"  code bigint NOT NULL, field text COLLATE \"C\" NOT NULL, since_ms bigint NOT NULL, sealed bytea NOT NULL,"          \
	"  PRIMARY KEY (authority, generation, place));"                                                                       \
	"CREATE INDEX rejection_by_record ON rejection (authority, generation, record);"                                       \
	/* Rows are never deleted. */                                                                                          \
	"CREATE TABLE inbox ("                                                                                                 \
	"  organisation text COLLATE \"C\" NOT NULL, box bigint NOT NULL, id bigint NOT NULL, kind bigint NOT NULL,"           \
	"  created_ms bigint NOT NULL, acknowledged_ms bigint NOT NULL DEFAULT 0, delivered_ms bigint NOT NULL DEFAULT 0,"     \
	"  lease_until_ms bigint NOT NULL DEFAULT 0, escalated_ms bigint NOT NULL DEFAULT 0,"                                  \
	"  escalation_id bigint NOT NULL DEFAULT 0, expired_ms bigint NOT NULL DEFAULT 0,"                                     \
	"  answered_ms bigint NOT NULL DEFAULT 0, due_ms bigint NOT NULL, sealed bytea NOT NULL, acknowledged_by bytea,"       \
	"  leased_by bytea, PRIMARY KEY (organisation, box, id));"                                                             \
	"CREATE INDEX inbox_open ON inbox (organisation, box, id) WHERE acknowledged_ms = 0 AND expired_ms = 0;"               \
	"CREATE UNIQUE INDEX inbox_escalated ON inbox (organisation, escalation_id) WHERE escalation_id > 0;"                  \
	"CREATE INDEX inbox_escalated_open ON inbox (organisation, escalation_id)"                                             \
	"  WHERE escalation_id > 0 AND acknowledged_ms = 0 AND expired_ms = 0;"                                                \
	"CREATE INDEX inbox_due ON inbox (box, due_ms) WHERE due_ms > 0;"                                                      \
	"CREATE TABLE reported (id bigint PRIMARY KEY CHECK (id = 1), until_ms bigint NOT NULL, after text NOT NULL);"         \
	"CREATE TABLE authority ("                                                                                             \
	"  organisation text COLLATE \"C\" PRIMARY KEY, last_published_ms bigint NOT NULL, due_ms bigint NOT NULL,"            \
	"  sealed bytea NOT NULL);"                                                                                            \
	"CREATE INDEX authority_due ON authority (due_ms) WHERE due_ms > 0;"                                                   \
	"CREATE TABLE inactive (subject bytea PRIMARY KEY, sealed bytea NOT NULL);"                                            \
	"CREATE TABLE quarantine (target bytea PRIMARY KEY, since_ms bigint NOT NULL, sealed bytea NOT NULL);"                 \
	"CREATE TABLE enrolment (system bytea PRIMARY KEY, code bytea NOT NULL, sealed bytea NOT NULL);"                       \
	"CREATE TABLE role (profile bytea PRIMARY KEY, sealed bytea NOT NULL);"                                                \
	"CREATE TABLE role_use (profile bytea PRIMARY KEY, used_ms bigint NOT NULL);"                                          \
	"CREATE TABLE policy (id bigint PRIMARY KEY CHECK (id = 1), sealed bytea NOT NULL);"                                   \
	"CREATE TABLE request ("                                                                                               \
	"  key bytea PRIMARY KEY, digest bytea NOT NULL, expires_ms bigint NOT NULL, sealed bytea NOT NULL);"                  \
	"CREATE INDEX request_by_expiry ON request (expires_ms);"                                                              \
	"CREATE TABLE hold (name bytea PRIMARY KEY, sealed bytea NOT NULL);"

// The log is one, and all brokers append to it in turn.
#define LOG_TABLES                                                                                                             \
	"CREATE TABLE audit ("                                                                                                 \
	"  idx bigint PRIMARY KEY, salt bytea NOT NULL, record bytea NOT NULL, nodes bytea NOT NULL, time_ms bigint NOT NULL," \
	"  organisation text COLLATE \"C\" NOT NULL, subject bytea, person bytea);"                                          \
	"CREATE INDEX audit_by_subject ON audit (subject, idx) WHERE subject IS NOT NULL;"                                     \
	"CREATE INDEX audit_by_person ON audit (person, idx) WHERE person IS NOT NULL;"                                        \
	"CREATE INDEX audit_by_organisation ON audit (organisation, idx);"                                                     \
	/* Of 1,024 rows each: store_postgres_search.c. */                                                                     \
	"CREATE TABLE audit_block ("                                                                                           \
	"  block bigint PRIMARY KEY, min_ms bigint NOT NULL, max_ms bigint NOT NULL, peak_ms bigint NOT NULL,"                 \
	"  floor_ms bigint NOT NULL);"                                                                                         \
	"CREATE INDEX audit_block_by_peak ON audit_block (peak_ms, block);"                                                    \
	"CREATE INDEX audit_block_by_floor ON audit_block (floor_ms, block);"                                                  \
	"CREATE TABLE access ("                                                                                                \
	"  subject bytea NOT NULL, audit_index bigint NOT NULL, silent boolean NOT NULL, sealed bytea NOT NULL,"               \
	"  PRIMARY KEY (subject, audit_index));"                                                                               \
	"CREATE TABLE audit_key ("                                                                                             \
	"  id bigint PRIMARY KEY, month bigint NOT NULL, class bigint NOT NULL, destroyed_ms bigint NOT NULL DEFAULT 0,"       \
	"  sealed bytea);"                                                                                                     \
	"CREATE TABLE checkpoint (id bigint PRIMARY KEY CHECK (id = 1), note text NOT NULL);"                                  \
	"CREATE TABLE heard ("                                                                                                 \
	"  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organisation text NOT NULL, system text NOT NULL,"              \
	"  fits boolean NOT NULL, size bigint NOT NULL, received_ms bigint NOT NULL, note text NOT NULL,"                      \
	"  UNIQUE (organisation, system, fits));"                                                                              \
	"CREATE INDEX heard_by_size ON heard (size DESC, id);"                                                                 \
	"CREATE TABLE cosigned (which bigint PRIMARY KEY, time_ms bigint NOT NULL, note text NOT NULL);"

#define COUNTED(table)                                                                                                         \
	"CREATE TRIGGER kept_in_memory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON " table                         \
	" FOR EACH STATEMENT EXECUTE FUNCTION kept_in_memory_changed();"

// One row of each. Whoever has that of `turn` locked has the turn; the revision is counted by the tables themselves: no statement can
// forget it, and what an administrator changes by hand is seen too.
#define BROKERS                                                                                                                \
	"CREATE TABLE turn (id bigint PRIMARY KEY CHECK (id = 1), batches bigint NOT NULL) WITH (fillfactor = 50);"            \
	"INSERT INTO turn (id, batches) VALUES (1, 0);"                                                                        \
	"CREATE TABLE revision (id bigint PRIMARY KEY CHECK (id = 1), number bigint NOT NULL);"                                \
	"INSERT INTO revision (id, number) VALUES (1, 1);"                                                                     \
	"CREATE FUNCTION kept_in_memory_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"                                \
	"  UPDATE cpis.revision SET number = number + 1; RETURN NULL; END $$;"                                                 \
	COUNTED("quarantine") COUNTED("role") COUNTED("enrolment") COUNTED("policy") COUNTED("audit_key") COUNTED("cosigned")

// Against mistakes, and against whoever has the broker's role. Whoever owns the tables can drop these; the signed log is what finds
// them out. ALWAYS: also where a session says that it only replicates.
#define LOG_TRIGGERS                                                                                                           \
	"CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"                                         \
	"  RAISE EXCEPTION 'audit rows are never changed or removed' USING ERRCODE = '42501'; END $$;"                         \
	"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_kept();"  \
	"CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept();"    \
	"CREATE FUNCTION audit_is_next() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"                                         \
	"  IF NEW.idx IS DISTINCT FROM (SELECT coalesce(max(idx) + 1, 0) FROM cpis.audit) THEN"                               \
	"    RAISE EXCEPTION 'audit rows are only appended, in order' USING ERRCODE = '42501'; END IF;"                        \
	"  RETURN NEW; END $$;"                                                                                                \
	"CREATE TRIGGER audit_is_only_appended BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_next();"          \
	"ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_not_changed, ENABLE ALWAYS TRIGGER audit_is_not_emptied,"            \
	"  ENABLE ALWAYS TRIGGER audit_is_only_appended;"

// A server that would lose what it says is committed. Anybody may set synchronous_commit for a session of theirs.
#define DURABLE                                                                                                                \
	"CREATE FUNCTION durable(second_server boolean) RETURNS void LANGUAGE plpgsql AS $$ BEGIN"                             \
	"  IF current_setting('fsync') <> 'on' THEN RAISE EXCEPTION 'fsync is off' USING ERRCODE = '55000'; END IF;"           \
	"  IF current_setting('synchronous_commit') = 'off' THEN"                                                              \
	"    RAISE EXCEPTION 'synchronous_commit is off' USING ERRCODE = '55000'; END IF;"                                     \
	"  IF second_server AND current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN"                      \
	"    RAISE EXCEPTION 'synchronous_commit does not wait for the second server' USING ERRCODE = '55000'; END IF;"        \
	"  IF second_server AND current_setting('synchronous_standby_names') = '' THEN"                                        \
	"    RAISE EXCEPTION 'synchronous_standby_names is empty' USING ERRCODE = '55000'; END IF; END $$;"

// What each statement of the store needs, and no more.
#define RIGHTS                                                                                                                 \
	"REVOKE ALL ON ALL TABLES IN SCHEMA cpis FROM PUBLIC;"                                                                 \
	"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA cpis FROM PUBLIC;"                                                              \
	"GRANT USAGE ON SCHEMA cpis TO cpis_broker;"                                                                           \
	"GRANT EXECUTE ON FUNCTION durable(boolean) TO cpis_broker;"                                                           \
	"GRANT SELECT ON migration TO cpis_broker;"                                                                            \
	"GRANT SELECT, INSERT ON audit TO cpis_broker;"                                                                        \
	"GRANT SELECT, UPDATE (batches) ON turn TO cpis_broker;"                                                               \
	"GRANT SELECT, UPDATE (number) ON revision TO cpis_broker;"                                                            \
	"GRANT SELECT, INSERT, UPDATE (min_ms, max_ms, peak_ms, floor_ms) ON audit_block TO cpis_broker;"                      \
	"GRANT SELECT, INSERT, UPDATE (sealed, destroyed_ms) ON audit_key TO cpis_broker;"                                     \
	"GRANT SELECT, INSERT, UPDATE (note) ON checkpoint TO cpis_broker;"                                                    \
	"GRANT SELECT, INSERT, UPDATE (time_ms, note) ON cosigned TO cpis_broker;"                                             \
	"GRANT SELECT, INSERT, UPDATE (size, received_ms, note), DELETE ON heard TO cpis_broker;"                              \
	"GRANT SELECT, INSERT, DELETE ON access TO cpis_broker;"                                                               \
	"GRANT SELECT, INSERT, UPDATE (sealed), DELETE ON plan, inactive, hold TO cpis_broker;"                                \
	"GRANT SELECT, INSERT, UPDATE (record, code, field, since_ms, sealed), DELETE ON rejection TO cpis_broker;"            \
	"GRANT SELECT, INSERT, UPDATE (acknowledged_ms, delivered_ms, lease_until_ms, escalated_ms, escalation_id, expired_ms," \
	"  answered_ms, due_ms, acknowledged_by, leased_by) ON inbox TO cpis_broker;"                                          \
	"GRANT SELECT, INSERT, UPDATE (until_ms, after) ON reported TO cpis_broker;"                                           \
	"GRANT SELECT, INSERT, UPDATE (last_published_ms, due_ms, sealed) ON authority TO cpis_broker;"                        \
	"GRANT SELECT, INSERT, UPDATE (since_ms, sealed), DELETE ON quarantine TO cpis_broker;"                                \
	"GRANT SELECT, INSERT, UPDATE (code, sealed), DELETE ON enrolment TO cpis_broker;"                                     \
	"GRANT SELECT, INSERT, UPDATE (sealed) ON role, policy TO cpis_broker;"                                                \
	"GRANT SELECT, INSERT, UPDATE (used_ms) ON role_use TO cpis_broker;"                                                   \
	"GRANT SELECT, INSERT, UPDATE (digest, expires_ms, sealed), DELETE ON request TO cpis_broker;"                         \
	/* Who verifies the log reads it, its checkpoint, and what searches go by. */                                          \
	"GRANT USAGE ON SCHEMA cpis TO cpis_auditor;"                                                                          \
	"GRANT SELECT ON audit, checkpoint, audit_block TO cpis_auditor;"

// Number 1 first.
static const struct {
	const char *name, *sql;
} migrations[] = {
	{"tables", CHILD_TABLES LOG_TABLES BROKERS},
	{"the log is only appended to, by the rights of its own role", LOG_TRIGGERS DURABLE RIGHTS},
};
#define MIGRATIONS (sizeof migrations / sizeof migrations[0])
_Static_assert(MIGRATIONS == STORE_POSTGRES_SCHEMA_GREATEST, "the newest is the greatest");

// ------------------------------------------------------------------ migrating

static bool run(PGconn *connection, const char *sql, char failure[POSTGRES_FAILURE_BYTES])
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);
	bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
	if (!done) {
		snprintf(failure, POSTGRES_FAILURE_BYTES, "%s", PQerrorMessage(connection));
		failure[strcspn(failure, "\n")] = '\0';
	}
	PQclear(result);
	return done;
}

static bool read_version(PGconn *connection, size_t *ret, char failure[POSTGRES_FAILURE_BYTES])
{
	PGresult *result = PQexec(connection, "SELECT coalesce(max(number), 0) FROM cpis.migration");
	bool read = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
	if (read)
		*ret = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	else
		snprintf(failure, POSTGRES_FAILURE_BYTES, "%s", PQerrorMessage(connection));
	PQclear(result);
	return read;
}

// Begins the transaction in which one may be applied, by one process at a time. The lock ends with it.
static bool begin(PGconn *connection, char failure[POSTGRES_FAILURE_BYTES])
{
	return run(connection,
		   "BEGIN; SET LOCAL lock_timeout = '30s'; SELECT pg_advisory_xact_lock(x'63706973'::bigint); SET LOCAL ROLE cpis_owner;"
		   "SET LOCAL search_path = cpis; CREATE SCHEMA IF NOT EXISTS cpis;"
		   "CREATE TABLE IF NOT EXISTS cpis.migration ("
		   "  number bigint PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL DEFAULT now())",
		   failure);
}

static bool apply_next(PGconn *connection, size_t *ret_version, char failure[POSTGRES_FAILURE_BYTES])
{
	char mark[200];
	if (!begin(connection, failure) || !read_version(connection, ret_version, failure))
		return false;
	if (*ret_version > MIGRATIONS) {
		snprintf(failure, POSTGRES_FAILURE_BYTES, "the schema is of version %zu, this program knows %zu", *ret_version, MIGRATIONS);
		return false;
	}
	if (*ret_version == MIGRATIONS)
		return run(connection, "COMMIT", failure);
	snprintf(mark, sizeof mark, "INSERT INTO cpis.migration (number, name) VALUES (%zu, '%s'); COMMIT", *ret_version + 1,
		 migrations[*ret_version].name);
	return run(connection, migrations[*ret_version].sql, failure) && run(connection, mark, failure);
}

enum store_status store_postgres_migrate(const char *conninfo, char detail[STORE_DETAIL_BYTES])
{
	struct postgres_target target;
	char failure[POSTGRES_FAILURE_BYTES] = "";
	size_t version = 0;
	PGconn *connection = NULL;
	bool done = postgres_target_init(&target, &postgres_store_session, conninfo, failure) &&
		    (connection = postgres_target_connect(&target, CONNECT_TIMEOUT_MS, failure)) != NULL;
	do
		done = done && apply_next(connection, &version, failure);
	while (done && version < MIGRATIONS);
	if (!done)
		snprintf(detail, STORE_DETAIL_BYTES, "PostgreSQL: %s", failure);
	PQfinish(connection);
	postgres_target_done(&target);
	return done ? STORE_OK : STORE_FAILED;
}
