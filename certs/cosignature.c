// Cosignatures: C2SP tlog-cosignature, "Ed25519 signed message".
#include "certs/cosignature.h"

#include <stdio.h>
#include <string.h>

#include "certs/note_priv.h"

#define TIME_BYTES 8
#define BLOB_BYTES (NOTE_KEY_ID_BYTES + TIME_BYTES + ED25519_SIGNATURE_BYTES)
#define MESSAGE_BYTES (64 + NOTE_BYTES_MAX)

// The note's text: up to and with the newline before the empty line. False when there is none.
static bool text_of(const char *note, size_t *ret_bytes)
{
	const char *blank = strstr(note, "\n\n");
	if (blank == NULL || strlen(note) > NOTE_BYTES_MAX)
		return false;
	*ret_bytes = (size_t)(blank + 1 - note);
	return true;
}

static size_t message_of(const char *note, size_t text_bytes, uint64_t time_s, uint8_t out[MESSAGE_BYTES])
{
	int head = snprintf((char *)out, MESSAGE_BYTES, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
	memcpy(out + head, note, text_bytes);
	return (size_t)head + text_bytes;
}

static bool append(char out[NOTE_BYTES_MAX + 1], const char *data, size_t bytes)
{
	size_t before = strlen(out);
	if (before + bytes > NOTE_BYTES_MAX)
		return false;
	memcpy(out + before, data, bytes);
	out[before + bytes] = '\0';
	return true;
}

// The note with the others' lines, in their order, and no line that bears its name and key id: twice is as bad as a false one.
static enum certs_status copy_others(const char *note, size_t text_bytes, const char *name, const uint8_t id[NOTE_KEY_ID_BYTES],
				     char out[NOTE_BYTES_MAX + 1])
{
	uint8_t blob[NOTE_BYTES_MAX];
	size_t blob_bytes;
	struct note_line line, bearer;
	const char *at = note + text_bytes + 1, *end = note + strlen(note);
	out[0] = '\0';
	bool whole = append(out, note, text_bytes + 1);
	while (whole && at < end) {
		if (!note_next_line(&at, end, &line) || !note_parse_signature(line, &bearer, blob, &blob_bytes))
			return CERTS_MALFORMED;
		if (!note_line_is(bearer, name) || memcmp(blob, id, NOTE_KEY_ID_BYTES) != 0)
			whole = append(out, line.at, line.bytes + 1);
	}
	return whole ? CERTS_OK : CERTS_VALUE;
}

enum certs_status cosignature_add(const char *note, const char *name, const struct signing_key *key, uint64_t time_s,
				  char out[NOTE_BYTES_MAX + 1])
{
	struct note_verifier witness = {0};
	uint8_t message[MESSAGE_BYTES], blob[BLOB_BYTES];
	char base64[BASE64_BYTES(BLOB_BYTES)], line[NOTE_ORIGIN_BYTES_MAX + sizeof base64 + 8], vkey[256];
	size_t text_bytes;
	if ((size_t)snprintf(witness.origin, sizeof witness.origin, "%s", name) >= sizeof witness.origin)
		return CERTS_VALUE;
	signing_key_public(key, witness.public_key);
	if (!text_of(note, &text_bytes))
		return CERTS_MALFORMED;
	if (time_s > INT64_MAX || note_key_format(&witness, NOTE_COSIGNATURE_V1, vkey, sizeof vkey) != CERTS_OK)
		return CERTS_VALUE;
	note_key_id(&witness, NOTE_COSIGNATURE_V1, blob);
	for (int i = 0; i < TIME_BYTES; i++)
		blob[NOTE_KEY_ID_BYTES + i] = (uint8_t)(time_s >> (8 * (TIME_BYTES - 1 - i)));
	enum certs_status status = signing_key_sign(key, message, message_of(note, text_bytes, time_s, message),
						    blob + NOTE_KEY_ID_BYTES + TIME_BYTES);
	if (status != CERTS_OK)
		return status;
	note_base64(blob, sizeof blob, base64);
	int bytes = snprintf(line, sizeof line, NOTE_DASH "%s %s\n", name, base64);
	status = copy_others(note, text_bytes, name, blob, out);
	if (status != CERTS_OK)
		return status;
	return append(out, line, (size_t)bytes) ? CERTS_OK : CERTS_VALUE;
}

// One line: CERTS_NAME when it is somebody else's.
static enum certs_status check_line(struct note_line line, const char *note, size_t text_bytes,
				    const struct note_verifier *witness, uint64_t *ret_time_s)
{
	uint8_t blob[NOTE_BYTES_MAX], id[NOTE_KEY_ID_BYTES], message[MESSAGE_BYTES];
	size_t blob_bytes = 0;
	struct note_line name;
	uint64_t time_s = 0;
	if (!note_parse_signature(line, &name, blob, &blob_bytes))
		return CERTS_MALFORMED;
	note_key_id(witness, NOTE_COSIGNATURE_V1, id);
	if (!note_line_is(name, witness->origin) || memcmp(blob, id, sizeof id) != 0)
		return CERTS_NAME;
	if (blob_bytes != BLOB_BYTES)
		return CERTS_SIGNATURE;
	for (int i = 0; i < TIME_BYTES; i++)
		time_s = time_s << 8 | blob[NOTE_KEY_ID_BYTES + i];
	*ret_time_s = time_s;
	return time_s > INT64_MAX ? CERTS_SIGNATURE
				  : ed25519_verify(witness->public_key, message,
						   message_of(note, text_bytes, time_s, message),
						   blob + NOTE_KEY_ID_BYTES + TIME_BYTES);
}

// The witness's line, if it is there and good.
static enum certs_status find(const char *note, const struct note_verifier *witness, struct note_line *ret_line,
			      uint64_t *ret_time_s)
{
	size_t text_bytes;
	struct note_line line;
	if (!text_of(note, &text_bytes))
		return CERTS_MALFORMED;
	enum certs_status status = CERTS_NAME;
	const char *at = note + text_bytes + 1, *end = note + strlen(note);
	while (at < end) {
		if (!note_next_line(&at, end, &line))
			return CERTS_MALFORMED;
		enum certs_status one = check_line(line, note, text_bytes, witness, ret_time_s);
		if (one == CERTS_NAME)
			continue;
		// Twice is as bad as a false one: which of the two counts?
		if (one != CERTS_OK || status == CERTS_OK)
			return one == CERTS_OK ? CERTS_MALFORMED : one;
		*ret_line = line;
		status = CERTS_OK;
	}
	return status;
}

enum certs_status cosignature_check(const char *note, const struct note_verifier *witness, uint64_t *ret_time_s)
{
	struct note_line line;
	return find(note, witness, &line, ret_time_s);
}

enum certs_status cosignature_take(const char *note, const char *from, const struct note_verifier *witness,
				   char out[NOTE_BYTES_MAX + 1])
{
	struct note_line theirs, ours;
	size_t bytes, from_bytes;
	uint64_t time_s;
	enum certs_status status = find(from, witness, &theirs, &time_s);
	if (status != CERTS_OK)
		return status;
	if (!text_of(note, &bytes) || !text_of(from, &from_bytes) || bytes != from_bytes || memcmp(note, from, bytes) != 0)
		return CERTS_PROOF;
	out[0] = '\0';
	status = find(note, witness, &ours, &time_s);
	bool whole = status == CERTS_OK ? append(out, note, (size_t)(ours.at - note)) &&
						  append(out, ours.at + ours.bytes + 1, strlen(ours.at + ours.bytes + 1))
					: append(out, note, strlen(note));
	return whole && append(out, theirs.at, theirs.bytes + 1) ? CERTS_OK : CERTS_VALUE;
}

enum certs_status witness_key_format(const struct note_verifier *witness, char *out, size_t out_bytes)
{
	return note_key_format(witness, NOTE_COSIGNATURE_V1, out, out_bytes);
}
