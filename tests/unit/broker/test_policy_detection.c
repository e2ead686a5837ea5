// Reading detection rules: what they become, and what no file may say.
#include "broker/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/place.h"

static char text[8192], detail[POLICY_DETAIL_BYTES];
static struct policy *policy, *other;

static bool read_rules(const char *rules, struct policy **ret)
{
	int bytes = snprintf(text, sizeof text,
			     "name: test\nactivities:\n  - {code: B0107, name: a}\nroles:\n  - {code: R8001, name: r, activities: "
			     "[B0107]}\ncare_settings:\n  - {name: ambulance, scheduled: false}\noperations:\n  - {name: ping}\n"
			     "detection:\n%s\n", rules);
	detail[0] = '\0';
	return policy_read((const uint8_t *)text, (size_t)bytes, "test", ret, detail);
}

static void tear_down(void)
{
	policy_free(policy);
	policy_free(other);
	policy = other = NULL;
}

#define DORMANT "  - {rule: dormant, window_minutes: 60, asleep_days: 30, severity: low}\n"

START_TEST(a_rule_becomes_what_it_says)
{
	ck_assert_msg(read_rules("  - {rule: outside_hours, window_minutes: 90, looks: 3, hours: 22:00-06:00, days: weekdays, severity: "
				 "high, care_settings: [ambulance, maternity], quarantine: true, quarantine_minutes: 15}\n" DORMANT,
				 &policy),
		      "%s", detail);
	const struct detection_rules *rules = policy_detection(policy);
	ck_assert_uint_eq(rules->count, 2);
	const struct detection_rule *rule = &rules->rules[0];
	ck_assert_int_eq(rule->kind, DETECTION_OUTSIDE_HOURS);
	ck_assert_int_eq(rule->severity, CPIS__V1__SEVERITY__SEVERITY_HIGH);
	ck_assert_uint_eq(rule->window_ms, 90 * 60000);
	ck_assert_uint_eq(rule->numbers[DETECTION_LOOKS], 3);
	ck_assert_uint_eq(rule->from_minute, 22 * 60);
	ck_assert_uint_eq(rule->until_minute, 6 * 60);
	ck_assert(rule->weekdays);
	ck_assert_uint_eq(rule->care_settings, UINT64_C(1) << CPIS__V1__CARE_SETTING__AMBULANCE |
						       UINT64_C(1) << CPIS__V1__CARE_SETTING__MATERNITY);
	ck_assert_uint_eq(rule->quarantine_ms, 15 * 60000);
	ck_assert_int_eq(rules->rules[1].kind, DETECTION_DORMANT);
	ck_assert_uint_eq(rules->rules[1].quarantine_ms, 0);
}
END_TEST

START_TEST(the_shipped_rules_are_read)
{
	ck_assert_msg(policy_load("broker/policy.yaml", &policy, detail), "%s", detail);
	const struct detection_rules *rules = policy_detection(policy);
	bool stands[DETECTION_KINDS] = {false};
	for (size_t i = 0; i < rules->count; i++) {
		stands[rules->rules[i].kind] = true;
		// Nobody is held back by a program unless their organisation wanted it.
		ck_assert_uint_eq(rules->rules[i].quarantine_ms, 0);
	}
	for (unsigned i = 0; i < DETECTION_KINDS; i++)
		ck_assert_msg(stands[i], "%s", detection_kind_word((enum detection_kind)i));
}
END_TEST

static const struct {
	const char *rules, *says;
} refused[] = {
	{"  - {rule: hunch, window_minutes: 60, severity: low}", "unknown rule 'hunch'"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 30, severity: grave}", "severity is low, medium or high"},
	{"  - {rule: dormant, window_minutes: 0, asleep_days: 30, severity: low}", "window_minutes is a number from 1 to 10080"},
	{"  - {rule: dormant, window_minutes: 10081, asleep_days: 30, severity: low}", "window_minutes is a number from 1 to 10080"},
	{"  - {rule: dormant, window_minutes: 60, severity: low}", "asleep_days is a number from 1 to 3650"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 3x, severity: low}", "asleep_days is a number from 1 to 3650"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 3651, severity: low}", "asleep_days is a number from 1 to 3650"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 30, looks: 3, severity: low}", "rule dormant has no looks"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 30, hours: 08:00-18:00, severity: low}", "rule dormant has no hours"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 30, days: weekdays, severity: low}", "rule dormant has no hours"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 30, care_settings: [ambulance], severity: low}",
	 "rule dormant has no care_settings"},
	{"  - {rule: volume, window_minutes: 60, children: 96, times: 2, peers: 2, alone: 2, severity: low}",
	 "children is a number from 1 to 95"},
	{"  - {rule: own_household, window_minutes: 60, severity: low, care_settings: [moon]}", "unknown care setting 'moon'"},
	{"  - {rule: own_household, window_minutes: 60, severity: low, care_settings: [ambulance, ambulance]}",
	 "care setting ambulance stands twice"},
	{"  - {rule: outside_hours, window_minutes: 60, looks: 1, severity: low}", "hours are like 08:00-18:00"},
	{"  - {rule: outside_hours, window_minutes: 60, looks: 1, hours: 08:00-08:00, severity: low}", "hours are like 08:00-18:00"},
	{"  - {rule: outside_hours, window_minutes: 60, looks: 1, hours: 08:00-24:00, severity: low}", "hours are like 08:00-18:00"},
	{"  - {rule: own_household, window_minutes: 60, severity: low, quarantine: true}", "quarantine_minutes is a number from 1"},
	{"  - {rule: own_household, window_minutes: 60, severity: low, quarantine_minutes: 5}", "without quarantine: true"},
	{DORMANT DORMANT, "rule dormant stands twice with this window"},
	{"  - {rule: dormant, window_minutes: 60, asleep_days: 30, severity: low, colour: red}", "colour"},
	{"  []\nsampling: {per_thousand: 1001}", "sampling: per_thousand is a number from 1 to 1000"},
	{"  []\nsampling: {per_thousand: 0}", "sampling: per_thousand is a number from 1 to 1000"},
	{"  []\nsampling: {}", "per_thousand"},
	{"  []\nretention: {child_months: 11}", "child_months is a number of months from 12 to 1200"},
	{"  []\nretention: {staff_months: 1201}", "staff_months is a number of months from 12 to 1200"},
	{"  []\nretention: {service_months: 2 years}", "service_months is a number of months from 12 to 1200"},
	{"  []\nretention: {years: 8}", "years"},
};

