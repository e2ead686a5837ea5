// A bare CURVE connection for hostile tests.
#include "tests/harness/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <zmq.h>

#include "certs/identity.h"
#include "proto/act.h"
#include "proto/audit_record.h"

struct channel {
	struct world *world;
	void *context, *socket, *monitor;
	struct curve_key_pair key;
	struct note_verifier log;
};

static void must(const struct channel *channel, bool holds, const char *what)
{
	if (!holds)
		world_fail(channel->world, "channel: %s: %s", what, zmq_strerror(errno));
}

struct channel *channel_open(struct world *world, const char *key_path)
{
	return channel_open_at(world, world_endpoint(world), world_path(world, "authority/broker/broker.key"), key_path);
}

struct channel *channel_open_at(struct world *world, const char *endpoint, const char *broker_key_path,
				const char *key_path)
{
	static const int linger = 0, handshake_ms = 10000, unlimited = 0;
	struct channel *channel = calloc(1, sizeof *channel);
	if (channel == NULL)
		world_fail(world, "out of memory");
	channel->world = world;
	struct curve_key_pair broker;
	must(channel, (key_path == NULL ? curve_key_generate(&channel->key) : curve_key_load(key_path, &channel->key)) ==
			      CERTS_OK, "own key");
	must(channel, curve_key_load(broker_key_path, &broker) == CERTS_OK, "the broker's key");
	must(channel, note_verifier_load(world_path(world, "authority/trust/log.vkey"), &channel->log) == CERTS_OK,
	     "log.vkey");
	channel->context = zmq_ctx_new();
	channel->socket = zmq_socket(channel->context, ZMQ_DEALER);
	void *socket = channel->socket;
	must(channel,
	     socket != NULL && zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, broker.public_key, KEY_BYTES) == 0 &&
		     zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, channel->key.public_key, KEY_BYTES) == 0 &&
		     zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, channel->key.secret_key, KEY_BYTES) == 0 &&
		     zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
		     zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited) == 0 &&
		     zmq_setsockopt(socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited) == 0 &&
		     zmq_setsockopt(socket, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof handshake_ms) == 0,
	     "options");
	curve_key_wipe(&broker);
	must(channel,
	     zmq_socket_monitor(socket, "inproc://channel-events",
				ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
					ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
					ZMQ_EVENT_DISCONNECTED) == 0,
	     "monitor");
	channel->monitor = zmq_socket(channel->context, ZMQ_PAIR);
	must(channel, zmq_connect(channel->monitor, "inproc://channel-events") == 0, "monitor");
	must(channel, zmq_connect(socket, endpoint) == 0, "connect");
	return channel;
}

void channel_close(struct channel *channel)
{
	static const int linger = 0;
	if (channel == NULL)
		return;
	zmq_setsockopt(channel->monitor, ZMQ_LINGER, &linger, sizeof linger);
	zmq_close(channel->monitor);
	zmq_close(channel->socket);
	zmq_ctx_term(channel->context);
	curve_key_wipe(&channel->key);
	free(channel);
}

const uint8_t *channel_key(const struct channel *channel)
{
	return channel->key.public_key;
}

// The next of the events asked for in channel_open. zmq_socket_monitor(3): first frame is the event's number.
static uint16_t next_event(struct channel *channel)
{
	uint8_t frame[256];
	uint16_t event = 0;
	zmq_pollitem_t item = {.socket = channel->monitor, .events = ZMQ_POLLIN};
	must(channel, zmq_poll(&item, 1, CHANNEL_WAIT_MS) == 1, "the connection showed no event in time");
	must(channel, zmq_recv(channel->monitor, frame, sizeof frame, 0) >= 6, "event");
	memcpy(&event, frame, sizeof event);
	must(channel, zmq_recv(channel->monitor, frame, sizeof frame, 0) >= 0, "event's address");
	return event;
}

bool channel_admitted(struct channel *channel)
{
	for (;;) {
		switch (next_event(channel)) {
		case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
			return true;
		case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
		case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
			return false;
		}
	}
}

