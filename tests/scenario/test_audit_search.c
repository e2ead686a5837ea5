// Finding records by anything that they say, in pages of either order, a bounded number of records at a time; and what a
// report needs.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct stage *stage;
static Cpis__V1__AuditSearchRequest body; // empty at the start of each test
static uint64_t scene_from, flag, refused, silent, glass, publication;

static const struct stage_reply *ask(enum stage_person person)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	return stage_ask_as(stage, person, &request);
}

static const Cpis__V1__AuditSearchReply *search(void)
{
	const struct stage_reply *got = ask(REVIEWER);
	stage_expect_ok(got);
	return got->reply->audit_search;
}

static uint64_t look(enum stage_person person, bool scheduled, bool break_glass)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = TEXT(stage_child(0));
	details.access_type = scheduled ? CPIS__V1__ACCESS_TYPE__SCHEDULED : CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	details.break_glass = break_glass;
	details.reason = TEXT("child collapsed in the dental clinic");
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	const struct stage_reply *got = break_glass ? stage_act(stage, person, person, stage->now_ms, &request)
						    : stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->receipt->index;
}

// A minute apart, so that times tell the acts from each other.
static void play(void)
{
	scene_from = publication = stage_log_size(stage);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	stage->now_ms += STAGE_MINUTE_MS;
	flag = stage_flag(stage, NURSE, stage_child(0))->reply->receipt->index;
	stage->now_ms += STAGE_MINUTE_MS;
	refused = stage_flag(stage, RECEPTIONIST, stage_child(1))->reply->receipt->index;
	stage->now_ms += STAGE_MINUTE_MS;
	silent = look(SCHOOL_NURSE, true, false);
	stage->now_ms += STAGE_MINUTE_MS;
	glass = look(CONSULTANT, false, true);
}

