// A neighbouring register's answer, joined with ours.
#include "broker/neighbour.h"

#include <string.h>

#include "broker/access.h"
#include "broker/answer_check.h"
#include "broker/asking.h"
#include "broker/child.h"
#include "broker/inbox.h"
#include "broker/visibility.h"
#include "proto/invariant.h"

// Together with the longest name that fits a reply's string.
#define NOT_A_NO "could not be asked, so this is no \"no\": a plan may be known there. Follow your safeguarding procedure."
#define NOT_ALL "could not be asked: there may be more than is shown here. Follow your safeguarding procedure."

// An answer has been checked to have no others.
#define PLAN_TYPES 3

// Made here, so that it is true at the time of the reply.
static void complete(Cpis__V1__Plan *plan, uint64_t now_ms)
{
	Cpis__V1__Authority *authority = plan->authority;
	bool office_hours = false;
	plan->status = answer_plan_status(plan, english_time_of(now_ms).date);
	// The answer was checked when it came; midnight may have passed since.
	if (plan->status == CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED)
		plan->status = CPIS__V1__PLAN_STATUS__ENDED;
	authority->ring_now = op_text(visibility_ring_now(authority->emergency_duty_telephone,
							  authority->office_hours_telephone, now_ms, &office_hours));
	authority->office_hours_now = office_hours;
}

static void take_answer(struct op_context *context, const Cpis__V1__ResponderAnswer *answer, struct neighbour *ret)
{
	ret->available = true;
	ret->flag = answer->flag;
	ret->plans = answer->plans;
	ret->plan_count = answer->n_plans;
	for (size_t i = 0; i < answer->n_plans; i++)
		complete(answer->plans[i], context->now_ms);
}

enum reason neighbour_ask(struct op_context *context, const struct nhs_number *number, bool details, struct neighbour *ret)
{
	struct responder_post post;
	const Cpis__V1__ResponderAnswer *answer = NULL;
	memset(ret, 0, sizeof *ret);
	if (!responder_post_of(context->snapshot, number, &post))
		return REASON_NONE;
	ret->organisation = register_organisation(context->snapshot, &post.organisation);
	INVARIANT(ret->organisation != NULL);
	Cpis__V1__PlansQuestion plans = CPIS__V1__PLANS_QUESTION__INIT;
	Cpis__V1__ResponderWork work = CPIS__V1__RESPONDER_WORK__INIT;
	plans.nhs_number = op_text(number->digits);
	plans.details = details;
	plans.access = access_now(context);
	work.question_case = CPIS__V1__RESPONDER_WORK__QUESTION_PLANS;
	work.plans = &plans;
	if (plans.access == NULL)
		return REASON_INTERNAL;
	plans.access->time_ms = 0; // a retry asks the same
	switch (asking_put(context, &post, NEIGHBOUR_PATIENCE_MS, &work, &answer)) {
	case ASKING_ANSWERED:
		take_answer(context, answer, ret);
		return REASON_NONE;
	case ASKING_WAITS:
		return REASON_PARKED;
	case ASKING_NOT_AVAILABLE:
		// One sentence already stands there when silence was asked for and not allowed.
		if (context->detail->reason[0] == '\0')
			context->detail->reason = arena_printf(context->arena, "%.150s could not be asked.",
							       ret->organisation->name);
		return context->detail->reason == NULL ? REASON_INTERNAL : REASON_NONE;
	case ASKING_FAILED:
		break;
	}
	return REASON_INTERNAL;
}

bool neighbour_words(struct op_context *context, const struct neighbour *neighbour, bool known, struct neighbour_words *ret)
{
	*ret = (struct neighbour_words){.notice = op_text(known ? CHILD_NOTICE_KNOWN : CHILD_NOTICE_NONE)};
	if (neighbour->organisation == NULL || neighbour->available)
		return true;
	const char *name = neighbour->organisation->name, *rest = known ? NOT_ALL : NOT_A_NO;
	bool fits = strlen(name) + 1 + strlen(rest) <= TEXT_BYTES_MAX;
	ret->notice = arena_printf(context->arena, "%s %s", fits ? name : "Another register", rest);
	ret->not_available_from = arena_alloc(context->arena, sizeof *ret->not_available_from);
	if (ret->notice == NULL || ret->not_available_from == NULL)
		return false;
	ret->not_available_from[0] = op_text(name);
	ret->not_available_count = 1;
	return true;
}

enum reason neighbour_notify(struct op_context *context, const struct neighbour *neighbour, Cpis__V1__Access *access)
{
	Cpis__V1__PlanType types[PLAN_TYPES];
	Cpis__V1__AccessNotification notification = CPIS__V1__ACCESS_NOTIFICATION__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	if (neighbour->plan_count == 0)
		return REASON_NONE;
	notification.nhs_number = context->request->details->nhs_number;
	notification.plan_types = types;
	notification.access = access;
	notification.uid = context->session->uid;
	notification.audit_index = context->audit_index;
	notification.break_glass = context->decision.break_glass;
	notification.reason = context->request->details->reason;
	for (size_t i = 0; i < neighbour->plan_count; i++) {
		bool there = false;
		for (size_t j = 0; j < notification.n_plan_types; j++)
			there = there || types[j] == neighbour->plans[i]->type;
		if (!there)
			types[notification.n_plan_types++] = neighbour->plans[i]->type;
	}
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_ACCESS;
	item.access = &notification;
	return inbox_put(context, neighbour->organisation->ods.text, &item);
}
