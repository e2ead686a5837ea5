// Limits of what is shown of how the service runs, at the limit and one past it.
#include "tests/harness/suite.h"
#include "tests/unit/proto/whole.h"

START_TEST(nothing_is_asked_in_particular)
{
	Cpis__V1__OperationsShowRequest body = CPIS__V1__OPERATIONS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = request_of(CPIS__V1__REQUEST__BODY_OPERATIONS_SHOW);
	request.operations_show = &body;
	expect(&request.base, false, WIRE_OK, NULL);
	ck_assert_int_eq(wire_operation(&request), CPIS__V1__OPERATION__OPERATIONS_SHOW);
}
END_TEST

struct shown {
	Cpis__V1__Reply reply;
	Cpis__V1__Receipt receipt;
	Cpis__V1__OperationsShowReply body;
	Cpis__V1__Latency latency;
	Cpis__V1__EdgeCounts edge;
	Cpis__V1__WaitingItems waiting;
	Cpis__V1__LogState log;
	uint32_t numbers[SHOWN_SECONDS_MAX + 1];
	Cpis__V1__CountedSeconds minute, *minutes[SHOWN_MINUTES_MAX + 1];
	Cpis__V1__OperationCount count, *counts[SHOWN_OPERATIONS_MAX + 1];
	Cpis__V1__LatencyBucket bucket, *buckets[SHOWN_BUCKETS_MAX + 1];
	Cpis__V1__ExpiringSystem system, *systems[SHOWN_EXPIRING_MAX + 1];
};

// All at their limits.
static void fill(struct shown *shown)
{
	shown->reply = reply_of(&shown->receipt, CPIS__V1__REPLY__BODY_OPERATIONS_SHOW);
	cpis__v1__operations_show_reply__init(&shown->body);
	cpis__v1__latency__init(&shown->latency);
	cpis__v1__edge_counts__init(&shown->edge);
	cpis__v1__waiting_items__init(&shown->waiting);
	cpis__v1__log_state__init(&shown->log);
	cpis__v1__operation_count__init(&shown->count);
	cpis__v1__latency_bucket__init(&shown->bucket);
	cpis__v1__expiring_system__init(&shown->system);
	shown->reply.operations_show = &shown->body;
	shown->body.since_start = shown->body.last_minute = shown->body.last_five_minutes = &shown->latency;
	shown->body.edge = &shown->edge;
	shown->body.waiting = &shown->waiting;
	shown->body.log = &shown->log;
	for (size_t i = 0; i <= SHOWN_OPERATIONS_MAX; i++)
		shown->counts[i] = &shown->count;
	for (size_t i = 0; i <= SHOWN_BUCKETS_MAX; i++)
		shown->buckets[i] = &shown->bucket;
	for (size_t i = 0; i <= SHOWN_EXPIRING_MAX; i++)
		shown->systems[i] = &shown->system;
	cpis__v1__counted_seconds__init(&shown->minute);
	shown->minute.allowed = shown->minute.refused = shown->numbers;
	shown->minute.n_allowed = shown->minute.n_refused = SHOWN_SECONDS_MAX;
	for (size_t i = 0; i <= SHOWN_MINUTES_MAX; i++)
		shown->minutes[i] = &shown->minute;
	shown->body.seconds = shown->minutes;
	shown->body.n_seconds = SHOWN_MINUTES_MAX;
	shown->body.counts = shown->counts;
	shown->body.n_counts = SHOWN_OPERATIONS_MAX;
	shown->body.buckets = shown->buckets;
	shown->body.n_buckets = SHOWN_BUCKETS_MAX;
	shown->body.expiring_soonest = shown->systems;
	shown->body.n_expiring_soonest = SHOWN_EXPIRING_MAX;
}

START_TEST(what_is_shown_stays_within_its_numbers)
{
	static struct shown shown;
	fill(&shown);
	expect(&shown.reply.base, true, WIRE_OK, NULL);
	shown.body.n_seconds++;
	expect(&shown.reply.base, true, WIRE_TOO_MANY, "operations_show.seconds");
	fill(&shown);
	shown.minute.n_allowed = shown.minute.n_refused = SHOWN_SECONDS_MAX + 1;
	expect(&shown.reply.base, true, WIRE_TOO_MANY, "operations_show.seconds.allowed");
	fill(&shown);
	shown.minute.n_refused--;
	expect(&shown.reply.base, true, WIRE_BAD_VALUE, "operations_show.seconds.refused");
	fill(&shown);
	shown.body.n_counts++;
	expect(&shown.reply.base, true, WIRE_TOO_MANY, "operations_show.counts");
	fill(&shown);
	shown.body.n_buckets++;
	expect(&shown.reply.base, true, WIRE_TOO_MANY, "operations_show.buckets");
	fill(&shown);
	shown.body.n_expiring_soonest++;
	expect(&shown.reply.base, true, WIRE_TOO_MANY, "operations_show.expiring_soonest");
}
END_TEST

START_TEST(each_part_is_there)
{
	static struct shown shown;
	fill(&shown);
	shown.body.since_start = NULL;
	expect(&shown.reply.base, true, WIRE_MISSING, "operations_show.since_start");
	fill(&shown);
	shown.body.last_minute = NULL;
	expect(&shown.reply.base, true, WIRE_MISSING, "operations_show.since_start");
	fill(&shown);
	shown.body.last_five_minutes = NULL;
	expect(&shown.reply.base, true, WIRE_MISSING, "operations_show.since_start");
	fill(&shown);
	shown.body.edge = NULL;
	expect(&shown.reply.base, true, WIRE_MISSING, "operations_show.edge");
	fill(&shown);
	shown.body.waiting = NULL;
	expect(&shown.reply.base, true, WIRE_MISSING, "operations_show.waiting");
	fill(&shown);
	shown.body.log = NULL;
	expect(&shown.reply.base, true, WIRE_MISSING, "operations_show.log");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, nothing_is_asked_in_particular);
	tcase_add_test(tests, what_is_shown_stays_within_its_numbers);
	tcase_add_test(tests, each_part_is_there);
}

int main(void)
{
	return suite_run_group("wire_operations", whole_setup, whole_teardown, 0, add);
}
