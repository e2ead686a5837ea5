// What was said in a TLS 1.3 handshake up to the client's proof of its key, as whoever terminates the connection collects it.
//
// The messages in the clear, each with its four bytes of type and length (RFC 8446, section 4), in the order of section 4.4.1:
//
//	[message_hash, HelloRetryRequest,] ClientHello, ServerHello, EncryptedExtensions, CertificateRequest,
//	Certificate, CertificateVerify, Finished	of the server
//	Certificate, CertificateVerify			of the client
//
// and nothing else, so that there is no resumption: it would have no CertificateVerify.
#ifndef CPIS_CERTS_TLS_TRANSCRIPT_H
#define CPIS_CERTS_TLS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_TRANSCRIPT_BYTES_MAX 16384u

struct tls_transcript {
	size_t bytes; // zero all four to begin
	unsigned messages, certificate_verifies;
	uint8_t data[TLS_TRANSCRIPT_BYTES_MAX];
};

// The next handshake message, read or written, as SSL_set_msg_callback of OpenSSL shows them all for SSL3_RT_HANDSHAKE. At a
// HelloRetryRequest the ClientHello before it becomes its message_hash (SHA-256: the server has to offer only
// TLS_AES_128_GCM_SHA256 and TLS_CHACHA20_POLY1305_SHA256). False, and nothing added: it is no message, does not fit, the transcript is
// complete, or the library failed.
__attribute__((warn_unused_result)) bool tls_transcript_add(struct tls_transcript *transcript, const uint8_t *message,
							     size_t message_bytes);
// Whether the client's CertificateVerify is in it: what comes later does not belong here.
bool tls_transcript_is_complete(const struct tls_transcript *transcript);

#endif
