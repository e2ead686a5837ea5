// Setting the stage once, and what must hold after each batch.
#include "tests/fuzz/conversation.h"

#include <string.h>
#include <unistd.h>

#include "broker/digest.h"
#include "proto/answer.h"
#include "tests/harness/stage_priv.h"

static void check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "conversation: does not hold: %s\n", what);
	abort();
}

// ------------------------------------------------------------------ the beginning

static void sign_everybody_in(struct conversation *talk)
{
	struct stage *stage = talk->stage;
	for (enum stage_person i = 0; i < STAGE_PERSONS; i++) {
		FUZZ_MUST(signing_key_load(stage_path(stage, "%s.key", stage_uid(i)), &talk->keys[i]) == CERTS_OK);
		struct stage_statement statement = stage_statement(stage, i);
		const struct stage_reply *got = stage_present(stage, &statement);
		if (got->reply->outcome != CPIS__V1__OUTCOME__OK)
			continue; // the cast has some who may not
		ProtobufCBinaryData token = got->reply->session_open->session_token;
		memcpy(talk->first_tokens[i], token.data, token.len);
		talk->first_token_bytes[i] = token.len;
		memcpy(stage->tokens[i], token.data, token.len);
		stage->token_bytes[i] = token.len;
	}
}

static void keep_image(struct conversation *talk)
{
	struct stage *stage = talk->stage;
	stage->disk->ops->close(stage->disk);
	FILE *file = fopen(stage_path(stage, "broker.db"), "re");
	FUZZ_MUST(file != NULL && fseek(file, 0, SEEK_END) == 0);
	talk->image_bytes = (size_t)ftell(file);
	talk->image = malloc(talk->image_bytes);
	rewind(file);
	FUZZ_MUST(talk->image != NULL && fread(talk->image, 1, talk->image_bytes, file) == talk->image_bytes);
	fclose(file);
	char detail[STORE_DETAIL_BYTES] = "";
	FUZZ_MUST(store_sqlite_open(stage_path(stage, "broker.db"), &stage->disk, detail) == STORE_OK);
}

