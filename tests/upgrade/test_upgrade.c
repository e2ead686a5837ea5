// This release beside earlier ones, with their own programs: clients of one with the broker of the other, and a broker that is replaced
// under load, forth and back. `make test-upgrade` builds the earlier ones (previous.sh):
//
//	client    of the same protocol, some weeks older
//	store     with the schema of the store before
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world_handover.h"

#define OLDER "build/previous/client/source"
#define OLDER_STORE "build/previous/store/source"
#define CLIENTS 4

static struct world *world;
static char child[11];

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
}

static void teardown(void)
{
	world_free(world);
}

#define ASSERT_SAYS(log, text) ck_assert_msg(strstr(log, text) != NULL, "no '%s' in\n%s", text, log)

static void publish(void)
{
	char row[256];
	snprintf(row, sizeof row,
		 "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
		 "%s,CPP,2020-01-02,,,L1,EXAMPLE,ALEX,2016-06-01\n", child);
	world_write_file(world_path(world, "leeds.csv"), row);
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0001", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--now", world_path(world, "leeds.csv"), NULL), 0);
}

// With whatever `cpis` the world runs.
static void main_job(void)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	publish();
	ck_assert_msg(world_cpis(world, "nurse", "query", child, "--details", NULL) == 0, "%s", world_err(world));
	ASSERT_SAYS(world_out(world), "0113 496 0001");
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ASSERT_SAYS(world_out(world), "RXH");
	ck_assert_int_eq(world_cpis(world, "receptionist", "query", child, NULL), 3);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, NULL), 0);
	ASSERT_SAYS(world_out(world), "DETAILS");
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "show", NULL), 0);
}

// Files that the older broker understands: its own policy, without the bounds, as world_furnish.c has it.
static void use_files_of(const char *source)
{
	char path[512], line[4096];
	snprintf(path, sizeof path, "%s/broker/policy.yaml", source);
	FILE *from = fopen(path, "re"), *to = fopen(world_path(world, "policy.yaml"), "we");
	ck_assert(from != NULL && to != NULL);
	while (fgets(line, sizeof line, from) != NULL)
		if (strstr(line, "person_per_minute:") == NULL)
			ck_assert_int_ge(fputs(line, to), 0);
	fclose(from);
	ck_assert_int_eq(fclose(to), 0);
	// And the register without what only a later one knows.
	static const char begin[] = ", incident: {", end[] = "]}";
	char *text = world_read_file(world_path(world, "register.yaml"), NULL), *found;
	while ((found = strstr(text, begin)) != NULL) {
		char *rest = strstr(found, end);
		ck_assert_ptr_nonnull(rest);
		memmove(found, rest + sizeof end - 1, strlen(rest + sizeof end - 1) + 1);
	}
	world_write_file(world_path(world, "register.yaml"), text);
	free(text);
}

static void start_of(const char *source)
{
	char build[512], *own = NULL;
	snprintf(build, sizeof build, "%s/build", source);
	own = realpath(getenv("BUILD") == NULL ? "build" : getenv("BUILD"), NULL);
	ck_assert_ptr_nonnull(own);
	world_use_build(world, build);
	world_start(world);
	world_use_build(world, own);
	free(own);
}

// ------------------------------------------------------------------ clients and brokers of two releases

START_TEST(an_older_client_does_its_job_at_this_broker)
{
	world_start(world);
	world_use_build(world, OLDER "/build");
	main_job();
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL), 0);
}
END_TEST

START_TEST(this_client_does_its_job_at_an_older_broker)
{
	use_files_of(OLDER);
	start_of(OLDER);
	main_job();
	// What that one has not learnt yet it refuses as a whole and by its place, and goes on.
	struct channel *channel = channel_open(world, world_path(world, "systems/hospital.key"));
	channel_reply_free(channel_ping(channel));
	channel_close(channel);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 0);
}
END_TEST

static void of_another_version(uint32_t version)
{
	struct channel *channel = channel_open(world, world_path(world, "systems/hospital.key"));
	uint8_t message[] = {0x08, (uint8_t)version, 0x12, 0x10, '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
			     0x18, 0x88, 0x27, 0x82, 0x01, 0x00};
	channel_send(channel, message, sizeof message);
	struct channel_reply *reply = channel_next_reply(channel);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__NO_LONGER_SUPPORTED);
	ck_assert_str_eq(reply->reply->reason_code, "protocol_version");
	ASSERT_SAYS(reply->reply->reason, "speaks protocol version 1");
	ck_assert_ptr_nonnull(reply->reply->receipt);
	channel_reply_free(reply);
	channel_close(channel);
}

