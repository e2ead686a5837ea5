// What is PostgreSQL's own: who may do what, what is refused when it is opened, and the schema's versions. On a real server.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/postgres_stores.h"

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
		"INSERT INTO cpis.audit SELECT 0, salt, record, nodes, time_ms, organisation, subject, person FROM cpis.audit",
		"INSERT INTO cpis.audit SELECT idx + 2, salt, record, nodes, time_ms, organisation, subject, person FROM cpis.audit",
		"INSERT INTO cpis.audit SELECT * FROM cpis.audit ON CONFLICT (idx) DO UPDATE SET record = ''",
		"DELETE FROM cpis.checkpoint", "DELETE FROM cpis.audit_key", "UPDATE cpis.audit_key SET month = 1", "DELETE FROM cpis.inbox",
		"DELETE FROM cpis.turn", "DELETE FROM cpis.revision", "INSERT INTO cpis.migration VALUES (3, 'x')",
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
		{"host=/tmp password=x", "passfile"},
		{"postgresql://broker:secret@localhost/cpis", "passfile"},
		{"host=/tmp sslcrldir=/l", "sslcrl"},
		{"host=/tmp nothing=x", "cannot be read"},
	};
	char detail[STORE_DETAIL_BYTES];
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct store_postgres_options options = {.conninfo = refused[i].conninfo, .lone_server = true};
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
					      " sslcert=/c/client.pem sslkey=/k/client.key sslcrl=/l/crl.pem passfile=/p/pass", &reach, detail), STORE_OK);
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
	static const char *const variables[] = {"PGSERVICE", "PGHOSTADDR", "PGPASSWORD"};
	static const char *const words[] = {"PGSERVICE", "PGHOSTADDR", "passfile"};
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(setenv(variables[i], "192.0.2.1", 1), 0);
		struct store_postgres_options options = {.conninfo = "host=localhost", .lone_server = true};
		refuses(&options, words[i]);
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
		struct store_postgres_options options = {.conninfo = tried[i], .lone_server = true};
		refuses(&options, "connection: ");
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
	struct store_postgres_options options = {.conninfo = conninfo, .lone_server = true, .connect_timeout_ms = 300};
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
	sql("DROP FUNCTION cpis.audit_is_kept() CASCADE; DROP FUNCTION cpis.audit_is_next() CASCADE; DROP FUNCTION cpis.durable(boolean);"
	    "DELETE FROM cpis.migration WHERE number = 2");
	refuses_role("broker1", true, 0, "is of version 1");
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

int main(void)
{
	const TTest *const rights[] = {a_broker_can_neither_change_nor_remove_nor_forge_what_is_in_the_log,
				       nor_can_the_owner_without_taking_the_triggers_off, is_not_opened_as_a_role_that_could};
	const TTest *const connecting[] = {
		goes_on_to_the_next_host, refuses_a_connection_that_is_not_verified_unless_it_stays_on_the_machine,
		refuses_what_the_environment_would_say_in_its_place, a_connection_string_says_which_ports_and_files_it_leads_to,
		does_not_ask_for_it_on_the_machine_itself, refuses_a_server_that_takes_no_writes};
	const TTest *const schema[] = {migrates_once_also_when_two_do_it_together, migrates_one_step_from_the_version_before,
				       a_newer_schema_is_neither_opened_nor_changed, a_broker_may_not_migrate};
	Suite *suite = suite_create("store_postgres");
#define ADD(group) stores_add(suite, #group, group, sizeof group / sizeof group[0])
	ADD(rights);
	ADD(connecting);
	ADD(schema);
#undef ADD
	return stores_main(suite);
}
