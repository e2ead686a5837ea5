// Each rule for a record of a publication: at its limit, and one past it.
#include "broker/plan_check.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TODAY "2026-10-20"
#define CPP CPIS__V1__PLAN_TYPE__CPP
#define LAC CPIS__V1__PLAN_TYPE__LAC
#define UCPP CPIS__V1__PLAN_TYPE__UCPP
#define GOOD NULL
#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct date today(void)
{
	struct date date;
	ck_assert(date_parse(TODAY, strlen(TODAY), &date));
	return date;
}

static Cpis__V1__PlanRecord good_record(void)
{
	Cpis__V1__PlanRecord record = CPIS__V1__PLAN_RECORD__INIT;
	record.nhs_number = TEXT("9990000018");
	record.type = CPP;
	record.start_date = TEXT("2026-02-03");
	record.family_name = TEXT("EXAMPLE");
	record.given_names = TEXT("ALEX");
	record.birth_date = TEXT("2016-06-01");
	return record;
}

// `field` GOOD: it is fine; else the field that is named, with a sentence.
static void expect(const Cpis__V1__PlanRecord *record, Cpis__V1__RecordCode code, const char *field, const char *what)
{
	struct nhs_number number;
	struct plan_fault fault = plan_check(record, today(), &number);
	if (field == NULL) {
		ck_assert_msg(fault.field == NULL, "%s: %s: %s", what, fault.field, fault.detail);
		return;
	}
	ck_assert_msg(fault.field != NULL, "%s: nothing is wrong", what);
	ck_assert_msg(strcmp(fault.field, field) == 0, "%s: %s: %s", what, fault.field, fault.detail);
	ck_assert_int_eq(fault.code, code);
	ck_assert_str_ne(fault.detail, "");
}

static void expect_dates(Cpis__V1__PlanType type, const char *birth, const char *start, const char *end, const char *withdrawn,
			 const char *field)
{
	char what[100];
	Cpis__V1__PlanRecord record = good_record();
	record.type = type;
	record.birth_date = TEXT(birth);
	record.start_date = TEXT(start);
	record.end_date = TEXT(end);
	record.delete_date = TEXT(withdrawn);
	snprintf(what, sizeof what, "type %d born %s from %s to %s deleted %s", (int)type, birth, start, end, withdrawn);
	expect(&record, CPIS__V1__RECORD_CODE__CPR07, field, what);
}

START_TEST(a_good_record_is_fine_and_gives_its_number)
{
	struct nhs_number number;
	Cpis__V1__PlanRecord record = good_record();
	ck_assert_ptr_null(plan_check(&record, today(), &number).field);
	ck_assert_str_eq(number.digits, "9990000018");
}
END_TEST

START_TEST(a_number_that_is_none_is_cpr04)
{
	static const char *const numbers[] = {"", "999000001", "99900000180", "99900000X8", "9990000019", "9999999999",
					      "999 000 0018"};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		Cpis__V1__PlanRecord record = good_record();
		record.nhs_number = TEXT(numbers[i]);
		expect(&record, CPIS__V1__RECORD_CODE__CPR04, "nhs_number", numbers[i]);
	}
}
END_TEST

START_TEST(types_and_names_are_required)
{
	Cpis__V1__PlanRecord record = good_record();
	record.type = CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED;
	expect(&record, CPIS__V1__RECORD_CODE__CPR07, "plan_type", "no type");
	record.type = 99;
	expect(&record, CPIS__V1__RECORD_CODE__CPR07, "plan_type", "another type");
	record = good_record();
	record.family_name = TEXT("");
	expect(&record, CPIS__V1__RECORD_CODE__CPR07, "family_name", "no family name");
	record = good_record();
	record.given_names = TEXT("");
	expect(&record, CPIS__V1__RECORD_CODE__CPR07, "given_names", "no given names");
}
END_TEST

START_TEST(dates_are_dates_in_order_and_not_absurd)
{
	static const char *const none[] = {"2026-02-30", "03/02/2026", "2026-2-3", "soon"};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		expect_dates(CPP, "2016-06-01", none[i], "", "", "start_date");
		expect_dates(CPP, "2016-06-01", "2026-02-03", none[i], "", "end_date");
		expect_dates(CPP, "2016-06-01", "2026-02-03", "", none[i], "delete_date");
		expect_dates(CPP, none[i], "2026-02-03", "", "", "birth_date");
	}
	expect_dates(CPP, "2016-06-01", "", "", "", "start_date");
	expect_dates(CPP, "", "2026-02-03", "", "", "birth_date");
	expect_dates(CPP, "2026-10-20", "2026-10-20", "", "", GOOD);
	expect_dates(CPP, "2026-10-21", "2026-10-21", "", "", "birth_date");
	expect_dates(CPP, "2026-02-04", "2026-02-03", "", "", "start_date");
	expect_dates(CPP, "2020-06-01", "2027-10-20", "", "", GOOD);
	expect_dates(CPP, "2020-06-01", "2027-10-21", "", "", "start_date");
	expect_dates(UCPP, "1980-06-01", "2001-10-20", "", "", GOOD);
	expect_dates(UCPP, "1980-06-01", "2001-10-19", "", "", "start_date");
	expect_dates(CPP, "2016-06-01", "2026-02-03", "2026-02-03", "", GOOD);
	expect_dates(CPP, "2016-06-01", "2026-02-03", "2026-02-02", "", "end_date");
	expect_dates(UCPP, "1990-06-01", "2026-02-03", "2046-10-20", "", GOOD);
	expect_dates(UCPP, "1990-06-01", "2026-02-03", "2046-10-21", "", "end_date");
	expect_dates(CPP, "2016-06-01", "2026-02-03", "", "2026-10-20", GOOD);
	expect_dates(CPP, "2016-06-01", "2026-02-03", "", "2026-10-21", "delete_date");
}
END_TEST

