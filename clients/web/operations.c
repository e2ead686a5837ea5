// The operators' page.
#include "clients/web/operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 2000

static struct model *state(struct page *page)
{
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__OperationsShowRequest body = CPIS__V1__OPERATIONS_SHOW_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_OPERATIONS_SHOW;
	request.operations_show = &body;
	if (!page_call(page, &request, &reply))
		return NULL;
	struct model *model = page_model(page, "operations");
	if (model != NULL)
		model_message(model, model_root(model), "state", &reply->operations_show->base);
	cpis_reply_free(reply);
	return model;
}

void operations_show(struct page *page)
{
	struct model *model = state(page);
	if (model != NULL)
		page_show(page, "operations", model, 200);
}

// WHATWG HTML, "server-sent events": each line of the text after "data: ", and an empty line.
static char *as_event(const char *text, size_t bytes)
{
	size_t lines = 1;
	for (size_t i = 0; i < bytes; i++)
		lines += text[i] == '\n';
	char *event = malloc(bytes + lines * 6 + 64), *to = event;
	if (event == NULL)
		return NULL;
	to += sprintf(to, "retry: %d\ndata: ", RETRY_MS);
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] != '\r')
			*to++ = text[i];
		if (text[i] == '\n')
			to = stpcpy(to, "data: ");
	}
	stpcpy(to, "\n\n");
	return event;
}

void operations_tell(struct page *page)
{
	char *text = NULL, *event;
	size_t bytes = 0;
	page->in_background = true;
	struct model *model = state(page);
	if (model == NULL)
		return;
	if (templates_render(page->gateway->templates, "operations-live", model, &text, &bytes) && (event = as_event(text, bytes)) != NULL) {
		page_send(page, 200, "text/event-stream", NULL, event);
		free(event);
	}
	free(text);
	model_free(model);
}
