// Clients that run for long exchange checkpoints as well, and stop when the log turns out to be two.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/world_client.h"
#include "tests/harness/world_process.h"

#define PROOF_FAILED 4

static struct world *world;

static void setup(void)
{
	world = world_new();
	world_start(world);
}

static void teardown(void)
{
	world_free(world);
}

static void copy_store(const char *from, const char *to)
{
	const char *const arguments[] = {"cp", world_path(world, "%s", from), world_path(world, "%s", to), NULL};
	ck_assert_int_eq(world_command(world, arguments), 0);
}

// Until the log has an exchange of this organisation's.
static void wait_for_exchange(const char *organisation)
{
	uint64_t end_ms = world_monotonic_ms() + WORLD_WAIT_MS;
	do {
		ck_assert(world_monotonic_ms() < end_ms);
		ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--organisation", organisation, "--operation",
					    "checkpoint_exchange", "--json", NULL),
				 0);
	} while (strstr(world_out(world), "CHECKPOINT_EXCHANGE") == NULL);
}

START_TEST(a_follower_exchanges_while_it_follows)
{
	char number[11];
	struct cpis_client *leeds = world_sign_in(world, "leeds"), *nurse = world_sign_in(world, "nurse");
	world_nhs_number(0, number);
	cpis_reply_free(world_publish(world, leeds, "383", number, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	cpis_reply_free(world_details(nurse, number, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, CPIS__V1__ACCESS_TYPE__UNSCHEDULED));
	cpis_close(leeds);
	cpis_close(nurse);
	// It held nothing when it connected, so it was not due before the loop.
	ck_assert_int_ne(access(world_path(world, "profiles/leeds_duty.checkpoint"), F_OK), 0);
	ck_assert_int_eq(world_cpis(world, "leeds_duty", "inbox", "follow", "--count", "1", NULL), 0);
	ck_assert_int_eq(access(world_path(world, "profiles/leeds_duty.checkpoint.exchange"), F_OK), 0);
	wait_for_exchange("383");
}
END_TEST

START_TEST(a_responder_exchanges_and_does_not_go_on_with_another_log)
{
	struct world_process process = {0};
	char csv[256];
	snprintf(csv, sizeof csv, "%s", world_path(world, "neighbour.csv"));
	world_write_file(csv, "nhs_number,plan_type,start_date,end_date,organisation,authority,emergency_duty_telephone,"
			      "office_hours_telephone\n");
	ck_assert_int_eq(world_stop(world), 0);
	copy_store("store.db", "copy.db");
	world_start(world);
	world_start_neighbour(world, &process, csv);
	wait_for_exchange("W00");
	ck_assert_int_eq(world_process_end(world, &process, SIGTERM), 0);
	ck_assert_int_eq(world_stop(world), 0);
	copy_store("copy.db", "store.db");
	unlink(world_path(world, "store.db-wal"));
	unlink(world_path(world, "store.db-shm"));
	world_start(world);
	// Longer than what the responder holds, and another.
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	for (unsigned i = 0; i < 60; i++)
		cpis_reply_free(world_flag(nurse, "9990000018", CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT));
	cpis_close(nurse);
	world_process_start(world, &process, "cpis-responder", "--profile", world_path(world, "profiles/neighbour.yaml"), "--range",
			    WORLD_NEIGHBOUR_RANGE, csv, NULL);
	int status = world_process_wait_exit(world, &process);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), PROOF_FAILED);
	char *said = world_read_file(process.log, NULL);
	ck_assert_ptr_nonnull(strstr(said, "does not begin with"));
	free(said);
	// Started again, it hands in what it holds before anything else.
	long mark = world_log_mark(world);
	world_process_start(world, &process, "cpis-responder", "--profile", world_path(world, "profiles/neighbour.yaml"), "--range",
			    WORLD_NEIGHBOUR_RANGE, csv, NULL);
	ck_assert_int_eq(WEXITSTATUS(world_process_wait_exit(world, &process)), PROOF_FAILED);
	world_wait_log(world, mark, "log_forked");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gossip_long");
	TCase *tests = tcase_create("gossip_long");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_follower_exchanges_while_it_follows);
	tcase_add_test(tests, a_responder_exchanges_and_does_not_go_on_with_another_log);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
