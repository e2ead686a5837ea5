// Staff keys on a PKCS#11 token (SoftHSM2), from the request to the signed act, with the real programs; and each way in which
// a token cannot be used, said in words.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "certs/key_token.h"
#include "tests/harness/soft_token.h"
#include "tests/harness/world.h"
#include "tests/harness/world_brokers.h"

#define WHY "joined the ward today"

static struct world *world;
static char uri[512], pin_file[256], detail[CERTS_DETAIL_BYTES];

static void make_token(void)
{
	world = world_new();
	soft_token_init(world_path(world, "."));
	soft_token_make_key("EC:edwards25519", "grace", "01");
	snprintf(pin_file, sizeof pin_file, "%s", world_path(world, "pin"));
	world_write_file(pin_file, SOFT_TOKEN_PIN "\n");
	ck_assert_int_eq(chmod(pin_file, 0600), 0);
	snprintf(uri, sizeof uri, "pkcs11:token=" SOFT_TOKEN_LABEL ";object=grace?pin-source=file:%s", pin_file);
}

static void teardown(void)
{
	world_free(world);
}

// A certificate for the key on the token, and a client profile like the person's own with it.
static void enrol(const char *profile)
{
	char csr[256], fingerprint[40] = "", *own;
	const struct world_person *person = world_person(profile);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "request-staff", "--uid", person->uid, "--name", person->name, "--out",
				    world_path(world, "token"), "--file", profile, "--key", uri, NULL),
			 0);
	const char *said = strstr(world_out(world), "fingerprint ");
	ck_assert_ptr_nonnull(said);
	ck_assert_int_eq(sscanf(said, "fingerprint %39s", fingerprint), 1);
	snprintf(csr, sizeof csr, "%s", world_path(world, "token/%s.csr", profile));
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-staff", "--dir", world_path(world, "authority"), "--request", csr,
				    "--fingerprint", fingerprint, "--out", world_path(world, "token"), "--file", profile, NULL),
			 0);
	own = world_read_file(world_path(world, "profiles/%s.yaml", profile), NULL);
	char text[8192] = "";
	for (char *line = own, *rest; line != NULL && *line != '\0'; line = rest) {
		rest = strchr(line, '\n');
		if (rest != NULL)
			*rest++ = '\0';
		size_t used = strlen(text);
		if (strncmp(line, "staff_certificate:", 18) == 0)
			snprintf(text + used, sizeof text - used, "staff_certificate: ../token/%s.pem\n", profile);
		else if (strncmp(line, "staff_key:", 10) == 0)
			snprintf(text + used, sizeof text - used, "staff_key: \"%s\"\n", uri);
		else if (strncmp(line, "checkpoint_file:", 16) != 0)
			snprintf(text + used, sizeof text - used, "%s\n", line);
	}
	free(own);
	world_write_file(world_path(world, "profiles/%s-token.yaml", profile), text);
}

START_TEST(a_nurse_looks_with_a_key_that_never_left_the_token)
{
	char child[11];
	world_nhs_number(0, child);
	enrol("nurse");
	world_start(world);
	ck_assert_int_eq(access(world_path(world, "token/nurse.key"), F_OK), -1);
	ck_assert_int_eq(world_cpis(world, "nurse-token", "query", child, NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "No plan is known here"));
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(a_registrar_signs_acts_with_the_token)
{
	enrol("registrar");
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "registrar-token", "role", "grant", "--uid", "555000000099", "--role", "R5105", "--reason",
				    WHY, NULL),
			 0);
	// Another key than the certificate's is noticed before anything is sent.
	soft_token_make_key("EC:edwards25519", "other", "02");
	char *profile = world_read_file(world_path(world, "profiles/registrar-token.yaml"), NULL);
	char *at = strstr(profile, "object=grace");
	memcpy(at, "object=other", strlen("object=other"));
	world_write_file(world_path(world, "profiles/registrar-other.yaml"), profile);
	free(profile);
	ck_assert_int_eq(world_cpis(world, "registrar-other", "role", "list", NULL), 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "the private key does not belong to the certificate"));
	// A PIN in the URI would stand there.
	ck_assert_ptr_null(strstr(world_err(world), "pin-source"));
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

