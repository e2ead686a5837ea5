// The trust bundle, and verifying certificates against it with OpenSSL's verifier and the profile.
#include "certs/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "certs/certificate_priv.h"
#include "certs/profile_priv.h"
#include "certs/trust_priv.h"

#define PATH_BYTES 4096

enum authority_index { AUTHORITY_ROOT, AUTHORITY_SYSTEMS, AUTHORITY_STAFF, AUTHORITIES };

struct authority {
	X509 *certificate;
	X509_CRL *list;
	uint64_t this_update_ms, next_update_ms;
};

static const struct {
	const char *certificate_file, *list_file;
	long path_length;
} bundle[AUTHORITIES] = {
	[AUTHORITY_ROOT] = {"root.pem", "root.crl.pem", 1},
	[AUTHORITY_SYSTEMS] = {"systems-ca.pem", "systems.crl.pem", 0},
	[AUTHORITY_STAFF] = {"staff-ca.pem", "staff.crl.pem", 0},
};

struct trust {
	struct authority authorities[AUTHORITIES];
	X509_STORE *store; // the root as the only anchor, and the three lists
	struct trust *next; // while authorities are changed: those to come
};

const char *const trust_files[] = {"root.pem",     "systems-ca.pem", "staff-ca.pem",
				   "root.crl.pem", "systems.crl.pem", "staff.crl.pem"};
const size_t trust_files_count = sizeof trust_files / sizeof trust_files[0];

static enum certs_status load_certificate(struct trust *trust, enum authority_index index, const char *path,
					  char detail[CERTS_DETAIL_BYTES])
{
	X509 **slot = &trust->authorities[index].certificate;
	const char *why = NULL;
	enum certs_status status = certificate_from_file(path, slot);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, NULL);
	status = profile_check_authority(*slot, bundle[index].path_length, &why);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path, why);
	X509 *root = trust->authorities[AUTHORITY_ROOT].certificate;
	if (X509_check_issued(root, *slot) != X509_V_OK || X509_verify(*slot, X509_get0_pubkey(root)) != 1)
		return certificate_refuse(detail, CERTS_CHAIN, path, "not signed by root.pem");
	return CERTS_OK;
}

static enum certs_status load_list(struct trust *trust, enum authority_index index, const char *path,
				   char detail[CERTS_DETAIL_BYTES])
{
	struct authority *authority = &trust->authorities[index];
	if (certificate_list_from_file(path, &authority->list) != CERTS_OK)
		return certificate_refuse(detail, CERTS_CRL, path, "cannot be read");
	X509_CRL *list = authority->list;
	if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(authority->certificate)) != 0 ||
	    X509_CRL_verify(list, X509_get0_pubkey(authority->certificate)) != 1)
		return certificate_refuse(detail, CERTS_CRL, path, "not signed by its authority");
	if (!certificate_time_ms(X509_CRL_get0_lastUpdate(list), &authority->this_update_ms) ||
	    !certificate_time_ms(X509_CRL_get0_nextUpdate(list), &authority->next_update_ms))
		return certificate_refuse(detail, CERTS_CRL, path, "its dates");
	// Delta and partial lists say so in a critical extension. Only a whole list can say who is not on it.
	for (int i = 0; i < X509_CRL_get_ext_count(list); i++)
		if (X509_EXTENSION_get_critical(X509_CRL_get_ext(list, i)))
			return certificate_refuse(detail, CERTS_CRL, path, "it carries a critical extension");
	return CERTS_OK;
}

static bool make_store(struct trust *trust)
{
	trust->store = X509_STORE_new();
	if (trust->store == NULL ||
	    X509_STORE_add_cert(trust->store, trust->authorities[AUTHORITY_ROOT].certificate) != 1)
		return false;
	for (size_t i = 0; i < AUTHORITIES; i++)
		if (X509_STORE_add_crl(trust->store, trust->authorities[i].list) != 1)
			return false;
	return X509_STORE_set_flags(trust->store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
							  X509_V_FLAG_X509_STRICT) == 1;
}

