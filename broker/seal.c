// AES-256-GCM, HMAC-SHA-256 and HKDF-SHA-256, with OpenSSL's contexts set up once for each key.
#include "broker/seal.h"

#include <stdlib.h>
#include <string.h>

// Tags are hashed by SHA256_Init and its like, which OpenSSL 3 deprecates: they need no memory. EVP_MAC allocates for each tag, and
// a tag that cannot be had has no safe way on.
#define OPENSSL_API_COMPAT 10101
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/sha.h>

#include "broker/random.h"
#include "proto/invariant.h"

#define SEAL_NONCE_BYTES 12
#define SEAL_TAG_BYTES 16
_Static_assert(SEAL_NONCE_BYTES + SEAL_TAG_BYTES == SEAL_OVERHEAD_BYTES, "the overhead is what sealing adds");

struct seal_key {
	EVP_CIPHER_CTX *seal; // key set once; a new nonce for each use
	EVP_CIPHER_CTX *open;
};

// One that was made lately, of one field.
#define MEMO_INPUT_BYTES 16u
#define MEMO_ENTRIES 512u
struct memo {
	uint8_t kind, bytes; // bytes 0: free
	uint8_t input[MEMO_INPUT_BYTES];
	struct store_tag tag;
};

// RFC 2104: what comes before the message and before its hash is hashed once for each key.
struct tag_key {
	SHA256_CTX inner, outer;
	struct memo *memos;  // MEMO_ENTRIES, from the first use on
};

bool seal_derive(const uint8_t secret[SEAL_SECRET_BYTES], const char *label, uint8_t ret[SEAL_SECRET_BYTES])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, SEAL_SECRET_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_construct_end(),
	};
	bool derived = context != NULL && EVP_KDF_derive(context, ret, SEAL_SECRET_BYTES, parameters) == 1;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return derived;
}

// ------------------------------------------------------------------ sealing

bool seal_key_new(const uint8_t key[SEAL_SECRET_BYTES], struct seal_key **ret)
{
	struct seal_key *made = calloc(1, sizeof *made);
	if (made == NULL)
		return false;
	made->seal = EVP_CIPHER_CTX_new();
	made->open = EVP_CIPHER_CTX_new();
	if (made->seal == NULL || made->open == NULL ||
	    EVP_EncryptInit_ex(made->seal, EVP_aes_256_gcm(), NULL, key, NULL) != 1 ||
	    EVP_DecryptInit_ex(made->open, EVP_aes_256_gcm(), NULL, key, NULL) != 1) {
		seal_key_free(made);
		return false;
	}
	*ret = made;
	return true;
}

void seal_key_free(struct seal_key *key)
{
	if (key == NULL)
		return;
	// OpenSSL wipes the keys inside its contexts when it frees them.
	EVP_CIPHER_CTX_free(key->seal);
	EVP_CIPHER_CTX_free(key->open);
	free(key);
}

bool seal_close(struct seal_key *key, const void *identity, size_t identity_bytes, const uint8_t *plain, size_t plain_bytes,
		uint8_t *out)
{
	INVARIANT(identity_bytes <= INT32_MAX);
	EVP_CIPHER_CTX *context = key->seal;
	int count = 0;
	if (plain_bytes > INT32_MAX - SEAL_OVERHEAD_BYTES)
		return false;
	random_fresh(out, SEAL_NONCE_BYTES);
	return EVP_EncryptInit_ex(context, NULL, NULL, NULL, out) == 1 &&
	       EVP_EncryptUpdate(context, NULL, &count, identity, (int)identity_bytes) == 1 &&
	       EVP_EncryptUpdate(context, out + SEAL_NONCE_BYTES, &count, plain, (int)plain_bytes) == 1 &&
	       EVP_EncryptFinal_ex(context, out + SEAL_NONCE_BYTES + plain_bytes, &count) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, out + SEAL_NONCE_BYTES + plain_bytes) == 1;
}

bool seal_open(struct seal_key *key, const void *identity, size_t identity_bytes, const uint8_t *sealed, size_t sealed_bytes,
	       uint8_t *out)
{
	INVARIANT(identity_bytes <= INT32_MAX);
	EVP_CIPHER_CTX *context = key->open;
	uint8_t tag[SEAL_TAG_BYTES];
	int count = 0;
	if (sealed_bytes < SEAL_OVERHEAD_BYTES || sealed_bytes > INT32_MAX)
		return false;
	size_t plain_bytes = sealed_bytes - SEAL_OVERHEAD_BYTES;
	memcpy(tag, sealed + SEAL_NONCE_BYTES + plain_bytes, sizeof tag);
	bool opened = EVP_DecryptInit_ex(context, NULL, NULL, NULL, sealed) == 1 &&
		      EVP_DecryptUpdate(context, NULL, &count, identity, (int)identity_bytes) == 1 &&
		      EVP_DecryptUpdate(context, out, &count, sealed + SEAL_NONCE_BYTES, (int)plain_bytes) == 1 &&
		      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) == 1 &&
		      EVP_DecryptFinal_ex(context, out + plain_bytes, &count) == 1;
	if (!opened)
		OPENSSL_cleanse(out, plain_bytes);
	return opened;
}

