// `cpis query`: what is known of one child, for a nurse at three in the morning.
#include <stdio.h>
#include <string.h>

#include "clients/cli/argument.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/nhs_number.h"

struct question {
	struct nhs_number number;
	Cpis__V1__CareSetting care_setting;
	Cpis__V1__AccessType access_type;
	const char *reason; // "" when none is stated
	bool break_glass;
	bool own_household;
};

// ------------------------------------------------------------------ text

static void format_age(uint64_t from_ms, uint64_t until_ms, char out[40])
{
	uint64_t minutes = until_ms > from_ms ? (until_ms - from_ms) / 60000 : 0;
	if (minutes < 1)
		snprintf(out, 40, "just now");
	else if (minutes < 120)
		snprintf(out, 40, "%llu minutes ago", (unsigned long long)minutes);
	else if (minutes < 48 * 60)
		snprintf(out, 40, "%llu hours ago", (unsigned long long)(minutes / 60));
	else
		snprintf(out, 40, "%llu days ago", (unsigned long long)(minutes / (24 * 60)));
}

static void print_plan(const Cpis__V1__Plan *plan, uint64_t assembled_ms)
{
	const Cpis__V1__Authority *authority = plan->authority;
	char published[17], age[40];
	printf("\n%s: %s, since %s", wire_plan_type_name(plan->type), wire_plan_type_words(plan->type),
	       plan->start_date);
	if (plan->end_date[0] != '\0')
		printf(", %s %s", plan->status == CPIS__V1__PLAN_STATUS__ENDED ? "ENDED" : "ends", plan->end_date);
	printf("\n  %s (%s)\n", authority->name, authority->organisation);
	printf("  RING NOW        %s (%s)\n", authority->ring_now,
	       authority->office_hours_now ? "office hours" : "emergency duty team");
	const char *other = authority->office_hours_now ? authority->emergency_duty_telephone
							: authority->office_hours_telephone;
	if (other[0] != '\0')
		printf("  %s %s\n", authority->office_hours_now ? "out of hours   " : "in office hours", other);
	if (authority->contacts_stale) {
		char confirmed[17];
		output_english_time(authority->contacts_confirmed_ms, confirmed);
		printf("  MAY BE WRONG    these numbers were last confirmed %s\n", confirmed);
	}
	output_english_time(authority->last_published_ms, published);
	format_age(authority->last_published_ms, assembled_ms, age);
	printf("  data published  %s, %s\n", published, age);
}

static void print_accesses(const Cpis__V1__DetailsReply *details)
{
	if (details->n_accesses == 0) {
		puts("\nNobody in unscheduled care has opened these details before.");
		return;
	}
	puts("\nOpened before in unscheduled care, newest first:");
	for (size_t i = 0; i < details->n_accesses; i++) {
		const Cpis__V1__Access *access = details->accesses[i];
		char when[17], where[40];
		output_english_time(access->time_ms, when);
		printf("  %s  %s, %s, %s (%s)\n", when, access->name, access->role_name, access->organisation_name,
		       output_care_setting(access->care_setting, where));
	}
}

// The registers that should have been asked and did not answer; before anything else is said.
static void print_missing(char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("NOT AVAILABLE: %s could not be asked. This is NOT a \"no\": a plan may be known there.\n", names[i]);
}

// Known or not; where one that should know could not be asked, nothing here sounds like a no.
static void print_known(bool known, size_t missing)
{
	if (known)
		puts("This child is known to children's social care.");
	else if (missing == 0)
		puts("No plan is known here. That does not mean that there is no concern.");
	else
		puts("Whether this child is known to children's social care could NOT be found out.");
}

static void print_flag(const Cpis__V1__Reply *reply)
{
	print_missing(reply->flag->not_available_from, reply->flag->n_not_available_from);
	print_known(reply->flag->flag, reply->flag->n_not_available_from);
	puts(reply->flag->notice);
}

