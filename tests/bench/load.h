// The load generator: one thread, epoll over all connections; the same code drives the broker, the bare echo and the peers.
//
// Closed loop: each connection keeps `window` requests under way. Open loop: requests are due at a constant rate, whatever became
// of those before, and each is timed from when it was due: a server that stalls is charged for all that it kept waiting
// (no "coordinated omission").
#ifndef CPIS_TESTS_BENCH_LOAD_H
#define CPIS_TESTS_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "tests/bench/link.h"

#define LOAD_REQUEST_BYTES_MAX 4096u
#define LOAD_WAIT_MS 20000 // for anything to happen at all

// Writes the next request of a connection into `out` and returns its length. 0: it has none any more (closed loop only).
typedef size_t load_make(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX]);
// Looks at a reply; what is wrong ends the benchmark.
typedef void load_check(void *context, unsigned connection, const uint8_t *reply, size_t bytes);

struct histogram;

struct load_options {
	const struct link_ops *ops;
	const void *target;
	unsigned connections;
	load_make *make;
	load_check *check;
	void *context;
};

struct load_run {
	unsigned window;         // closed loop; 0: open loop at `per_s`
	double per_s;
	uint32_t duration_ms;    // no request is made later; those under way are waited for
	uint64_t requests_max;   // nor when so many were made; 0: without a limit
	unsigned under_way_max;  // open loop: a connection with so many unanswered skips its turn, as a system does that gives up; 0: never
	struct histogram *into;  // is added what each request took, as over several runs; NULL: nothing
};

struct load_result {
	uint64_t requests, skipped;
	double seconds, rps;
	double p50_us, p99_us, p999_us, max_us;
	double client_cpu_us;    // of this process, a request
	double request_bytes, reply_bytes; // means, within whatever protects them
};

struct load;

// Opens all connections at once and waits until each is ready.
struct load *load_open(const struct load_options *options);
void load_run(struct load *load, const struct load_run *run, struct load_result *ret);
// The same, calling `step` every `step_ms` or a little later, for what happens beside the load.
void load_run_beside(struct load *load, const struct load_run *run, uint32_t step_ms, void (*step)(void *context),
		     void *step_context, struct load_result *ret);
void load_close(struct load *load);

uint64_t load_now_ns(void);

#endif
