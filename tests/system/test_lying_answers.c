// A broker whose answers say what does not belong into them: bodies, outcomes, tokens.
#include "tests/harness/suite.h"
#include "tests/system/lied_to.h"

static void body_of_another_kind(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.ping = &turn->ping;
	turn->reply.body_case = CPIS__V1__REPLY__BODY_PING;
	liar_send(to, turn);
}

static void no_body(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	liar_send(to, turn);
}

static void refusal_with_a_body(struct liar *to, struct liar_turn *turn)
{
	static char code[] = "role_lacks_activity";
	turn->record.outcome = turn->reply.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
	turn->record.reason_code = turn->reply.reason_code = code;
	liar_says_the_truth(to, turn);
}

static void another_protocol_version(struct liar *to, struct liar_turn *turn)
{
	turn->reply.protocol_version = 2;
	liar_says_the_truth(to, turn);
}

static void unavailable(struct liar_turn *turn)
{
	static char code[] = "store_unavailable";
	turn->record.outcome = turn->reply.outcome = CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE;
	turn->record.reason_code = turn->reply.reason_code = code;
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
}

static void unavailable_with_data(struct liar *to, struct liar_turn *turn)
{
	unavailable(turn);
	turn->reply.body_case = CPIS__V1__REPLY__BODY_FLAG;
	liar_send(to, turn);
}

static void unavailable_with_a_token(struct liar *to, struct liar_turn *turn)
{
	unavailable(turn);
	turn->reply.session_token = turn->session.session_token;
	liar_send(to, turn);
}

static void token_too_long(struct liar *to, struct liar_turn *turn)
{
	static uint8_t token[SESSION_TOKEN_BYTES_MAX + 1];
	turn->reply.session_token = (ProtobufCBinaryData){sizeof token, token};
	liar_says_the_truth(to, turn);
}

static liar_lie *const false_bodies[] = {
	body_of_another_kind,  no_body,	       refusal_with_a_body, another_protocol_version,
	unavailable_with_data, unavailable_with_a_token, token_too_long,
};

START_TEST(a_reply_with_what_does_not_belong_into_it_is_not_believed)
{
	assert_caught(false_bodies[_i], CPIS_PROTOCOL);
}
END_TEST

static void unavailable_with_a_false_receipt(struct liar *to, struct liar_turn *turn)
{
	unavailable(turn);
	turn->reply.session_token = turn->session.session_token;
	turn->reply.receipt = &liar_kept(to, 0)->receipt;
	liar_send(to, turn);
}

START_TEST(a_receipt_that_nobody_asked_for_must_hold_all_the_same)
{
	assert_caught(unavailable_with_a_false_receipt, CPIS_RECEIPT);
}
END_TEST

static void come_back_for_ever(struct liar *to, struct liar_turn *turn)
{
	unavailable(turn);
	turn->reply.retry_after_ms = 50;
	liar_send(to, turn);
}

START_TEST(a_broker_that_never_can_answer_costs_no_more_than_the_deadline)
{
	const Cpis__V1__Reply *reply = NULL;
	uint64_t before = world_monotonic_ms();
	liar_tell(liar, come_back_for_ever);
	// Whether the deadline finds the last question answered or not yet is the machine's affair.
	enum cpis_status status = ask(HURRY_MS, &reply);
	ck_assert(status == CPIS_OK || status == CPIS_TIMEOUT);
	ck_assert(status == CPIS_TIMEOUT || reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
	ck_assert(status == CPIS_TIMEOUT || reply->body_case == CPIS__V1__REPLY__BODY__NOT_SET);
	ck_assert_uint_lt(world_monotonic_ms() - before, 2 * HURRY_MS);
	ck_assert_uint_gt(liar_heard(liar), 2);
	cpis_reply_free(reply);
}
END_TEST

// ------------------------------------------------------------------ session tokens

static enum cpis_status sign_in(const Cpis__V1__Reply **ret)
{
	*ret = NULL;
	return cpis_session_open(client, world_path(world, "staff/nurse.pem"), world_path(world, "staff/nurse.key"),
				 world_person("nurse")->role, WORLD_CALL_MS, ret);
}

static void session_token_too_long(struct liar *to, struct liar_turn *turn)
{
	static uint8_t token[SESSION_TOKEN_BYTES_MAX + 1];
	turn->session.session_token = (ProtobufCBinaryData){sizeof token, token};
	liar_says_the_truth(to, turn);
}

static void session_without_token(struct liar *to, struct liar_turn *turn)
{
	turn->session.session_token = (ProtobufCBinaryData){0, NULL};
	liar_says_the_truth(to, turn);
}

static void refuses_who_has_a_token(struct liar *to, struct liar_turn *turn)
{
	static char code[] = "session_invalid";
	if (turn->request->session_token.len != 0) {
		turn->record.outcome = turn->reply.outcome = CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR;
		turn->record.reason_code = turn->reply.reason_code = code;
		turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	}
	liar_says_the_truth(to, turn);
}

static liar_lie *const false_sessions[] = {session_token_too_long, session_without_token};

START_TEST(a_session_token_that_cannot_be_one_opens_no_session)
{
	const Cpis__V1__Reply *reply = NULL;
	liar_tell(liar, false_sessions[_i]);
	ck_assert_int_eq(sign_in(&reply), CPIS_PROTOCOL);
	ck_assert_ptr_null(reply);
	// And none is kept: the next request carries no token.
	liar_tell(liar, refuses_who_has_a_token);
	ck_assert_int_eq(ask(WORLD_CALL_MS, &reply), CPIS_OK);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	cpis_reply_free(reply);
}
END_TEST

static void renewal_without_proof(struct liar *to, struct liar_turn *turn)
{
	turn->reply.session_token = turn->session.session_token;
	altered_path(to, turn);
}

START_TEST(a_token_from_a_reply_that_does_not_hold_is_not_kept)
{
	const Cpis__V1__Reply *reply = NULL;
	assert_caught(renewal_without_proof, CPIS_RECEIPT);
	assert_caught_within(unavailable_with_a_token, CPIS_PROTOCOL, WORLD_CALL_MS);
	assert_caught_within(unavailable_with_a_false_receipt, CPIS_RECEIPT, WORLD_CALL_MS);
	liar_tell(liar, refuses_who_has_a_token);
	ck_assert_int_eq(ask(WORLD_CALL_MS, &reply), CPIS_OK);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	cpis_reply_free(reply);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_loop_test(tests, a_reply_with_what_does_not_belong_into_it_is_not_believed, 0, COUNT(false_bodies));
	tcase_add_test(tests, a_receipt_that_nobody_asked_for_must_hold_all_the_same);
	tcase_add_test(tests, a_broker_that_never_can_answer_costs_no_more_than_the_deadline);
	tcase_add_loop_test(tests, a_session_token_that_cannot_be_one_opens_no_session, 0, COUNT(false_sessions));
	tcase_add_test(tests, a_token_from_a_reply_that_does_not_hold_is_not_kept);
}

int main(void)
{
	return suite_run_group("lying_answers", meet_liar, leave_liar, 120, add);
}
