// What somebody tries who has got hold of a system's key: uses it until it is taken out of service, races its revocation, has
// it certified a second time. The refusals of single requests are in test_refusals.c, other attacks in test_attacks_*.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "certs/authority_priv.h"
#include "certs/certificate_priv.h"
#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define STOLEN "RXH/hospital-record-system"
#define WHY "laptop with the key was stolen"

static struct world *world;
static char child[11];
static long begun; // where the broker's log was then

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
	begun = world_log_mark(world);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	cpis_close(leeds);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// Issues a certificate of the hospital's, with a new key, to systems/<file>, and waits until the broker has seen it.
static void issue(const char *name, const char *file)
{
	long mark = world_log_mark(world);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-system", "--dir", world_path(world, "authority"), "--ods",
				    "RXH", "--name", name, "--out", world_path(world, "systems"), "--file", file, NULL),
			 0);
	world_wait_log(world, mark, "register_loaded");
}

// The nurse at another system of the hospital: profiles/<file>.yaml.
static void give_the_nurse_a_profile(const char *file)
{
	char text[4096], *at = text;
	char *profile = world_read_file(world_path(world, "profiles/nurse.yaml"), NULL);
	for (char *line = strtok(profile, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *name = strstr(line, "hospital");
		if (name == NULL)
			at += sprintf(at, "%s\n", line);
		else
			at += sprintf(at, "%.*s%s%s\n", (int)(name - line), line, file, name + strlen("hospital"));
	}
	free(profile);
	world_write_file(world_path(world, "profiles/%s.yaml", file), text);
}

static struct channel *open_with(const char *file)
{
	return channel_open(world, world_path(world, "systems/%s.key", file));
}

static void assert_ok(struct channel_reply *reply)
{
	ck_assert_msg(reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
	channel_reply_free(reply);
}

// Refused, and a reviewer finds which system was used.
static void assert_held(struct channel *channel, const char *reason_code)
{
	struct world_trace trace = {
		.reason_code = reason_code, .organisation = "RXH", .system_name = "hospital-record-system"};
	world_assert_recorded(world, channel_refused(channel_ping(channel), reason_code), &trace);
}

// Both logs say so, and why; the audit log of the first one at once.
static void assert_not_admitted(const char *file, const char *reason_code)
{
	char line[64];
	long mark = world_log_mark(world);
	struct channel *channel = open_with(file);
	ck_assert(!channel_admitted(channel));
	world_wait_log(world, mark, "handshake_refused");
	const uint8_t *key = channel_key(channel);
	snprintf(line, sizeof line, "key %02x%02x%02x%02x from 127.0.0.1", key[0], key[1], key[2], key[3]);
	ck_assert_ptr_nonnull(strstr(world_log(world) + mark, line));
	world_wait_log(world, begun, reason_code);
	struct world_handshakes found = world_handshakes(world, reason_code);
	ck_assert_uint_ge(found.records, 1);
	ck_assert_msg(strstr(found.target, line) != NULL, "%s: %s", reason_code, found.target);
	channel_close(channel);
}

static void assert_nurse_works(const char *profile)
{
	ck_assert_int_eq(world_cpis(world, profile, "query", "--details", child, NULL), 0);
}

static void quarantine(const char *what)
{
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", what, "--system", STOLEN, "--reason", WHY, NULL), 0);
}

START_TEST(a_stolen_system_key_is_held_back_and_rotated_while_the_hospital_works_on_through_its_second_system)
{
	issue("second-record-system", "second");
	give_the_nurse_a_profile("second");
	struct channel *thief = open_with("hospital");
	assert_ok(channel_ping(thief));
	assert_nurse_works("second");

	// At once: nothing is answered to the key, on the thief's open connection either.
	quarantine("set");
	assert_held(thief, "system_quarantined");
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 3);
	assert_nurse_works("second");

	// A new key under the old name. The name is held back, and the old certificate still holds, so it has to wait.
	issue("hospital-record-system", "rotated");
	give_the_nurse_a_profile("rotated");
	struct channel *rotated = open_with("rotated");
	assert_held(rotated, "system_quarantined");
	assert_held(thief, "system_quarantined");
	assert_nurse_works("second");

	// For good: the old certificate is revoked, so the name can be let go. The old key is nobody's any more.
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "systems/hospital.pem"));
	world_wait_log(world, mark, "register_loaded");
	quarantine("lift");
	assert_held(thief, "system_revoked");
	assert_not_admitted("hospital", "handshake_revoked");
	assert_ok(channel_ping(rotated));
	assert_nurse_works("rotated");
	assert_nurse_works("second");
	channel_close(rotated);
	channel_close(thief);
}
END_TEST

