// A good text with changes that bytes ask for: lines left out, doubled, exchanged or put in, words in place of others. What a fuzzer
// needs to get behind the first line of a file that has to be right as a whole. Zeros change nothing.
#ifndef CPIS_TESTS_FUZZ_EDIT_H
#define CPIS_TESTS_FUZZ_EDIT_H

#include "tests/fuzz/fuzz.h"

// Reads changes until the input says 0. `words`, NULL at the end, are tried besides the text's own. For the caller to free;
// NUL-terminated besides.
char *edit_text(struct fuzz_input *input, const char *text, size_t bytes, const char *const words[], size_t *ret_bytes);
// The bytes of a file of the repository, read once.
const char *edit_source(const char *path, size_t *ret_bytes);

#endif