// Each broker has a statement and an act of its own to be signed, at the same time.
START_TEST(a_registrar_signs_acts_for_several_brokers_with_one_token)
{
	enum { FURTHER = 3 };
	static const char *const names[FURTHER] = {"cpis-second", "cpis-third", "cpis-fourth"};
	struct world_broker *further[FURTHER];
	enrol("registrar");
	world_start(world);
	for (size_t i = 0; i < FURTHER; i++) {
		further[i] = world_broker_new(world, names[i]);
		world_broker_start(further[i]);
	}
	world_brokers_in_profile(world, "registrar-token", further, FURTHER);
	int code = world_cpis(world, "registrar-token", "quarantine", "set", "--person", world_person("nurse")->uid, "--reason", WHY,
			      NULL);
	ck_assert_msg(code == 0, "%d: %s", code, world_out(world));
	for (size_t i = 0; i < FURTHER; i++) {
		ck_assert_ptr_nonnull(strstr(world_out(world), names[i]));
		world_broker_free(further[i]);
	}
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

static void refuses(const char *where, const char *says)
{
	struct signing_key *key = NULL;
	enum certs_status status = signing_key_open(where, &key, detail);
	ck_assert_msg(status != CERTS_OK, "%s was opened", where);
	ck_assert_msg(strstr(detail, says) != NULL, "%s: %s", where, detail);
	ck_assert_msg(strstr(detail, "999999") == NULL, "%s", detail);
}

#define TOKEN "pkcs11:token=" SOFT_TOKEN_LABEL ";object=grace"

START_TEST(each_way_in_which_a_token_cannot_be_used_is_named)
{
	char other[600];
	refuses(TOKEN "?pin-value=999999", "the PIN is wrong");
	refuses(TOKEN, "wants a PIN");
	refuses("pkcs11:token=nobody;object=grace?pin-value=" SOFT_TOKEN_PIN, "no token that is present");
	refuses("pkcs11:token=" SOFT_TOKEN_LABEL ";object=nobody?pin-value=" SOFT_TOKEN_PIN, "no private key on the token");
	refuses("pkcs11:token=%zz", "not one of RFC 7512");
	refuses("pkcs11:nonsense=1?pin-value=1", "not one of RFC 7512");
	refuses(TOKEN "?pin-source=file:/no/such/file", "/no/such/file");
	refuses(TOKEN "?module-path=/no/such/module.so&pin-value=" SOFT_TOKEN_PIN, "module-path cannot be loaded");
	ck_assert_int_eq(chmod(pin_file, 0644), 0);
	refuses(uri, "chmod 600");
	ck_assert_int_eq(chmod(pin_file, 0600), 0);
	world_write_file(pin_file, "\n");
	ck_assert_int_eq(chmod(pin_file, 0600), 0);
	refuses(uri, "holds no PIN");
	// Two keys of one label; one of them by its id is found.
	soft_token_make_key("EC:edwards25519", "grace", "07");
	refuses(TOKEN "?pin-value=" SOFT_TOKEN_PIN, "several private keys");
	struct signing_key *key = NULL;
	ck_assert_msg(signing_key_open(TOKEN ";id=%07?pin-value=" SOFT_TOKEN_PIN, &key, detail) == CERTS_OK, "%s", detail);
	signing_key_free(key);
	soft_token_make_key("EC:prime256v1", "curve", "03");
	refuses("pkcs11:token=" SOFT_TOKEN_LABEL ";object=curve?pin-value=" SOFT_TOKEN_PIN, "Ed25519 is");
	soft_token_make_key("EC:edwards25519", "lonely", "04");
	soft_token_tool("--delete-object --type pubkey --id 04");
	refuses("pkcs11:token=" SOFT_TOKEN_LABEL ";object=lonely?pin-value=" SOFT_TOKEN_PIN, "not exactly one public key");
	snprintf(other, sizeof other, "%s/no-such.key", world_path(world, "."));
	refuses(other, "cannot be read");
}
END_TEST

START_TEST(a_key_on_a_token_signs_what_its_public_key_verifies_and_cannot_be_saved)
{
	uint8_t public_key[KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
	struct signing_key *key = NULL;
	ck_assert_msg(signing_key_open(uri, &key, detail) == CERTS_OK, "%s", detail);
	signing_key_public(key, public_key);
	for (int i = 0; i < 3; i++) {
		const uint8_t message[] = {1, 2, 3, (uint8_t)i};
		ck_assert_int_eq(signing_key_sign(key, message, sizeof message, signature), CERTS_OK);
		ck_assert_int_eq(ed25519_verify(public_key, message, sizeof message, signature), CERTS_OK);
	}
	ck_assert_int_eq(signing_key_save(key, world_path(world, "saved.key")), CERTS_TOKEN);
	ck_assert_int_eq(access(world_path(world, "saved.key"), F_OK), -1);
	signing_key_free(key);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("token");
	TCase *tests = tcase_create("token");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, make_token, teardown);
	tcase_add_test(tests, a_nurse_looks_with_a_key_that_never_left_the_token);
	tcase_add_test(tests, a_registrar_signs_acts_with_the_token);
	tcase_add_test(tests, a_registrar_signs_acts_for_several_brokers_with_one_token);
	tcase_add_test(tests, each_way_in_which_a_token_cannot_be_used_is_named);
	tcase_add_test(tests, a_key_on_a_token_signs_what_its_public_key_verifies_and_cannot_be_saved);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
