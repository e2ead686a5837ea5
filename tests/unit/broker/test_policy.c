// The shipped policy as a table, the decision's rules, and what no policy file may say.
#include "broker/policy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/digest.h"
#include "proto/yaml_file.h"
#include "proto/wire.h"

#define SHIPPED "broker/policy.yaml"
#define OP(name) CPIS__V1__OPERATION__##name
#define LAST_OPERATION OP(EXTRACT_READ)
#define SETTING(name) CPIS__V1__CARE_SETTING__##name
#define BIT(name) (UINT64_C(1) << SETTING(name))
#define UNSCHEDULED CPIS__V1__ACCESS_TYPE__UNSCHEDULED
#define SCHEDULED CPIS__V1__ACCESS_TYPE__SCHEDULED
#define EITHER CPIS__V1__ACCESS_TYPE__ACCESS_TYPE_UNSPECIFIED

static char directory[] = "/tmp/cpis-policy-XXXXXX";
static char path[64];
static struct policy *shipped;

static void set_up(void)
{
	char detail[POLICY_DETAIL_BYTES] = "";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/policy.yaml", directory);
	ck_assert_msg(policy_load(SHIPPED, &shipped, detail), "%s", detail);
}

static void tear_down(void)
{
	policy_free(shipped);
	unlink(path);
	rmdir(path);
	ck_assert_int_eq(rmdir(directory), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
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

// ------------------------------------------------------------------ what no policy file may say

// Lines 1, 2, 5, 8 and 11 hold the keys.
#define NAME "name: test-1\n"
#define ACTIVITIES \
	"activities:\n  - {code: B0107, name: View}\n  - {code: B0170, name: Silent, silent: true}\n"
#define ROLE_LINES                                                                                    \
	"roles:\n  - {code: R8001, name: Nurse, activities: [B0107]}\n  - {code: R8009, name: Desk, " \
	"activities: []}\n"
#define SETTINGS                                                               \
	"care_settings:\n  - {name: emergency_department, scheduled: false}\n" \
	"  - {name: school_nursing, scheduled: true}\n"
#define FLAG_LINE                                                                                   \
	"  - {name: flag, activities: [B0107], organisation_types: [care_provider], care_setting: " \
	"required}\n"
#define OPERATIONS "operations:\n" FLAG_LINE
#define GOOD NAME ACTIVITIES ROLE_LINES SETTINGS OPERATIONS

static void write_text(const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

// `expected` is what follows the path.
static void refused(const char *expected)
{
	struct policy *policy = NULL;
	char detail[POLICY_DETAIL_BYTES] = "", whole[POLICY_DETAIL_BYTES];
	ck_assert(!policy_load(path, &policy, detail));
	ck_assert_ptr_null(policy);
	snprintf(whole, sizeof whole, "%s%s", path, expected);
	ck_assert_str_eq(detail, whole);
}

static void refuses(const char *text, const char *expected)
{
	write_text(text);
	refused(expected);
}

START_TEST(a_small_policy_loads_and_denies_what_it_does_not_name)
{
	struct policy *policy = NULL;
	char detail[POLICY_DETAIL_BYTES] = "";
	write_text(GOOD);
	ck_assert_msg(policy_load(path, &policy, detail), "%s", detail);
	struct policy_question question = {.operation = OP(FLAG),
					   .organisation_type = CARE,
					   .role_code = "R8001",
					   .organisation_care_settings = ED};
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_NONE);
	question.organisation_care_settings = BIT(MATERNITY);
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_CARE_SETTING);
	question.operation = OP(DETAILS);
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_OPERATION);
	question.operation = OP(PING);
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_OPERATION);
	policy_free(policy);
	policy_free(NULL);
}
END_TEST

START_TEST(refuses_what_is_not_a_policy_file)
{
	refused(": cannot be opened: No such file or directory");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refused(": not a regular file");
	ck_assert_int_eq(rmdir(path), 0);
	refuses("", ": empty");
	refuses("name: [\n", ":1: name: Expecting STRING, got event: SEQUENCE_START");
	refuses("nonsense\n", ": Expecting MAPPING, got event: SCALAR");
	refuses("\tname: x\n", ": not YAML: found character that cannot start any token");
	write_text(GOOD);
	ck_assert_int_eq(truncate(path, (off_t)YAML_FILE_BYTES_MAX + 1), 0);
	refused(": larger than 4 MiB");
}
END_TEST

START_TEST(refuses_unknown_keys_with_their_line)
{
	refuses(GOOD "extra: 1\n", ":13: unknown key 'extra'");
	refuses(NAME ACTIVITIES "roles:\n  - code: R8001\n    name: Nurse\n    colour: blue\n    activities: "
				"[B0107]\n" SETTINGS OPERATIONS,
		":8: unknown key 'colour'");
	refuses(GOOD "  - {name: details, activity: [B0107]}\n", ":13: unknown key 'activity'");
}
END_TEST

