// The table of addresses.
#include "clients/web/route.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients/web/act.h"
#include "clients/web/cases.h"
#include "clients/web/inbox.h"
#include "clients/web/looks.h"
#include "clients/web/month.h"
#include "clients/web/lookup.h"
#include "clients/web/operations.h"
#include "clients/web/presence.h"
#include "clients/web/sign_in.h"

enum who {
	ANYBODY,
	PERSON,       // signed in; else the sign-in page comes in its place
	PROVER,       // on a host that takes proofs, and there alone
};

struct route {
	bool is_post;
	const char *path;
	enum who who;
	void (*answer)(struct page *page);
};

// Where somebody begins: what their role is for.
static void go_home(struct page *page)
{
	static const struct {
		const char *activity, *path;
	} homes[] = {{"B0107", "/lookup"}, {"B0170", "/lookup"}, {"L0102", "/inbox"}, {"L0202", "/audit"},
		     {"L0201", "/audit/search"}, {"L0501", "/operations"}};
	for (size_t i = 0; i < sizeof homes / sizeof *homes; i++)
		if (page_may(page, homes[i].activity)) {
			page_go(page, homes[i].path);
			return;
		}
	page_go(page, "/about");
}

static void show_about(struct page *page)
{
	page_show(page, "about", page_model(page, "about"), 200);
}

static const struct route routes[] = {
	{false, "/", PERSON, go_home},
	{false, "/about", PERSON, show_about},
	{false, "/sign-in", ANYBODY, sign_in_show},
	{true, "/sign-in/passkey/challenge", ANYBODY, sign_in_passkey_challenge},
	{true, "/sign-in/passkey", ANYBODY, sign_in_passkey},
	{true, "/sign-in/certificate", ANYBODY, sign_in_certificate},
	{false, "/sign-in/arrive", ANYBODY, sign_in_arrive},
	{false, "/proof/sign-in", PROVER, sign_in_prove},
	{true, "/sign-out", ANYBODY, sign_in_out},
	{false, "/locked", ANYBODY, sign_in_locked},
	{true, "/stay", PERSON, sign_in_stay},
	{false, "/passkey", ANYBODY, passkey_show},
	{true, "/passkey/request", ANYBODY, passkey_request},
	{true, "/act", PERSON, act_passkey},
	{true, "/act/challenge", PERSON, act_challenge},
	{true, "/proof/act", PROVER, act_prove},
	{false, "/lookup", PERSON, lookup_show},
	{true, "/lookup", PERSON, lookup_ask},
	{true, "/lookup/break-glass", PERSON, lookup_break_glass},
	{false, "/inbox", PERSON, inbox_show},
	{true, "/inbox/acknowledge", PERSON, inbox_acknowledge},
	{true, "/inbox/ask", PERSON, inbox_ask},
	{true, "/inbox/answer", PERSON, inbox_answer},
	{false, "/operations", PERSON, operations_show},
	{false, "/operations/events", PERSON, operations_tell},
	{false, "/audit", PERSON, cases_show},
	{false, "/audit/case", PERSON, cases_show_one},
	{true, "/audit/case/assign", PERSON, cases_assign},
	{true, "/audit/case/note", PERSON, cases_note},
	{true, "/audit/case/outcome", PERSON, cases_outcome},
	{true, "/audit/case/close", PERSON, cases_close},
	{false, "/audit/search", PERSON, looks_show},
	{true, "/audit/search", PERSON, looks_search},
	{false, "/audit/record", PERSON, looks_record},
	{false, "/audit/report", PERSON, month_show},
};

static const struct route *find(const struct visit *visit)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (routes[i].is_post == visit->is_post && strcmp(routes[i].path, visit->path) == 0)
			return &routes[i];
	return NULL;
}

static void answer(struct page *page)
{
	const struct route *route = find(page->visit);
	if (atomic_load(&page->gateway->forked))
		page_say(page, 503, "The audit log cannot be trusted",
			 "This service and others were shown two different audit logs. Nothing is answered until its operators have found out why. Ring "
			 "social care, and tell your privacy officer.");
	else if (route == NULL || (route->who == PROVER) != (page->visit->label[0] != '\0'))
		page_say(page, 404, "There is no such page", "Check the address, or go to the start.");
	else if (route->who == PERSON && page->person == NULL)
		sign_in_show(page);
	else if (route->is_post && route->who != PROVER && !presence_is_our_form(page))
		page_say(page, 403, "Nothing was done", "This form did not come from a page of ours, or it is too old. Open the page again.");
	else
		route->answer(page);
}

void route_visit(void *context, unsigned worker, struct visit *visit)
{
	struct gateway *gateway = context;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct page page = {
		.gateway = gateway,
		.visit = visit,
		.client = gateway->clients[worker],
		.arena = &gateway->arenas[worker],
		.now_ms = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u,
	};
	if (presence_read(&page)) {
		answer(&page);
		presence_write(&page);
	}
	arena_reset(page.arena);
}

void route_afterwards(void *context, unsigned worker)
{
	struct gateway *gateway = context;
	struct cpis_client *client = gateway->clients[worker];
	bool compared;
	if (!cpis_exchange_is_due(client))
		return;
	enum cpis_status status = cpis_exchange_checkpoints(client, NULL, PAGE_CALL_MS, &compared);
	if (status == CPIS_OK)
		return;
	fprintf(stderr, "cpis-web: log_comparison_failed: %s (%s)\n", cpis_status_text(status), cpis_detail(client));
	if (status == CPIS_LOG_FORKED || status == CPIS_LOG_SHORTENED)
		atomic_store(&gateway->forked, true);
}
