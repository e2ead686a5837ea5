// Questions, cheaply made.
#include "tests/bench/queries.h"

// Far apart in the register, so that the cache does not know them.
#define STRIDE 7919u

const char *queries_hit(const struct town *town, uint64_t look)
{
	return town->numbers[look * STRIDE % town->plans];
}

static size_t make(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct queries *queries = context;
	struct town *town = queries->town;
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (queries->made++ % 20 < queries->hits_of_20) {
		details.nhs_number = (char *)(uintptr_t)queries_hit(town, town->hits++);
		details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
		request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
		request.details = &details;
	} else {
		flag.nhs_number = town->numbers[town->plans + queries->made * STRIDE % TOWN_MISSES];
		flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
		request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
		request.flag = &flag;
	}
	return town_pack(town, connection % TOWN_NURSES, &request, out);
}

static void check(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	struct queries *queries = context;
	(void)connection;
	town_check(queries->town, reply, bytes);
}

void queries_init(struct queries *queries, struct town *town, unsigned hits_of_20)
{
	*queries = (struct queries){.town = town, .hits_of_20 = hits_of_20, .target = town_nurses(town)};
}

struct load_options queries_load(struct queries *queries, unsigned connections)
{
	return (struct load_options){&link_curve, &queries->target, connections, make, check, queries};
}