START_TEST(refuses_a_missing_part)
{
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS, ":9: key 'operations' is missing");
	refuses(NAME ACTIVITIES "roles:\n  - {code: R8001, name: Nurse}\n" SETTINGS OPERATIONS,
		":6: key 'activities' is missing");
	refuses(NAME ACTIVITIES ROLE_LINES "care_settings:\n  - {name: maternity}\n" OPERATIONS,
		":9: key 'scheduled' is missing");
}
END_TEST

START_TEST(refuses_aliases)
{
	refuses(NAME ACTIVITIES
		"roles:\n  - {code: R8001, name: &n Nurse, activities: []}\n  - {code: R8002, name: *n, "
		"activities: []}\n" SETTINGS OPERATIONS,
		":7: YAML aliases are not allowed");
}
END_TEST

START_TEST(refuses_a_name_that_is_no_word)
{
	refuses("name: 'test 1'\n" ACTIVITIES ROLE_LINES SETTINGS OPERATIONS,
		":1: name must be of letters, digits, '.', '_' and '-'");
	refuses(ACTIVITIES ROLE_LINES SETTINGS OPERATIONS "name: a@b\n",
		":12: name must be of letters, digits, '.', '_' and '-'");
	refuses("name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" ACTIVITIES
			ROLE_LINES SETTINGS OPERATIONS,
		":1: name: STRING length > 64: "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}
END_TEST

START_TEST(refuses_bad_activities)
{
	refuses(NAME ACTIVITIES "  - {code: B0107, name: Again}\n" ROLE_LINES SETTINGS OPERATIONS,
		":5: activity B0107 stands twice");
	refuses(NAME ACTIVITIES "  - {code: b0107, name: Small}\n" ROLE_LINES SETTINGS OPERATIONS,
		":5: 'b0107' is not an activity code: a capital letter and 3 to 11 digits");
	refuses(NAME ACTIVITIES "  - {code: B0108, name: \"a\\tb\"}\n" ROLE_LINES SETTINGS OPERATIONS,
		":5: activity B0108: the name has control characters");
	refuses(NAME "activities: []\n" ROLE_LINES SETTINGS OPERATIONS,
		":2: activities: Insufficient entries (0 of 1 min) in sequence.");
}
END_TEST

START_TEST(refuses_a_silent_that_is_neither_true_nor_false)
{
	static const char *const bad[] = {"maybe", "yes", "1", "True"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[2048], expected[100];
		snprintf(text, sizeof text,
			 NAME "activities:\n  - {code: B0107, name: V, silent: %s}\n" ROLE_LINES SETTINGS
				 OPERATIONS,
			 bad[i]);
		snprintf(expected, sizeof expected, ":3: silent: '%s' is not one of the words for it",
			 bad[i]);
		refuses(text, expected);
	}
}
END_TEST

START_TEST(refuses_more_activities_than_a_set_holds)
{
	char text[32768] = NAME "activities:\n";
	for (int i = 0; i < 513; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "  - {code: L%04d, name: n}\n", i);
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s", ROLE_LINES SETTINGS OPERATIONS);
	refuses(text, ":515: activities: Excessive entries (512 max) in sequence.");
}
END_TEST

START_TEST(refuses_bad_roles)
{
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8001, name: Again, activities: []}\n" SETTINGS OPERATIONS,
		":8: role R8001 stands twice");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: nurse, name: Again, activities: []}\n" SETTINGS OPERATIONS,
		":8: 'nurse' is not a role code: a capital letter and 3 to 11 digits");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8002, name: \"\\u202e\", activities: []}\n" SETTINGS OPERATIONS,
		":8: role R8002: the name has control characters");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8002, name: M, activities: [B0107, B9999]}\n" SETTINGS OPERATIONS,
		":8: R8002: unknown activity 'B9999'");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8002, name: M, activities: [B0107, B0107]}\n" SETTINGS OPERATIONS,
		":8: R8002: activity B0107 stands twice");
}
END_TEST

START_TEST(refuses_bad_care_settings)
{
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS "  - {name: cafeteria, scheduled: true}\n" OPERATIONS,
		":11: unknown care setting 'cafeteria'");
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS
		"  - {name: care_setting_unspecified, scheduled: true}\n" OPERATIONS,
		":11: unknown care setting 'care_setting_unspecified'");
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS
		"  - {name: school_nursing, scheduled: false}\n" OPERATIONS,
		":11: care setting school_nursing stands twice");
}
END_TEST

