// The three steps of a file: opened, sent, committed; begun where it stopped. The file is read twice: once to know all of it and
// what is to be signed, once to send it.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/publish.h"

// How often a file is staged anew because a correction came between.
#define STALE_MAX 5

static bool fail(struct publish *publish, const char *what)
{
	fprintf(stderr, "cpis publish: %s\n", what);
	publish->code = EXIT_FAILED;
	return false;
}

// ------------------------------------------------------------------ the first reading

static bool digest_row(void *context, const struct plan_row *row)
{
	struct publish *publish = context;
	const Cpis__V1__PlanRecord *record = publish_batch_add(&publish->batch, row);
	if (record == NULL || !cpis_publication_add(publish->digest, record))
		return fail(publish, "out of memory");
	publish_batch_clear(&publish->batch);
	return true;
}

static bool read_all(struct publish *publish)
{
	char detail[PLAN_FILE_DETAIL_BYTES];
	memset(publish->digest, 0, sizeof publish->digest);
	if (plan_file_read(publish->path, digest_row, publish, &publish->facts, detail))
		return true;
	if (detail[0] != '\0') {
		fprintf(stderr, "cpis publish: CPF01: %s\n", detail);
		publish->code = EXIT_USAGE;
	}
	return false;
}

// ------------------------------------------------------------------ open

// The number of the file that is next: the one that is open, or one more than the last.
static bool find_sequence(struct publish *publish)
{
	Cpis__V1__PublicationShowRequest show = CPIS__V1__PUBLICATION_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	if (publish->open.sequence != 0)
		return true;
	show.limit = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_SHOW;
	request.publication_show = &show;
	if (!publish_call(publish, &request, false, &reply))
		return false;
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		return publish_refused(publish, reply);
	const Cpis__V1__PublicationReport *report = reply->publication_show->report;
	publish->open.sequence = report == NULL ? 1 : report->sequence + (report->committed ? 1 : 0);
	cpis_reply_free(reply);
	return true;
}

static bool open_file(struct publish *publish, bool *ret_committed)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_OPEN;
	request.publication_open = &publish->open;
	if (!publish_call(publish, &request, false, &reply))
		return false;
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		return publish_refused(publish, reply);
	publish->received = reply->publication_open->received;
	*ret_committed = reply->publication_open->committed;
	if (publish->received > 0 && !*ret_committed)
		fprintf(stderr, "cpis publish: %u records are there already: going on.\n", publish->received);
	cpis_reply_free(reply);
	return true;
}

// ------------------------------------------------------------------ send

static void show_progress(const struct publish *publish)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%u of %lu records%s", publish->received, publish->facts.rows,
			publish->received == publish->facts.rows ? "\n" : "");
}

static bool is_stale(const Cpis__V1__Reply *reply)
{
	return strcmp(reply->reason_code, "publication_stale") == 0;
}

static bool send_batch(struct publish *publish)
{
	Cpis__V1__PublicationRecordsRequest records = CPIS__V1__PUBLICATION_RECORDS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	if (publish->batch.count == 0)
		return true;
	records.publication_id = publish->open.publication_id;
	records.first = publish->place - (uint32_t)publish->batch.count;
	records.n_records = publish->batch.count;
	records.records = publish->batch.records;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS;
	request.publication_records = &records;
	if (!publish_call(publish, &request, false, &reply))
		return false;
	if (reply->outcome != CPIS__V1__OUTCOME__OK) {
		// A code of 0 with a failure: to be opened anew.
		if (!is_stale(reply))
			return publish_refused(publish, reply);
		cpis_reply_free(reply);
		return false;
	}
	publish->received = reply->publication_records->received;
	cpis_reply_free(reply);
	publish_batch_clear(&publish->batch);
	show_progress(publish);
	return true;
}

static bool send_row(void *context, const struct plan_row *row)
{
	struct publish *publish = context;
	if (publish->place++ < publish->received)
		return true;
	if (publish_batch_add(&publish->batch, row) == NULL)
		return fail(publish, "out of memory");
	return !publish_batch_full(&publish->batch) || send_batch(publish);
}

static bool send_all(struct publish *publish)
{
	char detail[PLAN_FILE_DETAIL_BYTES];
	struct plan_file_facts facts;
	publish->place = 0;
	publish_batch_clear(&publish->batch);
	if (plan_file_read(publish->path, send_row, publish, &facts, detail))
		return send_batch(publish);
	// It was whole a moment ago: somebody is writing to it.
	return detail[0] != '\0' ? fail(publish, detail) : false;
}

// ------------------------------------------------------------------ commit

static bool commit(struct publish *publish)
{
	Cpis__V1__PublicationCommitRequest body = CPIS__V1__PUBLICATION_COMMIT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	body.publication_id = publish->open.publication_id;
	body.kind = publish->open.kind;
	body.sequence = publish->open.sequence;
	body.records = publish->open.records;
	body.content_sha256 = (ProtobufCBinaryData){sizeof publish->digest, publish->digest};
	body.accept_vanished = publish->accept_vanished;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT;
	request.publication_commit = &body;
	if (!publish_call(publish, &request, true, &reply))
		return false;
	if (reply->outcome == CPIS__V1__OUTCOME__OK || is_stale(reply)) {
		bool done = reply->outcome == CPIS__V1__OUTCOME__OK;
		cpis_reply_free(reply);
		return done;
	}
	if (strcmp(reply->reason_code, "too_many_vanish") == 0)
		fputs("cpis publish: see which with `cpis publish --show`; --accept-vanished goes on.\n", stderr);
	return publish_refused(publish, reply);
}

static bool publish_once(struct publish *publish)
{
	bool committed = false;
	if (!open_file(publish, &committed))
		return false;
	return committed || (send_all(publish) && (publish->open.dry_run || commit(publish)));
}

int publish_file(struct publish *publish, const char *rejected_path)
{
	if (!read_all(publish))
		return publish->code;
	if (publish->open.records != 0 && publish->open.records != publish->facts.rows) {
		fprintf(stderr, "cpis publish: CPF01: %s has %lu records, and not %u\n", publish->path, publish->facts.rows,
			publish->open.records);
		return EXIT_USAGE;
	}
	publish->open.records = (uint32_t)publish->facts.rows;
	if (publish->open.sequence == 0)
		publish->open.sequence = (uint32_t)publish->facts.sequence;
	if (publish->open.kind == CPIS__V1__PUBLICATION_KIND__PUBLICATION_KIND_UNSPECIFIED)
		publish->open.kind = publish->facts.kind;
	if (publish->open.kind == CPIS__V1__PUBLICATION_KIND__PUBLICATION_KIND_UNSPECIFIED)
		return command_usage_error(publish->line, "say --full or --delta");
	publish->open.created_ms = publish->facts.created_ms != 0 ? publish->facts.created_ms : publish->facts.changed_ms;
	int code = connection_sign_in(publish->line, &publish->connection);
	if (code != EXIT_DONE)
		return code;
	if (!find_sequence(publish))
		return publish->code;
	cpis_publication_id(publish->connection.client, publish->digest, &publish->open, publish->id);
	publish->open.publication_id = (ProtobufCBinaryData){sizeof publish->id, publish->id};
	bool done = false;
	for (int i = 0; i < STALE_MAX && !done && publish->code == EXIT_DONE; i++)
		done = publish_once(publish);
	if (!done && publish->code == EXIT_DONE)
		fail(publish, "corrections keep coming between; try again later");
	return done ? publish_show(publish, rejected_path) : publish->code;
}
