// A list of audit records on standard output, written as its pages come and never held: text, JSON, CSV or a FHIR bundle. One that
// is cut short by an error is not complete JSON, and the exit code is not 0.
#ifndef CPIS_CLI_AUDIT_LISTING_H
#define CPIS_CLI_AUDIT_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/cli/command_line.h"
#include "proto/wire.h"

enum audit_format { AUDIT_FORMAT_TEXT, AUDIT_FORMAT_JSON, AUDIT_FORMAT_CSV, AUDIT_FORMAT_FHIR };

#define AUDIT_FORMAT_OPTIONS                                                                         \
	{"csv", NULL, "as CSV (RFC 4180)", OPTION_OPTIONAL},                                         \
	{"fhir", NULL, "as a bundle of FHIR R4 AuditEvents", OPTION_OPTIONAL}

struct audit_listing {
	enum audit_format format;
	const char *name;            // of the report, in JSON
	const char *broker_name;     // whose log it is
	void (*text)(const Cpis__V1__AuditEntry *entry);
	uint64_t count;              // so far
	uint64_t first_receipt, last_receipt; // where the pages themselves are recorded
};

// EXIT_DONE, or EXIT_USAGE when two formats are asked for at once.
int audit_format_read(const struct command_line *line, enum audit_format *ret);

void audit_listing_begin(struct audit_listing *listing);
void audit_listing_page(struct audit_listing *listing, const Cpis__V1__Reply *page);
void audit_listing_end(const struct audit_listing *listing);

#endif
