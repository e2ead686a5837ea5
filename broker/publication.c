// Staging and counting of records.
#include "broker/publication.h"

#include <stdio.h>
#include <string.h>

#include "broker/demographics.h"
#include "broker/digest.h"
#include "broker/plan.h"
#include "broker/plan_check.h"
#include "broker/sealed.h"

// One record on its way in.
struct entry {
	const Cpis__V1__PlanRecord *record;
	const Cpis__V1__DemographicsMatch *match; // NULL: nobody was asked
	struct nhs_number number;
	struct store_tag slot, subject;
	bool has_slot;                            // the number is one, and the type too
	struct plan_version held;                 // what is shown of this slot
	struct plan_version staged;               // what this file said of it before
	struct plan_fault fault;
};

// ------------------------------------------------------------------ judging

static enum reason find_versions(struct op_context *context, const struct authority_state *state, uint64_t generation,
				 struct entry *entry)
{
	const Cpis__V1__PlanRecord *record = entry->record;
	entry->has_slot = entry->number.digits[0] != '\0' && record->type >= CPIS__V1__PLAN_TYPE__CPP &&
			  record->type <= CPIS__V1__PLAN_TYPE__UCPP;
	if (!entry->has_slot)
		return REASON_NONE;
	vault_tag_slot(context->vault, &entry->number, &state->ods, (unsigned)record->type, &entry->slot);
	vault_tag_subject(context->vault, &entry->number, &entry->subject);
	enum reason reason = plan_held(context, state, &entry->slot, &entry->held);
	return reason == REASON_NONE ? plan_at(context, &entry->slot, generation, &entry->staged) : reason;
}

static bool same_end(const struct entry *entry)
{
	return entry->held.found && strcmp(entry->held.plan->end_date, entry->record->end_date) == 0;
}

// What the record alone does not tell.
static struct plan_fault check_beside(struct op_context *context, const struct entry *entry, struct date today)
{
	struct plan_fault fault = {CPIS__V1__RECORD_CODE__CPR06, NULL, NULL};
	if (entry->staged.found && !entry->staged.plan->kept) {
		const char *text = arena_printf(context->arena, "The same NHS number and plan type stand in row %u.",
						entry->staged.plan->row);
		return plan_reject("nhs_number", text == NULL ? "The same NHS number and plan type stand before." : text);
	}
	if (entry->record->delete_date[0] != '\0' && !entry->held.found)
		return plan_reject("delete_date", "This authority has no such record to withdraw.");
	if (!same_end(entry))
		fault = plan_check_late_end(entry->record, today);
	// What should not be here is withdrawn whatever the demographics service says.
	if (fault.field == NULL && entry->match != NULL && entry->record->delete_date[0] == '\0')
		fault = plan_check_match(entry->record, entry->match);
	return fault;
}

static enum reason judge(struct op_context *context, const struct authority_state *state, uint64_t generation,
			 struct entry *entry)
{
	struct date today = english_time_of(context->now_ms).date;
	entry->fault = plan_check(entry->record, today, &entry->number);
	enum reason reason = find_versions(context, state, generation, entry);
	if (reason == REASON_NONE && entry->fault.field == NULL)
		entry->fault = check_beside(context, entry, today);
	return reason;
}

// ------------------------------------------------------------------ writing

static bool same_dates(const Cpis__Stored__V1__StoredPlan *held, const Cpis__V1__PlanRecord *record)
{
	return strcmp(held->start_date, record->start_date) == 0 && strcmp(held->end_date, record->end_date) == 0 &&
	       strcmp(held->delete_date, record->delete_date) == 0;
}

static Cpis__V1__RecordChange change_of(const struct entry *entry)
{
	const Cpis__V1__PlanRecord *record = entry->record;
	const Cpis__Stored__V1__StoredPlan *held = entry->held.plan;
	bool withdrawn = entry->held.found && held->delete_date[0] != '\0';
	if (!entry->held.found || (withdrawn && record->delete_date[0] == '\0'))
		return CPIS__V1__RECORD_CHANGE__NEW;
	if (record->delete_date[0] != '\0' && !withdrawn)
		return CPIS__V1__RECORD_CHANGE__WITHDRAWN;
	if (!entry->held.vanished && same_dates(held, record) && strcmp(held->local_id, record->local_id) == 0 &&
	    strcmp(held->birth_date, record->birth_date) == 0)
		return CPIS__V1__RECORD_CHANGE__UNCHANGED;
	return record->end_date[0] != '\0' && plan_is_open(&entry->held) ? CPIS__V1__RECORD_CHANGE__ENDS
									 : CPIS__V1__RECORD_CHANGE__CHANGED;
}

