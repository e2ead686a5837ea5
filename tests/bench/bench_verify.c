// How fast a whole log is verified: `cpis audit verify` on a log of one million records, and in the full bench (CPIS_BENCH_FULL=1) of
// ten, against the machine's own SHA-256 over messages of the same lengths, in turns. And what the proof of any record costs.
//
// The log is made anew, or with CPIS_BENCH_LOG=DIR kept there and used again.
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "clients/cli/log_export.h"
#include "clients/cli/log_export_check.h"
#include "clients/cli/log_file.h"
#include "clients/cli/log_prove.h"
#include "tests/bench/log_maker.h"

// As certs/merkle.c, whose speed is that of this floor.
#define OPENSSL_API_COMPAT 10101
#include <openssl/evp.h>
#include <openssl/sha.h>

#define TURNS 5u
#define PROOFS 1000u
// Records whose bytes are kept in memory for the floor, which goes over them again and again.
#define KEPT 100000u

static char directory[200], database_path[300];
static struct note_verifier verifier;
static json_t *rows;

static void must(bool good, const char *what, const char *detail)
{
	if (good)
		return;
	fprintf(stderr, "bench_verify: %s: %s\n", what, detail);
	exit(1);
}

static double seconds_of(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double now_s(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

// What the processors spent on us: says the same on a machine that has other work as on one that has none.
static double spent_s(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static unsigned processors(void)
{
	cpu_set_t ours;
	return sched_getaffinity(0, sizeof ours, &ours) == 0 ? (unsigned)CPU_COUNT(&ours) : 1;
}

// ------------------------------------------------------------------ the floor

struct sample {
	uint8_t *bytes;
	size_t begin[KEPT + 1]; // salt and record of each
	uint64_t count;
};

static struct sample sample;

static void read_sample(uint64_t records)
{
	char detail[LOG_DATABASE_DETAIL_BYTES];
	struct log_database *database = log_database_open(database_path, detail);
	struct log_row row;
	bool found = true;
	size_t room = 0, used = 0;
	must(database != NULL, database_path, detail);
	sample.count = records < KEPT ? records : KEPT;
	must(log_database_seek(database, 0, sample.count), database_path, "cannot be read");
	for (uint64_t i = 0; i < sample.count; i++) {
		must(log_database_next(database, &row, &found) && found, database_path, "has not enough records");
		if (used + row.salt.bytes + row.record.bytes > room) {
			room = 2 * room + (1u << 20);
			sample.bytes = realloc(sample.bytes, room);
			must(sample.bytes != NULL, "sample", "out of memory");
		}
		sample.begin[i] = used;
		memcpy(sample.bytes + used, row.salt.data, row.salt.bytes);
		memcpy(sample.bytes + used + row.salt.bytes, row.record.data, row.record.bytes);
		used += row.salt.bytes + row.record.bytes;
	}
	sample.begin[sample.count] = used;
	log_database_close(database);
}

static EVP_MD_CTX *evp; // set: the floor is that of OpenSSL's own interface, with a digest and a context used again

static void hash(const void *data, size_t bytes, uint8_t out[32])
{
	if (evp != NULL) {
		EVP_DigestInit_ex2(evp, NULL, NULL);
		EVP_DigestUpdate(evp, data, bytes);
		EVP_DigestFinal_ex(evp, out, NULL);
		return;
	}
	SHA256_CTX context;
	SHA256_Init(&context);
	SHA256_Update(&context, data, bytes);
	SHA256_Final(out, &context);
}

// Commitment, leaf and one node for each record: a tree of n has n - 1 nodes.
static void *hash_records(void *context)
{
	uint64_t records = *(const uint64_t *)context;
	uint8_t leaf[33] = {0}, node[65] = {1}, out[32];
	for (uint64_t i = 0; i < records; i++) {
		uint64_t k = i % sample.count;
		hash(sample.bytes + sample.begin[k], sample.begin[k + 1] - sample.begin[k], leaf + 1);
		hash(leaf, sizeof leaf, out);
		memcpy(node + 1 + 32 * (i & 1), out, sizeof out);
		hash(node, sizeof node, out);
	}
	return NULL;
}

static double floor_s(uint64_t records, unsigned threads)
{
	pthread_t ids[64];
	uint64_t each = records / threads;
	double start = now_s();
	for (unsigned i = 0; i < threads; i++)
		must(pthread_create(&ids[i], NULL, hash_records, &each) == 0, "floor", "no thread");
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return now_s() - start;
}

// Processor time of the floor by EVP, in one thread.
static double evp_spent_s(uint64_t records)
{
	EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	evp = EVP_MD_CTX_new();
	must(sha256 != NULL && evp != NULL && EVP_DigestInit_ex2(evp, sha256, NULL) == 1, "EVP", "cannot be had");
	double start = spent_s();
	hash_records(&records);
	double took = spent_s() - start;
	EVP_MD_CTX_free(evp);
	EVP_MD_free(sha256);
	evp = NULL;
	return took;
}

static double stream_bytes_per_s(void)
{
	SHA256_CTX context;
	uint8_t out[32];
	double start = now_s();
	SHA256_Init(&context);
	for (unsigned i = 0; i < 16; i++)
		SHA256_Update(&context, sample.bytes, sample.begin[sample.count]);
	SHA256_Final(out, &context);
	return 16 * (double)sample.begin[sample.count] / (now_s() - start);
}

// ------------------------------------------------------------------ verify, prove

static double verify_s(uint64_t records)
{
	struct log_result result;
	double start = now_s();
	enum log_status status = log_file_verify(database_path, &verifier, NULL, 0, NULL, &result);
	double took = now_s() - start;
	must(status == LOG_HOLDS && result.records == records, "verify", result.detail);
	return took;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof *values, by_value);
	return values[count / 2];
}

static void measure_verify(uint64_t records)
{
	double one[TURNS], all[TURNS], verify[TURNS], one_spent[TURNS], verify_spent[TURNS];
	unsigned threads = processors();
	verify_s(records); // from here on the file is in memory as far as it fits
	for (unsigned i = 0; i < TURNS; i++) {
		double start = spent_s();
		one[i] = floor_s(records, 1);
		double middle = spent_s();
		verify[i] = verify_s(records);
		one_spent[i] = middle - start;
		verify_spent[i] = spent_s() - middle;
		all[i] = floor_s(records, threads);
	}
	double floor_one = median(one, TURNS), floor_all = median(all, TURNS), took = median(verify, TURNS);
	double stream = stream_bytes_per_s(), spent_ratio = median(one_spent, TURNS) / median(verify_spent, TURNS);
	printf("%llu records: verify %.2f s, %.0f records/s\n", (unsigned long long)records, took, (double)records / took);
	printf("  floor, the same messages in a loop: 1 thread %.2f s, ratio %.2f; %u threads %.2f s, ratio %.2f\n", floor_one,
	       floor_one / took, threads, floor_all, floor_all / took);
	double evp_spent = evp_spent_s(records);
	printf("  processor time: floor %.2f s (by EVP %.2f s), verify %.2f s, ratio %.2f (%.2f)\n", one_spent[TURNS / 2], evp_spent,
	       verify_spent[TURNS / 2], spent_ratio, evp_spent / verify_spent[TURNS / 2]);
	printf("  one long stream: %.2f GB/s\n", stream / 1e9);
	fflush(stdout);
	json_array_append_new(rows, json_pack("{s:s, s:I, s:f, s:f, s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "name", "verify", "records",
					      (json_int_t)records, "seconds", took, "floor_seconds", floor_one, "threads",
					      (int)threads, "floor_threads_seconds", floor_all, "ratio", floor_one / took,
					      "ratio_threads", floor_all / took, "ratio_spent", spent_ratio, "ratio_spent_evp", evp_spent / verify_spent[TURNS / 2],
					      "stream_bytes_per_second", stream));
}

static void measure_proofs(uint64_t records)
{
	static double took[PROOFS];
	char detail[LOG_DETAIL_BYTES];
	struct log_database *database = log_database_open(database_path, detail);
	uint64_t state = 1;
	must(database != NULL, database_path, detail);
	for (unsigned i = 0; i < PROOFS; i++) {
		struct tlog_proof proof;
		bool found;
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		double start = now_s();
		enum log_status status = log_prove(database, &verifier, (state >> 20) % records, &proof, &found, detail);
		took[i] = (now_s() - start) * 1e3;
		must(status == LOG_HOLDS && found, "prove", detail);
		free(proof.record);
	}
	log_database_close(database);
	double middle = median(took, PROOFS);
	printf("  proof of a random record, read, made and checked: median %.3f ms, p99 %.3f ms\n", middle, took[PROOFS * 99 / 100]);
	json_array_append_new(rows, json_pack("{s:s, s:I, s:f, s:f}", "name", "prove", "records", (json_int_t)records, "median_ms",
					      middle, "p99_ms", took[PROOFS * 99 / 100]));
}

// An export of all of it, and the export verified. Exporting again adds nothing.
static void measure_export(uint64_t records)
{
	char detail[LOG_DETAIL_BYTES], out[300];
	double verify[TURNS], spent[TURNS];
	struct log_exported exported;
	struct log_result result;
	snprintf(out, sizeof out, "%s/export", directory);
	struct log_database *database = log_database_open(database_path, detail);
	must(database != NULL, database_path, detail);
	double start = now_s();
	must(log_export(database, &verifier, out, &exported, &result) == LOG_HOLDS, "export", result.detail);
	double took = now_s() - start;
	log_database_close(database);
	for (unsigned i = 0; i < TURNS; i++) {
		double start_spent = spent_s();
		start = now_s();
		must(log_export_verify(out, &verifier, NULL, 0, NULL, &result) == LOG_HOLDS && result.records == records, "verify",
		     result.detail);
		verify[i] = now_s() - start;
		spent[i] = spent_s() - start_spent;
	}
	double middle = median(verify, TURNS), middle_spent = median(spent, TURNS);
	printf("  export: %llu files in %.1f s; verified in %.2f s, %.2f s of processor time\n", (unsigned long long)exported.files, took,
	       middle, middle_spent);
	json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:f, s:f, s:f}", "name", "export", "records", (json_int_t)records,
					      "files", (json_int_t)exported.files, "seconds", took, "verify_seconds", middle,
					      "verify_spent_seconds", middle_spent));
}

