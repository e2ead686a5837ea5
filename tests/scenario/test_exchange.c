// What is said between social care and care settings: enquiries and their answers, missed appointments, and the receipts.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define QUESTION "Was the child seen, and who brought it?"
#define ANSWER_TEXT "Seen at 3 am with a broken arm, brought by the father."

static struct stage *stage;
static const char *child;

static void raise_curtain(void)
{
	static const enum stage_person all[] = {NURSE,        RECEPTIONIST, OTHER_NURSE,     MIDWIFE,
						LEEDS_WORKER, BRIGHTON_DUTY, BRIGHTON_WORKER, REVIEWER};
	stage = stage_new();
	child = stage_child(0);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		stage_sign_in(stage, all[i]);
	stage_publish(stage, BRIGHTON_WORKER, child, CPP, "2026-02-03", NULL, NULL);
}

static void drop_curtain(void)
{
	ck_assert(stage_log_verifies(stage));
	stage_free(stage);
}

static char *text(const char *from)
{
	return (char *)(uintptr_t)from;
}

static const Cpis__V1__InboxListReply *inbox(enum stage_person person)
{
	const struct stage_reply *got = stage_inbox(stage, person);
	stage_expect_ok(got);
	return got->reply->inbox_list;
}

static const struct stage_reply *send_enquiry(enum stage_person person, uint64_t about, const char *words)
{
	Cpis__V1__EnquirySendRequest body = CPIS__V1__ENQUIRY_SEND_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.notification_id = about;
	body.message_text = text(words);
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_SEND;
	request.enquiry_send = &body;
	return stage_ask_as(stage, person, &request);
}

static const struct stage_reply *answer(enum stage_person person, uint64_t item, const char *words)
{
	Cpis__V1__EnquiryAnswerRequest body = CPIS__V1__ENQUIRY_ANSWER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.item_id = item;
	body.message_text = text(words);
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_ANSWER;
	request.enquiry_answer = &body;
	return stage_ask_as(stage, person, &request);
}

static void acknowledge(enum stage_person person, uint64_t id)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.ids = &id;
	body.n_ids = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	stage_expect_ok(stage_ask_as(stage, person, &request));
}

// The nurse's look, of which Brighton is told; its record.
static uint64_t look(void)
{
	const struct stage_reply *got = stage_details(stage, NURSE, child);
	stage_expect_ok(got);
	return got->reply->receipt->index;
}

// Checks the newest item of Brighton's inbox, a notice about an enquiry or its answer.
static void expect_notice(enum stage_person person, Cpis__V1__ProgressEvent event, Cpis__V1__InboxSubject about, uint64_t enquiry)
{
	const Cpis__V1__InboxListReply *all = inbox(person);
	const Cpis__V1__InboxItem *item = all->items[all->n_items - 1];
	ck_assert_int_eq(item->kind_case, CPIS__V1__INBOX_ITEM__KIND_PROGRESS);
	ck_assert_int_eq(item->progress->event, event);
	ck_assert_int_eq(item->progress->about, about);
	ck_assert_uint_eq(item->progress->enquiry_id, enquiry);
}

// ------------------------------------------------------------------ enquiries

