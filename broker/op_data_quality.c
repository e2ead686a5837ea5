// DATA_QUALITY: how good an authority's data is, from its last files.
#include <string.h>

#include "broker/publication.h"

// What has to be matched before an authority goes live (DCB1609).
#define GATE_PERCENT 95u

static enum reason whose(struct op_context *context, struct ods_code *ret)
{
	const char *asked = context->request->data_quality->authority;
	*ret = context->session->organisation;
	if (asked[0] == '\0' || strcmp(asked, ret->text) == 0)
		return REASON_NONE;
	if (context->organisation->type != ORGANISATION_NATIONAL_BODY)
		return REASON_QUALITY_SCOPE;
	return ods_code_parse(asked, strlen(asked), ret) ? REASON_NONE : REASON_VALUE;
}

static enum reason add_errors(struct op_context *context, const struct authority_state *state,
			      Cpis__V1__DataQualityReply *reply)
{
	struct store_rejection_count *rows = NULL;
	size_t count = 0;
	if (state->stored->last == NULL)
		return REASON_NONE;
	if (context->store->ops->rejection_counts(context->store, &state->ods, state->stored->last->generation, OPEN_ERRORS_MAX,
						  context->arena, &rows, &count) != STORE_OK)
		return REASON_STORE;
	reply->errors = arena_alloc(context->arena, (count + 1) * sizeof *reply->errors);
	if (reply->errors == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		Cpis__V1__OpenErrors *errors = OP_NEW(context, Cpis__V1__OpenErrors, cpis__v1__open_errors__init);
		if (errors == NULL)
			return REASON_INTERNAL;
		errors->code = (Cpis__V1__RecordCode)rows[i].code;
		errors->field = rows[i].field;
		errors->count = rows[i].count;
		errors->oldest_ms = rows[i].oldest_ms;
		reply->errors[reply->n_errors++] = errors;
	}
	return REASON_NONE;
}

static void add_share(const Cpis__Stored__V1__StoredPublication *full, Cpis__V1__DataQualityReply *reply)
{
	if (full == NULL)
		return;
	reply->records = full->report->received;
	reply->matched = reply->records - full->unmatched;
	reply->checked = full->checked;
	reply->gate_passed = (uint64_t)reply->matched * 100 >= (uint64_t)reply->records * GATE_PERCENT;
}

enum reason op_data_quality(struct op_context *context)
{
	struct ods_code ods;
	struct authority_state state;
	enum reason reason = whose(context, &ods);
	if (reason == REASON_NONE)
		reason = authority_state_load(context, &ods, &state);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__DataQualityReply *reply = OP_NEW(context, Cpis__V1__DataQualityReply, cpis__v1__data_quality_reply__init);
	char *name = arena_copy_text(context->arena, ods.text, strlen(ods.text));
	if (reply == NULL || name == NULL)
		return REASON_INTERNAL;
	const Cpis__V1__Contacts *contacts = authority_contacts(&state, english_time_of(context->now_ms).date);
	reply->authority = name;
	reply->held = state.stored->held;
	reply->last_published_ms = state.last_published_ms;
	reply->contacts_confirmed_ms = contacts == NULL ? 0 : contacts->last_confirmed_ms;
	add_share(state.stored->last_full, reply);
	context->reply->data_quality = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_DATA_QUALITY;
	return add_errors(context, &state, reply);
}