static void measure(uint64_t records)
{
	read_sample(records);
	measure_verify(records);
	measure_proofs(records);
}

// ------------------------------------------------------------------ the log

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *where)
{
	(void)status, (void)flag, (void)where;
	return remove(path);
}

static void name_files(const char *parent, uint64_t records)
{
	char key[300];
	snprintf(directory, sizeof directory, "%s/%llu", parent, (unsigned long long)records);
	snprintf(database_path, sizeof database_path, "%s/broker.db", directory);
	snprintf(key, sizeof key, "%s/log.vkey", directory);
	if (access(key, F_OK) != 0) {
		struct log_maker maker;
		must(mkdir(directory, 0700) == 0, directory, strerror(errno));
		log_maker_open(&maker, directory);
		log_maker_grow(&maker, records);
		log_maker_close(&maker);
	}
	must(note_verifier_load(key, &verifier) == CERTS_OK, key, "cannot be read");
}

int main(int argc, char **argv)
{
	char made[] = "/var/tmp/cpis-bench-verify-XXXXXX"; // on a disk, where /tmp may be memory
	const char *full = getenv("CPIS_BENCH_FULL"), *parent = getenv("CPIS_BENCH_LOG");
	if (argc != 2 || (parent == NULL && mkdtemp(made) == NULL)) {
		fprintf(stderr, "usage: bench_verify REPORT.json\n");
		return 1;
	}
	puts("\nverifying the audit log");
	rows = json_array();
	name_files(parent == NULL ? made : parent, 1000000);
	measure(1000000);
	measure_export(1000000);
	if (full != NULL && strcmp(full, "1") == 0) {
		name_files(parent == NULL ? made : parent, 10000000);
		measure(10000000);
	} else {
		puts("  (CPIS_BENCH_FULL=1 goes on to ten million records)");
	}
	if (parent == NULL)
		nftw(made, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(sample.bytes);
	json_t *all = json_pack("{s:o}", "rows", rows);
	int failed = json_dump_file(all, argv[1], JSON_INDENT(2));
	json_decref(all);
	return failed != 0;
}
