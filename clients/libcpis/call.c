// One request and its reply: sending, waiting, sending again, and what is believed of the answer.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <zmq.h>

#include "clients/libcpis/backoff.h"
#include "clients/libcpis/client_priv.h"
#include "proto/act.h"

// A request that got lost on a connection that looks alive is sent again after this time, and after what it asked to wait.
#define RESEND_MS 2000u

struct call {
	struct cpis_client *client;
	Cpis__V1__Request *request;
	struct arena arena;          // packed requests
	uint64_t end_ms;             // monotonic, as are the others
	uint64_t sent_ms;
	unsigned turned_away;        // how often the broker has had no time for it
	uint64_t wait_until_ms;      // the broker asked not to be asked again before; 0: it did not
	bool must_send;
	bool ever_sent;
	bool refused;                // at the handshake
};

// ------------------------------------------------------------------ the connection's events

static void note_event(struct call *call, uint16_t event, uint32_t value)
{
	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		call->client->lost = false;
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		// 300 is "come later": the library goes on trying, and so do we.
		call->refused = value >= 400;
		call->client->lost = true;
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		call->client->wrong_key_seen = true;
		call->client->lost = true;
		break;
	case ZMQ_EVENT_DISCONNECTED:
		call->client->lost = true;
		// Whether the request got through is not known. Its id makes sending it again harmless.
		if (call->wait_until_ms == 0)
			call->must_send = true;
		break;
	default:
		break;
	}
}

static void read_events(struct call *call)
{
	for (;;) {
		struct {
			uint16_t event;
			uint32_t value;
		} __attribute__((packed)) head;
		char address[256];
		if (zmq_recv(call->client->monitor, &head, sizeof head, ZMQ_DONTWAIT) != (int)sizeof head)
			return;
		int bytes = zmq_recv(call->client->monitor, address, sizeof address, ZMQ_DONTWAIT);
		(void)bytes; // our own endpoint
		note_event(call, head.event, head.value);
	}
}

// libzmq gives a connection up for good after a refusal, and after bytes that it does not understand: whoever can spoil
// one byte on the way would silence this client for ever. Each call begins with a connection that is at least being tried.
static void connect_again(struct cpis_client *client)
{
	if (!client->lost)
		return;
	(void)zmq_disconnect(client->socket, client->endpoint); // ENOENT when libzmq has given it up
	client->lost = zmq_connect(client->socket, client->endpoint) != 0;
}

// ------------------------------------------------------------------ out and in

