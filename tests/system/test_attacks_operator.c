// What the operator of the broker's host gets to know through our own commands: every file of the host at hand (store and its
// key, the broker's and the log's key, trust, enrolled, register, policy) and even a system's key, but no staff certificate. And
// the limit of that: who holds store and keys can carry them to a broker whose authorities they made themselves.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define USAGE_ERROR 1
#define CANNOT_START 2
#define WORDS_MAX 12
#define PLANS "plans.csv" // in the world's directory

static struct world *world;
static char child[11];
static char host[256]; // a copy of what lies on the broker's host

static int run(const char *const *arguments)
{
	return world_command(world, arguments);
}

static void copy(const char *what)
{
	const char *arguments[] = {"cp", "-a", world_path(world, "%s", what), host, NULL};
	ck_assert_int_eq(run(arguments), 0);
}

// A day's work, and then the operator has a look at what is there.
static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	cpis_close(leeds);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", child, NULL), 0);
	snprintf(host, sizeof host, "%s", world_path(world, "host"));
	ck_assert_int_eq(run((const char *const[]){"mkdir", host, NULL}), 0);
	copy("authority/trust");
	copy("authority/broker");
	copy("authority/enrolled");
	copy("register.yaml");
	copy("policy.yaml");
	copy("store.key");
	char backup[320];
	snprintf(backup, sizeof backup, ".backup %s/store.db", host);
	ck_assert_int_eq(run((const char *const[]){"sqlite3", world_path(world, "store.db"), backup, NULL}), 0);
	snprintf(backup, sizeof backup, "%s/store.db", host);
	ck_assert_int_eq(run((const char *const[]){"chmod", "600", backup, NULL}), 0);
	world_write_file(world_path(world, "plans.csv"),
			 "nhs_number,plan_type,start_date,family_name,given_names,birth_date\n"
			 "9990000026,CPP,2026-01-01,EXAMPLE,ALEX,2016-06-01\n");
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// The register names members of staff by their ids, and is the operator's to keep; but no command repeats even those.
static void assert_nothing_said(const char *by)
{
	const char *const secrets[] = {child, world_person("nurse")->name, world_person("nurse")->uid,
				       world_person("leeds")->name, world_person("leeds")->uid, "0113 496 0000"};
	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
		ck_assert_msg(strstr(world_out(world), secrets[i]) == NULL, "%s said %s", by, secrets[i]);
		ck_assert_msg(strstr(world_err(world), secrets[i]) == NULL, "%s said %s", by, secrets[i]);
	}
}

// ------------------------------------------------------------------ cpis

// Every subcommand that asks the broker. Where a number is asked about it is another child's, so that what is found in the
// output was not put into it.
static const char *const asking[][WORDS_MAX] = {
	{"query", "9990000026"},
	{"query", "--details", "9990000026"},
	{"query", "--details", "--scheduled", "9990000026"},
	{"query", "--details", "--break-glass", "--reason", "the operator is curious", "9990000026"},
	{"publish", "--full", PLANS},
	{"publish", "--now", PLANS},
	{"publish", "--show"},
	{"contacts", "set", "--emergency-duty", "0113 496 0099"},
	{"contacts", "confirm"},
	{"contacts", "show"},
	{"quality"},
	{"inbox", "list", "--all"},
	{"inbox", "follow", "--count", "1"},
	{"inbox", "ack", "1"},
	{"audit", "search"},
	{"audit", "search", "--organisation", "RXH"},
	{"audit", "show", "1"},
	{"alert", "list", "--all"},
	{"alert", "review", "--finding", "appropriate", "--words", "the operator is curious", "1"},
	{"explain", "--uid", "555000000014", "--role", "R8001", "--operation", "details"},
	{"policy", "show"},
	{"policy", "load", "--reason", "the operator is curious", "broker/policy.yaml"},
	{"role", "list"},
	{"role", "grant", "--uid", "555000000014", "--role", "R5105", "--reason", "the operator is curious"},
	{"role", "end", "--uid", "555000000014", "--role", "R5105", "--reason", "the operator is curious"},
	{"role", "end-unused", "--unused-days", "1", "--reason", "the operator is curious"},
	{"quarantine", "list"},
	{"quarantine", "set", "--organisation", "RXH", "--reason", "the operator is curious"},
	{"quarantine", "lift", "--organisation", "RXH", "--reason", "the operator is curious"},
};

