// An export checked without the database that it came from: every record against its entry and its hash, all tiles, and the
// whole against every checkpoint that it has, and against those that others kept.
#ifndef CPIS_CLI_LOG_EXPORT_CHECK_H
#define CPIS_CLI_LOG_EXPORT_CHECK_H

#include "clients/cli/log_walk.h"

__attribute__((warn_unused_result)) enum log_status
log_export_verify(const char *directory, const struct note_verifier *verifier, const struct log_kept *kept, unsigned kept_count,
		  log_progress *progress, struct log_result *ret);

#endif
