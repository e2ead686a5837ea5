// Text and JSON of one workload.
#include "tests/bench/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/servers.h"

static double servers_cpu(const pid_t *servers, unsigned count)
{
	double sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += servers_cpu_us(servers[i]);
	return sum;
}

void report_measure(struct report_samples *samples, struct load *load, const struct load_run *run, const pid_t *servers,
		    unsigned servers_count)
{
	link_must(samples->count < REPORT_REPEATS_MAX, "too many repeats");
	struct report_sample *sample = &samples->of[samples->count++];
	double before_us = servers_cpu(servers, servers_count);
	load_run(load, run, &sample->load);
	sample->server_cpu_us = (servers_cpu(servers, servers_count) - before_us) / (double)sample->load.requests;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

double report_median(double *values, unsigned count)
{
	qsort(values, count, sizeof *values, by_value);
	return values[count / 2];
}

// The median of one member over the repeats.
#define MEDIAN(samples, member)                                                                      \
	({                                                                                           \
		double values_[REPORT_REPEATS_MAX];                                                  \
		for (unsigned i_ = 0; i_ < (samples)->count; i_++)                                   \
			values_[i_] = (samples)->of[i_].member;                                      \
		report_median(values_, (samples)->count);                                            \
	})

double report_p50_us(const struct report_samples *samples)
{
	return MEDIAN(samples, load.p50_us);
}

json_t *report_row(const char *name, const struct report_samples *samples)
{
	double rates[REPORT_REPEATS_MAX];
	for (unsigned i = 0; i < samples->count; i++)
		rates[i] = samples->of[i].load.rps;
	double rate = report_median(rates, samples->count), low = rates[0], high = rates[samples->count - 1];
	double p50 = MEDIAN(samples, load.p50_us), p99 = MEDIAN(samples, load.p99_us), p999 = MEDIAN(samples, load.p999_us);
	double server = MEDIAN(samples, server_cpu_us), client = MEDIAN(samples, load.client_cpu_us);
	printf("%-28s %8.0f/s [%.0f-%.0f]  p50 %.0f  p99 %.0f  p99.9 %.0f us  CPU us: client %.1f", name, rate, low, high, p50, p99,
	       p999, client);
	json_t *row = json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i}", "name", name, "rps", rate, "rps_low", low, "rps_high",
				high, "p50_us", p50, "p99_us", p99, "p999_us", p999, "client_cpu_us", client, "repeats",
				(int)samples->count);
	// 0: not measured, as of a load beside another.
	if (server > 0) {
		printf(" server %.1f", server);
		json_object_set_new(row, "server_cpu_us", json_real(server));
	}
	return row;
}

void report_ratio(json_t *row, const char *key, const char *words, const struct report_samples *ours,
		  const struct report_samples *theirs)
{
	double ratios[REPORT_REPEATS_MAX];
	char member[64];
	unsigned count = ours->count < theirs->count ? ours->count : theirs->count;
	if (count == 0)
		return;
	for (unsigned i = 0; i < count; i++)
		ratios[i] = ours->of[i].load.rps / theirs->of[i].load.rps;
	double middle = report_median(ratios, count);
	printf("; %.2f [%.2f-%.2f] of %s", middle, ratios[0], ratios[count - 1], words);
	json_object_set_new(row, key, json_real(middle));
	snprintf(member, sizeof member, "%s_low", key);
	json_object_set_new(row, member, json_real(ratios[0]));
	snprintf(member, sizeof member, "%s_high", key);
	json_object_set_new(row, member, json_real(ratios[count - 1]));
}

void report_end_line(void)
{
	putchar('\n');
	fflush(stdout);
}

void report_figure(json_t *rows, const char *name, const char *key, double value, const char *unit)
{
	printf("%-28s %10.2f %s\n", name, value, unit);
	fflush(stdout);
	json_array_append_new(rows, json_pack("{s:s, s:f}", "name", name, key, value));
}

void report_write(json_t *rows, const char *path)
{
	json_t *report = json_pack("{s:o}", "rows", rows);
	link_must(report != NULL && json_dump_file(report, path, JSON_INDENT(2)) == 0, path);
	json_decref(report);
}
