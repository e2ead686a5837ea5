// Who a certificate says somebody is: chain, purpose, profile, validity and revocation, checked by
// OpenSSL's verifier at a time the caller names (nobody here reads a clock).
//
// Trust comes from one directory, the "trust bundle" that `cpis certs init` writes and every broker and
// client holds a copy of:
//	root.pem systems-ca.pem staff-ca.pem   the three authorities
//	root.crl.pem systems.crl.pem staff.crl.pem   their revocation lists
//	log.vkey                               the audit log's verifier key (certs/note.h)
//	next/                                  while authorities are changed (certs/rotation.h): the six files of those to come
// Only the root is a trust anchor, and with next/ the root of either. A system certificate must chain through systems-ca, a staff one through
// staff-ca; neither can stand in for the other. A missing or expired list fails closed (CERTS_CRL).
#ifndef CPIS_CERTS_IDENTITY_H
#define CPIS_CERTS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/browser_challenge.h"
#include "certs/certs_status.h"
#include "certs/key.h"
#include "certs/staff_key.h"

#define SERIAL_BYTES_MAX 20
#define IDENTITY_NAME_BYTES_MAX 64
#define IDENTITY_ODS_BYTES_MAX 12
#define IDENTITY_UID_DIGITS 12
// A passkey's credential id is at most 256 bytes; in base64url (RFC 4648, section 5) without padding:
#define IDENTITY_PASSKEY_BYTES_MAX 342

// How long a detail sentence of a failed check may get, with its NUL.
#define CERTS_DETAIL_BYTES 160

struct certificate_serial {
	uint8_t bytes[SERIAL_BYTES_MAX]; // big-endian, no leading zero
	size_t bytes_count;
};
bool certificate_serial_equal(const struct certificate_serial *a, const struct certificate_serial *b);
// Lower-case hexadecimal.
void certificate_serial_format(const struct certificate_serial *serial, char out[2 * SERIAL_BYTES_MAX + 1]);

// A system (record system, case system) of an organisation.
struct system_identity {
	uint8_t curve_public[KEY_BYTES];            // subjectPublicKey, raw (RFC 8410): its CURVE public key
	char organisation[IDENTITY_ODS_BYTES_MAX + 1]; // organizationIdentifier (2.5.4.97)
	char name[IDENTITY_NAME_BYTES_MAX + 1];     // CN; also in the SAN URI urn:cpis:system:<ODS>:<name>
	char web_host[WEB_HOST_BYTES_MAX + 1];      // SAN dNSName: where its staff's browsers prove who they are; "": nowhere
	struct certificate_serial serial;
	uint64_t not_before_ms, not_after_ms;
};

// The broker. SAN URI urn:cpis:broker:<name>.
struct broker_identity {
	uint8_t curve_public[KEY_BYTES];
	char name[IDENTITY_NAME_BYTES_MAX + 1];
	struct certificate_serial serial;
	uint64_t not_before_ms, not_after_ms;
};

// A member of staff. What they may do is not in the certificate: the role register says that.
struct staff_identity {
	struct staff_key key;
	char uid[IDENTITY_UID_DIGITS + 1];          // UID attribute (0.9.2342.19200300.100.1.1)
	char name[IDENTITY_NAME_BYTES_MAX + 1];     // CN
	char passkey[IDENTITY_PASSKEY_BYTES_MAX + 1]; // credential id of the SAN URI urn:cpis:passkey:<base64url>; "": the key is no passkey
	struct certificate_serial serial;
	uint64_t not_before_ms, not_after_ms;
};

struct trust;

// Loads and checks the bundle: the two CAs chain to the root, each list is signed by its authority.
// Whether the lists are fresh is judged at each verification. `detail` (CERTS_DETAIL_BYTES) says what
// and which file on failure. An immutable object: any number of threads may verify with it.
__attribute__((warn_unused_result)) enum certs_status trust_load(const char *directory, struct trust **ret,
								  char detail[CERTS_DETAIL_BYTES]);
