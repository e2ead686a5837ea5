// The proof of any record, made from the log's file alone: O(log n) rows are read, however long the log is.
#ifndef CPIS_CLI_LOG_PROVE_H
#define CPIS_CLI_LOG_PROVE_H

#include "certs/tlog_proof.h"
#include "clients/cli/log_database.h"
#include "clients/cli/log_walk.h"

// LOG_HOLDS: `ret` is a proof that has been checked; the caller frees its record. LOG_BROKEN: the checkpoint, the record or a
// hash on its way to the root is not what was signed. ret_found false: the log has no such record.
__attribute__((warn_unused_result)) enum log_status log_prove(struct log_database *database,
							       const struct note_verifier *verifier, uint64_t index,
							       struct tlog_proof *ret, bool *ret_found,
							       char detail[LOG_DETAIL_BYTES]);

#endif
