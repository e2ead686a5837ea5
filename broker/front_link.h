// What the core and its front say to each other over a stream of bytes between two processes of one program on one machine:
// frames of a type and a length, put into memory and written when told to. Whoever reads believes nothing: the front has met
// strangers. One thread an end.
#ifndef CPIS_BROKER_FRONT_LINK_H
#define CPIS_BROKER_FRONT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"

enum front_frame_type {
	FRONT_FRAME_SETUP = 1, // to the front, once: struct front_setup
	FRONT_FRAME_ADMISSION, // to the front: admission_bytes
	FRONT_FRAME_CREDIT,    // to the front: uint32_t, so many requests more may be sent
	FRONT_FRAME_REPLY,     // to the front: struct front_peer's bytes, then the message
	FRONT_FRAME_PING,      // to the front, which sends the same back
	FRONT_FRAME_STOP,      // to the front: uint32_t, milliseconds after which those who are refused may ask again: send no more requests, refuse them instead
	FRONT_FRAME_CLOSE,     // to the front: close, end
	FRONT_FRAME_READY,     // to the core: struct front_ready
	FRONT_FRAME_FAILED,    // to the core: why it cannot serve, in words
	FRONT_FRAME_REQUEST,   // to the core: struct front_request_head, the routing id, the message
	FRONT_FRAME_ATTEMPT,   // to the core: struct attempt
	FRONT_FRAME_BUSY,      // to the core: struct front_busy
	FRONT_FRAME_STOPPED,   // to the core: there is no request behind this one
	FRONT_FRAME_PONG,      // to the core: struct front_counters
	FRONT_FRAME_LIMITS,    // to the front: struct front_limits
	FRONT_FRAME_TYPES
};

struct front_frame {
	enum front_frame_type type;
	const uint8_t *data; // borrowed until the next front_link_fill
	size_t bytes;
};
struct front_part {
	const void *data;
	size_t bytes;
};

struct front_link;

// Takes the descriptor over; it is made non-blocking. NULL when there is no memory: then it is closed.
struct front_link *front_link_new(int fd);
// Wipes what is still there. Accepts NULL.
void front_link_free(struct front_link *link);
int front_link_fd(const struct front_link *link);

// The parts one after another become one frame's payload. False: no memory, or the other end takes nothing any more.
__attribute__((warn_unused_result)) bool front_link_put(struct front_link *link, enum front_frame_type type,
							 const struct front_part *parts, size_t count);
// Writes as much as goes without waiting. False: the other end is gone.
__attribute__((warn_unused_result)) bool front_link_flush(struct front_link *link);
// Whether something is still to be written.
bool front_link_has_unsent(const struct front_link *link);

// Reads what is there, as far as there is room, without waiting. False: the other end is gone, and what it sent before has been
// given out.
__attribute__((warn_unused_result)) bool front_link_fill(struct front_link *link);
enum front_link_next {
	FRONT_LINK_FRAME,
	FRONT_LINK_NOTHING, // no whole one is there
	FRONT_LINK_BROKEN,  // these are no frames
};
__attribute__((warn_unused_result)) enum front_link_next front_link_next(struct front_link *link, struct front_frame *ret);

#endif
