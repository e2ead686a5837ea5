// Decoding and encoding: the scan, protobuf-c, then the limits of each field.
#include "proto/wire.h"

#include <stdio.h>
#include <string.h>

#include "proto/invariant.h"
#include "proto/wire_check_priv.h"
#include "proto/wire_scan_priv.h"

const char *wire_status_text(enum wire_status status)
{
	switch (status) {
#define X(name, sentence)                                                                            \
	case name:                                                                                   \
		return sentence;
		WIRE_STATUS_TABLE(X)
#undef X
	}
	return "?";
}

static enum wire_status unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
			       size_t bytes_count, bool may_be_newer, ProtobufCMessage **ret, struct wire_error *error)
{
	memset(error, 0, sizeof *error);
	if (bytes_count > MESSAGE_BYTES_MAX)
		return error->status = WIRE_TOO_LARGE;
	error->status = wire_scan(descriptor, bytes, bytes_count, may_be_newer, NULL, 0, error);
	if (error->status != WIRE_OK)
		return error->status;
	ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &arena->allocator, bytes_count, bytes);
	// The scan has accepted the bytes, so memory is the one thing that can have run out.
	if (message == NULL)
		return error->status = WIRE_NO_MEMORY;
	*ret = message;
	return WIRE_OK;
}

enum wire_status wire_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
			     size_t bytes_count, ProtobufCMessage **ret, struct wire_error *error)
{
	return unpack(arena, descriptor, bytes, bytes_count, false, ret, error);
}

enum wire_status wire_unpack_newer(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes,
				   size_t bytes_count, ProtobufCMessage **ret, struct wire_error *error)
{
	return unpack(arena, descriptor, bytes, bytes_count, true, ret, error);
}

static enum wire_status pick(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t bytes_count, bool may_be_newer,
			     struct wire_value *ret_values, size_t values_count, struct wire_error *error)
{
	memset(error, 0, sizeof *error);
	memset(ret_values, 0, values_count * sizeof *ret_values);
	if (bytes_count > MESSAGE_BYTES_MAX)
		return error->status = WIRE_TOO_LARGE;
	return error->status = wire_scan(descriptor, bytes, bytes_count, may_be_newer, ret_values, values_count, error);
}

enum wire_status wire_pick(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t bytes_count,
			   struct wire_value *ret_values, size_t values_count, struct wire_error *error)
{
	return pick(descriptor, bytes, bytes_count, false, ret_values, values_count, error);
}

enum wire_status wire_pick_newer(const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t bytes_count,
				 struct wire_value *ret_values, size_t values_count, struct wire_error *error)
{
	return pick(descriptor, bytes, bytes_count, true, ret_values, values_count, error);
}

const uint8_t *wire_pack(struct arena *arena, const ProtobufCMessage *message, size_t *ret_bytes)
{
	INVARIANT(protobuf_c_message_check(message));
	size_t bytes = protobuf_c_message_get_packed_size(message);
	uint8_t *out = arena_alloc(arena, bytes);
	if (out == NULL)
		return NULL;
	*ret_bytes = protobuf_c_message_pack(message, out);
	return out;
}

static void name_refused(const uint8_t *bytes, size_t bytes_count, struct wire_error *error)
{
	struct wire_peeked peeked;
	wire_peek(bytes, bytes_count, &peeked);
	memcpy(error->request_id, peeked.request_id, REQUEST_ID_BYTES);
	error->has_request_id = peeked.has_request_id;
	error->version_unsupported = peeked.version_unsupported;
}

enum wire_status wire_request_decode(struct arena *arena, const uint8_t *bytes, size_t bytes_count,
				     Cpis__V1__Request **ret, struct wire_error *error)
{
	ProtobufCMessage *message = NULL;
	enum wire_status status = wire_unpack(arena, &cpis__v1__request__descriptor, bytes, bytes_count, &message, error);
	if (status == WIRE_OK)
		status = wire_check_request((const Cpis__V1__Request *)message, error);
	error->status = status;
	if (status == WIRE_OK)
		*ret = (Cpis__V1__Request *)message;
	else if (status != WIRE_TOO_LARGE)
		name_refused(bytes, bytes_count, error);
	return status;
}

enum wire_status wire_reply_decode(struct arena *arena, const uint8_t *bytes, size_t bytes_count,
				   Cpis__V1__Reply **ret, struct wire_error *error)
{
	ProtobufCMessage *message = NULL;
	enum wire_status status = wire_unpack_newer(arena, &cpis__v1__reply__descriptor, bytes, bytes_count, &message, error);
	if (status == WIRE_OK)
		status = wire_check_reply((const Cpis__V1__Reply *)message, error);
	error->status = status;
	if (status == WIRE_OK)
		*ret = (Cpis__V1__Reply *)message;
	return status;
}