static int ask_as(const char *profile, const char *const *words)
{
	char program[300], path[300];
	const char *arguments[WORDS_MAX + 4] = {program, "--profile", path};
	snprintf(program, sizeof program, "%s/cpis", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	snprintf(path, sizeof path, "%s", world_path(world, "profiles/%s.yaml", profile));
	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
		arguments[3 + i] = strcmp(words[i], PLANS) == 0 ? world_path(world, PLANS) : words[i];
	return run(arguments);
}

static void write_profile(const char *name, const char *certificate, const char *key, const char *staff)
{
	char text[2048];
	snprintf(text, sizeof text,
		 "endpoint: %s\nbroker_name: " WORLD_BROKER_NAME "\nbroker_certificate: ../host/broker/broker.pem\n"
		 "trust_directory: ../host/trust\nsystem_certificate: %s\nsystem_key: %s\n%s",
		 world_endpoint(world), certificate, key, staff);
	world_write_file(world_path(world, "profiles/%s.yaml", name), text);
}

static void assert_every_question_fails(const char *profile, const char *why)
{
	for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++) {
		int code = ask_as(profile, asking[i]);
		ck_assert_msg(code != 0, "%s %s was answered", asking[i][0], asking[i][1]);
		ck_assert_msg(strstr(world_err(world), why) != NULL, "%s %s: %s", asking[i][0], asking[i][1],
			      world_err(world));
		assert_nothing_said(asking[i][0]);
	}
}

START_TEST(a_systems_key_without_a_member_of_staff_is_asked_for_one)
{
	write_profile("operator", "../systems/national.pem", "../systems/national.key", "");
	assert_every_question_fails("operator", "names no member of staff");
	ck_assert_int_eq(world_cpis(world, "operator", "ping", NULL), 0);
	assert_nothing_said("ping");
}
END_TEST

// The operator makes an authority, and a guardian of it.
#define OWN_GUARDIAN "staff_certificate: ../own/guardian.pem\nstaff_key: ../own/guardian.key\nrole: R5105\n"
static void make_own_guardian(void)
{
	const char *own = world_path(world, "own");
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "init", "--dir", own, "--broker-name", WORLD_BROKER_NAME,
				    "--log-origin", "cpis.example/audit/test", NULL),
			 0);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-staff", "--dir", own, "--uid", world_person("guardian")->uid,
				    "--name", world_person("guardian")->name, "--out", own, "--file", "guardian", NULL),
			 0);
}

START_TEST(the_brokers_own_key_is_no_systems)
{
	make_own_guardian();
	write_profile("operator", "../host/broker/broker.pem", "../host/broker/broker.key", OWN_GUARDIAN);
	assert_every_question_fails("operator", "broker.pem");
	ck_assert_int_ne(world_cpis(world, "operator", "ping", NULL), 0);
	// Nor any enrolled system's, of which the host has the certificate only.
	write_profile("operator", "../systems/national.pem", "../host/broker/broker.key", OWN_GUARDIAN);
	assert_every_question_fails("operator", "does not belong");
}
END_TEST

START_TEST(a_member_of_staff_of_ones_own_making_is_not_believed)
{
	make_own_guardian();
	write_profile("operator", "../systems/national.pem", "../systems/national.key", OWN_GUARDIAN);
	assert_every_question_fails("operator", "guardian.pem");
	// Past our own library, at the broker: refused, recorded for the system that tried it, and the forged name believed
	// as little as the certificate.
	struct channel *national = channel_open(world, world_path(world, "systems/national.key"));
	struct statement statement = channel_statement(national, "guardian");
	size_t bytes;
	uint8_t *packed = channel_sign_statement(world, &statement, world_path(world, "own/guardian.pem"),
						 world_path(world, "own/guardian.key"), &bytes);
	struct world_trace trace = {.reason_code = "staff_certificate",
				    .organisation = "X26",
				    .system_name = "national-audit-system",
				    .operation = CPIS__V1__OPERATION__SESSION_OPEN};
	world_assert_recorded(world, channel_refused(channel_exchange(national, packed, bytes), "staff_certificate"), &trace);
	free(packed);
	channel_close(national);
}
END_TEST

