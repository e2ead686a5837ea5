// Certificates for browsers, cards and passkeys, and systems with a web host: issuing, what they say, and what is refused.
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "certs/passkey_request_priv.h"
#include "certs/request.h"
#include "certs/staff_key_priv.h"
#include "tests/harness/browser.h"

#define NOW 1795000000000ull
#define UID "555000000001"
#define CREDENTIAL "AAECAwQFBgcICQ"
#define ARC "2.25.185455635316991931809667461232443724531"

static char directory[40], home[80], out[80], detail[CERTS_DETAIL_BYTES];
static struct authority_paths paths;
static struct trust *trust;

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static void set_up(void)
{
	char path[120];
	snprintf(directory, sizeof directory, "/tmp/cpis-staff-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(home, sizeof home, "%s/home", directory);
	snprintf(out, sizeof out, "%s/out", directory);
	ck_assert_msg(authority_init(home, "broker-1", "cpis.example/audit", NOW, detail) == CERTS_OK, "%s", detail);
	ck_assert_int_eq(mkdir(out, 0700), 0);
	snprintf(path, sizeof path, "%s/trust", home);
	ck_assert_msg(trust_load(path, &trust, detail) == CERTS_OK, "%s", detail);
}

static void tear_down(void)
{
	trust_free(trust);
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in(const char *folder, const char *name)
{
	static char joined[8][256];
	static unsigned next;
	char *path = joined[next++ % 8];
	snprintf(path, sizeof joined[0], "%s/%s", folder, name);
	return path;
}

static int shell(const char *format, const char *a, const char *b)
{
	char command[9000];
	snprintf(command, sizeof command, "cd '%s' && trust='%s/trust' a='%s' b='%s'; (%s) >/dev/null 2>&1", directory, home, a, b, format);
	return system(command);
}

// ------------------------------------------------------------------ browsers and cards

START_TEST(a_browsers_certificate_is_of_its_key_and_for_tls_clients)
{
	for (enum staff_key_kind kind = STAFF_KEY_P256; kind <= STAFF_KEY_RSA; kind++) {
		struct staff_identity identity;
		struct certificate_description description;
		const char *file = kind == STAFF_KEY_P256 ? "p256" : "rsa";
		struct stat info;
		browser_certify(home, UID, "Siân O'Neill", kind, out, file, NOW, &paths);
		ck_assert_msg(trust_verify_staff_file(trust, paths.certificate, NOW, &identity, detail) == CERTS_OK, "%s", detail);
		EVP_PKEY *key = browser_key_load(paths.key);
		struct staff_key staff = browser_staff_key(key);
		ck_assert(staff_key_equal(&identity.key, &staff));
		ck_assert_str_eq(identity.uid, UID);
		ck_assert_str_eq(identity.name, "Siân O'Neill");
		ck_assert_str_eq(identity.passkey, "");
		ck_assert(stat(paths.key, &info) == 0 && (info.st_mode & 0777) == 0600);
		ck_assert_int_eq(certificate_describe_file(paths.certificate, &description, detail), CERTS_OK);
		ck_assert_int_eq(description.key_kind, kind);
		ck_assert_int_eq(EVP_PKEY_get_bits(key), kind == STAFF_KEY_P256 ? 256 : 3072);
		// What other software makes of it, and how it gets into a browser.
		ck_assert_int_eq(shell("openssl verify -attime 1795000001 -purpose sslclient -CAfile \"$trust/root.pem\" -untrusted "
				       "\"$trust/staff-ca.pem\" \"$a\"", paths.certificate, ""), 0);
		ck_assert_int_ne(shell("openssl verify -attime 1795000001 -purpose sslserver -CAfile \"$trust/root.pem\" -untrusted "
				       "\"$trust/staff-ca.pem\" \"$a\"", paths.certificate, ""), 0);
		ck_assert_int_eq(shell("openssl pkcs12 -export -passout pass:x -in \"$a\" -inkey \"$b\" -certfile \"$trust/staff-ca.pem\" "
				       "-out p12 && openssl pkcs12 -in p12 -passin pass:x -nodes -legacy", paths.certificate, paths.key), 0);
		EVP_PKEY_free(key);
	}
}
END_TEST

START_TEST(an_ed25519_certificate_is_for_nothing_of_a_browser)
{
	struct staff_identity identity;
	ck_assert_int_eq(authority_issue_staff(home, UID, "Grace", out, "grace", 30, NOW, &paths, detail), CERTS_OK);
	ck_assert_int_eq(trust_verify_staff_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	ck_assert_int_eq(identity.key.kind, STAFF_KEY_ED25519);
	ck_assert_uint_eq(identity.key.size, KEY_BYTES);
	ck_assert_int_ne(shell("openssl verify -attime 1795000001 -purpose sslclient -CAfile \"$trust/root.pem\" -untrusted "
			       "\"$trust/staff-ca.pem\" \"$a\"", paths.certificate, ""), 0);
}
END_TEST

START_TEST(a_browsers_key_is_certified_once_and_revoked_like_others)
{
	struct staff_identity identity;
	struct request_files files;
	char first[4096];
	ck_assert_int_eq(request_make_browser(UID, "Grace", STAFF_KEY_P256, out, "grace", &files, detail), CERTS_OK);
	struct authority_request request = {.kind = CERTIFICATE_STAFF, .file = files.request, .fingerprint = "0000-0000-0000-0000-0000"};
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "grace", 30, NOW, &paths, detail), CERTS_FINGERPRINT);
	request.fingerprint = files.fingerprint;
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "grace", 30, NOW, &paths, detail), CERTS_OK);
	memcpy(first, paths.certificate, sizeof first);
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "again", 30, NOW, &paths, detail), CERTS_KEY_IN_USE);
	ck_assert_int_eq(request_make_browser(UID, "Grace", STAFF_KEY_P256, out, "grace", &files, detail), CERTS_EXISTS);
	ck_assert_int_eq(request_make_browser("12", "Grace", STAFF_KEY_P256, out, "g", &files, detail), CERTS_VALUE);
	ck_assert_int_eq(authority_revoke(home, first, NOW, detail), CERTS_OK);
	trust_free(trust);
	ck_assert_int_eq(trust_load(in(home, "trust"), &trust, detail), CERTS_OK);
	ck_assert_int_eq(trust_verify_staff_file(trust, first, NOW, &identity, detail), CERTS_REVOKED);
	ck_assert_str_eq(identity.uid, UID);
}
END_TEST

