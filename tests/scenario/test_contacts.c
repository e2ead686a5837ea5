// Whom to ring at an authority: set, confirmed, replaced, stale; and how good its data is said to be.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct stage *stage;

static void sign_all_in(void)
{
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_sign_in(stage, BRIGHTON_WORKER);
	stage_sign_in(stage, BRIGHTON_DUTY);
	stage_sign_in(stage, REVIEWER);
}

static void raise_curtain(void)
{
	stage = stage_new();
	sign_all_in();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static const struct stage_reply *set(const char *emergency, const char *office, const char *from)
{
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	contacts.emergency_duty_telephone = TEXT(emergency);
	contacts.office_hours_telephone = TEXT(office);
	contacts.from_date = TEXT(from);
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	return stage_ask_as(stage, LEEDS_WORKER, &request);
}

static const struct stage_reply *confirm(void)
{
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	contacts.confirm_only = true;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	return stage_ask_as(stage, LEEDS_WORKER, &request);
}

static const Cpis__V1__ContactsShowReply *show(enum stage_person person, const char *authority)
{
	Cpis__V1__ContactsShowRequest body = CPIS__V1__CONTACTS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.authority = TEXT(authority);
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SHOW;
	request.contacts_show = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->contacts_show;
}

static const Cpis__V1__Authority *authority_of_child(void)
{
	const struct stage_reply *got = stage_details(stage, NURSE, stage_child(0));
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->details->n_plans, 1);
	return got->reply->details->plans[0]->authority;
}

START_TEST(new_contacts_count_from_their_date_on)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	stage_expect_ok(set("0113 496 0001", "", "2026-10-21"));
	ck_assert_str_eq(authority_of_child()->emergency_duty_telephone, "01273 335905");
	const Cpis__V1__ContactsShowReply *shown = show(LEEDS_WORKER, "");
	ck_assert_uint_eq(shown->n_contacts, 2);
	ck_assert_str_eq(shown->contacts[1]->from_date, "2026-10-21");
	ck_assert_str_eq(shown->contacts[1]->confirmed_by, "Person 7");
	stage->now_ms += STAGE_DAY_MS;
	sign_all_in();
	const Cpis__V1__Authority *authority = authority_of_child();
	ck_assert_str_eq(authority->emergency_duty_telephone, "0113 496 0001");
	ck_assert_str_eq(authority->office_hours_telephone, "");
	ck_assert_uint_eq(show(LEEDS_WORKER, "")->n_contacts, 1);
	// Another authority's staff may look them up.
	ck_assert_str_eq(show(BRIGHTON_DUTY, "383")->contacts[0]->emergency_duty_telephone, "0113 496 0001");
}
END_TEST

START_TEST(one_of_the_same_date_is_replaced)
{
	const struct stage_reply *first = set("0113 496 0001", "", "");
	stage_expect_ok(first);
	ck_assert(!first->reply->contacts_set->replaced);
	const struct stage_reply *second = set("0113 496 0002", "", "2026-10-20");
	stage_expect_ok(second);
	ck_assert(second->reply->contacts_set->replaced);
	ck_assert_uint_eq(show(LEEDS_WORKER, "")->n_contacts, 1);
	ck_assert_str_eq(show(LEEDS_WORKER, "")->contacts[0]->emergency_duty_telephone, "0113 496 0002");
}
END_TEST

START_TEST(contacts_that_nobody_confirmed_for_90_days_are_marked_until_they_are)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	stage_expect_ok(set("0113 496 0001", "", ""));
	const Cpis__V1__Authority *authority = authority_of_child();
	ck_assert_uint_eq(authority->contacts_confirmed_ms, STAGE_NOW_MS);
	ck_assert(!authority->contacts_stale);
	ck_assert(!show(LEEDS_WORKER, "")->contacts[0]->stale);
	// The certificates end before that, so the last confirmation is moved back instead of the clock on.
	uint64_t now_ms = stage->now_ms;
	stage->now_ms -= 90ull * STAGE_DAY_MS;
	stage_set_contacts(stage, STAGE_LEEDS, "0113 496 0001");
	stage->now_ms = now_ms;
	ck_assert(!authority_of_child()->contacts_stale);
	stage->now_ms++;
	ck_assert(authority_of_child()->contacts_stale);
	ck_assert(show(LEEDS_WORKER, "")->contacts[0]->stale);
	stage_expect_ok(confirm());
	ck_assert(!authority_of_child()->contacts_stale);
	ck_assert_uint_eq(authority_of_child()->contacts_confirmed_ms, stage->now_ms);
}
END_TEST

