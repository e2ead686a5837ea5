// What a witness remembers of its own signing, in `<checkpoint_file>.cosigned`. A cosignature says that this is the largest tree that
// the witness has seen (C2SP tlog-cosignature), and its time is now: one of an old checkpoint would make an old log look recent.
#ifndef CPIS_WITNESS_STATE_H
#define CPIS_WITNESS_STATE_H

#include <stdbool.h>
#include <stdint.h>

// Two times as long as a broker sets one checkpoint down for (broker/witnessing.h).
#define WITNESS_STALE_S 7200u

struct witness_state {
	uint64_t signed_size; // the largest that was signed
	uint64_t held_size;   // of the log as it was proven at held_s
	uint64_t held_s;      // UTC
	uint64_t stale_size;  // of the log as it was at least WITNESS_STALE_S ago, and at most about twice that while the timer runs
};

// ENOENT in errno when there is none, EINVAL when the file is not one of ours.
__attribute__((warn_unused_result)) bool witness_state_load(const char *checkpoint_file, struct witness_state *ret);
// Whole, and flushed with its name, before anything is signed. False and errno.
__attribute__((warn_unused_result)) bool witness_state_save(const char *checkpoint_file, const struct witness_state *state);
// Writes down that the log has been proven to have `size` records.
void witness_state_hold(struct witness_state *state, uint64_t size, uint64_t now_s);
// The least size that may be signed.
uint64_t witness_state_floor(const struct witness_state *state);

// A file's name is in its directory after a loss of power.
__attribute__((warn_unused_result)) bool witness_flush_name(const char *path);

#endif
