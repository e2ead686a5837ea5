// Checkpoints of the audit log: C2SP tlog-checkpoint in a C2SP signed note.
//
//	<origin>\n<tree size>\n<base64 root>\n\n— <origin> <base64(4-byte key id || Ed25519 signature)>\n
//
// key id = first 4 bytes of SHA-256(name || "\n" || 0x01 || public key). The verifier key file (log.vkey) is
// one line: <name>+<hex key id>+<base64(0x01 || public key)>.
#ifndef CPIS_CERTS_NOTE_H
#define CPIS_CERTS_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "certs/certs_status.h"
#include "certs/key.h"
#include "certs/merkle.h"

#define NOTE_ORIGIN_BYTES_MAX 128
// A log's checkpoint and 16 witnesses' signatures: at most 425 + 16 * 238 bytes.
#define NOTE_WITNESSES_MAX 16
#define NOTE_BYTES_MAX 4608
// Records are numbered as SQLite numbers rows. A larger size is refused, whoever signed it.
#define CHECKPOINT_SIZE_MAX ((uint64_t)INT64_MAX)

struct note_verifier {
	char origin[NOTE_ORIGIN_BYTES_MAX + 1];
	uint8_t public_key[KEY_BYTES];
};

struct checkpoint {
	char origin[NOTE_ORIGIN_BYTES_MAX + 1];
	uint64_t size;
	struct merkle_hash root;
};

// Origin: no spaces, no plus, no newline, at most NOTE_ORIGIN_BYTES_MAX. NUL-terminated result. CERTS_VALUE: it is not so, or the
// size is beyond CHECKPOINT_SIZE_MAX.
__attribute__((warn_unused_result)) enum certs_status
checkpoint_sign(const struct checkpoint *checkpoint, const struct signing_key *key, char out[NOTE_BYTES_MAX + 1]);

// Strict parse and verification; other signature lines (witnesses) are allowed and passed over.
// CERTS_MALFORMED, CERTS_NAME (another log's origin) or CERTS_SIGNATURE otherwise.
__attribute__((warn_unused_result)) enum certs_status
checkpoint_verify(const char *note, size_t note_bytes, const struct note_verifier *verifier, struct checkpoint *ret);

// The note with the log's own signature alone: what others wrote below it stays behind. As checkpoint_verify.
__attribute__((warn_unused_result)) enum certs_status
checkpoint_strip(const char *note, const struct note_verifier *verifier, char out[NOTE_BYTES_MAX + 1]);

__attribute__((warn_unused_result)) enum certs_status note_verifier_load(const char *path, struct note_verifier *ret);
// One line without newline, for log.vkey.
__attribute__((warn_unused_result)) enum certs_status
note_verifier_format(const struct note_verifier *verifier, char *out, size_t out_bytes);

// A proof of one record, as replies carry it: salt and record give the leaf, the path leads to the root that
// `note` signs. CERTS_OK and `ret_checkpoint`, or CERTS_PROOF / what checkpoint_verify says.
__attribute__((warn_unused_result)) enum certs_status
receipt_verify(const struct note_verifier *verifier, uint64_t index, const uint8_t salt[MERKLE_SALT_BYTES],
	       const uint8_t *record, size_t record_bytes, const struct merkle_hash *path, size_t path_count,
	       const char *note, size_t note_bytes, struct checkpoint *ret_checkpoint);

#endif
