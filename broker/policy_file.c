// Reading a policy: one YAML file, compiled into bit masks.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/digest.h"
#include "broker/file_schemas_priv.h"
#include "broker/policy_detection.h"
#include "broker/policy_retention.h"
#include "broker/policy_priv.h"
#include "proto/invariant.h"
#include "proto/text.h"
#include "proto/wire.h"
#include "proto/yaml_file.h"

// Wednesday 2026-01-07, noon: when examples happen, for roles with hours.
#define EXAMPLE_MS 1767787200000u

// ------------------------------------------------------------------ the file as it is written

struct file_activity {
	char *code, *name;
	int silent, break_glass;
};

struct file_role {
	char *code, *name, *hours;
	char **activities;
	unsigned activities_count;
	int reason, days;
};

struct file_setting {
	char *name;
	int scheduled;
};

struct file_operation {
	char *name;
	char **activities;
	unsigned activities_count;
	enum organisation_type *organisation_types;
	unsigned organisation_types_count;
	int care_setting, signed_act, break_glass;
	char *session_minutes, *person_per_minute, *system_per_minute;
};

struct file_example {
	enum organisation_type organisation_type;
	char *operation, *role, *care_setting, *decision;
	char **activities;
	unsigned activities_count;
	int scheduled, reason, break_glass;
};

struct file_policy {
	char *name;
	struct file_activity *activities;
	unsigned activities_count;
	struct file_role *roles;
	unsigned roles_count;
	struct file_setting *care_settings;
	unsigned care_settings_count;
	struct file_operation *operations;
	unsigned operations_count;
	struct policy_file_detection *detection;
	unsigned detection_count;
	struct policy_file_sampling *sampling;
	struct policy_file_retention *retention;
	struct file_example *examples;
	unsigned examples_count;
};

static const cyaml_strval_t type_words[ORGANISATION_TYPES] = {
#define X(name, word) {word, name},
	ORGANISATION_TYPE_TABLE(X)
#undef X
};
static const cyaml_strval_t required_words[] = {{"required", 1}};
static const cyaml_strval_t allowed_words[] = {{"allowed", 1}};
static const cyaml_strval_t stated_words[] = {{"stated", 1}};
static const cyaml_strval_t day_words[] = {{"weekdays", 1}};

#define TEXT(key, structure, member, bytes_max) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct structure, member, 1, bytes_max)
#define TEXT_IF(key, structure, member, bytes_max)                                                   \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct structure, member, 1, bytes_max)
// A word that may stand or not.
#define WORD_IF(key, structure, member, words)                                                       \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct structure, member, words, 1)
#define NUMBER_BYTES_MAX 8

static const cyaml_schema_value_t code_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, ROLE_CODE_BYTES_MAX)};
static const cyaml_schema_value_t type_value = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum organisation_type, type_words, ORGANISATION_TYPES),
};

