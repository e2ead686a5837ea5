// Signing in and out.
#include "clients/web/sign_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/web/challenge.h"
#include "clients/web/presence.h"
#include "proto/text.h"

#define ARRIVAL_MS 30000u

// ------------------------------------------------------------------ the page

static void add_roles(const struct page *page, struct model *model)
{
	const struct settings *settings = page->gateway->settings;
	for (uint32_t i = 0; i < settings->roles_count; i++) {
		struct model_node *role = model_text(model, model_root(model), "role", settings->roles[i].name);
		model_attribute(model, role, "code", settings->roles[i].code);
		if (page->visitor != NULL && strcmp(settings->roles[i].code, page->visitor->role_code) == 0)
			model_attribute(model, role, "chosen", "yes");
	}
}

static void show(struct page *page, const char *problem, const Cpis__V1__Reply *refusal)
{
	struct model *model = page_model(page, "sign-in");
	if (model != NULL) {
		add_roles(page, model);
		if (page->locked)
			model_add(model, model_root(model), "locked");
		if (problem != NULL)
			model_text(model, model_root(model), "problem", problem);
		if (refusal != NULL) {
			model_text(model, model_root(model), "reason_code", refusal->reason_code);
			page_add_receipt(model, refusal);
		}
	}
	page_show(page, "sign-in", model, problem != NULL ? 403 : 200);
}

// Of our own paths, without a query: nothing else is ever gone back to.
static bool is_page_of_ours(const char *path)
{
	return path[0] == '/' && path[1] != '/' && path[1] != '\\' && strcspn(path, "?#%") == strlen(path);
}

void sign_in_show(struct page *page)
{
	if (page->visitor != NULL && !page->visit->is_post && strcmp(page->visit->path, "/sign-in") != 0 &&
	    strcmp(page->visit->path, "/locked") != 0 && is_page_of_ours(page->visit->path))
		page->visitor->return_path = page->visit->path;
	show(page, NULL, NULL);
}

void sign_in_locked(struct page *page)
{
	if (page->person != NULL) { // still here: another window was used
		page->in_background = true;
		page_go(page, "/");
		return;
	}
	page->locked = true;
	show(page, NULL, NULL);
}

void sign_in_stay(struct page *page)
{
	page_send(page, page->person == NULL ? 403 : 200, "application/json", NULL, "{}");
}

// ------------------------------------------------------------------ the statement

static const char *chosen_role(const struct page *page)
{
	const char *code = page_field(page, "role");
	return text_is_role_code(code, strlen(code)) ? code : NULL;
}

// A statement for this role, sealed for this browser. NULL: the broker's certificate does not hold any more, or no memory.
static const char *begin(struct page *page, const char *role, uint8_t challenge[PROOF_CHALLENGE_BYTES])
{
	uint8_t statement[STATEMENT_BYTES_MAX];
	size_t bytes = 0;
	if (cpis_session_statement(page->client, role, statement, &bytes, challenge) != CPIS_OK)
		return NULL;
	Cpis__Web__V1__PendingSignIn pending = CPIS__WEB__V1__PENDING_SIGN_IN__INIT;
	pending.statement = (ProtobufCBinaryData){bytes, statement};
	pending.challenge = (ProtobufCBinaryData){PROOF_CHALLENGE_BYTES, challenge};
	pending.visitor_id = page->visitor->id;
	pending.expires_ms = page->now_ms + PAGE_PROOF_MS;
	pending.role_code = (char *)(uintptr_t)role;
	return sealed_make(&page->gateway->sealer, page->arena, SEALED_SIGN_IN, &pending.base);
}

static const Cpis__Web__V1__PendingSignIn *pending(struct page *page, const char *text)
{
	const Cpis__Web__V1__PendingSignIn *found = (const Cpis__Web__V1__PendingSignIn *)sealed_open(
		&page->gateway->sealer, page->arena, SEALED_SIGN_IN, &cpis__web__v1__pending_sign_in__descriptor, text);
	return found != NULL && page->now_ms < found->expires_ms ? found : NULL;
}

static bool is_of_this_browser(const struct page *page, const ProtobufCBinaryData *id)
{
	return page->visitor != NULL && id->len == page->visitor->id.len && memcmp(id->data, page->visitor->id.data, id->len) == 0;
}

