// `cpis inbox`: what an organisation was told, read and acknowledged.
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"

#define INTERVAL_MS_DEFAULT 5000u

static json_t *item_value(const Cpis__V1__InboxItem *item)
{
	json_t *value = json_pack("{s:I}", "id", (json_int_t)item->id);
	json_object_set_new(value, "created", output_instant(item->created_ms));
	json_object_set_new(value, "acknowledged", output_instant(item->acknowledged_ms));
	if (item->acknowledged_ms != 0)
		json_object_set_new(value, "acknowledged_by", json_string(item->acknowledged_by));
	if (item->kind_case != CPIS__V1__INBOX_ITEM__KIND_ACCESS)
		return value;
	json_t *types = json_array();
	for (size_t i = 0; i < item->access->n_plan_types; i++)
		json_array_append_new(types, json_string(wire_plan_type_name(item->access->plan_types[i])));
	json_object_set_new(value, "kind", json_string("ACCESS"));
	json_object_set_new(value, "nhs_number", json_string(item->access->nhs_number));
	json_object_set_new(value, "local_id", json_string(item->access->local_id));
	json_object_set_new(value, "plan_types", types);
	json_object_set_new(value, "access", output_access(item->access->access));
	json_object_set_new(value, "uid", json_string(item->access->uid));
	json_object_set_new(value, "audit_index", json_integer((json_int_t)item->access->audit_index));
	json_object_set_new(value, "break_glass", json_boolean(item->access->break_glass));
	json_object_set_new(value, "reason", json_string(item->access->reason));
	return value;
}

static void print_access(const Cpis__V1__AccessNotification *notification)
{
	const Cpis__V1__Access *access = notification->access;
	char when[17], where[40];
	printf("  NHS number %s", notification->nhs_number);
	if (notification->local_id[0] != '\0')
		printf(", your id %s", notification->local_id);
	for (size_t i = 0; i < notification->n_plan_types; i++)
		printf("%s%s", i == 0 ? ", " : " and ", wire_plan_type_name(notification->plan_types[i]));
	output_english_time(access->time_ms, when);
	printf("\n  viewed %s by %s (%s), %s\n  at %s (%s), %s; audit record %llu\n", when, access->name,
	       notification->uid, access->role_name, access->organisation_name, access->organisation,
	       output_care_setting(access->care_setting, where), (unsigned long long)notification->audit_index);
	if (notification->break_glass)
		puts("  the glass was broken for it");
	if (notification->reason[0] != '\0')
		printf("  reason given: %s\n", notification->reason);
}

static void print_item(const Cpis__V1__InboxItem *item)
{
	char when[17];
	printf("%llu", (unsigned long long)item->id);
	if (item->acknowledged_ms != 0) {
		output_english_time(item->acknowledged_ms, when);
		printf("  acknowledged %s by %s", when, item->acknowledged_by);
	}
	putchar('\n');
	if (item->kind_case == CPIS__V1__INBOX_ITEM__KIND_ACCESS)
		print_access(item->access);
}

static int ask(struct connection *connection, uint64_t after, bool all, const Cpis__V1__Reply **ret)
{
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.after_id = after;
	list.include_acknowledged = all;
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
			json_array_append_new(items, item_value(list->items[i]));
		json_object_set_new(value, "items", items);
		json_object_set_new(value, "unacknowledged", json_integer((json_int_t)list->unacknowledged));
		output_json(value);
		return;
	}
	for (size_t i = 0; i < list->n_items; i++)
		print_item(list->items[i]);
	printf("%llu not acknowledged.\n", (unsigned long long)list->unacknowledged);
	output_receipt(reply);
}

static int run_list(const struct command_line *line)
{
	struct connection connection = {0};
	const Cpis__V1__Reply *reply = NULL;
	uint64_t after;
	int code = read_after(line, &after);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = ask(&connection, after, command_value(line, "all") != NULL, &reply);
	if (code == EXIT_DONE)
		print_list(reply, line->json);
	cpis_reply_free(reply);
	connection_close(&connection);
	return code;
}

