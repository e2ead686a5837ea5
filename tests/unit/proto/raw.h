// Wire bytes written by hand, right or wrong: for the tests of the codec. And the samples they start from.
#ifndef CPIS_TESTS_UNIT_PROTO_RAW_H
#define CPIS_TESTS_UNIT_PROTO_RAW_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire.h"

struct raw {
	uint8_t bytes[100000];
	size_t count;
};

static inline void raw_append(struct raw *raw, const void *data, size_t bytes)
{
	ck_assert_uint_le(raw->count + bytes, sizeof raw->bytes);
	memcpy(raw->bytes + raw->count, data, bytes);
	raw->count += bytes;
}

static inline void raw_byte(struct raw *raw, unsigned byte)
{
	uint8_t value = (uint8_t)byte;
	raw_append(raw, &value, 1);
}

static inline void raw_varint(struct raw *raw, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		raw_byte(raw, (unsigned)(value & 0x7F) | 0x80u);
	raw_byte(raw, (unsigned)value);
}

static inline void raw_number(struct raw *raw, unsigned field, uint64_t value)
{
	raw_varint(raw, (uint64_t)field << 3);
	raw_varint(raw, value);
}

static inline void raw_bytes(struct raw *raw, unsigned field, const void *data, size_t bytes)
{
	raw_varint(raw, (uint64_t)field << 3 | 2);
	raw_varint(raw, bytes);
	raw_append(raw, data, bytes);
}

static inline void raw_text(struct raw *raw, unsigned field, const char *text)
{
	raw_bytes(raw, field, text, strlen(text));
}

static inline void raw_message(struct raw *raw, unsigned field, const struct raw *inner)
{
	raw_bytes(raw, field, inner->bytes, inner->count);
}

// Fields 1 to 3 of a Request, as they should be.
static inline void raw_envelope(struct raw *raw)
{
	raw->count = 0;
	raw_number(raw, 1, 1);
	raw_bytes(raw, 2, "0123456789abcdef", 16);
	raw_number(raw, 3, 5000);
}

// Decoders get a block of exactly this size, so that AddressSanitizer sees one byte too far.
static inline enum wire_status raw_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
					  const struct raw *raw, struct wire_error *error)
{
	ProtobufCMessage *message = NULL;
	uint8_t *exact = malloc(raw->count + (raw->count == 0));
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, raw->bytes, raw->count);
	arena_reset(arena);
	enum wire_status status = wire_unpack(arena, descriptor, exact, raw->count, &message, error);
	ck_assert_int_eq(status == WIRE_OK, message != NULL);
	ck_assert_int_eq(status, error->status);
	free(exact);
	return status;
}

static inline enum wire_status raw_request(struct arena *arena, const struct raw *raw, struct wire_error *error)
{
	Cpis__V1__Request *request = NULL;
	uint8_t *exact = malloc(raw->count + (raw->count == 0));
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, raw->bytes, raw->count);
	arena_reset(arena);
	enum wire_status status = wire_request_decode(arena, exact, raw->count, &request, error);
	ck_assert_int_eq(status == WIRE_OK, request != NULL);
	ck_assert_int_eq(status, error->status);
	free(exact);
	return status;
}

#endif
