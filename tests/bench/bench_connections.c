// Connections: what the broker does with 1 to 4,000 of them beside the bare echo, what memory each takes, and how soon a thousand
// clients that come back at once after a restart have all been answered again.
#include <stdio.h>

#include "tests/bench/queries.h"
#include "tests/bench/report.h"
#include "tests/bench/rivals.h"
#include "tests/bench/servers.h"

#define DURATION_MS 1000u
#define RETURNING 1000u    // clients after a restart

static struct town *town;
static json_t *rows;

static const struct {
	unsigned connections, repeats;
} shapes[] = {{1, 3}, {8, 3}, {64, 3}, {256, 3}, {1000, 3}, {4000, 1}};
#define SHAPES (sizeof shapes / sizeof shapes[0])

// ------------------------------------------------------------------ throughput

static void measure(struct report_samples *samples, const struct load_options *options, pid_t server)
{
	const struct load_run run = {.window = 1, .duration_ms = DURATION_MS};
	struct load *load = load_open(options);
	report_measure(samples, load, &run, &server, 1);
	load_close(load);
}

static void compare(const struct rival *echo, unsigned connections, unsigned repeats)
{
	struct report_samples ours = {0}, theirs = {0};
	char name[64];
	for (unsigned i = 0; i < repeats; i++) {
		struct queries queries;
		queries_init(&queries, town, 1);
		const struct load_options options = queries_load(&queries, connections);
		struct load_options floor = echo->load;
		floor.connections = connections;
		measure(&theirs, &floor, echo->servers[0]);
		measure(&ours, &options, world_broker_pid(town->world));
	}
	snprintf(name, sizeof name, "connections_%u", connections);
	json_t *row = report_row(name, &ours);
	report_ratio(row, "ratio_to_curve_echo", "the echo", &ours, &theirs);
	report_end_line();
	json_array_append_new(rows, row);
}

static void compare_all(void)
{
	struct rivals rivals;
	rivals_start(&rivals, town, NULL);
	for (size_t i = 0; i < SHAPES; i++)
		compare(&rivals.of[RIVAL_ECHO], shapes[i].connections, shapes[i].repeats);
	rivals_stop(&rivals);
}

// ------------------------------------------------------------------ memory

// Resident once each of so many connections has asked a few times; how long it took until all were there.
static long resident_kb(unsigned connections, double *ret_handshakes_s)
{
	struct queries queries;
	struct load_result result;
	queries_init(&queries, town, 1);
	const struct load_options options = queries_load(&queries, connections);
	const struct load_run run = {.window = 1, .duration_ms = LOAD_WAIT_MS, .requests_max = connections * UINT64_C(10)};
	uint64_t start_ns = load_now_ns();
	struct load *load = load_open(&options);
	*ret_handshakes_s = (double)(load_now_ns() - start_ns) / 1e9;
	load_run(load, &run, &result);
	long resident = servers_resident_kb(world_broker_pid(town->world));
	load_close(load);
	return resident;
}

static void measure_memory(void)
{
	double few_s, many_s;
	long few = resident_kb(64, &few_s), many = resident_kb(RETURNING, &many_s);
	report_figure(rows, "memory_n64", "megabytes", (double)few / 1e3, "MB resident");
	report_figure(rows, "memory_per_connection", "kilobytes", (double)(many - few) / (RETURNING - 64), "kB resident");
	report_figure(rows, "handshakes", "rps", RETURNING / many_s, "a second, of 1,000 at once");
}

// ------------------------------------------------------------------ restart

// From the start of the broker's process: start-up, 1,000 handshakes at once, a first question of each with the token from before.
static void restart(void)
{
	struct queries queries;
	struct load_result result;
	queries_init(&queries, town, 1);
	const struct load_options options = queries_load(&queries, RETURNING);
	const struct load_run run = {.window = 1, .duration_ms = LOAD_WAIT_MS, .requests_max = RETURNING};
	struct load *load = load_open(&options);
	load_run(load, &run, &result);
	load_close(load);
	world_kill(town->world);
	uint64_t start_ns = load_now_ns();
	world_start(town->world);
	double ready_s = (double)(load_now_ns() - start_ns) / 1e9;
	load = load_open(&options);
	load_run(load, &run, &result);
	double seconds = (double)(load_now_ns() - start_ns) / 1e9;
	load_close(load);
	report_figure(rows, "restart_ready", "seconds", ready_s, "s from start to ready, after a kill");
	report_figure(rows, "restart_1000_clients", "seconds", seconds, "s from start until all were answered");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_connections REPORT.json\n");
		return 1;
	}
	rows = json_array();
	town = town_new(&(struct town_options){.plans = TOWN_PLANS, .configuration = "connections_max: 8192\n"});
	measure_memory();
	compare_all();
	restart();
	report_write(rows, argv[1]);
	return town_free(town) != 0;
}
