// Throw-away authorities, and what is signed by them.
#include "tests/harness/suite.h"
#include "tests/unit/certs/recipe.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/rand.h>

static char directory[] = "/tmp/cpis-identity-XXXXXX";
char detail[CERTS_DETAIL_BYTES];
struct trust *trust;
struct authority_paths system_paths, staff_paths;

// A place under the test's directory; several may be in use at once.
const char *at(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", directory, name);
	return path;
}

// ------------------------------------------------------------------ building certificates

struct recipe system_recipe(void)
{
	return (struct recipe){
		.home = "home",
		.issuer = "systems-ca",
		.signer = "systems-ca",
		.key_type = EVP_PKEY_X25519,
		.subject = {{NID_organizationIdentifier, "RXH"}, {NID_commonName, "ed-record-system"}},
		.constraints = "critical,CA:FALSE",
		.usage = "critical,keyAgreement",
		.purpose = "critical," ARC ".1",
		.alternative = "URI:urn:cpis:system:RXH:ed-record-system",
		.version = X509_VERSION_3,
		.from_ms = NOW,
		.until_ms = NOW + DAY,
	};
}

struct recipe staff_recipe(void)
{
	struct recipe recipe = system_recipe();
	recipe.issuer = recipe.signer = "staff-ca";
	recipe.key_type = EVP_PKEY_ED25519;
	recipe.subject[0] = (struct attribute){NID_userId, "555000000001"};
	recipe.subject[1] = (struct attribute){NID_commonName, "Grace Okafor"};
	recipe.usage = "critical,digitalSignature";
	recipe.purpose = "critical," ARC ".3";
	recipe.alternative = "URI:urn:cpis:staff:555000000001";
	return recipe;
}

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_ptr_nonnull(certificate);
	return certificate;
}

X509 *authority_certificate(const char *home, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "%s/trust/%s.pem", home, name);
	return read_certificate(at(path));
}

EVP_PKEY *authority_key(const char *home, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "%s/private/%s.key", home, name);
	FILE *file = fopen(at(path), "re");
	ck_assert_ptr_nonnull(file);
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_ptr_nonnull(key);
	return key;
}

void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	if (value == NULL)
		return;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

void extend_unknown(X509 *certificate, const char *oid, bool critical)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2);
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, value);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
}

static void put_serial(X509 *certificate, const struct certificate_serial *serial)
{
	uint8_t bytes[16];
	RAND_bytes(bytes, sizeof bytes);
	bytes[0] = 0x41;
	BIGNUM *number = serial == NULL ? BN_bin2bn(bytes, sizeof bytes, NULL)
					: BN_bin2bn(serial->bytes, (int)serial->bytes_count, NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
}

static EVP_PKEY *new_key(int type)
{
	if (type == EVP_PKEY_EC)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	return EVP_PKEY_Q_keygen(NULL, NULL, type == EVP_PKEY_X25519 ? "X25519" : "ED25519");
}

X509 *build(const struct recipe *recipe)
{
	X509 *certificate = X509_new(), *issuer = authority_certificate(recipe->home, recipe->issuer);
	EVP_PKEY *signer = authority_key(recipe->home, recipe->signer), *key = new_key(recipe->key_type);
	ck_assert_int_eq(X509_set_version(certificate, recipe->version), 1);
	put_serial(certificate, recipe->serial);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(recipe->from_ms / 1000));
	ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(recipe->until_ms / 1000));
	ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
	for (size_t i = 0; i < 4 && recipe->subject[i].value != NULL; i++)
		ck_assert_int_eq(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate),
							    recipe->subject[i].nid, V_ASN1_UTF8STRING,
							    (const unsigned char *)recipe->subject[i].value,
							    -1, -1, 0),
				 1);
	extend(certificate, issuer, NID_basic_constraints, recipe->constraints);
	extend(certificate, issuer, NID_key_usage, recipe->usage);
	extend(certificate, issuer, NID_ext_key_usage, recipe->purpose);
	extend(certificate, issuer, NID_subject_alt_name, recipe->alternative);
	if (!recipe->without_identifiers) {
		extend(certificate, issuer, NID_subject_key_identifier, "hash");
		extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
	}
	if (recipe->extra_oid != NULL)
		extend_unknown(certificate, recipe->extra_oid, recipe->extra_critical);
	ck_assert_int_gt(X509_sign(certificate, signer, NULL), 0);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	X509_free(issuer);
	return certificate;
}

