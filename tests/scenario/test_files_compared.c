// A local authority's numbered files against what is held of that authority, and the records of them that are rejected.
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/scenario/numbered_file.h"

START_TEST(a_full_file_is_reconciled_with_what_is_held)
{
	file_of(FULL, 1, 6);
	publish_file();
	stage->now_ms += STAGE_MINUTE_MS;
	// Child 0 is missing; 1 changes, 2 ends, 3 is withdrawn, 4 stays, 5 is wrong, 6 is new.
	file_of(FULL, 2, 6);
	for (size_t i = 0; i < 6; i++)
		rows.plan[i].nhs_number = TEXT(stage_child(i + 1));
	rows.plan[0].start_date = TEXT("2026-02-04");
	rows.plan[1].end_date = TEXT("2026-10-01");
	rows.plan[2].delete_date = TEXT("2026-10-20");
	rows.plan[4].end_date = TEXT("2026-01-01");
	open_and_send();
	const Cpis__V1__PublicationShowReply *before = show_all();
	expect_counts(before->report, 1, 1, 1, 1, 1, 1, 1);
	ck_assert_uint_eq(before->n_vanished, 1);
	ck_assert_str_eq(before->vanished[0]->nhs_number, stage_child(0));
	ck_assert_uint_eq(before->report->held, 6);
	expect_says(commit_file(), "too_many_vanish", "1 of 6 plans");
	ck_assert_str_eq(look(stage_child(1))->plans[0]->start_date, "2026-02-03");
	file.accept_vanished = true;
	const struct stage_reply *got = commit_file();
	stage_expect_ok(got);
	expect_counts(got->reply->publication_commit->report, 1, 1, 1, 1, 1, 1, 1);
	ck_assert_int_eq(got->reply->publication_commit->report->outcome, CPIS__V1__FILE_OUTCOME__CPF03);
	// The same before and after what follows has been done.
	for (int i = 0; i < 2; i++, stage_tick(stage)) {
		ck_assert_int_eq(look(stage_child(0))->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
		ck_assert_str_eq(look(stage_child(0))->plans[0]->end_date, "2026-10-20");
		ck_assert_str_eq(look(stage_child(1))->plans[0]->start_date, "2026-02-04");
		ck_assert_int_eq(look(stage_child(2))->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
		ck_assert_uint_eq(look(stage_child(3))->n_plans, 0);
		ck_assert_int_eq(look(stage_child(4))->plans[0]->status, CPIS__V1__PLAN_STATUS__CURRENT);
		ck_assert_int_eq(look(stage_child(5))->plans[0]->status, CPIS__V1__PLAN_STATUS__CURRENT);
		ck_assert_uint_eq(look(stage_child(6))->n_plans, 1);
	}
}
END_TEST

START_TEST(a_second_identical_full_file_changes_nothing_and_says_so)
{
	file_of(FULL, 1, 9);
	publish_file();
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 2, 9);
	expect_counts(publish_file(), 0, 0, 0, 0, 9, 0, 0);
	ck_assert_uint_eq(look(stage_child(8))->plans[0]->authority->last_published_ms, stage->now_ms);
	// And a third one finds no trace of the second.
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 3, 9);
	expect_counts(publish_file(), 0, 0, 0, 0, 9, 0, 0);
}
END_TEST

START_TEST(a_plan_that_vanished_keeps_an_earlier_end_and_may_come_back)
{
	file_of(FULL, 1, 3);
	rows.plan[0].end_date = TEXT("2026-09-01");
	publish_file();
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 2, 1);
	rows.plan[0].nhs_number = TEXT(stage_child(2));
	file.accept_vanished = true;
	expect_counts(publish_file(), 0, 0, 0, 0, 1, 0, 1);
	ck_assert_str_eq(look(stage_child(0))->plans[0]->end_date, "2026-09-01");
	ck_assert_str_eq(look(stage_child(1))->plans[0]->end_date, "2026-10-20");
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 3, 3);
	rows.plan[0].end_date = TEXT("2026-09-01");
	publish_file();
	ck_assert_int_eq(look(stage_child(1))->plans[0]->status, CPIS__V1__PLAN_STATUS__CURRENT);
	ck_assert_int_eq(look(stage_child(0))->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
}
END_TEST

