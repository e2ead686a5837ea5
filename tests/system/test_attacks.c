// What somebody tries who has got hold of something: a stolen system key, a connection opened while a right is being
// taken away, the broker's own host. The refusals of single requests are in test_refusals.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define STOLEN "RXH/hospital-record-system"
#define WHY "laptop with the key was stolen"

static struct world *world;
static char child[11];

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	cpis_reply_free(world_publish(leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	cpis_close(leeds);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// The nurse at a second system of the hospital, with its own key.
static void give_the_hospital_a_second_system(void)
{
	char text[4096];
	long mark = world_log_mark(world);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-system", "--dir", world_path(world, "authority"), "--ods",
				    "RXH", "--name", "second-record-system", "--out", world_path(world, "systems"), "--file",
				    "second", NULL),
			 0);
	world_wait_log(world, mark, "register_loaded");
	char *profile = world_read_file(world_path(world, "profiles/nurse.yaml"), NULL), *at = text;
	for (char *line = strtok(profile, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *name = strstr(line, "hospital");
		if (name == NULL)
			at += sprintf(at, "%s\n", line);
		else
			at += sprintf(at, "%.*ssecond%s\n", (int)(name - line), line, name + strlen("hospital"));
	}
	free(profile);
	world_write_file(world_path(world, "profiles/second.yaml"), text);
}

START_TEST(a_stolen_system_key_is_held_back_while_the_hospital_works_on_through_its_second_system)
{
	give_the_hospital_a_second_system();
	struct channel *thief = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel_reply *reply = channel_ping(thief);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	channel_reply_free(reply);
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "set", "--system", STOLEN, "--reason", WHY, NULL), 0);
	reply = channel_ping(thief);
	ck_assert_str_eq(reply->reply->reason_code, "system_quarantined");
	ck_assert_str_eq(reply->record->system_name, "hospital-record-system");
	channel_reply_free(reply);
	ck_assert_int_eq(world_cpis(world, "second", "query", "--details", child, NULL), 0);

	// Then for good: the certificate is revoked, and the thief does not get past the handshake.
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "systems/hospital.pem"));
	world_wait_log(world, mark, "register_loaded");
	struct channel *again = channel_open(world, world_path(world, "systems/hospital.key"));
	ck_assert(!channel_admitted(again));
	reply = channel_ping(thief);
	ck_assert_str_eq(reply->reply->reason_code, "system_revoked");
	channel_reply_free(reply);
	ck_assert_int_eq(world_cpis(world, "second", "query", child, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--organisation", "RXH", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "system_quarantined"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "system_revoked"));
	channel_close(again);
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
		racers[i] = channel_open(world, world_path(world, "systems/hospital.key"));
	world_wait_log(world, mark, "register_loaded");
	for (unsigned i = 0; i < RACERS; i++) {
		// Whether the handshake was before or after, nothing is answered now.
		if (channel_admitted(racers[i])) {
			struct channel_reply *reply = channel_ping(racers[i]);
			ck_assert_str_eq(reply->reply->reason_code, "system_revoked");
			channel_reply_free(reply);
		}
		channel_close(racers[i]);
	}
}
END_TEST

static void assert_nothing_said(void)
{
	const char *secrets[] = {child, world_person("nurse")->name, world_person("nurse")->uid, "0113 496 0000"};
	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
		ck_assert_msg(strstr(world_out(world), secrets[i]) == NULL, "said %s", secrets[i]);
		ck_assert_msg(strstr(world_err(world), secrets[i]) == NULL, "said %s", secrets[i]);
	}
}

START_TEST(an_operator_without_a_staff_key_reads_nothing_through_our_own_commands)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", child, NULL), 0);
	char text[2048];
	// Everything that lies on the broker's host and at the national body's system; no member of staff.
	snprintf(text, sizeof text,
		 "endpoint: %s\nbroker_name: " WORLD_BROKER_NAME "\nbroker_certificate: ../authority/broker/broker.pem\n"
		 "trust_directory: ../authority/trust\nsystem_certificate: ../systems/national.pem\n"
		 "system_key: ../systems/national.key\n",
		 world_endpoint(world));
	world_write_file(world_path(world, "profiles/operator.yaml"), text);
	ck_assert_int_eq(world_cpis(world, "operator", "ping", NULL), 0);
	assert_nothing_said();
	ck_assert_int_eq(world_cpis(world, "operator", "query", child, NULL), 1);
	ck_assert_int_eq(world_cpis(world, "operator", "audit", "search", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "operator", "inbox", "list", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "operator", "role", "list", NULL), 1);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL),
			 0);
	assert_nothing_said();
	const char *sql[] = {"sqlite3", world_path(world, "store.db"), ".dump", NULL};
	ck_assert_int_eq(world_command(world, sql), 0);
	assert_nothing_said();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attacks");
	TCase *tests = tcase_create("attacks");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_stolen_system_key_is_held_back_while_the_hospital_works_on_through_its_second_system);
	tcase_add_test(tests, connections_opened_while_a_certificate_is_revoked_get_no_further_than_the_old_ones);
	tcase_add_test(tests, an_operator_without_a_staff_key_reads_nothing_through_our_own_commands);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
