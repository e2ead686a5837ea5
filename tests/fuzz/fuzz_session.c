// How a session is opened and taken up again: certificate, statement and signature as somebody may send them, and tokens, sealed by the
// broker's own key around contents that it would not have sealed, or changed afterwards.
#include <string.h>

#include "broker/sealed.h"
#include "broker/session_cache.h"
#include "broker/stored.pb-c.h"
#include "proto/text.h"
#include "tests/fuzz/maker.h"
#include "tests/harness/stage.h"
#include "tests/harness/stage_priv.h"

// One who may, one whose certificate ends within the day, one whose certificate is revoked; and when they come.
static const struct {
	enum stage_person person;
	uint64_t now_ms;
} comers[] = {{NURSE, STAGE_NOW_MS}, {EXPIRED_NURSE, STAGE_MADE_MS + 23 * STAGE_HOUR_MS}, {PAST_NURSE, STAGE_NOW_MS}};
#define COMERS (sizeof comers / sizeof comers[0])

static struct stage *stage;
static struct roles *roles;
static struct session_keys keys;
static struct signing_key *signers[COMERS];
static uint8_t *certificates[COMERS];
static size_t certificate_bytes[COMERS];
static struct certificate_serial revoked;
static unsigned comer;
static struct arena made;

static void end(void)
{
	roles_free(roles);
	stage_free(stage);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	FUZZ_MUST(atexit(end) == 0);
	stage = stage_new_in(fuzz_scratch());
	char detail[CERTS_DETAIL_BYTES];
	struct certificate_description description;
	FUZZ_MUST(certificate_describe_file(stage->person_files[PAST_NURSE], &description, detail) == CERTS_OK);
	revoked = description.serial;
	stage_revoke_person(stage, PAST_NURSE);
	FUZZ_MUST(roles_new(stage->disk, stage->vault, stage->policy, &roles) && roles_load(roles));
	for (unsigned i = 0; i < COMERS; i++) {
		struct stage_statement statement = stage_statement(stage, comers[i].person);
		FUZZ_MUST(signing_key_load(statement.key, &signers[i]) == CERTS_OK);
		FUZZ_MUST(certificate_file_to_der(statement.certificate, &certificates[i], &certificate_bytes[i]) == CERTS_OK);
	}
	keys = (struct session_keys){.current = stage->vault, .previous = stage->vault};
	FUZZ_MUST(session_cache_new(&keys.cache) && arena_init(&made, 4 * ARENA_BYTES));
	return 0;
}

static struct session_context context_of(const struct ods_code *organisation)
{
	return (struct session_context){
		.snapshot = stage->snapshot,
		.roles = roles,
		.broker_name = STAGE_BROKER_NAME,
		.channel_key = stage->keys[STAGE_HOSPITAL].public_key,
		.organisation = organisation,
		.system = "hospital",
		.now_ms = comers[comer].now_ms,
	};
}

static void change(struct fuzz_input *input, uint8_t *data, size_t bytes, unsigned count)
{
	for (; count > 0 && bytes > 0; count--) {
		size_t at = (size_t)fuzz_number(input, 2) % bytes;
		data[at] = (uint8_t)(data[at] ^ fuzz_byte(input));
	}
}

static ProtobufCBinaryData bytes_of(const void *data, size_t bytes)
{
	uint8_t *copy = arena_copy(&made, data, bytes);
	return (ProtobufCBinaryData){copy == NULL ? 0 : bytes, copy};
}

// A bit each: what is true of it all the same.
static void tell_truth(Cpis__V1__SessionStatement *statement, uint8_t lies, const struct ods_code *organisation)
{
	struct stage_statement truth = stage_statement(stage, comers[comer].person);
	if ((lies & 1) == 0)
		statement->uid = (char *)(uintptr_t)truth.uid;
	if ((lies & 2) == 0)
		statement->role_code = (char *)(uintptr_t)truth.role;
	if ((lies & 4) == 0)
		statement->organisation = (char *)(uintptr_t)organisation->text;
	if ((lies & 8) == 0)
		statement->broker_name = (char *)(uintptr_t)STAGE_BROKER_NAME;
	if ((lies & 16) == 0)
		statement->channel_key = bytes_of(stage->keys[STAGE_HOSPITAL].public_key, KEY_BYTES);
	if ((lies & 32) == 0)
		statement->time_ms = comers[comer].now_ms;
}

