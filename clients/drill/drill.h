// A rehearsal: a whole service of its own beside the live one (authority, broker, systems, staff, all synthetic, on loopback, in a folder
// that is removed), an incident in it, and how long it took until it was seen, contained and over.
//
// Whatever goes wrong is said once, by drill_fail, and ends the exercise. One thread, but for those of steady.h.
#ifndef CPIS_DRILL_H
#define CPIS_DRILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DRILL_PATH_BYTES 256
#define DRILL_OUTPUT_BYTES 65536
#define DRILL_WAIT_MS 30000u // the longest that anything is waited for
#define DRILL_NOTE_BYTES 320

struct drill {
	char programs[DRILL_PATH_BYTES];  // where `cpis` and `cpis-broker` are
	char policy[DRILL_PATH_BYTES];
	char folder[DRILL_PATH_BYTES];    // everything of the service that is rehearsed with; programs run there
	char endpoint[64];                // once the broker has been started
	const char *authority;            // the folder of the authority that certified the broker
	const char *trust;                // the trust bundle that profiles name
	const char *store;                // the folder of its store
	pid_t broker;                     // 0: none runs
	char output[DRILL_OUTPUT_BYTES];  // of the last program, both streams
	char detail[1024];                // what went wrong; "" at first
};

// Always false, for `return drill_fail(...)`. The first sentence stays.
bool drill_fail(struct drill *drill, const char *format, ...) __attribute__((format(printf, 2, 3)));

uint64_t drill_now_ms(void);     // monotonic
uint64_t drill_clock_ms(void);   // UTC

// What came of an exercise. Times are milliseconds from the incident's beginning; what did not apply is DRILL_NONE, and said in `note`.
#define DRILL_NONE UINT64_MAX
struct drill_times {
	uint64_t detected_ms, contained_ms, recovered_ms;
	uint64_t requests, failed;   // of those who had nothing to do with it
	uint64_t longest_ms;         // that one of them waited for an answer
	char note[DRILL_NOTE_BYTES]; // what was seen, in words
};

struct drill_incident {
	const char *name;            // for --only
	unsigned severity;           // 1 (the service, or trust in it, is at stake) to 4
	const char *title;
	const char *steps;           // how it was detected, contained and ended
	bool needs_root;             // a small file system is mounted
	bool (*run)(struct drill *drill, struct drill_times *times);
};
// Ends with a NULL name.
extern const struct drill_incident drill_incidents[];

#endif
