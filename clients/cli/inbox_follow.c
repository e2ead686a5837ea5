// Following an inbox: one request waits at the broker until something comes. What happened to one of them does not end the
// following: a broker that restarts is waited for.
#include "clients/cli/inbox_follow.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/inbox_item.h"
#include "clients/cli/inbox_program.h"
#include "proto/limits.h"

#define INTERVAL_MS_DEFAULT 5000u
#define WAIT_MS 55000u
#define LEASE_S_DEFAULT 300u
#define LEASE_S_MIN 2u
// A program is ended so long before its lease is, whoever's clock is right: what was on its way when the lease began.
#define LEASE_MARGIN_MS 1000u
#define PAUSE_MS_FIRST 1000u
#define FAILED_MAX 256u

struct follower {
	struct connection connection;
	int box;
	uint64_t after;              // printed up to here
	uint64_t left;               // items until the end
	uint64_t interval_ms;        // before a broker that did not answer is asked again
	const char *program;         // NULL: print
	uint32_t lease_ms;
	Cpis__V1__Settlement settlement;
	time_t opened, used;         // the session
	struct {
		uint64_t id;
		unsigned times;
	} failed[FAILED_MAX];        // items that the program could not do; the oldest is forgotten
	size_t failed_count;
};

// ------------------------------------------------------------------ the end

static volatile sig_atomic_t in_hand, stopping;

// While nothing is in hand nothing has to be finished. An item that was being handed over is free again after its lease.
static void on_stop(int signal_number)
{
	(void)signal_number;
	if (!in_hand)
		_exit(EXIT_DONE);
	stopping = 1;
}

