// An inbox shared by several workers: waiting, leases, seen and acted on, what the sender is told, the second box, expiry.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define SEEN CPIS__V1__SETTLEMENT__SEEN
#define ACTED_ON CPIS__V1__SETTLEMENT__ACTED_ON
#define NOTIFICATIONS CPIS__V1__INBOX_BOX__NOTIFICATIONS
#define ESCALATIONS CPIS__V1__INBOX_BOX__ESCALATIONS
#define LEASE_MS 10000u

static struct stage *stage;

static void sign_all_in(void)
{
	static const enum stage_person all[] = {NURSE, LEEDS_WORKER, BRIGHTON_WORKER, BRIGHTON_DUTY, REVIEWER};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		stage_sign_in(stage, all[i]);
}

// Brighton holds plans for all children and is told of each look.
static void raise_curtain(void)
{
	struct stage_file file;
	stage = stage_new();
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0}");
	sign_all_in();
	stage_file_init(&file, BRIGHTON_WORKER, 9);
	stage_expect_ok(stage_ask_as(stage, BRIGHTON_WORKER, &file.request));
}

static void drop_curtain(void)
{
	ck_assert(stage_log_verifies(stage));
	stage_free(stage);
}

// A look at each of so many children; Brighton's next items.
static void look(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		stage_expect_ok(stage_details(stage, NURSE, stage_child(i)));
}

static Cpis__V1__Request list_request(Cpis__V1__InboxListRequest *list, Cpis__V1__InboxBox box, uint32_t wait_ms)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	cpis__v1__inbox_list_request__init(list);
	list->box = box;
	list->wait_ms = wait_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = list;
	return request;
}

static const Cpis__V1__InboxListReply *list(enum stage_person person, Cpis__V1__InboxBox box, bool all)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = list_request(&body, box, 0);
	body.include_acknowledged = all;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_list;
}

static Cpis__V1__Request take_request(Cpis__V1__InboxTakeRequest *take, uint32_t limit, uint32_t wait_ms)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	cpis__v1__inbox_take_request__init(take);
	take->limit = limit;
	take->lease_ms = LEASE_MS;
	take->wait_ms = wait_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = take;
	return request;
}

static const Cpis__V1__InboxTakeReply *take(enum stage_person person, uint32_t limit)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = take_request(&body, limit, 0);
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_take;
}

static const Cpis__V1__InboxTakeReply *hold(enum stage_person person, uint64_t id, uint64_t lease, uint32_t lease_ms)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = take_request(&body, 0, 0);
	body.held_id = id;
	body.lease = lease;
	body.lease_ms = lease_ms;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_take;
}

static const Cpis__V1__InboxAcknowledgeReply *settle_in(enum stage_person person, Cpis__V1__InboxBox box, uint64_t id,
							 Cpis__V1__Settlement settlement)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.ids = &id;
	body.n_ids = 1;
	body.box = box;
	body.settlement = settlement;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_acknowledge;
}

static const Cpis__V1__InboxAcknowledgeReply *settle(uint64_t id, Cpis__V1__Settlement settlement)
{
	return settle_in(BRIGHTON_WORKER, NOTIFICATIONS, id, settlement);
}

// The only notice that the hospital has, or the n-th from 1.
static const Cpis__V1__ProgressNotice *notice(size_t n, size_t of)
{
	const Cpis__V1__InboxListReply *inbox = list(NURSE, NOTIFICATIONS, true);
	ck_assert_uint_eq(inbox->n_items, of);
	ck_assert_int_eq(inbox->items[n - 1]->kind_case, CPIS__V1__INBOX_ITEM__KIND_PROGRESS);
	return inbox->items[n - 1]->progress;
}

// ------------------------------------------------------------------ waiting