// As openssl, or a card's own tool, writes them.
START_TEST(requests_by_keys_that_nobody_may_have_are_refused)
{
	static const struct {
		const char *key;
		enum certs_status status;
	} keys[] = {
		{"-algorithm EC -pkeyopt ec_paramgen_curve:P-256", CERTS_OK},
		{"-algorithm RSA -pkeyopt rsa_keygen_bits:2048", CERTS_OK},
		{"-algorithm RSA -pkeyopt rsa_keygen_bits:1024", CERTS_WRONG_KEY_TYPE},
		{"-algorithm RSA -pkeyopt rsa_keygen_bits:3080", CERTS_WRONG_KEY_TYPE},
		{"-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3", CERTS_WRONG_KEY_TYPE},
		{"-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", CERTS_WRONG_KEY_TYPE},
		{"-algorithm EC -pkeyopt ec_paramgen_curve:P-384", CERTS_WRONG_KEY_TYPE},
		{"-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", CERTS_WRONG_KEY_TYPE},
		{"-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", CERTS_WRONG_KEY_TYPE},
	};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		char digits[32] = "", name[16], command[900];
		snprintf(command, sizeof command,
			 "cd %s && openssl genpkey %s -out k 2>/dev/null && openssl req -new -key k -subj '/UID=" UID "/CN=Grace' -addext "
			 "'subjectAltName=URI:urn:cpis:staff:" UID "' -out r 2>/dev/null && openssl pkey -in k -pubout -outform DER | sha256sum",
			 directory, keys[i].key);
		FILE *pipe = popen(command, "r");
		ck_assert_int_eq(fscanf(pipe, "%20s", digits), 1);
		pclose(pipe);
		snprintf(name, sizeof name, "key%zu", i);
		struct authority_request request = {.kind = CERTIFICATE_STAFF, .file = in(directory, "r"), .fingerprint = digits};
		enum certs_status status = authority_issue_requested(home, &request, out, name, 30, NOW, &paths, detail);
		ck_assert_msg(status == keys[i].status, "%s: %s", keys[i].key, detail);
	}
}
END_TEST

// ------------------------------------------------------------------ passkeys

