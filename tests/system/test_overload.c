// One system asks for more than is carried out: it is told so at once, others do not notice, and the reviewer finds it.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define FLOOD 900u // fewer than a client may leave unread
#define LOOKS 20u
#define UNKNOWN_CHILD 50u

static struct world *world;

static void set_up(void)
{
	world = world_new();
	// So that little is too much.
	world_configure(world, "batch_max: 4\nwaiting_max: 256\nwaiting_per_system_max: 64\n");
	world_start(world);
}

static void tear_down(void)
{
	world_free(world);
}

static void send_pings(struct channel *channel, unsigned count)
{
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	for (unsigned i = 0; i < count; i++)
		channel_send_request(channel, &request);
}

// What became of so many requests; each has one answer.
static void count_answers(struct channel *channel, unsigned count, unsigned *ret_answered, unsigned *ret_busy)
{
	*ret_answered = *ret_busy = 0;
	while (*ret_answered + *ret_busy < count) {
		struct channel_reply *reply = channel_next_reply(channel);
		if (reply->reply->outcome == CPIS__V1__OUTCOME__OK) {
			++*ret_answered;
		} else {
			ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
			ck_assert_str_eq(reply->reply->reason_code, "busy");
			ck_assert_uint_ge(reply->reply->retry_after_ms, 50);
			ck_assert_uint_eq(reply->reply->request_id.len, REQUEST_ID_BYTES);
			++*ret_busy;
		}
		channel_reply_free(reply);
	}
}

static uint64_t turned_away_on_record(void)
{
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint64_t count = 0;
	struct cpis_client *guardian = world_sign_in(world, "guardian");
	search.limit = 100;
	search.operation = CPIS__V1__OPERATION__TURNED_AWAY;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	const Cpis__V1__Reply *reply = world_call(guardian, &request);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	for (size_t i = 0; i < reply->audit_search->n_entries; i++) {
		const Cpis__V1__AuditEntry *entry = reply->audit_search->entries[i];
		ck_assert_int_eq(entry->operation, CPIS__V1__OPERATION__TURNED_AWAY);
		ck_assert_str_eq(entry->reason_code, "busy");
		ck_assert_ptr_nonnull(strstr(entry->detail->target, "key "));
		count += entry->detail->count;
	}
	cpis_reply_free(reply);
	cpis_close(guardian);
	return count;
}

START_TEST(a_flood_from_one_system_is_refused_and_does_not_keep_a_nurse_waiting)
{
	struct channel *noisy = channel_open(world, world_path(world, "systems/brighton.key"));
	struct channel *hospital = channel_open(world, world_path(world, "systems/hospital.key"));
	ProtobufCBinaryData token = channel_token(hospital, "nurse");
	char child[11];
	unsigned answered, busy;
	world_nhs_number(UNKNOWN_CHILD, child);
	channel_reply_free(channel_ping(noisy));
	long mark = world_log_mark(world);
	send_pings(noisy, FLOOD);
	// Not one of hers is refused while the flood goes on.
	for (unsigned i = 0; i < LOOKS; i++) {
		struct channel_reply *reply = channel_flag(hospital, token, child);
		ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
		channel_reply_free(reply);
	}
	count_answers(noisy, FLOOD, &answered, &busy);
	printf("%u answered and %u refused of %u\n", answered, busy, FLOOD);
	ck_assert_uint_gt(answered, 0);
	ck_assert_uint_gt(busy, 0);
	// It is over: nobody is refused any more.
	channel_reply_free(channel_ping(noisy));
	world_wait_log(world, mark, "turned_away");
	uint64_t recorded = turned_away_on_record();
	ck_assert_uint_gt(recorded, 0);
	ck_assert_uint_le(recorded, busy);
	channel_close(noisy);
	channel_close(hospital);
	free(token.data);
	ck_assert_int_eq(world_stop(world), 0);
	// What was not recorded yet is when the broker ends.
	world_start(world);
	ck_assert_uint_eq(turned_away_on_record(), busy);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

// libcpis waits as long as it is told, and a little longer by chance, and asks again by itself.
START_TEST(a_client_of_the_noisy_system_gets_its_answer_all_the_same)
{
	struct channel *noisy = channel_open(world, world_path(world, "systems/hospital.key"));
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	char child[11];
	unsigned answered, busy;
	world_nhs_number(UNKNOWN_CHILD, child);
	channel_reply_free(channel_ping(noisy));
	send_pings(noisy, FLOOD);
	for (unsigned i = 0; i < LOOKS; i++) {
		const Cpis__V1__Reply *reply = world_flag(nurse, child, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
		ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
		cpis_reply_free(reply);
	}
	count_answers(noisy, FLOOD, &answered, &busy);
	ck_assert_uint_gt(busy, 0);
	cpis_close(nurse);
	channel_close(noisy);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("overload");
	TCase *tests = tcase_create("overload");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_flood_from_one_system_is_refused_and_does_not_keep_a_nurse_waiting);
	tcase_add_test(tests, a_client_of_the_noisy_system_gets_its_answer_all_the_same);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
