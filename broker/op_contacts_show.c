// CONTACTS_SHOW: an authority's telephones, those in force and those to come.
#include <string.h>

#include "broker/publication.h"

enum reason op_contacts_show(struct op_context *context)
{
	const char *asked = context->request->contacts_show->authority;
	struct ods_code ods = context->session->organisation;
	struct authority_state state;
	if (asked[0] != '\0' && !ods_code_parse(asked, strlen(asked), &ods))
		return REASON_VALUE;
	enum reason reason = authority_state_load(context, &ods, &state);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__ContactsShowReply *reply =
		OP_NEW(context, Cpis__V1__ContactsShowReply, cpis__v1__contacts_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	const Cpis__V1__Contacts *in_force = authority_contacts(&state, english_time_of(context->now_ms).date);
	Cpis__V1__Contacts **list = state.stored->contacts;
	size_t count = state.stored->n_contacts;
	// Those before the one in force are of the past.
	for (; count > 0 && in_force != NULL && list[0] != in_force; count--)
		list++;
	for (size_t i = 0; i < count; i++)
		list[i]->stale = authority_contacts_stale(context, list[i]);
	reply->contacts = list;
	reply->n_contacts = count;
	context->reply->contacts_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_CONTACTS_SHOW;
	return REASON_NONE;
}
