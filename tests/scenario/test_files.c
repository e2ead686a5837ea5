// A local authority's numbered files: shown whole or not at all, in sequence, exactly once.
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/scenario/numbered_file.h"

START_TEST(nothing_of_a_file_is_shown_before_its_commit_and_all_of_it_after)
{
	file_of(FULL, 1, 3);
	open_and_send();
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(look(stage_child(i))->n_plans, 0);
	stage_expect_ok(commit_file());
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(look(stage_child(i))->n_plans, 1);
	stage_tick(stage);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(look(stage_child(i))->n_plans, 1);
}
END_TEST

START_TEST(a_file_goes_on_where_it_stopped_also_over_a_restart)
{
	file_of(FULL, 1, 9);
	stage_expect_ok(open_file());
	stage_expect_ok(send_rows(0, 4));
	stage_restart(stage);
	const struct stage_reply *again = open_file();
	stage_expect_ok(again);
	ck_assert_uint_eq(again->reply->publication_open->received, 4);
	const struct stage_reply *repeated = send_rows(0, 4);
	stage_expect_ok(repeated);
	ck_assert_uint_eq(repeated->reply->publication_records->received, 4);
	ck_assert_uint_eq(repeated->reply->publication_records->n_outcomes, 0);
	const struct stage_reply *overlapping = send_rows(2, 7);
	stage_expect_ok(overlapping);
	ck_assert_uint_eq(overlapping->reply->publication_records->received, 9);
	ck_assert_uint_eq(overlapping->reply->publication_records->n_outcomes, 5);
	const struct stage_reply *got = commit_file();
	stage_expect_ok(got);
	expect_counts(got->reply->publication_commit->report, 9, 0, 0, 0, 0, 0, 0);
}
END_TEST

START_TEST(a_file_that_was_committed_is_told_again_and_not_done_again)
{
	file_of(FULL, 1, 2);
	publish_file();
	const struct stage_reply *again = open_file();
	stage_expect_ok(again);
	ck_assert(again->reply->publication_open->committed);
	const struct stage_reply *got = commit_file();
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->publication_commit->report->created, 2);
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 1);
}
END_TEST

START_TEST(records_with_a_gap_or_too_many_of_them_are_refused)
{
	file_of(DELTA, 1, 4);
	stage_expect_ok(open_file());
	expect_says(send_rows(1, 2), "publication_state", "go on with record 0");
	stage_expect_ok(send_rows(0, 2));
	expect_says(send_rows(2, 3), "publication_state", "opened with 4 records");
	expect_says(commit_file(), "publication_state", "2 of 4");
}
END_TEST

START_TEST(replay_and_gap_in_the_sequence_and_a_stale_file_are_refused)
{
	file_of(DELTA, 2, 1);
	expect_says(open_file(), "publication_sequence", "the next one is 1");
	file_of(DELTA, 1, 1);
	publish_file();
	file_of(DELTA, 1, 1);
	memset(file.id, 99, sizeof file.id);
	expect_says(open_file(), "publication_sequence", "the next one is 2");
	file_of(DELTA, 3, 1);
	expect_says(open_file(), "publication_sequence", "the next one is 2");
	file_of(DELTA, 2, 1);
	file.created_ms = stage->now_ms - 1;
	expect_says(open_file(), "publication_sequence", "made before the last one");
	file.created_ms = stage->now_ms + 2 * CLOCK_SKEW_MS_MAX;
	expect_says(open_file(), "publication_sequence", "in the future");
	file.created_ms = stage->now_ms;
	stage_expect_ok(open_file());
}
END_TEST

START_TEST(what_is_committed_is_what_was_signed)
{
	file_of(DELTA, 1, 2);
	open_and_send();
	rows.plan[1].start_date = TEXT("2026-02-04");
	expect_says(commit_file(), "publication_state", "changed while it was sent");
	rows.plan[1].start_date = TEXT("2026-02-03");
	file.kind = FULL;
	expect_says(commit_file(), "publication_state", "another kind");
	file.kind = DELTA;
	stage->unsigned_acts = true;
	stage_expect(commit_file(), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage->unsigned_acts = false;
	ck_assert_uint_eq(look(stage_child(1))->n_plans, 0);
	stage_expect_ok(commit_file());
	ck_assert_uint_eq(look(stage_child(1))->n_plans, 1);
}
END_TEST

START_TEST(another_file_takes_the_place_of_the_one_that_was_open)
{
	file_of(DELTA, 1, 2);
	open_and_send();
	stage_expect_ok(open_file());
	file.dry_run = true;
	expect_says(open_file(), "publication_state", "Another file is open");
	file.dry_run = false;
	memset(file.id, 7, sizeof file.id);
	const struct stage_reply *second = open_file();
	stage_expect_ok(second);
	ck_assert_uint_eq(second->reply->publication_open->received, 0);
	memset(file.id, 1, sizeof file.id);
	stage_expect(send_rows(0, 1), INVALID_REQUEST_STATE, "publication_unknown");
	stage_expect(commit_file(), INVALID_REQUEST_STATE, "publication_unknown");
	stage_tick(stage);
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 0);
}
END_TEST

START_TEST(a_correction_makes_a_file_that_is_open_stale)
{
	file_of(DELTA, 1, 2);
	open_and_send();
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPP, "2026-03-03", NULL, NULL);
	file_of(DELTA, 1, 2);
	stage_expect(send_rows(0, 1), INVALID_REQUEST_STATE, "publication_stale");
	stage_expect(commit_file(), INVALID_REQUEST_STATE, "publication_stale");
	ck_assert_str_eq(look(stage_child(0))->plans[0]->start_date, "2026-03-03");
	ck_assert_uint_eq(look(stage_child(1))->n_plans, 0);
	const struct stage_reply *again = open_file();
	stage_expect_ok(again);
	ck_assert_uint_eq(again->reply->publication_open->received, 0);
	stage_expect_ok(send_rows(0, 2));
	stage_expect_ok(commit_file());
	ck_assert_str_eq(look(stage_child(0))->plans[0]->start_date, "2026-02-03");
	ck_assert_uint_eq(look(stage_child(1))->n_plans, 1);
}
END_TEST

