// `cpis audit report`: the reports that reviewers know, one for a family, one for a member of staff, one for an organisation.
#include "clients/cli/audit_report.h"

#include <stdio.h>

#include "clients/cli/audit_counts.h"
#include "clients/cli/audit_pages.h"
#include "clients/cli/audit_query.h"
#include "clients/cli/audit_words.h"
#include "clients/cli/commands.h"

struct report {
	struct audit_query query;
	struct audit_listing listing;
	struct audit_counts counts;
	bool lists, counts_too;
};

static void take_page(void *context, const Cpis__V1__Reply *page)
{
	struct report *report = context;
	if (report->lists)
		audit_listing_page(&report->listing, page);
	for (size_t i = 0; report->counts_too && i < page->audit_search->n_entries; i++)
		audit_counts_take(&report->counts, page->audit_search->entries[i]);
}

// Reads what all reports share: who or what it is about, and how it is printed.
static int begin(const struct command_line *line, struct report *report, Cpis__V1__AuditReport kind, const char *name)
{
	*report = (struct report){.lists = true};
	int code = audit_query_read(line, &report->query);
	if (code == EXIT_DONE)
		code = audit_format_read(line, &report->listing.format);
	report->query.search.report = kind;
	report->query.search.limit = PAGE_ITEMS_MAX;
	report->query.search.oldest_first = true;
	report->listing.name = name;
	report->listing.text = audit_words_print;
	return code;
}

static int follow(const struct command_line *line, struct report *report)
{
	struct connection connection = {0};
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	report->listing.broker_name = connection.profile->broker_name;
	audit_counts_init(&report->counts);
	if (report->lists)
		audit_listing_begin(&report->listing);
	code = audit_pages_follow(&connection, &report->query.search, true, take_page, report);
	connection_close(&connection);
	return code;
}

static int follow_list(const struct command_line *line, struct report *report)
{
	int code = follow(line, report);
	if (code == EXIT_DONE)
		audit_listing_end(&report->listing);
	audit_counts_done(&report->counts);
	return code;
}

static int read_period(const struct command_line *line, struct report *report)
{
	return audit_query_period(line, command_value(line, "from"), command_value(line, "until"), &report->query.search);
}

// ------------------------------------------------------------------ the three that reviewers know

static int run_patient_access(const struct command_line *line)
{
	struct report report;
	int code = begin(line, &report, CPIS__V1__AUDIT_REPORT__PATIENT_ACCESS, "patient-access");
	if (code == EXIT_DONE)
		code = read_period(line, &report);
	return code == EXIT_DONE ? follow_list(line, &report) : code;
}

static int run_user_access(const struct command_line *line)
{
	struct report report;
	int code = begin(line, &report, CPIS__V1__AUDIT_REPORT__USER_ACCESS, "user-access");
	if (code == EXIT_DONE)
		code = read_period(line, &report);
	return code == EXIT_DONE ? follow_list(line, &report) : code;
}

// As FHIR it is the events themselves, which leaves the counting to the other program.
static int run_enquiries(const struct command_line *line)
{
	struct report report;
	int code = begin(line, &report, CPIS__V1__AUDIT_REPORT__ENQUIRIES, "enquiries");
	if (code == EXIT_DONE)
		code = read_period(line, &report);
	if (code != EXIT_DONE)
		return code;
	if (report.listing.format == AUDIT_FORMAT_FHIR)
		return follow_list(line, &report);
	report.lists = false;
	report.counts_too = true;
	code = follow(line, &report);
	if (code == EXIT_DONE)
		audit_counts_print_enquiries(&report.counts, report.listing.format);
	audit_counts_done(&report.counts);
	return code;
}

// ------------------------------------------------------------------ one child, one person, one organisation

static int run_subject(const struct command_line *line)
{
	struct report report;
	int code = begin(line, &report, CPIS__V1__AUDIT_REPORT__SUBJECT_ACCESS, "subject");
	if (code != EXIT_DONE)
		return code;
	report.listing.text = audit_words_print_plain;
	if (report.listing.format == AUDIT_FORMAT_TEXT)
		printf("Who looked, in the child protection information service, for the child with NHS number %s\n"
		       "All times are England's. Oldest first.\n\n",
		       report.query.search.nhs_number);
	code = follow_list(line, &report);
	if (code == EXIT_DONE)
		fputs("Before this is given to the family somebody entitled reads it: what would cause serious harm is withheld.\n", stderr);
	return code;
}

