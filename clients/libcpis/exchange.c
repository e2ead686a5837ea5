// Exchanging checkpoints: what others were shown of the log, compared with what this client was shown.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/libcpis/client_priv.h"
#include "proto/ods_code.h"

#define EXCHANGE_MS (3600u * 1000u)
#define RETRY_MS (300u * 1000u) // after one that came to nothing: it fails most when the broker has most to do
#define SEEN_MAX (HELD_CHECKPOINTS_MAX + 3u)

struct exchange {
	struct cpis_client *client;
	uint64_t end_ms;                   // monotonic, of all calls
	bool undecided;                    // the broker could not give a proof now
	struct checkpoint seen[SEEN_MAX];  // compared already: many hold the same
	size_t seen_count;
};

// ------------------------------------------------------------------ what is remembered

static void path_beside(const struct cpis_client *client, const char *what, char out[CLIENT_PATH_BYTES + 32])
{
	snprintf(out, CLIENT_PATH_BYTES + 32, "%s.%s", client->checkpoint_file, what);
}

// When the last exchange was, and where to go on. Whoever loses it exchanges sooner, and no more than that.
static void load_state(struct cpis_client *client)
{
	char path[CLIENT_PATH_BYTES + 32];
	unsigned long long exchanged_ms, after;
	path_beside(client, "exchange", path);
	FILE *file = fopen(path, "re");
	if (file != NULL && fscanf(file, "%llu %llu", &exchanged_ms, &after) == 2) {
		client->exchanged_ms = exchanged_ms;
		client->exchange_after = after;
	}
	if (file != NULL)
		fclose(file);
}

struct witnessed {
	uint64_t size;
	uint64_t since_s;
};

static bool is_witnessed(const struct cpis_client *client, const char *note, struct witnessed *ret)
{
	struct checkpoint checkpoint;
	if (!client->witnesses.required || checkpoint_verify(note, strlen(note), &client->log, &checkpoint) != CERTS_OK)
		return false;
	ret->size = checkpoint.size;
	return witness_policy_holds(&client->witnesses, note, client_now_ms() / 1000, &ret->since_s);
}

// One that does not hold (any more: the bundle may want other witnesses now) is none.
static void load_witnessed(struct cpis_client *client)
{
	char path[CLIENT_PATH_BYTES + 32], note[NOTE_BYTES_MAX + 1];
	struct witnessed witnessed;
	path_beside(client, "witnessed", path);
	FILE *file = fopen(path, "re");
	size_t bytes = file == NULL ? 0 : fread(note, 1, NOTE_BYTES_MAX, file);
	if (file != NULL)
		fclose(file);
	note[bytes] = '\0';
	if (bytes > 0 && is_witnessed(client, note, &witnessed))
		memcpy(client->witnessed_note, note, bytes + 1);
}

void client_load_exchange(struct cpis_client *client)
{
	if (client->checkpoint_file[0] == '\0')
		return;
	load_state(client);
	load_witnessed(client);
}

static enum cpis_status save(struct cpis_client *client, const char *what, const char *text)
{
	char path[CLIENT_PATH_BYTES + 32];
	path_beside(client, what, path);
	return client_replace_file(client, path, text);
}

static enum cpis_status remember_exchange(struct cpis_client *client, uint64_t after, uint32_t due_ms)
{
	char text[64];
	client->exchanged_ms = client_now_ms() - (EXCHANGE_MS - due_ms);
	client->exchange_after = after;
	snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)client->exchanged_ms, (unsigned long long)after);
	return client->checkpoint_file[0] == '\0' ? CPIS_OK : save(client, "exchange", text);
}

static enum cpis_status take_over(struct cpis_client *client, const Cpis__V1__CheckpointExchangeReply *reply)
{
	struct witnessed theirs, own;
	client->to_cosign_note[0] = '\0';
	if (reply->to_cosign != NULL)
		snprintf(client->to_cosign_note, sizeof client->to_cosign_note, "%s", reply->to_cosign->checkpoint);
	// A smaller one is older, whatever its witnesses say about the time.
	if (reply->witnessed == NULL || !is_witnessed(client, reply->witnessed->checkpoint, &theirs) ||
	    (is_witnessed(client, client->witnessed_note, &own) && (own.since_s >= theirs.since_s || own.size > theirs.size)))
		return CPIS_OK;
	snprintf(client->witnessed_note, sizeof client->witnessed_note, "%s", reply->witnessed->checkpoint);
	return client->checkpoint_file[0] == '\0' ? CPIS_OK : save(client, "witnessed", client->witnessed_note);
}

// ------------------------------------------------------------------ comparing

