// Where to go on among an authority's versions of plans, as bytes that a client hands back: generation and slot.
#ifndef CPIS_BROKER_PLAN_CURSOR_H
#define CPIS_BROKER_PLAN_CURSOR_H

#include "broker/store.h"
#include "proto/arena.h"
#include "proto/wire.h"

#define PLAN_CURSOR_BYTES (8 + TAG_BYTES)

// Empty: the beginning. False: these bytes are none of ours.
__attribute__((warn_unused_result)) bool plan_cursor_read(const ProtobufCBinaryData *cursor, struct store_plan_place *ret);
// Behind this row; in the arena. False when it is full.
__attribute__((warn_unused_result)) bool plan_cursor_write(struct arena *arena, const struct store_plan *row, ProtobufCBinaryData *ret);

#endif
