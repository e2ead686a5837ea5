// NHS numbers: the check digit, the wire form and the typed form.
#include "proto/nhs_number.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum nhs_number_status parse(const char *text)
{
	struct nhs_number number;
	return nhs_number_parse(text, strlen(text), &number);
}

static enum nhs_number_status parse_typed(const char *text)
{
	struct nhs_number number;
	return nhs_number_parse_typed(text, strlen(text), &number);
}

START_TEST(takes_valid_numbers)
{
	static const char *const valid[] = {"9990000018", "9990000026", "9990000034", "9990000042", "9990000069"};
	for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
		struct nhs_number number;
		ck_assert_int_eq(nhs_number_parse(valid[i], 10, &number), NHS_NUMBER_OK);
		ck_assert_str_eq(number.digits, valid[i]);
	}
}
END_TEST

START_TEST(takes_check_digit_eleven_as_zero)
{
	ck_assert_int_eq(parse("9990000050"), NHS_NUMBER_OK);
}
END_TEST

// 999 000 000 calls for a check digit of 10, so none of the ten digits may do.
START_TEST(refuses_every_number_whose_check_digit_would_be_ten)
{
	char text[] = "999000000?";
	for (char last = '0'; last <= '9'; last++) {
		text[9] = last;
		ck_assert_int_eq(parse(text), NHS_NUMBER_CHECK_DIGIT);
	}
}
END_TEST

START_TEST(takes_exactly_one_last_digit_of_the_others)
{
	char text[24];
	for (unsigned first_nine = 999000001; first_nine < 999002000; first_nine++) {
		unsigned taken = 0;
		for (unsigned last = 0; last < 10; last++) {
			snprintf(text, sizeof text, "%09u%u", first_nine, last);
			taken += parse(text) == NHS_NUMBER_OK;
		}
		ck_assert_uint_le(taken, 1);
		unsigned sum = 0;
		for (unsigned i = 0; i < 9; i++)
			sum += (unsigned)(text[i] - '0') * (10 - i);
		ck_assert_uint_eq(taken, sum % 11 != 1);
	}
}
END_TEST

START_TEST(finds_every_single_mistyped_digit)
{
	for (size_t place = 0; place < 10; place++) {
		for (char digit = '0'; digit <= '9'; digit++) {
			char text[] = "9990000018";
			if (text[place] == digit)
				continue;
			text[place] = digit;
			ck_assert_int_eq(parse(text), NHS_NUMBER_CHECK_DIGIT);
		}
	}
}
END_TEST

START_TEST(finds_two_neighbouring_digits_swapped)
{
	ck_assert_int_eq(parse("9990000081"), NHS_NUMBER_CHECK_DIGIT);
	ck_assert_int_eq(parse("9990000108"), NHS_NUMBER_CHECK_DIGIT);
	ck_assert_int_eq(parse("9909000018"), NHS_NUMBER_CHECK_DIGIT);
}
END_TEST

START_TEST(refuses_one_digit_ten_times)
{
	char text[11] = "";
	for (char digit = '0'; digit <= '9'; digit++) {
		memset(text, digit, 10);
		ck_assert_int_eq(parse(text), NHS_NUMBER_REPEATED);
	}
}
END_TEST

START_TEST(refuses_other_lengths)
{
	ck_assert_int_eq(parse(""), NHS_NUMBER_LENGTH);
	ck_assert_int_eq(parse("999000001"), NHS_NUMBER_LENGTH);
	ck_assert_int_eq(parse("99900000180"), NHS_NUMBER_LENGTH);
}
END_TEST

START_TEST(refuses_what_is_not_a_digit)
{
	ck_assert_int_eq(parse("999000001A"), NHS_NUMBER_NOT_DIGITS);
	ck_assert_int_eq(parse("999 000 0018"), NHS_NUMBER_NOT_DIGITS);
	ck_assert_int_eq(parse("9990000018 "), NHS_NUMBER_NOT_DIGITS);
	ck_assert_int_eq(parse("+990000018"), NHS_NUMBER_NOT_DIGITS);
	// Fullwidth digit nine.
	ck_assert_int_eq(parse("\xEF\xBC\x99" "990000018"), NHS_NUMBER_NOT_DIGITS);
	struct nhs_number number;
	ck_assert_int_eq(nhs_number_parse("9990000\0" "18", 10, &number), NHS_NUMBER_NOT_DIGITS);
}
END_TEST

