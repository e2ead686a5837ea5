// The shipped policy as a table, the rules that hold for every decision, and the rule and the steps that each names.
#include "broker/policy.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "broker/digest.h"
#include "proto/wire.h"
#include "proto/yaml_file.h"
#include "tests/harness/suite.h"

#define SHIPPED "broker/policy.yaml"
#define OP(name) CPIS__V1__OPERATION__##name
#define LAST_OPERATION OP(EXTRACT_READ)
#define SETTING(name) CPIS__V1__CARE_SETTING__##name
#define BIT(name) (UINT64_C(1) << SETTING(name))
#define UNSCHEDULED CPIS__V1__ACCESS_TYPE__UNSCHEDULED
#define SCHEDULED CPIS__V1__ACCESS_TYPE__SCHEDULED
#define EITHER CPIS__V1__ACCESS_TYPE__ACCESS_TYPE_UNSPECIFIED

static struct policy *shipped;

static void set_up(void)
{
	char detail[POLICY_DETAIL_BYTES] = "";
	ck_assert_msg(policy_load(SHIPPED, &shipped, detail), "%s", detail);
}

static void tear_down(void)
{
	policy_free(shipped);
}

// The set of this one activity; NULL: none.
static struct activity_set activities(const char *code)
{
	struct activity_set set = {0};
	ck_assert(code == NULL || policy_activity(shipped, code, &set));
	return set;
}

// ------------------------------------------------------------------ the shipped policy

static const char *const roles[] = {"R8000", "R8001", "R8002", "R8003", "R0260", "R0050", "R0110",
				    "R8016", "R8017", "R0680", "R0670", "R1070", "R1080", "R1090",
				    "R1100", "R8006", "R8008", "R8009", "R8010", "R0001", "R5105",
				    "R9535", "R9515", "R9520", "R9605", "R1330", "R9510"};
#define ROLES (sizeof roles / sizeof roles[0])

// Nurse, receptionist, privacy officer, child protection worker, duty social worker, social worker, unknown.
#define CARE ORGANISATION_CARE_PROVIDER
#define AUTHORITY ORGANISATION_LOCAL_AUTHORITY
#define NATIONAL ORGANISATION_NATIONAL_BODY
#define ED BIT(EMERGENCY_DEPARTMENT)
#define SCHOOL BIT(SCHOOL_NURSING)