START_TEST(childrens_plans_end_by_the_18th_birthday)
{
	for (int i = 0; i < 2; i++) {
		Cpis__V1__PlanType type = i == 0 ? CPP : LAC;
		expect_dates(type, "2008-10-21", "2020-01-01", "", "", GOOD);         // 18 tomorrow
		expect_dates(type, "2008-10-20", "2020-01-01", "", "", "end_date");   // 18 today
		expect_dates(type, "2008-10-20", "2020-01-01", "2026-10-20", "", GOOD);
		expect_dates(type, "2008-10-20", "2020-01-01", "2026-10-21", "", "end_date");
		expect_dates(type, "2008-06-01", "2026-06-01", "2026-06-01", "", "start_date");
		expect_dates(type, "2008-06-01", "2026-05-31", "2026-06-01", "", GOOD);
		// What should never have been there can be withdrawn.
		expect_dates(type, "1990-06-01", "2020-01-01", "", "2026-10-20", GOOD);
	}
}
END_TEST

START_TEST(an_unborn_childs_plan_is_held_under_a_possible_mother)
{
	expect_dates(UCPP, "2016-02-03", "2026-02-03", "", "", GOOD); // 10 on that day
	expect_dates(UCPP, "2016-02-04", "2026-02-03", "", "", "birth_date");
	expect_dates(UCPP, "1965-02-04", "2026-02-03", "", "", GOOD); // 61 tomorrow
	expect_dates(UCPP, "1965-02-03", "2026-02-03", "", "", "birth_date");
	expect_dates(UCPP, "2020-01-01", "2026-02-03", "", "2026-10-20", GOOD);
}
END_TEST

START_TEST(an_end_of_more_than_365_days_ago_is_to_be_a_delete_date)
{
	Cpis__V1__PlanRecord record = good_record();
	record.start_date = TEXT("2024-01-01");
	record.end_date = TEXT("2025-10-20");
	ck_assert_ptr_null(plan_check_late_end(&record, today()).field);
	record.end_date = TEXT("2025-10-19");
	ck_assert_str_eq(plan_check_late_end(&record, today()).field, "end_date");
	ck_assert_ptr_nonnull(strstr(plan_check_late_end(&record, today()).detail, "delete date"));
	record.delete_date = TEXT(TODAY);
	ck_assert_ptr_null(plan_check_late_end(&record, today()).field);
}
END_TEST

START_TEST(what_the_demographics_service_says_has_its_code)
{
	static const struct {
		Cpis__V1__DemographicsStatus status;
		bool female;
		Cpis__V1__PlanType type;
		Cpis__V1__RecordCode code;
		const char *field;
	} cases[] = {
		{CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED, false, CPP, CPIS__V1__RECORD_CODE__CPR06, NULL},
		{CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED, true, UCPP, CPIS__V1__RECORD_CODE__CPR06, NULL},
		{CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED, false, UCPP, CPIS__V1__RECORD_CODE__CPR07, "plan_type"},
		{CPIS__V1__DEMOGRAPHICS_STATUS__NO_MATCH, false, CPP, CPIS__V1__RECORD_CODE__CPR01, "nhs_number"},
		{CPIS__V1__DEMOGRAPHICS_STATUS__SENSITIVE, false, CPP, CPIS__V1__RECORD_CODE__CPR02, "nhs_number"},
		{CPIS__V1__DEMOGRAPHICS_STATUS__NOT_VERIFIED, false, CPP, CPIS__V1__RECORD_CODE__CPR03, "nhs_number"},
		{CPIS__V1__DEMOGRAPHICS_STATUS__SUPERSEDED, false, CPP, CPIS__V1__RECORD_CODE__CPR05, "nhs_number"},
		{CPIS__V1__DEMOGRAPHICS_STATUS__INVALID, false, CPP, CPIS__V1__RECORD_CODE__CPR05, "nhs_number"},
		{CPIS__V1__DEMOGRAPHICS_STATUS__DEMOGRAPHICS_STATUS_UNSPECIFIED, true, CPP, CPIS__V1__RECORD_CODE__CPR03,
		 "nhs_number"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		Cpis__V1__PlanRecord record = good_record();
		Cpis__V1__DemographicsMatch match = CPIS__V1__DEMOGRAPHICS_MATCH__INIT;
		record.type = cases[i].type;
		match.status = cases[i].status;
		match.female = cases[i].female;
		struct plan_fault fault = plan_check_match(&record, &match);
		ck_assert_int_eq(fault.code, cases[i].code);
		ck_assert((fault.field == NULL) == (cases[i].field == NULL));
		if (fault.field != NULL)
			ck_assert_str_eq(fault.field, cases[i].field);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan_check");
	TCase *tests = tcase_create("plan_check");
	tcase_add_test(tests, a_good_record_is_fine_and_gives_its_number);
	tcase_add_test(tests, a_number_that_is_none_is_cpr04);
	tcase_add_test(tests, types_and_names_are_required);
	tcase_add_test(tests, dates_are_dates_in_order_and_not_absurd);
	tcase_add_test(tests, childrens_plans_end_by_the_18th_birthday);
	tcase_add_test(tests, an_unborn_childs_plan_is_held_under_a_possible_mother);
	tcase_add_test(tests, an_end_of_more_than_365_days_ago_is_to_be_a_delete_date);
	tcase_add_test(tests, what_the_demographics_service_says_has_its_code);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
