// `cpis alert`: what the privacy officer of an organisation must look into, what is done about it, and what came of it.
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/limits.h"
#include "proto/text.h"

// ------------------------------------------------------------------ output

static const char *kind_words(Cpis__V1__AlertKind kind)
{
	switch (kind) {
	case CPIS__V1__ALERT_KIND__FINDING:
		return "something was found";
	case CPIS__V1__ALERT_KIND__SAMPLE:
		return "chosen at random for routine review";
	case CPIS__V1__ALERT_KIND__EXTRACT:
		return "an emergency extract was taken";
	default:
		return "the glass was broken";
	}
}

static const char *kind_word(Cpis__V1__AlertKind kind)
{
	switch (kind) {
	case CPIS__V1__ALERT_KIND__FINDING:
		return "FINDING";
	case CPIS__V1__ALERT_KIND__SAMPLE:
		return "SAMPLE";
	case CPIS__V1__ALERT_KIND__EXTRACT:
		return "EXTRACT";
	default:
		return "BREAK_GLASS";
	}
}

static const char *state_word(Cpis__V1__AlertState state)
{
	switch (state) {
	case CPIS__V1__ALERT_STATE__ALERT_OPEN:
		return "open";
	case CPIS__V1__ALERT_STATE__ALERT_ASSIGNED:
		return "assigned";
	case CPIS__V1__ALERT_STATE__ALERT_DECIDED:
		return "decided";
	default:
		return "closed";
	}
}

static const char *severity_word(Cpis__V1__Severity severity)
{
	switch (severity) {
	case CPIS__V1__SEVERITY__SEVERITY_LOW:
		return "low";
	case CPIS__V1__SEVERITY__SEVERITY_MEDIUM:
		return "medium";
	default:
		return "high";
	}
}

static const char *step_word(Cpis__V1__AlertStepKind kind)
{
	switch (kind) {
	case CPIS__V1__ALERT_STEP_KIND__STEP_ASSIGNED:
		return "assigned";
	case CPIS__V1__ALERT_STEP_KIND__STEP_NOTE:
		return "note";
	case CPIS__V1__ALERT_STEP_KIND__STEP_OUTCOME:
		return "outcome";
	default:
		return "closed";
	}
}

static void print_found(const Cpis__V1__Finding *found)
{
	char until[17];
	printf("        %s, %s: %s\n", found->rule, severity_word(found->severity), found->words);
	if (found->held_until_ms == 0)
		return;
	output_english_time(found->held_until_ms, until);
	printf("        held back by the broker until %s\n", until);
}

static void print_alert(const Cpis__V1__Alert *alert)
{
	char when[17], reviewed[17], word[32];
	output_english_time(alert->created_ms, when);
	printf("%6llu  %s  %s; audit record %llu\n", (unsigned long long)alert->id, when,
	       kind_words(alert->kind),
	       (unsigned long long)alert->audit_index);
	if (alert->found != NULL)
		print_found(alert->found);
	if (alert->state != CPIS__V1__ALERT_STATE__ALERT_OPEN)
		printf("        %s%s%s\n", state_word(alert->state), alert->assigned_to[0] == '\0' ? "" : ", given to ",
		       alert->assigned_to);
	if (alert->reviewed_ms == 0)
		return;
	output_english_time(alert->reviewed_ms, reviewed);
	text_lower_case(wire_alert_finding_name(alert->finding), word, sizeof word);
	printf("        %s, reviewed %s by %s: %s\n", word, reviewed, alert->reviewed_by, alert->words);
}

static void print_steps(const Cpis__V1__Alert *alert)
{
	for (size_t i = 0; i < alert->n_steps; i++) {
		const Cpis__V1__AlertStep *step = alert->steps[i];
		char when[17];
		output_english_time(step->time_ms, when);
		printf("        %s  %-8s  %s: %s (audit record %llu)\n", when, step_word(step->kind), step->by, step->words,
		       (unsigned long long)step->audit_index);
	}
}

static json_t *found_value(const Cpis__V1__Finding *found)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:b}", "rule", found->rule, "severity", severity_word(found->severity), "words",
				  found->words, "about_system", found->about_system);
	json_object_set_new(value, "held_until", output_instant(found->held_until_ms));
	return value;
}

static json_t *step_value(const Cpis__V1__AlertStep *step)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:I}", "kind", step_word(step->kind), "by", step->by, "words", step->words,
				  "audit_index", (json_int_t)step->audit_index);
	json_object_set_new(value, "time", output_instant(step->time_ms));
	if (step->kind == CPIS__V1__ALERT_STEP_KIND__STEP_OUTCOME)
		json_object_set_new(value, "finding", json_string(wire_alert_finding_name(step->finding)));
	return value;
}

