// The identity of the child: publications that are checked with the demographics service, and numbers that go out of use.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/demographics.h"
#include "tests/harness/stage_aside.h"
#include "tests/harness/stage_responder.h"

#define SUPERSEDED CPIS__V1__DEMOGRAPHICS_STATUS__SUPERSEDED
#define INVALID CPIS__V1__DEMOGRAPHICS_STATUS__INVALID
#define SENSITIVE CPIS__V1__DEMOGRAPHICS_STATUS__SENSITIVE
#define VERIFIED CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED
#define NO_MATCH CPIS__V1__DEMOGRAPHICS_STATUS__NO_MATCH
#define NOT_VERIFIED CPIS__V1__DEMOGRAPHICS_STATUS__NOT_VERIFIED
#define CPP CPIS__V1__PLAN_TYPE__CPP
#define LAC CPIS__V1__PLAN_TYPE__LAC

static struct stage *stage;
static struct signing_key *answer_key;
static const char *child, *other, *nobody;

static void raise_curtain(void)
{
	stage = stage_new();
	ck_assert_int_eq(signing_key_generate(&answer_key), CERTS_OK);
	child = stage_child(0);
	other = stage_child(1);
	nobody = stage_child(8);
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_sign_in(stage, BRIGHTON_WORKER);
	stage_sign_in(stage, NEIGHBOUR);
	stage_sign_in(stage, DEMOGRAPHER);
	stage_sign_in(stage, REVIEWER);
}

static void drop_curtain(void)
{
	signing_key_free(answer_key);
	stage_free(stage);
}

// ------------------------------------------------------------------ talk

static void open_service(void)
{
	stage_ask_demographics(stage, true);
	stage_expect_ok(stage_register_responder(stage, DEMOGRAPHER, answer_key, NULL, NULL));
}

static const Cpis__V1__ResponderWork *take(void)
{
	const struct stage_reply *reply = stage_take_work(stage, DEMOGRAPHER);
	stage_expect_ok(reply);
	ck_assert_ptr_nonnull(reply->reply->responder_take->work);
	return reply->reply->responder_take->work;
}

// Answers with these statuses, in order; of a woman, who is verified.
static const struct stage_reply *answer(const Cpis__V1__ResponderWork *work, const Cpis__V1__DemographicsStatus *statuses,
					size_t count, bool female)
{
	Cpis__V1__DemographicsMatch match[STAGE_PLANS_MAX], *matches[STAGE_PLANS_MAX];
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	for (size_t i = 0; i < count; i++) {
		cpis__v1__demographics_match__init(&match[i]);
		match[i].status = statuses[i];
		match[i].female = female;
		matches[i] = &match[i];
	}
	answer.matches = matches;
	answer.n_matches = count;
	return stage_answer_work(stage, DEMOGRAPHER, answer_key, work, &answer, -1);
}

static struct stage_aside *park_file(struct stage_file *file, size_t count)
{
	stage_file_init(file, LEEDS_WORKER, count);
	for (size_t i = 0; i < count; i++) {
		file->plan[i].family_name = op_text("Okafor");
		file->plan[i].given_names = op_text("Chidi Ben");
		file->plan[i].birth_date = op_text("2018-04-05");
	}
	return stage_put_aside(stage, LEEDS_WORKER, &file->request);
}

static const struct stage_reply *announce_as(enum stage_person person, const char *nhs_number,
					     Cpis__V1__DemographicsStatus status)
{
	Cpis__V1__ResponderAnnounceRequest body = CPIS__V1__RESPONDER_ANNOUNCE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__NumberStatus number = CPIS__V1__NUMBER_STATUS__INIT, *numbers[] = {&number};
	number.nhs_number = op_text(nhs_number);
	number.status = status;
	body.numbers = numbers;
	body.n_numbers = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANNOUNCE;
	request.responder_announce = &body;
	return stage_ask_as(stage, person, &request);
}

static bool announce(const char *nhs_number, Cpis__V1__DemographicsStatus status)
{
	const struct stage_reply *reply = announce_as(DEMOGRAPHER, nhs_number, status);
	stage_expect_ok(reply);
	return reply->reply->responder_announce->changed == 1;
}

