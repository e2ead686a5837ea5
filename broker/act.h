// Acts that carry the person's own signature (proto/act.h): the broker's check.
#ifndef CPIS_BROKER_ACT_H
#define CPIS_BROKER_ACT_H

#include "broker/op.h"

// The request's signature, or what a browser brings in place of it, is there, by this session's person, made now. What was signed
// goes into the audit record, so that it can be shown later; a browser's proof when it holds. REASON_NONE, or which of these does not hold.
// In a session that an identity token opened there is no key to sign with: REASON_ACT_IDENTITY.
enum reason act_check(struct op_context *context);

#endif
