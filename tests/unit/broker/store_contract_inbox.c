// The store's contract: inboxes.
#include "tests/unit/broker/store_contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ------------------------------------------------------------------ inboxes

START_TEST(inbox_ids_ascend_in_each_organisation)
{
	uint64_t id;
	for (uint64_t expected = 1; expected <= 3; expected++) {
		begin();
		ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
		ck_assert_uint_eq(id, expected);
		ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK); // not reserved until put
		ck_assert_uint_eq(id, expected);
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
		commit();
	}
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &hove, &id), STORE_OK);
	ck_assert_uint_eq(id, 1);
}
END_TEST

START_TEST(does_not_use_an_inbox_id_again_after_it_was_acknowledged)
{
	uint64_t id;
	begin();
	ck_assert_int_eq(put_item(&leeds, 1, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 5, blob("name")), STORE_OK);
	commit();
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 2);
	begin();
	assert_fails(put_item(&leeds, 1, "again"));
}
END_TEST

START_TEST(acknowledges_an_item_once)
{
	struct store_inbox_item item;
	uint64_t open_items;
	begin();
	ck_assert_int_eq(put_item(&leeds, 1, "x"), STORE_OK);
	ck_assert_int_eq(put_item(&hove, 1, "y"), STORE_OK);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.acknowledged_ms, 0);
	ck_assert_uint_eq(item.acknowledged_by.bytes, 0);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 5000, blob("first")), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 6000, blob("second")), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 2, 6000, blob("second")), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &brighton, 1, 6000, blob("second")), STORE_NOT_FOUND);
	commit();
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.id, 1);
	ck_assert_uint_eq(item.created_ms, 1001);
	ck_assert_uint_eq(item.acknowledged_ms, 5000);
	assert_blob(item.sealed, "x");
	assert_blob(item.acknowledged_by, "first");
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &brighton, 1, &arena, &item), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, &leeds, &open_items), STORE_OK);
	ck_assert_uint_eq(open_items, 0);
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, &hove, &open_items), STORE_OK);
	ck_assert_uint_eq(open_items, 1);
}
END_TEST

static void assert_waiting(const uint64_t since_ms[STORE_AGES - 1], uint32_t max, uint64_t oldest_ms, const uint32_t counts[STORE_AGES],
			   bool more)
{
	struct store_waiting waiting;
	ck_assert_int_eq(ops->inbox_waiting(store, since_ms, max, &waiting), STORE_OK);
	ck_assert_uint_eq(waiting.oldest_ms, oldest_ms);
	for (unsigned i = 0; i < STORE_AGES; i++)
		ck_assert_uint_eq(waiting.counts[i], counts[i]);
	ck_assert_int_eq(waiting.more, more);
}

START_TEST(counts_what_waits_by_age_and_no_more_than_it_is_told)
{
	static const uint64_t since_ms[STORE_AGES - 1] = {1004, 1003, 1003, 1002};
	static const uint32_t none[STORE_AGES] = {0};
	assert_waiting(since_ms, STORE_WAITING_MAX, 0, none, false);
	begin();
	for (uint64_t id = 1; id <= 4; id++)
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
	ck_assert_int_eq(put_item(&hove, 4, "y"), STORE_OK);
	struct store_inbox_item alert = {.box = STORE_BOX_ALERTS, .organisation = leeds, .id = 1, .created_ms = 7, .sealed = blob("z")};
	ck_assert_int_eq(ops->inbox_put(store, &alert), STORE_OK);
	assert_waiting(since_ms, STORE_WAITING_MAX, 1001, (const uint32_t[]){2, 1, 0, 1, 1}, false);
	assert_waiting(since_ms, 5, 1001, (const uint32_t[]){2, 1, 0, 1, 1}, false);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 5, blob("name")), STORE_OK);
	commit();
	assert_waiting(since_ms, STORE_WAITING_MAX, 1002, (const uint32_t[]){2, 1, 0, 1, 0}, false);
	struct store_waiting waiting;
	ck_assert_int_eq(ops->inbox_waiting(store, since_ms, 3, &waiting), STORE_OK);
	ck_assert(waiting.more);
	ck_assert_uint_eq(waiting.counts[0] + waiting.counts[1] + waiting.counts[2] + waiting.counts[3] + waiting.counts[4], 4);
}
END_TEST

