// What gets through the network edge once a client is in, and whom it harms, over real sockets.
#include "broker/transport.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "broker/clock.h"
#include "proto/limits.h"
#include "tests/harness/edge.h"

static struct edge *edge;

static void set_up(void)
{
	edge = edge_new();
	edge_start_context(edge);
	edge_start_handler(edge);
	edge_open_transport(edge);
}

static void tear_down(void)
{
	edge_free(edge);
}

// ------------------------------------------------------------------ what gets through

START_TEST(delivers_a_message_of_65503_bytes_and_closes_only_the_connection_that_sends_65504)
{
	static uint8_t data[MESSAGE_BYTES_MAX + 1];
	struct transport_message message;
	struct raw_curve *large = edge_connect(edge, ENROLMENT_LEEDS),
			 *other = edge_connect(edge, ENROLMENT_HOSPITAL);
	memset(data, 'x', sizeof data);
	ck_assert_int_eq(raw_curve_send(large, data, MESSAGE_BYTES_MAX, false, EDGE_WAIT_MS), RAW_CURVE_OK);
	ck_assert(edge_receive(edge, &message, EDGE_WAIT_MS));
	ck_assert_uint_eq(message.bytes, MESSAGE_BYTES_MAX);
	ck_assert_mem_eq(message.data, data, MESSAGE_BYTES_MAX);
	transport_message_done(&message);
	(void)raw_curve_send(large, data, MESSAGE_BYTES_MAX + 1, false, EDGE_WAIT_MS);
	ck_assert_int_eq(raw_curve_wait_closed(large, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	edge_say(other, "not me");
	struct transport_peer peer = edge_expect(edge, "not me");
	ck_assert(edge_reply(edge, &peer, "reply"));
	edge_assert_hears(other, "reply");
	ck_assert_uint_eq(transport_read_counters(edge->transport).received, 2);
	raw_curve_close(large);
	raw_curve_close(other);
}
END_TEST

START_TEST(closes_only_the_connection_that_sends_garbage)
{
	struct raw_curve *other = edge_connect(edge, ENROLMENT_HOSPITAL),
			 *garbage = edge_connect(edge, ENROLMENT_LEEDS);
	ck_assert_int_eq(raw_curve_send_plain(garbage, "\0\52\7MESSAGE0123456789012345678901234567890123", 44,
					      EDGE_WAIT_MS),
			 RAW_CURVE_OK);
	ck_assert_int_eq(raw_curve_wait_closed(garbage, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	edge_say(other, "not me");
	(void)edge_expect(edge, "not me");
	raw_curve_close(garbage);
	raw_curve_close(other);
}
END_TEST

START_TEST(an_empty_message_is_a_message)
{
	struct raw_curve *client = edge_connect(edge, ENROLMENT_LEEDS);
	edge_say(client, "");
	struct transport_peer peer = edge_expect(edge, "");
	edge_assert_named(edge, &peer, ENROLMENT_LEEDS);
	ck_assert(edge_reply(edge, &peer, ""));
	edge_assert_hears(client, "");
	raw_curve_close(client);
}
END_TEST

START_TEST(drops_and_counts_messages_of_more_frames_than_one_and_others_go_on)
{
	struct raw_curve *multipart = edge_connect(edge, ENROLMENT_LEEDS),
			 *other = edge_connect(edge, ENROLMENT_HOSPITAL);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(raw_curve_send(multipart, "", 0, true, EDGE_WAIT_MS), RAW_CURVE_OK);
		ck_assert_int_eq(raw_curve_send(multipart, "second", 6, true, EDGE_WAIT_MS), RAW_CURVE_OK);
		edge_say(multipart, "third");
	}
	edge_say(multipart, "one frame");
	(void)edge_expect(edge, "one frame");
	edge_say(other, "one frame too");
	(void)edge_expect(edge, "one frame too");
	struct transport_counters counters = transport_read_counters(edge->transport);
	ck_assert_uint_eq(counters.dropped_multipart, 3);
	ck_assert_uint_eq(counters.received, 2);
	raw_curve_close(multipart);
	raw_curve_close(other);
}
END_TEST

// More frames than one call reads off.
START_TEST(drops_a_message_of_thousands_of_frames_in_several_calls)
{
	struct raw_curve *multipart = edge_connect(edge, ENROLMENT_LEEDS);
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(raw_curve_send(multipart, "frame", 5, true, EDGE_WAIT_MS), RAW_CURVE_OK);
	edge_say(multipart, "last frame");
	edge_say(multipart, "one frame");
	(void)edge_expect(edge, "one frame");
	ck_assert_uint_eq(transport_read_counters(edge->transport).dropped_multipart, 1);
	raw_curve_close(multipart);
}
END_TEST

START_TEST(a_message_that_never_ends_is_never_delivered_and_holds_nobody_up)
{
	struct raw_curve *endless = edge_connect(edge, ENROLMENT_LEEDS),
			 *other = edge_connect(edge, ENROLMENT_HOSPITAL);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(raw_curve_send(endless, "frame", 5, true, EDGE_WAIT_MS), RAW_CURVE_OK);
	edge_say(other, "meanwhile");
	(void)edge_expect(edge, "meanwhile");
	raw_curve_close(endless);
	edge_say(other, "afterwards");
	(void)edge_expect(edge, "afterwards");
	edge_expect_silence(edge, 50);
	ck_assert_uint_eq(transport_read_counters(edge->transport).received, 2);
	raw_curve_close(other);
}
END_TEST

START_TEST(tells_messages_of_one_client_in_their_order)
{
	struct raw_curve *client = edge_connect(edge, ENROLMENT_LEEDS);
	char text[16];
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof text, "message %d", i);
		edge_say(client, text);
	}
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof text, "message %d", i);
		(void)edge_expect(edge, text);
	}
	raw_curve_close(client);
}
END_TEST

