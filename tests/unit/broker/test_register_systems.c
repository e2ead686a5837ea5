// Enrolled systems, with real certificates: who is admitted until when, who is not, and what whoever put them there is told.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "certs/authority.h"
#include "tests/harness/suite.h"
#include "tests/unit/broker/register_files.h"

// Enrols a system of `organisation` and tells its key pair and certificate.
static struct curve_key_pair enrol(const char *organisation, const char *name, unsigned days,
				   struct authority_paths *ret_paths)
{
	char detail[CERTS_DETAIL_BYTES] = "", pki[48];
	struct curve_key_pair pair;
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_msg(authority_issue_system(pki, organisation, name, out_directory, name, days, now_ms,
					     ret_paths, detail) == CERTS_OK,
		      "%s", detail);
	ck_assert_int_eq(curve_key_load(ret_paths->key, &pair), CERTS_OK);
	return pair;
}

static void copy_into_enrolled(const char *from, const char *name)
{
	char to[128], buffer[8192];
	snprintf(to, sizeof to, "%s/%s", enrolled_directory, name);
	FILE *source = fopen(from, "r"), *target = fopen(to, "w");
	ck_assert(source != NULL && target != NULL);
	size_t bytes = fread(buffer, 1, sizeof buffer, source);
	ck_assert_uint_eq(fwrite(buffer, 1, bytes, target), bytes);
	ck_assert_int_eq(fclose(source), 0);
	ck_assert_int_eq(fclose(target), 0);
}

// Enrols the certificate a second time, under another serial number: what the authority's tool never does.
static void enrol_again(const char *certificate_path, const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "%s/pki/private/systems-ca.key", directory);
	FILE *key_file = fopen(path, "r"), *certificate_file = fopen(certificate_path, "r");
	ck_assert(key_file != NULL && certificate_file != NULL);
	EVP_PKEY *key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);
	X509 *certificate = PEM_read_X509(certificate_file, NULL, NULL, NULL);
	fclose(key_file);
	fclose(certificate_file);
	ck_assert(key != NULL && certificate != NULL);
	// One bit off keeps it positive, and of the length that the profile asks for.
	ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(certificate));
	ck_assert_ptr_nonnull(serial);
	serial->data[serial->length - 1] ^= 1;
	ck_assert_int_eq(X509_set_serialNumber(certificate, serial), 1);
	ck_assert_int_gt(X509_sign(certificate, key, NULL), 0);
	snprintf(path, sizeof path, "%s/%s", enrolled_directory, name);
	FILE *target = fopen(path, "w");
	ck_assert_ptr_nonnull(target);
	ck_assert_int_eq(PEM_write_X509(target, certificate), 1);
	ck_assert_int_eq(fclose(target), 0);
	ASN1_INTEGER_free(serial);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

START_TEST(an_enrolled_system_is_found_by_its_key)
{
	struct authority_paths issued, second;
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	struct curve_key_pair other = enrol("383", "case-system", 30, &second);
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_int_eq(system->status, CERTS_OK);
	ck_assert_str_eq(system->identity.organisation, "RXH");
	ck_assert_str_eq(system->identity.name, "ward-system");
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	ck_assert_int_eq(certificate_file_to_der(issued.certificate, &der, &der_bytes), CERTS_OK);
	ck_assert_uint_eq(system->certificate_bytes, der_bytes);
	ck_assert_mem_eq(system->certificate, der, der_bytes);
	free(der);
	system = register_system(snapshot, other.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_str_eq(system->identity.organisation, "383");
	ck_assert_uint_eq(register_systems_count(snapshot), 2);
	key.public_key[0] ^= 1;
	ck_assert_ptr_null(register_system(snapshot, key.public_key));
	register_release(snapshot);
}
END_TEST

START_TEST(a_systems_standing_ends_with_its_certificate)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 10, &issued);
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	uint64_t end_ms = system->identity.not_after_ms, start_ms = system->identity.not_before_ms;
	ck_assert_int_eq(register_system_status(system, now_ms), CERTS_OK);
	ck_assert_int_eq(register_system_status(system, end_ms - 1), CERTS_OK);
	ck_assert_int_eq(register_system_status(system, end_ms), CERTS_EXPIRED);
	ck_assert_int_eq(register_system_status(system, start_ms), CERTS_OK);
	ck_assert_int_eq(register_system_status(system, start_ms - 1), CERTS_NOT_YET_VALID);
	register_release(snapshot);
	// Loading judges the same instants alike.
	snapshot = load_at(end_ms - 1);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_OK);
	register_release(snapshot);
	snapshot = load_at(end_ms);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_EXPIRED);
	ck_assert_ptr_null(register_system(snapshot, key.public_key)->certificate);
	ck_assert_int_eq(register_system_status(register_system(snapshot, key.public_key), now_ms),
			 CERTS_EXPIRED);
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	register_release(snapshot);
}
END_TEST

