// Bytes that mean harm: bombs, floods, nesting. All refused with a status, in bounded memory.
#include "proto/wire.h"

#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/raw.h"

static struct arena arena;
static struct wire_error error;
static struct raw raw;

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void teardown(void)
{
	arena_done(&arena);
}

static void expect_request(enum wire_status expected, const char *field)
{
	enum wire_status status = raw_request(&arena, &raw, &error);
	ck_assert_msg(status == expected, "%s at %s", wire_status_text(status), error.field);
	ck_assert_str_eq(error.field, field);
}

// protobuf-c has not been called: it would have asked for memory.
static void expect_refused_before_protobuf_c(enum wire_status expected, const char *field)
{
	expect_request(expected, field);
	ck_assert_uint_eq(arena.used, 0);
	ck_assert(!arena.overflowed);
	ck_assert(error.has_request_id);
	ck_assert_mem_eq(error.request_id, "0123456789abcdef", REQUEST_ID_BYTES);
}

// ------------------------------------------------------------------ bombs

// protobuf-c merges each with the one before it: quadratic time, and memory for every step.
START_TEST(refuses_a_merge_bomb_of_65503_bytes)
{
	struct raw flag = {.count = 0};
	raw_text(&flag, 1, "9990000018");
	raw_envelope(&raw);
	while (raw.count + flag.count + 3 <= MESSAGE_BYTES_MAX)
		raw_message(&raw, 18, &flag);
	// The last one fills what is left: its tag and length take three bytes.
	size_t left = MESSAGE_BYTES_MAX - raw.count;
	flag.count = 0;
	if (left >= 3) {
		raw_varint(&raw, 18 << 3 | 2);
		raw_varint(&raw, left - 3);
		raw_append(&raw, "xxxxxxxxxxxxxxxx", left - 3);
	}
	ck_assert_uint_le(MESSAGE_BYTES_MAX - raw.count, 2);
	while (raw.count < MESSAGE_BYTES_MAX)
		raw_byte(&raw, 0);
	expect_refused_before_protobuf_c(WIRE_REPEATED_SINGULAR, "flag");
}
END_TEST

// Two bytes each on the wire, and 90 or so in memory.
START_TEST(refuses_a_flood_of_empty_sub_messages)
{
	struct raw publish = {.count = 0};
	raw_text(&publish, 1, "383");
	while (publish.count + 2 < MESSAGE_BYTES_MAX - 100)
		raw_text(&publish, 4, "");
	raw_envelope(&raw);
	raw_message(&raw, 20, &publish);
	expect_refused_before_protobuf_c(WIRE_TOO_MANY, "publish.records");
}
END_TEST

START_TEST(refuses_a_flood_of_packed_numbers)
{
	struct raw acknowledge = {.count = 0};
	static uint8_t numbers[65000];
	memset(numbers, 1, sizeof numbers);
	raw_bytes(&acknowledge, 1, numbers, sizeof numbers);
	raw_envelope(&raw);
	raw_message(&raw, 22, &acknowledge);
	expect_refused_before_protobuf_c(WIRE_TOO_MANY, "inbox_acknowledge.ids");
}
END_TEST

START_TEST(refuses_a_flood_of_unknown_fields)
{
	raw_envelope(&raw);
	while (raw.count < MESSAGE_BYTES_MAX - 2)
		raw_number(&raw, 15, 1);
	expect_refused_before_protobuf_c(WIRE_UNKNOWN_FIELD, "");
}
END_TEST

START_TEST(refuses_another_body_after_the_first)
{
	raw_envelope(&raw);
	for (unsigned field = 16; field <= 24; field++)
		raw_text(&raw, field, "");
	expect_refused_before_protobuf_c(WIRE_REPEATED_SINGULAR, "session_open");
}
END_TEST

