// Options into a search of the audit log.
#include "clients/cli/audit_query.h"

#include <stdio.h>
#include <string.h>

#include "clients/cli/argument.h"
#include "clients/cli/commands.h"
#include "proto/date.h"
#include "proto/text.h"

static char *borrowed(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int read_child(const struct command_line *line, struct audit_query *query)
{
	const char *number = command_value(line, "nhs-number");
	if (number == NULL)
		return EXIT_DONE;
	enum nhs_number_status status = argument_nhs_number(number, &query->number);
	if (status != NHS_NUMBER_OK)
		return command_usage_error(line, "--nhs-number: %s", nhs_number_status_text(status));
	query->search.nhs_number = query->number.digits;
	return EXIT_DONE;
}

static int read_person(const struct command_line *line, struct audit_query *query)
{
	const char *uid = command_value(line, "uid"), *role = command_value(line, "role");
	if (uid != NULL && !text_is_digits(uid, strlen(uid), UID_DIGITS))
		return command_usage_error(line, "--uid is a staff id of 12 digits");
	if (role != NULL && !text_is_role_code(role, strlen(role)))
		return command_usage_error(line, "--role is a role code, e.g. R8001");
	if (uid != NULL)
		query->search.uid = borrowed(uid);
	if (role != NULL)
		query->search.role_code = borrowed(role);
	return EXIT_DONE;
}

static int read_place(const struct command_line *line, struct audit_query *query)
{
	const char *organisation = command_value(line, "organisation"), *system = command_value(line, "system"),
		   *setting = command_value(line, "care-setting");
	const char *slash = system == NULL ? NULL : strchr(system, '/');
	struct ods_code code = {0}, of_system = {0};
	if (organisation != NULL && !ods_code_parse(organisation, strlen(organisation), &code))
		return command_usage_error(line, "--organisation is an ODS code");
	if (slash != NULL && !ods_code_parse(system, (size_t)(slash - system), &of_system))
		return command_usage_error(line, "--system is NAME or ODS/NAME");
	if (slash != NULL && organisation != NULL && !ods_code_equal(&code, &of_system))
		return command_usage_error(line, "--system and --organisation name two organisations");
	if (setting != NULL && !wire_care_setting_by_name(setting, &query->search.care_setting))
		return command_usage_error(line, "--care-setting: there is no care setting %s", setting);
	snprintf(query->organisation, sizeof query->organisation, "%s", slash != NULL ? of_system.text : code.text);
	query->search.organisation = query->organisation;
	if (system != NULL)
		query->search.system_name = borrowed(slash == NULL ? system : slash + 1);
	return EXIT_DONE;
}

static bool read_yes_no(const char *text, Cpis__V1__YesNo *ret)
{
	if (text == NULL)
		return true;
	*ret = strcmp(text, "yes") == 0 ? CPIS__V1__YES_NO__YES : CPIS__V1__YES_NO__NO;
	return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
}

static int read_decision(const struct command_line *line, Cpis__V1__AuditSearchRequest *search)
{
	const char *operation = command_value(line, "operation"), *outcome = command_value(line, "outcome"),
		   *reason = command_value(line, "reason-code");
	bool allowed = command_value(line, "allowed") != NULL, refused = command_value(line, "refused") != NULL;
	if (operation != NULL && !wire_recorded_operation_by_name(operation, &search->operation))
		return command_usage_error(line, "--operation: there is no operation %s", operation);
	if (outcome != NULL && !wire_outcome_by_name(outcome, &search->outcome))
		return command_usage_error(line, "--outcome: there is no outcome %s", outcome);
	if (allowed && refused)
		return command_usage_error(line, "--allowed and --refused leave nothing");
	if (allowed || refused)
		search->decision = allowed ? CPIS__V1__AUDIT_DECISION__ALLOWED : CPIS__V1__AUDIT_DECISION__REFUSED;
	if (reason != NULL)
		search->reason_code = borrowed(reason);
	if (!read_yes_no(command_value(line, "break-glass"), &search->break_glass) ||
	    !read_yes_no(command_value(line, "notified"), &search->notified))
		return command_usage_error(line, "--break-glass and --notified are yes or no");
	return EXIT_DONE;
}

// 32 hexadecimal digits, with or without the hyphens of a UUID.
static bool read_id(const char *text, uint8_t bytes[16], ProtobufCBinaryData *ret)
{
	unsigned digits = 0;
	if (text == NULL)
		return true;
	for (const char *c = text; *c != '\0'; c++) {
		const char *place = strchr("0123456789abcdef", *c);
		if (*c == '-')
			continue;
		if (place == NULL || digits == 32)
			return false;
		unsigned value = (unsigned)(place - "0123456789abcdef");
		bytes[digits / 2] = (uint8_t)(digits % 2 == 0 ? value << 4 : bytes[digits / 2] | value);
		digits++;
	}
	*ret = (ProtobufCBinaryData){16, bytes};
	return digits == 32;
}

int audit_query_read(const struct command_line *line, struct audit_query *query)
{
	memset(query, 0, sizeof *query);
	cpis__v1__audit_search_request__init(&query->search);
	if (!read_id(command_value(line, "request"), query->request_id, &query->search.request_id) ||
	    !read_id(command_value(line, "session"), query->session_id, &query->search.session_id) ||
	    !read_id(command_value(line, "trace"), query->trace_id, &query->search.trace_id))
		return command_usage_error(line, "--request, --session and --trace are 32 hexadecimal digits");
	int code = read_person(line, query);
	if (code == EXIT_DONE)
		code = read_place(line, query);
	if (code == EXIT_DONE)
		code = read_decision(line, &query->search);
	return code == EXIT_DONE ? read_child(line, query) : code;
}

// ------------------------------------------------------------------ periods

int audit_query_period(const struct command_line *line, const char *from, const char *until,
		       Cpis__V1__AuditSearchRequest *search)
{
	struct date first, last;
	if (!date_parse(from, strlen(from), &first) || !date_parse(until, strlen(until), &last))
		return command_usage_error(line, "--from and --until are days, like 2026-11-01 and 2026-11-30");
	if (last.day < first.day)
		return command_usage_error(line, "--until is before --from");
	if (last.day - first.day >= 31)
		return command_usage_error(line, "this report covers 31 days at most; --from and --until count themselves");
	search->from_ms = english_midnight_ms(first);
	search->until_ms = english_midnight_ms((struct date){last.day + 1});
	return EXIT_DONE;
}

int audit_query_month(const struct command_line *line, const char *month, Cpis__V1__AuditSearchRequest *search)
{
	char text[11];
	struct date first;
	if (strlen(month) != 7 || (size_t)snprintf(text, sizeof text, "%s-01", month) >= sizeof text ||
	    !date_parse(text, strlen(text), &first))
		return command_usage_error(line, "--month is like 2026-11");
	search->from_ms = english_midnight_ms(first);
	search->until_ms = english_midnight_ms(date_add_months(first, 1));
	return EXIT_DONE;
}
