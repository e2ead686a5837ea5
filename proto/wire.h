// The wire codec: bytes to checked messages and back.
//
// Decoding is strict and bounded. Before protobuf-c sees a byte, a scan along the message descriptor
// refuses what protobuf-c would accept or choke on: unknown fields, wrong wire types, repeated singular
// fields (protobuf-c merges them in quadratic time), two members of one oneof, varints longer than need
// be, nesting past MESSAGE_DEPTH_MAX, repeated fields past REPEATED_COUNT_MAX, default values written
// out, fields out of order. After it, every string, enum and length is checked against proto/limits.h.
// All memory comes from the caller's arena.
#ifndef CPIS_PROTO_WIRE_H
#define CPIS_PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/arena.h"
#include "proto/cpis.pb-c.h"
#include "proto/limits.h"

#define WIRE_STATUS_TABLE(X)                                                                         \
	X(WIRE_OK, "well-formed")                                                                    \
	X(WIRE_TOO_LARGE, "the message is larger than 65,503 bytes")                                 \
	X(WIRE_TRUNCATED, "the message ends in the middle of a field")                               \
	X(WIRE_NOT_CANONICAL, "the encoding is not canonical")                                       \
	X(WIRE_UNKNOWN_FIELD, "a field is not in this version of the protocol")                      \
	X(WIRE_REPEATED_SINGULAR, "a field that may stand once stands twice")                        \
	X(WIRE_TOO_DEEP, "messages are nested too deep")                                             \
	X(WIRE_TOO_MANY, "a repeated field has too many elements")                                   \
	X(WIRE_BAD_TEXT, "text is not clean UTF-8 or is too long")                                   \
	X(WIRE_BAD_VALUE, "a value is outside its range")                                            \
	X(WIRE_MISSING, "a required field is missing")                                               \
	X(WIRE_NO_MEMORY, "the message needs more memory than one request may have")

enum wire_status {
#define X(name, sentence) name,
	WIRE_STATUS_TABLE(X)
#undef X
};

// What was wrong and where; written by every decoder on failure.
struct wire_error {
	enum wire_status status;
	char field[64];                        // dotted path, e.g. "details.nhs_number"; "" when not known
	uint8_t request_id[REQUEST_ID_BYTES];  // of the refused message, as far as it could be read
	bool has_request_id;
	bool version_unsupported;              // protocol_version was readable and is not ours
};

const char *wire_status_text(enum wire_status status);

// Strict decode of any message of ours (stored forms too): the scan, then protobuf-c, no value checks
// but clean text. The message lives in `arena` and dies with its reset.
__attribute__((warn_unused_result)) enum wire_status
wire_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
	    size_t bytes_count, ProtobufCMessage **ret, struct wire_error *error);

// The same of what a broker has made, which may be of a later version than this program: replies and audit records. At most
// NEWER_FIELDS_MAX fields of a message whose numbers are greater than all that this version knows are passed over; they stay with the
// message, so that packing it gives the same bytes. Never of requests: nothing may be obeyed by halves.
__attribute__((warn_unused_result)) enum wire_status
wire_unpack_newer(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
		  size_t bytes_count, ProtobufCMessage **ret, struct wire_error *error);

// The strict scan alone, with the values of a message's own fields as they stand in `bytes`: for who reads millions of messages
// and needs a few fields of each. `ret_values` is by field number: [0] stays empty, and of fields from `values_count` on nothing is
// kept. A field that is left out has zeros; repeated fields and sub-messages have their last bytes.
struct wire_value {
	uint64_t number;
	const uint8_t *data; // text without a NUL, or bytes
	size_t bytes;
};
__attribute__((warn_unused_result)) enum wire_status
wire_pick(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t bytes_count,
	  struct wire_value *ret_values, size_t values_count, struct wire_error *error);

// As wire_unpack_newer.
__attribute__((warn_unused_result)) enum wire_status
wire_pick_newer(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t bytes_count,
		struct wire_value *ret_values, size_t values_count, struct wire_error *error);

