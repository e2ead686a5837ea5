// How fast an authority's file is published, and that memory does not grow with it: 25,000 and 250,000 plans, each as a new file,
// as an identical second one, and as one in which all have changed.
#include <stdio.h>
#include <stdlib.h>

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

static struct row publish(const char *what, unsigned plans, const char *start_date)
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
	return row;
}

static void print_json(FILE *file, const struct row *rows, size_t count)
{
	fputs("{\"rows\": [", file);
	for (size_t i = 0; i < count; i++)
		fprintf(file,
			"%s{\"name\": \"publication %u %s\", \"plans\": %u, \"ms\": %llu, \"client_peak_kb\": %ld, \"broker_peak_kb\": %ld}",
			i == 0 ? "" : ", ", rows[i].plans, rows[i].what, rows[i].plans, (unsigned long long)rows[i].measured.ms,
			rows[i].measured.client_peak_kb, rows[i].measured.broker_peak_kb);
	fputs("]}\n", file);
}

int main(int argc, char **argv)
{
	struct row rows[6];
	size_t count = 0;
	for (unsigned plans = 25000; plans <= 250000; plans *= 10) {
		world = world_new();
		world_start(world);
		if (world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL) != 0)
			world_fail(world, "contacts: %s", world_err(world));
		rows[count++] = publish("new", plans, "2026-01-02");
		rows[count++] = publish("identical", plans, "2026-01-02");
		rows[count++] = publish("changed", plans, "2026-01-03");
		world_stop(world);
		world_free(world);
	}
	FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;
	if (file != NULL) {
		print_json(file, rows, count);
		fclose(file);
	}
	if (rows[3].measured.client_peak_kb > rows[0].measured.client_peak_kb + CLIENT_GROWTH_KB_MAX ||
	    rows[5].measured.broker_peak_kb > rows[2].measured.broker_peak_kb + BROKER_GROWTH_KB_MAX) {
		puts("memory grows with the file");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
