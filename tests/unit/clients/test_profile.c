// Unit tests of clients' profiles, with real files.
#include "clients/cli/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#define NEEDED                                                                                       \
	"endpoint: tcp://127.0.0.1:5671\n"                                                           \
	"broker_name: cpis-1\n"                                                                      \
	"broker_certificate: trust/broker.pem\n"                                                     \
	"trust_directory: /etc/cpis/trust\n"                                                         \
	"system_certificate: systems/hospital.pem\n"                                                 \
	"system_key: systems/hospital.key\n"
#define STAFF "staff_certificate: nurse.pem\nstaff_key: nurse.key\nrole: R8001\n"

static char path[64];
static char detail[PROFILE_DETAIL_BYTES];

static struct profile *load(const char *text)
{
	struct profile *profile = NULL;
	strcpy(path, "/tmp/cpis-profile-XXXXXX");
	int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	bool good = profile_load(path, &profile, detail);
	unlink(path);
	ck_assert(good == (profile != NULL));
	return profile;
}

static void assert_refused(const char *text, const char *what)
{
	ck_assert_ptr_null(load(text));
	ck_assert_msg(strstr(detail, what) != NULL && strstr(detail, path) != NULL, "%s", detail);
}

START_TEST(resolves_relative_paths_from_its_own_directory)
{
	struct profile *profile = load(NEEDED STAFF "care_setting: emergency_department\ncheckpoint_file: c\n");
	ck_assert_ptr_nonnull(profile);
	ck_assert_str_eq(profile->endpoint, "tcp://127.0.0.1:5671");
	ck_assert_str_eq(profile->broker_certificate, "/tmp/trust/broker.pem");
	ck_assert_str_eq(profile->trust_directory, "/etc/cpis/trust");
	ck_assert_str_eq(profile->staff_key, "/tmp/nurse.key");
	ck_assert_str_eq(profile->checkpoint_file, "/tmp/c");
	ck_assert_str_eq(profile->role, "R8001");
	ck_assert_str_eq(profile->care_setting, "emergency_department");
	profile_free(profile);
}
END_TEST

START_TEST(a_key_may_be_a_credential_of_the_service_manager)
{
	static const char staff[] = "staff_certificate: nurse.pem\nstaff_key: credential:nurse.key\nrole: R8001\n";
	char text[sizeof NEEDED + sizeof staff];
	snprintf(text, sizeof text, "%s%s", NEEDED, staff);
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
	struct profile *profile = load(text);
	ck_assert_ptr_nonnull(profile);
	ck_assert_str_eq(profile->staff_key, "/run/credentials/x/nurse.key");
	profile_free(profile);
	unsetenv("CREDENTIALS_DIRECTORY");
	profile = load(text);
	ck_assert_ptr_nonnull(profile);
	ck_assert_str_eq(profile->staff_key, "/tmp/keys/nurse.key");
	profile_free(profile);
	assert_refused(NEEDED "staff_certificate: nurse.pem\nstaff_key: credential:../nurse.key\nrole: R8001\n",
		       "staff_key: what follows credential: is one file's name");
}
END_TEST

START_TEST(says_how_recently_the_log_must_have_been_witnessed)
{
	struct profile *profile = load(NEEDED "witness: warn\nwitness_age_max: 7200\n");
	ck_assert_ptr_nonnull(profile);
	ck_assert_str_eq(profile->witness, "warn");
	ck_assert_uint_eq(profile->witness_age_max_s, 7200);
	profile_free(profile);
	assert_refused(NEEDED "witness: warn\n", "witness and witness_age_max go together");
	assert_refused(NEEDED "witness_age_max: 7200\n", "witness and witness_age_max go together");
	assert_refused(NEEDED "witness: maybe\nwitness_age_max: 7200\n", "witness must be warn or refuse");
	assert_refused(NEEDED "witness: refuse\nwitness_age_max: 0\n", "from 1 to 2678400");
	assert_refused(NEEDED "witness: refuse\nwitness_age_max: 2678401\n", "from 1 to 2678400");
	assert_refused(NEEDED "witness: refuse\nwitness_age_max: 2h\n", "witness_age_max must be a number of seconds");
}
END_TEST