static const struct expected {
	Cpis__V1__Operation operation;
	enum organisation_type type;
	const char *role;
	const char *additional; // an activity code or NULL
	uint64_t own; // the organisation's care settings
	Cpis__V1__CareSetting setting;
	Cpis__V1__AccessType access;
	enum reason reason;
	Cpis__V1__CareSetting counts; // as it counts
	Cpis__V1__AccessType look; // as it counts
	bool notify, contradiction;
} table[] = {
	// Viewing in an unscheduled setting notifies, however it is asked for.
	{OP(FLAG), CARE, "R8001", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), EITHER, REASON_NONE,
	 SETTING(EMERGENCY_DEPARTMENT), UNSCHEDULED, false, false},
	{OP(DETAILS), CARE, "R8001", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), EITHER, REASON_NONE,
	 SETTING(EMERGENCY_DEPARTMENT), UNSCHEDULED, true, false},
	{OP(DETAILS), CARE, "R8001", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), UNSCHEDULED, REASON_NONE,
	 SETTING(EMERGENCY_DEPARTMENT), UNSCHEDULED, true, false},
	{OP(DETAILS), CARE, "R8001", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), SCHEDULED, REASON_NONE,
	 SETTING(EMERGENCY_DEPARTMENT), UNSCHEDULED, true, true},
	{OP(DETAILS), CARE, "R8001", "B0170", ED, SETTING(EMERGENCY_DEPARTMENT), SCHEDULED, REASON_NONE,
	 SETTING(EMERGENCY_DEPARTMENT), UNSCHEDULED, true, true},
	// In a scheduled one too, but for whom B0170 is granted to and who says so.
	{OP(DETAILS), CARE, "R8001", NULL, SCHOOL, SETTING(SCHOOL_NURSING), SCHEDULED, REASON_NONE,
	 SETTING(SCHOOL_NURSING), UNSCHEDULED, true, true},
	{OP(DETAILS), CARE, "R8001", "B0170", SCHOOL, SETTING(SCHOOL_NURSING), EITHER, REASON_NONE,
	 SETTING(SCHOOL_NURSING), UNSCHEDULED, true, false},
	{OP(DETAILS), CARE, "R8001", "B0170", SCHOOL, SETTING(SCHOOL_NURSING), UNSCHEDULED, REASON_NONE,
	 SETTING(SCHOOL_NURSING), UNSCHEDULED, true, false},
	{OP(DETAILS), CARE, "R8001", "B0170", SCHOOL, SETTING(SCHOOL_NURSING), SCHEDULED, REASON_NONE,
	 SETTING(SCHOOL_NURSING), SCHEDULED, false, false},
	{OP(DETAILS), CARE, "R8009", "B0170", SCHOOL, SETTING(SCHOOL_NURSING), SCHEDULED, REASON_NONE,
	 SETTING(SCHOOL_NURSING), SCHEDULED, false, false},
	{OP(DETAILS), CARE, "R8001", "B0170", ED | SCHOOL, SETTING(EMERGENCY_DEPARTMENT), SCHEDULED,
	 REASON_NONE, SETTING(EMERGENCY_DEPARTMENT), UNSCHEDULED, true, true},
	// The only care setting need not be named, one of several must.
	{OP(DETAILS), CARE, "R1070", NULL, BIT(AMBULANCE), SETTING(CARE_SETTING_UNSPECIFIED), EITHER,
	 REASON_NONE, SETTING(AMBULANCE), UNSCHEDULED, true, false},
	{OP(DETAILS), CARE, "R8001", NULL, ED | SCHOOL, SETTING(CARE_SETTING_UNSPECIFIED), EITHER,
	 REASON_CARE_SETTING_UNNAMED, SETTING(CARE_SETTING_UNSPECIFIED), EITHER, false, false},
	{OP(DETAILS), CARE, "R8001", NULL, 0, SETTING(CARE_SETTING_UNSPECIFIED), EITHER, REASON_CARE_SETTING,
	 SETTING(CARE_SETTING_UNSPECIFIED), EITHER, false, false},
	{OP(DETAILS), CARE, "R8001", NULL, ED, SETTING(MATERNITY), EITHER, REASON_CARE_SETTING,
	 SETTING(MATERNITY), EITHER, false, false},
	{OP(FLAG), CARE, "R8001", NULL, ED, SETTING(MATERNITY), EITHER, REASON_CARE_SETTING,
	 SETTING(MATERNITY), EITHER, false, false},
	{OP(FLAG), CARE, "R8001", NULL, ED, (Cpis__V1__CareSetting)63, EITHER, REASON_CARE_SETTING,
	 (Cpis__V1__CareSetting)63, EITHER, false, false},
	{OP(FLAG), CARE, "R8001", NULL, UINT64_MAX, (Cpis__V1__CareSetting)30, EITHER, REASON_CARE_SETTING,
	 (Cpis__V1__CareSetting)30, EITHER, false, false},
	{OP(FLAG), CARE, "R8001", NULL, UINT64_MAX, (Cpis__V1__CareSetting)64, EITHER, REASON_CARE_SETTING,
	 (Cpis__V1__CareSetting)64, EITHER, false, false},
	// Who may not view.
	{OP(FLAG), CARE, "R8009", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), EITHER, REASON_ACTIVITY,
	 SETTING(EMERGENCY_DEPARTMENT), EITHER, false, false},
	{OP(DETAILS), CARE, "R0001", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), SCHEDULED, REASON_ACTIVITY,
	 SETTING(EMERGENCY_DEPARTMENT), SCHEDULED, false, false},
	{OP(DETAILS), CARE, "R9999", "B0107", ED, SETTING(EMERGENCY_DEPARTMENT), EITHER, REASON_ROLE_UNKNOWN,
	 SETTING(EMERGENCY_DEPARTMENT), EITHER, false, false},
	{OP(DETAILS), AUTHORITY, "R8001", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), EITHER,
	 REASON_ORGANISATION_TYPE, SETTING(EMERGENCY_DEPARTMENT), EITHER, false, false},
	{OP(FLAG), NATIONAL, "R8001", NULL, ED, SETTING(EMERGENCY_DEPARTMENT), EITHER,
	 REASON_ORGANISATION_TYPE, SETTING(EMERGENCY_DEPARTMENT), EITHER, false, false},
	// The order: organisation type before role, role before activity, activity before care setting.
	{OP(DETAILS), AUTHORITY, "R9999", NULL, 0, SETTING(MATERNITY), EITHER, REASON_ORGANISATION_TYPE,
	 SETTING(MATERNITY), EITHER, false, false},
	{OP(DETAILS), CARE, "R9999", NULL, 0, SETTING(MATERNITY), EITHER, REASON_ROLE_UNKNOWN,
	 SETTING(MATERNITY), EITHER, false, false},
	{OP(DETAILS), CARE, "R8009", NULL, 0, SETTING(MATERNITY), EITHER, REASON_ACTIVITY, SETTING(MATERNITY),
	 EITHER, false, false},
	// Publishing and inboxes.
	{OP(PUBLISH), AUTHORITY, "R9535", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(PUBLISH), AUTHORITY, "R9510", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(PUBLISH), AUTHORITY, "R9605", NULL, 0, 0, 0, REASON_ACTIVITY, 0, 0, false, false},
	{OP(PUBLISH), AUTHORITY, "R8001", NULL, 0, 0, 0, REASON_ACTIVITY, 0, 0, false, false},
	{OP(PUBLISH), CARE, "R9535", NULL, 0, 0, 0, REASON_ORGANISATION_TYPE, 0, 0, false, false},
	{OP(INBOX_LIST), AUTHORITY, "R9605", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(INBOX_LIST), AUTHORITY, "R1330", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(INBOX_LIST), AUTHORITY, "R9510", NULL, 0, 0, 0, REASON_ACTIVITY, 0, 0, false, false},
	{OP(INBOX_ACKNOWLEDGE), AUTHORITY, "R9605", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(INBOX_ACKNOWLEDGE), AUTHORITY, "R1330", NULL, 0, 0, 0, REASON_ACTIVITY, 0, 0, false, false},
	{OP(INBOX_LIST), NATIONAL, "R8015", NULL, 0, 0, 0, REASON_ACTIVITY, 0, 0, false, false},
	{OP(INBOX_LIST), NATIONAL, "R8015", "L0102", 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(ENQUIRY_SEND), NATIONAL, "R9605", NULL, 0, 0, 0, REASON_ORGANISATION_TYPE, 0, 0, false,
	 false},
	// Reviewing.
	{OP(AUDIT_SEARCH), CARE, "R0001", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(AUDIT_SEARCH), AUTHORITY, "R5105", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(AUDIT_SHOW), NATIONAL, "R0001", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(AUDIT_SHOW), CARE, "R8001", NULL, 0, 0, 0, REASON_ACTIVITY, 0, 0, false, false},
	{OP(AUDIT_SEARCH), AUTHORITY, "R9535", NULL, 0, 0, 0, REASON_ACTIVITY, 0, 0, false, false},
	// Before there is a role.
	{OP(PING), CARE, "R8009", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(PING), NATIONAL, "R9999", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	{OP(SESSION_OPEN), AUTHORITY, "R8009", NULL, 0, 0, 0, REASON_NONE, 0, 0, false, false},
	// What is no operation.
	{OP(OPERATION_UNSPECIFIED), CARE, "R8001", NULL, ED, 0, 0, REASON_OPERATION, 0, 0, false, false},
	{(Cpis__V1__Operation)63, CARE, "R8001", NULL, ED, 0, 0, REASON_OPERATION, 0, 0, false, false},
	{(Cpis__V1__Operation)64, CARE, "R8001", NULL, ED, 0, 0, REASON_OPERATION, 0, 0, false, false},
	{(Cpis__V1__Operation)-1, CARE, "R8001", NULL, ED, 0, 0, REASON_OPERATION, 0, 0, false, false},
};

