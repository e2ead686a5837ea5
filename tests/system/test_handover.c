// A broker that takes over from the one that runs: no request of any client fails, nothing is done twice and the log is one. What does
// not go well leaves the old broker serving. The test plays the new broker where it is to stop half-way.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "broker/descriptors.h"
#include "broker/front_sockets.h"
#include "tests/harness/postgres.h"
#include "tests/harness/world_handover.h"

#define CLIENTS 4
#define ROUNDS 3

static struct world *world;
static struct postgres postgres;

static void setup(void)
{
	world = world_new();
}

static void teardown(void)
{
	world_free(world);
}

#define ASSERT_SAYS(log, text) ck_assert_msg(strstr(log, text) != NULL, "no '%s' in\n%s", text, log)

static void assert_served(void)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
}

static void assert_log_is_whole(void)
{
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL), 0);
}

static void put_other_key(const char *key)
{
	char *text = world_read_file(world_path(world, "%s", key), NULL);
	world_write_file(world_path(world, "store.key"), text);
	ck_assert_int_eq(chmod(world_path(world, "store.key"), 0600), 0);
	free(text);
}

static void make_key(const char *name)
{
	char program[512];
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	const char *const make[] = {program, "--make-store-key", world_path(world, "%s", name), NULL};
	ck_assert_int_eq(world_command(world, make), 0);
}

// ------------------------------------------------------------------ as it should be

static void hand_over_under_load(void)
{
	struct world_askers *askers = world_askers_start(world, CLIENTS, 20);
	for (unsigned i = 0; i < ROUNDS; i++) {
		world_askers_wait(askers, 20);
		int status = world_take_over(world, NULL);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
	}
	world_askers_wait(askers, 20);
	struct world_asked asked = world_askers_stop(askers);
	printf("%u handovers, %u requests answered, %u failed; the longest that a client was without an answer: %llu ms\n", ROUNDS,
	       asked.answered, asked.failed, (unsigned long long)asked.longest_ms);
	ck_assert_msg(asked.failed == 0, "%s", asked.first_failure);
	ASSERT_SAYS(world_log(world), " handed_over another broker serves in its place");
}

