// What somebody with write access to a stored audit log does to it: each kind of edit, at a place by chance. The table's triggers
// are dropped before, and put back afterwards, as who wants to stay unseen would.
#ifndef CPIS_TESTS_HARNESS_LOG_EDITS_H
#define CPIS_TESTS_HARNESS_LOG_EDITS_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/note.h"

// Who finds an edit: nobody of them, everybody; who holds a checkpoint of what was changed; or it depends on which hash it was.
enum log_edit_found { FOUND_NOT, FOUND_ALWAYS, FOUND_IF_BELOW, FOUND_BY_CHANCE };

struct log_victim {
	const char *path;                // the copy to edit
	uint64_t records;
	const struct signing_key *key;   // the log's own, for those who have it
	const char (*older)[NOTE_BYTES_MAX + 1]; // real checkpoints from before, of `older_sizes`
	const uint64_t *older_sizes;
	unsigned older_count;
	uint64_t (*below)(uint64_t bound); // chance
};

struct log_edit {
	const char *name;
	// Returns the first record that is not what it was.
	uint64_t (*run)(const struct log_victim *victim);
	enum log_edit_found alone, live; // found by `audit verify` by itself, and by a client that goes on asking
	enum log_edit_found kept;        // by verify with a checkpoint that somebody kept
	bool named;                      // the first bad record is said by whoever finds it by verify
};

extern const struct log_edit log_edits[];
extern const unsigned log_edit_count;

#endif
