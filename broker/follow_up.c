// Corrections go to everybody who ever saw what was wrong; changes to those who looked within a day.
#include "broker/follow_up.h"

#include <string.h>

#include "broker/access.h"
#include "broker/inbox.h"

// Looks read in one step, and those that are told of one plan in one day.
#define LOOKS_PER_STEP 50u

static char *name_of(struct op_context *context, const struct authority_state *state)
{
	const struct organisation *organisation = register_organisation(context->snapshot, &state->ods);
	return op_text(organisation == NULL ? state->ods.text : organisation->name);
}

// ------------------------------------------------------------------ who has been told

static bool was_told(const Cpis__Stored__V1__StoredFollowUp *cursor, const char *name)
{
	for (size_t i = 0; i < cursor->n_told; i++)
		if (strcmp(cursor->told[i], name) == 0)
			return true;
	return false;
}

static bool note_told(struct op_context *context, Cpis__Stored__V1__StoredFollowUp *cursor, char *name)
{
	size_t kept = cursor->n_told < FOLLOW_UP_TOLD_MAX ? cursor->n_told : FOLLOW_UP_TOLD_MAX - 1;
	char **more = arena_alloc(context->arena, (kept + 1) * sizeof *more);
	if (more == NULL)
		return false;
	if (kept > 0)
		memcpy(more, cursor->told + cursor->n_told - kept, kept * sizeof *more);
	more[kept] = name;
	cursor->told = more;
	cursor->n_told = kept + 1;
	return true;
}

// ------------------------------------------------------------------ corrections

static bool saw(const Cpis__Stored__V1__StoredAccess *access, const Cpis__Stored__V1__StoredPlan *plan)
{
	if (access->access->time_ms < plan->since_ms)
		return false;
	for (size_t i = 0; i < access->n_authorities; i++)
		if (strcmp(access->authorities[i], plan->authority) == 0)
			return true;
	return false;
}

// Each member of staff once, with the latest look.
static bool correct_one(struct op_context *context, const struct authority_state *state,
			const Cpis__Stored__V1__StoredPlan *plan, const Cpis__Stored__V1__StoredAccess *access,
			uint64_t audit_index, Cpis__Stored__V1__StoredFollowUp *cursor)
{
	char *name = arena_printf(context->arena, "%s %s", access->access->organisation, access->uid);
	if (name == NULL)
		return false;
	if (was_told(cursor, name))
		return true;
	Cpis__V1__CorrectionNotice notice = CPIS__V1__CORRECTION_NOTICE__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	notice.nhs_number = plan->nhs_number;
	notice.plan_type = plan->type;
	notice.authority = plan->authority;
	notice.authority_name = name_of(context, state);
	notice.access = access->access;
	notice.audit_index = audit_index;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_CORRECTION;
	item.correction = &notice;
	return inbox_put(context, access->access->organisation, &item) == REASON_NONE && note_told(context, cursor, name);
}

static enum follow_up correct(struct op_context *context, const struct authority_state *state,
			      const struct plan_version *version, Cpis__Stored__V1__StoredFollowUp *cursor)
{
	struct store_access *rows = NULL;
	size_t count = 0;
	if (context->store->ops->accesses_of(context->store, &version->subject, true, cursor->before_index, LOOKS_PER_STEP,
					     context->arena, &rows, &count) != STORE_OK)
		return FOLLOW_UP_FAILED;
	for (size_t i = 0; i < count; i++) {
		// One that does not open is in the operator's log; the others are told.
		bool erased = false;
		const Cpis__Stored__V1__StoredAccess *access = access_open(context, &rows[i], &erased);
		if (access != NULL && saw(access, version->plan) &&
		    !correct_one(context, state, version->plan, access, rows[i].audit_index, cursor))
			return FOLLOW_UP_FAILED;
	}
	if (count < LOOKS_PER_STEP)
		return FOLLOW_UP_DONE;
	cursor->before_index = rows[count - 1].audit_index;
	return cursor->before_index == 0 ? FOLLOW_UP_DONE : FOLLOW_UP_MORE;
}

// ------------------------------------------------------------------ changes

// A look that was answered, by somebody who may be treating the child.
static bool is_look(const Cpis__V1__AuditEntry *record)
{
	return record->outcome == CPIS__V1__OUTCOME__OK && (record->operation == CPIS__V1__OPERATION__DETAILS ||
							    record->operation == CPIS__V1__OPERATION__FLAG);
}

static bool tell_change(struct op_context *context, const struct authority_state *state,
			const Cpis__Stored__V1__StoredPlan *plan, bool ended, const Cpis__V1__AuditEntry *entry)
{
	struct ods_code ods;
	const struct organisation *organisation = NULL;
	if (ods_code_parse(entry->organisation, strlen(entry->organisation), &ods))
		organisation = register_organisation(context->snapshot, &ods);
	if (organisation == NULL)
		return true;
	Cpis__V1__Access access = CPIS__V1__ACCESS__INIT;
	Cpis__V1__PlanChangeNotice notice = CPIS__V1__PLAN_CHANGE_NOTICE__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	access.time_ms = entry->time_ms;
	access.name = entry->detail->name;
	access.role_code = entry->detail->role_code;
	access.role_name = entry->detail->role_name;
	access.organisation = entry->organisation;
	access.organisation_name = op_text(organisation->name);
	access.care_setting = entry->detail->care_setting;
	notice.nhs_number = plan->nhs_number;
	notice.authority = plan->authority;
	notice.authority_name = name_of(context, state);
	notice.ended = ended;
	notice.access = &access;
	notice.audit_index = entry->index;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_PLAN_CHANGE;
	item.plan_change = &notice;
	return inbox_put(context, entry->organisation, &item) == REASON_NONE;
}

