// Signing out, of sessions that were opened by a key or before a browser: no token of theirs is answered any more.
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/scenario/proven_registrar.h"

static const struct stage_reply *sign_out(enum stage_person person)
{
	Cpis__V1__SessionCloseRequest body = CPIS__V1__SESSION_CLOSE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_CLOSE;
	request.session_close = &body;
	return stage_ask_as(stage, person, &request);
}

START_TEST(who_signed_out_is_not_answered_with_any_token_of_that_session)
{
	static uint8_t before[SESSION_TOKEN_BYTES_MAX];
	stage_sign_in(stage, NURSE);
	size_t before_bytes = stage->token_bytes[NURSE];
	memcpy(before, stage->tokens[NURSE], before_bytes);
	stage->now_ms += SESSION_IDLE_MS_MAX / 2;
	const struct stage_reply *got = stage_flag(stage, NURSE, stage_child(0));
	stage_expect_ok(got);
	ProtobufCBinaryData renewed = got->reply->session_token;
	ck_assert_uint_gt(renewed.len, 0);
	stage_sign_in(stage, RECEPTIONIST);
	got = sign_out(NURSE);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->session_token.len, 0);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	memcpy(stage->tokens[NURSE], renewed.data, renewed.len);
	stage->token_bytes[NURSE] = renewed.len;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	// Signing out once more says that it is done.
	stage_expect(sign_out(NURSE), SESSION_EXPIRED, "session_closed");
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	memcpy(stage->tokens[NURSE], before, before_bytes);
	stage->token_bytes[NURSE] = before_bytes;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	// Others go on, and the person signs in again.
	stage_expect(stage_flag(stage, RECEPTIONIST, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
	stage_sign_in(stage, NURSE);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(a_persons_other_session_goes_on)
{
	static uint8_t other[SESSION_TOKEN_BYTES_MAX];
	stage_sign_in(stage, NURSE);
	size_t other_bytes = stage->token_bytes[NURSE];
	memcpy(other, stage->tokens[NURSE], other_bytes);
	stage_sign_in(stage, NURSE);
	stage_expect_ok(sign_out(NURSE));
	memcpy(stage->tokens[NURSE], other, other_bytes);
	stage->token_bytes[NURSE] = other_bytes;
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(whoever_they_are_people_sign_out_and_only_of_a_session_of_their_own)
{
	static const enum stage_person people[] = {RECEPTIONIST, PRIVACY_OFFICER, LEEDS_WORKER, BRIGHTON_DUTY, REVIEWER, NEIGHBOUR};
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
		stage_sign_in(stage, people[i]);
		const struct stage_reply *got = sign_out(people[i]);
		stage_expect_ok(got);
		ck_assert_int_eq(got->record->operation, CPIS__V1__OPERATION__SESSION_CLOSE);
	}
	stage_expect(sign_out(NURSE), SESSION_EXPIRED, "session_missing");
	// Another system's person with the token.
	stage_sign_in(stage, NURSE);
	memcpy(stage->tokens[OTHER_NURSE], stage->tokens[NURSE], stage->token_bytes[NURSE]);
	stage->token_bytes[OTHER_NURSE] = stage->token_bytes[NURSE];
	stage_expect(sign_out(OTHER_NURSE), AUTHOR_CREDENTIALS_ERROR, "session_invalid");
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

// Whoever kept what opened the session.
START_TEST(the_opening_sent_again_opens_the_same_session_and_none_after_the_person_signed_out)
{
	static const uint8_t id[REQUEST_ID_BYTES] = {8}, nonce[NONCE_BYTES] = {9};
	struct stage_statement statement = _i == 2 ? stage_statement(stage, REGISTRAR) : statement_by(ways[_i]);
	statement.nonce = nonce;
	statement.request_id = id;
	const struct stage_reply *first = stage_present(stage, &statement), *again = stage_present(stage, &statement);
	stage_expect_ok(first);
	stage_expect_ok(again);
	ProtobufCBinaryData a = shown(first->reply->receipt->index)->session_id, b = shown(again->reply->receipt->index)->session_id;
	ck_assert_uint_eq(a.len, SESSION_ID_BYTES);
	ck_assert_mem_eq(a.data, b.data, SESSION_ID_BYTES);
	stage_take_token(stage, REGISTRAR, first);
	stage_expect_ok(sign_out(REGISTRAR));
	stage_take_token(stage, REGISTRAR, again);
	stage_expect(stage_flag(stage, REGISTRAR, stage_child(0)), SESSION_EXPIRED, "session_closed");
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	stage_restart(stage);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	// What is said anew opens another one.
	statement.nonce = NULL;
	statement.request_id = NULL;
	stage_take_token(stage, REGISTRAR, stage_present(stage, &statement));
	stage_expect(stage_flag(stage, REGISTRAR, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(a_clock_that_is_set_back_brings_no_session_back)
{
	stage_sign_in(stage, NURSE);
	stage_expect_ok(sign_out(NURSE));
	// So much later others sign out, and what is over is forgotten, in memory and in the store.
	stage->now_ms = STAGE_NOW_MS + 2 * SESSION_IDLE_MS_MAX;
	stage_sign_in(stage, RECEPTIONIST);
	stage_expect_ok(sign_out(RECEPTIONIST));
	stage->now_ms = STAGE_NOW_MS + STAGE_MINUTE_MS;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
}
END_TEST

START_TEST(signing_out_that_could_not_be_recorded_is_not_said_to_be_done)
{
	stage_sign_in(stage, NURSE);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(sign_out(NURSE), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_expect_ok(sign_out(NURSE));
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	// And one that was, though it seemed not to be, is done.
	stage_sign_in(stage, NURSE);
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(sign_out(NURSE), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect(sign_out(NURSE), SESSION_EXPIRED, "session_closed");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signing_out");
	TCase *outs = tcase_create("sign_out"), *failing = tcase_create("failing_store"); // this of one core, so not asked of two in turn
	tcase_set_timeout(outs, 120);
	tcase_add_checked_fixture(outs, raise_curtain, drop_curtain);
	tcase_add_test(outs, who_signed_out_is_not_answered_with_any_token_of_that_session);
	tcase_add_test(outs, a_persons_other_session_goes_on);
	tcase_add_test(outs, whoever_they_are_people_sign_out_and_only_of_a_session_of_their_own);
	tcase_add_loop_test(outs, the_opening_sent_again_opens_the_same_session_and_none_after_the_person_signed_out, 0, WAYS + 1);
	tcase_add_test(outs, a_clock_that_is_set_back_brings_no_session_back);
	suite_add_tcase(suite, outs);
	tcase_set_timeout(failing, 120);
	tcase_add_checked_fixture(failing, raise_curtain, drop_curtain);
	tcase_add_test(failing, signing_out_that_could_not_be_recorded_is_not_said_to_be_done);
	suite_add_tcase(suite, failing);
	return suite_run(suite);
}
