// The one interface to durable state. Backends are a const table of functions: store_sqlite.c, store_postgres.c.
//
// The caller opens a batch, makes any number of calls and commits: all of them are durable then, or none is
// there. One thread. A call that is STORE_FAILED makes the whole batch unusable: roll back. A write that gives no result may only be
// queued, and be STORE_OK: if it fails, so does the next call that reads, or the commit. After a commit that failed it is not known
// what became of it: what the store has is to be read again. Nothing in here knows what it
// keeps: children's data arrives sealed, NHS numbers as keyed tags (broker/vault.h).
#ifndef CPIS_BROKER_STORE_H
#define CPIS_BROKER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/limits.h"
#include "certs/merkle.h"
#include "certs/note.h"
#include "proto/arena.h"
#include "proto/limits.h"
#include "proto/ods_code.h"

#define STORE_STATUS_TABLE(X)                                                                        \
	X(STORE_OK, "done")                                                                          \
	X(STORE_NOT_FOUND, "there is no such row")                                                   \
	X(STORE_FAILED, "the store failed")                                                          \
	X(STORE_NO_MEMORY, "the result does not fit the request's memory")

enum store_status {
#define X(name, sentence) name,
	STORE_STATUS_TABLE(X)
#undef X
};
const char *store_status_text(enum store_status status);

struct store_tag {
	uint8_t bytes[TAG_BYTES];
};

struct store_blob {
	const uint8_t *data;
	size_t bytes;
};

// One version of a plan. A file is stored as versions of a generation of its own, which nobody is shown until the authority's
// state says so (broker/authority_state.h).
struct store_plan {
	struct store_tag slot;       // keyed tag of NHS number, authority and plan type; with the generation the row's identity
	uint64_t generation;         // 1, 2, 3... for each authority
	struct store_tag subject;    // keyed tag of the NHS number
	struct ods_code authority;
	struct store_blob sealed;    // StoredPlan
};

// A place in the order of an authority's versions; zeroed: before all of them.
struct store_plan_place {
	uint64_t generation;
	struct store_tag slot;
};

struct store_access {
	struct store_tag subject;
	uint64_t audit_index;
	bool silent;                 // seen, and not shown in the history
	struct store_blob sealed;    // StoredAccess
};

// What an organisation has to read and settle: notifications, alerts for its privacy officer, and what is held back until its
// digest is made. ESCALATIONS has no rows of its own: it is a second view of those notifications that nobody acknowledged in
// time, numbered by `escalation_id`; calls that take an id take that one there.
enum store_box { STORE_BOX_NOTIFICATIONS, STORE_BOX_ALERTS, STORE_BOX_HELD, STORE_BOX_ESCALATIONS };

// Times are 0 for "not yet".
struct store_inbox_item {
	enum store_box box;
	struct ods_code organisation;
	uint64_t id;                 // 1, 2, 3... in each box of each organisation, never used twice
	uint64_t kind;               // cpis.v1.InboxItem's field number of the kind; 0: an alert
	uint64_t created_ms;
	struct store_blob sealed;    // cpis.v1.InboxItem without what follows, or StoredAlert

	// What becomes of it: inbox_update.
	uint64_t acknowledged_ms;
	uint64_t delivered_ms;       // first handed to somebody
	uint64_t lease_until_ms;     // nobody is given it before
	uint64_t escalated_ms;
	uint64_t escalation_id;      // 1, 2, 3... in each organisation; 0: not escalated
	uint64_t expired_ms;         // not offered any more
	uint64_t answered_ms;        // of an enquiry
	uint64_t due_ms;             // something is to be done about it by then; 0: no more
	struct store_blob acknowledged_by; // StoredSettlement, or StoredReview; empty: not yet
	struct store_blob leased_by; // StoredLease; empty: never taken
};

// Notifications that are neither acknowledged nor expired, in all inboxes, by age.
#define STORE_AGES 5u
struct store_waiting {
	uint64_t oldest_ms;          // when it was put; 0: there is none
	uint32_t counts[STORE_AGES]; // the youngest first
	bool more;                   // there are others that were not looked at
};

struct store_reported {
	uint64_t until_ms;
	struct ods_code after;       // text[0] == 0: of none yet
};