void channel_wait_closed(struct channel *channel)
{
	while (next_event(channel) != ZMQ_EVENT_DISCONNECTED)
		;
}

void channel_send(struct channel *channel, const void *data, size_t bytes)
{
	zmq_pollitem_t item = {.socket = channel->socket, .events = ZMQ_POLLOUT};
	must(channel, zmq_poll(&item, 1, CHANNEL_WAIT_MS) == 1, "cannot send in time");
	must(channel, zmq_send(channel->socket, data, bytes, ZMQ_DONTWAIT) == (int)bytes, "send");
}

uint8_t *channel_receive(struct channel *channel, int timeout_ms, size_t *ret_bytes)
{
	zmq_pollitem_t item = {.socket = channel->socket, .events = ZMQ_POLLIN};
	zmq_msg_t message;
	if (zmq_poll(&item, 1, timeout_ms) != 1)
		return NULL;
	must(channel, zmq_msg_init(&message) == 0 && zmq_msg_recv(&message, channel->socket, ZMQ_DONTWAIT) >= 0,
	     "receive");
	size_t bytes = zmq_msg_size(&message);
	uint8_t *copy = malloc(bytes + 1);
	must(channel, copy != NULL && !zmq_msg_more(&message), "a reply is one frame");
	memcpy(copy, zmq_msg_data(&message), bytes);
	zmq_msg_close(&message);
	*ret_bytes = bytes;
	return copy;
}

// ------------------------------------------------------------------ replies

static void prove(struct channel *channel, struct channel_reply *reply)
{
	const Cpis__V1__Receipt *receipt = reply->reply->receipt;
	struct merkle_hash path[MERKLE_HEIGHT_MAX];
	struct checkpoint checkpoint;
	struct wire_error error;
	if (receipt == NULL) {
		must(channel, reply->reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE, "a reply without receipt");
		return;
	}
	for (size_t i = 0; i < receipt->n_path; i++)
		memcpy(path[i].bytes, receipt->path[i].data, MERKLE_HASH_BYTES);
	must(channel,
	     receipt_verify(&channel->log, receipt->index, receipt->salt.data, receipt->record.data,
			    receipt->record.len, path, receipt->n_path, receipt->checkpoint,
			    strlen(receipt->checkpoint), &checkpoint) == CERTS_OK,
	     "a receipt does not hold");
	must(channel,
	     audit_record_decode(&reply->arena, receipt->record.data, receipt->record.len, &reply->record, &error) ==
		     WIRE_OK,
	     "a receipt's record");
	reply->index = receipt->index;
}

struct channel_reply *channel_poll_reply(struct channel *channel, int timeout_ms)
{
	size_t bytes;
	uint8_t *data = channel_receive(channel, timeout_ms, &bytes);
	struct wire_error error;
	if (data == NULL)
		return NULL;
	struct channel_reply *reply = calloc(1, sizeof *reply);
	must(channel, reply != NULL && arena_init(&reply->arena, 2 * ARENA_BYTES), "memory");
	enum wire_status status = wire_reply_decode(&reply->arena, data, bytes, &reply->reply, &error);
	if (status != WIRE_OK)
		world_fail(channel->world, "a reply is not well-formed at %s: %s", error.field, wire_status_text(status));
	free(data);
	prove(channel, reply);
	return reply;
}

struct channel_reply *channel_next_reply(struct channel *channel)
{
	struct channel_reply *reply = channel_poll_reply(channel, CHANNEL_WAIT_MS);
	must(channel, reply != NULL, "no reply in time");
	return reply;
}

void channel_reply_free(struct channel_reply *reply)
{
	if (reply == NULL)
		return;
	arena_done(&reply->arena);
	free(reply);
}

struct channel_reply *channel_exchange(struct channel *channel, const void *data, size_t bytes)
{
	channel_send(channel, data, bytes);
	return channel_next_reply(channel);
}

