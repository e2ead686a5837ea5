// Writing an export: the log as static files that independent software reads (clients/cli/tile.h), added to and never changed.
//
// Nothing is written that is not signed for: the new records are read twice in one transaction, first to check them against
// each other, against the checkpoint that was exported last and against the one that is stored; then to write them. The checkpoint
// comes last. An export that was interrupted goes on when it is run again.
#ifndef CPIS_CLI_LOG_EXPORT_H
#define CPIS_CLI_LOG_EXPORT_H

#include "clients/cli/log_file.h"

struct log_exported {
	uint64_t old_size, size;      // records before and now
	uint64_t files;               // made
	bool checkpoint_stays;        // `checkpoint` could not be replaced: the newest is checkpoints/<size>
};

// LOG_BROKEN: a record, or something exported before, is not what was signed for; `result` says what. LOG_UNREADABLE: one of the
// two places cannot be read or written.
__attribute__((warn_unused_result)) enum log_status log_export(struct log_database *database,
								const struct note_verifier *verifier, const char *directory,
								struct log_exported *ret, struct log_result *result);

// The checkpoints in an export's checkpoints/, each verified and of the size that its name says, in the order of size; for the
// caller to free, paths too. LOG_BROKEN: one of them is not a checkpoint of this log.
struct export_checkpoints {
	struct log_kept *kept;
	unsigned count;
	char newest[NOTE_BYTES_MAX + 1];
	size_t newest_bytes;          // 0: there is none
};
__attribute__((warn_unused_result)) enum log_status export_checkpoints_load(const char *directory,
									     const struct note_verifier *verifier,
									     struct export_checkpoints *ret,
									     struct log_result *result);
void export_checkpoints_free(struct export_checkpoints *checkpoints);

#endif
