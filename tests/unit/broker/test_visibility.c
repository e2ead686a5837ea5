// Which plans are shown, day by day, and which telephone rings, minute by minute.
#include "broker/visibility.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOT_VISIBLE CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED
#define CURRENT CPIS__V1__PLAN_STATUS__CURRENT
#define ENDED CPIS__V1__PLAN_STATUS__ENDED

static struct date day(const char *text)
{
	struct date date;
	ck_assert(date_parse(text, strlen(text), &date));
	return date;
}

static Cpis__V1__PlanStatus sound_plan(const char *start, const char *end, const char *removed, const char *today)
{
	struct visibility_plan plan = {CPIS__V1__PLAN_TYPE__CPP, start, end, removed, "", ""};
	struct visibility visibility;
	ck_assert_msg(visibility_of(&plan, day(today), &visibility), "%s %s %s", start, end, removed);
	return visibility.status;
}

// A plan that began in 2020, with what else may end it.
static Cpis__V1__PlanStatus ending_plan(Cpis__V1__PlanType type, const char *end, const char *birth, const char *vanished,
					const char *today, const char *ends)
{
	struct visibility_plan plan = {type, "2020-01-01", end, "", birth, vanished};
	struct visibility visibility;
	char text[11] = "";
	ck_assert(visibility_of(&plan, day(today), &visibility));
	if (visibility.ends)
		date_format(visibility.end, text);
	ck_assert_str_eq(text, ends);
	return visibility.status;
}

static void unsound_plan(const char *start, const char *end, const char *removed)
{
	struct visibility_plan plan = {CPIS__V1__PLAN_TYPE__CPP, start, end, removed, "", ""};
	struct visibility visibility;
	ck_assert_msg(!visibility_of(&plan, day("2026-06-15"), &visibility), "\"%s\" \"%s\" \"%s\"", start, end, removed);
	ck_assert_int_eq(visibility.status, NOT_VISIBLE);
}

static void unsound_birth_or_vanishing(const char *birth, const char *vanished)
{
	struct visibility_plan plan = {CPIS__V1__PLAN_TYPE__CPP, "2026-01-01", "", "", birth, vanished};
	struct visibility visibility;
	ck_assert(!visibility_of(&plan, day("2026-06-15"), &visibility));
}

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define LAC CPIS__V1__PLAN_TYPE__LAC
#define UCPP CPIS__V1__PLAN_TYPE__UCPP

START_TEST(ends_a_childs_plan_on_the_18th_birthday_and_shows_it_for_twelve_months)
{
	for (int i = 0; i < 2; i++) {
		Cpis__V1__PlanType type = i == 0 ? CPP : LAC;
		const char *birthday = "2026-06-15";
		ck_assert_int_eq(ending_plan(type, "", "2008-06-15", "", "2026-06-14", birthday), CURRENT);
		ck_assert_int_eq(ending_plan(type, "", "2008-06-15", "", "2026-06-15", birthday), ENDED);
		ck_assert_int_eq(ending_plan(type, "", "2008-06-15", "", "2027-06-15", birthday), ENDED);
		ck_assert_int_eq(ending_plan(type, "", "2008-06-15", "", "2027-06-16", birthday), NOT_VISIBLE);
		// An end that comes later does not lengthen it, one that comes before counts.
		ck_assert_int_eq(ending_plan(type, "2027-01-01", "2008-06-15", "", "2026-06-15", birthday), ENDED);
		ck_assert_int_eq(ending_plan(type, "2026-01-01", "2008-06-15", "", "2026-06-15", "2026-01-01"), ENDED);
	}
}
END_TEST

START_TEST(knows_no_age_for_an_unborn_childs_mother)
{
	ck_assert_int_eq(ending_plan(UCPP, "", "1990-06-15", "", "2026-06-15", ""), CURRENT);
	ck_assert_int_eq(ending_plan(UCPP, "2026-06-15", "1990-06-15", "", "2026-06-15", "2026-06-15"), ENDED);
}
END_TEST

START_TEST(counts_who_was_born_on_a_leap_day_as_18_on_the_first_of_march)
{
	ck_assert_int_eq(ending_plan(CPP, "", "2008-02-29", "", "2026-02-28", "2026-03-01"), CURRENT);
	ck_assert_int_eq(ending_plan(CPP, "", "2008-02-29", "", "2026-03-01", "2026-03-01"), ENDED);
	ck_assert_int_eq(visibility_birthday(day("2008-02-29"), 4).day, day("2012-02-29").day);
}
END_TEST

