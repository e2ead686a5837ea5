// Making requests for certificates.
#include "certs/request_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/key_priv.h"
#include "certs/staff_key_priv.h"

#define BROWSER_RSA_BITS 3072

static bool file_name_is_safe(const char *file)
{
	size_t bytes = strlen(file);
	return bytes > 0 && bytes <= 64 && file[0] != '.' && file[0] != '-' &&
	       strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == bytes;
}

enum certs_status request_path(const char *directory, const char *file, const char *suffix, char out[4096],
			       char detail[CERTS_DETAIL_BYTES])
{
	if (!file_name_is_safe(file))
		return certificate_refuse(
			detail, CERTS_VALUE, "file",
			"1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit");
	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, directory, strerror(errno));
	if (snprintf(out, 4096, "%s/%s%s", directory, file, suffix) >= 4096)
		return certificate_refuse(detail, CERTS_CANNOT_WRITE, directory, "its path is too long");
	return CERTS_OK;
}

// ------------------------------------------------------------------ X25519: the public key alone

static enum certs_status write_public_key(const uint8_t public_key[KEY_BYTES], const char *path)
{
	char pem[PUBLIC_KEY_PEM_BYTES];
	public_key_pem(public_key, pem);
	return file_write(path, pem, strlen(pem), 0644, false);
}

enum certs_status request_make_curve(const char *out_directory, const char *file, struct request_files *ret,
				     char detail[CERTS_DETAIL_BYTES])
{
	struct request_files files;
	struct curve_key_pair pair = {0};
	enum certs_status status = request_path(out_directory, file, ".key", files.key, detail);
	if (status == CERTS_OK)
		status = request_path(out_directory, file, ".pub", files.request, detail);
	if (status != CERTS_OK)
		return status;
	if (access(files.request, F_OK) == 0)
		return certificate_refuse(detail, CERTS_EXISTS, files.request, NULL);
	status = curve_key_generate(&pair);
	if (status == CERTS_OK && !public_key_fingerprint(pair.public_key, files.fingerprint))
		status = CERTS_LIBRARY;
	if (status == CERTS_OK)
		status = curve_key_save(&pair, files.key);
	if (status != CERTS_OK) {
		curve_key_wipe(&pair);
		return certificate_refuse(detail, status, files.key, NULL);
	}
	status = write_public_key(pair.public_key, files.request);
	curve_key_wipe(&pair);
	if (status != CERTS_OK) {
		unlink(files.key);
		return certificate_refuse(detail, status, files.request, NULL);
	}
	*ret = files;
	return CERTS_OK;
}

// ------------------------------------------------------------------ staff: PKCS#10

static bool add_text(X509_NAME *name, int nid, const char *text)
{
	return X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool add_alternative_name(X509_REQ *request, const struct profile_subject *subject)
{
	char uri[PROFILE_URI_BYTES], value[PROFILE_URI_BYTES + 8];
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, NULL, NULL, request, NULL, 0);
	profile_uri(CERTIFICATE_STAFF, subject, uri);
	snprintf(value, sizeof value, "URI:%s", uri);
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, value);
	bool pushed = extensions != NULL && extension != NULL && sk_X509_EXTENSION_push(extensions, extension) > 0;
	if (!pushed)
		X509_EXTENSION_free(extension);
	bool good = pushed && X509_REQ_add_extensions(request, extensions) == 1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return good;
}

// By hand and not by X509_REQ_sign: a key on a token is nothing that OpenSSL can hold.
static bool sign(X509_REQ *request, const struct signing_key *key)
{
	uint8_t *to_be_signed = NULL, signature[ED25519_SIGNATURE_BYTES];
	int bytes = i2d_re_X509_REQ_tbs(request, &to_be_signed);
	X509_ALGOR *algorithm = X509_ALGOR_new();
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	bool good = bytes > 0 && algorithm != NULL && bits != NULL &&
		    signing_key_sign(key, to_be_signed, (size_t)bytes, signature) == CERTS_OK &&
		    X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ED25519), V_ASN1_UNDEF, NULL) == 1 &&
		    ASN1_STRING_set(bits, signature, sizeof signature) == 1 &&
		    X509_REQ_set1_signature_algo(request, algorithm) == 1;
	if (good) {
		// Whole bytes: no bit of the last one is left over.
		bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 7);
		bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
		X509_REQ_set0_signature(request, bits);
		bits = NULL;
	}
	OPENSSL_free(to_be_signed);
	X509_ALGOR_free(algorithm);
	ASN1_BIT_STRING_free(bits);
	return good;
}

// `key` signs it, or with NULL the private half in `evp`.
static X509_REQ *make_request(const struct profile_subject *subject, EVP_PKEY *evp, const struct signing_key *key)
{
	X509_REQ *request = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	bool good = evp != NULL && request != NULL && name != NULL && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
		    add_text(name, NID_userId, subject->uid) && add_text(name, NID_commonName, subject->name) &&
		    X509_REQ_set_subject_name(request, name) == 1 && X509_REQ_set_pubkey(request, evp) == 1 &&
		    add_alternative_name(request, subject) &&
		    (key != NULL ? sign(request, key) : X509_REQ_sign(request, evp, EVP_sha256()) > 0);
	X509_NAME_free(name);
	if (good)
		return request;
	X509_REQ_free(request);
	return NULL;
}

