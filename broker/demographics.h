// Are the NHS numbers of these records really those children's? Asked of the organisation that the register names for it,
// which has the demographics service behind it.
#ifndef CPIS_BROKER_DEMOGRAPHICS_H
#define CPIS_BROKER_DEMOGRAPHICS_H

#include "broker/op.h"

// REASON_NONE: `*ret_checked` false when no such organisation is named, else true and `ret_matches`,
// which has room for `count`, has one match for each record. REASON_PARKED:
// the question has been put and the request must wait: return it at once, having written nothing; it comes again with
// its ticket. REASON_DEMOGRAPHICS: no answer came in time.
enum reason demographics_check(struct op_context *context, Cpis__V1__PlanRecord *const *records, size_t count,
			       const Cpis__V1__DemographicsMatch **const ret_matches, bool *ret_checked);

#endif
