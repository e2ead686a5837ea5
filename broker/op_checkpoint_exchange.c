// CHECKPOINT_EXCHANGE: what each system was shown of the log is kept and shown to the others. A checkpoint that this log's key
// signed and that is not of this log is proof that a copy of it, or of the key, has been used: it is handed out like any other,
// because that is what it is for.
#include "broker/op.h"

#include <string.h>

#include "broker/log.h"
#include "broker/witnessing.h"
#include "proto/date.h"

// Names and numbers of one.
#define HELD_BYTES_MAX (CHECKPOINT_BYTES_MAX + ODS_CODE_BYTES_MAX + SYSTEM_NAME_BYTES_MAX + 32u)
_Static_assert((HELD_CHECKPOINTS_MAX + 2u) * HELD_BYTES_MAX + 16u <= OP_BODY_BYTES_MAX, "an exchange fits a reply");

// ------------------------------------------------------------------ what is handed in

static bool fetch_node(void *at, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct store *store = at;
	return store->ops->audit_node(store, ((number + 1) << height) - 1, height, ret) == STORE_OK;
}

// Whether the checkpoint is of this log: of a tree that it has had.
static enum reason compare(struct op_context *context, const struct checkpoint *checkpoint, bool *ret_fits)
{
	struct merkle_hash root;
	struct merkle_tree tree;
	// Nobody can hold one of a batch that is not committed.
	*ret_fits = checkpoint->size <= audit_root(context->audit, &root);
	if (!*ret_fits)
		return REASON_NONE;
	if (!merkle_tree_load(checkpoint->size, fetch_node, context->store, &tree))
		return REASON_STORE;
	merkle_root(&tree, &root);
	*ret_fits = memcmp(&root, &checkpoint->root, sizeof root) == 0;
	return REASON_NONE;
}

// A backup was put back here that is older than what others were shown: how much is missing is known as far as they know it.
static void tell_of_loss(struct op_context *context, const struct store_heard *heard)
{
	struct store *store = context->store;
	struct store_cosigned backup = {0};
	struct checkpoint restored;
	char when[25];
	if (store->ops->cosigned_get(store, STORE_RESTORED, context->arena, &backup) != STORE_OK ||
	    checkpoint_verify(backup.note, strlen(backup.note), context->log, &restored) != CERTS_OK ||
	    heard->size <= restored.size)
		return;
	instant_format(backup.time_ms, when);
	log_event(LOG_EVENT_RECORDS_MISSING,
		  "a backup of %llu records was put back, the newest of %s: at least %llu records made after it are lost, and what "
		  "was published then; this log cannot be gone on with: `cpis-broker --missing CONFIG` says what to do",
		  (unsigned long long)restored.size, when, (unsigned long long)(heard->size - restored.size));
}

// Before the commit, so after a commit that failed it is said again.
static enum reason tell_of_fork(struct op_context *context, const struct store_heard *heard)
{
	struct merkle_hash root;
	unsigned long long size = heard->size, own = audit_root(context->audit, &root);
	log_event(LOG_EVENT_LOG_FORKED,
		  "%s of %s was shown a log of %llu records that this log's key signed and that is not this log of %llu: a copy of "
		  "the store was put back or is in use, or the key is in other hands",
		  heard->system_name, heard->organisation.text, size, own);
	tell_of_loss(context, heard);
	context->detail->reason = arena_printf(context->arena,
					       "FORKED: the checkpoint of %llu records that was handed in is signed by this log's "
					       "key and is not of this log, which has %llu.", size, own);
	return context->detail->reason == NULL ? REASON_INTERNAL : REASON_NONE;
}

// The log's own signature, and those of witnesses that verify: nothing else is passed on to others.
static const char *clean(struct op_context *context, const char *note)
{
	char stripped[NOTE_BYTES_MAX + 1], merged[NOTE_BYTES_MAX + 1];
	if (checkpoint_strip(note, context->log, stripped) != CERTS_OK)
		return NULL;
	const struct witness_policy *policy = context->witnessing->policy;
	for (unsigned i = 0; i < policy->count; i++)
		if (cosignature_take(stripped, note, &policy->witnesses[i].key, merged) == CERTS_OK)
			strcpy(stripped, merged);
	return arena_copy_text(context->arena, stripped, strlen(stripped));
}

