// Invitations as they stand in the store: read back as they were, and not at all when a row was altered.
#include "broker/enrolments.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS 1792488600000u

static char directory[] = "/tmp/cpis-test-enrolments-XXXXXX";
static char database[64], key[64];
static struct store *store;
static struct vault *vault;
static struct enrolments *enrolments;
static struct arena arena;

static void set_up(void)
{
	char detail[STORE_DETAIL_BYTES] = "";
	ck_assert_msg(vault_create_key(key, detail) && vault_open_key(key, &vault, detail), "%s", detail);
	ck_assert_msg(store_sqlite_open(database, &store, detail) == STORE_OK, "%s", detail);
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert(enrolments_new(store, vault, &enrolments));
	ck_assert(enrolments_load(enrolments));
}

static void remove_files(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char path[80];
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(path, sizeof path, "%s%s", database, ends[i]);
		unlink(path);
	}
	unlink(key);
}

static void tear_down(void)
{
	enrolments_free(enrolments);
	store->ops->close(store);
	vault_free(vault);
	arena_done(&arena);
	remove_files();
}

static struct enrolments_entry entry(const char *name, uint8_t code)
{
	struct enrolments_entry made = {.code.bytes = {code},
					.organisation.text = "RXH",
					.invited_by_uid = "555000000001",
					.invited_by_name = "Owen Price",
					.invited_ms = NOW_MS,
					.until_ms = NOW_MS + 1000,
					.audit_index = code};
	snprintf(made.system_name, sizeof made.system_name, "%s", name);
	return made;
}

static void put(const struct enrolments_entry *what)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(enrolments_put(enrolments, &arena, what, NOW_MS), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
}

static const struct enrolments_entry *find(const char *name)
{
	const struct ods_code organisation = {"RXH"};
	return enrolments_find(enrolments, &organisation, name);
}

// Field by field: what lies between them is nobody's.
static void assert_same(const struct enrolments_entry *a, const struct enrolments_entry *b)
{
	ck_assert_mem_eq(&a->code, &b->code, sizeof a->code);
	ck_assert_str_eq(a->organisation.text, b->organisation.text);
	ck_assert_str_eq(a->system_name, b->system_name);
	ck_assert_str_eq(a->invited_by_uid, b->invited_by_uid);
	ck_assert_str_eq(a->invited_by_name, b->invited_by_name);
	ck_assert_uint_eq(a->invited_ms, b->invited_ms);
	ck_assert_uint_eq(a->until_ms, b->until_ms);
	ck_assert_uint_eq(a->audit_index, b->audit_index);
	ck_assert_uint_eq(a->presented_ms, b->presented_ms);
	ck_assert_mem_eq(a->public_key, b->public_key, sizeof a->public_key);
	ck_assert_uint_eq(a->withdrawn_ms, b->withdrawn_ms);
}

START_TEST(an_invitation_is_read_back_as_it_was)
{
	struct enrolments_entry one = entry("ward system", 1), two = entry("other system", 2);
	put(&one);
	put(&two);
	one.presented_ms = NOW_MS + 1;
	memset(one.public_key, 7, sizeof one.public_key);
	put(&one);
	two.withdrawn_ms = NOW_MS + 2;
	put(&two);
	ck_assert(enrolments_load(enrolments));
	const struct enrolments_entry *found = find("ward system");
	ck_assert_ptr_nonnull(found);
	assert_same(found, &one);
	assert_same(find("other system"), &two);
	ck_assert_ptr_null(find("ward"));
	ck_assert_ptr_eq(enrolments_by_code(enrolments, &one.code), found);
	ck_assert_ptr_eq(enrolments_by_key(enrolments, one.public_key, NOW_MS), found);
	ck_assert_ptr_null(enrolments_by_key(enrolments, one.public_key, one.until_ms));
	ck_assert(enrolments_is_open(found, one.until_ms - 1) && !enrolments_is_open(found, one.until_ms));
	ck_assert(!enrolments_is_open(find("other system"), NOW_MS));
}
END_TEST

START_TEST(codes_exchanged_between_two_rows_are_found_out)
{
	struct enrolments_entry one = entry("ward system", 1), two = entry("other system", 2);
	struct store_enrolment *rows;
	size_t count;
	put(&one);
	put(&two);
	ck_assert_int_eq(store->ops->enrolment_all(store, 10, &arena, &rows, &count), STORE_OK);
	ck_assert_uint_eq(count, 2);
	struct store_tag code = rows[0].code;
	rows[0].code = rows[1].code;
	rows[1].code = code;
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(store->ops->enrolment_put(store, &rows[0]), STORE_OK);
	ck_assert_int_eq(store->ops->enrolment_put(store, &rows[1]), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	ck_assert(!enrolments_load(enrolments));
	ck_assert_ptr_null(find("ward system"));
}
END_TEST

START_TEST(a_row_that_is_not_there_cannot_be_deleted)
{
	struct enrolments_entry one = entry("ward system", 1);
	struct store_tag system;
	put(&one);
	vault_tag_enrolment(vault, &one.organisation, one.system_name, &system);
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(store->ops->enrolment_delete(store, &system), STORE_OK);
	ck_assert_int_eq(store->ops->enrolment_delete(store, &system), STORE_NOT_FOUND);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	ck_assert(enrolments_load(enrolments));
	ck_assert_ptr_null(find("ward system"));
}
END_TEST

START_TEST(tags_depend_on_every_part_and_the_kind)
{
	const struct ods_code rxh = {"RXH"}, rxj = {"RXJ"};
	const uint8_t hash[HASH_BYTES] = {1}, other_hash[HASH_BYTES] = {2};
	struct store_tag tags[5];
	vault_tag_enrolment(vault, &rxh, "a", &tags[0]);
	vault_tag_enrolment(vault, &rxj, "a", &tags[1]);
	vault_tag_enrolment(vault, &rxh, "b", &tags[2]);
	vault_tag_enrolment_code(vault, hash, &tags[3]);
	vault_tag_enrolment_code(vault, other_hash, &tags[4]);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_mem_ne(&tags[i], &tags[j], sizeof tags[i]);
}
END_TEST

int main(void)
{
	if (mkdtemp(directory) == NULL)
		return EXIT_FAILURE;
	snprintf(database, sizeof database, "%s/broker.db", directory);
	snprintf(key, sizeof key, "%s/store.key", directory);
	Suite *suite = suite_create("enrolments");
	TCase *tests = tcase_create("enrolments");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_invitation_is_read_back_as_it_was);
	tcase_add_test(tests, codes_exchanged_between_two_rows_are_found_out);
	tcase_add_test(tests, a_row_that_is_not_there_cannot_be_deleted);
	tcase_add_test(tests, tags_depend_on_every_part_and_the_kind);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	remove_files();
	rmdir(directory);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
