// The network's front as a real process: this program is started again as one, as the broker is. And fronts that lie.
#include "broker/front.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/front_frames_priv.h"
#include "broker/front_keeper.h"
#include "broker/front_process.h"
#include "broker/process.h"
#include "proto/wire.h"
#include "tests/harness/edge.h"
#include "tests/harness/process_tree.h"

#define LIE "CPIS_TEST_FRONT_LIE"
#define LEFT_FILE "CPIS_TEST_FRONT_LEFT"
#define MEMORY_BYTES_MAX (64u * 1024u * 1024u)
#define BATCH 16u

static struct enrolment *enrolment;
static struct attempts *attempts;
static struct front *front;
static char directory[] = "/tmp/cpis-front-XXXXXX";
static char files[LISTENERS][64], detail[FRONT_DETAIL_BYTES];

static bool open_front(const char *endpoint, const char *enrolment_endpoint)
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

static void set_up(void)
{
	enrolment = enrolment_new();
	attempts = attempts_new();
	ck_assert_ptr_nonnull(attempts);
}

static void set_up_open(void)
{
	set_up();
	ck_assert_msg(open_front("tcp://127.0.0.1:*", "tcp://127.0.0.1:*"), "%s", detail);
}

static void tear_down(void)
{
	front_close(front);
	front_close(NULL);
	attempts_free(attempts);
	enrolment_free(enrolment);
}

// ------------------------------------------------------------------ words

static struct raw_curve *connect_as(enum enrolment_system system)
{
	const struct curve_key_pair *key = &enrolment->keys[system];
	const struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_CURRENT),
						  .server_public = enrolment->broker.public_key,
						  .public_key = key->public_key,
						  .secret_key = key->secret_key};
	return edge_connect_with(&options);
}

// One turn of the core's: what has come goes back as it was.
static unsigned echo(int timeout_ms, struct front_request *ret_last)
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

static void echo_until_restarts(unsigned restarts)
{
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (front_restarts(front) < restarts) {
		echo(20, NULL);
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	}
}

static void assert_answers(struct raw_curve *client, const char *text)
{
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	edge_say(client, text);
	while (echo(20, NULL) == 0)
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	edge_assert_hears(client, text);
}

static void assert_works(void)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	assert_answers(client, "still there");
	raw_curve_close(client);
}

// ------------------------------------------------------------------ messages

START_TEST(a_message_comes_with_its_connections_key_and_its_reply_goes_back)
{
	struct raw_curve *hospital = connect_as(ENROLMENT_HOSPITAL), *leeds = connect_as(ENROLMENT_LEEDS);
	struct front_request request = {0};
	edge_say(leeds, "from Leeds");
	while (echo(20, &request) == 0)
		;
	ck_assert(request.has_key);
	ck_assert_mem_eq(request.channel_key, enrolment->keys[ENROLMENT_LEEDS].public_key, KEY_BYTES);
	ck_assert_int_eq(request.peer.from, LISTENER_CURRENT);
	edge_assert_hears(leeds, "from Leeds");
	assert_answers(hospital, "from the hospital");
	raw_curve_close(hospital);
	raw_curve_close(leeds);
}
END_TEST

// 65,503 bytes are the longest message; several of them at once do not fit the kernel's buffer between the two.
START_TEST(long_messages_pass_both_ways)
{
	static uint8_t message[MESSAGE_BYTES_MAX], back[MESSAGE_BYTES_MAX];
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	unsigned answered = 0;
	for (unsigned i = 0; i < 8; i++) {
		memset(message, (int)i, sizeof message);
		ck_assert_int_eq(raw_curve_send(client, message, sizeof message, false, EDGE_WAIT_MS), RAW_CURVE_OK);
	}
	while (answered < 8)
		answered += echo(20, NULL);
	for (unsigned i = 0; i < 8; i++) {
		size_t bytes;
		ck_assert_int_eq(raw_curve_receive(client, back, sizeof back, &bytes, EDGE_WAIT_MS), RAW_CURVE_OK);
		ck_assert_uint_eq(bytes, sizeof back);
		ck_assert_uint_eq(back[0], i);
		ck_assert_uint_eq(back[sizeof back - 1], i);
	}
	raw_curve_close(client);
}
END_TEST

