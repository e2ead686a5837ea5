// How the service runs, as operators are told: who may ask, what it says, and that it says nothing of children or staff.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/traffic.h"
#include "broker/waiting.h"
#include "tests/harness/stage.h"

static struct stage *stage;

static const struct stage_reply *ask(enum stage_person person)
{
	Cpis__V1__OperationsShowRequest body = CPIS__V1__OPERATIONS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_OPERATIONS_SHOW;
	request.operations_show = &body;
	return stage_ask_as(stage, person, &request);
}

static const Cpis__V1__OperationsShowReply *show(void)
{
	const struct stage_reply *got = ask(OPERATOR);
	stage_expect_ok(got);
	return got->reply->operations_show;
}

static void raise_curtain(void)
{
	static const enum stage_person all[] = {NURSE, LEEDS_WORKER, REVIEWER, NATIONAL_REGISTRAR, DEMOGRAPHER, OPERATOR};
	stage = stage_new();
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		stage_sign_in(stage, all[i]);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
}

static void drop_curtain(void)
{
	ck_assert(stage_log_verifies(stage));
	stage_free(stage);
}

START_TEST(operators_who_were_granted_it_may_see_it_and_nobody_else)
{
	stage_expect_ok(ask(OPERATOR));
	stage_expect(ask(DEMOGRAPHER), ACCESS_DENIED, "role_lacks_activity"); // of the same role
	stage_expect(ask(REVIEWER), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(ask(NATIONAL_REGISTRAR), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(ask(NURSE), ACCESS_DENIED, "organisation_type");
	stage_expect(ask(LEEDS_WORKER), ACCESS_DENIED, "organisation_type");
}
END_TEST

static struct traffic_count count_of(const Cpis__V1__OperationsShowReply *shown, Cpis__V1__Operation operation)
{
	for (size_t i = 0; i < shown->n_counts; i++)
		if (shown->counts[i]->operation == operation)
			return (struct traffic_count){shown->counts[i]->allowed, shown->counts[i]->refused};
	return (struct traffic_count){0, 0};
}

START_TEST(it_says_what_was_asked_and_how_that_ended)
{
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	stage_expect(ask(NURSE), ACCESS_DENIED, "organisation_type");
	stage_ask_bytes(stage, STAGE_HOSPITAL, "nonsense", 8, 0);
	stage->now_ms += 2000;
	const Cpis__V1__OperationsShowReply *shown = show();
	ck_assert_str_eq(shown->broker_name, STAGE_BROKER_NAME);
	ck_assert_str_eq(shown->version, CPIS_VERSION);
	ck_assert_uint_eq(shown->started_ms, STAGE_NOW_MS);
	ck_assert_uint_eq(shown->time_ms, stage->now_ms);
	ck_assert_uint_eq(count_of(shown, CPIS__V1__OPERATION__SESSION_OPEN).allowed, 6);
	ck_assert_uint_eq(count_of(shown, CPIS__V1__OPERATION__DETAILS).allowed, 1);
	ck_assert_uint_eq(count_of(shown, CPIS__V1__OPERATION__OPERATIONS_SHOW).refused, 1);
	ck_assert_uint_eq(count_of(shown, CPIS__V1__OPERATION__OPERATIONS_SHOW).allowed, 0); // this one is not answered yet
	ck_assert_uint_eq(count_of(shown, CPIS__V1__OPERATION__OPERATION_UNSPECIFIED).refused, 1);
	ck_assert_uint_eq(shown->n_seconds, 1);
	ck_assert_uint_eq(shown->seconds[0]->n_allowed, 2);
	ck_assert_uint_eq(shown->seconds[0]->allowed[0], 8);
	ck_assert_uint_eq(shown->seconds[0]->refused[0], 2);
	ck_assert_uint_eq(shown->seconds[0]->allowed[1], 0);
	ck_assert_uint_eq(shown->committed_requests, 10);
	ck_assert_uint_eq(shown->commits, 10);
	ck_assert_uint_eq(shown->last_commit_ms, STAGE_NOW_MS);
}
END_TEST

START_TEST(the_last_five_minutes_are_told_second_by_second)
{
	stage->now_ms += 100 * 1000;
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	stage->now_ms += 1000;
	const Cpis__V1__OperationsShowReply *shown = show();
	ck_assert_uint_eq(shown->n_seconds, 2);
	ck_assert_uint_eq(shown->seconds[0]->n_allowed, SHOWN_SECONDS_MAX);
	ck_assert_uint_eq(shown->seconds[1]->n_allowed, 41);
	ck_assert_uint_eq(shown->seconds[1]->allowed[40], 1);
	stage->now_ms += 10 * STAGE_MINUTE_MS;
	shown = show();
	ck_assert_uint_eq(shown->n_seconds, SHOWN_MINUTES_MAX);
	ck_assert_uint_eq(shown->seconds[SHOWN_MINUTES_MAX - 1]->n_allowed, SHOWN_SECONDS_MAX);
	ck_assert_uint_eq(shown->seconds[0]->allowed[0], 0);
}
END_TEST

START_TEST(what_could_not_be_recorded_is_counted_as_refused)
{
	stage->fault.calls = 0;
	stage->fault.fail_at = 1;
	stage_expect(stage_ping(stage, STAGE_HOSPITAL), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	const Cpis__V1__OperationsShowReply *shown = show();
	ck_assert_uint_eq(shown->failed_commits, 1);
	ck_assert_uint_eq(count_of(shown, CPIS__V1__OPERATION__PING).refused, 1);
	ck_assert_uint_eq(count_of(shown, CPIS__V1__OPERATION__PING).allowed, 0);
}
END_TEST

START_TEST(latencies_and_the_edge_are_what_the_process_has_counted)
{
	const struct traffic_edge edge = {.admitted = 7, .refused = 3, .turned_away = 2, .restarts = 1};
	traffic_latency(core_traffic(stage->core), 1000, stage->now_ms);
	traffic_latency(core_traffic(stage->core), UINT64_C(70000000), stage->now_ms);
	traffic_tell_edge(core_traffic(stage->core), &edge);
	stage->now_ms += 2 * STAGE_MINUTE_MS;
	const Cpis__V1__OperationsShowReply *shown = show();
	ck_assert_uint_eq(shown->since_start->count, 2);
	ck_assert_uint_eq(shown->since_start->p50_us, 1024);
	ck_assert_uint_eq(shown->since_start->max_us, UINT64_C(70000000));
	ck_assert_uint_eq(shown->last_minute->count, 0);
	ck_assert_uint_eq(shown->last_five_minutes->count, 2);
	ck_assert_uint_eq(shown->n_buckets, 2);
	ck_assert_uint_eq(shown->buckets[0]->until_us, 1024);
	ck_assert_uint_eq(shown->buckets[1]->until_us, 0);
	ck_assert_uint_eq(shown->edge->admitted, 7);
	ck_assert_uint_eq(shown->edge->refused, 3);
	ck_assert_uint_eq(shown->edge->turned_away, 2);
	ck_assert_uint_eq(shown->edge->restarts, 1);
}
END_TEST

START_TEST(what_waits_in_inboxes_is_counted_by_age_every_fifteen_seconds)
{
	ck_assert_uint_eq(show()->waiting->oldest_ms, 0);
	stage->now_ms += WAITING_KEPT_MS;
	uint64_t looked_ms = stage->now_ms;
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	const Cpis__V1__WaitingItems *waiting = show()->waiting;
	ck_assert_uint_eq(waiting->counted_ms, looked_ms);
	ck_assert_uint_eq(waiting->oldest_ms, looked_ms);
	ck_assert_uint_eq(waiting->within_hour, 1);
	// As counted before, until it is time to count again.
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	stage->now_ms += WAITING_KEPT_MS - 1;
	ck_assert_uint_eq(show()->waiting->counted_ms, looked_ms);
	static const struct { uint64_t age_ms; size_t band; } ages[] = {
		{STAGE_HOUR_MS, 0}, {STAGE_HOUR_MS + WAITING_KEPT_MS, 1}, {9 * STAGE_HOUR_MS, 2}, {25 * STAGE_HOUR_MS, 3}, {4 * STAGE_DAY_MS, 4}};
	for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
		stage->now_ms = looked_ms + ages[i].age_ms;
		stage_sign_in(stage, OPERATOR);
		waiting = show()->waiting;
		const uint32_t counts[] = {waiting->within_hour, waiting->within_eight_hours, waiting->within_day, waiting->within_three_days,
					   waiting->older};
		ck_assert_uint_ge(counts[ages[i].band], 1);
		ck_assert(!waiting->more);
	}
}
END_TEST

START_TEST(certificates_and_lists_are_named_while_there_is_time)
{
	const Cpis__V1__OperationsShowReply *shown = show();
	// All but the one that is over, and those that are not enrolled.
	ck_assert_uint_eq(shown->systems, 9);
	ck_assert_uint_eq(shown->expiring, shown->n_expiring_soonest);
	ck_assert_uint_eq(shown->revocation_until_ms, STAGE_LISTS_END_MS);
	ck_assert_uint_eq(shown->certificate_until_ms, 0); // the stage's core has none
	for (size_t i = 0; i < shown->n_expiring_soonest; i++) {
		ck_assert_uint_gt(shown->expiring_soonest[i]->until_ms, stage->now_ms);
		ck_assert_uint_le(shown->expiring_soonest[i]->until_ms, stage->now_ms + 60 * (uint64_t)STAGE_DAY_MS);
		ck_assert(i == 0 || shown->expiring_soonest[i]->until_ms >= shown->expiring_soonest[i - 1]->until_ms);
	}
}
END_TEST

START_TEST(the_log_is_as_long_as_it_is_committed)
{
	uint64_t size = stage_log_size(stage);
	const Cpis__V1__LogState *log = show()->log;
	ck_assert_uint_eq(log->size, size);
	ck_assert(!log->witnesses_wanted);
	ck_assert_uint_eq(log->witnessed_size, 0);
}
END_TEST

static bool holds(const struct stage_reply *got, const char *text)
{
	return memmem(got->packed, got->packed_bytes, text, strlen(text)) != NULL;
}

START_TEST(no_child_and_nobody_else_is_named_in_it)
{
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	stage->now_ms += WAITING_KEPT_MS;
	const struct stage_reply *got = ask(OPERATOR);
	stage_expect_ok(got);
	ck_assert(!holds(got, stage_child(0)));
	ck_assert(!holds(got, stage_uid(NURSE)));
	ck_assert(!holds(got, stage_uid(LEEDS_WORKER)));
}
END_TEST

START_TEST(a_store_that_cannot_count_leaves_it_unanswered)
{
	uint64_t n = 1;
	for (;; n++) {
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		const struct stage_reply *got = ask(OPERATOR);
		if (stage->fault.calls < n) {
			stage_expect_ok(got);
			break;
		}
		stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
		fault_store_mend(&stage->fault);
		stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	}
	ck_assert_uint_gt(n, 3);
	fault_store_mend(&stage->fault);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("operations");
	TCase *tests = tcase_create("operations");
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, operators_who_were_granted_it_may_see_it_and_nobody_else);
	tcase_add_test(tests, it_says_what_was_asked_and_how_that_ended);
	tcase_add_test(tests, the_last_five_minutes_are_told_second_by_second);
	tcase_add_test(tests, what_could_not_be_recorded_is_counted_as_refused);
	tcase_add_test(tests, latencies_and_the_edge_are_what_the_process_has_counted);
	tcase_add_test(tests, what_waits_in_inboxes_is_counted_by_age_every_fifteen_seconds);
	tcase_add_test(tests, certificates_and_lists_are_named_while_there_is_time);
	tcase_add_test(tests, the_log_is_as_long_as_it_is_committed);
	tcase_add_test(tests, no_child_and_nobody_else_is_named_in_it);
	tcase_add_test(tests, a_store_that_cannot_count_leaves_it_unanswered);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
