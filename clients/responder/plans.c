// A neighbouring register's plans in memory, by number.
#include "clients/responder/plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "proto/date.h"
#include "proto/nhs_number.h"
#include "proto/ods_code.h"
#include "proto/text.h"
#include "proto/wire.h"

#define VISIBLE_MONTHS_AFTER_END 12

enum column { NHS_NUMBER, PLAN_TYPE, START_DATE, END_DATE, ORGANISATION, AUTHORITY, EMERGENCY, OFFICE, COLUMNS };
static const char *const columns[COLUMNS] = {"nhs_number",   "plan_type", "start_date",               "end_date",
					     "organisation", "authority", "emergency_duty_telephone", "office_hours_telephone"};

struct plan {
	struct plan *next;           // of the same child
	Cpis__V1__PlanType type;
	struct date start, end;
	bool ends;
	char start_date[11], end_date[11], organisation[ODS_CODE_BYTES_MAX + 1], name[TEXT_BYTES_MAX + 1];
	char emergency[TELEPHONE_BYTES_MAX + 1], office[TELEPHONE_BYTES_MAX + 1];
};

struct child {
	UT_hash_handle hh;
	struct nhs_number number;
	struct plan *plans;
};

struct plans {
	struct child *children;
	Cpis__V1__Plan plan[PLANS_PER_CHILD_MAX], *list[PLANS_PER_CHILD_MAX]; // of the answer
	Cpis__V1__Authority authority[PLANS_PER_CHILD_MAX];
};

static bool is_telephone(const char *text)
{
	return text_is_telephone(text, strlen(text));
}

static const char *read_plan(char *const fields[], struct plan *ret)
{
	struct ods_code ods;
	if (!wire_plan_type_by_name(fields[PLAN_TYPE], &ret->type) ||
	    ret->type == CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED)
		return "plan_type is CPP, LAC or UCPP";
	if (!date_parse(fields[START_DATE], strlen(fields[START_DATE]), &ret->start))
		return "start_date is a date, YYYY-MM-DD";
	ret->ends = fields[END_DATE][0] != '\0';
	if (ret->ends && (!date_parse(fields[END_DATE], strlen(fields[END_DATE]), &ret->end) || ret->end.day < ret->start.day))
		return "end_date is a date that is not before start_date, or empty";
	if (!ods_code_parse(fields[ORGANISATION], strlen(fields[ORGANISATION]), &ods))
		return "organisation is 3 to 12 capital letters and digits";
	if (fields[AUTHORITY][0] == '\0')
		return "authority is missing";
	if (!is_telephone(fields[EMERGENCY]) || (fields[OFFICE][0] != '\0' && !is_telephone(fields[OFFICE])))
		return "a telephone is 3 to 20 digits, spaces, + ( ) -; emergency_duty_telephone is needed";
	snprintf(ret->start_date, sizeof ret->start_date, "%s", fields[START_DATE]);
	snprintf(ret->end_date, sizeof ret->end_date, "%s", fields[END_DATE]);
	snprintf(ret->organisation, sizeof ret->organisation, "%s", ods.text);
	snprintf(ret->name, sizeof ret->name, "%s", fields[AUTHORITY]);
	snprintf(ret->emergency, sizeof ret->emergency, "%s", fields[EMERGENCY]);
	snprintf(ret->office, sizeof ret->office, "%s", fields[OFFICE]);
	return NULL;
}

static struct child *find_or_add(struct plans *plans, const struct nhs_number *number)
{
	struct child *child = NULL;
	HASH_FIND_STR(plans->children, number->digits, child);
	if (child != NULL || (child = calloc(1, sizeof *child)) == NULL)
		return child;
	child->number = *number;
	HASH_ADD_STR(plans->children, number.digits, child);
	return child;
}

static const char *take_row(void *context, char *const fields[])
{
	struct nhs_number number;
	struct plan plan = {0};
	if (nhs_number_parse(fields[NHS_NUMBER], strlen(fields[NHS_NUMBER]), &number) != NHS_NUMBER_OK)
		return "nhs_number is not one";
	const char *fault = read_plan(fields, &plan);
	if (fault != NULL)
		return fault;
	struct child *child = find_or_add(context, &number);
	struct plan *kept = malloc(sizeof *kept);
	if (child == NULL || kept == NULL) {
		free(kept);
		return "out of memory";
	}
	plan.next = child->plans;
	*kept = plan;
	child->plans = kept;
	return NULL;
}

bool plans_load(const char *path, struct plans **ret, char detail[CSV_TABLE_DETAIL_BYTES])
{
	struct plans *plans = calloc(1, sizeof *plans);
	struct csv_table table = {.columns = columns, .column_count = COLUMNS, .row = take_row, .context = plans};
	if (plans == NULL) {
		snprintf(detail, CSV_TABLE_DETAIL_BYTES, "out of memory");
		return false;
	}
	if (!csv_table_read(path, &table, detail)) {
		plans_free(plans);
		return false;
	}
	*ret = plans;
	return true;
}

void plans_free(struct plans *plans)
{
	struct child *child, *next_child;
	if (plans == NULL)
		return;
	HASH_ITER(hh, plans->children, child, next_child) {
		for (struct plan *plan = child->plans, *next; plan != NULL; plan = next) {
			next = plan->next;
			explicit_bzero(plan, sizeof *plan);
			free(plan);
		}
		HASH_DEL(plans->children, child);
		explicit_bzero(child, sizeof *child);
		free(child);
	}
	free(plans);
}

static bool is_visible(const struct plan *plan, struct date today)
{
	return plan->start.day <= today.day &&
	       (!plan->ends || plan->end.day > today.day ||
		today.day <= date_add_months(plan->end, VISIBLE_MONTHS_AFTER_END).day);
}

static void show(struct plans *plans, struct plan *from, size_t number)
{
	Cpis__V1__Authority *authority = &plans->authority[number];
	Cpis__V1__Plan *plan = &plans->plan[number];
	cpis__v1__authority__init(authority);
	cpis__v1__plan__init(plan);
	authority->organisation = from->organisation;
	authority->name = from->name;
	authority->emergency_duty_telephone = from->emergency;
	authority->office_hours_telephone = from->office;
	plan->type = from->type;
	plan->start_date = from->start_date;
	plan->end_date = from->end_date;
	plan->authority = authority;
	plans->list[number] = plan;
}

void plans_answer(struct plans *plans, const Cpis__V1__PlansQuestion *question, uint64_t now_ms,
		  Cpis__V1__ResponderAnswer *ret)
{
	struct date today = english_time_of(now_ms).date;
	struct child *child = NULL;
	size_t count = 0;
	HASH_FIND_STR(plans->children, question->nhs_number, child);
	for (struct plan *plan = child == NULL ? NULL : child->plans; plan != NULL && count < PLANS_PER_CHILD_MAX;
	     plan = plan->next)
		if (is_visible(plan, today))
			show(plans, plan, count++);
	ret->flag = count > 0;
	ret->plans = question->details ? plans->list : NULL;
	ret->n_plans = question->details ? count : 0;
}
