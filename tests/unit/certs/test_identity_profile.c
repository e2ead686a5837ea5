// What a certificate may hold: each has one thing that the profile of a system's or of staff's has not.
#include <stdio.h>
#include <string.h>

#include "tests/unit/certs/recipe.h"

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

int main(void)
{
	Suite *suite = suite_create("identity_profile");
	TCase *tests = tcase_create("identity_profile");
	tcase_set_timeout(tests, 60);
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
	suite_add_tcase(suite, tests);
	return run_with_authorities(suite);
}
