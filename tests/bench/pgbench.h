// The floor of a broker before PostgreSQL: pgbench with the statements that a batch of the query mix needs at least, on tables of the
// same form (pgbench.sql) in the same server. What cannot be had ends the process with a sentence.
#ifndef CPIS_TESTS_BENCH_PGBENCH_H
#define CPIS_TESTS_BENCH_PGBENCH_H

#include "tests/bench/pgbench_log.h"
#include "tests/harness/postgres.h"
#include "tests/harness/world.h"

// When it waits for what it has sent.
enum pgbench_waits {
	PGBENCH_EACH,   // after each statement, as pgbench does by itself
	PGBENCH_READS,  // after each read, of all that was sent until then (libpq's pipeline): as who decides by what was read
	PGBENCH_COMMIT, // after the batch
};

struct pgbench {
	const struct postgres *postgres;
	struct world *world; // its directory has scripts and logs
	unsigned runs;
};

// Makes the database "floor", and in it the tables.
void pgbench_start(struct pgbench *pgbench, const struct postgres *postgres, struct world *world);
// `clients` connections for whole seconds, each carrying out batches of `batch` queries: of 20, one of a child with a plan.
void pgbench_run(struct pgbench *pgbench, unsigned clients, unsigned batch, enum pgbench_waits waits, unsigned seconds,
		 struct pgbench_log *ret);

#endif
