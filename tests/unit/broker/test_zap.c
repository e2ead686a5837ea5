// The ZAP handler, asked as libzmq asks it: over inproc://zeromq.zap.01, without CURVE in between.
#include "broker/zap.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "broker/clock.h"
#include "broker/limits.h"
#include "tests/harness/enrolment.h"

#define ANSWER_MS 5000
#define FRAMES_MAX 12

static struct enrolment *enrolment;
static void *context;
static struct zap *zap;
static void *asker;

// ------------------------------------------------------------------ asking

struct frame {
	const void *data;
	size_t bytes;
};

struct question {
	struct frame frames[FRAMES_MAX];
	size_t count;
};

struct reply {
	char status[4], user_id[256];
	uint8_t metadata[256];
	size_t metadata_bytes;
};

static void *new_asker(void)
{
	const int none = 0, timeout_ms = ANSWER_MS;
	void *socket = zmq_socket(context, ZMQ_DEALER);
	ck_assert_ptr_nonnull(socket);
	ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none), 0);
	ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms), 0);
	ck_assert_int_eq(zmq_connect(socket, "inproc://zeromq.zap.01"), 0);
	return socket;
}

static void start_with(struct admission *admission, unsigned connections, unsigned per_system)
{
	const struct zap_limits limits = {.connections_max = connections,
					  .connections_per_system_max = per_system};
	ck_assert(zap_start(context, admission, &limits, &zap));
	asker = new_asker();
}

static void set_up(void)
{
	enrolment = enrolment_new();
	context = zmq_ctx_new();
	ck_assert_ptr_nonnull(context);
}

static void set_up_started(void)
{
	set_up();
	start_with(enrolment->admission, 16, 8);
}

static void tear_down(void)
{
	if (asker != NULL)
		zmq_close(asker);
	zap_stop(zap);
	zmq_ctx_term(context);
	enrolment_free(enrolment);
	asker = NULL;
	zap = NULL;
}

static struct question question_for(const uint8_t key[KEY_BYTES])
{
	return (struct question){
		.frames = {{"", 0},
			   {"1.0", 3},
			   {"1", 1},
			   {"cpis", 4},
			   {"::ffff:127.0.0.1", 16},
			   {"", 0},
			   {"CURVE", 5},
			   {key, KEY_BYTES}},
		.count = 8,
	};
}

static void send_question(void *socket, const struct question *question)
{
	for (size_t i = 0; i < question->count; i++) {
		int more = i + 1 < question->count ? ZMQ_SNDMORE : 0;
		ck_assert_int_ge(zmq_send(socket, question->frames[i].data, question->frames[i].bytes, more),
				 0);
	}
}

static size_t receive_part(void *socket, void *out, size_t size)
{
	int bytes = zmq_recv(socket, out, size, 0);
	ck_assert_msg(bytes >= 0 && (size_t)bytes <= size, "the handler did not answer: %s",
		      zmq_strerror(errno));
	return (size_t)bytes;
}

static struct reply receive_reply(void *socket)
{
	struct reply reply = {0};
	char text[256];
	ck_assert_uint_eq(receive_part(socket, text, sizeof text), 0);
	ck_assert_uint_eq(receive_part(socket, text, sizeof text), 3);
	ck_assert_mem_eq(text, "1.0", 3);
	ck_assert_uint_eq(receive_part(socket, text, sizeof text), 1);
	ck_assert_mem_eq(text, "1", 1);
	ck_assert_uint_eq(receive_part(socket, reply.status, 3), 3);
	receive_part(socket, text, sizeof text);
	reply.user_id[receive_part(socket, reply.user_id, sizeof reply.user_id - 1)] = '\0';
	reply.metadata_bytes = receive_part(socket, reply.metadata, sizeof reply.metadata);
	int more = 1;
	size_t size = sizeof more;
	zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
	ck_assert_int_eq(more, 0);
	return reply;
}