START_TEST(no_request_fails_with_a_store_in_a_file)
{
	world_start(world);
	hand_over_under_load();
	ck_assert_int_eq(access(world_path(world, "endpoint"), F_OK), 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_ne(access(world_path(world, "endpoint"), F_OK), 0);
	ck_assert_int_ne(access(world_path(world, "store.db.handover"), F_OK), 0);
	assert_log_is_whole();
}
END_TEST

START_TEST(no_request_fails_with_postgresql)
{
	char migrator[POSTGRES_CONNINFO_BYTES], conninfo[POSTGRES_CONNINFO_BYTES];
	postgres_start(&postgres, NULL);
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	postgres_conninfo(&postgres, "broker1", "cpis", conninfo);
	world_use_postgres(world, conninfo);
	world_migrate(world, migrator);
	world_start(world);
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	ASSERT_SAYS(world_err(world), "--take-over needs handover_socket in the configuration");
	ck_assert_int_eq(world_stop(world), 0);
	world_configure(world, "handover_socket: handover\n");
	world_start(world);
	hand_over_under_load();
	// And one that finds out late: the old one takes back.
	long mark = world_log_mark(world);
	make_key("other.key");
	ck_assert_int_eq(rename(world_path(world, "store.key"), world_path(world, "good.key")), 0);
	put_other_key("other.key");
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	put_other_key("good.key");
	world_wait_log(world, mark, "taken_back");
	assert_served();
	ck_assert_int_eq(world_stop(world), 0);
	postgres_stop(&postgres);
}
END_TEST

// What there is without it: whoever is told to go elsewhere has nowhere else to go, waits and comes back, and its caller sees no error.
START_TEST(a_restart_fails_no_request_either)
{
	world_start(world);
	struct world_askers *askers = world_askers_start(world, CLIENTS, 20);
	for (unsigned i = 0; i < ROUNDS; i++) {
		world_askers_wait(askers, 20);
		ck_assert_int_eq(world_restart_as(world, NULL), 0);
	}
	world_askers_wait(askers, 20);
	struct world_asked asked = world_askers_stop(askers);
	printf("%u restarts, %u requests answered, %u failed; the longest that a client was without an answer: %llu ms\n", ROUNDS,
	       asked.answered, asked.failed, (unsigned long long)asked.longest_ms);
	ck_assert_msg(asked.failed == 0, "%s", asked.first_failure);
}
END_TEST

// ------------------------------------------------------------------ the service manager

static const char *told(int manager)
{
	static char text[1024];
	struct pollfd item = {.fd = manager, .events = POLLIN};
	ck_assert_int_eq(poll(&item, 1, WORLD_WAIT_MS), 1);
	ssize_t bytes = recv(manager, text, sizeof text - 1, 0);
	text[bytes > 0 ? bytes : 0] = '\0';
	return text;
}

static void wait_told(int manager, const char *words)
{
	while (strstr(told(manager), words) == NULL)
		;
}

// As systemd, of two processes in one unit: which of them is the main one is what the old one says when the new one serves.
START_TEST(the_service_manager_is_told_who_is_the_main_process)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char words[64];
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", world_path(world, "notify"));
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	world_start(world);
	wait_told(manager, "READY=1");
	kill(world_broker_pid(world), SIGHUP);
	wait_told(manager, "RELOADING=1");
	wait_told(manager, "READY=1");
	ck_assert_int_eq(world_take_over(world, NULL), 0);
	// Both have told by now, in whatever order.
	bool ready = false, main_process = false;
	snprintf(words, sizeof words, "MAINPID=%d", (int)world_broker_pid(world));
	while (!ready || !main_process) {
		const char *text = told(manager);
		ck_assert_ptr_null(strstr(text, "STOPPING=1"));
		ready = ready || strstr(text, "READY=1") != NULL;
		main_process = main_process || strstr(text, words) != NULL;
	}
	ck_assert_int_eq(world_stop(world), 0);
	wait_told(manager, "STOPPING=1");
	unsetenv("NOTIFY_SOCKET");
	close(manager);
}
END_TEST

static int succeed(void)
{
	char program[512];
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	const char *const arguments[] = {program, "--succeed", world_path(world, "broker.yaml"), NULL};
	return world_command(world, arguments);
}

// As in a unit's ExecReload=: the command ends when the new broker serves, which is a child of whoever takes orphans in, and feeds the
// watchdog that only the first one was told of.
START_TEST(a_successor_outlives_the_command_that_started_it)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), status;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", world_path(world, "notify"));
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	world_start(world);
	wait_told(manager, "READY=1");
	// One that cannot start is no successor.
	char *policy = world_read_file(world_path(world, "policy.yaml"), NULL);
	world_write_file(world_path(world, "policy.yaml"), "name: bad\n");
	ck_assert_int_eq(succeed(), 2);
	ASSERT_SAYS(world_err(world), "policy.yaml:");
	ASSERT_SAYS(world_err(world), "no broker came to serve in place of the one that runs");
	world_write_file(world_path(world, "policy.yaml"), policy);
	free(policy);
	assert_served();
	ck_assert_int_eq(succeed(), 0);
	// In this order: whoever is not the main process is not listened to.
	const char *text = told(manager);
	pid_t successor = (pid_t)atol(strncmp(text, "MAINPID=", 8) == 0 ? text + 8 : "0");
	ck_assert_int_gt(successor, 0);
	ck_assert_int_ne(successor, world_broker_pid(world));
	wait_told(manager, "READY=1");
	wait_told(manager, "WATCHDOG=1");
	ck_assert_int_eq(world_stop(world), 0);
	assert_served();
	ck_assert_int_eq(kill(successor, SIGTERM), 0);
	ck_assert_int_eq(waitpid(successor, &status, 0), successor);
	ck_assert_int_eq(status, 0);
	unsetenv("NOTIFY_SOCKET");
	close(manager);
}
END_TEST

// ------------------------------------------------------------------ what waits, and nobody to take over from