// ------------------------------------------------------------------ publishing

START_TEST(without_a_service_in_the_register_nothing_is_asked)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-01-01", NULL, NULL);
	ck_assert(stage_flag(stage, NURSE, child)->reply->flag->flag);
}
END_TEST

START_TEST(each_outcome_has_its_code_and_only_the_verified_are_stored)
{
	static const Cpis__V1__DemographicsStatus told[] = {VERIFIED, NO_MATCH, SENSITIVE, NOT_VERIFIED, SUPERSEDED, INVALID};
	static const Cpis__V1__RecordCode codes[] = {CPIS__V1__RECORD_CODE__CPR01, CPIS__V1__RECORD_CODE__CPR02,
						     CPIS__V1__RECORD_CODE__CPR03, CPIS__V1__RECORD_CODE__CPR05,
						     CPIS__V1__RECORD_CODE__CPR05};
	struct stage_file file;
	open_service();
	struct stage_aside *asker = park_file(&file, 6);
	const Cpis__V1__ResponderWork *work = take();
	ck_assert_uint_eq(work->demographics->n_records, 6);
	// What is asked says who, and nothing of any plan.
	ck_assert_str_eq(work->demographics->records[0]->nhs_number, child);
	ck_assert_str_eq(work->demographics->records[0]->family_name, "Okafor");
	ck_assert_str_eq(work->demographics->records[0]->birth_date, "2018-04-05");
	ck_assert_int_eq(work->demographics->records[0]->type, CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED);
	ck_assert_str_eq(work->demographics->records[0]->start_date, "");
	ck_assert_str_eq(work->demographics->records[0]->local_id, "");
	stage_expect_ok(answer(work, told, 6, false));
	ck_assert(stage_aside_is_woken(stage, asker));
	const struct stage_reply *reply = stage_aside_resume(stage, asker, true);
	stage_expect_ok(reply);
	ck_assert_uint_eq(reply->reply->publish->stored, 1);
	ck_assert_uint_eq(reply->reply->publish->n_rejected, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(reply->reply->publish->rejected[i]->code, codes[i]);
	ck_assert(stage_flag(stage, NURSE, child)->reply->flag->flag);
	ck_assert(!stage_flag(stage, NURSE, other)->reply->flag->flag);
}
END_TEST

START_TEST(an_unborn_childs_plan_needs_a_woman)
{
	static const Cpis__V1__DemographicsStatus told[] = {VERIFIED};
	struct stage_file file;
	open_service();
	for (int woman = 0; woman < 2; woman++) {
		stage_file_init(&file, LEEDS_WORKER, 1);
		file.plan[0].type = CPIS__V1__PLAN_TYPE__UCPP;
		file.plan[0].birth_date = op_text("1996-04-05");
		file.plan[0].family_name = file.plan[0].given_names = op_text("Ada");
		struct stage_aside *asker = stage_put_aside(stage, LEEDS_WORKER, &file.request);
		stage_expect_ok(answer(take(), told, 1, woman == 1));
		const struct stage_reply *reply = stage_aside_resume(stage, asker, true);
		stage_expect_ok(reply);
		ck_assert_uint_eq(reply->reply->publish->stored, (unsigned)woman);
	}
}
END_TEST

static void expect_send_again(const struct stage_reply *reply)
{
	stage_expect(reply, SERVICE_UNAVAILABLE, "demographics_unavailable");
	ck_assert_ptr_nonnull(strstr(reply->reply->reason, "CPF05"));
	ck_assert_ptr_nonnull(reply->reply->receipt);
	ck_assert_uint_gt(reply->reply->retry_after_ms, 0);
	ck_assert(!stage_flag(stage, NURSE, child)->reply->flag->flag);
}

START_TEST(without_an_answer_nothing_is_stored_and_the_file_is_sent_again)
{
	struct stage_file file;
	open_service();
	struct stage_aside *asker = park_file(&file, 2);
	stage->now_ms += asker->parked.wait.wait_ms;
	expect_send_again(stage_aside_resume(stage, asker, false));
}
END_TEST

START_TEST(the_same_request_sent_again_later_is_asked_again)
{
	static const Cpis__V1__DemographicsStatus told[] = {VERIFIED};
	struct stage_file file;
	uint8_t id[REQUEST_ID_BYTES] = {3};
	open_service();
	stage_file_init(&file, LEEDS_WORKER, 1);
	file.request.request_id = (ProtobufCBinaryData){sizeof id, id};
	struct stage_aside *asker = stage_put_aside(stage, LEEDS_WORKER, &file.request);
	stage->now_ms += asker->parked.wait.wait_ms;
	expect_send_again(stage_aside_resume(stage, asker, false));
	asker = stage_put_aside(stage, LEEDS_WORKER, &file.request);
	stage_expect_ok(answer(take(), told, 1, false));
	stage_expect_ok(stage_aside_resume(stage, asker, true));
	ck_assert(stage_flag(stage, NURSE, child)->reply->flag->flag);
}
END_TEST

START_TEST(with_nobody_registered_nothing_is_stored)
{
	struct stage_file file;
	stage_ask_demographics(stage, true);
	stage_file_init(&file, LEEDS_WORKER, 1);
	expect_send_again(stage_ask_as(stage, LEEDS_WORKER, &file.request));
}
END_TEST

START_TEST(an_answer_that_does_not_fit_counts_as_none)
{
	static const Cpis__V1__DemographicsStatus told[] = {VERIFIED, CPIS__V1__DEMOGRAPHICS_STATUS__DEMOGRAPHICS_STATUS_UNSPECIFIED};
	struct stage_file file;
	open_service();
	struct stage_aside *asker = park_file(&file, 2);
	stage_expect(answer(take(), told, _i == 0 ? 1 : 2, false), INVALID_VALUE, "answer_invalid");
	expect_send_again(stage_aside_resume(stage, asker, true));
}
END_TEST

START_TEST(a_sex_is_told_of_the_verified_only)
{
	static const Cpis__V1__DemographicsStatus told[] = {SENSITIVE};
	struct stage_file file;
	open_service();
	struct stage_aside *asker = park_file(&file, 1);
	stage_expect(answer(take(), told, 1, true), INVALID_VALUE, "answer_invalid");
	expect_send_again(stage_aside_resume(stage, asker, true));
}
END_TEST

START_TEST(a_withdrawal_needs_no_check)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-01-01", NULL, NULL);
	stage_ask_demographics(stage, true);
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-01-01", NULL, "2026-10-20");
	ck_assert(!stage_flag(stage, NURSE, child)->reply->flag->flag);
}
END_TEST

