// An authority's file: which records are stored, which are not and why; and its inbox.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct stage *stage;
static struct stage_file file;

static void raise_curtain(void)
{
	stage = stage_new();
	stage_set_inbox(stage, STAGE_LEEDS, "{same_look_minutes: 0}"); // each look is told
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0}"); // each look is told
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_sign_in(stage, BRIGHTON_WORKER);
	stage_sign_in(stage, BRIGHTON_DUTY);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static const Cpis__V1__PublishReply *send(void)
{
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &file.request);
	stage_expect_ok(got);
	return got->reply->publish;
}

static const Cpis__V1__DetailsReply *look(const char *nhs_number)
{
	const struct stage_reply *got = stage_details(stage, NURSE, nhs_number);
	stage_expect_ok(got);
	return got->reply->details;
}

// ------------------------------------------------------------------ files

START_TEST(a_good_file_is_stored_whole)
{
	stage_file_init(&file, LEEDS_WORKER, 3);
	file.plan[1].type = CPIS__V1__PLAN_TYPE__LAC;
	file.plan[2].type = CPIS__V1__PLAN_TYPE__UCPP;
	const Cpis__V1__PublishReply *reply = send();
	ck_assert_int_eq(reply->outcome, CPIS__V1__FILE_OUTCOME__CPF02);
	ck_assert_uint_eq(reply->received, 3);
	ck_assert_uint_eq(reply->stored, 3);
	ck_assert_uint_eq(reply->n_rejected, 0);
	ck_assert_int_eq(look(stage_child(2))->plans[0]->type, CPIS__V1__PLAN_TYPE__UCPP);
}
END_TEST

START_TEST(the_good_records_of_a_mixed_file_are_stored)
{
	stage_file_init(&file, LEEDS_WORKER, 3);
	file.plan[1].nhs_number = TEXT("9990000027");
	const Cpis__V1__PublishReply *reply = send();
	ck_assert_int_eq(reply->outcome, CPIS__V1__FILE_OUTCOME__CPF03);
	ck_assert_uint_eq(reply->received, 3);
	ck_assert_uint_eq(reply->stored, 2);
	ck_assert_uint_eq(reply->n_rejected, 1);
	ck_assert_uint_eq(reply->rejected[0]->row, 2);
	ck_assert_uint_eq(look(stage_child(2))->n_plans, 1);
	ck_assert_uint_eq(look(stage_child(1))->n_plans, 0);
}
END_TEST

START_TEST(each_fault_is_reported_with_row_code_field_and_a_sentence)
{
	static const struct {
		const char *nhs_number;
		int type;
		const char *start, *end, *withdrawn;
		Cpis__V1__RecordCode code;
		const char *field;
	} faults[] = {
		{"999000001", 1, "2026-02-03", "", "", CPIS__V1__RECORD_CODE__CPR04, "nhs_number"},
		{"99900000X8", 1, "2026-02-03", "", "", CPIS__V1__RECORD_CODE__CPR04, "nhs_number"},
		{"9990000019", 1, "2026-02-03", "", "", CPIS__V1__RECORD_CODE__CPR04, "nhs_number"},
		{"9999999999", 1, "2026-02-03", "", "", CPIS__V1__RECORD_CODE__CPR04, "nhs_number"},
		{"", 1, "2026-02-03", "", "", CPIS__V1__RECORD_CODE__CPR04, "nhs_number"},
		{"9990000018", 0, "2026-02-03", "", "", CPIS__V1__RECORD_CODE__CPR07, "plan_type"},
		{"9990000018", 1, "", "", "", CPIS__V1__RECORD_CODE__CPR07, "start_date"},
		{"9990000018", 1, "2026-02-30", "", "", CPIS__V1__RECORD_CODE__CPR07, "start_date"},
		{"9990000018", 1, "03/02/2026", "", "", CPIS__V1__RECORD_CODE__CPR07, "start_date"},
		{"9990000018", 1, "2027-10-21", "", "", CPIS__V1__RECORD_CODE__CPR07, "start_date"},
		{"9990000018", 1, "2026-02-03", "2026-02-02", "", CPIS__V1__RECORD_CODE__CPR07, "end_date"},
		{"9990000018", 1, "2026-02-03", "soon", "", CPIS__V1__RECORD_CODE__CPR07, "end_date"},
		{"9990000018", 1, "2026-02-03", "", "now", CPIS__V1__RECORD_CODE__CPR07, "delete_date"},
		{"9990000018", 1, "2026-02-03", "", "2026-10-20", CPIS__V1__RECORD_CODE__CPR07, "delete_date"},
	};
	const size_t count = sizeof faults / sizeof faults[0];
	ck_assert_uint_le(count, STAGE_PLANS_MAX);
	stage_file_init(&file, LEEDS_WORKER, count);
	for (size_t i = 0; i < count; i++) {
		Cpis__V1__PlanRecord *plan = &file.plan[i];
		plan->nhs_number = TEXT(faults[i].nhs_number);
		plan->type = (Cpis__V1__PlanType)faults[i].type;
		plan->start_date = TEXT(faults[i].start);
		plan->end_date = TEXT(faults[i].end);
		plan->delete_date = TEXT(faults[i].withdrawn);
		plan->row = (uint32_t)(1000 + i);
	}
	const Cpis__V1__PublishReply *reply = send();
	ck_assert_int_eq(reply->outcome, CPIS__V1__FILE_OUTCOME__CPF04);
	ck_assert_uint_eq(reply->stored, 0);
	ck_assert_uint_eq(reply->n_rejected, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(reply->rejected[i]->row, 1000 + i);
		ck_assert_int_eq(reply->rejected[i]->code, faults[i].code);
		ck_assert_str_eq(reply->rejected[i]->field, faults[i].field);
		ck_assert_str_ne(reply->rejected[i]->detail, "");
	}
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 0);
}
END_TEST

