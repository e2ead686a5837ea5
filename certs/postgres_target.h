// A PostgreSQL connection string of libpq's, checked: its server is of this machine or proves who it is, and nothing is taken from where
// nobody looks for it. Brokers and those who read their log are held to the same. Connects to nothing and blocks nowhere.
#ifndef CPIS_CERTS_POSTGRES_TARGET_H
#define CPIS_CERTS_POSTGRES_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#define POSTGRES_TARGET_HOSTS_MAX 8u

// NULL: it is not said.
struct postgres_host {
	const char *host, *address, *port;
};

#define TARGET_SETTINGS 64
struct postgres_target {
	char *text[4];               // what the rest points into, of the lists of hosts and of `options`
	PQconninfoOption *parsed;
	const char *keywords[TARGET_SETTINGS], *values[TARGET_SETTINGS];
	size_t setting_count;        // without a host: the caller may add one
	struct postgres_host hosts[POSTGRES_TARGET_HOSTS_MAX];
	size_t host_count, next;     // the one that is tried next
};

// What is ours to say, whatever the string says. Texts that outlive the target.
struct postgres_session {
	const char *options;         // added to those of the string; begins with a space
	const char *attributes;      // target_session_attrs
	const char *application;     // where the string names none
};

#define POSTGRES_FAILURE_BYTES 300
// False with a sentence; the target is to be done with all the same.
bool postgres_target_init(struct postgres_target *target, const struct postgres_session *session, const char *conninfo,
			  char failure[POSTGRES_FAILURE_BYTES]);
void postgres_target_done(struct postgres_target *target);
// Adds the host's settings and the end to keywords and values, for the next connection.
void postgres_target_aim(struct postgres_target *target, const struct postgres_host *host);

#endif