static int run_staff(const struct command_line *line)
{
	struct report report;
	int code = begin(line, &report, CPIS__V1__AUDIT_REPORT__STAFF_MEMBER, "staff");
	if (code != EXIT_DONE)
		return code;
	bool text = report.listing.format == AUDIT_FORMAT_TEXT;
	report.counts_too = text;
	code = follow(line, &report);
	if (code == EXIT_DONE)
		audit_listing_end(&report.listing);
	if (code == EXIT_DONE && text)
		audit_counts_print_totals(&report.counts, "staff", AUDIT_FORMAT_TEXT);
	audit_counts_done(&report.counts);
	return code;
}

static int run_organisation(const struct command_line *line)
{
	struct report report;
	int code = begin(line, &report, CPIS__V1__AUDIT_REPORT__ORGANISATION_MONTH, "organisation");
	if (code == EXIT_DONE)
		code = audit_query_month(line, command_value(line, "month"), &report.query.search);
	if (code != EXIT_DONE)
		return code;
	report.lists = false;
	report.counts_too = true;
	code = follow(line, &report);
	if (code == EXIT_DONE)
		audit_counts_print_totals(&report.counts, "organisation", report.listing.format);
	audit_counts_done(&report.counts);
	return code;
}

// ------------------------------------------------------------------ the commands

#define FROM {"from", "DAY", "the first day, e.g. 2026-11-01", OPTION_REQUIRED}
#define UNTIL {"until", "DAY", "the last day; at most 31 days in all", OPTION_REQUIRED}
#define CHILD {"nhs-number", "N", "the child; - reads the number from standard input", OPTION_REQUIRED}
#define PERSON {"uid", "UID", "the member of staff", OPTION_REQUIRED}
#define ORGANISATION {"organisation", "ODS", "of this organisation (default: all that you may see)", OPTION_OPTIONAL}

static const struct command_option patient_options[] = {CHILD, FROM, UNTIL, ORGANISATION, AUDIT_FORMAT_OPTIONS, {0}};
static const struct command_option user_options[] = {PERSON, FROM, UNTIL, ORGANISATION, AUDIT_FORMAT_OPTIONS, {0}};
static const struct command_option enquiries_options[] = {FROM, UNTIL, ORGANISATION, AUDIT_FORMAT_OPTIONS, {0}};
static const struct command_option subject_options[] = {CHILD, AUDIT_FORMAT_OPTIONS, {0}};
static const struct command_option staff_options[] = {PERSON, ORGANISATION, AUDIT_FORMAT_OPTIONS, {0}};
static const struct command_option organisation_options[] = {
	{"month", "MONTH", "e.g. 2026-11", OPTION_REQUIRED}, ORGANISATION, {"csv", NULL, "as CSV (RFC 4180)", OPTION_OPTIONAL}, {0}};

static const struct command commands[] = {
	{.name = "audit report patient-access",
	 .operands = "",
	 .help = "Who accessed this child's record in the period.",
	 .options = patient_options,
	 .run = run_patient_access},
	{.name = "audit report user-access",
	 .operands = "",
	 .help = "What this member of staff did in the period.",
	 .options = user_options,
	 .run = run_user_access},
	{.name = "audit report enquiries",
	 .operands = "",
	 .help = "Who asked about which children in the period, and how often. Whoever asked about most comes first. With --fhir\n"
		 "the looks themselves, not counted.",
	 .options = enquiries_options,
	 .run = run_enquiries},
	{.name = "audit report subject",
	 .operands = "",
	 .help = "Every look at one child, in plain words, for a family that asks. Read it before it is handed over.",
	 .options = subject_options,
	 .run = run_subject},
	{.name = "audit report staff",
	 .operands = "",
	 .help = "All that one member of staff did, and counts of it.",
	 .options = staff_options,
	 .run = run_staff},
	{.name = "audit report organisation",
	 .operands = "",
	 .help = "An organisation's month in counts: by role, care setting, operation and outcome; broken glass; refusals by reason.",
	 .options = organisation_options,
	 .run = run_organisation},
};

int audit_report(int argc, char **argv)
{
	return command_dispatch_group("audit report",
				      "Reports from the audit log, within your remit. Each page that is read is itself recorded.", commands,
				      sizeof commands / sizeof commands[0], argc, argv);
}