static enum cpis_status fork_found(struct cpis_client *client, const Cpis__V1__HeldCheckpoint *held,
				   const struct checkpoint *theirs, const struct checkpoint *own)
{
	char who[ODS_CODE_BYTES_MAX + SYSTEM_NAME_BYTES_MAX + 8], what[256];
	if (held->organisation[0] == '\0')
		snprintf(who, sizeof who, "the witnesses");
	else
		snprintf(who, sizeof who, "%s of %s", held->system_name, held->organisation);
	snprintf(what, sizeof what, "The log of %llu records that %s was shown and the one of %llu that this system was shown are two",
		 (unsigned long long)theirs->size, who, (unsigned long long)own->size);
	struct client_fork fork = {.what = what, .who = who, .theirs = held->checkpoint, .keep_by_theirs = true};
	return client_found_fork(client, CPIS_LOG_FORKED, &fork);
}

// Whether the log of which this client holds a larger checkpoint begins with theirs. `ret_one` as far as that is decided.
static enum cpis_status ask_for_proof(struct exchange *exchange, const struct checkpoint *theirs, const struct checkpoint *own,
				      bool *ret_one)
{
	Cpis__V1__AuditConsistencyRequest body = CPIS__V1__AUDIT_CONSISTENCY_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	body.old_size = theirs->size;
	body.new_size = own->size;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY;
	request.audit_consistency = &body;
	uint64_t now_ms = client_monotonic_ms();
	if (now_ms >= exchange->end_ms)
		return client_fail(exchange->client, CPIS_TIMEOUT, "the proofs took too long");
	enum cpis_status status = cpis_call(exchange->client, &request, (uint32_t)(exchange->end_ms - now_ms), &reply);
	if (status != CPIS_OK)
		return status;
	switch (reply->outcome) {
	case CPIS__V1__OUTCOME__OK:
		*ret_one = client_growth_holds(theirs, own, reply->audit_consistency->n_path, reply->audit_consistency->path);
		break;
	case CPIS__V1__OUTCOME__NO_RECORD_FOUND:
		*ret_one = strcmp(reply->reason_code, "no_such_size") != 0;
		break;
	default:
		*ret_one = true;
		break;
	}
	// Any other refusal says nothing about the log.
	if (reply->outcome != CPIS__V1__OUTCOME__OK && *ret_one) {
		exchange->undecided = true;
		(void)client_fail(exchange->client, CPIS_OK, "the broker could not prove now that what others were shown is of the same "
				  "log: %s (%s)", reply->reason, reply->reason_code);
	}
	cpis_reply_free(reply);
	return CPIS_OK;
}

static bool was_seen(struct exchange *exchange, const struct checkpoint *checkpoint)
{
	for (size_t i = 0; i < exchange->seen_count; i++)
		if (exchange->seen[i].size == checkpoint->size &&
		    memcmp(&exchange->seen[i].root, &checkpoint->root, sizeof checkpoint->root) == 0)
			return true;
	exchange->seen[exchange->seen_count++] = *checkpoint;
	return false;
}

static enum cpis_status compare(struct exchange *exchange, const Cpis__V1__HeldCheckpoint *held)
{
	struct cpis_client *client = exchange->client;
	struct checkpoint theirs, own = client->newest;
	if (held == NULL)
		return CPIS_OK;
	enum certs_status signature = checkpoint_verify(held->checkpoint, strlen(held->checkpoint), &client->log, &theirs);
	if (signature != CERTS_OK)
		return client_fail(client, CPIS_PROTOCOL, "a checkpoint that the broker hands out is none of this log: %s",
				   certs_status_text(signature));
	if (was_seen(exchange, &theirs))
		return CPIS_OK;
	bool one = false;
	enum cpis_status status = CPIS_OK;
	// The receipt of this very exchange is newer than whatever anybody can have handed in before it.
	if (theirs.size == own.size || theirs.size == 0)
		one = client_growth_holds(&theirs, &own, 0, NULL);
	else if (theirs.size < own.size)
		status = ask_for_proof(exchange, &theirs, &own, &one);
	if (status != CPIS_OK)
		return status;
	return one ? CPIS_OK : fork_found(client, held, &theirs, &own);
}

static enum cpis_status compare_all(struct exchange *exchange, const Cpis__V1__CheckpointExchangeReply *reply)
{
	enum cpis_status status = CPIS_OK;
	for (size_t i = 0; i < reply->n_held && status == CPIS_OK; i++)
		status = compare(exchange, reply->held[i]);
	if (status == CPIS_OK)
		status = compare(exchange, reply->to_cosign);
	return status == CPIS_OK ? compare(exchange, reply->witnessed) : status;
}

