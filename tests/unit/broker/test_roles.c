// Role profiles granted over the broker: as many as there is room for, and all of them read back after a restart.
#include "broker/roles.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/broker/sealed_store.h"

static struct policy *policy;
static struct roles *roles;

static void start(void)
{
	char detail[POLICY_DETAIL_BYTES] = "";
	sealed_store_make();
	ck_assert_msg(policy_load("broker/policy.yaml", &policy, detail), "%s", detail);
	ck_assert(roles_new(store, vault, policy, &roles) && roles_load(roles));
}

static void finish(void)
{
	roles_free(roles);
	policy_free(policy);
	sealed_store_remove();
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
