// Whom of several brokers one call asks, one after the other, and how long each has. Decides without sockets and without a clock.
// Internal to libcpis.
//
// One is asked at a time. It has a short time to let us in, and a short one to answer; then the same request goes to the next, while an
// answer of the one before is still taken. When each had its turn nobody is asked for a while, which is longer each time and in part
// chance (backoff.h), and the next round begins. With one broker there is nothing to turn to: it has all the time there is to let us in,
// and is asked again after ROTATION_SILENCE_MS.
#ifndef CPIS_LIBCPIS_ROTATION_H
#define CPIS_LIBCPIS_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROTATION_MAX 16u
// To connect: some round trips, also a long way off. Who is slower is not given up: its connection is ready when its turn comes again.
#define ROTATION_CONNECT_MS 300u
// To answer, in the first round; twice as long in each further one. A broker at work takes some milliseconds, and asking another one
// costs an audit record and nothing else.
#define ROTATION_ANSWER_MS 500u
// The most, and what the last of a round has: with nobody left to turn to, another request would only be work.
#define ROTATION_SILENCE_MS 2000u
#define ROTATION_REST_MS 100u        // the least, between two rounds

// All times are of one clock that only goes forward, in ms.
struct rotation {
	size_t count;
	size_t at;                   // whose turn it is, or will be after the rest
	uint32_t refused;            // a bit for each that does not let us in, or was left out: not asked again
	size_t left;                 // who have their turn after this one in this round
	unsigned rounds;             // after how many there was a rest
	uint32_t retry_after_ms;     // the longest that one of this round asked not to be asked for; 0: none did
	uint64_t end_ms;             // of the call
	uint64_t until_ms;           // the turn or the rest ends
	bool resting;
};

// `count` 1 to ROTATION_MAX; the turn of `at` begins.
void rotation_begin(struct rotation *rotation, size_t count, size_t at, uint64_t now_ms, uint64_t end_ms);
// This one is not asked in this call: another than the first one, before anything else.
void rotation_leave_out(struct rotation *rotation, size_t number, uint64_t now_ms);
// The request has been sent to the one whose turn it is, and asks it to wait for up to `wait_ms` before it answers.
void rotation_sent(struct rotation *rotation, uint32_t wait_ms, uint64_t now_ms);
// The turn is over: no connection, no answer, or one that says to come back after `retry_after_ms` (0: it does not say). `random` is
// uniform. Afterwards it is another one's turn, or there is a rest.
void rotation_next(struct rotation *rotation, uint32_t retry_after_ms, uint32_t random, uint64_t now_ms);
// The same, and for this call it is not asked again. False: there is nobody else.
bool rotation_refuse(struct rotation *rotation, uint32_t random, uint64_t now_ms);
// What the time brings: true when a turn begins. When a rest ends, or a turn with nothing to show for it (which is then as
// rotation_next, and may have begun a rest).
bool rotation_tick(struct rotation *rotation, uint32_t random, uint64_t now_ms);

#endif
