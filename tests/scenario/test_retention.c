// Scenarios of keeping and letting go: what is due is erased with what histories have of it, what is held is not, a clock that
// jumped erases nothing, and a step that fails is done again.
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "broker/attempts.h"
#include "proto/date.h"
#include "tests/harness/stage.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define CHILD_12 " []\nretention: {child_months: 12}\n"
#define ALL_12 " []\nretention: {child_months: 12, staff_months: 24, service_months: 12}\n"
#define WHY "the inquest asks for it"

static struct stage *stage;
static uint64_t look, search_record;

static const struct stage_reply *search(enum stage_person person, const char *number, Cpis__V1__Operation operation)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = TEXT(number);
	body.operation = operation;
	body.limit = PAGE_ITEMS_MAX;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got;
}

static const struct stage_reply *hold(enum stage_person person, const char *name, const char *from, const char *until)
{
	Cpis__V1__RetentionHold body = CPIS__V1__RETENTION_HOLD__INIT;
	Cpis__V1__RetentionHoldRequest asked = CPIS__V1__RETENTION_HOLD_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.name = TEXT(name);
	body.from_month = TEXT(from);
	body.until_month = TEXT(until);
	body.reason = TEXT(WHY);
	asked.hold = &body;
	request.body_case = CPIS__V1__REQUEST__BODY_RETENTION_HOLD;
	request.retention_hold = &asked;
	return stage_act(stage, person, person, stage->now_ms, &request);
}

static const struct stage_reply *release(const char *name)
{
	Cpis__V1__RetentionReleaseRequest body = CPIS__V1__RETENTION_RELEASE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.name = TEXT(name);
	body.reason = TEXT(WHY);
	request.body_case = CPIS__V1__REQUEST__BODY_RETENTION_RELEASE;
	request.retention_release = &body;
	return stage_act(stage, REVIEWER, REVIEWER, stage->now_ms, &request);
}

static const Cpis__V1__RetentionShowReply *months(void)
{
	Cpis__V1__RetentionShowRequest body = CPIS__V1__RETENTION_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_RETENTION_SHOW;
	request.retention_show = &body;
	const struct stage_reply *got = stage_ask_as(stage, REVIEWER, &request);
	stage_expect_ok(got);
	return got->reply->retention_show;
}

// October 2026: a plan is looked at, and the log is searched.
static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, REVIEWER);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	const struct stage_reply *got = stage_details(stage, NURSE, stage_child(0));
	stage_expect_ok(got);
	look = got->reply->receipt->index;
	search_record = search(REVIEWER, "", 0)->reply->receipt->index;
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static void go_on(uint64_t until_ms)
{
	struct attempt attempt = {REASON_HANDSHAKE_KEY, 1, stage->now_ms, "somebody"};
	for (; stage->now_ms < until_ms; stage->now_ms += STAGE_DAY_MS)
		ck_assert(core_record_attempts(stage->core, &attempt, 1, stage->now_ms));
}

static uint64_t day(const char *text)
{
	uint64_t time_ms;
	ck_assert(instant_parse(text, strlen(text), &time_ms));
	return time_ms;
}

// The broker has run until then, and is asked an hour after the curtain: only then are the cast's certificates good.
static void pass_until(const char *until)
{
	uint64_t back_ms = stage->now_ms + STAGE_HOUR_MS;
	go_on(day(until));
	ck_assert(stage_tick(stage));
	stage->now_ms = back_ms;
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, REVIEWER);
}

static size_t history_length(void)
{
	const struct stage_reply *got = stage_details(stage, NURSE, stage_child(0));
	stage_expect_ok(got);
	return got->reply->details->n_accesses;
}

static bool is_found(void)
{
	const Cpis__V1__AuditSearchReply *found = search(REVIEWER, stage_child(0), CPIS__V1__OPERATION__DETAILS)->reply->audit_search;
	for (size_t i = 0; i < found->n_entries; i++)
		if (found->entries[i]->index == look)
			return true;
	return false;
}

static size_t destroyed(void)
{
	return search(REVIEWER, "", CPIS__V1__OPERATION__KEY_DESTROYED)->reply->audit_search->n_entries;
}

START_TEST(without_a_policy_of_it_all_is_kept)
{
	stage_set_detection(stage, "");
	pass_until("2046-11-01");
	ck_assert(is_found());
	ck_assert_uint_eq(destroyed(), 0);
	const Cpis__V1__RetentionShowReply *shown = months();
	ck_assert_uint_eq(shown->n_months, PAGE_ITEMS_DEFAULT);
	ck_assert(shown->more && shown->months[0]->keys[0]->due_ms == 0);
	ck_assert_str_eq(shown->months[0]->month, "2046-11");
}
END_TEST

