// The network edge: a ROUTER socket, its options, messages in and out.
#include "broker/transport.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "broker/random.h"
#include "broker/transport_monitor.h"
#include "broker/transport_priv.h"
#include "proto/invariant.h"
#include "proto/limits.h"

// Debian's zmq.h hides this one behind its draft switch, the library has it. Without it libzmq admits
// everybody when no ZAP handler answers.
#define OPTION_ZAP_ENFORCE_DOMAIN 93
_Static_assert(ZMQ_VERSION >= ZMQ_MAKE_VERSION(4, 3, 3), "earlier versions have holes before the handshake");
_Static_assert(sizeof(zmq_msg_t) <= sizeof((struct transport_message *)0)->opaque, "a zmq_msg_t fits");

#define USER_ID "User-Id"
// Two for the systems; what strangers send is deciphered by one of its own.
#define IO_THREADS 3
#define FRAMES_PER_CALL_MAX 1024u

struct transport {
	void *socket;
	struct transport_monitor *monitor; // NULL: nobody counts
	enum zap_class zap_class;
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
static const struct option common_options[] = {
	{OPTION_ZAP_ENFORCE_DOMAIN, 1, "ZAP_ENFORCE_DOMAIN"},
	{ZMQ_CURVE_SERVER, 1, "CURVE_SERVER"},
	{ZMQ_HANDSHAKE_IVL, 5000, "HANDSHAKE_IVL"},
	{ZMQ_ROUTER_MANDATORY, 1, "ROUTER_MANDATORY"},
	{ZMQ_ROUTER_HANDOVER, 0, "ROUTER_HANDOVER"},
	// 4.3.4 aborts when a heartbeat of its own is due on a connection that was torn while its queue here was full.
	{ZMQ_HEARTBEAT_IVL, 0, "HEARTBEAT_IVL"},
	{ZMQ_TCP_MAXRT, 20000, "TCP_MAXRT"},
	{ZMQ_TCP_KEEPALIVE, 1, "TCP_KEEPALIVE"},
	{ZMQ_TCP_KEEPALIVE_IDLE, 10, "TCP_KEEPALIVE_IDLE"},
	{ZMQ_TCP_KEEPALIVE_INTVL, 5, "TCP_KEEPALIVE_INTVL"},
	{ZMQ_TCP_KEEPALIVE_CNT, 3, "TCP_KEEPALIVE_CNT"},
	{ZMQ_IPV6, 1, "IPV6"},
};

// What anybody who comes along may take up, and what an enrolled system may.
#define CLASS_OPTIONS 6
static const struct option class_options[ZAP_CLASSES][CLASS_OPTIONS] = {
	[ZAP_SYSTEMS] = {{ZMQ_RCVHWM, 64, "RCVHWM"},
			 {ZMQ_SNDHWM, 1024, "SNDHWM"},
			 {ZMQ_RCVBUF, -1, "RCVBUF"}, // the kernel's own
			 {ZMQ_SNDBUF, -1, "SNDBUF"},
			 {ZMQ_BACKLOG, 1024, "BACKLOG"},
			 {ZMQ_LINGER, 2000, "LINGER"}},
	// No mark at all: a torn connection whose queue is full makes 4.3.4 abort at the next PING in it. The listeners watch over
	// what is taken up.
	[ZAP_ENROLLING] = {{ZMQ_RCVHWM, 0, "RCVHWM"},
			   {ZMQ_SNDHWM, 4, "SNDHWM"},
			   {ZMQ_RCVBUF, 8192, "RCVBUF"},
			   {ZMQ_SNDBUF, 8192, "SNDBUF"},
			   {ZMQ_BACKLOG, 64, "BACKLOG"},
			   {ZMQ_LINGER, 200, "LINGER"}},
};
static const uint64_t io_threads[ZAP_CLASSES] = {[ZAP_SYSTEMS] = 3, [ZAP_ENROLLING] = 4}; // bits
static const int64_t frame_bytes_max[ZAP_CLASSES] = {
	[ZAP_SYSTEMS] = FRAME_BYTES_MAX,
	[ZAP_ENROLLING] = 4096, // an enrolment request has some 150
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

static bool set_numbers(void *socket, const struct option *from, size_t count, char detail[TRANSPORT_DETAIL_BYTES])
{
	for (size_t i = 0; i < count; i++) {
		if (!set_option(socket, from[i].name, &from[i].value, sizeof from[i].value, from[i].word, detail))
			return false;
	}
	return true;
}

static bool set_options(void *socket, enum zap_class zap_class, const struct curve_key_pair *broker_key,
			char detail[TRANSPORT_DETAIL_BYTES])
{
	const char *domain = zap_domain(zap_class);
	return set_numbers(socket, common_options, sizeof common_options / sizeof common_options[0], detail) &&
	       set_numbers(socket, class_options[zap_class], CLASS_OPTIONS, detail) &&
	       set_option(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max[zap_class], sizeof frame_bytes_max[zap_class],
			  "MAXMSGSIZE", detail) &&
	       set_option(socket, ZMQ_AFFINITY, &io_threads[zap_class], sizeof io_threads[zap_class], "AFFINITY", detail) &&
	       set_option(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain), "ZAP_DOMAIN", detail) &&
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

// The monitor is there before anybody can connect, and names the endpoint once it is known.
static bool bind_and_count(struct transport *transport, const struct transport_options *options,
			   char detail[TRANSPORT_DETAIL_BYTES])
{
	bool counts = options->attempts != NULL;
	if (counts && !transport_monitor_attach(options->context, transport->socket, &transport->monitor)) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "failed handshakes at %.100s cannot be counted: %s", options->endpoint,
			 zmq_strerror(errno));
		return false;
	}
	// It is libzmq's from when it is bound.
	if (options->listening > 0 &&
	    !set_option(transport->socket, ZMQ_USE_FD, &options->listening, sizeof options->listening, "USE_FD", detail)) {
		close(options->listening);
		return false;
	}
	if (zmq_bind(transport->socket, options->endpoint) != 0 || !read_endpoint(transport)) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "%.100s cannot be bound: %s", options->endpoint,
			 zmq_strerror(errno));
		return false;
	}
	if (counts && !transport_monitor_run(transport->monitor, transport->endpoint, options->attempts)) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "failed handshakes at %.100s cannot be counted: no thread",
			 options->endpoint);
		return false;
	}
	return true;
}