static struct reply ask_enrolling(const uint8_t key[KEY_BYTES])
{
	struct question question = question_for(key);
	question.frames[3] = (struct frame){"cpis-enrol", 10};
	send_question(asker, &question);
	return receive_reply(asker);
}

static struct reply ask(const uint8_t key[KEY_BYTES])
{
	struct question question = question_for(key);
	send_question(asker, &question);
	return receive_reply(asker);
}

static void admit(const uint8_t key[KEY_BYTES], char ret_handle[ZAP_HANDLE_BYTES])
{
	struct reply reply = ask(key);
	ck_assert_str_eq(reply.status, "200");
	ck_assert_uint_eq(strlen(reply.user_id), ZAP_HANDLE_BYTES - 1);
	strcpy(ret_handle, reply.user_id);
}

static bool knows(const char *handle)
{
	uint8_t key[KEY_BYTES];
	return zap_lookup(zap, ZAP_SYSTEMS, handle, key);
}

static void assert_refused(const struct reply *reply, const char *status)
{
	ck_assert_str_eq(reply->status, status);
	ck_assert_str_eq(reply->user_id, "");
	ck_assert_uint_eq(reply->metadata_bytes, 0);
}

#define KEY_OF(system) (enrolment->keys[system].public_key)

// ------------------------------------------------------------------ who comes in

START_TEST(admits_an_enrolled_key_and_names_it_by_a_random_handle)
{
	struct reply reply = ask(KEY_OF(ENROLMENT_HOSPITAL));
	uint8_t key[KEY_BYTES];
	ck_assert_str_eq(reply.status, "200");
	ck_assert_uint_eq(strlen(reply.user_id), ZAP_HANDLE_BYTES - 1);
	ck_assert_uint_eq(strspn(reply.user_id, "0123456789abcdef"), ZAP_HANDLE_BYTES - 1);
	ck_assert(zap_lookup(zap, ZAP_SYSTEMS, reply.user_id, key));
	ck_assert_mem_eq(key, KEY_OF(ENROLMENT_HOSPITAL), KEY_BYTES);
	ck_assert_uint_eq(zap_read_counters(zap).admitted, 1);
}
END_TEST

START_TEST(the_handle_is_the_routing_id_too)
{
	struct reply reply = ask(KEY_OF(ENROLMENT_HOSPITAL));
	ck_assert_uint_eq(reply.metadata_bytes, 1 + 8 + 4 + 32);
	ck_assert_mem_eq(reply.metadata, "\10Identity\0\0\0\40", 13);
	ck_assert_mem_eq(reply.metadata + 13, reply.user_id, 32);
}
END_TEST

START_TEST(every_connection_of_one_key_has_a_handle_of_its_own)
{
	char first[ZAP_HANDLE_BYTES], second[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_HOSPITAL), first);
	admit(KEY_OF(ENROLMENT_HOSPITAL), second);
	ck_assert_str_ne(first, second);
	ck_assert(knows(first) && knows(second));
}
END_TEST

START_TEST(refuses_a_key_that_nobody_enrolled)
{
	struct reply reply = ask(enrolment->stranger.public_key);
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).refused_unknown, 1);
}
END_TEST

START_TEST(refuses_a_key_whose_certificate_has_expired_since_the_register_was_loaded)
{
	struct reply reply = ask(KEY_OF(ENROLMENT_EXPIRED));
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).refused_invalid, 1);
}
END_TEST

START_TEST(refuses_a_revoked_key_from_the_next_register_on)
{
	char handle[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), handle);
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	zap_set_admission(zap, fresh);
	admission_release(fresh);
	struct reply reply = ask(KEY_OF(ENROLMENT_LEEDS));
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).refused_invalid, 1);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
}
END_TEST

