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
	struct signing_key *key;
	uint8_t *certificate;
	size_t certificate_bytes;
	uint8_t nonce[NONCE_BYTES];
	uint8_t signed_text[SIGNATURE_CONTEXT_BYTES + STATEMENT_BYTES_MAX];
	size_t statement_bytes;
	uint8_t signature[SIGNATURE_BYTES];
};

static enum cpis_status load_person(struct cpis_client *client, const char *certificate, const char *key,
				    struct opening *opening)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	uint8_t public_key[KEY_BYTES];
	if (trust_verify_staff_file(client->trust, certificate, client_now_ms(), &opening->staff, detail) != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%s", detail);
	enum cpis_status opened = client_key_open(client, key, &opening->key);
	if (opened != CPIS_OK)
		return opened;
	signing_key_public(opening->key, public_key);
	if (CRYPTO_memcmp(public_key, opening->staff.ed25519_public, KEY_BYTES) != 0)
		return client_fail(client, CPIS_CREDENTIALS, "%s: %s", client_key_name(key),
				   certs_status_text(CERTS_KEY_MISMATCH));
	enum certs_status status =
		certificate_file_to_der(certificate, &opening->certificate, &opening->certificate_bytes);
	if (status == CERTS_OK && opening->certificate_bytes > STAFF_CERTIFICATE_BYTES_MAX)
		status = CERTS_MALFORMED;
	if (status != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%.200s: %s", certificate, certs_status_text(status));
	return CPIS_OK;
}

static enum cpis_status sign_statement(struct cpis_client *client, const char *role_code, struct opening *opening)
{
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	if (RAND_bytes(opening->nonce, sizeof opening->nonce) != 1)
		return client_fail(client, CPIS_NO_MEMORY, "no random bytes");
	statement.uid = opening->staff.uid;
	statement.role_code = (char *)(uintptr_t)role_code;
	statement.organisation = client->system.organisation;
	statement.channel_key = (ProtobufCBinaryData){KEY_BYTES, client->system.curve_public};
	statement.broker_name = client->broker.name;
	statement.time_ms = client_now_ms();
	statement.nonce = (ProtobufCBinaryData){sizeof opening->nonce, opening->nonce};
	opening->statement_bytes = cpis__v1__session_statement__get_packed_size(&statement);
	if (opening->statement_bytes > STATEMENT_BYTES_MAX)
		return client_fail(client, CPIS_USAGE, "the role code is too long");
	memcpy(opening->signed_text, signature_context, SIGNATURE_CONTEXT_BYTES);
	cpis__v1__session_statement__pack(&statement, opening->signed_text + SIGNATURE_CONTEXT_BYTES);
	enum certs_status status =
		signing_key_sign(opening->key, opening->signed_text,
				 SIGNATURE_CONTEXT_BYTES + opening->statement_bytes, opening->signature);
	if (status != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "cannot sign: %s", certs_status_text(status));
	return CPIS_OK;
}

static enum cpis_status ask(struct cpis_client *client, struct opening *opening, uint32_t deadline_ms,
			    const Cpis__V1__Reply **ret)
{
	Cpis__V1__SessionOpenRequest body = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.statement.data = opening->signed_text + SIGNATURE_CONTEXT_BYTES;
	body.statement.len = opening->statement_bytes;
	body.signature = (ProtobufCBinaryData){sizeof opening->signature, opening->signature};
	body.staff_certificate = (ProtobufCBinaryData){opening->certificate_bytes, opening->certificate};
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	request.session_open = &body;
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_call(client, &request, deadline_ms, &reply);
	if (status != CPIS_OK)
		return status;
	if (reply->outcome == CPIS__V1__OUTCOME__OK) {
		const ProtobufCBinaryData *token = &reply->session_open->session_token;
		if (token->len == 0 || token->len > sizeof client->token) {
			cpis_reply_free(reply);
			return client_fail(client, CPIS_PROTOCOL, "the session token is empty or too long");
		}
		memcpy(client->token, token->data, token->len);
		client->token_bytes = token->len;
	}
	*ret = reply;
	return CPIS_OK;
}

enum cpis_status cpis_session_open(struct cpis_client *client, const char *staff_certificate, const char *staff_key,
				   const char *role_code, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	struct opening opening = {0};
	cpis_session_close(client);
	if (staff_certificate == NULL || staff_key == NULL || role_code == NULL)
		return client_fail(client, CPIS_USAGE, "certificate, key and role are all needed");
	enum cpis_status status = load_person(client, staff_certificate, staff_key, &opening);
	if (status == CPIS_OK)
		status = sign_statement(client, role_code, &opening);
	// Not while the answer is waited for.
	client_key_close(client, opening.key);
	if (status == CPIS_OK)
		status = ask(client, &opening, deadline_ms, ret);
	free(opening.certificate);
	return status;
}

void cpis_session_close(struct cpis_client *client)
{
	OPENSSL_cleanse(client->token, sizeof client->token);
	client->token_bytes = 0;
}
