// That the log only grew: the proof in each receipt from the size that its asker holds, and between any two sizes.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

static struct stage *stage;

static void raise_curtain(void)
{
	stage = stage_new();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static bool holds(const struct checkpoint *old, const struct checkpoint *new, size_t count, const ProtobufCBinaryData *hashes)
{
	struct merkle_hash proof[MERKLE_GROWTH_MAX];
	ck_assert_uint_le(count, MERKLE_GROWTH_MAX);
	for (size_t i = 0; i < count; i++)
		memcpy(proof[i].bytes, hashes[i].data, MERKLE_HASH_BYTES);
	return merkle_verify_growth(old->size, &old->root, new->size, &new->root, proof, count);
}

static const struct stage_reply *ping_holding(uint64_t log_size)
{
	Cpis__V1__PingRequest body = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &body;
	request.log_size = log_size;
	const struct stage_reply *got = stage_ask(stage, STAGE_HOSPITAL, &request);
	stage_expect_ok(got);
	return got;
}

static const struct stage_reply *ask(enum stage_system system, uint64_t old_size, uint64_t new_size)
{
	Cpis__V1__AuditConsistencyRequest body = CPIS__V1__AUDIT_CONSISTENCY_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY;
	request.audit_consistency = &body;
	body.old_size = old_size;
	body.new_size = new_size;
	return stage_ask(stage, system, &request);
}

START_TEST(each_receipt_proves_growth_from_what_is_held)
{
	struct checkpoint held[20];
	for (size_t i = 0; i < 20; i++) {
		held[i] = ping_holding(0)->checkpoint;
		for (size_t k = 0; k <= i; k += 3) {
			const struct stage_reply *got = ping_holding(held[k].size);
			const Cpis__V1__Receipt *receipt = got->reply->receipt;
			ck_assert(holds(&held[k], &got->checkpoint, receipt->n_growth, receipt->growth));
		}
	}
}
END_TEST

START_TEST(nothing_is_proven_for_who_holds_nothing_or_more_than_there_is)
{
	ck_assert_uint_eq(ping_holding(0)->reply->receipt->n_growth, 0);
	ck_assert_uint_eq(ping_holding(1000000)->reply->receipt->n_growth, 0);
	ck_assert_uint_eq(ping_holding(UINT64_MAX)->reply->receipt->n_growth, 0);
}
END_TEST

START_TEST(any_two_sizes_are_compared_for_any_system_without_a_session)
{
	struct checkpoint held[12];
	for (size_t i = 0; i < 12; i++)
		held[i] = ping_holding(0)->checkpoint;
	for (size_t i = 0; i < 12; i++)
		for (size_t k = i; k < 12; k++) {
			const struct stage_reply *got = ask(STAGE_LEEDS, held[i].size, held[k].size);
			stage_expect_ok(got);
			ck_assert(holds(&held[i], &held[k], got->reply->audit_consistency->n_path,
					got->reply->audit_consistency->path));
		}
}
END_TEST

START_TEST(sizes_that_the_log_has_not_had_are_refused)
{
	uint64_t size = ping_holding(0)->checkpoint.size;
	stage_expect_ok(ask(STAGE_HOSPITAL, 1, size));
	size = ping_holding(0)->checkpoint.size;
	stage_expect(ask(STAGE_HOSPITAL, 1, size + 1), NO_RECORD_FOUND, "no_such_size");
	stage_expect(ask(STAGE_HOSPITAL, 1, UINT64_MAX), NO_RECORD_FOUND, "no_such_size");
	stage_expect(ask(STAGE_STRANGER, 1, 1), ASID_CHECK_FAILED, "system_unknown");
	ck_assert(stage_log_verifies(stage));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("growth");
	TCase *tests = tcase_create("growth");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, each_receipt_proves_growth_from_what_is_held);
	tcase_add_test(tests, nothing_is_proven_for_who_holds_nothing_or_more_than_there_is);
	tcase_add_test(tests, any_two_sizes_are_compared_for_any_system_without_a_session);
	tcase_add_test(tests, sizes_that_the_log_has_not_had_are_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
