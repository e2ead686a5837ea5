// What must hold of any bytes that claim to be a message: checked by the harnesses of bytes and of made messages alike.
#ifndef CPIS_TESTS_FUZZ_CODEC_H
#define CPIS_TESTS_FUZZ_CODEC_H

#include "tests/fuzz/fuzz.h"

enum codec_kind { CODEC_REQUEST, CODEC_REPLY, CODEC_RECORD, CODEC_STORED, CODEC_KINDS };

// Decodes as the broker, the client, an auditor or the store would. `which` says what of those that are sealed. Returns whether
// it is well-formed.
bool codec_check(enum codec_kind kind, uint8_t which, const uint8_t *data, size_t bytes);

// The descriptor that is meant.
const ProtobufCMessageDescriptor *codec_descriptor(enum codec_kind kind, uint8_t which);

#endif