static enum reason read_note(struct op_context *context, const char *note, struct store_heard *ret)
{
	const struct enrolled_system *system = register_system(context->snapshot, context->channel_key);
	struct checkpoint checkpoint;
	enum certs_status status = checkpoint_verify(note, strlen(note), context->log, &checkpoint);
	if (status != CERTS_OK)
		return status == CERTS_NAME ? REASON_CHECKPOINT_OTHER_LOG : REASON_CHECKPOINT_INVALID;
	enum reason reason = witnessing_check(context->witnessing, note, context->now_ms);
	if (reason == REASON_NONE)
		reason = compare(context, &checkpoint, &ret->fits);
	if (reason != REASON_NONE)
		return reason;
	ret->organisation = context->organisation->ods;
	ret->received_ms = context->now_ms;
	memcpy(ret->system_name, system->identity.name, sizeof ret->system_name);
	// Only a key in other hands signs more than the store can number.
	ret->size = checkpoint.size > INT64_MAX ? INT64_MAX : checkpoint.size;
	ret->note = clean(context, note);
	if (ret->note == NULL)
		return REASON_INTERNAL;
	return ret->fits ? REASON_NONE : tell_of_fork(context, ret);
}

static enum reason keep(struct op_context *context, const struct store_heard *heard)
{
	struct store *store = context->store;
	return store->ops->heard_put(store, heard) == STORE_OK &&
			       store->ops->heard_expire(store, 2 * register_systems_count(context->snapshot)) == STORE_OK
		       ? REASON_NONE
		       : REASON_STORE;
}

// ------------------------------------------------------------------ what is handed out

static bool add(struct op_context *context, const struct store_heard *row, Cpis__V1__CheckpointExchangeReply *reply)
{
	Cpis__V1__HeldCheckpoint *held = OP_NEW(context, Cpis__V1__HeldCheckpoint, cpis__v1__held_checkpoint__init);
	if (held == NULL)
		return false;
	held->checkpoint = op_text(row->note);
	held->organisation = op_text(row->organisation.text);
	held->system_name = op_text(row->system_name);
	held->time_ms = row->received_ms;
	reply->held[reply->n_held++] = held;
	return true;
}

// The largest always; of the others so many in turn that everybody's is shown to everybody in time.
static enum reason hand_out(struct op_context *context, Cpis__V1__CheckpointExchangeReply *reply)
{
	struct store *store = context->store;
	struct store_heard *largest = arena_alloc(context->arena, sizeof *largest), *rows = NULL;
	size_t count = 0;
	reply->held = arena_alloc(context->arena, HELD_CHECKPOINTS_MAX * sizeof *reply->held);
	if (largest == NULL || reply->held == NULL)
		return REASON_INTERNAL;
	enum store_status status = store->ops->heard_largest(store, context->arena, largest);
	if (status == STORE_NOT_FOUND)
		return REASON_NONE;
	if (status != STORE_OK ||
	    store->ops->heard_after(store, context->request->checkpoint_exchange->after, HELD_CHECKPOINTS_MAX, context->arena,
				    &rows, &count) != STORE_OK)
		return REASON_STORE;
	if (!add(context, largest, reply))
		return REASON_INTERNAL;
	bool more = count == HELD_CHECKPOINTS_MAX;
	count -= more;
	for (size_t i = 0; i < count; i++)
		if (rows[i].id != largest->id && !add(context, &rows[i], reply))
			return REASON_INTERNAL;
	reply->after = more ? rows[count - 1].id : 0;
	return REASON_NONE;
}

enum reason op_checkpoint_exchange(struct op_context *context)
{
	const char *note = context->request->checkpoint_exchange->checkpoint;
	Cpis__V1__CheckpointExchangeReply *reply =
		OP_NEW(context, Cpis__V1__CheckpointExchangeReply, cpis__v1__checkpoint_exchange_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	struct store_heard heard;
	enum reason reason = note[0] == '\0' ? REASON_NONE : read_note(context, note, &heard);
	// Its own is nothing new to who asks.
	if (reason == REASON_NONE)
		reason = hand_out(context, reply);
	if (reason == REASON_NONE && note[0] != '\0')
		reason = keep(context, &heard);
	if (reason == REASON_NONE)
		reason = witnessing_exchange(context, note, reply);
	context->reply->checkpoint_exchange = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_CHECKPOINT_EXCHANGE;
	return reason;
}