static void verify(const char *database, int expected)
{
	char path[320], key[320], checkpoint[320];
	snprintf(path, sizeof path, "%s/%s", host, database);
	snprintf(key, sizeof key, "%s/trust/log.vkey", host);
	snprintf(checkpoint, sizeof checkpoint, "%s", world_path(world, "profiles/nurse.checkpoint"));
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", path, "--log-key", key, NULL), expected);
	assert_nothing_said("audit verify");
	ck_assert_int_eq(world_cpis(world, NULL, "--json", "audit", "verify", "--database", path, "--log-key", key,
				    "--checkpoint", checkpoint, NULL),
			 expected);
	assert_nothing_said("audit verify --json");
	ck_assert_str_ne(world_out(world), "");
}

START_TEST(verifying_the_log_names_no_child_and_no_member_of_staff_whether_it_holds_or_not)
{
	static const char *const spoilers[] = {
		"UPDATE audit SET record = zeroblob(10) WHERE idx = 3",
		"UPDATE audit SET person = zeroblob(16) WHERE idx = 3",
		"DELETE FROM audit WHERE idx = 3",
		"DELETE FROM checkpoint",
	};
	char good[320], bad[320], sql[512];
	snprintf(good, sizeof good, "%s/store.db", host);
	snprintf(bad, sizeof bad, "%s/bad.db", host);
	verify("store.db", 0);
	for (size_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
		ck_assert_int_eq(run((const char *const[]){"cp", good, bad, NULL}), 0);
		snprintf(sql, sizeof sql, "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE type = 'trigger';");
		ck_assert_int_eq(run((const char *const[]){"sqlite3", "-cmd", ".dbconfig defensive off", bad, sql, NULL}), 0);
		ck_assert_int_eq(run((const char *const[]){"sqlite3", bad, spoilers[i], NULL}), 0);
		verify("bad.db", 4);
	}
	ck_assert_int_eq(run((const char *const[]){"sqlite3", good, ".dump", NULL}), 0);
	assert_nothing_said("a dump of the database");
}
END_TEST

// The registration authority's commands need its keys, which are not on this host; the rest reads public certificates.
START_TEST(the_commands_for_certificates_make_nothing_without_the_authoritys_keys)
{
	const char *out = world_path(world, "out");
	ck_assert_int_ne(world_cpis(world, NULL, "certs", "issue-staff", "--dir", host, "--uid", "555000000014", "--name",
				    "Nobody Atall", "--out", out, NULL),
			 0);
	ck_assert_int_ne(world_cpis(world, NULL, "certs", "issue-system", "--dir", host, "--ods", "X26", "--name", "stray",
				    "--out", out, NULL),
			 0);
	ck_assert_int_ne(world_cpis(world, NULL, "certs", "issue-broker", "--dir", host, "--broker-name", WORLD_BROKER_NAME,
				    "--out", out, NULL),
			 0);
	ck_assert_int_ne(world_cpis(world, NULL, "certs", "refresh-lists", "--dir", host, NULL), 0);
	ck_assert_int_ne(world_cpis(world, NULL, "certs", "revoke", "--dir", host, world_path(world, "systems/hospital.pem"),
				    NULL),
			 0);
	ck_assert_int_ne(world_cpis(world, NULL, "certs", "init", "--dir", host, "--broker-name", WORLD_BROKER_NAME, NULL), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "show", "--trust", world_path(world, "host/trust"),
				    world_path(world, "host/broker/broker.pem"), NULL),
			 0);
	assert_nothing_said("certs show");
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "check", "--trust", world_path(world, "host/trust"),
				    world_path(world, "host/broker/broker.pem"), NULL),
			 5);
	assert_nothing_said("certs check");
}
END_TEST

// ------------------------------------------------------------------ cpis-broker

static int broker(const char *first, const char *second, const char *third)
{
	char program[300];
	const char *arguments[] = {program, first, second, third, NULL};
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	int code = run(arguments);
	assert_nothing_said(first);
	return code;
}

