// Everything that is no look, as Communications.
#include <string.h>

#include "clients/fhir/notify_content_priv.h"
#include "clients/fhir/resource.h"

#define KIND "urn:cpis:inbox-item-kind"

// ------------------------------------------------------------------ parts

static json_t *practitioner_role(const char *name, const char *organisation, const char *organisation_name)
{
	json_t *role = json_pack("{s:s,s:s,s:{s:s}}", "resourceType", "PractitionerRole", "id", "sender", "practitioner",
				 "display", name);
	if (organisation[0] != '\0')
		(void)json_object_set_new(role, "organization",
					  resource_organisation_reference(organisation, organisation_name, NULL));
	return role;
}

static void set_sender(json_t *communication, json_t *role)
{
	notify_append(communication, "contained", role);
	(void)json_object_set_new(communication, "sender",
				  json_pack("{s:s,s:s}", "reference", "#sender", "type", "PractitionerRole"));
}

static json_t *communication(const struct making *making, const char *sent, const char *title)
{
	json_t *category = notify_coded(KIND, making->item->kind);
	(void)json_object_set_new(category, "text", json_string(title));
	return json_pack("{s:s,s:s,s:[o],s:s}", "resourceType", "Communication", "status", "completed", "category", category,
			 "sent", sent);
}

static void set_child(json_t *communication, const char *nhs_number, const char *local_id)
{
	(void)json_object_set_new(communication, "subject", resource_patient(nhs_number));
	if (local_id[0] != '\0')
		notify_append(communication, "about",
			      json_pack("{s:s,s:{s:s,s:s}}", "type", "Patient", "identifier", "system", LOCAL_ID, "value",
					local_id));
}

static void add_about_record(json_t *communication, json_int_t audit_index)
{
	if (audit_index != 0)
		notify_append(communication, "about",
			      notify_reference_to("AuditEvent", notify_numbered(AUDIT_RECORD, audit_index)));
}

static bool finish(struct making *making, json_t *communication)
{
	json_t *reference = notify_add(making, communication);
	json_decref(reference);
	return reference != NULL;
}

// The Communication comes first in what is made, and a look that it is about behind it.
static bool finish_about_look(struct making *making, json_t *communication, const char *nhs_number, const struct person *person,
			      json_int_t audit_index)
{
	json_incref(communication);
	bool done = finish(making, communication);
	json_t *reference = done ? notify_add(making, notify_look(nhs_number, person, audit_index)) : NULL;
	if (reference != NULL)
		notify_append(communication, "about", reference);
	json_decref(communication);
	return reference != NULL;
}

// ------------------------------------------------------------------ kinds

bool notify_digest(struct making *making)
{
	const char *from, *until;
	json_t *accesses, *access;
	size_t index;
	if (!UNPACK(making->item->content, "{s:s,s:s,s:o}", "from", &from, "until", &until, "accesses", &accesses) ||
	    !json_is_array(accesses))
		return false;
	json_t *resource = communication(making, making->item->created, "Views that were not urgent, together");
	notify_say(resource, "%zu views from %s to %s, none of them urgent.", json_array_size(accesses), from, until);
	json_incref(resource);
	bool done = finish(making, resource);
	json_array_foreach(accesses, index, access) {
		json_t *reference = done ? notify_add_look(making, access) : NULL;
		done = reference != NULL;
		if (done)
			notify_append(resource, "about", reference);
	}
	json_decref(resource);
	return done;
}

bool notify_correction(struct making *making)
{
	const char *nhs_number, *type, *authority, *authority_name;
	json_t *access;
	json_int_t audit_index;
	struct person person;
	if (!UNPACK(making->item->content, "{s:s,s:s,s:s,s:s,s:o,s:I}", "nhs_number", &nhs_number, "plan_type", &type,
		    "authority", &authority, "authority_name", &authority_name, "access", &access, "audit_index", &audit_index) ||
	    !notify_read_person(access, &person))
		return false;
	json_t *resource = communication(making, making->item->created, "What was seen was wrong");
	set_child(resource, nhs_number, "");
	notify_append(resource, "reasonCode", notify_plan_type(type));
	(void)json_object_set_new(resource, "sender", resource_organisation_reference(authority, authority_name, NULL));
	notify_say(resource, "The record of this child that was seen was entered in error, says %s.", authority_name);
	return finish_about_look(making, resource, nhs_number, &person, audit_index);
}

