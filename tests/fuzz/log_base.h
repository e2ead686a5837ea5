// Good audit logs to be changed: made by the broker's own store, signed by a fixed key that is worth nothing.
#ifndef CPIS_TESTS_FUZZ_LOG_BASE_H
#define CPIS_TESTS_FUZZ_LOG_BASE_H

#include "certs/note.h"
#include "tests/fuzz/fuzz.h"

#define LOG_BASE_ORIGIN "cpis.example/audit"
#define LOG_BASE_NOW_MS 1792488600000u

struct log_base {
	char path[96];      // of the database; log_base_restore makes it what it was
	uint64_t records;
	struct merkle_hash root;
	uint8_t *image;
	size_t image_bytes;
};

// In fuzz_directory(). `name` is the file's.
void log_base_make(struct log_base *base, const char *name, uint64_t records);
void log_base_restore(const struct log_base *base);

// The checkpoint that is stored in it.
void log_base_note(const struct log_base *base, char out[NOTE_BYTES_MAX + 1]);

const struct note_verifier *log_base_verifier(void);
// A checkpoint by the log's key.
void log_base_sign(uint64_t size, const struct merkle_hash *root, char out[NOTE_BYTES_MAX + 1]);
// A record of this number, encoded, that is good; `variant` makes it another one. Returns its length.
size_t log_base_record(uint64_t index, uint8_t variant, uint8_t out[512]);

#endif
