// Whether what searches go by (broker/README.md, "Finding audit records") says what the log's rows say: each word of each row that
// has been taken in, and nothing else, and the times of each block of rows. The rows themselves are log_file_verify's to check.
#ifndef CPIS_CLI_LOG_INDEX_H
#define CPIS_CLI_LOG_INDEX_H

#include "clients/cli/log_walk.h"

// Reads all of both in one transaction, beside a working broker too. A file without an index, such as an imported log, holds.
__attribute__((warn_unused_result)) enum log_status log_index_verify(const char *path, struct log_result *ret);

struct log_database;
// The same of what is open. Of a PostgreSQL: that audit_block has the records' times.
__attribute__((warn_unused_result)) enum log_status log_index_verify_open(struct log_database *database, struct log_result *ret);

#endif
