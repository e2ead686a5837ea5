// Whatever arrives is recorded, with the right reason and a receipt that proves it; and what reviewers may see of it.
// (The stage proves every receipt and compares every record with its request and reply.)
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct stage *stage;

static void raise_curtain(void)
{
	stage = stage_new();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// A ping as bytes, to be damaged.
static size_t pack_ping(uint8_t out[128], uint32_t version, uint32_t deadline_ms)
{
	static uint8_t id[REQUEST_ID_BYTES] = {0xaa, 0xbb};
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = version;
	request.deadline_ms = deadline_ms;
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	return cpis__v1__request__pack(&request, out);
}

// ------------------------------------------------------------------ whatever arrives

START_TEST(garbage_is_recorded)
{
	uint8_t bytes[128];
	size_t count = pack_ping(bytes, PROTOCOL_VERSION, 1000);
	for (size_t cut = 0; cut < count; cut++) {
		const struct stage_reply *got = stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, cut, 0);
		stage_expect(got, MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
		ck_assert_uint_eq(got->reply->receipt->index, cut);
		ck_assert_int_eq(got->record->operation, CPIS__V1__OPERATION__OPERATION_UNSPECIFIED);
		ck_assert_str_eq(got->record->organisation, "RXH");
	}
	stage_expect_ok(stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, count, 0));
	bytes[count] = 0;
	const struct stage_reply *got = stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, count + 1, 0);
	stage_expect(got, MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	// The id could be read: the sender can tell which request it was.
	ck_assert_uint_eq(got->reply->request_id.len, REQUEST_ID_BYTES);
	ck_assert_uint_eq(core_read_counters(stage->core).malformed, count + 1);
}
END_TEST

START_TEST(a_message_too_large_is_recorded)
{
	uint8_t *bytes = calloc(1, FRAME_BYTES_MAX);
	ck_assert_ptr_nonnull(bytes);
	stage_expect(stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, MESSAGE_BYTES_MAX + 1, 0), MESSAGE_NOT_WELL_FORMED,
		     "message_too_large");
	stage_expect(stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, MESSAGE_BYTES_MAX, 0), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
	free(bytes);
}
END_TEST

START_TEST(another_protocol_version_is_recorded)
{
	uint8_t bytes[128];
	size_t count = pack_ping(bytes, PROTOCOL_VERSION + 1, 1000);
	const struct stage_reply *got = stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, count, 0);
	stage_expect(got, NO_LONGER_SUPPORTED, "protocol_version");
	ck_assert_uint_eq(got->reply->request_id.len, REQUEST_ID_BYTES);
}
END_TEST

START_TEST(a_request_past_its_deadline_is_recorded_and_not_carried_out)
{
	uint8_t bytes[128];
	size_t count = pack_ping(bytes, PROTOCOL_VERSION, 1000);
	stage_expect_ok(stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, count, 1000));
	const struct stage_reply *got = stage_ask_bytes(stage, STAGE_HOSPITAL, bytes, count, 1001);
	stage_expect(got, DEADLINE_EXPIRED, "deadline");
	ck_assert_int_eq(got->record->operation, CPIS__V1__OPERATION__PING);
}
END_TEST

static const struct stage_reply *flag_from(enum stage_system system, const char *nhs_number)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = TEXT(nhs_number);
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return stage_ask(stage, system, &request);
}

START_TEST(who_was_not_identified_leaves_nothing_in_the_records_detail)
{
	stage_sign_in(stage, REVIEWER);
	const struct stage_reply *got[] = {
		flag_from(STAGE_STRANGER, stage_child(0)),
		flag_from(STAGE_KEYLESS, stage_child(0)),
	};
	for (size_t i = 0; i < 2; i++) {
		stage_expect(got[i], ASID_CHECK_FAILED, "system_unknown");
		ck_assert_str_eq(got[i]->record->organisation, "");
		ck_assert_str_eq(got[i]->record->system_name, "");
		ck_assert_uint_eq(got[i]->record->subject_tag.len, 0);
		ck_assert_uint_eq(got[i]->record->person_tag.len, 0);
		const struct stage_reply *shown = stage_show(stage, REVIEWER, got[i]->reply->receipt->index);
		const Cpis__V1__AuditDetail *detail = shown->reply->audit_show->entry->detail;
		ck_assert_str_eq(detail->nhs_number, "");
		ck_assert_str_eq(detail->uid, "");
		ck_assert_str_eq(detail->name, "");
		ck_assert_str_eq(detail->role_code, "");
		ck_assert_uint_eq(detail->system_certificate_serial.len, 0);
		ck_assert_uint_eq(detail->staff_certificate_serial.len, 0);
	}
}
END_TEST

