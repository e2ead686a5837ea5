// DETAILS: step two, an access. Shows the plans, whom to ring and who else looked; unless the look is a silent
// one, it enters the child's access history and the inbox of every authority whose plan was shown.
#include <string.h>

#include "broker/access.h"
#include "broker/alert.h"
#include "broker/child.h"
#include "broker/log.h"
#include "broker/neighbour.h"
#include "broker/notify.h"
#include "broker/visibility.h"
#include "proto/date.h"

static enum reason show_authority(struct op_context *context, const struct child_plan *from, Cpis__V1__Authority **ret)
{
	const struct authority_state *state = from->authority;
	const char *ods_text = from->stored->authority;
	const Cpis__V1__Contacts *contacts = authority_contacts(state, english_time_of(context->now_ms).date);
	Cpis__V1__Authority *authority = OP_NEW(context, Cpis__V1__Authority, cpis__v1__authority__init);
	if (authority == NULL || contacts == NULL) {
		log_damage(LOG_EVENT_AUTHORITY_UNREADABLE, "authority %s has plans and no contacts", ods_text);
		return REASON_INTERNAL;
	}
	const struct organisation *registered = register_organisation(context->snapshot, &state->ods);
	bool office_hours = false;
	authority->organisation = op_text(ods_text);
	// An authority that has left the register is still the one to ring.
	authority->name = registered == NULL ? op_text(ods_text) : op_text(registered->name);
	authority->emergency_duty_telephone = contacts->emergency_duty_telephone;
	authority->office_hours_telephone = contacts->office_hours_telephone;
	authority->ring_now = op_text(visibility_ring_now(contacts->emergency_duty_telephone,
							  contacts->office_hours_telephone, context->now_ms,
							  &office_hours));
	authority->office_hours_now = office_hours;
	authority->last_published_ms = state->last_published_ms;
	authority->contacts_confirmed_ms = contacts->last_confirmed_ms;
	authority->contacts_stale = authority_contacts_stale(context, contacts);
	*ret = authority;
	return REASON_NONE;
}

// As many as the reply shows: nobody is told of a plan that was not seen.
static size_t shown(const struct child *child)
{
	return child->plan_count < PLANS_PER_CHILD_MAX ? child->plan_count : PLANS_PER_CHILD_MAX;
}

static enum reason add_plans(struct op_context *context, const struct child *child, Cpis__V1__DetailsReply *reply)
{
	size_t count = shown(child);
	reply->plans = arena_alloc(context->arena, PLANS_PER_CHILD_MAX * sizeof *reply->plans);
	if (reply->plans == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		const struct child_plan *from = &child->plans[i];
		Cpis__V1__Plan *plan = OP_NEW(context, Cpis__V1__Plan, cpis__v1__plan__init);
		if (plan == NULL)
			return REASON_INTERNAL;
		plan->type = from->stored->type;
		plan->status = from->status;
		plan->start_date = from->stored->start_date;
		plan->end_date = from->end_date;
		enum reason reason = show_authority(context, from, &plan->authority);
		if (reason != REASON_NONE)
			return reason;
		reply->plans[reply->n_plans++] = plan;
	}
	return REASON_NONE;
}

// Behind ours, as many as the reply has room for.
static void add_neighbours_plans(struct neighbour *neighbour, Cpis__V1__DetailsReply *reply)
{
	if (neighbour->plan_count > PLANS_PER_CHILD_MAX - reply->n_plans)
		neighbour->plan_count = PLANS_PER_CHILD_MAX - reply->n_plans;
	for (size_t i = 0; i < neighbour->plan_count; i++)
		reply->plans[reply->n_plans++] = neighbour->plans[i];
}

static enum reason add_history(struct op_context *context, const struct access_history *history,
			       Cpis__V1__DetailsReply *reply)
{
	reply->accesses = arena_alloc(context->arena, (history->count + 1) * sizeof *reply->accesses);
	if (reply->accesses == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < history->count; i++)
		reply->accesses[reply->n_accesses++] = history->looks[i]->access;
	return REASON_NONE;
}

