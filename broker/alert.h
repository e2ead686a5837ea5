// Alerts: what the privacy officer of an organisation has to look into. They lie in a box of their own beside the
// organisation's notifications, and name nobody: the audit record that they lead to does.
#ifndef CPIS_BROKER_ALERT_H
#define CPIS_BROKER_ALERT_H

#include "broker/op.h"
#include "broker/stored.pb-c.h"

// Alerts `organisation`, in the current batch: `alert` has its kind, its audit record and what was found, and gets the rest. `uid` is
// whose access it is about, "" when it is a system's. REASON_NONE or REASON_STORE.
enum reason alert_put(struct op_context *context, const struct ods_code *organisation, const char *uid, Cpis__V1__Alert *alert);

// A stored alert, opened, with its review and its state, without its steps. NULL when it does not open or does not fit the arena.
Cpis__V1__Alert *alert_open(struct op_context *context, const struct store_inbox_item *row);

// An alert as a case.
struct alert_case {
	struct store_inbox_item row;
	Cpis__V1__Alert *alert;                // with its steps
	Cpis__Stored__V1__StoredCase *stored;
	const char *about_uid;                 // whose access it is about; "": a system's
};

// The own organisation's alert with this id, noted as what the request is about. REASON_NO_SUCH_ALERT, REASON_REVIEW_SELF when
// it is about whoever asks, REASON_INTERNAL or REASON_STORE.
enum reason alert_case_load(struct op_context *context, uint64_t id, struct alert_case *ret);

// Adds what this request does to the case: written with alert_case_keep. Assignments and notes leave room for outcome and end.
// REASON_ALERT_FULL, or REASON_INTERNAL when the arena is full.
enum reason alert_case_add(struct op_context *context, struct alert_case *opened, Cpis__V1__AlertStepKind kind, const char *words,
			   Cpis__V1__AlertFinding finding);

// Gives it its outcome; alert_case_keep writes it. REASON_NONE or REASON_STORE.
enum reason alert_case_decide(struct op_context *context, struct alert_case *opened,
			      const Cpis__V1__AlertReviewRequest *request);

// Writes the case into the batch. REASON_NONE or REASON_STORE.
enum reason alert_case_keep(struct op_context *context, struct alert_case *opened);

// The alert as a reply to an assignment or a note shows it: as it is now, without its steps. NULL: the arena is full.
Cpis__V1__Alert *alert_case_outline(struct op_context *context, const struct alert_case *opened);

#endif
