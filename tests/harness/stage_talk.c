// Talk on the stage: requests into the core, replies out of it, proven.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "certs/identity.h"
#include "certs/sha256.h"
#include "proto/audit_record.h"
#include "proto/act.h"
#include "tests/harness/stage_priv.h"

#define DEADLINE_MS 10000u

static char *text(const char *from)
{
	return (char *)(uintptr_t)from;
}

// ------------------------------------------------------------------ replies

// A reply to what could be read must be recorded as what was asked; of what could not, outcome and id must agree.
static void check_record(struct stage *stage, size_t number, struct stage_reply *got)
{
	const Cpis__V1__Reply *reply = got->reply;
	Cpis__V1__Request *request = NULL;
	struct wire_error error;
	if (wire_request_decode(&got->arena, stage->asked[number].data, stage->asked[number].bytes, &request, &error) ==
	    WIRE_OK) {
		stage_must(audit_record_matches(got->record, request, reply), "record", "is not of this request");
		return;
	}
	stage_must(got->record->outcome == reply->outcome && got->record->index == reply->receipt->index &&
			   strcmp(got->record->reason_code, reply->reason_code) == 0 &&
			   got->record->request_id.len == reply->request_id.len,
		   "record", "is not of this reply");
}

static void prove(struct stage *stage, size_t number, struct stage_reply *got)
{
	const Cpis__V1__Receipt *receipt = got->reply->receipt;
	struct merkle_hash path[MERKLE_HEIGHT_MAX];
	struct wire_error error;
	if (receipt == NULL) {
		stage_must(got->reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE, "reply", "has no receipt");
		return;
	}
	for (size_t i = 0; i < receipt->n_path; i++)
		memcpy(path[i].bytes, receipt->path[i].data, MERKLE_HASH_BYTES);
	stage_must(receipt_verify(&stage->log, receipt->index, receipt->salt.data, receipt->record.data,
				  receipt->record.len, path, receipt->n_path, receipt->checkpoint,
				  strlen(receipt->checkpoint), &got->checkpoint) == CERTS_OK, "receipt", "does not hold");
	stage_must(audit_record_decode(&got->arena, receipt->record.data, receipt->record.len, &got->record, &error) ==
			   WIRE_OK, "record", "cannot be read");
	check_record(stage, number, got);
}

static struct stage_reply *take_reply(struct stage *stage, size_t number)
{
	const uint8_t *data = NULL;
	size_t bytes = 0;
	struct wire_error error = {0};
	struct stage_reply *got = calloc(1, sizeof *got);
	struct stage_reply **more = realloc(stage->replies, (stage->reply_count + 1) * sizeof *more);
	stage_must(got != NULL && more != NULL && arena_init(&got->arena, 4 * ARENA_BYTES), "reply", "out of memory");
	stage->replies = more;
	stage->replies[stage->reply_count++] = got;
	core_reply(stage->core, number, &data, &bytes);
	got->packed = arena_copy(&got->arena, data, bytes);
	got->packed_bytes = bytes;
	if (wire_reply_decode(&got->arena, got->packed, bytes, &got->reply, &error) != WIRE_OK)
		stage_must(false, error.field, wire_status_text(error.status));
	prove(stage, number, got);
	return got;
}

static void tell(struct stage *stage, bool inside)
{
	if (stage->around_core != NULL)
		stage->around_core(inside);
}

bool stage_flush(struct stage *stage)
{
	tell(stage, true);
	bool durable = core_flush(stage->core, stage->now_ms);
	tell(stage, false);
	stage_must(core_pending(stage->core) == stage->asked_count, "batch", "has another size");
	for (size_t i = 0; i < stage->asked_count; i++)
		stage->batch[i] = take_reply(stage, i);
	for (size_t i = 0; i < stage->asked_count; i++)
		free(stage->asked[i].data);
	stage->asked_count = 0;
	core_clear(stage->core);
	if (stage->database[0] != '\0')
		stage_change_broker(stage);
	return durable;
}

bool stage_same_body(const struct stage_reply *a, const struct stage_reply *b)
{
	uint8_t bytes[2][MESSAGE_BYTES_MAX];
	size_t counts[2];
	const struct stage_reply *both[2] = {a, b};
	for (size_t i = 0; i < 2; i++) {
		Cpis__V1__Reply body = CPIS__V1__REPLY__INIT;
		body.body_case = both[i]->reply->body_case;
		body.details = both[i]->reply->details; // any member: they are pointers of one union
		counts[i] = cpis__v1__reply__pack(&body, bytes[i]);
	}
	return counts[0] == counts[1] && memcmp(bytes[0], bytes[1], counts[0]) == 0;
}

