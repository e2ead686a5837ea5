// Assurance from the audit log and from what was found in it, followed up as cases.
#include <string.h>

#include "clients/cli/assurance.h"
#include "clients/cli/commands.h"
#include "proto/date.h"
#include "proto/limits.h"

// ------------------------------------------------------------------ accesses

// Why details were asked for is told by the log; counted here is what became of it.
struct looks {
	json_int_t allowed, refused, break_glass, silent, anonymous, erased;
};

static void take_page(struct looks *looks, const Cpis__V1__AuditSearchReply *page)
{
	for (size_t i = 0; i < page->n_entries; i++) {
		const Cpis__V1__AuditEntry *entry = page->entries[i];
		bool done = entry->outcome == CPIS__V1__OUTCOME__OK;
		looks->allowed += done;
		looks->refused += !done;
		looks->erased += entry->erased != 0;
		looks->break_glass += done && entry->detail->break_glass;
		looks->silent += done && entry->detail->access_type == CPIS__V1__ACCESS_TYPE__SCHEDULED;
		looks->anonymous += done && !entry->erased && entry->detail->uid[0] == '\0';
	}
}

static int read_looks(struct assurance *assurance, struct looks *looks, char source[ASSURANCE_SOURCE_BYTES],
		      char why[ASSURANCE_SOURCE_BYTES], bool *ret)
{
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	char from[25], until[25];
	instant_format(assurance->from_ms, from);
	instant_format(assurance->now_ms, until);
	search.operation = CPIS__V1__OPERATION__DETAILS;
	search.from_ms = assurance->from_ms;
	search.until_ms = assurance->now_ms;
	search.limit = PAGE_ITEMS_MAX;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	for (bool more = true; more;) {
		const Cpis__V1__Reply *reply = NULL;
		struct assurance_asker *asker;
		int code = assurance_ask(assurance, ASSURANCE_OWN, &request, &reply, &asker, why);
		*ret = reply != NULL;
		if (code != EXIT_DONE || reply == NULL)
			return code;
		assurance_command(asker, source, "audit search --operation details --from %s --until %s --all", from, until);
		take_page(looks, reply->audit_search);
		more = reply->audit_search->more;
		search.before_index = reply->audit_search->next_before_index;
		cpis_reply_free(reply);
	}
	return EXIT_DONE;
}

int assurance_log(struct assurance *assurance)
{
	struct looks looks = {0};
	char source[ASSURANCE_SOURCE_BYTES] = "", why[ASSURANCE_SOURCE_BYTES];
	bool known = false;
	int code = read_looks(assurance, &looks, source, why, &known);
	if (code != EXIT_DONE)
		return code;
	if (!known) {
		assurance_without(assurance, 1, "accesses to details", why);
		assurance_without(assurance, 4, "accesses that name nobody", why);
		return EXIT_DONE;
	}
	assurance_say(assurance, 1, false, json_integer(looks.allowed), source, "accesses to details of a child");
	assurance_say(assurance, 1, false, json_integer(looks.refused), source, "requests for details that were refused");
	assurance_say(assurance, 1, false, json_integer(looks.break_glass), source, "accesses with the glass broken");
	assurance_say(assurance, 1, false, json_integer(looks.silent), source, "accesses of which the authority was not told (planned care)");
	assurance_say(assurance, 4, looks.anonymous > 0, json_integer(looks.anonymous), source, "accesses that name no member of staff");
	if (looks.erased > 0)
		assurance_say(assurance, 4, false, json_integer(looks.erased), source, "accesses whose record has been erased by retention");
	return EXIT_DONE;
}

// ------------------------------------------------------------------ cases

struct cases {
	json_int_t created, open, overdue, unowned, closed, appropriate, near_miss, breach, near_miss_open;
	json_int_t kinds[5], severities[4];
	uint64_t oldest_ms;
};

static bool in_period(const struct assurance *assurance, uint64_t time_ms)
{
	return time_ms >= assurance->from_ms && time_ms < assurance->now_ms;
}

static void take_case(const struct assurance *assurance, struct cases *cases, const Cpis__V1__Alert *alert)
{
	bool closed = alert->state == CPIS__V1__ALERT_STATE__ALERT_CLOSED;
	if (in_period(assurance, alert->created_ms)) {
		cases->created++;
		if ((unsigned)alert->kind < 5)
			cases->kinds[alert->kind]++;
		if (alert->found != NULL && (unsigned)alert->found->severity < 4)
			cases->severities[alert->found->severity]++;
	}
	if (in_period(assurance, alert->reviewed_ms)) {
		cases->appropriate += alert->finding == CPIS__V1__ALERT_FINDING__APPROPRIATE;
		cases->near_miss += alert->finding == CPIS__V1__ALERT_FINDING__NEAR_MISS;
		cases->breach += alert->finding == CPIS__V1__ALERT_FINDING__BREACH;
	}
	cases->closed += closed && in_period(assurance, alert->closed_ms);
	if (closed)
		return;
	cases->open++;
	cases->unowned += alert->state == CPIS__V1__ALERT_STATE__ALERT_OPEN;
	cases->near_miss_open += alert->finding == CPIS__V1__ALERT_FINDING__NEAR_MISS;
	cases->overdue += alert->created_ms + assurance->open_days * ASSURANCE_DAY_MS < assurance->now_ms;
	if (cases->oldest_ms == 0 || alert->created_ms < cases->oldest_ms)
		cases->oldest_ms = alert->created_ms;
}

