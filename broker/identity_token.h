// OpenID Connect ID tokens (RFC 7519 in a compact JWS) in the manner of NHS CIS2, checked here and nowhere else: a gateway that hands one
// on is not believed about it. All checks take the time as a parameter.
#ifndef CPIS_BROKER_IDENTITY_TOKEN_H
#define CPIS_BROKER_IDENTITY_TOKEN_H

#include "broker/identity_providers.h"
#include "broker/reason.h"
#include "certs/identity.h"
#include "proto/arena.h"
#include "proto/wire.h"

// Where a token arrived, and as what it is to count.
struct identity_where {
	const struct identity_providers *providers; // NULL: there are none
	const struct ods_code *organisation;         // of the system
	const char *system;                          // its name
	const char *role_code;                       // wanted; "": the one that the token has at this organisation
	uint64_t now_ms;
};

struct identity_claims {
	char issuer[IDENTITY_ISSUER_BYTES_MAX + 1];
	char uid[UID_DIGITS + 1];
	char name[IDENTITY_NAME_BYTES_MAX + 1];
	char role_code[ROLE_CODE_BYTES_MAX + 1];
	uint64_t expires_ms;
	uint8_t id[HASH_BYTES];                      // SHA-256 of `jti`, or without one of what is signed
};

// Checks, in this order: the form (base64url, JSON without a name twice), the issuer, the algorithm and the key, the signature; then the
// audience (this system's and no other), the times, the assurance level, the person, and a role at this organisation: of
// `nhsid_nrbac_roles`, that of `selected_roleid` where there is one. Whether the register has the role too is for the caller.
// REASON_NONE, or the first that failed; `ret` has then what had been found by a signature that holds, so that the refusal can name
// the person. Nothing in a token before its signature is believed, except where to look for the key.
enum reason identity_token_check(const struct identity_where *where, const uint8_t *token, size_t token_bytes, struct arena *arena,
				 struct identity_claims *ret);

#endif
