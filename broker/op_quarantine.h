// Whose quarantine entries a registration authority may set, lift and see. Shared by op_quarantine_*.c.
#ifndef CPIS_BROKER_OP_QUARANTINE_H
#define CPIS_BROKER_OP_QUARANTINE_H

#include "broker/op.h"

// Its own organisation's systems and people; for a national body everything.
bool op_quarantine_in_scope(const struct op_context *context, Cpis__V1__QuarantineKind kind, const char *target);

// "PERSON 555000000001", into the audit detail. False: no memory.
__attribute__((warn_unused_result)) bool op_quarantine_note(struct op_context *context, Cpis__V1__QuarantineKind kind,
							    const char *target, const char *reason);

#endif
