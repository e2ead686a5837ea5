// Private keys: PKCS#8 PEM in and out, Ed25519 signatures, X25519 raw bytes for CURVE.
#include "certs/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "certs/file_priv.h"
#include "certs/key_priv.h"

struct signing_key {
	EVP_PKEY *key; // NULL: on a token
	uint8_t public_key[KEY_BYTES];
	const struct signing_token *functions;
	void *token;
};

int key_no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static enum certs_status load_pem(const char *path, int type, EVP_PKEY **ret)
{
	uint8_t *data = NULL;
	size_t bytes = 0;
	enum certs_status status = file_read(path, true, &data, &bytes);
	if (status != CERTS_OK)
		return status;
	BIO *bio = BIO_new_mem_buf(data, (int)bytes);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, key_no_passphrase, NULL);
	BIO_free(bio);
	file_free(data, bytes);
	if (key == NULL)
		return CERTS_MALFORMED;
	if (EVP_PKEY_get_id(key) != type) {
		EVP_PKEY_free(key);
		return CERTS_WRONG_KEY_TYPE;
	}
	*ret = key;
	return CERTS_OK;
}

enum certs_status key_save(EVP_PKEY *key, const char *path)
{
	// Secure memory BIOs wipe what they held.
	BIO *bio = BIO_new(BIO_s_secmem());
	enum certs_status status = CERTS_LIBRARY;
	char *data = NULL;
	if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
		long bytes = BIO_get_mem_data(bio, &data);
		status = file_write(path, data, (size_t)bytes, 0600, false);
		OPENSSL_cleanse(data, (size_t)bytes);
	}
	BIO_free(bio);
	return status;
}

static bool raw_public(const EVP_PKEY *key, uint8_t out[KEY_BYTES])
{
	size_t bytes = KEY_BYTES;
	return EVP_PKEY_get_raw_public_key(key, out, &bytes) == 1 && bytes == KEY_BYTES;
}

static enum certs_status curve_pair_of(EVP_PKEY *key, struct curve_key_pair *ret)
{
	struct curve_key_pair pair;
	size_t bytes = KEY_BYTES;
	bool good = raw_public(key, pair.public_key) &&
		    EVP_PKEY_get_raw_private_key(key, pair.secret_key, &bytes) == 1 && bytes == KEY_BYTES;
	if (good)
		*ret = pair;
	curve_key_wipe(&pair);
	return good ? CERTS_OK : CERTS_LIBRARY;
}

enum certs_status curve_key_generate(struct curve_key_pair *ret)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	enum certs_status status = key == NULL ? CERTS_LIBRARY : curve_pair_of(key, ret);
	EVP_PKEY_free(key);
	return status;
}

enum certs_status curve_key_load(const char *path, struct curve_key_pair *ret)
{
	EVP_PKEY *key = NULL;
	enum certs_status status = load_pem(path, EVP_PKEY_X25519, &key);
	if (status == CERTS_OK)
		status = curve_pair_of(key, ret);
	EVP_PKEY_free(key);
	return status;
}

enum certs_status curve_key_save(const struct curve_key_pair *pair, const char *path)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, pair->secret_key, KEY_BYTES);
	enum certs_status status = key == NULL ? CERTS_LIBRARY : key_save(key, path);
	EVP_PKEY_free(key);
	return status;
}

void curve_key_wipe(struct curve_key_pair *pair)
{
	OPENSSL_cleanse(pair, sizeof *pair);
}

static enum certs_status wrap(EVP_PKEY *key, struct signing_key **ret)
{
	struct signing_key *wrapped = calloc(1, sizeof *wrapped);
	if (wrapped == NULL || !raw_public(key, wrapped->public_key)) {
		free(wrapped);
		EVP_PKEY_free(key);
		return CERTS_LIBRARY;
	}
	wrapped->key = key;
	*ret = wrapped;
	return CERTS_OK;
}

enum certs_status signing_key_generate(struct signing_key **ret)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key == NULL ? CERTS_LIBRARY : wrap(key, ret);
}

enum certs_status signing_key_load(const char *path, struct signing_key **ret)
{
	EVP_PKEY *key = NULL;
	enum certs_status status = load_pem(path, EVP_PKEY_ED25519, &key);
	return status == CERTS_OK ? wrap(key, ret) : status;
}

enum certs_status signing_key_save(const struct signing_key *key, const char *path)
{
	return key->key == NULL ? CERTS_TOKEN : key_save(key->key, path);
}

void signing_key_public(const struct signing_key *key, uint8_t out[KEY_BYTES])
{
	memcpy(out, key->public_key, KEY_BYTES);
}

enum certs_status signing_key_sign(const struct signing_key *key, const uint8_t *message,
				   size_t message_bytes, uint8_t out[ED25519_SIGNATURE_BYTES])
{
	size_t bytes = ED25519_SIGNATURE_BYTES;
	if (key->key == NULL)
		return key->functions->sign(key->token, message, message_bytes, out);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
		    EVP_DigestSign(context, out, &bytes, message, message_bytes) == 1 &&
		    bytes == ED25519_SIGNATURE_BYTES;
	EVP_MD_CTX_free(context);
	return good ? CERTS_OK : CERTS_LIBRARY;
}

void signing_key_free(struct signing_key *key)
{
	if (key == NULL)
		return;
	if (key->key == NULL)
		key->functions->close(key->token);
	EVP_PKEY_free(key->key);
	free(key);
}

struct signing_key *signing_key_on_token(const struct signing_token *functions, void *token,
					 const uint8_t public_key[KEY_BYTES])
{
	struct signing_key *key = calloc(1, sizeof *key);
	if (key == NULL)
		return NULL;
	memcpy(key->public_key, public_key, KEY_BYTES);
	key->functions = functions;
	key->token = token;
	return key;
}

EVP_PKEY *signing_key_evp(const struct signing_key *key)
{
	return key->key;
}

static bool verifies(const uint8_t public_key[KEY_BYTES], const uint8_t *message, size_t message_bytes,
		     const uint8_t signature[ED25519_SIGNATURE_BYTES])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, KEY_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good =
		key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(context, signature, ED25519_SIGNATURE_BYTES, message, message_bytes) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

// OpenSSL says the same of a signature that is false and of memory that it did not get: nobody is accused of the first before it was
// looked at twice.
enum certs_status ed25519_verify(const uint8_t public_key[KEY_BYTES], const uint8_t *message,
				 size_t message_bytes, const uint8_t signature[ED25519_SIGNATURE_BYTES])
{
	return verifies(public_key, message, message_bytes, signature) || verifies(public_key, message, message_bytes, signature)
		       ? CERTS_OK
		       : CERTS_SIGNATURE;
}
