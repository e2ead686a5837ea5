// Unit tests of the FHIR facade's settings, with real files.
#include "clients/fhir/configuration.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#define NEEDED "listen: 127.0.0.1:443\nhost: fhir.trust.example\ncertificate: fhir.pem\nprofile: facade.yaml\n"

static char path[64];
static char detail[CONFIGURATION_DETAIL_BYTES];

static struct configuration *load(const char *text)
{
	struct configuration *configuration = NULL;
	strcpy(path, "/tmp/cpis-fhir-XXXXXX");
	int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	bool good = configuration_load(path, &configuration, detail);
	unlink(path);
	ck_assert(good == (configuration != NULL));
	return configuration;
}

static void assert_refused(const char *text, const char *what)
{
	ck_assert_ptr_null(load(text));
	ck_assert_msg(strstr(detail, what) != NULL && strstr(detail, path) != NULL, "%s", detail);
}

static void assert_key(const char *text, const char *where)
{
	struct configuration *configuration = load(text);
	ck_assert_msg(configuration != NULL, "%s", detail);
	ck_assert_str_eq(configuration->key, where);
	configuration_free(configuration);
}

START_TEST(resolves_relative_paths_from_its_own_directory)
{
	struct configuration *configuration = load(NEEDED "key: fhir.key\n");
	ck_assert_msg(configuration != NULL, "%s", detail);
	ck_assert_str_eq(configuration->certificate, "/tmp/fhir.pem");
	ck_assert_str_eq(configuration->key, "/tmp/fhir.key");
	ck_assert_str_eq(configuration->profile, "/tmp/facade.yaml");
	ck_assert_uint_eq(configuration->worker_count, 8);
	configuration_free(configuration);
}
END_TEST

START_TEST(the_key_may_be_a_credential_of_the_service_manager)
{
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
	assert_key(NEEDED "key: credential:tls.key\n", "/run/credentials/x/tls.key");
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_key(NEEDED "key: credential:tls.key\n", "/tmp/keys/tls.key");
	assert_refused(NEEDED "key: credential:../tls.key\n", "key: what follows credential: is one file's name");
	assert_refused(NEEDED "key: 'credential:'\n", "key: what follows credential: is one file's name");
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	assert_refused(NEEDED, "key");
	assert_refused(NEEDED "key: k\nlisten: fhir:443\n", "listen");
	assert_refused(NEEDED "key: k\nworkers: \"65\"\n", "workers is 1 to 64");
	assert_refused(NEEDED "key: k\npublic_port: \"0\"\n", "public_port is 1 to 65535");
	assert_refused(NEEDED "key: k\ncare_setting: kitchen\n", "there is no care setting kitchen");
	assert_refused(NEEDED "key: k\ncolour: red\n", "colour");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fhir_configuration");
	TCase *tests = tcase_create("fhir_configuration");
	tcase_add_test(tests, resolves_relative_paths_from_its_own_directory);
	tcase_add_test(tests, the_key_may_be_a_credential_of_the_service_manager);
	tcase_add_test(tests, what_is_wrong_is_named);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
