// What becomes of inbox items that nobody acknowledges: the second box, expiry, and who is told.
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/brighton_inbox.h"

#define ESCALATE_MS (240u * STAGE_MINUTE_MS)

static void pass(uint64_t ms)
{
	stage->now_ms += ms;
	ck_assert(stage_tick(stage));
	sign_all_in();
}

START_TEST(what_nobody_acknowledged_in_time_is_in_the_second_box_once)
{
	look(2);
	settle(1, SEEN);
	pass(ESCALATE_MS - 1);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 0);
	pass(1);
	pass(STAGE_HOUR_MS);
	const Cpis__V1__InboxListReply *second = stage_inbox_list(stage, BRIGHTON_WORKER, ESCALATIONS, false);
	ck_assert_uint_eq(second->n_items, 1);
	ck_assert_uint_eq(second->items[0]->id, 1);
	ck_assert_uint_eq(second->items[0]->notification_id, 2);
	ck_assert_str_eq(second->items[0]->access->nhs_number, stage_child(1));
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, false)->items[0]->escalated_ms, second->items[0]->escalated_ms);
	const Cpis__V1__ProgressNotice *told = notice(2, 2);
	ck_assert_int_eq(told->event, CPIS__V1__PROGRESS_EVENT__ESCALATED);
	ck_assert_str_eq(told->by, "");
	ck_assert_uint_eq(core_read_counters(stage->core).escalated, 1);
}
END_TEST

START_TEST(settled_or_taken_in_one_box_is_so_in_the_other)
{
	look(2);
	pass(ESCALATE_MS);
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, 5, 0);
	body.box = ESCALATIONS;
	const struct stage_reply *taken = stage_ask_as(stage, BRIGHTON_DUTY, &request);
	ck_assert_uint_eq(taken->reply->inbox_take->n_items, 2);
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_WORKER, 5)->n_items, 0);
	ck_assert_uint_eq(stage_inbox_settle(stage, BRIGHTON_DUTY, ESCALATIONS, 2, ACTED_ON)->acknowledged, 1);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, false)->n_items, 1);
	ck_assert_uint_eq(settle(2, ACTED_ON)->already, 1);
	ck_assert_uint_eq(stage_inbox_settle(stage, BRIGHTON_DUTY, ESCALATIONS, 3, SEEN)->unknown, 1);
}
END_TEST

START_TEST(an_escalation_wakes_those_that_wait_for_it)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = stage_inbox_list_request(&body, ESCALATIONS, 5000);
	look(1);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	ck_assert(!stage_is_woken(stage)); // not for a notification
	stage->now_ms += ESCALATE_MS;
	ck_assert(stage_tick(stage));
	ck_assert(stage_is_woken(stage));
}
END_TEST

START_TEST(the_register_says_when_an_item_escalates)
{
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0, escalate_after_minutes: 5}");
	look(1);
	pass(5u * STAGE_MINUTE_MS);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 1);
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0, escalate_after_minutes: 0}");
	look(1);
	pass(2u * STAGE_DAY_MS);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 1);
	// What the hospital is told escalates nowhere.
	ck_assert_uint_eq(stage_inbox_list(stage, NURSE, ESCALATIONS, true)->n_items, 0);
}
END_TEST

static const Cpis__V1__AuditSearchReply *search(enum stage_person person, const char *nhs_number)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = (char *)(uintptr_t)nhs_number;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->audit_search;
}

