// Consistency proofs: asking for one, and the form of one.
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