static void raise_curtain(void)
{
	static const enum stage_person cast[] = {NURSE, RECEPTIONIST, SCHOOL_NURSE, CONSULTANT, LEEDS_WORKER, REVIEWER};
	stage = stage_new();
	for (size_t i = 0; i < sizeof cast / sizeof cast[0]; i++)
		stage_sign_in(stage, cast[i]);
	play();
	cpis__v1__audit_search_request__init(&body);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// ------------------------------------------------------------------ each filter

// What is asked for finds these records of the scene, and no other.
static void expect(uint64_t one, uint64_t other, uint64_t third)
{
	uint64_t expected[] = {one, other, third};
	size_t count = third != 0 ? 3 : other != 0 ? 2 : one != 0 ? 1 : 0;
	body.from_index = scene_from;
	body.before_index = glass + 1;
	body.oldest_first = true;
	const Cpis__V1__AuditSearchReply *found = search();
	ck_assert_uint_eq(found->n_entries, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(found->entries[i]->index, expected[i]);
	cpis__v1__audit_search_request__init(&body);
}

START_TEST(each_filter_finds_what_it_says)
{
	body.system_name = TEXT("hospital");
	expect(flag, refused, glass);
	body.care_setting = CPIS__V1__CARE_SETTING__SCHOOL_NURSING;
	expect(silent, 0, 0);
	body.role_code = TEXT("R8009");
	expect(refused, 0, 0);
	body.operation = CPIS__V1__OPERATION__PUBLISH;
	expect(publication, 0, 0);
	body.operation = CPIS__V1__OPERATION__FLAG;
	expect(flag, refused, 0);
	body.decision = CPIS__V1__AUDIT_DECISION__REFUSED;
	expect(refused, 0, 0);
	body.decision = CPIS__V1__AUDIT_DECISION__ALLOWED;
	body.operation = CPIS__V1__OPERATION__FLAG;
	expect(flag, 0, 0);
	body.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
	expect(refused, 0, 0);
	body.outcome = CPIS__V1__OUTCOME__INVALID_VALUE;
	expect(0, 0, 0);
	body.reason_code = TEXT("role_lacks_activity");
	expect(refused, 0, 0);
	body.reason_code = TEXT("role_lacks");
	expect(0, 0, 0);
	body.break_glass = CPIS__V1__YES_NO__YES;
	expect(glass, 0, 0);
	body.break_glass = CPIS__V1__YES_NO__NO;
	body.operation = CPIS__V1__OPERATION__DETAILS;
	expect(silent, 0, 0);
	body.notified = CPIS__V1__YES_NO__YES;
	expect(glass, 0, 0);
	body.notified = CPIS__V1__YES_NO__NO;
	body.operation = CPIS__V1__OPERATION__DETAILS;
	expect(silent, 0, 0);
	body.from_ms = STAGE_NOW_MS + STAGE_MINUTE_MS;
	body.until_ms = STAGE_NOW_MS + 3 * STAGE_MINUTE_MS;
	expect(flag, refused, 0);
	body.nhs_number = TEXT(stage_child(0));
	body.from_ms = STAGE_NOW_MS + 2 * STAGE_MINUTE_MS;
	expect(silent, glass, 0);
	body.uid = TEXT(stage_uid(NURSE));
	body.until_ms = STAGE_NOW_MS + STAGE_MINUTE_MS;
	expect(0, 0, 0);
}
END_TEST

START_TEST(a_record_leads_to_its_request_and_to_its_session)
{
	body.nhs_number = TEXT(stage_child(0));
	body.uid = TEXT(stage_uid(NURSE));
	const Cpis__V1__AuditEntry *entry = search()->entries[0];
	cpis__v1__audit_search_request__init(&body);
	ck_assert_uint_eq(entry->detail->session_id.len, SESSION_ID_BYTES);
	body.request_id = entry->request_id;
	expect(flag, 0, 0);
	// The session began before the scene.
	body.session_id = entry->detail->session_id;
	const Cpis__V1__AuditSearchReply *found = search();
	ck_assert_uint_eq(found->n_entries, 2);
	ck_assert_int_eq(found->entries[1]->operation, CPIS__V1__OPERATION__SESSION_OPEN);
	uint8_t other[SESSION_ID_BYTES] = {1};
	body.session_id.data = other;
	ck_assert_uint_eq(search()->n_entries, 0);
}
END_TEST

START_TEST(what_was_done_for_a_trace_is_found_by_it)
{
	static uint8_t trace[TRACE_ID_BYTES] = {[3] = 7}, span[TRACE_PARENT_ID_BYTES] = {[0] = 9}, other[TRACE_ID_BYTES] = {1};
	Cpis__V1__FlagRequest asked = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	asked.nhs_number = TEXT(stage_child(0));
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &asked;
	request.trace_id = (ProtobufCBinaryData){sizeof trace, trace};
	request.trace_parent_id = (ProtobufCBinaryData){sizeof span, span};
	uint64_t answered = stage_ask_as(stage, NURSE, &request)->reply->receipt->index;
	// Refusals too.
	uint64_t denied = stage_ask_as(stage, RECEPTIONIST, &request)->reply->receipt->index;
	stage_flag(stage, NURSE, stage_child(1));
	body.trace_id = (ProtobufCBinaryData){sizeof trace, trace};
	const Cpis__V1__AuditSearchReply *found = search();
	ck_assert_uint_eq(found->n_entries, 2);
	ck_assert_uint_eq(found->entries[0]->index, denied);
	ck_assert_uint_eq(found->entries[1]->index, answered);
	ck_assert_uint_eq(found->entries[1]->detail->trace_parent_id.len, sizeof span);
	ck_assert_mem_eq(found->entries[1]->detail->trace_parent_id.data, span, sizeof span);
	body.trace_id.data = other;
	ck_assert_uint_eq(search()->n_entries, 0);
}
END_TEST

START_TEST(who_has_no_session_has_no_session_id)
{
	uint64_t index = stage_ping(stage, STAGE_HOSPITAL)->reply->receipt->index;
	body.from_index = index;
	ck_assert_uint_eq(search()->entries[0]->detail->session_id.len, 0);
}
END_TEST

// ------------------------------------------------------------------ pages

// All records before `end`, in pages, must be each of them once and in order.
static void follow(bool oldest_first, uint32_t limit, uint64_t end)
{
	uint64_t seen = 0;
	body.oldest_first = oldest_first;
	body.limit = limit;
	body.before_index = end;
	for (bool more = true; more;) {
		const Cpis__V1__AuditSearchReply *page = search();
		for (size_t i = 0; i < page->n_entries; i++, seen++)
			ck_assert_uint_eq(page->entries[i]->index, oldest_first ? seen : end - 1 - seen);
		more = page->more;
		ck_assert(!more || (page->n_entries == limit &&
				    (oldest_first ? page->next_from_index : page->next_before_index) != 0));
		if (more && oldest_first)
			body.from_index = page->next_from_index;
		else if (more)
			body.before_index = page->next_before_index;
	}
	ck_assert_uint_eq(seen, end);
	cpis__v1__audit_search_request__init(&body);
}

START_TEST(pages_follow_each_other_in_both_orders)
{
	static const uint32_t limits[] = {1, 2, 3, 100};
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		follow(false, limits[i], glass + 1);
		follow(true, limits[i], glass + 1);
	}
}
END_TEST

// With a clock that was set back, time and number go different ways: the pages go by number, and a period has all of its records.
START_TEST(pages_lose_nothing_when_the_clock_was_set_back)
{
	uint64_t from = stage_log_size(stage), last = UINT64_MAX;
	bool seen[10] = {false};
	for (unsigned i = 0; i < 10; i++) {
		stage->now_ms += i == 5 ? 0 : STAGE_MINUTE_MS;
		if (i == 5)
			stage->now_ms -= 3 * STAGE_MINUTE_MS;
		stage_ping(stage, STAGE_HOSPITAL);
	}
	body.operation = CPIS__V1__OPERATION__PING;
	body.limit = 3;
	for (bool more = true; more;) {
		const Cpis__V1__AuditSearchReply *page = search();
		for (size_t i = 0; i < page->n_entries; i++) {
			const Cpis__V1__AuditEntry *entry = page->entries[i];
			ck_assert_uint_lt(entry->index, last);
			last = entry->index;
			ck_assert(!seen[entry->index - from]);
			seen[entry->index - from] = true;
		}
		body.before_index = page->next_before_index;
		more = page->more;
	}
	for (unsigned i = 0; i < 10; i++)
		ck_assert(seen[i]);
}
END_TEST

static void ping_often(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		request.body_case = CPIS__V1__REQUEST__BODY_PING;
		request.ping = &ping;
		ck_assert(stage_submit(stage, STAGE_HOSPITAL, &request));
		if (core_pending(stage->core) == STAGE_BATCH_MAX || i + 1 == count)
			ck_assert(stage_flush(stage));
	}
}