START_TEST(the_shipped_policy_decides_as_the_table_says)
{
	const struct expected *row = &table[_i];
	const struct policy_question question = {
		.operation = row->operation,
		.organisation_type = row->type,
		.role_code = row->role,
		.additional = activities(row->additional),
		.organisation_care_settings = row->own,
		.care_setting = row->setting,
		.access_type = row->access,
	};
	struct policy_decision decision = policy_decide(shipped, &question);
	ck_assert_str_eq(reason_word(decision.reason), reason_word(row->reason));
	ck_assert_int_eq(decision.care_setting, row->counts);
	ck_assert_int_eq(decision.access_type, row->look);
	ck_assert_int_eq(decision.notify, row->notify);
	ck_assert_int_eq(decision.contradiction, row->contradiction);
}
END_TEST

static bool is_view(Cpis__V1__Operation operation)
{
	return operation == OP(FLAG) || operation == OP(DETAILS);
}

// What must hold for each answer, whatever the question.
static void check_rules(const struct policy_question *question, const struct policy_decision *decision)
{
	bool allowed = decision->reason == REASON_NONE;
	bool details = question->operation == OP(DETAILS);
	bool silent = allowed && is_view(question->operation) && decision->access_type == SCHEDULED;
	if (allowed && is_view(question->operation)) {
		ck_assert_int_eq(question->organisation_type, CARE);
		ck_assert_int_ne(decision->access_type, EITHER);
		ck_assert(question->organisation_care_settings >> decision->care_setting & 1);
	}
	if (silent) {
		ck_assert_int_eq(question->access_type, SCHEDULED);
		struct activity_set may = activities("B0170");
		size_t ignored;
		ck_assert(activity_sets_meet(&question->additional, &may, &ignored));
		ck_assert_int_ge(decision->care_setting, SETTING(GP_IN_HOURS));
	}
	ck_assert_int_eq(decision->notify, allowed && details && !silent);
	ck_assert_int_eq(decision->contradiction,
			 allowed && details && question->access_type == SCHEDULED && !silent);
	if (strcmp(question->role_code, "R8009") == 0 && activity_set_count(&question->additional) == 0)
		ck_assert_int_eq(allowed, question->operation <= OP(SESSION_OPEN) || question->operation == OP(SESSION_CLOSE) || question->operation == OP(ENROL) ||
					      question->operation == OP(AUDIT_CONSISTENCY) ||
					      question->operation == OP(CHECKPOINT_EXCHANGE));
	if (question->operation == OP(PUBLISH) || question->operation == OP(PUBLICATION_COMMIT) ||
	    question->operation == OP(ENQUIRY_SEND))
		ck_assert(!allowed || question->organisation_type == AUTHORITY);
}

