// Reading policies over: what is odd in one, what differs between two.
#include <stdio.h>
#include <string.h>

#include "broker/policy_priv.h"
#include "proto/wire.h"

#define SENTENCE_BYTES 200
#define CARE_SETTINGS 64u

const char *policy_decision_word(Cpis__V1__Operation operation, const struct policy_decision *decision)
{
	if (decision->reason != REASON_NONE)
		return reason_word(decision->reason);
	if (operation != CPIS__V1__OPERATION__DETAILS)
		return "allowed";
	return decision->notify ? "notifies" : "silent";
}

// ------------------------------------------------------------------ one policy

static activity_mask asked_for(const struct policy *policy)
{
	activity_mask mask = policy->silent;
	for (size_t i = 0; i < POLICY_OPERATIONS_MAX; i++)
		mask |= policy->rules[i].activities;
	return mask;
}

static activity_mask held(const struct policy *policy)
{
	activity_mask mask = 0;
	for (size_t i = 0; i < policy->roles_count; i++)
		mask |= policy->roles[i].activities;
	return mask;
}

void policy_review(const struct policy *policy, policy_remark *remark, void *context)
{
	char sentence[SENTENCE_BYTES];
	activity_mask asked = asked_for(policy), had = held(policy);
	for (size_t i = 0; i < policy->roles_count; i++)
		if ((policy->roles[i].activities & asked) == 0) {
			snprintf(sentence, sizeof sentence, "role %s (%s) may do nothing", policy->roles[i].code,
				 policy->roles[i].name);
			remark(context, sentence);
		}
	for (size_t i = 0; i < policy->activities_count; i++) {
		activity_mask bit = UINT64_C(1) << i;
		const char *what = (asked & bit) == 0 ? "is asked for by no operation"
				   : (had & bit) == 0 ? "is held by no role: only the register can grant it"
						      : NULL;
		if (what == NULL)
			continue;
		snprintf(sentence, sizeof sentence, "activity %s %s", policy->activities[i].code, what);
		remark(context, sentence);
	}
	for (unsigned i = 0; i < POLICY_OPERATIONS_MAX; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (!rule->stands || policy_is_roleless((Cpis__V1__Operation)i) || (rule->activities & had) != 0)
			continue;
		snprintf(sentence, sizeof sentence, "operation %s can be done by no role",
			 wire_operation_name((Cpis__V1__Operation)i));
		remark(context, sentence);
	}
}

// ------------------------------------------------------------------ two policies

struct comparison {
	const struct policy *before, *after;
	policy_remark *remark;
	void *context;
	size_t differences;
};

static bool same(const struct policy_decision *a, const struct policy_decision *b)
{
	return a->reason == b->reason && (a->reason != REASON_NONE ||
					   (a->notify == b->notify && a->signed_act == b->signed_act &&
					    a->access_type == b->access_type && a->contradiction == b->contradiction));
}

static void ask_both(struct comparison *comparison, const struct policy_question *question, const char *silent_code)
{
	struct policy_question asked = *question;
	char sentence[SENTENCE_BYTES], setting[40] = "";
	asked.additional = policy_activity(comparison->before, silent_code);
	struct policy_decision before = policy_decide(comparison->before, &asked);
	asked.additional = policy_activity(comparison->after, silent_code);
	struct policy_decision after = policy_decide(comparison->after, &asked);
	if (same(&before, &after))
		return;
	comparison->differences++;
	if (policy_is_view(question->operation))
		snprintf(setting, sizeof setting, " %s%s", wire_care_setting_name(question->care_setting),
			 question->access_type == CPIS__V1__ACCESS_TYPE__SCHEDULED ? " scheduled" : "");
	snprintf(sentence, sizeof sentence, "%s %s %s%s%s%s: %s%s -> %s%s", wire_operation_name(question->operation),
		 organisation_type_word(question->organisation_type), question->role_code, silent_code[0] == '\0' ? "" : "+",
		 silent_code, setting, policy_decision_word(question->operation, &before),
		 before.reason == REASON_NONE && before.signed_act ? " signed" : "",
		 policy_decision_word(question->operation, &after),
		 after.reason == REASON_NONE && after.signed_act ? " signed" : "");
	comparison->remark(comparison->context, sentence);
}

static void compare_looks(struct comparison *comparison, struct policy_question *question, const char *silent_code)
{
	for (unsigned setting = 1; setting < CARE_SETTINGS; setting++) {
		if (wire_care_setting_name((Cpis__V1__CareSetting)setting)[0] == '?')
			continue;
		question->care_setting = (Cpis__V1__CareSetting)setting;
		question->organisation_care_settings = UINT64_C(1) << setting;
		question->access_type = CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
		ask_both(comparison, question, silent_code);
		question->access_type = CPIS__V1__ACCESS_TYPE__SCHEDULED;
		ask_both(comparison, question, silent_code);
	}
}

static void compare_role(struct comparison *comparison, const char *role_code, const char *silent_code)
{
	for (unsigned operation = 1; operation < POLICY_OPERATIONS_MAX; operation++) {
		if (wire_operation_name((Cpis__V1__Operation)operation)[0] == '?')
			continue;
		for (unsigned type = 0; type < ORGANISATION_TYPES; type++) {
			struct policy_question question = {.operation = (Cpis__V1__Operation)operation,
							   .organisation_type = (enum organisation_type)type,
							   .role_code = role_code};
			if (policy_is_view(question.operation))
				compare_looks(comparison, &question, silent_code);
			else if (silent_code[0] == '\0')
				ask_both(comparison, &question, silent_code);
		}
	}
}

static void compare_roles_of(struct comparison *comparison, const struct policy *roles, const struct policy *but_not_of)
{
	for (size_t i = 0; i < roles->roles_count; i++) {
		const char *code = roles->roles[i].code;
		if (but_not_of != NULL && policy_role_name(but_not_of, code) != NULL)
			continue;
		compare_role(comparison, code, "");
		for (size_t k = 0; k < comparison->after->activities_count; k++)
			if ((comparison->after->silent >> k & 1) != 0)
				compare_role(comparison, code, comparison->after->activities[k].code);
	}
}

size_t policy_compare(const struct policy *before, const struct policy *after, policy_remark *remark, void *context)
{
	struct comparison comparison = {before, after, remark, context, 0};
	compare_roles_of(&comparison, before, NULL);
	compare_roles_of(&comparison, after, before);
	return comparison.differences;
}
