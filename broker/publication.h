// Taking the records of a file, or of a correction, into a generation that is not shown yet.
#ifndef CPIS_BROKER_PUBLICATION_H
#define CPIS_BROKER_PUBLICATION_H

#include "broker/authority_state.h"

// Records, in order, into `file` of `state`: each is checked, compared with what is held and written, and `file` counts what
// became of it. `ret_outcomes` has room for `count`. Nothing is saved of `state` and `file`.
// With `keep_rejected` what is rejected is written too, to be shown and counted later.
// REASON_NONE; REASON_PARKED or REASON_DEMOGRAPHICS, with nothing written; else REASON_STORE: the batch must be given up.
enum reason publication_take(struct op_context *context, const struct authority_state *state,
			     Cpis__Stored__V1__StoredPublication *file, Cpis__V1__PlanRecord *const *records, size_t count,
			     bool keep_rejected, Cpis__V1__RecordOutcome **ret_outcomes);

// Records that change something when the file is committed, vanished ones included.
bool publication_changes(const Cpis__V1__PublicationReport *report);
// CPF02 to CPF04.
Cpis__V1__FileOutcome publication_outcome(uint32_t received, uint32_t stored);
// Fills what follows from the counts: outcome, vanished, held.
void publication_judge(const struct authority_state *state, Cpis__Stored__V1__StoredPublication *file);
// Makes the file's generation the one that is shown. Nothing is saved.
void publication_show(struct op_context *context, struct authority_state *state,
		      const Cpis__Stored__V1__StoredPublication *file);

// The file of this id, if it is open: REASON_PUBLICATION_UNKNOWN or REASON_PUBLICATION_STALE otherwise.
enum reason publication_find(const struct authority_state *state, const ProtobufCBinaryData *id,
			     Cpis__Stored__V1__StoredPublication **ret);
// The state of the session's own organisation.
enum reason publication_own_state(struct op_context *context, struct authority_state *ret);
// The chain's next link (cpis.proto, PublicationCommitRequest). False: no memory.
bool publication_digest(struct op_context *context, const Cpis__V1__PlanRecord *record, uint8_t digest[HASH_BYTES]);

#endif
