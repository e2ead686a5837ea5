// Plans in a world: of one child; and large files of them, written, sent in the background, measured, and what the store then holds.
#ifndef CPIS_TESTS_WORLD_PLANS_H
#define CPIS_TESTS_WORLD_PLANS_H

#include "tests/harness/world.h"

// One child known: the authority's telephones 0113 496 0000 and, in office hours, 0113 496 0100, and a plan begun three months ago,
// published at once. Its file is leeds.csv.
void world_publish_child(struct world *world, const char *nhs_number);

// A CSV file of `count` good plans, one for each number from the first of the test range on, begun on `start_date`.
void world_write_plans(struct world *world, const char *path, unsigned count, const char *start_date);

// Runs `cpis --profile PROFILE ARGUMENTS... NULL` in the background, its output appended to the world's publish.out and .err.
pid_t world_cpis_start(struct world *world, const char *profile, const char *const *arguments);
// Waits for its end. False, and it runs on, when `timeout_ms` is over.
bool world_cpis_wait(struct world *world, pid_t child, int timeout_ms, int *ret_exit_code);

// One publication from end to end.
struct world_measured {
	int exit_code;
	uint64_t ms;
	long client_peak_kb, broker_peak_kb; // resident, since each started
};
struct world_measured world_measure(struct world *world, const char *profile, const char *const *arguments);

// The stopped broker's store: that authority 383 has exactly one version of `count` plans of those numbers, shown and begun
// on `start_date`, and none else but those of a file that is open. Says what is not so and aborts.
void world_assert_held(struct world *world, unsigned count, const char *start_date);

#endif