// Each under its own reason, with the first bytes of the key and the address that libzmq names.
START_TEST(counts_whom_it_refuses_for_the_audit_log_and_nobody_else)
{
	static const enum reason reasons[] = {REASON_HANDSHAKE_KEY, REASON_HANDSHAKE_REVOKED, REASON_HANDSHAKE_EXPIRED};
	const uint8_t *key = enrolment->stranger.public_key;
	struct attempts *attempts = attempts_new();
	struct attempt taken[8];
	char expected[ATTEMPT_EXAMPLE_BYTES], handle[ZAP_HANDLE_BYTES];
	// Before it is told to count, as while the self-test goes on.
	(void)ask(key);
	zap_set_attempts(zap, attempts);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	zap_set_admission(zap, fresh);
	admission_release(fresh);
	(void)ask(KEY_OF(ENROLMENT_LEEDS));
	(void)ask(KEY_OF(ENROLMENT_EXPIRED));
	(void)ask(key);
	(void)ask(key);
	ck_assert_uint_eq(attempts_take(attempts, 0, true, 8, taken), 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(taken[i].reason, reasons[i]);
		ck_assert_uint_eq(taken[i].count, i == 0 ? 2 : 1);
	}
	snprintf(expected, sizeof expected, "key %02x%02x%02x%02x from 127.0.0.1", key[0], key[1], key[2], key[3]);
	ck_assert_str_eq(taken[0].examples, expected);
	zap_set_admission(zap, NULL);
	(void)ask(KEY_OF(ENROLMENT_HOSPITAL));
	ck_assert_uint_eq(attempts_take(attempts, 0, true, 8, taken), 1);
	ck_assert_int_eq(taken[0].reason, REASON_HANDSHAKE_TURNED_AWAY);
	zap_set_attempts(zap, NULL);
	attempts_free(attempts);
}
END_TEST

START_TEST(a_revoked_key_can_still_be_told_from_its_handle)
{
	char handle[ZAP_HANDLE_BYTES];
	uint8_t key[KEY_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), handle);
	struct admission *fresh = enrolment_revoke(enrolment, ENROLMENT_LEEDS);
	zap_set_admission(zap, fresh);
	admission_release(fresh);
	ck_assert(zap_lookup(zap, ZAP_SYSTEMS, handle, key));
	ck_assert_mem_eq(key, KEY_OF(ENROLMENT_LEEDS), KEY_BYTES);
}
END_TEST

START_TEST(tells_everybody_to_come_later_while_no_register_is_there)
{
	char handle[ZAP_HANDLE_BYTES];
	zap_set_admission(zap, NULL);
	struct reply reply = ask(KEY_OF(ENROLMENT_HOSPITAL));
	assert_refused(&reply, "300");
	zap_set_admission(zap, enrolment->admission);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
}
END_TEST

START_TEST(admits_the_self_test_key_until_that_is_ended_and_then_forgets_it)
{
	char handle[ZAP_HANDLE_BYTES], other[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), other);
	zap_set_self_test_key(zap, enrolment->stranger.public_key);
	admit(enrolment->stranger.public_key, handle);
	ck_assert(knows(handle));
	zap_set_self_test_key(zap, NULL);
	ck_assert(!knows(handle));
	ck_assert(knows(other));
	struct reply reply = ask(enrolment->stranger.public_key);
	assert_refused(&reply, "400");
}
END_TEST

// An answer that comes at once would lose against the routing id that the client claims.
START_TEST(waits_a_millisecond_before_it_answers)
{
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	for (int i = 0; i < 20; i++) {
		uint64_t sent_ms = clock_monotonic_ms();
		send_question(asker, &question);
		ck_assert_str_eq(receive_reply(asker).status, "200");
		ck_assert_uint_ge(clock_monotonic_ms() - sent_ms, 1);
	}
}
END_TEST

// ------------------------------------------------------------------ requests that libzmq does not send

static void assert_malformed(const struct question *question)
{
	uint64_t before = zap_read_counters(zap).malformed;
	send_question(asker, question);
	struct reply reply = receive_reply(asker);
	assert_refused(&reply, "500");
	ck_assert_uint_eq(zap_read_counters(zap).malformed, before + 1);
}

