// `cpis alert`: what the privacy officer of an organisation must look into, and what was found.
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/text.h"

// ------------------------------------------------------------------ list

static void print_alert(const Cpis__V1__Alert *alert)
{
	char when[17], reviewed[17], word[32];
	output_english_time(alert->created_ms, when);
	printf("%6llu  %s  the glass was broken; audit record %llu\n", (unsigned long long)alert->id, when,
	       (unsigned long long)alert->audit_index);
	if (alert->reviewed_ms == 0)
		return;
	output_english_time(alert->reviewed_ms, reviewed);
	text_lower_case(wire_alert_finding_name(alert->finding), word, sizeof word);
	printf("        %s, reviewed %s by %s: %s\n", word, reviewed, alert->reviewed_by, alert->words);
}

static json_t *alert_value(const Cpis__V1__Alert *alert)
{
	json_t *value = json_pack("{s:I, s:s, s:I}", "id", (json_int_t)alert->id, "kind", "BREAK_GLASS", "audit_index",
				  (json_int_t)alert->audit_index);
	json_object_set_new(value, "created", output_instant(alert->created_ms));
	json_object_set_new(value, "reviewed", output_instant(alert->reviewed_ms));
	if (alert->reviewed_ms != 0) {
		json_object_set_new(value, "finding", json_string(wire_alert_finding_name(alert->finding)));
		json_object_set_new(value, "reviewed_by", json_string(alert->reviewed_by));
		json_object_set_new(value, "words", json_string(alert->words));
	}
	return value;
}

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
		more = page->n_alerts == PAGE_ITEMS_MAX;
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

// ------------------------------------------------------------------ review

static int run_review(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__AlertReviewRequest review = CPIS__V1__ALERT_REVIEW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const char *finding = command_value(line, "finding");
	if (!command_number(line->operands[0], 1, INT64_MAX, &review.id))
		return command_usage_error(line, "an alert is named by its number, as `cpis alert list` shows it");
	if (!wire_alert_finding_by_name(finding, &review.finding))
		return command_usage_error(line, "--finding is appropriate, near_miss or breach");
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	review.words = (char *)(uintptr_t)command_value(line, "words");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_REVIEW;
	request.alert_review = &review;
	code = connection_call_signed(&connection, &request, &reply);
	if (code == EXIT_DONE) {
		if (!reply->alert_review->reviewed)
			code = EXIT_PARTIAL;
		if (line->json) {
			json_t *value = output_envelope(reply);
			json_object_set_new(value, "reviewed", json_boolean(reply->alert_review->reviewed));
			output_json(value);
		} else {
			puts(reply->alert_review->reviewed ? "Reviewed." : "It had been reviewed before; nothing was changed.");
			output_receipt(reply);
		}
	}
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command_option list_options[] = {
	{"all", NULL, "those that were reviewed too", OPTION_OPTIONAL},
	{0},
};
static const struct command_option review_options[] = {
	{"finding", "WORD", "appropriate or inappropriate", OPTION_REQUIRED},
	{"words", "TEXT", "what you found: it is kept", OPTION_REQUIRED},
	{0},
};

static const struct command commands[] = {
	{.name = "alert list",
	 .operands = "",
	 .help = "The alerts of your organisation that nobody has reviewed yet, oldest first. An alert names nobody: `cpis audit\n"
		 "show` with its audit record does.",
	 .options = list_options,
	 .run = run_list},
	{.name = "alert review",
	 .operands = "ID",
	 .help = "Says what you found when you looked into an alert. Final, and signed with your key. Exit code 5 when it had been\n"
		 "reviewed before.",
	 .options = review_options,
	 .operands_min = 1,
	 .operands_max = 1,
	 .run = run_review},
};

int command_alert(int argc, char **argv)
{
	return command_dispatch_group("alert", "When somebody broke the glass; for privacy officers.", commands,
				      sizeof commands / sizeof commands[0], argc, argv);
}
