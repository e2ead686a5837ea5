// The ladder of names, by a table of names.
#include "clients/demographics/names.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *known_family, *known_given, *told_family, *told_given;
	enum names_step step;
} table[] = {
	// The given names are equal, whatever case, accents and punctuation.
	{"Okafor", "Grace Ada", "Okafor", "Grace Ada", NAMES_GIVEN_EQUAL},
	{"Okafor", "Grace Ada", "OKAFOR", "grace ada", NAMES_GIVEN_EQUAL},
	{"O'Neill", "Siân", "ONEILL", "Sian", NAMES_GIVEN_EQUAL},
	{"O\u2019Neill", "Siân", "O'Neill", "Sia\u0302n", NAMES_GIVEN_EQUAL}, // composed and not
	{"Smith-Jones", "Anne-Marie", "Smith Jones", "Anne Marie", NAMES_GIVEN_EQUAL},
	{"Núñez", "José", "Nunez", "Jose", NAMES_GIVEN_EQUAL},
	{"Weiß", "Jörg", "Weiss", "Jorg", NAMES_GIVEN_EQUAL},
	{"St. John", "Zoë", "St John", "Zoe", NAMES_GIVEN_EQUAL},
	{"Şahin", "Çağla", "Sahin", "Cagla", NAMES_GIVEN_EQUAL},
	{"Οικονόμου", "Νίκος", "ΟΙΚΟΝΟΜΟΥ", "ΝΙΚΟΣ", NAMES_GIVEN_EQUAL}, // final sigma
	{"Nguyễn", "Thị Hà", "Nguyen", "Thi Ha", NAMES_GIVEN_EQUAL},
	{"\uFB01sher", "A", "fisher", "a", NAMES_GIVEN_EQUAL}, // a ligature
	{"王", "小明", "王", "小明", NAMES_GIVEN_EQUAL},
	// The first is the first.
	{"Okafor", "Grace Ada", "Okafor", "Grace", NAMES_FIRST_IS_FIRST},
	{"Okafor", "Grace", "Okafor", "Grace Ada", NAMES_FIRST_IS_FIRST},
	{"Okafor", "Grace Ada", "Okafor", "Grace Uju", NAMES_FIRST_IS_FIRST},
	{"Okafor", " Grace  Ada", "Okafor", "  Grace", NAMES_FIRST_IS_FIRST},
	// The first is any.
	{"Okafor", "Grace Ada", "Okafor", "Ada", NAMES_FIRST_IS_ANY},
	{"Okafor", "Grace  Ada Uju", "Okafor", "Uju Grace", NAMES_FIRST_IS_ANY},
	// Neither.
	{"Okafor", "Grace Ada", "Okafor", "Uju Grace", NAMES_DIFFER}, // the service's first is not asked for
	{"Okafor", "Grace", "Okafor", "G", NAMES_DIFFER},
	{"Okafor", "Margaret", "Okafor", "Maggie", NAMES_DIFFER},
	{"Okafor", "Grace", "Okafor", "Grac", NAMES_DIFFER},
	{"Okafor", "Grace", "Okafor-Bell", "Grace", NAMES_DIFFER},
	{"Okafor", "Grace", "Okoro", "Grace", NAMES_DIFFER},
	{"Møller", "Kim", "Moller", "Kim", NAMES_DIFFER}, // a letter of its own
	{"Okafor", "Grace", "", "Grace", NAMES_DIFFER},
	{"Okafor", "Grace", "Okafor", "", NAMES_DIFFER},
	{"Okafor", "Grace", "Okafor", "-", NAMES_DIFFER},
	{"Okafor", "Grace", "--", "--", NAMES_DIFFER},
	{"Okafor", "Grace", "Ok\xff", "Grace", NAMES_DIFFER},
	{"Okafor", "Grace", "Grace", "Okafor", NAMES_DIFFER},
};

START_TEST(names_match_as_the_table_says)
{
	ck_assert_msg(names_match(table[_i].known_family, table[_i].known_given, table[_i].told_family,
				  table[_i].told_given) == table[_i].step,
		      "%s %s / %s %s", table[_i].known_given, table[_i].known_family, table[_i].told_given,
		      table[_i].told_family);
}
END_TEST

START_TEST(folding_keeps_letters_and_digits)
{
	char out[NAMES_FOLDED_BYTES];
	ck_assert(names_fold("O'Neill-2nd", 11, out));
	ck_assert_str_eq(out, "oneill2nd");
	ck_assert(!names_fold("", 0, out));
	ck_assert(!names_fold("'- .", 4, out));
	ck_assert(!names_fold("\xc3", 1, out));
}
END_TEST

// Ligatures that are many letters each.
START_TEST(the_longest_text_folds_or_is_nobodys_name)
{
	char text[TEXT_BYTES_MAX + 1], out[NAMES_FOLDED_BYTES];
	size_t bytes = 0;
	static const char ligature[] = "\uFDFA"; // 18 letters
	for (; bytes + 3 <= TEXT_BYTES_MAX; bytes += 3)
		memcpy(text + bytes, ligature, 3);
	if (names_fold(text, bytes, out))
		ck_assert_uint_lt(strlen(out), NAMES_FOLDED_BYTES);
	memset(text, 'A', TEXT_BYTES_MAX);
	ck_assert(names_fold(text, TEXT_BYTES_MAX, out));
	ck_assert_uint_eq(strlen(out), TEXT_BYTES_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tests = tcase_create("names");
	tcase_add_loop_test(tests, names_match_as_the_table_says, 0, (int)(sizeof table / sizeof table[0]));
	tcase_add_test(tests, folding_keeps_letters_and_digits);
	tcase_add_test(tests, the_longest_text_folds_or_is_nobodys_name);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
