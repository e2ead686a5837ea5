// Further processes of a world beside its broker: what they say on standard error is in a file of their own, and they die with
// the thread that started them.
#ifndef CPIS_TESTS_WORLD_PROCESS_H
#define CPIS_TESTS_WORLD_PROCESS_H

#include "tests/harness/world.h"

#define WORLD_ARGUMENTS_MAX 16

struct world_process {
	pid_t pid;               // 0: it does not run
	char log[512];           // path
};

// Starts $BUILD/<program> with these arguments, which end with NULL, and appends what it says to <program>.log.
void world_process_start(struct world *world, struct world_process *process, const char *program, ...)
	__attribute__((sentinel));
// Where its log ends now, and a wait until the log holds `text` after that place.
long world_process_mark(const struct world_process *process);
void world_process_wait(struct world *world, const struct world_process *process, long mark, const char *text);
// Sends the signal and waits for the end; the exit status as of waitpid.
int world_process_end(struct world *world, struct world_process *process, int signal);
// Waits for an end that it comes to by itself.
int world_process_wait_exit(struct world *world, struct world_process *process);

// The world's own two, ready to answer. `csv` is a path.
void world_start_neighbour(struct world *world, struct world_process *process, const char *csv);
void world_start_demographics(struct world *world, struct world_process *process, const char *csv);

#endif
