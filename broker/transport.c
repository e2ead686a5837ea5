// The network edge: the ROUTER socket, its options, and the proof at start that it admits whom it should.
#include "broker/transport.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "broker/clock.h"
#include "broker/random.h"
#include "proto/invariant.h"
#include "proto/limits.h"

// Debian's zmq.h hides this one behind its draft switch, the library has it. Without it libzmq admits
// everybody when no ZAP handler answers.
#define OPTION_ZAP_ENFORCE_DOMAIN 93
_Static_assert(ZMQ_VERSION >= ZMQ_MAKE_VERSION(4, 3, 3), "earlier versions have holes before the handshake");
_Static_assert(sizeof(zmq_msg_t) <= sizeof((struct transport_message *)0)->opaque, "a zmq_msg_t fits");

#define USER_ID "User-Id"
#define IO_THREADS 2
#define FRAMES_PER_CALL_MAX 1024u
#define SELF_TEST_MS 2000u
#define SELF_TEST_TEXT "self-test"

struct transport {
	void *socket;
	bool dropping; // in the middle of a message of too many frames
	char endpoint[TRANSPORT_ENDPOINT_BYTES];
	struct transport_counters counters;
};

struct option {
	int name;
	int value;
	const char *word;
};

// README.md says what each is for.
static const struct option options[] = {
	{OPTION_ZAP_ENFORCE_DOMAIN, 1, "ZAP_ENFORCE_DOMAIN"},
	{ZMQ_CURVE_SERVER, 1, "CURVE_SERVER"},
	{ZMQ_HANDSHAKE_IVL, 5000, "HANDSHAKE_IVL"},
	{ZMQ_RCVHWM, 64, "RCVHWM"},
	{ZMQ_SNDHWM, 256, "SNDHWM"},
	{ZMQ_ROUTER_MANDATORY, 1, "ROUTER_MANDATORY"},
	{ZMQ_ROUTER_HANDOVER, 0, "ROUTER_HANDOVER"},
	{ZMQ_HEARTBEAT_IVL, 5000, "HEARTBEAT_IVL"},
	{ZMQ_HEARTBEAT_TIMEOUT, 15000, "HEARTBEAT_TIMEOUT"},
	{ZMQ_HEARTBEAT_TTL, 20000, "HEARTBEAT_TTL"},
	{ZMQ_TCP_MAXRT, 20000, "TCP_MAXRT"},
	{ZMQ_TCP_KEEPALIVE, 1, "TCP_KEEPALIVE"},
	{ZMQ_BACKLOG, 1024, "BACKLOG"},
	{ZMQ_LINGER, 2000, "LINGER"},
	{ZMQ_IPV6, 1, "IPV6"},
};

// ------------------------------------------------------------------ start

// libzmq numbers its peers from rand(), which nobody seeds: a client could claim the number that is next.
static void seed_routing_ids(void)
{
	unsigned seed;
	random_bytes(&seed, sizeof seed);
	srand(seed);
}

void *transport_context_new(char detail[TRANSPORT_DETAIL_BYTES])
{
	if (zmq_has("curve") != 1) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "this libzmq was built without CURVE");
		return NULL;
	}
	seed_routing_ids();
	void *context = zmq_ctx_new();
	if (context == NULL || zmq_ctx_set(context, ZMQ_IO_THREADS, IO_THREADS) != 0) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "no ZeroMQ context: %s", zmq_strerror(errno));
		transport_context_free(context);
		return NULL;
	}
	return context;
}

void transport_context_free(void *context)
{
	if (context == NULL)
		return;
	while (zmq_ctx_term(context) != 0)
		INVARIANT(errno == EINTR);
}

static bool set_option(void *socket, int name, const void *value, size_t bytes, const char *word,
		       char detail[TRANSPORT_DETAIL_BYTES])
{
	if (zmq_setsockopt(socket, name, value, bytes) == 0)
		return true;
	snprintf(detail, TRANSPORT_DETAIL_BYTES, "libzmq refuses the option %s: %s", word,
		 zmq_strerror(errno));
	return false;
}

