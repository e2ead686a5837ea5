// An inbox on the stage: lists, takes, settlements. Each must be answered OK, else a check fails.
#ifndef CPIS_TESTS_HARNESS_STAGE_INBOX_H
#define CPIS_TESTS_HARNESS_STAGE_INBOX_H

#include "tests/harness/stage.h"

#define STAGE_LEASE_MS 10000u

// Requests to be sent by the caller, who may change the body before.
Cpis__V1__Request stage_inbox_list_request(Cpis__V1__InboxListRequest *list, Cpis__V1__InboxBox box, uint32_t wait_ms);
Cpis__V1__Request stage_inbox_take_request(Cpis__V1__InboxTakeRequest *take, uint32_t limit, uint32_t wait_ms);

const Cpis__V1__InboxListReply *stage_inbox_list(struct stage *stage, enum stage_person person, Cpis__V1__InboxBox box, bool all);
const Cpis__V1__InboxTakeReply *stage_inbox_take(struct stage *stage, enum stage_person person, uint32_t limit);
const Cpis__V1__InboxTakeReply *stage_inbox_hold(struct stage *stage, enum stage_person person, uint64_t id, uint64_t lease, uint32_t lease_ms);
const Cpis__V1__InboxAcknowledgeReply *stage_inbox_settle(struct stage *stage, enum stage_person person, Cpis__V1__InboxBox box, uint64_t id,
							 Cpis__V1__Settlement settlement);

#endif