static void assert_open(const struct ods_code *organisation, uint64_t expected)
{
	uint64_t open;
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, organisation, &open), STORE_OK);
	ck_assert_uint_eq(open, expected);
}

// Asked for after each write: a number that is kept must follow what happens to the rows.
START_TEST(the_number_of_open_items_follows_every_write_and_a_rollback)
{
	struct store_inbox_item item;
	assert_open(&leeds, 0);
	begin();
	for (uint64_t id = 1; id <= 4; id++) {
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
		assert_open(&leeds, id);
	}
	ck_assert_int_eq(put_item(&hove, 1, "y"), STORE_OK);
	assert_open(&hove, 1);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 5000, blob("first")), STORE_OK);
	assert_open(&leeds, 3);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 6000, blob("second")), STORE_NOT_FOUND);
	assert_open(&leeds, 3);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 2, &arena, &item), STORE_OK);
	item.lease_until_ms = 9000;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	assert_open(&leeds, 3);
	item.expired_ms = 9000;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	assert_open(&leeds, 2);
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK); // twice is once
	assert_open(&leeds, 2);
	item.expired_ms = 0;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	assert_open(&leeds, 3);
	commit();
	begin();
	ck_assert_int_eq(put_item(&leeds, 5, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 3, 5000, blob("first")), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 4, 5000, blob("first")), STORE_OK);
	assert_open(&leeds, 2);
	ops->rollback(store);
	assert_open(&leeds, 3);
	assert_open(&hove, 1);
}
END_TEST

static void assert_ids(uint64_t after_id, bool include_acknowledged, size_t max, const char *expected)
{
	struct store_inbox_item *items;
	size_t count;
	char found[64] = "";
	arena_reset(&arena);
	ck_assert_int_eq(ops->inbox_list(store, STORE_BOX_NOTIFICATIONS, &leeds, after_id, include_acknowledged, max, &arena, &items, &count),
			 STORE_OK);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(items[i].organisation.text, "383");
		snprintf(found + strlen(found), sizeof found - strlen(found), "%llu ", (unsigned long long)items[i].id);
	}
	ck_assert_str_eq(found, expected);
}

START_TEST(lists_an_inbox_by_id_open_or_whole)
{
	begin();
	for (uint64_t id = 1; id <= 12; id++)
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
	ck_assert_int_eq(put_item(&hove, 1, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 2, 1, blob("n")), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 4, 1, blob("n")), STORE_OK);
	commit();
	assert_ids(0, true, 100, "1 2 3 4 5 6 7 8 9 10 11 12 ");
	assert_ids(0, false, 100, "1 3 5 6 7 8 9 10 11 12 ");
	assert_ids(0, true, 3, "1 2 3 ");
	assert_ids(0, false, 3, "1 3 5 ");
	assert_ids(3, false, 3, "5 6 7 ");
	assert_ids(3, true, 2, "4 5 ");
	assert_ids(12, true, 100, "");
	assert_ids(UINT64_MAX, true, 100, "");
}
END_TEST

START_TEST(keeps_what_becomes_of_an_item)
{
	struct store_inbox_item item;
	begin();
	ck_assert_int_eq(put_item(&leeds, 1, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	item.acknowledged_ms = 1;
	item.delivered_ms = 2;
	item.lease_until_ms = 3;
	item.escalated_ms = 4;
	item.escalation_id = 5;
	item.expired_ms = 6;
	item.answered_ms = 7;
	item.due_ms = 8;
	item.acknowledged_by = blob("by");
	item.leased_by = blob("lease");
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	item.id = 2;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_NOT_FOUND);
	commit();
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.acknowledged_ms, 1);
	ck_assert_uint_eq(item.delivered_ms, 2);
	ck_assert_uint_eq(item.lease_until_ms, 3);
	ck_assert_uint_eq(item.escalated_ms, 4);
	ck_assert_uint_eq(item.escalation_id, 5);
	ck_assert_uint_eq(item.expired_ms, 6);
	ck_assert_uint_eq(item.answered_ms, 7);
	ck_assert_uint_eq(item.due_ms, 8);
	ck_assert_uint_eq(item.created_ms, 1001);
	assert_blob(item.sealed, "x");
	assert_blob(item.acknowledged_by, "by");
	assert_blob(item.leased_by, "lease");
}
END_TEST

