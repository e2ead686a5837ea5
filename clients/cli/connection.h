// A command's way to the broker: profile, connection, session, calls; and the complaints when one of them fails.
#ifndef CPIS_CLI_CONNECTION_H
#define CPIS_CLI_CONNECTION_H

#include "clients/cli/command_line.h"
#include "clients/cli/profile.h"
#include "clients/libcpis/cpis.h"

struct connection {
	const struct command_line *line;
	struct profile *profile;
	struct cpis_client *client;
	int key_lock;                // cpis_options.key_lock
};

// To the profile's broker, or where it says share_log to whichever of its brokers answers: nothing is said of that.
// Each returns EXIT_DONE, or has said on standard error what is wrong and returns the exit code.
int connection_open(const struct command_line *line, struct connection *ret);
// The same, and a session for the profile's member of staff.
int connection_sign_in(const struct command_line *line, struct connection *ret);
// The same in two steps, for what is done at several brokers: the profile alone, and then the one with this number (profile_broker)
// and no other, or as connection_sign_in does.
int connection_load(const struct command_line *line, struct connection *ret);
int connection_sign_in_at(struct connection *connection, size_t broker);
int connection_sign_in_loaded(struct connection *connection);
// Exchanges checkpoints when that is due: opening and signing in do, what runs for long does it now and then.
int connection_gossip(struct connection *connection);
// A new session in place of the one there is, before that ends.
int connection_renew(struct connection *connection);
void connection_close(struct connection *connection); // harmless on a zeroed one

// For commands that connect in another way: says what failed, and what became of a call, and gives the exit code. A refused
// reply is freed.
int connection_fail(const struct connection *connection, enum cpis_status status, const char *detail);
int connection_judge(const struct connection *connection, enum cpis_status status, const Cpis__V1__Reply *reply,
		     const Cpis__V1__Reply **ret);

// A call whose outcome must be OK. Free the reply with cpis_reply_free.
int connection_call(struct connection *connection, Cpis__V1__Request *request, const Cpis__V1__Reply **ret);
// The same with a deadline of its own, for requests that wait at the broker.
int connection_call_within(struct connection *connection, Cpis__V1__Request *request, uint32_t deadline_ms,
			   const Cpis__V1__Reply **ret);
// The same with the person's signature, for the acts that need one.
int connection_call_signed(struct connection *connection, Cpis__V1__Request *request, const Cpis__V1__Reply **ret);

#endif