START_TEST(connections_opened_while_a_certificate_is_revoked_get_no_further_than_the_old_ones)
{
	enum { RACERS = 20 };
	struct channel *racers[RACERS];
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "systems/hospital.pem"));
	for (unsigned i = 0; i < RACERS; i++)
		racers[i] = open_with("hospital");
	world_wait_log(world, mark, "register_loaded");
	for (unsigned i = 0; i < RACERS; i++) {
		// Whether the handshake was before or after, nothing is answered now.
		if (channel_admitted(racers[i]))
			assert_held(racers[i], "system_revoked");
		channel_close(racers[i]);
	}
	assert_not_admitted("hospital", "handshake_revoked");
}
END_TEST

// A second certificate for the key in the first, as a careless or deceived authority would issue it.
static void certify_again(const char *first, const char *organisation, const char *name)
{
	struct issuer by = {0};
	struct curve_key_pair key;
	struct profile_subject subject;
	const char *why = "";
	char detail[CERTS_DETAIL_BYTES];
	X509 *twin = NULL;
	struct issue_dates dates = {world_now_ms() - 1000, world_now_ms() + AUTHORITY_DAY_MS};
	ck_assert_int_eq(curve_key_load(world_path(world, "systems/%s.key", first), &key), CERTS_OK);
	ck_assert_int_eq(certificate_from_file(world_path(world, "authority/trust/systems-ca.pem"), &by.certificate), CERTS_OK);
	ck_assert_int_eq(signing_key_load(world_path(world, "authority/private/systems-ca.key"), &by.key), CERTS_OK);
	ck_assert_int_eq(profile_subject_make(CERTIFICATE_SYSTEM, organisation, NULL, name, &subject, &why), CERTS_OK);
	ck_assert_int_eq(issue_certificate(CERTIFICATE_SYSTEM, &subject, key.public_key, &by, dates, &twin), CERTS_OK);
	long mark = world_log_mark(world);
	ck_assert_int_eq(authority_record(twin, world_path(world, "authority"), "enrolled", detail), CERTS_OK);
	world_wait_log(world, mark, "register_loaded");
	X509_free(twin);
	authority_issuer_done(&by);
	curve_key_wipe(&key);
}

// Whose connection it is could not be told: the ambulance service's system is not to act as the hospital, nor the reverse.
START_TEST(two_systems_with_one_key_are_both_refused)
{
	static const struct {
		const char *organisation, *name;
	} twins[] = {{"RYD", "twin-record-system"}, {"RXH", "twin-record-system"}, {"RXH", "hospital-record-system"}};
	struct channel *open = open_with("hospital");
	assert_ok(channel_ping(open));
	certify_again("hospital", twins[_i].organisation, twins[_i].name);
	uint64_t index = channel_refused(channel_ping(open), "system_invalid");
	// Under which of the two names it stands is as it comes; one of them it is.
	struct world_trace trace = {.reason_code = "system_invalid"};
	world_assert_recorded(world, index, &trace);
	ck_assert_ptr_nonnull(strstr(world_log(world) + begun, "have certificates for one key: neither is admitted"));
	assert_not_admitted("hospital", "handshake_certificate");
	// Nobody else is hurt.
	struct channel *ambulance = open_with("ambulance");
	assert_ok(channel_ping(ambulance));
	channel_close(ambulance);
	// Even with one of the two revoked the key stays compromised.
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "systems/hospital.pem"));
	world_wait_log(world, mark, "register_loaded");
	(void)channel_refused(channel_ping(open), "system_revoked");
	assert_not_admitted("hospital", "handshake_revoked");
	channel_close(open);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attacks");
	TCase *tests = tcase_create("attacks");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests,
		       a_stolen_system_key_is_held_back_and_rotated_while_the_hospital_works_on_through_its_second_system);
	tcase_add_test(tests, connections_opened_while_a_certificate_is_revoked_get_no_further_than_the_old_ones);
	tcase_add_loop_test(tests, two_systems_with_one_key_are_both_refused, 0, 3);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
