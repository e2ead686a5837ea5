// What a review remarks of a policy, and which decisions two policies differ in.
#include "broker/policy.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "proto/wire.h"
#include "tests/harness/suite.h"

static char remarks[4096];

static void note_remark(void *context, const char *sentence)
{
	(void)context;
	size_t used = strlen(remarks);
	snprintf(remarks + used, sizeof remarks - used, "%s\n", sentence);
}

static struct policy *read_text(const char *text)
{
	struct policy *policy = NULL;
	char detail[POLICY_DETAIL_BYTES] = "";
	ck_assert_msg(policy_read((const uint8_t *)text, strlen(text), "test", &policy, detail), "%s", detail);
	return policy;
}

START_TEST(a_review_names_roles_activities_and_operations_that_lead_nowhere)
{
	struct policy *policy = read_text("name: odd\n"
					  "activities:\n  - {code: B0107, name: View}\n  - {code: L0101, name: Publish}\n"
					  "  - {code: L0999, name: Nothing}\n"
					  "roles:\n  - {code: R8001, name: Nurse, activities: [B0107]}\n"
					  "  - {code: R8009, name: Receptionist, activities: []}\n"
					  "care_settings:\n  - {name: ambulance, scheduled: false}\n"
					  "operations:\n  - {name: ping}\n"
					  "  - {name: publish, activities: [L0101], organisation_types: [local_authority]}\n"
					  "  - {name: flag, activities: [B0107], organisation_types: [care_provider], "
					  "care_setting: required}\n");
	remarks[0] = '\0';
	policy_review(policy, note_remark, NULL);
	ck_assert_str_eq(remarks, "role R8009 (Receptionist) may do nothing\n"
				  "activity L0101 is held by no role: only the register can grant it\n"
				  "activity L0999 is asked for by no operation\n"
				  "operation publish can be done by no role\n"
				  "no role may do policy_load: another policy comes only with a restart\n");
	policy_free(policy);
}
END_TEST

static void expect_review(const char *activity, const char *settings, const char *details, const char *expected)
{
	char text[1024];
	snprintf(text, sizeof text,
		 "name: odd\n"
		 "activities:\n  - {code: B0107, name: View}\n  - {code: L0302, name: Load}\n%s"
		 "roles:\n  - {code: R8001, name: Nurse, activities: [B0107, L0302%s]}\n"
		 "care_settings:\n%s"
		 "operations:\n"
		 "  - {name: policy_load, activities: [L0302], organisation_types: [national_body], signature: required}\n"
		 "  - {name: flag, activities: [B0107], organisation_types: [care_provider], care_setting: required}\n%s",
		 activity, activity[0] == '\0' ? "" : ", L0999", settings, details);
	struct policy *policy = read_text(text);
	remarks[0] = '\0';
	policy_review(policy, note_remark, NULL);
	ck_assert_str_eq(remarks, expected);
	policy_free(policy);
}

#define SILENT_LINE "  - {code: L0999, name: Silently, silent: true}\n"
#define GLASS_LINE "  - {code: L0999, name: Breaks, break_glass: true}\n"
#define SCHOOL_LINE "  - {name: school_nursing, scheduled: true}\n"
#define AMBULANCE_LINE "  - {name: ambulance, scheduled: false}\n"

START_TEST(a_review_names_silence_and_glass_that_no_look_reaches)
{
	static const char details[] = "  - {name: details, activities: [B0107], organisation_types: [care_provider], "
				      "care_setting: required}\n",
			  glass[] = "  - {name: details, activities: [B0107], organisation_types: [care_provider], "
				    "care_setting: required, break_glass: allowed}\n",
			  no_silence[] = "activity L0999 makes no look silent: there are no details to open in a scheduled care "
					 "setting\n",
			  no_glass[] = "activity L0999 breaks no glass: the operation details does not allow it\n";
	expect_review(SILENT_LINE, SCHOOL_LINE, details, "");
	expect_review(SILENT_LINE, AMBULANCE_LINE, details, no_silence);
	expect_review(SILENT_LINE, SCHOOL_LINE, "", no_silence);
	expect_review(GLASS_LINE, SCHOOL_LINE, glass, "");
	expect_review(GLASS_LINE, SCHOOL_LINE, details, no_glass);
	expect_review(GLASS_LINE, SCHOOL_LINE, "", no_glass);
	expect_review("", SCHOOL_LINE, glass, "operation details allows breaking the glass, and no activity breaks it\n");
	expect_review("", SCHOOL_LINE, details, "");
}
END_TEST

