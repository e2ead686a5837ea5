// Reading what request.h writes. Inside certs/ only.
#ifndef CPIS_CERTS_REQUEST_PRIV_H
#define CPIS_CERTS_REQUEST_PRIV_H

#include "certs/profile_priv.h"
#include "certs/request.h"

// A PKCS#10 request of a member of staff: its own signature holds, and subject, key and alternative name are exactly what the
// profile will have; nothing else is asked for.
__attribute__((warn_unused_result)) enum certs_status request_read_staff(const char *path, struct profile_subject *ret,
									  struct staff_key *ret_key,
									  char detail[CERTS_DETAIL_BYTES]);
// A PEM SubjectPublicKeyInfo of X25519.
__attribute__((warn_unused_result)) enum certs_status request_read_curve(const char *path, uint8_t ret_public_key[KEY_BYTES],
									  char detail[CERTS_DETAIL_BYTES]);

// "<directory>/<file><suffix>", after making the directory. Files: 1 to 64 letters, digits, '.', '_' and '-', not beginning
// with '.' or '-'.
__attribute__((warn_unused_result)) enum certs_status request_path(const char *directory, const char *file, const char *suffix,
								    char out[4096], char detail[CERTS_DETAIL_BYTES]);

#endif
