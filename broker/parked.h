// Requests that wait at the edge, as they came, until the core may have an answer to them. In memory only: a broker that
// ends tells them to go elsewhere, and clients ask again by themselves. One thread.
#ifndef CPIS_BROKER_PARKED_H
#define CPIS_BROKER_PARKED_H

#include "broker/front.h"
#include "broker/limits.h"
#include "broker/wait.h"
#include "certs/key.h"

struct parked_request {
	struct parked_request *next, *previous;
	struct front_peer peer;
	uint8_t channel_key[KEY_BYTES];
	struct wait wait;
	uint64_t arrived_ms;          // monotonic, as is the next
	uint64_t until_ms;
	size_t bytes;
	uint8_t data[];
};

struct parked;

__attribute__((warn_unused_result)) bool parked_new(struct parked **ret);
void parked_free(struct parked *parked); // accepts NULL; wipes what is still there

// Copies the request. One of the same system with the same request id is forgotten: this is its retry, and whoever sent it
// waits for one answer. False: there is no room for it, overall or for this system: then it may not wait.
__attribute__((warn_unused_result)) bool parked_put(struct parked *parked, const struct front_peer *peer,
						     const uint8_t channel_key[KEY_BYTES], const struct wait *wait,
						     uint64_t arrived_ms, uint64_t now_ms, const uint8_t *data, size_t bytes);
// Marks those that wait for one of these. The wakes are emptied.
void parked_wake(struct parked *parked, struct wakes *wakes);
// The next one that was woken or whose time is over, taken out: the caller's, to end with parked_request_free. NULL: none.
struct parked_request *parked_take(struct parked *parked, uint64_t now_ms);
// The next one whatever it waits for, taken out; for the end.
struct parked_request *parked_take_any(struct parked *parked);
void parked_request_free(struct parked_request *request); // wipes
size_t parked_count(const struct parked *parked);
// When the next one's time is over; UINT64_MAX: never. Looks through all of them.
uint64_t parked_next_ms(const struct parked *parked);

#endif