START_TEST(refuses_bad_operations)
{
	refuses(GOOD FLAG_LINE, ":13: operation flag stands twice");
	refuses(GOOD "  - {name: delete, activities: [B0107], organisation_types: [care_provider]}\n",
		":13: unknown operation 'delete'");
	refuses(GOOD "  - {name: details, activities: [B9999], organisation_types: [care_provider], "
		     "care_setting: required}\n",
		":13: details: unknown activity 'B9999'");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [shop]}\n",
		":13: organisation_types: 'shop' is not one of the words for it");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [1]}\n",
		":13: organisation_types: '1' is not one of the words for it");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [care_provider, "
		     "care_provider]}\n",
		":13: operation publish: organisation type care_provider stands twice");
}
END_TEST

// GOOD's roles are on lines 5 to 7, its operations on 11 and 12.
#define WITH_ROLE(line) NAME ACTIVITIES ROLE_LINES "  - " line "\n" SETTINGS OPERATIONS

START_TEST(refuses_hours_that_are_none)
{
	static const char *const hours[] = {"8:00-18:00", "08:00-24:00", "08:60-18:00", "08:00 18:00", "08:00-08:00", "noon",
					    "08:00-18:0x", "-"};
	char text[2048];
	for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
		snprintf(text, sizeof text, WITH_ROLE("{code: R8002, name: M, activities: [], hours: %s}"), hours[i]);
		refuses(text, ":8: role R8002: hours are like 08:00-18:00, and not empty");
	}
	refuses(WITH_ROLE("{code: R8002, name: M, activities: [], days: weekdays}"), ":8: role R8002: days without hours");
	refuses(WITH_ROLE("{code: R8002, name: M, activities: [], reason: maybe}"), ":8: reason: 'maybe' is not one of the words for it");
}
END_TEST

START_TEST(refuses_bounds_that_are_none)
{
	static const char *const bounds[] = {"0", "1000001", "many", "-1", "1.5", "1e3"};
	char text[2048];
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
		snprintf(text, sizeof text, GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], "
						 "person_per_minute: %s}\n", bounds[i]);
		refuses(text, ":13: operation publish: person_per_minute is a number from 1 to 1000000");
		snprintf(text, sizeof text, GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], "
						 "system_per_minute: %s}\n", bounds[i]);
		refuses(text, ":13: operation publish: system_per_minute is a number from 1 to 1000000");
	}
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], session_minutes: 721}\n",
		":13: operation publish: session_minutes is a number from 1 to 720");
	refuses(GOOD "  - {name: session_open, session_minutes: 60}\n",
		":13: operation session_open takes no conditions: it comes before the role is known");
	refuses(GOOD "  - {name: enrol, system_per_minute: 60}\n",
		":13: operation enrol takes no conditions: it comes before the role is known");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], break_glass: allowed}\n",
		":13: operation publish cannot be done by breaking the glass");
}
END_TEST

START_TEST(refuses_an_operation_that_anybody_may_do)
{
	refuses(GOOD "  - {name: details, organisation_types: [care_provider], care_setting: required}\n",
		":13: operation details needs at least one activity");
	refuses(GOOD "  - {name: details, activities: [], organisation_types: [care_provider], care_setting: "
		     "required}\n",
		":13: operation details needs at least one activity");
	refuses(GOOD "  - {name: audit_show}\n", ":13: operation audit_show needs at least one activity");
	refuses(GOOD "  - {name: publish, activities: [B0107]}\n",
		":13: operation publish needs at least one organisation type");
}
END_TEST

START_TEST(refuses_conditions_that_could_not_be_enforced)
{
	refuses(GOOD "  - {name: details, activities: [B0107], organisation_types: [care_provider]}\n",
		":13: operation details must have care_setting: required");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [care_provider], "
		     "care_setting: required}\n",
		":13: operation publish has no care setting to require");
	refuses(GOOD "  - {name: flag2, care_setting: optional}\n",
		":13: care_setting: 'optional' is not one of the words for it");
	refuses(GOOD "  - {name: ping, activities: [B0107]}\n",
		":13: operation ping takes no conditions: it comes before the role is known");
	refuses(GOOD "  - {name: session_open, organisation_types: [care_provider]}\n",
		":13: operation session_open takes no conditions: it comes before the role is known");
}
END_TEST

