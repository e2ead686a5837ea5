// Scenarios of policies put in force over the broker, and of decisions explained.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "proto/act.h"
#include "tests/harness/stage.h"

#define WHY "agreed by the board on Monday"

static struct stage *stage;
static Cpis__V1__PolicyLoadRequest load_body;
static Cpis__V1__PolicyShowRequest show_body;
static Cpis__V1__ExplainRequest explain_body;
static Cpis__V1__Request request;
static char text[POLICY_BYTES_MAX + 2];

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, RECEPTIONIST);
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_sign_in(stage, REGISTRAR);
	stage_sign_in(stage, NATIONAL_REGISTRAR);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// The shipped policy with one place of it changed.
static const char *shipped_but(const char *from, const char *to)
{
	static char shipped[POLICY_BYTES_MAX];
	FILE *file = fopen("broker/policy.yaml", "re");
	ck_assert_ptr_nonnull(file);
	size_t bytes = fread(shipped, 1, sizeof shipped - 1, file);
	fclose(file);
	shipped[bytes] = '\0';
	char *at = strstr(shipped, from);
	ck_assert_ptr_nonnull(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - shipped), shipped, to, at + strlen(from));
	return text;
}

static Cpis__V1__Request *load_request(const char *policy, bool check_only)
{
	cpis__v1__policy_load_request__init(&load_body);
	cpis__v1__request__init(&request);
	load_body.policy = (ProtobufCBinaryData){strlen(policy), (uint8_t *)(uintptr_t)policy};
	load_body.reason = (char *)(uintptr_t)WHY;
	load_body.check_only = check_only;
	request.body_case = CPIS__V1__REQUEST__BODY_POLICY_LOAD;
	request.policy_load = &load_body;
	return &request;
}

static const struct stage_reply *load(enum stage_person person, const char *policy)
{
	return stage_act(stage, person, person, stage->now_ms, load_request(policy, false));
}

static const struct stage_reply *show(void)
{
	cpis__v1__policy_show_request__init(&show_body);
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_POLICY_SHOW;
	request.policy_show = &show_body;
	const struct stage_reply *got = stage_ask_as(stage, NATIONAL_REGISTRAR, &request);
	stage_expect_ok(got);
	return got;
}

// Receptionists may see whether there is a flag, and nurses may not any more.
static const char *turned_over(void)
{
	static char once[POLICY_BYTES_MAX];
	snprintf(once, sizeof once, "%s", shipped_but("Receptionist, activities: []", "Receptionist, activities: [B0107]"));
	char *nurse = strstr(once, "Nurse Access, activities: [B0107, L0102, L0103, L0106]");
	ck_assert_ptr_nonnull(nurse);
	memcpy(nurse, "Nurse Access, activities: [       L0102,", strlen("Nurse Access, activities: [       L0102,"));
	// Its examples would not hold any more.
	*strstr(once, "\nexamples:") = '\0';
	strcat(once, "\n");
	return once;
}

