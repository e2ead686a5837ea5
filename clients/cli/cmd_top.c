// `cpis top`: how the broker runs, as OPERATIONS_SHOW tells it: once, or again and again on a terminal.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/output.h"

#define EVERY_S_DEFAULT 2u
#define EVERY_S_MAX 3600u
#define OPERATIONS_SHOWN 12u
#define EXPIRING_SHOWN 5u
// Home and clear, as each terminal since the VT100 has it.
#define REDRAW "\033[H\033[J"

static const char *duration(uint64_t ms, char text[32])
{
	uint64_t s = ms / 1000;
	if (s < 120)
		snprintf(text, 32, "%llu s", (unsigned long long)s);
	else if (s < 2 * 3600)
		snprintf(text, 32, "%llu min", (unsigned long long)(s / 60));
	else if (s < 2 * 86400)
		snprintf(text, 32, "%llu h", (unsigned long long)(s / 3600));
	else
		snprintf(text, 32, "%llu days", (unsigned long long)(s / 86400));
	return text;
}

static const char *since(uint64_t now_ms, uint64_t then_ms, char text[32])
{
	if (then_ms == 0) {
		snprintf(text, 32, "never");
		return text;
	}
	return duration(now_ms > then_ms ? now_ms - then_ms : 0, text);
}

static const char *until(uint64_t now_ms, uint64_t then_ms, char text[32])
{
	if (then_ms == 0)
		snprintf(text, 32, "not known");
	else if (then_ms <= now_ms)
		snprintf(text, 32, "ENDED");
	else
		duration(then_ms - now_ms, text);
	return text;
}

// Of the last `seconds`, as far as they are there.
static void print_rate(const Cpis__V1__OperationsShowReply *body, size_t seconds)
{
	uint64_t allowed = 0, refused = 0;
	size_t counted = 0;
	for (size_t i = body->n_seconds; i > 0 && counted < seconds; i--)
		for (size_t k = body->seconds[i - 1]->n_allowed; k > 0 && counted < seconds; k--, counted++) {
			allowed += body->seconds[i - 1]->allowed[k - 1];
			refused += body->seconds[i - 1]->refused[k - 1];
		}
	if (counted > 0)
		printf("  %3zu s  %9.1f allowed  %9.1f refused a second\n", counted, (double)allowed / (double)counted,
		       (double)refused / (double)counted);
}

static void print_latency(const char *what, const Cpis__V1__Latency *latency)
{
	if (latency != NULL && latency->count > 0)
		printf("  %-9s p50 %8.2f  p95 %8.2f  p99 %8.2f  longest %8.2f ms\n", what, (double)latency->p50_us / 1000,
		       (double)latency->p95_us / 1000, (double)latency->p99_us / 1000, (double)latency->max_us / 1000);
}

// The most asked first. Sorted by looking: there are at most 64.
static void print_operations(const Cpis__V1__OperationsShowReply *body)
{
	uint64_t shown_above = UINT64_MAX;
	unsigned shown = 0;
	while (shown < OPERATIONS_SHOWN && shown < body->n_counts) {
		uint64_t most = 0;
		for (size_t i = 0; i < body->n_counts; i++) {
			uint64_t all = body->counts[i]->allowed + body->counts[i]->refused;
			most = all < shown_above && all > most ? all : most;
		}
		if (most == 0)
			return;
		for (size_t i = 0; i < body->n_counts && shown < OPERATIONS_SHOWN; i++) {
			const Cpis__V1__OperationCount *count = body->counts[i];
			if (count->allowed + count->refused != most)
				continue;
			printf("  %-22s %12llu %12llu\n", count->operation == 0 ? "unreadable" : wire_operation_name(count->operation),
			       (unsigned long long)count->allowed, (unsigned long long)count->refused);
			shown++;
		}
		shown_above = most;
	}
}

static void print_waiting(const Cpis__V1__OperationsShowReply *body)
{
	const Cpis__V1__WaitingItems *waiting = body->waiting;
	char oldest[32];
	if (waiting == NULL)
		return;
	printf("Inboxes: %u within an hour, %u within 8 hours, %u within a day, %u within 3 days, %u older%s; oldest %s\n", waiting->within_hour,
	       waiting->within_eight_hours, waiting->within_day, waiting->within_three_days, waiting->older,
	       waiting->more ? " (there are more)" : "",
	       waiting->oldest_ms == 0 ? "none" : since(body->time_ms, waiting->oldest_ms, oldest));
}

static void print_certificates(const Cpis__V1__OperationsShowReply *body)
{
	char own[32], lists[32], ends[32];
	printf("Ends:    broker's certificate in %s; revocation lists in %s; %u of %u systems within 60 days\n",
	       until(body->time_ms, body->certificate_until_ms, own), until(body->time_ms, body->revocation_until_ms, lists), body->expiring,
	       body->systems);
	for (size_t i = 0; i < body->n_expiring_soonest && i < EXPIRING_SHOWN; i++)
		printf("         %s/%s in %s\n", body->expiring_soonest[i]->organisation, body->expiring_soonest[i]->system_name,
		       until(body->time_ms, body->expiring_soonest[i]->until_ms, ends));
}

static void print_log(const Cpis__V1__OperationsShowReply *body)
{
	char commit[32], witnessed[32];
	if (body->log == NULL)
		return;
	printf("Log:     %llu records, last commit %s ago; witnessed: %s%s\n", (unsigned long long)body->log->size,
	       since(body->time_ms, body->last_commit_ms, commit), since(body->time_ms, body->log->witnessed_ms, witnessed),
	       body->log->witnessed_ms == 0 ? "" : " ago");
}