START_TEST(refuses_a_request_with_any_part_not_as_it_should_be)
{
	static const struct {
		size_t frame;
		const char *text;
		size_t bytes;
	} changes[] = {
		{1, "1.1", 3},
		{1, "", 0},
		{3, "", 0},
		{3, "cpi", 3},
		{3, "cpisx", 5},
		{6, "NULL", 4},
		{6, "PLAIN", 5},
		{7, "", 0},
		{7, "0123456789012345678901234567890", 31},
		{7, "012345678901234567890123456789012", 33},
	};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
		question.frames[changes[i].frame] = (struct frame){changes[i].text, changes[i].bytes};
		assert_malformed(&question);
	}
}
END_TEST

START_TEST(refuses_a_request_with_a_frame_too_few_or_too_many)
{
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.count = 7;
	assert_malformed(&question);
	question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[question.count++] = (struct frame){"more", 4};
	assert_malformed(&question);
	question.frames[question.count++] = (struct frame){"more", 4};
	question.frames[question.count++] = (struct frame){"more", 4};
	assert_malformed(&question);
}
END_TEST

// A connection's routing id is the only field that somebody else may choose.
START_TEST(a_field_has_255_bytes_and_with_one_more_there_is_no_answer)
{
	static const char identity[ZAP_FIELD_BYTES_MAX + 1];
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[5] = (struct frame){identity, ZAP_FIELD_BYTES_MAX};
	send_question(asker, &question);
	ck_assert_str_eq(receive_reply(asker).status, "200");
	question.frames[5].bytes++;
	send_question(asker, &question);
	// The next answer is the next question's.
	struct reply reply = ask(enrolment->stranger.public_key);
	assert_refused(&reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).malformed, 1);
}
END_TEST

START_TEST(counts_what_it_cannot_even_answer_and_goes_on)
{
	static const char oversized[300];
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	char handle[ZAP_HANDLE_BYTES];
	question.count = 2;
	send_question(asker, &question);
	question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[0] = (struct frame){"no delimiter", 12};
	send_question(asker, &question);
	question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	question.frames[2] = (struct frame){oversized, sizeof oversized};
	send_question(asker, &question);
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	ck_assert_uint_eq(zap_read_counters(zap).malformed, 3);
}
END_TEST

// ------------------------------------------------------------------ handles

START_TEST(knows_no_handle_that_it_did_not_give_out)
{
	char handle[ZAP_HANDLE_BYTES], longer[ZAP_HANDLE_BYTES + 1];
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	ck_assert(!knows(""));
	ck_assert(!knows("admin"));
	ck_assert(!knows("00000000000000000000000000000000"));
	snprintf(longer, sizeof longer, "%s0", handle);
	ck_assert(!knows(longer));
	handle[31] = handle[31] == '0' ? '1' : '0';
	ck_assert(!knows(handle));
	handle[31] = '\0';
	ck_assert(!knows(handle));
}
END_TEST

START_TEST(writes_no_key_for_a_handle_that_it_does_not_know)
{
	uint8_t key[KEY_BYTES] = {1, 2, 3}, before[KEY_BYTES] = {1, 2, 3};
	ck_assert(!zap_lookup(zap, ZAP_SYSTEMS, "00000000000000000000000000000000", key));
	ck_assert_mem_eq(key, before, KEY_BYTES);
}
END_TEST

START_TEST(keeps_so_many_handles_and_drops_the_oldest_of_all)
{
	char handles[5][ZAP_HANDLE_BYTES];
	start_with(enrolment->admission, 3, 3);
	for (int i = 0; i < 5; i++)
		admit(KEY_OF(i % 2 == 0 ? ENROLMENT_HOSPITAL : ENROLMENT_LEEDS), handles[i]);
	for (int i = 0; i < 5; i++)
		ck_assert_msg(knows(handles[i]) == (i >= 2), "handle %d", i);
}
END_TEST

