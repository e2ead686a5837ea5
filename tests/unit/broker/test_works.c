// Questions to responders, and the responders: full tables.
#include "broker/works.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS UINT64_C(1700000000000)
#define UNTIL_MS (NOW_MS + 1000)

static struct works *works;
static struct responders *responders;

static void set_up(void)
{
	ck_assert(works_new(&works) && responders_new(&responders));
}

static void tear_down(void)
{
	works_free(works);
	responders_free(responders);
}

static struct work_asker asker_of(unsigned number)
{
	struct work_asker asker = {{0}, {0}, {0}};
	const unsigned who = number / WORKS_PER_ASKER_MAX;
	memcpy(asker.channel_key, &who, sizeof who);
	memcpy(asker.request_id, &number, sizeof number);
	return asker;
}

// From as many askers as it takes for none of them to have too many.
static struct work *put(unsigned number, const uint8_t *question, size_t bytes, uint64_t now_ms)
{
	struct work work = {.asker = asker_of(number), .until_ms = now_ms + 1000, .question_bytes = bytes};
	// Copied by works_put, which does not write to it.
	work.question = (uint8_t *)(uintptr_t)question;
	memcpy(work.id, &number, sizeof number);
	return works_put(works, &work, now_ms);
}

static struct work *asked_by(unsigned number)
{
	const struct work_asker asker = asker_of(number);
	return works_of_asker(works, &asker);
}

START_TEST(a_full_table_takes_one_more_only_for_one_that_nobody_needs)
{
	static const uint8_t question[] = "?";
	for (unsigned i = 0; i < WORKS_MAX; i++)
		ck_assert_ptr_nonnull(put(i, question, sizeof question, NOW_MS));
	ck_assert_ptr_null(put(WORKS_MAX, question, sizeof question, NOW_MS));
	ck_assert_ptr_nonnull(asked_by(0));
	works_fail(asked_by(5));
	works_fail(asked_by(7));
	ck_assert_ptr_nonnull(put(WORKS_MAX, question, sizeof question, NOW_MS));
	ck_assert_ptr_null(asked_by(5)); // the oldest that was over, and that one alone
	for (unsigned i = 0; i <= WORKS_MAX; i++)
		ck_assert(i == 5 || asked_by(i) != NULL);
	// When their time is over, each makes room; the oldest first.
	ck_assert_ptr_nonnull(put(WORKS_MAX + 1, question, sizeof question, UNTIL_MS));
	ck_assert_ptr_null(asked_by(0));
	ck_assert_ptr_nonnull(asked_by(1));
}
END_TEST

START_TEST(questions_and_answers_take_so_many_bytes_and_not_one_more)
{
	enum { HALF = WORKS_BYTES_MAX / 2 };
	const struct responder responder = {.seen_ms = NOW_MS};
	static const uint8_t request_id[REQUEST_ID_BYTES] = {1};
	uint8_t *bytes = calloc(1, HALF + 1);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_ptr_nonnull(put(0, bytes, HALF, NOW_MS));
	ck_assert_ptr_null(put(1, bytes, HALF + 1, NOW_MS));
	ck_assert_ptr_nonnull(asked_by(0)); // waits, and was not thrown out
	ck_assert_ptr_nonnull(put(1, bytes, HALF - 8, NOW_MS));
	ck_assert_ptr_nonnull(put(2, bytes, 1, NOW_MS));
	ck_assert_ptr_nonnull(put(3, bytes, 1, NOW_MS));
	works_take(asked_by(2), &responder, request_id);
	works_take(asked_by(3), &responder, request_id);
	// Six bytes are left: an answer fits, and the next one has no room for one byte and says so.
	ck_assert(works_answer(works, asked_by(2), bytes, 6));
	ck_assert_int_eq(asked_by(2)->state, WORK_ANSWERED);
	ck_assert(!works_answer(works, asked_by(3), bytes, 1));
	ck_assert_int_eq(asked_by(3)->state, WORK_FAILED);
	// The answered one and the failed one make room for a question of as many bytes as they had.
	ck_assert_ptr_null(put(4, bytes, 9, NOW_MS));
	ck_assert_ptr_nonnull(put(4, bytes, 8, NOW_MS));
	free(bytes);
}
END_TEST

static struct responder_post post_of(unsigned number)
{
	struct responder_post post = {.kind = CPIS__V1__RESPONDER_KIND__PLANS};
	ck_assert(ods_code_parse("RXH", 3, &post.organisation));
	snprintf(post.first.digits, sizeof post.first.digits, "%010u", number);
	post.last = post.first;
	return post;
}

static bool responds(unsigned number)
{
	const struct responder_post post = post_of(number);
	return responders_find(responders, &post) != NULL;
}

// Whether another one stood there before.
static bool registers(unsigned number, uint64_t seen_ms)
{
	const struct responder responder = {.post = post_of(number), .session_id = {(uint8_t)(number == 0)}, .seen_ms = seen_ms};
	bool replaced = false;
	ck_assert(responders_put(responders, &responder, &replaced));
	return replaced;
}

START_TEST(of_too_many_responders_the_one_not_heard_of_for_longest_is_forgotten)
{
	static const struct session first = {.id = {1}};
	for (unsigned i = 0; i < RESPONDERS_MAX; i++)
		ck_assert(!registers(i, NOW_MS + i));
	ck_assert(registers(1, NOW_MS + 1)); // replaces itself: no room is needed
	ck_assert(responds(0));
	ck_assert(responders_seen(responders, &first, NOW_MS + RESPONDERS_MAX)); // a sign of life of 0: 1 is the longest silent now
	ck_assert(!registers(RESPONDERS_MAX, NOW_MS + RESPONDERS_MAX));
	for (unsigned i = 0; i <= RESPONDERS_MAX; i++)
		ck_assert(responds(i) == (i != 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("works");
	TCase *tests = tcase_create("works");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_full_table_takes_one_more_only_for_one_that_nobody_needs);
	tcase_add_test(tests, questions_and_answers_take_so_many_bytes_and_not_one_more);
	tcase_add_test(tests, of_too_many_responders_the_one_not_heard_of_for_longest_is_forgotten);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
