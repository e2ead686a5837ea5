// Access notifications.
#include "broker/notify.h"

#include <string.h>

#include "broker/access.h"

#define MINUTE_MS (60ull * 1000u)
#define HOUR_MS (60u * MINUTE_MS)

bool notify_named_before(const struct child *child, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (strcmp(child->plans[i].stored->authority, child->plans[number].stored->authority) == 0)
			return true;
	return false;
}

// ------------------------------------------------------------------ told before

static bool names(char *const *authorities, size_t count, const char *authority)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(authorities[i], authority) == 0)
			return true;
	return false;
}

// Of a child at whom so many others look that this person's look is not among them, all are told again. Counted from the look
// that was told, not from the last one: who looks every nine minutes is told of every other time.
static bool told_lately(const struct op_context *context, const struct access_history *earlier, const char *authority,
			uint32_t minutes)
{
	for (size_t i = 0; i < earlier->count; i++) {
		const Cpis__Stored__V1__StoredAccess *look = earlier->looks[i];
		bool lately = look->access->time_ms <= context->now_ms &&
			      context->now_ms - look->access->time_ms < minutes * MINUTE_MS;
		if (lately && strcmp(look->uid, context->session->uid) == 0 &&
		    strcmp(look->access->organisation, context->organisation->ods.text) == 0 &&
		    names(look->told, look->n_told, authority))
			return true;
	}
	return false;
}

// ------------------------------------------------------------------ telling

static bool is_urgent(const struct op_context *context, const struct notify_look *look, const char *authority)
{
	if (context->decision.break_glass)
		return true;
	if (policy_setting_is_scheduled(context->policy, context->decision.care_setting))
		return false;
	for (size_t i = 0; i < look->shown; i++)
		if (look->child->plans[i].status == CPIS__V1__PLAN_STATUS__CURRENT &&
		    strcmp(look->child->plans[i].stored->authority, authority) == 0)
			return true;
	return false;
}

// One notification, naming that authority's plans only.
static enum reason tell(struct op_context *context, const struct notify_look *look, const char *authority, bool hold)
{
	Cpis__V1__PlanType types[PLAN_TYPES_MAX];
	Cpis__V1__AccessNotification notification = CPIS__V1__ACCESS_NOTIFICATION__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	notification.nhs_number = op_text(look->child->number.digits);
	notification.plan_types = types;
	notification.access = look->access;
	notification.uid = context->session->uid;
	notification.audit_index = context->audit_index;
	notification.break_glass = context->decision.break_glass;
	notification.reason = context->request->details->reason;
	for (size_t i = 0; i < look->shown; i++) {
		const Cpis__Stored__V1__StoredPlan *plan = look->child->plans[i].stored;
		if (strcmp(plan->authority, authority) != 0)
			continue;
		if (notification.n_plan_types < PLAN_TYPES_MAX)
			types[notification.n_plan_types++] = plan->type;
		if (notification.local_id[0] == '\0')
			notification.local_id = plan->local_id;
	}
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_ACCESS;
	item.access = &notification;
	return hold ? inbox_hold(context, authority, &item, (context->now_ms / HOUR_MS + 1) * HOUR_MS)
		    : inbox_put(context, authority, &item);
}

static struct inbox_settings settings_of(const struct op_context *context, const char *authority)
{
	struct ods_code ods;
	const struct organisation *organisation =
		ods_code_parse(authority, strlen(authority), &ods) ? register_organisation(context->snapshot, &ods) : NULL;
	return organisation == NULL ? register_inbox_defaults(ORGANISATION_LOCAL_AUTHORITY) : organisation->inbox;
}

enum reason notify_authorities(struct op_context *context, const struct notify_look *look,
			       Cpis__Stored__V1__StoredAccess *stored)
{
	enum reason reason = REASON_NONE;
	stored->told = arena_alloc(context->arena, (look->shown + 1) * sizeof *stored->told);
	if (stored->told == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < look->shown && reason == REASON_NONE; i++) {
		char *authority = look->child->plans[i].stored->authority;
		struct inbox_settings settings = settings_of(context, authority);
		if (notify_named_before(look->child, i) ||
		    (!context->decision.break_glass && told_lately(context, look->earlier, authority, settings.same_look_minutes)))
			continue;
		stored->told[stored->n_told++] = authority;
		reason = tell(context, look, authority, settings.digest_hourly && !is_urgent(context, look, authority));
	}
	if (reason == REASON_NONE && look->shown > 0 && stored->n_told == 0 && context->detail->reason[0] == '\0')
		context->detail->reason = op_text("The authorities were told of this person's look at this child minutes ago.");
	return reason;
}
