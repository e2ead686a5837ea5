// Every question that can be put to the shipped policy, against tests/data/policy_table.txt.
// CPIS_TEST_POLICY=file puts the questions to another policy: tests/mutation/policy_mutation.py does. CPIS_TEST_FIRST="role R8001",
// "operation flag" or "setting ambulance" puts those about it first, because that is where another policy will differ.
#include "broker/policy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/policy_table.h"

#define POLICY_FILE "broker/policy.yaml"
#define TABLE_FILE "tests/data/policy_table.txt"
#define FILE_BYTES_MAX 65536u
#define DIFFERENCES_SHOWN 5u

// ------------------------------------------------------------------ putting the questions

static int setting_at(const struct policy_table *table, unsigned digit)
{
	const struct policy_table_values *settings = &table->values[SETTING];
	return settings->numbers[digit % settings->count];
}

// A minute's 60,000 milliseconds; the shipped policy knows sessions of an hour.
#define HOUR_MS (60u * 60u * 1000u)
#define NOON_MS 1767787200000u // Wednesday 2026-01-07

static void ask_for_setting(const struct policy_table *table, const unsigned digits[CONDITIONS],
			    struct policy_question *question)
{
	int setting = setting_at(table, digits[SETTING]);
	uint64_t bit = UINT64_C(1) << setting, another = UINT64_C(1) << setting_at(table, digits[SETTING] + 1);
	const struct {
		bool named;
		uint64_t provided;
	} ways[] = {
		[NAMED] = {true, bit},
		[NAMED_OF_SEVERAL] = {true, bit | another},
		[NAMED_NOT_PROVIDED] = {true, ~bit},
		[NAMED_BUT_NONE] = {true, 0},
		[ONLY_ONE] = {false, bit},
		[NOT_NAMED] = {false, bit | another},
		[NOT_NAMED_OF_NONE] = {false, 0},
	};
	question->care_setting = (Cpis__V1__CareSetting)(ways[digits[ASKED]].named ? setting : 0);
	question->organisation_care_settings = ways[digits[ASKED]].provided;
}

// Care setting and access type are those asked for, but for a look: there it is the setting that is meant.
static bool is_as_decided(const struct policy_table_decision *expected, int setting,
			  const struct policy_question *question, const struct policy_decision *decision)
{
	bool look = expected->look != POLICY_TABLE_NO_LOOK;
	return decision->reason == expected->reason && decision->notify == expected->notify &&
	       decision->contradiction == expected->contradiction && decision->signed_act == expected->signed_act &&
	       decision->break_glass == (decision->reason == REASON_NONE && question->break_glass) &&
	       (int)decision->care_setting == (look ? setting : (int)question->care_setting) &&
	       decision->access_type == (look ? expected->look : question->access_type);
}

static bool is_as_often(const struct policy_table_rate *rate, const struct policy_decision *decision)
{
	return decision->reason != REASON_NONE ||
	       (decision->person_per_minute == rate->person && decision->system_per_minute == rate->system);
}

static void print_difference(const struct policy_table *table, size_t cell,
			     const struct policy_decision *decision)
{
	char text[POLICY_TABLE_DETAIL_BYTES / 2];
	const struct policy_table_line *line = policy_table_line_of(table, cell);
	printf("%s\n  line %u: %s\n  policy: %s %s, care setting %d, access type %d%s%s%s, rates %u %u\n",
	       policy_table_combination(table, cell, text), line->number, line->decision->text,
	       decision->reason == REASON_NONE ? "allowed" : "refused", reason_word(decision->reason),
	       (int)decision->care_setting, (int)decision->access_type, decision->notify ? ", notifies" : "",
	       decision->contradiction ? ", contradiction" : "", decision->signed_act ? ", signed" : "", decision->person_per_minute, decision->system_per_minute);
}

// One value of one condition, or all of them.
struct part {
	bool is_whole;
	unsigned condition, digit;
};

