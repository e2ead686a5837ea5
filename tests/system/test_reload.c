// SIGHUP on a running broker: what it reads again counts from the next message on, whole or not at all, and the operator is told
// which in one line.
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "certs/key.h"
#include "certs/public_key.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT
#define USER "nobody"

static struct world *world;
static char child[11];

// Without its examples, which say that a receptionist may not look.
static void cut_examples(void)
{
	const char *path = world_path(world, "policy.yaml");
	char *text = world_read_file(path, NULL), *examples = strstr(text, "\nexamples:");
	ck_assert_ptr_nonnull(examples);
	examples[1] = '\0';
	world_write_file(path, text);
	free(text);
}

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	cut_examples();
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

static const char *reload(const char *event)
{
	long mark = world_log_mark(world);
	kill(world_broker_pid(world), SIGHUP);
	world_wait_log(world, mark, event);
	return world_log(world) + mark;
}

#define ASSERT_SAYS(log, text) ck_assert_msg(strstr(log, text) != NULL, "no '%s' in\n%s", text, log)

static void edit(const char *file, const char *from, const char *to)
{
	const char *path = world_path(world, "%s", file);
	char *text = world_read_file(path, NULL), *found = strstr(text, from);
	ck_assert_msg(found != NULL, "%s has no %s", file, from);
	size_t bytes = strlen(text) + strlen(to) + 1;
	char *changed = calloc(1, bytes);
	snprintf(changed, bytes, "%.*s%s%s", (int)(found - text), text, to, found + strlen(from));
	world_write_file(path, changed);
	free(changed);
	free(text);
}

static int receptionist_looks(void)
{
	return world_cpis(world, "receptionist", "query", child, NULL);
}

// ------------------------------------------------------------------ the policy

START_TEST(another_policy_file_comes_into_force_with_a_record)
{
	world_start(world);
	ck_assert_int_eq(receptionist_looks(), 3);
	edit("policy.yaml", "name: Receptionist, activities: []", "name: Receptionist, activities: [B0107]");
	edit("policy.yaml", "name: cpis-default-1", "name: cpis-reloaded");
	ck_assert_int_eq(receptionist_looks(), 3);
	const char *log = reload("reloaded");
	ASSERT_SAYS(log, "policy cpis-reloaded");
	ASSERT_SAYS(log, "in place of cpis-default-1");
	ck_assert_int_eq(receptionist_looks(), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "POLICY_LOAD"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "The policy file was read again at the word of the broker's operator"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "cpis-reloaded"));
	// It is the file's still: another one may come, and the one of the next start is the same.
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "show", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_err(world), "from the broker's own file"));
	edit("policy.yaml", "name: Receptionist, activities: [B0107]", "name: Receptionist, activities: []");
	(void)reload("reloaded");
	ck_assert_int_eq(receptionist_looks(), 3);
	ck_assert_int_eq(world_stop(world), 0);
	world_start(world);
	ck_assert_int_eq(receptionist_looks(), 3);
}
END_TEST

START_TEST(a_bad_policy_file_is_refused_with_its_line_and_nothing_else_counts_either)
{
	world_start(world);
	edit("policy.yaml", "name: Receptionist, activities: []", "name: Receptionist, activities: [B9999]");
	world_configure(world, "busy_after_ms: 77\n");
	const char *log = reload("reload_refused");
	ASSERT_SAYS(log, "policy.yaml:");
	ASSERT_SAYS(log, "B9999");
	ASSERT_SAYS(log, "what was in force before still is");
	ck_assert_int_eq(receptionist_looks(), 3);
	edit("policy.yaml", "name: Receptionist, activities: [B9999]", "name: Receptionist, activities: [B0107]");
	// What was refused then is still a change now.
	log = reload("reloaded");
	ASSERT_SAYS(log, "changed: busy_after_ms");
	ck_assert_int_eq(receptionist_looks(), 0);
}
END_TEST

START_TEST(a_policy_that_was_put_in_force_over_the_broker_goes_before_its_file)
{
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "load", "broker/policy.yaml", "--reason", "agreed by the board on Monday",
				    NULL), 0);
	edit("policy.yaml", "name: Receptionist, activities: []", "name: Receptionist, activities: [B0107]");
	ASSERT_SAYS(reload("reloaded"), "the policy file is good and does not decide: cpis-default-1");
	ck_assert_int_eq(receptionist_looks(), 3);
	// It is checked all the same.
	edit("policy.yaml", "activities: [B0107]}", "activities: [B9999]}");
	ASSERT_SAYS(reload("reload_refused"), "B9999");
}
END_TEST

