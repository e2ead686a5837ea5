// `cpis certs` as a person meets it: exit codes, what is printed where, and what is left on disk.
#include "clients/cli/commands.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

static char directory[32], home[64], out[64], printed[16384], complained[4096];

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static const char *in(const char *base, const char *name)
{
	static char joined[8][256];
	static unsigned next;
	char *path = joined[next++ % 8];
	snprintf(path, sizeof joined[0], "%s/%s", base, name);
	return path;
}

static void read_back(const char *path, char *text, size_t bytes)
{
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	size_t count = fread(text, 1, bytes - 1, file);
	text[count] = '\0';
	fclose(file);
}

// Runs the command with its two outputs in files. The words end with NULL.
static int certs(const char *first, ...)
{
	char *argv[24] = {(char *)(uintptr_t) "certs"};
	int argc = 1;
	va_list words;
	va_start(words, first);
	for (const char *word = first; word != NULL && argc < 23; word = va_arg(words, const char *))
		argv[argc++] = (char *)(uintptr_t)word;
	va_end(words);
	fflush(stdout);
	fflush(stderr);
	int old_out = dup(1), old_err = dup(2);
	int new_out = open(in(directory, "stdout"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int new_err = open(in(directory, "stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(new_out, 1);
	dup2(new_err, 2);
	int code = command_certs(argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(old_out, 1);
	dup2(old_err, 2);
	close(old_out);
	close(old_err);
	close(new_out);
	close(new_err);
	read_back(in(directory, "stdout"), printed, sizeof printed);
	read_back(in(directory, "stderr"), complained, sizeof complained);
	return code;
}

static void make_home(void)
{
	snprintf(directory, sizeof directory, "/tmp/cpis-cmd-certs-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(home, sizeof home, "%s/home", directory);
	snprintf(out, sizeof out, "%s/out", directory);
	ck_assert_int_eq(certs("init", "--dir", home, "--broker-name", "broker-1", NULL), EXIT_DONE);
	ck_assert_str_eq(complained, "");
}

static void remove_directory(void)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void issue_both(void)
{
	ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "ed-record-system",
			       "--out", out, NULL),
			 EXIT_DONE);
	ck_assert_int_eq(certs("issue-staff", "--dir", home, "--uid", "555000000001", "--name",
			       "Grace Okafor", "--out", out, "--file", "grace", "--days", "825", NULL),
			 EXIT_DONE);
}

START_TEST(explains_itself)
{
	static const char *const commands[] = {"init",   "issue-system",  "issue-staff", "issue-broker",
					       "revoke", "refresh-lists", "show",
					       "check"};
	ck_assert_int_eq(certs("--help", NULL), EXIT_DONE);
	ck_assert_str_eq(complained, "");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		ck_assert_ptr_nonnull(strstr(printed, commands[i]));
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		ck_assert_int_eq(certs(commands[i], "--help", NULL), EXIT_DONE);
		ck_assert_ptr_nonnull(strstr(printed, commands[i]));
		ck_assert_str_eq(complained, "");
	}
}
END_TEST

START_TEST(names_the_mistake_on_the_command_line)
{
	ck_assert_int_eq(certs(NULL, NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "which command"));
	ck_assert_int_eq(certs("destroy", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "destroy"));
	ck_assert_int_eq(certs("init", "--dir", in(directory, "new"), NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "broker-name"));
	ck_assert_int_eq(certs("init", "--nonsense", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "--nonsense"));
	ck_assert_int_eq(certs("init", "--dir", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "--dir"));
	ck_assert_int_eq(certs("init", "--uid", "1", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "uid"));
	ck_assert_int_eq(certs("refresh-lists", "--dir", home, "more", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "too many words"));
	ck_assert_int_eq(certs("init", "--json", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "--json"));
	ck_assert_int_eq(certs("show", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "--help"));
	ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(refuses_days_outside_1_to_825)
{
	static const char *const days[] = {"0", "826", "-1", "", "1y", "99999999999999999999", " 1"};
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "ed", "--out",
				       out, "--days", days[i], NULL),
				 EXIT_USAGE);
		ck_assert_ptr_nonnull(strstr(complained, "--days"));
	}
	ck_assert_int_ne(access(out, F_OK), 0);
}
END_TEST

START_TEST(prints_the_files_it_made)
{
	char expected[256];
	ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "ed-record-system",
			       "--out", out, NULL),
			 EXIT_DONE);
	snprintf(expected, sizeof expected, "%s/ed-record-system.pem\n%s/ed-record-system.key\n", out, out);
	ck_assert_str_eq(printed, expected);
	ck_assert_int_eq(certs("issue-staff", "--dir", home, "--uid", "555000000001", "--name",
			       "Grace Okafor", "--out", out, NULL),
			 EXIT_DONE);
	snprintf(expected, sizeof expected, "%s/555000000001.pem\n%s/555000000001.key\n", out, out);
	ck_assert_str_eq(printed, expected);
	ck_assert_int_eq(
		certs("issue-broker", "--dir", home, "--broker-name", "broker-1", "--out", out, NULL),
		EXIT_DONE);
	ck_assert_int_eq(access(in(out, "broker.key"), F_OK), 0);
}
END_TEST

