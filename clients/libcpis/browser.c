// Sessions and acts that a browser proves: what it is to prove, and what is sent with the proof.
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "certs/sha256.h"
#include "clients/libcpis/client_priv.h"
#include "proto/act.h"

static const char statement_domain[] = "cpis-session-v1\n";
#define STATEMENT_DOMAIN_BYTES (sizeof statement_domain - 1)

bool cpis_set_session_token(struct cpis_client *client, const uint8_t *token, size_t bytes)
{
	if (client_must_be_idle(client) != CPIS_OK)
		return false;
	cpis_session_close(client);
	if (bytes > sizeof client->token)
		return false;
	if (bytes > 0)
		memcpy(client->token, token, bytes);
	client->token_bytes = bytes;
	return true;
}

// ------------------------------------------------------------------ sessions

enum cpis_status cpis_session_statement(struct cpis_client *client, const char *role_code, uint8_t *ret_statement, size_t *ret_bytes,
					uint8_t ret_challenge[CPIS_CHALLENGE_BYTES])
{
	uint8_t nonce[NONCE_BYTES], text[STATEMENT_DOMAIN_BYTES + STATEMENT_BYTES_MAX];
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	client->detail[0] = '\0';
	if (RAND_bytes(nonce, sizeof nonce) != 1)
		return client_fail(client, CPIS_NO_MEMORY, "no random bytes");
	statement.role_code = (char *)(uintptr_t)role_code;
	statement.organisation = client->system.organisation;
	statement.channel_key = (ProtobufCBinaryData){KEY_BYTES, client->system.curve_public};
	statement.broker_name = (char *)(uintptr_t)client_link(client)->broker.name;
	statement.time_ms = client_now_ms();
	statement.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
	size_t bytes = cpis__v1__session_statement__get_packed_size(&statement);
	if (bytes > STATEMENT_BYTES_MAX)
		return client_fail(client, CPIS_USAGE, "the role code is too long");
	cpis__v1__session_statement__pack(&statement, ret_statement);
	*ret_bytes = bytes;
	memcpy(text, statement_domain, STATEMENT_DOMAIN_BYTES);
	memcpy(text + STATEMENT_DOMAIN_BYTES, ret_statement, bytes);
	sha256(text, STATEMENT_DOMAIN_BYTES + bytes, ret_challenge);
	return CPIS_OK;
}

// The name in a statement that was made here; "" when it is none.
static void broker_of(struct arena *arena, const uint8_t *statement, size_t bytes, char out[IDENTITY_NAME_BYTES_MAX + 1])
{
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	out[0] = '\0';
	if (wire_unpack(arena, &cpis__v1__session_statement__descriptor, statement, bytes, &message, &error) != WIRE_OK)
		return;
	const char *name = ((Cpis__V1__SessionStatement *)message)->broker_name;
	if (strlen(name) <= IDENTITY_NAME_BYTES_MAX)
		strcpy(out, name);
}

// Where the call begins: at a broker of this name, if the client knows one.
static bool turn_to(struct cpis_client *client, const char *broker_name)
{
	for (size_t i = 0; i < client->link_count; i++) {
		size_t at = (client->at + i) % client->link_count;
		if (strcmp(client->links[at].broker.name, broker_name) != 0)
			continue;
		client->at = at;
		return true;
	}
	return false;
}

static ProtobufCBinaryData borrowed(const uint8_t *data, size_t bytes)
{
	return (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)data};
}

