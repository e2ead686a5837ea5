// What may be wrong with a certificate although its signature is right.
#include "tests/fuzz/forge.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/authority.h"
#include "certs/certificate_priv.h"
#include "certs/issue_priv.h"
#include "certs/key_priv.h"
#include "certs/rotation.h"

enum { ROOT, SYSTEMS, STAFF, STRANGER, ISSUERS };

static struct issuer issuers[ISSUERS];
static char trust_path[80];
static X509 *revoked;

static const char *path_of(const char *name)
{
	static char paths[2][128];
	static unsigned turn;
	char *path = paths[turn++ % 2];
	snprintf(path, sizeof paths[0], "%.64s/%.48s", fuzz_directory(), name);
	return path;
}

void forge_begin(void)
{
	static const char *const names[ISSUERS][2] = {{"ra/trust/root.pem", "ra/private/root.key"},
						      {"ra/trust/systems-ca.pem", "ra/private/systems-ca.key"},
						      {"ra/trust/staff-ca.pem", "ra/private/staff-ca.key"},
						      {"other/trust/staff-ca.pem", "other/private/staff-ca.key"}};
	char detail[CERTS_DETAIL_BYTES];
	FUZZ_MUST(authority_init(path_of("ra"), FORGE_BROKER, "cpis.example/audit", FORGE_NOW_MS - 1000, detail) == CERTS_OK);
	FUZZ_MUST(authority_init(path_of("other"), FORGE_BROKER, "cpis.example/other", FORGE_NOW_MS - 1000, detail) == CERTS_OK);
	for (int i = 0; i < ISSUERS; i++)
		FUZZ_MUST(certificate_from_file(path_of(names[i][0]), &issuers[i].certificate) == CERTS_OK &&
			  signing_key_load(path_of(names[i][1]), &issuers[i].key) == CERTS_OK);
	snprintf(trust_path, sizeof trust_path, "%s", path_of("ra/trust"));
	struct authority_paths paths;
	FUZZ_MUST(authority_issue_staff(path_of("ra"), "555000000002", "Gone", fuzz_directory(), "gone", 9, FORGE_NOW_MS - 1000, &paths,
					detail) == CERTS_OK &&
		  authority_revoke(path_of("ra"), paths.certificate, FORGE_NOW_MS - 1000, detail) == CERTS_OK &&
		  certificate_from_file(paths.certificate, &revoked) == CERTS_OK);
}

void forge_adopt(void)
{
	char detail[CERTS_DETAIL_BYTES];
	FUZZ_MUST(rotation_adopt(trust_path, path_of("other/trust"), FORGE_NOW_MS, detail) == CERTS_OK);
}

const char *forge_trust(void)
{
	return trust_path;
}

const char *forge_pem(const char *label, const uint8_t *data, size_t bytes)
{
	char *text = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	int written = bio == NULL ? -1 : PEM_write_bio(bio, label, "", data, (long)bytes);
	FUZZ_MUST(written > 0 || (written == 0 && bytes == 0)); // it counts the bytes
	long text_bytes = BIO_get_mem_data(bio, &text);
	const char *path = fuzz_file(text, (size_t)text_bytes);
	BIO_free(bio);
	return path;
}

// ------------------------------------------------------------------ changes

// As OpenSSL's configuration writes them. What is not right for a certificate of ours is among them, and what is.
static const struct {
	int nid;
	const char *value;
} values[] = {
	{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
	{NID_basic_constraints, "critical,CA:TRUE"},
	{NID_basic_constraints, "CA:FALSE"},
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_basic_constraints, "critical,CA:TRUE,pathlen:1"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_key_usage, "critical,keyAgreement"},
	{NID_key_usage, "digitalSignature"},
	{NID_key_usage, "critical,digitalSignature,decipherOnly"},
	{NID_key_usage, "critical,keyCertSign,cRLSign"},
	{NID_ext_key_usage, "critical," PROFILE_ARC ".1"},
	{NID_ext_key_usage, "critical," PROFILE_ARC ".2"},
	{NID_ext_key_usage, PROFILE_ARC ".3"},
	{NID_ext_key_usage, "serverAuth"},
	{NID_ext_key_usage, PROFILE_ARC ".3,clientAuth"},
	{NID_ext_key_usage, PROFILE_ARC ".1,clientAuth"},
	{NID_subject_alt_name, "URI:urn:cpis:staff:555000000001"},
	{NID_subject_alt_name, "URI:urn:cpis:staff:555000000001,URI:urn:cpis:staff:555000000002"},
	{NID_subject_alt_name, "DNS:hospital.example"},
	{NID_subject_alt_name, "IP:127.0.0.1"},
	{NID_name_constraints, "critical,permitted;DNS:.example"},
	{NID_certificate_policies, "critical,1.2.3.4"},
	{NID_delta_crl, "critical,DER:020101"},
	{NID_issuing_distribution_point, "critical,DER:30008400"},
	{NID_authority_key_identifier, "DER:3000"},
	{NID_netscape_comment, "words"},
	{NID_subject_alt_name, "URI:urn:cpis:staff:555000000001,URI:urn:cpis:passkey:AAAA"},
	{NID_subject_alt_name, "URI:urn:cpis:staff:555000000001,URI:urn:cpis:passkey:AB"},
	{NID_subject_alt_name, "URI:urn:cpis:staff:555000000001,DNS:hospital.example"},
	{NID_subject_alt_name, "URI:urn:cpis:system:RXH:Grace%20%C3%96kafor,DNS:hospital.example"},
	{NID_subject_alt_name, "URI:urn:cpis:system:RXH:Grace%20%C3%96kafor,DNS:Hospital.example"},
	{NID_subject_alt_name, "URI:urn:cpis:broker:Grace%20%C3%96kafor,DNS:hospital.example"},
};

