// Building and signing certificates and revocation lists. In memory only: authority.c keeps the files.
#ifndef CPIS_CERTS_ISSUE_PRIV_H
#define CPIS_CERTS_ISSUE_PRIV_H

#include <stdint.h>

#include <openssl/x509.h>

#include "certs/identity.h"
#include "certs/key.h"
#include "certs/profile_priv.h"

// An authority that signs: its certificate and the key that goes with it.
struct issuer {
	X509 *certificate;
	struct signing_key *key;
};

struct issue_dates {
	uint64_t from_ms, until_ms; // whole seconds count
};

// `by` NULL: it signs itself (the root).
__attribute__((warn_unused_result)) enum certs_status
issue_authority(const char *name, const struct signing_key *key, long path_length, const struct issuer *by,
		struct issue_dates dates, X509 **ret);

// A certificate of the profile for this public key, which is of a type that the kind may have. It has been read back with
// profile_read.
__attribute__((warn_unused_result)) enum certs_status
issue_certificate_for(enum certificate_kind kind, const struct profile_subject *subject, EVP_PKEY *key, const struct issuer *by,
		      struct issue_dates dates, X509 **ret);
// The same for a raw key: X25519, or Ed25519 of staff.
__attribute__((warn_unused_result)) enum certs_status
issue_certificate(enum certificate_kind kind, const struct profile_subject *subject,
		  const uint8_t public_key[KEY_BYTES], const struct issuer *by, struct issue_dates dates, X509 **ret);

// A list that names what `previous` (NULL: nothing) names, and `revoked` (NULL: nothing more) once.
__attribute__((warn_unused_result)) enum certs_status issue_list(const X509_CRL *previous, X509 *revoked,
								  uint64_t revoked_ms, const struct issuer *by,
								  struct issue_dates dates, X509_CRL **ret);

#endif
