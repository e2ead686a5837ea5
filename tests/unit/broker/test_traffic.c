// Counting how the service runs, on a clock of the test's own.
#include "broker/traffic.h"

#include <stdlib.h>

#include <check.h>

#define NOON UINT64_C(1792497600000) // the first millisecond of a minute
#define FLAG 3u
#define REFUSED 7u // whatever for

static struct traffic *traffic;
static uint32_t allowed[TRAFFIC_SECONDS], refused[TRAFFIC_SECONDS];

static void set_up(void)
{
	ck_assert(traffic_new(&traffic));
	traffic_start(traffic, NOON);
}

static void tear_down(void)
{
	traffic_free(traffic);
}

START_TEST(requests_are_counted_by_operation_and_by_the_second)
{
	traffic_count(traffic, FLAG, 0, NOON);
	traffic_count(traffic, FLAG, 0, NOON + 999);
	traffic_count(traffic, FLAG, REFUSED, NOON + 2000);
	ck_assert_uint_eq(traffic_read_operation(traffic, FLAG).allowed, 2);
	ck_assert_uint_eq(traffic_read_operation(traffic, FLAG).refused, 1);
	// The second under way is not over.
	ck_assert_uint_eq(traffic_read_seconds(traffic, NOON + 2999, allowed, refused), 2);
	ck_assert_uint_eq(allowed[0], 2);
	ck_assert_uint_eq(allowed[1], 0);
	ck_assert_uint_eq(traffic_read_seconds(traffic, NOON + 3000, allowed, refused), 3);
	ck_assert_uint_eq(refused[2], 1);
}
END_TEST

START_TEST(what_is_no_operation_counts_as_unreadable)
{
	traffic_count(traffic, TRAFFIC_OPERATIONS, REFUSED, NOON);
	traffic_count(traffic, 0, REFUSED, NOON);
	ck_assert_uint_eq(traffic_read_operation(traffic, 0).refused, 2);
}
END_TEST

START_TEST(five_minutes_are_kept_and_no_more)
{
	for (unsigned i = 0; i < 1000; i++)
		traffic_count(traffic, FLAG, 0, NOON + i * UINT64_C(1000));
	ck_assert_uint_eq(traffic_read_seconds(traffic, NOON + 1000000, allowed, refused), TRAFFIC_SECONDS);
	for (unsigned i = 0; i < TRAFFIC_SECONDS; i++)
		ck_assert_uint_eq(allowed[i], 1);
	// Half of them lie outside of the five minutes now.
	ck_assert_uint_eq(traffic_read_seconds(traffic, NOON + 1150000, allowed, refused), TRAFFIC_SECONDS);
	ck_assert_uint_eq(allowed[0], 1);
	ck_assert_uint_eq(allowed[149], 1);
	ck_assert_uint_eq(allowed[150], 0);
	ck_assert_uint_eq(traffic_read_operation(traffic, FLAG).allowed, 1000);
}
END_TEST

START_TEST(a_clock_that_was_set_back_to_before_the_start_shows_no_seconds)
{
	traffic_count(traffic, FLAG, 0, NOON);
	ck_assert_uint_eq(traffic_read_seconds(traffic, NOON - 5000, allowed, refused), 0);
	ck_assert_uint_eq(traffic_read_recent(traffic, 60, 1).count, 0);
}
END_TEST

START_TEST(before_the_start_there_is_nothing)
{
	struct traffic *fresh;
	ck_assert(traffic_new(&fresh));
	ck_assert_uint_eq(traffic_read_seconds(fresh, NOON, allowed, refused), 0);
	ck_assert_uint_eq(traffic_read_spread(fresh).count, 0);
	ck_assert_uint_eq(traffic_read_spread(fresh).p99_us, 0);
	traffic_start(fresh, NOON);
	traffic_start(fresh, NOON + 5);
	ck_assert_uint_eq(traffic_read_totals(fresh).started_ms, NOON);
	traffic_free(fresh);
}
END_TEST

