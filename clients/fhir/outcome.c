// OperationOutcomes.
#include "clients/fhir/outcome.h"

#include <string.h>

#define SPINE_SYSTEM "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode"
#define REASON_SYSTEM "urn:cpis:reason"

static const struct outcome_row rows[] = {
#define X(name, status_, issue_type_, spine_code_) {CPIS__V1__OUTCOME__##name, status_, issue_type_, spine_code_},
	OUTCOME_TABLE(X)
#undef X
};

const struct outcome_row *outcome_row(Cpis__V1__Outcome outcome)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].outcome == outcome)
			return &rows[i];
	return NULL;
}

int outcome_status(Cpis__V1__Outcome outcome, const char *reason_code)
{
	static const char *const forbidden[] = {
#define X(word) word,
		OUTCOME_FORBIDDEN_TABLE(X)
#undef X
	};
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
		if (strcmp(forbidden[i], reason_code) == 0)
			return 403;
	const struct outcome_row *row = outcome_row(outcome);
	return row == NULL ? 500 : row->status;
}

json_t *outcome_issue(const char *severity, const char *issue_type, const char *spine_code, const char *reason_code, const char *sentence)
{
	json_t *codings = json_array();
	if (codings != NULL && spine_code[0] != '\0')
		(void)json_array_append_new(codings, json_pack("{s:s,s:s}", "system", SPINE_SYSTEM, "code", spine_code));
	if (codings != NULL && reason_code[0] != '\0')
		(void)json_array_append_new(codings, json_pack("{s:s,s:s}", "system", REASON_SYSTEM, "code", reason_code));
	return json_pack("{s:s,s:s,s:{s:o},s:s}", "severity", severity, "code", issue_type, "details", "coding", codings, "diagnostics", sentence);
}

json_t *outcome_of(json_t *issue)
{
	return json_pack("{s:s,s:[o]}", "resourceType", "OperationOutcome", "issue", issue);
}

json_t *outcome_of_reply(const Cpis__V1__Reply *reply)
{
	const struct outcome_row *row = outcome_row(reply->outcome);
	if (row == NULL)
		row = outcome_row(CPIS__V1__OUTCOME__INTERNAL_SERVER_ERROR);
	return outcome_of(outcome_issue("error", row->issue_type, row->spine_code, reply->reason_code, reply->reason));
}
