// Whom an organisation wants to be rung in an incident: `incident` of the register file.
#include "broker/register_priv.h"

#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

static const cyaml_schema_field_t escalation_fields[] = {
	CYAML_FIELD_UINT("severity", CYAML_FLAG_DEFAULT, struct register_escalation, severity),
	CYAML_FIELD_STRING_PTR("role", CYAML_FLAG_POINTER, struct register_escalation, role, 1, ESCALATION_ROLE_BYTES_MAX),
	CYAML_FIELD_STRING_PTR("telephone", CYAML_FLAG_POINTER, struct register_escalation, telephone, 1, TELEPHONE_BYTES_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t escalation_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct register_escalation, escalation_fields),
};

const cyaml_schema_field_t register_incident_fields[] = {
	CYAML_FIELD_STRING_PTR("telephone", CYAML_FLAG_POINTER, struct register_incident, telephone, 1, TELEPHONE_BYTES_MAX),
	CYAML_FIELD_SEQUENCE("escalation", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct register_incident, escalation,
			     &escalation_value, 0, ESCALATION_MAX),
	CYAML_FIELD_END,
};

static bool read_escalation(struct yaml_place *place, const char *ods, const struct register_escalation *from,
			    struct escalation *to)
{
	if (from->severity < 1 || from->severity > INCIDENT_SEVERITY_MAX)
		return yaml_file_refuse(place, "organisation %s: incident: severity is 1 to %u", ods, INCIDENT_SEVERITY_MAX);
	if (!text_is_clean(from->role, strlen(from->role)))
		return yaml_file_refuse(place, "organisation %s: incident: the role has control characters", ods);
	if (!text_is_telephone(from->telephone, strlen(from->telephone)))
		return yaml_file_refuse(place, "organisation %s: incident: '%s' is not a telephone number", ods, from->telephone);
	to->severity = from->severity;
	memcpy(to->role, from->role, strlen(from->role) + 1);
	memcpy(to->telephone, from->telephone, strlen(from->telephone) + 1);
	return true;
}

// Those of one severity stay in the file's order: the first is rung first.
static void insert(struct incident_contacts *to, const struct escalation *one)
{
	size_t at = to->escalation_count++;
	for (; at > 0 && to->escalation[at - 1].severity > one->severity; at--)
		to->escalation[at] = to->escalation[at - 1];
	to->escalation[at] = *one;
}

bool register_read_incident(struct yaml_place *place, const char *ods, const struct register_incident *from,
			    struct incident_contacts **ret)
{
	if (!text_is_telephone(from->telephone, strlen(from->telephone)))
		return yaml_file_refuse(place, "organisation %s: incident: '%s' is not a telephone number", ods, from->telephone);
	struct incident_contacts *contacts = calloc(1, sizeof *contacts);
	if (contacts == NULL)
		return yaml_file_refuse(place, "out of memory");
	memcpy(contacts->telephone, from->telephone, strlen(from->telephone) + 1);
	for (unsigned i = 0; i < from->escalation_count; i++) {
		struct escalation one;
		if (!read_escalation(place, ods, &from->escalation[i], &one)) {
			free(contacts);
			return false;
		}
		insert(contacts, &one);
	}
	*ret = contacts;
	return true;
}
