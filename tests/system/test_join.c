// A broker on a machine of its own joins the first one before one PostgreSQL: it is given the shared keys in a file, sealed for it.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "broker/limits.h"
#include "tests/harness/channel.h"
#include "tests/harness/postgres.h"
#include "tests/harness/world.h"
#include "tests/harness/world_brokers.h"

#define NEW_KEYS 4
enum { DONE = 0, CANNOT = 2, SHELL_SIGXFSZ = 128 + 25 };

static const char *const new_keys[NEW_KEYS] = {"new/store.key", "new/session.key", "new/previous.key", "new/log.key"};
static const char *const old_keys[NEW_KEYS] = {"store.key", "session.key", "previous.key", "authority/broker/log.key"};
static struct postgres postgres;
static struct world *world;
static struct world_broker *other;
static char program[PATH_MAX], first[POSTGRES_CONNINFO_BYTES], second[POSTGRES_CONNINFO_BYTES];

static int broker(const char *option, const char *a, const char *b, const char *c)
{
	const char *const command[] = {program, option, a, b, c, NULL};
	return world_command(world, command);
}

static void write_new_config(const char *session_keys)
{
	char text[4096];
	snprintf(text, sizeof text,
		 "broker_name: second-broker\nendpoint: %s\ncertificate: brokers/second-broker.pem\nkey: brokers/second-broker.key\n"
		 "log_key: new/log.key\ntrust_directory: authority/trust\nenrolled_directory: authority/enrolled\n"
		 "register_file: register.yaml\npolicy_file: policy.yaml\nstore_postgres: %s\nstore_lone_server: yes\n"
		 "store_key: new/store.key\n%s",
		 world_broker_endpoint(other), second, session_keys);
	world_write_file(world_path(world, "broker-second-broker.yaml"), text);
}

static void setup(void)
{
	char migrator[POSTGRES_CONNINFO_BYTES];
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	postgres_conninfo(&postgres, "broker1", "cpis", first);
	postgres_conninfo(&postgres, "broker2", "cpis", second);
	world = world_new();
	world_use_postgres(world, first);
	world_configure(world, "session_key: session.key\nsession_key_previous: previous.key\n");
	ck_assert_int_eq(broker("--make-store-key", world_path(world, "session.key"), NULL, NULL), DONE);
	ck_assert_int_eq(broker("--make-store-key", world_path(world, "previous.key"), NULL, NULL), DONE);
	ck_assert_msg(broker("--migrate", migrator, NULL, NULL) == DONE, "%s", world_err(world));
	other = world_broker_new(world, "second-broker");
	ck_assert_int_eq(mkdir(world_path(world, "new"), 0700), 0);
	write_new_config("session_key: new/session.key\nsession_key_previous: new/previous.key\n");
}

static void teardown(void)
{
	world_broker_free(other);
	world_free(world);
	postgres_remove_database(&postgres, "cpis");
}

static int share(const char *certificate, const char *to)
{
	return broker("--share", world_path(world, "broker.yaml"), world_path(world, "%s", certificate), world_path(world, "%s", to));
}

static int join(const char *from)
{
	return broker("--join", world_path(world, "broker-second-broker.yaml"), world_path(world, "%s", from), NULL);
}

static void assert_shared(void)
{
	ck_assert_msg(share("brokers/second-broker.pem", "keys.share") == DONE, "%s", world_err(world));
}

static void assert_refused(int code, const char *sentence)
{
	ck_assert_int_eq(code, CANNOT);
	ck_assert_msg(strstr(world_err(world), sentence) != NULL, "%s", world_err(world));
	ck_assert_str_eq(world_out(world), "");
}

static bool is_there(const char *name)
{
	return access(world_path(world, "%s", name), F_OK) == 0;
}

static void assert_nothing_written(void)
{
	for (unsigned i = 0; i < NEW_KEYS; i++)
		ck_assert_msg(!is_there(new_keys[i]), "%s", new_keys[i]);
}

// The same bytes as the first broker's, for their owner alone, and nothing beside them.
static void assert_all_written(void)
{
	for (unsigned i = 0; i < NEW_KEYS; i++) {
		struct stat status;
		char aside[64];
		char *wanted = world_read_file(world_path(world, "%s", old_keys[i]), NULL);
		char *found = world_read_file(world_path(world, "%s", new_keys[i]), NULL);
		ck_assert_str_eq(found, wanted);
		ck_assert_int_eq(stat(world_path(world, "%s", new_keys[i]), &status), 0);
		ck_assert_uint_eq(status.st_mode & 0777, 0600);
		snprintf(aside, sizeof aside, "%s.joining", new_keys[i]);
		ck_assert(!is_there(aside));
		free(wanted);
		free(found);
	}
}

