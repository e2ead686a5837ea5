// What the fuzz harnesses share: the input read from its front, bytes as a file where a reader wants a path, memory that is
// there for one input, and a check that stops the fuzzer.
//
// An input that ends early reads as zeros. In every harness zeros choose what is well-formed, so that a short input goes deep and each
// byte more is one deviation.
#ifndef CPIS_TESTS_FUZZ_FUZZ_H
#define CPIS_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/arena.h"

// libFuzzer calls these.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define FUZZ_MUST(condition)                                                                         \
	do {                                                                                         \
		if (!(condition)) {                                                                  \
			fprintf(stderr, "fuzz: does not hold: %s (%s:%d)\n", #condition, __FILE__, __LINE__); \
			abort();                                                                     \
		}                                                                                    \
	} while (0)

struct fuzz_input {
	const uint8_t *at, *end;
};

struct fuzz_input fuzz_input(const uint8_t *data, size_t bytes);
size_t fuzz_left(const struct fuzz_input *input);
uint8_t fuzz_byte(struct fuzz_input *input);
// Little-endian, of so many bytes.
uint64_t fuzz_number(struct fuzz_input *input, unsigned bytes);
// The next bytes, fewer when there are not so many. Never NULL.
const uint8_t *fuzz_take(struct fuzz_input *input, size_t wanted, size_t *ret_bytes);
// Up to `end`, which is taken away too, or to the end of the input.
const uint8_t *fuzz_take_until(struct fuzz_input *input, uint8_t end, size_t *ret_bytes);

// The path of a file with these bytes, closed to others. Good until the fourth call after it.
const char *fuzz_file(const void *data, size_t bytes);
// What stands where a file should: nothing, a directory, a file that is open to others, one of 5 MiB.
const char *fuzz_odd_path(uint8_t which);
// Where directories are made: CPIS_FUZZ_SCRATCH, which tests/fuzz/fuzz.sh removes even after a crash, or in memory where the machine
// has that.
const char *fuzz_scratch(void);
// A directory there, removed at the end.
const char *fuzz_directory(void);
// Makes or empties such a path's file: "<directory>/<name>", with the folders above it.
void fuzz_write(const char *path, const void *data, size_t bytes);
// Removes what is in the directory.
void fuzz_empty(const char *directory);

// Of `ARENA_BYTES` each, empty at every call: this one, and one besides.
struct arena *fuzz_arena(void);
struct arena *fuzz_arena_besides(void);

#endif