static void add_load_tests(TCase *load)
{
	tcase_add_test(load, a_small_policy_loads_and_denies_what_it_does_not_name);
	tcase_add_test(load, refuses_what_is_not_a_policy_file);
	tcase_add_test(load, refuses_unknown_keys_with_their_line);
	tcase_add_test(load, refuses_a_missing_part);
	tcase_add_test(load, refuses_aliases);
	tcase_add_test(load, refuses_a_name_that_is_no_word);
	tcase_add_test(load, refuses_bad_activities);
	tcase_add_test(load, refuses_a_silent_that_is_neither_true_nor_false);
	tcase_add_test(load, refuses_more_activities_than_a_set_holds);
	tcase_add_test(load, refuses_bad_roles);
	tcase_add_test(load, refuses_bad_care_settings);
	tcase_add_test(load, refuses_bad_operations);
	tcase_add_test(load, refuses_hours_that_are_none);
	tcase_add_test(load, refuses_bounds_that_are_none);
	tcase_add_test(load, refuses_an_operation_that_anybody_may_do);
	tcase_add_test(load, refuses_conditions_that_could_not_be_enforced);
}

// ------------------------------------------------------------------ examples, review, comparison

#define EXAMPLE(decision)                                                                             \
	"examples:\n"                                                                                 \
	"  - {operation: publish, organisation_type: local_authority, role: R8001, decision: " decision "}\n"

static char remarks[4096];

static void note_remark(void *context, const char *sentence)
{
	(void)context;
	size_t used = strlen(remarks);
	snprintf(remarks + used, sizeof remarks - used, "%s\n", sentence);
}

static struct policy *load_text(const char *text)
{
	struct policy *policy = NULL;
	char file_path[] = "/tmp/cpis-policy-review-XXXXXX", detail[POLICY_DETAIL_BYTES] = "";
	int file = mkstemp(file_path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	bool good = policy_load(file_path, &policy, detail);
	unlink(file_path);
	ck_assert_msg(good, "%s", detail);
	return policy;
}

START_TEST(an_example_that_is_decided_otherwise_makes_the_file_be_refused)
{
	refuses(GOOD EXAMPLE("allowed"), ":14: the example says allowed and the policy decides operation_not_in_policy");
	refuses(GOOD "examples:\n  - {operation: dance, organisation_type: local_authority, role: R8001, decision: allowed}\n",
		":14: unknown operation 'dance'");
	refuses(GOOD "examples:\n  - {operation: flag, organisation_type: care_provider, role: R8001, care_setting: "
		     "kitchen, decision: allowed}\n",
		":14: unknown care setting 'kitchen'");
}
END_TEST

START_TEST(a_review_names_roles_activities_and_operations_that_lead_nowhere)
{
	struct policy *policy = load_text("name: odd\n"
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
	struct policy *policy = load_text(text);
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
	struct policy *one = load_text(before), *two = load_text(after);
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
	return load_text(text);
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
	struct policy *one = load_text(before), *two = load_text(after);
	remarks[0] = '\0';
	ck_assert_uint_eq(policy_compare(one, two, note_remark, NULL), 3);
	ck_assert_str_eq(remarks, "role R8001 hours: any -> 20:00-08:00 weekdays\n"
				  "operation publish session_minutes: any -> 30\n"
				  "operation publish person_per_minute: 60 -> any\n");
	policy_free(one);
	policy_free(two);
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

START_TEST(whoever_breaks_the_glass_need_not_be_at_work)
{
	struct policy *policy = load_text("name: hours\n"
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

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *decide = tcase_create("decide"), *load = tcase_create("load");
	tcase_add_checked_fixture(decide, set_up, tear_down);
	tcase_add_loop_test(decide, the_shipped_policy_decides_as_the_table_says, 0,
			    sizeof table / sizeof table[0]);
	tcase_add_loop_test(decide, the_rules_hold_for_every_question, 0, ROLES);
	tcase_add_test(decide, the_shipped_policy_knows_every_operation_and_care_setting);
	tcase_add_test(decide, roles_and_activities_are_found_by_code);
	tcase_add_test(decide, the_version_is_the_name_and_the_files_digest);
	tcase_add_test(decide, an_example_that_is_decided_otherwise_makes_the_file_be_refused);
	tcase_add_test(decide, a_review_names_roles_activities_and_operations_that_lead_nowhere);
	tcase_add_test(decide, a_review_names_silence_and_glass_that_no_look_reaches);
	tcase_add_test(decide, a_comparison_lists_every_decision_that_changes_and_no_other);
	tcase_add_test(decide, a_comparison_knows_what_the_register_may_grant_in_either_policy);
	tcase_add_test(decide, a_comparison_tells_other_hours_and_bounds);
	tcase_add_test(decide, each_decision_names_its_rule);
	tcase_add_test(decide, whoever_breaks_the_glass_need_not_be_at_work);
	tcase_add_test(decide, a_policy_is_read_from_memory_like_a_file);
	suite_add_tcase(suite, decide);
	tcase_add_checked_fixture(load, set_up, tear_down);
	add_load_tests(load);
	suite_add_tcase(suite, load);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
