// A public key's fingerprint and PEM, against what openssl(1) makes of the same key.
#include "certs/public_key.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Alice's public key of RFC 7748, section 6.1.
static const uint8_t alice[KEY_BYTES] = {0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
					 0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
					 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};

// openssl pkey -pubin -outform DER | sha256sum
START_TEST(a_fingerprint_is_the_beginning_of_the_hash_of_the_whole_key_structure)
{
	char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	ck_assert(public_key_fingerprint(alice, fingerprint));
	ck_assert_str_eq(fingerprint, "291c-5293-e030-452a-5998");
}
END_TEST

START_TEST(another_key_has_another_fingerprint)
{
	char one[PUBLIC_KEY_FINGERPRINT_BYTES], other[PUBLIC_KEY_FINGERPRINT_BYTES];
	uint8_t changed[KEY_BYTES];
	memcpy(changed, alice, sizeof changed);
	changed[KEY_BYTES - 1] ^= 1;
	ck_assert(public_key_fingerprint(alice, one) && public_key_fingerprint(changed, other));
	ck_assert_str_ne(one, other);
}
END_TEST

// The same with the other algorithm's number, 1.3.101.112.
START_TEST(a_staff_keys_fingerprint_is_of_its_own_structure)
{
	char one[PUBLIC_KEY_FINGERPRINT_BYTES], other[PUBLIC_KEY_FINGERPRINT_BYTES], expected[32] = "";
	struct staff_key staff = {.kind = STAFF_KEY_ED25519, .size = KEY_BYTES};
	memcpy(staff.bytes, alice, KEY_BYTES);
	ck_assert(public_key_fingerprint(alice, one) && public_key_staff_fingerprint(&staff, other));
	ck_assert_str_ne(one, other);
	FILE *pipe = popen("python3 -c \"import hashlib;print(hashlib.sha256(bytes.fromhex('302a300506032b6570032100"
			   "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')).hexdigest()[:20])\"", "r");
	ck_assert_int_eq(fscanf(pipe, "%31s", expected), 1);
	pclose(pipe);
	ck_assert(public_key_fingerprint_is(other, expected));
}
END_TEST

START_TEST(a_fingerprint_may_be_typed_in_any_way_and_not_in_part)
{
	const char *fingerprint = "f8ba-8a3d-5818-3971-83f4";
	ck_assert(public_key_fingerprint_is(fingerprint, "F8BA 8A3D 5818 3971 83F4"));
	ck_assert(public_key_fingerprint_is(fingerprint, "f8ba8a3d5818397183f4"));
	ck_assert(!public_key_fingerprint_is(fingerprint, "f8ba-8a3d-5818-3971-83f5"));
	ck_assert(!public_key_fingerprint_is(fingerprint, "f8ba-8a3d-5818-3971-83f"));
	ck_assert(!public_key_fingerprint_is(fingerprint, "f8ba-8a3d-5818-3971-83f4-0"));
	ck_assert(!public_key_fingerprint_is(fingerprint, ""));
	ck_assert(!public_key_fingerprint_is(fingerprint, "f8ba-8a3d-5818-3971-83f4!"));
	ck_assert(!public_key_fingerprint_is("g", "g"));
}
END_TEST

START_TEST(the_pem_is_what_openssl_reads)
{
	char pem[PUBLIC_KEY_PEM_BYTES];
	public_key_pem(alice, pem);
	ck_assert_str_eq(pem, "-----BEGIN PUBLIC KEY-----\n"
			      "MCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n"
			      "-----END PUBLIC KEY-----\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("public_key");
	TCase *tests = tcase_create("public_key");
	tcase_add_test(tests, a_fingerprint_is_the_beginning_of_the_hash_of_the_whole_key_structure);
	tcase_add_test(tests, another_key_has_another_fingerprint);
	tcase_add_test(tests, a_staff_keys_fingerprint_is_of_its_own_structure);
	tcase_add_test(tests, a_fingerprint_may_be_typed_in_any_way_and_not_in_part);
	tcase_add_test(tests, the_pem_is_what_openssl_reads);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