START_TEST(does_not_overwrite_or_issue_for_wrong_values)
{
	ck_assert_int_eq(certs("init", "--dir", home, "--broker-name", "broker-1", NULL), EXIT_USAGE);
	issue_both();
	ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "ed-record-system",
			       "--out", out, NULL),
			 EXIT_USAGE);
	ck_assert_int_eq(
		certs("issue-system", "--dir", home, "--ods", "rxh", "--name", "ed", "--out", out, NULL),
		EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "ODS code"));
	ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "ED system", "--out",
			       out, NULL),
			 EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "file"));
	ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(shows_what_certificates_say)
{
	issue_both();
	ck_assert_int_eq(certs("show", in(out, "ed-record-system.pem"), in(out, "grace.pem"),
			       in(home, "trust/root.pem"), NULL),
			 EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(printed, "organisation RXH\n"));
	ck_assert_ptr_nonnull(strstr(printed, "name         Grace Okafor\n"));
	ck_assert_ptr_nonnull(strstr(printed, "uid          555000000001\n"));
	ck_assert_ptr_nonnull(strstr(printed, "kind         authority\n"));
	ck_assert_ptr_null(strstr(printed, "holds"));
	ck_assert_int_eq(certs("show", in(home, "trust/log.vkey"), NULL), EXIT_USAGE);
	ck_assert_int_eq(certs("show", in(home, "none.pem"), NULL), EXIT_USAGE);
}
END_TEST

START_TEST(shows_whether_certificates_hold)
{
	json_error_t error;
	issue_both();
	char trust[128];
	snprintf(trust, sizeof trust, "%s/trust", home);
	ck_assert_int_eq(
		certs("show", "--trust", trust, in(out, "grace.pem"), in(home, "broker/broker.pem"), NULL),
		EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(printed, "holds now    yes\n"));
	ck_assert_int_eq(certs("revoke", "--dir", home, in(out, "grace.pem"), NULL), EXIT_DONE);
	ck_assert_int_eq(certs("show", "--trust", trust, in(out, "grace.pem"), NULL), EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(printed, "holds now    no: the certificate has been revoked\n"));
	ck_assert_int_eq(certs("show", "--json", "--trust", trust, in(out, "grace.pem"),
			       in(out, "ed-record-system.pem"), in(home, "trust/root.pem"), NULL),
			 EXIT_REFUSED);
	json_t *list = json_loads(printed, 0, &error);
	ck_assert_ptr_nonnull(list);
	ck_assert_uint_eq(json_array_size(list), 3);
	json_t *staff = json_array_get(list, 0), *system = json_array_get(list, 1),
	       *root = json_array_get(list, 2);
	ck_assert_str_eq(json_string_value(json_object_get(staff, "uid")), "555000000001");
	ck_assert(json_is_false(json_object_get(staff, "holds")));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(staff, "why")), "revoked"));
	ck_assert_str_eq(json_string_value(json_object_get(system, "organisation")), "RXH");
	ck_assert_uint_eq(json_string_length(json_object_get(system, "key_sha256")), 64);
	ck_assert(json_is_true(json_object_get(system, "holds")));
	ck_assert_ptr_null(json_object_get(root, "holds"));
	json_decref(list);
	ck_assert_int_eq(certs("show", "--trust", out, in(out, "grace.pem"), NULL), EXIT_USAGE);
}
END_TEST

