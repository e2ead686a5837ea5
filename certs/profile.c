// The certificate profile, checked strictly: what is not expressly in it is refused.
#include "certs/profile_priv.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "certs/certificate_priv.h"
#include "certs/staff_key_priv.h"

#define KEY_USAGE_AUTHORITY (KU_KEY_CERT_SIGN | KU_CRL_SIGN)

const struct profile_rules *profile_rules_of(enum certificate_kind kind)
{
	static const struct profile_rules system = {
		.purpose = PROFILE_ARC ".1",
		.key_usage = KU_KEY_AGREEMENT,
		.key_usage_text = "critical,keyAgreement",
		.key_type = EVP_PKEY_X25519,
		.subject_nid = NID_organizationIdentifier,
	};
	static const struct profile_rules broker = {
		.purpose = PROFILE_ARC ".2",
		.key_usage = KU_KEY_AGREEMENT,
		.key_usage_text = "critical,keyAgreement",
		.key_type = EVP_PKEY_X25519,
		.subject_nid = NID_undef,
	};
	static const struct profile_rules staff = {
		.purpose = PROFILE_ARC ".3",
		.key_usage = KU_DIGITAL_SIGNATURE,
		.key_usage_text = "critical,digitalSignature",
		.key_type = EVP_PKEY_ED25519,
		.subject_nid = NID_userId,
	};
	switch (kind) {
	case CERTIFICATE_SYSTEM:
		return &system;
	case CERTIFICATE_BROKER:
		return &broker;
	case CERTIFICATE_STAFF:
		return &staff;
	case CERTIFICATE_AUTHORITY:
		break;
	}
	return NULL;
}

static enum certs_status fail(const char **ret_why, enum certs_status status, const char *why)
{
	*ret_why = why;
	return status;
}

static bool organisation_is_good(const char *text, size_t bytes)
{
	if (bytes < 3 || bytes > IDENTITY_ODS_BYTES_MAX)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (!((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= '0' && text[i] <= '9')))
			return false;
	return true;
}

static bool uid_is_good(const char *text, size_t bytes)
{
	return bytes == IDENTITY_UID_DIGITS && strspn(text, "0123456789") == bytes;
}

enum certs_status profile_subject_make(enum certificate_kind kind, const char *organisation, const char *uid,
				       const char *name, struct profile_subject *ret, const char **ret_why)
{
	struct profile_subject subject = {0};
	if (!certificate_name_is_clean((const uint8_t *)name, strlen(name)))
		return fail(ret_why, CERTS_VALUE,
			    "a name is 1 to 64 bytes of UTF-8 without control characters");
	memcpy(subject.name, name, strlen(name));
	if (kind == CERTIFICATE_SYSTEM) {
		if (!organisation_is_good(organisation, strlen(organisation)))
			return fail(ret_why, CERTS_VALUE,
				    "an ODS code is 3 to 12 capital letters and digits");
		memcpy(subject.organisation, organisation, strlen(organisation));
	}
	if (kind == CERTIFICATE_STAFF) {
		if (!uid_is_good(uid, strlen(uid)))
			return fail(ret_why, CERTS_VALUE, "a staff UID is 12 digits");
		memcpy(subject.uid, uid, strlen(uid));
	}
	*ret = subject;
	return CERTS_OK;
}

enum certs_status profile_set_web_host(struct profile_subject *subject, const char *host, const char **ret_why)
{
	if (!web_host_is_good(host))
		return fail(ret_why, CERTS_VALUE, "a web host is a DNS name in lower case of at most 190 bytes");
	memcpy(subject->web_host, host, strlen(host) + 1);
	return CERTS_OK;
}

// One text for one credential id: no padding, and the bits that the last character has too many are zero.
bool profile_is_base64url(const char *text, size_t bytes)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t value = 0;
	for (size_t i = 0; i < bytes; i++) {
		const char *found = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);
		if (found == NULL)
			return false;
		value = (size_t)(found - alphabet);
	}
	return bytes > 0 && bytes % 4 != 1 && (bytes % 4 != 2 || value % 16 == 0) && (bytes % 4 != 3 || value % 4 == 0);
}

