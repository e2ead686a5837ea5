// Systems that were invited to enrol, and the keys that were presented with their one-time codes (proto/cpis.proto,
// "enrolment"). The store has them, sealed; this keeps them in memory. Changes count from the next message on; after a batch
// that was given up the store is read again. One thread: the core's.
//
// An invitation is open until its time is over or it is withdrawn. One that is not stays known for as long as there is room,
// so that the audit record of whoever still comes with its code can say what became of it.
#ifndef CPIS_BROKER_ENROLMENTS_H
#define CPIS_BROKER_ENROLMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"
#include "broker/store.h"
#include "broker/vault.h"
#include "certs/identity.h"
#include "proto/arena.h"

struct enrolments_entry {
	struct store_tag code;       // keyed tag of the one-time code's hash
	struct ods_code organisation;
	char system_name[SYSTEM_NAME_BYTES_MAX + 1];
	char invited_by_uid[UID_DIGITS + 1];
	char invited_by_name[IDENTITY_NAME_BYTES_MAX + 1];
	uint64_t invited_ms, until_ms;
	uint64_t audit_index;        // of the invitation
	uint64_t presented_ms;       // 0: no key was presented
	uint8_t public_key[CHANNEL_KEY_BYTES];
	uint64_t withdrawn_ms;       // 0: it was not
};

struct enrolments;

// False when there is no memory.
__attribute__((warn_unused_result)) bool enrolments_new(struct store *store, struct vault *vault, struct enrolments **ret);
void enrolments_free(struct enrolments *enrolments); // accepts NULL
// Reads all from the store. False when they cannot be read.
__attribute__((warn_unused_result)) bool enrolments_load(struct enrolments *enrolments);

bool enrolments_is_open(const struct enrolments_entry *entry, uint64_t now_ms);

// Open or not; NULL when there is none. Borrowed until the next change.
const struct enrolments_entry *enrolments_find(const struct enrolments *enrolments, const struct ods_code *organisation,
					       const char *system_name);
const struct enrolments_entry *enrolments_by_code(const struct enrolments *enrolments, const struct store_tag *code);
// The open one that this key was presented with.
const struct enrolments_entry *enrolments_by_key(const struct enrolments *enrolments,
						 const uint8_t public_key[CHANNEL_KEY_BYTES], uint64_t now_ms);
// Those that are open, the oldest first, in the arena. False when that is full.
__attribute__((warn_unused_result)) bool enrolments_open(const struct enrolments *enrolments, uint64_t now_ms,
							 struct arena *arena, const struct enrolments_entry ***ret,
							 size_t *ret_count);

// Inserts, or replaces by organisation and name, in the store's batch and in memory. `entry` may be one of ours. Makes room
// by forgetting the one that ended first. STORE_NO_MEMORY: all are open, or the arena is full.
__attribute__((warn_unused_result)) enum store_status enrolments_put(struct enrolments *enrolments, struct arena *arena,
								     const struct enrolments_entry *entry,
								     uint64_t now_ms);
// Whether there is room for one more, ended ones forgotten.
bool enrolments_has_room(const struct enrolments *enrolments, uint64_t now_ms);

#endif
