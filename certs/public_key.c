// Fingerprints and PEM of public keys.
#include "certs/public_key.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#define FINGERPRINT_BYTES 10

// SubjectPublicKeyInfo of these keys (RFC 8410, section 4): this and the raw key.
#define PREFIX_BYTES 12
static const uint8_t x25519_prefix[PREFIX_BYTES] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00};
static const uint8_t ed25519_prefix[PREFIX_BYTES] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define DER_BYTES (PREFIX_BYTES + KEY_BYTES)

static void write_der(const uint8_t prefix[PREFIX_BYTES], const uint8_t public_key[KEY_BYTES], uint8_t out[DER_BYTES])
{
	memcpy(out, prefix, PREFIX_BYTES);
	memcpy(out + PREFIX_BYTES, public_key, KEY_BYTES);
}

static bool fingerprint(const uint8_t *der, size_t der_bytes, char out[PUBLIC_KEY_FINGERPRINT_BYTES])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t at = 0;
	if (EVP_Digest(der, der_bytes, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
		if (i > 0 && i % 2 == 0)
			out[at++] = '-';
		snprintf(out + at, 3, "%02x", digest[i]);
		at += 2;
	}
	return true;
}

bool public_key_fingerprint(const uint8_t public_key[KEY_BYTES], char out[PUBLIC_KEY_FINGERPRINT_BYTES])
{
	uint8_t der[DER_BYTES];
	write_der(x25519_prefix, public_key, der);
	return fingerprint(der, sizeof der, out);
}

bool public_key_staff_fingerprint(const struct staff_key *key, char out[PUBLIC_KEY_FINGERPRINT_BYTES])
{
	uint8_t der[DER_BYTES];
	if (key->kind != STAFF_KEY_ED25519)
		return fingerprint(key->bytes, key->size, out);
	write_der(ed25519_prefix, key->bytes, der);
	return fingerprint(der, sizeof der, out);
}

// The next hexadecimal digit in lower case; 0 at the end, '!' for what has no place in a fingerprint.
static char next_digit(const char **text)
{
	while (**text == ' ' || **text == '-')
		(*text)++;
	if (!isxdigit((unsigned char)**text))
		return **text == '\0' ? '\0' : '!';
	return (char)tolower((unsigned char)*(*text)++);
}

bool public_key_fingerprint_is(const char *fingerprint, const char *typed)
{
	for (;;) {
		char a = next_digit(&fingerprint), b = next_digit(&typed);
		if (a != b || a == '!')
			return false;
		if (a == '\0')
			return true;
	}
}

void public_key_pem(const uint8_t public_key[KEY_BYTES], char out[PUBLIC_KEY_PEM_BYTES])
{
	uint8_t der[DER_BYTES];
	unsigned char base64[64];
	write_der(x25519_prefix, public_key, der);
	EVP_EncodeBlock(base64, der, (int)sizeof der);
	snprintf(out, PUBLIC_KEY_PEM_BYTES, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", base64);
}