// What `certs request-staff` prints behind the word.
static const char *fingerprint_printed(void)
{
	static char digits[32];
	const char *at = strstr(printed, "fingerprint ");
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(sscanf(at, "fingerprint %31s", digits), 1);
	return digits;
}

START_TEST(certifies_a_browsers_key)
{
	json_error_t error;
	static const char *const types[][2] = {{"p256", "P-256"}, {"rsa", "RSA"}, {"ed25519", "Ed25519"}};
	for (size_t i = 0; i < 3; i++) {
		char request[300];
		ck_assert_int_eq(certs("request-staff", "--uid", "555000000001", "--name", "Grace Okafor", "--out", out, "--file", types[i][0],
				       "--key-type", types[i][0], NULL),
				 EXIT_DONE);
		snprintf(request, sizeof request, "%s/%s.csr", out, types[i][0]);
		ck_assert_int_eq(certs("issue-staff", "--dir", home, "--request", request, "--fingerprint", fingerprint_printed(), "--out", out,
				       "--file", types[i][0], NULL),
				 EXIT_DONE);
		snprintf(request, sizeof request, "%s/%s.pem", out, types[i][0]);
		ck_assert_int_eq(certs("show", "--json", request, NULL), EXIT_DONE);
		json_t *list = json_loads(printed, 0, &error);
		ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "key_type")), types[i][1]);
		json_decref(list);
	}
	ck_assert_int_eq(certs("request-staff", "--uid", "555000000001", "--name", "Grace", "--out", out, "--key-type", "p384", NULL),
			 EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "--key-type"));
	ck_assert_int_eq(certs("request-staff", "--uid", "555000000001", "--name", "Grace", "--out", out, "--key-type", "p256", "--key",
			       in(out, "ed25519.key"), NULL),
			 EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "--key-type"));
	ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(certifies_a_passkey)
{
	// RFC 6979, A.2.5: a key of P-256.
	static const char text[] = "cpis-passkey-request-v1\nuid: 555000000001\nname: Grace Hopper\ncredential: AAECAwQF\nkey: "
				   "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A_4QCLi8maQa6elWKLxk8vGyDC1-n1F3o8KU1EYimQ\n";
	char path[256];
	snprintf(path, sizeof path, "%s", in(directory, "grace.passkey"));
	FILE *file = fopen(path, "we");
	ck_assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
	ck_assert_int_eq(certs("issue-staff", "--dir", home, "--passkey", path, "--out", out, "--file", "grace", NULL), EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "--passkey and --fingerprint go together"));
	ck_assert_int_eq(certs("issue-staff", "--dir", home, "--passkey", path, "--request", path, "--fingerprint", "00", "--out", out, "--file",
			       "grace", NULL),
			 EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "give one"));
	ck_assert_int_eq(certs("issue-staff", "--dir", home, "--passkey", path, "--fingerprint", "00", "--out", out, "--file", "grace", NULL),
			 EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "fingerprint was read out"));
	ck_assert_int_ne(access(in(out, "grace.pem"), F_OK), 0);
	ck_assert_int_eq(certs("issue-staff", "--dir", home, "--passkey", path, "--fingerprint", "5a7a78cca4a0f420d9bc", "--out", out, "--file",
			       "grace", NULL),
			 EXIT_DONE);
	ck_assert_int_eq(certs("show", in(out, "grace.pem"), NULL), EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(printed, "key type     P-256\n"));
	ck_assert_ptr_nonnull(strstr(printed, "passkey      AAECAwQF\n"));
}
END_TEST

START_TEST(names_a_systems_web_host)
{
	ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "ed", "--web-host", "Cpis.rxh.example", "--out", out,
			       NULL),
			 EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(complained, "web host"));
	ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "ed", "--web-host", "cpis.rxh.example", "--out", out,
			       NULL),
			 EXIT_DONE);
	ck_assert_int_eq(certs("show", in(out, "ed.pem"), NULL), EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(printed, "web host     cpis.rxh.example\n"));
	ck_assert_int_eq(certs("request-system", "--out", out, "--file", "own", NULL), EXIT_DONE);
	ck_assert_int_eq(certs("issue-system", "--dir", home, "--ods", "RXH", "--name", "own", "--web-host", "own.example", "--public-key",
			       in(out, "own.pub"), "--fingerprint", fingerprint_printed(), "--out", out, NULL),
			 EXIT_DONE);
	ck_assert_int_eq(certs("show", "--json", in(out, "own.pem"), NULL), EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(printed, "\"web_host\": \"own.example\""));
}
END_TEST