// What a hospital waits for at the old one is answered by the new one, and what was done is done once.
START_TEST(what_waits_is_told_by_the_new_one)
{
	world_set_inbox(world, "383", "{same_look_minutes: 0}");
	world_start(world);
	char child[11];
	world_nhs_number(0, child);
	struct cpis_client *leeds = world_sign_in(world, "leeds"), *nurse = world_sign_in(world, "nurse");
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	int status = world_take_over(world, NULL);
	ck_assert_int_eq(status, 0);
	// The session is good there, and so is the connection, which is made anew without a word to anybody.
	cpis_reply_free(world_details(nurse, child, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, CPIS__V1__ACCESS_TYPE__UNSCHEDULED));
	const Cpis__V1__Reply *reply = world_inbox(leeds, 0, false);
	ck_assert_uint_eq(reply->inbox_list->n_items, 1);
	cpis_reply_free(reply);
	cpis_close(leeds);
	cpis_close(nurse);
}
END_TEST

static void assert_metrics(const char *address)
{
	char url[128];
	snprintf(url, sizeof url, "http://%s/metrics", address);
	const char *const get[] = {"curl", "-sS", "--fail", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", url, NULL};
	ck_assert_msg(world_command(world, get) == 0, "%s", world_err(world));
	ASSERT_SAYS(world_out(world), "cpis_");
}

// As a user, with everything that listens beside the endpoint; and what was written to files is there for whoever serves.
START_TEST(all_that_listens_goes_over_and_comes_back)
{
	char enrolment[64], next[64], metrics[64], good[512];
	world_choose_endpoint(enrolment);
	world_choose_endpoint(next);
	world_choose_endpoint(metrics);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-broker", "--dir", world_path(world, "authority"), "--broker-name",
				    WORLD_BROKER_NAME, "--out", world_path(world, "authority/broker"), "--file", "next", NULL), 0);
	make_key("other.key");
	snprintf(good, sizeof good, "%s", world_path(world, "good.key"));
	const char *const keep[] = {"cp", world_path(world, "store.key"), good, NULL};
	ck_assert_int_eq(world_command(world, keep), 0);
	world_configure(world, "user: nobody\nenrolment_endpoint: %s\nenrolment_endpoint_file: enrolment-endpoint\nnext_endpoint: %s\n"
			       "next_certificate: authority/broker/next.pem\nnext_key: authority/broker/next.key\n"
			       "metrics_endpoint: %s\nmetrics_endpoint_file: metrics-endpoint\n",
			enrolment, next, metrics + strlen("tcp://"));
	const char *const give[] = {"chown", "-R", "nobody:", world_path(world, "%s", ""), NULL};
	ck_assert_int_eq(world_command(world, give), 0);
	world_start(world);
	assert_metrics(metrics + strlen("tcp://"));
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(world_take_over(world, NULL), 0);
		assert_served();
		assert_metrics(metrics + strlen("tcp://"));
		// And back again from one that finds out late.
		long mark = world_log_mark(world);
		put_other_key("other.key");
		ck_assert_int_eq(world_fail_to_take_over(world), 2);
		put_other_key("good.key");
		world_wait_log(world, mark, "taken_back");
		assert_served();
		assert_metrics(metrics + strlen("tcp://"));
		static const char *const files[] = {"endpoint", "enrolment-endpoint", "metrics-endpoint"};
		for (unsigned f = 0; f < 3; f++)
			ck_assert_msg(access(world_path(world, "%s", files[f]), R_OK) == 0, "%s", files[f]);
	}
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_ne(access(world_path(world, "metrics-endpoint"), F_OK), 0);
}
END_TEST

START_TEST(with_nobody_to_take_over_from_it_just_starts)
{
	char program[512];
	const char *build = getenv("BUILD") == NULL ? "build" : getenv("BUILD");
	snprintf(program, sizeof program, "%s/cpis-broker", build);
	world_start(world);
	world_kill(world);
	// What a broker that was killed leaves behind is nobody.
	ck_assert_int_eq(access(world_path(world, "store.db.handover"), F_OK), 0);
	const char *prefix[] = {"sh", "-c", "exec \"$0\" --take-over \"$1\"", NULL};
	world_start_under(world, prefix);
	assert_served();
	ck_assert_int_eq(world_take_over(world, NULL), 0);
	assert_served();
}
END_TEST

