// Each byte is a step, and what follows it says whose and how. Requests are made along their descriptors (tests/fuzz/maker.h), and then
// given what makes them true: a token, a signature, the digest of the file, the work that was taken. Bits of the second byte leave
// that out.
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>

#include "broker/digest.h"
#include "broker/intake.h"
#include "broker/log.h"
#include "broker/refusal.h"
#include "clients/libcpis/cpis.h"
#include "proto/act.h"
#include "proto/answer.h"
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/maker.h"

#define STEPS_MAX 60u

enum leave_out { NO_SIGNATURE = 1, OTHER_SYSTEM = 2, NO_TOKEN = 4, AS_MADE = 8, MAY_WAIT = 16, SAME_ID = 32, OTHER_TIME = 64, OTHER_SIGNER = 128 };

static struct conversation talk;
static struct arena made, refused;
static uint64_t random_state;

// The same input gets the same salts, nonces and ids, as far as that goes.
ssize_t getrandom(void *out, size_t bytes, unsigned flags)
{
	uint8_t *at = out;
	(void)flags;
	for (size_t i = 0; i < bytes; i++) {
		random_state = random_state * 6364136223846793005u + 1442695040888963407u;
		at[i] = (uint8_t)(random_state >> 56);
	}
	return (ssize_t)bytes;
}

// In place of broker/log.c: what is told to operators is made, and not written.
__attribute__((format(printf, 1, 0))) static void make_line(const char *format, va_list arguments)
{
	char text[1024];
	vsnprintf(text, sizeof text, format, arguments);
}

void log_event(enum log_event event, const char *format, ...)
{
	va_list arguments;
	(void)event;
	va_start(arguments, format);
	make_line(format, arguments);
	va_end(arguments);
}

void log_trouble(enum log_event event, const char *format, ...)
{
	va_list arguments;
	(void)event;
	va_start(arguments, format);
	make_line(format, arguments);
	va_end(arguments);
}

void log_damage(enum log_event event, const char *format, ...)
{
	va_list arguments;
	(void)event;
	va_start(arguments, format);
	make_line(format, arguments);
	va_end(arguments);
}

void log_mended(void)
{
}

static void end(void)
{
	stage_free(talk.stage);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	FUZZ_MUST(arena_init(&made, 4 * ARENA_BYTES) && arena_init(&refused, REFUSAL_ARENA_BYTES) && atexit(end) == 0);
	conversation_begin(&talk);
	return 0;
}

// ------------------------------------------------------------------ requests

static ProtobufCBinaryData bytes_of(const void *data, size_t bytes)
{
	uint8_t *copy = arena_copy(&made, data, bytes);
	return (ProtobufCBinaryData){copy == NULL ? 0 : bytes, copy};
}

static ProtobufCBinaryData sign(enum stage_person person, const uint8_t *data, size_t bytes)
{
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	FUZZ_MUST(signing_key_sign(person < STAGE_PERSONS ? talk.keys[person] : talk.answer_key, data, bytes, signature) == CERTS_OK);
	return bytes_of(signature, sizeof signature);
}

static void fill_answer(Cpis__V1__ResponderAnswerRequest *body, struct maker *maker)
{
	Cpis__V1__ResponderAnswer *answer = (Cpis__V1__ResponderAnswer *)maker_message(maker, &cpis__v1__responder_answer__descriptor);
	size_t bytes = 0;
	if (answer == NULL)
		return;
	answer->work_id = bytes_of(talk.work_id, sizeof talk.work_id);
	const uint8_t *packed = wire_pack(&made, &answer->base, &bytes);
	if (packed == NULL || bytes > ANSWER_BYTES_MAX)
		return;
	body->answer = bytes_of(packed, bytes);
	const uint8_t *message = answer_signed_bytes(&made, STAGE_BROKER_NAME, talk.work_sha256, packed, bytes, &bytes);
	if (message != NULL)
		body->signature = sign(STAGE_PERSONS, message, bytes);
}