START_TEST(another_policy_decides_from_the_next_batch_on)
{
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	const struct stage_reply *before = stage_flag(stage, RECEPTIONIST, stage_child(0));
	stage_expect(before, ACCESS_DENIED, "role_lacks_activity");
	const struct stage_reply *got = load(NATIONAL_REGISTRAR, turned_over());
	stage_expect_ok(got);
	ck_assert_str_eq(got->reply->policy_load->version_before, before->record->policy_version);
	ck_assert_str_eq(got->record->policy_version, before->record->policy_version);
	ck_assert_uint_gt(got->reply->policy_load->changes, 100);
	ck_assert_uint_eq(got->reply->policy_load->n_examples, PAGE_ITEMS_MAX);
	const struct stage_reply *after = stage_flag(stage, RECEPTIONIST, stage_child(0));
	stage_expect_ok(after);
	ck_assert_str_eq(after->record->policy_version, got->reply->policy_load->version);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

// A load that is not a batch of its own.
static bool submit_load(const char *policy)
{
	struct arena arena;
	struct signing_key *key = NULL;
	char path[160];
	uint8_t id[REQUEST_ID_BYTES] = {9}, signature[ED25519_SIGNATURE_BYTES];
	size_t bytes;
	Cpis__V1__Request *load = load_request(policy, false);
	ck_assert(arena_init(&arena, ARENA_BYTES));
	load->protocol_version = PROTOCOL_VERSION;
	load->request_id = (ProtobufCBinaryData){sizeof id, id};
	load->act_time_ms = stage->now_ms;
	const uint8_t *act = act_signed_bytes(&arena, load, STAGE_BROKER_NAME, &bytes);
	snprintf(path, sizeof path, "%s/%s.key", stage->directory, stage_uid(NATIONAL_REGISTRAR));
	ck_assert_int_eq(signing_key_load(path, &key), CERTS_OK);
	ck_assert_int_eq(signing_key_sign(key, act, bytes, signature), CERTS_OK);
	load->act_signature = (ProtobufCBinaryData){sizeof signature, signature};
	bool submitted = stage_submit_as(stage, NATIONAL_REGISTRAR, load);
	signing_key_free(key);
	arena_done(&arena);
	return submitted;
}

START_TEST(it_decides_nothing_in_its_own_batch)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request look = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = (char *)(uintptr_t)stage_child(0);
	look.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	look.flag = &flag;
	ck_assert(submit_load(turned_over()));
	ck_assert(stage_submit_as(stage, RECEPTIONIST, &look));
	ck_assert(stage_submit_as(stage, NURSE, &look));
	ck_assert(stage_flush(stage));
	stage_expect_ok(stage->batch[0]);
	stage_expect(stage->batch[1], ACCESS_DENIED, "role_lacks_activity");
	stage_expect_ok(stage->batch[2]);
	stage_expect_ok(stage_flag(stage, RECEPTIONIST, stage_child(0)));
}
END_TEST

START_TEST(it_outlives_a_restart_and_says_who_put_it_in_force)
{
	ck_assert_str_eq(show()->reply->policy_show->loaded_by, "");
	const struct stage_reply *got = load(NATIONAL_REGISTRAR, turned_over());
	stage_expect_ok(got);
	for (int i = 0; i < 2; i++) {
		const Cpis__V1__PolicyShowReply *shown = show()->reply->policy_show;
		ck_assert_str_eq(shown->version, got->reply->policy_load->version);
		ck_assert_uint_eq(shown->policy.len, strlen(turned_over()));
		ck_assert_mem_eq(shown->policy.data, turned_over(), shown->policy.len);
		ck_assert_str_ne(shown->loaded_by, "");
		ck_assert_uint_eq(shown->loaded_ms, stage->now_ms);
		ck_assert_uint_eq(shown->audit_index, got->reply->receipt->index);
		stage_expect_ok(stage_flag(stage, RECEPTIONIST, stage_child(0)));
		stage_restart(stage);
	}
}
END_TEST

START_TEST(activities_that_were_granted_are_kept_though_numbered_otherwise)
{
	stage_sign_in(stage, SCHOOL_NURSE);
	// One more before all others.
	stage_expect_ok(load(NATIONAL_REGISTRAR, shipped_but("activities:\n", "activities:\n  - {code: L0001, name: New}\n")));
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request look = CPIS__V1__REQUEST__INIT;
	details.nhs_number = (char *)(uintptr_t)stage_child(0);
	details.access_type = CPIS__V1__ACCESS_TYPE__SCHEDULED;
	look.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	look.details = &details;
	const struct stage_reply *got = stage_ask_as(stage, SCHOOL_NURSE, &look);
	stage_expect_ok(got);
	ck_assert_str_eq(got->reply->rule, "roles R8001 activities B0107");
	ck_assert(!got->reply->details->notified);
}
END_TEST

