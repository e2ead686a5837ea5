// The policy's decision over its compiled table.
#include "broker/policy.h"

#include <stdlib.h>
#include <string.h>

#include "broker/policy_priv.h"
#include "proto/date.h"
#include "proto/invariant.h"
#include "proto/text.h"
#include "proto/wire.h"

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	free(policy->text);
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

const uint8_t *policy_text(const struct policy *policy, size_t *ret_bytes)
{
	*ret_bytes = policy->text_bytes;
	return policy->text;
}

const struct detection_rules *policy_detection(const struct policy *policy)
{
	return &policy->detection;
}

const struct policy_retention *policy_retention(const struct policy *policy)
{
	return &policy->retention;
}

static int compare_code(const void *code, const void *role)
{
	return strcmp(code, ((const struct policy_role *)role)->code);
}

const struct policy_role *policy_find_role(const struct policy *policy, const char *role_code)
{
	return bsearch(role_code, policy->roles, policy->roles_count, sizeof policy->roles[0], compare_code);
}

const char *policy_role_name(const struct policy *policy, const char *role_code)
{
	const struct policy_role *role = policy_find_role(policy, role_code);
	return role == NULL ? NULL : role->name;
}

struct activity_set policy_role_activities(const struct policy *policy, const char *role_code)
{
	const struct policy_role *role = policy_find_role(policy, role_code);
	return role == NULL ? (struct activity_set){0} : role->activities;
}

bool policy_activity(const struct policy *policy, const char *activity_code, struct activity_set *set)
{
	for (size_t i = 0; i < policy->activities_count; i++) {
		if (strcmp(policy->activities[i].code, activity_code) == 0) {
			activity_set_add(set, i);
			return true;
		}
	}
	return false;
}

size_t policy_activity_codes(const struct policy *policy, const struct activity_set *set,
			     const char *ret_codes[ACTIVITIES_PER_ROLE_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < policy->activities_count && count < ACTIVITIES_PER_ROLE_MAX; i++) {
		if (activity_set_has(set, i))
			ret_codes[count++] = policy->activities[i].code;
	}
	return count;
}

// ------------------------------------------------------------------ the checks

static enum reason check_operation(struct policy_case *made)
{
	unsigned number = (unsigned)made->question->operation;
	made->operation = number < POLICY_OPERATIONS_MAX ? &made->policy->operations[number] : NULL;
	return made->operation != NULL && made->operation->stands ? REASON_NONE : REASON_OPERATION;
}

static enum reason check_organisation_type(struct policy_case *made)
{
	return (made->operation->organisation_types >> made->question->organisation_type & 1) != 0
		       ? REASON_NONE
		       : REASON_ORGANISATION_TYPE;
}

static enum reason check_role(struct policy_case *made)
{
	made->role = policy_find_role(made->policy, made->question->role_code);
	return made->role == NULL ? REASON_ROLE_UNKNOWN : REASON_NONE;
}

// By which of its activities the role, or else the person's own grant, has one of these.
static bool holds(struct policy_case *made, const struct activity_set *wanted)
{
	size_t *number = &made->decision.activity;
	made->decision.by_profile = false;
	if (activity_sets_meet(&made->role->activities, wanted, number))
		return true;
	made->decision.by_profile = activity_sets_meet(&made->question->additional, wanted, number);
	return made->decision.by_profile;
}

static enum reason check_break_glass(struct policy_case *made)
{
	if (!made->question->break_glass)
		return REASON_NONE;
	if (!made->operation->break_glass || !holds(made, &made->policy->break_glass))
		return REASON_BREAK_GLASS;
	return REASON_NONE;
}

static enum reason check_activity(struct policy_case *made)
{
	return made->question->break_glass || holds(made, &made->operation->activities) ? REASON_NONE : REASON_ACTIVITY;
}