bool transport_open(const struct transport_options *options, struct transport **ret, char detail[TRANSPORT_DETAIL_BYTES])
{
	struct transport *transport = calloc(1, sizeof *transport);
	if (transport == NULL) {
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "out of memory");
		return false;
	}
	transport->zap_class = options->zap_class;
	transport->socket = zmq_socket(options->context, ZMQ_ROUTER);
	if (transport->socket == NULL)
		snprintf(detail, TRANSPORT_DETAIL_BYTES, "no ZeroMQ socket: %s", zmq_strerror(errno));
	if (transport->socket == NULL || !set_options(transport->socket, options->zap_class, options->broker_key, detail) ||
	    !bind_and_count(transport, options, detail)) {
		int why = errno;
		transport_close(transport);
		errno = why;
		return false;
	}
	*ret = transport;
	return true;
}

void transport_close(struct transport *transport)
{
	if (transport == NULL)
		return;
	transport_monitor_stop(transport->monitor);
	if (transport->socket != NULL) {
		// Closing alone gives the address back after what lingers. This takes the replies under way with it, so strangers'
		// only.
		if (transport->zap_class == ZAP_ENROLLING && transport->endpoint[0] != '\0')
			zmq_unbind(transport->socket, transport->endpoint);
		zmq_close(transport->socket);
	}
	free(transport);
}

void *transport_socket(const struct transport *transport)
{
	return transport->socket;
}

const char *transport_endpoint(const struct transport *transport)
{
	return transport->endpoint;
}

int transport_listening(const struct transport *transport)
{
	return transport->monitor == NULL ? -1 : transport_monitor_listening(transport->monitor);
}

enum zap_class transport_class(const struct transport *transport)
{
	return transport->zap_class;
}

// ------------------------------------------------------------------ messages

// zmq_poll's words for what poll(2) calls POLLIN and POLLOUT.
static short zmq_events(short events)
{
	return (short)(((events & POLLIN) != 0 ? ZMQ_POLLIN : 0) | ((events & POLLOUT) != 0 ? ZMQ_POLLOUT : 0));
}

void transport_wait(struct transport *const *transports, size_t count, int wake_fd, short wake_events, int timeout_ms)
{
	zmq_pollitem_t items[TRANSPORT_WAIT_MAX + 1];
	int used = 0;
	INVARIANT(count <= TRANSPORT_WAIT_MAX);
	for (size_t i = 0; i < count; i++)
		if (transports[i] != NULL)
			items[used++] = (zmq_pollitem_t){.socket = transports[i]->socket, .events = ZMQ_POLLIN};
	if (wake_fd >= 0)
		items[used++] = (zmq_pollitem_t){.fd = wake_fd, .events = zmq_events(wake_events)};
	// An interruption is as good a reason to look as any other.
	(void)zmq_poll(items, used, timeout_ms);
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

size_t transport_live(const struct transport *transport)
{
	return transport->monitor == NULL ? 0 : transport_monitor_live(transport->monitor);
}

struct transport_counters transport_read_counters(const struct transport *transport)
{
	return transport->counters;
}
