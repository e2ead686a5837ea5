// Looking again and again, as whoever is on duty would: until something is seen.
#ifndef CPIS_DRILL_WATCH_H
#define CPIS_DRILL_WATCH_H

#include "clients/drill/asker.h"
#include "clients/drill/drill.h"

// Runs `cpis` with these arguments until its output has `words`. The time then (drill_now_ms); DRILL_NONE with drill_fail.
uint64_t watch_cpis(struct drill *drill, const char *words, const char *const arguments[]);
// Until the broker's log has them after the first `from` bytes.
uint64_t watch_log(struct drill *drill, const char *words, long from);
long watch_log_length(struct drill *drill);
// Asks until the answer is this reason code, or "" for an answer; "no answer" for none, as behind a connection that is not let in.
uint64_t watch_asker(struct drill *drill, struct asker *asker, const char *reason);

#endif
