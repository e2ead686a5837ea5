// The ZAP handler as one thread in one context: its handles, its start and stop, a crowd, and its death.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "tests/harness/suite.h"
#include "tests/unit/broker/zap_asker.h"

// ------------------------------------------------------------------ handles

START_TEST(knows_no_handle_that_it_did_not_give_out)
{
	char handle[ZAP_HANDLE_BYTES], longer[ZAP_HANDLE_BYTES + 1];
	admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
	ck_assert(!knows(""));
	ck_assert(!knows("admin"));
	ck_assert(!knows("00000000000000000000000000000000"));
	snprintf(longer, sizeof longer, "%s0", handle);
	ck_assert(!knows(longer));
	handle[31] = handle[31] == '0' ? '1' : '0';
	ck_assert(!knows(handle));
	handle[31] = '\0';
	ck_assert(!knows(handle));
}
END_TEST

START_TEST(writes_no_key_for_a_handle_that_it_does_not_know)
{
	uint8_t key[KEY_BYTES] = {1, 2, 3}, before[KEY_BYTES] = {1, 2, 3};
	ck_assert(!zap_lookup(zap, ZAP_SYSTEMS, "00000000000000000000000000000000", key));
	ck_assert_mem_eq(key, before, KEY_BYTES);
}
END_TEST

START_TEST(keeps_so_many_handles_and_drops_the_oldest_of_all)
{
	char handles[5][ZAP_HANDLE_BYTES];
	start_with(enrolment->admission, 3, 3);
	for (int i = 0; i < 5; i++)
		admit(KEY_OF(i % 2 == 0 ? ENROLMENT_HOSPITAL : ENROLMENT_LEEDS), handles[i]);
	for (int i = 0; i < 5; i++)
		ck_assert_msg(knows(handles[i]) == (i >= 2), "handle %d", i);
}
END_TEST

START_TEST(a_system_with_too_many_connections_loses_its_own_oldest_only)
{
	char handles[4][ZAP_HANDLE_BYTES], other[ZAP_HANDLE_BYTES];
	start_with(enrolment->admission, 16, 2);
	admit(KEY_OF(ENROLMENT_LEEDS), other);
	for (int i = 0; i < 4; i++)
		admit(KEY_OF(ENROLMENT_HOSPITAL), handles[i]);
	ck_assert(knows(other));
	for (int i = 0; i < 4; i++)
		ck_assert_msg(knows(handles[i]) == (i >= 2), "handle %d", i);
}
END_TEST

START_TEST(a_single_handle_may_be_all_there_is_room_for)
{
	char first[ZAP_HANDLE_BYTES], second[ZAP_HANDLE_BYTES];
	start_with(enrolment->admission, 1, 1);
	admit(KEY_OF(ENROLMENT_LEEDS), first);
	admit(KEY_OF(ENROLMENT_LEEDS), second);
	ck_assert(!knows(first) && knows(second));
	admit(KEY_OF(ENROLMENT_HOSPITAL), first);
	ck_assert(knows(first) && !knows(second));
}
END_TEST

// ------------------------------------------------------------------ the thread

START_TEST(is_alone_in_its_context)
{
	const struct zap_limits limits = {.connections_max = 1, .connections_per_system_max = 1};
	struct zap *second;
	ck_assert(!zap_start(context, enrolment->admission, &limits, &second));
	ck_assert_str_eq(ask(KEY_OF(ENROLMENT_HOSPITAL)).status, "200");
}
END_TEST

START_TEST(starts_again_after_a_stop_and_knows_no_handle_of_before)
{
	char handle[ZAP_HANDLE_BYTES];
	for (int i = 0; i < 10; i++) {
		start_with(enrolment->admission, 16, 8);
		if (i > 0)
			ck_assert(!knows(handle));
		admit(KEY_OF(ENROLMENT_HOSPITAL), handle);
		zmq_close(asker);
		zap_stop(zap);
	}
	asker = NULL;
	zap = NULL;
}
END_TEST

START_TEST(accepts_null_to_stop)
{
	zap_stop(NULL);
}
END_TEST

static atomic_bool lookups_end;
static atomic_uint lookups_lost;

static void *look_up(void *argument)
{
	uint8_t key[KEY_BYTES];
	while (!atomic_load(&lookups_end)) {
		if (!zap_lookup(zap, ZAP_SYSTEMS, argument, key))
			atomic_fetch_add(&lookups_lost, 1);
		zap_set_admission(zap, enrolment->admission);
		zap_read_counters(zap);
	}
	return NULL;
}

START_TEST(answers_a_crowd_while_other_threads_look_up_and_replace_the_register)
{
	enum { ASKERS = 8, QUESTIONS = 50 };
	struct question question = question_for(KEY_OF(ENROLMENT_HOSPITAL));
	void *askers[ASKERS];
	pthread_t thread;
	char handle[ZAP_HANDLE_BYTES];
	admit(KEY_OF(ENROLMENT_LEEDS), handle);
	ck_assert_int_eq(pthread_create(&thread, NULL, look_up, handle), 0);
	for (int i = 0; i < ASKERS; i++) {
		askers[i] = new_asker();
		for (int j = 0; j < QUESTIONS; j++)
			send_question(askers[i], &question);
	}
	for (int i = 0; i < ASKERS; i++) {
		for (int j = 0; j < QUESTIONS; j++)
			ck_assert_str_eq(receive_reply(askers[i]).status, "200");
		zmq_close(askers[i]);
	}
	atomic_store(&lookups_end, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(lookups_lost, 0);
	ck_assert_uint_eq(zap_read_counters(zap).admitted, ASKERS * QUESTIONS + 1);
}
END_TEST

// Its end by any way but zap_stop: here the context goes away under it.
START_TEST(takes_the_process_with_it_when_it_dies)
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		const struct rlimit none = {0, 0};
		const struct zap_limits limits = {.connections_max = 1, .connections_per_system_max = 1};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		if (zap_start(context, NULL, &limits, &zap))
			zmq_ctx_shutdown(context);
		for (;;)
			pause();
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("zap_thread");
	TCase *started = tcase_create("started"), *stopped = tcase_create("stopped");
	tcase_add_checked_fixture(started, set_up_started, tear_down);
	tcase_set_timeout(started, 120);
	tcase_add_test(started, knows_no_handle_that_it_did_not_give_out);
	tcase_add_test(started, writes_no_key_for_a_handle_that_it_does_not_know);
	tcase_add_test(started, is_alone_in_its_context);
	tcase_add_test(started, answers_a_crowd_while_other_threads_look_up_and_replace_the_register);
	suite_add_tcase(suite, started);
	tcase_add_checked_fixture(stopped, set_up, tear_down);
	tcase_set_timeout(stopped, 120);
	tcase_add_test(stopped, keeps_so_many_handles_and_drops_the_oldest_of_all);
	tcase_add_test(stopped, a_system_with_too_many_connections_loses_its_own_oldest_only);
	tcase_add_test(stopped, a_single_handle_may_be_all_there_is_room_for);
	tcase_add_test(stopped, starts_again_after_a_stop_and_knows_no_handle_of_before);
	tcase_add_test(stopped, accepts_null_to_stop);
	tcase_add_test(stopped, takes_the_process_with_it_when_it_dies);
	suite_add_tcase(suite, stopped);
	return suite_run(suite);
}
