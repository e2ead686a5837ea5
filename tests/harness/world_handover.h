// A world whose broker is replaced while it runs, and clients that ask all the while.
#ifndef CPIS_TESTS_WORLD_HANDOVER_H
#define CPIS_TESTS_WORLD_HANDOVER_H

#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

// Starts a broker of `build` (a directory; NULL: the world's own) that takes over from the one that runs, and waits until it serves and
// the old one has ended. From then on it is the world's. The old one's exit status, as of waitpid.
int world_take_over(struct world *world, const char *build);
// The same with one that cannot: runs it to its end and gives its exit code; the world's broker is the one that it was. What it said is
// world_err.
int world_fail_to_take_over(struct world *world);
// Ends the world's broker and starts one of `build` (NULL: the world's own) in its place: what there is without a handover. The old
// one's exit status.
int world_restart_as(struct world *world, const char *build);
// From now on `cpis` and all that the world starts is of this build.
void world_use_build(struct world *world, const char *build);

// Clients of this one broker, each with a thread of its own, that look at a child one time after the other.
struct world_askers;
struct world_asked {
	unsigned answered, failed;
	char first_failure[256];  // "": none
	uint64_t longest_ms;      // between two answers of one client
};
// `count` of them, `details` of whose looks in a hundred open the details. They have been answered once each when it returns.
struct world_askers *world_askers_start(struct world *world, unsigned count, unsigned details);
// Waits until each has been answered `more` times, or one has failed.
void world_askers_wait(struct world_askers *askers, unsigned more);
struct world_asked world_askers_stop(struct world_askers *askers);

#endif
