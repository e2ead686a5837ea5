// Opening a session: what the member of staff signs.
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "clients/libcpis/client_priv.h"

static const char signature_context[] = "cpis-session-v1\n";
#define SIGNATURE_CONTEXT_BYTES (sizeof signature_context - 1)

// What has to live until the request is sent.
struct opening {
	struct staff_identity staff;
	const char *key;             // where it is
	const char *role_code;
	Cpis__V1__Request request;
	Cpis__V1__SessionOpenRequest body;
	uint8_t *certificate;
	size_t certificate_bytes;
	uint8_t nonce[NONCE_BYTES];
	uint8_t signed_text[SIGNATURE_CONTEXT_BYTES + STATEMENT_BYTES_MAX];
	size_t statement_bytes;
	uint8_t signature[SIGNATURE_BYTES];
};

static enum cpis_status load_person(struct cpis_client *client, const char *certificate, struct opening *opening)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	if (trust_verify_staff_file(client->trust, certificate, client_now_ms(), &opening->staff, detail) != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%s", detail);
	enum certs_status status =
		certificate_file_to_der(certificate, &opening->certificate, &opening->certificate_bytes);
	if (status == CERTS_OK && opening->certificate_bytes > STAFF_CERTIFICATE_BYTES_MAX)
		status = CERTS_MALFORMED;
	if (status != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%.200s: %s", certificate, certs_status_text(status));
	return CPIS_OK;
}

static enum cpis_status sign_with_key(struct cpis_client *client, struct opening *opening)
{
	struct signing_key *key = NULL;
	uint8_t public_key[KEY_BYTES];
	enum cpis_status opened = client_key_open(client, opening->key, &key);
	if (opened != CPIS_OK)
		return opened;
	signing_key_public(key, public_key);
	enum certs_status status = CERTS_KEY_MISMATCH;
	if (opening->staff.key.kind == STAFF_KEY_ED25519 && CRYPTO_memcmp(public_key, opening->staff.key.bytes, KEY_BYTES) == 0)
		status = signing_key_sign(key, opening->signed_text, SIGNATURE_CONTEXT_BYTES + opening->statement_bytes,
					  opening->signature);
	// Not while the answer is waited for.
	client_key_close(client, key);
	if (status != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%s: %s", client_key_name(opening->key), certs_status_text(status));
	return CPIS_OK;
}

// With the same nonce whichever broker it is for: together they know it for one opening.
static enum cpis_status sign_statement(struct cpis_client *client, Cpis__V1__Request *request, const char *broker_name,
				       void *context)
{
	struct opening *opening = context;
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	(void)request; // has the opening's body
	statement.uid = opening->staff.uid;
	statement.role_code = (char *)(uintptr_t)opening->role_code;
	statement.organisation = client->system.organisation;
	statement.channel_key = (ProtobufCBinaryData){KEY_BYTES, client->system.curve_public};
	statement.broker_name = (char *)(uintptr_t)broker_name;
	statement.time_ms = client_now_ms();
	statement.nonce = (ProtobufCBinaryData){sizeof opening->nonce, opening->nonce};
	opening->statement_bytes = cpis__v1__session_statement__get_packed_size(&statement);
	if (opening->statement_bytes > STATEMENT_BYTES_MAX)
		return client_fail(client, CPIS_USAGE, "the role code is too long");
	memcpy(opening->signed_text, signature_context, SIGNATURE_CONTEXT_BYTES);
	cpis__v1__session_statement__pack(&statement, opening->signed_text + SIGNATURE_CONTEXT_BYTES);
	opening->body.statement.len = opening->statement_bytes;
	return opening->body.identity_token.len > 0 ? CPIS_OK : sign_with_key(client, opening);
}

// The token is the client's from here on.
static enum cpis_status keep_token(struct cpis_client *client, enum cpis_status status, const Cpis__V1__Reply *reply, void *context)
{
	struct opening *opening = context;
	free(opening->certificate);
	free(opening);
	if (status != CPIS_OK || reply->outcome != CPIS__V1__OUTCOME__OK)
		return status;
	const ProtobufCBinaryData *token = &reply->session_open->session_token;
	if (token->len == 0 || token->len > sizeof client->token)
		return client_fail(client, CPIS_PROTOCOL, "the session token is empty or too long");
	memcpy(client->token, token->data, token->len);
	client->token_bytes = token->len;
	return CPIS_OK;
}

// The key's place and the role stand behind it: all lives until the call ends.
static struct opening *new_opening(const char *staff_key, const char *role_code)
{
	size_t key_bytes = strlen(staff_key) + 1, role_bytes = strlen(role_code) + 1;
	struct opening *opening = calloc(1, sizeof *opening + key_bytes + role_bytes);
	if (opening == NULL)
		return NULL;
	char *texts = (char *)(opening + 1);
	opening->key = memcpy(texts, staff_key, key_bytes);
	opening->role_code = memcpy(texts + key_bytes, role_code, role_bytes);
	return opening;
}

static void fill_request(struct opening *opening)
{
	cpis__v1__request__init(&opening->request);
	cpis__v1__session_open_request__init(&opening->body);
	opening->body.statement.data = opening->signed_text + SIGNATURE_CONTEXT_BYTES;
	opening->body.signature = (ProtobufCBinaryData){sizeof opening->signature, opening->signature};
	opening->body.staff_certificate = (ProtobufCBinaryData){opening->certificate_bytes, opening->certificate};
	opening->request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	opening->request.session_open = &opening->body;
}

typedef enum cpis_status begin_call(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms);

static enum cpis_status begin(struct cpis_client *client, const char *staff_certificate, const char *staff_key, const char *role_code,
			      uint32_t deadline_ms, begin_call *how)
{
	enum cpis_status status = client_must_be_idle(client);
	if (status != CPIS_OK)
		return status;
	cpis_session_close(client);
	if (staff_certificate == NULL || staff_key == NULL || role_code == NULL)
		return client_fail(client, CPIS_USAGE, "certificate, key and role are all needed");
	struct opening *opening = new_opening(staff_key, role_code);
	if (opening == NULL)
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a session");
	status = load_person(client, staff_certificate, opening);
	if (status == CPIS_OK && RAND_bytes(opening->nonce, sizeof opening->nonce) != 1)
		status = client_fail(client, CPIS_NO_MEMORY, "no random bytes");
	if (status != CPIS_OK)
		return keep_token(client, status, NULL, opening);
	fill_request(opening);
	struct client_job job = {.request = &opening->request, .sign = sign_statement, .finish = keep_token, .context = opening};
	return how(client, &job, deadline_ms);
}

enum cpis_status cpis_session_open_begin(struct cpis_client *client, const char *staff_certificate, const char *staff_key,
					 const char *role_code, uint32_t deadline_ms)
{
	return begin(client, staff_certificate, staff_key, role_code, deadline_ms, client_call_start);
}

enum cpis_status cpis_session_open(struct cpis_client *client, const char *staff_certificate, const char *staff_key,
				   const char *role_code, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	enum cpis_status status = begin(client, staff_certificate, staff_key, role_code, deadline_ms, client_call_begin);
	return status == CPIS_OK ? client_call_wait(client, ret) : status;
}

enum cpis_status cpis_session_open_token(struct cpis_client *client, const char *token, const char *role_code, const char *caller_request_id,
					 const char *caller_correlation_id, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	enum cpis_status status = client_must_be_idle(client);
	size_t token_bytes = strlen(token);
	if (status != CPIS_OK)
		return status;
	cpis_session_close(client);
	if (token_bytes == 0 || token_bytes > IDENTITY_TOKEN_BYTES_MAX)
		return client_fail(client, CPIS_USAGE, "an identity token has 1 to %u bytes", IDENTITY_TOKEN_BYTES_MAX);
	struct opening *opening = new_opening("", role_code);
	if (opening == NULL)
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a session");
	if (RAND_bytes(opening->nonce, sizeof opening->nonce) != 1)
		return keep_token(client, client_fail(client, CPIS_NO_MEMORY, "no random bytes"), NULL, opening);
	fill_request(opening);
	opening->body.signature = opening->body.staff_certificate = (ProtobufCBinaryData){0, NULL};
	opening->body.identity_token = (ProtobufCBinaryData){token_bytes, (uint8_t *)(uintptr_t)token};
	opening->request.caller_request_id = (char *)(uintptr_t)caller_request_id;
	opening->request.caller_correlation_id = (char *)(uintptr_t)caller_correlation_id;
	struct client_job job = {.request = &opening->request, .sign = sign_statement, .finish = keep_token, .context = opening};
	status = client_call_begin(client, &job, deadline_ms);
	return status == CPIS_OK ? client_call_wait(client, ret) : status;
}

void cpis_session_close(struct cpis_client *client)
{
	OPENSSL_cleanse(client->token, sizeof client->token);
	client->token_bytes = 0;
}

enum cpis_status cpis_session_end(struct cpis_client *client, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	Cpis__V1__SessionCloseRequest body = CPIS__V1__SESSION_CLOSE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_CLOSE;
	request.session_close = &body;
	enum cpis_status status = cpis_call(client, &request, deadline_ms, ret);
	if (status != CPIS_OK)
		return status;
	Cpis__V1__Outcome outcome = (*ret)->outcome;
	if (outcome == CPIS__V1__OUTCOME__OK || outcome == CPIS__V1__OUTCOME__SESSION_EXPIRED ||
	    outcome == CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR)
		cpis_session_close(client);
	return CPIS_OK;
}
