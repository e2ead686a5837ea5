// The broker's own key is changed while clients go on: a second endpoint with the next key, half of the clients move, then the
// rest; the broker starts again with next as current. No request fails.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define CLIENTS 20u

static struct world *world;
static char next_endpoint[64], child[11];

static void make_next_pair(void)
{
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-broker", "--dir", world_path(world, "authority"),
				    "--broker-name", WORLD_BROKER_NAME, "--out", world_path(world, "authority/broker"), "--file",
				    "next", NULL),
			 0);
}

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_choose_endpoint(next_endpoint);
	make_next_pair();
	world_configure(world,
			"next_endpoint: %s\nnext_endpoint_file: next_endpoint\nnext_certificate: authority/broker/next.pem\n"
			"next_key: authority/broker/next.key\n",
			next_endpoint);
}

static void setup_started(void)
{
	setup();
	world_start(world);
}

static void teardown(void)
{
	world_free(world);
}

static void teardown_started(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// The configuration without the next pair, or with it as the current one.
static void configure_without_next(bool promoted)
{
	char *config = world_read_file(world_path(world, "broker.yaml"), NULL), text[4096], *rest = text, *save = NULL;
	size_t left = sizeof text;
	for (char *line = strtok_r(config, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		const char *put = line;
		char endpoint[100];
		snprintf(endpoint, sizeof endpoint, "endpoint: %s", next_endpoint);
		if (strncmp(line, "next_", 5) == 0)
			continue;
		if (promoted && strncmp(line, "endpoint: ", 10) == 0)
			put = endpoint;
		else if (promoted && strncmp(line, "certificate: ", 13) == 0)
			put = "certificate: authority/broker/next.pem";
		else if (promoted && strncmp(line, "key: ", 5) == 0)
			put = "key: authority/broker/next.key";
		int used = snprintf(rest, left, "%s\n", put);
		rest += used;
		left -= (size_t)used;
	}
	world_write_file(world_path(world, "broker.yaml"), text);
	free(config);
}

// ------------------------------------------------------------------ clients that go on

struct mover {
	pthread_t thread;
	unsigned number;
	_Atomic uint64_t answered;
	_Atomic uint64_t answered_there; // on the next endpoint
	atomic_bool move, stop;
};

static const char *const profiles[] = {"nurse", "midwife", "paramedic", "school_nurse"};
static const Cpis__V1__CareSetting settings[] = {
	CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, CPIS__V1__CARE_SETTING__MATERNITY, CPIS__V1__CARE_SETTING__AMBULANCE,
	CPIS__V1__CARE_SETTING__SCHOOL_NURSING};

static char paths[CLIENTS][2][5][512];

// What a profile file would say; copied, because the world's paths are one thread's.
static struct cpis_options options_of(unsigned number, bool there)
{
	char(*texts)[512] = paths[number][there];
	return (struct cpis_options){
		.endpoint = there ? next_endpoint : world_endpoint(world),
		.broker_name = WORLD_BROKER_NAME,
		.broker_certificate = texts[0],
		.trust_directory = texts[1],
		.system_certificate = texts[2],
		.system_key = texts[3],
	};
}

static void fill_paths(void)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		for (unsigned there = 0; there < 2; there++) {
			struct cpis_options options = world_options(world, profiles[i % 4]);
			char(*texts)[512] = paths[i][there];
			snprintf(texts[0], 512, "%s",
				 there ? world_path(world, "authority/broker/next.pem") : options.broker_certificate);
			snprintf(texts[1], 512, "%s", options.trust_directory);
			snprintf(texts[2], 512, "%s", options.system_certificate);
			snprintf(texts[3], 512, "%s", options.system_key);
			snprintf(texts[4], 512, "%s", world_path(world, "staff/%s", profiles[i % 4]));
		}
}

static struct cpis_client *sign_in(unsigned number, bool there)
{
	struct cpis_options options = options_of(number, there);
	struct cpis_client *client = NULL;
	const Cpis__V1__Reply *reply = NULL;
	char detail[CPIS_DETAIL_BYTES] = "", certificate[600], key[600];
	snprintf(certificate, sizeof certificate, "%s.pem", paths[number][there][4]);
	snprintf(key, sizeof key, "%s.key", paths[number][there][4]);
	if (cpis_connect(&options, &client, detail) != CPIS_OK)
		world_fail(NULL, "client %u cannot connect: %s", number, detail);
	if (cpis_session_open(client, certificate, key, world_person(profiles[number % 4])->role, WORLD_CALL_MS, &reply) !=
		    CPIS_OK ||
	    reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(NULL, "client %u has no session: %s", number, cpis_detail(client));
	cpis_reply_free(reply);
	return client;
}

static void *go_on(void *context)
{
	struct mover *mover = context;
	bool there = false;
	struct cpis_client *client = sign_in(mover->number, false);
	while (!atomic_load(&mover->stop)) {
		if (!there && atomic_load(&mover->move)) {
			cpis_close(client);
			client = sign_in(mover->number, true);
			there = true;
		}
		// Aborts when no answer comes.
		const Cpis__V1__Reply *reply = world_flag(client, child, settings[mover->number % 4]);
		if (reply->outcome != CPIS__V1__OUTCOME__OK)
			world_fail(NULL, "client %u was refused: %s", mover->number, reply->reason_code);
		cpis_reply_free(reply);
		atomic_fetch_add(there ? &mover->answered_there : &mover->answered, 1);
	}
	cpis_close(client);
	return NULL;
}

// Until each of these has so many more answers than now.
static void wait_for_answers(struct mover *movers, unsigned from, unsigned to, bool there, uint64_t more)
{
	uint64_t wanted[CLIENTS], end_ms = world_monotonic_ms() + 2 * WORLD_WAIT_MS;
	for (unsigned i = from; i < to; i++)
		wanted[i] = atomic_load(there ? &movers[i].answered_there : &movers[i].answered) + more;
	for (unsigned i = from; i < to; i++)
		while (atomic_load(there ? &movers[i].answered_there : &movers[i].answered) < wanted[i]) {
			ck_assert_msg(world_monotonic_ms() < end_ms, "client %u does not get on", i);
			sched_yield();
		}
}

START_TEST(clients_move_to_the_next_key_one_by_one_and_no_request_fails)
{
	static struct mover movers[CLIENTS];
	uint64_t before = 0, there = 0;
	fill_paths();
	for (unsigned i = 0; i < CLIENTS; i++) {
		movers[i] = (struct mover){.number = i};
		ck_assert_int_eq(pthread_create(&movers[i].thread, NULL, go_on, &movers[i]), 0);
	}
	wait_for_answers(movers, 0, CLIENTS, false, 20);
	for (unsigned i = 0; i < CLIENTS / 2; i++)
		atomic_store(&movers[i].move, true);
	// Half there, half here, and both get on.
	wait_for_answers(movers, 0, CLIENTS / 2, true, 20);
	wait_for_answers(movers, CLIENTS / 2, CLIENTS, false, 20);
	for (unsigned i = CLIENTS / 2; i < CLIENTS; i++)
		atomic_store(&movers[i].move, true);
	wait_for_answers(movers, CLIENTS / 2, CLIENTS, true, 20);
	// Next becomes current. Clients wait for the broker to come back, with the same request.
	ck_assert_int_eq(world_stop(world), 0);
	configure_without_next(true);
	long mark = world_log_mark(world);
	world_spawn(world);
	world_wait_log(world, mark, "ready");
	wait_for_answers(movers, 0, CLIENTS, true, 20);
	for (unsigned i = 0; i < CLIENTS; i++)
		atomic_store(&movers[i].stop, true);
	for (unsigned i = 0; i < CLIENTS; i++) {
		pthread_join(movers[i].thread, NULL);
		before += atomic_load(&movers[i].answered);
		there += atomic_load(&movers[i].answered_there);
	}
	printf("%u clients: %llu answers with the old key, %llu with the next one, none failed\n", CLIENTS,
	       (unsigned long long)before, (unsigned long long)there);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL),
			 0);
}
END_TEST

