// An audit log as it lies in a broker's database file (or a copy of one), checked without the broker: every row
// against its own hashes, the whole against the signed checkpoint, and both against checkpoints that others hold.
#ifndef CPIS_CLI_LOG_FILE_H
#define CPIS_CLI_LOG_FILE_H

#include "clients/cli/log_database.h"
#include "clients/cli/log_walk.h"

// What is wrong with the row as the next record of `span`, or NULL and it is appended.
const char *log_file_check_row(const struct log_row *row, struct log_span *span);

// Opens read-only and finds the first bad record. Works beside a running broker: checkpoint and size are of one moment, and of
// the records that were there then none may change any more.
__attribute__((warn_unused_result)) enum log_status
log_file_verify(const char *path, const struct note_verifier *verifier, const struct log_kept *kept, unsigned kept_count,
		log_progress *progress, struct log_result *ret);

// The same of what is open: of a PostgreSQL, all of it of the moment at which it was opened.
__attribute__((warn_unused_result)) enum log_status
log_database_verify(struct log_database *database, const struct note_verifier *verifier, const struct log_kept *kept, unsigned kept_count,
		    log_progress *progress, struct log_result *ret);

#endif
