// Scenarios of breaking the glass, of reasons that must be stated, and of the alerts that follow.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/stage.h"

#define WHY "child collapsed in the dental clinic"
#define FOUND "spoke to the consultant, it was an emergency"

static struct stage *stage;
static Cpis__V1__DetailsRequest details_body;
static Cpis__V1__AlertListRequest list_body;
static Cpis__V1__AlertReviewRequest review_body;
static Cpis__V1__Request request;

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, CONSULTANT);
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// In dentistry, which is not a care setting of that hospital.
static Cpis__V1__Request *break_request(const char *nhs_number, const char *why)
{
	cpis__v1__details_request__init(&details_body);
	cpis__v1__request__init(&request);
	details_body.nhs_number = (char *)(uintptr_t)nhs_number;
	details_body.care_setting = CPIS__V1__CARE_SETTING__DENTISTRY;
	details_body.reason = (char *)(uintptr_t)why;
	details_body.break_glass = true;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details_body;
	return &request;
}

static const struct stage_reply *break_glass(enum stage_person person, const char *nhs_number)
{
	return stage_act(stage, person, person, stage->now_ms, break_request(nhs_number, WHY));
}

static const struct stage_reply *alerts(enum stage_person person, bool include_reviewed)
{
	cpis__v1__alert_list_request__init(&list_body);
	cpis__v1__request__init(&request);
	list_body.include_reviewed = include_reviewed;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &list_body;
	return stage_ask_as(stage, person, &request);
}

static Cpis__V1__Request *review_request(uint64_t id)
{
	cpis__v1__alert_review_request__init(&review_body);
	cpis__v1__request__init(&request);
	review_body.id = id;
	review_body.finding = CPIS__V1__ALERT_FINDING__APPROPRIATE;
	review_body.words = (char *)(uintptr_t)FOUND;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_REVIEW;
	request.alert_review = &review_body;
	return &request;
}

static const struct stage_reply *review(enum stage_person person, uint64_t id)
{
	return stage_act(stage, person, person, stage->now_ms, review_request(id));
}

START_TEST(a_consultant_breaks_the_glass_and_everybody_who_must_know_is_told)
{
	const struct stage_reply *got = break_glass(CONSULTANT, stage_child(0));
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->details->n_plans, 1);
	ck_assert(got->reply->details->notified);
	ck_assert_str_eq(got->reply->rule, "roles R0050 activities L0104");
	uint64_t index = got->reply->receipt->index;
	// The authority.
	const struct stage_reply *inbox = stage_inbox(stage, LEEDS_WORKER);
	const Cpis__V1__AccessNotification *told = inbox->reply->inbox_list->items[0]->access;
	ck_assert(told->break_glass);
	ck_assert_str_eq(told->reason, WHY);
	ck_assert_int_eq(told->access->care_setting, CPIS__V1__CARE_SETTING__DENTISTRY);
	// The privacy officer: by a number only.
	const struct stage_reply *list = alerts(PRIVACY_OFFICER, false);
	stage_expect_ok(list);
	ck_assert_uint_eq(list->reply->alert_list->n_alerts, 1);
	ck_assert_uint_eq(list->reply->alert_list->open, 1);
	const Cpis__V1__Alert *alert = list->reply->alert_list->alerts[0];
	ck_assert_int_eq(alert->kind, CPIS__V1__ALERT_KIND__BREAK_GLASS);
	ck_assert_uint_eq(alert->audit_index, index);
	ck_assert_uint_eq(alert->created_ms, stage->now_ms);
	ck_assert_uint_eq(alert->reviewed_ms, 0);
	ck_assert_ptr_null(memmem(list->packed, list->packed_bytes, stage_uid(CONSULTANT), 12));
	// Who follows the number finds it all.
	const Cpis__V1__AuditDetail *detail = stage_shown(stage, PRIVACY_OFFICER, index)->detail;
	ck_assert(detail->break_glass);
	ck_assert_str_eq(detail->stated_reason, WHY);
	ck_assert_str_eq(detail->uid, stage_uid(CONSULTANT));
	ck_assert_str_eq(detail->rule, "roles R0050 activities L0104");
	ck_assert_uint_eq(detail->act_signature.len, SIGNATURE_BYTES);
}
END_TEST

