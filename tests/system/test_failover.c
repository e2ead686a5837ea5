// A client of several brokers when one of them is gone: two real brokers before one real PostgreSQL, each with a name and a key of its
// own, and one log.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <check.h>

#include "tests/harness/postgres.h"
#include "tests/harness/process_tree.h"
#include "tests/harness/world.h"
#include "tests/harness/world_brokers.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_plans.h"
#include "tests/harness/world_process.h"

enum { RETRY = 2 }; // cpis's exit code

static struct postgres postgres;
static struct world *world;
static struct world_broker *other;
static struct cpis_broker first, second;
static char child[11], first_certificate[512];

static void migrate(void)
{
	char migrator[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	world_migrate(world, migrator);
}

static void setup(void)
{
	char conninfo[POSTGRES_CONNINFO_BYTES];
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "broker1", "cpis", conninfo);
	world_nhs_number(0, child);
	world = world_new();
	world_use_postgres(world, conninfo);
	// Each look is told, so that what was done twice is seen.
	world_set_inbox(world, "383", "{same_look_minutes: 0}");
	migrate();
	other = world_broker_new(world, "second-broker");
	postgres_conninfo(&postgres, "broker2", "cpis", conninfo);
	world_broker_use_postgres(other, conninfo);
	snprintf(first_certificate, sizeof first_certificate, "%s", world_path(world, "authority/broker/broker.pem"));
	first = (struct cpis_broker){world_endpoint(world), WORLD_BROKER_NAME, first_certificate};
	second = world_broker_known(other);
}

static void teardown(void)
{
	world_broker_free(other);
	world_free(world);
	postgres_remove_database(&postgres, "cpis");
}

static void all_use(const struct cpis_broker *one, const struct cpis_broker *further, size_t count)
{
	static const char *const profiles[] = {"nurse", "leeds", "guardian", "registrar"};
	for (unsigned i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
		world_first_in_profile(world, profiles[i], one, further, count);
}

static void start_both(void)
{
	world_start(world);
	world_broker_start(other);
	world_publish_child(world, child);
}

// Nobody is told that it took another broker. How long it took is printed and not judged: a process, a session, two questions.
static void assert_looks_while(const char *how_the_first_is)
{
	uint64_t start_ms = world_monotonic_ms();
	ck_assert_msg(world_cpis(world, "nurse", "query", "--details", child, NULL) == 0, "%s", world_err(world));
	ck_assert_ptr_nonnull(strstr(world_out(world), "0113 496 0000"));
	ck_assert_str_eq(world_err(world), "");
	printf("cpis query --details with the first broker %s: %llu ms\n", how_the_first_is,
	       (unsigned long long)(world_monotonic_ms() - start_ms));
}

static unsigned long number(const char *sql)
{
	return strtoul(postgres_sql(&postgres, "postgres", "cpis", sql), NULL, 10);
}

static unsigned long told(void)
{
	return number("SELECT count(*) FROM cpis.inbox");
}

static unsigned long recorded(void)
{
	return number("SELECT count(*) FROM cpis.audit");
}

// ------------------------------------------------------------------ a nurse who goes on asking

struct nurse {
	struct cpis_client *client;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned answered;           // these three under the lock
	bool stop;
	enum cpis_status status;
	char detail[CPIS_DETAIL_BYTES];
};

static struct cpis_client *connect_and_sign_in(const struct cpis_broker *one, const struct cpis_broker *further, size_t count)
{
	struct cpis_options options = world_options(world, "nurse");
	struct cpis_client *client = NULL;
	const Cpis__V1__Reply *reply = NULL;
	char detail[CPIS_DETAIL_BYTES] = "";
	options.endpoint = one->endpoint;
	options.broker_name = one->broker_name;
	options.broker_certificate = one->broker_certificate;
	options.further = further;
	options.further_count = count;
	ck_assert_msg(cpis_connect(&options, &client, detail) == CPIS_OK, "%s", detail);
	ck_assert_msg(cpis_session_open(client, world_path(world, "staff/nurse.pem"), world_path(world, "staff/nurse.key"), "R8001",
					WORLD_CALL_MS, &reply) == CPIS_OK, "%s", cpis_detail(client));
	ck_assert_msg(reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reason_code);
	cpis_reply_free(reply);
	return client;
}

static enum cpis_status look(struct cpis_client *client, uint32_t deadline_ms)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	details.nhs_number = child;
	details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	enum cpis_status status = cpis_call(client, &request, deadline_ms, &reply);
	if (status != CPIS_OK)
		return status;
	bool good = reply->outcome == CPIS__V1__OUTCOME__OK && reply->details->n_plans == 1 && reply->receipt != NULL;
	cpis_reply_free(reply);
	return good ? CPIS_OK : CPIS_PROTOCOL;
}

