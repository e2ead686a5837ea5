// Verifying certificates: bad ones are built here with OpenSSL and signed with the throw-away authorities' own keys,
// so that each differs from a good one in the one thing its test names.
#include "certs/identity.h"

#include <check.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "certs/authority.h"

#define NOW 1795000000000ull // 2026-11-18
#define DAY (24ull * 3600 * 1000)
#define ARC "2.25.185455635316991931809667461232443724531"
#define DER_MAX 4096

static char directory[] = "/tmp/cpis-identity-XXXXXX";
static char detail[CERTS_DETAIL_BYTES];
static struct trust *trust;
static struct authority_paths system_paths, staff_paths;

// A place under the test's directory; several may be in use at once.
static const char *at(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", directory, name);
	return path;
}

// ------------------------------------------------------------------ building certificates

struct attribute {
	int nid;
	const char *value;
};

struct recipe {
	const char *home, *issuer, *signer; // authority's directory, whose name, whose key
	int key_type;
	struct attribute subject[4];
	const char *constraints, *usage, *purpose, *alternative, *extra_oid;
	bool extra_critical, without_identifiers;
	long version;
	uint64_t from_ms, until_ms;
	const struct certificate_serial *serial;
};

struct der {
	uint8_t bytes[DER_MAX];
	size_t count;
};

static struct recipe system_recipe(void)
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

static struct recipe staff_recipe(void)
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

static X509 *authority_certificate(const char *home, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "%s/trust/%s.pem", home, name);
	return read_certificate(at(path));
}

static EVP_PKEY *authority_key(const char *home, const char *name)
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

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
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

static void extend_unknown(X509 *certificate, const char *oid, bool critical)
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

static X509 *build(const struct recipe *recipe)
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

static struct der der_of(X509 *certificate)
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

static struct der make(struct recipe recipe)
{
	return der_of(build(&recipe));
}

static struct der der_of_file(const char *path)
{
	return der_of(read_certificate(path));
}

// ------------------------------------------------------------------ verifying and refusing

static bool all_zero(const void *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (((const uint8_t *)data)[i] != 0)
			return false;
	return true;
}

static enum certs_status verify_system(const struct der *der, uint64_t now_ms, struct system_identity *ret)
{
	memset(ret, 0xEE, sizeof *ret);
	snprintf(detail, sizeof detail, "unsaid");
	return trust_verify_system(trust, der->bytes, der->count, now_ms, ret, detail);
}

static enum certs_status verify_staff(const struct der *der, uint64_t now_ms, struct staff_identity *ret)
{
	memset(ret, 0xEE, sizeof *ret);
	snprintf(detail, sizeof detail, "unsaid");
	return trust_verify_staff(trust, der->bytes, der->count, now_ms, ret, detail);
}

static void assert_refused(enum certs_status status, enum certs_status expected, const void *identity,
			   size_t bytes)
{
	ck_assert_msg(status == expected, "expected %s: %s", certs_status_text(expected), detail);
	ck_assert_ptr_nonnull(strstr(detail, certs_status_text(expected)));
	ck_assert(all_zero(identity, bytes));
}

static void refuses_system(struct recipe recipe, enum certs_status expected)
{
	struct system_identity identity;
	struct der der = make(recipe);
	enum certs_status status = verify_system(&der, NOW, &identity);
	assert_refused(status, expected, &identity, sizeof identity);
}

static void refuses_staff(struct recipe recipe, enum certs_status expected)
{
	struct staff_identity identity;
	struct der der = make(recipe);
	enum certs_status status = verify_staff(&der, NOW, &identity);
	assert_refused(status, expected, &identity, sizeof identity);
}

START_TEST(accepts_the_system_certificate_that_the_recipe_makes)
{
	struct system_identity identity;
	struct der der = make(system_recipe());
	ck_assert_msg(verify_system(&der, NOW, &identity) == CERTS_OK, "%s", detail);
	ck_assert_str_eq(identity.organisation, "RXH");
	ck_assert_str_eq(identity.name, "ed-record-system");
	ck_assert_uint_eq(identity.not_before_ms, NOW);
	ck_assert_uint_eq(identity.not_after_ms, NOW + DAY);
	ck_assert_uint_eq(identity.serial.bytes_count, 16);
	ck_assert(!all_zero(identity.curve_public, KEY_BYTES));
}
END_TEST

START_TEST(accepts_the_staff_certificate_that_the_recipe_makes)
{
	struct staff_identity identity;
	struct der der = make(staff_recipe());
	ck_assert_msg(verify_staff(&der, NOW, &identity) == CERTS_OK, "%s", detail);
	ck_assert_str_eq(identity.uid, "555000000001");
	ck_assert_str_eq(identity.name, "Grace Okafor");
}
END_TEST

START_TEST(accepts_an_unknown_extension_that_is_not_critical)
{
	struct system_identity identity;
	struct recipe recipe = system_recipe();
	recipe.extra_oid = "1.2.3.4.5";
	struct der der = make(recipe);
	ck_assert_msg(verify_system(&der, NOW, &identity) == CERTS_OK, "%s", detail);
}
END_TEST

START_TEST(is_good_from_its_first_moment_to_before_its_last)
{
	struct system_identity identity;
	struct der der = make(system_recipe());
	ck_assert_int_eq(verify_system(&der, NOW - 1, &identity), CERTS_NOT_YET_VALID);
	ck_assert_int_eq(verify_system(&der, NOW, &identity), CERTS_OK);
	ck_assert_int_eq(verify_system(&der, NOW + DAY - 1, &identity), CERTS_OK);
	ck_assert_int_eq(verify_system(&der, NOW + DAY, &identity), CERTS_EXPIRED);
}
END_TEST

