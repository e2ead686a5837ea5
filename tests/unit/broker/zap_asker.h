// The ZAP handler, asked as libzmq asks it: over inproc://zeromq.zap.01, without CURVE in between. For the test_zap programs.
#ifndef CPIS_TESTS_UNIT_ZAP_ASKER_H
#define CPIS_TESTS_UNIT_ZAP_ASKER_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/zap.h"
#include "tests/harness/enrolment.h"

#define FRAMES_MAX 12
#define KEY_OF(system) (enrolment->keys[system].public_key)

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

extern struct enrolment *enrolment;
extern void *context; // of ZeroMQ
extern struct zap *zap;
extern void *asker;   // the socket that asks; closed with the test

// Around each test: with a handler or without.
void set_up(void);
void set_up_started(void);
void tear_down(void);
// A handler with these limits, and its asker.
void start_with(struct admission *admission, unsigned connections, unsigned per_system);
void *new_asker(void);

// As libzmq would ask for a connection of that key.
struct question question_for(const uint8_t key[KEY_BYTES]);
void send_question(void *socket, const struct question *question);
struct reply receive_reply(void *socket);
struct reply ask(const uint8_t key[KEY_BYTES]);
struct reply ask_enrolling(const uint8_t key[KEY_BYTES]); // on the enrolment endpoint

// Let in, and by which name.
void admit(const uint8_t key[KEY_BYTES], char ret_handle[ZAP_HANDLE_BYTES]);
bool knows(const char *handle);
void assert_refused(const struct reply *reply, const char *status);
void assert_malformed(const struct question *question);

#endif
