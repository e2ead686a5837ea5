// Who sits before a browser: sessions and acts that a passkey or the browser's certificate proves in place of a signature, every way in
// which such a proof does not hold, and signing out.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/limits.h"
#include "certs/sha256.h"
#include "certs/tls_handshake.h"
#include "tests/harness/prover.h"
#include "tests/harness/stage.h"

#define WHY "stolen laptop reported by the ward"

static struct stage *stage;
static struct prover passkey, browser; // the registrar's
static const struct stage_prover by_passkey = {prover_prove, &passkey}, by_browser = {prover_prove, &browser};
static const struct stage_prover *const ways[] = {&by_passkey, &by_browser};

static void raise_curtain(void)
{
	stage = stage_new();
	prover_init_passkey(&passkey, stage->directory, "ra", stage_uid(REGISTRAR), "Person 12", STAGE_WEB_HOST, STAGE_MADE_MS);
	prover_init_certificate(&browser, stage->directory, "ra", stage_uid(REGISTRAR), "Person 12", STAFF_KEY_P256, STAGE_WEB_HOST,
				STAGE_MADE_MS);
}

static void drop_curtain(void)
{
	prover_done(&passkey);
	prover_done(&browser);
	stage_free(stage);
}

static struct prover *prover_of(const struct stage_prover *way)
{
	return way->context;
}

static struct stage_statement statement_by(const struct stage_prover *way)
{
	struct stage_statement statement = stage_statement(stage, REGISTRAR);
	statement.uid = "";
	statement.certificate = prover_of(way)->certificate_file;
	statement.prover = way;
	return statement;
}

static const struct stage_reply *sign_in(const struct stage_prover *way)
{
	struct stage_statement statement = statement_by(way);
	const struct stage_reply *got = stage_present(stage, &statement);
	stage_expect_ok(got);
	stage_take_token(stage, REGISTRAR, got);
	return got;
}

static const Cpis__V1__AuditDetail *shown(uint64_t index)
{
	if (stage->token_bytes[REVIEWER] == 0)
		stage_sign_in(stage, REVIEWER);
	return stage_shown(stage, REVIEWER, index)->detail;
}

// ------------------------------------------------------------------ sessions

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

// ------------------------------------------------------------------ acts

static Cpis__V1__QuarantineSetRequest set_body;
static Cpis__V1__Request request;

static Cpis__V1__Request *set_request(enum stage_person target)
{
	cpis__v1__quarantine_set_request__init(&set_body);
	cpis__v1__request__init(&request);
	set_body.kind = CPIS__V1__QUARANTINE_KIND__PERSON;
	set_body.target = (char *)(uintptr_t)stage_uid(target);
	set_body.reason = (char *)(uintptr_t)WHY;
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &set_body;
	return &request;
}

static const struct stage_reply *quarantine(const struct stage_prover *way, enum stage_person target)
{
	return stage_act_proven(stage, REGISTRAR, STAGE_PERSONS, stage->now_ms, NULL, way, set_request(target));
}

// What the record keeps is enough for whoever has the certificate to check the proof once more.
static void assert_proven(const Cpis__V1__AuditDetail *detail, const struct prover *prover)
{
	struct staff_key key = browser_staff_key(prover->key);
	const Cpis__V1__BrowserProof *proof = detail->act_browser_proof;
	uint8_t challenge[HASH_BYTES];
	ck_assert_ptr_nonnull(proof);
	sha256(detail->act.data, detail->act.len, challenge);
	ck_assert_mem_eq(detail->act_sha256.data, challenge, sizeof challenge);
	if (prover->by_handshake) {
		ck_assert_int_eq(tls_handshake_verify(&key, proof->handshake->transcript.data, proof->handshake->transcript.len,
						      STAGE_WEB_HOST, challenge), CERTS_OK);
		return;
	}
	const struct passkey_assertion assertion = {
		proof->passkey->authenticator_data.data, proof->passkey->client_data_json.data, proof->passkey->signature.data,
		proof->passkey->authenticator_data.len,	 proof->passkey->client_data_json.len,	proof->passkey->signature.len};
	ck_assert_int_eq(passkey_verify(&key, &assertion, STAGE_WEB_HOST, challenge), CERTS_OK);
}

