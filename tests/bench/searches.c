// A reviewer's searches.
#include "tests/bench/searches.h"

#define PAGE 50u

static size_t make(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct searches *searches = context;
	struct town *town = searches->town;
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	(void)connection;
	search.uid = town->seats[searches->made++ % TOWN_NURSES].uid;
	search.limit = PAGE;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	return town_pack(town, town_reviewer_seat(town), &request, out);
}

static void check(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	struct searches *searches = context;
	(void)connection;
	town_check(searches->town, reply, bytes);
}

void searches_init(struct searches *searches, struct town *town)
{
	*searches = (struct searches){.town = town, .target = town_reviewer(town)};
}

struct load_options searches_load(struct searches *searches)
{
	return (struct load_options){&link_curve, &searches->target, 1, make, check, searches};
}
