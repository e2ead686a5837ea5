// Who sits before a browser: sessions that a passkey or the browser's certificate opens in place of a signature, and every way in which
// such a proof does not hold.
#include <string.h>

#include "broker/limits.h"
#include "tests/harness/suite.h"
#include "tests/scenario/proven_registrar.h"

START_TEST(a_proof_opens_a_session_in_which_one_is_whom_it_proved)
{
	const struct stage_reply *got = sign_in(ways[_i]);
	ck_assert_str_eq(got->reply->session_open->name, "Person 12");
	const Cpis__V1__AuditDetail *detail = shown(got->reply->receipt->index);
	ck_assert_str_eq(detail->uid, stage_uid(REGISTRAR));
	ck_assert_int_eq(detail->proof, _i == 0 ? CPIS__V1__PROOF_KIND__PASSKEY : CPIS__V1__PROOF_KIND__BROWSER_CERTIFICATE);
	// As one's own key does; the record says so too.
	ck_assert_int_eq(shown(stage_sign_in(stage, NURSE)->reply->receipt->index)->proof, CPIS__V1__PROOF_KIND__KEY);
	stage_expect(stage_flag(stage, REGISTRAR, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
	// Who is named has to be whom the certificate names.
	struct stage_statement statement = statement_by(ways[_i]);
	statement.uid = stage_uid(REGISTRAR);
	stage_expect_ok(stage_present(stage, &statement));
	statement.uid = stage_uid(NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_person");
}
END_TEST

START_TEST(browsers_have_keys_of_all_three_kinds)
{
	static const enum staff_key_kind kinds[] = {STAFF_KEY_ED25519, STAFF_KEY_RSA};
	if (kinds[_i] == STAFF_KEY_ED25519) {
		// The certificate that signs texts elsewhere.
		static struct prover same;
		char path[160];
		same = (struct prover){.by_handshake = true, .web_host = STAGE_WEB_HOST};
		snprintf(path, sizeof path, "%s/%s.key", stage->directory, stage_uid(REGISTRAR));
		same.key = browser_key_load(path);
		same.certificate = browser_certificate_load(stage->person_files[REGISTRAR]);
		snprintf(same.certificate_file, sizeof same.certificate_file, "%s", stage->person_files[REGISTRAR]);
		sign_in(&(struct stage_prover){prover_prove, &same});
		prover_done(&same);
		return;
	}
	prover_done(&browser);
	prover_init_certificate(&browser, stage->directory, "ra", stage_uid(REGISTRAR), "Person 12", kinds[_i], STAGE_WEB_HOST,
				STAGE_MADE_MS);
	const struct stage_reply *got = sign_in(&by_browser);
	// The longest of keys is in the token, and the token is still one that is remembered.
	ck_assert_uint_le(got->reply->session_open->session_token.len, SESSION_CACHE_TOKEN_BYTES_MAX);
}
END_TEST

START_TEST(without_a_browser_the_statement_has_to_say_who)
{
	struct stage_statement statement = stage_statement(stage, REGISTRAR);
	statement.uid = "";
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_person");
}
END_TEST

START_TEST(a_bare_signature_is_of_an_ed25519_certificate_only)
{
	struct stage_statement statement = statement_by(&by_passkey);
	statement.uid = stage_uid(REGISTRAR);
	statement.prover = NULL;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_signature");
	// And a passkey never of one.
	statement = statement_by(&by_passkey);
	statement.certificate = stage->person_files[REGISTRAR];
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "proof_signature");
}
END_TEST

START_TEST(a_signature_and_a_proof_are_one_too_many)
{
	struct stage_statement statement = statement_by(ways[_i]);
	statement.signed_too = true;
	stage_expect(stage_present(stage, &statement), MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
}
END_TEST

START_TEST(a_proof_opens_one_session)
{
	static const uint8_t nonce[NONCE_BYTES] = {1, 2, 3};
	struct stage_statement statement = statement_by(ways[_i]);
	statement.nonce = nonce;
	stage_expect_ok(stage_present(stage, &statement));
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	stage_restart(stage);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
}
END_TEST

START_TEST(a_proof_is_good_for_60_seconds)
{
	struct stage_statement statement = statement_by(ways[_i]);
	statement.time_ms = STAGE_NOW_MS - CLOCK_SKEW_MS_MAX;
	stage_expect_ok(stage_present(stage, &statement));
	statement.time_ms--;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_time");
}
END_TEST

START_TEST(a_proof_is_for_one_system_and_its_web_host)
{
	struct stage_statement statement = statement_by(ways[_i]);
	// Handed to another hospital, and shown through its system.
	statement.sent_from = STAGE_INFIRMARY;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "proof_origin");
	// A page of another host that got the person to prove this hospital's challenge.
	strcpy(prover_of(ways[_i])->web_host, STAGE_OTHER_WEB_HOST);
	statement = statement_by(ways[_i]);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "proof_origin");
	// The challenge names the system, whatever the host.
	statement.sent_from = STAGE_INFIRMARY;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_channel");
	// And the broker.
	strcpy(prover_of(ways[_i])->web_host, STAGE_WEB_HOST);
	statement = statement_by(ways[_i]);
	statement.broker_name = "test-broker-2";
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_broker");
}
END_TEST

START_TEST(a_system_without_a_web_host_proves_nobody)
{
	struct stage_statement statement = statement_by(ways[_i]);
	statement.sent_from = STAGE_COMMUNITY;
	statement.channel_key = stage->keys[STAGE_COMMUNITY].public_key;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "proof_no_web_host");
}
END_TEST