// Each latency lies below the end of its bucket, and at or above the end of the one before.
START_TEST(buckets_hold_what_lies_between_their_ends)
{
	static const uint64_t edges_us[] = {0, 15, 16, 17, 31, 32, 100, 1000, 4095, 4096, 1000000, (UINT64_C(1) << 26) - 1};
	for (size_t i = 0; i < sizeof edges_us / sizeof *edges_us; i++) {
		struct traffic *fresh;
		ck_assert(traffic_new(&fresh));
		traffic_latency(fresh, edges_us[i], NOON);
		unsigned bucket = 0;
		while (traffic_read_bucket(fresh, bucket) == 0)
			bucket++;
		ck_assert_uint_lt(edges_us[i], traffic_bucket_until_us(bucket));
		if (bucket > 0)
			ck_assert_uint_ge(edges_us[i], traffic_bucket_until_us(bucket - 1));
		traffic_free(fresh);
	}
	for (unsigned i = 1; i < TRAFFIC_BUCKETS - 1; i++)
		ck_assert_uint_gt(traffic_bucket_until_us(i), traffic_bucket_until_us(i - 1));
	ck_assert_uint_eq(traffic_bucket_until_us(TRAFFIC_BUCKETS - 2), UINT64_C(1) << 26);
	ck_assert_uint_eq(traffic_bucket_until_us(TRAFFIC_BUCKETS - 1), 0);
}
END_TEST

START_TEST(percentiles_are_the_ends_of_the_buckets_they_lie_in)
{
	for (unsigned i = 0; i < 50; i++)
		traffic_latency(traffic, 100, NOON);
	for (unsigned i = 0; i < 45; i++)
		traffic_latency(traffic, 1000, NOON);
	for (unsigned i = 0; i < 4; i++)
		traffic_latency(traffic, 10000, NOON);
	traffic_latency(traffic, 100000, NOON);
	struct traffic_spread spread = traffic_read_spread(traffic);
	ck_assert_uint_eq(spread.count, 100);
	ck_assert_uint_eq(spread.p50_us, 104);
	ck_assert_uint_eq(spread.p95_us, 1024);
	ck_assert_uint_eq(spread.p99_us, 10240);
	ck_assert_uint_eq(spread.max_us, 106496);
}
END_TEST

START_TEST(of_one_all_percentiles_are_that_one)
{
	traffic_latency(traffic, 100, NOON);
	struct traffic_spread spread = traffic_read_spread(traffic);
	ck_assert_uint_eq(spread.p50_us, 104);
	ck_assert_uint_eq(spread.p99_us, 104);
}
END_TEST

START_TEST(what_is_longer_than_all_buckets_is_told_as_it_was)
{
	traffic_latency(traffic, UINT64_C(70000000), NOON);
	ck_assert_uint_eq(traffic_read_spread(traffic).p50_us, UINT64_C(70000000));
	traffic_latency(traffic, UINT64_MAX, NOON);
	ck_assert_uint_eq(traffic_read_spread(traffic).max_us, UINT64_MAX);
}
END_TEST

START_TEST(the_last_minute_forgets_and_the_start_does_not)
{
	traffic_latency(traffic, 100, NOON);
	ck_assert_uint_eq(traffic_read_recent(traffic, 60, NOON + 69999).count, 1);
	ck_assert_uint_eq(traffic_read_recent(traffic, 60, NOON + 70000).count, 0);
	ck_assert_uint_eq(traffic_read_recent(traffic, 300, NOON + 309999).count, 1);
	ck_assert_uint_eq(traffic_read_recent(traffic, 300, NOON + 310000).count, 0);
	// The slice's place is taken by a later one.
	traffic_latency(traffic, 2000, NOON + 310000);
	ck_assert_uint_eq(traffic_read_recent(traffic, 300, NOON + 310000).p50_us, 2048);
	ck_assert_uint_eq(traffic_read_spread(traffic).count, 2);
}
END_TEST

START_TEST(commits_are_counted_with_what_was_in_them)
{
	traffic_commit(traffic, 5, true, NOON + 10);
	traffic_commit(traffic, 1, true, NOON + 20);
	traffic_commit(traffic, 9, false, NOON + 30);
	struct traffic_totals totals = traffic_read_totals(traffic);
	ck_assert_uint_eq(totals.commits, 2);
	ck_assert_uint_eq(totals.committed_requests, 6);
	ck_assert_uint_eq(totals.failed_commits, 1);
	ck_assert_uint_eq(totals.last_commit_ms, NOON + 20);
}
END_TEST

