// Metrics as text.
#include "broker/metrics_text.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "proto/wire.h"

#define LABEL_BYTES 96

// What a family is written with. `name` is that of the family.
typedef void write_function(const struct metrics *metrics, const char *name, FILE *out);

static const struct {
	const char *word, *meaning;
} causes[METRICS_CAUSES] = {
#define X(name, word, meaning) [METRICS_CAUSE_##name] = {word, meaning},
	METRICS_CAUSE_TABLE(X)
#undef X
};

static void lower(const char *text, char out[LABEL_BYTES])
{
	size_t i = 0;
	for (; text[i] != '\0' && i < LABEL_BYTES - 1; i++)
		out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	out[i] = '\0';
}

static void put(FILE *out, const char *name, uint64_t value)
{
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_labelled(FILE *out, const char *name, const char *label, const char *word, uint64_t value)
{
	fprintf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, word, value);
}

// A time that is not known has no line: 0 would be 1970, for which every rule fires.
static void put_time(FILE *out, const char *name, const char *labels, uint64_t ms)
{
	if (ms != 0)
		fprintf(out, "%s%s %" PRIu64 ".%03u\n", name, labels, ms / 1000, (unsigned)(ms % 1000));
}

static void put_histogram(FILE *out, const char *name, const char *label, const struct traffic_histogram *histogram,
			  const uint32_t bounds[TRAFFIC_BOUNDS], double unit)
{
	const char *comma = label[0] == '\0' ? "" : ",";
	uint64_t count = 0;
	for (unsigned i = 0; i < TRAFFIC_BOUNDS; i++) {
		count += histogram->buckets[i];
		fprintf(out, "%s_bucket{%s%sle=\"%.9g\"} %" PRIu64 "\n", name, label, comma, bounds[i] * unit, count);
	}
	count += histogram->buckets[TRAFFIC_BOUNDS];
	fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, comma, count);
	const char *open = label[0] == '\0' ? "" : "{", *shut = label[0] == '\0' ? "" : "}";
	fprintf(out, "%s_sum%s%s%s %.9g\n%s_count%s%s%s %" PRIu64 "\n", name, open, label, shut, (double)histogram->sum * unit, name, open,
		label, shut, count);
}

// ------------------------------------------------------------------ the families

static void build_info(const struct metrics *metrics, const char *name, FILE *out)
{
	char broker[2 * sizeof metrics->broker_name];
	size_t used = 0;
	// Its only text that somebody chose; clean by the configuration's rules.
	for (const char *c = metrics->broker_name; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			broker[used++] = '\\';
		broker[used++] = *c;
	}
	broker[used] = '\0';
	fprintf(out, "%s{broker=\"%s\",version=\"%s\",store=\"%s\"} 1\n", name, broker, metrics->version, metrics->store);
}

static void start_time(const struct metrics *metrics, const char *name, FILE *out)
{
	put_time(out, name, "", metrics->started_ms);
}

static void not_ready(const struct metrics *metrics, const char *name, FILE *out)
{
	for (unsigned i = 0; i < METRICS_CAUSES; i++)
		put_labelled(out, name, "cause", causes[i].word, metrics->causes >> i & 1);
}

static void drill(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->drill);
}

// All operations there are, also those that nobody asked for yet: a rate needs the 0 before the 1.
static void requests(const struct metrics *metrics, const char *name, FILE *out)
{
	for (unsigned i = 0; i < TRAFFIC_OPERATIONS; i++) {
		const struct traffic_count *count = &metrics->operations[i];
		const char *word = wire_operation_name((Cpis__V1__Operation)i);
		char operation[LABEL_BYTES];
		if (word == NULL || strcmp(word, "?") == 0)
			continue;
		lower(i == 0 ? "unreadable" : word, operation);
		fprintf(out, "%s{operation=\"%s\",decision=\"allowed\"} %" PRIu64 "\n%s{operation=\"%s\",decision=\"refused\"} %" PRIu64 "\n", name,
			operation, count->allowed, name, operation, count->refused);
	}
}

// Those that are the broker's own fault always, as alerts go by them; of the others, more than a hundred, those that there were.
static void refusals(const struct metrics *metrics, const char *name, FILE *out)
{
	for (enum reason reason = REASON_NONE + 1; reason < REASONS; reason++)
		if (metrics->refusals[reason] != 0 || reason == REASON_STORE || reason == REASON_INTERNAL)
			put_labelled(out, name, "reason", reason_word(reason), metrics->refusals[reason]);
}

static void stages(const struct metrics *metrics, const char *name, FILE *out)
{
	static const char *const labels[TRAFFIC_STAGES] = {[TRAFFIC_QUEUE] = "stage=\"queue\"",
							   [TRAFFIC_DECIDE] = "stage=\"decide\"",
							   [TRAFFIC_COMMIT] = "stage=\"commit\"",
							   [TRAFFIC_REPLY] = "stage=\"reply\""};
	for (unsigned i = 0; i < TRAFFIC_STAGES; i++)
		put_histogram(out, name, labels[i], &metrics->stages[i], traffic_stage_bounds_us, 1e-6);
}