enum certs_status profile_set_passkey(struct profile_subject *subject, const char *credential, size_t credential_bytes,
				      const char **ret_why)
{
	if (credential_bytes > IDENTITY_PASSKEY_BYTES_MAX || !profile_is_base64url(credential, credential_bytes))
		return fail(ret_why, CERTS_VALUE, "a credential id is 1 to 256 bytes in base64url without padding");
	memcpy(subject->passkey, credential, credential_bytes);
	subject->passkey[credential_bytes] = '\0';
	return CERTS_OK;
}

bool profile_is_for_browsers(const struct staff_key *key, const struct profile_subject *subject)
{
	return key->kind != STAFF_KEY_ED25519 && subject->passkey[0] == '\0';
}

static size_t append_encoded(char *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t at = 0;
	for (const char *c = text; *c != '\0'; c++) {
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
		    strchr("-._~", *c) != NULL) {
			out[at++] = *c;
		} else {
			out[at++] = '%';
			out[at++] = digits[(unsigned char)*c >> 4];
			out[at++] = digits[(unsigned char)*c & 15];
		}
	}
	out[at] = '\0';
	return at;
}

void profile_uri(enum certificate_kind kind, const struct profile_subject *subject,
		 char out[PROFILE_URI_BYTES])
{
	int at = 0;
	switch (kind) {
	case CERTIFICATE_SYSTEM:
		at = snprintf(out, PROFILE_URI_BYTES, "urn:cpis:system:%s:", subject->organisation);
		append_encoded(out + at, subject->name);
		return;
	case CERTIFICATE_BROKER:
		at = snprintf(out, PROFILE_URI_BYTES, "urn:cpis:broker:");
		append_encoded(out + at, subject->name);
		return;
	case CERTIFICATE_STAFF:
		snprintf(out, PROFILE_URI_BYTES, "urn:cpis:staff:%s", subject->uid);
		return;
	case CERTIFICATE_AUTHORITY:
		break;
	}
	out[0] = '\0';
}

// The value of the only attribute `nid`, as bytes. OpenSSL has checked no alphabet yet.
static const ASN1_STRING *only_value(const X509_NAME *subject, int nid)
{
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);
	if (at < 0 || X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
		return NULL;
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	int type = ASN1_STRING_type(value);
	if ((type != V_ASN1_UTF8STRING && type != V_ASN1_PRINTABLESTRING) || ASN1_STRING_length(value) < 1)
		return NULL;
	return value;
}

// Copies into a zeroed field if it fits and holds no NUL.
static bool copy_value(const ASN1_STRING *value, char *out, size_t out_bytes)
{
	size_t bytes = (size_t)ASN1_STRING_length(value);
	if (bytes >= out_bytes || memchr(ASN1_STRING_get0_data(value), '\0', bytes) != NULL)
		return false;
	memcpy(out, ASN1_STRING_get0_data(value), bytes);
	return true;
}

enum certs_status profile_read_subject(const X509_NAME *subject, enum certificate_kind kind,
				       struct profile_subject *ret, const char **ret_why)
{
	int nid = profile_rules_of(kind)->subject_nid;
	const ASN1_STRING *name = only_value(subject, NID_commonName);
	const ASN1_STRING *other = nid == NID_undef ? NULL : only_value(subject, nid);
	struct profile_subject read = {0};
	if (X509_NAME_entry_count(subject) != (nid == NID_undef ? 1 : 2) || name == NULL ||
	    (nid != NID_undef && other == NULL))
		return fail(ret_why, CERTS_PROFILE,
			    kind == CERTIFICATE_SYSTEM
				    ? "its subject is not exactly one ODS code and one name"
			    : kind == CERTIFICATE_STAFF ? "its subject is not exactly one UID and one name"
							: "its subject is not exactly one name");
	char *field = kind == CERTIFICATE_SYSTEM ? read.organisation : read.uid;
	size_t field_bytes = kind == CERTIFICATE_SYSTEM ? sizeof read.organisation : sizeof read.uid;
	if (!copy_value(name, read.name, sizeof read.name) ||
	    (other != NULL && !copy_value(other, field, field_bytes)) ||
	    profile_subject_make(kind, read.organisation, read.uid, read.name, ret, ret_why) != CERTS_OK)
		return fail(ret_why, CERTS_PROFILE, "a value in its subject is not of the form it must have");
	return CERTS_OK;
}

