// Which plans a care setting sees, by date: a pure rule, evaluated at the time of the query.
//	not withdrawn (delete date), begun, and open or ended at most 12 months ago.
// A plan ends on the earliest of: its end date; the date of the full file in which it was missing; and, but for UCPP, whose
// subject may be an adult, the 18th birthday. One that ends before it begins is never visible. On the day on which it ends it has ended. The 12 months are counted here from
// that day, never by the authority (DCB1609).
#ifndef CPIS_BROKER_VISIBILITY_H
#define CPIS_BROKER_VISIBILITY_H

#include <stdbool.h>

#include "proto/cpis.pb-c.h"
#include "proto/date.h"

#define VISIBLE_MONTHS_AFTER_END 12
#define ADULT_YEARS 18

// Dates are as stored: "" for none.
struct visibility_plan {
	Cpis__V1__PlanType type;
	const char *start_date, *end_date, *delete_date, *birth_date, *vanished_date;
};

struct visibility {
	Cpis__V1__PlanStatus status; // PLAN_STATUS_UNSPECIFIED: not visible on that day
	bool ends;                   // there is a day on which it ends, past or to come
	struct date end;
};

// False when a text is not a date: such a plan was never accepted by us, so the caller must not answer "no record".
__attribute__((warn_unused_result)) bool visibility_of(const struct visibility_plan *plan, struct date today,
						       struct visibility *ret);

// The day on which somebody becomes so old. Born on 29 February: in other years on 1 March, as the law counts it.
struct date visibility_birthday(struct date birth, int years);

// The telephone to ring at `now_ms`: the office's Monday to Friday 09:00 to 17:00 English time where the
// authority has one, else the emergency duty team's. Bank holidays are not known here.
const char *visibility_ring_now(const char *emergency_duty, const char *office_hours, uint64_t now_ms,
				bool *ret_office_hours);

#endif