START_TEST(a_reply_to_nobody_goes_nowhere)
{
	struct front_peer nobody = {.from = LISTENER_CURRENT, .routing_id_bytes = 5, .routing_id = "abcd"};
	front_send(front, &nobody, (const uint8_t *)"hello", 5);
	nobody.from = LISTENER_NEXT; // there is none
	front_send(front, &nobody, (const uint8_t *)"hello", 5);
	front_flush(front);
	assert_works();
	ck_assert_uint_eq(front_restarts(front), 0);
}
END_TEST

START_TEST(strangers_come_in_on_the_enrolment_endpoint_only_and_are_counted)
{
	struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_ENROLMENT),
					    .server_public = enrolment->broker.public_key,
					    .public_key = enrolment->stranger.public_key,
					    .secret_key = enrolment->stranger.secret_key};
	struct raw_curve *stranger = edge_connect_with(&options);
	struct front_request request = {0};
	struct attempt taken[4];
	edge_say(stranger, "may I?");
	while (echo(20, &request) == 0)
		;
	ck_assert_int_eq(request.peer.from, LISTENER_ENROLMENT);
	ck_assert_mem_eq(request.channel_key, enrolment->stranger.public_key, KEY_BYTES);
	edge_assert_hears(stranger, "may I?");
	raw_curve_close(stranger);
	options.endpoint = front_endpoint(front, LISTENER_CURRENT);
	edge_assert_refused(&options, "400");
	while (attempts_take(attempts, clock_monotonic_ms(), true, 4, taken) == 0)
		echo(20, NULL);
	ck_assert_int_eq(taken[0].reason, REASON_HANDSHAKE_KEY);
	ck_assert_ptr_nonnull(strstr(taken[0].examples, "from 127.0.0.1"));
}
END_TEST

START_TEST(another_list_decides_the_next_handshake_and_cuts_nobody_off)
{
	struct raw_curve *leeds = connect_as(ENROLMENT_LEEDS);
	const struct curve_key_pair *key = &enrolment->keys[ENROLMENT_LEEDS];
	const struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_CURRENT),
						  .server_public = enrolment->broker.public_key,
						  .public_key = key->public_key,
						  .secret_key = key->secret_key};
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	front_set_admission(front, fresh);
	admission_release(fresh);
	edge_assert_refused(&options, "400");
	// Whoever judges each request has to know whose it is.
	assert_answers(leeds, "still connected");
	raw_curve_close(leeds);
}
END_TEST

START_TEST(endpoints_are_written_to_their_files_and_taken_away)
{
	for (enum listener i = 0; i < LISTENERS; i += 2) {
		char text[TRANSPORT_ENDPOINT_BYTES] = "", expected[TRANSPORT_ENDPOINT_BYTES];
		FILE *file = fopen(files[i], "re");
		ck_assert_ptr_nonnull(file);
		ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
		fclose(file);
		snprintf(expected, sizeof expected, "%.250s\n", front_endpoint(front, i));
		ck_assert_str_eq(text, expected);
	}
	ck_assert_ptr_null(front_endpoint(front, LISTENER_NEXT));
	// One that cannot open leaves the files of the one that runs.
	struct front *running = front;
	ck_assert(!open_front(front_endpoint(running, LISTENER_CURRENT), NULL));
	ck_assert_msg(strstr(detail, "cannot be bound") != NULL, "%s", detail);
	ck_assert_int_eq(access(files[0], R_OK), 0);
	front_close(running);
	front = NULL;
	ck_assert_int_ne(access(files[0], R_OK), 0);
	ck_assert_int_ne(access(files[2], R_OK), 0);
}
END_TEST

START_TEST(an_endpoint_that_is_none_and_a_file_that_cannot_be_written_are_said)
{
	char longer[300] = "tcp://";
	memset(longer + 6, 'a', sizeof longer - 7);
	ck_assert(!open_front("tcp://nowhere:1:2", NULL));
	ck_assert_msg(strstr(detail, "tcp://nowhere:1:2") != NULL, "%s", detail);
	ck_assert(!open_front(longer, NULL));
	ck_assert_msg(strstr(detail, "longer than an endpoint") != NULL, "%s", detail);
	snprintf(files[0], sizeof files[0], "/nowhere/endpoint");
	ck_assert(!open_front("tcp://127.0.0.1:*", NULL));
	ck_assert_msg(strstr(detail, "/nowhere/endpoint") != NULL, "%s", detail);
}
END_TEST

// ------------------------------------------------------------------ too much

static void ask(struct raw_curve *client, uint8_t number)
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