static bool has_purpose(const EXTENDED_KEY_USAGE *usages, const char *purpose)
{
	bool found = false;
	for (int i = 0; usages != NULL && i < sk_ASN1_OBJECT_num(usages) && !found; i++) {
		char text[128];
		int bytes = OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(usages, i), 1);
		found = bytes > 0 && (size_t)bytes < sizeof text && strcmp(text, purpose) == 0;
	}
	return found;
}

// `*ret_client`: whether it names client authentication besides, which only some of staff's may.
static enum certs_status check_purpose(const X509 *certificate, const char *purpose, bool *ret_client, const char **ret_why)
{
	EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	bool found = has_purpose(usages, purpose);
	int count = usages == NULL ? 0 : sk_ASN1_OBJECT_num(usages);
	*ret_client = has_purpose(usages, PROFILE_PURPOSE_CLIENT);
	EXTENDED_KEY_USAGE_free(usages);
	if (!found)
		return fail(ret_why, CERTS_PURPOSE, "its extended key usage does not name this use");
	if (count != (*ret_client ? 2 : 1))
		return fail(ret_why, CERTS_PROFILE, "it has more than one extended key usage");
	return CERTS_OK;
}

// X.509 leaves extensions open; here each one at most once, and a critical one only if it is ours.
static enum certs_status check_extensions(const X509 *certificate, const char **ret_why)
{
	for (int i = 0; i < X509_get_ext_count(certificate); i++) {
		X509_EXTENSION *extension = X509_get_ext(certificate, i);
		const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
		int nid = OBJ_obj2nid(object);
		if (X509_get_ext_by_OBJ(certificate, object, i) >= 0)
			return fail(ret_why, CERTS_PROFILE, "it carries an extension twice");
		if (X509_EXTENSION_get_critical(extension) && nid != NID_basic_constraints &&
		    nid != NID_key_usage && nid != NID_ext_key_usage && nid != NID_subject_alt_name)
			return fail(ret_why, CERTS_PROFILE,
				    "it carries a critical extension outside the profile");
	}
	return CERTS_OK;
}

static bool basic_constraints_are(const X509 *certificate, bool authority, long path_length)
{
	int critical = -1;
	BASIC_CONSTRAINTS *constraints =
		X509_get_ext_d2i(certificate, NID_basic_constraints, &critical, NULL);
	bool good = constraints != NULL && critical == 1 && (constraints->ca != 0) == authority;
	if (good && authority)
		good = constraints->pathlen != NULL && ASN1_INTEGER_get(constraints->pathlen) == path_length;
	else if (good)
		good = constraints->pathlen == NULL;
	BASIC_CONSTRAINTS_free(constraints);
	return good;
}

static bool key_usage_is(const X509 *certificate, uint32_t usage)
{
	int critical = -1;
	ASN1_BIT_STRING *bits = X509_get_ext_d2i(certificate, NID_key_usage, &critical, NULL);
	uint32_t read = 0;
	// Bits 0 to 7 are the first byte and bit 8 the top of the second, as KU_... are laid out.
	if (bits != NULL && ASN1_STRING_length(bits) >= 1 && ASN1_STRING_length(bits) <= 2) {
		const unsigned char *bytes = ASN1_STRING_get0_data(bits);
		read = bytes[0] | (ASN1_STRING_length(bits) == 2 ? (uint32_t)bytes[1] << 8 : 0);
	}
	ASN1_BIT_STRING_free(bits);
	return critical == 1 && read == usage;
}