static enum cpis_status send_request(struct call *call, uint64_t now_ms)
{
	size_t bytes = 0;
	arena_reset(&call->arena);
	call->request->deadline_ms = (uint32_t)(call->end_ms - now_ms);
	const uint8_t *packed = wire_pack(&call->arena, &call->request->base, &bytes);
	if (packed == NULL || bytes > MESSAGE_BYTES_MAX)
		return client_fail(call->client, CPIS_USAGE, "the request is larger than a message may be");
	if (zmq_send(call->client->socket, packed, bytes, ZMQ_DONTWAIT) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return CPIS_OK;
		return client_fail(call->client, CPIS_USAGE, "cannot send: %s", zmq_strerror(errno));
	}
	call->must_send = false;
	call->ever_sent = true;
	call->wait_until_ms = 0;
	call->sent_ms = now_ms;
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
static enum cpis_status receive_reply(struct call *call, struct client_reply **ret)
{
	enum cpis_status status = CPIS_OK;
	zmq_msg_t message;
	*ret = NULL;
	zmq_msg_init(&message);
	struct client_reply *reply = NULL;
	if (zmq_msg_recv(&message, call->client->socket, ZMQ_DONTWAIT) < 0)
		goto out;
	if (zmq_msg_more(&message)) {
		skip_frames(call->client->socket);
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

static uint32_t silence_ms(const Cpis__V1__Request *request)
{
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_INBOX_LIST:
		return RESEND_MS + request->inbox_list->wait_ms;
	case CPIS__V1__REQUEST__BODY_INBOX_TAKE:
		return RESEND_MS + request->inbox_take->wait_ms;
	case CPIS__V1__REQUEST__BODY_RESPONDER_TAKE:
		return RESEND_MS + request->responder_take->wait_ms;
	default:
		return RESEND_MS;
	}
}

// The broker could not answer now, says when to come back, and there is time for that. Without random bytes everybody comes back as
// soon as they may.
static bool comes_back(struct call *call, const Cpis__V1__Reply *reply, uint64_t now_ms)
{
	uint32_t random = 0;
	if (reply->outcome != CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE || reply->retry_after_ms == 0 ||
	    now_ms + reply->retry_after_ms >= call->end_ms)
		return false;
	if (RAND_bytes((unsigned char *)&random, sizeof random) != 1)
		random = 0;
	uint64_t latest_ms = (now_ms + reply->retry_after_ms + call->end_ms) / 2;
	call->wait_until_ms = now_ms + backoff_ms(reply->retry_after_ms, call->turned_away++, random);
	// Later than that there would hardly be time for the answer.
	if (call->wait_until_ms > latest_ms)
		call->wait_until_ms = latest_ms;
	return true;
}

// ------------------------------------------------------------------ the call

static enum cpis_status out_of_time(const struct call *call)
{
	struct cpis_client *client = call->client;
	if (call->ever_sent)
		return client_fail(client, CPIS_TIMEOUT, "%s did not answer in time", client->endpoint);
	if (client->wrong_key_seen)
		return client_fail(client, CPIS_UNREACHABLE,
				   "%s answers and does not hold the key of the broker's certificate", client->endpoint);
	return client_fail(client, CPIS_UNREACHABLE, "%s cannot be reached", client->endpoint);
}

static long next_wake(const struct call *call, uint64_t now_ms)
{
	uint64_t at = call->end_ms;
	if (call->wait_until_ms != 0)
		at = call->wait_until_ms;
	else if (!call->must_send && call->sent_ms + silence_ms(call->request) < at)
		at = call->sent_ms + silence_ms(call->request);
	return at <= now_ms ? 0 : (long)(at - now_ms);
}

static enum cpis_status exchange(struct call *call, struct client_reply **ret)
{
	struct cpis_client *client = call->client;
	for (;;) {
		uint64_t now_ms = client_monotonic_ms();
		if (now_ms >= call->end_ms)
			return out_of_time(call);
		if ((call->wait_until_ms != 0 && now_ms >= call->wait_until_ms) ||
		    (call->wait_until_ms == 0 && !call->must_send && now_ms >= call->sent_ms + silence_ms(call->request)))
			call->must_send = true;
		zmq_pollitem_t items[] = {
			{.socket = client->socket, .events = (short)(ZMQ_POLLIN | (call->must_send ? ZMQ_POLLOUT : 0))},
			{.socket = client->monitor, .events = ZMQ_POLLIN},
			{.fd = client->interrupt, .events = ZMQ_POLLIN},
		};
		if (zmq_poll(items, client->interruptible ? 3 : 2, next_wake(call, now_ms)) < 0 && errno != EINTR)
			return client_fail(client, CPIS_USAGE, "cannot wait: %s", zmq_strerror(errno));
		read_events(call);
		enum cpis_status status = receive_reply(call, ret);
		if (status != CPIS_OK)
			return status;
		if (*ret != NULL && !comes_back(call, &(*ret)->reply, client_monotonic_ms()))
			return CPIS_OK;
		if (*ret != NULL) {
			cpis_reply_free(&(*ret)->reply);
			*ret = NULL;
			continue;
		}
		if (items[2].revents != 0)
			return client_fail(client, CPIS_INTERRUPTED, "there was no answer yet");
		if (call->refused && client->enrolling)
			return client_fail(client, CPIS_REFUSED_AT_HANDSHAKE,
					   "%s does not let a new key in: is it the enrolment endpoint?", client->endpoint);
		if (call->refused)
			return client_fail(client, CPIS_REFUSED_AT_HANDSHAKE,
					   "the system %s of %s is not enrolled there, or no longer",
					   client->system.name, client->system.organisation);
		now_ms = client_monotonic_ms();
		if (call->must_send && now_ms < call->end_ms && (items[0].revents & ZMQ_POLLOUT) != 0)
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
	request->act_time_ms = 0;
	request->act_signature = (ProtobufCBinaryData){0, NULL};
	// What needs none would only make an old token travel for nothing.
	Cpis__V1__Operation operation = wire_operation(request);
	bool with_token = operation != CPIS__V1__OPERATION__PING && operation != CPIS__V1__OPERATION__SESSION_OPEN &&
			  operation != CPIS__V1__OPERATION__AUDIT_CONSISTENCY &&
			  operation != CPIS__V1__OPERATION__CHECKPOINT_EXCHANGE;
	request->session_token =
		(ProtobufCBinaryData){with_token ? client->token_bytes : 0, with_token ? client->token : NULL};
	return CPIS_OK;
}

static enum cpis_status sign_act(struct call *call, const char *staff_key, uint8_t signature[SIGNATURE_BYTES])
{
	struct cpis_client *client = call->client;
	struct signing_key *key = NULL;
	size_t bytes;
	call->request->act_time_ms = client_now_ms();
	const uint8_t *act = act_signed_bytes(&call->arena, call->request, client->broker.name, &bytes);
	if (act == NULL)
		return client_fail(client, CPIS_USAGE, "the request is larger than a message may be");
	enum cpis_status opened = client_key_open(client, staff_key, &key);
	if (opened != CPIS_OK)
		return opened;
	enum certs_status status = signing_key_sign(key, act, bytes, signature);
	client_key_close(client, key);
	if (status != CERTS_OK)
		return client_fail(client, CPIS_CREDENTIALS, "%s: %s", client_key_name(staff_key), certs_status_text(status));
	call->request->act_signature = (ProtobufCBinaryData){SIGNATURE_BYTES, signature};
	return CPIS_OK;
}

static enum cpis_status run_call(struct cpis_client *client, Cpis__V1__Request *request, const char *staff_key,
				 uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	struct call call = {.client = client, .request = request, .must_send = true};
	uint8_t signature[SIGNATURE_BYTES];
	struct client_reply *reply = NULL;
	client->detail[0] = '\0';
	if (deadline_ms == 0 || deadline_ms > DEADLINE_MS_MAX)
		return client_fail(client, CPIS_USAGE, "the deadline must be 1 to %u ms", DEADLINE_MS_MAX);
	if (!arena_init(&call.arena, ARENA_BYTES))
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a request");
	enum cpis_status status = fill_envelope(client, request);
	if (status == CPIS_OK && staff_key != NULL)
		status = sign_act(&call, staff_key, signature);
	call.end_ms = client_monotonic_ms() + deadline_ms;
	read_events(&call);
	connect_again(client);
	call.refused = client->wrong_key_seen = false;
	if (status == CPIS_OK)
		status = exchange(&call, &reply);
	if (status == CPIS_OK)
		status = judge(&call, reply);
	request->session_token = request->act_signature = (ProtobufCBinaryData){0, NULL};
	arena_done(&call.arena);
	if (status != CPIS_OK) {
		if (reply != NULL)
			cpis_reply_free(&reply->reply);
		return status;
	}
	*ret = &reply->reply;
	return CPIS_OK;
}

enum cpis_status cpis_call(struct cpis_client *client, Cpis__V1__Request *request, uint32_t deadline_ms,
			   const Cpis__V1__Reply **ret)
{
	return run_call(client, request, NULL, deadline_ms, ret);
}

enum cpis_status cpis_call_signed(struct cpis_client *client, Cpis__V1__Request *request, const char *staff_key,
				  uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	if (staff_key == NULL)
		return client_fail(client, CPIS_USAGE, "the staff key is missing");
	return run_call(client, request, staff_key, deadline_ms, ret);
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