static void assert_refused_as(struct raw_curve *client, struct arena *arena, const char *word, uint8_t number)
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

START_TEST(what_is_more_than_may_wait_is_refused_at_once_while_the_core_does_nothing)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	struct arena arena;
	struct attempt taken[4];
	const unsigned held = 2 * BATCH + 50; // that the core is given ahead, and that may wait for one system
	ck_assert(arena_init(&arena, ARENA_BYTES));
	for (unsigned i = 0; i < held + 10; i++)
		ask(client, (uint8_t)i);
	for (unsigned i = 0; i < 10; i++)
		assert_refused_as(client, &arena, "busy", (uint8_t)(held + i));
	// The core looks again: all that waited is there, and the others are counted.
	unsigned answered = 0;
	while (answered < held)
		answered += echo(20, NULL);
	ck_assert_uint_eq(answered, held);
	unsigned counted = 0;
	while (counted < 10) {
		echo(20, NULL);
		for (size_t n = attempts_take(attempts, clock_monotonic_ms(), true, 4, taken); n > 0; n--) {
			ck_assert_int_eq(taken[n - 1].reason, REASON_BUSY);
			ck_assert_ptr_nonnull(strstr(taken[n - 1].examples, "key "));
			counted += (unsigned)taken[n - 1].count;
		}
	}
	ck_assert_uint_eq(counted, 10);
	raw_curve_close(client);
	arena_done(&arena);
}
END_TEST

// Each asks so often that of those who are refused there are more than the front keeps apart, whoever comes first.
#define CROWD 100u
#define ASKED_BY_EACH 4u
#define CROWD_REFUSED (CROWD * ASKED_BY_EACH - 2u * BATCH - 100u)
_Static_assert(CROWD_REFUSED / ASKED_BY_EACH > FRONT_BUSY_SYSTEMS_MAX, "too few are refused");

// Systems beside those that are enrolled: each is let in as the hospital is.
static void enrol_crowd(struct curve_key_pair crowd[CROWD])
{
	size_t bytes, entry_bytes;
	const uint8_t *entries = admission_bytes(enrolment->admission, &bytes);
	static uint8_t more[(CROWD + ENROLMENT_SYSTEMS) * 256];
	entry_bytes = bytes / ENROLMENT_SYSTEMS;
	ck_assert_uint_le(entry_bytes, 256);
	memcpy(more, entries, bytes);
	for (unsigned i = 0; i < CROWD; i++) {
		uint8_t *at = more;
		ck_assert_int_eq(curve_key_generate(&crowd[i]), CERTS_OK);
		// An entry begins with its key, and they are in the order of keys.
		while (at < more + bytes && memcmp(at, crowd[i].public_key, KEY_BYTES) < 0)
			at += entry_bytes;
		memmove(at + entry_bytes, at, (size_t)(more + bytes - at));
		bytes += entry_bytes;
		const uint8_t *hospital = entries;
		while (memcmp(hospital, enrolment->keys[ENROLMENT_HOSPITAL].public_key, KEY_BYTES) != 0)
			hospital += entry_bytes;
		memcpy(at, hospital, entry_bytes);
		memcpy(at, crowd[i].public_key, KEY_BYTES);
	}
	struct admission *admission = admission_of_bytes(more, bytes);
	ck_assert_ptr_nonnull(admission);
	front_set_admission(front, admission);
	admission_release(admission);
}

// The core does nothing meanwhile. Whose messages they are depends on whose were read first.
static void assert_crowd_is_refused(struct raw_curve *crowd[CROWD])
{
	struct pollfd items[CROWD];
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	for (unsigned i = 0; i < CROWD; i++)
		items[i] = (struct pollfd){.fd = raw_curve_socket(crowd[i]), .events = POLLIN};
	for (unsigned told = 0; told < CROWD_REFUSED;) {
		ck_assert_int_gt(poll(items, CROWD, EDGE_WAIT_MS), 0);
		for (unsigned i = 0; i < CROWD; i++)
			if (items[i].revents != 0) {
				assert_refused_as(crowd[i], &arena, "busy", 1);
				told++;
			}
	}
	arena_done(&arena);
}

