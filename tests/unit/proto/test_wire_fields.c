// The canonical rules, one by one, on every field of every message of cpis.proto.
#include "proto/wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/raw.h"

#define MESSAGES_MAX 256

static struct arena arena;
static struct wire_error error;
static struct raw raw;

// Every message type that any root reaches.
static const ProtobufCMessageDescriptor *messages[MESSAGES_MAX];
static size_t message_count;

static void collect(const ProtobufCMessageDescriptor *message)
{
	for (size_t i = 0; i < message_count; i++)
		if (messages[i] == message)
			return;
	ck_assert_uint_lt(message_count, MESSAGES_MAX);
	messages[message_count++] = message;
	for (unsigned i = 0; i < message->n_fields; i++)
		if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			collect(message->fields[i].descriptor);
}

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
	message_count = 0;
	collect(&cpis__v1__request__descriptor);
	collect(&cpis__v1__reply__descriptor);
	collect(&cpis__v1__session_statement__descriptor);
	collect(&cpis__v1__audit_record__descriptor);
	collect(&cpis__v1__audit_detail__descriptor);
	ck_assert_uint_gt(message_count, 30);
}

static void teardown(void)
{
	arena_done(&arena);
}

#define FOR_EACH_FIELD(message, field)                                                               \
	for (size_t m_ = 0; m_ < message_count; m_++)                                                \
		for (const ProtobufCMessageDescriptor *message = messages[m_]; message != NULL; message = NULL) \
			for (const ProtobufCFieldDescriptor *field = message->fields;                \
			     field < message->fields + message->n_fields; field++)

static bool is_number(const ProtobufCFieldDescriptor *field)
{
	return field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES &&
	       field->type != PROTOBUF_C_TYPE_MESSAGE;
}