static void *ask_on(void *context)
{
	struct nurse *nurse = context;
	bool more = true;
	while (more) {
		enum cpis_status status = look(nurse->client, 60000);
		pthread_mutex_lock(&nurse->lock);
		nurse->answered += status == CPIS_OK;
		nurse->status = status;
		more = status == CPIS_OK && !nurse->stop;
		pthread_cond_broadcast(&nurse->changed);
		pthread_mutex_unlock(&nurse->lock);
	}
	snprintf(nurse->detail, sizeof nurse->detail, "%s: %s", cpis_status_text(nurse->status), cpis_detail(nurse->client));
	return NULL;
}

static void start_asking(struct nurse *nurse, const struct cpis_broker *further)
{
	*nurse = (struct nurse){.client = connect_and_sign_in(&first, further, 1),
				.lock = PTHREAD_MUTEX_INITIALIZER,
				.changed = PTHREAD_COND_INITIALIZER};
	ck_assert_int_eq(pthread_create(&nurse->thread, NULL, ask_on, nurse), 0);
}

static void wait_for_answers(struct nurse *nurse, unsigned more)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	pthread_mutex_lock(&nurse->lock);
	unsigned until = nurse->answered + more;
	int waited = 0;
	while (nurse->answered < until && nurse->status == CPIS_OK && waited == 0)
		waited = pthread_cond_timedwait(&nurse->changed, &nurse->lock, &end);
	unsigned answered = nurse->answered;
	pthread_mutex_unlock(&nurse->lock);
	ck_assert_uint_ge(answered, until);
}

static unsigned stop_asking(struct nurse *nurse)
{
	pthread_mutex_lock(&nurse->lock);
	nurse->stop = true;
	pthread_mutex_unlock(&nurse->lock);
	pthread_join(nurse->thread, NULL);
	ck_assert_msg(nurse->status == CPIS_OK, "%s", nurse->detail);
	return nurse->answered;
}

// ------------------------------------------------------------------ killed, paused

// Each question has one answer, which was told once. A question that was under way then may have been recorded at either broker: it has
// a record for each time that one of them carried it out or gave its answer again, and never none.
START_TEST(a_broker_that_is_killed_in_the_middle_of_queries_costs_time_and_nothing_else)
{
	struct nurse nurse;
	start_both();
	unsigned long told_before = told(), recorded_before = recorded();
	start_asking(&nurse, &second);
	wait_for_answers(&nurse, 20);
	world_kill(world);
	wait_for_answers(&nurse, 20);
	unsigned answered = stop_asking(&nurse);
	ck_assert_str_eq(cpis_endpoint(nurse.client), second.endpoint);
	ck_assert_uint_eq(told() - told_before, answered);
	// With the session.
	ck_assert_uint_ge(recorded() - recorded_before, answered + 1u);
	cpis_close(nurse.client);
	// A new client begins with the one that is gone.
	all_use(&first, &second, 1);
	assert_looks_while("killed");
	world_broker_stop(other);
}
END_TEST

static void signal_all(pid_t broker, int signal_number)
{
	pid_t keeper = process_child(broker), front = process_child(keeper);
	ck_assert_int_eq(kill(broker, signal_number), 0);
	ck_assert_int_eq(kill(keeper, signal_number), 0);
	ck_assert_int_eq(kill(front, signal_number), 0);
}

