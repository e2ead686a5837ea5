// What becomes dearer as work grows: the same questions to brokers whose register, audit log or inbox differs in size by a factor of
// 25 and more, all of them running, in turn within one run. A question is one about the same 10,000 children everywhere; the rest
// of a store is filler. Cost is the broker's processor time for each, which other load on the machine moves least.
//
// CPIS_BENCH_FULL=1: the largest sizes too, as far as the disk has room.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "tests/bench/filler.h"
#include "tests/bench/log_maker.h"
#include "tests/bench/queries.h"
#include "tests/bench/report.h"
#include "tests/bench/servers.h"

#define PLANS 10000u // that are asked about
#define SIZES_MAX 4u
#define REPEATS 5u
#define DURATION_MS 700u
#define LOOK_UPS 200u
#define STARTS 3u
#define DISK_LEFT (UINT64_C(15) << 30) // bytes

struct axis {
	const char *name;
	void (*fill)(struct world *world, uint64_t filler);
	unsigned bytes;             // of the store for each, about
	uint64_t own;               // of the size without filler
	uint64_t sizes[SIZES_MAX];  // ascending; the first two always, the others in the full bench
	bool is_log;                // searches and proofs too
	unsigned hits_of_20;
};
static const struct axis axes[] = {
	{"register", filler_plans, 500, PLANS, {10000, 250000, 10000000}, false, 1},
	{"log", filler_records, 450, 0, {10000, 1000000, 10000000, 100000000}, true, 1},
	{"inbox", filler_inbox, 450, 0, {10000, 250000, 10000000}, false, 20},
};

struct size {
	uint64_t count;
	struct town *town;
	struct report_samples busy, idle, search, proof;
	double start_s[STARTS];
};

static json_t *rows;
static uint64_t state = 1;

static uint64_t below(uint64_t bound)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (state >> 33) % bound;
}

// ------------------------------------------------------------------ questions

static void ask(struct size *size, struct report_samples *samples, const struct load_options *options, const struct load_run *run)
{
	pid_t broker = world_broker_pid(size->town->world);
	struct load *load = load_open(options);
	report_measure(samples, load, run, &broker, 1);
	load_close(load);
}

static void query(struct size *size, struct report_samples *samples, unsigned connections, unsigned hits_of_20)
{
	const struct load_run run = {.window = 1, .duration_ms = DURATION_MS};
	struct queries queries;
	queries_init(&queries, size->town, hits_of_20);
	const struct load_options options = queries_load(&queries, connections);
	ask(size, samples, &options, &run);
}

static size_t make_search(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct size *size = context;
	char uid[UID_DIGITS + 1];
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	(void)connection;
	log_maker_uid((uint32_t)below(LOG_MAKER_STAFF), uid);
	search.uid = uid;
	search.limit = 10;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	return town_pack(size->town, town_reviewer_seat(size->town), &request, out);
}

static size_t make_show(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct size *size = context;
	Cpis__V1__AuditShowRequest show = CPIS__V1__AUDIT_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	(void)connection;
	show.index = below(size->count);
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SHOW;
	request.audit_show = &show;
	return town_pack(size->town, town_reviewer_seat(size->town), &request, out);
}

static void check(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	struct size *size = context;
	(void)connection;
	town_check(size->town, reply, bytes);
}

static void review(struct size *size, struct report_samples *samples, load_make *make)
{
	const struct link_curve_target target = town_reviewer(size->town);
	const struct load_options options = {&link_curve, &target, 1, make, check, size};
	const struct load_run run = {.window = 1, .duration_ms = LOAD_WAIT_MS, .requests_max = LOOK_UPS};
	ask(size, samples, &options, &run);
}

static double start_again(struct size *size)
{
	link_must(world_stop(size->town->world) == 0, "the broker's end");
	uint64_t start_ns = load_now_ns();
	world_start(size->town->world);
	return (double)(load_now_ns() - start_ns) / 1e9;
}

// ------------------------------------------------------------------ one axis