// ------------------------------------------------------------------ what does not go well

START_TEST(a_new_one_that_cannot_start_leaves_the_old_one_serving)
{
	world_start(world);
	struct world_askers *askers = world_askers_start(world, 2, 20);
	// Nothing is asked of the old one as long as anything is wrong.
	long mark = world_log_mark(world);
	char *policy = world_read_file(world_path(world, "policy.yaml"), NULL);
	world_write_file(world_path(world, "policy.yaml"), "name: bad\n");
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	ASSERT_SAYS(world_err(world), "policy.yaml:");
	ck_assert_ptr_null(strstr(world_log(world) + mark, "handing_over"));
	world_write_file(world_path(world, "policy.yaml"), policy);
	free(policy);
	// What only the store shows: another key. The old one has given all away by then, and takes it back.
	make_key("other.key");
	char *good = world_read_file(world_path(world, "store.key"), NULL);
	world_write_file(world_path(world, "good.key"), good);
	free(good);
	put_other_key("other.key");
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	ASSERT_SAYS(world_err(world), "is this the store's key?");
	world_wait_log(world, mark, "taken_back");
	put_other_key("good.key");
	world_askers_wait(askers, 10);
	// And can be asked again.
	ck_assert_int_eq(world_take_over(world, NULL), 0);
	world_askers_wait(askers, 10);
	struct world_asked asked = world_askers_stop(askers);
	ck_assert_msg(asked.failed == 0, "%s", asked.first_failure);
	ck_assert_int_eq(world_stop(world), 0);
	assert_log_is_whole();
}
END_TEST

// What the old one could not take back is not taken from it.
START_TEST(a_store_that_would_be_changed_is_left_to_the_old_one)
{
	world_start(world);
	const char *const older[] = {"sqlite3", world_path(world, "store.db"), "PRAGMA user_version = 5", NULL};
	ck_assert_int_eq(world_command(world, older), 0);
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	ASSERT_SAYS(world_err(world), "is of the version before and will be changed");
	ASSERT_SAYS(world_err(world), "stop that broker and start this one without --take-over");
	ck_assert_ptr_null(strstr(world_log(world), " handing_over "));
	assert_served();
}
END_TEST

// A new broker's part, played by the test.
static int ask_old(const char *words)
{
	int pair[2], caller = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", world_path(world, "store.db.handover"));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(connect(caller, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert(descriptors_send(caller, words, strlen(words), &pair[1], 1));
	close(caller);
	close(pair[1]);
	return pair[0];
}

static const char *heard(int connection)
{
	static char text[1024];
	struct pollfd item = {.fd = connection, .events = POLLIN};
	ck_assert_int_eq(poll(&item, 1, WORLD_WAIT_MS), 1);
	ssize_t bytes = recv(connection, text, sizeof text - 1, 0);
	text[bytes > 0 ? bytes : 0] = '\0';
	return text;
}

static int take_store_and_sockets(struct front_sockets *sockets)
{
	int connection = ask_old("take over 1 test");
	ck_assert_str_eq(heard(connection), "yes");
	ASSERT_SAYS(heard(connection), "yours tcp://");
	ck_assert(front_sockets_take(sockets, connection, WORLD_WAIT_MS));
	ck_assert_int_gt(sockets->listening[LISTENER_CURRENT], 0);
	return connection;
}

// It connects while nobody serves, waits in the queue, and is answered.
START_TEST(a_new_one_that_dies_with_everything_in_its_hands_is_taken_back_from)
{
	struct front_sockets sockets = {{0}};
	world_start(world);
	struct world_askers *askers = world_askers_start(world, 2, 20);
	long mark = world_log_mark(world);
	int connection = take_store_and_sockets(&sockets);
	close(connection);
	front_sockets_close(&sockets);
	world_wait_log(world, mark, "taken_back");
	world_askers_wait(askers, 10);
	struct world_asked asked = world_askers_stop(askers);
	ck_assert_msg(asked.failed == 0, "%s", asked.first_failure);
	ck_assert_int_eq(world_stop(world), 0);
	assert_log_is_whole();
}
END_TEST

