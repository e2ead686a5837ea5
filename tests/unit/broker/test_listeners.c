// The broker's sockets together: whose message came on which, whose turn it is, how short strangers are held, and that the
// enrolment endpoint is opened anew when they take up too much.
#include "broker/listeners.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/clock.h"
#include "tests/harness/edge.h"

static struct edge *edge; // its enrolment, context and handler; the sockets are the listeners'
static struct listeners *listeners;
static struct attempts *attempts;
static struct curve_key_pair next_key;

static bool open_listeners(const char *enrolment_endpoint)
{
	struct listeners_options options = {
		.context = edge->context,
		.zap = edge->zap,
		.attempts = attempts,
		.endpoints = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*", enrolment_endpoint},
		.keys = {&edge->enrolment->broker, &next_key, &edge->enrolment->broker},
	};
	return listeners_open(&options, &listeners, edge->detail);
}

static void set_up(void)
{
	const struct zap_limits limits = {.connections_max = 64,
					  .connections_per_system_max = 64,
					  .enrolling_connections_max = LISTENERS_ENROLLING_MAX};
	edge = edge_new();
	edge_start_context(edge);
	ck_assert(zap_start(edge->context, edge->enrolment->admission, &limits, &edge->zap));
	ck_assert_int_eq(curve_key_generate(&next_key), CERTS_OK);
	attempts = attempts_new();
	ck_assert_ptr_nonnull(attempts);
	ck_assert_msg(open_listeners("tcp://127.0.0.1:*"), "%s", edge->detail);
}

static void tear_down(void)
{
	listeners_close(listeners);
	listeners = NULL;
	edge_free(edge);
	attempts_free(attempts);
}

static struct raw_curve *connect_to(enum listener which, const struct curve_key_pair *key)
{
	struct raw_curve_options options = {
		.endpoint = listeners_endpoint(listeners, which),
		.server_public = which == LISTENER_NEXT ? next_key.public_key : edge->enrolment->broker.public_key,
		.public_key = key->public_key,
		.secret_key = key->secret_key,
	};
	return edge_connect_with(&options);
}

// Whatever comes next on any of them, within the number that a second allows.
static bool receive(struct listeners_message *ret, int timeout_ms)
{
	uint64_t until_ms = clock_monotonic_ms() + (uint64_t)timeout_ms;
	for (;;) {
		uint64_t now_ms = clock_monotonic_ms();
		if (listeners_receive(listeners, ret) || listeners_receive_enrolling(listeners, now_ms, ret))
			return true;
		if (now_ms >= until_ms)
			return false;
		listeners_wait(listeners, -1, 0, now_ms, (int)(until_ms - now_ms));
	}
}

static struct listeners_peer expect(enum listener from, const char *text)
{
	struct listeners_message message;
	ck_assert(receive(&message, EDGE_WAIT_MS));
	ck_assert_int_eq(message.from, from);
	ck_assert_uint_eq(message.message.bytes, strlen(text));
	ck_assert_mem_eq(message.message.data, text, strlen(text));
	transport_message_done(&message.message);
	return listeners_peer_of(&message);
}

START_TEST(a_reply_leaves_by_the_socket_that_its_request_came_in_on)
{
	const struct curve_key_pair *hospital = &edge->enrolment->keys[ENROLMENT_HOSPITAL];
	static const char *const words[LISTENERS] = {"current", "next", "enrolment"};
	struct raw_curve *clients[LISTENERS];
	struct listeners_peer peers[LISTENERS];
	for (enum listener i = 0; i < LISTENERS; i++) {
		clients[i] = connect_to(i, hospital);
		edge_say(clients[i], words[i]);
		peers[i] = expect(i, words[i]);
	}
	for (enum listener i = 0; i < LISTENERS; i++)
		ck_assert(listeners_send(listeners, &peers[i], (const uint8_t *)words[i], strlen(words[i])));
	for (enum listener i = 0; i < LISTENERS; i++) {
		edge_assert_hears(clients[i], words[i]);
		raw_curve_close(clients[i]);
	}
}
END_TEST

