// What a certificate claims, for showing to people.
#include <string.h>

#include <openssl/evp.h>

#include "certs/certificate_priv.h"
#include "certs/identity.h"
#include "certs/profile_priv.h"

static enum certs_status read_authority(const X509 *certificate, struct profile_fields *ret,
					const char **ret_why)
{
	struct profile_fields fields = {0};
	enum certs_status status = profile_check_authority(certificate, 0, ret_why);
	if (status != CERTS_OK)
		status = profile_check_authority(certificate, 1, ret_why);
	if (status == CERTS_OK &&
	    (!certificate_common_name(certificate, fields.subject.name) ||
	     !certificate_serial_of(certificate, &fields.serial) ||
	     !certificate_time_ms(X509_get0_notBefore(certificate), &fields.not_before_ms) ||
	     !certificate_time_ms(X509_get0_notAfter(certificate), &fields.not_after_ms))) {
		*ret_why = "its name, serial number or dates";
		status = CERTS_MALFORMED;
	}
	if (status == CERTS_OK)
		*ret = fields;
	return status;
}

// The kind is the one whose purpose it names; CERTS_PURPOSE if it names none of ours.
static enum certs_status read_any(const X509 *certificate, enum certificate_kind *ret_kind,
				  struct profile_fields *ret, const char **ret_why)
{
	enum certs_status status = CERTS_PURPOSE;
	if (read_authority(certificate, ret, ret_why) == CERTS_OK) {
		*ret_kind = CERTIFICATE_AUTHORITY;
		return CERTS_OK;
	}
	for (enum certificate_kind kind = CERTIFICATE_SYSTEM;
	     kind <= CERTIFICATE_STAFF && status == CERTS_PURPOSE; kind++) {
		*ret_kind = kind;
		status = profile_read(certificate, kind, ret, ret_why);
	}
	return status;
}

static bool digest_key(const X509 *certificate, uint8_t out[32])
{
	unsigned char *key = NULL;
	int bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
	bool good = bytes > 0 && EVP_Digest(key, (size_t)bytes, out, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(key);
	return good;
}

enum certs_status certificate_describe_file(const char *path, struct certificate_description *ret,
					    char detail[CERTS_DETAIL_BYTES])
{
	const char *why = NULL;
	X509 *certificate = NULL;
	struct profile_fields fields;
	struct certificate_description description = {0};
	enum certs_status status = certificate_from_file(path, &certificate);
	if (status == CERTS_OK)
		status = read_any(certificate, &description.kind, &fields, &why);
	if (status == CERTS_OK && !digest_key(certificate, description.key_sha256))
		status = CERTS_LIBRARY;
	X509_free(certificate);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, why);
	memcpy(description.organisation, fields.subject.organisation, sizeof description.organisation);
	memcpy(description.uid, fields.subject.uid, sizeof description.uid);
	memcpy(description.name, fields.subject.name, sizeof description.name);
	memcpy(description.web_host, fields.subject.web_host, sizeof description.web_host);
	memcpy(description.passkey, fields.subject.passkey, sizeof description.passkey);
	description.key_kind = fields.key.kind;
	description.serial = fields.serial;
	description.not_before_ms = fields.not_before_ms;
	description.not_after_ms = fields.not_after_ms;
	*ret = description;
	return CERTS_OK;
}