static json_t *alert_value(const Cpis__V1__Alert *alert)
{
	json_t *value = json_pack("{s:I, s:s, s:I, s:s}", "id", (json_int_t)alert->id, "kind",
				  kind_word(alert->kind), "audit_index",
				  (json_int_t)alert->audit_index, "state", state_word(alert->state));
	json_object_set_new(value, "created", output_instant(alert->created_ms));
	json_object_set_new(value, "reviewed", output_instant(alert->reviewed_ms));
	json_object_set_new(value, "closed", output_instant(alert->closed_ms));
	if (alert->found != NULL)
		json_object_set_new(value, "found", found_value(alert->found));
	if (alert->assigned_to[0] != '\0')
		json_object_set_new(value, "assigned_to", json_string(alert->assigned_to));
	if (alert->reviewed_ms != 0) {
		json_object_set_new(value, "finding", json_string(wire_alert_finding_name(alert->finding)));
		json_object_set_new(value, "reviewed_by", json_string(alert->reviewed_by));
		json_object_set_new(value, "words", json_string(alert->words));
	}
	return value;
}

// ------------------------------------------------------------------ list

static int ask_page(struct connection *connection, uint64_t after_id, bool all, const Cpis__V1__Reply **ret)
{
	Cpis__V1__AlertListRequest list = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.after_id = after_id;
	list.include_reviewed = all;
	list.limit = PAGE_ITEMS_MAX;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &list;
	return connection_call(connection, &request, ret);
}

static int run_list(const struct command_line *line)
{
	struct connection connection = {0};
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	json_t *alerts = json_array();
	uint64_t open = 0, after_id = 0;
	bool more = true;
	while (code == EXIT_DONE && more) {
		const Cpis__V1__Reply *reply = NULL;
		code = ask_page(&connection, after_id, command_value(line, "all") != NULL, &reply);
		if (code != EXIT_DONE)
			break;
		const Cpis__V1__AlertListReply *page = reply->alert_list;
		for (size_t i = 0; i < page->n_alerts; i++) {
			after_id = page->alerts[i]->id;
			if (line->json)
				json_array_append_new(alerts, alert_value(page->alerts[i]));
			else
				print_alert(page->alerts[i]);
		}
		open = page->open;
		more = page->more;
		cpis_reply_free(reply);
	}
	if (code == EXIT_DONE && line->json)
		output_json(json_pack("{s:s, s:I, s:O}", "outcome", "OK", "open", (json_int_t)open, "alerts", alerts));
	else if (code == EXIT_DONE)
		printf("%llu to review.\n", (unsigned long long)open);
	json_decref(alerts);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ one case

static bool read_id(const struct command_line *line, uint64_t *ret)
{
	return command_number(line->operands[0], 1, INT64_MAX, ret);
}

static int id_error(const struct command_line *line)
{
	return command_usage_error(line, "an alert is named by its number, as `cpis alert list` shows it");
}

// Sends one request in a session of its own. Free the reply, which is NULL unless the code is EXIT_DONE.
static int send_one(const struct command_line *line, Cpis__V1__Request *request, bool is_signed, const Cpis__V1__Reply **ret)
{
	struct connection connection = {0};
	*ret = NULL;
	int code = connection_sign_in(line, &connection);
	if (code == EXIT_DONE)
		code = is_signed ? connection_call_signed(&connection, request, ret) : connection_call(&connection, request, ret);
	connection_close(&connection);
	return code;
}

static void show_alert(const struct command_line *line, const Cpis__V1__Reply *reply, const Cpis__V1__Alert *alert)
{
	if (!line->json) {
		print_alert(alert);
		print_steps(alert);
		output_receipt(reply);
		return;
	}
	json_t *value = output_envelope(reply), *shown = alert_value(alert), *steps = json_array();
	for (size_t i = 0; i < alert->n_steps; i++)
		json_array_append_new(steps, step_value(alert->steps[i]));
	if (reply->body_case == CPIS__V1__REPLY__BODY_ALERT_SHOW)
		json_object_set(shown, "steps", steps);
	json_object_set_new(value, "alert", shown);
	json_decref(steps);
	output_json(value);
}

static int run_show(const struct command_line *line)
{
	const Cpis__V1__Reply *reply;
	Cpis__V1__AlertShowRequest show = CPIS__V1__ALERT_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (!read_id(line, &show.id))
		return id_error(line);
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_SHOW;
	request.alert_show = &show;
	int code = send_one(line, &request, false, &reply);
	if (code == EXIT_DONE)
		show_alert(line, reply, reply->alert_show->alert);
	cpis_reply_free(reply);
	return code;
}

static int run_assign(const struct command_line *line)
{
	const Cpis__V1__Reply *reply;
	Cpis__V1__AlertAssignRequest assign = CPIS__V1__ALERT_ASSIGN_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (!read_id(line, &assign.id))
		return id_error(line);
	assign.uid = (char *)(uintptr_t)line->operands[1];
	if (!text_is_digits(assign.uid, strlen(assign.uid), UID_DIGITS))
		return command_usage_error(line, "a member of staff is named by 12 digits");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_ASSIGN;
	request.alert_assign = &assign;
	int code = send_one(line, &request, false, &reply);
	if (code == EXIT_DONE)
		show_alert(line, reply, reply->alert_assign->alert);
	cpis_reply_free(reply);
	return code;
}

static int run_note(const struct command_line *line)
{
	const Cpis__V1__Reply *reply;
	Cpis__V1__AlertNoteRequest note = CPIS__V1__ALERT_NOTE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (!read_id(line, &note.id))
		return id_error(line);
	note.words = (char *)(uintptr_t)command_value(line, "words");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_NOTE;
	request.alert_note = &note;
	int code = send_one(line, &request, false, &reply);
	if (code == EXIT_DONE)
		show_alert(line, reply, reply->alert_note->alert);
	cpis_reply_free(reply);
	return code;
}

// ------------------------------------------------------------------ what decides

// `done`: it had not been done before.
static int say_decided(const struct command_line *line, const Cpis__V1__Reply *reply, const char *key, bool done,
		       const char *sentence, const char *otherwise)
{
	if (line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, key, json_boolean(done));
		output_json(value);
	} else {
		puts(done ? sentence : otherwise);
		output_receipt(reply);
	}
	return done ? EXIT_DONE : EXIT_PARTIAL;
}