struct store_authority {
	struct ods_code organisation;
	uint64_t last_published_ms;
	uint64_t due_ms;             // since when something is to be done for it (broker/job_publication.c); 0: nothing
	struct store_blob sealed;    // StoredAuthority
};

// A record of a file that was not stored.
struct store_rejection {
	struct ods_code authority;
	uint64_t generation;         // of the file
	uint32_t place;              // in the file, from 0
	struct store_tag record;     // keyed tag of the number and type as they were sent
	uint32_t code;               // RecordCode
	char field[REJECTION_FIELD_BYTES_MAX + 1];
	uint64_t since_ms;           // since when the same has been wrong with it in each file
	struct store_blob sealed;    // cpis.v1.RecordOutcome
};

struct store_rejection_count {
	uint32_t code;
	char field[REJECTION_FIELD_BYTES_MAX + 1];
	uint32_t count;
	uint64_t oldest_ms;
};

struct store_quarantine {
	struct store_tag target;     // keyed tag of kind and target
	uint64_t since_ms;
	struct store_blob sealed;    // StoredQuarantine
};

struct store_enrolment {
	struct store_tag system;     // keyed tag of organisation and name
	struct store_tag code;       // keyed tag of the one-time code's hash
	struct store_blob sealed;    // StoredEnrolment
};

struct store_inactive {
	struct store_tag subject;    // keyed tag of the NHS number
	struct store_blob sealed;    // StoredInactive
};

// What a request id was used for before.
struct store_role {
	struct store_tag profile;    // keyed tag of person, role and organisation
	struct store_blob sealed;    // StoredRole
};

struct store_request {
	struct store_tag key;        // keyed tag of person, system and request id
	uint8_t digest[HASH_BYTES];  // keyed, of the request's bytes without token and deadline
	uint64_t expires_ms;
	struct store_blob sealed;    // StoredReply
};

// A row of the audit log. `record`, `salt` and `nodes` are what verification reads; the rest are search
// keys, copied from the record by the backend's caller and compared with it by `cpis audit verify`.
struct store_audit {
	uint64_t index;
	uint8_t salt[SALT_BYTES];
	struct store_blob record;    // serialised cpis.v1.AuditRecord
	size_t node_count;           // certs/merkle.h, "storage scheme"
	struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1];
	uint64_t time_ms;
	struct ods_code organisation;// text[0] == 0: unknown system
	bool has_subject, has_person;
	struct store_tag subject, person;
};

// A secret that the audit log's records of one month and class are sealed with (broker/audit_keys.h).
struct store_audit_key {
	uint32_t id;                 // 1, 2, 3...; kept in the records
	uint32_t month;              // of the records' time: proto/date.h
	uint32_t record_class;       // enum audit_class
	uint64_t destroyed_ms;       // 0: it was not
	struct store_blob sealed;    // empty when it was
};

struct store_hold {
	struct store_tag name;       // keyed tag
	struct store_blob sealed;    // StoredHold
};

enum store_audit_order { STORE_AUDIT_ALL, STORE_AUDIT_SUBJECT, STORE_AUDIT_PERSON, STORE_AUDIT_ORGANISATION };

// Rows of one child, member of staff or organisation, or all; in the order of their numbers.
struct store_audit_range {
	enum store_audit_order key;
	const struct store_tag *tags;  // of the subject or the person: any of these; borrowed
	size_t tag_count;
	const struct store_tag *persons; // with SUBJECT: by any of these only; borrowed
	size_t person_count;           // 0: by whomever
	struct ods_code organisation;
	uint64_t from_index;           // inclusive
	uint64_t until_index;          // exclusive
	uint64_t from_ms;              // inclusive
	uint64_t until_ms;             // exclusive; UINT64_MAX: all
	bool oldest_first;
	uint32_t limit;
};

// A checkpoint that a system handed in: one that fits this log and one that does not, of each system.
struct store_heard {
	uint64_t id;                 // given by the store, greater than all before; put ignores it
	struct ods_code organisation;
	char system_name[SYSTEM_NAME_BYTES_MAX + 1];
	bool fits;
	uint64_t size;               // of the tree
	uint64_t received_ms;
	const char *note;
};

// Checkpoints that stand for something: the one that witnesses are asked to cosign, the newest that a quorum has cosigned, and the
// one of the backup that was last put back.
enum store_cosigned_which { STORE_COSIGNED_PINNED = 1, STORE_COSIGNED_WITNESSED = 2, STORE_RESTORED = 3 };
struct store_cosigned {
	uint64_t time_ms;            // since when it is that; of a backup, its newest record's
	const char *note;
};

