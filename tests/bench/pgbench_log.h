// What pgbench logs of each transaction (-l): "client number us script seconds us-of-second", a line each.
#ifndef CPIS_TESTS_BENCH_PGBENCH_LOG_H
#define CPIS_TESTS_BENCH_PGBENCH_LOG_H

#include <stdbool.h>
#include <stdio.h>

#define PGBENCH_LOG_CLIENTS_MAX 8u

struct pgbench_log {
	unsigned transactions;
	double per_s;      // of all clients together, each from its first transaction's end to its last one's
	double p50_us, p99_us;
};

// Each client's first transaction, in which it prepares its statements, is left out. False: a line is not as above, a client is not
// known, or one of `clients` has fewer than two transactions.
bool pgbench_log_read(FILE *file, unsigned clients, struct pgbench_log *ret);

#endif