START_TEST(a_question_reaches_who_looked_and_the_answer_comes_back_with_receipts)
{
	uint64_t looked = look();
	const struct stage_reply *sent = send_enquiry(BRIGHTON_DUTY, 1, QUESTION);
	stage_expect_ok(sent);
	uint64_t id = sent->reply->enquiry_send->enquiry_id;
	ck_assert_uint_eq(id, sent->reply->receipt->index);
	ck_assert_str_eq(sent->reply->enquiry_send->organisation, "RXH");
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 1); // nobody there has been handed it yet

	const Cpis__V1__InboxListReply *hospital = inbox(NURSE);
	ck_assert_uint_eq(hospital->n_items, 1);
	const Cpis__V1__Enquiry *enquiry = hospital->items[0]->enquiry;
	ck_assert_uint_eq(enquiry->enquiry_id, id);
	ck_assert_str_eq(enquiry->nhs_number, child);
	ck_assert_uint_eq(enquiry->audit_index, looked);
	ck_assert_str_eq(enquiry->access->name, "Person 1");
	ck_assert_str_eq(enquiry->authority, "846");
	ck_assert_str_eq(enquiry->asked_by, "Person 9");
	ck_assert_str_eq(enquiry->telephone, "01273 290400"); // it is a Tuesday morning
	ck_assert_str_eq(enquiry->message_text, QUESTION);
	expect_notice(BRIGHTON_DUTY, CPIS__V1__PROGRESS_EVENT__DELIVERED, CPIS__V1__INBOX_SUBJECT__ENQUIRY, id);
	inbox(NURSE);
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 2); // delivered once

	acknowledge(NURSE, 1);
	expect_notice(BRIGHTON_DUTY, CPIS__V1__PROGRESS_EVENT__READ, CPIS__V1__INBOX_SUBJECT__ENQUIRY, id);
	const struct stage_reply *answered = answer(NURSE, 1, ANSWER_TEXT);
	stage_expect_ok(answered);
	ck_assert_str_eq(answered->reply->enquiry_answer->organisation, "846");
	const Cpis__V1__InboxListReply *brighton = inbox(BRIGHTON_DUTY);
	ck_assert_uint_eq(brighton->n_items, 5);
	ck_assert_int_eq(brighton->items[3]->progress->event, CPIS__V1__PROGRESS_EVENT__ACTED);
	const Cpis__V1__EnquiryAnswer *back = brighton->items[4]->answer;
	ck_assert_uint_eq(back->enquiry_id, id);
	ck_assert_str_eq(back->organisation, "RXH");
	ck_assert_str_eq(back->answered_by, "Person 1");
	ck_assert_str_eq(back->message_text, ANSWER_TEXT);
	ck_assert_str_eq(back->question, QUESTION);
	ck_assert_str_eq(back->nhs_number, child);
	expect_notice(NURSE, CPIS__V1__PROGRESS_EVENT__DELIVERED, CPIS__V1__INBOX_SUBJECT__ANSWER, id);
	acknowledge(BRIGHTON_DUTY, 5);
	expect_notice(NURSE, CPIS__V1__PROGRESS_EVENT__READ, CPIS__V1__INBOX_SUBJECT__ANSWER, id);
}
END_TEST

START_TEST(a_take_delivers_as_a_list_does)
{
	look();
	stage_expect_ok(send_enquiry(BRIGHTON_DUTY, 1, QUESTION));
	Cpis__V1__InboxTakeRequest take = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	take.lease_ms = 1000;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &take;
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 2);
	stage->now_ms += 1000;
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 2);
}
END_TEST

START_TEST(only_who_was_told_of_the_look_can_ask_about_it)
{
	look();
	stage_expect(send_enquiry(LEEDS_WORKER, 1, QUESTION), NO_RECORD_FOUND, "no_such_item");
	stage_expect(send_enquiry(BRIGHTON_DUTY, 2, QUESTION), NO_RECORD_FOUND, "no_such_item");
	stage_expect(send_enquiry(NURSE, 1, QUESTION), ACCESS_DENIED, "organisation_type");
	ck_assert_uint_eq(inbox(NURSE)->n_items, 0);
}
END_TEST

START_TEST(only_a_look_can_be_asked_about)
{
	look();
	stage_expect_ok(send_enquiry(BRIGHTON_DUTY, 1, QUESTION));
	inbox(NURSE); // delivered: Brighton's second item is a notice
	stage_expect(send_enquiry(BRIGHTON_DUTY, 2, QUESTION), INVALID_VALUE, "not_a_notification");
}
END_TEST

START_TEST(a_look_of_a_digest_is_named_by_its_record)
{
	stage_set_inbox(stage, STAGE_BRIGHTON, "{digest: hourly}");
	const struct stage_reply *looked = stage_details(stage, OTHER_NURSE, child);
	stage->now_ms += STAGE_HOUR_MS;
	ck_assert(stage_tick(stage));
	stage_sign_in(stage, BRIGHTON_DUTY);
	stage_sign_in(stage, OTHER_NURSE);
	Cpis__V1__EnquirySendRequest body = CPIS__V1__ENQUIRY_SEND_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.notification_id = 1;
	body.message_text = text(QUESTION);
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_SEND;
	request.enquiry_send = &body;
	stage_expect(stage_ask_as(stage, BRIGHTON_DUTY, &request), INVALID_VALUE, "not_a_notification");
	body.audit_index = looked->reply->receipt->index;
	stage_expect_ok(stage_ask_as(stage, BRIGHTON_DUTY, &request));
	ck_assert_uint_eq(inbox(OTHER_NURSE)->items[0]->enquiry->audit_index, body.audit_index);
}
END_TEST

