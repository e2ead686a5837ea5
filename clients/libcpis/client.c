// Making a client: whom it believes, and who it is.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "certs/key_token.h"
#include "clients/libcpis/client_priv.h"

const char *cpis_status_text(enum cpis_status status)
{
	switch (status) {
#define X(name, sentence)                                                                            \
	case name:                                                                                   \
		return sentence;
		CPIS_STATUS_TABLE(X)
#undef X
	}
	return "an unknown status";
}

enum cpis_status client_fail(struct cpis_client *client, enum cpis_status status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(client->detail, sizeof client->detail, format, arguments);
	va_end(arguments);
	return status;
}

const char *client_key_name(const char *staff_key)
{
	return signing_key_is_token(staff_key) ? "pkcs11" : staff_key;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now = {0};
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t client_now_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t client_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

// ------------------------------------------------------------------ whom it believes, who it is

static enum certs_status load_broker(struct cpis_client *client, const struct cpis_broker *broker,
				     char detail[CERTS_DETAIL_BYTES])
{
	struct client_link *link = &client->links[client->link_count];
	enum certs_status status = trust_verify_broker_file(client->trust, broker->broker_certificate, broker->broker_name,
							    client_now_ms(), &link->broker, detail);
	snprintf(link->endpoint, sizeof link->endpoint, "%s", broker->endpoint);
	client->link_count += status == CERTS_OK;
	return status;
}

// A broker of several whose certificate was revoked or ran out is one that is gone. Any other fault is a mistake of who wrote the list.
static enum cpis_status load_brokers(struct cpis_client *client, const struct cpis_options *options)
{
	char detail[CERTS_DETAIL_BYTES] = "", last[CERTS_DETAIL_BYTES] = "";
	for (size_t i = 0; i <= options->further_count; i++) {
		struct cpis_broker own = {options->endpoint, options->broker_name, options->broker_certificate};
		enum certs_status status = load_broker(client, i == 0 ? &own : &options->further[i - 1], detail);
		if (status == CERTS_OK)
			continue;
		if (last[0] == '\0')
			memcpy(last, detail, sizeof last);
		if (status != CERTS_REVOKED && status != CERTS_EXPIRED)
			return client_fail(client, CPIS_BROKER_CERTIFICATE, "%s", detail);
	}
	return client->link_count > 0 ? CPIS_OK : client_fail(client, CPIS_BROKER_CERTIFICATE, "%s", last);
}

enum cpis_status client_load_log(struct cpis_client *client, const char *trust_directory)
{
	char path[CLIENT_PATH_BYTES];
	if ((size_t)snprintf(path, sizeof path, "%s/log.vkey", trust_directory) >= sizeof path)
		return client_fail(client, CPIS_TRUST, "the path of the trust bundle is too long");
	enum certs_status status = note_verifier_load(path, &client->log);
	return status == CERTS_OK ? CPIS_OK : client_fail(client, CPIS_TRUST, "%.200s: %s", path, certs_status_text(status));
}

enum cpis_status client_load_trust(struct cpis_client *client, const struct cpis_options *options)
{
	char detail[CERTS_DETAIL_BYTES] = "", path[CLIENT_PATH_BYTES];
	if (trust_load(options->trust_directory, &client->trust, detail) != CERTS_OK)
		return client_fail(client, CPIS_TRUST, "%s", detail);
	if ((size_t)snprintf(path, sizeof path, "%s/log.policy", options->trust_directory) >= sizeof path)
		return client_fail(client, CPIS_TRUST, "the path of the trust bundle is too long");
	enum cpis_status loaded = client_load_log(client, options->trust_directory);
	if (loaded != CPIS_OK)
		return loaded;
	enum cpis_status succession = client_load_succession(client, options->trust_directory);
	if (succession != CPIS_OK)
		return succession;
	char why[WITNESS_DETAIL_BYTES];
	snprintf(path, sizeof path, "%s/log.policy", options->trust_directory);
	if (!witness_policy_load(path, &client->witnesses, why))
		return client_fail(client, CPIS_TRUST, "%s", why);
	return load_brokers(client, options);
}

static enum cpis_status load_own_key(struct cpis_client *client, const struct cpis_options *options,
				     struct curve_key_pair *key)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	if (trust_verify_system_file(client->trust, options->system_certificate, client_now_ms(), &client->system,
				     detail) != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%s", detail);
	enum certs_status status = curve_key_load(options->system_key, key);
	if (status != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%.200s: %s", options->system_key,
				   certs_status_text(status));
	if (CRYPTO_memcmp(key->public_key, client->system.curve_public, KEY_BYTES) != 0)
		return client_fail(client, CPIS_CREDENTIALS, "%.200s: %s", options->system_key,
				   certs_status_text(CERTS_KEY_MISMATCH));
	return CPIS_OK;
}

// ------------------------------------------------------------------ connecting

static bool has_all(const struct cpis_options *options)
{
	bool all = options->endpoint != NULL && options->broker_name != NULL && options->broker_certificate != NULL &&
		   options->trust_directory != NULL && options->system_key != NULL;
	for (size_t i = 0; i < options->further_count && i < CPIS_FURTHER_MAX; i++)
		all = all && options->further[i].endpoint != NULL && options->further[i].broker_name != NULL &&
		      options->further[i].broker_certificate != NULL;
	return all;
}

static bool is_too_long(const struct cpis_options *options)
{
	bool too_long = strlen(options->endpoint) >= sizeof ((struct client_link *)0)->endpoint;
	for (size_t i = 0; i < options->further_count; i++)
		too_long = too_long || strlen(options->further[i].endpoint) >= sizeof ((struct client_link *)0)->endpoint;
	return too_long;
}

enum cpis_status client_copy_options(struct cpis_client *client, const struct cpis_options *options)
{
	const char *file = options->checkpoint_file == NULL ? "" : options->checkpoint_file;
	client->key_lock = options->key_lock;
	// 0 would be standard input, which may be at its end.
	client->interrupt = -1;
	if (options->further_count > CPIS_FURTHER_MAX)
		return client_fail(client, CPIS_USAGE, "more than %u further brokers", CPIS_FURTHER_MAX);
	for (size_t i = 0; i < sizeof options->reserved / sizeof options->reserved[0]; i++)
		if (options->reserved[i] != NULL)
			return client_fail(client, CPIS_USAGE, "an option is set that this libcpis does not know");
	if (!has_all(options))
		return client_fail(client, CPIS_USAGE, "an option is missing");
	if ((size_t)snprintf(client->checkpoint_file, sizeof client->checkpoint_file, "%s", file) >=
		    sizeof client->checkpoint_file ||
	    is_too_long(options))
		return client_fail(client, CPIS_USAGE, "an option is too long");
	return CPIS_OK;
}

struct cpis_client *client_new(char detail[CPIS_DETAIL_BYTES])
{
	struct cpis_client *client = calloc(1, sizeof *client);
	if (client == NULL)
		snprintf(detail, CPIS_DETAIL_BYTES, "out of memory");
	return client;
}

enum cpis_status client_hand_over(struct cpis_client *client, enum cpis_status status, struct cpis_client **ret,
				  char detail[CPIS_DETAIL_BYTES])
{
	if (status == CPIS_OK) {
		*ret = client;
		return CPIS_OK;
	}
	memcpy(detail, client->detail, CPIS_DETAIL_BYTES);
	cpis_close(client);
	return status;
}

enum cpis_status cpis_connect(const struct cpis_options *options, struct cpis_client **ret,
			      char detail[CPIS_DETAIL_BYTES])
{
	struct curve_key_pair key = {0};
	struct cpis_client *client = client_new(detail);
	if (client == NULL)
		return CPIS_NO_MEMORY;
	enum cpis_status status = client_copy_options(client, options);
	if (status == CPIS_OK && options->system_certificate == NULL)
		status = client_fail(client, CPIS_USAGE, "an option is missing");
	if (status == CPIS_OK)
		status = client_load_trust(client, options);
	if (status == CPIS_OK)
		status = load_own_key(client, options, &key);
	if (status == CPIS_OK)
		status = client_load_checkpoint(client);
	if (status == CPIS_OK) {
		client_load_exchange(client);
		status = client_open_sockets(client, &key);
	}
	curve_key_wipe(&key);
	return client_hand_over(client, status, ret, detail);
}

void cpis_close(struct cpis_client *client)
{
	if (client == NULL)
		return;
	cpis_call_cancel(client);
	client_watch_close(client);
	client_links_close(client);
	signing_key_free(client->answer_key);
	trust_free(client->trust);
	OPENSSL_cleanse(client, sizeof *client);
	free(client);
}

const char *cpis_detail(const struct cpis_client *client)
{
	return client->detail;
}

const char *cpis_system_organisation(const struct cpis_client *client)
{
	return client->system.organisation;
}

const char *cpis_system_name(const struct cpis_client *client)
{
	return client->system.name;
}

const char *cpis_endpoint(const struct cpis_client *client)
{
	return client_link(client)->endpoint;
}

const char *cpis_checkpoint(const struct cpis_client *client)
{
	return client->newest_note;
}
