// Reading certificates and revocation lists, and the fields that every kind has.
#include "certs/certificate_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/file_priv.h"

enum certs_status certificate_refuse(char detail[CERTS_DETAIL_BYTES], enum certs_status status,
				     const char *place, const char *why)
{
	int wanted = snprintf(detail, CERTS_DETAIL_BYTES, "%s: %s%s%s", place, certs_status_text(status),
			      why == NULL ? "" : ": ", why == NULL ? "" : why);
	// Half a character at the cut would make the whole line malformed for whoever logs it.
	size_t bytes = strlen(detail);
	for (size_t at = 0; wanted >= CERTS_DETAIL_BYTES && at < bytes;) {
		unsigned long point;
		int count = UTF8_getc((const unsigned char *)detail + at, (int)(bytes - at), &point);
		if (count <= 0 && bytes - at < 4)
			detail[at] = '\0';
		at += count <= 0 ? 1 : (size_t)count;
	}
	// What OpenSSL queued on the way is said; left behind it would puzzle the next caller on this thread.
	ERR_clear_error();
	return status;
}

bool certificate_serial_equal(const struct certificate_serial *a, const struct certificate_serial *b)
{
	return a->bytes_count == b->bytes_count && memcmp(a->bytes, b->bytes, a->bytes_count) == 0;
}

void certificate_serial_format(const struct certificate_serial *serial, char out[2 * SERIAL_BYTES_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;
	for (size_t i = 0; i < serial->bytes_count; i++) {
		out[at++] = digits[serial->bytes[i] >> 4];
		out[at++] = digits[serial->bytes[i] & 15];
	}
	out[at] = '\0';
}

enum certs_status certificate_from_der(const uint8_t *der, size_t der_bytes, X509 **ret)
{
	const unsigned char *at = der;
	unsigned char *again = NULL;
	if (der_bytes == 0 || der_bytes > FILE_BYTES_MAX)
		return CERTS_MALFORMED;
	X509 *certificate = d2i_X509(NULL, &at, (long)der_bytes);
	// OpenSSL reads some BER too; one certificate must have one form, or comparing bytes means nothing.
	int again_bytes = certificate == NULL ? -1 : i2d_X509(certificate, &again);
	bool same = again_bytes > 0 && (size_t)again_bytes == der_bytes && memcmp(again, der, der_bytes) == 0;
	OPENSSL_free(again);
	if (!same) {
		X509_free(certificate);
		return CERTS_MALFORMED;
	}
	*ret = certificate;
	return CERTS_OK;
}

// The only PEM block of a file, if its label is `label`.
static enum certs_status read_pem(const char *path, const char *label, uint8_t **ret, long *ret_bytes)
{
	uint8_t *text = NULL;
	size_t text_bytes = 0;
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long bytes = 0;
	enum certs_status status = file_read(path, false, &text, &text_bytes);
	if (status != CERTS_OK)
		return status;
	status = CERTS_MALFORMED;
	BIO *bio = BIO_new_mem_buf(text, (int)text_bytes);
	if (bio != NULL && PEM_read_bio(bio, &name, &header, &data, &bytes) == 1 &&
	    strcmp(name, label) == 0 && header[0] == '\0') {
		char *name_2 = NULL, *header_2 = NULL;
		unsigned char *data_2 = NULL;
		long bytes_2 = 0;
		// Two in one file: which one was meant is not ours to guess.
		if (PEM_read_bio(bio, &name_2, &header_2, &data_2, &bytes_2) != 1)
			status = CERTS_OK;
		OPENSSL_free(name_2);
		OPENSSL_free(header_2);
		OPENSSL_free(data_2);
	}
	BIO_free(bio);
	OPENSSL_free(name);
	OPENSSL_free(header);
	if (status == CERTS_OK) {
		*ret = data;
		*ret_bytes = bytes;
	} else {
		OPENSSL_free(data);
	}
	file_free(text, text_bytes);
	return status;
}

enum certs_status certificate_from_file(const char *path, X509 **ret)
{
	uint8_t *der = NULL;
	long der_bytes = 0;
	enum certs_status status = read_pem(path, PEM_STRING_X509, &der, &der_bytes);
	if (status == CERTS_OK)
		status = certificate_from_der(der, (size_t)der_bytes, ret);
	OPENSSL_free(der);
	return status;
}

enum certs_status certificate_list_from_file(const char *path, X509_CRL **ret)
{
	uint8_t *der = NULL;
	long der_bytes = 0;
	enum certs_status status = read_pem(path, PEM_STRING_X509_CRL, &der, &der_bytes);
	if (status != CERTS_OK)
		return status;
	const unsigned char *at = der;
	X509_CRL *list = d2i_X509_CRL(NULL, &at, der_bytes);
	if (list == NULL || at != der + der_bytes) {
		X509_CRL_free(list);
		status = CERTS_MALFORMED;
	} else {
		*ret = list;
	}
	OPENSSL_free(der);
	return status;
}

enum certs_status certificate_file_to_der(const char *path, uint8_t **ret_der, size_t *ret_der_bytes)
{
	X509 *certificate = NULL;
	enum certs_status status = certificate_from_file(path, &certificate);
	if (status != CERTS_OK)
		return status;
	int bytes = i2d_X509(certificate, NULL);
	uint8_t *der = bytes > 0 ? malloc((size_t)bytes) : NULL;
	unsigned char *at = der;
	if (der == NULL || i2d_X509(certificate, &at) != bytes) {
		free(der);
		status = CERTS_LIBRARY;
	} else {
		*ret_der = der;
		*ret_der_bytes = (size_t)bytes;
	}
	X509_free(certificate);
	return status;
}

bool certificate_time_ms(const ASN1_TIME *time, uint64_t *ret)
{
	struct tm parts;
	if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
		return false;
	time_t seconds = timegm(&parts);
	if (seconds < 0)
		return false;
	*ret = (uint64_t)seconds * 1000;
	return true;
}

bool certificate_serial_of(const X509 *certificate, struct certificate_serial *ret)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	const unsigned char *bytes = ASN1_STRING_get0_data(serial);
	int count = ASN1_STRING_length(serial);
	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || count < 1 || count > SERIAL_BYTES_MAX ||
	    bytes[0] == 0)
		return false;
	*ret = (struct certificate_serial){.bytes_count = (size_t)count};
	memcpy(ret->bytes, bytes, (size_t)count);
	return true;
}

