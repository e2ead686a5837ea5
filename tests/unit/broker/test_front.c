// The network's front as a real process: messages both ways, strangers, lists of keys, endpoints and their files.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/front_keeper.h"
#include "broker/process.h"
#include "tests/unit/broker/real_front.h"

START_TEST(a_message_comes_with_its_connections_key_and_its_reply_goes_back)
{
	struct raw_curve *hospital = connect_as(ENROLMENT_HOSPITAL), *leeds = connect_as(ENROLMENT_LEEDS);
	struct front_request request = {0};
	edge_say(leeds, "from Leeds");
	while (echo(20, &request) == 0)
		;
	ck_assert(request.has_key);
	ck_assert_mem_eq(request.channel_key, enrolment->keys[ENROLMENT_LEEDS].public_key, KEY_BYTES);
	ck_assert_int_eq(request.peer.from, LISTENER_CURRENT);
	edge_assert_hears(leeds, "from Leeds");
	assert_answers(hospital, "from the hospital");
	raw_curve_close(hospital);
	raw_curve_close(leeds);
}
END_TEST

// 65,503 bytes are the longest message; several of them at once do not fit the kernel's buffer between the two.
START_TEST(long_messages_pass_both_ways)
{
	static uint8_t message[MESSAGE_BYTES_MAX], back[MESSAGE_BYTES_MAX];
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	unsigned answered = 0;
	for (unsigned i = 0; i < 8; i++) {
		memset(message, (int)i, sizeof message);
		ck_assert_int_eq(raw_curve_send(client, message, sizeof message, false, EDGE_WAIT_MS), RAW_CURVE_OK);
	}
	while (answered < 8)
		answered += echo(20, NULL);
	for (unsigned i = 0; i < 8; i++) {
		size_t bytes;
		ck_assert_int_eq(raw_curve_receive(client, back, sizeof back, &bytes, EDGE_WAIT_MS), RAW_CURVE_OK);
		ck_assert_uint_eq(bytes, sizeof back);
		ck_assert_uint_eq(back[0], i);
		ck_assert_uint_eq(back[sizeof back - 1], i);
	}
	raw_curve_close(client);
}
END_TEST

START_TEST(a_reply_to_nobody_goes_nowhere)
{
	struct front_peer nobody = {.from = LISTENER_CURRENT, .routing_id_bytes = 5, .routing_id = "abcd"};
	front_send(front, &nobody, (const uint8_t *)"hello", 5);
	nobody.from = LISTENER_NEXT; // there is none
	front_send(front, &nobody, (const uint8_t *)"hello", 5);
	front_flush(front);
	assert_works();
	ck_assert_uint_eq(front_restarts(front), 0);
}
END_TEST

START_TEST(strangers_come_in_on_the_enrolment_endpoint_only_and_are_counted)
{
	struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_ENROLMENT),
					    .server_public = enrolment->broker.public_key,
					    .public_key = enrolment->stranger.public_key,
					    .secret_key = enrolment->stranger.secret_key};
	struct raw_curve *stranger = edge_connect_with(&options);
	struct front_request request = {0};
	struct attempt taken[4];
	edge_say(stranger, "may I?");
	while (echo(20, &request) == 0)
		;
	ck_assert_int_eq(request.peer.from, LISTENER_ENROLMENT);
	ck_assert_mem_eq(request.channel_key, enrolment->stranger.public_key, KEY_BYTES);
	edge_assert_hears(stranger, "may I?");
	raw_curve_close(stranger);
	options.endpoint = front_endpoint(front, LISTENER_CURRENT);
	edge_assert_refused(&options, "400");
	while (attempts_take(attempts, clock_monotonic_ms(), true, 4, taken) == 0)
		echo(20, NULL);
	ck_assert_int_eq(taken[0].reason, REASON_HANDSHAKE_KEY);
	ck_assert_ptr_nonnull(strstr(taken[0].examples, "from 127.0.0.1"));
}
END_TEST

