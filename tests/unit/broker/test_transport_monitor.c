// What libzmq turns away by itself is counted under its reason, by real connections; what comes in is not.
#include "broker/transport_monitor.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/clock.h"
#include "tests/harness/edge.h"

#define MAX 16
#define LOOK_MS 5

static struct edge *edge;
static struct attempts *attempts;
static uint64_t counts[REASONS]; // all that was counted so far
static char examples[REASONS][TEXT_BYTES_MAX];

static void set_up(void)
{
	attempts = attempts_new();
	edge = edge_new();
	edge_start_context(edge);
	edge_start_handler(edge);
	zap_set_attempts(edge->zap, attempts);
	edge->attempts = attempts;
	edge_open_transport(edge);
	memset(counts, 0, sizeof counts);
}

static void tear_down(void)
{
	edge_free(edge);
	attempts_free(attempts);
}

static void count(void)
{
	struct attempt taken[MAX];
	for (size_t i = attempts_take(attempts, 0, true, MAX, taken); i > 0; i--) {
		counts[taken[i - 1].reason] += taken[i - 1].count;
		memcpy(examples[taken[i - 1].reason], taken[i - 1].examples, sizeof examples[0]);
	}
}

static uint64_t total(void)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < REASONS; i++)
		sum += counts[i];
	return sum;
}

// Until this many of the reason were counted.
static void wait_for(enum reason reason, uint64_t number)
{
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	for (count(); counts[reason] < number && clock_monotonic_ms() < until_ms; count())
		transport_wait(NULL, 0, -1, 0, LOOK_MS);
	ck_assert_msg(counts[reason] == number, "%s: %llu of %llu", reason_word(reason), (unsigned long long)counts[reason],
		      (unsigned long long)number);
}

// The socket goes; whatever has happened is counted by then.
static void end_counting(void)
{
	transport_close(edge->transport);
	edge->transport = NULL;
	count();
}

static void try(const struct raw_curve_options *options, enum raw_curve_result expected)
{
	ck_assert_int_eq(edge_try(options, EDGE_WAIT_MS, NULL), expected);
}

static struct raw_curve_options hospital(void)
{
	return edge_options(edge, &edge->enrolment->keys[ENROLMENT_HOSPITAL]);
}

