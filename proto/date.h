// Calendar dates, as day counts, and the English clock. Pure functions: no one here reads a clock.
#ifndef CPIS_PROTO_DATE_H
#define CPIS_PROTO_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Days since 1970-01-01 in the proleptic Gregorian calendar.
struct date {
	int32_t day;
};

// YYYY-MM-DD, 1900 to 2199, a day that exists. `ret` is written on success only.
__attribute__((warn_unused_result)) bool date_parse(const char *text, size_t text_bytes, struct date *ret);

void date_format(struct date date, char out[11]);

// The same day of the month `months` later (may be negative); the month's last day where that day does not exist.
struct date date_add_months(struct date date, int months);

// England's local time: GMT, and BST from 01:00 UTC on the last Sunday of March to 01:00 UTC on the
// last Sunday of October (Summer Time Order 2002).
struct english_time {
	struct date date;
	unsigned weekday;        // 0 Sunday to 6 Saturday
	unsigned minute_of_day;  // 0 to 1439
};
struct english_time english_time_of(uint64_t time_ms);
// When that day begins in England; 0 for days before 1970.
uint64_t english_midnight_ms(struct date date);

// Calendar months in UTC, counted from January 1970; as text, 2026-11. Past the year 9999 its last month.
#define MONTH_BYTES 8
uint32_t instant_month(uint64_t time_ms);
uint64_t month_start_ms(uint32_t month);
void month_format(uint32_t month, char out[MONTH_BYTES]);
// 1970-01 to 2199-12.
__attribute__((warn_unused_result)) bool month_parse(const char *text, size_t text_bytes, uint32_t *ret);

// RFC 3339 in UTC with milliseconds: 2026-11-23T03:00:00.000Z. Takes any instant, as peers may send any: past the
// year 9999 the date stays at its last day (in english_time_of too).
void instant_format(uint64_t time_ms, char out[25]);

// RFC 3339 date or date-time in UTC ("2026-11-23", "2026-11-23T03:00:00Z", with or without .mmm).
__attribute__((warn_unused_result)) bool instant_parse(const char *text, size_t text_bytes, uint64_t *ret_ms);

#endif
