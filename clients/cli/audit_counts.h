// Audit records counted: who asked about which children, and an organisation's month.
#ifndef CPIS_CLI_AUDIT_COUNTS_H
#define CPIS_CLI_AUDIT_COUNTS_H

#include <jansson.h>

#include "clients/cli/audit_listing.h"

// Counts of records taken one by one; memory grows with people and children, not with records.
struct audit_counts {
	json_t *people;              // "uid organisation role": who, and {NHS number: looks}
	json_t *children;            // NHS number: true
	json_t *groups;              // "operation", "role"...: {value: count}
	uint64_t records, allowed, refused, break_glass, notified, silent;
};

void audit_counts_init(struct audit_counts *counts);
void audit_counts_done(struct audit_counts *counts);
void audit_counts_take(struct audit_counts *counts, const Cpis__V1__AuditEntry *entry);

// Whoever asked about most children comes first. Text is borrowed from the counts.
struct audit_counted_person {
	const char *uid, *name, *role_name, *organisation;
	size_t children;
	uint64_t records, refused;
};
// The first `max` of them; how many were written.
size_t audit_counts_first_people(const struct audit_counts *counts, struct audit_counted_person *ret, size_t max);
// Each group's values, group by group, with how often each came.
void audit_counts_each(const struct audit_counts *counts,
		       void (*take)(void *context, const char *group, const char *value, uint64_t count), void *context);
size_t audit_counts_children(const struct audit_counts *counts);

// By person: which numbers were asked about and how often; whoever asked about most comes first. Text, JSON or CSV.
void audit_counts_print_enquiries(const struct audit_counts *counts, enum audit_format format);
// Totals, and by operation, role, care setting, outcome and reason. Text, JSON or CSV.
void audit_counts_print_totals(const struct audit_counts *counts, const char *report, enum audit_format format);

#endif
