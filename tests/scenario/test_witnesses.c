// Cosignatures are collected by the broker: one checkpoint for all witnesses, merged, the quorum, and what is refused without it.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/witnessing.h"
#include "tests/harness/stage.h"

#define WITNESSES 3u
#define DASH "\xE2\x80\x94"

static struct stage *stage;
static struct signing_key *keys[WITNESSES];
static const char *const names[WITNESSES] = {"leeds.example/w", "kent.example/w", "nhse.example/w"};

// Two of three.
static void raise_curtain(void)
{
	stage = stage_new();
	struct witness_policy *policy = &stage->witnesses;
	policy->count = WITNESSES;
	for (unsigned i = 0; i < WITNESSES; i++) {
		ck_assert_int_eq(signing_key_generate(&keys[i]), CERTS_OK);
		snprintf(policy->witnesses[i].name, sizeof policy->witnesses[i].name, "w%u", i);
		snprintf(policy->witnesses[i].key.origin, sizeof policy->witnesses[i].key.origin, "%s", names[i]);
		signing_key_public(keys[i], policy->witnesses[i].key.public_key);
	}
	policy->group_count = 1;
	policy->groups[0].threshold = 2;
	policy->groups[0].witnesses = 7;
	policy->required = policy->quorum_is_group = true;
	stage_restart(stage);
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
}

static void drop_curtain(void)
{
	for (unsigned i = 0; i < WITNESSES; i++)
		signing_key_free(keys[i]);
	stage_free(stage);
}

static const struct stage_reply *hand_in(const char *note)
{
	Cpis__V1__CheckpointExchangeRequest body = CPIS__V1__CHECKPOINT_EXCHANGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE;
	request.checkpoint_exchange = &body;
	body.checkpoint = (char *)(uintptr_t)note;
	return stage_ask(stage, STAGE_LEEDS, &request);
}

static const Cpis__V1__CheckpointExchangeReply *exchange(const char *note)
{
	const struct stage_reply *got = hand_in(note);
	stage_expect_ok(got);
	return got->reply->checkpoint_exchange;
}

static const char *to_cosign(void)
{
	const Cpis__V1__CheckpointExchangeReply *got = exchange("");
	ck_assert_ptr_nonnull(got->to_cosign);
	return got->to_cosign->checkpoint;
}

// Borrowed until the fourth call after it.
static const char *cosigned(const char *note, unsigned witness, uint64_t time_s)
{
	static char notes[4][NOTE_BYTES_MAX + 1];
	static unsigned turn;
	char *out = notes[turn++ % 4];
	ck_assert_int_eq(cosignature_add(note, names[witness], keys[witness], time_s, out), CERTS_OK);
	return out;
}

static uint64_t now_s(void)
{
	return stage->now_ms / 1000;
}

START_TEST(all_witnesses_are_given_one_checkpoint_until_a_quorum_has_cosigned_it)
{
	const char *note = to_cosign();
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	ck_assert_str_eq(to_cosign(), note);
	const Cpis__V1__CheckpointExchangeReply *got = exchange(cosigned(note, 0, now_s()));
	ck_assert_ptr_null(got->witnessed);
	ck_assert_ptr_nonnull(strstr(got->to_cosign->checkpoint, names[0]));
	// Each hands in its own line alone; the broker has the others'. It outlasts a restart.
	stage_restart(stage);
	got = exchange(cosigned(note, 2, now_s() - 5));
	ck_assert_ptr_nonnull(got->witnessed);
	ck_assert_ptr_nonnull(strstr(got->witnessed->checkpoint, names[0]));
	ck_assert_ptr_nonnull(strstr(got->witnessed->checkpoint, names[2]));
	ck_assert_uint_eq(got->witnessed->time_ms, (now_s() - 5) * 1000);
	ck_assert_str_eq(got->witnessed->organisation, "");
	// And the next one is set down: another, without cosignatures.
	ck_assert_int_ne(strncmp(got->to_cosign->checkpoint, note, strlen(note)), 0);
	ck_assert_ptr_null(strstr(got->to_cosign->checkpoint, names[0]));
	stage_restart(stage);
	ck_assert_str_eq(exchange("")->witnessed->checkpoint, got->witnessed->checkpoint);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_late_one_is_added_to_the_witnessed_checkpoint_and_keeps_it_recent)
{
	const char *note = to_cosign();
	exchange(cosigned(note, 0, now_s()));
	exchange(cosigned(note, 1, now_s()));
	stage->now_ms += 10 * STAGE_MINUTE_MS;
	const Cpis__V1__CheckpointExchangeReply *got = exchange(cosigned(note, 2, now_s()));
	ck_assert_ptr_nonnull(strstr(got->witnessed->checkpoint, names[2]));
	got = exchange(cosigned(note, 0, now_s()));
	ck_assert_uint_eq(got->witnessed->time_ms, now_s() * 1000);
	// An older cosignature does not take a newer one's place.
	got = exchange(cosigned(note, 0, now_s() - 600));
	ck_assert_uint_eq(got->witnessed->time_ms, now_s() * 1000);
}
END_TEST

