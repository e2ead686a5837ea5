// One, two and three brokers before one PostgreSQL, a replicated pair; one before a lone server, and one on SQLite; and what pgbench makes
// of the same servers. All in turn within one run, so that ratios are of neighbours.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/brokers.h"
#include "tests/bench/floors.h"
#include "tests/bench/histogram.h"
#include "tests/bench/pgbench.h"
#include "tests/bench/report.h"
#include "tests/bench/servers.h"

#define PLANS 25000u
#define ROUNDS 3u
#define CLOSED_MS 1000u
#define OPEN_MS 3000u
#define RUSH_PER_S 25.0 // of the whole country, ten times its mean over working hours
#define PGBENCH_S 2u
#define SYNCS 100u
#define RECORD_BYTES 400u // of an audit record with its row, about

// What a round found.
struct sample {
	double rps, p50_us, p99_us, client_us, brokers_us, primary_us, standby_us, batch;
};

struct series {
	struct sample of[ROUNDS];
	unsigned count;
	uint64_t refused;
};

enum { WINDOWS = 2 };
static const unsigned windows[WINDOWS] = {1, 16};

// One store with so many brokers before it.
struct setting {
	const char *name;
	unsigned brokers; // 0: the one on SQLite
	bool is_pair;
	struct series closed[WINDOWS], open, single, waiting, batched; // the last three: pgbench
	struct histogram open_took;
};
static struct setting settings[] = {
	{.name = "sqlite_n1"},
	{.name = "pair_n1", .brokers = 1, .is_pair = true},
	{.name = "pair_n2", .brokers = 2, .is_pair = true},
	{.name = "pair_n3", .brokers = 3, .is_pair = true},
	{.name = "lone_n1", .brokers = 1},
};
#define SETTINGS (sizeof settings / sizeof settings[0])

static struct town *town; // on SQLite
static struct brokers brokers;
static struct pgbench pgbench;

// ------------------------------------------------------------------ one run

struct asking {
	struct load_options inner;
	uint64_t refused;
};

static size_t make(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct asking *asking = context;
	return asking->inner.make(asking->inner.context, connection, out);
}

// A batch that failed is told to be tried again: it counts, and is no end of the benchmark. An outcome stands behind version and id.
static void check(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	const size_t at = 4 + REQUEST_ID_BYTES;
	struct asking *asking = context;
	if (bytes > at + 2 && reply[at] == 0x18 && reply[at + 1] == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE &&
	    memmem(reply, bytes, "store_unavailable", 17) != NULL)
		asking->refused++;
	else
		asking->inner.check(asking->inner.context, connection, reply, bytes);
}

static struct brokers_cpu cpu(const struct setting *setting)
{
	if (setting->brokers > 0)
		return brokers_cpu(&brokers);
	return (struct brokers_cpu){.brokers_us = servers_cpu_us(world_broker_pid(town->world))};
}

static void ask(struct setting *setting, struct series *series, const struct load_run *run)
{
	struct load_result result;
	struct queries queries;
	struct asking asking = {0};
	queries_init(&queries, setting->brokers > 0 ? brokers.town : town, 1);
	asking.inner = setting->brokers > 0 ? brokers_load(&brokers, &queries) : queries_load(&queries, TOWN_NURSES);
	const struct load_options options = {asking.inner.ops, asking.inner.target, TOWN_NURSES, make, check, &asking};
	struct load *load = load_open(&options);
	double place = setting->brokers > 0 ? brokers_place(&brokers) : 0;
	struct brokers_cpu before = cpu(setting);
	load_run(load, run, &result);
	struct brokers_cpu after = cpu(setting);
	load_close(load);
	double requests = (double)result.requests, batches = setting->brokers > 0 ? brokers_batches(&brokers, place) : 0;
	series->refused += asking.refused;
	series->of[series->count++] = (struct sample){
		.rps = (requests - (double)asking.refused) / result.seconds,
		.p50_us = result.p50_us,
		.p99_us = result.p99_us,
		.client_us = result.client_cpu_us,
		.brokers_us = (after.brokers_us - before.brokers_us) / requests,
		.primary_us = (after.primary_us - before.primary_us) / requests,
		.standby_us = (after.standby_us - before.standby_us) / requests,
		.batch = batches == 0 ? 0 : (requests - (double)asking.refused) / batches,
	};
}