START_TEST(an_act_is_proven_and_the_proof_is_in_its_record)
{
	sign_in(ways[_i]);
	const struct stage_reply *got = quarantine(ways[_i], NURSE);
	stage_expect_ok(got);
	struct stage_statement statement = stage_statement(stage, NURSE);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	const Cpis__V1__AuditDetail *detail = shown(got->reply->receipt->index);
	ck_assert_int_eq(detail->proof, _i == 0 ? CPIS__V1__PROOF_KIND__PASSKEY : CPIS__V1__PROOF_KIND__BROWSER_CERTIFICATE);
	ck_assert_uint_eq(detail->act_signature.len, 0);
	ck_assert_uint_eq(detail->proof_sha256.len, 0);
	assert_proven(detail, prover_of(ways[_i]));
}
END_TEST

static Cpis__V1__BrowserProof kept;
static const Cpis__V1__BrowserProof *prove_as_before(void *context, const uint8_t challenge[HASH_BYTES])
{
	(void)context, (void)challenge;
	return &kept;
}
static const struct stage_prover as_before = {prove_as_before, NULL};

START_TEST(the_proof_of_one_act_is_none_of_another)
{
	sign_in(ways[_i]);
	stage_expect_ok(quarantine(ways[_i], NURSE));
	kept = prover_of(ways[_i])->proof;
	stage_expect(quarantine(&as_before, RECEPTIONIST), AUTHOR_CREDENTIALS_ERROR, "proof_challenge");
	// The same act under another id is another one.
	stage_expect(quarantine(&as_before, NURSE), AUTHOR_CREDENTIALS_ERROR, "proof_challenge");
	// Nor of a session, nor the other way round.
	struct stage_statement statement = statement_by(&as_before);
	statement.certificate = prover_of(ways[_i])->certificate_file;
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "proof_challenge");
	sign_in(ways[_i]);
	kept = prover_of(ways[_i])->proof;
	stage_expect(quarantine(&as_before, RECEPTIONIST), AUTHOR_CREDENTIALS_ERROR, "proof_challenge");
}
END_TEST

START_TEST(an_act_that_is_sent_again_is_done_once)
{
	static const uint8_t id[REQUEST_ID_BYTES] = {7, 7, 7};
	sign_in(ways[_i]);
	const struct stage_reply *first = stage_act_proven(stage, REGISTRAR, STAGE_PERSONS, stage->now_ms, id, ways[_i], set_request(NURSE));
	stage_expect_ok(first);
	kept = prover_of(ways[_i])->proof;
	const struct stage_reply *again =
		stage_act_proven(stage, REGISTRAR, STAGE_PERSONS, stage->now_ms, id, &as_before, set_request(NURSE));
	stage_expect_ok(again);
	ck_assert(stage_same_body(first, again));
	ck_assert_ptr_nonnull(strstr(shown(again->reply->receipt->index)->reason, "A retry of record"));
	// Proven anew, as for another broker, it is still the same.
	stage->now_ms += STAGE_MINUTE_MS;
	stage_expect_ok(stage_act_proven(stage, REGISTRAR, STAGE_PERSONS, stage->now_ms, id, ways[_i], set_request(NURSE)));
}
END_TEST

START_TEST(an_act_is_proven_within_60_seconds)
{
	sign_in(ways[_i]);
	stage_expect_ok(stage_act_proven(stage, REGISTRAR, STAGE_PERSONS, stage->now_ms - CLOCK_SKEW_MS_MAX, NULL, ways[_i],
					 set_request(NURSE)));
	stage_expect(stage_act_proven(stage, REGISTRAR, STAGE_PERSONS, stage->now_ms - CLOCK_SKEW_MS_MAX - 1, NULL, ways[_i],
				      set_request(NURSE)),
		     AUTHOR_CREDENTIALS_ERROR, "act_time");
}
END_TEST

