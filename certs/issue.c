// Building and signing certificates and revocation lists (RFC 5280, RFC 8410).
#include "certs/issue_priv.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "certs/certificate_priv.h"
#include "certs/key_priv.h"
#include "certs/staff_key_priv.h"

#define ALTERNATIVES_BYTES (PROFILE_URI_BYTES + PROFILE_PASSKEY_URI_BYTES + 16)

static bool set_time(ASN1_TIME *time, uint64_t ms)
{
	return ASN1_TIME_set(time, (time_t)(ms / 1000)) != NULL;
}

// 126 random bits: positive, and 16 bytes long without a leading zero.
static bool set_serial(X509 *certificate)
{
	uint8_t bytes[16];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	bytes[0] = (uint8_t)((bytes[0] & 0x3F) | 0x40);
	BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool good = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return good;
}

static bool add_text(X509_NAME *name, int nid, const char *text)
{
	return X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING, (const unsigned char *)text, -1, -1,
					  0) == 1;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

// What all certificates have, up to the subject.
static X509 *start(const X509 *issuer, EVP_PKEY *key, struct issue_dates dates)
{
	X509 *certificate = X509_new();
	if (certificate == NULL)
		return NULL;
	if (X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
	    X509_set_pubkey(certificate, key) == 1 &&
	    set_time(X509_getm_notBefore(certificate), dates.from_ms) &&
	    set_time(X509_getm_notAfter(certificate), dates.until_ms) &&
	    (issuer == NULL || X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1))
		return certificate;
	X509_free(certificate);
	return NULL;
}

enum certs_status issue_authority(const char *name, const struct signing_key *key, long path_length,
				  const struct issuer *by, struct issue_dates dates, X509 **ret)
{
	char constraints[48];
	EVP_PKEY *signer = signing_key_evp(by == NULL ? key : by->key);
	X509 *certificate = start(by == NULL ? NULL : by->certificate, signing_key_evp(key), dates);
	X509 *issuer = by == NULL ? certificate : by->certificate;
	snprintf(constraints, sizeof constraints, "critical,CA:TRUE,pathlen:%ld", path_length);
	if (certificate != NULL && add_text(X509_get_subject_name(certificate), NID_commonName, name) &&
	    (by != NULL || X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1) &&
	    add_extension(certificate, issuer, NID_basic_constraints, constraints) &&
	    add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
	    add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
	    X509_sign(certificate, signer, NULL) > 0) {
		*ret = certificate;
		return CERTS_OK;
	}
	X509_free(certificate);
	return CERTS_LIBRARY;
}

// What OpenSSL's notation cannot mistake: hosts and credential ids have no comma.
static void alternatives(enum certificate_kind kind, const struct profile_subject *subject, char out[ALTERNATIVES_BYTES])
{
	char uri[PROFILE_URI_BYTES];
	profile_uri(kind, subject, uri);
	int at = snprintf(out, ALTERNATIVES_BYTES, "URI:%s", uri);
	if (kind == CERTIFICATE_SYSTEM && subject->web_host[0] != '\0')
		snprintf(out + at, ALTERNATIVES_BYTES - (size_t)at, ",DNS:%s", subject->web_host);
	if (kind == CERTIFICATE_STAFF && subject->passkey[0] != '\0')
		snprintf(out + at, ALTERNATIVES_BYTES - (size_t)at, ",URI:" PROFILE_PASSKEY_URI_PREFIX "%s", subject->passkey);
}

static bool add_profile(X509 *certificate, X509 *issuer, enum certificate_kind kind,
			const struct profile_subject *subject, bool for_browsers)
{
	const struct profile_rules *rules = profile_rules_of(kind);
	X509_NAME *name = X509_get_subject_name(certificate);
	char alternative[ALTERNATIVES_BYTES], purpose[160];
	alternatives(kind, subject, alternative);
	// Critical: software that knows nothing of these uses must not take the certificate for its own.
	snprintf(purpose, sizeof purpose, "critical,%s%s", rules->purpose, for_browsers ? "," PROFILE_PURPOSE_CLIENT : "");
	return (rules->subject_nid != NID_organizationIdentifier ||
		add_text(name, NID_organizationIdentifier, subject->organisation)) &&
	       (rules->subject_nid != NID_userId || add_text(name, NID_userId, subject->uid)) &&
	       add_text(name, NID_commonName, subject->name) &&
	       add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, issuer, NID_key_usage, rules->key_usage_text) &&
	       add_extension(certificate, issuer, NID_ext_key_usage, purpose) &&
	       add_extension(certificate, issuer, NID_subject_alt_name, alternative) &&
	       add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
	       add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