// ------------------------------------------------------------------ replies

START_TEST(a_reply_to_a_peer_that_is_gone_is_lost_at_once)
{
	struct raw_curve *client = edge_connect(edge, ENROLMENT_LEEDS);
	edge_say(client, "bye");
	struct transport_peer peer = edge_expect(edge, "bye");
	raw_curve_close(client);
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (edge_reply(edge, &peer, "too late") && clock_monotonic_ms() < until_ms)
		transport_wait(&edge->transport, 1, -1, 0, 10);
	uint64_t before_ms = clock_monotonic_ms();
	ck_assert(!edge_reply(edge, &peer, "too late"));
	ck_assert_uint_lt(clock_monotonic_ms() - before_ms, 500);
	ck_assert_uint_ge(transport_read_counters(edge->transport).undeliverable, 2);
	edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
}
END_TEST

START_TEST(a_reply_to_a_peer_that_never_was_is_lost_at_once)
{
	struct transport_peer nobody = {.routing_id = "nobody", .routing_id_bytes = 6}, empty = {0};
	ck_assert(!edge_reply(edge, &nobody, "hello"));
	ck_assert(!edge_reply(edge, &empty, "hello"));
	ck_assert_uint_eq(transport_read_counters(edge->transport).undeliverable, 2);
	ck_assert_uint_eq(transport_read_counters(edge->transport).sent, 0);
	edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
}
END_TEST

START_TEST(a_peer_that_does_not_read_loses_replies_and_holds_nobody_up)
{
	static uint8_t data[MESSAGE_BYTES_MAX];
	struct raw_curve *deaf = edge_connect(edge, ENROLMENT_LEEDS);
	edge_say(deaf, "tell me everything");
	struct transport_peer peer = edge_expect(edge, "tell me everything");
	unsigned sent = 0;
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (transport_send(edge->transport, &peer, data, sizeof data) && clock_monotonic_ms() < until_ms)
		sent++;
	ck_assert_uint_eq(transport_read_counters(edge->transport).undeliverable, 1);
	ck_assert_uint_eq(transport_read_counters(edge->transport).sent, sent);
	edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
	raw_curve_close(deaf);
}
END_TEST