// The alternative name at `at`, if it is of this type; NULL otherwise.
static const ASN1_STRING *alternative(const GENERAL_NAMES *names, int at, int wanted)
{
	int type = -1;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, at), &type);
	return type == wanted ? value : NULL;
}

static bool first_is_uri(const GENERAL_NAMES *names, const char *uri)
{
	const ASN1_STRING *value = names == NULL || sk_GENERAL_NAME_num(names) < 1 ? NULL : alternative(names, 0, GEN_URI);
	return value != NULL && (size_t)ASN1_STRING_length(value) == strlen(uri) &&
	       memcmp(ASN1_STRING_get0_data(value), uri, strlen(uri)) == 0;
}

bool profile_is_only_uri(const GENERAL_NAMES *names, const char *uri)
{
	return first_is_uri(names, uri) && sk_GENERAL_NAME_num(names) == 1;
}

static bool read_web_host(const GENERAL_NAMES *names, struct profile_subject *subject)
{
	char host[WEB_HOST_BYTES_MAX + 1] = "";
	const char *why;
	const ASN1_STRING *value = alternative(names, 1, GEN_DNS);
	return value != NULL && ASN1_STRING_length(value) > 0 && copy_value(value, host, sizeof host) &&
	       profile_set_web_host(subject, host, &why) == CERTS_OK;
}

static bool read_passkey(const GENERAL_NAMES *names, struct profile_subject *subject)
{
	static const char prefix[] = PROFILE_PASSKEY_URI_PREFIX;
	const size_t prefix_bytes = sizeof prefix - 1;
	const char *why;
	const ASN1_STRING *value = alternative(names, 1, GEN_URI);
	if (value == NULL || (size_t)ASN1_STRING_length(value) <= prefix_bytes ||
	    memcmp(ASN1_STRING_get0_data(value), prefix, prefix_bytes) != 0)
		return false;
	return profile_set_passkey(subject, (const char *)ASN1_STRING_get0_data(value) + prefix_bytes,
				   (size_t)ASN1_STRING_length(value) - prefix_bytes, &why) == CERTS_OK;
}

// The URI that goes with the subject, first; behind it what this kind may have besides.
static enum certs_status read_alternatives(const X509 *certificate, enum certificate_kind kind, struct profile_subject *subject,
					   const char **ret_why)
{
	char uri[PROFILE_URI_BYTES];
	profile_uri(kind, subject, uri);
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool good = first_is_uri(names, uri);
	int count = names == NULL ? 0 : sk_GENERAL_NAME_num(names);
	if (good && count > 1)
		good = count == 2 && ((kind == CERTIFICATE_SYSTEM && read_web_host(names, subject)) ||
				      (kind == CERTIFICATE_STAFF && read_passkey(names, subject)));
	GENERAL_NAMES_free(names);
	if (good)
		return CERTS_OK;
	return fail(ret_why, CERTS_PROFILE,
		    kind == CERTIFICATE_SYSTEM  ? "its alternative names are not the one URI that goes with its subject, and a web host at most"
		    : kind == CERTIFICATE_STAFF ? "its alternative names are not the one URI that goes with its subject, and a passkey at most"
						: "its alternative name is not the one URI that goes with its subject");
}

static enum certs_status read_key(const X509 *certificate, int type, uint8_t out[KEY_BYTES],
				  const char **ret_why)
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	size_t bytes = KEY_BYTES;
	if (key == NULL || EVP_PKEY_get_id(key) != type)
		return fail(ret_why, CERTS_WRONG_KEY_TYPE,
			    type == EVP_PKEY_X25519 ? "X25519 is" : "Ed25519 is");
	if (EVP_PKEY_get_raw_public_key(key, out, &bytes) != 1 || bytes != KEY_BYTES)
		return fail(ret_why, CERTS_MALFORMED, "its public key");
	return CERTS_OK;
}