bool notify_plan_change(struct making *making)
{
	const char *nhs_number, *authority, *authority_name;
	json_t *access;
	json_int_t audit_index;
	struct person person;
	int ended;
	if (!UNPACK(making->item->content, "{s:s,s:s,s:s,s:b,s:o,s:I}", "nhs_number", &nhs_number, "authority", &authority,
		    "authority_name", &authority_name, "ended", &ended, "access", &access, "audit_index", &audit_index) ||
	    !notify_read_person(access, &person))
		return false;
	json_t *resource = communication(making, making->item->created, "What was seen has changed");
	set_child(resource, nhs_number, "");
	notify_append(resource, "reasonCode", notify_coded("urn:cpis:plan-change", ended ? "ended" : "changed"));
	(void)json_object_set_new(resource, "sender", resource_organisation_reference(authority, authority_name, NULL));
	notify_say(resource, "What %s says of this child has %s since it was seen; look again.", authority_name,
		   ended ? "ended" : "changed");
	return finish_about_look(making, resource, nhs_number, &person, audit_index);
}

bool notify_publication(struct making *making)
{
	const char *outcome, *released_by;
	json_int_t sequence, received, stored, rejected, created, changed, ended, withdrawn, unchanged, vanished, audit_index;
	json_t *committed; // null: it was discarded
	if (!UNPACK(making->item->content, "{s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:s,s:I}", "sequence", &sequence,
		    "file_outcome", &outcome, "received", &received, "stored", &stored, "rejected", &rejected, "created_count",
		    &created, "changed", &changed, "ended", &ended, "withdrawn", &withdrawn, "unchanged", &unchanged, "vanished",
		    &vanished, "committed", &committed, "released_by", &released_by, "audit_index", &audit_index))
		return false;
	json_t *resource = communication(making, json_is_string(committed) ? json_string_value(committed) : making->item->created,
					 "What became of a file of plans");
	notify_append(resource, "reasonCode", notify_coded("urn:cpis:file-outcome", outcome));
	notify_append(resource, "identifier", notify_numbered("urn:cpis:publication", sequence));
	add_about_record(resource, audit_index);
	notify_say(resource,
		   "File no. %lld, released by %s: %lld records, %lld stored, %lld rejected; %lld new, %lld changed, %lld ended, "
		   "%lld withdrawn, %lld unchanged, %lld vanished.",
		   (long long)sequence, released_by, (long long)received, (long long)stored, (long long)rejected,
		   (long long)created, (long long)changed, (long long)ended, (long long)withdrawn, (long long)unchanged,
		   (long long)vanished);
	return finish(making, resource);
}

bool notify_not_brought(struct making *making)
{
	const char *nhs_number, *local_id, *date, *text;
	json_t *sender;
	json_int_t audit_index;
	struct person person;
	if (!UNPACK(making->item->content, "{s:s,s:s,s:s,s:s,s:o,s:I}", "nhs_number", &nhs_number, "local_id", &local_id,
		    "appointment_date", &date, "message_text", &text, "sender", &sender, "audit_index", &audit_index) ||
	    !notify_read_person(sender, &person))
		return false;
	json_t *resource = communication(making, person.time, "Was not brought to an appointment");
	json_t *role = practitioner_role(person.name, person.organisation, person.organisation_name);
	json_t *code = notify_coded(JOB_ROLE, person.role_code);
	(void)json_object_set_new(code, "text", json_string(person.role_name));
	notify_append(role, "code", code);
	notify_append(role, "location", json_pack("{s:s}", "display", person.care_setting));
	set_sender(resource, role);
	set_child(resource, nhs_number, local_id);
	add_about_record(resource, audit_index);
	notify_say(resource, "The child was not brought to the appointment of %s.", date);
	notify_say(resource, "%s", text);
	return finish(making, resource);
}

bool notify_enquiry(struct making *making)
{
	const char *nhs_number, *authority, *authority_name, *asked_by, *telephone, *text;
	json_t *access;
	json_int_t enquiry_id, audit_index;
	struct person person;
	if (!UNPACK(making->item->content, "{s:I,s:s,s:o,s:I,s:s,s:s,s:s,s:s,s:s}", "enquiry_id", &enquiry_id, "nhs_number",
		    &nhs_number, "access", &access, "audit_index", &audit_index, "authority", &authority, "authority_name",
		    &authority_name, "asked_by", &asked_by, "telephone", &telephone, "message_text", &text) ||
	    !notify_read_person(access, &person))
		return false;
	json_t *resource = communication(making, making->item->created, "Social care asks about a look");
	json_t *role = practitioner_role(asked_by, authority, authority_name);
	notify_append(role, "telecom",
		      json_pack("{s:s,s:s,s:s}", "system", telephone[0] == '\0' ? "" : "phone", "value", telephone, "use",
				telephone[0] == '\0' ? "" : "work"));
	set_sender(resource, role);
	set_child(resource, nhs_number, "");
	notify_append(resource, "identifier", notify_numbered(ENQUIRY, enquiry_id));
	notify_say(resource, "%s", text);
	return finish_about_look(making, resource, nhs_number, &person, audit_index);
}

