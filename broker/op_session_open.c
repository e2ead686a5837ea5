// SESSION_OPEN: a person proves who they are on this connection and chooses a role profile.
#include <string.h>

#include "broker/op.h"
#include "broker/retry.h"
#include "proto/text.h"

static bool fill(struct op_context *context, Cpis__V1__SessionOpenReply *reply)
{
	const struct session *session = context->session;
	const struct role_profile *profile = roles_find(context->roles, context->snapshot, session->uid, session->role_code,
							      &session->organisation, context->now_ms);
	struct activity_set held = policy_role_activities(context->policy, session->role_code);
	if (profile != NULL)
		activity_set_add_all(&held, &profile->additional);
	const char *codes[ACTIVITIES_PER_ROLE_MAX];
	size_t count = policy_activity_codes(context->policy, &held, codes);
	reply->activities = arena_alloc(context->arena, (count + 1) * sizeof *reply->activities);
	if (reply->activities == NULL)
		return false;
	reply->n_activities = count;
	for (size_t i = 0; i < count; i++)
		reply->activities[i] = op_text(codes[i]);
	reply->expires_ms = session->expires_ms;
	reply->idle_limit_ms = SESSION_IDLE_MS_MAX;
	reply->name = op_text(session->name);
	reply->role_name = op_text(policy_role_name(context->policy, session->role_code));
	reply->organisation_name = op_text(context->organisation->name);
	reply->session_token = session_seal(context->session_keys, context->arena, session);
	return reply->session_token.len != 0;
}

// So the same opening that is sent again, because its answer was lost, is of the same session: whoever kept it opens nothing with it
// once the person has signed out.
static void name_session(struct op_context *context)
{
	struct session *session = context->session;
	uint8_t text[sizeof "session" + sizeof session->uid + KEY_BYTES + NONCE_BYTES], digest[HASH_BYTES]; // no request begins so
	uint8_t *end = mempcpy(text, "session", sizeof "session");
	end = mempcpy(end, session->uid, sizeof session->uid);
	end = mempcpy(end, context->channel_key, KEY_BYTES);
	end = mempcpy(end, session->nonce, NONCE_BYTES);
	vault_digest_request(context->vault, text, (size_t)(end - text), digest);
	memcpy(session->id, digest, sizeof session->id);
}

// The request of a session that is open is sent again; one that was signed out is over.
static enum reason open_again(struct op_context *context)
{
	bool closed = false;
	if (closed_sessions_has(context->closed_sessions, context->session->id, false, context->now_ms, context->arena, &closed) != STORE_OK)
		return REASON_STORE;
	return closed ? REASON_STATEMENT_REPLAYED : REASON_NONE;
}

// A statement opens one session. It is remembered for longer than its time would be accepted, so that a clock that is set
// back does not make it fresh again; the same request sent again, because its answer was lost, is not a second use. That
// the role profile was used is noted with it.
static enum reason use_once(struct op_context *context)
{
	const struct session *session = context->session;
	struct store_request row, used = {.expires_ms = context->now_ms + SIGNED_KEPT_MS};
	vault_tag_request(context->vault, session->uid, context->channel_key, session->nonce, &used.key);
	vault_digest_request(context->vault, context->request->request_id.data, context->request->request_id.len,
			     used.digest);
	enum store_status status = context->store->ops->request_get(context->store, &used.key, context->now_ms,
								    context->arena, &row);
	if (status == STORE_OK)
		return memcmp(row.digest, used.digest, sizeof used.digest) == 0 ? open_again(context) : REASON_STATEMENT_REPLAYED;
	struct store_tag profile;
	uint64_t used_ms = 0;
	vault_tag_role(context->vault, session->uid, session->role_code, &session->organisation, &profile);
	if (status != STORE_NOT_FOUND || context->store->ops->role_use_get(context->store, &profile, &used_ms) == STORE_FAILED ||
	    context->store->ops->request_put(context->store, &used) != STORE_OK ||
	    context->store->ops->role_use_put(context->store, &profile, context->now_ms) != STORE_OK)
		return REASON_STORE;
	context->detail->slept_ms = used_ms != 0 && used_ms < context->now_ms ? context->now_ms - used_ms : 0;
	return REASON_NONE;
}

enum reason op_session_open(struct op_context *context)
{
	struct session_context where = {
		.snapshot = context->snapshot,
		.roles = context->roles,
		.broker_name = context->broker_name,
		.channel_key = context->channel_key,
		.organisation = &context->organisation->ods,
		.system = context->system_name,
		.web_host = context->web_host,
		.now_ms = context->now_ms,
	};
	char why[CERTS_DETAIL_BYTES] = "";
	enum reason reason =
		session_open(&where, context->arena, context->request->session_open, context->session, why);
	context->detail->proof = context->session->proof;
	if (context->session->issuer[0] != '\0') {
		context->detail->token_issuer = op_text(context->session->issuer);
		context->detail->token_sha256 = (ProtobufCBinaryData){HASH_BYTES, context->session->token_id};
	}
	if (reason == REASON_STAFF_CERTIFICATE && text_is_clean(why, strlen(why)))
		context->refusal = arena_printf(context->arena, "The staff certificate does not hold: %s.", why);
	if (reason != REASON_NONE)
		return reason;
	if (quarantine_holds_person(context->quarantine, context->session->uid, &context->session->staff_serial,
				    context->now_ms))
		return REASON_PERSON_QUARANTINED;
	if (policy_role_name(context->policy, context->session->role_code) == NULL)
		return REASON_ROLE_UNKNOWN;
	name_session(context);
	Cpis__V1__SessionOpenReply *reply =
		OP_NEW(context, Cpis__V1__SessionOpenReply, cpis__v1__session_open_reply__init);
	if (reply == NULL || !fill(context, reply))
		return REASON_INTERNAL;
	if ((reason = use_once(context)) != REASON_NONE)
		return reason;
	context->reply->session_open = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_SESSION_OPEN;
	return REASON_NONE;
}
