// What is PostgreSQL's own: who may do what, what is refused when it is opened, the schema's versions, what a commit waits for, lost
// connections, and several brokers before one database. A real server; a receiver of its log stands for the second one.
#include "broker/store_postgres.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/postgres.h"

#define SHORT_MS 700u // that something is not done in this time, however long it is waited for
#define STANDBY "second"

static struct postgres server;
static char database[32];
static struct arena arena;
static struct store *first, *second;
static const struct ods_code leeds = {"383"};
static pid_t receiver;

static const char *sql(const char *text)
{
	return postgres_sql(&server, "postgres", database, text);
}

static bool forbids(const char *role, const char *text)
{
	return postgres_forbids(&server, role, database, text);
}

// ------------------------------------------------------------------ a database for each test

static bool migrate(const char *of)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "";
	postgres_conninfo(&server, "migrator", of, conninfo);
	bool done = store_postgres_migrate(conninfo, detail) == STORE_OK;
	if (!done)
		fprintf(stderr, "%s\n", detail);
	return done;
}

static void start(void)
{
	// What a test that failed has left.
	postgres_configure(&server, NULL, NULL);
	snprintf(database, sizeof database, "test_%d", (int)getpid());
	postgres_make_database(&server, database);
	ck_assert(arena_init(&arena, 65536));
}

static void stop(void)
{
	if (receiver != 0) {
		kill(receiver, SIGKILL);
		waitpid(receiver, NULL, 0);
		receiver = 0;
	}
	postgres_configure(&server, NULL, NULL);
	if (first != NULL)
		first->ops->close(first);
	if (second != NULL)
		second->ops->close(second);
	first = second = NULL;
	arena_done(&arena);
	postgres_remove_database(&server, database);
}

static bool try_open(const struct store_postgres_options *options, struct store **ret, char detail[STORE_DETAIL_BYTES])
{
	detail[0] = '\0';
	return store_postgres_open(options, ret, detail) == STORE_OK;
}

static struct store *open_as(const char *role, const char *name, bool lone_server, unsigned timeout_ms)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES];
	struct store *opened = NULL;
	postgres_conninfo(&server, role, database, conninfo);
	struct store_postgres_options options = {
		.conninfo = conninfo, .broker = name, .lone_server = lone_server, .shared = true, .timeout_ms = timeout_ms};
	ck_assert_msg(try_open(&options, &opened, detail), "%s", detail);
	return opened;
}

static struct store *open_one(void)
{
	return open_as("broker1", "one", true, 60000);
}

static void refuses(const struct store_postgres_options *options, const char *words)
{
	char detail[STORE_DETAIL_BYTES];
	struct store *opened = NULL;
	ck_assert_msg(!try_open(options, &opened, detail), "\"%s\" was opened", options->conninfo);
	ck_assert_ptr_null(opened);
	ck_assert_msg(strstr(detail, words) != NULL, "\"%s\" does not say \"%s\"", detail, words);
}

static void refuses_role(const char *role, bool lone_server, unsigned timeout_ms, const char *words)
{
	char conninfo[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&server, role, database, conninfo);
	struct store_postgres_options options = {
		.conninfo = conninfo, .broker = "one", .lone_server = lone_server, .shared = true, .timeout_ms = timeout_ms};
	refuses(&options, words);
}

static struct store_tag tag(unsigned n)
{
	return (struct store_tag){{(uint8_t)n}};
}

static enum store_status append(struct store *store, uint64_t index)
{
	struct store_audit row = {.index = index, .record = {(const uint8_t *)"record", 6}, .node_count = 1, .time_ms = 1000 + index};
	return store->ops->audit_append(store, &row);
}

static enum store_status put_plan(struct store *store, unsigned slot)
{
	struct store_plan plan = {tag(slot), 1, tag(7), leeds, {(const uint8_t *)"plan", 4}};
	return store->ops->plan_put(store, &plan);
}

static enum store_status put_item(struct store *store, uint64_t id)
{
	struct store_inbox_item item = {.organisation = leeds, .id = id, .sealed = {(const uint8_t *)"item", 4}};
	return store->ops->inbox_put(store, &item);
}

static uint64_t size_of(struct store *store)
{
	uint64_t size = 4711;
	ck_assert_int_eq(store->ops->audit_size(store, &size), STORE_OK);
	return size;
}

static void begin(struct store *store)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
}