static bool set_options(void *socket, const struct curve_key_pair *broker_key,
			char detail[TRANSPORT_DETAIL_BYTES])
{
	const int64_t frame_bytes_max = FRAME_BYTES_MAX;
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		if (!set_option(socket, options[i].name, &options[i].value, sizeof options[i].value,
				options[i].word, detail))
			return false;
	}
	return set_option(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max, sizeof frame_bytes_max, "MAXMSGSIZE",
			  detail) &&
	       set_option(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN), "ZAP_DOMAIN", detail) &&
	       set_option(socket, ZMQ_CURVE_SECRETKEY, broker_key->secret_key, KEY_BYTES, "CURVE_SECRETKEY",
			  detail);
}

// With IPV6 on, libzmq names an IPv4 address [::ffff:127.0.0.1]; people and configurations say 127.0.0.1.
static bool read_endpoint(struct transport *transport)
{
	static const char mapped[] = "tcp://[::ffff:";
	char name[TRANSPORT_ENDPOINT_BYTES];
	size_t bytes = sizeof name;
	if (zmq_getsockopt(transport->socket, ZMQ_LAST_ENDPOINT, name, &bytes) != 0)
		return false;
	const char *address = name + sizeof mapped - 1, *end = strchr(name, ']');
	if (strncmp(name, mapped, sizeof mapped - 1) == 0 && end != NULL &&
	    memchr(address, '.', (size_t)(end - address)))
		snprintf(transport->endpoint, sizeof transport->endpoint, "tcp://%.*s%s",
			 (int)(end - address), address, end + 1);
	else
		memcpy(transport->endpoint, name, sizeof name);
	return true;
}

bool transport_open(void *context, const char *endpoint, const struct curve_key_pair *broker_key,
		    struct transport **ret, char detail[TRANSPORT_DETAIL_BYTES])
{
	struct transport *transport = calloc(1, sizeof *transport);
	if (transport == NULL) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "out of memory");
		return false;
	}
	transport->socket = zmq_socket(context, ZMQ_ROUTER);
	bool good = transport->socket != NULL;
	if (!good)
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "no ZeroMQ socket: %s", zmq_strerror(errno));
	good = good && set_options(transport->socket, broker_key, detail);
	if (good && (zmq_bind(transport->socket, endpoint) != 0 || !read_endpoint(transport))) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "%.100s cannot be bound: %s", endpoint,
			 zmq_strerror(errno));
		good = false;
	}
	if (!good) {
		transport_close(transport);
		return false;
	}
	*ret = transport;
	return true;
}

void transport_close(struct transport *transport)
{
	if (transport == NULL)
		return;
	if (transport->socket != NULL)
		zmq_close(transport->socket);
	free(transport);
}

const char *transport_endpoint(const struct transport *transport)
{
	return transport->endpoint;
}

// ------------------------------------------------------------------ messages

void transport_wait(struct transport *transport, int wake_fd, int timeout_ms)
{
	zmq_pollitem_t items[] = {
		{.socket = transport->socket, .events = ZMQ_POLLIN},
		{.fd = wake_fd, .events = ZMQ_POLLIN},
	};
	// An interruption is as good a reason to look as any other.
	(void)zmq_poll(items, wake_fd < 0 ? 1 : 2, timeout_ms);
}

