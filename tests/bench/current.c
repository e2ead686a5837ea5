// Inbox, history, search.
#include "tests/bench/current.h"

#include <stdio.h>
#include <string.h>

#include "tests/bench/queries.h"
#include "tests/harness/world_client.h"

#define LAST_LOOKS 1024u // answers come in another order than they were asked for

static bool is_among_last(const struct town *town, const char *number)
{
	uint64_t first = town->hits > LAST_LOOKS ? town->hits - LAST_LOOKS : 0;
	for (uint64_t i = first; i < town->hits; i++)
		if (strcmp(queries_hit(town, i), number) == 0)
			return true;
	return false;
}

static void check_inbox(struct town *town)
{
	struct cpis_client *leeds = world_sign_in(town->world, "leeds");
	const Cpis__V1__Reply *reply = world_inbox(leeds, 0, false);
	link_must(reply->body_case == CPIS__V1__REPLY__BODY_INBOX_LIST, "Leeds's inbox cannot be read");
	uint64_t told = reply->inbox_list->unacknowledged, looks = town->hits + town->looks_beside;
	cpis_reply_free(reply);
	if (town->hits <= town->plans && told != looks)
		fprintf(stderr, "bench: Leeds was told of %llu looks of %llu\n", (unsigned long long)told, (unsigned long long)looks);
	link_must(told > 0 && (town->hits > town->plans || told == looks), "the inbox is not current");
	reply = world_inbox(leeds, told - 1, false); // nothing was acknowledged: ids have no gaps
	link_must(reply->inbox_list->n_items > 0 && reply->inbox_list->items[0]->kind_case == CPIS__V1__INBOX_ITEM__KIND_ACCESS &&
			  is_among_last(town, reply->inbox_list->items[0]->access->nhs_number), "the newest notification is not of a last look");
	cpis_reply_free(reply);
	cpis_close(leeds);
}

static void check_history(struct town *town)
{
	struct cpis_client *nurse = world_sign_in(town->world, "nurse");
	const Cpis__V1__Reply *reply = world_details(nurse, queries_hit(town, town->hits - 1),
						     CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, CPIS__V1__ACCESS_TYPE__UNSCHEDULED);
	link_must(reply->body_case == CPIS__V1__REPLY__BODY_DETAILS && reply->details->n_accesses > 0 &&
			  strcmp(reply->details->accesses[0]->organisation, "RXH") == 0, "the last child's history is not current");
	town->looks_beside++;
	cpis_reply_free(reply);
	cpis_close(nurse);
}

static void check_search(struct town *town)
{
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	struct cpis_client *guardian = world_sign_in(town->world, "guardian");
	search.uid = town->seats[0].uid;
	search.limit = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	const Cpis__V1__Reply *reply = world_call(guardian, &request);
	uint8_t last[REQUEST_ID_BYTES];
	town_request_id(town->seats[0].last_request, last);
	link_must(reply->body_case == CPIS__V1__REPLY__BODY_AUDIT_SEARCH && reply->audit_search->n_entries == 1 &&
			  memcmp(reply->audit_search->entries[0]->request_id.data, last, sizeof last) == 0,
		  "the search index is not current");
	cpis_reply_free(reply);
	cpis_close(guardian);
}

void current_check(struct town *town)
{
	check_inbox(town);
	check_history(town);
	check_search(town);
	printf("inbox, history and search index are current after %llu looks\n", (unsigned long long)town->hits);
	fflush(stdout);
}
