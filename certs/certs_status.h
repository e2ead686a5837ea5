// Why something about a certificate, a key or a proof does not hold.
#ifndef CPIS_CERTS_STATUS_H
#define CPIS_CERTS_STATUS_H

#define CERTS_STATUS_TABLE(X)                                                                        \
	X(CERTS_OK, "good")                                                                          \
	X(CERTS_CANNOT_READ, "the file cannot be read")                                              \
	X(CERTS_CANNOT_WRITE, "the file cannot be written")                                          \
	X(CERTS_EXISTS, "the file is there already and is not overwritten")                          \
	X(CERTS_KEY_PERMISSIONS, "the key file can be read or written by others: chmod 600")         \
	X(CERTS_MALFORMED, "not a well-formed certificate, key or list")                             \
	X(CERTS_WRONG_KEY_TYPE, "the key is not of the type this use needs")                         \
	X(CERTS_KEY_MISMATCH, "the private key does not belong to the certificate")                  \
	X(CERTS_CHAIN, "the certificate was not issued by the right authority")                      \
	X(CERTS_PURPOSE, "the certificate is for another use")                                       \
	X(CERTS_PROFILE, "the certificate is off-profile")                                           \
	X(CERTS_NOT_YET_VALID, "the certificate is not valid yet")                                   \
	X(CERTS_EXPIRED, "the certificate has expired")                                              \
	X(CERTS_REVOKED, "the certificate has been revoked")                                         \
	X(CERTS_CRL, "the revocation list is missing, expired or not signed by its authority")       \
	X(CERTS_NAME, "the certificate bears another name")                                          \
	X(CERTS_SIGNATURE, "the signature does not verify")                                          \
	X(CERTS_PROOF, "the proof does not lead to the signed root")                                 \
	X(CERTS_PROOF_FORM, "the browser's proof is not of the form that it must have")              \
	X(CERTS_PROOF_ORIGIN, "the browser's proof was made for another web host")                   \
	X(CERTS_PROOF_CHALLENGE, "the browser's proof is of something else than what was asked")     \
	X(CERTS_PROOF_PRESENCE, "the authenticator did not make sure that the person was there")     \
	X(CERTS_KEY_IN_USE, "this key had a certificate before: make a new one")                     \
	X(CERTS_FINGERPRINT, "the key is not the one whose fingerprint was read out")               \
	X(CERTS_TOKEN, "the key on the token cannot be used")                                        \
	X(CERTS_VALUE, "a value is outside what a certificate may carry")                            \
	X(CERTS_LIBRARY, "the cryptographic library failed")

enum certs_status {
#define X(name, sentence) name,
	CERTS_STATUS_TABLE(X)
#undef X
};

// A sentence for people; never NULL.
const char *certs_status_text(enum certs_status status);

#endif
