// The main figures: queries, each decided, recorded and flushed to disk before its answer, at several numbers of connections and
// windows, against a bare CURVE echo of the same sizes and the peers, all in turn within one run; what counts are the ratios. And the
// floors: disk, hash, signature.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/current.h"
#include "tests/bench/floors.h"
#include "tests/bench/queries.h"
#include "tests/bench/report.h"
#include "tests/bench/rivals.h"

#define SYNCS 100u
#define RECORD_BYTES 400u // of an audit record with its row, about

static struct town *town;
static struct rivals rivals;
static json_t *rows;
static bool is_quick;

static unsigned repeats(void)
{
	return is_quick ? 3 : 5;
}

static uint32_t duration_ms(void)
{
	return is_quick ? 700 : 1500;
}

// Both with connections of their own, so that none is idle while the others are measured.
static void measure(struct report_samples *samples, const struct load_options *options, unsigned connections, unsigned window,
		    const pid_t *servers, unsigned servers_count)
{
	const struct load_run run = {.window = window, .duration_ms = duration_ms()};
	struct load_options own = *options;
	own.connections = connections;
	struct load *load = load_open(&own);
	report_measure(samples, load, &run, servers, servers_count);
	load_close(load);
}

// ------------------------------------------------------------------ workloads

struct mix {
	const char *name;
	unsigned hits_of_20;
};
static const struct mix mixes[] = {{"query_mix", 1}, {"query_hit", 20}, {"query_miss", 0}};
#define MIXES (sizeof mixes / sizeof mixes[0])

struct shape {
	unsigned connections, window;
	unsigned mixes;           // the first so many
	unsigned rivals;          // likewise
	bool quick;
};
// The first two are what the others are read from.
static const struct shape shapes[] = {
	{64, 1, 3, RIVALS, true}, {64, 16, 1, RIVALS, true}, {1, 1, 1, 1, true}, {8, 1, 1, RIVALS, false}};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static void row_name(char out[64], const char *name, const struct shape *shape)
{
	snprintf(out, 64, "%s_n%u_w%u", name, shape->connections, shape->window);
}

static void report(const struct shape *shape, const struct report_samples ours[MIXES], unsigned mixes_count,
		   const struct report_samples theirs[RIVALS])
{
	char name[64];
	for (unsigned m = 0; m < mixes_count; m++) {
		row_name(name, mixes[m].name, shape);
		json_t *row = report_row(name, &ours[m]);
		for (unsigned r = 0; r < shape->rivals; r++)
			report_ratio(row, rivals.of[r].ratio_key, rivals.of[r].words, &ours[m], &theirs[r]);
		report_end_line();
		json_array_append_new(rows, row);
	}
	for (unsigned r = 0; r < shape->rivals; r++) {
		row_name(name, rivals.of[r].name, shape);
		json_array_append_new(rows, report_row(name, &theirs[r]));
		report_end_line();
	}
}

static void compare(const struct shape *shape)
{
	struct report_samples ours[MIXES] = {0}, theirs[RIVALS] = {0};
	unsigned mixes_count = is_quick ? 1 : shape->mixes;
	pid_t broker = world_broker_pid(town->world);
	for (unsigned i = 0; i < repeats(); i++) {
		for (unsigned r = 0; r < shape->rivals; r++)
			measure(&theirs[r], &rivals.of[r].load, shape->connections, shape->window, rivals.of[r].servers,
				rivals.of[r].servers_count);
		for (unsigned m = 0; m < mixes_count; m++) {
			struct queries queries;
			queries_init(&queries, town, mixes[m].hits_of_20);
			const struct load_options options = queries_load(&queries, shape->connections);
			measure(&ours[m], &options, shape->connections, shape->window, &broker, 1);
		}
	}
	report(shape, ours, mixes_count, theirs);
}

// One client alone waits for the network, the work and one flush: what of that is the broker's own.
static void compare_idle(void)
{
	struct report_samples echo = {0}, mix = {0};
	const struct shape shape = {1, 1, 1, 1, true};
	pid_t broker = world_broker_pid(town->world);
	double syncs[REPORT_REPEATS_MAX];
	char name[64];
	for (unsigned i = 0; i < repeats(); i++) {
		struct queries queries;
		queries_init(&queries, town, 1);
		const struct load_options options = queries_load(&queries, 1);
		measure(&echo, &rivals.of[RIVAL_ECHO].load, 1, 1, rivals.of[RIVAL_ECHO].servers, 1);
		measure(&mix, &options, 1, 1, &broker, 1);
		syncs[i] = floors_fdatasync_us(world_path(town->world, "."), RECORD_BYTES, SYNCS);
	}
	double allowed_us = report_p50_us(&echo) + 1.5 * report_median(syncs, repeats());
	row_name(name, "query_mix", &shape);
	json_t *row = report_row(name, &mix);
	report_ratio(row, "ratio_to_curve_echo", "the echo", &mix, &echo);
	printf("; p50 allowed (echo + 1.5 fdatasync) %.0f us", allowed_us);
	report_end_line();
	json_object_set_new(row, "p50_allowed_us", json_real(allowed_us));
	json_array_append_new(rows, row);
	row_name(name, "curve_echo", &shape);
	json_array_append_new(rows, report_row(name, &echo));
	report_end_line();
}

// Five minutes: what accumulates (write-ahead log, memory, indices) has to be paid for within them.
static void sustain(void)
{
	const struct load_run run = {.window = 16, .duration_ms = 300000};
	struct report_samples samples = {0};
	struct queries queries;
	pid_t broker = world_broker_pid(town->world);
	queries_init(&queries, town, 1);
	const struct load_options options = queries_load(&queries, 64);
	struct load *load = load_open(&options);
	report_measure(&samples, load, &run, &broker, 1);
	load_close(load);
	json_array_append_new(rows, report_row("query_mix_n64_w16_5min", &samples));
	report_end_line();
	current_check(town);
}

// ------------------------------------------------------------------ floors

static void measure_floors(void)
{
	static const unsigned records[] = {1, 16, 64, 256};
	const char *directory = world_path(town->world, ".");
	char name[64];
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
		snprintf(name, sizeof name, "floor_fdatasync_%u", records[i]);
		report_figure(rows, name, "p50_us", floors_fdatasync_us(directory, (size_t)records[i] * RECORD_BYTES, SYNCS), "us");
	}
	report_figure(rows, "floor_sha256_400", "p50_us", floors_sha256_us(RECORD_BYTES), "us");
	report_figure(rows, "floor_ed25519_verify", "p50_us", floors_ed25519_verify_us(RECORD_BYTES), "us");
}

int main(int argc, char **argv)
{
	const char *quick = getenv("CPIS_BENCH_QUICK"), *full = getenv("CPIS_BENCH_FULL");
	if (argc != 3) {
		fprintf(stderr, "usage: bench_query REPORT.json PEERS_DIRECTORY (see tests/bench/peers.sh)\n");
		return 1;
	}
	is_quick = quick != NULL && strcmp(quick, "1") == 0;
	rows = json_array();
	town = town_new(&(struct town_options){.plans = TOWN_PLANS});
	rivals_start(&rivals, town, argv[2]);
	for (size_t i = 0; i < SHAPES; i++) {
		if (is_quick && !shapes[i].quick)
			continue;
		if (shapes[i].connections == 1)
			compare_idle();
		else
			compare(&shapes[i]);
	}
	current_check(town);
	measure_floors();
	if (full != NULL && strcmp(full, "1") == 0)
		sustain();
	rivals_stop(&rivals);
	report_write(rows, argv[1]);
	return town_free(town) != 0;
}
