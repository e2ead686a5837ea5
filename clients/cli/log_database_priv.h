// What a backend of log_database.h is, and the open file behind one. Inside log_database*.c and log_index*.c only.
#ifndef CPIS_CLI_LOG_DATABASE_PRIV_H
#define CPIS_CLI_LOG_DATABASE_PRIV_H

#include <sqlite3.h>

#include "clients/cli/log_database.h"

// As the functions of log_database.h that are named so.
struct log_database_ops {
	bool is_postgres;
	struct log_database *(*again)(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES]);
	void (*close)(struct log_database *database);
	void (*detail)(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES]);
	bool (*size)(struct log_database *database, uint64_t *ret, bool *ret_negative);
	bool (*note)(struct log_database *database, char ret[NOTE_BYTES_MAX + 2], size_t *ret_bytes);
	bool (*seek)(struct log_database *database, uint64_t begin, uint64_t end);
	bool (*next)(struct log_database *database, struct log_row *ret, bool *ret_found);
	bool (*node)(struct log_database *database, unsigned height, uint64_t number, struct merkle_hash *ret);
};

// A backend's own begins with this.
struct log_database {
	const struct log_database_ops *ops;
};

// Of a file.
sqlite3 *log_database_handle(struct log_database *database);
// Of a PostgreSQL: how many blocks of audit_block do not have their records' times. False: it cannot be read.
bool log_database_wrong_blocks(struct log_database *database, uint64_t *ret);

#endif
