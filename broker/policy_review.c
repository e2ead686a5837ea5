// Reading one policy over: what is odd in it.
#include <stdio.h>
#include <string.h>

#include "broker/policy_priv.h"
#include "proto/text.h"
#include "proto/wire.h"

#define SENTENCE_BYTES 200

const char *policy_decision_word(Cpis__V1__Operation operation, const struct policy_decision *decision)
{
	if (decision->reason != REASON_NONE)
		return reason_word(decision->reason);
	if (operation != CPIS__V1__OPERATION__DETAILS)
		return "allowed";
	return decision->notify ? "notifies" : "silent";
}

static struct activity_set asked_for(const struct policy *policy)
{
	struct activity_set set = policy->silent;
	activity_set_add_all(&set, &policy->break_glass);
	for (size_t i = 0; i < POLICY_OPERATIONS_MAX; i++)
		activity_set_add_all(&set, &policy->operations[i].activities);
	return set;
}

static struct activity_set held(const struct policy *policy)
{
	struct activity_set set = {0};
	for (size_t i = 0; i < policy->roles_count; i++)
		activity_set_add_all(&set, &policy->roles[i].activities);
	return set;
}

static bool meet(const struct activity_set *a, const struct activity_set *b)
{
	size_t ignored;
	return activity_sets_meet(a, b, &ignored);
}

bool policy_can_be_replaced(const struct policy *policy)
{
	const struct policy_operation *load = &policy->operations[CPIS__V1__OPERATION__POLICY_LOAD];
	for (size_t i = 0; i < policy->roles_count; i++)
		if (load->stands && meet(&policy->roles[i].activities, &load->activities))
			return true;
	return false;
}

// Rules about looks that no look can reach: a silent or glass-breaking activity, or the glass itself, without its other half.
static const char *unreachable(const struct policy *policy, size_t activity)
{
	const struct policy_operation *details = &policy->operations[CPIS__V1__OPERATION__DETAILS];
	if (activity_set_has(&policy->silent, activity) && (!details->stands || policy->scheduled == 0))
		return "makes no look silent: there are no details to open in a scheduled care setting";
	if (activity_set_has(&policy->break_glass, activity) && !details->break_glass)
		return "breaks no glass: the operation details does not allow it";
	return NULL;
}

static void review_looks(const struct policy *policy, policy_remark *remark, void *context)
{
	static const struct activity_set none = {{0}};
	char sentence[SENTENCE_BYTES];
	for (size_t i = 0; i < policy->activities_count; i++) {
		const char *what = unreachable(policy, i);
		if (what == NULL)
			continue;
		snprintf(sentence, sizeof sentence, "activity %s %s", policy->activities[i].code, what);
		remark(context, sentence);
	}
	if (policy->operations[CPIS__V1__OPERATION__DETAILS].break_glass &&
	    memcmp(&policy->break_glass, &none, sizeof none) == 0)
		remark(context, "operation details allows breaking the glass, and no activity breaks it");
}

void policy_review(const struct policy *policy, policy_remark *remark, void *context)
{
	char sentence[SENTENCE_BYTES], operation[POLICY_NAME_BYTES_MAX];
	struct activity_set asked = asked_for(policy), had = held(policy);
	for (size_t i = 0; i < policy->roles_count; i++)
		if (!meet(&policy->roles[i].activities, &asked)) {
			snprintf(sentence, sizeof sentence, "role %s (%s) may do nothing", policy->roles[i].code,
				 policy->roles[i].name);
			remark(context, sentence);
		}
	for (size_t i = 0; i < policy->activities_count; i++) {
		const char *what = !activity_set_has(&asked, i) ? "is asked for by no operation"
				   : !activity_set_has(&had, i) ? "is held by no role: only the register can grant it"
								: NULL;
		if (what == NULL)
			continue;
		snprintf(sentence, sizeof sentence, "activity %s %s", policy->activities[i].code, what);
		remark(context, sentence);
	}
	review_looks(policy, remark, context);
	for (unsigned i = 0; i < POLICY_OPERATIONS_MAX; i++) {
		const struct policy_operation *rule = &policy->operations[i];
		if (!rule->stands || policy_is_roleless((Cpis__V1__Operation)i) || meet(&rule->activities, &had))
			continue;
		text_lower_case(wire_operation_name((Cpis__V1__Operation)i), operation, sizeof operation);
		snprintf(sentence, sizeof sentence, "operation %s can be done by no role", operation);
		remark(context, sentence);
	}
	if (!policy_can_be_replaced(policy))
		remark(context, "no role may do policy_load: another policy comes only with a restart");
}
