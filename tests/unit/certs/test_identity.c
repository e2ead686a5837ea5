// Verifying certificates: who signed them, when and for whom, whole and from files.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/certs/recipe.h"

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

int main(void)
{
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
	tcase_add_test(tests, refuses_every_changed_byte);
	tcase_add_test(tests, refuses_every_shorter_and_every_longer_certificate);
	tcase_add_test(tests, reads_a_certificate_file);
	tcase_add_test(tests, refuses_a_file_that_is_not_one_certificate);
	tcase_add_test(tests, describes_each_kind_of_certificate);
	tcase_add_test(tests, verifies_in_several_threads_at_once);
	tcase_add_test(tests, compares_and_formats_serials);
	tcase_add_test(tests, cuts_a_long_detail_at_a_whole_character);
	suite_add_tcase(suite, tests);
	return run_with_authorities(suite);
}
