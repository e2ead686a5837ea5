// Unit tests of the table-driven command line.
#include "clients/cli/command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "clients/cli/commands.h"

static struct command_line seen;
static char word[300];
static unsigned runs;

static int note(const struct command_line *line)
{
	runs++;
	seen = *line;
	snprintf(word, sizeof word, "%s|%s|%s", command_value(line, "name") == NULL ? "-" : command_value(line, "name"),
		 command_value_at(line, "keep", 1) == NULL ? "-" : command_value_at(line, "keep", 1),
		 line->operand_count == 0 ? "-" : line->operands[0]);
	return EXIT_PARTIAL;
}

static const struct command_option options[] = {
	{"name", "NAME", "a name", OPTION_REQUIRED},
	{"keep", "FILE", "a file", OPTION_REPEATABLE},
	{"quick", NULL, "a switch", OPTION_OPTIONAL},
	{0},
};
static const struct command_option worded[] = {
	{"reason", "TEXT", "why", OPTION_WORDS},
	{"words", "TEXT", "what else", OPTION_WORDS_OPTIONAL},
	{0},
};
static const struct command commands[] = {
	{.name = "group one", .operands = "WORD", .help = "one", .options = options, .operands_max = 1, .run = note},
	{.name = "group words", .operands = "", .help = "words", .options = worded, .run = note},
	{.name = "group two", .operands = "", .help = "two", .offline = true, .text_only = true, .run = note},
};

#define RUN(command, ...)                                                                            \
	run_words(command, (char *[]){(char *)(uintptr_t) "word", __VA_ARGS__ __VA_OPT__(, ) NULL})

static int run_words(const struct command *command, char **words)
{
	int count = 0;
	while (words[count] != NULL)
		count++;
	runs = 0;
	return command_dispatch(command, count, words);
}

static char w_name[] = "--name", w_x[] = "x", w_keep[] = "--keep", w_a[] = "a", w_b[] = "b", w_operand[] = "operand",
	    w_json[] = "--json", w_timeout[] = "--timeout", w_profile[] = "--profile", w_help[] = "--help",
	    w_unknown[] = "--colour", w_quick[] = "--quick", w_one[] = "one", w_two[] = "two", w_three[] = "three";

START_TEST(hands_over_options_operands_and_the_run_functions_exit_code)
{
	ck_assert_int_eq(RUN(&commands[0], w_operand, w_name, w_x, w_keep, w_a, w_keep, w_b, w_json), EXIT_PARTIAL);
	ck_assert_uint_eq(runs, 1);
	ck_assert_str_eq(word, "x|b|operand");
	ck_assert(seen.json);
	ck_assert_uint_eq(seen.timeout_ms, TIMEOUT_MS_DEFAULT);
	ck_assert_ptr_null(command_value(&seen, "quick"));
	ck_assert_int_eq(RUN(&commands[0], w_quick, w_name, w_x), EXIT_PARTIAL);
	ck_assert_ptr_nonnull(command_value(&seen, "quick"));
	ck_assert(!seen.json);
}
END_TEST

START_TEST(refuses_what_the_table_does_not_name_and_runs_nothing)
{
	ck_assert_int_eq(RUN(&commands[0], w_name, w_x, w_unknown), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[0], w_name), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[0], w_operand), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[0], w_name, w_x, w_name, w_x), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[0], w_name, w_x, w_a, w_b), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[2], w_json), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[2], w_profile, w_x), EXIT_USAGE);
	ck_assert_uint_eq(runs, 0);
}
END_TEST

START_TEST(words_are_needed_and_of_ten_characters_at_least)
{
	char reason[] = "--reason", words[] = "--words", nothing[] = "", nine[] = "fell over", ten[] = "fell over.", accents[] = "\xc3\xa9t\xc3\xa9 \xc3\xa9t\xc3\xa9";
	ck_assert_int_eq(RUN(&commands[1], reason, ten), EXIT_PARTIAL);
	ck_assert_int_eq(RUN(&commands[1], reason, ten, words, ten), EXIT_PARTIAL);
	ck_assert_int_eq(RUN(&commands[1], reason, ten, words, nothing), EXIT_PARTIAL);
	ck_assert_int_eq(RUN(&commands[1], words, ten), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[1], reason, nine), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[1], reason, nothing), EXIT_USAGE);
	ck_assert_int_eq(RUN(&commands[1], reason, ten, words, nine), EXIT_USAGE);
	// Ten bytes and more, of seven characters.
	ck_assert_int_eq(RUN(&commands[1], reason, accents), EXIT_USAGE);
	ck_assert_uint_eq(runs, 0);
}
END_TEST