enum certs_status issue_certificate_for(enum certificate_kind kind, const struct profile_subject *subject, EVP_PKEY *key,
					const struct issuer *by, struct issue_dates dates, X509 **ret)
{
	struct profile_fields fields;
	struct staff_key staff;
	const char *why;
	bool for_browsers = kind == CERTIFICATE_STAFF && staff_key_from_evp(key, &staff) == CERTS_OK &&
			    profile_is_for_browsers(&staff, subject);
	X509 *certificate = start(by->certificate, key, dates);
	if (certificate != NULL && add_profile(certificate, by->certificate, kind, subject, for_browsers) &&
	    X509_sign(certificate, signing_key_evp(by->key), NULL) > 0 &&
	    profile_read(certificate, kind, &fields, &why) == CERTS_OK) {
		*ret = certificate;
		return CERTS_OK;
	}
	X509_free(certificate);
	return CERTS_LIBRARY;
}

enum certs_status issue_certificate(enum certificate_kind kind, const struct profile_subject *subject,
				    const uint8_t public_key[KEY_BYTES], const struct issuer *by,
				    struct issue_dates dates, X509 **ret)
{
	EVP_PKEY *key =
		EVP_PKEY_new_raw_public_key(profile_rules_of(kind)->key_type, NULL, public_key, KEY_BYTES);
	enum certs_status status = key == NULL ? CERTS_LIBRARY : issue_certificate_for(kind, subject, key, by, dates, ret);
	EVP_PKEY_free(key);
	return status;
}

static bool copy_entries(X509_CRL *list, const X509_CRL *previous)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED((X509_CRL *)(uintptr_t)previous);
	for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		X509_REVOKED *copy = X509_REVOKED_dup(sk_X509_REVOKED_value(entries, i));
		if (copy == NULL || X509_CRL_add0_revoked(list, copy) != 1) {
			X509_REVOKED_free(copy);
			return false;
		}
	}
	return true;
}

static bool add_entry(X509_CRL *list, X509 *revoked, uint64_t revoked_ms)
{
	X509_REVOKED *entry = NULL;
	if (X509_CRL_get0_by_serial(list, &entry, X509_get_serialNumber(revoked)) != 0)
		return true;
	entry = X509_REVOKED_new();
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)(revoked_ms / 1000));
	bool good = entry != NULL && time != NULL && X509_REVOKED_set_revocationDate(entry, time) == 1 &&
		    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked)) == 1 &&
		    X509_CRL_add0_revoked(list, entry) == 1;
	ASN1_TIME_free(time);
	if (!good)
		X509_REVOKED_free(entry);
	return good;
}

// One more than the list before: numbers only rise (RFC 5280 5.2.3).
static bool add_number(X509_CRL *list, const X509_CRL *previous)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new(), *before = NULL;
	uint64_t value = 0;
	bool good = number != NULL;
	if (previous != NULL) {
		before = X509_CRL_get_ext_d2i(previous, NID_crl_number, NULL, NULL);
		good = good && before != NULL && ASN1_INTEGER_get_uint64(&value, before) == 1;
	}
	good = good && ASN1_INTEGER_set_uint64(number, value + 1) == 1 &&
	       X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, X509V3_ADD_DEFAULT) == 1;
	ASN1_INTEGER_free(before);
	ASN1_INTEGER_free(number);
	return good;
}

static bool add_authority_key(X509_CRL *list, X509 *issuer)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, NULL, NULL, list, 0);
	X509_EXTENSION *extension =
		X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
	bool good = extension != NULL && X509_CRL_add_ext(list, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

enum certs_status issue_list(const X509_CRL *previous, X509 *revoked, uint64_t revoked_ms,
			     const struct issuer *by, struct issue_dates dates, X509_CRL **ret)
{
	X509_CRL *list = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(dates.from_ms / 1000));
	ASN1_TIME *until = ASN1_TIME_set(NULL, (time_t)(dates.until_ms / 1000));
	bool good = list != NULL && from != NULL && until != NULL &&
		    X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
		    X509_CRL_set_issuer_name(list, X509_get_subject_name(by->certificate)) == 1 &&
		    X509_CRL_set1_lastUpdate(list, from) == 1 && X509_CRL_set1_nextUpdate(list, until) == 1 &&
		    (previous == NULL || copy_entries(list, previous)) &&
		    (revoked == NULL || add_entry(list, revoked, revoked_ms)) && X509_CRL_sort(list) == 1 &&
		    add_authority_key(list, by->certificate) && add_number(list, previous) &&
		    X509_CRL_sign(list, signing_key_evp(by->key), NULL) > 0;
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	if (!good) {
		X509_CRL_free(list);
		return CERTS_LIBRARY;
	}
	*ret = list;
	return CERTS_OK;
}
