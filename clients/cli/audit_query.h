// What a search of the audit log asks for, from the options that searches and reports share.
#ifndef CPIS_CLI_AUDIT_QUERY_H
#define CPIS_CLI_AUDIT_QUERY_H

#include "clients/cli/command_line.h"
#include "proto/nhs_number.h"
#include "proto/ods_code.h"
#include "proto/wire.h"

struct audit_query {
	Cpis__V1__AuditSearchRequest search; // points into this struct and into the command line
	struct nhs_number number;
	char organisation[ODS_CODE_BYTES_MAX + 1];
	uint8_t request_id[REQUEST_ID_BYTES], session_id[SESSION_ID_BYTES], trace_id[TRACE_ID_BYTES];
};

// Filters, in the order in which --help lists them.
#define AUDIT_QUERY_CHILD {"nhs-number", "N", "about this child; - reads the number from standard input", OPTION_OPTIONAL}
#define AUDIT_QUERY_PERSON {"uid", "UID", "by this member of staff", OPTION_OPTIONAL}
#define AUDIT_QUERY_ORGANISATION {"organisation", "ODS", "through this organisation's systems", OPTION_OPTIONAL}
#define AUDIT_QUERY_FILTERS                                                                          \
	{"system", "NAME", "through this system: NAME or ODS/NAME", OPTION_OPTIONAL},                \
	{"care-setting", "NAME", "in this care setting, e.g. emergency_department", OPTION_OPTIONAL}, \
	{"role", "CODE", "in this role, e.g. R8001", OPTION_OPTIONAL},                               \
	{"operation", "NAME", "of this kind, e.g. details", OPTION_OPTIONAL},                        \
	{"allowed", NULL, "what was done", OPTION_OPTIONAL},                                         \
	{"refused", NULL, "what was not", OPTION_OPTIONAL},                                          \
	{"outcome", "NAME", "with this outcome, e.g. ACCESS_DENIED", OPTION_OPTIONAL},               \
	{"reason-code", "WORD", "refused for this reason, e.g. role_lacks_activity", OPTION_OPTIONAL}, \
	{"request", "ID", "the request with this id, 32 hexadecimal digits", OPTION_OPTIONAL},       \
	{"session", "ID", "in the session with this id, 32 hexadecimal digits", OPTION_OPTIONAL},    \
	{"trace", "ID", "done for this trace (W3C Trace Context), 32 hexadecimal digits", OPTION_OPTIONAL}, \
	{"break-glass", "yes|no", "with or without the glass broken", OPTION_OPTIONAL},              \
	{"notified", "yes|no", "authorities were told, or not", OPTION_OPTIONAL}

// Reads those that the command has. EXIT_DONE, or what is wrong has been said and this is the exit code.
int audit_query_read(const struct command_line *line, struct audit_query *ret);

// Whole days of England's calendar, both included: the time from the beginning of `from` to the end of `until`.
int audit_query_period(const struct command_line *line, const char *from, const char *until,
		       Cpis__V1__AuditSearchRequest *search);
// The month "2026-11".
int audit_query_month(const struct command_line *line, const char *month, Cpis__V1__AuditSearchRequest *search);

#endif
