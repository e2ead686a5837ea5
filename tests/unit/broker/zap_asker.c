// A reply has to have the form that RFC 27/ZAP gives it.
#include "tests/unit/broker/zap_asker.h"

#include <errno.h>
#include <string.h>

#include <zmq.h>

#define ANSWER_MS 5000

struct enrolment *enrolment;
void *context;
struct zap *zap;
void *asker;

void *new_asker(void)
{
	const int none = 0, timeout_ms = ANSWER_MS;
	void *socket = zmq_socket(context, ZMQ_DEALER);
	ck_assert_ptr_nonnull(socket);
	ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none), 0);
	ck_assert_int_eq(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms), 0);
	ck_assert_int_eq(zmq_connect(socket, "inproc://zeromq.zap.01"), 0);
	return socket;
}

void start_with(struct admission *admission, unsigned connections, unsigned per_system)
{
	const struct zap_limits limits = {.connections_max = connections,
					  .connections_per_system_max = per_system};
	ck_assert(zap_start(context, admission, &limits, &zap));
	asker = new_asker();
}

void set_up(void)
{
	enrolment = enrolment_new();
	context = zmq_ctx_new();
	ck_assert_ptr_nonnull(context);
}

void set_up_started(void)
{
	set_up();
	start_with(enrolment->admission, 16, 8);
}

void tear_down(void)
{
	if (asker != NULL)
		zmq_close(asker);
	zap_stop(zap);
	zmq_ctx_term(context);
	enrolment_free(enrolment);
	asker = NULL;
	zap = NULL;
}

struct question question_for(const uint8_t key[KEY_BYTES])
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

void send_question(void *socket, const struct question *question)
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

struct reply receive_reply(void *socket)
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

struct reply ask_enrolling(const uint8_t key[KEY_BYTES])
{
	struct question question = question_for(key);
	question.frames[3] = (struct frame){"cpis-enrol", 10};
	send_question(asker, &question);
	return receive_reply(asker);
}

struct reply ask(const uint8_t key[KEY_BYTES])
{
	struct question question = question_for(key);
	send_question(asker, &question);
	return receive_reply(asker);
}

void admit(const uint8_t key[KEY_BYTES], char ret_handle[ZAP_HANDLE_BYTES])
{
	struct reply reply = ask(key);
	ck_assert_str_eq(reply.status, "200");
	ck_assert_uint_eq(strlen(reply.user_id), ZAP_HANDLE_BYTES - 1);
	strcpy(ret_handle, reply.user_id);
}

bool knows(const char *handle)
{
	uint8_t key[KEY_BYTES];
	return zap_lookup(zap, ZAP_SYSTEMS, handle, key);
}

void assert_refused(const struct reply *reply, const char *status)
{
	ck_assert_str_eq(reply->status, status);
	ck_assert_str_eq(reply->user_id, "");
	ck_assert_uint_eq(reply->metadata_bytes, 0);
}

void assert_malformed(const struct question *question)
{
	uint64_t before = zap_read_counters(zap).malformed;
	send_question(asker, question);
	struct reply reply = receive_reply(asker);
	assert_refused(&reply, "500");
	ck_assert_uint_eq(zap_read_counters(zap).malformed, before + 1);
}