static enum certs_status read_keys(const X509 *certificate, enum certificate_kind kind, int type, struct profile_fields *fields,
				   const char **ret_why)
{
	if (kind != CERTIFICATE_STAFF)
		return read_key(certificate, type, fields->public_key, ret_why);
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	enum certs_status status = key == NULL ? CERTS_WRONG_KEY_TYPE : staff_key_from_evp(key, &fields->key);
	return status == CERTS_OK ? status : fail(ret_why, status, STAFF_KEY_KINDS_TEXT);
}

enum certs_status profile_read(const X509 *certificate, enum certificate_kind kind,
			       struct profile_fields *ret, const char **ret_why)
{
	const struct profile_rules *rules = profile_rules_of(kind);
	struct profile_fields fields = {0};
	bool client = false;
	if (rules == NULL)
		return fail(ret_why, CERTS_PURPOSE,
			    "an authority's certificate is never a system's or a person's");
	if (X509_get_version(certificate) != X509_VERSION_3)
		return fail(ret_why, CERTS_PROFILE, "it is not of version 3");
	if (!certificate_serial_of(certificate, &fields.serial))
		return fail(ret_why, CERTS_PROFILE,
			    "its serial number is not positive and of at most 20 bytes");
	if (!certificate_time_ms(X509_get0_notBefore(certificate), &fields.not_before_ms) ||
	    !certificate_time_ms(X509_get0_notAfter(certificate), &fields.not_after_ms))
		return fail(ret_why, CERTS_MALFORMED, "its dates");
	enum certs_status status = check_extensions(certificate, ret_why);
	if (status == CERTS_OK)
		status = check_purpose(certificate, rules->purpose, &client, ret_why);
	if (status != CERTS_OK)
		return status;
	if (!basic_constraints_are(certificate, false, 0))
		return fail(ret_why, CERTS_PROFILE, "it does not say that it is no authority");
	if (!key_usage_is(certificate, rules->key_usage))
		return fail(ret_why, CERTS_PROFILE,
			    rules->key_usage == KU_KEY_AGREEMENT
				    ? "its key usage is not exactly key agreement"
				    : "its key usage is not exactly digital signature");
	status = read_keys(certificate, kind, rules->key_type, &fields, ret_why);
	if (status == CERTS_OK)
		status = profile_read_subject(X509_get_subject_name(certificate), kind, &fields.subject, ret_why);
	if (status == CERTS_OK)
		status = read_alternatives(certificate, kind, &fields.subject, ret_why);
	if (status != CERTS_OK)
		return status;
	if (client != (kind == CERTIFICATE_STAFF && profile_is_for_browsers(&fields.key, &fields.subject)))
		return fail(ret_why, CERTS_PROFILE,
			    client ? "its extended key usage names client authentication, which is not for such a key"
				   : "its extended key usage does not name client authentication, as such a key needs it");
	*ret = fields;
	return CERTS_OK;
}

enum certs_status profile_check_authority(const X509 *certificate, long path_length, const char **ret_why)
{
	uint8_t key[KEY_BYTES];
	if (X509_get_version(certificate) != X509_VERSION_3)
		return fail(ret_why, CERTS_PROFILE, "it is not of version 3");
	enum certs_status status = check_extensions(certificate, ret_why);
	if (status == CERTS_OK)
		status = read_key(certificate, EVP_PKEY_ED25519, key, ret_why);
	if (status != CERTS_OK)
		return status;
	if (!basic_constraints_are(certificate, true, path_length))
		return fail(ret_why, CERTS_PROFILE,
			    "it is not an authority with the path length it must have");
	if (!key_usage_is(certificate, KEY_USAGE_AUTHORITY))
		return fail(ret_why, CERTS_PROFILE,
			    "its key usage is not exactly certificate and list signing");
	return CERTS_OK;
}
