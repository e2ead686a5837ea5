// What a broker of a later version may have to say that no client of this one knows.
#ifndef CPIS_TESTS_INTEROP_NEWER_H
#define CPIS_TESTS_INTEROP_NEWER_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "proto/invariant.h"
#include "proto/limits.h"

#define NEWER_NUMBER_FIRST 1000u // greater than all that any message has

// `count` fields of a later version, one more than may be at most, whose numbers go up from `first`.
static inline void newer_add(ProtobufCMessage *message, uint32_t first, unsigned count)
{
	static uint8_t one[] = {1};
	static ProtobufCMessageUnknownField fields[8][NEWER_FIELDS_MAX + 1]; // of the last messages
	static unsigned next;
	ProtobufCMessageUnknownField *added = fields[next++ % 8];
	INVARIANT(count <= NEWER_FIELDS_MAX + 1);
	for (unsigned i = 0; i < count; i++)
		added[i] = (ProtobufCMessageUnknownField){
			.tag = first + i, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = sizeof one, .data = one};
	message->n_unknown_fields = count;
	message->unknown_fields = added;
}

#endif
