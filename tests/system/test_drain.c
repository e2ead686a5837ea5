// SIGTERM under load: whatever was recorded is answered, the rest is told to go elsewhere, the exit is clean and
// nothing leaks.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define CHANNELS 4u
#define PINGS 400u
#define QUIET_MS 500

static struct world *world;

static void setup(void)
{
	world = world_new();
}

static void teardown(void)
{
	world_free(world);
}

// Without what the broker records by itself, of no organisation.
static unsigned records_in_database(void)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_open_v2(world_path(world, "store.db"), &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(handle, "SELECT count(*) FROM audit WHERE organisation <> ''", -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	unsigned count = (unsigned)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(handle);
	return count;
}

static void send_pings(struct channel *channel, unsigned count)
{
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	for (unsigned i = 0; i < count; i++)
		channel_send_request(channel, &request);
}

START_TEST(what_was_recorded_is_answered_and_the_rest_is_sent_elsewhere)
{
	struct channel *channels[CHANNELS];
	unsigned answered = CHANNELS, elsewhere = 0;
	// Nobody is to be turned away for another reason.
	world_configure(world, "busy_after_ms: 10000\nwaiting_per_system_max: 8192\n");
	world_start(world);
	for (size_t i = 0; i < CHANNELS; i++) {
		channels[i] = channel_open(world, world_path(world, "systems/hospital.key"));
		channel_reply_free(channel_ping(channels[i]));
	}
	for (size_t i = 0; i < CHANNELS; i++)
		send_pings(channels[i], PINGS);
	channel_reply_free(channel_next_reply(channels[0]));
	answered++;
	int status = world_stop(world);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	for (size_t i = 0; i < CHANNELS; i++) {
		struct channel_reply *reply;
		while ((reply = channel_poll_reply(channels[i], QUIET_MS)) != NULL) {
			if (reply->reply->outcome == CPIS__V1__OUTCOME__OK) {
				answered++;
			} else {
				ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
				ck_assert_str_eq(reply->reply->reason_code, "draining");
				ck_assert_uint_gt(reply->reply->retry_after_ms, 0);
				elsewhere++;
			}
			channel_reply_free(reply);
		}
		channel_close(channels[i]);
	}
	printf("%u answered, %u sent elsewhere, of %u\n", answered, elsewhere, CHANNELS * (PINGS + 1));
	ck_assert_uint_eq(answered, records_in_database());
	ck_assert_ptr_nonnull(strstr(world_log(world), " drained "));
	ck_assert_ptr_nonnull(strstr(world_log(world), " stopped "));
}
END_TEST

START_TEST(the_endpoint_file_goes_with_the_broker)
{
	world_start(world);
	ck_assert_int_eq(access(world_path(world, "endpoint"), F_OK), 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_ne(access(world_path(world, "endpoint"), F_OK), 0);
}
END_TEST

START_TEST(interrupt_stops_it_as_well)
{
	int status = 0;
	world_start(world);
	kill(world_broker_pid(world), SIGINT);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert_int_eq(status, 0);
}
END_TEST

// valgrind cannot run what is built with ThreadSanitizer.
#ifndef __SANITIZE_THREAD__
// What a session does: publish, look, refuse, list, acknowledge, search, revoke.
static void one_session(void)
{
	char child[11], start[11];
	world_nhs_number(0, child);
	world_date(0, 2, start);
	struct cpis_client *leeds = world_sign_in(world, "leeds"), *nurse = world_sign_in(world, "nurse"),
			   *receptionist = world_sign_in(world, "receptionist");
	const Cpis__V1__CareSetting emergency = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, start));
	cpis_reply_free(world_flag(nurse, child, emergency));
	cpis_reply_free(world_details(nurse, child, emergency, CPIS__V1__ACCESS_TYPE__UNSCHEDULED));
	cpis_reply_free(world_flag(receptionist, child, emergency));
	const Cpis__V1__Reply *inbox = world_inbox(leeds, 0, false);
	ck_assert_uint_eq(inbox->inbox_list->n_items, 1);
	cpis_reply_free(inbox);
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "staff/nurse.pem"));
	world_wait_log(world, mark, "register_loaded");
	cpis_reply_free(world_flag(nurse, child, emergency));
	cpis_close(leeds);
	cpis_close(nurse);
	cpis_close(receptionist);
}

START_TEST(nothing_leaks_over_a_session_and_a_drain)
{
#ifdef __SANITIZE_ADDRESS__
	// LeakSanitizer is in the program itself: its findings make the exit status.
	world_start(world);
#else
	static const char *const valgrind[] = {"valgrind",
					       "--quiet",
					       "--leak-check=full",
					       "--errors-for-leak-kinds=definite,indirect",
					       "--show-leak-kinds=definite,indirect",
					       "--error-exitcode=9",
					       NULL};
	world_end_sandbox(world);
	world_start_under(world, valgrind);
#endif
	one_session();
	int status = world_stop(world);
	ck_assert_msg(status == 0, "status %d\n%s", status, world_log(world));
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("drain");
	TCase *tests = tcase_create("drain");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_was_recorded_is_answered_and_the_rest_is_sent_elsewhere);
	tcase_add_test(tests, the_endpoint_file_goes_with_the_broker);
	tcase_add_test(tests, interrupt_stops_it_as_well);
#ifndef __SANITIZE_THREAD__
	tcase_add_test(tests, nothing_leaks_over_a_session_and_a_drain);
#endif
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
