// Verifying an audit log from SQLite's file. The tables are described in broker/README.md.
#include "clients/cli/log_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "certs/merkle.h"
#include "proto/arena.h"
#include "proto/audit_record.h"
#include "proto/limits.h"

#define PROGRESS_RECORDS 8192u

struct walk {
	const char *path;
	const struct note_verifier *verifier;
	const struct log_file_witness *witnesses;
	unsigned witness_count;
	sqlite3 *database;
	struct arena arena;
	struct merkle_tree tree;
	struct log_file_result *result;
};

static enum log_file_status unreadable(struct walk *walk, const char *what)
{
	snprintf(walk->result->detail, sizeof walk->result->detail, "%.120s: %.150s", walk->path, what);
	return LOG_FILE_UNREADABLE;
}

static enum log_file_status broken(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static enum log_file_status broken(struct walk *walk, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(walk->result->detail, sizeof walk->result->detail, format, arguments);
	va_end(arguments);
	return LOG_FILE_BROKEN;
}

// The first bad record is the one the walk stands at.
static enum log_file_status bad_record(struct walk *walk, const char *what)
{
	walk->result->has_bad_index = true;
	walk->result->bad_index = walk->tree.size;
	return broken(walk, "record %llu: %s", (unsigned long long)walk->tree.size, what);
}

// ------------------------------------------------------------------ one row

static bool blob_is(sqlite3_stmt *row, int column, ProtobufCBinaryData wanted)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return wanted.len == 0;
	int bytes = sqlite3_column_bytes(row, column);
	return wanted.len > 0 && (size_t)bytes == wanted.len &&
	       memcmp(sqlite3_column_blob(row, column), wanted.data, wanted.len) == 0;
}

static bool text_is(sqlite3_stmt *row, int column, const char *wanted)
{
	const char *text = (const char *)sqlite3_column_text(row, column);
	return text != NULL && strcmp(text, wanted) == 0;
}

// The columns beside the record are what searches go by: they must say what the record says.
static const char *compare_columns(sqlite3_stmt *row, const Cpis__V1__AuditRecord *record)
{
	if (record->index != (uint64_t)sqlite3_column_int64(row, 0))
		return "it carries another record's number";
	if (record->time_ms != (uint64_t)sqlite3_column_int64(row, 4))
		return "its time column differs from the record";
	if (!text_is(row, 5, record->organisation))
		return "its organisation column differs from the record";
	if (!blob_is(row, 6, record->subject_tag))
		return "its subject column differs from the record";
	if (!blob_is(row, 7, record->person_tag))
		return "its person column differs from the record";
	return NULL;
}

// Takes the row into `tree`; what is wrong with it, or NULL.
static const char *take_row(struct walk *walk, sqlite3_stmt *row, struct merkle_tree *tree)
{
	struct merkle_hash leaf, nodes[MERKLE_HEIGHT_MAX + 1];
	size_t node_count = 0;
	struct wire_error error;
	Cpis__V1__AuditRecord *record = NULL;
	const uint8_t *salt = sqlite3_column_blob(row, 1), *bytes = sqlite3_column_blob(row, 2);
	int salt_bytes = sqlite3_column_bytes(row, 1), record_bytes = sqlite3_column_bytes(row, 2);
	if (salt == NULL || salt_bytes != SALT_BYTES || bytes == NULL || record_bytes <= 0)
		return "salt or record is missing";
	merkle_leaf(salt, bytes, (size_t)record_bytes, &leaf);
	merkle_append(tree, &leaf, nodes, &node_count);
	const void *stored = sqlite3_column_blob(row, 3);
	size_t stored_bytes = (size_t)sqlite3_column_bytes(row, 3);
	if (stored == NULL || stored_bytes != node_count * sizeof nodes[0])
		return "its hashes are missing or too many";
	if (memcmp(stored, &nodes[0], sizeof nodes[0]) != 0)
		return "record or salt does not match its hash: it has been changed";
	if (memcmp(stored, nodes, stored_bytes) != 0)
		return "its inner hashes do not follow from the records before it";
	if (audit_record_decode(&walk->arena, bytes, (size_t)record_bytes, &record, &error) != WIRE_OK)
		return "it cannot be read as an audit record";
	return compare_columns(row, record);
}

// ------------------------------------------------------------------ the whole

static enum log_file_status check_witnesses(struct walk *walk)
{
	for (unsigned i = 0; i < walk->witness_count; i++) {
		const struct checkpoint *kept = &walk->witnesses[i].checkpoint;
		struct merkle_hash root;
		if (kept->size != walk->tree.size)
			continue;
		merkle_root(&walk->tree, &root);
		if (memcmp(&root, &kept->root, sizeof root) != 0)
			return broken(walk, "the first %llu records are not those that the checkpoint %.150s was signed for",
				      (unsigned long long)kept->size, walk->witnesses[i].path);
	}
	return LOG_FILE_HOLDS;
}

static bool read_count(struct walk *walk, uint64_t *ret)
{
	sqlite3_stmt *statement = NULL;
	bool read = sqlite3_prepare_v2(walk->database, "SELECT count(*) FROM audit", -1, &statement, NULL) == SQLITE_OK &&
		    sqlite3_step(statement) == SQLITE_ROW;
	if (read)
		*ret = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return read;
}

