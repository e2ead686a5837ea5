// Messages made from bytes along their descriptor, so that a fuzzer gets behind the encoding: each field reads a byte or more, and
// is what it should be, left out, something odd, or raw. Zeros make a message whose every field is good (tests/fuzz/fuzz.h).
#ifndef CPIS_TESTS_FUZZ_MAKER_H
#define CPIS_TESTS_FUZZ_MAKER_H

#include "proto/wire.h"
#include "tests/fuzz/fuzz.h"

struct maker {
	struct fuzz_input *input;
	struct arena *arena;       // holds the messages
	uint64_t now_ms;           // good times are near it
	bool later;       // what came after the corpora is made too (maker.c)
	bool newest;      // and what came after that
	bool latest;      // and what came last
};

// Lives in the arena, NULL when that is full. Of a oneof the first byte says which member it is.
ProtobufCMessage *maker_message(struct maker *maker, const ProtobufCMessageDescriptor *descriptor);

#endif
