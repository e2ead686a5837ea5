// Decoding, and what follows from it.
#include "tests/fuzz/codec.h"

#include <string.h>

#include "broker/stored.pb-c.h"
#include "proto/act.h"
#include "proto/answer.h"
#include "proto/audit_record.h"
#include "proto/text.h"

#define VALUES 32

// What is read from the store and from tokens after it was opened, and what stands as bytes within another message.
static const ProtobufCMessageDescriptor *const stored[] = {
	&cpis__v1__session_statement__descriptor,
	&cpis__v1__audit_detail__descriptor,
	&cpis__v1__responder_answer__descriptor,
	&cpis__v1__responder_work__descriptor,
	&cpis__v1__inbox_item__descriptor,
	&cpis__stored__v1__stored_plan__descriptor,
	&cpis__stored__v1__stored_access__descriptor,
	&cpis__stored__v1__stored_settlement__descriptor,
	&cpis__stored__v1__stored_lease__descriptor,
	&cpis__stored__v1__stored_authority__descriptor,
	&cpis__stored__v1__stored_session__descriptor,
	&cpis__stored__v1__stored_quarantine__descriptor,
	&cpis__stored__v1__stored_role__descriptor,
	&cpis__stored__v1__stored_alert__descriptor,
	&cpis__stored__v1__stored_review__descriptor,
	&cpis__stored__v1__stored_case__descriptor,
	&cpis__stored__v1__stored_policy__descriptor,
	&cpis__stored__v1__stored_enrolment__descriptor,
	&cpis__stored__v1__stored_inactive__descriptor,
	&cpis__stored__v1__stored_hold__descriptor,
	&cpis__stored__v1__stored_reply__descriptor,
};

const ProtobufCMessageDescriptor *codec_descriptor(enum codec_kind kind, uint8_t which)
{
	switch (kind) {
	case CODEC_REQUEST:
		return &cpis__v1__request__descriptor;
	case CODEC_REPLY:
		return &cpis__v1__reply__descriptor;
	case CODEC_RECORD:
		return &cpis__v1__audit_record__descriptor;
	default:
		return stored[which % (sizeof stored / sizeof stored[0])];
	}
}

// One message has one encoding: signatures and the digests of retries stand on that.
static void check_canonical(const ProtobufCMessage *message, const uint8_t *data, size_t bytes)
{
	size_t again_bytes = 0;
	const uint8_t *again = wire_pack(fuzz_arena_besides(), message, &again_bytes);
	FUZZ_MUST(again == NULL || (again_bytes == bytes && memcmp(again, data, bytes) == 0));
}

static void check_error(enum wire_status status, const struct wire_error *error)
{
	FUZZ_MUST(error->status == status && wire_status_text(status)[0] != '?');
	FUZZ_MUST(text_is_clean(error->field, strnlen(error->field, sizeof error->field)));
}

static bool check_request(const uint8_t *data, size_t bytes)
{
	Cpis__V1__Request *request = NULL;
	struct wire_error error;
	size_t signed_bytes;
	enum wire_status status = wire_request_decode(fuzz_arena(), data, bytes, &request, &error);
	check_error(status, &error);
	if (status != WIRE_OK)
		return false;
	check_canonical(&request->base, data, bytes);
	FUZZ_MUST(strcmp(wire_operation_name(wire_operation(request)), "?") != 0);
	FUZZ_MUST(act_signed_bytes(fuzz_arena_besides(), request, "test-broker", &signed_bytes) != NULL);
	return true;
}

static bool check_reply(const uint8_t *data, size_t bytes)
{
	Cpis__V1__Reply *reply = NULL;
	struct wire_error error;
	enum wire_status status = wire_reply_decode(fuzz_arena(), data, bytes, &reply, &error);
	check_error(status, &error);
	if (status != WIRE_OK)
		return false;
	check_canonical(&reply->base, data, bytes);
	bool has_body = reply->body_case != CPIS__V1__REPLY__BODY__NOT_SET;
	FUZZ_MUST(has_body == (reply->outcome == CPIS__V1__OUTCOME__OK));
	FUZZ_MUST(reply->receipt != NULL || reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
	return true;
}

// Two readers of the same bytes must not differ: the one is a client's, the other reads millions for an auditor.
static bool check_record(const uint8_t *data, size_t bytes)
{
	Cpis__V1__AuditRecord *record = NULL;
	struct audit_record_keys keys;
	struct wire_error error, keys_error;
	enum wire_status status = audit_record_decode(fuzz_arena(), data, bytes, &record, &error);
	FUZZ_MUST(audit_record_read_keys(data, bytes, &keys, &keys_error) == status);
	check_error(status, &error);
	check_error(status, &keys_error);
	if (status != WIRE_OK)
		return false;
	check_canonical(&record->base, data, bytes);
	FUZZ_MUST(keys.index == record->index && keys.time_ms == record->time_ms);
	FUZZ_MUST(keys.organisation.bytes == strlen(record->organisation) && keys.subject_tag.bytes == record->subject_tag.len &&
		  keys.person_tag.bytes == record->person_tag.len);
	return true;
}

static bool check_stored(uint8_t which, const uint8_t *data, size_t bytes)
{
	const ProtobufCMessageDescriptor *descriptor = codec_descriptor(CODEC_STORED, which);
	struct wire_value values[VALUES];
	struct wire_error error, pick_error;
	ProtobufCMessage *message = NULL;
	size_t signed_bytes;
	enum wire_status status = wire_unpack(fuzz_arena(), descriptor, data, bytes, &message, &error);
	FUZZ_MUST(status == WIRE_NO_MEMORY || wire_pick(descriptor, data, bytes, values, VALUES, &pick_error) == status);
	check_error(status, &error);
	if (status != WIRE_OK)
		return false;
	check_canonical(message, data, bytes);
	if (descriptor == &cpis__v1__responder_work__descriptor)
		FUZZ_MUST(answer_work_bytes(fuzz_arena_besides(), (const Cpis__V1__ResponderWork *)message, &signed_bytes) != NULL);
	return true;
}

bool codec_check(enum codec_kind kind, uint8_t which, const uint8_t *data, size_t bytes)
{
	switch (kind) {
	case CODEC_REQUEST:
		return check_request(data, bytes);
	case CODEC_REPLY:
		return check_reply(data, bytes);
	case CODEC_RECORD:
		return check_record(data, bytes);
	default:
		return check_stored(which, data, bytes);
	}
}
