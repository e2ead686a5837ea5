// One act at every broker of the profile.
#include "clients/cli/brokers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/cli/commands.h"
#include "clients/cli/output.h"

// What one broker's process says: some sentences, or one JSON object.
#define SAID_BYTES 8192

struct at_broker {
	struct profile_broker broker;
	pid_t process;       // 0: there is none
	int output;
	int code;
	char said[SAID_BYTES];
};

// ------------------------------------------------------------------ one broker

static int act_at(struct connection *connection, size_t number, broker_act *act, void *context)
{
	// Brokers with one store: what is done at one of them, whichever it is, is done.
	int code = connection->profile->shares_log ? connection_sign_in_loaded(connection)
						   : connection_sign_in_at(connection, number);
	if (code == EXIT_DONE)
		code = act(connection, context);
	connection_close(connection);
	return code;
}

// In the process of its own. With --json standard error stays where it is: it is not part of the object.
static _Noreturn void run_process(struct connection *connection, size_t number, broker_act *act, void *context, int output)
{
	bool moved = dup2(output, STDOUT_FILENO) >= 0 &&
		     (connection->line->json || dup2(output, STDERR_FILENO) >= 0);
	close(output);
	int code = moved ? act_at(connection, number, act, context) : EXIT_FAILED;
	if (fflush(stdout) != 0)
		code = EXIT_FAILED;
	_exit(code);
}

static void start(struct at_broker *at, struct connection *connection, size_t number, broker_act *act, void *context)
{
	int ends[2];
	at->code = EXIT_FAILED;
	if (pipe(ends) != 0) {
		snprintf(at->said, sizeof at->said, "no process for it: %s", strerror(errno));
		return;
	}
	fflush(NULL);
	at->process = fork();
	if (at->process == 0) {
		close(ends[0]);
		run_process(connection, number, act, context, ends[1]);
	}
	close(ends[1]);
	at->output = ends[0];
	if (at->process < 0) {
		snprintf(at->said, sizeof at->said, "no process for it: %s", strerror(errno));
		close(ends[0]);
		at->process = 0;
	}
}

// Reads to the end, so that nobody waits for us; what is too much is left out.
static void listen_to(struct at_broker *at)
{
	char buffer[1024];
	size_t used = 0;
	for (;;) {
		ssize_t bytes = read(at->output, buffer, sizeof buffer);
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes <= 0)
			break;
		size_t room = sizeof at->said - 1 - used, kept = (size_t)bytes < room ? (size_t)bytes : room;
		memcpy(at->said + used, buffer, kept);
		used += kept;
	}
	at->said[used] = '\0';
	close(at->output);
}

static void finish(struct at_broker *at)
{
	int status = 0;
	if (at->process == 0)
		return;
	listen_to(at);
	while (waitpid(at->process, &status, 0) < 0 && errno == EINTR)
		;
	at->code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

// ------------------------------------------------------------------ all of them

static bool is_done(const struct at_broker *at)
{
	return at->code == EXIT_DONE || at->code == EXIT_PARTIAL;
}

static int judge(const struct at_broker *all, size_t count)
{
	size_t done = 0, nothing = 0;
	int failure = EXIT_DONE;
	for (size_t i = 0; i < count; i++) {
		done += is_done(&all[i]);
		nothing += all[i].code == EXIT_PARTIAL;
		if (!is_done(&all[i]) && failure == EXIT_DONE)
			failure = all[i].code;
	}
	if (done == count)
		return nothing == count ? EXIT_PARTIAL : EXIT_DONE;
	return done == 0 ? failure : EXIT_PARTIAL;
}

// The sentences of one broker on one line, without the command's name before complaints.
static void print_line(const struct command_line *line, struct at_broker *at)
{
	char prefix[128];
	char *rest = at->said, *sentence;
	snprintf(prefix, sizeof prefix, "cpis %s: ", line->command->name);
	printf("%s at %s:%s", at->broker.broker_name, at->broker.endpoint, is_done(at) ? "" : " NOT DONE.");
	while ((sentence = strsep(&rest, "\n")) != NULL)
		if (*sentence != '\0')
			printf(" %s", sentence + (strncmp(sentence, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0));
	putchar('\n');
}

static void print_json(const struct at_broker *all, size_t count, int code)
{
	json_t *brokers = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_loads(all[i].said, 0, NULL);
		if (value == NULL)
			value = json_pack("{s:s}", "outcome", "FAILED");
		json_object_set_new(value, "broker_name", json_string(all[i].broker.broker_name));
		json_object_set_new(value, "endpoint", json_string(all[i].broker.endpoint));
		json_object_set_new(value, "exit_code", json_integer(all[i].code));
		json_array_append_new(brokers, value);
	}
	output_json(json_pack("{s:s, s:o}", "outcome", code == EXIT_DONE ? "OK" : code == EXIT_PARTIAL ? "PARTIAL" : "FAILED",
			      "brokers", brokers));
}

static void complain(const struct command_line *line, const struct at_broker *all, size_t count, const char *meanwhile)
{
	size_t failed = 0;
	for (size_t i = 0; i < count; i++)
		failed += !is_done(&all[i]);
	if (failed == 0)
		return;
	fflush(stdout);
	fprintf(stderr, "cpis %s: not done at %zu of %zu brokers:", line->command->name, failed, count);
	for (size_t i = 0; i < count; i++)
		if (!is_done(&all[i]))
			fprintf(stderr, " %s", all[i].broker.broker_name);
	fprintf(stderr, " %s. Run the same command again: where it is done already it changes nothing.\n", meanwhile);
}

static int act_everywhere(struct connection *connection, broker_act *act, void *context, const char *meanwhile)
{
	static struct at_broker all[PROFILE_BROKERS_MAX + 1];
	size_t count = profile_brokers_count(connection->profile);
	connection->key_lock = memfd_create("cpis-key", MFD_CLOEXEC);
	if (connection->key_lock < 0) {
		fprintf(stderr, "cpis %s: %s\n", connection->line->command->name, strerror(errno));
		connection_close(connection);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		all[i].broker = profile_broker(connection->profile, i);
		start(&all[i], connection, i, act, context);
	}
	for (size_t i = 0; i < count; i++)
		finish(&all[i]);
	int code = judge(all, count);
	if (connection->line->json)
		print_json(all, count, code);
	else
		for (size_t i = 0; i < count; i++)
			print_line(connection->line, &all[i]);
	complain(connection->line, all, count, meanwhile);
	close(connection->key_lock);
	connection_close(connection);
	return code;
}

int brokers_act(const struct command_line *line, broker_act *act, void *context, const char *meanwhile)
{
	struct connection connection = {0};
	int code = connection_load(line, &connection);
	if (code != EXIT_DONE)
		return code;
	bool once = connection.profile->shares_log || profile_brokers_count(connection.profile) == 1;
	return once ? act_at(&connection, 0, act, context) : act_everywhere(&connection, act, context, meanwhile);
}