uint64_t channel_refused(struct channel_reply *reply, const char *reason_code)
{
	const Cpis__V1__Reply *told = reply->reply;
	if (told->outcome == CPIS__V1__OUTCOME__OK || strcmp(told->reason_code, reason_code) != 0)
		world_fail(NULL, "not refused with %s but '%s'", reason_code, told->reason_code);
	if (told->body_case != CPIS__V1__REPLY__BODY__NOT_SET || told->session_token.len != 0)
		world_fail(NULL, "the refusal %s says more than no", reason_code);
	if (reply->record == NULL || strcmp(reply->record->reason_code, reason_code) != 0 ||
	    reply->record->request_id.len != told->request_id.len ||
	    (told->request_id.len > 0 &&
	     memcmp(reply->record->request_id.data, told->request_id.data, told->request_id.len) != 0))
		world_fail(NULL, "the record of the refusal %s says something else", reason_code);
	uint64_t index = reply->index;
	channel_reply_free(reply);
	return index;
}

static void fill_envelope(const struct channel *channel, Cpis__V1__Request *request, uint8_t id[REQUEST_ID_BYTES])
{
	request->protocol_version = PROTOCOL_VERSION;
	request->deadline_ms = 10000;
	if (request->request_id.len != 0)
		return;
	must(channel, RAND_bytes(id, REQUEST_ID_BYTES) == 1, "random request id");
	request->request_id = (ProtobufCBinaryData){REQUEST_ID_BYTES, id};
}

static uint8_t *pack(const struct channel *channel, const Cpis__V1__Request *request, size_t *ret_bytes)
{
	size_t bytes = protobuf_c_message_get_packed_size(&request->base);
	uint8_t *packed = malloc(bytes + 1);
	must(channel, packed != NULL && bytes <= MESSAGE_BYTES_MAX, "request too large");
	*ret_bytes = protobuf_c_message_pack(&request->base, packed);
	return packed;
}

uint8_t *channel_pack(const struct channel *channel, Cpis__V1__Request *request, size_t *ret_bytes)
{
	uint8_t id[REQUEST_ID_BYTES];
	Cpis__V1__Request whole = *request;
	fill_envelope(channel, &whole, id);
	return pack(channel, &whole, ret_bytes);
}

uint8_t *channel_pack_act(const struct channel *channel, Cpis__V1__Request *request, const char *profile,
			  size_t *ret_bytes)
{
	uint8_t id[REQUEST_ID_BYTES], signature[ED25519_SIGNATURE_BYTES];
	Cpis__V1__Request whole = *request;
	struct signing_key *key = NULL;
	struct arena arena;
	size_t act_bytes;
	fill_envelope(channel, &whole, id);
	if (whole.act_time_ms == 0)
		whole.act_time_ms = world_now_ms();
	must(channel, arena_init(&arena, ARENA_BYTES), "memory");
	const uint8_t *act = act_signed_bytes(&arena, &whole, WORLD_BROKER_NAME, &act_bytes);
	must(channel,
	     act != NULL && signing_key_load(world_path(channel->world, "staff/%s.key", profile), &key) == CERTS_OK &&
		     signing_key_sign(key, act, act_bytes, signature) == CERTS_OK,
	     "an act cannot be signed");
	signing_key_free(key);
	arena_done(&arena);
	whole.act_signature = (ProtobufCBinaryData){sizeof signature, signature};
	return pack(channel, &whole, ret_bytes);
}

void channel_send_request(struct channel *channel, Cpis__V1__Request *request)
{
	size_t bytes;
	uint8_t *packed = channel_pack(channel, request, &bytes);
	channel_send(channel, packed, bytes);
	free(packed);
}

struct channel_reply *channel_request(struct channel *channel, Cpis__V1__Request *request)
{
	channel_send_request(channel, request);
	return channel_next_reply(channel);
}

struct channel_reply *channel_ping(struct channel *channel)
{
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	return channel_request(channel, &request);
}

// ------------------------------------------------------------------ sessions

struct statement channel_statement(const struct channel *channel, const char *profile)
{
	const struct world_person *person = world_person(profile);
	const struct world_system *system = world_systems;
	while (strcmp(system->file, person->system) != 0)
		system++;
	struct statement statement = {
		.uid = person->uid,
		.role = person->role,
		.organisation = system->ods,
		.broker_name = WORLD_BROKER_NAME,
		.time_ms = world_now_ms(),
	};
	memcpy(statement.channel_key, channel->key.public_key, KEY_BYTES);
	return statement;
}

