// An audit record's stored bytes, read back and compared with what a reply claims.
#include "proto/audit_record.h"

#include <stdio.h>
#include <string.h>

#include "proto/limits.h"

#define RECORD_VERSION 1u

// Left out, or whole.
static bool is_length(size_t bytes, size_t wanted)
{
	return bytes == 0 || bytes == wanted;
}

enum wire_status audit_record_decode(struct arena *arena, const uint8_t *bytes, size_t bytes_count,
				     Cpis__V1__AuditRecord **ret, struct wire_error *error)
{
	ProtobufCMessage *message = NULL;
	enum wire_status status =
		wire_unpack_newer(arena, &cpis__v1__audit_record__descriptor, bytes, bytes_count, &message, error);
	if (status != WIRE_OK)
		return status;
	Cpis__V1__AuditRecord *record = (Cpis__V1__AuditRecord *)message;
	if (record->version != RECORD_VERSION || !is_length(record->subject_tag.len, TAG_BYTES) ||
	    !is_length(record->person_tag.len, TAG_BYTES) || !is_length(record->request_id.len, REQUEST_ID_BYTES) ||
	    record->outcome == CPIS__V1__OUTCOME__OUTCOME_UNSPECIFIED) {
		snprintf(error->field, sizeof error->field, "audit_record");
		return error->status = WIRE_BAD_VALUE;
	}
	*ret = record;
	return WIRE_OK;
}

// By cpis.proto.
enum { VERSION = 1, INDEX = 2, TIME_MS = 3, REQUEST_ID = 4, OUTCOME = 6, ORGANISATION = 8, SUBJECT_TAG = 12, PERSON_TAG = 13, VALUES };

enum wire_status audit_record_read_keys(const uint8_t *bytes, size_t bytes_count, struct audit_record_keys *ret,
					struct wire_error *error)
{
	struct wire_value values[VALUES];
	enum wire_status status =
		wire_pick_newer(&cpis__v1__audit_record__descriptor, bytes, bytes_count, values, VALUES, error);
	if (status != WIRE_OK)
		return status;
	if (values[VERSION].number != RECORD_VERSION || !is_length(values[SUBJECT_TAG].bytes, TAG_BYTES) ||
	    !is_length(values[PERSON_TAG].bytes, TAG_BYTES) || !is_length(values[REQUEST_ID].bytes, REQUEST_ID_BYTES) ||
	    values[OUTCOME].number == CPIS__V1__OUTCOME__OUTCOME_UNSPECIFIED) {
		snprintf(error->field, sizeof error->field, "audit_record");
		return error->status = WIRE_BAD_VALUE;
	}
	*ret = (struct audit_record_keys){.index = values[INDEX].number,
					  .time_ms = values[TIME_MS].number,
					  .organisation = values[ORGANISATION],
					  .subject_tag = values[SUBJECT_TAG],
					  .person_tag = values[PERSON_TAG]};
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
	       (request->request_id.len == 0 || // then there may be no bytes to look at
		memcmp(record->request_id.data, request->request_id.data, request->request_id.len) == 0);
}
