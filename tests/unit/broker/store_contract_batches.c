// The store's contract: batches, and what all values have in common.
#include "tests/unit/broker/store_contract.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOO_LARGE ((uint64_t)INT64_MAX + 1)

// ------------------------------------------------------------------ batches

// One row of every kind, told from those of another batch by `n`.
static void write_all_kinds(unsigned n)
{
	char text[32];
	snprintf(text, sizeof text, "batch %u", n);
	uint64_t id = 0;
	ck_assert_int_eq(put_plan(n, 7, text), STORE_OK);
	ck_assert_int_eq(put_access(7, n, text), STORE_OK);
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, n);
	ck_assert_int_eq(put_item(&leeds, id, text), STORE_OK);
	ck_assert_int_eq(put_authority(&leeds, n, text), STORE_OK);
	ck_assert_int_eq(put_request(n, 1000 + n, text), STORE_OK);
	struct store_audit row = next_row("RXH", 7, 8, 100 * n);
	append(&row);
	ck_assert_int_eq(ops->checkpoint_put(store, text), STORE_OK);
}

// Batches 1 to `n` are there, whole, and nothing else.
static void expect_all_kinds(unsigned n)
{
	struct store_plan plan, *plans;
	struct store_access *accesses;
	struct store_inbox_item *items;
	struct store_authority authority;
	struct store_request request;
	struct store_audit row;
	const char *note;
	size_t count;
	uint64_t size, id;
	struct store_tag subject = tag(7);
	char text[32];
	snprintf(text, sizeof text, "batch %u", n);
	arena_reset(&arena);
	ck_assert_int_eq(ops->plans_of(store, &subject, 100, &arena, &plans, &count), STORE_OK);
	ck_assert_uint_eq(count, n);
	ck_assert_int_eq(ops->accesses_of(store, &subject, true, 0, 100, &arena, &accesses, &count), STORE_OK);
	ck_assert_uint_eq(count, n);
	ck_assert_int_eq(ops->inbox_list(store, STORE_BOX_NOTIFICATIONS, &leeds, 0, true, 100, &arena, &items, &count), STORE_OK);
	ck_assert_uint_eq(count, n);
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, n + 1);
	ck_assert_int_eq(ops->audit_size(store, &size), STORE_OK);
	ck_assert_uint_eq(size, n);
	struct store_tag next = tag(n + 1), last = tag(n);
	ck_assert_int_eq(ops->request_get(store, &next, 0, &arena, &request), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->plan_get(store, &next, 1, &arena, &plan), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->audit_get(store, n, &arena, &row), STORE_NOT_FOUND);
	if (n == 0) {
		ck_assert_int_eq(ops->authority_get(store, &leeds, &arena, &authority), STORE_NOT_FOUND);
		ck_assert_int_eq(ops->checkpoint_get(store, &arena, &note), STORE_NOT_FOUND);
		return;
	}
	ck_assert_int_eq(ops->plan_get(store, &last, 1, &arena, &plan), STORE_OK);
	assert_blob(plan.sealed, text);
	ck_assert_uint_eq(accesses[0].audit_index, n);
	assert_blob(accesses[0].sealed, text);
	assert_blob(items[n - 1].sealed, text);
	ck_assert_int_eq(ops->authority_get(store, &leeds, &arena, &authority), STORE_OK);
	ck_assert_uint_eq(authority.last_published_ms, n);
	assert_blob(authority.sealed, text);
	ck_assert_int_eq(ops->request_get(store, &last, 0, &arena, &request), STORE_OK);
	ck_assert_uint_eq(request.expires_ms, 1000 + n);
	ck_assert_uint_eq(request.digest[0], n);
	assert_blob(request.sealed, text);
	ck_assert_int_eq(ops->audit_get(store, n - 1, &arena, &row), STORE_OK);
	ck_assert_uint_eq(row.time_ms, 100 * n);
	ck_assert_int_eq(ops->checkpoint_get(store, &arena, &note), STORE_OK);
	ck_assert_str_eq(note, text);
}

START_TEST(is_empty_when_it_is_new)
{
	expect_all_kinds(0);
}
END_TEST

START_TEST(shows_a_batch_its_own_rows_before_the_commit)
{
	begin();
	write_all_kinds(1);
	expect_all_kinds(1);
	commit();
	expect_all_kinds(1);
}
END_TEST

START_TEST(rollback_leaves_nothing)
{
	struct merkle_tree before = tree;
	begin();
	write_all_kinds(1);
	ops->rollback(store);
	expect_all_kinds(0);
	tree = before;
	begin();
	write_all_kinds(1);
	commit();
	begin();
	write_all_kinds(2);
	ops->rollback(store);
	expect_all_kinds(1);
}
END_TEST