// ------------------------------------------------------------------ numbers out of use

static const Cpis__V1__DemographicsStatus out_of_use[] = {SUPERSEDED, INVALID, SENSITIVE};

static void publish_of_two(void)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-01-01", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, child, LAC, "2026-01-01", NULL, NULL);
	stage_publish(stage, BRIGHTON_WORKER, child, CPP, "2026-02-01", NULL, NULL);
	stage_expect_ok(stage_details(stage, NURSE, child));
	stage_ask_demographics(stage, true);
}

// Notices of a number in this inbox; each must say no more than it may.
static unsigned notices(enum stage_person person, size_t plan_types)
{
	const struct stage_reply *inbox = stage_inbox(stage, person);
	unsigned count = 0;
	stage_expect_ok(inbox);
	for (size_t i = 0; i < inbox->reply->inbox_list->n_items; i++) {
		const Cpis__V1__InboxItem *item = inbox->reply->inbox_list->items[i];
		if (item->kind_case != CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER)
			continue;
		count++;
		ck_assert_str_eq(item->inactive_number->nhs_number, child);
		ck_assert_uint_eq(item->inactive_number->n_plan_types, plan_types);
	}
	return count;
}

START_TEST(a_number_out_of_use_is_answered_as_one_that_nobody_knows)
{
	publish_of_two();
	ck_assert(announce(child, out_of_use[_i]));
	ck_assert(stage_same_body(stage_flag(stage, NURSE, child), stage_flag(stage, NURSE, nobody)));
	ck_assert(stage_same_body(stage_details(stage, NURSE, child), stage_details(stage, NURSE, nobody)));
}
END_TEST

