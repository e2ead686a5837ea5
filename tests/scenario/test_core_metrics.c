// What the core says of itself to whoever watches: counts, what waits, and whether it would answer now.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/metrics.h"
#include "broker/waiting.h"
#include "tests/harness/stage.h"

static struct stage *stage;
static struct metrics metrics;

static void raise_curtain(void)
{
	static const enum stage_person cast[] = {NURSE, RECEPTIONIST, LEEDS_WORKER, NATIONAL_REGISTRAR};
	memset(&metrics, 0, sizeof metrics);
	stage = stage_new();
	for (size_t i = 0; i < sizeof cast / sizeof cast[0]; i++)
		stage_sign_in(stage, cast[i]);
}

static void drop_curtain(void)
{
	ck_assert(stage_log_verifies(stage));
	stage_free(stage);
}

static const struct metrics *look(void)
{
	core_read_metrics(stage->core, stage->now_ms, &metrics);
	return &metrics;
}

START_TEST(what_was_asked_is_counted_by_operation_and_by_reason)
{
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_expect(stage_flag(stage, RECEPTIONIST, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
	const struct metrics *seen = look();
	ck_assert_uint_eq(seen->operations[CPIS__V1__OPERATION__FLAG].allowed, 1);
	ck_assert_uint_eq(seen->operations[CPIS__V1__OPERATION__FLAG].refused, 1);
	ck_assert_uint_eq(seen->operations[CPIS__V1__OPERATION__SESSION_OPEN].allowed, 4);
	ck_assert_uint_eq(seen->refusals[REASON_ACTIVITY], 1);
	ck_assert_uint_eq(seen->batches.sum, 6);
	ck_assert_uint_eq(seen->log_size, stage_log_size(stage));
	ck_assert_str_eq(seen->broker_name, STAGE_BROKER_NAME);
	ck_assert_uint_eq(seen->causes, 0);
}
END_TEST

START_TEST(certificates_are_counted_by_when_they_end)
{
	const struct metrics *seen = look();
	uint64_t next_ms = seen->next_system_until_ms, systems = seen->systems;
	ck_assert_uint_gt(systems, 3);
	ck_assert_uint_gt(next_ms, stage->now_ms);
	ck_assert_uint_gt(seen->revocation_until_ms, 0);
	ck_assert_uint_eq(seen->systems_expiring[0], 0);
	// Six days before the next one ends, and when it has.
	stage->now_ms = next_ms - 6 * 24 * STAGE_HOUR_MS;
	seen = look();
	ck_assert_uint_ge(seen->systems_expiring[0], 1);
	ck_assert_uint_ge(seen->systems_expiring[1], seen->systems_expiring[0]);
	stage->now_ms = next_ms + STAGE_MINUTE_MS;
	ck_assert_uint_lt(look()->systems, systems);
}
END_TEST

START_TEST(what_waits_in_inboxes_is_counted_every_quarter_of_a_minute)
{
	ck_assert_uint_eq(look()->waiting.oldest_ms, 0);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	uint64_t then_ms = stage->now_ms;
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	ck_assert_uint_eq(look()->waiting.counts[0], 0);
	stage->now_ms += WAITING_KEPT_MS;
	const struct metrics *seen = look();
	ck_assert_uint_eq(seen->waiting.counts[0], 1);
	ck_assert_uint_eq(seen->waiting.oldest_ms, then_ms);
	ck_assert_uint_eq(seen->waiting_ms, stage->now_ms);
	// Nothing was written by it.
	ck_assert_uint_eq(seen->log_size, stage_log_size(stage));
}
END_TEST

START_TEST(a_commit_that_failed_makes_it_not_ready_until_one_succeeds_or_for_ten_seconds)
{
	ck_assert_uint_eq(look()->causes, 0);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SERVICE_UNAVAILABLE, "store_unavailable");
	stage->now_ms += 1;
	ck_assert_uint_eq(look()->causes, 1u << METRICS_CAUSE_STORE);
	ck_assert_uint_eq(metrics.refusals[REASON_STORE], 1);
	ck_assert_uint_eq(metrics.totals.failed_commits, 1);
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage->now_ms += 1;
	ck_assert_uint_eq(look()->causes, 0);
	// And where nobody is sent any more: it is looked at again by sending somebody.
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	ck_assert(stage_tick(stage));
	stage->now_ms += METRICS_FAILED_MS - 1;
	ck_assert_uint_eq(look()->causes, 1u << METRICS_CAUSE_STORE);
	stage->now_ms += 1;
	ck_assert_uint_eq(look()->causes, 0);
}
END_TEST

START_TEST(a_store_that_fails_while_the_inboxes_are_counted_leaves_what_was_known)
{
	look();
	uint64_t counted_ms = metrics.waiting_ms;
	for (uint64_t n = 1; n < 6; n++) {
		stage->now_ms += WAITING_KEPT_MS;
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		look();
		fault_store_mend(&stage->fault);
		ck_assert_uint_ge(metrics.waiting_ms, counted_ms);
		stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	}
}
END_TEST

START_TEST(without_the_witnesses_that_are_required_it_is_not_ready)
{
	stage->witness_required_s = 3600;
	stage_restart(stage);
	ck_assert_uint_eq(look()->causes, 1u << METRICS_CAUSE_UNWITNESSED);
	ck_assert_uint_eq(metrics.witness_required_ms, 3600000);
	ck_assert_uint_eq(metrics.witnessed_ms, 0);
}
END_TEST

START_TEST(who_is_held_back_is_counted)
{
	Cpis__V1__QuarantineSetRequest body = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	char target[] = "555000000001", why[] = "a rehearsal";
	body.kind = CPIS__V1__QUARANTINE_KIND__PERSON;
	body.target = target;
	body.reason = why;
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &body;
	ck_assert_uint_eq(look()->quarantined, 0);
	stage_expect_ok(stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms, &request));
	ck_assert_uint_eq(look()->quarantined, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core_metrics");
	TCase *tests = tcase_create("core_metrics");
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, what_was_asked_is_counted_by_operation_and_by_reason);
	tcase_add_test(tests, certificates_are_counted_by_when_they_end);
	tcase_add_test(tests, what_waits_in_inboxes_is_counted_every_quarter_of_a_minute);
	tcase_add_test(tests, a_commit_that_failed_makes_it_not_ready_until_one_succeeds_or_for_ten_seconds);
	tcase_add_test(tests, a_store_that_fails_while_the_inboxes_are_counted_leaves_what_was_known);
	tcase_add_test(tests, without_the_witnesses_that_are_required_it_is_not_ready);
	tcase_add_test(tests, who_is_held_back_is_counted);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
