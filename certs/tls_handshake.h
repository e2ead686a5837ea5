// A TLS 1.3 handshake with a client certificate, as proof that its owner's browser went to <label of a challenge>.<web host> just now
// (RFC 8446). The client's signature in CertificateVerify is over everything that was said before it, and its ClientHello names the host.
// Whoever terminates the connection hands over what was said; it need not be believed: it cannot make the client's signature.
#ifndef CPIS_CERTS_TLS_HANDSHAKE_H
#define CPIS_CERTS_TLS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/browser_challenge.h"
#include "certs/certs_status.h"
#include "certs/staff_key.h"

#define TLS_TRANSCRIPT_BYTES_MAX 16384u

// The handshake's messages in the clear, each with its four bytes of type and length (section 4), in the order of section 4.4.1:
//
//	[message_hash, HelloRetryRequest,] ClientHello, ServerHello, EncryptedExtensions, CertificateRequest,
//	Certificate, CertificateVerify, Finished	of the server
//	Certificate, CertificateVerify			of the client
//
// and nothing else, so that there is no resumption: it would have no CertificateVerify. Collected by this as they are seen
// (SSL_set_msg_callback of OpenSSL shows them all, both ways): the first ClientHello of two becomes the message_hash.
struct tls_transcript {
	size_t bytes; // 0: begin with this
	uint8_t data[TLS_TRANSCRIPT_BYTES_MAX];
};
// False when it is no message, does not fit or comes after the client's CertificateVerify.
__attribute__((warn_unused_result)) bool tls_transcript_add(struct tls_transcript *transcript, const uint8_t *message, size_t message_bytes);
// Whether the client's CertificateVerify has been added: nothing that comes later belongs here.
bool tls_transcript_is_complete(const struct tls_transcript *transcript);

// By `key`, to <browser_challenge_label(challenge)>.<web_host> and to no other name, with TLS_AES_128_GCM_SHA256 or
// TLS_CHACHA20_POLY1305_SHA256. `web_host` "": the organisation has none, and nothing is proven. Any thread; hostile bytes.
// CERTS_PROOF_FORM, CERTS_PROOF_ORIGIN (another host), CERTS_PROOF_CHALLENGE (another label), CERTS_KEY_MISMATCH (another's
// certificate), CERTS_WRONG_KEY_TYPE (this key does not sign so), CERTS_SIGNATURE, CERTS_LIBRARY.
__attribute__((warn_unused_result)) enum certs_status
tls_handshake_verify(const struct staff_key *key, const uint8_t *transcript, size_t transcript_bytes, const char *web_host,
		     const uint8_t challenge[BROWSER_CHALLENGE_BYTES]);

#endif
