// How long somebody waits while other things go on: at 70 % of what the broker can do (open loop, each answer timed from when its
// question was due) while the store is copied again and again and its write-ahead log is checkpointed; and while a reviewer searches
// the audit log.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/beside.h"
#include "tests/bench/queries.h"
#include "tests/bench/report.h"
#include "tests/bench/searches.h"

#define CONNECTIONS 64u
#define CAPACITY_MS 3000u
#define OPEN_MS 15000u
#define SEARCH_MS 4000u
#define STEP_MS 200u

extern char **environ;

static struct town *town;
static json_t *rows;

static void run_queries(struct report_samples *samples, unsigned window, double per_s, uint32_t duration_ms)
{
	struct queries queries;
	pid_t broker = world_broker_pid(town->world);
	queries_init(&queries, town, 1);
	const struct load_options options = queries_load(&queries, CONNECTIONS);
	const struct load_run run = {.window = window, .per_s = per_s, .duration_ms = duration_ms};
	struct load *load = load_open(&options);
	report_measure(samples, load, &run, &broker, 1);
	load_close(load);
}

static void add(const char *name, const struct report_samples *samples)
{
	json_array_append_new(rows, report_row(name, samples));
	report_end_line();
}

// ------------------------------------------------------------------ backups

// One command of SQLite's shell after the other, as an operator's cron would start them. The copy is VACUUM INTO, which reads one
// snapshot; `.backup` begins again whenever somebody writes between two of its steps, and under load never ends.
struct upkeep {
	pid_t running; // 0: none
	unsigned done;
};

static void start_command(struct upkeep *upkeep)
{
	char command[600], store[512];
	snprintf(store, sizeof store, "%s", world_path(town->world, "store.db"));
	unlink(world_path(town->world, "backup.db"));
	if (upkeep->done % 2 == 0)
		snprintf(command, sizeof command, "VACUUM INTO '%s';", world_path(town->world, "backup.db"));
	else
		snprintf(command, sizeof command, "PRAGMA wal_checkpoint(PASSIVE);");
	char *const arguments[] = {(char *)(uintptr_t) "sqlite3", (char *)(uintptr_t) "-cmd", (char *)(uintptr_t) ".timeout 20000", store,
				   command, NULL};
	posix_spawn_file_actions_t actions;
	link_must(posix_spawn_file_actions_init(&actions) == 0 &&
			  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
			  posix_spawnp(&upkeep->running, "sqlite3", &actions, NULL, arguments, environ) == 0,
		  "sqlite3 cannot be started");
	posix_spawn_file_actions_destroy(&actions);
}

static void go_on(void *context)
{
	struct upkeep *upkeep = context;
	int status = 0;
	if (upkeep->running != 0 && waitpid(upkeep->running, &status, WNOHANG) == 0)
		return;
	link_must(status == 0, "sqlite3 failed");
	if (upkeep->running != 0)
		upkeep->done++;
	start_command(upkeep);
}

static void finish(struct upkeep *upkeep)
{
	int status = 0;
	if (upkeep->running != 0)
		link_must(waitpid(upkeep->running, &status, 0) == upkeep->running && status == 0, "sqlite3 failed");
	upkeep->running = 0;
}

static void measure_open_loop(void)
{
	struct report_samples capacity = {0}, quiet = {0}, busy = {0};
	struct upkeep upkeep = {0};
	struct queries queries;
	run_queries(&capacity, 16, 0, CAPACITY_MS);
	double per_s = 0.7 * capacity.of[0].load.rps;
	run_queries(&quiet, 0, per_s, OPEN_MS / 3);
	add("open_loop_70_quiet", &quiet);
	queries_init(&queries, town, 1);
	const struct load_options options = queries_load(&queries, CONNECTIONS);
	const struct load_run run = {.per_s = per_s, .duration_ms = OPEN_MS};
	struct load *load = load_open(&options);
	load_run_beside(load, &run, STEP_MS, go_on, &upkeep, &busy.of[busy.count].load);
	busy.count++;
	load_close(load);
	finish(&upkeep);
	json_t *row = report_row("open_loop_70", &busy);
	printf("; of %.0f/s asked for, longest %.1f ms, %u copies and checkpoints meanwhile%s", per_s, busy.of[0].load.max_us / 1e3,
	       upkeep.done, busy.of[0].load.rps < 0.97 * per_s ? "; THE BROKER DOES NOT KEEP UP" : "");
	report_end_line();
	json_object_set_new(row, "asked_rps", json_real(per_s));
	json_object_set_new(row, "max_us", json_real(busy.of[0].load.max_us));
	json_array_append_new(rows, row);
}

// ------------------------------------------------------------------ searches

static void measure_search(void)
{
	struct report_samples alone = {0}, beside = {0}, searches = {0};
	struct searches reviewer;
	searches_init(&reviewer, town);
	const struct load_options options = searches_load(&reviewer);
	const struct load_run run = {.window = 1, .duration_ms = SEARCH_MS};
	for (unsigned i = 0; i < 3; i++) {
		struct beside second;
		run_queries(&alone, 1, 0, SEARCH_MS / 2);
		// Request ids of the other process must not be ours.
		town->next_request += UINT64_C(1) << 40;
		beside_start(&second, &options, &run);
		town->next_request += UINT64_C(1) << 40;
		run_queries(&beside, 1, 0, SEARCH_MS);
		beside_finish(&second, &searches.of[searches.count++].load);
	}
	json_t *row = report_row("query_mix_beside_search", &beside);
	report_ratio(row, "ratio_to_alone", "the same without", &beside, &alone);
	report_end_line();
	json_array_append_new(rows, row);
	add("search_beside_query_mix", &searches);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_latency REPORT.json\n");
		return 1;
	}
	rows = json_array();
	town = town_new(&(struct town_options){.plans = TOWN_PLANS});
	measure_open_loop();
	measure_search();
	report_write(rows, argv[1]);
	return town_free(town) != 0;
}
