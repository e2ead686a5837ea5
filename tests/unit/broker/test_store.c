// The store's contract: what every backend must do. A second backend runs the same through its own open_store().
#include "broker/store.h"

#include <check.h>
#include <sqlite3.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_ARENA_BYTES (512 * 1024)
#define TOO_LARGE ((uint64_t)INT64_MAX + 1)

static char directory[] = "/tmp/cpis-store-XXXXXX";
static char path[64];
static struct store *store;
static const struct store_ops *ops;
static struct arena arena;
static struct merkle_tree tree; // of the audit rows that were appended

static const struct ods_code brighton = {"RXH"}, leeds = {"383"}, hove = {"846"};

// Opens the same store each time. The one place that names a backend.
static struct store *open_store(void)
{
	struct store *opened = NULL;
	char detail[STORE_DETAIL_BYTES] = "";
	enum store_status status = store_sqlite_open(path, &opened, detail);
	ck_assert_msg(status == STORE_OK, "%s", detail);
	return opened;
}

static void close_store(void)
{
	ops->close(store);
	store = NULL;
}

static void reopen(void)
{
	if (store != NULL)
		close_store();
	store = open_store();
	ops = store->ops;
}

static void start(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store", directory);
	ck_assert(arena_init(&arena, TEST_ARENA_BYTES));
	memset(&tree, 0, sizeof tree);
	reopen();
}

static int remove_one(const char *at, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(at);
}

static void stop(void)
{
	if (store != NULL)
		close_store();
	arena_done(&arena);
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void begin(void)
{
	ck_assert_int_eq(ops->begin(store), STORE_OK);
}

static void commit(void)
{
	ck_assert_int_eq(ops->commit(store), STORE_OK);
}

static struct store_tag tag(unsigned n)
{
	struct store_tag made = {{0}};
	made.bytes[0] = (uint8_t)(n >> 8);
	made.bytes[TAG_BYTES - 1] = (uint8_t)n;
	return made;
}

static struct store_blob blob(const char *text)
{
	return (struct store_blob){(const uint8_t *)text, strlen(text)};
}

static void assert_blob(struct store_blob found, const char *text)
{
	ck_assert_uint_eq(found.bytes, strlen(text));
	if (found.bytes > 0)
		ck_assert_mem_eq(found.data, text, found.bytes);
}

static enum store_status put_plan(unsigned slot, unsigned subject, const char *sealed)
{
	struct store_plan plan = {tag(slot), 1, tag(subject), leeds, blob(sealed)};
	return ops->plan_put(store, &plan);
}

static bool silent_next; // of accesses

static enum store_status put_access(unsigned subject, uint64_t index, const char *sealed)
{
	struct store_access access = {tag(subject), index, silent_next, blob(sealed)};
	return ops->access_put(store, &access);
}

static enum store_status put_item(const struct ods_code *organisation, uint64_t id, const char *sealed)
{
	struct store_inbox_item item = {
		.organisation = *organisation, .id = id, .created_ms = 1000 + id, .sealed = blob(sealed)};
	return ops->inbox_put(store, &item);
}

static enum store_status put_authority(const struct ods_code *organisation, uint64_t published_ms, const char *sealed)
{
	struct store_authority authority = {*organisation, published_ms, 0, blob(sealed)};
	return ops->authority_put(store, &authority);
}

static enum store_status put_request(unsigned key, uint64_t expires_ms, const char *sealed)
{
	struct store_request request = {
		.key = tag(key), .digest = {(uint8_t)key}, .expires_ms = expires_ms, .sealed = blob(sealed)};
	return ops->request_put(store, &request);
}

// The next row, as broker/audit.c makes them. Subject or person 0: none.
static struct store_audit next_row(const char *organisation, unsigned subject, unsigned person, uint64_t time_ms)
{
	struct store_audit row = {.index = tree.size, .record = blob("record"), .time_ms = time_ms};
	struct merkle_hash leaf;
	row.salt[0] = (uint8_t)(row.index + 1);
	snprintf(row.organisation.text, sizeof row.organisation.text, "%s", organisation);
	row.has_subject = subject != 0;
	row.subject = tag(subject);
	row.has_person = person != 0;
	row.person = tag(person);
	merkle_leaf(row.salt, row.record.data, row.record.bytes, &leaf);
	struct merkle_tree after = tree;
	merkle_append(&after, &leaf, row.nodes, &row.node_count);
	return row;
}

static void append(const struct store_audit *row)
{
	struct merkle_hash nodes[MERKLE_HEIGHT_MAX + 1];
	size_t count;
	ck_assert_int_eq(ops->audit_append(store, row), STORE_OK);
	merkle_append(&tree, &row->nodes[0], nodes, &count);
}

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
	enum { CHILDREN = 150000 };
	struct store_plan *plans;
	size_t count;
	for (unsigned round = 0; round < 2; round++) {
		begin();
		for (unsigned i = 0; i < CHILDREN; i++) {
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
		for (unsigned i = 0; i < 2 * CHILDREN; i++) {
			struct store_tag subject = scattered_tag(i);
			arena_reset(&arena);
			ck_assert_int_eq(ops->plans_of(store, &subject, 5, &arena, &plans, &count), STORE_OK);
			ck_assert_uint_eq(count, i < CHILDREN);
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

// ------------------------------------------------------------------ inboxes

START_TEST(inbox_ids_ascend_in_each_organisation)
{
	uint64_t id;
	for (uint64_t expected = 1; expected <= 3; expected++) {
		begin();
		ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
		ck_assert_uint_eq(id, expected);
		ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK); // not reserved until put
		ck_assert_uint_eq(id, expected);
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
		commit();
	}
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &hove, &id), STORE_OK);
	ck_assert_uint_eq(id, 1);
}
END_TEST

START_TEST(does_not_use_an_inbox_id_again_after_it_was_acknowledged)
{
	uint64_t id;
	begin();
	ck_assert_int_eq(put_item(&leeds, 1, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 5, blob("name")), STORE_OK);
	commit();
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 2);
	begin();
	ck_assert_int_eq(put_item(&leeds, 1, "again"), STORE_FAILED);
	ops->rollback(store);
}
END_TEST