START_TEST(dates_at_their_limits_are_stored)
{
	stage_file_init(&file, LEEDS_WORKER, 4);
	file.plan[0].start_date = TEXT(STAGE_BIRTH_DATE);
	file.plan[1].start_date = TEXT("2027-10-20");
	file.plan[1].birth_date = TEXT("2020-06-01");
	file.plan[2].end_date = file.plan[2].start_date; // begun and ended on one day
	file.plan[3].start_date = TEXT("2024-02-29");
	ck_assert_int_eq(send()->outcome, CPIS__V1__FILE_OUTCOME__CPF02);
}
END_TEST

// What is wrong with the file as a whole refuses it whole.
static void expect_malformed(const char *where)
{
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &file.request);
	stage_expect(got, MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	ck_assert_msg(strstr(got->reply->reason, where) != NULL, "%s", got->reply->reason);
}

START_TEST(a_file_with_bad_local_ids_is_refused_whole)
{
	stage_file_init(&file, LEEDS_WORKER, 2);
	file.plan[1].local_id = TEXT("12345678901234567890123456789012345678901");
	expect_malformed("local_id");
	stage_file_init(&file, LEEDS_WORKER, 0);
	expect_malformed("publish.records");
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 0);
}
END_TEST

START_TEST(the_same_key_again_corrects_ends_and_withdraws)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-04", NULL, NULL);
	const Cpis__V1__DetailsReply *shown = look(stage_child(0));
	ck_assert_uint_eq(shown->n_plans, 1);
	ck_assert_str_eq(shown->plans[0]->start_date, "2026-02-04");
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-04", "2026-10-01", NULL);
	ck_assert_int_eq(look(stage_child(0))->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-04", NULL, "2026-10-20");
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 0);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-10-01", NULL, NULL);
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 1);
}
END_TEST

START_TEST(one_authority_cannot_change_what_another_says_of_the_same_child)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	stage_file_init(&file, BRIGHTON_WORKER, 1);
	file.plan[0].delete_date = TEXT("2026-10-20");
	const struct stage_reply *got = stage_ask_as(stage, BRIGHTON_WORKER, &file.request);
	stage_expect_ok(got);
	ck_assert_int_eq(got->reply->publish->outcome, CPIS__V1__FILE_OUTCOME__CPF04);
	ck_assert_str_eq(got->reply->publish->rejected[0]->field, "delete_date");
	stage_publish(stage, BRIGHTON_WORKER, stage_child(0), CPP, "2026-03-03", "2026-04-04", NULL);
	const Cpis__V1__DetailsReply *shown = look(stage_child(0));
	ck_assert_uint_eq(shown->n_plans, 2);
	ck_assert_str_eq(shown->plans[0]->authority->organisation, "383");
	ck_assert_str_eq(shown->plans[0]->start_date, "2026-02-03");
	ck_assert_str_eq(shown->plans[1]->authority->organisation, "846");
}
END_TEST

