// The store fails, at every call it is asked and at the commit: nobody gets an answer that is not recorded, and
// nothing is lost that was.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

static struct stage *stage;

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static void submit_query_and_publication(void)
{
	struct stage_file file;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = (char *)(uintptr_t)stage_child(0);
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	ck_assert(stage_submit_as(stage, NURSE, &request));
	stage_file_init(&file, LEEDS_WORKER, 3);
	file.plan[1].delete_date = (char *)(uintptr_t)"2026-10-20"; // reads before it writes
	ck_assert(stage_submit_as(stage, LEEDS_WORKER, &file.request));
}

static void expect_unavailable(const struct stage_reply *got)
{
	stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
	ck_assert_ptr_null(got->reply->receipt);
	ck_assert_int_eq(got->reply->body_case, CPIS__V1__REPLY__BODY__NOT_SET);
	ck_assert_uint_eq(got->reply->session_token.len, 0);
	ck_assert_uint_eq(got->reply->request_id.len, REQUEST_ID_BYTES);
	ck_assert_uint_gt(got->reply->retry_after_ms, 0);
}

static uint64_t notifications(void)
{
	const struct stage_reply *got = stage_inbox(stage, LEEDS_WORKER);
	stage_expect_ok(got);
	return got->reply->inbox_list->unacknowledged;
}

START_TEST(a_failure_at_any_call_refuses_the_whole_batch_and_stores_nothing)
{
	uint64_t n = 1;
	for (;; n++) {
		uint64_t before = stage_log_size(stage);
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		submit_query_and_publication();
		if (stage_flush(stage))
			break;
		expect_unavailable(stage->batch[0]);
		expect_unavailable(stage->batch[1]);
		fault_store_mend(&stage->fault);
		ck_assert_uint_eq(stage_log_size(stage), before);
		stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
		ck_assert_uint_eq(stage_log_size(stage), before + 1);
		ck_assert(stage_log_verifies(stage));
	}
	// begin, expire, look-up, plans, authority, history, access, inbox twice, keep, records, checkpoint, commit...
	ck_assert_uint_gt(n, 15);
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage->batch[0]);
	stage_expect_ok(stage->batch[1]);
	ck_assert_uint_eq(stage->batch[0]->reply->details->n_accesses, 0);
	ck_assert_uint_eq(notifications(), 1);
	ck_assert_uint_eq(core_read_counters(stage->core).failed_commits, n - 1);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_commit_that_fails_refuses_the_batch_and_the_next_one_works)
{
	uint64_t before = stage_log_size(stage);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	for (int i = 0; i < 3; i++) {
		submit_query_and_publication();
		ck_assert(!stage_flush(stage));
		expect_unavailable(stage->batch[0]);
		expect_unavailable(stage->batch[1]);
	}
	fault_store_mend(&stage->fault);
	ck_assert_uint_eq(stage_log_size(stage), before);
	submit_query_and_publication();
	ck_assert(stage_flush(stage));
	ck_assert_uint_eq(stage_log_size(stage), before + 2);
	ck_assert_uint_eq(notifications(), 1);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_commit_that_was_carried_out_but_reported_failed_is_found_in_the_log)
{
	uint64_t before = stage_log_size(stage);
	stage->fault.commit = FAULT_COMMIT_LIES;
	submit_query_and_publication();
	ck_assert(!stage_flush(stage));
	expect_unavailable(stage->batch[0]);
	fault_store_mend(&stage->fault);
	const struct stage_reply *got = stage_ping(stage, STAGE_HOSPITAL);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->receipt->index, before + 2);
	ck_assert_uint_eq(got->checkpoint.size, before + 3);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_retry_after_a_commit_that_only_seemed_to_fail_takes_effect_once)
{
	uint8_t id[REQUEST_ID_BYTES] = {1, 2, 3};
	struct stage_file file;
	stage_file_init(&file, LEEDS_WORKER, 2);
	file.request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	stage->fault.commit = FAULT_COMMIT_LIES;
	uint64_t first = stage_log_size(stage);
	expect_unavailable(stage_ask_as(stage, LEEDS_WORKER, &file.request));
	fault_store_mend(&stage->fault);
	const struct stage_reply *got = stage_ask_as(stage, LEEDS_WORKER, &file.request);
	stage_expect_ok(got);
	// The first one is in the log though nobody was told; the retry has its own record after it.
	ck_assert_uint_eq(got->reply->receipt->index, first + 1);
	ck_assert_uint_eq(got->reply->publish->stored, 2);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_log_that_cannot_be_read_again_is_not_continued_until_it_can)
{
	stage->fault.commit = FAULT_COMMIT_LIES;
	submit_query_and_publication();
	ck_assert(!stage_flush(stage));
	fault_store_mend(&stage->fault);
	stage->fault.fail_at = 1; // reading the size
	expect_unavailable(stage_ping(stage, STAGE_HOSPITAL));
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	ck_assert(stage_log_verifies(stage));
}
END_TEST

