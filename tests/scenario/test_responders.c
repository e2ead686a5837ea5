// Questions to responders, on a clock that is set: who may register and for what, who is given what, which answers are
// believed, what a flood or a failed commit leaves, and what whoever asked is told.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/asking.h"
#include "broker/neighbour.h"
#include "tests/harness/stage_aside.h"
#include "tests/harness/stage_responder.h"

#define KNOWN "9995000008"
#define OTHER "9995000016"
#define NAME "The neighbour"

static struct stage *stage;
static struct signing_key *answer_key;

static void raise_curtain(void)
{
	stage = stage_new();
	ck_assert_int_eq(signing_key_generate(&answer_key), CERTS_OK);
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, SCHOOL_NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
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

static const struct stage_reply *register_as(enum stage_person person, const char *first, const char *last)
{
	return stage_register_responder(stage, person, answer_key, first, last);
}

static void register_neighbour(void)
{
	stage_expect_ok(register_as(NEIGHBOUR, STAGE_RANGE_FIRST, STAGE_RANGE_LAST));
}

static struct stage_aside *park_flag(const char *nhs_number)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = (char *)(uintptr_t)nhs_number;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return stage_put_aside(stage, NURSE, &request);
}

static struct stage_aside *park_details(enum stage_person person, const char *nhs_number, Cpis__V1__AccessType type)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = (char *)(uintptr_t)nhs_number;
	details.access_type = type;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	return stage_put_aside(stage, person, &request);
}

static const struct stage_reply *take_as(enum stage_person person)
{
	return stage_take_work(stage, person);
}

// The work that there must be.
static const Cpis__V1__ResponderWork *take(void)
{
	const struct stage_reply *reply = take_as(NEIGHBOUR);
	stage_expect_ok(reply);
	ck_assert_ptr_nonnull(reply->reply->responder_take->work);
	return reply->reply->responder_take->work;
}

static const struct stage_reply *answer_with(enum stage_person person, const Cpis__V1__ResponderWork *work,
					     Cpis__V1__ResponderAnswer *answer, int flip)
{
	return stage_answer_work(stage, person, answer_key, work, answer, flip);
}

static const struct stage_reply *answer_flag(const Cpis__V1__ResponderWork *work, bool flag)
{
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	answer.flag = flag;
	return answer_with(NEIGHBOUR, work, &answer, -1);
}

// A plan as a neighbour may show it; to be spoilt by tests.
struct told_plan {
	Cpis__V1__Plan plan, *list[1];
	Cpis__V1__Authority authority;
	Cpis__V1__ResponderAnswer answer;
};

static void good_plan(struct told_plan *told)
{
	cpis__v1__plan__init(&told->plan);
	cpis__v1__authority__init(&told->authority);
	cpis__v1__responder_answer__init(&told->answer);
	told->authority.organisation = op_text("7W1");
	told->authority.name = op_text("Aberdyfi County Council");
	told->authority.emergency_duty_telephone = op_text("01632 960100");
	told->plan.type = CPIS__V1__PLAN_TYPE__CPP;
	told->plan.start_date = op_text("2026-03-01");
	told->plan.authority = &told->authority;
	told->list[0] = &told->plan;
	told->answer.flag = true;
	told->answer.plans = told->list;
	told->answer.n_plans = 1;
}

static void expect_not_available(const struct stage_reply *reply)
{
	stage_expect_ok(reply);
	const Cpis__V1__Reply *told = reply->reply;
	bool flag = told->body_case == CPIS__V1__REPLY__BODY_FLAG;
	ck_assert_uint_eq(flag ? told->flag->n_not_available_from : told->details->n_not_available_from, 1);
	ck_assert_str_eq(flag ? told->flag->not_available_from[0] : told->details->not_available_from[0], NAME);
	ck_assert_ptr_nonnull(strstr(flag ? told->flag->notice : told->details->notice, NAME " could not be asked"));
	ck_assert_ptr_null(strstr(flag ? told->flag->notice : told->details->notice, "No plan is known"));
}

// ------------------------------------------------------------------ registering

