// Role profiles granted over the broker: as many as there is room for, and all of them read back after a restart.
#include "broker/roles.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/cpis-test-roles-XXXXXX";
static char database[64], key[64];
static struct store *store;
static struct vault *vault;
static struct policy *policy;
static struct roles *roles;
static struct arena arena;

static void start(void)
{
	char detail[POLICY_DETAIL_BYTES + STORE_DETAIL_BYTES] = "";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(database, sizeof database, "%s/store", directory);
	snprintf(key, sizeof key, "%s/store.key", directory);
	ck_assert_msg(policy_load("broker/policy.yaml", &policy, detail), "%s", detail);
	ck_assert_msg(vault_create_key(key, detail) && vault_open_key(key, &vault, detail), "%s", detail);
	ck_assert_msg(store_sqlite_open(database, &store, detail) == STORE_OK, "%s", detail);
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert(roles_new(store, vault, policy, &roles) && roles_load(roles));
}

static void finish(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock", ".key"};
	char path[80];
	roles_free(roles);
	store->ops->close(store);
	vault_free(vault);
	policy_free(policy);
	arena_done(&arena);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(path, sizeof path, "%s%s", database, ends[i]);
		unlink(path);
	}
	rmdir(directory);
}

// With everything as long as it can be.
static enum store_status grant(unsigned number, bool *ret_replaced)
{
	Cpis__Stored__V1__StoredRole role = CPIS__STORED__V1__STORED_ROLE__INIT;
	char uid[UID_DIGITS + 1], code[ROLE_CODE_BYTES_MAX + 1], name[IDENTITY_NAME_BYTES_MAX + 1];
	char activity[] = "B01070000000", *activities[ACTIVITIES_PER_ROLE_MAX];
	snprintf(uid, sizeof uid, "555000%06u", number);
	snprintf(code, sizeof code, "%0*u", (int)ROLE_CODE_BYTES_MAX, number);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	for (size_t i = 0; i < ACTIVITIES_PER_ROLE_MAX; i++)
		activities[i] = activity;
	role.uid = role.granted_by_uid = uid;
	role.role_code = code;
	role.organisation = "A00000";
	role.from_ms = role.until_ms = role.audit_index = UINT64_MAX;
	role.activities = activities;
	role.n_activities = ACTIVITIES_PER_ROLE_MAX;
	role.granted_by_name = name;
	arena_reset(&arena);
	return roles_put(roles, &arena, &role, ret_replaced);
}

START_TEST(there_are_65536_profiles_and_all_are_read_back)
{
	bool replaced;
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	for (unsigned i = 0; i < ROLES_GRANTED_MAX; i++)
		ck_assert_int_eq(grant(i, &replaced), STORE_OK);
	ck_assert_int_eq(grant(ROLES_GRANTED_MAX, &replaced), STORE_NO_MEMORY);
	ck_assert_int_eq(grant(0, &replaced), STORE_OK); // one that is there can be changed
	ck_assert(replaced);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	ck_assert(roles_load(roles));
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(grant(ROLES_GRANTED_MAX, &replaced), STORE_NO_MEMORY);
	ck_assert_int_eq(grant(ROLES_GRANTED_MAX - 1, &replaced), STORE_OK);
	ck_assert(replaced);
	store->ops->rollback(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roles");
	TCase *tests = tcase_create("roles");
	tcase_set_timeout(tests, 30);
	tcase_add_checked_fixture(tests, start, finish);
	tcase_add_test(tests, there_are_65536_profiles_and_all_are_read_back);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
