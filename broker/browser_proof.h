// What a browser brings in place of a signature (cpis.proto, BrowserProof): the broker's check.
#ifndef CPIS_BROKER_BROWSER_PROOF_H
#define CPIS_BROKER_BROWSER_PROOF_H

#include <stdbool.h>

#include "broker/reason.h"
#include "certs/staff_key.h"
#include "proto/arena.h"
#include "proto/wire.h"

// Of `text`, which would be signed else, by `key`, for the web host of the system that it came through ("": it has none).
// REASON_NONE, or a REASON_PROOF_.
enum reason browser_proof_check(const Cpis__V1__BrowserProof *proof, const struct staff_key *key, const char *web_host,
				const uint8_t *text, size_t text_bytes);

// What of an act's proof goes into the record, beside a reply of `reply_bytes`: all of it, or, of a transcript that is too long for
// that, its hash. False: no memory.
__attribute__((warn_unused_result)) bool browser_proof_fit(struct arena *arena, size_t reply_bytes, Cpis__V1__AuditDetail *detail);

Cpis__V1__ProofKind browser_proof_kind(const Cpis__V1__BrowserProof *proof); // NULL: KEY

#endif