void conversation_begin(struct conversation *talk)
{
	*talk = (struct conversation){.stage = stage_new_in(fuzz_scratch())};
	sign_everybody_in(talk);
	FUZZ_MUST(signing_key_generate(&talk->answer_key) == CERTS_OK);
	stage_publish(talk->stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	stage_publish(talk->stage, BRIGHTON_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__LAC, "2026-02-03", NULL, NULL);
	stage_publish(talk->stage, BRIGHTON_WORKER, stage_child(1), CPIS__V1__PLAN_TYPE__UCPP, "2026-02-03", NULL, NULL);
	stage_details(talk->stage, NURSE, stage_child(0));
	stage_forget(talk->stage);
	core_free(talk->stage->core);
	talk->stage->core = NULL;
	keep_image(talk);
}

static void drop_frame(struct frame *frame)
{
	free(frame->data);
	*frame = (struct frame){0};
}

void conversation_reset(struct conversation *talk)
{
	struct stage *stage = talk->stage;
	char detail[STORE_DETAIL_BYTES] = "";
	core_free(stage->core);
	stage->core = NULL;
	stage->disk->ops->close(stage->disk);
	stage_forget(stage);
	for (size_t i = 0; i < stage->asked_count; i++)
		free(stage->asked[i].data);
	stage->asked_count = 0;
	unlink(stage_path(stage, "broker.db-wal"));
	unlink(stage_path(stage, "broker.db-shm"));
	fuzz_write(stage_path(stage, "broker.db"), talk->image, talk->image_bytes);
	FUZZ_MUST(store_sqlite_open(stage_path(stage, "broker.db"), &stage->disk, detail) == STORE_OK);
	fault_store_init(&stage->fault, stage->disk);
	stage->now_ms = STAGE_NOW_MS + STAGE_MINUTE_MS;
	stage->enrolling = false;
	memcpy(stage->tokens, talk->first_tokens, sizeof stage->tokens);
	memcpy(stage->token_bytes, talk->first_token_bytes, sizeof stage->token_bytes);
	for (unsigned i = 0; i < FRAMES; i++)
		drop_frame(&talk->frames[i]);
	drop_frame(&talk->parked);
	talk->frame_count = talk->hold = 0;
	talk->ids = talk->lease = 0;
	talk->note[0] = '\0';
	memset(talk->digest, 0, sizeof talk->digest);
	memset(talk->work_id, 0, sizeof talk->work_id);
	stage_restart(stage);
	if (stage->asks_demographics)
		stage_ask_demographics(stage, false);
	talk->log_size = stage_log_size(stage);
}

// ------------------------------------------------------------------ what must hold

// The record that the receipt proves is the one that the store has.
static void check_recorded(struct conversation *talk, const struct stage_reply *got)
{
	struct arena *arena = fuzz_arena();
	struct store *disk = talk->stage->disk;
	struct store_audit row;
	const Cpis__V1__Receipt *receipt = got->reply->receipt;
	check(disk->ops->audit_get(disk, receipt->index, arena, &row) == STORE_OK, "a reply's record is in the store");
	check(row.record.bytes == receipt->record.len && memcmp(row.record.data, receipt->record.data, row.record.bytes) == 0,
	      "the store's record is the receipt's");
	check(got->checkpoint.size > receipt->index && got->checkpoint.size <= stage_log_size(talk->stage), "the log is as long as was signed");
}

// Whom the broker does not know, it tells nothing.
static void check_stranger(const struct conversation *talk, enum stage_system system, const struct stage_reply *got)
{
	bool stranger = system == STAGE_STRANGER || system == STAGE_KEYLESS || system == STAGE_EXPIRED || system == STAGE_NEWCOMER;
	check(!stranger || got->reply->outcome != CPIS__V1__OUTCOME__OK || got->reply->body_case == CPIS__V1__REPLY__BODY_ENROL,
	      "a stranger is told nothing");
	(void)talk;
}

// What later steps go on with.
static void learn(struct conversation *talk, enum stage_person person, const struct stage_reply *got)
{
	const Cpis__V1__Reply *reply = got->reply;
	ProtobufCBinaryData token = reply->session_token;
	if (reply->body_case == CPIS__V1__REPLY__BODY_SESSION_OPEN)
		token = reply->session_open->session_token;
	if (token.len > 0 && person < STAGE_PERSONS) {
		memcpy(talk->stage->tokens[person], token.data, token.len);
		talk->stage->token_bytes[person] = token.len;
	}
	if (reply->receipt != NULL)
		strcpy(talk->note, reply->receipt->checkpoint);
	if (reply->body_case == CPIS__V1__REPLY__BODY_INBOX_TAKE)
		talk->lease = reply->inbox_take->lease;
	if (reply->body_case == CPIS__V1__REPLY__BODY_RESPONDER_TAKE && reply->responder_take->work != NULL) {
		size_t bytes = 0;
		const uint8_t *work = answer_work_bytes(fuzz_arena(), reply->responder_take->work, &bytes);
		FUZZ_MUST(work != NULL);
		digest_sha256(work, bytes, talk->work_sha256);
		memcpy(talk->work_id, reply->responder_take->work->work_id.data, WORK_ID_BYTES);
	}
}

void conversation_flush(struct conversation *talk)
{
	struct stage *stage = talk->stage;
	size_t count = stage->asked_count;
	// Decodes each reply, proves its receipt, and compares its record with the request.
	bool durable = stage_flush(stage);
	for (size_t i = 0; i < count; i++) {
		const struct stage_reply *got = stage->batch[i];
		check(durable == (got->reply->receipt != NULL), "there is a receipt if, and only if, the batch is durable");
		check_stranger(talk, talk->systems[i], got);
		if (durable)
			check_recorded(talk, got);
		learn(talk, talk->senders[i], got);
	}
	uint64_t size = stage_log_size(stage);
	check(size >= talk->log_size + (durable ? count : 0), "the log only grows, by a record for each reply at least");
	talk->log_size = size;
	stage_forget(stage);
	talk->hold = 0;
}

// ------------------------------------------------------------------ sending

static void keep_frame(struct frame *frame, enum stage_system system, const uint8_t *data, size_t bytes)
{
	drop_frame(frame);
	*frame = (struct frame){malloc(bytes + 1), bytes, system};
	FUZZ_MUST(frame->data != NULL);
	memcpy(frame->data, data, bytes);
}

static bool submit(struct conversation *talk, enum stage_system system, enum stage_person person, struct core_arrival *arrival)
{
	struct stage *stage = talk->stage;
	arrival->channel_key = system == STAGE_KEYLESS ? NULL : stage->keys[system].public_key;
	arrival->enrolling = stage->enrolling;
	enum core_submitted submitted = core_submit(stage->core, arrival, stage->now_ms);
	check(submitted != CORE_FULL || core_pending(stage->core) == STAGE_BATCH_MAX, "only a full batch is full");
	if (submitted == CORE_PARKED) {
		check(arrival->may_wait, "only who may wait is parked");
		talk->parked_wait = core_wait(stage->core);
		keep_frame(&talk->parked, system, arrival->data, arrival->bytes);
		return true;
	}
	if (submitted == CORE_FULL)
		return false;
	talk->senders[stage->asked_count] = person;
	talk->systems[stage->asked_count] = system;
	stage->asked[stage->asked_count].data = malloc(arrival->bytes + 1);
	FUZZ_MUST(stage->asked[stage->asked_count].data != NULL);
	memcpy(stage->asked[stage->asked_count].data, arrival->data, arrival->bytes);
	stage->asked[stage->asked_count++].bytes = arrival->bytes;
	return true;
}

void conversation_send(struct conversation *talk, enum stage_system system, enum stage_person person, const uint8_t *data, size_t bytes,
		       bool may_wait)
{
	struct core_arrival arrival = {.data = data, .bytes = bytes, .may_wait = may_wait};
	if (!submit(talk, system, person, &arrival)) {
		conversation_flush(talk);
		check(submit(talk, system, person, &arrival), "an empty batch takes a request");
	}
	keep_frame(&talk->frames[talk->frame_count++ % FRAMES], system, data, bytes);
	if (talk->hold > 0)
		talk->hold--;
	else
		conversation_flush(talk);
}

void conversation_resume(struct conversation *talk, bool may_wait)
{
	if (talk->parked.data == NULL)
		return;
	struct frame frame = talk->parked;
	struct core_arrival arrival = {.data = frame.data, .bytes = frame.bytes, .resumed = true, .may_wait = may_wait,
				       .ticket = talk->parked_wait.ticket, .waited_ms = 1000};
	talk->parked = (struct frame){0};
	*core_wakes(talk->stage->core) = (struct wakes){0};
	if (!submit(talk, frame.system, STAGE_PERSONS, &arrival)) {
		conversation_flush(talk);
		check(submit(talk, frame.system, STAGE_PERSONS, &arrival), "an empty batch takes a request");
	}
	conversation_flush(talk);
	free(frame.data);
}

void conversation_restart(struct conversation *talk)
{
	struct stage *stage = talk->stage;
	struct core *core = NULL;
	char detail[CORE_DETAIL_BYTES] = "";
	for (size_t i = 0; i < stage->asked_count; i++)
		free(stage->asked[i].data);
	stage->asked_count = talk->hold = 0;
	core_free(stage->core);
	stage->core = NULL;
	// A store that fails now says so, and a broker does not begin on it.
	if (!stage_try_core(stage, &core, detail)) {
		check(detail[0] != '\0', "a broker that does not begin says why");
		fault_store_mend(&stage->fault);
		stage_restart(stage);
	} else {
		stage->core = core;
	}
	check(stage_log_size(stage) == talk->log_size, "a restart neither adds records nor loses any");
}

void conversation_end(struct conversation *talk)
{
	struct stage *stage = talk->stage;
	conversation_flush(talk);
	fault_store_mend(&stage->fault);
	stage->enrolling = false;
	const struct stage_reply *got = stage_ping(stage, STAGE_HOSPITAL);
	check(got->reply->outcome != CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE, "with its store in order the broker answers");
	check(stage_log_verifies(stage), "the stored log leads to the stored checkpoint");
}