START_TEST(no_option_of_the_broker_shows_what_is_in_the_store)
{
	char config[300], policy[300], store_key[300], fresh[300];
	snprintf(config, sizeof config, "%s", world_path(world, "broker.yaml"));
	snprintf(policy, sizeof policy, "%s/policy.yaml", host);
	snprintf(store_key, sizeof store_key, "%s/store.key", host);
	snprintf(fresh, sizeof fresh, "%s/fresh.key", host);
	ck_assert_int_eq(broker("--help", NULL, NULL), 0);
	ck_assert_int_eq(broker("--version", NULL, NULL), 0);
	ck_assert_int_eq(broker("--check", config, NULL), 0);
	ck_assert_int_eq(broker("--policy-diff", policy, "broker/policy.yaml"), 0);
	ck_assert_int_eq(broker("--make-store-key", fresh, NULL), 0);
	// Over the one that is there: refused, for it would be the end of the store.
	ck_assert_int_eq(broker("--make-store-key", store_key, NULL), CANNOT_START);
	ck_assert_int_eq(broker("--dump", NULL, NULL), USAGE_ERROR);
	// A second broker on the same store.
	ck_assert_int_eq(broker(config, NULL, NULL), CANNOT_START);
	// Files that are none of its own, in each place: what it says of them is no line of theirs.
	char *text = world_read_file(config, NULL), *wrong = NULL;
	static const char *const places[] = {"register_file: register.yaml", "policy_file: policy.yaml", "store_key: store.key"};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		char *at = strstr(text, places[i]);
		ck_assert_ptr_nonnull(at);
		int name = (int)(strchr(places[i], ':') - places[i]);
		ck_assert_int_gt(asprintf(&wrong, "%.*s%.*s: store.db%s", (int)(at - text), text, name, places[i],
					  at + strlen(places[i])),
				 0);
		world_write_file(world_path(world, "wrong.yaml"), wrong);
		free(wrong);
		ck_assert_int_eq(broker(world_path(world, "wrong.yaml"), NULL, NULL), CANNOT_START);
	}
	free(text);
}
END_TEST

// The limit. Whoever has store, store key and log key can put them under a broker of their own, with authorities of their own
// making, and be its guardian. Nothing in the product prevents it, and the real log does not show it: those keys are the
// secret, and root on that host has them.
START_TEST(who_carries_store_and_keys_to_a_broker_of_their_own_can_read_them_there)
{
	struct world *own = world_new();
	static const char *const carried[][2] = {{"store.db", "store.db"},
						 {"store.key", "store.key"},
						 {"broker/log.key", "authority/broker/log.key"},
						 {"trust/log.vkey", "authority/trust/log.vkey"}};
	for (size_t i = 0; i < sizeof carried / sizeof carried[0]; i++)
		ck_assert_int_eq(run((const char *const[]){"cp", "-p", world_path(world, "host/%s", carried[i][0]),
							   world_path(own, "%s", carried[i][1]), NULL}),
				 0);
	world_start(own);
	ck_assert_int_eq(world_cpis(own, "guardian", "audit", "search", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(own), child));
	ck_assert_ptr_nonnull(strstr(world_out(own), world_person("nurse")->name));
	ck_assert_int_eq(world_stop(own), 0);
	world_free(own);
}
END_TEST

// And under another key the broker does not start at all, rather than know no child.
START_TEST(the_store_without_its_key_starts_no_broker)
{
	int status = 0;
	char other[320];
	snprintf(other, sizeof other, "%s/other.key", host);
	ck_assert_int_eq(broker("--make-store-key", other, NULL), 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(run((const char *const[]){"cp", "-p", other, world_path(world, "store.key"), NULL}), 0);
	long mark = world_log_mark(world);
	world_spawn(world);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert_int_eq(WEXITSTATUS(status), CANNOT_START);
	ck_assert_ptr_nonnull(strstr(world_log(world) + mark, "is this the store's key?"));
	ck_assert_int_eq(run((const char *const[]){"cp", "-p", world_path(world, "host/store.key"),
						   world_path(world, "store.key"), NULL}),
			 0);
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", child, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attacks_operator");
	TCase *tests = tcase_create("operator");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_systems_key_without_a_member_of_staff_is_asked_for_one);
	tcase_add_test(tests, the_brokers_own_key_is_no_systems);
	tcase_add_test(tests, a_member_of_staff_of_ones_own_making_is_not_believed);
	tcase_add_test(tests, verifying_the_log_names_no_child_and_no_member_of_staff_whether_it_holds_or_not);
	tcase_add_test(tests, the_commands_for_certificates_make_nothing_without_the_authoritys_keys);
	tcase_add_test(tests, no_option_of_the_broker_shows_what_is_in_the_store);
	tcase_add_test(tests, who_carries_store_and_keys_to_a_broker_of_their_own_can_read_them_there);
	tcase_add_test(tests, the_store_without_its_key_starts_no_broker);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