static void append_and_commit(struct store *store, uint64_t index)
{
	begin(store);
	ck_assert_int_eq(append(store, index), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
}

static void commit_fails(struct store *store)
{
	ck_assert_int_eq(store->ops->commit(store), STORE_FAILED);
	store->ops->rollback(store);
}

// ------------------------------------------------------------------ who may do what

START_TEST(a_broker_can_neither_change_nor_remove_nor_forge_what_is_in_the_log)
{
	static const char *const tries[] = {
		"UPDATE cpis.audit SET record = ''", "UPDATE cpis.audit SET time_ms = 0 WHERE idx = 0", "DELETE FROM cpis.audit",
		"TRUNCATE cpis.audit", "DROP TABLE cpis.audit", "DROP SCHEMA cpis CASCADE",
		"ALTER TABLE cpis.audit DISABLE TRIGGER ALL", "DROP TRIGGER audit_is_not_changed ON cpis.audit",
		"CREATE OR REPLACE FUNCTION cpis.audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"SET session_replication_role = replica", "SET ROLE cpis_owner", "CREATE TABLE cpis.more (id int)",
		"CREATE TEMP TABLE audit (idx int)",
		"INSERT INTO cpis.audit SELECT broker, 0, salt, record, nodes, time_ms, organisation, subject, person FROM cpis.audit",
		"INSERT INTO cpis.audit SELECT broker, idx + 2, salt, record, nodes, time_ms, organisation, subject, person FROM cpis.audit",
		"INSERT INTO cpis.audit SELECT * FROM cpis.audit ON CONFLICT (broker, idx) DO UPDATE SET record = ''",
		"DELETE FROM cpis.checkpoint", "DELETE FROM cpis.audit_key", "UPDATE cpis.audit_key SET month = 1", "DELETE FROM cpis.inbox",
		"DELETE FROM cpis.broker", "UPDATE cpis.broker SET name = 'two'", "INSERT INTO cpis.migration VALUES (3, 'x')",
		"UPDATE cpis.access SET audit_index = 9", "DELETE FROM cpis.role", "DELETE FROM cpis.policy", "DELETE FROM cpis.authority"};
	first = open_one();
	append_and_commit(first, 0);
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
		ck_assert_msg(forbids("broker1", tries[i]), "%s", tries[i]);
	ck_assert_str_eq(sql("SELECT string_agg(idx || convert_from(record, 'UTF8') || time_ms, ' ') FROM cpis.audit"), "0record1000");
}
END_TEST

START_TEST(nor_can_the_owner_without_taking_the_triggers_off)
{
	static const char *const tries[] = {"UPDATE cpis.audit SET record = ''", "DELETE FROM cpis.audit", "TRUNCATE cpis.audit"};
	char as_owner[200], as_replica[200];
	first = open_one();
	append_and_commit(first, 0);
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		snprintf(as_owner, sizeof as_owner, "SET ROLE cpis_owner; %s", tries[i]);
		snprintf(as_replica, sizeof as_replica, "SET session_replication_role = replica; %s", tries[i]);
		ck_assert(forbids("migrator", as_owner));
		ck_assert(forbids("postgres", as_replica));
	}
	ck_assert_uint_eq(size_of(first), 1);
}
END_TEST

START_TEST(is_not_opened_as_a_role_that_could)
{
	refuses_role("postgres", true, 0, "may change or remove audit rows");
	sql("GRANT UPDATE (record) ON cpis.audit TO broker2");
	refuses_role("broker2", true, 0, "may change or remove audit rows");
	sql("REVOKE UPDATE (record) ON cpis.audit FROM broker2; GRANT DELETE ON cpis.audit TO broker2");
	refuses_role("broker2", true, 0, "may change or remove audit rows");
	// Who is a member can become the owner, and take the triggers off.
	refuses_role("migrator", true, 0, "may change or remove audit rows");
}

END_TEST

START_TEST(does_not_go_on_when_its_own_row_is_gone)
{
	first = open_one();
	append_and_commit(first, 0);
	sql("DELETE FROM cpis.broker");
	begin(first);
	(void)put_plan(first, 1);
	commit_fails(first);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
}
END_TEST

// ------------------------------------------------------------------ the connection string

