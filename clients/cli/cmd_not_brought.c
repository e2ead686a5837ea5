// `cpis not-brought`: a child on a plan missed a planned appointment.
#include <stdio.h>
#include <string.h>

#include "clients/cli/argument.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"
#include "proto/date.h"

struct appointment {
	struct nhs_number number;
	const char *date;
	Cpis__V1__CareSetting care_setting;
	char text[MESSAGE_TEXT_BYTES_MAX + 1];
};

static int read_appointment(const struct command_line *line, struct appointment *ret)
{
	struct date date;
	ret->date = command_value(line, "appointment");
	if (!date_parse(ret->date, strlen(ret->date), &date))
		return command_usage_error(line, "--appointment is a date, YYYY-MM-DD");
	enum nhs_number_status status = argument_nhs_number(command_value(line, "nhs-number"), &ret->number);
	if (status != NHS_NUMBER_OK)
		return command_usage_error(line, "%s", nhs_number_status_text(status));
	return argument_text(line, 0, ret->text);
}

static int read_care_setting(const struct connection *connection, Cpis__V1__CareSetting *ret)
{
	const char *setting = command_value(connection->line, "care-setting");
	if (setting == NULL)
		setting = connection->profile->care_setting;
	if (setting != NULL && !wire_care_setting_by_name(setting, ret))
		return command_usage_error(connection->line, "there is no care setting %s", setting);
	return EXIT_DONE;
}

static int send(struct connection *connection, struct appointment *appointment)
{
	Cpis__V1__NotBroughtSendRequest send = CPIS__V1__NOT_BROUGHT_SEND_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	send.nhs_number = appointment->number.digits;
	send.care_setting = appointment->care_setting;
	send.appointment_date = (char *)(uintptr_t)appointment->date;
	send.message_text = appointment->text;
	request.body_case = CPIS__V1__REQUEST__BODY_NOT_BROUGHT_SEND;
	request.not_brought_send = &send;
	int code = connection_call(connection, &request, &reply);
	if (code != EXIT_DONE)
		return code;
	if (connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "sent", json_boolean(reply->not_brought_send->sent));
		json_object_set_new(value, "notice", json_string(reply->not_brought_send->notice));
		output_json(value);
	} else {
		if (reply->not_brought_send->sent)
			puts("Known to children's social care, which has been told.");
		puts(reply->not_brought_send->notice);
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	return EXIT_DONE;
}

static int run(const struct command_line *line)
{
	struct connection connection = {0};
	struct appointment appointment = {.date = NULL};
	int code = read_appointment(line, &appointment);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = read_care_setting(&connection, &appointment.care_setting);
	if (code == EXIT_DONE)
		code = send(&connection, &appointment);
	explicit_bzero(&appointment, sizeof appointment);
	connection_close(&connection);
	return code;
}

static const struct command_option options[] = {
	{"nhs-number", "NUMBER", "the child's; - reads it from standard input", OPTION_REQUIRED},
	{"appointment", "DATE", "when it was, YYYY-MM-DD; today, or at most 31 days ago", OPTION_REQUIRED},
	{"care-setting", "NAME", "where it was, e.g. community_paediatrics", OPTION_OPTIONAL},
	{"text", "TEXT", "what social care should know, 1,000 bytes at most; - reads it from standard input", OPTION_OPTIONAL},
	{0},
};

static const struct command command = {
	.name = "not-brought",
	.operands = "",
	.help = "Tells the local authorities that hold a plan for a child that it was not brought to a planned appointment.\n"
		"Says to you what a flag query would say.",
	.options = options,
	.run = run,
};

int command_not_brought(int argc, char **argv)
{
	return command_dispatch(&command, argc, argv);
}
