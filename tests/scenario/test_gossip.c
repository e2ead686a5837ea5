// Checkpoints that systems hand in are compared with the log, kept and shown to the others, by turns, until everybody has seen
// everybody's; one that is not of this log is told of and handed out.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

static struct stage *stage;

static void raise_curtain(void)
{
	stage = stage_new();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static const struct stage_reply *exchange_from(enum stage_system system, const char *note, uint64_t after)
{
	Cpis__V1__CheckpointExchangeRequest body = CPIS__V1__CHECKPOINT_EXCHANGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE;
	request.checkpoint_exchange = &body;
	body.checkpoint = (char *)(uintptr_t)note;
	body.after = after;
	return stage_ask(stage, system, &request);
}

static const Cpis__V1__CheckpointExchangeReply *exchange(enum stage_system system, const char *note)
{
	const struct stage_reply *got = exchange_from(system, note, 0);
	stage_expect_ok(got);
	return got->reply->checkpoint_exchange;
}

// The newest note, as a client would hold it.
static const char *newest(enum stage_system system)
{
	const struct stage_reply *got = stage_ping(stage, system);
	stage_expect_ok(got);
	return got->reply->receipt->checkpoint;
}

// Signed by the log's real key, and not of this log: `size` records with another root.
static void sign_other(uint64_t size, char out[NOTE_BYTES_MAX + 1])
{
	struct checkpoint checkpoint = {.size = size, .root = {{1, 2, 3}}};
	memcpy(checkpoint.origin, stage->log.origin, sizeof checkpoint.origin);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, stage->log_key, out), CERTS_OK);
}

static const Cpis__V1__AuditDetail *recorded(uint64_t index)
{
	stage_sign_in(stage, REVIEWER);
	return stage_shown(stage, REVIEWER, index)->detail;
}

START_TEST(what_one_hands_in_is_shown_to_the_others_with_who_and_when)
{
	const char *note = newest(STAGE_HOSPITAL);
	ck_assert_uint_eq(exchange(STAGE_HOSPITAL, note)->n_held, 0);
	const Cpis__V1__CheckpointExchangeReply *got = exchange(STAGE_LEEDS, "");
	ck_assert_uint_eq(got->n_held, 1);
	ck_assert_str_eq(got->held[0]->checkpoint, note);
	ck_assert_str_eq(got->held[0]->organisation, "RXH");
	ck_assert_str_eq(got->held[0]->system_name, "hospital");
	ck_assert_uint_eq(got->held[0]->time_ms, STAGE_NOW_MS);
	ck_assert_uint_eq(got->after, 0);
	// A newer one takes its place, an older one does not; after a restart too.
	const char *newer = newest(STAGE_HOSPITAL);
	exchange(STAGE_HOSPITAL, newer);
	exchange(STAGE_HOSPITAL, note);
	stage_restart(stage);
	got = exchange(STAGE_LEEDS, "");
	ck_assert_uint_eq(got->n_held, 1);
	ck_assert_str_eq(got->held[0]->checkpoint, newer);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_note_of_another_log_or_badly_signed_is_refused)
{
	struct checkpoint checkpoint = {.origin = "other.example/log", .size = 1};
	char note[NOTE_BYTES_MAX + 1], bent[NOTE_BYTES_MAX + 1];
	ck_assert_int_eq(checkpoint_sign(&checkpoint, stage->log_key, note), CERTS_OK);
	stage_expect(exchange_from(STAGE_HOSPITAL, note, 0), INVALID_VALUE, "checkpoint_other_log");
	stage_expect(exchange_from(STAGE_HOSPITAL, "nonsense", 0), INVALID_VALUE, "checkpoint_invalid");
	stage_expect(exchange_from(STAGE_HOSPITAL, "a\nb\nc\n\nd\n", 0), INVALID_VALUE, "checkpoint_invalid");
	snprintf(bent, sizeof bent, "%s", newest(STAGE_HOSPITAL));
	char *size = strchr(bent, '\n') + 1;
	*size = *size == '9' ? '8' : (char)(*size + 1);
	stage_expect(exchange_from(STAGE_HOSPITAL, bent, 0), INVALID_VALUE, "checkpoint_invalid");
	struct signing_key *stranger = NULL;
	ck_assert_int_eq(signing_key_generate(&stranger), CERTS_OK);
	memcpy(checkpoint.origin, stage->log.origin, sizeof checkpoint.origin);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, stranger, note), CERTS_OK);
	stage_expect(exchange_from(STAGE_HOSPITAL, note, 0), INVALID_VALUE, "checkpoint_invalid");
	signing_key_free(stranger);
	ck_assert_uint_eq(exchange(STAGE_LEEDS, "")->n_held, 0);
	stage_expect(exchange_from(STAGE_STRANGER, "", 0), ASID_CHECK_FAILED, "system_unknown");
	stage_expect(exchange_from(STAGE_UNREGISTERED, "", 0), ASID_CHECK_FAILED, "organisation_unknown");
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(what_others_wrote_below_a_note_is_not_passed_on)
{
	char note[NOTE_BYTES_MAX + 1];
	const char *clean = newest(STAGE_HOSPITAL);
	snprintf(note, sizeof note, "%s\xE2\x80\x94 the.plan/of.a.child AAAAAAAA\n", clean);
	exchange(STAGE_HOSPITAL, note);
	ck_assert_str_eq(exchange(STAGE_LEEDS, "")->held[0]->checkpoint, clean);
}
END_TEST

