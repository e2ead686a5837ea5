// FHIR R4 resources out of the broker's answers, in the manner of NHS England's CP-IS API and UK Core: NHS numbers and ODS codes as
// identifiers, plan types as SNOMED CT codes. All returns: NULL when there is no memory. A part that has nothing to say is left out.
#ifndef CPIS_FHIR_RESOURCE_H
#define CPIS_FHIR_RESOURCE_H

#include <jansson.h>

#include "clients/libcpis/cpis.h"

#define RESOURCE_NHS_NUMBER "https://fhir.nhs.uk/Id/nhs-number"
#define RESOURCE_ODS_CODE "https://fhir.nhs.uk/Id/ods-organization-code"

#define RESOURCE_UUID_BYTES 46 // "urn:uuid:" and 36 characters

// Parts. A plan's type as a CodeableConcept; who a child is; an organisation, by its resource in the same bundle where `uuid` names one, by
// its ODS code always, and by `name` where that is not empty.
json_t *resource_plan_type(Cpis__V1__PlanType type);
json_t *resource_patient(const char *nhs_number);
json_t *resource_organisation_reference(const char *ods, const char *name, const char *uuid);

// Of somebody whom social care knows, when no more was asked.
json_t *resource_flag_bare(const char *nhs_number);
// Of one plan. `organisation` is the urn:uuid of the authority's resource in the same bundle; NULL: it is not there.
json_t *resource_flag(const char *nhs_number, const Cpis__V1__Plan *plan, const char *organisation);
json_t *resource_care_team(const char *nhs_number, const Cpis__V1__Plan *plan, const char *organisation);
// The authority: whom to ring, the one to ring now first, and how fresh its data is.
json_t *resource_organisation(const Cpis__V1__Authority *authority);
// A look at this child's plans that entered the history.
json_t *resource_audit_event(const char *nhs_number, const Cpis__V1__Access *access);

void resource_uuid(char out[RESOURCE_UUID_BYTES]);

// A search's answer. `self` is its address, without what was searched for.
json_t *resource_bundle(const char *self, const Cpis__V1__Reply *reply);
// `mode`: match, include or outcome. `uuid` NULL: a new one. Takes the resource over; one that is NULL makes the return false.
__attribute__((warn_unused_result)) bool resource_add(json_t *bundle, const char *mode, const char *uuid, json_t *resource);

#endif