static X509_EXTENSION *make_extension(struct fuzz_input *input, X509 *certificate, X509 *issuer)
{
	static const int nids[] = {NID_basic_constraints, NID_key_usage, NID_ext_key_usage, NID_subject_alt_name,
				   NID_subject_key_identifier, NID_authority_key_identifier, NID_crl_number, NID_inhibit_any_policy};
	size_t which = fuzz_byte(input) % (sizeof values / sizeof values[0] + 8), bytes;
	if (which < sizeof values / sizeof values[0]) {
		X509V3_CTX context;
		X509V3_set_ctx_nodb(&context);
		X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
		return X509V3_EXT_conf_nid(NULL, &context, values[which].nid, values[which].value);
	}
	const uint8_t *raw = fuzz_take(input, fuzz_byte(input), &bytes);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	if (value != NULL && ASN1_OCTET_STRING_set(value, raw, (int)bytes) == 1)
		extension = X509_EXTENSION_create_by_NID(NULL, nids[which - sizeof values / sizeof values[0]], fuzz_byte(input) & 1,
							 value);
	ASN1_OCTET_STRING_free(value);
	return extension;
}

static void change_name(struct fuzz_input *input, X509_NAME *name)
{
	static const int nids[] = {NID_commonName, NID_organizationIdentifier, NID_userId, NID_organizationName};
	static const int types[] = {V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_T61STRING, V_ASN1_BMPSTRING};
	uint8_t what = fuzz_byte(input);
	size_t bytes;
	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, what & 1));
	if ((what & 2) != 0)
		return;
	uint8_t how = fuzz_byte(input);
	const uint8_t *text = fuzz_take(input, how >> 4 == 15 ? fuzz_byte(input) : how >> 4, &bytes);
	X509_NAME_add_entry_by_NID(name, nids[how & 3], types[how >> 2 & 3], text, (int)bytes, (what & 4) != 0 ? 0 : -1, 0);
}

static void change_time(struct fuzz_input *input, ASN1_TIME *time)
{
	uint8_t what = fuzz_byte(input);
	size_t bytes;
	if ((what & 1) == 0) {
		ASN1_TIME_set(time, (time_t)(FORGE_NOW_MS / 1000) + ((int)what - 128) * 7200);
		return;
	}
	const uint8_t *raw = fuzz_take(input, what >> 3, &bytes);
	ASN1_STRING_set(time, raw, (int)bytes);
	time->type = (what & 2) != 0 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
}

// SubjectPublicKeyInfo of a point on P-256 (RFC 6979, A.2.5), or of a number of 2048 bits as RSA.
static EVP_PKEY *browsers_key(bool rsa)
{
	static const uint8_t p256[] = {
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07,
		0x03, 0x42, 0x00, 0x04, 0x60, 0xFE, 0xD4, 0xBA, 0x25, 0x5A, 0x9D, 0x31, 0xC9, 0x61, 0xEB, 0x74, 0xC6, 0x35, 0x6D, 0x68, 0xC0, 0x49, 0xB8,
		0x92, 0x3B, 0x61, 0xFA, 0x6C, 0xE6, 0x69, 0x62, 0x2E, 0x60, 0xF2, 0x9F, 0xB6, 0x79, 0x03, 0xFE, 0x10, 0x08, 0xB8, 0xBC, 0x99, 0xA4, 0x1A,
		0xE9, 0xE9, 0x56, 0x28, 0xBC, 0x64, 0xF2, 0xF1, 0xB2, 0x0C, 0x2D, 0x7E, 0x9F, 0x51, 0x77, 0xA3, 0xC2, 0x94, 0xD4, 0x46, 0x22, 0x99};
	static const uint8_t head[] = {0x30, 0x82, 0x01, 0x22, 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
				       0x03, 0x82, 0x01, 0x0F, 0x00, 0x30, 0x82, 0x01, 0x0A, 0x02, 0x82, 0x01, 0x01, 0x00};
	uint8_t number[sizeof head + 256 + 5];
	const unsigned char *at = rsa ? number : p256;
	memset(number, 0xC5, sizeof number);
	memcpy(number, head, sizeof head);
	memcpy(number + sizeof head + 256, "\x02\x03\x01\x00\x01", 5);
	return d2i_PUBKEY(NULL, &at, rsa ? (long)sizeof number : (long)sizeof p256);
}

