// Acts that are proven by a passkey or the browser's certificate in place of a signature, and what a record keeps of the proof.
#include <string.h>

#include "broker/limits.h"
#include "certs/sha256.h"
#include "certs/tls_handshake.h"
#include "tests/harness/suite.h"
#include "tests/scenario/proven_registrar.h"

#define WHY "stolen laptop reported by the ward"

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

int main(void)
{
	Suite *suite = suite_create("browser_acts");
	TCase *acts = tcase_create("acts");
	tcase_set_timeout(acts, 120);
	tcase_add_checked_fixture(acts, raise_curtain, drop_curtain);
	tcase_add_loop_test(acts, an_act_is_proven_and_the_proof_is_in_its_record, 0, WAYS);
	tcase_add_loop_test(acts, the_proof_of_one_act_is_none_of_another, 0, WAYS);
	tcase_add_loop_test(acts, an_act_that_is_sent_again_is_done_once, 0, WAYS);
	tcase_add_loop_test(acts, an_act_is_proven_within_60_seconds, 0, WAYS);
	tcase_add_loop_test(acts, an_act_is_proven_by_the_key_that_opened_the_session, 0, WAYS);
	tcase_add_loop_test(acts, an_act_is_proven_at_the_systems_web_host, 0, WAYS);
	tcase_add_test(acts, a_proof_that_does_not_hold_is_not_kept);
	tcase_add_test(acts, a_handshake_of_12288_bytes_is_kept_and_of_a_longer_one_the_hash);
	suite_add_tcase(suite, acts);
	return suite_run(suite);
}
