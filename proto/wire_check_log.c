// Comparing logs: consistency proofs, checkpoints that systems leave, witnesses' cosignatures.
#include "proto/wire_check_priv.h"

enum wire_status wire_check_growth(size_t count, const ProtobufCBinaryData *hashes, const char *field,
				   struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(count <= GROWTH_PATH_MAX, WIRE_TOO_MANY, field);
	for (size_t i = 0; i < count && status == WIRE_OK; i++)
		REQUIRE(hashes[i].len == HASH_BYTES, WIRE_BAD_VALUE, field);
	return status;
}

enum wire_status wire_check_log(const Cpis__V1__Request *request, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY:
		REQUIRE(request->audit_consistency->old_size > 0, WIRE_MISSING, "audit_consistency.old_size");
		REQUIRE(request->audit_consistency->new_size > 0, WIRE_MISSING, "audit_consistency.new_size");
		REQUIRE(request->audit_consistency->old_size <= request->audit_consistency->new_size, WIRE_BAD_VALUE,
			"audit_consistency.new_size");
		return status;
	case CPIS__V1__REQUEST__BODY_CHECKPOINT_COSIGN:
		REQUIRE(request->checkpoint_cosign->checkpoint[0] != '\0', WIRE_MISSING, "checkpoint_cosign.checkpoint");
		return status;
	default:
		return WIRE_OK; // an exchange may leave nothing
	}
}

enum wire_status wire_check_log_reply(const Cpis__V1__Reply *reply, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	if (reply->body_case == CPIS__V1__REPLY__BODY_AUDIT_CONSISTENCY)
		return wire_check_growth(reply->audit_consistency->n_path, reply->audit_consistency->path,
					 "audit_consistency.path", error);
	const Cpis__V1__CheckpointExchangeReply *body = reply->checkpoint_exchange;
	REQUIRE(body->n_others <= SEEN_CHECKPOINTS_MAX, WIRE_TOO_MANY, "checkpoint_exchange.others");
	for (size_t i = 0; i < body->n_others && status == WIRE_OK; i++) {
		REQUIRE(body->others[i]->checkpoint[0] != '\0', WIRE_MISSING, "checkpoint_exchange.others.checkpoint");
		if (status == WIRE_OK)
			status = wire_check_growth(body->others[i]->n_growth, body->others[i]->growth,
						   "checkpoint_exchange.others.growth", error);
	}
	return status;
}
