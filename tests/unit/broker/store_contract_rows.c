// The store's contract: plans, accesses, authorities, requests, and what is kept about the log.
#include "tests/unit/broker/store_contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ------------------------------------------------------------------ plans and accesses

START_TEST(replaces_a_plan_of_the_same_slot)
{
	struct store_plan plan, *plans;
	size_t count;
	struct store_tag slot = tag(1), subject = tag(7);
	begin();
	ck_assert_int_eq(put_plan(1, 7, "first"), STORE_OK);
	ck_assert_int_eq(put_plan(1, 7, "second"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->plan_get(store, &slot, 1, &arena, &plan), STORE_OK);
	assert_blob(plan.sealed, "second");
	ck_assert_mem_eq(plan.slot.bytes, slot.bytes, TAG_BYTES);
	ck_assert_mem_eq(plan.subject.bytes, subject.bytes, TAG_BYTES);
	ck_assert_str_eq(plan.authority.text, "383");
	ck_assert_int_eq(ops->plans_of(store, &subject, 10, &arena, &plans, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
}
END_TEST

static enum store_status put_version(unsigned slot, uint64_t generation, const struct ods_code *authority, const char *sealed)
{
	struct store_plan plan = {tag(slot), generation, tag(7), *authority, blob(sealed)};
	return ops->plan_put(store, &plan);
}

START_TEST(keeps_versions_of_a_plan_and_finds_the_newest_up_to_a_generation)
{
	struct store_tag slot = tag(1);
	struct store_plan plan;
	begin();
	ck_assert_int_eq(put_version(1, 2, &leeds, "two"), STORE_OK);
	ck_assert_int_eq(put_version(1, 5, &leeds, "five"), STORE_OK);
	ck_assert_int_eq(put_version(1, 5, &leeds, "FIVE"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->plan_get(store, &slot, 1, &arena, &plan), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->plan_get(store, &slot, 4, &arena, &plan), STORE_OK);
	ck_assert_uint_eq(plan.generation, 2);
	ck_assert_int_eq(ops->plan_get(store, &slot, INT64_MAX, &arena, &plan), STORE_OK);
	ck_assert_uint_eq(plan.generation, 5);
	ck_assert_mem_eq(plan.sealed.data, "FIVE", 4);
	begin();
	ck_assert_int_eq(ops->plan_delete(store, &slot, 5), STORE_OK);
	ck_assert_int_eq(ops->plan_delete(store, &slot, 5), STORE_OK);
	commit();
	ck_assert_int_eq(ops->plan_get(store, &slot, 9, &arena, &plan), STORE_OK);
	ck_assert_uint_eq(plan.generation, 2);
}
END_TEST

START_TEST(walks_an_authoritys_versions_by_generation_and_slot)
{
	struct store_plan_place after = {0};
	struct store_plan *rows;
	size_t count, seen = 0;
	begin();
	for (unsigned slot = 1; slot <= 5; slot++) {
		ck_assert_int_eq(put_version(slot, 1 + slot % 2, &leeds, "x"), STORE_OK);
		ck_assert_int_eq(put_version(slot + 10, 1, &brighton, "x"), STORE_OK);
	}
	ck_assert_int_eq(put_version(9, 3, &leeds, "x"), STORE_OK);
	commit();
	do {
		ck_assert_int_eq(ops->plans_in(store, &leeds, &after, 2, 2, &arena, &rows, &count), STORE_OK);
		for (size_t i = 0; i < count; i++) {
			ck_assert(rows[i].generation > after.generation ||
				  (rows[i].generation == after.generation &&
				   memcmp(&rows[i].slot, &after.slot, sizeof after.slot) > 0));
			ck_assert_str_eq(rows[i].authority.text, leeds.text);
			after = (struct store_plan_place){rows[i].generation, rows[i].slot};
			seen++;
		}
	} while (count > 0);
	ck_assert_uint_eq(seen, 5);
}
END_TEST

START_TEST(gives_the_authority_that_has_been_due_for_longest)
{
	struct store_authority authority = {leeds, 1, 0, blob("x")};
	begin();
	ck_assert_int_eq(ops->authority_put(store, &authority), STORE_OK);
	ck_assert_int_eq(ops->authority_due(store, &arena, &authority), STORE_NOT_FOUND);
	authority = (struct store_authority){leeds, 1, 20, blob("x")};
	ck_assert_int_eq(ops->authority_put(store, &authority), STORE_OK);
	authority = (struct store_authority){brighton, 1, 10, blob("x")};
	ck_assert_int_eq(ops->authority_put(store, &authority), STORE_OK);
	ck_assert_int_eq(ops->authority_due(store, &arena, &authority), STORE_OK);
	ck_assert_str_eq(authority.organisation.text, brighton.text);
	ck_assert_uint_eq(authority.due_ms, 10);
	commit();
}
END_TEST

static struct store_rejection rejection(uint64_t generation, uint32_t place, unsigned record, const char *field, uint64_t since)
{
	struct store_rejection row = {leeds, generation, place, tag(record), 7, "", since, blob("why")};
	snprintf(row.field, sizeof row.field, "%s", field);
	return row;
}

START_TEST(keeps_rejections_by_file_counts_them_and_lets_those_of_other_files_go)
{
	const uint64_t keep[2] = {2, 4};
	struct store_rejection *rows, like;
	struct store_rejection_count *counts;
	uint64_t since;
	size_t count;
	begin();
	for (uint32_t place = 0; place < 6; place++) {
		struct store_rejection row = rejection(1 + place % 2, place, place, place < 2 ? "end_date" : "start_date", 100 + place);
		ck_assert_int_eq(ops->rejection_put(store, &row), STORE_OK);
	}
	ck_assert_int_eq(ops->rejections_of(store, &leeds, 2, 2, 10, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(rows[0].place, 3);
	ck_assert_str_eq(rows[0].field, "start_date");
	like = rejection(2, 0, 3, "start_date", 0);
	ck_assert_int_eq(ops->rejection_since(store, &like, &since), STORE_OK);
	ck_assert_uint_eq(since, 103);
	like = rejection(2, 0, 3, "end_date", 0);
	ck_assert_int_eq(ops->rejection_since(store, &like, &since), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->rejection_counts(store, &leeds, 2, 10, &arena, &counts, &count), STORE_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(counts[1].field, "start_date");
	ck_assert_uint_eq(counts[1].count, 2);
	ck_assert_uint_eq(counts[1].oldest_ms, 103);
	ck_assert_int_eq(ops->rejection_expire(store, &leeds, keep, 2, &count), STORE_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(ops->rejection_expire(store, &leeds, keep, 2, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(ops->rejections_of(store, &leeds, 2, 0, 10, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, 3);
	commit();
}
END_TEST

// As uniform as a pseudonym.
static struct store_tag scattered_tag(unsigned number)
{
	struct store_tag scattered = {{0}};
	uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
	memcpy(scattered.bytes, &mixed, sizeof mixed);
	mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	memcpy(scattered.bytes + sizeof mixed, &mixed, sizeof mixed);
	return scattered;
}

// Whatever the store knows of the children without one.
START_TEST(finds_each_child_among_very_many_and_after_a_rollback_and_a_restart)
{
	const unsigned children = backend->children;
	struct store_plan *plans;
	size_t count;
	for (unsigned round = 0; round < 2; round++) {
		begin();
		for (unsigned i = 0; i < children; i++) {
			struct store_tag subject = scattered_tag(i);
			struct store_plan plan = {.slot = subject, .generation = 1, .subject = subject, .authority = leeds,
						  .sealed = blob("plan")};
			ck_assert_int_eq(ops->plan_put(store, &plan), STORE_OK);
		}
		if (round == 0)
			ops->rollback(store);
		else
			commit();
	}
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 2 * children; i++) {
			struct store_tag subject = scattered_tag(i);
			arena_reset(&arena);
			ck_assert_int_eq(ops->plans_of(store, &subject, 5, &arena, &plans, &count), STORE_OK);
			ck_assert_uint_eq(count, i < children);
		}
		reopen();
	}
}
END_TEST

START_TEST(lists_the_plans_of_one_child_only_and_no_more_than_asked)
{
	struct store_plan *plans;
	size_t count;
	struct store_tag subject = tag(7), nobody = tag(9);
	begin();
	for (unsigned slot = 1; slot <= 20; slot++)
		ck_assert_int_eq(put_plan(slot, slot <= 17 ? 7 : 8, "x"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->plans_of(store, &subject, 100, &arena, &plans, &count), STORE_OK);
	ck_assert_uint_eq(count, 17);
	for (size_t i = 0; i < count; i++)
		ck_assert_mem_eq(plans[i].subject.bytes, subject.bytes, TAG_BYTES);
	ck_assert_int_eq(ops->plans_of(store, &subject, 5, &arena, &plans, &count), STORE_OK);
	ck_assert_uint_eq(count, 5);
	ck_assert_int_eq(ops->plans_of(store, &nobody, 5, &arena, &plans, &count), STORE_OK);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(lists_accesses_newest_first)
{
	static const uint64_t order[] = {5, 300, 2, 70000, 40};
	static const uint64_t newest_first[] = {70000, 300, 40, 5, 2};
	struct store_access *accesses;
	size_t count;
	struct store_tag subject = tag(7);
	begin();
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(put_access(7, order[i], "x"), STORE_OK);
	ck_assert_int_eq(put_access(8, 99999, "x"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->accesses_of(store, &subject, true, 0, 100, &arena, &accesses, &count), STORE_OK);
	ck_assert_uint_eq(count, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(accesses[i].audit_index, newest_first[i]);
	ck_assert_int_eq(ops->accesses_of(store, &subject, true, 0, 2, &arena, &accesses, &count), STORE_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(accesses[0].audit_index, 70000);
	ck_assert_int_eq(ops->accesses_of(store, &subject, true, 300, 100, &arena, &accesses, &count), STORE_OK);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(accesses[0].audit_index, 40);
}
END_TEST

START_TEST(lists_silent_accesses_when_they_are_asked_for)
{
	struct store_access *accesses;
	size_t count;
	struct store_tag subject = tag(7);
	begin();
	ck_assert_int_eq(put_access(7, 1, "x"), STORE_OK);
	silent_next = true;
	ck_assert_int_eq(put_access(7, 2, "x"), STORE_OK);
	silent_next = false;
	commit();
	ck_assert_int_eq(ops->accesses_of(store, &subject, false, 0, 100, &arena, &accesses, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert(!accesses[0].silent);
	ck_assert_int_eq(ops->accesses_of(store, &subject, true, 0, 100, &arena, &accesses, &count), STORE_OK);
	ck_assert_uint_eq(count, 2);
	ck_assert(accesses[0].silent);
}
END_TEST

// ------------------------------------------------------------------ authorities and requests

START_TEST(replaces_an_authoritys_row)
{
	struct store_authority authority;
	begin();
	ck_assert_int_eq(put_authority(&leeds, 1, "first"), STORE_OK);
	ck_assert_int_eq(put_authority(&hove, 9, "other"), STORE_OK);
	ck_assert_int_eq(put_authority(&leeds, 2, "second"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->authority_get(store, &leeds, &arena, &authority), STORE_OK);
	ck_assert_str_eq(authority.organisation.text, "383");
	ck_assert_uint_eq(authority.last_published_ms, 2);
	assert_blob(authority.sealed, "second");
	ck_assert_int_eq(ops->authority_get(store, &brighton, &arena, &authority), STORE_NOT_FOUND);
}
END_TEST

static unsigned requests_left(unsigned first, unsigned last)
{
	unsigned left = 0;
	struct store_request request;
	for (unsigned key = first; key <= last; key++) {
		struct store_tag wanted = tag(key);
		arena_reset(&arena);
		enum store_status status = ops->request_get(store, &wanted, 0, &arena, &request);
		ck_assert(status == STORE_OK || status == STORE_NOT_FOUND);
		left += status == STORE_OK;
	}
	return left;
}

START_TEST(does_not_find_a_request_that_has_expired)
{
	struct store_request request;
	struct store_tag wanted = tag(1);
	begin();
	ck_assert_int_eq(put_request(1, 1000, "x"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->request_get(store, &wanted, 999, &arena, &request), STORE_OK);
	ck_assert_int_eq(ops->request_get(store, &wanted, 1000, &arena, &request), STORE_NOT_FOUND);
	begin();
	ck_assert_int_eq(put_request(1, 5000, "y"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->request_get(store, &wanted, 1000, &arena, &request), STORE_OK);
	assert_blob(request.sealed, "y");
}
END_TEST

static void hear(const char *ods, const char *name, bool fits, uint64_t size, uint64_t received_ms, const char *note)
{
	struct store_heard row = {.fits = fits, .size = size, .received_ms = received_ms, .note = note};
	snprintf(row.organisation.text, sizeof row.organisation.text, "%s", ods);
	snprintf(row.system_name, sizeof row.system_name, "%s", name);
	ck_assert_int_eq(ops->heard_put(store, &row), STORE_OK);
}

// Their notes, one after the other.
static const char *heard_after(uint64_t after, size_t max)
{
	static char notes[200];
	struct store_heard *rows = NULL;
	size_t count = 0;
	notes[0] = '\0';
	ck_assert_int_eq(ops->heard_after(store, after, max, &arena, &rows, &count), STORE_OK);
	for (size_t i = 0; i < count; i++)
		strcat(notes, rows[i].note);
	return notes;
}

START_TEST(keeps_of_each_system_the_largest_checkpoint_that_fits_and_that_does_not)
{
	struct store_heard row;
	begin();
	ck_assert_int_eq(ops->heard_largest(store, &arena, &row), STORE_NOT_FOUND);
	hear("RXH", "ed", true, 5, 100, "a");
	hear("RXH", "ward", true, 4, 101, "b");
	hear("383", "ed", true, 9, 102, "c");
	hear("RXH", "ed", false, 7, 103, "d");
	hear("RXH", "ed", true, 6, 104, "e");
	hear("RXH", "ed", true, 5, 105, "f");
	hear("383", "ed", true, 9, 106, "g");
	commit();
	reopen();
	ck_assert_str_eq(heard_after(0, 10), "ebgd");
	ck_assert_str_eq(heard_after(0, 2), "eb");
	ck_assert_str_eq(heard_after(2, 10), "gd");
	ck_assert_str_eq(heard_after(UINT64_MAX, 10), "");
	ck_assert_int_eq(ops->heard_largest(store, &arena, &row), STORE_OK);
	ck_assert_str_eq(row.organisation.text, "383");
	ck_assert_str_eq(row.system_name, "ed");
	ck_assert_uint_eq(row.id, 3);
	ck_assert_uint_eq(row.size, 9);
	ck_assert_uint_eq(row.received_ms, 106);
	ck_assert(row.fits);
	ck_assert_str_eq(row.note, "g");
}
END_TEST

START_TEST(checkpoints_that_fit_and_are_old_go_first_and_their_numbers_are_not_used_again)
{
	begin();
	hear("RXH", "ed", false, 7, 1, "a");
	hear("RXH", "ed", true, 5, 100, "b");
	hear("383", "ed", true, 5, 101, "c");
	ck_assert_int_eq(ops->heard_expire(store, 3), STORE_OK);
	ck_assert_str_eq(heard_after(0, 10), "abc");
	ck_assert_int_eq(ops->heard_expire(store, 2), STORE_OK);
	ck_assert_str_eq(heard_after(0, 10), "ac");
	ck_assert_int_eq(ops->heard_expire(store, 1), STORE_OK);
	ck_assert_str_eq(heard_after(0, 10), "a");
	hear("846", "ed", true, 5, 102, "d");
	ck_assert_str_eq(heard_after(3, 10), "d");
	commit();
}
END_TEST

START_TEST(keeps_the_checkpoint_to_cosign_and_the_witnessed_one)
{
	struct store_cosigned first = {7, "a note"}, second = {9, "another"}, found;
	begin();
	ck_assert_int_eq(ops->cosigned_get(store, STORE_COSIGNED_PINNED, &arena, &found), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->cosigned_put(store, STORE_COSIGNED_PINNED, &first), STORE_OK);
	ck_assert_int_eq(ops->cosigned_get(store, STORE_COSIGNED_WITNESSED, &arena, &found), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->cosigned_put(store, STORE_COSIGNED_WITNESSED, &first), STORE_OK);
	ck_assert_int_eq(ops->cosigned_put(store, STORE_COSIGNED_PINNED, &second), STORE_OK);
	commit();
	reopen();
	ck_assert_int_eq(ops->cosigned_get(store, STORE_COSIGNED_PINNED, &arena, &found), STORE_OK);
	ck_assert_str_eq(found.note, "another");
	ck_assert_uint_eq(found.time_ms, 9);
	ck_assert_int_eq(ops->cosigned_get(store, STORE_COSIGNED_WITNESSED, &arena, &found), STORE_OK);
	ck_assert_str_eq(found.note, "a note");
	ck_assert_uint_eq(found.time_ms, 7);
}
END_TEST

static struct store_quarantine held(unsigned target, uint64_t since_ms, const char *sealed)
{
	return (struct store_quarantine){.target = tag(target), .since_ms = since_ms, .sealed = blob(sealed)};
}

START_TEST(keeps_quarantine_entries_newest_first)
{
	struct store_quarantine *rows = NULL, first = held(1, 10, "a"), second = held(2, 20, "b"), again = held(1, 30, "c");
	struct store_tag one = tag(1);
	size_t count = 0;
	begin();
	ck_assert_int_eq(ops->quarantine_put(store, &first), STORE_OK);
	ck_assert_int_eq(ops->quarantine_put(store, &second), STORE_OK);
	ck_assert_int_eq(ops->quarantine_put(store, &again), STORE_OK);
	commit();
	ck_assert_int_eq(ops->quarantine_all(store, 10, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, 2);
	assert_blob(rows[0].sealed, "c");
	assert_blob(rows[1].sealed, "b");
	ck_assert_int_eq(ops->quarantine_all(store, 1, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
	begin();
	ck_assert_int_eq(ops->quarantine_delete(store, &one), STORE_OK);
	ck_assert_int_eq(ops->quarantine_delete(store, &one), STORE_NOT_FOUND);
	commit();
	ck_assert_int_eq(ops->quarantine_all(store, 10, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
}
END_TEST

#define EXPIRED (2 * STORE_EXPIRE_MAX)
#define KEPT 20u

START_TEST(forgets_expired_requests_a_bounded_number_at_a_time)
{
	begin();
	for (unsigned key = 1; key <= EXPIRED + KEPT; key++)
		ck_assert_int_eq(put_request(key, key <= EXPIRED ? key : 50000, "x"), STORE_OK);
	commit();
	unsigned before = EXPIRED, calls = 0;
	for (; before > 0 && calls < EXPIRED; calls++) {
		begin();
		ck_assert_int_eq(ops->request_expire(store, 20000), STORE_OK);
		commit();
		unsigned after = requests_left(1, EXPIRED);
		ck_assert_uint_lt(after, before);
		before = after;
		ck_assert_msg(calls > 0 || after > 0, "one call forgot all %u", EXPIRED);
	}
	ck_assert_uint_eq(before, 0);
	ck_assert_uint_eq(requests_left(EXPIRED + 1, EXPIRED + KEPT), KEPT);
	begin();
	ck_assert_int_eq(ops->request_expire(store, 20000), STORE_OK); // nothing to do
	commit();
}
END_TEST

TCase *contract_rows(void)
{
	TCase *tests = tcase_create("rows");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, replaces_a_plan_of_the_same_slot);
	tcase_add_test(tests, keeps_versions_of_a_plan_and_finds_the_newest_up_to_a_generation);
	tcase_add_test(tests, walks_an_authoritys_versions_by_generation_and_slot);
	tcase_add_test(tests, gives_the_authority_that_has_been_due_for_longest);
	tcase_add_test(tests, keeps_rejections_by_file_counts_them_and_lets_those_of_other_files_go);
	tcase_add_test(tests, finds_each_child_among_very_many_and_after_a_rollback_and_a_restart);
	tcase_add_test(tests, lists_the_plans_of_one_child_only_and_no_more_than_asked);
	tcase_add_test(tests, lists_accesses_newest_first);
	tcase_add_test(tests, lists_silent_accesses_when_they_are_asked_for);
	tcase_add_test(tests, replaces_an_authoritys_row);
	tcase_add_test(tests, does_not_find_a_request_that_has_expired);
	tcase_add_test(tests, keeps_of_each_system_the_largest_checkpoint_that_fits_and_that_does_not);
	tcase_add_test(tests, checkpoints_that_fit_and_are_old_go_first_and_their_numbers_are_not_used_again);
	tcase_add_test(tests, keeps_the_checkpoint_to_cosign_and_the_witnessed_one);
	tcase_add_test(tests, keeps_quarantine_entries_newest_first);
	tcase_add_test(tests, forgets_expired_requests_a_bounded_number_at_a_time);
	return tests;
}