// The next frame, without waiting.
static bool receive_frame(struct transport *transport, zmq_msg_t *frame)
{
	while (zmq_msg_recv(frame, transport->socket, ZMQ_DONTWAIT) < 0) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

// Reads off what is left of a message of too many frames. False when the rest has to wait for another call:
// one peer's endless message must not keep the others from being heard.
static bool finish_dropping(struct transport *transport, unsigned *frames_left)
{
	while (transport->dropping) {
		zmq_msg_t frame;
		zmq_msg_init(&frame);
		bool received = *frames_left > 0 && receive_frame(transport, &frame);
		if (received) {
			(*frames_left)--;
			transport->dropping = zmq_msg_more(&frame);
		}
		zmq_msg_close(&frame);
		if (!received)
			return false;
	}
	return true;
}

// False for a routing id longer than ZMTP allows, which libzmq would let a client claim.
static bool read_peer(zmq_msg_t *route, const zmq_msg_t *payload, struct transport_peer *peer)
{
	size_t bytes = zmq_msg_size(route);
	const char *handle = zmq_msg_gets(payload, USER_ID);
	if (bytes > sizeof peer->routing_id)
		return false;
	memcpy(peer->routing_id, zmq_msg_data(route), bytes);
	peer->routing_id_bytes = (uint8_t)bytes;
	peer->handle[0] = '\0';
	if (handle != NULL && strlen(handle) < sizeof peer->handle)
		memcpy(peer->handle, handle, strlen(handle) + 1);
	return true;
}

enum received { RECEIVED_NOTHING, RECEIVED_MESSAGE, RECEIVED_TO_DROP };

// One message's routing id and first payload frame.
static enum received receive_one(struct transport *transport, struct transport_message *ret,
				 unsigned *frames_left)
{
	zmq_msg_t route, payload;
	enum received result = RECEIVED_NOTHING;
	zmq_msg_init(&route);
	zmq_msg_init(&payload);
	if (!receive_frame(transport, &route))
		goto done;
	*frames_left -= 1;
	// libzmq hands out whole messages only, so that the rest of one is there.
	if (!zmq_msg_more(&route) || !receive_frame(transport, &payload)) {
		transport->dropping = zmq_msg_more(&route);
		result = RECEIVED_TO_DROP;
		goto done;
	}
	*frames_left -= 1;
	struct transport_peer peer;
	transport->dropping = zmq_msg_more(&payload);
	if (transport->dropping || !read_peer(&route, &payload, &peer)) {
		result = RECEIVED_TO_DROP;
		goto done;
	}
	ret->peer = peer;
	zmq_msg_t *kept = (zmq_msg_t *)ret->opaque;
	zmq_msg_init(kept);
	zmq_msg_move(kept, &payload);
	ret->data = zmq_msg_data(kept);
	ret->bytes = zmq_msg_size(kept);
	result = RECEIVED_MESSAGE;
done:
	zmq_msg_close(&payload);
	zmq_msg_close(&route);
	return result;
}

bool transport_receive(struct transport *transport, struct transport_message *ret)
{
	unsigned frames_left = FRAMES_PER_CALL_MAX;
	while (finish_dropping(transport, &frames_left) && frames_left >= 2) {
		switch (receive_one(transport, ret, &frames_left)) {
		case RECEIVED_NOTHING:
			return false;
		case RECEIVED_MESSAGE:
			transport->counters.received++;
			return true;
		case RECEIVED_TO_DROP:
			transport->counters.dropped_multipart++;
			break;
		}
	}
	return false;
}

void transport_message_done(struct transport_message *message)
{
	zmq_msg_close((zmq_msg_t *)message->opaque);
	message->data = NULL;
	message->bytes = 0;
}

// Once a routing id is accepted its payload must follow: made before, so that nothing can fail in between.
static bool send_payload(struct transport *transport, const struct transport_peer *peer, zmq_msg_t *payload)
{
	while (zmq_send(transport->socket, peer->routing_id, peer->routing_id_bytes,
			ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
		if (errno != EINTR)
			return false;
	}
	while (zmq_msg_send(payload, transport->socket, ZMQ_DONTWAIT) < 0) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

bool transport_send(struct transport *transport, const struct transport_peer *peer, const uint8_t *data,
		    size_t bytes)
{
	zmq_msg_t payload;
	bool sent = false;
	if (zmq_msg_init_size(&payload, bytes) == 0) {
		if (bytes > 0)
			memcpy(zmq_msg_data(&payload), data, bytes);
		sent = send_payload(transport, peer, &payload);
		zmq_msg_close(&payload);
	}
	if (sent)
		transport->counters.sent++;
	else
		transport->counters.undeliverable++;
	return sent;
}

struct transport_counters transport_read_counters(const struct transport *transport)
{
	return transport->counters;
}

// ------------------------------------------------------------------ self-test

// One client at our own door.
struct probe {
	void *socket;
	void *events; // PAIR: how its handshake goes
};

static void close_probe(struct probe *probe)
{
	if (probe->events != NULL)
		zmq_close(probe->events);
	if (probe->socket != NULL)
		zmq_close(probe->socket);
}

static bool set_probe_keys(void *socket, const struct curve_key_pair *key, const uint8_t server[KEY_BYTES])
{
	const int none = 0;
	return zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none) == 0 &&
	       zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, KEY_BYTES) == 0 &&
	       zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, key->public_key, KEY_BYTES) == 0 &&
	       zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->secret_key, KEY_BYTES) == 0;
}