START_TEST(a_list_waits_for_an_item_and_is_answered_when_one_is_durable)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = list_request(&body, NOTIFICATIONS, 5000);
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
	Cpis__V1__Request request = take_request(&body, 1, 5000);
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
	Cpis__V1__Request request = list_request(&body, NOTIFICATIONS, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	const struct stage_reply *got = stage_resume(stage, false);
	ck_assert_ptr_nonnull(got);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->inbox_list->n_items, 0);
	Cpis__V1__InboxTakeRequest take;
	request = take_request(&take, 1, 5000);
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
	Cpis__V1__Request request = take_request(&body, 1, 5000);
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	look(1);
	ck_assert_uint_eq(take(BRIGHTON_WORKER, 1)->n_items, 1);
	ck_assert_ptr_null(stage_resume(stage, true));
	ck_assert_ptr_nonnull(stage_resume(stage, false));
}
END_TEST

START_TEST(a_take_waits_until_what_another_holds_is_free)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = take_request(&body, 1, 30000);
	request.deadline_ms = 40000;
	look(1);
	uint64_t lease = take(BRIGHTON_WORKER, 1)->lease;
	stage->now_ms += 2000;
	stage_park_as(stage, BRIGHTON_DUTY, &request);
	ck_assert_uint_eq(stage->parked.wait.wait_ms, LEASE_MS - 2000);
	stage_is_woken(stage);
	hold(BRIGHTON_WORKER, 1, lease, 1000); // gives it back early
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
	Cpis__V1__Request request = list_request(&body, NOTIFICATIONS, 60000);
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
	Cpis__V1__Request request = list_request(&body, NOTIFICATIONS, 5000);
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
	Cpis__V1__Request request = take_request(&body, 1, 5000);
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
	Cpis__V1__Request request = list_request(&body, NOTIFICATIONS, 5000);
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
	const Cpis__V1__InboxTakeReply *first = take(BRIGHTON_WORKER, 2), *second = take(BRIGHTON_DUTY, 2);
	ck_assert_uint_eq(first->n_items, 2);
	ck_assert_uint_eq(first->items[0]->id, 1);
	ck_assert_uint_eq(first->items[1]->id, 2);
	ck_assert_uint_eq(first->lease_until_ms, stage->now_ms + LEASE_MS);
	ck_assert_uint_eq(second->n_items, 1);
	ck_assert_uint_eq(second->items[0]->id, 3);
	ck_assert_uint_eq(take(BRIGHTON_WORKER, 5)->n_items, 0); // nor does the holder get it again
	ck_assert_uint_eq(second->unacknowledged, 3);
	const Cpis__V1__InboxListReply *all = list(BRIGHTON_WORKER, NOTIFICATIONS, false);
	ck_assert_str_eq(all->items[0]->leased_by, "Person 8");
	ck_assert_str_eq(all->items[2]->leased_by, "Person 9");
	ck_assert_uint_eq(all->items[2]->lease_until_ms, second->lease_until_ms);
}
END_TEST

START_TEST(a_lease_ends_with_its_time_and_survives_a_restart)
{
	look(1);
	take(BRIGHTON_WORKER, 1);
	stage_restart(stage);
	stage->now_ms += LEASE_MS - 1;
	ck_assert_uint_eq(take(BRIGHTON_DUTY, 1)->n_items, 0);
	stage->now_ms += 1;
	const Cpis__V1__InboxTakeReply *again = take(BRIGHTON_DUTY, 1);
	ck_assert_uint_eq(again->n_items, 1);
	ck_assert_uint_eq(again->items[0]->id, 1);
}
END_TEST

START_TEST(an_acknowledged_item_is_given_to_nobody_again)
{
	look(2);
	take(BRIGHTON_WORKER, 1);
	ck_assert_uint_eq(settle(1, SEEN)->acknowledged, 1);
	stage->now_ms += LEASE_MS;
	const Cpis__V1__InboxTakeReply *rest = take(BRIGHTON_DUTY, 5);
	ck_assert_uint_eq(rest->n_items, 1);
	ck_assert_uint_eq(rest->items[0]->id, 2);
}
END_TEST

