// Identity tokens: claims and headers with lines changed, signed by the provider all the same or changed afterwards; any bytes as a token;
// and the files of a provider.
#include <string.h>

#include "broker/identity_token.h"
#include "broker/session.h"
#include "broker/session_cache.h"
#include "proto/text.h"
#include "tests/fuzz/edit.h"
#include "tests/harness/id_provider.h"
#include "tests/harness/stage.h"
#include "tests/harness/stage_priv.h"

static struct stage *stage;
static struct roles *roles;
static struct session_keys keys;
static struct id_provider provider;
static struct ods_code organisation;
static const char *const kids[] = {"ES256", "EdDSA", "RS256"};
static const char *payload;
static char *jwks;
static size_t jwks_bytes;
static const char *files; // where check_files writes

static const char *const words[] = {"3", "2", "\"\"", "null", "-1", "1e300", "true", "[", "]", "{", "}", "none", "HS256", "ES256", "EdDSA", "RS256", "PS256", "crit",
				    "selected_roleid", "100000000001", "azp", "uid", "display_name", "nbf", "1792488600", "S:G:R8001", "R8009", "R8001", "\\u0000",
				    "\\ud800", "RSA", "EC", "OKP", "oct", "P-256", "P-384", "Ed25519", "enc", "\"k\":\"AAAA\"", "RXH/fhir", "/", NULL};
static const char configuration[] = "issuer: " ID_PROVIDER_ISSUER "\njwks_file: cis2.jwks\nassurance_level: \"3\"\nalgorithms:\n  - ES256\n  - RS256\n"
				    "audiences:\n  - {system: RXH/fhir, audience: a}\n  - {system: RXH/hospital, audience: b}\n";

static void end(void)
{
	free((char *)(uintptr_t)payload);
	free(jwks);
	id_provider_done(&provider);
	session_cache_free(keys.cache);
	roles_free(roles);
	stage_free(stage);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	FUZZ_MUST(atexit(end) == 0);
	stage = stage_new_in(fuzz_scratch());
	id_provider_init(&provider, stage_path(stage, "identity"));
	for (size_t i = 0; i < sizeof kids / sizeof kids[0]; i++)
		id_provider_add_key(&provider, kids[i], kids[i]);
	id_provider_publish(&provider);
	id_provider_configure(&provider, "RXH/hospital");
	stage_read_register(stage);
	FUZZ_MUST(ods_code_parse("RXH", 3, &organisation));
	FUZZ_MUST(roles_new(stage->disk, stage->vault, stage->policy, &roles) && roles_load(roles));
	json_t *claims = id_provider_claims(STAGE_NOW_MS, stage_uid(NURSE), "RXH", "R8001");
	payload = json_dumps(claims, JSON_INDENT(1));
	json_decref(claims);
	// Line by line, as payload: so that lines of it can be changed.
	json_t *set = json_load_file(stage_path(stage, "identity/cis2.jwks"), 0, NULL);
	jwks = json_dumps(set, JSON_INDENT(1));
	json_decref(set);
	FUZZ_MUST(payload != NULL && jwks != NULL);
	jwks_bytes = strlen(jwks);
	keys = (struct session_keys){.current = stage->vault};
	FUZZ_MUST(session_cache_new(&keys.cache));
	files = fuzz_directory();
	return 0;
}

static struct session_context context_of(void)
{
	return (struct session_context){
		.snapshot = stage->snapshot,
		.roles = roles,
		.broker_name = STAGE_BROKER_NAME,
		.channel_key = stage->keys[STAGE_HOSPITAL].public_key,
		.organisation = &organisation,
		.system = "hospital",
		.web_host = "",
		.now_ms = STAGE_NOW_MS,
	};
}

