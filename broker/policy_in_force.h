// Which policy decides now: the broker's own file at first, and from then on the one that was last put in force over the
// broker. Another one takes the place of both policy and register in one step, between two batches, when the batch that
// brought it is durable; until then, and if anything fails, nothing changes. One thread: the core's.
#ifndef CPIS_BROKER_POLICY_IN_FORCE_H
#define CPIS_BROKER_POLICY_IN_FORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/policy.h"
#include "broker/register.h"
#include "broker/store.h"
#include "broker/stored.pb-c.h"
#include "broker/vault.h"
#include "proto/arena.h"

#define POLICY_IN_FORCE_DETAIL_BYTES POLICY_DETAIL_BYTES

// Reads the register by another policy, whose roles and activities it names. False with a sentence.
struct policy_reader {
	bool (*read_register)(void *context, const struct policy *policy, struct register_snapshot **ret,
			      char detail[REGISTER_DETAIL_BYTES]);
	void *context;
};

struct policy_in_force;

// With the policy that the store has, if it has one, and else with `file` (borrowed). False with a sentence when the
// stored one does not open or does not hold.
__attribute__((warn_unused_result)) bool policy_in_force_new(struct store *store, struct vault *vault,
							      const struct policy *file, const struct policy_reader *reader,
							      struct policy_in_force **ret,
							      char detail[POLICY_IN_FORCE_DETAIL_BYTES]);
void policy_in_force_free(struct policy_in_force *in_force); // accepts NULL

const struct policy *policy_in_force_get(const struct policy_in_force *in_force);
// Whether it is the broker's own file. If not, who put it in force and when; borrowed until the next one.
bool policy_in_force_is_file(const struct policy_in_force *in_force);
const Cpis__Stored__V1__StoredPolicy *policy_in_force_origin(const struct policy_in_force *in_force);

// A policy that could be put in force: read, its examples checked, replaceable, and the register read by it.
struct policy_proposal {
	struct policy *policy;
	struct register_snapshot *snapshot;
};
__attribute__((warn_unused_result)) bool policy_proposal_make(const struct policy_in_force *in_force, const uint8_t *bytes,
							       size_t bytes_count, struct policy_proposal *ret,
							       char detail[POLICY_IN_FORCE_DETAIL_BYTES]);
void policy_proposal_done(struct policy_proposal *proposal); // harmless on a zeroed one

// Writes it into the store's batch, and keeps it for policy_in_force_committed. Takes the proposal. `stored` says who and
// when; its text is the proposal's.
__attribute__((warn_unused_result)) enum store_status policy_in_force_put(struct policy_in_force *in_force,
									  struct arena *arena,
									  struct policy_proposal *proposal,
									  const Cpis__Stored__V1__StoredPolicy *stored);
// Keeps the policy of the broker's own file, read anew (borrowed from when policy_in_force_committed gives its register on), and that
// register, for policy_in_force_committed: the store has none of it. Only while the file's is in force.
void policy_in_force_put_file(struct policy_in_force *in_force, const struct policy *file, struct register_snapshot *snapshot);
// The batch is durable. The new policy's register when there is a new policy (the caller's to release), else NULL.
struct register_snapshot *policy_in_force_committed(struct policy_in_force *in_force);
// After a failed commit: reads the store again, because what it kept is not known. As after a commit,
// policy_in_force_committed then gives the register of a policy that is another one. False: it cannot be read.
__attribute__((warn_unused_result)) bool policy_in_force_reload(struct policy_in_force *in_force,
								 char detail[POLICY_IN_FORCE_DETAIL_BYTES]);
// It was given up.
void policy_in_force_abandoned(struct policy_in_force *in_force);

#endif
