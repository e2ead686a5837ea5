// The certificate profile: what each kind of certificate must be, field by field (certs/README.md has it as a
// table). The issuing and the checking side both work from the one set of rules in profile.c.
#ifndef CPIS_CERTS_PROFILE_PRIV_H
#define CPIS_CERTS_PROFILE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "certs/identity.h"

// A UUID of our own below 2.25 (ITU-T X.667), 8b8574c5-ac08-4c87-a11a-1d3c570b12f3, with one arc per purpose.
#define PROFILE_ARC "2.25.185455635316991931809667461232443724531"
// id-kp-clientAuth (RFC 5280, 4.2.1.12): browsers offer only certificates that have it.
#define PROFILE_PURPOSE_CLIENT "1.3.6.1.5.5.7.3.2"

#define PROFILE_PASSKEY_URI_PREFIX "urn:cpis:passkey:"
#define PROFILE_PASSKEY_URI_BYTES (sizeof PROFILE_PASSKEY_URI_PREFIX + IDENTITY_PASSKEY_BYTES_MAX)
// "urn:cpis:system:" ODS ":" name, each byte of the name at worst as %XX.
#define PROFILE_URI_BYTES (16 + IDENTITY_ODS_BYTES_MAX + 1 + 3 * IDENTITY_NAME_BYTES_MAX + 1)

// One row per kind of end certificate (not CERTIFICATE_AUTHORITY).
struct profile_rules {
	const char *purpose;         // the one extended key usage (of browsers' staff certificates beside clientAuth)
	const char *key_usage_text;  // as OpenSSL writes it
	uint32_t key_usage;          // KU_...
	int key_type;                // EVP_PKEY_...; of staff that of a key made here
	int subject_nid;             // what the subject has besides the CN; NID_undef for nothing
};
const struct profile_rules *profile_rules_of(enum certificate_kind kind);

struct profile_subject {
	char organisation[IDENTITY_ODS_BYTES_MAX + 1];
	char uid[IDENTITY_UID_DIGITS + 1];
	char name[IDENTITY_NAME_BYTES_MAX + 1];
	char web_host[WEB_HOST_BYTES_MAX + 1];        // of a system; "": none
	char passkey[IDENTITY_PASSKEY_BYTES_MAX + 1]; // of a member of staff; "": none
};
struct profile_fields {
	struct profile_subject subject;
	uint8_t public_key[KEY_BYTES]; // of a system or a broker
	struct staff_key key;          // of a member of staff
	struct certificate_serial serial;
	uint64_t not_before_ms, not_after_ms;
};

// Copies the values that this kind has (the others may be NULL) and checks them; CERTS_VALUE with `*ret_why`.
__attribute__((warn_unused_result)) enum certs_status
profile_subject_make(enum certificate_kind kind, const char *organisation, const char *uid, const char *name,
		     struct profile_subject *ret, const char **ret_why);
// Base64url (RFC 4648, section 5) without padding, in its one form. Not of nothing.
bool profile_is_base64url(const char *text, size_t bytes);
// Give a system's subject a web host, or a person's their passkey's credential id (base64url, as bytes; they need not end in NUL).
// CERTS_VALUE with `*ret_why`.
__attribute__((warn_unused_result)) enum certs_status profile_set_web_host(struct profile_subject *subject, const char *host,
									    const char **ret_why);
__attribute__((warn_unused_result)) enum certs_status
profile_set_passkey(struct profile_subject *subject, const char *credential, size_t credential_bytes, const char **ret_why);

// Whether a person's certificate says clientAuth besides its own purpose: exactly if its key is one that a browser or a smart card can
// use in a handshake, which a passkey's is not.
bool profile_is_for_browsers(const struct staff_key *key, const struct profile_subject *subject);

// The SAN URI that goes with a subject. Bytes of the name outside A-Z a-z 0-9 - . _ ~ are percent-encoded.
void profile_uri(enum certificate_kind kind, const struct profile_subject *subject, char out[PROFILE_URI_BYTES]);

// The parts of a subject, if it is exactly that of this kind; and whether an alternative name is this URI and nothing else
// (NULL: it is not there). Both of a certificate or of a request for one.
__attribute__((warn_unused_result)) enum certs_status profile_read_subject(const X509_NAME *subject, enum certificate_kind kind,
									    struct profile_subject *ret,
									    const char **ret_why);
bool profile_is_only_uri(const GENERAL_NAMES *names, const char *uri);

// The certificate's fields, if it is exactly a certificate of this kind. Not: who signed it, and when it is good.
// `*ret_why` is a constant sentence for a failure.
__attribute__((warn_unused_result)) enum certs_status profile_read(const X509 *certificate, enum certificate_kind kind,
								    struct profile_fields *ret, const char **ret_why);

// An authority's certificate: Ed25519, CA with this path length, keyCertSign and cRLSign only.
__attribute__((warn_unused_result)) enum certs_status profile_check_authority(const X509 *certificate, long path_length,
									       const char **ret_why);

#endif