#define FURTHER "brokers:\n  - {endpoint: \"tcp://10.0.0.2:5671\", broker_name: cpis-2, broker_certificate: trust/two.pem}\n"

START_TEST(names_all_brokers_its_own_first)
{
	struct profile *profile = load(NEEDED "checkpoint_file: one.checkpoint\n" FURTHER
				       "  - {endpoint: \"tcp://10.0.0.3:5671\", broker_name: cpis-3, broker_certificate: /three.pem,\n"
				       "     trust_directory: trust-3, checkpoint_file: three.checkpoint}\n");
	ck_assert_msg(profile != NULL, "%s", detail);
	ck_assert_uint_eq(profile_brokers_count(profile), 3);
	struct profile_broker own = profile_broker(profile, 0), second = profile_broker(profile, 1),
			      third = profile_broker(profile, 2);
	ck_assert_str_eq(own.endpoint, "tcp://127.0.0.1:5671");
	ck_assert_str_eq(own.broker_name, "cpis-1");
	ck_assert_str_eq(own.broker_certificate, "/tmp/trust/broker.pem");
	ck_assert_str_eq(own.checkpoint_file, "/tmp/one.checkpoint");
	ck_assert_str_eq(second.endpoint, "tcp://10.0.0.2:5671");
	ck_assert_str_eq(second.broker_name, "cpis-2");
	ck_assert_str_eq(second.broker_certificate, "/tmp/trust/two.pem");
	// The trust bundle is shared where no other one is named; what was seen of a log is not.
	ck_assert_str_eq(second.trust_directory, "/etc/cpis/trust");
	ck_assert_ptr_null(second.checkpoint_file);
	ck_assert_str_eq(third.broker_certificate, "/three.pem");
	ck_assert_str_eq(third.trust_directory, "/tmp/trust-3");
	ck_assert_str_eq(third.checkpoint_file, "/tmp/three.checkpoint");
	profile_free(profile);
	profile = load(NEEDED);
	ck_assert_uint_eq(profile_brokers_count(profile), 1);
	profile_free(profile);
	profile = load(NEEDED "brokers: []\n");
	ck_assert_msg(profile != NULL, "%s", detail);
	ck_assert_uint_eq(profile_brokers_count(profile), 1);
	profile_free(profile);
}
END_TEST

START_TEST(refuses_further_brokers_with_mistakes)
{
	char many[4096] = NEEDED "brokers:\n";
	assert_refused(NEEDED "brokers:\n  - {endpoint: \"tcp://10.0.0.2:5671\", broker_name: cpis-2}\n", "broker_certificate");
	assert_refused(NEEDED FURTHER "  - {endpoint: a, broker_name: b, broker_certificate: c, colour: blue}\n", "colour");
	assert_refused(NEEDED FURTHER "  - {endpoint: \"tcp://10.0.0.2:5671\", broker_name: b, broker_certificate: c}\n",
		       ":9: the broker at tcp://10.0.0.2:5671 stands twice");
	assert_refused(NEEDED "brokers:\n  - {endpoint: \"tcp://127.0.0.1:5671\", broker_name: b, broker_certificate: c}\n",
		       ":8: the broker at tcp://127.0.0.1:5671 stands twice");
	assert_refused(NEEDED "brokers:\n  - {endpoint: a, broker_name: \"b\\tc\", broker_certificate: c}\n",
		       "broker_name has control characters");
	for (unsigned i = 0; i <= PROFILE_BROKERS_MAX; i++)
		snprintf(many + strlen(many), sizeof many - strlen(many),
			 "  - {endpoint: \"tcp://10.0.0.2:%u\", broker_name: b, broker_certificate: c}\n", i);
	assert_refused(many, "brokers");
}
END_TEST

