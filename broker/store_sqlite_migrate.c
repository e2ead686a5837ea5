// A file of the program's last version before this one's schema is brought to this one's: one version, whole or not at all. Older ones
// go by the versions in between.
#include <stdio.h>

#include "broker/log.h"
#include "broker/store_sqlite_priv.h"

#define MIGRATED_FROM (SQLITE_SCHEMA_VERSION - 1)
_Static_assert(SQLITE_SCHEMA_VERSION == 6, "write the step from 6, and throw this one away");

// 6 has the times of blocks in an order that they can be found by.
static const char steps[] =
	"DROP TABLE IF EXISTS temp.blocks; CREATE TEMP TABLE blocks AS SELECT block, min_ms, max_ms,"
	"  max(max_ms) OVER (ORDER BY block ROWS UNBOUNDED PRECEDING) AS peak_ms,"
	"  min(min_ms) OVER (ORDER BY block ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS floor_ms FROM main.audit_block;"
	"DROP TABLE main.audit_block;" SQLITE_AUDIT_BLOCK_SCHEMA
	"INSERT INTO main.audit_block (block, min_ms, max_ms, peak_ms, floor_ms) SELECT block, min_ms, max_ms, peak_ms, floor_ms FROM blocks;"
	"DROP TABLE temp.blocks;";

static bool read_identity(sqlite3 *database, sqlite3_int64 *ret_application, sqlite3_int64 *ret_version)
{
	static const char *const pragmas[] = {"PRAGMA application_id", "PRAGMA user_version"};
	sqlite3_int64 *const values[] = {ret_application, ret_version};
	bool read = true;
	for (unsigned i = 0; i < 2 && read; i++) {
		sqlite3_stmt *statement = NULL;
		read = sqlite3_prepare_v2(database, pragmas[i], -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW;
		*values[i] = read ? sqlite3_column_int64(statement, 0) : 0;
		sqlite3_finalize(statement);
	}
	return read;
}

static bool is_of_before(sqlite3 *database)
{
	sqlite3_int64 application = 0, version = 0;
	return read_identity(database, &application, &version) && application == SQLITE_APPLICATION_ID && version == MIGRATED_FROM;
}

bool sqlite_migrate(sqlite3 *database, const char *path)
{
	char mark[64];
	if (!is_of_before(database))
		return true;
	snprintf(mark, sizeof mark, "PRAGMA user_version = %d; COMMIT", SQLITE_SCHEMA_VERSION);
	// temp_store is the process's own: what is copied does not touch the disk beside the file.
	bool done = sqlite3_exec(database, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
		    sqlite3_exec(database, steps, NULL, NULL, NULL) == SQLITE_OK && sqlite3_exec(database, mark, NULL, NULL, NULL) == SQLITE_OK;
	if (done)
		log_event(LOG_LEVEL_WARNING, "store_migrated",
			  "%s: brought from schema version %d to %d; versions of the program before this one cannot open it any more", path,
			  MIGRATED_FROM, SQLITE_SCHEMA_VERSION);
	return done;
}

bool store_sqlite_needs_migration(const char *path)
{
	sqlite3 *database = NULL;
	bool needs = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK && is_of_before(database);
	sqlite3_close(database);
	return needs;
}
