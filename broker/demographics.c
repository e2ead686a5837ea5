// The check of numbers, names and birth dates.
#include "broker/demographics.h"

// The register cannot name a demographics service.
enum reason demographics_check(struct op_context *context, Cpis__V1__PlanRecord *const *records, size_t count,
			       const Cpis__V1__DemographicsMatch **const ret_matches, bool *ret_checked)
{
	(void)context, (void)records, (void)count, (void)ret_matches;
	*ret_checked = false;
	return REASON_NONE;
}