static void floor_of(struct setting *setting, struct series *series, unsigned batch, enum pgbench_waits waits)
{
	struct pgbench_log log;
	struct brokers_cpu before = cpu(setting);
	pgbench_run(&pgbench, setting->brokers, batch, waits, PGBENCH_S, &log);
	struct brokers_cpu after = cpu(setting);
	double queries = (double)(log.transactions + setting->brokers) * batch;
	series->of[series->count++] = (struct sample){
		.rps = log.per_s * batch,
		.p50_us = log.p50_us,
		.p99_us = log.p99_us,
		.primary_us = (after.primary_us - before.primary_us) / queries,
		.standby_us = (after.standby_us - before.standby_us) / queries,
		.batch = batch,
	};
}

static void go_round(struct setting *setting)
{
	if (setting->brokers > 0) {
		brokers_set_pair(&brokers, setting->is_pair);
		brokers_use(&brokers, setting->brokers);
	}
	for (unsigned i = 0; i < WINDOWS; i++)
		ask(setting, &setting->closed[i], &(struct load_run){.window = windows[i], .duration_ms = CLOSED_MS});
	ask(setting, &setting->open,
	    &(struct load_run){.per_s = RUSH_PER_S, .duration_ms = OPEN_MS, .into = &setting->open_took});
	if (setting->brokers == 0)
		return;
	const struct series *best = &setting->closed[WINDOWS - 1];
	double mean = best->of[best->count - 1].batch;
	unsigned batch = mean < 1.5 ? 1 : (unsigned)(mean + 0.5);
	floor_of(setting, &setting->single, 1, PGBENCH_EACH);
	floor_of(setting, &setting->waiting, batch, PGBENCH_READS);
	floor_of(setting, &setting->batched, batch, PGBENCH_COMMIT);
}

// ------------------------------------------------------------------ what came of it

// The median of one member over the rounds.
#define MEDIAN(series, member)                                        \
	({                                                            \
		double values_[ROUNDS];                               \
		for (unsigned i_ = 0; i_ < (series)->count; i_++)     \
			values_[i_] = (series)->of[i_].member;        \
		report_median(values_, (series)->count);              \
	})

static json_t *report(const char *name, const struct series *series)
{
	double rates[ROUNDS];
	for (unsigned i = 0; i < series->count; i++)
		rates[i] = series->of[i].rps;
	double rate = report_median(rates, series->count), p50_us = MEDIAN(series, p50_us), p99_us = MEDIAN(series, p99_us);
	double brokers_us = MEDIAN(series, brokers_us), primary_us = MEDIAN(series, primary_us), standby_us = MEDIAN(series, standby_us);
	double batch = MEDIAN(series, batch), client_us = MEDIAN(series, client_us);
	printf("%-22s %7.0f/s [%.0f-%.0f]  p50 %.2f  p99 %.2f ms  CPU us: brokers %.0f", name, rate, rates[0], rates[series->count - 1],
	       p50_us / 1e3, p99_us / 1e3, brokers_us);
	if (primary_us > 0)
		printf(" primary %.0f standby %.0f", primary_us, standby_us);
	if (batch > 0)
		printf("  batch %.1f", batch);
	if (series->refused > 0)
		printf("  %llu REFUSED, to be tried again", (unsigned long long)series->refused);
	return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "name", name, "rps", rate, "rps_low", rates[0],
			 "rps_high", rates[series->count - 1], "p50_us", p50_us, "p99_us", p99_us, "server_cpu_us", brokers_us,
			 "primary_cpu_us", primary_us, "standby_cpu_us", standby_us, "client_cpu_us", client_us, "batch", batch, "refused",
			 (int)series->refused, "repeats", (int)series->count);
}

