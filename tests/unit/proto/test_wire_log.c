// Limits of what consistency proofs are asked for and given in, and of exchanged checkpoints, at the limit and one past it, both ways.
#include <stdio.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/unit/proto/whole.h"

static uint8_t hash[HASH_BYTES + 1];
static char note[] = "a note";

// One more than may be.
static ProtobufCBinaryData *many_hashes(void)
{
	static ProtobufCBinaryData hashes[GROWTH_PATH_MAX + 1];
	for (size_t i = 0; i <= GROWTH_PATH_MAX; i++)
		hashes[i] = (ProtobufCBinaryData){HASH_BYTES, hash};
	return hashes;
}

START_TEST(a_consistency_request_has_two_sizes_in_order)
{
	Cpis__V1__AuditConsistencyRequest body = CPIS__V1__AUDIT_CONSISTENCY_REQUEST__INIT;
	Cpis__V1__Request request = request_of(CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY);
	request.audit_consistency = &body;
	expect(&request.base, false, WIRE_MISSING, "audit_consistency.old_size");
	body.old_size = 5;
	expect(&request.base, false, WIRE_MISSING, "audit_consistency.new_size");
	body.new_size = 4;
	expect(&request.base, false, WIRE_BAD_VALUE, "audit_consistency.new_size");
	body.new_size = 5;
	expect(&request.base, false, WIRE_OK, NULL);
}
END_TEST

START_TEST(a_receipt_proves_growth_by_up_to_65_hashes)
{
	Cpis__V1__Receipt receipt;
	Cpis__V1__PingReply ping = CPIS__V1__PING_REPLY__INIT;
	Cpis__V1__Reply reply = reply_of(&receipt, CPIS__V1__REPLY__BODY_PING);
	reply.ping = &ping;
	receipt.growth = many_hashes();
	receipt.n_growth = GROWTH_PATH_MAX;
	expect(&reply.base, true, WIRE_OK, NULL);
	receipt.n_growth++;
	expect(&reply.base, true, WIRE_TOO_MANY, "receipt.growth");
	receipt.n_growth = 1;
	receipt.growth[0].len = HASH_BYTES + 1;
	expect(&reply.base, true, WIRE_BAD_VALUE, "receipt.growth");
}
END_TEST

START_TEST(a_consistency_reply_has_up_to_65_hashes)
{
	Cpis__V1__Receipt receipt;
	Cpis__V1__AuditConsistencyReply body = CPIS__V1__AUDIT_CONSISTENCY_REPLY__INIT;
	Cpis__V1__Reply reply = reply_of(&receipt, CPIS__V1__REPLY__BODY_AUDIT_CONSISTENCY);
	reply.audit_consistency = &body;
	body.path = many_hashes();
	body.n_path = GROWTH_PATH_MAX;
	expect(&reply.base, true, WIRE_OK, NULL);
	body.n_path++;
	expect(&reply.base, true, WIRE_TOO_MANY, "audit_consistency.path");
}
END_TEST

START_TEST(an_exchange_takes_any_note_or_none_up_to_its_bytes)
{
	static char text[CHECKPOINT_BYTES_MAX + 2];
	Cpis__V1__CheckpointExchangeRequest body = CPIS__V1__CHECKPOINT_EXCHANGE_REQUEST__INIT;
	Cpis__V1__Request request = request_of(CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE);
	request.checkpoint_exchange = &body;
	expect(&request.base, false, WIRE_OK, NULL);
	memset(text, 'a', CHECKPOINT_BYTES_MAX);
	text[7] = '\n';
	body.checkpoint = text;
	body.after = UINT64_MAX;
	expect(&request.base, false, WIRE_OK, NULL);
	text[CHECKPOINT_BYTES_MAX] = 'a';
	expect(&request.base, false, WIRE_BAD_TEXT, "checkpoint_exchange.checkpoint");
	text[CHECKPOINT_BYTES_MAX] = '\0';
	text[9] = '\r';
	expect(&request.base, false, WIRE_BAD_TEXT, "checkpoint_exchange.checkpoint");
}
END_TEST

static void expect_held(const Cpis__V1__Reply *reply, Cpis__V1__HeldCheckpoint *held, const char *where)
{
	static char ods[] = "RXH", lower[] = "rxh", name[SYSTEM_NAME_BYTES_MAX + 2], empty[] = "";
	char field[64];
	memset(name, 'a', SYSTEM_NAME_BYTES_MAX);
	name[SYSTEM_NAME_BYTES_MAX] = '\0';
	*held = (Cpis__V1__HeldCheckpoint)CPIS__V1__HELD_CHECKPOINT__INIT;
	snprintf(field, sizeof field, "checkpoint_exchange.%s.checkpoint", where);
	expect(&reply->base, true, WIRE_MISSING, field);
	held->checkpoint = note;
	expect(&reply->base, true, WIRE_OK, NULL);
	held->organisation = lower;
	snprintf(field, sizeof field, "checkpoint_exchange.%s.organisation", where);
	expect(&reply->base, true, WIRE_BAD_VALUE, field);
	held->organisation = ods;
	held->system_name = name;
	expect(&reply->base, true, WIRE_OK, NULL);
	name[SYSTEM_NAME_BYTES_MAX] = 'a';
	name[SYSTEM_NAME_BYTES_MAX + 1] = '\0';
	snprintf(field, sizeof field, "checkpoint_exchange.%s.system_name", where);
	expect(&reply->base, true, WIRE_BAD_VALUE, field);
	held->system_name = empty;
}

START_TEST(an_exchanges_answer_has_up_to_8_notes_with_whom_they_are_from)
{
	Cpis__V1__Receipt receipt;
	Cpis__V1__CheckpointExchangeReply body = CPIS__V1__CHECKPOINT_EXCHANGE_REPLY__INIT;
	Cpis__V1__HeldCheckpoint held, *all[HELD_CHECKPOINTS_MAX + 1];
	Cpis__V1__Reply reply = reply_of(&receipt, CPIS__V1__REPLY__BODY_CHECKPOINT_EXCHANGE);
	reply.checkpoint_exchange = &body;
	expect(&reply.base, true, WIRE_OK, NULL);
	for (size_t i = 0; i <= HELD_CHECKPOINTS_MAX; i++)
		all[i] = &held;
	body.held = all;
	body.n_held = 1;
	expect_held(&reply, &held, "held");
	body.n_held = HELD_CHECKPOINTS_MAX;
	expect(&reply.base, true, WIRE_OK, NULL);
	body.n_held++;
	expect(&reply.base, true, WIRE_TOO_MANY, "checkpoint_exchange.held");
	body.n_held = 0;
	body.to_cosign = &held;
	expect_held(&reply, &held, "to_cosign");
	body.to_cosign = NULL;
	body.witnessed = &held;
	expect_held(&reply, &held, "witnessed");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, a_consistency_request_has_two_sizes_in_order);
	tcase_add_test(tests, a_receipt_proves_growth_by_up_to_65_hashes);
	tcase_add_test(tests, a_consistency_reply_has_up_to_65_hashes);
	tcase_add_test(tests, an_exchange_takes_any_note_or_none_up_to_its_bytes);
	tcase_add_test(tests, an_exchanges_answer_has_up_to_8_notes_with_whom_they_are_from);
}

int main(void)
{
	return suite_run_group("wire_log", whole_setup, whole_teardown, 0, add);
}