// One that sleeps within its turn at the log has it taken away by the server (broker/README.md): that is not what is tested here.
static void pause_first(void)
{
	signal_all(world_broker_pid(world), SIGSTOP);
	postgres_until(&postgres, "cpis",
		       "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'broker1' AND state <> 'idle'");
}

// It is awake, with all that was sent to it, once it answers.
static void wake_first(void)
{
	signal_all(world_broker_pid(world), SIGCONT);
	world_first_in_profile(world, "paramedic", &first, NULL, 0);
	ck_assert_msg(world_cpis(world, "paramedic", "--timeout", "30000", "ping", NULL) == 0, "%s", world_err(world));
}

// The connection stands, and takes what is sent. The first call after that costs its short time; the next one is asked of who answered.
START_TEST(a_broker_that_is_paused_costs_time_and_what_it_has_of_a_question_later_is_not_done_again)
{
	start_both();
	struct cpis_client *client = connect_and_sign_in(&first, &second, 1);
	ck_assert_int_eq(look(client, WORLD_CALL_MS), CPIS_OK);
	ck_assert_str_eq(cpis_endpoint(client), first.endpoint);
	unsigned long before = told();
	pause_first();
	ck_assert_msg(look(client, WORLD_CALL_MS) == CPIS_OK, "%s", cpis_detail(client));
	ck_assert_str_eq(cpis_endpoint(client), second.endpoint);
	ck_assert_int_eq(look(client, WORLD_CALL_MS), CPIS_OK);
	ck_assert_str_eq(cpis_endpoint(client), second.endpoint);
	all_use(&first, &second, 1);
	assert_looks_while("paused");
	wake_first();
	assert_looks_while("awake again");
	ck_assert_uint_eq(told() - before, 4);
	cpis_close(client);
	world_broker_stop(other);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

// A broker that lives and can do nothing says so, and is not waited for.
START_TEST(a_broker_that_cannot_answer_now_sends_its_clients_to_the_next)
{
	start_both();
	struct cpis_client *client = connect_and_sign_in(&first, &second, 1);
	unsigned long before = told();
	postgres_sql(&postgres, "postgres", "postgres",
		     "ALTER ROLE broker1 NOLOGIN; SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'broker1'");
	for (unsigned i = 0; i < 5; i++)
		ck_assert_msg(look(client, WORLD_CALL_MS) == CPIS_OK, "%s", cpis_detail(client));
	postgres_sql(&postgres, "postgres", "postgres", "ALTER ROLE broker1 LOGIN");
	ck_assert_str_eq(cpis_endpoint(client), second.endpoint);
	ck_assert_uint_eq(told() - before, 5);
	cpis_close(client);
	world_broker_stop(other);
}
END_TEST

// Signed for the first, which sleeps, and again for the second, which does it. What the first has of it is the same act.
START_TEST(an_act_is_signed_for_the_broker_that_does_it_and_done_once)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__EnrolInviteRequest invite = CPIS__V1__ENROL_INVITE_REQUEST__INIT;
	struct cpis_client *client = NULL;
	const Cpis__V1__Reply *reply = NULL;
	uint8_t code[16], sha256[32];
	start_both();
	struct cpis_options options = world_options(world, "registrar");
	options.further = &second;
	options.further_count = 1;
	char detail[CPIS_DETAIL_BYTES] = "";
	ck_assert_msg(cpis_connect(&options, &client, detail) == CPIS_OK, "%s", detail);
	ck_assert_int_eq(cpis_session_open(client, world_path(world, "staff/registrar.pem"), world_path(world, "staff/registrar.key"),
					   world_person("registrar")->role, WORLD_CALL_MS, &reply), CPIS_OK);
	cpis_reply_free(reply);
	ck_assert(cpis_make_code(code, sha256));
	invite.organisation = (char *)(uintptr_t)"RXH";
	invite.system_name = (char *)(uintptr_t)"new-system";
	invite.reason = (char *)(uintptr_t)"a new ward";
	invite.until_ms = world_now_ms() + 24u * 3600u * 1000u;
	invite.code_sha256 = (ProtobufCBinaryData){sizeof sha256, sha256};
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_INVITE;
	request.enrol_invite = &invite;
	unsigned long acts = number("SELECT count(*) FROM cpis.request");
	pause_first();
	reply = world_act(world, client, "registrar", &request);
	ck_assert_msg(reply->outcome == CPIS__V1__OUTCOME__OK, "%s %s", reply->reason_code, reply->reason);
	cpis_reply_free(reply);
	ck_assert_str_eq(cpis_endpoint(client), second.endpoint);
	wake_first();
	ck_assert_uint_eq(number("SELECT count(*) FROM cpis.request") - acts, 1);
	cpis_close(client);
	world_broker_stop(other);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

// ------------------------------------------------------------------ never there

// Listens, and says nothing to whoever comes.
static int open_mute(char endpoint[64])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 64) == 0 &&
		  getsockname(listener, (struct sockaddr *)&address, &bytes) == 0);
	snprintf(endpoint, 64, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
	return listener;
}

