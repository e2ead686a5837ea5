// The network edge for tests: parts started one by one, clients, and what the broker's side sees.
#include "tests/harness/edge.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#include "broker/clock.h"

struct edge *edge_new(void)
{
	struct edge *edge = calloc(1, sizeof *edge);
	ck_assert_ptr_nonnull(edge);
	edge->enrolment = enrolment_new();
	return edge;
}

void edge_start_context(struct edge *edge)
{
	edge->context = transport_context_new(edge->detail);
	ck_assert_msg(edge->context != NULL, "%s", edge->detail);
}

void edge_start_handler(struct edge *edge)
{
	const struct zap_limits limits = {.connections_max = 64, .connections_per_system_max = 16};
	ck_assert(zap_start(edge->context, edge->enrolment->admission, &limits, &edge->zap));
}

struct transport_options edge_transport_options(const struct edge *edge, enum zap_class zap_class)
{
	return (struct transport_options){.context = edge->context,
					  .zap_class = zap_class,
					  .endpoint = "tcp://127.0.0.1:*",
					  .broker_key = &edge->enrolment->broker,
					  .attempts = edge->attempts};
}

void edge_open_transport(struct edge *edge)
{
	struct transport_options options = edge_transport_options(edge, ZAP_SYSTEMS);
	bool opened = transport_open(&options, &edge->transport, edge->detail);
	ck_assert_msg(opened, "%s", edge->detail);
}

void edge_free(struct edge *edge)
{
	if (edge == NULL)
		return;
	transport_close(edge->transport);
	zap_stop(edge->zap);
	transport_context_free(edge->context);
	enrolment_free(edge->enrolment);
	free(edge);
}

// ------------------------------------------------------------------ clients

struct raw_curve_options edge_options(const struct edge *edge, const struct curve_key_pair *key)
{
	return (struct raw_curve_options){
		.endpoint = transport_endpoint(edge->transport),
		.server_public = edge->enrolment->broker.public_key,
		.public_key = key->public_key,
		.secret_key = key->secret_key,
	};
}

void edge_add_property(struct raw_curve_options *options, const char *name, const void *value, size_t bytes)
{
	size_t i = 0;
	while (i < RAW_CURVE_PROPERTIES_MAX && options->properties[i].name != NULL)
		i++;
	ck_assert_uint_lt(i, RAW_CURVE_PROPERTIES_MAX);
	options->properties[i] = (struct raw_curve_property){name, value, bytes};
}

struct raw_curve *edge_connect_with(const struct raw_curve_options *options)
{
	struct raw_curve *client;
	enum raw_curve_result result = raw_curve_open(options, EDGE_WAIT_MS, &client);
	ck_assert_msg(result == RAW_CURVE_OK, "handshake: %d %s", (int)result, raw_curve_reason(client));
	return client;
}

struct raw_curve *edge_connect(const struct edge *edge, enum enrolment_system system)
{
	struct raw_curve_options options = edge_options(edge, &edge->enrolment->keys[system]);
	return edge_connect_with(&options);
}

enum raw_curve_result edge_try(const struct raw_curve_options *options, int timeout_ms,
			       char ret_reason[RAW_CURVE_REASON_BYTES])
{
	struct raw_curve *client;
	enum raw_curve_result result = raw_curve_open(options, timeout_ms, &client);
	if (ret_reason != NULL)
		snprintf(ret_reason, RAW_CURVE_REASON_BYTES, "%s", raw_curve_reason(client));
	raw_curve_close(client);
	return result;
}

void edge_assert_refused(const struct raw_curve_options *options, const char *reason)
{
	char got[RAW_CURVE_REASON_BYTES];
	ck_assert_int_eq(edge_try(options, EDGE_WAIT_MS, got), RAW_CURVE_REFUSED);
	ck_assert_str_eq(got, reason);
}

void edge_say(struct raw_curve *client, const char *text)
{
	ck_assert_int_eq(raw_curve_send(client, text, strlen(text), false, EDGE_WAIT_MS), RAW_CURVE_OK);
}

void edge_assert_hears(struct raw_curve *client, const char *text)
{
	char got[256];
	size_t bytes = 0;
	ck_assert_int_eq(raw_curve_receive(client, got, sizeof got, &bytes, EDGE_WAIT_MS), RAW_CURVE_OK);
	ck_assert_uint_eq(bytes, strlen(text));
	ck_assert_mem_eq(got, text, bytes);
}

// ------------------------------------------------------------------ the broker's side