// Item `id` of Leeds, changed by one of these.
static void change_item(uint64_t id, uint64_t lease_until_ms, uint64_t escalation_id, uint64_t expired_ms, uint64_t due_ms)
{
	struct store_inbox_item item;
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, id, &arena, &item), STORE_OK);
	item.lease_until_ms = lease_until_ms;
	item.escalation_id = escalation_id;
	item.expired_ms = expired_ms;
	item.due_ms = due_ms;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
}

static void assert_items(enum store_status status, const struct store_inbox_item *items, size_t count, const char *expected)
{
	char found[64] = "";
	ck_assert_int_eq(status, STORE_OK);
	for (size_t i = 0; i < count; i++)
		snprintf(found + strlen(found), sizeof found - strlen(found), "%llu ", (unsigned long long)items[i].id);
	ck_assert_str_eq(found, expected);
}

static void put_six(void)
{
	begin();
	for (uint64_t id = 1; id <= 6; id++)
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
	ck_assert_int_eq(put_item(&hove, 1, "x"), STORE_OK);
}

START_TEST(gives_out_what_nobody_holds)
{
	struct store_inbox_item *items;
	size_t count;
	put_six();
	change_item(1, 5000, 0, 0, 0);
	change_item(2, 0, 0, 9, 0);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 3, 1, blob("n")), STORE_OK);
	commit();
	enum store_status status =
		ops->inbox_free(store, STORE_BOX_NOTIFICATIONS, &leeds, 0, 4999, 2, &arena, &items, &count);
	assert_items(status, items, count, "4 5 ");
	status = ops->inbox_free(store, STORE_BOX_NOTIFICATIONS, &leeds, 5, 4999, 9, &arena, &items, &count);
	assert_items(status, items, count, "6 ");
	status = ops->inbox_free(store, STORE_BOX_NOTIFICATIONS, &leeds, 0, 5000, 2, &arena, &items, &count);
	assert_items(status, items, count, "1 4 ");
	assert_ids(0, false, 100, "1 4 5 6 ");
}
END_TEST

START_TEST(shows_escalated_items_under_numbers_of_their_own)
{
	struct store_inbox_item *items, item;
	size_t count;
	uint64_t id, open;
	put_six();
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_ESCALATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 1);
	change_item(5, 0, 1, 0, 0);
	change_item(2, 7000, 2, 0, 0);
	commit();
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_ESCALATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 3);
	enum store_status status =
		ops->inbox_list(store, STORE_BOX_ESCALATIONS, &leeds, 0, false, 9, &arena, &items, &count);
	assert_items(status, items, count, "5 2 ");
	status = ops->inbox_list(store, STORE_BOX_ESCALATIONS, &leeds, 1, true, 9, &arena, &items, &count);
	assert_items(status, items, count, "2 ");
	status = ops->inbox_free(store, STORE_BOX_ESCALATIONS, &leeds, 0, 6999, 9, &arena, &items, &count);
	assert_items(status, items, count, "5 ");
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_ESCALATIONS, &leeds, 2, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.id, 2);
	ck_assert_int_eq(item.box, STORE_BOX_NOTIFICATIONS);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_ESCALATIONS, &hove, 1, &arena, &item), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_ESCALATIONS, &leeds, &open), STORE_OK);
	ck_assert_uint_eq(open, 2);
	// No two items have one number.
	begin();
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	item.escalation_id = 2;
	assert_fails(ops->inbox_update(store, &item));
}
END_TEST

