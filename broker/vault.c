// Sealing and tagging with keys that are all derived from one file.
#include "broker/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "broker/random.h"
#include "proto/invariant.h"

#define MASTER_KEY_BYTES 32
#define KEY_FILE_BYTES (2 * MASTER_KEY_BYTES + 1) // hexadecimal digits and a newline
#define SEAL_NONCE_BYTES 12
#define SEAL_TAG_BYTES 16
_Static_assert(SEAL_NONCE_BYTES + SEAL_TAG_BYTES == VAULT_OVERHEAD_BYTES, "the overhead is what sealing adds");

// Labels of the derived keys are part of what is stored: changing one makes every database unreadable.
static const char *const purpose_labels[VAULT_PURPOSES] = {
	[VAULT_PLAN] = "cpis/1/seal/plan",           [VAULT_ACCESS] = "cpis/1/seal/access",
	[VAULT_INBOX] = "cpis/1/seal/inbox",         [VAULT_AUTHORITY] = "cpis/1/seal/authority",
	[VAULT_REQUEST] = "cpis/1/seal/request",     [VAULT_AUDIT] = "cpis/1/seal/audit",
	[VAULT_TOKEN] = "cpis/1/seal/session-token", [VAULT_QUARANTINE] = "cpis/1/seal/quarantine",
	[VAULT_ROLE] = "cpis/1/seal/role",
	[VAULT_ALERT] = "cpis/1/seal/alert",
	[VAULT_POLICY] = "cpis/1/seal/policy",
	[VAULT_ENROLMENT] = "cpis/1/seal/enrolment",
	[VAULT_INACTIVE] = "cpis/1/seal/inactive",
	[VAULT_REJECTION] = "cpis/1/seal/rejection",
};
static const char tag_label[] = "cpis/1/tag";

// First byte of what is tagged, so that tags of two kinds are never of the same input.
enum tag_kind {
	TAG_SUBJECT = 1,
	TAG_PERSON = 2,
	TAG_SLOT = 3,
	TAG_REQUEST = 4,
	TAG_QUARANTINE = 5,
	TAG_REQUEST_CONTENT = 6,
	TAG_ROLE = 7,
	TAG_ENROLMENT = 8,
	TAG_ENROLMENT_CODE = 9,
	TAG_RECORD = 10,
};

struct vault {
	EVP_CIPHER_CTX *seal[VAULT_PURPOSES]; // key set once; a new nonce for each use
	EVP_CIPHER_CTX *unseal[VAULT_PURPOSES];
	EVP_MAC_CTX *tag;
};

// ------------------------------------------------------------------ the key file

static bool refuse(char detail[VAULT_DETAIL_BYTES], const char *path, const char *what)
{
	snprintf(detail, VAULT_DETAIL_BYTES, "%.80s: %s", path, what);
	return false;
}

static bool write_all(int file, const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t written = write(file, text, bytes);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		bytes -= (size_t)written;
	}
	return true;
}

bool vault_create_key(const char *path, char detail[VAULT_DETAIL_BYTES])
{
	uint8_t key[MASTER_KEY_BYTES];
	char text[KEY_FILE_BYTES + 1];
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return refuse(detail, path, errno == EEXIST ? "is there already and is not overwritten" : strerror(errno));
	random_bytes(key, sizeof key);
	for (size_t i = 0; i < sizeof key; i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[KEY_FILE_BYTES - 1] = '\n';
	bool written = write_all(file, text, KEY_FILE_BYTES) && fsync(file) == 0;
	int error = errno;
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(text, sizeof text);
	if (close(file) != 0 && written) {
		written = false;
		error = errno;
	}
	if (!written) {
		unlink(path);
		return refuse(detail, path, strerror(error));
	}
	return true;
}

static bool hex_digit(char c, uint8_t *ret)
{
	if (c >= '0' && c <= '9')
		*ret = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*ret = (uint8_t)(c - 'a' + 10);
	else
		return false;
	return true;
}

static bool parse_key(const char *text, size_t bytes, uint8_t out[MASTER_KEY_BYTES])
{
	if (bytes != KEY_FILE_BYTES || text[KEY_FILE_BYTES - 1] != '\n')
		return false;
	for (size_t i = 0; i < MASTER_KEY_BYTES; i++) {
		uint8_t high, low;
		if (!hex_digit(text[2 * i], &high) || !hex_digit(text[2 * i + 1], &low))
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_key(const char *path, uint8_t out[MASTER_KEY_BYTES], char detail[VAULT_DETAIL_BYTES])
{
	char text[KEY_FILE_BYTES + 1]; // one more, to see a longer file
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0)
		return refuse(detail, path, strerror(errno));
	bool good = false;
	if (fstat(file, &status) != 0) {
		refuse(detail, path, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		refuse(detail, path, "is not a file");
	} else if ((status.st_mode & 077) != 0) {
		refuse(detail, path, "can be read or written by others: chmod 600");
	} else {
		ssize_t got = read(file, text, sizeof text);
		good = got > 0 && parse_key(text, (size_t)got, out);
		if (!good)
			refuse(detail, path, "is not a store key: 64 lower-case hexadecimal digits and a newline");
		OPENSSL_cleanse(text, sizeof text);
	}
	close(file);
	return good;
}

// ------------------------------------------------------------------ the derived keys

// HKDF (RFC 5869) without salt: the master key is uniformly random already.
static bool derive(const uint8_t master[MASTER_KEY_BYTES], const char *label, uint8_t out[MASTER_KEY_BYTES])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)master, MASTER_KEY_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_construct_end(),
	};
	bool derived = context != NULL && EVP_KDF_derive(context, out, MASTER_KEY_BYTES, parameters) == 1;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return derived;
}

