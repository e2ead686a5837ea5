// Sessions of staff: a signed statement, or an identity token, opens one, a sealed token carries it. The broker keeps nothing: any
// broker with the same key can open the token, and only for the connection's key that it was made for.
// All checks take the time as a parameter.
#ifndef CPIS_BROKER_SESSION_H
#define CPIS_BROKER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/closed_sessions.h"
#include "broker/reason.h"
#include "broker/register.h"
#include "broker/roles.h"
#include "broker/vault.h"
#include "proto/arena.h"
#include "proto/wire.h"

// A token is sealed anew, with a fresh idle limit, when the last renewal is older than this.
#define SESSION_RENEW_MS (5u * 60u * 1000u)

struct session {
	uint8_t id[SESSION_ID_BYTES]; // by op_session_open: the same whenever the same statement is sent again
	uint8_t nonce[NONCE_BYTES];  // of the statement; after session_open only
	char uid[UID_DIGITS + 1];
	char name[IDENTITY_NAME_BYTES_MAX + 1];
	char role_code[ROLE_CODE_BYTES_MAX + 1];
	struct ods_code organisation;
	uint8_t channel_key[KEY_BYTES];
	struct certificate_serial staff_serial;
	struct staff_key staff_key;
	Cpis__V1__ProofKind proof;   // what the person proved themselves with; after session_open only
	char issuer[IDENTITY_ISSUER_BYTES_MAX + 1]; // of the identity token that opened it; "": a certificate's key did
	uint8_t token_id[HASH_BYTES]; // of that token (identity_token.h); after session_open only
	uint64_t staff_not_after_ms;
	uint64_t opened_ms, expires_ms, renewed_ms;
};

// What a session is opened and checked against.
struct session_context {
	const struct register_snapshot *snapshot;
	const struct roles *roles;
	const char *broker_name;
	const uint8_t *channel_key;              // KEY_BYTES: of the connection the message came on
	const struct ods_code *organisation;     // of the system
	const char *system;                      // its name
	const char *web_host;                    // of the system; "": none
	struct closed_sessions *closed;          // NULL: none are known
	uint64_t now_ms;
};

// Checks, in this order: the staff certificate, the signature over the statement or what a browser brings in place of it (or the
// identity token in place of all three, identity_token.h), the person, the channel, the broker, the time, the organisation, the role profile. REASON_NONE and a new session, or the first check that
// failed; `ret` then holds the person as far as the certificate proved one, so that the refusal can name them, and `why`
// what a certificate lacks, in words.
enum reason session_open(const struct session_context *context, struct arena *arena,
			 const Cpis__V1__SessionOpenRequest *request, struct session *ret,
			 char why[CERTS_DETAIL_BYTES]);

// Keys that tokens are sealed under: the current one seals, both open. While a key is changed the sessions that are
// open live on, and each is sealed anew when it is next used.
struct session_keys {
	struct vault *current;
	struct vault *previous;                  // or NULL
	struct session_cache *cache;             // or NULL: broker/session_cache.h
};

// The session as a token in the arena; NULL data when that fails.
ProtobufCBinaryData session_seal(const struct session_keys *keys, struct arena *arena, const struct session *session);

// Opens a token and checks that it still holds on this connection: made here for this channel, not expired, not
// idle too long, not signed out, staff certificate not revoked or expired since, or the identity provider still that of this system, role profile still granted. `ret_renew`, on success: the
// token should be sealed anew, because it is older than SESSION_RENEW_MS or of the previous key.
enum reason session_resume(const struct session_context *context, const struct session_keys *keys, struct arena *arena,
			   ProtobufCBinaryData token, struct session *ret, bool *ret_renew);

#endif
