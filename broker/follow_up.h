// What follows from one plan's change: whoever saw it, or is treating the child, is told. And versions that have been
// superseded are removed.
#ifndef CPIS_BROKER_FOLLOW_UP_H
#define CPIS_BROKER_FOLLOW_UP_H

#include "broker/plan.h"

#define FOLLOW_UP_RECENT_MS (24ull * 3600u * 1000u)

enum follow_up {
	FOLLOW_UP_DONE,    // with this version
	FOLLOW_UP_MORE,    // many saw it: call again with the same version
	FOLLOW_UP_FAILED,  // the batch must be given up
};

// A version that came with the generation under way. Where it is for long lists is kept in `cursor`.
enum follow_up follow_up_version(struct op_context *context, const struct authority_state *state, const struct store_plan *row,
				 Cpis__Stored__V1__StoredFollowUp *cursor);
// A version that is older than the full file under way, in which its plan was missing: it gets that file's date as its end.
enum follow_up follow_up_vanished(struct op_context *context, const struct authority_state *state,
				  const struct store_plan *row);

#endif