static bool make_seals(struct vault *vault, const uint8_t master[MASTER_KEY_BYTES])
{
	uint8_t key[MASTER_KEY_BYTES];
	bool made = true;
	for (int purpose = 0; purpose < VAULT_PURPOSES && made; purpose++) {
		vault->seal[purpose] = EVP_CIPHER_CTX_new();
		vault->unseal[purpose] = EVP_CIPHER_CTX_new();
		made = vault->seal[purpose] != NULL && vault->unseal[purpose] != NULL &&
		       derive(master, purpose_labels[purpose], key) &&
		       EVP_EncryptInit_ex(vault->seal[purpose], EVP_aes_256_gcm(), NULL, key, NULL) == 1 &&
		       EVP_DecryptInit_ex(vault->unseal[purpose], EVP_aes_256_gcm(), NULL, key, NULL) == 1;
	}
	OPENSSL_cleanse(key, sizeof key);
	return made;
}

static bool make_tagger(struct vault *vault, const uint8_t master[MASTER_KEY_BYTES])
{
	uint8_t key[MASTER_KEY_BYTES];
	char digest[] = "SHA256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	vault->tag = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	bool made = vault->tag != NULL && derive(master, tag_label, key) &&
		    EVP_MAC_init(vault->tag, key, sizeof key, parameters) == 1;
	OPENSSL_cleanse(key, sizeof key);
	return made;
}

bool vault_open_key(const char *path, struct vault **ret, char detail[VAULT_DETAIL_BYTES])
{
	uint8_t master[MASTER_KEY_BYTES];
	if (!read_key(path, master, detail))
		return false;
	struct vault *vault = calloc(1, sizeof *vault);
	bool made = vault != NULL && make_seals(vault, master) && make_tagger(vault, master);
	OPENSSL_cleanse(master, sizeof master);
	if (!made) {
		vault_free(vault);
		return refuse(detail, path, "the cryptographic library failed");
	}
	*ret = vault;
	return true;
}

void vault_free(struct vault *vault)
{
	if (vault == NULL)
		return;
	// OpenSSL wipes the keys inside its contexts when it frees them.
	for (int purpose = 0; purpose < VAULT_PURPOSES; purpose++) {
		EVP_CIPHER_CTX_free(vault->seal[purpose]);
		EVP_CIPHER_CTX_free(vault->unseal[purpose]);
	}
	EVP_MAC_CTX_free(vault->tag);
	free(vault);
}

// ------------------------------------------------------------------ tags

struct tag_field {
	const void *data;
	size_t bytes; // at most 255
};

// kind || (length || bytes) of each field: no two inputs have the same encoding.
static void make_tag(struct vault *vault, enum tag_kind kind, const struct tag_field *fields, size_t field_count,
		     struct store_tag *ret)
{
	uint8_t whole[HASH_BYTES], first = (uint8_t)kind;
	size_t written = 0;
	bool made = EVP_MAC_init(vault->tag, NULL, 0, NULL) == 1 && EVP_MAC_update(vault->tag, &first, 1) == 1;
	for (size_t i = 0; i < field_count && made; i++) {
		uint8_t length = (uint8_t)fields[i].bytes;
		made = EVP_MAC_update(vault->tag, &length, 1) == 1 &&
		       EVP_MAC_update(vault->tag, fields[i].data, fields[i].bytes) == 1;
	}
	// HMAC over memory has no way to fail but a library that is broken: a wrong tag would lose a child.
	INVARIANT(made && EVP_MAC_final(vault->tag, whole, &written, sizeof whole) == 1 && written == sizeof whole);
	memcpy(ret->bytes, whole, sizeof ret->bytes);
}

void vault_tag_subject(struct vault *vault, const struct nhs_number *number, struct store_tag *ret)
{
	struct tag_field fields[] = {{number->digits, NHS_NUMBER_DIGITS}};
	make_tag(vault, TAG_SUBJECT, fields, 1, ret);
}

void vault_tag_person(struct vault *vault, const char *uid, struct store_tag *ret)
{
	struct tag_field fields[] = {{uid, strnlen(uid, UID_DIGITS)}};
	make_tag(vault, TAG_PERSON, fields, 1, ret);
}

void vault_tag_slot(struct vault *vault, const struct nhs_number *number, const struct ods_code *authority,
		    unsigned plan_type, struct store_tag *ret)
{
	uint8_t type = (uint8_t)plan_type;
	struct tag_field fields[] = {
		{number->digits, NHS_NUMBER_DIGITS}, {authority->text, strlen(authority->text)}, {&type, 1}};
	make_tag(vault, TAG_SLOT, fields, 3, ret);
}