static enum certs_status load_generation(const char *directory, struct trust **ret, char detail[CERTS_DETAIL_BYTES])
{
	char path[PATH_BYTES];
	enum certs_status status = CERTS_OK;
	struct trust *trust = calloc(1, sizeof *trust);
	if (trust == NULL || strlen(directory) + 32 > sizeof path) {
		free(trust);
		return certificate_refuse(detail, CERTS_CANNOT_READ, directory, NULL);
	}
	for (enum authority_index i = 0; i < AUTHORITIES && status == CERTS_OK; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, bundle[i].certificate_file);
		status = load_certificate(trust, i, path, detail);
	}
	for (enum authority_index i = 0; i < AUTHORITIES && status == CERTS_OK; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, bundle[i].list_file);
		status = load_list(trust, i, path, detail);
	}
	// Were the two the same, "neither can stand in for the other" would be empty.
	if (status == CERTS_OK &&
	    EVP_PKEY_eq(X509_get0_pubkey(trust->authorities[AUTHORITY_SYSTEMS].certificate),
			X509_get0_pubkey(trust->authorities[AUTHORITY_STAFF].certificate)) != 0)
		status = certificate_refuse(detail, CERTS_CHAIN, directory,
					    "systems-ca and staff-ca have the same key");
	if (status == CERTS_OK && !make_store(trust))
		status = certificate_refuse(detail, CERTS_LIBRARY, directory, NULL);
	if (status != CERTS_OK) {
		trust_free(trust);
		return status;
	}
	*ret = trust;
	return CERTS_OK;
}

static enum certs_status check_others(const struct trust *trust, const struct trust *next, const char *place,
				      char detail[CERTS_DETAIL_BYTES])
{
	for (size_t i = 0; i < AUTHORITIES; i++)
		for (size_t k = 0; k < AUTHORITIES; k++)
			if (EVP_PKEY_eq(X509_get0_pubkey(trust->authorities[i].certificate),
					X509_get0_pubkey(next->authorities[k].certificate)) != 0)
				return certificate_refuse(detail, CERTS_CHAIN, place,
							  "it has an authority's key in common with the present one");
	return CERTS_OK;
}

enum certs_status trust_check_others(const char *directory, const char *next_directory, char detail[CERTS_DETAIL_BYTES])
{
	struct trust *trust = NULL, *next = NULL;
	enum certs_status status = load_generation(directory, &trust, detail);
	if (status == CERTS_OK)
		status = load_generation(next_directory, &next, detail);
	if (status == CERTS_OK)
		status = check_others(trust, next, next_directory, detail);
	trust_free(trust);
	trust_free(next);
	return status;
}

enum certs_status trust_load(const char *directory, struct trust **ret, char detail[CERTS_DETAIL_BYTES])
{
	char path[PATH_BYTES];
	struct trust *trust = NULL;
	enum certs_status status = load_generation(directory, &trust, detail);
	if (status != CERTS_OK)
		return status;
	snprintf(path, sizeof path, "%s/" TRUST_NEXT, directory);
	// Half a generation is a broken bundle, and not one without.
	if (access(path, F_OK) == 0) {
		status = load_generation(path, &trust->next, detail);
		if (status == CERTS_OK)
			status = check_others(trust, trust->next, path, detail);
	}
	if (status != CERTS_OK) {
		trust_free(trust);
		return status;
	}
	*ret = trust;
	return CERTS_OK;
}

void trust_free(struct trust *trust)
{
	if (trust == NULL)
		return;
	trust_free(trust->next);
	X509_STORE_free(trust->store);
	for (size_t i = 0; i < AUTHORITIES; i++) {
		X509_free(trust->authorities[i].certificate);
		X509_CRL_free(trust->authorities[i].list);
	}
	free(trust);
}

