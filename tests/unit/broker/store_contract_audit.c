// The store's contract: the audit log.
#include "tests/unit/broker/store_contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ------------------------------------------------------------------ the audit log

START_TEST(refuses_an_audit_row_that_is_not_the_next_one)
{
	static const uint64_t wrong[] = {0, 1, 3, 4, 1000, UINT64_MAX};
	uint64_t size;
	begin();
	for (int i = 0; i < 2; i++) {
		struct store_audit row = next_row("RXH", 1, 2, 3);
		append(&row);
	}
	commit();
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct store_audit row = next_row("RXH", 1, 2, 3);
		row.index = wrong[i];
		begin();
		ck_assert_msg(ops->audit_append(store, &row) == STORE_FAILED, "index %llu", (unsigned long long)wrong[i]);
		ck_assert_int_eq(ops->commit(store), STORE_FAILED);
		ops->rollback(store);
	}
	ck_assert_int_eq(ops->audit_size(store, &size), STORE_OK);
	ck_assert_uint_eq(size, 2);
}
END_TEST

START_TEST(refuses_a_first_audit_row_other_than_0)
{
	struct store_audit row = next_row("RXH", 1, 2, 3);
	row.index = 1;
	begin();
	ck_assert_int_eq(ops->audit_append(store, &row), STORE_FAILED);
	ops->rollback(store);
}
END_TEST

static void assert_same_row(const struct store_audit *found, const struct store_audit *wanted)
{
	ck_assert_uint_eq(found->index, wanted->index);
	ck_assert_mem_eq(found->salt, wanted->salt, SALT_BYTES);
	ck_assert_uint_eq(found->record.bytes, wanted->record.bytes);
	ck_assert_mem_eq(found->record.data, wanted->record.data, wanted->record.bytes);
	ck_assert_uint_eq(found->time_ms, wanted->time_ms);
	ck_assert_str_eq(found->organisation.text, wanted->organisation.text);
	ck_assert_int_eq(found->has_subject, wanted->has_subject);
	ck_assert_int_eq(found->has_person, wanted->has_person);
	if (wanted->has_subject)
		ck_assert_mem_eq(found->subject.bytes, wanted->subject.bytes, TAG_BYTES);
	if (wanted->has_person)
		ck_assert_mem_eq(found->person.bytes, wanted->person.bytes, TAG_BYTES);
}

#define ROWS 40
static struct store_audit rows[ROWS];

// Every combination of subject, person and organisation (also none of each); times that stand still, and go back once.
static void append_rows(void)
{
	static const char *const organisations[] = {"RXH", "383", ""};
	begin();
	for (unsigned i = 0; i < ROWS; i++) {
		rows[i] = next_row(organisations[i % 3], i % 4, (i / 4) % 3 * 10, 1000 + (i < 20 ? i : i - 12) / 3 * 10);
		append(&rows[i]);
	}
	commit();
}

START_TEST(gives_back_each_audit_row_and_each_of_its_nodes)
{
	append_rows();
	reopen();
	for (unsigned i = 0; i < ROWS; i++) {
		struct store_audit row;
		struct merkle_hash hash;
		arena_reset(&arena);
		ck_assert_int_eq(ops->audit_get(store, i, &arena, &row), STORE_OK);
		assert_same_row(&row, &rows[i]);
		ck_assert_uint_eq(row.node_count, rows[i].node_count);
		for (unsigned height = 0; height < rows[i].node_count; height++) {
			ck_assert_mem_eq(&row.nodes[height], &rows[i].nodes[height], sizeof hash);
			ck_assert_int_eq(ops->audit_node(store, i, height, &hash), STORE_OK);
			ck_assert_mem_eq(&hash, &rows[i].nodes[height], sizeof hash);
		}
		ck_assert_int_ne(ops->audit_node(store, i, (unsigned)rows[i].node_count, &hash), STORE_OK);
		ck_assert_int_ne(ops->audit_node(store, i, 1000, &hash), STORE_OK);
	}
	struct merkle_hash hash;
	ck_assert_int_eq(ops->audit_node(store, ROWS, 0, &hash), STORE_NOT_FOUND);
}
END_TEST

