// A gateway's TLS, by OpenSSL. Two kinds of host share a port, told apart by the name that the browser asks for:
//	<web host>           the pages; no client certificate
//	<label>.<web host>   takes a proof: TLS 1.3 with the person's certificate, and the handshake's messages are kept, because the
//	                     broker checks them (certs/tls_handshake.h). A label is 52 characters of base32.
// Sessions are never resumed: each connection has a handshake of its own.
#ifndef CPIS_HTTP_TLS_H
#define CPIS_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_DETAIL_BYTES 300
#define TLS_LABEL_BYTES 52

struct ssl_st;
struct tls;

// `certificate` (a PEM chain) is for the web host and for *.<web host>. `staff_ca` names whose certificates are asked for; NULL: there are
// no hosts that take proofs, and the certificate is for the web host.
__attribute__((warn_unused_result)) bool tls_new(const char *certificate, const char *key, const char *staff_ca, const char *web_host,
						  struct tls **ret, char detail[TLS_DETAIL_BYTES]);
void tls_free(struct tls *tls); // accepts NULL

// For one connection that was accepted; NULL: no memory, or more than `connections_max` are open.
struct ssl_st *tls_accept(struct tls *tls, unsigned connections_max);

// One that no stream took over. Accepts NULL.
void tls_release(struct ssl_st *ssl);

// What the handshake was. Borrowed from the connection.
struct tls_peer {
	char label[TLS_LABEL_BYTES + 1];  // of a host that takes proofs; "" of the pages' host
	const uint8_t *transcript;        // ClientHello to the client's CertificateVerify, as RFC 8446 section 4.4.1 has it
	size_t transcript_bytes;          // 0: none, or one that cannot be a proof
	const uint8_t *certificate;       // the person's, DER
	size_t certificate_bytes;
};
void tls_peer(const struct ssl_st *ssl, struct tls_peer *ret);

#endif