START_TEST(a_revoked_system_is_kept_with_its_status)
{
	struct authority_paths issued;
	char detail[CERTS_DETAIL_BYTES], pki[48];
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_int_eq(authority_revoke(pki, issued.certificate, now_ms, detail), CERTS_OK);
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_int_eq(system->status, CERTS_REVOKED);
	ck_assert_int_eq(register_system_status(system, now_ms), CERTS_REVOKED);
	ck_assert_str_eq(system->identity.name, "ward-system");
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	register_release(snapshot);
}
END_TEST

START_TEST(stale_revocation_lists_leave_no_system_good)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 365, &issued);
	write_register(GOOD);
	struct register_snapshot *snapshot = load_at(now_ms + 40 * DAY_MS);
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	ck_assert_ptr_null(register_system(snapshot, key.public_key));
	register_release(snapshot);
}
END_TEST

static char remarks[65536]; // a line each

static void note_remark(void *count, const char *sentence)
{
	(*(unsigned *)count)++;
	strcat(strcat(remarks, sentence), "\n");
}

static void expect_remarks(const struct register_snapshot *snapshot, unsigned number)
{
	unsigned count = 0;
	remarks[0] = '\0';
	register_remarks(snapshot, note_remark, &count);
	ck_assert_msg(count == number, "%s", remarks);
}

START_TEST(one_bad_certificate_does_not_stop_the_others)
{
	struct authority_paths issued, staff;
	char detail[CERTS_DETAIL_BYTES], pki[48];
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_int_eq(authority_issue_staff(pki, "555000000001", "Test Nurse", out_directory, "nurse", 30,
					       now_ms, &staff, detail),
			 CERTS_OK);
	write_register(GOOD);
	copy_into_enrolled(register_file, "not-a-certificate.pem");
	copy_into_enrolled(staff.certificate, "of-another-use.pem");
	copy_into_enrolled(register_file, ".hidden.pem");
	copy_into_enrolled(register_file, "no-ending");
	struct register_snapshot *snapshot = load_at(now_ms);
	static const uint8_t zero[KEY_BYTES] = {0};
	ck_assert_ptr_null(register_system(snapshot, zero));
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_OK);
	ck_assert_uint_eq(register_systems_count(snapshot), 1);
	// Whoever put them there is told why.
	expect_remarks(snapshot, 2);
	ck_assert_ptr_nonnull(strstr(remarks, "/not-a-certificate.pem is not admitted: it cannot be read, or is no certificate\n"));
	ck_assert_ptr_nonnull(strstr(remarks, "/of-another-use.pem is not admitted: "));
	ck_assert_ptr_nonnull(strstr(remarks, "the certificate was not issued by the right authority"));
	register_release(snapshot);
}
END_TEST

START_TEST(more_bad_certificates_than_anybody_reads_are_counted)
{
	char name[32];
	write_register(GOOD);
	for (unsigned i = 0; i < REGISTER_REMARKS_MAX + 7; i++) {
		snprintf(name, sizeof name, "bad-%03u.pem", i);
		copy_into_enrolled(register_file, name);
	}
	struct register_snapshot *snapshot = load_at(now_ms);
	expect_remarks(snapshot, REGISTER_REMARKS_MAX + 1);
	ck_assert_ptr_nonnull(strstr(remarks, "and 7 more enrolled certificates\n"));
	register_release(snapshot);
}
END_TEST

// All but the one that is looked for are one empty file under other names, which is quick to read.
START_TEST(there_are_16384_certificates_and_not_one_more)
{
	struct authority_paths made;
	struct register_snapshot *snapshot = NULL;
	char first[128], path[128], detail[REGISTER_DETAIL_BYTES] = "", expected[REGISTER_DETAIL_BYTES];
	const struct curve_key_pair pair = enrol("RXH", "last", 30, &made);
	copy_into_enrolled("/dev/null", "a.pem");
	snprintf(first, sizeof first, "%s/a.pem", enrolled_directory);
	write_register(GOOD);
	for (unsigned i = 2; i < REGISTER_SYSTEMS_MAX; i++) {
		snprintf(path, sizeof path, "%s/b%05u.pem", enrolled_directory, i);
		ck_assert_int_eq(link(first, path), 0);
	}
	snapshot = load_at(now_ms);
	ck_assert_uint_eq(register_systems_count(snapshot), 1);
	ck_assert_ptr_nonnull(register_system(snapshot, pair.public_key));
	register_release(snapshot);
	snprintf(path, sizeof path, "%s/b.pem", enrolled_directory);
	ck_assert_int_eq(link(first, path), 0);
	snapshot = NULL;
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	ck_assert_ptr_null(snapshot);
	snprintf(expected, sizeof expected, "%s: more than 16384 certificates", enrolled_directory);
	ck_assert_str_eq(detail, expected);
}
END_TEST