static bool has_room(const struct axis *axis, uint64_t count)
{
	struct statvfs disk;
	return statvfs("/tmp", &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize > count * axis->bytes + DISK_LEFT;
}

static unsigned make_sizes(const struct axis *axis, bool full, struct size sizes[SIZES_MAX])
{
	unsigned made = 0;
	for (unsigned i = 0; i < (full ? SIZES_MAX : 2) && axis->sizes[i] > 0; i++) {
		if (!has_room(axis, axis->sizes[i])) {
			printf("%s of %llu: left out, the disk has no room for it\n", axis->name, (unsigned long long)axis->sizes[i]);
			break;
		}
		sizes[made].count = axis->sizes[i];
		sizes[made++].town = town_new(&(struct town_options){
			.plans = PLANS, .fill = axis->fill, .filler = axis->sizes[i] - axis->own});
	}
	return made;
}

static void measure(const struct axis *axis, struct size *sizes, unsigned count)
{
	for (unsigned r = 0; r < STARTS; r++)
		for (unsigned i = 0; i < count; i++)
			sizes[i].start_s[r] = start_again(&sizes[i]);
	for (unsigned r = 0; r < REPEATS; r++)
		for (unsigned i = 0; i < count; i++) {
			query(&sizes[i], &sizes[i].busy, TOWN_NURSES, axis->hits_of_20);
			query(&sizes[i], &sizes[i].idle, 1, axis->hits_of_20);
			if (axis->is_log) {
				review(&sizes[i], &sizes[i].search, make_search);
				review(&sizes[i], &sizes[i].proof, make_show);
			}
		}
}

static double cost_ratio(const struct report_samples *ours, const struct report_samples *smallest)
{
	double ratios[REPORT_REPEATS_MAX];
	for (unsigned i = 0; i < ours->count; i++)
		ratios[i] = ours->of[i].server_cpu_us / smallest->of[i].server_cpu_us;
	return report_median(ratios, ours->count);
}

static void report(const struct axis *axis, struct size *size, const struct size *smallest)
{
	char name[64];
	snprintf(name, sizeof name, "growth_%s_%llu", axis->name, (unsigned long long)size->count);
	json_t *row = report_row(name, &size->busy);
	double ratio = cost_ratio(&size->busy, &smallest->busy), start_s = report_median(size->start_s, STARTS);
	printf("; %.2f of the smallest's CPU; alone p50 %.0f us; starts in %.2f s", ratio, report_p50_us(&size->idle), start_s);
	json_object_set_new(row, "axis", json_string(axis->name));
	json_object_set_new(row, "size", json_integer((json_int_t)size->count));
	json_object_set_new(row, "cpu_of_smallest", json_real(ratio));
	json_object_set_new(row, "alone_p50_us", json_real(report_p50_us(&size->idle)));
	json_object_set_new(row, "start_s", json_real(start_s));
	if (axis->is_log) {
		printf("; search by person p50 %.0f us, record with proof %.0f us", report_p50_us(&size->search),
		       report_p50_us(&size->proof));
		json_object_set_new(row, "search_p50_us", json_real(report_p50_us(&size->search)));
		json_object_set_new(row, "proof_p50_us", json_real(report_p50_us(&size->proof)));
	}
	report_end_line();
	json_array_append_new(rows, row);
}

static void grow(const struct axis *axis, bool full)
{
	static struct size sizes[SIZES_MAX];
	memset(sizes, 0, sizeof sizes);
	unsigned count = make_sizes(axis, full, sizes);
	measure(axis, sizes, count);
	for (unsigned i = 0; i < count; i++)
		report(axis, &sizes[i], &sizes[0]);
	for (unsigned i = 0; i < count; i++)
		link_must(town_free(sizes[i].town) == 0, "the broker's end");
}

int main(int argc, char **argv)
{
	const char *full = getenv("CPIS_BENCH_FULL");
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: bench_growth REPORT.json [AXIS]\n");
		return 1;
	}
	rows = json_array();
	for (size_t i = 0; i < sizeof axes / sizeof axes[0]; i++)
		if (argc == 2 || strcmp(argv[2], axes[i].name) == 0)
			grow(&axes[i], full != NULL && strcmp(full, "1") == 0);
	report_write(rows, argv[1]);
	return 0;
}
