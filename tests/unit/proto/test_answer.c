// What a responder signs: the bytes, one by one, so that a responder can be written in another language.
#include "proto/answer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void make_arena(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void drop_arena(void)
{
	arena_done(&arena);
}

static Cpis__V1__ResponderWork work_of(Cpis__V1__PlansQuestion *plans, uint8_t id[WORK_ID_BYTES])
{
	Cpis__V1__ResponderWork work = CPIS__V1__RESPONDER_WORK__INIT;
	cpis__v1__plans_question__init(plans);
	plans->nhs_number = (char *)(uintptr_t)"9995000008";
	plans->details = true;
	work.work_id = (ProtobufCBinaryData){WORK_ID_BYTES, id};
	work.question_case = CPIS__V1__RESPONDER_WORK__QUESTION_PLANS;
	work.plans = plans;
	return work;
}

// field 1, 16 bytes: the id. field 16, 14 bytes: { field 1, 10 bytes: the number; field 2: 1 }. deadline_ms (field 2) is left out.
START_TEST(a_question_is_hashed_without_its_deadline)
{
	static const uint8_t expected[] = {
		0x0a, 0x10, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
		0x82, 0x01, 0x0e, 0x0a, 0x0a, '9',  '9',  '9',  '5',  '0',  '0',  '0',  '0',  '0',  '8',  0x10, 0x01};
	uint8_t id[WORK_ID_BYTES];
	size_t bytes;
	Cpis__V1__PlansQuestion plans;
	for (uint8_t i = 0; i < WORK_ID_BYTES; i++)
		id[i] = i;
	Cpis__V1__ResponderWork work = work_of(&plans, id);
	work.deadline_ms = 4321;
	const uint8_t *packed = answer_work_bytes(&arena, &work, &bytes);
	ck_assert_uint_eq(bytes, sizeof expected);
	ck_assert_int_eq(memcmp(packed, expected, bytes), 0);
	ck_assert_uint_eq(work.deadline_ms, 4321);
}
END_TEST

START_TEST(what_is_signed_is_domain_broker_question_and_answer)
{
	uint8_t sha256[HASH_BYTES], answer[] = {0x10, 0x01};
	size_t bytes;
	memset(sha256, 'h', sizeof sha256);
	const uint8_t *text = answer_signed_bytes(&arena, "broker-1", sha256, answer, sizeof answer, &bytes);
	static const char expected[] = "cpis-answer-v1\nbroker-1\nhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh\x10\x01";
	ck_assert_uint_eq(bytes, sizeof expected - 1);
	ck_assert_int_eq(memcmp(text, expected, bytes), 0);
}
END_TEST

START_TEST(a_full_arena_gives_nothing)
{
	struct arena small;
	uint8_t sha256[HASH_BYTES] = {0}, answer[64] = {0}, id[WORK_ID_BYTES] = {0};
	size_t bytes;
	Cpis__V1__PlansQuestion plans;
	Cpis__V1__ResponderWork work = work_of(&plans, id);
	ck_assert(arena_init(&small, 16));
	ck_assert_ptr_null(answer_signed_bytes(&small, "broker-1", sha256, answer, sizeof answer, &bytes));
	ck_assert_ptr_null(answer_work_bytes(&small, &work, &bytes));
	arena_done(&small);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("answer");
	TCase *tests = tcase_create("answer");
	tcase_add_checked_fixture(tests, make_arena, drop_arena);
	tcase_add_test(tests, a_question_is_hashed_without_its_deadline);
	tcase_add_test(tests, what_is_signed_is_domain_broker_question_and_answer);
	tcase_add_test(tests, a_full_arena_gives_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
