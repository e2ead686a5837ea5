// Whether a child is who an authority says it is: asked of the demographics service that the register names, before anything of a
// publication is stored.
#ifndef CPIS_BROKER_DEMOGRAPHICS_H
#define CPIS_BROKER_DEMOGRAPHICS_H

#include "broker/op.h"

// A publication may wait longer than a nurse.
#define DEMOGRAPHICS_PATIENCE_MS 20000u

// Asks about the number, name and date of birth of at most PUBLISH_RECORDS_MAX records, once for each request: call it before
// anything is written, and in the same way when the request is run again.
//	REASON_NONE          `ret_checked` false: the register names no demographics service, nothing is known; or true, and
//	                     `ret_matches`, which has room for `count`, has one for each record, in their order
//	                     (numbers that are VERIFIED are in use from then on, whatever was announced before: this is
//	                     written, so do not refuse any more)
//	REASON_PARKED        it was asked: the request waits
//	REASON_DEMOGRAPHICS  it did not answer in time, or nobody there may: the authority sends the same again later
//	REASON_STORE, REASON_INTERNAL (the arena is full), REASON_VALUE (names too long to be asked about together)
enum reason demographics_check(struct op_context *context, Cpis__V1__PlanRecord *const *records, size_t count,
			       const Cpis__V1__DemographicsMatch **const ret_matches, bool *ret_checked);

#endif