START_TEST(refuses_a_connection_that_is_not_verified_unless_it_stays_on_the_machine)
{
	static const struct {
		const char *conninfo, *words;
	} refused[] = {
		{"host=db.example dbname=cpis", "verify-full"},
		{"host=db.example sslmode=require", "verify-full"},
		{"host=db.example sslmode=verify-ca", "verify-full"},
		{"host=localhost,db.example dbname=cpis", "verify-full"},
		{"host=/tmp,192.0.2.1 dbname=cpis", "verify-full"},
		{"host=localhost hostaddr=192.0.2.1", "verify-full"},
		{"hostaddr=192.0.2.1", "verify-full"},
		{"postgresql://db.example/cpis?sslmode=prefer", "verify-full"},
		{"host=db.example sslmode=verify-full", "sslrootcert, sslcert and sslkey"},
		{"host=db.example sslmode=verify-full sslrootcert=/a sslcert=/b", "sslrootcert, sslcert and sslkey"},
		{"dbname=cpis", "names no host"},
		{"host=/tmp,,/var dbname=cpis", "empty host"},
		{"host=/a,/b,/c port=1,2", "as many hosts"},
		{"host=/a,/b hostaddr=127.0.0.1", "as many hosts"},
		{"host=/a,/b,/c,/d,/e,/f,/g,/h,/i", "more than 8"},
		{"host=/tmp service=x", "service file"},
		{"host=/tmp nothing=x", "cannot be read"},
	};
	char detail[STORE_DETAIL_BYTES];
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct store_postgres_options options = {.conninfo = refused[i].conninfo, .broker = "one", .lone_server = true};
		refuses(&options, refused[i].words);
		ck_assert_int_eq(store_postgres_migrate(refused[i].conninfo, detail), STORE_FAILED);
		ck_assert_ptr_nonnull(strstr(detail, refused[i].words));
	}
}
END_TEST

START_TEST(a_connection_string_says_which_ports_and_files_it_leads_to)
{
	struct store_postgres_reach reach;
	char detail[STORE_DETAIL_BYTES];
	// As many hosts and files as there may be.
	ck_assert_int_eq(store_postgres_reach("host=a,b,c,d,e,f,g,h port=1,2,3,4,5,6,7,65535 sslmode=verify-full sslrootcert=/r/ca.pem"
					      " sslcert=/c/client.pem sslkey=/k/client.key sslcrl=/l/crl.pem", &reach, detail), STORE_OK);
	ck_assert_uint_eq(reach.port_count, DATABASE_HOSTS_MAX);
	ck_assert_uint_eq(reach.ports[0], 1);
	ck_assert_uint_eq(reach.ports[7], 65535);
	ck_assert_uint_eq(reach.file_count, DATABASE_FILES_MAX);
	bool found = false;
	for (size_t i = 0; i < reach.file_count; i++)
		found = found || strcmp(reach.files[i], "/k/client.key") == 0;
	ck_assert(found);
	ck_assert(reach.by_name && !reach.is_local);
	// Each port once, and the usual one where none is said.
	ck_assert_int_eq(store_postgres_reach("host=/run/a,localhost,127.0.0.1 port=5433,,5433", &reach, detail), STORE_OK);
	ck_assert_uint_eq(reach.port_count, 2);
	ck_assert_uint_eq(reach.ports[0], 5433);
	ck_assert_uint_eq(reach.ports[1], 5432);
	ck_assert_uint_eq(reach.file_count, 0);
	ck_assert(reach.is_local);
	ck_assert_int_eq(store_postgres_reach("host=127.0.0.1,::1", &reach, detail), STORE_OK);
	ck_assert(!reach.is_local && !reach.by_name);
	ck_assert_int_eq(store_postgres_reach("host=db.example", &reach, detail), STORE_FAILED);
	ck_assert_ptr_nonnull(strstr(detail, "verify-full"));
}
END_TEST

// That of a host of this machine may be another's address by them.
START_TEST(refuses_what_the_environment_would_say_in_its_place)
{
	static const char *const variables[] = {"PGSERVICE", "PGHOSTADDR"};
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(setenv(variables[i], "192.0.2.1", 1), 0);
		struct store_postgres_options options = {.conninfo = "host=localhost", .broker = "one", .lone_server = true};
		refuses(&options, variables[i]);
		ck_assert_int_eq(unsetenv(variables[i]), 0);
	}
}
END_TEST

START_TEST(does_not_ask_for_it_on_the_machine_itself)
{
	// Nobody listens there: each is tried.
	static const char *const tried[] = {"host=localhost port=1", "host=127.0.0.1 port=1", "hostaddr=::1 port=1", "host=/nowhere",
					    "host=db.example hostaddr=127.0.0.1 port=1"};
	for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
		struct store_postgres_options options = {.conninfo = tried[i], .broker = "one", .lone_server = true};
		refuses(&options, "connection: ");
	}
}
END_TEST

START_TEST(refuses_a_name_that_is_empty_or_too_long)
{
	static const char *const names[] = {"", "12345678901234567890123456789012345678901234567890123456789012345"};
	for (size_t i = 0; i < 2; i++) {
		struct store_postgres_options options = {.conninfo = "host=/nowhere", .broker = names[i]};
		refuses(&options, "1 to 64 bytes");
	}
}
END_TEST

