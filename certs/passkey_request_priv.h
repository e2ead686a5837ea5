// What a browser saves of a passkey that it has just made, for the registration authority. Inside certs/ only.
//
//	cpis-passkey-request-v1
//	uid: 555000000001
//	name: Grace Hopper
//	credential: <base64url of the credential id>
//	key: <base64url of the DER SubjectPublicKeyInfo>
//
// Exactly these lines, each with its newline. It proves nothing: whoever sends it reads the key's fingerprint out over the telephone.
#ifndef CPIS_CERTS_PASSKEY_REQUEST_PRIV_H
#define CPIS_CERTS_PASSKEY_REQUEST_PRIV_H

#include "certs/profile_priv.h"

// `ret` has the person and the credential id. CERTS_MALFORMED, CERTS_PROFILE (a value), CERTS_WRONG_KEY_TYPE (P-256 and RSA only).
__attribute__((warn_unused_result)) enum certs_status
passkey_request_read(const char *path, struct profile_subject *ret, struct staff_key *ret_key, char detail[CERTS_DETAIL_BYTES]);
// The same of its text.
__attribute__((warn_unused_result)) enum certs_status passkey_request_parse(const char *text, size_t text_bytes,
									     struct profile_subject *ret, struct staff_key *ret_key,
									     const char **ret_why);

#endif
