// An audit record's stored bytes: how a record is committed to in the log, and how it is read back.
// Client and broker share this, so that a client can check a record without any broker code.
#ifndef CPIS_PROTO_AUDIT_RECORD_H
#define CPIS_PROTO_AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/arena.h"
#include "proto/wire.h"

// Reads stored bytes. Returns WIRE_OK and a record that lives in `arena`, or why the bytes are not a record.
__attribute__((warn_unused_result)) enum wire_status
audit_record_decode(struct arena *arena, const uint8_t *bytes, size_t bytes_count,
		    Cpis__V1__AuditRecord **ret, struct wire_error *error);

// What the log keeps beside a record for searches. Points into the record's bytes; a tag is empty or TAG_BYTES long.
struct audit_record_keys {
	uint64_t index, time_ms;
	struct wire_value organisation, subject_tag, person_tag;
};

// The same checks and the same answer as audit_record_decode, without making the message: a whole log is verified with this.
__attribute__((warn_unused_result)) enum wire_status audit_record_read_keys(const uint8_t *bytes, size_t bytes_count,
									     struct audit_record_keys *ret,
									     struct wire_error *error);

// Whether a receipt's record speaks of this request and this outcome: request id, operation, outcome,
// reason code and index agree. The proof itself is for certs/merkle.h and certs/note.h.
bool audit_record_matches(const Cpis__V1__AuditRecord *record, const Cpis__V1__Request *request,
			  const Cpis__V1__Reply *reply);

#endif