// Connects and sends one message, which waits in the socket for the handshake.
static bool open_probe(void *context, const struct transport *transport, const struct curve_key_pair *key,
		       const uint8_t server[KEY_BYTES], struct probe *ret)
{
	static atomic_uint number;
	char name[64];
	const int none = 0, events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
				     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
				     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
	snprintf(name, sizeof name, "inproc://cpis.self-test.%u", atomic_fetch_add(&number, 1));
	struct probe probe = {.socket = zmq_socket(context, ZMQ_DEALER),
			      .events = zmq_socket(context, ZMQ_PAIR)};
	if (probe.socket == NULL || probe.events == NULL ||
	    zmq_setsockopt(probe.events, ZMQ_LINGER, &none, sizeof none) != 0 ||
	    !set_probe_keys(probe.socket, key, server) ||
	    zmq_socket_monitor(probe.socket, name, events) != 0 || zmq_connect(probe.events, name) != 0 ||
	    zmq_connect(probe.socket, transport->endpoint) != 0 ||
	    zmq_send(probe.socket, SELF_TEST_TEXT, strlen(SELF_TEST_TEXT), ZMQ_DONTWAIT) < 0) {
		close_probe(&probe);
		return false;
	}
	*ret = probe;
	return true;
}

struct probe_event {
	uint16_t event; // 0: none
	uint32_t value;
};

// An event is two frames (zmq_socket_monitor(3)): the event's number and value, then the endpoint.
static struct probe_event read_event(struct probe *probe)
{
	uint8_t data[6];
	char endpoint[TRANSPORT_ENDPOINT_BYTES];
	struct probe_event event = {0};
	if (zmq_recv(probe->events, data, sizeof data, ZMQ_DONTWAIT) != (int)sizeof data)
		return event;
	memcpy(&event.event, data, sizeof event.event);
	memcpy(&event.value, data + sizeof event.event, sizeof event.value);
	if (zmq_recv(probe->events, endpoint, sizeof endpoint, ZMQ_DONTWAIT) < 0)
		return (struct probe_event){0};
	return event;
}

// Waits for either end to have something to say. False when the time is over.
static bool wait_for_probe(struct transport *transport, struct probe *probe, uint64_t until_ms)
{
	zmq_pollitem_t items[] = {
		{.socket = transport->socket, .events = ZMQ_POLLIN},
		{.socket = probe->events, .events = ZMQ_POLLIN},
	};
	uint64_t now_ms = clock_monotonic_ms();
	if (now_ms >= until_ms)
		return false;
	(void)zmq_poll(items, 2, (long)(until_ms - now_ms));
	return true;
}

