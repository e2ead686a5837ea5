// SQLite backend: finding rows of the audit log by child, member of staff, organisation and time.
//
// Indices over random tags cost a page for each row that is written. So rows are put into a full-text index instead (FTS5: sorted
// segments that are merged as they grow), a thousand at a time; before anything is searched it is brought up to the last
// row. A row's words: s and the subject's tag in hexadecimal, p and the person's, o and the organisation.
//
// Times need not go up with the numbers, because clocks are set back: the times of each block of rows bound where to look
// (store_blocks.h), and each row's own time decides. An index over either finds the first and the last block of a time span.
#include <stdio.h>
#include <string.h>

#include "broker/store_blocks.h"
#include "broker/store_sqlite_priv.h"

#define INDEX_ROWS 1024u
#define KEEP_UP_TIMES 16u // in one commit: what was left behind is caught up with, and nobody waits for all of it
#define WORD_BYTES (1 + 2 * TAG_BYTES)
#define QUERY_TAGS_MAX 2048u

bool sqlite_prepare_searches(struct sqlite_store *store)
{
	static const char *const from[] = {
		"audit AS a WHERE a.idx >= ?1 AND a.idx < ?2",
		"audit_word AS w CROSS JOIN audit AS a ON a.idx = w.rowid WHERE audit_word MATCH ?6 AND w.rowid >= ?1 AND w.rowid < ?2",
	};
	static const char *const number[] = {"a.idx", "w.rowid"};
	_Static_assert(SEARCH_STATEMENTS == 4, "all and by words, in both orders");
	for (int i = 0; i < SEARCH_STATEMENTS; i++) {
		char sql[500];
		snprintf(sql, sizeof sql,
			 "SELECT a.idx, a.salt, a.record, NULL, a.time_ms, a.organisation, a.subject, a.person FROM %s"
			 " AND a.time_ms >= ?3 AND a.time_ms < ?4 ORDER BY %s %s LIMIT ?5",
			 from[i / 2], number[i / 2], i % 2 == 1 ? "ASC" : "DESC");
		if (sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &store->searches[i], NULL) !=
		    SQLITE_OK)
			return false;
	}
	return true;
}

// ------------------------------------------------------------------ keeping it up to date

static char *write_tag_word(char *out, char kind, const uint8_t *tag)
{
	static const char digits[] = "0123456789abcdef";
	*out++ = kind;
	for (size_t i = 0; i < TAG_BYTES; i++) {
		*out++ = digits[tag[i] >> 4];
		*out++ = digits[tag[i] & 15];
	}
	return out;
}

static char *write_organisation_word(char *out, const char *organisation, size_t bytes)
{
	*out++ = 'o';
	memcpy(out, organisation, bytes);
	return out + bytes;
}

// The words of the row that `rows` is at.
static size_t write_words(sqlite3_stmt *rows, char out[2 * (WORD_BYTES + 1) + 1 + ODS_CODE_BYTES_MAX])
{
	char *at = out;
	const void *subject = sqlite3_column_blob(rows, 2), *person = sqlite3_column_blob(rows, 3);
	const char *organisation = (const char *)sqlite3_column_text(rows, 4);
	int bytes = sqlite3_column_bytes(rows, 4);
	if (subject != NULL && sqlite3_column_bytes(rows, 2) == TAG_BYTES) {
		at = write_tag_word(at, 's', subject);
		*at++ = ' ';
	}
	if (person != NULL && sqlite3_column_bytes(rows, 3) == TAG_BYTES) {
		at = write_tag_word(at, 'p', person);
		*at++ = ' ';
	}
	if (organisation != NULL && bytes > 0 && bytes <= (int)ODS_CODE_BYTES_MAX)
		at = write_organisation_word(at, organisation, (size_t)bytes);
	return (size_t)(at - out);
}

struct span {
	sqlite3_int64 block, min_ms, max_ms;
	bool open;
};

static bool end_span(struct sqlite_store *store, struct span *span)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_BLOCK_PUT];
	if (!span->open)
		return true;
	span->open = false;
	int bound = sqlite3_bind_int64(statement, 1, span->block) | sqlite3_bind_int64(statement, 2, span->min_ms) |
		    sqlite3_bind_int64(statement, 3, span->max_ms);
	if (sqlite_run(store, statement, bound, "audit_block") != STORE_OK)
		return false;
	// Only after a clock was set back are there any before it with a later one.
	statement = store->statements[STATEMENT_AUDIT_BLOCK_LOWER];
	bound = sqlite3_bind_int64(statement, 1, span->block) | sqlite3_bind_int64(statement, 2, span->min_ms);
	return sqlite_run(store, statement, bound, "audit_block") == STORE_OK;
}

