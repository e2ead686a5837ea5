// Assertions of passkeys: real ones of P-256 and RSA keys, and each of them with one thing in it that must not be.
#include "certs/passkey.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness/browser.h"

#define HOST "cpis.rxh.example"

static EVP_PKEY *key;
static struct staff_key public_key;
static struct browser_assertion assertion;
static const uint8_t challenge[BROWSER_CHALLENGE_BYTES] = {0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
							   14,   15,   16,   17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};

static void begin(enum staff_key_kind kind)
{
	key = browser_key_new(kind);
	public_key = browser_staff_key(key);
	browser_assert(key, HOST, challenge, &assertion);
}

static void set_up(void)
{
	begin(STAFF_KEY_P256);
}

static void tear_down(void)
{
	EVP_PKEY_free(key);
}

static enum certs_status verify(void)
{
	struct passkey_assertion made = browser_assertion_of(&assertion);
	return passkey_verify(&public_key, &made, HOST, challenge);
}

// Signed again, so that nothing but the change can be what is refused.
static enum certs_status verify_signed(void)
{
	browser_assertion_sign(key, &assertion);
	return verify();
}

// The client data with one part of it replaced.
static enum certs_status verify_with(const char *part, const char *other)
{
	char changed[sizeof assertion.client_data_json];
	browser_assert(key, HOST, challenge, &assertion);
	const char *at = strstr(assertion.client_data_json, part);
	ck_assert_msg(at != NULL, "%s", part);
	snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - assertion.client_data_json), assertion.client_data_json, other,
		 at + strlen(part));
	memcpy(assertion.client_data_json, changed, sizeof changed);
	return verify_signed();
}

START_TEST(an_assertion_of_a_p256_key_holds)
{
	ck_assert_int_eq(verify(), CERTS_OK);
	ck_assert_ptr_nonnull(strstr(assertion.client_data_json, "\"----____")); // the challenge is in base64url
	assertion.authenticator_data[32] = 0x05;
	ck_assert_int_eq(verify_signed(), CERTS_OK);
}
END_TEST

// What Chromium 156 answered for a passkey of its virtual authenticator at https://cpis.localhost:24445, with the member that it puts in at
// random; and the key that it had given.
START_TEST(an_assertion_that_a_browser_made_holds)
{
	static const uint8_t made_for[BROWSER_CHALLENGE_BYTES] = {1, 2, 3};
	static const uint8_t der[] = {
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
		0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x20, 0xD9, 0x43, 0x65, 0x9E, 0x60, 0xF1, 0xD9, 0xDE, 0x7D, 0xBA, 0xA1, 0x52,
		0x3E, 0x25, 0xEC, 0x1B, 0x63, 0xD7, 0xFC, 0xE1, 0xD4, 0x52, 0x7B, 0x3F, 0x85, 0x1A, 0x46, 0xEB, 0xE9, 0xF0, 0x70, 0xA1,
		0x92, 0xE0, 0xE6, 0x87, 0x7D, 0x50, 0x09, 0x61, 0x6C, 0x90, 0x20, 0x7D, 0x27, 0x1F, 0xFC, 0xD3, 0x90, 0x78, 0x1E, 0x89,
		0xE0, 0x10, 0xCF, 0x7B, 0xF1, 0xFD, 0x7F, 0x4B, 0xB8, 0x18, 0x85};
	static const uint8_t data[] = {
		0x78, 0x0C, 0x2D, 0x1C, 0x3E, 0xC6, 0x44, 0x7C, 0xB0, 0xBC, 0xF7, 0x53, 0xF5, 0x32, 0x56, 0x01, 0xCE, 0x5D, 0x1E, 0x53,
		0x8D, 0xED, 0xAB, 0xBC, 0x0E, 0xF8, 0xCF, 0x25, 0x83, 0x71, 0xDB, 0x85, 0x05, 0x00, 0x00, 0x00, 0x02};
	static const uint8_t signature[] = {
		0x30, 0x46, 0x02, 0x21, 0x00, 0xCE, 0x5D, 0x8E, 0x8C, 0xC0, 0x15, 0x28, 0x94, 0xBF, 0x7D, 0xB6, 0xA6, 0x7B, 0xE7, 0x34,
		0x99, 0xA9, 0x9B, 0xF5, 0x8C, 0x52, 0x32, 0xFF, 0xA5, 0x82, 0x5D, 0xB9, 0x22, 0x75, 0x11, 0xBF, 0x58, 0x02, 0x21, 0x00,
		0xB1, 0x0A, 0xA3, 0x39, 0x46, 0x12, 0xBC, 0x4A, 0x8C, 0xE1, 0xF9, 0x39, 0x5D, 0xF2, 0x84, 0xE1, 0x17, 0xBE, 0xA6, 0x39,
		0xE8, 0x6A, 0x75, 0xED, 0xA4, 0x26, 0xD1, 0x5C, 0xFD, 0x13, 0x36, 0x05};
	static const char json[] = 
		"{\"type\":\"webauthn.get\",\"challenge\":\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"origin\":"
		"\"https://cpis.localhost:24445\",\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"do not "
		"compare clientDataJSON against a template. See https://goo.gl/yabPex\"}";
	const struct passkey_assertion made = {data, (const uint8_t *)json, signature, sizeof data, sizeof json - 1, sizeof signature};
	struct staff_key chromiums;
	ck_assert_int_eq(staff_key_from_der(der, sizeof der, &chromiums), CERTS_OK);
	ck_assert_int_eq(passkey_verify(&chromiums, &made, "cpis.localhost", made_for), CERTS_OK);
	ck_assert_int_eq(passkey_verify(&chromiums, &made, "localhost", made_for), CERTS_PROOF_ORIGIN);
	ck_assert_int_eq(passkey_verify(&chromiums, &made, "cpis.localhost", challenge), CERTS_PROOF_CHALLENGE);
	ck_assert_int_eq(passkey_verify(&public_key, &made, "cpis.localhost", made_for), CERTS_SIGNATURE);
}
END_TEST