void vault_tag_record(struct vault *vault, const char *nhs_number, unsigned plan_type, struct store_tag *ret)
{
	uint8_t type = (uint8_t)plan_type;
	struct tag_field fields[] = {{nhs_number, strnlen(nhs_number, TEXT_BYTES_MAX)}, {&type, 1}};
	make_tag(vault, TAG_RECORD, fields, 2, ret);
}

void vault_tag_request(struct vault *vault, const char *uid, const uint8_t channel_key[32],
		       const uint8_t request_id[REQUEST_ID_BYTES], struct store_tag *ret)
{
	struct tag_field fields[] = {
		{uid, strnlen(uid, UID_DIGITS)}, {channel_key, CHANNEL_KEY_BYTES}, {request_id, REQUEST_ID_BYTES}};
	make_tag(vault, TAG_REQUEST, fields, 3, ret);
}

void vault_tag_role(struct vault *vault, const char *uid, const char *role_code, const struct ods_code *organisation,
		    struct store_tag *ret)
{
	struct tag_field fields[] = {{uid, strnlen(uid, UID_DIGITS)},
				     {role_code, strnlen(role_code, ROLE_CODE_BYTES_MAX)},
				     {organisation->text, strlen(organisation->text)}};
	make_tag(vault, TAG_ROLE, fields, 3, ret);
}

void vault_tag_enrolment(struct vault *vault, const struct ods_code *organisation, const char *system_name,
			 struct store_tag *ret)
{
	struct tag_field fields[] = {{organisation->text, strlen(organisation->text)},
				     {system_name, strnlen(system_name, SYSTEM_NAME_BYTES_MAX)}};
	make_tag(vault, TAG_ENROLMENT, fields, 2, ret);
}

void vault_tag_enrolment_code(struct vault *vault, const uint8_t code_sha256[HASH_BYTES], struct store_tag *ret)
{
	struct tag_field fields[] = {{code_sha256, HASH_BYTES}};
	make_tag(vault, TAG_ENROLMENT_CODE, fields, 1, ret);
}

void vault_tag_quarantine(struct vault *vault, unsigned kind, const char *target, struct store_tag *ret)
{
	uint8_t kind_byte = (uint8_t)kind;
	struct tag_field fields[] = {{&kind_byte, 1}, {target, strnlen(target, QUARANTINE_TARGET_BYTES_MAX)}};
	make_tag(vault, TAG_QUARANTINE, fields, 2, ret);
}

void vault_digest_request(struct vault *vault, const uint8_t *request, size_t request_bytes, uint8_t ret[HASH_BYTES])
{
	uint8_t first = TAG_REQUEST_CONTENT;
	size_t written = 0;
	INVARIANT(EVP_MAC_init(vault->tag, NULL, 0, NULL) == 1 && EVP_MAC_update(vault->tag, &first, 1) == 1 &&
		  EVP_MAC_update(vault->tag, request, request_bytes) == 1 &&
		  EVP_MAC_final(vault->tag, ret, &written, HASH_BYTES) == 1 && written == HASH_BYTES);
}

// ------------------------------------------------------------------ sealing

bool vault_seal(struct vault *vault, enum vault_purpose purpose, const void *identity, size_t identity_bytes,
		const uint8_t *plain, size_t plain_bytes, uint8_t *out)
{
	INVARIANT(purpose < VAULT_PURPOSES && identity_bytes <= INT32_MAX);
	EVP_CIPHER_CTX *context = vault->seal[purpose];
	int count = 0;
	if (plain_bytes > INT32_MAX - VAULT_OVERHEAD_BYTES)
		return false;
	random_bytes(out, SEAL_NONCE_BYTES);
	return EVP_EncryptInit_ex(context, NULL, NULL, NULL, out) == 1 &&
	       EVP_EncryptUpdate(context, NULL, &count, identity, (int)identity_bytes) == 1 &&
	       EVP_EncryptUpdate(context, out + SEAL_NONCE_BYTES, &count, plain, (int)plain_bytes) == 1 &&
	       EVP_EncryptFinal_ex(context, out + SEAL_NONCE_BYTES + plain_bytes, &count) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES,
				   out + SEAL_NONCE_BYTES + plain_bytes) == 1;
}

bool vault_unseal(struct vault *vault, enum vault_purpose purpose, const void *identity, size_t identity_bytes,
		  const uint8_t *sealed, size_t sealed_bytes, uint8_t *out)
{
	INVARIANT(purpose < VAULT_PURPOSES && identity_bytes <= INT32_MAX);
	EVP_CIPHER_CTX *context = vault->unseal[purpose];
	uint8_t tag[SEAL_TAG_BYTES];
	int count = 0;
	if (sealed_bytes < VAULT_OVERHEAD_BYTES || sealed_bytes > INT32_MAX)
		return false;
	size_t plain_bytes = sealed_bytes - VAULT_OVERHEAD_BYTES;
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
