// A local authority's numbered files: opened, sent, committed; compared with what is held; and what follows from them.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/access.h"
#include "broker/core_priv.h"
#include "broker/digest.h"
#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define LAC CPIS__V1__PLAN_TYPE__LAC
#define UCPP CPIS__V1__PLAN_TYPE__UCPP
#define FULL CPIS__V1__PUBLICATION_KIND__FULL
#define DELTA CPIS__V1__PUBLICATION_KIND__DELTA
#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct stage *stage;
static struct stage_file rows;

// The file that is under way.
static struct {
	uint8_t id[PUBLICATION_ID_BYTES];
	Cpis__V1__PublicationKind kind;
	uint32_t sequence, records;
	uint64_t created_ms;
	bool dry_run, accept_vanished;
} file;

static void sign_all_in(void)
{
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, SCHOOL_NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_sign_in(stage, BRIGHTON_WORKER);
	stage_sign_in(stage, REVIEWER);
}

static void raise_curtain(void)
{
	stage = stage_new();
	sign_all_in();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// ------------------------------------------------------------------ the three steps

// A file of the first `records` rows, not opened yet.
static void file_of(Cpis__V1__PublicationKind kind, uint32_t sequence, uint32_t records)
{
	memset(&file, 0, sizeof file);
	stage_file_init(&rows, LEEDS_WORKER, records);
	memset(file.id, (int)sequence, sizeof file.id);
	file.kind = kind;
	file.sequence = sequence;
	file.records = records;
	file.created_ms = stage->now_ms;
}

static const struct stage_reply *open_file(void)
{
	Cpis__V1__PublicationOpenRequest open = CPIS__V1__PUBLICATION_OPEN_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	open.publication_id = (ProtobufCBinaryData){sizeof file.id, file.id};
	open.kind = file.kind;
	open.sequence = file.sequence;
	open.records = file.records;
	open.created_ms = file.created_ms;
	open.dry_run = file.dry_run;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_OPEN;
	request.publication_open = &open;
	return stage_ask_as(stage, LEEDS_WORKER, &request);
}

static const struct stage_reply *send_rows(uint32_t first, uint32_t count)
{
	Cpis__V1__PublicationRecordsRequest records = CPIS__V1__PUBLICATION_RECORDS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	records.publication_id = (ProtobufCBinaryData){sizeof file.id, file.id};
	records.first = first;
	records.n_records = count;
	records.records = rows.plans + first;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS;
	request.publication_records = &records;
	return stage_ask_as(stage, LEEDS_WORKER, &request);
}

static void digest_rows(uint8_t digest[HASH_BYTES])
{
	uint8_t link[HASH_BYTES + 1024];
	memset(digest, 0, HASH_BYTES);
	for (uint32_t i = 0; i < file.records; i++) {
		memcpy(link, digest, HASH_BYTES);
		size_t bytes = cpis__v1__plan_record__pack(rows.plans[i], link + HASH_BYTES);
		digest_sha256(link, HASH_BYTES + bytes, digest);
	}
}

static const struct stage_reply *commit_file(void)
{
	uint8_t digest[HASH_BYTES];
	Cpis__V1__PublicationCommitRequest commit = CPIS__V1__PUBLICATION_COMMIT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	digest_rows(digest);
	commit.publication_id = (ProtobufCBinaryData){sizeof file.id, file.id};
	commit.kind = file.kind;
	commit.sequence = file.sequence;
	commit.records = file.records;
	commit.content_sha256 = (ProtobufCBinaryData){sizeof digest, digest};
	commit.accept_vanished = file.accept_vanished;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT;
	request.publication_commit = &commit;
	return stage_ask_as(stage, LEEDS_WORKER, &request);
}

static const Cpis__V1__PublicationShowReply *show(uint32_t after_rejected, ProtobufCBinaryData after_vanished, uint32_t limit)
{
	Cpis__V1__PublicationShowRequest body = CPIS__V1__PUBLICATION_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.after_rejected = after_rejected;
	body.after_vanished = after_vanished;
	body.limit = limit;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_SHOW;
	request.publication_show = &body;
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &request);
	stage_expect_ok(got);
	return got->reply->publication_show;
}

static const Cpis__V1__PublicationShowReply *show_all(void)
{
	return show(0, (ProtobufCBinaryData){0, NULL}, 0);
}

static void open_and_send(void)
{
	stage_expect_ok(open_file());
	stage_expect_ok(send_rows(0, file.records));
}

// The whole file as it stands, and all that follows from it.
static const Cpis__V1__PublicationReport *publish_file(void)
{
	open_and_send();
	const struct stage_reply *got = commit_file();
	stage_expect_ok(got);
	stage_tick(stage);
	return got->reply->publication_commit->report;
}