START_TEST(acknowledges_an_item_once)
{
	struct store_inbox_item item;
	uint64_t open_items;
	begin();
	ck_assert_int_eq(put_item(&leeds, 1, "x"), STORE_OK);
	ck_assert_int_eq(put_item(&hove, 1, "y"), STORE_OK);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.acknowledged_ms, 0);
	ck_assert_uint_eq(item.acknowledged_by.bytes, 0);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 5000, blob("first")), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 6000, blob("second")), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 2, 6000, blob("second")), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &brighton, 1, 6000, blob("second")), STORE_NOT_FOUND);
	commit();
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.id, 1);
	ck_assert_uint_eq(item.created_ms, 1001);
	ck_assert_uint_eq(item.acknowledged_ms, 5000);
	assert_blob(item.sealed, "x");
	assert_blob(item.acknowledged_by, "first");
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &brighton, 1, &arena, &item), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, &leeds, &open_items), STORE_OK);
	ck_assert_uint_eq(open_items, 0);
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, &hove, &open_items), STORE_OK);
	ck_assert_uint_eq(open_items, 1);
}
END_TEST

static void assert_open(const struct ods_code *organisation, uint64_t expected)
{
	uint64_t open;
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_NOTIFICATIONS, organisation, &open), STORE_OK);
	ck_assert_uint_eq(open, expected);
}

// Asked for after each write: a number that is kept must follow what happens to the rows.
START_TEST(the_number_of_open_items_follows_every_write_and_a_rollback)
{
	struct store_inbox_item item;
	assert_open(&leeds, 0);
	begin();
	for (uint64_t id = 1; id <= 4; id++) {
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
		assert_open(&leeds, id);
	}
	ck_assert_int_eq(put_item(&hove, 1, "y"), STORE_OK);
	assert_open(&hove, 1);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 5000, blob("first")), STORE_OK);
	assert_open(&leeds, 3);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, 6000, blob("second")), STORE_NOT_FOUND);
	assert_open(&leeds, 3);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 2, &arena, &item), STORE_OK);
	item.lease_until_ms = 9000;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	assert_open(&leeds, 3);
	item.expired_ms = 9000;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	assert_open(&leeds, 2);
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK); // twice is once
	assert_open(&leeds, 2);
	item.expired_ms = 0;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	assert_open(&leeds, 3);
	commit();
	begin();
	ck_assert_int_eq(put_item(&leeds, 5, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 3, 5000, blob("first")), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 4, 5000, blob("first")), STORE_OK);
	assert_open(&leeds, 2);
	ops->rollback(store);
	assert_open(&leeds, 3);
	assert_open(&hove, 1);
}
END_TEST

