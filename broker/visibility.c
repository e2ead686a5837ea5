// Date rules of what is shown.
#include "broker/visibility.h"

#include <string.h>

#define OFFICE_OPENS_MINUTE (9 * 60)
#define OFFICE_CLOSES_MINUTE (17 * 60)
#define SUNDAY 0
#define SATURDAY 6

Cpis__V1__PlanStatus visibility_of(const char *start_date, const char *end_date, const char *delete_date,
				   struct date today, bool *ret_sound)
{
	struct date start, end, withdrawn;
	*ret_sound = date_parse(start_date, strlen(start_date), &start) &&
		     (end_date[0] == '\0' || date_parse(end_date, strlen(end_date), &end)) &&
		     (delete_date[0] == '\0' || date_parse(delete_date, strlen(delete_date), &withdrawn));
	if (!*ret_sound || delete_date[0] != '\0')
		return CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
	if (start.day > today.day)
		return CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
	if (end_date[0] == '\0' || end.day > today.day)
		return CPIS__V1__PLAN_STATUS__CURRENT;
	if (today.day <= date_add_months(end, VISIBLE_MONTHS_AFTER_END).day)
		return CPIS__V1__PLAN_STATUS__ENDED;
	return CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
}

const char *visibility_ring_now(const char *emergency_duty, const char *office_hours, uint64_t now_ms,
				bool *ret_office_hours)
{
	struct english_time now = english_time_of(now_ms);
	*ret_office_hours = office_hours[0] != '\0' && now.weekday != SUNDAY && now.weekday != SATURDAY &&
			    now.minute_of_day >= OFFICE_OPENS_MINUTE && now.minute_of_day < OFFICE_CLOSES_MINUTE;
	return *ret_office_hours ? office_hours : emergency_duty;
}
