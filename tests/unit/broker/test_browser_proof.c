// What of an act's proof goes into its record: all that fits beside the reply, else its hash.
#include "broker/browser_proof.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/limits.h"
#include "certs/sha256.h"

static struct arena arena;
static uint8_t bytes[TRANSCRIPT_BYTES_MAX];
static Cpis__V1__TlsHandshake handshake;
static Cpis__V1__PasskeyAssertion passkey;
static Cpis__V1__BrowserProof proof;
static Cpis__V1__AuditDetail detail;

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
	memset(bytes, 5, sizeof bytes);
	cpis__v1__tls_handshake__init(&handshake);
	cpis__v1__passkey_assertion__init(&passkey);
	cpis__v1__browser_proof__init(&proof);
	cpis__v1__audit_detail__init(&detail);
	detail.act_browser_proof = &proof;
}

static void teardown(void)
{
	arena_done(&arena);
}

static void fit(size_t transcript_bytes, size_t reply_bytes)
{
	handshake.transcript = (ProtobufCBinaryData){transcript_bytes, bytes};
	proof.kind_case = CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE;
	proof.handshake = &handshake;
	detail.act_browser_proof = &proof;
	detail.proof_sha256 = (ProtobufCBinaryData){0, NULL};
	ck_assert(browser_proof_fit(&arena, reply_bytes, &detail));
}

static void assert_hash_only(void)
{
	uint8_t hash[HASH_BYTES];
	sha256(bytes, handshake.transcript.len, hash);
	ck_assert_ptr_null(detail.act_browser_proof);
	ck_assert_uint_eq(detail.proof_sha256.len, sizeof hash);
	ck_assert_mem_eq(detail.proof_sha256.data, hash, sizeof hash);
}

START_TEST(a_handshake_is_kept_beside_a_reply_of_32768_bytes_and_beside_a_longer_one_its_hash)
{
	fit(PROOF_KEPT_BYTES_MAX, PROOF_KEPT_BESIDE_BYTES_MAX);
	ck_assert_ptr_eq(detail.act_browser_proof, &proof);
	ck_assert_uint_eq(detail.proof_sha256.len, 0);
	fit(PROOF_KEPT_BYTES_MAX, PROOF_KEPT_BESIDE_BYTES_MAX + 1);
	assert_hash_only();
	fit(PROOF_KEPT_BYTES_MAX + 1, 0);
	assert_hash_only();
}
END_TEST

START_TEST(a_passkeys_assertion_is_always_kept_and_nothing_is_made_of_none)
{
	proof.kind_case = CPIS__V1__BROWSER_PROOF__KIND_PASSKEY;
	proof.passkey = &passkey;
	ck_assert(browser_proof_fit(&arena, MESSAGE_BYTES_MAX, &detail));
	ck_assert_ptr_eq(detail.act_browser_proof, &proof);
	detail.act_browser_proof = NULL;
	ck_assert(browser_proof_fit(&arena, MESSAGE_BYTES_MAX, &detail));
	ck_assert_uint_eq(detail.proof_sha256.len, 0);
}
END_TEST

START_TEST(a_proof_of_no_kind_is_not_well_formed_and_no_proof_is_ones_own_key)
{
	static const struct staff_key key = {.kind = STAFF_KEY_P256};
	ck_assert_int_eq(browser_proof_check(&proof, &key, "rxh.cpis.test", bytes, 1), REASON_PROOF_FORM);
	ck_assert_int_eq(browser_proof_check(&proof, &key, "", bytes, 1), REASON_PROOF_NO_HOST);
	ck_assert_int_eq(browser_proof_kind(NULL), CPIS__V1__PROOF_KIND__KEY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("browser_proof");
	TCase *tests = tcase_create("browser_proof");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_handshake_is_kept_beside_a_reply_of_32768_bytes_and_beside_a_longer_one_its_hash);
	tcase_add_test(tests, a_passkeys_assertion_is_always_kept_and_nothing_is_made_of_none);
	tcase_add_test(tests, a_proof_of_no_kind_is_not_well_formed_and_no_proof_is_ones_own_key);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