// What would let text lie about itself on a screen or in a log line.
static bool is_control(unsigned long point)
{
	return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x200E || point == 0x200F ||
	       (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
	       point == 0xFEFF || (point >= 0xFDD0 && point <= 0xFDEF) || (point & 0xFFFE) == 0xFFFE ||
	       point > 0x10FFFF;
}

bool certificate_name_is_clean(const uint8_t *text, size_t text_bytes)
{
	if (text_bytes == 0 || text_bytes > IDENTITY_NAME_BYTES_MAX || text[0] == ' ' ||
	    text[text_bytes - 1] == ' ')
		return false;
	for (size_t done = 0; done < text_bytes;) {
		unsigned long point;
		int count = UTF8_getc(text + done, (int)(text_bytes - done), &point);
		if (count <= 0 || is_control(point))
			return false;
		done += (size_t)count;
	}
	return true;
}

bool certificate_common_name(const X509 *certificate, char out[IDENTITY_NAME_BYTES_MAX + 1])
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *name = at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	size_t bytes = name == NULL ? 0 : (size_t)ASN1_STRING_length(name);
	if (!certificate_name_is_clean(name == NULL ? NULL : ASN1_STRING_get0_data(name), bytes))
		return false;
	memcpy(out, ASN1_STRING_get0_data(name), bytes);
	out[bytes] = '\0';
	return true;
}

void certificate_place(const X509 *certificate, char out[CERTIFICATE_PLACE_BYTES])
{
	char name[IDENTITY_NAME_BYTES_MAX + 1];
	bool named = certificate_common_name(certificate, name);
	snprintf(out, CERTIFICATE_PLACE_BYTES, "certificate%s%s", named ? " of " : "", named ? name : "");
}
