// What a member of staff signs: session statements and acts. And requests and replies of each operation, in one log.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "proto/act.h"
#include "tests/interop/vectors.h"

#define OPERATIONS_FILE "tests/interop/operations.json"
#define TOKEN "a sealed token, opaque"
#define SESSION_CONTEXT "cpis-session-v1\n"


static void *take(struct vectors *vectors, size_t bytes)
{
	void *at = arena_alloc(&vectors->arena, bytes);
	vectors_must(at != NULL, "the arena is full");
	return memset(at, 0, bytes);
}

static ProtobufCBinaryData random_bytes(struct vectors *vectors, size_t bytes)
{
	ProtobufCBinaryData made = {bytes, take(vectors, bytes)};
	vectors_must(RAND_bytes(made.data, (int)bytes) == 1, "random bytes");
	return made;
}

static ProtobufCBinaryData sign(struct vectors *vectors, const uint8_t *text, size_t bytes)
{
	ProtobufCBinaryData made = {SIGNATURE_BYTES, take(vectors, SIGNATURE_BYTES)};
	vectors_must(signing_key_sign(vectors->staff_key, text, bytes, made.data) == CERTS_OK, "signature");
	return made;
}

// ------------------------------------------------------------------ statements

static ProtobufCBinaryData statement_of(struct vectors *vectors, const char *role, const char *broker, uint64_t time_ms)
{
	Cpis__V1__SessionStatement statement = CPIS__V1__SESSION_STATEMENT__INIT;
	size_t bytes = 0;
	statement.uid = vectors->staff.uid;
	statement.role_code = (char *)(uintptr_t)role;
	statement.organisation = vectors->system.organisation;
	statement.channel_key = (ProtobufCBinaryData){KEY_BYTES, vectors->system.curve_public};
	statement.broker_name = (char *)(uintptr_t)broker;
	statement.time_ms = time_ms;
	statement.nonce = random_bytes(vectors, NONCE_BYTES);
	const uint8_t *packed = wire_pack(&vectors->arena, &statement.base, &bytes);
	vectors_must(packed != NULL, "statement");
	return (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)packed};
}

static ProtobufCBinaryData sign_statement(struct vectors *vectors, ProtobufCBinaryData statement, ProtobufCBinaryData *ret_text)
{
	size_t context = strlen(SESSION_CONTEXT);
	*ret_text = (ProtobufCBinaryData){context + statement.len, take(vectors, context + statement.len)};
	memcpy(ret_text->data, SESSION_CONTEXT, context);
	memcpy(ret_text->data + context, statement.data, statement.len);
	return sign(vectors, ret_text->data, ret_text->len);
}

static json_t *hex(ProtobufCBinaryData data)
{
	return vectors_hex(data.data, data.len);
}

static json_t *session_json(struct vectors *vectors, const char *role, const char *broker, uint64_t time_ms)
{
	struct wire_error error;
	ProtobufCMessage *read = NULL;
	ProtobufCBinaryData statement = statement_of(vectors, role, broker, time_ms), text;
	ProtobufCBinaryData signature = sign_statement(vectors, statement, &text);
	vectors_must(wire_unpack(&vectors->arena, &cpis__v1__session_statement__descriptor, statement.data, statement.len, &read, &error) ==
			     WIRE_OK, "statement");
	const Cpis__V1__SessionStatement *told = (const Cpis__V1__SessionStatement *)(const void *)read;
	return json_pack("{s:{s:s,s:s,s:s,s:o,s:s,s:I,s:o},s:o,s:o,s:o}", "fields", "uid", told->uid, "role_code", told->role_code,
			 "organisation", told->organisation, "channel_key", hex(told->channel_key), "broker_name", told->broker_name,
			 "time_ms", (json_int_t)told->time_ms, "nonce", hex(told->nonce), "statement", hex(statement), "signed",
			 hex(text), "signature", hex(signature));
}

static void write_sessions(struct vectors *vectors)
{
	json_t *cases = json_array();
	json_array_append_new(cases, session_json(vectors, "R8001", VECTORS_BROKER, VECTORS_NOW_MS));
	json_array_append_new(cases, session_json(vectors, "R0050", "second-broker", VECTORS_NOW_MS + 1));
	vectors_write(vectors, "sessions.json",
		      "Session statements, what is signed of them, and the signature. TEST KEY: everybody has it.",
		      json_pack("{s:o,s:o,s:o}", "staff_key", vectors_file_text(vectors_path(vectors, "staff/grace.key")),
				"staff_certificate", vectors_file_hex_der(vectors_path(vectors, "staff/grace.pem")), "cases", cases));
}

// ------------------------------------------------------------------ operations

struct operations {
	struct vectors *vectors;
	struct vector_log log;
	json_t *exchanges, *acts, *altered;
};

static bool needs_token(const Cpis__V1__Request *request)
{
	return request->body_case != CPIS__V1__REQUEST__BODY_PING && request->body_case != CPIS__V1__REQUEST__BODY_SESSION_OPEN &&
	       request->body_case != CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY;
}