START_TEST(what_is_due_is_erased_and_leaves_the_history_and_the_log_stands)
{
	stage_set_detection(stage, CHILD_12);
	pass_until("2027-10-20");
	ck_assert(is_found() && destroyed() == 0);
	pass_until("2027-11-08");
	ck_assert(!is_found());
	ck_assert_uint_eq(destroyed(), 1);
	const Cpis__V1__AuditEntry *entry = stage_shown(stage, REVIEWER, look);
	ck_assert(entry->erased);
	ck_assert_str_eq(entry->detail->nhs_number, "");
	ck_assert_str_eq(entry->detail->uid, "");
	// What names nobody stays.
	ck_assert_int_eq(entry->operation, CPIS__V1__OPERATION__DETAILS);
	ck_assert_str_eq(entry->organisation, "RXH");
	ck_assert(!stage_shown(stage, REVIEWER, search_record)->erased);
	ck_assert(stage_log_verifies(stage));
	ck_assert_uint_eq(history_length(), 0);
	// And after a restart.
	stage_restart(stage);
	ck_assert(stage_shown(stage, REVIEWER, look)->erased);
}
END_TEST

START_TEST(each_class_has_its_own_time_and_the_index_of_people_that_of_the_longest)
{
	stage_set_detection(stage, ALL_12);
	pass_until("2027-11-08");
	// Of October: looks, and what was nobody's (of which there was none).
	ck_assert(stage_shown(stage, REVIEWER, look)->erased && !stage_shown(stage, REVIEWER, search_record)->erased);
	const Cpis__V1__RetentionShowReply *shown = months();
	const Cpis__V1__RetentionMonth *october = shown->months[shown->n_months - 1];
	ck_assert_str_eq(october->month, "2026-10");
	for (size_t i = 0; i < october->n_keys; i++) {
		bool of_child = october->keys[i]->record_class == CPIS__V1__RECORD_CLASS__CHILD_RECORDS ||
				october->keys[i]->record_class == CPIS__V1__RECORD_CLASS__SERVICE_RECORDS;
		// The clock is back in October, where what is about children has a new key.
		if (of_child && october->keys[i]->destroyed_ms != 0)
			continue;
		ck_assert_uint_eq(october->keys[i]->due_ms, of_child ? day("2027-11-01") : day("2028-11-01"));
	}
	pass_until("2028-11-08");
	ck_assert(stage_shown(stage, REVIEWER, search_record)->erased);
}
END_TEST

START_TEST(a_hold_stops_it_until_it_is_released)
{
	stage_set_detection(stage, CHILD_12);
	stage_expect_ok(hold(REVIEWER, "inquest", "2026-10", "2026-10"));
	ck_assert_str_eq(months()->holds[0]->name, "inquest");
	ck_assert(months()->months[0]->held);
	pass_until("2028-03-01");
	ck_assert(is_found());
	ck_assert_uint_eq(history_length(), 1);
	const struct stage_reply *got = release("inquest");
	stage_expect_ok(got);
	ck_assert(got->reply->retention_release->released);
	ck_assert(!release("inquest")->reply->retention_release->released);
	ck_assert_uint_eq(months()->n_holds, 0);
	pass_until("2028-03-08");
	ck_assert(!is_found());
}
END_TEST

START_TEST(a_hold_may_grow_and_not_shrink_and_there_are_so_many)
{
	char name[20];
	stage_expect_ok(hold(REVIEWER, "inquest", "2026-10", "2026-11"));
	stage_expect(hold(REVIEWER, "inquest", "2026-10", "2026-10"), INVALID_REQUEST_STATE, "hold_narrower");
	stage_expect(hold(REVIEWER, "inquest", "2026-11", ""), INVALID_REQUEST_STATE, "hold_narrower");
	const struct stage_reply *got = hold(REVIEWER, "inquest", "", "");
	stage_expect_ok(got);
	ck_assert(got->reply->retention_hold->replaced);
	stage_expect(hold(REVIEWER, "inquest", "2026-10", ""), INVALID_REQUEST_STATE, "hold_narrower");
	for (unsigned i = 1; i < HOLDS_MAX; i++) {
		snprintf(name, sizeof name, "hold %u", i);
		stage_expect_ok(hold(REVIEWER, name, "2030-01", ""));
	}
	stage_expect(hold(REVIEWER, "one more", "", ""), INVALID_REQUEST_STATE, "holds_full");
	stage_expect_ok(hold(REVIEWER, "hold 5", "2029-12", ""));
	ck_assert_uint_eq(months()->n_holds, HOLDS_MAX);
}
END_TEST

