// Acts and their proofs.
#include "clients/web/act.h"

#include <stdlib.h>
#include <string.h>

#include "clients/web/challenge.h"
#include "clients/web/lookup.h"

// What each kind of act is followed by. The reply is the broker's yes, and borrowed.
static void done(struct page *page, enum act_kind kind, const char *context, const Cpis__V1__Request *request,
		 const Cpis__V1__Reply *reply)
{
	const char *address;
	switch (kind) {
	case ACT_BREAK_GLASS:
		lookup_show_details(page, request->details->nhs_number, reply);
		break;
	case ACT_CASE_OUTCOME:
	case ACT_CASE_CLOSE:
		address = arena_printf(page->arena, "%s/audit/case?id=%s", page->gateway->origin, context);
		if (address != NULL)
			page_leave(page, address);
		break;
	}
}

// ------------------------------------------------------------------ asking

static const char *seal(struct page *page, Cpis__Web__V1__PendingAct *pending)
{
	pending->expires_ms = page->now_ms + PAGE_PROOF_MS;
	return sealed_make(&page->gateway->sealer, page->arena, SEALED_ACT, &pending->base);
}

// The act as it will be proven, with a new id and the time of now. NULL: it cannot be prepared.
static const char *prepare(struct page *page, Cpis__V1__Request *request, Cpis__Web__V1__PendingAct *pending,
			   uint8_t challenge[PROOF_CHALLENGE_BYTES])
{
	if (cpis_act_prepare(page->client, request, challenge) != CPIS_OK)
		return NULL;
	pending->broker_name = (char *)(uintptr_t)cpis_broker_name(page->client);
	size_t bytes = 0;
	const uint8_t *packed = wire_pack(page->arena, &request->base, &bytes);
	if (packed == NULL)
		return NULL;
	pending->request = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)packed};
	pending->challenge = (ProtobufCBinaryData){PROOF_CHALLENGE_BYTES, challenge};
	return seal(page, pending);
}

static void show(struct page *page, const char *sealed, const uint8_t challenge[PROOF_CHALLENGE_BYTES], const struct act_words *words,
		 const char *problem)
{
	struct model *model = sealed == NULL ? NULL : page_model(page, "confirm");
	if (model != NULL) {
		struct model_node *root = model_root(model);
		model_text(model, root, "heading", words->heading);
		model_text(model, root, "sentence", words->sentence);
		model_text(model, root, "button", words->button);
		model_text(model, root, "act", sealed);
		model_text(model, root, "address", proof_address(page, challenge, "/proof/act"));
		model_attribute(model, root, "host", page->gateway->web_host);
		if (problem != NULL)
			model_text(model, root, "problem", problem);
	}
	page_show(page, "confirm", model, problem == NULL ? 200 : 403);
}

void act_ask(struct page *page, Cpis__V1__Request *request, enum act_kind kind, const char *context, const struct act_words *words)
{
	uint8_t challenge[PROOF_CHALLENGE_BYTES];
	Cpis__Web__V1__PendingAct pending = CPIS__WEB__V1__PENDING_ACT__INIT;
	pending.person = page->person;
	pending.kind = kind;
	pending.context = (char *)(uintptr_t)context;
	pending.heading = (char *)(uintptr_t)words->heading;
	pending.sentence = (char *)(uintptr_t)words->sentence;
	pending.button = (char *)(uintptr_t)words->button;
	show(page, prepare(page, request, &pending, challenge), challenge, words, NULL);
}

// ------------------------------------------------------------------ an act that came back

static Cpis__Web__V1__PendingAct *open_act(struct page *page)
{
	Cpis__Web__V1__PendingAct *pending = (Cpis__Web__V1__PendingAct *)sealed_open(
		&page->gateway->sealer, page->arena, SEALED_ACT, &cpis__web__v1__pending_act__descriptor, page_field(page, "act"));
	return pending != NULL && pending->person != NULL && page->now_ms < pending->person->expires_ms ? pending : NULL;
}

static Cpis__V1__Request *request_of(struct page *page, const Cpis__Web__V1__PendingAct *pending)
{
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	return wire_unpack(page->arena, &cpis__v1__request__descriptor, pending->request.data, pending->request.len, &message, &error) ==
			       WIRE_OK
		       ? (Cpis__V1__Request *)message
		       : NULL;
}

static bool is_of(const struct page *page, const Cpis__Web__V1__PendingAct *pending)
{
	const Cpis__Web__V1__Person *person = page->person;
	return person != NULL && person->id.len == pending->person->id.len &&
	       memcmp(person->id.data, pending->person->id.data, person->id.len) == 0;
}

static void ask_again(struct page *page, Cpis__Web__V1__PendingAct *pending, const char *problem)
{
	uint8_t challenge[PROOF_CHALLENGE_BYTES];
	struct act_words words = {pending->heading, pending->sentence, pending->button};
	Cpis__V1__Request *request = request_of(page, pending);
	show(page, request == NULL ? NULL : prepare(page, request, pending, challenge), challenge, &words, problem);
}

void act_challenge(struct page *page)
{
	uint8_t challenge[PROOF_CHALLENGE_BYTES];
	Cpis__Web__V1__PendingAct *pending = open_act(page);
	Cpis__V1__Request *request = pending == NULL || !is_of(page, pending) ? NULL : request_of(page, pending);
	const char *sealed = request == NULL ? NULL : prepare(page, request, pending, challenge);
	challenge_send(page, sealed, challenge, "This page is too old: begin again.");
}

static void carry_out(struct page *page, Cpis__Web__V1__PendingAct *pending, const struct proof *proof)
{
	Cpis__V1__Request *request = request_of(page, pending);
	const Cpis__V1__Reply *reply = NULL;
	if (request == NULL)
		return;
	uint64_t before_us = page_clock_us();
	enum cpis_status status = CPIS_USAGE;
	if (cpis_set_session_token(page->client, page->person->token.data, page->person->token.len))
		status = cpis_call_proven(page->client, request, pending->broker_name, &proof->message, PAGE_CALL_MS, &reply);
	cpis_session_close(page->client);
	page->visit->broker_us += page_clock_us() - before_us;
	if (!page_judge(page, status, reply, false, &reply))
		return;
	done(page, (enum act_kind)pending->kind, pending->context, request, reply);
	cpis_reply_free(reply);
}

void act_passkey(struct page *page)
{
	struct proof proof;
	Cpis__Web__V1__PendingAct *pending = open_act(page);
	if (pending == NULL || !is_of(page, pending))
		page_say(page, 403, "Nothing was done", "This page was too old, or of somebody else. Begin again.");
	else if (page->now_ms >= pending->expires_ms)
		ask_again(page, pending, "That took longer than a minute. Nothing was done.");
	else if (!proof_of_passkey(page, &proof))
		ask_again(page, pending, "The passkey's answer could not be read. Nothing was done.");
	else
		carry_out(page, pending, &proof);
}

void act_prove(struct page *page)
{
	struct proof proof;
	Cpis__Web__V1__PendingAct *pending = open_act(page);
	if (pending == NULL) {
		page_say(page, 403, "Nothing was done", "This page was too old. Begin again.");
		return;
	}
	page->person = pending->person; // on this host there are no cookies: the sealed act says who
	if (page->now_ms >= pending->expires_ms || !proof_is_at(page, &pending->challenge))
		ask_again(page, pending, "That took longer than a minute. Nothing was done.");
	else if (!proof_of_handshake(page, &proof))
		ask_again(page, pending, "No certificate was shown. Nothing was done.");
	else
		carry_out(page, pending, &proof);
}