static bool has_tag(bool has, const struct store_tag *tag, const struct store_audit_range *range)
{
	for (size_t i = 0; has && i < range->tag_count; i++)
		if (memcmp(tag, &range->tags[i], TAG_BYTES) == 0)
			return true;
	return false;
}

static bool is_asked_for(const struct store_audit *row, const struct store_audit_range *range)
{
	if ((range->key == STORE_AUDIT_SUBJECT && !has_tag(row->has_subject, &row->subject, range)) ||
	    (range->key == STORE_AUDIT_PERSON && !has_tag(row->has_person, &row->person, range)) ||
	    (range->key == STORE_AUDIT_ORGANISATION && strcmp(row->organisation.text, range->organisation.text) != 0))
		return false;
	if (range->key == STORE_AUDIT_SUBJECT && range->person_count > 0) {
		struct store_audit_range persons = {.tags = range->persons, .tag_count = range->person_count};
		if (!has_tag(row->has_person, &row->person, &persons))
			return false;
	}
	return row->index >= range->from_index && row->index < range->until_index && row->time_ms >= range->from_ms &&
	       row->time_ms < range->until_ms;
}

// Against the plainest search there is.
static size_t assert_search(const struct store_audit_range *range)
{
	struct store_audit *found = NULL;
	size_t count = 0, matched = 0;
	arena_reset(&arena);
	ck_assert_int_eq(ops->audit_search(store, range, &arena, &found, &count), STORE_OK);
	for (unsigned i = 0; i < ROWS && matched < range->limit; i++) {
		const struct store_audit *row = &rows[range->oldest_first ? i : ROWS - 1 - i];
		if (!is_asked_for(row, range))
			continue;
		ck_assert_uint_lt(matched, count);
		assert_same_row(&found[matched++], row);
	}
	ck_assert_uint_eq(count, matched);
	return count;
}

START_TEST(searches_along_each_key_in_both_orders_between_numbers_and_times)
{
	static const uint64_t from[] = {0, 1, 23, ROWS - 1, ROWS, UINT64_MAX}, until[] = {0, 1, 26, ROWS, UINT64_MAX};
	static const uint64_t from_ms[] = {0, 1030, 5000}, until_ms[] = {1, 1040, UINT64_MAX};
	static const uint32_t limits[] = {1, 3, 100};
	const struct store_tag subjects[] = {tag(2), tag(3)}, persons[] = {tag(10), tag(77)};
	size_t found = 0;
	append_rows();
	for (unsigned i = 0; i < 4 * 2 * 6 * 5 * 3 * 3 * 3; i++) {
		struct store_audit_range range = {
			.key = (enum store_audit_order)(i % 4), .oldest_first = i / 4 % 2 == 1, .organisation = brighton,
			.tags = i % 4 == STORE_AUDIT_SUBJECT ? subjects : persons, .tag_count = 1 + i % 2,
			.from_index = from[i / 8 % 6], .until_index = until[i / 48 % 5], .from_ms = from_ms[i / 240 % 3],
			.until_ms = until_ms[i / 720 % 3], .limit = limits[i / 2160], .persons = persons, .person_count = i / 8 % 3,
		};
		found += assert_search(&range);
	}
	ck_assert_uint_gt(found, 0);
}
END_TEST

static size_t count_of_brighton(uint64_t from, uint64_t until)
{
	struct store_audit_range range = {.key = STORE_AUDIT_ORGANISATION, .organisation = brighton, .from_index = from,
					  .until_index = until, .until_ms = UINT64_MAX, .limit = 20};
	struct store_audit *found;
	size_t count;
	arena_reset(&arena);
	ck_assert_int_eq(ops->audit_search(store, &range, &arena, &found, &count), STORE_OK);
	return count;
}