// What other brokers on the same store may have changed since this one's last batch.
struct store_others {
	bool possible;               // the store can have several brokers; false: the rest says nothing
	uint64_t revision;           // another number whenever what each broker keeps in memory was changed (quarantine, role profiles,
				     // invitations, policy, the log's keys, what witnesses signed)
	uint64_t audit_size;
	char checkpoint[NOTE_BYTES_MAX + 1]; // the stored one; "": there is none
};

struct store;

// Results that are arrays or blobs live in the caller's arena.
struct store_ops {
	const char *name; // of the backend, for people
	// Of several brokers one at once has a batch, from its first call that reads or writes on; the others wait.
	enum store_status (*begin)(struct store *);
	enum store_status (*commit)(struct store *);  // durable when it returns STORE_OK
	void (*rollback)(struct store *);              // harmless without a batch
	void (*close)(struct store *);
	// In a batch, before it has written: then it holds until the batch ends.
	enum store_status (*others)(struct store *, struct store_others *ret);

	enum store_status (*plan_put)(struct store *, const struct store_plan *); // insert or replace by slot and generation
	// The newest version that is of `generation` or before.
	enum store_status (*plan_get)(struct store *, const struct store_tag *slot, uint64_t generation, struct arena *,
				      struct store_plan *ret);
	enum store_status (*plan_delete)(struct store *, const struct store_tag *slot, uint64_t generation); // none is fine too
	// An authority's versions by generation and slot, those after `after` and up to `until_generation`.
	enum store_status (*plans_in)(struct store *, const struct ods_code *authority, const struct store_plan_place *after,
				      uint64_t until_generation, size_t max, struct arena *, struct store_plan **ret,
				      size_t *ret_count);
	// All versions.
	enum store_status (*plans_of)(struct store *, const struct store_tag *subject, size_t max, struct arena *,
				      struct store_plan **ret, size_t *ret_count);

	enum store_status (*access_put)(struct store *, const struct store_access *);
	enum store_status (*access_delete)(struct store *, const struct store_tag *subject, uint64_t audit_index); // STORE_NOT_FOUND: there was none
	// Newest first; those before `before_index`, 0: from the newest.
	enum store_status (*accesses_of)(struct store *, const struct store_tag *subject, bool with_silent,
					 uint64_t before_index, size_t max, struct arena *, struct store_access **ret,
					 size_t *ret_count);

	// Not reserved until put, or for ESCALATIONS until updated.
	enum store_status (*inbox_next_id)(struct store *, enum store_box, const struct ods_code *, uint64_t *ret);
	// Of what becomes of it, `due_ms` alone counts.
	enum store_status (*inbox_put)(struct store *, const struct store_inbox_item *);
	// Writes what becomes of it; the rest only says which it is.
	enum store_status (*inbox_update)(struct store *, const struct store_inbox_item *);
	// Oldest first; without those that are acknowledged or expired unless they are asked for.
	enum store_status (*inbox_list)(struct store *, enum store_box, const struct ods_code *, uint64_t after_id, bool include_acknowledged,
					size_t max, struct arena *, struct store_inbox_item **ret, size_t *ret_count);
	// Those that nobody has acknowledged or holds at `now_ms`.
	enum store_status (*inbox_free)(struct store *, enum store_box, const struct ods_code *, uint64_t after_id, uint64_t now_ms,
					size_t max, struct arena *, struct store_inbox_item **ret, size_t *ret_count);
	// When the first lease of those ends; 0: nobody holds any.
	enum store_status (*inbox_next_free)(struct store *, enum store_box, const struct ods_code *, uint64_t now_ms,
					     uint64_t *ret_ms);
	// Of all organisations, the longest due first. Not for ESCALATIONS.
	enum store_status (*inbox_due)(struct store *, enum store_box, uint64_t now_ms, size_t max, struct arena *,
				       struct store_inbox_item **ret, size_t *ret_count);
	// When the last item before `before_ms` was put that is not of this kind; 0: there is none. Not for ESCALATIONS.
	enum store_status (*inbox_latest)(struct store *, enum store_box, const struct ods_code *, uint64_t before_ms,
					  uint64_t but_kind, uint64_t *ret_created_ms);
	enum store_status (*inbox_get)(struct store *, enum store_box, const struct ods_code *, uint64_t id, struct arena *,
				       struct store_inbox_item *ret);
	// Only when it is not acknowledged yet; STORE_NOT_FOUND otherwise.
	enum store_status (*inbox_acknowledge)(struct store *, enum store_box, const struct ods_code *, uint64_t id, uint64_t now_ms,
					       struct store_blob acknowledged_by);
	enum store_status (*inbox_unacknowledged)(struct store *, enum store_box, const struct ods_code *, uint64_t *ret);

