// Making resources.
#include "clients/fhir/resource.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "proto/date.h"
#include "proto/wire.h"

#define SNOMED "http://snomed.info/sct"

static const struct {
	Cpis__V1__PlanType type;
	const char *code, *display;
} plan_types[] = {
	{CPIS__V1__PLAN_TYPE__CPP, "342191000000101", "Subject to child protection plan"},
	{CPIS__V1__PLAN_TYPE__LAC, "764841000000100", "Looked after child"},
	{CPIS__V1__PLAN_TYPE__UCPP, "818901000000100", "Unborn child subject to child protection plan"},
};

// ------------------------------------------------------------------ parts

json_t *resource_plan_type(Cpis__V1__PlanType type)
{
	for (size_t i = 0; i < sizeof plan_types / sizeof plan_types[0]; i++)
		if (plan_types[i].type == type)
			return json_pack("{s:[{s:s,s:s,s:s}]}", "coding", "system", SNOMED, "code", plan_types[i].code, "display",
					 plan_types[i].display);
	return json_pack("{s:s}", "text", "A plan of a type that is not known here: ask the authority");
}

json_t *resource_patient(const char *nhs_number)
{
	return json_pack("{s:s,s:{s:s,s:s}}", "type", "Patient", "identifier", "system", RESOURCE_NHS_NUMBER, "value", nhs_number);
}

// By the resource in the bundle where it is there, and by the ODS code always.
json_t *resource_organisation_reference(const char *ods, const char *name, const char *uuid)
{
	json_t *reference = json_pack("{s:s,s:{s:s,s:s}}", "type", "Organization", "identifier", "system", RESOURCE_ODS_CODE, "value", ods);
	if (reference != NULL && uuid != NULL)
		(void)json_object_set_new(reference, "reference", json_string(uuid));
	if (reference != NULL && name[0] != '\0')
		(void)json_object_set_new(reference, "display", json_string(name));
	return reference;
}

static json_t *period(const Cpis__V1__Plan *plan)
{
	json_t *period = json_pack("{s:s}", "start", plan->start_date);
	if (period != NULL && plan->end_date[0] != '\0')
		(void)json_object_set_new(period, "end", json_string(plan->end_date));
	return period;
}

static json_t *telephone(const char *number, unsigned rank)
{
	return json_pack("{s:s,s:s,s:s,s:i}", "system", "phone", "value", number, "use", "work", "rank", (int)rank);
}

// Both numbers, the one to ring now first.
static json_t *telephones(const Cpis__V1__Authority *authority)
{
	json_t *list = json_array();
	const char *others[] = {authority->emergency_duty_telephone, authority->office_hours_telephone};
	unsigned rank = 1;
	if (authority->ring_now[0] != '\0')
		(void)json_array_append_new(list, telephone(authority->ring_now, rank++));
	for (size_t i = 0; i < 2; i++)
		if (others[i][0] != '\0' && strcmp(others[i], authority->ring_now) != 0)
			(void)json_array_append_new(list, telephone(others[i], rank++));
	return list;
}

static void set_list(json_t *resource, const char *name, json_t *list)
{
	if (resource != NULL && json_array_size(list) > 0)
		(void)json_object_set(resource, name, list); // an empty array is no FHIR
	json_decref(list);
}

// ------------------------------------------------------------------ resources

static json_t *flag_category(void)
{
	return json_pack("[{s:[{s:s,s:s,s:s}]}]", "coding", "system", "http://terminology.hl7.org/CodeSystem/flag-category", "code", "safety",
			 "display", "Safety");
}

json_t *resource_flag_bare(const char *nhs_number)
{
	return json_pack("{s:s,s:s,s:o,s:{s:s},s:o}", "resourceType", "Flag", "status", "active", "category", flag_category(), "code", "text",
			 "Known to children's social care", "subject", resource_patient(nhs_number));
}

json_t *resource_flag(const char *nhs_number, const Cpis__V1__Plan *plan, const char *organisation)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "resourceType", "Flag", "status",
			 plan->status == CPIS__V1__PLAN_STATUS__ENDED ? "inactive" : "active", "category", flag_category(), "code",
			 resource_plan_type(plan->type), "subject", resource_patient(nhs_number), "period", period(plan), "author",
			 resource_organisation_reference(plan->authority->organisation, plan->authority->name, organisation));
}

json_t *resource_care_team(const char *nhs_number, const Cpis__V1__Plan *plan, const char *organisation)
{
	const Cpis__V1__Authority *authority = plan->authority;
	json_t *resource = json_pack("{s:s,s:s,s:[o],s:o,s:o,s:[{s:o}],s:[o]}", "resourceType", "CareTeam", "status",
				     plan->status == CPIS__V1__PLAN_STATUS__ENDED ? "inactive" : "active", "category", resource_plan_type(plan->type),
				     "subject", resource_patient(nhs_number), "period", period(plan), "participant", "member",
				     resource_organisation_reference(authority->organisation, authority->name, organisation), "managingOrganization",
				     resource_organisation_reference(authority->organisation, authority->name, organisation));
	set_list(resource, "telecom", telephones(authority));
	return resource;
}