static const cyaml_schema_field_t activity_fields[] = {
	TEXT("code", file_activity, code, ROLE_CODE_BYTES_MAX),
	TEXT("name", file_activity, name, POLICY_NAME_BYTES_MAX),
	YAML_FILE_BOOL("silent", CYAML_FLAG_OPTIONAL, struct file_activity, silent),
	YAML_FILE_BOOL("break_glass", CYAML_FLAG_OPTIONAL, struct file_activity, break_glass),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t role_fields[] = {
	TEXT("code", file_role, code, ROLE_CODE_BYTES_MAX),
	TEXT("name", file_role, name, POLICY_NAME_BYTES_MAX),
	CYAML_FIELD_SEQUENCE("activities", CYAML_FLAG_POINTER, struct file_role, activities, &code_value, 0,
			     ACTIVITIES_PER_ROLE_MAX),
	WORD_IF("reason", file_role, reason, required_words),
	TEXT_IF("hours", file_role, hours, 11),
	WORD_IF("days", file_role, days, day_words),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t setting_fields[] = {
	TEXT("name", file_setting, name, POLICY_NAME_BYTES_MAX),
	YAML_FILE_BOOL("scheduled", 0, struct file_setting, scheduled),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t operation_fields[] = {
	TEXT("name", file_operation, name, POLICY_NAME_BYTES_MAX),
	CYAML_FIELD_SEQUENCE("activities", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_operation,
			     activities, &code_value, 0, POLICY_ACTIVITIES_MAX),
	CYAML_FIELD_SEQUENCE("organisation_types", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct file_operation, organisation_types, &type_value, 0, ORGANISATION_TYPES),
	WORD_IF("care_setting", file_operation, care_setting, required_words),
	WORD_IF("signature", file_operation, signed_act, required_words),
	WORD_IF("break_glass", file_operation, break_glass, allowed_words),
	TEXT_IF("session_minutes", file_operation, session_minutes, NUMBER_BYTES_MAX),
	TEXT_IF("person_per_minute", file_operation, person_per_minute, NUMBER_BYTES_MAX),
	TEXT_IF("system_per_minute", file_operation, system_per_minute, NUMBER_BYTES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t example_fields[] = {
	TEXT("operation", file_example, operation, POLICY_NAME_BYTES_MAX),
	CYAML_FIELD_ENUM("organisation_type", CYAML_FLAG_STRICT, struct file_example, organisation_type, type_words,
			 ORGANISATION_TYPES),
	TEXT("role", file_example, role, ROLE_CODE_BYTES_MAX),
	CYAML_FIELD_SEQUENCE("activities", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_example, activities,
			     &code_value, 0, POLICY_ACTIVITIES_MAX),
	CYAML_FIELD_STRING_PTR("care_setting", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_example, care_setting,
			       1, POLICY_NAME_BYTES_MAX),
	YAML_FILE_BOOL("scheduled", CYAML_FLAG_OPTIONAL, struct file_example, scheduled),
	WORD_IF("reason", file_example, reason, stated_words),
	YAML_FILE_BOOL("break_glass", CYAML_FLAG_OPTIONAL, struct file_example, break_glass),
	TEXT("decision", file_example, decision, POLICY_NAME_BYTES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t activity_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_activity, activity_fields),
};
static const cyaml_schema_value_t role_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_role, role_fields)};
static const cyaml_schema_value_t setting_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_setting, setting_fields),
};
static const cyaml_schema_value_t operation_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_operation, operation_fields),
};

static const cyaml_schema_value_t example_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_example, example_fields),
};

static const cyaml_schema_field_t policy_fields[] = {
	TEXT("name", file_policy, name, POLICY_NAME_BYTES_MAX),
	CYAML_FIELD_SEQUENCE("activities", CYAML_FLAG_POINTER, struct file_policy, activities,
			     &activity_value, 1, POLICY_ACTIVITIES_MAX),
	CYAML_FIELD_SEQUENCE("roles", CYAML_FLAG_POINTER, struct file_policy, roles, &role_value, 1,
			     POLICY_ROLES_MAX),
	CYAML_FIELD_SEQUENCE("care_settings", CYAML_FLAG_POINTER, struct file_policy, care_settings,
			     &setting_value, 1, POLICY_CARE_SETTINGS_MAX),
	CYAML_FIELD_SEQUENCE("operations", CYAML_FLAG_POINTER, struct file_policy, operations,
			     &operation_value, 1, POLICY_OPERATIONS_MAX),
	CYAML_FIELD_SEQUENCE("detection", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_policy, detection,
			     &policy_detection_value, 0, DETECTION_RULES_MAX),
	CYAML_FIELD_MAPPING_PTR("sampling", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_policy, sampling,
				policy_sampling_fields),
	CYAML_FIELD_MAPPING_PTR("retention", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_policy, retention,
				policy_retention_fields),
	CYAML_FIELD_SEQUENCE("examples", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_policy, examples,
			     &example_value, 0, POLICY_EXAMPLES_MAX),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t policy_file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_policy, policy_fields),
};

// ------------------------------------------------------------------ compiling

static bool is_code(const char *text)
{
	return text_is_role_code(text, strlen(text));
}

