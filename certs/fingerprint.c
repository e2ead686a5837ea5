// Fingerprints of public keys.
#include "certs/fingerprint.h"

#include <ctype.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#define DIGITS 20u
#define GROUP 4u

static enum certs_status fingerprint(int type, const uint8_t public_key[KEY_BYTES], char out[KEY_FINGERPRINT_BYTES])
{
	uint8_t digest[SHA256_DIGEST_LENGTH], *der = NULL;
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(type, NULL, public_key, KEY_BYTES);
	int bytes = key == NULL ? -1 : i2d_PUBKEY(key, &der);
	EVP_PKEY_free(key);
	if (bytes <= 0 || SHA256(der, (size_t)bytes, digest) == NULL) {
		OPENSSL_free(der);
		return CERTS_LIBRARY;
	}
	OPENSSL_free(der);
	size_t at = 0;
	for (size_t i = 0; i < DIGITS / 2; i++)
		at += (size_t)snprintf(out + at, KEY_FINGERPRINT_BYTES - at, "%s%02x", i > 0 && 2 * i % GROUP == 0 ? "-" : "",
				       digest[i]);
	return CERTS_OK;
}

enum certs_status curve_key_fingerprint(const uint8_t public_key[KEY_BYTES], char out[KEY_FINGERPRINT_BYTES])
{
	return fingerprint(EVP_PKEY_X25519, public_key, out);
}

enum certs_status ed25519_key_fingerprint(const uint8_t public_key[KEY_BYTES], char out[KEY_FINGERPRINT_BYTES])
{
	return fingerprint(EVP_PKEY_ED25519, public_key, out);
}

// The next hexadecimal digit in lower case; 0 at the end, and for what has no place in a fingerprint.
static char next_digit(const char **text)
{
	while (**text == ' ' || **text == '-')
		(*text)++;
	if (!isxdigit((unsigned char)**text))
		return **text == '\0' ? '\0' : '!';
	return (char)tolower((unsigned char)*(*text)++);
}

bool key_fingerprint_is(const char *fingerprint, const char *typed)
{
	for (;;) {
		char a = next_digit(&fingerprint), b = next_digit(&typed);
		if (a != b || a == '!')
			return false;
		if (a == '\0')
			return true;
	}
}
