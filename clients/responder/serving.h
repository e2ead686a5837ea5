// A responder's life: sign in, register, take questions, answer them; sign in again when the session ends, register again when
// the broker has forgotten; come back when the connection or the broker was lost; end on SIGTERM or SIGINT.
#ifndef CPIS_RESPONDER_SERVING_H
#define CPIS_RESPONDER_SERVING_H

#include "clients/cli/profile.h"
#include "clients/libcpis/cpis.h"

#define SERVING_RANGES_MAX 64u

struct serving_range {
	char first[11], last[11];
};

struct serving_job {
	const char *program;         // for messages on standard error
	const struct profile *profile;
	Cpis__V1__ResponderKind kind;
	const struct serving_range *ranges; // with PLANS
	unsigned range_count;
	const char *watched;         // a file whose directory is looked at for changes; NULL: none
	void *context;               // of the functions below
	// Fills `answer`, whose parts live until the next call. False: there is none to give.
	bool (*answer)(void *context, const Cpis__V1__ResponderWork *work, Cpis__V1__ResponderAnswer *answer);
	// The watched file may have changed. NULL: nothing is watched.
	void (*changed)(void *context);
	// Registered, or something changed since: time for calls of its own. NULL: none. A failed call ends the connection, and it is
	// run again on the next.
	enum cpis_status (*turn)(void *context, struct cpis_client *client);
};

// Blocks SIGTERM, SIGINT and SIGCHLD; before any thread is made. False: it cannot.
__attribute__((warn_unused_result)) bool serving_block_signals(void);
// At one broker of the profile (profile_broker); `key_lock` as in cpis_options. Until it is told to stop (EXIT_DONE) or is refused for good (an exit code of clients/cli/commands.h, and a sentence on
// standard error). Says "ready" there, with what it answers, when it has registered.
int serving_run_at(const struct serving_job *job, size_t broker, int key_lock);

// "9995000000-9995999999". False: it is not that.
__attribute__((warn_unused_result)) bool serving_range_parse(const char *text, struct serving_range *ret);

#endif
