// The connections to the brokers: a socket for each, with its own broker's key.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "clients/libcpis/client_priv.h"
#include "clients/libcpis/rotation.h"

_Static_assert(CPIS_FURTHER_MAX + 1 == ROTATION_MAX, "each has a turn");

static bool set_number(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool configure(const struct client_link *link, const struct curve_key_pair *key)
{
	void *socket = link->socket;
	int64_t frame_bytes_max = FRAME_BYTES_MAX;
	return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, link->broker.curve_public, KEY_BYTES) == 0 &&
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

// That a connection could not be made matters only where there is another broker to turn to.
static int events_of(const struct cpis_client *client)
{
	return ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
	       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED |
	       (client->link_count > 1 ? ZMQ_EVENT_CONNECT_RETRIED : 0);
}

static bool make_socket(struct cpis_client *client, size_t number, const struct curve_key_pair *key)
{
	struct client_link *link = &client->links[number];
	char monitor[64];
	snprintf(monitor, sizeof monitor, "inproc://cpis-client-monitor-%zu", number);
	link->socket = zmq_socket(client->context, ZMQ_DEALER);
	link->monitor = link->socket == NULL ? NULL : zmq_socket(client->context, ZMQ_PAIR);
	return link->monitor != NULL && configure(link, key) && set_number(link->monitor, ZMQ_LINGER, 0) &&
	       zmq_socket_monitor(link->socket, monitor, events_of(client)) == 0 && zmq_connect(link->monitor, monitor) == 0;
}

// libzmq looks at an endpoint only when it connects, and a mistake in the list should not wait until a broker is gone.
static bool may_be_endpoint(const char *endpoint)
{
	return strncmp(endpoint, "tcp://", 6) == 0 && strrchr(endpoint + 6, ':') != NULL;
}

// Only the first one is connected to; the others when their turn comes.
enum cpis_status client_open_sockets(struct cpis_client *client, const struct curve_key_pair *key)
{
	client->context = zmq_ctx_new();
	for (size_t i = 0; i < client->link_count; i++) {
		if (client->context == NULL || !make_socket(client, i, key))
			return client_fail(client, CPIS_USAGE, "the socket cannot be made: %s", zmq_strerror(errno));
		if (i > 0 && !may_be_endpoint(client->links[i].endpoint))
			return client_fail(client, CPIS_USAGE, "%s: not tcp://host:port", client->links[i].endpoint);
	}
	struct client_link *first = &client->links[client->at];
	if (zmq_connect(first->socket, first->endpoint) != 0)
		return client_fail(client, CPIS_USAGE, "%s: %s", first->endpoint, zmq_strerror(errno));
	first->open = true;
	return CPIS_OK;
}

void client_links_close(struct cpis_client *client)
{
	for (size_t i = 0; i < client->link_count; i++) {
		struct client_link *link = &client->links[i];
		if (link->socket != NULL) {
			zmq_socket_monitor(link->socket, NULL, 0);
			zmq_close(link->socket);
		}
		if (link->monitor != NULL)
			zmq_close(link->monitor);
	}
	if (client->context != NULL)
		while (zmq_ctx_term(client->context) != 0 && errno == EINTR)
			;
}

void client_link_open(struct cpis_client *client, size_t number)
{
	struct client_link *link = &client->links[number];
	if (link->open && !link->lost)
		return;
	if (link->open)
		(void)zmq_disconnect(link->socket, link->endpoint); // ENOENT when libzmq has given it up
	link->open = true;
	link->connected = false;
	link->lost = link->failed = zmq_connect(link->socket, link->endpoint) != 0;
}

void client_links_keep_only(struct cpis_client *client, size_t number)
{
	for (size_t i = 0; i < client->link_count; i++) {
		struct client_link *link = &client->links[i];
		if (i == number || !link->open)
			continue;
		(void)zmq_disconnect(link->socket, link->endpoint);
		link->open = link->connected = link->lost = false;
	}
}

// ------------------------------------------------------------------ what becomes of them

static void note_event(struct client_link *link, uint16_t event, uint32_t value)
{
	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		link->lost = false;
		link->connected = true;
		return;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		// 300 is "come later": the library goes on trying, and so do we.
		link->refused = value >= 400;
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		link->wrong_key_seen = true;
		break;
	case ZMQ_EVENT_DISCONNECTED:
	case ZMQ_EVENT_CONNECT_RETRIED:
		break;
	default:
		return;
	}
	// Whether the request got through is not known. Its id makes sending it again harmless.
	link->lost = link->failed = true;
	link->connected = false;
}

void client_link_read_events(struct client_link *link)
{
	for (;;) {
		struct {
			uint16_t event;
			uint32_t value;
		} __attribute__((packed)) head;
		char address[256];
		if (zmq_recv(link->monitor, &head, sizeof head, ZMQ_DONTWAIT) != (int)sizeof head)
			return;
		int bytes = zmq_recv(link->monitor, address, sizeof address, ZMQ_DONTWAIT);
		(void)bytes; // our own endpoint
		note_event(link, head.event, head.value);
	}
}
