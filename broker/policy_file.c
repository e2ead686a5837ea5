// Reading a policy: one YAML file, compiled into bit masks.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/digest.h"
#include "broker/policy_priv.h"
#include "proto/invariant.h"
#include "proto/text.h"
#include "proto/wire.h"
#include "proto/yaml_file.h"

#define EXAMPLES_MAX 1024u

// ------------------------------------------------------------------ the file as it is written

struct file_activity {
	char *code, *name;
	int silent;
};

struct file_role {
	char *code, *name;
	char **activities;
	unsigned activities_count;
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
	int care_setting;
	int signed_act;
};

struct file_example {
	enum organisation_type organisation_type;
	char *operation, *role, *care_setting, *decision;
	char **activities;
	unsigned activities_count;
	int scheduled;
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
	struct file_example *examples;
	unsigned examples_count;
};

static const cyaml_strval_t type_words[ORGANISATION_TYPES] = {
#define X(name, word) {word, name},
	ORGANISATION_TYPE_TABLE(X)
#undef X
};
static const cyaml_strval_t required_words[] = {{"required", 1}};

#define TEXT(key, structure, member, bytes_max) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct structure, member, 1, bytes_max)

static const cyaml_schema_value_t code_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, ROLE_CODE_BYTES_MAX)};
static const cyaml_schema_value_t type_value = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum organisation_type, type_words, ORGANISATION_TYPES),
};

static const cyaml_schema_field_t activity_fields[] = {
	TEXT("code", file_activity, code, ROLE_CODE_BYTES_MAX),
	TEXT("name", file_activity, name, POLICY_NAME_BYTES_MAX),
	YAML_FILE_BOOL("silent", CYAML_FLAG_OPTIONAL, struct file_activity, silent),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t role_fields[] = {
	TEXT("code", file_role, code, ROLE_CODE_BYTES_MAX),
	TEXT("name", file_role, name, POLICY_NAME_BYTES_MAX),
	CYAML_FIELD_SEQUENCE("activities", CYAML_FLAG_POINTER, struct file_role, activities, &code_value, 0,
			     ACTIVITIES_PER_ROLE_MAX),
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
	CYAML_FIELD_ENUM("care_setting", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_operation,
			 care_setting, required_words, 1),
	CYAML_FIELD_ENUM("signature", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_operation, signed_act,
			 required_words, 1),
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
	CYAML_FIELD_SEQUENCE("examples", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_policy, examples,
			     &example_value, 0, EXAMPLES_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t policy_schema = {
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
		if (policy_activity(policy, activity->code) != 0)
			return yaml_file_refuse(place, "activity %s stands twice", activity->code);
		memcpy(policy->activities[policy->activities_count].code, activity->code,
		       strlen(activity->code) + 1);
		if (activity->silent)
			policy->silent |= UINT64_C(1) << policy->activities_count;
		policy->activities_count++;
	}
	return true;
}

static bool compile_mask(struct yaml_place *place, const struct policy *policy, const char *who,
			 char *const *codes, unsigned count, activity_mask *ret)
{
	activity_mask mask = 0;
	for (unsigned i = 0; i < count; i++) {
		activity_mask bit = policy_activity(policy, codes[i]);
		if (bit == 0)
			return yaml_file_refuse(place, "%s: unknown activity '%s'", who, codes[i]);
		if ((mask & bit) != 0)
			return yaml_file_refuse(place, "%s: activity %s stands twice", who, codes[i]);
		mask |= bit;
	}
	*ret = mask;
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
		if (!compile_mask(place, policy, from->code, from->activities, from->activities_count,
				  &role->activities))
			return false;
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
		activity_mask bit = policy_setting_bit(setting);
		INVARIANT(bit != 0);
		if ((policy->care_settings & bit) != 0)
			return yaml_file_refuse(place, "care setting %s stands twice", from->name);
		policy->care_settings |= bit;
		if (from->scheduled)
			policy->scheduled |= bit;
	}
	return true;
}

static bool compile_rule(struct yaml_place *place, const struct file_operation *from,
			 Cpis__V1__Operation operation, const struct policy *policy, struct policy_rule *rule)
{
	if (policy_is_roleless(operation)) {
		if (from->activities_count > 0 || from->organisation_types_count > 0 || from->care_setting ||
		    from->signed_act)
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
	rule->signed_act = from->signed_act != 0;
	for (unsigned i = 0; i < from->organisation_types_count; i++) {
		unsigned bit = 1u << from->organisation_types[i];
		if ((rule->organisation_types & bit) != 0)
			return yaml_file_refuse(place, "operation %s: organisation type %s stands twice",
						from->name,
						organisation_type_word(from->organisation_types[i]));
		rule->organisation_types |= bit;
	}
	return compile_mask(place, policy, from->name, from->activities, from->activities_count,
			    &rule->activities);
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
		struct policy_rule *rule = &policy->rules[operation];
		if (rule->stands)
			return yaml_file_refuse(place, "operation %s stands twice", from->name);
		if (!compile_rule(place, from, operation, policy, rule))
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
										     : CPIS__V1__ACCESS_TYPE__UNSCHEDULED};
		if (!wire_operation_by_name(example->operation, &question.operation))
			return yaml_file_refuse(place, "unknown operation '%s'", example->operation);
		if (example->care_setting != NULL &&
		    !wire_care_setting_by_name(example->care_setting, &question.care_setting))
			return yaml_file_refuse(place, "unknown care setting '%s'", example->care_setting);
		if (!compile_mask(place, policy, "the example", example->activities, example->activities_count,
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

bool policy_load(const char *path, struct policy **ret, char detail[POLICY_DETAIL_BYTES])
{
	struct yaml_file file = {0};
	void *data = NULL;
	if (!yaml_file_open(path, &file, detail, POLICY_DETAIL_BYTES))
		return false;
	struct yaml_place place = {.file = &file,
				   .schema = &policy_schema,
				   .detail = detail,
				   .detail_bytes = POLICY_DETAIL_BYTES};
	struct policy *policy = calloc(1, sizeof *policy);
	bool good = policy != NULL;
	if (!good)
		snprintf(detail, POLICY_DETAIL_BYTES, "%s: out of memory", path);
	good = good && yaml_file_load(&file, &policy_schema, &data, detail, POLICY_DETAIL_BYTES);
	good = good && compile_version(&place, data, policy) && compile_activities(&place, data, policy) &&
	       compile_roles(&place, data, policy) && compile_care_settings(&place, data, policy) &&
	       compile_operations(&place, data, policy) && check_examples(&place, data, policy);
	yaml_file_free(&policy_schema, data);
	yaml_file_close(&file);
	if (!good) {
		policy_free(policy);
		return false;
	}
	*ret = policy;
	return true;
}
