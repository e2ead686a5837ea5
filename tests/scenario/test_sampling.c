// Scenarios of routine review: accesses chosen by a hash that nobody knew when they happened, once, and never about half.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/digest.h"
#include "certs/merkle.h"
#include "tests/harness/stage.h"

#define ALL "  []\nsampling: {per_thousand: 1000}\n"
#define HALF "  []\nsampling: {per_thousand: 500}\n"
#define LOOKS 20u

static struct stage *stage;

static void raise_curtain(void)
{
	stage = stage_new();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static const Cpis__V1__AlertListReply *alerts(void)
{
	Cpis__V1__AlertListRequest body = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.limit = PAGE_ITEMS_MAX;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &body;
	stage_sign_in(stage, PRIVACY_OFFICER);
	const struct stage_reply *got = stage_ask_as(stage, PRIVACY_OFFICER, &request);
	stage_expect_ok(got);
	return got->reply->alert_list;
}

// An hour passes, twice: the second time what the first has seen is put to it.
static void pass_hours(void)
{
	for (unsigned i = 0; i < 2; i++) {
		stage->now_ms += STAGE_HOUR_MS;
		ck_assert(stage_tick(stage));
	}
}

// Sampling has begun, and then somebody looks.
static uint64_t look(const char *rules)
{
	stage_set_detection(stage, rules);
	ck_assert(stage_tick(stage));
	stage_sign_in(stage, NURSE);
	uint64_t first = stage_log_size(stage);
	for (unsigned i = 0; i < LOOKS; i++)
		stage_expect_ok(stage_details(stage, NURSE, stage_child(i % 9)));
	return first;
}

START_TEST(an_access_becomes_a_case_only_later)
{
	uint64_t first = look(ALL);
	// A flag, a refusal and what is no look are no access.
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_expect(stage_details(stage, NURSE, "9990000019"), INVALID_NHS_NUMBER, "nhs_number");
	ck_assert(stage_tick(stage));
	ck_assert_uint_eq(alerts()->n_alerts, 0);
	pass_hours();
	const Cpis__V1__AlertListReply *list = alerts();
	ck_assert_uint_eq(list->n_alerts, LOOKS);
	for (unsigned i = 0; i < LOOKS; i++) {
		ck_assert_int_eq(list->alerts[i]->kind, CPIS__V1__ALERT_KIND__SAMPLE);
		ck_assert_uint_eq(list->alerts[i]->audit_index, first + i);
	}
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(each_access_is_put_to_it_once_also_over_restarts)
{
	(void)look(ALL);
	for (unsigned i = 0; i < 3; i++) {
		pass_hours();
		stage_restart(stage);
	}
	ck_assert_uint_eq(alerts()->n_alerts, LOOKS);
}
END_TEST

// The root of the log's first `size` records, from the store's own rows.
static struct merkle_hash root_of(uint64_t size)
{
	struct arena arena;
	struct merkle_tree tree = {0};
	struct merkle_hash root;
	ck_assert(arena_init(&arena, 4 * ARENA_BYTES));
	for (uint64_t i = 0; i < size; i++) {
		struct store_audit row;
		struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
		size_t count;
		ck_assert_int_eq(stage->disk->ops->audit_get(stage->disk, i, &arena, &row), STORE_OK);
		merkle_leaf(row.salt, row.record.data, row.record.bytes, &leaf);
		merkle_append(&tree, &leaf, nodes, &count);
	}
	merkle_root(&tree, &root);
	arena_done(&arena);
	return root;
}

START_TEST(whoever_has_the_log_can_compute_the_choice_again)
{
	uint64_t first = look(HALF);
	stage->now_ms += STAGE_HOUR_MS;
	ck_assert(stage_tick(stage));
	stage->now_ms += STAGE_HOUR_MS;
	uint64_t size = stage_log_size(stage);
	ck_assert(stage_tick(stage));
	struct merkle_hash root = root_of(size);
	const Cpis__V1__AlertListReply *list = alerts();
	size_t chosen = 0;
	for (unsigned i = 0; i < LOOKS; i++) {
		uint8_t data[MERKLE_HASH_BYTES + 8] = {0}, digest[HASH_BYTES];
		memcpy(data, root.bytes, MERKLE_HASH_BYTES);
		data[MERKLE_HASH_BYTES + 7] = (uint8_t)(first + i);
		digest_sha256(data, sizeof data, digest);
		if (digest[0] >= 0x80)
			continue;
		ck_assert_uint_lt(chosen, list->n_alerts);
		ck_assert_uint_eq(list->alerts[chosen++]->audit_index, first + i);
	}
	ck_assert_uint_eq(list->n_alerts, chosen);
}
END_TEST

START_TEST(without_sampling_nothing_is_recorded)
{
	(void)look("");
	uint64_t size = stage_log_size(stage);
	pass_hours();
	ck_assert_uint_eq(stage_log_size(stage), size);
}
END_TEST

START_TEST(a_failure_at_any_call_loses_no_access_and_chooses_none_twice)
{
	uint64_t first = look(ALL), previous = first - 1;
	unsigned failures = 0, n = 1;
	for (; n <= 60; n++) {
		stage->now_ms += STAGE_HOUR_MS;
		stage_sign_in(stage, NURSE);
		stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		failures += !stage_tick(stage);
		fault_store_mend(&stage->fault);
	}
	ck_assert_uint_gt(failures, 10);
	pass_hours();
	const Cpis__V1__AlertListReply *list = alerts();
	ck_assert_uint_eq(list->n_alerts, LOOKS + 60);
	for (size_t i = 0; i < list->n_alerts; i++) {
		ck_assert_uint_gt(list->alerts[i]->audit_index, previous);
		previous = list->alerts[i]->audit_index;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sampling");
	TCase *tests = tcase_create("sampling");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, an_access_becomes_a_case_only_later);
	tcase_add_test(tests, each_access_is_put_to_it_once_also_over_restarts);
	tcase_add_test(tests, whoever_has_the_log_can_compute_the_choice_again);
	tcase_add_test(tests, without_sampling_nothing_is_recorded);
	tcase_add_test(tests, a_failure_at_any_call_loses_no_access_and_chooses_none_twice);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
