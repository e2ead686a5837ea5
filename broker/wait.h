// Requests that wait for something: an inbox item, work for a responder, a responder's answer. A handler that finds nothing
// yet returns REASON_PARKED and says what for; the edge keeps the request, unanswered and unrecorded, and submits it again
// when that has happened or its time is over. Everything about it is checked anew then: whoever was held back meanwhile gets
// nothing.
#ifndef CPIS_BROKER_WAIT_H
#define CPIS_BROKER_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"
#include "proto/limits.h"

// What a request waits for. Keys are hashes: two that meet wake each other's requests for nothing, and they wait again.
struct wait {
	uint64_t key;
	uint64_t ticket;   // given back to the handler with the request; 0: none
	uint32_t wait_ms;  // from now on at the longest
	uint8_t request_id[REQUEST_ID_BYTES]; // by which a retry is known; core.c fills it in
};

enum wait_kind {
	WAIT_INBOX,        // an item in this inbox; the name is "BOX ODS"
	WAIT_WORK,         // work for the responders of this organisation; the name is its ODS code
	WAIT_ANSWER,       // the answer to a piece of work; the name is its id
};
uint64_t wait_key(enum wait_kind kind, const void *name, size_t name_bytes);

// What has happened since it was last looked at. Too much at once wakes everybody.
struct wakes {
	uint64_t keys[WAKES_MAX];
	size_t count;
	bool everybody;
};
void wakes_add(struct wakes *wakes, uint64_t key);

#endif
