// OpenSSH's forms of an Ed25519 key: the public line (RFC 8709), and the private file (OpenSSH's PROTOCOL.key).
#include "certs/age_identity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "certs/key_priv.h"

static const char type[] = "ssh-ed25519";
#define TYPE_BYTES (sizeof type - 1)
#define PUBLIC_BLOB_BYTES (4 + TYPE_BYTES + 4 + KEY_BYTES)
#define FILE_BYTES_MAX 512u
#define TEXT_BYTES_MAX 1024u
#define LINE_BYTES 70

struct blob {
	uint8_t bytes[FILE_BYTES_MAX];
	size_t used;
};

static void put(struct blob *blob, const void *data, size_t bytes)
{
	memcpy(blob->bytes + blob->used, data, bytes);
	blob->used += bytes;
}

static void put_u32(struct blob *blob, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
	put(blob, bytes, sizeof bytes);
}

static void put_string(struct blob *blob, const void *data, size_t bytes)
{
	put_u32(blob, (uint32_t)bytes);
	put(blob, data, bytes);
}

static void put_public(struct blob *blob, const uint8_t public_key[KEY_BYTES])
{
	put_string(blob, type, TYPE_BYTES);
	put_string(blob, public_key, KEY_BYTES);
}

void age_recipient(const uint8_t public_key[KEY_BYTES], char out[AGE_RECIPIENT_BYTES])
{
	struct blob blob = {.used = 0};
	put_public(&blob, public_key);
	memcpy(out, type, TYPE_BYTES);
	out[TYPE_BYTES] = ' ';
	EVP_EncodeBlock((unsigned char *)out + TYPE_BYTES + 1, blob.bytes, (int)blob.used);
}

// Unencrypted: it leaves no memory.
static void put_file(struct blob *blob, const uint8_t seed[KEY_BYTES], const uint8_t public_key[KEY_BYTES])
{
	struct blob inner = {.used = 0};
	uint8_t pair[2 * KEY_BYTES];
	memcpy(pair, seed, KEY_BYTES);
	memcpy(pair + KEY_BYTES, public_key, KEY_BYTES);
	// Two equal numbers, by which a wrong passphrase would be noticed.
	put_u32(&inner, 0);
	put_u32(&inner, 0);
	put_public(&inner, public_key);
	put_string(&inner, pair, sizeof pair);
	put_u32(&inner, 0);
	for (uint8_t padding = 1; inner.used % 8 != 0; padding++)
		put(&inner, &padding, 1);
	put(blob, "openssh-key-v1", sizeof "openssh-key-v1");
	put_string(blob, "none", 4);
	put_string(blob, "none", 4);
	put_u32(blob, 0);
	put_u32(blob, 1);
	put_u32(blob, PUBLIC_BLOB_BYTES);
	put_public(blob, public_key);
	put_string(blob, inner.bytes, inner.used);
	OPENSSL_cleanse(pair, sizeof pair);
	OPENSSL_cleanse(&inner, sizeof inner);
}

// Text of the blob, written to the descriptor.
static bool write_pem(int descriptor, const struct blob *blob)
{
	char coded[TEXT_BYTES_MAX], text[TEXT_BYTES_MAX];
	size_t used = 0, length = (size_t)EVP_EncodeBlock((unsigned char *)coded, blob->bytes, (int)blob->used);
	used += (size_t)snprintf(text, sizeof text, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t at = 0; at < length; at += LINE_BYTES)
		used += (size_t)snprintf(text + used, sizeof text - used, "%.*s\n",
					 (int)(length - at < LINE_BYTES ? length - at : LINE_BYTES), coded + at);
	used += (size_t)snprintf(text + used, sizeof text - used, "-----END OPENSSH PRIVATE KEY-----\n");
	bool written = write(descriptor, text, used) == (ssize_t)used && lseek(descriptor, 0, SEEK_SET) == 0;
	OPENSSL_cleanse(coded, sizeof coded);
	OPENSSL_cleanse(text, sizeof text);
	return written;
}

static enum certs_status export(const struct signing_key *key, int *ret_descriptor)
{
	uint8_t seed[KEY_BYTES], public_key[KEY_BYTES];
	size_t bytes = sizeof seed;
	struct blob blob = {.used = 0};
	EVP_PKEY *secret = signing_key_evp(key);
	if (secret == NULL || EVP_PKEY_get_raw_private_key(secret, seed, &bytes) != 1 || bytes != sizeof seed)
		return CERTS_WRONG_KEY_TYPE;
	signing_key_public(key, public_key);
	put_file(&blob, seed, public_key);
	OPENSSL_cleanse(seed, sizeof seed);
	int descriptor = memfd_create("identity", 0);
	bool written = descriptor >= 0 && write_pem(descriptor, &blob);
	OPENSSL_cleanse(&blob, sizeof blob);
	if (!written) {
		if (descriptor >= 0)
			age_identity_close(descriptor);
		return CERTS_LIBRARY;
	}
	*ret_descriptor = descriptor;
	return CERTS_OK;
}

enum certs_status age_identity_open(const char *key_path, int *ret_descriptor)
{
	struct signing_key *key = NULL;
	enum certs_status status = signing_key_load(key_path, &key);
	if (status == CERTS_OK)
		status = export(key, ret_descriptor);
	signing_key_free(key);
	return status;
}

void age_identity_close(int descriptor)
{
	static const char zeros[TEXT_BYTES_MAX];
	(void)!pwrite(descriptor, zeros, sizeof zeros, 0);
	close(descriptor);
}
