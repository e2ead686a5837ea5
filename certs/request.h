// What somebody who wants a certificate sends to the registration authority. The private key never leaves them.
//
// A member of staff sends a PKCS#10 request (RFC 2986), signed by its key: whoever signs holds it. A system or a broker has an
// X25519 key, which cannot sign (RFC 8410), so that no PKCS#10 request of its own is possible: it sends the public key as a plain
// PEM SubjectPublicKeyInfo, which every tool reads, and proves possession by its first CURVE handshake. Its names are typed by
// the authority, which has to know them anyway.
//
// Either way the authority compares the key's fingerprint (certs/public_key.h) over the telephone.
#ifndef CPIS_CERTS_REQUEST_H
#define CPIS_CERTS_REQUEST_H

#include "certs/certs_status.h"
#include "certs/identity.h"
#include "certs/public_key.h"

struct request_files {
	char request[4096];                  // FILE.csr, or FILE.pub for a public key alone
	char key[4096];                      // FILE.key; "" when the key is on a token
	char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
};

// An X25519 key and its public half, for a system or a broker. `file` as in certs/authority.h; what is there already is
// CERTS_EXISTS, and nothing is written. `out_directory` is made if its parent is there.
__attribute__((warn_unused_result)) enum certs_status request_make_curve(const char *out_directory, const char *file,
									  struct request_files *ret,
									  char detail[CERTS_DETAIL_BYTES]);
// A request of a member of staff, by `key` (which may be on a token) or, with NULL, by a new one in FILE.key.
__attribute__((warn_unused_result)) enum certs_status
request_make_staff(const char *uid, const char *name, const struct signing_key *key, const char *out_directory,
		   const char *file, struct request_files *ret, char detail[CERTS_DETAIL_BYTES]);
// The same for a certificate that goes into a browser: by a new P-256 or RSA key (3072 bits) in FILE.key. Keys that a card has made come
// with a request of the card's own tool.
__attribute__((warn_unused_result)) enum certs_status
request_make_browser(const char *uid, const char *name, enum staff_key_kind kind, const char *out_directory, const char *file,
		     struct request_files *ret, char detail[CERTS_DETAIL_BYTES]);

#endif
