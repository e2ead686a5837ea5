// The registration authority's directory, for the files that make it and work from it. Inside certs/ only.
#ifndef CPIS_CERTS_AUTHORITY_PRIV_H
#define CPIS_CERTS_AUTHORITY_PRIV_H

#include <stdint.h>

#include "certs/authority.h"
#include "certs/issue_priv.h"

#define AUTHORITY_PATH_BYTES 4096
#define AUTHORITY_DAY_MS (24ull * 3600 * 1000)
#define AUTHORITY_END_DAYS_MAX 825u
// Authorities and lists are good from a little before they were made: otherwise every check on a machine whose
// clock is a second behind would fail closed just after a refresh.
#define AUTHORITY_BACKDATE_MS (3600ull * 1000)

enum { AUTHORITY_ROOT, AUTHORITY_SYSTEMS, AUTHORITY_STAFF, AUTHORITIES };

struct authority_layout {
	const char *name; // CN
	const char *certificate, *key, *list;
	long path_length;
	unsigned days;
};
extern const struct authority_layout authority_layout[AUTHORITIES];

// One writer at a time: two revocations at once must not lose one. Blocks; let go of with close.
__attribute__((warn_unused_result)) enum certs_status
authority_lock(const char *directory, int *ret_fd, char detail[CERTS_DETAIL_BYTES]);

void authority_issuer_done(struct issuer *issuer);

// <directory>/<name>. Too long: the empty path, which no file has; a cut one might be another's.
void authority_join(char out[AUTHORITY_PATH_BYTES], const char *directory, const char *name);
// <directory>/<folder>/<SERIAL>.pem
void authority_serial_path(char out[AUTHORITY_PATH_BYTES], const char *directory, const char *folder,
			   const X509 *certificate);

__attribute__((warn_unused_result)) enum certs_status
authority_write_certificate(X509 *certificate, const char *path, char detail[CERTS_DETAIL_BYTES]);
// Under its serial number.
__attribute__((warn_unused_result)) enum certs_status
authority_record(X509 *certificate, const char *directory, const char *folder, char detail[CERTS_DETAIL_BYTES]);
// Writes a list anew: `previous` (NULL: none) and `revoked` (NULL: nobody).
__attribute__((warn_unused_result)) enum certs_status
authority_renew_list(const char *directory, int which, const struct issuer *by, const X509_CRL *previous,
		     X509 *revoked, uint64_t now_ms, char detail[CERTS_DETAIL_BYTES]);

#endif