START_TEST(rollback_without_a_batch_is_harmless)
{
	ops->rollback(store);
	begin();
	write_all_kinds(1);
	commit();
	ops->rollback(store);
	ops->rollback(store);
	expect_all_kinds(1);
}
END_TEST

START_TEST(commits_an_empty_batch)
{
	begin();
	commit();
	expect_all_kinds(0);
}
END_TEST

START_TEST(finds_everything_after_it_was_opened_again)
{
	for (unsigned n = 1; n <= 3; n++) {
		begin();
		write_all_kinds(n);
		commit();
		reopen();
		expect_all_kinds(n);
	}
}
END_TEST

START_TEST(closing_within_a_batch_leaves_nothing_of_it)
{
	begin();
	write_all_kinds(1);
	commit();
	begin();
	write_all_kinds(2);
	reopen();
	expect_all_kinds(1);
}
END_TEST

START_TEST(a_killed_process_leaves_only_what_it_committed)
{
	int ends[2], status = 0;
	char ready = 0;
	close_store();
	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		reopen();
		begin();
		write_all_kinds(1);
		commit();
		begin();
		write_all_kinds(2);
		if (write(ends[1], "r", 1) == 1)
			for (;;)
				pause();
		_exit(EXIT_FAILURE);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	reopen();
	expect_all_kinds(1);
}
END_TEST

// A row that is not the next one is what makes the batch unusable.
static void poison(void)
{
	struct store_audit row = next_row("RXH", 0, 0, 1);
	row.index = 1000;
	ck_assert_int_eq(ops->audit_append(store, &row), STORE_FAILED);
}

START_TEST(a_failed_call_makes_the_batch_unusable_until_rollback)
{
	struct store_plan *plans;
	size_t count;
	struct store_tag subject = tag(7);
	struct store_tag stranger = tag(8);
	uint64_t open;
	begin();
	write_all_kinds(1);
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, &leeds, &open), STORE_OK);
	poison();
	ck_assert_int_eq(put_plan(20, 7, "late"), STORE_FAILED);
	// Nor is anything said that is known without reading.
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, &leeds, &open), STORE_FAILED);
	ck_assert_int_eq(ops->plans_of(store, &stranger, 10, &arena, &plans, &count), STORE_FAILED);
	ck_assert_int_eq(ops->plans_of(store, &subject, 10, &arena, &plans, &count), STORE_FAILED);
	ck_assert_int_eq(ops->commit(store), STORE_FAILED);
	ck_assert_int_eq(ops->commit(store), STORE_FAILED);
	ops->rollback(store);
	memset(&tree, 0, sizeof tree);
	expect_all_kinds(0);
	begin();
	write_all_kinds(1);
	commit();
	expect_all_kinds(1);
}
END_TEST

START_TEST(a_row_that_is_not_there_does_not_spoil_the_batch)
{
	struct store_plan plan;
	struct store_tag nobody = tag(99);
	begin();
	ck_assert_int_eq(ops->plan_get(store, &nobody, 1, &arena, &plan), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 5, 1, blob("x")), STORE_NOT_FOUND);
	write_all_kinds(1);
	commit();
	expect_all_kinds(1);
}
END_TEST

// ------------------------------------------------------------------ values and memory

START_TEST(refuses_numbers_past_the_largest_signed_one)
{
	struct store_audit row = next_row("RXH", 0, 0, TOO_LARGE);
	struct store_inbox_item created = {.organisation = leeds, .id = 1, .created_ms = TOO_LARGE, .sealed = blob("x")};
	for (int i = 0; i < 8; i++) {
		enum store_status status = STORE_OK;
		begin();
		switch (i) {
		case 0: status = put_access(1, TOO_LARGE, "x"); break;
		case 1: status = put_item(&leeds, TOO_LARGE, "x"); break;
		case 2: status = ops->inbox_put(store, &created); break;
		case 3: status = put_authority(&leeds, TOO_LARGE, "x"); break;
		case 4: status = put_request(1, UINT64_MAX, "x"); break;
		case 5: status = ops->audit_append(store, &row); break;
		case 6: status = ops->request_expire(store, TOO_LARGE); break;
		case 7:
			ck_assert_int_eq(put_item(&leeds, 1, "x"), STORE_OK);
			status = ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, TOO_LARGE, blob("x"));
			break;
		}
		ck_assert_msg(status == STORE_FAILED, "value %d", i);
		ck_assert_int_eq(ops->commit(store), STORE_FAILED);
		ops->rollback(store);
	}
	expect_all_kinds(0);
}
END_TEST