// The store may have taken seconds for its no: neither the next job nor who asks meanwhile waits for it six times over.
START_TEST(what_is_due_asks_a_store_that_cannot_begin_once)
{
	fault_store_mend(&stage->fault);
	stage->fault.fail_at = 1;
	ck_assert(!core_tick(stage->core, stage->now_ms));
	ck_assert_uint_eq(stage->fault.calls, 1);
	fault_store_mend(&stage->fault);
	ck_assert(stage_tick(stage));
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
}
END_TEST

// ------------------------------------------------------------------ starting

static void put_checkpoint(const char *note)
{
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->checkpoint_put(stage->disk, note), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
}

static void expect_no_core(const char *words)
{
	struct core *core = NULL;
	char detail[CORE_DETAIL_BYTES] = "";
	ck_assert(!stage_try_core(stage, &core, detail));
	ck_assert_ptr_null(core);
	ck_assert_msg(strstr(detail, words) != NULL, "%s", detail);
}

START_TEST(refuses_to_start_over_a_log_longer_than_its_checkpoint)
{
	const struct stage_reply *old = stage_ping(stage, STAGE_HOSPITAL);
	stage_ping(stage, STAGE_HOSPITAL);
	put_checkpoint(old->reply->receipt->checkpoint);
	expect_no_core("does not match its checkpoint");
}
END_TEST

START_TEST(refuses_to_start_over_a_log_with_another_root)
{
	struct checkpoint checkpoint = stage_ping(stage, STAGE_HOSPITAL)->checkpoint;
	char note[NOTE_BYTES_MAX + 1];
	checkpoint.root.bytes[0] ^= 1;
	ck_assert_int_eq(checkpoint_sign(&checkpoint, stage->log_key, note), CERTS_OK);
	put_checkpoint(note);
	expect_no_core("does not match its checkpoint");
}
END_TEST

START_TEST(refuses_to_start_over_a_checkpoint_of_another_key)
{
	struct checkpoint checkpoint = stage_ping(stage, STAGE_HOSPITAL)->checkpoint;
	struct signing_key *other = NULL;
	char note[NOTE_BYTES_MAX + 1];
	ck_assert_int_eq(signing_key_generate(&other), CERTS_OK);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, other, note), CERTS_OK);
	signing_key_free(other);
	put_checkpoint(note);
	expect_no_core("not signed by this log's key");
}
END_TEST

START_TEST(refuses_to_start_over_a_store_that_cannot_be_read)
{
	for (uint64_t n = 1;; n++) {
		struct core *core = NULL;
		char detail[CORE_DETAIL_BYTES] = "";
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		if (stage_try_core(stage, &core, detail)) {
			ck_assert_uint_gt(n, 2); // the size, the right edge, the checkpoint
			core_free(core);
			return;
		}
		ck_assert_str_ne(detail, "");
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_failures");
	TCase *batch = tcase_create("batch");
	tcase_set_timeout(batch, 120);
	tcase_add_checked_fixture(batch, raise_curtain, drop_curtain);
	tcase_add_test(batch, a_failure_at_any_call_refuses_the_whole_batch_and_stores_nothing);
	tcase_add_test(batch, a_commit_that_fails_refuses_the_batch_and_the_next_one_works);
	tcase_add_test(batch, a_commit_that_was_carried_out_but_reported_failed_is_found_in_the_log);
	tcase_add_test(batch, a_retry_after_a_commit_that_only_seemed_to_fail_takes_effect_once);
	tcase_add_test(batch, a_log_that_cannot_be_read_again_is_not_continued_until_it_can);
	tcase_add_test(batch, what_is_due_asks_a_store_that_cannot_begin_once);
	tcase_add_test(batch, refuses_to_start_over_a_log_longer_than_its_checkpoint);
	tcase_add_test(batch, refuses_to_start_over_a_log_with_another_root);
	tcase_add_test(batch, refuses_to_start_over_a_checkpoint_of_another_key);
	tcase_add_test(batch, refuses_to_start_over_a_store_that_cannot_be_read);
	suite_add_tcase(suite, batch);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
