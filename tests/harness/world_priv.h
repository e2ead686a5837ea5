// What the parts of the world share.
#ifndef CPIS_TESTS_WORLD_PRIV_H
#define CPIS_TESTS_WORLD_PRIV_H

#include "tests/harness/world.h"

#define WORLD_PATHS 32
#define WORLD_PATH_BYTES 512

struct world {
	char *directory;
	char *build;                     // absolute
	char root[256];                  // the repository
	char endpoint[64];
	pid_t broker;                    // 0: not running
	unsigned dropped;                // bit n: world_people[n] has no role profile
	const char *inbox_ods, *inbox;   // of one organisation in the register; NULL: none
	bool asks_demographics;          // the register names a demographics service
	bool not_sandboxed;              // the configuration says so
	unsigned next_path;
	char paths[WORLD_PATHS][WORLD_PATH_BYTES];
	char *out, *err, *log;
};

// Makes the certificates, the register, the configuration and the profiles.
void world_furnish(struct world *world);
void world_write_register(struct world *world);
// Starts a command, its output going to these files (appended). NULL: to nowhere.
pid_t world_launch(struct world *world, const char *const *arguments, const char *out_path, const char *err_path);
// Waits for the end. False, and the child runs on, when `timeout_ms` is over.
bool world_reap(struct world *world, pid_t child, int timeout_ms, int *ret_status);

#endif