START_TEST(an_assertion_of_an_rsa_key_holds)
{
	EVP_PKEY_free(key);
	begin(STAFF_KEY_RSA);
	ck_assert_int_eq(verify(), CERTS_OK);
	assertion.signature[9] ^= 1;
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
}
END_TEST

START_TEST(an_ed25519_key_makes_none)
{
	EVP_PKEY_free(key);
	begin(STAFF_KEY_ED25519);
	ck_assert_int_eq(verify(), CERTS_WRONG_KEY_TYPE);
}
END_TEST

START_TEST(what_a_browser_may_say_besides_is_passed_over)
{
	ck_assert_int_eq(verify_with("false}", "false,\"other_keys_can_be_added_here\":\"do not compare\"}"), CERTS_OK);
	ck_assert_int_eq(verify_with("https://" HOST, "https://" HOST ":8443"), CERTS_OK);
	ck_assert_int_eq(verify_with("https://" HOST, "https://" HOST ":65535"), CERTS_OK);
	// Extensions, behind the flag that says that they are there.
	browser_assert(key, HOST, challenge, &assertion);
	assertion.authenticator_data[32] |= 0x80;
	memcpy(assertion.authenticator_data + 37, "\xA1\x61\x61\x01", 4);
	assertion.authenticator_data_bytes = 41;
	ck_assert_int_eq(verify_signed(), CERTS_OK);
}
END_TEST

START_TEST(every_altered_byte_is_refused)
{
	for (size_t i = 0; i < assertion.authenticator_data_bytes; i++) {
		assertion.authenticator_data[i] ^= 0x20;
		ck_assert_msg(verify() != CERTS_OK, "authenticator data, byte %zu", i);
		assertion.authenticator_data[i] ^= 0x20;
	}
	for (size_t i = 0; assertion.client_data_json[i] != '\0'; i++) {
		assertion.client_data_json[i] ^= 0x01;
		ck_assert_msg(verify() != CERTS_OK, "client data, byte %zu", i);
		assertion.client_data_json[i] ^= 0x01;
	}
	for (size_t i = 0; i < assertion.signature_bytes; i++) {
		assertion.signature[i] ^= 0x01;
		ck_assert_int_eq(verify(), CERTS_SIGNATURE);
		assertion.signature[i] ^= 0x01;
	}
	ck_assert_int_eq(verify(), CERTS_OK);
}
END_TEST

START_TEST(every_shorter_part_is_refused)
{
	struct passkey_assertion whole = browser_assertion_of(&assertion), part;
	for (size_t i = 0; i < whole.authenticator_data_bytes; i++) {
		part = whole;
		part.authenticator_data_bytes = i;
		ck_assert_int_eq(passkey_verify(&public_key, &part, HOST, challenge), CERTS_PROOF_FORM);
	}
	for (size_t i = 0; i < whole.client_data_json_bytes; i++) {
		part = whole;
		part.client_data_json_bytes = i;
		ck_assert_int_ne(passkey_verify(&public_key, &part, HOST, challenge), CERTS_OK);
	}
	for (size_t i = 0; i < whole.signature_bytes; i++) {
		part = whole;
		part.signature_bytes = i;
		ck_assert_int_eq(passkey_verify(&public_key, &part, HOST, challenge), i == 0 ? CERTS_PROOF_FORM : CERTS_SIGNATURE);
	}
}
END_TEST