START_TEST(ends_a_plan_that_vanished_on_its_files_date_unless_it_had_ended_before)
{
	ck_assert_int_eq(ending_plan(CPP, "", "", "2026-06-15", "2026-06-14", "2026-06-15"), CURRENT);
	ck_assert_int_eq(ending_plan(CPP, "", "", "2026-06-15", "2026-06-15", "2026-06-15"), ENDED);
	ck_assert_int_eq(ending_plan(UCPP, "", "", "2026-06-15", "2027-06-15", "2026-06-15"), ENDED);
	ck_assert_int_eq(ending_plan(UCPP, "", "", "2026-06-15", "2027-06-16", "2026-06-15"), NOT_VISIBLE);
	// Before it began: it never did.
	ck_assert_int_eq(ending_plan(CPP, "", "", "2019-12-31", "2020-01-02", "2019-12-31"), NOT_VISIBLE);
	ck_assert_int_eq(ending_plan(CPP, "2026-01-01", "", "2026-06-15", "2026-06-15", "2026-01-01"), ENDED);
	ck_assert_int_eq(ending_plan(CPP, "2026-12-01", "", "2026-06-15", "2026-06-15", "2026-06-15"), ENDED);
}
END_TEST

START_TEST(says_when_a_birth_or_vanishing_date_is_not_a_date)
{
	unsound_birth_or_vanishing("long ago", "");
	unsound_birth_or_vanishing("", "2026-02-30");
}
END_TEST

START_TEST(shows_an_open_plan_from_its_first_day)
{
	ck_assert_int_eq(sound_plan("2026-06-15", "", "", "2026-06-14"), NOT_VISIBLE);
	ck_assert_int_eq(sound_plan("2026-06-15", "", "", "2026-06-15"), CURRENT);
	ck_assert_int_eq(sound_plan("2026-06-15", "", "", "2044-06-15"), CURRENT);
}
END_TEST

START_TEST(shows_a_plan_as_ended_from_its_end_date)
{
	ck_assert_int_eq(sound_plan("2026-01-01", "2026-06-15", "", "2026-06-14"), CURRENT);
	ck_assert_int_eq(sound_plan("2026-01-01", "2026-06-15", "", "2026-06-15"), ENDED);
	ck_assert_int_eq(sound_plan("2026-06-15", "2026-06-15", "", "2026-06-15"), ENDED);
	ck_assert_int_eq(sound_plan("2026-06-15", "2026-06-15", "", "2026-06-14"), NOT_VISIBLE);
}
END_TEST

START_TEST(shows_an_ended_plan_for_twelve_months_and_not_a_day_longer)
{
	ck_assert_int_eq(sound_plan("2020-01-01", "2025-06-15", "", "2026-06-15"), ENDED);
	ck_assert_int_eq(sound_plan("2020-01-01", "2025-06-15", "", "2026-06-16"), NOT_VISIBLE);
	ck_assert_int_eq(sound_plan("2020-01-01", "2025-12-31", "", "2026-12-31"), ENDED);
	ck_assert_int_eq(sound_plan("2020-01-01", "2025-12-31", "", "2027-01-01"), NOT_VISIBLE);
}
END_TEST

START_TEST(counts_the_twelve_months_from_a_leap_day_to_the_last_of_february)
{
	ck_assert_int_eq(sound_plan("2020-01-01", "2024-02-29", "", "2025-02-28"), ENDED);
	ck_assert_int_eq(sound_plan("2020-01-01", "2024-02-29", "", "2025-03-01"), NOT_VISIBLE);
	ck_assert_int_eq(sound_plan("2020-01-01", "2023-02-28", "", "2024-02-28"), ENDED);
	ck_assert_int_eq(sound_plan("2020-01-01", "2023-02-28", "", "2024-02-29"), NOT_VISIBLE);
}
END_TEST

START_TEST(does_not_show_a_withdrawn_plan_whatever_its_dates)
{
	ck_assert_int_eq(sound_plan("2026-01-01", "", "2026-02-01", "2026-06-15"), NOT_VISIBLE);
	ck_assert_int_eq(sound_plan("2026-01-01", "2026-06-01", "2026-06-02", "2026-06-15"), NOT_VISIBLE);
	ck_assert_int_eq(sound_plan("2026-01-01", "", "2026-06-15", "2026-06-15"), NOT_VISIBLE);
}
END_TEST

START_TEST(says_when_a_start_or_end_is_not_a_date)
{
	static const char *const texts[] = {"2026-02-30", "2026-13-01", "2026-1-1", "20260101",
					"2026-01-01 ", "soon", "-"};
	unsound_plan("", "", "");
	unsound_plan("", "2026-01-01", "");
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		unsound_plan(texts[i], "", "");
		unsound_plan("2026-01-01", texts[i], "");
		unsound_plan("2027-01-01", texts[i], ""); // also where the plan has not begun
	}
}
END_TEST

// Such a plan was never accepted, so it is not known to be withdrawn: "no record" would be a guess.
START_TEST(says_when_a_delete_date_is_not_a_date)
{
	unsound_plan("2026-01-01", "", "2026-02-30");
	unsound_plan("2026-01-01", "", "yes");
}
END_TEST