START_TEST(only_who_was_asked_can_answer_and_once)
{
	look();
	stage_expect_ok(send_enquiry(BRIGHTON_DUTY, 1, QUESTION));
	stage_expect(answer(MIDWIFE, 1, ANSWER_TEXT), NO_RECORD_FOUND, "no_such_item");
	stage_expect(answer(RECEPTIONIST, 1, ANSWER_TEXT), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(answer(BRIGHTON_DUTY, 1, ANSWER_TEXT), ACCESS_DENIED, "organisation_type");
	stage_expect(answer(NURSE, 9, ANSWER_TEXT), NO_RECORD_FOUND, "no_such_item");
	stage_expect_ok(answer(NURSE, 1, ANSWER_TEXT));
	stage_expect(answer(NURSE, 1, ANSWER_TEXT), INVALID_REQUEST_STATE, "enquiry_answered");
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 3);
	inbox(NURSE);
	stage_expect(answer(NURSE, 2, ANSWER_TEXT), INVALID_VALUE, "not_an_enquiry"); // a receipt
}
END_TEST

START_TEST(a_question_is_bounded_and_in_words)
{
	char longest[MESSAGE_TEXT_BYTES_MAX + 2];
	look();
	stage_expect(send_enquiry(BRIGHTON_DUTY, 1, "why?"), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	stage_expect(send_enquiry(BRIGHTON_DUTY, 1, "two lines are\nnot allowed"), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
	memset(longest, 'q', sizeof longest - 1);
	longest[MESSAGE_TEXT_BYTES_MAX + 1] = '\0';
	stage_expect(send_enquiry(BRIGHTON_DUTY, 1, longest), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	// Three-byte characters: what is quoted in the answer does not end inside one.
	for (size_t i = 0; i + 3 <= MESSAGE_TEXT_BYTES_MAX; i += 3)
		memcpy(longest + i, "\xe2\x82\xac", 3);
	longest[MESSAGE_TEXT_BYTES_MAX - 1] = '\0';
	stage_expect_ok(send_enquiry(BRIGHTON_DUTY, 1, longest));
	stage_expect_ok(answer(NURSE, 1, longest));
	const Cpis__V1__InboxListReply *got = inbox(BRIGHTON_DUTY);
	ck_assert_uint_eq(strlen(got->items[got->n_items - 1]->answer->question), 198);
}
END_TEST

START_TEST(sent_twice_is_asked_once)
{
	uint8_t id[REQUEST_ID_BYTES] = {3};
	Cpis__V1__EnquirySendRequest body = CPIS__V1__ENQUIRY_SEND_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	look();
	body.notification_id = 1;
	body.message_text = text(QUESTION);
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_SEND;
	request.enquiry_send = &body;
	const struct stage_reply *first = stage_ask_as(stage, BRIGHTON_DUTY, &request);
	ck_assert(stage_same_body(first, stage_ask_as(stage, BRIGHTON_DUTY, &request)));
	ck_assert_uint_eq(inbox(NURSE)->n_items, 1);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_answers_whole_or_not_at_all)
{
	look();
	stage_expect_ok(send_enquiry(BRIGHTON_DUTY, 1, QUESTION));
	inbox(NURSE);
	uint64_t n = 1;
	for (;; n++) {
		stage->fault.fail_at = n;
		stage->fault.calls = 0;
		const struct stage_reply *got = answer(NURSE, 1, ANSWER_TEXT);
		fault_store_mend(&stage->fault);
		if (got->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
		ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 2);
		ck_assert_uint_eq(inbox(NURSE)->items[0]->acknowledged_ms, 0);
	}
	ck_assert_uint_gt(n, 10);
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 4);
}
END_TEST

// What a reviewer finds of an operation under the child's number.
static const Cpis__V1__AuditDetail *recorded(Cpis__V1__Operation operation)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = text(child);
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	const struct stage_reply *got = stage_ask_as(stage, REVIEWER, &request);
	stage_expect_ok(got);
	for (size_t i = 0; i < got->reply->audit_search->n_entries; i++)
		if (got->reply->audit_search->entries[i]->operation == operation)
			return got->reply->audit_search->entries[i]->detail;
	ck_abort_msg("nothing is recorded");
}

START_TEST(the_exchange_is_in_the_audit_log_under_the_childs_number)
{
	look();
	stage_expect_ok(send_enquiry(BRIGHTON_DUTY, 1, QUESTION));
	stage_expect_ok(answer(NURSE, 1, ANSWER_TEXT));
	const Cpis__V1__AuditDetail *asked = recorded(CPIS__V1__OPERATION__ENQUIRY_SEND);
	ck_assert_str_eq(asked->message_text, QUESTION);
	ck_assert_ptr_nonnull(strstr(asked->target, "of 846 to RXH"));
	const Cpis__V1__AuditDetail *answered = recorded(CPIS__V1__OPERATION__ENQUIRY_ANSWER);
	ck_assert_str_eq(answered->message_text, ANSWER_TEXT);
	ck_assert_ptr_nonnull(strstr(answered->target, "of RXH to enquiry"));
	ck_assert_ptr_nonnull(strstr(answered->target, "of 846"));
}
END_TEST

// ------------------------------------------------------------------ missed appointments

static const struct stage_reply *tell_as(enum stage_person person, const char *nhs_number, Cpis__V1__CareSetting setting,
					 const char *date)
{
	Cpis__V1__NotBroughtSendRequest body = CPIS__V1__NOT_BROUGHT_SEND_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = text(nhs_number);
	body.care_setting = setting;
	body.appointment_date = text(date);
	body.message_text = text("Second time in a row.");
	request.body_case = CPIS__V1__REQUEST__BODY_NOT_BROUGHT_SEND;
	request.not_brought_send = &body;
	return stage_ask_as(stage, person, &request);
}

static const struct stage_reply *tell(const char *nhs_number)
{
	return tell_as(OTHER_NURSE, nhs_number, CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED, "2026-10-19");
}

START_TEST(a_missed_appointment_is_told_to_each_authority_with_a_current_plan)
{
	stage_publish(stage, LEEDS_WORKER, child, CPIS__V1__PLAN_TYPE__LAC, "2026-02-03", "2026-10-01", NULL);
	const struct stage_reply *sent = tell(child);
	stage_expect_ok(sent);
	ck_assert(sent->reply->not_brought_send->sent);
	const Cpis__V1__InboxListReply *brighton = inbox(BRIGHTON_DUTY);
	ck_assert_uint_eq(brighton->n_items, 1);
	const Cpis__V1__NotBroughtNotice *notice = brighton->items[0]->not_brought;
	ck_assert_str_eq(notice->nhs_number, child);
	ck_assert_str_eq(notice->appointment_date, "2026-10-19");
	ck_assert_str_eq(notice->message_text, "Second time in a row.");
	ck_assert_str_eq(notice->sender->organisation, "RY7");
	ck_assert_int_eq(notice->sender->care_setting, CPIS__V1__CARE_SETTING__SCHOOL_NURSING);
	ck_assert_uint_eq(notice->audit_index, sent->reply->receipt->index);
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 0); // its plan has ended
	ck_assert_uint_eq(recorded(CPIS__V1__OPERATION__NOT_BROUGHT_SEND)->count, 1);
	ck_assert_str_eq(recorded(CPIS__V1__OPERATION__NOT_BROUGHT_SEND)->message_text, "Second time in a row.");
}
END_TEST

