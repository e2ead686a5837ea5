// The same request sent again: one effect, the same answer, and the decision who may have it taken anew.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/retry.h"
#include "tests/harness/stage.h"

static struct stage *stage;
static uint8_t id[REQUEST_ID_BYTES] = {4, 2};
static Cpis__V1__DetailsRequest details;
static Cpis__V1__Request request;

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	cpis__v1__details_request__init(&details);
	cpis__v1__request__init(&request);
	details.nhs_number = (char *)(uintptr_t)stage_child(0);
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// How often the child has been accessed, as the authority was told.
static uint64_t accesses(void)
{
	const struct stage_reply *got = stage_inbox(stage, LEEDS_WORKER);
	stage_expect_ok(got);
	return got->reply->inbox_list->unacknowledged;
}

static void expect_retry(const struct stage_reply *first, const struct stage_reply *again)
{
	stage_expect_ok(first);
	stage_expect_ok(again);
	ck_assert(stage_same_body(first, again));
	// Each has a record of its own: a child's data was given out twice.
	ck_assert_uint_lt(first->reply->receipt->index, again->reply->receipt->index);
	ck_assert_uint_eq(accesses(), 1);
}

START_TEST(the_same_request_twice_is_one_access_and_one_answer)
{
	const struct stage_reply *first = stage_ask_as(stage, NURSE, &request);
	stage->now_ms += 5000;
	const struct stage_reply *again = stage_ask_as(stage, NURSE, &request);
	expect_retry(first, again);
	request.request_id.len = 0; // a new one
	ck_assert_uint_eq(stage_ask_as(stage, NURSE, &request)->reply->details->n_accesses, 1);
}
END_TEST

START_TEST(a_retry_may_have_another_deadline_and_a_renewed_token)
{
	const struct stage_reply *first = stage_ask_as(stage, NURSE, &request);
	stage->now_ms += 5000;
	stage_sign_in(stage, NURSE);
	request.deadline_ms = 2000;
	expect_retry(first, stage_ask_as(stage, NURSE, &request));
}
END_TEST

START_TEST(a_retry_in_the_same_batch_gets_the_first_ones_answer)
{
	ck_assert(stage_submit_as(stage, NURSE, &request));
	ck_assert(stage_submit_as(stage, NURSE, &request));
	ck_assert(stage_flush(stage));
	const struct stage_reply *first = stage->batch[0], *again = stage->batch[1];
	expect_retry(first, again);
}
END_TEST

START_TEST(a_retry_after_a_restart_gets_the_first_ones_answer)
{
	const struct stage_reply *first = stage_ask_as(stage, NURSE, &request);
	stage_restart(stage);
	expect_retry(first, stage_ask_as(stage, NURSE, &request));
}
END_TEST

START_TEST(the_same_id_for_other_content_is_rejected_and_recorded)
{
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
	uint64_t before = stage_log_size(stage);
	details.nhs_number = (char *)(uintptr_t)stage_child(1);
	stage_expect(stage_ask_as(stage, NURSE, &request), DUPLICATE_REJECTED, "request_id_reused");
	details.nhs_number = (char *)(uintptr_t)stage_child(0);
	details.access_type = CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	stage_expect(stage_ask_as(stage, NURSE, &request), DUPLICATE_REJECTED, "request_id_reused");
	ck_assert_uint_eq(stage_log_size(stage), before + 2);
	ck_assert_uint_eq(accesses(), 1);
}
END_TEST

START_TEST(the_same_id_of_another_person_is_another_request)
{
	struct stage_file file;
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
	stage_file_init(&file, LEEDS_WORKER, 1);
	file.request.request_id = request.request_id;
	stage_expect_ok(stage_ask_as(stage, LEEDS_WORKER, &file.request));
	stage_sign_in(stage, OTHER_NURSE);
	const struct stage_reply *other = stage_ask_as(stage, OTHER_NURSE, &request);
	stage_expect_ok(other);
	ck_assert_uint_eq(other->reply->details->n_accesses, 1);
}
END_TEST

START_TEST(after_ten_minutes_the_same_id_is_a_new_request)
{
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
	stage->now_ms = STAGE_NOW_MS + RETRY_KEPT_MS - 1;
	const struct stage_reply *kept = stage_ask_as(stage, NURSE, &request);
	stage_expect_ok(kept);
	ck_assert_uint_eq(kept->reply->details->n_accesses, 0);
	stage->now_ms = STAGE_NOW_MS + RETRY_KEPT_MS + 1;
	const struct stage_reply *fresh = stage_ask_as(stage, NURSE, &request);
	stage_expect_ok(fresh);
	ck_assert_uint_eq(fresh->reply->details->n_accesses, 1);
	ck_assert_uint_eq(accesses(), 2);
}
END_TEST