START_TEST(it_needs_a_role_a_reason_and_ones_own_signature)
{
	stage_expect(break_glass(NURSE, stage_child(0)), ACCESS_DENIED, "break_glass_not_allowed");
	stage_expect(stage_ask_as(stage, CONSULTANT, break_request(stage_child(0), WHY)), AUTHOR_CREDENTIALS_ERROR,
		     "act_unsigned");
	stage_expect(stage_act(stage, CONSULTANT, NURSE, stage->now_ms, break_request(stage_child(0), WHY)),
		     AUTHOR_CREDENTIALS_ERROR, "act_signature");
	stage_expect(stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, break_request(stage_child(0), "")), INVALID_VALUE,
		     "reason_needed");
	stage_expect(stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, break_request(stage_child(0), "too short")),
		     MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	ck_assert_uint_eq(alerts(PRIVACY_OFFICER, true)->reply->alert_list->n_alerts, 0);
	ck_assert_uint_eq(stage_inbox(stage, LEEDS_WORKER)->reply->inbox_list->n_items, 0);
}
END_TEST

START_TEST(a_refused_attempt_is_recorded_with_its_reason_and_rule)
{
	const struct stage_reply *got = break_glass(NURSE, stage_child(0));
	const Cpis__V1__AuditDetail *detail = stage_shown(stage, PRIVACY_OFFICER, got->reply->receipt->index)->detail;
	ck_assert(detail->break_glass);
	ck_assert_str_eq(detail->stated_reason, WHY);
	ck_assert_str_eq(detail->rule, "operations details break_glass");
	ck_assert_str_eq(got->reply->rule, detail->rule);
}
END_TEST

START_TEST(it_is_on_the_list_though_nothing_is_known_of_the_child)
{
	const struct stage_reply *got = break_glass(CONSULTANT, stage_child(3));
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->details->n_plans, 0);
	ck_assert(!got->reply->details->notified);
	ck_assert_uint_eq(alerts(PRIVACY_OFFICER, false)->reply->alert_list->open, 1);
}
END_TEST

START_TEST(a_retry_alerts_once)
{
	uint8_t id[REQUEST_ID_BYTES] = {7};
	Cpis__V1__Request *same = break_request(stage_child(0), WHY);
	same->request_id = (ProtobufCBinaryData){sizeof id, id};
	stage_expect_ok(stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, same));
	same = break_request(stage_child(0), WHY);
	same->request_id = (ProtobufCBinaryData){sizeof id, id};
	stage_expect_ok(stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, same));
	ck_assert_uint_eq(alerts(PRIVACY_OFFICER, true)->reply->alert_list->n_alerts, 1);
}
END_TEST