// The only good end: ZAP's refusal, and no message.
static bool probe_is_refused(struct transport *transport, struct probe *probe, uint64_t until_ms,
			     char detail[TRANSPORT_DETAIL_BYTES])
{
	struct transport_message message;
	while (wait_for_probe(transport, probe, until_ms)) {
		struct probe_event event = read_event(probe);
		bool delivered = transport_receive(transport, &message);
		if (delivered)
			transport_message_done(&message);
		if (delivered || event.event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
			snprintf(detail, TRANSPORT_DETAIL_BYTES,
				 "self-test: a system with an unknown key was admitted");
			return false;
		}
		if (event.event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH && event.value == 400)
			return true;
	}
	snprintf(detail, TRANSPORT_DETAIL_BYTES,
		 "self-test: an unknown key got no answer; is the admission handler running?");
	return false;
}

static bool is_probe_message(const struct transport_message *message, struct zap *zap,
			     const struct curve_key_pair *key)
{
	uint8_t named[KEY_BYTES];
	return message->bytes == strlen(SELF_TEST_TEXT) &&
	       memcmp(message->data, SELF_TEST_TEXT, message->bytes) == 0 && zap != NULL &&
	       zap_lookup(zap, message->peer.handle, named) && memcmp(named, key->public_key, KEY_BYTES) == 0;
}

static bool probe_is_admitted(struct transport *transport, struct zap *zap, struct probe *probe,
			      const struct curve_key_pair *key, uint64_t until_ms,
			      char detail[TRANSPORT_DETAIL_BYTES])
{
	struct transport_message message;
	while (wait_for_probe(transport, probe, until_ms)) {
		if (transport_receive(transport, &message)) {
			bool good = is_probe_message(&message, zap, key);
			transport_message_done(&message);
			if (!good)
				snprintf(detail, TRANSPORT_DETAIL_BYTES,
					 "self-test: a known system was not named by its handle");
			return good;
		}
		if (read_event(probe).event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
			break;
	}
	snprintf(detail, TRANSPORT_DETAIL_BYTES, "self-test: a system with a known key was not admitted");
	return false;
}

static bool run_self_test(void *context, struct zap *zap, const struct curve_key_pair keys[3],
			  char detail[TRANSPORT_DETAIL_BYTES])
{
	const struct curve_key_pair *broker = &keys[0], *known = &keys[1], *unknown = &keys[2];
	uint64_t until_ms = clock_monotonic_ms() + SELF_TEST_MS;
	struct probe stranger = {0}, friend = {0};
	struct transport *transport;
	if (!transport_open(context, "tcp://127.0.0.1:*", broker, &transport, detail))
		return false;
	bool good = open_probe(context, transport, unknown, broker->public_key, &stranger);
	if (!good)
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "self-test: no client: %s", zmq_strerror(errno));
	good = good && probe_is_refused(transport, &stranger, until_ms, detail);
	if (good && !open_probe(context, transport, known, broker->public_key, &friend)) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "self-test: no client: %s", zmq_strerror(errno));
		good = false;
	}
	good = good && probe_is_admitted(transport, zap, &friend, known, until_ms, detail);
	close_probe(&friend);
	close_probe(&stranger);
	transport_close(transport);
	return good;
}

bool transport_self_test(void *context, struct zap *zap, char detail[TRANSPORT_DETAIL_BYTES])
{
	struct curve_key_pair keys[3] = {0};
	bool good = true;
	for (size_t i = 0; i < 3; i++)
		good = good && curve_key_generate(&keys[i]) == CERTS_OK;
	if (!good) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "self-test: no keys can be made");
	} else {
		if (zap != NULL)
			zap_set_self_test_key(zap, keys[1].public_key);
		good = run_self_test(context, zap, keys, detail);
		if (zap != NULL)
			zap_set_self_test_key(zap, NULL);
	}
	for (size_t i = 0; i < 3; i++)
		curve_key_wipe(&keys[i]);
	return good;
}