START_TEST(a_hold_is_for_national_reviewers)
{
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	stage_expect(hold(PRIVACY_OFFICER, "inquest", "", ""), ACCESS_DENIED, "organisation_type");
	stage_expect(hold(NATIONAL_REGISTRAR, "inquest", "", ""), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(a_clock_that_jumped_erases_nothing)
{
	uint64_t back_ms = stage->now_ms + STAGE_HOUR_MS;
	stage_set_detection(stage, CHILD_12);
	stage->now_ms = day("2031-01-01");
	for (unsigned i = 0; i < 6; i++) {
		go_on(stage->now_ms + 1);
		ck_assert(stage_tick(stage));
	}
	// And again, after it was right in between.
	stage->now_ms = back_ms;
	go_on(stage->now_ms + 1);
	stage->now_ms = day("2031-01-14");
	ck_assert(stage_tick(stage));
	stage->now_ms = back_ms;
	stage_sign_in(stage, REVIEWER);
	ck_assert(is_found());
	ck_assert_uint_eq(destroyed(), 0);
}
END_TEST

START_TEST(what_was_recorded_under_a_clock_that_was_behind_is_kept_like_the_rest)
{
	struct attempt attempt = {REASON_HANDSHAKE_KEY, 1, day("2020-06-05"), "somebody"};
	stage_set_detection(stage, ALL_12);
	ck_assert(core_record_attempts(stage->core, &attempt, 1, day("2020-06-05")));
	uint64_t index = stage_log_size(stage) - 1;
	pass_until("2026-12-01");
	ck_assert(!stage_shown(stage, REVIEWER, index)->erased);
	pass_until("2027-11-08");
	ck_assert(stage_shown(stage, REVIEWER, index)->erased);
}
END_TEST

START_TEST(a_look_left_behind_does_not_open_any_more)
{
	struct store_access *rows;
	struct arena arena;
	struct nhs_number number;
	struct store_tag subject;
	size_t count;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert_int_eq(nhs_number_parse(stage_child(0), NHS_NUMBER_DIGITS, &number), NHS_NUMBER_OK);
	vault_tag_subject(stage->vault, &number, &subject);
	ck_assert_int_eq(stage->disk->ops->accesses_of(stage->disk, &subject, true, 0, 5, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
	stage_set_detection(stage, CHILD_12);
	pass_until("2027-11-08");
	// As if the file still had it somewhere.
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->access_put(stage->disk, &rows[0]), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	ck_assert_uint_eq(history_length(), 0);
	arena_done(&arena);
}
END_TEST

START_TEST(a_hold_that_does_not_open_holds_everything)
{
	struct store_hold broken = {{{9}}, {(const uint8_t *)"not a hold", 10}};
	stage_set_detection(stage, CHILD_12);
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->hold_put(stage->disk, &broken), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	uint64_t failed = core_read_counters(stage->core).failed_commits;
	pass_until("2027-11-08");
	ck_assert(is_found());
	ck_assert_uint_eq(core_read_counters(stage->core).failed_commits, failed);
}
END_TEST

START_TEST(a_step_that_fails_at_any_call_is_done_again_and_nothing_is_left_half_done)
{
	uint64_t back_ms = stage->now_ms + STAGE_HOUR_MS;
	bool failed = true;
	stage_set_detection(stage, CHILD_12);
	go_on(day("2027-11-08"));
	for (uint64_t n = 1; failed; n++) {
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		for (unsigned i = 0; i < 8; i++)
			core_tick(stage->core, stage->now_ms);
		failed = stage->fault.calls >= n;
		ck_assert(stage_log_verifies(stage));
		// Each time on from where it stands: it comes to its end once only.
		stage->now_ms += STAGE_HOUR_MS;
		ck_assert_uint_lt(n, 400);
	}
	fault_store_mend(&stage->fault);
	ck_assert(stage_tick(stage));
	stage->now_ms = back_ms;
	stage_sign_in(stage, REVIEWER);
	stage_sign_in(stage, NURSE);
	ck_assert(stage_shown(stage, REVIEWER, look)->erased);
	ck_assert_uint_eq(history_length(), 0);
	ck_assert_uint_eq(destroyed(), 1);
}
END_TEST

int main(void)
{
	const struct {
		const char *name;
		const TTest *test;
	} tests[] = {
		{"kept", without_a_policy_of_it_all_is_kept},
		{"due", what_is_due_is_erased_and_leaves_the_history_and_the_log_stands},
		{"classes", each_class_has_its_own_time_and_the_index_of_people_that_of_the_longest},
		{"hold", a_hold_stops_it_until_it_is_released},
		{"growing", a_hold_may_grow_and_not_shrink_and_there_are_so_many},
		{"whose", a_hold_is_for_national_reviewers},
		{"clock", a_clock_that_jumped_erases_nothing},
		{"behind", what_was_recorded_under_a_clock_that_was_behind_is_kept_like_the_rest},
		{"left", a_look_left_behind_does_not_open_any_more},
		{"unreadable", a_hold_that_does_not_open_holds_everything},
		{"failing", a_step_that_fails_at_any_call_is_done_again_and_nothing_is_left_half_done},
	};
	Suite *suite = suite_create("retention");
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
		TCase *group = tcase_create(tests[i].name);
		tcase_add_checked_fixture(group, raise_curtain, drop_curtain);
		tcase_set_timeout(group, 120);
		tcase_add_test(group, tests[i].test);
		suite_add_tcase(suite, group);
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