START_TEST(a_system_with_too_many_connections_loses_its_own_oldest_only)
{
	char handles[4][ZAP_HANDLE_BYTES], other[ZAP_HANDLE_BYTES];
	start_with(enrolment->admission, 16, 2);
	admit(KEY_OF(ENROLMENT_LEEDS), other);
	for (int i = 0; i < 4; i++)
		admit(KEY_OF(ENROLMENT_HOSPITAL), handles[i]);
	ck_assert(knows(other));
	for (int i = 0; i < 4; i++)
		ck_assert_msg(knows(handles[i]) == (i >= 2), "handle %d", i);
}
END_TEST

START_TEST(a_single_handle_may_be_all_there_is_room_for)
{
	char first[ZAP_HANDLE_BYTES], second[ZAP_HANDLE_BYTES];
	start_with(enrolment->admission, 1, 1);
	admit(KEY_OF(ENROLMENT_LEEDS), first);
	admit(KEY_OF(ENROLMENT_LEEDS), second);
	ck_assert(!knows(first) && knows(second));
	admit(KEY_OF(ENROLMENT_HOSPITAL), first);
	ck_assert(knows(first) && !knows(second));
}
END_TEST

// ------------------------------------------------------------------ the enrolment endpoint

#define ENROLLING_MAX 3

static void set_up_enrolling(void)
{
	const struct zap_limits limits = {
		.connections_max = 2, .connections_per_system_max = 2, .enrolling_connections_max = ENROLLING_MAX};
	set_up();
	ck_assert(zap_start(context, enrolment->admission, &limits, &zap));
	asker = new_asker();
}

static bool is_enrolling(const char *handle)
{
	uint8_t key[KEY_BYTES];
	return zap_lookup(zap, ZAP_ENROLLING, handle, key);
}

START_TEST(any_key_is_let_in_to_enrol_and_is_nobody_elsewhere)
{
	uint8_t key[KEY_BYTES];
	struct reply reply = ask_enrolling(enrolment->stranger.public_key);
	ck_assert_str_eq(reply.status, "200");
	ck_assert_uint_eq(strlen(reply.user_id), ZAP_HANDLE_BYTES - 1);
	ck_assert_mem_eq(reply.metadata + 13, reply.user_id, 32);
	ck_assert(zap_lookup(zap, ZAP_ENROLLING, reply.user_id, key));
	ck_assert_mem_eq(key, enrolment->stranger.public_key, KEY_BYTES);
	ck_assert(!knows(reply.user_id));
	struct reply main_reply = ask(enrolment->stranger.public_key);
	assert_refused(&main_reply, "400");
	ck_assert_uint_eq(zap_read_counters(zap).admitted, 0);
	ck_assert_uint_eq(zap_read_counters(zap).enrolling_admitted, 1);
}
END_TEST

