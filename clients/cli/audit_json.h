// An audit record as JSON of our own, as a row of CSV, and as a FHIR R4 AuditEvent.
#ifndef CPIS_CLI_AUDIT_JSON_H
#define CPIS_CLI_AUDIT_JSON_H

#include <jansson.h>

#include "proto/wire.h"

json_t *audit_json_entry(const Cpis__V1__AuditEntry *entry);

void audit_csv_header(void);
void audit_csv_entry(const Cpis__V1__AuditEntry *entry);

// By IHE's Basic Audit Log Patterns, with the code systems that CP-IS uses: who (person, system, organisation), source (the
// broker that observed it), the child by NHS number, and the request's id. `broker_name`: whose log it is.
json_t *audit_fhir_event(const Cpis__V1__AuditEntry *entry, const char *broker_name);

#endif