static void assert_ids(uint64_t after_id, bool include_acknowledged, size_t max, const char *expected)
{
	struct store_inbox_item *items;
	size_t count;
	char found[64] = "";
	arena_reset(&arena);
	ck_assert_int_eq(ops->inbox_list(store, STORE_BOX_NOTIFICATIONS, &leeds, after_id, include_acknowledged, max, &arena, &items, &count),
			 STORE_OK);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(items[i].organisation.text, "383");
		snprintf(found + strlen(found), sizeof found - strlen(found), "%llu ", (unsigned long long)items[i].id);
	}
	ck_assert_str_eq(found, expected);
}

START_TEST(lists_an_inbox_by_id_open_or_whole)
{
	begin();
	for (uint64_t id = 1; id <= 12; id++)
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
	ck_assert_int_eq(put_item(&hove, 1, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 2, 1, blob("n")), STORE_OK);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 4, 1, blob("n")), STORE_OK);
	commit();
	assert_ids(0, true, 100, "1 2 3 4 5 6 7 8 9 10 11 12 ");
	assert_ids(0, false, 100, "1 3 5 6 7 8 9 10 11 12 ");
	assert_ids(0, true, 3, "1 2 3 ");
	assert_ids(0, false, 3, "1 3 5 ");
	assert_ids(3, false, 3, "5 6 7 ");
	assert_ids(3, true, 2, "4 5 ");
	assert_ids(12, true, 100, "");
	assert_ids(UINT64_MAX, true, 100, "");
}
END_TEST

START_TEST(keeps_what_becomes_of_an_item)
{
	struct store_inbox_item item;
	begin();
	ck_assert_int_eq(put_item(&leeds, 1, "x"), STORE_OK);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	item.acknowledged_ms = 1;
	item.delivered_ms = 2;
	item.lease_until_ms = 3;
	item.escalated_ms = 4;
	item.escalation_id = 5;
	item.expired_ms = 6;
	item.answered_ms = 7;
	item.due_ms = 8;
	item.acknowledged_by = blob("by");
	item.leased_by = blob("lease");
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
	item.id = 2;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_NOT_FOUND);
	commit();
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.acknowledged_ms, 1);
	ck_assert_uint_eq(item.delivered_ms, 2);
	ck_assert_uint_eq(item.lease_until_ms, 3);
	ck_assert_uint_eq(item.escalated_ms, 4);
	ck_assert_uint_eq(item.escalation_id, 5);
	ck_assert_uint_eq(item.expired_ms, 6);
	ck_assert_uint_eq(item.answered_ms, 7);
	ck_assert_uint_eq(item.due_ms, 8);
	ck_assert_uint_eq(item.created_ms, 1001);
	assert_blob(item.sealed, "x");
	assert_blob(item.acknowledged_by, "by");
	assert_blob(item.leased_by, "lease");
}
END_TEST

// Item `id` of Leeds, changed by one of these.
static void change_item(uint64_t id, uint64_t lease_until_ms, uint64_t escalation_id, uint64_t expired_ms, uint64_t due_ms)
{
	struct store_inbox_item item;
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, id, &arena, &item), STORE_OK);
	item.lease_until_ms = lease_until_ms;
	item.escalation_id = escalation_id;
	item.expired_ms = expired_ms;
	item.due_ms = due_ms;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_OK);
}

static void assert_items(enum store_status status, const struct store_inbox_item *items, size_t count, const char *expected)
{
	char found[64] = "";
	ck_assert_int_eq(status, STORE_OK);
	for (size_t i = 0; i < count; i++)
		snprintf(found + strlen(found), sizeof found - strlen(found), "%llu ", (unsigned long long)items[i].id);
	ck_assert_str_eq(found, expected);
}

static void put_six(void)
{
	begin();
	for (uint64_t id = 1; id <= 6; id++)
		ck_assert_int_eq(put_item(&leeds, id, "x"), STORE_OK);
	ck_assert_int_eq(put_item(&hove, 1, "x"), STORE_OK);
}

