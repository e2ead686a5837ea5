// An inbox shared by several workers: waiting, leases, seen and acted on, what the sender is told.
#include <stdlib.h>

#include "tests/scenario/brighton_inbox.h"

// ------------------------------------------------------------------ waiting

START_TEST(a_list_waits_for_an_item_and_is_answered_when_one_is_durable)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = stage_inbox_list_request(&body, NOTIFICATIONS, 5000);
	uint64_t before = stage_log_size(stage);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	ck_assert_uint_eq(stage_log_size(stage), before); // nothing is recorded while it waits
	ck_assert(!stage_is_woken(stage));
	look(1);
	ck_assert(stage_is_woken(stage));
	const struct stage_reply *got = stage_resume(stage, true);
	ck_assert_ptr_nonnull(got);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->inbox_list->n_items, 1);
	ck_assert_uint_lt(got->reply->inbox_list->items[0]->access->audit_index, got->checkpoint.size);
}
END_TEST

START_TEST(a_take_waits_for_an_item)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, 1, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	look(1);
	ck_assert(stage_is_woken(stage));
	const struct stage_reply *got = stage_resume(stage, true);
	ck_assert_ptr_nonnull(got);
	ck_assert_uint_eq(got->reply->inbox_take->n_items, 1);
}
END_TEST

START_TEST(at_the_end_of_the_wait_the_answer_is_empty_and_recorded)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = stage_inbox_list_request(&body, NOTIFICATIONS, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	const struct stage_reply *got = stage_resume(stage, false);
	ck_assert_ptr_nonnull(got);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->inbox_list->n_items, 0);
	Cpis__V1__InboxTakeRequest take;
	request = stage_inbox_take_request(&take, 1, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	got = stage_resume(stage, false);
	ck_assert_ptr_nonnull(got);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->inbox_take->n_items, 0);
	ck_assert_uint_eq(got->reply->inbox_take->lease, 0);
}
END_TEST

START_TEST(who_is_woken_for_what_another_has_taken_waits_on)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, 1, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	look(1);
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_WORKER, 1)->n_items, 1);
	ck_assert_ptr_null(stage_resume(stage, true));
	ck_assert_ptr_nonnull(stage_resume(stage, false));
}
END_TEST

START_TEST(a_take_waits_until_what_another_holds_is_free)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, 1, 30000);
	request.deadline_ms = 40000;
	look(1);
	uint64_t lease = stage_inbox_take(stage, BRIGHTON_WORKER, 1)->lease;
	stage->now_ms += 2000;
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	ck_assert_uint_eq(stage->parked.wait.wait_ms, STAGE_LEASE_MS - 2000);
	stage_is_woken(stage);
	stage_inbox_hold(stage, BRIGHTON_WORKER, 1, lease, 1000); // gives it back early
	ck_assert(stage_is_woken(stage));
	ck_assert_ptr_null(stage_resume(stage, true));
	ck_assert_uint_eq(stage->parked.wait.wait_ms, 1000);
	stage->now_ms += 1000;
	const struct stage_reply *got = stage_resume(stage, false);
	ck_assert_uint_eq(got->reply->inbox_take->n_items, 1);
}
END_TEST

START_TEST(a_wait_ends_before_the_deadline)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = stage_inbox_list_request(&body, NOTIFICATIONS, 60000);
	request.deadline_ms = 4000;
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	ck_assert_uint_eq(stage->parked.wait.wait_ms, 3500);
	request.deadline_ms = 500;
	const struct stage_reply *got = stage_ask_as(stage, BRIGHTON_DUTY, &request); // no time to wait
	stage_expect_ok(got);
}
END_TEST

START_TEST(whoever_was_quarantined_while_waiting_gets_nothing)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = stage_inbox_list_request(&body, NOTIFICATIONS, 5000);
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request act = CPIS__V1__REQUEST__INIT;
	set.kind = CPIS__V1__QUARANTINE_KIND__PERSON;
	set.target = (char *)(uintptr_t)stage_uid(BRIGHTON_DUTY);
	set.reason = (char *)(uintptr_t)"a laptop was stolen";
	act.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	act.quarantine_set = &set;
	stage_expect_ok(stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms, &act));
	look(1);
	const struct stage_reply *got = stage_resume(stage, true);
	ck_assert_ptr_nonnull(got);
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	ck_assert_int_eq(got->reply->body_case, CPIS__V1__REPLY__BODY__NOT_SET);
}
END_TEST

