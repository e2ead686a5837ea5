// Somebody who can ask any of several brokers of one service: who is not answered by the one asks the next, with the same request
// id. All that the cluster's load does goes through here, so that it ends here too when the library does this by itself.
#ifndef CPIS_TESTS_CLUSTER_BROKERS_H
#define CPIS_TESTS_CLUSTER_BROKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/libcpis/cpis.h"
#include "proto/wire.h"

#define BROKERS_COUNT_MAX 8u
#define BROKERS_ATTEMPT_MS 2000u

struct broker_place {
	char name[80], endpoint[80], certificate[200];
};
// As service.sh lays it out. The list, brokers.list, has in each line a broker's name, endpoint and certificate.
struct brokers {
	const char *directory;
	struct broker_place places[BROKERS_COUNT_MAX];
	size_t count;
};
// False, and a line on standard error, when the list cannot be read.
bool brokers_read(const char *directory, struct brokers *ret);

// One thread's. The texts are borrowed.
struct asker {
	const struct brokers *brokers;
	const char *system, *person, *role;
	struct cpis_client *clients[BROKERS_COUNT_MAX]; // NULL: not connected
	bool in_session[BROKERS_COUNT_MAX];
	size_t current;             // who answered last
	unsigned long sent, retried; // attempts, and those after the first of a request
};
void asker_init(struct asker *asker, const struct brokers *brokers, const char *system, const char *person, const char *role);
// Disconnects from all; the counts stay.
void asker_done(struct asker *asker);

enum asked {
	ASKED_ANSWERED, // OK, with a receipt
	ASKED_REFUSED,  // the broker's no: outcome and reason are in the reply
	ASKED_NOTHING,  // no answer, or "not now"
	ASKED_BROKEN,   // a reply that must not be: told on standard error
};
// One attempt at the current broker, with a session where there is none yet. An act is signed. *ret is NULL, or to be freed with
// cpis_reply_free.
enum asked asker_try(struct asker *asker, Cpis__V1__Request *request, bool is_act, const uint8_t id[REQUEST_ID_BYTES], uint32_t attempt_ms,
		     const Cpis__V1__Reply **ret);
// Until there is an answer or a no, at one broker after the other, for `patience_ms`. An act is signed anew for each broker and
// stays the same act.
enum asked asker_ask(struct asker *asker, Cpis__V1__Request *request, bool is_act, const uint8_t id[REQUEST_ID_BYTES], uint32_t patience_ms,
		     const Cpis__V1__Reply **ret);

void asker_new_id(uint8_t ret[REQUEST_ID_BYTES]);
uint64_t asker_now_ms(void); // monotonic
// For so long, or until the descriptor can be read; true when it can.
bool asker_wait(int stop, uint32_t wait_ms);

#endif
