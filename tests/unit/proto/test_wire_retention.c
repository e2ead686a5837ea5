// Limits of what keys by month and legal holds are asked for and shown in, at the limit and one past it, both ways.
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/unit/proto/whole.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static char name[HOLD_NAME_BYTES_MAX + 2];

START_TEST(a_hold_has_a_name_months_in_order_and_a_reason)
{
	Cpis__V1__RetentionHoldRequest body = CPIS__V1__RETENTION_HOLD_REQUEST__INIT;
	Cpis__V1__RetentionHold hold = CPIS__V1__RETENTION_HOLD__INIT;
	Cpis__V1__Request request = request_of(CPIS__V1__REQUEST__BODY_RETENTION_HOLD);
	request.retention_hold = &body;
	expect(&request.base, false, WIRE_MISSING, "retention_hold.hold");
	body.hold = &hold;
	expect(&request.base, false, WIRE_MISSING, "retention_hold.hold.name");
	memset(name, 'n', HOLD_NAME_BYTES_MAX + 1);
	hold.name = name;
	hold.reason = TEXT("the inquest asks for it");
	expect(&request.base, false, WIRE_BAD_VALUE, "retention_hold.hold.name");
	name[HOLD_NAME_BYTES_MAX] = '\0';
	expect(&request.base, false, WIRE_OK, NULL);
	static const char *const wrong[] = {"2026", "2026-13", "2026-00", "2026-1", "26-01-01", "2026-01-01", "1969-12", "2200-01"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		hold.from_month = TEXT(wrong[i]);
		expect(&request.base, false, WIRE_BAD_VALUE, "retention_hold.hold.from_month");
	}
	hold.from_month = TEXT("2026-11");
	hold.until_month = TEXT("2026-10");
	expect(&request.base, false, WIRE_BAD_VALUE, "retention_hold.hold.until_month");
	hold.until_month = TEXT("2026-11");
	expect(&request.base, false, WIRE_OK, NULL);
	hold.reason = TEXT("");
	expect(&request.base, false, WIRE_MISSING, "retention_hold.hold.reason");
}
END_TEST

START_TEST(a_release_has_a_name_and_a_reason)
{
	Cpis__V1__RetentionReleaseRequest body = CPIS__V1__RETENTION_RELEASE_REQUEST__INIT;
	Cpis__V1__Request request = request_of(CPIS__V1__REQUEST__BODY_RETENTION_RELEASE);
	request.retention_release = &body;
	expect(&request.base, false, WIRE_MISSING, "retention_release.name");
	body.name = TEXT("inquest");
	expect(&request.base, false, WIRE_MISSING, "retention_release.reason");
	body.reason = TEXT("the inquest is closed");
	expect(&request.base, false, WIRE_OK, NULL);
}
END_TEST

START_TEST(months_are_shown_a_hundred_at_a_time)
{
	Cpis__V1__RetentionShowRequest body = CPIS__V1__RETENTION_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = request_of(CPIS__V1__REQUEST__BODY_RETENTION_SHOW);
	request.retention_show = &body;
	body.limit = PAGE_ITEMS_MAX;
	expect(&request.base, false, WIRE_OK, NULL);
	body.limit++;
	expect(&request.base, false, WIRE_BAD_VALUE, "retention_show.limit");
	body.limit = 0;
	body.before_month = TEXT("last");
	expect(&request.base, false, WIRE_BAD_VALUE, "retention_show.before_month");
}
END_TEST

START_TEST(what_is_shown_stays_within_its_numbers)
{
	static Cpis__V1__RetentionMonth month = CPIS__V1__RETENTION_MONTH__INIT;
	static Cpis__V1__RetentionHold hold = CPIS__V1__RETENTION_HOLD__INIT;
	static Cpis__V1__RetentionKey key = CPIS__V1__RETENTION_KEY__INIT;
	Cpis__V1__RetentionMonth *months[PAGE_ITEMS_MAX + 1];
	Cpis__V1__RetentionHold *holds[HOLDS_MAX + 1];
	Cpis__V1__RetentionKey *keys[RETENTION_KEYS_MAX + 1];
	Cpis__V1__Receipt receipt;
	Cpis__V1__RetentionShowReply body = CPIS__V1__RETENTION_SHOW_REPLY__INIT;
	Cpis__V1__Reply reply = reply_of(&receipt, CPIS__V1__REPLY__BODY_RETENTION_SHOW);
	for (size_t i = 0; i <= PAGE_ITEMS_MAX; i++)
		months[i] = &month;
	for (size_t i = 0; i <= HOLDS_MAX; i++)
		holds[i] = &hold;
	for (size_t i = 0; i <= RETENTION_KEYS_MAX; i++)
		keys[i] = &key;
	month.month = TEXT("2026-11");
	reply.retention_show = &body;
	body.months = months;
	body.holds = holds;
	body.more = true;
	expect(&reply.base, true, WIRE_MISSING, "retention_show.months");
	body.n_months = PAGE_ITEMS_MAX;
	body.n_holds = HOLDS_MAX;
	expect(&reply.base, true, WIRE_OK, NULL);
	body.n_months++;
	expect(&reply.base, true, WIRE_TOO_MANY, "retention_show.months");
	body.n_months = 1;
	body.n_holds++;
	expect(&reply.base, true, WIRE_TOO_MANY, "retention_show.holds");
	body.n_holds = 0;
	month.keys = keys;
	month.n_keys = RETENTION_KEYS_MAX;
	expect(&reply.base, true, WIRE_OK, NULL);
	month.n_keys++;
	expect(&reply.base, true, WIRE_TOO_MANY, "retention_show.months.keys");
	month.n_keys = 0;
	month.month = TEXT("November");
	expect(&reply.base, true, WIRE_BAD_VALUE, "retention_show.months.month");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, a_hold_has_a_name_months_in_order_and_a_reason);
	tcase_add_test(tests, a_release_has_a_name_and_a_reason);
	tcase_add_test(tests, months_are_shown_a_hundred_at_a_time);
	tcase_add_test(tests, what_is_shown_stays_within_its_numbers);
}

int main(void)
{
	return suite_run_group("wire_retention", whole_setup, whole_teardown, 0, add);
}
