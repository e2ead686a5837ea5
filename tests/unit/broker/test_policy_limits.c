// A policy at each of its limits is read, and one past it refused with a sentence.
#include "broker/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

static char text[256 * 1024], detail[POLICY_DETAIL_BYTES];
static size_t used;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	used += (size_t)vsnprintf(text + used, sizeof text - used, format, arguments);
	va_end(arguments);
	ck_assert_uint_lt(used, sizeof text);
}

struct shape {
	unsigned name_bytes, activities, roles, rules, window_minutes, children, session_minutes, per_minute, retention_months, examples;
};

static bool is_read(const struct shape *shape)
{
	struct policy *policy = NULL;
	char name[128] = "";
	used = 0;
	memset(name, 'n', shape->name_bytes);
	say("name: %s\nactivities:\n", name);
	for (unsigned i = 0; i < shape->activities; i++)
		say("  - {code: B%04u, name: a}\n", i);
	say("roles:\n");
	for (unsigned i = 0; i < shape->roles; i++)
		say("  - {code: R%04u, name: r, activities: [B0000]}\n", i);
	say("care_settings:\n  - {name: ambulance, scheduled: false}\noperations:\n  - {name: publish, activities: [B0000], "
	    "organisation_types: [local_authority], session_minutes: %u, person_per_minute: %u, system_per_minute: %u}\n",
	    shape->session_minutes, shape->per_minute, shape->per_minute);
	say("detection:\n  - {rule: volume, window_minutes: %u, children: %u, times: 2, peers: 2, alone: 95, severity: low}\n",
	    shape->window_minutes, shape->children);
	for (unsigned i = 1; i < shape->rules; i++)
		say("  - {rule: dormant, window_minutes: %u, asleep_days: 30, severity: low}\n", i);
	say("retention: {child_months: %u}\nexamples:\n", shape->retention_months);
	for (unsigned i = 0; i < shape->examples; i++)
		say("  - {operation: publish, organisation_type: local_authority, role: R0000, decision: allowed}\n");
	detail[0] = '\0';
	bool read = policy_read((const uint8_t *)text, used, "test", &policy, detail);
	policy_free(policy);
	return read;
}

static const struct shape all = {
	.name_bytes = POLICY_NAME_BYTES_MAX,
	.activities = POLICY_ACTIVITIES_MAX,
	.roles = POLICY_ROLES_MAX,
	.rules = DETECTION_RULES_MAX,
	.window_minutes = DETECTION_WINDOW_MINUTES_MAX,
	.children = DETECTION_LOOKS_MAX - 1, // one more is to be told from it
	.session_minutes = POLICY_SESSION_MINUTES_MAX,
	.per_minute = POLICY_RATE_MAX,
	.retention_months = POLICY_RETENTION_MONTHS_MAX,
	.examples = POLICY_EXAMPLES_MAX,
};

static void assert_refused(const struct shape *shape)
{
	ck_assert(!is_read(shape));
	ck_assert_str_ne(detail, "");
}

START_TEST(each_limit_is_reached_and_none_passed)
{
	ck_assert_msg(is_read(&all), "%s", detail);
	struct shape past[10] = {all, all, all, all, all, all, all, all, all, all};
	past[0].name_bytes++;
	past[1].activities++;
	past[2].roles++;
	past[3].rules++;
	past[4].window_minutes++;
	past[5].children++;
	past[6].session_minutes++;
	past[7].per_minute++;
	past[8].retention_months++;
	past[9].examples++;
	for (size_t i = 0; i < sizeof past / sizeof past[0]; i++)
		assert_refused(&past[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy_limits");
	TCase *tests = tcase_create("policy_limits");
	tcase_add_test(tests, each_limit_is_reached_and_none_passed);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