// Prints what is new and returns the last id seen. JSON: one object a line, for programs that read a pipe.
static uint64_t print_new(const Cpis__V1__Reply *reply, bool json, uint64_t after, uint64_t *left)
{
	const Cpis__V1__InboxListReply *list = reply->inbox_list;
	for (size_t i = 0; i < list->n_items && *left > 0; i++, (*left)--) {
		after = list->items[i]->id;
		if (!json) {
			print_item(list->items[i]);
			continue;
		}
		json_t *value = item_value(list->items[i]);
		json_dumpf(value, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(value);
	}
	fflush(stdout);
	return after;
}

// A session ends after 12 hours, and after 30 minutes without use: so a new one after 11 hours, or before each look that
// comes later than 25 minutes after the last.
static bool session_is_old(time_t opened, uint64_t interval_ms)
{
	return time(NULL) - opened > 11 * 3600 || interval_ms > 25 * 60 * 1000;
}

// What happened to one look does not end the following: a broker that restarts is waited for.
static int follow(struct connection *connection, uint64_t after, uint64_t interval_ms, uint64_t left)
{
	time_t opened = time(NULL);
	for (;;) {
		const Cpis__V1__Reply *reply = NULL;
		int code = EXIT_DONE;
		if (session_is_old(opened, interval_ms)) {
			code = connection_renew(connection);
			opened = time(NULL);
		}
		if (code == EXIT_DONE)
			code = ask(connection, after, false, &reply);
		if (code != EXIT_DONE && code != EXIT_RETRY)
			return code;
		size_t items = 0;
		if (code == EXIT_DONE) {
			items = reply->inbox_list->n_items;
			after = print_new(reply, connection->line->json, after, &left);
		}
		cpis_reply_free(reply);
		if (left == 0)
			return EXIT_DONE;
		// A full page means that more is waiting.
		if (items < PAGE_ITEMS_DEFAULT)
			poll(NULL, 0, (int)interval_ms);
	}
}

static int run_follow(const struct command_line *line)
{
	struct connection connection = {0};
	uint64_t after, interval_ms = INTERVAL_MS_DEFAULT, left = UINT64_MAX;
	const char *interval = command_value(line, "interval"), *count = command_value(line, "count");
	int code = read_after(line, &after);
	if (code != EXIT_DONE)
		return code;
	if (interval != NULL && !command_number(interval, 100, 3600000, &interval_ms))
		return command_usage_error(line, "--interval is a number of milliseconds from 100 to 3600000");
	if (count != NULL && !command_number(count, 1, INT64_MAX, &left))
		return command_usage_error(line, "--count is a number from 1");
	code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = follow(&connection, after, interval_ms, left);
	connection_close(&connection);
	return code;
}

static int acknowledge(struct connection *connection, uint64_t *ids, size_t count)
{
	Cpis__V1__InboxAcknowledgeRequest acknowledge = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	acknowledge.n_ids = count;
	acknowledge.ids = ids;
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
	for (int i = 0; i < line->operand_count; i++)
		if (!command_number(line->operands[i], 1, INT64_MAX, &ids[i]))
			return command_usage_error(line, "%s is not an item's number", line->operands[i]);
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = acknowledge(&connection, ids, (size_t)line->operand_count);
	connection_close(&connection);
	return code;
}

static const struct command_option list_options[] = {
	{"all", NULL, "acknowledged items too", OPTION_OPTIONAL},
	{"after", "ID", "items with a greater number only", OPTION_OPTIONAL},
	{0},
};
static const struct command_option follow_options[] = {
	{"after", "ID", "items with a greater number only", OPTION_OPTIONAL},
	{"interval", "MS", "how often to look (default: 5000)", OPTION_OPTIONAL},
	{"count", "N", "stop after this many items", OPTION_OPTIONAL},
	{0},
};

static const struct command commands[] = {
	{.name = "inbox list",
	 .operands = "",
	 .help = "Prints the notifications to your organisation, oldest first, 50 at most.",
	 .options = list_options,
	 .run = run_list},
	{.name = "inbox follow",
	 .operands = "",
	 .help = "Prints unacknowledged notifications as they come; with --json one object a line. Goes on until it is\n"
		 "interrupted. Each look is a request of its own, recorded like all others.",
	 .options = follow_options,
	 .run = run_follow},
	{.name = "inbox ack",
	 .operands = "ID...",
	 .help = "Acknowledges notifications: somebody has taken care of them. Again is harmless. Exit code 5 when one of\n"
		 "the numbers is not in your organisation's inbox.",
	 .operands_min = 1,
	 .operands_max = (int)ACKNOWLEDGE_IDS_MAX,
	 .run = run_ack},
};

int command_inbox(int argc, char **argv)
{
	return command_dispatch_group("inbox", "What your organisation was told: who in unscheduled care viewed which child.",
				      commands, sizeof commands / sizeof commands[0], argc, argv);
}
