// Looks, as AuditEvents.
#include <stdio.h>
#include <string.h>

#include "clients/fhir/notify_content_priv.h"
#include "clients/fhir/resource.h"
#include "proto/date.h"

json_t *notify_look(const char *nhs_number, const struct person *person, json_int_t audit_index)
{
	Cpis__V1__Access access = CPIS__V1__ACCESS__INIT;
	(void)!instant_parse(person->time, strlen(person->time), &access.time_ms);
	access.name = (char *)(uintptr_t)person->name;
	access.role_code = (char *)(uintptr_t)person->role_code;
	access.role_name = (char *)(uintptr_t)person->role_name;
	access.organisation = (char *)(uintptr_t)person->organisation;
	access.organisation_name = (char *)(uintptr_t)person->organisation_name;
	json_t *event = resource_audit_event(nhs_number, &access);
	// By its name, and not by its number: one that is not known here is said as well.
	(void)json_object_set_new(json_object_get(event, "source"), "site", json_string(person->care_setting));
	if (audit_index != 0)
		notify_append(event, "entity",
			      json_pack("{s:o}", "what",
					notify_reference_to("AuditEvent", notify_numbered(AUDIT_RECORD, audit_index))));
	return event;
}

static void add_detail(json_t *event, const char *type, const char *value)
{
	if (value[0] != '\0')
		notify_append(json_array_get(json_object_get(event, "entity"), 0), "detail",
			      json_pack("{s:s,s:s}", "type", type, "valueString", value));
}

static void add_plan_details(json_t *event, json_t *plan_types)
{
	size_t index;
	json_t *name;
	json_array_foreach(plan_types, index, name) {
		const char *system, *code, *display = NULL;
		char type[80];
		json_t *concept = notify_plan_type(json_string_value(name));
		if (json_unpack(concept, "{s:[{s:s,s:s,s?s}]}", "coding", "system", &system, "code", &code, "display",
				&display) == 0) {
			snprintf(type, sizeof type, "%s|%s", system, code);
			add_detail(event, type, display == NULL ? code : display);
		}
		json_decref(concept);
	}
}

json_t *notify_add_look(struct making *making, json_t *content)
{
	const char *nhs_number, *local_id, *uid, *reason;
	json_t *plan_types, *access;
	json_int_t audit_index;
	struct person person;
	int break_glass;
	if (!UNPACK(content, "{s:s,s:s,s:o,s:o,s:s,s:I,s:b,s:s}", "nhs_number", &nhs_number, "local_id", &local_id, "plan_types",
		    &plan_types, "access", &access, "uid", &uid, "audit_index", &audit_index, "break_glass", &break_glass,
		    "reason", &reason) ||
	    !notify_read_person(access, &person) || !notify_are_texts(plan_types))
		return NULL;
	json_t *event = notify_look(nhs_number, &person, audit_index);
	json_t *agent = json_array_get(json_object_get(event, "agent"), 0);
	(void)json_object_set_new(agent, "who",
				  json_pack("{s:s,s:{s:s,s:s}}", "type", "PractitionerRole", "identifier", "system",
					    "https://fhir.nhs.uk/Id/sds-user-id", "value", uid));
	add_detail(event, LOCAL_ID, local_id);
	add_plan_details(event, plan_types);
	if (break_glass || reason[0] != '\0') {
		json_t *purpose = break_glass ? notify_coded("http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG")
					      : json_object();
		(void)json_object_set_new(purpose, "text", json_string(reason));
		notify_append(event, "purposeOfEvent", purpose);
	}
	return notify_add(making, event);
}

bool notify_access(struct making *making)
{
	json_t *reference = notify_add_look(making, making->item->content);
	json_decref(reference);
	return reference != NULL;
}