static enum reason check_hours(struct policy_case *made)
{
	const struct policy_hours *hours = &made->role->hours;
	if (made->question->break_glass || !hours->set)
		return REASON_NONE;
	struct english_time now = english_time_of(made->question->now_ms);
	unsigned minute = (unsigned)now.minute_of_day;
	bool after = minute >= hours->from_minute, before = minute < hours->until_minute;
	bool within = hours->from_minute < hours->until_minute ? after && before : after || before;
	bool weekend = now.weekday == 0 || now.weekday == 6;
	return within && !(hours->weekdays && weekend) ? REASON_NONE : REASON_HOURS;
}

static enum reason check_session(struct policy_case *made)
{
	uint64_t max = made->operation->session_ms_max;
	return max == 0 || made->question->session_age_ms <= max ? REASON_NONE : REASON_SESSION_AGE;
}

static enum reason check_reason(struct policy_case *made)
{
	bool needed = made->question->break_glass ||
		      (made->role->reason_required && policy_is_view(made->question->operation));
	return needed && !made->question->reason_stated ? REASON_REASON_MISSING : REASON_NONE;
}

// The care setting that counts: the one asked for, or the only one.
static enum reason check_care_setting(struct policy_case *made)
{
	const struct policy_question *question = made->question;
	uint64_t bit = policy_setting_bit(question->care_setting), own = question->organisation_care_settings;
	Cpis__V1__CareSetting setting = question->care_setting;
	if (!policy_is_view(question->operation))
		return REASON_NONE;
	if (setting == CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED) {
		if ((own & (own - 1)) != 0 || (own == 0 && question->break_glass))
			return REASON_CARE_SETTING_UNNAMED;
		bit = own;
		setting = own == 0 ? setting : (Cpis__V1__CareSetting)__builtin_ctzll(own);
	}
	if (!question->break_glass && (bit & own & made->policy->care_settings) == 0)
		return REASON_CARE_SETTING;
	made->decision.care_setting = setting;
	return REASON_NONE;
}

// The first that does not hold gives the reason. Each may count on those before it.
const struct policy_check policy_checks[] = {
	{POLICY_RULE_OPERATION, check_operation},
	{POLICY_RULE_ORGANISATION_TYPE, check_organisation_type},
	{POLICY_RULE_ROLE, check_role},
	{POLICY_RULE_BREAK_GLASS, check_break_glass},
	{POLICY_RULE_ACTIVITY, check_activity},
	{POLICY_RULE_HOURS, check_hours},
	{POLICY_RULE_SESSION, check_session},
	{POLICY_RULE_REASON, check_reason},
	{POLICY_RULE_CARE_SETTING, check_care_setting},
};
const size_t policy_checks_count = sizeof policy_checks / sizeof policy_checks[0];
_Static_assert(sizeof policy_checks / sizeof policy_checks[0] <= POLICY_STEPS_MAX, "an explanation has room for all");

// ------------------------------------------------------------------ deciding

struct policy_case policy_case_begin(const struct policy *policy, const struct policy_question *question)
{
	INVARIANT((unsigned)question->organisation_type < ORGANISATION_TYPES);
	// A refusal tells what was asked; what counts replaces it once there is an answer.
	return (struct policy_case){
		.policy = policy,
		.question = question,
		.decision = {.care_setting = question->care_setting, .access_type = question->access_type},
	};
}

bool policy_setting_is_scheduled(const struct policy *policy, Cpis__V1__CareSetting setting)
{
	return (policy_setting_bit(setting) & policy->scheduled) != 0;
}

static void allow_look(struct policy_case *made)
{
	struct policy_decision *decision = &made->decision;
	const struct policy_question *question = made->question;
	size_t ignored;
	bool asked = question->access_type == CPIS__V1__ACCESS_TYPE__SCHEDULED;
	bool silent = asked && !question->break_glass &&
		      (policy_setting_bit(decision->care_setting) & made->policy->scheduled) != 0 &&
		      (activity_sets_meet(&made->role->activities, &made->policy->silent, &ignored) ||
		       activity_sets_meet(&question->additional, &made->policy->silent, &ignored));
	decision->access_type =
		silent ? CPIS__V1__ACCESS_TYPE__SCHEDULED : CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	if (question->operation == CPIS__V1__OPERATION__DETAILS) {
		decision->notify = !silent;
		decision->contradiction = asked && !silent;
	}
}

