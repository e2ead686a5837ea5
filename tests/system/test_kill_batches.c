// kill -9 while hundreds of queries share each commit: 64 connections with 16 questions each under way, as under the heaviest load
// that is measured. Whatever was answered before the kill is in the log at the place that its receipt named, each look at a plan
// is there with its history and its notification or not at all, and the log verifies.
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>

#include "proto/audit_record.h"
#include "proto/wire.h"
#include "tests/bench/queries.h"

#define KILLS 8u
#define PLANS 20000u
#define CONNECTIONS 64u
#define WINDOW 16u
#define ANSWERS_MAX 1000000u
#define REPORT_EACH 256u     // answers, for each byte down the pipe
#define PROGRESS_MS 60000
#define LARGE_BATCH 100u
#define NEXT_ROUND UINT64_C(1) << 32 // request ids of another process, never used before

struct answer {
	uint8_t request_id[REQUEST_ID_BYTES];
	uint64_t index;
	uint64_t log_size;   // of its checkpoint: the same for all of one commit
};

// Written by the load's process and read after its end, however it ended.
struct answers {
	_Atomic size_t count;
	struct answer of[ANSWERS_MAX];
};

static struct town *town;
static struct answers *answers;
static struct arena arena;   // each process has its own copy
static load_check *check_outcome;
static int progress;         // written by the load's process

// ------------------------------------------------------------------ load

static uint64_t size_of(const char *checkpoint)
{
	const char *line = strchr(checkpoint, '\n');
	return line == NULL ? 0 : strtoull(line + 1, NULL, 10);
}

static void keep_answer(void *context, unsigned connection, const uint8_t *data, size_t bytes)
{
	Cpis__V1__Reply *reply = NULL;
	struct wire_error error;
	size_t count = atomic_load(&answers->count);
	check_outcome(context, connection, data, bytes);
	arena_reset(&arena);
	link_must(count < ANSWERS_MAX && wire_reply_decode(&arena, data, bytes, &reply, &error) == WIRE_OK, "an answer");
	struct answer *answer = &answers->of[count];
	memcpy(answer->request_id, reply->request_id.data, REQUEST_ID_BYTES);
	answer->index = reply->receipt->index;
	answer->log_size = size_of(reply->receipt->checkpoint);
	atomic_store(&answers->count, count + 1);
	if (count % REPORT_EACH == 0)
		link_must(write(progress, "", 1) == 1, "the test has gone");
}

// Until the broker dies under it; that it complains of that is as it should be.
static void load_until_killed(void)
{
	const struct load_run run = {.window = WINDOW, .duration_ms = PROGRESS_MS};
	struct queries queries;
	struct load_result result;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(1);
	queries_init(&queries, town, 1);
	struct load_options options = queries_load(&queries, CONNECTIONS);
	check_outcome = options.check;
	options.check = keep_answer;
	load_run(load_open(&options), &run, &result);
	_exit(0);
}

static void wait_for_answers(int from, unsigned reports)
{
	struct pollfd poll_from = {.fd = from, .events = POLLIN};
	char byte;
	while (reports-- > 0) {
		ck_assert_msg(poll(&poll_from, 1, PROGRESS_MS) == 1, "no answers within the deadline");
		ck_assert_msg(read(from, &byte, 1) == 1, "the load ended by itself");
	}
}

static void kill_under_load(void)
{
	int ends[2], status;
	ck_assert_int_eq(pipe(ends), 0);
	fflush(NULL);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(ends[0]);
		progress = ends[1];
		load_until_killed();
	}
	close(ends[1]);
	wait_for_answers(ends[0], 10 + world_random(60));
	// A broker that ends by itself is a failure; it is given a random moment to do so.
	if (world_wait_exit(town->world, (int)world_random(10), &status))
		world_fail(town->world, "the broker ended by itself, status %d", status);
	world_kill(town->world);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	close(ends[0]);
	town->next_request += NEXT_ROUND;
	town->hits += PLANS / KILLS; // children whom nobody has asked about
}

// ------------------------------------------------------------------ looking back

static int compare_sizes(const void *a, const void *b)
{
	uint64_t x = ((const struct answer *)a)->log_size, y = ((const struct answer *)b)->log_size;
	return x < y ? -1 : x > y;
}

