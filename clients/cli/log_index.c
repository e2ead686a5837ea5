// The search index against the rows. Both sides are added up without regard to order: a hash of each word and its row's number,
// under a key that is drawn for this run, so that nobody can have chosen words whose sums agree.
#include "clients/cli/log_index.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "clients/cli/log_database_priv.h"
#include "proto/limits.h"
#include "proto/ods_code.h"

#define BLOCK_ROWS 1024
#define WORD_BYTES_MAX 40
#define STATEMENTS 4
#define MADE_ANEW "; `cpis-broker --rebuild-search CONFIG` makes it anew from the records"

struct sum {
	uint64_t low, high, count;
};

struct comparing {
	sqlite3 *handle;
	uint8_t key[MERKLE_SALT_BYTES];
	struct sum rows, words;
	sqlite3_int64 next;      // rows before it are in the index
	struct log_result *result;
};

static enum log_status unreadable(struct comparing *comparing)
{
	snprintf(comparing->result->detail, sizeof comparing->result->detail, "the search index: %.200s",
		 sqlite3_errmsg(comparing->handle));
	return LOG_UNREADABLE;
}

static void add(struct comparing *comparing, struct sum *sum, const char *word, size_t bytes, sqlite3_int64 number)
{
	uint8_t message[WORD_BYTES_MAX + 8];
	struct merkle_hash hash;
	uint64_t halves[2];
	// A longer one is none of ours; what it begins with would do to tell it from all of ours.
	bytes = bytes > WORD_BYTES_MAX ? WORD_BYTES_MAX : bytes;
	memcpy(message, word, bytes);
	memcpy(message + bytes, &number, sizeof number);
	merkle_commitment(comparing->key, message, bytes + sizeof number, &hash);
	memcpy(halves, hash.bytes, sizeof halves);
	sum->low += halves[0];
	sum->high += halves[1];
	sum->count++;
}

// ------------------------------------------------------------------ the rows

static void add_tag(struct comparing *comparing, char kind, sqlite3_stmt *row, int column, sqlite3_int64 number)
{
	char word[1 + 2 * TAG_BYTES + 1] = {kind};
	const uint8_t *tag = sqlite3_column_blob(row, column);
	if (tag == NULL || sqlite3_column_bytes(row, column) != TAG_BYTES)
		return;
	for (size_t i = 0; i < TAG_BYTES; i++)
		snprintf(word + 1 + 2 * i, 3, "%02x", tag[i]);
	add(comparing, &comparing->rows, word, sizeof word - 1, number);
}

static void add_row(struct comparing *comparing, sqlite3_stmt *row)
{
	char word[1 + ODS_CODE_BYTES_MAX] = {'o'};
	sqlite3_int64 number = sqlite3_column_int64(row, 0);
	const char *organisation = (const char *)sqlite3_column_text(row, 4);
	int bytes = sqlite3_column_bytes(row, 4);
	add_tag(comparing, 's', row, 2, number);
	add_tag(comparing, 'p', row, 3, number);
	if (organisation == NULL || bytes <= 0 || bytes > (int)ODS_CODE_BYTES_MAX)
		return;
	// The index folds case.
	for (int i = 0; i < bytes; i++)
		word[1 + i] = organisation[i] >= 'A' && organisation[i] <= 'Z' ? (char)(organisation[i] - 'A' + 'a') : organisation[i];
	add(comparing, &comparing->rows, word, 1 + (size_t)bytes, number);
}

struct block {
	sqlite3_int64 number, min_ms, max_ms;
	bool open;
};

// False: the table has something else.
static bool end_block(struct block *block, sqlite3_stmt *stored)
{
	if (!block->open)
		return true;
	block->open = false;
	return sqlite3_step(stored) == SQLITE_ROW && sqlite3_column_int64(stored, 0) == block->number &&
	       sqlite3_column_int64(stored, 1) == block->min_ms && sqlite3_column_int64(stored, 2) == block->max_ms;
}

static bool note_time(struct block *block, sqlite3_stmt *row, sqlite3_stmt *stored)
{
	sqlite3_int64 number = sqlite3_column_int64(row, 0) / BLOCK_ROWS, time_ms = sqlite3_column_int64(row, 1);
	if (block->open && block->number != number && !end_block(block, stored))
		return false;
	if (!block->open)
		*block = (struct block){number, time_ms, time_ms, true};
	block->min_ms = time_ms < block->min_ms ? time_ms : block->min_ms;
	block->max_ms = time_ms > block->max_ms ? time_ms : block->max_ms;
	return true;
}

static enum log_status times_differ(struct comparing *comparing)
{
	return log_broken(comparing->result, "the search index does not have the records' times: searches may miss some" MADE_ANEW);
}

static enum log_status walk_rows(struct comparing *comparing, sqlite3_stmt *rows, sqlite3_stmt *stored)
{
	struct block block = {.open = false};
	bool right = sqlite3_bind_int64(rows, 1, comparing->next) == SQLITE_OK;
	int step = sqlite3_step(rows);
	for (; step == SQLITE_ROW && right; step = sqlite3_step(rows)) {
		add_row(comparing, rows);
		right = note_time(&block, rows, stored);
	}
	if (right && step != SQLITE_DONE)
		return unreadable(comparing);
	if (!right || !end_block(&block, stored) || sqlite3_step(stored) != SQLITE_DONE)
		return times_differ(comparing);
	return LOG_HOLDS;
}

// What is the greatest up to a block and the least from it on, when the blocks' own are right.
static enum log_status count_wrong(struct comparing *comparing, sqlite3_stmt *wrong)
{
	if (sqlite3_step(wrong) != SQLITE_ROW)
		return unreadable(comparing);
	return sqlite3_column_int64(wrong, 0) == 0 ? LOG_HOLDS : times_differ(comparing);
}

