// Calendar arithmetic, the English clock, and RFC 3339 instants.
#include "proto/date.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS ((uint64_t)60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

#define SPRING_2026_MS ((uint64_t)1774746000000) // 2026-03-29T01:00:00Z
#define AUTUMN_2026_MS ((uint64_t)1792890000000) // 2026-10-25T01:00:00Z

static bool takes(const char *text)
{
	struct date date;
	return date_parse(text, strlen(text), &date);
}

static struct date date_of(const char *text)
{
	struct date date;
	ck_assert_msg(date_parse(text, strlen(text), &date), "%s", text);
	return date;
}

static void expect_months(const char *from, int months, const char *expected)
{
	char text[11];
	date_format(date_add_months(date_of(from), months), text);
	ck_assert_str_eq(text, expected);
}

static uint64_t instant_of(const char *text)
{
	uint64_t time_ms;
	ck_assert_msg(instant_parse(text, strlen(text), &time_ms), "%s", text);
	return time_ms;
}

START_TEST(counts_days_from_1970)
{
	ck_assert_int_eq(date_of("1970-01-01").day, 0);
	ck_assert_int_eq(date_of("1969-12-31").day, -1);
	ck_assert_int_eq(date_of("1900-01-01").day, -25567);
	ck_assert_int_eq(date_of("2000-02-29").day, 11016);
	ck_assert_int_eq(date_of("2026-11-23").day, 20780);
	ck_assert_int_eq(date_of("2199-12-31").day, 84005);
}
END_TEST

START_TEST(writes_and_reads_back_every_day_of_three_centuries)
{
	char text[11], previous[11] = "1899-12-31";
	for (int32_t day = -25567; day <= 84005; day++) {
		struct date back;
		date_format((struct date){day}, text);
		if (!date_parse(text, 10, &back) || back.day != day || strcmp(previous, text) >= 0)
			ck_abort_msg("%s", text);
		memcpy(previous, text, sizeof text);
	}
}
END_TEST

START_TEST(knows_leap_years)
{
	ck_assert(takes("2024-02-29"));
	ck_assert(takes("2000-02-29"));
	ck_assert(!takes("2026-02-29"));
	ck_assert(!takes("1900-02-29"));
	ck_assert(!takes("2100-02-29"));
	ck_assert(!takes("2024-02-30"));
}
END_TEST