START_TEST(the_next_file_waits_until_all_has_followed_from_the_last)
{
	file_of(DELTA, 1, 2);
	open_and_send();
	stage_expect_ok(commit_file());
	file_of(DELTA, 2, 1);
	const struct stage_reply *early = open_file();
	stage_expect(early, SERVICE_UNAVAILABLE, "publication_busy");
	ck_assert_uint_gt(early->reply->retry_after_ms, 0);
	stage_tick(stage);
	stage_expect_ok(open_file());
}
END_TEST

START_TEST(a_dry_run_says_what_would_change_and_cannot_be_committed)
{
	file_of(FULL, 1, 3);
	rows.plan[1].start_date = TEXT("soon");
	file.dry_run = true;
	open_and_send();
	expect_says(commit_file(), "publication_state", "to try it only");
	const Cpis__V1__PublicationShowReply *shown = show_all();
	expect_counts(shown->report, 2, 0, 0, 0, 0, 1, 0);
	ck_assert(!shown->report->committed);
	ck_assert_uint_eq(shown->n_rejected, 1);
	ck_assert_str_eq(shown->rejected[0]->field, "start_date");
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 0);
	file.dry_run = false;
	memset(file.id, 2, sizeof file.id);
	stage_expect_ok(open_file());
}
END_TEST

START_TEST(nobody_publishes_without_contacts)
{
	stage_set_contacts(stage, STAGE_LEEDS, NULL);
	file_of(DELTA, 1, 1);
	stage_expect(open_file(), INVALID_REQUEST_STATE, "contacts_needed");
	stage_expect(stage_ask_as(stage, LEEDS_WORKER, &rows.request), INVALID_REQUEST_STATE, "contacts_needed");
}
END_TEST

START_TEST(corrections_wait_until_what_follows_from_the_last_ones_is_done)
{
	stage_file_init(&rows, LEEDS_WORKER, 1);
	for (unsigned i = 0; i < PENDING_CORRECTIONS_MAX; i++)
		stage_expect_ok(stage_ask_as(stage, LEEDS_WORKER, &rows.request));
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 1);
	const struct stage_reply *early = stage_ask_as(stage, LEEDS_WORKER, &rows.request);
	stage_expect(early, SERVICE_UNAVAILABLE, "publication_busy");
	ck_assert_uint_gt(early->reply->retry_after_ms, 0);
	stage_tick(stage);
	stage_expect_ok(stage_ask_as(stage, LEEDS_WORKER, &rows.request));
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 1);
}
END_TEST

START_TEST(eight_generations_wait_for_their_removal_and_nothing_is_opened_that_might_make_it_more)
{
	file_of(DELTA, 1, 1);
	rows.plan[0].start_date = TEXT("soon");
	// Each takes the place of the one before, so that one less than the limit wait; the last one may still be given up too.
	for (unsigned i = 0; i < ABANDONED_MAX; i++) {
		memset(file.id, (int)i + 1, sizeof file.id);
		stage_expect_ok(open_file());
	}
	memset(file.id, ABANDONED_MAX + 1, sizeof file.id);
	const struct stage_reply *early = open_file();
	stage_expect(early, SERVICE_UNAVAILABLE, "publication_busy");
	ck_assert_uint_gt(early->reply->retry_after_ms, 0);
	stage_expect(stage_ask_as(stage, LEEDS_WORKER, &rows.request), SERVICE_UNAVAILABLE, "publication_busy");
	// That file of nothing but a fault changes nothing: what was written of it is the last that there is room for.
	memset(file.id, ABANDONED_MAX, sizeof file.id);
	stage_expect_ok(send_rows(0, 1));
	stage_expect_ok(commit_file());
	file_of(DELTA, 2, 1);
	stage_expect(open_file(), SERVICE_UNAVAILABLE, "publication_busy");
	ck_assert(stage_tick(stage));
	stage_expect_ok(open_file());
	stage_expect_ok(send_rows(0, 1));
	stage_expect_ok(commit_file());
	ck_assert_uint_eq(look(stage_child(0))->n_plans, 1);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, nothing_of_a_file_is_shown_before_its_commit_and_all_of_it_after);
	tcase_add_test(tests, a_file_goes_on_where_it_stopped_also_over_a_restart);
	tcase_add_test(tests, a_file_that_was_committed_is_told_again_and_not_done_again);
	tcase_add_test(tests, records_with_a_gap_or_too_many_of_them_are_refused);
	tcase_add_test(tests, replay_and_gap_in_the_sequence_and_a_stale_file_are_refused);
	tcase_add_test(tests, what_is_committed_is_what_was_signed);
	tcase_add_test(tests, another_file_takes_the_place_of_the_one_that_was_open);
	tcase_add_test(tests, a_correction_makes_a_file_that_is_open_stale);
	tcase_add_test(tests, the_next_file_waits_until_all_has_followed_from_the_last);
	tcase_add_test(tests, a_dry_run_says_what_would_change_and_cannot_be_committed);
	tcase_add_test(tests, nobody_publishes_without_contacts);
	tcase_add_test(tests, corrections_wait_until_what_follows_from_the_last_ones_is_done);
	tcase_add_test(tests, eight_generations_wait_for_their_removal_and_nothing_is_opened_that_might_make_it_more);
}

int main(void)
{
	return suite_run_group("files", raise_curtain, drop_curtain, 120, add);
}