START_TEST(reads_no_further_than_it_is_told)
{
	struct nhs_number number;
	ck_assert_int_eq(nhs_number_parse("9990000018999", 10, &number), NHS_NUMBER_OK);
	ck_assert_str_eq(number.digits, "9990000018");
}
END_TEST

START_TEST(leaves_the_result_alone_when_it_refuses)
{
	struct nhs_number number = {"untouched"};
	ck_assert_int_eq(nhs_number_parse("9990000019", 10, &number), NHS_NUMBER_CHECK_DIGIT);
	ck_assert_int_eq(nhs_number_parse_typed("999 000 0019", 12, &number), NHS_NUMBER_CHECK_DIGIT);
	ck_assert_str_eq(number.digits, "untouched");
}
END_TEST

START_TEST(takes_the_forms_that_people_type)
{
	static const char *const typed[] = {"9990000018",    "999 000 0018",       "999-000-0018",
					    " 9990000018  ", "9 9 9 0 0 0 0 0 1 8", "999- 000 -0018"};
	for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
		struct nhs_number number;
		ck_assert_int_eq(nhs_number_parse_typed(typed[i], strlen(typed[i]), &number), NHS_NUMBER_OK);
		ck_assert_str_eq(number.digits, "9990000018");
	}
}
END_TEST

START_TEST(refuses_other_typed_forms)
{
	ck_assert_int_eq(parse_typed(""), NHS_NUMBER_LENGTH);
	ck_assert_int_eq(parse_typed("   "), NHS_NUMBER_LENGTH);
	ck_assert_int_eq(parse_typed("999 000 001"), NHS_NUMBER_LENGTH);
	ck_assert_int_eq(parse_typed("999 000 0018 0"), NHS_NUMBER_LENGTH);
	ck_assert_int_eq(parse_typed("999 000 0018 9990000018 9990000018"), NHS_NUMBER_LENGTH);
	ck_assert_int_eq(parse_typed("999.000.0018"), NHS_NUMBER_NOT_DIGITS);
	ck_assert_int_eq(parse_typed("999\t000\t0018"), NHS_NUMBER_NOT_DIGITS);
	ck_assert_int_eq(parse_typed("999 000 0081"), NHS_NUMBER_CHECK_DIGIT);
	ck_assert_int_eq(parse_typed("999 999 9999"), NHS_NUMBER_REPEATED);
}
END_TEST

START_TEST(formats_three_three_four)
{
	struct nhs_number number;
	char text[13];
	ck_assert_int_eq(nhs_number_parse("9990000018", 10, &number), NHS_NUMBER_OK);
	nhs_number_format(&number, text);
	ck_assert_str_eq(text, "999 000 0018");
}
END_TEST

START_TEST(has_a_sentence_for_every_status)
{
	for (int status = NHS_NUMBER_OK; status <= NHS_NUMBER_REPEATED; status++)
		ck_assert_uint_gt(strlen(nhs_number_status_text((enum nhs_number_status)status)), 10);
	ck_assert_str_eq(nhs_number_status_text((enum nhs_number_status)99), "?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nhs_number");
	TCase *tcase = tcase_create("nhs_number");
	tcase_add_test(tcase, takes_valid_numbers);
	tcase_add_test(tcase, takes_check_digit_eleven_as_zero);
	tcase_add_test(tcase, refuses_every_number_whose_check_digit_would_be_ten);
	tcase_add_test(tcase, takes_exactly_one_last_digit_of_the_others);
	tcase_add_test(tcase, finds_every_single_mistyped_digit);
	tcase_add_test(tcase, finds_two_neighbouring_digits_swapped);
	tcase_add_test(tcase, refuses_one_digit_ten_times);
	tcase_add_test(tcase, refuses_other_lengths);
	tcase_add_test(tcase, refuses_what_is_not_a_digit);
	tcase_add_test(tcase, reads_no_further_than_it_is_told);
	tcase_add_test(tcase, leaves_the_result_alone_when_it_refuses);
	tcase_add_test(tcase, takes_the_forms_that_people_type);
	tcase_add_test(tcase, refuses_other_typed_forms);
	tcase_add_test(tcase, formats_three_three_four);
	tcase_add_test(tcase, has_a_sentence_for_every_status);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
