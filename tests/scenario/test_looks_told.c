// Which looks an authority is told of, and when: once for the same person and child within minutes, hourly what is not urgent,
// and "nothing to report" where it wants to know.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define DIGEST CPIS__V1__INBOX_ITEM__KIND_DIGEST
#define ACCESS CPIS__V1__INBOX_ITEM__KIND_ACCESS
#define NOTHING CPIS__V1__INBOX_ITEM__KIND_NOTHING

static struct stage *stage;
static const char *child;

static void sign_all_in(void)
{
	static const enum stage_person all[] = {NURSE,        OTHER_NURSE,     SCHOOL_NURSE, MIDWIFE,
						LEEDS_WORKER, BRIGHTON_WORKER, CONSULTANT,   REVIEWER};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		stage_sign_in(stage, all[i]);
}

static void raise_curtain(void)
{
	stage = stage_new();
	child = stage_child(0);
	sign_all_in();
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
}

static void drop_curtain(void)
{
	ck_assert(stage_log_verifies(stage));
	stage_free(stage);
}

static void pass(uint64_t ms)
{
	stage->now_ms += ms;
	ck_assert(stage_tick(stage));
	sign_all_in();
}

static const Cpis__V1__DetailsReply *look(enum stage_person person)
{
	const struct stage_reply *got = stage_details(stage, person, child);
	stage_expect_ok(got);
	ck_assert(got->reply->details->notified);
	return got->reply->details;
}

static const Cpis__V1__InboxListReply *inbox(enum stage_person person)
{
	const struct stage_reply *got = stage_inbox(stage, person);
	stage_expect_ok(got);
	return got->reply->inbox_list;
}

// ------------------------------------------------------------------ the same look

START_TEST(a_second_look_within_minutes_is_in_history_and_log_and_not_told_again)
{
	look(NURSE);
	uint64_t before = stage_log_size(stage);
	stage->now_ms += 10u * STAGE_MINUTE_MS - 1;
	ck_assert_uint_eq(look(NURSE)->n_accesses, 1);
	ck_assert_uint_eq(stage_log_size(stage), before + 1);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	stage->now_ms += 1;
	ck_assert_uint_eq(look(NURSE)->n_accesses, 2);
	// Counted from the look that was told.
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 2);
}
END_TEST

START_TEST(another_person_or_another_organisation_is_told)
{
	look(NURSE);
	look(CONSULTANT);
	look(OTHER_NURSE);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 3);
}
END_TEST

START_TEST(another_child_is_told)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2026-02-03", NULL, NULL);
	look(NURSE);
	child = stage_child(1);
	look(NURSE);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 2);
}
END_TEST

START_TEST(an_authority_that_was_not_told_yet_is)
{
	look(NURSE);
	stage_publish(stage, BRIGHTON_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	look(NURSE);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert_uint_eq(inbox(BRIGHTON_WORKER)->n_items, 1);
	look(NURSE);
	ck_assert_uint_eq(inbox(BRIGHTON_WORKER)->n_items, 1);
}
END_TEST

static const struct stage_reply *break_glass(void)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = (char *)(uintptr_t)child;
	details.care_setting = CPIS__V1__CARE_SETTING__DENTISTRY;
	details.break_glass = true;
	details.reason = (char *)(uintptr_t)"unconscious, nobody else is here";
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	return stage_act(stage, CONSULTANT, CONSULTANT, stage->now_ms, &request);
}

START_TEST(a_broken_glass_is_always_told)
{
	look(CONSULTANT);
	stage_expect_ok(break_glass());
	stage_expect_ok(break_glass());
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 3);
}
END_TEST

START_TEST(the_register_says_how_many_minutes)
{
	stage_set_inbox(stage, STAGE_LEEDS, "{same_look_minutes: 60}");
	look(NURSE);
	stage->now_ms += 59u * STAGE_MINUTE_MS;
	sign_all_in();
	look(NURSE);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	stage_set_inbox(stage, STAGE_LEEDS, "{same_look_minutes: 0}");
	look(NURSE);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 2);
}
END_TEST

