// What is known of one child (or mother): the plans visible now, opened, with their authorities. Shared by the
// silent look (op_flag.c) and the access (op_details.c), so that both always agree.
#ifndef CPIS_BROKER_CHILD_H
#define CPIS_BROKER_CHILD_H

#include "broker/authority_state.h"
#include "broker/limits.h"
#include "broker/op.h"
#include "broker/stored.pb-c.h"

// Said whenever nothing is shown, the same for a number nobody knows.
#define CHILD_NOTICE_NONE \
	"No plan is known here. This is no proof of safety: follow your safeguarding procedure if you have any concern."
#define CHILD_NOTICE_KNOWN "This information supports clinical judgement and does not replace it."

struct child_plan {
	Cpis__Stored__V1__StoredPlan *stored;
	const struct authority_state *authority; // whose plan it is, as it was read with the plan
	Cpis__V1__PlanStatus status;
	char *end_date;               // "" when no end is known: of its record, its vanishing or the 18th birthday
};

struct child {
	struct nhs_number number;
	struct child_plan plans[CHILD_ROWS_MAX]; // visible ones; current first, then the latest start first
	size_t plan_count;
};

// Reads and opens the plans of the number that the request asked about.
// REASON_NHS_NUMBER, REASON_STORE, or REASON_INTERNAL when a stored plan does not open: never "no record".
enum reason child_load(struct op_context *context, const char *nhs_number, struct child *ret);

#endif