// Returns how many combinations of the part the policy decides otherwise; stops at DIFFERENCES_SHOWN.
static unsigned count_differences_in(const struct policy_table *table, const struct policy *policy, struct part part, bool print)
{
	unsigned digits[CONDITIONS] = {0}, differences = 0;
	size_t cell = 0;
	const struct policy_table_values *grants = &table->values[GRANTED];
	struct activity_set granted[POLICY_TABLE_WORDS_MAX] = {0}; // the first is nothing
	for (unsigned i = 1; i < grants->count; i++)
		(void)!policy_activity(policy, grants->words[i], &granted[i]);
	do {
		if (!part.is_whole && digits[part.condition] != part.digit) {
			cell++;
			continue;
		}
		struct policy_question question = {
			.operation = (Cpis__V1__Operation)table->values[OPERATION].numbers[digits[OPERATION]],
			.organisation_type = (enum organisation_type)digits[ORGANISATION],
			.role_code = table->values[ROLE].words[digits[ROLE]],
			.additional = granted[digits[GRANTED]],
			.access_type = (Cpis__V1__AccessType)table->values[ACCESS].numbers[digits[ACCESS]],
			.reason_stated = digits[STATED] == 1,
			.break_glass = digits[GLASS] == 1,
			.session_age_ms = HOUR_MS + digits[SESSION],
			.now_ms = NOON_MS,
		};
		ask_for_setting(table, digits, &question);
		int setting = setting_at(table, digits[SETTING]);
		struct policy_decision decision = policy_decide(policy, &question);
		if (!is_as_decided(policy_table_line_of(table, cell)->decision, setting, &question, &decision) ||
		    !is_as_often(&table->rates[digits[OPERATION]], &decision)) {
			if (print)
				print_difference(table, cell, &decision);
			differences++;
		}
		cell++;
	} while (differences < DIFFERENCES_SHOWN && policy_table_next(table, digits));
	return differences;
}

static unsigned count_differences(const struct policy_table *table, const struct policy *policy, bool print)
{
	return count_differences_in(table, policy, (struct part){.is_whole = true}, print);
}

// What CPIS_TEST_FIRST names, the whole where it names nothing that the table has.
static struct part first_part(const struct policy_table *table)
{
	static const struct {
		const char *name;
		unsigned condition;
	} conditions[] = {{"role ", ROLE}, {"operation ", OPERATION}, {"setting ", SETTING}};
	const char *named = getenv("CPIS_TEST_FIRST");
	for (size_t i = 0; named != NULL && i < sizeof conditions / sizeof conditions[0]; i++) {
		size_t bytes = strlen(conditions[i].name);
		const struct policy_table_values *values = &table->values[conditions[i].condition];
		for (unsigned j = 0; strncmp(named, conditions[i].name, bytes) == 0 && j < values->count; j++)
			if (strcmp(values->words[j], named + bytes) == 0)
				return (struct part){false, conditions[i].condition, j};
	}
	return (struct part){.is_whole = true};
}

// ------------------------------------------------------------------ the shipped policy

static char content[FILE_BYTES_MAX];
static struct policy *policy;
static struct policy_table *shipped;

static const char *policy_file(void)
{
	const char *given = getenv("CPIS_TEST_POLICY");
	return given == NULL ? POLICY_FILE : given;
}

static void read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s cannot be opened: run this from the repository's root", path);
	size_t bytes = fread(content, 1, sizeof content - 1, file);
	fclose(file);
	ck_assert_uint_lt(bytes, sizeof content - 1);
	content[bytes] = '\0';
}

static void set_up(void)
{
	char detail[POLICY_DETAIL_BYTES] = "", table_detail[POLICY_TABLE_DETAIL_BYTES] = "";
	ck_assert_msg(policy_load(policy_file(), &policy, detail), "refused on loading: %s", detail);
	read_file(TABLE_FILE);
	shipped = policy_table_new(content, table_detail);
	ck_assert_msg(shipped != NULL, TABLE_FILE ": %s", table_detail);
}

static void tear_down(void)
{
	policy_table_free(shipped);
	policy_free(policy);
}

START_TEST(the_policy_decides_every_combination_as_the_table_says)
{
	struct part first = first_part(shipped);
	unsigned differences = first.is_whole ? 0 : count_differences_in(shipped, policy, first, true);
	if (differences == 0)
		differences = count_differences(shipped, policy, true);
	if (differences == 0)
		printf("%zu combinations decided by %u lines: no gap, no overlap, no difference\n",
		       shipped->cells_count, shipped->lines_count);
	fflush(stdout);
	ck_assert_msg(differences == 0, "the policy differs from the table");
}
END_TEST

