// What a search of the audit log costs, in a log of one million records and, in the full bench (CPIS_BENCH_FULL=1), of ten: the
// operation itself, with rows read, records decoded and details opened, without the network. What the operating system has in
// memory is told apart from what comes from the disk.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "broker/op.h"
#include "tests/bench/ending.h"
#include "tests/bench/log_maker.h"

#define DAY_MS (24u * 3600u * 1000u)
#define RUNS_MAX 1000u

static struct log_maker maker;
static json_t *rows;
static uint64_t state = 1;

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static uint32_t below(uint64_t bound)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)((state >> 33) % bound);
}

// ------------------------------------------------------------------ one search

struct question {
	Cpis__V1__AuditSearchRequest search;
	char uid[UID_DIGITS + 1], organisation[8];
	uint8_t request_id[REQUEST_ID_BYTES];
};

typedef void ask(struct question *question, uint64_t records);

static size_t found; // of the last search

static double search_ms(struct question *question, struct arena *arena)
{
	struct organisation national = {.ods = {"X26"}, .type = ORGANISATION_NATIONAL_BODY};
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	Cpis__V1__Reply reply = CPIS__V1__REPLY__INIT;
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	struct nhs_number number;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &question->search;
	double start = now_ms();
	struct op_context context = {.store = maker.store, .vault = maker.vault, .audit = maker.audit, .arena = arena,
				     .request = &request, .organisation = &national, .reply = &reply, .detail = &detail};
	const char *child = question->search.nhs_number;
	if (nhs_number_parse(child, strlen(child), &number) == NHS_NUMBER_OK) {
		vault_tag_subject(maker.vault, &number, &context.subject);
		context.has_subject = true;
	}
	enum reason reason = op_audit_search(&context);
	double took = now_ms() - start;
	if (reason != REASON_NONE) {
		fprintf(stderr, "bench_audit: a search was refused: %s\n", reason_word(reason));
		exit(1);
	}
	found = reply.audit_search->n_entries;
	return took;
}

// ------------------------------------------------------------------ the kinds of search

static void any_child(struct question *question, uint64_t records)
{
	(void)records;
	question->search.nhs_number = maker.children[1 + below(LOG_MAKER_CHILDREN - 1)].digits;
}

// A day somewhere in the log.
static void some_day(struct question *question, uint64_t records)
{
	question->search.from_ms = log_maker_time_ms(below(records));
	question->search.until_ms = question->search.from_ms + DAY_MS;
}

static void busy_child(struct question *question, uint64_t records)
{
	some_day(question, records);
	question->search.nhs_number = maker.children[0].digits;
}

static void busy_child_oldest(struct question *question, uint64_t records)
{
	busy_child(question, records);
	question->search.until_ms = 0;
	question->search.oldest_first = true;
}

static void any_person(struct question *question, uint64_t records)
{
	(void)records;
	log_maker_uid(1 + below(LOG_MAKER_STAFF - 1), question->uid);
	question->search.uid = question->uid;
}

static void busy_person(struct question *question, uint64_t records)
{
	some_day(question, records);
	log_maker_uid(0, question->uid);
	question->search.uid = question->uid;
}

static void busy_person_and_child(struct question *question, uint64_t records)
{
	(void)records;
	log_maker_uid(0, question->uid);
	question->search.uid = question->uid;
	question->search.nhs_number = maker.children[0].digits;
}

static void organisation(struct question *question, uint64_t records)
{
	some_day(question, records);
	log_maker_organisation(below(LOG_MAKER_ORGANISATIONS), question->organisation);
	question->search.organisation = question->organisation;
}

static void request_in_an_hour(struct question *question, uint64_t records)
{
	uint64_t index = below(records);
	memcpy(question->request_id, &index, sizeof index);
	question->search.request_id = (ProtobufCBinaryData){sizeof question->request_id, question->request_id};
	question->search.from_ms = log_maker_time_ms(index) - DAY_MS / 48;
	question->search.until_ms = question->search.from_ms + DAY_MS / 24;
}

// As much as one request ever does: nothing matches.
static void nothing(struct question *question, uint64_t records)
{
	some_day(question, records);
	question->search.until_ms = 0;
	question->search.oldest_first = true;
	question->search.break_glass = CPIS__V1__YES_NO__YES;
}

