// Acts that are signed with the staff key of the open session.
#include <stdlib.h>
#include <string.h>

#include "clients/libcpis/client_priv.h"
#include "proto/act.h"

static enum cpis_status sign_bytes(struct cpis_client *client, struct client_act *act, const uint8_t *text, size_t bytes)
{
	struct signing_key *key = NULL;
	enum cpis_status opened = client_key_open(client, act->staff_key, &key);
	if (opened != CPIS_OK)
		return opened;
	enum certs_status status = signing_key_sign(key, text, bytes, act->signature);
	client_key_close(client, key);
	return status == CERTS_OK ? CPIS_OK
				  : client_fail(client, CPIS_CREDENTIALS, "%s: %s", client_key_name(act->staff_key),
						certs_status_text(status));
}

enum cpis_status client_sign_act(struct cpis_client *client, Cpis__V1__Request *request, const char *broker_name, void *context)
{
	struct client_act *act = context;
	struct arena arena;
	size_t bytes;
	if (!arena_init(&arena, ARENA_BYTES))
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a request");
	request->act_time_ms = client_now_ms();
	const uint8_t *text = act_signed_bytes(&arena, request, broker_name, &bytes);
	enum cpis_status status = text == NULL
					  ? client_fail(client, CPIS_USAGE, "the request is larger than a message may be")
					  : sign_bytes(client, act, text, bytes);
	arena_done(&arena);
	request->act_signature = (ProtobufCBinaryData){SIGNATURE_BYTES, act->signature};
	return status;
}

enum cpis_status cpis_call_signed(struct cpis_client *client, Cpis__V1__Request *request, const char *staff_key,
				  uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	if (staff_key == NULL)
		return client_fail(client, CPIS_USAGE, "the staff key is missing");
	struct client_act act = {.staff_key = staff_key};
	struct client_job job = {.request = request, .sign = client_sign_act, .context = &act};
	return client_call(client, &job, deadline_ms, ret);
}

static enum cpis_status forget_act(struct cpis_client *client, enum cpis_status status, const Cpis__V1__Reply *reply, void *context)
{
	(void)client, (void)reply;
	free(context);
	return status;
}

enum cpis_status cpis_call_signed_begin(struct cpis_client *client, Cpis__V1__Request *request, const char *staff_key,
					uint32_t deadline_ms)
{
	if (staff_key == NULL)
		return client_fail(client, CPIS_USAGE, "the staff key is missing");
	// Behind the act, so that the path need not outlive this function.
	size_t bytes = strlen(staff_key) + 1;
	struct client_act *act = calloc(1, sizeof *act + bytes);
	if (act == NULL)
		return client_fail(client, CPIS_NO_MEMORY, "no memory for a signature");
	act->staff_key = memcpy(act + 1, staff_key, bytes);
	struct client_job job = {.request = request, .sign = client_sign_act, .finish = forget_act, .context = act};
	return client_call_start(client, &job, deadline_ms);
}
