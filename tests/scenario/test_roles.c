// Scenarios of role profiles granted and ended over the broker: by whom, for whom, from when, and what it does to open
// sessions.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/stage.h"

#define WHY "joined the ward today"

static struct stage *stage;
static Cpis__V1__RoleGrantRequest grant_body;
static Cpis__V1__RoleEndRequest end_body;
static Cpis__V1__RoleListRequest list_body;
static Cpis__V1__Request request;

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, REGISTRAR);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static Cpis__V1__Request *grant_request(const char *uid, const char *role, uint64_t from_ms, uint64_t until_ms)
{
	cpis__v1__role_grant_request__init(&grant_body);
	cpis__v1__request__init(&request);
	grant_body.uid = (char *)(uintptr_t)uid;
	grant_body.role_code = (char *)(uintptr_t)role;
	grant_body.from_ms = from_ms;
	grant_body.until_ms = until_ms;
	grant_body.reason = (char *)(uintptr_t)WHY;
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_GRANT;
	request.role_grant = &grant_body;
	return &request;
}

static const struct stage_reply *grant(enum stage_person person, const char *uid, const char *role, uint64_t from_ms,
				       uint64_t until_ms)
{
	return stage_act(stage, person, person, stage->now_ms, grant_request(uid, role, from_ms, until_ms));
}

static const struct stage_reply *end(enum stage_person person, const char *uid, const char *role)
{
	cpis__v1__role_end_request__init(&end_body);
	cpis__v1__request__init(&request);
	end_body.uid = (char *)(uintptr_t)uid;
	end_body.role_code = (char *)(uintptr_t)role;
	end_body.reason = (char *)(uintptr_t) "left the ward today";
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_END;
	request.role_end = &end_body;
	return stage_act(stage, person, person, stage->now_ms, &request);
}

static const struct stage_reply *list_after(enum stage_person person, uint32_t unused_days, const char *uid,
					    const char *role)
{
	cpis__v1__role_list_request__init(&list_body);
	cpis__v1__request__init(&request);
	list_body.unused_days = unused_days;
	list_body.after_uid = (char *)(uintptr_t)uid;
	list_body.after_role_code = (char *)(uintptr_t)role;
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_LIST;
	request.role_list = &list_body;
	return stage_ask_as(stage, person, &request);
}

static const struct stage_reply *list(enum stage_person person, uint32_t unused_days)
{
	return list_after(person, unused_days, "", "");
}

static const Cpis__V1__RoleProfile *profile_in(const struct stage_reply *got, const char *uid, const char *role)
{
	stage_expect_ok(got);
	for (size_t i = 0; i < got->reply->role_list->n_profiles; i++) {
		const Cpis__V1__RoleProfile *profile = got->reply->role_list->profiles[i];
		if (strcmp(profile->uid, uid) == 0 && strcmp(profile->role_code, role) == 0)
			return profile;
	}
	return NULL;
}

// Presents NOBODY's certificate, which is good, for a role.
static const struct stage_reply *present_nobody(const char *role)
{
	struct stage_statement statement = stage_statement(stage, NOBODY);
	statement.role = role;
	return stage_present(stage, &statement);
}

