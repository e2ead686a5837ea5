// Calls: the bearer's session, and answers.
#include "clients/fhir/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "clients/fhir/outcome.h"

#define CONTENT_TYPE "application/fhir+json; charset=utf-8"

const char *const call_headers[] = {"Authorization", "Accept", "X-Request-ID", "X-Correlation-ID", "IsUnscheduledAccessEvent", "CPIS-Role", NULL};

// ------------------------------------------------------------------ answers

void call_answer(struct call *call, int status, json_t *resource)
{
	char *text = resource == NULL ? NULL : json_dumps(resource, JSON_COMPACT);
	json_decref(resource);
	if (text == NULL)
		return;
	call->visit->body = text;
	call->visit->body_bytes = strlen(text);
	call->visit->content_type = CONTENT_TYPE;
	call->visit->status = status;
}

void call_refuse(struct call *call, int status, const char *issue_type, const char *spine_code, const char *reason_code, const char *sentence)
{
	call_answer(call, status, outcome_of(outcome_issue("error", issue_type, spine_code, reason_code, sentence)));
}

char *call_server_refusal(int status, const char *sentence, const char **ret_content_type)
{
	json_t *resource = outcome_of(status >= 500 ? outcome_issue("error", "transient", "SERVICE_UNAVAILABLE", "", sentence)
						    : outcome_issue("error", "structure", "MESSAGE_NOT_WELL_FORMED", "", sentence));
	char *text = resource == NULL ? NULL : json_dumps(resource, JSON_COMPACT);
	json_decref(resource);
	*ret_content_type = CONTENT_TYPE;
	return text;
}

// ------------------------------------------------------------------ beginning

static bool is_caller_id(const char *text)
{
	size_t bytes = strlen(text);
	return bytes <= CALLER_ID_BYTES_MAX &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == bytes;
}

bool call_begin(struct call *call)
{
	struct visit *visit = call->visit;
	const char *accept = visit_header(visit, "Accept");
	call->request_id = visit_header(visit, "X-Request-ID");
	call->correlation_id = visit_header(visit, "X-Correlation-ID");
	if (!is_caller_id(call->request_id) || !is_caller_id(call->correlation_id)) {
		call_refuse(call, 400, "value", "PRECONDITION_FAILED", "",
			    "X-Request-ID and X-Correlation-ID are at most 64 letters, digits and . _ : - such as a UUID.");
		return false;
	}
	if (call->request_id[0] != '\0')
		visit_answer_header(visit, "X-Request-ID", call->request_id);
	if (call->correlation_id[0] != '\0')
		visit_answer_header(visit, "X-Correlation-ID", call->correlation_id);
	if (accept[0] != '\0' && strcasestr(accept, "json") == NULL && strstr(accept, "*/*") == NULL && strstr(accept, "application/*") == NULL) {
		call_refuse(call, 406, "not-supported", "NOT_ACCEPTABLE", "", "Answers are application/fhir+json only.");
		return false;
	}
	if (atomic_load(&call->facade->forked)) {
		call_refuse(call, 503, "transient", "SERVICE_UNAVAILABLE", "",
			    "This service and others were shown two different audit logs. Nothing is answered until its operators have found out why: ring "
			    "social care.");
		return false;
	}
	return true;
}

// ------------------------------------------------------------------ the broker