// ------------------------------------------------------------------ requests

static enum core_submitted submit(struct stage *stage, enum stage_system system, struct core_arrival *arrival)
{
	arrival->channel_key = system == STAGE_KEYLESS ? NULL : stage->keys[system].public_key;
	arrival->enrolling = stage->enrolling;
	tell(stage, true);
	enum core_submitted submitted = core_submit(stage->core, arrival, stage->now_ms);
	tell(stage, false);
	if (submitted != CORE_TAKEN)
		return submitted;
	uint8_t *copy = malloc(arrival->bytes + 1);
	stage_must(copy != NULL, "request", "out of memory");
	if (arrival->bytes > 0)
		memcpy(copy, arrival->data, arrival->bytes);
	stage->asked[stage->asked_count].data = copy;
	stage->asked[stage->asked_count++].bytes = arrival->bytes;
	return submitted;
}

bool stage_submit_bytes(struct stage *stage, enum stage_system system, const void *data, size_t bytes, uint64_t waited_ms)
{
	struct core_arrival arrival = {.data = data, .bytes = bytes, .waited_ms = waited_ms};
	return submit(stage, system, &arrival) == CORE_TAKEN;
}

// Fills in what the caller left out.
static size_t pack(const Cpis__V1__Request *request, uint8_t packed[2 * MESSAGE_BYTES_MAX])
{
	uint8_t id[REQUEST_ID_BYTES];
	Cpis__V1__Request whole = *request;
	if (whole.protocol_version == 0)
		whole.protocol_version = PROTOCOL_VERSION;
	if (whole.deadline_ms == 0)
		whole.deadline_ms = DEADLINE_MS;
	if (whole.request_id.len == 0) {
		stage_must(RAND_bytes(id, sizeof id) == 1, "request id", "no random bytes");
		whole.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	}
	stage_must(cpis__v1__request__get_packed_size(&whole) <= 2 * MESSAGE_BYTES_MAX, "request", "too large");
	return cpis__v1__request__pack(&whole, packed);
}

bool stage_submit(struct stage *stage, enum stage_system system, Cpis__V1__Request *request)
{
	uint8_t packed[2 * MESSAGE_BYTES_MAX];
	return stage_submit_bytes(stage, system, packed, pack(request, packed), 0);
}

// A request with its signature, and what the request points to.
struct signed_act {
	Cpis__V1__Request request;
	uint8_t id[REQUEST_ID_BYTES], signature[ED25519_SIGNATURE_BYTES];
};

// `signer` STAGE_PERSONS: nobody signs. `prover` NULL: no browser proves.
static void sign_and_prove(struct stage *stage, enum stage_person signer, const struct stage_prover *prover, uint64_t act_time_ms,
			   const Cpis__V1__Request *request, struct signed_act *act)
{
	struct arena arena;
	struct signing_key *key = NULL;
	uint8_t challenge[HASH_BYTES];
	size_t bytes;
	stage_must(arena_init(&arena, ARENA_BYTES) && RAND_bytes(act->id, sizeof act->id) == 1, "act", "no memory");
	act->request = *request;
	act->request.protocol_version = PROTOCOL_VERSION;
	if (request->request_id.len == 0)
		act->request.request_id = (ProtobufCBinaryData){.len = sizeof act->id, .data = act->id};
	act->request.act_time_ms = act_time_ms;
	const uint8_t *signed_bytes = act_signed_bytes(&arena, &act->request, STAGE_BROKER_NAME, &bytes);
	stage_must(signed_bytes != NULL, "act", "cannot be packed");
	if (signer != STAGE_PERSONS) {
		stage_must(signing_key_load(stage_path(stage, "%s.key", stage_cast[signer].uid), &key) == CERTS_OK &&
				   signing_key_sign(key, signed_bytes, bytes, act->signature) == CERTS_OK,
			   "act", "cannot be signed");
		act->request.act_signature = (ProtobufCBinaryData){.len = sizeof act->signature, .data = act->signature};
	}
	sha256(signed_bytes, bytes, challenge);
	if (prover != NULL)
		act->request.act_browser_proof = (Cpis__V1__BrowserProof *)(uintptr_t)prover->prove(prover->context, challenge);
	signing_key_free(key);
	arena_done(&arena);
}

static void sign(struct stage *stage, enum stage_person signer, uint64_t act_time_ms, const Cpis__V1__Request *request,
		 struct signed_act *act)
{
	sign_and_prove(stage, signer, NULL, act_time_ms, request, act);
}