static bool compile_activities(struct yaml_place *place, const struct file_policy *file,
			       struct policy *policy)
{
	place->key = "activities";
	for (place->index = 0; place->index < file->activities_count; place->index++) {
		const struct file_activity *activity = &file->activities[place->index];
		if (!is_code(activity->code))
			return yaml_file_refuse(
				place, "'%s' is not an activity code: a capital letter and 3 to 11 digits",
				activity->code);
		if (!text_is_clean(activity->name, strlen(activity->name)))
			return yaml_file_refuse(place, "activity %s: the name has control characters",
						activity->code);
		struct activity_set ignored = {0};
		if (policy_activity(policy, activity->code, &ignored))
			return yaml_file_refuse(place, "activity %s stands twice", activity->code);
		memcpy(policy->activities[policy->activities_count].code, activity->code,
		       strlen(activity->code) + 1);
		if (activity->silent)
			activity_set_add(&policy->silent, policy->activities_count);
		if (activity->break_glass)
			activity_set_add(&policy->break_glass, policy->activities_count);
		policy->activities_count++;
	}
	return true;
}

static bool compile_set(struct yaml_place *place, const struct policy *policy, const char *who,
			char *const *codes, unsigned count, struct activity_set *ret)
{
	struct activity_set set = {0};
	for (unsigned i = 0; i < count; i++) {
		struct activity_set one = {0};
		size_t ignored;
		if (!policy_activity(policy, codes[i], &one))
			return yaml_file_refuse(place, "%s: unknown activity '%s'", who, codes[i]);
		if (activity_sets_meet(&set, &one, &ignored))
			return yaml_file_refuse(place, "%s: activity %s stands twice", who, codes[i]);
		activity_set_add_all(&set, &one);
	}
	*ret = set;
	return true;
}

static bool compile_hours(struct yaml_place *place, const struct file_role *from, struct policy_hours *hours)
{
	if (from->hours == NULL)
		return !from->days || yaml_file_refuse(place, "role %s: days without hours", from->code);
	hours->set = true;
	hours->weekdays = from->days != 0;
	if (!policy_read_hours(from->hours, &hours->from_minute, &hours->until_minute))
		return yaml_file_refuse(place, "role %s: hours are like 08:00-18:00, and not empty", from->code);
	return true;
}

static int compare_roles(const void *a, const void *b)
{
	return strcmp(((const struct policy_role *)a)->code, ((const struct policy_role *)b)->code);
}

static bool compile_roles(struct yaml_place *place, const struct file_policy *file, struct policy *policy)
{
	place->key = "roles";
	for (place->index = 0; place->index < file->roles_count; place->index++) {
		const struct file_role *from = &file->roles[place->index];
		struct policy_role *role = &policy->roles[policy->roles_count];
		if (!is_code(from->code))
			return yaml_file_refuse(
				place, "'%s' is not a role code: a capital letter and 3 to 11 digits",
				from->code);
		if (!text_is_clean(from->name, strlen(from->name)))
			return yaml_file_refuse(place, "role %s: the name has control characters",
						from->code);
		for (size_t i = 0; i < policy->roles_count; i++) {
			if (strcmp(policy->roles[i].code, from->code) == 0)
				return yaml_file_refuse(place, "role %s stands twice", from->code);
		}
		if (!compile_set(place, policy, from->code, from->activities, from->activities_count,
				 &role->activities) ||
		    !compile_hours(place, from, &role->hours))
			return false;
		role->reason_required = from->reason != 0;
		memcpy(role->code, from->code, strlen(from->code) + 1);
		memcpy(role->name, from->name, strlen(from->name) + 1);
		policy->roles_count++;
	}
	qsort(policy->roles, policy->roles_count, sizeof policy->roles[0], compare_roles);
	return true;
}

static bool compile_care_settings(struct yaml_place *place, const struct file_policy *file,
				  struct policy *policy)
{
	place->key = "care_settings";
	for (place->index = 0; place->index < file->care_settings_count; place->index++) {
		const struct file_setting *from = &file->care_settings[place->index];
		Cpis__V1__CareSetting setting;
		if (!wire_care_setting_by_name(from->name, &setting))
			return yaml_file_refuse(place, "unknown care setting '%s'", from->name);
		uint64_t bit = policy_setting_bit(setting);
		INVARIANT(bit != 0);
		if ((policy->care_settings & bit) != 0)
			return yaml_file_refuse(place, "care setting %s stands twice", from->name);
		policy->care_settings |= bit;
		if (from->scheduled)
			policy->scheduled |= bit;
	}
	return true;
}

