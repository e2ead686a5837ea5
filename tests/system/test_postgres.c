// The broker on a PostgreSQL of Debian's package, inside its sandbox: the main job, a database that cuts it off, and two brokers before
// one database.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/postgres.h"
#include "tests/harness/world.h"
#include "tests/harness/world_brokers.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_plans.h"

enum { RETRY = 2 }; // cpis's exit code

static struct postgres postgres;
static struct world *world;
static char child[11], conninfo[POSTGRES_CONNINFO_BYTES];

static int broker(const char *option, const char *argument)
{
	char program[4200];
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	const char *const command[] = {program, option, argument, NULL};
	return world_command(world, command);
}

static void setup(void)
{
	char migrator[POSTGRES_CONNINFO_BYTES];
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	postgres_conninfo(&postgres, "broker1", "cpis", conninfo);
	world_nhs_number(0, child);
	world = world_new();
	world_use_postgres(world, conninfo);
	ck_assert_msg(broker("--migrate", migrator) == 0, "%s", world_err(world));
}

static void teardown(void)
{
	world_free(world);
	postgres_remove_database(&postgres, "cpis");
}

static void assert_looks(void)
{
	ck_assert_msg(world_cpis(world, "nurse", "query", "--details", child, NULL) == 0, "%s", world_err(world));
	ck_assert_ptr_nonnull(strstr(world_out(world), "0113 496 0000"));
}

// Whether any row of any table has it, as text or among bytes, which are shown in hexadecimal.
static void assert_rows_with(const char *text, bool wanted)
{
	char sql[800];
	snprintf(sql, sizeof sql,
		 "SELECT sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM cpis.%%I AS r WHERE strpos(r::text, %%L) > 0"
		 " OR strpos(r::text, %%L) > 0', tablename, '%s', encode('%s', 'hex')), false, true, '')))[1]::text::bigint) > 0"
		 " FROM pg_tables WHERE schemaname = 'cpis'", text, text);
	ck_assert_msg(strcmp(postgres_sql(&postgres, "postgres", "cpis", sql), wanted ? "t" : "f") == 0, "%s", text);
}

START_TEST(the_main_job_is_done_and_outlives_the_broker)
{
	world_start(world);
#ifndef CPIS_SANITIZED
	ck_assert_ptr_nonnull(strstr(world_log(world), "the core's system calls limited by seccomp"));
#endif
	world_publish_child(world, child);
	assert_looks();
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), child));
	world_kill(world);
	world_start(world);
	assert_looks();
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), world_person("nurse")->uid));
	ck_assert_int_eq(world_stop(world), 0);
	// Nothing was made where the file would be.
	ck_assert_int_ne(access(world_path(world, "store.db"), F_OK), 0);
	// Of what was published and asked only this is there to be read: whose records they are.
	assert_rows_with(child, false);
	assert_rows_with("EXAMPLE", false);
	assert_rows_with("0113 496 0000", false);
	assert_rows_with(world_person("nurse")->uid, false);
	assert_rows_with("RXH", true);
}
END_TEST

// The connection is made anew, with the certificates and hosts that the sandbox lets it have.
START_TEST(a_database_that_cuts_the_broker_off_is_come_back_to)
{
	static const char cut[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'broker1'";
	world_start(world);
	world_publish_child(world, child);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_str_eq(postgres_sql(&postgres, "postgres", "postgres", cut), "1");
		assert_looks();
	}
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(without_the_database_nobody_is_answered)
{
	static const char cut[] = "ALTER DATABASE cpis ALLOW_CONNECTIONS false;"
				  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'broker1'";
	world_start(world);
	world_publish_child(world, child);
	assert_looks();
	postgres_sql(&postgres, "postgres", "postgres", cut);
	ck_assert_int_eq(world_cpis(world, "nurse", "--timeout", "1500", "query", "--details", child, NULL), RETRY);
	ck_assert_ptr_null(strstr(world_out(world), "0113 496 0000"));
	postgres_sql(&postgres, "postgres", "postgres", "ALTER DATABASE cpis ALLOW_CONNECTIONS true");
	int code;
	while ((code = world_cpis(world, "nurse", "query", "--details", child, NULL)) == RETRY)
		;
	ck_assert_int_eq(code, 0);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

// ------------------------------------------------------------------ two brokers

static Cpis__V1__Outcome look(struct cpis_client *client)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = child;
	details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	const Cpis__V1__Reply *reply = world_call(client, &request);
	Cpis__V1__Outcome outcome = reply->outcome;
	if (outcome == CPIS__V1__OUTCOME__OK)
		ck_assert_uint_eq(reply->details->n_plans, 1);
	cpis_reply_free(reply);
	return outcome;
}

// What one broker is told, the other goes by from its next batch on, without being told.
START_TEST(two_brokers_before_one_database_share_plans_inboxes_and_who_is_held_back)
{
	char second[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&postgres, "broker2", "cpis", second);
	struct world_broker *other = world_broker_new(world, "second-broker");
	world_broker_use_postgres(other, second);
	world_start(world);
	world_broker_start(other);
	world_publish_child(world, child);
	struct cpis_client *nurse = world_broker_sign_in(other, "nurse");
	ck_assert_int_eq(look(nurse), CPIS__V1__OUTCOME__OK);
	// Leeds takes at the first what was put in at the second.
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), child));
	ck_assert_msg(world_cpis(world, "registrar", "quarantine", "set", "--organisation", "RXH", "--reason", "its network was broken into", NULL) == 0, "%s",
		      world_err(world));
	ck_assert_int_ne(look(nurse), CPIS__V1__OUTCOME__OK);
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "lift", "--organisation", "RXH", "--reason", "its network was broken into", NULL),
			 0);
	ck_assert_int_eq(look(nurse), CPIS__V1__OUTCOME__OK);
	cpis_close(nurse);
	world_broker_stop(other);
	ck_assert_int_eq(world_stop(world), 0);
	world_broker_free(other);
}
END_TEST

