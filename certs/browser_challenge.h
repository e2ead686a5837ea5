// What a browser is asked to prove is named by the SHA-256 of what is meant. To a passkey it is the challenge; for a TLS handshake it
// is the first label of the host that the browser connects to, so that the client's signature over its ClientHello covers it.
#ifndef CPIS_CERTS_BROWSER_CHALLENGE_H
#define CPIS_CERTS_BROWSER_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#define BROWSER_CHALLENGE_BYTES 32
#define BROWSER_CHALLENGE_LABEL_BYTES 53 // with its NUL

// Base32 (RFC 4648, section 6) in lower case, without padding.
void browser_challenge_label(const uint8_t challenge[BROWSER_CHALLENGE_BYTES], char out[BROWSER_CHALLENGE_LABEL_BYTES]);

// The host under which an organisation's pages for its staff are reached: a DNS name in lower case, so short that a label and a dot
// fit before it into 253 bytes, and no address.
#define WEB_HOST_BYTES_MAX 190
bool web_host_is_good(const char *host);

#endif
