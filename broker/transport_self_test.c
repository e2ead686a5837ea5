// The proof at start that the network edge admits whom it should and nobody else.
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "broker/clock.h"
#include "broker/transport_priv.h"

#define SELF_TEST_MS 2000u
#define SELF_TEST_TEXT "self-test"

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
	    zmq_connect(probe.socket, transport_endpoint(transport)) != 0 ||
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
		{.socket = transport_socket(transport), .events = ZMQ_POLLIN},
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

// Named by a handle of this class, and nobody in the other.
static bool is_probe_message(const struct transport_message *message, struct zap *zap, enum zap_class zap_class,
			     const struct curve_key_pair *key)
{
	enum zap_class other = zap_class == ZAP_SYSTEMS ? ZAP_ENROLLING : ZAP_SYSTEMS;
	uint8_t named[KEY_BYTES], nobody[KEY_BYTES];
	return message->bytes == strlen(SELF_TEST_TEXT) &&
	       memcmp(message->data, SELF_TEST_TEXT, message->bytes) == 0 && zap != NULL &&
	       zap_lookup(zap, zap_class, message->peer.handle, named) &&
	       memcmp(named, key->public_key, KEY_BYTES) == 0 &&
	       !zap_lookup(zap, other, message->peer.handle, nobody);
}

static bool probe_is_admitted(struct transport *transport, struct zap *zap, struct probe *probe,
			      const struct curve_key_pair *key, uint64_t until_ms,
			      char detail[TRANSPORT_DETAIL_BYTES])
{
	struct transport_message message;
	while (wait_for_probe(transport, probe, until_ms)) {
		if (transport_receive(transport, &message)) {
			bool good = is_probe_message(&message, zap, transport_class(transport), key);
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
	struct transport_options options = {
		.context = context, .zap_class = ZAP_SYSTEMS, .endpoint = "tcp://127.0.0.1:*", .broker_key = broker};
	struct transport *transport;
	if (!transport_open(&options, &transport, detail))
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

// The key that the test before has seen refused is let in here.
static bool run_enrolling_self_test(void *context, struct zap *zap, const struct curve_key_pair keys[3],
				    char detail[TRANSPORT_DETAIL_BYTES])
{
	const struct curve_key_pair *broker = &keys[0], *unknown = &keys[2];
	uint64_t until_ms = clock_monotonic_ms() + SELF_TEST_MS;
	struct probe stranger = {0};
	struct transport_options options = {
		.context = context, .zap_class = ZAP_ENROLLING, .endpoint = "tcp://127.0.0.1:*", .broker_key = broker};
	struct transport *transport;
	if (!transport_open(&options, &transport, detail))
		return false;
	bool good = open_probe(context, transport, unknown, broker->public_key, &stranger);
	if (!good)
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "self-test: no client: %s", zmq_strerror(errno));
	else if (!probe_is_admitted(transport, zap, &stranger, unknown, until_ms, detail)) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES,
			 "self-test: the enrolment endpoint does not admit a new key, or takes it for a system's");
		good = false;
	}
	close_probe(&stranger);
	transport_close(transport);
	if (zap != NULL)
		zap_forget_enrolling(zap);
	return good;
}

bool transport_self_test(void *context, struct zap *zap, bool with_enrolling, char detail[TRANSPORT_DETAIL_BYTES])
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
		good = run_self_test(context, zap, keys, detail) &&
		       (!with_enrolling || run_enrolling_self_test(context, zap, keys, detail));
		if (zap != NULL)
			zap_set_self_test_key(zap, NULL);
	}
	for (size_t i = 0; i < 3; i++)
		curve_key_wipe(&keys[i]);
	return good;
}