START_TEST(a_passkeys_certificate_names_its_credential)
{
	for (enum staff_key_kind kind = STAFF_KEY_P256; kind <= STAFF_KEY_RSA; kind++) {
		struct staff_identity identity;
		struct certificate_description description;
		EVP_PKEY *key = browser_key_new(kind);
		struct staff_key staff = browser_staff_key(key);
		browser_certify_passkey(home, UID, "Grace Hopper", key, CREDENTIAL, out, kind == STAFF_KEY_P256 ? "p" : "r", NOW, &paths);
		ck_assert_str_eq(paths.key, "");
		ck_assert_msg(trust_verify_staff_file(trust, paths.certificate, NOW, &identity, detail) == CERTS_OK, "%s", detail);
		ck_assert_str_eq(identity.passkey, CREDENTIAL);
		ck_assert_str_eq(identity.name, "Grace Hopper");
		ck_assert(staff_key_equal(&identity.key, &staff));
		ck_assert_int_eq(certificate_describe_file(paths.certificate, &description, detail), CERTS_OK);
		ck_assert_str_eq(description.passkey, CREDENTIAL);
		// It is for no handshake.
		ck_assert_int_ne(shell("openssl verify -attime 1795000001 -purpose sslclient -CAfile \"$trust/root.pem\" -untrusted "
				       "\"$trust/staff-ca.pem\" \"$a\"", paths.certificate, ""), 0);
		EVP_PKEY_free(key);
	}
}
END_TEST

START_TEST(the_longest_credential_id_fits_and_none_beyond)
{
	char credential[IDENTITY_PASSKEY_BYTES_MAX + 2], path[200], fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	struct profile_subject subject;
	struct staff_key staff;
	EVP_PKEY *key = browser_key_new(STAFF_KEY_RSA);
	memset(credential, 'A', sizeof credential);
	credential[IDENTITY_PASSKEY_BYTES_MAX] = '\0';
	browser_certify_passkey(home, UID, "Grace", key, credential, out, "long", NOW, &paths);
	ck_assert_int_eq(certificate_file_to_der(paths.certificate, &der, &der_bytes), CERTS_OK);
	ck_assert_uint_le(der_bytes, 2048); // STAFF_CERTIFICATE_BYTES_MAX of proto/limits.h
	free(der);
	credential[IDENTITY_PASSKEY_BYTES_MAX] = 'A';
	credential[IDENTITY_PASSKEY_BYTES_MAX + 1] = '\0';
	snprintf(path, sizeof path, "%s/longer", directory);
	browser_save_passkey(key, UID, "Grace", credential, path, fingerprint);
	ck_assert_int_eq(passkey_request_read(path, &subject, &staff, detail), CERTS_PROFILE);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_passkey_request_is_issued_for_the_fingerprint_that_was_read_out)
{
	char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	EVP_PKEY *key = browser_key_new(STAFF_KEY_P256);
	const char *path = in(directory, "request");
	browser_save_passkey(key, UID, "Grace Hopper", CREDENTIAL, path, fingerprint);
	struct authority_request request = {.kind = CERTIFICATE_STAFF, .file = path, .fingerprint = "0000", .passkey = true};
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "g", 30, NOW, &paths, detail), CERTS_FINGERPRINT);
	request.fingerprint = fingerprint;
	request.uid = "555000000002";
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "g", 30, NOW, &paths, detail), CERTS_NAME);
	request.uid = UID;
	request.passkey = false; // it is no PKCS#10
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "g", 30, NOW, &paths, detail), CERTS_MALFORMED);
	request.passkey = true;
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "g", 30, NOW, &paths, detail), CERTS_OK);
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "h", 30, NOW, &paths, detail), CERTS_KEY_IN_USE);
	EVP_PKEY_free(key);
}
END_TEST

// Written with the part replaced.
static enum certs_status parse_with(const char *text, const char *part, const char *other, size_t other_bytes)
{
	char changed[2000];
	struct profile_subject subject;
	struct staff_key key;
	const char *why = "", *at = strstr(text, part);
	ck_assert_msg(at != NULL, "%s", part);
	size_t before = (size_t)(at - text), after = strlen(at + strlen(part));
	memcpy(changed, text, before);
	memcpy(changed + before, other, other_bytes);
	memcpy(changed + before + other_bytes, at + strlen(part), after);
	enum certs_status status = passkey_request_parse(changed, before + other_bytes + after, &subject, &key, &why);
	ck_assert(status == CERTS_OK || why[0] != '\0');
	return status;
}