START_TEST(a_bad_one_leaves_the_old_one_in_force)
{
	static const struct {
		const char *from, *to, *says;
	} bad[] = {
		{"name: cpis-default-1", "nme: cpis-default-1", "policy:"},
		{"activities: [B0107, L0102, L0103, L0104, L0106], reason", "activities: [B9999], reason", "unknown activity 'B9999'"},
		{"decision: notifies}", "decision: silent}", "the example says silent and the policy decides notifies"},
		{"- {code: R8009, name: Receptionist", "- {code: R8909, name: Receptionist", "the register does not fit it"},
		{"activities: [L0301, L0302]}", "activities: [L0301]}", "nobody could put another in force"},
		{"name: cpis-default-1", "\x01\xff", "policy:"},
	};
	char version[POLICY_VERSION_BYTES];
	snprintf(version, sizeof version, "%s", policy_version(core_policy(stage->core)));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *policy = shipped_but(bad[i].from, bad[i].to);
		// Of these two the examples would complain first.
		if (i == 3 || i == 4)
			*strstr(text, "\nexamples:") = '\0', strcat(text, "\n");
		const struct stage_reply *got = load(NATIONAL_REGISTRAR, policy);
		stage_expect(got, INVALID_VALUE, "policy_invalid");
		ck_assert_msg(strstr(got->reply->reason, bad[i].says) != NULL, "%s", got->reply->reason);
		ck_assert_str_eq(policy_version(core_policy(stage->core)), version);
		stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	}
}
END_TEST

START_TEST(one_that_could_not_be_committed_does_not_count)
{
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(load(NATIONAL_REGISTRAR, turned_over()), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_restart(stage);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(one_whose_commit_only_seemed_to_fail_counts)
{
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(load(NATIONAL_REGISTRAR, turned_over()), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_flag(stage, RECEPTIONIST, stage_child(0)));
	ck_assert_str_ne(show()->reply->policy_show->loaded_by, "");
}
END_TEST

START_TEST(a_failure_at_any_call_leaves_one_of_the_two)
{
	uint64_t n = 1;
	for (;; n++) {
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		const struct stage_reply *got = load(NATIONAL_REGISTRAR, turned_over());
		if (got->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		fault_store_mend(&stage->fault);
		stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	}
	ck_assert_uint_gt(n, 8);
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_flag(stage, RECEPTIONIST, stage_child(0)));
}
END_TEST

START_TEST(a_check_says_what_would_change_and_changes_nothing)
{
	const struct stage_reply *got =
		stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms,
			  load_request(shipped_but("person_per_minute: 60", "person_per_minute: 30"), true));
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->policy_load->changes, 1);
	ck_assert_str_eq(got->reply->policy_load->examples[0], "operation details person_per_minute: 60 -> 30");
	ck_assert_str_eq(show()->reply->policy_show->loaded_by, "");
}
END_TEST

// What a policy of so many bytes is as an act that the next registrar signs.
static size_t act_bytes_of(size_t policy_bytes)
{
	struct arena arena;
	uint8_t id[REQUEST_ID_BYTES] = {1};
	size_t bytes = 0;
	memset(text, '#', policy_bytes);
	text[policy_bytes] = '\0';
	Cpis__V1__Request *load = load_request(text, true);
	load->protocol_version = PROTOCOL_VERSION;
	load->request_id = (ProtobufCBinaryData){sizeof id, id};
	load->act_time_ms = stage->now_ms;
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert_ptr_nonnull(act_signed_bytes(&arena, load, STAGE_BROKER_NAME, &bytes));
	arena_done(&arena);
	return bytes;
}

static const Cpis__V1__AuditDetail *detail_of(size_t policy_bytes)
{
	memset(text, '#', policy_bytes);
	text[policy_bytes] = '\0';
	const struct stage_reply *got =
		stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms, load_request(text, true));
	stage_expect(got, INVALID_VALUE, "policy_invalid");
	return stage_shown(stage, REVIEWER, got->reply->receipt->index)->detail;
}

START_TEST(an_act_of_1024_bytes_is_kept_and_of_a_longer_one_the_hash)
{
	size_t policy_bytes = 500 + ACT_KEPT_BYTES_MAX - act_bytes_of(500);
	stage_sign_in(stage, REVIEWER);
	const Cpis__V1__AuditDetail *detail = detail_of(policy_bytes);
	ck_assert_uint_eq(detail->act.len, ACT_KEPT_BYTES_MAX);
	ck_assert_uint_eq(detail->act_sha256.len, HASH_BYTES);
	ck_assert_uint_eq(detail->act_signature.len, SIGNATURE_BYTES);
	detail = detail_of(policy_bytes + 1);
	ck_assert_uint_eq(detail->act.len, 0);
	ck_assert_uint_eq(detail->act_sha256.len, HASH_BYTES);
	ck_assert_uint_eq(detail->act_signature.len, SIGNATURE_BYTES);
}
END_TEST