START_TEST(operators_are_shown_what_is_witnessed_and_since_when)
{
	Cpis__V1__OperationsShowRequest body = CPIS__V1__OPERATIONS_SHOW_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_OPERATIONS_SHOW;
	request.operations_show = &body;
	stage_sign_in(stage, OPERATOR);
	const struct stage_reply *got = stage_ask_as(stage, OPERATOR, &request);
	stage_expect_ok(got);
	ck_assert(got->reply->operations_show->log->witnesses_wanted);
	ck_assert_uint_eq(got->reply->operations_show->log->witnessed_size, 0);
	uint64_t size = stage_log_size(stage);
	const char *note = to_cosign();
	exchange(cosigned(note, 0, now_s()));
	exchange(cosigned(note, 2, now_s() - 5));
	got = stage_ask_as(stage, OPERATOR, &request);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->operations_show->log->witnessed_size, size);
	ck_assert_uint_eq(got->reply->operations_show->log->witnessed_ms, (now_s() - 5) * 1000);
	ck_assert_uint_gt(got->reply->operations_show->log->size, size);
}
END_TEST

START_TEST(one_that_nobody_completes_gives_way_after_an_hour)
{
	const char *note = to_cosign();
	exchange(cosigned(note, 0, now_s()));
	stage->now_ms += WITNESSING_PIN_MS;
	ck_assert_int_eq(strncmp(to_cosign(), note, strlen(note)), 0);
	stage->now_ms++;
	const char *next = to_cosign();
	ck_assert_int_ne(strncmp(next, note, strlen(note)), 0);
	// What comes for the old one is too late.
	ck_assert_ptr_null(exchange(cosigned(note, 1, now_s()))->witnessed);
	ck_assert_str_eq(to_cosign(), next);
}
END_TEST

START_TEST(a_line_under_a_witnesss_name_that_is_not_its_own_is_refused)
{
	char bent[NOTE_BYTES_MAX + 1];
	const char *note = to_cosign();
	snprintf(bent, sizeof bent, "%s", cosigned(note, 0, now_s()));
	char *last = strrchr(bent, '=');
	ck_assert_ptr_nonnull(last);
	last[-3] = last[-3] == 'A' ? 'B' : 'A';
	stage_expect(hand_in(bent), INVALID_VALUE, "cosignature_invalid");
	// Another checkpoint's cosignature, moved here.
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	const char *other = stage_ping(stage, STAGE_HOSPITAL)->reply->receipt->checkpoint;
	const char *line = strstr(cosigned(other, 0, now_s()), DASH " leeds");
	snprintf(bent, sizeof bent, "%s%s", note, line);
	stage_expect(hand_in(bent), INVALID_VALUE, "cosignature_invalid");
	ck_assert_str_eq(to_cosign(), note);
}
END_TEST

