// More than the broker can do: three times what it carried out at its best, in an open loop, with the bounds as shipped. What becomes
// of those who are let in, how soon the others are told, and how much is still carried out. Each request is timed from when it was
// put into its connection, and a connection with 256 unanswered puts in no more. The load comes from the machine's same two processors: where it cannot make three times as much, the
// row says how much it was.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/histogram.h"
#include "tests/bench/queries.h"
#include "tests/bench/report.h"

#define CONNECTIONS 64u
#define ROUNDS 3u
#define CAPACITY_MS 2000u
#define CALM_MS 3000u
#define OVER_MS 4000u
#define AFTER_MS 2000u
#define UNDER_WAY (1u << 20)
// Of one connection: what its system does not have unanswered at a time. In all 16,384, a third of a second of the broker's best.
#define UNDER_WAY_MAX 256u

static uint64_t put_ns[UNDER_WAY]; // by a request's number

struct overload {
	struct load_options inner;
	struct queries queries;
	struct town *town;
	struct histogram admitted, refused;
	uint64_t last_ns;          // when the last that was let in was answered
};

static size_t make(void *context, unsigned connection, uint8_t out[LOAD_REQUEST_BYTES_MAX])
{
	struct overload *overload = context;
	uint64_t number = overload->town->next_request;
	size_t bytes = overload->inner.make(overload->inner.context, connection, out);
	put_ns[number % UNDER_WAY] = load_now_ns();
	return bytes;
}

// A reply begins with version, request id ("bench" and the number) and outcome.
static void check(void *context, unsigned connection, const uint8_t *reply, size_t bytes)
{
	static const uint8_t start[] = {0x08, 0x01, 0x12, REQUEST_ID_BYTES};
	const size_t at = sizeof start + REQUEST_ID_BYTES;
	struct overload *overload = context;
	uint64_t number, now_ns = load_now_ns();
	link_must(bytes > at + 2 && memcmp(reply, start, sizeof start) == 0, "a reply");
	memcpy(&number, reply + sizeof start + 5, sizeof number);
	uint64_t took_ns = now_ns - put_ns[number % UNDER_WAY];
	if (reply[at + 1] == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE && memmem(reply, bytes, "busy", 4) != NULL) {
		histogram_add(&overload->refused, took_ns);
		return;
	}
	histogram_add(&overload->admitted, took_ns);
	overload->last_ns = now_ns;
	overload->inner.check(overload->inner.context, connection, reply, bytes);
}

struct figures {
	double asked, sent, admitted;     // a second
	double p50_ms, p99_ms;            // of those let in
	double refused, told_p99_ms, told_worst_ms;
};

static struct figures run(struct town *town, unsigned connections, unsigned window, double per_s, uint32_t duration_ms)
{
	static struct overload overload;
	struct load_result result;
	memset(&overload, 0, sizeof overload);
	overload.town = town;
	queries_init(&overload.queries, town, 1);
	overload.inner = queries_load(&overload.queries, connections);
	const struct load_options options = {overload.inner.ops, overload.inner.target, connections, make, check, &overload};
	const struct load_run load_run_options = {.window = window, .per_s = per_s, .duration_ms = duration_ms, .under_way_max = UNDER_WAY_MAX};
	struct load *load = load_open(&options);
	uint64_t start_ns = load_now_ns();
	load_run(load, &load_run_options, &result);
	double seconds = (double)(overload.last_ns - start_ns) / 1e9;
	load_close(load);
	return (struct figures){
		.asked = per_s,
		.sent = (double)result.requests / result.seconds,
		.admitted = (double)overload.admitted.count / seconds,
		.p50_ms = histogram_us(&overload.admitted, 0.5) / 1e3,
		.p99_ms = histogram_us(&overload.admitted, 0.99) / 1e3,
		.refused = (double)overload.refused.count / result.seconds,
		.told_p99_ms = histogram_us(&overload.refused, 0.99) / 1e3,
		.told_worst_ms = histogram_us(&overload.refused, 1 - 1e-9) / 1e3,
	};
}

struct kind {
	const char *name, *configuration;
	// The best is looked for with as many under way as the core takes ahead (twice its batch): nobody is refused then.
	unsigned connections, window;
};