// It was asked, the next one says nothing, and its answer comes after all: once.
START_TEST(a_broker_that_wakes_answers_what_it_was_asked_and_no_other_did)
{
	char mute[64];
	struct nurse nurse;
	struct pollfd turned = {.fd = open_mute(mute), .events = POLLIN};
	struct cpis_broker silent = {mute, second.broker_name, second.broker_certificate};
	world_start(world);
	world_publish_child(world, child);
	unsigned long before = told();
	start_asking(&nurse, &silent);
	wait_for_answers(&nurse, 5);
	pause_first();
	ck_assert_int_eq(poll(&turned, 1, WORLD_WAIT_MS), 1);
	signal_all(world_broker_pid(world), SIGCONT);
	wait_for_answers(&nurse, 5);
	unsigned answered = stop_asking(&nurse);
	ck_assert_str_eq(cpis_endpoint(nurse.client), first.endpoint);
	ck_assert_uint_eq(told() - before, answered);
	cpis_close(nurse.client);
	close(turned.fd);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(the_first_of_the_list_may_never_have_been_there)
{
	char nobody[64], mute[64];
	int listener = open_mute(mute);
	world_choose_endpoint(nobody);
	struct cpis_broker gone[] = {
		{nobody, second.broker_name, second.broker_certificate},
		{mute, second.broker_name, second.broker_certificate},
		// Somebody with another key than the certificate has.
		{first.endpoint, second.broker_name, second.broker_certificate},
	};
	world_start(world);
	world_publish_child(world, child);
	unsigned long before = told();
	for (unsigned i = 0; i < 2; i++) {
		all_use(&gone[i], &first, 1);
		assert_looks_while(i == 0 ? "not there" : "mute");
	}
	// In a profile no address stands twice; a client may have it so.
	struct cpis_client *client = connect_and_sign_in(&gone[2], &first, 1);
	ck_assert_int_eq(look(client, WORLD_CALL_MS), CPIS_OK);
	cpis_close(client);
	ck_assert_uint_eq(told() - before, 3);
	// All of them.
	all_use(&gone[0], &gone[1], 1);
	ck_assert_int_eq(world_cpis(world, "nurse", "--timeout", "1500", "query", child, NULL), RETRY);
	ck_assert_ptr_nonnull(strstr(world_err(world), "none of 2 brokers can be reached"));
	close(listener);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

static void run(const char *const *command)
{
	ck_assert_msg(world_command(world, command) == 0, "%s", world_err(world));
}

// A broker that does not let this hospital's system in; it has a store of its own, so that what is asked there at all would be refused.
static struct world_broker *start_stranger(void)
{
	char text[8192];
	struct world_broker *stranger = world_broker_new(world, "stranger");
	const char *path = world_path(world, "broker-stranger.yaml"), *enrolled = world_path(world, "brokers/enrolled");
	run((const char *const[]){"mkdir", enrolled, NULL});
	run((const char *const[]){"cp", world_path(world, "systems/leeds.pem"), enrolled, NULL});
	char *config = world_read_file(path, NULL), *at = strstr(config, "authority/enrolled");
	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof text, "%.*sbrokers/enrolled%s", (int)(at - config), config, at + strlen("authority/enrolled"));
	world_write_file(path, text);
	free(config);
	world_broker_start(stranger);
	return stranger;
}

START_TEST(who_is_not_let_in_at_one_broker_is_answered_at_the_next)
{
	struct world_broker *stranger = start_stranger();
	struct cpis_broker refusing = world_broker_known(stranger);
	world_start(world);
	all_use(&first, NULL, 0);
	world_publish_child(world, child);
	all_use(&refusing, &first, 1);
	assert_looks_while("refusing this system");
	// And where none lets it in, that is said and not waited for.
	all_use(&refusing, NULL, 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "is not enrolled there, or no longer"));
	ck_assert_int_eq(world_stop(world), 0);
	world_broker_free(stranger);
}
END_TEST

