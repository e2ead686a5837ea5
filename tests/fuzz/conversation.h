// A whole conversation against the core: many people, one store that may fail, a clock that goes either way. After each batch what must
// hold is checked; the frames of the last requests are kept to be sent again.
#ifndef CPIS_TESTS_FUZZ_CONVERSATION_H
#define CPIS_TESTS_FUZZ_CONVERSATION_H

#include "tests/fuzz/fuzz.h"
#include "tests/harness/stage.h"

#define FRAMES 8u

struct frame {
	uint8_t *data;
	size_t bytes;
	enum stage_system system;
};

struct conversation {
	struct stage *stage;
	struct signing_key *keys[STAGE_PERSONS], *answer_key;
	uint8_t *image;                          // of the database at the beginning
	size_t image_bytes;
	uint8_t first_tokens[STAGE_PERSONS][SESSION_TOKEN_BYTES_MAX];
	size_t first_token_bytes[STAGE_PERSONS];

	// This conversation.
	struct frame frames[FRAMES];             // sent last
	unsigned frame_count;
	struct frame parked;
	struct wait parked_wait;
	enum stage_person senders[STAGE_BATCH_MAX]; // of the batch; STAGE_PERSONS: nobody
	enum stage_system systems[STAGE_BATCH_MAX];
	unsigned hold;                           // so many more go into the batch before it is flushed
	uint64_t ids;                            // request ids given out
	uint64_t log_size;                       // as it was last seen to be durable
	uint8_t digest[HASH_BYTES];              // of the file that is being published
	uint8_t work_id[WORK_ID_BYTES], work_sha256[HASH_BYTES]; // taken last by a responder
	uint64_t lease;
	char note[NOTE_BYTES_MAX + 1];           // of the last receipt
};

// Makes the stage, signs everybody in, publishes plans, and keeps all of it.
void conversation_begin(struct conversation *talk);
// As it was at the beginning.
void conversation_reset(struct conversation *talk);

// Sends a frame; `person` is whose token it bears. With `may_wait` it may be parked.
void conversation_send(struct conversation *talk, enum stage_system system, enum stage_person person, const uint8_t *data, size_t bytes,
		       bool may_wait);
void conversation_resume(struct conversation *talk, bool may_wait);
// Commits what is in the batch, and checks every reply against the store.
void conversation_flush(struct conversation *talk);
// The core goes, with what was in its batch, and another comes: at once, or after it could not begin on a store that fails.
void conversation_restart(struct conversation *talk);
// The store is in order again, the log holds, and the broker answers.
void conversation_end(struct conversation *talk);

#endif
