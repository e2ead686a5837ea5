// Staff's public keys: reading them strictly, and what they verify.
#include "certs/staff_key_priv.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "certs/key.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 3072
#define RSA_EXPONENT_MIN 65537u
// SubjectPublicKeyInfo of a P-256 key by the curve's name (RFC 5480, section 2), and the point, uncompressed.
#define P256_DER_BYTES 91

const char *staff_key_kind_text(enum staff_key_kind kind)
{
	switch (kind) {
	case STAFF_KEY_ED25519:
		return "Ed25519";
	case STAFF_KEY_P256:
		return "P-256";
	case STAFF_KEY_RSA:
		return "RSA";
	}
	return "?";
}

bool staff_key_equal(const struct staff_key *a, const struct staff_key *b)
{
	return a->kind == b->kind && a->size == b->size && a->size <= sizeof a->bytes &&
	       CRYPTO_memcmp(a->bytes, b->bytes, a->size) == 0;
}

// Only what stands in the key by the curve's name and with a whole point has this length; OpenSSL has checked that it is on the curve.
static bool is_p256(const EVP_PKEY *key, int der_bytes)
{
	char curve[32];
	size_t bytes = 0;
	return EVP_PKEY_get_id(key) == EVP_PKEY_EC && der_bytes == P256_DER_BYTES &&
	       EVP_PKEY_get_group_name(key, curve, sizeof curve, &bytes) == 1 && strcmp(curve, "prime256v1") == 0;
}

static bool is_rsa(const EVP_PKEY *key)
{
	BIGNUM *exponent = NULL;
	if (EVP_PKEY_get_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < RSA_BITS_MIN || EVP_PKEY_get_bits(key) > RSA_BITS_MAX ||
	    EVP_PKEY_get_bn_param(key, "e", &exponent) != 1)
		return false;
	bool good = BN_is_odd(exponent) && BN_num_bits(exponent) <= 32 && BN_get_word(exponent) >= RSA_EXPONENT_MIN;
	BN_free(exponent);
	return good;
}

enum certs_status staff_key_from_evp(const EVP_PKEY *key, struct staff_key *ret)
{
	struct staff_key read = {.size = KEY_BYTES};
	if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519) {
		if (EVP_PKEY_get_raw_public_key(key, read.bytes, &read.size) != 1 || read.size != KEY_BYTES)
			return CERTS_LIBRARY;
		*ret = read;
		return CERTS_OK;
	}
	int bytes = i2d_PUBKEY(key, NULL);
	unsigned char *at = read.bytes;
	if (is_p256(key, bytes))
		read.kind = STAFF_KEY_P256;
	else if (is_rsa(key) && bytes > 0 && bytes <= STAFF_KEY_BYTES_MAX)
		read.kind = STAFF_KEY_RSA;
	else
		return CERTS_WRONG_KEY_TYPE;
	if (i2d_PUBKEY(key, &at) != bytes)
		return CERTS_LIBRARY;
	read.size = (size_t)bytes;
	*ret = read;
	return CERTS_OK;
}

enum certs_status staff_key_from_der(const uint8_t *der, size_t der_bytes, struct staff_key *ret)
{
	// A key that would be refused for its size is not given to OpenSSL to check.
	if (der_bytes == 0 || der_bytes > 2 * STAFF_KEY_BYTES_MAX)
		return CERTS_MALFORMED;
	const unsigned char *at = der;
	unsigned char *again = NULL;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der_bytes);
	int again_bytes = key == NULL ? -1 : i2d_PUBKEY(key, &again);
	bool same = again_bytes > 0 && (size_t)again_bytes == der_bytes && memcmp(again, der, der_bytes) == 0;
	enum certs_status status = same ? staff_key_from_evp(key, ret) : CERTS_MALFORMED;
	OPENSSL_free(again);
	EVP_PKEY_free(key);
	return status;
}

enum certs_status staff_key_from_bytes(enum staff_key_kind kind, const uint8_t *bytes, size_t bytes_count, struct staff_key *ret)
{
	struct staff_key read = {.kind = kind, .size = bytes_count};
	if (kind == STAFF_KEY_ED25519) {
		if (bytes_count != KEY_BYTES)
			return CERTS_MALFORMED;
		memcpy(read.bytes, bytes, KEY_BYTES);
		*ret = read;
		return CERTS_OK;
	}
	enum certs_status status = staff_key_from_der(bytes, bytes_count, &read);
	if (status == CERTS_OK && read.kind != kind)
		status = CERTS_WRONG_KEY_TYPE;
	if (status == CERTS_OK)
		*ret = read;
	return status;
}

EVP_PKEY *staff_key_evp(const struct staff_key *key)
{
	const unsigned char *at = key->bytes;
	if (key->kind == STAFF_KEY_ED25519)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, KEY_BYTES);
	return d2i_PUBKEY(NULL, &at, (long)key->size);
}

static enum staff_key_kind signer_of(enum staff_signature how)
{
	switch (how) {
	case STAFF_SIGNATURE_ED25519:
		return STAFF_KEY_ED25519;
	case STAFF_SIGNATURE_ECDSA_SHA256:
		return STAFF_KEY_P256;
	case STAFF_SIGNATURE_RSA_PKCS1_SHA256:
	case STAFF_SIGNATURE_RSA_PSS_SHA256:
		break;
	}
	return STAFF_KEY_RSA;
}

static bool verifies(const struct staff_key *key, enum staff_signature how, const uint8_t *message, size_t message_bytes,
		     const uint8_t *signature, size_t signature_bytes)
{
	EVP_PKEY *public_half = staff_key_evp(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL; // the context's
	const EVP_MD *digest = how == STAFF_SIGNATURE_ED25519 ? NULL : EVP_sha256();
	bool good = public_half != NULL && context != NULL &&
		    EVP_DigestVerifyInit(context, &options, digest, NULL, public_half) == 1 &&
		    (how != STAFF_SIGNATURE_RSA_PSS_SHA256 ||
		     (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
		      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
		    EVP_DigestVerify(context, signature, signature_bytes, message, message_bytes) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(public_half);
	return good;
}

// Looked at twice, as ed25519_verify does, and for the same reason.
enum certs_status staff_key_verify(const struct staff_key *key, enum staff_signature how, const uint8_t *message,
				   size_t message_bytes, const uint8_t *signature, size_t signature_bytes)
{
	if (signer_of(how) != key->kind)
		return CERTS_WRONG_KEY_TYPE;
	if (verifies(key, how, message, message_bytes, signature, signature_bytes) ||
	    verifies(key, how, message, message_bytes, signature, signature_bytes))
		return CERTS_OK;
	ERR_clear_error();
	return CERTS_SIGNATURE;
}
