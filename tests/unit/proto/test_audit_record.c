// Audit records read back, and compared with the request and reply that they should speak of.
#include "proto/audit_entry.h"
#include "proto/audit_record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static Cpis__V1__AuditRecord record;
static Cpis__V1__Request request;
static Cpis__V1__Reply reply;
static Cpis__V1__Receipt receipt;
static Cpis__V1__DetailsRequest details;
static struct wire_error error;
static uint8_t id[REQUEST_ID_BYTES + 1] = "0123456789abcdef", other_id[REQUEST_ID_BYTES] = {0}, tag[TAG_BYTES + 1];
static char reason_code[] = "role_lacks_activity", other_code[] = "other_authority";

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
	cpis__v1__audit_record__init(&record);
	record.version = 1;
	record.index = 7;
	record.time_ms = 1795402800000;
	record.request_id = (ProtobufCBinaryData){REQUEST_ID_BYTES, id};
	record.operation = CPIS__V1__OPERATION__DETAILS;
	record.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
	record.reason_code = reason_code;
	record.subject_tag = record.person_tag = (ProtobufCBinaryData){TAG_BYTES, tag};
	cpis__v1__request__init(&request);
	cpis__v1__details_request__init(&details);
	request.request_id = record.request_id;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	cpis__v1__reply__init(&reply);
	cpis__v1__receipt__init(&receipt);
	reply.outcome = record.outcome;
	reply.reason_code = reason_code;
	reply.receipt = &receipt;
	receipt.index = 7;
}

static void teardown(void)
{
	arena_done(&arena);
}

static enum wire_status decode(void)
{
	Cpis__V1__AuditRecord *decoded = NULL;
	size_t bytes = 0;
	arena_reset(&arena);
	const uint8_t *packed = wire_pack(&arena, &record.base, &bytes);
	ck_assert_ptr_nonnull(packed);
	enum wire_status status = audit_record_decode(&arena, packed, bytes, &decoded, &error);
	ck_assert_int_eq(status, error.status);
	ck_assert_int_eq(status == WIRE_OK, decoded != NULL);
	if (decoded != NULL)
		ck_assert_uint_eq(decoded->index, record.index);
	return status;
}

START_TEST(reads_back_what_was_stored)
{
	ck_assert_int_eq(decode(), WIRE_OK);
}
END_TEST

START_TEST(takes_a_record_of_a_request_that_could_not_be_read)
{
	record.request_id.len = record.subject_tag.len = record.person_tag.len = 0;
	record.operation = CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	record.outcome = CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED;
	ck_assert_int_eq(decode(), WIRE_OK);
}
END_TEST

START_TEST(refuses_other_versions)
{
	record.version = 0;
	ck_assert_int_eq(decode(), WIRE_BAD_VALUE);
	ck_assert_str_eq(error.field, "audit_record");
	record.version = 2;
	ck_assert_int_eq(decode(), WIRE_BAD_VALUE);
}
END_TEST

START_TEST(refuses_a_record_without_an_outcome)
{
	record.outcome = CPIS__V1__OUTCOME__OUTCOME_UNSPECIFIED;
	ck_assert_int_eq(decode(), WIRE_BAD_VALUE);
}
END_TEST

START_TEST(refuses_request_ids_and_tags_of_another_size)
{
	static const size_t sizes[] = {1, 15, 17};
	ProtobufCBinaryData *fields[] = {&record.request_id, &record.subject_tag, &record.person_tag};
	for (size_t f = 0; f < 3; f++) {
		for (size_t i = 0; i < 3; i++) {
			fields[f]->len = sizes[i];
			ck_assert_int_eq(decode(), WIRE_BAD_VALUE);
		}
		fields[f]->len = 16;
	}
	ck_assert_int_eq(decode(), WIRE_OK);
}
END_TEST

START_TEST(refuses_bytes_that_are_not_a_record)
{
	Cpis__V1__AuditRecord *decoded = NULL;
	static const uint8_t twice[] = {0x08, 0x01, 0x08, 0x01}, cut[] = {0x08, 0x01, 0x22, 0x10, 0x00};
	ck_assert_int_eq(audit_record_decode(&arena, twice, sizeof twice, &decoded, &error), WIRE_REPEATED_SINGULAR);
	ck_assert_int_eq(audit_record_decode(&arena, cut, sizeof cut, &decoded, &error), WIRE_TRUNCATED);
	ck_assert_int_eq(audit_record_decode(&arena, cut, 0, &decoded, &error), WIRE_BAD_VALUE);
	ck_assert_ptr_null(decoded);
}
END_TEST

static bool same_bytes(struct wire_value value, const void *data, size_t bytes)
{
	return value.bytes == bytes && (bytes == 0 || memcmp(value.data, data, bytes) == 0);
}

// Two ways to read a record: they must take the same ones, and give the same.
static void assert_keys_agree(const uint8_t *bytes, size_t count)
{
	Cpis__V1__AuditRecord *decoded = NULL;
	struct audit_record_keys keys;
	struct wire_error keys_error;
	arena_reset(&arena);
	enum wire_status status = audit_record_decode(&arena, bytes, count, &decoded, &error);
	ck_assert_int_eq(audit_record_read_keys(bytes, count, &keys, &keys_error), status);
	ck_assert_int_eq(keys_error.status, status);
	ck_assert_str_eq(keys_error.field, error.field);
	if (status != WIRE_OK)
		return;
	ck_assert(keys.index == decoded->index && keys.time_ms == decoded->time_ms);
	ck_assert(same_bytes(keys.organisation, decoded->organisation, strlen(decoded->organisation)));
	ck_assert(same_bytes(keys.subject_tag, decoded->subject_tag.data, decoded->subject_tag.len));
	ck_assert(same_bytes(keys.person_tag, decoded->person_tag.data, decoded->person_tag.len));
}