// Of more systems than the front keeps apart each refusal is told and counted; only a name is missing.
START_TEST(of_more_than_64_systems_that_are_refused_at_once_each_is_told_and_counted)
{
	static struct curve_key_pair keys[CROWD];
	struct raw_curve *crowd[CROWD];
	struct raw_curve_options options = {.endpoint = front_endpoint(front, LISTENER_CURRENT),
					    .server_public = enrolment->broker.public_key};
	struct attempt taken[4];
	unsigned counted = 0;
	enrol_crowd(keys);
	for (unsigned i = 0; i < CROWD; i++) {
		options.public_key = keys[i].public_key;
		options.secret_key = keys[i].secret_key;
		crowd[i] = edge_connect_with(&options);
	}
	for (unsigned i = 0; i < CROWD * ASKED_BY_EACH; i++)
		ask(crowd[i % CROWD], 1);
	assert_crowd_is_refused(crowd);
	while (counted < CROWD_REFUSED) {
		echo(20, NULL);
		for (size_t n = attempts_take(attempts, clock_monotonic_ms(), true, 4, taken); n > 0; n--)
			counted += taken[n - 1].reason == REASON_BUSY ? (unsigned)taken[n - 1].count : 0;
	}
	ck_assert_uint_eq(counted, CROWD_REFUSED);
	ck_assert_uint_eq(front_restarts(front), 0);
	for (unsigned i = 0; i < CROWD; i++)
		raw_curve_close(crowd[i]);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// libzmq keeps what is unfinished, whatever its limits say. Only the process can be ended.
START_TEST(a_message_without_end_ends_the_front_and_nothing_else)
{
	static uint8_t frame[60000];
	struct raw_curve *client = connect_as(ENROLMENT_LEEDS);
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	while (raw_curve_send(client, frame, sizeof frame, true, EDGE_WAIT_MS) == RAW_CURVE_OK)
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	raw_curve_close(client);
	echo_until_restarts(1);
	assert_works();
}
END_TEST
#endif

#define FEW_DESCRIPTORS 256u
#define TOO_MANY 400u

// Whoever opens connections and says nothing costs a descriptor each; those that are over go, and not the one that works.
START_TEST(idle_connections_do_not_take_the_last_descriptor)
{
	const struct rlimit few = {FEW_DESCRIPTORS, 4096}, many = {4096, 4096};
	struct raw_curve *idle[TOO_MANY];
	struct raw_curve_options options = {.server_public = enrolment->broker.public_key,
					    .public_key = enrolment->stranger.public_key,
					    .secret_key = enrolment->stranger.secret_key};
	ck_assert_int_eq(prlimit(0, RLIMIT_NOFILE, &few, NULL), 0);
	ck_assert_msg(open_front("tcp://127.0.0.1:*", NULL), "%s", detail);
	ck_assert_int_eq(prlimit(0, RLIMIT_NOFILE, &many, NULL), 0);
	options.endpoint = front_endpoint(front, LISTENER_CURRENT);
	struct raw_curve *working = connect_as(ENROLMENT_HOSPITAL);
	for (unsigned i = 0; i < TOO_MANY; i++) {
		options.stop = i % 2 == 0 ? RAW_CURVE_STOP_CONNECTED : RAW_CURVE_STOP_HELLO;
		// One that has to wait for a descriptor is answered when others have been cut off.
		(void)raw_curve_open(&options, EDGE_WAIT_MS, &idle[i]);
		if (i % 50 == 0)
			assert_answers(working, "working");
	}
	assert_answers(working, "working");
	assert_works();
	ck_assert_uint_eq(front_restarts(front), 0);
	for (unsigned i = 0; i < TOO_MANY; i++)
		raw_curve_close(idle[i]);
	raw_curve_close(working);
}
END_TEST

// ------------------------------------------------------------------ ends

START_TEST(the_front_stands_behind_the_core_when_the_processor_is_short)
{
	pid_t front_pid = process_child(process_child(getpid()));
	ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t)front_pid), getpriority(PRIO_PROCESS, 0) + 5);
}
END_TEST

