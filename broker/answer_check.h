// Whether a responder's answer can be one to its question: its form, and that it says nothing that cannot be. A signature says
// who answered, not that the answer is of this world.
#ifndef CPIS_BROKER_ANSWER_CHECK_H
#define CPIS_BROKER_ANSWER_CHECK_H

#include "broker/op.h"

// `work` decodes as it was made here. Of plans: those that are visible now, each from an authority that is not ours, with the
// telephone that it needs. Of demographics: one match with a status for each record, and a sex only for who was verified.
bool answer_is_possible(struct op_context *context, const struct responder_post *post, const Cpis__V1__ResponderWork *work,
			const Cpis__V1__ResponderAnswer *answer);

#endif