START_TEST(another_version_of_the_protocol_is_told_which_one_is_spoken)
{
	world_start(world);
	of_another_version(2);
	of_another_version(127);
	struct channel *channel = channel_open(world, world_path(world, "systems/hospital.key"));
	// An operation that is not there yet: body 1000.
	uint8_t message[] = {0x08, 0x01, 0x12, 0x10, '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
			     0x18, 0x88, 0x27, 0xc2, 0x3e, 0x00};
	channel_send(channel, message, sizeof message);
	struct channel_reply *reply = channel_next_reply(channel);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED);
	ASSERT_SAYS(reply->reply->reason, "a field is not in this version of the protocol");
	channel_reply_free(reply);
	channel_close(channel);
}
END_TEST

// ------------------------------------------------------------------ brokers that are replaced

static void assert_none_failed(struct world_askers *askers, const char *what)
{
	struct world_asked asked = world_askers_stop(askers);
	printf("%s: %u requests answered, %u failed; the longest that a client was without an answer: %llu ms\n", what, asked.answered,
	       asked.failed, (unsigned long long)asked.longest_ms);
	ck_assert_msg(asked.failed == 0, "%s", asked.first_failure);
}

START_TEST(from_an_older_release_to_this_one_and_back_by_restarts_no_request_fails)
{
	char own[512];
	snprintf(own, sizeof own, "%s", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	use_files_of(OLDER);
	start_of(OLDER);
	publish();
	struct world_askers *askers = world_askers_start(world, CLIENTS, 20);
	for (unsigned i = 0; i < 3; i++) {
		world_askers_wait(askers, 20);
		ck_assert_int_eq(world_restart_as(world, own), 0);
		world_askers_wait(askers, 20);
		ck_assert_int_eq(world_restart_as(world, OLDER "/build"), 0);
	}
	world_askers_wait(askers, 20);
	assert_none_failed(askers, "six restarts between two releases");
	// The older one hands nothing over, and is told so.
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	ASSERT_SAYS(world_err(world), "another broker has this store open");
}
END_TEST

START_TEST(fifty_handovers_under_load_fail_no_request)
{
	world_start(world);
	publish();
	struct world_askers *askers = world_askers_start(world, CLIENTS, 30);
	for (unsigned i = 0; i < 50; i++) {
		world_askers_wait(askers, 5);
		ck_assert_int_eq(world_take_over(world, NULL), 0);
	}
	world_askers_wait(askers, 20);
	assert_none_failed(askers, "fifty handovers");
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL), 0);
}
END_TEST

// ------------------------------------------------------------------ the schema before

START_TEST(a_store_of_the_schema_before_goes_on_and_has_no_way_back_but_a_backup)
{
	char own[512], old_broker[600];
	snprintf(own, sizeof own, "%s", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	use_files_of(OLDER_STORE);
	// Its own client published with the operations of then.
	char build[512];
	snprintf(build, sizeof build, "%s/build", OLDER_STORE);
	char *ours = realpath(own, NULL);
	world_use_build(world, build);
	world_start(world);
	publish();
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", child, "--details", NULL), 0);
	world_use_build(world, ours);
	// That release hands nothing over.
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	ASSERT_SAYS(world_err(world), "another broker has this store open");
	long mark = world_log_mark(world);
	ck_assert_int_eq(world_restart_as(world, ours), 0);
	ASSERT_SAYS(world_log(world) + mark, " store_upgraded schema version 5 to 6");
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", child, "--details", NULL), 0);
	ASSERT_SAYS(world_out(world), "0113 496 0001");
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ASSERT_SAYS(world_out(world), "RYD");
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, NULL), 0);
	ASSERT_SAYS(world_out(world), "DETAILS");
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL), 0);
	// Back: told, and the store is untouched by it.
	snprintf(old_broker, sizeof old_broker, "%s/cpis-broker", build);
	const char *const back[] = {old_broker, world_path(world, "broker.yaml"), NULL};
	ck_assert_int_eq(world_command(world, back), 2);
	ASSERT_SAYS(world_err(world), "has schema version 6, this program knows version 5");
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "paramedic", "query", child, "--details", NULL), 0);
	free(ours);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("upgrade");
	TCase *tests = tcase_create("upgrade");
	tcase_set_timeout(tests, 600);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_older_client_does_its_job_at_this_broker);
	tcase_add_test(tests, this_client_does_its_job_at_an_older_broker);
	tcase_add_test(tests, another_version_of_the_protocol_is_told_which_one_is_spoken);
	tcase_add_test(tests, from_an_older_release_to_this_one_and_back_by_restarts_no_request_fails);
	tcase_add_test(tests, fifty_handovers_under_load_fail_no_request);
	tcase_add_test(tests, a_store_of_the_schema_before_goes_on_and_has_no_way_back_but_a_backup);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
