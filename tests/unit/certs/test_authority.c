// The registration authority's directory: made whole or not at all, and nothing issued, lost or overwritten by accident.
#include "certs/authority.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/key.h"
#include "certs/note.h"

#define NOW 1795000000000ull
#define DAY (24ull * 3600 * 1000)

static char directory[32];
static char home[64], out[64], detail[CERTS_DETAIL_BYTES];
static struct authority_paths paths;

static const char *in(const char *base, const char *name)
{
	static char joined[8][256];
	static unsigned next;
	char *path = joined[next++ % 8];
	snprintf(path, sizeof joined[0], "%s/%s", base, name);
	return path;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static void make_directory(void)
{
	snprintf(directory, sizeof directory, "/tmp/cpis-authority-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(home, sizeof home, "%s/home", directory);
	snprintf(out, sizeof out, "%s/out", directory);
}

static void make_home(void)
{
	make_directory();
	ck_assert_msg(authority_init(home, "broker-1", "cpis.example/audit", NOW, detail) == CERTS_OK, "%s",
		      detail);
}

static void remove_directory(void)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static size_t entries_of(const char *path)
{
	DIR *stream = opendir(path);
	size_t count = 0;
	ck_assert_ptr_nonnull(stream);
	while (readdir(stream) != NULL)
		count++;
	closedir(stream);
	return count - 2;
}

static mode_t mode_of(const char *path)
{
	struct stat info;
	ck_assert_msg(stat(path, &info) == 0, "%s", path);
	return info.st_mode & 07777;
}

static enum certs_status issue_system(const char *file)
{
	return authority_issue_system(home, "RXH", "ed-record-system", out, file, 365, NOW, &paths, detail);
}

static enum certs_status issue_staff(const char *file)
{
	return authority_issue_staff(home, "555000000001", "Si\xC3\xA2n O'Neill", out, file, 365, NOW, &paths,
				     detail);
}

static struct trust *load(void)
{
	struct trust *trust = NULL;
	ck_assert_msg(trust_load(in(home, "trust"), &trust, detail) == CERTS_OK, "%s", detail);
	return trust;
}

static X509_CRL *read_list(const char *name)
{
	FILE *file = fopen(in(home, name), "re");
	ck_assert_ptr_nonnull(file);
	X509_CRL *list = PEM_read_X509_CRL(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_ptr_nonnull(list);
	return list;
}

static long number_of(const X509_CRL *list)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
	ck_assert_ptr_nonnull(number);
	long value = ASN1_INTEGER_get(number);
	ASN1_INTEGER_free(number);
	return value;
}

// ------------------------------------------------------------------ making

START_TEST(makes_every_file_with_the_mode_it_must_have)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {
		{"private", 0700},
		{"private/issued", 0700},
		{"private/root.key", 0600},
		{"private/systems-ca.key", 0600},
		{"private/staff-ca.key", 0600},
		{"trust/root.pem", 0644},
		{"trust/systems-ca.pem", 0644},
		{"trust/staff-ca.pem", 0644},
		{"trust/root.crl.pem", 0644},
		{"trust/systems.crl.pem", 0644},
		{"trust/staff.crl.pem", 0644},
		{"trust/log.vkey", 0644},
		{"broker/broker.pem", 0644},
		{"broker/broker.key", 0600},
		{"broker/log.key", 0600},
		{"enrolled", 0755},
		{"trust", 0755},
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		ck_assert_msg(mode_of(in(home, files[i].name)) == files[i].mode, "%s", files[i].name);
	ck_assert_uint_eq(entries_of(home), 4);
	ck_assert_uint_eq(entries_of(in(home, "trust")), 7);
	ck_assert_uint_eq(entries_of(in(home, "private")), 4);
	ck_assert_uint_eq(entries_of(in(home, "private/issued")), 4);
	ck_assert_uint_eq(entries_of(in(home, "enrolled")), 0);
	ck_assert_uint_eq(entries_of(directory), 1);
}
END_TEST

START_TEST(makes_a_broker_certificate_for_the_brokers_key)
{
	struct trust *trust = load();
	struct broker_identity broker;
	struct curve_key_pair pair;
	ck_assert_int_eq(trust_verify_broker_file(trust, in(home, "broker/broker.pem"), "broker-1", NOW,
						  &broker, detail),
			 CERTS_OK);
	ck_assert_int_eq(curve_key_load(in(home, "broker/broker.key"), &pair), CERTS_OK);
	ck_assert_mem_eq(pair.public_key, broker.curve_public, KEY_BYTES);
	ck_assert_uint_eq(broker.not_after_ms, NOW + 825 * DAY);
	trust_free(trust);
}
END_TEST

START_TEST(makes_a_log_key_that_its_verifier_line_knows)
{
	struct note_verifier verifier;
	struct signing_key *key;
	uint8_t public_key[KEY_BYTES];
	ck_assert_int_eq(note_verifier_load(in(home, "trust/log.vkey"), &verifier), CERTS_OK);
	ck_assert_str_eq(verifier.origin, "cpis.example/audit");
	ck_assert_int_eq(signing_key_load(in(home, "broker/log.key"), &key), CERTS_OK);
	signing_key_public(key, public_key);
	ck_assert_mem_eq(public_key, verifier.public_key, KEY_BYTES);
	signing_key_free(key);
}
END_TEST

START_TEST(does_not_make_an_authority_over_another)
{
	struct certificate_description before, after;
	ck_assert_int_eq(certificate_describe_file(in(home, "trust/root.pem"), &before, detail), CERTS_OK);
	ck_assert_int_eq(authority_init(home, "broker-2", "cpis.example/audit", NOW, detail), CERTS_EXISTS);
	ck_assert_int_eq(authority_init(in(home, ""), "broker-2", "cpis.example/audit", NOW, detail),
			 CERTS_EXISTS);
	ck_assert_int_eq(certificate_describe_file(in(home, "trust/root.pem"), &after, detail), CERTS_OK);
	ck_assert(certificate_serial_equal(&before.serial, &after.serial));
	ck_assert_uint_eq(entries_of(directory), 1);
}
END_TEST

START_TEST(does_not_make_an_authority_among_other_files)
{
	ck_assert_int_eq(authority_init(directory, "broker-1", "cpis.example/audit", NOW, detail),
			 CERTS_EXISTS);
	ck_assert_int_eq(
		authority_init(in(home, "trust/root.pem"), "broker-1", "cpis.example/audit", NOW, detail),
		CERTS_EXISTS);
}
END_TEST

START_TEST(fills_an_empty_directory)
{
	const char *empty = in(directory, "empty/");
	struct trust *trust = NULL;
	ck_assert_int_eq(mkdir(empty, 0700), 0);
	ck_assert_msg(authority_init(empty, "broker-1", "cpis.example/audit", NOW, detail) == CERTS_OK, "%s",
		      detail);
	ck_assert_int_eq(trust_load(in(directory, "empty/trust"), &trust, detail), CERTS_OK);
	trust_free(trust);
}
END_TEST

START_TEST(leaves_nothing_behind_when_it_cannot_finish)
{
	static const struct {
		const char *broker_name, *log_origin;
	} cases[] = {
		{"", "cpis.example/audit"},   {"broker\n1", "cpis.example/audit"}, {"broker-1", ""},
		{"broker-1", "cpis example"}, {"broker-1", "cpis+example"},        {"broker-1", "a\nb"},
	};
	const char *target = in(directory, "new");
	char long_origin[200];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_int_eq(
			authority_init(target, cases[i].broker_name, cases[i].log_origin, NOW, detail),
			CERTS_VALUE);
		ck_assert_ptr_nonnull(strstr(detail, i < 2 ? "broker name" : "log origin"));
	}
	memset(long_origin, 'a', sizeof long_origin - 1);
	long_origin[sizeof long_origin - 1] = '\0';
	ck_assert_int_eq(authority_init(target, "broker-1", long_origin, NOW, detail), CERTS_VALUE);
	ck_assert_uint_eq(entries_of(directory), 1); // home
	ck_assert_int_eq(authority_init(in(directory, "no/such/parent"), "broker-1", "a", NOW, detail),
			 CERTS_CANNOT_WRITE);
	ck_assert_int_eq(authority_init("", "broker-1", "a", NOW, detail), CERTS_CANNOT_WRITE);
}
END_TEST

// ------------------------------------------------------------------ issuing

START_TEST(makes_a_new_log_key_and_names_the_log_before)
{
	struct note_verifier before, previous, after;
	struct signing_key *key = NULL;
	uint8_t public_key[KEY_BYTES];
	char line[512], name[64];
	ck_assert_int_eq(note_verifier_load(in(home, "trust/log.vkey"), &before), CERTS_OK);
	ck_assert_int_eq(note_verifier_format(&before, line, sizeof line), CERTS_OK);
	snprintf(name, sizeof name, "broker/log-%.8s.key", strchr(line, '+') + 1);
	ck_assert_msg(authority_new_log(home, "cpis.example/audit-2", detail) == CERTS_OK, "%s", detail);
	ck_assert_int_eq(note_verifier_load(in(home, "trust/log.previous"), &previous), CERTS_OK);
	ck_assert_int_eq(note_verifier_load(in(home, "trust/log.vkey"), &after), CERTS_OK);
	ck_assert_mem_eq(&previous, &before, sizeof before);
	ck_assert_str_eq(after.origin, "cpis.example/audit-2");
	ck_assert_int_eq(signing_key_load(in(home, "broker/log.key"), &key), CERTS_OK);
	signing_key_public(key, public_key);
	ck_assert_mem_eq(public_key, after.public_key, KEY_BYTES);
	signing_key_free(key);
	// The old key is kept: without it nobody could show that it was theirs.
	ck_assert_int_eq(signing_key_load(in(home, name), &key), CERTS_OK);
	signing_key_public(key, public_key);
	ck_assert_mem_eq(public_key, before.public_key, KEY_BYTES);
	signing_key_free(key);
}
END_TEST

START_TEST(makes_no_new_log_under_a_name_that_is_none_or_taken)
{
	struct note_verifier before, after;
	char long_name[NOTE_ORIGIN_BYTES_MAX + 2];
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	ck_assert_int_eq(note_verifier_load(in(home, "trust/log.vkey"), &before), CERTS_OK);
	ck_assert_int_eq(authority_new_log(home, "cpis.example/audit", detail), CERTS_VALUE);
	ck_assert_int_eq(authority_new_log(home, "two words", detail), CERTS_VALUE);
	ck_assert_int_eq(authority_new_log(home, "", detail), CERTS_VALUE);
	ck_assert_int_eq(authority_new_log(home, long_name, detail), CERTS_VALUE);
	ck_assert_int_eq(authority_new_log(directory, "cpis.example/audit-2", detail), CERTS_CANNOT_READ);
	ck_assert_int_eq(note_verifier_load(in(home, "trust/log.vkey"), &after), CERTS_OK);
	ck_assert_mem_eq(&before, &after, sizeof before);
	ck_assert_int_ne(access(in(home, "trust/log.previous"), F_OK), 0);
}
END_TEST

START_TEST(issues_a_system_certificate_with_its_key)
{
	struct trust *trust = load();
	struct system_identity system;
	struct curve_key_pair pair;
	ck_assert_msg(issue_system("ed") == CERTS_OK, "%s", detail);
	ck_assert_str_eq(paths.certificate, in(out, "ed.pem"));
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &system, detail), CERTS_OK);
	ck_assert_str_eq(system.organisation, "RXH");
	ck_assert_str_eq(system.name, "ed-record-system");
	ck_assert_uint_eq(system.not_after_ms, NOW + 365 * DAY);
	ck_assert_uint_eq(system.serial.bytes_count, 16);
	ck_assert_int_eq(curve_key_load(paths.key, &pair), CERTS_OK);
	ck_assert_mem_eq(pair.public_key, system.curve_public, KEY_BYTES);
	ck_assert_uint_eq(entries_of(in(home, "enrolled")), 1);
	ck_assert_uint_eq(entries_of(in(home, "private/issued")), 5);
	trust_free(trust);
}
END_TEST

