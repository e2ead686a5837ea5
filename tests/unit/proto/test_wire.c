// The codec on honest messages: the golden vector, round trips, names, and what the header promises of both.
#include "proto/wire.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/proto/raw.h"

// A DETAILS request, byte by byte. Every client in any language has to send exactly this for these values.
static const uint8_t golden[] = {
	0x08, 0x01,                                                      // 1 protocol_version: 1
	0x12, 0x10,                                                      // 2 request_id: 16 bytes
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
	0x18, 0x88, 0x27,                                                // 3 deadline_ms: 5,000 = 0x27 * 128 + 0x08
	0x22, 0x04, 0xde, 0xad, 0xbe, 0xef,                              // 4 session_token: 4 bytes
	0x9a, 0x01, 0x10,                                                // 19 details: tag 19 * 8 + 2 = 154, 16 bytes
	0x0a, 0x0a, '9', '9', '9', '0', '0', '0', '0', '0', '1', '8',    //   1 nhs_number
	0x10, 0x01,                                                      //   2 care_setting: EMERGENCY_DEPARTMENT
	0x18, 0x01,                                                      //   3 access_type: UNSCHEDULED
};

static struct arena arena;
static struct wire_error error;

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void teardown(void)
{
	arena_done(&arena);
}

START_TEST(reads_the_golden_vector)
{
	Cpis__V1__Request *request = NULL;
	ck_assert_int_eq(wire_request_decode(&arena, golden, sizeof golden, &request, &error), WIRE_OK);
	ck_assert_uint_eq(request->protocol_version, 1);
	ck_assert_uint_eq(request->request_id.len, 16);
	ck_assert_mem_eq(request->request_id.data, golden + 4, 16);
	ck_assert_uint_eq(request->deadline_ms, 5000);
	ck_assert_uint_eq(request->session_token.len, 4);
	ck_assert_int_eq(wire_operation(request), CPIS__V1__OPERATION__DETAILS);
	ck_assert_str_eq(request->details->nhs_number, "9990000018");
	ck_assert_int_eq(request->details->care_setting, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
	ck_assert_int_eq(request->details->access_type, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
}
END_TEST

START_TEST(packs_the_golden_vector_from_its_values)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	uint8_t id[16], token[] = {0xde, 0xad, 0xbe, 0xef};
	char nhs_number[] = "9990000018";
	for (size_t i = 0; i < sizeof id; i++)
		id[i] = (uint8_t)(i * 0x11);
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 5000;
	request.session_token = (ProtobufCBinaryData){sizeof token, token};
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	details.nhs_number = nhs_number;
	details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	details.access_type = CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	size_t bytes = 0;
	const uint8_t *packed = wire_pack(&arena, &request.base, &bytes);
	ck_assert_ptr_nonnull(packed);
	ck_assert_uint_eq(bytes, sizeof golden);
	ck_assert_mem_eq(packed, golden, sizeof golden);
}
END_TEST

START_TEST(packs_the_golden_vector_again_to_the_same_bytes)
{
	ProtobufCMessage *message = NULL;
	ck_assert_int_eq(
		wire_unpack(&arena, &cpis__v1__request__descriptor, golden, sizeof golden, &message, &error), WIRE_OK);
	size_t bytes = 0;
	const uint8_t *packed = wire_pack(&arena, message, &bytes);
	ck_assert_ptr_nonnull(packed);
	ck_assert_uint_eq(bytes, sizeof golden);
	ck_assert_mem_eq(packed, golden, sizeof golden);
}
END_TEST

START_TEST(refuses_the_golden_vector_cut_anywhere_but_between_optional_fields)
{
	for (size_t count = 0; count < sizeof golden; count++) {
		Cpis__V1__Request *request = NULL;
		arena_reset(&arena);
		enum wire_status status = wire_request_decode(&arena, golden, count, &request, &error);
		ck_assert_msg(status == WIRE_TRUNCATED || status == WIRE_MISSING, "%zu bytes: %d", count, (int)status);
		ck_assert_ptr_null(request);
	}
}
END_TEST

START_TEST(takes_messages_without_a_byte)
{
	struct raw none = {.count = 0};
	ck_assert_int_eq(raw_unpack(&arena, &cpis__v1__ping_request__descriptor, &none, &error), WIRE_OK);
	ck_assert_int_eq(raw_request(&arena, &none, &error), WIRE_MISSING);
	ck_assert_str_eq(error.field, "protocol_version");
}
END_TEST

START_TEST(packs_nothing_past_the_arenas_end)
{
	struct arena small;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t token[1024] = {0};
	request.session_token = (ProtobufCBinaryData){sizeof token, token};
	size_t bytes = 7;
	ck_assert(arena_init(&small, 512));
	ck_assert_ptr_null(wire_pack(&small, &request.base, &bytes));
	ck_assert_uint_eq(bytes, 7);
	arena_done(&small);
}
END_TEST

// protobuf-c would read through the missing array.
START_TEST(aborts_on_a_repeated_field_without_its_elements)
{
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	size_t bytes;
	publish.n_records = 1;
	(void)wire_pack(&arena, &publish.base, &bytes);
}
END_TEST

START_TEST(decoding_runs_out_of_memory_with_a_status)
{
	for (size_t size = 0; size < 600; size += 8) {
		struct arena small;
		Cpis__V1__Request *request = NULL;
		ck_assert(arena_init(&small, size));
		enum wire_status status = wire_request_decode(&small, golden, sizeof golden, &request, &error);
		ck_assert_int_eq(status == WIRE_OK, request != NULL);
		ck_assert_msg(status == WIRE_OK || status == WIRE_NO_MEMORY, "%zu bytes: %d", size, (int)status);
		if (size < 128)
			ck_assert_int_eq(status, WIRE_NO_MEMORY);
		if (status == WIRE_NO_MEMORY) {
			ck_assert(error.has_request_id);
			ck_assert(small.overflowed || size == 0);
		}
		arena_done(&small);
	}
}
END_TEST

// ------------------------------------------------------------------ names

#define EXPECT_NAMES(descriptor, name_of, by_name, type)                                             \
	for (unsigned i = 0; i < (descriptor).n_values; i++) {                                       \
		int value = (descriptor).values[i].value;                                            \
		const char *name = name_of((type)value);                                             \
		type back = (type)99;                                                                \
		ck_assert_str_eq(name, (descriptor).values[i].name);                                 \
		ck_assert_int_eq(by_name(name, &back), value != 0);                                  \
		ck_assert_int_eq((int)back, value != 0 ? value : 99);                                \
	}                                                                                            \
	ck_assert_str_eq(name_of((type)99), "?")

START_TEST(names_every_operation_and_finds_it_again)
{
	const ProtobufCEnumDescriptor *all = &cpis__v1__operation__descriptor;
	Cpis__V1__Operation back = CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	for (unsigned i = 0; i < all->n_values; i++) {
		Cpis__V1__Operation operation = (Cpis__V1__Operation)all->values[i].value;
		ck_assert_str_eq(wire_operation_name(operation), all->values[i].name);
		// Neither what is not given nor what the broker records by itself can be asked for.
		bool can_be_asked = operation != 0 && operation < CPIS__V1__OPERATION__HANDSHAKE;
		ck_assert_int_eq(wire_operation_by_name(all->values[i].name, &back), can_be_asked);
		ck_assert(!can_be_asked || back == operation);
	}
	ck_assert_str_eq(wire_operation_name((Cpis__V1__Operation)99), "?");
}
END_TEST

START_TEST(names_every_care_setting_and_finds_it_again)
{
	EXPECT_NAMES(cpis__v1__care_setting__descriptor, wire_care_setting_name, wire_care_setting_by_name,
		     Cpis__V1__CareSetting);
}
END_TEST

START_TEST(names_every_plan_type_and_finds_it_again)
{
	EXPECT_NAMES(cpis__v1__plan_type__descriptor, wire_plan_type_name, wire_plan_type_by_name, Cpis__V1__PlanType);
}
END_TEST

START_TEST(names_every_outcome)
{
	for (unsigned i = 0; i < cpis__v1__outcome__descriptor.n_values; i++) {
		const ProtobufCEnumValue *value = &cpis__v1__outcome__descriptor.values[i];
		ck_assert_str_eq(wire_outcome_name((Cpis__V1__Outcome)value->value), value->name);
	}
	ck_assert_str_eq(wire_outcome_name((Cpis__V1__Outcome)99), "?");
}
END_TEST

START_TEST(finds_names_in_any_case_and_no_others)
{
	Cpis__V1__PlanType type = CPIS__V1__PLAN_TYPE__LAC;
	ck_assert(wire_plan_type_by_name("ucpp", &type));
	ck_assert_int_eq(type, CPIS__V1__PLAN_TYPE__UCPP);
	ck_assert(!wire_plan_type_by_name("", &type));
	ck_assert(!wire_plan_type_by_name("?", &type));
	ck_assert(!wire_plan_type_by_name("CPPX", &type));
	ck_assert(!wire_plan_type_by_name("CP", &type));
	ck_assert_int_eq(type, CPIS__V1__PLAN_TYPE__UCPP);
}
END_TEST

START_TEST(has_words_and_a_snomed_code_for_every_plan_type)
{
	const ProtobufCEnumDescriptor *types = &cpis__v1__plan_type__descriptor;
	for (unsigned i = 0; i < types->n_values; i++) {
		Cpis__V1__PlanType type = (Cpis__V1__PlanType)types->values[i].value;
		bool given = types->values[i].value != 0;
		ck_assert_int_eq(strcmp(wire_plan_type_words(type), "?") != 0, given);
		ck_assert_int_eq(strlen(wire_plan_type_snomed(type)) == 15, given);
	}
	ck_assert_str_eq(wire_plan_type_snomed(CPIS__V1__PLAN_TYPE__CPP), "342191000000101");
	ck_assert_str_eq(wire_plan_type_snomed(CPIS__V1__PLAN_TYPE__LAC), "764841000000100");
	ck_assert_str_eq(wire_plan_type_snomed(CPIS__V1__PLAN_TYPE__UCPP), "818901000000100");
}
END_TEST

// wire_operation counts on the two being numbered alike.
START_TEST(numbers_bodies_like_operations_both_ways)
{
	static const ProtobufCMessageDescriptor *const envelopes[] = {&cpis__v1__request__descriptor,
								      &cpis__v1__reply__descriptor};
	const ProtobufCEnumDescriptor *operations = &cpis__v1__operation__descriptor;
	for (size_t e = 0; e < 2; e++) {
		unsigned bodies = 0;
		for (unsigned i = 0; i < envelopes[e]->n_fields; i++)
			bodies += (envelopes[e]->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
		unsigned requests = 0;
		for (unsigned i = 0; i < operations->n_values; i++) {
			if (operations->values[i].value == 0 || operations->values[i].value >= CPIS__V1__OPERATION__HANDSHAKE)
				continue;
			requests++;
			const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
				envelopes[e], (unsigned)operations->values[i].value + 15);
			ck_assert_ptr_nonnull(field);
			ck_assert_int_eq(strcasecmp(field->name, operations->values[i].name), 0);
		}
		ck_assert_uint_eq(bodies, requests);
	}
}
END_TEST

START_TEST(says_the_operation_of_every_body)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	ck_assert_int_eq(wire_operation(&request), CPIS__V1__OPERATION__OPERATION_UNSPECIFIED);
	for (int field = 16; field <= 66; field++) {
		request.body_case = (Cpis__V1__Request__BodyCase)field;
		ck_assert_int_eq((int)wire_operation(&request), field - 15);
	}
	request.body_case = (Cpis__V1__Request__BodyCase)67;
	ck_assert_int_eq(wire_operation(&request), CPIS__V1__OPERATION__OPERATION_UNSPECIFIED);
}
END_TEST