START_TEST(names_whom_it_refuses_for_the_date)
{
	struct system_identity system;
	struct staff_identity staff;
	struct der der = make(system_recipe());
	ck_assert_int_eq(verify_system(&der, NOW + DAY, &system), CERTS_EXPIRED);
	ck_assert_str_eq(system.name, "ed-record-system");
	ck_assert_str_eq(detail, "certificate of ed-record-system: the certificate has expired");
	ck_assert_int_eq(verify_system(&der, NOW - 1, &system), CERTS_NOT_YET_VALID);
	ck_assert_str_eq(system.organisation, "RXH");
	der = make(staff_recipe());
	ck_assert_int_eq(verify_staff(&der, NOW + DAY, &staff), CERTS_EXPIRED);
	ck_assert_str_eq(staff.uid, "555000000001");
}
END_TEST

START_TEST(refuses_a_staff_certificate_as_a_systems_and_the_reverse)
{
	refuses_system(staff_recipe(), CERTS_CHAIN);
	refuses_staff(system_recipe(), CERTS_CHAIN);
}
END_TEST

START_TEST(refuses_a_certificate_from_the_other_authority)
{
	struct recipe recipe = system_recipe();
	recipe.issuer = recipe.signer = "staff-ca";
	refuses_system(recipe, CERTS_CHAIN);
	recipe = staff_recipe();
	recipe.issuer = recipe.signer = "systems-ca";
	refuses_staff(recipe, CERTS_CHAIN);
}
END_TEST

START_TEST(refuses_a_certificate_straight_from_the_root)
{
	struct recipe recipe = system_recipe();
	recipe.issuer = recipe.signer = "root";
	refuses_system(recipe, CERTS_CHAIN);
}
END_TEST

START_TEST(refuses_a_certificate_from_another_root)
{
	struct recipe recipe = system_recipe();
	recipe.home = "stranger";
	refuses_system(recipe, CERTS_CHAIN);
	recipe = staff_recipe();
	recipe.home = "stranger";
	refuses_staff(recipe, CERTS_CHAIN);
}
END_TEST

START_TEST(refuses_a_signature_by_another_key_in_its_authoritys_name)
{
	struct recipe recipe = system_recipe();
	recipe.signer = "staff-ca";
	refuses_system(recipe, CERTS_CHAIN);
}
END_TEST

START_TEST(refuses_an_authoritys_own_certificate)
{
	struct system_identity system;
	struct staff_identity staff;
	struct der der = der_of_file(at("home/trust/systems-ca.pem"));
	assert_refused(verify_system(&der, NOW, &system), CERTS_CHAIN, &system, sizeof system);
	der = der_of_file(at("home/trust/staff-ca.pem"));
	assert_refused(verify_staff(&der, NOW, &staff), CERTS_CHAIN, &staff, sizeof staff);
	der = der_of_file(at("home/trust/root.pem"));
	assert_refused(verify_system(&der, NOW, &system), CERTS_CHAIN, &system, sizeof system);
}
END_TEST

START_TEST(refuses_the_brokers_certificate_as_a_systems_and_the_reverse)
{
	struct system_identity system;
	struct broker_identity broker;
	struct der der = der_of_file(at("home/broker/broker.pem"));
	assert_refused(verify_system(&der, NOW, &system), CERTS_PURPOSE, &system, sizeof system);
	enum certs_status status = trust_verify_broker_file(trust, system_paths.certificate,
							    "ed-record-system", NOW, &broker, detail);
	assert_refused(status, CERTS_PURPOSE, &broker, sizeof broker);
}
END_TEST

START_TEST(refuses_a_broker_of_another_name)
{
	struct broker_identity broker;
	const char *path = at("home/broker/broker.pem");
	ck_assert_int_eq(trust_verify_broker_file(trust, path, "broker-1", NOW, &broker, detail), CERTS_OK);
	ck_assert_str_eq(broker.name, "broker-1");
	enum certs_status status = trust_verify_broker_file(trust, path, "broker-2", NOW, &broker, detail);
	assert_refused(status, CERTS_NAME, &broker, sizeof broker);
	ck_assert_int_eq(trust_verify_broker_file(trust, path, "broker-1", NOW + 826 * DAY, &broker, detail),
			 CERTS_CRL);
}
END_TEST

START_TEST(refuses_another_extended_key_usage_or_none)
{
	static const char *const purposes[] = {
		NULL,         "critical," ARC ".2", "critical," ARC ".3", "critical," ARC ".4",
		"clientAuth", "anyExtendedKeyUsage"};
	for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
		struct recipe recipe = system_recipe();
		recipe.purpose = purposes[i];
		refuses_system(recipe, CERTS_PURPOSE);
	}
}
END_TEST

START_TEST(refuses_more_than_one_extended_key_usage)
{
	struct recipe recipe = system_recipe();
	recipe.purpose = "critical," ARC ".1," ARC ".2";
	refuses_system(recipe, CERTS_PROFILE);
	recipe.purpose = ARC ".1,clientAuth";
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_two_ods_codes)
{
	struct recipe recipe = system_recipe();
	recipe.subject[2] = (struct attribute){NID_organizationIdentifier, "383"};
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_a_subject_with_something_missing_or_more)
{
	struct recipe recipe = system_recipe();
	recipe.subject[2] = (struct attribute){NID_organizationalUnitName, "ED"};
	refuses_system(recipe, CERTS_PROFILE);
	recipe = system_recipe();
	recipe.subject[0] = (struct attribute){NID_organizationName, "RXH"};
	refuses_system(recipe, CERTS_PROFILE);
	recipe = system_recipe();
	recipe.subject[1] = (struct attribute){0};
	refuses_system(recipe, CERTS_PROFILE);
	recipe = system_recipe();
	recipe.subject[2] = (struct attribute){NID_commonName, "ed-record-system"};
	refuses_system(recipe, CERTS_PROFILE);
	recipe = staff_recipe();
	recipe.subject[2] = (struct attribute){NID_userId, "555000000002"};
	refuses_staff(recipe, CERTS_PROFILE);
	recipe = staff_recipe();
	recipe.subject[0] = (struct attribute){NID_serialNumber, "555000000001"};
	refuses_staff(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_an_ods_code_that_is_none)
{
	static const char *const codes[] = {"RX", "rxh", "RX H", "RXHRXHRXHRXHR", "R\xC3\x89H"};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		struct recipe recipe = system_recipe();
		recipe.subject[0].value = codes[i];
		refuses_system(recipe, CERTS_PROFILE);
	}
}
END_TEST

