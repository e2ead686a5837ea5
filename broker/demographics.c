// The demographics service, asked.
#include "broker/demographics.h"

#include <string.h>

#include "broker/asking.h"
#include "broker/inactive.h"
#include "proto/invariant.h"
#include "proto/nhs_number.h"

static Cpis__V1__PlanRecord *who(struct op_context *context, const Cpis__V1__PlanRecord *from)
{
	Cpis__V1__PlanRecord *record = OP_NEW(context, Cpis__V1__PlanRecord, cpis__v1__plan_record__init);
	if (record == NULL)
		return NULL;
	record->nhs_number = from->nhs_number;
	record->family_name = from->family_name;
	record->given_names = from->given_names;
	record->birth_date = from->birth_date;
	return record;
}

// Who announces that a number is in use again may have missed it; what the service says now counts as well.
static enum reason note_in_use(struct op_context *context, const Cpis__V1__DemographicsQuestion *question,
			       const Cpis__V1__ResponderAnswer *answer)
{
	for (size_t i = 0; i < question->n_records; i++) {
		const char *text = question->records[i]->nhs_number;
		struct nhs_number number;
		bool changed;
		if (answer->matches[i]->status != CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED ||
		    nhs_number_parse(text, strlen(text), &number) != NHS_NUMBER_OK)
			continue;
		enum reason reason = inactive_set(context, &number, CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED, &changed);
		if (reason != REASON_NONE)
			return reason;
	}
	return REASON_NONE;
}

static enum reason ask(struct op_context *context, const struct responder_post *post,
		       Cpis__V1__DemographicsQuestion *question, const Cpis__V1__DemographicsMatch **const ret_matches)
{
	const Cpis__V1__ResponderAnswer *answer = NULL;
	Cpis__V1__ResponderWork work = CPIS__V1__RESPONDER_WORK__INIT;
	work.question_case = CPIS__V1__RESPONDER_WORK__QUESTION_DEMOGRAPHICS;
	work.demographics = question;
	if (protobuf_c_message_get_packed_size(&question->base) > OP_BODY_BYTES_MAX) {
		context->refusal = "The names of these records are too long to be checked together: send fewer at a time.";
		return REASON_VALUE;
	}
	switch (asking_put(context, post, DEMOGRAPHICS_PATIENCE_MS, &work, &answer)) {
	case ASKING_ANSWERED:
		for (size_t i = 0; i < question->n_records; i++)
			ret_matches[i] = answer->matches[i];
		return note_in_use(context, question, answer);
	case ASKING_WAITS:
		return REASON_PARKED;
	case ASKING_NOT_AVAILABLE:
		return REASON_DEMOGRAPHICS;
	case ASKING_FAILED:
		break;
	}
	return REASON_INTERNAL;
}

enum reason demographics_check(struct op_context *context, Cpis__V1__PlanRecord *const *records, size_t count,
			       const Cpis__V1__DemographicsMatch **const ret_matches, bool *ret_checked)
{
	struct responder_post post;
	Cpis__V1__DemographicsQuestion question = CPIS__V1__DEMOGRAPHICS_QUESTION__INIT;
	INVARIANT(count <= PUBLISH_RECORDS_MAX);
	*ret_checked = responder_post_demographics(context->snapshot, &post);
	if (!*ret_checked || count == 0)
		return REASON_NONE;
	question.records = arena_alloc(context->arena, count * sizeof *question.records);
	if (question.records == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++)
		if ((question.records[question.n_records++] = who(context, records[i])) == NULL)
			return REASON_INTERNAL;
	return ask(context, &post, &question, ret_matches);
}
