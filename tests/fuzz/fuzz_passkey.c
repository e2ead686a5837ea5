// Passkeys' assertions, good ones with bytes changed and signed again or not; what a page saves of a new passkey; public keys in DER.
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "certs/passkey.h"
#include "certs/passkey_request_priv.h"
#include "certs/public_key.h"
#include "certs/staff_key_priv.h"
#include "proto/text.h"
#include "tests/fuzz/edit.h"

#define HOST "cpis.example"
#define CHALLENGE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
// RFC 6979, A.2.5.
#define P256 "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A_4QCLi8maQa6elWKLxk8vGyDC1-n1F3o8KU1EYimQ"

static EVP_PKEY *keys[3];
static struct staff_key public_keys[3];
static const uint8_t challenge[BROWSER_CHALLENGE_BYTES];
static uint8_t good_data[37] = {[32] = 0x05};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	keys[0] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	keys[1] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	keys[2] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (int i = 0; i < 3; i++)
		FUZZ_MUST(staff_key_from_evp(keys[i], &public_keys[i]) == CERTS_OK);
	FUZZ_MUST(EVP_Digest(HOST, strlen(HOST), good_data, NULL, EVP_sha256(), NULL) == 1);
	return 0;
}

// The bytes of `good` with some replaced, taken out or put in.
static uint8_t *changed(struct fuzz_input *input, const void *good, size_t good_bytes, size_t *ret_bytes)
{
	uint8_t *bytes = malloc(2048);
	size_t count = good_bytes;
	FUZZ_MUST(bytes != NULL && good_bytes <= 1024);
	memcpy(bytes, good, good_bytes);
	for (uint8_t change; (change = fuzz_byte(input)) != 0 && count < 1024;) {
		size_t at = count == 0 ? 0 : fuzz_byte(input) % (count + 1), removed = change & 15, put_bytes;
		const uint8_t *put = fuzz_take(input, (change >> 4) == 15 ? fuzz_byte(input) * 4u : change >> 4, &put_bytes);
		removed = removed > count - at ? count - at : removed;
		memmove(bytes + at + put_bytes, bytes + at + removed, count - at - removed);
		memcpy(bytes + at, put, put_bytes);
		count += put_bytes - removed;
	}
	*ret_bytes = count;
	return bytes;
}