static void count_change(Cpis__V1__PublicationReport *report, Cpis__V1__RecordChange change)
{
	report->stored++;
	switch (change) {
	case CPIS__V1__RECORD_CHANGE__NEW:
		report->created++;
		break;
	case CPIS__V1__RECORD_CHANGE__CHANGED:
		report->changed++;
		break;
	case CPIS__V1__RECORD_CHANGE__ENDS:
		report->ended++;
		break;
	case CPIS__V1__RECORD_CHANGE__WITHDRAWN:
		report->withdrawn++;
		break;
	default:
		report->unchanged++;
	}
}

static enum reason store_record(struct op_context *context, const struct authority_state *state,
				Cpis__Stored__V1__StoredPublication *file, const struct entry *entry)
{
	const Cpis__V1__PlanRecord *record = entry->record;
	Cpis__Stored__V1__StoredPlan plan = CPIS__STORED__V1__STORED_PLAN__INIT;
	plan.nhs_number = op_text(entry->number.digits);
	plan.authority = op_text(state->ods.text);
	plan.type = record->type;
	plan.start_date = record->start_date;
	plan.end_date = record->end_date;
	plan.delete_date = record->delete_date;
	plan.local_id = record->local_id;
	plan.birth_date = record->birth_date;
	plan.published_ms = context->now_ms;
	// What was withdrawn and is said again is another one: whoever saw the first has been told.
	bool goes_on = entry->held.found && entry->held.plan->delete_date[0] == '\0';
	plan.since_ms = goes_on || record->delete_date[0] != '\0' ? entry->held.plan->since_ms : context->now_ms;
	plan.audit_index = context->audit_index;
	plan.row = record->row;
	bool was_open = plan_is_open(&entry->held), is_open = record->end_date[0] == '\0' && record->delete_date[0] == '\0';
	// A record that was rejected before and came again has been counted as met.
	file->met += was_open && !entry->staged.found;
	file->opened += is_open && !was_open;
	file->closed += was_open && !is_open;
	return plan_put(context, &state->ods, &entry->slot, &entry->subject, file->generation, &plan);
}

// What was wrong with a record does not make the plan vanish that is held.
static enum reason keep_held(struct op_context *context, const struct authority_state *state,
			     Cpis__Stored__V1__StoredPublication *file, const struct entry *entry)
{
	if (file->report->kind != CPIS__V1__PUBLICATION_KIND__FULL || !entry->held.found || entry->held.vanished ||
	    entry->staged.found)
		return REASON_NONE;
	Cpis__Stored__V1__StoredPlan plan = *entry->held.plan;
	plan.kept = true;
	file->met += plan_is_open(&entry->held);
	return plan_put(context, &state->ods, &entry->slot, &entry->subject, file->generation, &plan);
}

