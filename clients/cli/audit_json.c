// Audit records as JSON and CSV.
#include "clients/cli/audit_json.h"

#include <stdio.h>

#include "clients/cli/audit_words.h"
#include "clients/cli/csv_write.h"
#include "clients/cli/output.h"
#include "proto/date.h"

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

static void set_id(json_t *object, const char *key, ProtobufCBinaryData id)
{
	char text[33];
	audit_words_id(id, text);
	set_text(object, key, text);
}

static const char *access_type_name(Cpis__V1__AccessType type)
{
	return type == CPIS__V1__ACCESS_TYPE__SCHEDULED ? "SCHEDULED" : type == CPIS__V1__ACCESS_TYPE__UNSCHEDULED ? "UNSCHEDULED" : "";
}

// Filters that were given, and no others.
static json_t *search_value(const Cpis__V1__AuditSearchRequest *search)
{
	static const char *const decisions[] = {"", "ALLOWED", "REFUSED"}, *const answers[] = {"", "YES", "NO"};
	json_t *value = json_object();
	const struct {
		const char *key, *text;
	} texts[] = {
		{"report", search->report == 0 ? "" : wire_audit_report_name(search->report)},
		{"nhs_number", search->nhs_number},
		{"uid", search->uid},
		{"organisation", search->organisation},
		{"system_name", search->system_name},
		{"role_code", search->role_code},
		{"reason_code", search->reason_code},
		{"care_setting", search->care_setting == 0 ? "" : wire_care_setting_name(search->care_setting)},
		{"operation", search->operation == 0 ? "" : wire_operation_name(search->operation)},
		{"outcome", search->outcome == 0 ? "" : wire_outcome_name(search->outcome)},
		{"decision", (unsigned)search->decision < 3 ? decisions[search->decision] : "?"},
		{"break_glass", (unsigned)search->break_glass < 3 ? answers[search->break_glass] : "?"},
		{"notified", (unsigned)search->notified < 3 ? answers[search->notified] : "?"},
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].text[0] != '\0')
			set_text(value, texts[i].key, texts[i].text);
	if (search->request_id.len > 0)
		set_id(value, "request_id", search->request_id);
	if (search->session_id.len > 0)
		set_id(value, "session_id", search->session_id);
	if (search->trace_id.len > 0)
		set_id(value, "trace_id", search->trace_id);
	if (search->from_ms != 0)
		json_object_set_new(value, "from", output_instant(search->from_ms));
	if (search->until_ms != 0)
		json_object_set_new(value, "until", output_instant(search->until_ms));
	return value;
}

static json_t *detail_value(const Cpis__V1__AuditDetail *detail)
{
	json_t *value = json_object();
	set_text(value, "nhs_number", detail->nhs_number);
	set_text(value, "target", detail->target);
	set_text(value, "uid", detail->uid);
	set_text(value, "name", detail->name);
	set_text(value, "role_code", detail->role_code);
	set_text(value, "role_name", detail->role_name);
	set_text(value, "care_setting", wire_care_setting_name(detail->care_setting));
	set_text(value, "access_type", access_type_name(detail->access_type));
	json_object_set_new(value, "notified", json_boolean(detail->notified));
	set_text(value, "reason", detail->reason);
	json_object_set_new(value, "count", json_integer((json_int_t)detail->count));
	set_text(value, "stated_reason", detail->stated_reason);
	set_text(value, "message_text", detail->message_text);
	json_object_set_new(value, "break_glass", json_boolean(detail->break_glass));
	set_text(value, "rule", detail->rule);
	set_id(value, "session_id", detail->session_id);
	if (detail->trace_id.len > 0)
		set_id(value, "trace_id", detail->trace_id);
	if (detail->trace_parent_id.len > 0)
		set_id(value, "trace_parent_id", detail->trace_parent_id);
	set_text(value, "organisation_name", detail->organisation_name);
	// Where there are any: most requests come from callers that name nothing, and most sessions from one's own key.
	if (detail->caller_request_id[0] != '\0')
		set_text(value, "caller_request_id", detail->caller_request_id);
	if (detail->caller_correlation_id[0] != '\0')
		set_text(value, "caller_correlation_id", detail->caller_correlation_id);
	if (detail->token_issuer[0] != '\0')
		set_text(value, "token_issuer", detail->token_issuer);
	if (detail->search != NULL)
		json_object_set_new(value, "search", search_value(detail->search));
	json_t *findings = json_array();
	for (size_t i = 0; i < detail->n_findings; i++)
		json_array_append_new(findings, json_pack("{s:s, s:s}", "rule", detail->findings[i]->rule, "words",
							  detail->findings[i]->words));
	json_object_set_new(value, "findings", findings);
	return value;
}

json_t *audit_json_entry(const Cpis__V1__AuditEntry *entry)
{
	json_t *value = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "index", (json_int_t)entry->index, "operation",
				  wire_operation_name(entry->operation), "outcome", wire_outcome_name(entry->outcome),
				  "reason_code", entry->reason_code, "organisation", entry->organisation,
				  "system_name", entry->system_name, "policy_version", entry->policy_version);
	json_object_set_new(value, "time", output_instant(entry->time_ms));
	set_id(value, "request_id", entry->request_id);
	if (entry->erased)
		json_object_set_new(value, "erased", json_true());
	if (entry->detail != NULL)
		json_object_set_new(value, "detail", detail_value(entry->detail));
	return value;
}

// ------------------------------------------------------------------ CSV

void audit_csv_header(void)
{
	static const char *const header[] = {
		"number", "time", "operation", "outcome", "reason_code", "nhs_number", "target", "uid", "name", "role_code",
		"role_name", "organisation", "organisation_name", "system_name", "care_setting", "access_type", "notified", "break_glass",
		"stated_reason", "reason", "rule", "request_id", "session_id", "erased", NULL};
	csv_write_row(header);
}

void audit_csv_entry(const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	char number[24], time[25], request[33], session[33];
	snprintf(number, sizeof number, "%llu", (unsigned long long)entry->index);
	instant_format(entry->time_ms, time);
	audit_words_id(entry->request_id, request);
	audit_words_id(detail->session_id, session);
	const char *const cells[] = {
		number, time, wire_operation_name(entry->operation), wire_outcome_name(entry->outcome), entry->reason_code,
		detail->nhs_number, detail->target, detail->uid, detail->name, detail->role_code, detail->role_name,
		entry->organisation, detail->organisation_name, entry->system_name,
		detail->care_setting == 0 ? "" : wire_care_setting_name(detail->care_setting),
		access_type_name(detail->access_type), detail->notified ? "yes" : "no", detail->break_glass ? "yes" : "no",
		detail->stated_reason, detail->reason, detail->rule, request, session, entry->erased ? "yes" : "no", NULL};
	csv_write_row(cells);
}