START_TEST(whoever_was_revoked_while_waiting_gets_nothing)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, 1, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	stage_revoke_system(stage, STAGE_BRIGHTON);
	look(1);
	const struct stage_reply *got = stage_resume(stage, true);
	ck_assert_ptr_nonnull(got);
	stage_expect(got, ASID_CHECK_FAILED, "system_revoked");
}
END_TEST

START_TEST(whoever_lost_the_role_while_waiting_gets_nothing)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = stage_inbox_list_request(&body, NOTIFICATIONS, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	stage_end_profile(stage, BRIGHTON_DUTY);
	look(1);
	const struct stage_reply *got = stage_resume(stage, true);
	ck_assert_ptr_nonnull(got);
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "role_profile");
}
END_TEST

// ------------------------------------------------------------------ leases

START_TEST(two_workers_never_hold_the_same_item)
{
	look(3);
	const Cpis__V1__InboxTakeReply *first = stage_inbox_take(stage, BRIGHTON_WORKER, 2), *second = stage_inbox_take(stage, BRIGHTON_DUTY, 2);
	ck_assert_uint_eq(first->n_items, 2);
	ck_assert_uint_eq(first->items[0]->id, 1);
	ck_assert_uint_eq(first->items[1]->id, 2);
	ck_assert_uint_eq(first->lease_until_ms, stage->now_ms + STAGE_LEASE_MS);
	ck_assert_uint_eq(second->n_items, 1);
	ck_assert_uint_eq(second->items[0]->id, 3);
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_WORKER, 5)->n_items, 0); // nor does the holder get it again
	ck_assert_uint_eq(second->unacknowledged, 3);
	const Cpis__V1__InboxListReply *all = stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, false);
	ck_assert_str_eq(all->items[0]->leased_by, "Person 8");
	ck_assert_str_eq(all->items[2]->leased_by, "Person 9");
	ck_assert_uint_eq(all->items[2]->lease_until_ms, second->lease_until_ms);
}
END_TEST

START_TEST(a_lease_ends_with_its_time_and_survives_a_restart)
{
	look(1);
	stage_inbox_take(stage, BRIGHTON_WORKER, 1);
	stage_restart(stage);
	stage->now_ms += STAGE_LEASE_MS - 1;
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_DUTY, 1)->n_items, 0);
	stage->now_ms += 1;
	const Cpis__V1__InboxTakeReply *again = stage_inbox_take(stage, BRIGHTON_DUTY, 1);
	ck_assert_uint_eq(again->n_items, 1);
	ck_assert_uint_eq(again->items[0]->id, 1);
}
END_TEST

START_TEST(an_acknowledged_item_is_given_to_nobody_again)
{
	look(2);
	stage_inbox_take(stage, BRIGHTON_WORKER, 1);
	ck_assert_uint_eq(settle(1, SEEN)->acknowledged, 1);
	stage->now_ms += STAGE_LEASE_MS;
	const Cpis__V1__InboxTakeReply *rest = stage_inbox_take(stage, BRIGHTON_DUTY, 5);
	ck_assert_uint_eq(rest->n_items, 1);
	ck_assert_uint_eq(rest->items[0]->id, 2);
}
END_TEST

START_TEST(a_holder_holds_on_or_gives_back_and_nobody_else_can)
{
	look(1);
	const Cpis__V1__InboxTakeReply *first = stage_inbox_take(stage, BRIGHTON_WORKER, 1);
	ck_assert_uint_eq(stage_inbox_hold(stage, BRIGHTON_WORKER, 1, first->lease, 60000)->n_items, 1);
	stage->now_ms += STAGE_LEASE_MS;
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_DUTY, 1)->n_items, 0);
	ck_assert_uint_eq(stage_inbox_hold(stage, BRIGHTON_DUTY, 1, first->lease + 1, 1000)->n_items, 0); // another take's
	ck_assert_uint_eq(stage_inbox_hold(stage, BRIGHTON_WORKER, 7, first->lease, 1000)->n_items, 0);   // no such item
	ck_assert_uint_eq(stage_inbox_hold(stage, BRIGHTON_WORKER, 1, first->lease, 1000)->lease, first->lease);
	stage->now_ms += 1000;
	const Cpis__V1__InboxTakeReply *second = stage_inbox_take(stage, BRIGHTON_DUTY, 1);
	ck_assert_uint_eq(second->n_items, 1);
	ck_assert_uint_eq(stage_inbox_hold(stage, BRIGHTON_WORKER, 1, first->lease, 1000)->n_items, 0); // its lease is over
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_WORKER, 1)->n_items, 0);
}
END_TEST

