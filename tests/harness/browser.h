// A browser as it proves who sits before it: a passkey's assertions, and TLS 1.3 handshakes with a client certificate, made for real in
// memory; and certificates for its keys. What cannot be made fails the test that asked for it.
#ifndef CPIS_TESTS_BROWSER_H
#define CPIS_TESTS_BROWSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/authority.h"
#include "certs/passkey.h"
#include "certs/tls_transcript.h"

// RSA of 2048 bits. The caller frees.
EVP_PKEY *browser_key_new(enum staff_key_kind kind);
// From PEM.
EVP_PKEY *browser_key_load(const char *path);
X509 *browser_certificate_load(const char *path);
struct staff_key browser_staff_key(const EVP_PKEY *key);

// Has an authority's directory certify somebody for a browser or a card: <out>/<file>.pem and, of a new P-256 or RSA key, <out>/<file>.key.
void browser_certify(const char *authority, const char *uid, const char *name, enum staff_key_kind kind, const char *out, const char *file,
		     uint64_t now_ms, struct authority_paths *ret);
// The same for a passkey, from the request that the page saves, which stays at <out>/<file>.passkey. `credential` in base64url.
void browser_certify_passkey(const char *authority, const char *uid, const char *name, const EVP_PKEY *key, const char *credential,
			     const char *out, const char *file, uint64_t now_ms, struct authority_paths *ret);
// That request alone, and its fingerprint.
void browser_save_passkey(const EVP_PKEY *key, const char *uid, const char *name, const char *credential, const char *path,
			  char ret_fingerprint[25]);

// An assertion, open to be changed: browser_assertion_sign makes it hold again.
struct browser_assertion {
	uint8_t authenticator_data[PASSKEY_AUTHENTICATOR_DATA_BYTES_MAX + 1], signature[PASSKEY_SIGNATURE_BYTES_MAX + 1];
	char client_data_json[PASSKEY_CLIENT_DATA_BYTES_MAX + 2]; // NUL-terminated
	size_t authenticator_data_bytes, signature_bytes;
};
// With user presence and verification, at https://<web_host>.
void browser_assert(EVP_PKEY *key, const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES],
		    struct browser_assertion *ret);
void browser_assertion_sign(EVP_PKEY *key, struct browser_assertion *assertion);
// Points into `assertion`.
struct passkey_assertion browser_assertion_of(const struct browser_assertion *assertion);

// A handshake with a server of its own, as that one sees it. NULL or 0: what a browser and a gateway would do.
struct browser_connection {
	const char *host;    // for the ClientHello; NULL: no name
	const char *suite;   // e.g. "TLS_CHACHA20_POLY1305_SHA256"; NULL: TLS_AES_128_GCM_SHA256
	bool retried;        // the server asks for another ClientHello
	size_t comment_bytes; // that make the server's certificate longer
	bool with_authority; // the client sends its own certificate a second time behind the first, as a chain is sent
};
void browser_shake_hands(EVP_PKEY *key, X509 *certificate, const struct browser_connection *connection, struct tls_transcript *ret);
// To <label of the challenge>.<web_host>.
void browser_prove(EVP_PKEY *key, X509 *certificate, const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES],
		   struct tls_transcript *ret);
// The same in a handshake of exactly so many bytes, as a gateway's certificate can make it: more than it has by itself.
void browser_prove_long(EVP_PKEY *key, X509 *certificate, const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES],
			size_t bytes, struct tls_transcript *ret);

#endif
