// Putting a question to a responder, from the handler of the request that needs the answer: the request waits, and its handler
// finds the answer when it is run again.
#ifndef CPIS_BROKER_ASKING_H
#define CPIS_BROKER_ASKING_H

#include "broker/op.h"

// What is left of the asker's deadline for the reply to go out.
#define ASKING_MARGIN_MS 500u

enum asking {
	ASKING_ANSWERED,
	ASKING_WAITS,          // context->wait is filled: park
	ASKING_NOT_AVAILABLE,  // nobody there may answer, nobody did in time or is believed, or there is no room
	ASKING_FAILED,         // the arena is full
};

// `work` has the question and nothing else. A request that asked the same before, in this attempt or another, is given what
// became of that, but for one that is sent anew after it came to nothing: so the question holds nothing that changes by itself. Waits for `patience_ms` and for the request's deadline less a margin at the longest. Writes
// nothing to the store. `ret` lives in the arena; its content has been checked (broker/answer_check.h).
enum asking asking_put(struct op_context *context, const struct responder_post *post, uint32_t patience_ms,
		       Cpis__V1__ResponderWork *work, const Cpis__V1__ResponderAnswer **ret);

// The keys that requests wait on (broker/wait.h).
uint64_t asking_work_key(const struct ods_code *organisation);
uint64_t asking_answer_key(const uint8_t work_id[WORK_ID_BYTES]);

#endif