// Of rates, of one member of the same round.
static void report_ratio_to(json_t *row, const char *key, const char *words, const struct series *ours, const struct series *theirs)
{
	double ratios[ROUNDS];
	char member[64];
	for (unsigned i = 0; i < ours->count; i++)
		ratios[i] = ours->of[i].rps / theirs->of[i].rps;
	double middle = report_median(ratios, ours->count), low = ratios[0], high = ratios[ours->count - 1];
	printf("; %.2f [%.2f-%.2f] of %s", middle, low, high, words);
	json_object_set_new(row, key, json_real(middle));
	snprintf(member, sizeof member, "%s_low", key);
	json_object_set_new(row, member, json_real(low));
	snprintf(member, sizeof member, "%s_high", key);
	json_object_set_new(row, member, json_real(high));
}

static void end_row(json_t *rows, json_t *row)
{
	report_end_line();
	json_array_append_new(rows, row);
}

static void report_closed(json_t *rows, const struct setting *setting, unsigned window)
{
	char name[64];
	const struct series *ours = &setting->closed[window];
	snprintf(name, sizeof name, "%s_w%u", setting->name, windows[window]);
	json_t *row = report(name, ours);
	if (setting->brokers > 0)
		report_ratio_to(row, "ratio_to_sqlite", "SQLite", ours, &settings[0].closed[window]);
	if (setting->brokers > 1)
		report_ratio_to(row, "ratio_to_one_broker", "one broker", ours, &settings[1].closed[window]);
	if (setting->brokers > 0 && window == WINDOWS - 1) {
		report_ratio_to(row, "ratio_to_pgbench", "pgbench", ours, &setting->single);
		report_ratio_to(row, "ratio_to_pgbench_waiting", "pgbench in such batches that waits for each read", ours, &setting->waiting);
		report_ratio_to(row, "ratio_to_pgbench_batched", "one that does not", ours, &setting->batched);
		double ratio = MEDIAN(ours, primary_us) / MEDIAN(&setting->batched, primary_us);
		printf("; %.2f of its CPU", ratio);
		json_object_set_new(row, "primary_cpu_of_pgbench_batched", json_real(ratio));
	}
	end_row(rows, row);
}

static void report_setting(json_t *rows, struct setting *setting)
{
	char name[64];
	for (unsigned i = 0; i < WINDOWS; i++)
		report_closed(rows, setting, i);
	// Few requests to a round: percentiles of all of them.
	for (unsigned i = 0; i < setting->open.count; i++) {
		setting->open.of[i].p50_us = histogram_us(&setting->open_took, 0.5);
		setting->open.of[i].p99_us = histogram_us(&setting->open_took, 0.99);
	}
	snprintf(name, sizeof name, "%s_rush", setting->name);
	end_row(rows, report(name, &setting->open));
	if (setting->brokers == 0)
		return;
	snprintf(name, sizeof name, "%s_pgbench", setting->name);
	end_row(rows, report(name, &setting->single));
	snprintf(name, sizeof name, "%s_pgbench_waiting", setting->name);
	end_row(rows, report(name, &setting->waiting));
	snprintf(name, sizeof name, "%s_pgbench_batched", setting->name);
	end_row(rows, report(name, &setting->batched));
}

int main(int argc, char **argv)
{
	const char *quick = getenv("CPIS_BENCH_QUICK");
	unsigned rounds = quick != NULL && strcmp(quick, "1") == 0 ? 1 : ROUNDS;
	double syncs_us[ROUNDS];
	json_t *rows = json_array();
	town = town_new(&(struct town_options){.plans = PLANS});
	brokers_start(&brokers, PLANS);
	pgbench_start(&pgbench, &brokers.primary, brokers.town->world);
	for (unsigned round = 0; round < rounds; round++) {
		syncs_us[round] = floors_fdatasync_us(world_path(town->world, "."), RECORD_BYTES, SYNCS);
		for (size_t i = 0; i < SETTINGS; i++)
			go_round(&settings[i]);
	}
	for (size_t i = 0; i < SETTINGS; i++)
		report_setting(rows, &settings[i]);
	report_figure(rows, "floor_fdatasync_1", "p50_us", report_median(syncs_us, rounds), "us");
	brokers_check(&brokers);
	printf("the second server has a record of each of %llu answers\n", (unsigned long long)brokers.town->replies);
	if (argc > 1)
		report_write(rows, argv[1]);
	json_decref(rows);
	brokers_stop(&brokers);
	return town_free(town) != 0;
}
