// One request and its reply: sending, waiting, sending again, and what is believed of the answer.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <zmq.h>

#include "clients/libcpis/client_priv.h"
#include "clients/libcpis/rotation.h"
#include "proto/act.h"

struct call {
	struct cpis_client *client;
	Cpis__V1__Request *request;
	struct arena arena;          // packed requests
	client_sign *sign;           // NULL: nothing is signed
	void *sign_context;
	const char *signed_for;      // the broker whose name is in it
	const char *only;            // brokers of this name are asked and no others; NULL: all
	struct rotation rotation;
	uint64_t end_ms;             // monotonic
	bool must_send;              // to the one whose turn it is
	bool ever_sent;
};

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
	if (call->sign == NULL || (call->signed_for != NULL && strcmp(call->signed_for, broker_name) == 0))
		return CPIS_OK;
	call->signed_for = broker_name;
	return call->sign(call->client, call->request, broker_name, call->sign_context);
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
	call->request->deadline_ms = (uint32_t)(call->end_ms - now_ms);
	const uint8_t *packed = wire_pack(&call->arena, &call->request->base, &bytes);
	if (packed == NULL || bytes > MESSAGE_BYTES_MAX)
		return client_fail(call->client, CPIS_USAGE, "the request is larger than a message may be");
	if (zmq_send(call->client->links[call->rotation.at].socket, packed, bytes, ZMQ_DONTWAIT) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return CPIS_OK;
		return client_fail(call->client, CPIS_USAGE, "cannot send: %s", zmq_strerror(errno));
	}
	call->must_send = false;
	call->ever_sent = true;
	rotation_sent(&call->rotation, wait_ms(call->request), now_ms);
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
	    memcmp(decoded->request_id.data, call->client->request_id, REQUEST_ID_BYTES) != 0)
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

// ------------------------------------------------------------------ what is believed

static bool answers(Cpis__V1__Reply__BodyCase body, const Cpis__V1__Request *request)
{
	// Bodies have the same field numbers both ways.
	return (int)body == (int)request->body_case;
}

