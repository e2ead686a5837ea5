// A whole message, request or reply, packed and decoded as it stands.
#ifndef CPIS_TESTS_UNIT_PROTO_WHOLE_H
#define CPIS_TESTS_UNIT_PROTO_WHOLE_H

#include <check.h>
#include <stdbool.h>

#include "proto/wire.h"

extern struct wire_error error; // what was said of the last one

// Around each test.
void whole_setup(void);
void whole_teardown(void);

// `field` only where something is wrong.
void expect(const ProtobufCMessage *message, bool is_reply, enum wire_status status, const char *field);
// Good ones but for the body, which the caller sets. The receipt has to last as long as the reply.
Cpis__V1__Request request_of(Cpis__V1__Request__BodyCase body);
Cpis__V1__Reply reply_of(Cpis__V1__Receipt *receipt, Cpis__V1__Reply__BodyCase body);

#endif