// Nothing of any key stands in the file, or is printed.
static void assert_tells_no_key(void)
{
	size_t bytes = 0;
	char *file = world_read_file(world_path(world, "keys.share"), &bytes);
	for (unsigned i = 0; i < NEW_KEYS; i++) {
		char *key = world_read_file(world_path(world, "%s", old_keys[i]), NULL), part[17];
		// Of the log's key the line after the heading.
		const char *from = strchr(key, '\n')[1] != '\0' ? strchr(key, '\n') + 20 : key;
		snprintf(part, sizeof part, "%.16s", from);
		ck_assert_ptr_null(memmem(file, bytes, part, 16));
		ck_assert_ptr_null(strstr(world_out(world), part));
		ck_assert_ptr_null(strstr(world_err(world), part));
		free(key);
	}
	free(file);
}

// Something that the log has, sealed with the shared keys, before anybody joins.
static void record_something(void)
{
	ck_assert_msg(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", "--office-hours", "0113 496 0100",
				 NULL) == 0, "%s", world_err(world));
}

// A look at the second broker, in a session that was opened at the first.
static void assert_session_goes_on(void)
{
	static uint8_t token[1024];
	char child[11];
	struct channel *hospital = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel_reply *reply = channel_open_session(world, hospital, "nurse");
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	size_t bytes = reply->reply->session_open->session_token.len;
	ck_assert_uint_le(bytes, sizeof token);
	memcpy(token, reply->reply->session_open->session_token.data, bytes);
	channel_reply_free(reply);
	channel_close(hospital);
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	world_nhs_number(0, child);
	flag.nhs_number = child;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	request.session_token = (ProtobufCBinaryData){bytes, token};
	hospital = channel_open_at(world, world_broker_endpoint(other), world_path(world, "brokers/second-broker.key"),
				   world_path(world, "systems/hospital.key"));
	reply = channel_request(hospital, &request);
	ck_assert_msg(reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
	channel_reply_free(reply);
	channel_close(hospital);
}

START_TEST(a_new_broker_joins_and_goes_on_with_a_session_of_the_first)
{
	struct stat status;
	world_start(world);
	record_something();
	assert_shared();
	assert_tells_no_key();
	ck_assert_int_eq(stat(world_path(world, "keys.share"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert_msg(join("keys.share") == DONE, "%s", world_err(world));
	unsigned long long records = 0;
	ck_assert_msg(sscanf(world_out(world), "joined: the log has %llu records", &records) == 1 && records > 0, "%s", world_out(world));
	assert_tells_no_key();
	assert_all_written();
	// Again, and nothing changes.
	ck_assert_msg(join("keys.share") == DONE, "%s", world_err(world));
	assert_all_written();
	world_broker_start(other);
	assert_session_goes_on();
	world_broker_stop(other);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(keys_are_shared_with_another_broker_of_the_same_authority_only)
{
	assert_refused(share("authority/broker/broker.pem", "keys.share"), "this broker's own name");
	assert_refused(share("systems/leeds.pem", "keys.share"), "is not a broker's certificate");
	assert_refused(share("nothing.pem", "keys.share"), "nothing.pem");
	assert_shared();
	assert_refused(share("brokers/second-broker.pem", "keys.share"), "is there already");
	world_revoke(world, world_path(world, "brokers/second-broker.pem"));
	assert_refused(share("brokers/second-broker.pem", "late.share"), "revoked");
	ck_assert(!is_there("late.share"));
}
END_TEST

START_TEST(the_broker_of_a_file_shares_with_nobody)
{
	char *config = world_read_file(world_path(world, "broker-second-broker.yaml"), NULL), *at = strstr(config, "store_postgres");
	char text[4096];
	assert_shared();
	snprintf(text, sizeof text, "%.*sstore_file: new/store.db\nstore_key: store.key\n", (int)(at - config), config);
	// With the log's key at hand, so that only the store is wrong.
	memcpy(strstr(text, "log_key: new/log.key"), "log_key: ./././l.key", 20);
	free(config);
	char *key = world_read_file(world_path(world, "authority/broker/log.key"), NULL);
	world_write_file(world_path(world, "l.key"), key);
	ck_assert_int_eq(chmod(world_path(world, "l.key"), 0600), 0);
	free(key);
	world_write_file(world_path(world, "broker-second-broker.yaml"), text);
	assert_refused(join("keys.share"), "--join is for a store_postgres");
	assert_refused(broker("--share", world_path(world, "broker-second-broker.yaml"), world_path(world, "authority/broker/broker.pem"),
			      world_path(world, "late.share")),
		       "--share is for a store_postgres");
	assert_nothing_written();
}
END_TEST

START_TEST(a_file_that_is_not_for_this_broker_or_not_whole_writes_nothing)
{
	size_t bytes = 0;
	struct world_broker *third = world_broker_new(world, "third-broker");
	ck_assert_int_eq(share("brokers/third-broker.pem", "third.share"), DONE);
	assert_refused(join("third.share"), "is for the broker third-broker, and this is second-broker");
	assert_refused(join("nothing.share"), "No such file");
	assert_refused(join("new"), "is not a file");
	assert_shared();
	char *file = world_read_file(world_path(world, "keys.share"), &bytes);
	ck_assert_int_eq(truncate(world_path(world, "keys.share"), (off_t)bytes - 1), 0);
	assert_refused(join("keys.share"), "was changed or cut");
	ck_assert_int_eq(truncate(world_path(world, "keys.share"), SHARE_BYTES_MAX + 1), 0);
	assert_refused(join("keys.share"), "is too long");
	world_write_file(world_path(world, "keys.share"), "BEGIN\n");
	assert_refused(join("keys.share"), "is not a file that --share made");
	free(file);
	assert_nothing_written();
	world_broker_free(third);
}
END_TEST

START_TEST(settings_that_differ_from_the_first_brokers_are_named)
{
	assert_shared();
	write_new_config("session_key: new/session.key\n");
	assert_refused(join("keys.share"), "session_key_previous is missing");
	write_new_config("");
	assert_refused(join("keys.share"), "session_key is missing");
	assert_nothing_written();
}
END_TEST

START_TEST(another_key_that_is_there_is_left_and_nothing_is_written)
{
	assert_shared();
	ck_assert_int_eq(broker("--make-store-key", world_path(world, "new/previous.key"), NULL, NULL), DONE);
	char *before = world_read_file(world_path(world, "new/previous.key"), NULL);
	assert_refused(join("keys.share"), "is there with another key");
	char *after = world_read_file(world_path(world, "new/previous.key"), NULL);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	ck_assert_int_eq(unlink(world_path(world, "new/previous.key")), 0);
	assert_nothing_written();
}
END_TEST

// The file is good, and the key in it is not that of the database.
START_TEST(keys_of_another_database_are_told)
{
	world_start(world);
	record_something();
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(rename(world_path(world, "session.key"), world_path(world, "store.key")), 0);
	ck_assert_int_eq(broker("--make-store-key", world_path(world, "session.key"), NULL, NULL), DONE);
	assert_shared();
	assert_refused(join("keys.share"), "the store cannot be opened with them: ");
	ck_assert_ptr_nonnull(strstr(world_err(world), "is this the store's key?"));
}
END_TEST

// Killed by the kernel in the middle of a file that is longer than it may write: in the first one, and in the fourth.
START_TEST(killed_between_two_files_it_goes_on_when_it_is_said_again)
{
	static const unsigned limits[] = {10, 70}, written[] = {0, 3};
	world_start(world);
	assert_shared();
	for (unsigned i = 0; i < 2; i++) {
		char script[3 * PATH_MAX];
		snprintf(script, sizeof script, "prlimit --fsize=%u %s --join %s %s; exit $?", limits[i], program,
			 world_path(world, "broker-second-broker.yaml"), world_path(world, "keys.share"));
		const char *const command[] = {"sh", "-c", script, NULL};
		ck_assert_msg(world_command(world, command) == SHELL_SIGXFSZ, "%s", world_err(world));
		for (unsigned k = 0; k < NEW_KEYS; k++)
			ck_assert_int_eq(is_there(new_keys[k]), k < written[i]);
		ck_assert(is_there(i == 0 ? "new/store.key.joining" : "new/log.key.joining"));
	}
	ck_assert_msg(join("keys.share") == DONE, "%s", world_err(world));
	assert_all_written();
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("join");
	TCase *tests = tcase_create("join");
	postgres_start(&postgres, NULL);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_new_broker_joins_and_goes_on_with_a_session_of_the_first);
	tcase_add_test(tests, keys_are_shared_with_another_broker_of_the_same_authority_only);
	tcase_add_test(tests, the_broker_of_a_file_shares_with_nobody);
	tcase_add_test(tests, a_file_that_is_not_for_this_broker_or_not_whole_writes_nothing);
	tcase_add_test(tests, settings_that_differ_from_the_first_brokers_are_named);
	tcase_add_test(tests, another_key_that_is_there_is_left_and_nothing_is_written);
	tcase_add_test(tests, keys_of_another_database_are_told);
	tcase_add_test(tests, killed_between_two_files_it_goes_on_when_it_is_said_again);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&postgres);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