START_TEST(what_no_rule_may_say_is_refused)
{
	ck_assert_msg(!read_rules(refused[_i].rules, &policy), "%s", refused[_i].rules);
	ck_assert_msg(strstr(detail, refused[_i].says) != NULL, "%s", detail);
}
END_TEST

static char told[2][300];
static size_t told_count;

static void note(void *context, const char *sentence)
{
	(void)context;
	ck_assert_uint_lt(told_count, 2);
	snprintf(told[told_count++], sizeof told[0], "%s", sentence);
}

START_TEST(rules_that_differ_are_told_apart)
{
	told_count = 0;
	ck_assert(read_rules(DORMANT, &policy));
	ck_assert_uint_eq(policy_compare(policy, policy, note, NULL), 0);
	ck_assert(read_rules("  - {rule: dormant, window_minutes: 60, asleep_days: 31, severity: low}\n"
			     "  - {rule: own_household, window_minutes: 5, severity: high}", &other));
	ck_assert_uint_eq(policy_compare(policy, other, note, NULL), 2);
	ck_assert_str_eq(told[0], "detection dormant in 60 minutes: low asleep_days 30 -> low asleep_days 31");
	ck_assert_str_eq(told[1], "detection own_household in 5 minutes: none -> high");
	told_count = 0;
	policy_free(other);
	ck_assert(read_rules(DORMANT "sampling: {per_thousand: 5}\n", &other));
	ck_assert_uint_eq(policy_detection(other)->sample_per_thousand, 5);
	ck_assert_uint_eq(policy_compare(policy, other, note, NULL), 1);
	ck_assert_str_eq(told[0], "sampling per_thousand: 0 -> 5");
	told_count = 0;
	policy_free(other);
	ck_assert(read_rules(DORMANT "retention: {child_months: 312, service_months: 12}\n", &other));
	ck_assert_uint_eq(policy_retention(other)->child, 312);
	ck_assert_uint_eq(policy_retention(other)->staff, 0);
	ck_assert_uint_eq(policy_compare(policy, other, note, NULL), 2);
	ck_assert_str_eq(told[0], "retention child_months: 0 -> 312 (0: for ever)");
}
END_TEST

START_TEST(places_are_degrees_and_distances_kilometres)
{
	static const char *const wrong[] = {"", "53.8", "53.8,-1.5", "53.8  -1.5", "91 0", "0 181", "53.12345 0", "1e1 0", "+5 0",
					    "5. 0", " 5 0", "5 0 ", "nan 0", "0x5 0"};
	struct place leeds = {0}, brighton = {0};
	ck_assert(place_parse("53.80 -1.55", &leeds));
	ck_assert(place_parse("50.82 -0.14", &brighton));
	ck_assert_uint_eq(place_kilometres(&leeds, &brighton), 344);
	ck_assert_uint_eq(place_kilometres(&leeds, &leeds), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_msg(!place_parse(wrong[i], &leeds), "%s", wrong[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy_detection");
	TCase *tests = tcase_create("policy_detection");
	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, a_rule_becomes_what_it_says);
	tcase_add_test(tests, the_shipped_rules_are_read);
	tcase_add_loop_test(tests, what_no_rule_may_say_is_refused, 0, (int)(sizeof refused / sizeof refused[0]));
	tcase_add_test(tests, rules_that_differ_are_told_apart);
	tcase_add_test(tests, places_are_degrees_and_distances_kilometres);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
