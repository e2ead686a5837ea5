// Stores of earlier versions of the schema, brought to this one's when a broker opens them. There is no way back but a backup.
// Inside broker/store_sqlite*.c only.
#ifndef CPIS_BROKER_STORE_SQLITE_UPGRADE_H
#define CPIS_BROKER_STORE_SQLITE_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "broker/store.h"

// When the schema changes: one more here, the change in store_sqlite.c's text, and a step in store_sqlite_upgrade.c.
#define SQLITE_SCHEMA_VERSION 6
#define SQLITE_SCHEMA_OLDEST 5 // that can be brought up to date

// Times of blocks of 1,024 rows each.
#define SQLITE_AUDIT_BLOCK                                                                                                       \
	"CREATE TABLE audit_block ("                                                                                             \
	"  block INTEGER PRIMARY KEY,"                                                                                           \
	"  min_ms INTEGER NOT NULL,"                                                                                             \
	"  max_ms INTEGER NOT NULL,"                                                                                             \
	"  peak_ms INTEGER NOT NULL,"  /* greatest max_ms up to this block */                                                    \
	"  floor_ms INTEGER NOT NULL"  /* least min_ms from this block on */                                                     \
	") STRICT;"                                                                                                              \
	"CREATE INDEX audit_block_by_peak ON audit_block (peak_ms, block);"                                                      \
	"CREATE INDEX audit_block_by_floor ON audit_block (floor_ms, block);"

// Of a store (its application_id has been looked at) of version `from`: all steps to this version in one transaction, flushed. Nothing
// to do is success. False with a sentence: the file is as it was.
__attribute__((warn_unused_result)) bool sqlite_upgrade(sqlite3 *database, const char *path, int64_t from, char detail[STORE_DETAIL_BYTES]);

// Of a version that is neither this one nor brought up to it: what to do.
void sqlite_upgrade_refuse(const char *path, int64_t version, char detail[STORE_DETAIL_BYTES]);

#endif
