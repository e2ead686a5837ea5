// Two policies: every decision that differs between them, and the bounds that do.
#include <stdio.h>
#include <string.h>

#include "broker/policy_detection.h"
#include "broker/policy_retention.h"
#include "broker/policy_priv.h"
#include "proto/text.h"
#include "proto/wire.h"

#define SENTENCE_BYTES 240
#define CARE_SETTINGS 64u
#define NOON_MS 1767787200000u // Wednesday 2026-01-07, England on GMT
#define MINUTE_MS 60000u

struct comparison {
	const struct policy *before, *after;
	policy_remark *remark;
	void *context;
	size_t differences;
};

// How a question is put besides its role, operation and setting.
struct manner {
	const char *granted; // an activity's code, or ""
	bool reason_stated, break_glass;
	uint64_t now_ms;
};

static void tell(struct comparison *comparison, const char *sentence)
{
	comparison->differences++;
	comparison->remark(comparison->context, sentence);
}

static bool same(const struct policy_decision *a, const struct policy_decision *b)
{
	return a->reason == b->reason && (a->reason != REASON_NONE ||
					   (a->notify == b->notify && a->signed_act == b->signed_act &&
					    a->access_type == b->access_type && a->contradiction == b->contradiction));
}

static struct policy_decision ask(const struct policy *policy, const struct policy_question *question, const char *granted)
{
	struct policy_question asked = *question;
	// One that this policy does not have grants nothing here.
	if (granted[0] != '\0' && !policy_activity(policy, granted, &asked.additional))
		asked.additional = question->additional;
	return policy_decide(policy, &asked);
}

static void ask_both(struct comparison *comparison, const struct policy_question *question, const struct manner *manner)
{
	char sentence[SENTENCE_BYTES], setting[64] = "", word[40], operation[40];
	struct policy_question asked = *question;
	asked.reason_stated = manner->reason_stated;
	asked.break_glass = manner->break_glass;
	asked.now_ms = manner->now_ms;
	struct policy_decision before = ask(comparison->before, &asked, manner->granted);
	struct policy_decision after = ask(comparison->after, &asked, manner->granted);
	if (same(&before, &after))
		return;
	text_lower_case(wire_operation_name(question->operation), operation, sizeof operation);
	text_lower_case(wire_care_setting_name(question->care_setting), word, sizeof word);
	if (policy_is_view(question->operation))
		snprintf(setting, sizeof setting, " %s%s%s", word,
			 question->access_type == CPIS__V1__ACCESS_TYPE__SCHEDULED ? " scheduled" : "",
			 manner->break_glass ? " break_glass" : manner->reason_stated ? " reason" : "");
	snprintf(sentence, sizeof sentence, "%s %s %s%s%s%s: %s%s -> %s%s", operation,
		 organisation_type_word(question->organisation_type), question->role_code, manner->granted[0] == '\0' ? "" : "+",
		 manner->granted, setting, policy_decision_word(question->operation, &before),
		 before.reason == REASON_NONE && before.signed_act ? " signed" : "",
		 policy_decision_word(question->operation, &after),
		 after.reason == REASON_NONE && after.signed_act ? " signed" : "");
	tell(comparison, sentence);
}

static void compare_looks(struct comparison *comparison, struct policy_question *question, const struct manner *manner)
{
	struct manner stated = *manner, broken = *manner;
	stated.reason_stated = true;
	broken.reason_stated = broken.break_glass = true;
	for (unsigned setting = 1; setting < CARE_SETTINGS; setting++) {
		if (wire_care_setting_name((Cpis__V1__CareSetting)setting)[0] == '?')
			continue;
		question->care_setting = (Cpis__V1__CareSetting)setting;
		question->organisation_care_settings = UINT64_C(1) << setting;
		for (unsigned access = CPIS__V1__ACCESS_TYPE__UNSCHEDULED; access <= CPIS__V1__ACCESS_TYPE__SCHEDULED;
		     access++) {
			question->access_type = (Cpis__V1__AccessType)access;
			ask_both(comparison, question, manner);
			ask_both(comparison, question, &stated);
			if (question->operation == CPIS__V1__OPERATION__DETAILS)
				ask_both(comparison, question, &broken);
		}
	}
}

static void compare_role(struct comparison *comparison, const char *role_code, const struct manner *manner)
{
	for (unsigned operation = 1; operation < POLICY_OPERATIONS_MAX; operation++) {
		if (wire_operation_name((Cpis__V1__Operation)operation)[0] == '?')
			continue;
		for (unsigned type = 0; type < ORGANISATION_TYPES; type++) {
			struct policy_question question = {.operation = (Cpis__V1__Operation)operation,
							   .organisation_type = (enum organisation_type)type,
							   .role_code = role_code};
			if (policy_is_view(question.operation))
				compare_looks(comparison, &question, manner);
			else if (manner->granted[0] == '\0')
				ask_both(comparison, &question, manner);
		}
	}
}

