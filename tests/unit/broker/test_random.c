// Random bytes differ: from call to call, of all sizes, over the end of a page, in a forked process and in other threads.
#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/random.h"

#define DRAWS 4000u
#define DRAW_BYTES 16u

static uint8_t draws[3 * DRAWS][DRAW_BYTES];

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, DRAW_BYTES);
}

static void *draw(void *out)
{
	uint8_t (*to)[DRAW_BYTES] = out;
	for (unsigned i = 0; i < DRAWS; i++)
		random_bytes(to[i], DRAW_BYTES);
	return NULL;
}

START_TEST(no_two_draws_are_alike_in_threads_and_in_a_forked_process)
{
	pthread_t thread;
	int ends[2];
	random_bytes(draws[0], DRAW_BYTES); // the page that is forked is half used
	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		draw(draws);
		for (size_t done = 0; done < sizeof draws / 3;) {
			ssize_t got = write(ends[1], (uint8_t *)draws + done, sizeof draws / 3 - done);
			if (got <= 0)
				_exit(1);
			done += (size_t)got;
		}
		_exit(0);
	}
	ck_assert_int_eq(pthread_create(&thread, NULL, draw, draws[DRAWS]), 0);
	draw(draws[0]);
	pthread_join(thread, NULL);
	for (size_t done = 0; done < sizeof draws / 3;) {
		ssize_t got = read(ends[0], (uint8_t *)draws + 2 * (sizeof draws / 3) + done, sizeof draws / 3 - done);
		ck_assert_int_gt(got, 0);
		done += (size_t)got;
	}
	waitpid(child, NULL, 0);
	qsort(draws, 3 * DRAWS, DRAW_BYTES, compare);
	for (unsigned i = 1; i < 3 * DRAWS; i++)
		ck_assert_int_ne(memcmp(draws[i - 1], draws[i], DRAW_BYTES), 0);
}
END_TEST

START_TEST(every_size_is_filled_to_its_end_and_no_further)
{
	uint8_t bytes[600];
	for (size_t size = 0; size < sizeof bytes; size++) {
		unsigned zeros = 0;
		memset(bytes, 0, sizeof bytes);
		for (unsigned i = 0; i < 8; i++) {
			random_bytes(bytes, size);
			zeros += size > 0 && bytes[size - 1] == 0;
		}
		ck_assert_uint_lt(zeros, 8); // all eight: once in 2^64
		for (size_t i = size; i < sizeof bytes; i++)
			ck_assert_uint_eq(bytes[i], 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random");
	TCase *tests = tcase_create("random");
	tcase_add_test(tests, no_two_draws_are_alike_in_threads_and_in_a_forked_process);
	tcase_add_test(tests, every_size_is_filled_to_its_end_and_no_further);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