static void change_key(struct fuzz_input *input, X509 *certificate)
{
	static const int types[] = {EVP_PKEY_ED25519, EVP_PKEY_X25519, EVP_PKEY_X448, EVP_PKEY_ED448};
	uint8_t raw[57], what = fuzz_byte(input);
	memset(raw, what, sizeof raw);
	size_t bytes = what % 4 == 3 ? 57 : what % 4 == 2 ? 56 : 32;
	EVP_PKEY *key = what >= 0xF0 ? browsers_key(what & 1) : EVP_PKEY_new_raw_public_key(types[what % 4], NULL, raw, bytes);
	if (key != NULL)
		X509_set_pubkey(certificate, key);
	EVP_PKEY_free(key);
}

static void change_serial(struct fuzz_input *input, X509 *certificate)
{
	size_t bytes;
	uint8_t how = fuzz_byte(input);
	// The number of one that was revoked.
	if ((how & 64) != 0) {
		X509_set_serialNumber(certificate, X509_get_serialNumber(revoked));
		return;
	}
	const uint8_t *raw = fuzz_take(input, how & 31, &bytes);
	ASN1_INTEGER *serial = X509_get_serialNumber(certificate);
	ASN1_STRING_set(serial, raw, (int)bytes);
	serial->type = (how & 32) != 0 ? V_ASN1_NEG_INTEGER : V_ASN1_INTEGER;
}

// Until the input says 0, or ends.
static void change_certificate(struct fuzz_input *input, X509 *certificate, X509 *issuer)
{
	X509_EXTENSION *extension;
	for (uint8_t change; (change = fuzz_byte(input)) != 0;)
		switch (change % 8) {
		case 1:
			X509_EXTENSION_free(X509_delete_ext(certificate, fuzz_byte(input) % 8));
			break;
		case 2:
			extension = make_extension(input, certificate, issuer);
			// In place of the one that is there, or beside it.
			if (extension != NULL && (change & 8) == 0)
				X509_EXTENSION_free(X509_delete_ext(certificate, X509_get_ext_by_OBJ(certificate,
						    X509_EXTENSION_get_object(extension), -1)));
			if (extension != NULL)
				X509_add_ext(certificate, extension, -1);
			X509_EXTENSION_free(extension);
			break;
		case 3:
			change_name(input, X509_get_subject_name(certificate));
			break;
		case 4:
			change_time(input, (change & 8) != 0 ? X509_getm_notBefore(certificate) : X509_getm_notAfter(certificate));
			break;
		case 5:
			change_key(input, certificate);
			break;
		case 6:
			change_serial(input, certificate);
			break;
		case 7:
			X509_set_version(certificate, fuzz_byte(input) & 3);
			break;
		default:
			X509_EXTENSION_set_critical(X509_get_ext(certificate, fuzz_byte(input) % 8), change & 1);
			break;
		}
}

// ------------------------------------------------------------------ things

static const struct issue_dates dates = {FORGE_NOW_MS - 1000, FORGE_NOW_MS + 86400000u};

