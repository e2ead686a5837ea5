// Certificates, requests for them, keys and revocation lists, as broker, client and registration authority read them: what somebody
// had an authority sign, with bytes changed afterwards; anything in PEM; any text at all.
#include <string.h>

#include <openssl/crypto.h>

#include "certs/certificate_priv.h"
#include "certs/request_priv.h"
#include "proto/text.h"
#include "tests/fuzz/forge.h"

static struct trust *trusts[2], *trust; // of one generation of authorities, and of two
static char list_path[160];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char detail[CERTS_DETAIL_BYTES];
	(void)argc, (void)argv;
	forge_begin();
	FUZZ_MUST(trust_load(forge_trust(), &trusts[0], detail) == CERTS_OK);
	forge_adopt();
	FUZZ_MUST(trust_load(forge_trust(), &trusts[1], detail) == CERTS_OK);
	trust = trusts[0];
	return 0;
}

// A refusal goes into a log: one clean line.
static bool is_good(enum certs_status status, const char detail[CERTS_DETAIL_BYTES])
{
	if (status == CERTS_OK)
		return true;
	FUZZ_MUST(certs_status_text(status)[0] != '\0' && detail[0] != '\0' && text_is_clean(detail, strlen(detail)));
	return false;
}

static void check_name(const char *name)
{
	FUZZ_MUST(certificate_name_is_clean((const uint8_t *)name, strlen(name)));
}

// One certificate is never of two kinds.
static void check_der(const uint8_t *der, size_t bytes, uint64_t now_ms)
{
	struct system_identity system;
	struct staff_identity staff;
	char detail[CERTS_DETAIL_BYTES] = "";
	bool is_system = is_good(trust_verify_system(trust, der, bytes, now_ms, &system, detail), detail);
	bool is_staff = is_good(trust_verify_staff(trust, der, bytes, now_ms, &staff, detail), detail);
	FUZZ_MUST(!is_system || !is_staff);
	// A serial without its certificate, as a token has it.
	enum certs_status serial = trust_check_staff_serial(trust, &staff.serial, now_ms);
	FUZZ_MUST(serial == CERTS_OK || serial == CERTS_REVOKED || serial == CERTS_CRL);
	if (is_system)
		check_name(system.name);
	if (is_staff) {
		check_name(staff.name);
		FUZZ_MUST(text_is_digits(staff.uid, strlen(staff.uid), IDENTITY_UID_DIGITS));
		FUZZ_MUST(trust_check_staff_serial(trust, &staff.serial, now_ms) == CERTS_OK);
	}
}

// Who is let in has a description, and a file says what its bytes say.
static void check_certificate_file(const char *path)
{
	struct certificate_description description;
	struct system_identity system;
	struct staff_identity staff, again;
	struct broker_identity broker;
	uint8_t *der = NULL;
	size_t bytes = 0;
	char detail[CERTS_DETAIL_BYTES] = "", serial[2 * SERIAL_BYTES_MAX + 1];
	bool described = is_good(certificate_describe_file(path, &description, detail), detail);
	bool is_system = is_good(trust_verify_system_file(trust, path, FORGE_NOW_MS, &system, detail), detail);
	bool is_staff = is_good(trust_verify_staff_file(trust, path, FORGE_NOW_MS, &staff, detail), detail);
	bool is_broker = is_good(trust_verify_broker_file(trust, path, "Grace", FORGE_NOW_MS, &broker, detail), detail);
	FUZZ_MUST(is_system + is_staff + is_broker <= described);
	if (described) {
		FUZZ_MUST(certificate_serial_equal(&description.serial, &description.serial));
		check_name(description.name);
		certificate_serial_format(&description.serial, serial);
	}
	if (certificate_file_to_der(path, &der, &bytes) == CERTS_OK) {
		is_good(trust_verify_staff(trust, der, bytes, FORGE_NOW_MS, &again, detail), detail);
		FUZZ_MUST(memcmp(&staff, &again, sizeof staff) == 0);
	}
	free(der);
}

// In the order of `labels`. OpenSSL takes milliseconds to make nothing of what is not a key: so a file has one reader.
enum reader { CERTIFICATES, LISTS, REQUESTS, PUBLIC_KEYS, CURVE_KEYS, SIGNING_KEYS, READERS };
static const char *const labels[READERS] = {"CERTIFICATE", "X509 CRL", "CERTIFICATE REQUEST", "PUBLIC KEY", "PRIVATE KEY", "PRIVATE KEY"};

