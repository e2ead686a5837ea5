// A broker's database as `cpis audit verify` and `cpis audit prove` read it: rows changed by SQL, with the hashes and the signature put
// right again or not, as somebody would who has the file, or the log's key too; and the file's own bytes changed.
#include <string.h>

#include <sqlite3.h>

#include "clients/cli/log_file.h"
#include "clients/cli/log_index.h"
#include "clients/cli/log_prove.h"
#include "proto/text.h"
#include "tests/fuzz/log_base.h"
#include "tests/fuzz/maker.h"

static struct log_base bases[2];
static struct arena made;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	log_base_make(&bases[0], "small.db", 5);
	log_base_make(&bases[1], "large.db", 40);
	FUZZ_MUST(arena_init(&made, ARENA_BYTES));
	return 0;
}

// ------------------------------------------------------------------ changes by SQL

static void run(sqlite3 *database, const char *sql, uint64_t number, const void *blob, size_t bytes, int type)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)number);
		if (type == SQLITE_BLOB)
			sqlite3_bind_blob(statement, 2, blob, (int)bytes, SQLITE_STATIC);
		else if (type == SQLITE_TEXT)
			sqlite3_bind_text(statement, 2, blob, (int)bytes, SQLITE_STATIC);
		else if (type == SQLITE_INTEGER)
			sqlite3_bind_int64(statement, 2, (sqlite3_int64)bytes);
		sqlite3_step(statement);
	}
	sqlite3_finalize(statement);
}