START_TEST(a_session_opened_on_one_endpoint_is_good_on_the_other)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t token[SESSION_TOKEN_BYTES_MAX];
	struct channel *here = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel *there = channel_open_at(world, next_endpoint, world_path(world, "authority/broker/next.key"),
						world_path(world, "systems/hospital.key"));
	struct channel *other = channel_open_at(world, next_endpoint, world_path(world, "authority/broker/next.key"),
						world_path(world, "systems/ambulance.key"));
	struct channel_reply *reply = channel_open_session(world, here, "nurse");
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	request.session_token.len = reply->reply->session_open->session_token.len;
	request.session_token.data = token;
	memcpy(token, reply->reply->session_open->session_token.data, request.session_token.len);
	channel_reply_free(reply);
	flag.nhs_number = child;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	reply = channel_request(there, &request);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	channel_reply_free(reply);
	reply = channel_request(here, &request);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	channel_reply_free(reply);
	// And as worthless through another system as ever.
	reply = channel_request(other, &request);
	ck_assert_str_eq(reply->reply->reason_code, "session_invalid");
	channel_reply_free(reply);
	channel_close(here);
	channel_close(there);
	channel_close(other);
}
END_TEST

START_TEST(a_client_with_the_old_certificate_does_not_believe_the_next_endpoint)
{
	struct cpis_options options = world_options(world, "nurse");
	struct cpis_client *client = NULL;
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	char detail[CPIS_DETAIL_BYTES] = "";
	options.endpoint = next_endpoint;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
	ck_assert_int_eq(cpis_call(client, &request, 1500, &reply), CPIS_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(cpis_detail(client), "does not hold the key"));
	cpis_close(client);
	struct channel *stranger =
		channel_open_at(world, next_endpoint, world_path(world, "authority/broker/next.key"), NULL);
	ck_assert(!channel_admitted(stranger));
	channel_close(stranger);
}
END_TEST

