// Text from outside: UTF-8, control characters, telephones, digits, role codes.
#include "proto/text.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool clean(const char *text)
{
	return text_is_clean(text, strlen(text));
}

// Written without the decoder under test: any value below 2^21 in the given number of bytes.
static size_t encode(uint32_t point, size_t count, char out[4])
{
	static const uint8_t lead[5] = {0, 0x00, 0xC0, 0xE0, 0xF0};
	for (size_t i = count; i-- > 1; point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3F));
	out[0] = (char)(lead[count] | point);
	return count;
}

static size_t shortest(uint32_t point)
{
	return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

// The list of text.h, once more.
static bool may_stand(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} refused[] = {{0, 0x1F},         {0x7F, 0x9F},     {0x200E, 0x200F}, {0x2028, 0x2029}, {0x202A, 0x202E},
		       {0x2066, 0x2069}, {0xD800, 0xDFFF}, {0xFDD0, 0xFDEF}, {0xFEFF, 0xFEFF}, {0x110000, UINT32_MAX}};
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (point >= refused[i].first && point <= refused[i].last)
			return false;
	return (point & 0xFFFF) < 0xFFFE;
}

START_TEST(takes_ordinary_text)
{
	ck_assert(clean(""));
	ck_assert(clean("Grace Okafor"));
	ck_assert(clean("Si\xC3\xA2n O\xE2\x80\x99" "Brien"));
	ck_assert(clean("\xF0\x9F\x98\x80"));
}
END_TEST

START_TEST(judges_every_code_point_by_the_list)
{
	for (uint32_t point = 0; point < 0x1FFFFF; point++) {
		char text[4];
		size_t count = encode(point, shortest(point), text);
		if (text_is_clean(text, count) != may_stand(point))
			ck_abort_msg("U+%04X", (unsigned)point);
	}
}
END_TEST

START_TEST(refuses_every_overlong_form)
{
	for (uint32_t point = 0; point < 0x10000; point++) {
		for (size_t count = shortest(point) + 1; count <= 4; count++) {
			char text[4];
			encode(point, count, text);
			if (text_is_clean(text, count))
				ck_abort_msg("U+%04X in %zu bytes", (unsigned)point, count);
		}
	}
}
END_TEST

START_TEST(refuses_sequences_cut_short)
{
	ck_assert(!clean("a\xC3"));
	ck_assert(!clean("a\xE2\x80"));
	ck_assert(!clean("a\xF0\x9F\x98"));
	ck_assert(!clean("\xC3 b"));
	ck_assert(!clean("\xE2\x80 b"));
	// The rest of the sequence stands behind the end.
	ck_assert(!text_is_clean("\xC3\xA2", 1));
}
END_TEST

START_TEST(refuses_stray_bytes)
{
	ck_assert(!clean("\x80"));
	ck_assert(!clean("a\xBF" "b"));
	ck_assert(!clean("\xFE"));
	ck_assert(!clean("\xFF"));
	ck_assert(!clean("\xF8\x88\x80\x80\x80"));
}
END_TEST

START_TEST(refuses_a_control_character_anywhere)
{
	ck_assert(!clean("\nabc"));
	ck_assert(!clean("ab\tc"));
	ck_assert(!clean("abc\x1B"));
	ck_assert(!text_is_clean("ab\0c", 4));
	ck_assert(!clean("abc\xE2\x80\xAE" "def"));
}
END_TEST

START_TEST(takes_telephones)
{
	ck_assert(text_is_telephone("999", 3));
	ck_assert(text_is_telephone("0113 496 0000", 13));
	ck_assert(text_is_telephone("+44 (0)113-4960000", 18));
	ck_assert(text_is_telephone("01134960000123456789", 20));
}
END_TEST

START_TEST(refuses_other_telephones)
{
	static const char *const bad[] = {"",       "12",         "01134960000123456789 ", "   ",     "+() -",
					  "(1)-2 ", "0113x496",   "0113.496.0000",        "0113\n1", "0113 496 0000 ext 9"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!text_is_telephone(bad[i], strlen(bad[i])), "%s", bad[i]);
}
END_TEST

START_TEST(takes_exactly_so_many_digits)
{
	ck_assert(text_is_digits("555000000001", 12, 12));
	ck_assert(!text_is_digits("55500000000", 11, 12));
	ck_assert(!text_is_digits("5550000000012", 13, 12));
	ck_assert(!text_is_digits("55500000000a", 12, 12));
	ck_assert(!text_is_digits(" 55500000000", 12, 12));
	ck_assert(!text_is_digits("/55500000000", 12, 12));
	ck_assert(!text_is_digits(":55500000000", 12, 12));
}
END_TEST

START_TEST(takes_role_codes_of_a_capital_and_digits)
{
	ck_assert(text_is_role_code("R8001", 5));
	ck_assert(text_is_role_code("B0107", 5));
	ck_assert(text_is_role_code("R123", 4));
	ck_assert(text_is_role_code("R12345678901", 12));
}
END_TEST

START_TEST(refuses_other_role_codes)
{
	static const char *const bad[] = {"", "R", "R12", "R123456789012", "r8001", "88001", "R80O1", "R800 1", "RR001"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!text_is_role_code(bad[i], strlen(bad[i])), "%s", bad[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, takes_ordinary_text);
	tcase_add_test(tcase, judges_every_code_point_by_the_list);
	tcase_add_test(tcase, refuses_every_overlong_form);
	tcase_add_test(tcase, refuses_sequences_cut_short);
	tcase_add_test(tcase, refuses_stray_bytes);
	tcase_add_test(tcase, refuses_a_control_character_anywhere);
	tcase_add_test(tcase, takes_telephones);
	tcase_add_test(tcase, refuses_other_telephones);
	tcase_add_test(tcase, takes_exactly_so_many_digits);
	tcase_add_test(tcase, takes_role_codes_of_a_capital_and_digits);
	tcase_add_test(tcase, refuses_other_role_codes);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