START_TEST(a_request_looks_at_4096_records_and_says_where_to_go_on)
{
	uint64_t first = stage_log_size(stage);
	ping_often(4500);
	for (int order = 0; order < 2; order++) {
		unsigned pages = 0, found = 0;
		cpis__v1__audit_search_request__init(&body);
		body.oldest_first = order == 1;
		body.from_index = order == 1 ? first : 0;
		body.operation = CPIS__V1__OPERATION__FLAG;
		for (bool more = true; more; pages++) {
			const Cpis__V1__AuditSearchReply *page = search();
			more = page->more;
			found += (unsigned)page->n_entries;
			body.from_index = order == 1 ? page->next_from_index : 0;
			body.before_index = order == 0 ? page->next_before_index : 0;
		}
		ck_assert_uint_eq(pages, 2);
		ck_assert_uint_eq(found, order == 0 ? 2 : 0);
	}
	// The last of them is looked at, and the one after it is where to go on.
	for (int order = 0; order < 2; order++) {
		cpis__v1__audit_search_request__init(&body);
		body.oldest_first = order == 1;
		body.from_index = first;
		body.before_index = first + AUDIT_SEARCH_EXAMINED_MAX;
		body.operation = CPIS__V1__OPERATION__FLAG;
		ck_assert(!search()->more);
		body.before_index++;
		const Cpis__V1__AuditSearchReply *page = search();
		ck_assert(page->more);
		ck_assert_uint_eq(page->next_from_index, order == 1 ? first + AUDIT_SEARCH_EXAMINED_MAX : 0);
		ck_assert_uint_eq(page->next_before_index, order == 0 ? first + 1 : 0);
	}
	// By child it is found at once, however much lies above it.
	cpis__v1__audit_search_request__init(&body);
	body.nhs_number = TEXT(stage_child(1));
	const Cpis__V1__AuditSearchReply *page = search();
	ck_assert_uint_eq(page->n_entries, 1);
	ck_assert(!page->more);
}
END_TEST

