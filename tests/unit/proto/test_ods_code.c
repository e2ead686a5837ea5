// ODS codes: alphabet and length.
#include "proto/ods_code.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool takes(const char *text)
{
	struct ods_code code;
	return ods_code_parse(text, strlen(text), &code);
}

START_TEST(takes_three_to_twelve_characters)
{
	ck_assert(takes("RXH"));
	ck_assert(takes("383"));
	ck_assert(takes("A9A5A"));
	ck_assert(takes("ABCDEFGHIJK9"));
}
END_TEST

START_TEST(refuses_shorter_and_longer_ones)
{
	ck_assert(!takes(""));
	ck_assert(!takes("RX"));
	ck_assert(!takes("ABCDEFGHIJK90"));
}
END_TEST

START_TEST(refuses_every_character_but_capitals_and_digits)
{
	for (int c = 0; c < 256; c++) {
		char text[4] = {'R', (char)c, 'H', '\0'};
		struct ods_code code;
		bool allowed = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		ck_assert_int_eq(ods_code_parse(text, 3, &code), allowed);
	}
}
END_TEST

START_TEST(leaves_the_result_alone_when_it_refuses)
{
	struct ods_code code = {"RXH"};
	ck_assert(!ods_code_parse("rxh", 3, &code));
	ck_assert_str_eq(code.text, "RXH");
}
END_TEST

// Codes are compared and hashed as whole structs.
START_TEST(zeroes_what_follows_the_code)
{
	struct ods_code code, other = {"383"};
	memset(&code, 0xAA, sizeof code);
	ck_assert(ods_code_parse("383999", 3, &code));
	ck_assert_mem_eq(&code, &other, sizeof code);
}
END_TEST

START_TEST(compares_the_text)
{
	struct ods_code a = {"RXH"}, b = {"RXH"}, c = {"RXHX"};
	ck_assert(ods_code_equal(&a, &b));
	ck_assert(!ods_code_equal(&a, &c));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ods_code");
	TCase *tcase = tcase_create("ods_code");
	tcase_add_test(tcase, takes_three_to_twelve_characters);
	tcase_add_test(tcase, refuses_shorter_and_longer_ones);
	tcase_add_test(tcase, refuses_every_character_but_capitals_and_digits);
	tcase_add_test(tcase, leaves_the_result_alone_when_it_refuses);
	tcase_add_test(tcase, zeroes_what_follows_the_code);
	tcase_add_test(tcase, compares_the_text);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
