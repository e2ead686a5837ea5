// The monthly report: the broker's records of the month are read page by page and counted, none is kept.
#include "clients/web/month.h"

#include <stdio.h>
#include <string.h>

#include "clients/cli/audit_counts.h"
#include "clients/web/cases.h"
#include "proto/date.h"

#define RECORD_PAGES_MAX 500u // 50,000 records: some seconds of a worker
#define DAYS_MAX 31u
#define FIRST_PEOPLE 10u

struct month {
	struct page *page;
	struct model *model;
	uint64_t from_ms, until_ms;
	struct audit_counts counts;
	uint64_t opened;             // details that were shown
	uint64_t days[DAYS_MAX];
	bool cut;
};

// ------------------------------------------------------------------ which month

// In the month after the last one that dates have there is nothing.
static bool begins(uint32_t month, struct date *ret)
{
	char text[MONTH_BYTES + 3], name[MONTH_BYTES];
	month_format(month, name);
	snprintf(text, sizeof text, "%s-01", name);
	return date_parse(text, strlen(text), ret);
}

static bool read_month(struct month *month)
{
	uint32_t number = instant_month(month->page->now_ms);
	const char *typed = page_field(month->page, "month");
	struct date first, after;
	char name[MONTH_BYTES];
	if ((typed[0] != '\0' && !month_parse(typed, strlen(typed), &number)) || !begins(number, &first) || !begins(number + 1, &after))
		return false;
	month->from_ms = english_midnight_ms(first);
	month->until_ms = english_midnight_ms(after);
	month_format(number, name);
	model_text(month->model, model_root(month->model), "month", name);
	model_instant(month->model, model_root(month->model), "first", month->from_ms);
	return true;
}

// ------------------------------------------------------------------ counting

static void take(struct month *month, const Cpis__V1__AuditEntry *entry)
{
	struct date first = english_time_of(month->from_ms).date, day = english_time_of(entry->time_ms).date;
	audit_counts_take(&month->counts, entry);
	month->opened += entry->outcome == CPIS__V1__OUTCOME__OK && entry->operation == CPIS__V1__OPERATION__DETAILS;
	if (day.day >= first.day && (uint64_t)(day.day - first.day) < DAYS_MAX)
		month->days[day.day - first.day]++;
}

// False: the visit has been answered.
static bool count(struct month *month)
{
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	search.limit = PAGE_ITEMS_MAX;
	search.oldest_first = 1;
	search.from_ms = month->from_ms;
	search.until_ms = month->until_ms;
	month->cut = true;
	for (unsigned pages = 0; month->cut && pages < RECORD_PAGES_MAX; pages++) {
		const Cpis__V1__Reply *reply = NULL;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
		request.audit_search = &search;
		if (!page_call(month->page, &request, &reply))
			return false;
		for (size_t i = 0; i < reply->audit_search->n_entries; i++)
			take(month, reply->audit_search->entries[i]);
		month->cut = reply->audit_search->more;
		search.from_index = reply->audit_search->next_from_index;
		cpis_reply_free(reply);
	}
	return true;
}

// ------------------------------------------------------------------ what the template shows

static void add_number(struct month *month, struct model_node *node, const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	model_attribute(month->model, node, name, text);
}

static void add_value(void *context, const char *group, const char *value, uint64_t records)
{
	struct month *month = context;
	struct model_node *node = model_text(month->model, model_root(month->model), "value", value);
	model_attribute(month->model, node, "group", group);
	add_number(month, node, "records", records);
}

static void add_people(struct month *month)
{
	struct audit_counted_person people[FIRST_PEOPLE];
	size_t found = audit_counts_first_people(&month->counts, people, FIRST_PEOPLE);
	for (size_t i = 0; i < found; i++) {
		if (people[i].children == 0)
			continue;
		struct model_node *node = model_add(month->model, model_root(month->model), "looker");
		model_attribute(month->model, node, "name", people[i].name);
		model_attribute(month->model, node, "role", people[i].role_name);
		add_number(month, node, "children", people[i].children);
		add_number(month, node, "records", people[i].records);
		add_number(month, node, "refused", people[i].refused);
	}
}

static void add_days(struct month *month)
{
	struct date first = english_time_of(month->from_ms).date;
	for (unsigned i = 0; i < DAYS_MAX; i++) {
		if (month->days[i] == 0)
			continue;
		struct model_node *node =
			model_instant(month->model, model_root(month->model), "day", english_midnight_ms((struct date){first.day + (int32_t)i}));
		add_number(month, node, "records", month->days[i]);
	}
}

static void add_totals(struct month *month)
{
	struct model_node *node = model_add(month->model, model_root(month->model), "totals");
	add_number(month, node, "records", month->counts.records);
	add_number(month, node, "refused", month->counts.refused);
	add_number(month, node, "opened", month->opened);
	add_number(month, node, "glass", month->counts.break_glass);
	add_number(month, node, "children", audit_counts_children(&month->counts));
	if (month->cut)
		model_attribute(month->model, node, "cut", "yes");
}

void month_show(struct page *page)
{
	struct month month = {.page = page, .model = page_model(page, "report")};
	if (month.model == NULL)
		return;
	if (!read_month(&month)) {
		model_free(month.model);
		page_say(page, 400, "There is no such month", "A month is written as 2026-11.");
		return;
	}
	audit_counts_init(&month.counts);
	bool counted = count(&month) &&
		       (!page_may(page, "L0202") ||
			cases_add_all(page, month.model, model_root(month.model), month.from_ms, month.until_ms, &month.cut));
	if (counted) {
		add_totals(&month);
		audit_counts_each(&month.counts, add_value, &month);
		add_people(&month);
		add_days(&month);
		page_show(page, "report", month.model, 200);
	} else {
		model_free(month.model);
	}
	audit_counts_done(&month.counts);
}
