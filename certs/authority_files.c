// What the registration authority's directory consists of, and writing one file of it.
#include <stdio.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "certs/authority_priv.h"
#include "certs/certificate_priv.h"
#include "certs/file_priv.h"

#define ROOT_DAYS 7300u
#define INTERMEDIATE_DAYS 3650u
#define LIST_DAYS 30u

const struct authority_layout authority_layout[AUTHORITIES] = {
	[AUTHORITY_ROOT] = {"cpis root", "trust/root.pem", "private/root.key", "trust/root.crl.pem", 1,
			    ROOT_DAYS},
	[AUTHORITY_SYSTEMS] = {"cpis systems CA", "trust/systems-ca.pem", "private/systems-ca.key",
			       "trust/systems.crl.pem", 0, INTERMEDIATE_DAYS},
	[AUTHORITY_STAFF] = {"cpis staff CA", "trust/staff-ca.pem", "private/staff-ca.key",
			     "trust/staff.crl.pem", 0, INTERMEDIATE_DAYS},
};

void authority_issuer_done(struct issuer *issuer)
{
	X509_free(issuer->certificate);
	signing_key_free(issuer->key);
}

void authority_join(char out[AUTHORITY_PATH_BYTES], const char *directory, const char *name)
{
	if ((size_t)snprintf(out, AUTHORITY_PATH_BYTES, "%s/%s", directory, name) >= AUTHORITY_PATH_BYTES)
		out[0] = '\0';
}

static enum certs_status write_bio(BIO *bio, const char *path, bool replace, char detail[CERTS_DETAIL_BYTES])
{
	char *text = NULL;
	long bytes = BIO_get_mem_data(bio, &text);
	enum certs_status status = file_write(path, text, (size_t)bytes, 0644, replace);
	return status == CERTS_OK ? status : certificate_refuse(detail, status, path, NULL);
}

enum certs_status authority_write_certificate(X509 *certificate, const char *path,
					      char detail[CERTS_DETAIL_BYTES])
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum certs_status status = bio != NULL && PEM_write_bio_X509(bio, certificate) == 1
					   ? write_bio(bio, path, false, detail)
					   : certificate_refuse(detail, CERTS_LIBRARY, path, NULL);
	BIO_free(bio);
	return status;
}

static enum certs_status write_list(X509_CRL *list, const char *path, char detail[CERTS_DETAIL_BYTES])
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum certs_status status = bio != NULL && PEM_write_bio_X509_CRL(bio, list) == 1
					   ? write_bio(bio, path, true, detail)
					   : certificate_refuse(detail, CERTS_LIBRARY, path, NULL);
	BIO_free(bio);
	return status;
}

void authority_serial_path(char out[AUTHORITY_PATH_BYTES], const char *directory, const char *folder,
			   const X509 *certificate)
{
	struct certificate_serial serial = {0};
	char text[2 * SERIAL_BYTES_MAX + 1], name[64 + sizeof text];
	if (!certificate_serial_of(certificate, &serial))
		serial.bytes_count = 0;
	certificate_serial_format(&serial, text);
	snprintf(name, sizeof name, "%.32s/%s.pem", folder, text);
	authority_join(out, directory, name);
}

enum certs_status authority_record(X509 *certificate, const char *directory, const char *folder,
				   char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	authority_serial_path(path, directory, folder, certificate);
	return authority_write_certificate(certificate, path, detail);
}

enum certs_status authority_renew_list(const char *directory, int which, const struct issuer *by,
				       const X509_CRL *previous, X509 *revoked, uint64_t now_ms,
				       char detail[CERTS_DETAIL_BYTES])
{
	char path[AUTHORITY_PATH_BYTES];
	X509_CRL *list = NULL;
	struct issue_dates dates = {now_ms - AUTHORITY_BACKDATE_MS, now_ms + LIST_DAYS * AUTHORITY_DAY_MS};
	authority_join(path, directory, authority_layout[which].list);
	enum certs_status status = issue_list(previous, revoked, now_ms, by, dates, &list);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, NULL);
	status = write_list(list, path, detail);
	X509_CRL_free(list);
	return status;
}
