// Opening a session from a signed statement, and the sealed token that stands for it afterwards.
#include "broker/session.h"

#include <stdio.h>
#include <string.h>

#include "broker/browser_proof.h"
#include "broker/identity_token.h"
#include "broker/sealed.h"
#include "broker/session_cache.h"
#include "broker/stored.pb-c.h"

// Signed before the statement's bytes, so that the key's signature on anything else never passes for one.
static const char statement_domain[] = "cpis-session-v1\n";
#define STATEMENT_DOMAIN_BYTES (sizeof statement_domain - 1)

static enum reason certificate_reason(enum certs_status status)
{
	switch (status) {
	case CERTS_OK:
		return REASON_NONE;
	case CERTS_REVOKED:
		return REASON_STAFF_REVOKED;
	case CERTS_EXPIRED:
		return REASON_STAFF_EXPIRED;
	case CERTS_LIBRARY:
		return REASON_INTERNAL;
	default:
		return REASON_STAFF_CERTIFICATE;
	}
}

static enum reason check_signature(const struct session_context *context, struct arena *arena,
				   const Cpis__V1__SessionOpenRequest *request, const struct staff_key *key)
{
	size_t bytes = STATEMENT_DOMAIN_BYTES + request->statement.len;
	uint8_t *message = arena_alloc(arena, bytes);
	if (message == NULL)
		return REASON_INTERNAL;
	memcpy(message, statement_domain, STATEMENT_DOMAIN_BYTES);
	memcpy(message + STATEMENT_DOMAIN_BYTES, request->statement.data, request->statement.len);
	if (request->browser_proof != NULL)
		return browser_proof_check(request->browser_proof, key, context->web_host, message, bytes);
	if (key->kind != STAFF_KEY_ED25519 || request->signature.len != ED25519_SIGNATURE_BYTES)
		return REASON_STATEMENT_SIGNATURE;
	return ed25519_verify(key->bytes, message, bytes, request->signature.data) == CERTS_OK ? REASON_NONE : REASON_STATEMENT_SIGNATURE;
}

static bool within_skew(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= CLOCK_SKEW_MS_MAX;
}

// What the signed statement says, against where and when it arrived.
static enum reason check_statement(const struct session_context *context, const Cpis__V1__SessionStatement *statement,
				   const char *uid, const char *role_code, bool uid_may_be_left_out)
{
	if (strcmp(statement->uid, uid) != 0 && !(uid_may_be_left_out && statement->uid[0] == '\0'))
		return REASON_STATEMENT_PERSON;
	if (statement->channel_key.len != KEY_BYTES ||
	    memcmp(statement->channel_key.data, context->channel_key, KEY_BYTES) != 0)
		return REASON_STATEMENT_CHANNEL;
	if (strcmp(statement->broker_name, context->broker_name) != 0)
		return REASON_STATEMENT_BROKER;
	if (!within_skew(statement->time_ms, context->now_ms))
		return REASON_STATEMENT_TIME;
	if (strcmp(statement->organisation, context->organisation->text) != 0)
		return REASON_STATEMENT_ORGANISATION;
	if (roles_find(context->roles, context->snapshot, uid, role_code, context->organisation, context->now_ms) == NULL)
		return REASON_PROFILE;
	return REASON_NONE;
}

static const Cpis__V1__SessionStatement *read_statement(struct arena *arena, ProtobufCBinaryData bytes)
{
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	bool read = wire_unpack(arena, &cpis__v1__session_statement__descriptor, bytes.data, bytes.len, &message, &error) == WIRE_OK;
	return read ? (const Cpis__V1__SessionStatement *)message : NULL;
}

