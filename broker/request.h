// The way of one request that could be read: identify, decide, carry out. What comes before (reading it) and after
// (recording, committing, answering) is core.c's.
#ifndef CPIS_BROKER_REQUEST_H
#define CPIS_BROKER_REQUEST_H

#include "broker/op.h"

// Whether this system (NULL: not enrolled) may talk to the broker at all now. REASON_NONE or a REASON_SYSTEM_.
enum reason request_standing(const struct register_snapshot *snapshot, const struct quarantine *quarantine,
			     const struct enrolled_system *system, uint64_t now_ms);

// `waited_ms`: since it arrived, as far as that is known. The context's results are filled; REASON_NONE, the refusal, or REASON_STORE.
enum reason request_process(struct op_context *context, uint64_t waited_ms);

#endif