bool notify_answer(struct making *making)
{
	const char *nhs_number, *organisation, *organisation_name, *answered_by, *question, *text;
	json_int_t enquiry_id, audit_index;
	if (!UNPACK(making->item->content, "{s:I,s:s,s:I,s:s,s:s,s:s,s:s,s:s}", "enquiry_id", &enquiry_id, "nhs_number",
		    &nhs_number, "audit_index", &audit_index, "organisation", &organisation, "organisation_name",
		    &organisation_name, "answered_by", &answered_by, "question", &question, "message_text", &text))
		return false;
	json_t *resource = communication(making, making->item->created, "The answer to an enquiry");
	set_sender(resource, practitioner_role(answered_by, organisation, organisation_name));
	set_child(resource, nhs_number, "");
	notify_append(resource, "inResponseTo", notify_reference_to("Communication", notify_numbered(ENQUIRY, enquiry_id)));
	add_about_record(resource, audit_index);
	notify_say(resource, "%s", text);
	notify_say(resource, "The question was: %s", question);
	return finish(making, resource);
}

bool notify_inactive_number(struct making *making)
{
	const char *nhs_number, *local_id;
	json_t *plan_types, *name;
	size_t index;
	if (!UNPACK(making->item->content, "{s:s,s:s,s:o}", "nhs_number", &nhs_number, "local_id", &local_id, "plan_types",
		    &plan_types) ||
	    !notify_are_texts(plan_types))
		return false;
	json_t *resource = communication(making, making->item->created, "An NHS number is no longer in use");
	set_child(resource, nhs_number, local_id);
	json_array_foreach(plan_types, index, name)
		notify_append(resource, "reasonCode", notify_plan_type(json_string_value(name)));
	notify_say(resource, "The NHS number is no longer in use; plans under it are not shown any more.");
	return finish(making, resource);
}

// A word that is not in the table stands for itself.
static const char *in_words(const char *word)
{
	static const char *const words[][2] = {
		{"LOOK", "The notification of the view"},
		{"ENQUIRY", "The enquiry"},
		{"ANSWER", "The answer"},
		{"MISSED_APPOINTMENT", "What was told of a missed appointment"},
		{"DELIVERED", "was handed over"},
		{"READ", "was read"},
		{"ACTED", "was acted on"},
		{"ESCALATED", "was not acknowledged in time and has been escalated"},
		{"EXPIRED", "was never acknowledged and is not offered any more"},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i][0], word) == 0)
			return words[i][1];
	return word;
}

bool notify_progress(struct making *making)
{
	const char *event, *about, *organisation, *organisation_name, *by;
	json_int_t audit_index, enquiry_id;
	json_t *time;
	if (!UNPACK(making->item->content, "{s:s,s:s,s:s,s:s,s:s,s:o,s:I,s:I}", "event", &event, "about", &about, "organisation",
		    &organisation, "organisation_name", &organisation_name, "by", &by, "time", &time, "audit_index", &audit_index,
		    "enquiry_id", &enquiry_id))
		return false;
	json_t *resource = communication(making, json_is_string(time) ? json_string_value(time) : making->item->created,
					 "What became of what was sent");
	notify_append(resource, "reasonCode", notify_coded("urn:cpis:progress-event", event));
	notify_append(resource, "reasonCode", notify_coded("urn:cpis:progress-subject", about));
	if (by[0] != '\0' || organisation[0] != '\0')
		set_sender(resource, practitioner_role(by, organisation, organisation_name));
	if (enquiry_id != 0)
		notify_append(resource, "inResponseTo",
			      notify_reference_to("Communication", notify_numbered(ENQUIRY, enquiry_id)));
	add_about_record(resource, audit_index);
	notify_say(resource, "%s %s.", in_words(about), in_words(event));
	return finish(making, resource);
}

bool notify_nothing(struct making *making)
{
	const char *from, *until;
	if (!UNPACK(making->item->content, "{s:s,s:s}", "from", &from, "until", &until))
		return false;
	json_t *resource = communication(making, making->item->created, "There was nothing to report");
	notify_say(resource, "Nothing to report from %s to %s.", from, until);
	return finish(making, resource);
}
