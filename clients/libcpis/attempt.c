// One attempt after the other at one request: whose turn it is, sending, what comes back, waiting.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <zmq.h>

#include "clients/libcpis/attempt.h"


// Without random bytes everybody comes back as soon as they may.
static uint32_t draw(void)
{
	uint32_t random = 0;
	return RAND_bytes((unsigned char *)&random, sizeof random) == 1 ? random : 0;
}

// ------------------------------------------------------------------ whose turn it is

static void read_events(struct cpis_client *client)
{
	for (size_t i = 0; i < client->link_count; i++)
		client_link_read_events(&client->links[i]);
}

static enum cpis_status sign_for(struct call *call, const char *broker_name)
{
	if (call->job.sign == NULL || (call->signed_for != NULL && strcmp(call->signed_for, broker_name) == 0))
		return CPIS_OK;
	call->signed_for = broker_name;
	return call->job.sign(call->client, call->job.request, broker_name, call->job.context);
}

static enum cpis_status begin_turn(struct call *call)
{
	struct client_link *link = &call->client->links[call->rotation.at];
	call->must_send = true;
	link->failed = false;
	// libzmq connects anew by itself, but ever more slowly, and a turn is short.
	if (call->client->link_count > 1)
		client_link_open(call->client, call->rotation.at);
	return sign_for(call, link->broker.name);
}

static enum cpis_status turn_to_next(struct call *call, uint32_t retry_after_ms)
{
	call->must_send = false;
	rotation_next(&call->rotation, retry_after_ms, draw(), client_monotonic_ms());
	return call->rotation.resting ? CPIS_OK : begin_turn(call);
}

static enum cpis_status fail_refused(struct cpis_client *client, const struct client_link *link)
{
	if (client->enrolling)
		return client_fail(client, CPIS_REFUSED_AT_HANDSHAKE, "%s does not let a new key in: is it the enrolment endpoint?",
				   link->endpoint);
	return client_fail(client, CPIS_REFUSED_AT_HANDSHAKE, "the system %s of %s is not enrolled there, or no longer",
			   client->system.name, client->system.organisation);
}

// Whether something bad is known of the one whose turn it is.
static bool must_turn(const struct call *call)
{
	const struct client_link *link = &call->client->links[call->rotation.at];
	return !call->rotation.resting && (link->refused || link->failed);
}

// After what time and the connections have brought: until it is somebody's turn of whom nothing bad is known.
static enum cpis_status go_on(struct call *call)
{
	enum cpis_status status = CPIS_OK;
	while (status == CPIS_OK && !call->rotation.resting) {
		struct client_link *link = &call->client->links[call->rotation.at];
		if (link->refused) {
			call->must_send = false;
			if (!rotation_refuse(&call->rotation, draw(), client_monotonic_ms()))
				return fail_refused(call->client, link);
			status = call->rotation.resting ? CPIS_OK : begin_turn(call);
		} else if (link->failed) {
			status = turn_to_next(call, 0);
		} else {
			break;
		}
	}
	return status;
}

// ------------------------------------------------------------------ out and in

static uint32_t wait_ms(const Cpis__V1__Request *request)
{
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_INBOX_LIST:
		return request->inbox_list->wait_ms;
	case CPIS__V1__REQUEST__BODY_INBOX_TAKE:
		return request->inbox_take->wait_ms;
	case CPIS__V1__REQUEST__BODY_RESPONDER_TAKE:
		return request->responder_take->wait_ms;
	default:
		return 0;
	}
}

static enum cpis_status send_request(struct call *call, uint64_t now_ms)
{
	size_t bytes = 0;
	arena_reset(&call->arena);
	call->job.request->deadline_ms = (uint32_t)(call->end_ms - now_ms);
	const uint8_t *packed = wire_pack(&call->arena, &call->job.request->base, &bytes);
	if (packed == NULL || bytes > MESSAGE_BYTES_MAX)
		return client_fail(call->client, CPIS_USAGE, "the request is larger than a message may be");
	if (zmq_send(call->client->links[call->rotation.at].socket, packed, bytes, ZMQ_DONTWAIT) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return CPIS_OK;
		return client_fail(call->client, CPIS_USAGE, "cannot send: %s", zmq_strerror(errno));
	}
	call->must_send = false;
	call->ever_sent = true;
	rotation_sent(&call->rotation, wait_ms(call->job.request), now_ms);
	return CPIS_OK;
}

// The rest of a message must not be read as the next one. ZeroMQ delivers a message whole, so nothing is waited for.
static void skip_frames(void *socket)
{
	zmq_msg_t frame;
	int more = 1;
	while (more) {
		zmq_msg_init(&frame);
		more = zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&frame);
		zmq_msg_close(&frame);
	}
}

