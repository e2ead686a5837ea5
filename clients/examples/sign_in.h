// What the examples share: where things are, from the environment, and signing in. Not part of libcpis.
//
//	CPIS_ENDPOINT            tcp://host:port
//	CPIS_BROKER_NAME         the name in the broker's certificate
//	CPIS_BROKER_CERTIFICATE  PEM file
//	CPIS_TRUST               the trust bundle's directory
//	CPIS_SYSTEM_CERTIFICATE, CPIS_SYSTEM_KEY   this system
//	CPIS_STAFF_CERTIFICATE, CPIS_STAFF_KEY     the member of staff; the key a file or a pkcs11: URI
//	CPIS_ROLE                a role code of that person, R8001
#ifndef CPIS_EXAMPLES_SIGN_IN_H
#define CPIS_EXAMPLES_SIGN_IN_H

#include <stdio.h>
#include <stdlib.h>

#include <cpis.h>

static inline const char *setting(const char *name)
{
	const char *value = getenv(name);
	if (value == NULL) {
		fprintf(stderr, "%s is not set\n", name);
		exit(2);
	}
	return value;
}

// The client is closed with the process. One that goes on would call cpis_close.
static inline struct cpis_client *connect_as_set(void)
{
	struct cpis_options options = {
		.endpoint = setting("CPIS_ENDPOINT"),
		.broker_name = setting("CPIS_BROKER_NAME"),
		.broker_certificate = setting("CPIS_BROKER_CERTIFICATE"),
		.trust_directory = setting("CPIS_TRUST"),
		.system_certificate = setting("CPIS_SYSTEM_CERTIFICATE"),
		.system_key = setting("CPIS_SYSTEM_KEY"),
		.checkpoint_file = getenv("CPIS_CHECKPOINT"), // may be NULL
	};
	struct cpis_client *client = NULL;
	char detail[CPIS_DETAIL_BYTES];
	enum cpis_status status = cpis_connect(&options, &client, detail);
	if (status != CPIS_OK) {
		fprintf(stderr, "%s: %s\n", cpis_status_text(status), detail);
		exit(1);
	}
	return client;
}

// Two things can go wrong with a call: no proven answer came (the status), or the answer is no (the outcome).
static inline void check(struct cpis_client *client, enum cpis_status status, const Cpis__V1__Reply *reply)
{
	if (status != CPIS_OK)
		fprintf(stderr, "%s: %s\n", cpis_status_text(status), cpis_detail(client));
	else if (reply->outcome != CPIS__V1__OUTCOME__OK)
		fprintf(stderr, "refused: %s (%s)\n", reply->reason, reply->reason_code);
	else
		return;
	cpis_close(client);
	exit(1);
}

static inline struct cpis_client *sign_in(void)
{
	struct cpis_client *client = connect_as_set();
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_session_open(client, setting("CPIS_STAFF_CERTIFICATE"), setting("CPIS_STAFF_KEY"),
						    setting("CPIS_ROLE"), 5000, &reply);
	check(client, status, reply);
	cpis_reply_free(reply);
	return client;
}

#endif