static bool is_released_by_signature(const Cpis__V1__Request *request)
{
	return request->body_case == CPIS__V1__REQUEST__BODY_PUBLISH ||
	       request->body_case == CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT ||
	       request->body_case == CPIS__V1__REQUEST__BODY_CONTACTS_SET;
}

// With the person's token, and with their signature where the policy wants one.
static void complete(struct stage *stage, enum stage_person person, const Cpis__V1__Request *request, struct signed_act *act)
{
	act->request = *request;
	if (!stage->unsigned_acts && request->act_signature.len == 0 && is_released_by_signature(request))
		sign(stage, person, stage->now_ms, request, act);
	act->request.session_token =
		(ProtobufCBinaryData){.len = stage->token_bytes[person], .data = stage->tokens[person]};
}

bool stage_submit_as(struct stage *stage, enum stage_person person, Cpis__V1__Request *request)
{
	struct signed_act act;
	complete(stage, person, request, &act);
	return stage_submit(stage, stage_system_of(person), &act.request);
}

static const struct stage_reply *answer(struct stage *stage, bool submitted)
{
	stage_must(submitted && stage->asked_count == 1, "request", "a batch is under way");
	stage_flush(stage);
	return stage->batch[0];
}

const struct stage_reply *stage_ask(struct stage *stage, enum stage_system system, Cpis__V1__Request *request)
{
	return answer(stage, stage_submit(stage, system, request));
}

const struct stage_reply *stage_ask_as(struct stage *stage, enum stage_person person, Cpis__V1__Request *request)
{
	return answer(stage, stage_submit_as(stage, person, request));
}

const struct stage_reply *stage_ask_bytes(struct stage *stage, enum stage_system system, const void *data, size_t bytes,
					  uint64_t waited_ms)
{
	return answer(stage, stage_submit_bytes(stage, system, data, bytes, waited_ms));
}

// ------------------------------------------------------------------ waiting

static enum core_submitted submit_parked(struct stage *stage, bool resumed, bool may_wait)
{
	struct core_arrival arrival = {
		.data = stage->parked.data,
		.bytes = stage->parked.bytes,
		.resumed = resumed,
		.may_wait = may_wait,
		.ticket = stage->parked.wait.ticket,
	};
	enum core_submitted submitted = submit(stage, stage->parked.system, &arrival);
	if (submitted == CORE_PARKED)
		stage->parked.wait = core_wait(stage->core);
	return submitted;
}

void stage_park_as(struct stage *stage, enum stage_person person, Cpis__V1__Request *request)
{
	uint8_t packed[2 * MESSAGE_BYTES_MAX];
	struct signed_act act;
	complete(stage, person, request, &act);
	stage->parked.bytes = pack(&act.request, packed);
	stage_must(stage->parked.bytes <= sizeof stage->parked.data, "request", "too large");
	memcpy(stage->parked.data, packed, stage->parked.bytes);
	stage->parked.system = stage_system_of(person);
	stage_must(submit_parked(stage, false, true) == CORE_PARKED, "request", "does not wait");
	stage_flush(stage);
}

bool stage_is_woken(struct stage *stage)
{
	struct wakes *wakes = core_wakes(stage->core);
	bool woken = wakes->everybody;
	for (size_t i = 0; i < wakes->count; i++)
		woken = woken || wakes->keys[i] == stage->parked.wait.key;
	*wakes = (struct wakes){0};
	return woken;
}

const struct stage_reply *stage_resume(struct stage *stage, bool may_wait)
{
	enum core_submitted submitted = submit_parked(stage, true, may_wait);
	stage_flush(stage);
	return submitted == CORE_TAKEN ? stage->batch[0] : NULL;
}

// ------------------------------------------------------------------ sessions

const struct stage_reply *stage_act(struct stage *stage, enum stage_person person, enum stage_person signer,
				    uint64_t act_time_ms, Cpis__V1__Request *request)
{
	struct signed_act act;
	sign(stage, signer, act_time_ms, request, &act);
	return stage_ask_as(stage, person, &act.request);
}

const struct stage_reply *stage_act_proven(struct stage *stage, enum stage_person person, enum stage_person signer, uint64_t act_time_ms,
					   const uint8_t *request_id, const struct stage_prover *prover, Cpis__V1__Request *request)
{
	struct signed_act act;
	if (request_id != NULL)
		request->request_id = (ProtobufCBinaryData){.len = REQUEST_ID_BYTES, .data = (uint8_t *)text((const char *)request_id)};
	sign_and_prove(stage, signer, prover, act_time_ms, request, &act);
	return stage_ask_as(stage, person, &act.request);
}

