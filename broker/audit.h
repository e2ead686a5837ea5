// The audit log as the broker writes it: one record per request, in a Merkle log, a signed checkpoint per batch,
// a receipt per record. Built on certs/merkle.h and certs/note.h; rows go through the store.
//
// A batch goes: audit_append for each request, audit_close_batch (root, signature), receipts, the store's
// commit, audit_committed. If the commit fails: audit_abandoned. A checkpoint leaves this process only after the
// commit of the rows it covers, so nobody can hold one for records that are not there.
#ifndef CPIS_BROKER_AUDIT_H
#define CPIS_BROKER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/audit_keys.h"
#include "broker/reason.h"
#include "broker/store.h"
#include "broker/vault.h"
#include "certs/note.h"
#include "proto/wire.h"

#define AUDIT_DETAIL_BYTES 200

struct audit_log;

struct audit_options {
	struct store *store;             // borrowed, as are all others
	struct vault *vault;
	const struct signing_key *key;
	const char *origin;              // of the log, as in log.vkey
	const char *broker_name;
	unsigned batch_max;              // records in one batch at most
};

// Loads the right edge from the store and checks it against the stored checkpoint: a log that does not match
// what was last signed is not continued.
__attribute__((warn_unused_result)) bool audit_open(const struct audit_options *options, struct audit_log **ret,
						     char detail[AUDIT_DETAIL_BYTES]);
void audit_free(struct audit_log *log); // accepts NULL
// After a failed commit, or when another broker has gone far ahead: reads the right edge again. What this process has committed has to
// be there. Of several brokers in this one's turn, as audit_open.
__attribute__((warn_unused_result)) bool audit_reload(struct audit_log *log, char detail[AUDIT_DETAIL_BYTES]);

// Of several brokers, at the beginning of a batch. Whether the log is as this one has known it last.
bool audit_is_at(const struct audit_log *log, uint64_t size, const char *checkpoint);
// Appends what another broker has appended, in memory only: the rows from audit_next_index on, one after the other. False: it is not
// the next one.
__attribute__((warn_unused_result)) bool audit_follow(struct audit_log *log, const struct store_audit *row);
// After the last one. False when this log's key has not signed just these records: then they are forgotten again.
__attribute__((warn_unused_result)) bool audit_followed(struct audit_log *log, const char *checkpoint, char detail[AUDIT_DETAIL_BYTES]);

// Index that the next record gets.
uint64_t audit_next_index(const struct audit_log *log);

// The tree of all committed records: what the newest checkpoint signs. Returns its size.
uint64_t audit_root(const struct audit_log *log, struct merkle_hash *ret);

struct audit_event {
	uint64_t time_ms;
	const uint8_t *request_id;       // REQUEST_ID_BYTES, or NULL when it could not be read
	Cpis__V1__Operation operation;
	enum reason reason;
	const char *organisation;        // of the system; "" when unknown
	const char *system_name;
	const struct store_tag *subject; // or NULL; vault_tag_subject
	const struct store_tag *person;  // or NULL; vault_tag_person
	const char *policy_version;      // of the policy that decided
	Cpis__V1__AuditDetail *detail;   // sealed into the record
};

// Appends to the current batch. `ret_index` on success.
__attribute__((warn_unused_result)) enum store_status audit_append(struct audit_log *log, struct arena *arena,
								   const struct audit_event *event, uint64_t *ret_index);
// Signs the checkpoint of everything appended and puts it into the store's batch.
__attribute__((warn_unused_result)) enum store_status audit_close_batch(struct audit_log *log);
void audit_committed(struct audit_log *log);
void audit_abandoned(struct audit_log *log);

// Proof of any record against the batch's checkpoint (between audit_close_batch and audit_committed).
// NULL when the record is not there or does not fit the arena.
Cpis__V1__Receipt *audit_receipt(struct audit_log *log, struct arena *arena, uint64_t index);

// Consistency proof from the log's first `old_size` records to its first `size`, as of the batch. False when the log is shorter
// than that, when a row cannot be read, or when it does not fit the arena.
__attribute__((warn_unused_result)) bool audit_growth(struct audit_log *log, struct arena *arena, uint64_t old_size,
						       uint64_t size, size_t *ret_count, ProtobufCBinaryData **ret);
// Proves in `receipt` that the log has only grown since it had `old_size` records; leaves it as it is when there is nothing to
// prove: none held, or more than there are. False as above.
__attribute__((warn_unused_result)) bool audit_prove_growth(struct audit_log *log, struct arena *arena, uint64_t old_size,
							     Cpis__V1__Receipt *receipt);

// A stored row, decoded and its detail opened: an empty one, and `erased`, where its key has been destroyed. NULL when it does
// not decode or open, or does not fit.
Cpis__V1__AuditEntry *audit_entry(struct audit_log *log, struct arena *arena, const struct store_audit *row);

// As the store's audit_search. `tag` is vault_tag_subject's or vault_tag_person's, in place of the range's `tags`, and `person` that
// of `persons`: rows have those of their month, and those of months whose keys were destroyed are not found.
struct audit_search {
	struct store_audit_range range;
	struct store_tag tag;
	bool by_person;             // with SUBJECT: by this one only
	struct store_tag person;
};
__attribute__((warn_unused_result)) enum store_status audit_find(struct audit_log *log, const struct audit_search *search,
								  struct arena *arena, struct store_audit **ret,
								  size_t *ret_count);
// At most `max` of the rows from `from` on and before `until`, in their order.
__attribute__((warn_unused_result)) enum store_status audit_page(struct audit_log *log, uint64_t from, uint64_t until, uint32_t max,
								  struct arena *arena, struct store_audit **ret, size_t *ret_count);
// Whether a row is of that member of staff.
bool audit_is_of(struct audit_log *log, const struct store_audit *row, const struct store_tag *person);

// The keys of its records, which are made and destroyed in its batches, and the store that has both. Belong to the log.
struct audit_keys *audit_keys_of(struct audit_log *log);
struct store *audit_store_of(struct audit_log *log);

#endif
