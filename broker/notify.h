// Who is told of a look at details: each authority whose plan was shown, of its own plans only.
#ifndef CPIS_BROKER_NOTIFY_H
#define CPIS_BROKER_NOTIFY_H

#include "broker/access.h"
#include "broker/child.h"
#include "broker/inbox.h"

// A look at details: of its child's plans the first `shown`.
struct notify_look {
	const struct child *child;
	size_t shown;
	Cpis__V1__Access *access;
	const struct access_history *earlier;  // looks before this one
};

// Tells the authorities of the plans that were shown, in the current batch, and names in `stored` whom. Not told: an authority
// that was told of the same person's look at this child, from the same organisation, within its `same_look_minutes`; unless the
// glass was broken. What is not urgent is held back for the hour's digest where the authority wants one. Urgent is a look for
// which the glass was broken, and one from unscheduled care at a child for whom this authority has a current plan.
// REASON_NONE or REASON_STORE; REASON_INTERNAL before anything is written.
enum reason notify_authorities(struct op_context *context, const struct notify_look *look,
			       Cpis__Stored__V1__StoredAccess *stored);

// Whether an earlier one of these plans is of the same authority.
bool notify_named_before(const struct child *child, size_t number);

#endif
