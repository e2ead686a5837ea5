// Who holds which role profile now: those granted and ended over the broker, and behind them those in the register's
// file. A profile that was granted or ended over the broker counts instead of the file's for the same person, role and
// organisation. The store has them, sealed; this keeps them in memory, because every message is checked against
// them. Changes count from the next message on, in the same batch too; after a batch that was given up the store is
// read again. One thread: the core's.
#ifndef CPIS_BROKER_ROLES_H
#define CPIS_BROKER_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/limits.h"
#include "broker/policy.h"
#include "broker/register.h"
#include "broker/store.h"
#include "broker/stored.pb-c.h"
#include "broker/vault.h"
#include "proto/arena.h"

struct roles;

__attribute__((warn_unused_result)) bool roles_new(struct store *store, struct vault *vault, const struct policy *policy,
						   struct roles **ret);
void roles_free(struct roles *roles); // accepts NULL
// Another policy's activities, from the next roles_load on.
void roles_set_policy(struct roles *roles, const struct policy *policy);
// Reads all from the store. False when they cannot be read: then nobody can be let in.
__attribute__((warn_unused_result)) bool roles_load(struct roles *roles);

// The profile if it holds at `now_ms`, else NULL. Borrowed until the next change of either.
const struct role_profile *roles_find(const struct roles *roles, const struct register_snapshot *snapshot, const char *uid,
				      const char *role_code, const struct ods_code *organisation, uint64_t now_ms);

// Whether the profile holds at `now_ms` or will later.
bool roles_holds_or_will(const struct roles *roles, const struct register_snapshot *snapshot, const char *uid,
			 const char *role_code, const struct ods_code *organisation, uint64_t now_ms);

// Whether this person holds or held any profile at this organisation (NULL: anywhere). Walks the table: for rare acts.
bool roles_has_person(const struct roles *roles, const struct register_snapshot *snapshot, const char *uid,
		      const struct ods_code *organisation);

// Grants or (with until_ms in the past) ends, in the store's batch and in memory. STORE_NO_MEMORY: the table or the
// arena is full.
__attribute__((warn_unused_result)) enum store_status roles_put(struct roles *roles, struct arena *arena,
								const Cpis__Stored__V1__StoredRole *role,
								bool *ret_replaced);

struct roles_entry {
	const struct role_profile *profile;
	const char *granted_by;      // name; "" for the register's file
	uint64_t audit_index;
};
// All of an organisation that hold at `now_ms` or later, by person and role, in the arena. False when it is full.
__attribute__((warn_unused_result)) bool roles_of(const struct roles *roles, const struct register_snapshot *snapshot,
						  const struct ods_code *organisation, uint64_t now_ms,
						  struct arena *arena, struct roles_entry **ret, size_t *ret_count);

#endif