// CPIS_OK and no reply when nothing is there, or only what answers another request.
static enum cpis_status receive_from(struct call *call, void *socket, struct client_reply **ret)
{
	enum cpis_status status = CPIS_OK;
	zmq_msg_t message;
	*ret = NULL;
	zmq_msg_init(&message);
	struct client_reply *reply = NULL;
	if (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) < 0)
		goto out;
	if (zmq_msg_more(&message)) {
		skip_frames(socket);
		status = client_fail(call->client, CPIS_PROTOCOL, "the reply has more than one frame");
		goto out;
	}
	reply = calloc(1, sizeof *reply);
	if (reply == NULL || !arena_init(&reply->arena, ARENA_BYTES)) {
		status = client_fail(call->client, CPIS_NO_MEMORY, "no memory for a reply");
		goto out;
	}
	struct wire_error error = {0};
	Cpis__V1__Reply *decoded = NULL;
	enum wire_status wire = wire_reply_decode(&reply->arena, zmq_msg_data(&message), zmq_msg_size(&message), &decoded,
						  &error);
	if (wire != WIRE_OK) {
		status = client_fail(call->client, CPIS_PROTOCOL, "%s: %s", error.field, wire_status_text(wire));
		goto out;
	}
	// A late answer to an earlier request is not an answer to this one.
	if (decoded->request_id.len != REQUEST_ID_BYTES ||
	    memcmp(decoded->request_id.data, call->client->call_id, REQUEST_ID_BYTES) != 0)
		goto out;
	reply->reply = *decoded;
	*ret = reply;
	reply = NULL;
out:
	if (reply != NULL)
		cpis_reply_free(&reply->reply);
	zmq_msg_close(&message);
	return status;
}

// Whether the call goes on: a broker did nothing, and there is another one, or time to come back. What a broker that is no longer
// asked did not do says nothing about the one that is.
static bool goes_on(struct call *call, size_t from, const Cpis__V1__Reply *reply, enum cpis_status *ret_status)
{
	const struct rotation *rotation = &call->rotation;
	bool unavailable = reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE;
	bool several = rotation->count > 1;
	if (!unavailable && reply->outcome != CPIS__V1__OUTCOME__DEADLINE_EXPIRED)
		return false;
	if (from != rotation->at || rotation->resting || call->must_send)
		return true;
	uint64_t back_ms = client_monotonic_ms() + reply->retry_after_ms;
	bool comes_back = back_ms < call->end_ms && (several || (unavailable && reply->retry_after_ms != 0));
	if (rotation->left == 0 && !comes_back)
		return false;
	*ret_status = turn_to_next(call, reply->retry_after_ms);
	return true;
}

// Of all connections, because the broker before may answer after all. CPIS_OK and no reply: nothing that ends the call.
static enum cpis_status receive_reply(struct call *call, struct client_reply **ret)
{
	struct cpis_client *client = call->client;
	enum cpis_status status = CPIS_OK;
	*ret = NULL;
	for (size_t i = 0; i < client->link_count && status == CPIS_OK; i++) {
		if (!client->links[i].open)
			continue;
		status = receive_from(call, client->links[i].socket, ret);
		if (*ret == NULL)
			continue;
		if (!goes_on(call, i, &(*ret)->reply, &status)) {
			client->at = i;
			return CPIS_OK;
		}
		cpis_reply_free(&(*ret)->reply);
		*ret = NULL;
	}
	return status;
}

// ------------------------------------------------------------------ waiting

// libzmq tells that a connection has ended before it takes its queue away from the socket: for a moment that still seems writable,
// and what is put in there is gone without a word. The next handshake is told of when the old queue is gone and the new one there.
static bool may_send(const struct call *call, size_t number)
{
	return call->must_send && number == call->rotation.at && call->client->links[number].connected;
}

#define POLL_ITEMS_MAX (2 * (CPIS_FURTHER_MAX + 1) + 1)

struct seen {
	bool nothing;                // and what happens from now on will be told of
	bool writable;               // to the one whose turn it is
	bool interrupted;
};

static enum cpis_status look(const struct call *call, long wait_ms, struct seen *ret)
{
	struct cpis_client *client = call->client;
	zmq_pollitem_t items[POLL_ITEMS_MAX] = {{.fd = -1}};
	int count = 0, asked = -1, interrupt = -1;
	for (size_t i = 0; i < client->link_count; i++) {
		if (!client->links[i].open)
			continue;
		bool send = may_send(call, i);
		if (send)
			asked = count;
		items[count++] = (zmq_pollitem_t){.socket = client->links[i].socket,
						  .events = (short)(ZMQ_POLLIN | (send ? ZMQ_POLLOUT : 0))};
		items[count++] = (zmq_pollitem_t){.socket = client->links[i].monitor, .events = ZMQ_POLLIN};
	}
	if (client->interruptible) {
		interrupt = count;
		items[count++] = (zmq_pollitem_t){.fd = client->interrupt, .events = ZMQ_POLLIN};
	}
	int found = zmq_poll(items, count, wait_ms);
	if (found < 0 && errno != EINTR)
		return client_fail(client, CPIS_USAGE, "cannot wait: %s", zmq_strerror(errno));
	ret->nothing = found == 0;
	ret->writable = asked >= 0 && (items[asked].revents & ZMQ_POLLOUT) != 0;
	ret->interrupted = interrupt >= 0 && items[interrupt].revents != 0;
	return CPIS_OK;
}

