// Who the ZAP handler lets in and whom it refuses, and requests that libzmq does not send.
#include <stdio.h>
#include <string.h>

#include "broker/clock.h"
#include "broker/limits.h"
#include "tests/harness/suite.h"
#include "tests/unit/broker/zap_asker.h"

START_TEST(admits_an_enrolled_key_and_names_it_by_a_random_handle)
{
	struct reply reply = ask(KEY_OF(ENROLMENT_HOSPITAL));
	uint8_t key[KEY_BYTES];
	ck_assert_str_eq(reply.status, "200");
	ck_assert_uint_eq(strlen(reply.user_id), ZAP_HANDLE_BYTES - 1);
	ck_assert_uint_eq(strspn(reply.user_id, "0123456789abcdef"), ZAP_HANDLE_BYTES - 1);
	ck_assert(zap_lookup(zap, ZAP_SYSTEMS, reply.user_id, key));
	ck_assert_mem_eq(key, KEY_OF(ENROLMENT_HOSPITAL), KEY_BYTES);
	ck_assert_uint_eq(zap_read_counters(zap).admitted, 1);
}
END_TEST

START_TEST(the_handle_is_the_routing_id_too)
{
	struct reply reply = ask(KEY_OF(ENROLMENT_HOSPITAL));
	ck_assert_uint_eq(reply.metadata_bytes, 1 + 8 + 4 + 32);
	ck_assert_mem_eq(reply.metadata, "\10Identity\0\0\0\40", 13);
	ck_assert_mem_eq(reply.metadata + 13, reply.user_id, 32);
}
END_TEST

START_TEST(every_connection_of_one_key_has_a_handle_of_its_own)
{
	char first[ZAP_HANDLE_BYTES], second[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_HOSPITAL), first);
	admit(KEY_OF(ENROLMENT_HOSPITAL), second);
	ck_assert_str_ne(first, second);
	ck_assert(knows(first) && knows(second));
}
END_TEST

START_TEST(refuses_a_key_that_nobody_enrolled)
{
	struct reply reply = ask(enrolment->stranger.public_key);
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).refused_unknown, 1);
}
END_TEST

START_TEST(refuses_a_key_whose_certificate_has_expired_since_the_register_was_loaded)
{
	struct reply reply = ask(KEY_OF(ENROLMENT_EXPIRED));
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).refused_invalid, 1);
}
END_TEST

START_TEST(refuses_a_revoked_key_from_the_next_register_on)
{
	char handle[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), handle);
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	zap_set_admission(zap, fresh);
	admission_release(fresh);
	struct reply reply = ask(KEY_OF(ENROLMENT_LEEDS));
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).refused_invalid, 1);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
}
END_TEST

// Each under its own reason, with the first bytes of the key and the address that libzmq names.
START_TEST(counts_whom_it_refuses_for_the_audit_log_and_nobody_else)
{
	static const enum reason reasons[] = {REASON_HANDSHAKE_KEY, REASON_HANDSHAKE_REVOKED, REASON_HANDSHAKE_EXPIRED};
	const uint8_t *key = enrolment->stranger.public_key;
	struct attempts *attempts = attempts_new();
	struct attempt taken[8];
	char expected[ATTEMPT_EXAMPLE_BYTES], handle[ZAP_HANDLE_BYTES];
	// Before it is told to count, as while the self-test goes on.
	(void)ask(key);
	zap_set_attempts(zap, attempts);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	zap_set_admission(zap, fresh);
	admission_release(fresh);
	(void)ask(KEY_OF(ENROLMENT_LEEDS));
	(void)ask(KEY_OF(ENROLMENT_EXPIRED));
	(void)ask(key);
	(void)ask(key);
	ck_assert_uint_eq(attempts_take(attempts, 0, true, 8, taken), 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(taken[i].reason, reasons[i]);
		ck_assert_uint_eq(taken[i].count, i == 0 ? 2 : 1);
	}
	snprintf(expected, sizeof expected, "key %02x%02x%02x%02x from 127.0.0.1", key[0], key[1], key[2], key[3]);
	ck_assert_str_eq(taken[0].examples, expected);
	zap_set_admission(zap, NULL);
	(void)ask(KEY_OF(ENROLMENT_HOSPITAL));
	ck_assert_uint_eq(attempts_take(attempts, 0, true, 8, taken), 1);
	ck_assert_int_eq(taken[0].reason, REASON_HANDSHAKE_TURNED_AWAY);
	zap_set_attempts(zap, NULL);
	attempts_free(attempts);
}
END_TEST

START_TEST(a_revoked_key_can_still_be_told_from_its_handle)
{
	char handle[ZAP_HANDLE_BYTES];
	uint8_t key[KEY_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), handle);
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	zap_set_admission(zap, fresh);
	admission_release(fresh);
	ck_assert(zap_lookup(zap, ZAP_SYSTEMS, handle, key));
	ck_assert_mem_eq(key, KEY_OF(ENROLMENT_LEEDS), KEY_BYTES);
}
END_TEST