START_TEST(a_holder_holds_on_or_gives_back_and_nobody_else_can)
{
	look(1);
	const Cpis__V1__InboxTakeReply *first = take(BRIGHTON_WORKER, 1);
	ck_assert_uint_eq(hold(BRIGHTON_WORKER, 1, first->lease, 60000)->n_items, 1);
	stage->now_ms += LEASE_MS;
	ck_assert_uint_eq(take(BRIGHTON_DUTY, 1)->n_items, 0);
	ck_assert_uint_eq(hold(BRIGHTON_DUTY, 1, first->lease + 1, 1000)->n_items, 0); // another take's
	ck_assert_uint_eq(hold(BRIGHTON_WORKER, 7, first->lease, 1000)->n_items, 0);   // no such item
	ck_assert_uint_eq(hold(BRIGHTON_WORKER, 1, first->lease, 1000)->lease, first->lease);
	stage->now_ms += 1000;
	const Cpis__V1__InboxTakeReply *second = take(BRIGHTON_DUTY, 1);
	ck_assert_uint_eq(second->n_items, 1);
	ck_assert_uint_eq(hold(BRIGHTON_WORKER, 1, first->lease, 1000)->n_items, 0); // its lease is over
	ck_assert_uint_eq(take(BRIGHTON_WORKER, 1)->n_items, 0);
}
END_TEST

START_TEST(a_take_sent_twice_takes_once)
{
	uint8_t id[REQUEST_ID_BYTES] = {7};
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = take_request(&body, 1, 0);
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	look(2);
	const struct stage_reply *first = stage_ask_as(stage, BRIGHTON_WORKER, &request);
	request.deadline_ms = 3000;
	const struct stage_reply *second = stage_ask_as(stage, BRIGHTON_WORKER, &request);
	stage_expect_ok(second);
	ck_assert(stage_same_body(first, second));
	ck_assert_uint_eq(take(BRIGHTON_DUTY, 5)->items[0]->id, 2);
}
END_TEST

START_TEST(other_organisations_see_and_settle_only_their_own)
{
	look(1);
	ck_assert_uint_eq(take(LEEDS_WORKER, 5)->n_items, 0);
	ck_assert_uint_eq(list(NURSE, NOTIFICATIONS, true)->n_items, 0);
	ck_assert_uint_eq(settle_in(LEEDS_WORKER, NOTIFICATIONS, 1, SEEN)->unknown, 1);
	ck_assert_uint_eq(settle_in(NURSE, NOTIFICATIONS, 1, SEEN)->unknown, 1);
	ck_assert_uint_eq(take(BRIGHTON_DUTY, 1)->n_items, 1);
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
	ck_assert_uint_eq(settle_in(BRIGHTON_DUTY, NOTIFICATIONS, 1, ACTED_ON)->acknowledged, 1);
	ck_assert_uint_eq(settle(1, ACTED_ON)->already, 1);
	ck_assert_uint_eq(settle(1, SEEN)->already, 1);
	const Cpis__V1__ProgressNotice *acted = notice(2, 2);
	ck_assert_int_eq(acted->event, CPIS__V1__PROGRESS_EVENT__ACTED);
	ck_assert_str_eq(acted->by, "Person 9");
	const Cpis__V1__InboxItem *item = list(BRIGHTON_WORKER, NOTIFICATIONS, true)->items[0];
	ck_assert_int_eq(item->settlement, ACTED_ON);
	ck_assert_str_eq(item->acknowledged_by, "Person 8"); // the first stays named
	// Progress itself tells nobody.
	ck_assert_uint_eq(settle_in(NURSE, NOTIFICATIONS, 1, SEEN)->acknowledged, 1);
	ck_assert_uint_eq(list(BRIGHTON_WORKER, NOTIFICATIONS, true)->n_items, 1);
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
	Cpis__V1__Request request = take_request(&take, 1, 0), settle = CPIS__V1__REQUEST__INIT;
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
		ck_assert_uint_eq(list(NURSE, NOTIFICATIONS, true)->n_items, 0);
		const Cpis__V1__InboxListReply *open = list(BRIGHTON_WORKER, NOTIFICATIONS, false);
		ck_assert_uint_eq(open->n_items, 3);
		ck_assert_uint_eq(open->items[2]->lease_until_ms, 0);
	}
	fault_store_mend(&stage->fault);
	ck_assert_uint_gt(n, 15);
	stage_expect_ok(stage->batch[0]);
	ck_assert_uint_eq(stage->batch[1]->reply->inbox_take->items[0]->id, 3);
	ck_assert_uint_eq(list(NURSE, NOTIFICATIONS, true)->n_items, 2);
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
	ck_assert_uint_eq(list(NURSE, NOTIFICATIONS, true)->n_items, 0);
	ck_assert_uint_eq(settle(1, SEEN)->acknowledged, 1);
}
END_TEST

