// What the client library refuses before and beside the broker: files that do not hold, a broker that is not the one, a
// checkpoint that is not its own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <check.h>

#include "certs/note.h"
#include "tests/harness/world.h"
#include "tests/harness/world_brokers.h"
#include "tests/harness/world_client.h"

static struct world *world;
static struct cpis_options options;
static char detail[CPIS_DETAIL_BYTES];

static void setup(void)
{
	world = world_new();
	world_start(world);
	options = world_options(world, "nurse");
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

static void assert_refused(enum cpis_status expected, const char *what)
{
	struct cpis_client *client = NULL;
	enum cpis_status status = cpis_connect(&options, &client, detail);
	ck_assert_msg(status == expected, "%s (%s)", cpis_status_text(status), detail);
	ck_assert_msg(strstr(detail, what) != NULL, "%s", detail);
	ck_assert_ptr_null(client);
}

static enum cpis_status ping(struct cpis_client *client, uint32_t deadline_ms)
{
	Cpis__V1__PingRequest body = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &body;
	enum cpis_status status = cpis_call(client, &request, deadline_ms, &reply);
	if (status == CPIS_OK)
		cpis_reply_free(reply);
	return status;
}

START_TEST(every_option_but_the_checkpoint_file_is_needed)
{
	const char **needed[] = {&options.endpoint,	     &options.broker_name,	  &options.broker_certificate,
				 &options.trust_directory,   &options.system_certificate, &options.system_key};
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		const char *kept = *needed[i];
		*needed[i] = NULL;
		assert_refused(CPIS_USAGE, "missing");
		*needed[i] = kept;
	}
}
END_TEST

START_TEST(an_option_of_a_later_library_is_not_passed_over)
{
	options.reserved[3] = "";
	assert_refused(CPIS_USAGE, "does not know");
}
END_TEST

START_TEST(a_proof_needs_no_client_and_holds_by_the_bundles_key_alone)
{
	struct cpis_client *client = world_connect(world, "nurse");
	Cpis__V1__PingRequest body = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &body;
	const Cpis__V1__Reply *reply = world_call(client, &request);
	cpis_close(client);
	Cpis__V1__Receipt *receipt = reply->receipt;
	ck_assert_msg(cpis_verify_proof(options.trust_directory, receipt, detail) == CPIS_OK, "%s", detail);
	receipt->index++;
	ck_assert_int_eq(cpis_verify_proof(options.trust_directory, receipt, detail), CPIS_RECEIPT);
	receipt->index--;
	receipt->salt.len--;
	ck_assert_int_eq(cpis_verify_proof(options.trust_directory, receipt, detail), CPIS_RECEIPT);
	receipt->salt.len++;
	receipt->record.data[0] ^= 1;
	ck_assert_int_eq(cpis_verify_proof(options.trust_directory, receipt, detail), CPIS_RECEIPT);
	receipt->record.data[0] ^= 1;
	ck_assert_int_eq(cpis_verify_proof(world_path(world, "systems"), receipt, detail), CPIS_TRUST);
	ck_assert_ptr_nonnull(strstr(detail, "log.vkey"));
	ck_assert_int_eq(cpis_verify_proof(NULL, receipt, detail), CPIS_USAGE);
	ck_assert_int_eq(cpis_verify_proof(options.trust_directory, NULL, detail), CPIS_USAGE);
	cpis_reply_free(reply);
}
END_TEST

START_TEST(a_trust_bundle_that_is_not_there_is_named)
{
	options.trust_directory = world_path(world, "nowhere");
	assert_refused(CPIS_TRUST, "nowhere");
}
END_TEST

START_TEST(another_brokers_certificate_is_not_believed)
{
	options.broker_name = "some-other-broker";
	assert_refused(CPIS_BROKER_CERTIFICATE, "");
	options.broker_name = WORLD_BROKER_NAME;
	options.broker_certificate = options.system_certificate;
	assert_refused(CPIS_BROKER_CERTIFICATE, "");
	options.broker_certificate = world_path(world, "authority/broker/broker.pem");
	world_revoke(world, options.broker_certificate);
	assert_refused(CPIS_BROKER_CERTIFICATE, "revoked");
}
END_TEST