// What no maker can know.
static void fill_body(Cpis__V1__Request *request, struct maker *maker)
{
	static const uint8_t code[ENROLMENT_CODE_BYTES] = {'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'};
	uint8_t digest[HASH_BYTES], key[KEY_BYTES];
	size_t bytes;
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_PUBLICATION_OPEN:
		memset(talk.digest, 0, sizeof talk.digest);
		break;
	case CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS:
		request->publication_records->first = request->publication_records->first == 1 ? 0 : request->publication_records->first;
		for (size_t i = 0; i < request->publication_records->n_records; i++)
			FUZZ_MUST(cpis_publication_add(talk.digest, request->publication_records->records[i]));
		break;
	case CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT:
		request->publication_commit->content_sha256 = bytes_of(talk.digest, sizeof talk.digest);
		break;
	case CPIS__V1__REQUEST__BODY_ENROL_INVITE:
		digest_sha256(code, sizeof code, digest);
		request->enrol_invite->code_sha256 = bytes_of(digest, sizeof digest);
		break;
	case CPIS__V1__REQUEST__BODY_RESPONDER_REGISTER:
		signing_key_public(talk.answer_key, key);
		request->responder_register->answer_key = bytes_of(key, sizeof key);
		break;
	case CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER:
		fill_answer(request->responder_answer, maker);
		break;
	case CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE:
		request->checkpoint_exchange->checkpoint = arena_copy_text(&made, talk.note, strlen(talk.note));
		break;
	case CPIS__V1__REQUEST__BODY_INBOX_TAKE:
		if (request->inbox_take->lease == 1)
			request->inbox_take->lease = talk.lease;
		break;
	case CPIS__V1__REQUEST__BODY_POLICY_LOAD: {
		const uint8_t *policy = policy_text(talk.stage->policy, &bytes);
		request->policy_load->policy = bytes_of(policy, bytes);
		break;
	}
	default:
		break;
	}
}

// A statement as the person would sign it, but for what the bits say.
static void fill_statement(Cpis__V1__Request *request, enum stage_person person, uint8_t how)
{
	static const char domain[] = "cpis-session-v1\n";
	uint8_t message[sizeof domain + STATEMENT_BYTES_MAX];
	struct stage_statement from = stage_statement(talk.stage, person);
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	Cpis__V1__SessionOpenRequest *open = request->session_open;
	uint8_t *certificate = NULL;
	size_t bytes = 0;
	statement.uid = (char *)(uintptr_t)from.uid;
	statement.role_code = (char *)(uintptr_t)from.role;
	statement.organisation = (char *)(uintptr_t)from.organisation;
	statement.broker_name = (char *)(uintptr_t)from.broker_name;
	statement.channel_key = bytes_of(from.channel_key, KEY_BYTES);
	statement.time_ms = from.time_ms;
	statement.nonce = (how & SAME_ID) != 0 ? bytes_of("aaaaaaaaaaaaaaaa", NONCE_BYTES) : request->request_id;
	memcpy(message, domain, sizeof domain - 1);
	bytes = sizeof domain - 1 + cpis__v1__session_statement__pack(&statement, message + sizeof domain - 1);
	open->statement = bytes_of(message + sizeof domain - 1, bytes - (sizeof domain - 1));
	open->signature = sign(person, message, bytes);
	open->browser_proof = NULL;
	if (certificate_file_to_der(from.certificate, &certificate, &bytes) == CERTS_OK)
		open->staff_certificate = bytes_of(certificate, bytes);
	free(certificate);
}

