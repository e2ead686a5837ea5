// The traceparent header of W3C Trace Context, as libcpis takes it.
#include "clients/libcpis/client_priv.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static struct cpis_client client;

START_TEST(a_header_is_taken_for_all_further_calls)
{
	static const uint8_t trace[] = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36},
			     span[] = {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7};
	ck_assert(cpis_set_trace(&client, "00-" TRACE "-" SPAN "-01"));
	ck_assert(client.has_trace);
	ck_assert_mem_eq(client.trace_id, trace, sizeof trace);
	ck_assert_mem_eq(client.trace_parent_id, span, sizeof span);
	ck_assert(cpis_set_trace(&client, NULL));
	ck_assert(!client.has_trace);
}
END_TEST

START_TEST(of_a_later_version_what_is_known_is_taken)
{
	ck_assert(cpis_set_trace(&client, "cc-" TRACE "-" SPAN "-01"));
	ck_assert(cpis_set_trace(&client, "cc-" TRACE "-" SPAN "-01-what-comes"));
	ck_assert(!cpis_set_trace(&client, "cc-" TRACE "-" SPAN "-01.what"));
}
END_TEST

START_TEST(what_is_no_header_changes_nothing)
{
	static const char *const bad[] = {"", "00", "00-" TRACE, "00-" TRACE "-" SPAN, "00-" TRACE "-" SPAN "-0", "00-" TRACE "-" SPAN "-011",
					  "00-" TRACE "-" SPAN "-01-more", "ff-" TRACE "-" SPAN "-01", "0g-" TRACE "-" SPAN "-01",
					  "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", "00-" TRACE "-00F067AA0BA902B7-01",
					  "00-00000000000000000000000000000000-" SPAN "-01", "00-" TRACE "-0000000000000000-01",
					  "00-" TRACE "_" SPAN "-01", "00_" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "_01",
					  "00-" TRACE "-" SPAN "-0x", " 00-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01 "};
	ck_assert(cpis_set_trace(&client, "00-" TRACE "-" SPAN "-01"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_msg(!cpis_set_trace(&client, bad[i]), "%s", bad[i]);
		ck_assert(client.has_trace && client.trace_id[0] == 0x4b);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tests = tcase_create("trace");
	tcase_add_test(tests, a_header_is_taken_for_all_further_calls);
	tcase_add_test(tests, of_a_later_version_what_is_known_is_taken);
	tcase_add_test(tests, what_is_no_header_changes_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