// ------------------------------------------------------------------ the index

static enum log_status walk_words(struct comparing *comparing, sqlite3_stmt *words)
{
	int step = sqlite3_step(words);
	for (; step == SQLITE_ROW; step = sqlite3_step(words)) {
		const char *word = (const char *)sqlite3_column_text(words, 0);
		if (word == NULL)
			return unreadable(comparing);
		add(comparing, &comparing->words, word, (size_t)sqlite3_column_bytes(words, 0), sqlite3_column_int64(words, 1));
	}
	if (step == SQLITE_CORRUPT || step == SQLITE_CORRUPT_VTAB)
		return log_broken(comparing->result, "the search index is damaged" MADE_ANEW);
	if (step != SQLITE_DONE)
		return unreadable(comparing);
	if (memcmp(&comparing->words, &comparing->rows, sizeof comparing->rows) != 0)
		return log_broken(comparing->result,
				  "the search index has %llu words and the records %llu, or not the same: searches may miss some" MADE_ANEW,
				  (unsigned long long)comparing->words.count, (unsigned long long)comparing->rows.count);
	return LOG_HOLDS;
}

static enum log_status read_next(struct comparing *comparing, bool *ret_found)
{
	sqlite3_stmt *statement = NULL;
	*ret_found = false;
	if (sqlite3_prepare_v2(comparing->handle, "SELECT count(*) FROM sqlite_master WHERE name = 'audit_indexed'", -1, &statement,
			       NULL) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW) {
		sqlite3_finalize(statement);
		return unreadable(comparing);
	}
	bool there = sqlite3_column_int64(statement, 0) > 0;
	sqlite3_finalize(statement);
	if (!there)
		return LOG_HOLDS;
	statement = NULL;
	int step = sqlite3_prepare_v2(comparing->handle,
				      "SELECT next, (SELECT coalesce(max(idx) + 1, 0) FROM audit) FROM audit_indexed WHERE id = 1", -1,
				      &statement, NULL) == SQLITE_OK
			   ? sqlite3_step(statement)
			   : SQLITE_ERROR;
	comparing->next = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
	// Rows that have not been taken in yet are, before anything is searched; rows that are not there never are.
	bool right = comparing->next >= 0 && comparing->next <= (step == SQLITE_ROW ? sqlite3_column_int64(statement, 1) : -1);
	sqlite3_finalize(statement);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return unreadable(comparing);
	*ret_found = true;
	return right ? LOG_HOLDS : log_broken(comparing->result, "the search index is ahead of the records" MADE_ANEW);
}

static enum log_status compare(struct comparing *comparing)
{
	static const char *const texts[] = {
		"SELECT idx, time_ms, subject, person, organisation FROM audit WHERE idx < ?1 ORDER BY idx",
		"SELECT block, min_ms, max_ms FROM audit_block ORDER BY block",
		"SELECT term, doc FROM temp.audit_vocabulary",
		("SELECT count(*) FROM (SELECT peak_ms, floor_ms, max(max_ms) OVER (ORDER BY block) AS peak,"
		 " min(min_ms) OVER (ORDER BY block DESC) AS floor FROM audit_block) WHERE peak_ms <> peak OR floor_ms <> floor"),
	};
	sqlite3_stmt *statements[STATEMENTS] = {NULL};
	bool found = false;
	enum log_status status = read_next(comparing, &found);
	if (status != LOG_HOLDS || !found)
		return status;
	bool prepared = sqlite3_exec(comparing->handle,
				     "CREATE VIRTUAL TABLE temp.audit_vocabulary USING fts5vocab (main, audit_word, instance)", NULL,
				     NULL, NULL) == SQLITE_OK;
	for (size_t i = 0; i < STATEMENTS && prepared; i++)
		prepared = sqlite3_prepare_v2(comparing->handle, texts[i], -1, &statements[i], NULL) == SQLITE_OK;
	status = prepared ? walk_rows(comparing, statements[0], statements[1]) : unreadable(comparing);
	if (status == LOG_HOLDS)
		status = count_wrong(comparing, statements[3]);
	if (status == LOG_HOLDS)
		status = walk_words(comparing, statements[2]);
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(statements[i]);
	return status;
}

// A PostgreSQL has no words: its indexes are the server's own, and their columns have been compared with the records.
static enum log_status compare_blocks(struct log_database *database, struct log_result *ret)
{
	uint64_t wrong;
	if (!log_database_wrong_blocks(database, &wrong)) {
		log_database_detail(database, ret->detail);
		return LOG_UNREADABLE;
	}
	return wrong == 0 ? LOG_HOLDS
			  : log_broken(ret, "audit_block does not have the records' times in %llu blocks: searches may miss some",
				       (unsigned long long)wrong);
}

enum log_status log_index_verify_open(struct log_database *database, struct log_result *ret)
{
	struct comparing comparing = {.result = ret};
	if (database->ops->is_postgres)
		return compare_blocks(database, ret);
	comparing.handle = log_database_handle(database);
	if (getrandom(comparing.key, sizeof comparing.key, 0) == sizeof comparing.key)
		return compare(&comparing);
	snprintf(ret->detail, sizeof ret->detail, "the kernel gives no random bytes");
	return LOG_UNREADABLE;
}

enum log_status log_index_verify(const char *path, struct log_result *ret)
{
	struct log_database *database = log_database_open(path, ret->detail);
	enum log_status status = database == NULL ? LOG_UNREADABLE : log_index_verify_open(database, ret);
	log_database_close(database);
	return status;
}
