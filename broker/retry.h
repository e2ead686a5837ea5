// Requests that change something take effect once. The key is person, connection key and request id; the answer is
// kept, sealed, in the same commit as the effect, for longer than any client goes on retrying.
#ifndef CPIS_BROKER_RETRY_H
#define CPIS_BROKER_RETRY_H

#include "broker/op.h"

// Clients retry within their own deadline, 60 s at most; this outlives several brokers' restarts.
#define RETRY_KEPT_MS (10u * 60u * 1000u)
// What a person signed is good once, within a minute of its time. It is remembered for this long, so that within it a clock
// that is set back does not make it good again.
#define SIGNED_KEPT_MS SESSION_MS_MAX

struct retry {
	struct store_tag key;
	uint8_t digest[HASH_BYTES];
	bool found;              // the reply's body is in the context's reply already
	uint64_t audit_index;    // of the first time's record
};

// Whether this request changes something whose repetition would be seen (DETAILS, PUBLISH, what is taken or sent, signed acts).
bool retry_applies(const Cpis__V1__Request *request);

// REASON_NONE: `ret` says whether there was a first time, and if so the reply is filled from it.
// REASON_DUPLICATE: the id was used for another request. REASON_STORE, REASON_INTERNAL.
enum reason retry_look_up(struct op_context *context, struct retry *ret);
// Keeps this reply for retries. False: the batch must be given up.
__attribute__((warn_unused_result)) bool retry_keep(struct op_context *context, const struct retry *retry);

#endif
