// Sessions: every way in which a statement or a token does not hold, and the limits of time to the millisecond.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

static struct stage *stage;

static void raise_curtain(void)
{
	stage = stage_new();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// ------------------------------------------------------------------ statements

START_TEST(a_true_statement_opens_a_session_that_says_who_one_is)
{
	const struct stage_reply *got = stage_sign_in(stage, SCHOOL_NURSE);
	const Cpis__V1__SessionOpenReply *session = got->reply->session_open;
	ck_assert_str_eq(session->role_name, "Nurse Access");
	ck_assert_str_eq(session->organisation_name, "The community");
	ck_assert_uint_eq(session->expires_ms, STAGE_NOW_MS + SESSION_MS_MAX);
	ck_assert_uint_eq(session->idle_limit_ms, SESSION_IDLE_MS_MAX);
	ck_assert_uint_eq(session->n_activities, 5);
	stage_expect_ok(stage_flag(stage, SCHOOL_NURSE, stage_child(0)));
}
END_TEST

START_TEST(refuses_a_statement_for_another_connection)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.channel_key = stage->keys[STAGE_COMMUNITY].public_key;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_channel");
	// Stolen, and presented by another system, which it was not made for.
	statement = stage_statement(stage, NURSE);
	statement.sent_from = STAGE_COMMUNITY;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_channel");
}
END_TEST

START_TEST(refuses_a_statement_for_another_broker)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.broker_name = "test-broker-2";
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_broker");
}
END_TEST

START_TEST(a_statement_may_be_60_seconds_off_and_no_more)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.time_ms = STAGE_NOW_MS - CLOCK_SKEW_MS_MAX;
	stage_expect_ok(stage_present(stage, &statement));
	statement.time_ms = STAGE_NOW_MS + CLOCK_SKEW_MS_MAX;
	stage_expect_ok(stage_present(stage, &statement));
	statement.time_ms = STAGE_NOW_MS - CLOCK_SKEW_MS_MAX - 1;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_time");
	statement.time_ms = STAGE_NOW_MS + CLOCK_SKEW_MS_MAX + 1;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_time");
	statement.time_ms = UINT64_MAX;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_time");
}
END_TEST

START_TEST(refuses_a_role_profile_of_another_organisation)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.organisation = "RY7";
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_organisation");
}
END_TEST

START_TEST(refuses_a_role_that_one_does_not_hold_now)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.role = "R8002";
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	static const enum stage_person none[] = {NOBODY, PAST_NURSE, FUTURE_NURSE};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		statement = stage_statement(stage, none[i]);
		stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	}
}
END_TEST

START_TEST(a_role_profile_begins_and_ends_to_the_millisecond)
{
	uint64_t midnight = STAGE_NOW_MS - STAGE_NOW_MS % STAGE_DAY_MS;
	stage->now_ms = midnight - 1;
	stage_sign_in(stage, PAST_NURSE);
	stage->now_ms = midnight;
	struct stage_statement statement = stage_statement(stage, PAST_NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	stage->now_ms = midnight + STAGE_DAY_MS - 1;
	statement = stage_statement(stage, FUTURE_NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "role_profile");
	stage->now_ms = midnight + STAGE_DAY_MS;
	stage_sign_in(stage, FUTURE_NURSE);
}
END_TEST

START_TEST(refuses_a_signature_altered_in_any_byte)
{
	for (int i = 0; i < (int)SIGNATURE_BYTES; i++) {
		struct stage_statement statement = stage_statement(stage, NURSE);
		statement.flip = i;
		stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_signature");
	}
}
END_TEST

START_TEST(refuses_a_statement_signed_by_another_persons_key)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.key = stage_statement(stage, RECEPTIONIST).key;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_signature");
}
END_TEST

START_TEST(refuses_a_statement_that_names_another_person)
{
	struct stage_statement statement = stage_statement(stage, RECEPTIONIST);
	statement.uid = stage_uid(NURSE);
	statement.role = "R8001";
	const struct stage_reply *got = stage_present(stage, &statement);
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "statement_person");
	// The record names whom the certificate proved.
	ck_assert_uint_eq(got->record->person_tag.len, TAG_BYTES);
}
END_TEST

