// The table of reasons: words for programs, sentences for people.
#include "broker/reason.h"

#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

START_TEST(words_are_unique_and_fit_for_programs)
{
	for (unsigned i = REASON_NONE + 1; i < REASONS; i++) {
		const char *word = reason_word((enum reason)i);
		ck_assert_uint_gt(strlen(word), 0);
		ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
		for (unsigned k = i + 1; k < REASONS; k++)
			ck_assert_str_ne(word, reason_word((enum reason)k));
	}
}
END_TEST

START_TEST(sentences_start_and_end_as_sentences_and_are_unique)
{
	for (unsigned i = REASON_NONE + 1; i < REASONS; i++) {
		const char *sentence = reason_sentence((enum reason)i);
		ck_assert_uint_gt(strlen(sentence), 10);
		ck_assert_uint_le(strlen(sentence), 200);
		ck_assert(isupper((unsigned char)sentence[0]));
		ck_assert_int_eq(sentence[strlen(sentence) - 1], '.');
		for (unsigned k = i + 1; k < REASONS; k++)
			ck_assert_str_ne(sentence, reason_sentence((enum reason)k));
	}
}
END_TEST

START_TEST(no_sentence_says_anything_of_a_child)
{
	static const char *const words[] = {"child", "plan", "looked after", "flag", "subject"};
	for (unsigned i = 0; i < REASONS; i++) {
		const char *sentence = reason_sentence((enum reason)i);
		for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
			ck_assert_msg(strstr(sentence, words[k]) == NULL, "'%s' has '%s'", sentence,
				      words[k]);
		// No room for an NHS number either, in one piece or as 3 3 4.
		size_t digits = 0;
		for (const char *at = sentence; *at != '\0'; at++)
			digits += isdigit((unsigned char)*at) != 0;
		ck_assert_uint_lt(digits, 10);
	}
}
END_TEST

START_TEST(only_no_reason_is_ok)
{
	ck_assert_int_eq(reason_outcome(REASON_NONE), CPIS__V1__OUTCOME__OK);
	ck_assert_str_eq(reason_word(REASON_NONE), "");
	ck_assert_str_eq(reason_sentence(REASON_NONE), "");
	for (unsigned i = REASON_NONE + 1; i < REASONS; i++) {
		ck_assert_int_ne(reason_outcome((enum reason)i), CPIS__V1__OUTCOME__OK);
		ck_assert_int_ne(reason_outcome((enum reason)i), CPIS__V1__OUTCOME__OUTCOME_UNSPECIFIED);
	}
}
END_TEST

START_TEST(refusals_of_the_policy_are_access_denied)
{
	ck_assert_int_eq(reason_outcome(REASON_ACTIVITY), CPIS__V1__OUTCOME__ACCESS_DENIED);
	ck_assert_int_eq(reason_outcome(REASON_ROLE_UNKNOWN), CPIS__V1__OUTCOME__ACCESS_DENIED);
	ck_assert_int_eq(reason_outcome(REASON_CARE_SETTING), CPIS__V1__OUTCOME__ACCESS_DENIED);
	ck_assert_int_eq(reason_outcome(REASON_CARE_SETTING_UNNAMED), CPIS__V1__OUTCOME__INVALID_VALUE);
	ck_assert_int_eq(reason_outcome(REASON_STORE), CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reason");
	TCase *reasons = tcase_create("reason");
	tcase_add_test(reasons, words_are_unique_and_fit_for_programs);
	tcase_add_test(reasons, sentences_start_and_end_as_sentences_and_are_unique);
	tcase_add_test(reasons, no_sentence_says_anything_of_a_child);
	tcase_add_test(reasons, only_no_reason_is_ok);
	tcase_add_test(reasons, refusals_of_the_policy_are_access_denied);
	suite_add_tcase(suite, reasons);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