static void fill_opening(struct vectors *vectors, Cpis__V1__SessionOpenRequest *opening)
{
	ProtobufCBinaryData text;
	uint8_t *der = NULL;
	size_t bytes = 0;
	opening->statement = statement_of(vectors, "R8001", VECTORS_BROKER, VECTORS_NOW_MS);
	opening->signature = sign_statement(vectors, opening->statement, &text);
	vectors_must(certificate_file_to_der(vectors_path(vectors, "staff/grace.pem"), &der, &bytes) == CERTS_OK, "certificate");
	opening->staff_certificate = (ProtobufCBinaryData){bytes, take(vectors, bytes)};
	memcpy(opening->staff_certificate.data, der, bytes);
	free(der);
}

static void fill_envelope(struct operations *operations, Cpis__V1__Request *request)
{
	static char token[] = TOKEN;
	request->protocol_version = PROTOCOL_VERSION;
	request->request_id = random_bytes(operations->vectors, REQUEST_ID_BYTES);
	request->deadline_ms = 5000;
	request->log_size = operations->log.tree.size;
	if (needs_token(request))
		request->session_token = (ProtobufCBinaryData){strlen(token), (uint8_t *)token};
	if (request->body_case == CPIS__V1__REQUEST__BODY_SESSION_OPEN)
		fill_opening(operations->vectors, request->session_open);
}

static json_t *packed_hex(struct vectors *vectors, const ProtobufCMessage *message)
{
	size_t bytes = 0;
	const uint8_t *packed = wire_pack(&vectors->arena, message, &bytes);
	vectors_must(packed != NULL, "message");
	return vectors_hex(packed, bytes);
}

static void add_act(struct operations *operations, Cpis__V1__Request *request)
{
	struct vectors *vectors = operations->vectors;
	size_t bytes = 0;
	request->act_time_ms = VECTORS_NOW_MS;
	const uint8_t *text = act_signed_bytes(&vectors->arena, request, VECTORS_BROKER, &bytes);
	vectors_must(text != NULL, "act");
	request->act_signature = sign(vectors, text, bytes);
	json_array_append_new(operations->acts,
			      json_pack("{s:s,s:o,s:o,s:o}", "broker_name", VECTORS_BROKER, "request", packed_hex(vectors, &request->base),
					"signed", vectors_hex(text, bytes), "signature", hex(request->act_signature)));
}

// What is made here has to be what the codec takes.
static void must_decode(struct vectors *vectors, const Cpis__V1__Request *request, const Cpis__V1__Reply *reply)
{
	struct wire_error error = {0};
	size_t bytes = 0;
	Cpis__V1__Request *read_request = NULL;
	Cpis__V1__Reply *read_reply = NULL;
	const uint8_t *packed = wire_pack(&vectors->arena, &request->base, &bytes);
	vectors_must(wire_request_decode(&vectors->arena, packed, bytes, &read_request, &error) == WIRE_OK, error.field);
	packed = wire_pack(&vectors->arena, &reply->base, &bytes);
	vectors_must(wire_reply_decode(&vectors->arena, packed, bytes, &read_reply, &error) == WIRE_OK, error.field);
}

// A message with a byte altered, left out or put in, and whether it is still one by the rules of the encoding. Most bytes of a receipt are
// opaque: what is altered is near the beginning or the end.
static void add_altered(struct operations *operations, const char *type, const ProtobufCMessage *message, unsigned times)
{
	struct vectors *vectors = operations->vectors;
	size_t bytes = 0;
	const uint8_t *packed = wire_pack(&vectors->arena, message, &bytes);
	for (unsigned i = 0; i < times; i++) {
		uint8_t draw[4], *copy = take(vectors, bytes + 1);
		struct wire_error error;
		ProtobufCMessage *read = NULL;
		vectors_must(RAND_bytes(draw, sizeof draw) == 1, "random bytes");
		memcpy(copy, packed, bytes);
		size_t within = draw[0] % (bytes < 80 ? bytes : 80), at = draw[1] % 2 == 0 ? within : bytes - 1 - within, count = bytes;
		if (draw[1] / 2 % 4 < 2) {
			copy[at] = draw[1] / 8 % 2 == 0 ? draw[2] : (uint8_t)(copy[at] ^ (1u << draw[2] % 8));
		} else if (draw[1] / 2 % 4 == 2) {
			memmove(copy + at, copy + at + 1, --count - at);
		} else {
			memmove(copy + at + 1, copy + at, count++ - at);
			copy[at] = draw[3] % 2 == 0 ? 0 : draw[2];
		}
		bool good = (message->descriptor == &cpis__v1__reply__descriptor ? wire_unpack_newer : wire_unpack)(
				    &vectors->arena, message->descriptor, copy, count, &read, &error) == WIRE_OK;
		json_array_append_new(operations->altered, json_pack("{s:s,s:o,s:b}", "type", type, "bytes", vectors_hex(copy, count), "good", good));
	}
}

