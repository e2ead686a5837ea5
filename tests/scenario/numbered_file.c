// The requests are as a client makes them; the digest is reckoned here again.
#include "tests/scenario/numbered_file.h"

#include <string.h>

#include "broker/digest.h"

struct stage *stage;
struct stage_file rows;
struct numbered_file file;

void sign_all_in(void)
{
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, SCHOOL_NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_sign_in(stage, BRIGHTON_WORKER);
	stage_sign_in(stage, REVIEWER);
}

void raise_curtain(void)
{
	stage = stage_new();
	sign_all_in();
}

void drop_curtain(void)
{
	stage_free(stage);
}

// ------------------------------------------------------------------ the three steps

// A file of the first `records` rows, not opened yet.
void file_of(Cpis__V1__PublicationKind kind, uint32_t sequence, uint32_t records)
{
	memset(&file, 0, sizeof file);
	stage_file_init(&rows, LEEDS_WORKER, records);
	memset(file.id, (int)sequence, sizeof file.id);
	file.kind = kind;
	file.sequence = sequence;
	file.records = records;
	file.created_ms = stage->now_ms;
}

const struct stage_reply *open_file(void)
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

const struct stage_reply *send_rows(uint32_t first, uint32_t count)
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

const struct stage_reply *commit_file(void)
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

const Cpis__V1__PublicationShowReply *show(uint32_t after_rejected, ProtobufCBinaryData after_vanished, uint32_t limit)
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

const Cpis__V1__PublicationShowReply *show_all(void)
{
	return show(0, (ProtobufCBinaryData){0, NULL}, 0);
}

void open_and_send(void)
{
	stage_expect_ok(open_file());
	stage_expect_ok(send_rows(0, file.records));
}

// The whole file as it stands, and all that follows from it.
const Cpis__V1__PublicationReport *publish_file(void)
{
	open_and_send();
	const struct stage_reply *got = commit_file();
	stage_expect_ok(got);
	stage_tick(stage);
	return got->reply->publication_commit->report;
}

const Cpis__V1__DetailsReply *look(const char *nhs_number)
{
	const struct stage_reply *got = stage_details(stage, NURSE, nhs_number);
	stage_expect_ok(got);
	return got->reply->details;
}

void expect_counts(const Cpis__V1__PublicationReport *report, uint32_t created, uint32_t changed, uint32_t ended,
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

void expect_says(const struct stage_reply *got, const char *reason_code, const char *part)
{
	stage_expect(got, INVALID_REQUEST_STATE, reason_code);
	ck_assert_msg(strstr(got->reply->reason, part) != NULL, "%s", got->reply->reason);
}