START_TEST(issues_a_staff_certificate_with_its_key)
{
	struct trust *trust = load();
	struct staff_identity staff;
	struct signing_key *key;
	uint8_t public_key[KEY_BYTES];
	ck_assert_msg(issue_staff("sian") == CERTS_OK, "%s", detail);
	ck_assert_int_eq(trust_verify_staff_file(trust, paths.certificate, NOW, &staff, detail), CERTS_OK);
	ck_assert_str_eq(staff.uid, "555000000001");
	ck_assert_str_eq(staff.name, "Si\xC3\xA2n O'Neill");
	ck_assert_int_eq(signing_key_load(paths.key, &key), CERTS_OK);
	signing_key_public(key, public_key);
	ck_assert_int_eq(staff.key.kind, STAFF_KEY_ED25519);
	ck_assert_mem_eq(public_key, staff.key.bytes, KEY_BYTES);
	ck_assert_uint_eq(entries_of(in(home, "enrolled")), 0);
	ck_assert_uint_eq(entries_of(in(home, "private/issued")), 5);
	signing_key_free(key);
	trust_free(trust);
}
END_TEST

START_TEST(issues_the_next_broker_certificate)
{
	struct trust *trust = load();
	struct broker_identity broker;
	struct curve_key_pair pair;
	ck_assert_int_eq(authority_issue_broker(home, "broker-1", out, "broker", 30, NOW, &paths, detail),
			 CERTS_OK);
	ck_assert_int_eq(trust_verify_broker_file(trust, paths.certificate, "broker-1", NOW, &broker, detail),
			 CERTS_OK);
	ck_assert_int_eq(curve_key_load(paths.key, &pair), CERTS_OK);
	ck_assert_mem_eq(pair.public_key, broker.curve_public, KEY_BYTES);
	ck_assert_uint_eq(entries_of(in(home, "enrolled")), 0);
	ck_assert_int_eq(authority_issue_broker(home, "", out, "broker2", 30, NOW, &paths, detail),
			 CERTS_VALUE);
	trust_free(trust);
}
END_TEST