START_TEST(says_when_a_withdrawn_plan_has_other_text_that_is_not_a_date)
{
	unsound_plan("soon", "", "2026-02-01");
	unsound_plan("2026-01-01", "soon", "2026-02-01");
}
END_TEST

#define DUTY "0113 496 0001"
#define OFFICE "0113 496 0002"

static bool rings_the_office(const char *instant)
{
	uint64_t now_ms;
	bool office = false;
	ck_assert(instant_parse(instant, strlen(instant), &now_ms));
	const char *number = visibility_ring_now(DUTY, OFFICE, now_ms, &office);
	ck_assert_str_eq(number, office ? OFFICE : DUTY);
	return office;
}

START_TEST(rings_the_office_from_nine_to_five_in_winter)
{
	ck_assert(!rings_the_office("2026-01-05T08:59:59.999Z")); // a Monday
	ck_assert(rings_the_office("2026-01-05T09:00:00.000Z"));
	ck_assert(rings_the_office("2026-01-05T16:59:59.999Z"));
	ck_assert(!rings_the_office("2026-01-05T17:00:00.000Z"));
}
END_TEST

START_TEST(rings_the_office_from_nine_to_five_in_summer_time)
{
	ck_assert(!rings_the_office("2026-07-06T07:59:59.999Z")); // a Monday
	ck_assert(rings_the_office("2026-07-06T08:00:00.000Z"));
	ck_assert(rings_the_office("2026-07-06T15:59:59.999Z"));
	ck_assert(!rings_the_office("2026-07-06T16:00:00.000Z"));
}
END_TEST

START_TEST(follows_the_change_of_the_clocks)
{
	ck_assert(!rings_the_office("2026-03-27T08:30:00Z")); // Friday before 29 March
	ck_assert(rings_the_office("2026-03-30T08:30:00Z"));
	ck_assert(rings_the_office("2026-10-23T08:30:00Z"));  // Friday before 25 October
	ck_assert(!rings_the_office("2026-10-26T08:30:00Z"));
}
END_TEST

START_TEST(rings_the_duty_team_at_the_weekend_and_the_office_every_weekday)
{
	ck_assert(rings_the_office("2026-01-06T12:00:00Z"));
	ck_assert(rings_the_office("2026-01-07T12:00:00Z"));
	ck_assert(rings_the_office("2026-01-08T12:00:00Z"));
	ck_assert(rings_the_office("2026-01-09T12:00:00Z"));
	ck_assert(!rings_the_office("2026-01-10T12:00:00Z"));
	ck_assert(!rings_the_office("2026-01-11T12:00:00Z"));
}
END_TEST

START_TEST(rings_the_duty_team_where_there_is_no_office_number)
{
	uint64_t now_ms;
	bool office = true;
	ck_assert(instant_parse("2026-01-05T12:00:00Z", 20, &now_ms));
	ck_assert_str_eq(visibility_ring_now(DUTY, "", now_ms, &office), DUTY);
	ck_assert(!office);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("visibility");
	TCase *tests = tcase_create("visibility");
	tcase_add_test(tests, shows_an_open_plan_from_its_first_day);
	tcase_add_test(tests, ends_a_childs_plan_on_the_18th_birthday_and_shows_it_for_twelve_months);
	tcase_add_test(tests, knows_no_age_for_an_unborn_childs_mother);
	tcase_add_test(tests, counts_who_was_born_on_a_leap_day_as_18_on_the_first_of_march);
	tcase_add_test(tests, ends_a_plan_that_vanished_on_its_files_date_unless_it_had_ended_before);
	tcase_add_test(tests, says_when_a_birth_or_vanishing_date_is_not_a_date);
	tcase_add_test(tests, shows_a_plan_as_ended_from_its_end_date);
	tcase_add_test(tests, shows_an_ended_plan_for_twelve_months_and_not_a_day_longer);
	tcase_add_test(tests, counts_the_twelve_months_from_a_leap_day_to_the_last_of_february);
	tcase_add_test(tests, does_not_show_a_withdrawn_plan_whatever_its_dates);
	tcase_add_test(tests, says_when_a_start_or_end_is_not_a_date);
	tcase_add_test(tests, says_when_a_delete_date_is_not_a_date);
	tcase_add_test(tests, says_when_a_withdrawn_plan_has_other_text_that_is_not_a_date);
	tcase_add_test(tests, rings_the_office_from_nine_to_five_in_winter);
	tcase_add_test(tests, rings_the_office_from_nine_to_five_in_summer_time);
	tcase_add_test(tests, follows_the_change_of_the_clocks);
	tcase_add_test(tests, rings_the_duty_team_at_the_weekend_and_the_office_every_weekday);
	tcase_add_test(tests, rings_the_duty_team_where_there_is_no_office_number);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
