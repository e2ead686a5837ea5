// An audit record's stored bytes, read back and compared with what a reply claims.
#include "proto/audit_record.h"

#include <stdio.h>
#include <string.h>

#include "proto/limits.h"

#define RECORD_VERSION 1u

static bool is_tag(ProtobufCBinaryData field)
{
	return field.len == 0 || field.len == TAG_BYTES;
}

enum wire_status audit_record_decode(struct arena *arena, const uint8_t *bytes, size_t bytes_count,
				     Cpis__V1__AuditRecord **ret, struct wire_error *error)
{
	ProtobufCMessage *message = NULL;
	enum wire_status status =
		wire_unpack(arena, &cpis__v1__audit_record__descriptor, bytes, bytes_count, &message, error);
	if (status != WIRE_OK)
		return status;
	Cpis__V1__AuditRecord *record = (Cpis__V1__AuditRecord *)message;
	if (record->version != RECORD_VERSION || !is_tag(record->subject_tag) || !is_tag(record->person_tag) ||
	    (record->request_id.len != 0 && record->request_id.len != REQUEST_ID_BYTES) ||
	    record->outcome == CPIS__V1__OUTCOME__OUTCOME_UNSPECIFIED) {
		snprintf(error->field, sizeof error->field, "audit_record");
		return error->status = WIRE_BAD_VALUE;
	}
	*ret = record;
	return WIRE_OK;
}

bool audit_record_matches(const Cpis__V1__AuditRecord *record, const Cpis__V1__Request *request,
			  const Cpis__V1__Reply *reply)
{
	// A request that could not be read is recorded without its operation, and is not done.
	bool operation = record->operation == wire_operation(request) ||
			 (record->operation == CPIS__V1__OPERATION__OPERATION_UNSPECIFIED &&
			  record->outcome != CPIS__V1__OUTCOME__OK);
	return operation && record->outcome == reply->outcome &&
	       strcmp(record->reason_code, reply->reason_code) == 0 && reply->receipt != NULL &&
	       record->index == reply->receipt->index && record->request_id.len == request->request_id.len &&
	       memcmp(record->request_id.data, request->request_id.data, request->request_id.len) == 0;
}
