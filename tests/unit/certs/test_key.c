// Key files and signatures: what is loaded is what was saved, and what others can touch is refused.
#include "certs/key.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// RFC 8032 section 7.1, test 2: the message is one byte, 0x72.
#define RFC8032_PEM                                                                                          \
	"-----BEGIN PRIVATE KEY-----\n"                                                                      \
	"MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"                                 \
	"-----END PRIVATE KEY-----\n"
static const uint8_t rfc8032_public[KEY_BYTES] = {
	0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
	0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
};
static const uint8_t rfc8032_signature[ED25519_SIGNATURE_BYTES] = {
	0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25, 0x40,
	0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda,
	0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c,
	0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00,
};
// RFC 7748 section 6.1: Alice's key pair.
#define RFC7748_PEM                                                                                          \
	"-----BEGIN PRIVATE KEY-----\n"                                                                      \
	"MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"                                 \
	"-----END PRIVATE KEY-----\n"
static const uint8_t rfc7748_public[KEY_BYTES] = {
	0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
	0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a,
};
// Made by `openssl genpkey -algorithm ed25519 -aes-128-cbc`, passphrase "x".
#define ENCRYPTED_PEM                                                                                        \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                            \
	"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhRIrRz/AKK4QICCAAw\n"                                 \
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEN3GREkoRm6yM5uyzQcO+PUEQKsa\n"                                 \
	"BqtrsfhK8xKyugvDjT5Dp5Wy3e0fhmMfoZ61HI6/qFrHaKa4fDdMNQsrn2FjdVsZ\n"                                 \
	"TIatu7Vh5bL/Lip3j9U=\n"                                                                             \
	"-----END ENCRYPTED PRIVATE KEY-----\n"

#define PUBLIC_PEM                                                                                   \
	"-----BEGIN PUBLIC KEY-----\n"                                                               \
	"MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"                             \
	"-----END PUBLIC KEY-----\n"

static char directory[] = "/tmp/cpis-key-XXXXXX";
static char path[64], other[64];

static void remove_files(void)
{
	unlink(path);
	unlink(other);
}

static void write_file(const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static mode_t mode_of(const char *file)
{
	struct stat info;
	ck_assert_int_eq(stat(file, &info), 0);
	return info.st_mode & 07777;
}

START_TEST(loads_the_curve_key_that_it_saved)
{
	struct curve_key_pair made, loaded;
	ck_assert_int_eq(curve_key_generate(&made), CERTS_OK);
	ck_assert_int_eq(curve_key_save(&made, path), CERTS_OK);
	ck_assert_int_eq(curve_key_load(path, &loaded), CERTS_OK);
	ck_assert_mem_eq(&made, &loaded, sizeof made);
}
END_TEST

START_TEST(generates_another_curve_key_each_time)
{
	struct curve_key_pair one, two;
	ck_assert_int_eq(curve_key_generate(&one), CERTS_OK);
	ck_assert_int_eq(curve_key_generate(&two), CERTS_OK);
	ck_assert_mem_ne(one.public_key, two.public_key, KEY_BYTES);
	ck_assert_mem_ne(one.secret_key, two.secret_key, KEY_BYTES);
}
END_TEST

START_TEST(knows_the_public_half_of_rfc_7748)
{
	struct curve_key_pair pair;
	write_file(RFC7748_PEM, 0600);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_OK);
	ck_assert_mem_eq(pair.public_key, rfc7748_public, KEY_BYTES);
}
END_TEST

START_TEST(wipes_a_curve_key)
{
	static const struct curve_key_pair zero;
	struct curve_key_pair pair;
	ck_assert_int_eq(curve_key_generate(&pair), CERTS_OK);
	curve_key_wipe(&pair);
	ck_assert_mem_eq(&pair, &zero, sizeof pair);
}
END_TEST