static void catch_stop(void)
{
	struct sigaction action = {.sa_handler = on_stop};
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

// A session ends after 12 hours, and after 30 minutes without use: so a new one after 11 hours, or when a program ran for long.
static int keep_session(struct follower *follower)
{
	time_t now = time(NULL), unused = now - follower->used;
	follower->used = now;
	if (now - follower->opened <= 11 * 3600 && unused <= 20 * 60)
		return EXIT_DONE;
	follower->opened = now;
	return connection_renew(&follower->connection);
}

// ------------------------------------------------------------------ printing

static int ask(struct follower *follower, const Cpis__V1__Reply **ret)
{
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.after_id = follower->after;
	list.wait_ms = WAIT_MS;
	list.box = (Cpis__V1__InboxBox)follower->box;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	return connection_call_within(&follower->connection, &request, DEADLINE_MS_MAX, ret);
}

// JSON: one object a line, for programs that read a pipe.
static void print_one(const Cpis__V1__InboxItem *item, bool json)
{
	if (!json) {
		inbox_item_print(item);
		return;
	}
	json_t *value = inbox_item_value(item);
	json_dumpf(value, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(value);
}

static int print_next(struct follower *follower)
{
	const Cpis__V1__Reply *reply = NULL;
	int code = ask(follower, &reply);
	if (code != EXIT_DONE)
		return code;
	const Cpis__V1__InboxListReply *list = reply->inbox_list;
	for (size_t i = 0; i < list->n_items && follower->left > 0; i++, follower->left--) {
		follower->after = list->items[i]->id;
		print_one(list->items[i], follower->connection.line->json);
	}
	fflush(stdout);
	cpis_reply_free(reply);
	return EXIT_DONE;
}

// ------------------------------------------------------------------ handing over

static int take(struct follower *follower, uint64_t held_id, uint64_t lease, uint32_t lease_ms, const Cpis__V1__Reply **ret)
{
	Cpis__V1__InboxTakeRequest take = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	take.limit = 1;
	take.lease_ms = lease_ms;
	take.wait_ms = held_id == 0 ? WAIT_MS : 0;
	take.box = (Cpis__V1__InboxBox)follower->box;
	take.held_id = held_id;
	take.lease = lease;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &take;
	return held_id == 0 ? connection_call_within(&follower->connection, &request, DEADLINE_MS_MAX, ret)
			    : connection_call(&follower->connection, &request, ret);
}

// Twice as long after each failure of the same item, an hour at most: meanwhile the others have their turn.
static uint32_t pause_after_failure(struct follower *follower, uint64_t id)
{
	size_t i = 0;
	while (i < follower->failed_count && follower->failed[i].id != id)
		i++;
	if (i == FAILED_MAX) {
		memmove(&follower->failed[0], &follower->failed[1], (FAILED_MAX - 1) * sizeof follower->failed[0]);
		i = --follower->failed_count;
	}
	if (i == follower->failed_count) {
		follower->failed[i].id = id;
		follower->failed[i].times = 0;
		follower->failed_count++;
	}
	unsigned times = follower->failed[i].times++;
	uint64_t pause_ms = (uint64_t)PAUSE_MS_FIRST << (times > 20 ? 20 : times);
	return pause_ms > INBOX_LEASE_MS_MAX ? INBOX_LEASE_MS_MAX : (uint32_t)pause_ms;
}

static void forget_failures(struct follower *follower, uint64_t id)
{
	for (size_t i = 0; i < follower->failed_count; i++)
		if (follower->failed[i].id == id)
			follower->failed[i] = follower->failed[--follower->failed_count];
}

static int put_back(struct follower *follower, uint64_t id, uint64_t lease, const char *why)
{
	const Cpis__V1__Reply *reply = NULL;
	uint32_t pause_ms = pause_after_failure(follower, id);
	fprintf(stderr, "cpis inbox follow: item %llu: %s %s; it is tried again in %u s\n", (unsigned long long)id,
		follower->program, why, pause_ms / 1000);
	int code = take(follower, id, lease, pause_ms, &reply);
	cpis_reply_free(reply);
	return code;
}

static int settle(struct follower *follower, uint64_t id)
{
	Cpis__V1__InboxAcknowledgeRequest acknowledge = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	acknowledge.ids = &id;
	acknowledge.n_ids = 1;
	acknowledge.box = (Cpis__V1__InboxBox)follower->box;
	acknowledge.settlement = follower->settlement;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &acknowledge;
	int code = connection_call(&follower->connection, &request, &reply);
	if (code != EXIT_DONE)
		fprintf(stderr, "cpis inbox follow: item %llu was done and is not acknowledged: it will be handed over again\n",
			(unsigned long long)id);
	cpis_reply_free(reply);
	forget_failures(follower, id);
	return code;
}

static int hand_over(struct follower *follower, const Cpis__V1__InboxTakeReply *taken)
{
	const Cpis__V1__InboxItem *item = taken->items[0];
	char detail[INBOX_PROGRAM_DETAIL_BYTES] = "", *text = NULL, *input = NULL;
	json_t *value = inbox_item_value(item);
	text = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	int bytes = text == NULL ? -1 : asprintf(&input, "%s\n", text);
	free(text);
	if (bytes < 0) {
		fprintf(stderr, "cpis inbox follow: out of memory\n");
		return EXIT_FAILED;
	}
	bool done = inbox_program_run(follower->program, input, (size_t)bytes, follower->lease_ms - LEASE_MARGIN_MS, detail);
	explicit_bzero(input, (size_t)bytes);
	free(input);
	follower->left--;
	int code = keep_session(follower);
	if (code != EXIT_DONE)
		return code;
	return done ? settle(follower, item->id) : put_back(follower, item->id, taken->lease, detail);
}

static int take_next(struct follower *follower)
{
	const Cpis__V1__Reply *reply = NULL;
	int code = take(follower, 0, 0, follower->lease_ms, &reply);
	if (code == EXIT_DONE && reply->inbox_take->n_items > 0) {
		in_hand = 1;
		code = hand_over(follower, reply->inbox_take);
		in_hand = 0;
	}
	cpis_reply_free(reply);
	return code;
}

// ------------------------------------------------------------------ following

static int follow(struct follower *follower)
{
	follower->opened = follower->used = time(NULL);
	while (follower->left > 0 && !stopping) {
		int code = connection_gossip(&follower->connection);
		if (code == EXIT_DONE)
			code = keep_session(follower);
		if (code == EXIT_DONE)
			code = follower->program != NULL ? take_next(follower) : print_next(follower);
		if (code != EXIT_DONE && code != EXIT_RETRY)
			return code;
		if (code == EXIT_RETRY && !stopping)
			poll(NULL, 0, (int)follower->interval_ms);
	}
	return EXIT_DONE;
}

bool inbox_read_box(const struct command_line *line, int *ret)
{
	const char *word = command_value(line, "box");
	*ret = CPIS__V1__INBOX_BOX__NOTIFICATIONS;
	if (word == NULL || strcasecmp(word, "notifications") == 0)
		return true;
	*ret = CPIS__V1__INBOX_BOX__ESCALATIONS;
	if (strcasecmp(word, "escalations") == 0)
		return true;
	(void)command_usage_error(line, "--box is notifications or escalations");
	return false;
}

static int read_program(const struct command_line *line, struct follower *follower)
{
	const char *lease = command_value(line, "lease");
	char detail[INBOX_PROGRAM_DETAIL_BYTES];
	uint64_t lease_s = LEASE_S_DEFAULT;
	follower->program = command_value(line, "exec");
	follower->settlement = command_value(line, "acted-on") != NULL ? CPIS__V1__SETTLEMENT__ACTED_ON : CPIS__V1__SETTLEMENT__SEEN;
	if (follower->program == NULL && (lease != NULL || command_value(line, "acted-on") != NULL))
		return command_usage_error(line, "--lease and --acted-on go with --exec");
	if (follower->program != NULL && command_value(line, "after") != NULL)
		return command_usage_error(line, "--after does not go with --exec, which takes whatever nobody has taken");
	if (lease != NULL && !command_number(lease, LEASE_S_MIN, INBOX_LEASE_MS_MAX / 1000, &lease_s))
		return command_usage_error(line, "--lease is a number of seconds from 2 to 3600");
	follower->lease_ms = (uint32_t)lease_s * 1000u;
	if (follower->program != NULL && !inbox_program_check(follower->program, detail))
		return command_usage_error(line, "%s", detail);
	return EXIT_DONE;
}

static int read_options(const struct command_line *line, struct follower *follower)
{
	const char *interval = command_value(line, "interval"), *count = command_value(line, "count");
	const char *after = command_value(line, "after");
	follower->interval_ms = INTERVAL_MS_DEFAULT;
	follower->left = UINT64_MAX;
	if (after != NULL && !command_number(after, 0, INT64_MAX, &follower->after))
		return command_usage_error(line, "--after is an item's number");
	if (interval != NULL && !command_number(interval, 100, 3600000, &follower->interval_ms))
		return command_usage_error(line, "--interval is a number of milliseconds from 100 to 3600000");
	if (count != NULL && !command_number(count, 1, INT64_MAX, &follower->left))
		return command_usage_error(line, "--count is a number from 1");
	if (!inbox_read_box(line, &follower->box))
		return EXIT_USAGE;
	return read_program(line, follower);
}

int inbox_follow(const struct command_line *line)
{
	struct follower follower = {.after = 0};
	int code = read_options(line, &follower);
	if (code == EXIT_DONE)
		code = connection_sign_in(line, &follower.connection);
	if (code != EXIT_DONE)
		return code;
	if (follower.program != NULL)
		catch_stop();
	code = follow(&follower);
	connection_close(&follower.connection);
	return code;
}

const struct command_option inbox_follow_options[] = {
	{"after", "ID", "items with a greater number only", OPTION_OPTIONAL},
	{"box", "NAME", "notifications (default) or escalations", OPTION_OPTIONAL},
	{"count", "N", "stop after this many items", OPTION_OPTIONAL},
	{"interval", "MS", "how long to wait for a broker that does not answer (default: 5000)", OPTION_OPTIONAL},
	{"exec", "PROGRAM", "run it for each item, which is one line of JSON on its standard input", OPTION_OPTIONAL},
	{"lease", "SECONDS", "how long it may run, 2 to 3600 (default: 300)", OPTION_OPTIONAL},
	{"acted-on", NULL, "exit code 0 says that the item was acted on, not only seen", OPTION_OPTIONAL},
	{0},
};
