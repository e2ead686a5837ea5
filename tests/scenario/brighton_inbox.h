// Brighton's inbox, and the notices that the hospital gets of what becomes of its items: for test_inbox and test_inbox_times. Brighton
// holds plans for all children and is told of each look.
#ifndef CPIS_TESTS_SCENARIO_BRIGHTON_INBOX_H
#define CPIS_TESTS_SCENARIO_BRIGHTON_INBOX_H

#include <check.h>

#include "tests/harness/stage_inbox.h"

#define SEEN CPIS__V1__SETTLEMENT__SEEN
#define ACTED_ON CPIS__V1__SETTLEMENT__ACTED_ON
#define NOTIFICATIONS CPIS__V1__INBOX_BOX__NOTIFICATIONS
#define ESCALATIONS CPIS__V1__INBOX_BOX__ESCALATIONS

extern struct stage *stage;

// Around each test. At its end the log has to verify.
void raise_curtain(void);
void drop_curtain(void);
void sign_all_in(void); // again, when sessions have ended

// A look at each of so many children; Brighton's next items.
void look(unsigned count);
const Cpis__V1__InboxAcknowledgeReply *settle(uint64_t id, Cpis__V1__Settlement settlement);
// The only notice that the hospital has, or the n-th from 1.
const Cpis__V1__ProgressNotice *notice(size_t n, size_t of);

#endif