START_TEST(a_front_that_dies_is_started_again_where_it_was)
{
	// As libzmq does it, as its sandbox and as the kernel that is short of memory. A SIGSEGV sanitizers would take for a find.
	static const int signals[] = {SIGABRT, SIGSYS, SIGKILL};
	char endpoint[TRANSPORT_ENDPOINT_BYTES];
	pid_t keeper = process_child(getpid());
	snprintf(endpoint, sizeof endpoint, "%s", front_endpoint(front, LISTENER_CURRENT));
	for (unsigned i = 0; i < 3; i++) {
		struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
		assert_answers(client, "before");
		kill(process_child(keeper), signals[i]);
		ck_assert_int_eq(raw_curve_wait_closed(client, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
		raw_curve_close(client);
		echo_until_restarts(i + 1);
		ck_assert_str_eq(front_endpoint(front, LISTENER_CURRENT), endpoint);
		assert_works();
	}
	// Its counts are asked for once a second.
	while (front_read_counters(front).zap.admitted == 0)
		echo(20, NULL);
}
END_TEST

START_TEST(a_front_that_says_nothing_any_more_is_ended_and_started_again)
{
	assert_works();
	kill(process_child(process_child(getpid())), SIGSTOP);
	echo_until_restarts(1);
	assert_works();
}
END_TEST

START_TEST(without_its_keeper_it_is_lost)
{
	pid_t keeper = process_child(getpid()), process = process_child(keeper);
	uint64_t until_ms = clock_monotonic_ms() + EDGE_WAIT_MS;
	kill(keeper, SIGKILL);
	while (!front_is_lost(front)) {
		echo(20, NULL);
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
	}
	// The front has gone with it.
	while (process_parent(process) != 0)
		ck_assert_uint_lt(clock_monotonic_ms(), until_ms);
}
END_TEST

static void pause_front(void)
{
	struct front_request request;
	front_pause(front, 500);
	while (!front_is_paused(front)) {
		front_wait(front, -1, 20);
		ck_assert(!front_receive(front, &request));
	}
}

START_TEST(who_asks_while_it_stops_is_told_to_go_elsewhere)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	assert_answers(client, "before");
	pause_front();
	ask(client, 7);
	assert_refused_as(client, &arena, "draining", 7);
	front_stop(front);
	ck_assert_int_eq(raw_curve_wait_closed(client, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	ck_assert_uint_eq(front_read_counters(front).zap.admitted, 2); // the self-test's, ours
	raw_curve_close(client);
	arena_done(&arena);
}
END_TEST

// Asked in one go and told so too: fewer than libzmq holds for one connection. FRONT_DRAIN_MAX is a multiple of it.
#define TOLD_AT_ONCE 512u

// Whoever asks without end does not keep the front from its own: the last is told, the next one is not, and it ends when it is to.
START_TEST(of_those_who_ask_while_it_stops_65536_are_told_and_then_nobody)
{
	struct raw_curve *client = connect_as(ENROLMENT_HOSPITAL);
	uint8_t reply[1000];
	size_t bytes;
	struct arena arena;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	pause_front();
	for (unsigned told = 0; told < FRONT_DRAIN_MAX; told += TOLD_AT_ONCE) {
		for (unsigned i = 0; i < TOLD_AT_ONCE; i++)
			ask(client, (uint8_t)i);
		assert_refused_as(client, &arena, "draining", 0);
		for (unsigned i = 1; i < TOLD_AT_ONCE; i++)
			ck_assert_int_eq(raw_curve_receive(client, reply, sizeof reply, &bytes, EDGE_WAIT_MS), RAW_CURVE_OK);
	}
	for (unsigned i = 0; i < TOLD_AT_ONCE; i++)
		ask(client, 8);
	front_stop(front);
	ck_assert_int_eq(raw_curve_receive(client, reply, sizeof reply, &bytes, EDGE_WAIT_MS), RAW_CURVE_CLOSED);
	// It said so before it ended: it did not have to be ended.
	ck_assert_uint_eq(front_read_counters(front).zap.admitted, 2); // the self-test's, ours
	raw_curve_close(client);
	arena_done(&arena);
}
END_TEST

// ------------------------------------------------------------------ fronts that lie

enum lie {
	LIE_DIES,
	LIE_SAYS_IT_CANNOT,
	LIE_OTHER_LISTENERS,
	LIE_NO_FRAMES,          // those before cannot be opened, those from here on are given up
	LIE_READY_AGAIN,
	LIE_UNKNOWN_LISTENER,
	LIE_LONG_ROUTING_ID,
	LIE_SHORT_REQUEST,
	LIE_KEY_OR_NOT,
	LIE_OTHER_REASON,
	LIE_NO_ATTEMPT,
	LIE_WORDS_WITHOUT_END,
	LIE_SHORT_ATTEMPT,
	LIE_NOBODY_BUSY,
	LIE_SHORT_PONG,
	LIES,
	NO_LIE_BUT_LONG_TO_END
};

static void say(struct front_link *link, enum front_frame_type type, const void *data, size_t bytes)
{
	if (!front_link_put(link, type, &(struct front_part){data, bytes}, 1) || !front_link_flush(link))
		_exit(1);
}

static void lie_in_frames(struct front_link *link, enum lie lie)
{
	struct front_request_head head = {.from = LISTENER_CURRENT, .routing_id_bytes = 0};
	struct attempt attempt = {.reason = REASON_HANDSHAKE_KEY, .count = 1};
	struct front_ready ready = {{"tcp://127.0.0.1:1"}};
	const struct front_busy busy = {{1}, 0};
	const uint32_t no_frame[] = {7, 77};
	switch (lie) {
	case LIE_NO_FRAMES:
		if (write(front_link_fd(link), no_frame, sizeof no_frame) < 0)
			_exit(1);
		break;
	case LIE_READY_AGAIN:
		say(link, FRONT_FRAME_READY, &ready, sizeof ready);
		break;
	case LIE_UNKNOWN_LISTENER:
		head.from = LISTENERS;
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head);
		break;
	case LIE_LONG_ROUTING_ID:
		head.routing_id_bytes = 1;
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head);
		break;
	case LIE_SHORT_REQUEST:
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head - 1);
		break;
	case LIE_KEY_OR_NOT:
		head.has_key = 2;
		say(link, FRONT_FRAME_REQUEST, &head, sizeof head);
		break;
	case LIE_OTHER_REASON:
		attempt.reason = REASON_STORE;
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt);
		break;
	case LIE_NO_ATTEMPT:
		attempt.count = 0;
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt);
		break;
	case LIE_WORDS_WITHOUT_END:
		memset(attempt.examples, 'a', sizeof attempt.examples);
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt);
		break;
	case LIE_SHORT_ATTEMPT:
		say(link, FRONT_FRAME_ATTEMPT, &attempt, sizeof attempt - 1);
		break;
	case LIE_NOBODY_BUSY:
		say(link, FRONT_FRAME_BUSY, &busy, sizeof busy);
		break;
	default:
		say(link, FRONT_FRAME_PONG, &busy, 1);
		break;
	}
}

