// `cpis retention`: until when the audit log's records can be read, and legal holds that stop their erasure.
#include <stdio.h>
#include <string.h>

#include "clients/cli/brokers.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/date.h"

// ------------------------------------------------------------------ show

static json_t *month_value(const Cpis__V1__RetentionMonth *month)
{
	json_t *keys = json_array();
	for (size_t i = 0; i < month->n_keys; i++) {
		const Cpis__V1__RetentionKey *key = month->keys[i];
		json_t *value = json_pack("{s:s, s:i}", "record_class", wire_record_class_name(key->record_class), "seal_key",
					  (int)key->seal_key);
		json_object_set_new(value, "due", output_instant(key->due_ms));
		json_object_set_new(value, "destroyed", output_instant(key->destroyed_ms));
		json_array_append_new(keys, value);
	}
	return json_pack("{s:s, s:b, s:o}", "month", month->month, "held", month->held != 0, "keys", keys);
}

static json_t *hold_value(const Cpis__V1__RetentionHold *hold)
{
	json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "name", hold->name, "from_month", hold->from_month,
				  "until_month", hold->until_month, "reason", hold->reason, "held_by_uid", hold->held_by_uid,
				  "held_by_name", hold->held_by_name, "audit_index", (json_int_t)hold->audit_index);
	json_object_set_new(value, "since", output_instant(hold->since_ms));
	return value;
}

static void print_key(const Cpis__V1__RetentionKey *key, bool held)
{
	char when[25];
	instant_format(key->destroyed_ms != 0 ? key->destroyed_ms : key->due_ms, when);
	printf("  %-16s key %-5u ", wire_record_class_name(key->record_class), key->seal_key);
	if (key->destroyed_ms != 0)
		printf("destroyed %.10s\n", when);
	else if (key->due_ms == 0)
		puts("kept");
	else
		printf("kept until %.10s%s\n", when, held ? " and as long as it is held" : "");
}

static void print_hold(const Cpis__V1__RetentionHold *hold)
{
	char since[17];
	output_english_time(hold->since_ms, since);
	printf("HELD: %s, %s to %s\n  since %s, by %s (%s), audit record %llu\n  %s\n", hold->name,
	       hold->from_month[0] == '\0' ? "the first month" : hold->from_month,
	       hold->until_month[0] == '\0' ? "the last" : hold->until_month, since, hold->held_by_name, hold->held_by_uid,
	       (unsigned long long)hold->audit_index, hold->reason);
}

static void print_show(const Cpis__V1__Reply *reply, bool json)
{
	const Cpis__V1__RetentionShowReply *shown = reply->retention_show;
	if (json) {
		json_t *value = output_envelope(reply), *months = json_array(), *holds = json_array();
		for (size_t i = 0; i < shown->n_months; i++)
			json_array_append_new(months, month_value(shown->months[i]));
		for (size_t i = 0; i < shown->n_holds; i++)
			json_array_append_new(holds, hold_value(shown->holds[i]));
		json_object_set_new(value, "months", months);
		json_object_set_new(value, "holds", holds);
		json_object_set_new(value, "more", json_boolean(shown->more));
		output_json(value);
		return;
	}
	for (size_t i = 0; i < shown->n_holds; i++)
		print_hold(shown->holds[i]);
	for (size_t i = 0; i < shown->n_months; i++) {
		printf("%s%s\n", shown->months[i]->month, shown->months[i]->held ? ", held" : "");
		for (size_t k = 0; k < shown->months[i]->n_keys; k++)
			print_key(shown->months[i]->keys[k], shown->months[i]->held);
	}
	if (shown->more)
		printf("There are earlier ones: --before %s\n", shown->months[shown->n_months - 1]->month);
	output_receipt(reply);
}

static int read_month(const struct command_line *line, const char *option, char **ret)
{
	uint32_t month;
	const char *value = command_value(line, option);
	if (value == NULL)
		return EXIT_DONE;
	if (!month_parse(value, strlen(value), &month))
		return command_usage_error(line, "--%s is a month like 2026-11", option);
	*ret = (char *)(uintptr_t)value;
	return EXIT_DONE;
}

static int run_show(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__RetentionShowRequest show = CPIS__V1__RETENTION_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_RETENTION_SHOW;
	request.retention_show = &show;
	int code = read_month(line, "before", &show.before_month);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE)
		print_show(reply, line->json);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

