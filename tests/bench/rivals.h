// What the broker is compared with, under the same load: the bare CURVE echo, and the peers that tests/bench/peers.sh has started.
#ifndef CPIS_TESTS_BENCH_RIVALS_H
#define CPIS_TESTS_BENCH_RIVALS_H

#include "tests/bench/report.h"
#include "tests/bench/town.h"

enum rival_kind { RIVAL_ECHO, RIVAL_NATS, RIVAL_POSTGRES, RIVAL_NGINX, RIVALS };

struct rival {
	const char *name;        // in the rows: "curve_echo"
	const char *ratio_key, *words;
	struct load_options load;
	pid_t servers[2];
	unsigned servers_count;
};

struct rivals {
	struct rival of[RIVALS];
	size_t request_bytes, reply_bytes;
	unsigned plans;
	uint64_t made, hits;
	char endpoint[64];
	struct curve_key_pair key;
	struct link_curve_target echo;
	struct link_peer_target peers[RIVALS]; // of RIVAL_ECHO: not used
};

// Asks a few thousand questions of the town, for the mean sizes of query and reply, and starts the echo with them; and, unless
// `directory` is NULL, takes the peers that run there.
void rivals_start(struct rivals *rivals, struct town *town, const char *directory);
void rivals_stop(struct rivals *rivals);

#endif