START_TEST(only_what_the_register_gives_can_be_registered_for)
{
	stage_expect(register_as(DEMOGRAPHER, STAGE_RANGE_FIRST, STAGE_RANGE_LAST), ACCESS_DENIED, "responder_scope");
	stage_expect(register_as(NEIGHBOUR, STAGE_RANGE_FIRST, "9995999998"), ACCESS_DENIED, "responder_scope");
	stage_expect(register_as(NEIGHBOUR, "9996000000", "9996999999"), ACCESS_DENIED, "responder_scope");
	stage_expect(register_as(NEIGHBOUR, "999", STAGE_RANGE_LAST), INVALID_VALUE, "invalid_value");
	stage_expect(register_as(NEIGHBOUR, NULL, NULL), ACCESS_DENIED, "responder_scope");
	stage_expect(register_as(DEMOGRAPHER, NULL, NULL), ACCESS_DENIED, "responder_scope");
	stage_ask_demographics(stage, true);
	stage_expect_ok(register_as(DEMOGRAPHER, NULL, NULL));
	stage_expect(register_as(NEIGHBOUR, NULL, NULL), ACCESS_DENIED, "responder_scope");
}
END_TEST

START_TEST(a_registration_is_a_signed_act_and_replaces_the_one_before)
{
	Cpis__V1__ResponderRegisterRequest body = CPIS__V1__RESPONDER_REGISTER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t key[KEY_BYTES] = {0};
	body.kind = CPIS__V1__RESPONDER_KIND__PLANS;
	body.range_first = op_text(STAGE_RANGE_FIRST);
	body.range_last = op_text(STAGE_RANGE_LAST);
	body.answer_key = (ProtobufCBinaryData){sizeof key, key};
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_REGISTER;
	request.responder_register = &body;
	stage_expect(stage_ask_as(stage, NEIGHBOUR, &request), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	const struct stage_reply *first = register_as(NEIGHBOUR, STAGE_RANGE_FIRST, STAGE_RANGE_LAST);
	const struct stage_reply *second = register_as(NEIGHBOUR, STAGE_RANGE_FIRST, STAGE_RANGE_LAST);
	stage_expect_ok(first);
	stage_expect_ok(second);
	ck_assert(!first->reply->responder_register->replaced);
	ck_assert(second->reply->responder_register->replaced);
}
END_TEST

START_TEST(who_has_not_registered_is_given_nothing_and_answers_nothing)
{
	Cpis__V1__ResponderWork work = CPIS__V1__RESPONDER_WORK__INIT;
	uint8_t id[WORK_ID_BYTES] = {1};
	work.work_id = (ProtobufCBinaryData){sizeof id, id};
	stage_expect(take_as(NEIGHBOUR), INVALID_REQUEST_STATE, "responder_not_registered");
	stage_expect(answer_flag(&work, true), INVALID_REQUEST_STATE, "responder_not_registered");
	register_neighbour();
	stage_expect_ok(take_as(NEIGHBOUR));
	// A new session has to register anew.
	stage_sign_in(stage, NEIGHBOUR);
	stage_expect(take_as(NEIGHBOUR), INVALID_REQUEST_STATE, "responder_not_registered");
}
END_TEST

// ------------------------------------------------------------------ asking and answering

START_TEST(a_question_goes_out_and_its_answer_comes_back)
{
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	ck_assert(!stage_aside_is_woken(stage, asker));
	const Cpis__V1__ResponderWork *work = take();
	ck_assert_str_eq(work->plans->nhs_number, KNOWN);
	ck_assert(!work->plans->details);
	ck_assert_str_eq(work->plans->access->organisation, "RXH");
	ck_assert_uint_gt(work->deadline_ms, 0);
	ck_assert_uint_le(work->deadline_ms, NEIGHBOUR_PATIENCE_MS);
	ck_assert_ptr_null(stage_aside_resume(stage, asker, true));
	const struct stage_reply *answered = answer_flag(work, true);
	stage_expect_ok(answered);
	ck_assert(answered->reply->responder_answer->in_time);
	ck_assert(stage_aside_is_woken(stage, asker));
	const struct stage_reply *reply = stage_aside_resume(stage, asker, true);
	stage_expect_ok(reply);
	ck_assert(reply->reply->flag->flag);
	ck_assert_uint_eq(reply->reply->flag->n_not_available_from, 0);
}
END_TEST

START_TEST(a_take_that_waits_is_woken_by_a_question)
{
	Cpis__V1__ResponderTakeRequest body;
	Cpis__V1__Request request = stage_take_request(&body);
	body.wait_ms = 5000;
	register_neighbour();
	struct stage_aside *taker = stage_put_aside(stage, NEIGHBOUR, &request);
	struct stage_aside *asker = park_flag(KNOWN);
	ck_assert(stage_aside_is_woken(stage, taker));
	const struct stage_reply *taken = stage_aside_resume(stage, taker, true);
	stage_expect_ok(taken);
	ck_assert_ptr_nonnull(taken->reply->responder_take->work);
	stage_aside_free(asker);
}
END_TEST

START_TEST(a_take_whose_time_is_over_gets_nothing)
{
	Cpis__V1__ResponderTakeRequest body;
	Cpis__V1__Request request = stage_take_request(&body);
	body.wait_ms = 5000;
	register_neighbour();
	struct stage_aside *taker = stage_put_aside(stage, NEIGHBOUR, &request);
	stage->now_ms += 5000;
	const struct stage_reply *taken = stage_aside_resume(stage, taker, false);
	stage_expect_ok(taken);
	ck_assert_ptr_null(taken->reply->responder_take->work);
}
END_TEST

START_TEST(a_take_that_is_sent_again_is_given_the_same_work_and_no_other)
{
	Cpis__V1__ResponderTakeRequest body;
	Cpis__V1__Request request = stage_take_request(&body);
	uint8_t id[REQUEST_ID_BYTES] = {7};
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	register_neighbour();
	struct stage_aside *first = park_flag(KNOWN), *second = park_flag(OTHER);
	const struct stage_reply *once = stage_ask_as(stage, NEIGHBOUR, &request);
	const struct stage_reply *again = stage_ask_as(stage, NEIGHBOUR, &request);
	ck_assert_str_eq(once->reply->responder_take->work->plans->nhs_number, KNOWN);
	ck_assert_str_eq(again->reply->responder_take->work->plans->nhs_number, KNOWN);
	stage_expect_ok(answer_flag(once->reply->responder_take->work, false));
	again = stage_ask_as(stage, NEIGHBOUR, &request);
	stage_expect_ok(again);
	ck_assert_ptr_null(again->reply->responder_take->work);
	ck_assert_str_eq(take()->plans->nhs_number, OTHER);
	stage_aside_free(first);
	stage_aside_free(second);
}
END_TEST

START_TEST(an_asker_who_sends_again_asks_once)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t id[REQUEST_ID_BYTES] = {9};
	flag.nhs_number = op_text(KNOWN);
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	register_neighbour();
	struct stage_aside *first = stage_put_aside(stage, NURSE, &request);
	stage->now_ms += 2000;
	struct stage_aside *second = stage_put_aside(stage, NURSE, &request);
	const Cpis__V1__ResponderWork *work = take();
	ck_assert_ptr_null(take_as(NEIGHBOUR)->reply->responder_take->work);
	stage_expect_ok(answer_flag(work, true));
	ck_assert(stage_aside_resume(stage, first, true)->reply->flag->flag);
	ck_assert(stage_aside_resume(stage, second, true)->reply->flag->flag);
}
END_TEST

