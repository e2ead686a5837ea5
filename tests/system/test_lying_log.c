// A broker that lies about its log: checkpoints of another key or log, a log that was cut, replaced, or grew from another one.
#include "tests/harness/suite.h"
#include "tests/system/lied_to.h"

static void checkpoint_of_another_key(struct liar *to, struct liar_turn *turn)
{
	struct signing_key *key = NULL;
	ck_assert_int_eq(signing_key_generate(&key), CERTS_OK);
	liar_seal_as(to, turn, key, "cpis.example/audit/test");
	signing_key_free(key);
	liar_send(to, turn);
}

START_TEST(a_checkpoint_that_another_key_signed_is_not_believed)
{
	assert_caught(checkpoint_of_another_key, CPIS_RECEIPT);
}
END_TEST

static void checkpoint_of_another_log(struct liar *to, struct liar_turn *turn)
{
	struct signing_key *key = NULL;
	ck_assert_int_eq(signing_key_load(world_path(world, "authority/broker/log.key"), &key), CERTS_OK);
	liar_seal_as(to, turn, key, "cpis.example/audit/other");
	signing_key_free(key);
	liar_send(to, turn);
}

START_TEST(a_checkpoint_of_another_log_is_not_believed)
{
	assert_caught(checkpoint_of_another_log, CPIS_RECEIPT);
}
END_TEST

static void after_cutting_the_log(struct liar *to, struct liar_turn *turn)
{
	liar_cut(to, 1);
	turn->record.index = 1;
	liar_says_the_truth(to, turn);
}

START_TEST(a_log_that_was_cut_is_noticed)
{
	for (unsigned i = 0; i < 3; i++)
		assert_believed();
	assert_caught(after_cutting_the_log, CPIS_LOG_SHORTENED);
}
END_TEST

static void after_replacing_a_record(struct liar *to, struct liar_turn *turn)
{
	liar_cut(to, 3);
	turn->record.index = 3;
	liar_says_the_truth(to, turn);
}

START_TEST(a_log_of_the_same_length_that_is_another_one_is_noticed)
{
	for (unsigned i = 0; i < 3; i++)
		assert_believed();
	assert_caught(after_replacing_a_record, CPIS_LOG_FORKED);
}
END_TEST

static void after_replacing_records_and_adding_to_them(struct liar *to, struct liar_turn *turn)
{
	liar_cut(to, 1);
	for (turn->record.index = 1; turn->record.index < 9; turn->record.index++)
		liar_seal(to, turn);
	liar_says_the_truth(to, turn);
}

static void with_a_longer_log_and_no_proof(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.receipt->n_growth = 0;
	liar_send(to, turn);
}

static void with_one_bit_of_the_proof_altered(struct liar *to, struct liar_turn *turn)
{
	liar_seal(to, turn);
	turn->reply.receipt->growth[0].data[31] ^= 1;
	liar_send(to, turn);
}

START_TEST(a_longer_log_that_is_another_one_is_noticed)
{
	for (unsigned i = 0; i < 4; i++)
		assert_believed();
	assert_caught(after_replacing_records_and_adding_to_them, CPIS_LOG_FORKED);
}
END_TEST

START_TEST(a_longer_log_that_is_not_proven_to_be_the_same_is_not_believed)
{
	for (unsigned i = 0; i < 4; i++)
		assert_believed();
	assert_caught(with_a_longer_log_and_no_proof, CPIS_LOG_FORKED);
	assert_caught_within(with_one_bit_of_the_proof_altered, CPIS_LOG_FORKED, WORLD_CALL_MS);
}
END_TEST

START_TEST(a_log_that_was_cut_is_noticed_by_the_next_process_too)
{
	struct cpis_options options = world_options(world, "nurse");
	char detail[CPIS_DETAIL_BYTES];
	options.checkpoint_file = world_path(world, "nurse.checkpoint");
	for (unsigned i = 0; i < 2; i++) {
		cpis_close(client);
		ck_assert_int_eq(cpis_connect(&options, &client, detail), CPIS_OK);
		if (i == 0) {
			assert_believed();
			assert_believed();
			assert_believed();
		}
	}
	assert_caught_within(after_cutting_the_log, CPIS_LOG_SHORTENED, WORLD_CALL_MS);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, a_checkpoint_that_another_key_signed_is_not_believed);
	tcase_add_test(tests, a_checkpoint_of_another_log_is_not_believed);
	tcase_add_test(tests, a_log_that_was_cut_is_noticed);
	tcase_add_test(tests, a_log_of_the_same_length_that_is_another_one_is_noticed);
	tcase_add_test(tests, a_longer_log_that_is_another_one_is_noticed);
	tcase_add_test(tests, a_longer_log_that_is_not_proven_to_be_the_same_is_not_believed);
	tcase_add_test(tests, a_log_that_was_cut_is_noticed_by_the_next_process_too);
}

int main(void)
{
	return suite_run_group("lying_log", meet_liar, leave_liar, 120, add);
}
