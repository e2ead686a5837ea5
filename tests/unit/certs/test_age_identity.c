// A staff key as age(1) takes it: what age itself makes of it.
#include "certs/age_identity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

static char directory[] = "/tmp/cpis-age-XXXXXX";

static void setup(void)
{
	strcpy(directory + sizeof directory - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int shell(const char *format, ...)
{
	char command[2048];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	return system(command);
}

static void teardown(void)
{
	ck_assert_int_eq(shell("rm -rf %s", directory), 0);
}

static void make_key(char path[64], char recipient[AGE_RECIPIENT_BYTES])
{
	struct signing_key *key;
	uint8_t public_key[KEY_BYTES];
	snprintf(path, 64, "%s/staff.key", directory);
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	ck_assert_int_eq(signing_key_save(key, path), CERTS_OK);
	signing_key_public(key, public_key);
	signing_key_free(key);
	age_recipient(public_key, recipient);
}

START_TEST(age_opens_with_it_what_it_closed)
{
	char path[64], recipient[AGE_RECIPIENT_BYTES];
	int descriptor;
	make_key(path, recipient);
	ck_assert_int_eq(age_identity_open(path, &descriptor), CERTS_OK);
	ck_assert_int_eq(shell("echo kept | age -r '%s' > %s/x.age && [ \"$(age -d -i /proc/self/fd/%d %s/x.age)\" = kept ]", recipient, directory,
			       descriptor, directory), 0);
	age_identity_close(descriptor);
}
END_TEST

START_TEST(only_an_ed25519_key_in_a_private_file_opens_anything)
{
	char path[64];
	struct curve_key_pair pair;
	int descriptor = -7;
	snprintf(path, sizeof path, "%s/system.key", directory);
	ck_assert_int_eq(curve_key_generate(&pair), CERTS_OK);
	ck_assert_int_eq(curve_key_save(&pair, path), CERTS_OK);
	ck_assert_int_eq(age_identity_open(path, &descriptor), CERTS_WRONG_KEY_TYPE);
	ck_assert_int_ne(age_identity_open("/nowhere/staff.key", &descriptor), CERTS_OK);
	char recipient[AGE_RECIPIENT_BYTES], own[64];
	make_key(own, recipient);
	ck_assert_int_eq(chmod(own, 0644), 0);
	ck_assert_int_ne(age_identity_open(own, &descriptor), CERTS_OK);
	ck_assert_int_eq(descriptor, -7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("age_identity");
	TCase *all = tcase_create("age_identity");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, age_opens_with_it_what_it_closed);
	tcase_add_test(all, only_an_ed25519_key_in_a_private_file_opens_anything);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