// What `ret` lacks when it is known who it is of; it ends at `until_ms` at the latest.
static enum reason begin(const struct session_context *context, const Cpis__V1__SessionStatement *statement, const char *role_code,
			 uint64_t until_ms, struct session *ret)
{
	if (statement->nonce.len != NONCE_BYTES)
		return REASON_MALFORMED;
	memcpy(ret->nonce, statement->nonce.data, NONCE_BYTES);
	snprintf(ret->role_code, sizeof ret->role_code, "%s", role_code);
	ret->organisation = *context->organisation;
	memcpy(ret->channel_key, context->channel_key, KEY_BYTES);
	ret->staff_not_after_ms = until_ms;
	ret->opened_ms = ret->renewed_ms = context->now_ms;
	ret->expires_ms = context->now_ms + SESSION_MS_MAX;
	if (ret->expires_ms > until_ms)
		ret->expires_ms = until_ms;
	return REASON_NONE;
}

// The statement is nobody's word here; it says for which system, broker and role the token is used.
static enum reason open_by_token(const struct session_context *context, struct arena *arena,
				 const Cpis__V1__SessionOpenRequest *request, struct session *ret)
{
	struct identity_claims claims;
	const Cpis__V1__SessionStatement *statement = read_statement(arena, request->statement);
	ret->proof = CPIS__V1__PROOF_KIND__IDENTITY_TOKEN;
	if (statement == NULL)
		return REASON_MALFORMED;
	const struct identity_where where = {
		.providers = register_identity(context->snapshot),
		.organisation = context->organisation,
		.system = context->system,
		.role_code = statement->role_code,
		.now_ms = context->now_ms,
	};
	enum reason reason = identity_token_check(&where, request->identity_token.data, request->identity_token.len, arena, &claims);
	snprintf(ret->uid, sizeof ret->uid, "%s", claims.uid);
	snprintf(ret->name, sizeof ret->name, "%s", claims.name);
	snprintf(ret->issuer, sizeof ret->issuer, "%s", claims.issuer);
	memcpy(ret->token_id, claims.id, sizeof ret->token_id);
	if (reason == REASON_NONE)
		reason = check_statement(context, statement, claims.uid, claims.role_code, true);
	return reason != REASON_NONE ? reason : begin(context, statement, claims.role_code, claims.expires_ms, ret);
}

enum reason session_open(const struct session_context *context, struct arena *arena,
			 const Cpis__V1__SessionOpenRequest *request, struct session *ret,
			 char why[CERTS_DETAIL_BYTES])
{
	memset(ret, 0, sizeof *ret);
	if (request->identity_token.len > 0)
		return open_by_token(context, arena, request, ret);
	struct staff_identity staff;
	enum certs_status status =
		trust_verify_staff(register_trust(context->snapshot), request->staff_certificate.data,
				   request->staff_certificate.len, context->now_ms, &staff, why);
	snprintf(ret->uid, sizeof ret->uid, "%s", staff.uid);
	snprintf(ret->name, sizeof ret->name, "%s", staff.name);
	ret->staff_serial = staff.serial;
	if (status != CERTS_OK)
		return certificate_reason(status);
	ret->proof = browser_proof_kind(request->browser_proof);
	enum reason reason = check_signature(context, arena, request, &staff.key);
	if (reason != REASON_NONE)
		return reason;

	const Cpis__V1__SessionStatement *statement = read_statement(arena, request->statement);
	if (statement == NULL)
		return REASON_MALFORMED;
	reason = check_statement(context, statement, staff.uid, statement->role_code, request->browser_proof != NULL);
	if (reason != REASON_NONE)
		return reason;
	ret->staff_key = staff.key;
	return begin(context, statement, statement->role_code, staff.not_after_ms, ret);
}

static ProtobufCBinaryData borrowed(const void *data, size_t bytes)
{
	return (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)(uintptr_t)data};
}