START_TEST(a_look_without_a_session_is_found_by_the_child_and_names_nobody)
{
	stage_sign_in(stage, REVIEWER);
	const struct stage_reply *got = flag_from(STAGE_HOSPITAL, stage_child(0));
	stage_expect(got, SESSION_EXPIRED, "session_missing");
	ck_assert_uint_eq(got->record->subject_tag.len, TAG_BYTES);
	ck_assert_uint_eq(got->record->person_tag.len, 0);
	const struct stage_reply *shown = stage_show(stage, REVIEWER, got->reply->receipt->index);
	const Cpis__V1__AuditDetail *detail = shown->reply->audit_show->entry->detail;
	ck_assert_str_eq(detail->uid, "");
	ck_assert_str_eq(detail->nhs_number, stage_child(0));
	ck_assert_uint_gt(detail->system_certificate_serial.len, 0);
}
END_TEST

START_TEST(an_allowed_look_is_recorded_with_who_where_and_whom)
{
	stage_sign_in(stage, REVIEWER);
	stage_sign_in(stage, NURSE);
	const struct stage_reply *look = stage_details(stage, NURSE, stage_child(0));
	const struct stage_reply *shown = stage_show(stage, REVIEWER, look->reply->receipt->index);
	const Cpis__V1__AuditEntry *entry = shown->reply->audit_show->entry;
	ck_assert_int_eq(entry->operation, CPIS__V1__OPERATION__DETAILS);
	ck_assert_int_eq(entry->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert_str_eq(entry->organisation, "RXH");
	ck_assert_str_eq(entry->system_name, "hospital");
	ck_assert_str_eq(entry->policy_version, policy_version(stage->policy));
	ck_assert_str_eq(entry->detail->nhs_number, stage_child(0));
	ck_assert_str_eq(entry->detail->uid, stage_uid(NURSE));
	ck_assert_str_eq(entry->detail->name, "Person 1");
	ck_assert_str_eq(entry->detail->role_name, "Nurse Access");
	ck_assert_int_eq(entry->detail->care_setting, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
	ck_assert_uint_gt(entry->detail->staff_certificate_serial.len, 0);
}
END_TEST

// ------------------------------------------------------------------ batches

START_TEST(a_batch_shares_one_checkpoint_and_a_full_one_takes_no_more)
{
	uint8_t bytes[128];
	size_t count = pack_ping(bytes, PROTOCOL_VERSION, 1000);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < STAGE_BATCH_MAX; i++) {
			ck_assert_uint_eq(core_pending(stage->core), i);
			ck_assert(stage_submit_bytes(stage, i % 3 == 0 ? STAGE_STRANGER : STAGE_HOSPITAL, bytes, count, 0));
		}
		ck_assert(!stage_submit_bytes(stage, STAGE_HOSPITAL, bytes, count, 0));
		ck_assert(stage_flush(stage));
		for (unsigned i = 0; i < STAGE_BATCH_MAX; i++) {
			ck_assert_uint_eq(stage->batch[i]->reply->receipt->index, round * STAGE_BATCH_MAX + i);
			ck_assert_uint_eq(stage->batch[i]->checkpoint.size, (round + 1) * STAGE_BATCH_MAX);
			ck_assert_str_eq(stage->batch[i]->reply->receipt->checkpoint,
					 stage->batch[0]->reply->receipt->checkpoint);
		}
	}
	ck_assert_uint_eq(core_read_counters(stage->core).commits, 3);
	ck_assert(stage_log_verifies(stage));
	stage_restart(stage);
	ck_assert_uint_eq(stage_ping(stage, STAGE_HOSPITAL)->reply->receipt->index, 3 * STAGE_BATCH_MAX);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

// ------------------------------------------------------------------ reviewers

static const struct stage_reply *search(enum stage_person person, Cpis__V1__AuditSearchRequest *body)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = body;
	return stage_ask_as(stage, person, &request);
}