static bool note_time(struct sqlite_store *store, struct span *span, sqlite3_int64 index, sqlite3_int64 time_ms)
{
	sqlite3_int64 block = index / (sqlite3_int64)STORE_BLOCK_ROWS;
	if (span->open && span->block != block && !end_span(store, span))
		return false;
	if (!span->open)
		*span = (struct span){block, time_ms, time_ms, true};
	span->min_ms = time_ms < span->min_ms ? time_ms : span->min_ms;
	span->max_ms = time_ms > span->max_ms ? time_ms : span->max_ms;
	return true;
}

static bool index_row(struct sqlite_store *store, sqlite3_stmt *rows, struct span *span)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_WORD_PUT];
	char words[2 * (WORD_BYTES + 1) + 1 + ODS_CODE_BYTES_MAX];
	sqlite3_int64 index = sqlite3_column_int64(rows, 0);
	size_t bytes = write_words(rows, words);
	if (!note_time(store, span, index, sqlite3_column_int64(rows, 1)))
		return false;
	if (bytes == 0)
		return true;
	int bound = sqlite3_bind_int64(statement, 1, index) |
		    sqlite3_bind_text(statement, 2, words, (int)bytes, SQLITE_STATIC);
	return sqlite_run(store, statement, bound, "audit_word") == STORE_OK;
}

// Rows from `store->indexed_next` on, INDEX_ROWS at most.
static bool index_some(struct sqlite_store *store)
{
	sqlite3_stmt *rows = store->statements[STATEMENT_AUDIT_TO_INDEX];
	struct span span = {.open = false};
	uint64_t next = store->indexed_next;
	int step = sqlite_bind_u64(rows, 1, next) | sqlite_bind_u64(rows, 2, INDEX_ROWS);
	step = step == SQLITE_OK ? sqlite3_step(rows) : SQLITE_ERROR;
	for (; step == SQLITE_ROW; step = sqlite3_step(rows), next++)
		if (!index_row(store, rows, &span))
			break;
	sqlite3_reset(rows);
	if (step != SQLITE_DONE) {
		enum store_status failed = sqlite_store_fail(store, "audit_to_index", NULL);
		return failed == STORE_OK;
	}
	sqlite3_stmt *mark = store->statements[STATEMENT_AUDIT_INDEXED_PUT];
	if (!end_span(store, &span) || sqlite_run(store, mark, sqlite_bind_u64(mark, 1, next), "audit_indexed") != STORE_OK)
		return false;
	store->indexed_next = next;
	return true;
}

// How far the index and the table have got, in this batch.
static bool count_rows(struct sqlite_store *store)
{
	if (store->audit_counted && store->indexed_counted)
		return true;
	if (sqlite_audit_size(&store->base, &store->audit_next) != STORE_OK ||
	    sqlite_get(store, store->statements[STATEMENT_AUDIT_INDEXED_GET], SQLITE_OK, sqlite_read_u64, sizeof store->indexed_next,
		       NULL, &store->indexed_next, "audit_indexed") != STORE_OK)
		return false;
	store->audit_counted = store->indexed_counted = true;
	return true;
}

bool sqlite_search_keep_up(struct sqlite_store *store)
{
	// Most batches have appended; one that has not need not look.
	if (!store->audit_counted)
		return true;
	if (!count_rows(store))
		return false;
	for (unsigned i = 0; i < KEEP_UP_TIMES && store->audit_next - store->indexed_next >= INDEX_ROWS; i++)
		if (!index_some(store))
			return false;
	return true;
}

// Outside of a batch only what is missing makes one.
static bool index_all(struct sqlite_store *store)
{
	bool own = !store->begun;
	if (!count_rows(store))
		return false;
	if (store->indexed_next == store->audit_next)
		return true;
	if (own && store->base.ops->begin(&store->base) != STORE_OK)
		return false;
	bool done = true;
	while (done && store->indexed_next < store->audit_next)
		done = index_some(store);
	if (own && (!done || store->base.ops->commit(&store->base) != STORE_OK)) {
		store->base.ops->rollback(&store->base);
		return false;
	}
	return done;
}

static bool empty(struct sqlite_store *store)
{
	store->indexed_counted = false;
	return sqlite3_exec(store->database,
			    "INSERT INTO audit_word (audit_word) VALUES ('delete-all'); DELETE FROM audit_block;"
			    "INSERT OR REPLACE INTO audit_indexed (id, next) VALUES (1, 0)",
			    NULL, NULL, NULL) == SQLITE_OK;
}