// Of three: one that is not there, one that takes connections and says nothing, and the server.
START_TEST(goes_on_to_the_next_host)
{
	char conninfo[300], place[] = "/tmp/cpis-mute-XXXXXX", path[60], detail[STORE_DETAIL_BYTES];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	ck_assert_ptr_nonnull(mkdtemp(place));
	snprintf(path, sizeof path, "%s/.s.PGSQL.5432", place);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int mute = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(mute >= 0 && bind(mute, (const struct sockaddr *)&address, sizeof address) == 0 && listen(mute, 8) == 0);
	snprintf(conninfo, sizeof conninfo, "host=/nowhere,%s,%s dbname=%s user=broker1", place, server.directory, database);
	struct store_postgres_options options = {.conninfo = conninfo, .broker = "one", .lone_server = true, .connect_timeout_ms = 300};
	bool opened = try_open(&options, &first, detail);
	close(mute);
	ck_assert(unlink(path) == 0 && rmdir(place) == 0);
	ck_assert_msg(opened, "%s", detail);
	append_and_commit(first, 0);
}
END_TEST

START_TEST(refuses_a_server_that_takes_no_writes)
{
	char text[120];
	snprintf(text, sizeof text, "ALTER DATABASE %s SET default_transaction_read_only = on", database);
	sql(text);
	refuses_role("broker1", true, 0, "read-only");
}
END_TEST

// ------------------------------------------------------------------ the schema

START_TEST(migrates_once_also_when_two_do_it_together)
{
	char text[100];
	sql("DROP SCHEMA cpis CASCADE");
	refuses_role("broker1", true, 0, "migrate");
	pid_t children[4];
	for (size_t i = 0; i < 4; i++)
		if ((children[i] = fork()) == 0)
			_exit(migrate(database) ? EXIT_SUCCESS : EXIT_FAILURE);
	for (size_t i = 0; i < 4; i++) {
		int status = 1;
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_int_eq(status, 0);
	}
	snprintf(text, sizeof text, "1 to %d", STORE_POSTGRES_SCHEMA_GREATEST);
	ck_assert_str_eq(sql("SELECT min(number) || ' to ' || max(number) FROM cpis.migration"), text);
	first = open_one();
	append_and_commit(first, 0);
}
END_TEST

START_TEST(migrates_one_step_from_the_version_before)
{
	sql("DROP SCHEMA cpis CASCADE");
	ck_assert(migrate(database));
	sql("DROP TABLE cpis.revision, cpis.job; DROP FUNCTION cpis.rights_changed() CASCADE;"
	    "ALTER TABLE cpis.authority DROP COLUMN version; DELETE FROM cpis.migration WHERE number = 3");
	refuses_role("broker1", true, 0, "is of version 2");
	ck_assert(migrate(database));
	first = open_one();
	append_and_commit(first, 0);
	ck_assert(forbids("postgres", "DELETE FROM cpis.audit"));
}
END_TEST

START_TEST(a_newer_schema_is_neither_opened_nor_changed)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES];
	sql("INSERT INTO cpis.migration (number, name) VALUES (99, 'of a later program')");
	refuses_role("broker1", true, 0, "is of version 99");
	postgres_conninfo(&server, "migrator", database, conninfo);
	ck_assert_int_eq(store_postgres_migrate(conninfo, detail), STORE_FAILED);
	ck_assert_ptr_nonnull(strstr(detail, "version 99"));
}
END_TEST

START_TEST(a_broker_may_not_migrate)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES];
	postgres_conninfo(&server, "broker1", database, conninfo);
	ck_assert_int_eq(store_postgres_migrate(conninfo, detail), STORE_FAILED);
	ck_assert_ptr_nonnull(strstr(detail, "permission denied"));
}
END_TEST

// ------------------------------------------------------------------ what a commit means

START_TEST(is_not_opened_where_a_commit_would_not_last)
{
	char conninfo[POSTGRES_CONNINFO_BYTES + 40];
	refuses_role("broker1", false, 0, "synchronous_standby_names is empty");
	postgres_conninfo(&server, "broker1", database, conninfo);
	strcat(conninfo, " options='-c synchronous_commit=off'");
	struct store_postgres_options options = {.conninfo = conninfo, .broker = "one", .lone_server = true};
	refuses(&options, "synchronous_commit is off");
	postgres_configure(&server, "synchronous_standby_names", STANDBY);
	postgres_sql(&server, "postgres", "postgres", "ALTER ROLE broker2 SET synchronous_commit = local");
	refuses_role("broker2", false, 0, "does not wait for the second server");
	postgres_sql(&server, "postgres", "postgres", "ALTER ROLE broker2 RESET synchronous_commit");
}
END_TEST