// ------------------------------------------------------------------ the exchange

static enum cpis_status judge(struct exchange *exchange, const Cpis__V1__Reply *reply, bool *ret_compared)
{
	struct cpis_client *client = exchange->client;
	if (reply->outcome != CPIS__V1__OUTCOME__OK) {
		(void)client_fail(client, CPIS_OK, "%s (%s)", reply->reason, reply->reason_code);
		// A broker that does not know the operation yet is asked again in an hour.
		bool is_old = reply->outcome == CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED;
		return remember_exchange(client, 0, is_old ? EXCHANGE_MS : RETRY_MS);
	}
	enum cpis_status status = compare_all(exchange, reply->checkpoint_exchange);
	if (status != CPIS_OK)
		return status;
	if (exchange->undecided)
		return remember_exchange(client, client->exchange_after, RETRY_MS);
	status = take_over(client, reply->checkpoint_exchange);
	if (status == CPIS_OK)
		status = remember_exchange(client, reply->checkpoint_exchange->after, EXCHANGE_MS);
	*ret_compared = status == CPIS_OK;
	return status;
}

enum cpis_status cpis_exchange_checkpoints(struct cpis_client *client, const char *note, uint32_t deadline_ms, bool *ret_compared)
{
	Cpis__V1__CheckpointExchangeRequest body = CPIS__V1__CHECKPOINT_EXCHANGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	struct exchange exchange = {.client = client, .end_ms = client_monotonic_ms() + deadline_ms};
	char sent[NOTE_BYTES_MAX + 1];
	*ret_compared = false;
	if ((size_t)snprintf(sent, sizeof sent, "%s", note == NULL ? client->newest_note : note) >= sizeof sent)
		return client_fail(client, CPIS_USAGE, "the note is longer than a note may be");
	body.checkpoint = sent;
	body.after = client->exchange_after;
	request.body_case = CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE;
	request.checkpoint_exchange = &body;
	// The growth from there to the receipt's checkpoint is proven with it.
	exchange.seen[exchange.seen_count++] = client->newest;
	enum cpis_status status = cpis_call(client, &request, deadline_ms, &reply);
	if (status == CPIS_OK)
		status = judge(&exchange, reply, ret_compared);
	cpis_reply_free(reply);
	if (status == CPIS_TIMEOUT && remember_exchange(client, client->exchange_after, RETRY_MS) != CPIS_OK)
		return CPIS_STATE;
	client->exchange_failed = status != CPIS_OK || !*ret_compared;
	return status;
}

static bool is_recent(const struct cpis_client *client, uint64_t age_max_s)
{
	struct witnessed own;
	uint64_t now_s = client_now_ms() / 1000;
	return is_witnessed(client, client->witnessed_note, &own) && (own.since_s >= now_s || now_s - own.since_s <= age_max_s);
}

enum cpis_status cpis_require_witnessed(struct cpis_client *client, uint64_t age_max_s, uint32_t deadline_ms)
{
	bool compared;
	if (!client->witnesses.required)
		return client_fail(client, CPIS_USAGE, "the trust bundle has no log.policy that asks for witnesses");
	if (is_recent(client, age_max_s))
		return CPIS_OK;
	// One that came to nothing a moment ago is not tried again by the same client.
	enum cpis_status status = client->exchange_failed ? CPIS_OK
							  : cpis_exchange_checkpoints(client, NULL, deadline_ms, &compared);
	if (status != CPIS_OK || is_recent(client, age_max_s))
		return status;
	return client_fail(client, CPIS_LOG_UNWITNESSED,
			   client->witnessed_note[0] == '\0' ? "the broker has no checkpoint that a quorum of witnesses has cosigned"
							     : "the newest checkpoint that a quorum of witnesses has cosigned is older "
							       "than %llu s", (unsigned long long)age_max_s);
}

bool cpis_exchange_is_due(const struct cpis_client *client)
{
	uint64_t now_ms = client_now_ms();
	// A time that is still to come is of a clock that was wrong. Of the log before this one the broker takes nothing.
	return client->checkpoint_file[0] != '\0' && client->newest.size > 0 && !client_remembers_previous(client) &&
	       (client->exchanged_ms > now_ms || now_ms - client->exchanged_ms >= EXCHANGE_MS);
}

const char *cpis_checkpoint_to_cosign(const struct cpis_client *client)
{
	return client->to_cosign_note;
}

const char *cpis_witnessed_checkpoint(const struct cpis_client *client)
{
	return client->witnessed_note;
}