START_TEST(a_take_sent_twice_takes_once)
{
	uint8_t id[REQUEST_ID_BYTES] = {7};
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, 1, 0);
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	look(2);
	const struct stage_reply *first = stage_ask_as(stage, BRIGHTON_WORKER, &request);
	request.deadline_ms = 3000;
	const struct stage_reply *second = stage_ask_as(stage, BRIGHTON_WORKER, &request);
	stage_expect_ok(second);
	ck_assert(stage_same_body(first, second));
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_DUTY, 5)->items[0]->id, 2);
}
END_TEST

START_TEST(other_organisations_see_and_settle_only_their_own)
{
	look(1);
	ck_assert_uint_eq(stage_inbox_take(stage, LEEDS_WORKER, 5)->n_items, 0);
	ck_assert_uint_eq(stage_inbox_list(stage, NURSE, NOTIFICATIONS, true)->n_items, 0);
	ck_assert_uint_eq(stage_inbox_settle(stage, LEEDS_WORKER, NOTIFICATIONS, 1, SEEN)->unknown, 1);
	ck_assert_uint_eq(stage_inbox_settle(stage, NURSE, NOTIFICATIONS, 1, SEEN)->unknown, 1);
	ck_assert_uint_eq(stage_inbox_take(stage, BRIGHTON_DUTY, 1)->n_items, 1);
}
END_TEST

// ------------------------------------------------------------------ seen and acted on

START_TEST(seen_and_then_acted_on_are_told_once_each_to_whoever_looked)
{
	const struct stage_reply *looked = stage_details(stage, NURSE, stage_child(0));
	ck_assert_uint_eq(settle(1, SEEN)->acknowledged, 1);
	ck_assert_uint_eq(settle(1, SEEN)->already, 1);
	const Cpis__V1__ProgressNotice *read = notice(1, 1);
	ck_assert_int_eq(read->event, CPIS__V1__PROGRESS_EVENT__READ);
	ck_assert_int_eq(read->about, CPIS__V1__INBOX_SUBJECT__LOOK);
	ck_assert_str_eq(read->organisation, "846");
	ck_assert_str_eq(read->by, "Person 8");
	ck_assert_uint_eq(read->audit_index, looked->reply->receipt->index);
	ck_assert_uint_eq(stage_inbox_settle(stage, BRIGHTON_DUTY, NOTIFICATIONS, 1, ACTED_ON)->acknowledged, 1);
	ck_assert_uint_eq(settle(1, ACTED_ON)->already, 1);
	ck_assert_uint_eq(settle(1, SEEN)->already, 1);
	const Cpis__V1__ProgressNotice *acted = notice(2, 2);
	ck_assert_int_eq(acted->event, CPIS__V1__PROGRESS_EVENT__ACTED);
	ck_assert_str_eq(acted->by, "Person 9");
	const Cpis__V1__InboxItem *item = stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, true)->items[0];
	ck_assert_int_eq(item->settlement, ACTED_ON);
	ck_assert_str_eq(item->acknowledged_by, "Person 8"); // the first stays named
	// Progress itself tells nobody.
	ck_assert_uint_eq(stage_inbox_settle(stage, NURSE, NOTIFICATIONS, 1, SEEN)->acknowledged, 1);
	ck_assert_uint_eq(stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, true)->n_items, 1);
}
END_TEST

START_TEST(acted_on_at_once_is_one_notice)
{
	look(1);
	settle(1, ACTED_ON);
	ck_assert_int_eq(notice(1, 1)->event, CPIS__V1__PROGRESS_EVENT__ACTED);
}
END_TEST

static void submit_settlement_and_look(void)
{
	uint64_t ids[] = {1, 2};
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__InboxTakeRequest take;
	Cpis__V1__Request request = stage_inbox_take_request(&take, 1, 0), settle = CPIS__V1__REQUEST__INIT;
	body.ids = ids;
	body.n_ids = 2;
	body.settlement = ACTED_ON;
	settle.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	settle.inbox_acknowledge = &body;
	ck_assert(stage_submit_as(stage, BRIGHTON_WORKER, &settle));
	ck_assert(stage_submit_as(stage, BRIGHTON_DUTY, &request));
}