bool seal_equal(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	return CRYPTO_memcmp(a, b, bytes) == 0;
}

// ------------------------------------------------------------------ tags

// They fail only when called wrongly: a wrong tag would lose a child.
static void hash(SHA256_CTX *context, const void *data, size_t bytes)
{
	INVARIANT(SHA256_Update(context, data, bytes) == 1);
}

static void begin_pad(SHA256_CTX *context, const uint8_t key[SEAL_SECRET_BYTES], uint8_t pad)
{
	uint8_t block[SHA256_CBLOCK];
	memset(block, pad, sizeof block);
	for (size_t i = 0; i < SEAL_SECRET_BYTES; i++)
		block[i] ^= key[i];
	INVARIANT(SHA256_Init(context) == 1);
	hash(context, block, sizeof block);
	OPENSSL_cleanse(block, sizeof block);
}

bool tag_key_new(const uint8_t key[SEAL_SECRET_BYTES], struct tag_key **ret)
{
	_Static_assert(SEAL_SECRET_BYTES <= SHA256_CBLOCK, "RFC 2104: a longer key would be hashed first");
	struct tag_key *made = calloc(1, sizeof *made);
	if (made == NULL)
		return false;
	begin_pad(&made->inner, key, 0x36);
	begin_pad(&made->outer, key, 0x5c);
	*ret = made;
	return true;
}

void tag_key_free(struct tag_key *key)
{
	if (key == NULL)
		return;
	if (key->memos != NULL)
		OPENSSL_cleanse(key->memos, MEMO_ENTRIES * sizeof *key->memos);
	free(key->memos);
	OPENSSL_cleanse(key, sizeof *key);
	free(key);
}

static void end(const struct tag_key *key, SHA256_CTX *message, uint8_t ret[HASH_BYTES])
{
	_Static_assert(HASH_BYTES == SHA256_DIGEST_LENGTH, "HMAC-SHA-256");
	SHA256_CTX outer = key->outer;
	INVARIANT(SHA256_Final(ret, message) == 1);
	hash(&outer, ret, HASH_BYTES);
	INVARIANT(SHA256_Final(ret, &outer) == 1);
	OPENSSL_cleanse(message, sizeof *message);
	OPENSSL_cleanse(&outer, sizeof outer);
}

// The place for an input; NULL: it is too long, or there is no memory.
static struct memo *memo_of(struct tag_key *key, uint8_t kind, const struct tag_field *field)
{
	uint32_t hash = 2166136261u ^ kind; // FNV-1a
	if (field->bytes == 0 || field->bytes > MEMO_INPUT_BYTES)
		return NULL;
	if (key->memos == NULL && (key->memos = calloc(MEMO_ENTRIES, sizeof *key->memos)) == NULL)
		return NULL;
	for (size_t i = 0; i < field->bytes; i++)
		hash = (hash ^ ((const uint8_t *)field->data)[i]) * 16777619u;
	return &key->memos[(hash ^ hash >> 16) % MEMO_ENTRIES];
}

static bool is_remembered(const struct memo *memo, uint8_t kind, const struct tag_field *field)
{
	return memo->kind == kind && memo->bytes == field->bytes && memcmp(memo->input, field->data, field->bytes) == 0;
}

static void make(const struct tag_key *key, uint8_t kind, const struct tag_field *fields, size_t field_count, struct store_tag *ret)
{
	uint8_t whole[HASH_BYTES];
	SHA256_CTX message = key->inner;
	hash(&message, &kind, 1);
	for (size_t i = 0; i < field_count; i++) {
		uint8_t length = (uint8_t)fields[i].bytes;
		hash(&message, &length, 1);
		hash(&message, fields[i].data, fields[i].bytes);
	}
	end(key, &message, whole);
	memcpy(ret->bytes, whole, sizeof ret->bytes);
}

void tag_make(struct tag_key *key, uint8_t kind, const struct tag_field *fields, size_t field_count, struct store_tag *ret)
{
	struct memo *memo = field_count == 1 ? memo_of(key, kind, fields) : NULL;
	if (memo == NULL) {
		make(key, kind, fields, field_count, ret);
		return;
	}
	if (!is_remembered(memo, kind, fields)) {
		make(key, kind, fields, 1, &memo->tag);
		memo->kind = kind;
		memo->bytes = (uint8_t)fields->bytes;
		memcpy(memo->input, fields->data, fields->bytes);
	}
	*ret = memo->tag;
}

void tag_digest(struct tag_key *key, uint8_t kind, const uint8_t *data, size_t bytes, uint8_t ret[HASH_BYTES])
{
	SHA256_CTX message = key->inner;
	hash(&message, &kind, 1);
	hash(&message, data, bytes);
	end(key, &message, ret);
}
