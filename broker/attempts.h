// Who tried to come in and did not get past the handshake, and whose requests were turned away because there were too many: counted
// by reason, so that the audit log can say so in a bounded
// number of records however many tries there are. The first of its kind is due at once, what follows once a minute
// with its count. What is taken and could not be recorded is given back: nothing is lost from the count but by the end of
// the process.
//
// Any thread. Nothing here blocks for longer than another caller takes to count.
#ifndef CPIS_BROKER_ATTEMPTS_H
#define CPIS_BROKER_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/reason.h"
#include "proto/limits.h"

#define ATTEMPTS_INTERVAL_MS 60000u  // between two records of one reason
#define ATTEMPTS_RETRY_MS 5000u      // after one that could not be written
#define ATTEMPT_EXAMPLE_BYTES 96

struct attempts;

// What one record says.
struct attempt {
	enum reason reason;
	uint64_t count;                     // since the record before of this reason
	uint64_t first_ms;                  // UTC, of the first of them
	char examples[TEXT_BYTES_MAX];      // of them, different ones, in words; " ..." when there were more
};

// NULL when there is no memory.
struct attempts *attempts_new(void);
void attempts_free(struct attempts *attempts); // accepts NULL

// One more. `example` says who or where, in less than ATTEMPT_EXAMPLE_BYTES; more is cut off. `now_ms` is UTC.
void attempts_note(struct attempts *attempts, enum reason reason, const char *example, uint64_t now_ms);

// As many more as another process has counted (front.h).
void attempts_add(struct attempts *attempts, const struct attempt *more);

// How many there have been, recorded or not.
uint64_t attempts_total(struct attempts *attempts, enum reason reason);

// Takes what is due, or with `all` whatever there is, at most `max` of them. They count as recorded from now on.
size_t attempts_take(struct attempts *attempts, uint64_t monotonic_ms, bool all, size_t max, struct attempt *ret);
// They were not recorded after all.
void attempts_give_back(struct attempts *attempts, const struct attempt *taken, size_t count, uint64_t monotonic_ms);

#endif