START_TEST(percent_encodes_a_name_in_the_uri)
{
	struct trust *trust = load();
	struct system_identity system;
	const char *name = "ED records, \xC3\xA9tage 2: 100%";
	ck_assert_int_eq(authority_issue_system(home, "RXH", name, out, "ed", 1, NOW, &paths, detail),
			 CERTS_OK);
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &system, detail), CERTS_OK);
	ck_assert_str_eq(system.name, name);
	FILE *file = fopen(paths.certificate, "re");
	ck_assert_ptr_nonnull(file);
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int type;
	const ASN1_STRING *uri = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type);
	static const char expected[] = "urn:cpis:system:RXH:ED%20records%2C%20%C3%A9tage%202%3A%20100%25";
	ck_assert_int_eq(ASN1_STRING_length(uri), (int)strlen(expected));
	ck_assert_mem_eq(ASN1_STRING_get0_data(uri), expected, strlen(expected));
	GENERAL_NAMES_free(names);
	X509_free(certificate);
	trust_free(trust);
}
END_TEST

START_TEST(issues_nothing_for_values_a_certificate_may_not_carry)
{
	static const char *const codes[] = {"", "RX", "rxh", "RXHRXHRXHRXHR", "R H"};
	static const char *const uids[] = {"", "55500000000", "5550000000011", "55500000000a"};
	static const char *const names[] = {
		"",     " a",   "a ",
		"a\tb", "\xFF", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345"};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		ck_assert_int_eq(
			authority_issue_system(home, codes[i], "ed", out, "ed", 1, NOW, &paths, detail),
			CERTS_VALUE);
	for (size_t i = 0; i < sizeof uids / sizeof uids[0]; i++)
		ck_assert_int_eq(
			authority_issue_staff(home, uids[i], "Grace", out, "g", 1, NOW, &paths, detail),
			CERTS_VALUE);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		ck_assert_int_eq(
			authority_issue_system(home, "RXH", names[i], out, "ed", 1, NOW, &paths, detail),
			CERTS_VALUE);
		ck_assert_int_eq(authority_issue_staff(home, "555000000001", names[i], out, "g", 1, NOW,
						       &paths, detail),
				 CERTS_VALUE);
	}
	ck_assert_int_eq(authority_issue_system(home, "RXH", "ed", out, "ed", 0, NOW, &paths, detail),
			 CERTS_VALUE);
	ck_assert_int_eq(authority_issue_system(home, "RXH", "ed", out, "ed", 826, NOW, &paths, detail),
			 CERTS_VALUE);
	ck_assert_uint_eq(entries_of(in(home, "private/issued")), 4);
	ck_assert_int_ne(access(out, F_OK), 0);
}
END_TEST

