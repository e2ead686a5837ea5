// How fast an authority's file is published, and that memory does not grow with it: 25,000 and 250,000 plans as a new file and, in
// the full bench (CPIS_BENCH_FULL=1), as an identical second one and as one in which all have changed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/ending.h"
#include "tests/harness/world.h"
#include "tests/harness/world_plans.h"

// The floors: what fails the benchmark. Rows a second are a machine's own; memory is not.
#define CLIENT_GROWTH_KB_MAX 8192
#define BROKER_GROWTH_KB_MAX 65536

struct row {
	const char *what;
	unsigned plans;
	struct world_measured measured;
};

static struct world *world;
static struct row rows[6];
static size_t count;

static void publish(const char *what, unsigned plans, const char *start_date)
{
	char path[256];
	snprintf(path, sizeof path, "%s", world_path(world, "plans.csv"));
	const char *const arguments[] = {"--timeout", "60000", "publish", "--full", path, NULL};
	world_write_plans(world, path, plans, start_date);
	struct row row = {what, plans, world_measure(world, "leeds", arguments)};
	if (row.measured.exit_code != 0)
		world_fail(world, "%s: exit %d", what, row.measured.exit_code);
	printf("%7u plans, %-9s %8.1f s %8.0f rows/s   peak memory: client %6ld kB, broker %6ld kB\n", plans, what,
	       (double)row.measured.ms / 1000, plans * 1000.0 / (double)row.measured.ms, row.measured.client_peak_kb,
	       row.measured.broker_peak_kb);
	fflush(stdout);
	rows[count++] = row;
}

static void print_json(FILE *file)
{
	fputs("{\"rows\": [", file);
	for (size_t i = 0; i < count; i++)
		fprintf(file,
			"%s{\"name\": \"publication_%u_%s\", \"rps\": %.1f, \"ms\": %llu, \"client_peak_kb\": %ld, \"broker_peak_kb\": %ld}",
			i == 0 ? "" : ", ", rows[i].plans, rows[i].what, rows[i].plans * 1000.0 / (double)rows[i].measured.ms,
			(unsigned long long)rows[i].measured.ms, rows[i].measured.client_peak_kb, rows[i].measured.broker_peak_kb);
	fputs("]}\n", file);
}

// The highest of a program over the rows of one size.
static long peak_kb(unsigned plans, bool of_client)
{
	long peak = 0;
	for (size_t i = 0; i < count; i++) {
		long own = of_client ? rows[i].measured.client_peak_kb : rows[i].measured.broker_peak_kb;
		if (rows[i].plans == plans && own > peak)
			peak = own;
	}
	return peak;
}

int main(int argc, char **argv)
{
	const char *full = getenv("CPIS_BENCH_FULL");
	for (unsigned plans = 25000; plans <= 250000; plans *= 10) {
		world = world_new();
		ending_frees(world);
		world_start(world);
		if (world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL) != 0)
			world_fail(world, "contacts: %s", world_err(world));
		publish("new", plans, "2026-01-02");
		if (full != NULL && strcmp(full, "1") == 0) {
			publish("identical", plans, "2026-01-02");
			publish("changed", plans, "2026-01-03");
		}
		world_stop(world);
		ending_takes_back(world);
		world_free(world);
	}
	FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;
	if (file != NULL) {
		print_json(file);
		fclose(file);
	}
	if (peak_kb(250000, true) > peak_kb(25000, true) + CLIENT_GROWTH_KB_MAX ||
	    peak_kb(250000, false) > peak_kb(25000, false) + BROKER_GROWTH_KB_MAX) {
		puts("memory grows with the file");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