static void some_history(void)
{
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, OTHER_NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_sign_in(stage, REVIEWER);
	for (size_t i = 0; i < 3; i++) {
		stage->now_ms += 1000;
		stage_expect_ok(stage_flag(stage, NURSE, stage_child(i)));
		stage_expect_ok(stage_flag(stage, OTHER_NURSE, stage_child(i)));
	}
}

START_TEST(filters_add_up)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	some_history();
	body.nhs_number = TEXT(stage_child(1));
	const struct stage_reply *got = search(REVIEWER, &body);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->audit_search->n_entries, 2);
	ck_assert_uint_gt(got->reply->audit_search->entries[0]->index, got->reply->audit_search->entries[1]->index);
	body.uid = TEXT(stage_uid(NURSE));
	got = search(REVIEWER, &body);
	ck_assert_uint_eq(got->reply->audit_search->n_entries, 1);
	ck_assert_str_eq(got->reply->audit_search->entries[0]->detail->name, "Person 1");
	body.organisation = TEXT("RY7");
	ck_assert_uint_eq(search(REVIEWER, &body)->reply->audit_search->n_entries, 0);
	body.nhs_number = TEXT("");
	body.uid = TEXT("");
	body.from_ms = STAGE_NOW_MS + 2000;
	body.until_ms = STAGE_NOW_MS + 3000;
	got = search(REVIEWER, &body);
	ck_assert_uint_eq(got->reply->audit_search->n_entries, 1);
	ck_assert_uint_eq(got->reply->audit_search->entries[0]->time_ms, STAGE_NOW_MS + 2000);
	body.nhs_number = TEXT("9990000019");
	stage_expect(search(REVIEWER, &body), INVALID_NHS_NUMBER, "nhs_number");
}
END_TEST

START_TEST(a_search_is_itself_found_by_whom_it_was_about)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	some_history();
	body.nhs_number = TEXT(stage_child(5));
	body.uid = TEXT(stage_uid(NURSE));
	stage_expect_ok(search(REVIEWER, &body));
	body.uid = TEXT("");
	const struct stage_reply *got = search(REVIEWER, &body);
	ck_assert_uint_eq(got->reply->audit_search->n_entries, 1);
	ck_assert_int_eq(got->reply->audit_search->entries[0]->operation, CPIS__V1__OPERATION__AUDIT_SEARCH);
	ck_assert_str_eq(got->reply->audit_search->entries[0]->detail->filter_uid, stage_uid(NURSE));
}
END_TEST

START_TEST(a_search_is_read_in_pages_newest_first)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	some_history();
	uint64_t next = stage_log_size(stage);
	body.limit = 3;
	for (body.before_index = next; next > 0;) {
		const struct stage_reply *got = search(REVIEWER, &body);
		stage_expect_ok(got);
		const Cpis__V1__AuditSearchReply *page = got->reply->audit_search;
		for (size_t i = 0; i < page->n_entries; i++)
			ck_assert_uint_eq(page->entries[i]->index, --next);
		ck_assert_int_eq(page->more, next > 0);
		body.before_index = next;
	}
}
END_TEST

START_TEST(an_organisations_reviewer_sees_its_own_records_only)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	some_history();
	const Cpis__V1__AuditSearchReply *own = search(PRIVACY_OFFICER, &body)->reply->audit_search;
	ck_assert_uint_gt(own->n_entries, 3);
	for (size_t i = 0; i < own->n_entries; i++)
		ck_assert_str_eq(own->entries[i]->organisation, "RXH");
	body.organisation = TEXT("RXH");
	stage_expect_ok(search(PRIVACY_OFFICER, &body));
	body.organisation = TEXT("RY7");
	stage_expect(search(PRIVACY_OFFICER, &body), ACCESS_DENIED, "audit_scope");
	stage_expect_ok(search(REVIEWER, &body));
}
END_TEST