// What is compared is measured in turn, and the median counts: the disk is not the same from one second to the next.
struct rounds {
	double best[ROUNDS], goodput[ROUNDS], calm_p50_ms[ROUNDS], calm_p99_ms[ROUNDS], asked[ROUNDS], sent[ROUNDS], admitted[ROUNDS],
		p50_ms[ROUNDS], p99_ms[ROUNDS], p99_of_calm[ROUNDS], refused[ROUNDS], told_p99_ms[ROUNDS], told_worst_ms[ROUNDS],
		after_p99_ms[ROUNDS], after_refused[ROUNDS];
};

static void go_round(struct town *town, const struct kind *kind, unsigned i, struct rounds *rounds)
{
	struct figures best = run(town, kind->connections, kind->window, 0, CAPACITY_MS);
	struct figures calm = run(town, CONNECTIONS, 0, 0.7 * best.admitted, CALM_MS);
	struct figures over = run(town, CONNECTIONS, 0, 3 * best.admitted, OVER_MS);
	struct figures after = run(town, CONNECTIONS, 0, 0.7 * best.admitted, AFTER_MS);
	rounds->best[i] = best.admitted;
	rounds->calm_p50_ms[i] = calm.p50_ms;
	rounds->calm_p99_ms[i] = calm.p99_ms;
	rounds->asked[i] = over.asked;
	rounds->sent[i] = over.sent;
	rounds->admitted[i] = over.admitted;
	rounds->goodput[i] = over.admitted / best.admitted;
	rounds->p50_ms[i] = over.p50_ms;
	rounds->p99_ms[i] = over.p99_ms;
	rounds->p99_of_calm[i] = over.p99_ms / calm.p99_ms;
	rounds->refused[i] = over.refused;
	rounds->told_p99_ms[i] = over.told_p99_ms;
	rounds->told_worst_ms[i] = over.told_worst_ms;
	rounds->after_p99_ms[i] = after.p99_ms;
	rounds->after_refused[i] = after.refused;
}

// Sorted by it: the least and the greatest stand at the ends.
static double median(double values[ROUNDS])
{
	return report_median(values, ROUNDS);
}

static void measure(json_t *rows, const struct kind *kind)
{
	struct town *town = town_new(&(struct town_options){.plans = 25000, .configuration = kind->configuration, .turns_away = true});
	struct rounds rounds;
	for (unsigned i = 0; i < ROUNDS; i++)
		go_round(town, kind, i, &rounds);
	double goodput = median(rounds.goodput), of_calm = median(rounds.p99_of_calm), best = median(rounds.best);
	double asked = median(rounds.asked), sent = median(rounds.sent), admitted = median(rounds.admitted), p99_ms = median(rounds.p99_ms);
	double told_p99_ms = median(rounds.told_p99_ms), told_worst_ms = median(rounds.told_worst_ms);
	printf("%-17s best %6.0f/s; at 70 %% p50 %.1f p99 %.1f ms; asked %.0f/s (sent %.0f): carried out %6.0f/s = %.2f (%.2f to %.2f) of the "
	       "best, p50 %.1f p99 %.1f ms = %.1f (%.1f to %.1f) times; %.0f/s refused, told within p99 %.1f worst %.1f ms; after: p99 "
	       "%.1f ms, %.0f/s refused\n",
	       kind->name, best, median(rounds.calm_p50_ms), median(rounds.calm_p99_ms), asked, sent, admitted, goodput, rounds.goodput[0],
	       rounds.goodput[ROUNDS - 1], median(rounds.p50_ms), p99_ms, of_calm, rounds.p99_of_calm[0], rounds.p99_of_calm[ROUNDS - 1],
	       median(rounds.refused), told_p99_ms, told_worst_ms, median(rounds.after_p99_ms), median(rounds.after_refused));
	json_array_append_new(
		rows, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "name", kind->name, "rps", admitted, "best_rps", best,
				"asked_rps", asked, "sent_rps", sent, "goodput_of_best", goodput, "p99_us", p99_ms * 1e3, "p99_of_calm",
				of_calm, "told_p99_us", told_p99_ms * 1e3, "told_worst_us", told_worst_ms * 1e3));
	link_must(town_free(town) == 0, "the broker's end");
}

int main(int argc, char **argv)
{
	json_t *rows = json_array();
	static const struct kind kinds[] = {
		{"overload", NULL, 64, 8},
		// A disk that is slow for its load: few share a flush, and the load generator has processor time left.
		{"overload_batch_8", "batch_max: 8\n", 16, 1},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		measure(rows, &kinds[i]);
	if (argc > 1)
		report_write(rows, argv[1]);
	json_decref(rows);
	return 0;
}
