// One request that is changed bit by bit and goes over the wire at each step: at a limit it is taken, one past it is refused, and the
// field is named.
#ifndef CPIS_TESTS_UNIT_PROTO_ASKED_H
#define CPIS_TESTS_UNIT_PROTO_ASKED_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"
#include "tests/unit/proto/raw.h"

// Below raw.h, whose parameters have these names too.
extern struct arena arena;           // of what was decoded last
extern struct wire_error error;      // what was said of it
extern Cpis__V1__Request request;    // the envelope is good, a body is still to be set

// Around each test.
void asked_setup(void);
void asked_teardown(void);

// `field` is "" where nothing is wrong.
void expect(enum wire_status expected, const char *field);
// `words` (a member of the request's body) is needed, and has 10 characters at least.
void expect_words(char **words, const char *field);
ProtobufCBinaryData data_of(size_t count); // of whatever bytes, at most 70,000

#endif
