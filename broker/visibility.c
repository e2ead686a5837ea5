// Date rules of what is shown.
#include "broker/visibility.h"

#include <string.h>

#define OFFICE_OPENS_MINUTE (9 * 60)
#define OFFICE_CLOSES_MINUTE (17 * 60)
#define SUNDAY 0
#define SATURDAY 6

static bool read_date(const char *text, bool *ret_given, struct date *ret)
{
	*ret_given = text[0] != '\0';
	return !*ret_given || date_parse(text, strlen(text), ret);
}

struct date visibility_birthday(struct date birth, int years)
{
	char born[11], then[11];
	struct date day = date_add_months(birth, 12 * years);
	date_format(birth, born);
	date_format(day, then);
	return strcmp(born + 8, then + 8) == 0 ? day : (struct date){day.day + 1};
}

static void ends_by(struct visibility *visibility, struct date day)
{
	if (!visibility->ends || day.day < visibility->end.day)
		visibility->end = day;
	visibility->ends = true;
}

static Cpis__V1__PlanStatus status_of(const struct visibility *visibility, struct date start, struct date today)
{
	// One that vanished before it began never did.
	if (start.day > today.day || (visibility->ends && visibility->end.day < start.day))
		return CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
	if (!visibility->ends || visibility->end.day > today.day)
		return CPIS__V1__PLAN_STATUS__CURRENT;
	if (today.day <= date_add_months(visibility->end, VISIBLE_MONTHS_AFTER_END).day)
		return CPIS__V1__PLAN_STATUS__ENDED;
	return CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
}

bool visibility_of(const struct visibility_plan *plan, struct date today, struct visibility *ret)
{
	struct date start, end, withdrawn, birth, vanished;
	bool begins, has_end, is_withdrawn, has_birth, has_vanished;
	*ret = (struct visibility){0};
	if (!read_date(plan->start_date, &begins, &start) || !begins || !read_date(plan->end_date, &has_end, &end) ||
	    !read_date(plan->delete_date, &is_withdrawn, &withdrawn) || !read_date(plan->birth_date, &has_birth, &birth) ||
	    !read_date(plan->vanished_date, &has_vanished, &vanished))
		return false;
	if (has_end)
		ends_by(ret, end);
	if (has_vanished)
		ends_by(ret, vanished);
	if (has_birth && plan->type != CPIS__V1__PLAN_TYPE__UCPP)
		ends_by(ret, visibility_birthday(birth, ADULT_YEARS));
	if (!is_withdrawn)
		ret->status = status_of(ret, start, today);
	return true;
}

const char *visibility_ring_now(const char *emergency_duty, const char *office_hours, uint64_t now_ms,
				bool *ret_office_hours)
{
	struct english_time now = english_time_of(now_ms);
	*ret_office_hours = office_hours[0] != '\0' && now.weekday != SUNDAY && now.weekday != SATURDAY &&
			    now.minute_of_day >= OFFICE_OPENS_MINUTE && now.minute_of_day < OFFICE_CLOSES_MINUTE;
	return *ret_office_hours ? office_hours : emergency_duty;
}