START_TEST(an_act_is_proven_by_the_key_that_opened_the_session)
{
	sign_in(ways[_i]);
	stage_expect(quarantine(ways[1 - _i], NURSE), AUTHOR_CREDENTIALS_ERROR, "proof_signature");
	// Not by a signature with the person's other key.
	stage_expect(stage_act(stage, REGISTRAR, REGISTRAR, stage->now_ms, set_request(NURSE)), AUTHOR_CREDENTIALS_ERROR, "act_signature");
	stage_expect(stage_act_proven(stage, REGISTRAR, REGISTRAR, stage->now_ms, NULL, ways[_i], set_request(NURSE)),
		     MESSAGE_NOT_WELL_FORMED, "message_not_well_formed");
	stage_expect(stage_ask_as(stage, REGISTRAR, set_request(NURSE)), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	// A session that a signature opened is proven by signatures, unless its key is the browser's too.
	stage_sign_in(stage, REGISTRAR);
	stage_expect(quarantine(ways[_i], NURSE), AUTHOR_CREDENTIALS_ERROR, "proof_signature");
}
END_TEST

START_TEST(an_act_is_proven_at_the_systems_web_host)
{
	sign_in(ways[_i]);
	strcpy(prover_of(ways[_i])->web_host, STAGE_OTHER_WEB_HOST);
	stage_expect(quarantine(ways[_i], NURSE), AUTHOR_CREDENTIALS_ERROR, "proof_origin");
}
END_TEST

// ------------------------------------------------------------------ what a record keeps of it

// In place of the proof: bytes of nobody's, as many as the wire takes.
static void send_junk(struct prover *prover)
{
	static uint8_t junk[TRANSCRIPT_BYTES_MAX];
	prover->handshake.transcript = (ProtobufCBinaryData){sizeof junk, junk};
}

START_TEST(a_proof_that_does_not_hold_is_not_kept)
{
	sign_in(&by_browser);
	browser.spoil = send_junk;
	const struct stage_reply *got = quarantine(&by_browser, NURSE);
	stage_expect(got, AUTHOR_CREDENTIALS_ERROR, "proof_form");
	ck_assert_uint_lt(got->reply->receipt->record.len, 3000);
	const Cpis__V1__AuditDetail *detail = shown(got->reply->receipt->index);
	ck_assert_ptr_null(detail->act_browser_proof);
	ck_assert_int_eq(detail->proof, CPIS__V1__PROOF_KIND__BROWSER_CERTIFICATE);
	ck_assert_uint_eq(detail->act_sha256.len, HASH_BYTES);
}
END_TEST

// A handshake as long as this: the gateway's certificate is.
static void lengthen(struct prover *prover, size_t bytes)
{
	browser_prove_long(prover->key, prover->certificate, prover->web_host, prover->challenge, bytes, &prover->transcript);
	ck_assert_uint_eq(prover->transcript.bytes, bytes);
	prover->handshake.transcript.len = bytes;
}

static void make_longest_kept(struct prover *prover)
{
	lengthen(prover, PROOF_KEPT_BYTES_MAX);
}

static void make_too_long(struct prover *prover)
{
	lengthen(prover, PROOF_KEPT_BYTES_MAX + 1);
}

static void make_longest(struct prover *prover)
{
	lengthen(prover, TRANSCRIPT_BYTES_MAX);
}

START_TEST(a_handshake_of_12288_bytes_is_kept_and_of_a_longer_one_the_hash)
{
	uint8_t hash[HASH_BYTES];
	sign_in(&by_browser);
	browser.spoil = make_longest_kept;
	const struct stage_reply *got = quarantine(&by_browser, NURSE);
	stage_expect_ok(got);
	assert_proven(shown(got->reply->receipt->index), &browser);
	void (*const too_long[])(struct prover *) = {make_too_long, make_longest};
	for (size_t i = 0; i < sizeof too_long / sizeof too_long[0]; i++) {
		browser.spoil = too_long[i];
		got = quarantine(&by_browser, NURSE);
		stage_expect_ok(got);
		sha256(browser.transcript.data, browser.transcript.bytes, hash);
		const Cpis__V1__AuditDetail *detail = shown(got->reply->receipt->index);
		ck_assert_ptr_null(detail->act_browser_proof);
		ck_assert_uint_eq(detail->proof_sha256.len, sizeof hash);
		ck_assert_mem_eq(detail->proof_sha256.data, hash, sizeof hash);
	}
}
END_TEST

// ------------------------------------------------------------------ signing out

static const struct stage_reply *sign_out(enum stage_person person)
{
	Cpis__V1__SessionCloseRequest body = CPIS__V1__SESSION_CLOSE_REQUEST__INIT;
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_CLOSE;
	request.session_close = &body;
	return stage_ask_as(stage, person, &request);
}

START_TEST(who_signed_out_is_not_answered_with_any_token_of_that_session)
{
	static uint8_t before[SESSION_TOKEN_BYTES_MAX];
	stage_sign_in(stage, NURSE);
	size_t before_bytes = stage->token_bytes[NURSE];
	memcpy(before, stage->tokens[NURSE], before_bytes);
	stage->now_ms += SESSION_IDLE_MS_MAX / 2;
	const struct stage_reply *got = stage_flag(stage, NURSE, stage_child(0));
	stage_expect_ok(got);
	ProtobufCBinaryData renewed = got->reply->session_token;
	ck_assert_uint_gt(renewed.len, 0);
	stage_sign_in(stage, RECEPTIONIST);
	got = sign_out(NURSE);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->session_token.len, 0);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	memcpy(stage->tokens[NURSE], renewed.data, renewed.len);
	stage->token_bytes[NURSE] = renewed.len;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	// Signing out once more says that it is done.
	stage_expect(sign_out(NURSE), SESSION_EXPIRED, "session_closed");
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	memcpy(stage->tokens[NURSE], before, before_bytes);
	stage->token_bytes[NURSE] = before_bytes;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	// Others go on, and the person signs in again.
	stage_expect(stage_flag(stage, RECEPTIONIST, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
	stage_sign_in(stage, NURSE);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(a_persons_other_session_goes_on)
{
	static uint8_t other[SESSION_TOKEN_BYTES_MAX];
	stage_sign_in(stage, NURSE);
	size_t other_bytes = stage->token_bytes[NURSE];
	memcpy(other, stage->tokens[NURSE], other_bytes);
	stage_sign_in(stage, NURSE);
	stage_expect_ok(sign_out(NURSE));
	memcpy(stage->tokens[NURSE], other, other_bytes);
	stage->token_bytes[NURSE] = other_bytes;
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

START_TEST(whoever_they_are_people_sign_out_and_only_of_a_session_of_their_own)
{
	static const enum stage_person people[] = {RECEPTIONIST, PRIVACY_OFFICER, LEEDS_WORKER, BRIGHTON_DUTY, REVIEWER, NEIGHBOUR};
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
		stage_sign_in(stage, people[i]);
		const struct stage_reply *got = sign_out(people[i]);
		stage_expect_ok(got);
		ck_assert_int_eq(got->record->operation, CPIS__V1__OPERATION__SESSION_CLOSE);
	}
	stage_expect(sign_out(NURSE), SESSION_EXPIRED, "session_missing");
	// Another system's person with the token.
	stage_sign_in(stage, NURSE);
	memcpy(stage->tokens[OTHER_NURSE], stage->tokens[NURSE], stage->token_bytes[NURSE]);
	stage->token_bytes[OTHER_NURSE] = stage->token_bytes[NURSE];
	stage_expect(sign_out(OTHER_NURSE), AUTHOR_CREDENTIALS_ERROR, "session_invalid");
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
}
END_TEST

// Whoever kept what opened the session.
START_TEST(the_opening_sent_again_opens_the_same_session_and_none_after_the_person_signed_out)
{
	static const uint8_t id[REQUEST_ID_BYTES] = {8}, nonce[NONCE_BYTES] = {9};
	struct stage_statement statement = _i == 2 ? stage_statement(stage, REGISTRAR) : statement_by(ways[_i]);
	statement.nonce = nonce;
	statement.request_id = id;
	const struct stage_reply *first = stage_present(stage, &statement), *again = stage_present(stage, &statement);
	stage_expect_ok(first);
	stage_expect_ok(again);
	ProtobufCBinaryData a = shown(first->reply->receipt->index)->session_id, b = shown(again->reply->receipt->index)->session_id;
	ck_assert_uint_eq(a.len, SESSION_ID_BYTES);
	ck_assert_mem_eq(a.data, b.data, SESSION_ID_BYTES);
	stage_take_token(stage, REGISTRAR, first);
	stage_expect_ok(sign_out(REGISTRAR));
	stage_take_token(stage, REGISTRAR, again);
	stage_expect(stage_flag(stage, REGISTRAR, stage_child(0)), SESSION_EXPIRED, "session_closed");
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	stage_restart(stage);
	stage_expect(stage_present(stage, &statement), AUTHOR_CREDENTIALS_ERROR, "statement_replayed");
	// What is said anew opens another one.
	statement.nonce = NULL;
	statement.request_id = NULL;
	stage_take_token(stage, REGISTRAR, stage_present(stage, &statement));
	stage_expect(stage_flag(stage, REGISTRAR, stage_child(0)), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(a_clock_that_is_set_back_brings_no_session_back)
{
	stage_sign_in(stage, NURSE);
	stage_expect_ok(sign_out(NURSE));
	// So much later others sign out, and what is over is forgotten, in memory and in the store.
	stage->now_ms = STAGE_NOW_MS + 2 * SESSION_IDLE_MS_MAX;
	stage_sign_in(stage, RECEPTIONIST);
	stage_expect_ok(sign_out(RECEPTIONIST));
	stage->now_ms = STAGE_NOW_MS + STAGE_MINUTE_MS;
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
}
END_TEST

START_TEST(signing_out_that_could_not_be_recorded_is_not_said_to_be_done)
{
	stage_sign_in(stage, NURSE);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(sign_out(NURSE), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	stage_expect_ok(sign_out(NURSE));
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, stage_child(0)), SESSION_EXPIRED, "session_closed");
	// And one that was, though it seemed not to be, is done.
	stage_sign_in(stage, NURSE);
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(sign_out(NURSE), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage_expect(sign_out(NURSE), SESSION_EXPIRED, "session_closed");
}
END_TEST

#define WAYS (int)(sizeof ways / sizeof ways[0])

static TCase *session_cases(void)
{
	TCase *sessions = tcase_create("sessions");
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
	return sessions;
}

static TCase *act_cases(void)
{
	TCase *acts = tcase_create("acts");
	tcase_add_loop_test(acts, an_act_is_proven_and_the_proof_is_in_its_record, 0, WAYS);
	tcase_add_loop_test(acts, the_proof_of_one_act_is_none_of_another, 0, WAYS);
	tcase_add_loop_test(acts, an_act_that_is_sent_again_is_done_once, 0, WAYS);
	tcase_add_loop_test(acts, an_act_is_proven_within_60_seconds, 0, WAYS);
	tcase_add_loop_test(acts, an_act_is_proven_by_the_key_that_opened_the_session, 0, WAYS);
	tcase_add_loop_test(acts, an_act_is_proven_at_the_systems_web_host, 0, WAYS);
	tcase_add_test(acts, a_proof_that_does_not_hold_is_not_kept);
	tcase_add_test(acts, a_handshake_of_12288_bytes_is_kept_and_of_a_longer_one_the_hash);
	return acts;
}

static TCase *sign_out_cases(void)
{
	TCase *outs = tcase_create("sign_out");
	tcase_add_test(outs, who_signed_out_is_not_answered_with_any_token_of_that_session);
	tcase_add_test(outs, a_persons_other_session_goes_on);
	tcase_add_test(outs, whoever_they_are_people_sign_out_and_only_of_a_session_of_their_own);
	tcase_add_loop_test(outs, the_opening_sent_again_opens_the_same_session_and_none_after_the_person_signed_out, 0, WAYS + 1);
	tcase_add_test(outs, a_clock_that_is_set_back_brings_no_session_back);
	return outs;
}

int main(void)
{
	Suite *suite = suite_create("browser_proofs");
	TCase *failing = tcase_create("failing_store"); // of one core, so not asked of two in turn
	TCase *all[] = {session_cases(), act_cases(), sign_out_cases(), failing};
	tcase_add_test(failing, signing_out_that_could_not_be_recorded_is_not_said_to_be_done);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		tcase_set_timeout(all[i], 120);
		tcase_add_checked_fixture(all[i], raise_curtain, drop_curtain);
		suite_add_tcase(suite, all[i]);
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