START_TEST(signs_as_rfc_8032_says)
{
	struct signing_key *key;
	uint8_t public_key[KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
	write_file(RFC8032_PEM, 0600);
	ck_assert_int_eq(signing_key_load(path, &key), CERTS_OK);
	signing_key_public(key, public_key);
	ck_assert_mem_eq(public_key, rfc8032_public, KEY_BYTES);
	ck_assert_int_eq(signing_key_sign(key, (const uint8_t *)"\x72", 1, signature), CERTS_OK);
	ck_assert_mem_eq(signature, rfc8032_signature, sizeof signature);
	signing_key_free(key);
}
END_TEST

START_TEST(loads_the_signing_key_that_it_saved)
{
	struct signing_key *made, *loaded;
	uint8_t one[KEY_BYTES], two[KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
	ck_assert_int_eq(signing_key_generate(&made), CERTS_OK);
	ck_assert_int_eq(signing_key_save(made, path), CERTS_OK);
	ck_assert_int_eq(signing_key_load(path, &loaded), CERTS_OK);
	signing_key_public(made, one);
	signing_key_public(loaded, two);
	ck_assert_mem_eq(one, two, KEY_BYTES);
	ck_assert_int_eq(signing_key_sign(loaded, (const uint8_t *)"said", 4, signature), CERTS_OK);
	ck_assert_int_eq(ed25519_verify(one, (const uint8_t *)"said", 4, signature), CERTS_OK);
	signing_key_free(made);
	signing_key_free(loaded);
}
END_TEST

START_TEST(signs_an_empty_message)
{
	struct signing_key *key;
	uint8_t public_key[KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	signing_key_public(key, public_key);
	ck_assert_int_eq(signing_key_sign(key, (const uint8_t *)"", 0, signature), CERTS_OK);
	ck_assert_int_eq(ed25519_verify(public_key, (const uint8_t *)"", 0, signature), CERTS_OK);
	signing_key_free(key);
}
END_TEST

START_TEST(frees_no_key_at_all)
{
	signing_key_free(NULL);
}
END_TEST

START_TEST(refuses_a_signature_with_any_bit_changed)
{
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
		memcpy(signature, rfc8032_signature, sizeof signature);
		signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(ed25519_verify(rfc8032_public, (const uint8_t *)"\x72", 1, signature),
				 CERTS_SIGNATURE);
	}
}
END_TEST

START_TEST(refuses_a_signature_of_another_message_or_key)
{
	uint8_t public_key[KEY_BYTES];
	memcpy(public_key, rfc8032_public, sizeof public_key);
	ck_assert_int_eq(ed25519_verify(public_key, (const uint8_t *)"\x72", 1, rfc8032_signature), CERTS_OK);
	ck_assert_int_eq(ed25519_verify(public_key, (const uint8_t *)"\x73", 1, rfc8032_signature),
			 CERTS_SIGNATURE);
	ck_assert_int_eq(ed25519_verify(public_key, (const uint8_t *)"\x72", 0, rfc8032_signature),
			 CERTS_SIGNATURE);
	public_key[0] ^= 1;
	ck_assert_int_eq(ed25519_verify(public_key, (const uint8_t *)"\x72", 1, rfc8032_signature),
			 CERTS_SIGNATURE);
}
END_TEST

START_TEST(saves_for_the_owner_only_whatever_the_umask)
{
	struct curve_key_pair pair;
	struct signing_key *key;
	mode_t before = umask(0);
	ck_assert_int_eq(curve_key_generate(&pair), CERTS_OK);
	ck_assert_int_eq(curve_key_save(&pair, path), CERTS_OK);
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	ck_assert_int_eq(signing_key_save(key, other), CERTS_OK);
	umask(before);
	ck_assert_int_eq(mode_of(path), 0600);
	ck_assert_int_eq(mode_of(other), 0600);
	signing_key_free(key);
}
END_TEST

START_TEST(never_overwrites_a_key)
{
	struct curve_key_pair pair, loaded;
	struct signing_key *key;
	ck_assert_int_eq(curve_key_generate(&pair), CERTS_OK);
	ck_assert_int_eq(curve_key_save(&pair, path), CERTS_OK);
	ck_assert_int_eq(curve_key_generate(&loaded), CERTS_OK);
	ck_assert_int_eq(curve_key_save(&loaded, path), CERTS_EXISTS);
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	ck_assert_int_eq(signing_key_save(key, path), CERTS_EXISTS);
	ck_assert_int_eq(curve_key_load(path, &loaded), CERTS_OK);
	ck_assert_mem_eq(&pair, &loaded, sizeof pair);
	signing_key_free(key);
}
END_TEST

START_TEST(says_when_a_key_cannot_be_written)
{
	struct curve_key_pair pair;
	ck_assert_int_eq(curve_key_generate(&pair), CERTS_OK);
	ck_assert_int_eq(curve_key_save(&pair, "/tmp/cpis-no-such-directory/key"), CERTS_CANNOT_WRITE);
}
END_TEST

START_TEST(refuses_a_key_file_others_can_read_or_write)
{
	static const mode_t modes[] = {0644, 0640, 0604, 0620, 0602, 0610, 0601, 0666, 0777};
	struct curve_key_pair pair;
	struct signing_key *key;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		write_file(RFC7748_PEM, modes[i]);
		ck_assert_int_eq(curve_key_load(path, &pair), CERTS_KEY_PERMISSIONS);
		write_file(RFC8032_PEM, modes[i]);
		ck_assert_int_eq(signing_key_load(path, &key), CERTS_KEY_PERMISSIONS);
	}
}
END_TEST

// An access control list of the service manager's shows as what the group may do.
START_TEST(a_credential_may_be_read_by_whom_the_service_manager_lets)
{
	struct curve_key_pair pair;
	char *slash = strrchr(path, '/');
	ck_assert_ptr_nonnull(slash);
	char *in = strndup(path, (size_t)(slash - path));
	ck_assert_ptr_nonnull(in);
	setenv("CREDENTIALS_DIRECTORY", in, 1);
	write_file(RFC7748_PEM, 0440);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_OK);
	write_file(RFC7748_PEM, 0444);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_KEY_PERMISSIONS);
	write_file(RFC7748_PEM, 0460);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_KEY_PERMISSIONS);
	// Not below it, not beside it, not when others get into it, not when it is another one.
	write_file(RFC7748_PEM, 0440);
	ck_assert_int_eq(chmod(in, 0701), 0);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_KEY_PERMISSIONS);
	ck_assert_int_eq(chmod(in, 0700), 0);
	setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_KEY_PERMISSIONS);
	setenv("CREDENTIALS_DIRECTORY", "", 1);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_KEY_PERMISSIONS);
	unsetenv("CREDENTIALS_DIRECTORY");
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_KEY_PERMISSIONS);
	free(in);
}
END_TEST