// ------------------------------------------------------------------ reports

static void expect_report(Cpis__V1__AuditReport report, bool child, bool person, uint64_t period_ms, const char *reason)
{
	cpis__v1__audit_search_request__init(&body);
	body.report = report;
	body.nhs_number = TEXT(child ? stage_child(0) : "");
	body.uid = TEXT(person ? stage_uid(NURSE) : "");
	body.from_ms = period_ms == 0 ? 0 : STAGE_NOW_MS - STAGE_DAY_MS;
	body.until_ms = period_ms == 0 ? 0 : body.from_ms + period_ms;
	if (reason[0] == '\0')
		stage_expect_ok(ask(REVIEWER));
	else
		stage_expect(ask(REVIEWER), INVALID_VALUE, reason);
}

START_TEST(a_report_is_of_one_child_or_one_person_or_at_most_31_days)
{
	const uint64_t month = REPORT_MS_MAX;
	expect_report(CPIS__V1__AUDIT_REPORT__PATIENT_ACCESS, true, false, month, "");
	expect_report(CPIS__V1__AUDIT_REPORT__PATIENT_ACCESS, true, false, month + 1, "report_period");
	expect_report(CPIS__V1__AUDIT_REPORT__PATIENT_ACCESS, true, false, 0, "report_period");
	expect_report(CPIS__V1__AUDIT_REPORT__PATIENT_ACCESS, false, true, month, "report_needs");
	expect_report(CPIS__V1__AUDIT_REPORT__USER_ACCESS, false, true, month, "");
	expect_report(CPIS__V1__AUDIT_REPORT__USER_ACCESS, false, true, month + 1, "report_period");
	expect_report(CPIS__V1__AUDIT_REPORT__USER_ACCESS, true, false, month, "report_needs");
	expect_report(CPIS__V1__AUDIT_REPORT__ENQUIRIES, false, false, month, "");
	expect_report(CPIS__V1__AUDIT_REPORT__ENQUIRIES, false, false, month + 1, "report_period");
	expect_report(CPIS__V1__AUDIT_REPORT__ORGANISATION_MONTH, false, false, month, "");
	expect_report(CPIS__V1__AUDIT_REPORT__ORGANISATION_MONTH, false, false, 0, "report_period");
	expect_report(CPIS__V1__AUDIT_REPORT__SUBJECT_ACCESS, true, false, 0, "");
	expect_report(CPIS__V1__AUDIT_REPORT__SUBJECT_ACCESS, false, true, 0, "report_needs");
	expect_report(CPIS__V1__AUDIT_REPORT__STAFF_MEMBER, false, true, 0, "");
	expect_report(CPIS__V1__AUDIT_REPORT__STAFF_MEMBER, true, false, 0, "report_needs");
	// Without an end there is no period.
	cpis__v1__audit_search_request__init(&body);
	body.report = CPIS__V1__AUDIT_REPORT__ENQUIRIES;
	body.from_ms = STAGE_NOW_MS;
	stage_expect(ask(REVIEWER), INVALID_VALUE, "report_period");
}
END_TEST

START_TEST(an_invalid_number_is_refused_whatever_else_is_asked)
{
	body.nhs_number = TEXT("9990000019");
	stage_expect(ask(REVIEWER), INVALID_NHS_NUMBER, "nhs_number");
	body.report = CPIS__V1__AUDIT_REPORT__SUBJECT_ACCESS;
	stage_expect(ask(REVIEWER), INVALID_NHS_NUMBER, "nhs_number");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_search");
	TCase *all = tcase_create("search");
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, each_filter_finds_what_it_says);
	tcase_add_test(all, a_record_leads_to_its_request_and_to_its_session);
	tcase_add_test(all, who_has_no_session_has_no_session_id);
	tcase_add_test(all, what_was_done_for_a_trace_is_found_by_it);
	tcase_add_test(all, pages_follow_each_other_in_both_orders);
	tcase_add_test(all, pages_lose_nothing_when_the_clock_was_set_back);
	tcase_add_test(all, a_request_looks_at_4096_records_and_says_where_to_go_on);
	tcase_add_test(all, a_report_is_of_one_child_or_one_person_or_at_most_31_days);
	tcase_add_test(all, an_invalid_number_is_refused_whatever_else_is_asked);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
