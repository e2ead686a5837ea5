// Cursors over versions of plans.
#include "broker/plan_cursor.h"

#include <string.h>

_Static_assert(PLAN_CURSOR_BYTES <= EXTRACT_CURSOR_BYTES_MAX && PLAN_CURSOR_BYTES <= VANISHED_CURSOR_BYTES_MAX, "it fits its fields");

bool plan_cursor_read(const ProtobufCBinaryData *cursor, struct store_plan_place *ret)
{
	*ret = (struct store_plan_place){0};
	if (cursor->len == 0)
		return true;
	if (cursor->len != PLAN_CURSOR_BYTES)
		return false;
	for (size_t i = 0; i < 8; i++)
		ret->generation = ret->generation << 8 | cursor->data[i];
	memcpy(ret->slot.bytes, cursor->data + 8, TAG_BYTES);
	return ret->generation <= INT64_MAX;
}

bool plan_cursor_write(struct arena *arena, const struct store_plan *row, ProtobufCBinaryData *ret)
{
	uint8_t *bytes = arena_alloc(arena, PLAN_CURSOR_BYTES);
	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(row->generation >> (56 - 8 * i));
	memcpy(bytes + 8, row->slot.bytes, TAG_BYTES);
	*ret = (ProtobufCBinaryData){PLAN_CURSOR_BYTES, bytes};
	return true;
}