START_TEST(takes_timeouts_from_1_to_60000_ms)
{
	static const struct {
		char text[24];
		bool good;
	} timeouts[] = {{"1", true},  {"60000", true}, {"0", false},  {"60001", false}, {"", false},
			{"1s", false}, {"-1", false},  {" 1", false}, {"18446744073709551617", false}};
	for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
		char text[24];
		strcpy(text, timeouts[i].text);
		int code = RUN(&commands[0], w_name, w_x, w_timeout, text);
		ck_assert_msg((code == EXIT_PARTIAL) == timeouts[i].good, "%s", text);
	}
}
END_TEST

START_TEST(takes_the_profile_from_the_environment_when_it_is_not_given)
{
	unsetenv("CPIS_PROFILE");
	ck_assert_int_eq(RUN(&commands[0], w_name, w_x), EXIT_PARTIAL);
	ck_assert_ptr_null(seen.profile);
	setenv("CPIS_PROFILE", "from-environment", 1);
	ck_assert_int_eq(RUN(&commands[0], w_name, w_x), EXIT_PARTIAL);
	ck_assert_str_eq(seen.profile, "from-environment");
	ck_assert_int_eq(RUN(&commands[0], w_name, w_x, w_profile, w_a), EXIT_PARTIAL);
	ck_assert_str_eq(seen.profile, "a");
	unsetenv("CPIS_PROFILE");
}
END_TEST

START_TEST(help_runs_nothing_even_without_the_needed_options)
{
	ck_assert_int_eq(RUN(&commands[0], w_help), EXIT_DONE);
	ck_assert_uint_eq(runs, 0);
}
END_TEST

static int run_group(char **words, int count)
{
	runs = 0;
	return command_dispatch_group("group", "help", commands, 3, count, words);
}

START_TEST(finds_the_command_of_a_group_behind_options)
{
	char group[] = "group";
	char *plain[] = {group, w_two, NULL};
	ck_assert_int_eq(run_group(plain, 2), EXIT_PARTIAL);
	char *behind[] = {group, w_json, w_profile, w_two, w_one, w_name, w_x, NULL};
	ck_assert_int_eq(run_group(behind, 7), EXIT_PARTIAL);
	ck_assert_str_eq(seen.command->name, "group one");
	ck_assert_str_eq(seen.profile, "two");
	ck_assert(seen.json);
	char *unknown[] = {group, w_three, NULL};
	ck_assert_int_eq(run_group(unknown, 2), EXIT_USAGE);
	char *none[] = {group, NULL};
	ck_assert_int_eq(run_group(none, 1), EXIT_USAGE);
	char *help[] = {group, w_help, NULL};
	ck_assert_int_eq(run_group(help, 2), EXIT_DONE);
}
END_TEST

START_TEST(reads_numbers_strictly)
{
	uint64_t value = 7;
	ck_assert(!command_number("18446744073709551616", 0, UINT64_MAX, &value));
	ck_assert_uint_eq(value, 7);
	ck_assert(command_number("9223372036854775807", 0, INT64_MAX, &value));
	ck_assert_uint_eq(value, INT64_MAX);
	ck_assert(!command_number("9223372036854775808", 0, INT64_MAX, &value));
	ck_assert(!command_number("+1", 0, 10, &value));
	ck_assert(!command_number("0x1", 0, 10, &value));
	ck_assert(command_number("0", 0, 0, &value));
	ck_assert_uint_eq(value, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command_line");
	TCase *tests = tcase_create("command_line");
	tcase_add_test(tests, hands_over_options_operands_and_the_run_functions_exit_code);
	tcase_add_test(tests, refuses_what_the_table_does_not_name_and_runs_nothing);
	tcase_add_test(tests, words_are_needed_and_of_ten_characters_at_least);
	tcase_add_test(tests, takes_timeouts_from_1_to_60000_ms);
	tcase_add_test(tests, takes_the_profile_from_the_environment_when_it_is_not_given);
	tcase_add_test(tests, help_runs_nothing_even_without_the_needed_options);
	tcase_add_test(tests, finds_the_command_of_a_group_behind_options);
	tcase_add_test(tests, reads_numbers_strictly);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
