// How a front ends: killed, stopped, without its keeper, and in order, with a word for those who ask meanwhile.
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/clock.h"
#include "tests/harness/process_tree.h"
#include "tests/unit/broker/real_front.h"

START_TEST(the_front_stands_behind_the_core_when_the_processor_is_short)
{
	pid_t front_pid = process_child(process_child(getpid()));
	ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t)front_pid), getpriority(PRIO_PROCESS, 0) + 5);
}
END_TEST

START_TEST(a_front_that_dies_is_started_again_where_it_was)
{
	// As libzmq does it, as its sandbox and as the kernel that is short of memory. A SIGSEGV sanitizers would take for a find.
	static const int signals[] = {SIGABRT, SIGSYS, SIGKILL};
	char endpoint[TRANSPORT_ENDPOINT_BYTES];
	pid_t keeper = process_child(getpid());
	snprintf(endpoint, sizeof endpoint, "%s", front_endpoint(front, LISTENER_CURRENT));
	for (unsigned i = 0; i < 3; i++) {
		struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
		assert_answers(client, "before");
		kill(process_child(keeper), signals[i]);
		ck_assert_int_eq(raw_curve_wait_closed(client, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
		raw_curve_close(client);
		echo_until_restarts(i + 1);
		ck_assert_str_eq(front_endpoint(front, LISTENER_CURRENT), endpoint);
		assert_works();
	}
	// Its counts are asked for once a second.
	while (front_read_counters(front).zap.admitted == 0)
		echo(20, NULL);
}
END_TEST

START_TEST(a_front_that_says_nothing_any_more_is_ended_and_started_again)
{
	assert_works();
	kill(process_child(process_child(getpid())), SIGSTOP);
	echo_until_restarts(1);
	assert_works();
}
END_TEST

START_TEST(without_its_keeper_it_is_lost)
{
	pid_t keeper = process_child(getpid()), process = process_child(keeper);
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	kill(keeper, SIGKILL);
	while (!front_is_lost(front)) {
		echo(20, NULL);
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	}
	// The front has gone with it.
	while (process_parent(process) != 0)
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
}
END_TEST

static void pause_front(void)
{
	struct front_request request;
	front_pause(front, 500);
	while (!front_is_paused(front)) {
		front_wait(front, -1, 20);
		ck_assert(!front_receive(front, &request));
	}
}

START_TEST(who_asks_while_it_stops_is_told_to_go_elsewhere)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	assert_answers(client, "before");
	pause_front();
	ask(client, 7);
	assert_refused_as(client, &arena, "draining", 7);
	front_stop(front);
	ck_assert_int_eq(raw_curve_wait_closed(client, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	ck_assert_uint_eq(front_read_counters(front).zap.admitted, 2); // the self-test's, ours
	raw_curve_close(client);
	arena_done(&arena);
}
END_TEST

// Asked in one go and told so too: fewer than libzmq holds for one connection. FRONT_DRAIN_MAX is a multiple of it.
#define TOLD_AT_ONCE 512u

// Whoever asks without end does not keep the front from its own: the last is told, the next one is not, and it ends when it is to.
START_TEST(of_those_who_ask_while_it_stops_65536_are_told_and_then_nobody)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	uint8_t reply[1000];
	size_t bytes;
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	pause_front();
	for (unsigned told = 0; told < FRONT_DRAIN_MAX; told += TOLD_AT_ONCE) {
		for (unsigned i = 0; i < TOLD_AT_ONCE; i++)
			ask(client, (uint8_t)i);
		assert_refused_as(client, &arena, "draining", 0);
		for (unsigned i = 1; i < TOLD_AT_ONCE; i++)
			ck_assert_int_eq(raw_curve_receive(client, reply, sizeof reply, &bytes, EDGE_WAIT_MS), RAW_CURVE_OK);
	}
	for (unsigned i = 0; i < TOLD_AT_ONCE; i++)
		ask(client, 8);
	front_stop(front);
	ck_assert_int_eq(raw_curve_receive(client, reply, sizeof reply, &bytes, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	// It said so before it ended: it did not have to be ended.
	ck_assert_uint_eq(front_read_counters(front).zap.admitted, 2); // the self-test's, ours
	raw_curve_close(client);
	arena_done(&arena);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("front_ends");
	TCase *tests = tcase_create("tests");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up_open, tear_down);
	tcase_add_test(tests, the_front_stands_behind_the_core_when_the_processor_is_short);
	tcase_add_test(tests, a_front_that_dies_is_started_again_where_it_was);
	tcase_add_test(tests, a_front_that_says_nothing_any_more_is_ended_and_started_again);
	tcase_add_test(tests, without_its_keeper_it_is_lost);
	tcase_add_test(tests, who_asks_while_it_stops_is_told_to_go_elsewhere);
	tcase_add_test(tests, of_those_who_ask_while_it_stops_65536_are_told_and_then_nobody);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(int argc, char **argv)
{
	return run_front_tests(argc, argv, front_process_run, make_suite);
}