START_TEST(keeps_the_largest_signed_number)
{
	struct store_authority authority;
	begin();
	ck_assert_int_eq(put_authority(&leeds, INT64_MAX, "x"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->authority_get(store, &leeds, &arena, &authority), STORE_OK);
	ck_assert_uint_eq(authority.last_published_ms, INT64_MAX);
}
END_TEST

START_TEST(finds_nothing_under_a_number_that_cannot_be_kept)
{
	struct store_audit row;
	struct store_inbox_item item;
	struct merkle_hash hash;
	ck_assert_int_eq(ops->audit_get(store, UINT64_MAX, &arena, &row), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->audit_node(store, UINT64_MAX, 0, &hash), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, UINT64_MAX, &arena, &item), STORE_NOT_FOUND);
}
END_TEST

START_TEST(says_when_the_arena_is_too_small_and_works_with_a_larger_one)
{
	static char large[4000];
	memset(large, 'x', sizeof large - 1);
	struct store_plan plan, *plans;
	struct store_access *accesses;
	struct store_inbox_item item, *items;
	struct store_authority authority;
	struct store_request request;
	struct store_audit audit, *audits;
	const char *note;
	size_t count = 4711;
	struct store_tag one = tag(1);
	struct store_audit_range range = {.until_index = UINT64_MAX, .until_ms = UINT64_MAX, .limit = 10};
	begin();
	ck_assert_int_eq(put_plan(1, 1, large), STORE_OK);
	ck_assert_int_eq(put_access(1, 1, large), STORE_OK);
	ck_assert_int_eq(put_item(&leeds, 1, large), STORE_OK);
	ck_assert_int_eq(put_authority(&leeds, 1, large), STORE_OK);
	ck_assert_int_eq(put_request(1, 1, large), STORE_OK);
	struct store_audit row = next_row("RXH", 1, 1, 1);
	row.record = blob(large);
	append(&row);
	ck_assert_int_eq(ops->checkpoint_put(store, large), STORE_OK);
	commit();

	struct arena small;
	ck_assert(arena_init(&small, 2000));
	struct arena *where = &small;
	for (int round = 0; round < 2; round++, where = &arena) {
		enum store_status expected = round == 0 ? STORE_NO_MEMORY : STORE_OK;
#define TRY(call)                                                                                              \
	do {                                                                                                   \
		arena_reset(where);                                                                            \
		ck_assert_int_eq(call, expected);                                                              \
	} while (0)
		TRY(ops->plan_get(store, &one, 1, where, &plan));
		TRY(ops->plans_of(store, &one, 10, where, &plans, &count));
		TRY(ops->accesses_of(store, &one, true, 0, 10, where, &accesses, &count));
		TRY(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, where, &item));
		TRY(ops->inbox_list(store, STORE_BOX_NOTIFICATIONS, &leeds, 0, true, 10, where, &items, &count));
		TRY(ops->authority_get(store, &leeds, where, &authority));
		TRY(ops->request_get(store, &one, 0, where, &request));
		TRY(ops->audit_get(store, 0, where, &audit));
		TRY(ops->audit_search(store, &range, where, &audits, &count));
		TRY(ops->checkpoint_get(store, where, &note));
#undef TRY
		ck_assert_uint_eq(count, round == 0 ? 4711 : 1); // written on success only
	}
	arena_done(&small);
}
END_TEST

START_TEST(keeps_an_empty_value)
{
	struct store_plan plan;
	struct store_tag one = tag(1);
	begin();
	ck_assert_int_eq(put_plan(1, 1, ""), STORE_OK);
	commit();
	ck_assert_int_eq(ops->plan_get(store, &one, 1, &arena, &plan), STORE_OK);
	ck_assert_uint_eq(plan.sealed.bytes, 0);
}
END_TEST

TCase *contract_batches(void)
{
	TCase *tests = tcase_create("batches");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, is_empty_when_it_is_new);
	tcase_add_test(tests, shows_a_batch_its_own_rows_before_the_commit);
	tcase_add_test(tests, rollback_leaves_nothing);
	tcase_add_test(tests, rollback_without_a_batch_is_harmless);
	tcase_add_test(tests, commits_an_empty_batch);
	tcase_add_test(tests, finds_everything_after_it_was_opened_again);
	tcase_add_test(tests, closing_within_a_batch_leaves_nothing_of_it);
	tcase_add_test(tests, a_killed_process_leaves_only_what_it_committed);
	tcase_add_test(tests, a_failed_call_makes_the_batch_unusable_until_rollback);
	tcase_add_test(tests, a_row_that_is_not_there_does_not_spoil_the_batch);
	tcase_add_test(tests, refuses_numbers_past_the_largest_signed_one);
	tcase_add_test(tests, keeps_the_largest_signed_number);
	tcase_add_test(tests, finds_nothing_under_a_number_that_cannot_be_kept);
	tcase_add_test(tests, says_when_the_arena_is_too_small_and_works_with_a_larger_one);
	tcase_add_test(tests, keeps_an_empty_value);
	return tests;
}