static enum certs_status status_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return CERTS_NOT_YET_VALID;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return CERTS_EXPIRED;
	case X509_V_ERR_CERT_REVOKED:
		return CERTS_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
		return CERTS_CRL;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
	case X509_V_ERR_AKID_SKID_MISMATCH:
	case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return CERTS_CHAIN;
	case X509_V_ERR_OUT_OF_MEM:
	case X509_V_ERR_UNSPECIFIED:
		return CERTS_LIBRARY;
	default:
		return CERTS_PROFILE;
	}
}

// OpenSSL's part. `*ret_depth` is how far above the certificate the fault is: 0 is the certificate itself.
static enum certs_status verify_chain(const struct trust *trust, X509 *certificate,
				      enum authority_index issuer, uint64_t now_ms, int *ret_depth,
				      const char **ret_why)
{
	X509 *expected = trust->authorities[issuer].certificate;
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	enum certs_status status = CERTS_LIBRARY;
	if (context != NULL && untrusted != NULL && sk_X509_push(untrusted, expected) > 0 &&
	    X509_STORE_CTX_init(context, trust->store, certificate, untrusted) == 1) {
		X509_STORE_CTX_set_time(context, 0, (time_t)(now_ms / 1000));
		bool good = X509_verify_cert(context) == 1;
		int error = X509_STORE_CTX_get_error(context);
		*ret_depth = X509_STORE_CTX_get_error_depth(context);
		*ret_why = X509_verify_cert_error_string(error);
		status = good ? CERTS_OK : status_of(error);
		// The root may sign other things than this one intermediate; they are not what is asked for.
		STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
		if (good && (sk_X509_num(chain) != 3 || X509_cmp(sk_X509_value(chain, 1), expected) != 0)) {
			*ret_why = "not issued by the authority for this kind";
			status = CERTS_CHAIN;
		}
	}
	sk_X509_free(untrusted);
	X509_STORE_CTX_free(context);
	return status;
}

// Which file a fault above the certificate is in. A list at depth n was issued by the authority at n + 1.
static const char *place_above(enum certs_status status, enum authority_index issuer, int depth)
{
	if (status == CERTS_CRL)
		return bundle[depth == 0 ? issuer : AUTHORITY_ROOT].list_file;
	return bundle[depth == 1 ? issuer : AUTHORITY_ROOT].certificate_file;
}

static enum certs_status verify(const struct trust *trust, X509 *certificate, enum certificate_kind kind,
				uint64_t now_ms, const char *place, struct profile_fields *ret,
				char detail[CERTS_DETAIL_BYTES])
{
	enum authority_index issuer = kind == CERTIFICATE_STAFF ? AUTHORITY_STAFF : AUTHORITY_SYSTEMS;
	const char *why = NULL;
	int depth = 0;
	enum certs_status status = verify_chain(trust, certificate, issuer, now_ms, &depth, &why);
	if (status == CERTS_OK) {
		status = profile_read(certificate, kind, ret, &why);
		return status == CERTS_OK ? status : certificate_refuse(detail, status, place, why);
	}
	if ((status == CERTS_CRL || depth > 0) && status != CERTS_CHAIN && status != CERTS_LIBRARY)
		return certificate_refuse(detail, status, place_above(status, issuer, depth), why);
	if (status == CERTS_EXPIRED || status == CERTS_NOT_YET_VALID || status == CERTS_REVOKED) {
		// OpenSSL looks at the list before it looks at the signature: a forgery with a revoked serial
		// gets this far, and must not put a name of its choosing into anybody's log.
		const char *unread;
		if (X509_verify(certificate, X509_get0_pubkey(trust->authorities[issuer].certificate)) != 1)
			return certificate_refuse(detail, CERTS_CHAIN, place,
						  "its signature does not verify");
		enum certs_status read = profile_read(certificate, kind, ret, &unread);
		(void)read; // off-profile besides: `ret` stays zeroed, the first fault is the one reported
		why = NULL;
	}
	return certificate_refuse(detail, status, place, why);
}