START_TEST(finds_what_is_due_over_all_organisations)
{
	struct store_inbox_item *items;
	size_t count;
	struct store_inbox_item held = {.box = STORE_BOX_HELD, .organisation = hove, .id = 9, .due_ms = 10, .sealed = blob("x")};
	put_six();
	change_item(4, 0, 0, 0, 300);
	change_item(2, 0, 0, 0, 200);
	change_item(6, 0, 0, 0, 301);
	ck_assert_int_eq(ops->inbox_put(store, &held), STORE_OK);
	commit();
	enum store_status status = ops->inbox_due(store, STORE_BOX_NOTIFICATIONS, 300, 9, &arena, &items, &count);
	assert_items(status, items, count, "2 4 ");
	status = ops->inbox_due(store, STORE_BOX_NOTIFICATIONS, 9999, 1, &arena, &items, &count);
	assert_items(status, items, count, "2 ");
	status = ops->inbox_due(store, STORE_BOX_HELD, 10, 9, &arena, &items, &count);
	assert_items(status, items, count, "9 ");
}
END_TEST

START_TEST(knows_when_the_last_item_of_another_kind_came)
{
	uint64_t created_ms;
	struct store_inbox_item nothing = {.organisation = leeds, .id = 7, .kind = 26, .created_ms = 1010, .sealed = blob("x")};
	put_six();
	ck_assert_int_eq(ops->inbox_put(store, &nothing), STORE_OK);
	commit();
	ck_assert_int_eq(ops->inbox_latest(store, STORE_BOX_NOTIFICATIONS, &leeds, 2000, 26, &created_ms), STORE_OK);
	ck_assert_uint_eq(created_ms, 1006);
	ck_assert_int_eq(ops->inbox_latest(store, STORE_BOX_NOTIFICATIONS, &leeds, 1003, 26, &created_ms), STORE_OK);
	ck_assert_uint_eq(created_ms, 1002);
	ck_assert_int_eq(ops->inbox_latest(store, STORE_BOX_HELD, &leeds, 2000, 26, &created_ms), STORE_OK);
	ck_assert_uint_eq(created_ms, 0);
}
END_TEST

START_TEST(remembers_how_far_nothing_to_report_has_got)
{
	struct store_reported row = {.until_ms = 5, .after = leeds};
	ck_assert_int_eq(ops->reported_get(store, &row), STORE_NOT_FOUND);
	begin();
	ck_assert_int_eq(ops->reported_put(store, &row), STORE_OK);
	commit();
	row = (struct store_reported){0};
	ck_assert_int_eq(ops->reported_get(store, &row), STORE_OK);
	ck_assert_uint_eq(row.until_ms, 5);
	ck_assert_str_eq(row.after.text, "383");
	begin();
	row = (struct store_reported){.until_ms = 6};
	ck_assert_int_eq(ops->reported_put(store, &row), STORE_OK);
	commit();
	ck_assert_int_eq(ops->reported_get(store, &row), STORE_OK);
	ck_assert_str_eq(row.after.text, "");
}
END_TEST

TCase *contract_inbox(void)
{
	TCase *tests = tcase_create("inbox");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, inbox_ids_ascend_in_each_organisation);
	tcase_add_test(tests, does_not_use_an_inbox_id_again_after_it_was_acknowledged);
	tcase_add_test(tests, acknowledges_an_item_once);
	tcase_add_test(tests, the_number_of_open_items_follows_every_write_and_a_rollback);
	tcase_add_test(tests, counts_what_waits_by_age_and_no_more_than_it_is_told);
	tcase_add_test(tests, lists_an_inbox_by_id_open_or_whole);
	tcase_add_test(tests, keeps_what_becomes_of_an_item);
	tcase_add_test(tests, gives_out_what_nobody_holds);
	tcase_add_test(tests, shows_escalated_items_under_numbers_of_their_own);
	tcase_add_test(tests, finds_what_is_due_over_all_organisations);
	tcase_add_test(tests, knows_when_the_last_item_of_another_kind_came);
	tcase_add_test(tests, remembers_how_far_nothing_to_report_has_got);
	return tests;
}