START_TEST(ones_own_certificate_and_key_must_hold_and_belong_together)
{
	options.system_key = world_path(world, "systems/ambulance.key");
	assert_refused(CPIS_CREDENTIALS, "does not belong");
	options.system_key = world_path(world, "systems/hospital.key");
	ck_assert_int_eq(chmod(options.system_key, 0644), 0);
	assert_refused(CPIS_CREDENTIALS, "chmod 600");
	ck_assert_int_eq(chmod(options.system_key, 0600), 0);
	options.system_certificate = world_path(world, "staff/nurse.pem");
	assert_refused(CPIS_CREDENTIALS, "");
	options.system_certificate = world_path(world, "systems/hospital.pem");
	world_revoke(world, options.system_certificate);
	assert_refused(CPIS_CREDENTIALS, "revoked");
}
END_TEST

START_TEST(a_member_of_staffs_certificate_and_key_must_belong_together)
{
	struct cpis_client *client = world_connect(world, "nurse");
	const Cpis__V1__Reply *reply = NULL;
	ck_assert_int_eq(cpis_session_open(client, world_path(world, "staff/nurse.pem"),
					   world_path(world, "staff/midwife.key"), "R8001", WORLD_CALL_MS, &reply),
			 CPIS_CREDENTIALS);
	ck_assert_int_eq(cpis_session_open(client, options.system_certificate, world_path(world, "staff/nurse.key"), "R8001",
					   WORLD_CALL_MS, &reply),
			 CPIS_CREDENTIALS);
	ck_assert_int_eq(cpis_session_open(client, NULL, NULL, NULL, WORLD_CALL_MS, &reply), CPIS_USAGE);
	ck_assert_ptr_null(reply);
	cpis_close(client);
}
END_TEST

START_TEST(a_deadline_is_1_to_60000_ms)
{
	struct cpis_client *client = world_connect(world, "nurse");
	ck_assert_int_eq(ping(client, 0), CPIS_USAGE);
	ck_assert_int_eq(ping(client, 60001), CPIS_USAGE);
	ck_assert_int_eq(ping(client, 60000), CPIS_OK);
	cpis_close(client);
}
END_TEST

static void repeat(struct cpis_broker *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i] = (struct cpis_broker){"tcp://127.0.0.1:1", WORLD_BROKER_NAME, options.broker_certificate};
	options.further = list;
	options.further_count = count;
}

START_TEST(a_list_of_brokers_with_a_mistake_is_refused_whole)
{
	struct cpis_broker list[CPIS_FURTHER_MAX + 1];
	repeat(list, CPIS_FURTHER_MAX + 1);
	assert_refused(CPIS_USAGE, "more than 15 further brokers");
	options.further_count = CPIS_FURTHER_MAX;
	list[14].broker_name = NULL;
	assert_refused(CPIS_USAGE, "missing");
	list[14].broker_name = "some-other-broker";
	assert_refused(CPIS_BROKER_CERTIFICATE, "");
	list[14].broker_name = WORLD_BROKER_NAME;
	list[14].endpoint = "127.0.0.1:1";
	assert_refused(CPIS_USAGE, "127.0.0.1:1: not tcp://host:port");
	list[14].endpoint = "tcp://127.0.0.1:1";
	list[14].broker_certificate = world_path(world, "nowhere.pem");
	assert_refused(CPIS_BROKER_CERTIFICATE, "nowhere.pem");
	list[14].broker_certificate = options.broker_certificate;
	struct cpis_client *client = NULL;
	ck_assert_msg(cpis_connect(&options, &client, detail) == CPIS_OK, "%s", detail);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	// Questions come from one broker.
	const Cpis__V1__Reply *reply = NULL;
	ck_assert_int_eq(cpis_responder_register(client, world_path(world, "staff/nurse.key"), CPIS__V1__RESPONDER_KIND__DEMOGRAPHICS,
						 NULL, NULL, WORLD_CALL_MS, &reply),
			 CPIS_USAGE);
	cpis_close(client);
	ck_assert_int_eq(cpis_connect_enrolling(&options, &client, detail), CPIS_USAGE);
}
END_TEST