START_TEST(it_says_what_a_flag_query_says)
{
	stage_publish(stage, LEEDS_WORKER, stage_child(1), CPP, "2025-02-03", "2026-10-01", NULL); // ended: a flag
	stage_publish(stage, LEEDS_WORKER, stage_child(2), CPP, "2026-11-03", NULL, NULL);         // not begun: none
	for (size_t i = 0; i < 4; i++) {
		const struct stage_reply *flag = stage_flag(stage, OTHER_NURSE, stage_child(i)), *sent = tell(stage_child(i));
		stage_expect_ok(sent);
		ck_assert_int_eq(sent->reply->not_brought_send->sent, flag->reply->flag->flag);
		ck_assert_str_eq(sent->reply->not_brought_send->notice, flag->reply->flag->notice);
	}
	// Where no plan is current the flag's own authority is told, so that "sent" is true.
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert(stage_same_body(tell(stage_child(2)), tell(stage_child(3))));
}
END_TEST

START_TEST(its_receipts_do_not_say_which_authority_holds_a_plan)
{
	const struct stage_reply *sent = tell(child);
	acknowledge(BRIGHTON_DUTY, 1);
	const Cpis__V1__ProgressNotice *notice = inbox(OTHER_NURSE)->items[0]->progress;
	ck_assert_int_eq(notice->event, CPIS__V1__PROGRESS_EVENT__READ);
	ck_assert_int_eq(notice->about, CPIS__V1__INBOX_SUBJECT__MISSED_APPOINTMENT);
	ck_assert_uint_eq(notice->audit_index, sent->reply->receipt->index);
	ck_assert_str_eq(notice->organisation, "");
	ck_assert_str_eq(notice->organisation_name, "");
	ck_assert_str_eq(notice->by, "");
}
END_TEST

