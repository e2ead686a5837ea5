// Who finds which edit of a stored audit log: 1,000 of them, by chance, each on a copy of a log that the broker's own code made; asked
// are `audit verify` alone, with the checkpoint that a client remembered, with one that a witness cosigned, and a client that goes on
// asking a broker that runs on the edited store. The table that is printed is that of tests/README.md, or the test fails.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "certs/cosignature.h"
#include "clients/cli/log_file.h"
#include "clients/libcpis/client_priv.h"
#include "tests/bench/log_maker.h"
#include "tests/harness/log_edits.h"
#include "tests/harness/world.h"

#define EDITS 1000u
#define RECORDS 3000u   // which the client remembers
#define COSIGNED 2400u  // which the witness saw
#define NOW_S 1800000000u

static const uint64_t older_sizes[] = {500, 1000, 1500, 2000, COSIGNED, 2500};
#define OLDER (sizeof older_sizes / sizeof older_sizes[0])

static char directory[] = "/tmp/cpis-tamper-XXXXXX";
static char original[64], copy[64];
static struct log_maker maker;
static struct note_verifier verifier;
static char older[OLDER][NOTE_BYTES_MAX + 1];
static struct log_kept remembered, cosigned;

static void read_note(char out[NOTE_BYTES_MAX + 1], struct log_kept *kept)
{
	char detail[LOG_DATABASE_DETAIL_BYTES], note[NOTE_BYTES_MAX + 2];
	size_t bytes;
	char path[64];
	snprintf(path, sizeof path, "%s/broker.db", directory);
	struct log_database *database = log_database_open(path, detail);
	ck_assert_msg(database != NULL, "%s", detail);
	ck_assert(log_database_note(database, note, &bytes));
	log_database_close(database);
	memcpy(out, note, bytes + 1);
	kept->path = "a kept checkpoint";
	ck_assert_int_eq(checkpoint_verify(out, bytes, &verifier, &kept->checkpoint), CERTS_OK);
}

// The witness's signature is what makes its checkpoint worth more than the log's word: by the trust bundle's policy.
static void cosign(const char *note)
{
	struct signing_key *key = NULL;
	struct note_verifier witness = {.origin = "leeds.example/witness"};
	struct witness_policy policy;
	char line[300], path[64], with[NOTE_BYTES_MAX + 1], detail[WITNESS_DETAIL_BYTES];
	uint64_t when;
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	signing_key_public(key, witness.public_key);
	ck_assert_int_eq(witness_key_format(&witness, line, sizeof line), CERTS_OK);
	snprintf(path, sizeof path, "%s/log.policy", directory);
	FILE *file = fopen(path, "we");
	ck_assert(file != NULL && fprintf(file, "witness leeds %s\nquorum leeds\n", line) > 0 && fclose(file) == 0);
	ck_assert_msg(witness_policy_load(path, &policy, detail), "%s", detail);
	ck_assert_int_eq(cosignature_add(note, witness.origin, key, NOW_S, with), CERTS_OK);
	ck_assert(!witness_policy_holds(&policy, note, NOW_S, &when));
	ck_assert(witness_policy_holds(&policy, with, NOW_S, &when));
	ck_assert_int_eq(checkpoint_verify(with, strlen(with), &verifier, &cosigned.checkpoint), CERTS_OK);
	cosigned.path = "the cosigned checkpoint";
	signing_key_free(key);
}

static void copy_file(const char *from, const char *to)
{
	char command[300];
	snprintf(command, sizeof command, "rm -f %s-wal %s-shm %s.lock && cp %s %s", to, to, to, from, to);
	ck_assert_int_eq(system(command), 0);
}

static void setup(void)
{
	struct log_kept ignored;
	char note[NOTE_BYTES_MAX + 1], from[64];
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(original, sizeof original, "%s/original.db", directory);
	snprintf(copy, sizeof copy, "%s/copy.db", directory);
	log_maker_open(&maker, directory);
	strcpy(verifier.origin, LOG_MAKER_ORIGIN);
	signing_key_public(maker.key, verifier.public_key);
	for (size_t i = 0; i < OLDER; i++) {
		log_maker_grow(&maker, older_sizes[i]);
		read_note(older[i], &ignored);
		if (older_sizes[i] == COSIGNED)
			cosign(older[i]);
	}
	log_maker_grow(&maker, RECORDS);
	read_note(note, &remembered);
	ck_assert_uint_eq(remembered.checkpoint.size, RECORDS);
	snprintf(from, sizeof from, "%s/broker.db", directory);
	copy_file(from, original); // log_maker_grow has emptied its write-ahead log
}

