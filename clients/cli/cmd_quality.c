// `cpis quality`: how good a local authority's data is.
#include <stdio.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"

static json_t *value_of(const Cpis__V1__Reply *reply)
{
	const Cpis__V1__DataQualityReply *body = reply->data_quality;
	json_t *value = output_envelope(reply), *errors = json_array();
	for (size_t i = 0; i < body->n_errors; i++) {
		char code[16];
		snprintf(code, sizeof code, "CPR%02d", body->errors[i]->code);
		json_t *one = json_pack("{s:s, s:s, s:I}", "code", code, "field", body->errors[i]->field, "count",
					(json_int_t)body->errors[i]->count);
		json_object_set_new(one, "oldest", output_instant(body->errors[i]->oldest_ms));
		json_array_append_new(errors, one);
	}
	json_object_set_new(value, "authority", json_string(body->authority));
	json_object_set_new(value, "held", json_integer(body->held));
	json_object_set_new(value, "records", json_integer(body->records));
	json_object_set_new(value, "matched", json_integer(body->matched));
	json_object_set_new(value, "gate_passed", json_boolean(body->gate_passed));
	json_object_set_new(value, "checked", json_boolean(body->checked));
	json_object_set_new(value, "suspended", json_integer(body->suspended));
	json_object_set_new(value, "errors", errors);
	json_object_set_new(value, "last_published", output_instant(body->last_published_ms));
	json_object_set_new(value, "contacts_confirmed", output_instant(body->contacts_confirmed_ms));
	return value;
}

static void print_instant(const char *what, uint64_t time_ms)
{
	char text[17] = "never";
	if (time_ms != 0)
		output_english_time(time_ms, text);
	printf("%s %s\n", what, text);
}

static void print(const Cpis__V1__DataQualityReply *body)
{
	printf("Authority %s: %u plans without an end.\n", body->authority, body->held);
	if (body->records == 0)
		puts("There was no full file yet.");
	else
		printf("Last full file: %u of %u records %s (%.1f %%): the gate of 95 %% is %s.\n", body->matched, body->records,
		       body->checked ? "matched by the demographics service" : "with a well-formed number",
		       100.0 * body->matched / body->records, body->gate_passed ? "passed" : "NOT PASSED");
	if (body->suspended != 0)
		printf("%u plans are not shown because their NHS number is not in use.\n", body->suspended);
	for (size_t i = 0; i < body->n_errors; i++) {
		char since[17];
		output_english_time(body->errors[i]->oldest_ms, since);
		printf("rejected: %u with CPR%02d %s, the oldest since %s\n", body->errors[i]->count, body->errors[i]->code,
		       body->errors[i]->field, since);
	}
	print_instant("last published", body->last_published_ms);
	print_instant("contacts confirmed", body->contacts_confirmed_ms);
}

static int run(const struct command_line *line)
{
	struct connection connection;
	Cpis__V1__DataQualityRequest body = CPIS__V1__DATA_QUALITY_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	const char *authority = command_value(line, "authority");
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	if (authority != NULL)
		body.authority = (char *)(uintptr_t)authority;
	request.body_case = CPIS__V1__REQUEST__BODY_DATA_QUALITY;
	request.data_quality = &body;
	code = connection_call(&connection, &request, &reply);
	if (code == EXIT_DONE && line->json)
		output_json(value_of(reply));
	else if (code == EXIT_DONE)
		print(reply->data_quality);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static const struct command_option options[] = {
	{"authority", "ODS", "for a national body: of which authority", OPTION_OPTIONAL},
	{0},
};

static const struct command command = {
	.name = "quality",
	.operands = "",
	.help = "Shows the share of records with a matched NHS number, what is rejected and since when, and how old data and\n"
		"contacts are.",
	.options = options,
	.run = run,
};

int command_quality(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
