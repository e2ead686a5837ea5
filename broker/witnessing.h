// Witnesses' cosignatures, collected: the broker sets down one checkpoint for all of them to cosign, takes in their cosignatures by
// CHECKPOINT_EXCHANGE, and when the trust bundle's log.policy has its quorum that checkpoint is the witnessed one. Both are in the
// store. No reply waits for a witness.
#ifndef CPIS_BROKER_WITNESSING_H
#define CPIS_BROKER_WITNESSING_H

#include "broker/op.h"
#include "certs/cosignature.h"

// How long the witnesses have to come by before another one is set down.
#define WITNESSING_PIN_MS (3600u * 1000u)

struct witnessing {
	const struct witness_policy *policy; // borrowed
	uint64_t required_s;                 // how old the witnessed checkpoint may be; 0: any age, and none at all
	uint64_t since_s;                    // of the witnessed checkpoint; 0: there is none
	bool told;                           // the operator knows that it is too old
};

// Reads since when the log is witnessed: at a start, and after a commit that failed. False when the store fails.
__attribute__((warn_unused_result)) bool witnessing_load(struct witnessing *witnessing, struct store *store, struct arena *arena);

// Whether this operation is not answered now, because the witnessed checkpoint is too old. Tells the operator once.
bool witnessing_refuses(struct witnessing *witnessing, Cpis__V1__Operation operation, uint64_t now_ms);

// Before anything is written: REASON_COSIGNATURE when a line of `note` that bears a witness's name is not theirs.
enum reason witnessing_check(const struct witnessing *witnessing, const char *note, uint64_t now_ms);
// Takes in the cosignatures of a note that was checked ("": none), sets another checkpoint down when it is time, and fills in
// `to_cosign` and `witnessed`. REASON_STORE when a call failed or the arena is full.
enum reason witnessing_exchange(struct op_context *context, const char *note, Cpis__V1__CheckpointExchangeReply *reply);

#endif