START_TEST(a_handle_is_worth_something_on_the_kind_of_socket_it_was_given_out_for)
{
	uint8_t key[KEY_BYTES];
	struct raw_curve *next = connect_to(LISTENER_NEXT, &edge->enrolment->keys[ENROLMENT_HOSPITAL]);
	struct raw_curve *stranger = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	edge_say(next, "next");
	struct listeners_peer peer = expect(LISTENER_NEXT, "next");
	ck_assert(zap_lookup(edge->zap, ZAP_SYSTEMS, peer.peer.handle, key));
	ck_assert(!zap_lookup(edge->zap, ZAP_ENROLLING, peer.peer.handle, key));
	edge_say(stranger, "stranger");
	peer = expect(LISTENER_ENROLMENT, "stranger");
	ck_assert(!zap_lookup(edge->zap, ZAP_SYSTEMS, peer.peer.handle, key));
	ck_assert(zap_lookup(edge->zap, ZAP_ENROLLING, peer.peer.handle, key));
	ck_assert_mem_eq(key, edge->enrolment->stranger.public_key, KEY_BYTES);
	raw_curve_close(next);
	raw_curve_close(stranger);
}
END_TEST

START_TEST(strangers_are_let_in_on_the_enrolment_endpoint_only)
{
	for (enum listener i = 0; i < LISTENER_ENROLMENT; i++) {
		struct raw_curve_options options = {
			.endpoint = listeners_endpoint(listeners, i),
			.server_public = i == LISTENER_NEXT ? next_key.public_key : edge->enrolment->broker.public_key,
			.public_key = edge->enrolment->stranger.public_key,
			.secret_key = edge->enrolment->stranger.secret_key,
		};
		edge_assert_refused(&options, "400");
	}
}
END_TEST

// Waits until nothing more can be on its way: a message on another socket that was sent later has come.
static void settle(struct raw_curve *current)
{
	struct listeners_message message;
	edge_say(current, "settled");
	do {
		listeners_wait(listeners, -1, 0, clock_monotonic_ms(), EDGE_WAIT_MS);
	} while (!listeners_receive(listeners, &message));
	transport_message_done(&message.message);
}

START_TEST(what_comes_on_current_and_next_is_all_read)
{
	struct raw_curve *clients[2] = {connect_to(LISTENER_CURRENT, &edge->enrolment->keys[ENROLMENT_LEEDS]),
					connect_to(LISTENER_NEXT, &edge->enrolment->keys[ENROLMENT_LEEDS])};
	unsigned count[2] = {0};
	for (int i = 0; i < 40; i++)
		edge_say(clients[i % 2], "message");
	for (int i = 0; i < 40; i++) {
		struct listeners_message message;
		ck_assert(receive(&message, EDGE_WAIT_MS));
		transport_message_done(&message.message);
		ck_assert_int_lt(message.from, LISTENER_ENROLMENT);
		count[message.from]++;
	}
	ck_assert_uint_eq(count[0], 20);
	ck_assert_uint_eq(count[1], 20);
	raw_curve_close(clients[0]);
	raw_curve_close(clients[1]);
}
END_TEST

START_TEST(so_many_messages_of_strangers_are_read_in_a_second_and_the_rest_waits)
{
	struct listeners_message message;
	struct raw_curve *current = connect_to(LISTENER_CURRENT, &edge->enrolment->keys[ENROLMENT_HOSPITAL]);
	struct raw_curve *strangers[2 * LISTENERS_ENROLLING_PER_SECOND];
	const unsigned count = sizeof strangers / sizeof strangers[0];
	for (unsigned i = 0; i < count; i++) {
		strangers[i] = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
		edge_say(strangers[i], "let me in");
	}
	settle(current);
	// The clock is the caller's.
	uint64_t now_ms = clock_monotonic_ms() + 10000, until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	unsigned read = 0;
	while (read < LISTENERS_ENROLLING_PER_SECOND) {
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
		if (!listeners_receive_enrolling(listeners, now_ms, &message))
			continue;
		transport_message_done(&message.message);
		read++;
	}
	ck_assert(!listeners_receive_enrolling(listeners, now_ms, &message));
	ck_assert(!listeners_receive_enrolling(listeners, now_ms + 999, &message));
	// Whoever is known is not made to wait by them.
	edge_say(current, "urgent");
	while (!listeners_receive(listeners, &message)) {
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
		listeners_wait(listeners, -1, 0, now_ms, EDGE_WAIT_MS);
	}
	transport_message_done(&message.message);
	now_ms += 1000;
	for (read = 0; read < count - LISTENERS_ENROLLING_PER_SECOND;) {
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
		if (!listeners_receive_enrolling(listeners, now_ms, &message))
			continue;
		transport_message_done(&message.message);
		read++;
	}
	for (unsigned i = 0; i < count; i++)
		raw_curve_close(strangers[i]);
	raw_curve_close(current);
}
END_TEST