// A bound that may stand or not: 1 to `max`.
static bool compile_bound(struct yaml_place *place, const char *operation, const char *key, const char *text, unsigned max,
			  unsigned *ret)
{
	*ret = 0;
	if (text == NULL)
		return true;
	if (text_is_digits(text, strlen(text), strlen(text)))
		*ret = (unsigned)strtoul(text, NULL, 10);
	return (*ret > 0 && *ret <= max) ||
	       yaml_file_refuse(place, "operation %s: %s is a number from 1 to %u", operation, key, max);
}

static bool compile_bounds(struct yaml_place *place, const struct file_operation *from, struct policy_operation *to)
{
	unsigned minutes;
	if (!compile_bound(place, from->name, "session_minutes", from->session_minutes, POLICY_SESSION_MINUTES_MAX,
			   &minutes) ||
	    !compile_bound(place, from->name, "person_per_minute", from->person_per_minute, POLICY_RATE_MAX,
			   &to->person_per_minute) ||
	    !compile_bound(place, from->name, "system_per_minute", from->system_per_minute, POLICY_RATE_MAX,
			   &to->system_per_minute))
		return false;
	to->session_ms_max = (uint64_t)minutes * 60 * 1000;
	return true;
}

static bool compile_operation(struct yaml_place *place, const struct file_operation *from,
			      Cpis__V1__Operation operation, const struct policy *policy, struct policy_operation *rule)
{
	if (policy_is_roleless(operation)) {
		if (from->activities_count > 0 || from->organisation_types_count > 0 || from->care_setting ||
		    from->signed_act || from->break_glass || from->session_minutes != NULL ||
		    from->person_per_minute != NULL || from->system_per_minute != NULL)
			return yaml_file_refuse(
				place, "operation %s takes no conditions: it comes before the role is known",
				from->name);
		return true;
	}
	if (from->activities_count == 0)
		return yaml_file_refuse(place, "operation %s needs at least one activity", from->name);
	if (from->organisation_types_count == 0)
		return yaml_file_refuse(place, "operation %s needs at least one organisation type",
					from->name);
	if (policy_is_view(operation) != (from->care_setting != 0))
		return yaml_file_refuse(place,
					policy_is_view(operation) ? "operation %s must have care_setting: required"
							   : "operation %s has no care setting to require",
					from->name);
	if (from->break_glass && operation != CPIS__V1__OPERATION__DETAILS)
		return yaml_file_refuse(place, "operation %s cannot be done by breaking the glass", from->name);
	rule->signed_act = from->signed_act != 0;
	rule->break_glass = from->break_glass != 0;
	if (!compile_bounds(place, from, rule))
		return false;
	for (unsigned i = 0; i < from->organisation_types_count; i++) {
		unsigned bit = 1u << from->organisation_types[i];
		if ((rule->organisation_types & bit) != 0)
			return yaml_file_refuse(place, "operation %s: organisation type %s stands twice",
						from->name,
						organisation_type_word(from->organisation_types[i]));
		rule->organisation_types |= bit;
	}
	return compile_set(place, policy, from->name, from->activities, from->activities_count, &rule->activities);
}

static bool compile_operations(struct yaml_place *place, const struct file_policy *file,
			       struct policy *policy)
{
	place->key = "operations";
	for (place->index = 0; place->index < file->operations_count; place->index++) {
		const struct file_operation *from = &file->operations[place->index];
		Cpis__V1__Operation operation;
		if (!wire_operation_by_name(from->name, &operation))
			return yaml_file_refuse(place, "unknown operation '%s'", from->name);
		INVARIANT((unsigned)operation < POLICY_OPERATIONS_MAX);
		struct policy_operation *rule = &policy->operations[operation];
		if (rule->stands)
			return yaml_file_refuse(place, "operation %s stands twice", from->name);
		if (!compile_operation(place, from, operation, policy, rule))
			return false;
		rule->stands = true;
	}
	return true;
}

