// The policy's decision over its compiled table.
#include "broker/policy.h"

#include <stdlib.h>
#include <string.h>

#include "broker/policy_priv.h"
#include "proto/invariant.h"

void policy_free(struct policy *policy)
{
	free(policy);
}

// ------------------------------------------------------------------ looking up

const char *organisation_type_word(enum organisation_type type)
{
	INVARIANT((unsigned)type < ORGANISATION_TYPES);
	static const char *const words[ORGANISATION_TYPES] = {
#define X(name, word) [name] = word,
		ORGANISATION_TYPE_TABLE(X)
#undef X
	};
	return words[type];
}

const char *policy_version(const struct policy *policy)
{
	return policy->version;
}

static int compare_code(const void *code, const void *role)
{
	return strcmp(code, ((const struct policy_role *)role)->code);
}

static const struct policy_role *find_role(const struct policy *policy, const char *role_code)
{
	return bsearch(role_code, policy->roles, policy->roles_count, sizeof policy->roles[0], compare_code);
}

const char *policy_role_name(const struct policy *policy, const char *role_code)
{
	const struct policy_role *role = find_role(policy, role_code);
	return role == NULL ? NULL : role->name;
}

activity_mask policy_role_activities(const struct policy *policy, const char *role_code)
{
	const struct policy_role *role = find_role(policy, role_code);
	return role == NULL ? 0 : role->activities;
}

activity_mask policy_activity(const struct policy *policy, const char *activity_code)
{
	for (size_t i = 0; i < policy->activities_count; i++) {
		if (strcmp(policy->activities[i].code, activity_code) == 0)
			return UINT64_C(1) << i;
	}
	return 0;
}

size_t policy_activity_codes(const struct policy *policy, activity_mask mask,
			     const char *ret_codes[ACTIVITIES_PER_ROLE_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < policy->activities_count && count < ACTIVITIES_PER_ROLE_MAX; i++) {
		if ((mask >> i & 1) != 0)
			ret_codes[count++] = policy->activities[i].code;
	}
	return count;
}

// ------------------------------------------------------------------ deciding

// The care setting that counts: the one asked for, or the only one.
static enum reason decide_care_setting(const struct policy *policy, const struct policy_question *question,
				       Cpis__V1__CareSetting *ret)
{
	uint64_t bit = policy_setting_bit(question->care_setting), own = question->organisation_care_settings;
	Cpis__V1__CareSetting setting = question->care_setting;
	if (setting == CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED) {
		if ((own & (own - 1)) != 0)
			return REASON_CARE_SETTING_UNNAMED;
		bit = own;
		setting = own == 0 ? setting : (Cpis__V1__CareSetting)__builtin_ctzll(own);
	}
	if ((bit & own & policy->care_settings) == 0)
		return REASON_CARE_SETTING;
	*ret = setting;
	return REASON_NONE;
}

static void decide_look(const struct policy *policy, const struct policy_question *question,
			activity_mask held, struct policy_decision *decision)
{
	bool asked = question->access_type == CPIS__V1__ACCESS_TYPE__SCHEDULED;
	bool silent = asked && (policy_setting_bit(decision->care_setting) & policy->scheduled) != 0 &&
		      (held & policy->silent) != 0;
	decision->access_type =
		silent ? CPIS__V1__ACCESS_TYPE__SCHEDULED : CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	if (question->operation == CPIS__V1__OPERATION__DETAILS) {
		decision->notify = !silent;
		decision->contradiction = asked && !silent;
	}
}

struct policy_decision policy_decide(const struct policy *policy, const struct policy_question *question)
{
	// A refusal tells what was asked; what counts replaces it once there is an answer.
	struct policy_decision decision = {.care_setting = question->care_setting,
					   .access_type = question->access_type};
	INVARIANT((unsigned)question->organisation_type < ORGANISATION_TYPES);
	const struct policy_rule *rule =
		(unsigned)question->operation < POLICY_OPERATIONS_MAX ? &policy->rules[question->operation] : NULL;
	if (rule == NULL || !rule->stands) {
		decision.reason = REASON_OPERATION;
		return decision;
	}
	if (policy_is_roleless(question->operation))
		return decision;
	if ((rule->organisation_types >> question->organisation_type & 1) == 0) {
		decision.reason = REASON_ORGANISATION_TYPE;
		return decision;
	}
	const struct policy_role *role = find_role(policy, question->role_code);
	if (role == NULL) {
		decision.reason = REASON_ROLE_UNKNOWN;
		return decision;
	}
	activity_mask held = role->activities | question->additional;
	if ((held & rule->activities) == 0) {
		decision.reason = REASON_ACTIVITY;
		return decision;
	}
	decision.signed_act = rule->signed_act;
	if (policy_is_view(question->operation)) {
		decision.reason = decide_care_setting(policy, question, &decision.care_setting);
		if (decision.reason == REASON_NONE)
			decide_look(policy, question, held, &decision);
	}
	return decision;
}
