// NHS numbers that are no longer in use, or are sensitive now, as the demographics organisation announced them. What is held
// under such a number is not shown, and what is asked about it is answered as for a number that nobody knows.
#ifndef CPIS_BROKER_INACTIVE_H
#define CPIS_BROKER_INACTIVE_H

#include "broker/op.h"

// Whether this number is not in use. REASON_NONE or REASON_STORE.
enum reason inactive_holds(struct op_context *context, const struct store_tag *subject, bool *ret);

// What the number is from now on: SENSITIVE, SUPERSEDED, INVALID, or VERIFIED, which makes it active again. Each authority that
// holds a plan under a number that has become inactive gets one notice, the same for each status: it does not say why.
// The same again tells only those that were not told before. REASON_NONE, REASON_STORE.
enum reason inactive_set(struct op_context *context, const struct nhs_number *number, Cpis__V1__DemographicsStatus status,
			 bool *ret_changed);

#endif