// Each organisation once, with its latest look. Also those who found nothing: a plan that is new is news to them most of all.
static bool tell_lookers(struct op_context *context, const struct authority_state *state, const struct store_tag *subject,
			 const Cpis__Stored__V1__StoredPlan *plan, bool ended, uint64_t before_index)
{
	struct audit_search search = {
		.range = {.key = STORE_AUDIT_SUBJECT,
			  .until_index = UINT64_MAX,
			  .from_ms = context->now_ms > FOLLOW_UP_RECENT_MS ? context->now_ms - FOLLOW_UP_RECENT_MS : 0,
			  .until_ms = UINT64_MAX,
			  .limit = LOOKS_PER_STEP},
		.tag = *subject,
	};
	struct store_audit *rows = NULL;
	Cpis__Stored__V1__StoredFollowUp told = CPIS__STORED__V1__STORED_FOLLOW_UP__INIT;
	size_t count = 0;
	if (audit_find(context->audit, &search, context->arena, &rows, &count) != STORE_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		const Cpis__V1__AuditEntry *entry = audit_entry(context->audit, context->arena, &rows[i]);
		if (entry == NULL || entry->index >= before_index || !is_look(entry) || was_told(&told, entry->organisation))
			continue;
		if (!tell_change(context, state, plan, ended, entry) ||
		    !note_told(context, &told, entry->organisation))
			return false;
	}
	return true;
}

// A step has a hundred versions, and each as many records of the log: one after another they take the same room.
static bool tell_changes(struct op_context *context, const struct authority_state *state, const struct store_tag *subject,
			 const Cpis__Stored__V1__StoredPlan *plan, bool ended, uint64_t before_index)
{
	size_t used = context->arena->used;
	bool told = tell_lookers(context, state, subject, plan, ended, before_index);
	arena_rewind(context->arena, used);
	return told;
}

// ------------------------------------------------------------------ versions

static bool begins_later(struct op_context *context, const Cpis__Stored__V1__StoredPlan *plan)
{
	struct date start;
	return date_parse(plan->start_date, strlen(plan->start_date), &start) &&
	       start.day > english_time_of(context->now_ms).date.day;
}

// The audit record since which a version is shown: a file's are shown from its commit on, not from when they were sent.
static uint64_t shown_from(const struct authority_state *state, const struct plan_version *version)
{
	const Cpis__Stored__V1__StoredPublication *last = state->stored->last;
	return last != NULL && last->generation == version->generation ? last->report->audit_index
								       : version->plan->audit_index;
}

static enum follow_up tell(struct op_context *context, const struct authority_state *state, const struct plan_version *before,
			   const struct plan_version *now, Cpis__Stored__V1__StoredFollowUp *cursor)
{
	const Cpis__Stored__V1__StoredPlan *plan = now->plan;
	bool was_withdrawn = before->found && before->plan->delete_date[0] != '\0';
	if (plan->delete_date[0] != '\0')
		return before->found && !was_withdrawn ? correct(context, state, before, cursor) : FOLLOW_UP_DONE;
	bool same = before->found && !was_withdrawn &&
		    strcmp(before->plan->start_date, plan->start_date) == 0 &&
		    strcmp(before->plan->end_date, plan->end_date) == 0;
	if (same || begins_later(context, plan))
		return FOLLOW_UP_DONE;
	bool ended = plan->end_date[0] != '\0' && plan_is_open(before);
	return tell_changes(context, state, &now->subject, plan, ended, shown_from(state, now)) ? FOLLOW_UP_DONE : FOLLOW_UP_FAILED;
}

static bool remove_before(struct op_context *context, const struct store_tag *slot, uint64_t generation)
{
	struct store_plan row;
	enum store_status status;
	while ((status = context->store->ops->plan_get(context->store, slot, generation - 1, context->arena, &row)) == STORE_OK)
		if (context->store->ops->plan_delete(context->store, slot, row.generation) != STORE_OK)
			return false;
	return status == STORE_NOT_FOUND;
}

enum follow_up follow_up_version(struct op_context *context, const struct authority_state *state, const struct store_plan *row,
				 Cpis__Stored__V1__StoredFollowUp *cursor)
{
	struct plan_version now, before;
	enum reason reason = plan_at(context, &row->slot, row->generation, &now);
	if (reason == REASON_NONE)
		reason = plan_before(context, state, &row->slot, row->generation, &before);
	// What does not open is in the operator's log and stays for them to look at.
	if (reason == REASON_INTERNAL)
		return FOLLOW_UP_DONE;
	if (reason != REASON_NONE)
		return FOLLOW_UP_FAILED;
	// What vanished in an earlier file has its end; what is in this one did not vanish.
	before.vanished = false;
	enum follow_up told = tell(context, state, &before, &now, cursor);
	if (told == FOLLOW_UP_DONE && !remove_before(context, &row->slot, row->generation))
		return FOLLOW_UP_FAILED;
	return told;
}

enum follow_up follow_up_vanished(struct op_context *context, const struct authority_state *state,
				  const struct store_plan *row)
{
	Cpis__Stored__V1__StoredPlan *plan = plan_open(context, row);
	if (plan == NULL || !plan_has_vanished(state, row->generation, plan))
		return FOLLOW_UP_DONE;
	plan->end_date = state->stored->full_date;
	plan->published_ms = context->now_ms;
	bool shown = !begins_later(context, plan);
	plan->audit_index = state->stored->last_full->report->audit_index;
	if (plan_put(context, &state->ods, &row->slot, &row->subject, row->generation, plan) != REASON_NONE)
		return FOLLOW_UP_FAILED;
	return !shown || tell_changes(context, state, &row->subject, plan, true, plan->audit_index) ? FOLLOW_UP_DONE : FOLLOW_UP_FAILED;
}