uint8_t *forge_certificate(struct fuzz_input *input, size_t *ret_bytes)
{
	static const struct profile_subject subject = {
		.organisation = "RXH", .uid = "555000000001", .name = "Grace \xc3\x96kafor"};
	static const uint8_t key[KEY_BYTES] = {9};
	uint8_t how = fuzz_byte(input);
	enum certificate_kind kind = how % 4;
	uint8_t *der = NULL;
	X509 *certificate = NULL;
	const struct issuer *issuer = &issuers[kind == CERTIFICATE_STAFF ? STAFF : SYSTEMS];
	if (how >> 4 != 0)
		issuer = &issuers[(how >> 4) % ISSUERS];
	enum certs_status status = kind == CERTIFICATE_AUTHORITY
					   ? issue_authority("cpis staff CA", issuers[STAFF].key, how >> 2 & 1, &issuers[ROOT], dates, &certificate)
					   : issue_certificate(kind, &subject, key, issuer, dates, &certificate);
	FUZZ_MUST(status == CERTS_OK);
	change_certificate(input, certificate, issuer->certificate);
	// By the authority that it names, or by another.
	const struct signing_key *signer = issuers[(how & 8) != 0 ? STRANGER : (size_t)(issuer - issuers)].key;
	int bytes = X509_sign(certificate, signing_key_evp(kind == CERTIFICATE_AUTHORITY ? issuers[ROOT].key : signer), NULL) > 0
			    ? i2d_X509(certificate, &der)
			    : -1;
	X509_free(certificate);
	*ret_bytes = bytes > 0 ? (size_t)bytes : 0;
	return bytes > 0 ? der : NULL;
}

uint8_t *forge_list(struct fuzz_input *input, size_t *ret_bytes)
{
	uint8_t how = fuzz_byte(input), *der = NULL;
	const struct issuer *issuer = &issuers[how % ISSUERS];
	X509_CRL *list = NULL;
	FUZZ_MUST(issue_list(NULL, issuers[STRANGER].certificate, FORGE_NOW_MS, issuer, dates, &list) == CERTS_OK);
	for (uint8_t change; (change = fuzz_byte(input)) != 0;) {
		ASN1_TIME *time = ASN1_TIME_new();
		X509_EXTENSION *extension = NULL;
		switch (change % 4) {
		case 1:
			X509_EXTENSION_free(X509_CRL_delete_ext(list, fuzz_byte(input) & 1));
			break;
		case 2:
			extension = make_extension(input, NULL, issuer->certificate);
			if (extension != NULL)
				X509_CRL_add_ext(list, extension, -1);
			X509_EXTENSION_free(extension);
			break;
		case 3:
			X509_CRL_set_version(list, fuzz_byte(input) & 3);
			break;
		default:
			change_time(input, time);
			if ((change & 4) != 0)
				X509_CRL_set1_lastUpdate(list, time);
			else
				X509_CRL_set1_nextUpdate(list, time);
			break;
		}
		ASN1_TIME_free(time);
	}
	int bytes = X509_CRL_sign(list, signing_key_evp(issuers[(how & 4) != 0 ? STRANGER : how % ISSUERS].key), NULL) > 0
			    ? i2d_X509_CRL(list, &der)
			    : -1;
	X509_CRL_free(list);
	*ret_bytes = bytes > 0 ? (size_t)bytes : 0;
	return bytes > 0 ? der : NULL;
}

uint8_t *forge_request(struct fuzz_input *input, size_t *ret_bytes)
{
	uint8_t how = fuzz_byte(input), *der = NULL;
	EVP_PKEY *key = signing_key_evp(issuers[STRANGER].key);
	X509_REQ *request = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	FUZZ_MUST(request != NULL && name != NULL && extensions != NULL);
	X509_NAME_add_entry_by_NID(name, NID_userId, V_ASN1_UTF8STRING, (const uint8_t *)"555000000001", -1, -1, 0);
	X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING, (const uint8_t *)"Grace", -1, -1, 0);
	if ((how & 1) != 0)
		change_name(input, name);
	if ((how & 2) == 0)
		sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "URI:urn:cpis:staff:555000000001"));
	for (uint8_t more = how >> 6; more > 0; more--) {
		X509_EXTENSION *extension = make_extension(input, NULL, issuers[STAFF].certificate);
		if (extension != NULL)
			sk_X509_EXTENSION_push(extensions, extension);
	}
	X509_REQ_set_subject_name(request, name);
	X509_REQ_set_pubkey(request, (how & 4) != 0 ? X509_get0_pubkey(issuers[ROOT].certificate) : key);
	if (sk_X509_EXTENSION_num(extensions) > 0)
		X509_REQ_add_extensions(request, extensions);
	if ((how & 8) != 0)
		X509_REQ_add1_attr_by_NID(request, NID_pkcs9_challengePassword, V_ASN1_UTF8STRING, (const uint8_t *)"secret", 6);
	int bytes = X509_REQ_sign(request, (how & 16) != 0 ? signing_key_evp(issuers[ROOT].key) : key, NULL) > 0
			    ? i2d_X509_REQ(request, &der)
			    : -1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_NAME_free(name);
	X509_REQ_free(request);
	*ret_bytes = bytes > 0 ? (size_t)bytes : 0;
	return bytes > 0 ? der : NULL;
}