// ------------------------------------------------------------------ the configuration

START_TEST(what_cannot_change_is_named_and_nothing_is_changed)
{
	world_configure(world, "batch_max: 100\n");
	world_start(world);
	edit("broker.yaml", "batch_max: 100", "batch_max: 101");
	edit("broker.yaml", "endpoint_file: endpoint\n", "endpoint_file: elsewhere\n");
	edit("policy.yaml", "name: Receptionist, activities: []", "name: Receptionist, activities: [B0107]");
	const char *log = reload("reload_refused");
	ASSERT_SAYS(log, "broker.yaml: a running broker cannot change endpoint_file, batch_max");
	ASSERT_SAYS(log, "--take-over");
	ck_assert_int_eq(receptionist_looks(), 3);
	edit("broker.yaml", "batch_max: 101", "batch_max: many");
	ASSERT_SAYS(reload("reload_refused"), "broker.yaml:");
	edit("broker.yaml", "batch_max: many", "batch_max: 100");
	edit("broker.yaml", "endpoint_file: elsewhere\n", "endpoint_file: endpoint\n");
	ASSERT_SAYS(reload("reloaded"), "policy cpis-default-1");
	ASSERT_SAYS(reload("reloaded"), "nothing has changed in the configuration, the policy and the broker's certificate");
	unlink(world_path(world, "policy.yaml"));
	ASSERT_SAYS(reload("reload_refused"), "policy.yaml:");
	ck_assert_int_eq(receptionist_looks(), 0);
}
END_TEST

// One connection a system, and the second pushes the first one's name out: what the front was told it goes by.
START_TEST(limits_of_the_network_front_change_on_open_connections)
{
	world_configure(world, "connections_per_system_max: 64\nconnections_max: 512\nwaiting_max: 64\nwaiting_per_system_max: 64\n"
			       "front_memory_mb: 256\n");
	world_start(world);
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	cpis_reply_free(world_flag(nurse, child, EMERGENCY));
	edit("broker.yaml", "connections_per_system_max: 64", "connections_per_system_max: 1");
	ASSERT_SAYS(reload("reloaded"), "changed: connections_per_system_max");
	cpis_reply_free(world_flag(nurse, child, EMERGENCY));
	struct cpis_client *midwife = world_sign_in(world, "midwife");
	const Cpis__V1__Reply *reply = world_flag(nurse, child, EMERGENCY);
	ck_assert_int_ne(reply->outcome, CPIS__V1__OUTCOME__OK);
	cpis_reply_free(reply);
	cpis_close(nurse);
	cpis_close(midwife);
}
END_TEST

// ------------------------------------------------------------------ certificates and lists

static void issue(const char *file, const struct curve_key_pair *key)
{
	char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES], public_key[256];
	const char *out = world_path(world, "issued"), *authority = world_path(world, "authority");
	snprintf(public_key, sizeof public_key, "%s", world_path(world, "broker.pub"));
	ck_assert(public_key_fingerprint(key->public_key, fingerprint));
	const char *derive[] = {"openssl", "pkey", "-in", world_path(world, "authority/broker/broker.key"), "-pubout", "-out", public_key, NULL};
	ck_assert_int_eq(world_command(world, derive), 0);
	// An authority gives a key one certificate: this one has lost its memory.
	const char *forget[] = {"find", world_path(world, "authority/private/issued"), "-name", "*.pem", "-delete", NULL};
	ck_assert_int_eq(world_command(world, forget), 0);
	int code = world_cpis(world, NULL, "certs", "issue-broker", "--dir", authority, "--broker-name", WORLD_BROKER_NAME, "--public-key",
			      public_key, "--fingerprint", fingerprint, "--days", "20", "--out", out, "--file", file, NULL);
	ck_assert_msg(code == 0, "%s", world_err(world));
}

START_TEST(the_brokers_certificate_is_renewed_for_the_key_it_has_and_for_no_other)
{
	struct curve_key_pair key;
	world_start(world);
	ck_assert_int_eq(curve_key_load(world_path(world, "authority/broker/broker.key"), &key), CERTS_OK);
	issue("renewed", &key);
	ck_assert_int_eq(rename(world_path(world, "issued/renewed.pem"), world_path(world, "authority/broker/broker.pem")), 0);
	ASSERT_SAYS(reload("reloaded"), "the broker's certificate is good until ");
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-broker", "--dir", world_path(world, "authority"), "--broker-name",
				    WORLD_BROKER_NAME, "--out", world_path(world, "other"), NULL), 0);
	char *renewed = world_read_file(world_path(world, "authority/broker/broker.pem"), NULL);
	char *other = world_read_file(world_path(world, "other/broker.pem"), NULL);
	world_write_file(world_path(world, "authority/broker/broker.pem"), other);
	ASSERT_SAYS(reload("reload_refused"), "broker.pem: is for another key than the broker has");
	world_write_file(world_path(world, "authority/broker/broker.pem"), "no certificate\n");
	ASSERT_SAYS(reload("reload_refused"), "broker.pem:");
	world_write_file(world_path(world, "authority/broker/broker.pem"), renewed);
	ASSERT_SAYS(reload("reloaded"), "nothing has changed");
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	free(renewed);
	free(other);
}
END_TEST

