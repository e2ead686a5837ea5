// The steps from one schema to the next, each in SQL alone: what is sealed stays as it is.
#include "broker/store_sqlite_upgrade.h"

#include <stdio.h>

#include "broker/log.h"

// By the version that a step begins at.
static const char *const steps[] = {
	// 5 to 6: where the times of all blocks before and behind end.
	[5 - SQLITE_SCHEMA_OLDEST] =
		"CREATE TEMP TABLE block_of_before AS"
		"  SELECT block, min_ms, max_ms, max(max_ms) OVER (ORDER BY block) AS peak_ms,"
		"         min(min_ms) OVER (ORDER BY block ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS floor_ms FROM audit_block;"
		"DROP TABLE audit_block;" SQLITE_AUDIT_BLOCK
		"INSERT INTO audit_block (block, min_ms, max_ms, peak_ms, floor_ms)"
		"  SELECT block, min_ms, max_ms, peak_ms, floor_ms FROM block_of_before;"
		"DROP TABLE block_of_before;",
};
_Static_assert(sizeof steps / sizeof steps[0] == SQLITE_SCHEMA_VERSION - SQLITE_SCHEMA_OLDEST, "each version leads to the next");

static bool run(sqlite3 *database, const char *sql)
{
	return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool take_steps(sqlite3 *database, int64_t from)
{
	char version[64];
	for (int64_t at = from; at < SQLITE_SCHEMA_VERSION; at++)
		if (!run(database, steps[at - SQLITE_SCHEMA_OLDEST]))
			return false;
	snprintf(version, sizeof version, "PRAGMA user_version = %d", SQLITE_SCHEMA_VERSION);
	return run(database, version);
}

bool sqlite_upgrade(sqlite3 *database, const char *path, int64_t from, char detail[STORE_DETAIL_BYTES])
{
	if (from < SQLITE_SCHEMA_OLDEST || from >= SQLITE_SCHEMA_VERSION)
		return true;
	bool done = run(database, "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE") && take_steps(database, from) &&
		    run(database, "COMMIT");
	if (!done) {
		snprintf(detail, STORE_DETAIL_BYTES, "%.100s: could not be brought from schema version %lld to %d, and is as it was: %.60s", path,
			 (long long)from, SQLITE_SCHEMA_VERSION, sqlite3_errmsg(database));
		(void)run(database, "ROLLBACK");
		return false;
	}
	log_event(LOG_EVENT_STORE_UPGRADED, "schema version %lld to %d; an older program does not open it any more", (long long)from,
		  SQLITE_SCHEMA_VERSION);
	return true;
}

bool store_sqlite_needs_upgrade(const char *path)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	bool needs = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
		     sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int64(statement, 0) >= SQLITE_SCHEMA_OLDEST &&
		     sqlite3_column_int64(statement, 0) < SQLITE_SCHEMA_VERSION;
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return needs;
}

void sqlite_upgrade_refuse(const char *path, int64_t version, char detail[STORE_DETAIL_BYTES])
{
	const char *what = version > SQLITE_SCHEMA_VERSION
				   ? "install the newer version of this program again, or go back to a backup from before it"
			   : version >= SQLITE_SCHEMA_OLDEST
				   ? "start the broker of this version on it once, which brings it up to date"
				   : "no version can be skipped: install the one between first";
	snprintf(detail, STORE_DETAIL_BYTES, "%.100s: has schema version %lld, this program knows version %d: %s", path, (long long)version,
		 SQLITE_SCHEMA_VERSION, what);
}