// With a statement that is right but for its role, which a bit chooses. `whole`: nothing was changed after it was signed.
static void open_with(const char *token, uint8_t how, bool whole)
{
	struct session_context context = context_of();
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	Cpis__V1__SessionOpenRequest open = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	uint8_t nonce[NONCE_BYTES] = {0}, packed[STATEMENT_BYTES_MAX];
	struct session session, again;
	char why[CERTS_DETAIL_BYTES] = "";
	bool renew = false;
	statement.role_code = (char *)(uintptr_t)((how & 1) != 0 ? "R8001" : (how & 2) != 0 ? "R8009" : "");
	statement.organisation = organisation.text;
	statement.broker_name = (char *)(uintptr_t)STAGE_BROKER_NAME;
	statement.channel_key = (ProtobufCBinaryData){KEY_BYTES, stage->keys[STAGE_HOSPITAL].public_key};
	statement.time_ms = STAGE_NOW_MS;
	statement.nonce = (ProtobufCBinaryData){(how & 4) != 0 ? 15 : NONCE_BYTES, nonce};
	open.statement = (ProtobufCBinaryData){cpis__v1__session_statement__pack(&statement, packed), packed};
	if ((how & 8) != 0)
		packed[0] = 0xff;
	open.identity_token = (ProtobufCBinaryData){strlen(token), (uint8_t *)(uintptr_t)token};
	if (open.identity_token.len == 0)
		return; // a request without one
	enum reason reason = session_open(&context, fuzz_arena(), &open, &session, why);
	FUZZ_MUST(text_is_clean(session.uid, strlen(session.uid)) && text_is_clean(session.name, strlen(session.name)));
	if (reason != REASON_NONE)
		return;
	FUZZ_MUST(session.expires_ms > STAGE_NOW_MS && session.expires_ms <= STAGE_NOW_MS + SESSION_MS_MAX && session.name[0] != '\0' &&
		  strcmp(session.issuer, ID_PROVIDER_ISSUER) == 0 && session.staff_key.size == 0);
	// Only who signed could have named another.
	FUZZ_MUST(whole || (strcmp(session.uid, stage_uid(NURSE)) == 0 && strcmp(session.role_code, "R8001") == 0));
	ProtobufCBinaryData sealed = session_seal(&keys, fuzz_arena(), &session);
	FUZZ_MUST(sealed.data != NULL);
	for (int i = 0; i < 2; i++)
		FUZZ_MUST(session_resume(&context, &keys, fuzz_arena_besides(), sealed, &again, &renew) == REASON_NONE && !renew &&
			  strcmp(again.issuer, session.issuer) == 0);
	// Through another system of the same organisation it is nothing.
	context.system = "fhir";
	FUZZ_MUST(session_resume(&context, &keys, fuzz_arena_besides(), sealed, &again, &renew) == REASON_IDENTITY_AUDIENCE);
}

static void check_signed(struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input);
	const char *kid = kids[(how >> 4) % 3];
	char header[100];
	size_t bytes;
	snprintf(header, sizeof header, "{\n\"alg\":\n\"%s\",\n\"kid\":\n\"%s\"\n}", kid, kid);
	char *changed = edit_text(input, payload, strlen(payload), words, &bytes);
	char *head = edit_text(input, header, strlen(header), words, &bytes);
	char *token = id_provider_sign(&provider, kid, kid, head, changed);
	open_with(token, how, true);
	free(token);
	free(head);
	free(changed);
}

static void check_changed(struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input);
	const char *kid = kids[(how >> 4) % 3];
	char header[100];
	snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"%s\"}", kid, kid);
	char *token = id_provider_sign(&provider, kid, kid, header, payload);
	for (uint8_t count = fuzz_byte(input) % 8; count > 0; count--) {
		size_t at = (size_t)fuzz_number(input, 2) % strlen(token);
		uint8_t letter = fuzz_byte(input);
		token[at] = letter == 0 ? '.' : (char)letter;
	}
	open_with(token, how & 3, false);
	free(token);
}

static void check_raw(struct fuzz_input *input)
{
	char text[IDENTITY_TOKEN_BYTES_MAX + 1];
	size_t bytes = fuzz_left(input) < sizeof text ? fuzz_left(input) : sizeof text - 1;
	memcpy(text, input->at, bytes);
	text[bytes] = '\0';
	open_with(text, 0, false);
}

static void check_files(struct fuzz_input *input)
{
	struct identity_providers *providers = NULL;
	char path[300], detail[400] = "";
	size_t bytes;
	fuzz_empty(files);
	char *text = edit_text(input, configuration, sizeof configuration - 1, words, &bytes);
	snprintf(path, sizeof path, "%s/cis2.yaml", files);
	fuzz_write(path, text, bytes);
	free(text);
	text = edit_text(input, jwks, jwks_bytes, words, &bytes);
	snprintf(path, sizeof path, "%s/cis2.jwks", files);
	fuzz_write(path, text, bytes);
	free(text);
	if (!identity_providers_load(files, &providers, detail, sizeof detail)) {
		FUZZ_MUST(detail[0] != '\0');
		return;
	}
	FUZZ_MUST(providers->count == 1 && identity_keys_count(providers->list[0].keys) > 0 && providers->list[0].audiences_count > 0);
	identity_providers_free(providers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	switch (fuzz_byte(&input) % 4) {
	case 0:
		check_signed(&input);
		break;
	case 1:
		check_changed(&input);
		break;
	case 2:
		check_files(&input);
		break;
	default:
		check_raw(&input);
		break;
	}
	return 0;
}