START_TEST(what_is_too_long_is_refused)
{
	struct passkey_assertion part = browser_assertion_of(&assertion);
	part.signature_bytes = PASSKEY_SIGNATURE_BYTES_MAX + 1;
	ck_assert_int_eq(passkey_verify(&public_key, &part, HOST, challenge), CERTS_PROOF_FORM);
	assertion.authenticator_data[32] |= 0x80;
	assertion.authenticator_data_bytes = PASSKEY_AUTHENTICATOR_DATA_BYTES_MAX;
	ck_assert_int_eq(verify_signed(), CERTS_OK);
	assertion.authenticator_data_bytes++;
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	browser_assert(key, HOST, challenge, &assertion);
	size_t bytes = strlen(assertion.client_data_json);
	assertion.client_data_json[bytes - 1] = ',';
	memset(assertion.client_data_json + bytes, ' ', PASSKEY_CLIENT_DATA_BYTES_MAX - bytes);
	ck_assert_int_eq(verify_signed(), CERTS_OK);
	assertion.client_data_json[PASSKEY_CLIENT_DATA_BYTES_MAX] = ' ';
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
}
END_TEST

START_TEST(another_challenge_is_refused)
{
	struct passkey_assertion made = browser_assertion_of(&assertion);
	uint8_t other[BROWSER_CHALLENGE_BYTES];
	memcpy(other, challenge, sizeof other);
	other[31] ^= 1;
	ck_assert_int_eq(passkey_verify(&public_key, &made, HOST, other), CERTS_PROOF_CHALLENGE);
	ck_assert_int_eq(verify_with("\"----____", "\"++++____"), CERTS_PROOF_CHALLENGE);
	ck_assert_int_eq(verify_with("\",\"origin", "=\",\"origin"), CERTS_PROOF_FORM); // padded
}
END_TEST

START_TEST(another_origin_is_refused)
{
	static const char *const origins[] = {
		"http://" HOST,		     "https://" HOST ".evil.example", "https://evil" HOST,	   "https://x." HOST,
		"https://rxh.example",	     "https://" HOST "/",	      "https://" HOST ":",	   "https://" HOST ":x",
		"https://" HOST ":0",	     "https://" HOST ":0443",	      "https://" HOST ":65536",	   "https://" HOST ":100000",
		"https://" HOST ":443x",     "https://" HOST ":-1",	      "https://" HOST "@evil",	   "https://CPIS.rxh.example",
		"https://" HOST ".",	     "https://cpis.rxh.exampl",	      "HTTPS://" HOST,		   "",
		"https://" HOST ":443:443",  "null",			      "https://" HOST "\\u0000",   "https://" HOST ":44 3",
	};
	for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++)
		ck_assert_msg(verify_with("https://" HOST, origins[i]) == CERTS_PROOF_ORIGIN, "%s", origins[i]);
	browser_assert(key, HOST, challenge, &assertion);
	struct passkey_assertion made = browser_assertion_of(&assertion);
	ck_assert_int_eq(passkey_verify(&public_key, &made, "cpis.abc.example", challenge), CERTS_PROOF_ORIGIN);
	ck_assert_int_eq(passkey_verify(&public_key, &made, "cpis.rxh", challenge), CERTS_PROOF_ORIGIN);
	// The authenticator was asked for another host than the page says.
	assertion.authenticator_data[0] ^= 1;
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_ORIGIN);
}
END_TEST

START_TEST(a_system_without_a_web_host_proves_nothing)
{
	browser_assert(key, "", challenge, &assertion);
	struct passkey_assertion made = browser_assertion_of(&assertion);
	ck_assert_int_eq(passkey_verify(&public_key, &made, "", challenge), CERTS_PROOF_ORIGIN);
}
END_TEST