// None of the records has it: of two authorities one may be mistaken. Neighbours say no birth dates.
static bool birth_date_differs(const struct op_context *context, const struct child *child)
{
	const char *said = context->request->details->birth_date;
	bool differs = said[0] != '\0' && shown(child) > 0;
	for (size_t i = 0; i < shown(child); i++)
		differs = differs && child->plans[i].stored->birth_date[0] != '\0' && strcmp(child->plans[i].stored->birth_date, said) != 0;
	return differs;
}

// The look as it enters the history, and whom it was told. A silent look is remembered too: if what was seen was wrong, whoever
// saw it is told.
static enum reason put_look(struct op_context *context, const struct notify_look *look, const struct neighbour *neighbour)
{
	const struct child *child = look->child;
	Cpis__Stored__V1__StoredAccess stored = CPIS__STORED__V1__STORED_ACCESS__INIT;
	stored.access = look->access;
	stored.uid = context->session->uid;
	stored.authorities = arena_alloc(context->arena, (shown(child) + 1) * sizeof *stored.authorities);
	if (stored.authorities == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < shown(child); i++)
		if (!notify_named_before(child, i))
			stored.authorities[stored.n_authorities++] = child->plans[i].stored->authority;
	if (neighbour->plan_count > 0)
		stored.authorities[stored.n_authorities++] = op_text(neighbour->organisation->ods.text);
	if (context->decision.notify) {
		enum reason reason = notify_authorities(context, look, &stored);
		if (reason == REASON_NONE)
			reason = neighbour_notify(context, neighbour, look->access);
		if (reason != REASON_NONE)
			return reason;
	}
	return access_put(context, &stored, !context->decision.notify);
}

static enum reason fill_words(struct op_context *context, const struct neighbour *neighbour, Cpis__V1__DetailsReply *reply)
{
	struct neighbour_words words;
	if (!neighbour_words(context, neighbour, reply->n_plans > 0, &words))
		return REASON_INTERNAL;
	reply->notice = words.notice;
	reply->not_available_from = words.not_available_from;
	reply->n_not_available_from = words.not_available_count;
	return REASON_NONE;
}

static enum reason alert_glass(struct op_context *context)
{
	Cpis__V1__Alert alert = CPIS__V1__ALERT__INIT;
	alert.kind = CPIS__V1__ALERT_KIND__BREAK_GLASS;
	alert.audit_index = context->audit_index;
	log_event(LOG_EVENT_GLASS_BROKEN, "at %s: audit record %llu", context->session->organisation.text,
		  (unsigned long long)context->audit_index);
	return alert_put(context, &context->session->organisation, context->session->uid, &alert);
}

enum reason op_details(struct op_context *context)
{
	struct child child;
	struct neighbour neighbour;
	struct date born;
	const char *said = context->request->details->birth_date;
	if (said[0] != '\0' && !date_parse(said, strlen(said), &born))
		return REASON_BIRTH_DATE;
	enum reason reason = child_load(context, context->request->details->nhs_number, &child);
	if (reason == REASON_NONE)
		reason = neighbour_ask(context, &child.number, true, &neighbour);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__DetailsReply *reply = OP_NEW(context, Cpis__V1__DetailsReply, cpis__v1__details_reply__init);
	Cpis__V1__Access *access = access_now(context);
	if (reply == NULL || access == NULL)
		return REASON_INTERNAL;
	reply->assembled_ms = context->now_ms;
	reply->birth_date_differs = birth_date_differs(context, &child);
	if ((reason = add_plans(context, &child, reply)) != REASON_NONE)
		return reason;
	add_neighbours_plans(&neighbour, reply);
	if ((reason = fill_words(context, &neighbour, reply)) != REASON_NONE)
		return reason;
	if (reply->n_plans > 0) {
		struct access_history history;
		struct notify_look look = {&child, shown(&child), access, &history};
		if ((reason = access_history_load(context, &history)) != REASON_NONE ||
		    (reason = add_history(context, &history, reply)) != REASON_NONE ||
		    // The store changes from here on: nothing below refuses.
		    (reason = put_look(context, &look, &neighbour)) != REASON_NONE)
			return reason;
		reply->notified = context->decision.notify;
	}
	// Whatever was found: that it was broken is to be looked into.
	if (context->decision.break_glass && (reason = alert_glass(context)) != REASON_NONE)
		return reason;
	context->detail->notified = reply->notified;
	context->reply->details = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_DETAILS;
	return REASON_NONE;
}
