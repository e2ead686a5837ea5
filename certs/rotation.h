// Changing the authorities that a trust bundle believes: the next ones are adopted beside the present ones, everybody gets a
// certificate from them, and then they take their place. Each step changes the bundle whole or not at all, while others read it.
#ifndef CPIS_CERTS_ROTATION_H
#define CPIS_CERTS_ROTATION_H

#include <stdint.h>

#include "certs/identity.h"

// Copies the authorities and lists of the bundle `next_trust` into `<trust>/next`, after checking both: lists that are fresh at
// `now_ms`, and authorities that are really others. What was adopted before is replaced. The log's key is not touched.
__attribute__((warn_unused_result)) enum certs_status rotation_adopt(const char *trust, const char *next_trust, uint64_t now_ms,
								     char detail[CERTS_DETAIL_BYTES]);
// What was adopted takes the place of the present authorities. CERTS_CANNOT_READ when nothing was adopted; CERTS_CRL when its
// lists are not fresh at `now_ms`: then nobody would be believed.
__attribute__((warn_unused_result)) enum certs_status rotation_finish(const char *trust, uint64_t now_ms,
								      char detail[CERTS_DETAIL_BYTES]);

#endif