START_TEST(one_that_is_not_of_this_log_is_told_of_recorded_and_handed_out)
{
	static const uint64_t sizes[] = {1, 3, 1000000, INT64_MAX};
	char note[NOTE_BYTES_MAX + 1];
	for (size_t i = 0; i < 4; i++)
		newest(STAGE_HOSPITAL);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		sign_other(sizes[i], note);
		const struct stage_reply *got = exchange_from(STAGE_HOSPITAL, note, 0);
		stage_expect_ok(got);
		ck_assert_ptr_nonnull(strstr(recorded(got->reply->receipt->index)->reason, "FORKED"));
		ck_assert_str_eq(exchange(STAGE_LEEDS, "")->held[0]->checkpoint, note);
	}
	// A true one of the same system does not push it out.
	const char *good = newest(STAGE_HOSPITAL);
	const struct stage_reply *got = exchange_from(STAGE_HOSPITAL, good, 0);
	ck_assert_str_eq(recorded(got->reply->receipt->index)->reason, "");
	const Cpis__V1__CheckpointExchangeReply *all = exchange(STAGE_LEEDS, "");
	ck_assert_uint_eq(all->n_held, 2);
	ck_assert_str_eq(all->held[0]->checkpoint, note);
	ck_assert_str_eq(all->held[1]->checkpoint, good);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

// As if so many systems had handed in, the n-th a tree of n records.
static void put_heard(unsigned count)
{
	char notes[NOTE_BYTES_MAX + 1];
	struct store *store = stage->disk;
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	for (unsigned n = 1; n <= count; n++) {
		struct store_heard row = {.organisation = {"RXH"}, .fits = true, .size = n, .received_ms = n, .note = notes};
		snprintf(row.system_name, sizeof row.system_name, "system %u", n);
		sign_other(n, notes);
		ck_assert_int_eq(store->ops->heard_put(store, &row), STORE_OK);
	}
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
}

START_TEST(by_turns_everybodys_is_seen_and_the_largest_each_time)
{
	bool seen[31] = {false};
	uint64_t after = 0;
	unsigned rounds = 0;
	put_heard(30);
	do {
		const struct stage_reply *got = exchange_from(STAGE_LEEDS, "", after);
		stage_expect_ok(got);
		const Cpis__V1__CheckpointExchangeReply *body = got->reply->checkpoint_exchange;
		ck_assert_uint_le(body->n_held, HELD_CHECKPOINTS_MAX);
		ck_assert_str_eq(body->held[0]->system_name, "system 30");
		for (size_t i = 0; i < body->n_held; i++)
			seen[strtoul(body->held[i]->system_name + strlen("system "), NULL, 10)] = true;
		after = body->after;
		rounds++;
	} while (after != 0 && rounds < 10);
	ck_assert_uint_eq(rounds, 5);
	for (unsigned n = 1; n <= 30; n++)
		ck_assert_msg(seen[n], "%u", n);
	// Whatever somebody asks to go on from.
	ck_assert_uint_eq(exchange_from(STAGE_LEEDS, "", UINT64_MAX)->reply->checkpoint_exchange->n_held, 1);
}
END_TEST

START_TEST(what_is_kept_is_bounded_by_the_systems_that_are_enrolled)
{
	size_t bound = 2 * register_systems_count(stage->snapshot);
	struct store_heard *rows = NULL;
	struct arena arena;
	size_t count = 0;
	put_heard(100);
	exchange(STAGE_LEEDS, newest(STAGE_LEEDS));
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert_int_eq(stage->disk->ops->heard_after(stage->disk, 0, 200, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, bound);
	ck_assert_str_eq(rows[count - 1].system_name, "leeds");
	arena_done(&arena);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_gives_no_answer_and_keeps_nothing)
{
	char note[NOTE_BYTES_MAX + 1];
	snprintf(note, sizeof note, "%s", newest(STAGE_HOSPITAL));
	exchange(STAGE_LEEDS, newest(STAGE_LEEDS));
	uint64_t n = 1;
	for (;; n++) {
		uint64_t before = stage_log_size(stage);
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		const struct stage_reply *got = exchange_from(STAGE_HOSPITAL, note, 0);
		fault_store_mend(&stage->fault);
		if (got->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
		ck_assert_int_eq(got->reply->body_case, CPIS__V1__REPLY__BODY__NOT_SET);
		ck_assert_uint_eq(stage_log_size(stage), before);
		ck_assert_uint_eq(exchange(STAGE_BRIGHTON, "")->n_held, 1);
		ck_assert(stage_log_verifies(stage));
	}
	// begin, expire, nodes, largest, page, put, expire, record, checkpoint, commit.
	ck_assert_uint_gt(n, 8);
	ck_assert_uint_eq(exchange(STAGE_BRIGHTON, "")->n_held, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gossip");
	TCase *tests = tcase_create("gossip");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, what_one_hands_in_is_shown_to_the_others_with_who_and_when);
	tcase_add_test(tests, a_note_of_another_log_or_badly_signed_is_refused);
	tcase_add_test(tests, what_others_wrote_below_a_note_is_not_passed_on);
	tcase_add_test(tests, one_that_is_not_of_this_log_is_told_of_recorded_and_handed_out);
	tcase_add_test(tests, by_turns_everybodys_is_seen_and_the_largest_each_time);
	tcase_add_test(tests, what_is_kept_is_bounded_by_the_systems_that_are_enrolled);
	tcase_add_test(tests, a_store_that_fails_at_any_call_gives_no_answer_and_keeps_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