static unsigned take(unsigned *rest, unsigned choices)
{
	unsigned choice = *rest % choices;
	*rest /= choices;
	return choice;
}

START_TEST(the_rules_hold_for_every_question)
{
	const ProtobufCEnumDescriptor *settings = &cpis__v1__care_setting__descriptor;
	const uint64_t owns[] = {0, SCHOOL, ED | SCHOOL | BIT(SOCIAL_CARE)};
	// One number for every question, its digits the choices.
	unsigned questions = LAST_OPERATION * ORGANISATION_TYPES * settings->n_values * 3 * 2 * 3;
	for (unsigned i = 0; i < questions; i++) {
		unsigned rest = i;
		struct policy_question question = {.role_code = roles[_i]};
		question.operation = (Cpis__V1__Operation)(OP(PING) + take(&rest, LAST_OPERATION));
		question.organisation_type = (enum organisation_type)take(&rest, ORGANISATION_TYPES);
		unsigned setting = take(&rest, settings->n_values);
		question.care_setting = (Cpis__V1__CareSetting)settings->values[setting].value;
		question.access_type = (Cpis__V1__AccessType)take(&rest, 3);
		question.additional = activities(take(&rest, 2) == 1 ? "B0170" : NULL);
		question.organisation_care_settings = owns[take(&rest, 3)];
		struct policy_decision decision = policy_decide(shipped, &question);
		check_rules(&question, &decision);
	}
}
END_TEST

START_TEST(the_shipped_policy_knows_every_operation_and_care_setting)
{
	const ProtobufCEnumDescriptor *settings = &cpis__v1__care_setting__descriptor;
	struct policy_question question = {.role_code = "R8001", .organisation_type = CARE};
	for (int operation = OP(PING); operation <= LAST_OPERATION; operation++) {
		question.operation = (Cpis__V1__Operation)operation;
		// Numbers may be left out.
		if (wire_operation_name(question.operation)[0] != '?')
			ck_assert_int_ne(policy_decide(shipped, &question).reason, REASON_OPERATION);
	}
	question.operation = OP(FLAG);
	for (unsigned i = 1; i < settings->n_values; i++) {
		question.care_setting = (Cpis__V1__CareSetting)settings->values[i].value;
		question.organisation_care_settings = UINT64_C(1) << settings->values[i].value;
		ck_assert_int_eq(policy_decide(shipped, &question).reason, REASON_NONE);
	}
}
END_TEST