static bool is_repeated(const ProtobufCFieldDescriptor *field)
{
	return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static bool in_oneof(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static bool is_checkpoint(const ProtobufCFieldDescriptor *field)
{
	return strcmp(field->name, "checkpoint") == 0;
}

static void write_number(const ProtobufCFieldDescriptor *field, uint64_t value)
{
	struct raw packed = {.count = 0};
	if (!is_repeated(field)) {
		raw_number(&raw, field->id, value);
		return;
	}
	raw_varint(&packed, value);
	raw_message(&raw, field->id, &packed);
}

// The field as it should be, with some value that is not its default.
static void write_valid(const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_ENUM) {
		const ProtobufCEnumDescriptor *values = field->descriptor;
		write_number(field, (uint64_t)values->values[values->n_values - 1].value);
	} else if (is_number(field)) {
		write_number(field, 1);
	} else {
		raw_text(&raw, field->id, field->type == PROTOBUF_C_TYPE_MESSAGE ? "" : "a");
	}
}

static void expect(const ProtobufCMessageDescriptor *message, const char *where, enum wire_status expected)
{
	enum wire_status status = raw_unpack(&arena, message, &raw, &error);
	if (status != expected)
		ck_abort_msg("%s.%s: %s (expected: %s)", message->name, where, wire_status_text(status),
			     wire_status_text(expected));
}

// Accepted, and packed again to the same bytes.
static void expect_round_trip(const ProtobufCMessageDescriptor *message, const char *where)
{
	ProtobufCMessage *unpacked = NULL;
	size_t bytes = 0;
	expect(message, where, WIRE_OK);
	ck_assert_int_eq(wire_unpack(&arena, message, raw.bytes, raw.count, &unpacked, &error), WIRE_OK);
	const uint8_t *packed = wire_pack(&arena, unpacked, &bytes);
	ck_assert_ptr_nonnull(packed);
	ck_assert_uint_eq(bytes, raw.count);
	ck_assert_mem_eq(packed, raw.bytes, bytes);
}

// ------------------------------------------------------------------ the schema

static unsigned depth_of(const ProtobufCMessageDescriptor *message, unsigned above)
{
	unsigned deepest = 0;
	ck_assert_msg(above <= MESSAGE_DEPTH_MAX, "%s contains itself, or is too deep", message->name);
	for (unsigned i = 0; i < message->n_fields; i++) {
		if (message->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		unsigned depth = 1 + depth_of(message->fields[i].descriptor, above + 1);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

// protobuf-c's decoder recurses without a limit of its own.
START_TEST(no_message_contains_itself)
{
	for (size_t i = 0; i < message_count; i++)
		ck_assert_uint_le(depth_of(messages[i], 0), MESSAGE_DEPTH_MAX);
}
END_TEST

START_TEST(the_schema_has_only_kinds_of_fields_that_the_scan_knows)
{
	FOR_EACH_FIELD(message, field) {
		bool known = field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_UINT64 ||
			     field->type == PROTOBUF_C_TYPE_BOOL || field->type == PROTOBUF_C_TYPE_ENUM ||
			     !is_number(field);
		ck_assert_msg(known, "%s.%s", message->name, field->name);
		ck_assert(field->label == PROTOBUF_C_LABEL_NONE || is_repeated(field));
		ck_assert_msg(!is_repeated(field) || !is_number(field) ||
				      (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0,
			      "%s.%s is not packed", message->name, field->name);
	}
}
END_TEST

// ------------------------------------------------------------------ each field by itself

START_TEST(takes_every_field_and_packs_it_again)
{
	FOR_EACH_FIELD(message, field) {
		raw.count = 0;
		write_valid(field);
		expect_round_trip(message, field->name);
	}
}
END_TEST

START_TEST(refuses_every_singular_field_twice)
{
	FOR_EACH_FIELD(message, field) {
		raw.count = 0;
		write_valid(field);
		write_valid(field);
		if (is_repeated(field) && !is_number(field)) {
			expect_round_trip(message, field->name);
		} else {
			expect(message, field->name, WIRE_REPEATED_SINGULAR);
			ck_assert_str_eq(error.field, field->name);
		}
	}
}
END_TEST

// Packed fields stand here as well: one element by itself, as a varint, is refused.
START_TEST(refuses_every_other_wire_type)
{
	FOR_EACH_FIELD(message, field) {
		unsigned right = is_number(field) && !is_repeated(field) ? 0 : 2;
		for (unsigned type = 0; type < 8; type++) {
			raw.count = 0;
			raw_varint(&raw, (uint64_t)field->id << 3 | type);
			raw_append(&raw, "\1\1\1\1\1\1\1\1", 8);
			if (type == right)
				continue;
			expect(message, field->name, WIRE_NOT_CANONICAL);
			ck_assert_str_eq(error.field, field->name);
		}
	}
}
END_TEST

START_TEST(refuses_every_default_that_is_written_out)
{
	FOR_EACH_FIELD(message, field) {
		raw.count = 0;
		if (is_number(field) && !is_repeated(field))
			raw_number(&raw, field->id, 0);
		else
			raw_text(&raw, field->id, "");
		bool counts = field->type == PROTOBUF_C_TYPE_MESSAGE || (is_repeated(field) && !is_number(field));
		if (counts)
			expect_round_trip(message, field->name);
		else
			expect(message, field->name, WIRE_NOT_CANONICAL);
	}
}
END_TEST

START_TEST(refuses_every_field_cut_short)
{
	FOR_EACH_FIELD(message, field) {
		raw.count = 0;
		write_valid(field);
		while (--raw.count > 0)
			expect(message, field->name, WIRE_TRUNCATED);
	}
}
END_TEST

START_TEST(refuses_a_length_past_the_end)
{
	static const uint64_t lengths[] = {9, 65536, UINT32_MAX, (uint64_t)UINT32_MAX + 9, INT64_MAX, UINT64_MAX};
	FOR_EACH_FIELD(message, field) {
		if (is_number(field) && !is_repeated(field))
			continue;
		for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
			raw.count = 0;
			raw_varint(&raw, (uint64_t)field->id << 3 | 2);
			raw_varint(&raw, lengths[i]);
			raw_append(&raw, "12345678", 8);
			expect(message, field->name, WIRE_TRUNCATED);
		}
	}
}
END_TEST

// The same number with one more byte that says nothing.
static void stretch(size_t last_byte)
{
	memmove(raw.bytes + last_byte + 2, raw.bytes + last_byte + 1, raw.count - last_byte - 1);
	raw.bytes[last_byte] |= 0x80;
	raw.bytes[last_byte + 1] = 0;
	raw.count++;
}

START_TEST(refuses_every_varint_that_is_longer_than_need_be)
{
	FOR_EACH_FIELD(message, field) {
		size_t tag_bytes = field->id < 16 ? 1 : 2;
		raw.count = 0;
		write_valid(field);
		stretch(tag_bytes - 1);
		expect(message, field->name, WIRE_NOT_CANONICAL);
		raw.count = 0;
		write_valid(field);
		stretch(tag_bytes); // the number, or the length
		expect(message, field->name, WIRE_NOT_CANONICAL);
		if (!is_number(field) || !is_repeated(field))
			continue;
		raw.count = 0;
		write_valid(field);
		stretch(tag_bytes + 1); // the element
		raw.bytes[tag_bytes] = 2;
		expect(message, field->name, WIRE_NOT_CANONICAL);
	}
}
END_TEST

START_TEST(holds_every_number_to_its_type)
{
	FOR_EACH_FIELD(message, field) {
		if (!is_number(field) || field->type == PROTOBUF_C_TYPE_ENUM)
			continue;
		uint64_t largest = field->type == PROTOBUF_C_TYPE_UINT64   ? UINT64_MAX
				   : field->type == PROTOBUF_C_TYPE_UINT32 ? UINT32_MAX
									   : 1;
		raw.count = 0;
		write_number(field, largest);
		expect_round_trip(message, field->name);
		if (largest == UINT64_MAX)
			continue;
		raw.count = 0;
		write_number(field, largest + 1);
		expect(message, field->name, WIRE_BAD_VALUE);
		raw.count = 0;
		write_number(field, UINT64_MAX);
		expect(message, field->name, WIRE_BAD_VALUE);
	}
}
END_TEST

START_TEST(refuses_every_value_that_is_not_in_the_enum)
{
	// The last ones would be known values after a cut to 32 bits, or are negative.
	static const uint64_t far[] = {INT32_MAX, (uint64_t)INT32_MAX + 1, UINT32_MAX, ((uint64_t)1 << 32) + 1, UINT64_MAX};
	FOR_EACH_FIELD(message, field) {
		if (field->type != PROTOBUF_C_TYPE_ENUM)
			continue;
		for (uint64_t number = 1; number < 200 + sizeof far / sizeof far[0]; number++) {
			uint64_t value = number < 200 ? number : far[number - 200];
			bool known = number < 200 &&
				     protobuf_c_enum_descriptor_get_value(field->descriptor, (int)value) != NULL;
			raw.count = 0;
			write_number(field, value);
			expect(message, field->name, known ? WIRE_OK : WIRE_BAD_VALUE);
		}
	}
}
END_TEST

START_TEST(refuses_varints_past_64_bits)
{
	static const struct {
		const char *bytes;
		size_t count;
	} bad[] = {{"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10}, {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11}};
	for (size_t i = 0; i < 2; i++) {
		raw.count = 0;
		raw_varint(&raw, 1 << 3);
		raw_append(&raw, bad[i].bytes, bad[i].count);
		expect(&cpis__v1__audit_show_request__descriptor, "index", WIRE_BAD_VALUE);
		raw.count = 0;
		raw_append(&raw, bad[i].bytes, bad[i].count);
		expect(&cpis__v1__audit_show_request__descriptor, "", WIRE_BAD_VALUE);
	}
}
END_TEST

START_TEST(holds_every_text_to_its_length)
{
	char text[CHECKPOINT_BYTES_MAX + 1];
	memset(text, 'x', sizeof text);
	FOR_EACH_FIELD(message, field) {
		if (field->type != PROTOBUF_C_TYPE_STRING)
			continue;
		size_t most = is_checkpoint(field) ? CHECKPOINT_BYTES_MAX
			      : strcmp(field->name, "message_text") == 0 ? MESSAGE_TEXT_BYTES_MAX
									     : TEXT_BYTES_MAX;
		raw.count = 0;
		raw_bytes(&raw, field->id, text, most);
		expect_round_trip(message, field->name);
		raw.count = 0;
		raw_bytes(&raw, field->id, text, most + 1);
		expect(message, field->name, WIRE_BAD_TEXT);
		ck_assert_str_eq(error.field, field->name);
	}
}
END_TEST

START_TEST(refuses_unclean_text_in_every_field)
{
	static const struct {
		const char *text;
		size_t bytes;
	} bad[] = {{"a\0b", 3},          {"\0", 1},           {"a\tb", 3},         {"a\x7F", 2},         {"\xC0\x80", 2},
		   {"\xC1\xA1", 2},      {"\xE0\x80\xAF", 3}, {"\xED\xA0\x80", 3}, {"\xF4\x90\x80\x80", 4}, {"\xC2\x85", 2},
		   {"\xE2\x80\xAE", 3}, {"\xFF", 1},         {"\xE2\x80", 2},     {"\r", 1}};
	FOR_EACH_FIELD(message, field) {
		if (field->type != PROTOBUF_C_TYPE_STRING)
			continue;
		for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
			raw.count = 0;
			raw_bytes(&raw, field->id, bad[i].text, bad[i].bytes);
			expect(message, field->name, WIRE_BAD_TEXT);
		}
		raw.count = 0;
		raw_text(&raw, field->id, "two\nlines\n");
		expect(message, field->name, is_checkpoint(field) ? WIRE_OK : WIRE_BAD_TEXT);
	}
}
END_TEST

START_TEST(holds_every_repeated_field_to_256_elements)
{
	FOR_EACH_FIELD(message, field) {
		if (!is_repeated(field))
			continue;
		for (size_t count = REPEATED_COUNT_MAX; count <= REPEATED_COUNT_MAX + 1; count++) {
			struct raw packed = {.count = 0};
			raw.count = 0;
			for (size_t i = 0; i < count && !is_number(field); i++)
				write_valid(field);
			for (size_t i = 0; i < count; i++)
				raw_varint(&packed, 1);
			if (is_number(field))
				raw_message(&raw, field->id, &packed);
			expect(message, field->name, count > REPEATED_COUNT_MAX ? WIRE_TOO_MANY : WIRE_OK);
		}
	}
}
END_TEST

// ------------------------------------------------------------------ fields together

START_TEST(takes_fields_in_order_only)
{
	FOR_EACH_FIELD(message, field) {
		if (field == message->fields)
			continue;
		raw.count = 0;
		write_valid(field);
		write_valid(field - 1);
		expect(message, field->name, WIRE_NOT_CANONICAL);
		if (in_oneof(field) && in_oneof(field - 1))
			continue;
		raw.count = 0;
		write_valid(field - 1);
		write_valid(field);
		expect_round_trip(message, field->name);
	}
}
END_TEST

START_TEST(refuses_two_members_of_one_oneof)
{
	FOR_EACH_FIELD(message, field) {
		for (unsigned i = 0; in_oneof(field) && message->fields + i < field; i++) {
			if (!in_oneof(&message->fields[i]))
				continue;
			raw.count = 0;
			write_valid(&message->fields[i]);
			write_valid(field);
			expect(message, field->name, WIRE_REPEATED_SINGULAR);
		}
	}
}
END_TEST

START_TEST(refuses_every_field_number_that_is_not_in_the_schema)
{
	static const uint64_t far[] = {19000, 536870911, 536870912, (uint64_t)INT32_MAX + 1, UINT32_MAX,
				       (uint64_t)UINT32_MAX + 2, UINT64_MAX >> 3};
	for (size_t m = 0; m < message_count; m++) {
		for (uint64_t number = 0; number < 100 + sizeof far / sizeof far[0]; number++) {
			uint64_t id = number < 100 ? number : far[number - 100];
			bool known = number < 100 &&
				     protobuf_c_message_descriptor_get_field(messages[m], (unsigned)id) != NULL;
			for (unsigned type = 0; type < 8 && !known; type++) {
				raw.count = 0;
				raw_varint(&raw, id << 3 | type);
				raw_append(&raw, "\1\1\1\1\1\1\1\1", 8);
				expect(messages[m], "unknown field", WIRE_UNKNOWN_FIELD);
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_fields");
	TCase *tcase = tcase_create("wire_fields");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, no_message_contains_itself);
	tcase_add_test(tcase, the_schema_has_only_kinds_of_fields_that_the_scan_knows);
	tcase_add_test(tcase, takes_every_field_and_packs_it_again);
	tcase_add_test(tcase, refuses_every_singular_field_twice);
	tcase_add_test(tcase, refuses_every_other_wire_type);
	tcase_add_test(tcase, refuses_every_default_that_is_written_out);
	tcase_add_test(tcase, refuses_every_field_cut_short);
	tcase_add_test(tcase, refuses_a_length_past_the_end);
	tcase_add_test(tcase, refuses_every_varint_that_is_longer_than_need_be);
	tcase_add_test(tcase, holds_every_number_to_its_type);
	tcase_add_test(tcase, refuses_every_value_that_is_not_in_the_enum);
	tcase_add_test(tcase, refuses_varints_past_64_bits);
	tcase_add_test(tcase, holds_every_text_to_its_length);
	tcase_add_test(tcase, refuses_unclean_text_in_every_field);
	tcase_add_test(tcase, holds_every_repeated_field_to_256_elements);
	tcase_add_test(tcase, takes_fields_in_order_only);
	tcase_add_test(tcase, refuses_two_members_of_one_oneof);
	tcase_add_test(tcase, refuses_every_field_number_that_is_not_in_the_schema);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
