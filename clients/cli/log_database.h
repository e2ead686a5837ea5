// The audit log's two tables in a broker's SQLite file or a copy of one, or in the PostgreSQL of several brokers or a standby of it: rows
// in order, single hashes, the checkpoint.
// Opens read-only; works beside a running broker, and on a file in a place where nothing can be written. A handle belongs to one
// thread, and reads in one transaction: what it has read once stays as it was.
#ifndef CPIS_CLI_LOG_DATABASE_H
#define CPIS_CLI_LOG_DATABASE_H

#include <stdbool.h>

#include "certs/note.h"
#include "clients/cli/log_row.h"

struct log_database;

// NULL: `detail` says why, in the size of LOG_DATABASE_DETAIL_BYTES.
#define LOG_DATABASE_DETAIL_BYTES 300
struct log_database *log_database_open(const char *path, char detail[LOG_DATABASE_DETAIL_BYTES]);
// The same of a PostgreSQL, by libpq's connection string, which is held to certs/postgres_target.h: as a role of cpis_auditor, or any that
// may read the log. Blocks, for at most 10 s for each host while it connects.
struct log_database *log_database_open_postgres(const char *conninfo, char detail[LOG_DATABASE_DETAIL_BYTES]);
// Another handle of the same log, for another thread. Of a PostgreSQL it reads the very same moment, from the same server; of a file a
// later one. `database` stays open until it is closed, and may be in use meanwhile.
struct log_database *log_database_again(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES]);
void log_database_close(struct log_database *database); // accepts NULL
// Why the last call failed.
void log_database_detail(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES]);

// One more than the highest number; 0 of an empty table. *ret_negative: there is a number below 0.
__attribute__((warn_unused_result)) bool log_database_size(struct log_database *database, uint64_t *ret, bool *ret_negative);
// The stored checkpoint's text, cut at NOTE_BYTES_MAX + 1 bytes; 0 bytes: there is none.
__attribute__((warn_unused_result)) bool log_database_note(struct log_database *database, char ret[NOTE_BYTES_MAX + 2],
							    size_t *ret_bytes);
// Rows from `begin` to before `end`, in order; then each call of next gives one. False: it cannot be read.
__attribute__((warn_unused_result)) bool log_database_seek(struct log_database *database, uint64_t begin, uint64_t end);
// *ret_found false: no more.
__attribute__((warn_unused_result)) bool log_database_next(struct log_database *database, struct log_row *ret, bool *ret_found);
// A node of the tree as it is stored: a merkle_node_fetch, whose context is the handle. Reads one row.
bool log_database_node(void *database, unsigned height, uint64_t number, struct merkle_hash *ret);

#endif