START_TEST(issues_nothing_under_a_file_name_that_could_lead_elsewhere)
{
	static const char *const files[] = {
		"",      ".",
		"..",    ".ed",
		"../ed", "a/b",
		"-ed",   "e d",
		"ed\n",  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345"};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		ck_assert_int_eq(issue_system(files[i]), CERTS_VALUE);
	ck_assert_uint_eq(entries_of(in(home, "private/issued")), 4);
}
END_TEST

START_TEST(issues_nothing_over_an_existing_file)
{
	ck_assert_int_eq(issue_system("ed"), CERTS_OK);
	ck_assert_int_eq(issue_system("ed"), CERTS_EXISTS);
	ck_assert_int_eq(issue_staff("ed"), CERTS_EXISTS);
	ck_assert_int_eq(unlink(in(out, "ed.pem")), 0);
	ck_assert_int_eq(issue_system("ed"), CERTS_EXISTS); // the key is still there
	ck_assert_int_ne(access(in(out, "ed.pem"), F_OK), 0);
	ck_assert_int_eq(unlink(in(out, "ed.key")), 0);
	ck_assert_int_eq(symlink("nowhere", in(out, "ed.key")), 0);
	ck_assert_int_eq(issue_system("ed"), CERTS_EXISTS);
	ck_assert_uint_eq(entries_of(in(home, "private/issued")), 5);
	ck_assert_uint_eq(entries_of(in(home, "enrolled")), 1);
	ck_assert_uint_eq(entries_of(out), 1);
}
END_TEST

START_TEST(takes_everything_back_when_the_certificate_cannot_be_handed_out)
{
	mkdir(out, 0700);
	// Something the first look does not see: a dangling link is in the way of the certificate.
	ck_assert_int_eq(symlink("nowhere", in(out, "ed.pem")), 0);
	ck_assert_int_eq(issue_system("ed"), CERTS_EXISTS);
	ck_assert_int_ne(access(in(out, "ed.key"), F_OK), 0);
	ck_assert_uint_eq(entries_of(in(home, "enrolled")), 0);
}
END_TEST

START_TEST(says_where_it_cannot_write)
{
	snprintf(out, sizeof out, "%s/no/such", directory);
	ck_assert_int_eq(issue_system("ed"), CERTS_CANNOT_WRITE);
	ck_assert_ptr_nonnull(strstr(detail, out));
}
END_TEST

START_TEST(issues_nothing_from_a_directory_that_is_no_authority)
{
	snprintf(home, sizeof home, "%s/elsewhere", directory);
	ck_assert_int_eq(issue_system("ed"), CERTS_CANNOT_READ);
	ck_assert_int_eq(authority_refresh_lists(home, NOW, detail), CERTS_CANNOT_READ);
}
END_TEST

START_TEST(issues_nothing_with_a_key_that_others_can_read)
{
	ck_assert_int_eq(chmod(in(home, "private/systems-ca.key"), 0644), 0);
	ck_assert_int_eq(issue_system("ed"), CERTS_KEY_PERMISSIONS);
	ck_assert_ptr_nonnull(strstr(detail, "systems-ca.key"));
	ck_assert_int_eq(issue_staff("sian"), CERTS_OK);
}
END_TEST

START_TEST(issues_nothing_with_a_key_that_is_not_the_authoritys)
{
	ck_assert_int_eq(rename(in(home, "private/staff-ca.key"), in(home, "private/systems-ca.key")), 0);
	ck_assert_int_eq(issue_system("ed"), CERTS_KEY_MISMATCH);
	ck_assert_int_eq(authority_refresh_lists(home, NOW, detail), CERTS_KEY_MISMATCH);
	ck_assert_int_eq(issue_staff("sian"), CERTS_CANNOT_READ);
}
END_TEST

START_TEST(issues_nothing_that_would_outlive_its_authority)
{
	struct certificate_description authority, system;
	const char *authority_path = in(home, "trust/systems-ca.pem");
	ck_assert_int_eq(certificate_describe_file(authority_path, &authority, detail), CERTS_OK);
	uint64_t late_ms = authority.not_after_ms - 10 * DAY;
	ck_assert_int_eq(authority_issue_system(home, "RXH", "ed", out, "ed", 365, late_ms, &paths, detail),
			 CERTS_OK);
	ck_assert_int_eq(certificate_describe_file(paths.certificate, &system, detail), CERTS_OK);
	ck_assert_uint_eq(system.not_after_ms, authority.not_after_ms);
	late_ms = authority.not_after_ms;
	ck_assert_int_eq(authority_issue_system(home, "RXH", "ed", out, "ed2", 365, late_ms, &paths, detail),
			 CERTS_EXPIRED);
	ck_assert_int_ne(access(in(out, "ed2.key"), F_OK), 0);
}
END_TEST

// ------------------------------------------------------------------ revoking and refreshing

START_TEST(revokes_and_says_so_at_the_next_load)
{
	struct system_identity system;
	char revoked[256];
	ck_assert_int_eq(issue_system("ed"), CERTS_OK);
	snprintf(revoked, sizeof revoked, "%s", in(out, "ed.pem"));
	ck_assert_int_eq(issue_system("other"), CERTS_OK);
	ck_assert_msg(authority_revoke(home, revoked, NOW, detail) == CERTS_OK, "%s", detail);
	struct trust *trust = load();
	ck_assert_int_eq(trust_verify_system_file(trust, revoked, NOW, &system, detail), CERTS_REVOKED);
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &system, detail), CERTS_OK);
	ck_assert_uint_eq(entries_of(in(home, "enrolled")), 2); // the list decides, not the folder
	trust_free(trust);
}
END_TEST