static int run_review(const struct command_line *line)
{
	const Cpis__V1__Reply *reply;
	Cpis__V1__AlertReviewRequest review = CPIS__V1__ALERT_REVIEW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (!read_id(line, &review.id))
		return id_error(line);
	if (!wire_alert_finding_by_name(command_value(line, "finding"), &review.finding))
		return command_usage_error(line, "--finding is appropriate, near_miss or breach");
	review.words = (char *)(uintptr_t)command_value(line, "words");
	review.keep_open = command_value(line, "keep-open") != NULL;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_REVIEW;
	request.alert_review = &review;
	int code = send_one(line, &request, true, &reply);
	if (code == EXIT_DONE)
		code = say_decided(line, reply, "reviewed", reply->alert_review->reviewed, "Reviewed.",
				   "It had been reviewed before; nothing was changed.");
	cpis_reply_free(reply);
	return code;
}

static int run_close(const struct command_line *line)
{
	const Cpis__V1__Reply *reply;
	Cpis__V1__AlertCloseRequest request_body = CPIS__V1__ALERT_CLOSE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (!read_id(line, &request_body.id))
		return id_error(line);
	request_body.words = (char *)(uintptr_t)command_value(line, "words");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_CLOSE;
	request.alert_close = &request_body;
	int code = send_one(line, &request, true, &reply);
	if (code == EXIT_DONE)
		code = say_decided(line, reply, "closed", reply->alert_close->closed, "Closed.",
				   "It had been closed before; nothing was changed.");
	cpis_reply_free(reply);
	return code;
}

static const struct command_option list_options[] = {
	{"all", NULL, "those that are closed too", OPTION_OPTIONAL},
	{0},
};
static const struct command_option note_options[] = {
	{"words", "TEXT", "what is to be remembered: it is kept", OPTION_WORDS},
	{0},
};
static const struct command_option review_options[] = {
	{"finding", "WORD", "appropriate, near_miss or breach", OPTION_REQUIRED},
	{"words", "TEXT", "what you found: it is kept", OPTION_WORDS},
	{"keep-open", NULL, "something is still to be done: `cpis alert close` ends it", OPTION_OPTIONAL},
	{0},
};
static const struct command_option close_options[] = {
	{"words", "TEXT", "what was done: it is kept", OPTION_WORDS},
	{0},
};

static const struct command commands[] = {
	{.name = "alert list",
	 .operands = "",
	 .help = "The alerts of your organisation that are not closed, oldest first, and what a detection rule found. An alert names\n"
		 "nobody: `cpis audit show` with its audit record does, and that you looked is recorded.",
	 .options = list_options,
	 .run = run_list},
	{.name = "alert show",
	 .operands = "ID",
	 .help = "One alert, with all that was done about it, by whom and when.",
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_show},
	{.name = "alert assign",
	 .operands = "ID UID",
	 .help = "Gives an alert to a member of staff of your organisation, who may be you.",
	 .operands_min = 2,
	 .operands_max = 2,
	 .run = run_assign},
	{.name = "alert note",
	 .operands = "ID",
	 .help = "Adds a note, which nobody can take away.",
	 .options = note_options,
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_note},
	{.name = "alert review",
	 .operands = "ID",
	 .help = "Says what you found when you looked into an alert, and closes it. Final, and signed with your key. Exit code 5 when\n"
		 "it had been reviewed before.",
	 .options = review_options,
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_review},
	{.name = "alert close",
	 .operands = "ID",
	 .help = "Closes an alert that was reviewed with --keep-open. Signed with your key. Exit code 5 when it had been closed before.",
	 .options = close_options,
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_close},
};

int command_alert(int argc, char **argv)
{
	return command_dispatch_group("alert", "What is to be looked into, and what came of it; for privacy officers.", commands,
				      sizeof commands / sizeof commands[0], argc, argv);
}
