// `cpis enquiry`: social care asks the care setting that looked, which answers.
#include <stdio.h>
#include <string.h>

#include "clients/cli/argument.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"

struct message {
	uint64_t about, record;
	char text[MESSAGE_TEXT_BYTES_MAX + 1];
};

static int read_message(const struct command_line *line, struct message *ret)
{
	const char *record = command_value(line, "record");
	if (!command_number(command_value(line, "about"), 1, INT64_MAX, &ret->about))
		return command_usage_error(line, "--about is the number of an item in your organisation's inbox");
	if (record != NULL && !command_number(record, 0, INT64_MAX, &ret->record))
		return command_usage_error(line, "--record is the number of an audit record");
	return argument_text(line, REASON_CHARACTERS_MIN, ret->text);
}

static int run(const struct command_line *line, int (*say)(struct connection *connection, struct message *message))
{
	struct connection connection = {0};
	struct message message = {0};
	int code = read_message(line, &message);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = say(&connection, &message);
	explicit_bzero(&message, sizeof message);
	connection_close(&connection);
	return code;
}

static int send(struct connection *connection, struct message *message)
{
	Cpis__V1__EnquirySendRequest send = CPIS__V1__ENQUIRY_SEND_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	send.notification_id = message->about;
	send.message_text = message->text;
	send.audit_index = message->record;
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_SEND;
	request.enquiry_send = &send;
	int code = connection_call(connection, &request, &reply);
	if (code != EXIT_DONE)
		return code;
	const Cpis__V1__EnquirySendReply *sent = reply->enquiry_send;
	if (connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "enquiry_id", json_integer((json_int_t)sent->enquiry_id));
		json_object_set_new(value, "organisation", json_string(sent->organisation));
		output_json(value);
	} else {
		printf("Enquiry %llu went to %s. What becomes of it, and the answer, come to your inbox.\n",
		       (unsigned long long)sent->enquiry_id, sent->organisation);
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	return EXIT_DONE;
}

static int answer(struct connection *connection, struct message *message)
{
	Cpis__V1__EnquiryAnswerRequest answer = CPIS__V1__ENQUIRY_ANSWER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	answer.item_id = message->about;
	answer.message_text = message->text;
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_ANSWER;
	request.enquiry_answer = &answer;
	int code = connection_call(connection, &request, &reply);
	if (code != EXIT_DONE)
		return code;
	if (connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "organisation", json_string(reply->enquiry_answer->organisation));
		output_json(value);
	} else {
		printf("The answer went to %s.\n", reply->enquiry_answer->organisation);
		output_receipt(reply);
	}
	cpis_reply_free(reply);
	return EXIT_DONE;
}

static int run_send(const struct command_line *line)
{
	return run(line, send);
}

static int run_answer(const struct command_line *line)
{
	return run(line, answer);
}

static const struct command_option send_options[] = {
	{"about", "ID", "the number of the access notification in your inbox", OPTION_REQUIRED},
	{"text", "TEXT", "what you ask, 1,000 bytes at most; - reads it from standard input", OPTION_REQUIRED},
	{"record", "NO", "of a digest: the audit record of the view that you ask about", OPTION_OPTIONAL},
	{0},
};
static const struct command_option answer_options[] = {
	{"about", "ID", "the number of the enquiry in your inbox", OPTION_REQUIRED},
	{"text", "TEXT", "what you answer, 1,000 bytes at most; - reads it from standard input", OPTION_REQUIRED},
	{0},
};

static const struct command commands[] = {
	{.name = "enquiry send",
	 .operands = "",
	 .help = "Asks the organisation that viewed a child's details, about one access notification in your organisation's inbox.",
	 .options = send_options,
	 .run = run_send},
	{.name = "enquiry answer",
	 .operands = "",
	 .help = "Answers an enquiry in your organisation's inbox, once. That acknowledges it as acted on.",
	 .options = answer_options,
	 .run = run_answer},
};

int command_enquiry(int argc, char **argv)
{
	return command_dispatch_group("enquiry", "Between social care and the care setting that looked; recorded in the audit log.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