// What the author of the policy wanted to be sure of.
static bool check_examples(struct yaml_place *place, const struct file_policy *file, const struct policy *policy)
{
	place->key = "examples";
	for (place->index = 0; place->index < file->examples_count; place->index++) {
		const struct file_example *example = &file->examples[place->index];
		struct policy_question question = {.organisation_type = example->organisation_type,
						   .role_code = example->role,
						   .access_type = example->scheduled ? CPIS__V1__ACCESS_TYPE__SCHEDULED
										     : CPIS__V1__ACCESS_TYPE__UNSCHEDULED,
						   .reason_stated = example->reason != 0,
						   .break_glass = example->break_glass != 0,
						   .now_ms = EXAMPLE_MS};
		if (!wire_operation_by_name(example->operation, &question.operation))
			return yaml_file_refuse(place, "unknown operation '%s'", example->operation);
		if (example->care_setting != NULL &&
		    !wire_care_setting_by_name(example->care_setting, &question.care_setting))
			return yaml_file_refuse(place, "unknown care setting '%s'", example->care_setting);
		if (!compile_set(place, policy, "the example", example->activities, example->activities_count,
				  &question.additional))
			return false;
		question.organisation_care_settings =
			example->care_setting == NULL ? 0 : policy_setting_bit(question.care_setting);
		struct policy_decision decision = policy_decide(policy, &question);
		const char *word = policy_decision_word(question.operation, &decision);
		if (strcmp(word, example->decision) != 0)
			return yaml_file_refuse(place, "the example says %s and the policy decides %s", example->decision,
						word);
	}
	return true;
}

static bool compile_version(struct yaml_place *place, const struct file_policy *file, struct policy *policy)
{
	uint8_t digest[HASH_BYTES];
	place->key = "name";
	if (strspn(file->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
	    strlen(file->name))
		return yaml_file_refuse(place, "name must be of letters, digits, '.', '_' and '-'");
	digest_sha256(place->file->bytes, place->file->bytes_count, digest);
	int bytes = snprintf(policy->version, sizeof policy->version, "%s@", file->name);
	for (size_t i = 0; i < 8; i++)
		bytes += snprintf(policy->version + bytes, sizeof policy->version - (size_t)bytes, "%02x",
				  digest[i]);
	return true;
}

static bool read_file(const struct yaml_file *file, struct policy *policy, char detail[POLICY_DETAIL_BYTES])
{
	void *data = NULL;
	struct yaml_place place = {.file = file,
				   .schema = &policy_file_schema,
				   .detail = detail,
				   .detail_bytes = POLICY_DETAIL_BYTES};
	bool good = yaml_file_load(file, &policy_file_schema, &data, detail, POLICY_DETAIL_BYTES) &&
		    compile_version(&place, data, policy) && compile_activities(&place, data, policy) &&
		    compile_roles(&place, data, policy) && compile_care_settings(&place, data, policy) &&
		    compile_operations(&place, data, policy) && check_examples(&place, data, policy) &&
		    policy_detection_compile(&place, ((const struct file_policy *)data)->detection,
					     ((const struct file_policy *)data)->detection_count, &policy->detection) &&
		    policy_sampling_compile(&place, ((const struct file_policy *)data)->sampling, &policy->detection) &&
		    policy_retention_compile(&place, ((const struct file_policy *)data)->retention, &policy->retention);
	yaml_file_free(&policy_file_schema, data);
	return good;
}

// Takes the file's bytes.
static bool read_and_keep(struct yaml_file *file, struct policy **ret, char detail[POLICY_DETAIL_BYTES])
{
	struct policy *policy = calloc(1, sizeof *policy);
	bool good = policy != NULL;
	if (!good)
		snprintf(detail, POLICY_DETAIL_BYTES, "%s: out of memory", file->path);
	good = good && read_file(file, policy, detail);
	if (good) {
		policy->text = file->bytes;
		policy->text_bytes = file->bytes_count;
		file->bytes = NULL;
		*ret = policy;
	} else {
		policy_free(policy);
	}
	yaml_file_close(file);
	return good;
}

bool policy_load(const char *path, struct policy **ret, char detail[POLICY_DETAIL_BYTES])
{
	struct yaml_file file = {0};
	return yaml_file_open(path, &file, detail, POLICY_DETAIL_BYTES) && read_and_keep(&file, ret, detail);
}

bool policy_read(const uint8_t *bytes, size_t bytes_count, const char *name, struct policy **ret,
		 char detail[POLICY_DETAIL_BYTES])
{
	struct yaml_file file = {.path = name, .bytes = malloc(bytes_count + 1), .bytes_count = bytes_count};
	if (file.bytes == NULL) {
		snprintf(detail, POLICY_DETAIL_BYTES, "%s: out of memory", name);
		return false;
	}
	memcpy(file.bytes, bytes, bytes_count);
	return read_and_keep(&file, ret, detail);
}