// As one that is gone; and when all are, that is why.
START_TEST(a_broker_of_several_whose_certificate_was_revoked_is_left_out)
{
	struct cpis_broker list[1];
	struct cpis_client *client = NULL;
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-broker", "--dir", world_path(world, "authority"), "--broker-name", "stolen",
				    "--out", world_path(world, "brokers"), "--file", "stolen", NULL),
			 0);
	const char *stolen = world_path(world, "brokers/stolen.pem");
	world_revoke(world, stolen);
	repeat(list, 1);
	list[0] = (struct cpis_broker){options.endpoint, options.broker_name, options.broker_certificate};
	options.endpoint = "tcp://127.0.0.1:1";
	options.broker_name = "stolen";
	options.broker_certificate = stolen;
	ck_assert_msg(cpis_connect(&options, &client, detail) == CPIS_OK, "%s", detail);
	ck_assert_str_eq(cpis_endpoint(client), list[0].endpoint);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	cpis_close(client);
	list[0] = (struct cpis_broker){options.endpoint, options.broker_name, options.broker_certificate};
	assert_refused(CPIS_BROKER_CERTIFICATE, "revoked");
}
END_TEST

// Under the same key, and not the same log: a list that takes two services for one ends the call, and nothing is got around.
START_TEST(a_broker_with_a_log_of_its_own_does_not_stand_in_for_another)
{
	struct world_broker *other = world_broker_new(world, "other-service");
	struct cpis_broker list[1] = {world_broker_known(other)};
	struct cpis_client *client = NULL;
	world_broker_start(other);
	options.further = list;
	options.further_count = 1;
	ck_assert_msg(cpis_connect(&options, &client, detail) == CPIS_OK, "%s", detail);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	world_kill(world);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_LOG_SHORTENED);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "The log has"));
	cpis_close(client);
	world_broker_free(other);
	world_start(world);
}
END_TEST

START_TEST(nobody_there_and_somebody_elses_key_are_told_apart)
{
	struct cpis_client *client = NULL;
	options.endpoint = "tcp://127.0.0.1:1";
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_int_eq(ping(client, 500), CPIS_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "cannot be reached"));
	cpis_close(client);
	// A second certificate of the same name, and not the key that serves.
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-broker", "--dir", world_path(world, "authority"),
				    "--broker-name", WORLD_BROKER_NAME, "--out", world_path(world, "systems"), "--file",
				    "other-broker", NULL),
			 0);
	options = world_options(world, "nurse");
	options.broker_certificate = world_path(world, "systems/other-broker.pem");
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_int_ne(ping(client, 2000), CPIS_OK);
	cpis_close(client);
}
END_TEST

START_TEST(a_key_that_is_not_admitted_is_told_at_once)
{
	struct cpis_client *client = world_connect(world, "nurse");
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	cpis_close(client);
	long mark = world_log_mark(world);
	// Out of the enrolled ones, and not revoked: the client cannot know.
	const char *move[] = {"sh", "-c", NULL, NULL};
	char command[600];
	snprintf(command, sizeof command, "for f in %s/*.pem; do cmp -s $f %s && rm $f; done; true",
		 world_path(world, "authority/enrolled"), options.system_certificate);
	move[2] = command;
	ck_assert_int_eq(world_command(world, move), 0);
	world_wait_log(world, mark, "register_loaded");
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	uint64_t before_ms = world_monotonic_ms();
	ck_assert_int_eq(ping(client, 60000), CPIS_REFUSED_AT_HANDSHAKE);
	ck_assert_uint_lt(world_monotonic_ms() - before_ms, WORLD_WAIT_MS);
	cpis_close(client);
}
END_TEST

START_TEST(the_newest_checkpoint_is_remembered_over_processes)
{
	struct cpis_client *client = NULL;
	struct stat status;
	const char *path = world_path(world, "newest.checkpoint");
	options.checkpoint_file = path;
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_str_eq(cpis_checkpoint(client), "");
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	char *kept = world_read_file(path, NULL);
	ck_assert_str_eq(kept, cpis_checkpoint(client));
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	cpis_close(client);
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_str_eq(cpis_checkpoint(client), kept);
	free(kept);
	cpis_close(client);
}
END_TEST

// As if another process of this system had been shown it: signed by the log, so many records more than `client` has seen.
static char *write_others_checkpoint(const struct cpis_client *client, uint64_t more)
{
	struct note_verifier log;
	struct checkpoint other;
	struct signing_key *key = NULL;
	static char note[NOTE_BYTES_MAX + 1];
	const char *ours = cpis_checkpoint(client);
	ck_assert_int_eq(note_verifier_load(world_path(world, "authority/trust/log.vkey"), &log), CERTS_OK);
	ck_assert_int_eq(checkpoint_verify(ours, strlen(ours), &log, &other), CERTS_OK);
	other.size += more;
	memset(&other.root, 7, sizeof other.root);
	ck_assert_int_eq(signing_key_load(world_path(world, "authority/broker/log.key"), &key), CERTS_OK);
	ck_assert_int_eq(checkpoint_sign(&other, key, note), CERTS_OK);
	signing_key_free(key);
	world_write_file(options.checkpoint_file, note);
	return note;
}