// As the broker would have written these records. What cannot be a row's stays.
static void repair(sqlite3 *database, bool sign, bool but_the_last)
{
	sqlite3_stmt *rows = NULL, *update = NULL;
	struct merkle_tree tree = {0}, shorter = {0};
	struct merkle_hash leaf, root, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	char note[NOTE_BYTES_MAX + 1];
	if (sqlite3_prepare_v2(database, "SELECT idx, salt, record FROM audit ORDER BY idx", -1, &rows, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(database, "UPDATE audit SET nodes = ?2 WHERE idx = ?1", -1, &update, NULL) == SQLITE_OK)
		while (sqlite3_step(rows) == SQLITE_ROW) {
			if (sqlite3_column_bytes(rows, 1) != MERKLE_SALT_BYTES || sqlite3_column_type(rows, 2) == SQLITE_NULL)
				continue;
			const void *record = sqlite3_column_blob(rows, 2);
			merkle_leaf(sqlite3_column_blob(rows, 1), record, (size_t)sqlite3_column_bytes(rows, 2), &leaf);
			shorter = tree;
			merkle_append(&tree, &leaf, nodes, &count);
			sqlite3_bind_int64(update, 1, sqlite3_column_int64(rows, 0));
			sqlite3_bind_blob(update, 2, nodes, (int)(count * sizeof nodes[0]), SQLITE_STATIC);
			sqlite3_step(update);
			sqlite3_reset(update);
		}
	sqlite3_finalize(rows);
	sqlite3_finalize(update);
	merkle_root(but_the_last ? &shorter : &tree, &root);
	log_base_sign(but_the_last ? shorter.size : tree.size, &root, note);
	if (sign)
		run(database, "UPDATE checkpoint SET note = ?2 WHERE id = 1 AND ?1 = 0", 0, note, strlen(note), SQLITE_TEXT);
}

static void change_record(struct fuzz_input *input, sqlite3 *database, uint64_t index)
{
	uint8_t packed[512], how = fuzz_byte(input);
	size_t bytes;
	if (how % 2 == 0) {
		bytes = log_base_record(how % 4 == 0 ? index : index + how, how / 4, packed);
		run(database, "UPDATE audit SET record = ?2 WHERE idx = ?1", index, packed, bytes, SQLITE_BLOB);
		return;
	}
	arena_reset(&made);
	struct maker maker = {.input = input, .arena = &made, .now_ms = LOG_BASE_NOW_MS};
	ProtobufCMessage *record = maker_message(&maker, &cpis__v1__audit_record__descriptor);
	const uint8_t *data = record == NULL ? NULL : wire_pack(&made, record, &bytes);
	if (data != NULL)
		run(database, "UPDATE audit SET record = ?2 WHERE idx = ?1", index, data, bytes, SQLITE_BLOB);
}

static void change_row(struct fuzz_input *input, sqlite3 *database, uint64_t index)
{
	static const char *const columns[] = {
		"UPDATE audit SET organisation = ?2 WHERE idx = ?1", "UPDATE audit SET salt = ?2 WHERE idx = ?1",
		"UPDATE audit SET record = ?2 WHERE idx = ?1",	     "UPDATE audit SET nodes = ?2 WHERE idx = ?1",
		"UPDATE audit SET time_ms = ?2 WHERE idx = ?1",	     "UPDATE audit SET subject = ?2 WHERE idx = ?1",
		"UPDATE audit SET person = ?2 WHERE idx = ?1",	     "UPDATE audit SET idx = ?2 WHERE idx = ?1",
		"UPDATE checkpoint SET note = ?2 WHERE id > 0 * ?1", "UPDATE audit_indexed SET next = ?2 WHERE id > 0 * ?1",
		"UPDATE audit_block SET min_ms = ?2 WHERE block = ?1", "UPDATE audit_block SET max_ms = ?2 WHERE block = ?1",
		"UPDATE audit_block SET block = ?2 WHERE block = ?1",
	};
	static const int types[] = {SQLITE_BLOB, SQLITE_TEXT, SQLITE_INTEGER, SQLITE_NULL};
	size_t which = fuzz_byte(input) % (sizeof columns / sizeof columns[0]), bytes;
	int type = types[fuzz_byte(input) % 4];
	if (type == SQLITE_INTEGER) {
		run(database, columns[which], index, NULL, (size_t)fuzz_number(input, 8), type);
		return;
	}
	const uint8_t *raw = fuzz_take(input, fuzz_byte(input), &bytes);
	run(database, columns[which], index, raw, bytes, type);
}

static void change_table(struct fuzz_input *input, sqlite3 *database, uint64_t index)
{
	static const char *const texts[] = {
		"DELETE FROM audit WHERE idx = ?1", "DELETE FROM audit WHERE idx >= ?1", "DELETE FROM checkpoint WHERE id > 0 * ?1",
		"DELETE FROM audit_indexed WHERE id > 0 * ?1", "DELETE FROM audit_block WHERE block >= 0 * ?1",
		"INSERT INTO audit_word (rowid, words) VALUES (?1, 'oxyz s00')", "INSERT INTO audit_block VALUES (?1 + 1, 1, 2, 2, 1)",
		"DROP TABLE audit_word", "DROP TABLE audit_block", "DROP TABLE audit_indexed", "DROP TABLE checkpoint", "DROP TABLE audit",
		"DELETE FROM audit_word_data WHERE id > 10 - 0 * ?1", "UPDATE audit_word_data SET block = x'00' WHERE id = ?1",
		"INSERT INTO audit SELECT -1, salt, record, nodes, time_ms, organisation, subject, person FROM audit WHERE idx = ?1",
		"INSERT INTO audit SELECT 9223372036854775807, salt, record, nodes, time_ms, organisation, subject, person FROM audit WHERE idx = ?1",
	};
	run(database, texts[fuzz_byte(input) % (sizeof texts / sizeof texts[0])], index, NULL, 0, SQLITE_NULL);
}

static void change_by_sql(struct fuzz_input *input, const struct log_base *base)
{
	sqlite3 *database = NULL;
	FUZZ_MUST(sqlite3_open(base->path, &database) == SQLITE_OK);
	sqlite3_exec(database, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN", NULL, NULL, NULL);
	for (uint8_t what; (what = fuzz_byte(input)) != 0;) {
		uint64_t index = fuzz_byte(input) % (base->records + 1);
		if (what % 5 == 1)
			change_row(input, database, index);
		else if (what % 5 == 2)
			change_record(input, database, index);
		else if (what % 5 == 3)
			repair(database, (what & 8) != 0, (what & 16) != 0);
		else
			change_table(input, database, index);
	}
	sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(database);
}

static void change_bytes(struct fuzz_input *input, const struct log_base *base)
{
	uint8_t *image = malloc(base->image_bytes);
	FUZZ_MUST(image != NULL);
	memcpy(image, base->image, base->image_bytes);
	while (fuzz_left(input) >= 4) {
		size_t at = (size_t)fuzz_number(input, 3) % base->image_bytes;
		image[at] = (uint8_t)(image[at] ^ fuzz_byte(input));
	}
	fuzz_write(base->path, image, base->image_bytes);
	free(image);
}

// ------------------------------------------------------------------ readers

static void check_detail(const char *detail)
{
	FUZZ_MUST(detail[0] != '\0' && strnlen(detail, LOG_DETAIL_BYTES) < LOG_DETAIL_BYTES);
}

static void check(const struct log_base *base, uint64_t index)
{
	char note[NOTE_BYTES_MAX + 1], detail[LOG_DETAIL_BYTES] = "";
	struct log_kept kept = {.path = "kept", .checkpoint = {.origin = LOG_BASE_ORIGIN, .size = 2}};
	struct log_result result, again;
	struct tlog_proof proof = {0};
	struct checkpoint checkpoint;
	bool found = false;
	log_base_sign(2, &kept.checkpoint.root, note);
	enum log_status status = log_file_verify(base->path, log_base_verifier(), NULL, 0, NULL, &result);
	enum log_status with_kept = log_file_verify(base->path, log_base_verifier(), &kept, 1, NULL, &again);
	// Nobody has a log whose second root is zeros.
	FUZZ_MUST(with_kept != LOG_HOLDS && (status != LOG_HOLDS || with_kept == LOG_BROKEN));
	if (status != LOG_HOLDS)
		check_detail(result.detail);
	if (log_index_verify(base->path, &again) != LOG_HOLDS)
		check_detail(again.detail);
	struct log_database *database = log_database_open(base->path, detail);
	if (database == NULL) {
		check_detail(detail);
		FUZZ_MUST(status == LOG_UNREADABLE);
		return;
	}
	enum log_status proven = log_prove(database, log_base_verifier(), index, &proof, &found, detail);
	// What verifies as a whole is proven record by record.
	FUZZ_MUST(status != LOG_HOLDS || (proven == LOG_HOLDS && found == (index < result.records)));
	if (proven == LOG_HOLDS && found)
		FUZZ_MUST(tlog_proof_verify(&proof, log_base_verifier(), &checkpoint) == CERTS_OK);
	free(proof.record);
	log_database_close(database);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	uint8_t how = fuzz_byte(&input);
	uint64_t index = fuzz_byte(&input) % 44;
	const struct log_base *base = &bases[how / 4 % 2];
	if (how % 4 == 3) {
		change_bytes(&input, base);
	} else {
		log_base_restore(base);
		change_by_sql(&input, base);
	}
	check(base, index);
	return 0;
}