START_TEST(an_alert_is_reviewed_once_by_somebody_else)
{
	stage_expect_ok(break_glass(CONSULTANT, stage_child(0)));
	// The consultant may review alerts, though not this one.
	stage_expect(review(CONSULTANT, 1), ACCESS_DENIED, "review_self");
	stage_expect(stage_ask_as(stage, PRIVACY_OFFICER, review_request(1)), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage_expect(review(PRIVACY_OFFICER, 2), NO_RECORD_FOUND, "no_such_alert");
	stage_expect(review(NURSE, 1), ACCESS_DENIED, "role_lacks_activity");
	stage->now_ms += STAGE_MINUTE_MS;
	const struct stage_reply *got = review(PRIVACY_OFFICER, 1);
	stage_expect_ok(got);
	ck_assert(got->reply->alert_review->reviewed);
	got = review(PRIVACY_OFFICER, 1);
	stage_expect_ok(got);
	ck_assert(!got->reply->alert_review->reviewed);
	ck_assert_uint_eq(alerts(PRIVACY_OFFICER, false)->reply->alert_list->n_alerts, 0);
	const Cpis__V1__AlertListReply *list = alerts(PRIVACY_OFFICER, true)->reply->alert_list;
	ck_assert_uint_eq(list->n_alerts, 1);
	ck_assert_uint_eq(list->open, 0);
	ck_assert_int_eq(list->alerts[0]->finding, CPIS__V1__ALERT_FINDING__APPROPRIATE);
	ck_assert_str_eq(list->alerts[0]->words, FOUND);
	ck_assert_uint_eq(list->alerts[0]->reviewed_ms, stage->now_ms);
	ck_assert_str_ne(list->alerts[0]->reviewed_by, "");
}
END_TEST

START_TEST(another_organisations_alerts_are_not_seen)
{
	stage_expect_ok(break_glass(CONSULTANT, stage_child(0)));
	stage_sign_in(stage, REVIEWER);
	ck_assert_uint_eq(alerts(REVIEWER, true)->reply->alert_list->n_alerts, 0);
	stage_expect(review(REVIEWER, 1), NO_RECORD_FOUND, "no_such_alert");
	// And they are not among the notifications.
	ck_assert_uint_eq(stage_inbox(stage, LEEDS_WORKER)->reply->inbox_list->n_items, 1);
}
END_TEST

START_TEST(a_failed_commit_leaves_neither_answer_nor_alert)
{
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(break_glass(CONSULTANT, stage_child(0)), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	ck_assert_uint_eq(alerts(PRIVACY_OFFICER, true)->reply->alert_list->n_alerts, 0);
}
END_TEST

START_TEST(a_failure_at_any_call_leaves_neither_answer_nor_alert)
{
	uint64_t n = 1;
	for (;; n++) {
		stage->now_ms += STAGE_MINUTE_MS;
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		if (break_glass(CONSULTANT, stage_child(0))->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		fault_store_mend(&stage->fault);
		ck_assert_uint_eq(alerts(PRIVACY_OFFICER, true)->reply->alert_list->n_alerts, 0);
	}
	ck_assert_uint_gt(n, 10);
	fault_store_mend(&stage->fault);
	ck_assert_uint_eq(alerts(PRIVACY_OFFICER, true)->reply->alert_list->n_alerts, 1);
}
END_TEST

START_TEST(a_reason_that_was_stated_is_kept_and_told)
{
	Cpis__V1__DetailsRequest body = CPIS__V1__DETAILS_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.nhs_number = (char *)(uintptr_t)stage_child(0);
	body.reason = (char *)(uintptr_t) "fell from a swing";
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &body;
	const struct stage_reply *got = stage_ask_as(stage, NURSE, &request);
	stage_expect_ok(got);
	ck_assert_str_eq(stage_inbox(stage, LEEDS_WORKER)->reply->inbox_list->items[0]->access->reason, "fell from a swing");
	ck_assert_str_eq(stage_shown(stage, PRIVACY_OFFICER, got->reply->receipt->index)->detail->stated_reason, "fell from a swing");
}
END_TEST

START_TEST(nobody_opens_details_more_often_than_the_policy_allows)
{
	stage->now_ms += STAGE_HOUR_MS - stage->now_ms % STAGE_HOUR_MS;
	stage_sign_in(stage, NURSE);
	for (int i = 0; i < 60; i++)
		stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	const struct stage_reply *got = stage_details(stage, NURSE, stage_child(0));
	stage_expect(got, TOO_MANY_REQUESTS, "person_rate");
	ck_assert_uint_gt(got->reply->retry_after_ms, 0);
	ck_assert_ptr_nonnull(got->reply->receipt);
	// Others are not held up, and the flag has a bound of its own.
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_sign_in(stage, OTHER_NURSE);
	stage_expect_ok(stage_details(stage, OTHER_NURSE, stage_child(0)));
	// Half a minute into the next one, half of the last one still counts.
	stage->now_ms += STAGE_MINUTE_MS + STAGE_MINUTE_MS / 2;
	for (int i = 0; i < 30; i++)
		stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	stage_expect(stage_details(stage, NURSE, stage_child(0)), TOO_MANY_REQUESTS, "person_rate");
	stage->now_ms += 2 * STAGE_MINUTE_MS;
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("break_glass");
	TCase *tests = tcase_create("break_glass");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, a_consultant_breaks_the_glass_and_everybody_who_must_know_is_told);
	tcase_add_test(tests, it_needs_a_role_a_reason_and_ones_own_signature);
	tcase_add_test(tests, a_refused_attempt_is_recorded_with_its_reason_and_rule);
	tcase_add_test(tests, it_is_on_the_list_though_nothing_is_known_of_the_child);
	tcase_add_test(tests, a_retry_alerts_once);
	tcase_add_test(tests, an_alert_is_reviewed_once_by_somebody_else);
	tcase_add_test(tests, another_organisations_alerts_are_not_seen);
	tcase_add_test(tests, a_failed_commit_leaves_neither_answer_nor_alert);
	tcase_add_test(tests, a_failure_at_any_call_leaves_neither_answer_nor_alert);
	tcase_add_test(tests, a_reason_that_was_stated_is_kept_and_told);
	tcase_add_test(tests, nobody_opens_details_more_often_than_the_policy_allows);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
