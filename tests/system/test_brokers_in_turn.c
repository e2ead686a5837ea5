// Scenarios that were written for one broker, each step of them at another of two before one PostgreSQL: what the one was told, recorded,
// found and answered is the other's too (tests/harness/stage_brokers.h). Not those that make the store fail, which is one core's.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/store_postgres.h"
#include "tests/harness/postgres.h"
#include "tests/harness/stage_brokers.h"

static const struct {
	const char *program, *group; // NULL: all of it
} scenarios[] = {
	{"test_detection", "rules"}, {"test_publication", NULL}, {"test_retries", NULL},
	{"test_audit_search", NULL}, {"test_roles", NULL},	 {"test_contacts", NULL},
	{"test_browser_acts", NULL}, {"test_signing_out", "sign_out"},
};
#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])

static struct postgres server;

static void run(const char *program, const char *group)
{
	char path[4200];
	const char *build = getenv("BUILD");
	snprintf(path, sizeof path, "%s/tests/scenario/%s", build == NULL ? "build" : build, program);
	if (group == NULL || setenv("CK_RUN_CASE", group, 1) == 0)
		execl(path, path, (char *)NULL);
	perror(path);
	_exit(EXIT_FAILURE);
}

START_TEST(a_scenario_holds_at_two_brokers_that_are_asked_in_turn)
{
	int status = 1;
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		run(scenarios[_i].program, scenarios[_i].group);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "%s", scenarios[_i].program);
}
END_TEST

int main(void)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "", place[60];
	Suite *suite = suite_create("brokers_in_turn");
	TCase *tests = tcase_create("brokers_in_turn");
	tcase_set_timeout(tests, 200);
	tcase_add_loop_test(tests, a_scenario_holds_at_two_brokers_that_are_asked_in_turn, 0, SCENARIOS);
	suite_add_tcase(suite, tests);
	postgres_start(&server, NULL);
	postgres_conninfo(&server, "migrator", "template", conninfo);
	if (store_postgres_migrate(conninfo, detail) != STORE_OK) {
		fprintf(stderr, "%s\n", detail);
		return EXIT_FAILURE;
	}
	snprintf(place, sizeof place, "%s %u", server.directory, server.port);
	if (setenv(STAGE_BROKERS_VARIABLE, place, 1) != 0)
		return EXIT_FAILURE;
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&server);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