START_TEST(the_care_setting_is_the_organisations_own)
{
	stage_expect(tell_as(OTHER_NURSE, child, CPIS__V1__CARE_SETTING__MATERNITY, "2026-10-19"), ACCESS_DENIED,
		     "care_setting_not_in_scope");
	stage_expect(tell_as(MIDWIFE, child, CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED, "2026-10-19"), INVALID_VALUE,
		     "care_setting_needed");
	stage_expect_ok(tell_as(MIDWIFE, child, CPIS__V1__CARE_SETTING__MATERNITY, "2026-10-19"));
	stage_expect(tell_as(RECEPTIONIST, child, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, "2026-10-19"), ACCESS_DENIED,
		     "role_lacks_activity");
	stage_expect(tell_as(LEEDS_WORKER, child, CPIS__V1__CARE_SETTING__SOCIAL_CARE, "2026-10-19"), ACCESS_DENIED,
		     "organisation_type");
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 1);
}
END_TEST

START_TEST(the_appointment_was_lately)
{
	static const char *const bad[] = {"2026-10-21", "2026-09-18", "2026-02-30", "yesterday"};
	static const char *const good[] = {"2026-10-20", "2026-09-19"};
	for (size_t i = 0; i < 4; i++)
		stage_expect(tell_as(OTHER_NURSE, child, CPIS__V1__CARE_SETTING__SCHOOL_NURSING, bad[i]), INVALID_VALUE,
			     "appointment_date");
	for (size_t i = 0; i < 2; i++)
		stage_expect_ok(tell_as(OTHER_NURSE, child, CPIS__V1__CARE_SETTING__SCHOOL_NURSING, good[i]));
	stage_expect(tell("9990000019"), INVALID_NHS_NUMBER, "nhs_number");
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 2);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_tells_all_or_nobody)
{
	stage_publish(stage, LEEDS_WORKER, child, CPP, "2026-02-03", NULL, NULL);
	for (uint64_t n = 1;; n++) {
		stage->fault.fail_at = n;
		stage->fault.calls = 0;
		const struct stage_reply *got = tell(child);
		fault_store_mend(&stage->fault);
		if (got->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 0);
		ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 0);
	}
	ck_assert_uint_eq(inbox(LEEDS_WORKER)->n_items, 1);
	ck_assert_uint_eq(inbox(BRIGHTON_DUTY)->n_items, 1);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *made = tcase_create(name);
	tcase_set_timeout(made, 120);
	tcase_add_checked_fixture(made, raise_curtain, drop_curtain);
	suite_add_tcase(suite, made);
	return made;
}

int main(void)
{
	Suite *suite = suite_create("exchange");
	TCase *enquiries = add_case(suite, "enquiries"), *missed = add_case(suite, "missed");
	tcase_add_test(enquiries, a_question_reaches_who_looked_and_the_answer_comes_back_with_receipts);
	tcase_add_test(enquiries, a_take_delivers_as_a_list_does);
	tcase_add_test(enquiries, only_who_was_told_of_the_look_can_ask_about_it);
	tcase_add_test(enquiries, only_a_look_can_be_asked_about);
	tcase_add_test(enquiries, a_look_of_a_digest_is_named_by_its_record);
	tcase_add_test(enquiries, only_who_was_asked_can_answer_and_once);
	tcase_add_test(enquiries, a_question_is_bounded_and_in_words);
	tcase_add_test(enquiries, sent_twice_is_asked_once);
	tcase_add_test(enquiries, a_store_that_fails_at_any_call_answers_whole_or_not_at_all);
	tcase_add_test(enquiries, the_exchange_is_in_the_audit_log_under_the_childs_number);
	tcase_add_test(missed, a_missed_appointment_is_told_to_each_authority_with_a_current_plan);
	tcase_add_test(missed, it_says_what_a_flag_query_says);
	tcase_add_test(missed, its_receipts_do_not_say_which_authority_holds_a_plan);
	tcase_add_test(missed, the_care_setting_is_the_organisations_own);
	tcase_add_test(missed, the_appointment_was_lately);
	tcase_add_test(missed, a_store_that_fails_at_any_call_tells_all_or_nobody);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