START_TEST(a_copy_of_a_certificate_is_no_second_one)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	copy_into_enrolled(issued.certificate, "copy.pem");
	copy_into_enrolled(issued.certificate, "aaa.pem");
	struct register_snapshot *snapshot = load(GOOD);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_OK);
	ck_assert_uint_eq(register_systems_count(snapshot), 1);
	register_release(snapshot);
}
END_TEST

START_TEST(two_good_certificates_with_one_key_are_both_off_profile)
{
	struct authority_paths issued;
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	enrol_again(issued.certificate, "again.pem");
	struct register_snapshot *snapshot = load(GOOD);
	const struct enrolled_system *system = register_system(snapshot, key.public_key);
	ck_assert_ptr_nonnull(system);
	ck_assert_int_eq(system->status, CERTS_PROFILE);
	ck_assert_int_eq(register_system_status(system, now_ms), CERTS_PROFILE);
	ck_assert_uint_eq(register_systems_count(snapshot), 0);
	expect_remarks(snapshot, 1);
	ck_assert_ptr_nonnull(strstr(remarks, "RXH/ward-system and RXH/"));
	ck_assert_ptr_nonnull(strstr(remarks, "have certificates for one key: neither is admitted\n"));
	register_release(snapshot);
}
END_TEST

START_TEST(a_key_that_was_revoked_stays_so_under_another_certificate)
{
	struct authority_paths issued;
	char detail[CERTS_DETAIL_BYTES], pki[48];
	struct curve_key_pair key = enrol("RXH", "ward-system", 30, &issued);
	enrol_again(issued.certificate, "again.pem");
	snprintf(pki, sizeof pki, "%s/pki", directory);
	ck_assert_int_eq(authority_revoke(pki, issued.certificate, now_ms, detail), CERTS_OK);
	struct register_snapshot *snapshot = load(GOOD);
	ck_assert_int_eq(register_system(snapshot, key.public_key)->status, CERTS_REVOKED);
	// That is how it should be.
	expect_remarks(snapshot, 0);
	register_release(snapshot);
}
END_TEST

START_TEST(the_fingerprint_changes_with_any_file_and_only_then)
{
	struct authority_paths issued;
	char other[160];
	write_register(GOOD);
	uint64_t first = register_fingerprint(&paths);
	ck_assert_uint_ne(first, 0);
	ck_assert_uint_eq(register_fingerprint(&paths), first);
	write_register(GOOD "# more\n");
	uint64_t second = register_fingerprint(&paths);
	ck_assert_uint_ne(second, first);
	enrol("RXH", "new-system", 30, &issued);
	uint64_t third = register_fingerprint(&paths);
	ck_assert_uint_ne(third, second);
	snprintf(other, sizeof other, "%s/ignored.txt", enrolled_directory);
	ck_assert_int_eq(symlink(register_file, other), 0);
	ck_assert_uint_eq(register_fingerprint(&paths), third);
	snprintf(other, sizeof other, "%s/pki", directory);
	char detail[CERTS_DETAIL_BYTES];
	ck_assert_int_eq(authority_revoke(other, issued.certificate, now_ms, detail), CERTS_OK);
	ck_assert_uint_ne(register_fingerprint(&paths), third);
	// A dangling link is one more name, and hides nothing.
	uint64_t fourth = register_fingerprint(&paths);
	snprintf(other, sizeof other, "%s/dangling.pem", enrolled_directory);
	ck_assert_int_eq(symlink("nowhere", other), 0);
	ck_assert_uint_ne(register_fingerprint(&paths), 0);
	ck_assert_uint_ne(register_fingerprint(&paths), fourth);
	unlink(register_file);
	ck_assert_uint_eq(register_fingerprint(&paths), 0);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, the_fingerprint_changes_with_any_file_and_only_then);
	tcase_add_test(tests, an_enrolled_system_is_found_by_its_key);
	tcase_add_test(tests, a_systems_standing_ends_with_its_certificate);
	tcase_add_test(tests, a_revoked_system_is_kept_with_its_status);
	tcase_add_test(tests, stale_revocation_lists_leave_no_system_good);
	tcase_add_test(tests, one_bad_certificate_does_not_stop_the_others);
	tcase_add_test(tests, more_bad_certificates_than_anybody_reads_are_counted);
	tcase_add_test(tests, there_are_16384_certificates_and_not_one_more);
	tcase_add_test(tests, a_copy_of_a_certificate_is_no_second_one);
	tcase_add_test(tests, two_good_certificates_with_one_key_are_both_off_profile);
	tcase_add_test(tests, a_key_that_was_revoked_stays_so_under_another_certificate);
}

int main(void)
{
	return suite_run_group("register_systems", make_authority, remove_authority, 60, add);
}
