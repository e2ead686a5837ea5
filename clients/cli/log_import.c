// Writing the log's tables from an export.
#include "clients/cli/log_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clients/cli/export_reader.h"
#include "clients/cli/log_export.h"
#include "clients/cli/log_export_check.h"

// As broker/store_sqlite.c has them, without the indices of searches. One transaction, which is a new file's own.
static const char schema[] =
	"PRAGMA journal_mode = MEMORY;"
	"BEGIN EXCLUSIVE;"
	"CREATE TABLE audit (idx INTEGER PRIMARY KEY, salt BLOB NOT NULL, record BLOB NOT NULL, nodes BLOB NOT NULL,"
	"  time_ms INTEGER NOT NULL, organisation TEXT NOT NULL, subject BLOB, person BLOB) STRICT;"
	"CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL) STRICT;";

struct import {
	sqlite3 *database;
	sqlite3_stmt *insert;
	struct log_span span; // of all records, so that the hashes of its rows are those of the whole tree
};

static bool bind_tag(sqlite3_stmt *statement, int place, struct wire_value tag)
{
	return tag.bytes == 0 || sqlite3_bind_blob64(statement, place, tag.data, tag.bytes, SQLITE_STATIC) == SQLITE_OK;
}

static bool insert(void *context, const struct log_row *row, const struct audit_record_keys *keys)
{
	struct import *import = context;
	sqlite3_stmt *statement = import->insert;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return sqlite3_bind_int64(statement, 1, (sqlite3_int64)row->index) == SQLITE_OK &&
	       sqlite3_bind_blob64(statement, 2, row->salt.data, row->salt.bytes, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_blob64(statement, 3, row->record.data, row->record.bytes, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_blob64(statement, 4, row->nodes.data, row->nodes.bytes, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_int64(statement, 5, (sqlite3_int64)keys->time_ms) == SQLITE_OK &&
	       sqlite3_bind_text(statement, 6, keys->organisation.bytes == 0 ? "" : (const char *)keys->organisation.data,
				 (int)keys->organisation.bytes, SQLITE_STATIC) == SQLITE_OK &&
	       bind_tag(statement, 7, keys->subject_tag) && bind_tag(statement, 8, keys->person_tag) &&
	       sqlite3_step(statement) == SQLITE_DONE;
}

static enum log_status fail(struct import *import, const char *path, struct log_result *result)
{
	snprintf(result->detail, sizeof result->detail, "%.150s: %.120s", path, sqlite3_errmsg(import->database));
	return LOG_UNREADABLE;
}

static enum log_status insert_all(struct import *import, const char *directory, const char *path, uint64_t size,
				  log_progress *progress, struct log_result *result)
{
	struct export_reader *reader = export_reader_new(directory, size);
	struct log_span *span = &import->span;
	enum log_status status = LOG_HOLDS;
	span->end = size;
	if (reader == NULL) {
		snprintf(result->detail, sizeof result->detail, "out of memory");
		return LOG_UNREADABLE;
	}
	while (status == LOG_HOLDS && span->tree.size < size) {
		export_reader_bundle(reader, span, insert, import);
		if (span->wrong != NULL)
			status = log_bad_record(result, span->tree.size, span->wrong);
		else if (span->unreadable && span->detail[0] == '\0')
			status = fail(import, path, result);
		else if (span->unreadable) {
			memcpy(result->detail, span->detail, sizeof result->detail);
			status = LOG_UNREADABLE;
		}
		if (progress != NULL && span->tree.size % LOG_SPAN_RECORDS == 0)
			progress(span->tree.size, size);
	}
	export_reader_free(reader);
	return status;
}

static bool put_note(struct import *import, const char *note, size_t bytes)
{
	sqlite3_stmt *statement = NULL;
	bool put = sqlite3_prepare_v2(import->database, "INSERT INTO checkpoint VALUES (1, ?1)", -1, &statement, NULL) ==
			   SQLITE_OK &&
		   sqlite3_bind_text(statement, 1, note, (int)bytes, SQLITE_STATIC) == SQLITE_OK &&
		   sqlite3_step(statement) == SQLITE_DONE;
	sqlite3_finalize(statement);
	return put;
}

static enum log_status fill(struct import *import, const char *directory, const struct note_verifier *verifier, const char *path,
			    const struct export_checkpoints *own, log_progress *progress, struct log_result *result)
{
	uint64_t size = own->kept[own->count - 1].checkpoint.size;
	if (sqlite3_open_v2(path, &import->database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_exec(import->database, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(import->database, "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", -1, &import->insert,
			       NULL) != SQLITE_OK)
		return fail(import, path, result);
	enum log_status status = insert_all(import, directory, path, size, progress, result);
	if (status == LOG_HOLDS) // once more, because the export was read once more
		status = log_check_note(&import->span.tree, own->newest, own->newest_bytes, verifier, result);
	if (status == LOG_HOLDS && (!put_note(import, own->newest, own->newest_bytes) ||
				    sqlite3_exec(import->database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK))
		status = fail(import, path, result);
	return status;
}

static enum log_status import_checked(const char *directory, const struct note_verifier *verifier, const char *path,
				      const struct export_checkpoints *own, log_progress *progress, struct log_result *ret)
{
	struct import import = {0};
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0) {
		snprintf(ret->detail, sizeof ret->detail, "%.200s: %s", path, strerror(errno));
		return LOG_UNREADABLE;
	}
	close(file);
	enum log_status status = fill(&import, directory, verifier, path, own, progress, ret);
	ret->records = import.span.tree.size;
	merkle_root(&import.span.tree, &ret->root);
	sqlite3_finalize(import.insert);
	sqlite3_close(import.database);
	if (status != LOG_HOLDS)
		unlink(path);
	return status;
}

enum log_status log_import(const char *directory, const struct note_verifier *verifier, const char *path, log_progress *progress,
			   struct log_result *ret)
{
	struct export_checkpoints own;
	enum log_status status = log_export_verify(directory, verifier, NULL, 0, progress, ret);
	if (status == LOG_HOLDS)
		status = export_checkpoints_load(directory, verifier, &own, ret);
	if (status != LOG_HOLDS)
		return status;
	status = import_checked(directory, verifier, path, &own, progress, ret);
	export_checkpoints_free(&own);
	return status;
}