START_TEST(a_look_that_only_seemed_told_is_told_again)
{
	stage->now_ms += STAGE_HOUR_MS;
	sign_all_in();
	look(NURSE);
	stage->now_ms -= STAGE_HOUR_MS / 2; // the clock was set back: when that look was is not known
	sign_all_in();
	look(NURSE);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 2);
}
END_TEST

// ------------------------------------------------------------------ digests

static void want_digest(void)
{
	stage_set_inbox(stage, STAGE_LEEDS, "{digest: hourly, same_look_minutes: 0}");
}

START_TEST(what_is_not_urgent_comes_together_at_the_end_of_the_hour)
{
	want_digest(); // at half past nine
	look(OTHER_NURSE);
	look(SCHOOL_NURSE); // in school nursing, which is planned care
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 0);
	pass(30u * STAGE_MINUTE_MS - 1);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 0);
	stage_restart(stage);
	pass(1);
	pass(STAGE_HOUR_MS);
	const Cpis__V1__InboxListReply *got = inbox(LEEDS_WORKER);
	ck_assert_uint_eq(got->n_items, 1);
	ck_assert_int_eq(got->items[0]->kind_case, DIGEST);
	const Cpis__V1__AccessDigest *digest = got->items[0]->digest;
	ck_assert_uint_eq(digest->from_ms, STAGE_NOW_MS - 30u * STAGE_MINUTE_MS);
	ck_assert_uint_eq(digest->until_ms, STAGE_NOW_MS + 30u * STAGE_MINUTE_MS);
	ck_assert_uint_eq(digest->n_accesses, 2);
	ck_assert_uint_lt(digest->accesses[0]->audit_index, digest->accesses[1]->audit_index);
	ck_assert_str_eq(digest->accesses[0]->access->organisation, "RY7");
}
END_TEST

START_TEST(what_is_urgent_comes_at_once)
{
	want_digest();
	look(NURSE); // an emergency department, a current plan
	stage_expect_ok(break_glass());
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", "2026-10-01", NULL);
	look(NURSE); // the plan has ended: not urgent
	const Cpis__V1__InboxListReply *got = inbox(LEEDS_WORKER);
	ck_assert_uint_eq(got->n_items, 2);
	ck_assert_int_eq(got->items[0]->kind_case, ACCESS);
	ck_assert(got->items[1]->access->break_glass);
	pass(STAGE_HOUR_MS);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 3);
}
END_TEST

START_TEST(who_wants_no_digest_is_told_of_all_at_once)
{
	look(OTHER_NURSE);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert_int_eq(inbox(LEEDS_WORKER)->items[0]->kind_case, ACCESS);
}
END_TEST

static const Cpis__V1__InboxListReply *inbox_after(uint64_t after)
{
	Cpis__V1__InboxListRequest body = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.after_id = after;
	body.limit = PAGE_ITEMS_MAX;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &body;
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &request);
	stage_expect_ok(got);
	return got->reply->inbox_list;
}

static void expect_order(const Cpis__V1__AccessDigest *digest, uint64_t *last)
{
	for (size_t i = 0; i < digest->n_accesses; i++) {
		ck_assert_uint_gt(digest->accesses[i]->audit_index, *last);
		*last = digest->accesses[i]->audit_index;
	}
}

