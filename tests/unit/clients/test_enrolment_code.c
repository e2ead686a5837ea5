// The one-time code as people write it: there and back, and which group was misheard.
#include "clients/cli/enrolment_code.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t golden[ENROLMENT_CODE_BYTES] = {0x00, 0x00, 0x00, 0x01, 0xff, 0xff, 0x12, 0x34,
						     0xab, 0xcd, 0x80, 0x00, 0x00, 0xff, 0x7f, 0xff};
#define GOLDEN_TEXT "000000-000011-720885-051260-483791-360448-002805-360437"

START_TEST(a_code_is_eight_groups_of_eleven_times_16_bits)
{
	char text[ENROLMENT_CODE_TEXT_BYTES];
	enrolment_code_format(golden, text);
	ck_assert_str_eq(text, GOLDEN_TEXT);
}
END_TEST

START_TEST(it_is_read_back_however_people_space_it)
{
	static const char *const texts[] = {GOLDEN_TEXT,
					    "000000 000011 720885 051260 483791 360448 002805 360437",
					    "000000000011720885051260483791360448002805360437",
					    " 000-000 000-011 720885 - 051260 483791 360448 002805 360437 -"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		uint8_t code[ENROLMENT_CODE_BYTES] = {0};
		ck_assert_uint_eq(enrolment_code_parse(texts[i], code), 0);
		ck_assert_mem_eq(code, golden, sizeof code);
	}
}
END_TEST

START_TEST(any_wrong_digit_and_any_exchange_of_neighbours_names_its_group)
{
	char text[] = GOLDEN_TEXT;
	uint8_t code[ENROLMENT_CODE_BYTES] = {7}, untouched[ENROLMENT_CODE_BYTES] = {7};
	for (unsigned i = 0; i < sizeof text - 1; i++) {
		unsigned group = i / 7 + 1;
		char right = text[i];
		for (char wrong = '0'; right != '-' && wrong <= '9'; wrong++) {
			text[i] = wrong;
			if (wrong != right)
				ck_assert_uint_eq(enrolment_code_parse(text, code), group);
		}
		text[i] = right;
		char next = text[i + 1];
		if (right == '-' || next == '-' || next == '\0' || next == right)
			continue;
		text[i] = next;
		text[i + 1] = right;
		ck_assert_uint_eq(enrolment_code_parse(text, code), group);
		text[i] = right;
		text[i + 1] = next;
	}
	ck_assert_mem_eq(code, untouched, sizeof code);
}
END_TEST

START_TEST(what_is_no_code_is_refused)
{
	static const char *const texts[] = {"", "-", "000000", "00000000001172088505126048379136044800280536043",
					    "0000000000117208850512604837913604480028053604370",
					    "000000-000011-720885-051260-483791-360448-002805-36043x",
					    "000000-000011-720885-051260-483791-360448-002805-360437\n"};
	uint8_t code[ENROLMENT_CODE_BYTES];
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		ck_assert_uint_eq(enrolment_code_parse(texts[i], code), ENROLMENT_CODE_GROUPS + 1);
	// Divisible by 11, and more than 16 bits.
	ck_assert_uint_eq(enrolment_code_parse("720896-000011-720885-051260-483791-360448-002805-360437", code), 1);
	ck_assert_uint_eq(enrolment_code_parse("000000-000011-720885-051260-483791-360448-002805-999999", code), 8);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("enrolment_code");
	TCase *tests = tcase_create("enrolment_code");
	tcase_add_test(tests, a_code_is_eight_groups_of_eleven_times_16_bits);
	tcase_add_test(tests, it_is_read_back_however_people_space_it);
	tcase_add_test(tests, any_wrong_digit_and_any_exchange_of_neighbours_names_its_group);
	tcase_add_test(tests, what_is_no_code_is_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