START_TEST(nothing_is_committed_once_the_server_would_lose_it)
{
	first = open_one();
	append_and_commit(first, 0);
	postgres_configure(&server, "fsync", "off");
	begin(first);
	ck_assert_int_eq(append(first, 1), STORE_OK);
	commit_fails(first);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
	postgres_configure(&server, "fsync", "on");
	ck_assert_uint_eq(size_of(first), 1);
	append_and_commit(first, 1);
}
END_TEST

static void start_receiver(void)
{
	postgres_configure(&server, "synchronous_standby_names", STANDBY);
	receiver = postgres_receiver(&server, STANDBY);
	postgres_until(&server, "postgres", "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'");
}

static void stop_receiver(void)
{
	int status;
	ck_assert_int_eq(kill(receiver, SIGSTOP), 0);
	ck_assert(waitpid(receiver, &status, WUNTRACED) == receiver && WIFSTOPPED(status));
}

// On a busy machine the server may take longer than SHORT_MS though nothing is wrong with it: it is opened again until it was not.
static struct store *open_short(const char *role, const char *name, bool lone_server)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES];
	struct store *opened = NULL;
	postgres_conninfo(&server, role, database, conninfo);
	struct store_postgres_options options = {
		.conninfo = conninfo, .broker = name, .lone_server = lone_server, .shared = true, .timeout_ms = SHORT_MS};
	while (!try_open(&options, &opened, detail))
		continue;
	return opened;
}

// With a row of its own committed. Returns the next one's number.
static uint64_t open_short_with_a_row(void)
{
	for (;;) {
		struct store *patient = open_as("broker1", "one", false, 60000);
		uint64_t next = size_of(patient);
		patient->ops->close(patient);
		first = open_short("broker1", "one", false);
		if (first->ops->begin(first) == STORE_OK && append(first, next) == STORE_OK && first->ops->commit(first) == STORE_OK)
			return next + 1;
		first->ops->close(first);
		first = NULL;
	}
}

START_TEST(a_commit_that_the_second_server_does_not_confirm_is_not_acknowledged_and_not_guessed_at)
{
	start_receiver();
	uint64_t next = open_short_with_a_row();
	stop_receiver();
	begin(first);
	ck_assert_int_eq(append(first, next), STORE_OK);
	commit_fails(first);
	// Nothing can be read either, by which somebody might be told that it was there.
	uint64_t size;
	ck_assert_int_eq(first->ops->audit_size(first, &size), STORE_FAILED);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
	refuses_role("broker2", false, SHORT_MS, "in time");
	ck_assert_int_eq(kill(receiver, SIGCONT), 0);
	first->ops->close(first);
	first = open_as("broker1", "one", false, 60000);
	// It waited on, and was confirmed.
	ck_assert_uint_eq(size_of(first), next + 1);
	append_and_commit(first, next + 1);
}
END_TEST

// Whoever does this to a waiting commit makes the server say that it was done, with a warning.
static void break_off(const char *how)
{
	int status = 1;
	char text[300];
	snprintf(text, sizeof text,
		 "SELECT coalesce(bool_or(%s(pid)), false) FROM pg_stat_activity WHERE datname = '%s' AND wait_event = 'SyncRep'", how,
		 database);
	start_receiver();
	first = open_as("broker1", "one", false, 60000);
	append_and_commit(first, 0);
	stop_receiver();
	begin(first);
	ck_assert_int_eq(append(first, 1), STORE_OK);
	pid_t other = fork();
	if (other == 0) {
		postgres_until(&server, "postgres", text);
		_exit(EXIT_SUCCESS);
	}
	commit_fails(first);
	ck_assert(waitpid(other, &status, 0) == other && status == 0);
	// What it left is on one server only, until this: then it is on both.
	ck_assert_str_eq(sql("SELECT max(idx) FROM cpis.audit"), "1");
	ck_assert_int_eq(kill(receiver, SIGCONT), 0);
	ck_assert_uint_eq(size_of(first), 2);
	ck_assert_str_eq(sql("SELECT sent_lsn = flush_lsn FROM pg_stat_replication"), "t");
	append_and_commit(first, 2);
}

START_TEST(a_commit_whose_wait_was_cancelled_is_not_acknowledged)
{
	break_off("pg_cancel_backend");
}
END_TEST

