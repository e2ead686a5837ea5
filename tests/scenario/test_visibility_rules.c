// What a look shows: which plans, whom to ring, who else looked, who is told; and that nothing tells a number nobody
// knows from one that is not shown.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define LAC CPIS__V1__PLAN_TYPE__LAC
#define UCPP CPIS__V1__PLAN_TYPE__UCPP

static struct stage *stage;
static const char *child;

static void sign_all_in(void)
{
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, SCHOOL_NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_sign_in(stage, BRIGHTON_WORKER);
}

static void raise_curtain(void)
{
	stage = stage_new();
	stage_set_inbox(stage, STAGE_LEEDS, "{same_look_minutes: 0}"); // each look is told
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0}"); // each look is told
	child = stage_child(0);
	sign_all_in();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// What the details show; the flag must say the same.
static const Cpis__V1__DetailsReply *look(const char *nhs_number)
{
	const struct stage_reply *flag = stage_flag(stage, NURSE, nhs_number);
	const struct stage_reply *details = stage_details(stage, NURSE, nhs_number);
	stage_expect_ok(flag);
	stage_expect_ok(details);
	ck_assert_int_eq(flag->reply->flag->flag, details->reply->details->n_plans > 0);
	ck_assert_str_eq(flag->reply->flag->notice, details->reply->details->notice);
	return details->reply->details;
}

static void expect_one(const char *nhs_number, Cpis__V1__PlanStatus status)
{
	const Cpis__V1__DetailsReply *shown = look(nhs_number);
	ck_assert_uint_eq(shown->n_plans, 1);
	ck_assert_int_eq(shown->plans[0]->status, status);
}

static void expect_none(const char *nhs_number)
{
	const Cpis__V1__DetailsReply *shown = look(nhs_number);
	ck_assert_uint_eq(shown->n_plans, 0);
	ck_assert_uint_eq(shown->n_accesses, 0);
	ck_assert(!shown->notified);
}

static uint64_t told(enum stage_person worker)
{
	const struct stage_reply *got = stage_inbox(stage, worker);
	stage_expect_ok(got);
	return got->reply->inbox_list->unacknowledged;
}

// ------------------------------------------------------------------ which plans

START_TEST(an_open_plan_is_shown_from_its_first_day_on)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-10-20", NULL, NULL);
	expect_one(child, CPIS__V1__PLAN_STATUS__CURRENT);
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2026-10-21", NULL, NULL);
	expect_none(stage_child(1));
}
END_TEST

START_TEST(a_day_begins_at_midnight_in_england)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-10-21", NULL, NULL);
	stage->now_ms = STAGE_NOW_MS + 13u * STAGE_HOUR_MS + 29u * STAGE_MINUTE_MS; // 22:59 UTC, 23:59 BST
	sign_all_in();
	expect_none(child);
	stage->now_ms += STAGE_MINUTE_MS;
	expect_one(child, CPIS__V1__PLAN_STATUS__CURRENT);
}
END_TEST

START_TEST(an_ended_plan_is_shown_for_12_months_to_the_day)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2025-02-03", "2025-10-20", NULL);
	expect_one(child, CPIS__V1__PLAN_STATUS__ENDED);
	stage->now_ms += STAGE_DAY_MS;
	sign_all_in();
	expect_none(child);
}
END_TEST

START_TEST(a_plan_that_ends_today_has_ended_and_one_that_ends_tomorrow_has_not)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", "2026-10-21", NULL);
	expect_one(child, CPIS__V1__PLAN_STATUS__CURRENT);
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", "2026-10-20", NULL);
	expect_one(child, CPIS__V1__PLAN_STATUS__ENDED);
}
END_TEST

START_TEST(a_withdrawn_plan_is_not_shown)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	expect_one(child, CPIS__V1__PLAN_STATUS__CURRENT);
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, "2026-10-20");
	expect_none(child);
}
END_TEST

START_TEST(plans_of_two_authorities_are_shown_together_current_and_latest_first)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-09-01", "2026-10-01", NULL);
	stage_publish(stage, LEEDS_WORKER, child, LAC, "2026-03-01", NULL, NULL);
	stage_publish(stage, BRIGHTON_WORKER, child, CPP, "2026-05-01", NULL, NULL);
	const Cpis__V1__DetailsReply *shown = look(child);
	ck_assert_uint_eq(shown->n_plans, 3);
	ck_assert_int_eq(shown->plans[0]->type, CPP);
	ck_assert_str_eq(shown->plans[0]->authority->organisation, "846");
	ck_assert_str_eq(shown->plans[0]->authority->name, "The brighton");
	ck_assert_int_eq(shown->plans[1]->type, LAC);
	ck_assert_str_eq(shown->plans[1]->authority->organisation, "383");
	ck_assert_int_eq(shown->plans[2]->status, CPIS__V1__PLAN_STATUS__ENDED);
	ck_assert_str_eq(shown->plans[2]->end_date, "2026-10-01");
}
END_TEST

