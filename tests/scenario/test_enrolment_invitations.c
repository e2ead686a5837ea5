// Who may invite whom into the register, for how long, and how many invitations there may be.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/enrolments.h"
#include "tests/harness/suite.h"
#include "tests/scenario/enrolling.h"

START_TEST(a_registrar_invites_for_the_own_organisation_and_a_national_one_for_any_in_the_register)
{
	stage_expect(invite(REGISTRAR, code, "RXJ", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect(invite(REGISTRAR, code, "RXHX", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect(invite(NATIONAL_REGISTRAR, code, "RYX", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect_ok(invite(NATIONAL_REGISTRAR, code, "RXJ", "newcomer"));
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 0);
	ck_assert_uint_eq(list(NATIONAL_REGISTRAR)->reply->enrol_list->n_enrolments, 1);
	stage_expect(withdraw(REGISTRAR, "RXJ", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect_ok(invite(REGISTRAR, other_code, "RXH", "newcomer"));
	ck_assert_uint_eq(list(NATIONAL_REGISTRAR)->reply->enrol_list->n_enrolments, 2);
	stage_expect_ok(withdraw(NATIONAL_REGISTRAR, "RXH", "newcomer"));
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 0);
}
END_TEST

START_TEST(others_may_neither_invite_nor_withdraw_nor_see)
{
	stage_expect(invite(NURSE, code, "RXH", "newcomer"), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(withdraw(LEEDS_WORKER, "383", "newcomer"), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(list(NURSE), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(inviting_and_withdrawing_need_the_persons_own_signature)
{
	stage_expect(stage_ask_as(stage, REGISTRAR,
				  invite_request(code, "RXH", "newcomer", stage->now_ms + STAGE_DAY_MS)),
		     AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage_expect(stage_act(stage, REGISTRAR, NURSE, stage->now_ms,
			       invite_request(code, "RXH", "newcomer", stage->now_ms + STAGE_DAY_MS)),
		     AUTHOR_CREDENTIALS_ERROR, "act_signature");
	invite_newcomer();
	withdraw(REGISTRAR, "RXH", "newcomer");
	stage_expect(stage_ask_as(stage, REGISTRAR, &request), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
}
END_TEST

START_TEST(an_invitation_lasts_14_days_at_the_most)
{
	const uint64_t longest_ms = stage->now_ms + ENROLMENT_MS_MAX;
	static const struct {
		int64_t off_ms;
		bool good;
	} ends[] = {{0, true}, {1, false}, {-(int64_t)ENROLMENT_MS_MAX, false}, {-(int64_t)ENROLMENT_MS_MAX + 1, true}};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const struct stage_reply *got = stage_act(
			stage, REGISTRAR, REGISTRAR, stage->now_ms,
			invite_request(code, "RXH", "newcomer", longest_ms + (uint64_t)ends[i].off_ms));
		if (ends[i].good)
			stage_expect_ok(got);
		else
			stage_expect(got, INVALID_VALUE, "invalid_value");
	}
}
END_TEST

START_TEST(one_code_does_not_serve_two_invitations)
{
	invite_newcomer();
	stage_expect(invite(REGISTRAR, code, "RXH", "second"), INVALID_VALUE, "invalid_value");
	const struct stage_reply *again = invite(REGISTRAR, code, "RXH", "newcomer");
	stage_expect_ok(again);
	ck_assert(again->reply->enrol_invite->replaced);
}
END_TEST

START_TEST(withdrawing_says_whether_there_was_anything_to_withdraw)
{
	ck_assert(!withdraw(REGISTRAR, "RXH", "newcomer")->reply->enrol_withdraw->withdrawn);
	invite_newcomer();
	ck_assert(withdraw(REGISTRAR, "RXH", "newcomer")->reply->enrol_withdraw->withdrawn);
	ck_assert(!withdraw(REGISTRAR, "RXH", "newcomer")->reply->enrol_withdraw->withdrawn);
	const struct stage_reply *again = invite_newcomer();
	ck_assert(!again->reply->enrol_invite->replaced);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

START_TEST(there_are_1024_open_invitations_at_the_most_and_the_list_comes_in_pages_of_100)
{
	uint8_t many[ENROLMENT_CODE_BYTES] = {9};
	char name[32];
	for (unsigned i = 0; i < ENROLMENTS_MAX; i++) {
		memcpy(many + 1, &i, sizeof i);
		snprintf(name, sizeof name, "system %u", i);
		stage_expect_ok(invite(NATIONAL_REGISTRAR, many, i % 2 == 0 ? "RXH" : "383", name));
	}
	stage_expect(invite(REGISTRAR, code, "RXH", "newcomer"), TOO_MANY_REQUESTS, "enrolments_full");
	const struct stage_reply *got = list(REGISTRAR);
	ck_assert_uint_eq(got->reply->enrol_list->n_enrolments, PAGE_ITEMS_MAX);
	ck_assert(got->reply->enrol_list->more);
	ck_assert_str_eq(got->reply->enrol_list->enrolments[1]->system_name, "system 2");
	// One that is replaced takes no place; one that ended gives its own.
	stage_expect_ok(invite(REGISTRAR, code, "RXH", "system 8"));
	stage_expect_ok(withdraw(REGISTRAR, "RXH", "system 10"));
	stage_expect_ok(invite(REGISTRAR, other_code, "RXH", "newcomer"));
	memcpy(many + 1, &(unsigned){12}, sizeof(unsigned));
	stage_expect(invite(REGISTRAR, many, "RXH", "system 10"), INVALID_VALUE, "invalid_value");
	stage_restart(stage);
	expect_state(ask_there(STAGE_NEWCOMER, enrol_request(other_code, "RXH", "newcomer")), WAITING);
	stage_expect(invite(REGISTRAR, (uint8_t[ENROLMENT_CODE_BYTES]){7}, "RXH", "system 10"), TOO_MANY_REQUESTS,
		     "enrolments_full");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, a_registrar_invites_for_the_own_organisation_and_a_national_one_for_any_in_the_register);
	tcase_add_test(tests, others_may_neither_invite_nor_withdraw_nor_see);
	tcase_add_test(tests, inviting_and_withdrawing_need_the_persons_own_signature);
	tcase_add_test(tests, an_invitation_lasts_14_days_at_the_most);
	tcase_add_test(tests, one_code_does_not_serve_two_invitations);
	tcase_add_test(tests, withdrawing_says_whether_there_was_anything_to_withdraw);
	tcase_add_test(tests, there_are_1024_open_invitations_at_the_most_and_the_list_comes_in_pages_of_100);
}

int main(void)
{
	return suite_run_group("enrolment_invitations", raise_curtain, drop_curtain, 120, add);
}