START_TEST(brokers_that_share_a_log_may_stand_in_for_each_other_and_others_not)
{
	struct cpis_broker others[PROFILE_BROKERS_MAX];
	struct cpis_options options;
	struct profile *profile = load(NEEDED "checkpoint_file: one.checkpoint\nshare_log: yes\n" FURTHER);
	ck_assert_msg(profile != NULL, "%s", detail);
	ck_assert_uint_eq(profile_further(profile, others), 1);
	ck_assert_str_eq(others[0].endpoint, "tcp://10.0.0.2:5671");
	ck_assert_str_eq(others[0].broker_name, "cpis-2");
	ck_assert_str_eq(others[0].broker_certificate, "/tmp/trust/two.pem");
	// One log, one memory of it.
	profile_connect_options(profile, 1, &options);
	ck_assert_str_eq(options.endpoint, "tcp://10.0.0.2:5671");
	ck_assert_str_eq(options.checkpoint_file, "/tmp/one.checkpoint");
	ck_assert_uint_eq(options.further_count, 0);
	profile_free(profile);
	profile = load(NEEDED "checkpoint_file: one.checkpoint\nshare_log: no\n" FURTHER);
	ck_assert_msg(profile != NULL, "%s", detail);
	ck_assert_uint_eq(profile_further(profile, others), 0);
	profile_connect_options(profile, 1, &options);
	ck_assert_ptr_null(options.checkpoint_file);
	profile_free(profile);
	profile = load(NEEDED FURTHER);
	ck_assert_uint_eq(profile_further(profile, others), 0);
	profile_free(profile);
	assert_refused(NEEDED "share_log: yes\n", "share_log goes with brokers");
	assert_refused(NEEDED "share_log: may\n" FURTHER, "share_log must be yes or no");
	assert_refused(NEEDED "share_log: yes\nbrokers:\n  - {endpoint: a, broker_name: b, broker_certificate: c, checkpoint_file: d}\n",
		       "with share_log there is one log");
	assert_refused(NEEDED "share_log: yes\nbrokers:\n  - {endpoint: a, broker_name: b, broker_certificate: c, trust_directory: d}\n",
		       "with share_log there is one log");
}
END_TEST

START_TEST(does_without_a_member_of_staff)
{
	struct profile *profile = load(NEEDED);
	ck_assert_ptr_nonnull(profile);
	ck_assert_ptr_null(profile->role);
	ck_assert_ptr_null(profile->checkpoint_file);
	profile_free(profile);
}
END_TEST

START_TEST(refuses_unknown_doubled_and_missing_keys)
{
	assert_refused(NEEDED "colour: blue\n", "colour");
	assert_refused(NEEDED "broker_name: other\n", "broker_name");
	assert_refused("endpoint: tcp://127.0.0.1:5671\n", "broker_name");
	assert_refused("", "");
	assert_refused("- a list\n", "");
}
END_TEST

START_TEST(refuses_half_a_member_of_staff)
{
	assert_refused(NEEDED "role: R8001\n", "go together");
	assert_refused(NEEDED "staff_certificate: a\nstaff_key: b\n", "go together");
}
END_TEST

START_TEST(refuses_words_that_mean_nothing)
{
	assert_refused(NEEDED "staff_certificate: a\nstaff_key: b\nrole: nurse\n", "role code");
	assert_refused(NEEDED "care_setting: kitchen\n", "care_setting");
	assert_refused(NEEDED "checkpoint_file: \"a\\x07\"\n", "control characters");
}
END_TEST

START_TEST(refuses_a_file_that_is_not_there)
{
	struct profile *profile = NULL;
	ck_assert(!profile_load("/tmp/cpis-no-such-profile.yaml", &profile, detail));
	ck_assert_ptr_nonnull(strstr(detail, "/tmp/cpis-no-such-profile.yaml"));
	ck_assert_ptr_null(profile);
	profile_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("profile");
	TCase *tests = tcase_create("profile");
	tcase_add_test(tests, resolves_relative_paths_from_its_own_directory);
	tcase_add_test(tests, a_key_may_be_a_credential_of_the_service_manager);
	tcase_add_test(tests, brokers_that_share_a_log_may_stand_in_for_each_other_and_others_not);
	tcase_add_test(tests, does_without_a_member_of_staff);
	tcase_add_test(tests, says_how_recently_the_log_must_have_been_witnessed);
	tcase_add_test(tests, names_all_brokers_its_own_first);
	tcase_add_test(tests, refuses_further_brokers_with_mistakes);
	tcase_add_test(tests, refuses_unknown_doubled_and_missing_keys);
	tcase_add_test(tests, refuses_half_a_member_of_staff);
	tcase_add_test(tests, refuses_words_that_mean_nothing);
	tcase_add_test(tests, refuses_a_file_that_is_not_there);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