static enum certs_status write_request(X509_REQ *request, const char *path)
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum certs_status status = CERTS_LIBRARY;
	char *data = NULL;
	if (bio != NULL && PEM_write_bio_X509_REQ(bio, request) == 1) {
		long bytes = BIO_get_mem_data(bio, &data);
		status = file_write(path, data, (size_t)bytes, 0644, false);
	}
	BIO_free(bio);
	return status;
}

// A new key in FILE.key, for whoever has none.
static enum certs_status make_key(const char *path, struct signing_key **ret, char detail[CERTS_DETAIL_BYTES])
{
	enum certs_status status = signing_key_generate(ret);
	if (status == CERTS_OK)
		status = signing_key_save(*ret, path);
	return status == CERTS_OK ? status : certificate_refuse(detail, status, path, NULL);
}

static enum certs_status make_staff(const struct profile_subject *subject, const struct signing_key *key,
				    struct request_files *files, char detail[CERTS_DETAIL_BYTES])
{
	struct staff_key public_key = {.size = KEY_BYTES};
	signing_key_public(key, public_key.bytes);
	EVP_PKEY *public_half = staff_key_evp(&public_key);
	X509_REQ *request = public_key_staff_fingerprint(&public_key, files->fingerprint)
				    ? make_request(subject, public_half, key)
				    : NULL;
	enum certs_status status = request == NULL ? CERTS_LIBRARY : write_request(request, files->request);
	X509_REQ_free(request);
	EVP_PKEY_free(public_half);
	return status == CERTS_OK ? status : certificate_refuse(detail, status, files->request, NULL);
}

static enum certs_status find_staff_paths(const char *uid, const char *name, const char *out_directory, const char *file,
					  struct profile_subject *ret, struct request_files *files, char detail[CERTS_DETAIL_BYTES])
{
	const char *why = NULL;
	enum certs_status status = profile_subject_make(CERTIFICATE_STAFF, NULL, uid, name, ret, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, "member of staff", why);
	status = request_path(out_directory, file, ".csr", files->request, detail);
	if (status == CERTS_OK && access(files->request, F_OK) == 0)
		status = certificate_refuse(detail, CERTS_EXISTS, files->request, NULL);
	return status;
}

enum certs_status request_make_staff(const char *uid, const char *name, const struct signing_key *key,
				     const char *out_directory, const char *file, struct request_files *ret,
				     char detail[CERTS_DETAIL_BYTES])
{
	struct request_files files = {0};
	struct profile_subject subject;
	struct signing_key *made = NULL;
	enum certs_status status = find_staff_paths(uid, name, out_directory, file, &subject, &files, detail);
	if (status == CERTS_OK && key == NULL)
		status = request_path(out_directory, file, ".key", files.key, detail);
	if (status == CERTS_OK && key == NULL)
		status = make_key(files.key, &made, detail);
	if (status == CERTS_OK) {
		status = make_staff(&subject, made != NULL ? made : key, &files, detail);
		if (status != CERTS_OK && made != NULL)
			unlink(files.key);
	}
	signing_key_free(made);
	if (status == CERTS_OK)
		*ret = files;
	return status;
}

// P-256 as every browser and card has it; RSA for those cards that have nothing else.
static EVP_PKEY *browser_key(enum staff_key_kind kind)
{
	return kind == STAFF_KEY_P256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
				      : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)BROWSER_RSA_BITS);
}

static enum certs_status make_browser(const struct profile_subject *subject, EVP_PKEY *key, struct request_files *files,
				      char detail[CERTS_DETAIL_BYTES])
{
	struct staff_key public_key;
	X509_REQ *request = make_request(subject, key, NULL);
	enum certs_status status = request == NULL ? CERTS_LIBRARY : staff_key_from_evp(key, &public_key);
	if (status == CERTS_OK && !public_key_staff_fingerprint(&public_key, files->fingerprint))
		status = CERTS_LIBRARY;
	if (status == CERTS_OK)
		status = key_save(key, files->key);
	if (status != CERTS_OK) {
		X509_REQ_free(request);
		return certificate_refuse(detail, status, files->key, NULL);
	}
	status = write_request(request, files->request);
	X509_REQ_free(request);
	if (status == CERTS_OK)
		return status;
	unlink(files->key);
	return certificate_refuse(detail, status, files->request, NULL);
}

enum certs_status request_make_browser(const char *uid, const char *name, enum staff_key_kind kind, const char *out_directory,
				       const char *file, struct request_files *ret, char detail[CERTS_DETAIL_BYTES])
{
	struct request_files files = {0};
	struct profile_subject subject;
	enum certs_status status = find_staff_paths(uid, name, out_directory, file, &subject, &files, detail);
	if (status == CERTS_OK)
		status = request_path(out_directory, file, ".key", files.key, detail);
	if (status != CERTS_OK)
		return status;
	EVP_PKEY *key = browser_key(kind);
	status = key == NULL ? certificate_refuse(detail, CERTS_LIBRARY, files.key, NULL)
			     : make_browser(&subject, key, &files, detail);
	EVP_PKEY_free(key);
	if (status == CERTS_OK)
		*ret = files;
	return status;
}