// What is signed names its broker: it is signed for whoever is there.
START_TEST(a_session_is_opened_and_an_act_done_once_at_whichever_broker_is_there)
{
	char nobody[64];
	world_choose_endpoint(nobody);
	struct world_broker *third = world_broker_new(world, "third-broker");
	struct cpis_broker gone = world_broker_known(third);
	gone.endpoint = nobody;
	world_start(world);
	all_use(&gone, &first, 1);
	world_publish_child(world, child);
	assert_looks_while("not there, and of another name");
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_msg(world_cpis(world, "registrar", "quarantine", i == 0 ? "set" : "lift", "--organisation", "RXH", "--reason",
					 "its network was broken into", NULL) == 0, "%s", world_err(world));
		// As of one broker, because they are one service.
		ck_assert_ptr_null(strstr(world_out(world), "third-broker"));
		ck_assert_str_eq(world_err(world), "");
		ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), i == 0 ? 3 : 0);
	}
	ck_assert_int_eq(world_stop(world), 0);
	world_broker_free(third);
}
END_TEST

// ------------------------------------------------------------------ what runs for long

// Killed, or paused with the follower's request in it, which only the connection's heartbeat tells.
START_TEST(who_follows_an_inbox_is_told_through_the_next_broker)
{
	struct world_process follower = {0};
	char sql[100];
	start_both();
	all_use(&first, &second, 1);
	snprintf(sql, sizeof sql, "SELECT count(*) > %lu FROM cpis.audit", recorded());
	world_process_start(world, &follower, "cpis", "--profile", world_path(world, "profiles/leeds.yaml"), "--timeout", "60000",
			    "inbox", "follow", "--exec", "/bin/true", "--count", "2", NULL);
	// It has a session.
	postgres_until(&postgres, "cpis", sql);
	assert_looks_while("at work");
	if (_i == 0)
		world_kill(world);
	else
		pause_first();
	assert_looks_while(_i == 0 ? "killed" : "paused");
	ck_assert_int_eq(world_process_wait_exit(world, &follower), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ck_assert_ptr_null(strstr(world_out(world), child));
	world_broker_stop(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failover");
	TCase *tests = tcase_create("failover");
	postgres_start(&postgres, NULL);
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_broker_that_is_killed_in_the_middle_of_queries_costs_time_and_nothing_else);
	tcase_add_test(tests, a_broker_that_is_paused_costs_time_and_what_it_has_of_a_question_later_is_not_done_again);
	tcase_add_test(tests, an_act_is_signed_for_the_broker_that_does_it_and_done_once);
	tcase_add_test(tests, a_broker_that_cannot_answer_now_sends_its_clients_to_the_next);
	tcase_add_test(tests, a_broker_that_wakes_answers_what_it_was_asked_and_no_other_did);
	tcase_add_test(tests, the_first_of_the_list_may_never_have_been_there);
	tcase_add_test(tests, who_is_not_let_in_at_one_broker_is_answered_at_the_next);
	tcase_add_test(tests, a_session_is_opened_and_an_act_done_once_at_whichever_broker_is_there);
	tcase_add_loop_test(tests, who_follows_an_inbox_is_told_through_the_next_broker, 0, 2);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&postgres);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
