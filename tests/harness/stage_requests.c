// The requests that scenarios are full of.
#include "tests/harness/stage_priv.h"

static char *text(const char *from)
{
	return (char *)(uintptr_t)from;
}

const struct stage_reply *stage_ping(struct stage *stage, enum stage_system system)
{
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	return stage_ask(stage, system, &request);
}

const struct stage_reply *stage_flag(struct stage *stage, enum stage_person person, const char *nhs_number)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = text(nhs_number);
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return stage_ask_as(stage, person, &request);
}

const struct stage_reply *stage_details(struct stage *stage, enum stage_person person, const char *nhs_number)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = text(nhs_number);
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	return stage_ask_as(stage, person, &request);
}

const struct stage_reply *stage_inbox(struct stage *stage, enum stage_person person)
{
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.include_acknowledged = true;
	list.limit = PAGE_ITEMS_MAX;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	return stage_ask_as(stage, person, &request);
}

const struct stage_reply *stage_show(struct stage *stage, enum stage_person person, uint64_t index)
{
	Cpis__V1__AuditShowRequest show = CPIS__V1__AUDIT_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	show.index = index;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SHOW;
	request.audit_show = &show;
	return stage_ask_as(stage, person, &request);
}

const Cpis__V1__AuditEntry *stage_shown(struct stage *stage, enum stage_person person, uint64_t index)
{
	const struct stage_reply *got = stage_show(stage, person, index);
	stage_must(got->reply->outcome == CPIS__V1__OUTCOME__OK, "record", got->reply->reason_code);
	return got->reply->audit_show->entry;
}

const char *stage_child(size_t n)
{
	static const char *const numbers[] = {"9990000018", "9990000026", "9990000034", "9990000042", "9990000050",
					      "9990000069", "9990000077", "9990000085", "9990000093"};
	stage_must(n < sizeof numbers / sizeof numbers[0], "children", "there are not so many");
	return numbers[n];
}

void stage_file_init(struct stage_file *file, enum stage_person worker, size_t count)
{
	cpis__v1__request__init(&file->request);
	cpis__v1__publish_request__init(&file->publish);
	file->request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	file->request.publish = &file->publish;
	file->publish.authority = text(stage_props[stage_system_of(worker)].ods);
	file->publish.records = file->plans;
	file->publish.n_records = count;
	for (size_t i = 0; i < STAGE_PLANS_MAX; i++) {
		Cpis__V1__PlanRecord *plan = file->plans[i] = &file->plan[i];
		cpis__v1__plan_record__init(plan);
		plan->nhs_number = text(stage_child(i % 9));
		plan->type = i < 9 ? CPIS__V1__PLAN_TYPE__CPP : CPIS__V1__PLAN_TYPE__LAC;
		plan->start_date = text("2026-02-03");
		plan->birth_date = text(STAGE_BIRTH_DATE);
		plan->family_name = text("EXAMPLE");
		plan->given_names = text("ALEX");
		plan->row = (uint32_t)i + 1;
	}
}

void stage_publish(struct stage *stage, enum stage_person worker, const char *nhs_number, Cpis__V1__PlanType type,
		   const char *start, const char *end, const char *withdrawn)
{
	struct stage_file file;
	stage_file_init(&file, worker, 1);
	file.plan[0].nhs_number = text(nhs_number);
	file.plan[0].type = type;
	file.plan[0].start_date = text(start);
	file.plan[0].end_date = text(end == NULL ? "" : end);
	file.plan[0].delete_date = text(withdrawn == NULL ? "" : withdrawn);
	const struct stage_reply *got = stage_ask_as(stage, worker, &file.request);
	stage_must(got->reply->outcome == CPIS__V1__OUTCOME__OK && got->reply->publish->stored == 1, nhs_number,
		   got->reply->outcome == CPIS__V1__OUTCOME__OK && got->reply->publish->n_rejected > 0
			   ? got->reply->publish->rejected[0]->detail
			   : got->reply->reason);
	stage_tick(stage);
}
