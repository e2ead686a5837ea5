// The audit log's keys by month and class: made once, kept sealed, dropped with the batch they were made in, destroyed for good;
// and searches from month to month.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/audit.h"
#include "proto/date.h"
#include "proto/limits.h"

#define CHILD AUDIT_CLASS_CHILD
#define BATCH 64u
#define ROWS 400u

static char directory[32], store_path[64], key_path[64];
static struct store *store;
static struct vault *vault;
static struct audit_keys *keys;
static struct arena arena;
static struct signing_key *log_key;
static struct audit_log *audit;

static void open_store(void)
{
	char detail[STORE_DETAIL_BYTES] = "";
	ck_assert_msg(store_sqlite_open(store_path, &store, detail) == STORE_OK, "%s", detail);
	ck_assert(audit_keys_new(store, vault, &keys));
}

static void close_store(void)
{
	audit_free(audit);
	audit = NULL;
	audit_keys_free(keys);
	store->ops->close(store);
}

static void start(void)
{
	char detail[VAULT_DETAIL_BYTES] = "";
	strcpy(directory, "/tmp/cpis-audit-keys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(store_path, sizeof store_path, "%s/store", directory);
	snprintf(key_path, sizeof key_path, "%s/store.key", directory);
	ck_assert_msg(vault_create_key(key_path, detail) && vault_open_key(key_path, &vault, detail), "%s", detail);
	ck_assert_int_eq(signing_key_generate(&log_key), CERTS_OK);
	ck_assert(arena_init(&arena, 8 * 1024 * 1024));
	open_store();
	ck_assert(audit_keys_load(keys));
}

static void finish(void)
{
	char path[80];
	close_store();
	vault_free(vault);
	signing_key_free(log_key);
	arena_done(&arena);
	static const char *const ends[] = {"", "-wal", "-shm", ".lock", ".key"};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(path, sizeof path, "%s%s", store_path, ends[i]);
		unlink(path);
	}
	rmdir(directory);
}

static const struct audit_key *use(uint32_t month, enum audit_class record_class)
{
	const struct audit_key *key = audit_keys_use(keys, &arena, month, record_class);
	ck_assert_ptr_nonnull(key);
	return key;
}

static void commit(void)
{
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	audit_keys_committed(keys);
}

static void begin(void)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
}

static bool seals_alike(const struct audit_key *a, const struct audit_key *b)
{
	static const uint8_t plain[] = "who and whom";
	uint8_t sealed[sizeof plain + SEAL_OVERHEAD_BYTES], opened[sizeof plain];
	ck_assert(seal_close(a->seal, "i", 1, plain, sizeof plain, sealed));
	return seal_open(b->seal, "i", 1, sealed, sizeof sealed, opened) && memcmp(opened, plain, sizeof plain) == 0;
}

static struct store_tag tag_of(const struct audit_key *key)
{
	struct store_tag tag = {{7}}, made;
	audit_key_tag(key, &tag, &made);
	return made;
}