static void read_text(const char *path, char *text, size_t bytes)
{
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	text[fread(text, 1, bytes - 1, file)] = '\0';
	fclose(file);
}

START_TEST(passkey_requests_that_are_not_of_their_form_are_refused)
{
	static const struct {
		const char *part, *other;
		enum certs_status status;
	} changes[] = {
		{"Grace", "Grace", CERTS_OK},
		{"-v1\n", "-v2\n", CERTS_MALFORMED},
		{"-v1\n", "-v1 \n", CERTS_MALFORMED},
		{"-v1\n", "-v1\r\n", CERTS_MALFORMED},
		{"-v1\n", "-v1\n\n", CERTS_MALFORMED},
		{"uid: ", "uid:", CERTS_MALFORMED},
		{"uid: " UID "\n", "", CERTS_MALFORMED},
		{"name: ", "Name: ", CERTS_MALFORMED},
		{"credential: ", "uid: 555000000002\ncredential: ", CERTS_MALFORMED},
		{"key: ", "kay: ", CERTS_MALFORMED},
		{UID, "55500000000", CERTS_PROFILE},
		{UID, "5550000000011", CERTS_PROFILE},
		{UID, "55500000000x", CERTS_PROFILE},
		{"Grace", "", CERTS_PROFILE},
		{"Grace", " Grace", CERTS_PROFILE},
		{"Grace", "Gr\xFF" "ce", CERTS_PROFILE},
		{"Grace", "Gr\xE2\x80\xAE" "ce", CERTS_PROFILE},
		{"Grace", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", CERTS_PROFILE},
		{CREDENTIAL, "", CERTS_PROFILE},
		{CREDENTIAL, "A", CERTS_PROFILE},
		{CREDENTIAL, "AB", CERTS_PROFILE}, // bits that no byte has
		{CREDENTIAL, "AAB", CERTS_PROFILE},
		{CREDENTIAL, CREDENTIAL "==", CERTS_PROFILE},
		{CREDENTIAL, "AA+A", CERTS_PROFILE},
		{CREDENTIAL, "AA/A", CERTS_PROFILE},
		{CREDENTIAL, "AA A", CERTS_PROFILE},
		{CREDENTIAL, "AA,A", CERTS_PROFILE},
		{CREDENTIAL, "AA-_", CERTS_OK},
		{"key: M", "key: N", CERTS_MALFORMED},
		{"key: M", "key: *", CERTS_MALFORMED},
		{"key: M", "key: ", CERTS_MALFORMED},
		{"key: M", "key: MAAAAA", CERTS_MALFORMED},
	};
	char text[2000], fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	EVP_PKEY *key = browser_key_new(STAFF_KEY_P256);
	browser_save_passkey(key, UID, "Grace", CREDENTIAL, in(directory, "request"), fingerprint);
	read_text(in(directory, "request"), text, sizeof text);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
		ck_assert_msg(parse_with(text, changes[i].part, changes[i].other, strlen(changes[i].other)) == changes[i].status, "%zu: %s", i,
			      changes[i].other);
	ck_assert_int_eq(parse_with(text, "Grace", "Gr\0ce", 5), CERTS_PROFILE);
	ck_assert_int_eq(parse_with(text, "Grace", "Grace\0", 6), CERTS_PROFILE);
	// Every shorter one, and one with something behind.
	struct profile_subject subject;
	struct staff_key staff;
	const char *why;
	size_t bytes = strlen(text);
	for (size_t i = 0; i < bytes; i++)
		ck_assert_int_ne(passkey_request_parse(text, i, &subject, &staff, &why), CERTS_OK);
	ck_assert_int_eq(passkey_request_parse(text, bytes + 1, &subject, &staff, &why), CERTS_MALFORMED);
	ck_assert_int_eq(passkey_request_parse(text, bytes, &subject, &staff, &why), CERTS_OK);
	ck_assert_int_eq(passkey_request_read(in(directory, "none"), &subject, &staff, detail), CERTS_CANNOT_READ);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(passkey_requests_for_keys_that_no_passkey_has_are_refused)
{
	// Ed25519, in base64url of its DER, and an RSA key that is longer than any.
	static const char ed25519[] = "cpis-passkey-request-v1\nuid: " UID "\nname: Grace\ncredential: AA\n"
				      "key: MCowBQYDK2VwAyEAhSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo\n";
	struct profile_subject subject;
	struct staff_key staff;
	const char *why;
	char text[1200] = "cpis-passkey-request-v1\nuid: " UID "\nname: Grace\ncredential: AA\nkey: ";
	ck_assert_int_eq(passkey_request_parse(ed25519, sizeof ed25519 - 1, &subject, &staff, &why), CERTS_WRONG_KEY_TYPE);
	size_t at = strlen(text);
	memset(text + at, 'A', 576);
	strcpy(text + at + 576, "\n");
	ck_assert_int_eq(passkey_request_parse(text, strlen(text), &subject, &staff, &why), CERTS_MALFORMED);
}
END_TEST

// ------------------------------------------------------------------ keys

START_TEST(staff_keys_have_one_form)
{
	for (enum staff_key_kind kind = STAFF_KEY_ED25519; kind <= STAFF_KEY_RSA; kind++) {
		EVP_PKEY *key = browser_key_new(kind);
		struct staff_key staff = browser_staff_key(key), again, other;
		uint8_t *der = NULL;
		int bytes = i2d_PUBKEY(key, &der);
		ck_assert_int_eq(staff.kind, kind);
		ck_assert_int_eq(staff_key_from_der(der, (size_t)bytes, &again), CERTS_OK);
		ck_assert(staff_key_equal(&staff, &again));
		ck_assert_int_eq(staff_key_from_bytes(kind, staff.bytes, staff.size, &again), CERTS_OK);
		ck_assert(staff_key_equal(&staff, &again));
		ck_assert_int_ne(staff_key_from_bytes(kind == STAFF_KEY_RSA ? STAFF_KEY_P256 : kind + 1, staff.bytes, staff.size, &again), CERTS_OK);
		ck_assert_int_ne(staff_key_from_bytes(kind, staff.bytes, staff.size - 1, &again), CERTS_OK);
		for (int i = 0; i < bytes; i++)
			ck_assert_int_eq(staff_key_from_der(der, (size_t)i, &again), CERTS_MALFORMED);
		other = staff;
		other.bytes[staff.size - 1] ^= 1;
		ck_assert(!staff_key_equal(&staff, &other));
		other = staff;
		other.kind = (staff.kind + 1) % 3;
		ck_assert(!staff_key_equal(&staff, &other));
		// Longer than its content, in the other form of a length, and a byte behind.
		uint8_t longer[1000] = {0x30, 0x82};
		memcpy(longer + 4, der + (der[1] == 0x81 ? 3 : der[1] == 0x82 ? 4 : 2), (size_t)bytes);
		longer[2] = 0, longer[3] = (uint8_t)bytes;
		ck_assert_int_ne(staff_key_from_der(longer, (size_t)bytes + 2, &again), CERTS_OK);
		memcpy(longer, der, (size_t)bytes);
		longer[bytes] = 0;
		ck_assert_int_eq(staff_key_from_der(longer, (size_t)bytes + 1, &again), CERTS_MALFORMED);
		OPENSSL_free(der);
		EVP_PKEY_free(key);
	}
	ck_assert_str_eq(staff_key_kind_text(STAFF_KEY_P256), "P-256");
}
END_TEST

START_TEST(points_that_are_not_on_the_curve_or_compressed_are_no_keys)
{
	EVP_PKEY *key = browser_key_new(STAFF_KEY_P256);
	struct staff_key staff = browser_staff_key(key), read;
	uint8_t compressed[59];
	staff.bytes[90] ^= 1;
	ck_assert_int_eq(staff_key_from_der(staff.bytes, staff.size, &read), CERTS_MALFORMED);
	staff.bytes[90] ^= 1;
	memcpy(compressed, staff.bytes, sizeof compressed);
	compressed[1] = 57, compressed[24] = 34, compressed[26] = staff.bytes[90] & 1 ? 3 : 2;
	ck_assert_int_ne(staff_key_from_der(compressed, sizeof compressed, &read), CERTS_OK);
	EVP_PKEY_free(key);
}
END_TEST

// ------------------------------------------------------------------ off the profile

static enum certs_status verify_changed(const char *path, int nid, const char *value, const char *ca, bool staff)
{
	struct staff_identity person;
	struct system_identity system;
	char name[80];
	uint8_t *der = NULL;
	X509V3_CTX context;
	X509 *certificate = browser_certificate_load(path);
	snprintf(name, sizeof name, "private/%s.key", ca);
	EVP_PKEY *signer = browser_key_load(in(home, name));
	X509_EXTENSION_free(X509_delete_ext(certificate, X509_get_ext_by_NID(certificate, nid, -1)));
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ck_assert_msg(extension != NULL, "%s", value);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	ck_assert_int_gt(X509_sign(certificate, signer, NULL), 0);
	int bytes = i2d_X509(certificate, &der);
	enum certs_status status = staff ? trust_verify_staff(trust, der, (size_t)bytes, NOW, &person, detail)
					 : trust_verify_system(trust, der, (size_t)bytes, NOW, &system, detail);
	OPENSSL_free(der);
	X509_EXTENSION_free(extension);
	X509_free(certificate);
	EVP_PKEY_free(signer);
	return status;
}

START_TEST(client_authentication_is_named_exactly_where_a_browser_needs_it)
{
	static const struct {
		const char *usages;
		enum certs_status of_browser, of_others;
	} cases[] = {
		{"critical," ARC ".3,clientAuth", CERTS_OK, CERTS_PROFILE},
		{"clientAuth," ARC ".3", CERTS_OK, CERTS_PROFILE},
		{"critical," ARC ".3", CERTS_PROFILE, CERTS_OK},
		{"critical,clientAuth", CERTS_PURPOSE, CERTS_PURPOSE},
		{"critical," ARC ".3,clientAuth,emailProtection", CERTS_PROFILE, CERTS_PROFILE},
		{"critical," ARC ".3,serverAuth", CERTS_PROFILE, CERTS_PROFILE},
		{"critical," ARC ".1,clientAuth", CERTS_PURPOSE, CERTS_PURPOSE},
		{"critical," ARC ".3," ARC ".3", CERTS_PROFILE, CERTS_PROFILE},
		{"critical," ARC ".3,clientAuth,clientAuth", CERTS_PROFILE, CERTS_PROFILE},
	};
	struct authority_paths browser, passkey, ed25519, system;
	EVP_PKEY *key = browser_key_new(STAFF_KEY_P256);
	browser_certify(home, UID, "Grace", STAFF_KEY_P256, out, "b", NOW, &browser);
	browser_certify_passkey(home, UID, "Grace", key, CREDENTIAL, out, "p", NOW, &passkey);
	ck_assert_int_eq(authority_issue_staff(home, UID, "Grace", out, "e", 30, NOW, &ed25519, detail), CERTS_OK);
	ck_assert_int_eq(authority_issue_system(home, "RXH", "ed", out, "s", 30, NOW, &system, detail), CERTS_OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *usages = cases[i].usages;
		ck_assert_msg(verify_changed(browser.certificate, NID_ext_key_usage, usages, "staff-ca", true) == cases[i].of_browser, "%s", usages);
		ck_assert_msg(verify_changed(passkey.certificate, NID_ext_key_usage, usages, "staff-ca", true) == cases[i].of_others, "%s", usages);
		ck_assert_msg(verify_changed(ed25519.certificate, NID_ext_key_usage, usages, "staff-ca", true) == cases[i].of_others, "%s", usages);
	}
	ck_assert_int_eq(verify_changed(system.certificate, NID_ext_key_usage, "critical," ARC ".1,clientAuth", "systems-ca", false),
			 CERTS_PROFILE);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(passkeys_are_named_in_one_way)
{
	static const char *const names[] = {
		"URI:urn:cpis:passkey:AAAA,URI:urn:cpis:staff:" UID,
		"URI:urn:cpis:passkey:AAAA",
		"URI:urn:cpis:staff:" UID ",URI:urn:cpis:passkey:",
		"URI:urn:cpis:staff:" UID ",URI:urn:cpis:passkey:A",
		"URI:urn:cpis:staff:" UID ",URI:urn:cpis:passkey:AB",
		"URI:urn:cpis:staff:" UID ",URI:urn:cpis:passkey:AAAA=",
		"URI:urn:cpis:staff:" UID ",URI:urn:cpis:passkey:AA%41A",
		"URI:urn:cpis:staff:" UID ",URI:urn:cpis:Passkey:AAAA",
		"URI:urn:cpis:staff:" UID ",DNS:cpis.example",
		"URI:urn:cpis:staff:" UID ",email:AAAA",
		"URI:urn:cpis:staff:" UID ",URI:urn:cpis:passkey:AAAA,URI:urn:cpis:passkey:BBBB",
	};
	EVP_PKEY *key = browser_key_new(STAFF_KEY_P256);
	browser_certify_passkey(home, UID, "Grace", key, CREDENTIAL, out, "p", NOW, &paths);
	ck_assert_int_eq(verify_changed(paths.certificate, NID_subject_alt_name, "URI:urn:cpis:staff:" UID ",URI:urn:cpis:passkey:AAAA",
					"staff-ca", true), CERTS_OK);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_msg(verify_changed(paths.certificate, NID_subject_alt_name, names[i], "staff-ca", true) == CERTS_PROFILE, "%s",
			      names[i]);
	EVP_PKEY_free(key);
}
END_TEST

// ------------------------------------------------------------------ web hosts

START_TEST(a_system_has_a_web_host_or_none)
{
	struct system_identity identity;
	struct certificate_description description;
	struct request_files files;
	char host[WEB_HOST_BYTES_MAX + 1];
	memset(host, 'a', sizeof host - 1);
	host[60] = host[120] = host[180] = '.', host[sizeof host - 1] = '\0';
	ck_assert_int_eq(authority_issue_web_system(home, "RXH", "ed", "cpis.rxh.example", out, "ed", 30, NOW, &paths, detail), CERTS_OK);
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	ck_assert_str_eq(identity.web_host, "cpis.rxh.example");
	ck_assert_int_eq(certificate_describe_file(paths.certificate, &description, detail), CERTS_OK);
	ck_assert_str_eq(description.web_host, "cpis.rxh.example");
	ck_assert_int_eq(authority_issue_web_system(home, "RXH", "ed", NULL, out, "ed2", 30, NOW, &paths, detail), CERTS_OK);
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	ck_assert_str_eq(identity.web_host, "");
	// For a key that stays with the system.
	ck_assert_int_eq(request_make_curve(out, "own", &files, detail), CERTS_OK);
	struct authority_request request = {.kind = CERTIFICATE_SYSTEM, .organisation = "RXH", .name = "ed", .file = files.request,
					    .fingerprint = files.fingerprint, .web_host = "Cpis.rxh.example"};
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "own", 30, NOW, &paths, detail), CERTS_VALUE);
	request.web_host = host;
	ck_assert_int_eq(authority_issue_requested(home, &request, out, "own", 30, NOW, &paths, detail), CERTS_OK);
	ck_assert_int_eq(trust_verify_system_file(trust, paths.certificate, NOW, &identity, detail), CERTS_OK);
	ck_assert_str_eq(identity.web_host, host);
}
END_TEST

START_TEST(values_that_are_no_web_hosts_issue_nothing)
{
	static const char *const hosts[] = {"", "192.0.2.1", "CPIS.example", "https://cpis.example", "cpis.example:443", "*.example",
					    "a,URI:urn:cpis:system:383:x", "cpis.example."};
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		ck_assert_msg(authority_issue_web_system(home, "RXH", "ed", hosts[i], out, "ed", 30, NOW, &paths, detail) == CERTS_VALUE, "%s",
			      hosts[i]);
	ck_assert_int_ne(access(in(out, "ed.pem"), F_OK), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("staff_certificates");
	TCase *tests = tcase_create("staff_certificates");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_browsers_certificate_is_of_its_key_and_for_tls_clients);
	tcase_add_test(tests, an_ed25519_certificate_is_for_nothing_of_a_browser);
	tcase_add_test(tests, a_browsers_key_is_certified_once_and_revoked_like_others);
	tcase_add_test(tests, requests_by_keys_that_nobody_may_have_are_refused);
	tcase_add_test(tests, a_passkeys_certificate_names_its_credential);
	tcase_add_test(tests, the_longest_credential_id_fits_and_none_beyond);
	tcase_add_test(tests, a_passkey_request_is_issued_for_the_fingerprint_that_was_read_out);
	tcase_add_test(tests, passkey_requests_that_are_not_of_their_form_are_refused);
	tcase_add_test(tests, passkey_requests_for_keys_that_no_passkey_has_are_refused);
	tcase_add_test(tests, staff_keys_have_one_form);
	tcase_add_test(tests, points_that_are_not_on_the_curve_or_compressed_are_no_keys);
	tcase_add_test(tests, client_authentication_is_named_exactly_where_a_browser_needs_it);
	tcase_add_test(tests, passkeys_are_named_in_one_way);
	tcase_add_test(tests, a_system_has_a_web_host_or_none);
	tcase_add_test(tests, values_that_are_no_web_hosts_issue_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
