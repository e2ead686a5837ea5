// Comparing what is shown with what was stored.
#include "proto/audit_entry.h"

#include <string.h>

bool audit_entry_is_of(const Cpis__V1__AuditEntry *entry, const Cpis__V1__AuditRecord *record)
{
	return record->index == entry->index && record->time_ms == entry->time_ms && record->operation == entry->operation &&
	       record->outcome == entry->outcome && strcmp(record->reason_code, entry->reason_code) == 0 &&
	       strcmp(record->organisation, entry->organisation) == 0 && strcmp(record->system_name, entry->system_name) == 0 &&
	       strcmp(record->policy_version, entry->policy_version) == 0;
}