static void fill_envelope(Cpis__V1__Request *request, enum stage_person person, uint8_t how)
{
	uint8_t id[REQUEST_ID_BYTES] = {0};
	size_t bytes;
	if ((how & SAME_ID) == 0)
		talk.ids++;
	memcpy(id, &talk.ids, sizeof talk.ids);
	request->protocol_version = PROTOCOL_VERSION;
	request->request_id = bytes_of(id, sizeof id);
	request->deadline_ms = 10000;
	request->session_token = (how & NO_TOKEN) != 0 ? (ProtobufCBinaryData){0, NULL}
						       : bytes_of(talk.stage->tokens[person], talk.stage->token_bytes[person]);
	request->act_signature = (ProtobufCBinaryData){0, NULL};
	request->act_time_ms = 0;
	request->log_size = request->log_size == 1 ? talk.log_size : request->log_size;
	if (request->body_case == CPIS__V1__REQUEST__BODY_SESSION_OPEN)
		fill_statement(request, person, how);
	if ((how & NO_SIGNATURE) != 0) {
		// What was made as a browser's proof is none.
		request->act_time_ms = request->act_browser_proof == NULL ? 0 : talk.stage->now_ms;
		return;
	}
	request->act_browser_proof = NULL;
	request->act_time_ms = talk.stage->now_ms + ((how & OTHER_TIME) != 0 ? CLOCK_SKEW_MS_MAX + 1 : 0);
	const uint8_t *message = act_signed_bytes(&made, request, STAGE_BROKER_NAME, &bytes);
	if (message != NULL)
		request->act_signature = sign((how & OTHER_SIGNER) != 0 ? STAGE_PERSONS : person, message, bytes);
}

static void send_request(struct fuzz_input *input, enum stage_person person, uint8_t how)
{
	size_t bytes = 0;
	// So many bytes are the request's, so that the steps behind it stay what they are when it changes.
	const uint8_t *part = fuzz_take(input, fuzz_byte(input), &bytes);
	struct fuzz_input own = fuzz_input(part, bytes);
	struct maker maker = {.input = &own, .arena = &made, .now_ms = talk.stage->now_ms};
	arena_reset(&made);
	Cpis__V1__Request *request = (Cpis__V1__Request *)maker_message(&maker, &cpis__v1__request__descriptor);
	if (request != NULL && (how & AS_MADE) == 0) {
		fill_body(request, &maker);
		fill_envelope(request, person, how);
	}
	const uint8_t *packed = request == NULL ? NULL : wire_pack(&made, &request->base, &bytes);
	enum stage_system system = stage_system_of(person);
	if ((how & OTHER_SYSTEM) != 0)
		system = fuzz_byte(input) % STAGE_SYSTEMS;
	if (packed != NULL && bytes <= 2 * MESSAGE_BYTES_MAX)
		conversation_send(&talk, system, person, packed, bytes, (how & MAY_WAIT) != 0);
}

// ------------------------------------------------------------------ the other steps

static void send_raw(struct fuzz_input *input)
{
	size_t bytes;
	enum stage_system system = fuzz_byte(input) % STAGE_SYSTEMS;
	const uint8_t *raw = fuzz_take(input, fuzz_byte(input), &bytes);
	conversation_send(&talk, system, STAGE_PERSONS, raw, bytes, false);
}

// One of the last frames, as it was or with bytes changed, from where it came or from elsewhere.
static void send_again(struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input);
	const struct frame *from = &talk.frames[how % FRAMES];
	if (from->data == NULL)
		return;
	enum stage_system system = (how & 8) != 0 ? (enum stage_system)(fuzz_byte(input) % STAGE_SYSTEMS) : from->system;
	size_t bytes = from->bytes;
	arena_reset(&made);
	uint8_t *data = arena_copy(&made, from->data, bytes + 1);
	FUZZ_MUST(data != NULL);
	for (unsigned changes = how >> 4 & 3; changes > 0 && bytes > 0; changes--) {
		size_t at = (size_t)fuzz_number(input, 2) % bytes;
		data[at] = (uint8_t)(data[at] ^ fuzz_byte(input));
	}
	if ((how & 64) != 0)
		bytes = (size_t)fuzz_number(input, 2) % (bytes + 1);
	conversation_send(&talk, system, STAGE_PERSONS, data, bytes, (how & 128) != 0);
}

