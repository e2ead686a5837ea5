// `cpis explain`: may this person do this here, and why.
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/date.h"
#include "proto/ods_code.h"
#include "proto/text.h"

static int read_who(const struct command_line *line, Cpis__V1__ExplainRequest *explain)
{
	const char *uid = command_value(line, "uid"), *role = command_value(line, "role"),
		   *organisation = command_value(line, "organisation");
	struct ods_code code;
	if (!text_is_digits(uid, strlen(uid), UID_DIGITS))
		return command_usage_error(line, "--uid is a staff id of 12 digits");
	if (!text_is_role_code(role, strlen(role)))
		return command_usage_error(line, "--role is a role code, e.g. R8001");
	if (organisation != NULL && !ods_code_parse(organisation, strlen(organisation), &code))
		return command_usage_error(line, "--organisation is an ODS code");
	explain->uid = (char *)(uintptr_t)uid;
	explain->role_code = (char *)(uintptr_t)role;
	if (organisation != NULL)
		explain->organisation = (char *)(uintptr_t)organisation;
	return EXIT_DONE;
}

static int read_what(const struct command_line *line, Cpis__V1__ExplainRequest *explain)
{
	const char *operation = command_value(line, "operation"), *setting = command_value(line, "care-setting"),
		   *at = command_value(line, "at");
	if (!wire_operation_by_name(operation, &explain->operation))
		return command_usage_error(line, "--operation is one of the policy's, e.g. details or role_grant");
	if (setting != NULL && !wire_care_setting_by_name(setting, &explain->care_setting))
		return command_usage_error(line, "--care-setting is not one that the protocol knows");
	if (at != NULL && !instant_parse(at, strlen(at), &explain->at_ms))
		return command_usage_error(line, "--at is like 2026-11-23 or 2026-11-23T03:00:00Z");
	if (command_value(line, "scheduled") != NULL)
		explain->access_type = CPIS__V1__ACCESS_TYPE__SCHEDULED;
	explain->reason_given = command_value(line, "reason-given") != NULL;
	explain->break_glass = command_value(line, "break-glass") != NULL;
	return EXIT_DONE;
}

static void print_text(const Cpis__V1__Reply *reply)
{
	const Cpis__V1__ExplainReply *explained = reply->explain;
	printf("%s: %s%s\n", explained->allowed ? "YES" : "NO", explained->decision,
	       explained->signature_needed ? ", signed with the person's own key" : "");
	for (size_t i = 0; i < explained->n_steps; i++)
		printf("  %s  %-40s %s\n", explained->steps[i]->holds ? "holds" : "FAILS", explained->steps[i]->rule,
		       explained->steps[i]->text);
	printf("Decided by %s, policy %s.\n", explained->rule, explained->policy_version);
	output_receipt(reply);
}

static void print_json(const Cpis__V1__Reply *reply)
{
	const Cpis__V1__ExplainReply *explained = reply->explain;
	json_t *value = output_envelope(reply), *steps = json_array();
	for (size_t i = 0; i < explained->n_steps; i++)
		json_array_append_new(steps, json_pack("{s:s, s:b, s:s}", "rule", explained->steps[i]->rule, "holds",
						       explained->steps[i]->holds, "text", explained->steps[i]->text));
	json_object_set_new(value, "allowed", json_boolean(explained->allowed));
	json_object_set_new(value, "decision", json_string(explained->decision));
	json_object_set_new(value, "decision_reason", json_string(explained->reason));
	json_object_set_new(value, "decided_by", json_string(explained->rule));
	json_object_set_new(value, "signature_needed", json_boolean(explained->signature_needed));
	json_object_set_new(value, "policy_version", json_string(explained->policy_version));
	json_object_set_new(value, "steps", steps);
	output_json(value);
}

static int run(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__ExplainRequest explain = CPIS__V1__EXPLAIN_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	int code = read_who(line, &explain);
	if (code == EXIT_DONE)
		code = read_what(line, &explain);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	request.body_case = CPIS__V1__REQUEST__BODY_EXPLAIN;
	request.explain = &explain;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE && line->json)
		print_json(reply);
	else if (code == EXIT_DONE)
		print_text(reply);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command_option options[] = {
	{"uid", "UID", "the person's staff id, 12 digits", OPTION_REQUIRED},
	{"role", "CODE", "in which role, e.g. R8001", OPTION_REQUIRED},
	{"operation", "NAME", "what they would do, e.g. details", OPTION_REQUIRED},
	{"organisation", "CODE", "another organisation than yours: for national bodies", OPTION_OPTIONAL},
	{"care-setting", "NAME", "where care would be given", OPTION_OPTIONAL},
	{"scheduled", NULL, "as a planned look", OPTION_OPTIONAL},
	{"reason-given", NULL, "as if they said why", OPTION_OPTIONAL},
	{"break-glass", NULL, "as if they broke the glass", OPTION_OPTIONAL},
	{"at", "TIME", "then (default: now)", OPTION_OPTIONAL},
	{0},
};

static const struct command command = {
	.name = "explain",
	.operands = "",
	.help = "Says whether a member of staff may do something, and each check that leads there. For registration authorities\n"
		"and reviewers. No child is asked about.",
	.options = options,
	.run = run,
};

int command_explain(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
