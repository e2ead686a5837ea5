// The bytes of a signed act, which are also what a browser proves: what is in them, and what is left out.
#include "proto/act.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

static struct arena arena;

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void teardown(void)
{
	arena_done(&arena);
}

// proto/README.md, "Before a browser", explains them.
static const uint8_t golden[] = {
	'c',  'p',  'i',  's',  '-',  'a',  'c',  't',	'-',  'v',  '1',  '\n', 'c',  'p',  'i',  's',	'-',  '1',  '\n', 0x08,
	0x01, 0x12, 0x10, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x30,
	0x80, 0xd0, 0x95, 0xff, 0xbc, 0x31, 0x82, 0x04, 0x00,
};

START_TEST(what_an_attempt_carries_is_not_signed_and_all_else_is)
{
	static uint8_t id[REQUEST_ID_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	static uint8_t some[SIGNATURE_BYTES];
	size_t bytes = 0;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__SessionCloseRequest body = CPIS__V1__SESSION_CLOSE_REQUEST__INIT;
	Cpis__V1__TlsHandshake handshake = CPIS__V1__TLS_HANDSHAKE__INIT;
	Cpis__V1__BrowserProof proof = CPIS__V1__BROWSER_PROOF__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.act_time_ms = 1700000000000;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_CLOSE;
	request.session_close = &body;
	const uint8_t *text = act_signed_bytes(&arena, &request, "cpis-1", &bytes);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(bytes, sizeof golden);
	ck_assert_mem_eq(text, golden, sizeof golden);
	handshake.transcript = request.act_signature = request.session_token = (ProtobufCBinaryData){sizeof some, some};
	proof.kind_case = CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE;
	proof.handshake = &handshake;
	request.act_browser_proof = &proof;
	request.deadline_ms = 5000;
	request.log_size = 7;
	request.trace_id = request.trace_parent_id = (ProtobufCBinaryData){sizeof some, some};
	text = act_signed_bytes(&arena, &request, "cpis-1", &bytes);
	ck_assert_uint_eq(bytes, sizeof golden);
	ck_assert_mem_eq(text, golden, sizeof golden);
	// Another broker, time or id is another text.
	ck_assert_mem_ne(act_signed_bytes(&arena, &request, "cpis-2", &bytes), golden, sizeof golden);
	request.act_time_ms++;
	ck_assert_mem_ne(act_signed_bytes(&arena, &request, "cpis-1", &bytes), golden, sizeof golden);
	request.act_time_ms--;
	id[15] ^= 1;
	ck_assert_mem_ne(act_signed_bytes(&arena, &request, "cpis-1", &bytes), golden, sizeof golden);
}
END_TEST

START_TEST(past_the_arenas_end_there_is_no_text)
{
	size_t bytes = 0;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	arena_done(&arena);
	ck_assert(arena_init(&arena, 16));
	ck_assert_ptr_null(act_signed_bytes(&arena, &request, "cpis-1", &bytes));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("act");
	TCase *tests = tcase_create("act");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_an_attempt_carries_is_not_signed_and_all_else_is);
	tcase_add_test(tests, past_the_arenas_end_there_is_no_text);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
