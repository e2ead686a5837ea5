// A closed-loop load of request-reply over CURVE: each connection has its own socket and keeps a number of requests
// under way. The same code drives the broker and the bare echo, so that their ratio says what the broker's work costs.
#ifndef CPIS_TESTS_BENCH_LOAD_H
#define CPIS_TESTS_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "certs/key.h"

#define LOAD_CONNECTIONS_MAX 1024u
#define LOAD_MESSAGE_BYTES_MAX 4096u

// Writes the next request into `out` and returns its length.
typedef size_t load_make(void *context, uint8_t out[LOAD_MESSAGE_BYTES_MAX]);
// Looks at a reply; what is wrong aborts the benchmark.
typedef void load_check(void *context, const uint8_t *data, size_t bytes);

struct load_options {
	const char *endpoint;
	const uint8_t *server_key;       // KEY_BYTES
	const struct curve_key_pair *key;
	unsigned connections, window;
	uint32_t duration_ms;
	load_make *make;
	load_check *check;
	void *context;
};

struct load_result {
	double requests_per_s;
	uint64_t p50_us, p99_us, p999_us;
	uint64_t requests;
};

void load_run(const struct load_options *options, struct load_result *ret);

#endif