START_TEST(refuses_a_uid_that_is_none)
{
	static const char *const uids[] = {"55500000000", "5550000000011", "55500000000x", "urn:123456:2"};
	for (size_t i = 0; i < sizeof uids / sizeof uids[0]; i++) {
		char uri[64];
		struct recipe recipe = staff_recipe();
		snprintf(uri, sizeof uri, "URI:urn:cpis:staff:%s", uids[i]);
		recipe.subject[0].value = uids[i];
		recipe.alternative = uri;
		refuses_staff(recipe, CERTS_PROFILE);
	}
}
END_TEST

// OpenSSL would not write such a name, so its bytes are put into the finished certificate, which is signed again.
static void replace_and_sign(struct der *der, const char *old, const char *new)
{
	size_t signature_bytes = 64, old_bytes = strlen(old);
	// Certificate and TBSCertificate are both SEQUENCEs with two bytes of length.
	size_t tbs_bytes = 4 + ((size_t)der->bytes[6] << 8 | der->bytes[7]);
	uint8_t *found = memmem(der->bytes, der->count, old, old_bytes);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(strlen(new), old_bytes);
	memcpy(found, new, old_bytes);
	EVP_PKEY *key = authority_key("home", "staff-ca");
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	ck_assert_int_eq(EVP_DigestSignInit(context, NULL, NULL, NULL, key), 1);
	ck_assert_int_eq(EVP_DigestSign(context, der->bytes + der->count - 64, &signature_bytes,
					der->bytes + 4, tbs_bytes),
			 1);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

START_TEST(refuses_a_name_that_is_not_clean)
{
	// Malformed UTF-8 does not even parse.
	static const struct {
		const char *name;
		enum certs_status status;
	} cases[] = {
		{" Grace", CERTS_PROFILE},        {"Grace ", CERTS_PROFILE},
		{"Grace\nOkafor", CERTS_PROFILE}, {"Grace\x7F", CERTS_PROFILE},
		{"Grace\x1B[2J", CERTS_PROFILE},  {"\xE2\x80\xAEGrace", CERTS_PROFILE},
		{"\xC2\x85", CERTS_PROFILE},      {"Grace\xC3", CERTS_MALFORMED},
		{"Gr\xC0\x80", CERTS_MALFORMED},  {"Gr\xED\xA0\x80", CERTS_MALFORMED},
		{"Gr\xFF", CERTS_MALFORMED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct staff_identity identity;
		struct recipe recipe = staff_recipe();
		char placeholder[64] = {0};
		memset(placeholder, '#', strlen(cases[i].name));
		recipe.subject[1].value = placeholder;
		struct der der = make(recipe);
		replace_and_sign(&der, placeholder, cases[i].name);
		enum certs_status status = verify_staff(&der, NOW, &identity);
		assert_refused(status, cases[i].status, &identity, sizeof identity);
		for (const char *c = detail; *c != '\0'; c++)
			ck_assert(*c >= ' ' && *c <= '~');
	}
}
END_TEST

START_TEST(refuses_a_name_that_holds_a_nul)
{
	struct staff_identity identity;
	struct recipe recipe = staff_recipe();
	struct der der = make(recipe);
	uint8_t *found = memmem(der.bytes, der.count, "Grace Okafor", 12);
	ck_assert_ptr_nonnull(found);
	found[5] = '\0';
	replace_and_sign(&der, "Grace", "Grace"); // signs what now stands there
	assert_refused(verify_staff(&der, NOW, &identity), CERTS_PROFILE, &identity, sizeof identity);
}
END_TEST

START_TEST(refuses_a_name_beyond_64_bytes)
{
	struct staff_identity identity;
	struct recipe recipe = staff_recipe();
	recipe.subject[1].value = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1234";
	struct der der = make(recipe);
	ck_assert_msg(verify_staff(&der, NOW, &identity) == CERTS_OK, "%s", detail);
	// 64 characters are OpenSSL's own bound; these are 64 in 128 bytes.
	char name[129];
	for (size_t i = 0; i < 64; i++)
		memcpy(name + 2 * i, "\xC3\xA2", 3);
	recipe.subject[1].value = name;
	refuses_staff(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(accepts_a_name_beyond_ascii)
{
	struct staff_identity identity;
	struct recipe recipe = staff_recipe();
	recipe.subject[1].value = "Si\xC3\xA2n O'Neill";
	struct der der = make(recipe);
	ck_assert_msg(verify_staff(&der, NOW, &identity) == CERTS_OK, "%s", detail);
	ck_assert_str_eq(identity.name, "Si\xC3\xA2n O'Neill");
}
END_TEST

START_TEST(refuses_an_authority_flag)
{
	struct recipe recipe = system_recipe();
	recipe.constraints = "critical,CA:TRUE";
	refuses_system(recipe, CERTS_PROFILE);
	recipe.constraints = "critical,CA:TRUE,pathlen:0";
	recipe.usage = "critical,keyAgreement,keyCertSign";
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_basic_constraints_that_are_missing_or_not_critical)
{
	struct recipe recipe = system_recipe();
	recipe.constraints = NULL;
	refuses_system(recipe, CERTS_PROFILE);
	recipe.constraints = "CA:FALSE";
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_another_key_usage)
{
	static const char *const usages[] = {NULL,
					     "keyAgreement",
					     "critical,digitalSignature",
					     "critical,keyAgreement,digitalSignature",
					     "critical,keyAgreement,decipherOnly",
					     "critical,keyAgreement,encipherOnly"};
	for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
		struct recipe recipe = system_recipe();
		recipe.usage = usages[i];
		refuses_system(recipe, CERTS_PROFILE);
	}
	struct recipe recipe = staff_recipe();
	recipe.usage = "critical,keyAgreement";
	refuses_staff(recipe, CERTS_PROFILE);
	recipe.usage = "critical,digitalSignature,nonRepudiation";
	refuses_staff(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_an_unknown_critical_extension)
{
	struct recipe recipe = system_recipe();
	recipe.extra_oid = "1.2.3.4.5";
	recipe.extra_critical = true;
	refuses_system(recipe, CERTS_PROFILE);
	recipe.extra_oid = "2.5.29.54"; // inhibitAnyPolicy: OpenSSL knows it, the profile does not
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

static struct der signed_again(X509 *certificate)
{
	EVP_PKEY *key = authority_key("home", "systems-ca");
	ck_assert_int_gt(X509_sign(certificate, key, NULL), 0);
	EVP_PKEY_free(key);
	return der_of(certificate);
}

START_TEST(refuses_an_extension_twice)
{
	struct system_identity identity;
	struct recipe recipe = system_recipe();
	X509 *certificate = build(&recipe), *issuer = authority_certificate("home", "systems-ca");
	extend(certificate, issuer, NID_subject_alt_name, "URI:urn:cpis:system:383:case-system");
	struct der der = signed_again(certificate);
	// OpenSSL takes no issuer for a certificate that it finds invalid.
	assert_refused(verify_system(&der, NOW, &identity), CERTS_CHAIN, &identity, sizeof identity);
	recipe.extra_oid = "1.2.3.4.5";
	certificate = build(&recipe);
	extend_unknown(certificate, "1.2.3.4.5", false);
	der = signed_again(certificate);
	assert_refused(verify_system(&der, NOW, &identity), CERTS_PROFILE, &identity, sizeof identity);
	X509_free(issuer);
}
END_TEST

START_TEST(refuses_a_key_of_another_type)
{
	struct recipe recipe = system_recipe();
	recipe.key_type = EVP_PKEY_ED25519;
	refuses_system(recipe, CERTS_WRONG_KEY_TYPE);
	recipe.key_type = EVP_PKEY_EC;
	refuses_system(recipe, CERTS_WRONG_KEY_TYPE);
	recipe = staff_recipe();
	recipe.key_type = EVP_PKEY_X25519;
	refuses_staff(recipe, CERTS_WRONG_KEY_TYPE);
}
END_TEST

START_TEST(refuses_an_alternative_name_that_disagrees_with_the_subject)
{
	static const char *const names[] = {
		NULL,
		"URI:urn:cpis:system:383:ed-record-system",
		"URI:urn:cpis:system:RXH:case-system",
		"URI:urn:cpis:system:RXH:ed-record-system2",
		"URI:urn:cpis:system:RXH:ed-record-syste",
		"URI:urn:cpis:broker:ed-record-system",
		"DNS:ed-record-system",
		"URI:urn:cpis:system:RXH:ed-record-system,URI:urn:cpis:system:383:ed-record-system",
		"URI:urn:cpis:system:RXH:ed-record-system,DNS:ED.example",
		"URI:urn:cpis:system:RXH:ed-record-system,DNS:*.example",
		"URI:urn:cpis:system:RXH:ed-record-system,DNS:ed.example,DNS:other.example",
		"URI:urn:cpis:system:RXH:ed-record-system,IP:192.0.2.1",
		"URI:urn:cpis:system:RXH:ed-record-system,email:ed.example",
		"DNS:ed.example,URI:urn:cpis:system:RXH:ed-record-system",
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct recipe recipe = system_recipe();
		recipe.alternative = names[i];
		refuses_system(recipe, CERTS_PROFILE);
	}
	struct recipe recipe = staff_recipe();
	recipe.alternative = "URI:urn:cpis:staff:555000000002";
	refuses_staff(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_a_certificate_of_version_1)
{
	struct recipe recipe = system_recipe();
	recipe.version = X509_VERSION_1;
	recipe.constraints = recipe.usage = recipe.purpose = recipe.alternative = NULL;
	recipe.without_identifiers = true;
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_a_certificate_without_key_identifiers)
{
	struct recipe recipe = system_recipe();
	recipe.without_identifiers = true;
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_the_serial_number_zero)
{
	static const struct certificate_serial zero = {.bytes_count = 0};
	struct recipe recipe = system_recipe();
	recipe.serial = &zero;
	refuses_system(recipe, CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_every_changed_byte)
{
	struct system_identity identity;
	struct der good = make(system_recipe());
	for (size_t i = 0; i < good.count; i++) {
		struct der der = good;
		der.bytes[i] ^= 0x01;
		ck_assert_int_ne(verify_system(&der, NOW, &identity), CERTS_OK);
		ck_assert(all_zero(&identity, sizeof identity));
	}
}
END_TEST

START_TEST(refuses_every_shorter_and_every_longer_certificate)
{
	struct system_identity identity;
	struct der der = make(system_recipe());
	size_t whole = der.count;
	der.bytes[whole] = 0;
	for (der.count = 0; der.count <= whole + 1; der.count++)
		if (der.count != whole)
			assert_refused(verify_system(&der, NOW, &identity), CERTS_MALFORMED, &identity,
				       sizeof identity);
}
END_TEST

// ------------------------------------------------------------------ files

START_TEST(reads_a_certificate_file)
{
	struct system_identity system;
	struct staff_identity staff;
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	ck_assert_int_eq(trust_verify_system_file(trust, system_paths.certificate, NOW, &system, detail),
			 CERTS_OK);
	ck_assert_int_eq(trust_verify_staff_file(trust, staff_paths.certificate, NOW, &staff, detail),
			 CERTS_OK);
	ck_assert_int_eq(certificate_file_to_der(system_paths.certificate, &der, &der_bytes), CERTS_OK);
	ck_assert_int_eq(trust_verify_system(trust, der, der_bytes, NOW, &system, detail), CERTS_OK);
	free(der);
}
END_TEST

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void append_file(const char *to, const char *from)
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

static void copy_file(const char *to, const char *from)
{
	write_text(to, "");
	append_file(to, from);
}

START_TEST(refuses_a_file_that_is_not_one_certificate)
{
	struct system_identity identity;
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	const char *path = at("file.pem");
	unlink(path);
	ck_assert_int_eq(trust_verify_system_file(trust, path, NOW, &identity, detail), CERTS_CANNOT_READ);
	ck_assert_ptr_nonnull(strstr(detail, path));
	ck_assert_int_eq(certificate_file_to_der(path, &der, &der_bytes), CERTS_CANNOT_READ);
	write_text(path, "no certificate");
	ck_assert_int_eq(trust_verify_system_file(trust, path, NOW, &identity, detail), CERTS_MALFORMED);
	copy_file(path, system_paths.key);
	ck_assert_int_eq(trust_verify_system_file(trust, path, NOW, &identity, detail), CERTS_MALFORMED);
	copy_file(path, system_paths.certificate);
	append_file(path, system_paths.certificate);
	ck_assert_int_eq(trust_verify_system_file(trust, path, NOW, &identity, detail), CERTS_MALFORMED);
	ck_assert_int_eq(certificate_file_to_der(path, &der, &der_bytes), CERTS_MALFORMED);
}
END_TEST

START_TEST(describes_each_kind_of_certificate)
{
	struct certificate_description description;
	ck_assert_int_eq(certificate_describe_file(system_paths.certificate, &description, detail), CERTS_OK);
	ck_assert_int_eq(description.kind, CERTIFICATE_SYSTEM);
	ck_assert_str_eq(description.organisation, "RXH");
	ck_assert_int_eq(certificate_describe_file(staff_paths.certificate, &description, detail), CERTS_OK);
	ck_assert_int_eq(description.kind, CERTIFICATE_STAFF);
	ck_assert_str_eq(description.uid, "555000000001");
	ck_assert_int_eq(certificate_describe_file(at("home/broker/broker.pem"), &description, detail),
			 CERTS_OK);
	ck_assert_int_eq(description.kind, CERTIFICATE_BROKER);
	ck_assert_str_eq(description.name, "broker-1");
	ck_assert_int_eq(certificate_describe_file(at("home/trust/root.pem"), &description, detail),
			 CERTS_OK);
	ck_assert_int_eq(description.kind, CERTIFICATE_AUTHORITY);
	ck_assert_str_eq(description.name, "cpis root");
	ck_assert_int_eq(certificate_describe_file(at("home/trust/root.crl.pem"), &description, detail),
			 CERTS_MALFORMED);
}
END_TEST

// ------------------------------------------------------------------ revocation lists and the bundle

static void copy_bundle(const char *name)
{
	static const char *const files[] = {"root.pem",     "systems-ca.pem",  "staff-ca.pem",
					    "root.crl.pem", "systems.crl.pem", "staff.crl.pem",
					    "log.vkey"};
	char to[128], from[128];
	mkdir(at(name), 0700);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(to, sizeof to, "%s/%s", name, files[i]);
		snprintf(from, sizeof from, "home/trust/%s", files[i]);
		copy_file(at(to), at(from));
	}
}

static enum certs_status load_copy(void)
{
	struct trust *copy = NULL;
	enum certs_status status = trust_load(at("copy"), &copy, detail);
	trust_free(copy);
	return status;
}

START_TEST(loads_a_copy_of_the_bundle)
{
	copy_bundle("copy");
	ck_assert_msg(load_copy() == CERTS_OK, "%s", detail);
	trust_free(NULL);
}
END_TEST

START_TEST(refuses_a_bundle_with_a_missing_list)
{
	static const char *const lists[] = {"copy/root.crl.pem", "copy/systems.crl.pem",
					    "copy/staff.crl.pem"};
	for (size_t i = 0; i < 3; i++) {
		copy_bundle("copy");
		unlink(at(lists[i]));
		ck_assert_int_eq(load_copy(), CERTS_CRL);
		ck_assert_ptr_nonnull(strstr(detail, lists[i] + 5));
	}
}
END_TEST

START_TEST(refuses_a_bundle_with_a_missing_or_malformed_authority)
{
	copy_bundle("copy");
	unlink(at("copy/staff-ca.pem"));
	ck_assert_int_eq(load_copy(), CERTS_CANNOT_READ);
	ck_assert_ptr_nonnull(strstr(detail, "staff-ca.pem"));
	copy_bundle("copy");
	write_text(at("copy/root.pem"), "nothing");
	ck_assert_int_eq(load_copy(), CERTS_MALFORMED);
	copy_bundle("copy");
	copy_file(at("copy/systems-ca.pem"), system_paths.certificate);
	ck_assert_int_eq(load_copy(), CERTS_WRONG_KEY_TYPE);
	copy_file(at("copy/systems-ca.pem"), staff_paths.certificate);
	ck_assert_int_eq(load_copy(), CERTS_PROFILE);
	copy_file(at("copy/systems-ca.pem"), at("home/trust/root.pem"));
	ck_assert_int_eq(load_copy(), CERTS_PROFILE);
}
END_TEST

START_TEST(refuses_a_bundle_with_an_authority_from_another_root)
{
	copy_bundle("copy");
	copy_file(at("copy/staff-ca.pem"), at("stranger/trust/staff-ca.pem"));
	ck_assert_int_eq(load_copy(), CERTS_CHAIN);
	copy_bundle("copy");
	copy_file(at("copy/root.pem"), at("stranger/trust/root.pem"));
	ck_assert_int_eq(load_copy(), CERTS_CHAIN);
}
END_TEST

START_TEST(refuses_a_bundle_with_one_authority_in_both_places)
{
	copy_bundle("copy");
	copy_file(at("copy/staff-ca.pem"), at("home/trust/systems-ca.pem"));
	copy_file(at("copy/staff.crl.pem"), at("home/trust/systems.crl.pem"));
	ck_assert_int_eq(load_copy(), CERTS_CHAIN);
}
END_TEST

START_TEST(refuses_a_bundle_with_another_authoritys_list)
{
	copy_bundle("copy");
	copy_file(at("copy/systems.crl.pem"), at("home/trust/staff.crl.pem"));
	ck_assert_int_eq(load_copy(), CERTS_CRL);
	copy_file(at("copy/systems.crl.pem"), at("stranger/trust/systems.crl.pem"));
	ck_assert_int_eq(load_copy(), CERTS_CRL);
}
END_TEST

// A list of systems-ca, signed by whose key is said.
static void write_list(const char *signer, bool with_end, bool with_critical)
{
	X509_CRL *list = X509_CRL_new();
	X509 *issuer = authority_certificate("home", "systems-ca");
	EVP_PKEY *key = authority_key("home", signer);
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(NOW / 1000)),
		  *until = ASN1_TIME_set(NULL, (time_t)((NOW + DAY) / 1000));
	X509_CRL_set_version(list, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(list, from);
	if (with_end)
		X509_CRL_set1_nextUpdate(list, until);
	if (with_critical) {
		ASN1_INTEGER *base = ASN1_INTEGER_new();
		ASN1_INTEGER_set(base, 1);
		ck_assert_int_eq(X509_CRL_add1_ext_i2d(list, NID_delta_crl, base, 1, 0), 1);
		ASN1_INTEGER_free(base);
	}
	ck_assert_int_gt(X509_CRL_sign(list, key, NULL), 0);
	FILE *file = fopen(at("copy/systems.crl.pem"), "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_X509_CRL(file, list), 1);
	fclose(file);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	EVP_PKEY_free(key);
	X509_free(issuer);
	X509_CRL_free(list);
}

START_TEST(refuses_a_list_signed_by_the_wrong_authority)
{
	copy_bundle("copy");
	write_list("systems-ca", true, false);
	ck_assert_msg(load_copy() == CERTS_OK, "%s", detail);
	write_list("staff-ca", true, false);
	ck_assert_int_eq(load_copy(), CERTS_CRL);
	write_list("root", true, false);
	ck_assert_int_eq(load_copy(), CERTS_CRL);
}
END_TEST

START_TEST(refuses_a_list_without_an_end_and_a_partial_list)
{
	copy_bundle("copy");
	write_list("systems-ca", false, false);
	ck_assert_int_eq(load_copy(), CERTS_CRL);
	write_list("systems-ca", true, true);
	ck_assert_int_eq(load_copy(), CERTS_CRL);
}
END_TEST

START_TEST(refuses_everybody_when_a_list_has_expired)
{
	struct system_identity system;
	struct staff_identity staff;
	static const struct certificate_serial serial = {{1}, 1};
	enum certs_status status =
		trust_verify_system_file(trust, system_paths.certificate, NOW + 30 * DAY, &system, detail);
	assert_refused(status, CERTS_CRL, &system, sizeof system);
	ck_assert_ptr_nonnull(strstr(detail, "systems.crl.pem"));
	status = trust_verify_staff_file(trust, staff_paths.certificate, NOW + 30 * DAY, &staff, detail);
	assert_refused(status, CERTS_CRL, &staff, sizeof staff);
	ck_assert_ptr_nonnull(strstr(detail, "staff.crl.pem"));
	ck_assert_int_eq(trust_check_staff_serial(trust, &serial, NOW + 30 * DAY - 1), CERTS_OK);
	ck_assert_int_eq(trust_check_staff_serial(trust, &serial, NOW + 30 * DAY), CERTS_CRL);
	ck_assert_int_eq(trust_check_staff_serial(trust, &serial, NOW - 2 * DAY), CERTS_CRL);
	ck_assert_uint_eq(trust_crl_next_update_ms(trust), NOW + 30 * DAY);
}
END_TEST

START_TEST(names_the_first_list_to_expire)
{
	struct trust *copy = NULL;
	struct system_identity system;
	copy_bundle("copy");
	write_list("systems-ca", true, false);
	ck_assert_int_eq(trust_load(at("copy"), &copy, detail), CERTS_OK);
	ck_assert_uint_eq(trust_crl_next_update_ms(copy), NOW + DAY);
	ck_assert_int_eq(trust_verify_system_file(copy, system_paths.certificate, NOW + DAY, &system, detail),
			 CERTS_CRL);
	trust_free(copy);
}
END_TEST

START_TEST(refuses_everybody_when_only_the_roots_list_has_expired)
{
	struct trust *stale = NULL;
	struct system_identity system;
	copy_file(at("old.crl.pem"), at("stranger/trust/root.crl.pem"));
	ck_assert_int_eq(authority_refresh_lists(at("stranger"), NOW + 20 * DAY, detail), CERTS_OK);
	copy_file(at("stranger/trust/root.crl.pem"), at("old.crl.pem"));
	ck_assert_int_eq(trust_load(at("stranger/trust"), &stale, detail), CERTS_OK);
	enum certs_status status =
		trust_verify_system_file(stale, at("stranger-out/ed.pem"), NOW + 31 * DAY, &system, detail);
	assert_refused(status, CERTS_CRL, &system, sizeof system);
	ck_assert_ptr_nonnull(strstr(detail, "root.crl.pem"));
	trust_free(stale);
}
END_TEST

static struct trust *load_revoked(void)
{
	struct trust *revoked = NULL;
	ck_assert_int_eq(authority_revoke(at("revoked"), at("revoked-out/ed.pem"), NOW, detail), CERTS_OK);
	ck_assert_int_eq(authority_revoke(at("revoked"), at("revoked-out/grace.pem"), NOW, detail), CERTS_OK);
	ck_assert_int_eq(trust_load(at("revoked/trust"), &revoked, detail), CERTS_OK);
	return revoked;
}

START_TEST(refuses_the_revoked_and_names_them)
{
	struct trust *revoked = load_revoked();
	struct system_identity system;
	struct staff_identity staff;
	static const struct certificate_serial other = {{1}, 1};
	ck_assert_int_eq(trust_verify_system_file(revoked, at("revoked-out/ed.pem"), NOW, &system, detail),
			 CERTS_REVOKED);
	ck_assert_str_eq(system.name, "ed-record-system");
	ck_assert_int_eq(trust_verify_staff_file(revoked, at("revoked-out/grace.pem"), NOW, &staff, detail),
			 CERTS_REVOKED);
	ck_assert_str_eq(staff.uid, "555000000001");
	ck_assert_int_eq(trust_check_staff_serial(revoked, &staff.serial, NOW), CERTS_REVOKED);
	ck_assert_int_eq(trust_check_staff_serial(revoked, &other, NOW), CERTS_OK);
	// A system's serial is no member of staff's.
	ck_assert_int_eq(trust_check_staff_serial(revoked, &system.serial, NOW), CERTS_OK);
	trust_free(revoked);
}
END_TEST

START_TEST(names_nobody_when_a_revoked_or_expired_certificate_is_forged)
{
	struct trust *revoked = load_revoked();
	struct system_identity identity;
	ck_assert_int_eq(trust_verify_system_file(revoked, at("revoked-out/ed.pem"), NOW, &identity, detail),
			 CERTS_REVOKED);
	struct certificate_serial serial = identity.serial;
	struct recipe recipe = system_recipe();
	recipe.home = "revoked";
	recipe.signer = "staff-ca"; // anybody but the authority it names
	recipe.serial = &serial;
	struct der der = make(recipe);
	enum certs_status status = trust_verify_system(revoked, der.bytes, der.count, NOW, &identity, detail);
	assert_refused(status, CERTS_CHAIN, &identity, sizeof identity);
	recipe.serial = NULL;
	recipe.until_ms = NOW + 1000;
	der = make(recipe);
	status = trust_verify_system(revoked, der.bytes, der.count, NOW + DAY, &identity, detail);
	assert_refused(status, CERTS_CHAIN, &identity, sizeof identity);
	trust_free(revoked);
}
END_TEST

START_TEST(refuses_all_systems_when_their_authority_is_revoked)
{
	struct trust *shared = NULL;
	struct system_identity system;
	struct staff_identity staff;
	ck_assert_int_eq(authority_revoke(at("fallen"), at("fallen/trust/systems-ca.pem"), NOW, detail),
			 CERTS_OK);
	ck_assert_int_eq(trust_load(at("fallen/trust"), &shared, detail), CERTS_OK);
	enum certs_status status =
		trust_verify_system_file(shared, at("fallen-out/ed.pem"), NOW, &system, detail);
	assert_refused(status, CERTS_REVOKED, &system, sizeof system);
	ck_assert_ptr_nonnull(strstr(detail, "systems-ca.pem"));
	ck_assert_int_eq(trust_verify_staff_file(shared, at("fallen-out/grace.pem"), NOW, &staff, detail),
			 CERTS_OK);
	trust_free(shared);
}
END_TEST

// ------------------------------------------------------------------ the rest

static void *verify_many(void *argument)
{
	const struct der *ders = argument;
	char own_detail[CERTS_DETAIL_BYTES];
	struct system_identity system;
	struct staff_identity staff;
	for (int i = 0; i < 100; i++)
		if (trust_verify_system(trust, ders[0].bytes, ders[0].count, NOW, &system, own_detail) !=
			    CERTS_OK ||
		    trust_verify_staff(trust, ders[1].bytes, ders[1].count, NOW, &staff, own_detail) !=
			    CERTS_OK ||
		    trust_check_staff_serial(trust, &staff.serial, NOW) != CERTS_OK ||
		    trust_verify_staff(trust, ders[0].bytes, ders[0].count, NOW, &staff, own_detail) !=
			    CERTS_CHAIN)
			return argument;
	return NULL;
}

START_TEST(verifies_in_several_threads_at_once)
{
	struct der ders[2] = {make(system_recipe()), make(staff_recipe())};
	pthread_t threads[4];
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, verify_many, ders), 0);
	for (size_t i = 0; i < 4; i++) {
		void *failed = NULL;
		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
	}
}
END_TEST

START_TEST(compares_and_formats_serials)
{
	static const struct certificate_serial one = {{0x01, 0xAB}, 2}, same = {{0x01, 0xAB}, 2},
					       longer = {{0x01, 0xAB, 0}, 3}, other = {{0x01, 0xAC}, 2};
	char text[2 * SERIAL_BYTES_MAX + 1];
	ck_assert(certificate_serial_equal(&one, &same));
	ck_assert(!certificate_serial_equal(&one, &longer));
	ck_assert(!certificate_serial_equal(&one, &other));
	certificate_serial_format(&one, text);
	ck_assert_str_eq(text, "01ab");
}
END_TEST

START_TEST(cuts_a_long_detail_at_a_whole_character)
{
	char path[300] = "/tmp/";
	struct system_identity identity;
	for (size_t shift = 0; shift < 2; shift++) {
		size_t end = 5;
		for (size_t i = 0; i < shift; i++)
			path[end++] = 'x';
		for (size_t i = 0; i < 100; i++) {
			path[end++] = '\xC3';
			path[end++] = '\xA2';
		}
		path[end] = '\0';
		ck_assert_int_eq(trust_verify_system_file(trust, path, NOW, &identity, detail),
				 CERTS_CANNOT_READ);
		size_t bytes = strlen(detail);
		ck_assert_uint_ge(bytes, CERTS_DETAIL_BYTES - 2);
		ck_assert_int_eq((unsigned char)detail[bytes - 1], 0xA2);
	}
}
END_TEST

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

int main(void)
{
	if (!set_up()) {
		fprintf(stderr, "%s\n", detail);
		return EXIT_FAILURE;
	}
	Suite *suite = suite_create("identity");
	TCase *tests = tcase_create("identity");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, accepts_the_system_certificate_that_the_recipe_makes);
	tcase_add_test(tests, accepts_the_staff_certificate_that_the_recipe_makes);
	tcase_add_test(tests, accepts_an_unknown_extension_that_is_not_critical);
	tcase_add_test(tests, is_good_from_its_first_moment_to_before_its_last);
	tcase_add_test(tests, names_whom_it_refuses_for_the_date);
	tcase_add_test(tests, refuses_a_staff_certificate_as_a_systems_and_the_reverse);
	tcase_add_test(tests, refuses_a_certificate_from_the_other_authority);
	tcase_add_test(tests, refuses_a_certificate_straight_from_the_root);
	tcase_add_test(tests, refuses_a_certificate_from_another_root);
	tcase_add_test(tests, refuses_a_signature_by_another_key_in_its_authoritys_name);
	tcase_add_test(tests, refuses_an_authoritys_own_certificate);
	tcase_add_test(tests, refuses_the_brokers_certificate_as_a_systems_and_the_reverse);
	tcase_add_test(tests, refuses_a_broker_of_another_name);
	tcase_add_test(tests, refuses_another_extended_key_usage_or_none);
	tcase_add_test(tests, refuses_more_than_one_extended_key_usage);
	tcase_add_test(tests, refuses_two_ods_codes);
	tcase_add_test(tests, refuses_a_subject_with_something_missing_or_more);
	tcase_add_test(tests, refuses_an_ods_code_that_is_none);
	tcase_add_test(tests, refuses_a_uid_that_is_none);
	tcase_add_test(tests, refuses_a_name_that_is_not_clean);
	tcase_add_test(tests, refuses_a_name_that_holds_a_nul);
	tcase_add_test(tests, refuses_a_name_beyond_64_bytes);
	tcase_add_test(tests, accepts_a_name_beyond_ascii);
	tcase_add_test(tests, refuses_an_authority_flag);
	tcase_add_test(tests, refuses_basic_constraints_that_are_missing_or_not_critical);
	tcase_add_test(tests, refuses_another_key_usage);
	tcase_add_test(tests, refuses_an_unknown_critical_extension);
	tcase_add_test(tests, refuses_an_extension_twice);
	tcase_add_test(tests, refuses_a_key_of_another_type);
	tcase_add_test(tests, refuses_an_alternative_name_that_disagrees_with_the_subject);
	tcase_add_test(tests, refuses_a_certificate_of_version_1);
	tcase_add_test(tests, refuses_a_certificate_without_key_identifiers);
	tcase_add_test(tests, refuses_the_serial_number_zero);
	tcase_add_test(tests, refuses_every_changed_byte);
	tcase_add_test(tests, refuses_every_shorter_and_every_longer_certificate);
	tcase_add_test(tests, reads_a_certificate_file);
	tcase_add_test(tests, refuses_a_file_that_is_not_one_certificate);
	tcase_add_test(tests, describes_each_kind_of_certificate);
	tcase_add_test(tests, loads_a_copy_of_the_bundle);
	tcase_add_test(tests, refuses_a_bundle_with_a_missing_list);
	tcase_add_test(tests, refuses_a_bundle_with_a_missing_or_malformed_authority);
	tcase_add_test(tests, refuses_a_bundle_with_an_authority_from_another_root);
	tcase_add_test(tests, refuses_a_bundle_with_one_authority_in_both_places);
	tcase_add_test(tests, refuses_a_bundle_with_another_authoritys_list);
	tcase_add_test(tests, refuses_a_list_signed_by_the_wrong_authority);
	tcase_add_test(tests, refuses_a_list_without_an_end_and_a_partial_list);
	tcase_add_test(tests, refuses_everybody_when_a_list_has_expired);
	tcase_add_test(tests, names_the_first_list_to_expire);
	tcase_add_test(tests, refuses_everybody_when_only_the_roots_list_has_expired);
	tcase_add_test(tests, refuses_the_revoked_and_names_them);
	tcase_add_test(tests, names_nobody_when_a_revoked_or_expired_certificate_is_forged);
	tcase_add_test(tests, refuses_all_systems_when_their_authority_is_revoked);
	tcase_add_test(tests, verifies_in_several_threads_at_once);
	tcase_add_test(tests, compares_and_formats_serials);
	tcase_add_test(tests, cuts_a_long_detail_at_a_whole_character);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	trust_free(trust);
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
