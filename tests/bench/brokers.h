// Several brokers before one PostgreSQL that is two servers: a primary and its synchronous standby, both with fsync, on the file system
// of /tmp. The brokers are a town's own and further ones in its world; any number of them is used at a time, the others run and have
// nothing to do. What cannot be had ends the process with a sentence.
#ifndef CPIS_TESTS_BENCH_BROKERS_H
#define CPIS_TESTS_BENCH_BROKERS_H

#include "tests/bench/queries.h"
#include "tests/harness/postgres.h"
#include "tests/harness/world_brokers.h"

#define BROKERS_MAX 3u

struct brokers {
	struct postgres primary, standby;
	bool is_pair;              // a commit waits for the standby, which follows
	struct town *town;
	struct world_broker *further[BROKERS_MAX - 1];
	struct curve_key_pair keys[BROKERS_MAX];
	const char *names[BROKERS_MAX];
	struct link_curve_target targets[BROKERS_MAX];
	unsigned used;
};

// With a register of so many plans, as a pair, the first broker used.
void brokers_start(struct brokers *brokers, unsigned plans);
void brokers_stop(struct brokers *brokers);

// The first `count` of them from now on: everybody signs in there, nurse n at broker n modulo `count`.
void brokers_use(struct brokers *brokers, unsigned count);
// What queries_load has, of one connection of each nurse to where she has signed in.
struct load_options brokers_load(const struct brokers *brokers, struct queries *queries);

// A lone server: a commit waits for nothing but its own disk, and the standby is held. Or a pair again: when it has caught up.
void brokers_set_pair(struct brokers *brokers, bool is_pair);

// Processor time until now in microseconds: of the brokers that are used, of the primary with all its processes, and of the standby.
struct brokers_cpu {
	double brokers_us, primary_us, standby_us;
};
struct brokers_cpu brokers_cpu(const struct brokers *brokers);
// Where the primary's transactions have got to, and how many batches with a record have been committed since such a place.
double brokers_place(const struct brokers *brokers);
double brokers_batches(const struct brokers *brokers, double since);
// Ends the process unless the standby has a record for each reply that said OK.
void brokers_check(struct brokers *brokers);

#endif
