// An audit log as it lies in a broker's database file (or a copy of one), checked without the broker: every row
// against its own hashes, the whole against the signed checkpoint, and both against checkpoints that others hold.
#ifndef CPIS_CLI_LOG_FILE_H
#define CPIS_CLI_LOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/note.h"

#define LOG_FILE_DETAIL_BYTES 300

#define LOG_FILE_STATUS_TABLE(X)                                                                     \
	X(LOG_FILE_HOLDS, "the log holds")                                                           \
	X(LOG_FILE_BROKEN, "the log has been changed, cut or replaced")                              \
	X(LOG_FILE_UNREADABLE, "the file cannot be read as an audit log")

enum log_file_status {
#define X(name, sentence) name,
	LOG_FILE_STATUS_TABLE(X)
#undef X
};

// A checkpoint that somebody kept, already verified.
struct log_file_witness {
	const char *path;            // for the complaint
	struct checkpoint checkpoint;
};

struct log_file_result {
	uint64_t records;            // good ones, from 0 on
	struct merkle_hash root;     // of those
	bool has_bad_index;
	uint64_t bad_index;          // the first bad record
	char detail[LOG_FILE_DETAIL_BYTES]; // what is wrong, in words
};

// Called now and then with the number of records done; NULL: not wanted.
typedef void log_file_progress(uint64_t done, uint64_t of);

// Opens read-only, reads in one transaction, stops at the first bad record. Works beside a running broker.
__attribute__((warn_unused_result)) enum log_file_status
log_file_verify(const char *path, const struct note_verifier *verifier, const struct log_file_witness *witnesses,
		unsigned witness_count, log_file_progress *progress, struct log_file_result *ret);

#endif
