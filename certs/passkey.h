// A passkey's assertion (W3C Web Authentication, level 2): somebody's authenticator, which has made sure that they are there and who they
// are, signs a challenge for a web host. Held to section 7.2, steps 11 to 20, with the client data read by the limited verification
// algorithm of 5.8.1.3. No signature counter is kept: passkeys that are in several devices have none, and a challenge is good once anyway.
#ifndef CPIS_CERTS_PASSKEY_H
#define CPIS_CERTS_PASSKEY_H

#include <stddef.h>
#include <stdint.h>

#include "certs/browser_challenge.h"
#include "certs/certs_status.h"
#include "certs/staff_key.h"

#define PASSKEY_AUTHENTICATOR_DATA_BYTES_MAX 512u
#define PASSKEY_CLIENT_DATA_BYTES_MAX 1024u
#define PASSKEY_SIGNATURE_BYTES_MAX 512u

struct passkey_assertion {
	const uint8_t *authenticator_data, *client_data_json, *signature; // as the browser hands them out
	size_t authenticator_data_bytes, client_data_json_bytes, signature_bytes;
};

// By `key` (P-256 or RSA: ES256 or RS256), for pages at https://<web_host>[:port], of this challenge, with user presence and user
// verification. `web_host` "" : the organisation has none, and nothing is proven. Any thread; hostile bytes.
// CERTS_PROOF_FORM, CERTS_PROOF_ORIGIN (another host), CERTS_PROOF_CHALLENGE, CERTS_PROOF_PRESENCE, CERTS_WRONG_KEY_TYPE (Ed25519),
// CERTS_SIGNATURE, CERTS_LIBRARY.
__attribute__((warn_unused_result)) enum certs_status
passkey_verify(const struct staff_key *key, const struct passkey_assertion *assertion, const char *web_host,
	       const uint8_t challenge[BROWSER_CHALLENGE_BYTES]);

#endif