static void answers(const struct metrics *metrics, const char *name, FILE *out)
{
	uint64_t count = 0;
	for (unsigned i = 0; i < METRICS_LATENCIES; i++) {
		count += metrics->latencies[i];
		fprintf(out, "%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", name, (double)(UINT64_C(16) << (2 * i)) * 1e-6, count);
	}
	count += metrics->latencies[METRICS_LATENCIES];
	fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.9g\n%s_count %" PRIu64 "\n", name, count, name,
		(double)metrics->latency_sum_us * 1e-6, name, count);
}

static void batches(const struct metrics *metrics, const char *name, FILE *out)
{
	put_histogram(out, name, "", &metrics->batches, traffic_batch_bounds, 1);
}

static void commits(const struct metrics *metrics, const char *name, FILE *out)
{
	put_labelled(out, name, "result", "done", metrics->totals.commits);
	put_labelled(out, name, "result", "failed", metrics->totals.failed_commits);
}

static void last_commit(const struct metrics *metrics, const char *name, FILE *out)
{
	put_time(out, name, "", metrics->totals.last_commit_ms);
}

static void store_busy(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->store_busy);
}

static void parked(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->parked);
}

static void turned_away(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->totals.edge.turned_away);
}

static void admitted(const struct metrics *metrics, const char *name, FILE *out)
{
	put_labelled(out, name, "endpoint", "systems", metrics->totals.edge.admitted);
	put_labelled(out, name, "endpoint", "enrolment", metrics->enrolling_admitted);
}

static void failed_handshakes(const struct metrics *metrics, const char *name, FILE *out)
{
	for (enum reason reason = REASON_HANDSHAKE_KEY; reason <= REASON_HANDSHAKE_UNFINISHED; reason++)
		put_labelled(out, name, "reason", reason_word(reason), metrics->handshakes_failed[reason]);
}

static void front_restarts(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->totals.edge.restarts);
}

static void inbox_waiting(const struct metrics *metrics, const char *name, FILE *out)
{
	static const char *const ages[STORE_AGES] = {"1h", "8h", "1d", "3d", "older"};
	for (unsigned i = 0; i < STORE_AGES && metrics->waiting_ms != 0; i++)
		put_labelled(out, name, "age", ages[i], metrics->waiting.counts[i]);
}

static void inbox_oldest(const struct metrics *metrics, const char *name, FILE *out)
{
	uint64_t oldest_ms = metrics->waiting.oldest_ms;
	if (metrics->waiting_ms != 0)
		put(out, name, oldest_ms == 0 || oldest_ms > metrics->now_ms ? 0 : (metrics->now_ms - oldest_ms) / 1000);
}

static void inbox_escalated(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->inbox_escalated);
}

static void inbox_expired(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->inbox_expired);
}

static void not_after(const struct metrics *metrics, const char *name, FILE *out)
{
	put_time(out, name, "{of=\"broker\"}", metrics->certificate_until_ms);
	put_time(out, name, "{of=\"next_system\"}", metrics->next_system_until_ms);
}

static void revocation(const struct metrics *metrics, const char *name, FILE *out)
{
	put_time(out, name, "", metrics->revocation_until_ms);
}

static void systems(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->systems);
}

static void systems_expiring(const struct metrics *metrics, const char *name, FILE *out)
{
	static const char *const within[3] = {"7d", "30d", "60d"};
	for (unsigned i = 0; i < 3; i++)
		put_labelled(out, name, "within", within[i], metrics->systems_expiring[i]);
}

static void log_size(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->log_size);
}

static void witnessed(const struct metrics *metrics, const char *name, FILE *out)
{
	put_time(out, name, "", metrics->witnessed_ms);
}

static void witness_required(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->witness_required_ms / 1000);
}

static void quarantined(const struct metrics *metrics, const char *name, FILE *out)
{
	put(out, name, metrics->quarantined);
}

static void events(const struct metrics *metrics, const char *name, FILE *out)
{
	for (unsigned i = 0; i < LOG_EVENTS; i++) {
		const struct log_event_row *row = log_event_row((enum log_event)i);
		fprintf(out, "%s{event=\"%s\",level=\"%s\",security=\"%s\"} %" PRIu64 "\n", name, row->word, log_level_word(row->level),
			row->kind == LOG_KIND_SECURITY ? "yes" : "no", metrics->events[i]);
	}
}