START_TEST(each_authority_is_told_once_whatever_the_reason)
{
	publish_of_two();
	ck_assert(announce(child, out_of_use[_i]));
	ck_assert(!announce(child, out_of_use[_i]));
	announce(child, out_of_use[(_i + 1) % 3]);
	ck_assert_uint_eq(notices(LEEDS_WORKER, 2), 1);
	ck_assert_uint_eq(notices(BRIGHTON_WORKER, 1), 1);
}
END_TEST

START_TEST(the_notice_is_the_same_for_each_reason)
{
	uint8_t bytes[3][256];
	size_t count[3];
	publish_of_two();
	for (size_t i = 0; i < 3; i++) {
		announce(child, VERIFIED);
		announce(child, out_of_use[i]);
		const Cpis__V1__InboxListReply *list = stage_inbox(stage, BRIGHTON_WORKER)->reply->inbox_list;
		const Cpis__V1__InactiveNumberNotice *notice = list->items[list->n_items - 1]->inactive_number;
		count[i] = cpis__v1__inactive_number_notice__pack(notice, bytes[i]);
		ck_assert_uint_eq(count[i], count[0]);
		ck_assert_int_eq(memcmp(bytes[i], bytes[0], count[0]), 0);
	}
}
END_TEST

START_TEST(a_number_that_is_in_use_again_is_shown_again)
{
	publish_of_two();
	announce(child, INVALID);
	ck_assert(announce(child, VERIFIED));
	ck_assert(!announce(child, VERIFIED));
	ck_assert(stage_flag(stage, NURSE, child)->reply->flag->flag);
	// When it goes out of use another time, that is news.
	announce(child, INVALID);
	ck_assert_uint_eq(notices(LEEDS_WORKER, 2), 2);
}
END_TEST

// An announcement may come between the check of a record and the end of its file.
START_TEST(a_number_without_plans_may_be_announced_and_hides_what_comes)
{
	stage_ask_demographics(stage, true);
	ck_assert(announce(child, INVALID));
	stage_ask_demographics(stage, false);
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-01-01", NULL, NULL);
	stage_ask_demographics(stage, true);
	ck_assert(!stage_flag(stage, NURSE, child)->reply->flag->flag);
	ck_assert_uint_eq(notices(LEEDS_WORKER, 1), 0);
	ck_assert(!announce(child, INVALID));
	ck_assert_uint_eq(notices(LEEDS_WORKER, 1), 1);
}
END_TEST

