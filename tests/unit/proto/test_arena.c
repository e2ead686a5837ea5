// The arena: alignment, its hard end, and what a reset leaves.
#include "proto/arena.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 4096

static struct arena arena;

static void setup(void)
{
	ck_assert(arena_init(&arena, SIZE));
}

static void teardown(void)
{
	arena_done(&arena);
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

START_TEST(gives_aligned_zeroed_memory_that_does_not_overlap)
{
	uint8_t *previous_end = arena.base;
	for (size_t bytes = 0; bytes < 60; bytes++) {
		uint8_t *at = arena_alloc(&arena, bytes);
		ck_assert_ptr_nonnull(at);
		ck_assert_uint_eq((uintptr_t)at % 16, 0);
		ck_assert(at >= previous_end && at + bytes <= arena.base + SIZE);
		ck_assert(is_zero(at, bytes));
		memset(at, 0xAA, bytes);
		previous_end = at + bytes;
	}
}
END_TEST

START_TEST(fails_past_the_end_and_keeps_failing_until_the_reset)
{
	ck_assert_ptr_nonnull(arena_alloc(&arena, SIZE / 2));
	ck_assert_ptr_null(arena_alloc(&arena, SIZE));
	ck_assert(arena.overflowed);
	// Would fit, and is refused all the same: half a message is no message.
	ck_assert_ptr_null(arena_alloc(&arena, 1));
	arena_reset(&arena);
	ck_assert(!arena.overflowed);
	ck_assert_ptr_nonnull(arena_alloc(&arena, SIZE / 2));
}
END_TEST

START_TEST(never_gives_a_byte_behind_its_end)
{
	for (size_t bytes = 0; bytes < 40; bytes++) {
		arena_reset(&arena);
		uint8_t *at;
		while ((at = arena_alloc(&arena, bytes + 1)) != NULL) {
			ck_assert(at + bytes + 1 <= arena.base + SIZE);
			memset(at, 0xAA, bytes + 1);
		}
		ck_assert_uint_le(arena.used, SIZE);
	}
}
END_TEST

START_TEST(refuses_sizes_that_would_wrap)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, SIZE_MAX / 2};
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		arena_reset(&arena);
		ck_assert_ptr_nonnull(arena_alloc(&arena, 32));
		ck_assert_ptr_null(arena_alloc(&arena, sizes[i]));
	}
}
END_TEST

START_TEST(wipes_what_was_used_at_the_reset)
{
	uint8_t *at = arena_alloc(&arena, 1000);
	ck_assert_ptr_nonnull(at);
	memset(at, 0xAA, 1000);
	arena_reset(&arena);
	ck_assert(is_zero(arena.base, 1000));
	ck_assert_uint_eq(arena.used, 0);
	ck_assert_ptr_eq(arena_alloc(&arena, 1), at);
}
END_TEST

START_TEST(rewinds_to_where_it_was_and_wipes_what_came_after)
{
	struct arena small;
	ck_assert(arena_init(&small, 200));
	uint8_t *kept = arena_copy(&small, "kept", 4);
	size_t used = small.used;
	uint8_t *after = arena_copy(&small, "after", 5);
	ck_assert_ptr_null(arena_alloc(&small, 500));
	arena_rewind(&small, used);
	ck_assert_mem_eq(kept, "kept", 4);
	ck_assert_mem_eq(after, "\0\0\0\0\0", 5);
	ck_assert_ptr_null(arena_alloc(&small, 1));
	arena_reset(&small);
	ck_assert_ptr_nonnull(arena_alloc(&small, 1));
	arena_done(&small);
}
END_TEST

START_TEST(copies_text_with_its_end)
{
	char *copy = arena_copy_text(&arena, "Leeds City Council", 5);
	ck_assert_str_eq(copy, "Leeds");
	ck_assert_str_eq(arena_copy_text(&arena, "", 0), "");
}
END_TEST

START_TEST(copies_bytes)
{
	static const uint8_t bytes[] = {1, 0, 2};
	ck_assert_mem_eq(arena_copy(&arena, bytes, sizeof bytes), bytes, sizeof bytes);
	ck_assert_ptr_nonnull(arena_copy(&arena, NULL, 0));
}
END_TEST

START_TEST(prints)
{
	ck_assert_str_eq(arena_printf(&arena, "%s has %u", "383", 7u), "383 has 7");
	ck_assert_str_eq(arena_printf(&arena, "%s", ""), "");
}
END_TEST

START_TEST(copies_and_prints_nothing_past_the_end)
{
	char text[SIZE];
	memset(text, 'x', sizeof text);
	text[SIZE - 1] = '\0';
	ck_assert_ptr_null(arena_copy_text(&arena, text, SIZE - 1));
	arena_reset(&arena);
	ck_assert_ptr_null(arena_copy(&arena, text, SIZE));
	arena_reset(&arena);
	ck_assert_ptr_null(arena_printf(&arena, "%s", text));
	ck_assert(arena.overflowed);
}
END_TEST

START_TEST(serves_protobuf_c_and_ignores_its_frees)
{
	void *at = arena.allocator.alloc(arena.allocator.allocator_data, 24);
	ck_assert_ptr_nonnull(at);
	size_t used = arena.used;
	arena.allocator.free(arena.allocator.allocator_data, at);
	ck_assert_uint_eq(arena.used, used);
}
END_TEST

START_TEST(may_be_done_twice_or_when_it_never_began)
{
	struct arena never;
	memset(&never, 0, sizeof never);
	arena_done(&never);
	arena_done(&arena);
	arena_done(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *tcase = tcase_create("arena");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, gives_aligned_zeroed_memory_that_does_not_overlap);
	tcase_add_test(tcase, fails_past_the_end_and_keeps_failing_until_the_reset);
	tcase_add_test(tcase, never_gives_a_byte_behind_its_end);
	tcase_add_test(tcase, refuses_sizes_that_would_wrap);
	tcase_add_test(tcase, wipes_what_was_used_at_the_reset);
	tcase_add_test(tcase, rewinds_to_where_it_was_and_wipes_what_came_after);
	tcase_add_test(tcase, copies_text_with_its_end);
	tcase_add_test(tcase, copies_bytes);
	tcase_add_test(tcase, prints);
	tcase_add_test(tcase, copies_and_prints_nothing_past_the_end);
	tcase_add_test(tcase, serves_protobuf_c_and_ignores_its_frees);
	tcase_add_test(tcase, may_be_done_twice_or_when_it_never_began);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