START_TEST(revoking_again_is_harmless)
{
	ck_assert_int_eq(issue_staff("sian"), CERTS_OK);
	ck_assert_int_eq(authority_revoke(home, paths.certificate, NOW, detail), CERTS_OK);
	ck_assert_int_eq(authority_revoke(home, paths.certificate, NOW + DAY, detail), CERTS_OK);
	X509_CRL *list = read_list("trust/staff.crl.pem");
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
	ck_assert_int_eq(sk_X509_REVOKED_num(entries), 1);
	const ASN1_TIME *when = X509_REVOKED_get0_revocationDate(sk_X509_REVOKED_value(entries, 0));
	ck_assert_int_eq(ASN1_TIME_cmp_time_t(when, (time_t)(NOW / 1000)), 0); // of the first time
	ck_assert_int_eq(number_of(list), 3);
	X509_CRL_free(list);
}
END_TEST

START_TEST(refuses_to_revoke_what_it_did_not_issue)
{
	char stranger[256];
	struct authority_paths strange;
	snprintf(stranger, sizeof stranger, "%s/stranger", directory);
	ck_assert_int_eq(authority_init(stranger, "broker-1", "cpis.example/audit", NOW, detail), CERTS_OK);
	ck_assert_int_eq(authority_issue_system(stranger, "RXH", "ed", out, "ed", 1, NOW, &strange, detail),
			 CERTS_OK);
	ck_assert_int_eq(authority_revoke(home, strange.certificate, NOW, detail), CERTS_CHAIN);
	ck_assert_int_eq(authority_revoke(home, in(home, "trust/root.pem"), NOW, detail), CERTS_CHAIN);
	ck_assert_int_eq(authority_revoke(home, in(out, "none.pem"), NOW, detail), CERTS_CANNOT_READ);
	ck_assert_int_eq(authority_revoke(home, strange.key, NOW, detail), CERTS_MALFORMED);
}
END_TEST

