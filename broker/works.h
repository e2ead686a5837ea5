// Questions that were put to responders, and their answers, until whoever asked has had time to take them up. In memory only,
// bounded, wiped; a batch that was given up forgets all of them, and the askers are told that nobody answered. One thread;
// time is a parameter.
//
// A piece of work waits, is taken, and is answered or failed; each once. It is kept for a while after its time, so that an
// answer that comes late can still be recorded under the child that it is about.
#ifndef CPIS_BROKER_WORKS_H
#define CPIS_BROKER_WORKS_H

#include "broker/limits.h"
#include "broker/responders.h"
#include "broker/store.h"

#define WORK_KEPT_MS 60000u                  // after its time

enum work_state { WORK_WAITS, WORK_TAKEN, WORK_ANSWERED, WORK_FAILED };

// Who asks, and what: a retry of the same request, on whatever connection with that key, is the same asker.
struct work_asker {
	uint8_t channel_key[KEY_BYTES];
	uint8_t request_id[REQUEST_ID_BYTES];
	uint8_t question_sha256[HASH_BYTES]; // without the work's id
};

struct work {
	struct work *next, *previous;
	uint8_t id[WORK_ID_BYTES];
	struct responder_post post;
	struct work_asker asker;
	bool has_subject;
	struct nhs_number number;            // with has_subject
	uint64_t until_ms;                   // an answer after this is of no use
	enum work_state state;
	uint8_t sha256[HASH_BYTES];          // of `question`
	uint8_t *question;                   // a ResponderWork without deadline_ms
	size_t question_bytes;
	uint8_t *answer;                     // a ResponderAnswer that has been checked; with WORK_ANSWERED
	size_t answer_bytes;
	// When taken:
	uint8_t taken_request_id[REQUEST_ID_BYTES];
	uint8_t taken_channel_key[KEY_BYTES];
	uint8_t taken_session_id[SESSION_ID_BYTES];
	uint8_t answer_key[KEY_BYTES];
};

struct works;

__attribute__((warn_unused_result)) bool works_new(struct works **ret); // false: no memory
void works_free(struct works *works); // accepts NULL
void works_forget(struct works *works); // all of them

// Adds a copy of `from`, whose question is copied too; it waits. NULL: there is no room, overall or for this asker.
struct work *works_put(struct works *works, const struct work *from, uint64_t now_ms);
// The newest; NULL: there is none. All borrowed until the next works_put.
struct work *works_of_asker(const struct works *works, const struct work_asker *asker);
struct work *works_by_id(const struct works *works, ProtobufCBinaryData id);

// The work that this request of this session was given before, whatever its state (a take that is sent again, while the first
// one waits here too, must not take another), or else the oldest one that waits, whose time is not over and
// whose responder this session is. NULL: there is none.
struct work *works_for(const struct works *works, const struct responders *responders, const struct session *session,
		       const uint8_t request_id[REQUEST_ID_BYTES], uint64_t now_ms);
void works_take(struct work *work, const struct responder *responder, const uint8_t request_id[REQUEST_ID_BYTES]);
bool work_was_taken_by(const struct work *work, const struct session *session);
// False: there is no room for the answer. It failed then.
bool works_answer(struct works *works, struct work *work, const uint8_t *answer, size_t answer_bytes);
void works_fail(struct work *work);
// What another one had taken and has not answered waits again, for whoever has registered in its place.
void works_release(struct works *works, const struct responder_post *post);

#endif