// What is searched is indexed some hundred rows at a time: never less is found than was appended.
START_TEST(finds_a_row_from_its_batch_on_and_after_a_rollback_not)
{
	uint64_t size = 0;
	for (unsigned batch = 0; batch < 170; batch++) {
		bool kept = batch % 3 != 1;
		struct merkle_tree before = tree;
		begin();
		for (unsigned i = 0; i < 20; i++) {
			struct store_audit row = next_row(brighton.text, 1000 + batch, 1, 1);
			append(&row);
		}
		if (batch % 2 == 0)
			ck_assert_uint_eq(count_of_brighton(size, UINT64_MAX), 20);
		if (kept)
			commit();
		else
			ops->rollback(store);
		tree = kept ? tree : before;
		if (batch % 5 == 4)
			reopen();
		ck_assert_uint_eq(count_of_brighton(size, UINT64_MAX), kept ? 20 : 0);
		size += kept ? 20 : 0;
	}
	ck_assert_uint_gt(size, 2048);
	for (uint64_t from = 0; from < size; from += 20)
		ck_assert_uint_eq(count_of_brighton(from, from + 20), 20);
}
END_TEST

// One block of the index (1,024 rows) after another, each at a time of its own: the clock was put far ahead, and set back twice.
START_TEST(finds_times_in_all_blocks_when_the_clock_was_set_back)
{
	static const uint64_t times[] = {5000, 9000, 6000, 7000, 4000, 8000};
	enum { BLOCKS = sizeof times / sizeof times[0], EACH = 1024 };
	struct arena large;
	ck_assert(arena_init(&large, 64u << 20));
	for (unsigned block = 0; block < BLOCKS; block++) {
		begin();
		for (unsigned i = 0; i < EACH; i++) {
			struct store_audit row = next_row(brighton.text, 1, 1, times[block] + i % 2);
			append(&row);
		}
		commit();
		if (block % 2 == 1)
			reopen();
	}
	for (uint64_t from = 3000; from <= 10000; from += 1000)
		for (uint64_t until = from; until <= 10000; until += 1000) {
			struct store_audit_range range = {.key = STORE_AUDIT_ALL, .until_index = UINT64_MAX, .from_ms = from,
							  .until_ms = until, .limit = 2 * BLOCKS * EACH};
			struct store_audit *found;
			size_t count, wanted = 0;
			for (unsigned block = 0; block < BLOCKS; block++)
				wanted += times[block] >= from && times[block] < until ? EACH : 0;
			arena_reset(&large);
			ck_assert_int_eq(ops->audit_search(store, &range, &large, &found, &count), STORE_OK);
			ck_assert_uint_eq(count, wanted);
		}
	arena_done(&large);
}
END_TEST

START_TEST(finds_nothing_about_somebody_who_is_not_there)
{
	const struct store_tag nobody = tag(77);
	append_rows();
	for (int key = STORE_AUDIT_SUBJECT; key <= STORE_AUDIT_ORGANISATION; key++) {
		struct store_audit_range range = {.key = (enum store_audit_order)key, .tags = &nobody, .tag_count = 1,
						  .organisation = hove, .until_index = UINT64_MAX, .until_ms = UINT64_MAX, .limit = 10};
		ck_assert_uint_eq(assert_search(&range), 0);
		range.tag_count = 0;
		ck_assert_uint_eq(assert_search(&range), 0);
	}
}
END_TEST

START_TEST(keeps_the_latest_checkpoint_only)
{
	const char *note;
	begin();
	ck_assert_int_eq(ops->checkpoint_put(store, "first\n1\n"), STORE_OK);
	ck_assert_int_eq(ops->checkpoint_put(store, "second\n2\n"), STORE_OK);
	commit();
	ck_assert_int_eq(ops->checkpoint_get(store, &arena, &note), STORE_OK);
	ck_assert_str_eq(note, "second\n2\n");
}
END_TEST

