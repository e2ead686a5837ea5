// What a reviewer may see of the audit log: checked here for every search, report and record that is shown.
//
//	national body      everything
//	local authority    what its own systems did; and looks, whoever looked, at a child for whom it holds a plan that is
//	                   shown today (open, or ended within 12 months: visibility.h), when asked about that child
//	care provider      what its own systems did
#ifndef CPIS_BROKER_AUDIT_REMIT_H
#define CPIS_BROKER_AUDIT_REMIT_H

#include "broker/op.h"

struct audit_remit {
	bool everything;
	const char *own;             // ODS code
	bool looks;                  // and others' looks at the request's subject
};

// Of the reviewer who asks, about the request's subject if it has one. REASON_NONE, REASON_STORE, or REASON_INTERNAL when a
// stored plan does not open.
enum reason audit_remit_of(struct op_context *context, struct audit_remit *ret);

// Whether records of this organisation can be within it: a filter for another one is refused, because the asker knows
// already whose reviewer they are and which children are theirs.
bool audit_remit_reaches(const struct audit_remit *remit, const char *organisation);
// Whether this record, which is about the request's subject if that has one, is within it.
bool audit_remit_holds(const struct audit_remit *remit, const Cpis__V1__AuditEntry *entry);

#endif