static char *text(struct page *page, const char *from)
{
	return arena_copy_text(page->arena, from, strlen(from));
}

// Whom the broker has let in. The reply's texts are copied.
static Cpis__Web__V1__Person *let_in(struct page *page, const Cpis__V1__SessionOpenReply *opened, const char *role)
{
	Cpis__Web__V1__Person *person = arena_alloc(page->arena, sizeof *person);
	if (person == NULL)
		return NULL;
	cpis__web__v1__person__init(person);
	person->token.len = opened->session_token.len;
	person->token.data = arena_copy(page->arena, opened->session_token.data, opened->session_token.len);
	person->name = text(page, opened->name);
	person->role_name = text(page, opened->role_name);
	person->organisation_name = text(page, opened->organisation_name);
	person->role_code = text(page, role);
	person->expires_ms = opened->expires_ms;
	person->activities = arena_alloc(page->arena, (opened->n_activities + 1) * sizeof *person->activities);
	for (size_t i = 0; person->activities != NULL && i < opened->n_activities; i++)
		person->activities[i] = text(page, opened->activities[i]);
	person->n_activities = person->activities == NULL ? 0 : opened->n_activities;
	return page->arena->overflowed ? NULL : person;
}

// The broker decides. NULL: the visit has been answered.
static Cpis__Web__V1__Person *open_session(struct page *page, const Cpis__Web__V1__PendingSignIn *from, const uint8_t *certificate,
					   size_t certificate_bytes, const struct proof *proof)
{
	const Cpis__V1__Reply *reply = NULL;
	uint64_t before_us = page_clock_us();
	enum cpis_status status = cpis_session_open_proven(page->client, from->statement.data, from->statement.len, certificate,
							   certificate_bytes, &proof->message, PAGE_CALL_MS, &reply);
	cpis_session_close(page->client);
	page->visit->broker_us += page_clock_us() - before_us;
	if (status == CPIS_OK && reply->outcome != CPIS__V1__OUTCOME__OK) {
		show(page, reply->reason[0] == '\0' ? "The service did not let you in." : reply->reason, reply);
		cpis_reply_free(reply);
		return NULL;
	}
	if (!page_judge(page, status, reply, false, &reply))
		return NULL;
	Cpis__Web__V1__Person *person = let_in(page, reply->session_open, from->role_code);
	cpis_reply_free(reply);
	return person;
}

// ------------------------------------------------------------------ passkey

void sign_in_passkey_challenge(struct page *page)
{
	uint8_t challenge[PROOF_CHALLENGE_BYTES];
	const char *role = chosen_role(page);
	const char *sealed = role == NULL || page->visitor == NULL ? NULL : begin(page, role, challenge);
	page->in_background = true;
	challenge_send(page, sealed, challenge, "Choose the role that you work in.");
}

void sign_in_passkey(struct page *page)
{
	const Cpis__Web__V1__PendingSignIn *from = pending(page, page_field(page, "pending"));
	struct proof proof;
	size_t bytes = 0;
	if (from == NULL || !is_of_this_browser(page, &from->visitor_id)) {
		show(page, "That took longer than a minute, or was begun in another window. Sign in again.", NULL);
		return;
	}
	if (!proof_of_passkey(page, &proof)) {
		show(page, "The passkey's answer could not be read. Try again.", NULL);
		return;
	}
	uint8_t *certificate = staff_certificate(page->gateway->staff, proof.credential, page->now_ms, &bytes);
	if (certificate == NULL) {
		show(page, "This passkey has not been certified, or its certificate has not been brought here. Ask your registration authority.", NULL);
		return;
	}
	Cpis__Web__V1__Person *person = open_session(page, from, certificate, bytes, &proof);
	free(certificate);
	if (person == NULL)
		return;
	const char *back = text(page, page->visitor->return_path);
	person->credential.data = sealed_from_base64(page->arena, proof.credential, &person->credential.len);
	presence_sign_in(page, person);
	page_go(page, back == NULL || back[0] == '\0' ? "/" : back);
}

// ------------------------------------------------------------------ certificate

