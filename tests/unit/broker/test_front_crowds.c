// More than a front can hold: messages, systems, connections, a message without end. Who goes too far is refused, and who works goes on.
#include <poll.h>
#include <string.h>
#include <sys/resource.h>

#include "broker/clock.h"
#include "broker/process.h"
#include "proto/wire.h"
#include "tests/unit/broker/real_front.h"

START_TEST(what_is_more_than_may_wait_is_refused_at_once_while_the_core_does_nothing)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	struct arena arena;
	struct attempt taken[4];
	const unsigned held = 2 * BATCH + 50; // that the core is given ahead, and that may wait for one system
	ck_assert(arena_init(&arena, ARENA_BYTES));
	for (unsigned i = 0; i < held + 10; i++)
		ask(client, (uint8_t)i);
	for (unsigned i = 0; i < 10; i++)
		assert_refused_as(client, &arena, "busy", (uint8_t)(held + i));
	// The core looks again: all that waited is there, and the others are counted.
	unsigned answered = 0;
	while (answered < held)
		answered += echo(20, NULL);
	ck_assert_uint_eq(answered, held);
	unsigned counted = 0;
	while (counted < 10) {
		echo(20, NULL);
		for (size_t n = attempts_take(attempts, clock_monotonic_ms(), true, 4, taken); n > 0; n--) {
			ck_assert_int_eq(taken[n - 1].reason, REASON_BUSY);
			ck_assert_ptr_nonnull(strstr(taken[n - 1].examples, "key "));
			counted += (unsigned)taken[n - 1].count;
		}
	}
	ck_assert_uint_eq(counted, 10);
	raw_curve_close(client);
	arena_done(&arena);
}
END_TEST

// Each asks so often that of those who are refused there are more than the front keeps apart, whoever comes first.
#define CROWD 100u
#define ASKED_BY_EACH 4u
#define CROWD_REFUSED (CROWD * ASKED_BY_EACH - 2u * BATCH - 100u)
_Static_assert(CROWD_REFUSED / ASKED_BY_EACH > FRONT_BUSY_SYSTEMS_MAX, "too few are refused");

// Systems beside those that are enrolled: each is let in as the hospital is.
static void enrol_crowd(struct curve_key_pair crowd[CROWD])
{
	size_t bytes, entry_bytes;
	const uint8_t *entries = admission_bytes(enrolment->admission, &bytes);
	static uint8_t more[(CROWD + ENROLMENT_SYSTEMS) * 256];
	entry_bytes = bytes / ENROLMENT_SYSTEMS;
	ck_assert_uint_le(entry_bytes, 256);
	memcpy(more, entries, bytes);
	for (unsigned i = 0; i < CROWD; i++) {
		uint8_t *at = more;
		ck_assert_int_eq(curve_key_generate(&crowd[i]), CERTS_OK);
		// An entry begins with its key, and they are in the order of keys.
		while (at < more + bytes && memcmp(at, crowd[i].public_key, KEY_BYTES) < 0)
			at += entry_bytes;
		memmove(at + entry_bytes, at, (size_t)(more + bytes - at));
		bytes += entry_bytes;
		const uint8_t *hospital = entries;
		while (memcmp(hospital, enrolment->keys[ENROLMENT_HOSPITAL].public_key, KEY_BYTES) != 0)
			hospital += entry_bytes;
		memcpy(at, hospital, entry_bytes);
		memcpy(at, crowd[i].public_key, KEY_BYTES);
	}
	struct admission *admission = admission_of_bytes(more, bytes);
	ck_assert_ptr_nonnull(admission);
	front_set_admission(front, admission);
	admission_release(admission);
}

// The core does nothing meanwhile. Whose messages they are depends on whose were read first.
static void assert_crowd_is_refused(struct raw_curve *crowd[CROWD])
{
	struct pollfd items[CROWD];
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	for (unsigned i = 0; i < CROWD; i++)
		items[i] = (struct pollfd){.fd = raw_curve_socket(crowd[i]), .events = POLLIN};
	for (unsigned told = 0; told < CROWD_REFUSED;) {
		ck_assert_int_gt(poll(items, CROWD, EDGE_WAIT_MS), 0);
		for (unsigned i = 0; i < CROWD; i++)
			if (items[i].revents != 0) {
				assert_refused_as(crowd[i], &arena, "busy", 1);
				told++;
			}
	}
	arena_done(&arena);
}

