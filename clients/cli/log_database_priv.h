// The open file behind a log_database. Inside log_database.c and log_index.c only.
#ifndef CPIS_CLI_LOG_DATABASE_PRIV_H
#define CPIS_CLI_LOG_DATABASE_PRIV_H

#include <sqlite3.h>

#include "clients/cli/log_database.h"

sqlite3 *log_database_handle(struct log_database *database);

#endif
