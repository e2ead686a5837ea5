// Answers, and calls to the broker.
#include "clients/web/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/http/assets.h"

uint64_t page_clock_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

const char *page_field(const struct page *page, const char *name)
{
	return visit_field(page->visit, name);
}

bool page_may(const struct page *page, const char *activity)
{
	for (size_t i = 0; page->person != NULL && i < page->person->n_activities; i++)
		if (strcmp(page->person->activities[i], activity) == 0)
			return true;
	return false;
}

// ------------------------------------------------------------------ models

static void add_asset(const struct page *page, struct model *model, const char *name, const char *file)
{
	const struct asset *asset = assets_find(page->gateway->assets, file);
	char address[128] = "";
	if (asset != NULL)
		snprintf(address, sizeof address, "/assets/%s?v=%s", asset->name, asset->version);
	model_attribute(model, model_root(model), name, address);
}

static void add_person(const struct page *page, struct model *model)
{
	const Cpis__Web__V1__Person *person = page->person;
	struct model_node *node = model_add(model, model_root(model), "person");
	model_text(model, node, "name", person->name);
	model_text(model, node, "role_code", person->role_code);
	model_text(model, node, "role_name", person->role_name);
	model_text(model, node, "organisation_name", person->organisation_name);
	for (size_t i = 0; i < person->n_activities; i++)
		model_text(model, node, "activity", person->activities[i]);
	if (person->credential.len > 0)
		model_text(model, node, "credential", sealed_base64(page->arena, person->credential.data, person->credential.len));
}

struct model *page_model(struct page *page, const char *name)
{
	struct model *model = model_new(name, page->now_ms);
	if (model == NULL)
		return NULL;
	struct model_node *root = model_root(model);
	model_attribute(model, root, "mark", page->mark);
	model_attribute(model, root, "origin", page->gateway->origin);
	model_attribute(model, root, "organisation", page->gateway->settings->organisation);
	add_asset(page, model, "style", "web.css");
	add_asset(page, model, "script", "web.js");
	add_asset(page, model, "icon", "icon.svg");
	model_instant(model, root, "now", page->now_ms);
	model_number(model, root, "lock_after_s", page->gateway->settings->lock_after_s);
	if (page->person != NULL)
		add_person(page, model);
	return model;
}

void page_add_receipt(struct model *model, const Cpis__V1__Reply *reply)
{
	char number[24];
	if (reply->receipt == NULL)
		return;
	snprintf(number, sizeof number, "%llu", (unsigned long long)reply->receipt->index);
	model_attribute(model, model_add(model, model_root(model), "receipt"), "index", number);
}

// ------------------------------------------------------------------ answers

void page_show(struct page *page, const char *template_name, struct model *model, int status)
{
	char *text = NULL;
	size_t bytes = 0;
	bool made = model != NULL && templates_render(page->gateway->templates, template_name, model, &text, &bytes);
	model_free(model);
	if (!made) {
		fprintf(stderr, "cpis-web: page_failed: the template %s could not be filled\n", template_name);
		return; // the server says so
	}
	page->visit->status = status;
	page->visit->body = text;
	page->visit->body_bytes = bytes;
	page->visit->content_type = "text/html; charset=utf-8";
}

void page_leave(struct page *page, const char *address)
{
	page->visit->status = 303;
	page->visit->location = strdup(address);
	if (page->visit->location == NULL)
		page->visit->status = 0;
}

void page_go(struct page *page, const char *path)
{
	page_leave(page, path);
}

void page_send(struct page *page, int status, const char *content_type, const char *file_name, const char *text)
{
	page->visit->body = strdup(text);
	if (page->visit->body == NULL)
		return;
	page->visit->body_bytes = strlen(text);
	page->visit->status = status;
	page->visit->content_type = content_type;
	page->visit->file_name = file_name;
}

void page_say(struct page *page, int status, const char *heading, const char *sentence)
{
	struct model *model = page_model(page, "message");
	if (model != NULL) {
		model_text(model, model_root(model), "heading", heading);
		model_text(model, model_root(model), "sentence", sentence);
	}
	page_show(page, "message", model, status);
}

// ------------------------------------------------------------------ the broker

static bool is_signed_out(const Cpis__V1__Reply *reply)
{
	return reply->outcome == CPIS__V1__OUTCOME__SESSION_EXPIRED || reply->outcome == CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR;
}

static void say_refused(struct page *page, const Cpis__V1__Reply *reply)
{
	struct model *model = page_model(page, "refused");
	if (model != NULL) {
		model_text(model, model_root(model), "outcome", wire_outcome_name(reply->outcome));
		model_text(model, model_root(model), "reason_code", reply->reason_code);
		model_text(model, model_root(model), "reason", reply->reason);
		page_add_receipt(model, reply);
	}
	bool come_again = reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE || reply->outcome == CPIS__V1__OUTCOME__TOO_MANY_REQUESTS;
	page_show(page, "refused", model, come_again ? 503 : 403);
}

bool page_judge(struct page *page, enum cpis_status status, const Cpis__V1__Reply *reply, bool refusals, const Cpis__V1__Reply **ret)
{
	if (status != CPIS_OK) {
		fprintf(stderr, "cpis-web: broker_call_failed: %s (%s)\n", cpis_status_text(status), cpis_detail(page->client));
		bool proof = status == CPIS_RECEIPT || status == CPIS_LOG_FORKED || status == CPIS_LOG_SHORTENED;
		page_say(page, 503, proof ? "This answer cannot be trusted" : "There is no answer at this moment",
			 proof ? "What came back is not proven to be in the audit log, so it is not shown. Tell the operators of the service, and ask social "
				 "care by telephone."
			       : "The information sharing service could not be reached. It is not known whether your question was recorded. Try again; if it "
				 "is urgent, ring social care.");
		return false;
	}
	if (reply->session_token.len > 0 && page->person != NULL)
		page->person->token = (ProtobufCBinaryData){reply->session_token.len,
							    arena_copy(page->arena, reply->session_token.data, reply->session_token.len)};
	if (page->person != NULL && page->person->token.data == NULL)
		page->person->token.len = 0;
	if (reply->outcome == CPIS__V1__OUTCOME__OK || (refusals && !is_signed_out(reply))) {
		*ret = reply;
		return true;
	}
	if (is_signed_out(reply) && page->person != NULL) {
		page->person = NULL;
		page->leaves = true;
	}
	say_refused(page, reply);
	cpis_reply_free(reply);
	return false;
}

static bool call(struct page *page, Cpis__V1__Request *request, bool refusals, const Cpis__V1__Reply **ret)
{
	const Cpis__V1__Reply *reply = NULL;
	uint64_t before_us = page_clock_us();
	enum cpis_status status = CPIS_USAGE;
	if (page->person == NULL || cpis_set_session_token(page->client, page->person->token.data, page->person->token.len))
		status = cpis_call(page->client, request, PAGE_CALL_MS, &reply);
	cpis_session_close(page->client);
	page->visit->broker_us += page_clock_us() - before_us;
	return page_judge(page, status, reply, refusals, ret);
}

bool page_call(struct page *page, Cpis__V1__Request *request, const Cpis__V1__Reply **ret)
{
	return call(page, request, false, ret);
}

bool page_ask(struct page *page, Cpis__V1__Request *request, const Cpis__V1__Reply **ret)
{
	return call(page, request, true, ret);
}