void policy_case_allow(struct policy_case *made)
{
	struct policy_decision *decision = &made->decision;
	decision->rule = made->question->break_glass ? POLICY_RULE_BREAK_GLASS : POLICY_RULE_ACTIVITY;
	decision->break_glass = made->question->break_glass;
	decision->signed_act = made->operation->signed_act || decision->break_glass;
	decision->person_per_minute = made->operation->person_per_minute;
	decision->system_per_minute = made->operation->system_per_minute;
	if (policy_is_view(made->question->operation))
		allow_look(made);
}

struct policy_decision policy_decide(const struct policy *policy, const struct policy_question *question)
{
	struct policy_case made = policy_case_begin(policy, question);
	for (size_t i = 0; i < policy_checks_count; i++) {
		made.decision.reason = policy_checks[i].check(&made);
		made.decision.rule = policy_checks[i].rule;
		if (made.decision.reason != REASON_NONE)
			return made.decision;
		if (policy_is_roleless(question->operation)) {
			made.decision.rule = POLICY_RULE_NONE;
			return made.decision;
		}
	}
	policy_case_allow(&made);
	return made.decision;
}

// The decision is made with every message, and so is this: put together by hand, printf would cost as much as the rest.
struct rule_text {
	char *out;
	size_t used;
};

static void add(struct rule_text *text, const char *words)
{
	size_t bytes = strlen(words), room = POLICY_RULE_BYTES - 1 - text->used;
	if (bytes > room)
		bytes = room;
	memcpy(text->out + text->used, words, bytes);
	text->used += bytes;
	text->out[text->used] = '\0';
}

// In lower case, as in the file.
static void add_operation(struct rule_text *text, const struct policy_question *question, const char *condition)
{
	char word[32];
	text_lower_case(wire_operation_name(question->operation), word, sizeof word);
	add(text, "operations ");
	add(text, word);
	add(text, condition);
}

static void add_care_setting(struct rule_text *text, Cpis__V1__CareSetting setting)
{
	char word[32] = "";
	if (setting != CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED)
		text_lower_case(wire_care_setting_name(setting), word, sizeof word);
	add(text, "care_settings ");
	add(text, word);
}

static void add_role(struct rule_text *text, const char *part, const char *role_code, const char *condition)
{
	add(text, part);
	add(text, role_code);
	add(text, condition);
}

void policy_rule_text(const struct policy *policy, const struct policy_question *question,
		      const struct policy_decision *decision, char out[POLICY_RULE_BYTES])
{
	struct rule_text text = {out, 0};
	bool allowed = decision->reason == REASON_NONE;
	out[0] = '\0';
	switch (decision->rule) {
	case POLICY_RULE_NONE:
		add_operation(&text, question, "");
		break;
	case POLICY_RULE_OPERATION:
		add(&text, "operations");
		break;
	case POLICY_RULE_ORGANISATION_TYPE:
		add_operation(&text, question, " organisation_types");
		break;
	case POLICY_RULE_ROLE:
		add(&text, "roles");
		break;
	case POLICY_RULE_ACTIVITY:
	case POLICY_RULE_BREAK_GLASS:
		if (allowed) {
			add_role(&text, decision->by_profile ? "role_profiles " : "roles ", question->role_code, " activities ");
			add(&text, policy->activities[decision->activity].code);
		} else {
			add_operation(&text, question,
				      decision->rule == POLICY_RULE_ACTIVITY ? " activities" : " break_glass");
		}
		break;
	case POLICY_RULE_HOURS:
		add_role(&text, "roles ", question->role_code, " hours");
		break;
	case POLICY_RULE_SESSION:
		add_operation(&text, question, " session_minutes");
		break;
	case POLICY_RULE_REASON:
		if (question->break_glass)
			add_operation(&text, question, " break_glass");
		else
			add_role(&text, "roles ", question->role_code, " reason");
		break;
	case POLICY_RULE_CARE_SETTING:
		add_care_setting(&text, decision->care_setting);
		break;
	}
}