// The top level of an envelope, as far as it can be read: for who has to answer or sort what it does not decode. No check.
#define WIRE_BODY_FIRST 16u // the body's field numbers begin here
struct wire_peeked {
	uint8_t request_id[REQUEST_ID_BYTES];
	bool has_request_id;
	bool version_unsupported;
	uint32_t body;             // field number, e.g. CPIS__V1__REQUEST__BODY_FLAG; 0: none
};
void wire_peek(const uint8_t *bytes, size_t bytes_count, struct wire_peeked *ret);

// Serialises into the arena. NULL past the arena's end.
// A singular string that is NULL counts as empty; a repeated field without its elements and other caller's
// mistakes are INVARIANT failures.
const uint8_t *wire_pack(struct arena *arena, const ProtobufCMessage *message, size_t *ret_bytes);

// A request as it came from a peer: wire_unpack, then the envelope's and the body's own limits.
// Not checked here, because they have outcome codes of their own: whether an NHS number is valid, and dates.
__attribute__((warn_unused_result)) enum wire_status
wire_request_decode(struct arena *arena, const uint8_t *bytes, size_t bytes_count,
		    Cpis__V1__Request **ret, struct wire_error *error);

// A reply as it came from a broker. Same strictness: a client does not trust its broker's bytes either.
__attribute__((warn_unused_result)) enum wire_status
wire_reply_decode(struct arena *arena, const uint8_t *bytes, size_t bytes_count, Cpis__V1__Reply **ret,
		  struct wire_error *error);

// What a request asks for; OPERATION_UNSPECIFIED when it has no body.
Cpis__V1__Operation wire_operation(const Cpis__V1__Request *request);

// Words for programs and people: "DETAILS", "ACCESS_DENIED", "CPP"... Never NULL; "?" for an unknown value.
const char *wire_operation_name(Cpis__V1__Operation operation);
const char *wire_outcome_name(Cpis__V1__Outcome outcome);
const char *wire_care_setting_name(Cpis__V1__CareSetting setting);
const char *wire_plan_type_name(Cpis__V1__PlanType type);
const char *wire_file_outcome_name(Cpis__V1__FileOutcome outcome);
const char *wire_quarantine_kind_name(Cpis__V1__QuarantineKind kind);
const char *wire_alert_finding_name(Cpis__V1__AlertFinding finding);
const char *wire_record_class_name(Cpis__V1__RecordClass record_class);
const char *wire_audit_report_name(Cpis__V1__AuditReport report);
const char *wire_enrolment_state_name(Cpis__V1__EnrolmentState state);
// The way back, for configuration and command lines. False when there is no such name, or no request for the operation.
__attribute__((warn_unused_result)) bool wire_operation_by_name(const char *name, Cpis__V1__Operation *ret);
// Those too that the broker records by itself.
__attribute__((warn_unused_result)) bool wire_recorded_operation_by_name(const char *name, Cpis__V1__Operation *ret);
__attribute__((warn_unused_result)) bool wire_outcome_by_name(const char *name, Cpis__V1__Outcome *ret);
__attribute__((warn_unused_result)) bool wire_care_setting_by_name(const char *name, Cpis__V1__CareSetting *ret);
__attribute__((warn_unused_result)) bool wire_plan_type_by_name(const char *name, Cpis__V1__PlanType *ret);
__attribute__((warn_unused_result)) bool wire_quarantine_kind_by_name(const char *name, Cpis__V1__QuarantineKind *ret);
__attribute__((warn_unused_result)) bool wire_alert_finding_by_name(const char *name, Cpis__V1__AlertFinding *ret);
// "subject to child protection plan", "looked after child", ...; and the SNOMED CT code.
const char *wire_plan_type_words(Cpis__V1__PlanType type);
const char *wire_plan_type_snomed(Cpis__V1__PlanType type);

#endif