static const struct {
	const char *name;
	ask *ask;
	unsigned runs;
} kinds[] = {
	{"child", any_child, RUNS_MAX},
	{"busy child, one day", busy_child, RUNS_MAX},
	{"person", any_person, RUNS_MAX},
	{"busy person, one day", busy_person, RUNS_MAX},
	{"busy child, from a day on", busy_child_oldest, RUNS_MAX},
	{"busy person, busy child", busy_person_and_child, 100},
	{"organisation, one day", organisation, RUNS_MAX},
	{"one day", some_day, RUNS_MAX},
	{"request id, one hour", request_in_an_hour, 200},
	{"nothing matches", nothing, 100},
};

#define COLD_KINDS 4u // the first ones, from the disk too

// ------------------------------------------------------------------ measuring

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static void report(uint64_t records, const char *name, const char *memory, double *took, unsigned runs, double entries)
{
	qsort(took, runs, sizeof *took, by_value);
	double median = took[runs / 2], p99 = took[runs - 1 - runs / 100];
	printf("  %-28s %-6s %9.2f %9.2f %9.1f\n", name, memory, median, p99, entries);
	json_array_append_new(rows, json_pack("{s:s, s:I, s:s, s:f, s:f, s:f}", "name", name, "records", (json_int_t)records,
					      "memory", memory, "median_ms", median, "p99_ms", p99, "entries", entries));
}

// Nothing of the file in the operating system's memory. SQLite's own few pages stay.
static void forget_file(void)
{
	int file = open(maker.path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fsync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0)
		perror(maker.path);
	close(file);
}

static void measure(uint64_t records, size_t kind, bool cold)
{
	static double took[RUNS_MAX];
	struct arena arena;
	double entries = 0;
	unsigned runs = cold ? 20 : kinds[kind].runs;
	if (!arena_init(&arena, 8 * ARENA_BYTES))
		exit(1);
	for (unsigned i = 0; i < runs; i++) {
		struct question question = {.search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT};
		kinds[kind].ask(&question, records);
		if (cold)
			forget_file();
		took[i] = search_ms(&question, &arena);
		entries += (double)found / runs;
		arena_reset(&arena);
	}
	report(records, kinds[kind].name, cold ? "disk" : "memory", took, runs, entries);
	arena_done(&arena);
}

static void measure_all(uint64_t records)
{
	double start = now_ms();
	uint64_t before = audit_next_index(maker.audit);
	log_maker_grow(&maker, records);
	double seconds = (now_ms() - start) / 1e3, bytes = (double)log_maker_file_bytes(&maker);
	printf("%llu records (%llu made in %.0f s), %.2f GB, %.0f bytes each\n", (unsigned long long)records,
	       (unsigned long long)(records - before), seconds, bytes / 1e9, bytes / (double)records);
	fflush(stdout);
	printf("  %-28s %-6s %9s %9s %9s\n", "search", "from", "median ms", "p99 ms", "entries");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		measure(records, i, false);
	for (size_t i = 0; i < COLD_KINDS; i++)
		measure(records, i, true);
	json_array_append_new(rows, json_pack("{s:s, s:I, s:f, s:f}", "name", "audit log", "records", (json_int_t)records,
					      "file_bytes", bytes, "seconds", seconds));
}

int main(int argc, char **argv)
{
	static char directory[] = "/var/tmp/cpis-bench-audit-XXXXXX"; // on a disk, where /tmp may be memory
	const char *full = getenv("CPIS_BENCH_FULL");
	if (argc != 2 || mkdtemp(directory) == NULL) {
		fprintf(stderr, "usage: bench_audit REPORT.json\n");
		return 1;
	}
	ending_removes(directory);
	puts("\nsearching the audit log");
	rows = json_array();
	log_maker_open(&maker, directory);
	measure_all(1000000);
	if (full != NULL && strcmp(full, "1") == 0)
		measure_all(10000000);
	else
		puts("  (CPIS_BENCH_FULL=1 goes on to ten million records)");
	log_maker_close(&maker);
	json_t *all = json_pack("{s:o}", "rows", rows);
	int failed = json_dump_file(all, argv[1], JSON_INDENT(2));
	json_decref(all);
	return failed != 0;
}
