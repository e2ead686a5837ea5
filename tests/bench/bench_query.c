// The main figure: a mix of queries (95 % of children unknown, 5 % opened and notified), each decided, recorded and
// flushed to disk before its answer, against a bare CURVE echo of the same sizes. Both in the same run, taking turns;
// what counts is the ratio.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <zmq.h>

#include "tests/bench/load.h"
#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define REPEATS 5u
#define DURATION_MS 2000u
#define CHILDREN 100u
#define STRANGERS 4000u // numbers nobody holds anything about; made before the clock starts
#define ECHO_REPLY_BYTES 1100u // about what a flag's reply with its receipt takes

// ------------------------------------------------------------------ the echo

// A ROUTER that answers each message with as many bytes as the broker would, and does nothing else.
static pid_t start_echo(const struct curve_key_pair *key, char endpoint[64])
{
	int pipe_ends[2];
	if (pipe(pipe_ends) != 0)
		world_fail(NULL, "pipe");
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int one = 1;
		size_t bytes = 64;
		char bound[64], reply[ECHO_REPLY_BYTES] = {0};
		void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_ROUTER);
		zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key->secret_key, KEY_BYTES);
		if (zmq_bind(socket, "tcp://127.0.0.1:*") != 0 ||
		    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &bytes) != 0 ||
		    write(pipe_ends[1], bound, sizeof bound) != sizeof bound)
			_exit(1);
		for (;;) {
			zmq_msg_t peer, message;
			zmq_msg_init(&peer);
			zmq_msg_init(&message);
			if (zmq_msg_recv(&peer, socket, 0) < 0 || zmq_msg_recv(&message, socket, 0) < 0)
				_exit(1);
			zmq_msg_close(&message);
			zmq_msg_send(&peer, socket, ZMQ_SNDMORE);
			zmq_send(socket, reply, sizeof reply, 0);
		}
	}
	close(pipe_ends[1]);
	if (child < 0 || read(pipe_ends[0], endpoint, 64) != 64)
		world_fail(NULL, "the echo did not start");
	close(pipe_ends[0]);
	return child;
}

static size_t make_echo(void *context, uint8_t out[LOAD_MESSAGE_BYTES_MAX])
{
	(void)context;
	memset(out, 0, 256);
	return 256;
}

static void check_echo(void *context, const uint8_t *data, size_t bytes)
{
	(void)context;
	(void)data;
	if (bytes != ECHO_REPLY_BYTES)
		world_fail(NULL, "the echo answered %zu bytes", bytes);
}

// ------------------------------------------------------------------ the broker

struct mix {
	char numbers[CHILDREN + STRANGERS][11]; // the children first
	uint8_t token[SESSION_TOKEN_BYTES_MAX];
	size_t token_bytes;
	uint64_t made;
	uint64_t reply_bytes;
};

static size_t make_query(void *context, uint8_t out[LOAD_MESSAGE_BYTES_MAX])
{
	struct mix *mix = context;
	uint8_t id[REQUEST_ID_BYTES] = {0};
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	memcpy(id, &mix->made, sizeof mix->made);
	bool known = mix->made++ % 20 == 0;
	char *number = mix->numbers[known ? mix->made / 20 % CHILDREN : CHILDREN + mix->made % STRANGERS];
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 10000;
	request.session_token = (ProtobufCBinaryData){mix->token_bytes, mix->token};
	flag.nhs_number = details.nhs_number = number;
	flag.care_setting = details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = known ? CPIS__V1__REQUEST__BODY_DETAILS : CPIS__V1__REQUEST__BODY_FLAG;
	if (known)
		request.details = &details;
	else
		request.flag = &flag;
	return cpis__v1__request__pack(&request, out);
}

// Refusals would be fast and prove nothing. Field 3, the outcome, is OK: tag 0x18, value 1.
static void check_query(void *context, const uint8_t *data, size_t bytes)
{
	struct mix *mix = context;
	static const uint8_t start[] = {0x08, 0x01, 0x12, REQUEST_ID_BYTES};
	size_t at = sizeof start + REQUEST_ID_BYTES;
	if (bytes < at + 2 || memcmp(data, start, sizeof start) != 0 || data[at] != 0x18 || data[at + 1] != 1)
		world_fail(NULL, "a query was not answered with OK");
	mix->reply_bytes += bytes;
}