// ------------------------------------------------------------------ escalation and expiry

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
	ck_assert_uint_eq(list(BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 0);
	pass(1);
	pass(STAGE_HOUR_MS);
	const Cpis__V1__InboxListReply *second = list(BRIGHTON_WORKER, ESCALATIONS, false);
	ck_assert_uint_eq(second->n_items, 1);
	ck_assert_uint_eq(second->items[0]->id, 1);
	ck_assert_uint_eq(second->items[0]->notification_id, 2);
	ck_assert_str_eq(second->items[0]->access->nhs_number, stage_child(1));
	ck_assert_uint_eq(list(BRIGHTON_WORKER, NOTIFICATIONS, false)->items[0]->escalated_ms, second->items[0]->escalated_ms);
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
	Cpis__V1__Request request = take_request(&body, 5, 0);
	body.box = ESCALATIONS;
	const struct stage_reply *taken = stage_ask_as(stage, BRIGHTON_DUTY, &request);
	ck_assert_uint_eq(taken->reply->inbox_take->n_items, 2);
	ck_assert_uint_eq(take(BRIGHTON_WORKER, 5)->n_items, 0);
	ck_assert_uint_eq(settle_in(BRIGHTON_DUTY, ESCALATIONS, 2, ACTED_ON)->acknowledged, 1);
	ck_assert_uint_eq(list(BRIGHTON_WORKER, NOTIFICATIONS, false)->n_items, 1);
	ck_assert_uint_eq(settle(2, ACTED_ON)->already, 1);
	ck_assert_uint_eq(settle_in(BRIGHTON_DUTY, ESCALATIONS, 3, SEEN)->unknown, 1);
}
END_TEST

START_TEST(an_escalation_wakes_those_that_wait_for_it)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = list_request(&body, ESCALATIONS, 5000);
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
	ck_assert_uint_eq(list(BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 1);
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0, escalate_after_minutes: 0}");
	look(1);
	pass(2u * STAGE_DAY_MS);
	ck_assert_uint_eq(list(BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 1);
	// What the hospital is told escalates nowhere.
	ck_assert_uint_eq(list(NURSE, ESCALATIONS, true)->n_items, 0);
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
	ck_assert_uint_eq(list(BRIGHTON_WORKER, NOTIFICATIONS, false)->n_items, 0);
	ck_assert_uint_eq(take(BRIGHTON_WORKER, 5)->n_items, 0);
	const Cpis__V1__InboxItem *item = list(BRIGHTON_WORKER, NOTIFICATIONS, true)->items[0];
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
		ck_assert_uint_eq(list(NURSE, NOTIFICATIONS, true)->n_items, 2 * (i + 1));
	}
	ck_assert_uint_eq(core_read_counters(stage->core).escalated, 2);
	ck_assert_uint_eq(core_read_counters(stage->core).expired, 2);
	ck_assert_uint_eq(list(BRIGHTON_WORKER, ESCALATIONS, true)->n_items, 2);
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
	ck_assert_uint_eq(list(BRIGHTON_WORKER, ESCALATIONS, false)->n_items, 1);
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
	Suite *suite = suite_create("inbox");
	add_waiting(suite);
	add_leases(suite);
	add_times(suite);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
