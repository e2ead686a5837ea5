// Messages that are well-formed as an encoding, and then, when there is input left, with some of their bytes changed.
#include <string.h>

#include "tests/fuzz/codec.h"
#include "tests/fuzz/maker.h"

#define NOW_MS 1792488600000u

static struct arena made;

static void change(struct fuzz_input *input, uint8_t *packed, size_t bytes)
{
	while (fuzz_left(input) >= 3) {
		size_t at = (size_t)fuzz_number(input, 2) % bytes;
		packed[at] = (uint8_t)(packed[at] ^ fuzz_byte(input));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	enum codec_kind kind = fuzz_byte(&input) % CODEC_KINDS;
	uint8_t which = kind == CODEC_STORED ? fuzz_byte(&input) : 0;
	size_t packed_bytes = 0;
	if (made.base == NULL)
		FUZZ_MUST(arena_init(&made, 4 * ARENA_BYTES));
	arena_reset(&made);
	struct maker maker = {.input = &input, .arena = &made, .now_ms = NOW_MS};
	ProtobufCMessage *message = maker_message(&maker, codec_descriptor(kind, which));
	uint8_t *packed = message == NULL ? NULL : (uint8_t *)(uintptr_t)wire_pack(&made, message, &packed_bytes);
	if (packed == NULL)
		return 0;
	codec_check(kind, which, packed, packed_bytes);
	if (packed_bytes > 0 && fuzz_left(&input) >= 3) {
		change(&input, packed, packed_bytes);
		codec_check(kind, which, packed, packed_bytes);
	}
	return 0;
}