static bool is_closed(void *client)
{
	return raw_curve_wait_closed(client, 1) == RAW_CURVE_CLOSED;
}

// Reads so many messages as a second allows, in a second of the caller's own.
static void read_a_second(struct raw_curve *stranger, uint64_t now_ms)
{
	struct listeners_message message;
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	for (unsigned read = 0; read < LISTENERS_ENROLLING_PER_SECOND; read++) {
		edge_say(stranger, "let me in");
		while (!listeners_receive_enrolling(listeners, now_ms, &message))
			ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
		transport_message_done(&message.message);
	}
}

START_TEST(after_ten_seconds_of_too_much_all_are_cut_off)
{
	struct raw_curve *stranger = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	uint64_t now_ms = clock_monotonic_ms() + 10000;
	// A second that is not used up breaks the row.
	for (unsigned i = 0; i < 2 * LISTENERS_ENROLLING_BUSY_S - 2; i++, now_ms += 1000) {
		if (i == LISTENERS_ENROLLING_BUSY_S - 1)
			now_ms += 1000;
		read_a_second(stranger, now_ms);
		listeners_tend(listeners, now_ms);
		ck_assert_ptr_nonnull(listeners_endpoint(listeners, LISTENER_ENROLMENT));
	}
	read_a_second(stranger, now_ms);
	now_ms += 1000;
	// The next second begins with the next look.
	struct listeners_message message;
	ck_assert(!listeners_receive_enrolling(listeners, now_ms, &message));
	listeners_tend(listeners, now_ms);
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (!is_closed(stranger))
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	raw_curve_close(stranger);
}
END_TEST

START_TEST(waiting_for_the_next_second_does_not_spin)
{
	struct listeners_message message;
	struct raw_curve *stranger = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	uint64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + EDGE_WAIT_MS;
	for (unsigned i = 0; i < LISTENERS_ENROLLING_PER_SECOND;) {
		edge_say(stranger, "let me in");
		while (!listeners_receive_enrolling(listeners, now_ms, &message))
			ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
		transport_message_done(&message.message);
		i++;
	}
	edge_say(stranger, "one more");
	uint64_t before_ms = clock_monotonic_ms();
	listeners_wait(listeners, -1, 0, now_ms, 300);
	ck_assert_uint_ge(clock_monotonic_ms() - before_ms, 250);
	raw_curve_close(stranger);
}
END_TEST

static void tend_until(bool (*done)(void *context), void *context)
{
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (!done(context)) {
		uint64_t now_ms = clock_monotonic_ms();
		ck_assert_uint_lt(now_ms, until_ms);
		listeners_tend(listeners, now_ms);
		listeners_wait(listeners, -1, 0, now_ms, 10);
	}
}

static bool is_open(void *context)
{
	(void)context;
	return listeners_endpoint(listeners, LISTENER_ENROLMENT) != NULL;
}

