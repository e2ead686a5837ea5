// Trust bundles with two generations of authorities, and the change from one to the other.
#include "certs/rotation.h"

#include <check.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/authority.h"
#include "certs/note.h"

#define NOW 1795000000000ull
#define DAY (24ull * 3600 * 1000)

enum { OLD, NEW };

static char directory[40];
static char home[2][80], bundle[80], out[80], detail[CERTS_DETAIL_BYTES];
static struct authority_paths systems[2], staff[2], brokers[2];

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char command[400];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	ck_assert_int_eq(system(command), 0);
}

static const char *trust_of(int generation)
{
	static char paths[2][100];
	snprintf(paths[generation], sizeof paths[0], "%s/trust", home[generation]);
	return paths[generation];
}

static void set_up(void)
{
	static const char *const names[] = {"old", "new"};
	snprintf(directory, sizeof directory, "/tmp/cpis-rotation-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(bundle, sizeof bundle, "%s/bundle", directory);
	snprintf(out, sizeof out, "%s/out", directory);
	for (int i = 0; i < 2; i++) {
		snprintf(home[i], sizeof home[i], "%s/%s", directory, names[i]);
		ck_assert_int_eq(authority_init(home[i], "broker-1", "cpis.example/audit", NOW, detail), CERTS_OK);
		ck_assert_int_eq(authority_issue_system(home[i], "RXH", "ed", out, i == OLD ? "s0" : "s1", 365, NOW, &systems[i],
							detail), CERTS_OK);
		ck_assert_int_eq(authority_issue_staff(home[i], "555000000001", "Grace", out, i == OLD ? "p0" : "p1", 365, NOW,
						       &staff[i], detail), CERTS_OK);
		ck_assert_int_eq(authority_issue_broker(home[i], "broker-1", out, i == OLD ? "b0" : "b1", 365, NOW, &brokers[i],
							detail), CERTS_OK);
	}
	// Everybody holds a copy of the old authority's bundle.
	run("cp -r %s %s", trust_of(OLD), bundle);
}

static void tear_down(void)
{
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct trust *load(void)
{
	struct trust *trust = NULL;
	ck_assert_msg(trust_load(bundle, &trust, detail) == CERTS_OK, "%s", detail);
	return trust;
}

// What each kind of certificate of this generation is, the same for all three.
static enum certs_status judge(int generation, uint64_t now_ms)
{
	struct trust *trust = load();
	struct system_identity system;
	struct staff_identity person;
	struct broker_identity broker;
	enum certs_status status = trust_verify_system_file(trust, systems[generation].certificate, now_ms, &system, detail);
	ck_assert_int_eq(trust_verify_staff_file(trust, staff[generation].certificate, now_ms, &person, detail), status);
	ck_assert_int_eq(trust_verify_broker_file(trust, brokers[generation].certificate, "broker-1", now_ms, &broker, detail),
			 status);
	trust_free(trust);
	return status;
}

static void adopt(void)
{
	ck_assert_msg(rotation_adopt(bundle, trust_of(NEW), NOW, detail) == CERTS_OK, "%s", detail);
}

START_TEST(both_generations_hold_during_the_change_and_only_the_new_one_after_it)
{
	ck_assert_int_eq(judge(OLD, NOW), CERTS_OK);
	ck_assert_int_eq(judge(NEW, NOW), CERTS_CHAIN);
	adopt();
	ck_assert_int_eq(judge(OLD, NOW), CERTS_OK);
	ck_assert_int_eq(judge(NEW, NOW), CERTS_OK);
	ck_assert_msg(rotation_finish(bundle, NOW, detail) == CERTS_OK, "%s", detail);
	ck_assert_int_eq(judge(OLD, NOW), CERTS_CHAIN);
	ck_assert_int_eq(judge(NEW, NOW), CERTS_OK);
}
END_TEST

START_TEST(the_logs_key_stays_what_it_was)
{
	char path[120];
	struct note_verifier before, after;
	snprintf(path, sizeof path, "%s/log.vkey", bundle);
	ck_assert_int_eq(note_verifier_load(path, &before), CERTS_OK);
	adopt();
	ck_assert_int_eq(rotation_finish(bundle, NOW, detail), CERTS_OK);
	ck_assert_int_eq(note_verifier_load(path, &after), CERTS_OK);
	ck_assert_mem_eq(before.public_key, after.public_key, KEY_BYTES);
	run("test ! -e %s/next && test ! -e %s.new", bundle, bundle);
}
END_TEST

// Or a rotation would end the witnesses' condition at every client, without a word.
START_TEST(what_the_bundle_says_of_the_log_stays)
{
	run("cd %s && echo quorum > log.policy && cp log.vkey log.previous && cp log.vkey log.succeeded", bundle);
	adopt();
	ck_assert_int_eq(rotation_finish(bundle, NOW, detail), CERTS_OK);
	run("cd %s && test $(cat log.policy) = quorum && cmp log.vkey log.previous && cmp log.vkey log.succeeded", bundle);
}
END_TEST

START_TEST(each_generation_revokes_its_own)
{
	struct system_identity identity;
	struct staff_identity person;
	struct trust *trust = NULL;
	ck_assert_int_eq(authority_revoke(home[NEW], systems[NEW].certificate, NOW, detail), CERTS_OK);
	ck_assert_int_eq(authority_revoke(home[NEW], staff[NEW].certificate, NOW, detail), CERTS_OK);
	adopt();
	trust = load();
	ck_assert_int_eq(trust_verify_system_file(trust, systems[NEW].certificate, NOW, &identity, detail), CERTS_REVOKED);
	ck_assert_str_eq(identity.name, "ed");
	ck_assert_int_eq(trust_verify_system_file(trust, systems[OLD].certificate, NOW, &identity, detail), CERTS_OK);
	ck_assert_int_eq(trust_verify_staff_file(trust, staff[NEW].certificate, NOW, &person, detail), CERTS_REVOKED);
	ck_assert_int_eq(trust_check_staff_serial(trust, &person.serial, NOW), CERTS_REVOKED);
	ck_assert_int_eq(trust_verify_staff_file(trust, staff[OLD].certificate, NOW, &person, detail), CERTS_OK);
	ck_assert_int_eq(trust_check_staff_serial(trust, &person.serial, NOW), CERTS_OK);
	trust_free(trust);
	// And the old one's list, which everybody still reads.
	ck_assert_int_eq(authority_revoke(home[OLD], staff[OLD].certificate, NOW, detail), CERTS_OK);
	run("cp %s/staff.crl.pem %s/", trust_of(OLD), bundle);
	trust = load();
	ck_assert_int_eq(trust_check_staff_serial(trust, &person.serial, NOW), CERTS_REVOKED);
	trust_free(trust);
}
END_TEST

START_TEST(adopting_again_brings_in_newer_lists)
{
	adopt();
	ck_assert_int_eq(authority_revoke(home[NEW], systems[NEW].certificate, NOW, detail), CERTS_OK);
	ck_assert_int_eq(judge(NEW, NOW), CERTS_OK);
	adopt();
	struct trust *trust = load();
	struct system_identity identity;
	ck_assert_int_eq(trust_verify_system_file(trust, systems[NEW].certificate, NOW, &identity, detail), CERTS_REVOKED);
	trust_free(trust);
	run("test ! -e %s/.next", bundle);
}
END_TEST

START_TEST(a_stale_list_of_either_generation_fails_closed)
{
	ck_assert_int_eq(authority_refresh_lists(home[NEW], NOW - 20 * DAY, detail), CERTS_OK);
	adopt();
	struct trust *trust = load();
	struct staff_identity person;
	uint64_t later = NOW + 11 * DAY;
	ck_assert_int_eq(trust_verify_staff_file(trust, staff[OLD].certificate, NOW, &person, detail), CERTS_OK);
	ck_assert_int_eq(trust_check_staff_serial(trust, &person.serial, later), CERTS_CRL);
	ck_assert_uint_lt(trust_crl_next_update_ms(trust), later);
	struct system_identity identity;
	ck_assert_int_eq(trust_verify_system_file(trust, systems[NEW].certificate, later, &identity, detail), CERTS_CRL);
	trust_free(trust);
	ck_assert_int_eq(rotation_adopt(bundle, trust_of(NEW), later, detail), CERTS_CRL);
	ck_assert_int_eq(rotation_finish(bundle, later, detail), CERTS_CRL);
}
END_TEST

START_TEST(an_expired_or_off_profile_certificate_of_the_new_generation_is_named_as_such)
{
	adopt();
	struct trust *trust = load();
	struct system_identity identity;
	struct staff_identity person;
	ck_assert_int_eq(authority_issue_system(home[NEW], "RXH", "short", out, "short", 1, NOW, &systems[NEW], detail),
			 CERTS_OK);
	ck_assert_int_eq(trust_verify_system_file(trust, systems[NEW].certificate, NOW + 2 * DAY, &identity, detail),
			 CERTS_EXPIRED);
	ck_assert_str_eq(identity.name, "short");
	// One generation's staff CA is not the other's systems CA.
	ck_assert_int_eq(trust_verify_system_file(trust, staff[NEW].certificate, NOW, &identity, detail), CERTS_CHAIN);
	ck_assert_int_eq(trust_verify_staff_file(trust, systems[NEW].certificate, NOW, &person, detail), CERTS_CHAIN);
	trust_free(trust);
}
END_TEST

START_TEST(half_a_generation_is_a_broken_bundle)
{
	static const char *const files[] = {"root.pem", "systems-ca.pem", "staff-ca.pem",
					    "root.crl.pem", "systems.crl.pem", "staff.crl.pem"};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct trust *trust = NULL;
		adopt();
		run("rm %s/next/%s", bundle, files[i]);
		ck_assert_int_ne(trust_load(bundle, &trust, detail), CERTS_OK);
		ck_assert_msg(strstr(detail, files[i]) != NULL, "%s", detail);
		ck_assert_int_ne(rotation_finish(bundle, NOW, detail), CERTS_OK);
	}
}
END_TEST

START_TEST(authorities_that_are_no_others_are_refused)
{
	struct trust *trust = NULL;
	ck_assert_int_eq(rotation_adopt(bundle, trust_of(OLD), NOW, detail), CERTS_CHAIN);
	ck_assert_ptr_nonnull(strstr(detail, "in common"));
	run("test ! -e %s/next", bundle);
	// Nor when somebody puts them there by hand.
	run("cp -r %s %s/next", trust_of(OLD), bundle);
	ck_assert_int_eq(trust_load(bundle, &trust, detail), CERTS_CHAIN);
}
END_TEST

START_TEST(what_cannot_be_done_changes_nothing)
{
	ck_assert_int_eq(rotation_finish(bundle, NOW, detail), CERTS_CANNOT_READ);
	ck_assert_ptr_nonnull(strstr(detail, "nothing was adopted"));
	ck_assert_int_ne(rotation_adopt(bundle, "/no/such/bundle", NOW, detail), CERTS_OK);
	ck_assert_int_ne(rotation_adopt("/no/such/bundle", trust_of(NEW), NOW, detail), CERTS_OK);
	ck_assert_int_eq(judge(OLD, NOW), CERTS_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rotation");
	TCase *tests = tcase_create("rotation");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, both_generations_hold_during_the_change_and_only_the_new_one_after_it);
	tcase_add_test(tests, the_logs_key_stays_what_it_was);
	tcase_add_test(tests, what_the_bundle_says_of_the_log_stays);
	tcase_add_test(tests, each_generation_revokes_its_own);
	tcase_add_test(tests, adopting_again_brings_in_newer_lists);
	tcase_add_test(tests, a_stale_list_of_either_generation_fails_closed);
	tcase_add_test(tests, an_expired_or_off_profile_certificate_of_the_new_generation_is_named_as_such);
	tcase_add_test(tests, half_a_generation_is_a_broken_bundle);
	tcase_add_test(tests, authorities_that_are_no_others_are_refused);
	tcase_add_test(tests, what_cannot_be_done_changes_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