START_TEST(refuses_certificates_that_are_not_of_staff_expired_or_revoked)
{
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.certificate = stage->system_files[STAGE_HOSPITAL];
	const struct stage_reply *got = stage_present(stage, &statement);
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "staff_certificate");
	ck_assert_uint_eq(got->record->person_tag.len, 0);
	// Why, for whoever holds the certificate and for whoever reads the log.
	ck_assert_ptr_nonnull(strstr(got->reply->reason, "The staff certificate does not hold: "));
	ck_assert_ptr_nonnull(strstr(got->reply->reason, "not issued by the right authority"));
	statement = stage_statement(stage, EXPIRED_NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "staff_expired");
	stage_revoke_person(stage, NURSE);
	statement = stage_statement(stage, NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "staff_revoked");
}
END_TEST

// ------------------------------------------------------------------ tokens

START_TEST(refuses_no_token)
{
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_missing");
}
END_TEST

START_TEST(refuses_a_token_altered_in_any_byte_or_cut)
{
	stage_sign_in(stage, NURSE);
	for (size_t i = 0; i < stage->token_bytes[NURSE]; i++) {
		stage->tokens[NURSE][i] ^= 1;
		const struct stage_reply *got = stage_flag(stage, NURSE, stage_child(0));
		stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "session_invalid");
		ck_assert_uint_eq(got->record->person_tag.len, 0);
		stage->tokens[NURSE][i] ^= 1;
	}
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	for (; stage->token_bytes[NURSE] > 1; stage->token_bytes[NURSE] /= 2) {
		stage->token_bytes[NURSE]--;
		stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "session_invalid");
	}
}
END_TEST

START_TEST(refuses_a_token_on_another_connection)
{
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, OTHER_NURSE);
	memcpy(stage->tokens[OTHER_NURSE], stage->tokens[NURSE], stage->token_bytes[NURSE]);
	stage->token_bytes[OTHER_NURSE] = stage->token_bytes[NURSE];
	stage_expect(stage_flag(stage, OTHER_NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "session_invalid");
}
END_TEST

// Uses the session and takes the renewed token, as a client does.
static const struct stage_reply *use(enum stage_person person)
{
	const struct stage_reply *got = stage_flag(stage, person, stage_child(0));
	ProtobufCBinaryData renewed = got->reply->session_token;
	if (renewed.len > 0) {
		memcpy(stage->tokens[person], renewed.data, renewed.len);
		stage->token_bytes[person] = renewed.len;
	}
	return got;
}

START_TEST(a_session_ends_after_12_hours_however_busy)
{
	stage_sign_in(stage, NURSE);
	while (stage->now_ms + 20u * STAGE_MINUTE_MS < STAGE_NOW_MS + SESSION_MS_MAX) {
		stage->now_ms += 20u * STAGE_MINUTE_MS;
		stage_expect_ok(use(NURSE));
	}
	stage->now_ms = STAGE_NOW_MS + SESSION_MS_MAX - 1;
	stage_expect_ok(use(NURSE));
	stage->now_ms = STAGE_NOW_MS + SESSION_MS_MAX;
	stage_expect(use(NURSE), SESSION_EXPIRED, "session_expired");
}
END_TEST

START_TEST(a_session_ends_after_30_idle_minutes)
{
	stage_sign_in(stage, NURSE);
	stage->now_ms = STAGE_NOW_MS + SESSION_IDLE_MS_MAX;
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage->now_ms++;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_idle");
}
END_TEST

START_TEST(a_token_is_renewed_after_5_minutes_and_not_before)
{
	stage_sign_in(stage, NURSE);
	stage->now_ms = STAGE_NOW_MS + 5u * STAGE_MINUTE_MS;
	ck_assert_uint_eq(use(NURSE)->reply->session_token.len, 0);
	stage->now_ms++;
	ck_assert_uint_gt(use(NURSE)->reply->session_token.len, 0);
	// The renewed one has an idle limit of its own.
	stage->now_ms = STAGE_NOW_MS + 5u * STAGE_MINUTE_MS + 1 + SESSION_IDLE_MS_MAX;
	stage_expect_ok(use(NURSE));
}
END_TEST

START_TEST(a_token_from_the_future_is_refused_when_the_clock_was_set_back)
{
	stage_sign_in(stage, NURSE);
	stage->now_ms = STAGE_NOW_MS - CLOCK_SKEW_MS_MAX;
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage->now_ms--;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_expired");
}
END_TEST

