// The broker's decisions, without sockets: bytes, a time and a store go in, reply bytes come out. What arrives is
// taken into a batch one by one; a flush makes the whole batch durable in one commit and only then gives out
// its replies. A reply is therefore proof that its audit record is on disk; when the commit fails, every reply of
// the batch becomes a SERVICE_UNAVAILABLE without data.
//
// One thread. Time is a parameter. Nothing a peer sends can make it abort.
#ifndef CPIS_BROKER_CORE_H
#define CPIS_BROKER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/attempts.h"
#include "broker/policy.h"
#include "broker/policy_in_force.h"
#include "broker/register.h"
#include "broker/session.h"
#include "broker/store.h"
#include "broker/vault.h"
#include "broker/wait.h"
#include "certs/cosignature.h"
#include "certs/key.h"

#define CORE_DETAIL_BYTES 200

struct core;
struct metrics;
struct traffic;

struct core_options {
	const char *broker_name;          // all borrowed, to outlive the core
	uint64_t certificate_until_ms;    // how long its certificate is good; 0: not known
	const char *log_origin;
	const struct policy *policy;        // of the broker's own file; the store may have another one
	struct policy_reader policy_reader;
	struct store *store;
	struct vault *vault;
	struct session_keys session_keys;   // borrowed; their current one may be `vault`
	const struct signing_key *log_key;
	const struct witness_policy *witnesses; // whose cosignatures are collected; NULL: nobody's
	uint64_t witness_required_s;        // how old the witnessed checkpoint may be for anything to be answered; 0: any age
	struct register_snapshot *snapshot; // the core takes its own reference
	unsigned batch_max;               // requests per commit, 1 to 1024
};

// False with a sentence when the store's audit log does not match its checkpoint, or memory is out.
__attribute__((warn_unused_result)) bool core_new(const struct core_options *options, struct core **ret,
						   char detail[CORE_DETAIL_BYTES]);
void core_free(struct core *core); // accepts NULL; an unflushed batch is given up
// In force from the next request on. Between batches only. Read by the policy that core_policy gives.
void core_set_register(struct core *core, struct register_snapshot *snapshot);
// How long the broker's certificate is good, and how old the witnessed checkpoint may be, from the next request on. Between batches only.
void core_set_terms(struct core *core, uint64_t certificate_until_ms, uint64_t witness_required_s);
// Whether the broker's own policy file decides, and not one that was put in force over the broker.
bool core_policy_is_file(const struct core *core);
// The policy of the broker's own file, which was read anew, with the register by it, in place of that of before: in force when the
// record that says so is durable, in a batch of its own. `policy` is borrowed from then on, and what was the file's before is not any
// more. Between batches only. False: it could not be recorded, or another was put in force over the broker meanwhile; then look at
// core_policy and core_register as after a flush.
__attribute__((warn_unused_result)) bool core_put_policy_file(struct core *core, const struct policy *policy,
							       struct register_snapshot *snapshot, uint64_t now_ms);
// What decides now. Both change together when a policy is put in force over the broker: look after each core_flush.
const struct policy *core_policy(const struct core *core);
struct register_snapshot *core_register(const struct core *core); // borrowed

struct core_arrival {
	const uint8_t *channel_key;       // KEY_BYTES: the CURVE key of the connection; NULL when it is not known
	const uint8_t *data;              // the frame; read during the call only
	size_t bytes;
	bool enrolling;                   // it came on the enrolment endpoint
	uint64_t waited_ms;               // since it arrived, as far as that is known
	bool resumed;                     // it was parked before
	bool may_wait;                    // it may be parked (again)
	uint64_t ticket;                  // of a resumed one: core_wait's
};

enum core_submitted {
	CORE_TAKEN,                       // the request has the next number in the batch, from 0
	CORE_PARKED,                      // it is not in the batch: core_wait says what it waits for
	CORE_FULL,                        // nothing was done: flush first
};
__attribute__((warn_unused_result)) enum core_submitted core_submit(struct core *core, const struct core_arrival *arrival,
								    uint64_t now_ms);
// What the request waits for that was just parked.
struct wait core_wait(const struct core *core);
// What has happened that requests may wait for: look after each core_flush and each request that was parked.
struct wakes *core_wakes(struct core *core);
size_t core_pending(const struct core *core);
// Records of the log when the core last looked.
uint64_t core_log_size(const struct core *core);

// Commits the batch, if there is one. True: durable. False: not, and all its replies say so. Either way core_reply gives
// the replies until core_clear.
bool core_flush(struct core *core, uint64_t now_ms);
// The reply to request `number` of the flushed batch. Borrowed until core_clear.
void core_reply(const struct core *core, size_t number, const uint8_t **ret_data, size_t *ret_bytes);
void core_clear(struct core *core);

// One record for each of at most `batch_max` kinds of what did not get in, in a batch of their own: of nobody, about nobody.
// Between batches only. False: none of them is durable, as after core_flush.
__attribute__((warn_unused_result)) bool core_record_attempts(struct core *core, const struct attempt *attempts,
							       size_t count, uint64_t now_ms);

// After a backup was put back, before anything else is done: the log says so, and the store keeps which one it was. False:
// neither. Both texts are borrowed, and at most TEXT_BYTES_MAX long.
struct core_restored {
	const char *sentence;
	const char *predecessor; // origin of the log that the backup is of, where this one is its successor; else ""
};
__attribute__((warn_unused_result)) bool core_record_restored(struct core *core, const struct store_cosigned *backup,
							       const struct core_restored *words, uint64_t now_ms);

// What is due by time alone: a bounded piece of it, in a commit of its own. Between batches. True: there is more to do.
bool core_tick(struct core *core, uint64_t now_ms);

// What is counted here; latencies and the edge are for the caller to add. Borrowed.
struct traffic *core_traffic(struct core *core);

struct core_counters {
	uint64_t requests, allowed, refused, malformed, commits, failed_commits;
	uint64_t escalated, expired; // inbox items
};
struct core_counters core_read_counters(const struct core *core);


// What the core knows of the metrics (core_metrics.c); the rest of `ret` stays as it is. Between batches. Looks through the inboxes every
// quarter of a minute, which takes milliseconds when many items wait, and through the certificates.
void core_read_metrics(struct core *core, uint64_t now_ms, struct metrics *ret);

#endif
