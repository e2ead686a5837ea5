// PUBLISH: a local authority states, corrects, ends or withdraws plans of its own. Bad records are reported by
// row and leave the good ones alone.
#include <stdio.h>
#include <string.h>

#include "broker/child.h"
#include "broker/demographics.h"
#include "broker/sealed.h"
#include "proto/date.h"
#include "proto/text.h"

// Why a record is not stored: which field, and a sentence. NULL field: it is fine.
struct fault {
	Cpis__V1__RecordCode code;
	const char *field;
	const char *detail;
};

static const struct fault no_fault = {CPIS__V1__RECORD_CODE__CPR06, NULL, NULL};

static struct fault reject(const char *field, const char *detail)
{
	return (struct fault){CPIS__V1__RECORD_CODE__CPR07, field, detail};
}

static bool date_or_empty(const char *text, struct date *ret)
{
	return text[0] == '\0' || date_parse(text, strlen(text), ret);
}

// A plan cannot have begun in the far future or before anybody who is a child today was expected.
#define START_YEARS_BACK_MAX 25
#define START_MONTHS_AHEAD_MAX 12

static struct fault check_dates(const Cpis__V1__PlanRecord *record, struct date today)
{
	struct date start, end, removed;
	if (!date_parse(record->start_date, strlen(record->start_date), &start))
		return reject("start_date", "The start date must be a date, as YYYY-MM-DD.");
	if (start.day < date_add_months(today, -12 * START_YEARS_BACK_MAX).day ||
	    start.day > date_add_months(today, START_MONTHS_AHEAD_MAX).day)
		return reject("start_date", "The start date is more than 25 years ago or 12 months ahead.");
	if (!date_or_empty(record->end_date, &end))
		return reject("end_date", "The end date must be a date, as YYYY-MM-DD, or empty.");
	if (record->end_date[0] != '\0' && end.day < start.day)
		return reject("end_date", "The end date is before the start date.");
	if (!date_or_empty(record->delete_date, &removed))
		return reject("delete_date", "The delete date must be a date, as YYYY-MM-DD, or empty.");
	return no_fault;
}

static struct fault check_record(const Cpis__V1__PlanRecord *record, struct date today, struct nhs_number *ret_number)
{
	enum nhs_number_status number =
		nhs_number_parse(record->nhs_number, strlen(record->nhs_number), ret_number);
	if (number != NHS_NUMBER_OK)
		return (struct fault){CPIS__V1__RECORD_CODE__CPR04, "nhs_number", nhs_number_status_text(number)};
	if (record->type != CPIS__V1__PLAN_TYPE__CPP && record->type != CPIS__V1__PLAN_TYPE__LAC &&
	    record->type != CPIS__V1__PLAN_TYPE__UCPP)
		return reject("plan_type", "The plan type must be CPP, LAC or UCPP.");
	return check_dates(record, today);
}

// What the demographics service says of a record; NULL: it was not asked.
static struct fault check_match(const Cpis__V1__PlanRecord *record, const Cpis__V1__DemographicsMatch *match)
{
	switch (match == NULL ? CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED : match->status) {
	case CPIS__V1__DEMOGRAPHICS_STATUS__NO_MATCH:
		return (struct fault){CPIS__V1__RECORD_CODE__CPR01, "nhs_number", "Nobody has this NHS number."};
	case CPIS__V1__DEMOGRAPHICS_STATUS__SENSITIVE:
		return (struct fault){CPIS__V1__RECORD_CODE__CPR02, "nhs_number", "This record must not be in this service."};
	case CPIS__V1__DEMOGRAPHICS_STATUS__NOT_VERIFIED:
		return (struct fault){CPIS__V1__RECORD_CODE__CPR03, "family_name",
				      "Name or date of birth are not those of this NHS number."};
	case CPIS__V1__DEMOGRAPHICS_STATUS__SUPERSEDED:
	case CPIS__V1__DEMOGRAPHICS_STATUS__INVALID:
		return (struct fault){CPIS__V1__RECORD_CODE__CPR05, "nhs_number", "This NHS number is no longer in use."};
	default:
		break;
	}
	if (match != NULL && record->type == CPIS__V1__PLAN_TYPE__UCPP && !match->female)
		return reject("nhs_number", "An unborn child's plan is held under the mother's NHS number.");
	return no_fault;
}

