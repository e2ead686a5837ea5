// The trust bundle and its revocation lists: incomplete, mixed up, forged, out of date; and who is revoked.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "tests/unit/certs/recipe.h"

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

int main(void)
{
	Suite *suite = suite_create("identity_lists");
	TCase *tests = tcase_create("identity_lists");
	tcase_set_timeout(tests, 60);
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
	suite_add_tcase(suite, tests);
	return run_with_authorities(suite);
}