enum store_status store_sqlite_rebuild_search(const char *path, char detail[STORE_DETAIL_BYTES])
{
	struct store *base = NULL;
	if (store_sqlite_open(path, &base, detail) != STORE_OK)
		return STORE_FAILED;
	struct sqlite_store *store = sqlite_store_of(base);
	bool done = base->ops->begin(base) == STORE_OK && empty(store) && index_all(store) && base->ops->commit(base) == STORE_OK;
	if (!done)
		snprintf(detail, STORE_DETAIL_BYTES, "%.100s: %.90s", path, sqlite3_errmsg(store->database));
	base->ops->close(base);
	return done ? STORE_OK : STORE_FAILED;
}

// ------------------------------------------------------------------ searching

static enum store_status find_block(struct store *base, enum store_blocks_end end, uint64_t time_ms, uint64_t *ret_block)
{
	struct sqlite_store *store = sqlite_store_of(base);
	sqlite3_stmt *statement =
		store->statements[end == STORE_BLOCKS_FIRST ? STATEMENT_AUDIT_BLOCK_FIRST : STATEMENT_AUDIT_BLOCK_LAST];
	return sqlite_get(store, statement, sqlite_bind_u64(statement, 1, time_ms), sqlite_read_u64, sizeof *ret_block, NULL, ret_block,
			  "audit_block");
}

// "(s0123.. OR s4567..)"
static char *write_any(char *at, char kind, const struct store_tag *tags, size_t count)
{
	*at++ = '(';
	for (size_t i = 0; i < count; i++) {
		at = i == 0 ? at : stpcpy(at, " OR ");
		at = write_tag_word(at, kind, tags[i].bytes);
	}
	*at++ = ')';
	return at;
}

// In the arena. NULL: it does not fit.
static const char *write_query(const struct store_audit_range *range, struct arena *arena)
{
	size_t room = (range->tag_count + range->person_count) * (WORD_BYTES + 4) + ODS_CODE_BYTES_MAX + 16;
	char *query = arena_alloc(arena, room), *at = query;
	if (query == NULL)
		return NULL;
	if (range->key == STORE_AUDIT_ORGANISATION)
		at = write_organisation_word(at, range->organisation.text, strlen(range->organisation.text));
	else
		at = write_any(at, range->key == STORE_AUDIT_SUBJECT ? 's' : 'p', range->tags, range->tag_count);
	if (range->key == STORE_AUDIT_SUBJECT && range->person_count > 0)
		at = write_any(stpcpy(at, " AND "), 'p', range->persons, range->person_count);
	*at = '\0';
	return query;
}

enum store_status sqlite_audit_search(struct store *base, const struct store_audit_range *range, struct arena *arena,
				      struct store_audit **ret, size_t *ret_count)
{
	struct sqlite_store *store = sqlite_store_of(base);
	bool all = range->key == STORE_AUDIT_ALL, tagged = !all && range->key != STORE_AUDIT_ORGANISATION;
	sqlite3_stmt *statement = store->searches[(all ? 0 : 2) + range->oldest_first];
	uint64_t from = store_bounded(range->from_index), until = store_bounded(range->until_index);
	const char *query = NULL;
	if (!index_all(store) || !store_blocks_narrow(base, find_block, range, &from, &until))
		return STORE_FAILED;
	if (from >= until || (tagged && range->tag_count == 0)) {
		*ret = NULL;
		*ret_count = 0;
		return STORE_OK;
	}
	if (range->tag_count + range->person_count > QUERY_TAGS_MAX)
		return STORE_NO_MEMORY;
	if (!all && (query = write_query(range, arena)) == NULL)
		return STORE_NO_MEMORY;
	int bound = sqlite_bind_u64(statement, 1, from) | sqlite_bind_u64(statement, 2, until) |
		    sqlite_bind_u64(statement, 3, store_bounded(range->from_ms)) |
		    sqlite_bind_u64(statement, 4, store_bounded(range->until_ms)) | sqlite_bind_u64(statement, 5, range->limit) |
		    (all ? SQLITE_OK : sqlite3_bind_text(statement, 6, query, -1, SQLITE_STATIC));
	void *rows = NULL;
	enum store_status status = sqlite_list(store, statement, bound, sqlite_read_audit, sizeof **ret, arena, &rows,
					       ret_count, "audit_search");
	if (status == STORE_OK)
		*ret = rows;
	return status;
}
