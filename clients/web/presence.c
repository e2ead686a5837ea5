// Cookies.
#include "clients/web/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES 16u
// __Host-: for this host alone, over TLS alone, and not settable by another host of the domain.
#define PERSON_COOKIE "__Host-cpis"
#define VISITOR_COOKIE "__Host-cpis-visitor"
#define ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Strict"

static ProtobufCMessage *read_cookie(struct page *page, const char *name, enum sealed_purpose purpose,
				     const ProtobufCMessageDescriptor *descriptor)
{
	char *text = visit_cookie(page->visit, name);
	ProtobufCMessage *message = text == NULL ? NULL : sealed_open(&page->gateway->sealer, page->arena, purpose, descriptor, text);
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	return message;
}

static bool new_visitor(struct page *page)
{
	page->visitor = arena_alloc(page->arena, sizeof *page->visitor);
	uint8_t *id = arena_alloc(page->arena, ID_BYTES);
	if (page->visitor == NULL || id == NULL)
		return false;
	cpis__web__v1__visitor__init(page->visitor);
	sealed_random(id, ID_BYTES);
	page->visitor->id = (ProtobufCBinaryData){ID_BYTES, id};
	return true;
}

static bool is_idle(const struct page *page, const Cpis__Web__V1__Person *person)
{
	return page->now_ms > person->seen_ms + page->gateway->settings->lock_after_s * 1000ull;
}

bool presence_read(struct page *page)
{
	Cpis__Web__V1__Person *person =
		(Cpis__Web__V1__Person *)read_cookie(page, PERSON_COOKIE, SEALED_PERSON, &cpis__web__v1__person__descriptor);
	page->visitor = (Cpis__Web__V1__Visitor *)read_cookie(page, VISITOR_COOKIE, SEALED_VISITOR, &cpis__web__v1__visitor__descriptor);
	page->locked = person != NULL && is_idle(page, person);
	if (person != NULL && !page->locked && page->now_ms < person->expires_ms && person->id.len == ID_BYTES) {
		page->person = person;
		page->visitor = NULL;
		sealed_mark(&page->gateway->sealer, person->id.data, person->id.len, page->mark);
		return true;
	}
	if ((page->visitor == NULL || page->visitor->id.len != ID_BYTES) && !new_visitor(page))
		return false;
	if (person != NULL)
		page->visitor->role_code = person->role_code;
	sealed_mark(&page->gateway->sealer, page->visitor->id.data, page->visitor->id.len, page->mark);
	return true;
}

static void set_cookie(struct page *page, const char *name, const char *value)
{
	for (size_t i = 0; i < VISIT_COOKIES_MAX; i++) {
		if (page->visit->cookie[i] != NULL)
			continue;
		if (asprintf(&page->visit->cookie[i], "%s=%s%s%s", name, value, ATTRIBUTES, value[0] == '\0' ? "; Max-Age=0" : "") < 0)
			page->visit->cookie[i] = NULL;
		return;
	}
}

void presence_write(struct page *page)
{
	const struct sealer *sealer = &page->gateway->sealer;
	if (page->visit->label[0] != '\0')
		return; // another host: its cookies are nobody's
	if (page->person != NULL && !page->leaves) {
		if (!page->in_background)
			page->person->seen_ms = page->now_ms;
		const char *value = sealed_make(sealer, page->arena, SEALED_PERSON, &page->person->base);
		if (value != NULL)
			set_cookie(page, PERSON_COOKIE, value);
		return;
	}
	if (page->visitor == NULL && !new_visitor(page))
		return;
	const char *value = sealed_make(sealer, page->arena, SEALED_VISITOR, &page->visitor->base);
	if (value != NULL)
		set_cookie(page, VISITOR_COOKIE, value);
	if (page->leaves || page->locked)
		set_cookie(page, PERSON_COOKIE, "");
}

void presence_sign_in(struct page *page, Cpis__Web__V1__Person *person)
{
	uint8_t *id = arena_alloc(page->arena, ID_BYTES);
	if (id == NULL)
		return;
	sealed_random(id, ID_BYTES);
	person->id = (ProtobufCBinaryData){ID_BYTES, id};
	person->seen_ms = page->now_ms;
	page->person = person;
	page->visitor = NULL;
	page->leaves = false;
	set_cookie(page, VISITOR_COOKIE, "");
}

void presence_sign_out(struct page *page)
{
	page->person = NULL;
	page->leaves = true;
}

// A page that came from a host of ours that takes proofs; nobody else serves any there.
static bool is_proof_host(const struct page *page, const char *origin)
{
	static const char scheme[] = "https://";
	const char *rest = origin + sizeof scheme - 1;
	return strncmp(origin, scheme, sizeof scheme - 1) == 0 && strspn(rest, "abcdefghijklmnopqrstuvwxyz234567") == TLS_LABEL_BYTES &&
	       rest[TLS_LABEL_BYTES] == '.' && strcmp(rest + TLS_LABEL_BYTES + 1, page->gateway->host_and_port) == 0;
}

bool presence_is_our_form(const struct page *page)
{
	const struct visit *visit = page->visit;
	if (!sealed_mark_is(page->mark, page_field(page, "mark")))
		return false;
	if (strcmp(visit->origin, page->gateway->origin) == 0)
		return visit->fetch_site[0] == '\0' || strcmp(visit->fetch_site, "same-origin") == 0;
	return is_proof_host(page, visit->origin);
}
