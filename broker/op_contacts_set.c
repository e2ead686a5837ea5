// CONTACTS_SET: whom to ring at a local authority, from a date on; or a confirmation that it is still so.
#include <string.h>

#include "broker/publication.h"

static void sign(struct op_context *context, Cpis__V1__Contacts *contacts)
{
	contacts->last_confirmed_ms = context->now_ms;
	contacts->confirmed_by = context->session->name;
}

static enum reason confirm(struct op_context *context, struct authority_state *state)
{
	Cpis__V1__Contacts *contacts = authority_contacts(state, english_time_of(context->now_ms).date);
	if (contacts == NULL)
		return REASON_CONTACTS;
	sign(context, contacts);
	return REASON_NONE;
}

static enum reason make(struct op_context *context, Cpis__V1__Contacts **ret)
{
	const Cpis__V1__ContactsSetRequest *request = context->request->contacts_set;
	struct date today = english_time_of(context->now_ms).date, from = today;
	if (request->from_date[0] != '\0' &&
	    (!date_parse(request->from_date, strlen(request->from_date), &from) || from.day < today.day ||
	     from.day > date_add_months(today, CONTACTS_MONTHS_AHEAD_MAX).day))
		return REASON_CONTACTS_DATE;
	Cpis__V1__Contacts *contacts = OP_NEW(context, Cpis__V1__Contacts, cpis__v1__contacts__init);
	char *date = arena_alloc(context->arena, 11);
	if (contacts == NULL || date == NULL)
		return REASON_INTERNAL;
	date_format(from, date);
	contacts->from_date = date;
	contacts->emergency_duty_telephone = request->emergency_duty_telephone;
	contacts->office_hours_telephone = request->office_hours_telephone;
	sign(context, contacts);
	*ret = contacts;
	return REASON_NONE;
}

// In the order of dates; entries that others have followed upon are dropped, one of the same date is replaced.
static enum reason put(struct op_context *context, struct authority_state *state, bool *ret_replaced)
{
	Cpis__Stored__V1__StoredAuthority *stored = state->stored;
	const Cpis__V1__Contacts *in_force = authority_contacts(state, english_time_of(context->now_ms).date);
	Cpis__V1__Contacts *added = NULL, **list = arena_alloc(context->arena, (CONTACTS_MAX + 1) * sizeof *list);
	enum reason reason = list == NULL ? REASON_INTERNAL : make(context, &added);
	size_t count = 0;
	bool placed = false;
	if (reason != REASON_NONE)
		return reason;
	for (size_t i = 0; i < stored->n_contacts; i++) {
		Cpis__V1__Contacts *one = stored->contacts[i];
		// Dates as text sort as dates.
		int order = strcmp(one->from_date, added->from_date);
		if (in_force != NULL && strcmp(one->from_date, in_force->from_date) < 0)
			continue;
		if (order >= 0 && !placed) {
			list[count++] = added;
			placed = true;
		}
		if (order != 0)
			list[count++] = one;
		*ret_replaced = *ret_replaced || order == 0;
	}
	if (!placed)
		list[count++] = added;
	if (count > CONTACTS_MAX)
		return REASON_CONTACTS_FULL;
	stored->contacts = list;
	stored->n_contacts = count;
	return REASON_NONE;
}

enum reason op_contacts_set(struct op_context *context)
{
	struct authority_state state;
	bool replaced = false;
	enum reason reason = publication_own_state(context, &state);
	if (reason != REASON_NONE)
		return reason;
	reason = context->request->contacts_set->confirm_only ? confirm(context, &state) : put(context, &state, &replaced);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__ContactsSetReply *reply = OP_NEW(context, Cpis__V1__ContactsSetReply, cpis__v1__contacts_set_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->replaced = replaced;
	context->reply->contacts_set = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_CONTACTS_SET;
	return authority_state_save(context, &state);
}