START_TEST(an_enrolled_key_too_is_of_the_class_of_the_socket_it_came_to)
{
	char handle[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	ck_assert(knows(handle) && !is_enrolling(handle));
	struct reply reply = ask_enrolling(KEY_OF(ENROLMENT_HOSPITAL));
	ck_assert(is_enrolling(reply.user_id) && !knows(reply.user_id));
	reply = ask_enrolling(KEY_OF(ENROLMENT_EXPIRED));
	ck_assert(is_enrolling(reply.user_id) && !knows(reply.user_id));
}
END_TEST

START_TEST(strangers_push_nobody_out_and_come_later_when_there_are_too_many)
{
	char systems[2][ZAP_HANDLE_BYTES];
	struct reply strangers[ENROLLING_MAX];
	for (int i = 0; i < 2; i++)
		admit(KEY_OF(ENROLMENT_HOSPITAL), systems[i]);
	for (int i = 0; i < ENROLLING_MAX; i++) {
		ck_assert(!zap_enrolling_is_full(zap));
		// One key may have them all: keys cost nothing.
		strangers[i] = ask_enrolling(enrolment->stranger.public_key);
		ck_assert_str_eq(strangers[i].status, "200");
	}
	ck_assert(zap_enrolling_is_full(zap));
	struct reply late = ask_enrolling(KEY_OF(ENROLMENT_LEEDS));
	assert_refused(&late, "300");
	ck_assert_uint_eq(zap_read_counters(zap).enrolling_refused, 1);
	for (int i = 0; i < ENROLLING_MAX; i++)
		ck_assert(is_enrolling(strangers[i].user_id));
	ck_assert(knows(systems[0]) && knows(systems[1]));
	zap_forget_enrolling(zap);
	ck_assert(!zap_enrolling_is_full(zap));
	for (int i = 0; i < ENROLLING_MAX; i++)
		ck_assert(!is_enrolling(strangers[i].user_id));
	ck_assert(knows(systems[0]) && knows(systems[1]));
	ck_assert_str_eq(ask_enrolling(KEY_OF(ENROLMENT_LEEDS)).status, "200");
}
END_TEST

START_TEST(nobody_enrols_while_no_register_is_there)
{
	zap_set_admission(zap, NULL);
	struct reply reply = ask_enrolling(enrolment->stranger.public_key);
	assert_refused(&reply, "300");
}
END_TEST

START_TEST(without_an_enrolment_endpoint_its_domain_is_malformed)
{
	struct question question = question_for(enrolment->stranger.public_key);
	question.frames[3] = (struct frame){"cpis-enrol", 10};
	assert_malformed(&question);
}
END_TEST

START_TEST(domains_are_taken_by_the_letter)
{
	static const char *const domains[] = {"", "cpis-", "cpis-enro", "cpis-enroll", "CPIS-ENROL", "cpis-enrol ", "enrol"};
	for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
		struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
		question.frames[3] = (struct frame){domains[i], strlen(domains[i])};
		assert_malformed(&question);
	}
}
END_TEST

// ------------------------------------------------------------------ the thread

START_TEST(is_alone_in_its_context)
{
	const struct zap_limits limits = {.connections_max = 1, .connections_per_system_max = 1};
	struct zap *second;
	ck_assert(!zap_start(context, enrolment->admission, &limits, &second));
	ck_assert_str_eq(ask(KEY_OF(ENROLMENT_HOSPITAL)).status, "200");
}
END_TEST

START_TEST(starts_again_after_a_stop_and_knows_no_handle_of_before)
{
	char handle[ZAP_HANDLE_BYTES];
	for (int i = 0; i < 10; i++) {
		start_with(enrolment->admission, 16, 8);
		if (i > 0)
			ck_assert(!knows(handle));
		admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
		zmq_close(asker);
		zap_stop(zap);
	}
	asker = NULL;
	zap = NULL;
}
END_TEST

START_TEST(accepts_null_to_stop)
{
	zap_stop(NULL);
}
END_TEST

static atomic_bool lookups_end;
static atomic_uint lookups_lost;

static void *look_up(void *argument)
{
	uint8_t key[KEY_BYTES];
	while (!atomic_load(&lookups_end)) {
		if (!zap_lookup(zap, ZAP_SYSTEMS, argument, key))
			atomic_fetch_add(&lookups_lost, 1);
		zap_set_admission(zap, enrolment->admission);
		zap_read_counters(zap);
	}
	return NULL;
}

START_TEST(answers_a_crowd_while_other_threads_look_up_and_replace_the_register)
{
	enum { ASKERS = 8, QUESTIONS = 50 };
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	void *askers[ASKERS];
	pthread_t thread;
	char handle[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), handle);
	ck_assert_int_eq(pthread_create(&thread, NULL, look_up, handle), 0);
	for (int i = 0; i < ASKERS; i++) {
		askers[i] = new_asker();
		for (int j = 0; j < QUESTIONS; j++)
			send_question(askers[i], &question);
	}
	for (int i = 0; i < ASKERS; i++) {
		for (int j = 0; j < QUESTIONS; j++)
			ck_assert_str_eq(receive_reply(askers[i]).status, "200");
		zmq_close(askers[i]);
	}
	atomic_store(&lookups_end, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(lookups_lost, 0);
	ck_assert_uint_eq(zap_read_counters(zap).admitted, ASKERS * QUESTIONS + 1);
}
END_TEST

