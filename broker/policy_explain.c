// A decision, check by check, in sentences.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/policy_priv.h"
#include "proto/text.h"
#include "proto/wire.h"

__attribute__((format(printf, 2, 3))) static void say(struct policy_step *step, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(step->text, sizeof step->text, format, arguments);
	va_end(arguments);
}

static void say_activity(const struct policy_case *made, const char *what, struct policy_step *step)
{
	say(step, "%s %s %s.", made->decision.by_profile ? "The person was granted" : "The role has",
	    made->policy->activities[made->decision.activity].code, what);
}

static void say_hours(const struct policy_case *made, struct policy_step *step)
{
	const struct policy_hours *hours = &made->role->hours;
	if (!hours->set)
		say(step, "The role may work at any hour.");
	else
		say(step, "%s %02u:%02u-%02u:%02u%s, by England's clock.",
		    made->question->break_glass ? "The glass is broken; else the role's hours are" : "It is within the role's hours",
		    hours->from_minute / 60u, hours->from_minute % 60u, hours->until_minute / 60u,
		    hours->until_minute % 60u, hours->weekdays ? ", Monday to Friday" : "");
}

static void say_care_setting(const struct policy_case *made, struct policy_step *step)
{
	char word[POLICY_NAME_BYTES_MAX];
	text_lower_case(wire_care_setting_name(made->decision.care_setting), word, sizeof word);
	if (!policy_is_view(made->question->operation))
		say(step, "The operation has no care setting.");
	else
		say(step, "The care setting %s %s.", word,
		    made->question->break_glass ? "need not be in scope, because the glass is broken"
						: "is the organisation's and in scope");
}

// What made a check hold.
static void say_why(const struct policy_case *made, enum policy_rule rule, struct policy_step *step)
{
	switch (rule) {
	case POLICY_RULE_OPERATION:
		say(step, "The policy names the operation.");
		break;
	case POLICY_RULE_ORGANISATION_TYPE:
		say(step, "It is for organisations of the type %s.", organisation_type_word(made->question->organisation_type));
		break;
	case POLICY_RULE_ROLE:
		say(step, "The policy names the role %s (%s).", made->role->code, made->role->name);
		break;
	case POLICY_RULE_BREAK_GLASS:
		if (made->question->break_glass)
			say_activity(made, "and may break the glass", step);
		else
			say(step, "The glass is not broken.");
		break;
	case POLICY_RULE_ACTIVITY:
		if (made->question->break_glass)
			say(step, "No activity is needed, because the glass is broken.");
		else
			say_activity(made, "and the operation asks for it", step);
		break;
	case POLICY_RULE_HOURS:
		say_hours(made, step);
		break;
	case POLICY_RULE_SESSION:
		if (made->operation->session_ms_max == 0)
			say(step, "The session may be of any age.");
		else
			say(step, "The session is younger than %llu minutes.",
			    (unsigned long long)(made->operation->session_ms_max / 60000));
		break;
	case POLICY_RULE_REASON:
		say(step, "%s", made->question->reason_stated ? "A reason is stated." : "The role need not state a reason.");
		break;
	case POLICY_RULE_CARE_SETTING:
		say_care_setting(made, step);
		break;
	case POLICY_RULE_NONE:
		break;
	}
}

struct policy_decision policy_explain(const struct policy *policy, const struct policy_question *question,
				      struct policy_step ret_steps[POLICY_STEPS_MAX], size_t *ret_count)
{
	struct policy_case made = policy_case_begin(policy, question);
	*ret_count = 0;
	for (size_t i = 0; i < policy_checks_count; i++) {
		struct policy_step *step = &ret_steps[(*ret_count)++];
		made.decision.reason = policy_checks[i].check(&made);
		made.decision.rule = policy_checks[i].rule;
		step->holds = made.decision.reason == REASON_NONE;
		// Named as the rule that would refuse.
		struct policy_decision refusal = made.decision;
		if (step->holds)
			refusal.reason = REASON_INTERNAL;
		policy_rule_text(policy, question, &refusal, step->rule);
		if (!step->holds) {
			say(step, "%s", reason_sentence(made.decision.reason));
			return made.decision;
		}
		say_why(&made, policy_checks[i].rule, step);
		if (policy_is_roleless(question->operation)) {
			made.decision.rule = POLICY_RULE_NONE;
			return made.decision;
		}
	}
	policy_case_allow(&made);
	return made.decision;
}