static void sign(EVP_PKEY *key, struct passkey_assertion *assertion, uint8_t signature[512])
{
	uint8_t message[2048 + 64];
	size_t bytes = 512;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	memcpy(message, assertion->authenticator_data, assertion->authenticator_data_bytes);
	FUZZ_MUST(EVP_Digest(assertion->client_data_json, assertion->client_data_json_bytes, message + assertion->authenticator_data_bytes, NULL,
			     EVP_sha256(), NULL) == 1);
	FUZZ_MUST(EVP_DigestSignInit(context, NULL, EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(context, signature, &bytes, message, assertion->authenticator_data_bytes + 32) == 1);
	EVP_MD_CTX_free(context);
	assertion->signature = signature;
	assertion->signature_bytes = bytes;
}

// What was accepted says all that it has to.
static void check_accepted(const struct passkey_assertion *assertion)
{
	static const char begins[] = "{\"type\":\"webauthn.get\",\"challenge\":\"" CHALLENGE "\",\"origin\":\"https://" HOST;
	FUZZ_MUST(assertion->client_data_json_bytes > sizeof begins && memcmp(assertion->client_data_json, begins, sizeof begins - 1) == 0);
	FUZZ_MUST(assertion->authenticator_data_bytes >= sizeof good_data && memcmp(assertion->authenticator_data, good_data, 32) == 0);
	FUZZ_MUST((assertion->authenticator_data[32] & 0x45) == 0x05);
}

static void check_assertion(struct fuzz_input *input, uint8_t how)
{
	static const char good_json[] = "{\"type\":\"webauthn.get\",\"challenge\":\"" CHALLENGE "\",\"origin\":\"https://" HOST
					"\",\"crossOrigin\":false}";
	static uint8_t other[BROWSER_CHALLENGE_BYTES] = {1};
	struct passkey_assertion assertion;
	uint8_t signature[512];
	unsigned which = how % 3;
	uint8_t *data = changed(input, good_data, sizeof good_data, &assertion.authenticator_data_bytes);
	uint8_t *json = changed(input, good_json, sizeof good_json - 1, &assertion.client_data_json_bytes);
	assertion.authenticator_data = data;
	assertion.client_data_json = json;
	sign(keys[which], &assertion, signature);
	if ((how & 64) != 0)
		assertion.signature = fuzz_take(input, 600, &assertion.signature_bytes);
	enum certs_status status = passkey_verify(&public_keys[which], &assertion, HOST, challenge);
	FUZZ_MUST(certs_status_text(status)[0] != '\0' && (status != CERTS_OK || which != 2));
	if (status == CERTS_OK) {
		check_accepted(&assertion);
		FUZZ_MUST(passkey_verify(&public_keys[1 - which], &assertion, HOST, challenge) == CERTS_SIGNATURE);
		FUZZ_MUST(passkey_verify(&public_keys[which], &assertion, HOST, other) == CERTS_PROOF_CHALLENGE);
		FUZZ_MUST(passkey_verify(&public_keys[which], &assertion, "cpis.exampl", challenge) == CERTS_PROOF_ORIGIN);
	}
	FUZZ_MUST(passkey_verify(&public_keys[which], &assertion, "", challenge) == CERTS_PROOF_ORIGIN);
	free(data);
	free(json);
}

// A key has one form, and a fingerprint.
static void check_key(const struct staff_key *key)
{
	struct staff_key again;
	char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	FUZZ_MUST(staff_key_from_bytes(key->kind, key->bytes, key->size, &again) == CERTS_OK && staff_key_equal(key, &again));
	FUZZ_MUST(public_key_staff_fingerprint(key, fingerprint) && public_key_fingerprint_is(fingerprint, fingerprint));
	FUZZ_MUST(staff_key_verify(key, STAFF_SIGNATURE_RSA_PSS_SHA256, challenge, sizeof challenge, challenge, sizeof challenge) != CERTS_OK);
	FUZZ_MUST(staff_key_kind_text(key->kind)[0] != '?');
}

static void check_request(const char *text, size_t bytes)
{
	struct profile_subject subject, again;
	struct staff_key key, key_again;
	const char *why = "";
	char detail[CERTS_DETAIL_BYTES] = "";
	enum certs_status status = passkey_request_parse(text, bytes, &subject, &key, &why);
	FUZZ_MUST(status == CERTS_OK || text_is_clean(why, strlen(why)));
	FUZZ_MUST(passkey_request_read(fuzz_file(text, bytes), &again, &key_again, detail) == status);
	if (status != CERTS_OK) {
		FUZZ_MUST(detail[0] != '\0' && text_is_clean(detail, strlen(detail)));
		return;
	}
	FUZZ_MUST(memcmp(&subject, &again, sizeof subject) == 0 && key.kind != STAFF_KEY_ED25519);
	FUZZ_MUST(text_is_digits(subject.uid, strlen(subject.uid), IDENTITY_UID_DIGITS) && text_is_clean(subject.name, strlen(subject.name)));
	FUZZ_MUST(profile_is_base64url(subject.passkey, strlen(subject.passkey)) && subject.web_host[0] == '\0');
	check_key(&key);
}

static void check_der(struct fuzz_input *input, uint8_t how)
{
	struct staff_key key;
	size_t bytes;
	uint8_t *der = NULL;
	int good_bytes = i2d_PUBKEY(keys[how % 3], &der);
	uint8_t *text = changed(input, der, (size_t)good_bytes, &bytes);
	if (staff_key_from_der(text, bytes, &key) == CERTS_OK)
		check_key(&key);
	size_t raw_bytes;
	const uint8_t *raw = fuzz_take(input, fuzz_left(input), &raw_bytes);
	if (staff_key_from_bytes(how % 3, raw, raw_bytes, &key) == CERTS_OK)
		check_key(&key);
	OPENSSL_free(der);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const char good[] = "cpis-passkey-request-v1\nuid: 555000000001\nname: Grace Hopper\ncredential: AAECAwQF\nkey: " P256 "\n";
	static const char *const words[] = {"uid: ", "name: ", "credential: ", "key: ", "AAAA", "AB", "==", "-_",
					    "MCowBQYDK2VwAyEAhSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo", NULL};
	struct fuzz_input input = fuzz_input(data, bytes);
	uint8_t how = fuzz_byte(&input);
	size_t text_bytes;
	char *text;
	switch (how >> 6 == 3 ? 3 : how >> 4 & 3) {
	case 0:
		check_assertion(&input, how);
		break;
	case 1:
		text = edit_text(&input, good, sizeof good - 1, words, &text_bytes);
		check_request(text, text_bytes);
		free(text);
		break;
	case 2:
		check_der(&input, how);
		break;
	default:
		check_request((const char *)input.at, fuzz_left(&input));
		break;
	}
	return 0;
}
