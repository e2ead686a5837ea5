// What an authority has published, as one sealed row. Its plans are stored in versions, each of a generation (broker/store.h);
// this row says which of them are shown. A file is written as versions of a generation that is not shown yet, and the commit
// changes nothing but this row: it costs the same however large the file is, and nobody ever reads half of one.
//
// Shown of each plan is its newest version of a generation up to `committed` that was not abandoned. One that is older than
// the last full file was not in that file: it has vanished, and ends on that file's date, unless it has an end of its own.
#ifndef CPIS_BROKER_AUTHORITY_STATE_H
#define CPIS_BROKER_AUTHORITY_STATE_H

#include "broker/limits.h"
#include "broker/op.h"
#include "broker/stored.pb-c.h"
#include "proto/date.h"

struct authority_state {
	struct ods_code ods;
	uint64_t last_published_ms;
	uint64_t due_ms;
	bool known;                       // there is a row
	Cpis__Stored__V1__StoredAuthority *stored; // in the arena; to be changed and saved
};

// REASON_NONE, REASON_STORE, or REASON_INTERNAL when the row does not open (logged). Of an authority that never published
// it is empty.
enum reason authority_state_load(struct op_context *context, const struct ods_code *ods, struct authority_state *ret);
// The same for a row that has been read.
enum reason authority_state_open(struct op_context *context, const struct store_authority *row, struct authority_state *ret);
// REASON_NONE or REASON_STORE. With work to do it becomes due.
enum reason authority_state_save(struct op_context *context, struct authority_state *state);

// Whether there is something to be removed or to follow (broker/job_publication.c).
bool authority_state_pending(const struct authority_state *state);
bool authority_state_shows(const struct authority_state *state, uint64_t generation);
// False: too many are waiting.
bool authority_state_abandon(struct op_context *context, struct authority_state *state, uint64_t generation);

// The entry in force on `today`, or NULL.
Cpis__V1__Contacts *authority_contacts(const struct authority_state *state, struct date today);
bool authority_contacts_stale(struct op_context *context, const Cpis__V1__Contacts *contacts);

#endif
