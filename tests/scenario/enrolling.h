// Inviting and enrolling a new system on a stage, for the test_enrolment programs.
#ifndef CPIS_TESTS_SCENARIO_ENROLLING_H
#define CPIS_TESTS_SCENARIO_ENROLLING_H

#include <check.h>
#include <stdint.h>

#include "tests/harness/stage.h"

#define WHY "new record system of the emergency department" // each invitation
#define WAITING CPIS__V1__ENROLMENT_STATE__WAITING
#define ISSUED CPIS__V1__ENROLMENT_STATE__ISSUED
#define INVITED CPIS__V1__ENROLMENT_STATE__INVITED

extern struct stage *stage;
extern uint8_t code[ENROLMENT_CODE_BYTES], other_code[ENROLMENT_CODE_BYTES];
// Of the last request of each kind: a test may change them and send it again.
extern Cpis__V1__EnrolRequest enrol_body;
extern Cpis__V1__EnrolInviteRequest invite_body;
extern Cpis__V1__EnrolListRequest list_body;
extern Cpis__V1__Request request;

// Around each test.
void raise_curtain(void);
void drop_curtain(void);

char *text(const char *from);

// Not sent yet.
Cpis__V1__Request *invite_request(const uint8_t *with_code, const char *organisation, const char *name, uint64_t until_ms);
Cpis__V1__Request *enrol_request(const uint8_t *with_code, const char *organisation, const char *name);

// For a day, signed.
const struct stage_reply *invite(enum stage_person person, const uint8_t *with_code, const char *organisation, const char *name);
const struct stage_reply *withdraw(enum stage_person person, const char *organisation, const char *name);
const struct stage_reply *list(enum stage_person person);
// On the enrolment endpoint.
const struct stage_reply *ask_there(enum stage_system system, Cpis__V1__Request *what);
// There, with `code`, as RXH/newcomer; and the registrar's invitation of that.
const struct stage_reply *enrol(enum stage_system system);
const struct stage_reply *invite_newcomer(void);

const char *fingerprint_of(enum stage_system system);
// The detail of this reply's record, as a reviewer reads it.
const Cpis__V1__AuditDetail *detail_of(const struct stage_reply *reply);
void expect_refused(const struct stage_reply *reply, const char *recorded);
void expect_state(const struct stage_reply *reply, Cpis__V1__EnrolmentState state);

#endif