START_TEST(writes_the_list_of_an_authority_that_is_revoked)
{
	ck_assert_int_eq(authority_revoke(home, in(home, "trust/staff-ca.pem"), NOW, detail), CERTS_OK);
	X509_CRL *list = read_list("trust/root.crl.pem");
	ck_assert_int_eq(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)), 1);
	X509_CRL_free(list);
}
END_TEST

START_TEST(refreshes_all_lists_for_30_days_and_keeps_the_revoked)
{
	struct staff_identity staff;
	ck_assert_int_eq(issue_staff("sian"), CERTS_OK);
	ck_assert_int_eq(authority_revoke(home, paths.certificate, NOW, detail), CERTS_OK);
	struct trust *trust = load();
	ck_assert_uint_eq(trust_crl_next_update_ms(trust), NOW + 30 * DAY);
	trust_free(trust);
	ck_assert_int_eq(authority_refresh_lists(home, NOW + 20 * DAY, detail), CERTS_OK);
	trust = load();
	ck_assert_uint_eq(trust_crl_next_update_ms(trust), NOW + 50 * DAY);
	ck_assert_int_eq(trust_verify_staff_file(trust, paths.certificate, NOW + 40 * DAY, &staff, detail),
			 CERTS_REVOKED);
	trust_free(trust);
	ck_assert_uint_eq(entries_of(in(home, "trust")), 7);
}
END_TEST

