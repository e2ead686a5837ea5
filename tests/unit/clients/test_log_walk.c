// Unit tests of the walk by several threads: whatever the number of records and of threads, it must find what one pass from the
// first record to the last finds, and name the same record.
#include "clients/cli/log_walk.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#define SIZE_MAX_TRIED (3 * LOG_SPAN_RECORDS + 3)
#define NOWHERE UINT64_MAX

// A log whose leaves follow from their numbers, with faults where a test wants them.
struct made {
	uint64_t bad[2], bad_upper, unreadable;
	bool closed_door;
};

static struct merkle_hash roots[SIZE_MAX_TRIED + 1];
static struct made made;
static struct merkle_tree tree;
static struct log_result result;

static void make_leaf(uint64_t index, struct merkle_hash *ret)
{
	*ret = (struct merkle_hash){{0}};
	memcpy(ret->bytes, &index, sizeof index);
}

static void *open_made(void *context, char detail[LOG_DETAIL_BYTES])
{
	if (made.closed_door)
		strcpy(detail, "the door is closed");
	return made.closed_door ? NULL : context;
}

static void close_made(void *reader)
{
	ck_assert_ptr_eq(reader, &made);
}

// The hashes above the span come from another walk over the same leaves.
static void keep_upper(struct log_span *span)
{
	static struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1];
	struct merkle_tree whole = {0};
	size_t count = 0;
	for (uint64_t index = 0; index < span->end; index++) {
		struct merkle_hash leaf;
		make_leaf(index, &leaf);
		merkle_append(&whole, &leaf, nodes, &count);
	}
	span->upper_count = count - LOG_SPAN_HEIGHT - 1;
	memcpy(span->upper, nodes + LOG_SPAN_HEIGHT + 1, span->upper_count * sizeof nodes[0]);
	if (span->upper_count > 0 && made.bad_upper == span->end - 1)
		span->upper[0].bytes[0] ^= 1;
}

static void check_made(void *reader, struct log_span *span)
{
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	(void)reader;
	while (span->begin + span->tree.size < span->end) {
		uint64_t index = span->begin + span->tree.size;
		if (index == made.unreadable) {
			span->unreadable = true;
			strcpy(span->detail, "a page is gone");
			return;
		}
		make_leaf(index, &leaf);
		merkle_append(&span->tree, &leaf, nodes, &count);
		if (index == made.bad[0] || index == made.bad[1]) {
			span->tree.size--;
			span->wrong = "it is bad";
			return;
		}
		log_span_accept(span);
	}
	if (made.bad_upper != NOWHERE && span->end == made.bad_upper + 1)
		keep_upper(span);
}

static void make_roots(void)
{
	struct merkle_tree whole = {0};
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	merkle_root(&whole, &roots[0]);
	for (uint64_t index = 0; index < SIZE_MAX_TRIED; index++) {
		make_leaf(index, &leaf);
		merkle_append(&whole, &leaf, nodes, &count);
		merkle_root(&whole, &roots[index + 1]);
	}
}

static void setup(void)
{
	made = (struct made){.bad = {NOWHERE, NOWHERE}, .bad_upper = NOWHERE, .unreadable = NOWHERE};
}

static enum log_status walk(uint64_t size, unsigned threads, const struct log_kept *kept, unsigned kept_count)
{
	struct log_source source = {.context = &made, .size = size, .open = open_made, .check = check_made, .close = close_made};
	return log_walk(&source, threads, kept, kept_count, NULL, &tree, &result);
}

static void assert_bad(uint64_t index)
{
	ck_assert_msg(result.has_bad_index && result.bad_index == index, "%s", result.detail);
	ck_assert_uint_eq(result.records, index);
	ck_assert_mem_eq(&result.root, &roots[index], sizeof result.root);
}

static const uint64_t sizes[] = {0, 1, 2, LOG_SPAN_RECORDS - 1, LOG_SPAN_RECORDS, LOG_SPAN_RECORDS + 1,
				 2 * LOG_SPAN_RECORDS, 3 * LOG_SPAN_RECORDS - 1, SIZE_MAX_TRIED};

START_TEST(finds_the_same_root_with_any_number_of_threads)
{
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (unsigned threads = 0; threads < 6; threads++) {
			ck_assert_int_eq(walk(sizes[i], threads, NULL, 0), LOG_HOLDS);
			ck_assert_uint_eq(result.records, sizes[i]);
			ck_assert_mem_eq(&result.root, &roots[sizes[i]], sizeof result.root);
			ck_assert_uint_eq(tree.size, sizes[i]);
		}
}
END_TEST

START_TEST(names_the_first_bad_record_whichever_thread_finds_one_first)
{
	for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
		made.bad[0] = sizes[i] - 1;
		made.bad[1] = SIZE_MAX_TRIED - 1;
		for (unsigned threads = 1; threads < 6; threads++) {
			ck_assert_int_eq(walk(SIZE_MAX_TRIED, threads, NULL, 0), LOG_BROKEN);
			assert_bad(sizes[i] - 1);
			ck_assert_ptr_nonnull(strstr(result.detail, "it is bad"));
		}
	}
}
END_TEST

