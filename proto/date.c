// Calendar arithmetic and the English clock.
#include "proto/date.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((uint64_t)86400000)
#define HOUR_MS ((uint64_t)3600000)
#define LAST_DAY 2932896 // 9999-12-31: the last with a year of four digits

// Days from 1970-01-01, and back: H. Hinnant, "chrono-compatible low-level date algorithms".
static int32_t days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int year_of_era = y - era * 400;
	int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void civil_of(int32_t days, int *year, int *month, int *day)
{
	int32_t z = days + 719468;
	int era = (z >= 0 ? z : z - 146096) / 146097;
	int day_of_era = z - era * 146097;
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int mp = (5 * day_of_year + 2) / 153;
	*day = day_of_year - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
	return month == 12 ? 31 : (int)(days_of(year, month + 1, 1) - days_of(year, month, 1));
}

// `count` digits at `text` as a number, -1 when one is not a digit.
static int number_at(const char *text, size_t count)
{
	int value = 0;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

bool date_parse(const char *text, size_t text_bytes, struct date *ret)
{
	if (text_bytes != 10 || text[4] != '-' || text[7] != '-')
		return false;
	int year = number_at(text, 4), month = number_at(text + 5, 2), day = number_at(text + 8, 2);
	if (year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	ret->day = days_of(year, month, day);
	return true;
}

// Without snprintf: each answer about a child has several dates.
static void put_digits(char *to, unsigned value, size_t count)
{
	for (; count > 0; value /= 10)
		to[--count] = (char)('0' + value % 10);
}

void date_format(struct date date, char out[11])
{
	int year, month, day;
	civil_of(date.day, &year, &month, &day);
	put_digits(out, (unsigned)year, 4);
	out[4] = out[7] = '-';
	put_digits(out + 5, (unsigned)month, 2);
	put_digits(out + 8, (unsigned)day, 2);
	out[10] = '\0';
}

struct date date_add_months(struct date date, int months)
{
	int year, month, day;
	civil_of(date.day, &year, &month, &day);
	int total = year * 12 + (month - 1) + months;
	year = total / 12;
	month = total % 12 + 1;
	int last = days_in_month(year, month);
	return (struct date){days_of(year, month, day > last ? last : day)};
}

static unsigned weekday_of(int32_t days)
{
	return (unsigned)(((days % 7) + 7 + 4) % 7); // 1970-01-01 was a Thursday
}

// 01:00 UTC on the last Sunday of the month.
static uint64_t last_sunday_ms(int year, int month)
{
	int32_t last = days_of(year, month, days_in_month(year, month));
	return (uint64_t)(last - (int32_t)weekday_of(last)) * DAY_MS + HOUR_MS;
}

// Any instant may come from a peer: those past the last day count as of that day.
static int32_t day_at(uint64_t time_ms)
{
	uint64_t day = time_ms / DAY_MS;
	return day > LAST_DAY ? LAST_DAY : (int32_t)day;
}

struct english_time english_time_of(uint64_t time_ms)
{
	int year, month, day;
	civil_of(day_at(time_ms), &year, &month, &day);
	bool summer = time_ms >= last_sunday_ms(year, 3) && time_ms < last_sunday_ms(year, 10);
	uint64_t local = time_ms + (summer ? HOUR_MS : 0);
	struct english_time ret = {.date = {day_at(local)}};
	ret.weekday = weekday_of(ret.date.day);
	ret.minute_of_day = (unsigned)(local % DAY_MS / 60000u);
	return ret;
}

uint64_t english_midnight_ms(struct date date)
{
	if (date.day < 1)
		return 0;
	// In summer the day begins an hour before it does in UTC; the clock never changes at midnight.
	uint64_t utc_ms = (uint64_t)date.day * DAY_MS;
	return utc_ms - (uint64_t)english_time_of(utc_ms).minute_of_day * 60000u;
}

uint32_t instant_month(uint64_t time_ms)
{
	int year, month, day;
	civil_of(day_at(time_ms), &year, &month, &day);
	return (uint32_t)((year - 1970) * 12 + month - 1);
}

uint64_t month_start_ms(uint32_t month)
{
	return (uint64_t)days_of(1970 + (int)(month / 12), (int)(month % 12) + 1, 1) * DAY_MS;
}

void month_format(uint32_t month, char out[MONTH_BYTES])
{
	snprintf(out, MONTH_BYTES, "%04u-%02u", (1970u + month / 12u) % 10000u, month % 12u + 1u);
}

bool month_parse(const char *text, size_t text_bytes, uint32_t *ret)
{
	char day[11];
	struct date date;
	if (text_bytes != MONTH_BYTES - 1)
		return false;
	snprintf(day, sizeof day, "%.7s-01", text);
	if (!date_parse(day, 10, &date) || date.day < 0)
		return false;
	*ret = instant_month((uint64_t)date.day * DAY_MS);
	return true;
}

void instant_format(uint64_t time_ms, char out[25])
{
	char date[11];
	uint64_t of_day = time_ms % DAY_MS;
	date_format((struct date){day_at(time_ms)}, date);
	snprintf(out, 25, "%sT%02u:%02u:%02u.%03uZ", date, (unsigned)(of_day / HOUR_MS) % 24u,
		 (unsigned)(of_day / 60000u % 60u), (unsigned)(of_day / 1000u % 60u), (unsigned)(of_day % 1000u));
}

bool instant_parse(const char *text, size_t text_bytes, uint64_t *ret_ms)
{
	struct date date;
	if (text_bytes < 10 || !date_parse(text, 10, &date) || date.day < 0)
		return false;
	uint64_t time_ms = (uint64_t)date.day * DAY_MS;
	if (text_bytes == 10) {
		*ret_ms = time_ms;
		return true;
	}
	bool with_ms = text_bytes == 24;
	if ((text_bytes != 20 && !with_ms) || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
	    text[text_bytes - 1] != 'Z' || (with_ms && text[19] != '.'))
		return false;
	int hour = number_at(text + 11, 2), minute = number_at(text + 14, 2), second = number_at(text + 17, 2);
	int ms = with_ms ? number_at(text + 20, 3) : 0;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || ms < 0)
		return false;
	*ret_ms = time_ms + (uint64_t)hour * HOUR_MS + (uint64_t)minute * 60000u + (uint64_t)second * 1000u + (uint64_t)ms;
	return true;
}