static void send_plain_and_wait(const char *bytes, size_t bytes_count)
{
	struct raw_curve_options options = hospital();
	struct raw_curve *client;
	options.stop = RAW_CURVE_STOP_CONNECTED;
	ck_assert_int_eq(raw_curve_open(&options, EDGE_WAIT_MS, &client), RAW_CURVE_STOPPED);
	ck_assert_int_eq(raw_curve_send_plain(client, bytes, bytes_count, EDGE_WAIT_MS), RAW_CURVE_OK);
	ck_assert_int_eq(raw_curve_wait_closed(client, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	raw_curve_close(client);
}

START_TEST(honest_connections_are_not_counted)
{
	for (int i = 0; i < 20; i++) {
		edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
		// Nor one that comes and goes without a word, nor one that is torn.
		raw_curve_close(edge_connect(edge, ENROLMENT_LEEDS));
		raw_curve_reset(edge_connect(edge, ENROLMENT_LEEDS));
	}
	end_counting();
	ck_assert_uint_eq(total(), 0);
}
END_TEST

static const struct {
	const char *mechanism;
	uint8_t version;
	enum reason reason;
} downgrades[] = {
	{"NULL", 3, REASON_HANDSHAKE_MECHANISM},   {"PLAIN", 3, REASON_HANDSHAKE_MECHANISM},
	{"", 3, REASON_HANDSHAKE_MECHANISM},       {"CURVE2", 3, REASON_HANDSHAKE_MECHANISM},
	{"NULL", 2, REASON_HANDSHAKE_MECHANISM}, // no protocol has this number
	{"NULL", 1, REASON_HANDSHAKE_PROTOCOL},  // ZMTP 2.0
};

START_TEST(another_mechanism_or_an_older_protocol_is_counted_as_such)
{
	struct raw_curve_options options = hospital();
	options.mechanism = downgrades[_i].mechanism;
	options.version = downgrades[_i].version;
	for (int i = 0; i < 3; i++)
		try(&options, RAW_CURVE_CLOSED);
	wait_for(downgrades[_i].reason, 3);
	end_counting();
	ck_assert_uint_eq(total(), 3);
	ck_assert_ptr_nonnull(strstr(examples[downgrades[_i].reason], "at tcp://127.0.0.1:"));
}
END_TEST

START_TEST(what_is_not_zeromq_at_all_is_counted)
{
	send_plain_and_wait("\1\0\3\0hi", 6);
	send_plain_and_wait("GET / HTTP/1.0\r\n\r\n", 18);
	wait_for(REASON_HANDSHAKE_PROTOCOL, 2);
	end_counting();
	ck_assert_uint_eq(total(), 2);
}
END_TEST

START_TEST(a_key_without_its_secret_and_another_brokers_key_are_counted)
{
	struct raw_curve_options options = hospital();
	options.secret_key = edge->enrolment->stranger.secret_key;
	try(&options, RAW_CURVE_CLOSED);
	wait_for(REASON_HANDSHAKE_SECRET, 1);
	options = hospital();
	options.server_public = edge->enrolment->stranger.public_key;
	try(&options, RAW_CURVE_CLOSED);
	wait_for(REASON_HANDSHAKE_SECRET, 2);
	end_counting();
	ck_assert_uint_eq(total(), 2);
}
END_TEST

START_TEST(a_handshake_of_other_bytes_is_counted)
{
	struct raw_curve_options options = hospital();
	struct raw_curve *client;
	options.stop = RAW_CURVE_STOP_GREETING;
	ck_assert_int_eq(raw_curve_open(&options, EDGE_WAIT_MS, &client), RAW_CURVE_STOPPED);
	ck_assert_int_eq(raw_curve_send_plain(client, "\4\10\5OTHER12", 10, EDGE_WAIT_MS), RAW_CURVE_OK);
	ck_assert_int_eq(raw_curve_wait_closed(client, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	raw_curve_close(client);
	wait_for(REASON_HANDSHAKE_MALFORMED, 1);
	end_counting();
	ck_assert_uint_eq(total(), 1);
}
END_TEST

// libzmq would keep such a connection for ever, since the monitor's event takes the error away that ends it.
START_TEST(other_bytes_after_the_handshake_end_the_connection)
{
	enum { TIMES = 20 };
	for (int i = 0; i < TIMES; i++) {
		struct raw_curve *client = edge_connect(edge, ENROLMENT_HOSPITAL);
		// So long no other event comes: libzmq looks into the monitor's queue again, and finds nothing there.
		transport_wait(NULL, 0, -1, 0, LOOK_MS);
		ck_assert_int_eq(raw_curve_send_plain(client, "\0\10\5OTHER12", 10, EDGE_WAIT_MS), RAW_CURVE_OK);
		ck_assert_int_eq(raw_curve_wait_closed(client, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
		raw_curve_close(client);
	}
	wait_for(REASON_HANDSHAKE_MALFORMED, TIMES);
	end_counting();
	ck_assert_uint_eq(total(), TIMES);
}
END_TEST

START_TEST(half_a_handshake_is_counted)
{
	for (enum raw_curve_stop stop = RAW_CURVE_STOP_CONNECTED; stop <= RAW_CURVE_STOP_HELLO; stop++) {
		struct raw_curve_options options = hospital();
		options.stop = stop;
		try(&options, RAW_CURVE_STOPPED);
		wait_for(REASON_HANDSHAKE_UNFINISHED, (uint64_t)stop);
	}
	end_counting();
	ck_assert_uint_eq(total(), RAW_CURVE_STOP_HELLO);
}
END_TEST

START_TEST(a_refused_key_is_counted_once_with_its_first_bytes_and_its_address)
{
	const uint8_t *key = edge->enrolment->stranger.public_key;
	struct raw_curve_options options = edge_options(edge, &edge->enrolment->stranger);
	char expected[ATTEMPT_EXAMPLE_BYTES];
	edge_assert_refused(&options, "400");
	edge_assert_refused(&options, "400");
	wait_for(REASON_HANDSHAKE_KEY, 2);
	end_counting();
	ck_assert_uint_eq(total(), 2);
	snprintf(expected, sizeof expected, "key %02x%02x%02x%02x from 127.0.0.1", key[0], key[1], key[2], key[3]);
	ck_assert_str_eq(examples[REASON_HANDSHAKE_KEY], expected);
}
END_TEST

// Whatever else goes on at the same time, nothing is counted that was not, and what is counted under its own reason is
// counted whole.
START_TEST(among_others_handshakes_nothing_is_counted_that_was_not_tried)
{
	enum { ROUNDS = 30 };
	struct raw_curve_options null = hospital(), old = hospital(), stranger = edge_options(edge, &edge->enrolment->stranger);
	struct raw_curve *clients[ROUNDS];
	null.mechanism = "NULL";
	old.mechanism = "NULL";
	old.version = 1;
	for (int i = 0; i < ROUNDS; i++) {
		clients[i] = edge_connect(edge, ENROLMENT_HOSPITAL);
		try(&null, RAW_CURVE_CLOSED);
		try(&old, RAW_CURVE_CLOSED);
		edge_assert_refused(&stranger, "400");
		if (i % 3 == 0)
			raw_curve_close(edge_connect(edge, ENROLMENT_LEEDS));
	}
	for (int i = 0; i < ROUNDS; i++)
		raw_curve_close(clients[i]);
	wait_for(REASON_HANDSHAKE_MECHANISM, ROUNDS);
	wait_for(REASON_HANDSHAKE_KEY, ROUNDS);
	end_counting();
	ck_assert_uint_le(counts[REASON_HANDSHAKE_PROTOCOL], ROUNDS);
	ck_assert_uint_gt(counts[REASON_HANDSHAKE_PROTOCOL], 0);
	ck_assert_uint_eq(total(), 2 * ROUNDS + counts[REASON_HANDSHAKE_PROTOCOL]);
}
END_TEST

// libzmq's threads wait for a monitor that does not keep up. This one does: more events than any of libzmq's queues has room
// for, and the door stays open.
START_TEST(a_flood_of_failures_keeps_nobody_out)
{
	enum { FLOOD = 3000 };
	struct raw_curve_options options = hospital();
	options.stop = RAW_CURVE_STOP_CONNECTED;
	for (int i = 0; i < FLOOD; i++)
		try(&options, RAW_CURVE_STOPPED);
	edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
	wait_for(REASON_HANDSHAKE_UNFINISHED, FLOOD);
}
END_TEST

START_TEST(a_socket_is_closed_in_the_middle_of_a_flood)
{
	struct raw_curve *clients[50];
	struct raw_curve_options options = hospital();
	options.stop = RAW_CURVE_STOP_GREETING;
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(raw_curve_open(&options, EDGE_WAIT_MS, &clients[i]), RAW_CURVE_STOPPED);
	for (int i = 0; i < 25; i++)
		raw_curve_reset(clients[i]);
	end_counting();
	for (int i = 25; i < 50; i++)
		raw_curve_close(clients[i]);
	// And another one after it.
	edge_open_transport(edge);
	edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transport_monitor");
	TCase *tests = tcase_create("transport_monitor");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, honest_connections_are_not_counted);
	tcase_add_loop_test(tests, another_mechanism_or_an_older_protocol_is_counted_as_such, 0,
			    (int)(sizeof downgrades / sizeof downgrades[0]));
	tcase_add_test(tests, what_is_not_zeromq_at_all_is_counted);
	tcase_add_test(tests, a_key_without_its_secret_and_another_brokers_key_are_counted);
	tcase_add_test(tests, a_handshake_of_other_bytes_is_counted);
	tcase_add_test(tests, other_bytes_after_the_handshake_end_the_connection);
	tcase_add_test(tests, half_a_handshake_is_counted);
	tcase_add_test(tests, a_refused_key_is_counted_once_with_its_first_bytes_and_its_address);
	tcase_add_test(tests, among_others_handshakes_nothing_is_counted_that_was_not_tried);
	tcase_add_test(tests, a_flood_of_failures_keeps_nobody_out);
	tcase_add_test(tests, a_socket_is_closed_in_the_middle_of_a_flood);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