START_TEST(accepts_a_key_file_that_even_its_owner_cannot_write)
{
	struct curve_key_pair pair;
	write_file(RFC7748_PEM, 0400);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_OK);
}
END_TEST

START_TEST(refuses_a_key_of_the_other_type)
{
	struct curve_key_pair pair;
	struct signing_key *key;
	write_file(RFC8032_PEM, 0600);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_WRONG_KEY_TYPE);
	write_file(RFC7748_PEM, 0600);
	ck_assert_int_eq(signing_key_load(path, &key), CERTS_WRONG_KEY_TYPE);
}
END_TEST

START_TEST(refuses_what_is_no_key)
{
	static const char *const texts[] = {
		"",
		"-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		PUBLIC_PEM,
		"no PEM at all\n",
	};
	struct curve_key_pair pair;
	struct signing_key *key;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		write_file(texts[i], 0600);
		ck_assert_int_eq(curve_key_load(path, &pair), CERTS_MALFORMED);
		ck_assert_int_eq(signing_key_load(path, &key), CERTS_MALFORMED);
	}
}
END_TEST

START_TEST(refuses_an_encrypted_key_without_asking_for_the_passphrase)
{
	struct signing_key *key;
	write_file(ENCRYPTED_PEM, 0600);
	ck_assert_int_eq(signing_key_load(path, &key), CERTS_MALFORMED);
}
END_TEST

START_TEST(says_when_a_key_file_cannot_be_read)
{
	struct curve_key_pair pair;
	struct signing_key *key;
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_CANNOT_READ);
	ck_assert_int_eq(signing_key_load(path, &key), CERTS_CANNOT_READ);
	ck_assert_int_eq(curve_key_load(directory, &pair), CERTS_CANNOT_READ);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(curve_key_load(path, &pair), CERTS_CANNOT_READ);
}
END_TEST

START_TEST(has_a_sentence_for_every_status)
{
#define X(name, sentence) ck_assert_str_eq(certs_status_text(name), sentence);
	CERTS_STATUS_TABLE(X)
#undef X
	ck_assert_ptr_nonnull(certs_status_text((enum certs_status)9999));
}
END_TEST

int main(void)
{
	if (mkdtemp(directory) == NULL)
		return EXIT_FAILURE;
	snprintf(path, sizeof path, "%s/a.key", directory);
	snprintf(other, sizeof other, "%s/b.key", directory);
	Suite *suite = suite_create("key");
	TCase *tests = tcase_create("key");
	tcase_add_checked_fixture(tests, NULL, remove_files);
	tcase_add_test(tests, loads_the_curve_key_that_it_saved);
	tcase_add_test(tests, generates_another_curve_key_each_time);
	tcase_add_test(tests, knows_the_public_half_of_rfc_7748);
	tcase_add_test(tests, wipes_a_curve_key);
	tcase_add_test(tests, signs_as_rfc_8032_says);
	tcase_add_test(tests, loads_the_signing_key_that_it_saved);
	tcase_add_test(tests, signs_an_empty_message);
	tcase_add_test(tests, frees_no_key_at_all);
	tcase_add_test(tests, refuses_a_signature_with_any_bit_changed);
	tcase_add_test(tests, refuses_a_signature_of_another_message_or_key);
	tcase_add_test(tests, saves_for_the_owner_only_whatever_the_umask);
	tcase_add_test(tests, never_overwrites_a_key);
	tcase_add_test(tests, says_when_a_key_cannot_be_written);
	tcase_add_test(tests, refuses_a_key_file_others_can_read_or_write);
	tcase_add_test(tests, a_credential_may_be_read_by_whom_the_service_manager_lets);
	tcase_add_test(tests, accepts_a_key_file_that_even_its_owner_cannot_write);
	tcase_add_test(tests, refuses_a_key_of_the_other_type);
	tcase_add_test(tests, refuses_what_is_no_key);
	tcase_add_test(tests, refuses_an_encrypted_key_without_asking_for_the_passphrase);
	tcase_add_test(tests, says_when_a_key_file_cannot_be_read);
	tcase_add_test(tests, has_a_sentence_for_every_status);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_files();
	rmdir(directory);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