START_TEST(a_delta_leaves_alone_what_is_not_in_it)
{
	file_of(FULL, 1, 5);
	publish_file();
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(DELTA, 2, 1);
	rows.plan[0].end_date = TEXT("2026-10-20");
	expect_counts(publish_file(), 0, 0, 1, 0, 0, 0, 0);
	ck_assert_int_eq(look(stage_child(0))->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
	for (size_t i = 1; i < 5; i++)
		ck_assert_int_eq(look(stage_child(i))->plans[0]->status, CPIS__V1__PLAN_STATUS__CURRENT);
}
END_TEST

START_TEST(a_full_file_of_nothing_but_faults_ends_nothing_and_refreshes_nothing)
{
	file_of(FULL, 1, 3);
	publish_file();
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 2, 2);
	rows.plan[0].nhs_number = rows.plan[1].nhs_number = TEXT("9990000019");
	const Cpis__V1__PublicationReport *report = publish_file();
	expect_counts(report, 0, 0, 0, 0, 0, 2, 0);
	ck_assert_int_eq(report->outcome, CPIS__V1__FILE_OUTCOME__CPF04);
	ck_assert_int_eq(look(stage_child(2))->plans[0]->status, CPIS__V1__PLAN_STATUS__CURRENT);
	ck_assert_uint_eq(look(stage_child(2))->plans[0]->authority->last_published_ms, STAGE_NOW_MS);
}
END_TEST

START_TEST(another_authoritys_file_touches_nothing_of_this_one)
{
	stage_publish(stage, BRIGHTON_WORKER, stage_child(0), CPP, "2026-01-01", NULL, NULL);
	file_of(FULL, 1, 2);
	publish_file();
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 2);
	file_of(FULL, 2, 1);
	rows.plan[0].nhs_number = TEXT(stage_child(1));
	file.accept_vanished = true;
	publish_file();
	const Cpis__V1__DetailsReply *shown = look(stage_child(0));
	ck_assert_uint_eq(shown->n_plans, 2);
	ck_assert_str_eq(shown->plans[0]->authority->organisation, "846");
	ck_assert_int_eq(shown->plans[0]->status, CPIS__V1__PLAN_STATUS__CURRENT);
	ck_assert_int_eq(shown->plans[1]->status, CPIS__V1__PLAN_STATUS__ENDED);
}
END_TEST

// ------------------------------------------------------------------ rejected records

START_TEST(a_duplicate_names_the_row_that_stands_before_it)
{
	file_of(DELTA, 1, 4);
	rows.plan[1].nhs_number = rows.plan[0].nhs_number;
	rows.plan[1].type = LAC; // another plan of the same child
	rows.plan[3].nhs_number = rows.plan[0].nhs_number;
	rows.plan[3].start_date = TEXT("2026-05-05");
	open_and_send();
	const Cpis__V1__PublicationShowReply *shown = show_all();
	ck_assert_uint_eq(shown->n_rejected, 1);
	ck_assert_uint_eq(shown->rejected[0]->row, 4);
	ck_assert_str_eq(shown->rejected[0]->field, "nhs_number");
	ck_assert(strstr(shown->rejected[0]->detail, "row 1.") != NULL);
}
END_TEST

START_TEST(a_record_that_was_wrong_may_stand_again_mended)
{
	file_of(FULL, 1, 2);
	publish_file();
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 2, 3);
	rows.plan[0].end_date = TEXT("2026-01-01");
	rows.plan[2].nhs_number = rows.plan[0].nhs_number;
	rows.plan[2].end_date = TEXT("2026-10-20");
	expect_counts(publish_file(), 0, 0, 1, 0, 1, 1, 0);
	ck_assert_int_eq(look(stage_child(0))->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
}
END_TEST

