// The broker's process: stopped and continued, killed, short of descriptors, under a clock that jumps. Who was acknowledged keeps what
// was acknowledged; who was not is told nothing, or to try again.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>

#include "certs/key.h"
#include "tests/harness/drill.h"
#include "tests/harness/process_tree.h"
#include "tests/harness/raw_curve.h"

// ------------------------------------------------------------------ stopped, killed

START_TEST(a_broker_that_is_stopped_and_continued_goes_on)
{
	struct drill *drill = drill_new(70, "broker stopped", "SIGSTOP, and SIGCONT after a query gave up");
	drill_start(drill);
	drill_fault(drill);
	ck_assert_int_eq(kill(world_broker_pid(drill->world), SIGSTOP), 0);
	drill_silent(drill);
	ck_assert_int_eq(kill(world_broker_pid(drill->world), SIGCONT), 0);
	drill_mended(drill);
	drill_recovers(drill, NULL);
	drill_end(drill);
}
END_TEST

static atomic_uint looked;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t progressed = PTHREAD_COND_INITIALIZER;

static void *look_until_it_fails(void *context)
{
	struct drill *drill = context;
	char what[100];
	while (drill_look(drill, what)) {
		pthread_mutex_lock(&mutex);
		atomic_fetch_add(&looked, 1);
		pthread_cond_signal(&progressed);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

START_TEST(a_broker_that_is_killed_under_load_loses_nothing)
{
	struct drill *drill = drill_new(71, "broker killed", "SIGKILL while queries are under way");
	pthread_t thread;
	drill_start(drill);
	drill_fault(drill);
	ck_assert_int_eq(pthread_create(&thread, NULL, look_until_it_fails, drill), 0);
	pthread_mutex_lock(&mutex);
	while (atomic_load(&looked) < 20)
		pthread_cond_wait(&progressed, &mutex);
	pthread_mutex_unlock(&mutex);
	world_kill(drill->world);
	pthread_join(thread, NULL);
	drill_silent(drill);
	drill_mended(drill);
	drill_restart(drill);
	drill_recovers(drill, "the broker started anew");
	drill_end(drill);
}
END_TEST

// ------------------------------------------------------------------ the front

static pid_t front_of(const struct drill *drill)
{
	return process_child(process_child(world_broker_pid(drill->world)));
}

static void end_front_rehearsal(struct drill *drill)
{
	drill_mended(drill);
	drill_recovers(drill, NULL);
	ck_assert_ptr_nonnull(strstr(world_log(drill->world) + drill->mark, " front_started "));
	drill_end(drill);
}

// What libzmq does to itself at some of what peers can send. The next is there before anybody gives up: who asks meanwhile only waits.
START_TEST(a_front_that_aborts_is_started_again)
{
	struct drill *drill = drill_new(74, "network front aborts", "`kill -ABRT` of the front, as libzmq does it");
	drill_start(drill);
	drill_fault(drill);
	kill(front_of(drill), SIGABRT);
	uint64_t asked_ms = world_monotonic_ms();
	ck_assert_int_eq(drill_query(drill, DRILL_ANSWER_MS), 0);
	drill_row_add(drill->row.peer, "asked at that moment: answered after %.1f s (exit 0)", (double)(world_monotonic_ms() - asked_ms) / 1e3);
	end_front_rehearsal(drill);
}
END_TEST

START_TEST(a_front_that_hangs_is_started_again)
{
	struct drill *drill = drill_new(75, "network front hangs", "`kill -STOP` of the front, and nobody continues it");
	drill_start(drill);
	drill_fault(drill);
	kill(front_of(drill), SIGSTOP);
	drill_silent(drill);
	end_front_rehearsal(drill);
}
END_TEST

// ------------------------------------------------------------------ descriptors

#define DESCRIPTORS 128u
#define STRANGERS 300u

START_TEST(strangers_that_take_all_descriptors_are_cut_off)
{
	struct drill *drill = drill_new(72, "descriptors used up, before the handshake",
					"RLIMIT_NOFILE 128, and 300 TCP connections that say nothing");
	int strangers[STRANGERS];
	unsigned port;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	drill_under(drill, "prlimit");
	drill_under(drill, "--nofile=%u:%u", DESCRIPTORS, DESCRIPTORS);
	drill_start(drill);
	drill_fault(drill);
	ck_assert_int_eq(sscanf(world_endpoint(drill->world), "tcp://127.0.0.1:%5u", &port), 1);
	to.sin_port = htons((uint16_t)port);
	for (unsigned i = 0; i < STRANGERS; i++) {
		strangers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(connect(strangers[i], (struct sockaddr *)&to, sizeof to), 0);
	}
	drill_unnoticed(drill);
	ck_assert_ptr_nonnull(strstr(world_log(drill->world) + drill->mark, " connections_cut_off "));
	for (unsigned i = 0; i < STRANGERS; i++)
		close(strangers[i]);
	drill_end(drill);
}
END_TEST

START_TEST(a_system_that_takes_all_descriptors_is_cut_off_where_it_says_nothing)
{
	struct drill *drill = drill_new(73, "descriptors used up, after the handshake",
					"RLIMIT_NOFILE 128, and 128 connections of an enrolled system");
	struct curve_key_pair broker, key;
	struct raw_curve *clients[DESCRIPTORS];
	unsigned count = 0;
	drill_under(drill, "prlimit");
	drill_under(drill, "--nofile=%u:%u", DESCRIPTORS, DESCRIPTORS);
	drill_start(drill);
	drill_fault(drill);
	ck_assert_int_eq(curve_key_load(world_path(drill->world, "authority/broker/broker.key"), &broker), CERTS_OK);
	ck_assert_int_eq(curve_key_load(world_path(drill->world, "systems/brighton.key"), &key), CERTS_OK);
	struct raw_curve_options options = {.endpoint = world_endpoint(drill->world),
					    .server_public = broker.public_key,
					    .public_key = key.public_key,
					    .secret_key = key.secret_key};
	// Some have to wait until others are cut off.
	while (count < DESCRIPTORS)
		(void)raw_curve_open(&options, WORLD_WAIT_MS, &clients[count++]);
	drill_unnoticed(drill);
	ck_assert_ptr_nonnull(strstr(world_log(drill->world) + drill->mark, " connections_cut_off "));
	while (count > 0)
		raw_curve_close(clients[--count]);
	drill_end(drill);
}
END_TEST

// ------------------------------------------------------------------ the clock

// Certificates of yesterday, so that an hour ago they were good.
static struct drill *drill_of_yesterday(unsigned place, const char *fault, const char *made)
{
	static const char *const variables[][2] = {{"LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1"},
						   {"FAKETIME", "-1d"},
						   {"ASAN_OPTIONS", "verify_asan_link_order=0"}};
	char *before[3];
	for (size_t i = 0; i < 3; i++) {
		const char *value = getenv(variables[i][0]);
		before[i] = value == NULL ? NULL : strdup(value);
		ck_assert_int_eq(setenv(variables[i][0], variables[i][1], 1), 0);
	}
	struct drill *drill = drill_new(place, fault, made);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(before[i] == NULL ? unsetenv(variables[i][0]) : setenv(variables[i][0], before[i], 1), 0);
		free(before[i]);
	}
	return drill;
}

static void rehearse_clock(unsigned place, const char *fault, const char *offset)
{
	char made[100], what[100] = "";
	snprintf(made, sizeof made, "libfaketime, `%s` and back", offset);
	struct drill *drill = drill_of_yesterday(place, fault, made);
	drill_clock(drill);
	drill_start(drill);
	drill_fault(drill);
	world_set_clock(drill->world, offset);
	if (drill_look(drill, what))
		snprintf(what, sizeof what, "an open session: answered");
	drill_row_add(drill->row.peer, "%s", what);
	ck_assert_int_eq(drill_query(drill, DRILL_ANSWER_MS), 3);
	world_set_clock(drill->world, "+0");
	drill_mended(drill);
	drill_sign_in_again(drill);
	drill_recovers(drill, NULL);
	drill_end(drill);
}

START_TEST(a_clock_that_jumps_forward_is_told_and_forgiven)
{
	rehearse_clock(80, "clock jumps forward", "+1h");
}
END_TEST

START_TEST(a_clock_that_jumps_back_is_told_and_forgiven)
{
	rehearse_clock(81, "clock jumps back", "-1h");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault_process");
	TCase *process = tcase_create("process"), *descriptors = tcase_create("descriptors"), *clock = tcase_create("clock");
	tcase_set_timeout(process, 120);
	tcase_set_timeout(descriptors, 120);
	tcase_set_timeout(clock, 120);
	tcase_add_test(process, a_broker_that_is_stopped_and_continued_goes_on);
	tcase_add_test(process, a_broker_that_is_killed_under_load_loses_nothing);
	tcase_add_test(descriptors, a_front_that_aborts_is_started_again);
	tcase_add_test(descriptors, a_front_that_hangs_is_started_again);
	tcase_add_test(descriptors, strangers_that_take_all_descriptors_are_cut_off);
	tcase_add_test(descriptors, a_system_that_takes_all_descriptors_is_cut_off_where_it_says_nothing);
	tcase_add_test(clock, a_clock_that_jumps_forward_is_told_and_forgiven);
	tcase_add_test(clock, a_clock_that_jumps_back_is_told_and_forgiven);
	suite_add_tcase(suite, process);
	suite_add_tcase(suite, descriptors);
	suite_add_tcase(suite, clock);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
