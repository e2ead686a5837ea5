// Comparing logs: consistency proofs, and the checkpoints that systems exchange.
#include <string.h>

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

enum wire_status wire_check_consistency(const Cpis__V1__AuditConsistencyRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->old_size > 0, WIRE_MISSING, "audit_consistency.old_size");
	REQUIRE(body->new_size > 0, WIRE_MISSING, "audit_consistency.new_size");
	REQUIRE(body->old_size <= body->new_size, WIRE_BAD_VALUE, "audit_consistency.new_size");
	return status;
}

static enum wire_status check_held(const Cpis__V1__HeldCheckpoint *held, const char *checkpoint, const char *organisation,
				   const char *system_name, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	if (held == NULL)
		return status;
	REQUIRE(held->checkpoint[0] != '\0', WIRE_MISSING, checkpoint);
	REQUIRE(held->organisation[0] == '\0' || wire_is_ods(held->organisation), WIRE_BAD_VALUE, organisation);
	REQUIRE(strlen(held->system_name) <= SYSTEM_NAME_BYTES_MAX, WIRE_BAD_VALUE, system_name);
	return status;
}
#define CHECK_HELD(held, name) \
	check_held(held, name ".checkpoint", name ".organisation", name ".system_name", error)

enum wire_status wire_check_checkpoints(const Cpis__V1__CheckpointExchangeReply *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->n_held <= HELD_CHECKPOINTS_MAX, WIRE_TOO_MANY, "checkpoint_exchange.held");
	for (size_t i = 0; i < body->n_held && status == WIRE_OK; i++)
		status = CHECK_HELD(body->held[i], "checkpoint_exchange.held");
	if (status == WIRE_OK)
		status = CHECK_HELD(body->to_cosign, "checkpoint_exchange.to_cosign");
	return status == WIRE_OK ? CHECK_HELD(body->witnessed, "checkpoint_exchange.witnessed") : status;
}
