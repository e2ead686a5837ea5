// What a member of staff signs to do a heavy act, such as a quarantine: client and broker make the same bytes.
#ifndef CPIS_PROTO_ACT_H
#define CPIS_PROTO_ACT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/arena.h"
#include "proto/wire.h"

// "cpis-act-v1\n", the broker's name, "\n", and the request's canonical encoding without deadline_ms, session_token, act_signature,
// act_browser_proof and log_size. Request id and act_time_ms are in it, so no two acts have the same bytes. NULL past the arena's end.
const uint8_t *act_signed_bytes(struct arena *arena, const Cpis__V1__Request *request, const char *broker_name,
				size_t *ret_bytes);

#endif
