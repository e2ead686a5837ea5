// Which records a search is after: pure rules over a request and an opened record.
#ifndef CPIS_BROKER_AUDIT_MATCH_H
#define CPIS_BROKER_AUDIT_MATCH_H

#include <stdbool.h>

#include "broker/reason.h"

// Whether this operation tells the asker something about a child.
bool audit_is_look(Cpis__V1__Operation operation);

// What the request's report needs in order to be one: REASON_NONE, REASON_REPORT_NEEDS or REASON_REPORT_PERIOD.
enum reason audit_match_check(const Cpis__V1__AuditSearchRequest *request);

// All filters but the child, the person and the time, which the store's keys are for.
bool audit_match(const Cpis__V1__AuditSearchRequest *request, const Cpis__V1__AuditEntry *entry);

#endif