START_TEST(a_person_without_a_profile_gets_one_and_works)
{
	stage_expect(present_nobody("R8001"), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	const struct stage_reply *done = grant(REGISTRAR, stage_uid(NOBODY), "R8001", 0, 0);
	stage_expect_ok(done);
	ck_assert(!done->reply->role_grant->replaced);
	stage_expect(present_nobody("R8016"), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	stage_sign_in(stage, NOBODY);
	stage_expect_ok(stage_flag(stage, NOBODY, stage_child(0)));
}
END_TEST

START_TEST(ending_the_profile_ends_the_session_with_the_next_message)
{
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	ck_assert(end(REGISTRAR, stage_uid(NURSE), "R8001")->reply->role_end->ended);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	struct stage_statement statement = stage_statement(stage, NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	ck_assert(!end(REGISTRAR, stage_uid(NURSE), "R8001")->reply->role_end->ended);
	// Granted again, it holds again, in the session that is still open too.
	const struct stage_reply *again = grant(REGISTRAR, stage_uid(NURSE), "R8001", 0, 0);
	stage_expect_ok(again);
	ck_assert(again->reply->role_grant->replaced);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(a_profile_holds_from_its_start_until_its_end)
{
	uint64_t from_ms = stage->now_ms + STAGE_MINUTE_MS, until_ms = from_ms + STAGE_MINUTE_MS;
	stage_expect_ok(grant(REGISTRAR, stage_uid(NOBODY), "R8001", from_ms, until_ms));
	stage->now_ms = from_ms - 1;
	stage_expect(present_nobody("R8001"), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	stage->now_ms = from_ms;
	stage_sign_in(stage, NOBODY);
	stage->now_ms = until_ms - 1;
	stage_expect_ok(stage_flag(stage, NOBODY, stage_child(0)));
	stage->now_ms = until_ms;
	stage_expect(stage_flag(stage, NOBODY, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "role_profile");
}
END_TEST

START_TEST(it_outlives_a_restart_and_a_commit_that_failed_does_not_count)
{
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(grant(REGISTRAR, stage_uid(NOBODY), "R8001", 0, 0), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect(present_nobody("R8001"), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	stage_expect_ok(grant(REGISTRAR, stage_uid(NOBODY), "R8001", 0, 0));
	stage_restart(stage);
	stage_expect_ok(present_nobody("R8001"));
	ck_assert(end(REGISTRAR, stage_uid(NURSE), "R8001")->reply->role_end->ended);
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "role_profile");
}
END_TEST

START_TEST(a_grant_is_for_the_registrars_own_organisation_only)
{
	// Leeds's worker gets a role at the hospital, and none at Leeds.
	stage_sign_in(stage, LEEDS_WORKER);
	stage_expect_ok(grant(REGISTRAR, stage_uid(LEEDS_WORKER), "R9515", 0, 0));
	struct stage_statement statement = stage_statement(stage, LEEDS_WORKER);
	statement.role = "R9515";
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	ck_assert(!end(REGISTRAR, stage_uid(LEEDS_WORKER), "R9535")->reply->role_end->ended);
	stage_expect_ok(stage_inbox(stage, LEEDS_WORKER));
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	ck_assert(!end(NATIONAL_REGISTRAR, stage_uid(LEEDS_WORKER), "R9535")->reply->role_end->ended);
	ck_assert_ptr_null(profile_in(list(NATIONAL_REGISTRAR, 0), stage_uid(LEEDS_WORKER), "R9535"));
}
END_TEST

START_TEST(a_person_granted_over_the_broker_can_be_held_back_by_the_same_organisation)
{
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	stage_expect_ok(grant(REGISTRAR, stage_uid(NOBODY), "R8001", 0, 0));
	stage_sign_in(stage, NOBODY);
	cpis__v1__request__init(&request);
	set.kind = CPIS__V1__QUARANTINE_KIND__PERSON;
	set.target = (char *)(uintptr_t)stage_uid(NOBODY);
	set.reason = (char *)(uintptr_t)WHY;
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &set;
	const struct stage_reply *done = stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms, &request);
	stage_expect_ok(done);
	ck_assert(done->reply->quarantine_set->known);
	stage_expect(stage_flag(stage, NOBODY, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
}
END_TEST

START_TEST(nobody_grants_to_themselves_and_others_grant_nothing)
{
	stage_expect(grant(REGISTRAR, stage_uid(REGISTRAR), "R8001", 0, 0), ACCESS_DENIED, "role_self");
	stage_expect(grant(NURSE, stage_uid(NOBODY), "R8001", 0, 0), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(end(NURSE, stage_uid(RECEPTIONIST), "R8009"), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(list(NURSE, 0), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(stage_ask_as(stage, REGISTRAR, grant_request(stage_uid(NOBODY), "R8001", 0, 0)),
		     AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage_expect(stage_act(stage, REGISTRAR, NURSE, stage->now_ms, grant_request(stage_uid(NOBODY), "R8001", 0, 0)),
		     AUTHOR_CREDENTIALS_ERROR, "act_signature");
	stage_expect(present_nobody("R8001"), AUTHOR_CREDENTIALS_ERROR, "role_profile");
}
END_TEST

START_TEST(unknown_roles_activities_and_periods_in_the_past_are_refused)
{
	char unknown[] = "B9999", *codes[] = {unknown};
	stage_expect(grant(REGISTRAR, stage_uid(NOBODY), "R9999", 0, 0), ACCESS_DENIED, "role_not_in_policy");
	stage_expect(grant(REGISTRAR, stage_uid(NOBODY), "R8001", 0, stage->now_ms), INVALID_VALUE, "invalid_value");
	stage_expect(grant(REGISTRAR, stage_uid(NOBODY), "R8001", 2000, 1000), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
	stage_expect(grant(REGISTRAR, "12", "R8001", 0, 0), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	grant_request(stage_uid(NOBODY), "R8001", 0, 0);
	grant_body.n_activities = 1;
	grant_body.activities = codes;
	stage_expect(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms, &request), INVALID_VALUE, "invalid_value");
}
END_TEST

START_TEST(the_list_has_file_and_grants_and_what_was_not_used)
{
	const Cpis__V1__RoleProfile *profile = profile_in(list(REGISTRAR, 0), stage_uid(NURSE), "R8001");
	ck_assert_ptr_nonnull(profile);
	ck_assert_uint_eq(profile->last_used_ms, stage->now_ms);
	ck_assert_str_eq(profile->granted_by, "");
	ck_assert_ptr_null(profile_in(list(REGISTRAR, 0), stage_uid(PAST_NURSE), "R8001"));
	ck_assert_ptr_null(profile_in(list(REGISTRAR, 1), stage_uid(NURSE), "R8001"));
	ck_assert_ptr_nonnull(profile_in(list(REGISTRAR, 30), stage_uid(RECEPTIONIST), "R8009"));
	const struct stage_reply *done = grant(REGISTRAR, stage_uid(NOBODY), "R8001", 0, 0);
	profile = profile_in(list(REGISTRAR, 0), stage_uid(NOBODY), "R8001");
	ck_assert_ptr_nonnull(profile);
	ck_assert_str_ne(profile->granted_by, "");
	ck_assert_uint_eq(profile->audit_index, done->reply->receipt->index);
	// Granted today: not unused for a day, though nobody has used it.
	ck_assert_ptr_null(profile_in(list(REGISTRAR, 1), stage_uid(NOBODY), "R8001"));
}
END_TEST

START_TEST(training_is_kept_with_the_grant_and_cannot_be_in_the_future)
{
	grant_request(stage_uid(NOBODY), "R8001", 0, 0);
	grant_body.trained_ms = stage->now_ms + 1;
	stage_expect(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms, &request), INVALID_VALUE, "invalid_value");
	ck_assert_ptr_null(profile_in(list(REGISTRAR, 0), stage_uid(NOBODY), "R8001"));
	grant_request(stage_uid(NOBODY), "R8001", 0, 0);
	grant_body.trained_ms = stage->now_ms - STAGE_DAY_MS;
	stage_expect_ok(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms, &request));
	stage_restart(stage);
	stage_sign_in(stage, REGISTRAR);
	ck_assert_uint_eq(profile_in(list(REGISTRAR, 0), stage_uid(NOBODY), "R8001")->trained_ms, stage->now_ms - STAGE_DAY_MS);
	ck_assert_uint_eq(profile_in(list(REGISTRAR, 0), stage_uid(NURSE), "R8001")->trained_ms, 0);
}
END_TEST

START_TEST(the_list_goes_on_after_the_last_one)
{
	const struct stage_reply *all = list(REGISTRAR, 0);
	stage_expect_ok(all);
	size_t count = all->reply->role_list->n_profiles;
	ck_assert_uint_gt(count, 2);
	const Cpis__V1__RoleProfile *first = all->reply->role_list->profiles[0];
	const struct stage_reply *rest = list_after(REGISTRAR, 0, first->uid, first->role_code);
	stage_expect_ok(rest);
	ck_assert_uint_eq(rest->reply->role_list->n_profiles, count - 1);
	ck_assert_str_eq(rest->reply->role_list->profiles[0]->uid, all->reply->role_list->profiles[1]->uid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roles");
	TCase *tests = tcase_create("roles");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, a_person_without_a_profile_gets_one_and_works);
	tcase_add_test(tests, ending_the_profile_ends_the_session_with_the_next_message);
	tcase_add_test(tests, a_profile_holds_from_its_start_until_its_end);
	tcase_add_test(tests, it_outlives_a_restart_and_a_commit_that_failed_does_not_count);
	tcase_add_test(tests, a_grant_is_for_the_registrars_own_organisation_only);
	tcase_add_test(tests, a_person_granted_over_the_broker_can_be_held_back_by_the_same_organisation);
	tcase_add_test(tests, nobody_grants_to_themselves_and_others_grant_nothing);
	tcase_add_test(tests, unknown_roles_activities_and_periods_in_the_past_are_refused);
	tcase_add_test(tests, the_list_has_file_and_grants_and_what_was_not_used);
	tcase_add_test(tests, training_is_kept_with_the_grant_and_cannot_be_in_the_future);
	tcase_add_test(tests, the_list_goes_on_after_the_last_one);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
