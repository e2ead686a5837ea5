// What an answer may say.
#include "broker/answer_check.h"

#include <string.h>

#include "broker/visibility.h"
#include "proto/text.h"

static bool is_known_type(Cpis__V1__PlanType type)
{
	return type == CPIS__V1__PLAN_TYPE__CPP || type == CPIS__V1__PLAN_TYPE__LAC || type == CPIS__V1__PLAN_TYPE__UCPP;
}

static bool is_telephone(const char *text)
{
	return text_is_telephone(text, strlen(text));
}

// A responder speaks for itself and for authorities that we do not know; never for one of ours.
static bool is_possible_authority(struct op_context *context, const struct responder_post *post,
				  const Cpis__V1__Authority *authority)
{
	struct ods_code ods;
	if (authority == NULL || !ods_code_parse(authority->organisation, strlen(authority->organisation), &ods))
		return false;
	if (!ods_code_equal(&ods, &post->organisation) && register_organisation(context->snapshot, &ods) != NULL)
		return false;
	return authority->name[0] != '\0' && is_telephone(authority->emergency_duty_telephone) &&
	       (authority->office_hours_telephone[0] == '\0' || is_telephone(authority->office_hours_telephone)) &&
	       authority->ring_now[0] == '\0' && !authority->office_hours_now &&
	       authority->last_published_ms <= context->now_ms + CLOCK_SKEW_MS_MAX &&
	       authority->contacts_confirmed_ms <= context->now_ms + CLOCK_SKEW_MS_MAX;
}

Cpis__V1__PlanStatus answer_plan_status(const Cpis__V1__Plan *plan, struct date today)
{
	struct date start, end;
	bool ends = plan->end_date[0] != '\0';
	if (!date_parse(plan->start_date, strlen(plan->start_date), &start) || start.day > today.day ||
	    (ends && (!date_parse(plan->end_date, strlen(plan->end_date), &end) || end.day < start.day)))
		return CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
	if (!ends || end.day > today.day)
		return CPIS__V1__PLAN_STATUS__CURRENT;
	return today.day <= date_add_months(end, VISIBLE_MONTHS_AFTER_END).day ? CPIS__V1__PLAN_STATUS__ENDED
									       : CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
}

static bool is_possible_plan(struct op_context *context, const struct responder_post *post, const Cpis__V1__Plan *plan)
{
	if (!is_known_type(plan->type) || plan->status != CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED ||
	    answer_plan_status(plan, english_time_of(context->now_ms).date) == CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED)
		return false;
	return is_possible_authority(context, post, plan->authority);
}

static bool are_possible_plans(struct op_context *context, const struct responder_post *post,
			       const Cpis__V1__PlansQuestion *question, const Cpis__V1__ResponderAnswer *answer)
{
	if (answer->n_matches != 0 || answer->n_plans > PLANS_PER_CHILD_MAX ||
	    (question->details ? answer->flag != (answer->n_plans > 0) : answer->n_plans > 0))
		return false;
	for (size_t i = 0; i < answer->n_plans; i++)
		if (!is_possible_plan(context, post, answer->plans[i]))
			return false;
	return true;
}

static bool are_possible_matches(const Cpis__V1__DemographicsQuestion *question, const Cpis__V1__ResponderAnswer *answer)
{
	if (answer->flag || answer->n_plans != 0 || answer->n_matches != question->n_records)
		return false;
	for (size_t i = 0; i < answer->n_matches; i++) {
		const Cpis__V1__DemographicsMatch *match = answer->matches[i];
		if (match->status == CPIS__V1__DEMOGRAPHICS_STATUS__DEMOGRAPHICS_STATUS_UNSPECIFIED ||
		    (match->female && match->status != CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED))
			return false;
	}
	return true;
}

bool answer_is_possible(struct op_context *context, const struct responder_post *post, const Cpis__V1__ResponderWork *work,
			const Cpis__V1__ResponderAnswer *answer)
{
	return work->question_case == CPIS__V1__RESPONDER_WORK__QUESTION_PLANS
		       ? are_possible_plans(context, post, work->plans, answer)
		       : are_possible_matches(work->demographics, answer);
}
