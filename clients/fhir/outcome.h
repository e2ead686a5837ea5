// What the caller is told when something is refused, or is to be noticed: OperationOutcomes with the NHS's codes. One table says for each
// outcome of the broker's which HTTP status, which issue type (FHIR R4, IssueType) and which Spine code it is; a second one has the
// reasons whose status is another than their outcome's.
#ifndef CPIS_FHIR_OUTCOME_H
#define CPIS_FHIR_OUTCOME_H

#include <stddef.h>

#include <jansson.h>

#include "clients/libcpis/cpis.h"

#define OUTCOME_TABLE(X)                                                                             \
	X(OUTCOME_UNSPECIFIED, 500, "exception", "INTERNAL_SERVER_ERROR")                            \
	X(OK, 200, "informational", "OK")                                                            \
	X(MESSAGE_NOT_WELL_FORMED, 400, "structure", "MESSAGE_NOT_WELL_FORMED")                      \
	X(NO_LONGER_SUPPORTED, 501, "not-supported", "NO_LONGER_SUPPORTED")                          \
	X(INVALID_NHS_NUMBER, 400, "value", "INVALID_SEARCH_DATA")                                   \
	X(INVALID_VALUE, 400, "value", "INVALID_VALUE")                                              \
	X(ASID_CHECK_FAILED, 403, "security", "ASID_CHECK_FAILED")                                   \
	X(AUTHOR_CREDENTIALS_ERROR, 401, "security", "AUTHOR_CREDENTIALS_ERROR")                     \
	X(SESSION_EXPIRED, 401, "expired", "AUTHOR_CREDENTIALS_ERROR")                               \
	X(ACCESS_DENIED, 403, "forbidden", "ACCESS_DENIED")                                          \
	X(NO_RECORD_FOUND, 404, "not-found", "NO_RECORD_FOUND")                                      \
	X(DEADLINE_EXPIRED, 504, "timeout", "DEADLINE_EXPIRED")                                      \
	X(DUPLICATE_REJECTED, 409, "duplicate", "DUPLICATE_REJECTED")                                \
	X(TOO_MANY_REQUESTS, 429, "throttled", "TOO_MANY_REQUESTS")                                  \
	X(SERVICE_UNAVAILABLE, 503, "transient", "SERVICE_UNAVAILABLE")                              \
	X(INTERNAL_SERVER_ERROR, 500, "exception", "INTERNAL_SERVER_ERROR")                          \
	X(INVALID_REQUEST_STATE, 409, "business-rule", "INVALID_REQUEST_STATE")

// Another token would not help: 403 in place of 401, by the word of the broker's reason.
#define OUTCOME_FORBIDDEN_TABLE(X) \
	X("role_profile")          \
	X("identity_token_role")   \
	X("identity_token_roles")  \
	X("person_quarantined")    \
	X("act_identity_token")    \
	X("act_unsigned")          \
	X("act_signature")         \
	X("act_time")

struct outcome_row {
	Cpis__V1__Outcome outcome;
	int status;
	const char *issue_type, *spine_code;
};
// NULL: there is none, which a test holds never to be.
const struct outcome_row *outcome_row(Cpis__V1__Outcome outcome);
int outcome_status(Cpis__V1__Outcome outcome, const char *reason_code);

// An issue in an OperationOutcome's list; one of `spine_code` and `reason_code` may be "". NULL: no memory.
json_t *outcome_issue(const char *severity, const char *issue_type, const char *spine_code, const char *reason_code, const char *sentence);
// An OperationOutcome with one issue, which it takes over (NULL: no memory, and so is the return).
json_t *outcome_of(json_t *issue);
// Of a reply that is a refusal.
json_t *outcome_of_reply(const Cpis__V1__Reply *reply);

#endif