START_TEST(checks_what_ends_soon)
{
	char trust[128];
	snprintf(trust, sizeof trust, "%s/trust", home);
	issue_both();
	ck_assert_int_eq(certs("issue-staff", "--dir", home, "--uid", "555000000002", "--name", "Short Stay", "--out", out,
			       "--file", "short", "--days", "5", NULL),
			 EXIT_DONE);
	// Certificates of a year and more, and lists of 30 days.
	ck_assert_int_eq(certs("check", "--trust", trust, "--days", "20", in(out, "grace.pem"),
			       in(out, "ed-record-system.pem"), NULL),
			 EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(printed, "3 checked"));
	ck_assert_int_eq(certs("check", "--days", "20", in(out, "grace.pem"), in(out, "short.pem"), NULL), EXIT_PARTIAL);
	ck_assert_ptr_nonnull(strstr(printed, "Short Stay"));
	ck_assert_ptr_nonnull(strstr(printed, "days left"));
	ck_assert_ptr_null(strstr(printed, "Grace Okafor"));
	// Lists end before the year's certificates do, and the nearest stands first.
	ck_assert_int_eq(certs("check", "--trust", trust, "--days", "40", in(out, "short.pem"), NULL), EXIT_PARTIAL);
	ck_assert_ptr_nonnull(strstr(printed, "revocation lists"));
	ck_assert(strstr(printed, "Short Stay") < strstr(printed, "revocation lists"));
	ck_assert_int_eq(certs("revoke", "--dir", home, in(out, "grace.pem"), NULL), EXIT_DONE);
	ck_assert_int_eq(certs("check", "--json", "--trust", trust, in(out, "grace.pem"), NULL), EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(printed, "revoked"));
	ck_assert_int_eq(certs("check", NULL), EXIT_USAGE);
	ck_assert_int_eq(certs("check", "--days", "0", in(out, "grace.pem"), NULL), EXIT_USAGE);
	ck_assert_int_eq(certs("check", in(out, "none.pem"), NULL), EXIT_USAGE);
}
END_TEST

START_TEST(revokes_only_what_was_issued_here)
{
	char stranger[64];
	snprintf(stranger, sizeof stranger, "%s/stranger", directory);
	issue_both();
	ck_assert_int_eq(certs("init", "--dir", stranger, "--broker-name", "b", "--log-origin", "x", NULL),
			 EXIT_DONE);
	ck_assert_int_eq(certs("revoke", "--dir", stranger, in(out, "grace.pem"), NULL), EXIT_FAILED);
	ck_assert_ptr_nonnull(strstr(complained, "grace.pem"));
	ck_assert_int_eq(certs("refresh-lists", "--dir", stranger, NULL), EXIT_DONE);
	ck_assert_str_eq(complained, "");
	ck_assert_int_eq(certs("revoke", "--dir", home, in(out, "none.pem"), in(out, "grace.pem"), NULL),
			 EXIT_USAGE);
	ck_assert_int_eq(certs("revoke", "--dir", home, in(out, "grace.pem"), in(out, "none.pem"), NULL),
			 EXIT_FAILED);
	ck_assert_ptr_nonnull(strstr(printed, "grace.pem"));
	ck_assert_int_eq(certs("refresh-lists", "--dir", out, NULL), EXIT_FAILED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cmd_certs");
	TCase *tests = tcase_create("cmd_certs");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, make_home, remove_directory);
	tcase_add_test(tests, explains_itself);
	tcase_add_test(tests, names_the_mistake_on_the_command_line);
	tcase_add_test(tests, refuses_days_outside_1_to_825);
	tcase_add_test(tests, prints_the_files_it_made);
	tcase_add_test(tests, does_not_overwrite_or_issue_for_wrong_values);
	tcase_add_test(tests, shows_what_certificates_say);
	tcase_add_test(tests, shows_whether_certificates_hold);
	tcase_add_test(tests, certifies_a_browsers_key);
	tcase_add_test(tests, certifies_a_passkey);
	tcase_add_test(tests, names_a_systems_web_host);
	tcase_add_test(tests, checks_what_ends_soon);
	tcase_add_test(tests, revokes_only_what_was_issued_here);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