START_TEST(a_record_out_of_remit_looks_like_one_that_is_not_there)
{
	some_history();
	uint64_t theirs = stage_flag(stage, OTHER_NURSE, stage_child(0))->reply->receipt->index;
	uint64_t stranger = stage_ping(stage, STAGE_STRANGER)->reply->receipt->index;
	const struct stage_reply *hidden = stage_show(stage, PRIVACY_OFFICER, theirs);
	const struct stage_reply *absent = stage_show(stage, PRIVACY_OFFICER, 1000000);
	stage_expect(hidden, NO_RECORD_FOUND, "no_such_record");
	stage_expect(absent, NO_RECORD_FOUND, "no_such_record");
	ck_assert_str_eq(hidden->reply->reason, absent->reply->reason);
	stage_expect(stage_show(stage, PRIVACY_OFFICER, stranger), NO_RECORD_FOUND, "no_such_record");
	stage_expect_ok(stage_show(stage, REVIEWER, theirs));
	stage_expect_ok(stage_show(stage, REVIEWER, stranger));
	stage_expect(stage_show(stage, REVIEWER, 1000000), NO_RECORD_FOUND, "no_such_record");
}
END_TEST

START_TEST(the_proof_of_a_shown_record_verifies)
{
	some_history();
	for (uint64_t index = 0; index < 8; index++) {
		const struct stage_reply *got = stage_show(stage, REVIEWER, index);
		stage_expect_ok(got);
		const Cpis__V1__Receipt *proof = got->reply->audit_show->proof;
		struct merkle_hash path[MERKLE_HEIGHT_MAX];
		struct checkpoint checkpoint;
		for (size_t i = 0; i < proof->n_path; i++)
			memcpy(path[i].bytes, proof->path[i].data, MERKLE_HASH_BYTES);
		ck_assert_uint_eq(proof->index, index);
		ck_assert_int_eq(receipt_verify(&stage->log, index, proof->salt.data, proof->record.data,
						proof->record.len, path, proof->n_path, proof->checkpoint,
						strlen(proof->checkpoint), &checkpoint), CERTS_OK);
		ck_assert_uint_eq(checkpoint.size, got->reply->receipt->index + 1);
	}
}
END_TEST

// One person's odd number must not cost the others in the batch their answers.
START_TEST(numbers_past_what_a_store_can_hold_are_unknown_and_not_a_failure)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	some_history();
	stage_expect(stage_show(stage, REVIEWER, UINT64_MAX), NO_RECORD_FOUND, "no_such_record");
	body.before_index = UINT64_MAX;
	stage_expect_ok(search(REVIEWER, &body));
	body.before_index = 0;
	body.from_ms = UINT64_MAX - 1;
	stage_expect_ok(search(REVIEWER, &body));
	body.until_ms = UINT64_MAX;
	stage_expect_ok(search(REVIEWER, &body));
	stage_sign_in(stage, LEEDS_WORKER);
	uint64_t ids[] = {UINT64_MAX};
	Cpis__V1__InboxAcknowledgeRequest acknowledge = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	acknowledge.n_ids = 1;
	acknowledge.ids = ids;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &acknowledge;
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &request);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->inbox_acknowledge->unknown, 1);
	list.after_id = UINT64_MAX;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	stage_expect_ok(stage_ask_as(stage, LEEDS_WORKER, &request));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("records");
	TCase *all = tcase_create("records");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, garbage_is_recorded);
	tcase_add_test(all, a_message_too_large_is_recorded);
	tcase_add_test(all, another_protocol_version_is_recorded);
	tcase_add_test(all, a_request_past_its_deadline_is_recorded_and_not_carried_out);
	tcase_add_test(all, who_was_not_identified_leaves_nothing_in_the_records_detail);
	tcase_add_test(all, a_look_without_a_session_is_found_by_the_child_and_names_nobody);
	tcase_add_test(all, an_allowed_look_is_recorded_with_who_where_and_whom);
	tcase_add_test(all, a_batch_shares_one_checkpoint_and_a_full_one_takes_no_more);
	tcase_add_test(all, filters_add_up);
	tcase_add_test(all, a_search_is_itself_found_by_whom_it_was_about);
	tcase_add_test(all, a_search_is_read_in_pages_newest_first);
	tcase_add_test(all, an_organisations_reviewer_sees_its_own_records_only);
	tcase_add_test(all, a_record_out_of_remit_looks_like_one_that_is_not_there);
	tcase_add_test(all, the_proof_of_a_shown_record_verifies);
	tcase_add_test(all, numbers_past_what_a_store_can_hold_are_unknown_and_not_a_failure);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
