// Scenarios of quarantine: who may hold back whom, and that it counts from the next message on, for sessions and
// connections that are open, over restarts and after failed commits.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/quarantine.h"
#include "certs/identity.h"
#include "tests/harness/stage.h"

#define WHY "stolen laptop reported by the ward"

static struct stage *stage;

static void raise_curtain(void)
{
	static const enum stage_person cast[] = {NURSE, MIDWIFE, LEEDS_WORKER, REGISTRAR, NATIONAL_REGISTRAR};
	stage = stage_new();
	for (size_t i = 0; i < sizeof cast / sizeof cast[0]; i++)
		stage_sign_in(stage, cast[i]);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static Cpis__V1__QuarantineSetRequest set_body;
static Cpis__V1__QuarantineLiftRequest lift_body;
static Cpis__V1__QuarantineListRequest list_body;
static Cpis__V1__Request request;

static Cpis__V1__Request *set_request(Cpis__V1__QuarantineKind kind, const char *target, uint64_t until_ms)
{
	cpis__v1__quarantine_set_request__init(&set_body);
	cpis__v1__request__init(&request);
	set_body.kind = kind;
	set_body.target = (char *)(uintptr_t)target;
	set_body.reason = (char *)(uintptr_t)WHY;
	set_body.until_ms = until_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &set_body;
	return &request;
}

static const struct stage_reply *set(enum stage_person person, Cpis__V1__QuarantineKind kind, const char *target,
				     uint64_t until_ms)
{
	return stage_act(stage, person, person, stage->now_ms, set_request(kind, target, until_ms));
}

static const struct stage_reply *lift(enum stage_person person, Cpis__V1__QuarantineKind kind, const char *target)
{
	cpis__v1__quarantine_lift_request__init(&lift_body);
	cpis__v1__request__init(&request);
	lift_body.kind = kind;
	lift_body.target = (char *)(uintptr_t)target;
	lift_body.reason = (char *)(uintptr_t) "laptop found again";
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIFT;
	request.quarantine_lift = &lift_body;
	return stage_act(stage, person, person, stage->now_ms, &request);
}

static const struct stage_reply *list(enum stage_person person)
{
	cpis__v1__quarantine_list_request__init(&list_body);
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIST;
	request.quarantine_list = &list_body;
	return stage_ask_as(stage, person, &request);
}

#define SYSTEM CPIS__V1__QUARANTINE_KIND__SYSTEM
#define ORGANISATION CPIS__V1__QUARANTINE_KIND__ORGANISATION
#define PERSON CPIS__V1__QUARANTINE_KIND__PERSON
#define CERTIFICATE CPIS__V1__QUARANTINE_KIND__CERTIFICATE

START_TEST(a_person_is_held_back_in_the_open_session_and_in_a_new_one)
{
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_expect_ok(set(REGISTRAR, PERSON, stage_uid(NURSE), 0));
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	struct stage_statement statement = stage_statement(stage, NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	// Others of the same organisation and system go on.
	stage_expect_ok(list(REGISTRAR));
	stage_expect_ok(lift(REGISTRAR, PERSON, stage_uid(NURSE)));
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(a_system_is_held_back_before_anything_it_asks_is_looked_at)
{
	stage_expect_ok(set(NATIONAL_REGISTRAR, SYSTEM, "RXJ/infirmary", 0));
	stage_expect(stage_flag(stage, MIDWIFE, stage_child(0)), ASID_CHECK_FAILED, "system_quarantined");
	stage_expect(stage_ping(stage, STAGE_INFIRMARY), ASID_CHECK_FAILED, "system_quarantined");
	stage_expect(stage_ask_bytes(stage, STAGE_INFIRMARY, "garbage", 7, 0), ASID_CHECK_FAILED, "system_quarantined");
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	stage_expect_ok(lift(NATIONAL_REGISTRAR, SYSTEM, "RXJ/infirmary"));
	stage_expect_ok(stage_ping(stage, STAGE_INFIRMARY));
}
END_TEST

START_TEST(an_organisation_is_held_back_with_all_its_systems)
{
	stage_expect_ok(set(NATIONAL_REGISTRAR, ORGANISATION, "RXH", 0));
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), ASID_CHECK_FAILED, "system_quarantined");
	stage_expect(list(REGISTRAR), ASID_CHECK_FAILED, "system_quarantined");
	stage_expect_ok(stage_ping(stage, STAGE_LEEDS));
}
END_TEST

START_TEST(a_certificate_is_held_back_by_its_serial_number)
{
	struct certificate_description described;
	char detail[CERTS_DETAIL_BYTES], serial[2 * SERIAL_BYTES_MAX + 1];
	ck_assert_int_eq(certificate_describe_file(stage->person_files[NURSE], &described, detail), CERTS_OK);
	certificate_serial_format(&described.serial, serial);
	stage_expect_ok(set(NATIONAL_REGISTRAR, CERTIFICATE, serial, 0));
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	ck_assert_int_eq(certificate_describe_file(stage->system_files[STAGE_INFIRMARY], &described, detail), CERTS_OK);
	certificate_serial_format(&described.serial, serial);
	stage_expect_ok(set(NATIONAL_REGISTRAR, CERTIFICATE, serial, 0));
	stage_expect(stage_ping(stage, STAGE_INFIRMARY), ASID_CHECK_FAILED, "system_quarantined");
}
END_TEST

START_TEST(it_counts_from_the_next_message_of_the_same_batch_on)
{
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request asked = CPIS__V1__REQUEST__INIT;
	asked.body_case = CPIS__V1__REQUEST__BODY_PING;
	asked.ping = &ping;
	// The act leads the batch of stage_act; what follows is a batch of its own, and the store's.
	ck_assert(stage_submit(stage, STAGE_INFIRMARY, &asked));
	ck_assert(stage_flush(stage));
	stage_expect_ok(stage->batch[0]);
	stage_expect_ok(set(NATIONAL_REGISTRAR, SYSTEM, "RXJ/infirmary", 0));
	ck_assert(stage_submit(stage, STAGE_INFIRMARY, &asked));
	ck_assert(stage_submit(stage, STAGE_HOSPITAL, &asked));
	ck_assert(stage_flush(stage));
	stage_expect(stage->batch[0], ASID_CHECK_FAILED, "system_quarantined");
	stage_expect_ok(stage->batch[1]);
}
END_TEST

START_TEST(it_outlives_a_restart)
{
	stage_expect_ok(set(REGISTRAR, PERSON, stage_uid(NURSE), 0));
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
}
END_TEST

START_TEST(it_ends_by_itself_at_its_time)
{
	uint64_t end_ms = stage->now_ms + STAGE_MINUTE_MS;
	stage_expect_ok(set(REGISTRAR, PERSON, stage_uid(NURSE), end_ms));
	stage->now_ms = end_ms - 1;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	stage->now_ms = end_ms;
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	ck_assert_uint_eq(list(REGISTRAR)->reply->quarantine_list->n_entries, 0);
	stage_expect(set(REGISTRAR, PERSON, stage_uid(NURSE), stage->now_ms), INVALID_VALUE, "invalid_value");
}
END_TEST

START_TEST(one_that_could_not_be_committed_does_not_count)
{
	set_request(PERSON, stage_uid(NURSE), 0);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(set(REGISTRAR, PERSON, stage_uid(NURSE), 0), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	// And one whose commit only seemed to fail does.
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(set(REGISTRAR, PERSON, stage_uid(NURSE), 0), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
}
END_TEST

START_TEST(a_registration_authority_stays_within_its_organisation)
{
	stage_expect(set(REGISTRAR, PERSON, stage_uid(LEEDS_WORKER), 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect(set(REGISTRAR, SYSTEM, "383/leeds", 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect(set(REGISTRAR, SYSTEM, "RXHX/hospital", 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect(set(REGISTRAR, ORGANISATION, "383", 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect(set(REGISTRAR, CERTIFICATE, "0a", 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect_ok(set(NATIONAL_REGISTRAR, PERSON, stage_uid(LEEDS_WORKER), 0));
	stage_expect(lift(REGISTRAR, PERSON, stage_uid(LEEDS_WORKER)), ACCESS_DENIED, "quarantine_scope");
	ck_assert_uint_eq(list(REGISTRAR)->reply->quarantine_list->n_entries, 0);
	ck_assert_uint_eq(list(NATIONAL_REGISTRAR)->reply->quarantine_list->n_entries, 1);
}
END_TEST

START_TEST(nobody_shuts_themselves_out)
{
	stage_expect(set(REGISTRAR, PERSON, stage_uid(REGISTRAR), 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect(set(REGISTRAR, SYSTEM, "RXH/hospital", 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect(set(NATIONAL_REGISTRAR, ORGANISATION, "X26", 0), ACCESS_DENIED, "quarantine_scope");
	stage_expect_ok(set(REGISTRAR, SYSTEM, "RXH/other-system", 0));
}
END_TEST

START_TEST(others_may_neither_set_nor_lift_nor_see)
{
	stage_expect(set(NURSE, PERSON, stage_uid(RECEPTIONIST), 0), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(lift(LEEDS_WORKER, PERSON, stage_uid(LEEDS_WORKER)), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(list(NURSE), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(an_act_needs_the_persons_own_fresh_signature)
{
	stage_expect(stage_ask_as(stage, REGISTRAR, set_request(PERSON, stage_uid(NURSE), 0)), AUTHOR_CREDENTIALS_ERROR,
		     "act_unsigned");
	stage_expect(stage_act(stage, REGISTRAR, NURSE, stage->now_ms, set_request(PERSON, stage_uid(NURSE), 0)),
		     AUTHOR_CREDENTIALS_ERROR, "act_signature");
	stage_expect(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms - 60001,
			       set_request(PERSON, stage_uid(NURSE), 0)),
		     AUTHOR_CREDENTIALS_ERROR, "act_time");
	stage_expect(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms + 60001,
			       set_request(PERSON, stage_uid(NURSE), 0)),
		     AUTHOR_CREDENTIALS_ERROR, "act_time");
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_expect_ok(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms - 60000,
				  set_request(PERSON, stage_uid(NURSE), 0)));
}
END_TEST

START_TEST(the_list_says_who_did_it_why_and_until_when)
{
	uint64_t end_ms = stage->now_ms + STAGE_DAY_MS;
	const struct stage_reply *done = set(REGISTRAR, PERSON, stage_uid(NURSE), end_ms);
	stage_expect_ok(done);
	ck_assert(!done->reply->quarantine_set->replaced);
	ck_assert(set(REGISTRAR, PERSON, stage_uid(NURSE), end_ms)->reply->quarantine_set->replaced);
	const struct stage_reply *got = list(REGISTRAR);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->quarantine_list->n_entries, 1);
	const Cpis__V1__QuarantineEntry *entry = got->reply->quarantine_list->entries[0];
	ck_assert_int_eq(entry->kind, PERSON);
	ck_assert_str_eq(entry->target, stage_uid(NURSE));
	ck_assert_str_eq(entry->reason, WHY);
	ck_assert_str_eq(entry->owner_uid, stage_uid(REGISTRAR));
	ck_assert_str_eq(entry->owner_organisation, "RXH");
	ck_assert_uint_eq(entry->until_ms, end_ms);
	ck_assert_uint_eq(entry->audit_index, done->reply->receipt->index + 1);
	ck_assert(!lift(REGISTRAR, PERSON, stage_uid(RECEPTIONIST))->reply->quarantine_lift->lifted);
}
END_TEST

static enum store_status put_entry(struct quarantine *quarantine, struct arena *arena, size_t number, size_t cut, size_t *ret_bytes)
{
	Cpis__V1__QuarantineEntry entry = CPIS__V1__QUARANTINE_ENTRY__INIT;
	char target[2 * SERIAL_BYTES_MAX + 1], text[TEXT_BYTES_MAX + 1];
	bool replaced;
	memset(text, 'x', TEXT_BYTES_MAX);
	text[TEXT_BYTES_MAX] = '\0';
	snprintf(target, sizeof target, "1%0*zu", (int)sizeof target - 2, number);
	entry.kind = CERTIFICATE;
	entry.target = target;
	entry.reason = text + cut;
	entry.owner_name = text;
	entry.owner_uid = "555000000001";
	entry.owner_organisation = "A00000";
	entry.since_ms = stage->now_ms;
	entry.until_ms = entry.audit_index = UINT64_MAX;
	*ret_bytes = protobuf_c_message_get_packed_size(&entry.base) + 4; // tag and length of a list's item
	arena_reset(arena);
	return quarantine_put(quarantine, arena, &entry, &replaced);
}

// Fills the list with long entries, or replaces them, so that they take this many bytes in a reply. Returns how many they are.
static size_t fill_list(size_t body_bytes)
{
	struct arena arena;
	struct quarantine *quarantine = NULL;
	size_t whole, bytes, sum = 0;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert(quarantine_new(stage->disk, stage->vault, &quarantine) && quarantine_load(quarantine));
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(put_entry(quarantine, &arena, 0, 0, &whole), STORE_OK);
	const size_t count = (body_bytes + whole - 1) / whole;
	for (size_t i = 0, over = count * whole - body_bytes; i < count; i++) {
		// A length below 128 would take a byte less itself.
		const size_t cut = over < 70 ? over : 70;
		ck_assert_int_eq(put_entry(quarantine, &arena, i, cut, &bytes), STORE_OK);
		over -= cut;
		sum += bytes;
	}
	ck_assert_uint_eq(sum, body_bytes);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	quarantine_free(quarantine);
	arena_done(&arena);
	stage_restart(stage);
	return count;
}

START_TEST(a_list_of_48_kb_comes_whole_and_one_byte_more_is_cut_and_says_so)
{
	const size_t count = fill_list(OP_BODY_BYTES_MAX);
	ck_assert_uint_lt(count, PAGE_ITEMS_MAX);
	const struct stage_reply *got = list(NATIONAL_REGISTRAR);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->quarantine_list->n_entries, count);
	ck_assert(!got->reply->quarantine_list->more);
	ck_assert_uint_eq(fill_list(OP_BODY_BYTES_MAX + 1), count);
	got = list(NATIONAL_REGISTRAR);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->quarantine_list->n_entries, count - 1);
	ck_assert(got->reply->quarantine_list->more);
}
END_TEST

START_TEST(a_target_that_nobody_knows_is_held_back_and_said_to_be_unknown)
{
	static const struct {
		Cpis__V1__QuarantineKind kind;
		const char *target;
		bool known;
	} targets[] = {{SYSTEM, "RXJ/infirmary", true},	 {SYSTEM, "RXJ/infirmery", false}, {ORGANISATION, "RXJ", true},
		       {ORGANISATION, "RXQ", false},	 {PERSON, "555000000001", true},   {PERSON, "555000009999", false},
		       {CERTIFICATE, "0123", false}};
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		const struct stage_reply *got = set(NATIONAL_REGISTRAR, targets[i].kind, targets[i].target, 0);
		stage_expect_ok(got);
		ck_assert_msg(got->reply->quarantine_set->known == targets[i].known, "%s", targets[i].target);
	}
}
END_TEST

START_TEST(what_is_not_a_target_or_a_reason_is_refused)
{
	static const struct {
		Cpis__V1__QuarantineKind kind;
		const char *target;
	} wrong[] = {{PERSON, "5550000000011"}, {PERSON, "x"},	{SYSTEM, "RXH"},	      {SYSTEM, "RXH/"},
		     {SYSTEM, "rxh/hospital"},	{ORGANISATION, "R"}, {CERTIFICATE, "0A"}, {CERTIFICATE, "xyz"}};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		stage_expect(set(NATIONAL_REGISTRAR, wrong[i].kind, wrong[i].target, 0), MESSAGE_NOT_WELL_FORMED,
			     "message_not_well_formed");
	set_request(PERSON, stage_uid(NURSE), 0);
	set_body.reason = (char *)(uintptr_t) "too short";
	stage_expect(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms, &request), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quarantine");
	TCase *tests = tcase_create("quarantine");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, a_person_is_held_back_in_the_open_session_and_in_a_new_one);
	tcase_add_test(tests, a_system_is_held_back_before_anything_it_asks_is_looked_at);
	tcase_add_test(tests, an_organisation_is_held_back_with_all_its_systems);
	tcase_add_test(tests, a_certificate_is_held_back_by_its_serial_number);
	tcase_add_test(tests, it_counts_from_the_next_message_of_the_same_batch_on);
	tcase_add_test(tests, it_outlives_a_restart);
	tcase_add_test(tests, it_ends_by_itself_at_its_time);
	tcase_add_test(tests, one_that_could_not_be_committed_does_not_count);
	tcase_add_test(tests, a_registration_authority_stays_within_its_organisation);
	tcase_add_test(tests, nobody_shuts_themselves_out);
	tcase_add_test(tests, others_may_neither_set_nor_lift_nor_see);
	tcase_add_test(tests, an_act_needs_the_persons_own_fresh_signature);
	tcase_add_test(tests, the_list_says_who_did_it_why_and_until_when);
	tcase_add_test(tests, a_list_of_48_kb_comes_whole_and_one_byte_more_is_cut_and_says_so);
	tcase_add_test(tests, a_target_that_nobody_knows_is_held_back_and_said_to_be_unknown);
	tcase_add_test(tests, what_is_not_a_target_or_a_reason_is_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