START_TEST(a_revocation_counts_from_the_line_that_says_so)
{
	world_start(world);
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	world_revoke(world, world_path(world, "staff/nurse.pem"));
	(void)reload("reloaded");
	const Cpis__V1__Reply *reply = world_flag(nurse, child, EMERGENCY);
	ck_assert_int_ne(reply->outcome, CPIS__V1__OUTCOME__OK);
	cpis_reply_free(reply);
	// A list that is none.
	char *list = world_read_file(world_path(world, "register.yaml"), NULL);
	world_write_file(world_path(world, "register.yaml"), "organisations: none\n");
	ASSERT_SAYS(reload("reload_refused"), "register.yaml:");
	world_write_file(world_path(world, "register.yaml"), list);
	(void)reload("reloaded");
	free(list);
	cpis_close(nurse);
}
END_TEST

// ------------------------------------------------------------------ as a user, and signals

START_TEST(a_file_that_the_user_cannot_read_is_named_at_the_start_and_at_the_reload)
{
	const struct passwd *user = getpwnam(USER);
	ck_assert(geteuid() == 0 && user != NULL);
	world_configure(world, "user: " USER "\n");
	const char *give[] = {"chown", "-R", USER ":", world_path(world, "%s", ""), NULL};
	ck_assert_int_eq(world_command(world, give), 0);
	world_start(world);
	ASSERT_SAYS(reload("reloaded"), "nothing has changed");
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(chown(world_path(world, "broker.yaml"), 0, 0), 0);
	ck_assert_int_eq(chmod(world_path(world, "broker.yaml"), 0600), 0);
	world_start(world);
	ASSERT_SAYS(world_log(world), " reload_impossible SIGHUP will be refused: ");
	ASSERT_SAYS(reload("reload_refused"), "broker.yaml: ");
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	// Nor does it matter that the user cannot even enter the folder.
	ck_assert_int_eq(world_stop(world), 0);
	const char *move[] = {"sh", "-c",
			      "cd \"$0\" && mkdir -m 0700 closed && cp \"$(sed -n 's/^policy_file: //p' broker.yaml)\" closed/policy.yaml && "
			      "sed -i 's|^policy_file: .*|policy_file: closed/policy.yaml|' broker.yaml",
			      world_path(world, "%s", ""), NULL};
	ck_assert_int_eq(world_command(world, move), 0);
	world_start(world);
	ASSERT_SAYS(world_log(world), "closed/policy.yaml: cannot be read by the user " USER);
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
}
END_TEST

// Nobody is cut off by it, and what was asked meanwhile is answered.
START_TEST(a_hundred_signals_harm_nobody)
{
	world_start(world);
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	for (unsigned i = 0; i < 100; i++) {
		kill(world_broker_pid(world), SIGHUP);
		const Cpis__V1__Reply *reply = world_flag(nurse, child, EMERGENCY);
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
		cpis_reply_free(reply);
	}
	ck_assert_ptr_null(strstr(world_log(world), " reload_refused "));
	cpis_close(nurse);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload");
	TCase *tests = tcase_create("reload");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, another_policy_file_comes_into_force_with_a_record);
	tcase_add_test(tests, a_bad_policy_file_is_refused_with_its_line_and_nothing_else_counts_either);
	tcase_add_test(tests, a_policy_that_was_put_in_force_over_the_broker_goes_before_its_file);
	tcase_add_test(tests, what_cannot_change_is_named_and_nothing_is_changed);
	tcase_add_test(tests, limits_of_the_network_front_change_on_open_connections);
	tcase_add_test(tests, the_brokers_certificate_is_renewed_for_the_key_it_has_and_for_no_other);
	tcase_add_test(tests, a_revocation_counts_from_the_line_that_says_so);
	tcase_add_test(tests, a_file_that_the_user_cannot_read_is_named_at_the_start_and_at_the_reload);
	tcase_add_test(tests, a_hundred_signals_harm_nobody);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
