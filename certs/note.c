// C2SP signed notes and tlog checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).
#include "certs/note_priv.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "certs/sha256.h"

#define SIGNATURE_LINE_BYTES (NOTE_KEY_ID_BYTES + ED25519_SIGNATURE_BYTES)
// A verifier's line is at most 128 + 1 + 8 + 1 + 44 bytes.
#define VERIFIER_LINE_BYTES 256

// A key name of ours: printable ASCII, neither space nor plus. `origin` need not be NUL-terminated.
static bool origin_is_good(const char *origin, size_t bytes)
{
	if (bytes == 0 || bytes > NOTE_ORIGIN_BYTES_MAX)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (origin[i] <= ' ' || origin[i] > '~' || origin[i] == '+')
			return false;
	return true;
}

// Looks at no byte behind the field, terminated or not.
static bool origin_field_is_good(const char origin[NOTE_ORIGIN_BYTES_MAX + 1])
{
	return origin_is_good(origin, strnlen(origin, NOTE_ORIGIN_BYTES_MAX + 1));
}

void note_key_id(const struct note_verifier *key, enum note_algorithm algorithm, uint8_t out[NOTE_KEY_ID_BYTES])
{
	uint8_t message[NOTE_ORIGIN_BYTES_MAX + 2 + KEY_BYTES], digest[SHA256_BYTES];
	size_t bytes = strlen(key->origin);
	memcpy(message, key->origin, bytes);
	message[bytes++] = '\n';
	message[bytes++] = (uint8_t)algorithm;
	memcpy(message + bytes, key->public_key, KEY_BYTES);
	sha256(message, bytes + KEY_BYTES, digest);
	memcpy(out, digest, NOTE_KEY_ID_BYTES);
}

void note_base64(const uint8_t *data, size_t bytes, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, data, (int)bytes);
}

// Strict: the text must be what encoding the result gives again. `text` is `text_bytes` long, not NUL-terminated.
static bool base64_decode(const char *text, size_t text_bytes, uint8_t *out, size_t out_bytes_max, size_t *ret_bytes)
{
	unsigned char decoded[NOTE_BYTES_MAX];
	char again[BASE64_BYTES(sizeof decoded)];
	if (text_bytes == 0 || text_bytes % 4 != 0 || text_bytes > NOTE_BYTES_MAX)
		return false;
	size_t padding = text[text_bytes - 1] != '=' ? 0 : text[text_bytes - 2] != '=' ? 1 : 2;
	size_t bytes = text_bytes / 4 * 3 - padding;
	if (bytes > out_bytes_max ||
	    EVP_DecodeBlock(decoded, (const unsigned char *)text, (int)text_bytes) < (int)bytes)
		return false;
	note_base64(decoded, bytes, again);
	if (memcmp(again, text, text_bytes) != 0)
		return false;
	memcpy(out, decoded, bytes);
	*ret_bytes = bytes;
	return true;
}

static bool base64_decode_exactly(const char *text, size_t text_bytes, uint8_t *out, size_t out_bytes)
{
	size_t bytes;
	return text_bytes == BASE64_BYTES(out_bytes) - 1 && base64_decode(text, text_bytes, out, out_bytes, &bytes) &&
	       bytes == out_bytes;
}

enum certs_status checkpoint_sign(const struct checkpoint *checkpoint, const struct signing_key *key,
				  char out[NOTE_BYTES_MAX + 1])
{
	char root[BASE64_BYTES(MERKLE_HASH_BYTES)], line[BASE64_BYTES(SIGNATURE_LINE_BYTES)];
	char note[NOTE_BYTES_MAX + 1];
	struct note_verifier own = {0};
	uint8_t blob[SIGNATURE_LINE_BYTES];
	if (!origin_field_is_good(checkpoint->origin) || checkpoint->size > CHECKPOINT_SIZE_MAX)
		return CERTS_VALUE;
	note_base64(checkpoint->root.bytes, MERKLE_HASH_BYTES, root);
	int body_bytes = snprintf(note, sizeof note, "%s\n%llu\n%s\n", checkpoint->origin,
				  (unsigned long long)checkpoint->size, root);
	memcpy(own.origin, checkpoint->origin, sizeof own.origin);
	signing_key_public(key, own.public_key);
	note_key_id(&own, NOTE_ED25519, blob);
	enum certs_status status =
		signing_key_sign(key, (const uint8_t *)note, (size_t)body_bytes, blob + NOTE_KEY_ID_BYTES);
	if (status != CERTS_OK)
		return status;
	note_base64(blob, sizeof blob, line);
	// At most 129 + 21 + 45 + 1 + 4 + 129 + 93 bytes: it fits.
	snprintf(note + body_bytes, sizeof note - (size_t)body_bytes, "\n" NOTE_DASH "%s %s\n", checkpoint->origin, line);
	strcpy(out, note);
	return CERTS_OK;
}