static void check_open(struct fuzz_input *input, const struct ods_code *organisation)
{
	static const char domain[] = "cpis-session-v1\n";
	const size_t domain_bytes = sizeof domain - 1;
	uint8_t lies = fuzz_byte(input), how = fuzz_byte(input), signature[ED25519_SIGNATURE_BYTES];
	comer = (how >> 5) % COMERS;
	struct maker maker = {.input = input, .arena = &made, .now_ms = STAGE_NOW_MS};
	Cpis__V1__SessionOpenRequest open = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	Cpis__V1__SessionStatement *statement =
		(Cpis__V1__SessionStatement *)maker_message(&maker, &cpis__v1__session_statement__descriptor);
	struct session session;
	struct session_context context = context_of(organisation);
	char why[CERTS_DETAIL_BYTES] = "";
	size_t bytes = 0;
	if (statement == NULL)
		return;
	tell_truth(statement, lies, organisation);
	uint8_t *message = arena_alloc(&made, domain_bytes + 3 * 65536);
	if (message == NULL || cpis__v1__session_statement__get_packed_size(statement) > 3 * 65536)
		return;
	memcpy(message, domain, domain_bytes);
	bytes = cpis__v1__session_statement__pack(statement, message + domain_bytes);
	// Before it is signed: a statement that its signer made so.
	change(input, message + domain_bytes, bytes, how & 3);
	FUZZ_MUST(signing_key_sign(signers[comer], message, domain_bytes + bytes, signature) == CERTS_OK);
	change(input, signature, sizeof signature, how >> 2 & 1);
	open.statement = (ProtobufCBinaryData){bytes, message + domain_bytes};
	open.signature = (ProtobufCBinaryData){(how & 128) != 0 ? 63 : 64, signature};
	open.staff_certificate = bytes_of(certificates[comer], certificate_bytes[comer]);
	change(input, open.staff_certificate.data, open.staff_certificate.len, how >> 3 & 3);
	enum reason reason = session_open(&context, fuzz_arena(), &open, &session, why);
	FUZZ_MUST(text_is_clean(session.uid, strlen(session.uid)) && text_is_clean(session.name, strlen(session.name)) &&
		  text_is_clean(why, strlen(why)));
	if (reason != REASON_NONE)
		return;
	FUZZ_MUST(strcmp(session.uid, stage_uid(comers[comer].person)) == 0 && ods_code_equal(&session.organisation, organisation));
	// What was opened is taken up again, and once more from the cache.
	bool renew = false;
	struct session again;
	ProtobufCBinaryData token = session_seal(&keys, fuzz_arena(), &session);
	FUZZ_MUST(token.data != NULL);
	for (int i = 0; i < 2; i++)
		FUZZ_MUST(session_resume(&context, &keys, fuzz_arena_besides(), token, &again, &renew) == REASON_NONE && !renew &&
			  memcmp(again.id, session.id, sizeof session.id) == 0);
}

static void check_token(struct fuzz_input *input, const struct ods_code *organisation)
{
	uint8_t lies = fuzz_byte(input), how = fuzz_byte(input);
	struct maker maker = {.input = input, .arena = &made, .now_ms = STAGE_NOW_MS};
	Cpis__Stored__V1__StoredSession *stored =
		(Cpis__Stored__V1__StoredSession *)maker_message(&maker, &cpis__stored__v1__stored_session__descriptor);
	const uint8_t *channel = stage->keys[(how & 4) != 0 ? STAGE_LEEDS : STAGE_HOSPITAL].public_key;
	comer = 0;
	struct session_context context = context_of(organisation);
	struct session session;
	bool renew = false;
	if (stored == NULL)
		return;
	if ((lies & 1) == 0)
		stored->uid = (char *)(uintptr_t)stage_uid(comers[comer].person);
	if ((lies & 2) == 0)
		stored->organisation = (char *)(uintptr_t)organisation->text;
	if ((lies & 4) == 0)
		stored->expires_ms = stored->staff_not_after_ms = STAGE_NOW_MS + 1;
	if ((lies & 16) != 0)
		stored->staff_not_after_ms = STAGE_NOW_MS - 1;
	if ((lies & 32) != 0)
		stored->staff_certificate_serial = bytes_of(revoked.bytes, revoked.bytes_count);
	if ((lies & 8) == 0)
		stored->renewed_ms = STAGE_NOW_MS - fuzz_number(input, 3);
	struct store_blob sealed = sealed_make(stage->vault, &made, VAULT_TOKEN, channel, KEY_BYTES, &stored->base);
	if (sealed.data == NULL)
		return;
	ProtobufCBinaryData token = bytes_of(sealed.data, sealed.bytes);
	change(input, token.data, token.len, how & 3);
	if (session_resume(&context, &keys, fuzz_arena(), token, &session, &renew) != REASON_NONE)
		return;
	FUZZ_MUST((how & 4) == 0 && strcmp(session.role_code, "R8001") == 0);
	FUZZ_MUST(session.expires_ms > STAGE_NOW_MS && session.renewed_ms + SESSION_IDLE_MS_MAX >= STAGE_NOW_MS);
}

static void check_raw(struct fuzz_input *input, const struct ods_code *organisation)
{
	struct session_context context = context_of(organisation);
	struct session session;
	bool renew = false;
	ProtobufCBinaryData token = bytes_of(input->at, fuzz_left(input));
	FUZZ_MUST(session_resume(&context, &keys, fuzz_arena(), token, &session, &renew) != REASON_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	struct ods_code organisation;
	FUZZ_MUST(ods_code_parse("RXH", 3, &organisation));
	arena_reset(&made);
	switch (fuzz_byte(&input) % 3) {
	case 0:
		check_open(&input, &organisation);
		break;
	case 1:
		check_token(&input, &organisation);
		break;
	default:
		check_raw(&input, &organisation);
		break;
	}
	return 0;
}