static void print_details(const Cpis__V1__Reply *reply)
{
	const Cpis__V1__DetailsReply *details = reply->details;
	print_missing(details->not_available_from, details->n_not_available_from);
	for (size_t i = 0; i < details->n_plans; i++)
		print_plan(details->plans[i], details->assembled_ms);
	if (details->n_plans == 0) {
		puts("\nNo details could be opened, and no authority has been told.");
		puts(details->notice);
		return;
	}
	print_accesses(details);
	puts(details->notified ? "\nThe local authority has been told that you looked."
			       : "\nThis was a silent look: no authority has been told. It is in the audit log.");
	puts(details->notice);
}

// ------------------------------------------------------------------ JSON

static json_t *missing_value(char *const *names, size_t count)
{
	json_t *value = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(value, json_string(names[i]));
	return value;
}

static json_t *plan_value(const Cpis__V1__Plan *plan)
{
	const Cpis__V1__Authority *authority = plan->authority;
	json_t *whom = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "organisation", authority->organisation, "name",
				 authority->name, "emergency_duty_telephone", authority->emergency_duty_telephone,
				 "office_hours_telephone", authority->office_hours_telephone, "ring_now",
				 authority->ring_now, "office_hours_now", authority->office_hours_now);
	json_object_set_new(whom, "last_published", output_instant(authority->last_published_ms));
	json_object_set_new(whom, "contacts_confirmed", output_instant(authority->contacts_confirmed_ms));
	json_object_set_new(whom, "contacts_stale", json_boolean(authority->contacts_stale));
	json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", wire_plan_type_name(plan->type), "snomed_code",
				  wire_plan_type_snomed(plan->type), "description", wire_plan_type_words(plan->type),
				  "status", plan->status == CPIS__V1__PLAN_STATUS__ENDED ? "ENDED" : "CURRENT",
				  "start_date", plan->start_date);
	json_object_set_new(value, "end_date",
			    plan->end_date[0] == '\0' ? json_null() : json_string(plan->end_date));
	json_object_set_new(value, "authority", whom);
	return value;
}

static json_t *flag_value(const Cpis__V1__Reply *reply)
{
	json_t *value = output_envelope(reply);
	json_object_set_new(value, "flag", json_boolean(reply->flag->flag));
	json_object_set_new(value, "notice", json_string(reply->flag->notice));
	json_object_set_new(value, "not_available_from",
			    missing_value(reply->flag->not_available_from, reply->flag->n_not_available_from));
	return value;
}

static json_t *details_value(const Cpis__V1__Reply *reply)
{
	const Cpis__V1__DetailsReply *details = reply->details;
	json_t *value = output_envelope(reply), *plans = json_array(), *accesses = json_array();
	for (size_t i = 0; i < details->n_plans; i++)
		json_array_append_new(plans, plan_value(details->plans[i]));
	for (size_t i = 0; i < details->n_accesses; i++)
		json_array_append_new(accesses, output_access(details->accesses[i]));
	json_object_set_new(value, "flag", json_boolean(details->n_plans > 0));
	json_object_set_new(value, "plans", plans);
	json_object_set_new(value, "accesses", accesses);
	json_object_set_new(value, "notified", json_boolean(details->notified));
	json_object_set_new(value, "notice", json_string(details->notice));
	json_object_set_new(value, "assembled", output_instant(details->assembled_ms));
	json_object_set_new(value, "not_available_from",
			    missing_value(details->not_available_from, details->n_not_available_from));
	return value;
}

// ------------------------------------------------------------------ asking

static int ask_flag(struct connection *connection, struct question *question, const Cpis__V1__Reply **ret)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = question->number.digits;
	flag.care_setting = question->care_setting;
	flag.reason = (char *)(uintptr_t)question->reason;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return connection_call(connection, &request, ret);
}

static int ask_details(struct connection *connection, struct question *question, const Cpis__V1__Reply **ret)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = question->number.digits;
	details.care_setting = question->care_setting;
	details.access_type = question->access_type;
	details.reason = (char *)(uintptr_t)question->reason;
	details.break_glass = question->break_glass;
	details.own_household = question->own_household;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	return question->break_glass ? connection_call_signed(connection, &request, ret)
				     : connection_call(connection, &request, ret);
}