START_TEST(keeps_audit_keys_by_number_and_destroys_them)
{
	struct store_audit_key *keys;
	size_t count;
	begin();
	for (uint32_t id = 1; id <= 3; id++) {
		struct store_audit_key key = {.id = id, .month = 680 + id, .record_class = id, .sealed = blob("secret")};
		ck_assert_int_eq(ops->audit_key_put(store, &key), STORE_OK);
	}
	ck_assert_int_eq(ops->audit_key_destroy(store, 9, 7), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->audit_key_destroy(store, 2, 7), STORE_OK);
	commit();
	ck_assert_int_eq(ops->audit_key_all(store, 10, &arena, &keys, &count), STORE_OK);
	ck_assert_uint_eq(count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert(keys[i].id == i + 1 && keys[i].month == 681 + i && keys[i].record_class == i + 1);
		ck_assert_uint_eq(keys[i].destroyed_ms, i == 1 ? 7 : 0);
		ck_assert_uint_eq(keys[i].sealed.bytes, i == 1 ? 0 : strlen("secret"));
	}
	begin();
	assert_fails(ops->audit_key_put(store, &keys[0])); // never the same number again
}
END_TEST

START_TEST(keeps_holds_by_name)
{
	struct store_hold *holds, one = {tag(1), blob("one")}, other = {tag(2), blob("other")};
	size_t count;
	begin();
	ck_assert_int_eq(ops->hold_put(store, &one), STORE_OK);
	ck_assert_int_eq(ops->hold_put(store, &other), STORE_OK);
	one.sealed = blob("one again");
	ck_assert_int_eq(ops->hold_put(store, &one), STORE_OK);
	ck_assert_int_eq(ops->hold_delete(store, &other.name), STORE_OK);
	ck_assert_int_eq(ops->hold_delete(store, &other.name), STORE_NOT_FOUND);
	commit();
	ck_assert_int_eq(ops->hold_all(store, 10, &arena, &holds, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_mem_eq(holds[0].sealed.data, "one again", strlen("one again"));
}
END_TEST

START_TEST(removes_one_access)
{
	struct store_access *accesses;
	struct store_tag one = tag(1);
	size_t count;
	begin();
	ck_assert_int_eq(put_access(1, 5, "a"), STORE_OK);
	ck_assert_int_eq(put_access(1, 6, "b"), STORE_OK);
	ck_assert_int_eq(ops->access_delete(store, &one, 5), STORE_OK);
	ck_assert_int_eq(ops->access_delete(store, &one, 5), STORE_NOT_FOUND);
	commit();
	ck_assert_int_eq(ops->accesses_of(store, &one, true, 0, 10, &arena, &accesses, &count), STORE_OK);
	ck_assert(count == 1 && accesses[0].audit_index == 6);
}
END_TEST

START_TEST(has_a_sentence_for_every_status)
{
#define X(name, sentence) ck_assert_str_eq(store_status_text(name), sentence);
	STORE_STATUS_TABLE(X)
#undef X
}
END_TEST

TCase *contract_audit(void)
{
	TCase *tests = tcase_create("audit");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, refuses_an_audit_row_that_is_not_the_next_one);
	tcase_add_test(tests, refuses_a_first_audit_row_other_than_0);
	tcase_add_test(tests, gives_back_each_audit_row_and_each_of_its_nodes);
	tcase_add_test(tests, searches_along_each_key_in_both_orders_between_numbers_and_times);
	tcase_add_test(tests, finds_a_row_from_its_batch_on_and_after_a_rollback_not);
	tcase_add_test(tests, finds_times_in_all_blocks_when_the_clock_was_set_back);
	tcase_add_test(tests, finds_nothing_about_somebody_who_is_not_there);
	tcase_add_test(tests, keeps_the_latest_checkpoint_only);
	tcase_add_test(tests, keeps_audit_keys_by_number_and_destroys_them);
	tcase_add_test(tests, keeps_holds_by_name);
	tcase_add_test(tests, removes_one_access);
	tcase_add_test(tests, has_a_sentence_for_every_status);
	return tests;
}
