// Connecting: whom the client believes, who it is, and the socket.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <zmq.h>

#include "certs/key_token.h"
#include "clients/libcpis/client_priv.h"

#define MONITOR_ENDPOINT "inproc://cpis-client-monitor"

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

enum cpis_status client_load_trust(struct cpis_client *client, const struct cpis_options *options)
{
	char detail[CERTS_DETAIL_BYTES] = "", path[CLIENT_PATH_BYTES];
	if (trust_load(options->trust_directory, &client->trust, detail) != CERTS_OK)
		return client_fail(client, CPIS_TRUST, "%s", detail);
	if ((size_t)snprintf(path, sizeof path, "%s/log.policy", options->trust_directory) >= sizeof path)
		return client_fail(client, CPIS_TRUST, "the path of the trust bundle is too long");
	snprintf(path, sizeof path, "%s/log.vkey", options->trust_directory);
	enum certs_status status = note_verifier_load(path, &client->log);
	if (status != CERTS_OK)
		return client_fail(client, CPIS_TRUST, "%.200s: %s", path, certs_status_text(status));
	enum cpis_status succession = client_load_succession(client, options->trust_directory);
	if (succession != CPIS_OK)
		return succession;
	char why[WITNESS_DETAIL_BYTES];
	snprintf(path, sizeof path, "%s/log.policy", options->trust_directory);
	if (!witness_policy_load(path, &client->witnesses, why))
		return client_fail(client, CPIS_TRUST, "%s", why);
	if (trust_verify_broker_file(client->trust, options->broker_certificate, options->broker_name, client_now_ms(),
				     &client->broker, detail) != CERTS_OK)
		return client_fail(client, CPIS_BROKER_CERTIFICATE, "%s", detail);
	return CPIS_OK;
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

// ------------------------------------------------------------------ the socket

static bool set_number(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool configure(struct cpis_client *client, const struct curve_key_pair *key)
{
	void *socket = client->socket;
	int64_t frame_bytes_max = FRAME_BYTES_MAX;
	return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, client->broker.curve_public, KEY_BYTES) == 0 &&
	       zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key->public_key, KEY_BYTES) == 0 &&
	       zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->secret_key, KEY_BYTES) == 0 &&
	       zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max, sizeof frame_bytes_max) == 0 &&
	       // Nothing is queued for a broker that is not there: the deadline is the caller's to spend.
	       set_number(socket, ZMQ_IMMEDIATE, 1) && set_number(socket, ZMQ_LINGER, 0) &&
	       set_number(socket, ZMQ_RECONNECT_IVL, 100) && set_number(socket, ZMQ_RECONNECT_IVL_MAX, 2000) &&
	       set_number(socket, ZMQ_CONNECT_TIMEOUT, 5000) && set_number(socket, ZMQ_HANDSHAKE_IVL, 5000) &&
	       set_number(socket, ZMQ_HEARTBEAT_IVL, 5000) && set_number(socket, ZMQ_HEARTBEAT_TIMEOUT, 15000) &&
	       set_number(socket, ZMQ_HEARTBEAT_TTL, 20000) && set_number(socket, ZMQ_IPV6, 1);
}

enum cpis_status client_open_socket(struct cpis_client *client, const struct curve_key_pair *key)
{
	client->context = zmq_ctx_new();
	client->socket = client->context == NULL ? NULL : zmq_socket(client->context, ZMQ_DEALER);
	client->monitor = client->socket == NULL ? NULL : zmq_socket(client->context, ZMQ_PAIR);
	if (client->monitor == NULL || !configure(client, key) || !set_number(client->monitor, ZMQ_LINGER, 0) ||
	    zmq_socket_monitor(client->socket, MONITOR_ENDPOINT,
			       ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
				       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
				       ZMQ_EVENT_DISCONNECTED) != 0 ||
	    zmq_connect(client->monitor, MONITOR_ENDPOINT) != 0)
		return client_fail(client, CPIS_USAGE, "the socket cannot be made: %s", zmq_strerror(errno));
	if (zmq_connect(client->socket, client->endpoint) != 0)
		return client_fail(client, CPIS_USAGE, "%s: %s", client->endpoint, zmq_strerror(errno));
	return CPIS_OK;
}

enum cpis_status client_copy_options(struct cpis_client *client, const struct cpis_options *options)
{
	if (options->endpoint == NULL || options->broker_name == NULL || options->broker_certificate == NULL ||
	    options->trust_directory == NULL || options->system_key == NULL)
		return client_fail(client, CPIS_USAGE, "an option is missing");
	const char *file = options->checkpoint_file == NULL ? "" : options->checkpoint_file;
	client->key_lock = options->key_lock;
	// 0 would be standard input, which may be at its end.
	client->interrupt = -1;
	if ((size_t)snprintf(client->endpoint, sizeof client->endpoint, "%s", options->endpoint) >=
		    sizeof client->endpoint ||
	    (size_t)snprintf(client->checkpoint_file, sizeof client->checkpoint_file, "%s", file) >=
		    sizeof client->checkpoint_file)
		return client_fail(client, CPIS_USAGE, "an option is too long");
	return CPIS_OK;
}

enum cpis_status cpis_connect(const struct cpis_options *options, struct cpis_client **ret,
			      char detail[CPIS_DETAIL_BYTES])
{
	struct curve_key_pair key = {0};
	struct cpis_client *client = calloc(1, sizeof *client);
	if (client == NULL) {
		snprintf(detail, CPIS_DETAIL_BYTES, "out of memory");
		return CPIS_NO_MEMORY;
	}
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
		status = client_open_socket(client, &key);
	}
	curve_key_wipe(&key);
	if (status != CPIS_OK) {
		memcpy(detail, client->detail, CPIS_DETAIL_BYTES);
		cpis_close(client);
		return status;
	}
	*ret = client;
	return CPIS_OK;
}

void cpis_close(struct cpis_client *client)
{
	if (client == NULL)
		return;
	if (client->socket != NULL) {
		zmq_socket_monitor(client->socket, NULL, 0);
		zmq_close(client->socket);
	}
	if (client->monitor != NULL)
		zmq_close(client->monitor);
	if (client->context != NULL)
		while (zmq_ctx_term(client->context) != 0 && errno == EINTR)
			;
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

const char *cpis_checkpoint(const struct cpis_client *client)
{
	return client->newest_note;
}