static bool is_same_tag(struct store_tag a, struct store_tag b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

// ------------------------------------------------------------------ keys

START_TEST(each_month_and_class_has_a_key_of_its_own)
{
	begin();
	const struct audit_key *one = use(680, CHILD), *next = use(681, CHILD), *staff = use(680, AUDIT_CLASS_STAFF),
			       *service = use(680, AUDIT_CLASS_SERVICE), *person = use(680, AUDIT_CLASS_PERSON);
	ck_assert_ptr_eq(use(680, CHILD), one);
	ck_assert_uint_eq(audit_keys_count(keys), 5);
	ck_assert(seals_alike(one, one) && !seals_alike(one, next) && !seals_alike(one, staff) && !seals_alike(staff, service));
	ck_assert(!is_same_tag(tag_of(one), tag_of(next)) && !is_same_tag(tag_of(one), tag_of(person)));
	ck_assert_ptr_null(person->seal);
	ck_assert(staff->tags == NULL && service->tags == NULL);
	commit();
}
END_TEST

START_TEST(keys_are_the_same_after_a_restart_and_under_another_store_key_nothing_opens)
{
	char detail[VAULT_DETAIL_BYTES], other[80];
	begin();
	struct store_tag before = tag_of(use(680, CHILD));
	commit();
	close_store();
	open_store();
	ck_assert(audit_keys_load(keys));
	ck_assert(is_same_tag(tag_of(audit_keys_find(keys, 680, CHILD)), before));
	close_store();
	struct vault *ours = vault;
	snprintf(other, sizeof other, "%s/other.key", directory);
	ck_assert(vault_create_key(other, detail) && vault_open_key(other, &vault, detail));
	open_store();
	ck_assert(!audit_keys_load(keys));
	vault_free(vault);
	vault = ours;
	unlink(other);
}
END_TEST

START_TEST(a_key_made_in_a_batch_that_was_given_up_is_not_used_again)
{
	begin();
	struct store_tag dropped = tag_of(use(680, CHILD));
	store->ops->rollback(store);
	audit_keys_abandoned(keys);
	ck_assert_ptr_null(audit_keys_find(keys, 680, CHILD));
	begin();
	ck_assert(!is_same_tag(tag_of(use(680, CHILD)), dropped));
	commit();
	ck_assert(audit_keys_load(keys));
	ck_assert_uint_eq(audit_keys_count(keys), 1);
}
END_TEST

START_TEST(a_destroyed_key_is_gone_and_its_month_may_have_another)
{
	begin();
	uint32_t id = use(680, CHILD)->id;
	commit();
	begin();
	ck_assert_int_eq(audit_keys_destroy(keys, id, 5), STORE_OK);
	store->ops->rollback(store);
	audit_keys_abandoned(keys);
	ck_assert_ptr_nonnull(audit_keys_find(keys, 680, CHILD));
	begin();
	ck_assert_int_eq(audit_keys_destroy(keys, id, 5), STORE_OK);
	commit();
	for (int restarted = 0; restarted < 2; restarted++) {
		ck_assert_ptr_null(audit_keys_find(keys, 680, CHILD));
		const struct audit_key *gone = audit_keys_by_id(keys, id);
		ck_assert(gone != NULL && gone->destroyed_ms == 5 && gone->seal == NULL && gone->tags == NULL);
		ck_assert(audit_keys_load(keys));
	}
	begin();
	ck_assert_uint_eq(use(680, CHILD)->id, id + 1);
	ck_assert_int_eq(audit_keys_destroy(keys, 77, 5), STORE_NOT_FOUND);
	store->ops->rollback(store);
	audit_keys_abandoned(keys);
}
END_TEST

static bool file_has(const char *path, const uint8_t *bytes, size_t count)
{
	static uint8_t text[4 * 1024 * 1024];
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	size_t got = fread(text, 1, sizeof text, file);
	fclose(file);
	ck_assert_uint_lt(got, sizeof text);
	return memmem(text, got, bytes, count) != NULL;
}

static bool files_have(const uint8_t *bytes, size_t count)
{
	char wal[80];
	snprintf(wal, sizeof wal, "%s-wal", store_path);
	return file_has(store_path, bytes, count) || file_has(wal, bytes, count);
}

START_TEST(nothing_of_a_destroyed_key_is_left_in_the_files)
{
	struct store_audit_key *rows;
	size_t count;
	begin();
	uint32_t id = use(680, CHILD)->id;
	for (uint32_t month = 0; month < 50; month++)
		use(month, AUDIT_CLASS_STAFF);
	commit();
	ck_assert_int_eq(store->ops->audit_key_all(store, AUDIT_KEYS_MAX, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(rows[0].id, id);
	ck_assert(files_have(rows[0].sealed.data, rows[0].sealed.bytes));
	begin();
	ck_assert_int_eq(audit_keys_destroy(keys, id, 5), STORE_OK);
	commit();
	ck_assert(!files_have(rows[0].sealed.data, rows[0].sealed.bytes));
	ck_assert(!files_have(rows[0].sealed.data + 12, 20)); // nor a part of it
	ck_assert(files_have(rows[1].sealed.data, rows[1].sealed.bytes));
}
END_TEST

START_TEST(there_are_8000_keys_and_not_one_more)
{
	begin();
	for (uint32_t i = 0; i < AUDIT_KEYS_MAX; i++)
		use(i / 4, (enum audit_class)(CHILD + i % 4));
	const uint32_t next = AUDIT_KEYS_MAX / 4;
	ck_assert_ptr_null(audit_keys_use(keys, &arena, next, CHILD));
	commit();
	ck_assert(audit_keys_load(keys));
	ck_assert_uint_eq(audit_keys_count(keys), AUDIT_KEYS_MAX);
	begin();
	ck_assert_ptr_null(audit_keys_use(keys, &arena, next, CHILD));
	ck_assert_ptr_nonnull(use(next - 1, CHILD)); // those that are there serve on
	store->ops->rollback(store);
}
END_TEST

// ------------------------------------------------------------------ searching

static void open_audit(void)
{
	char detail[AUDIT_DETAIL_BYTES] = "";
	struct audit_options options = {.store = store, .vault = vault, .key = log_key, .origin = "example.org/log",
					.broker_name = "broker-1", .batch_max = BATCH};
	ck_assert_msg(audit_open(&options, &audit, detail), "%s", detail);
}

static const struct store_tag child = {{1}}, sibling = {{2}}, nurse = {{3}}, clerk = {{4}};
static uint64_t times[ROWS];

// Over five years, in no order; every third of the child's sibling, every other by the clerk.
static void write_rows(void)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	uint64_t index;
	srandom(5);
	for (unsigned i = 0; i < ROWS; i++) {
		if (i % BATCH == 0)
			begin();
		times[i] = 1700000000000u + (uint64_t)random() % (5ull * 365u * 86400000u);
		struct audit_event event = {.policy_version = "1", .organisation = "", .system_name = "", .time_ms = times[i],
					    .subject = i % 3 == 0 ? &sibling : &child, .person = i % 2 == 0 ? &nurse : &clerk,
					    .detail = &detail};
		ck_assert_int_eq(audit_append(audit, &arena, &event, &index), STORE_OK);
		if (i % BATCH != BATCH - 1 && i + 1 != ROWS)
			continue;
		ck_assert_int_eq(audit_close_batch(audit), STORE_OK);
		ck_assert_int_eq(store->ops->commit(store), STORE_OK);
		audit_committed(audit);
	}
}

static bool is_wanted(unsigned i, const struct store_audit_range *range)
{
	bool who = range->key == STORE_AUDIT_SUBJECT ? i % 3 != 0 : i % 2 == 0;
	return who && times[i] >= range->from_ms && times[i] < range->until_ms;
}

// In pages of seven.
static void expect_all(struct audit_search search)
{
	unsigned wanted[ROWS], count = 0, place = 0;
	struct store_audit_range *range = &search.range;
	for (unsigned i = 0; i < ROWS; i++)
		if (is_wanted(i, range))
			wanted[count++] = i;
	range->limit = 7;
	for (;;) {
		struct store_audit *rows = NULL;
		size_t found = 0, used = arena.used;
		ck_assert_int_eq(audit_find(audit, &search, &arena, &rows, &found), STORE_OK);
		for (size_t i = 0; i < found; i++, place++) {
			ck_assert_uint_lt(place, count);
			ck_assert_uint_eq(rows[i].index, wanted[range->oldest_first ? place : count - 1 - place]);
			ck_assert_int_eq(audit_is_of(audit, &rows[i], &nurse), rows[i].index % 2 == 0);
		}
		if (found < range->limit)
			break;
		if (range->oldest_first)
			range->from_index = rows[found - 1].index + 1;
		else
			range->until_index = rows[found - 1].index;
		arena_rewind(&arena, used);
	}
	ck_assert_uint_eq(place, count);
}

START_TEST(a_search_goes_over_all_months_in_either_order)
{
	open_audit();
	write_rows();
	for (unsigned i = 0; i < 8; i++) {
		bool person = i % 2 == 1, between = i / 4 == 1;
		struct audit_search search = {
			.range = {.key = person ? STORE_AUDIT_PERSON : STORE_AUDIT_SUBJECT, .oldest_first = i / 2 % 2 == 1,
				  .from_ms = between ? 1735000000123u : 0, .until_ms = between ? 1790000000456u : UINT64_MAX,
				  .until_index = UINT64_MAX},
			.tag = person ? nurse : child};
		expect_all(search);
	}
}
END_TEST

START_TEST(what_was_erased_is_not_found_and_says_so_and_the_tree_stands)
{
	struct store_audit row;
	char detail[AUDIT_DETAIL_BYTES];
	struct merkle_hash before, after;
	open_audit();
	write_rows();
	audit_root(audit, &before);
	uint32_t month = instant_month(times[1]);
	const struct audit_key *key = audit_keys_find(audit_keys_of(audit), month, CHILD);
	ck_assert_ptr_nonnull(key);
	begin();
	ck_assert_int_eq(audit_keys_destroy(audit_keys_of(audit), key->id, 5), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	audit_committed(audit);
	ck_assert_int_eq(store->ops->audit_get(store, 1, &arena, &row), STORE_OK);
	const Cpis__V1__AuditEntry *entry = audit_entry(audit, &arena, &row);
	ck_assert(entry != NULL && entry->erased && entry->time_ms == times[1]);
	struct audit_search search = {
		.range = {.key = STORE_AUDIT_SUBJECT, .until_index = UINT64_MAX, .until_ms = UINT64_MAX, .limit = ROWS}, .tag = child};
	struct store_audit *rows;
	size_t count;
	ck_assert_int_eq(audit_find(audit, &search, &arena, &rows, &count), STORE_OK);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_ne(instant_month(rows[i].time_ms), month);
	// Who did it has another key.
	search.range.key = STORE_AUDIT_PERSON;
	search.tag = clerk;
	ck_assert_int_eq(audit_find(audit, &search, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, ROWS / 2);
	ck_assert_msg(audit_reload(audit, detail), "%s", detail);
	audit_root(audit, &after);
	ck_assert_mem_eq(&before, &after, sizeof before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_keys");
	TCase *of_keys = tcase_create("keys"), *searching = tcase_create("searching");
	tcase_add_checked_fixture(of_keys, start, finish);
	tcase_add_checked_fixture(searching, start, finish);
	tcase_set_timeout(searching, 60);
	tcase_add_test(of_keys, each_month_and_class_has_a_key_of_its_own);
	tcase_add_test(of_keys, keys_are_the_same_after_a_restart_and_under_another_store_key_nothing_opens);
	tcase_add_test(of_keys, a_key_made_in_a_batch_that_was_given_up_is_not_used_again);
	tcase_add_test(of_keys, a_destroyed_key_is_gone_and_its_month_may_have_another);
	tcase_add_test(of_keys, nothing_of_a_destroyed_key_is_left_in_the_files);
	tcase_add_test(of_keys, there_are_8000_keys_and_not_one_more);
	tcase_add_test(searching, a_search_goes_over_all_months_in_either_order);
	tcase_add_test(searching, what_was_erased_is_not_found_and_says_so_and_the_tree_stands);
	suite_add_tcase(suite, of_keys);
	suite_add_tcase(suite, searching);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