START_TEST(an_unborn_childs_plan_is_found_under_the_mothers_number)
{
	stage_publish(stage, BRIGHTON_WORKER, child, UCPP, "2026-08-01", NULL, NULL);
	const Cpis__V1__DetailsReply *shown = look(child);
	ck_assert_uint_eq(shown->n_plans, 1);
	ck_assert_int_eq(shown->plans[0]->type, UCPP);
}
END_TEST

// ------------------------------------------------------------------ no record

START_TEST(nothing_tells_an_unknown_number_from_one_that_is_not_shown)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2026-10-22", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(2), CPP, "2025-01-01", "2025-10-20", NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(3), CPP, "2026-02-03", NULL, NULL);
	look(stage_child(3)); // there is a history, too
	stage_publish(stage, LEEDS_WORKER, stage_child(3), CPP, "2026-02-03", NULL, "2026-10-20");
	stage->now_ms += STAGE_DAY_MS; // the second one's 12 months are over
	sign_all_in();
	const struct stage_reply *unknown_flag = stage_flag(stage, NURSE, child);
	const struct stage_reply *unknown = stage_details(stage, NURSE, child);
	for (size_t i = 1; i <= 3; i++) {
		ck_assert(stage_same_body(unknown_flag, stage_flag(stage, NURSE, stage_child(i))));
		ck_assert(stage_same_body(unknown, stage_details(stage, NURSE, stage_child(i))));
	}
	ck_assert_str_ne(unknown->reply->details->notice, "");
	ck_assert_uint_eq(told(LEEDS_WORKER), 1);
}
END_TEST

// ------------------------------------------------------------------ whom to ring

static const Cpis__V1__Authority *ring_at(uint64_t now_ms)
{
	stage->now_ms = now_ms;
	stage_sign_in(stage, NURSE);
	return look(child)->plans[0]->authority;
}

START_TEST(the_number_to_ring_follows_the_english_clock)
{
	const uint64_t midnight = STAGE_NOW_MS - STAGE_NOW_MS % STAGE_DAY_MS; // Tuesday, UTC; BST until Sunday
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	const struct {
		uint64_t minutes;
		bool office;
	} cases[] = {
		{7 * 60 + 59, false}, {8 * 60, true}, {15 * 60 + 59, true}, {16 * 60, false}, // BST
		{4 * 1440 + 10 * 60, false}, {5 * 1440 + 10 * 60, false},                     // the weekend
		{6 * 1440 + 8 * 60 + 59, false}, {6 * 1440 + 9 * 60, true},                   // Monday, GMT
		{6 * 1440 + 16 * 60 + 59, true}, {6 * 1440 + 17 * 60, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const Cpis__V1__Authority *authority = ring_at(midnight + cases[i].minutes * STAGE_MINUTE_MS);
		ck_assert_int_eq(authority->office_hours_now, cases[i].office);
		ck_assert_str_eq(authority->ring_now, cases[i].office ? "01273 290400" : "01273 335905");
		ck_assert_str_eq(authority->emergency_duty_telephone, "01273 335905");
		ck_assert_str_eq(authority->office_hours_telephone, "01273 290400");
	}
}
END_TEST

START_TEST(without_an_office_number_the_duty_team_is_rung_at_any_hour)
{
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	contacts.emergency_duty_telephone = (char *)(uintptr_t)"01273 335905";
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	stage_expect_ok(stage_ask_as(stage, LEEDS_WORKER, &request));
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	const Cpis__V1__Authority *authority = look(child)->plans[0]->authority;
	ck_assert_str_eq(authority->ring_now, "01273 335905");
	ck_assert(!authority->office_hours_now);
}
END_TEST

START_TEST(freshness_is_the_authoritys_last_publication)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	stage->now_ms += 7u * STAGE_MINUTE_MS;
	ck_assert_uint_eq(look(child)->plans[0]->authority->last_published_ms, STAGE_NOW_MS);
	stage_publish(stage, BRIGHTON_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	ck_assert_uint_eq(look(child)->plans[0]->authority->last_published_ms, STAGE_NOW_MS);
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2026-02-03", NULL, NULL);
	const Cpis__V1__DetailsReply *shown = look(child);
	ck_assert_uint_eq(shown->plans[0]->authority->last_published_ms, stage->now_ms);
	ck_assert_uint_eq(shown->assembled_ms, stage->now_ms);
}
END_TEST

// ------------------------------------------------------------------ who else looked, who is told

START_TEST(the_25_newest_accesses_are_shown_without_this_one)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	ck_assert_uint_eq(look(child)->n_accesses, 0);
	for (int i = 0; i < 26; i++) {
		stage->now_ms += 1000;
		look(child);
	}
	uint64_t newest_ms = stage->now_ms;
	stage->now_ms += 1000;
	const Cpis__V1__DetailsReply *shown = look(child);
	ck_assert_uint_eq(shown->n_accesses, ACCESS_HISTORY_MAX);
	for (size_t i = 0; i < shown->n_accesses; i++)
		ck_assert_uint_eq(shown->accesses[i]->time_ms, newest_ms - i * 1000);
	const Cpis__V1__Access *access = shown->accesses[0];
	ck_assert_str_eq(access->name, "Person 1");
	ck_assert_str_eq(access->role_name, "Nurse Access");
	ck_assert_str_eq(access->organisation, "RXH");
	ck_assert_int_eq(access->care_setting, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
}
END_TEST

START_TEST(each_authority_whose_plan_was_shown_is_told_once_of_its_own_plans)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, child, LAC, "2026-03-01", NULL, NULL);
	stage_publish(stage, BRIGHTON_WORKER, child, CPP, "2026-12-01", NULL, NULL); // not shown yet
	const struct stage_reply *access = stage_details(stage, NURSE, child);
	stage_expect_ok(access);
	ck_assert(access->reply->details->notified);
	ck_assert_uint_eq(told(BRIGHTON_WORKER), 0);
	const struct stage_reply *inbox = stage_inbox(stage, LEEDS_WORKER);
	ck_assert_uint_eq(inbox->reply->inbox_list->n_items, 1);
	const Cpis__V1__AccessNotification *notification = inbox->reply->inbox_list->items[0]->access;
	ck_assert_str_eq(notification->nhs_number, child);
	ck_assert_uint_eq(notification->n_plan_types, 2);
	ck_assert_str_eq(notification->uid, stage_uid(NURSE));
	ck_assert_uint_eq(notification->audit_index, access->reply->receipt->index);
	ck_assert_uint_eq(notification->access->time_ms, stage->now_ms);
	stage_publish(stage, BRIGHTON_WORKER, child, CPP, "2024-02-03", "2026-01-01", NULL);
	stage_expect_ok(stage_details(stage, NURSE, child));
	ck_assert_uint_eq(told(LEEDS_WORKER), 2);
	ck_assert_uint_eq(told(BRIGHTON_WORKER), 1);
}
END_TEST