	// Of all organisations, of at most `max`. `since_ms` are the bands' ends, the youngest first: an item put at one belongs to
	// the younger of the two. Costs 1.5 to 2 microseconds an item, measured beside other work.
	enum store_status (*inbox_waiting)(struct store *, const uint64_t since_ms[STORE_AGES - 1], uint32_t max,
					   struct store_waiting *ret);

	// Up to when it is known of whom that there was nothing to report: of all, and beyond that of organisations up to this one.
	enum store_status (*reported_put)(struct store *, const struct store_reported *);
	enum store_status (*reported_get)(struct store *, struct store_reported *ret); // STORE_NOT_FOUND: never

	enum store_status (*authority_put)(struct store *, const struct store_authority *);
	enum store_status (*authority_get)(struct store *, const struct ods_code *, struct arena *, struct store_authority *ret);
	// The one that has been due for longest.
	enum store_status (*authority_due)(struct store *, struct arena *, struct store_authority *ret);

	enum store_status (*rejection_put)(struct store *, const struct store_rejection *); // insert or replace by its place
	enum store_status (*rejections_of)(struct store *, const struct ods_code *authority, uint64_t generation,
					   uint64_t from_place, size_t max, struct arena *, struct store_rejection **ret,
					   size_t *ret_count); // by place
	// Since when this record has been wrong in this way in the file of `generation`.
	enum store_status (*rejection_since)(struct store *, const struct store_rejection *like, uint64_t *ret_since_ms);
	enum store_status (*rejection_counts)(struct store *, const struct ods_code *authority, uint64_t generation, size_t max,
					      struct arena *, struct store_rejection_count **ret, size_t *ret_count);
	// Removes at most `max` of the files of other generations than these two.
	enum store_status (*rejection_expire)(struct store *, const struct ods_code *authority, const uint64_t keep[2], size_t max,
					      size_t *ret_removed);

	// NHS numbers that are not in use.
	enum store_status (*inactive_put)(struct store *, const struct store_inactive *); // insert or replace by subject
	enum store_status (*inactive_get)(struct store *, const struct store_tag *subject, struct arena *,
					  struct store_inactive *ret);
	enum store_status (*inactive_delete)(struct store *, const struct store_tag *subject); // STORE_NOT_FOUND: there was none

	enum store_status (*quarantine_put)(struct store *, const struct store_quarantine *); // insert or replace by target
	enum store_status (*quarantine_delete)(struct store *, const struct store_tag *target); // STORE_NOT_FOUND: there was none
	enum store_status (*quarantine_all)(struct store *, size_t max, struct arena *, struct store_quarantine **ret,
					    size_t *ret_count); // newest first

	enum store_status (*enrolment_put)(struct store *, const struct store_enrolment *); // insert or replace by system
	enum store_status (*enrolment_delete)(struct store *, const struct store_tag *system); // STORE_NOT_FOUND: there was none
	enum store_status (*enrolment_all)(struct store *, size_t max, struct arena *, struct store_enrolment **ret,
					   size_t *ret_count);

	enum store_status (*role_put)(struct store *, const struct store_role *); // insert or replace by profile
	enum store_status (*role_all)(struct store *, size_t max, struct arena *, struct store_role **ret, size_t *ret_count);
	// When a session was last opened with this profile, whether or not role_all has it.
	enum store_status (*role_use_put)(struct store *, const struct store_tag *profile, uint64_t used_ms);
	enum store_status (*role_use_get)(struct store *, const struct store_tag *profile, uint64_t *ret_used_ms);

	// The policy put in force over the broker: sealed, the latest one only is kept.
	enum store_status (*policy_put)(struct store *, struct store_blob sealed);
	enum store_status (*policy_get)(struct store *, struct arena *, struct store_blob *ret);