START_TEST(tells_everybody_to_come_later_while_no_register_is_there)
{
	char handle[ZAP_HANDLE_BYTES];
	zap_set_admission(zap, NULL);
	struct reply reply = ask(KEY_OF(ENROLMENT_HOSPITAL));
	assert_refused(&reply, "300");
	zap_set_admission(zap, enrolment->admission);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
}
END_TEST

START_TEST(admits_the_self_test_key_until_that_is_ended_and_then_forgets_it)
{
	char handle[ZAP_HANDLE_BYTES], other[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), other);
	zap_set_self_test_key(zap, enrolment->stranger.public_key);
	admit(enrolment->stranger.public_key, handle);
	ck_assert(knows(handle));
	zap_set_self_test_key(zap, NULL);
	ck_assert(!knows(handle));
	ck_assert(knows(other));
	struct reply reply = ask(enrolment->stranger.public_key);
	assert_refused(&reply, "400");
}
END_TEST

// An answer that comes at once would lose against the routing id that the client claims.
START_TEST(waits_a_millisecond_before_it_answers)
{
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	for (int i = 0; i < 20; i++) {
		uint64_t sent_ms = clock_monotonic_ms();
		send_question(asker, &question);
		ck_assert_str_eq(receive_reply(asker).status, "200");
		ck_assert_uint_ge(clock_monotonic_ms() - sent_ms, 1);
	}
}
END_TEST

// ------------------------------------------------------------------ requests that libzmq does not send

START_TEST(refuses_a_request_with_any_part_not_as_it_should_be)
{
	static const struct {
		size_t frame;
		const char *text;
		size_t bytes;
	} changes[] = {
		{1, "1.1", 3},
		{1, "", 0},
		{3, "", 0},
		{3, "cpi", 3},
		{3, "cpisx", 5},
		{6, "NULL", 4},
		{6, "PLAIN", 5},
		{7, "", 0},
		{7, "0123456789012345678901234567890", 31},
		{7, "012345678901234567890123456789012", 33},
	};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
		question.frames[changes[i].frame] = (struct frame){changes[i].text, changes[i].bytes};
		assert_malformed(&question);
	}
}
END_TEST

START_TEST(refuses_a_request_with_a_frame_too_few_or_too_many)
{
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.count = 7;
	assert_malformed(&question);
	question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[question.count++] = (struct frame){"more", 4};
	assert_malformed(&question);
	question.frames[question.count++] = (struct frame){"more", 4};
	question.frames[question.count++] = (struct frame){"more", 4};
	assert_malformed(&question);
}
END_TEST

// A connection's routing id is the only field that somebody else may choose.
START_TEST(a_field_has_255_bytes_and_with_one_more_there_is_no_answer)
{
	static const char identity[ZAP_FIELD_BYTES_MAX + 1];
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[5] = (struct frame){identity, ZAP_FIELD_BYTES_MAX};
	send_question(asker, &question);
	ck_assert_str_eq(receive_reply(asker).status, "200");
	question.frames[5].bytes++;
	send_question(asker, &question);
	// The next answer is the next question's.
	struct reply reply = ask(enrolment->stranger.public_key);
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).malformed, 1);
}
END_TEST

START_TEST(counts_what_it_cannot_even_answer_and_goes_on)
{
	static const char oversized[300];
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	char handle[ZAP_HANDLE_BYTES];
	question.count = 2;
	send_question(asker, &question);
	question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[0] = (struct frame){"no delimiter", 12};
	send_question(asker, &question);
	question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[2] = (struct frame){oversized, sizeof oversized};
	send_question(asker, &question);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	ck_assert_uint_eq(zap_read_counters(zap).malformed, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("zap");
	TCase *started = tcase_create("started");
	tcase_add_checked_fixture(started, set_up_started, tear_down);
	tcase_set_timeout(started, 120);
	tcase_add_test(started, admits_an_enrolled_key_and_names_it_by_a_random_handle);
	tcase_add_test(started, the_handle_is_the_routing_id_too);
	tcase_add_test(started, every_connection_of_one_key_has_a_handle_of_its_own);
	tcase_add_test(started, refuses_a_key_that_nobody_enrolled);
	tcase_add_test(started, refuses_a_key_whose_certificate_has_expired_since_the_register_was_loaded);
	tcase_add_test(started, refuses_a_revoked_key_from_the_next_register_on);
	tcase_add_test(started, counts_whom_it_refuses_for_the_audit_log_and_nobody_else);
	tcase_add_test(started, a_revoked_key_can_still_be_told_from_its_handle);
	tcase_add_test(started, tells_everybody_to_come_later_while_no_register_is_there);
	tcase_add_test(started, admits_the_self_test_key_until_that_is_ended_and_then_forgets_it);
	tcase_add_test(started, waits_a_millisecond_before_it_answers);
	tcase_add_test(started, refuses_a_request_with_any_part_not_as_it_should_be);
	tcase_add_test(started, refuses_a_request_with_a_frame_too_few_or_too_many);
	tcase_add_test(started, counts_what_it_cannot_even_answer_and_goes_on);
	tcase_add_test(started, a_field_has_255_bytes_and_with_one_more_there_is_no_answer);
	suite_add_tcase(suite, started);
	return suite_run(suite);
}