static void add_exchange(struct operations *operations, const json_t *source)
{
	struct vectors *vectors = operations->vectors;
	json_t *asked = json_object_get(source, "request"), *told = json_object_get(source, "reply");
	Cpis__V1__AuditRecord record;
	Cpis__V1__Request *request =
		(Cpis__V1__Request *)(void *)json_message(&vectors->arena, &cpis__v1__request__descriptor, asked);
	Cpis__V1__Reply *reply = (Cpis__V1__Reply *)(void *)json_message(&vectors->arena, &cpis__v1__reply__descriptor, told);
	uint64_t held = operations->log.tree.size;
	fill_envelope(operations, request);
	if (json_is_true(json_object_get(source, "signed")))
		add_act(operations, request);
	reply->protocol_version = PROTOCOL_VERSION;
	reply->request_id = request->request_id;
	reply->outcome = CPIS__V1__OUTCOME__OK;
	vector_record(&operations->log, request, &record);
	vector_log_seal(vectors, &operations->log, &record, held, reply);
	must_decode(vectors, request, reply);
	add_altered(operations, "Request", &request->base, 16);
	add_altered(operations, "Reply", &reply->base, 3);
	json_array_append_new(
		operations->exchanges,
		json_pack("{s:{s:o,s:o,s:I,s:o},s:{s:o,s:o}}", "request", "bytes", packed_hex(vectors, &request->base), "session_token",
			  hex(request->session_token), "log_size", (json_int_t)request->log_size, "body", json_deep_copy(asked), "reply",
			  "bytes", packed_hex(vectors, &reply->base), "body", json_deep_copy(told)));
}

// A request up to its body, and the number of a child as the first field of a flag query, in hexadecimal.
#define ENVELOPE "0801" "121000112233445566778899aabbccddeeff" "188827"
#define NUMBER "0a0a39393930303030303138"

static const char *const not_canonical[][2] = {
	{"fields out of order", "188827" "121000112233445566778899aabbccddeeff" "0801" "820100"},
	{"a default value written out", ENVELOPE "2200" "820100"},
	{"a default value written out, further down", ENVELOPE "92010e" NUMBER "1000"},
	{"a varint longer than it need be", "088100" "121000112233445566778899aabbccddeeff" "188827" "820100"},
	{"an unknown field", ENVELOPE "820100" "fa0f00"},
	{"an unknown field, further down", ENVELOPE "92010f" NUMBER "a00601"},
	{"an unknown value of an enum", ENVELOPE "92010e" NUMBER "1063"},
	{"a singular field twice", "0801" ENVELOPE "820100"},
	{"two bodies", ENVELOPE "820100" "92010c" NUMBER},
	{"repeated numbers that are not packed", ENVELOPE "b20102" "0801"},
	{"a newline in a text", ENVELOPE "92011b" NUMBER "1a0d" "74686520666972730a742e2e2e"},
	{"cut short", ENVELOPE "8201"},
};

static json_t *malformed_json(struct vectors *vectors)
{
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof not_canonical / sizeof not_canonical[0]; i++) {
		uint8_t bytes[128];
		size_t count = vectors_unhex(not_canonical[i][1], bytes, sizeof bytes);
		struct wire_error error;
		Cpis__V1__Request *request = NULL;
		vectors_must(wire_request_decode(&vectors->arena, bytes, count, &request, &error) != WIRE_OK, not_canonical[i][0]);
		json_array_append_new(list, json_pack("{s:s,s:o}", "name", not_canonical[i][0], "request", vectors_hex(bytes, count)));
	}
	return list;
}

void vectors_make_signed(struct vectors *vectors)
{
	write_sessions(vectors);
}

void vectors_make_operations(struct vectors *vectors)
{
	static struct operations operations;
	json_error_t error;
	size_t i;
	json_t *source, *list = json_load_file(OPERATIONS_FILE, 0, &error);
	vectors_must(list != NULL, error.text);
	operations = (struct operations){.vectors = vectors, .exchanges = json_array(), .acts = json_array(), .altered = json_array()};
	operations.log.origin = VECTORS_ORIGIN;
	operations.log.key = vectors->log_key;
	json_array_foreach(list, i, source)
		add_exchange(&operations, source);
	json_decref(list);
	json_t *vkey = vectors_file_text(vectors_path(vectors, "ra/trust/log.vkey"));
	vectors_write(vectors, "operations.json",
		      "A request and its reply of each operation, one after the other in one log. `body` is protobuf's JSON mapping of the "
		      "body (session_open's is filled), and of a reply its renewed token.",
		      json_pack("{s:o,s:s,s:s,s:s,s:o,s:o}", "vkey", vkey, "organisation", VECTORS_ORGANISATION, "system_name",
				VECTORS_SYSTEM, "broker_name", VECTORS_BROKER, "exchanges", operations.exchanges, "not_well_formed",
				malformed_json(vectors)));
	vectors_write(vectors, "altered.json", "Messages altered by a byte, and whether they are still of the form that messages have.",
		      json_pack("{s:o}", "cases", operations.altered));
	vectors_write(vectors, "acts.json",
		      "Signed acts: the request as it is sent, what of it is signed for this broker, and the signature by sessions.json's key.",
		      json_pack("{s:o}", "cases", operations.acts));
}