START_TEST(names_the_last_record_of_a_span_whose_hashes_above_it_are_wrong)
{
	made.bad_upper = 2 * LOG_SPAN_RECORDS - 1;
	ck_assert_int_eq(walk(SIZE_MAX_TRIED, 2, NULL, 0), LOG_BROKEN);
	assert_bad(made.bad_upper);
	ck_assert_ptr_nonnull(strstr(result.detail, "inner hashes"));
}
END_TEST

START_TEST(says_what_a_reader_could_not_do)
{
	made.unreadable = LOG_SPAN_RECORDS + 7;
	ck_assert_int_eq(walk(SIZE_MAX_TRIED, 3, NULL, 0), LOG_UNREADABLE);
	ck_assert_str_eq(result.detail, "a page is gone");
	made.closed_door = true;
	ck_assert_int_eq(walk(SIZE_MAX_TRIED, 3, NULL, 0), LOG_UNREADABLE);
	ck_assert_str_eq(result.detail, "the door is closed");
	// Nothing to read: nobody knocks.
	ck_assert_int_eq(walk(0, 3, NULL, 0), LOG_HOLDS);
}
END_TEST

START_TEST(holds_against_kept_checkpoints_of_every_span_in_any_order)
{
	struct log_kept kept[20];
	unsigned count = 0;
	for (size_t i = sizeof sizes / sizeof sizes[0]; i-- > 0;) {
		kept[count++] = (struct log_kept){.path = "a", .checkpoint = {.size = sizes[i], .root = roots[sizes[i]]}};
		kept[count++] = (struct log_kept){.path = "b", .checkpoint = {.size = sizes[i] / 3, .root = roots[sizes[i] / 3]}};
	}
	ck_assert_int_eq(walk(SIZE_MAX_TRIED, 2, kept, count), LOG_HOLDS);
	// Each of them in turn is of another log; the one before it says nothing.
	for (unsigned i = 0; i < count; i++) {
		kept[i].checkpoint.root.bytes[3] ^= 1;
		kept[i].path = "the changed one";
		ck_assert_int_eq(walk(SIZE_MAX_TRIED, 2, kept, count), LOG_BROKEN);
		ck_assert_msg(strstr(result.detail, "the changed one") != NULL, "%s", result.detail);
		kept[i].checkpoint.root.bytes[3] ^= 1;
		kept[i].path = "a";
	}
}
END_TEST

START_TEST(a_checkpoint_that_comes_before_the_bad_record_is_found_first)
{
	struct log_kept kept = {.path = "k", .checkpoint = {.size = LOG_SPAN_RECORDS + 5}};
	made.bad[0] = LOG_SPAN_RECORDS + 5;
	ck_assert_int_eq(walk(SIZE_MAX_TRIED, 2, &kept, 1), LOG_BROKEN);
	ck_assert(!result.has_bad_index);
	made.bad[0] = LOG_SPAN_RECORDS + 4;
	ck_assert_int_eq(walk(SIZE_MAX_TRIED, 2, &kept, 1), LOG_BROKEN);
	assert_bad(LOG_SPAN_RECORDS + 4);
}
END_TEST

START_TEST(a_checkpoint_longer_than_the_log_is_told_by_its_length)
{
	struct log_kept kept = {.path = "k", .checkpoint = {.size = 10, .root = roots[10]}};
	ck_assert_int_eq(walk(9, 2, &kept, 1), LOG_HOLDS);
	ck_assert_int_eq(log_check_length(&tree, &kept, 1, &result), LOG_BROKEN);
	ck_assert(result.has_bad_index && result.bad_index == 9);
	ck_assert_int_eq(walk(10, 2, &kept, 1), LOG_HOLDS);
	ck_assert_int_eq(log_check_length(&tree, &kept, 1, &result), LOG_HOLDS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_walk");
	TCase *tests = tcase_create("log_walk");
	tcase_set_timeout(tests, 120);
	tcase_add_unchecked_fixture(tests, make_roots, NULL);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, finds_the_same_root_with_any_number_of_threads);
	tcase_add_test(tests, names_the_first_bad_record_whichever_thread_finds_one_first);
	tcase_add_test(tests, names_the_last_record_of_a_span_whose_hashes_above_it_are_wrong);
	tcase_add_test(tests, says_what_a_reader_could_not_do);
	tcase_add_test(tests, holds_against_kept_checkpoints_of_every_span_in_any_order);
	tcase_add_test(tests, a_checkpoint_that_comes_before_the_bad_record_is_found_first);
	tcase_add_test(tests, a_checkpoint_longer_than_the_log_is_told_by_its_length);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
