// Further brokers of one service beside a world's own: each a process with its own name, certificate, store and endpoint; the
// authorities, the enrolled systems, the register, the policy and the key of the log are the world's.
#ifndef CPIS_TESTS_WORLD_BROKERS_H
#define CPIS_TESTS_WORLD_BROKERS_H

#include "clients/libcpis/cpis.h"
#include "tests/harness/world.h"

struct world_broker;

// Not started yet. `name` is the broker's, and that of its files.
struct world_broker *world_broker_new(struct world *world, const char *name);
// From the next start on its store is this PostgreSQL, a lone server, under the store key of the world's own broker.
void world_broker_use_postgres(struct world_broker *broker, const char *conninfo);
// Kills what runs. Accepts NULL. Before world_free.
void world_broker_free(struct world_broker *broker);
// Starts it and waits until it answers.
void world_broker_start(struct world_broker *broker);
// SIGTERM, and the exit status 0.
void world_broker_stop(struct world_broker *broker);
void world_broker_kill(struct world_broker *broker);
const char *world_broker_endpoint(const struct world_broker *broker);
pid_t world_broker_process(const struct world_broker *broker); // 0: not running
// Lines added to its configuration. Counts from the next start on.
void world_broker_configure(struct world_broker *broker, const char *lines);
// How a client knows it; the texts live as long as it.
struct cpis_broker world_broker_known(const struct world_broker *broker);

// A person's client at this broker: connected and with a session.
struct cpis_client *world_broker_sign_in(struct world_broker *broker, const char *profile);
// Adds these to the `brokers` of a person's profile.
void world_brokers_in_profile(struct world *world, const char *profile, struct world_broker *const *brokers, size_t count);
// A person's profile with these in place of the world's own broker, which share a log.
void world_first_in_profile(struct world *world, const char *profile, const struct cpis_broker *first, const struct cpis_broker *further,
			    size_t count);

#endif