START_TEST(a_digest_that_does_not_fit_is_several_and_none_is_lost)
{
	char reason[191];
	want_digest();
	memset(reason, 'r', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = (char *)(uintptr_t)child;
	details.reason = reason;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	for (unsigned batch = 0; batch < 12; batch++) {
		// The policy lets nobody look more often than 60 times a minute.
		stage->now_ms += STAGE_MINUTE_MS;
		for (unsigned i = 0; i < 20; i++)
			ck_assert(stage_submit_as(stage, OTHER_NURSE, &request));
		ck_assert(stage_flush(stage));
		stage_expect_ok(stage->batch[19]);
	}
	pass(STAGE_HOUR_MS);
	size_t looks = 0, pages = 0;
	uint64_t last = 0, after = 0;
	// More than one reply has room for: the rest comes with the next page.
	for (const Cpis__V1__InboxListReply *page; (page = inbox_after(after))->n_items > 0; pages++)
		for (size_t i = 0; i < page->n_items; i++) {
			looks += page->items[i]->digest->n_accesses;
			after = page->items[i]->id;
			expect_order(page->items[i]->digest, &last);
		}
	ck_assert_uint_gt(after, 3);
	ck_assert_uint_gt(pages, 1);
	ck_assert_uint_eq(looks, 240);
}
END_TEST

START_TEST(a_digest_acknowledged_tells_each_that_looked)
{
	want_digest();
	look(OTHER_NURSE);
	look(SCHOOL_NURSE);
	pass(STAGE_HOUR_MS);
	uint64_t id = 1;
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.ids = &id;
	body.n_ids = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	stage_expect_ok(stage_ask_as(stage, LEEDS_WORKER, &request));
	const Cpis__V1__InboxListReply *told = inbox(OTHER_NURSE);
	ck_assert_uint_eq(told->n_items, 2);
	ck_assert_uint_ne(told->items[0]->progress->audit_index, told->items[1]->progress->audit_index);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_loses_no_held_notification)
{
	want_digest();
	look(OTHER_NURSE);
	look(SCHOOL_NURSE);
	stage->now_ms += STAGE_HOUR_MS;
	uint64_t n = 1;
	for (bool done = false; !done; n++) {
		stage->fault.fail_at = n;
		stage->fault.calls = 0;
		done = stage_tick(stage) && stage->fault.calls < n;
		fault_store_mend(&stage->fault);
	}
	ck_assert_uint_gt(n, 8);
	sign_all_in();
	const Cpis__V1__InboxListReply *got = inbox(LEEDS_WORKER);
	ck_assert_uint_eq(got->n_items, 1);
	ck_assert_uint_eq(got->items[0]->digest->n_accesses, 2);
}
END_TEST

START_TEST(a_held_notification_that_does_not_open_holds_up_no_other)
{
	struct store_inbox_item row = {.box = STORE_BOX_HELD, .organisation = {"383"}, .id = 1, .created_ms = 1,
				       .due_ms = STAGE_NOW_MS + 30u * STAGE_MINUTE_MS,
				       .sealed = {(const uint8_t *)"not sealed by anybody at all", 28}};
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->inbox_put(stage->disk, &row), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	want_digest();
	look(OTHER_NURSE);
	pass(STAGE_HOUR_MS);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->items[0]->digest->n_accesses, 1);
}
END_TEST

// Records of this organisation from `from` on: the broker writes others by itself.
static unsigned records_of(const char *organisation, uint64_t from)
{
	unsigned count = 0;
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	for (uint64_t i = from; i < stage_log_size(stage); i++) {
		struct store_audit row;
		ck_assert_int_eq(stage->disk->ops->audit_get(stage->disk, i, &arena, &row), STORE_OK);
		count += strcmp(row.organisation.text, organisation) == 0;
	}
	arena_done(&arena);
	return count;
}

START_TEST(a_digest_that_nobody_acknowledged_expires_with_one_record_for_all)
{
	stage_set_inbox(stage, STAGE_LEEDS, "{digest: hourly, same_look_minutes: 0, expire_after_days: 1}");
	look(OTHER_NURSE);
	look(SCHOOL_NURSE);
	pass(STAGE_HOUR_MS);
	uint64_t before = stage_log_size(stage);
	stage->now_ms += STAGE_DAY_MS;
	ck_assert(stage_tick(stage));
	ck_assert_uint_eq(records_of("383", before), 1);
	sign_all_in();
	ck_assert_uint_eq(inbox(OTHER_NURSE)->n_items, 2); // each is told
}
END_TEST

// ------------------------------------------------------------------ nothing to report

START_TEST(nothing_to_report_comes_after_each_day_without_anything)
{
	const uint64_t midnight = STAGE_NOW_MS - STAGE_NOW_MS % STAGE_DAY_MS;
	stage_set_inbox(stage, STAGE_LEEDS, "{nothing_to_report: daily}");
	pass(0);
	pass(STAGE_DAY_MS);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	const Cpis__V1__InboxItem *item = inbox(LEEDS_WORKER)->items[0];
	ck_assert_int_eq(item->kind_case, NOTHING);
	ck_assert_uint_eq(item->nothing->from_ms, midnight);
	ck_assert_uint_eq(item->nothing->until_ms, midnight + STAGE_DAY_MS);
	look(NURSE);
	pass(STAGE_DAY_MS);
	pass(STAGE_HOUR_MS);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 2); // the look, and no second notice
	stage_restart(stage);
	pass(STAGE_DAY_MS);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 3);
	ck_assert_uint_eq(inbox(BRIGHTON_WORKER)->n_items, 0); // does not want to know
}
END_TEST