enum cpis_status cpis_session_open_proven(struct cpis_client *client, const uint8_t *statement, size_t statement_bytes,
					  const uint8_t *certificate, size_t certificate_bytes, const Cpis__V1__BrowserProof *proof,
					  uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	char broker_name[IDENTITY_NAME_BYTES_MAX + 1];
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__SessionOpenRequest body = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	struct arena arena;
	enum cpis_status idle = client_must_be_idle(client);
	if (idle != CPIS_OK)
		return idle;
	cpis_session_close(client);
	if (!arena_init(&arena, ARENA_BYTES))
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a request");
	broker_of(&arena, statement, statement_bytes, broker_name);
	arena_done(&arena);
	if (!turn_to(client, broker_name))
		return client_fail(client, CPIS_USAGE, "this is no statement for a broker of this profile");
	body.statement = borrowed(statement, statement_bytes);
	body.staff_certificate = borrowed(certificate, certificate_bytes);
	body.browser_proof = (Cpis__V1__BrowserProof *)(uintptr_t)proof;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	request.session_open = &body;
	const Cpis__V1__Reply *reply = NULL;
	struct client_job job = {.request = &request, .only = broker_name};
	enum cpis_status status = client_call(client, &job, deadline_ms, &reply);
	if (status != CPIS_OK)
		return status;
	if (reply->outcome == CPIS__V1__OUTCOME__OK &&
	    (reply->session_open->session_token.len == 0 ||
	     !cpis_set_session_token(client, reply->session_open->session_token.data, reply->session_open->session_token.len))) {
		cpis_reply_free(reply);
		return client_fail(client, CPIS_PROTOCOL, "the session token is empty or too long");
	}
	*ret = reply;
	return CPIS_OK;
}

// ------------------------------------------------------------------ acts

static enum cpis_status challenge_of(struct cpis_client *client, const Cpis__V1__Request *request, const char *broker_name,
				     uint8_t ret[CPIS_CHALLENGE_BYTES])
{
	struct arena arena;
	size_t bytes = 0;
	if (!arena_init(&arena, ARENA_BYTES))
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a request");
	const uint8_t *text = act_signed_bytes(&arena, request, broker_name, &bytes);
	if (text != NULL)
		sha256(text, bytes, ret);
	arena_done(&arena);
	return text != NULL ? CPIS_OK : client_fail(client, CPIS_USAGE, "the request is larger than a message may be");
}

enum cpis_status cpis_act_prepare(struct cpis_client *client, Cpis__V1__Request *request, uint8_t ret_challenge[CPIS_CHALLENGE_BYTES])
{
	enum cpis_status idle = client_must_be_idle(client);
	if (idle != CPIS_OK)
		return idle;
	client->detail[0] = '\0';
	if (RAND_bytes(client->request_id, sizeof client->request_id) != 1)
		return client_fail(client, CPIS_NO_MEMORY, "no random bytes");
	request->protocol_version = PROTOCOL_VERSION;
	request->request_id = (ProtobufCBinaryData){sizeof client->request_id, client->request_id};
	request->act_time_ms = client_now_ms();
	request->act_signature = request->session_token = (ProtobufCBinaryData){0, NULL};
	request->act_browser_proof = NULL;
	request->log_size = 0;
	request->deadline_ms = 0;
	return challenge_of(client, request, client_link(client)->broker.name, ret_challenge);
}

// Filled in where a call has emptied the envelope.
struct proven {
	uint64_t act_time_ms;
	const Cpis__V1__BrowserProof *proof;
};

static enum cpis_status put_proof(struct cpis_client *client, Cpis__V1__Request *request, const char *broker_name, void *context)
{
	const struct proven *proven = context;
	(void)client, (void)broker_name;
	request->act_time_ms = proven->act_time_ms;
	request->act_browser_proof = (Cpis__V1__BrowserProof *)(uintptr_t)proven->proof;
	return CPIS_OK;
}

const char *cpis_broker_name(const struct cpis_client *client)
{
	return client_link(client)->broker.name;
}

enum cpis_status cpis_call_proven(struct cpis_client *client, Cpis__V1__Request *request, const char *broker_name,
				  const Cpis__V1__BrowserProof *proof, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	struct proven proven = {request->act_time_ms, proof};
	enum cpis_status idle = client_must_be_idle(client);
	if (idle != CPIS_OK)
		return idle;
	if (request->request_id.len != REQUEST_ID_BYTES || request->act_time_ms == 0 || !turn_to(client, broker_name))
		return client_fail(client, CPIS_USAGE, "the request was not prepared, or not for a broker of this profile");
	cpis_set_request_id(client, request->request_id.data);
	struct client_job job = {.request = request, .sign = put_proof, .context = &proven, .only = broker_name};
	enum cpis_status status = client_call(client, &job, deadline_ms, ret);
	request->act_browser_proof = NULL;
	return status;
}