static void teardown(void)
{
	char command[100];
	log_maker_close(&maker);
	snprintf(command, sizeof command, "rm -r %s", directory);
	ck_assert_int_eq(system(command), 0);
}

// ------------------------------------------------------------------ who looks

// A broker on this store answers a client that remembers; what does the client say? True: that something is wrong, or there is no
// answer, because the broker does not go on from what does not match its checkpoint.
static bool goes_on(struct audit_log *audit, struct arena *arena, const struct store_ops *ops, struct store *store)
{
	Cpis__V1__AuditDetail said = CPIS__V1__AUDIT_DETAIL__INIT;
	struct audit_event event = {.time_ms = log_maker_time_ms(RECORDS), .operation = CPIS__V1__OPERATION__PING,
				    .organisation = "R001", .system_name = "hospital", .policy_version = "p", .detail = &said};
	struct checkpoint checkpoint;
	struct merkle_hash path[INCLUSION_PATH_MAX];
	uint64_t index;
	if (ops->begin(store) != STORE_OK || audit_append(audit, arena, &event, &index) != STORE_OK ||
	    audit_close_batch(audit) != STORE_OK)
		return false;
	Cpis__V1__Receipt *receipt = audit_receipt(audit, arena, index);
	if (receipt == NULL || !audit_prove_growth(audit, arena, RECORDS, receipt) || ops->commit(store) != STORE_OK)
		return false;
	audit_committed(audit);
	for (size_t i = 0; i < receipt->n_path; i++)
		memcpy(path[i].bytes, receipt->path[i].data, HASH_BYTES);
	// What libcpis checks of each reply, in its order.
	return receipt_verify(&verifier, receipt->index, receipt->salt.data, receipt->record.data, receipt->record.len, path,
			      receipt->n_path, receipt->checkpoint, strlen(receipt->checkpoint), &checkpoint) == CERTS_OK &&
	       checkpoint.size > RECORDS &&
	       client_growth_holds(&remembered.checkpoint, &checkpoint, receipt->n_growth, receipt->growth);
}

static bool live_client_finds(void)
{
	char store_detail[STORE_DETAIL_BYTES], detail[AUDIT_DETAIL_BYTES];
	struct store *store = NULL;
	struct audit_log *audit = NULL;
	struct arena arena;
	ck_assert_int_eq(store_sqlite_open(copy, &store, store_detail), STORE_OK);
	ck_assert(arena_init(&arena, ARENA_BYTES));
	struct audit_options options = {.store = store, .vault = maker.vault, .key = maker.key, .origin = LOG_MAKER_ORIGIN,
					.broker_name = "bench", .batch_max = 1};
	bool found = !audit_open(&options, &audit, detail) || !goes_on(audit, &arena, store->ops, store);
	audit_free(audit);
	store->ops->close(store);
	arena_done(&arena);
	return found;
}

// The command itself, now and then: it must say what the library call says. Where that finds nothing the command may still find that
// the search index is not the records': whoever edits both with care makes the index anew as well.
static void assert_command_says(bool found)
{
	char command[400], said[100];
	const char *build = getenv("BUILD");
	snprintf(command, sizeof command, "%s/cpis audit verify --database %s --log-key %s/log.vkey >%s/said 2>&1",
		 build != NULL ? build : "build", copy, directory, directory);
	int code = system(command);
	if (!found && WEXITSTATUS(code) == 4) {
		snprintf(said, sizeof said, "%s/said", directory);
		char *text = world_read_file(said, NULL);
		ck_assert_msg(strstr(text, "the search index") != NULL, "%s", text);
		free(text);
		return;
	}
	ck_assert_int_eq(WEXITSTATUS(code), found ? 4 : 0);
}

// ------------------------------------------------------------------ the table