// What a front has to do between the closing of its end and its own: much of it here, and then it leaves a file.
static int end_late(struct front_link *link)
{
	struct front_frame frame = {0};
	static uint8_t keys[32u << 20];
	while (frame.type != FRONT_FRAME_CLOSE) {
		enum front_link_next next = front_link_next(link, &frame);
		struct pollfd item = {.fd = front_link_fd(link), .events = POLLIN};
		if (next == FRONT_LINK_BROKEN || (next == FRONT_LINK_NOTHING && (poll(&item, 1, -1) < 0 || !front_link_fill(link))))
			return 1;
	}
	front_link_free(link);
	for (unsigned i = 0; i < 8; i++)
		explicit_bzero(keys, sizeof keys);
	const char *path = getenv(LEFT_FILE);
	FILE *left = path == NULL ? NULL : fopen(path, "we");
	return left != NULL && fclose(left) == 0 ? 0 : 1;
}

// In the front's place.
static int lie_to_core(enum lie lie)
{
	struct front_link *link = front_link_new(FRONT_DESCRIPTOR);
	struct front_ready ready = {{"tcp://127.0.0.1:1"}};
	if (lie == LIE_DIES || link == NULL) {
		front_link_free(link);
		return 9;
	}
	if (lie == LIE_SAYS_IT_CANNOT) {
		say(link, FRONT_FRAME_FAILED, "the moon is full", 16);
		front_link_free(link);
		return 1;
	}
	if (lie == LIE_OTHER_LISTENERS)
		memcpy(ready.endpoints[LISTENER_NEXT], "tcp://127.0.0.1:2", 18);
	say(link, FRONT_FRAME_READY, &ready, sizeof ready);
	if (lie == NO_LIE_BUT_LONG_TO_END)
		return end_late(link);
	if (lie >= LIE_NO_FRAMES)
		lie_in_frames(link, lie);
	// Until the core has had enough of it.
	for (;;)
		pause();
}

START_TEST(a_front_that_cannot_start_is_told_of)
{
	static const char *const words[] = {"did not start", "the moon is full", "did not start"};
	char number[4];
	snprintf(number, sizeof number, "%d", _i);
	setenv(LIE, number, 1);
	ck_assert(!open_front("tcp://127.0.0.1:*", NULL));
	ck_assert_msg(strstr(detail, words[_i]) != NULL, "%s", detail);
}
END_TEST

