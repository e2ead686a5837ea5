// GET /metadata.
#include "clients/fhir/metadata.h"

#include <string.h>

#include "clients/fhir/search.h"

// `includes` and `revincludes` end with a NULL.
static json_t *resource(const char *type, const char *what, const char *const *includes, const char *const *revincludes)
{
	json_t *parameters = json_array();
	for (const struct search_parameter *parameter = search_parameters; parameter->name != NULL; parameter++)
		(void)json_array_append_new(parameters, json_pack("{s:s,s:s,s:s}", "name", parameter->name, "type", parameter->type,
								  "documentation", parameter->what));
	json_t *resource = json_pack("{s:s,s:s,s:[{s:s}],s:o}", "type", type, "documentation", what, "interaction", "code", "search-type",
				     "searchParam", parameters);
	for (; *includes != NULL; includes++) {
		if (json_object_get(resource, "searchInclude") == NULL)
			(void)json_object_set_new(resource, "searchInclude", json_array());
		(void)json_array_append_new(json_object_get(resource, "searchInclude"), json_string(*includes));
	}
	for (; *revincludes != NULL; revincludes++) {
		if (json_object_get(resource, "searchRevInclude") == NULL)
			(void)json_object_set_new(resource, "searchRevInclude", json_array());
		(void)json_array_append_new(json_object_get(resource, "searchRevInclude"), json_string(*revincludes));
	}
	return resource;
}

void metadata_show(struct call *call)
{
	static const char *const none[] = {NULL}, *const author[] = {"Flag:author", NULL}, *const participant[] = {"CareTeam:participant", NULL},
				*const beside[] = {"CareTeam:patient", "AuditEvent:patient", NULL};
	json_t *resources = json_pack(
		"[o,o,o]",
		resource("Flag", "Is the child known to children's social care? Silent; with an _include or _revinclude it opens the details, an access "
				 "that enters the child's history and of which the authorities are told.", author, beside),
		resource("CareTeam", "The plans, and whom to ring: an access.", participant, none),
		resource("AuditEvent", "Who opened the details before, the 25 most recent unscheduled accesses: an access.", none, none));
	json_t *rest = json_pack("[{s:s,s:s,s:{s:b,s:s},s:o}]", "mode", "server", "documentation",
				 "Searches are posted to <resource>/_search. An address never has an NHS number in it. There is no Subscription resource: "
				 "a local authority's endpoint is told of looks by cpis-fhir-notify, which a file configures.", "security", "cors", 0,
				 "description", "Authorization: Bearer, with an OpenID Connect ID token in the manner of NHS CIS2, issued for this system.",
				 "resource", resources);
	call_answer(call, 200, json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:s},s:{s:s,s:s},s:s,s:[s],s:o}", "resourceType", "CapabilityStatement", "status",
					 "active", "date", "2026-11-27", "kind", "instance", "software", "name", "cpis-fhir", "version", CPIS_VERSION,
					 "implementation", "description", "Child protection information sharing", "url", call->facade->base,
					 "fhirVersion", "4.0.1", "format", "application/fhir+json", "rest", rest));
}