// A whole batch of the default size is answered in one go.
START_TEST(a_peer_that_reads_gets_256_replies_sent_at_once)
{
	struct raw_curve *client = edge_connect(edge, ENROLMENT_LEEDS);
	edge_say(client, "many");
	struct transport_peer peer = edge_expect(edge, "many");
	for (int i = 0; i < 256; i++)
		ck_assert(edge_reply(edge, &peer, "reply"));
	for (int i = 0; i < 256; i++)
		edge_assert_hears(client, "reply");
	ck_assert_uint_eq(transport_read_counters(edge->transport).sent, 256);
	raw_curve_close(client);
}
END_TEST

// ------------------------------------------------------------------ waiting and opening

START_TEST(waiting_ends_when_the_other_descriptor_is_readable)
{
	int fd = eventfd(1, EFD_CLOEXEC);
	transport_wait(&edge->transport, 1, fd, POLLIN, -1);
	close(fd);
}
END_TEST

START_TEST(waiting_ends_when_the_time_is_over)
{
	uint64_t before_ms = clock_monotonic_ms();
	transport_wait(&edge->transport, 1, -1, 0, 20);
	ck_assert_uint_ge(clock_monotonic_ms() - before_ms, 19);
}
END_TEST

START_TEST(names_the_endpoint_really_bound)
{
	unsigned port = 0;
	ck_assert_int_eq(sscanf(transport_endpoint(edge->transport), "tcp://127.0.0.1:%5u", &port), 1);
	ck_assert_uint_gt(port, 0);
}
END_TEST

START_TEST(says_why_it_cannot_open)
{
	struct transport *second = NULL;
	struct transport_options options = edge_transport_options(edge, ZAP_SYSTEMS);
	options.endpoint = transport_endpoint(edge->transport);
	ck_assert(!transport_open(&options, &second, edge->detail));
	ck_assert_ptr_nonnull(strstr(edge->detail, "cannot be bound: Address already in use"));
	options.endpoint = "not an endpoint";
	ck_assert(!transport_open(&options, &second, edge->detail));
	ck_assert_ptr_nonnull(strstr(edge->detail, "not an endpoint cannot be bound"));
	ck_assert_ptr_null(second);
}
END_TEST

START_TEST(accepts_null_to_close)
{
	transport_close(NULL);
	transport_context_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transport");
	TCase *served = tcase_create("served");
	tcase_add_checked_fixture(served, set_up, tear_down);
	tcase_set_timeout(served, 180);
	tcase_add_test(served,
		       delivers_a_message_of_65503_bytes_and_closes_only_the_connection_that_sends_65504);
	tcase_add_test(served, closes_only_the_connection_that_sends_garbage);
	tcase_add_test(served, an_empty_message_is_a_message);
	tcase_add_test(served, drops_and_counts_messages_of_more_frames_than_one_and_others_go_on);
	tcase_add_test(served, drops_a_message_of_thousands_of_frames_in_several_calls);
	tcase_add_test(served, a_message_that_never_ends_is_never_delivered_and_holds_nobody_up);
	tcase_add_test(served, tells_messages_of_one_client_in_their_order);
	tcase_add_test(served, a_reply_to_a_peer_that_is_gone_is_lost_at_once);
	tcase_add_test(served, a_reply_to_a_peer_that_never_was_is_lost_at_once);
	tcase_add_test(served, a_peer_that_does_not_read_loses_replies_and_holds_nobody_up);
	tcase_add_test(served, a_peer_that_reads_gets_256_replies_sent_at_once);
	tcase_add_test(served, waiting_ends_when_the_other_descriptor_is_readable);
	tcase_add_test(served, waiting_ends_when_the_time_is_over);
	tcase_add_test(served, names_the_endpoint_really_bound);
	tcase_add_test(served, says_why_it_cannot_open);
	tcase_add_test(served, accepts_null_to_close);
	suite_add_tcase(suite, served);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
