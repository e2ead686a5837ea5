// Answers kept for retries of the same request.
#include "broker/retry.h"

#include <string.h>

#include "broker/sealed.h"
#include "broker/stored.pb-c.h"

bool retry_applies(const Cpis__V1__Request *request)
{
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_DETAILS:
	case CPIS__V1__REQUEST__BODY_PUBLISH:
	// Taken once: what a lost reply carried would be nobody's until its lease is over.
	case CPIS__V1__REQUEST__BODY_INBOX_TAKE:
	case CPIS__V1__REQUEST__BODY_ENQUIRY_SEND:
	case CPIS__V1__REQUEST__BODY_ENQUIRY_ANSWER:
	case CPIS__V1__REQUEST__BODY_NOT_BROUGHT_SEND:
	// Signed acts: what was signed once takes effect once, while its signature is fresh.
	case CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT:
	case CPIS__V1__REQUEST__BODY_CONTACTS_SET:
	case CPIS__V1__REQUEST__BODY_QUARANTINE_SET:
	case CPIS__V1__REQUEST__BODY_QUARANTINE_LIFT:
	case CPIS__V1__REQUEST__BODY_ROLE_GRANT:
	case CPIS__V1__REQUEST__BODY_ROLE_END:
	case CPIS__V1__REQUEST__BODY_POLICY_LOAD:
	case CPIS__V1__REQUEST__BODY_ALERT_REVIEW:
	case CPIS__V1__REQUEST__BODY_ALERT_ASSIGN:
	case CPIS__V1__REQUEST__BODY_ALERT_NOTE:
	case CPIS__V1__REQUEST__BODY_ALERT_CLOSE:
	case CPIS__V1__REQUEST__BODY_RETENTION_HOLD:
	case CPIS__V1__REQUEST__BODY_RETENTION_RELEASE:
	case CPIS__V1__REQUEST__BODY_ENROL_INVITE:
	case CPIS__V1__REQUEST__BODY_ENROL_WITHDRAW:
	case CPIS__V1__REQUEST__BODY_RESPONDER_REGISTER:
	case CPIS__V1__REQUEST__BODY_EXTRACT_READ: // which alerts
		return true;
	default:
		return false;
	}
}

// Over what must be the same in a retry: a renewed token, a shorter deadline and a checkpoint seen meanwhile may differ. So may the
// signature of an act, and its time: it names the broker, and who goes to another one signs the same act anew. It has been checked before.
static bool digest_of(struct op_context *context, uint8_t out[HASH_BYTES])
{
	Cpis__V1__Request same = *context->request;
	same.deadline_ms = 0;
	same.session_token.len = 0;
	same.session_token.data = NULL;
	same.log_size = 0;
	same.trace_id = same.trace_parent_id = (ProtobufCBinaryData){0, NULL};
	same.act_time_ms = 0;
	same.act_signature.len = 0;
	same.act_signature.data = NULL;
	same.act_browser_proof = NULL;
	size_t bytes;
	const uint8_t *packed = wire_pack(context->arena, &same.base, &bytes);
	if (packed == NULL)
		return false;
	vault_digest_request(context->vault, packed, bytes, out);
	return true;
}

static bool open_kept(struct op_context *context, const struct store_request *row, struct retry *retry)
{
	const Cpis__Stored__V1__StoredReply *stored = (const Cpis__Stored__V1__StoredReply *)sealed_open(
		context->vault, context->arena, VAULT_REQUEST, row->key.bytes, sizeof row->key.bytes, row->sealed,
		&cpis__stored__v1__stored_reply__descriptor);
	if (stored == NULL || stored->body == NULL)
		return false;
	context->reply->body_case = stored->body->body_case;
	context->reply->details = stored->body->details; // any member: they are pointers of one union
	retry->audit_index = stored->audit_index;
	return true;
}

enum reason retry_look_up(struct op_context *context, struct retry *ret)
{
	struct store_request row;
	ret->found = false;
	vault_tag_request(context->vault, context->session->uid, context->channel_key,
			  context->request->request_id.data, &ret->key);
	if (!digest_of(context, ret->digest))
		return REASON_INTERNAL;
	enum store_status status = context->store->ops->request_get(context->store, &ret->key, context->now_ms, context->arena,
							       &row);
	if (status == STORE_NOT_FOUND)
		return REASON_NONE;
	if (status != STORE_OK)
		return REASON_STORE;
	if (memcmp(row.digest, ret->digest, sizeof row.digest) != 0)
		return REASON_DUPLICATE;
	if (!open_kept(context, &row, ret))
		return REASON_INTERNAL;
	ret->found = true;
	return REASON_NONE;
}

// An act is remembered for longer; a child's data is not kept for longer because it was asked for with a signature.
static uint64_t kept_ms(const Cpis__V1__Request *request)
{
	bool of_children = request->body_case == CPIS__V1__REQUEST__BODY_DETAILS ||
			   request->body_case == CPIS__V1__REQUEST__BODY_EXTRACT_READ;
	return request->act_time_ms != 0 && !of_children ? SIGNED_KEPT_MS : RETRY_KEPT_MS;
}

bool retry_keep(struct op_context *context, const struct retry *retry)
{
	Cpis__V1__Reply body = CPIS__V1__REPLY__INIT;
	// Nothing was taken: there is nothing to give again.
	if (context->reply->body_case == CPIS__V1__REPLY__BODY_INBOX_TAKE && context->reply->inbox_take->n_items == 0)
		return true;
	body.body_case = context->reply->body_case;
	body.details = context->reply->details; // see open_kept
	Cpis__Stored__V1__StoredReply stored = CPIS__STORED__V1__STORED_REPLY__INIT;
	stored.audit_index = context->audit_index;
	stored.body = &body;
	struct store_request row = {
		.key = retry->key,
		.expires_ms = context->now_ms + kept_ms(context->request),
		.sealed = sealed_make(context->vault, context->arena, VAULT_REQUEST, retry->key.bytes,
				      sizeof retry->key.bytes, &stored.base),
	};
	if (row.sealed.data == NULL)
		return false;
	memcpy(row.digest, retry->digest, sizeof row.digest);
	return context->store->ops->request_put(context->store, &row) == STORE_OK;
}
