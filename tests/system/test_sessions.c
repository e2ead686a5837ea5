// A session that was opened at one broker process goes on at another one that has the same session key and nothing else in common
// but name and certificates, and lives through a change of that key for as long as both brokers know the old one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"

static struct world *world;
static char child[11];
static uint8_t token[SESSION_TOKEN_BYTES_MAX];
static size_t token_bytes;

static void make_key(const char *name)
{
	char program[4200];
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/cpis-broker", build == NULL ? "build" : build);
	const char *arguments[] = {program, "--make-store-key", world_path(world, "%s", name), NULL};
	ck_assert_int_eq(world_command(world, arguments), 0);
}

// The broker that comes up next: its own store with its own key and log, and these session keys (NULL: none).
static void become(const char *broker, const char *session_key, const char *previous)
{
	static char *whole;
	char text[8192];
	if (whole == NULL)
		whole = world_read_file(world_path(world, "broker.yaml"), NULL);
	char *store = strstr(whole, "store_file:");
	ck_assert_ptr_nonnull(store);
	snprintf(text, sizeof text, "%.*sstore_file: %s.db\nstore_key: %s.key\nsession_key: %s\n%s%s%s", (int)(store - whole), whole,
		 broker, broker, session_key, previous == NULL ? "" : "session_key_previous: ", previous == NULL ? "" : previous,
		 previous == NULL ? "" : "\n");
	world_write_file(world_path(world, "broker.yaml"), text);
}

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	make_key("a.key");
	make_key("b.key");
	make_key("cluster.key");
	make_key("cluster-2.key");
}

static void teardown(void)
{
	world_free(world);
}

static void open_session(void)
{
	struct channel *hospital = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel_reply *reply = channel_open_session(world, hospital, "nurse");
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	token_bytes = reply->reply->session_open->session_token.len;
	memcpy(token, reply->reply->session_open->session_token.data, token_bytes);
	channel_reply_free(reply);
	channel_close(hospital);
}

// On a new connection to whatever broker is up. A token that comes back takes the place of the one that was sent.
static void look(Cpis__V1__Outcome outcome, const char *reason_code, bool renewed)
{
	struct channel *hospital = channel_open(world, world_path(world, "systems/hospital.key"));
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = child;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	request.session_token = (ProtobufCBinaryData){token_bytes, token};
	struct channel_reply *reply = channel_request(hospital, &request);
	ck_assert_int_eq(reply->reply->outcome, outcome);
	ck_assert_str_eq(reply->reply->reason_code, reason_code);
	ck_assert_int_eq(reply->reply->session_token.len != 0, renewed);
	if (renewed) {
		token_bytes = reply->reply->session_token.len;
		memcpy(token, reply->reply->session_token.data, token_bytes);
	}
	channel_reply_free(reply);
	channel_close(hospital);
}

#define EXPECT_OK(renewed) look(CPIS__V1__OUTCOME__OK, "", renewed)
#define EXPECT_FORGED() look(CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR, "session_invalid", false)

static void change(const char *broker, const char *session_key, const char *previous)
{
	if (world_broker_pid(world) > 0)
		ck_assert_int_eq(world_stop(world), 0);
	become(broker, session_key, previous);
	world_start(world);
}

START_TEST(a_session_outlives_its_broker)
{
	change("a", "cluster.key", NULL);
	open_session();
	EXPECT_OK(false);
	world_kill(world);
	world_start(world);
	EXPECT_OK(false);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(a_session_goes_on_at_another_broker_with_the_same_session_key)
{
	change("a", "cluster.key", NULL);
	open_session();
	change("b", "cluster.key", NULL);
	EXPECT_OK(false);
	change("a", "cluster.key", NULL);
	EXPECT_OK(false);
	// At one with a key of its own it is nothing.
	change("b", "b.key", NULL);
	EXPECT_FORGED();
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(open_sessions_live_through_a_change_of_the_session_key)
{
	change("a", "cluster.key", NULL);
	open_session();
	// Both brokers learn the new key one after the other; meanwhile each opens what the other one sealed.
	change("b", "cluster-2.key", "cluster.key");
	EXPECT_OK(true);
	change("a", "cluster-2.key", "cluster.key");
	EXPECT_OK(false);
	// Every session has been sealed anew or is over: the old key goes.
	change("a", "cluster-2.key", NULL);
	EXPECT_OK(false);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(a_session_that_was_not_used_in_the_overlap_ends_with_the_old_key)
{
	change("a", "cluster.key", NULL);
	open_session();
	change("a", "cluster-2.key", NULL);
	EXPECT_FORGED();
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sessions");
	TCase *tests = tcase_create("sessions");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_session_outlives_its_broker);
	tcase_add_test(tests, a_session_goes_on_at_another_broker_with_the_same_session_key);
	tcase_add_test(tests, open_sessions_live_through_a_change_of_the_session_key);
	tcase_add_test(tests, a_session_that_was_not_used_in_the_overlap_ends_with_the_old_key);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