START_TEST(gives_out_what_nobody_holds)
{
	struct store_inbox_item *items;
	size_t count;
	put_six();
	change_item(1, 5000, 0, 0, 0);
	change_item(2, 0, 0, 9, 0);
	ck_assert_int_eq(ops->inbox_acknowledge(store, STORE_BOX_NOTIFICATIONS, &leeds, 3, 1, blob("n")), STORE_OK);
	commit();
	enum store_status status =
		ops->inbox_free(store, STORE_BOX_NOTIFICATIONS, &leeds, 0, 4999, 2, &arena, &items, &count);
	assert_items(status, items, count, "4 5 ");
	status = ops->inbox_free(store, STORE_BOX_NOTIFICATIONS, &leeds, 5, 4999, 9, &arena, &items, &count);
	assert_items(status, items, count, "6 ");
	status = ops->inbox_free(store, STORE_BOX_NOTIFICATIONS, &leeds, 0, 5000, 2, &arena, &items, &count);
	assert_items(status, items, count, "1 4 ");
	assert_ids(0, false, 100, "1 4 5 6 ");
}
END_TEST

START_TEST(shows_escalated_items_under_numbers_of_their_own)
{
	struct store_inbox_item *items, item;
	size_t count;
	uint64_t id, open;
	put_six();
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_ESCALATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 1);
	change_item(5, 0, 1, 0, 0);
	change_item(2, 7000, 2, 0, 0);
	commit();
	ck_assert_int_eq(ops->inbox_next_id(store, STORE_BOX_ESCALATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 3);
	enum store_status status =
		ops->inbox_list(store, STORE_BOX_ESCALATIONS, &leeds, 0, false, 9, &arena, &items, &count);
	assert_items(status, items, count, "5 2 ");
	status = ops->inbox_list(store, STORE_BOX_ESCALATIONS, &leeds, 1, true, 9, &arena, &items, &count);
	assert_items(status, items, count, "2 ");
	status = ops->inbox_free(store, STORE_BOX_ESCALATIONS, &leeds, 0, 6999, 9, &arena, &items, &count);
	assert_items(status, items, count, "5 ");
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_ESCALATIONS, &leeds, 2, &arena, &item), STORE_OK);
	ck_assert_uint_eq(item.id, 2);
	ck_assert_int_eq(item.box, STORE_BOX_NOTIFICATIONS);
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_ESCALATIONS, &hove, 1, &arena, &item), STORE_NOT_FOUND);
	ck_assert_int_eq(ops->inbox_unacknowledged(store, STORE_BOX_ESCALATIONS, &leeds, &open), STORE_OK);
	ck_assert_uint_eq(open, 2);
	// No two items have one number.
	begin();
	ck_assert_int_eq(ops->inbox_get(store, STORE_BOX_NOTIFICATIONS, &leeds, 1, &arena, &item), STORE_OK);
	item.escalation_id = 2;
	ck_assert_int_eq(ops->inbox_update(store, &item), STORE_FAILED);
	ops->rollback(store);
}
END_TEST

START_TEST(finds_what_is_due_over_all_organisations)
{
	struct store_inbox_item *items;
	size_t count;
	struct store_inbox_item held = {.box = STORE_BOX_HELD, .organisation = hove, .id = 9, .due_ms = 10, .sealed = blob("x")};
	put_six();
	change_item(4, 0, 0, 0, 300);
	change_item(2, 0, 0, 0, 200);
	change_item(6, 0, 0, 0, 301);
	ck_assert_int_eq(ops->inbox_put(store, &held), STORE_OK);
	commit();
	enum store_status status = ops->inbox_due(store, STORE_BOX_NOTIFICATIONS, 300, 9, &arena, &items, &count);
	assert_items(status, items, count, "2 4 ");
	status = ops->inbox_due(store, STORE_BOX_NOTIFICATIONS, 9999, 1, &arena, &items, &count);
	assert_items(status, items, count, "2 ");
	status = ops->inbox_due(store, STORE_BOX_HELD, 10, 9, &arena, &items, &count);
	assert_items(status, items, count, "9 ");
}
END_TEST

