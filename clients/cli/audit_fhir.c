// Audit records as FHIR R4 AuditEvents (hl7.org/fhir/R4/auditevent.html; IHE ITI BALP 1.1).
#include <stdio.h>

#include "clients/cli/audit_json.h"
#include "clients/cli/audit_words.h"
#include "clients/cli/output.h"

#define TERMINOLOGY "http://terminology.hl7.org/CodeSystem/"

static json_t *coding(const char *system, const char *code)
{
	return json_pack("{s:s, s:s}", "system", system, "code", code);
}

static json_t *concept(const char *system, const char *code)
{
	return json_pack("{s:[o]}", "coding", coding(system, code));
}

// A reference by identifier: what it refers to is not in the bundle.
static json_t *reference(const char *type, const char *system, const char *value)
{
	return json_pack("{s:s, s:{s:s, s:s}}", "type", type, "identifier", "system", system, "value", value);
}

// Create, read, update, execute.
static const char *action_of(Cpis__V1__Operation operation)
{
	switch (operation) {
	case CPIS__V1__OPERATION__FLAG:
	case CPIS__V1__OPERATION__DETAILS:
	case CPIS__V1__OPERATION__INBOX_LIST:
	case CPIS__V1__OPERATION__AUDIT_SEARCH:
	case CPIS__V1__OPERATION__AUDIT_SHOW:
	case CPIS__V1__OPERATION__QUARANTINE_LIST:
	case CPIS__V1__OPERATION__ROLE_LIST:
	case CPIS__V1__OPERATION__POLICY_SHOW:
	case CPIS__V1__OPERATION__ALERT_LIST:
	case CPIS__V1__OPERATION__ENROL_LIST:
	case CPIS__V1__OPERATION__PUBLICATION_SHOW:
	case CPIS__V1__OPERATION__CONTACTS_SHOW:
	case CPIS__V1__OPERATION__DATA_QUALITY:
		return "R";
	case CPIS__V1__OPERATION__PUBLISH:
	case CPIS__V1__OPERATION__INBOX_ACKNOWLEDGE:
	case CPIS__V1__OPERATION__ROLE_END:
	case CPIS__V1__OPERATION__CONTACTS_SET:
		return "U";
	case CPIS__V1__OPERATION__ROLE_GRANT:
	case CPIS__V1__OPERATION__ENQUIRY_SEND:
	case CPIS__V1__OPERATION__NOT_BROUGHT_SEND:
		return "C";
	default:
		return "E";
	}
}

// 0 success; 4 refused, which the asker can put right or must bear; 8 our mistake; 12 not available.
static const char *outcome_of(Cpis__V1__Outcome outcome)
{
	switch (outcome) {
	case CPIS__V1__OUTCOME__OK:
		return "0";
	case CPIS__V1__OUTCOME__INTERNAL_SERVER_ERROR:
		return "8";
	case CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE:
		return "12";
	default:
		return "4";
	}
}

static json_t *person_agent(const Cpis__V1__AuditDetail *detail)
{
	json_t *who = reference("PractitionerRole", "https://fhir.nhs.uk/Id/sds-user-id", detail->uid);
	json_t *agent = json_pack("{s:o, s:[o], s:o, s:s, s:b}", "type", concept(TERMINOLOGY "v3-ParticipationType", "IRCP"), "role",
				  concept(TERMINOLOGY "v3-ParticipationType", "AUT"), "who", who, "name", detail->name, "requestor", 1);
	json_object_set_new(who, "display", json_string(detail->name));
	if (detail->role_code[0] != '\0')
		json_array_append_new(json_object_get(agent, "role"),
				      json_pack("{s:[{s:s, s:s, s:s}]}", "coding", "system",
						"https://fhir.hl7.org.uk/CodeSystem/UKCore-SDSJobRoleName", "code", detail->role_code,
						"display", detail->role_name));
	return agent;
}

static json_t *organisation_agent(const Cpis__V1__AuditEntry *entry)
{
	json_t *who = reference("Organization", "https://fhir.nhs.uk/Id/ods-organization-code", entry->organisation);
	if (entry->detail->organisation_name[0] != '\0')
		json_object_set_new(who, "display", json_string(entry->detail->organisation_name));
	return json_pack("{s:o, s:o, s:b}", "type", concept(TERMINOLOGY "v3-RoleClass", "PROV"), "who", who, "requestor", 0);
}

static json_t *agents_of(const Cpis__V1__AuditEntry *entry)
{
	json_t *agents = json_array();
	bool person = entry->detail->uid[0] != '\0';
	char system[96];
	snprintf(system, sizeof system, "%s/%s", entry->organisation, entry->system_name);
	if (person)
		json_array_append_new(agents, person_agent(entry->detail));
	json_array_append_new(agents, json_pack("{s:o, s:o, s:b}", "type", concept("http://dicom.nema.org/resources/ontology/DCM", "110153"),
						"who", reference("Device", "urn:cpis:system",
								 entry->organisation[0] == '\0' ? "unknown" : system),
						"requestor", !person));
	if (entry->organisation[0] != '\0')
		json_array_append_new(agents, organisation_agent(entry));
	return agents;
}

static json_t *entities_of(const Cpis__V1__AuditEntry *entry)
{
	json_t *entities = json_array();
	char id[33];
	audit_words_id(entry->request_id, id);
	if (entry->detail->nhs_number[0] != '\0')
		json_array_append_new(entities, json_pack("{s:o, s:o, s:o}", "what",
							  reference("Patient", "https://fhir.nhs.uk/Id/nhs-number",
								    entry->detail->nhs_number),
							  "type", coding(TERMINOLOGY "audit-entity-type", "1"), "role",
							  coding(TERMINOLOGY "object-role", "1")));
	if (id[0] != '\0')
		json_array_append_new(entities, json_pack("{s:{s:{s:s}}, s:o}", "what", "identifier", "value", id, "type",
							  coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
								 "XrequestId")));
	return entities;
}

json_t *audit_fhir_event(const Cpis__V1__AuditEntry *entry, const char *broker_name)
{
	char id[40];
	snprintf(id, sizeof id, "record-%llu", (unsigned long long)entry->index);
	json_t *event = json_pack("{s:s, s:s, s:o, s:[o], s:s, s:o, s:s}", "resourceType", "AuditEvent", "id", id, "type",
				  coding(TERMINOLOGY "iso-21089-lifecycle", "access"), "subtype",
				  coding("urn:cpis:operation", wire_operation_name(entry->operation)), "action",
				  action_of(entry->operation), "recorded", output_instant(entry->time_ms), "outcome",
				  outcome_of(entry->outcome));
	if (entry->detail->reason[0] != '\0')
		json_object_set_new(event, "outcomeDesc", json_string(entry->detail->reason));
	if (entry->detail->break_glass)
		json_object_set_new(event, "purposeOfEvent", json_pack("[o]", concept(TERMINOLOGY "v3-ActReason", "BTG")));
	json_object_set_new(event, "agent", agents_of(entry));
	json_object_set_new(event, "source", json_pack("{s:o, s:[o]}", "observer", reference("Device", "urn:cpis:broker", broker_name),
						       "type", coding(TERMINOLOGY "security-source-type", "4")));
	json_t *entities = entities_of(entry);
	if (json_array_size(entities) > 0)
		json_object_set(event, "entity", entities);
	json_decref(entities);
	return event;
}
