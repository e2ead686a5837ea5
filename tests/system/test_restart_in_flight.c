// A broker that is killed and back within some milliseconds, again and again, while one call of a client with this one broker
// waits there: the call is not lost with the connection. It is a call that may wait for long, so that a request which was sent
// nowhere is a call that fails, and not one that is late. CPIS_TEST_ROUNDS: how often.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define ROUNDS 30u
#define WAIT_MS 50000
// Shorter than the wait and the silence after which it is asked again: a request that is lost is a deadline that is missed.
#define DEADLINE_MS 40000
#define EMERGENCY CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT

static struct world *world;
static char child[11];

struct waiting {
	pthread_t thread;
	struct cpis_client *client;
	uint64_t after_id, newest_id;
	enum cpis_status status;
	Cpis__V1__Outcome outcome;
	size_t items;
};

static void setup(void)
{
	world = world_new();
	world_set_inbox(world, "383", "{same_look_minutes: 0}"); // each look is told
	world_start(world);
	world_nhs_number(0, child);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	cpis_close(leeds);
}

static void teardown(void)
{
	world_free(world);
}

static unsigned rounds(void)
{
	const char *asked = getenv("CPIS_TEST_ROUNDS");
	return asked == NULL ? ROUNDS : (unsigned)strtoul(asked, NULL, 10);
}

static void *wait_for_item(void *context)
{
	struct waiting *waiting = context;
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	list.after_id = waiting->after_id;
	list.wait_ms = WAIT_MS;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	waiting->status = cpis_call(waiting->client, &request, DEADLINE_MS, &reply);
	if (waiting->status != CPIS_OK)
		return NULL;
	waiting->outcome = reply->outcome;
	if (reply->outcome == CPIS__V1__OUTCOME__OK && (waiting->items = reply->inbox_list->n_items) > 0)
		waiting->newest_id = reply->inbox_list->items[waiting->items - 1]->id;
	cpis_reply_free(reply);
	return NULL;
}

START_TEST(a_waiting_call_outlives_its_broker)
{
	struct waiting waiting = {.client = world_sign_in(world, "leeds")};
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	for (unsigned i = 0; i < rounds(); i++) {
		waiting.after_id = waiting.newest_id;
		waiting.items = 0;
		ck_assert_int_eq(pthread_create(&waiting.thread, NULL, wait_for_item, &waiting), 0);
		// Sometimes it is there before the broker is gone, sometimes not.
		if (i % 2 == 0)
			cpis_reply_free(world_flag(nurse, child, EMERGENCY));
		world_kill(world);
		world_start(world);
		cpis_reply_free(world_details(nurse, child, EMERGENCY, CPIS__V1__ACCESS_TYPE__UNSCHEDULED));
		pthread_join(waiting.thread, NULL);
		ck_assert_msg(waiting.status == CPIS_OK, "round %u: %d, %s", i, (int)waiting.status, cpis_detail(waiting.client));
		ck_assert_int_eq(waiting.outcome, CPIS__V1__OUTCOME__OK);
		ck_assert_uint_eq(waiting.items, 1);
	}
	cpis_close(nurse);
	cpis_close(waiting.client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restart_in_flight");
	TCase *tests = tcase_create("restart_in_flight");
	tcase_set_timeout(tests, 600);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_waiting_call_outlives_its_broker);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