START_TEST(knows_the_end_of_each_month)
{
	static const int last[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	for (int month = 1; month <= 12; month++) {
		char text[32];
		snprintf(text, sizeof text, "2026-%02d-%02d", month, last[month - 1]);
		ck_assert(takes(text));
		snprintf(text, sizeof text, "2026-%02d-%02d", month, last[month - 1] + 1);
		ck_assert(!takes(text));
	}
}
END_TEST

START_TEST(refuses_dates_out_of_range)
{
	ck_assert(takes("1900-01-01"));
	ck_assert(!takes("1899-12-31"));
	ck_assert(takes("2199-12-31"));
	ck_assert(!takes("2200-01-01"));
	ck_assert(!takes("2026-00-10"));
	ck_assert(!takes("2026-13-10"));
	ck_assert(!takes("2026-10-00"));
	ck_assert(!takes("0000-00-00"));
}
END_TEST

START_TEST(refuses_other_forms_of_a_date)
{
	static const char *const bad[] = {"",           "2026-1-01",  "2026-01-1",   "26-01-01",   "2026/01/01",
					  "01-01-2026", "20260101",   "2026-01-01 ", " 2026-01-01", "2026-01-0a",
					  "2026-+1-01", "-026-01-01", "2026-01- 1",  "2026-01-01Z"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!takes(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(leaves_the_result_alone_when_it_refuses)
{
	struct date date = {7};
	uint64_t time_ms = 7;
	ck_assert(!date_parse("2026-02-29", 10, &date));
	ck_assert(!instant_parse("2026-02-28T24:00:00Z", 20, &time_ms));
	ck_assert_int_eq(date.day, 7);
	ck_assert_uint_eq(time_ms, 7);
}
END_TEST

START_TEST(adds_months_to_the_same_day)
{
	expect_months("2026-11-23", 0, "2026-11-23");
	expect_months("2026-11-23", 1, "2026-12-23");
	expect_months("2026-11-23", 2, "2027-01-23");
	expect_months("2026-11-23", 12, "2027-11-23");
	expect_months("2026-11-23", -11, "2025-12-23");
	expect_months("2026-01-15", -1, "2025-12-15");
	expect_months("2026-11-23", -12, "2025-11-23");
	expect_months("2026-11-23", -216, "2008-11-23");
}
END_TEST

START_TEST(adds_months_to_the_last_day_where_the_day_does_not_exist)
{
	expect_months("2026-01-31", 1, "2026-02-28");
	expect_months("2024-01-31", 1, "2024-02-29");
	expect_months("2024-02-29", 12, "2025-02-28");
	expect_months("2024-02-29", -12, "2023-02-28");
	expect_months("2024-02-29", 48, "2028-02-29");
	expect_months("2026-03-31", -1, "2026-02-28");
	expect_months("2026-10-31", 1, "2026-11-30");
	expect_months("2026-12-31", 2, "2027-02-28");
}
END_TEST

START_TEST(goes_forward_at_one_utc_on_29_march_2026)
{
	struct english_time before = english_time_of(SPRING_2026_MS - 1), after = english_time_of(SPRING_2026_MS);
	ck_assert_uint_eq(before.minute_of_day, 59);
	ck_assert_uint_eq(after.minute_of_day, 120);
	ck_assert_int_eq(before.date.day, date_of("2026-03-29").day);
	ck_assert_int_eq(after.date.day, date_of("2026-03-29").day);
	ck_assert_uint_eq(after.weekday, 0);
}
END_TEST

START_TEST(goes_back_at_one_utc_on_25_october_2026)
{
	struct english_time before = english_time_of(AUTUMN_2026_MS - 1), after = english_time_of(AUTUMN_2026_MS);
	ck_assert_uint_eq(before.minute_of_day, 119);
	ck_assert_uint_eq(after.minute_of_day, 60);
	ck_assert_int_eq(before.date.day, date_of("2026-10-25").day);
	ck_assert_uint_eq(before.weekday, 0);
	ck_assert_uint_eq(after.weekday, 0);
}
END_TEST

START_TEST(switches_on_the_last_sunday_of_each_year)
{
	static const struct {
		unsigned year, march, october;
	} sundays[] = {{2020, 29, 25}, {2021, 28, 31}, {2022, 27, 30}, {2023, 26, 29}, {2024, 31, 27},
		       {2025, 30, 26}, {2027, 28, 31}, {2028, 26, 29}, {2029, 25, 28}, {2030, 31, 27}};
	for (size_t i = 0; i < sizeof sundays / sizeof sundays[0]; i++) {
		char text[32];
		snprintf(text, sizeof text, "%u-03-%02uT01:00:00Z", sundays[i].year, sundays[i].march);
		uint64_t spring_ms = instant_of(text);
		snprintf(text, sizeof text, "%u-10-%02uT01:00:00Z", sundays[i].year, sundays[i].october);
		uint64_t autumn_ms = instant_of(text);
		ck_assert_uint_eq(english_time_of(spring_ms - 1).minute_of_day, 59);
		ck_assert_uint_eq(english_time_of(spring_ms).minute_of_day, 120);
		ck_assert_uint_eq(english_time_of(autumn_ms - 1).minute_of_day, 119);
		ck_assert_uint_eq(english_time_of(autumn_ms).minute_of_day, 60);
	}
}
END_TEST

// 23:30 UTC in July is half past midnight on the next day, and the next weekday, in England.
START_TEST(moves_date_and_weekday_over_midnight_in_summer)
{
	struct english_time time = english_time_of(instant_of("2026-07-31T23:30:00Z"));
	ck_assert_int_eq(time.date.day, date_of("2026-08-01").day);
	ck_assert_uint_eq(time.weekday, 6);
	ck_assert_uint_eq(time.minute_of_day, 30);
	time = english_time_of(instant_of("2026-12-31T23:30:00Z"));
	ck_assert_int_eq(time.date.day, date_of("2026-12-31").day);
	ck_assert_uint_eq(time.weekday, 4);
	ck_assert_uint_eq(time.minute_of_day, 23 * 60 + 30);
}
END_TEST

START_TEST(counts_weekdays_from_sunday)
{
	uint64_t sunday_ms = instant_of("2026-01-04T12:00:00Z");
	for (unsigned day = 0; day < 3000; day++)
		ck_assert_uint_eq(english_time_of(sunday_ms + day * DAY_MS).weekday, day % 7);
	ck_assert_uint_eq(english_time_of(0).weekday, 4);
}
END_TEST

START_TEST(writes_instants_in_utc_with_milliseconds)
{
	char text[25];
	instant_format(0, text);
	ck_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
	instant_format((uint64_t)1795402800000, text);
	ck_assert_str_eq(text, "2026-11-23T03:00:00.000Z");
	instant_format((uint64_t)84006 * DAY_MS - 1, text);
	ck_assert_str_eq(text, "2199-12-31T23:59:59.999Z");
	// In summer too: instants know no local time.
	instant_format(SPRING_2026_MS, text);
	ck_assert_str_eq(text, "2026-03-29T01:00:00.000Z");
}
END_TEST

// Instants come from peers, too.
START_TEST(stays_at_the_last_day_of_9999_for_any_later_instant)
{
	static const uint64_t late[] = {UINT64_MAX, UINT64_MAX / 2, (uint64_t)INT32_MAX * DAY_MS,
					(uint64_t)UINT32_MAX * DAY_MS, (uint64_t)2932897 * DAY_MS};
	for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
		char *text = malloc(25);
		ck_assert_ptr_nonnull(text);
		instant_format(late[i], text);
		ck_assert_uint_eq(strlen(text), 24);
		ck_assert_int_eq(memcmp(text, "9999-12-31T", 11), 0);
		ck_assert_int_eq(english_time_of(late[i]).date.day, 2932896);
		ck_assert_uint_lt(english_time_of(late[i]).minute_of_day, 1440);
		free(text);
	}
	char text[25];
	instant_format((uint64_t)2932897 * DAY_MS - 1, text);
	ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
}
END_TEST

START_TEST(reads_dates_and_instants)
{
	ck_assert_uint_eq(instant_of("2026-11-23"), (uint64_t)20780 * DAY_MS);
	ck_assert_uint_eq(instant_of("2026-11-23T03:00:00Z"), (uint64_t)1795402800000);
	ck_assert_uint_eq(instant_of("2026-11-23T03:00:00.000Z"), (uint64_t)1795402800000);
	ck_assert_uint_eq(instant_of("2026-11-23T23:59:59.999Z"), (uint64_t)20781 * DAY_MS - 1);
	ck_assert_uint_eq(instant_of("1970-01-01T00:00:00Z"), 0);
}
END_TEST

START_TEST(refuses_other_forms_of_an_instant)
{
	static const char *const bad[] = {
		"", "2026-11-2", "1969-12-31", "2026-02-29T00:00:00Z", "2026-11-23T", "2026-11-23Z", "2026-11-23T03:00Z",
		"2026-11-23T03:00:00", "2026-11-23 03:00:00Z", "2026-11-23t03:00:00Z", "2026-11-23T03:00:00z",
		"2026-11-23T24:00:00Z", "2026-11-23T03:60:00Z", "2026-11-23T03:00:60Z", "2026-11-23T03-00-00Z",
		"2026-11-23T03:00:00.Z", "2026-11-23T03:00:00.0Z", "2026-11-23T03:00:00.00Z", "2026-11-23T03:00:00,000Z",
		"2026-11-23T03:00:00.0000Z", "2026-11-23T03:00:00.00aZ", "2026-11-23T03:00:00+00:00",
		"2026-11-23T0a:00:00Z", "2026-11-23T03:00:00Z ", " 2026-11-23T03:00:00Z", "2026-11-23T-3:00:00Z"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint64_t time_ms;
		ck_assert_msg(!instant_parse(bad[i], strlen(bad[i]), &time_ms), "%s", bad[i]);
	}
}
END_TEST

START_TEST(reads_back_what_it_wrote)
{
	for (uint64_t time_ms = 0; time_ms < (uint64_t)84006 * DAY_MS; time_ms += 7 * DAY_MS + 12345679) {
		char text[25];
		instant_format(time_ms, text);
		ck_assert_uint_eq(instant_of(text), time_ms);
	}
}
END_TEST

START_TEST(a_day_in_england_begins_an_hour_earlier_in_summer)
{
	static const struct {
		const char *date, *begins;
	} days[] = {{"2026-01-15", "2026-01-15T00:00:00.000Z"}, {"2026-07-15", "2026-07-14T23:00:00.000Z"},
		    {"2026-03-29", "2026-03-29T00:00:00.000Z"}, {"2026-03-30", "2026-03-29T23:00:00.000Z"},
		    {"2026-10-25", "2026-10-24T23:00:00.000Z"}, {"2026-10-26", "2026-10-26T00:00:00.000Z"}};
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		struct date date;
		char text[25];
		ck_assert(date_parse(days[i].date, 10, &date));
		instant_format(english_midnight_ms(date), text);
		ck_assert_str_eq(text, days[i].begins);
	}
	ck_assert_uint_eq(english_midnight_ms((struct date){-5}), 0);
}
END_TEST

START_TEST(months_are_counted_from_1970_in_utc)
{
	char text[MONTH_BYTES];
	uint32_t month;
	ck_assert_uint_eq(instant_month(0), 0);
	ck_assert_uint_eq(instant_month(instant_of("2026-11-30T23:59:59.999Z")), 56 * 12 + 10);
	ck_assert_uint_eq(instant_month(instant_of("2026-12-01")), 56 * 12 + 11);
	ck_assert_uint_eq(instant_month(instant_of("2027-01-01")), 57 * 12);
	ck_assert_uint_eq(instant_month(UINT64_MAX), (9999 - 1970) * 12 + 11);
	for (uint32_t i = 0; i < 230 * 12; i++) {
		ck_assert_uint_eq(instant_month(month_start_ms(i)), i);
		ck_assert(i == 0 || instant_month(month_start_ms(i) - 1) == i - 1);
		month_format(i, text);
		ck_assert(month_parse(text, strlen(text), &month) && month == i);
	}
	static const char *const wrong[] = {"", "2026", "2026-13", "2026-1", "2026-011", "1969-12", "2200-01", "2026/11"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(!month_parse(wrong[i], strlen(wrong[i]), &month), "%s", wrong[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("date");
	TCase *tcase = tcase_create("date");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, counts_days_from_1970);
	tcase_add_test(tcase, writes_and_reads_back_every_day_of_three_centuries);
	tcase_add_test(tcase, knows_leap_years);
	tcase_add_test(tcase, knows_the_end_of_each_month);
	tcase_add_test(tcase, refuses_dates_out_of_range);
	tcase_add_test(tcase, refuses_other_forms_of_a_date);
	tcase_add_test(tcase, leaves_the_result_alone_when_it_refuses);
	tcase_add_test(tcase, adds_months_to_the_same_day);
	tcase_add_test(tcase, adds_months_to_the_last_day_where_the_day_does_not_exist);
	tcase_add_test(tcase, goes_forward_at_one_utc_on_29_march_2026);
	tcase_add_test(tcase, goes_back_at_one_utc_on_25_october_2026);
	tcase_add_test(tcase, switches_on_the_last_sunday_of_each_year);
	tcase_add_test(tcase, moves_date_and_weekday_over_midnight_in_summer);
	tcase_add_test(tcase, counts_weekdays_from_sunday);
	tcase_add_test(tcase, writes_instants_in_utc_with_milliseconds);
	tcase_add_test(tcase, stays_at_the_last_day_of_9999_for_any_later_instant);
	tcase_add_test(tcase, reads_dates_and_instants);
	tcase_add_test(tcase, refuses_other_forms_of_an_instant);
	tcase_add_test(tcase, reads_back_what_it_wrote);
	tcase_add_test(tcase, months_are_counted_from_1970_in_utc);
	tcase_add_test(tcase, a_day_in_england_begins_an_hour_earlier_in_summer);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