START_TEST(what_nobody_ever_acknowledged_expires_and_is_an_event)
{
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0, escalate_after_minutes: 0, expire_after_days: 2}");
	const struct stage_reply *looked = stage_details(stage, NURSE, stage_child(0));
	look(2);
	pass(2u * STAGE_DAY_MS);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, false)->n_items, 0);
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_WORKER, 5)->n_items, 0);
	const Cpis__V1__InboxItem *item = stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, true)->items[0];
	ck_assert_uint_eq(item->expired_ms, stage->now_ms);
	ck_assert_uint_eq(item->acknowledged_ms, 0);
	const Cpis__V1__ProgressNotice *told = notice(1, 3);
	ck_assert_int_eq(told->event, CPIS__V1__PROGRESS_EVENT__EXPIRED);
	ck_assert_uint_eq(told->audit_index, looked->reply->receipt->index);
	ck_assert_uint_eq(core_read_counters(stage->core).expired, 3);
	// A reviewer finds it under the child's number.
	const Cpis__V1__AuditSearchReply *found = search(REVIEWER, stage_child(0));
	unsigned expired = 0;
	for (size_t i = 0; i < found->n_entries; i++) {
		if (found->entries[i]->operation != CPIS__V1__OPERATION__INBOX_EXPIRED)
			continue;
		expired++;
		ck_assert_str_eq(found->entries[i]->organisation, "846");
		ck_assert_str_eq(found->entries[i]->detail->nhs_number, stage_child(0));
		ck_assert_ptr_nonnull(strstr(found->entries[i]->detail->target, "of 846"));
	}
	ck_assert_uint_eq(expired, 2);
	pass(1);
	ck_assert_uint_eq(core_read_counters(stage->core).expired, 3); // once
	// Whoever finds it later still can say so.
	ck_assert_uint_eq(settle(1, SEEN)->acknowledged, 1);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_escalates_and_expires_later_and_once)
{
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0, escalate_after_minutes: 5, expire_after_days: 1}");
	look(2);
	static const uint64_t steps_ms[] = {5u * STAGE_MINUTE_MS, STAGE_DAY_MS};
	for (size_t i = 0; i < 2; i++) {
		uint64_t n = 1;
		stage->now_ms += steps_ms[i];
		for (bool done = false; !done; n++) {
			stage->fault.fail_at = n;
			stage->fault.calls = 0;
			done = stage_tick(stage) && stage->fault.calls < n;
			fault_store_mend(&stage->fault);
			ck_assert(stage_log_verifies(stage));
		}
		ck_assert_uint_gt(n, 8);
		sign_all_in();
		ck_assert_uint_eq(stage_inbox_list(stage, NURSE, NOTIFICATIONS, true)->n_items, 2 * (i + 1));
	}
	ck_assert_uint_eq(core_read_counters(stage->core).escalated, 2);
	ck_assert_uint_eq(core_read_counters(stage->core).expired, 2);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, ESCALATIONS, true)->n_items, 2);
}
END_TEST

START_TEST(an_item_that_does_not_open_holds_up_no_other)
{
	struct store_inbox_item row = {.box = STORE_BOX_NOTIFICATIONS, .organisation = {"383"}, .id = 1, .created_ms = 1,
				       .due_ms = 2, .sealed = {(const uint8_t *)"not sealed by anybody at all", 28}};
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->inbox_put(stage->disk, &row), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	look(1);
	pass(ESCALATE_MS);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 1);
}
END_TEST

static void add_times(Suite *suite)
{
	TCase *times = tcase_create("times");
	tcase_set_timeout(times, 120);
	tcase_add_checked_fixture(times, raise_curtain, drop_curtain);
	tcase_add_test(times, what_nobody_acknowledged_in_time_is_in_the_second_box_once);
	tcase_add_test(times, settled_or_taken_in_one_box_is_so_in_the_other);
	tcase_add_test(times, an_escalation_wakes_those_that_wait_for_it);
	tcase_add_test(times, the_register_says_when_an_item_escalates);
	tcase_add_test(times, what_nobody_ever_acknowledged_expires_and_is_an_event);
	tcase_add_test(times, a_store_that_fails_at_any_call_escalates_and_expires_later_and_once);
	tcase_add_test(times, an_item_that_does_not_open_holds_up_no_other);
	suite_add_tcase(suite, times);
}

int main(void)
{
	Suite *suite = suite_create("inbox_times");
	add_times(suite);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
