// Searches of the audit log, for pages.
#include "clients/web/looks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/web/form.h"
#include "proto/audit_entry.h"
#include "proto/audit_record.h"
#include "proto/date.h"
#include "proto/nhs_number.h"
#include "proto/text.h"

#define SEARCH_RECORDS_MAX 1000u // of one timeline
#define CALLS_MAX 100u           // a page of a search may be empty
#define DAY_MS (24ull * 3600u * 1000u)
#define PERIOD_DAYS 7

// ------------------------------------------------------------------ following a search

struct following {
	struct page *page;
	struct model *model;
	struct model_node *node;
	uint64_t from_ms, until_ms;
	size_t count, count_max;
};

// Where the chart has it: @x of 1,000 across the period, @y the minute of the day; @kind what became of it.
static void place(struct following *following, struct model_node *node, const Cpis__V1__AuditEntry *entry)
{
	char text[24];
	uint64_t across = following->until_ms > following->from_ms ? following->until_ms - following->from_ms : 1;
	snprintf(text, sizeof text, "%llu", (unsigned long long)((entry->time_ms - following->from_ms) * 1000u / across));
	model_attribute(following->model, node, "x", text);
	snprintf(text, sizeof text, "%u", english_time_of(entry->time_ms).minute_of_day);
	model_attribute(following->model, node, "y", text);
	const Cpis__V1__AuditDetail *detail = entry->detail;
	const char *kind = entry->outcome != CPIS__V1__OUTCOME__OK		       ? "refused"
			   : detail != NULL && detail->break_glass		       ? "glass"
			   : detail != NULL && entry->operation == CPIS__V1__OPERATION__DETAILS ? (detail->notified ? "opened" : "silent")
										       : "asked";
	model_attribute(following->model, node, "kind", kind);
}

static void take(struct following *following, const Cpis__V1__AuditSearchReply *found)
{
	for (size_t i = 0; i < found->n_entries && following->count < following->count_max; i++) {
		struct model_node *node = model_message(following->model, following->node, "entry", &found->entries[i]->base);
		place(following, node, found->entries[i]);
		following->count++;
	}
}

// False: the visit has been answered. `ret_cut`: there are more than the bound.
static bool follow(struct following *following, Cpis__V1__AuditSearchRequest *search, bool *ret_cut)
{
	bool more = true;
	unsigned calls = 0;
	search->limit = PAGE_ITEMS_MAX;
	search->oldest_first = 1;
	search->from_ms = following->from_ms;
	search->until_ms = following->until_ms;
	while (more && following->count < following->count_max && calls++ < CALLS_MAX) {
		const Cpis__V1__Reply *reply = NULL;
		Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
		request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
		request.audit_search = search;
		if (!page_call(following->page, &request, &reply))
			return false;
		take(following, reply->audit_search);
		more = reply->audit_search->more;
		search->from_index = reply->audit_search->next_from_index;
		cpis_reply_free(reply);
	}
	*ret_cut = more;
	return true;
}

// ------------------------------------------------------------------ the timeline

struct question {
	const char *uid;
	struct nhs_number number;
	bool has_number;
	uint64_t from_ms, until_ms;
	const char *uid_problem, *number_problem, *from_problem;
};

static bool read_day(const char *text, struct date *ret)
{
	return date_parse(text, strlen(text), ret);
}

static void read_period(const struct page *page, struct question *question)
{
	struct date from, until;
	struct date today = english_time_of(page->now_ms).date;
	const char *from_text = page_field(page, "from"), *until_text = page_field(page, "until");
	bool read = from_text[0] == '\0' || read_day(from_text, &from);
	read = (until_text[0] == '\0' || read_day(until_text, &until)) && read;
	if (!read) {
		question->from_problem = "Enter days that exist";
		return;
	}
	if (until_text[0] == '\0')
		until = today;
	if (from_text[0] == '\0')
		from = (struct date){until.day - PERIOD_DAYS + 1};
	if (from.day > until.day || until.day - from.day > 30)
		question->from_problem = "The period is at most 31 days, and ends after it begins";
	question->from_ms = english_midnight_ms(from);
	question->until_ms = english_midnight_ms((struct date){until.day + 1});
}