// ------------------------------------------------------------------ hold and release

static int act_at(struct connection *connection, void *context)
{
	Cpis__V1__Request *request = context;
	const Cpis__V1__Reply *reply = NULL;
	int code = connection_call_signed(connection, request, &reply);
	if (code != EXIT_DONE)
		return code;
	bool nothing = reply->body_case == CPIS__V1__REPLY__BODY_RETENTION_RELEASE && !reply->retention_release->released;
	if (connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "changed", json_boolean(!nothing));
		output_json(value);
	} else {
		puts(nothing ? "There was no hold of this name."
			     : reply->body_case == CPIS__V1__REPLY__BODY_RETENTION_RELEASE
				       ? "Released: what the policy keeps no longer is erased from now on."
				       : "Held: nothing of these months is erased until it is released.");
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	return nothing ? EXIT_PARTIAL : EXIT_DONE;
}

static int act(const struct command_line *line, Cpis__V1__Request *request, const char *still)
{
	char meanwhile[HOLD_NAME_BYTES_MAX + 80];
	if (strlen(line->operands[0]) > HOLD_NAME_BYTES_MAX)
		return command_usage_error(line, "the name is longer than %u bytes", HOLD_NAME_BYTES_MAX);
	snprintf(meanwhile, sizeof meanwhile, "%s %s", still, line->operands[0]);
	return brokers_act(line, act_at, request, meanwhile);
}

static int run_hold(const struct command_line *line)
{
	Cpis__V1__RetentionHold hold = CPIS__V1__RETENTION_HOLD__INIT;
	Cpis__V1__RetentionHoldRequest body = CPIS__V1__RETENTION_HOLD_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	int code = read_month(line, "from", &hold.from_month);
	if (code == EXIT_DONE)
		code = read_month(line, "until", &hold.until_month);
	if (code != EXIT_DONE)
		return code;
	if (hold.until_month[0] != '\0' && strcmp(hold.from_month, hold.until_month) > 0)
		return command_usage_error(line, "--until is before --from");
	hold.name = line->operands[0];
	hold.reason = (char *)(uintptr_t)command_value(line, "reason");
	body.hold = &hold;
	request.body_case = CPIS__V1__REQUEST__BODY_RETENTION_HOLD;
	request.retention_hold = &body;
	return act(line, &request, "does not hold what is to be kept for");
}

static int run_release(const struct command_line *line)
{
	Cpis__V1__RetentionReleaseRequest body = CPIS__V1__RETENTION_RELEASE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.name = line->operands[0];
	body.reason = (char *)(uintptr_t)command_value(line, "reason");
	request.body_case = CPIS__V1__REQUEST__BODY_RETENTION_RELEASE;
	request.retention_release = &body;
	return act(line, &request, "still holds what was kept for");
}

#define REASON_OPTION {"reason", "TEXT", "why, in words: it is kept in the audit log", OPTION_WORDS}

static const struct command_option show_options[] = {
	{"before", "MONTH", "only months before this one, e.g. 2026-11", OPTION_OPTIONAL},
	{0},
};
static const struct command_option hold_options[] = {
	{"from", "MONTH", "the first month, e.g. 2026-01 (default: from the beginning)", OPTION_OPTIONAL},
	{"until", "MONTH", "the last month (default: without end)", OPTION_OPTIONAL},
	REASON_OPTION,
	{0},
};
static const struct command_option release_options[] = {REASON_OPTION, {0}};

static const struct command commands[] = {
	{.name = "retention show",
	 .operands = "",
	 .help = "Which months' records can be read, until when the policy keeps them, and what is held.",
	 .options = show_options,
	 .run = run_show},
	{.name = "retention hold",
	 .operands = "NAME",
	 .operands_min = 1,
	 .operands_max = 1,
	 .help = "A legal hold: nothing of these months is erased until it is released. The same name again may hold more, not\n"
		 "less. Signed with your key.",
	 .options = hold_options,
	 .run = run_hold},
	{.name = "retention release",
	 .operands = "NAME",
	 .operands_min = 1,
	 .operands_max = 1,
	 .help = "Ends a hold. Signed with your key. Exit code 5 when there was none of this name.",
	 .options = release_options,
	 .run = run_release},
};

int command_retention(int argc, char **argv)
{
	return command_dispatch_group("retention",
				      "How long the audit log's records can be read, and legal holds; for national reviewers.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