struct der der_of(X509 *certificate)
{
	struct der der;
	unsigned char *to = der.bytes;
	int count = i2d_X509(certificate, NULL);
	ck_assert_int_lt(count, DER_MAX);
	ck_assert_int_eq(i2d_X509(certificate, &to), count);
	der.count = (size_t)count;
	X509_free(certificate);
	return der;
}

struct der make(struct recipe recipe)
{
	return der_of(build(&recipe));
}

struct der der_of_file(const char *path)
{
	return der_of(read_certificate(path));
}

// ------------------------------------------------------------------ verifying and refusing

bool all_zero(const void *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (((const uint8_t *)data)[i] != 0)
			return false;
	return true;
}

enum certs_status verify_system(const struct der *der, uint64_t now_ms, struct system_identity *ret)
{
	memset(ret, 0xEE, sizeof *ret);
	snprintf(detail, sizeof detail, "unsaid");
	return trust_verify_system(trust, der->bytes, der->count, now_ms, ret, detail);
}

enum certs_status verify_staff(const struct der *der, uint64_t now_ms, struct staff_identity *ret)
{
	memset(ret, 0xEE, sizeof *ret);
	snprintf(detail, sizeof detail, "unsaid");
	return trust_verify_staff(trust, der->bytes, der->count, now_ms, ret, detail);
}

void assert_refused(enum certs_status status, enum certs_status expected, const void *identity,
			   size_t bytes)
{
	ck_assert_msg(status == expected, "expected %s: %s", certs_status_text(expected), detail);
	ck_assert_ptr_nonnull(strstr(detail, certs_status_text(expected)));
	ck_assert(all_zero(identity, bytes));
}

void refuses_system(struct recipe recipe, enum certs_status expected)
{
	struct system_identity identity;
	struct der der = make(recipe);
	enum certs_status status = verify_system(&der, NOW, &identity);
	assert_refused(status, expected, &identity, sizeof identity);
}

void refuses_staff(struct recipe recipe, enum certs_status expected)
{
	struct staff_identity identity;
	struct der der = make(recipe);
	enum certs_status status = verify_staff(&der, NOW, &identity);
	assert_refused(status, expected, &identity, sizeof identity);
}

// ------------------------------------------------------------------ files

void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

void append_file(const char *to, const char *from)
{
	char text[16384];
	FILE *file = fopen(from, "re");
	ck_assert_ptr_nonnull(file);
	size_t bytes = fread(text, 1, sizeof text, file);
	fclose(file);
	file = fopen(to, "ae");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, bytes, file), bytes);
	fclose(file);
}

void copy_file(const char *to, const char *from)
{
	write_text(to, "");
	append_file(to, from);
}

// ------------------------------------------------------------------ running

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static bool make_home(const char *name, const char *out, struct authority_paths *ret_system,
		      struct authority_paths *ret_staff)
{
	return authority_init(at(name), "broker-1", "cpis.example/audit", NOW, detail) == CERTS_OK &&
	       authority_issue_system(at(name), "RXH", "ed-record-system", at(out), "ed", 365, NOW,
				      ret_system, detail) == CERTS_OK &&
	       authority_issue_staff(at(name), "555000000001", "Grace Okafor", at(out), "grace", 365, NOW,
				     ret_staff, detail) == CERTS_OK;
}

static bool set_up(void)
{
	struct authority_paths unused;
	return mkdtemp(directory) != NULL && make_home("home", "out", &system_paths, &staff_paths) &&
	       make_home("stranger", "stranger-out", &unused, &unused) &&
	       make_home("revoked", "revoked-out", &unused, &unused) &&
	       make_home("fallen", "fallen-out", &unused, &unused) &&
	       trust_load(at("home/trust"), &trust, detail) == CERTS_OK;
}

int run_with_authorities(Suite *suite)
{
	if (!set_up()) {
		fprintf(stderr, "%s\n", detail);
		return EXIT_FAILURE;
	}
	int code = suite_run(suite);
	trust_free(trust);
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return code;
}
