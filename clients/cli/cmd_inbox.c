// `cpis inbox`: what an organisation was told, read and acknowledged.
#include <stdio.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/inbox_follow.h"
#include "clients/cli/inbox_item.h"
#include "clients/cli/output.h"

static int ask(struct connection *connection, uint64_t after, int box, bool all, const Cpis__V1__Reply **ret)
{
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.after_id = after;
	list.include_acknowledged = all;
	list.box = (Cpis__V1__InboxBox)box;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	return connection_call(connection, &request, ret);
}

static int read_after(const struct command_line *line, uint64_t *ret)
{
	const char *after = command_value(line, "after");
	*ret = 0;
	if (after != NULL && !command_number(after, 0, INT64_MAX, ret))
		return command_usage_error(line, "--after is an item's number");
	return EXIT_DONE;
}

static void print_list(const Cpis__V1__Reply *reply, bool json)
{
	const Cpis__V1__InboxListReply *list = reply->inbox_list;
	if (json) {
		json_t *value = output_envelope(reply), *items = json_array();
		for (size_t i = 0; i < list->n_items; i++)
			json_array_append_new(items, inbox_item_value(list->items[i]));
		json_object_set_new(value, "items", items);
		json_object_set_new(value, "unacknowledged", json_integer((json_int_t)list->unacknowledged));
		output_json(value);
		return;
	}
	for (size_t i = 0; i < list->n_items; i++)
		inbox_item_print(list->items[i]);
	printf("%llu not acknowledged.\n", (unsigned long long)list->unacknowledged);
	output_receipt(reply);
}

static int run_list(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	uint64_t after;
	int box, code = read_after(line, &after);
	if (code == EXIT_DONE && !inbox_read_box(line, &box))
		code = EXIT_USAGE;
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = ask(&connection, after, box, command_value(line, "all") != NULL, &reply);
	if (code == EXIT_DONE)
		print_list(reply, line->json);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

static int acknowledge(struct connection *connection, int box, uint64_t *ids, size_t count)
{
	Cpis__V1__InboxAcknowledgeRequest acknowledge = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	acknowledge.n_ids = count;
	acknowledge.ids = ids;
	acknowledge.box = (Cpis__V1__InboxBox)box;
	acknowledge.settlement = command_value(connection->line, "acted-on") != NULL ? CPIS__V1__SETTLEMENT__ACTED_ON
										    : CPIS__V1__SETTLEMENT__SEEN;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &acknowledge;
	int code = connection_call(connection, &request, &reply);
	if (code != EXIT_DONE)
		return code;
	const Cpis__V1__InboxAcknowledgeReply *done = reply->inbox_acknowledge;
	if (connection->line->json) {
		json_t *value = output_envelope(reply);
		json_object_set_new(value, "acknowledged", json_integer(done->acknowledged));
		json_object_set_new(value, "already", json_integer(done->already));
		json_object_set_new(value, "unknown", json_integer(done->unknown));
		output_json(value);
	} else {
		printf("%u acknowledged, %u already were, %u unknown.\n", done->acknowledged, done->already, done->unknown);
		output_receipt(reply);
	}
	code = done->unknown > 0 ? EXIT_PARTIAL : EXIT_DONE;
	cpis_reply_free(reply);
	return code;
}

static int run_ack(const struct command_line *line)
{
	struct connection connection = {0};
	uint64_t ids[ACKNOWLEDGE_IDS_MAX];
	int box;
	if (!inbox_read_box(line, &box))
		return EXIT_USAGE;
	for (int i = 0; i < line->operand_count; i++)
		if (!command_number(line->operands[i], 1, INT64_MAX, &ids[i]))
			return command_usage_error(line, "%s is not an item's number", line->operands[i]);
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = acknowledge(&connection, box, ids, (size_t)line->operand_count);
	connection_close(&connection);
	return code;
}

static const struct command_option list_options[] = {
	{"all", NULL, "acknowledged items too", OPTION_OPTIONAL},
	{"after", "ID", "items with a greater number only", OPTION_OPTIONAL},
	{"box", "NAME", "notifications (default), or escalations: what nobody acknowledged in time", OPTION_OPTIONAL},
	{0},
};
static const struct command_option ack_options[] = {
	{"acted-on", NULL, "somebody has acted on it, and not only seen it", OPTION_OPTIONAL},
	{"box", "NAME", "notifications (default) or escalations", OPTION_OPTIONAL},
	{0},
};

static const struct command commands[] = {
	{.name = "inbox list",
	 .operands = "",
	 .help = "Prints what your organisation was told and nobody has acknowledged, oldest first, 50 at most.",
	 .options = list_options,
	 .run = run_list},
	{.name = "inbox follow",
	 .operands = "",
	 .help = "Prints unacknowledged items as they come; with --json one object a line. Goes on until it is interrupted. Each\n"
		 "request waits at the broker for up to 55 s, and is recorded when it is answered. With --exec one item at a time is\n"
		 "taken, so that several of these share the work, and handed to the program, which is run without arguments and\n"
		 "without a shell. Exit code 0 acknowledges the item; after any other, or when it runs for too long, the item is\n"
		 "tried again later, and the others go on.",
	 .options = inbox_follow_options,
	 .run = inbox_follow},
	{.name = "inbox ack",
	 .operands = "ID...",
	 .help = "Acknowledges items: somebody has seen them, or with --acted-on has acted on them, which may follow. Whoever\n"
		 "they came from is told. Again is harmless. Exit code 5 when one of the numbers is not in your organisation's\n"
		 "inbox.",
	 .options = ack_options,
	 .operands_min = 1,
	 .operands_max = (int)ACKNOWLEDGE_IDS_MAX,
	 .run = run_ack},
};

int command_inbox(int argc, char **argv)
{
	return command_dispatch_group("inbox", "What your organisation was told: who viewed which child, who asks, what became of it.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
