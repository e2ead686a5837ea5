// Rules for one record. Sentences say what to do, and nothing of what is known about anybody.
#include "broker/plan_check.h"

#include <string.h>

#include "broker/limits.h"
#include "broker/visibility.h"

// Whose unborn child a plan can be for.
#define MOTHER_YEARS_MIN 10

static const struct plan_fault no_fault = {CPIS__V1__RECORD_CODE__CPR06, NULL, NULL};

struct plan_fault plan_reject(const char *field, const char *detail)
{
	return (struct plan_fault){CPIS__V1__RECORD_CODE__CPR07, field, detail};
}

// What the dates of a record say.
struct dates {
	struct date start, end, removed, birth;
	bool ends, is_removed;
};

static bool read_optional(const char *text, bool *ret_given, struct date *ret)
{
	*ret_given = text[0] != '\0';
	return !*ret_given || date_parse(text, strlen(text), ret);
}

static struct plan_fault read_dates(const Cpis__V1__PlanRecord *record, struct dates *ret)
{
	if (!date_parse(record->start_date, strlen(record->start_date), &ret->start))
		return plan_reject("start_date", "The start date must be a date, as YYYY-MM-DD.");
	if (!read_optional(record->end_date, &ret->ends, &ret->end))
		return plan_reject("end_date", "The end date must be a date, as YYYY-MM-DD, or empty.");
	if (!read_optional(record->delete_date, &ret->is_removed, &ret->removed))
		return plan_reject("delete_date", "The delete date must be a date, as YYYY-MM-DD, or empty.");
	if (record->birth_date[0] == '\0')
		return plan_reject("birth_date", "The birth date is missing.");
	if (!date_parse(record->birth_date, strlen(record->birth_date), &ret->birth))
		return plan_reject("birth_date", "The birth date must be a date, as YYYY-MM-DD.");
	return no_fault;
}

static struct plan_fault check_order(const struct dates *dates, struct date today)
{
	if (dates->start.day < date_add_months(today, -12 * PLAN_START_YEARS_BACK_MAX).day ||
	    dates->start.day > date_add_months(today, PLAN_START_MONTHS_AHEAD_MAX).day)
		return plan_reject("start_date", "The start date is more than 25 years ago or 12 months ahead.");
	if (dates->ends && dates->end.day < dates->start.day)
		return plan_reject("end_date", "The end date is before the start date.");
	if (dates->ends && dates->end.day > date_add_months(today, 12 * PLAN_END_YEARS_AHEAD_MAX).day)
		return plan_reject("end_date", "The end date is more than 20 years ahead.");
	if (dates->is_removed && dates->removed.day > today.day)
		return plan_reject("delete_date", "The delete date is in the future: a record is withdrawn at once.");
	if (dates->birth.day > today.day)
		return plan_reject("birth_date", "The birth date is in the future.");
	if (dates->start.day < dates->birth.day)
		return plan_reject("start_date", "The start date is before the birth date.");
	return no_fault;
}

static struct plan_fault check_mother(const struct dates *dates)
{
	if (dates->start.day < visibility_birthday(dates->birth, MOTHER_YEARS_MIN).day)
		return plan_reject("birth_date", "A UCPP is held under the mother's number; nobody under 10 is one.");
	if (dates->start.day >= visibility_birthday(dates->birth, PLAN_MOTHER_YEARS_MAX + 1).day)
		return plan_reject("birth_date", "A UCPP is held under the mother's number; nobody over 60 is one.");
	return no_fault;
}

static struct plan_fault check_child(const struct dates *dates, struct date today)
{
	struct date adult = visibility_birthday(dates->birth, ADULT_YEARS);
	if (dates->start.day >= adult.day)
		return plan_reject("start_date", "The start date is not before the 18th birthday: this plan is for children.");
	if (adult.day <= today.day && (!dates->ends || dates->end.day > adult.day))
		return plan_reject("end_date", "This person is 18: give an end date on or before the 18th birthday.");
	return no_fault;
}

static struct plan_fault check_names(const Cpis__V1__PlanRecord *record)
{
	if (record->family_name[0] == '\0')
		return plan_reject("family_name", "The family name is missing.");
	if (record->given_names[0] == '\0')
		return plan_reject("given_names", "The given names are missing.");
	return no_fault;
}

struct plan_fault plan_check(const Cpis__V1__PlanRecord *record, struct date today, struct nhs_number *ret_number)
{
	struct dates dates;
	*ret_number = (struct nhs_number){0};
	enum nhs_number_status number = nhs_number_parse(record->nhs_number, strlen(record->nhs_number), ret_number);
	if (number != NHS_NUMBER_OK)
		return (struct plan_fault){CPIS__V1__RECORD_CODE__CPR04, "nhs_number", nhs_number_status_text(number)};
	if (record->type != CPIS__V1__PLAN_TYPE__CPP && record->type != CPIS__V1__PLAN_TYPE__LAC &&
	    record->type != CPIS__V1__PLAN_TYPE__UCPP)
		return plan_reject("plan_type", "The plan type must be CPP, LAC or UCPP.");
	struct plan_fault fault = read_dates(record, &dates);
	if (fault.field == NULL)
		fault = check_order(&dates, today);
	// What should never have been here may be withdrawn whatever else is wrong with it.
	if (fault.field == NULL && !dates.is_removed)
		fault = record->type == CPIS__V1__PLAN_TYPE__UCPP ? check_mother(&dates) : check_child(&dates, today);
	return fault.field == NULL ? check_names(record) : fault;
}

struct plan_fault plan_check_late_end(const Cpis__V1__PlanRecord *record, struct date today)
{
	struct date end;
	if (record->end_date[0] == '\0' || record->delete_date[0] != '\0' ||
	    !date_parse(record->end_date, strlen(record->end_date), &end) || end.day >= today.day - PLAN_END_DAYS_BACK_MAX)
		return no_fault;
	return plan_reject("end_date", "The end date is more than 365 days ago: send a delete date instead.");
}

struct plan_fault plan_check_match(const Cpis__V1__PlanRecord *record, const Cpis__V1__DemographicsMatch *match)
{
	static const char field[] = "nhs_number";
	switch (match->status) {
	case CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED:
		if (record->type == CPIS__V1__PLAN_TYPE__UCPP && !match->female)
			return plan_reject("plan_type", "A UCPP is held under the mother's number, and this is not a woman's.");
		return no_fault;
	case CPIS__V1__DEMOGRAPHICS_STATUS__NO_MATCH:
		return (struct plan_fault){CPIS__V1__RECORD_CODE__CPR01, field, "Nobody has this NHS number."};
	case CPIS__V1__DEMOGRAPHICS_STATUS__SENSITIVE:
		return (struct plan_fault){CPIS__V1__RECORD_CODE__CPR02, field, "This record must not be in this service."};
	case CPIS__V1__DEMOGRAPHICS_STATUS__SUPERSEDED:
	case CPIS__V1__DEMOGRAPHICS_STATUS__INVALID:
		return (struct plan_fault){CPIS__V1__RECORD_CODE__CPR05, field, "This NHS number is no longer in use."};
	default:
		return (struct plan_fault){CPIS__V1__RECORD_CODE__CPR03, field,
					   "Name or birth date are not those of this NHS number."};
	}
}