static void step_clock(struct fuzz_input *input)
{
	static const uint64_t steps[] = {1000, STAGE_MINUTE_MS, 6 * STAGE_MINUTE_MS, 31 * STAGE_MINUTE_MS, STAGE_HOUR_MS, 13 * STAGE_HOUR_MS,
					 STAGE_DAY_MS, 8 * STAGE_DAY_MS, 31 * STAGE_DAY_MS, 400 * STAGE_DAY_MS};
	uint8_t how = fuzz_byte(input);
	uint64_t step = steps[how % (sizeof steps / sizeof steps[0])];
	struct stage *stage = talk.stage;
	conversation_flush(&talk);
	if (how < 128)
		stage->now_ms += stage->now_ms < STAGE_NOW_MS + 8000 * STAGE_DAY_MS ? step : 0;
	else
		stage->now_ms -= stage->now_ms > step + 400 * STAGE_DAY_MS ? step : 0;
}

static void break_store(struct fuzz_input *input)
{
	struct fault_store *fault = &talk.stage->fault;
	uint8_t how = fuzz_byte(input);
	fault_store_mend(fault);
	if (how < 250)
		fault->fail_at = how + 1u;
	else if (how < 254)
		fault->commit = how < 252 ? FAULT_COMMIT_FAILS : FAULT_COMMIT_LIES;
}

static void tick(void)
{
	conversation_flush(&talk);
	stage_tick(talk.stage);
	uint64_t size = stage_log_size(talk.stage);
	FUZZ_MUST(size >= talk.log_size);
	talk.log_size = size;
}

static void record_attempts(struct fuzz_input *input)
{
	struct attempt attempt = {.reason = fuzz_byte(input) % 2 == 0 ? REASON_SYSTEM_UNKNOWN : REASON_SYSTEM_EXPIRED, .count = 1,
				  .first_ms = talk.stage->now_ms, .examples = "192.0.2.1"};
	conversation_flush(&talk);
	bool durable = core_record_attempts(talk.stage->core, &attempt, 1, talk.stage->now_ms);
	uint64_t size = stage_log_size(talk.stage);
	FUZZ_MUST(size == talk.log_size + 1 || !durable);
	FUZZ_MUST(size >= talk.log_size);
	talk.log_size = size;
}

// What the front does with a frame that the core never sees.
static void drain(void)
{
	const struct frame *frame = &talk.frames[0];
	const uint8_t *data = NULL;
	size_t bytes = 0;
	Cpis__V1__Reply *reply = NULL;
	struct wire_error error;
	if (frame->data == NULL)
		return;
	conversation_flush(&talk);
	FUZZ_MUST(intake_class_of(frame->data, frame->bytes) < INTAKE_CLASSES);
	arena_reset(&refused);
	data = refusal_make(&refused, REASON_DRAINING, DRAINING_RETRY_AFTER_MS, frame->data, frame->bytes, &bytes);
	FUZZ_MUST(wire_reply_decode(fuzz_arena(), data, bytes, &reply, &error) == WIRE_OK &&
		  reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
}

// From now on plans are checked. Between batches, as a register is read.
static void ask_demographics(void)
{
	conversation_flush(&talk);
	stage_ask_demographics(talk.stage, true);
}

static void step(struct fuzz_input *input, uint8_t what)
{
	enum stage_person person;
	uint8_t how;
	switch (what % 16) {
	case 9:
		send_raw(input);
		break;
	case 10:
		send_again(input);
		break;
	case 11:
		step_clock(input);
		break;
	case 12:
		break_store(input);
		break;
	case 13:
		tick();
		break;
	case 14:
		how = fuzz_byte(input);
		if (how % 4 == 0)
			conversation_restart(&talk);
		else if (how % 4 == 1)
			conversation_resume(&talk, (how & 4) != 0);
		else if (how % 8 == 6)
			ask_demographics();
		else if (how % 4 == 2)
			record_attempts(input);
		else
			drain();
		break;
	case 15:
		how = fuzz_byte(input);
		talk.hold = how % STAGE_BATCH_MAX;
		talk.stage->enrolling = (how & 128) != 0;
		break;
	default:
		person = fuzz_byte(input) % STAGE_PERSONS;
		how = fuzz_byte(input);
		send_request(input, person, how);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	random_state = 1;
	conversation_reset(&talk);
	for (unsigned i = 0; i < STEPS_MAX && fuzz_left(&input) > 0; i++)
		step(&input, fuzz_byte(&input));
	conversation_end(&talk);
	return 0;
}
