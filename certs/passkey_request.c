// Reading what a browser saved of a new passkey.
#include "certs/passkey_request_priv.h"

#include <string.h>

#include <openssl/evp.h>

#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/staff_key_priv.h"

#define KEY_TEXT_BYTES_MAX ((STAFF_KEY_BYTES_MAX * 4 + 2) / 3)
#define KEY_DER_BYTES ((KEY_TEXT_BYTES_MAX + 3) / 4 * 3)

struct field {
	const char *at;
	size_t bytes;
};

// Takes the line that begins with `label` off the front; what follows it.
static bool take(const char **at, const char *end, const char *label, struct field *ret)
{
	size_t label_bytes = strlen(label);
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));
	if (newline == NULL || (size_t)(newline - *at) < label_bytes || memcmp(*at, label, label_bytes) != 0)
		return false;
	*ret = (struct field){*at + label_bytes, (size_t)(newline - *at) - label_bytes};
	*at = newline + 1;
	return true;
}

// A field as a C string. What is too long is cut, so that its check refuses it.
static const char *text_of(struct field field, char *out, size_t out_bytes)
{
	size_t bytes = field.bytes < out_bytes ? field.bytes : out_bytes - 1;
	memcpy(out, field.at, bytes);
	out[bytes] = '\0';
	return strlen(out) == bytes ? out : "";
}

// Base64 with the last four characters padded, as OpenSSL wants it.
static bool decode(struct field field, uint8_t out[KEY_DER_BYTES], size_t *ret_bytes)
{
	unsigned char text[KEY_TEXT_BYTES_MAX + 4];
	size_t bytes = field.bytes;
	if (bytes == 0 || bytes > KEY_TEXT_BYTES_MAX || !profile_is_base64url(field.at, bytes))
		return false;
	for (size_t i = 0; i < bytes; i++)
		text[i] = field.at[i] == '-' ? '+' : field.at[i] == '_' ? '/' : (unsigned char)field.at[i];
	size_t padding = (4 - bytes % 4) % 4;
	memset(text + bytes, '=', padding);
	int decoded = EVP_DecodeBlock(out, text, (int)(bytes + padding));
	if (decoded < 0)
		return false;
	*ret_bytes = (size_t)decoded - padding;
	return true;
}

static enum certs_status read_key(struct field field, struct staff_key *ret, const char **ret_why)
{
	uint8_t der[KEY_DER_BYTES];
	size_t der_bytes = 0;
	*ret_why = "its key is not a public key (DER SubjectPublicKeyInfo) in base64url";
	if (!decode(field, der, &der_bytes))
		return CERTS_MALFORMED;
	enum certs_status status = staff_key_from_der(der, der_bytes, ret);
	if (status == CERTS_OK && ret->kind == STAFF_KEY_ED25519)
		status = CERTS_WRONG_KEY_TYPE;
	if (status == CERTS_WRONG_KEY_TYPE)
		*ret_why = "a passkey's is P-256 or RSA of 2048 to 3072 bits";
	return status;
}

enum certs_status passkey_request_parse(const char *text, size_t text_bytes, struct profile_subject *ret, struct staff_key *ret_key,
					const char **ret_why)
{
	const char *at = text, *end = text + text_bytes;
	struct field first, uid, name, credential, key;
	struct profile_subject subject;
	char uid_text[IDENTITY_UID_DIGITS + 2], name_text[IDENTITY_NAME_BYTES_MAX + 2];
	if (!take(&at, end, "cpis-passkey-request-v1", &first) || first.bytes != 0 || !take(&at, end, "uid: ", &uid) ||
	    !take(&at, end, "name: ", &name) || !take(&at, end, "credential: ", &credential) || !take(&at, end, "key: ", &key) ||
	    at != end) {
		*ret_why = "not the five lines that a page saves of a new passkey";
		return CERTS_MALFORMED;
	}
	if (profile_subject_make(CERTIFICATE_STAFF, NULL, text_of(uid, uid_text, sizeof uid_text),
				 text_of(name, name_text, sizeof name_text), &subject, ret_why) != CERTS_OK ||
	    profile_set_passkey(&subject, credential.at, credential.bytes, ret_why) != CERTS_OK)
		return CERTS_PROFILE;
	struct staff_key read;
	enum certs_status status = read_key(key, &read, ret_why);
	if (status != CERTS_OK)
		return status;
	*ret = subject;
	*ret_key = read;
	return CERTS_OK;
}

enum certs_status passkey_request_read(const char *path, struct profile_subject *ret, struct staff_key *ret_key,
				       char detail[CERTS_DETAIL_BYTES])
{
	uint8_t *text = NULL;
	size_t text_bytes = 0;
	const char *why = NULL;
	enum certs_status status = file_read(path, false, &text, &text_bytes);
	if (status == CERTS_OK) {
		status = passkey_request_parse((const char *)text, text_bytes, ret, ret_key, &why);
		file_free(text, text_bytes);
	}
	return status == CERTS_OK ? status : certificate_refuse(detail, status, path, why);
}