// `path` or `der`: where the certificate comes from.
static enum certs_status verify_once(const struct trust *trust, const char *path, const uint8_t *der,
				     size_t der_bytes, enum certificate_kind kind, uint64_t now_ms,
				     struct profile_fields *ret, char detail[CERTS_DETAIL_BYTES])
{
	char place[CERTIFICATE_PLACE_BYTES] = "certificate";
	X509 *certificate = NULL;
	*ret = (struct profile_fields){0};
	enum certs_status status = path != NULL ? certificate_from_file(path, &certificate)
						: certificate_from_der(der, der_bytes, &certificate);
	if (status != CERTS_OK)
		return certificate_refuse(detail, status, path != NULL ? path : place, NULL);
	certificate_place(certificate, place);
	status = verify(trust, certificate, kind, now_ms, path != NULL ? path : place, ret, detail);
	// No key is in both generations, so that a certificate is of one of them at most: the other one says that it did not
	// issue it, and what is told is what the one that did issue it says.
	if (status == CERTS_CHAIN && trust->next != NULL) {
		char next_detail[CERTS_DETAIL_BYTES] = "";
		enum certs_status next = verify(trust->next, certificate, kind, now_ms, path != NULL ? path : place, ret,
						next_detail);
		if (next != CERTS_CHAIN) {
			memcpy(detail, next_detail, sizeof next_detail);
			status = next;
		}
	}
	X509_free(certificate);
	return status;
}

// A library that had no memory for it says the same as of a certificate that does not hold. Before anybody is told so, it is
// looked at again.
static enum certs_status verify_from(const struct trust *trust, const char *path, const uint8_t *der,
				     size_t der_bytes, enum certificate_kind kind, uint64_t now_ms,
				     struct profile_fields *ret, char detail[CERTS_DETAIL_BYTES])
{
	enum certs_status status = verify_once(trust, path, der, der_bytes, kind, now_ms, ret, detail);
	return status == CERTS_OK ? status : verify_once(trust, path, der, der_bytes, kind, now_ms, ret, detail);
}

static enum certs_status verify_system(const struct trust *trust, const char *path, const uint8_t *der,
				       size_t der_bytes, uint64_t now_ms, struct system_identity *ret,
				       char detail[CERTS_DETAIL_BYTES])
{
	struct profile_fields fields;
	enum certs_status status =
		verify_from(trust, path, der, der_bytes, CERTIFICATE_SYSTEM, now_ms, &fields, detail);
	memset(ret, 0, sizeof *ret); // the padding too
	ret->serial = fields.serial;
	ret->not_before_ms = fields.not_before_ms;
	ret->not_after_ms = fields.not_after_ms;
	memcpy(ret->curve_public, fields.public_key, sizeof ret->curve_public);
	memcpy(ret->organisation, fields.subject.organisation, sizeof ret->organisation);
	memcpy(ret->name, fields.subject.name, sizeof ret->name);
	memcpy(ret->web_host, fields.subject.web_host, sizeof ret->web_host);
	return status;
}

enum certs_status trust_verify_system(const struct trust *trust, const uint8_t *der, size_t der_bytes,
				      uint64_t now_ms, struct system_identity *ret,
				      char detail[CERTS_DETAIL_BYTES])
{
	return verify_system(trust, NULL, der, der_bytes, now_ms, ret, detail);
}

enum certs_status trust_verify_system_file(const struct trust *trust, const char *path, uint64_t now_ms,
					   struct system_identity *ret, char detail[CERTS_DETAIL_BYTES])
{
	return verify_system(trust, path, NULL, 0, now_ms, ret, detail);
}