static const struct family {
	const char *name, *type, *labels, *help;
	write_function *write; // NULL: of what the reader finds out
} families[] = {
	{"cpis_alive", "gauge", "", "1: the core has made progress within five seconds", NULL},
	{"cpis_ready", "gauge", "", "1: a request would be answered, as /readyz says", NULL},
	{"cpis_not_ready", "gauge", "cause", "1 for each cause why it would not", not_ready},
	{"cpis_build_info", "gauge", "broker, version, store", "always 1", build_info},
	{"cpis_start_time_seconds", "gauge", "", "since when it is counted", start_time},
	{"cpis_drill", "gauge", "", "1: the configuration says that what happens here is rehearsed", drill},
	{"cpis_requests_total", "counter", "operation, decision",
	 "requests, once it is known whether they are durable; sessions opened and closed are the operations session_open and session_close", requests},
	{"cpis_refusals_total", "counter", "reason", "the refused ones by the word that the audit log has", refusals},
	{"cpis_stage_seconds", "histogram", "stage",
	 "queue: from arrival until the core takes it up; decide: one request; commit: one batch; reply: its replies into the front's hands", stages},
	{"cpis_answer_seconds", "histogram", "", "from arrival to reply, of requests that did not wait for something to happen", answers},
	{"cpis_batch_requests", "histogram", "", "requests to a commit", batches},
	{"cpis_commits_total", "counter", "result", "batches of requests: committed; or not, jobs too", commits},
	{"cpis_last_commit_timestamp_seconds", "gauge", "", "of the last one that was done", last_commit},
	{"cpis_store_busy_total", "counter", "", "batches that could not begin because another process had the SQLite store locked", store_busy},
	{"cpis_parked_requests", "gauge", "", "requests that wait for something to happen (`inbox take`)", parked},
	{"cpis_turned_away_total", "counter", "", "requests told to come later, because there were too many", turned_away},
	{"cpis_handshakes_admitted_total", "counter", "endpoint", "connections let in", admitted},
	{"cpis_handshakes_failed_total", "counter", "reason", "connections that were not", failed_handshakes},
	{"cpis_front_restarts_total", "counter", "", "network fronts that had to be started anew", front_restarts},
	{"cpis_inbox_items", "gauge", "age", "items that nobody has acknowledged, of at most that age and more than the one before; 20,000 are looked at",
	 inbox_waiting},
	{"cpis_inbox_oldest_seconds", "gauge", "", "age of the oldest of them", inbox_oldest},
	{"cpis_inbox_escalated_total", "counter", "", "items not acknowledged in time", inbox_escalated},
	{"cpis_inbox_expired_total", "counter", "", "items that nobody ever acknowledged", inbox_expired},
	{"cpis_certificate_not_after_timestamp_seconds", "gauge", "of", "end of the broker's certificate, and of the enrolled system's that ends next",
	 not_after},
	{"cpis_revocation_next_update_timestamp_seconds", "gauge", "", "until when the revocation lists hold; the earliest of them", revocation},
	{"cpis_systems", "gauge", "", "enrolled and valid", systems},
	{"cpis_systems_expiring", "gauge", "within", "of these, whose certificates end within so many days", systems_expiring},
	{"cpis_log_records", "gauge", "", "of the audit log", log_size},
	{"cpis_log_witnessed_timestamp_seconds", "gauge", "", "when a quorum of witnesses had last cosigned", witnessed},
	{"cpis_log_witness_required_seconds", "gauge", "", "`witness_required_s`; 0: none", witness_required},
	{"cpis_quarantined", "gauge", "", "entries of the quarantine list, those that have ended too until they are lifted", quarantined},
	{"cpis_log_events_total", "counter", "event, level, security", "the core's own lines of the operator's log", events},
};
#define FAMILIES (sizeof families / sizeof families[0])

void metrics_text_write(const struct metrics *metrics, bool alive, FILE *out)
{
	bool ready = alive && metrics != NULL && metrics->causes == 0;
	struct metrics shown;
	if (metrics != NULL) {
		shown = *metrics;
		shown.causes |= alive ? 0 : 1u << METRICS_CAUSE_STALLED;
	}
	for (size_t i = 0; i < FAMILIES; i++) {
		const struct family *family = &families[i];
		if (family->write != NULL && metrics == NULL)
			continue;
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name, family->type);
		if (family->write != NULL)
			family->write(&shown, family->name, out);
		else
			put(out, family->name, i == 0 ? alive : ready);
	}
}

bool metrics_text_ready(const struct metrics *metrics, bool alive, FILE *out)
{
	unsigned why = (metrics == NULL ? 0 : metrics->causes) | (alive && metrics != NULL ? 0 : 1u << METRICS_CAUSE_STALLED);
	for (unsigned i = 0; i < METRICS_CAUSES; i++)
		if ((why >> i & 1) != 0)
			fprintf(out, "%s: %s\n", causes[i].word, causes[i].meaning);
	if (why == 0)
		fprintf(out, "ready\n");
	return why == 0;
}

void metrics_text_describe(FILE *out)
{
	fprintf(out, "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < FAMILIES; i++)
		fprintf(out, "| `%s` | %s | %s | %s |\n", families[i].name, families[i].type, families[i].labels, families[i].help);
}
