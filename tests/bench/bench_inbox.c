// Notifications to all 153 authorities of England: looks at children of each, then every authority's worker takes what came and
// acknowledges it. Each look must have come to the authority that holds the child's plan, once.
#include <stdio.h>

#include "proto/wire.h"
#include "tests/bench/queries.h"
#include "tests/bench/report.h"

#define AUTHORITIES TOWN_AUTHORITIES_MAX
#define LOOKS (AUTHORITIES * 40u)
#define LEASE_MS 600000u

static struct town *town;
static json_t *rows;

struct worker {
	uint64_t ids[ACKNOWLEDGE_IDS_MAX];
	size_t count;
};
static struct worker workers[AUTHORITIES];
static uint64_t taken, acknowledged;

static void decode(struct arena *arena, const uint8_t *data, size_t bytes, Cpis__V1__Reply **ret)
{
	struct wire_error error;
	town_check(town, data, bytes);
	link_must(arena_init(arena, 4 * ARENA_BYTES) && wire_reply_decode(arena, data, bytes, ret, &error) == WIRE_OK,
		  "an inbox's reply");
}

// ------------------------------------------------------------------ take

static size_t make_take(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	Cpis__V1__InboxTakeRequest take = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	(void)context;
	take.limit = ACKNOWLEDGE_IDS_MAX;
	take.lease_ms = LEASE_MS;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &take;
	return town_pack(town, town_first_worker() + connection, &request, out);
}

static void check_take(void *context, unsigned connection, const uint8_t *data, size_t bytes)
{
	struct arena arena;
	Cpis__V1__Reply *reply;
	struct worker *worker = &workers[connection];
	(void)context;
	decode(&arena, data, bytes, &reply);
	worker->count = 0;
	for (size_t i = 0; i < reply->inbox_take->n_items; i++) {
		const Cpis__V1__InboxItem *item = reply->inbox_take->items[i];
		worker->ids[worker->count++] = item->id;
		taken += item->kind_case == CPIS__V1__INBOX_ITEM__KIND_ACCESS;
	}
	arena_done(&arena);
}

// ------------------------------------------------------------------ acknowledge

static size_t make_acknowledgement(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	Cpis__V1__InboxAcknowledgeRequest acknowledge = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	struct worker *worker = &workers[connection];
	(void)context;
	link_must(worker->count > 0, "an authority was not told of any look");
	acknowledge.n_ids = worker->count;
	acknowledge.ids = worker->ids;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &acknowledge;
	return town_pack(town, town_first_worker() + connection, &request, out);
}

static void check_acknowledgement(void *context, unsigned connection, const uint8_t *data, size_t bytes)
{
	struct arena arena;
	Cpis__V1__Reply *reply;
	(void)context, (void)connection;
	decode(&arena, data, bytes, &reply);
	acknowledged += reply->inbox_acknowledge->acknowledged;
	arena_done(&arena);
}

// ------------------------------------------------------------------ the workload

// Each worker's connection asks once. The rate is told in requests and in notifications.
static void run_workers(const char *name, load_make *make, load_check *check, const uint64_t *notifications)
{
	struct report_samples samples = {0};
	pid_t broker = world_broker_pid(town->world);
	const struct link_curve_target target = town_workers(town);
	const struct load_options options = {&link_curve, &target, AUTHORITIES, make, check, NULL};
	const struct load_run run = {.window = 1, .duration_ms = LOAD_WAIT_MS, .requests_max = AUTHORITIES};
	struct load *load = load_open(&options);
	report_measure(&samples, load, &run, &broker, 1);
	load_close(load);
	json_t *row = report_row(name, &samples);
	double per_s = (double)*notifications / samples.of[0].load.seconds;
	printf("; %llu notifications, %.0f/s", (unsigned long long)*notifications, per_s);
	report_end_line();
	json_object_set_new(row, "notifications_per_s", json_real(per_s));
	json_array_append_new(rows, row);
}

static void look(void)
{
	struct report_samples samples = {0};
	struct queries queries;
	pid_t broker = world_broker_pid(town->world);
	queries_init(&queries, town, 20);
	const struct load_options options = queries_load(&queries, TOWN_NURSES);
	const struct load_run run = {.window = 1, .duration_ms = LOAD_WAIT_MS, .requests_max = LOOKS};
	struct load *load = load_open(&options);
	report_measure(&samples, load, &run, &broker, 1);
	load_close(load);
	json_array_append_new(rows, report_row("inbox_looks", &samples));
	report_end_line();
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_inbox REPORT.json\n");
		return 1;
	}
	rows = json_array();
	town = town_new(&(struct town_options){.plans = TOWN_PLANS, .authorities = AUTHORITIES});
	uint64_t start_ns = load_now_ns();
	look();
	run_workers("inbox_take_153", make_take, check_take, &taken);
	run_workers("inbox_acknowledge_153", make_acknowledgement, check_acknowledgement, &acknowledged);
	double seconds = (double)(load_now_ns() - start_ns) / 1e9;
	if (taken != LOOKS || acknowledged != LOOKS)
		fprintf(stderr, "bench: of %u looks %llu were told and %llu acknowledged\n", LOOKS, (unsigned long long)taken,
			(unsigned long long)acknowledged);
	link_must(taken == LOOKS && acknowledged == LOOKS, "notifications are missing or too many");
	report_figure(rows, "inbox_fan_out_153", "rps", LOOKS / seconds, "notifications a second from look to acknowledged");
	report_write(rows, argv[1]);
	return town_free(town) != 0;
}