static enum cpis_status judge(struct call *call, struct client_reply *reply)
{
	struct cpis_client *client = call->client;
	Cpis__V1__Reply *told = &reply->reply;
	if (told->outcome == CPIS__V1__OUTCOME__OK && !answers(told->body_case, call->request))
		return client_fail(client, CPIS_PROTOCOL, "the reply's body answers another kind of request");
	// Only a SERVICE_UNAVAILABLE comes without one (wire_reply_decode sees to it).
	if (told->receipt != NULL) {
		enum cpis_status status = client_check_receipt(client, &reply->arena, call->request, told);
		if (status != CPIS_OK)
			return status;
	}
	if (told->session_token.len != 0) {
		memcpy(client->token, told->session_token.data, told->session_token.len);
		client->token_bytes = told->session_token.len;
	}
	return CPIS_OK;
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

// ------------------------------------------------------------------ the call

static enum cpis_status out_of_time(const struct call *call)
{
	struct cpis_client *client = call->client;
	const char *endpoint = client->links[call->rotation.at].endpoint;
	if (client->link_count > 1 && call->only != NULL)
		return client_fail(client, call->ever_sent ? CPIS_TIMEOUT : CPIS_UNREACHABLE,
				   call->ever_sent ? "%s did not answer in time" : "%s cannot be reached", call->only);
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

// libzmq tells that a connection has ended before it takes its queue away from the socket: for a moment that still seems writable,
// and what is put in there is gone without a word. The next handshake is told of when the old queue is gone and the new one there.
static bool may_send(const struct call *call, size_t number)
{
	return call->must_send && number == call->rotation.at && call->client->links[number].connected;
}

#define POLL_ITEMS_MAX (2 * (CPIS_FURTHER_MAX + 1) + 1)

static enum cpis_status wait_for_something(const struct call *call, uint64_t now_ms, bool *ret_writable, bool *ret_interrupted)
{
	struct cpis_client *client = call->client;
	zmq_pollitem_t items[POLL_ITEMS_MAX] = {{.fd = -1}};
	int count = 0, asked = -1, interrupt = -1;
	uint64_t until_ms = call->rotation.until_ms < call->end_ms ? call->rotation.until_ms : call->end_ms;
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
	if (zmq_poll(items, count, until_ms <= now_ms ? 0 : (long)(until_ms - now_ms)) < 0 && errno != EINTR)
		return client_fail(client, CPIS_USAGE, "cannot wait: %s", zmq_strerror(errno));
	*ret_writable = asked >= 0 && (items[asked].revents & ZMQ_POLLOUT) != 0;
	*ret_interrupted = interrupt >= 0 && items[interrupt].revents != 0;
	return CPIS_OK;
}

static enum cpis_status exchange(struct call *call, struct client_reply **ret)
{
	struct cpis_client *client = call->client;
	for (;;) {
		uint64_t now_ms = client_monotonic_ms();
		bool writable = false, interrupted = false;
		enum cpis_status status = CPIS_OK;
		if (now_ms >= call->end_ms)
			return out_of_time(call);
		if (now_ms >= call->rotation.until_ms) {
			call->must_send = false;
			if (rotation_tick(&call->rotation, draw(), now_ms))
				status = begin_turn(call);
		}
		size_t asked = call->rotation.at;
		if (status == CPIS_OK)
			status = wait_for_something(call, now_ms, &writable, &interrupted);
		if (status != CPIS_OK)
			return status;
		read_events(client);
		status = receive_reply(call, ret);
		if (status != CPIS_OK || *ret != NULL)
			return status;
		if (interrupted)
			return client_fail(client, CPIS_INTERRUPTED, "there was no answer yet");
		status = go_on(call);
		now_ms = client_monotonic_ms();
		if (status == CPIS_OK && writable && call->rotation.at == asked && may_send(call, asked) && now_ms < call->end_ms)
			status = send_request(call, now_ms);
		if (status != CPIS_OK)
			return status;
	}
}

// Everything of the envelope but the deadline, which is each attempt's own.
static enum cpis_status fill_envelope(struct cpis_client *client, Cpis__V1__Request *request)
{
	if (!client->has_request_id && RAND_bytes(client->request_id, sizeof client->request_id) != 1)
		return client_fail(client, CPIS_NO_MEMORY, "no random bytes");
	client->has_request_id = false;
	request->protocol_version = PROTOCOL_VERSION;
	request->request_id = (ProtobufCBinaryData){sizeof client->request_id, client->request_id};
	request->log_size = client->newest.size;
	request->trace_id = (ProtobufCBinaryData){client->has_trace ? TRACE_ID_BYTES : 0, client->trace_id};
	request->trace_parent_id = (ProtobufCBinaryData){client->has_trace ? TRACE_PARENT_ID_BYTES : 0, client->trace_parent_id};
	request->act_time_ms = 0;
	request->act_signature = (ProtobufCBinaryData){0, NULL};
	request->act_browser_proof = NULL;
	// What needs none would only make an old token travel for nothing.
	Cpis__V1__Operation operation = wire_operation(request);
	bool with_token = operation != CPIS__V1__OPERATION__PING && operation != CPIS__V1__OPERATION__SESSION_OPEN &&
			  operation != CPIS__V1__OPERATION__AUDIT_CONSISTENCY &&
			  operation != CPIS__V1__OPERATION__CHECKPOINT_EXCHANGE;
	request->session_token =
		(ProtobufCBinaryData){with_token ? client->token_bytes : 0, with_token ? client->token : NULL};
	return CPIS_OK;
}

// The connection that is asked first is at least being tried, whatever became of it before.
static enum cpis_status begin(struct call *call, uint32_t deadline_ms)
{
	struct cpis_client *client = call->client;
	// Before the time begins to count: a token may be slow.
	enum cpis_status status = sign_for(call, client_link(client)->broker.name);
	uint64_t now_ms = client_monotonic_ms();
	call->end_ms = now_ms + deadline_ms;
	rotation_begin(&call->rotation, client->link_count, client->at, now_ms, call->end_ms);
	for (size_t i = 0; i < client->link_count; i++)
		if (call->only != NULL && strcmp(client->links[i].broker.name, call->only) != 0)
			rotation_leave_out(&call->rotation, i, now_ms);
	read_events(client);
	client_link_open(client, client->at);
	for (size_t i = 0; i < client->link_count; i++)
		client->links[i].failed = client->links[i].refused = client->links[i].wrong_key_seen = false;
	call->must_send = true;
	return status;
}

static enum cpis_status run_call(struct call *call, uint32_t deadline_ms, struct client_reply **ret)
{
	struct cpis_client *client = call->client;
	struct client_reply *reply = NULL;
	enum cpis_status status = fill_envelope(client, call->request);
	if (status == CPIS_OK)
		status = begin(call, deadline_ms);
	if (status == CPIS_OK)
		status = exchange(call, &reply);
	if (status == CPIS_OK)
		status = judge(call, reply);
	else if (call->rotation.count > 0)
		client->at = call->rotation.at;
	client_links_keep_only(client, client->at);
	if (status != CPIS_OK && reply != NULL) {
		cpis_reply_free(&reply->reply);
		reply = NULL;
	}
	*ret = reply;
	return status;
}

static enum cpis_status make_call(struct call *call, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	struct cpis_client *client = call->client;
	Cpis__V1__Request *request = call->request;
	struct client_reply *reply = NULL;
	client->detail[0] = '\0';
	if (deadline_ms == 0 || deadline_ms > DEADLINE_MS_MAX)
		return client_fail(client, CPIS_USAGE, "the deadline must be 1 to %u ms", DEADLINE_MS_MAX);
	if (!arena_init(&call->arena, ARENA_BYTES))
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a request");
	enum cpis_status status = run_call(call, deadline_ms, &reply);
	request->session_token = request->act_signature = (ProtobufCBinaryData){0, NULL};
	arena_done(&call->arena);
	if (status == CPIS_OK)
		*ret = &reply->reply;
	return status;
}

enum cpis_status client_call(struct cpis_client *client, Cpis__V1__Request *request, client_sign *sign, void *context,
			     uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	struct call call = {.client = client, .request = request, .sign = sign, .sign_context = context};
	return make_call(&call, deadline_ms, ret);
}

// Where the call ended for want of an answer, what is proven next is for another one.
static void turn_away(struct cpis_client *client, const char *broker_name)
{
	size_t first = client->at;
	for (size_t i = 1; i < client->link_count; i++) {
		client->at = (first + i) % client->link_count;
		if (strcmp(client->links[client->at].broker.name, broker_name) != 0)
			return;
	}
	client->at = first;
}

enum cpis_status client_call_only(struct cpis_client *client, Cpis__V1__Request *request, client_sign *sign, void *context,
				  const char *broker_name, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	struct call call = {.client = client, .request = request, .sign = sign, .sign_context = context, .only = broker_name};
	enum cpis_status status = make_call(&call, deadline_ms, ret);
	if (status == CPIS_TIMEOUT || status == CPIS_UNREACHABLE || status == CPIS_REFUSED_AT_HANDSHAKE ||
	    (status == CPIS_OK && (*ret)->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE))
		turn_away(client, broker_name);
	return status;
}

// ------------------------------------------------------------------ signed acts

struct act {
	const char *staff_key;
	uint8_t signature[SIGNATURE_BYTES];
};

static enum cpis_status sign_bytes(struct cpis_client *client, struct act *act, const uint8_t *text, size_t bytes)
{
	struct signing_key *key = NULL;
	enum cpis_status opened = client_key_open(client, act->staff_key, &key);
	if (opened != CPIS_OK)
		return opened;
	enum certs_status status = signing_key_sign(key, text, bytes, act->signature);
	client_key_close(client, key);
	return status == CERTS_OK ? CPIS_OK
				  : client_fail(client, CPIS_CREDENTIALS, "%s: %s", client_key_name(act->staff_key),
						certs_status_text(status));
}

static enum cpis_status sign_act(struct cpis_client *client, Cpis__V1__Request *request, const char *broker_name, void *context)
{
	struct act *act = context;
	struct arena arena;
	size_t bytes;
	if (!arena_init(&arena, ARENA_BYTES))
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a request");
	request->act_time_ms = client_now_ms();
	const uint8_t *text = act_signed_bytes(&arena, request, broker_name, &bytes);
	enum cpis_status status = text == NULL
					  ? client_fail(client, CPIS_USAGE, "the request is larger than a message may be")
					  : sign_bytes(client, act, text, bytes);
	arena_done(&arena);
	request->act_signature = (ProtobufCBinaryData){SIGNATURE_BYTES, act->signature};
	return status;
}

enum cpis_status cpis_call(struct cpis_client *client, Cpis__V1__Request *request, uint32_t deadline_ms,
			   const Cpis__V1__Reply **ret)
{
	return client_call(client, request, NULL, NULL, deadline_ms, ret);
}

enum cpis_status cpis_call_signed(struct cpis_client *client, Cpis__V1__Request *request, const char *staff_key,
				  uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	if (staff_key == NULL)
		return client_fail(client, CPIS_USAGE, "the staff key is missing");
	struct act act = {.staff_key = staff_key};
	return client_call(client, request, sign_act, &act, deadline_ms, ret);
}

void cpis_set_interrupt(struct cpis_client *client, int fd)
{
	client->interruptible = fd >= 0;
	client->interrupt = fd;
}

void cpis_set_request_id(struct cpis_client *client, const uint8_t request_id[16])
{
	memcpy(client->request_id, request_id, sizeof client->request_id);
	client->has_request_id = true;
}

void cpis_reply_free(const Cpis__V1__Reply *reply)
{
	if (reply == NULL)
		return;
	struct client_reply *whole = (struct client_reply *)(uintptr_t)reply;
	arena_done(&whole->arena);
	free(whole);
}
