// Staff who go on asking during an incident, each about once in 0.6 s: what an incident costs is counted on them.
#ifndef CPIS_DRILL_STEADY_H
#define CPIS_DRILL_STEADY_H

#include "clients/drill/drill.h"

struct steady;

// `count` people, with the profiles "<name>-0" and on. NULL with drill_fail. Returns once each has been answered.
struct steady *steady_start(struct drill *drill, const char *name, unsigned count);
void steady_stop(struct steady *steady); // accepts NULL; they end their questions first

struct steady_count {
	uint64_t asked, failed;      // failed: refused, or without an answer within STEADY_DEADLINE_MS
	uint64_t longest_ms;
};
#define STEADY_DEADLINE_MS 5000u
struct steady_count steady_read(struct steady *steady);

// Waits until each has been answered a question that was put after this time (drill_now_ms). The time at which the last of them was;
// DRILL_NONE with drill_fail when it takes more than DRILL_WAIT_MS.
uint64_t steady_wait_answered(struct drill *drill, struct steady *steady, uint64_t since_ms);
// Waits until one of them is refused or not answered; likewise.
uint64_t steady_wait_failed(struct drill *drill, struct steady *steady, uint64_t since_ms);
// Waits until each has been answered once more, and adds what they asked, and what came of it, to the times.
bool steady_tally(struct drill *drill, struct steady *steady, struct drill_times *times);
// They read their profiles anew, as if their systems had been given other certificates.
void steady_renew(struct steady *steady);

#endif
