// The proof at start that the door is shut: it must hold with our handler and fail with any other.
#include "broker/transport.h"

#include <check.h>
#include <string.h>

#include "broker/clock.h"
#include "tests/harness/edge.h"

static struct edge *edge;

static void set_up_context(void)
{
	edge = edge_new();
	edge_start_context(edge);
}

static void tear_down(void)
{
	edge_free(edge);
}

START_TEST(the_self_test_passes_with_our_handler_and_leaves_nothing_behind)
{
	edge_start_handler(edge);
	for (int i = 0; i < 3; i++)
		ck_assert_msg(transport_self_test(edge->context, edge->zap, false, edge->detail), "%s",
			      edge->detail);
	struct zap_counters counters = zap_read_counters(edge->zap);
	ck_assert_uint_eq(counters.admitted, 3);
	ck_assert_uint_eq(counters.refused_unknown, 3);
	edge_open_transport(edge);
	edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
}
END_TEST

static void start_enrolling_handler(void)
{
	const struct zap_limits limits = {
		.connections_max = 64, .connections_per_system_max = 16, .enrolling_connections_max = 8};
	ck_assert(zap_start(edge->context, edge->enrolment->admission, &limits, &edge->zap));
}

START_TEST(the_self_test_of_the_enrolment_endpoint_passes_and_leaves_nothing_behind)
{
	start_enrolling_handler();
	// More often than there is room for, if it did.
	for (int i = 0; i < 9; i++)
		ck_assert_msg(transport_self_test(edge->context, edge->zap, true, edge->detail), "%s", edge->detail);
	struct zap_counters counters = zap_read_counters(edge->zap);
	ck_assert_uint_eq(counters.admitted, 9);
	ck_assert_uint_eq(counters.refused_unknown, 9);
	ck_assert_uint_eq(counters.enrolling_admitted, 9);
	edge_open_transport(edge);
	edge_assert_works_for(edge, ENROLMENT_HOSPITAL);
	struct raw_curve_options options = edge_options(edge, &edge->enrolment->stranger);
	edge_assert_refused(&options, "400");
}
END_TEST

START_TEST(the_self_test_fails_when_nobody_may_enrol)
{
	edge_start_handler(edge);
	ck_assert(!transport_self_test(edge->context, edge->zap, true, edge->detail));
	ck_assert_msg(strstr(edge->detail, "the enrolment endpoint does not admit a new key") != NULL, "%s", edge->detail);
}
END_TEST

static void assert_self_test_fails(const char *sentence)
{
	uint64_t before_ms = clock_monotonic_ms();
	ck_assert(!transport_self_test(edge->context, NULL, false, edge->detail));
	ck_assert_msg(strstr(edge->detail, sentence) != NULL, "%s", edge->detail);
	ck_assert_uint_lt(clock_monotonic_ms() - before_ms, 5000);
}

START_TEST(the_self_test_fails_without_a_handler)
{
	assert_self_test_fails("an unknown key got no answer");
}
END_TEST

START_TEST(the_self_test_fails_when_everybody_is_admitted)
{
	struct edge_other_handler other;
	edge_start_other_handler(edge, &other, "200", "200", "somebody");
	assert_self_test_fails("an unknown key was admitted");
	edge_stop_other_handler(&other);
}
END_TEST

START_TEST(the_self_test_fails_when_nobody_is_admitted)
{
	struct edge_other_handler other;
	edge_start_other_handler(edge, &other, "400", "400", "");
	assert_self_test_fails("a known key was not admitted");
	edge_stop_other_handler(&other);
}
END_TEST

START_TEST(the_self_test_fails_when_a_system_is_named_by_no_handle_of_ours)
{
	struct edge_other_handler other;
	edge_start_other_handler(edge, &other, "400", "200", "somebody");
	assert_self_test_fails("not named by its handle");
	edge_stop_other_handler(&other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transport_self_test");
	TCase *bare = tcase_create("bare");
	tcase_add_checked_fixture(bare, set_up_context, tear_down);
	tcase_set_timeout(bare, 180);
	tcase_add_test(bare, the_self_test_passes_with_our_handler_and_leaves_nothing_behind);
	tcase_add_test(bare, the_self_test_of_the_enrolment_endpoint_passes_and_leaves_nothing_behind);
	tcase_add_test(bare, the_self_test_fails_when_nobody_may_enrol);
	tcase_add_test(bare, the_self_test_fails_without_a_handler);
	tcase_add_test(bare, the_self_test_fails_when_everybody_is_admitted);
	tcase_add_test(bare, the_self_test_fails_when_nobody_is_admitted);
	tcase_add_test(bare, the_self_test_fails_when_a_system_is_named_by_no_handle_of_ours);
	suite_add_tcase(suite, bare);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
