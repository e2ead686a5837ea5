// DETAILS: step two, an access. Shows the plans, whom to ring and who else looked; unless the look is a silent
// one, it enters the child's access history and the inbox of every authority whose plan was shown.
#include <string.h>

#include "broker/access.h"
#include "broker/alert.h"
#include "broker/authority_state.h"
#include "broker/child.h"
#include "broker/inbox.h"
#include "broker/log.h"
#include "broker/visibility.h"

static enum reason open_authority(struct op_context *context, const char *ods_text, Cpis__V1__Authority **ret)
{
	struct ods_code ods;
	struct authority_state state;
	if (!ods_code_parse(ods_text, strlen(ods_text), &ods))
		return REASON_INTERNAL;
	enum reason reason = authority_state_load(context, &ods, &state);
	if (reason != REASON_NONE)
		return reason;
	const Cpis__V1__Contacts *contacts = authority_contacts(&state, english_time_of(context->now_ms).date);
	Cpis__V1__Authority *authority = OP_NEW(context, Cpis__V1__Authority, cpis__v1__authority__init);
	if (authority == NULL || contacts == NULL) {
		log_event(LOG_LEVEL_ERROR, "authority_unreadable", "authority %s has plans and no contacts", ods.text);
		return REASON_INTERNAL;
	}
	const struct organisation *registered = register_organisation(context->snapshot, &ods);
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
	authority->last_published_ms = state.last_published_ms;
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
	reply->plans = arena_alloc(context->arena, (count + 1) * sizeof *reply->plans);
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
		enum reason reason = open_authority(context, from->stored->authority, &plan->authority);
		if (reason != REASON_NONE)
			return reason;
		reply->plans[reply->n_plans++] = plan;
	}
	return REASON_NONE;
}

static enum reason add_history(struct op_context *context, Cpis__V1__DetailsReply *reply)
{
	struct store_access *rows = NULL;
	size_t count = 0;
	if (context->store->ops->accesses_of(context->store, &context->subject, false, 0, ACCESS_HISTORY_MAX,
					     context->arena, &rows, &count) != STORE_OK)
		return REASON_STORE;
	reply->accesses = arena_alloc(context->arena, (count + 1) * sizeof *reply->accesses);
	if (reply->accesses == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		const Cpis__Stored__V1__StoredAccess *stored = access_open(context, &rows[i]);
		if (stored == NULL)
			return REASON_INTERNAL;
		reply->accesses[reply->n_accesses++] = stored->access;
	}
	return REASON_NONE;
}

// Who is looking, as history and notifications show it.
static Cpis__V1__Access *this_access(struct op_context *context)
{
	Cpis__V1__Access *access = OP_NEW(context, Cpis__V1__Access, cpis__v1__access__init);
	if (access == NULL)
		return NULL;
	access->time_ms = context->now_ms;
	access->name = context->session->name;
	access->role_code = context->session->role_code;
	access->role_name = op_text(policy_role_name(context->policy, context->session->role_code));
	access->organisation = op_text(context->organisation->ods.text);
	access->organisation_name = op_text(context->organisation->name);
	access->care_setting = context->decision.care_setting;
	return access;
}

// Whether an earlier one of these plans is of the same authority.
static bool named_before(const struct child *child, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (strcmp(child->plans[i].stored->authority, child->plans[number].stored->authority) == 0)
			return true;
	return false;
}

static enum reason put_history(struct op_context *context, const struct child *child, Cpis__V1__Access *access)
{
	Cpis__Stored__V1__StoredAccess stored = CPIS__STORED__V1__STORED_ACCESS__INIT;
	stored.access = access;
	stored.uid = context->session->uid;
	stored.authorities = arena_alloc(context->arena, shown(child) * sizeof *stored.authorities);
	if (stored.authorities == NULL)
		return REASON_STORE;
	for (size_t i = 0; i < shown(child); i++)
		if (!named_before(child, i))
			stored.authorities[stored.n_authorities++] = child->plans[i].stored->authority;
	return access_put(context, &stored, !context->decision.notify);
}

// One notification for each authority whose plan was shown, naming that authority's plans only.
static enum reason notify(struct op_context *context, const struct child *child, Cpis__V1__Access *access)
{
	for (size_t i = 0; i < shown(child); i++) {
		const Cpis__Stored__V1__StoredPlan *plan = child->plans[i].stored;
		if (named_before(child, i))
			continue;
		Cpis__V1__PlanType types[3];
		Cpis__V1__AccessNotification notification = CPIS__V1__ACCESS_NOTIFICATION__INIT;
		notification.nhs_number = op_text(child->number.digits);
		notification.plan_types = types;
		notification.access = access;
		notification.uid = context->session->uid;
		notification.audit_index = context->audit_index;
		notification.break_glass = context->decision.break_glass;
		notification.reason = context->request->details->reason;
		for (size_t j = i; j < shown(child); j++) {
			const Cpis__Stored__V1__StoredPlan *same = child->plans[j].stored;
			if (strcmp(same->authority, plan->authority) != 0)
				continue;
			if (notification.n_plan_types < 3)
				types[notification.n_plan_types++] = same->type;
			if (notification.local_id[0] == '\0')
				notification.local_id = same->local_id;
		}
		Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
		item.kind_case = CPIS__V1__INBOX_ITEM__KIND_ACCESS;
		item.access = &notification;
		enum reason reason = inbox_put(context, plan->authority, &item);
		if (reason != REASON_NONE)
			return reason;
	}
	return REASON_NONE;
}

enum reason op_details(struct op_context *context)
{
	struct child child;
	enum reason reason = child_load(context, context->request->details->nhs_number, &child);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__DetailsReply *reply = OP_NEW(context, Cpis__V1__DetailsReply, cpis__v1__details_reply__init);
	Cpis__V1__Access *access = this_access(context);
	if (reply == NULL || access == NULL)
		return REASON_INTERNAL;
	reply->notice = op_text(child.plan_count > 0 ? CHILD_NOTICE_KNOWN : CHILD_NOTICE_NONE);
	reply->assembled_ms = context->now_ms;
	if (child.plan_count > 0) {
		if ((reason = add_plans(context, &child, reply)) != REASON_NONE ||
		    (reason = add_history(context, reply)) != REASON_NONE)
			return reason;
		// From here on the store changes: nothing below refuses.
		// A silent look is remembered too: if what was seen was wrong, whoever saw it is told.
		if ((reason = put_history(context, &child, access)) != REASON_NONE ||
		    (context->decision.notify && (reason = notify(context, &child, access)) != REASON_NONE))
			return reason;
		reply->notified = context->decision.notify;
	}
	// Whatever was found: that it was broken is to be looked into.
	if (context->decision.break_glass && (reason = alert_put(context)) != REASON_NONE)
		return reason;
	context->detail->notified = reply->notified;
	context->reply->details = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_DETAILS;
	return REASON_NONE;
}