static enum reason store_plan(struct op_context *context, const Cpis__V1__PlanRecord *record,
			      const struct nhs_number *number, const struct store_tag *slot)
{
	Cpis__Stored__V1__StoredPlan plan = CPIS__STORED__V1__STORED_PLAN__INIT;
	plan.nhs_number = op_text(number->digits);
	plan.authority = op_text(context->session->organisation.text);
	plan.type = record->type;
	plan.start_date = record->start_date;
	plan.end_date = record->end_date;
	plan.delete_date = record->delete_date;
	plan.local_id = record->local_id;
	plan.published_ms = context->now_ms;
	plan.audit_index = context->audit_index;
	struct store_plan row = {
		.slot = *slot,
		.authority = context->session->organisation,
		.sealed = sealed_make(context->vault, context->arena, VAULT_PLAN, slot->bytes, sizeof slot->bytes,
				      &plan.base),
	};
	if (row.sealed.data == NULL)
		return REASON_STORE;
	vault_tag_subject(context->vault, number, &row.subject);
	return context->store->ops->plan_put(context->store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

// One record: stored, or a fault.
static enum reason take_record(struct op_context *context, const Cpis__V1__PlanRecord *record,
			       const Cpis__V1__DemographicsMatch *match, struct fault *ret_fault)
{
	struct nhs_number number;
	struct store_tag slot;
	*ret_fault = check_record(record, english_time_of(context->now_ms).date, &number);
	if (ret_fault->field == NULL)
		*ret_fault = check_match(record, match);
	if (ret_fault->field != NULL)
		return REASON_NONE;
	vault_tag_slot(context->vault, &number, &context->session->organisation, (unsigned)record->type, &slot);
	if (record->delete_date[0] != '\0') {
		struct store_plan existing;
		enum store_status status = context->store->ops->plan_get(context->store, &slot, context->arena, &existing);
		if (status == STORE_NOT_FOUND) {
			*ret_fault = reject("delete_date", "This authority has no such record to withdraw.");
			return REASON_NONE;
		}
		if (status != STORE_OK)
			return REASON_STORE;
	}
	return store_plan(context, record, &number, &slot);
}

static enum reason store_authority(struct op_context *context, const Cpis__V1__PublishRequest *request)
{
	Cpis__Stored__V1__StoredAuthority stored = CPIS__STORED__V1__STORED_AUTHORITY__INIT;
	stored.emergency_duty_telephone = request->emergency_duty_telephone;
	stored.office_hours_telephone = request->office_hours_telephone;
	const char *ods = context->session->organisation.text;
	struct store_authority row = {
		.organisation = context->session->organisation,
		.last_published_ms = context->now_ms,
		.sealed = sealed_make(context->vault, context->arena, VAULT_AUTHORITY, ods, strlen(ods), &stored.base),
	};
	if (row.sealed.data == NULL)
		return REASON_STORE;
	return context->store->ops->authority_put(context->store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

// One place for each record: its match, or NULL when the service is not asked about it. A record that cannot be stored anyway is
// nobody else's business, and one that is withdrawn may have been of the wrong number.
static enum reason match_records(struct op_context *context, const Cpis__V1__PublishRequest *request,
				 const Cpis__V1__DemographicsMatch **matches)
{
	Cpis__V1__PlanRecord *asked[PUBLISH_RECORDS_MAX];
	const Cpis__V1__DemographicsMatch *found[PUBLISH_RECORDS_MAX];
	size_t places[PUBLISH_RECORDS_MAX], count = 0;
	struct date today = english_time_of(context->now_ms).date;
	for (size_t i = 0; i < request->n_records; i++) {
		struct nhs_number ignored;
		if (request->records[i]->delete_date[0] != '\0' ||
		    check_record(request->records[i], today, &ignored).field != NULL)
			continue;
		places[count] = i;
		asked[count++] = request->records[i];
	}
	bool checked = false;
	enum reason reason = demographics_check(context, asked, count, found, &checked);
	for (size_t i = 0; reason == REASON_NONE && checked && i < count; i++)
		matches[places[i]] = found[i];
	return reason;
}

static Cpis__V1__FileOutcome file_outcome(uint32_t received, uint32_t stored)
{
	if (stored == received)
		return CPIS__V1__FILE_OUTCOME__CPF02;
	return stored > 0 ? CPIS__V1__FILE_OUTCOME__CPF03 : CPIS__V1__FILE_OUTCOME__CPF04;
}

enum reason op_publish(struct op_context *context)
{
	const Cpis__V1__PublishRequest *request = context->request->publish;
	if (strcmp(request->authority, context->session->organisation.text) != 0)
		return REASON_OTHER_AUTHORITY;
	const Cpis__V1__DemographicsMatch *matches[PUBLISH_RECORDS_MAX] = {NULL};
	enum reason matched = match_records(context, request, matches);
	if (matched != REASON_NONE)
		return matched;
	Cpis__V1__PublishReply *reply = OP_NEW(context, Cpis__V1__PublishReply, cpis__v1__publish_reply__init);
	if (reply != NULL)
		reply->rejected = arena_alloc(context->arena, (request->n_records + 1) * sizeof *reply->rejected);
	if (reply == NULL || reply->rejected == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < request->n_records; i++) {
		struct fault fault;
		enum reason reason = take_record(context, request->records[i], matches[i], &fault);
		if (reason != REASON_NONE)
			return reason;
		reply->received++;
		if (fault.field == NULL) {
			reply->stored++;
			continue;
		}
		Cpis__V1__RecordOutcome *rejected =
			OP_NEW(context, Cpis__V1__RecordOutcome, cpis__v1__record_outcome__init);
		if (rejected == NULL)
			return REASON_STORE; // earlier records may be in the batch: give it up
		rejected->row = request->records[i]->row;
		rejected->code = fault.code;
		rejected->field = op_text(fault.field);
		rejected->detail = op_text(fault.detail);
		reply->rejected[reply->n_rejected++] = rejected;
	}
	// Contacts and freshness count as published only with at least one good record: a file of nothing but
	// mistakes must not make old data look fresh.
	if (reply->stored > 0 && store_authority(context, request) != REASON_NONE)
		return REASON_STORE;
	reply->outcome = file_outcome(reply->received, reply->stored);
	context->detail->count = reply->stored;
	context->reply->publish = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_PUBLISH;
	return REASON_NONE;
}