// Codes of roles and activities that stand in the policy's file only: nobody would ask about them.
static unsigned count_missing(const struct policy_table *table)
{
	unsigned codes = 0, missing = 0;
	read_file(policy_file());
	for (char *line = content, *rest; line != NULL; line = rest) {
		rest = strchr(line, '\n');
		if (rest != NULL)
			*rest++ = '\0';
		line[strcspn(line, "#")] = '\0';
		const char *code = strstr(line, "code: ");
		if (code == NULL)
			continue;
		char word[POLICY_TABLE_WORD_BYTES] = "";
		ck_assert_int_eq(sscanf(code, "code: %39[A-Z0-9]", word), 1);
		bool role = policy_role_name(policy, word) != NULL;
		struct activity_set ignored = {0};
		ck_assert(role || policy_activity(policy, word, &ignored));
		missing += !policy_table_has(table, role ? ROLE : GRANTED, word);
		codes++;
	}
	ck_assert_uint_gt(codes, 0);
	return missing;
}

START_TEST(the_table_has_every_role_and_activity_of_the_policy)
{
	ck_assert_uint_eq(count_missing(shipped), 0);
}
END_TEST

// ------------------------------------------------------------------ the reader would notice

#define ROLES "roles nurses R8001\n"

static const struct {
	const char *content, *complaint;
} bad_tables[] = {
	{ROLES "operation flag -> allowed\n", "no line decides operation unspecified"},
	{ROLES "-> allowed\noperation flag\n  role nurses -> allowed\n", "lines 2 and 4 both decide operation flag"},
	{ROLES, "no line decides"},
	{"-> allowed\n", "no role at all"},
	{ROLES "operation fly -> allowed\n", "2: unknown operation 'fly'"},
	{ROLES "role doctors -> allowed\n", "2: unknown role 'doctors'"},
	{ROLES "weather fine -> allowed\n", "2: unknown condition 'weather'"},
	{ROLES "operation -> allowed\n", "2: no value"},
	{ROLES "operation\n-> allowed\n", "2: no value"},
	{ROLES "-> perhaps\n", "2: 'perhaps' is no decision"},
	{ROLES "->\n", "2: '' is no decision"},
	{ROLES "roles others R8001\n", "2: 'R8001' stands twice"},
	{ROLES "roles others # R8000\n", "2: group 'others' is empty"},
	{ROLES "roles\n", "2: a group needs a name"},
	{ROLES "activities B0107 B0107\n", "2: 'B0107' stands twice"},
	{ROLES "rate fly 1 2\n", "2: a rate has an operation"},
	{ROLES "rate flag 1\n", "2: a rate has an operation"},
	{ROLES "grants local L0101\n", "2: unknown granted 'L0101'"},
	{ROLES "settings urgent bakery\n", "2: unknown setting 'bakery'"},
	{ROLES "settings maternity ambulance\n", "2: a group needs a name of its own"},
};

START_TEST(refuses_a_table_with_gaps_overlaps_or_slips)
{
	char detail[POLICY_TABLE_DETAIL_BYTES] = "";
	ck_assert_ptr_null(policy_table_new(bad_tables[_i].content, detail));
	ck_assert_msg(strstr(detail, bad_tables[_i].complaint) == detail, "said: %s", detail);
}
END_TEST

START_TEST(a_wrong_table_differs_from_the_policy)
{
	char detail[POLICY_TABLE_DETAIL_BYTES] = "";
	struct policy_table *table = policy_table_new(ROLES "-> allowed # everything\n", detail);
	ck_assert_msg(table != NULL, "%s", detail);
	ck_assert_uint_eq(count_differences(table, policy, false), DIFFERENCES_SHOWN);
	ck_assert_uint_gt(count_missing(table), 0);
	policy_table_free(table);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy_table");
	TCase *decide = tcase_create("shipped"), *reader = tcase_create("reader");
	// Check gives 4 s; under ThreadSanitizer it computes for nine.
	tcase_set_timeout(decide, 60);
	tcase_add_unchecked_fixture(decide, set_up, tear_down);
	tcase_add_test(decide, the_policy_decides_every_combination_as_the_table_says);
	tcase_add_test(decide, the_table_has_every_role_and_activity_of_the_policy);
	suite_add_tcase(suite, decide);
	tcase_add_unchecked_fixture(reader, set_up, tear_down);
	tcase_add_loop_test(reader, refuses_a_table_with_gaps_overlaps_or_slips, 0,
			    sizeof bad_tables / sizeof bad_tables[0]);
	tcase_add_test(reader, a_wrong_table_differs_from_the_policy);
	suite_add_tcase(suite, reader);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