START_TEST(the_endpoint_really_bound_is_written_and_taken_away)
{
	char *written = world_read_file(world_path(world, "next_endpoint"), NULL);
	ck_assert_uint_eq(strlen(written), strlen(next_endpoint) + 1);
	ck_assert_int_eq(strncmp(written, next_endpoint, strlen(next_endpoint)), 0);
	free(written);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_ne(access(world_path(world, "next_endpoint"), F_OK), 0);
	world_start(world);
}
END_TEST

// ------------------------------------------------------------------ what does not start

static void refuses_to_start(const char *words)
{
	char program[600];
	int status;
	long mark = world_log_mark(world);
	world_spawn(world);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	ck_assert_msg(strstr(world_log(world) + mark, words) != NULL, "%s", world_log(world) + mark);
	// `--check` says so too, before anybody is without a broker.
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/cpis-broker", build == NULL ? "build" : build);
	const char *check[] = {program, "--check", world_path(world, "broker.yaml"), NULL};
	ck_assert_int_eq(world_command(world, check), 2);
	ck_assert_ptr_nonnull(strstr(world_err(world), words));
}

static void put_in_place(const char *from, const char *to)
{
	char *text = world_read_file(world_path(world, "%s", from), NULL);
	unlink(world_path(world, "%s", to));
	world_write_file(world_path(world, "%s", to), text);
	free(text);
}

START_TEST(a_next_certificate_that_does_not_hold_stops_the_start)
{
	world_revoke(world, world_path(world, "authority/broker/next.pem"));
	refuses_to_start("revoked");
	put_in_place("systems/hospital.pem", "authority/broker/next.pem");
	refuses_to_start("for another use");
}
END_TEST

START_TEST(a_next_key_of_another_certificate_stops_the_start)
{
	put_in_place("authority/broker/broker.pem", "authority/broker/next.pem");
	refuses_to_start("does not belong to the certificate");
}
END_TEST

START_TEST(a_next_certificate_of_another_broker_stops_the_start)
{
	unlink(world_path(world, "authority/broker/next.pem"));
	unlink(world_path(world, "authority/broker/next.key"));
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-broker", "--dir", world_path(world, "authority"),
				    "--broker-name", "another-broker", "--out", world_path(world, "authority/broker"), "--file",
				    "next", NULL),
			 0);
	refuses_to_start("another name");
}
END_TEST

START_TEST(without_the_next_pair_there_is_one_endpoint)
{
	configure_without_next(false);
	world_start(world);
	ck_assert_int_ne(access(world_path(world, "next_endpoint"), F_OK), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("next_key");
	TCase *running = tcase_create("running"), *starting = tcase_create("starting");
	tcase_set_timeout(running, 240);
	tcase_set_timeout(starting, 120);
	tcase_add_checked_fixture(running, setup_started, teardown_started);
	tcase_add_checked_fixture(starting, setup, teardown);
	tcase_add_test(running, clients_move_to_the_next_key_one_by_one_and_no_request_fails);
	tcase_add_test(running, a_session_opened_on_one_endpoint_is_good_on_the_other);
	tcase_add_test(running, a_client_with_the_old_certificate_does_not_believe_the_next_endpoint);
	tcase_add_test(running, the_endpoint_really_bound_is_written_and_taken_away);
	tcase_add_test(starting, a_next_certificate_that_does_not_hold_stops_the_start);
	tcase_add_test(starting, a_next_key_of_another_certificate_stops_the_start);
	tcase_add_test(starting, a_next_certificate_of_another_broker_stops_the_start);
	tcase_add_test(starting, without_the_next_pair_there_is_one_endpoint);
	suite_add_tcase(suite, running);
	suite_add_tcase(suite, starting);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
