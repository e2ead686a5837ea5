// The keys of the audit log's records: for each calendar month (UTC, of the record's time) and class a secret of its own, drawn at
// random when the first such record is written, and kept in the store under the vault's key. When a secret is destroyed, what its
// records say of a child or a member of staff cannot be read or searched by anybody any more; the records' bytes stay, and with
// them every hash and proof.
//
// A record's class is who it names: a child; else a member of staff; else nobody. Pseudonyms (AuditRecord's tags) are made with
// the month's secrets too: of children with that of the class CHILD, of staff with one of its own, PERSON, which is kept as long
// as either of the classes that has it.
// One thread: the core's.
#ifndef CPIS_BROKER_AUDIT_KEYS_H
#define CPIS_BROKER_AUDIT_KEYS_H

#include "broker/limits.h"
#include "broker/seal.h"
#include "broker/store.h"
#include "broker/vault.h"
#include "proto/arena.h"

enum audit_class {
	AUDIT_CLASS_CHILD = 1,
	AUDIT_CLASS_STAFF = 2,
	AUDIT_CLASS_SERVICE = 3,
	AUDIT_CLASS_PERSON = 4,  // of no record: pseudonyms of staff
	AUDIT_CLASSES_END
};

struct audit_key {
	uint32_t id, month;
	enum audit_class record_class;
	uint64_t destroyed_ms;           // 0: it was not
	struct seal_key *seal;           // NULL when it was, and of PERSON
	struct tag_key *tags;            // of CHILD and PERSON only
};

struct audit_keys;

__attribute__((warn_unused_result)) bool audit_keys_new(struct store *store, struct vault *vault, struct audit_keys **ret);
void audit_keys_free(struct audit_keys *keys); // accepts NULL; wipes
// Reads them all again. False when they cannot be read, or one does not open: then nobody can be answered.
__attribute__((warn_unused_result)) bool audit_keys_load(struct audit_keys *keys);

// All of them, by id, and so by when they were first used.
size_t audit_keys_count(const struct audit_keys *keys);
const struct audit_key *audit_keys_at(const struct audit_keys *keys, size_t place);
// NULL: there is none with this id.
const struct audit_key *audit_keys_by_id(const struct audit_keys *keys, uint32_t id);
// The one that is in use; NULL: none, or it was destroyed.
const struct audit_key *audit_keys_find(const struct audit_keys *keys, uint32_t month, enum audit_class record_class);

// The same; made, in the store's batch, when there is none. NULL: the store or the library failed, or there are too many.
const struct audit_key *audit_keys_use(struct audit_keys *keys, struct arena *arena, uint32_t month,
				       enum audit_class record_class);
// In the store's batch. It is in use until that is committed.
__attribute__((warn_unused_result)) enum store_status audit_keys_destroy(struct audit_keys *keys, uint32_t id, uint64_t now_ms);
// What became of the batch.
void audit_keys_committed(struct audit_keys *keys);
void audit_keys_abandoned(struct audit_keys *keys);

// The pseudonym in that month's records of what `tag` stands for everywhere else (vault_tag_subject, vault_tag_person).
void audit_key_tag(const struct audit_key *key, const struct store_tag *tag, struct store_tag *ret);

#endif