START_TEST(another_list_decides_the_next_handshake_and_cuts_nobody_off)
{
	struct raw_curve *leeds = connect_as(ENROLMENT_LEEDS);
	const struct curve_key_pair *key = &enrolment->keys[ENROLMENT_LEEDS];
	const struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_CURRENT),
						  .server_public = enrolment->broker.public_key,
						  .public_key = key->public_key,
						  .secret_key = key->secret_key};
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	front_set_admission(front, fresh);
	admission_release(fresh);
	edge_assert_refused(&options, "400");
	// Whoever judges each request has to know whose it is.
	assert_answers(leeds, "still connected");
	raw_curve_close(leeds);
}
END_TEST

START_TEST(endpoints_are_written_to_their_files_and_taken_away)
{
	for (enum listener i = 0; i < LISTENERS; i += 2) {
		char text[TRANSPORT_ENDPOINT_BYTES] = "", expected[TRANSPORT_ENDPOINT_BYTES];
		FILE *file = fopen(files[i], "re");
		ck_assert_ptr_nonnull(file);
		ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
		fclose(file);
		snprintf(expected, sizeof expected, "%.250s\n", front_endpoint(front, i));
		ck_assert_str_eq(text, expected);
	}
	ck_assert_ptr_null(front_endpoint(front, LISTENER_NEXT));
	// One that cannot open leaves the files of the one that runs.
	struct front *running = front;
	ck_assert(!open_front(front_endpoint(running, LISTENER_CURRENT), NULL));
	ck_assert_msg(strstr(detail, "cannot be bound") != NULL, "%s", detail);
	ck_assert_int_eq(access(files[0], R_OK), 0);
	front_close(running);
	front = NULL;
	ck_assert_int_ne(access(files[0], R_OK), 0);
	ck_assert_int_ne(access(files[2], R_OK), 0);
}
END_TEST

START_TEST(an_endpoint_that_is_none_and_a_file_that_cannot_be_written_are_said)
{
	char longer[300] = "tcp://";
	memset(longer + 6, 'a', sizeof longer - 7);
	ck_assert(!open_front("tcp://nowhere:1:2", NULL));
	ck_assert_msg(strstr(detail, "tcp://nowhere:1:2") != NULL, "%s", detail);
	ck_assert(!open_front(longer, NULL));
	ck_assert_msg(strstr(detail, "longer than an endpoint") != NULL, "%s", detail);
	snprintf(files[0], sizeof files[0], "/nowhere/endpoint");
	ck_assert(!open_front("tcp://127.0.0.1:*", NULL));
	ck_assert_msg(strstr(detail, "/nowhere/endpoint") != NULL, "%s", detail);
}
END_TEST

START_TEST(nobody_but_a_core_starts_a_front)
{
	// Without a core at the other end of descriptor 3.
	ck_assert_int_eq(WEXITSTATUS(system("exec 3</dev/null 4</dev/null; build=\"${BUILD:-build}\"; \"$build\"/cpis-broker " FRONT_ARGUMENT " 2>/dev/null")), 1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("front");
	TCase *opened = tcase_create("opened"), *closed = tcase_create("closed");
	tcase_set_timeout(opened, 120);
	tcase_add_checked_fixture(opened, set_up_open, tear_down);
	tcase_add_test(opened, a_message_comes_with_its_connections_key_and_its_reply_goes_back);
	tcase_add_test(opened, long_messages_pass_both_ways);
	tcase_add_test(opened, a_reply_to_nobody_goes_nowhere);
	tcase_add_test(opened, strangers_come_in_on_the_enrolment_endpoint_only_and_are_counted);
	tcase_add_test(opened, another_list_decides_the_next_handshake_and_cuts_nobody_off);
	tcase_add_test(opened, endpoints_are_written_to_their_files_and_taken_away);
	suite_add_tcase(suite, opened);
	tcase_set_timeout(closed, 120);
	tcase_add_checked_fixture(closed, set_up, tear_down);
	tcase_add_test(closed, an_endpoint_that_is_none_and_a_file_that_cannot_be_written_are_said);
	tcase_add_test(closed, nobody_but_a_core_starts_a_front);
	suite_add_tcase(suite, closed);
	return suite;
}

int main(int argc, char **argv)
{
	return run_front_tests(argc, argv, front_process_run, make_suite);
}