START_TEST(the_lock_of_the_store_goes_before_everything)
{
	struct front_sockets sockets = {{0}};
	char program[512], config[512];
	int status;
	snprintf(program, sizeof program, "%s/cpis-broker", getenv("BUILD") == NULL ? "build" : getenv("BUILD"));
	snprintf(config, sizeof config, "%s", world_path(world, "broker.yaml"));
	const char *const second[] = {program, config, NULL};
	world_start(world);
	// Who is not told to take over does not.
	ck_assert_int_eq(world_command(world, second), 2);
	ASSERT_SAYS(world_err(world), "another broker has this store open");
	assert_served();
	// Who takes the store while nobody has it keeps it: the old one does not write beside it.
	int connection = take_store_and_sockets(&sockets);
	const char *lock[] = {"flock", "-n", world_path(world, "store.db.lock"), "sh", "-c", "echo held; exec sleep 3600", NULL};
	pid_t holder = fork();
	if (holder == 0) {
		execvp(lock[0], (char *const *)(uintptr_t)lock);
		_exit(127);
	}
	const char *const is_held[] = {"sh", "-c", "while flock -n \"$0\" true; do :; done", world_path(world, "store.db.lock"), NULL};
	ck_assert_int_eq(world_command(world, is_held), 0);
	close(connection);
	front_sockets_close(&sockets);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	ASSERT_SAYS(world_log(world), " not_taken_back ");
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}
END_TEST

START_TEST(an_old_one_that_hangs_is_left_as_it_is)
{
	world_start(world);
	kill(world_broker_pid(world), SIGSTOP);
	ck_assert_int_eq(world_fail_to_take_over(world), 2);
	ASSERT_SAYS(world_err(world), "the broker that runs does not answer");
	kill(world_broker_pid(world), SIGCONT);
	// It finds the question, and nobody who asked it.
	assert_served();
	ck_assert_int_eq(world_take_over(world, NULL), 0);
	assert_served();
}
END_TEST

START_TEST(what_is_not_understood_is_refused)
{
	world_start(world);
	struct stat status;
	ck_assert_int_eq(stat(world_path(world, "store.db.handover"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
	int connection = ask_old("take over 2 future");
	ASSERT_SAYS(heard(connection), "no: it is of version ");
	close(connection);
	connection = ask_old("x");
	ASSERT_SAYS(heard(connection), "no: ");
	close(connection);
	world_wait_log(world, 0, "handover_refused");
	assert_served();
}
END_TEST

START_TEST(told_to_stop_while_it_hands_over_the_old_one_stops_and_the_new_one_stays)
{
	struct front_sockets sockets = {{0}};
	int status;
	world_start(world);
	int connection = take_store_and_sockets(&sockets);
	kill(world_broker_pid(world), SIGTERM);
	ck_assert_str_eq(heard(connection), "ended");
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert_int_eq(status, 0);
	close(connection);
	front_sockets_close(&sockets);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover");
	TCase *tests = tcase_create("handover");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, no_request_fails_with_a_store_in_a_file);
	tcase_add_test(tests, no_request_fails_with_postgresql);
	tcase_add_test(tests, a_restart_fails_no_request_either);
	tcase_add_test(tests, the_service_manager_is_told_who_is_the_main_process);
	tcase_add_test(tests, a_successor_outlives_the_command_that_started_it);
	tcase_add_test(tests, what_waits_is_told_by_the_new_one);
	tcase_add_test(tests, all_that_listens_goes_over_and_comes_back);
	tcase_add_test(tests, with_nobody_to_take_over_from_it_just_starts);
	tcase_add_test(tests, a_new_one_that_cannot_start_leaves_the_old_one_serving);
	tcase_add_test(tests, a_store_that_would_be_changed_is_left_to_the_old_one);
	tcase_add_test(tests, a_new_one_that_dies_with_everything_in_its_hands_is_taken_back_from);
	tcase_add_test(tests, the_lock_of_the_store_goes_before_everything);
	tcase_add_test(tests, an_old_one_that_hangs_is_left_as_it_is);
	tcase_add_test(tests, what_is_not_understood_is_refused);
	tcase_add_test(tests, told_to_stop_while_it_hands_over_the_old_one_stops_and_the_new_one_stays);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
