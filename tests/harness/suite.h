// The end of a test program: its suite is run, and says how it went. A header alone, because a test links its layer only.
#ifndef CPIS_TESTS_HARNESS_SUITE_H
#define CPIS_TESTS_HARNESS_SUITE_H

#include <check.h>
#include <stdlib.h>

// Runs and frees it: the program's exit code.
static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

// A suite of one group, whose tests `add` adds. `timeout_s` is of each; 0: Check's own.
static inline int suite_run_group(const char *name, void (*setup)(void), void (*teardown)(void), unsigned timeout_s, void (*add)(TCase *tests))
{
	Suite *suite = suite_create(name);
	TCase *tests = tcase_create(name);
	if (timeout_s != 0)
		tcase_set_timeout(tests, timeout_s);
	tcase_add_checked_fixture(tests, setup, teardown);
	add(tests);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}

#endif
