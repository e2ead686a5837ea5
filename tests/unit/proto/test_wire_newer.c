// What a broker of a later version may have added to a reply or a record: passed over, within bounds, and still in its bytes. In a request
// it is refused.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "proto/audit_record.h"
#include "proto/limits.h"
#include "proto/wire.h"
#include "tests/unit/proto/raw.h"

static struct arena arena, other;
static struct raw raw;
static struct wire_error error;

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert(arena_init(&other, ARENA_BYTES));
}

static void teardown(void)
{
	arena_done(&arena);
	arena_done(&other);
}

// A SERVICE_UNAVAILABLE: the one reply that needs no receipt.
static void begin_reply(void)
{
	raw.count = 0;
	raw_number(&raw, 1, 1);
	raw_bytes(&raw, 2, "0123456789abcdef", 16);
	raw_number(&raw, 3, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
}

static enum wire_status decode_reply(void)
{
	Cpis__V1__Reply *reply = NULL;
	arena_reset(&arena);
	arena_reset(&other);
	enum wire_status status = wire_reply_decode(&arena, raw.bytes, raw.count, &reply, &error);
	if (status == WIRE_OK) {
		size_t bytes;
		const uint8_t *again = wire_pack(&other, &reply->base, &bytes);
		ck_assert_uint_eq(bytes, raw.count);
		ck_assert_mem_eq(again, raw.bytes, bytes);
	}
	return status;
}

START_TEST(a_later_versions_fields_in_a_reply_are_passed_over)
{
	begin_reply();
	raw_number(&raw, 1000, 7);
	raw_text(&raw, 1001, "whatever it is: \001\377");
	raw_text(&raw, 1001, "and once more");
	ck_assert_int_eq(decode_reply(), WIRE_OK);
	// And in what lies within: the receipt, whose fields end at 13 or before.
	struct raw receipt = {.count = 0};
	raw_number(&receipt, 2000, 1);
	raw.count = 0;
	raw_message(&raw, 8, &receipt);
	ProtobufCMessage *message = NULL;
	ck_assert_int_eq(wire_unpack_newer(&arena, &cpis__v1__reply__descriptor, raw.bytes, raw.count, &message, &error), WIRE_OK);
	ck_assert_int_eq(wire_unpack(&arena, &cpis__v1__reply__descriptor, raw.bytes, raw.count, &message, &error), WIRE_UNKNOWN_FIELD);
}
END_TEST

START_TEST(and_only_these)
{
	begin_reply();
	raw_number(&raw, 10, 1); // a number that was never used, below those that are
	ck_assert_int_eq(decode_reply(), WIRE_UNKNOWN_FIELD);
	begin_reply();
	raw_number(&raw, 1001, 1);
	raw_number(&raw, 1000, 1);
	ck_assert_int_eq(decode_reply(), WIRE_NOT_CANONICAL);
	begin_reply();
	raw_number(&raw, 1000, 1);
	raw_text(&raw, 5, "too late");
	ck_assert_int_eq(decode_reply(), WIRE_NOT_CANONICAL);
	begin_reply();
	raw_varint(&raw, 1000 << 3 | 5); // four bytes
	raw_append(&raw, "\1\1\1\1", 4);
	ck_assert_int_eq(decode_reply(), WIRE_NOT_CANONICAL);
	begin_reply();
	raw_varint(&raw, (uint64_t)536870912 << 3);
	raw_varint(&raw, 1);
	ck_assert_int_eq(decode_reply(), WIRE_UNKNOWN_FIELD);
	begin_reply();
	raw_varint(&raw, 1000 << 3 | 2);
	raw_varint(&raw, 5);
	raw_append(&raw, "\1\1", 2);
	ck_assert_int_eq(decode_reply(), WIRE_TRUNCATED);
	begin_reply();
	raw_varint(&raw, 1000 << 3);
	raw_append(&raw, "\200\0", 2);
	ck_assert_int_eq(decode_reply(), WIRE_NOT_CANONICAL);
}
END_TEST

START_TEST(as_many_as_sixteen)
{
	begin_reply();
	for (unsigned i = 0; i < NEWER_FIELDS_MAX; i++)
		raw_number(&raw, 1000 + i, 1);
	ck_assert_int_eq(decode_reply(), WIRE_OK);
	raw_number(&raw, 2000, 1);
	ck_assert_int_eq(decode_reply(), WIRE_TOO_MANY);
}
END_TEST

// What was asked for must be understood: an answer of a kind that this program does not know is none.
START_TEST(another_body_is_no_answer)
{
	begin_reply();
	raw.count -= 2;
	raw_number(&raw, 3, CPIS__V1__OUTCOME__OK);
	struct raw body = {.count = 0};
	raw_message(&raw, 900, &body);
	ck_assert_int_ne(decode_reply(), WIRE_OK);
}
END_TEST

START_TEST(a_record_may_have_them_and_both_readers_agree)
{
	Cpis__V1__AuditRecord *record = NULL;
	struct audit_record_keys keys;
	raw.count = 0;
	raw_number(&raw, 1, 1);
	raw_number(&raw, 2, 41);
	raw_number(&raw, 3, 1000);
	raw_number(&raw, 6, CPIS__V1__OUTCOME__OK);
	raw_text(&raw, 500, "of a later version");
	ck_assert_int_eq(audit_record_decode(&arena, raw.bytes, raw.count, &record, &error), WIRE_OK);
	ck_assert_uint_eq(record->index, 41);
	ck_assert_int_eq(audit_record_read_keys(raw.bytes, raw.count, &keys, &error), WIRE_OK);
	ck_assert_uint_eq(keys.index, 41);
}
END_TEST

START_TEST(a_request_may_not)
{
	raw_envelope(&raw);
	struct raw ping = {.count = 0};
	raw_message(&raw, 16, &ping);
	ck_assert_int_eq(raw_request(&arena, &raw, &error), WIRE_OK);
	raw_number(&raw, 1000, 1);
	ck_assert_int_eq(raw_request(&arena, &raw, &error), WIRE_UNKNOWN_FIELD);
	// Nor one more word about a known question.
	raw_envelope(&raw);
	raw_number(&ping, 1, 1);
	raw_message(&raw, 16, &ping);
	ck_assert_int_eq(raw_request(&arena, &raw, &error), WIRE_UNKNOWN_FIELD);
	ck_assert_str_eq(error.field, "ping");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_newer");
	TCase *tests = tcase_create("wire_newer");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_later_versions_fields_in_a_reply_are_passed_over);
	tcase_add_test(tests, and_only_these);
	tcase_add_test(tests, as_many_as_sixteen);
	tcase_add_test(tests, another_body_is_no_answer);
	tcase_add_test(tests, a_record_may_have_them_and_both_readers_agree);
	tcase_add_test(tests, a_request_may_not);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
