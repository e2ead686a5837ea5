// Addresses, and what does not lead anywhere.
#include "clients/fhir/route.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients/fhir/metadata.h"
#include "clients/fhir/search.h"

static const struct route {
	bool is_post;
	const char *path;
	void (*answer)(struct call *call);
} routes[] = {
	{false, "/metadata", metadata_show},
	{true, "/Flag/_search", search_flag},
	{true, "/CareTeam/_search", search_care_team},
	{true, "/AuditEvent/_search", search_audit_event},
};

// A search by address would leave the number in the logs of whatever is in between. Ours has none.
static void refuse_get(struct call *call)
{
	visit_answer_header(call->visit, "Allow", "POST");
	call_refuse(call, 405, "not-supported", "METHOD_NOT_ALLOWED", "",
		    "A search is posted to <resource>/_search with its parameters in the body. By GET an NHS number would stand in the address, which servers "
		    "and proxies on the way write into their logs. If you sent one, tell whoever looks after them.");
}

static void answer(struct call *call)
{
	static const char *const resources[] = {"/Flag", "/CareTeam", "/AuditEvent"};
	const char *path = call->visit->path;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (routes[i].is_post == call->visit->is_post && strcmp(routes[i].path, path) == 0) {
			routes[i].answer(call);
			return;
		}
	for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++)
		if (strncmp(path, resources[i], strlen(resources[i])) == 0) {
			refuse_get(call);
			return;
		}
	call_refuse(call, 404, "not-found", "NOT_FOUND", "", "There is nothing here: GET /metadata says what this server can be asked.");
}

void route_call(void *context, unsigned worker, struct visit *visit)
{
	struct facade *facade = context;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct call call = {
		.facade = facade,
		.visit = visit,
		.client = facade->clients[worker],
		.now_ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u,
	};
	if (call_begin(&call))
		answer(&call);
}

void route_afterwards(void *context, unsigned worker)
{
	struct facade *facade = context;
	struct cpis_client *client = facade->clients[worker];
	bool compared;
	if (!cpis_exchange_is_due(client))
		return;
	enum cpis_status status = cpis_exchange_checkpoints(client, NULL, CALL_MS, &compared);
	if (status == CPIS_OK)
		return;
	fprintf(stderr, "cpis-fhir: log_comparison_failed: %s (%s)\n", cpis_status_text(status), cpis_detail(client));
	if (status == CPIS_LOG_FORKED || status == CPIS_LOG_SHORTENED)
		atomic_store(&facade->forked, true);
}
