// Reading requests for certificates, as the registration authority does: what somebody sent.
#include "certs/request_priv.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/certificate_priv.h"
#include "certs/file_priv.h"
#include "certs/key_priv.h"
#include "certs/staff_key_priv.h"

// ------------------------------------------------------------------ X25519: the public key alone

static EVP_PKEY *public_key_of_file(const char *path, enum certs_status *ret_status)
{
	uint8_t *data = NULL;
	size_t bytes = 0;
	*ret_status = file_read(path, false, &data, &bytes);
	if (*ret_status != CERTS_OK)
		return NULL;
	BIO *bio = BIO_new_mem_buf(data, (int)bytes);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, key_no_passphrase, NULL);
	BIO_free(bio);
	file_free(data, bytes);
	if (key == NULL)
		*ret_status = CERTS_MALFORMED;
	return key;
}

enum certs_status request_read_curve(const char *path, uint8_t ret_public_key[KEY_BYTES], char detail[CERTS_DETAIL_BYTES])
{
	enum certs_status status;
	size_t bytes = KEY_BYTES;
	EVP_PKEY *key = public_key_of_file(path, &status);
	if (key == NULL)
		return certificate_refuse(detail, status, path, "a PEM public key is needed");
	if (EVP_PKEY_get_id(key) != EVP_PKEY_X25519)
		status = certificate_refuse(detail, CERTS_WRONG_KEY_TYPE, path, "X25519 is");
	else if (EVP_PKEY_get_raw_public_key(key, ret_public_key, &bytes) != 1 || bytes != KEY_BYTES)
		status = certificate_refuse(detail, CERTS_MALFORMED, path, NULL);
	EVP_PKEY_free(key);
	return status;
}

// ------------------------------------------------------------------ staff: PKCS#10

static enum certs_status request_of_file(const char *path, X509_REQ **ret)
{
	uint8_t *data = NULL;
	size_t bytes = 0;
	enum certs_status status = file_read(path, false, &data, &bytes);
	if (status != CERTS_OK)
		return status;
	BIO *bio = BIO_new_mem_buf(data, (int)bytes);
	*ret = bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, key_no_passphrase, NULL);
	BIO_free(bio);
	file_free(data, bytes);
	return *ret == NULL ? CERTS_MALFORMED : CERTS_OK;
}

// The one URI, and no other extension: what a certificate says besides is the authority's to decide.
static bool asks_for_the_uri_only(X509_REQ *request, const char *uri)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
	bool good = false;
	if (extensions != NULL && sk_X509_EXTENSION_num(extensions) == 1) {
		GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
		good = profile_is_only_uri(names, uri);
		GENERAL_NAMES_free(names);
	}
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	// The extensions are one attribute; a challenge password would be another.
	return good && X509_REQ_get_attr_count(request) == 1;
}

static enum certs_status check_staff(X509_REQ *request, struct profile_subject *ret, struct staff_key *ret_key,
				     const char **ret_why)
{
	char uri[PROFILE_URI_BYTES];
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	if (key == NULL || staff_key_from_evp(key, ret_key) != CERTS_OK) {
		*ret_why = STAFF_KEY_KINDS_TEXT;
		return CERTS_WRONG_KEY_TYPE;
	}
	if (X509_REQ_verify(request, key) != 1) {
		*ret_why = "it is not signed by the key that it asks for";
		return CERTS_SIGNATURE;
	}
	enum certs_status status =
		profile_read_subject(X509_REQ_get_subject_name(request), CERTIFICATE_STAFF, ret, ret_why);
	if (status != CERTS_OK)
		return status;
	profile_uri(CERTIFICATE_STAFF, ret, uri);
	if (!asks_for_the_uri_only(request, uri)) {
		*ret_why = "it asks for something else than the one URI that goes with its subject";
		return CERTS_PROFILE;
	}
	return CERTS_OK;
}

enum certs_status request_read_staff(const char *path, struct profile_subject *ret, struct staff_key *ret_key,
				     char detail[CERTS_DETAIL_BYTES])
{
	X509_REQ *request = NULL;
	const char *why = NULL;
	enum certs_status status = request_of_file(path, &request);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, "a PEM certificate request (PKCS#10) is needed");
	status = check_staff(request, ret, ret_key, &why);
	X509_REQ_free(request);
	return status == CERTS_OK ? status : certificate_refuse(detail, status, path, why);
}
