// Inbox pages.
#include "clients/web/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

#define ITEMS_PER_PAGE 25u

// A number of ours, as it stands in our own forms and addresses. 0: none.
static uint64_t number_field(const struct page *page, const char *name)
{
	const char *text = page_field(page, name);
	size_t length = strlen(text);
	return length > 0 && length < 19 && text_is_digits(text, length, length) ? strtoull(text, NULL, 10) : 0;
}

static bool is(const struct page *page, const char *name, const char *word)
{
	return strcmp(page_field(page, name), word) == 0;
}

static Cpis__V1__InboxBox box_of(const struct page *page)
{
	return is(page, "show", "escalated") ? CPIS__V1__INBOX_BOX__ESCALATIONS : CPIS__V1__INBOX_BOX__NOTIFICATIONS;
}

static const char *path_of(const struct page *page)
{
	return is(page, "show", "escalated") ? "/inbox?show=escalated" : is(page, "show", "all") ? "/inbox?show=all" : "/inbox";
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
	body.after_id = number_field(page, "after");
	body.limit = ITEMS_PER_PAGE;
	body.include_acknowledged = is(page, "show", "all");
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
		model_attribute(model, root, "show", is(page, "show", "escalated") ? "escalated" : is(page, "show", "all") ? "all" : "new");
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
	uint64_t id = number_field(page, "id");
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	body.ids = &id;
	body.n_ids = 1;
	body.box = box_of(page);
	body.settlement = is(page, "settlement", "acted_on") ? CPIS__V1__SETTLEMENT__ACTED_ON : CPIS__V1__SETTLEMENT__SEEN;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	if (!page_call(page, &request, &reply))
		return;
	cpis_reply_free(reply);
	page_go(page, path_of(page));
}

static const char *problem_of(const char *text)
{
	size_t characters = 0;
	for (const char *c = text; *c != '\0'; c++)
		characters += ((unsigned char)*c & 0xc0u) != 0x80u;
	if (characters < REASON_CHARACTERS_MIN)
		return "Write at least 10 characters";
	return strlen(text) > MESSAGE_TEXT_BYTES_MAX ? "Write 1,000 characters or less" : NULL;
}

// Sends the words, or shows them again with what is wrong. The request's body points at them.
static void send_words(struct page *page, Cpis__V1__Request *request, uint64_t about, const char *text)
{
	const Cpis__V1__Reply *reply = NULL;
	struct unsent unsent = {about, text, problem_of(text)};
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
	body.notification_id = number_field(page, "id");
	body.message_text = (char *)(uintptr_t)page_field(page, "text");
	body.audit_index = number_field(page, "look");
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_SEND;
	request.enquiry_send = &body;
	send_words(page, &request, body.notification_id, body.message_text);
}

void inbox_answer(struct page *page)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__EnquiryAnswerRequest body = CPIS__V1__ENQUIRY_ANSWER_REQUEST__INIT;
	body.item_id = number_field(page, "id");
	body.message_text = (char *)(uintptr_t)page_field(page, "text");
	request.body_case = CPIS__V1__REQUEST__BODY_ENQUIRY_ANSWER;
	request.enquiry_answer = &body;
	send_words(page, &request, body.item_id, body.message_text);
}
