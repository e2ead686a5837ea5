// An export made into a database again: the log's two tables, and nothing else of a broker's store.
#ifndef CPIS_CLI_LOG_IMPORT_H
#define CPIS_CLI_LOG_IMPORT_H

#include "clients/cli/log_walk.h"

// Makes `path`, which may not be there, from an export that is checked whole before and record by record meanwhile. What fails
// leaves no file behind.
__attribute__((warn_unused_result)) enum log_status log_import(const char *directory, const struct note_verifier *verifier,
								const char *path, log_progress *progress,
								struct log_result *ret);

#endif