ProtobufCBinaryData session_seal(const struct session_keys *keys, struct arena *arena, const struct session *session)
{
	Cpis__Stored__V1__StoredSession stored = CPIS__STORED__V1__STORED_SESSION__INIT;
	stored.session_id = borrowed(session->id, sizeof session->id);
	stored.uid = (char *)(uintptr_t)session->uid;
	stored.name = (char *)(uintptr_t)session->name;
	stored.role_code = (char *)(uintptr_t)session->role_code;
	stored.organisation = (char *)(uintptr_t)session->organisation.text;
	stored.channel_key = borrowed(session->channel_key, KEY_BYTES);
	stored.staff_certificate_serial = borrowed(session->staff_serial.bytes, session->staff_serial.bytes_count);
	stored.staff_key = borrowed(session->staff_key.bytes, session->staff_key.size);
	stored.staff_key_kind = (uint32_t)session->staff_key.kind;
	stored.token_issuer = (char *)(uintptr_t)session->issuer;
	stored.staff_not_after_ms = session->staff_not_after_ms;
	stored.opened_ms = session->opened_ms;
	stored.expires_ms = session->expires_ms;
	stored.renewed_ms = session->renewed_ms;

	struct store_blob token =
		sealed_make(keys->current, arena, VAULT_TOKEN, session->channel_key, KEY_BYTES, &stored.base);
	if (token.data == NULL || token.bytes > SESSION_TOKEN_BYTES_MAX)
		return (ProtobufCBinaryData){0, NULL};
	return borrowed(token.data, token.bytes);
}

// Ours once it has opened, so a wrong size in it is our mistake or another version's: not a session.
static bool read_stored(const Cpis__Stored__V1__StoredSession *stored, struct session *ret)
{
	if (stored->session_id.len != sizeof ret->id || stored->channel_key.len != KEY_BYTES ||
	    stored->staff_key_kind > STAFF_KEY_RSA ||
	    // What one lacks the other has.
	    (stored->staff_key.len == 0) != (stored->token_issuer[0] != '\0') || stored->staff_key.len > sizeof ret->staff_key.bytes ||
	    stored->staff_certificate_serial.len > sizeof ret->staff_serial.bytes ||
	    strlen(stored->uid) >= sizeof ret->uid || strlen(stored->name) >= sizeof ret->name ||
	    strlen(stored->role_code) >= sizeof ret->role_code || strlen(stored->token_issuer) >= sizeof ret->issuer ||
	    !ods_code_parse(stored->organisation, strlen(stored->organisation), &ret->organisation))
		return false;
	memcpy(ret->id, stored->session_id.data, sizeof ret->id);
	snprintf(ret->uid, sizeof ret->uid, "%s", stored->uid);
	snprintf(ret->name, sizeof ret->name, "%s", stored->name);
	snprintf(ret->role_code, sizeof ret->role_code, "%s", stored->role_code);
	memcpy(ret->channel_key, stored->channel_key.data, KEY_BYTES);
	ret->staff_serial.bytes_count = stored->staff_certificate_serial.len;
	if (stored->staff_certificate_serial.len > 0)
		memcpy(ret->staff_serial.bytes, stored->staff_certificate_serial.data,
		       stored->staff_certificate_serial.len);
	// It was checked when it was sealed.
	ret->staff_key = (struct staff_key){.kind = (enum staff_key_kind)stored->staff_key_kind, .size = stored->staff_key.len};
	if (stored->staff_key.len > 0)
		memcpy(ret->staff_key.bytes, stored->staff_key.data, stored->staff_key.len);
	snprintf(ret->issuer, sizeof ret->issuer, "%s", stored->token_issuer);
	ret->staff_not_after_ms = stored->staff_not_after_ms;
	ret->opened_ms = stored->opened_ms;
	ret->expires_ms = stored->expires_ms;
	ret->renewed_ms = stored->renewed_ms;
	return true;
}

static bool unseal(const struct session_context *context, struct vault *vault, struct arena *arena,
		   ProtobufCBinaryData token, struct session *ret)
{
	if (token.len > SESSION_TOKEN_BYTES_MAX)
		return false;
	// The channel's key is associated data: through another system the token does not open at all.
	const Cpis__Stored__V1__StoredSession *stored = (const Cpis__Stored__V1__StoredSession *)sealed_open(
		vault, arena, VAULT_TOKEN, context->channel_key, KEY_BYTES, (struct store_blob){token.data, token.len},
		&cpis__stored__v1__stored_session__descriptor);
	return stored != NULL && read_stored(stored, ret);
}

