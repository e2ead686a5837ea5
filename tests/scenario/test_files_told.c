// Who is told of what a local authority's file or correction changed, and that they are told once.
#include <stdio.h>
#include <string.h>

#include "broker/access.h"
#include "broker/core_priv.h"
#include "tests/harness/suite.h"
#include "tests/scenario/numbered_file.h"

static const Cpis__V1__InboxListReply *inbox(enum stage_person person)
{
	const struct stage_reply *got = stage_inbox(stage, person);
	stage_expect_ok(got);
	return got->reply->inbox_list;
}

static size_t count_of(enum stage_person person, int kind, const Cpis__V1__InboxItem **ret_last)
{
	const Cpis__V1__InboxListReply *list = inbox(person);
	size_t count = 0;
	for (size_t i = 0; i < list->n_items; i++)
		if ((int)list->items[i]->kind_case == kind) {
			count++;
			*ret_last = list->items[i];
		}
	return count;
}

#define CORRECTION CPIS__V1__INBOX_ITEM__KIND_CORRECTION
#define PLAN_CHANGE CPIS__V1__INBOX_ITEM__KIND_PLAN_CHANGE
#define PUBLICATION CPIS__V1__INBOX_ITEM__KIND_PUBLICATION

static void look_silently(void)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = TEXT(stage_child(0));
	details.access_type = CPIS__V1__ACCESS_TYPE__SCHEDULED;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	stage_expect_ok(stage_ask_as(stage, SCHOOL_NURSE, &request));
}

START_TEST(whoever_saw_a_record_that_is_withdrawn_is_told_once_silent_looks_too)
{
	const Cpis__V1__InboxItem *item = NULL;
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	look(stage_child(0));
	look(stage_child(0));
	look_silently();
	stage->now_ms += 3u * STAGE_DAY_MS;
	sign_all_in();
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, "2026-10-20");
	ck_assert_uint_eq(count_of(NURSE, CORRECTION, &item), 1);
	ck_assert_str_eq(item->correction->nhs_number, stage_child(0));
	ck_assert_str_eq(item->correction->authority, "383");
	ck_assert_str_eq(item->correction->access->name, "Person 1");
	ck_assert_uint_eq(count_of(SCHOOL_NURSE, CORRECTION, &item), 1);
	// Once withdrawn, what is said of it again tells nobody again.
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, "2026-10-20");
	ck_assert_uint_eq(count_of(NURSE, CORRECTION, &item), 1);
}
END_TEST

// A look of the hospital's at a plan of Leeds's, as it would stand in the child's history.
static void remember_look(struct op_context *context, uint64_t number, unsigned person)
{
	char uid[UID_DIGITS + 1];
	char *authorities[] = {TEXT("383")};
	Cpis__V1__Access access = CPIS__V1__ACCESS__INIT;
	Cpis__Stored__V1__StoredAccess stored = CPIS__STORED__V1__STORED_ACCESS__INIT;
	snprintf(uid, sizeof uid, "6%011u", person);
	access.time_ms = context->now_ms;
	access.name = TEXT("A. Nurse");
	access.role_code = TEXT("R8001");
	access.role_name = TEXT("Nurse Access");
	access.organisation = TEXT("RXH");
	access.organisation_name = TEXT("A hospital");
	access.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	stored.access = &access;
	stored.uid = uid;
	stored.authorities = authorities;
	stored.n_authorities = 1;
	context->audit_index = number;
	ck_assert_int_eq(access_put(context, &stored, false), REASON_NONE);
}

// Somebody looks, `others` look, and the first one looks again.
static void remember_looks(const char *child, unsigned others)
{
	struct nhs_number number;
	struct arena arena;
	const uint64_t first = 1000000; // no record of the log has that number
	struct op_context context = core_context(stage->core, stage->now_ms);
	ck_assert(arena_init(&arena, 4 * ARENA_BYTES));
	ck_assert_int_eq(nhs_number_parse(child, strlen(child), &number), NHS_NUMBER_OK);
	context.arena = &arena;
	vault_tag_subject(stage->vault, &number, &context.subject);
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	for (unsigned i = 0; i <= others; i++)
		remember_look(&context, first + i, i);
	remember_look(&context, first + others + 1, 0);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	arena_done(&arena);
}

static unsigned corrections_of(const char *child)
{
	unsigned count = 0;
	size_t items = 1;
	for (uint64_t after = 0; items > 0;) {
		Cpis__V1__InboxListRequest body = CPIS__V1__INBOX_LIST_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		body.after_id = after;
		body.limit = PAGE_ITEMS_MAX;
		request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
		request.inbox_list = &body;
		const struct stage_reply *got = stage_ask_as(stage, NURSE, &request);
		stage_expect_ok(got);
		items = got->reply->inbox_list->n_items;
		for (size_t i = 0; i < items; i++) {
			const Cpis__V1__InboxItem *item = got->reply->inbox_list->items[i];
			count += item->kind_case == CORRECTION && strcmp(item->correction->nhs_number, child) == 0;
			after = item->id;
		}
	}
	return count;
}

START_TEST(of_200_who_saw_it_each_is_told_once_of_a_correction_and_of_more_one_may_be_twice)
{
	for (unsigned more = 0; more < 2; more++) {
		const char *child = stage_child(more);
		stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
		remember_looks(child, FOLLOW_UP_TOLD_MAX - 1 + more);
		stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, "2026-10-20");
		// Who is forgotten is told again; nobody is left out.
		ck_assert_uint_eq(corrections_of(child), FOLLOW_UP_TOLD_MAX + 2 * more);
	}
}
END_TEST