START_TEST(dates_that_are_past_or_too_far_ahead_and_a_ninth_entry_are_refused)
{
	stage_expect(set("0113 496 0001", "", "2026-10-19"), INVALID_VALUE, "contacts_date");
	stage_expect(set("0113 496 0001", "", "2027-10-21"), INVALID_VALUE, "contacts_date");
	stage_expect(set("0113 496 0001", "", "tomorrow"), INVALID_VALUE, "contacts_date");
	for (unsigned i = 1; i < CONTACTS_MAX; i++) {
		char from[16];
		snprintf(from, sizeof from, "2027-0%u-01", i);
		stage_expect_ok(set("0113 496 0001", "", from));
	}
	stage_expect(set("0113 496 0001", "", "2027-10-20"), INVALID_REQUEST_STATE, "contacts_full");
	stage_expect_ok(set("0113 496 0002", "", "2027-01-01"));
}
END_TEST

START_TEST(contacts_are_from_today_to_twelve_months_ahead)
{
	stage_expect(set("0113 496 0001", "", "2026-10-19"), INVALID_VALUE, "contacts_date");
	stage_expect_ok(set("0113 496 0001", "", "2026-10-20"));
	stage_expect_ok(set("0113 496 0001", "", "2027-10-20"));
	stage_expect(set("0113 496 0001", "", "2027-10-21"), INVALID_VALUE, "contacts_date");
}
END_TEST

START_TEST(contacts_are_signed_and_confirmed_only_where_there_are_some)
{
	stage->unsigned_acts = true;
	stage_expect(set("0113 496 0001", "", ""), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage->unsigned_acts = false;
	stage_set_contacts(stage, STAGE_LEEDS, NULL);
	stage_expect(confirm(), INVALID_REQUEST_STATE, "contacts_needed");
	ck_assert_uint_eq(show(LEEDS_WORKER, "")->n_contacts, 0);
}
END_TEST

// ------------------------------------------------------------------ quality

static const struct stage_reply *quality(enum stage_person person, const char *authority)
{
	Cpis__V1__DataQualityRequest body = CPIS__V1__DATA_QUALITY_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.authority = TEXT(authority);
	request.body_case = CPIS__V1__REQUEST__BODY_DATA_QUALITY;
	request.data_quality = &body;
	return stage_ask_as(stage, person, &request);
}

START_TEST(quality_is_told_to_the_authority_itself_and_to_a_national_body)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2026-02-03", "2026-10-01", NULL);
	const struct stage_reply *own = quality(LEEDS_WORKER, "");
	stage_expect_ok(own);
	ck_assert_uint_eq(own->reply->data_quality->held, 1);
	ck_assert_str_eq(own->reply->data_quality->authority, "383");
	ck_assert_uint_eq(own->reply->data_quality->last_published_ms, STAGE_NOW_MS);
	ck_assert_uint_eq(own->reply->data_quality->contacts_confirmed_ms, STAGE_NOW_MS);
	ck_assert(stage_same_body(own, quality(REVIEWER, "383")));
	stage_expect(quality(BRIGHTON_WORKER, "383"), ACCESS_DENIED, "quality_scope");
}
END_TEST

static const Cpis__V1__ContactsShowReply *show_every(enum stage_person person, const char *after)
{
	Cpis__V1__ContactsShowRequest body = CPIS__V1__CONTACTS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.every_organisation = true;
	body.after = TEXT(after);
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SHOW;
	request.contacts_show = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->contacts_show;
}

START_TEST(a_sheet_has_every_authority_and_who_has_an_incident_team)
{
	stage_expect_ok(set("0113 496 0001", "0113 496 0002", ""));
	const Cpis__V1__ContactsShowReply *all = show_every(NURSE, "");
	ck_assert_uint_eq(all->n_organisations, 2);
	ck_assert(!all->more && all->n_contacts == 0);
	ck_assert_str_eq(all->organisations[0]->organisation, "383");
	ck_assert_str_eq(all->organisations[0]->name, "The leeds");
	ck_assert(all->organisations[0]->authority);
	ck_assert_str_eq(all->organisations[0]->contacts[0]->office_hours_telephone, "0113 496 0002");
	ck_assert_str_eq(all->organisations[0]->incident_telephone, "");
	ck_assert_str_eq(all->organisations[1]->organisation, "846");
	ck_assert_uint_eq(show_every(NURSE, "383")->n_organisations, 1);
	ck_assert_uint_eq(show_every(NURSE, "846")->n_organisations, 0);
	ck_assert_uint_eq(show_every(LEEDS_WORKER, "")->n_organisations, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contacts");
	TCase *all = tcase_create("contacts");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, new_contacts_count_from_their_date_on);
	tcase_add_test(all, one_of_the_same_date_is_replaced);
	tcase_add_test(all, contacts_that_nobody_confirmed_for_90_days_are_marked_until_they_are);
	tcase_add_test(all, dates_that_are_past_or_too_far_ahead_and_a_ninth_entry_are_refused);
	tcase_add_test(all, contacts_are_from_today_to_twelve_months_ahead);
	tcase_add_test(all, contacts_are_signed_and_confirmed_only_where_there_are_some);
	tcase_add_test(all, a_sheet_has_every_authority_and_who_has_an_incident_team);
	tcase_add_test(all, quality_is_told_to_the_authority_itself_and_to_a_national_body);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
