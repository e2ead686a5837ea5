// ALERT_NOTE: something to remember about a case that is not closed.
#include "broker/alert.h"

enum reason op_alert_note(struct op_context *context)
{
	const Cpis__V1__AlertNoteRequest *request = context->request->alert_note;
	struct alert_case opened;
	Cpis__V1__AlertNoteReply *reply = OP_NEW(context, Cpis__V1__AlertNoteReply, cpis__v1__alert_note_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	context->detail->reason = request->words;
	enum reason reason = alert_case_load(context, request->id, &opened);
	if (reason == REASON_NONE && opened.row.acknowledged_ms != 0)
		reason = REASON_ALERT_CLOSED;
	if (reason == REASON_NONE)
		reason = alert_case_add(context, &opened, CPIS__V1__ALERT_STEP_KIND__STEP_NOTE, request->words,
					CPIS__V1__ALERT_FINDING__ALERT_FINDING_UNSPECIFIED);
	if (reason == REASON_NONE && (reply->alert = alert_case_outline(context, &opened)) == NULL)
		reason = REASON_INTERNAL;
	if (reason == REASON_NONE)
		reason = alert_case_keep(context, &opened);
	if (reason != REASON_NONE)
		return reason;
	context->reply->alert_note = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ALERT_NOTE;
	return REASON_NONE;
}
