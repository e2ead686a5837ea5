// The filters of a search.
#include "broker/audit_match.h"

#include <string.h>

#include "proto/limits.h"

bool audit_is_look(Cpis__V1__Operation operation)
{
	return operation == CPIS__V1__OPERATION__FLAG || operation == CPIS__V1__OPERATION__DETAILS ||
	       operation == CPIS__V1__OPERATION__NOT_BROUGHT_SEND;
}

static bool has_period(const Cpis__V1__AuditSearchRequest *request)
{
	return request->from_ms != 0 && request->until_ms > request->from_ms &&
	       request->until_ms - request->from_ms <= REPORT_MS_MAX;
}

enum reason audit_match_check(const Cpis__V1__AuditSearchRequest *request)
{
	bool child = request->nhs_number[0] != '\0', person = request->uid[0] != '\0';
	switch (request->report) {
	case CPIS__V1__AUDIT_REPORT__PATIENT_ACCESS:
		return !child ? REASON_REPORT_NEEDS : has_period(request) ? REASON_NONE : REASON_REPORT_PERIOD;
	case CPIS__V1__AUDIT_REPORT__USER_ACCESS:
		return !person ? REASON_REPORT_NEEDS : has_period(request) ? REASON_NONE : REASON_REPORT_PERIOD;
	case CPIS__V1__AUDIT_REPORT__ENQUIRIES:
	case CPIS__V1__AUDIT_REPORT__ORGANISATION_MONTH:
		return has_period(request) ? REASON_NONE : REASON_REPORT_PERIOD;
	case CPIS__V1__AUDIT_REPORT__SUBJECT_ACCESS:
		return child ? REASON_NONE : REASON_REPORT_NEEDS;
	case CPIS__V1__AUDIT_REPORT__STAFF_MEMBER:
		return person ? REASON_NONE : REASON_REPORT_NEEDS;
	default:
		return REASON_NONE;
	}
}

static bool text_is(const char *asked, const char *value)
{
	return asked[0] == '\0' || strcmp(asked, value) == 0;
}

static bool bytes_are(ProtobufCBinaryData asked, ProtobufCBinaryData value)
{
	return asked.len == 0 || (asked.len == value.len && memcmp(asked.data, value.data, asked.len) == 0);
}

static bool is(Cpis__V1__YesNo asked, bool value)
{
	return asked == CPIS__V1__YES_NO__YES_NO_UNSPECIFIED || (asked == CPIS__V1__YES_NO__YES) == value;
}

static bool decided(Cpis__V1__AuditDecision asked, Cpis__V1__Outcome outcome)
{
	return asked == CPIS__V1__AUDIT_DECISION__AUDIT_DECISION_UNSPECIFIED ||
	       (asked == CPIS__V1__AUDIT_DECISION__ALLOWED) == (outcome == CPIS__V1__OUTCOME__OK);
}

bool audit_match(const Cpis__V1__AuditSearchRequest *request, const Cpis__V1__AuditEntry *entry)
{
	const Cpis__V1__AuditDetail *detail = entry->detail;
	if (request->report == CPIS__V1__AUDIT_REPORT__ENQUIRIES && !audit_is_look(entry->operation))
		return false;
	return text_is(request->organisation, entry->organisation) && text_is(request->system_name, entry->system_name) &&
	       text_is(request->reason_code, entry->reason_code) && text_is(request->role_code, detail->role_code) &&
	       (request->operation == 0 || request->operation == entry->operation) &&
	       (request->outcome == 0 || request->outcome == entry->outcome) &&
	       (request->care_setting == 0 || request->care_setting == detail->care_setting) &&
	       decided(request->decision, entry->outcome) && is(request->break_glass, detail->break_glass) &&
	       is(request->notified, detail->notified) && bytes_are(request->request_id, entry->request_id) &&
	       bytes_are(request->session_id, detail->session_id) && bytes_are(request->trace_id, detail->trace_id);
}