static void publish_children(struct world *world, const struct mix *mix)
{
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	for (unsigned i = 0; i < CHILDREN; i++)
		cpis_reply_free(
			world_publish(world, leeds, "383", mix->numbers[i], CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	cpis_close(leeds);
}

static void sign_in(struct world *world, struct mix *mix)
{
	struct channel *channel = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel_reply *reply = channel_open_session(world, channel, "nurse");
	const ProtobufCBinaryData *token = &reply->reply->session_open->session_token;
	memcpy(mix->token, token->data, token->len);
	mix->token_bytes = token->len;
	channel_reply_free(reply);
	channel_close(channel);
}

// ------------------------------------------------------------------ the comparison

struct side {
	struct load_options options;
	pid_t server;
	struct load_result results[REPEATS];
	double cpu_us[REPEATS]; // of the server, a request
};

static double cpu_seconds(pid_t process)
{
	char path[64], line[1024];
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
	FILE *file = fopen(path, "re");
	if (file == NULL || fgets(line, sizeof line, file) == NULL ||
	    sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		world_fail(NULL, "%s cannot be read", path);
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void measure(struct side *side, unsigned repeat)
{
	double before = cpu_seconds(side->server);
	load_run(&side->options, &side->results[repeat]);
	side->cpu_us[repeat] = (cpu_seconds(side->server) - before) * 1e6 / (double)side->results[repeat].requests;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static double median(const double values[REPEATS])
{
	double sorted[REPEATS];
	memcpy(sorted, values, sizeof sorted);
	qsort(sorted, REPEATS, sizeof sorted[0], by_value);
	return sorted[REPEATS / 2];
}

// One figure of all repeats.
#define COLUMN(side, member, out)                                                                    \
	for (unsigned column_i = 0; column_i < REPEATS; column_i++)                                  \
		(out)[column_i] = (double)(side)->results[column_i].member

static json_t *row_of(const char *name, const struct side *side, const struct side *floor)
{
	double rate[REPEATS], p50[REPEATS], p99[REPEATS], p999[REPEATS], ratio[REPEATS];
	COLUMN(side, requests_per_s, rate);
	COLUMN(side, p50_us, p50);
	COLUMN(side, p99_us, p99);
	COLUMN(side, p999_us, p999);
	for (unsigned i = 0; i < REPEATS; i++)
		ratio[i] = rate[i] / floor->results[i].requests_per_s;
	qsort(ratio, REPEATS, sizeof ratio[0], by_value);
	printf("%-22s %9.0f/s  p50 %6.0f  p99 %6.0f  p99.9 %6.0f us  server CPU %5.1f us", name, median(rate), median(p50),
	       median(p99), median(p999), median(side->cpu_us));
	json_t *row = json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "name", name, "rps", median(rate), "p50_us", median(p50),
				"p99_us", median(p99), "p999_us", median(p999), "server_cpu_us", median(side->cpu_us));
	if (side != floor) {
		printf("  %.2f of the echo [%.2f-%.2f]", ratio[REPEATS / 2], ratio[0], ratio[REPEATS - 1]);
		json_object_set_new(row, "ratio_to_curve_echo", json_real(ratio[REPEATS / 2]));
	}
	putchar('\n');
	fflush(stdout);
	return row;
}

static void compare(struct side *echo, struct side *query, unsigned connections, unsigned window, json_t *rows)
{
	char name[64];
	echo->options.connections = query->options.connections = connections;
	echo->options.window = query->options.window = window;
	for (unsigned i = 0; i < REPEATS; i++) {
		measure(echo, i);
		measure(query, i);
	}
	snprintf(name, sizeof name, "curve_echo_n%u_w%u", connections, window);
	json_array_append_new(rows, row_of(name, echo, echo));
	snprintf(name, sizeof name, "query_mix_n%u_w%u", connections, window);
	json_array_append_new(rows, row_of(name, query, echo));
}

int main(int argc, char **argv)
{
	struct curve_key_pair echo_key, hospital, broker;
	static struct mix mix;
	char endpoint[64];
	if (argc != 2) {
		fprintf(stderr, "usage: bench_query REPORT.json\n");
		return 1;
	}
	struct world *world = world_new();
	world_start(world);
	if (curve_key_generate(&echo_key) != CERTS_OK ||
	    curve_key_load(world_path(world, "systems/hospital.key"), &hospital) != CERTS_OK ||
	    curve_key_load(world_path(world, "authority/broker/broker.key"), &broker) != CERTS_OK)
		world_fail(world, "keys");
	for (unsigned i = 0; i < CHILDREN + STRANGERS; i++)
		world_nhs_number(i, mix.numbers[i]);
	publish_children(world, &mix);
	sign_in(world, &mix);
	struct side echo = {.server = start_echo(&echo_key, endpoint)};
	echo.options = (struct load_options){.endpoint = endpoint,
					     .server_key = echo_key.public_key,
					     .key = &hospital,
					     .duration_ms = DURATION_MS,
					     .make = make_echo,
					     .check = check_echo};
	struct side query = {.server = world_broker_pid(world)};
	query.options = (struct load_options){.endpoint = world_endpoint(world),
					      .server_key = broker.public_key,
					      .key = &hospital,
					      .duration_ms = DURATION_MS,
					      .make = make_query,
					      .check = check_query,
					      .context = &mix};
	json_t *rows = json_array();
	compare(&echo, &query, 1, 1, rows);
	compare(&echo, &query, 8, 1, rows);
	compare(&echo, &query, 64, 1, rows);
	compare(&echo, &query, 64, 16, rows);
	printf("mean reply of the broker: %.0f bytes\n", (double)mix.reply_bytes / (double)mix.made);
	json_t *report = json_pack("{s:o}", "rows", rows);
	int failed = json_dump_file(report, argv[1], JSON_INDENT(2));
	json_decref(report);
	kill(echo.server, SIGKILL);
	waitpid(echo.server, NULL, 0);
	int status = world_stop(world);
	world_free(world);
	return failed != 0 || status != 0;
}