START_TEST(a_retry_is_refused_to_who_may_not_have_the_answer_any_more)
{
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
	stage->now_ms += 1000;
	stage_end_profile(stage, NURSE);
	const struct stage_reply *again = stage_ask_as(stage, NURSE, &request);
	stage_expect(again, AUTHOR_CREDENTIALS_ERROR, "role_profile");
	ck_assert_int_eq(again->reply->body_case, CPIS__V1__REPLY__BODY__NOT_SET);
	ck_assert_uint_eq(accesses(), 1);
}
END_TEST

START_TEST(a_refused_request_may_be_sent_again_under_its_id)
{
	details.nhs_number = (char *)(uintptr_t)"9990000019";
	stage_expect(stage_ask_as(stage, NURSE, &request), INVALID_NHS_NUMBER, "nhs_number");
	details.nhs_number = (char *)(uintptr_t)stage_child(0);
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
}
END_TEST

START_TEST(a_publication_sent_twice_is_stored_once_and_does_not_undo_a_later_one)
{
	struct stage_file file;
	stage_file_init(&file, LEEDS_WORKER, 2);
	file.plan[1].nhs_number = (char *)(uintptr_t)"9990000019";
	file.request.request_id = request.request_id;
	const struct stage_reply *first = stage_ask_as(stage, LEEDS_WORKER, &file.request);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", "2026-10-01", NULL);
	const struct stage_reply *again = stage_ask_as(stage, LEEDS_WORKER, &file.request);
	stage_expect_ok(first);
	ck_assert(stage_same_body(first, again));
	const struct stage_reply *shown = stage_details(stage, NURSE, stage_child(0));
	ck_assert_int_eq(shown->reply->details->plans[0]->status, CPIS__V1__PLAN_STATUS__ENDED);
}
END_TEST

// As a client does that turns to another broker, whose name has to be signed: it is the same act all the same.
START_TEST(an_act_that_is_signed_anew_under_its_id_is_done_once_and_other_content_is_not_its_retry)
{
	struct stage_file file;
	stage_file_init(&file, LEEDS_WORKER, 1);
	file.request.request_id = request.request_id;
	const struct stage_reply *first = stage_ask_as(stage, LEEDS_WORKER, &file.request);
	stage_expect_ok(first);
	stage->now_ms += 5000;
	const struct stage_reply *again =
		stage_act(stage, LEEDS_WORKER, LEEDS_WORKER, stage->now_ms, &file.request);
	stage_expect_ok(again);
	ck_assert(stage_same_body(first, again));
	// A signature that does not hold is no retry either.
	stage_expect(stage_act(stage, LEEDS_WORKER, NURSE, stage->now_ms, &file.request), AUTHOR_CREDENTIALS_ERROR, "act_signature");
	file.plan[0].start_date = (char *)(uintptr_t)"2026-01-02";
	stage_expect(stage_act(stage, LEEDS_WORKER, LEEDS_WORKER, stage->now_ms, &file.request), DUPLICATE_REJECTED,
		     "request_id_reused");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retries");
	TCase *all = tcase_create("retries");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, the_same_request_twice_is_one_access_and_one_answer);
	tcase_add_test(all, a_retry_may_have_another_deadline_and_a_renewed_token);
	tcase_add_test(all, a_retry_in_the_same_batch_gets_the_first_ones_answer);
	tcase_add_test(all, a_retry_after_a_restart_gets_the_first_ones_answer);
	tcase_add_test(all, the_same_id_for_other_content_is_rejected_and_recorded);
	tcase_add_test(all, the_same_id_of_another_person_is_another_request);
	tcase_add_test(all, after_ten_minutes_the_same_id_is_a_new_request);
	tcase_add_test(all, a_retry_is_refused_to_who_may_not_have_the_answer_any_more);
	tcase_add_test(all, a_refused_request_may_be_sent_again_under_its_id);
	tcase_add_test(all, a_publication_sent_twice_is_stored_once_and_does_not_undo_a_later_one);
	tcase_add_test(all, an_act_that_is_signed_anew_under_its_id_is_done_once_and_other_content_is_not_its_retry);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