static size_t pack_statement(const struct statement *from, uint8_t out[STATEMENT_BYTES_MAX])
{
	uint8_t nonce[NONCE_BYTES];
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	if (RAND_bytes(nonce, sizeof nonce) != 1)
		world_fail(NULL, "random nonce");
	statement.uid = (char *)(uintptr_t)from->uid;
	statement.role_code = (char *)(uintptr_t)from->role;
	statement.organisation = (char *)(uintptr_t)from->organisation;
	statement.broker_name = (char *)(uintptr_t)from->broker_name;
	statement.channel_key.len = KEY_BYTES;
	statement.channel_key.data = (uint8_t *)(uintptr_t)from->channel_key;
	statement.time_ms = from->time_ms;
	statement.nonce.len = sizeof nonce;
	statement.nonce.data = nonce;
	return protobuf_c_message_pack(&statement.base, out);
}

uint8_t *channel_sign_statement(struct world *world, const struct statement *statement, const char *certificate_path,
				const char *key_path, size_t *ret_bytes)
{
	static const char domain[] = "cpis-session-v1\n";
	const size_t domain_bytes = sizeof domain - 1;
	uint8_t message[sizeof domain + STATEMENT_BYTES_MAX], signature[ED25519_SIGNATURE_BYTES], id[REQUEST_ID_BYTES];
	memcpy(message, domain, domain_bytes);
	size_t bytes = pack_statement(statement, message + domain_bytes);
	struct signing_key *key = NULL;
	uint8_t *certificate = NULL;
	size_t certificate_bytes;
	if (signing_key_load(key_path, &key) != CERTS_OK ||
	    certificate_file_to_der(certificate_path, &certificate, &certificate_bytes) != CERTS_OK ||
	    signing_key_sign(key, message, domain_bytes + bytes, signature) != CERTS_OK ||
	    RAND_bytes(id, sizeof id) != 1)
		world_fail(world, "a statement cannot be signed with %s", key_path);
	signing_key_free(key);

	Cpis__V1__SessionOpenRequest open = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	open.statement = (ProtobufCBinaryData){.len = bytes, .data = message + domain_bytes};
	open.signature = (ProtobufCBinaryData){.len = sizeof signature, .data = signature};
	open.staff_certificate = (ProtobufCBinaryData){.len = certificate_bytes, .data = certificate};
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.deadline_ms = 10000;
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	request.session_open = &open;
	uint8_t *packed = malloc(protobuf_c_message_get_packed_size(&request.base));
	if (packed == NULL)
		world_fail(world, "out of memory");
	*ret_bytes = protobuf_c_message_pack(&request.base, packed);
	free(certificate);
	return packed;
}

struct channel_reply *channel_open_session(struct world *world, struct channel *channel, const char *profile)
{
	struct statement statement = channel_statement(channel, profile);
	size_t bytes;
	uint8_t *packed = channel_sign_statement(world, &statement, world_path(world, "staff/%s.pem", profile),
						 world_path(world, "staff/%s.key", profile), &bytes);
	struct channel_reply *reply = channel_exchange(channel, packed, bytes);
	free(packed);
	return reply;
}

ProtobufCBinaryData channel_token(struct channel *channel, const char *profile)
{
	struct channel_reply *reply = channel_open_session(channel->world, channel, profile);
	if (reply->reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(channel->world, "%s has no session: %s", profile, reply->reply->reason_code);
	const ProtobufCBinaryData *token = &reply->reply->session_open->session_token;
	ProtobufCBinaryData copy = {.len = token->len, .data = malloc(token->len)};
	must(channel, copy.data != NULL, "memory");
	memcpy(copy.data, token->data, token->len);
	channel_reply_free(reply);
	return copy;
}

struct channel_reply *channel_flag(struct channel *channel, ProtobufCBinaryData token, const char *nhs_number)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = (char *)(uintptr_t)nhs_number;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.session_token = token;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return channel_request(channel, &request);
}
