// Requests for certificates, and issuing for a key that stays with its owner.
#include "certs/request.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/authority.h"
#include "certs/request_priv.h"

#define NOW 1795000000000ull
#define UID "555000000001"

static char directory[40];
static char home[80], out[80], detail[CERTS_DETAIL_BYTES];
static struct request_files files;
static struct authority_paths paths;

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static void set_up(void)
{
	snprintf(directory, sizeof directory, "/tmp/cpis-request-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(home, sizeof home, "%s/home", directory);
	snprintf(out, sizeof out, "%s/out", directory);
	ck_assert_msg(authority_init(home, "broker-1", "cpis.example/audit", NOW, detail) == CERTS_OK, "%s", detail);
}

static void tear_down(void)
{
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static unsigned count_files(const char *folder)
{
	char command[200];
	snprintf(command, sizeof command, "ls %s/%s 2>/dev/null | wc -l", home, folder);
	FILE *pipe = popen(command, "r");
	unsigned count = 0;
	ck_assert_int_eq(fscanf(pipe, "%u", &count), 1);
	pclose(pipe);
	return count;
}

static enum certs_status issue(struct authority_request request, const char *file)
{
	return authority_issue_requested(home, &request, out, file, 30, NOW, &paths, detail);
}

static struct authority_request for_system(void)
{
	return (struct authority_request){.kind = CERTIFICATE_SYSTEM,
					  .organisation = "RXH",
					  .name = "ed",
					  .file = files.request,
					  .fingerprint = files.fingerprint};
}

static struct authority_request for_staff(void)
{
	return (struct authority_request){
		.kind = CERTIFICATE_STAFF, .file = files.request, .fingerprint = files.fingerprint};
}

static struct trust *load_trust(void)
{
	char path[120];
	struct trust *trust = NULL;
	snprintf(path, sizeof path, "%s/trust", home);
	ck_assert_msg(trust_load(path, &trust, detail) == CERTS_OK, "%s", detail);
	return trust;
}

// ------------------------------------------------------------------ systems and brokers

START_TEST(a_system_keeps_its_key_and_gets_a_certificate_for_it)
{
	struct curve_key_pair pair;
	struct system_identity identity;
	struct stat status;
	ck_assert_msg(request_make_curve(out, "ed", &files, detail) == CERTS_OK, "%s", detail);
	ck_assert_int_eq(stat(files.key, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	ck_assert_msg(issue(for_system(), "ed") == CERTS_OK, "%s", detail);
	ck_assert_str_eq(paths.key, "");
	ck_assert_int_eq(curve_key_load(files.key, &pair), CERTS_OK);
	struct trust *trust = load_trust();
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	ck_assert_mem_eq(identity.curve_public, pair.public_key, KEY_BYTES);
	ck_assert_str_eq(identity.organisation, "RXH");
	ck_assert_uint_eq(count_files("enrolled"), 1);
	trust_free(trust);
}
END_TEST

START_TEST(a_broker_likewise_and_it_is_not_enrolled)
{
	ck_assert_int_eq(request_make_curve(out, "broker", &files, detail), CERTS_OK);
	struct authority_request request = {
		.kind = CERTIFICATE_BROKER, .name = "broker-1", .file = files.request, .fingerprint = files.fingerprint};
	struct broker_identity identity;
	ck_assert_msg(issue(request, "next") == CERTS_OK, "%s", detail);
	struct trust *trust = load_trust();
	ck_assert_int_eq(trust_verify_broker_file(trust, paths.certificate, "broker-1", NOW, &identity, detail), CERTS_OK);
	ck_assert_uint_eq(count_files("enrolled"), 0);
	trust_free(trust);
}
END_TEST

START_TEST(another_fingerprint_issues_nothing)
{
	unsigned before = count_files("private/issued");
	ck_assert_int_eq(request_make_curve(out, "ed", &files, detail), CERTS_OK);
	files.fingerprint[0] = files.fingerprint[0] == '0' ? '1' : '0';
	ck_assert_int_eq(issue(for_system(), "ed"), CERTS_FINGERPRINT);
	ck_assert_ptr_nonnull(strstr(detail, files.request));
	ck_assert_uint_eq(count_files("private/issued"), before);
	ck_assert_uint_eq(count_files("enrolled"), 0);
}
END_TEST

START_TEST(a_key_is_certified_once)
{
	ck_assert_int_eq(request_make_curve(out, "ed", &files, detail), CERTS_OK);
	ck_assert_int_eq(issue(for_system(), "ed"), CERTS_OK);
	struct authority_request again = for_system();
	again.name = "another";
	ck_assert_int_eq(issue(again, "another"), CERTS_KEY_IN_USE);
	// Not even after it was taken back: whoever had the key still has it.
	char certificate[4096];
	snprintf(certificate, sizeof certificate, "%s", paths.certificate);
	ck_assert_int_eq(authority_revoke(home, certificate, NOW, detail), CERTS_OK);
	ck_assert_int_eq(issue(again, "another"), CERTS_KEY_IN_USE);
	again.kind = CERTIFICATE_BROKER;
	ck_assert_int_eq(issue(again, "another"), CERTS_KEY_IN_USE);
	ck_assert_uint_eq(count_files("enrolled"), 1);
}
END_TEST

START_TEST(a_renewed_system_has_two_good_certificates_until_the_old_one_is_revoked)
{
	char old[4096];
	struct system_identity identity;
	ck_assert_int_eq(request_make_curve(out, "ed-2026", &files, detail), CERTS_OK);
	ck_assert_int_eq(issue(for_system(), "ed-2026"), CERTS_OK);
	snprintf(old, sizeof old, "%s", paths.certificate);
	ck_assert_int_eq(request_make_curve(out, "ed-2027", &files, detail), CERTS_OK);
	ck_assert_int_eq(issue(for_system(), "ed-2027"), CERTS_OK);
	ck_assert_uint_eq(count_files("enrolled"), 2);
	struct trust *trust = load_trust();
	ck_assert_int_eq(trust_verify_system_file(trust, old, NOW, &identity, detail), CERTS_OK);
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	trust_free(trust);
	ck_assert_int_eq(authority_revoke(home, old, NOW, detail), CERTS_OK);
	trust = load_trust();
	ck_assert_int_eq(trust_verify_system_file(trust, old, NOW, &identity, detail), CERTS_REVOKED);
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	trust_free(trust);
}
END_TEST

START_TEST(what_is_there_is_not_overwritten)
{
	ck_assert_int_eq(request_make_curve(out, "ed", &files, detail), CERTS_OK);
	ck_assert_int_eq(request_make_curve(out, "ed", &files, detail), CERTS_EXISTS);
	unlink(files.request);
	ck_assert_int_eq(request_make_curve(out, "ed", &files, detail), CERTS_EXISTS);
	ck_assert_int_eq(access(files.request, F_OK), -1);
	ck_assert_int_eq(request_make_curve(out, "../ed", &files, detail), CERTS_VALUE);
	ck_assert_int_eq(request_make_curve("/no/such/place", "ed", &files, detail), CERTS_CANNOT_WRITE);
}
END_TEST

START_TEST(another_kind_of_key_is_refused)
{
	struct signing_key *key = NULL;
	char path[120];
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	ck_assert_int_eq(request_make_staff(UID, "Grace Okafor", key, out, "grace", &files, detail), CERTS_OK);
	signing_key_free(key);
	// A request where a public key should be, and the reverse.
	ck_assert_int_eq(issue(for_system(), "ed"), CERTS_MALFORMED);
	ck_assert_int_eq(request_make_curve(out, "ed", &files, detail), CERTS_OK);
	ck_assert_int_eq(issue(for_staff(), "grace"), CERTS_MALFORMED);
	snprintf(path, sizeof path, "%s/rsa.pub", out);
	char command[300];
	snprintf(command, sizeof command, "openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout > %s", path);
	ck_assert_int_eq(system(command), 0);
	struct authority_request request = for_system();
	request.file = path;
	ck_assert_int_eq(issue(request, "ed"), CERTS_WRONG_KEY_TYPE);
}
END_TEST

// ------------------------------------------------------------------ staff

START_TEST(a_member_of_staff_sends_a_request_that_openssl_verifies)
{
	struct staff_identity identity;
	struct signing_key *key = NULL;
	uint8_t public_key[KEY_BYTES];
	char command[4300];
	ck_assert_msg(request_make_staff(UID, "Siân O'Neill", NULL, out, "sian", &files, detail) == CERTS_OK, "%s", detail);
	snprintf(command, sizeof command, "openssl req -in %s -noout -verify >/dev/null 2>&1", files.request);
	ck_assert_int_eq(system(command), 0);
	ck_assert_msg(issue(for_staff(), "sian") == CERTS_OK, "%s", detail);
	struct trust *trust = load_trust();
	ck_assert_int_eq(trust_verify_staff_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	ck_assert_str_eq(identity.uid, UID);
	ck_assert_str_eq(identity.name, "Siân O'Neill");
	ck_assert_int_eq(signing_key_load(files.key, &key), CERTS_OK);
	signing_key_public(key, public_key);
	ck_assert_mem_eq(identity.key.bytes, public_key, KEY_BYTES);
	signing_key_free(key);
	trust_free(trust);
}
END_TEST

START_TEST(what_the_authority_typed_must_be_what_the_request_says)
{
	ck_assert_int_eq(request_make_staff(UID, "Grace Okafor", NULL, out, "grace", &files, detail), CERTS_OK);
	struct authority_request request = for_staff();
	request.uid = "555000000002";
	ck_assert_int_eq(issue(request, "grace"), CERTS_NAME);
	request.uid = UID;
	request.name = "Grace Other";
	ck_assert_int_eq(issue(request, "grace"), CERTS_NAME);
	request.name = "Grace Okafor";
	ck_assert_int_eq(issue(request, "grace"), CERTS_OK);
	ck_assert_int_eq(issue(request, "again"), CERTS_KEY_IN_USE);
}
END_TEST

// Requests as openssl writes them, with one thing in each that the profile does not have.
START_TEST(requests_off_profile_are_refused_with_the_reason)
{
	static const struct {
		const char *subject, *extensions, *key, *says;
		enum certs_status status;
	} bad[] = {
		{"/UID=555000000001/CN=Grace", "subjectAltName=URI:urn:cpis:staff:555000000001", "ed25519", "", CERTS_OK},
		{"/UID=555000000001/UID=555000000002/CN=Grace", "subjectAltName=URI:urn:cpis:staff:555000000001", "ed25519",
		 "not exactly one UID and one name", CERTS_PROFILE},
		{"/CN=Grace", "subjectAltName=URI:urn:cpis:staff:555000000001", "ed25519", "not exactly one UID and one name",
		 CERTS_PROFILE},
		{"/UID=555000000001/CN=Grace/O=NHS", "subjectAltName=URI:urn:cpis:staff:555000000001", "ed25519",
		 "not exactly one UID and one name", CERTS_PROFILE},
		{"/UID=5550/CN=Grace", "subjectAltName=URI:urn:cpis:staff:5550", "ed25519", "not of the form", CERTS_PROFILE},
		{"/UID=555000000001/CN=Grace", "subjectAltName=URI:urn:cpis:staff:555000000002", "ed25519", "the one URI",
		 CERTS_PROFILE},
		{"/UID=555000000001/CN=Grace", "subjectAltName=URI:urn:cpis:staff:555000000001,DNS:x", "ed25519", "the one URI",
		 CERTS_PROFILE},
		{"/UID=555000000001/CN=Grace", "basicConstraints=critical,CA:TRUE", "ed25519", "the one URI", CERTS_PROFILE},
		{"/UID=555000000001/CN=Grace", "keyUsage=keyCertSign", "ed25519", "the one URI", CERTS_PROFILE},
		{"/UID=555000000001/CN=Grace", "subjectAltName=URI:urn:cpis:staff:555000000001", "ed448", "Ed25519",
		 CERTS_WRONG_KEY_TYPE},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char path[120], command[700], name[16];
		snprintf(path, sizeof path, "%s/bad%zu.csr", directory, i);
		snprintf(command, sizeof command,
			 "openssl genpkey -algorithm %s -out %s/bad.key 2>/dev/null && openssl req -new -key %s/bad.key -subj "
			 "'%s' -addext '%s' -out %s 2>/dev/null",
			 bad[i].key, directory, directory, bad[i].subject, bad[i].extensions, path);
		ck_assert_int_eq(system(command), 0);
		// The right digits, so that nothing but the profile can refuse it.
		snprintf(command, sizeof command,
			 "openssl req -in %s -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum", path);
		char digits[65] = "";
		FILE *pipe = popen(command, "r");
		ck_assert_int_eq(fscanf(pipe, "%20s", digits), 1);
		pclose(pipe);
		struct authority_request request = {.kind = CERTIFICATE_STAFF, .file = path, .fingerprint = digits};
		snprintf(name, sizeof name, "bad%zu", i);
		enum certs_status status = issue(request, name);
		ck_assert_msg(status == bad[i].status && (status == CERTS_OK || strstr(detail, bad[i].says) != NULL),
			      "%zu: %d %s", i, (int)status, detail);
	}
}
END_TEST

START_TEST(a_request_that_was_altered_is_refused)
{
	char altered[200];
	ck_assert_int_eq(request_make_staff(UID, "Grace Okafor", NULL, out, "grace", &files, detail), CERTS_OK);
	FILE *file = fopen(files.request, "r");
	X509_REQ *request = PEM_read_X509_REQ(file, NULL, NULL, NULL);
	fclose(file);
	// Another name, without a new signature.
	X509_NAME *name = X509_NAME_dup(X509_REQ_get_subject_name(request));
	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 1));
	X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING, (const unsigned char *)"Mallory", -1, -1, 0);
	X509_REQ_set_subject_name(request, name);
	snprintf(altered, sizeof altered, "%s/altered.csr", directory);
	file = fopen(altered, "w");
	ck_assert_int_eq(PEM_write_X509_REQ(file, request), 1);
	fclose(file);
	X509_NAME_free(name);
	X509_REQ_free(request);
	struct authority_request asked = for_staff();
	asked.file = altered;
	ck_assert_int_eq(issue(asked, "grace"), CERTS_SIGNATURE);
}
END_TEST

// The file says that it is encrypted. Whoever is at the terminal, or what comes next on standard input, is not asked for a passphrase.
START_TEST(an_encrypted_request_asks_nobody)
{
	static const char *const labels[] = {"CERTIFICATE REQUEST", "PUBLIC KEY"};
	char path[120];
	int ends[2], left = 0;
	setsid(); // no terminal: then OpenSSL would read standard input
	ck_assert(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO && write(ends[1], "secret\n", 7) == 7);
	for (int i = 0; i < 2; i++) {
		uint8_t key[KEY_BYTES];
		struct staff_key staff_key;
		struct profile_subject subject;
		snprintf(path, sizeof path, "%s/encrypted", directory);
		FILE *file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		fprintf(file, "-----BEGIN %s-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
			      "AAAAAAAAAAAAAAAAAAAAAA==\n-----END %s-----\n", labels[i], labels[i]);
		ck_assert_int_eq(fclose(file), 0);
		ck_assert_int_eq(i == 0 ? request_read_staff(path, &subject, &staff_key, detail) : request_read_curve(path, key, detail),
				 CERTS_MALFORMED);
		ck_assert(ioctl(STDIN_FILENO, FIONREAD, &left) == 0 && left == 7);
	}
}
END_TEST

START_TEST(values_off_profile_make_no_request)
{
	ck_assert_int_eq(request_make_staff("12", "Grace", NULL, out, "grace", &files, detail), CERTS_VALUE);
	ck_assert_int_eq(request_make_staff(UID, " Grace", NULL, out, "grace", &files, detail), CERTS_VALUE);
	ck_assert_int_eq(request_make_staff(UID, "Grace", NULL, out, ".hidden", &files, detail), CERTS_VALUE);
	ck_assert_int_eq(access(out, F_OK), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("request");
	TCase *tests = tcase_create("request");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_system_keeps_its_key_and_gets_a_certificate_for_it);
	tcase_add_test(tests, a_broker_likewise_and_it_is_not_enrolled);
	tcase_add_test(tests, another_fingerprint_issues_nothing);
	tcase_add_test(tests, a_key_is_certified_once);
	tcase_add_test(tests, a_renewed_system_has_two_good_certificates_until_the_old_one_is_revoked);
	tcase_add_test(tests, what_is_there_is_not_overwritten);
	tcase_add_test(tests, another_kind_of_key_is_refused);
	tcase_add_test(tests, a_member_of_staff_sends_a_request_that_openssl_verifies);
	tcase_add_test(tests, what_the_authority_typed_must_be_what_the_request_says);
	tcase_add_test(tests, requests_off_profile_are_refused_with_the_reason);
	tcase_add_test(tests, a_request_that_was_altered_is_refused);
	tcase_add_test(tests, an_encrypted_request_asks_nobody);
	tcase_add_test(tests, values_off_profile_make_no_request);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
