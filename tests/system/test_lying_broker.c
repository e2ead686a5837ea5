// A broker that lies about what it did: false receipts, records and proofs; and the truth, which is believed.
#include <stdlib.h>

#include "tests/harness/suite.h"
#include "tests/system/lied_to.h"

START_TEST(an_answer_that_is_true_is_believed_and_its_checkpoint_kept)
{
	for (unsigned i = 0; i < 9; i++) {
		assert_believed();
		ck_assert_str_ne(cpis_checkpoint(client), note_before);
	}
}
END_TEST

static void without_receipt(struct liar *to, struct liar_turn *turn)
{
	liar_send(to, turn);
}

START_TEST(an_answer_without_a_receipt_is_not_believed)
{
	assert_caught(without_receipt, CPIS_PROTOCOL);
}
END_TEST

static void receipt_of_another_request(struct liar *to, struct liar_turn *turn)
{
	turn->reply.receipt = &liar_kept(to, 0)->receipt;
	liar_send(to, turn);
}

START_TEST(a_receipt_of_another_request_is_not_believed)
{
	assert_caught(receipt_of_another_request, CPIS_RECEIPT);
}
END_TEST

static void record_of_another_outcome(struct liar *to, struct liar_turn *turn)
{
	static char code[] = "role_lacks_activity";
	turn->record.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
	turn->record.reason_code = code;
	liar_says_the_truth(to, turn);
}

static void record_of_another_reason(struct liar *to, struct liar_turn *turn)
{
	static char code[] = "deadline";
	turn->record.reason_code = code;
	liar_says_the_truth(to, turn);
}

static void record_of_another_request_id(struct liar *to, struct liar_turn *turn)
{
	static uint8_t id[REQUEST_ID_BYTES] = {1};
	turn->record.request_id.data = id;
	liar_says_the_truth(to, turn);
}

static void record_without_request_id(struct liar *to, struct liar_turn *turn)
{
	turn->record.request_id = (ProtobufCBinaryData){0, NULL};
	liar_says_the_truth(to, turn);
}

static void record_of_another_operation(struct liar *to, struct liar_turn *turn)
{
	turn->record.operation = CPIS__V1__OPERATION__PING;
	liar_says_the_truth(to, turn);
}

static void record_of_no_operation(struct liar *to, struct liar_turn *turn)
{
	turn->record.operation = CPIS__V1__OPERATION__OPERATION_UNSPECIFIED;
	liar_says_the_truth(to, turn);
}

static void record_of_another_organisation(struct liar *to, struct liar_turn *turn)
{
	static char organisation[] = "RYD";
	turn->record.organisation = organisation;
	liar_says_the_truth(to, turn);
}

static void record_of_another_system(struct liar *to, struct liar_turn *turn)
{
	static char system[] = "second-record-system";
	turn->record.system_name = system;
	liar_says_the_truth(to, turn);
}

static void record_of_nobody(struct liar *to, struct liar_turn *turn)
{
	static char nobody[] = "";
	turn->record.organisation = turn->record.system_name = nobody;
	liar_says_the_truth(to, turn);
}

static void record_of_another_broker(struct liar *to, struct liar_turn *turn)
{
	static char broker[] = "some-other-broker";
	turn->record.broker_name = broker;
	liar_says_the_truth(to, turn);
}

static void record_of_another_place(struct liar *to, struct liar_turn *turn)
{
	turn->record.index++;
	liar_says_the_truth(to, turn);
}

static void record_of_another_version(struct liar *to, struct liar_turn *turn)
{
	turn->record.version = 2;
	liar_says_the_truth(to, turn);
}

static liar_lie *const false_records[] = {
	record_of_another_outcome,	record_of_another_reason,    record_of_another_request_id, record_without_request_id,
	record_of_another_operation,	record_of_no_operation,	     record_of_another_organisation,
	record_of_another_system,	record_of_nobody,	     record_of_another_broker,     record_of_another_place,
	record_of_another_version,
};

START_TEST(a_record_that_says_anything_else_than_what_happened_is_not_believed)
{
	assert_caught(false_records[_i], CPIS_RECEIPT);
}
END_TEST

static void refusal_recorded_as_done(struct liar *to, struct liar_turn *turn)
{
	static char code[] = "role_profile";
	liar_seal(to, turn);
	turn->reply.outcome = CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR;
	turn->reply.reason_code = code;
	turn->reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	liar_send(to, turn);
}

START_TEST(a_refusal_that_is_recorded_as_done_is_not_believed)
{
	assert_caught(refusal_recorded_as_done, CPIS_RECEIPT);
}
END_TEST

static void shortened_path(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.receipt->n_path--;
	liar_send(to, turn);
	turn->reply.receipt->n_path++;
}

static void altered_record(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	// The last byte of the broker's name: what stands there is read no less well.
	turn->reply.receipt->record.data[turn->reply.receipt->record.len - 1] ^= 1;
	liar_send(to, turn);
}

static void altered_salt(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.receipt->salt.data[0] ^= 1;
	liar_send(to, turn);
}

static void another_index(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.receipt->index--;
	liar_send(to, turn);
}

static liar_lie *const false_proofs[] = {altered_path, shortened_path, altered_record, altered_salt, another_index};

START_TEST(a_proof_with_one_byte_altered_is_not_believed)
{
	assert_believed();
	assert_caught(false_proofs[_i], CPIS_RECEIPT);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, an_answer_that_is_true_is_believed_and_its_checkpoint_kept);
	tcase_add_test(tests, an_answer_without_a_receipt_is_not_believed);
	tcase_add_test(tests, a_receipt_of_another_request_is_not_believed);
	tcase_add_loop_test(tests, a_record_that_says_anything_else_than_what_happened_is_not_believed, 0,     COUNT(false_records));
	tcase_add_test(tests, a_refusal_that_is_recorded_as_done_is_not_believed);
	tcase_add_loop_test(tests, a_proof_with_one_byte_altered_is_not_believed, 0, COUNT(false_proofs));
}

int main(void)
{
	return suite_run_group("lying_broker", meet_liar, leave_liar, 120, add);
}