START_TEST(a_commit_whose_session_was_ended_is_not_acknowledged)
{
	break_off("pg_terminate_backend");
}
END_TEST

// Released, and without a warning: the server stopped asking for a second one.
START_TEST(a_commit_during_which_the_second_server_was_given_up_is_not_acknowledged)
{
	int status = 1;
	start_receiver();
	first = open_as("broker1", "one", false, 60000);
	stop_receiver();
	begin(first);
	ck_assert_int_eq(append(first, 0), STORE_OK);
	pid_t other = fork();
	if (other == 0) {
		postgres_until(&server, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
		postgres_configure(&server, "synchronous_standby_names", "");
		_exit(EXIT_SUCCESS);
	}
	commit_fails(first);
	ck_assert(waitpid(other, &status, 0) == other && status == 0);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
}
END_TEST

// ------------------------------------------------------------------ lost connections

static void end_sessions(void)
{
	char text[200];
	snprintf(text, sizeof text, "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE datname = '%s' AND usename = 'broker1'",
		 database);
	ck_assert_str_eq(postgres_sql(&server, "postgres", "postgres", text), "1");
}

START_TEST(a_connection_that_was_lost_between_batches_is_made_anew)
{
	first = open_one();
	append_and_commit(first, 0);
	end_sessions();
	append_and_commit(first, 1);
	end_sessions();
	ck_assert_uint_eq(size_of(first), 2);
}
END_TEST

START_TEST(a_connection_that_is_lost_in_a_batch_loses_the_batch_and_no_more)
{
	uint64_t size;
	first = open_one();
	for (int queued = 0; queued < 2; queued++) {
		begin(first);
		ck_assert_int_eq(append(first, 0), STORE_OK);
		ck_assert_int_eq(first->ops->audit_size(first, &size), STORE_OK);
		ck_assert_uint_eq(size, 1);
		end_sessions();
		if (queued == 0)
			ck_assert_int_eq(first->ops->audit_size(first, &size), STORE_FAILED);
		commit_fails(first);
		ck_assert_uint_eq(size_of(first), 0);
	}
	append_and_commit(first, 0);
}
END_TEST

START_TEST(a_write_that_was_queued_fails_with_the_next_read)
{
	uint64_t open;
	first = open_one();
	begin(first);
	ck_assert_int_eq(put_item(first, 1), STORE_OK);
	ck_assert_int_eq(put_item(first, 1), STORE_OK);
	ck_assert_int_eq(put_plan(first, 1), STORE_OK);
	ck_assert_int_eq(first->ops->inbox_unacknowledged(first, STORE_BOX_NOTIFICATIONS, &leeds, &open), STORE_FAILED);
	ck_assert_int_eq(put_plan(first, 1), STORE_FAILED);
	commit_fails(first);
	ck_assert_int_eq(first->ops->inbox_unacknowledged(first, STORE_BOX_NOTIFICATIONS, &leeds, &open), STORE_OK);
	ck_assert_uint_eq(open, 0);
}
END_TEST

// ------------------------------------------------------------------ several brokers

START_TEST(brokers_share_all_but_their_logs)
{
	struct store_plan *plans;
	struct store_tag child = tag(7);
	size_t count;
	uint64_t id;
	const char *note;
	first = open_one();
	second = open_as("broker2", "two", true, 60000);
	append_and_commit(first, 0);
	append_and_commit(first, 1);
	append_and_commit(second, 0);
	begin(first);
	ck_assert_int_eq(put_plan(first, 1), STORE_OK);
	ck_assert_int_eq(put_item(first, 1), STORE_OK);
	ck_assert_int_eq(first->ops->checkpoint_put(first, "of one"), STORE_OK);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	ck_assert_uint_eq(size_of(first), 2);
	ck_assert_uint_eq(size_of(second), 1);
	ck_assert_int_eq(second->ops->plans_of(second, &child, 9, &arena, &plans, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(second->ops->inbox_next_id(second, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 2);
	ck_assert_int_eq(second->ops->checkpoint_get(second, &arena, &note), STORE_NOT_FOUND);
}
END_TEST

START_TEST(whoever_opened_a_log_last_has_it)
{
	first = open_one();
	append_and_commit(first, 0);
	begin(first);
	ck_assert_int_eq(put_plan(first, 1), STORE_OK); // queued: nothing holds the log yet
	second = open_as("broker2", "one", true, 60000);
	commit_fails(first);
	append_and_commit(second, 1);
	// Nor does it come back by connecting anew.
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
	append_and_commit(second, 2);
}
END_TEST

START_TEST(one_request_that_came_to_two_brokers_takes_effect_once)
{
	struct store_request request = {.key = tag(1), .expires_ms = 5000, .sealed = {(const uint8_t *)"first", 5}}, found;
	first = open_one();
	second = open_as("broker2", "two", true, 60000);
	begin(first);
	begin(second);
	ck_assert_int_eq(first->ops->request_get(first, &request.key, 1000, &arena, &found), STORE_NOT_FOUND);
	ck_assert_int_eq(second->ops->request_get(second, &request.key, 1000, &arena, &found), STORE_NOT_FOUND);
	ck_assert_int_eq(first->ops->request_put(first, &request), STORE_OK);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	ck_assert_int_eq(put_plan(second, 1), STORE_OK);
	ck_assert_int_eq(second->ops->request_put(second, &request), STORE_OK);
	commit_fails(second);
	begin(second);
	ck_assert_int_eq(second->ops->request_get(second, &request.key, 1000, &arena, &found), STORE_OK);
	second->ops->rollback(second);
	ck_assert_str_eq(sql("SELECT count(*) FROM cpis.plan"), "0");
}
END_TEST

static uint64_t revision(struct store *of)
{
	uint64_t number = 0;
	begin(of);
	ck_assert_int_eq(of->ops->revision(of, &number), STORE_OK);
	of->ops->rollback(of);
	return number;
}

static enum store_status hold_back(struct store *of)
{
	struct store_quarantine entry = {tag(1), 1, {(const uint8_t *)"entry", 5}};
	return of->ops->quarantine_put(of, &entry);
}

static enum store_status lift(struct store *of)
{
	struct store_tag target = tag(1);
	return of->ops->quarantine_delete(of, &target);
}

static enum store_status grant(struct store *of)
{
	struct store_role role = {tag(2), {(const uint8_t *)"role", 4}};
	return of->ops->role_put(of, &role);
}

static enum store_status invite(struct store *of)
{
	struct store_enrolment enrolment = {tag(3), tag(4), {(const uint8_t *)"code", 4}};
	return of->ops->enrolment_put(of, &enrolment);
}

static enum store_status withdraw(struct store *of)
{
	struct store_tag system = tag(3);
	return of->ops->enrolment_delete(of, &system);
}

static enum store_status put_in_force(struct store *of)
{
	return of->ops->policy_put(of, (struct store_blob){(const uint8_t *)"policy", 6});
}

START_TEST(a_broker_sees_that_another_has_changed_who_may_do_what)
{
	enum store_status (*const changes[])(struct store *) = {hold_back, lift, grant, invite, withdraw, put_in_force};
	first = open_one();
	second = open_as("broker2", "two", true, 60000);
	uint64_t before = revision(second);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		begin(first);
		ck_assert_int_eq(changes[i](first), STORE_OK);
		// Not before it is committed.
		ck_assert_uint_eq(revision(second), before);
		ck_assert_int_eq(first->ops->commit(first), STORE_OK);
		ck_assert_uint_ne(revision(second), before);
		before = revision(second);
	}
	begin(first);
	ck_assert_int_eq(put_plan(first, 1), STORE_OK);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	ck_assert_uint_eq(revision(second), before);
}
END_TEST

static enum store_status put_authority(struct store *of, uint64_t version)
{
	struct store_authority authority = {leeds, 1, 0, {(const uint8_t *)"state", 5}, version};
	return of->ops->authority_put(of, &authority);
}

static uint64_t authority_version(struct store *of)
{
	struct store_authority authority = {.version = 0};
	enum store_status status = of->ops->authority_get(of, &leeds, &arena, &authority);
	return status == STORE_OK ? authority.version : 0;
}

START_TEST(two_brokers_do_not_overwrite_what_both_have_read_of_an_authority)
{
	first = open_one();
	second = open_as("broker2", "two", true, 60000);
	// Both found none, and then both found the same.
	for (unsigned i = 0; i < 2; i++) {
		begin(first);
		begin(second);
		uint64_t read = authority_version(first);
		ck_assert_uint_eq(authority_version(second), read);
		ck_assert_uint_eq(read, i);
		ck_assert_int_eq(put_authority(first, read), STORE_OK);
		// In one batch it is what that batch made of it.
		ck_assert_uint_eq(authority_version(first), read + 1);
		ck_assert_int_eq(first->ops->commit(first), STORE_OK);
		ck_assert_int_eq(put_authority(second, read), STORE_OK);
		commit_fails(second);
	}
	begin(second);
	ck_assert_int_eq(put_authority(second, authority_version(second)), STORE_OK);
	ck_assert_int_eq(second->ops->commit(second), STORE_OK);
	begin(first);
	ck_assert_uint_eq(authority_version(first), 3);
}
END_TEST

START_TEST(one_broker_at_once_does_what_is_due_by_time)
{
	bool claimed = false;
	first = open_one();
	second = open_as("broker2", "two", true, 60000);
	begin(first);
	ck_assert_int_eq(first->ops->claim_jobs(first, &claimed), STORE_OK);
	ck_assert(claimed);
	begin(second);
	ck_assert_int_eq(second->ops->claim_jobs(second, &claimed), STORE_OK);
	ck_assert(!claimed);
	// The other does not wait, and what it has to do besides is done.
	ck_assert_int_eq(put_plan(second, 1), STORE_OK);
	ck_assert_int_eq(second->ops->commit(second), STORE_OK);
	first->ops->rollback(first);
	begin(second);
	ck_assert_int_eq(second->ops->claim_jobs(second, &claimed), STORE_OK);
	ck_assert(claimed);
	second->ops->rollback(second);
}
END_TEST

START_TEST(an_inboxs_numbers_are_given_in_the_order_of_commits)
{
	uint64_t id;
	first = open_one();
	second = open_short("broker2", "two", true);
	begin(first);
	ck_assert_int_eq(first->ops->inbox_next_id(first, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 1);
	ck_assert_int_eq(put_item(first, id), STORE_OK);
	// It would wait until it is known whether there is a 1.
	ck_assert(second->ops->begin(second) != STORE_OK ||
		  second->ops->inbox_next_id(second, STORE_BOX_NOTIFICATIONS, &leeds, &id) == STORE_FAILED);
	second->ops->close(second);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	second = open_as("broker2", "two", true, 60000);
	begin(second);
	ck_assert_int_eq(second->ops->inbox_next_id(second, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 2);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *const tests[], size_t count)
{
	TCase *group = tcase_create(name);
	tcase_add_checked_fixture(group, start, stop);
	tcase_set_timeout(group, 120);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(group, tests[i]);
	suite_add_tcase(suite, group);
}

int main(void)
{
	const TTest *const rights[] = {a_broker_can_neither_change_nor_remove_nor_forge_what_is_in_the_log,
				       nor_can_the_owner_without_taking_the_triggers_off, is_not_opened_as_a_role_that_could,
				       does_not_go_on_when_its_own_row_is_gone};
	const TTest *const connecting[] = {
		goes_on_to_the_next_host, refuses_a_connection_that_is_not_verified_unless_it_stays_on_the_machine,
		refuses_what_the_environment_would_say_in_its_place, a_connection_string_says_which_ports_and_files_it_leads_to,
		does_not_ask_for_it_on_the_machine_itself, refuses_a_name_that_is_empty_or_too_long,
		refuses_a_server_that_takes_no_writes};
	const TTest *const schema[] = {migrates_once_also_when_two_do_it_together, migrates_one_step_from_the_version_before,
				       a_newer_schema_is_neither_opened_nor_changed, a_broker_may_not_migrate};
	const TTest *const commits[] = {is_not_opened_where_a_commit_would_not_last, nothing_is_committed_once_the_server_would_lose_it,
					a_commit_that_the_second_server_does_not_confirm_is_not_acknowledged_and_not_guessed_at,
					a_commit_whose_wait_was_cancelled_is_not_acknowledged,
					a_commit_whose_session_was_ended_is_not_acknowledged,
					a_commit_during_which_the_second_server_was_given_up_is_not_acknowledged};
	const TTest *const losses[] = {a_connection_that_was_lost_between_batches_is_made_anew,
				       a_connection_that_is_lost_in_a_batch_loses_the_batch_and_no_more,
				       a_write_that_was_queued_fails_with_the_next_read};
	const TTest *const brokers[] = {brokers_share_all_but_their_logs, a_broker_sees_that_another_has_changed_who_may_do_what,
					two_brokers_do_not_overwrite_what_both_have_read_of_an_authority,
					one_broker_at_once_does_what_is_due_by_time, whoever_opened_a_log_last_has_it,
					one_request_that_came_to_two_brokers_takes_effect_once,
					an_inboxs_numbers_are_given_in_the_order_of_commits};
	Suite *suite = suite_create("store_postgres");
#define ADD(group) add(suite, #group, group, sizeof group / sizeof group[0])
	ADD(rights);
	ADD(connecting);
	ADD(schema);
	ADD(commits);
	ADD(losses);
	ADD(brokers);
#undef ADD
	postgres_start(&server, NULL);
	if (!migrate("template"))
		return EXIT_FAILURE;
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&server);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
