// The load generator: one thread, zmq_poll over all connections.
#include "tests/bench/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zmq.h>

// Log-linear buckets: 32 to an octave, so that a percentile is off by at most 3 %.
#define BUCKETS_PER_OCTAVE 32u
#define OCTAVES 40u

#define CONNECT_WAIT_MS 20000

struct connection {
	void *socket;
	uint64_t sent_us[64]; // of those under way, oldest first: replies come in order
	unsigned first, count;
};

struct load {
	const struct load_options *options;
	void *context;
	struct connection connections[LOAD_CONNECTIONS_MAX];
	zmq_pollitem_t items[LOAD_CONNECTIONS_MAX];
	uint64_t buckets[OCTAVES * BUCKETS_PER_OCTAVE];
	uint64_t done;
};

static void must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, zmq_strerror(errno));
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static unsigned bucket_of(uint64_t us)
{
	if (us < BUCKETS_PER_OCTAVE)
		return (unsigned)us;
	unsigned octave = 63u - (unsigned)__builtin_clzll(us) - 5u; // 2^5 buckets
	return (octave + 1) * BUCKETS_PER_OCTAVE + (unsigned)((us >> octave) & (BUCKETS_PER_OCTAVE - 1));
}

static uint64_t value_of(unsigned bucket)
{
	if (bucket < BUCKETS_PER_OCTAVE)
		return bucket;
	unsigned octave = bucket / BUCKETS_PER_OCTAVE - 1;
	return (uint64_t)(BUCKETS_PER_OCTAVE + bucket % BUCKETS_PER_OCTAVE) << octave;
}

static uint64_t percentile(const struct load *load, double share)
{
	uint64_t wanted = (uint64_t)((double)load->done * share), seen = 0;
	for (unsigned i = 0; i < OCTAVES * BUCKETS_PER_OCTAVE; i++) {
		seen += load->buckets[i];
		if (seen > wanted)
			return value_of(i);
	}
	return 0;
}

static void open_connection(struct load *load, struct connection *connection)
{
	const struct load_options *options = load->options;
	int zero = 0, one = 1;
	void *socket = connection->socket = zmq_socket(load->context, ZMQ_DEALER);
	must(socket != NULL && zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, options->server_key, KEY_BYTES) == 0 &&
		     zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, options->key->public_key, KEY_BYTES) == 0 &&
		     zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, options->key->secret_key, KEY_BYTES) == 0 &&
		     zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero) == 0 &&
		     zmq_setsockopt(socket, ZMQ_IMMEDIATE, &one, sizeof one) == 0 &&
		     zmq_connect(socket, options->endpoint) == 0,
	     "connect");
}

static void send_one(struct load *load, struct connection *connection)
{
	uint8_t message[LOAD_MESSAGE_BYTES_MAX];
	size_t bytes = load->options->make(load->options->context, message);
	connection->sent_us[(connection->first + connection->count++) % 64] = now_us();
	must(zmq_send(connection->socket, message, bytes, 0) == (int)bytes, "send");
}

static void take_replies(struct load *load, struct connection *connection, int go_on)
{
	zmq_msg_t message;
	zmq_msg_init(&message);
	while (zmq_msg_recv(&message, connection->socket, ZMQ_DONTWAIT) >= 0) {
		uint64_t took_us = now_us() - connection->sent_us[connection->first % 64];
		connection->first++;
		connection->count--;
		load->options->check(load->options->context, zmq_msg_data(&message), zmq_msg_size(&message));
		load->buckets[bucket_of(took_us)]++;
		load->done++;
		if (go_on)
			send_one(load, connection);
	}
	zmq_msg_close(&message);
}

static void run(struct load *load, uint64_t end_us)
{
	unsigned under_way;
	do {
		int go_on = now_us() < end_us;
		must(zmq_poll(load->items, (int)load->options->connections, 1000) > 0, "no reply within a second");
		under_way = 0;
		for (unsigned i = 0; i < load->options->connections; i++) {
			if (load->items[i].revents != 0)
				take_replies(load, &load->connections[i], go_on);
			under_way += load->connections[i].count;
		}
	} while (under_way > 0);
}

void load_run(const struct load_options *options, struct load_result *ret)
{
	struct load *load = calloc(1, sizeof *load);
	must(load != NULL && options->connections <= LOAD_CONNECTIONS_MAX && options->window <= 64, "options");
	load->options = options;
	load->context = zmq_ctx_new();
	must(load->context != NULL && zmq_ctx_set(load->context, ZMQ_MAX_SOCKETS, LOAD_CONNECTIONS_MAX + 16) == 0,
	     "context");
	for (unsigned i = 0; i < options->connections; i++) {
		open_connection(load, &load->connections[i]);
		load->items[i] = (zmq_pollitem_t){.socket = load->connections[i].socket, .events = ZMQ_POLLOUT};
	}
	// Handshakes are not what is measured.
	for (unsigned i = 0; i < options->connections; i++) {
		must(zmq_poll(&load->items[i], 1, CONNECT_WAIT_MS) == 1, "the server does not admit us");
		load->items[i].events = ZMQ_POLLIN;
	}
	uint64_t start_us = now_us();
	for (unsigned i = 0; i < options->connections; i++)
		for (unsigned k = 0; k < options->window; k++)
			send_one(load, &load->connections[i]);
	run(load, start_us + (uint64_t)options->duration_ms * 1000);
	uint64_t took_us = now_us() - start_us;
	*ret = (struct load_result){
		.requests_per_s = (double)load->done * 1e6 / (double)took_us,
		.p50_us = percentile(load, 0.5),
		.p99_us = percentile(load, 0.99),
		.p999_us = percentile(load, 0.999),
		.requests = load->done,
	};
	for (unsigned i = 0; i < options->connections; i++)
		zmq_close(load->connections[i].socket);
	zmq_ctx_term(load->context);
	free(load);
}
