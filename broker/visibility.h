// Which plans a care setting sees, by date: a pure rule, evaluated at the time of the query.
//	not withdrawn (delete date), begun, and open or ended at most 12 months ago.
// The 12 months are counted here from the end date, never by the authority (DCB1609).
#ifndef CPIS_BROKER_VISIBILITY_H
#define CPIS_BROKER_VISIBILITY_H

#include <stdbool.h>

#include "proto/cpis.pb-c.h"
#include "proto/date.h"

#define VISIBLE_MONTHS_AFTER_END 12

// Dates are as stored: "" for none. Text that is not a date makes the plan not visible and `ret_sound` false:
// such a plan was never accepted by us, so the caller must not answer "no record".
// PLAN_STATUS_UNSPECIFIED: not visible on `today`.
Cpis__V1__PlanStatus visibility_of(const char *start_date, const char *end_date, const char *delete_date,
				   struct date today, bool *ret_sound);

// The telephone to ring at `now_ms`: the office's Monday to Friday 09:00 to 17:00 English time where the
// authority has one, else the emergency duty team's. Bank holidays are not known here.
const char *visibility_ring_now(const char *emergency_duty, const char *office_hours, uint64_t now_ms,
				bool *ret_office_hours);

#endif
