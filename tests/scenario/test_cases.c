// Scenarios of alerts as cases: given to somebody, noted, decided, closed; who did what is kept, and nobody looks into an
// access of their own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/stage.h"

#define WHY "child collapsed in the dental clinic"
#define WORDS "spoke to the consultant on the ward"

static struct stage *stage;
static Cpis__V1__Request request;
static Cpis__V1__AlertReviewRequest review_body;
static Cpis__V1__AlertCloseRequest close_body;

static void break_glass(void)
{
	Cpis__V1__DetailsRequest body = CPIS__V1__DETAILS_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.nhs_number = (char *)(uintptr_t)stage_child(0);
	body.care_setting = CPIS__V1__CARE_SETTING__DENTISTRY;
	body.reason = (char *)(uintptr_t)WHY;
	body.break_glass = true;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &body;
	stage_expect_ok(stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, &request));
}

// One alert, about the consultant.
static void raise_curtain(void)
{
	stage = stage_new();
	stage_set_detection(stage, "");
	stage_sign_in(stage, CONSULTANT);
	stage_sign_in(stage, PRIVACY_OFFICER);
	break_glass();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static const struct stage_reply *show(enum stage_person person, uint64_t id)
{
	Cpis__V1__AlertShowRequest body = CPIS__V1__ALERT_SHOW_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.id = id;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_SHOW;
	request.alert_show = &body;
	return stage_ask_as(stage, person, &request);
}

static const Cpis__V1__Alert *shown(void)
{
	const struct stage_reply *got = show(PRIVACY_OFFICER, 1);
	stage_expect_ok(got);
	return got->reply->alert_show->alert;
}

static const struct stage_reply *assign(enum stage_person person, uint64_t id, const char *uid)
{
	Cpis__V1__AlertAssignRequest body = CPIS__V1__ALERT_ASSIGN_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.id = id;
	body.uid = (char *)(uintptr_t)uid;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_ASSIGN;
	request.alert_assign = &body;
	return stage_ask_as(stage, person, &request);
}

static const struct stage_reply *note(enum stage_person person, uint64_t id)
{
	Cpis__V1__AlertNoteRequest body = CPIS__V1__ALERT_NOTE_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.id = id;
	body.words = (char *)(uintptr_t)WORDS;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_NOTE;
	request.alert_note = &body;
	return stage_ask_as(stage, person, &request);
}

static Cpis__V1__Request *review_request(Cpis__V1__AlertFinding finding, bool keep_open)
{
	cpis__v1__alert_review_request__init(&review_body);
	cpis__v1__request__init(&request);
	review_body.id = 1;
	review_body.finding = finding;
	review_body.words = (char *)(uintptr_t)WORDS;
	review_body.keep_open = keep_open;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_REVIEW;
	request.alert_review = &review_body;
	return &request;
}

static const struct stage_reply *review(enum stage_person person, Cpis__V1__AlertFinding finding, bool keep_open)
{
	return stage_act(stage, person, person, stage->now_ms, review_request(finding, keep_open));
}

static Cpis__V1__Request *close_request(void)
{
	cpis__v1__alert_close_request__init(&close_body);
	cpis__v1__request__init(&request);
	close_body.id = 1;
	close_body.words = (char *)(uintptr_t)WORDS;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_CLOSE;
	request.alert_close = &close_body;
	return &request;
}

static const struct stage_reply *end(enum stage_person person)
{
	return stage_act(stage, person, person, stage->now_ms, close_request());
}

static const Cpis__V1__AlertListReply *list(bool all, uint32_t limit)
{
	Cpis__V1__AlertListRequest body = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.include_reviewed = all;
	body.limit = limit;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &body;
	const struct stage_reply *got = stage_ask_as(stage, PRIVACY_OFFICER, &request);
	stage_expect_ok(got);
	return got->reply->alert_list;
}

static void expect_step(const Cpis__V1__Alert *alert, size_t n, Cpis__V1__AlertStepKind kind, const char *words)
{
	ck_assert_uint_lt(n, alert->n_steps);
	ck_assert_int_eq(alert->steps[n]->kind, kind);
	ck_assert_str_eq(alert->steps[n]->words, words);
	ck_assert_str_ne(alert->steps[n]->by, "");
	ck_assert_uint_ne(alert->steps[n]->time_ms, 0);
	if (n > 0)
		ck_assert_uint_gt(alert->steps[n]->audit_index, alert->steps[n - 1]->audit_index);
}

START_TEST(a_case_goes_from_open_to_closed_and_keeps_every_step)
{
	ck_assert_int_eq(shown()->state, CPIS__V1__ALERT_STATE__ALERT_OPEN);
	const struct stage_reply *got = assign(PRIVACY_OFFICER, 1, stage_uid(PRIVACY_OFFICER));
	stage_expect_ok(got);
	ck_assert_int_eq(got->reply->alert_assign->alert->state, CPIS__V1__ALERT_STATE__ALERT_ASSIGNED);
	ck_assert_str_eq(got->reply->alert_assign->alert->assigned_to, stage_uid(PRIVACY_OFFICER));
	stage->now_ms += STAGE_MINUTE_MS;
	stage_expect_ok(note(PRIVACY_OFFICER, 1));
	got = review(PRIVACY_OFFICER, CPIS__V1__ALERT_FINDING__NEAR_MISS, true);
	stage_expect_ok(got);
	ck_assert(got->reply->alert_review->reviewed);
	const Cpis__V1__Alert *alert = shown();
	ck_assert_int_eq(alert->state, CPIS__V1__ALERT_STATE__ALERT_DECIDED);
	ck_assert_uint_eq(alert->reviewed_ms, stage->now_ms);
	ck_assert_uint_eq(alert->closed_ms, 0);
	ck_assert_uint_eq(list(false, 0)->open, 1);
	// What is decided stays decided, and notes can still be added.
	ck_assert(!review(PRIVACY_OFFICER, CPIS__V1__ALERT_FINDING__APPROPRIATE, false)->reply->alert_review->reviewed);
	stage_expect_ok(note(PRIVACY_OFFICER, 1));
	got = end(PRIVACY_OFFICER);
	stage_expect_ok(got);
	ck_assert(got->reply->alert_close->closed);
	ck_assert(!end(PRIVACY_OFFICER)->reply->alert_close->closed);
	ck_assert_uint_eq(list(false, 0)->open, 0);
	alert = shown();
	ck_assert_int_eq(alert->state, CPIS__V1__ALERT_STATE__ALERT_CLOSED);
	ck_assert_uint_eq(alert->closed_ms, stage->now_ms);
	ck_assert_uint_eq(alert->n_steps, 5);
	expect_step(alert, 0, CPIS__V1__ALERT_STEP_KIND__STEP_ASSIGNED, stage_uid(PRIVACY_OFFICER));
	expect_step(alert, 1, CPIS__V1__ALERT_STEP_KIND__STEP_NOTE, WORDS);
	expect_step(alert, 2, CPIS__V1__ALERT_STEP_KIND__STEP_OUTCOME, WORDS);
	expect_step(alert, 3, CPIS__V1__ALERT_STEP_KIND__STEP_NOTE, WORDS);
	expect_step(alert, 4, CPIS__V1__ALERT_STEP_KIND__STEP_CLOSED, WORDS);
	ck_assert_int_eq(alert->steps[2]->finding, CPIS__V1__ALERT_FINDING__NEAR_MISS);
}
END_TEST

START_TEST(a_review_by_itself_closes_the_case)
{
	stage_expect_ok(review(PRIVACY_OFFICER, CPIS__V1__ALERT_FINDING__BREACH, false));
	const Cpis__V1__Alert *alert = shown();
	ck_assert_int_eq(alert->state, CPIS__V1__ALERT_STATE__ALERT_CLOSED);
	ck_assert_int_eq(alert->finding, CPIS__V1__ALERT_FINDING__BREACH);
	ck_assert_uint_eq(alert->closed_ms, alert->reviewed_ms);
	stage_expect(note(PRIVACY_OFFICER, 1), INVALID_REQUEST_STATE, "alert_closed");
	stage_expect(assign(PRIVACY_OFFICER, 1, stage_uid(PRIVACY_OFFICER)), INVALID_REQUEST_STATE, "alert_closed");
	// Listed on demand, without its steps.
	const Cpis__V1__AlertListReply *all = list(true, 0);
	ck_assert_uint_eq(all->n_alerts, 1);
	ck_assert_uint_eq(all->alerts[0]->n_steps, 0);
	ck_assert_int_eq(all->alerts[0]->state, CPIS__V1__ALERT_STATE__ALERT_CLOSED);
}
END_TEST

START_TEST(nobody_looks_into_an_access_of_their_own)
{
	stage_expect(show(CONSULTANT, 1), ACCESS_DENIED, "review_self");
	stage_expect(note(CONSULTANT, 1), ACCESS_DENIED, "review_self");
	stage_expect(assign(CONSULTANT, 1, stage_uid(PRIVACY_OFFICER)), ACCESS_DENIED, "review_self");
	stage_expect(review(CONSULTANT, CPIS__V1__ALERT_FINDING__APPROPRIATE, false), ACCESS_DENIED, "review_self");
	stage_expect(end(CONSULTANT), ACCESS_DENIED, "review_self");
	ck_assert_uint_eq(shown()->n_steps, 0);
}
END_TEST

START_TEST(a_case_is_given_to_colleagues_and_not_to_whom_it_is_about)
{
	stage_expect(assign(PRIVACY_OFFICER, 1, stage_uid(CONSULTANT)), INVALID_VALUE, "alert_assignee");
	stage_expect(assign(PRIVACY_OFFICER, 1, stage_uid(LEEDS_WORKER)), INVALID_VALUE, "alert_assignee");
	stage_expect(assign(PRIVACY_OFFICER, 1, "555999999999"), INVALID_VALUE, "alert_assignee");
	stage_expect_ok(assign(PRIVACY_OFFICER, 1, stage_uid(REGISTRAR)));
	stage_expect_ok(assign(PRIVACY_OFFICER, 1, stage_uid(PRIVACY_OFFICER)));
	ck_assert_uint_eq(shown()->n_steps, 2);
}
END_TEST

START_TEST(what_decides_is_signed_and_in_order)
{
	stage_expect(stage_ask_as(stage, PRIVACY_OFFICER, review_request(CPIS__V1__ALERT_FINDING__BREACH, true)),
		     AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage_expect(stage_ask_as(stage, PRIVACY_OFFICER, close_request()), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage_expect(end(PRIVACY_OFFICER), INVALID_REQUEST_STATE, "alert_undecided");
}
END_TEST

START_TEST(another_organisations_cases_are_not_there)
{
	stage_sign_in(stage, REVIEWER);
	stage_expect(show(REVIEWER, 1), NO_RECORD_FOUND, "no_such_alert");
	stage_expect(note(REVIEWER, 1), NO_RECORD_FOUND, "no_such_alert");
	stage_expect(assign(REVIEWER, 1, stage_uid(REVIEWER)), NO_RECORD_FOUND, "no_such_alert");
	stage_expect(end(REVIEWER), NO_RECORD_FOUND, "no_such_alert");
	stage_expect(show(PRIVACY_OFFICER, 2), NO_RECORD_FOUND, "no_such_alert");
}
END_TEST

START_TEST(a_full_case_still_gets_its_outcome_and_its_end)
{
	for (unsigned i = 0; i < ALERT_STEPS_MAX - 2; i++)
		stage_expect_ok(note(PRIVACY_OFFICER, 1));
	stage_expect(note(PRIVACY_OFFICER, 1), INVALID_REQUEST_STATE, "alert_full");
	stage_expect(assign(PRIVACY_OFFICER, 1, stage_uid(PRIVACY_OFFICER)), INVALID_REQUEST_STATE, "alert_full");
	stage_expect_ok(review(PRIVACY_OFFICER, CPIS__V1__ALERT_FINDING__APPROPRIATE, true));
	stage_expect_ok(end(PRIVACY_OFFICER));
	ck_assert_uint_eq(shown()->n_steps, ALERT_STEPS_MAX);
}
END_TEST

START_TEST(a_note_that_is_sent_again_is_one_note)
{
	uint8_t id[REQUEST_ID_BYTES] = {9};
	Cpis__V1__AlertNoteRequest body = CPIS__V1__ALERT_NOTE_REQUEST__INIT;
	body.id = 1;
	body.words = (char *)(uintptr_t)WORDS;
	for (unsigned i = 0; i < 2; i++) {
		cpis__v1__request__init(&request);
		request.request_id = (ProtobufCBinaryData){sizeof id, id};
		request.body_case = CPIS__V1__REQUEST__BODY_ALERT_NOTE;
		request.alert_note = &body;
		stage_expect_ok(stage_ask_as(stage, PRIVACY_OFFICER, &request));
	}
	ck_assert_uint_eq(shown()->n_steps, 1);
}
END_TEST

START_TEST(a_page_of_alerts_fits_its_reply_and_says_that_there_are_more)
{
	for (unsigned i = 0; i < 2; i++) {
		stage->now_ms += STAGE_MINUTE_MS;
		break_glass();
	}
	const Cpis__V1__AlertListReply *page = list(false, 2);
	ck_assert_uint_eq(page->n_alerts, 2);
	ck_assert(page->more);
	page = list(false, 0);
	ck_assert_uint_eq(page->n_alerts, 3);
	ck_assert(!page->more);
}
END_TEST

START_TEST(a_failure_at_any_call_leaves_the_case_as_it_was)
{
	uint64_t n = 1;
	for (;; n++) {
		stage->now_ms += STAGE_MINUTE_MS;
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		if (review(PRIVACY_OFFICER, CPIS__V1__ALERT_FINDING__BREACH, false)->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		fault_store_mend(&stage->fault);
		ck_assert_int_eq(shown()->state, CPIS__V1__ALERT_STATE__ALERT_OPEN);
		ck_assert_uint_eq(shown()->n_steps, 0);
	}
	ck_assert_uint_gt(n, 6);
	fault_store_mend(&stage->fault);
	ck_assert_uint_eq(shown()->n_steps, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cases");
	TCase *tests = tcase_create("cases");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, a_case_goes_from_open_to_closed_and_keeps_every_step);
	tcase_add_test(tests, a_review_by_itself_closes_the_case);
	tcase_add_test(tests, nobody_looks_into_an_access_of_their_own);
	tcase_add_test(tests, a_case_is_given_to_colleagues_and_not_to_whom_it_is_about);
	tcase_add_test(tests, what_decides_is_signed_and_in_order);
	tcase_add_test(tests, another_organisations_cases_are_not_there);
	tcase_add_test(tests, a_full_case_still_gets_its_outcome_and_its_end);
	tcase_add_test(tests, a_note_that_is_sent_again_is_one_note);
	tcase_add_test(tests, a_page_of_alerts_fits_its_reply_and_says_that_there_are_more);
	tcase_add_test(tests, a_failure_at_any_call_leaves_the_case_as_it_was);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