START_TEST(keys_are_those_of_the_record_for_every_changed_byte)
{
	static char organisation[] = "RXH", name[] = "hospital";
	uint8_t bytes[400], changed[400];
	record.organisation = organisation;
	record.system_name = name;
	record.seal_key = 1;
	record.sealed_detail = (ProtobufCBinaryData){REQUEST_ID_BYTES, id};
	size_t count = cpis__v1__audit_record__pack(&record, bytes);
	assert_keys_agree(bytes, count);
	for (size_t at = 0; at < count; at++) {
		memcpy(changed, bytes, count);
		for (unsigned value = 0; value < 256; value++) {
			changed[at] = (uint8_t)value;
			assert_keys_agree(changed, count);
		}
		assert_keys_agree(bytes, at);
	}
	record.subject_tag.len = 0;
	record.organisation = (char *)(uintptr_t)"";
	assert_keys_agree(bytes, cpis__v1__audit_record__pack(&record, bytes));
}
END_TEST

START_TEST(runs_out_of_memory_with_a_status)
{
	struct arena small;
	Cpis__V1__AuditRecord *decoded = NULL;
	static const uint8_t bytes[] = {0x08, 0x01, 0x30, 0x01};
	ck_assert(arena_init(&small, 64));
	ck_assert_int_eq(audit_record_decode(&small, bytes, sizeof bytes, &decoded, &error), WIRE_NO_MEMORY);
	ck_assert_ptr_null(decoded);
	arena_done(&small);
}
END_TEST

START_TEST(matches_its_own_request_and_reply)
{
	ck_assert(audit_record_matches(&record, &request, &reply));
}
END_TEST

START_TEST(matches_no_other_request)
{
	request.request_id.data = other_id;
	ck_assert(!audit_record_matches(&record, &request, &reply));
	request.request_id = (ProtobufCBinaryData){0, NULL};
	ck_assert(!audit_record_matches(&record, &request, &reply));
	request.request_id = record.request_id;
	record.request_id.len = 0;
	ck_assert(!audit_record_matches(&record, &request, &reply));
}
END_TEST

START_TEST(matches_no_other_operation_but_an_unread_one)
{
	record.operation = CPIS__V1__OPERATION__FLAG;
	ck_assert(!audit_record_matches(&record, &request, &reply));
	record.operation = CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	ck_assert(audit_record_matches(&record, &request, &reply));
	// What was not read was not done.
	static char none[] = "";
	record.outcome = reply.outcome = CPIS__V1__OUTCOME__OK;
	record.reason_code = reply.reason_code = none;
	ck_assert(!audit_record_matches(&record, &request, &reply));
}
END_TEST

START_TEST(matches_no_other_outcome_or_reason)
{
	reply.outcome = CPIS__V1__OUTCOME__OK;
	ck_assert(!audit_record_matches(&record, &request, &reply));
	reply.outcome = record.outcome;
	reply.reason_code = other_code;
	ck_assert(!audit_record_matches(&record, &request, &reply));
}
END_TEST

START_TEST(matches_no_other_place_in_the_log)
{
	receipt.index = 8;
	ck_assert(!audit_record_matches(&record, &request, &reply));
	reply.receipt = NULL;
	ck_assert(!audit_record_matches(&record, &request, &reply));
}
END_TEST

START_TEST(speaks_of_no_other_entry)
{
	Cpis__V1__AuditEntry entry = CPIS__V1__AUDIT_ENTRY__INIT;
	entry.index = record.index;
	entry.time_ms = record.time_ms;
	entry.operation = record.operation;
	entry.outcome = record.outcome;
	entry.reason_code = reason_code;
	ck_assert(audit_entry_is_of(&entry, &record));
	entry.index++;
	ck_assert(!audit_entry_is_of(&entry, &record));
	entry.index--;
	entry.time_ms++;
	ck_assert(!audit_entry_is_of(&entry, &record));
	entry.time_ms--;
	entry.operation = CPIS__V1__OPERATION__FLAG;
	ck_assert(!audit_entry_is_of(&entry, &record));
	entry.operation = record.operation;
	entry.outcome = CPIS__V1__OUTCOME__OK;
	ck_assert(!audit_entry_is_of(&entry, &record));
	entry.outcome = record.outcome;
	char **const texts[] = {&entry.reason_code, &entry.organisation, &entry.system_name, &entry.policy_version};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *kept = *texts[i];
		*texts[i] = other_code;
		ck_assert(!audit_entry_is_of(&entry, &record));
		*texts[i] = kept;
	}
	ck_assert(audit_entry_is_of(&entry, &record));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_record");
	TCase *tcase = tcase_create("audit_record");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads_back_what_was_stored);
	tcase_add_test(tcase, takes_a_record_of_a_request_that_could_not_be_read);
	tcase_add_test(tcase, refuses_other_versions);
	tcase_add_test(tcase, refuses_a_record_without_an_outcome);
	tcase_add_test(tcase, refuses_request_ids_and_tags_of_another_size);
	tcase_add_test(tcase, refuses_bytes_that_are_not_a_record);
	tcase_add_test(tcase, keys_are_those_of_the_record_for_every_changed_byte);
	tcase_add_test(tcase, runs_out_of_memory_with_a_status);
	tcase_add_test(tcase, matches_its_own_request_and_reply);
	tcase_add_test(tcase, matches_no_other_request);
	tcase_add_test(tcase, matches_no_other_operation_but_an_unread_one);
	tcase_add_test(tcase, matches_no_other_outcome_or_reason);
	tcase_add_test(tcase, matches_no_other_place_in_the_log);
	tcase_add_test(tcase, speaks_of_no_other_entry);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
