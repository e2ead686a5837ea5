// Passkeys' assertions and handshakes, by certs/.
#include "broker/browser_proof.h"

#include "broker/digest.h"
#include "broker/limits.h"
#include "certs/passkey.h"
#include "certs/sha256.h"
#include "certs/tls_handshake.h"

static enum reason reason_of(enum certs_status status)
{
	switch (status) {
	case CERTS_OK:
		return REASON_NONE;
	case CERTS_PROOF_ORIGIN:
		return REASON_PROOF_ORIGIN;
	case CERTS_PROOF_CHALLENGE:
		return REASON_PROOF_CHALLENGE;
	case CERTS_PROOF_PRESENCE:
		return REASON_PROOF_PRESENCE;
	case CERTS_SIGNATURE:
	case CERTS_KEY_MISMATCH:
	case CERTS_WRONG_KEY_TYPE:
		return REASON_PROOF_SIGNATURE;
	case CERTS_LIBRARY:
		return REASON_INTERNAL;
	default:
		return REASON_PROOF_FORM;
	}
}

enum reason browser_proof_check(const Cpis__V1__BrowserProof *proof, const struct staff_key *key, const char *web_host,
				const uint8_t *text, size_t text_bytes)
{
	uint8_t challenge[SHA256_BYTES];
	if (web_host[0] == '\0')
		return REASON_PROOF_NO_HOST;
	sha256(text, text_bytes, challenge);
	if (proof->kind_case == CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE)
		return reason_of(tls_handshake_verify(key, proof->handshake->transcript.data, proof->handshake->transcript.len, web_host,
						      challenge));
	if (proof->kind_case != CPIS__V1__BROWSER_PROOF__KIND_PASSKEY)
		return REASON_PROOF_FORM;
	const struct passkey_assertion assertion = {
		.authenticator_data = proof->passkey->authenticator_data.data,
		.authenticator_data_bytes = proof->passkey->authenticator_data.len,
		.client_data_json = proof->passkey->client_data_json.data,
		.client_data_json_bytes = proof->passkey->client_data_json.len,
		.signature = proof->passkey->signature.data,
		.signature_bytes = proof->passkey->signature.len,
	};
	return reason_of(passkey_verify(key, &assertion, web_host, challenge));
}

bool browser_proof_fit(struct arena *arena, size_t reply_bytes, Cpis__V1__AuditDetail *detail)
{
	const Cpis__V1__BrowserProof *proof = detail->act_browser_proof;
	if (proof == NULL || proof->kind_case != CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE ||
	    (proof->handshake->transcript.len <= PROOF_KEPT_BYTES_MAX && reply_bytes <= PROOF_KEPT_BESIDE_BYTES_MAX))
		return true;
	uint8_t *digest = arena_alloc(arena, HASH_BYTES);
	if (digest == NULL)
		return false;
	digest_sha256(proof->handshake->transcript.data, proof->handshake->transcript.len, digest);
	detail->proof_sha256 = (ProtobufCBinaryData){HASH_BYTES, digest};
	detail->act_browser_proof = NULL;
	return true;
}

Cpis__V1__ProofKind browser_proof_kind(const Cpis__V1__BrowserProof *proof)
{
	if (proof == NULL)
		return CPIS__V1__PROOF_KIND__KEY;
	return proof->kind_case == CPIS__V1__BROWSER_PROOF__KIND_PASSKEY ? CPIS__V1__PROOF_KIND__PASSKEY
									   : CPIS__V1__PROOF_KIND__BROWSER_CERTIFICATE;
}