static void check_file(enum reader reader, const char *path)
{
	struct profile_subject subject;
	struct staff_key staff_key;
	struct curve_key_pair pair;
	struct signing_key *key = NULL;
	uint8_t public_key[KEY_BYTES];
	char detail[CERTS_DETAIL_BYTES] = "";
	X509_CRL *list = NULL;
	switch (reader) {
	case CERTIFICATES:
		check_certificate_file(path);
		break;
	case LISTS:
		if (certificate_list_from_file(path, &list) == CERTS_OK)
			X509_CRL_free(list);
		break;
	case REQUESTS:
		if (is_good(request_read_staff(path, &subject, &staff_key, detail), detail))
			check_name(subject.name);
		break;
	case PUBLIC_KEYS:
		is_good(request_read_curve(path, public_key, detail), detail);
		break;
	case CURVE_KEYS:
		if (curve_key_load(path, &pair) == CERTS_OK)
			curve_key_wipe(&pair);
		break;
	default:
		if (signing_key_load(path, &key) == CERTS_OK)
			signing_key_free(key);
		break;
	}
}

// A bundle in which one file is another.
static void check_bundle(uint8_t which, const uint8_t *data, size_t bytes, bool list)
{
	static const char *const names[] = {"staff.crl.pem", "systems.crl.pem", "root.crl.pem", "staff-ca.pem", "systems-ca.pem",
					    "root.pem", "next/staff.crl.pem", "next/staff-ca.pem"};
	char detail[CERTS_DETAIL_BYTES] = "", before[16384];
	struct trust *changed = NULL;
	snprintf(list_path, sizeof list_path, "%.100s/%s", forge_trust(), names[which % 8]);
	FILE *file = fopen(list_path, "re");
	FUZZ_MUST(file != NULL);
	size_t before_bytes = fread(before, 1, sizeof before, file);
	fclose(file);
	file = fopen(forge_pem(list ? "X509 CRL" : "CERTIFICATE", data, bytes), "re");
	char after[65536];
	size_t after_bytes = fread(after, 1, sizeof after, file);
	fclose(file);
	fuzz_write(list_path, after, after_bytes);
	if (is_good(trust_load(forge_trust(), &changed, detail), detail))
		FUZZ_MUST(trust_crl_next_update_ms(changed) > 0);
	trust_free(changed);
	fuzz_write(list_path, before, before_bytes);
}

static void change(struct fuzz_input *input, uint8_t *der, size_t bytes)
{
	while (fuzz_left(input) >= 3) {
		size_t at = (size_t)fuzz_number(input, 2) % bytes;
		der[at] = (uint8_t)(der[at] ^ fuzz_byte(input));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_input input = fuzz_input(data, bytes);
	uint8_t how = fuzz_byte(&input), *der = NULL;
	size_t der_bytes = 0;
	unsigned what = how % 7, which = how / 7;
	trust = trusts[which & 1];
	if (what == 0 || what == 3 || what == 6)
		der = forge_certificate(&input, &der_bytes);
	else if (what == 1)
		der = forge_list(&input, &der_bytes);
	else if (what == 2)
		der = forge_request(&input, &der_bytes);
	if (der != NULL)
		change(&input, der, der_bytes);
	if (what == 4)
		check_file(which % READERS, forge_pem(labels[which % READERS], input.at, fuzz_left(&input)));
	else if (what == 5 && which >= 30)
		check_file(which % READERS, fuzz_odd_path(fuzz_byte(&input)));
	else if (what == 5)
		check_file(which % READERS, fuzz_file(input.at, fuzz_left(&input)));
	else if (der != NULL && what == 0)
		check_der(der, der_bytes, FORGE_NOW_MS + which * 103680000u);
	else if (der != NULL && what == 2)
		check_file(REQUESTS, forge_pem(labels[REQUESTS], der, der_bytes));
	else if (der != NULL && what == 6)
		check_certificate_file(forge_pem(labels[CERTIFICATES], der, der_bytes));
	else if (der != NULL)
		check_bundle((uint8_t)which, der, der_bytes, what == 1);
	OPENSSL_free(der);
	return 0;
}
