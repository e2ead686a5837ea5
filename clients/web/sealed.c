// Sealing by libsodium.
#include "clients/web/sealed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "certs/secret_file.h"
#include "proto/wire.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define OVERHEAD (NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES)
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(SEALED_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key is the cipher's");

static bool read_key(struct sealer *sealer, const char *path, char *detail, size_t detail_bytes)
{
	struct stat about;
	uint8_t bytes[SEALED_KEY_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool read_whole = fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
			  read(fd, bytes, sizeof bytes) == SEALED_KEY_BYTES;
	bool readable_by_others = read_whole && !secret_file_is_closed(path, &about);
	if (fd >= 0)
		close(fd);
	if (read_whole && !readable_by_others)
		memcpy(sealer->key, bytes, sizeof sealer->key);
	sodium_memzero(bytes, sizeof bytes);
	if (!read_whole)
		snprintf(detail, detail_bytes, "%s: not a file of %d bytes (make one with `head -c %d /dev/urandom`)", path,
			 SEALED_KEY_BYTES, SEALED_KEY_BYTES);
	else if (readable_by_others)
		snprintf(detail, detail_bytes, "%s: group or others may read this key; chmod 600 it", path);
	return read_whole && !readable_by_others;
}

bool sealer_init(struct sealer *sealer, const char *path, char *detail, size_t detail_bytes)
{
	memset(sealer, 0, sizeof *sealer);
	if (sodium_init() < 0) {
		snprintf(detail, detail_bytes, "libsodium cannot be used");
		return false;
	}
	if (path != NULL)
		return read_key(sealer, path, detail, detail_bytes);
	randombytes_buf(sealer->key, sizeof sealer->key);
	return true;
}

void sealer_done(struct sealer *sealer)
{
	sodium_memzero(sealer, sizeof *sealer);
}

void sealed_random(void *out, size_t bytes)
{
	randombytes_buf(out, bytes);
}

// ------------------------------------------------------------------ base64url

const char *sealed_base64(struct arena *arena, const uint8_t *data, size_t bytes)
{
	size_t room = sodium_base64_encoded_len(bytes, VARIANT);
	char *text = arena_alloc(arena, room);
	return text == NULL ? NULL : sodium_bin2base64(text, room, data, bytes, VARIANT);
}

uint8_t *sealed_from_base64(struct arena *arena, const char *text, size_t *ret_bytes)
{
	size_t length = strnlen(text, SEALED_TEXT_BYTES_MAX + 1);
	uint8_t *data = length > SEALED_TEXT_BYTES_MAX ? NULL : arena_alloc(arena, length / 4 * 3 + 3);
	if (data == NULL || sodium_base642bin(data, length / 4 * 3 + 3, text, length, NULL, ret_bytes, NULL, VARIANT) != 0)
		return NULL;
	return data;
}

// ------------------------------------------------------------------ sealing

const char *sealed_make(const struct sealer *sealer, struct arena *arena, enum sealed_purpose purpose, const ProtobufCMessage *message)
{
	size_t plain_bytes = 0;
	const uint8_t *plain = wire_pack(arena, message, &plain_bytes);
	uint8_t bound = (uint8_t)purpose;
	uint8_t *sealed = plain == NULL ? NULL : arena_alloc(arena, plain_bytes + OVERHEAD);
	if (sealed == NULL)
		return NULL;
	randombytes_buf(sealed, NONCE);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE, NULL, plain, plain_bytes, &bound, sizeof bound, NULL, sealed,
						       sealer->key) != 0)
		return NULL;
	return sealed_base64(arena, sealed, plain_bytes + OVERHEAD);
}

ProtobufCMessage *sealed_open(const struct sealer *sealer, struct arena *arena, enum sealed_purpose purpose,
			      const ProtobufCMessageDescriptor *descriptor, const char *text)
{
	size_t bytes = 0;
	uint8_t bound = (uint8_t)purpose;
	const uint8_t *sealed = text == NULL ? NULL : sealed_from_base64(arena, text, &bytes);
	uint8_t *plain = sealed == NULL || bytes < OVERHEAD ? NULL : arena_alloc(arena, bytes - OVERHEAD + 1);
	if (plain == NULL || crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed + NONCE, bytes - NONCE, &bound,
									sizeof bound, sealed, sealer->key) != 0)
		return NULL;
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	return wire_unpack(arena, descriptor, plain, bytes - OVERHEAD, &message, &error) == WIRE_OK ? message : NULL;
}

// ------------------------------------------------------------------ marks

void sealed_mark(const struct sealer *sealer, const uint8_t *id, size_t id_bytes, char out[SEALED_MARK_BYTES])
{
	uint8_t digest[(SEALED_MARK_BYTES - 1) / 2];
	crypto_generichash(digest, sizeof digest, id, id_bytes, sealer->key, sizeof sealer->key);
	sodium_bin2hex(out, SEALED_MARK_BYTES, digest, sizeof digest);
}

bool sealed_mark_is(const char mark[SEALED_MARK_BYTES], const char *typed)
{
	return typed != NULL && strlen(typed) == SEALED_MARK_BYTES - 1 && sodium_memcmp(mark, typed, SEALED_MARK_BYTES - 1) == 0;
}