START_TEST(a_number_that_the_service_verifies_is_in_use_whatever_was_announced)
{
	static const Cpis__V1__DemographicsStatus told[] = {VERIFIED};
	struct stage_file file;
	publish_of_two();
	announce(child, INVALID);
	open_service();
	struct stage_aside *asker = park_file(&file, 1);
	stage_expect_ok(answer(take(), told, 1, false));
	stage_expect_ok(stage_aside_resume(stage, asker, true));
	ck_assert(stage_flag(stage, NURSE, child)->reply->flag->flag);
	ck_assert_uint_eq(stage_details(stage, NURSE, child)->reply->details->n_plans, 3);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_hides_and_tells_nothing)
{
	uint64_t n = 1;
	publish_of_two();
	for (;; n++) {
		stage->fault.fail_at = stage->fault.calls + n;
		const struct stage_reply *reply = announce_as(DEMOGRAPHER, child, INVALID);
		stage->fault.fail_at = 0;
		if (reply->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		stage_expect(reply, SERVICE_UNAVAILABLE, "store_unavailable");
		ck_assert(stage_flag(stage, NURSE, child)->reply->flag->flag);
		ck_assert_uint_eq(notices(LEEDS_WORKER, 2), 0);
	}
	// begin, expire, look-up, plans, two notices of two calls each, the number, the record...
	ck_assert_uint_gt(n, 9);
	ck_assert(!stage_flag(stage, NURSE, child)->reply->flag->flag);
	ck_assert_uint_eq(notices(LEEDS_WORKER, 2), 1);
}
END_TEST

START_TEST(it_stays_out_of_use_over_a_restart)
{
	publish_of_two();
	announce(child, SENSITIVE);
	stage_restart(stage);
	ck_assert(!stage_flag(stage, NURSE, child)->reply->flag->flag);
}
END_TEST

START_TEST(only_the_demographics_organisation_announces)
{
	stage_expect(announce_as(DEMOGRAPHER, child, INVALID), ACCESS_DENIED, "responder_scope");
	stage_ask_demographics(stage, true);
	stage_expect(announce_as(NEIGHBOUR, child, INVALID), ACCESS_DENIED, "responder_scope");
	stage_expect(announce_as(DEMOGRAPHER, child, NO_MATCH), INVALID_VALUE, "invalid_value");
	stage_expect(announce_as(DEMOGRAPHER, "9990000019", INVALID), INVALID_NHS_NUMBER, "nhs_number");
}
END_TEST

// The old number and the new one of a child stand in one announcement, as a merge makes them.
START_TEST(old_and_new_number_are_linked_nowhere)
{
	Cpis__V1__ResponderAnnounceRequest body = CPIS__V1__RESPONDER_ANNOUNCE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__NumberStatus number[2], *numbers[] = {&number[0], &number[1]};
	publish_of_two();
	for (size_t i = 0; i < 2; i++)
		cpis__v1__number_status__init(&number[i]);
	number[0].nhs_number = op_text(child);
	number[0].status = SUPERSEDED;
	number[1].nhs_number = op_text(other);
	number[1].status = VERIFIED;
	body.numbers = numbers;
	body.n_numbers = 2;
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANNOUNCE;
	request.responder_announce = &body;
	stage_expect_ok(stage_ask_as(stage, DEMOGRAPHER, &request));
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request look = CPIS__V1__REQUEST__INIT;
	look.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	look.audit_search = &search;
	const char *const both[] = {child, other};
	for (size_t i = 0; i < 2; i++) {
		search.nhs_number = op_text(both[i]);
		const struct stage_reply *found = stage_ask_as(stage, REVIEWER, &look);
		stage_expect_ok(found);
		for (size_t j = 0; j < found->reply->audit_search->n_entries; j++)
			ck_assert_int_ne(found->reply->audit_search->entries[j]->operation,
					 CPIS__V1__OPERATION__RESPONDER_ANNOUNCE);
		ck_assert_ptr_null(memmem(found->packed, found->packed_bytes, both[1 - i], 10));
	}
	// Nor in what the authorities are told.
	const struct stage_reply *inbox = stage_inbox(stage, LEEDS_WORKER);
	ck_assert_ptr_null(memmem(inbox->packed, inbox->packed_bytes, other, 10));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demographics");
	TCase *tests = tcase_create("demographics");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, without_a_service_in_the_register_nothing_is_asked);
	tcase_add_test(tests, each_outcome_has_its_code_and_only_the_verified_are_stored);
	tcase_add_test(tests, an_unborn_childs_plan_needs_a_woman);
	tcase_add_test(tests, without_an_answer_nothing_is_stored_and_the_file_is_sent_again);
	tcase_add_test(tests, the_same_request_sent_again_later_is_asked_again);
	tcase_add_test(tests, with_nobody_registered_nothing_is_stored);
	tcase_add_loop_test(tests, an_answer_that_does_not_fit_counts_as_none, 0, 2);
	tcase_add_test(tests, a_sex_is_told_of_the_verified_only);
	tcase_add_test(tests, a_withdrawal_needs_no_check);
	tcase_add_loop_test(tests, a_number_out_of_use_is_answered_as_one_that_nobody_knows, 0, 3);
	tcase_add_loop_test(tests, each_authority_is_told_once_whatever_the_reason, 0, 3);
	tcase_add_test(tests, the_notice_is_the_same_for_each_reason);
	tcase_add_test(tests, a_number_that_is_in_use_again_is_shown_again);
	tcase_add_test(tests, a_number_without_plans_may_be_announced_and_hides_what_comes);
	tcase_add_test(tests, a_number_that_the_service_verifies_is_in_use_whatever_was_announced);
	tcase_add_test(tests, a_store_that_fails_at_any_call_hides_and_tells_nothing);
	tcase_add_test(tests, it_stays_out_of_use_over_a_restart);
	tcase_add_test(tests, only_the_demographics_organisation_announces);
	tcase_add_test(tests, old_and_new_number_are_linked_nowhere);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
