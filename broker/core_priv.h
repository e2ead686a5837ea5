// The core's inside: the way of requests (core.c, core_record.c), what is kept in memory of the store (core_state.c), and what the broker
// does by itself (core_own.c). Inside broker/core*.c only.
#ifndef CPIS_BROKER_CORE_PRIV_H
#define CPIS_BROKER_CORE_PRIV_H

#include "broker/audit.h"
#include "broker/core.h"
#include "broker/detection.h"
#include "broker/enrolments.h"
#include "broker/op.h"
#include "broker/retention.h"
#include "broker/session_cache.h"
#include "broker/traffic.h"
#include "broker/waiting.h"
#include "broker/witnessing.h"

// What a batch may hold. Honest requests take some 10 kB each, so the room check rarely ends a batch.
#define BATCH_ARENA_BYTES (32u * ARENA_BYTES)
// One request may take this: its decoded form (ARENA_BYTES) and what it reads, seals and answers.
#define REQUEST_ROOM_BYTES (4u * ARENA_BYTES)
// What a receipt takes when the batch closes: the path, the growth, the checkpoint, the record's copy in the packed reply.
#define RECEIPT_ROOM_BYTES (12u * 1024u)
#define RETRY_AFTER_MS 500u
#define RETRY_RATE_MS 60000u
#define RETRY_OTHERS_MS 30000u // by a person, rather than by a client within its deadline

struct slot {
	Cpis__V1__Reply reply;
	Cpis__V1__Operation operation; // unspecified when it could not be read
	enum reason reason;      // why it was refused
	uint64_t audit_index;
	uint64_t log_size;       // of the checkpoint that the asker holds
	bool wants_proof;
	uint64_t proof_index;
	struct session session;
	const uint8_t *packed;
	size_t packed_bytes;
};

struct core {
	struct core_options options;
	struct note_verifier log; // what this log's checkpoints are verified by
	struct witnessing witnessing;
	struct audit_log *audit;
	struct quarantine *quarantine;
	struct closed_sessions *closed_sessions;
	struct policy_in_force *in_force;
	struct roles *roles;
	struct rate *rate;
	struct enrolments *enrolments;
	struct responders *responders;
	struct works *works;
	struct detection *detection;
	struct session_cache *session_cache;
	struct traffic *traffic;
	struct waiting waiting;
	uint64_t sample_looked_ms;
	struct retention_progress retention;
	uint64_t detection_next; // records before this one are in its memory
	struct arena arena;      // of the batch
	struct arena spare;      // for refusals when the batch's arena is full
	struct slot *slots;
	size_t slot_count;
	size_t closing_bytes;    // room in the arena that closing the batch will need
	bool begun;              // the store has a batch open
	bool doomed;             // something failed: nothing of this batch will be committed
	bool suspect;            // a commit failed: what the disk kept must be read before going on
	uint64_t revision;       // of the store, at which what is kept in memory was read
	uint64_t newest_ms;      // the latest time of any record
	bool clock_behind;       // it has been told that the clock is behind that
	bool others_wrote;       // other brokers have, since those that wait were last woken for it
	uint64_t others_woken_ms;
	uint64_t certificates_ms; // when those of the metrics below were last looked through
	struct core_certificates {
		uint64_t next_until_ms, systems, expiring[3];
	} certificates;
	struct wait wait;        // of the request that was parked last
	struct wakes wakes;
	struct core_counters counters;
};

// Opens the store's batch, and reads in it what a failed commit left unknown and what other brokers have done. `begun` or `doomed`
// afterwards, and never both.
void core_begin(struct core *core, uint64_t now_ms);
// Ends a batch that has no requests in it: signs what was recorded and commits. False: it was rolled back, and what the disk
// kept is read before the next one.
bool core_end(struct core *core, uint64_t now_ms);
// What all handlers and jobs share.
struct op_context core_context(struct core *core, uint64_t now_ms);
// After a commit: policy and register change together.
void core_change_policy(struct core *core);
// Reads again what is kept in memory of the store. False: nobody can be answered.
bool core_reload_rights(struct core *core);
// The same and the audit log, when a commit failed.
bool core_read_again(struct core *core);
// Appends this request's record, and looks at it for detection. False: the batch cannot go on. `system` NULL: not known.
bool core_record(struct core *core, struct op_context *context, const struct enrolled_system *system, enum reason reason,
		 const uint8_t *request_id, struct slot *slot);
// Detection begins anew with the newest records: at a start, with other rules, and when it has lost its place.
void core_remember_again(struct core *core);
// At the beginning of a batch, in core_others.c. False: nobody can be answered, and what is known is to be read again.
bool core_take_others(struct core *core, const struct store_others *others);
void core_wake_for_others(struct core *core, uint64_t now_ms);

#endif