static int read_question(const struct command_line *line, const struct connection *connection,
			 struct question *question)
{
	const char *setting = command_value(line, "care-setting");
	if (setting == NULL)
		setting = connection->profile->care_setting;
	if (setting != NULL && !wire_care_setting_by_name(setting, &question->care_setting))
		return command_usage_error(line, "no care setting is called %s", setting);
	if (command_value(line, "scheduled") != NULL)
		question->access_type = CPIS__V1__ACCESS_TYPE__SCHEDULED;
	const char *reason = command_value(line, "reason");
	question->reason = reason == NULL ? "" : reason;
	question->break_glass = command_value(line, "break-glass") != NULL;
	question->own_household = command_value(line, "own-household") != NULL;
	if (question->break_glass && reason == NULL)
		return command_usage_error(line, "--break-glass needs --reason");
	return EXIT_DONE;
}

// The flag is not for the asking then: the details are opened at once.
static int ask_broken(struct connection *connection, struct question *question)
{
	const Cpis__V1__Reply *details = NULL;
	int code = ask_details(connection, question, &details);
	if (code != EXIT_DONE)
		return code;
	if (connection->line->json) {
		output_json(details_value(details));
	} else {
		print_known(details->details->n_plans > 0, details->details->n_not_available_from);
		print_details(details);
		puts("You broke the glass: your privacy officer has been alerted.");
		output_receipt(details);
	}
	code = details->details->n_not_available_from > 0 ? EXIT_PARTIAL : EXIT_DONE;
	cpis_reply_free(details);
	return code;
}

// Both steps, as staff take them: without a flag there is nothing to open.
static int ask(struct connection *connection, struct question *question)
{
	const struct command_line *line = connection->line;
	const Cpis__V1__Reply *flag = NULL, *details = NULL;
	int code = ask_flag(connection, question, &flag);
	if (code != EXIT_DONE)
		return code;
	bool open = flag->flag->flag && command_value(line, "details") != NULL;
	if (!line->json)
		print_flag(flag);
	else if (!open)
		output_json(flag_value(flag));
	if (open)
		code = ask_details(connection, question, &details);
	if (details != NULL && line->json)
		output_json(details_value(details));
	else if (details != NULL)
		print_details(details);
	if (code == EXIT_DONE && !line->json)
		output_receipt(details != NULL ? details : flag);
	bool missing = details != NULL ? details->details->n_not_available_from > 0 : flag->flag->n_not_available_from > 0;
	if (code == EXIT_DONE && missing)
		code = EXIT_PARTIAL;
	cpis_reply_free(flag);
	cpis_reply_free(details);
	return code;
}

static int run(const struct command_line *line)
{
	struct connection connection = {0};
	struct question question = {0};
	enum nhs_number_status status = argument_nhs_number(line->operands[0], &question.number);
	if (status != NHS_NUMBER_OK)
		return command_usage_error(line, "%s", nhs_number_status_text(status));
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = read_question(line, &connection, &question);
	if (code == EXIT_DONE)
		code = question.break_glass ? ask_broken(&connection, &question) : ask(&connection, &question);
	connection_close(&connection);
	return code;
}

static const struct command_option options[] = {
	{"details", NULL, "open the details: this is an access, and the authority is told", OPTION_OPTIONAL},
	{"scheduled", NULL, "a planned look: silent, where your role and care setting allow one", OPTION_OPTIONAL},
	{"reason", "TEXT", "why you look, in words: kept in the audit log and told to the authority", OPTION_WORDS_OPTIONAL},
	{"break-glass", NULL, "open the details though role, hours or setting do not allow it: signed, and alerted", OPTION_OPTIONAL},
	{"own-household", NULL, "with details: say that the child lives at the asker's address; your system knows, cpis does not",
	 OPTION_OPTIONAL},
	{"care-setting", "NAME", "where care is given, e.g. emergency_department", OPTION_OPTIONAL},
	{0},
};

static const struct command command = {
	.name = "query",
	.operands = "NHS_NUMBER",
	.help = "Asks whether a child is known to children's social care. Without --details only whether there is a\n"
		"flag, silently; with it the plans, whom to ring, and who opened them before. For an unborn child give the\n"
		"mother's number. Spaces in the number are allowed: quote it. With - the number is read from standard input,\n"
		"where it stays out of the process list and the shell's history. Exit code 5: a register that should have\n"
		"been asked did not answer, and is named; that is no \"no\".",
	.options = options,
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};

int command_query(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