void sign_in_certificate(struct page *page)
{
	uint8_t challenge[PROOF_CHALLENGE_BYTES];
	const char *role = chosen_role(page);
	const char *sealed = role == NULL || page->visitor == NULL ? NULL : begin(page, role, challenge);
	if (sealed == NULL) {
		show(page, "Choose the role that you work in.", NULL);
		return;
	}
	page->visitor->role_code = (char *)(uintptr_t)role;
	const char *address = proof_address(page, challenge, "/proof/sign-in?pending=");
	address = address == NULL ? NULL : arena_printf(page->arena, "%s%s", address, sealed);
	if (address != NULL)
		page_leave(page, address);
}

void sign_in_prove(struct page *page)
{
	const Cpis__Web__V1__PendingSignIn *from = pending(page, page_field(page, "pending"));
	struct proof proof;
	if (from == NULL || !proof_is_at(page, &from->challenge) || !proof_of_handshake(page, &proof)) {
		page_say(page, 403, "You are not signed in", "That took longer than a minute, or no certificate was chosen. Go back to the start and sign in again.");
		return;
	}
	Cpis__Web__V1__Arrival arrival = CPIS__WEB__V1__ARRIVAL__INIT;
	arrival.person = open_session(page, from, proof.certificate, proof.certificate_bytes, &proof);
	if (arrival.person == NULL)
		return;
	arrival.visitor_id = from->visitor_id;
	arrival.expires_ms = page->now_ms + ARRIVAL_MS;
	const char *sealed = sealed_make(&page->gateway->sealer, page->arena, SEALED_ARRIVAL, &arrival.base);
	const char *address = sealed == NULL ? NULL
					     : arena_printf(page->arena, "%s/sign-in/arrive?arrival=%s", page->gateway->origin, sealed);
	if (address != NULL)
		page_leave(page, address);
}

void sign_in_arrive(struct page *page)
{
	Cpis__Web__V1__Arrival *arrival = (Cpis__Web__V1__Arrival *)sealed_open(&page->gateway->sealer, page->arena, SEALED_ARRIVAL,
										&cpis__web__v1__arrival__descriptor,
										page_field(page, "arrival"));
	if (arrival == NULL || arrival->person == NULL || page->now_ms >= arrival->expires_ms ||
	    !is_of_this_browser(page, &arrival->visitor_id)) {
		show(page, "This sign-in was begun in another browser, or too long ago. Sign in again.", NULL);
		return;
	}
	const char *back = text(page, page->visitor->return_path);
	presence_sign_in(page, arrival->person);
	page_go(page, back == NULL || back[0] == '\0' ? "/" : back);
}

// ------------------------------------------------------------------ signing out

void sign_in_out(struct page *page)
{
	const Cpis__V1__Reply *reply = NULL;
	if (page->person == NULL) {
		page_go(page, "/sign-in");
		return;
	}
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__SessionCloseRequest body = CPIS__V1__SESSION_CLOSE_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_CLOSE;
	request.session_close = &body;
	if (!page_ask(page, &request, &reply)) {
		presence_sign_out(page); // what could not be ended there is forgotten here
		return;
	}
	cpis_reply_free(reply);
	presence_sign_out(page);
	page_go(page, "/sign-in");
}

// ------------------------------------------------------------------ a new passkey

void passkey_show(struct page *page)
{
	struct model *model = page_model(page, "passkey");
	if (model != NULL)
		model_attribute(model, model_root(model), "host", page->gateway->web_host);
	page_show(page, "passkey", model, 200);
}

void passkey_request(struct page *page)
{
	const char *uid = page_field(page, "uid"), *name = page_field(page, "name"), *credential = page_field(page, "credential"),
		   *key = page_field(page, "key");
	size_t bytes = 0;
	if (!text_is_digits(uid, strlen(uid), UID_DIGITS) || name[0] == '\0' || strlen(name) > 64 ||
	    sealed_from_base64(page->arena, credential, &bytes) == NULL || sealed_from_base64(page->arena, key, &bytes) == NULL) {
		page_say(page, 400, "No request was made", "Go back, and give your 12-digit staff number and your name as your registration authority knows it.");
		return;
	}
	const char *file = arena_printf(page->arena, "cpis-passkey-request-v1\nuid: %s\nname: %s\ncredential: %s\nkey: %s\n", uid, name,
					credential, key);
	if (file != NULL)
		page_send(page, 200, "text/plain; charset=utf-8", "passkey-request.txt", file);
}
