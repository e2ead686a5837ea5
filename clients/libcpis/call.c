// One request and its reply, from beginning to end, for who waits and for who has an event loop; and what is believed of the answer.
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "clients/libcpis/attempt.h"

// ------------------------------------------------------------------ what is believed

static bool answers(Cpis__V1__Reply__BodyCase body, const Cpis__V1__Request *request)
{
	// Bodies have the same field numbers both ways.
	return (int)body == (int)request->body_case;
}

static enum cpis_status judge(struct call *call, struct client_reply *reply)
{
	struct cpis_client *client = call->client;
	Cpis__V1__Reply *told = &reply->reply;
	if (told->outcome == CPIS__V1__OUTCOME__OK && !answers(told->body_case, call->job.request))
		return client_fail(client, CPIS_PROTOCOL, "the reply's body answers another kind of request");
	// Only a SERVICE_UNAVAILABLE comes without one (wire_reply_decode sees to it).
	if (told->receipt != NULL) {
		enum cpis_status status = client_check_receipt(client, &reply->arena, call->job.request, told);
		if (status != CPIS_OK)
			return status;
	}
	if (told->session_token.len != 0) {
		memcpy(client->token, told->session_token.data, told->session_token.len);
		client->token_bytes = told->session_token.len;
	}
	return CPIS_OK;
}

// ------------------------------------------------------------------ beginning

// Everything of the envelope but the deadline, which is each attempt's own.
static enum cpis_status fill_envelope(struct cpis_client *client, Cpis__V1__Request *request)
{
	if (client->has_request_id)
		memcpy(client->call_id, client->request_id, sizeof client->call_id);
	else if (RAND_bytes(client->call_id, sizeof client->call_id) != 1)
		return client_fail(client, CPIS_NO_MEMORY, "no random bytes");
	client->has_request_id = false;
	request->protocol_version = PROTOCOL_VERSION;
	request->request_id = (ProtobufCBinaryData){sizeof client->call_id, client->call_id};
	request->log_size = client->newest.size;
	request->trace_id = request->trace_parent_id = (ProtobufCBinaryData){0, NULL};
	if (client->has_trace) {
		request->trace_id = (ProtobufCBinaryData){TRACE_ID_BYTES, client->trace_id};
		request->trace_parent_id = (ProtobufCBinaryData){TRACE_PARENT_ID_BYTES, client->trace_parent_id};
	}
	request->act_time_ms = 0;
	request->act_signature = (ProtobufCBinaryData){0, NULL};
	request->act_browser_proof = NULL;
	// What needs none would only make an old token travel for nothing.
	Cpis__V1__Operation operation = wire_operation(request);
	bool with_token = operation != CPIS__V1__OPERATION__PING && operation != CPIS__V1__OPERATION__SESSION_OPEN &&
			  operation != CPIS__V1__OPERATION__AUDIT_CONSISTENCY &&
			  operation != CPIS__V1__OPERATION__CHECKPOINT_EXCHANGE;
	request->session_token =
		(ProtobufCBinaryData){with_token ? client->token_bytes : 0, with_token ? client->token : NULL};
	return CPIS_OK;
}

enum cpis_status client_must_be_idle(struct cpis_client *client)
{
	return client->call == NULL ? CPIS_OK : client_fail(client, CPIS_USAGE, "another call of this client is under way");
}

static enum cpis_status begin(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms)
{
	if (deadline_ms == 0 || deadline_ms > DEADLINE_MS_MAX)
		return client_fail(client, CPIS_USAGE, "the deadline must be 1 to %u ms", DEADLINE_MS_MAX);
	struct call *call = calloc(1, sizeof *call);
	if (call == NULL || !arena_init(&call->arena, ARENA_BYTES)) {
		free(call);
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a request");
	}
	call->client = client;
	call->job = *job;
	client->call = call;
	enum cpis_status status = fill_envelope(client, job->request);
	return status == CPIS_OK ? attempt_begin(call, deadline_ms) : status;
}

// Where the call ended for want of an answer, what is proven next is for another one.
static void turn_away(struct cpis_client *client, const char *broker_name)
{
	size_t first = client->at;
	for (size_t i = 1; i < client->link_count; i++) {
		client->at = (first + i) % client->link_count;
		if (strcmp(client->links[client->at].broker.name, broker_name) != 0)
			return;
	}
	client->at = first;
}

// ------------------------------------------------------------------ the end

// What the call used is given back, and whoever made it looks at what came of it.
static enum cpis_status end(struct cpis_client *client, const struct client_job *job, enum cpis_status status,
			    struct client_reply *reply, const Cpis__V1__Reply **ret)
{
	struct call *call = client->call;
	if (call != NULL) {
		client_watch_none(client);
		client_links_keep_only(client, client->at);
		// What is ours: a caller may give its message back to protobuf-c.
		job->request->session_token = job->request->act_signature = (ProtobufCBinaryData){0, NULL};
		job->request->trace_id = job->request->trace_parent_id = (ProtobufCBinaryData){0, NULL};
		arena_done(&call->arena);
		free(call);
		client->call = NULL;
	}
	if (status != CPIS_OK && reply != NULL) {
		cpis_reply_free(&reply->reply);
		reply = NULL;
	}
	if (job->finish != NULL)
		status = job->finish(client, status, reply == NULL ? NULL : &reply->reply, job->context);
	if (status == CPIS_OK && reply != NULL)
		*ret = &reply->reply;
	else if (reply != NULL)
		cpis_reply_free(&reply->reply);
	return status;
}