// ------------------------------------------------------------------ what is not a decision of its own

static void hours_text(const struct policy_role *role, char out[40])
{
	const struct policy_hours *hours = &role->hours;
	if (!hours->set)
		snprintf(out, 40, "any");
	else
		snprintf(out, 40, "%02u:%02u-%02u:%02u%s", hours->from_minute / 60u, hours->from_minute % 60u,
			 hours->until_minute / 60u, hours->until_minute % 60u, hours->weekdays ? " weekdays" : "");
}

static void compare_hours(struct comparison *comparison, const struct policy_role *before, const struct policy_role *after)
{
	char sentence[SENTENCE_BYTES], was[40], is[40];
	hours_text(before, was);
	hours_text(after, is);
	if (strcmp(was, is) == 0)
		return;
	snprintf(sentence, sizeof sentence, "role %s hours: %s -> %s", before->code, was, is);
	tell(comparison, sentence);
}

static void compare_bound(struct comparison *comparison, const char *operation, const char *what, uint64_t before,
			  uint64_t after)
{
	char sentence[SENTENCE_BYTES], was[24] = "any", is[24] = "any";
	if (before == after)
		return;
	if (before != 0)
		snprintf(was, sizeof was, "%llu", (unsigned long long)before);
	if (after != 0)
		snprintf(is, sizeof is, "%llu", (unsigned long long)after);
	snprintf(sentence, sizeof sentence, "operation %s %s: %s -> %s", operation, what, was, is);
	tell(comparison, sentence);
}

static void compare_bounds(struct comparison *comparison)
{
	for (unsigned i = 1; i < POLICY_OPERATIONS_MAX; i++) {
		const struct policy_operation *before = &comparison->before->operations[i],
					      *after = &comparison->after->operations[i];
		char name[40];
		text_lower_case(wire_operation_name((Cpis__V1__Operation)i), name, sizeof name);
		compare_bound(comparison, name, "session_minutes", before->session_ms_max / MINUTE_MS,
			      after->session_ms_max / MINUTE_MS);
		compare_bound(comparison, name, "person_per_minute", before->person_per_minute, after->person_per_minute);
		compare_bound(comparison, name, "system_per_minute", before->system_per_minute, after->system_per_minute);
	}
}

// ------------------------------------------------------------------ all roles of both

// Within the role's hours on that Wednesday: in January England's clock is UTC.
static uint64_t working_time(const struct policy_role *role)
{
	return role != NULL && role->hours.set ? NOON_MS - 12 * 60 * MINUTE_MS + role->hours.from_minute * MINUTE_MS : NOON_MS;
}

static bool is_special(const struct policy *policy, const char *code)
{
	struct activity_set one = {{0}};
	size_t number;
	return policy_activity(policy, code, &one) && (activity_sets_meet(&one, &policy->silent, &number) ||
						       activity_sets_meet(&one, &policy->break_glass, &number));
}

static void compare_one(struct comparison *comparison, const char *code)
{
	const struct policy_role *before = policy_find_role(comparison->before, code),
				 *after = policy_find_role(comparison->after, code);
	struct manner manner = {.granted = "", .now_ms = working_time(after != NULL ? after : before)};
	if (before != NULL && after != NULL)
		compare_hours(comparison, before, after);
	compare_role(comparison, code, &manner);
	// What the register may grant beyond the role counts too where it makes a look silent or breaks the glass, in either.
	for (size_t k = 0; k < comparison->after->activities_count; k++) {
		manner.granted = comparison->after->activities[k].code;
		if (is_special(comparison->after, manner.granted) || is_special(comparison->before, manner.granted))
			compare_role(comparison, code, &manner);
	}
	for (size_t k = 0; k < comparison->before->activities_count; k++) {
		struct activity_set none = {{0}};
		manner.granted = comparison->before->activities[k].code;
		if (is_special(comparison->before, manner.granted) &&
		    !policy_activity(comparison->after, manner.granted, &none))
			compare_role(comparison, code, &manner);
	}
}

size_t policy_compare(const struct policy *before, const struct policy *after, policy_remark *remark, void *context)
{
	struct comparison comparison = {before, after, remark, context, 0};
	for (size_t i = 0; i < before->roles_count; i++)
		compare_one(&comparison, before->roles[i].code);
	for (size_t i = 0; i < after->roles_count; i++)
		if (policy_find_role(before, after->roles[i].code) == NULL)
			compare_one(&comparison, after->roles[i].code);
	compare_bounds(&comparison);
	return comparison.differences +
	       policy_detection_compare(&before->detection, &after->detection, remark, context) +
	       policy_retention_compare(&before->retention, &after->retention, remark, context);
}
