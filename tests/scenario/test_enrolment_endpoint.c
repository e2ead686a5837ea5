// The enrolment endpoint beside the ordinary one: a stranger gets nothing else there and learns nothing.
#include "tests/harness/suite.h"
#include "tests/scenario/enrolling.h"

START_TEST(nothing_else_is_answered_on_the_enrolment_endpoint_whoever_comes)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request ask = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = text(stage_child(0));
	ask.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	ask.flag = &flag;
	ask.session_token = (ProtobufCBinaryData){stage->token_bytes[NURSE], stage->tokens[NURSE]};
	// Even with the key and the token that are good on the other one.
	static const enum stage_system who[] = {STAGE_HOSPITAL, STAGE_STRANGER, STAGE_EXPIRED};
	for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
		const struct stage_reply *got = ask_there(who[i], &ask);
		stage_expect(got, ACCESS_DENIED, "wrong_endpoint");
		ck_assert_str_eq(got->record->organisation, "");
		// A stranger writes nothing about a child into the log.
		ck_assert_uint_eq(got->record->subject_tag.len, 0);
		ck_assert_uint_eq(got->reply->session_token.len, 0);
	}
	ask.body_case = CPIS__V1__REQUEST__BODY_PING;
	ask.ping = &ping;
	stage_expect(ask_there(STAGE_HOSPITAL, &ask), ACCESS_DENIED, "wrong_endpoint");
	cpis__v1__enrol_list_request__init(&list_body);
	ask.body_case = CPIS__V1__REQUEST__BODY_ENROL_LIST;
	ask.enrol_list = &list_body;
	stage_expect(ask_there(STAGE_NATIONAL, &ask), ACCESS_DENIED, "wrong_endpoint");
}
END_TEST

START_TEST(every_kind_of_request_but_one_is_refused_on_the_enrolment_endpoint)
{
	// An empty body of each kind; those that need more are not well-formed, and so refused as well.
	for (uint8_t field = 16; field <= 39; field++) {
		uint8_t packed[] = {0x08, 0x01, 0x12, 0x10, 0, 1, 2,	3, 4, 5,    6, 7,
				    8,	  9,	10,   11,   12, 13, 14, 15, 0x18, 0x64, (uint8_t)(field << 3 | 2), (uint8_t)(field >> 4), 0};
		packed[22] |= 0x80;
		stage->enrolling = true;
		const struct stage_reply *got = stage_ask_bytes(stage, STAGE_HOSPITAL, packed, sizeof packed, 0);
		stage->enrolling = false;
		ck_assert_int_ne(got->reply->outcome, CPIS__V1__OUTCOME__OK);
		ck_assert_ptr_nonnull(got->record);
	}
}
END_TEST

START_TEST(garbage_on_the_enrolment_endpoint_is_recorded_and_refused)
{
	stage->enrolling = true;
	stage_expect(stage_ask_bytes(stage, STAGE_STRANGER, "garbage", 7, 0), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
	stage_expect(stage_ask_bytes(stage, STAGE_STRANGER, "", 0, 0), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
	stage->enrolling = false;
}
END_TEST

START_TEST(enrolment_is_refused_on_the_ordinary_endpoint)
{
	invite_newcomer();
	stage_expect(stage_ask(stage, STAGE_HOSPITAL, enrol_request(code, "RXH", "newcomer")), ACCESS_DENIED,
		     "wrong_endpoint");
	stage_expect(stage_ask(stage, STAGE_NEWCOMER, enrol_request(code, "RXH", "newcomer")), ASID_CHECK_FAILED,
		     "system_unknown");
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

START_TEST(a_connection_whose_key_is_not_known_is_told_to_connect_again)
{
	invite_newcomer();
	stage_expect(enrol(STAGE_KEYLESS), ASID_CHECK_FAILED, "system_unknown");
}
END_TEST

START_TEST(what_waited_past_its_deadline_is_not_carried_out)
{
	uint8_t id[REQUEST_ID_BYTES] = {1}, packed[512];
	invite_newcomer();
	Cpis__V1__Request *ask = enrol_request(code, "RXH", "newcomer");
	ask->protocol_version = PROTOCOL_VERSION;
	ask->request_id = (ProtobufCBinaryData){sizeof id, id};
	ask->deadline_ms = 1000;
	size_t bytes = cpis__v1__request__pack(ask, packed);
	stage->enrolling = true;
	stage_expect(stage_ask_bytes(stage, STAGE_STRANGER, packed, bytes, 1001), DEADLINE_EXPIRED, "deadline");
	stage->enrolling = false;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, nothing_else_is_answered_on_the_enrolment_endpoint_whoever_comes);
	tcase_add_test(tests, every_kind_of_request_but_one_is_refused_on_the_enrolment_endpoint);
	tcase_add_test(tests, garbage_on_the_enrolment_endpoint_is_recorded_and_refused);
	tcase_add_test(tests, enrolment_is_refused_on_the_ordinary_endpoint);
	tcase_add_test(tests, a_connection_whose_key_is_not_known_is_told_to_connect_again);
	tcase_add_test(tests, what_waited_past_its_deadline_is_not_carried_out);
}

int main(void)
{
	return suite_run_group("enrolment_endpoint", raise_curtain, drop_curtain, 120, add);
}