	enum store_status (*request_put)(struct store *, const struct store_request *);
	enum store_status (*request_get)(struct store *, const struct store_tag *key, uint64_t now_ms, struct arena *,
					 struct store_request *ret); // STORE_NOT_FOUND also when it has expired
	// At most STORE_EXPIRE_MAX rows a call, more than a batch can add.
	enum store_status (*request_expire)(struct store *, uint64_t now_ms);

	enum store_status (*audit_append)(struct store *, const struct store_audit *); // index must be the next one
	enum store_status (*audit_get)(struct store *, uint64_t index, struct arena *, struct store_audit *ret);
	// Node `height` of row `index` (certs/merkle.h).
	enum store_status (*audit_node)(struct store *, uint64_t index, unsigned height, struct merkle_hash *ret);
	// Rows without their nodes, also those of this batch. What it costs depends on `limit` and hardly on how many rows there are.
	enum store_status (*audit_search)(struct store *, const struct store_audit_range *, struct arena *,
					  struct store_audit **ret, size_t *ret_count);
	enum store_status (*audit_size)(struct store *, uint64_t *ret);                // number of rows

	enum store_status (*audit_key_put)(struct store *, const struct store_audit_key *); // a new one, not destroyed
	// Nothing of the secret is left in SQLite's files after the commit; where somebody reads beside the broker, after a later
	// one. What PostgreSQL keeps of it, and for how long: broker/README.md, "The PostgreSQL store". The row stays.
	enum store_status (*audit_key_destroy)(struct store *, uint32_t id, uint64_t now_ms);
	enum store_status (*audit_key_all)(struct store *, size_t max, struct arena *, struct store_audit_key **ret,
					   size_t *ret_count); // by id

	enum store_status (*hold_put)(struct store *, const struct store_hold *); // insert or replace by name
	enum store_status (*hold_delete)(struct store *, const struct store_tag *name); // STORE_NOT_FOUND: there was none
	enum store_status (*hold_all)(struct store *, size_t max, struct arena *, struct store_hold **ret, size_t *ret_count);

	enum store_status (*checkpoint_put)(struct store *, const char *note);          // the latest one only is kept
	enum store_status (*checkpoint_get)(struct store *, struct arena *, const char **ret);

	// In place of the same system's that fits, or does not, as this one does, unless that is of a larger tree.
	enum store_status (*heard_put)(struct store *, const struct store_heard *);
	// By id, those after `after`.
	enum store_status (*heard_after)(struct store *, uint64_t after, size_t max, struct arena *, struct store_heard **ret,
					 size_t *ret_count);
	enum store_status (*heard_largest)(struct store *, struct arena *, struct store_heard *ret);
	// Removes all but `keep`: those that fit before those that do not, and of each the oldest first.
	enum store_status (*heard_expire)(struct store *, size_t keep);
	enum store_status (*cosigned_put)(struct store *, enum store_cosigned_which, const struct store_cosigned *);
	enum store_status (*cosigned_get)(struct store *, enum store_cosigned_which, struct arena *, struct store_cosigned *ret);
};

struct store {
	const struct store_ops *ops;
	uint64_t busy; // batches that did not begin because another process had it locked; counted by SQLite's
};

// What the last failure was, in words, for the broker's log. Never holds row contents.
#define STORE_DETAIL_BYTES 400

// For backends: of `all` that were found, `max` + 1 at most, how many were put since each band's end.
struct store_waiting store_waiting_of(uint64_t oldest_ms, uint64_t all, const uint64_t since[STORE_AGES - 1], uint32_t max);

// Opens or creates the database file (0600) and takes it for this process alone: a second broker on the same
// file is refused. WAL, synchronous=FULL. A file of the schema version before is brought to this one's, and the operator is told; one
// of any other version is refused, not changed.
__attribute__((warn_unused_result)) enum store_status store_sqlite_open(const char *path, struct store **ret,
									 char detail[STORE_DETAIL_BYTES]);

// Whether opening would do that. Reads beside whoever has the file; false when it cannot be read.
bool store_sqlite_needs_upgrade(const char *path);

// Makes the audit log's search index anew from its rows. Refused as long as a broker has the file.
__attribute__((warn_unused_result)) enum store_status store_sqlite_rebuild_search(const char *path, char detail[STORE_DETAIL_BYTES]);

#endif
