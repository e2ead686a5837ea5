// A person before a browser, whose proofs (cpis.proto, BrowserProof) stand in for signatures: by a passkey, or by a handshake with their
// certificate.
#ifndef CPIS_TESTS_PROVER_H
#define CPIS_TESTS_PROVER_H

#include "proto/wire.h"
#include "tests/harness/browser.h"

struct prover {
	char certificate_file[160];
	X509 *certificate;
	EVP_PKEY *key;
	bool by_handshake;                       // else by passkey
	char web_host[WEB_HOST_BYTES_MAX + 1];   // that the browser is at
	void (*spoil)(struct prover *prover);    // run over each proof that was made; NULL: it is left as it is
	uint8_t challenge[BROWSER_CHALLENGE_BYTES]; // of the last proof, as is what follows
	struct browser_assertion assertion;
	struct tls_transcript transcript;
	Cpis__V1__PasskeyAssertion passkey;
	Cpis__V1__TlsHandshake handshake;
	Cpis__V1__BrowserProof proof;
};

// Somebody with a new P-256 passkey, certified by the authority in `<directory>/<authority>`, for pages at this host.
void prover_init_passkey(struct prover *prover, const char *directory, const char *authority, const char *uid, const char *name,
			 const char *web_host, uint64_t now_ms);
// The same with a certificate in the browser.
void prover_init_certificate(struct prover *prover, const char *directory, const char *authority, const char *uid, const char *name,
			     enum staff_key_kind kind, const char *web_host, uint64_t now_ms);
void prover_done(struct prover *prover);

// Of this challenge; `prover` is a struct prover. Lives until it is asked again.
const Cpis__V1__BrowserProof *prover_prove(void *prover, const uint8_t challenge[BROWSER_CHALLENGE_BYTES]);

#endif