START_TEST(a_revoked_persons_open_session_ends)
{
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, RECEPTIONIST);
	stage_revoke_person(stage, NURSE);
	const struct stage_reply *got = stage_flag(stage, NURSE, stage_child(0));
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "staff_revoked");
	ck_assert_uint_eq(got->record->person_tag.len, TAG_BYTES);
	stage_expect(stage_flag(stage, RECEPTIONIST, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(a_session_ends_with_its_role_profile)
{
	stage_sign_in(stage, NURSE);
	stage_end_profile(stage, NURSE);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "role_profile");
}
END_TEST

START_TEST(a_session_ends_with_the_certificate_it_was_opened_with)
{
	stage->now_ms = STAGE_MADE_MS + STAGE_DAY_MS - STAGE_HOUR_MS;
	const struct stage_reply *got = stage_sign_in(stage, EXPIRED_NURSE);
	ck_assert_uint_eq(got->reply->session_open->expires_ms, STAGE_MADE_MS + STAGE_DAY_MS);
	stage->now_ms = STAGE_MADE_MS + STAGE_DAY_MS - STAGE_HOUR_MS / 2;
	stage_expect_ok(use(EXPIRED_NURSE));
	stage->now_ms = STAGE_MADE_MS + STAGE_DAY_MS;
	stage_expect(use(EXPIRED_NURSE), SESSION_EXPIRED, "session_expired");
}
END_TEST

// ------------------------------------------------------------------ systems

START_TEST(refuses_systems_that_are_unknown_expired_revoked_or_unregistered)
{
	stage_expect(stage_ping(stage, STAGE_STRANGER), ASID_CHECK_FAILED, "system_unknown");
	stage_expect(stage_ping(stage, STAGE_KEYLESS), ASID_CHECK_FAILED, "system_unknown");
	stage_expect(stage_ping(stage, STAGE_EXPIRED), ASID_CHECK_FAILED, "system_expired");
	stage_expect(stage_ping(stage, STAGE_UNREGISTERED), ASID_CHECK_FAILED, "organisation_unknown");
	stage_sign_in(stage, NURSE);
	stage_revoke_system(stage, STAGE_HOSPITAL);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), ASID_CHECK_FAILED, "system_revoked");
}
END_TEST

START_TEST(past_the_revocation_lists_nobody_is_let_in)
{
	stage->now_ms = STAGE_LISTS_END_MS - 1;
	stage_sign_in(stage, NURSE);
	stage->now_ms = STAGE_LISTS_END_MS;
	stage_expect(stage_ping(stage, STAGE_HOSPITAL), ASID_CHECK_FAILED, "system_invalid");
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), ASID_CHECK_FAILED, "system_invalid");
}
END_TEST