// What a machine whose clock is a little behind sees just after a refresh.
START_TEST(makes_lists_good_from_an_hour_before)
{
	struct system_identity system;
	ck_assert_int_eq(issue_system("ed"), CERTS_OK);
	ck_assert_int_eq(authority_refresh_lists(home, NOW + DAY, detail), CERTS_OK);
	struct trust *trust = load();
	ck_assert_int_eq(
		trust_verify_system_file(trust, paths.certificate, NOW + DAY - 60 * 1000, &system, detail),
		CERTS_OK);
	trust_free(trust);
}
END_TEST

START_TEST(never_replaces_a_lost_or_foreign_list_by_an_empty_one)
{
	ck_assert_int_eq(issue_staff("sian"), CERTS_OK);
	ck_assert_int_eq(rename(in(home, "trust/staff.crl.pem"), in(directory, "kept")), 0);
	ck_assert_int_eq(authority_refresh_lists(home, NOW, detail), CERTS_CRL);
	ck_assert_int_eq(authority_revoke(home, paths.certificate, NOW, detail), CERTS_CRL);
	ck_assert_int_ne(access(in(home, "trust/staff.crl.pem"), F_OK), 0);
	ck_assert_int_eq(link(in(home, "trust/systems.crl.pem"), in(home, "trust/staff.crl.pem")), 0);
	ck_assert_int_eq(authority_refresh_lists(home, NOW, detail), CERTS_CRL);
}
END_TEST

