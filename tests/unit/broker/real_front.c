// Its limits are small, so that a test reaches them.
#include "tests/harness/suite.h"
#include "tests/unit/broker/real_front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/front_keeper.h"
#include "broker/process.h"
#include "proto/wire.h"

#define MEMORY_BYTES_MAX (64u * 1024u * 1024u)

struct enrolment *enrolment;
struct attempts *attempts;
struct front *front;
char directory[] = "/tmp/cpis-front-XXXXXX";
char files[LISTENERS][64], detail[FRONT_DETAIL_BYTES];

bool open_front(const char *endpoint, const char *enrolment_endpoint)
{
	struct front_options options = {
		.keeper = front_keeper_start(),
		.endpoints = {endpoint, NULL, enrolment_endpoint},
		.keys = {&enrolment->broker, NULL, &enrolment->broker},
		.files = {files[0], files[1], files[2]},
		.admission = enrolment->admission,
		.attempts = attempts,
		.limits = {.zap = {.connections_max = 128, .connections_per_system_max = 16, .enrolling_connections_max = 8},
			   .intake = {.queued_max = 100, .per_system_max = 50, .busy_after_ms = 1000},
			   .memory_bytes_max = MEMORY_BYTES_MAX},
		.batch_max = BATCH,
	};
	ck_assert_int_ge(options.keeper, 0);
	return front_open(&options, &front, detail);
}

void set_up(void)
{
	enrolment = enrolment_new();
	attempts = attempts_new();
	ck_assert_ptr_nonnull(attempts);
}

void set_up_open(void)
{
	set_up();
	ck_assert_msg(open_front("tcp://127.0.0.1:*", "tcp://127.0.0.1:*"), "%s", detail);
}

void tear_down(void)
{
	front_close(front);
	front_close(NULL);
	attempts_free(attempts);
	enrolment_free(enrolment);
}

struct raw_curve *connect_as(enum enrolment_system system)
{
	const struct curve_key_pair *key = &enrolment->keys[system];
	const struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_CURRENT),
						  .server_public = enrolment->broker.public_key,
						  .public_key = key->public_key,
						  .secret_key = key->secret_key};
	return edge_connect_with(&options);
}

unsigned echo(int timeout_ms, struct front_request *ret_last)
{
	struct front_request request;
	unsigned count = 0;
	front_wait(front, -1, timeout_ms);
	while (front_receive(front, &request)) {
		front_send(front, &request.peer, request.data, request.bytes);
		if (ret_last != NULL)
			*ret_last = request;
		count++;
	}
	front_flush(front);
	front_tend(front, clock_monotonic_ms());
	return count;
}

void echo_until_restarts(unsigned restarts)
{
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (front_restarts(front) < restarts) {
		echo(20, NULL);
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	}
}

void assert_answers(struct raw_curve *client, const char *text)
{
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	edge_say(client, text);
	while (echo(20, NULL) == 0)
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	edge_assert_hears(client, text);
}

void assert_works(void)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	assert_answers(client, "still there");
	raw_curve_close(client);
}

void ask(struct raw_curve *client, uint8_t number)
{
	uint8_t id[REQUEST_ID_BYTES] = {number}, packed[100];
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.deadline_ms = 1000;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	ck_assert_int_eq(raw_curve_send(client, packed, cpis__v1__request__pack(&request, packed), false, EDGE_WAIT_MS), RAW_CURVE_OK);
}

void assert_refused_as(struct raw_curve *client, struct arena *arena, const char *word, uint8_t number)
{
	uint8_t data[1000];
	size_t bytes;
	Cpis__V1__Reply *reply = NULL;
	struct wire_error error;
	arena_reset(arena);
	ck_assert_int_eq(raw_curve_receive(client, data, sizeof data, &bytes, EDGE_WAIT_MS), RAW_CURVE_OK);
	ck_assert_int_eq(wire_reply_decode(arena, data, bytes, &reply, &error), WIRE_OK);
	ck_assert_str_eq(reply->reason_code, word);
	ck_assert_uint_eq(reply->request_id.data[0], number);
	ck_assert_uint_gt(reply->retry_after_ms, 0);
}

int run_front_tests(int argc, char **argv, int (*as_front)(void), Suite *(*make)(void))
{
	if (argc == 2 && strcmp(argv[1], FRONT_ARGUMENT) == 0)
		return as_front();
	if (mkdtemp(directory) == NULL)
		return EXIT_FAILURE;
	for (int i = 0; i < LISTENERS; i++)
		snprintf(files[i], sizeof files[i], "%s/endpoint-%d", directory, i);
	int code = suite_run(make());
	for (int i = 0; i < LISTENERS; i++)
		unlink(files[i]);
	rmdir(directory);
	return code;
}
