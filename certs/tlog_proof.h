// A proof of one record as a text that can be kept and checked without the log: c2sp.org/tlog-proof@v1.
//
//	c2sp.org/tlog-proof@v1\nextra <base64(salt || record)>\nindex <number>\n<base64 hash>\n...\n\n<checkpoint>
#ifndef CPIS_CERTS_TLOG_PROOF_H
#define CPIS_CERTS_TLOG_PROOF_H

#include "certs/note.h"

// What was proven. The caller frees `record`.
struct tlog_proof {
	uint64_t index;
	uint8_t salt[MERKLE_SALT_BYTES];
	uint8_t *record;
	size_t record_bytes;
	struct merkle_path path;
	char note[NOTE_BYTES_MAX + 1];
};

// The text, from malloc; NULL without memory.
char *tlog_proof_format(const struct tlog_proof *proof);
// Whether it holds, as of a receipt (certs/note.h).
__attribute__((warn_unused_result)) enum certs_status tlog_proof_verify(const struct tlog_proof *proof,
									 const struct note_verifier *verifier,
									 struct checkpoint *ret_checkpoint);

#endif