START_TEST(when_too_many_have_come_all_are_cut_off_and_the_next_finds_it_open)
{
	char endpoint[TRANSPORT_ENDPOINT_BYTES];
	struct raw_curve *current = connect_to(LISTENER_CURRENT, &edge->enrolment->keys[ENROLMENT_HOSPITAL]);
	struct raw_curve *first = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	snprintf(endpoint, sizeof endpoint, "%s", listeners_endpoint(listeners, LISTENER_ENROLMENT));
	for (unsigned i = 1; i < LISTENERS_ENROLLING_MAX; i++)
		raw_curve_close(connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger));
	ck_assert(zap_enrolling_is_full(edge->zap));
	tend_until(is_closed, first);
	tend_until(is_open, NULL);
	ck_assert_str_eq(listeners_endpoint(listeners, LISTENER_ENROLMENT), endpoint);
	ck_assert(!zap_enrolling_is_full(edge->zap));
	struct raw_curve *again = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	edge_say(again, "here I am");
	expect(LISTENER_ENROLMENT, "here I am");
	edge_say(current, "still here");
	expect(LISTENER_CURRENT, "still here");
	raw_curve_close(first);
	raw_curve_close(again);
	raw_curve_close(current);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(whoever_sends_a_message_without_end_is_cut_off_before_the_memory_is_gone)
{
	static uint8_t frame[4000];
	struct raw_curve *stranger = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	uint64_t sent = 0, until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	// 64 MiB, and what may be on its way between two looks.
	while (raw_curve_send(stranger, frame, sizeof frame, true, EDGE_WAIT_MS) == RAW_CURVE_OK) {
		sent += sizeof frame;
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
		listeners_tend(listeners, clock_monotonic_ms());
	}
	// Each frame takes up more than what is in it.
	ck_assert_uint_gt(sent, LISTENERS_ENROLLING_GROWTH_BYTES / 16);
	ck_assert_uint_lt(sent, 16 * (uint64_t)LISTENERS_ENROLLING_GROWTH_BYTES);
	raw_curve_close(stranger);
	tend_until(is_open, NULL);
	stranger = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	edge_say(stranger, "sorry");
	expect(LISTENER_ENROLMENT, "sorry");
	raw_curve_close(stranger);
}
END_TEST
#endif

START_TEST(a_long_message_of_a_stranger_closes_its_own_connection)
{
	static uint8_t message[5000];
	struct raw_curve *stranger = connect_to(LISTENER_ENROLMENT, &edge->enrolment->stranger);
	ck_assert_int_eq(raw_curve_send(stranger, message, sizeof message, false, EDGE_WAIT_MS), RAW_CURVE_OK);
	ck_assert_int_eq(raw_curve_wait_closed(stranger, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	raw_curve_close(stranger);
}
END_TEST

START_TEST(an_address_that_somebody_has_is_told_apart_from_one_that_cannot_be)
{
	struct listeners *running = listeners;
	ck_assert(!open_listeners(listeners_endpoint(running, LISTENER_CURRENT)));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_msg(strstr(edge->detail, "cannot be bound") != NULL, "%s", edge->detail);
	ck_assert(!open_listeners("tcp://nowhere:1:2"));
	ck_assert_int_ne(errno, EADDRINUSE);
	listeners = running;
}
END_TEST

START_TEST(without_an_enrolment_endpoint_there_is_none)
{
	struct listeners_message message;
	listeners_close(listeners);
	ck_assert_msg(open_listeners(NULL), "%s", edge->detail);
	ck_assert_ptr_null(listeners_endpoint(listeners, LISTENER_ENROLMENT));
	ck_assert(!listeners_receive_enrolling(listeners, clock_monotonic_ms(), &message));
	listeners_tend(listeners, clock_monotonic_ms());
	ck_assert_ptr_null(listeners_endpoint(listeners, LISTENER_ENROLMENT));
	listeners_close(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listeners");
	TCase *tests = tcase_create("listeners");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 180);
	tcase_add_test(tests, a_reply_leaves_by_the_socket_that_its_request_came_in_on);
	tcase_add_test(tests, a_handle_is_worth_something_on_the_kind_of_socket_it_was_given_out_for);
	tcase_add_test(tests, strangers_are_let_in_on_the_enrolment_endpoint_only);
	tcase_add_test(tests, what_comes_on_current_and_next_is_all_read);
	tcase_add_test(tests, so_many_messages_of_strangers_are_read_in_a_second_and_the_rest_waits);
	tcase_add_test(tests, after_ten_seconds_of_too_much_all_are_cut_off);
	tcase_add_test(tests, waiting_for_the_next_second_does_not_spin);
	tcase_add_test(tests, when_too_many_have_come_all_are_cut_off_and_the_next_finds_it_open);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(tests, whoever_sends_a_message_without_end_is_cut_off_before_the_memory_is_gone);
#endif
	tcase_add_test(tests, a_long_message_of_a_stranger_closes_its_own_connection);
	tcase_add_test(tests, an_address_that_somebody_has_is_told_apart_from_one_that_cannot_be);
	tcase_add_test(tests, without_an_enrolment_endpoint_there_is_none);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
