// A responder for several brokers: it answers at each of them at once, comes back to the one that was restarted, and goes on at the
// others when one is gone or will not have it.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <check.h>

#include "tests/harness/world_brokers.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_process.h"

#define HEADER "nhs_number,plan_type,start_date,end_date,organisation,authority,emergency_duty_telephone,office_hours_telephone\n"

static struct world *world;
static struct world_broker *other;
static struct world_process process;
static struct cpis_client *here, *there;
static const char known[] = "9995000008";

static void setup(void)
{
	world = world_new();
	world_start(world);
	other = world_broker_new(world, "second-broker");
	world_broker_start(other);
	world_brokers_in_profile(world, "neighbour", &other, 1);
	process = (struct world_process){0};
	here = world_sign_in(world, "nurse");
	there = world_broker_sign_in(other, "nurse");
}

static void teardown(void)
{
	cpis_close(here);
	cpis_close(there);
	if (process.pid != 0)
		kill(process.pid, SIGKILL);
	world_broker_free(other);
	world_free(world);
}

static const char *plans(void)
{
	char text[512], start[11];
	world_date(0, 10, start);
	snprintf(text, sizeof text, HEADER "%s,CPP,%s,,7W1,Aberdyfi County Council,01632 960100,\n", known, start);
	world_write_file(world_path(world, "neighbour.csv"), text);
	return world_path(world, "neighbour.csv");
}

static void wait_ready(long mark, const char *endpoint)
{
	char text[200];
	snprintf(text, sizeof text, "at %s: ready: answers plans", endpoint);
	world_process_wait(world, &process, mark, text);
}

static void start(void)
{
	snprintf(process.log, sizeof process.log, "%s", world_path(world, "cpis-responder.log"));
	long mark = world_process_mark(&process);
	world_process_start(world, &process, "cpis-responder", "--profile", world_path(world, "profiles/neighbour.yaml"), "--range",
			    WORLD_NEIGHBOUR_RANGE, plans(), NULL);
	wait_ready(mark, world_endpoint(world));
}

static void assert_answered(struct cpis_client *nurse)
{
	const Cpis__V1__Reply *reply = world_flag(nurse, known, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
	ck_assert_msg(reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reason_code);
	ck_assert_uint_eq(reply->flag->n_not_available_from, 0);
	ck_assert(reply->flag->flag);
	cpis_reply_free(reply);
}

START_TEST(each_broker_is_answered_and_each_is_come_back_to)
{
	start();
	wait_ready(0, world_broker_endpoint(other));
	assert_answered(here);
	assert_answered(there);
	long mark = world_process_mark(&process);
	world_broker_kill(other);
	assert_answered(here);
	world_broker_start(other);
	wait_ready(mark, world_broker_endpoint(other));
	assert_answered(there);
	assert_answered(here);
	ck_assert_int_eq(world_process_end(world, &process, SIGTERM), 0);
}
END_TEST

START_TEST(a_broker_that_is_not_there_keeps_the_others_from_nothing)
{
	world_broker_kill(other);
	start();
	assert_answered(here);
	ck_assert_int_eq(world_process_end(world, &process, SIGTERM), 0);
}
END_TEST

// However it ends, nothing of it stays at a broker: its part of it there is gone, and says so.
START_TEST(its_processes_end_with_it)
{
	start();
	wait_ready(0, world_broker_endpoint(other));
	long mark = world_process_mark(&process);
	world_process_end(world, &process, SIGKILL);
	char text[200];
	snprintf(text, sizeof text, "at %s: stopped", world_broker_endpoint(other));
	world_process_wait(world, &process, mark, text);
	snprintf(text, sizeof text, "at %s: stopped", world_endpoint(world));
	world_process_wait(world, &process, mark, text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("responder_brokers");
	TCase *tests = tcase_create("responder_brokers");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_broker_is_answered_and_each_is_come_back_to);
	tcase_add_test(tests, a_broker_that_is_not_there_keeps_the_others_from_nothing);
	tcase_add_test(tests, its_processes_end_with_it);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
