// What one record of a publication must be. Pure rules: no store, and today is a parameter.
#ifndef CPIS_BROKER_PLAN_CHECK_H
#define CPIS_BROKER_PLAN_CHECK_H

#include <stdbool.h>

#include "proto/cpis.pb-c.h"
#include "proto/date.h"
#include "proto/nhs_number.h"

// Why a record is not stored: which field, and a sentence. NULL field: it is fine.
struct plan_fault {
	Cpis__V1__RecordCode code;
	const char *field;
	const char *detail;
};

// CPR07, "not stored", with where and why.
struct plan_fault plan_reject(const char *field, const char *detail);

// The record's number, when it is one, is written whatever else is wrong with it; `ret_number->digits` is empty otherwise.
struct plan_fault plan_check(const Cpis__V1__PlanRecord *record, struct date today, struct nhs_number *ret_number);
// An end that was long ago and is news: not part of plan_check, because it may be what is held already.
struct plan_fault plan_check_late_end(const Cpis__V1__PlanRecord *record, struct date today);
// What the demographics service says of it.
struct plan_fault plan_check_match(const Cpis__V1__PlanRecord *record, const Cpis__V1__DemographicsMatch *match);

#endif