START_TEST(client_data_of_another_form_is_refused)
{
	static const char *const changes[][2] = {
		{"webauthn.get", "webauthn.create"},
		{"webauthn.get", "payment.get"},
		{"{\"type\"", "{ \"type\""},
		{"{\"type\"", "{\"x\":1,\"type\""},
		{"{\"type\"", "[\"type\""},
		{"\"type\":\"webauthn.get\",", ""},
		{"\"crossOrigin\":false", "\"crossOrigin\":true"},
		{",\"crossOrigin\":false", ""},
		{",\"crossOrigin\":false", ",\"crossOrigin\": false"},
		{",\"crossOrigin\":false", ",\"topOrigin\":\"https://evil.example\",\"crossOrigin\":false"},
		{"false}", "falsey}"},
		{"false}", "false"},
		{"false}", "false}}"},
		{"false}", "false} "},
		{"false}", "false;}"},
	};
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
		ck_assert_msg(verify_with(changes[i][0], changes[i][1]) == CERTS_PROOF_FORM, "%s", changes[i][1]);
	// As older browsers sorted it.
	char text[64];
	browser_assert(key, HOST, challenge, &assertion);
	snprintf(text, sizeof text, "%.43s", strstr(assertion.client_data_json, "challenge\":\"") + strlen("challenge\":\""));
	snprintf(assertion.client_data_json, sizeof assertion.client_data_json,
		 "{\"challenge\":\"%s\",\"crossOrigin\":false,\"origin\":\"https://" HOST "\",\"type\":\"webauthn.get\"}", text);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
}
END_TEST

START_TEST(nobody_there_or_nobody_verified_is_refused)
{
	static const uint8_t flags[] = {0x00, 0x01, 0x04, 0x18, 0x19, 0x1C};
	for (size_t i = 0; i < sizeof flags; i++) {
		assertion.authenticator_data[32] = flags[i];
		ck_assert_int_eq(verify_signed(), CERTS_PROOF_PRESENCE);
	}
}
END_TEST

START_TEST(authenticator_data_of_another_form_is_refused)
{
	// It says that a credential follows, as where one is made; that extensions follow, and none do; the reverse.
	assertion.authenticator_data[32] = 0x45;
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	assertion.authenticator_data[32] = 0x85;
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	assertion.authenticator_data[32] = 0x05;
	assertion.authenticator_data_bytes = 38;
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
}
END_TEST

START_TEST(another_key_is_refused)
{
	EVP_PKEY *other = browser_key_new(STAFF_KEY_P256);
	browser_assertion_sign(other, &assertion);
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	EVP_PKEY_free(other);
	other = browser_key_new(STAFF_KEY_RSA);
	browser_assertion_sign(other, &assertion);
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	EVP_PKEY_free(other);
}
END_TEST

// One signature, one form: not r and s side by side, not with a length in two bytes where one is enough, nothing behind it.
START_TEST(signatures_that_are_not_der_are_refused)
{
	uint8_t good[80];
	size_t bytes = assertion.signature_bytes;
	memcpy(good, assertion.signature, bytes);
	assertion.signature[bytes] = 0;
	assertion.signature_bytes = bytes + 1;
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	memcpy(assertion.signature, (const uint8_t[]){0x30, 0x81}, 2);
	memcpy(assertion.signature + 2, good + 1, bytes - 1);
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	const uint8_t *r = good + 4 + (good[3] - 32), *s = good + bytes - 32;
	if (good[3] >= 32 && good[5 + good[3]] >= 32) {
		memcpy(assertion.signature, r, 32);
		memcpy(assertion.signature + 32, s, 32);
		assertion.signature_bytes = 64;
		ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	}
	memcpy(assertion.signature, good, bytes);
	assertion.signature_bytes = bytes;
	ck_assert_int_eq(verify(), CERTS_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("passkey");
	TCase *tests = tcase_create("passkey");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_assertion_of_a_p256_key_holds);
	tcase_add_test(tests, an_assertion_that_a_browser_made_holds);
	tcase_add_test(tests, an_assertion_of_an_rsa_key_holds);
	tcase_add_test(tests, an_ed25519_key_makes_none);
	tcase_add_test(tests, what_a_browser_may_say_besides_is_passed_over);
	tcase_add_test(tests, every_altered_byte_is_refused);
	tcase_add_test(tests, every_shorter_part_is_refused);
	tcase_add_test(tests, what_is_too_long_is_refused);
	tcase_add_test(tests, another_challenge_is_refused);
	tcase_add_test(tests, another_origin_is_refused);
	tcase_add_test(tests, a_system_without_a_web_host_proves_nothing);
	tcase_add_test(tests, client_data_of_another_form_is_refused);
	tcase_add_test(tests, nobody_there_or_nobody_verified_is_refused);
	tcase_add_test(tests, authenticator_data_of_another_form_is_refused);
	tcase_add_test(tests, another_key_is_refused);
	tcase_add_test(tests, signatures_that_are_not_der_are_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
