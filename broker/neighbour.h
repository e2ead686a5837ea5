// What a neighbouring register knows of a child whose number is in its range: asked by FLAG and DETAILS beside what is known
// here.
#ifndef CPIS_BROKER_NEIGHBOUR_H
#define CPIS_BROKER_NEIGHBOUR_H

#include "broker/op.h"

// Whoever looks waits no longer than this for somebody else's register.
#define NEIGHBOUR_PATIENCE_MS 5000u

struct neighbour {
	const struct organisation *organisation; // NULL: the number is in nobody's range
	bool available;                          // it answered; with an organisation
	bool flag;
	Cpis__V1__Plan **plans;                  // with details; status and whom to ring now are filled in
	size_t plan_count;
};

// REASON_NONE, REASON_PARKED, REASON_INTERNAL. Writes nothing. When it could not be asked, the audit record will say so.
enum reason neighbour_ask(struct op_context *context, const struct nhs_number *number, bool details, struct neighbour *ret);

// Tells that organisation that plans of its answer were shown, if any were; it knows which authority of its own to tell.
// REASON_NONE or REASON_STORE.
enum reason neighbour_notify(struct op_context *context, const struct neighbour *neighbour, Cpis__V1__Access *access);

// For the reply: the sentence for display, and the names of those that did not answer (NULL when all did). False: the arena is
// full.
struct neighbour_words {
	char *notice;
	char **not_available_from;
	size_t not_available_count;
};
__attribute__((warn_unused_result)) bool neighbour_words(struct op_context *context, const struct neighbour *neighbour,
							  bool known, struct neighbour_words *ret);

#endif