void trust_free(struct trust *trust); // accepts NULL

// The DER (or PEM, for the _file forms) certificate is what it should be at `now_ms`: `ret` is written, CERTS_OK.
// On failure the status says which check failed and `detail` says it in words with the place. `ret` is also
// filled as far as the certificate could be read when the status is CERTS_EXPIRED, CERTS_NOT_YET_VALID or
// CERTS_REVOKED, so that a refusal can name whom it refused (the issuer's signature is checked first, so the
// name is not the sender's invention; zeroed when it is an authority's own certificate that is so). For any
// other failure it is zeroed. A certificate is good while not_before_ms <= now_ms < not_after_ms.
__attribute__((warn_unused_result)) enum certs_status
trust_verify_system(const struct trust *trust, const uint8_t *der, size_t der_bytes, uint64_t now_ms,
		    struct system_identity *ret, char detail[CERTS_DETAIL_BYTES]);
__attribute__((warn_unused_result)) enum certs_status
trust_verify_system_file(const struct trust *trust, const char *path, uint64_t now_ms,
			 struct system_identity *ret, char detail[CERTS_DETAIL_BYTES]);
__attribute__((warn_unused_result)) enum certs_status
trust_verify_staff(const struct trust *trust, const uint8_t *der, size_t der_bytes, uint64_t now_ms,
		   struct staff_identity *ret, char detail[CERTS_DETAIL_BYTES]);
__attribute__((warn_unused_result)) enum certs_status
trust_verify_staff_file(const struct trust *trust, const char *path, uint64_t now_ms,
			struct staff_identity *ret, char detail[CERTS_DETAIL_BYTES]);
// Also checks that the certificate is for this broker name.
__attribute__((warn_unused_result)) enum certs_status
trust_verify_broker_file(const struct trust *trust, const char *path, const char *broker_name, uint64_t now_ms,
			 struct broker_identity *ret, char detail[CERTS_DETAIL_BYTES]);

// Whether the staff authority's list names this serial, or the list is not fresh at `now_ms` (CERTS_CRL):
// the per-message check behind a session token that was sealed before the revocation.
__attribute__((warn_unused_result)) enum certs_status
trust_check_staff_serial(const struct trust *trust, const struct certificate_serial *serial, uint64_t now_ms);
// The earliest nextUpdate of all lists.
uint64_t trust_crl_next_update_ms(const struct trust *trust);

// What a certificate file claims, whoever issued it: to show to people, never to decide by. CERTS_PROFILE and
// the like when it is neither one of the three kinds nor an authority's.
enum certificate_kind {
	CERTIFICATE_SYSTEM,
	CERTIFICATE_BROKER,
	CERTIFICATE_STAFF,
	CERTIFICATE_AUTHORITY,
};
struct certificate_description {
	enum certificate_kind kind;
	char organisation[IDENTITY_ODS_BYTES_MAX + 1]; // of a system
	char uid[IDENTITY_UID_DIGITS + 1];             // of a member of staff
	char name[IDENTITY_NAME_BYTES_MAX + 1];
	char web_host[WEB_HOST_BYTES_MAX + 1];         // of a system; "": none
	char passkey[IDENTITY_PASSKEY_BYTES_MAX + 1];  // of a member of staff; "": none
	enum staff_key_kind key_kind;                  // of a member of staff
	uint8_t key_sha256[32]; // of the DER SubjectPublicKeyInfo
	struct certificate_serial serial;
	uint64_t not_before_ms, not_after_ms;
};
__attribute__((warn_unused_result)) enum certs_status
certificate_describe_file(const char *path, struct certificate_description *ret, char detail[CERTS_DETAIL_BYTES]);

// Reads a PEM certificate file into DER (malloc; the caller frees), to send it or to keep it. No check.
__attribute__((warn_unused_result)) enum certs_status certificate_file_to_der(const char *path, uint8_t **ret_der,
									       size_t *ret_der_bytes);

#endif
