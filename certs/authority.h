// The registration authority's side: making the certificate authorities, issuing, revoking, showing.
//
// One directory holds it all (mode 0700 for private/):
//	private/root.key systems-ca.key staff-ca.key   Ed25519, 0600
//	private/issued/SERIAL.pem                      every certificate ever issued
//	trust/                                         the trust bundle (certs/identity.h), for everybody
//	broker/broker.pem broker.key                   the broker's X25519 certificate and key
//	broker/log.key                                 the audit log's Ed25519 key
//	enrolled/SERIAL.pem                            certificates of the systems the broker admits
// Files are written complete or not at all (written aside, flushed, renamed).
#ifndef CPIS_CERTS_AUTHORITY_H
#define CPIS_CERTS_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/certs_status.h"
#include "certs/identity.h"

struct authority_paths {
	char certificate[4096];
	char key[4096];
};

// Makes a new directory, or fills an empty one. CERTS_EXISTS, and nothing changed, if `directory` holds anything.
// `log_origin` names the audit log in its checkpoints, e.g. "cpis.example/audit/broker-1".
__attribute__((warn_unused_result)) enum certs_status
authority_init(const char *directory, const char *broker_name, const char *log_origin, uint64_t now_ms,
	       char detail[CERTS_DETAIL_BYTES]);

// A key pair and a certificate for a system of `organisation`, written to `out_directory` as
// <file>.pem and <file>.key; the certificate is enrolled too. `days` 1 to 825. `out_directory` is made if its parent
// is there; `file` is 1 to 64 letters, digits, '.', '_' and '-', not beginning with '.' or '-'. An existing file is
// CERTS_EXISTS, and nothing is issued. Dates end with those of the issuing authority at the latest.
__attribute__((warn_unused_result)) enum certs_status
authority_issue_system(const char *directory, const char *organisation, const char *name, const char *out_directory,
		       const char *file, unsigned days, uint64_t now_ms, struct authority_paths *ret_paths,
		       char detail[CERTS_DETAIL_BYTES]);
// The same with the host under which the organisation's pages for staff are (certs/browser_challenge.h); NULL: it has none.
__attribute__((warn_unused_result)) enum certs_status
authority_issue_web_system(const char *directory, const char *organisation, const char *name, const char *web_host,
			   const char *out_directory, const char *file, unsigned days, uint64_t now_ms,
			   struct authority_paths *ret_paths, char detail[CERTS_DETAIL_BYTES]);

__attribute__((warn_unused_result)) enum certs_status
authority_issue_staff(const char *directory, const char *uid, const char *name, const char *out_directory,
		      const char *file, unsigned days, uint64_t now_ms, struct authority_paths *ret_paths,
		      char detail[CERTS_DETAIL_BYTES]);

// A certificate for a key that stays with whoever made it: `file` is their request (certs/request.h), `fingerprint` what they
// read out over the telephone. A system's is enrolled too. Only the certificate is written; `ret_paths->key` is "".
// CERTS_FINGERPRINT when it is another key, CERTS_KEY_IN_USE when this directory has ever certified it, CERTS_SIGNATURE,
// CERTS_PROFILE or CERTS_NAME when the request is not what it should be. Nothing is issued then.
struct authority_request {
	enum certificate_kind kind;  // not CERTIFICATE_AUTHORITY
	const char *organisation;    // of a system
	const char *uid, *name;      // of a member of staff NULL, or what the request must say; `name` of the others
	const char *file;
	const char *fingerprint;
	const char *web_host; // of a system; NULL: none
	bool passkey;         // of staff: `file` is what a browser saved of a new passkey (certs/passkey_request_priv.h), not PKCS#10
};
__attribute__((warn_unused_result)) enum certs_status
authority_issue_requested(const char *directory, const struct authority_request *request, const char *out_directory,
			  const char *file, unsigned days, uint64_t now_ms, struct authority_paths *ret_paths,
			  char detail[CERTS_DETAIL_BYTES]);

// The next certificate of a broker (the first one comes with authority_init), with a new key. Not enrolled.
__attribute__((warn_unused_result)) enum certs_status
authority_issue_broker(const char *directory, const char *name, const char *out_directory, const char *file,
		       unsigned days, uint64_t now_ms, struct authority_paths *ret_paths,
		       char detail[CERTS_DETAIL_BYTES]);

// Adds the certificate to its authority's revocation list and writes the list anew. Again is harmless.
__attribute__((warn_unused_result)) enum certs_status
authority_revoke(const char *directory, const char *certificate_path, uint64_t now_ms,
		 char detail[CERTS_DETAIL_BYTES]);

// Writes the three revocation lists anew with fresh dates (they are good for 30 days).
__attribute__((warn_unused_result)) enum certs_status authority_refresh_lists(const char *directory, uint64_t now_ms,
									       char detail[CERTS_DETAIL_BYTES]);

// A key for a log that goes on where the present one cannot be gone on with: trust/log.vkey is its, broker/log.key too, and
// trust/log.previous has the verifier key of the one before, whose private key is kept as broker/log-<key id>.key. `origin` must be
// another.
__attribute__((warn_unused_result)) enum certs_status
authority_new_log(const char *directory, const char *origin, char detail[CERTS_DETAIL_BYTES]);

#endif
