// The question is always the same, and so is its true answer: yes.
#include "tests/system/lied_to.h"

#include <stdio.h>
#include <string.h>

struct world *world;
struct liar *liar;
struct cpis_client *client;
static char child[11];
char note_before[NOTE_BYTES_MAX + 1];

void meet_liar(void)
{
	world_nhs_number(0, child);
	world = world_new();
	liar = liar_new(world);
	client = world_connect(world, "nurse");
}

void leave_liar(void)
{
	cpis_close(client);
	liar_free(liar);
	world_free(world);
}

enum cpis_status ask(uint32_t deadline_ms, const Cpis__V1__Reply **ret)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = child;
	flag.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	*ret = NULL;
	snprintf(note_before, sizeof note_before, "%s", cpis_checkpoint(client));
	return cpis_call(client, &request, deadline_ms, ret);
}

void assert_believed(void)
{
	const Cpis__V1__Reply *reply = NULL;
	liar_tell(liar, liar_says_the_truth);
	enum cpis_status status = ask(WORLD_CALL_MS, &reply);
	ck_assert_msg(status == CPIS_OK, "%s (%s)", cpis_status_text(status), cpis_detail(client));
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert(reply->flag->flag);
	cpis_reply_free(reply);
}

void assert_caught_within(liar_lie *lie, enum cpis_status expected, uint32_t deadline_ms)
{
	const Cpis__V1__Reply *reply = NULL;
	liar_tell(liar, lie);
	enum cpis_status status = ask(deadline_ms, &reply);
	ck_assert_msg(status == expected, "%s (%s)", cpis_status_text(status), cpis_detail(client));
	ck_assert_ptr_null(reply);
	ck_assert_str_eq(cpis_checkpoint(client), note_before);
	ck_assert_str_ne(cpis_detail(client), "");
	ck_assert_ptr_null(strstr(cpis_detail(client), child));
}

void assert_caught(liar_lie *lie, enum cpis_status expected)
{
	assert_believed();
	assert_caught_within(lie, expected, WORLD_CALL_MS);
}

void altered_path(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.receipt->path[0].data[7] ^= 1;
	liar_send(to, turn);
	turn->reply.receipt->path[0].data[7] ^= 1;
}
