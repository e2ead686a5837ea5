// Figures of a workload: medians over repeats, their spread, paired ratios; a line of text and a row of JSON.
#ifndef CPIS_TESTS_BENCH_REPORT_H
#define CPIS_TESTS_BENCH_REPORT_H

#include <jansson.h>

#include "tests/bench/load.h"

#define REPORT_REPEATS_MAX 9u

struct report_sample {
	struct load_result load;
	double server_cpu_us; // a request; 0: not measured
};

// Repeats of one workload, taken in turn with those that they are compared with.
struct report_samples {
	unsigned count;
	struct report_sample of[REPORT_REPEATS_MAX];
};

// Runs the load once more and adds what it and the server cost.
void report_measure(struct report_samples *samples, struct load *load, const struct load_run *run, const pid_t *servers,
		    unsigned servers_count);

// Prints the line, without its end, and returns the row.
json_t *report_row(const char *name, const struct report_samples *samples);
// Adds a ratio of rates (pairwise, median and spread) to both.
void report_ratio(json_t *row, const char *key, const char *words, const struct report_samples *ours,
		  const struct report_samples *theirs);
void report_end_line(void);
// A figure of another kind: name and value go into the row, both with the unit in the text.
void report_figure(json_t *rows, const char *name, const char *key, double value, const char *unit);

double report_median(double *values, unsigned count); // sorts them
double report_p50_us(const struct report_samples *samples);
// {"rows": [...]} into a file; ends the process when it cannot be written.
void report_write(json_t *rows, const char *path);

#endif
