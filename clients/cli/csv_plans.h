// A local authority's file of plans: CSV (RFC 4180, UTF-8, a byte order mark is allowed) with the header
//	nhs_number,plan_type,start_date,end_date,delete_date,local_id,emergency_duty_telephone,office_hours_telephone
// and, where the broker checks them with a demographics service, family_name,given_names,birth_date.
// Columns are found by name, in any order; the first three and emergency_duty_telephone must be there, unknown ones
// are refused. The two telephones are the authority's, not the child's: written in the first row, and in the others
// the same or nothing.
//
// Checked here is what would make the file unreadable. What is wrong with one record is for the broker to say, so
// that every way of publishing is told the same.
#ifndef CPIS_CLI_CSV_PLANS_H
#define CPIS_CLI_CSV_PLANS_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/limits.h"

#define CSV_PLANS_DETAIL_BYTES 300

struct csv_telephones {
	char emergency_duty[TELEPHONE_BYTES_MAX + 1];
	char office_hours[TELEPHONE_BYTES_MAX + 1];
};

// Texts are good during the call only.
struct csv_plan {
	unsigned long line;          // in the file; the header is line 1
	const char *nhs_number, *plan_type, *start_date, *end_date, *delete_date, *local_id;
	const char *family_name, *given_names, *birth_date;
};

// False stops the reading.
typedef bool csv_plans_row(void *context, const struct csv_plan *plan);

// Reads the whole file, row by row, in bounded memory. `row` NULL: only checks. Returns false with
// "<path>:<line>: what is wrong", or false with an empty detail when `row` stopped it.
__attribute__((warn_unused_result)) bool csv_plans_read(const char *path, csv_plans_row *row, void *context,
							struct csv_telephones *ret_telephones, unsigned long *ret_rows,
							char detail[CSV_PLANS_DETAIL_BYTES]);

#endif