static bool wanted(enum log_edit_found expected, uint64_t index, uint64_t below)
{
	return expected == FOUND_ALWAYS || (expected == FOUND_IF_BELOW && index < below);
}

static void assert_found(const struct log_edit *edit, uint64_t index, const struct log_kept *kept, bool should, const char *who)
{
	struct log_result result;
	enum log_status status = log_file_verify(copy, &verifier, kept, kept == NULL ? 0 : 1, NULL, &result);
	ck_assert_msg(status == (should ? LOG_BROKEN : LOG_HOLDS), "%s at record %llu: %s says: %s", edit->name,
		      (unsigned long long)index, who, status == LOG_HOLDS ? "it holds" : result.detail);
	if (!should)
		return;
	ck_assert_msg(result.has_bad_index == edit->named && (!edit->named || result.bad_index == index),
		      "%s at record %llu: %s says: %s", edit->name, (unsigned long long)index, who, result.detail);
}

static uint64_t below(uint64_t bound)
{
	return world_random((uint32_t)bound);
}

static void try_edit(const struct log_edit *edit, bool command)
{
	struct log_victim victim = {.path = copy, .records = RECORDS, .key = maker.key, .older = older, .older_sizes = older_sizes,
				    .older_count = OLDER, .below = below};
	copy_file(original, copy);
	uint64_t index = edit->run(&victim);
	assert_found(edit, index, NULL, wanted(edit->alone, index, 0), "verify");
	assert_found(edit, index, &remembered, wanted(edit->kept, index, RECORDS), "verify with the client's checkpoint");
	assert_found(edit, index, &cosigned, wanted(edit->kept, index, COSIGNED) || edit->alone == FOUND_ALWAYS,
		     "verify with the witness's checkpoint");
	if (command)
		assert_command_says(edit->alone == FOUND_ALWAYS);
	bool live = live_client_finds();
	if (edit->live != FOUND_BY_CHANCE)
		ck_assert_msg(live == (edit->live == FOUND_ALWAYS), "%s at record %llu: a live client %s", edit->name,
			      (unsigned long long)index, live ? "finds it" : "does not find it");
}

static const char *word(enum log_edit_found found)
{
	static const char *const words[] = {[FOUND_NOT] = "no", [FOUND_ALWAYS] = "yes", [FOUND_IF_BELOW] = "yes, of what it covers",
					    [FOUND_BY_CHANCE] = "by chance"};
	return words[found];
}

static void print_table(char *out, size_t out_bytes, const unsigned *edits)
{
	size_t used = (size_t)snprintf(out, out_bytes,
				       "| edit | times | verify alone | with a client's checkpoint | with a witness's checkpoint |"
				       " live client | first bad record |\n| --- | --- | --- | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < log_edit_count; i++) {
		const struct log_edit *edit = &log_edits[i];
		// The client's checkpoint is of the whole log: nothing comes after it.
		used += (size_t)snprintf(out + used, out_bytes - used, "| %s | %u | %s | %s | %s | %s | %s |\n", edit->name, edits[i],
					 word(edit->alone), word(edit->kept == FOUND_IF_BELOW ? FOUND_ALWAYS : edit->kept),
					 word(edit->kept), word(edit->live), edit->named ? "named" : "not named");
		ck_assert_uint_lt(used, out_bytes);
	}
}

START_TEST(each_of_a_thousand_edits_is_found_by_whom_the_table_says)
{
	static char table[8000];
	unsigned edits[64] = {0};
	ck_assert_uint_le(log_edit_count, 64);
	copy_file(original, copy);
	ck_assert(!live_client_finds());
	for (unsigned i = 0; i < EDITS; i++) {
		try_edit(&log_edits[i % log_edit_count], i % 50 == 0);
		edits[i % log_edit_count]++;
	}
	print_table(table, sizeof table, edits);
	fputs(table, stdout);
	fflush(stdout);
	char *readme = world_read_file("tests/README.md", NULL);
	ck_assert_msg(strstr(readme, table) != NULL, "tests/README.md has another table than the one printed above");
	free(readme);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tamper_table");
	TCase *tests = tcase_create("tamper_table");
	tcase_set_timeout(tests, 900);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_of_a_thousand_edits_is_found_by_whom_the_table_says);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