START_TEST(loses_no_revocation_when_two_work_at_once)
{
	char certificates[8][256];
	for (int i = 0; i < 8; i++) {
		char file[16];
		snprintf(file, sizeof file, "ed%d", i);
		ck_assert_int_eq(issue_system(file), CERTS_OK);
		snprintf(certificates[i], sizeof certificates[i], "%s/ed%d.pem", out, i);
	}
	for (int i = 0; i < 8; i++) {
		pid_t child = fork();
		ck_assert_int_ge(child, 0);
		if (child == 0)
			_exit(authority_revoke(home, certificates[i], NOW, detail) == CERTS_OK ? 0 : 1);
	}
	for (int i = 0; i < 8; i++) {
		int result;
		ck_assert_int_gt(wait(&result), 0);
		ck_assert_int_eq(result, 0);
	}
	X509_CRL *list = read_list("trust/systems.crl.pem");
	ck_assert_int_eq(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)), 8);
	ck_assert_int_eq(number_of(list), 9);
	X509_CRL_free(list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("authority");
	TCase *tests = tcase_create("authority");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, make_home, remove_directory);
	tcase_add_test(tests, makes_every_file_with_the_mode_it_must_have);
	tcase_add_test(tests, makes_a_broker_certificate_for_the_brokers_key);
	tcase_add_test(tests, makes_a_log_key_that_its_verifier_line_knows);
	tcase_add_test(tests, makes_a_new_log_key_and_names_the_log_before);
	tcase_add_test(tests, makes_no_new_log_under_a_name_that_is_none_or_taken);
	tcase_add_test(tests, does_not_make_an_authority_over_another);
	tcase_add_test(tests, does_not_make_an_authority_among_other_files);
	tcase_add_test(tests, fills_an_empty_directory);
	tcase_add_test(tests, leaves_nothing_behind_when_it_cannot_finish);
	tcase_add_test(tests, issues_a_system_certificate_with_its_key);
	tcase_add_test(tests, issues_a_staff_certificate_with_its_key);
	tcase_add_test(tests, issues_the_next_broker_certificate);
	tcase_add_test(tests, percent_encodes_a_name_in_the_uri);
	tcase_add_test(tests, issues_nothing_for_values_a_certificate_may_not_carry);
	tcase_add_test(tests, issues_nothing_under_a_file_name_that_could_lead_elsewhere);
	tcase_add_test(tests, issues_nothing_over_an_existing_file);
	tcase_add_test(tests, takes_everything_back_when_the_certificate_cannot_be_handed_out);
	tcase_add_test(tests, says_where_it_cannot_write);
	tcase_add_test(tests, issues_nothing_from_a_directory_that_is_no_authority);
	tcase_add_test(tests, issues_nothing_with_a_key_that_others_can_read);
	tcase_add_test(tests, issues_nothing_with_a_key_that_is_not_the_authoritys);
	tcase_add_test(tests, issues_nothing_that_would_outlive_its_authority);
	tcase_add_test(tests, revokes_and_says_so_at_the_next_load);
	tcase_add_test(tests, revoking_again_is_harmless);
	tcase_add_test(tests, refuses_to_revoke_what_it_did_not_issue);
	tcase_add_test(tests, writes_the_list_of_an_authority_that_is_revoked);
	tcase_add_test(tests, refreshes_all_lists_for_30_days_and_keeps_the_revoked);
	tcase_add_test(tests, makes_lists_good_from_an_hour_before);
	tcase_add_test(tests, never_replaces_a_lost_or_foreign_list_by_an_empty_one);
	tcase_add_test(tests, loses_no_revocation_when_two_work_at_once);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