static enum certs_status verify_staff(const struct trust *trust, const char *path, const uint8_t *der,
				      size_t der_bytes, uint64_t now_ms, struct staff_identity *ret,
				      char detail[CERTS_DETAIL_BYTES])
{
	struct profile_fields fields;
	enum certs_status status =
		verify_from(trust, path, der, der_bytes, CERTIFICATE_STAFF, now_ms, &fields, detail);
	memset(ret, 0, sizeof *ret); // the padding too
	ret->serial = fields.serial;
	ret->not_before_ms = fields.not_before_ms;
	ret->not_after_ms = fields.not_after_ms;
	ret->key = fields.key;
	memcpy(ret->uid, fields.subject.uid, sizeof ret->uid);
	memcpy(ret->name, fields.subject.name, sizeof ret->name);
	memcpy(ret->passkey, fields.subject.passkey, sizeof ret->passkey);
	return status;
}

enum certs_status trust_verify_staff(const struct trust *trust, const uint8_t *der, size_t der_bytes,
				     uint64_t now_ms, struct staff_identity *ret,
				     char detail[CERTS_DETAIL_BYTES])
{
	return verify_staff(trust, NULL, der, der_bytes, now_ms, ret, detail);
}

enum certs_status trust_verify_staff_file(const struct trust *trust, const char *path, uint64_t now_ms,
					  struct staff_identity *ret, char detail[CERTS_DETAIL_BYTES])
{
	return verify_staff(trust, path, NULL, 0, now_ms, ret, detail);
}

enum certs_status trust_verify_broker_file(const struct trust *trust, const char *path,
					   const char *broker_name, uint64_t now_ms,
					   struct broker_identity *ret, char detail[CERTS_DETAIL_BYTES])
{
	struct profile_fields fields;
	enum certs_status status =
		verify_from(trust, path, NULL, 0, CERTIFICATE_BROKER, now_ms, &fields, detail);
	if (status == CERTS_OK && strcmp(fields.subject.name, broker_name) != 0) {
		status = certificate_refuse(detail, CERTS_NAME, path, fields.subject.name);
		fields = (struct profile_fields){0};
	}
	memset(ret, 0, sizeof *ret); // the padding too
	ret->serial = fields.serial;
	ret->not_before_ms = fields.not_before_ms;
	ret->not_after_ms = fields.not_after_ms;
	memcpy(ret->curve_public, fields.public_key, sizeof ret->curve_public);
	memcpy(ret->name, fields.subject.name, sizeof ret->name);
	return status;
}

static enum certs_status check_serial(const struct trust *trust, const struct certificate_serial *serial, uint64_t now_ms)
{
	const struct authority *staff = &trust->authorities[AUTHORITY_STAFF];
	X509_REVOKED *entry = NULL;
	if (now_ms < staff->this_update_ms || now_ms >= staff->next_update_ms)
		return CERTS_CRL;
	BIGNUM *number = BN_bin2bn(serial->bytes, (int)serial->bytes_count, NULL);
	ASN1_INTEGER *wanted = number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);
	BN_free(number);
	if (wanted == NULL)
		return CERTS_LIBRARY;
	int found = X509_CRL_get0_by_serial(staff->list, &entry, wanted);
	ASN1_INTEGER_free(wanted);
	return found == 0 ? CERTS_OK : CERTS_REVOKED;
}

// A serial does not say which generation it is of. Serials are 126 random bits: whichever list names one means it. While
// authorities are changed both lists have to be fresh, or somebody revoked in one of them would not be found.
enum certs_status trust_check_staff_serial(const struct trust *trust, const struct certificate_serial *serial,
					   uint64_t now_ms)
{
	enum certs_status status = check_serial(trust, serial, now_ms);
	if (status == CERTS_OK && trust->next != NULL)
		status = check_serial(trust->next, serial, now_ms);
	return status;
}

uint64_t trust_crl_next_update_ms(const struct trust *trust)
{
	uint64_t earliest = UINT64_MAX;
	for (size_t i = 0; i < AUTHORITIES; i++)
		if (trust->authorities[i].next_update_ms < earliest)
			earliest = trust->authorities[i].next_update_ms;
	if (trust->next != NULL && trust_crl_next_update_ms(trust->next) < earliest)
		earliest = trust_crl_next_update_ms(trust->next);
	return earliest;
}