START_TEST(who_saw_another_authoritys_plan_only_is_not_told_of_this_ones_correction)
{
	const Cpis__V1__InboxItem *item = NULL;
	stage_publish(stage, BRIGHTON_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	look(stage_child(0));
	stage->now_ms += STAGE_MINUTE_MS;
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, "2026-10-20");
	ck_assert_uint_eq(count_of(NURSE, CORRECTION, &item), 0);
}
END_TEST

START_TEST(who_looked_within_a_day_is_told_of_a_change_and_nobody_else)
{
	const Cpis__V1__InboxItem *item = NULL;
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	look(stage_child(0));
	stage->now_ms += STAGE_DAY_MS + 1;
	sign_all_in();
	look_silently();
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", "2026-10-20", NULL);
	ck_assert_uint_eq(count_of(NURSE, PLAN_CHANGE, &item), 0);
	ck_assert_uint_eq(count_of(SCHOOL_NURSE, PLAN_CHANGE, &item), 1);
	ck_assert(item->plan_change->ended);
	ck_assert_str_eq(item->plan_change->nhs_number, stage_child(0));
	ck_assert_str_eq(item->plan_change->authority_name, "The leeds");
}
END_TEST

START_TEST(who_found_nothing_is_told_when_there_is_something)
{
	const Cpis__V1__InboxItem *item = NULL;
	look(stage_child(0));
	stage->now_ms += STAGE_HOUR_MS / 4;
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	ck_assert_uint_eq(count_of(NURSE, PLAN_CHANGE, &item), 1);
	ck_assert(!item->plan_change->ended);
	// What begins tomorrow cannot be seen yet.
	look(stage_child(1));
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2026-10-21", NULL, NULL);
	ck_assert_uint_eq(count_of(NURSE, PLAN_CHANGE, &item), 1);
}
END_TEST

START_TEST(who_looked_is_told_when_a_plan_vanishes)
{
	const Cpis__V1__InboxItem *item = NULL;
	file_of(FULL, 1, 3);
	publish_file();
	look(stage_child(0));
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 2, 2);
	rows.plan[0].nhs_number = TEXT(stage_child(2));
	file.accept_vanished = true;
	publish_file();
	ck_assert_uint_eq(count_of(NURSE, PLAN_CHANGE, &item), 1);
	ck_assert(item->plan_change->ended);
}
END_TEST

START_TEST(what_did_not_change_is_no_news)
{
	const Cpis__V1__InboxItem *item = NULL;
	file_of(FULL, 1, 2);
	publish_file();
	look(stage_child(0));
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 2, 2);
	rows.plan[1].start_date = TEXT("2026-02-04");
	publish_file();
	ck_assert_uint_eq(count_of(NURSE, PLAN_CHANGE, &item), 0);
}
END_TEST

START_TEST(the_authority_finds_the_files_report_in_its_inbox)
{
	const Cpis__V1__InboxItem *item = NULL;
	file_of(FULL, 1, 2);
	const Cpis__V1__PublicationReport *report = publish_file();
	ck_assert_uint_eq(count_of(LEEDS_WORKER, PUBLICATION, &item), 1);
	ck_assert_uint_eq(item->publication->created, 2);
	ck_assert_uint_eq(item->publication->sequence, 1);
	ck_assert_str_eq(item->publication->released_by, "Person 7");
	ck_assert_uint_eq(item->publication->audit_index, report->audit_index);
}
END_TEST

START_TEST(what_follows_is_done_once_although_the_store_fails_in_between)
{
	const Cpis__V1__InboxItem *item = NULL;
	for (size_t i = 0; i < 9; i++)
		look(stage_child(i));
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 1, 9);
	open_and_send();
	stage_expect_ok(commit_file());
	// Each call of the job fails once, and then it is done all over again.
	for (unsigned call = 1; call <= 60; call++) {
		stage->fault.calls = 0;
		stage->fault.fail_at = call;
		core_tick(stage->core, stage->now_ms);
	}
	stage->fault.fail_at = 0;
	stage_tick(stage);
	ck_assert_uint_eq(count_of(NURSE, PLAN_CHANGE, &item), 9);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, whoever_saw_a_record_that_is_withdrawn_is_told_once_silent_looks_too);
	tcase_add_test(tests, of_200_who_saw_it_each_is_told_once_of_a_correction_and_of_more_one_may_be_twice);
	tcase_add_test(tests, who_saw_another_authoritys_plan_only_is_not_told_of_this_ones_correction);
	tcase_add_test(tests, who_looked_within_a_day_is_told_of_a_change_and_nobody_else);
	tcase_add_test(tests, who_found_nothing_is_told_when_there_is_something);
	tcase_add_test(tests, who_looked_is_told_when_a_plan_vanishes);
	tcase_add_test(tests, what_did_not_change_is_no_news);
	tcase_add_test(tests, the_authority_finds_the_files_report_in_its_inbox);
	tcase_add_test(tests, what_follows_is_done_once_although_the_store_fails_in_between);
}

int main(void)
{
	return suite_run_group("files_told", raise_curtain, drop_curtain, 120, add);
}
