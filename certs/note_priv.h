// The parts of signed notes that checkpoints and cosignatures share. Inside certs/ only.
#ifndef CPIS_CERTS_NOTE_PRIV_H
#define CPIS_CERTS_NOTE_PRIV_H

#include <stdbool.h>

#include "certs/note.h"

// Signature types of c2sp.org/signed-note.
enum note_algorithm { NOTE_ED25519 = 0x01, NOTE_COSIGNATURE_V1 = 0x04 };

#define NOTE_KEY_ID_BYTES 4
#define NOTE_DASH "\xE2\x80\x94 " // EM DASH and a space open each signature line
// Bytes of base64 for `n` bytes, with padding and NUL.
#define BASE64_BYTES(n) (((n) + 2) / 3 * 4 + 1)

struct note_line {
	const char *at;
	size_t bytes;
};

// Takes one line off the front. False when none is complete.
bool note_next_line(const char **at, const char *end, struct note_line *ret);
bool note_line_is(struct note_line line, const char *text);
// The form of a signature line, whoever signed: a name without space or plus, a key id and at least one byte more.
bool note_parse_signature(struct note_line line, struct note_line *ret_name, uint8_t blob[NOTE_BYTES_MAX],
			  size_t *ret_blob_bytes);
void note_base64(const uint8_t *data, size_t bytes, char *out);
void note_key_id(const struct note_verifier *key, enum note_algorithm algorithm, uint8_t out[NOTE_KEY_ID_BYTES]);
// A verifier key's line, without newline: <name>+<hex key id>+<base64(algorithm || public key)>.
enum certs_status note_key_parse(const char *line, enum note_algorithm algorithm, struct note_verifier *ret);
enum certs_status note_key_format(const struct note_verifier *key, enum note_algorithm algorithm, char *out,
				  size_t out_bytes);

#endif