START_TEST(has_a_sentence_for_every_status)
{
	for (int status = WIRE_OK; status <= WIRE_NO_MEMORY; status++)
		ck_assert_uint_gt(strlen(wire_status_text((enum wire_status)status)), 5);
	ck_assert_str_eq(wire_status_text((enum wire_status)99), "?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("wire");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads_the_golden_vector);
	tcase_add_test(tcase, packs_the_golden_vector_from_its_values);
	tcase_add_test(tcase, packs_the_golden_vector_again_to_the_same_bytes);
	tcase_add_test(tcase, refuses_the_golden_vector_cut_anywhere_but_between_optional_fields);
	tcase_add_test(tcase, takes_messages_without_a_byte);
	tcase_add_test(tcase, packs_nothing_past_the_arenas_end);
	tcase_add_test_raise_signal(tcase, aborts_on_a_repeated_field_without_its_elements, SIGABRT);
	tcase_add_test(tcase, decoding_runs_out_of_memory_with_a_status);
	tcase_add_test(tcase, names_every_operation_and_finds_it_again);
	tcase_add_test(tcase, names_every_care_setting_and_finds_it_again);
	tcase_add_test(tcase, names_every_plan_type_and_finds_it_again);
	tcase_add_test(tcase, names_every_outcome);
	tcase_add_test(tcase, finds_names_in_any_case_and_no_others);
	tcase_add_test(tcase, has_words_and_a_snomed_code_for_every_plan_type);
	tcase_add_test(tcase, numbers_bodies_like_operations_both_ways);
	tcase_add_test(tcase, says_the_operation_of_every_body);
	tcase_add_test(tcase, has_a_sentence_for_every_status);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
