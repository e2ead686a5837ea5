// The broker's own records of handshakes that failed: who reads them, what they say, and what becomes of them when the store
// fails. Who is counted is in unit/broker/test_transport_monitor.c and test_zap.c.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

static struct stage *stage;

static const struct attempt attempts[] = {
	{REASON_HANDSHAKE_KEY, 3, STAGE_NOW_MS - 59000, "key 01020304 from 10.0.0.1, key 05060708 from 10.0.0.2"},
	{REASON_HANDSHAKE_MECHANISM, 1, STAGE_NOW_MS, "at tcp://10.1.1.1:5671"},
};

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, REVIEWER);
	stage_sign_in(stage, PRIVACY_OFFICER);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static const Cpis__V1__AuditSearchReply *search(enum stage_person person)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->audit_search;
}

START_TEST(the_national_reviewer_finds_what_was_tried_how_often_and_from_where)
{
	uint64_t before = stage_log_size(stage);
	ck_assert(core_record_attempts(stage->core, attempts, 2, stage->now_ms));
	ck_assert_uint_eq(stage_log_size(stage), before + 2);
	ck_assert(stage_log_verifies(stage));
	const Cpis__V1__AuditSearchReply *found = search(REVIEWER);
	const Cpis__V1__AuditEntry *mechanism = found->entries[0], *key = found->entries[1];
	ck_assert_uint_eq(key->index, before);
	ck_assert_int_eq(key->operation, CPIS__V1__OPERATION__HANDSHAKE);
	ck_assert_int_eq(key->outcome, CPIS__V1__OUTCOME__ASID_CHECK_FAILED);
	ck_assert_str_eq(key->reason_code, "handshake_unknown_key");
	ck_assert_uint_eq(key->time_ms, stage->now_ms);
	ck_assert_uint_eq(key->request_id.len, 0);
	ck_assert_str_eq(key->detail->target, attempts[0].examples);
	ck_assert_uint_eq(key->detail->count, 3);
	ck_assert_str_eq(key->detail->reason, "The key of a handshake is not that of any enrolled system. 3 since "
					      "2026-10-20T09:29:01.000Z.");
	// Of nobody, about nobody.
	ck_assert_str_eq(key->organisation, "");
	ck_assert_str_eq(key->system_name, "");
	ck_assert_str_eq(key->detail->uid, "");
	ck_assert_str_eq(key->detail->nhs_number, "");
	ck_assert_str_eq(mechanism->reason_code, "handshake_mechanism");
	ck_assert_uint_eq(mechanism->detail->count, 1);
	stage_expect_ok(stage_show(stage, REVIEWER, before));
}
END_TEST

START_TEST(who_was_told_to_come_later_is_recorded_apart)
{
	const struct attempt busy = {.reason = REASON_BUSY, .count = 70000, .first_ms = stage->now_ms, .examples = "key 01020304"};
	ck_assert(core_record_attempts(stage->core, &busy, 1, stage->now_ms));
	const Cpis__V1__AuditEntry *found = search(REVIEWER)->entries[0];
	ck_assert_int_eq(found->operation, CPIS__V1__OPERATION__TURNED_AWAY);
	ck_assert_int_eq(found->outcome, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
	ck_assert_str_eq(found->reason_code, "busy");
	ck_assert_uint_eq(found->detail->count, 70000);
	ck_assert_str_eq(found->detail->target, "key 01020304");
}
END_TEST

START_TEST(no_other_reviewer_sees_them)
{
	uint64_t index = stage_log_size(stage);
	ck_assert(core_record_attempts(stage->core, attempts, 2, stage->now_ms));
	const Cpis__V1__AuditSearchReply *found = search(PRIVACY_OFFICER);
	for (size_t i = 0; i < found->n_entries; i++)
		ck_assert_int_ne(found->entries[i]->operation, CPIS__V1__OPERATION__HANDSHAKE);
	stage_expect(stage_show(stage, PRIVACY_OFFICER, index), NO_RECORD_FOUND, "no_such_record");
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_keeps_none_of_them_and_the_next_try_all)
{
	uint64_t n = 1;
	for (;; n++) {
		uint64_t before = stage_log_size(stage);
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		if (core_record_attempts(stage->core, attempts, 2, stage->now_ms))
			break;
		fault_store_mend(&stage->fault);
		ck_assert_uint_eq(stage_log_size(stage), before);
		ck_assert(core_record_attempts(stage->core, attempts, 2, stage->now_ms));
		ck_assert_uint_eq(stage_log_size(stage), before + 2);
		ck_assert(stage_log_verifies(stage));
	}
	// begin, expire, two records, checkpoint, commit.
	ck_assert_uint_ge(n, 6);
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
}
END_TEST

START_TEST(after_a_commit_that_lied_the_log_goes_on_where_the_disk_is)
{
	uint64_t before = stage_log_size(stage);
	stage->fault.commit = FAULT_COMMIT_LIES;
	ck_assert(!core_record_attempts(stage->core, attempts, 2, stage->now_ms));
	fault_store_mend(&stage->fault);
	// They are there, and will be there twice: nothing is lost.
	ck_assert_uint_eq(stage_log_size(stage), before + 2);
	ck_assert(core_record_attempts(stage->core, attempts, 2, stage->now_ms));
	ck_assert_uint_eq(stage_log_size(stage), before + 4);
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_count_that_is_larger_than_its_field_is_said_in_words)
{
	struct attempt many = attempts[0];
	many.count = 5000000000;
	ck_assert(core_record_attempts(stage->core, &many, 1, stage->now_ms));
	const Cpis__V1__AuditEntry *entry = search(REVIEWER)->entries[0];
	ck_assert_uint_eq(entry->detail->count, UINT32_MAX);
	ck_assert_ptr_nonnull(strstr(entry->detail->reason, " 5000000000 since "));
}
END_TEST

// Nobody may do it, and no policy may name it.
START_TEST(it_cannot_be_asked_for)
{
	Cpis__V1__Operation operation;
	struct policy_question question = {.operation = CPIS__V1__OPERATION__HANDSHAKE, .role_code = "R5105"};
	ck_assert(!wire_operation_by_name("handshake", &operation));
	ck_assert_int_eq(policy_decide(stage->policy, &question).reason, REASON_OPERATION);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handshakes");
	TCase *tests = tcase_create("handshakes");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, the_national_reviewer_finds_what_was_tried_how_often_and_from_where);
	tcase_add_test(tests, who_was_told_to_come_later_is_recorded_apart);
	tcase_add_test(tests, no_other_reviewer_sees_them);
	tcase_add_test(tests, a_store_that_fails_at_any_call_keeps_none_of_them_and_the_next_try_all);
	tcase_add_test(tests, after_a_commit_that_lied_the_log_goes_on_where_the_disk_is);
	tcase_add_test(tests, a_count_that_is_larger_than_its_field_is_said_in_words);
	tcase_add_test(tests, it_cannot_be_asked_for);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