// Takes one line off the front. False when none is complete.
bool note_next_line(const char **at, const char *end, struct note_line *ret)
{
	const char *stop = memchr(*at, '\n', (size_t)(end - *at));
	if (stop == NULL)
		return false;
	*ret = (struct note_line){*at, (size_t)(stop - *at)};
	*at = stop + 1;
	return true;
}

static bool parse_size(struct note_line line, uint64_t *ret)
{
	uint64_t value = 0;
	if (line.bytes == 0 || (line.at[0] == '0' && line.bytes > 1))
		return false;
	for (size_t i = 0; i < line.bytes; i++) {
		if (line.at[i] < '0' || line.at[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(line.at[i] - '0');
		if (value > (CHECKPOINT_SIZE_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return true;
}

// The form of a signature line, whoever signed: a name without space or plus, a key id and at least one byte more.
bool note_parse_signature(struct note_line line, struct note_line *ret_name, uint8_t blob[NOTE_BYTES_MAX],
			  size_t *ret_blob_bytes)
{
	size_t dash = strlen(NOTE_DASH);
	if (line.bytes < dash || memcmp(line.at, NOTE_DASH, dash) != 0)
		return false;
	const char *name = line.at + dash;
	const char *space = memchr(name, ' ', line.bytes - dash);
	if (space == NULL || space == name)
		return false;
	for (const char *at = name; at < space; at++)
		if ((unsigned char)*at < ' ' || *at == '+' || *at == 0x7F)
			return false;
	*ret_name = (struct note_line){name, (size_t)(space - name)};
	return base64_decode(space + 1, line.bytes - dash - ret_name->bytes - 1, blob, NOTE_BYTES_MAX,
			     ret_blob_bytes) &&
	       *ret_blob_bytes > NOTE_KEY_ID_BYTES;
}

bool note_line_is(struct note_line line, const char *text)
{
	return line.bytes == strlen(text) && memcmp(line.at, text, line.bytes) == 0;
}

// One signature line of the note. CERTS_NAME: somebody else's, passed over by the caller. A line that names our key
// and does not verify is CERTS_SIGNATURE, however long it is: the note is then refused whatever else it bears.
static enum certs_status check_signature(struct note_line line, const char *text, size_t text_bytes,
					 const struct note_verifier *verifier)
{
	uint8_t blob[NOTE_BYTES_MAX], id[NOTE_KEY_ID_BYTES];
	size_t blob_bytes = 0;
	struct note_line name;
	if (!note_parse_signature(line, &name, blob, &blob_bytes))
		return CERTS_MALFORMED;
	note_key_id(verifier, NOTE_ED25519, id);
	if (!note_line_is(name, verifier->origin) || memcmp(blob, id, sizeof id) != 0)
		return CERTS_NAME;
	if (blob_bytes != SIGNATURE_LINE_BYTES)
		return CERTS_SIGNATURE;
	return ed25519_verify(verifier->public_key, (const uint8_t *)text, text_bytes, blob + NOTE_KEY_ID_BYTES);
}

// All signature lines from `at` on: CERTS_OK when ours is among them and none of ours is bad.
static enum certs_status check_signatures(const char *at, const char *end, const char *text, size_t text_bytes,
					  const struct note_verifier *verifier)
{
	bool good = false, bad = false;
	struct note_line line;
	if (at == end)
		return CERTS_MALFORMED;
	while (at < end) {
		if (!note_next_line(&at, end, &line))
			return CERTS_MALFORMED;
		enum certs_status status = check_signature(line, text, text_bytes, verifier);
		if (status == CERTS_MALFORMED)
			return status;
		if (status == CERTS_OK)
			good = true;
		else if (status != CERTS_NAME)
			bad = true;
	}
	return good && !bad ? CERTS_OK : CERTS_SIGNATURE;
}

enum certs_status checkpoint_verify(const char *note, size_t note_bytes, const struct note_verifier *verifier,
				    struct checkpoint *ret)
{
	struct checkpoint checkpoint = {0};
	struct note_line origin, size, root, blank;
	const char *at = note, *end = note + note_bytes;
	if (note_bytes > NOTE_BYTES_MAX || memchr(note, '\0', note_bytes) != NULL || !note_next_line(&at, end, &origin) ||
	    !note_next_line(&at, end, &size) || !note_next_line(&at, end, &root))
		return CERTS_MALFORMED;
	size_t text_bytes = (size_t)(at - note);
	// No extension lines: this log writes none, so one would be something we did not sign for.
	if (!note_next_line(&at, end, &blank) || blank.bytes != 0 || !origin_is_good(origin.at, origin.bytes) ||
	    !parse_size(size, &checkpoint.size) ||
	    !base64_decode_exactly(root.at, root.bytes, checkpoint.root.bytes, MERKLE_HASH_BYTES))
		return CERTS_MALFORMED;
	enum certs_status status = check_signatures(at, end, note, text_bytes, verifier);
	if (status == CERTS_MALFORMED)
		return status;
	if (!note_line_is(origin, verifier->origin))
		return CERTS_NAME;
	if (status != CERTS_OK)
		return status;
	memcpy(checkpoint.origin, origin.at, origin.bytes);
	*ret = checkpoint;
	return CERTS_OK;
}

enum certs_status checkpoint_strip(const char *note, const struct note_verifier *verifier, char out[NOTE_BYTES_MAX + 1])
{
	struct checkpoint checkpoint;
	struct note_line line;
	enum certs_status status = checkpoint_verify(note, strlen(note), verifier, &checkpoint);
	if (status != CERTS_OK)
		return status;
	const char *at = strstr(note, "\n\n") + 2, *end = note + strlen(note);
	size_t head = (size_t)(at - note);
	// One of ours is among them, or it would not have verified.
	while (note_next_line(&at, end, &line) && check_signature(line, note, head - 1, verifier) != CERTS_OK)
		;
	memcpy(out, note, head);
	memcpy(out + head, line.at, line.bytes + 1);
	out[head + line.bytes + 1] = '\0';
	return CERTS_OK;
}

enum certs_status note_key_format(const struct note_verifier *verifier, enum note_algorithm algorithm, char *out,
				  size_t out_bytes)
{
	uint8_t id[NOTE_KEY_ID_BYTES], blob[1 + KEY_BYTES] = {(uint8_t)algorithm};
	char text[BASE64_BYTES(sizeof blob)], line[VERIFIER_LINE_BYTES];
	if (!origin_field_is_good(verifier->origin))
		return CERTS_VALUE;
	note_key_id(verifier, algorithm, id);
	memcpy(blob + 1, verifier->public_key, KEY_BYTES);
	note_base64(blob, sizeof blob, text);
	int count = snprintf(line, sizeof line, "%s+%02x%02x%02x%02x+%s", verifier->origin, id[0], id[1], id[2],
			     id[3], text);
	if (count < 0 || (size_t)count >= sizeof line || (size_t)count >= out_bytes)
		return CERTS_VALUE;
	memcpy(out, line, (size_t)count + 1);
	return CERTS_OK;
}

enum certs_status note_verifier_format(const struct note_verifier *verifier, char *out, size_t out_bytes)
{
	return note_key_format(verifier, NOTE_ED25519, out, out_bytes);
}

enum certs_status note_key_parse(const char *line, enum note_algorithm algorithm, struct note_verifier *ret)
{
	struct note_verifier verifier = {0};
	char again[VERIFIER_LINE_BYTES];
	uint8_t blob[1 + KEY_BYTES];
	const char *id = strchr(line, '+');
	const char *key = id == NULL ? NULL : strchr(id + 1, '+');
	if (key == NULL || (size_t)(id - line) > NOTE_ORIGIN_BYTES_MAX ||
	    !base64_decode_exactly(key + 1, strlen(key + 1), blob, sizeof blob) || blob[0] != algorithm)
		return CERTS_MALFORMED;
	memcpy(verifier.origin, line, (size_t)(id - line));
	memcpy(verifier.public_key, blob + 1, KEY_BYTES);
	// Writing it again gives the same line, key id and all, or it was not one of ours.
	if (note_key_format(&verifier, algorithm, again, sizeof again) != CERTS_OK || strcmp(again, line) != 0)
		return CERTS_MALFORMED;
	*ret = verifier;
	return CERTS_OK;
}

// The file's one line, NUL-terminated and without its newline.
static enum certs_status read_line(const char *path, char line[VERIFIER_LINE_BYTES])
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return CERTS_CANNOT_READ;
	size_t bytes = fread(line, 1, VERIFIER_LINE_BYTES, file);
	bool failed = ferror(file) != 0; // a directory opens, and cannot be read
	fclose(file);
	if (failed)
		return CERTS_CANNOT_READ;
	if (bytes == VERIFIER_LINE_BYTES || memchr(line, '\0', bytes) != NULL)
		return CERTS_MALFORMED;
	if (bytes > 0 && line[bytes - 1] == '\n')
		bytes--;
	line[bytes] = '\0';
	return CERTS_OK;
}

enum certs_status note_verifier_load(const char *path, struct note_verifier *ret)
{
	char line[VERIFIER_LINE_BYTES];
	enum certs_status status = read_line(path, line);
	return status == CERTS_OK ? note_key_parse(line, NOTE_ED25519, ret) : status;
}

enum certs_status receipt_verify(const struct note_verifier *verifier, uint64_t index,
				 const uint8_t salt[MERKLE_SALT_BYTES], const uint8_t *record, size_t record_bytes,
				 const struct merkle_hash *path, size_t path_count, const char *note, size_t note_bytes,
				 struct checkpoint *ret_checkpoint)
{
	struct checkpoint checkpoint;
	struct merkle_hash leaf;
	enum certs_status status = checkpoint_verify(note, note_bytes, verifier, &checkpoint);
	if (status != CERTS_OK)
		return status;
	merkle_leaf(salt, record, record_bytes, &leaf);
	if (!merkle_verify(&leaf, index, checkpoint.size, path, path_count, &checkpoint.root))
		return CERTS_PROOF;
	*ret_checkpoint = checkpoint;
	return CERTS_OK;
}
