// A request whose caller has given up is not carried out: another process holds the store's lock, so that the broker
// cannot commit, and meanwhile the deadline of what is in its queue passes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <sqlite3.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define LOCKED_MS 1500
#define SHORT_DEADLINE_MS 300u

static struct world *world;
static char child[11];

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2026-01-01"));
	cpis_close(leeds);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

static void send_details(struct channel *channel, const struct channel_reply *session, uint8_t id, uint32_t deadline_ms)
{
	uint8_t request_id[REQUEST_ID_BYTES] = {id}, packed[2048];
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof request_id, request_id};
	request.deadline_ms = deadline_ms;
	request.session_token = session->reply->session_open->session_token;
	details.nhs_number = child;
	details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	channel_send(channel, packed, cpis__v1__request__pack(&request, packed));
}

static unsigned notifications(void)
{
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	const Cpis__V1__Reply *reply = world_inbox(leeds, 0, true);
	unsigned count = (unsigned)reply->inbox_list->n_items;
	cpis_reply_free(reply);
	cpis_close(leeds);
	return count;
}

START_TEST(what_waited_past_its_deadline_is_refused_and_recorded_and_notifies_nobody)
{
	sqlite3 *lock = NULL;
	struct channel *channel = channel_open(world, world_path(world, "systems/hospital.key"));
	struct channel_reply *session = channel_open_session(world, channel, "nurse");
	ck_assert_int_eq(session->reply->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert_int_eq(sqlite3_open(world_path(world, "store.db"), &lock), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	send_details(channel, session, 1, 20000);
	send_details(channel, session, 2, SHORT_DEADLINE_MS);
	// Nobody is answered while nothing can be recorded.
	ck_assert_ptr_null(channel_poll_reply(channel, LOCKED_MS));
	ck_assert_int_eq(sqlite3_exec(lock, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(lock);
	struct channel_reply *first = channel_next_reply(channel), *second = channel_next_reply(channel);
	ck_assert_str_eq(wire_outcome_name(first->reply->outcome), "OK");
	ck_assert_str_eq(wire_outcome_name(second->reply->outcome), "DEADLINE_EXPIRED");
	ck_assert_str_eq(second->record->reason_code, "deadline");
	ck_assert_uint_eq(notifications(), 1);
	channel_reply_free(first);
	channel_reply_free(second);
	channel_reply_free(session);
	channel_close(channel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("deadline");
	TCase *tests = tcase_create("deadline");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_waited_past_its_deadline_is_refused_and_recorded_and_notifies_nobody);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