START_TEST(roles_and_activities_are_found_by_code)
{
	const char *codes[ACTIVITIES_PER_ROLE_MAX];
	for (size_t i = 0; i < ROLES; i++)
		ck_assert_ptr_nonnull(policy_role_name(shipped, roles[i]));
	ck_assert_str_eq(policy_role_name(shipped, "R8001"), "Nurse Access");
	ck_assert_ptr_null(policy_role_name(shipped, "R9999"));
	ck_assert_ptr_null(policy_role_name(shipped, ""));
	struct activity_set set = policy_role_activities(shipped, "R9999"), all, none = {0};
	ck_assert_uint_eq(activity_set_count(&set), 0);
	set = policy_role_activities(shipped, "R8009");
	ck_assert_uint_eq(activity_set_count(&set), 0);
	ck_assert(!policy_activity(shipped, "B9999", &set));
	set = policy_role_activities(shipped, "R8001");
	ck_assert(policy_activity(shipped, "B0170", &set));
	ck_assert_uint_eq(policy_activity_codes(shipped, &set, codes), 5);
	ck_assert_str_eq(codes[0], "B0107");
	ck_assert_str_eq(codes[1], "B0170");
	ck_assert_str_eq(codes[2], "L0102");
	ck_assert_uint_eq(policy_activity_codes(shipped, &none, codes), 0);
	memset(&all, 0xff, sizeof all);
	ck_assert_uint_eq(policy_activity_codes(shipped, &all, codes), 15);
	ck_assert_str_eq(organisation_type_word(ORGANISATION_LOCAL_AUTHORITY), "local_authority");
}
END_TEST

START_TEST(the_version_is_the_name_and_the_files_digest)
{
	struct yaml_file file;
	char detail[POLICY_DETAIL_BYTES], expected[POLICY_VERSION_BYTES];
	uint8_t digest[HASH_BYTES];
	ck_assert(yaml_file_open(SHIPPED, &file, detail, sizeof detail));
	digest_sha256(file.bytes, file.bytes_count, digest);
	yaml_file_close(&file);
	snprintf(expected, sizeof expected, "cpis-default-1@%02x%02x%02x%02x%02x%02x%02x%02x", digest[0],
		 digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]);
	ck_assert_str_eq(policy_version(shipped), expected);
}
END_TEST

START_TEST(a_policy_is_read_from_memory_like_a_file)
{
	static const uint8_t nothing[] = "";
	struct policy *policy = NULL;
	char detail[POLICY_DETAIL_BYTES] = "";
	size_t bytes, again;
	const uint8_t *text = policy_text(shipped, &bytes);
	ck_assert_msg(policy_read(text, bytes, "policy", &policy, detail), "%s", detail);
	ck_assert_str_eq(policy_version(policy), policy_version(shipped));
	ck_assert_mem_eq(policy_text(policy, &again), text, bytes);
	ck_assert_uint_eq(again, bytes);
	ck_assert(policy_can_be_replaced(policy));
	policy_free(policy);
	// Cut in the middle of its first list.
	const uint8_t *cut = memchr(text, '[', bytes);
	ck_assert_ptr_nonnull(cut);
	ck_assert(!policy_read(text, (size_t)(cut - text) + 1, "policy", &policy, detail));
	ck_assert_msg(strncmp(detail, "policy:", 7) == 0, "%s", detail);
	ck_assert(!policy_read(nothing, 0, "policy", &policy, detail));
}
END_TEST

// ------------------------------------------------------------------ the rule's name, and the steps to it

static void expect_rule(struct policy_question question, const char *word, const char *rule)
{
	char text[POLICY_RULE_BYTES];
	struct policy_step steps[POLICY_STEPS_MAX];
	size_t count = 0;
	struct policy_decision decision = policy_decide(shipped, &question);
	struct policy_decision explained = policy_explain(shipped, &question, steps, &count);
	policy_rule_text(shipped, &question, &decision, text);
	ck_assert_str_eq(policy_decision_word(question.operation, &decision), word);
	ck_assert_str_eq(text, rule);
	// The steps lead to the same decision; all hold but the last of a refusal, which names the rule.
	ck_assert_mem_eq(&decision, &explained, sizeof decision);
	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(steps[i].holds, i + 1 < count || decision.reason == REASON_NONE);
		ck_assert(steps[i].text[0] != '\0' && steps[i].rule[0] != '\0');
	}
	if (decision.reason != REASON_NONE) {
		ck_assert_str_eq(steps[count - 1].rule, rule);
		ck_assert_str_eq(steps[count - 1].text, reason_sentence(decision.reason));
	}
}

