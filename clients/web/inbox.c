// Inbox pages.
#include "clients/web/inbox.h"

#include <stdio.h>

#include "clients/web/form.h"

#define ITEMS_PER_PAGE 25u

static Cpis__V1__InboxBox box_of(const struct page *page)
{
	return form_is(page, "show", "escalated") ? CPIS__V1__INBOX_BOX__ESCALATIONS : CPIS__V1__INBOX_BOX__NOTIFICATIONS;
}

static const char *path_of(const struct page *page)
{
	return form_is(page, "show", "escalated") ? "/inbox?show=escalated" : form_is(page, "show", "all") ? "/inbox?show=all" : "/inbox";
}

// ------------------------------------------------------------------ the list

// What somebody wrote that was not sent comes back to them, beside the item that it is about.
struct unsent {
	uint64_t about;
	const char *text, *problem;
};

static bool list(struct page *page, const Cpis__V1__Reply **ret)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__InboxListRequest body = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	body.after_id = form_number(page, "after");
	body.limit = ITEMS_PER_PAGE;
	body.include_acknowledged = form_is(page, "show", "all");
	body.box = box_of(page);
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &body;
	return page_call(page, &request, ret);
}

static void show(struct page *page, const struct unsent *unsent)
{
	const Cpis__V1__Reply *reply = NULL;
	if (!list(page, &reply))
		return;
	struct model *model = page_model(page, "inbox");
	if (model != NULL) {
		struct model_node *root = model_root(model);
		model_attribute(model, root, "show", form_is(page, "show", "escalated") ? "escalated" : form_is(page, "show", "all") ? "all" : "new");
		if (reply->inbox_list->n_items == ITEMS_PER_PAGE)
			model_number(model, root, "next", reply->inbox_list->items[ITEMS_PER_PAGE - 1]->id);
		model_message(model, root, "list", &reply->inbox_list->base);
		if (unsent != NULL) {
			struct model_node *node = model_text(model, root, "unsent", unsent->text);
			char about[24];
			snprintf(about, sizeof about, "%llu", (unsigned long long)unsent->about);
			model_attribute(model, node, "about", about);
			model_attribute(model, node, "problem", unsent->problem);
		}
	}
	cpis_reply_free(reply);
	page_show(page, "inbox", model, unsent == NULL ? 200 : 400);
}

void inbox_show(struct page *page)
{
	show(page, NULL);
}

// ------------------------------------------------------------------ acts

void inbox_acknowledge(struct page *page)
{
	uint64_t id = form_number(page, "id");
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	body.ids = &id;
	body.n_ids = 1;
	body.box = box_of(page);
	body.settlement = form_is(page, "settlement", "acted_on") ? CPIS__V1__SETTLEMENT__ACTED_ON : CPIS__V1__SETTLEMENT__SEEN;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	if (!page_call(page, &request, &reply))
		return;
	cpis_reply_free(reply);
	page_go(page, path_of(page));
}

// Sends the words, or shows them again with what is wrong. The request's body points at them.
static void send_words(struct page *page, Cpis__V1__Request *request, uint64_t about, const char *text)
{
	const Cpis__V1__Reply *reply = NULL;
	struct unsent unsent = {about, text, form_words_problem(text, MESSAGE_TEXT_BYTES_MAX)};
	if (unsent.problem != NULL) {
		show(page, &unsent);
		return;
	}
	if (!page_call(page, request, &reply))
		return;
	cpis_reply_free(reply);
	page_go(page, path_of(page));
}

void inbox_ask(struct page *page)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__EnquirySendRequest body = CPIS__V1__ENQUIRY_SEND_REQUEST__INIT;
	body.notification_id = form_number(page, "id");
	body.message_text = (char *)(uintptr_t)page_field(page, "text");
	body.audit_index = form_number(page, "look");
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_SEND;
	request.enquiry_send = &body;
	send_words(page, &request, body.notification_id, body.message_text);
}

void inbox_answer(struct page *page)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__EnquiryAnswerRequest body = CPIS__V1__ENQUIRY_ANSWER_REQUEST__INIT;
	body.item_id = form_number(page, "id");
	body.message_text = (char *)(uintptr_t)page_field(page, "text");
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_ANSWER;
	request.enquiry_answer = &body;
	send_words(page, &request, body.item_id, body.message_text);
}
