// A TLS 1.3 handshake with a client certificate, as proof that its owner's browser went to <label of a challenge>.<web host> just now
// (RFC 8446). The client's signature in CertificateVerify is over everything that was said before it, and its ClientHello names the host.
// Whoever terminates the connection hands over what was said; it need not be believed: it cannot make the client's signature.
#ifndef CPIS_CERTS_TLS_HANDSHAKE_H
#define CPIS_CERTS_TLS_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

#include "certs/browser_challenge.h"
#include "certs/certs_status.h"
#include "certs/staff_key.h"

// `transcript` is the handshake as certs/tls_transcript.h has it: by `key`, to <browser_challenge_label(challenge)>.<web_host> and to no
// other name, with TLS_AES_128_GCM_SHA256 or TLS_CHACHA20_POLY1305_SHA256. `web_host` "": the organisation has none, and nothing is
// proven. Any thread; hostile bytes.
// CERTS_PROOF_FORM, CERTS_PROOF_ORIGIN (another host), CERTS_PROOF_CHALLENGE (another label), CERTS_KEY_MISMATCH (another's
// certificate), CERTS_WRONG_KEY_TYPE (this key does not sign so), CERTS_SIGNATURE, CERTS_LIBRARY.
__attribute__((warn_unused_result)) enum certs_status
tls_handshake_verify(const struct staff_key *key, const uint8_t *transcript, size_t transcript_bytes, const char *web_host,
		     const uint8_t challenge[BROWSER_CHALLENGE_BYTES]);

#endif