// Of more systems than the front keeps apart each refusal is told and counted; only a name is missing.
START_TEST(of_more_than_64_systems_that_are_refused_at_once_each_is_told_and_counted)
{
	static struct curve_key_pair keys[CROWD];
	struct raw_curve *crowd[CROWD];
	struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_CURRENT),
					    .server_public = enrolment->broker.public_key};
	struct attempt taken[4];
	unsigned counted = 0;
	enrol_crowd(keys);
	for (unsigned i = 0; i < CROWD; i++) {
		options.public_key = keys[i].public_key;
		options.secret_key = keys[i].secret_key;
		crowd[i] = edge_connect_with(&options);
	}
	for (unsigned i = 0; i < CROWD * ASKED_BY_EACH; i++)
		ask(crowd[i % CROWD], 1);
	assert_crowd_is_refused(crowd);
	while (counted < CROWD_REFUSED) {
		echo(20, NULL);
		for (size_t n = attempts_take(attempts, clock_monotonic_ms(), true, 4, taken); n > 0; n--)
			counted += taken[n - 1].reason == REASON_BUSY ? (unsigned)taken[n - 1].count : 0;
	}
	ck_assert_uint_eq(counted, CROWD_REFUSED);
	ck_assert_uint_eq(front_restarts(front), 0);
	for (unsigned i = 0; i < CROWD; i++)
		raw_curve_close(crowd[i]);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// libzmq keeps what is unfinished, whatever its limits say. Only the process can be ended.
START_TEST(a_message_without_end_ends_the_front_and_nothing_else)
{
	static uint8_t frame[60000];
	struct raw_curve *client = connect_as(ENROLMENT_LEEDS);
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (raw_curve_send(client, frame, sizeof frame, true, EDGE_WAIT_MS) == RAW_CURVE_OK)
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	raw_curve_close(client);
	echo_until_restarts(1);
	assert_works();
}
END_TEST
#endif

#define FEW_DESCRIPTORS 256u
#define TOO_MANY 400u

// Whoever opens connections and says nothing costs a descriptor each; those that are over go, and not the one that works.
START_TEST(idle_connections_do_not_take_the_last_descriptor)
{
	const struct rlimit few = {FEW_DESCRIPTORS, 4096}, many = {4096, 4096};
	struct raw_curve *idle[TOO_MANY];
	struct raw_curve_options options = {.server_public = enrolment->broker.public_key,
					    .public_key = enrolment->stranger.public_key,
					    .secret_key = enrolment->stranger.secret_key};
	ck_assert_int_eq(prlimit(0, RLIMIT_NOFILE, &few, NULL), 0);
	ck_assert_msg(open_front("tcp://127.0.0.1:*", NULL), "%s", detail);
	ck_assert_int_eq(prlimit(0, RLIMIT_NOFILE, &many, NULL), 0);
	options.endpoint = front_endpoint(front, LISTENER_CURRENT);
	struct raw_curve *working = connect_as(ENROLMENT_HOSPITAL);
	for (unsigned i = 0; i < TOO_MANY; i++) {
		options.stop = i % 2 == 0 ? RAW_CURVE_STOP_CONNECTED : RAW_CURVE_STOP_HELLO;
		// One that has to wait for a descriptor is answered when others have been cut off.
		(void)raw_curve_open(&options, EDGE_WAIT_MS, &idle[i]);
		if (i % 50 == 0)
			assert_answers(working, "working");
	}
	assert_answers(working, "working");
	assert_works();
	ck_assert_uint_eq(front_restarts(front), 0);
	for (unsigned i = 0; i < TOO_MANY; i++)
		raw_curve_close(idle[i]);
	raw_curve_close(working);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("front_crowds");
	TCase *opened = tcase_create("opened"), *closed = tcase_create("closed");
	tcase_set_timeout(opened, 120);
	tcase_add_checked_fixture(opened, set_up_open, tear_down);
	tcase_add_test(opened, what_is_more_than_may_wait_is_refused_at_once_while_the_core_does_nothing);
	tcase_add_test(opened, of_more_than_64_systems_that_are_refused_at_once_each_is_told_and_counted);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(opened, a_message_without_end_ends_the_front_and_nothing_else);
#endif
	suite_add_tcase(suite, opened);
	tcase_set_timeout(closed, 120);
	tcase_add_checked_fixture(closed, set_up, tear_down);
	tcase_add_test(closed, idle_connections_do_not_take_the_last_descriptor);
	suite_add_tcase(suite, closed);
	return suite;
}

int main(int argc, char **argv)
{
	return run_front_tests(argc, argv, front_process_run, make_suite);
}
