// POLICY_LOAD: puts another policy in force, or says what would change.
#include <string.h>

#include "broker/op.h"

struct changes {
	struct op_context *context;
	Cpis__V1__PolicyLoadReply *reply;
	bool full;
};

static void note_change(void *context, const char *sentence)
{
	struct changes *changes = context;
	Cpis__V1__PolicyLoadReply *reply = changes->reply;
	size_t bytes = strlen(sentence);
	changes->full = changes->full || reply->n_examples == PAGE_ITEMS_MAX || bytes > TEXT_BYTES_MAX;
	if (changes->full)
		return;
	char *copy = arena_copy_text(changes->context->arena, sentence, bytes);
	if (copy == NULL)
		changes->full = true;
	else
		reply->examples[reply->n_examples++] = copy;
}

static bool compare(struct op_context *context, const struct policy *proposed, Cpis__V1__PolicyLoadReply *reply)
{
	struct changes changes = {.context = context, .reply = reply};
	reply->examples = arena_alloc(context->arena, PAGE_ITEMS_MAX * sizeof *reply->examples);
	reply->version = arena_copy_text(context->arena, policy_version(proposed), strlen(policy_version(proposed)));
	reply->version_before = op_text(policy_version(context->policy));
	if (reply->examples == NULL || reply->version == NULL)
		return false;
	reply->changes = (uint32_t)policy_compare(context->policy, proposed, note_change, &changes);
	return true;
}

// It may quote what was sent; a sentence of the protocol is clean text.
static void make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static enum reason put_in_force(struct op_context *context, struct policy_proposal *proposal, const char *reason)
{
	Cpis__Stored__V1__StoredPolicy stored = CPIS__STORED__V1__STORED_POLICY__INIT;
	stored.loaded_by_uid = context->session->uid;
	stored.loaded_by_name = context->session->name;
	stored.loaded_ms = context->now_ms;
	stored.audit_index = context->audit_index;
	stored.reason = op_text(reason);
	enum store_status status = policy_in_force_put(context->in_force, context->arena, proposal, &stored);
	if (status == STORE_OK)
		return REASON_NONE;
	return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
}

enum reason op_policy_load(struct op_context *context)
{
	const Cpis__V1__PolicyLoadRequest *request = context->request->policy_load;
	struct policy_proposal proposal = {0};
	char detail[POLICY_IN_FORCE_DETAIL_BYTES] = "";
	Cpis__V1__PolicyLoadReply *reply = OP_NEW(context, Cpis__V1__PolicyLoadReply, cpis__v1__policy_load_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	context->detail->reason = request->reason;
	if (!policy_proposal_make(context->in_force, request->policy.data, request->policy.len, &proposal, detail)) {
		make_plain(detail);
		context->refusal = arena_printf(context->arena, "The policy cannot be put in force: %.150s", detail);
		return REASON_POLICY_INVALID;
	}
	if (!compare(context, proposal.policy, reply)) {
		policy_proposal_done(&proposal);
		return REASON_INTERNAL;
	}
	context->detail->target = reply->version;
	context->detail->count = reply->changes;
	if (request->check_only) {
		policy_proposal_done(&proposal);
	} else {
		enum reason reason = put_in_force(context, &proposal, request->reason);
		if (reason != REASON_NONE)
			return reason;
	}
	context->reply->policy_load = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_POLICY_LOAD;
	return REASON_NONE;
}