// One byte on the wire is four in memory for plan types, and every item brings three messages.
START_TEST(holds_the_densest_message_that_passes_the_scan_to_the_arena)
{
	static uint8_t types[REPEATED_COUNT_MAX];
	struct raw notification = {.count = 0}, item = {.count = 0}, list = {.count = 0};
	memset(types, 1, sizeof types);
	raw_bytes(&notification, 3, types, 240);
	raw_text(&notification, 4, ""); // an Access
	raw_message(&item, 16, &notification);
	for (unsigned i = 0; i < REPEATED_COUNT_MAX; i++)
		raw_message(&list, 1, &item);
	raw.count = 0;
	raw_message(&raw, 21, &list);
	ck_assert_uint_gt(raw.count, MESSAGE_BYTES_MAX - 2000);
	ck_assert_int_eq(raw_unpack(&arena, &cpis__v1__reply__descriptor, &raw, &error), WIRE_OK);
	ck_assert_uint_gt(arena.used, 4 * raw.count);
	ck_assert_uint_lt(arena.used, ARENA_BYTES / 2);
}
END_TEST

// ------------------------------------------------------------------ nesting

static void nest(struct raw *out, unsigned field, unsigned levels)
{
	struct raw inner;
	out->count = 0;
	for (unsigned i = 0; i < levels; i++) {
		inner.count = 0;
		raw_append(&inner, out->bytes, out->count);
		out->count = 0;
		raw_message(out, field, &inner);
	}
}

START_TEST(refuses_deep_nesting_in_unknown_fields)
{
	struct raw nested;
	nest(&nested, 15, 10000);
	ck_assert_uint_gt(nested.count, 20000);
	raw_envelope(&raw);
	raw_append(&raw, nested.bytes, nested.count);
	expect_refused_before_protobuf_c(WIRE_UNKNOWN_FIELD, "");
}
END_TEST

START_TEST(refuses_deep_nesting_inside_a_body)
{
	struct raw nested;
	nest(&nested, 19, 10000);
	raw_envelope(&raw);
	raw_append(&raw, nested.bytes, nested.count);
	expect_refused_before_protobuf_c(WIRE_UNKNOWN_FIELD, "details");
}
END_TEST

START_TEST(refuses_groups)
{
	raw_envelope(&raw);
	for (unsigned i = 0; i < 20000; i++)
		raw_varint(&raw, 99 << 3 | 3);
	expect_refused_before_protobuf_c(WIRE_UNKNOWN_FIELD, "");
	raw_envelope(&raw);
	raw_varint(&raw, 19 << 3 | 3);
	raw_varint(&raw, 19 << 3 | 4);
	expect_refused_before_protobuf_c(WIRE_NOT_CANONICAL, "details");
}
END_TEST

// No message of ours contains itself, so the limit on depth needs one that does.
struct nested {
	ProtobufCMessage base;
	struct nested *inner;
};

static const ProtobufCMessageDescriptor nested_descriptor;
static const ProtobufCFieldDescriptor nested_field = {
	.name = "inner",
	.id = 1,
	.label = PROTOBUF_C_LABEL_NONE,
	.type = PROTOBUF_C_TYPE_MESSAGE,
	.offset = offsetof(struct nested, inner),
	.descriptor = &nested_descriptor,
};
static const unsigned nested_by_name[] = {0};
static const ProtobufCIntRange nested_ranges[] = {{1, 0}, {0, 1}};
static const ProtobufCMessageDescriptor nested_descriptor = {
	.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
	.name = "Nested",
	.short_name = "Nested",
	.c_name = "Nested",
	.sizeof_message = sizeof(struct nested),
	.n_fields = 1,
	.fields = &nested_field,
	.fields_sorted_by_name = nested_by_name,
	.n_field_ranges = 1,
	.field_ranges = nested_ranges,
};

START_TEST(nests_8_deep_and_not_deeper)
{
	nest(&raw, 1, MESSAGE_DEPTH_MAX);
	ck_assert_int_eq(raw_unpack(&arena, &nested_descriptor, &raw, &error), WIRE_OK);
	nest(&raw, 1, MESSAGE_DEPTH_MAX + 1);
	ck_assert_int_eq(raw_unpack(&arena, &nested_descriptor, &raw, &error), WIRE_TOO_DEEP);
	nest(&raw, 1, 10000);
	ck_assert_int_eq(raw_unpack(&arena, &nested_descriptor, &raw, &error), WIRE_TOO_DEEP);
	// The path is cut, not written past its end.
	ck_assert_uint_lt(strlen(error.field), sizeof error.field);
}
END_TEST