static enum log_file_status check_row(struct walk *walk, sqlite3_stmt *row)
{
	sqlite3_int64 index = sqlite3_column_int64(row, 0);
	if (index < 0)
		return bad_record(walk, "there is a row with a number below 0");
	if ((uint64_t)index != walk->tree.size)
		return bad_record(walk, "it is missing");
	struct merkle_tree grown = walk->tree;
	arena_reset(&walk->arena);
	const char *wrong = take_row(walk, row, &grown);
	if (wrong != NULL)
		return bad_record(walk, wrong);
	walk->tree = grown;
	return check_witnesses(walk);
}

static enum log_file_status check_rows(struct walk *walk, log_file_progress *progress)
{
	sqlite3_stmt *rows = NULL;
	uint64_t count = 0;
	if (progress != NULL && !read_count(walk, &count))
		return unreadable(walk, sqlite3_errmsg(walk->database));
	if (sqlite3_prepare_v2(walk->database,
			       "SELECT idx, salt, record, nodes, time_ms, organisation, subject, person FROM audit ORDER BY idx",
			       -1, &rows, NULL) != SQLITE_OK)
		return unreadable(walk, sqlite3_errmsg(walk->database));
	// A checkpoint of an empty log is true of every log.
	enum log_file_status status = check_witnesses(walk);
	int step = SQLITE_DONE;
	while (status == LOG_FILE_HOLDS && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		status = check_row(walk, rows);
		if (progress != NULL && walk->tree.size % PROGRESS_RECORDS == 0)
			progress(walk->tree.size, count);
	}
	if (status == LOG_FILE_HOLDS && step != SQLITE_DONE)
		status = unreadable(walk, sqlite3_errmsg(walk->database));
	sqlite3_finalize(rows);
	return status;
}

static enum log_file_status check_note(struct walk *walk, const char *note, size_t note_bytes)
{
	struct checkpoint checkpoint;
	struct merkle_hash root;
	if (checkpoint_verify(note, note_bytes, walk->verifier, &checkpoint) != CERTS_OK)
		return broken(walk, "the database's checkpoint was not signed with this log's key: log or key is another one");
	if (checkpoint.size > walk->tree.size)
		return bad_record(walk, "it is missing: the log has been cut there");
	if (checkpoint.size < walk->tree.size) {
		walk->tree.size = checkpoint.size; // where the signed part ends
		return bad_record(walk, "it was added without being signed for");
	}
	merkle_root(&walk->tree, &root);
	if (memcmp(&root, &checkpoint.root, sizeof root) != 0)
		return broken(walk, "the %llu records agree with each other and not with the signed checkpoint: some of them "
				    "were changed together with their hashes; an earlier checkpoint narrows down which",
			      (unsigned long long)walk->tree.size);
	return LOG_FILE_HOLDS;
}

static enum log_file_status check_checkpoint(struct walk *walk)
{
	sqlite3_stmt *row = NULL;
	if (sqlite3_prepare_v2(walk->database, "SELECT note FROM checkpoint WHERE id = 1", -1, &row, NULL) != SQLITE_OK)
		return unreadable(walk, sqlite3_errmsg(walk->database));
	enum log_file_status status = LOG_FILE_HOLDS;
	int step = sqlite3_step(row);
	const char *note = step == SQLITE_ROW ? (const char *)sqlite3_column_text(row, 0) : NULL;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		status = unreadable(walk, sqlite3_errmsg(walk->database));
	else if (note != NULL)
		status = check_note(walk, note, (size_t)sqlite3_column_bytes(row, 0));
	else if (walk->tree.size > 0)
		status = broken(walk, "there are records and no checkpoint");
	sqlite3_finalize(row);
	return status;
}

// What others saw must still be there, whatever the database says of itself.
static enum log_file_status check_length(struct walk *walk)
{
	for (unsigned i = 0; i < walk->witness_count; i++) {
		if (walk->witnesses[i].checkpoint.size <= walk->tree.size)
			continue;
		walk->result->has_bad_index = true;
		walk->result->bad_index = walk->tree.size;
		return broken(walk, "record %llu is missing: the log has been cut below the %llu records of checkpoint %.120s",
			      (unsigned long long)walk->tree.size,
			      (unsigned long long)walk->witnesses[i].checkpoint.size, walk->witnesses[i].path);
	}
	return LOG_FILE_HOLDS;
}

static enum log_file_status walk_all(struct walk *walk, log_file_progress *progress)
{
	if (sqlite3_open_v2(walk->path, &walk->database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(walk->database, 5000) != SQLITE_OK ||
	    // One transaction: rows and checkpoint of the same moment, while the broker goes on.
	    sqlite3_exec(walk->database, "PRAGMA trusted_schema = OFF; BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return unreadable(walk, sqlite3_errmsg(walk->database));
	enum log_file_status status = check_rows(walk, progress);
	walk->result->records = walk->tree.size;
	merkle_root(&walk->tree, &walk->result->root);
	if (status == LOG_FILE_HOLDS)
		status = check_length(walk);
	if (status == LOG_FILE_HOLDS)
		status = check_checkpoint(walk);
	return status;
}

enum log_file_status log_file_verify(const char *path, const struct note_verifier *verifier,
				     const struct log_file_witness *witnesses, unsigned witness_count,
				     log_file_progress *progress, struct log_file_result *ret)
{
	*ret = (struct log_file_result){0};
	struct walk walk = {.path = path,
			    .verifier = verifier,
			    .witnesses = witnesses,
			    .witness_count = witness_count,
			    .result = ret};
	if (!arena_init(&walk.arena, ARENA_BYTES))
		return unreadable(&walk, "out of memory");
	enum log_file_status status = walk_all(&walk, progress);
	sqlite3_close(walk.database);
	arena_done(&walk.arena);
	return status;
}
