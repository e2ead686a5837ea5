// Inbox requests on the stage.
#include "tests/harness/stage_inbox.h"

#include <check.h>

Cpis__V1__Request stage_inbox_list_request(Cpis__V1__InboxListRequest *list, Cpis__V1__InboxBox box, uint32_t wait_ms)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	cpis__v1__inbox_list_request__init(list);
	list->box = box;
	list->wait_ms = wait_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = list;
	return request;
}

const Cpis__V1__InboxListReply *stage_inbox_list(struct stage *stage, enum stage_person person, Cpis__V1__InboxBox box, bool all)
{
	Cpis__V1__InboxListRequest body;
	Cpis__V1__Request request = stage_inbox_list_request(&body, box, 0);
	body.include_acknowledged = all;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_list;
}

Cpis__V1__Request stage_inbox_take_request(Cpis__V1__InboxTakeRequest *take, uint32_t limit, uint32_t wait_ms)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	cpis__v1__inbox_take_request__init(take);
	take->limit = limit;
	take->lease_ms = STAGE_LEASE_MS;
	take->wait_ms = wait_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = take;
	return request;
}

const Cpis__V1__InboxTakeReply *stage_inbox_take(struct stage *stage, enum stage_person person, uint32_t limit)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, limit, 0);
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_take;
}

const Cpis__V1__InboxTakeReply *stage_inbox_hold(struct stage *stage, enum stage_person person, uint64_t id, uint64_t lease, uint32_t lease_ms)
{
	Cpis__V1__InboxTakeRequest body;
	Cpis__V1__Request request = stage_inbox_take_request(&body, 0, 0);
	body.held_id = id;
	body.lease = lease;
	body.lease_ms = lease_ms;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_take;
}

const Cpis__V1__InboxAcknowledgeReply *stage_inbox_settle(struct stage *stage, enum stage_person person, Cpis__V1__InboxBox box, uint64_t id,
							 Cpis__V1__Settlement settlement)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.ids = &id;
	body.n_ids = 1;
	body.box = box;
	body.settlement = settlement;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->inbox_acknowledge;
}