static const Cpis__V1__DetailsReply *look(const char *nhs_number)
{
	const struct stage_reply *got = stage_details(stage, NURSE, nhs_number);
	stage_expect_ok(got);
	return got->reply->details;
}

static void expect_counts(const Cpis__V1__PublicationReport *report, uint32_t created, uint32_t changed, uint32_t ended,
			  uint32_t withdrawn, uint32_t unchanged, uint32_t rejected, uint32_t vanished)
{
	ck_assert_uint_eq(report->created, created);
	ck_assert_uint_eq(report->changed, changed);
	ck_assert_uint_eq(report->ended, ended);
	ck_assert_uint_eq(report->withdrawn, withdrawn);
	ck_assert_uint_eq(report->unchanged, unchanged);
	ck_assert_uint_eq(report->rejected, rejected);
	ck_assert_uint_eq(report->vanished, vanished);
	ck_assert_uint_eq(report->stored, created + changed + ended + withdrawn + unchanged);
	ck_assert_uint_eq(report->received, report->stored + rejected);
}

static void expect_says(const struct stage_reply *got, const char *reason_code, const char *part)
{
	stage_expect(got, INVALID_REQUEST_STATE, reason_code);
	ck_assert_msg(strstr(got->reply->reason, part) != NULL, "%s", got->reply->reason);
}

// ------------------------------------------------------------------ atomic, in sequence, exactly once

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

// ------------------------------------------------------------------ full files

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

// ------------------------------------------------------------------ who is told

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

int main(void)
{
	Suite *suite = suite_create("files");
	TCase *all = tcase_create("files");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, nothing_of_a_file_is_shown_before_its_commit_and_all_of_it_after);
	tcase_add_test(all, a_file_goes_on_where_it_stopped_also_over_a_restart);
	tcase_add_test(all, a_file_that_was_committed_is_told_again_and_not_done_again);
	tcase_add_test(all, records_with_a_gap_or_too_many_of_them_are_refused);
	tcase_add_test(all, replay_and_gap_in_the_sequence_and_a_stale_file_are_refused);
	tcase_add_test(all, what_is_committed_is_what_was_signed);
	tcase_add_test(all, another_file_takes_the_place_of_the_one_that_was_open);
	tcase_add_test(all, a_correction_makes_a_file_that_is_open_stale);
	tcase_add_test(all, the_next_file_waits_until_all_has_followed_from_the_last);
	tcase_add_test(all, a_dry_run_says_what_would_change_and_cannot_be_committed);
	tcase_add_test(all, nobody_publishes_without_contacts);
	tcase_add_test(all, corrections_wait_until_what_follows_from_the_last_ones_is_done);
	tcase_add_test(all, eight_generations_wait_for_their_removal_and_nothing_is_opened_that_might_make_it_more);
	tcase_add_test(all, an_old_end_is_news_once_only);
	tcase_add_test(all, errors_are_counted_by_kind_and_as_old_as_the_first_file_with_them);
	tcase_add_test(all, a_full_file_is_reconciled_with_what_is_held);
	tcase_add_test(all, a_second_identical_full_file_changes_nothing_and_says_so);
	tcase_add_test(all, a_plan_that_vanished_keeps_an_earlier_end_and_may_come_back);
	tcase_add_test(all, a_delta_leaves_alone_what_is_not_in_it);
	tcase_add_test(all, a_full_file_of_nothing_but_faults_ends_nothing_and_refreshes_nothing);
	tcase_add_test(all, another_authoritys_file_touches_nothing_of_this_one);
	tcase_add_test(all, a_duplicate_names_the_row_that_stands_before_it);
	tcase_add_test(all, a_record_that_was_wrong_may_stand_again_mended);
	tcase_add_test(all, rejected_records_and_vanished_plans_are_read_in_pages);
	tcase_add_test(all, whoever_saw_a_record_that_is_withdrawn_is_told_once_silent_looks_too);
	tcase_add_test(all, of_200_who_saw_it_each_is_told_once_of_a_correction_and_of_more_one_may_be_twice);
	tcase_add_test(all, who_saw_another_authoritys_plan_only_is_not_told_of_this_ones_correction);
	tcase_add_test(all, who_looked_within_a_day_is_told_of_a_change_and_nobody_else);
	tcase_add_test(all, who_found_nothing_is_told_when_there_is_something);
	tcase_add_test(all, who_looked_is_told_when_a_plan_vanishes);
	tcase_add_test(all, what_did_not_change_is_no_news);
	tcase_add_test(all, the_authority_finds_the_files_report_in_its_inbox);
	tcase_add_test(all, what_follows_is_done_once_although_the_store_fails_in_between);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
