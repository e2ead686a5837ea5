// What a browser brings to prove its person, read out of a visit: a passkey's assertion from a form, or the handshake of a host that
// takes proofs. The broker judges it.
#ifndef CPIS_WEB_PROOF_H
#define CPIS_WEB_PROOF_H

#include "clients/web/page.h"

#define PROOF_CHALLENGE_BYTES 32

struct proof {
	Cpis__V1__BrowserProof message;
	Cpis__V1__PasskeyAssertion passkey;
	Cpis__V1__TlsHandshake handshake;
	const char *credential;        // of a passkey; base64url
	const uint8_t *certificate;    // of a handshake; DER
	size_t certificate_bytes;
};

// Into the page's arena. False: the form has none that can be read.
__attribute__((warn_unused_result)) bool proof_of_passkey(const struct page *page, struct proof *ret);
// False: this is not such a host, or the browser showed no certificate.
__attribute__((warn_unused_result)) bool proof_of_handshake(const struct page *page, struct proof *ret);

// The address at which a browser proves itself for this challenge, with `path`; in the arena.
const char *proof_address(const struct page *page, const uint8_t challenge[PROOF_CHALLENGE_BYTES], const char *path);
// Whether this visit is at the challenge's own host.
bool proof_is_at(const struct page *page, const ProtobufCBinaryData *challenge);

#endif
