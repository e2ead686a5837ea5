// The policy in force, and the one that is about to be.
#include "broker/policy_in_force.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/sealed.h"

static const char identity[] = "policy";
// A policy's text, twice: as a message and sealed.
#define LOAD_ARENA_BYTES (4u * POLICY_BYTES_MAX)

struct loaded {
	struct policy *policy;
	struct register_snapshot *snapshot; // until it is handed out
	Cpis__Stored__V1__StoredPolicy *origin;
};

struct policy_in_force {
	struct store *store;
	struct vault *vault;
	struct policy_reader reader;
	const struct policy *file;
	struct loaded now;  // no policy: the file's
	struct loaded next; // of the batch under way
	const struct policy *next_file; // likewise; not NULL: next has no policy, and its snapshot is by this one
};

static void loaded_done(struct loaded *loaded)
{
	policy_free(loaded->policy);
	register_release(loaded->snapshot);
	if (loaded->origin != NULL)
		cpis__stored__v1__stored_policy__free_unpacked(loaded->origin, NULL);
	*loaded = (struct loaded){0};
}

void policy_in_force_free(struct policy_in_force *in_force)
{
	if (in_force == NULL)
		return;
	loaded_done(&in_force->now);
	loaded_done(&in_force->next);
	free(in_force);
}

const struct policy *policy_in_force_get(const struct policy_in_force *in_force)
{
	return in_force->now.policy != NULL ? in_force->now.policy : in_force->file;
}

bool policy_in_force_is_file(const struct policy_in_force *in_force)
{
	return in_force->now.policy == NULL;
}

const Cpis__Stored__V1__StoredPolicy *policy_in_force_origin(const struct policy_in_force *in_force)
{
	return in_force->now.origin;
}

// ------------------------------------------------------------------ proposing

bool policy_proposal_make(const struct policy_in_force *in_force, const uint8_t *bytes, size_t bytes_count,
			  struct policy_proposal *ret, char detail[POLICY_IN_FORCE_DETAIL_BYTES])
{
	struct policy_proposal proposal = {0};
	char why[REGISTER_DETAIL_BYTES] = "";
	if (!policy_read(bytes, bytes_count, "policy", &proposal.policy, detail))
		return false;
	if (!policy_can_be_replaced(proposal.policy)) {
		snprintf(detail, POLICY_IN_FORCE_DETAIL_BYTES, "after this policy nobody could put another in force: no role "
							       "may do policy_load");
		policy_proposal_done(&proposal);
		return false;
	}
	if (!in_force->reader.read_register(in_force->reader.context, proposal.policy, &proposal.snapshot, why)) {
		snprintf(detail, POLICY_IN_FORCE_DETAIL_BYTES, "the register does not fit it: %.300s", why);
		policy_proposal_done(&proposal);
		return false;
	}
	*ret = proposal;
	return true;
}

void policy_proposal_done(struct policy_proposal *proposal)
{
	policy_free(proposal->policy);
	register_release(proposal->snapshot);
	*proposal = (struct policy_proposal){0};
}

// ------------------------------------------------------------------ putting in force

// A copy that lives as long as the policy does.
static Cpis__Stored__V1__StoredPolicy *copy_origin(const Cpis__Stored__V1__StoredPolicy *stored)
{
	Cpis__Stored__V1__StoredPolicy without_text = *stored;
	without_text.policy = (ProtobufCBinaryData){0, NULL};
	size_t bytes = cpis__stored__v1__stored_policy__get_packed_size(&without_text);
	uint8_t *packed = malloc(bytes + 1);
	if (packed == NULL)
		return NULL;
	cpis__stored__v1__stored_policy__pack(&without_text, packed);
	Cpis__Stored__V1__StoredPolicy *copy = cpis__stored__v1__stored_policy__unpack(NULL, bytes, packed);
	free(packed);
	return copy;
}

static void keep_next(struct policy_in_force *in_force, struct policy_proposal *proposal,
		      Cpis__Stored__V1__StoredPolicy *origin)
{
	loaded_done(&in_force->next);
	in_force->next = (struct loaded){.policy = proposal->policy, .snapshot = proposal->snapshot, .origin = origin};
	*proposal = (struct policy_proposal){0};
}