// Brokers that share the key and the name share sessions, and nothing else has to be shared for that.
START_TEST(a_token_opens_at_another_broker_with_the_same_key)
{
	struct store *mine = stage->disk, *other = NULL;
	struct core *core = stage->core;
	char path[128], detail[STORE_DETAIL_BYTES];
	stage_sign_in(stage, NURSE);
	snprintf(path, sizeof path, "%s/other.db", stage->directory);
	ck_assert_msg(store_sqlite_open(path, &other, detail) == STORE_OK, "%s", detail);
	stage->fault.real = other;
	ck_assert_msg(stage_try_core(stage, &stage->core, detail), "%s", detail);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	core_free(stage->core);
	other->ops->close(other);
	stage->core = core;
	stage->fault.real = mine;
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

static struct vault *make_key(const char *name)
{
	char path[128], detail[VAULT_DETAIL_BYTES];
	struct vault *vault = NULL;
	snprintf(path, sizeof path, "%s/%s", stage->directory, name);
	ck_assert(vault_create_key(path, detail) && vault_open_key(path, &vault, detail));
	return vault;
}

START_TEST(open_sessions_live_on_while_the_session_key_is_changed)
{
	struct vault *fresh = make_key("session-2.key"), *next = make_key("session-3.key");
	uint8_t old_token[SESSION_TOKEN_BYTES_MAX];
	stage_sign_in(stage, NURSE);
	size_t old_bytes = stage->token_bytes[NURSE];
	memcpy(old_token, stage->tokens[NURSE], old_bytes);
	// During the change: opened under the old key, sealed anew under the new one at the first use.
	stage->session_keys = (struct session_keys){.current = fresh, .previous = stage->vault};
	stage_restart(stage);
	const struct stage_reply *got = stage_flag(stage, NURSE, stage_child(0));
	stage_expect_ok(got);
	ck_assert_uint_gt(got->reply->session_token.len, 0);
	memcpy(stage->tokens[NURSE], got->reply->session_token.data, got->reply->session_token.len);
	stage->token_bytes[NURSE] = got->reply->session_token.len;
	ck_assert_uint_eq(stage_flag(stage, NURSE, stage_child(0))->reply->session_token.len, 0);
	// After it: the new token holds, the old one does not.
	stage->session_keys = (struct session_keys){.current = fresh, .previous = NULL};
	stage_restart(stage);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	memcpy(stage->tokens[NURSE], old_token, old_bytes);
	stage->token_bytes[NURSE] = old_bytes;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "session_invalid");
	stage->session_keys = (struct session_keys){.current = next, .previous = fresh};
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "session_invalid");
	stage->session_keys = (struct session_keys){.current = stage->vault, .previous = NULL};
	stage_restart(stage);
	vault_free(fresh);
	vault_free(next);
}
END_TEST

START_TEST(a_statement_opens_one_session)
{
	static const uint8_t nonce[NONCE_BYTES] = {1, 2, 3}, other[NONCE_BYTES] = {1, 2, 4};
	struct stage_statement statement = stage_statement(stage, NURSE);
	statement.nonce = nonce;
	stage_expect_ok(stage_present(stage, &statement));
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	stage_restart(stage);
	stage->now_ms += CLOCK_SKEW_MS_MAX;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	stage->now_ms += 1;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_time");
	statement = stage_statement(stage, NURSE);
	statement.nonce = other;
	stage_expect_ok(stage_present(stage, &statement));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sessions");
	TCase *all = tcase_create("sessions");
	tcase_set_timeout(all, 120);
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_add_test(all, a_true_statement_opens_a_session_that_says_who_one_is);
	tcase_add_test(all, refuses_a_statement_for_another_connection);
	tcase_add_test(all, refuses_a_statement_for_another_broker);
	tcase_add_test(all, a_statement_may_be_60_seconds_off_and_no_more);
	tcase_add_test(all, refuses_a_role_profile_of_another_organisation);
	tcase_add_test(all, refuses_a_role_that_one_does_not_hold_now);
	tcase_add_test(all, a_role_profile_begins_and_ends_to_the_millisecond);
	tcase_add_test(all, refuses_a_signature_altered_in_any_byte);
	tcase_add_test(all, refuses_a_statement_signed_by_another_persons_key);
	tcase_add_test(all, refuses_a_statement_that_names_another_person);
	tcase_add_test(all, refuses_certificates_that_are_not_of_staff_expired_or_revoked);
	tcase_add_test(all, refuses_no_token);
	tcase_add_test(all, refuses_a_token_altered_in_any_byte_or_cut);
	tcase_add_test(all, refuses_a_token_on_another_connection);
	tcase_add_test(all, a_session_ends_after_12_hours_however_busy);
	tcase_add_test(all, a_session_ends_after_30_idle_minutes);
	tcase_add_test(all, a_token_is_renewed_after_5_minutes_and_not_before);
	tcase_add_test(all, a_token_from_the_future_is_refused_when_the_clock_was_set_back);
	tcase_add_test(all, a_revoked_persons_open_session_ends);
	tcase_add_test(all, a_session_ends_with_its_role_profile);
	tcase_add_test(all, a_session_ends_with_the_certificate_it_was_opened_with);
	tcase_add_test(all, refuses_systems_that_are_unknown_expired_revoked_or_unregistered);
	tcase_add_test(all, past_the_revocation_lists_nobody_is_let_in);
	tcase_add_test(all, a_statement_opens_one_session);
	tcase_add_test(all, open_sessions_live_on_while_the_session_key_is_changed);
	tcase_add_test(all, a_token_opens_at_another_broker_with_the_same_key);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
