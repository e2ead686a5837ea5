// Who may do what: every operation asked by every kind of role, and the rules of care settings and silent looks.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define ALLOWED ""
#define TYPE "organisation_type"
#define LACKS "role_lacks_activity"

static struct stage *stage;

static void raise_curtain(void)
{
	stage = stage_new();
	stage_set_inbox(stage, STAGE_LEEDS, "{same_look_minutes: 0}"); // each look is told
	for (int i = NURSE; i <= REVIEWER; i++)
		stage_sign_in(stage, (enum stage_person)i);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static const struct stage_reply *publish(enum stage_person person)
{
	struct stage_file file;
	stage_file_init(&file, person, 1);
	return stage_ask_as(stage, person, &file.request);
}

static const struct stage_reply *acknowledge(enum stage_person person)
{
	uint64_t ids[] = {77};
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.n_ids = 1;
	body.ids = ids;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	return stage_ask_as(stage, person, &request);
}

static const struct stage_reply *search(enum stage_person person)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	return stage_ask_as(stage, person, &request);
}

static const struct stage_reply *look(enum stage_person person, Cpis__V1__CareSetting setting, Cpis__V1__AccessType type)
{
	Cpis__V1__DetailsRequest body = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = (char *)(uintptr_t)stage_child(0);
	body.care_setting = setting;
	body.access_type = type;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &body;
	return stage_ask_as(stage, person, &request);
}

static void expect_decision(const struct stage_reply *got, const char *reason)
{
	ck_assert_str_eq(got->reply->reason_code, reason);
	ck_assert_int_eq(got->reply->outcome, reason[0] == '\0' ? CPIS__V1__OUTCOME__OK : CPIS__V1__OUTCOME__ACCESS_DENIED);
	if (reason[0] != '\0') {
		ck_assert_int_eq(got->reply->body_case, CPIS__V1__REPLY__BODY__NOT_SET);
		ck_assert_str_ne(got->reply->reason, "");
		ck_assert_uint_eq(got->record->person_tag.len, TAG_BYTES);
	}
}