// Takes what there is, or waits for it. Whether this member of staff is among those who looked.
static bool take(struct cpis_client *client, const char *looked, uint32_t wait_ms)
{
	Cpis__V1__InboxTakeRequest body = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.limit = 100;
	body.lease_ms = 3600000;
	body.wait_ms = wait_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &body;
	const Cpis__V1__Reply *reply = NULL;
	bool found = false;
	ck_assert_int_eq(cpis_call(client, &request, 60000, &reply), CPIS_OK);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	for (size_t i = 0; i < reply->inbox_take->n_items; i++) {
		const Cpis__V1__InboxItem *item = reply->inbox_take->items[i];
		found = found || (item->kind_case == CPIS__V1__INBOX_ITEM__KIND_ACCESS && strcmp(item->access->access->name, looked) == 0);
	}
	cpis_reply_free(reply);
	return found;
}

// What one records is in the other's history of the child and in the one log, which both go on with; whoever waits at the one is told of
// what comes in at the other.
START_TEST(two_brokers_have_one_log_one_history_and_one_inbox)
{
	char second[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&postgres, "broker2", "cpis", second);
	struct world_broker *other = world_broker_new(world, "second-broker");
	world_broker_use_postgres(other, second);
	world_start(world);
	world_broker_start(other);
	world_publish_child(world, child);
	struct cpis_client *nurses[] = {world_sign_in(world, "nurse"), world_broker_sign_in(other, "nurse")};
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_eq(look(nurses[i % 2]), CPIS__V1__OUTCOME__OK);
	cpis_close(nurses[0]);
	cpis_close(nurses[1]);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, "--json", NULL), 0);
	size_t found = 0;
	for (const char *at = world_out(world); (at = strstr(at, world_person("nurse")->uid)) != NULL; at++)
		found++;
	ck_assert_msg(found >= 6, "%s", world_out(world));
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	ck_assert(take(leeds, world_person("nurse")->name, 0));
	pid_t midwife = fork();
	if (midwife == 0) {
		struct cpis_client *client = world_broker_sign_in(other, "midwife");
		_exit(look(client) == CPIS__V1__OUTCOME__OK ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	// Whether it is there already or comes while this waits: long before the wait ends, when it would be looked for once more.
	int status = 1;
	alarm(30);
	ck_assert(take(leeds, world_person("midwife")->name, 55000));
	alarm(0);
	ck_assert(waitpid(midwife, &status, 0) == midwife && status == 0);
	cpis_close(leeds);
	world_broker_stop(other);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_str_eq(postgres_sql(&postgres, "postgres", "cpis", "SELECT count(*) = max(idx) + 1 FROM cpis.audit"), "t");
	world_broker_free(other);
}
END_TEST

START_TEST(what_is_a_files_is_refused_with_a_sentence)
{
	static const char *const options[] = {"--rebuild-search", "--missing"};
	const char *config = world_path(world, "broker.yaml");
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(broker(options[i], config), RETRY);
		ck_assert_ptr_nonnull(strstr(world_err(world), "store_postgres"));
	}
	char program[4200];
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	static const char *const copies[] = {"--backup", "--restore"};
	for (unsigned i = 0; i < 2; i++) {
		const char *const command[] = {program, copies[i], config, world_path(world, "copy.db"), NULL};
		ck_assert_int_eq(world_command(world, command), RETRY);
		ck_assert_ptr_nonnull(strstr(world_err(world), "store_postgres"));
	}
}
END_TEST

START_TEST(a_database_without_tables_ends_the_start)
{
	int status;
	postgres_sql(&postgres, "postgres", "cpis", "DROP SCHEMA cpis CASCADE");
	world_spawn(world);
	ck_assert(world_wait_exit(world, 30000, &status));
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	ck_assert_ptr_nonnull(strstr(world_log(world), "migrate them first"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("postgres");
	TCase *tests = tcase_create("postgres");
	postgres_start(&postgres, NULL);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_main_job_is_done_and_outlives_the_broker);
	tcase_add_test(tests, a_database_that_cuts_the_broker_off_is_come_back_to);
	tcase_add_test(tests, without_the_database_nobody_is_answered);
	tcase_add_test(tests, two_brokers_before_one_database_share_plans_inboxes_and_who_is_held_back);
	tcase_add_test(tests, two_brokers_have_one_log_one_history_and_one_inbox);
	tcase_add_test(tests, what_is_a_files_is_refused_with_a_sentence);
	tcase_add_test(tests, a_database_without_tables_ends_the_start);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&postgres);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
