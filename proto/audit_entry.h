// An audit record as a reviewer is shown it, against its stored bytes.
#ifndef CPIS_PROTO_AUDIT_ENTRY_H
#define CPIS_PROTO_AUDIT_ENTRY_H

#include <stdbool.h>

#include "proto/wire.h"

// Whether an entry says of the record what its stored bytes say; who and whom it was about is sealed in them, and not compared. Else its
// proof may be another record's.
bool audit_entry_is_of(const Cpis__V1__AuditEntry *entry, const Cpis__V1__AuditRecord *record);

#endif