START_TEST(a_silent_look_and_a_flag_leave_no_trace_but_in_the_audit_log)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	details.nhs_number = (char *)(uintptr_t)child;
	details.access_type = CPIS__V1__ACCESS_TYPE__SCHEDULED;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	uint64_t before = stage_log_size(stage);
	const struct stage_reply *silent = stage_ask_as(stage, SCHOOL_NURSE, &request);
	stage_expect_ok(silent);
	ck_assert_uint_eq(silent->reply->details->n_plans, 1);
	ck_assert(!silent->reply->details->notified);
	stage_expect_ok(stage_flag(stage, NURSE, child));
	ck_assert_uint_eq(stage_log_size(stage), before + 2);
	ck_assert_uint_eq(told(LEEDS_WORKER), 0);
	ck_assert_uint_eq(look(child)->n_accesses, 0);
	ck_assert_uint_eq(told(LEEDS_WORKER), 1);
}
END_TEST

static const struct stage_reply *look_with(const char *birth_date)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = (char *)(uintptr_t)child;
	details.birth_date = (char *)(uintptr_t)birth_date;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	return stage_ask_as(stage, NURSE, &request);
}

START_TEST(another_birth_date_than_the_records_have_is_said_to_be_another)
{
	ck_assert(!look_with("2001-01-01")->reply->details->birth_date_differs); // nobody knows one
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-10-20", NULL, NULL);
	ck_assert(!look_with(STAGE_BIRTH_DATE)->reply->details->birth_date_differs);
	ck_assert(!look_with("")->reply->details->birth_date_differs);
	const struct stage_reply *other = look_with("2019-04-03");
	stage_expect_ok(other);
	ck_assert(other->reply->details->birth_date_differs && other->reply->details->n_plans == 1);
	stage_expect(look_with("2019-02-29"), INVALID_VALUE, "birth_date");
	stage_expect(look_with("4 March"), INVALID_VALUE, "birth_date");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("visibility_rules");
	TCase *all = tcase_create("looks");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, an_open_plan_is_shown_from_its_first_day_on);
	tcase_add_test(all, a_day_begins_at_midnight_in_england);
	tcase_add_test(all, an_ended_plan_is_shown_for_12_months_to_the_day);
	tcase_add_test(all, a_plan_that_ends_today_has_ended_and_one_that_ends_tomorrow_has_not);
	tcase_add_test(all, a_withdrawn_plan_is_not_shown);
	tcase_add_test(all, plans_of_two_authorities_are_shown_together_current_and_latest_first);
	tcase_add_test(all, an_unborn_childs_plan_is_found_under_the_mothers_number);
	tcase_add_test(all, nothing_tells_an_unknown_number_from_one_that_is_not_shown);
	tcase_add_test(all, the_number_to_ring_follows_the_english_clock);
	tcase_add_test(all, without_an_office_number_the_duty_team_is_rung_at_any_hour);
	tcase_add_test(all, freshness_is_the_authoritys_last_publication);
	tcase_add_test(all, the_25_newest_accesses_are_shown_without_this_one);
	tcase_add_test(all, each_authority_whose_plan_was_shown_is_told_once_of_its_own_plans);
	tcase_add_test(all, a_silent_look_and_a_flag_leave_no_trace_but_in_the_audit_log);
	tcase_add_test(all, another_birth_date_than_the_records_have_is_said_to_be_another);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
