// The replies have what every answer has: an outcome and a receipt.
#include "tests/unit/proto/whole.h"

static struct arena arena;
struct wire_error error;
static uint8_t id[REQUEST_ID_BYTES], bytes[SALT_BYTES];
static char note[] = "a note";

void whole_setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
}

void whole_teardown(void)
{
	arena_done(&arena);
}

void expect(const ProtobufCMessage *message, bool is_reply, enum wire_status status, const char *field)
{
	static uint8_t packed[MESSAGE_BYTES_MAX];
	Cpis__V1__Request *request = NULL;
	Cpis__V1__Reply *reply = NULL;
	size_t count = protobuf_c_message_pack(message, packed);
	arena_reset(&arena);
	enum wire_status got = is_reply ? wire_reply_decode(&arena, packed, count, &reply, &error)
					: wire_request_decode(&arena, packed, count, &request, &error);
	ck_assert_msg(got == status, "%s: %s", error.field, wire_status_text(got));
	if (status != WIRE_OK)
		ck_assert_str_eq(error.field, field);
}

Cpis__V1__Request request_of(Cpis__V1__Request__BodyCase body)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 1000;
	request.body_case = body;
	return request;
}

Cpis__V1__Reply reply_of(Cpis__V1__Receipt *receipt, Cpis__V1__Reply__BodyCase body)
{
	Cpis__V1__Reply reply = CPIS__V1__REPLY__INIT;
	cpis__v1__receipt__init(receipt);
	receipt->salt = (ProtobufCBinaryData){SALT_BYTES, bytes};
	receipt->record = (ProtobufCBinaryData){1, bytes};
	receipt->checkpoint = note;
	reply.protocol_version = PROTOCOL_VERSION;
	reply.request_id = (ProtobufCBinaryData){sizeof id, id};
	reply.outcome = CPIS__V1__OUTCOME__OK;
	reply.receipt = receipt;
	reply.body_case = body;
	return reply;
}