START_TEST(a_comparison_lists_every_decision_that_changes_and_no_other)
{
	static const char before[] = "name: one\n"
				     "activities:\n  - {code: L0101, name: Publish}\n"
				     "roles:\n  - {code: R8001, name: Nurse, activities: []}\n"
				     "care_settings:\n  - {name: ambulance, scheduled: false}\n"
				     "operations:\n"
				     "  - {name: publish, activities: [L0101], organisation_types: [local_authority]}\n";
	static const char after[] = "name: two\n"
				    "activities:\n  - {code: L0101, name: Publish}\n"
				    "roles:\n  - {code: R8001, name: Nurse, activities: [L0101]}\n"
				    "care_settings:\n  - {name: ambulance, scheduled: false}\n"
				    "operations:\n"
				    "  - {name: publish, activities: [L0101], organisation_types: [local_authority]}\n";
	struct policy *one = read_text(before), *two = read_text(after);
	remarks[0] = '\0';
	ck_assert_uint_eq(policy_compare(one, one, note_remark, NULL), 0);
	ck_assert_uint_eq(policy_compare(one, two, note_remark, NULL), 1);
	ck_assert_str_eq(remarks, "publish local_authority R8001: role_lacks_activity -> allowed\n");
	policy_free(one);
	policy_free(two);
}
END_TEST

static struct policy *policy_with_activity(const char *activity)
{
	char text[1024];
	snprintf(text, sizeof text,
		 "name: x\n"
		 "activities:\n  - {code: B0107, name: View}\n%s"
		 "roles:\n  - {code: R8001, name: Nurse, activities: [B0107]}\n"
		 "care_settings:\n  - {name: school_nursing, scheduled: true}\n"
		 "operations:\n"
		 "  - {name: details, activities: [B0107], organisation_types: [care_provider], care_setting: required}\n",
		 activity);
	return read_text(text);
}

// What no role has and the register may grant: that it was silent, or is, whether the activity goes or only the word.
START_TEST(a_comparison_knows_what_the_register_may_grant_in_either_policy)
{
	static const char silent[] = "  - {code: B0170, name: Silently, silent: true}\n";
	static const char *const others[] = {"  - {code: B0170, name: Silently}\n", ""};
	for (size_t i = 0; i < 2; i++) {
		struct policy *one = policy_with_activity(silent), *two = policy_with_activity(others[i]);
		remarks[0] = '\0';
		ck_assert_uint_eq(policy_compare(one, two, note_remark, NULL), 2);
		ck_assert_str_eq(remarks, "details care_provider R8001+B0170 school_nursing scheduled: silent -> notifies\n"
					  "details care_provider R8001+B0170 school_nursing scheduled reason: silent -> notifies\n");
		remarks[0] = '\0';
		ck_assert_uint_eq(policy_compare(two, one, note_remark, NULL), 2);
		ck_assert_ptr_nonnull(strstr(remarks, "scheduled: notifies -> silent\n"));
		policy_free(one);
		policy_free(two);
	}
}
END_TEST

START_TEST(a_comparison_tells_other_hours_and_bounds)
{
	static const char common[] = "name: x\n"
				     "activities:\n  - {code: L0101, name: Publish}\n"
				     "care_settings:\n  - {name: ambulance, scheduled: false}\n"
				     "roles:\n  - {code: R8001, name: Nurse, activities: [L0101]%s}\n"
				     "operations:\n"
				     "  - {name: publish, activities: [L0101], organisation_types: [local_authority]%s}\n";
	char before[1024], after[1024];
	snprintf(before, sizeof before, common, "", ", person_per_minute: 60");
	snprintf(after, sizeof after, common, ", hours: 20:00-08:00, days: weekdays", ", session_minutes: 30");
	struct policy *one = read_text(before), *two = read_text(after);
	remarks[0] = '\0';
	ck_assert_uint_eq(policy_compare(one, two, note_remark, NULL), 3);
	ck_assert_str_eq(remarks, "role R8001 hours: any -> 20:00-08:00 weekdays\n"
				  "operation publish session_minutes: any -> 30\n"
				  "operation publish person_per_minute: 60 -> any\n");
	policy_free(one);
	policy_free(two);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy_review");
	TCase *tests = tcase_create("policy_review");
	tcase_add_test(tests, a_review_names_roles_activities_and_operations_that_lead_nowhere);
	tcase_add_test(tests, a_review_names_silence_and_glass_that_no_look_reaches);
	tcase_add_test(tests, a_comparison_lists_every_decision_that_changes_and_no_other);
	tcase_add_test(tests, a_comparison_knows_what_the_register_may_grant_in_either_policy);
	tcase_add_test(tests, a_comparison_tells_other_hours_and_bounds);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