// ------------------------------------------------------------------ what is still said about a refused message

START_TEST(reports_the_request_id_where_it_could_be_read)
{
	raw_envelope(&raw);
	raw_number(&raw, 15, 1);
	expect_refused_before_protobuf_c(WIRE_UNKNOWN_FIELD, "");
	raw_envelope(&raw);
	raw_byte(&raw, 0x9a);
	expect_refused_before_protobuf_c(WIRE_TRUNCATED, "");
	// Out of order, and still there.
	raw.count = 0;
	raw_number(&raw, 3, 5000);
	raw_bytes(&raw, 2, "0123456789abcdef", 16);
	expect_refused_before_protobuf_c(WIRE_NOT_CANONICAL, "request_id");
}
END_TEST

START_TEST(reports_no_request_id_where_there_is_none)
{
	raw.count = 0;
	raw_append(&raw, "\xFF\xFF\xFF\xFF", 4);
	expect_request(WIRE_TRUNCATED, "");
	ck_assert(!error.has_request_id);
	raw.count = 0;
	raw_number(&raw, 1, 1);
	raw_bytes(&raw, 2, "0123456789abcdef", 15);
	expect_request(WIRE_BAD_VALUE, "request_id");
	ck_assert(!error.has_request_id);
	raw.count = 0;
	raw_number(&raw, 1, 1);
	raw_varint(&raw, 2 << 3 | 2);
	raw_varint(&raw, 16);
	raw_append(&raw, "0123456789abcde", 15);
	expect_request(WIRE_TRUNCATED, "request_id");
	ck_assert(!error.has_request_id);
}
END_TEST

START_TEST(reports_a_later_version_even_if_it_has_other_fields)
{
	raw.count = 0;
	raw_number(&raw, 1, 2);
	raw_bytes(&raw, 2, "0123456789abcdef", 16);
	raw_text(&raw, 500, "new in version 2");
	expect_refused_before_protobuf_c(WIRE_UNKNOWN_FIELD, "");
	ck_assert(error.version_unsupported);
}
END_TEST

START_TEST(names_the_field_by_its_path)
{
	struct raw record = {.count = 0}, publish = {.count = 0};
	raw_text(&record, 1, "a\nb");
	raw_text(&publish, 1, "383");
	raw_text(&publish, 4, "");
	raw_message(&publish, 4, &record);
	raw_envelope(&raw);
	raw_message(&raw, 20, &publish);
	expect_refused_before_protobuf_c(WIRE_BAD_TEXT, "publish.records.nhs_number");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_hostile");
	TCase *tcase = tcase_create("wire_hostile");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, refuses_a_merge_bomb_of_65503_bytes);
	tcase_add_test(tcase, refuses_a_flood_of_empty_sub_messages);
	tcase_add_test(tcase, refuses_a_flood_of_packed_numbers);
	tcase_add_test(tcase, refuses_a_flood_of_unknown_fields);
	tcase_add_test(tcase, refuses_another_body_after_the_first);
	tcase_add_test(tcase, holds_the_densest_message_that_passes_the_scan_to_the_arena);
	tcase_add_test(tcase, refuses_deep_nesting_in_unknown_fields);
	tcase_add_test(tcase, refuses_deep_nesting_inside_a_body);
	tcase_add_test(tcase, refuses_groups);
	tcase_add_test(tcase, nests_8_deep_and_not_deeper);
	tcase_add_test(tcase, reports_the_request_id_where_it_could_be_read);
	tcase_add_test(tcase, reports_no_request_id_where_there_is_none);
	tcase_add_test(tcase, reports_a_later_version_even_if_it_has_other_fields);
	tcase_add_test(tcase, names_the_field_by_its_path);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
