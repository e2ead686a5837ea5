// Synthetic people as a demographics service knows them, from a CSV file:
//	nhs_number,family_name,given_names,birth_date,sex,status
// sex is female, male, other or unknown; status is active, sensitive, superseded, invalid or deceased. Each number stands once.
#ifndef CPIS_DEMOGRAPHICS_PEOPLE_H
#define CPIS_DEMOGRAPHICS_PEOPLE_H

#include "clients/responder/csv_table.h"
#include "proto/cpis.pb-c.h"

struct people;

// False with file, line and what is wrong.
__attribute__((warn_unused_result)) bool people_load(const char *path, struct people **ret, char detail[CSV_TABLE_DETAIL_BYTES]);
void people_free(struct people *people); // accepts NULL; wipes
size_t people_count(const struct people *people);

// What is said of a record: NO_MATCH, when nobody has the number; NOT_VERIFIED, unless names (clients/demographics/names.h) and
// date of birth are that person's; only then what the number is: SENSITIVE, SUPERSEDED, INVALID, or VERIFIED. Who does not know a
// child learns nothing about its number. Somebody who has died is who they were.
Cpis__V1__DemographicsMatch people_match(const struct people *people, const Cpis__V1__PlanRecord *record);

// Calls back for each number whose standing a broker has to be told: those that are not in use or sensitive now, and those that
// were `before` (may be NULL) and are in use again. In no order that says anything. The callback returns false to stop.
void people_each_change(const struct people *people, const struct people *before,
			bool (*tell)(void *context, const char *nhs_number, Cpis__V1__DemographicsStatus status), void *context);

#endif
