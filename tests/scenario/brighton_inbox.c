// Each look of the same person at the same child is told anew.
#include "tests/scenario/brighton_inbox.h"

struct stage *stage;

void sign_all_in(void)
{
	static const enum stage_person all[] = {NURSE, LEEDS_WORKER, BRIGHTON_WORKER, BRIGHTON_DUTY, REVIEWER};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		stage_sign_in(stage, all[i]);
}

void raise_curtain(void)
{
	struct stage_file file;
	stage = stage_new();
	stage_set_inbox(stage, STAGE_BRIGHTON, "{same_look_minutes: 0}");
	sign_all_in();
	stage_file_init(&file, BRIGHTON_WORKER, 9);
	stage_expect_ok(stage_ask_as(stage, BRIGHTON_WORKER, &file.request));
}

void drop_curtain(void)
{
	ck_assert(stage_log_verifies(stage));
	stage_free(stage);
}

void look(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		stage_expect_ok(stage_details(stage, NURSE, stage_child(i)));
}

const Cpis__V1__InboxAcknowledgeReply *settle(uint64_t id, Cpis__V1__Settlement settlement)
{
	return stage_inbox_settle(stage, BRIGHTON_WORKER, NOTIFICATIONS, id, settlement);
}

const Cpis__V1__ProgressNotice *notice(size_t n, size_t of)
{
	const Cpis__V1__InboxListReply *inbox = stage_inbox_list(stage, NURSE, NOTIFICATIONS, true);
	ck_assert_uint_eq(inbox->n_items, of);
	ck_assert_int_eq(inbox->items[n - 1]->kind_case, CPIS__V1__INBOX_ITEM__KIND_PROGRESS);
	return inbox->items[n - 1]->progress;
}