// Commits of which so many were answered: there may have been more in them.
static unsigned count_large_batches(unsigned *ret_largest)
{
	size_t count = atomic_load(&answers->count);
	unsigned large = 0, together = 0;
	*ret_largest = 0;
	qsort(answers->of, count, sizeof answers->of[0], compare_sizes);
	for (size_t i = 0; i < count; i++) {
		together = i > 0 && answers->of[i].log_size == answers->of[i - 1].log_size ? together + 1 : 1;
		large += together == LARGE_BATCH + 1;
		*ret_largest = together > *ret_largest ? together : *ret_largest;
	}
	return large;
}

static sqlite3 *open_store(void)
{
	sqlite3 *database = NULL;
	ck_assert_int_eq(sqlite3_open_v2(world_path(town->world, "store.db"), &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	return database;
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
	return statement;
}

static uint64_t count_rows(sqlite3 *database, const char *sql)
{
	sqlite3_stmt *statement = prepare(database, sql);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	uint64_t count = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return count;
}

static void decode_record(sqlite3_stmt *statement, Cpis__V1__AuditRecord **ret)
{
	struct wire_error error;
	arena_reset(&arena);
	ck_assert_int_eq(audit_record_decode(&arena, sqlite3_column_blob(statement, 0),
					     (size_t)sqlite3_column_bytes(statement, 0), ret, &error), WIRE_OK);
}

static void check_answers_are_recorded(sqlite3 *database)
{
	sqlite3_stmt *statement = prepare(database, "SELECT record FROM audit WHERE idx = ?1");
	size_t count = atomic_load(&answers->count);
	for (size_t i = 0; i < count; i++) {
		Cpis__V1__AuditRecord *record = NULL;
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)answers->of[i].index);
		ck_assert_msg(sqlite3_step(statement) == SQLITE_ROW, "an answer's record is not there");
		decode_record(statement, &record);
		ck_assert_uint_eq(record->request_id.len, REQUEST_ID_BYTES);
		ck_assert_mem_eq(record->request_id.data, answers->of[i].request_id, REQUEST_ID_BYTES);
		ck_assert_int_eq(record->outcome, CPIS__V1__OUTCOME__OK);
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
}

// No child was asked about twice, so each look has one place in a history and one notification; alerts go to others.
static uint64_t check_looks_are_whole(sqlite3 *database)
{
	sqlite3_stmt *statement = prepare(database, "SELECT record FROM audit");
	uint64_t looks = 0;
	while (sqlite3_step(statement) == SQLITE_ROW) {
		Cpis__V1__AuditRecord *record = NULL;
		decode_record(statement, &record);
		looks += record->operation == CPIS__V1__OPERATION__DETAILS && record->outcome == CPIS__V1__OUTCOME__OK;
	}
	sqlite3_finalize(statement);
	ck_assert_uint_eq(count_rows(database, "SELECT count(*) FROM access"), looks);
	ck_assert_uint_eq(count_rows(database, "SELECT count(*) FROM inbox WHERE organisation = '383'"), looks);
	return looks;
}

START_TEST(what_was_answered_out_of_large_batches_is_there)
{
	unsigned largest;
	answers = mmap(NULL, sizeof *answers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(answers, MAP_FAILED);
	ck_assert(arena_init(&arena, 2 * ARENA_BYTES));
	town = town_new(&(struct town_options){.plans = PLANS});
	for (unsigned i = 0; i < KILLS; i++) {
		kill_under_load();
		world_start(town->world);
	}
	unsigned large = count_large_batches(&largest);
	printf("%u kills, %zu answers, %u commits with more than %u of them, the largest %u\n", KILLS, atomic_load(&answers->count), large,
	       LARGE_BATCH, largest);
	ck_assert_uint_gt(large, KILLS);
	sqlite3 *database = open_store();
	check_answers_are_recorded(database);
	printf("%llu looks at plans, each with its history and its notification\n",
	       (unsigned long long)check_looks_are_whole(database));
	sqlite3_close(database);
	ck_assert_msg(world_cpis(town->world, NULL, "audit", "verify", "--database", world_path(town->world, "store.db"), "--log-key",
				 world_path(town->world, "authority/trust/log.vkey"), NULL) == 0, "%s", world_err(town->world));
	ck_assert_int_eq(town_free(town), 0);
	arena_done(&arena);
	munmap(answers, sizeof *answers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kill_batches");
	TCase *tests = tcase_create("kill_batches");
	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, what_was_answered_out_of_large_batches_is_there);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