START_TEST(rejected_records_and_vanished_plans_are_read_in_pages)
{
	file_of(FULL, 1, 9);
	publish_file();
	stage->now_ms += STAGE_MINUTE_MS;
	file_of(FULL, 2, 6);
	for (size_t i = 0; i < 5; i++)
		rows.plan[i].nhs_number = TEXT("1");
	open_and_send();
	uint32_t seen = 0, next = 0;
	do {
		const Cpis__V1__PublicationShowReply *page = show(next, (ProtobufCBinaryData){0, NULL}, 2);
		ck_assert_uint_le(page->n_rejected, 2);
		for (size_t i = 0; i < page->n_rejected; i++)
			ck_assert_uint_eq(page->rejected[i]->row, ++seen);
		next = page->next_rejected;
	} while (next != 0);
	ck_assert_uint_eq(seen, 5);
	ProtobufCBinaryData cursor = {0, NULL};
	size_t vanished = 0;
	do {
		const Cpis__V1__PublicationShowReply *page = show(0, cursor, 3);
		ck_assert_uint_le(page->n_vanished, 3);
		vanished += page->n_vanished;
		cursor = page->next_vanished;
	} while (cursor.len != 0);
	ck_assert_uint_eq(vanished, 8);
}
END_TEST

START_TEST(an_old_end_is_news_once_only)
{
	file_of(FULL, 1, 1);
	rows.plan[0].end_date = TEXT("2026-02-10");
	publish_file();
	stage->now_ms += 10u * STAGE_DAY_MS;
	sign_all_in();
	// As it would be a year on: the same file says it again and is not refused for it.
	file_of(FULL, 2, 2);
	rows.plan[0].end_date = TEXT("2026-02-10");
	rows.plan[1].end_date = TEXT("2025-06-01");
	rows.plan[1].start_date = TEXT("2025-01-01");
	open_and_send();
	const Cpis__V1__PublicationShowReply *shown = show_all();
	expect_counts(shown->report, 0, 0, 0, 0, 1, 1, 0);
	ck_assert(strstr(shown->rejected[0]->detail, "send a delete date") != NULL);
}
END_TEST

START_TEST(errors_are_counted_by_kind_and_as_old_as_the_first_file_with_them)
{
	Cpis__V1__DataQualityRequest body = CPIS__V1__DATA_QUALITY_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_DATA_QUALITY;
	request.data_quality = &body;
	for (uint32_t sequence = 1; sequence <= 3; sequence++) {
		file_of(FULL, sequence, 4);
		rows.plan[0].nhs_number = TEXT("9990000019");
		rows.plan[1].start_date = TEXT(sequence == 1 ? "2026-02-03" : "soon");
		publish_file();
		stage->now_ms += STAGE_MINUTE_MS;
	}
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &request);
	stage_expect_ok(got);
	const Cpis__V1__DataQualityReply *quality = got->reply->data_quality;
	ck_assert_uint_eq(quality->n_errors, 2);
	ck_assert_int_eq(quality->errors[0]->code, CPIS__V1__RECORD_CODE__CPR04);
	ck_assert_uint_eq(quality->errors[0]->oldest_ms, STAGE_NOW_MS);
	ck_assert_str_eq(quality->errors[1]->field, "start_date");
	ck_assert_uint_eq(quality->errors[1]->oldest_ms, STAGE_NOW_MS + STAGE_MINUTE_MS);
	ck_assert_uint_eq(quality->errors[1]->count, 1);
	ck_assert_uint_eq(quality->records, 4);
	ck_assert_uint_eq(quality->matched, 3);
	ck_assert(!quality->gate_passed && !quality->checked);
	ck_assert_uint_eq(quality->held, 3); // the rejected one's plan is kept
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, an_old_end_is_news_once_only);
	tcase_add_test(tests, errors_are_counted_by_kind_and_as_old_as_the_first_file_with_them);
	tcase_add_test(tests, a_full_file_is_reconciled_with_what_is_held);
	tcase_add_test(tests, a_second_identical_full_file_changes_nothing_and_says_so);
	tcase_add_test(tests, a_plan_that_vanished_keeps_an_earlier_end_and_may_come_back);
	tcase_add_test(tests, a_delta_leaves_alone_what_is_not_in_it);
	tcase_add_test(tests, a_full_file_of_nothing_but_faults_ends_nothing_and_refreshes_nothing);
	tcase_add_test(tests, another_authoritys_file_touches_nothing_of_this_one);
	tcase_add_test(tests, a_duplicate_names_the_row_that_stands_before_it);
	tcase_add_test(tests, a_record_that_was_wrong_may_stand_again_mended);
	tcase_add_test(tests, rejected_records_and_vanished_plans_are_read_in_pages);
}

int main(void)
{
	return suite_run_group("files_compared", raise_curtain, drop_curtain, 120, add);
}
