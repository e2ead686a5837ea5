// People in memory, by number.
#include "clients/demographics/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "clients/demographics/names.h"
#include "proto/date.h"
#include "proto/nhs_number.h"

enum column { NHS_NUMBER, FAMILY_NAME, GIVEN_NAMES, BIRTH_DATE, SEX, STATUS, COLUMNS };
static const char *const columns[COLUMNS] = {"nhs_number", "family_name", "given_names", "birth_date", "sex", "status"};

static const struct {
	const char *word;
	Cpis__V1__DemographicsStatus status;
} statuses[] = {
	{"active", CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED},
	{"deceased", CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED},
	{"sensitive", CPIS__V1__DEMOGRAPHICS_STATUS__SENSITIVE},
	{"superseded", CPIS__V1__DEMOGRAPHICS_STATUS__SUPERSEDED},
	{"invalid", CPIS__V1__DEMOGRAPHICS_STATUS__INVALID},
};
static const char *const sexes[] = {"female", "male", "other", "unknown"};

struct person {
	UT_hash_handle hh;
	struct nhs_number number;
	Cpis__V1__DemographicsStatus status;
	bool female;
	char birth_date[11];
	char *given;                 // in `names`, behind the family name
	char names[];                // both, each NUL-terminated
};

struct people {
	struct person *all;
};

static bool read_status(const char *word, Cpis__V1__DemographicsStatus *ret)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		if (strcmp(statuses[i].word, word) != 0)
			continue;
		*ret = statuses[i].status;
		return true;
	}
	return false;
}

static bool is_sex(const char *word)
{
	for (size_t i = 0; i < sizeof sexes / sizeof sexes[0]; i++)
		if (strcmp(sexes[i], word) == 0)
			return true;
	return false;
}

static const char *check(char *const fields[])
{
	struct nhs_number number;
	struct date date;
	char folded[NAMES_FOLDED_BYTES];
	if (nhs_number_parse(fields[NHS_NUMBER], strlen(fields[NHS_NUMBER]), &number) != NHS_NUMBER_OK)
		return "nhs_number is not one";
	if (!names_fold(fields[FAMILY_NAME], strlen(fields[FAMILY_NAME]), folded) ||
	    !names_fold(fields[GIVEN_NAMES], strlen(fields[GIVEN_NAMES]), folded))
		return "family_name or given_names has no letters";
	if (!date_parse(fields[BIRTH_DATE], strlen(fields[BIRTH_DATE]), &date))
		return "birth_date is a date, YYYY-MM-DD";
	return is_sex(fields[SEX]) ? NULL : "sex is female, male, other or unknown";
}

static struct person *find(const struct people *people, const char *nhs_number)
{
	struct person *person = NULL;
	HASH_FIND_STR(people->all, nhs_number, person);
	return person;
}

static const char *take_row(void *context, char *const fields[])
{
	struct people *people = context;
	Cpis__V1__DemographicsStatus status;
	const char *fault = check(fields);
	if (fault != NULL)
		return fault;
	if (!read_status(fields[STATUS], &status))
		return "status is active, sensitive, superseded, invalid or deceased";
	if (find(people, fields[NHS_NUMBER]) != NULL)
		return "this nhs_number stands twice";
	size_t family_bytes = strlen(fields[FAMILY_NAME]) + 1, given_bytes = strlen(fields[GIVEN_NAMES]) + 1;
	struct person *person = calloc(1, sizeof *person + family_bytes + given_bytes);
	if (person == NULL)
		return "out of memory";
	person->status = status;
	person->female = strcmp(fields[SEX], "female") == 0;
	memcpy(person->number.digits, fields[NHS_NUMBER], sizeof person->number.digits);
	memcpy(person->birth_date, fields[BIRTH_DATE], sizeof person->birth_date);
	person->given = person->names + family_bytes;
	memcpy(person->names, fields[FAMILY_NAME], family_bytes);
	memcpy(person->given, fields[GIVEN_NAMES], given_bytes);
	HASH_ADD_STR(people->all, number.digits, person);
	return NULL;
}

bool people_load(const char *path, struct people **ret, char detail[CSV_TABLE_DETAIL_BYTES])
{
	struct people *people = calloc(1, sizeof *people);
	struct csv_table table = {.columns = columns, .column_count = COLUMNS, .row = take_row, .context = people};
	if (people == NULL) {
		snprintf(detail, CSV_TABLE_DETAIL_BYTES, "out of memory");
		return false;
	}
	if (!csv_table_read(path, &table, detail)) {
		people_free(people);
		return false;
	}
	*ret = people;
	return true;
}

void people_free(struct people *people)
{
	if (people == NULL)
		return;
	for (struct person *person = people->all, *next; person != NULL; person = next) {
		size_t bytes = (size_t)(person->given - (char *)person) + strlen(person->given);
		next = person->hh.next;
		HASH_DEL(people->all, person);
		explicit_bzero(person, bytes);
		free(person);
	}
	free(people);
}

size_t people_count(const struct people *people)
{
	return HASH_COUNT(people->all);
}

Cpis__V1__DemographicsMatch people_match(const struct people *people, const Cpis__V1__PlanRecord *record)
{
	Cpis__V1__DemographicsMatch match = CPIS__V1__DEMOGRAPHICS_MATCH__INIT;
	const struct person *person = find(people, record->nhs_number);
	if (person == NULL) {
		match.status = CPIS__V1__DEMOGRAPHICS_STATUS__NO_MATCH;
	} else if (strcmp(person->birth_date, record->birth_date) != 0 ||
		   names_match(person->names, person->given, record->family_name, record->given_names) == NAMES_DIFFER) {
		match.status = CPIS__V1__DEMOGRAPHICS_STATUS__NOT_VERIFIED;
	} else {
		match.status = person->status;
		match.female = person->female && person->status == CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED;
	}
	return match;
}

static bool is_active(const struct person *person)
{
	return person->status == CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED;
}

void people_each_change(const struct people *people, const struct people *before,
			bool (*tell)(void *context, const char *nhs_number, Cpis__V1__DemographicsStatus status), void *context)
{
	bool more = true;
	for (const struct person *person = people->all; person != NULL && more; person = person->hh.next) {
		const struct person *was = before == NULL ? NULL : find(before, person->number.digits);
		if (!is_active(person) || (was != NULL && !is_active(was)))
			more = tell(context, person->number.digits, person->status);
	}
}