START_TEST(strangers_and_the_future_do_not_count)
{
	char out[NOTE_BYTES_MAX + 1];
	struct signing_key *stranger = NULL;
	const char *note = to_cosign();
	ck_assert_int_eq(signing_key_generate(&stranger), CERTS_OK);
	ck_assert_int_eq(cosignature_add(note, "stranger.example/w", stranger, now_s(), out), CERTS_OK);
	exchange(out);
	// The same name with another key is another witness.
	ck_assert_int_eq(cosignature_add(note, names[1], stranger, now_s(), out), CERTS_OK);
	exchange(out);
	stage_expect(hand_in(cosigned(note, 1, now_s() + 61)), INVALID_VALUE, "cosignature_invalid");
	signing_key_free(stranger);
	ck_assert_str_eq(to_cosign(), note);
	exchange(cosigned(note, 0, now_s()));
	ck_assert_ptr_nonnull(exchange(cosigned(note, 1, now_s() + 60))->witnessed);
}
END_TEST

START_TEST(without_a_policy_nobody_is_asked)
{
	stage->witnesses = (struct witness_policy){0};
	stage_restart(stage);
	const Cpis__V1__CheckpointExchangeReply *got = exchange("");
	ck_assert_ptr_null(got->to_cosign);
	ck_assert_ptr_null(got->witnessed);
}
END_TEST

START_TEST(where_witnesses_are_required_nothing_else_is_answered_without_them)
{
	stage_sign_in(stage, NURSE);
	stage->witness_required_s = 3600;
	stage_restart(stage);
	const struct stage_reply *got = stage_flag(stage, NURSE, stage_child(0));
	stage_expect(got, SERVICE_UNAVAILABLE, "log_unwitnessed");
	ck_assert_ptr_nonnull(got->reply->receipt);
	ck_assert_uint_eq(got->reply->retry_after_ms, 30000);
	struct stage_statement statement = stage_statement(stage, NURSE);
	stage_expect(stage_present(stage, &statement), SERVICE_UNAVAILABLE, "log_unwitnessed");
	stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	const char *note = to_cosign();
	exchange(cosigned(note, 0, now_s()));
	exchange(cosigned(note, 1, now_s()));
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_restart(stage);
	stage->now_ms += STAGE_HOUR_MS;
	stage_sign_in(stage, NURSE);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage->now_ms += 1000;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SERVICE_UNAVAILABLE, "log_unwitnessed");
	// Other witnesses are wanted: what the old ones cosigned does not count.
	exchange(cosigned(note, 0, now_s()));
	exchange(cosigned(note, 1, now_s()));
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage->witnesses.groups[0].threshold = 3;
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SERVICE_UNAVAILABLE, "log_unwitnessed");
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_takes_no_cosignature_in)
{
	stage_sign_in(stage, NURSE);
	stage->witness_required_s = 3600;
	stage_restart(stage);
	const char *note = to_cosign();
	exchange(cosigned(note, 0, now_s()));
	const char *second = cosigned(note, 1, now_s());
	uint64_t n = 1;
	for (;; n++) {
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		const struct stage_reply *got = hand_in(second);
		fault_store_mend(&stage->fault);
		if (got->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
		stage_expect(stage_flag(stage, NURSE, stage_child(0)), SERVICE_UNAVAILABLE, "log_unwitnessed");
		ck_assert_ptr_null(exchange("")->witnessed);
		ck_assert(stage_log_verifies(stage));
	}
	ck_assert_uint_gt(n, 12);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	ck_assert_ptr_nonnull(exchange("")->witnessed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("witnesses");
	TCase *tests = tcase_create("witnesses");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, all_witnesses_are_given_one_checkpoint_until_a_quorum_has_cosigned_it);
	tcase_add_test(tests, a_late_one_is_added_to_the_witnessed_checkpoint_and_keeps_it_recent);
	tcase_add_test(tests, operators_are_shown_what_is_witnessed_and_since_when);
	tcase_add_test(tests, one_that_nobody_completes_gives_way_after_an_hour);
	tcase_add_test(tests, a_line_under_a_witnesss_name_that_is_not_its_own_is_refused);
	tcase_add_test(tests, strangers_and_the_future_do_not_count);
	tcase_add_test(tests, without_a_policy_nobody_is_asked);
	tcase_add_test(tests, where_witnesses_are_required_nothing_else_is_answered_without_them);
	tcase_add_test(tests, a_store_that_fails_at_any_call_takes_no_cosignature_in);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
