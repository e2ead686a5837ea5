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

// Adds or replaces, in the store's batch and in memory. STORE_NO_MEMORY: the list or the arena is full.
__attribute__((warn_unused_result)) enum store_status quarantine_put(struct quarantine *quarantine, struct arena *arena,
								     const Cpis__V1__QuarantineEntry *entry,
								     bool *ret_replaced);
// STORE_NOT_FOUND: there was none.
__attribute__((warn_unused_result)) enum store_status quarantine_lift(struct quarantine *quarantine,
								      Cpis__V1__QuarantineKind kind, const char *target);

// The entries as they stand in the store, opened, newest first, ended ones too.
__attribute__((warn_unused_result)) enum store_status quarantine_entries(struct quarantine *quarantine, struct arena *arena,
									  Cpis__V1__QuarantineEntry ***ret,
									  size_t *ret_count);

#endif