static enum reason keep_rejection(struct op_context *context, const struct authority_state *state,
				  const Cpis__Stored__V1__StoredPublication *file, const struct entry *entry,
				  const Cpis__V1__RecordOutcome *outcome)
{
	struct store *store = context->store;
	const Cpis__Stored__V1__StoredPublication *last = state->stored->last;
	struct store_rejection row = {
		.authority = state->ods,
		.generation = last == NULL ? 0 : last->generation,
		.code = (uint32_t)entry->fault.code,
	};
	snprintf(row.field, sizeof row.field, "%s", entry->fault.field);
	vault_tag_record(context->vault, entry->record->nhs_number, (unsigned)entry->record->type, &row.record);
	enum store_status status = store->ops->rejection_since(store, &row, &row.since_ms);
	if (status == STORE_NOT_FOUND)
		row.since_ms = context->now_ms;
	else if (status != STORE_OK)
		return REASON_STORE;
	row.generation = file->generation;
	row.place = file->report->received;
	row.sealed = sealed_make(context->vault, context->arena, VAULT_REJECTION, state->ods.text, strlen(state->ods.text),
				 &outcome->base);
	if (row.sealed.data == NULL)
		return REASON_STORE;
	return store->ops->rejection_put(store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

// ------------------------------------------------------------------ one record

static enum reason take_one(struct op_context *context, const struct authority_state *state,
			    Cpis__Stored__V1__StoredPublication *file, struct entry *entry, bool keep_rejected,
			    Cpis__V1__RecordOutcome *outcome)
{
	Cpis__V1__PublicationReport *report = file->report;
	enum reason reason = judge(context, state, file->generation, entry);
	if (reason != REASON_NONE)
		return reason;
	outcome->row = entry->record->row;
	outcome->code = entry->fault.code;
	if (entry->fault.field == NULL) {
		outcome->change = change_of(entry);
		count_change(report, outcome->change);
		reason = store_record(context, state, file, entry);
	} else {
		outcome->field = op_text(entry->fault.field);
		outcome->detail = op_text(entry->fault.detail);
		file->unmatched += entry->fault.code <= CPIS__V1__RECORD_CODE__CPR05;
		report->rejected++;
		if (entry->has_slot)
			reason = keep_held(context, state, file, entry);
		if (reason == REASON_NONE && keep_rejected)
			reason = keep_rejection(context, state, file, entry, outcome);
	}
	report->received++;
	return reason;
}

// One place for each record: its match, or NULL when the service is not asked about it. A record that cannot be stored anyway
// is nobody else's business, and one that is withdrawn may have been of the wrong number.
static enum reason match_records(struct op_context *context, Cpis__V1__PlanRecord *const *records, size_t count,
				 const Cpis__V1__DemographicsMatch **matches, bool *ret_checked)
{
	Cpis__V1__PlanRecord *asked[PUBLISH_RECORDS_MAX];
	const Cpis__V1__DemographicsMatch *found[PUBLISH_RECORDS_MAX];
	size_t places[PUBLISH_RECORDS_MAX], asked_count = 0;
	struct date today = english_time_of(context->now_ms).date;
	for (size_t i = 0; i < count; i++) {
		struct nhs_number ignored;
		matches[i] = NULL;
		if (records[i]->delete_date[0] != '\0' || plan_check(records[i], today, &ignored).field != NULL)
			continue;
		places[asked_count] = i;
		asked[asked_count++] = records[i];
	}
	enum reason reason = demographics_check(context, asked, asked_count, found, ret_checked);
	for (size_t i = 0; reason == REASON_NONE && *ret_checked && i < asked_count; i++)
		matches[places[i]] = found[i];
	return reason;
}

enum reason publication_take(struct op_context *context, const struct authority_state *state,
			     Cpis__Stored__V1__StoredPublication *file, Cpis__V1__PlanRecord *const *records, size_t count,
			     bool keep_rejected, Cpis__V1__RecordOutcome **ret_outcomes)
{
	const Cpis__V1__DemographicsMatch *matches[PUBLISH_RECORDS_MAX];
	bool checked = false;
	enum reason reason = match_records(context, records, count, matches, &checked);
	if (reason != REASON_NONE)
		return reason;
	file->checked = checked;
	for (size_t i = 0; i < count; i++) {
		struct entry entry = {.record = records[i], .match = matches[i]};
		ret_outcomes[i] = OP_NEW(context, Cpis__V1__RecordOutcome, cpis__v1__record_outcome__init);
		// Earlier records may be in the batch: whatever fails, it is given up.
		if (ret_outcomes[i] == NULL ||
		    take_one(context, state, file, &entry, keep_rejected, ret_outcomes[i]) != REASON_NONE)
			return REASON_STORE;
	}
	return REASON_NONE;
}

// ------------------------------------------------------------------ the file

bool publication_changes(const Cpis__V1__PublicationReport *report)
{
	return report->created + report->changed + report->ended + report->withdrawn + report->vanished > 0;
}

Cpis__V1__FileOutcome publication_outcome(uint32_t received, uint32_t stored)
{
	if (stored == received)
		return CPIS__V1__FILE_OUTCOME__CPF02;
	return stored > 0 ? CPIS__V1__FILE_OUTCOME__CPF03 : CPIS__V1__FILE_OUTCOME__CPF04;
}

void publication_judge(const struct authority_state *state, Cpis__Stored__V1__StoredPublication *file)
{
	Cpis__V1__PublicationReport *report = file->report;
	report->outcome = publication_outcome(report->received, report->stored);
	report->held = state->stored->held;
	// A file of which nothing could be stored says nothing of what is not in it.
	report->vanished = report->kind == CPIS__V1__PUBLICATION_KIND__FULL && report->stored > 0 ? report->held - file->met : 0;
}

void publication_show(struct op_context *context, struct authority_state *state,
		      const Cpis__Stored__V1__StoredPublication *file)
{
	state->stored->committed = file->generation;
	state->stored->held += file->opened;
	state->stored->held -= file->closed + file->report->vanished;
	state->last_published_ms = context->now_ms;
}

enum reason publication_find(const struct authority_state *state, const ProtobufCBinaryData *id,
			     Cpis__Stored__V1__StoredPublication **ret)
{
	Cpis__Stored__V1__StoredPublication *open = state->stored->open;
	if (open == NULL || open->report->publication_id.len != id->len ||
	    memcmp(open->report->publication_id.data, id->data, id->len) != 0)
		return REASON_PUBLICATION_UNKNOWN;
	*ret = open;
	return open->generation == 0 ? REASON_PUBLICATION_STALE : REASON_NONE;
}

enum reason publication_own_state(struct op_context *context, struct authority_state *ret)
{
	return authority_state_load(context, &context->session->organisation, ret);
}

bool publication_digest(struct op_context *context, const Cpis__V1__PlanRecord *record, uint8_t digest[HASH_BYTES])
{
	size_t bytes = protobuf_c_message_get_packed_size(&record->base);
	uint8_t *link = arena_alloc(context->arena, HASH_BYTES + bytes);
	if (link == NULL)
		return false;
	memcpy(link, digest, HASH_BYTES);
	protobuf_c_message_pack(&record->base, link + HASH_BYTES);
	digest_sha256(link, HASH_BYTES + bytes, digest);
	return true;
}