struct stage_statement stage_statement(const struct stage *stage, enum stage_person person)
{
	const struct stage_cast *cast = &stage_cast[person];
	return (struct stage_statement){
		.uid = cast->uid,
		.role = cast->role,
		.organisation = stage_props[cast->system].ods,
		.broker_name = STAGE_BROKER_NAME,
		.channel_key = stage->keys[cast->system].public_key,
		.time_ms = stage->now_ms,
		.certificate = stage->person_files[person],
		.key = stage_path(stage, "%s.key", cast->uid),
		.sent_from = cast->system,
		.flip = -1,
	};
}

static void sign_text(const struct stage_statement *from, const uint8_t *message, size_t bytes, uint8_t out[ED25519_SIGNATURE_BYTES])
{
	struct signing_key *key = NULL;
	stage_must(signing_key_load(from->key, &key) == CERTS_OK && signing_key_sign(key, message, bytes, out) == CERTS_OK, from->key,
		   "cannot sign");
	signing_key_free(key);
	if (from->flip >= 0)
		out[from->flip] ^= 1;
}

const struct stage_reply *stage_present(struct stage *stage, const struct stage_statement *from)
{
	static const char domain[] = "cpis-session-v1\n";
	const size_t domain_bytes = sizeof domain - 1;
	uint8_t message[sizeof domain + STATEMENT_BYTES_MAX], signature[ED25519_SIGNATURE_BYTES], nonce[NONCE_BYTES];
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	stage_must(RAND_bytes(nonce, sizeof nonce) == 1, "nonce", "no random bytes");
	if (from->nonce != NULL)
		memcpy(nonce, from->nonce, sizeof nonce);
	statement.uid = text(from->uid);
	statement.role_code = text(from->role);
	statement.organisation = text(from->organisation);
	statement.broker_name = text(from->broker_name);
	statement.channel_key = (ProtobufCBinaryData){.len = KEY_BYTES, .data = (uint8_t *)text((const char *)from->channel_key)};
	statement.time_ms = from->time_ms;
	statement.nonce = (ProtobufCBinaryData){.len = sizeof nonce, .data = nonce};
	memcpy(message, domain, domain_bytes);
	size_t bytes = cpis__v1__session_statement__pack(&statement, message + domain_bytes);

	bool with_signature = from->prover == NULL || from->signed_too;
	uint8_t *certificate = NULL;
	size_t certificate_bytes = 0;
	if (with_signature)
		sign_text(from, message, domain_bytes + bytes, signature);
	stage_must(certificate_file_to_der(from->certificate, &certificate, &certificate_bytes) == CERTS_OK, from->certificate,
		   "cannot be read");

	Cpis__V1__SessionOpenRequest open = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	open.statement = (ProtobufCBinaryData){.len = bytes, .data = message + domain_bytes};
	open.signature = (ProtobufCBinaryData){.len = with_signature ? sizeof signature : 0, .data = signature};
	open.staff_certificate = (ProtobufCBinaryData){.len = certificate_bytes, .data = certificate};
	if (from->prover != NULL) {
		uint8_t challenge[HASH_BYTES];
		sha256(message, domain_bytes + bytes, challenge);
		open.browser_proof = (Cpis__V1__BrowserProof *)(uintptr_t)from->prover->prove(from->prover->context, challenge);
	}
	if (from->identity_token != NULL) {
		if (!from->signed_too)
			open.signature = open.staff_certificate = (ProtobufCBinaryData){0, NULL};
		open.identity_token = (ProtobufCBinaryData){strlen(from->identity_token), (uint8_t *)text(from->identity_token)};
	}
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	request.session_open = &open;
	if (from->request_id != NULL)
		request.request_id =
			(ProtobufCBinaryData){.len = REQUEST_ID_BYTES, .data = (uint8_t *)text((const char *)from->request_id)};
	const struct stage_reply *got = stage_ask(stage, from->sent_from, &request);
	free(certificate);
	return got;
}

void stage_take_token(struct stage *stage, enum stage_person person, const struct stage_reply *got)
{
	ProtobufCBinaryData token = got->reply->session_open->session_token;
	memcpy(stage->tokens[person], token.data, token.len);
	stage->token_bytes[person] = token.len;
}

const struct stage_reply *stage_sign_in(struct stage *stage, enum stage_person person)
{
	struct stage_statement statement = stage_statement(stage, person);
	const struct stage_reply *got = stage_present(stage, &statement);
	stage_must(got->reply->outcome == CPIS__V1__OUTCOME__OK, stage_uid(person), got->reply->reason_code);
	stage_take_token(stage, person, got);
	return got;
}
