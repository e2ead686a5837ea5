// Whom the broker does not answer for now: systems, organisations, people and certificates. The store has the entries,
// sealed; this keeps them opened in memory, because every message is checked against them. Changes count from the next
// message on, in the same batch too; after a batch that was given up the store is read again.
// One thread: the core's.
#ifndef CPIS_BROKER_QUARANTINE_H
#define CPIS_BROKER_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/limits.h"
#include "broker/store.h"
#include "broker/vault.h"
#include "certs/identity.h"
#include "proto/wire.h"

struct quarantine;

// False when there is no memory.
__attribute__((warn_unused_result)) bool quarantine_new(struct store *store, struct vault *vault, struct quarantine **ret);
void quarantine_free(struct quarantine *quarantine); // accepts NULL
// Reads all entries from the store. False when they cannot be read: then nobody can be let in.
__attribute__((warn_unused_result)) bool quarantine_load(struct quarantine *quarantine);

// Whether any entry that has not ended holds one of these back.
bool quarantine_holds_system(const struct quarantine *quarantine, const struct system_identity *system, uint64_t now_ms);
bool quarantine_holds_person(const struct quarantine *quarantine, const char *uid,
			     const struct certificate_serial *serial, uint64_t now_ms);

// How many entries there are, those that have ended too.
size_t quarantine_count(const struct quarantine *quarantine);

// Adds or replaces, in the store's batch and in memory; in a full list a new one takes the place of one that has ended by the
// entry's since_ms. STORE_NO_MEMORY: the list, of which none has ended, or the arena is full.
__attribute__((warn_unused_result)) enum store_status quarantine_put(struct quarantine *quarantine, struct arena *arena,
								     const Cpis__V1__QuarantineEntry *entry,
								     bool *ret_replaced);
// STORE_NOT_FOUND: there was none.
__attribute__((warn_unused_result)) enum store_status quarantine_lift(struct quarantine *quarantine,
								      Cpis__V1__QuarantineKind kind, const char *target);

// The rows as they stand in the store, newest first, those that have ended too. A full list of them takes up to 3 MB of the arena;
// opened it would take more than one request may, so each is opened when it is looked at (arena_rewind when it is not needed).
__attribute__((warn_unused_result)) enum store_status quarantine_rows(struct quarantine *quarantine, struct arena *arena,
								       struct store_quarantine **ret, size_t *ret_count);
// NULL: the arena is full (it says so), or the row was not sealed by this vault.
__attribute__((warn_unused_result)) Cpis__V1__QuarantineEntry *quarantine_open(struct quarantine *quarantine, struct arena *arena,
										const struct store_quarantine *row);

#endif