static void print(const Cpis__V1__OperationsShowReply *body)
{
	char up[32], now[17];
	output_english_time(body->time_ms, now);
	printf("%s, version %s, %s: up %s, %s\n\nRequests\n", body->broker_name, body->version, body->store,
	       since(body->time_ms, body->started_ms, up), now);
	print_rate(body, 10);
	print_rate(body, 60);
	print_rate(body, 300);
	puts("Answers");
	print_latency("1 min", body->last_minute);
	print_latency("5 min", body->last_five_minutes);
	print_latency("in all", body->since_start);
	printf("Commits: %llu, %llu failed; %.1f requests each\n", (unsigned long long)body->commits, (unsigned long long)body->failed_commits,
	       body->commits == 0 ? 0.0 : (double)body->committed_requests / (double)body->commits);
	if (body->edge != NULL)
		printf("Edge:    %llu handshakes admitted, %llu refused; %llu requests turned away; %u front restarts\n",
		       (unsigned long long)body->edge->admitted, (unsigned long long)body->edge->refused,
		       (unsigned long long)body->edge->turned_away, body->edge->restarts);
	print_waiting(body);
	print_certificates(body);
	print_log(body);
	puts("\n  operation                   allowed      refused");
	print_operations(body);
}

static json_t *latency_value(const Cpis__V1__Latency *latency)
{
	return latency == NULL ? json_null()
			       : json_pack("{s:I, s:I, s:I, s:I, s:I}", "count", (json_int_t)latency->count, "p50_us",
					   (json_int_t)latency->p50_us, "p95_us", (json_int_t)latency->p95_us, "p99_us",
					   (json_int_t)latency->p99_us, "max_us", (json_int_t)latency->max_us);
}

static json_t *value_of(const Cpis__V1__Reply *reply)
{
	const Cpis__V1__OperationsShowReply *body = reply->operations_show;
	json_t *value = output_envelope(reply), *counts = json_object();
	for (size_t i = 0; i < body->n_counts; i++)
		json_object_set_new(counts, wire_operation_name(body->counts[i]->operation),
				    json_pack("{s:I, s:I}", "allowed", (json_int_t)body->counts[i]->allowed, "refused",
					      (json_int_t)body->counts[i]->refused));
	json_object_set_new(value, "broker_name", json_string(body->broker_name));
	json_object_set_new(value, "version", json_string(body->version));
	json_object_set_new(value, "store", json_string(body->store));
	json_object_set_new(value, "started", output_instant(body->started_ms));
	json_object_set_new(value, "time", output_instant(body->time_ms));
	json_object_set_new(value, "operations", counts);
	json_object_set_new(value, "last_minute", latency_value(body->last_minute));
	json_object_set_new(value, "last_five_minutes", latency_value(body->last_five_minutes));
	json_object_set_new(value, "since_start", latency_value(body->since_start));
	json_object_set_new(value, "commits", json_integer((json_int_t)body->commits));
	json_object_set_new(value, "failed_commits", json_integer((json_int_t)body->failed_commits));
	json_object_set_new(value, "last_commit", output_instant(body->last_commit_ms));
	if (body->log != NULL)
		json_object_set_new(value, "log_records", json_integer((json_int_t)body->log->size));
	return value;
}

static int show(struct connection *connection, bool redraw)
{
	Cpis__V1__OperationsShowRequest body = CPIS__V1__OPERATIONS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	request.body_case = CPIS__V1__REQUEST__BODY_OPERATIONS_SHOW;
	request.operations_show = &body;
	int code = connection_call(connection, &request, &reply);
	if (code != EXIT_DONE)
		return code;
	if (redraw)
		fputs(REDRAW, stdout);
	if (connection->line->json)
		output_json(value_of(reply));
	else
		print(reply->operations_show);
	fflush(stdout);
	cpis_reply_free(reply);
	return EXIT_DONE;
}

// Until it is interrupted, which is how it is meant to end.
static int follow(struct connection *connection, uint64_t every_s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return EXIT_FAILED;
	struct pollfd item = {.fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN};
	int code = item.fd < 0 ? EXIT_FAILED : EXIT_DONE;
	while (code == EXIT_DONE) {
		code = show(connection, true);
		if (code == EXIT_DONE && poll(&item, 1, (int)(every_s * 1000)) != 0)
			break;
	}
	if (item.fd >= 0)
		close(item.fd);
	return code;
}

static int run(const struct command_line *line)
{
	struct connection connection;
	uint64_t every_s = EVERY_S_DEFAULT;
	const char *every = command_value(line, "every");
	bool once = command_value(line, "once") != NULL || line->json || !isatty(STDOUT_FILENO);
	if (every != NULL && !command_number(every, 1, EVERY_S_MAX, &every_s))
		return command_usage_error(line, "--every is a number of seconds from 1 to %u", EVERY_S_MAX);
	int code = connection_sign_in(line, &connection);
	if (code != EXIT_DONE)
		return code;
	code = once ? show(&connection, false) : follow(&connection, every_s);
	connection_close(&connection);
	return code;
}

int command_top(int argc, char **argv)
{
	static const struct command_option options[] = {
		{"every", "SECONDS", "how often it is asked anew, 1 to 3600 (default: 2)", OPTION_OPTIONAL},
		{"once", NULL, "print it once; so it does where the output is not a terminal", OPTION_OPTIONAL},
		{0},
	};
	static const struct command command = {
		.name = "top",
		.operands = "",
		.help = "How the broker runs: requests and answers, what waits in inboxes, what ends soon, the log. On a terminal it\n"
			"goes on until it is interrupted; each look is a record of the audit log. Needs the activity L0501.",
		.options = options,
		.run = run,
	};
	return command_dispatch(&command, argc, argv);
}