static bool refuse_reply(struct call *call, const Cpis__V1__Reply *reply)
{
	char seconds[12];
	int status = outcome_status(reply->outcome, reply->reason_code);
	if (status == 401)
		visit_answer_header(call->visit, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
	if (reply->retry_after_ms > 0) {
		snprintf(seconds, sizeof seconds, "%u", (reply->retry_after_ms + 999u) / 1000u);
		visit_answer_header(call->visit, "Retry-After", seconds);
	}
	call_answer(call, status, outcome_of_reply(reply));
	cpis_reply_free(reply);
	return false;
}

static bool refuse_status(struct call *call, enum cpis_status status)
{
	fprintf(stderr, "cpis-fhir: broker_call_failed: %s (%s)\n", cpis_status_text(status), cpis_detail(call->client));
	bool proof = status == CPIS_RECEIPT || status == CPIS_LOG_FORKED || status == CPIS_LOG_SHORTENED;
	if (status == CPIS_LOG_FORKED || status == CPIS_LOG_SHORTENED)
		atomic_store(&call->facade->forked, true);
	call_refuse(call, 503, "transient", "SERVICE_UNAVAILABLE", "",
		    proof ? "What came back is not proven to be in the audit log, so it is not shown. Tell the operators of the service, and ask social care by "
			    "telephone."
			  : "The information sharing service could not be reached, and it is not known whether the question was recorded. Try again; if it is "
			    "urgent, ring social care.");
	return false;
}

static bool open_session(struct call *call, const char *token, const uint8_t id[SHA256_BYTES], struct bearer_session *ret)
{
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_session_open_token(call->client, token, visit_header(call->visit, "CPIS-Role"), call->request_id,
							  call->correlation_id, CALL_MS, &reply);
	cpis_session_close(call->client);
	if (status != CPIS_OK)
		return refuse_status(call, status);
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		return refuse_reply(call, reply);
	ProtobufCBinaryData opened = reply->session_open->session_token;
	bool fits = opened.len <= sizeof ret->token; // libcpis has seen to it
	if (fits) {
		memcpy(ret->token, opened.data, opened.len);
		ret->token_bytes = opened.len;
		ret->expires_ms = reply->session_open->expires_ms;
		bearers_keep(call->facade->bearers, id, ret);
	}
	cpis_reply_free(reply);
	return fits;
}

// NULL: none, and the call has been answered.
static const char *bearer_of(struct call *call)
{
	const char *header = visit_header(call->visit, "Authorization");
	if (strncasecmp(header, "Bearer ", 7) == 0 && header[7] != '\0' && strlen(header + 7) <= IDENTITY_TOKEN_BYTES_MAX)
		return header + 7;
	visit_answer_header(call->visit, "WWW-Authenticate", "Bearer");
	call_refuse(call, 401, "login", "AUTHOR_CREDENTIALS_ERROR", "",
		    "Send the identity token of the person who asks: Authorization: Bearer <token>, of at most 8,192 bytes.");
	return NULL;
}

static void identify(const char *token, const char *role, uint8_t id[SHA256_BYTES])
{
	uint8_t both[2 * SHA256_BYTES];
	sha256(token, strlen(token), both);
	sha256(role, strlen(role), both + SHA256_BYTES);
	sha256(both, sizeof both, id);
}

static uint64_t clock_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

// The session may have been idle for too long, or signed out, while its token is good: then it is opened again, once.
static bool ask(struct call *call, const char *token, Cpis__V1__Request *request, const Cpis__V1__Reply **ret)
{
	struct bearer_session session;
	uint8_t id[SHA256_BYTES];
	identify(token, visit_header(call->visit, "CPIS-Role"), id);
	bool kept = bearers_find(call->facade->bearers, id, call->now_ms, &session);
	for (;;) {
		const Cpis__V1__Reply *reply = NULL;
		if (!kept && !open_session(call, token, id, &session))
			return false;
		enum cpis_status status = CPIS_USAGE;
		if (cpis_set_session_token(call->client, session.token, session.token_bytes))
			status = cpis_call(call->client, request, CALL_MS, &reply);
		cpis_session_close(call->client);
		explicit_bzero(session.token, sizeof session.token);
		if (status != CPIS_OK)
			return refuse_status(call, status);
		if (reply->session_token.len > 0 && reply->session_token.len <= sizeof session.token) {
			memcpy(session.token, reply->session_token.data, reply->session_token.len);
			session.token_bytes = reply->session_token.len;
			bearers_keep(call->facade->bearers, id, &session);
		}
		if (reply->outcome == CPIS__V1__OUTCOME__OK) {
			*ret = reply;
			return true;
		}
		bool ended = reply->outcome == CPIS__V1__OUTCOME__SESSION_EXPIRED || reply->outcome == CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR;
		if (ended)
			bearers_forget(call->facade->bearers, id);
		if (!ended || !kept)
			return refuse_reply(call, reply);
		cpis_reply_free(reply);
		kept = false;
	}
}

bool call_broker(struct call *call, Cpis__V1__Request *request, const Cpis__V1__Reply **ret)
{
	const char *token = bearer_of(call);
	if (token == NULL)
		return false;
	request->caller_request_id = (char *)(uintptr_t)call->request_id;
	request->caller_correlation_id = (char *)(uintptr_t)call->correlation_id;
	uint64_t before_us = clock_us();
	bool answered = ask(call, token, request, ret);
	call->visit->broker_us += clock_us() - before_us;
	return answered;
}
