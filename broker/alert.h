// Alerts: what the privacy officer of an organisation has to look into. They lie in a box of their own beside the
// organisation's notifications, and name nobody: the audit record that they lead to does.
#ifndef CPIS_BROKER_ALERT_H
#define CPIS_BROKER_ALERT_H

#include "broker/op.h"
#include "broker/stored.pb-c.h"

// Alerts `organisation`, in the current batch, to this request's record: that the glass was broken, or what `found` (NULL: the
// glass) says. `uid` is whose access it is about, "" when it is a system's. REASON_NONE or REASON_STORE.
enum reason alert_put(struct op_context *context, const struct ods_code *organisation, const char *uid,
		      const Cpis__V1__Finding *found);

// A stored alert, opened, with its review if it has one; `ret_uid` (may be NULL): whose access it is about. NULL when it does
// not open or does not fit the arena.
Cpis__V1__Alert *alert_open(struct op_context *context, const struct store_inbox_item *row, const char **ret_uid);

// A review, sealed to its alert. NULL data when that fails.
struct store_blob alert_seal_review(struct op_context *context, const struct ods_code *organisation, uint64_t id,
				    const Cpis__Stored__V1__StoredReview *review);

#endif