START_TEST(knows_when_the_last_item_of_another_kind_came)
{
	uint64_t created_ms;
	struct store_inbox_item nothing = {.organisation = leeds, .id = 7, .kind = 26, .created_ms = 1010, .sealed = blob("x")};
	put_six();
	ck_assert_int_eq(ops->inbox_put(store, &nothing), STORE_OK);
	commit();
	ck_assert_int_eq(ops->inbox_latest(store, STORE_BOX_NOTIFICATIONS, &leeds, 2000, 26, &created_ms), STORE_OK);
	ck_assert_uint_eq(created_ms, 1006);
	ck_assert_int_eq(ops->inbox_latest(store, STORE_BOX_NOTIFICATIONS, &leeds, 1003, 26, &created_ms), STORE_OK);
	ck_assert_uint_eq(created_ms, 1002);
	ck_assert_int_eq(ops->inbox_latest(store, STORE_BOX_HELD, &leeds, 2000, 26, &created_ms), STORE_OK);
	ck_assert_uint_eq(created_ms, 0);
}
END_TEST

START_TEST(remembers_how_far_nothing_to_report_has_got)
{
	struct store_reported row = {.until_ms = 5, .after = leeds};
	ck_assert_int_eq(ops->reported_get(store, &row), STORE_NOT_FOUND);
	begin();
	ck_assert_int_eq(ops->reported_put(store, &row), STORE_OK);
	commit();
	row = (struct store_reported){0};
	ck_assert_int_eq(ops->reported_get(store, &row), STORE_OK);
	ck_assert_uint_eq(row.until_ms, 5);
	ck_assert_str_eq(row.after.text, "383");
	begin();
	row = (struct store_reported){.until_ms = 6};
	ck_assert_int_eq(ops->reported_put(store, &row), STORE_OK);
	commit();
	ck_assert_int_eq(ops->reported_get(store, &row), STORE_OK);
	ck_assert_str_eq(row.after.text, "");
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

static sqlite3_int64 rows_to_index(void)
{
	sqlite3 *beside = NULL;
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_open_v2(path, &beside, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(beside, "SELECT (SELECT max(idx) + 1 FROM audit) - next FROM audit_indexed", -1, &statement,
					    NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	sqlite3_int64 left = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(beside);
	return left;
}

// Who falls behind with it lets the next search wait for all that is missing.
START_TEST(takes_the_rows_of_the_largest_batches_into_the_search_index)
{
	for (unsigned batch = 0; batch < 3; batch++) {
		begin();
		for (unsigned i = 0; i < 5000; i++) {
			struct store_audit row = next_row("RXH", i, 7, 1000 + i);
			append(&row);
		}
		commit();
		ck_assert_int_lt(rows_to_index(), 1024);
	}
}
END_TEST

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
	ck_assert_int_eq(ops->audit_key_put(store, &keys[0]), STORE_FAILED); // never the same number again
	ops->rollback(store);
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

static int frames_of(sqlite3 *database)
{
	int frames = -1;
	ck_assert_int_eq(sqlite3_wal_checkpoint_v2(database, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, NULL), SQLITE_OK);
	return frames;
}

// A few pages each; many thousands of frames in all.
static void commit_pages(unsigned first)
{
	static char large[12000];
	memset(large, 'x', sizeof large - 1);
	begin();
	ck_assert_int_eq(put_plan(first % 50 + 1, 1, large), STORE_OK);
	commit();
}

// However long a reader holds it up, and however many commits come without a pause.
START_TEST(the_write_ahead_log_begins_anew)
{
	sqlite3 *reader = NULL;
	ck_assert_int_eq(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	for (int held = 0; held < 2; held++) {
		if (held == 1)
			ck_assert_int_eq(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM plan", NULL, NULL, NULL), SQLITE_OK);
		for (unsigned i = 0; i < 3000; i++)
			commit_pages(i);
		if (held == 1)
			ck_assert_int_eq(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
		// The thread is asked each thousand frames; the commit after it has done starts again at the front.
		unsigned tries = 0;
		while (frames_of(reader) > 1500) {
			ck_assert_uint_lt(++tries, 100000);
			commit_pages(tries);
		}
	}
	sqlite3_close(reader);
	struct store_tag one = tag(1);
	struct store_plan plan;
	ck_assert_int_eq(ops->plan_get(store, &one, 1, &arena, &plan), STORE_OK);
}
END_TEST

START_TEST(has_a_sentence_for_every_status)
{
#define X(name, sentence) ck_assert_str_eq(store_status_text(name), sentence);
	STORE_STATUS_TABLE(X)
#undef X
}
END_TEST

static void add_batches(Suite *suite)
{
	TCase *tests = tcase_create("batches");
	tcase_add_checked_fixture(tests, start, stop);
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
	suite_add_tcase(suite, tests);
}

static void add_rows(Suite *suite)
{
	TCase *tests = tcase_create("rows");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, refuses_numbers_past_the_largest_signed_one);
	tcase_add_test(tests, keeps_the_largest_signed_number);
	tcase_add_test(tests, finds_nothing_under_a_number_that_cannot_be_kept);
	tcase_add_test(tests, says_when_the_arena_is_too_small_and_works_with_a_larger_one);
	tcase_add_test(tests, keeps_an_empty_value);
	tcase_add_test(tests, replaces_a_plan_of_the_same_slot);
	tcase_add_test(tests, finds_each_child_among_very_many_and_after_a_rollback_and_a_restart);
	tcase_add_test(tests, lists_the_plans_of_one_child_only_and_no_more_than_asked);
	tcase_add_test(tests, keeps_versions_of_a_plan_and_finds_the_newest_up_to_a_generation);
	tcase_add_test(tests, walks_an_authoritys_versions_by_generation_and_slot);
	tcase_add_test(tests, gives_the_authority_that_has_been_due_for_longest);
	tcase_add_test(tests, keeps_rejections_by_file_counts_them_and_lets_those_of_other_files_go);
	tcase_add_test(tests, lists_accesses_newest_first);
	tcase_add_test(tests, lists_silent_accesses_when_they_are_asked_for);
	tcase_add_test(tests, inbox_ids_ascend_in_each_organisation);
	tcase_add_test(tests, does_not_use_an_inbox_id_again_after_it_was_acknowledged);
	tcase_add_test(tests, acknowledges_an_item_once);
	tcase_add_test(tests, the_number_of_open_items_follows_every_write_and_a_rollback);
	tcase_add_test(tests, lists_an_inbox_by_id_open_or_whole);
	tcase_add_test(tests, keeps_what_becomes_of_an_item);
	tcase_add_test(tests, gives_out_what_nobody_holds);
	tcase_add_test(tests, shows_escalated_items_under_numbers_of_their_own);
	tcase_add_test(tests, finds_what_is_due_over_all_organisations);
	tcase_add_test(tests, knows_when_the_last_item_of_another_kind_came);
	tcase_add_test(tests, remembers_how_far_nothing_to_report_has_got);
	tcase_add_test(tests, replaces_an_authoritys_row);
	tcase_add_test(tests, forgets_expired_requests_a_bounded_number_at_a_time);
	tcase_add_test(tests, does_not_find_a_request_that_has_expired);
	tcase_add_test(tests, keeps_quarantine_entries_newest_first);
	tcase_add_test(tests, keeps_of_each_system_the_largest_checkpoint_that_fits_and_that_does_not);
	tcase_add_test(tests, checkpoints_that_fit_and_are_old_go_first_and_their_numbers_are_not_used_again);
	tcase_add_test(tests, keeps_the_checkpoint_to_cosign_and_the_witnessed_one);
	suite_add_tcase(suite, tests);
}

static void add_audit(Suite *suite)
{
	TCase *tests = tcase_create("audit");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, refuses_an_audit_row_that_is_not_the_next_one);
	tcase_add_test(tests, refuses_a_first_audit_row_other_than_0);
	tcase_add_test(tests, gives_back_each_audit_row_and_each_of_its_nodes);
	tcase_add_test(tests, takes_the_rows_of_the_largest_batches_into_the_search_index);
	tcase_add_test(tests, searches_along_each_key_in_both_orders_between_numbers_and_times);
	tcase_add_test(tests, finds_a_row_from_its_batch_on_and_after_a_rollback_not);
	tcase_add_test(tests, finds_times_in_all_blocks_when_the_clock_was_set_back);
	tcase_add_test(tests, finds_nothing_about_somebody_who_is_not_there);
	tcase_add_test(tests, keeps_the_latest_checkpoint_only);
	tcase_add_test(tests, keeps_audit_keys_by_number_and_destroys_them);
	tcase_add_test(tests, keeps_holds_by_name);
	tcase_add_test(tests, removes_one_access);
	tcase_add_test(tests, the_write_ahead_log_begins_anew);
	tcase_add_test(tests, has_a_sentence_for_every_status);
	suite_add_tcase(suite, tests);
}

int main(void)
{
	Suite *suite = suite_create("store");
	add_batches(suite);
	add_rows(suite);
	add_audit(suite);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