enum store_status policy_in_force_put(struct policy_in_force *in_force, struct arena *arena,
				      struct policy_proposal *proposal, const Cpis__Stored__V1__StoredPolicy *stored)
{
	Cpis__Stored__V1__StoredPolicy whole = *stored;
	size_t bytes;
	const uint8_t *text = policy_text(proposal->policy, &bytes);
	whole.policy = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)text};
	struct store_blob sealed = sealed_make(in_force->vault, arena, VAULT_POLICY, identity, sizeof identity, &whole.base);
	Cpis__Stored__V1__StoredPolicy *origin = copy_origin(stored);
	enum store_status status = STORE_NO_MEMORY;
	if (sealed.data != NULL && origin != NULL)
		status = in_force->store->ops->policy_put(in_force->store, sealed);
	if (status == STORE_OK) {
		keep_next(in_force, proposal, origin);
		return STORE_OK;
	}
	if (origin != NULL)
		cpis__stored__v1__stored_policy__free_unpacked(origin, NULL);
	policy_proposal_done(proposal);
	return status;
}

void policy_in_force_put_file(struct policy_in_force *in_force, const struct policy *file, struct register_snapshot *snapshot)
{
	loaded_done(&in_force->next);
	in_force->next.snapshot = register_retain(snapshot);
	in_force->next_file = file;
}

struct register_snapshot *policy_in_force_committed(struct policy_in_force *in_force)
{
	struct register_snapshot *snapshot = in_force->next.snapshot;
	if (in_force->next_file != NULL) {
		in_force->file = in_force->next_file;
		in_force->next_file = NULL;
		in_force->next = (struct loaded){0};
		return snapshot;
	}
	if (in_force->next.policy == NULL)
		return NULL;
	loaded_done(&in_force->now);
	in_force->now = in_force->next;
	in_force->now.snapshot = NULL;
	in_force->next = (struct loaded){0};
	return snapshot;
}

void policy_in_force_abandoned(struct policy_in_force *in_force)
{
	loaded_done(&in_force->next);
	in_force->next_file = NULL;
}

// ------------------------------------------------------------------ from the store

static bool read_stored(struct policy_in_force *in_force, struct arena *arena, char detail[POLICY_IN_FORCE_DETAIL_BYTES])
{
	struct store_blob sealed;
	struct policy_proposal proposal = {0};
	char why[POLICY_IN_FORCE_DETAIL_BYTES] = "";
	enum store_status status = in_force->store->ops->policy_get(in_force->store, arena, &sealed);
	if (status == STORE_NOT_FOUND)
		return true;
	const Cpis__Stored__V1__StoredPolicy *stored = NULL;
	if (status == STORE_OK)
		stored = (const Cpis__Stored__V1__StoredPolicy *)sealed_open(in_force->vault, arena, VAULT_POLICY, identity,
									     sizeof identity, sealed,
									     &cpis__stored__v1__stored_policy__descriptor);
	if (stored == NULL) {
		snprintf(detail, POLICY_IN_FORCE_DETAIL_BYTES, "the stored policy cannot be read: is this the store's key?");
		return false;
	}
	// The record that brought it names it.
	if (in_force->now.origin != NULL && in_force->now.origin->audit_index == stored->audit_index)
		return true;
	Cpis__Stored__V1__StoredPolicy *origin = copy_origin(stored);
	if (origin == NULL || !policy_proposal_make(in_force, stored->policy.data, stored->policy.len, &proposal, why)) {
		if (origin != NULL)
			cpis__stored__v1__stored_policy__free_unpacked(origin, NULL);
		snprintf(detail, POLICY_IN_FORCE_DETAIL_BYTES, "the stored policy: %.350s", why);
		return false;
	}
	keep_next(in_force, &proposal, origin);
	return true;
}

bool policy_in_force_reload(struct policy_in_force *in_force, char detail[POLICY_IN_FORCE_DETAIL_BYTES])
{
	struct arena arena;
	if (!arena_init(&arena, LOAD_ARENA_BYTES)) {
		arena_done(&arena);
		snprintf(detail, POLICY_IN_FORCE_DETAIL_BYTES, "out of memory");
		return false;
	}
	bool good = read_stored(in_force, &arena, detail);
	arena_done(&arena);
	return good;
}

bool policy_in_force_new(struct store *store, struct vault *vault, const struct policy *file,
			 const struct policy_reader *reader, struct policy_in_force **ret,
			 char detail[POLICY_IN_FORCE_DETAIL_BYTES])
{
	struct policy_in_force *in_force = calloc(1, sizeof *in_force);
	if (in_force == NULL) {
		snprintf(detail, POLICY_IN_FORCE_DETAIL_BYTES, "out of memory");
		return false;
	}
	in_force->store = store;
	in_force->vault = vault;
	in_force->file = file;
	in_force->reader = *reader;
	if (!policy_in_force_reload(in_force, detail)) {
		policy_in_force_free(in_force);
		return false;
	}
	*ret = in_force;
	return true;
}