START_TEST(a_store_that_fails_at_any_call_leaves_nothing_half_settled)
{
	look(3);
	uint64_t n = 1;
	for (;; n++) {
		stage->fault.fail_at = n;
		stage->fault.calls = 0;
		submit_settlement_and_look();
		if (stage_flush(stage))
			break;
		stage_expect(stage->batch[0], SERVICE_UNAVAILABLE, "store_unavailable");
		fault_store_mend(&stage->fault);
		ck_assert_uint_eq(stage_inbox_list(stage, NURSE, NOTIFICATIONS, true)->n_items, 0);
		const Cpis__V1__InboxListReply *open = stage_inbox_list(stage, BRIGHTON_WORKER, NOTIFICATIONS, false);
		ck_assert_uint_eq(open->n_items, 3);
		ck_assert_uint_eq(open->items[2]->lease_until_ms, 0);
	}
	fault_store_mend(&stage->fault);
	ck_assert_uint_gt(n, 15);
	stage_expect_ok(stage->batch[0]);
	ck_assert_uint_eq(stage->batch[1]->reply->inbox_take->items[0]->id, 3);
	ck_assert_uint_eq(stage_inbox_list(stage, NURSE, NOTIFICATIONS, true)->n_items, 2);
}
END_TEST

START_TEST(an_item_that_does_not_open_refuses_the_whole_acknowledgement)
{
	struct store_inbox_item row = {.box = STORE_BOX_NOTIFICATIONS, .organisation = {"846"}, .id = 2, .created_ms = 1,
				       .sealed = {(const uint8_t *)"not sealed by anybody at all", 28}};
	look(1);
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->inbox_put(stage->disk, &row), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	uint64_t ids[] = {1, 2};
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.ids = ids;
	body.n_ids = 2;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	stage_expect(stage_ask_as(stage, BRIGHTON_WORKER, &request), INTERNAL_SERVER_ERROR, "internal");
	ck_assert_uint_eq(stage_inbox_list(stage, NURSE, NOTIFICATIONS, true)->n_items, 0);
	ck_assert_uint_eq(settle(1, SEEN)->acknowledged, 1);
}
END_TEST

static void add_waiting(Suite *suite)
{
	TCase *waiting = tcase_create("waiting");
	tcase_set_timeout(waiting, 120);
	tcase_add_checked_fixture(waiting, raise_curtain, drop_curtain);
	tcase_add_test(waiting, a_list_waits_for_an_item_and_is_answered_when_one_is_durable);
	tcase_add_test(waiting, a_take_waits_for_an_item);
	tcase_add_test(waiting, at_the_end_of_the_wait_the_answer_is_empty_and_recorded);
	tcase_add_test(waiting, who_is_woken_for_what_another_has_taken_waits_on);
	tcase_add_test(waiting, a_take_waits_until_what_another_holds_is_free);
	tcase_add_test(waiting, a_wait_ends_before_the_deadline);
	tcase_add_test(waiting, whoever_was_quarantined_while_waiting_gets_nothing);
	tcase_add_test(waiting, whoever_was_revoked_while_waiting_gets_nothing);
	tcase_add_test(waiting, whoever_lost_the_role_while_waiting_gets_nothing);
	suite_add_tcase(suite, waiting);
}

static void add_leases(Suite *suite)
{
	TCase *leases = tcase_create("leases");
	tcase_set_timeout(leases, 120);
	tcase_add_checked_fixture(leases, raise_curtain, drop_curtain);
	tcase_add_test(leases, two_workers_never_hold_the_same_item);
	tcase_add_test(leases, a_lease_ends_with_its_time_and_survives_a_restart);
	tcase_add_test(leases, an_acknowledged_item_is_given_to_nobody_again);
	tcase_add_test(leases, a_holder_holds_on_or_gives_back_and_nobody_else_can);
	tcase_add_test(leases, a_take_sent_twice_takes_once);
	tcase_add_test(leases, other_organisations_see_and_settle_only_their_own);
	tcase_add_test(leases, seen_and_then_acted_on_are_told_once_each_to_whoever_looked);
	tcase_add_test(leases, acted_on_at_once_is_one_notice);
	tcase_add_test(leases, a_store_that_fails_at_any_call_leaves_nothing_half_settled);
	tcase_add_test(leases, an_item_that_does_not_open_refuses_the_whole_acknowledgement);
	suite_add_tcase(suite, leases);
}

int main(void)
{
	Suite *suite = suite_create("inbox");
	add_waiting(suite);
	add_leases(suite);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