START_TEST(a_time_in_which_the_broker_did_not_run_is_one_notice)
{
	stage_set_inbox(stage, STAGE_LEEDS, "{nothing_to_report: daily}");
	stage_set_inbox(stage, STAGE_BRIGHTON, "{nothing_to_report: daily}");
	pass(0);
	pass(5u * STAGE_DAY_MS);
	const Cpis__V1__InboxItem *item = inbox(BRIGHTON_WORKER)->items[0];
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert_uint_eq(item->nothing->until_ms - item->nothing->from_ms, 5u * STAGE_DAY_MS);
}
END_TEST

START_TEST(what_is_held_for_a_digest_is_something_to_report)
{
	stage_set_inbox(stage, STAGE_LEEDS, "{nothing_to_report: daily, digest: hourly}");
	pass(0);
	stage->now_ms += 14u * STAGE_HOUR_MS + 20u * STAGE_MINUTE_MS; // ten to midnight, UTC
	sign_all_in();
	look(OTHER_NURSE);
	pass(STAGE_HOUR_MS);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert_int_eq(inbox(LEEDS_WORKER)->items[0]->kind_case, DIGEST);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_reports_nothing_once)
{
	stage_set_inbox(stage, STAGE_LEEDS, "{nothing_to_report: daily}");
	stage_set_inbox(stage, STAGE_BRIGHTON, "{nothing_to_report: daily}");
	pass(0);
	stage->now_ms += STAGE_DAY_MS;
	for (uint64_t n = 1, done = 0; !done; n++) {
		stage->fault.fail_at = n;
		stage->fault.calls = 0;
		done = stage_tick(stage) && stage->fault.calls < n;
		fault_store_mend(&stage->fault);
	}
	sign_all_in();
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert_uint_eq(inbox(BRIGHTON_WORKER)->n_items, 1);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *made = tcase_create(name);
	tcase_set_timeout(made, 120);
	tcase_add_checked_fixture(made, raise_curtain, drop_curtain);
	suite_add_tcase(suite, made);
	return made;
}

int main(void)
{
	Suite *suite = suite_create("looks_told");
	TCase *same = add_case(suite, "same"), *digests = add_case(suite, "digests"), *nothing = add_case(suite, "nothing");
	tcase_add_test(same, a_second_look_within_minutes_is_in_history_and_log_and_not_told_again);
	tcase_add_test(same, another_person_or_another_organisation_is_told);
	tcase_add_test(same, another_child_is_told);
	tcase_add_test(same, an_authority_that_was_not_told_yet_is);
	tcase_add_test(same, a_broken_glass_is_always_told);
	tcase_add_test(same, the_register_says_how_many_minutes);
	tcase_add_test(same, a_look_that_only_seemed_told_is_told_again);
	tcase_add_test(digests, what_is_not_urgent_comes_together_at_the_end_of_the_hour);
	tcase_add_test(digests, what_is_urgent_comes_at_once);
	tcase_add_test(digests, who_wants_no_digest_is_told_of_all_at_once);
	tcase_add_test(digests, a_digest_that_does_not_fit_is_several_and_none_is_lost);
	tcase_add_test(digests, a_digest_acknowledged_tells_each_that_looked);
	tcase_add_test(digests, a_store_that_fails_at_any_call_loses_no_held_notification);
	tcase_add_test(digests, a_held_notification_that_does_not_open_holds_up_no_other);
	tcase_add_test(digests, a_digest_that_nobody_acknowledged_expires_with_one_record_for_all);
	tcase_add_test(nothing, nothing_to_report_comes_after_each_day_without_anything);
	tcase_add_test(nothing, a_time_in_which_the_broker_did_not_run_is_one_notice);
	tcase_add_test(nothing, what_is_held_for_a_digest_is_something_to_report);
	tcase_add_test(nothing, a_store_that_fails_at_any_call_reports_nothing_once);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