static enum cpis_status out_of_time(const struct call *call)
{
	struct cpis_client *client = call->client;
	const char *endpoint = client->links[call->rotation.at].endpoint;
	if (client->link_count > 1 && call->job.only != NULL)
		return client_fail(client, call->ever_sent ? CPIS_TIMEOUT : CPIS_UNREACHABLE,
				   call->ever_sent ? "%s did not answer in time" : "%s cannot be reached", call->job.only);
	if (client->link_count > 1)
		return client_fail(client, call->ever_sent ? CPIS_TIMEOUT : CPIS_UNREACHABLE,
				   call->ever_sent ? "none of %zu brokers answered in time, %s the last"
						   : "none of %zu brokers can be reached, %s the last",
				   client->link_count, endpoint);
	if (call->ever_sent)
		return client_fail(client, CPIS_TIMEOUT, "%s did not answer in time", endpoint);
	if (client->links[0].wrong_key_seen)
		return client_fail(client, CPIS_UNREACHABLE,
				   "%s answers and does not hold the key of the broker's certificate", endpoint);
	return client_fail(client, CPIS_UNREACHABLE, "%s cannot be reached", endpoint);
}

static uint64_t end_of_turn(const struct call *call)
{
	return call->rotation.until_ms < call->end_ms ? call->rotation.until_ms : call->end_ms;
}

// The steps that time and the connections bring. `ret_idle`: nothing was there.
static enum cpis_status step(struct call *call, bool may_wait, struct client_reply **ret, bool *ret_idle)
{
	struct cpis_client *client = call->client;
	uint64_t now_ms = client_monotonic_ms();
	struct seen seen = {0};
	enum cpis_status status = CPIS_OK;
	*ret_idle = false;
	if (now_ms >= call->end_ms)
		return out_of_time(call);
	if (now_ms >= call->rotation.until_ms) {
		call->must_send = false;
		if (rotation_tick(&call->rotation, draw(), now_ms))
			status = begin_turn(call);
	}
	size_t asked = call->rotation.at;
	uint64_t due_ms = end_of_turn(call);
	if (status == CPIS_OK)
		status = look(call, may_wait && due_ms > now_ms ? (long)(due_ms - now_ms) : 0, &seen);
	if (status != CPIS_OK)
		return status;
	// Nothing more is said to libzmq then: each word to it may take what its descriptor tells of.
	if (seen.nothing && !must_turn(call)) {
		*ret_idle = true;
		return CPIS_OK;
	}
	read_events(client);
	status = receive_reply(call, ret);
	if (status != CPIS_OK || *ret != NULL)
		return status;
	if (seen.interrupted)
		return client_fail(client, CPIS_INTERRUPTED, "there was no answer yet");
	status = go_on(call);
	now_ms = client_monotonic_ms();
	if (status == CPIS_OK && seen.writable && call->rotation.at == asked && may_send(call, asked) && now_ms < call->end_ms)
		status = send_request(call, now_ms);
	return status;
}

// A broker that sends without end must not keep the caller's loop from its other work.
#define STEPS_MAX 64u

// When looking found nothing, libzmq has nothing left that it would not tell of anew, and only then may its descriptors be waited
// for: they tell of what happens, not of what is there (zmq_getsockopt(3), ZMQ_FD).
enum cpis_status attempt_go_on(struct call *call, bool may_wait, struct client_reply **ret)
{
	bool idle = false;
	*ret = NULL;
	call->has_more = false;
	for (unsigned steps = 0; may_wait || steps < STEPS_MAX; steps++) {
		enum cpis_status status = step(call, may_wait, ret, &idle);
		if (status != CPIS_OK || *ret != NULL)
			return status;
		if (idle && !may_wait)
			return CPIS_PENDING;
	}
	call->has_more = true;
	return CPIS_PENDING;
}

uint64_t attempt_due_ms(const struct call *call)
{
	return call->has_more ? client_monotonic_ms() : end_of_turn(call);
}

// The connection that is asked first is at least being tried, whatever became of it before.
enum cpis_status attempt_begin(struct call *call, uint32_t deadline_ms)
{
	struct cpis_client *client = call->client;
	// Before the time begins to count: a token may be slow.
	enum cpis_status status = sign_for(call, client_link(client)->broker.name);
	uint64_t now_ms = client_monotonic_ms();
	call->end_ms = now_ms + deadline_ms;
	rotation_begin(&call->rotation, client->link_count, client->at, now_ms, call->end_ms);
	for (size_t i = 0; i < client->link_count; i++)
		if (call->job.only != NULL && strcmp(client->links[i].broker.name, call->job.only) != 0)
			rotation_leave_out(&call->rotation, i, now_ms);
	read_events(client);
	client_link_open(client, client->at);
	for (size_t i = 0; i < client->link_count; i++)
		client->links[i].failed = client->links[i].refused = client->links[i].wrong_key_seen = false;
	call->must_send = true;
	return status;
}
