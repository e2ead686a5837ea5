// CONTACTS_SHOW: an authority's telephones, those in force and those to come; or for a contact sheet whom to ring at every
// organisation.
#include <string.h>

#include "broker/publication.h"

// Those before the one in force are of the past.
static enum reason read_contacts(struct op_context *context, const struct ods_code *ods, Cpis__V1__Contacts ***ret, size_t *ret_count)
{
	struct authority_state state;
	enum reason reason = authority_state_load(context, ods, &state);
	if (reason != REASON_NONE)
		return reason;
	const Cpis__V1__Contacts *in_force = authority_contacts(&state, english_time_of(context->now_ms).date);
	Cpis__V1__Contacts **list = state.stored->contacts;
	size_t count = state.stored->n_contacts;
	for (; count > 0 && in_force != NULL && list[0] != in_force; count--)
		list++;
	for (size_t i = 0; i < count; i++)
		list[i]->stale = authority_contacts_stale(context, list[i]);
	*ret = list;
	*ret_count = count;
	return REASON_NONE;
}

static enum reason add_incident(struct op_context *context, const struct incident_contacts *from,
				Cpis__V1__OrganisationContacts *to)
{
	if (from == NULL)
		return REASON_NONE;
	// Text of the register, which is held until the reply has been packed.
	to->incident_telephone = op_text(from->telephone);
	to->escalation = arena_alloc(context->arena, ESCALATION_MAX * sizeof *to->escalation);
	if (to->escalation == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < from->escalation_count; i++) {
		Cpis__V1__Escalation *one = OP_NEW(context, Cpis__V1__Escalation, cpis__v1__escalation__init);
		if (one == NULL)
			return REASON_INTERNAL;
		one->severity = from->escalation[i].severity;
		one->role = op_text(from->escalation[i].role);
		one->telephone = op_text(from->escalation[i].telephone);
		to->escalation[to->n_escalation++] = one;
	}
	return REASON_NONE;
}

static enum reason describe(struct op_context *context, const struct organisation *organisation,
			    Cpis__V1__OrganisationContacts **ret)
{
	Cpis__V1__OrganisationContacts *one = OP_NEW(context, Cpis__V1__OrganisationContacts, cpis__v1__organisation_contacts__init);
	if (one == NULL)
		return REASON_INTERNAL;
	one->organisation = op_text(organisation->ods.text);
	one->name = op_text(organisation->name);
	one->authority = organisation->type == ORGANISATION_LOCAL_AUTHORITY;
	*ret = one;
	enum reason reason = add_incident(context, organisation->incident, one);
	if (reason != REASON_NONE || !one->authority)
		return reason;
	return read_contacts(context, &organisation->ods, &one->contacts, &one->n_contacts);
}

// An authority that has published nobody to ring stands in the list, so that this is seen; others without an incident team do not.
static enum reason show_all(struct op_context *context, Cpis__V1__ContactsShowReply *reply)
{
	size_t count, body_bytes = 0;
	const struct organisation *all = register_organisations(context->snapshot, &count);
	const char *after = context->request->contacts_show->after;
	reply->organisations = arena_alloc(context->arena, PAGE_ITEMS_MAX * sizeof *reply->organisations);
	if (reply->organisations == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		Cpis__V1__OrganisationContacts *one;
		if (strcmp(all[i].ods.text, after) <= 0 ||
		    (all[i].incident == NULL && all[i].type != ORGANISATION_LOCAL_AUTHORITY))
			continue;
		if (reply->n_organisations == PAGE_ITEMS_MAX) {
			reply->more = true;
			break;
		}
		enum reason reason = describe(context, &all[i], &one);
		if (reason != REASON_NONE)
			return reason;
		body_bytes += protobuf_c_message_get_packed_size(&one->base) + 4;
		if (body_bytes > OP_BODY_BYTES_MAX) {
			reply->more = true;
			break;
		}
		reply->organisations[reply->n_organisations++] = one;
	}
	context->detail->count = (uint32_t)reply->n_organisations;
	return REASON_NONE;
}

static enum reason show_one(struct op_context *context, Cpis__V1__ContactsShowReply *reply)
{
	const char *asked = context->request->contacts_show->authority;
	struct ods_code ods = context->session->organisation;
	if (asked[0] != '\0' && !ods_code_parse(asked, strlen(asked), &ods))
		return REASON_VALUE;
	return read_contacts(context, &ods, &reply->contacts, &reply->n_contacts);
}

enum reason op_contacts_show(struct op_context *context)
{
	Cpis__V1__ContactsShowReply *reply =
		OP_NEW(context, Cpis__V1__ContactsShowReply, cpis__v1__contacts_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum reason reason = context->request->contacts_show->every_organisation ? show_all(context, reply) : show_one(context, reply);
	if (reason != REASON_NONE)
		return reason;
	context->reply->contacts_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_CONTACTS_SHOW;
	return REASON_NONE;
}
