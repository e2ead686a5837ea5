// PEM by OpenSSL.
#include "clients/fhir/notify_tls.h"

#include <stdio.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static bool refuse(char *detail, const char *path, const char *why)
{
	ERR_clear_error();
	snprintf(detail, NOTIFY_DETAIL_BYTES, "%.300s: %s", path, why);
	return false;
}

// Nobody is there to be asked.
static int no_passphrase(char *out, int bytes, int writing, void *context)
{
	(void)out, (void)bytes, (void)writing, (void)context;
	return -1;
}

static X509 *read_certificate(const struct notify_file *file)
{
	BIO *source = BIO_new_mem_buf(file->data, (int)file->bytes);
	X509 *certificate = source == NULL ? NULL : PEM_read_bio_X509(source, NULL, no_passphrase, NULL);
	BIO_free(source);
	return certificate;
}

static EVP_PKEY *read_key(const struct notify_file *file)
{
	BIO *source = BIO_new_mem_buf(file->data, (int)file->bytes);
	EVP_PKEY *key = source == NULL ? NULL : PEM_read_bio_PrivateKey(source, NULL, no_passphrase, NULL);
	BIO_free(source);
	return key;
}

static bool read_authorities(const char *path, struct notify_file *ret, char *detail)
{
	if (!notify_file_read(path, false, ret, detail))
		return false;
	X509 *certificate = read_certificate(ret);
	X509_free(certificate);
	return certificate != NULL || refuse(detail, path, "has no certificate in PEM");
}

static bool read_own(const struct notify_settings *settings, struct notify_tls *tls, char *detail)
{
	if (!notify_file_read(settings->certificate, false, &tls->certificate, detail) ||
	    !notify_file_read(settings->key, true, &tls->key, detail))
		return false;
	X509 *certificate = read_certificate(&tls->certificate);
	EVP_PKEY *key = read_key(&tls->key);
	bool done = false;
	if (certificate == NULL)
		(void)refuse(detail, settings->certificate, "has no certificate in PEM");
	else if (key == NULL)
		(void)refuse(detail, settings->key, "has no private key in PEM, or one with a passphrase");
	else if (X509_check_private_key(certificate, key) != 1)
		(void)refuse(detail, settings->key, "is not the key of `certificate`");
	else
		done = true;
	X509_free(certificate);
	EVP_PKEY_free(key);
	return done;
}

bool notify_tls_read(const struct notify_settings *settings, struct notify_tls *ret, char detail[NOTIFY_DETAIL_BYTES])
{
	struct notify_tls tls = {0};
	if (read_authorities(settings->ca_file, &tls.authorities, detail) &&
	    (settings->certificate == NULL || read_own(settings, &tls, detail))) {
		*ret = tls;
		return true;
	}
	notify_tls_free(&tls);
	return false;
}

void notify_tls_free(struct notify_tls *tls)
{
	notify_file_free(&tls->authorities);
	notify_file_free(&tls->certificate);
	notify_file_free(&tls->key);
}
