// Who answers questions beside the built-in register just now (proto/cpis.proto, "responders"): one for each range of NHS
// numbers or kind that the register gives to an organisation. In memory only: a restart, or a batch that was given up,
// forgets them, and they register again. Whether one of them may still answer is asked anew for each question
// (broker/asking.h). One thread.
#ifndef CPIS_BROKER_RESPONDERS_H
#define CPIS_BROKER_RESPONDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/limits.h"
#include "broker/register.h"
#include "broker/session.h"
#include "proto/wire.h"

// One that was not heard of for so long is not there: it asks for work at least once in the longest deadline.
#define RESPONDER_SILENT_MS (DEADLINE_MS_MAX + 15000u)

// What is answered: by whom, which kind, and with PLANS which range.
struct responder_post {
	Cpis__V1__ResponderKind kind;
	struct ods_code organisation;
	struct nhs_number first, last;
};

struct responder {
	struct responder *next, *previous;
	struct responder_post post;
	uint8_t answer_key[KEY_BYTES];       // Ed25519
	uint8_t channel_key[KEY_BYTES];
	uint8_t session_id[SESSION_ID_BYTES];
	char uid[UID_DIGITS + 1];
	char role_code[ROLE_CODE_BYTES_MAX + 1];
	struct certificate_serial staff_serial;
	uint64_t ends_ms;                    // of the session, or the person's certificate
	uint64_t seen_ms;
};

struct responders;

__attribute__((warn_unused_result)) bool responders_new(struct responders **ret); // false: no memory
void responders_free(struct responders *responders); // accepts NULL
void responders_forget(struct responders *responders); // all of them

bool responder_post_equal(const struct responder_post *a, const struct responder_post *b);
// What the register gives to somebody to answer about this number; false: nothing.
bool responder_post_of(const struct register_snapshot *snapshot, const struct nhs_number *number, struct responder_post *ret);
bool responder_post_demographics(const struct register_snapshot *snapshot, struct responder_post *ret);
// Whether the register still gives it to that organisation.
bool responder_post_given(const struct register_snapshot *snapshot, const struct responder_post *post);

// Adds, or replaces whoever answered the same. False: no memory.
__attribute__((warn_unused_result)) bool responders_put(struct responders *responders, const struct responder *from,
							 bool *ret_replaced);
// Whoever registered for it last, whether or not it may answer now; NULL: nobody. Borrowed until the next change.
const struct responder *responders_find(const struct responders *responders, const struct responder_post *post);
// Whether the session on this connection is that responder.
bool responder_is(const struct responder *responder, const struct session *session);
// Notes a sign of life of all that this session registered. False: there is none.
bool responders_seen(struct responders *responders, const struct session *session, uint64_t now_ms);

#endif