// By whichever key opens it.
static bool open_token(const struct session_context *context, const struct session_keys *keys, struct arena *arena,
		       ProtobufCBinaryData token, struct session *ret, bool *ret_of_previous, bool *ret_before)
{
	*ret_before = keys->cache != NULL && session_cache_find(keys->cache, token, context->channel_key, ret, ret_of_previous);
	if (*ret_before)
		return true;
	*ret_of_previous = false;
	if (!unseal(context, keys->current, arena, token, ret)) {
		*ret_of_previous = keys->previous != NULL && unseal(context, keys->previous, arena, token, ret);
		if (!*ret_of_previous)
			return false;
	}
	return true;
}

// Kept in the cache only when the store has said that it was not closed.
static enum reason check_closed(const struct session_context *context, const struct session_keys *keys, struct arena *arena,
				ProtobufCBinaryData token, const struct session *session, bool of_previous, bool opened_before)
{
	bool closed = false;
	if (context->closed != NULL &&
	    closed_sessions_has(context->closed, session->id, opened_before, context->now_ms, arena, &closed) != STORE_OK)
		return REASON_STORE;
	if (closed)
		return REASON_TOKEN_CLOSED;
	if (keys->cache != NULL && !opened_before)
		session_cache_keep(keys->cache, token, session, of_previous);
	return REASON_NONE;
}

// Of what the person was known by.
static enum reason check_standing(const struct session_context *context, const struct session *session)
{
	if (session->issuer[0] == '\0')
		return certificate_reason(
			trust_check_staff_serial(register_trust(context->snapshot), &session->staff_serial, context->now_ms));
	const struct identity_provider *provider = identity_providers_find(register_identity(context->snapshot), session->issuer);
	if (provider == NULL)
		return REASON_IDENTITY_ISSUER;
	return identity_provider_audience(provider, context->organisation, context->system) == NULL ? REASON_IDENTITY_AUDIENCE : REASON_NONE;
}

enum reason session_resume(const struct session_context *context, const struct session_keys *keys, struct arena *arena,
			   ProtobufCBinaryData token, struct session *ret, bool *ret_renew)
{
	bool of_previous = false, opened_before = false;
	memset(ret, 0, sizeof *ret);
	if (token.len == 0)
		return REASON_TOKEN_MISSING;
	if (!open_token(context, keys, arena, token, ret, &of_previous, &opened_before)) {
		memset(ret, 0, sizeof *ret);
		return REASON_TOKEN_FORGED;
	}
	// A clock that was set back must not lengthen a session: a token from the future is not one of ours.
	if (context->now_ms >= ret->expires_ms || context->now_ms + CLOCK_SKEW_MS_MAX < ret->renewed_ms)
		return REASON_TOKEN_EXPIRED;
	if (context->now_ms > ret->renewed_ms && context->now_ms - ret->renewed_ms > SESSION_IDLE_MS_MAX)
		return REASON_TOKEN_IDLE;
	if (context->now_ms > ret->staff_not_after_ms)
		return REASON_STAFF_EXPIRED;
	enum reason standing = check_standing(context, ret);
	if (standing != REASON_NONE)
		return standing;
	if (!ods_code_equal(&ret->organisation, context->organisation))
		return REASON_STATEMENT_ORGANISATION;
	if (roles_find(context->roles, context->snapshot, ret->uid, ret->role_code, &ret->organisation, context->now_ms) ==
	    NULL)
		return REASON_PROFILE;
	enum reason closed = check_closed(context, keys, arena, token, ret, of_previous, opened_before);
	if (closed != REASON_NONE)
		return closed;
	*ret_renew = of_previous || (context->now_ms > ret->renewed_ms &&
				     context->now_ms - ret->renewed_ms > SESSION_RENEW_MS);
	return REASON_NONE;
}
