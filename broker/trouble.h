// What the operator's log has said lately of things that fail again and again: a full disk fails with each batch and must not be
// filled by saying so. A line is told at once, and the same line again once a minute for as long as it recurs, with how often.
//
// Memory of a fixed size, and no clock: time is a parameter (monotonic). Not thread-safe; broker/log.c holds a lock.
#ifndef CPIS_BROKER_TROUBLE_H
#define CPIS_BROKER_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/limits.h"

#define TROUBLE_SILENT_MS 60000u

struct trouble {
	struct trouble_line {
		uint64_t key;       // of its text
		uint64_t told_ms;   // 0: no line
		uint32_t untold;    // since then
	} lines[TROUBLE_LINES_MAX];
	uint64_t since_ms;          // of the first line told since it was last mended; 0: nothing is wrong
};

// Zeroed: nothing was said. `key` stands for the line's text, `now_ms` is not 0. `passes`: trouble_mended is about it. True: say it, and that it recurred `ret_untold` times
// meanwhile. When there is no room the line that was told longest ago is forgotten.
bool trouble_tell(struct trouble *trouble, uint64_t key, bool passes, uint64_t now_ms, uint32_t *ret_untold);
// It works again. True: say so, after `ret_ms` of trouble. False: nothing was told since the last time. What is wrong by turns is
// therefore told once a minute too.
bool trouble_mended(struct trouble *trouble, uint64_t now_ms, uint64_t *ret_ms);

#endif
