// The three searches. What is asked stands in the form that was posted and never in the address.
#ifndef CPIS_FHIR_SEARCH_H
#define CPIS_FHIR_SEARCH_H

#include "clients/fhir/call.h"

void search_flag(struct call *call);
void search_care_team(struct call *call);
void search_audit_event(struct call *call);

// The parameters that each takes, for the CapabilityStatement: in order, up to a NULL.
struct search_parameter {
	const char *name, *type, *what;
};
extern const struct search_parameter search_parameters[];

#endif