START_TEST(details_of_a_neighbours_plan_are_shown_remembered_and_told)
{
	struct told_plan told;
	register_neighbour();
	struct stage_aside *asker = park_details(NURSE, KNOWN, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
	good_plan(&told);
	stage_expect_ok(answer_with(NEIGHBOUR, take(), &told.answer, -1));
	const struct stage_reply *reply = stage_aside_resume(stage, asker, true);
	stage_expect_ok(reply);
	const Cpis__V1__DetailsReply *details = reply->reply->details;
	ck_assert_uint_eq(details->n_plans, 1);
	ck_assert_int_eq(details->plans[0]->status, CPIS__V1__PLAN_STATUS__CURRENT);
	ck_assert_str_eq(details->plans[0]->authority->ring_now, "01632 960100");
	ck_assert(details->notified);
	const struct stage_reply *inbox = stage_inbox(stage, NEIGHBOUR);
	stage_expect_ok(inbox);
	ck_assert_uint_eq(inbox->reply->inbox_list->n_items, 1);
	const Cpis__V1__AccessNotification *item = inbox->reply->inbox_list->items[0]->access;
	ck_assert_str_eq(item->nhs_number, KNOWN);
	ck_assert_uint_eq(item->audit_index, reply->reply->receipt->index);
	ck_assert_uint_eq(item->n_plan_types, 1);
	// The next one sees who looked before.
	asker = park_details(NURSE, KNOWN, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
	stage_expect_ok(answer_with(NEIGHBOUR, take(), &told.answer, -1));
	ck_assert_uint_eq(stage_aside_resume(stage, asker, true)->reply->details->n_accesses, 1);
}
END_TEST

START_TEST(a_silent_look_tells_the_neighbours_inbox_nothing)
{
	struct told_plan told;
	register_neighbour();
	struct stage_aside *asker = park_details(SCHOOL_NURSE, KNOWN, CPIS__V1__ACCESS_TYPE__SCHEDULED);
	good_plan(&told);
	stage_expect_ok(answer_with(NEIGHBOUR, take(), &told.answer, -1));
	const struct stage_reply *reply = stage_aside_resume(stage, asker, true);
	ck_assert_uint_eq(reply->reply->details->n_plans, 1);
	ck_assert(!reply->reply->details->notified);
	ck_assert_uint_eq(stage_inbox(stage, NEIGHBOUR)->reply->inbox_list->n_items, 0);
}
END_TEST

START_TEST(details_without_a_plan_leave_no_history)
{
	Cpis__V1__ResponderAnswer nothing = CPIS__V1__RESPONDER_ANSWER__INIT;
	struct told_plan told;
	register_neighbour();
	struct stage_aside *asker = park_details(NURSE, KNOWN, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
	stage_expect_ok(answer_with(NEIGHBOUR, take(), &nothing, -1));
	const struct stage_reply *reply = stage_aside_resume(stage, asker, true);
	ck_assert(!reply->reply->details->notified);
	ck_assert_uint_eq(stage_inbox(stage, NEIGHBOUR)->reply->inbox_list->n_items, 0);
	asker = park_details(NURSE, KNOWN, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
	good_plan(&told);
	stage_expect_ok(answer_with(NEIGHBOUR, take(), &told.answer, -1));
	ck_assert_uint_eq(stage_aside_resume(stage, asker, true)->reply->details->n_accesses, 0);
}
END_TEST

START_TEST(numbers_outside_the_range_are_not_asked)
{
	register_neighbour();
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	ck_assert_ptr_null(take_as(NEIGHBOUR)->reply->responder_take->work);
}
END_TEST

// ------------------------------------------------------------------ not available

START_TEST(without_an_answer_in_time_it_is_not_available)
{
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	const Cpis__V1__ResponderWork *work = take();
	ck_assert_uint_eq(asker->parked.wait.wait_ms, NEIGHBOUR_PATIENCE_MS);
	stage->now_ms += NEIGHBOUR_PATIENCE_MS;
	expect_not_available(stage_aside_resume(stage, asker, false));
	const struct stage_reply *late = answer_flag(work, true);
	stage_expect_ok(late);
	ck_assert(!late->reply->responder_answer->in_time);
}
END_TEST

START_TEST(with_nobody_there_it_is_not_available_at_once)
{
	expect_not_available(stage_flag(stage, NURSE, KNOWN));
	expect_not_available(stage_details(stage, NURSE, KNOWN));
	register_neighbour();
	stage->now_ms += RESPONDER_SILENT_MS;
	expect_not_available(stage_flag(stage, NURSE, KNOWN));
}
END_TEST

START_TEST(a_wrong_signature_is_refused_and_ends_the_wait)
{
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	const Cpis__V1__ResponderWork *work = take();
	answer.flag = true;
	stage_expect(answer_with(NEIGHBOUR, work, &answer, 5), AUTHOR_CREDENTIALS_ERROR, "answer_signature");
	ck_assert(stage_aside_is_woken(stage, asker));
	expect_not_available(stage_aside_resume(stage, asker, true));
	// It does not help to be right afterwards.
	ck_assert(!answer_flag(work, true)->reply->responder_answer->in_time);
}
END_TEST

START_TEST(an_answer_belongs_to_its_question)
{
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	register_neighbour();
	struct stage_aside *first = park_flag(KNOWN), *second = park_flag(OTHER);
	const Cpis__V1__ResponderWork *work = take();
	Cpis__V1__ResponderWork mixed = *take();
	Cpis__V1__PlansQuestion question = *work->plans;
	// Signed for the first question, sent for the second.
	mixed.plans = &question;
	answer.flag = true;
	stage_expect(answer_with(NEIGHBOUR, &mixed, &answer, -1), AUTHOR_CREDENTIALS_ERROR, "answer_signature");
	expect_not_available(stage_aside_resume(stage, second, true));
	ck_assert_ptr_null(stage_aside_resume(stage, first, true));
	stage_aside_free(first);
}
END_TEST

START_TEST(only_who_took_it_may_answer)
{
	Cpis__V1__ResponderAnswer answer = CPIS__V1__RESPONDER_ANSWER__INIT;
	stage_ask_demographics(stage, true);
	register_neighbour();
	stage_expect_ok(register_as(DEMOGRAPHER, NULL, NULL));
	struct stage_aside *asker = park_flag(KNOWN);
	const Cpis__V1__ResponderWork *work = take();
	answer.flag = true;
	stage_expect(answer_with(DEMOGRAPHER, work, &answer, -1), ACCESS_DENIED, "work_not_taken");
	ck_assert_ptr_null(stage_aside_resume(stage, asker, true));
	stage_expect_ok(answer_flag(work, true));
	ck_assert(stage_aside_resume(stage, asker, true)->reply->flag->flag);
	ck_assert_ptr_null(take_as(DEMOGRAPHER)->reply->responder_take->work);
}
END_TEST

START_TEST(a_second_answer_changes_nothing)
{
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	const Cpis__V1__ResponderWork *work = take();
	stage_expect_ok(answer_flag(work, true));
	ck_assert(!answer_flag(work, false)->reply->responder_answer->in_time);
	ck_assert(stage_aside_resume(stage, asker, true)->reply->flag->flag);
}
END_TEST

static void spoil(struct told_plan *told, int how)
{
	switch (how) {
	case 0: told->plan.type = CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED; break;
	case 1: told->plan.start_date = op_text(""); break;
	case 2: told->plan.start_date = op_text("2027-01-01"); break;
	case 3: told->plan.end_date = op_text("2024-01-01"); break;
	case 4: told->plan.end_date = op_text("2026-02-28"); break;
	case 5: told->plan.status = CPIS__V1__PLAN_STATUS__CURRENT; break;
	case 6: told->plan.authority = NULL; break;
	case 7: told->authority.organisation = op_text("383"); break; // Leeds is ours
	case 8: told->authority.organisation = op_text("7w1"); break;
	case 9: told->authority.name = op_text(""); break;
	case 10: told->authority.emergency_duty_telephone = op_text(""); break;
	case 11: told->authority.office_hours_telephone = op_text("ring us"); break;
	case 12: told->authority.ring_now = op_text("0113 496 0000"); break;
	case 13: told->authority.last_published_ms = UINT64_C(1) << 62; break;
	case 14: told->answer.flag = false; break;
	case 15: told->answer.n_plans = 0; break;
	case 16: told->authority.contacts_confirmed_ms = UINT64_C(1) << 62; break;
	default: told->authority.office_hours_now = true; break;
	}
}

START_TEST(an_answer_that_says_what_cannot_be_is_not_believed)
{
	struct told_plan told;
	register_neighbour();
	struct stage_aside *asker = park_details(NURSE, KNOWN, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
	good_plan(&told);
	spoil(&told, _i);
	stage_expect(answer_with(NEIGHBOUR, take(), &told.answer, -1), INVALID_VALUE, "answer_invalid");
	expect_not_available(stage_aside_resume(stage, asker, true));
	ck_assert_uint_eq(stage_inbox(stage, NEIGHBOUR)->reply->inbox_list->n_items, 0);
}
END_TEST

START_TEST(an_answer_that_cannot_be_read_is_refused)
{
	Cpis__V1__ResponderAnswerRequest body = CPIS__V1__RESPONDER_ANSWER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t garbage[] = {0xff, 0xff, 0x01}, signature[ED25519_SIGNATURE_BYTES] = {0};
	register_neighbour();
	body.answer = (ProtobufCBinaryData){sizeof garbage, garbage};
	body.signature = (ProtobufCBinaryData){sizeof signature, signature};
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER;
	request.responder_answer = &body;
	stage_expect(stage_ask_as(stage, NEIGHBOUR, &request), INVALID_VALUE, "answer_invalid");
}
END_TEST

// ------------------------------------------------------------------ what is taken away

START_TEST(who_may_not_answer_any_more_is_not_asked)
{
	register_neighbour();
	stage_end_profile(stage, NEIGHBOUR);
	expect_not_available(stage_flag(stage, NURSE, KNOWN));
}
END_TEST

START_TEST(a_revoked_system_is_not_asked)
{
	register_neighbour();
	stage_revoke_system(stage, STAGE_NEIGHBOUR);
	expect_not_available(stage_flag(stage, NURSE, KNOWN));
}
END_TEST

static void hold_back(Cpis__V1__QuarantineKind kind, const char *target)
{
	Cpis__V1__QuarantineSetRequest body = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.kind = kind;
	body.target = op_text(target);
	body.reason = op_text("it answers nonsense");
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &body;
	stage_expect_ok(stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms, &request));
}

START_TEST(a_responder_that_is_held_back_is_not_asked)
{
	static const Cpis__V1__QuarantineKind kinds[] = {CPIS__V1__QUARANTINE_KIND__SYSTEM,
							 CPIS__V1__QUARANTINE_KIND__ORGANISATION,
							 CPIS__V1__QUARANTINE_KIND__PERSON};
	const char *const targets[] = {"W00/neighbour", "W00", stage_uid(NEIGHBOUR)};
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	register_neighbour();
	hold_back(kinds[_i], targets[_i]);
	expect_not_available(stage_flag(stage, NURSE, KNOWN));
}
END_TEST

START_TEST(a_responder_that_is_held_back_after_it_took_a_question_does_not_answer)
{
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	const Cpis__V1__ResponderWork *work = take();
	hold_back(CPIS__V1__QUARANTINE_KIND__ORGANISATION, "W00");
	stage_expect(answer_flag(work, false), ASID_CHECK_FAILED, "system_quarantined");
	stage->now_ms += NEIGHBOUR_PATIENCE_MS;
	expect_not_available(stage_aside_resume(stage, asker, false));
}
END_TEST

START_TEST(an_asker_whose_role_ended_meanwhile_is_refused)
{
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	stage_expect_ok(answer_flag(take(), true));
	stage_end_profile(stage, NURSE);
	stage_expect(stage_aside_resume(stage, asker, true), AUTHOR_CREDENTIALS_ERROR, "role_profile");
}
END_TEST

START_TEST(another_registration_is_given_what_the_one_before_had_taken)
{
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	const Cpis__V1__ResponderWork *before = take();
	stage_sign_in(stage, NEIGHBOUR);
	register_neighbour();
	stage_expect(answer_flag(before, false), ACCESS_DENIED, "work_not_taken");
	const Cpis__V1__ResponderWork *after = take();
	ck_assert_int_eq(memcmp(before->work_id.data, after->work_id.data, WORK_ID_BYTES), 0);
	stage_expect_ok(answer_flag(after, true));
	ck_assert(stage_aside_resume(stage, asker, true)->reply->flag->flag);
}
END_TEST

START_TEST(a_restart_forgets_questions_and_registrations)
{
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	stage_restart(stage);
	stage_expect(take_as(NEIGHBOUR), INVALID_REQUEST_STATE, "responder_not_registered");
	expect_not_available(stage_aside_resume(stage, asker, true));
}
END_TEST

START_TEST(an_answer_that_was_not_recorded_is_forgotten)
{
	Cpis__V1__ResponderTakeRequest body;
	Cpis__V1__Request request = stage_take_request(&body);
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	stage->fault.fail_at = stage->fault.calls + 4;
	ck_assert(stage_submit_as(stage, NEIGHBOUR, &request));
	ck_assert(!stage_flush(stage));
	stage->fault.fail_at = 0;
	expect_not_available(stage_aside_resume(stage, asker, true));
	stage_expect(take_as(NEIGHBOUR), INVALID_REQUEST_STATE, "responder_not_registered");
}
END_TEST

START_TEST(one_asker_cannot_fill_the_table)
{
	struct stage_aside *askers[WORKS_PER_ASKER_MAX];
	register_neighbour();
	for (size_t i = 0; i < WORKS_PER_ASKER_MAX; i++)
		askers[i] = park_flag(KNOWN);
	expect_not_available(stage_flag(stage, NURSE, KNOWN));
	// Somebody else is still served.
	struct stage_aside *other = park_details(SCHOOL_NURSE, OTHER, CPIS__V1__ACCESS_TYPE__SCHEDULED);
	stage_aside_free(other);
	for (size_t i = 0; i < WORKS_PER_ASKER_MAX; i++)
		stage_aside_free(askers[i]);
}
END_TEST

// ------------------------------------------------------------------ in the log

START_TEST(each_take_and_answer_is_found_by_the_childs_number)
{
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	register_neighbour();
	struct stage_aside *asker = park_flag(KNOWN);
	const Cpis__V1__ResponderWork *work = take();
	stage->now_ms += NEIGHBOUR_PATIENCE_MS;
	stage_expect_ok(answer_flag(work, true)); // late, and recorded all the same
	expect_not_available(stage_aside_resume(stage, asker, false));
	search.nhs_number = op_text(KNOWN);
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	const struct stage_reply *found = stage_ask_as(stage, REVIEWER, &request);
	stage_expect_ok(found);
	const Cpis__V1__AuditSearchReply *list = found->reply->audit_search;
	ck_assert_uint_eq(list->n_entries, 3);
	ck_assert_int_eq(list->entries[0]->operation, CPIS__V1__OPERATION__FLAG);
	ck_assert_str_eq(list->entries[0]->detail->reason, NAME " could not be asked.");
	ck_assert_int_eq(list->entries[1]->operation, CPIS__V1__OPERATION__RESPONDER_ANSWER);
	ck_assert_int_eq(list->entries[2]->operation, CPIS__V1__OPERATION__RESPONDER_TAKE);
	ck_assert_str_eq(list->entries[2]->organisation, "W00");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responders");
	TCase *tests = tcase_create("responders");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, only_what_the_register_gives_can_be_registered_for);
	tcase_add_test(tests, a_registration_is_a_signed_act_and_replaces_the_one_before);
	tcase_add_test(tests, who_has_not_registered_is_given_nothing_and_answers_nothing);
	tcase_add_test(tests, a_question_goes_out_and_its_answer_comes_back);
	tcase_add_test(tests, a_take_that_waits_is_woken_by_a_question);
	tcase_add_test(tests, a_take_whose_time_is_over_gets_nothing);
	tcase_add_test(tests, a_take_that_is_sent_again_is_given_the_same_work_and_no_other);
	tcase_add_test(tests, an_asker_who_sends_again_asks_once);
	tcase_add_test(tests, details_of_a_neighbours_plan_are_shown_remembered_and_told);
	tcase_add_test(tests, a_silent_look_tells_the_neighbours_inbox_nothing);
	tcase_add_test(tests, details_without_a_plan_leave_no_history);
	tcase_add_test(tests, numbers_outside_the_range_are_not_asked);
	tcase_add_test(tests, without_an_answer_in_time_it_is_not_available);
	tcase_add_test(tests, with_nobody_there_it_is_not_available_at_once);
	tcase_add_test(tests, a_wrong_signature_is_refused_and_ends_the_wait);
	tcase_add_test(tests, an_answer_belongs_to_its_question);
	tcase_add_test(tests, only_who_took_it_may_answer);
	tcase_add_test(tests, a_second_answer_changes_nothing);
	tcase_add_loop_test(tests, an_answer_that_says_what_cannot_be_is_not_believed, 0, 18);
	tcase_add_test(tests, an_answer_that_cannot_be_read_is_refused);
	tcase_add_test(tests, who_may_not_answer_any_more_is_not_asked);
	tcase_add_test(tests, a_revoked_system_is_not_asked);
	tcase_add_loop_test(tests, a_responder_that_is_held_back_is_not_asked, 0, 3);
	tcase_add_test(tests, a_responder_that_is_held_back_after_it_took_a_question_does_not_answer);
	tcase_add_test(tests, an_asker_whose_role_ended_meanwhile_is_refused);
	tcase_add_test(tests, another_registration_is_given_what_the_one_before_had_taken);
	tcase_add_test(tests, a_restart_forgets_questions_and_registrations);
	tcase_add_test(tests, an_answer_that_was_not_recorded_is_forgotten);
	tcase_add_test(tests, one_asker_cannot_fill_the_table);
	tcase_add_test(tests, each_take_and_answer_is_found_by_the_childs_number);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
