// Responders on the stage: what they say, signed by a key in hand.
#ifndef CPIS_TESTS_HARNESS_STAGE_RESPONDER_H
#define CPIS_TESTS_HARNESS_STAGE_RESPONDER_H

#include "certs/key.h"
#include "tests/harness/stage.h"

// For this range, or with NULL for demographics; the key checks the answers from then on.
const struct stage_reply *stage_register_responder(struct stage *stage, enum stage_person person,
						   const struct signing_key *key, const char *first, const char *last);
// A take that does not wait, and its request with `body` to be filled.
const struct stage_reply *stage_take_work(struct stage *stage, enum stage_person person);
Cpis__V1__Request stage_take_request(Cpis__V1__ResponderTakeRequest *body);
// `flip`: this byte of the signature is altered; -1: none.
const struct stage_reply *stage_answer_work(struct stage *stage, enum stage_person person, const struct signing_key *key,
					    const Cpis__V1__ResponderWork *work, Cpis__V1__ResponderAnswer *answer, int flip);

#endif