static void add_contact(json_t *list, const char *purpose, const char *number, const char *ring_now)
{
	if (number[0] != '\0')
		(void)json_array_append_new(list, json_pack("{s:{s:s},s:[o]}", "purpose", "text", purpose, "telecom",
							    telephone(number, strcmp(number, ring_now) == 0 ? 1 : 2)));
}

json_t *resource_organisation(const Cpis__V1__Authority *authority)
{
	json_t *contacts = json_array();
	json_t *resource = json_pack("{s:s,s:[{s:s,s:s}],s:b}", "resourceType", "Organization", "identifier", "system", RESOURCE_ODS_CODE, "value",
				     authority->organisation, "active", 1);
	if (resource != NULL && authority->name[0] != '\0')
		(void)json_object_set_new(resource, "name", json_string(authority->name));
	if (resource != NULL && authority->last_published_ms != 0) {
		char when[25];
		instant_format(authority->last_published_ms, when);
		(void)json_object_set_new(resource, "meta", json_pack("{s:s}", "lastUpdated", when));
	}
	add_contact(contacts, "Emergency duty team, outside office hours", authority->emergency_duty_telephone, authority->ring_now);
	add_contact(contacts, "Children's social care, office hours", authority->office_hours_telephone, authority->ring_now);
	set_list(resource, "contact", contacts);
	set_list(resource, "telecom", telephones(authority));
	return resource;
}

json_t *resource_audit_event(const char *nhs_number, const Cpis__V1__Access *access)
{
	char when[25];
	instant_format(access->time_ms, when);
	json_t *role = json_pack("[{s:[{s:s,s:s}],s:s}]", "coding", "system", "https://fhir.hl7.org.uk/CodeSystem/UKCore-SDSJobRoleName", "code",
				 access->role_code, "text", access->role_name[0] == '\0' ? access->role_code : access->role_name);
	json_t *agent = json_pack("{s:{s:[{s:s,s:s}]},s:o,s:s,s:b}", "type", "coding", "system",
				  "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code", "AUT", "role", role, "name", access->name,
				  "requestor", 1);
	json_t *source = json_pack("{s:s,s:o}", "site", wire_care_setting_name(access->care_setting), "observer",
				   resource_organisation_reference(access->organisation, access->organisation_name, NULL));
	return json_pack("{s:s,s:{s:s,s:s,s:s},s:s,s:s,s:s,s:[o],s:o,s:[{s:o}]}", "resourceType", "AuditEvent", "type", "system",
			 "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "code", "access", "display",
			 "Access/View Record Lifecycle Event", "action", "R", "recorded", when, "outcome", "0", "agent", agent, "source", source,
			 "entity", "what", resource_patient(nhs_number));
}

// ------------------------------------------------------------------ bundles

void resource_uuid(char out[RESOURCE_UUID_BYTES])
{
	uint8_t random[16];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		memset(random, 0, sizeof random); // no secret: two of one bundle would be seen
	random[6] = (uint8_t)((random[6] & 0x0f) | 0x40);
	random[8] = (uint8_t)((random[8] & 0x3f) | 0x80);
	size_t used = (size_t)snprintf(out, RESOURCE_UUID_BYTES, "urn:uuid:");
	for (size_t i = 0; i < sizeof random; i++)
		used += (size_t)snprintf(out + used, RESOURCE_UUID_BYTES - used, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", random[i]);
}

json_t *resource_bundle(const char *self, const Cpis__V1__Reply *reply)
{
	char number[24] = "";
	if (reply->receipt != NULL)
		snprintf(number, sizeof number, "%llu", (unsigned long long)reply->receipt->index);
	// An empty entry list is no FHIR: the first entry makes it.
	return json_pack("{s:s,s:{s:s,s:s},s:s,s:i,s:[{s:s,s:s}]}", "resourceType", "Bundle", "identifier", "system", "urn:cpis:audit-record",
			 "value", number, "type", "searchset", "total", 0, "link", "relation", "self", "url", self);
}

bool resource_add(json_t *bundle, const char *mode, const char *uuid, json_t *resource)
{
	char fresh[RESOURCE_UUID_BYTES];
	json_t *entries = json_object_get(bundle, "entry");
	if (uuid == NULL) {
		resource_uuid(fresh);
		uuid = fresh;
	}
	if (entries == NULL) {
		entries = json_array();
		if (json_object_set_new(bundle, "entry", entries) != 0)
			entries = NULL;
	}
	json_t *entry = json_pack("{s:s,s:o,s:{s:s}}", "fullUrl", uuid, "resource", resource, "search", "mode", mode);
	if (entries == NULL || entry == NULL || json_array_append_new(entries, entry) != 0)
		return false;
	if (strcmp(mode, "match") != 0)
		return true;
	json_t *total = json_object_get(bundle, "total");
	return json_integer_set(total, json_integer_value(total) + 1) == 0;
}