static bool read_question(const struct page *page, struct question *ret)
{
	memset(ret, 0, sizeof *ret);
	const char *number = page_field(page, "nhs_number");
	ret->uid = page_field(page, "uid");
	if (ret->uid[0] != '\0' && !text_is_digits(ret->uid, strlen(ret->uid), UID_DIGITS))
		ret->uid_problem = "A staff number has 12 digits";
	ret->has_number = number[0] != '\0';
	enum nhs_number_status status = ret->has_number ? nhs_number_parse_typed(number, strlen(number), &ret->number) : NHS_NUMBER_OK;
	if (status != NHS_NUMBER_OK)
		ret->number_problem = nhs_number_status_text(status);
	if (ret->uid[0] == '\0' && !ret->has_number)
		ret->uid_problem = "Enter a person's staff number, or a child's NHS number";
	read_period(page, ret);
	return ret->uid_problem == NULL && ret->number_problem == NULL && ret->from_problem == NULL;
}

static void add_typed(const struct page *page, struct model *model, const char *name, const char *problem)
{
	struct model_node *node = model_text(model, model_root(model), name, page_field(page, name));
	if (problem != NULL)
		model_attribute(model, node, "problem", problem);
}

static struct model *form(struct page *page, const struct question *question)
{
	struct model *model = page_model(page, "looks");
	if (model == NULL)
		return NULL;
	add_typed(page, model, "uid", question == NULL ? NULL : question->uid_problem);
	add_typed(page, model, "nhs_number", question == NULL ? NULL : question->number_problem);
	add_typed(page, model, "from", question == NULL ? NULL : question->from_problem);
	add_typed(page, model, "until", NULL);
	return model;
}

void looks_show(struct page *page)
{
	page_show(page, "looks", form(page, NULL), 200);
}

void looks_search(struct page *page)
{
	struct question question;
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	bool right = read_question(page, &question), cut = false;
	struct model *model = form(page, &question);
	if (model == NULL || !right) {
		page_show(page, "looks", model, 400);
		return;
	}
	struct following following = {.page = page, .model = model, .from_ms = question.from_ms, .until_ms = question.until_ms,
				      .count_max = SEARCH_RECORDS_MAX};
	following.node = model_add(model, model_root(model), "found");
	model_attribute(model, following.node, "by", question.has_number ? "child" : "person");
	search.uid = (char *)(uintptr_t)question.uid;
	if (question.has_number)
		search.nhs_number = question.number.digits;
	if (!follow(&following, &search, &cut)) {
		model_free(model);
		return;
	}
	if (cut)
		model_attribute(model, following.node, "cut", "yes");
	model_instant(model, following.node, "first", question.from_ms);
	model_instant(model, following.node, "last", question.until_ms - 1);
	page_show(page, "looks", model, 200);
}

// ------------------------------------------------------------------ one record

// In a checkpoint's note the second line is its size. 0: there is none.
static uint64_t size_of(const char *note)
{
	const char *line = strchr(note, '\n');
	return line == NULL ? 0 : strtoull(line + 1, NULL, 10);
}

// Of this record, and not of another one that happens to be in the log.
static bool is_proven(struct page *page, uint64_t asked, const Cpis__V1__AuditShowReply *shown)
{
	Cpis__V1__AuditRecord *record = NULL;
	struct wire_error error;
	return cpis_check_proof(page->client, shown->proof) == CPIS_OK && shown->proof->index == asked && shown->entry->index == asked &&
	       audit_record_decode(page->arena, shown->proof->record.data, shown->proof->record.len, &record, &error) == WIRE_OK &&
	       audit_entry_is_of(shown->entry, record);
}

static void add_proof(struct page *page, struct model *model, uint64_t asked, const Cpis__V1__AuditShowReply *shown)
{
	char size[24];
	struct model_node *node = model_add(model, model_root(model), "proof");
	snprintf(size, sizeof size, "%llu", (unsigned long long)size_of(shown->proof->checkpoint));
	model_attribute(model, node, "holds", is_proven(page, asked, shown) ? "yes" : "no");
	model_attribute(model, node, "size", size);
	model_attribute(model, node, "witnessed", size_of(cpis_witnessed_checkpoint(page->client)) > asked ? "yes" : "no");
}

void looks_record(struct page *page)
{
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__AuditShowRequest body = CPIS__V1__AUDIT_SHOW_REQUEST__INIT;
	body.index = form_number(page, "no");
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SHOW;
	request.audit_show = &body;
	if (!page_call(page, &request, &reply))
		return;
	struct model *model = page_model(page, "record");
	if (model != NULL) {
		model_number(model, model_root(model), "no", body.index);
		model_message(model, model_root(model), "entry", &reply->audit_show->entry->base);
		add_proof(page, model, body.index, reply->audit_show);
		page_add_receipt(model, reply);
	}
	cpis_reply_free(reply);
	page_show(page, "record", model, 200);
}