START_TEST(the_edge_is_as_it_was_told_last)
{
	const struct traffic_edge edge = {.admitted = 3, .refused = 2, .turned_away = 1, .restarts = 4};
	traffic_tell_edge(traffic, &edge);
	ck_assert_uint_eq(traffic_read_totals(traffic).edge.refused, 2);
	ck_assert_uint_eq(traffic_read_totals(traffic).edge.restarts, 4);
}
END_TEST

START_TEST(refusals_are_counted_by_reason)
{
	traffic_count(traffic, FLAG, REFUSED, NOON);
	traffic_count(traffic, 5, REFUSED, NOON);
	traffic_count(traffic, FLAG, 0, NOON);
	traffic_count(traffic, FLAG, TRAFFIC_REASONS + 7, NOON);
	ck_assert_uint_eq(traffic_read_refusals(traffic, REFUSED), 2);
	ck_assert_uint_eq(traffic_read_refusals(traffic, 0), 0);
	ck_assert_uint_eq(traffic_read_refusals(traffic, TRAFFIC_REASONS - 1), 1);
}
END_TEST

START_TEST(each_stage_and_each_batch_has_its_bucket)
{
	traffic_stage(traffic, TRAFFIC_COMMIT, traffic_stage_bounds_us[0]);
	traffic_stage(traffic, TRAFFIC_COMMIT, traffic_stage_bounds_us[0] + 1);
	traffic_stage(traffic, TRAFFIC_COMMIT, UINT64_C(1000000000));
	traffic_stage(traffic, TRAFFIC_QUEUE, 0);
	struct traffic_histogram commits = traffic_read_stage(traffic, TRAFFIC_COMMIT);
	ck_assert_uint_eq(commits.buckets[0], 1);
	ck_assert_uint_eq(commits.buckets[1], 1);
	ck_assert_uint_eq(commits.buckets[TRAFFIC_BOUNDS], 1);
	ck_assert_uint_eq(commits.sum, 1000000000 + 2 * traffic_stage_bounds_us[0] + 1);
	ck_assert_uint_eq(traffic_read_stage(traffic, TRAFFIC_QUEUE).buckets[0], 1);
	ck_assert_uint_eq(traffic_read_stage(traffic, TRAFFIC_REPLY).sum, 0);
	traffic_commit(traffic, 256, true, NOON);
	traffic_commit(traffic, 7, false, NOON + 5);
	ck_assert_uint_eq(traffic_read_batches(traffic).sum, 256);
	ck_assert_uint_eq(traffic_read_totals(traffic).last_failed_ms, NOON + 5);
}
END_TEST

START_TEST(latencies_have_a_sum)
{
	traffic_latency(traffic, 1000, NOON);
	traffic_latency(traffic, 500, NOON + 400000);
	ck_assert_uint_eq(traffic_read_latency_sum_us(traffic), 1500);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("traffic");
	TCase *tests = tcase_create("traffic");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, requests_are_counted_by_operation_and_by_the_second);
	tcase_add_test(tests, what_is_no_operation_counts_as_unreadable);
	tcase_add_test(tests, five_minutes_are_kept_and_no_more);
	tcase_add_test(tests, a_clock_that_was_set_back_to_before_the_start_shows_no_seconds);
	tcase_add_test(tests, before_the_start_there_is_nothing);
	tcase_add_test(tests, buckets_hold_what_lies_between_their_ends);
	tcase_add_test(tests, percentiles_are_the_ends_of_the_buckets_they_lie_in);
	tcase_add_test(tests, of_one_all_percentiles_are_that_one);
	tcase_add_test(tests, what_is_longer_than_all_buckets_is_told_as_it_was);
	tcase_add_test(tests, the_last_minute_forgets_and_the_start_does_not);
	tcase_add_test(tests, commits_are_counted_with_what_was_in_them);
	tcase_add_test(tests, refusals_are_counted_by_reason);
	tcase_add_test(tests, each_stage_and_each_batch_has_its_bucket);
	tcase_add_test(tests, latencies_have_a_sum);
	tcase_add_test(tests, the_edge_is_as_it_was_told_last);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