START_TEST(a_front_that_lies_is_given_up_and_another_started)
{
	char number[4];
	snprintf(number, sizeof number, "%d", _i);
	setenv(LIE, number, 1);
	ck_assert_msg(open_front("tcp://127.0.0.1:*", NULL), "%s", detail);
	// Each one lies, so each one is given up.
	echo_until_restarts(2);
	struct attempt taken[4];
	// Nothing of it counts.
	ck_assert_uint_eq(attempts_take(attempts, clock_monotonic_ms(), true, 4, taken), 0);
}
END_TEST

START_TEST(a_front_that_has_closed_its_end_is_let_end)
{
	char number[4], left[64];
	snprintf(number, sizeof number, "%d", NO_LIE_BUT_LONG_TO_END);
	snprintf(left, sizeof left, "%s/left", directory);
	setenv(LIE, number, 1);
	setenv(LEFT_FILE, left, 1);
	ck_assert_msg(open_front("tcp://127.0.0.1:*", NULL), "%s", detail);
	front_stop(front);
	ck_assert_int_eq(unlink(left), 0);
}
END_TEST

START_TEST(nobody_but_a_core_starts_a_front)
{
	// Without a core at the other end of descriptor 3.
	ck_assert_int_eq(WEXITSTATUS(system("exec 3</dev/null 4</dev/null; build=\"${BUILD:-build}\"; \"$build\"/cpis-broker " FRONT_ARGUMENT " 2>/dev/null")), 1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("front");
	TCase *tests = tcase_create("front"), *lies = tcase_create("lies");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up_open, tear_down);
	tcase_add_test(tests, a_message_comes_with_its_connections_key_and_its_reply_goes_back);
	tcase_add_test(tests, long_messages_pass_both_ways);
	tcase_add_test(tests, a_reply_to_nobody_goes_nowhere);
	tcase_add_test(tests, strangers_come_in_on_the_enrolment_endpoint_only_and_are_counted);
	tcase_add_test(tests, another_list_decides_the_next_handshake_and_cuts_nobody_off);
	tcase_add_test(tests, endpoints_are_written_to_their_files_and_taken_away);
	tcase_add_test(tests, what_is_more_than_may_wait_is_refused_at_once_while_the_core_does_nothing);
	tcase_add_test(tests, of_more_than_64_systems_that_are_refused_at_once_each_is_told_and_counted);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(tests, a_message_without_end_ends_the_front_and_nothing_else);
#endif
	tcase_add_test(tests, the_front_stands_behind_the_core_when_the_processor_is_short);
	tcase_add_test(tests, a_front_that_dies_is_started_again_where_it_was);
	tcase_add_test(tests, a_front_that_says_nothing_any_more_is_ended_and_started_again);
	tcase_add_test(tests, without_its_keeper_it_is_lost);
	tcase_add_test(tests, who_asks_while_it_stops_is_told_to_go_elsewhere);
	tcase_add_test(tests, of_those_who_ask_while_it_stops_65536_are_told_and_then_nobody);
	tcase_set_timeout(lies, 120);
	tcase_add_checked_fixture(lies, set_up, tear_down);
	tcase_add_test(lies, idle_connections_do_not_take_the_last_descriptor);
	tcase_add_test(lies, an_endpoint_that_is_none_and_a_file_that_cannot_be_written_are_said);
	tcase_add_loop_test(lies, a_front_that_cannot_start_is_told_of, 0, LIE_NO_FRAMES);
	tcase_add_loop_test(lies, a_front_that_lies_is_given_up_and_another_started, LIE_NO_FRAMES, LIES);
	tcase_add_test(lies, a_front_that_has_closed_its_end_is_let_end);
	tcase_add_test(lies, nobody_but_a_core_starts_a_front);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, lies);
	return suite;
}

int main(int argc, char **argv)
{
	const char *lie = getenv(LIE);
	if (argc == 2 && strcmp(argv[1], FRONT_ARGUMENT) == 0)
		return lie != NULL ? lie_to_core((enum lie)atoi(lie)) : front_process_run();
	if (mkdtemp(directory) == NULL)
		return EXIT_FAILURE;
	for (int i = 0; i < LISTENERS; i++)
		snprintf(files[i], sizeof files[i], "%s/endpoint-%d", directory, i);
	SRunner *runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int i = 0; i < LISTENERS; i++)
		unlink(files[i]);
	rmdir(directory);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
