// Fingerprint and PEM of an X25519 public key.
#include "certs/public_key.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#define FINGERPRINT_BYTES 10

// SubjectPublicKeyInfo of an X25519 key (RFC 8410, section 4): this and the raw key.
static const uint8_t prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00};
#define DER_BYTES (sizeof prefix + KEY_BYTES)

static void write_der(const uint8_t public_key[KEY_BYTES], uint8_t out[DER_BYTES])
{
	memcpy(out, prefix, sizeof prefix);
	memcpy(out + sizeof prefix, public_key, KEY_BYTES);
}

bool public_key_fingerprint(const uint8_t public_key[KEY_BYTES], char out[PUBLIC_KEY_FINGERPRINT_BYTES])
{
	uint8_t der[DER_BYTES], digest[EVP_MAX_MD_SIZE];
	size_t at = 0;
	write_der(public_key, der);
	if (EVP_Digest(der, sizeof der, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
		if (i > 0 && i % 2 == 0)
			out[at++] = '-';
		snprintf(out + at, 3, "%02x", digest[i]);
		at += 2;
	}
	return true;
}

void public_key_pem(const uint8_t public_key[KEY_BYTES], char out[PUBLIC_KEY_PEM_BYTES])
{
	uint8_t der[DER_BYTES];
	unsigned char base64[64];
	write_der(public_key, der);
	EVP_EncodeBlock(base64, der, (int)sizeof der);
	snprintf(out, PUBLIC_KEY_PEM_BYTES, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", base64);
}
