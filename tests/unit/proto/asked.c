// Decoders get a block of exactly the size: raw.h.
#include "tests/unit/proto/asked.h"

#include <string.h>

struct arena arena;
static struct arena packing;
struct wire_error error;
Cpis__V1__Request request;
static uint8_t bytes[70000];

void asked_setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert(arena_init(&packing, ARENA_BYTES));
	memset(bytes, 'x', sizeof bytes);
	cpis__v1__request__init(&request);
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){REQUEST_ID_BYTES, bytes};
	request.deadline_ms = 5000;
}

void asked_teardown(void)
{
	arena_done(&arena);
	arena_done(&packing);
}

void expect(enum wire_status expected, const char *field)
{
	struct raw raw;
	size_t count = 0;
	arena_reset(&packing);
	const uint8_t *packed = wire_pack(&packing, &request.base, &count);
	ck_assert_ptr_nonnull(packed);
	raw.count = 0;
	raw_append(&raw, packed, count);
	enum wire_status status = raw_request(&arena, &raw, &error);
	ck_assert_msg(status == expected, "%s at %s", wire_status_text(status), error.field);
	ck_assert_str_eq(error.field, field);
	if (status != WIRE_OK && request.request_id.len == REQUEST_ID_BYTES) {
		ck_assert(error.has_request_id);
		ck_assert_mem_eq(error.request_id, request.request_id.data, REQUEST_ID_BYTES);
	}
}

void expect_words(char **words, const char *field)
{
	*words = (char *)(uintptr_t)"";
	expect(WIRE_MISSING, field);
	*words = (char *)(uintptr_t)"nine char";
	expect(WIRE_BAD_VALUE, field);
	*words = (char *)(uintptr_t)"ten  chars";
	expect(WIRE_OK, "");
}

ProtobufCBinaryData data_of(size_t count)
{
	return (ProtobufCBinaryData){count, bytes};
}
