// Whether a responder's answer can be one to its question: its form, and that it says nothing that cannot be. A signature says
// who answered, not that the answer is of this world.
#ifndef CPIS_BROKER_ANSWER_CHECK_H
#define CPIS_BROKER_ANSWER_CHECK_H

#include "broker/op.h"
#include "proto/date.h"

// `work` decodes as it was made here. Of plans: those that are visible now, each from an authority that is not ours, with the
// telephone that it needs. Of demographics: one match with a status for each record, and a sex only for who was verified.
bool answer_is_possible(struct op_context *context, const struct responder_post *post, const Cpis__V1__ResponderWork *work,
			const Cpis__V1__ResponderAnswer *answer);

// What a neighbour's plan is on this day, by its dates alone: begun, and open or ended at most 12 months ago. UNSPECIFIED: it is
// not to be shown, or its dates cannot be.
Cpis__V1__PlanStatus answer_plan_status(const Cpis__V1__Plan *plan, struct date today);

#endif