START_TEST(what_another_process_of_this_system_was_shown_is_not_overwritten)
{
	struct cpis_client *client = NULL;
	char path[256];
	snprintf(path, sizeof path, "%s", world_path(world, "newest.checkpoint"));
	options.checkpoint_file = path;
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	// A larger one: nothing can be said of it yet.
	char *others = write_others_checkpoint(client, 50);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	char *kept = world_read_file(path, NULL);
	ck_assert_str_eq(kept, others);
	free(kept);
	// One of the size that comes next, with another root: there are two logs.
	others = write_others_checkpoint(client, 1);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_LOG_FORKED);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "another process here"));
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), ".evidence-"));
	kept = world_read_file(path, NULL);
	ck_assert_str_eq(kept, others);
	free(kept);
	cpis_close(client);
}
END_TEST

START_TEST(a_checkpoint_file_that_is_not_one_of_this_log_is_refused)
{
	options.checkpoint_file = world_path(world, "newest.checkpoint");
	world_write_file(options.checkpoint_file, "not a checkpoint\n");
	assert_refused(CPIS_STATE, "newest.checkpoint");
	world_write_file(options.checkpoint_file, "");
	assert_refused(CPIS_STATE, "newest.checkpoint");
	// Nor between two replies: one that is ours but for its last byte.
	struct cpis_client *client = NULL;
	char path[256];
	snprintf(path, sizeof path, "%s", world_path(world, "changed.checkpoint"));
	options.checkpoint_file = path;
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	size_t bytes;
	char *kept = world_read_file(path, &bytes);
	kept[bytes - 3] = kept[bytes - 3] == 'A' ? 'B' : 'A';
	world_write_file(path, kept);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_STATE);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "was not signed by this audit log"));
	free(kept);
	cpis_close(client);
	options.checkpoint_file = world_path(world, "no-such-folder/newest.checkpoint");
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_STATE);
	cpis_close(client);
}
END_TEST

START_TEST(a_broker_that_restarts_is_found_again_within_a_call)
{
	struct cpis_client *client = world_connect(world, "nurse");
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	world_kill(world);
	ck_assert_int_ne(ping(client, 300), CPIS_OK);
	world_start(world);
	ck_assert_int_eq(ping(client, WORLD_CALL_MS), CPIS_OK);
	cpis_close(client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("libcpis");
	TCase *tests = tcase_create("libcpis");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, every_option_but_the_checkpoint_file_is_needed);
	tcase_add_test(tests, an_option_of_a_later_library_is_not_passed_over);
	tcase_add_test(tests, a_proof_needs_no_client_and_holds_by_the_bundles_key_alone);
	tcase_add_test(tests, a_trust_bundle_that_is_not_there_is_named);
	tcase_add_test(tests, another_brokers_certificate_is_not_believed);
	tcase_add_test(tests, ones_own_certificate_and_key_must_hold_and_belong_together);
	tcase_add_test(tests, a_member_of_staffs_certificate_and_key_must_belong_together);
	tcase_add_test(tests, a_deadline_is_1_to_60000_ms);
	tcase_add_test(tests, a_list_of_brokers_with_a_mistake_is_refused_whole);
	tcase_add_test(tests, a_broker_of_several_whose_certificate_was_revoked_is_left_out);
	tcase_add_test(tests, a_broker_with_a_log_of_its_own_does_not_stand_in_for_another);
	tcase_add_test(tests, nobody_there_and_somebody_elses_key_are_told_apart);
	tcase_add_test(tests, a_key_that_is_not_admitted_is_told_at_once);
	tcase_add_test(tests, the_newest_checkpoint_is_remembered_over_processes);
	tcase_add_test(tests, what_another_process_of_this_system_was_shown_is_not_overwritten);
	tcase_add_test(tests, a_checkpoint_file_that_is_not_one_of_this_log_is_refused);
	tcase_add_test(tests, a_broker_that_restarts_is_found_again_within_a_call);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
