// Refusals without a record: the request's id where it can be read, and nothing else of it.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/refusal.h"
#include "proto/wire.h"

static Cpis__V1__Reply *refuse(struct arena *arena, enum reason reason, const void *data, size_t bytes)
{
	struct arena made;
	size_t reply_bytes = 0;
	Cpis__V1__Reply *decoded = NULL;
	struct wire_error error;
	ck_assert(arena_init(&made, REFUSAL_ARENA_BYTES));
	const uint8_t *reply = refusal_make(&made, reason, 70, data, bytes, &reply_bytes);
	ck_assert_int_eq(wire_reply_decode(arena, reply, reply_bytes, &decoded, &error), WIRE_OK);
	ck_assert_int_eq(decoded->outcome, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
	ck_assert_str_eq(decoded->reason_code, reason_word(reason));
	ck_assert_ptr_null(decoded->receipt);
	ck_assert_uint_eq(decoded->retry_after_ms, 70);
	arena_done(&made);
	return decoded;
}

START_TEST(it_has_the_request_id_and_no_data)
{
	struct arena arena;
	uint8_t id[REQUEST_ID_BYTES] = {9}, packed[100];
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.deadline_ms = 1000;
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	size_t bytes = cpis__v1__request__pack(&request, packed);
	ck_assert(arena_init(&arena, ARENA_BYTES));
	for (unsigned i = 0; i < 2; i++) {
		Cpis__V1__Reply *reply = refuse(&arena, i == 0 ? REASON_DRAINING : REASON_BUSY, packed, bytes);
		ck_assert_mem_eq(reply->request_id.data, id, sizeof id);
		ck_assert_int_eq(reply->body_case, CPIS__V1__REPLY__BODY__NOT_SET);
	}
	arena_done(&arena);
}
END_TEST

START_TEST(what_cannot_be_read_is_refused_without_an_id)
{
	static const uint8_t short_id[] = {0x08, 0x01, 0x12, 0x02, 0x41, 0x42};
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert_uint_eq(refuse(&arena, REASON_BUSY, "garbage", 7)->request_id.len, 0);
	ck_assert_uint_eq(refuse(&arena, REASON_BUSY, "", 0)->request_id.len, 0);
	ck_assert_uint_eq(refuse(&arena, REASON_BUSY, short_id, sizeof short_id)->request_id.len, 0);
	arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("refusal");
	TCase *tests = tcase_create("refusal");
	tcase_add_test(tests, it_has_the_request_id_and_no_data);
	tcase_add_test(tests, what_cannot_be_read_is_refused_without_an_id);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