START_TEST(each_role_may_do_what_the_policy_names_and_nothing_else)
{
	static const struct {
		enum stage_person person;
		const char *flag, *details, *publish, *list, *acknowledge, *search, *show;
	} rows[] = {
		{NURSE, ALLOWED, ALLOWED, TYPE, ALLOWED, ALLOWED, LACKS, LACKS},
		{RECEPTIONIST, LACKS, LACKS, TYPE, LACKS, LACKS, LACKS, LACKS},
		{PRIVACY_OFFICER, LACKS, LACKS, TYPE, LACKS, LACKS, ALLOWED, ALLOWED},
		{SCHOOL_NURSE, ALLOWED, ALLOWED, TYPE, ALLOWED, ALLOWED, LACKS, LACKS},
		{LEEDS_WORKER, TYPE, TYPE, ALLOWED, ALLOWED, ALLOWED, LACKS, LACKS},
		{BRIGHTON_DUTY, TYPE, TYPE, LACKS, ALLOWED, ALLOWED, LACKS, LACKS},
		{REVIEWER, TYPE, TYPE, TYPE, LACKS, LACKS, ALLOWED, ALLOWED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum stage_person person = rows[i].person;
		expect_decision(stage_flag(stage, person, stage_child(0)), rows[i].flag);
		expect_decision(stage_details(stage, person, stage_child(0)), rows[i].details);
		expect_decision(publish(person), rows[i].publish);
		expect_decision(stage_inbox(stage, person), rows[i].list);
		expect_decision(acknowledge(person), rows[i].acknowledge);
		expect_decision(search(person), rows[i].search);
		expect_decision(stage_show(stage, person, 0), rows[i].show);
	}
}
END_TEST

START_TEST(a_refused_look_notifies_nobody_and_is_found_by_the_childs_number)
{
	const struct stage_reply *refused = stage_details(stage, RECEPTIONIST, stage_child(0));
	expect_decision(refused, LACKS);
	const struct stage_reply *allowed = stage_details(stage, NURSE, stage_child(0));
	ck_assert_uint_eq(refused->record->subject_tag.len, TAG_BYTES);
	ck_assert_mem_eq(refused->record->subject_tag.data, allowed->record->subject_tag.data, TAG_BYTES);
	ck_assert_uint_eq(allowed->reply->details->n_accesses, 0);
	ck_assert_uint_eq(stage_inbox(stage, LEEDS_WORKER)->reply->inbox_list->unacknowledged, 1);
}
END_TEST

START_TEST(the_only_care_setting_need_not_be_named)
{
	const struct stage_reply *got = stage_details(stage, NURSE, stage_child(0));
	stage_expect_ok(got);
	const struct stage_reply *after = stage_details(stage, NURSE, stage_child(0));
	ck_assert_int_eq(after->reply->details->accesses[0]->care_setting, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
}
END_TEST

START_TEST(of_several_care_settings_one_must_be_named)
{
	stage_expect(stage_details(stage, MIDWIFE, stage_child(0)), INVALID_VALUE, "care_setting_needed");
	stage_expect(stage_flag(stage, MIDWIFE, stage_child(0)), INVALID_VALUE, "care_setting_needed");
	stage_expect_ok(look(MIDWIFE, CPIS__V1__CARE_SETTING__MATERNITY, CPIS__V1__ACCESS_TYPE__ACCESS_TYPE_UNSPECIFIED));
}
END_TEST

START_TEST(refuses_a_care_setting_that_is_not_the_organisations)
{
	const Cpis__V1__AccessType any = CPIS__V1__ACCESS_TYPE__ACCESS_TYPE_UNSPECIFIED;
	expect_decision(look(NURSE, CPIS__V1__CARE_SETTING__MATERNITY, any), "care_setting_not_in_scope");
	expect_decision(look(MIDWIFE, CPIS__V1__CARE_SETTING__AMBULANCE, any), "care_setting_not_in_scope");
	expect_decision(look(MIDWIFE, CPIS__V1__CARE_SETTING__SOCIAL_CARE, any), "care_setting_not_in_scope");
	ck_assert_str_ne(look(NURSE, (Cpis__V1__CareSetting)99, any)->reply->reason_code, "");
	ck_assert_str_ne(look(NURSE, (Cpis__V1__CareSetting)64, any)->reply->reason_code, "");
}
END_TEST

START_TEST(a_look_is_silent_only_when_asked_for_held_and_in_a_scheduled_setting)
{
	static const struct {
		enum stage_person person;
		Cpis__V1__CareSetting setting;
		Cpis__V1__AccessType type;
		bool notified;
	} cases[] = {
		{SCHOOL_NURSE, CPIS__V1__CARE_SETTING__SCHOOL_NURSING, CPIS__V1__ACCESS_TYPE__SCHEDULED, false},
		{SCHOOL_NURSE, CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED, CPIS__V1__ACCESS_TYPE__SCHEDULED, false},
		{SCHOOL_NURSE, CPIS__V1__CARE_SETTING__SCHOOL_NURSING, CPIS__V1__ACCESS_TYPE__UNSCHEDULED, true},
		{SCHOOL_NURSE, CPIS__V1__CARE_SETTING__SCHOOL_NURSING, CPIS__V1__ACCESS_TYPE__ACCESS_TYPE_UNSPECIFIED, true},
		{OTHER_NURSE, CPIS__V1__CARE_SETTING__SCHOOL_NURSING, CPIS__V1__ACCESS_TYPE__SCHEDULED, true},
		{MIDWIFE, CPIS__V1__CARE_SETTING__MATERNITY, CPIS__V1__ACCESS_TYPE__SCHEDULED, true},
		{MIDWIFE, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, CPIS__V1__ACCESS_TYPE__SCHEDULED, true},
		{MIDWIFE, CPIS__V1__CARE_SETTING__GP_IN_HOURS, CPIS__V1__ACCESS_TYPE__SCHEDULED, false},
		{NURSE, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, CPIS__V1__ACCESS_TYPE__SCHEDULED, true},
	};
	uint64_t told = 0;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct stage_reply *got = look(cases[i].person, cases[i].setting, cases[i].type);
		stage_expect_ok(got);
		ck_assert_int_eq(got->reply->details->notified, cases[i].notified);
		ck_assert_uint_eq(got->reply->details->n_accesses, told);
		told += cases[i].notified;
		ck_assert_uint_eq(stage_inbox(stage, LEEDS_WORKER)->reply->inbox_list->unacknowledged, told);
		const struct stage_reply *record = stage_show(stage, REVIEWER, got->reply->receipt->index);
		const Cpis__V1__AuditDetail *detail = record->reply->audit_show->entry->detail;
		ck_assert_int_eq(detail->notified, cases[i].notified);
		ck_assert_int_eq(detail->access_type, cases[i].notified ? CPIS__V1__ACCESS_TYPE__UNSCHEDULED
									 : CPIS__V1__ACCESS_TYPE__SCHEDULED);
		// Asked for silence and not given: the record says so.
		bool turned = cases[i].notified && cases[i].type == CPIS__V1__ACCESS_TYPE__SCHEDULED;
		ck_assert_int_eq(detail->reason[0] != '\0', turned);
	}
}
END_TEST

START_TEST(refuses_to_publish_for_another_authority)
{
	struct stage_file file;
	stage_file_init(&file, LEEDS_WORKER, 1);
	file.publish.authority = (char *)(uintptr_t)"846";
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &file.request);
	expect_decision(got, "other_authority");
	ck_assert_uint_eq(look(NURSE, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, CPIS__V1__ACCESS_TYPE__UNSCHEDULED)
				  ->reply->details->n_plans, 1);
}
END_TEST

START_TEST(ping_needs_no_session)
{
	const struct stage_reply *got = stage_ping(stage, STAGE_LEEDS);
	stage_expect_ok(got);
	ck_assert_str_eq(got->reply->ping->broker_name, STAGE_BROKER_NAME);
	ck_assert_uint_eq(got->reply->ping->time_ms, stage->now_ms);
	ck_assert_uint_eq(got->record->person_tag.len, 0);
	ck_assert_str_eq(got->record->organisation, "383");
	ck_assert_str_eq(got->record->policy_version, policy_version(stage->policy));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decisions");
	TCase *all = tcase_create("decisions");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, each_role_may_do_what_the_policy_names_and_nothing_else);
	tcase_add_test(all, a_refused_look_notifies_nobody_and_is_found_by_the_childs_number);
	tcase_add_test(all, the_only_care_setting_need_not_be_named);
	tcase_add_test(all, of_several_care_settings_one_must_be_named);
	tcase_add_test(all, refuses_a_care_setting_that_is_not_the_organisations);
	tcase_add_test(all, a_look_is_silent_only_when_asked_for_held_and_in_a_scheduled_setting);
	tcase_add_test(all, refuses_to_publish_for_another_authority);
	tcase_add_test(all, ping_needs_no_session);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
