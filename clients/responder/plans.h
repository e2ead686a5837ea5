// The plans of a neighbouring register, from a CSV file:
//	nhs_number,plan_type,start_date,end_date,organisation,authority,emergency_duty_telephone,office_hours_telephone
// One line is one plan of one authority of that register: its code (as an ODS code is written) and name, and whom to ring there.
// end_date and office_hours_telephone may be empty.
#ifndef CPIS_RESPONDER_PLANS_H
#define CPIS_RESPONDER_PLANS_H

#include "clients/responder/csv_table.h"
#include "proto/cpis.pb-c.h"

struct plans;

// False with file, line and what is wrong.
__attribute__((warn_unused_result)) bool plans_load(const char *path, struct plans **ret, char detail[CSV_TABLE_DETAIL_BYTES]);
void plans_free(struct plans *plans); // accepts NULL; wipes

// The answer to a question at `now_ms` (UTC): the plans that are visible then. Its parts live until the next call.
void plans_answer(struct plans *plans, const Cpis__V1__PlansQuestion *question, uint64_t now_ms,
		  Cpis__V1__ResponderAnswer *ret);

#endif