START_TEST(each_decision_names_its_rule)
{
	struct policy_question nurse = {.operation = OP(DETAILS), .organisation_type = CARE, .role_code = "R8001",
					.organisation_care_settings = ED}, asked = nurse;
	expect_rule(nurse, "notifies", "roles R8001 activities B0107");
	asked.additional = activities("B0170");
	asked.role_code = "R8009";
	expect_rule(asked, "notifies", "role_profiles R8009 activities B0170");
	asked.organisation_type = NATIONAL;
	expect_rule(asked, "organisation_type", "operations details organisation_types");
	asked = nurse;
	asked.role_code = "R9999";
	expect_rule(asked, "role_not_in_policy", "roles");
	asked.role_code = "R8009";
	expect_rule(asked, "role_lacks_activity", "operations details activities");
	asked.role_code = "R8002";
	expect_rule(asked, "reason_needed", "roles R8002 reason");
	asked = nurse;
	asked.care_setting = SETTING(MATERNITY);
	expect_rule(asked, "care_setting_not_in_scope", "care_settings maternity");
	asked.break_glass = asked.reason_stated = true;
	expect_rule(asked, "break_glass_not_allowed", "operations details break_glass");
	asked.role_code = "R0050";
	expect_rule(asked, "notifies", "roles R0050 activities L0104");
	asked.reason_stated = false;
	expect_rule(asked, "reason_needed", "operations details break_glass");
	asked = (struct policy_question){.operation = OP(ROLE_GRANT), .organisation_type = CARE, .role_code = "R5090",
					 .session_age_ms = 3600001};
	expect_rule(asked, "session_too_old", "operations role_grant session_minutes");
	asked.operation = (Cpis__V1__Operation)63;
	expect_rule(asked, "operation_not_in_policy", "operations");
	asked.operation = OP(PING);
	expect_rule(asked, "allowed", "operations ping");
}
END_TEST

static struct policy *read_text(const char *text)
{
	struct policy *policy = NULL;
	char detail[POLICY_DETAIL_BYTES] = "";
	ck_assert_msg(policy_read((const uint8_t *)text, strlen(text), "test", &policy, detail), "%s", detail);
	return policy;
}

START_TEST(whoever_breaks_the_glass_need_not_be_at_work)
{
	struct policy *policy = read_text("name: hours\n"
					  "activities:\n  - {code: B0107, name: View}\n  - {code: L0104, name: Break, break_glass: true}\n"
					  "roles:\n  - {code: R8001, name: Nurse, activities: [B0107, L0104], hours: 22:00-06:00}\n"
					  "care_settings:\n  - {name: ambulance, scheduled: false}\n"
					  "operations:\n  - {name: details, activities: [B0107], organisation_types: [care_provider], "
					  "care_setting: required, break_glass: allowed}\n");
	struct policy_question question = {.operation = OP(DETAILS), .organisation_type = CARE, .role_code = "R8001",
					   .organisation_care_settings = BIT(AMBULANCE), .reason_stated = true};
	// In July England is an hour ahead of UTC: 20:59 is 21:59 there.
	const uint64_t evening = UINT64_C(1783285140000);
	question.now_ms = evening;
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_HOURS);
	question.now_ms = evening + 60000;
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_NONE);
	question.now_ms = evening + 8 * 60 * 60000;
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_NONE);
	question.now_ms += 60000;
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_HOURS);
	question.break_glass = true;
	struct policy_decision decision = policy_decide(policy, &question);
	ck_assert_int_eq(decision.reason, REASON_NONE);
	ck_assert(decision.break_glass && decision.signed_act && decision.notify);
	policy_free(policy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tests = tcase_create("policy");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, the_shipped_policy_decides_as_the_table_says, 0,
			    sizeof table / sizeof table[0]);
	tcase_add_loop_test(tests, the_rules_hold_for_every_question, 0, ROLES);
	tcase_add_test(tests, the_shipped_policy_knows_every_operation_and_care_setting);
	tcase_add_test(tests, roles_and_activities_are_found_by_code);
	tcase_add_test(tests, the_version_is_the_name_and_the_files_digest);
	tcase_add_test(tests, each_decision_names_its_rule);
	tcase_add_test(tests, whoever_breaks_the_glass_need_not_be_at_work);
	tcase_add_test(tests, a_policy_is_read_from_memory_like_a_file);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