// Its end by any way but zap_stop: here the context goes away under it.
START_TEST(takes_the_process_with_it_when_it_dies)
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		const struct rlimit none = {0, 0};
		const struct zap_limits limits = {.connections_max = 1, .connections_per_system_max = 1};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		if (zap_start(context, NULL, &limits, &zap))
			zmq_ctx_shutdown(context);
		for (;;)
			pause();
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("zap");
	TCase *started = tcase_create("started"), *stopped = tcase_create("stopped");
	TCase *enrolling = tcase_create("enrolling");
	tcase_add_checked_fixture(enrolling, set_up_enrolling, tear_down);
	tcase_set_timeout(enrolling, 120);
	tcase_add_test(enrolling, any_key_is_let_in_to_enrol_and_is_nobody_elsewhere);
	tcase_add_test(enrolling, an_enrolled_key_too_is_of_the_class_of_the_socket_it_came_to);
	tcase_add_test(enrolling, strangers_push_nobody_out_and_come_later_when_there_are_too_many);
	tcase_add_test(enrolling, nobody_enrols_while_no_register_is_there);
	tcase_add_test(enrolling, domains_are_taken_by_the_letter);
	tcase_add_test(started, without_an_enrolment_endpoint_its_domain_is_malformed);
	tcase_add_checked_fixture(started, set_up_started, tear_down);
	tcase_add_checked_fixture(stopped, set_up, tear_down);
	tcase_set_timeout(started, 120);
	tcase_set_timeout(stopped, 120);
	tcase_add_test(started, admits_an_enrolled_key_and_names_it_by_a_random_handle);
	tcase_add_test(started, the_handle_is_the_routing_id_too);
	tcase_add_test(started, every_connection_of_one_key_has_a_handle_of_its_own);
	tcase_add_test(started, refuses_a_key_that_nobody_enrolled);
	tcase_add_test(started, refuses_a_key_whose_certificate_has_expired_since_the_register_was_loaded);
	tcase_add_test(started, refuses_a_revoked_key_from_the_next_register_on);
	tcase_add_test(started, counts_whom_it_refuses_for_the_audit_log_and_nobody_else);
	tcase_add_test(started, a_revoked_key_can_still_be_told_from_its_handle);
	tcase_add_test(started, tells_everybody_to_come_later_while_no_register_is_there);
	tcase_add_test(started, admits_the_self_test_key_until_that_is_ended_and_then_forgets_it);
	tcase_add_test(started, waits_a_millisecond_before_it_answers);
	tcase_add_test(started, refuses_a_request_with_any_part_not_as_it_should_be);
	tcase_add_test(started, refuses_a_request_with_a_frame_too_few_or_too_many);
	tcase_add_test(started, counts_what_it_cannot_even_answer_and_goes_on);
	tcase_add_test(started, a_field_has_255_bytes_and_with_one_more_there_is_no_answer);
	tcase_add_test(started, knows_no_handle_that_it_did_not_give_out);
	tcase_add_test(started, writes_no_key_for_a_handle_that_it_does_not_know);
	tcase_add_test(stopped, keeps_so_many_handles_and_drops_the_oldest_of_all);
	tcase_add_test(stopped, a_system_with_too_many_connections_loses_its_own_oldest_only);
	tcase_add_test(stopped, a_single_handle_may_be_all_there_is_room_for);
	tcase_add_test(started, is_alone_in_its_context);
	tcase_add_test(stopped, starts_again_after_a_stop_and_knows_no_handle_of_before);
	tcase_add_test(stopped, accepts_null_to_stop);
	tcase_add_test(started, answers_a_crowd_while_other_threads_look_up_and_replace_the_register);
	tcase_add_test(stopped, takes_the_process_with_it_when_it_dies);
	suite_add_tcase(suite, started);
	suite_add_tcase(suite, stopped);
	suite_add_tcase(suite, enrolling);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
