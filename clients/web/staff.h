// The certificates of those who sign in with a passkey, found by the passkey's id. They say who somebody is and hold no secret; the
// registration authority issues them, and they are copied into one folder. Read again when an id is not known and the folder has changed.
#ifndef CPIS_WEB_STAFF_H
#define CPIS_WEB_STAFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAFF_DETAIL_BYTES 300
#define STAFF_PEOPLE_MAX 20000u

struct staff;
// Looks at each *.pem in the folder; what is not a passkey's certificate by this trust bundle is left out.
__attribute__((warn_unused_result)) bool staff_load(const char *directory, const char *trust_directory, uint64_t now_ms,
						     struct staff **ret, char detail[STAFF_DETAIL_BYTES]);
void staff_free(struct staff *staff); // accepts NULL
size_t staff_count(const struct staff *staff);
// Any thread. `credential` as base64url text, as it stands in the certificate. The certificate in DER, malloc'd; NULL: not known.
uint8_t *staff_certificate(struct staff *staff, const char *credential, uint64_t now_ms, size_t *ret_bytes);

#endif