// Versions of the child that are not shown, sealed as the shown one is: as a file of a generation to come would leave them.
// `of_others`: each of another authority, else all of the shown one's.
static void store_versions(const struct nhs_number *number, unsigned first, unsigned count, bool of_others)
{
	struct arena arena;
	struct store_tag subject;
	struct store_plan *rows = NULL;
	size_t row_count = 0;
	ck_assert(arena_init(&arena, 4 * ARENA_BYTES));
	vault_tag_subject(stage->vault, number, &subject);
	ck_assert_int_eq(stage->disk->ops->plans_of(stage->disk, &subject, 1, &arena, &rows, &row_count), STORE_OK);
	ck_assert_uint_eq(row_count, 1);
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	for (unsigned i = 0; i < count; i++) {
		struct store_plan row = rows[0];
		row.generation = 1000 + first + i;
		if (of_others) {
			snprintf(row.authority.text, sizeof row.authority.text, "Z%02u", first + i);
			row.slot.bytes[0] ^= (uint8_t)(first + i);
		}
		ck_assert_int_eq(stage->disk->ops->plan_put(stage->disk, &row), STORE_OK);
	}
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	arena_done(&arena);
}

START_TEST(a_child_with_1024_versions_is_answered_and_one_with_more_is_not)
{
	struct nhs_number number;
	ck_assert_int_eq(nhs_number_parse(stage_child(0), strlen(stage_child(0)), &number), NHS_NUMBER_OK);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	store_versions(&number, 0, CHILD_ROWS_MAX - 1, false);
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 1);
	store_versions(&number, CHILD_ROWS_MAX, 1, false);
	// Not "no plan", and not a part of them.
	stage_expect(stage_details(stage, NURSE, stage_child(0)), INTERNAL_SERVER_ERROR, "internal");
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), INTERNAL_SERVER_ERROR, "internal");
}
END_TEST

START_TEST(a_child_of_64_authorities_is_answered_and_one_of_more_is_not)
{
	struct nhs_number number;
	ck_assert_int_eq(nhs_number_parse(stage_child(0), strlen(stage_child(0)), &number), NHS_NUMBER_OK);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	store_versions(&number, 1, CHILD_AUTHORITIES_MAX - 1, true);
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 1);
	store_versions(&number, CHILD_AUTHORITIES_MAX, 1, true);
	stage_expect(stage_details(stage, NURSE, stage_child(0)), INTERNAL_SERVER_ERROR, "internal");
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), INTERNAL_SERVER_ERROR, "internal");
}
END_TEST

START_TEST(a_file_of_nothing_but_faults_refreshes_nothing)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	stage->now_ms += STAGE_MINUTE_MS;
	stage_file_init(&file, LEEDS_WORKER, 1);
	file.plan[0].start_date = TEXT("");
	ck_assert_int_eq(send()->outcome, CPIS__V1__FILE_OUTCOME__CPF04);
	const Cpis__V1__Authority *authority = look(stage_child(0))->plans[0]->authority;
	ck_assert_uint_eq(authority->last_published_ms, STAGE_NOW_MS);
	
}
END_TEST

START_TEST(the_local_id_comes_back_in_the_notification)
{
	stage_file_init(&file, LEEDS_WORKER, 1);
	file.plan[0].local_id = TEXT("LCS-0000000000000000000000000000000000-1");
	send();
	look(stage_child(0));
	const struct stage_reply *inbox = stage_inbox(stage, LEEDS_WORKER);
	ck_assert_str_eq(inbox->reply->inbox_list->items[0]->access->local_id, file.plan[0].local_id);
}
END_TEST

// ------------------------------------------------------------------ the inbox

static const Cpis__V1__InboxListReply *list(enum stage_person person, uint64_t after_id, uint32_t limit, bool all)
{
	Cpis__V1__InboxListRequest body = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.after_id = after_id;
	body.limit = limit;
	body.include_acknowledged = all;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_list;
}

static const Cpis__V1__InboxAcknowledgeReply *acknowledge(enum stage_person person, uint64_t *ids, size_t count)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.n_ids = count;
	body.ids = ids;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_acknowledge;
}

static void five_accesses_to_a_child_of_brighton(void)
{
	stage_publish(stage, BRIGHTON_WORKER, stage_child(0), CPP, "2026-02-03", NULL, NULL);
	for (int i = 0; i < 5; i++)
		look(stage_child(0));
}

