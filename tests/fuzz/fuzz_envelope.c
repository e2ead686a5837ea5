// Bytes as they come from a peer or out of the store: a byte says as what they are decoded, one more which of the sealed messages.
#include "tests/fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	enum codec_kind kind = fuzz_byte(&input) % CODEC_KINDS;
	uint8_t which = kind == CODEC_STORED ? fuzz_byte(&input) : 0;
	codec_check(kind, which, input.at, fuzz_left(&input));
	return 0;
}
