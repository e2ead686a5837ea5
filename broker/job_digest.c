// Digests: what was held back in an hour, for an authority that wants it so, together. What is held back is durable from the
// look's own commit on, and leaves in the same commit in which its digest is put: at whatever moment the broker dies, each is in
// one of the two places.
#include "broker/inbox.h"
#include "broker/job.h"

#define HOUR_MS (60ull * 60u * 1000u)
// So that a page of an inbox has room for several, and one read of them for memory.
#define DIGEST_BYTES_MAX (16u * 1024u)
#define ROWS_AT_A_TIME 16u

// The held notifications of one digest.
struct batch {
	struct store_inbox_item rows[PAGE_ITEMS_MAX];
	Cpis__V1__AccessNotification *looks[PAGE_ITEMS_MAX];
	size_t count, bytes;
};

// False: it is full.
static bool add(struct batch *batch, const struct store_inbox_item *row, const Cpis__V1__InboxItem *item)
{
	size_t bytes = protobuf_c_message_get_packed_size(&item->base);
	if (batch->count == PAGE_ITEMS_MAX || batch->bytes + bytes > DIGEST_BYTES_MAX)
		return false;
	batch->bytes += bytes;
	batch->rows[batch->count] = *row;
	batch->looks[batch->count++] = item->access;
	return true;
}

// One that does not open is tried again an hour later, and told of in the log each time; the others go on.
static bool put_off(struct op_context *context, struct store_inbox_item *row)
{
	row->due_ms = context->now_ms + HOUR_MS;
	return context->store->ops->inbox_update(context->store, row) == STORE_OK;
}

// The oldest of this organisation's that are due with `first`, as many as fit.
static bool collect(struct op_context *context, const struct store_inbox_item *first, struct batch *batch)
{
	uint64_t after_id = 0;
	size_t found;
	do {
		struct store_inbox_item *rows = NULL;
		if (context->store->ops->inbox_list(context->store, STORE_BOX_HELD, &first->organisation, after_id, false,
						    ROWS_AT_A_TIME, context->arena, &rows, &found) != STORE_OK)
			return false;
		for (size_t i = 0; i < found; i++) {
			after_id = rows[i].id;
			if (rows[i].due_ms != first->due_ms)
				continue;
			const Cpis__V1__InboxItem *item = inbox_open(context, STORE_BOX_HELD, &rows[i]);
			if (item == NULL && !put_off(context, &rows[i]))
				return false;
			if (item != NULL && !add(batch, &rows[i], item))
				return true;
		}
	} while (found == ROWS_AT_A_TIME);
	return true;
}

// Taken out of what is held: settled by nobody.
static bool let_go(struct op_context *context, struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		batch->rows[i].acknowledged_ms = context->now_ms;
		batch->rows[i].due_ms = 0;
		if (context->store->ops->inbox_update(context->store, &batch->rows[i]) != STORE_OK)
			return false;
	}
	return true;
}

enum job_result job_digest(struct op_context *context, struct job_tally *tally)
{
	struct store_inbox_item *due = NULL;
	size_t count = 0;
	struct batch batch = {.count = 0};
	Cpis__V1__AccessDigest digest = CPIS__V1__ACCESS_DIGEST__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	(void)tally;
	if (context->store->ops->inbox_due(context->store, STORE_BOX_HELD, context->now_ms, 1, context->arena, &due, &count) !=
	    STORE_OK)
		return JOB_FAILED;
	if (count == 0)
		return JOB_IDLE;
	if (!collect(context, &due[0], &batch))
		return JOB_FAILED;
	if (batch.count == 0)
		return JOB_MORE;
	digest.from_ms = due[0].due_ms - HOUR_MS;
	digest.until_ms = due[0].due_ms;
	digest.accesses = batch.looks;
	digest.n_accesses = batch.count;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_DIGEST;
	item.digest = &digest;
	if (inbox_put(context, due[0].organisation.text, &item) != REASON_NONE || !let_go(context, &batch))
		return JOB_FAILED;
	return JOB_MORE;
}