START_TEST(the_inbox_is_read_in_pages_oldest_first)
{
	five_accesses_to_a_child_of_brighton();
	const Cpis__V1__InboxListReply *page = list(BRIGHTON_DUTY, 0, 2, false);
	ck_assert_uint_eq(page->n_items, 2);
	ck_assert_uint_eq(page->unacknowledged, 5);
	ck_assert_uint_eq(page->items[0]->id, 1);
	page = list(BRIGHTON_DUTY, 2, 2, false);
	ck_assert_uint_eq(page->items[0]->id, 3);
	ck_assert_uint_eq(page->items[1]->id, 4);
	page = list(BRIGHTON_DUTY, 4, 0, false);
	ck_assert_uint_eq(page->n_items, 1);
	ck_assert_uint_eq(list(BRIGHTON_DUTY, 5, 0, false)->n_items, 0);
	ck_assert_uint_eq(list(LEEDS_WORKER, 0, 0, true)->n_items, 0);
}
END_TEST

START_TEST(an_acknowledgement_is_counted_once_and_names_who_gave_it)
{
	five_accesses_to_a_child_of_brighton();
	uint64_t ids[] = {1, 3, 99};
	const Cpis__V1__InboxAcknowledgeReply *reply = acknowledge(BRIGHTON_DUTY, ids, 3);
	ck_assert_uint_eq(reply->acknowledged, 2);
	ck_assert_uint_eq(reply->already, 0);
	ck_assert_uint_eq(reply->unknown, 1);
	stage->now_ms += STAGE_MINUTE_MS;
	reply = acknowledge(BRIGHTON_WORKER, ids, 2);
	ck_assert_uint_eq(reply->acknowledged, 0);
	ck_assert_uint_eq(reply->already, 2);
	const Cpis__V1__InboxListReply *open = list(BRIGHTON_DUTY, 0, 0, false);
	ck_assert_uint_eq(open->n_items, 3);
	ck_assert_uint_eq(open->unacknowledged, 3);
	const Cpis__V1__InboxListReply *all = list(BRIGHTON_DUTY, 0, 0, true);
	ck_assert_uint_eq(all->n_items, 5);
	ck_assert_str_eq(all->items[0]->acknowledged_by, "Person 9");
	ck_assert_uint_eq(all->items[0]->acknowledged_ms, STAGE_NOW_MS);
	ck_assert_uint_eq(all->items[1]->acknowledged_ms, 0);
}
END_TEST

START_TEST(another_organisations_items_are_unknown)
{
	five_accesses_to_a_child_of_brighton();
	uint64_t ids[] = {1, 2, UINT64_MAX};
	const Cpis__V1__InboxAcknowledgeReply *reply = acknowledge(LEEDS_WORKER, ids, 2);
	ck_assert_uint_eq(reply->unknown, 2);
	ck_assert_uint_eq(list(BRIGHTON_DUTY, 0, 0, false)->unacknowledged, 5);
	ck_assert_uint_eq(acknowledge(BRIGHTON_DUTY, ids, 2)->acknowledged, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("publication");
	TCase *all = tcase_create("publication");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, a_good_file_is_stored_whole);
	tcase_add_test(all, the_good_records_of_a_mixed_file_are_stored);
	tcase_add_test(all, each_fault_is_reported_with_row_code_field_and_a_sentence);
	tcase_add_test(all, dates_at_their_limits_are_stored);
	tcase_add_test(all, a_file_with_bad_local_ids_is_refused_whole);
	tcase_add_test(all, the_same_key_again_corrects_ends_and_withdraws);
	tcase_add_test(all, one_authority_cannot_change_what_another_says_of_the_same_child);
	tcase_add_test(all, a_child_with_1024_versions_is_answered_and_one_with_more_is_not);
	tcase_add_test(all, a_child_of_64_authorities_is_answered_and_one_of_more_is_not);
	tcase_add_test(all, a_file_of_nothing_but_faults_refreshes_nothing);
	tcase_add_test(all, the_local_id_comes_back_in_the_notification);
	tcase_add_test(all, the_inbox_is_read_in_pages_oldest_first);
	tcase_add_test(all, an_acknowledgement_is_counted_once_and_names_who_gave_it);
	tcase_add_test(all, another_organisations_items_are_unknown);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
