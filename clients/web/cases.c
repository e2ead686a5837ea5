// Case pages.
#include "clients/web/cases.h"

#include <stdio.h>
#include <string.h>

#include "clients/web/act.h"
#include "clients/web/form.h"
#include "proto/text.h"

#define CASES_PER_PAGE 25u
#define ALL_PAGES_MAX 20u

// ------------------------------------------------------------------ the list

static bool list(struct page *page, uint64_t after, bool all, unsigned limit, const Cpis__V1__Reply **ret)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__AlertListRequest body = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	body.after_id = after;
	body.limit = limit;
	body.include_reviewed = all;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &body;
	return page_call(page, &request, ret);
}

void cases_show(struct page *page)
{
	const Cpis__V1__Reply *reply = NULL;
	if (!list(page, form_number(page, "after"), form_is(page, "show", "all"), CASES_PER_PAGE, &reply))
		return;
	const Cpis__V1__AlertListReply *found = reply->alert_list;
	struct model *model = page_model(page, "cases");
	if (model != NULL) {
		model_attribute(model, model_root(model), "show", form_is(page, "show", "all") ? "all" : "open");
		if (found->more && found->n_alerts > 0)
			model_number(model, model_root(model), "next", found->alerts[found->n_alerts - 1]->id);
		model_message(model, model_root(model), "list", &found->base);
	}
	cpis_reply_free(reply);
	page_show(page, "cases", model, 200);
}

static void add_of_period(struct model *model, struct model_node *node, const Cpis__V1__Alert *alert, uint64_t from_ms, uint64_t until_ms)
{
	bool opened = alert->created_ms >= from_ms && alert->created_ms < until_ms;
	bool decided = alert->reviewed_ms >= from_ms && alert->reviewed_ms < until_ms;
	if (!opened && !decided)
		return;
	struct model_node *added = model_message(model, node, "alert", &alert->base);
	if (opened)
		model_attribute(model, added, "opened", "yes");
	if (decided)
		model_attribute(model, added, "decided", "yes");
}

bool cases_add_all(struct page *page, struct model *model, struct model_node *node, uint64_t from_ms, uint64_t until_ms,
		   bool *ret_cut)
{
	uint64_t after = 0;
	bool more = true;
	for (unsigned i = 0; i < ALL_PAGES_MAX && more; i++) {
		const Cpis__V1__Reply *reply = NULL;
		if (!list(page, after, true, PAGE_ITEMS_MAX, &reply))
			return false;
		const Cpis__V1__AlertListReply *found = reply->alert_list;
		for (size_t j = 0; j < found->n_alerts; j++)
			add_of_period(model, node, found->alerts[j], from_ms, until_ms);
		more = found->more && found->n_alerts > 0;
		after = more ? found->alerts[found->n_alerts - 1]->id : after;
		cpis_reply_free(reply);
	}
	*ret_cut = *ret_cut || more;
	return true;
}

// ------------------------------------------------------------------ one case

static bool get(struct page *page, uint64_t id, const Cpis__V1__Reply **ret)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__AlertShowRequest body = CPIS__V1__ALERT_SHOW_REQUEST__INIT;
	body.id = id;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_SHOW;
	request.alert_show = &body;
	return page_call(page, &request, ret);
}

// `problem` is about the field of this name.
static void show(struct page *page, const char *field, const char *problem)
{
	const Cpis__V1__Reply *reply = NULL;
	if (!get(page, form_number(page, "id"), &reply))
		return;
	struct model *model = page_model(page, "case");
	if (model != NULL) {
		model_message(model, model_root(model), "alert", &reply->alert_show->alert->base);
		if (problem != NULL) {
			struct model_node *typed = model_text(model, model_root(model), field, page_field(page, "words"));
			model_attribute(model, typed, "problem", problem);
			model_attribute(model, typed, "finding", page_field(page, "finding"));
			model_attribute(model, typed, "keep_open", page_field(page, "keep_open"));
		}
		page_add_receipt(model, reply);
	}
	cpis_reply_free(reply);
	page_show(page, "case", model, problem == NULL ? 200 : 400);
}

void cases_show_one(struct page *page)
{
	show(page, NULL, NULL);
}

static void go_back(struct page *page)
{
	const char *path = arena_printf(page->arena, "/audit/case?id=%llu", (unsigned long long)form_number(page, "id"));
	if (path != NULL)
		page_go(page, path);
}

static void do_and_go_back(struct page *page, Cpis__V1__Request *request)
{
	const Cpis__V1__Reply *reply = NULL;
	if (!page_call(page, request, &reply))
		return;
	cpis_reply_free(reply);
	go_back(page);
}

void cases_assign(struct page *page)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__AlertAssignRequest body = CPIS__V1__ALERT_ASSIGN_REQUEST__INIT;
	const char *uid = page_field(page, "words");
	if (!text_is_digits(uid, strlen(uid), UID_DIGITS)) {
		show(page, "assign", "Enter the 12 digits of the staff number");
		return;
	}
	body.id = form_number(page, "id");
	body.uid = (char *)(uintptr_t)uid;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_ASSIGN;
	request.alert_assign = &body;
	do_and_go_back(page, &request);
}

void cases_note(struct page *page)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__AlertNoteRequest body = CPIS__V1__ALERT_NOTE_REQUEST__INIT;
	const char *words = page_field(page, "words"), *problem = form_words_problem(words, TEXT_BYTES_MAX);
	if (problem != NULL) {
		show(page, "note", problem);
		return;
	}
	body.id = form_number(page, "id");
	body.words = (char *)(uintptr_t)words;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_NOTE;
	request.alert_note = &body;
	do_and_go_back(page, &request);
}

// ------------------------------------------------------------------ what has to be proven

void cases_outcome(struct page *page)
{
	static const struct act_words asked = {
		.heading = "Give the case its outcome",
		.sentence = "The outcome is final, and is recorded with your name and your proof. Whoever reads the record later sees your words.",
		.button = "Give the outcome",
	};
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__AlertReviewRequest body = CPIS__V1__ALERT_REVIEW_REQUEST__INIT;
	const char *words = page_field(page, "words"), *problem = form_words_problem(words, TEXT_BYTES_MAX);
	if (!wire_alert_finding_by_name(page_field(page, "finding"), &body.finding))
		problem = "Choose the outcome";
	if (problem != NULL) {
		show(page, "outcome", problem);
		return;
	}
	body.id = form_number(page, "id");
	body.words = (char *)(uintptr_t)words;
	body.keep_open = form_is(page, "keep_open", "yes");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_REVIEW;
	request.alert_review = &body;
	act_ask(page, &request, ACT_CASE_OUTCOME, page_field(page, "id"), &asked);
}

void cases_close(struct page *page)
{
	static const struct act_words asked = {
		.heading = "Close the case",
		.sentence = "A closed case stays closed. That you closed it, and what you wrote, is recorded with your proof.",
		.button = "Close the case",
	};
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__AlertCloseRequest body = CPIS__V1__ALERT_CLOSE_REQUEST__INIT;
	const char *words = page_field(page, "words"), *problem = form_words_problem(words, TEXT_BYTES_MAX);
	if (problem != NULL) {
		show(page, "close", problem);
		return;
	}
	body.id = form_number(page, "id");
	body.words = (char *)(uintptr_t)words;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_CLOSE;
	request.alert_close = &body;
	act_ask(page, &request, ACT_CASE_CLOSE, page_field(page, "id"), &asked);
}