START_TEST(only_a_national_body_loads_and_signs_it)
{
	stage_expect(load(REGISTRAR, turned_over()), ACCESS_DENIED, "organisation_type");
	stage_expect(load(NURSE, turned_over()), ACCESS_DENIED, "organisation_type");
	stage_expect(stage_ask_as(stage, NATIONAL_REGISTRAR, load_request(turned_over(), false)), AUTHOR_CREDENTIALS_ERROR,
		     "act_unsigned");
	stage->now_ms += STAGE_MINUTE_MS;
	stage_expect(stage_act(stage, NATIONAL_REGISTRAR, REGISTRAR, stage->now_ms, load_request(turned_over(), false)),
		     AUTHOR_CREDENTIALS_ERROR, "act_signature");
	// Signed in more than an hour ago, and never idle.
	for (int i = 0; i < 4; i++) {
		stage->now_ms += 20 * STAGE_MINUTE_MS;
		const struct stage_reply *got = show();
		stage->token_bytes[NATIONAL_REGISTRAR] = got->reply->session_token.len;
		memcpy(stage->tokens[NATIONAL_REGISTRAR], got->reply->session_token.data, got->reply->session_token.len);
	}
	stage_expect(load(NATIONAL_REGISTRAR, turned_over()), SESSION_EXPIRED, "session_too_old");
	stage_sign_in(stage, NURSE);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(a_store_with_a_policy_that_does_not_hold_is_not_served)
{
	struct core *core = NULL;
	char detail[CORE_DETAIL_BYTES] = "";
	stage_expect_ok(load(NATIONAL_REGISTRAR, turned_over()));
	struct store_blob junk = {(const uint8_t *)"junk", 4};
	ck_assert_int_eq(stage->disk->ops->begin(stage->disk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->policy_put(stage->disk, junk), STORE_OK);
	ck_assert_int_eq(stage->disk->ops->commit(stage->disk), STORE_OK);
	ck_assert(!stage_try_core(stage, &core, detail));
	ck_assert_msg(strstr(detail, "stored policy") != NULL, "%s", detail);
}
END_TEST

// ------------------------------------------------------------------ explaining

static Cpis__V1__Request *explain_request(enum stage_person about, const char *role, Cpis__V1__Operation operation)
{
	cpis__v1__explain_request__init(&explain_body);
	cpis__v1__request__init(&request);
	explain_body.uid = (char *)(uintptr_t)stage_uid(about);
	explain_body.role_code = (char *)(uintptr_t)role;
	explain_body.operation = operation;
	request.body_case = CPIS__V1__REQUEST__BODY_EXPLAIN;
	request.explain = &explain_body;
	return &request;
}

static const Cpis__V1__ExplainReply *explain(enum stage_person asker, enum stage_person about, const char *role)
{
	const struct stage_reply *got =
		stage_ask_as(stage, asker, explain_request(about, role, CPIS__V1__OPERATION__DETAILS));
	stage_expect_ok(got);
	const Cpis__V1__ExplainReply *reply = got->reply->explain;
	ck_assert_uint_gt(reply->n_steps, 0);
	// All steps hold but the last of a refusal.
	for (size_t i = 0; i < reply->n_steps; i++)
		ck_assert_int_eq(reply->steps[i]->holds, reply->allowed || i + 1 < reply->n_steps);
	return reply;
}

START_TEST(a_decision_is_explained_step_by_step)
{
	const Cpis__V1__ExplainReply *reply = explain(REGISTRAR, NURSE, "R8001");
	ck_assert(reply->allowed && !reply->signature_needed);
	ck_assert_str_eq(reply->decision, "notifies");
	ck_assert_str_eq(reply->rule, "roles R8001 activities B0107");
	ck_assert_uint_eq(reply->n_steps, 12);
	reply = explain(PRIVACY_OFFICER, RECEPTIONIST, "R8009");
	ck_assert(!reply->allowed);
	ck_assert_str_eq(reply->decision, "role_lacks_activity");
	ck_assert_str_eq(reply->rule, "operations details activities");
	ck_assert_str_eq(reply->reason, "This role does not include the activity that this operation needs.");
	reply = explain(REGISTRAR, NURSE, "R8016");
	ck_assert_str_eq(reply->decision, "role_profile");
	ck_assert_str_eq(reply->rule, "role_profiles");
}
END_TEST

START_TEST(an_explanation_is_what_a_request_would_be_answered)
{
	static const struct {
		enum stage_person person;
		const char *role;
	} rows[] = {{NURSE, "R8001"}, {RECEPTIONIST, "R8009"}, {PRIVACY_OFFICER, "R0001"}, {REGISTRAR, "R5090"}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const Cpis__V1__ExplainReply *explained = explain(REGISTRAR, rows[i].person, rows[i].role);
		const struct stage_reply *got = stage_details(stage, rows[i].person, stage_child(0));
		ck_assert_int_eq(explained->allowed, got->reply->outcome == CPIS__V1__OUTCOME__OK);
		if (!explained->allowed)
			ck_assert_str_eq(explained->decision, got->reply->reason_code);
		ck_assert_str_eq(explained->rule, got->reply->rule);
	}
}
END_TEST

START_TEST(other_organisations_are_explained_to_a_national_body_only)
{
	Cpis__V1__Request *asked = explain_request(LEEDS_WORKER, "R9535", CPIS__V1__OPERATION__PUBLISH);
	explain_body.organisation = (char *)(uintptr_t) "383";
	stage_expect(stage_ask_as(stage, REGISTRAR, asked), ACCESS_DENIED, "explain_scope");
	const struct stage_reply *got = stage_ask_as(stage, NATIONAL_REGISTRAR, asked);
	stage_expect_ok(got);
	ck_assert(got->reply->explain->allowed);
	explain_body.organisation = (char *)(uintptr_t) "ZZZ";
	got = stage_ask_as(stage, NATIONAL_REGISTRAR, asked);
	stage_expect_ok(got);
	ck_assert_str_eq(got->reply->explain->decision, "organisation_unknown");
	stage_expect(stage_ask_as(stage, NURSE, asked), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(a_person_held_back_is_explained_as_such)
{
	Cpis__V1__QuarantineSetRequest body = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.kind = CPIS__V1__QUARANTINE_KIND__PERSON;
	body.target = (char *)(uintptr_t)stage_uid(NURSE);
	body.reason = (char *)(uintptr_t) "badge was found in the car park";
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &body;
	stage_expect_ok(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms, &request));
	ck_assert_str_eq(explain(REGISTRAR, NURSE, "R8001")->decision, "person_quarantined");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policies");
	TCase *loading = tcase_create("loading"), *explaining = tcase_create("explaining");
	tcase_set_timeout(loading, 120);
	tcase_add_checked_fixture(loading, raise_curtain, drop_curtain);
	tcase_add_test(loading, another_policy_decides_from_the_next_batch_on);
	tcase_add_test(loading, it_decides_nothing_in_its_own_batch);
	tcase_add_test(loading, it_outlives_a_restart_and_says_who_put_it_in_force);
	tcase_add_test(loading, activities_that_were_granted_are_kept_though_numbered_otherwise);
	tcase_add_test(loading, a_bad_one_leaves_the_old_one_in_force);
	tcase_add_test(loading, one_that_could_not_be_committed_does_not_count);
	tcase_add_test(loading, one_whose_commit_only_seemed_to_fail_counts);
	tcase_add_test(loading, a_failure_at_any_call_leaves_one_of_the_two);
	tcase_add_test(loading, a_check_says_what_would_change_and_changes_nothing);
	tcase_add_test(loading, an_act_of_1024_bytes_is_kept_and_of_a_longer_one_the_hash);
	tcase_add_test(loading, only_a_national_body_loads_and_signs_it);
	tcase_add_test(loading, a_store_with_a_policy_that_does_not_hold_is_not_served);
	suite_add_tcase(suite, loading);
	tcase_add_checked_fixture(explaining, raise_curtain, drop_curtain);
	tcase_add_test(explaining, a_decision_is_explained_step_by_step);
	tcase_add_test(explaining, an_explanation_is_what_a_request_would_be_answered);
	tcase_add_test(explaining, other_organisations_are_explained_to_a_national_body_only);
	tcase_add_test(explaining, a_person_held_back_is_explained_as_such);
	suite_add_tcase(suite, explaining);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