static int read_cases(struct assurance *assurance, struct cases *cases, char source[ASSURANCE_SOURCE_BYTES],
		      char why[ASSURANCE_SOURCE_BYTES], bool *ret)
{
	Cpis__V1__AlertListRequest list = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.limit = PAGE_ITEMS_MAX;
	list.include_reviewed = true;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &list;
	for (bool more = true; more;) {
		const Cpis__V1__Reply *reply = NULL;
		struct assurance_asker *asker;
		int code = assurance_ask(assurance, ASSURANCE_OWN, &request, &reply, &asker, why);
		*ret = reply != NULL;
		if (code != EXIT_DONE || reply == NULL)
			return code;
		assurance_command(asker, source, "--json alert list --all");
		more = reply->alert_list->more && reply->alert_list->n_alerts > 0;
		for (size_t i = 0; i < reply->alert_list->n_alerts; i++) {
			take_case(assurance, cases, reply->alert_list->alerts[i]);
			list.after_id = reply->alert_list->alerts[i]->id;
		}
		cpis_reply_free(reply);
	}
	return EXIT_DONE;
}

static void say_cases(struct assurance *assurance, const struct cases *cases, const char *source)
{
	char oldest[11];
	assurance_say(assurance, 5, false, json_integer(cases->created), source, "cases opened in the period");
	assurance_say(assurance, 5, false, json_integer(cases->appropriate), source, "cases decided in the period as appropriate");
	assurance_say(assurance, 5, false, json_integer(cases->near_miss), source, "cases decided in the period as near miss");
	assurance_say(assurance, 5, false, json_integer(cases->breach), source, "cases decided in the period as breach");
	assurance_say(assurance, 5, false, json_integer(cases->closed), source, "cases closed in the period");
	assurance_say(assurance, 5, cases->near_miss_open > 0, json_integer(cases->near_miss_open), source,
		      "near misses of which something is still to be done");
	assurance_say(assurance, 5, false, json_integer(cases->open), source, "cases open now");
	assurance_say(assurance, 5, false, json_integer(cases->unowned), source, "of those open now: given to nobody");
	assurance_say(assurance, 5, cases->overdue > 0, json_integer(cases->overdue), source, "of those open now: older than %llu days",
		      (unsigned long long)assurance->open_days);
	if (cases->oldest_ms != 0) {
		assurance_date(cases->oldest_ms, oldest);
		assurance_say(assurance, 5, false, json_string(oldest), source, "the oldest case that is open");
	}
	assurance_say(assurance, 6, false, json_integer(cases->kinds[CPIS__V1__ALERT_KIND__FINDING]), source,
		      "suspicious uses that detection rules found in the period");
	assurance_say(assurance, 6, false, json_integer(cases->severities[CPIS__V1__SEVERITY__SEVERITY_HIGH]), source,
		      "of those, with high severity");
	assurance_say(assurance, 6, false, json_integer(cases->kinds[CPIS__V1__ALERT_KIND__BREAK_GLASS]), source,
		      "alerts that the glass was broken in the period");
	assurance_say(assurance, 6, false, json_integer(cases->kinds[CPIS__V1__ALERT_KIND__EXTRACT]), source,
		      "emergency extracts taken in the period");
	assurance_say(assurance, 6, false, json_integer(cases->kinds[CPIS__V1__ALERT_KIND__SAMPLE]), source,
		      "accesses chosen by chance for review in the period");
}

int assurance_cases(struct assurance *assurance)
{
	struct cases cases = {0};
	char source[ASSURANCE_SOURCE_BYTES] = "", why[ASSURANCE_SOURCE_BYTES];
	bool known = false;
	int code = read_cases(assurance, &cases, source, why, &known);
	if (code == EXIT_DONE && known) {
		say_cases(assurance, &cases, source);
	} else if (code == EXIT_DONE) {
		assurance_without(assurance, 5, "near misses, breaches and their review", why);
		assurance_without(assurance, 6, "suspicious uses that were found", why);
	}
	return code;
}