static enum cpis_status go_on(struct cpis_client *client, bool may_wait, const Cpis__V1__Reply **ret)
{
	struct call *call = client->call;
	struct client_job job = call->job;
	struct client_reply *reply = NULL;
	enum cpis_status status = attempt_go_on(call, may_wait, &reply);
	if (status == CPIS_PENDING) {
		if (client_watch_until(client, attempt_due_ms(call)))
			return CPIS_PENDING;
		status = client_fail(client, CPIS_NO_MEMORY, "the call cannot be waited for");
	}
	if (status == CPIS_OK)
		status = judge(call, reply);
	else
		client->at = call->rotation.at;
	bool nobody = status == CPIS_TIMEOUT || status == CPIS_UNREACHABLE || status == CPIS_REFUSED_AT_HANDSHAKE ||
		      (status == CPIS_OK && reply->reply.outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
	status = end(client, &job, status, reply, ret);
	if (job.only != NULL && nobody)
		turn_away(client, job.only);
	return status;
}

enum cpis_status client_call_begin(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms)
{
	const Cpis__V1__Reply *none = NULL;
	enum cpis_status status = client_must_be_idle(client);
	if (status != CPIS_OK)
		return job->finish == NULL ? status : job->finish(client, status, NULL, job->context);
	client->detail[0] = '\0';
	status = begin(client, job, deadline_ms);
	return status == CPIS_OK ? CPIS_OK : end(client, job, status, NULL, &none);
}

enum cpis_status client_call_wait(struct cpis_client *client, const Cpis__V1__Reply **ret)
{
	return go_on(client, true, ret);
}

enum cpis_status client_call(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	enum cpis_status status = client_call_begin(client, job, deadline_ms);
	return status == CPIS_OK ? client_call_wait(client, ret) : status;
}

// ------------------------------------------------------------------ for who waits

enum cpis_status cpis_call(struct cpis_client *client, Cpis__V1__Request *request, uint32_t deadline_ms,
			   const Cpis__V1__Reply **ret)
{
	struct client_job job = {.request = request};
	return client_call(client, &job, deadline_ms, ret);
}

void cpis_set_interrupt(struct cpis_client *client, int fd)
{
	client->interruptible = fd >= 0;
	client->interrupt = fd;
}

void cpis_set_request_id(struct cpis_client *client, const uint8_t request_id[16])
{
	memcpy(client->request_id, request_id, sizeof client->request_id);
	client->has_request_id = true;
}

void cpis_reply_free(const Cpis__V1__Reply *reply)
{
	if (reply == NULL)
		return;
	struct client_reply *whole = (struct client_reply *)(uintptr_t)reply;
	arena_done(&whole->arena);
	free(whole);
}

// ------------------------------------------------------------------ for who has an event loop

// The first step is the loop's to make, so that there is one place where a call can end: its time has come at once.
enum cpis_status client_call_start(struct cpis_client *client, const struct client_job *job, uint32_t deadline_ms)
{
	const Cpis__V1__Reply *none = NULL;
	if (!client_watch_open(client)) {
		enum cpis_status status = client_fail(client, CPIS_NO_MEMORY, "no descriptor to wait for");
		return job->finish == NULL ? status : job->finish(client, status, NULL, job->context);
	}
	enum cpis_status status = client_call_begin(client, job, deadline_ms);
	if (status == CPIS_OK && !client_watch_until(client, client_monotonic_ms()))
		status = end(client, job, client_fail(client, CPIS_NO_MEMORY, "the call cannot be waited for"), NULL, &none);
	return status;
}

int cpis_fd(struct cpis_client *client)
{
	return client_watch_open(client) ? client->watch.epoll : -1;
}

enum cpis_status cpis_call_begin(struct cpis_client *client, Cpis__V1__Request *request, uint32_t deadline_ms)
{
	struct client_job job = {.request = request};
	return client_call_start(client, &job, deadline_ms);
}

enum cpis_status cpis_call_continue(struct cpis_client *client, const Cpis__V1__Reply **ret)
{
	if (client->call == NULL)
		return client_fail(client, CPIS_USAGE, "no call of this client is under way");
	return go_on(client, false, ret);
}

void cpis_call_cancel(struct cpis_client *client)
{
	const Cpis__V1__Reply *none = NULL;
	if (client->call == NULL)
		return;
	struct client_job job = client->call->job;
	client->at = client->call->rotation.at;
	(void)end(client, &job, client_fail(client, CPIS_INTERRUPTED, "there was no answer yet"), NULL, &none);
}