START_TEST(a_proof_is_by_the_certificates_key)
{
	struct stage_statement statement = statement_by(ways[_i]);
	statement.certificate = prover_of(ways[1 - _i])->certificate_file;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "proof_signature");
}
END_TEST

static void alter(ProtobufCBinaryData field, size_t at)
{
	ck_assert_uint_lt(at, field.len);
	field.data[at] ^= 1;
}

static void alter_challenge(struct prover *prover)
{
	// The first letter of what follows `"challenge":"`: signed again, so only that is wrong.
	char *at = strstr(prover->assertion.client_data_json, "\"challenge\":\"") + strlen("\"challenge\":\"");
	*at = *at == 'A' ? 'B' : 'A';
	browser_assertion_sign(prover->key, &prover->assertion);
	prover->passkey.signature.len = prover->assertion.signature_bytes;
}

static void alter_signature(struct prover *prover)
{
	alter(prover->passkey.signature, prover->passkey.signature.len - 1);
}

static void alter_counter(struct prover *prover)
{
	alter(prover->passkey.authenticator_data, 36);
}

static void forget_verification(struct prover *prover)
{
	prover->assertion.authenticator_data[32] &= (uint8_t)~0x04;
	browser_assertion_sign(prover->key, &prover->assertion);
	prover->passkey.signature.len = prover->assertion.signature_bytes;
}

static void alter_form(struct prover *prover)
{
	alter(prover->passkey.client_data_json, 0);
}

static void alter_hello(struct prover *prover)
{
	alter(prover->handshake.transcript, 6); // the ClientHello's random
}

static void alter_verify(struct prover *prover)
{
	alter(prover->handshake.transcript, prover->handshake.transcript.len - 1);
}

static void cut(struct prover *prover)
{
	prover->handshake.transcript.len--;
}

static const struct {
	const struct stage_prover *way;
	void (*spoil)(struct prover *prover);
	const char *reason_code;
} spoilt[] = {
	{&by_passkey, alter_challenge, "proof_challenge"},	{&by_passkey, alter_signature, "proof_signature"},
	{&by_passkey, alter_counter, "proof_signature"},	{&by_passkey, forget_verification, "proof_presence"},
	{&by_passkey, alter_form, "proof_form"},		{&by_browser, alter_hello, "proof_signature"},
	{&by_browser, alter_verify, "proof_signature"},		{&by_browser, cut, "proof_form"},
};

START_TEST(an_altered_proof_is_refused)
{
	prover_of(spoilt[_i].way)->spoil = spoilt[_i].spoil;
	struct stage_statement statement = statement_by(spoilt[_i].way);
	const struct stage_reply *got = stage_present(stage, &statement);
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, spoilt[_i].reason_code);
	// Whom it was tried for is on record, and how.
	const Cpis__V1__AuditDetail *detail = shown(got->reply->receipt->index);
	ck_assert_str_eq(detail->uid, stage_uid(REGISTRAR));
	ck_assert_int_ne(detail->proof, CPIS__V1__PROOF_KIND__KEY);
}
END_TEST

START_TEST(a_session_that_was_proven_ends_with_the_certificate_that_proved_it)
{
	sign_in(ways[_i]);
	stage_expect(stage_flag(stage, REGISTRAR, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
	char detail[CERTS_DETAIL_BYTES], authority[100];
	snprintf(authority, sizeof authority, "%s/ra", stage->directory);
	ck_assert_int_eq(authority_revoke(authority, prover_of(ways[_i])->certificate_file, stage->now_ms, detail), CERTS_OK);
	stage_revoke_person(stage, NURSE); // has the lists read again
	stage_expect(stage_flag(stage, REGISTRAR, stage_child(0)), AUTHOR_CREDENTIALS_ERROR, "staff_revoked");
	struct stage_statement statement = statement_by(ways[_i]);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "staff_revoked");
	// The person's other one is as good as it was.
	sign_in(ways[1 - _i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("browser_proofs");
	TCase *sessions = tcase_create("sessions");
	tcase_set_timeout(sessions, 120);
	tcase_add_checked_fixture(sessions, raise_curtain, drop_curtain);
	tcase_add_loop_test(sessions, a_proof_opens_a_session_in_which_one_is_whom_it_proved, 0, WAYS);
	tcase_add_loop_test(sessions, browsers_have_keys_of_all_three_kinds, 0, 2);
	tcase_add_test(sessions, without_a_browser_the_statement_has_to_say_who);
	tcase_add_test(sessions, a_bare_signature_is_of_an_ed25519_certificate_only);
	tcase_add_loop_test(sessions, a_signature_and_a_proof_are_one_too_many, 0, WAYS);
	tcase_add_loop_test(sessions, a_proof_opens_one_session, 0, WAYS);
	tcase_add_loop_test(sessions, a_proof_is_good_for_60_seconds, 0, WAYS);
	tcase_add_loop_test(sessions, a_proof_is_for_one_system_and_its_web_host, 0, WAYS);
	tcase_add_loop_test(sessions, a_system_without_a_web_host_proves_nobody, 0, WAYS);
	tcase_add_loop_test(sessions, a_proof_is_by_the_certificates_key, 0, WAYS);
	tcase_add_loop_test(sessions, an_altered_proof_is_refused, 0, (int)(sizeof spoilt / sizeof spoilt[0]));
	tcase_add_loop_test(sessions, a_session_that_was_proven_ends_with_the_certificate_that_proved_it, 0, WAYS);
	suite_add_tcase(suite, sessions);
	return suite_run(suite);
}