bool edge_receive(struct edge *edge, struct transport_message *ret, int timeout_ms)
{
	uint64_t until_ms = clock_monotonic_ms() + (uint64_t)timeout_ms;
	while (!transport_receive(edge->transport, ret)) {
		uint64_t now_ms = clock_monotonic_ms();
		if (now_ms >= until_ms)
			return false;
		transport_wait(&edge->transport, 1, -1, 0, (int)(until_ms - now_ms));
	}
	return true;
}

struct transport_peer edge_expect(struct edge *edge, const char *text)
{
	struct transport_message message;
	ck_assert_msg(edge_receive(edge, &message, EDGE_WAIT_MS), "nothing came; expected %s", text);
	ck_assert_uint_eq(message.bytes, strlen(text));
	ck_assert_mem_eq(message.data, text, message.bytes);
	struct transport_peer peer = message.peer;
	transport_message_done(&message);
	return peer;
}

void edge_expect_silence(struct edge *edge, int timeout_ms)
{
	struct transport_message message;
	ck_assert_msg(!edge_receive(edge, &message, timeout_ms), "a message was delivered");
}

bool edge_reply(struct edge *edge, const struct transport_peer *peer, const char *text)
{
	return transport_send(edge->transport, peer, (const uint8_t *)text, strlen(text));
}

void edge_assert_named(struct edge *edge, const struct transport_peer *peer, enum enrolment_system system)
{
	uint8_t key[KEY_BYTES];
	ck_assert_msg(zap_lookup(edge->zap, ZAP_SYSTEMS, peer->handle, key), "'%s' is not a handle", peer->handle);
	ck_assert_mem_eq(key, edge->enrolment->keys[system].public_key, KEY_BYTES);
}

void edge_assert_works_for(struct edge *edge, enum enrolment_system system)
{
	struct raw_curve *client = edge_connect(edge, system);
	edge_say(client, "are you there?");
	struct transport_peer peer = edge_expect(edge, "are you there?");
	ck_assert(edge_reply(edge, &peer, "yes"));
	edge_assert_hears(client, "yes");
	raw_curve_close(client);
}

// ------------------------------------------------------------------ a ZAP handler that is not ours

static void answer_otherwise(struct edge_other_handler *handler, const char *status)
{
	char route[64], rest[256];
	int more = 1, route_bytes = zmq_recv(handler->socket, route, sizeof route, 0);
	size_t size = sizeof more;
	if (route_bytes < 0)
		abort();
	while (more) {
		zmq_recv(handler->socket, rest, sizeof rest, 0);
		zmq_getsockopt(handler->socket, ZMQ_RCVMORE, &more, &size);
	}
	const char *user_id = strcmp(status, "200") == 0 ? handler->user_id : "";
	const char *frames[] = {"", "1.0", "1", status, "", user_id, ""};
	zmq_send(handler->socket, route, (size_t)route_bytes, ZMQ_SNDMORE);
	for (size_t i = 0; i < 7; i++)
		zmq_send(handler->socket, frames[i], strlen(frames[i]), i < 6 ? ZMQ_SNDMORE : 0);
}

static void *run_otherwise(void *argument)
{
	struct edge_other_handler *handler = argument;
	const char *status = handler->first;
	for (;;) {
		zmq_pollitem_t items[] = {
			{.socket = handler->socket, .events = ZMQ_POLLIN},
			{.fd = handler->stop_fd, .events = ZMQ_POLLIN},
		};
		zmq_poll(items, 2, -1);
		if (items[1].revents != 0)
			break;
		if (items[0].revents != 0) {
			answer_otherwise(handler, status);
			status = handler->then;
		}
	}
	zmq_close(handler->socket);
	return NULL;
}

void edge_start_other_handler(struct edge *edge, struct edge_other_handler *handler, const char *first,
			      const char *then, const char *user_id)
{
	*handler = (struct edge_other_handler){.first = first, .then = then, .user_id = user_id};
	handler->stop_fd = eventfd(0, EFD_CLOEXEC);
	handler->socket = zmq_socket(edge->context, ZMQ_ROUTER);
	ck_assert_int_eq(zmq_bind(handler->socket, "inproc://zeromq.zap.01"), 0);
	ck_assert_int_eq(pthread_create(&handler->thread, NULL, run_otherwise, handler), 0);
}

void edge_stop_other_handler(struct edge_other_handler *handler)
{
	ck_assert_int_eq(eventfd_write(handler->stop_fd, 1), 0);
	ck_assert_int_eq(pthread_join(handler->thread, NULL), 0);
	close(handler->stop_fd);
}
