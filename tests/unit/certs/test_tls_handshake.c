// Handshakes as proofs: real ones of OpenSSL, with each kind of key, and each of them with one thing in it that must not be. What is
// changed before the signature is signed again, so that nothing but the change can be what is refused.
#include "certs/tls_handshake.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness/browser.h"

#define HOST "cpis.rxh.example"
#define CHACHA "TLS_CHACHA20_POLY1305_SHA256"

static EVP_PKEY *key;
static X509 *certificate;
static struct staff_key public_key;
static struct tls_transcript transcript;
static uint8_t challenge[BROWSER_CHALLENGE_BYTES];
static char good_host[BROWSER_CHALLENGE_LABEL_BYTES + sizeof "." HOST];

static X509 *certify(EVP_PKEY *of, const char *name)
{
	X509 *made = X509_new();
	EVP_PKEY *authority = browser_key_new(STAFF_KEY_ED25519);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 7);
	X509_gmtime_adj(X509_getm_notBefore(made), 0);
	X509_gmtime_adj(X509_getm_notAfter(made), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(made, X509_get_subject_name(made));
	X509_set_pubkey(made, of);
	ck_assert_int_gt(X509_sign(made, authority, NULL), 0);
	EVP_PKEY_free(authority);
	return made;
}

static void begin(enum staff_key_kind kind)
{
	char label[BROWSER_CHALLENGE_LABEL_BYTES];
	for (size_t i = 0; i < sizeof challenge; i++)
		challenge[i] = (uint8_t)(7 * i + 3);
	browser_challenge_label(challenge, label);
	snprintf(good_host, sizeof good_host, "%s.%s", label, HOST);
	key = browser_key_new(kind);
	certificate = certify(key, "Grace");
	public_key = browser_staff_key(key);
}

static void end(void)
{
	EVP_PKEY_free(key);
	X509_free(certificate);
}

static void set_up(void)
{
	begin(STAFF_KEY_P256);
	browser_prove(key, certificate, HOST, challenge, &transcript);
}

static enum certs_status verify(void)
{
	return tls_handshake_verify(&public_key, transcript.data, transcript.bytes, HOST, challenge);
}

static enum certs_status shake(struct browser_connection connection)
{
	connection.host = connection.host == NULL ? good_host : connection.host;
	browser_shake_hands(key, certificate, &connection, &transcript);
	return verify();
}

// ------------------------------------------------------------------ changing a handshake

// Where message `number` begins, and how long it is with its header.
static size_t message_at(unsigned number, size_t *ret_bytes)
{
	size_t at = 0;
	for (unsigned i = 0;; i++) {
		const uint8_t *header = transcript.data + at;
		ck_assert_uint_lt(at, transcript.bytes);
		*ret_bytes = 4 + ((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]);
		if (i == number)
			return at;
		at += *ret_bytes;
	}
}

enum { CLIENT_HELLO, SERVER_HELLO, SERVER_EXTENSIONS, SERVER_REQUEST, SERVER_CERTIFICATE, SERVER_VERIFY, SERVER_FINISHED, CERTIFICATE, VERIFY };

// Puts other bytes in the place of some of a message, and its length right.
static void replace(unsigned message, size_t offset, size_t removed, const void *bytes, size_t count)
{
	size_t message_bytes, at = message_at(message, &message_bytes);
	uint8_t *place = transcript.data + at + offset;
	ck_assert_uint_le(offset + removed, message_bytes);
	memmove(place + count, place + removed, transcript.bytes - at - offset - removed);
	if (count > 0)
		memcpy(place, bytes, count);
	transcript.bytes = transcript.bytes + count - removed;
	size_t body = message_bytes + count - removed - 4;
	if (offset >= 4)
		memcpy(transcript.data + at + 1, (const uint8_t[]){(uint8_t)(body >> 16), (uint8_t)(body >> 8), (uint8_t)body}, 3);
}

static void put(unsigned message, size_t offset, const void *bytes, size_t count)
{
	replace(message, offset, count, bytes, count);
}

// A CertificateVerify of our own at the end, in place of the client's.
static void sign_by(EVP_PKEY *by, unsigned scheme)
{
	uint8_t text[64 + 34 + 32], signature[600], header[8];
	size_t verify_bytes, at = message_at(VERIFY, &verify_bytes), bytes = sizeof signature;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	memset(text, ' ', 64);
	memcpy(text + 64, "TLS 1.3, client CertificateVerify", 34);
	EVP_Digest(transcript.data, at, text + 98, NULL, EVP_sha256(), NULL);
	ck_assert_int_eq(EVP_DigestSignInit(context, &options, scheme == 0x0807 ? NULL : EVP_sha256(), NULL, by), 1);
	if (scheme == 0x0804)
		ck_assert(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
			  EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
	ck_assert_int_eq(EVP_DigestSign(context, signature, &bytes, text, sizeof text), 1);
	EVP_MD_CTX_free(context);
	memcpy(header, (const uint8_t[]){15, 0, (uint8_t)((bytes + 4) >> 8), (uint8_t)(bytes + 4), (uint8_t)(scheme >> 8), (uint8_t)scheme,
					 (uint8_t)(bytes >> 8), (uint8_t)bytes}, 8);
	memcpy(transcript.data + at, header, 8);
	memcpy(transcript.data + at + 8, signature, bytes);
	transcript.bytes = at + 8 + bytes;
}

static enum certs_status verify_signed(void)
{
	sign_by(key, 0x0403);
	return verify();
}

// The place of an extension's type in a hello, from the message's beginning.
static size_t extension_at(unsigned message, unsigned type)
{
	size_t bytes, at = message_at(message, &bytes);
	const uint8_t *hello = transcript.data + at;
	size_t place = 4 + 2 + 32;
	place += 1u + hello[place];
	if (message == CLIENT_HELLO) {
		place += 2u + (size_t)(hello[place] << 8 | hello[place + 1]);
		place += 1u + hello[place];
	} else {
		place += 3;
	}
	for (place += 2; place < bytes; place += 4u + (size_t)(hello[place + 2] << 8 | hello[place + 3]))
		if ((unsigned)(hello[place] << 8 | hello[place + 1]) == type)
			return place;
	ck_abort_msg("no extension %u", type);
	return 0;
}

// Adds to a two-byte length.
static void lengthen(unsigned message, size_t offset, int by)
{
	size_t bytes, at = message_at(message, &bytes) + offset;
	int length = (transcript.data[at] << 8 | transcript.data[at + 1]) + by;
	put(message, offset, (const uint8_t[]){(uint8_t)(length >> 8), (uint8_t)length}, 2);
}

// Where the length of all extensions stands in the ClientHello.
static size_t extensions_length_at(unsigned message)
{
	size_t bytes, at = message_at(message, &bytes);
	const uint8_t *hello = transcript.data + at;
	size_t place = 4 + 2 + 32;
	place += 1u + hello[place];
	if (message != CLIENT_HELLO)
		return place + 3;
	place += 2u + (size_t)(hello[place] << 8 | hello[place + 1]);
	return place + 1u + hello[place];
}

static void insert_extension(unsigned message, const uint8_t *bytes, size_t count)
{
	size_t place = extensions_length_at(message);
	lengthen(message, place, (int)count);
	replace(message, place + 2, 0, bytes, count);
}

// ------------------------------------------------------------------ what holds

START_TEST(a_handshake_of_each_kind_of_key_holds)
{
	for (enum staff_key_kind kind = STAFF_KEY_ED25519; kind <= STAFF_KEY_RSA; kind++) {
		end();
		begin(kind);
		for (int i = 0; i < 8; i++) {
			struct browser_connection connection = {
				.suite = i & 1 ? CHACHA : NULL, .retried = (i & 2) != 0, .with_authority = (i & 4) != 0};
			ck_assert_msg(shake(connection) == CERTS_OK, "%s, %d", staff_key_kind_text(kind), i);
			ck_assert_int_eq(transcript.data[0], connection.retried ? 254 : 1);
		}
	}
}
END_TEST

// What Chromium 156 said to a server of OpenSSL's on P-256 only, so that there is a second ClientHello; and the key of the certificate that it
// had, from `cpis certs request-staff --key-type p256`.
START_TEST(a_handshake_that_a_browser_made_holds)
{
	static const uint8_t made_for[BROWSER_CHALLENGE_BYTES] = {1, 2, 3};
	static const uint8_t der[] = {
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
		0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x72, 0x4D, 0x58, 0xBA, 0x5D, 0x54, 0x5A, 0xF4, 0x95, 0x49, 0x45, 0xD9, 0xA1,
		0xAB, 0x73, 0x9A, 0x12, 0x67, 0x1E, 0x30, 0x8A, 0x6C, 0x25, 0x58, 0x4F, 0xD9, 0x7C, 0x44, 0x7E, 0xE9, 0x89, 0x4C, 0xFC,
		0x79, 0x05, 0x19, 0xE9, 0xF6, 0x0F, 0x9E, 0xD9, 0x2B, 0x55, 0xE3, 0x7E, 0x31, 0xDA, 0x5A, 0x09, 0x0E, 0xE5, 0xA7, 0x26,
		0xD4, 0x88, 0x23, 0x65, 0xDF, 0x34, 0x77, 0xDF, 0xD2, 0xB9, 0x7C};
	struct staff_key hers;
	uint8_t bytes[4096];
	FILE *file = fopen("tests/data/chromium_handshake.bin", "re");
	ck_assert_ptr_nonnull(file);
	size_t count = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	ck_assert_int_eq(staff_key_from_der(der, sizeof der, &hers), CERTS_OK);
	ck_assert_int_eq(tls_handshake_verify(&hers, bytes, count, "cpis.localhost", made_for), CERTS_OK);
	ck_assert_int_eq(tls_handshake_verify(&hers, bytes, count, "cpis.localhost", challenge), CERTS_PROOF_CHALLENGE);
	ck_assert_int_eq(tls_handshake_verify(&hers, bytes, count, HOST, made_for), CERTS_PROOF_ORIGIN);
	ck_assert_int_eq(tls_handshake_verify(&public_key, bytes, count, "cpis.localhost", made_for), CERTS_KEY_MISMATCH);
}
END_TEST

// What the tests below change is put right again by this.
START_TEST(a_handshake_that_was_signed_again_holds)
{
	sign_by(key, 0x0403);
	ck_assert_int_eq(verify(), CERTS_OK);
	insert_extension(CLIENT_HELLO, (const uint8_t[]){0xFA, 0xFA, 0, 1, 0}, 5);
	ck_assert_int_eq(verify_signed(), CERTS_OK);
}
END_TEST

START_TEST(the_longest_web_host_holds)
{
	char host[WEB_HOST_BYTES_MAX + 1], all[300];
	memset(host, 'a', sizeof host - 1);
	host[sizeof host - 1] = '\0';
	host[60] = host[120] = host[180] = '.';
	ck_assert(web_host_is_good(host));
	browser_prove(key, certificate, host, challenge, &transcript);
	ck_assert_int_eq(tls_handshake_verify(&public_key, transcript.data, transcript.bytes, host, challenge), CERTS_OK);
	snprintf(all, sizeof all, "%.52s.%s", good_host, host);
	ck_assert_uint_le(strlen(all), 253);
}
END_TEST

// ------------------------------------------------------------------ what does not

START_TEST(every_altered_byte_is_refused)
{
	for (int retried = 0; retried < 2; retried++) {
		ck_assert_int_eq(shake((struct browser_connection){.retried = retried != 0, .with_authority = true}), CERTS_OK);
		for (size_t i = 0; i < transcript.bytes; i++) {
			transcript.data[i] ^= 0x01;
			ck_assert_msg(verify() != CERTS_OK, "byte %zu of %zu", i, transcript.bytes);
			transcript.data[i] ^= 0x01;
		}
	}
}
END_TEST

START_TEST(every_shorter_and_every_longer_transcript_is_refused)
{
	for (size_t bytes = 0; bytes < transcript.bytes; bytes++)
		ck_assert_int_eq(tls_handshake_verify(&public_key, transcript.data, bytes, HOST, challenge), CERTS_PROOF_FORM);
	transcript.data[transcript.bytes] = 0;
	ck_assert_int_eq(tls_handshake_verify(&public_key, transcript.data, transcript.bytes + 1, HOST, challenge), CERTS_PROOF_FORM);
	// The client's Finished, which does come next.
	memcpy(transcript.data + transcript.bytes, (const uint8_t[36]){20, 0, 0, 32}, 36);
	transcript.bytes += 36;
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	ck_assert_int_eq(tls_handshake_verify(&public_key, transcript.data, TLS_TRANSCRIPT_BYTES_MAX + 1, HOST, challenge), CERTS_PROOF_FORM);
}
END_TEST

START_TEST(a_message_less_or_in_another_place_is_refused)
{
	struct tls_transcript whole = transcript;
	for (unsigned i = CLIENT_HELLO; i <= CERTIFICATE; i++) {
		size_t bytes, at;
		transcript = whole;
		at = message_at(i, &bytes);
		memmove(transcript.data + at, transcript.data + at + bytes, transcript.bytes - at - bytes);
		transcript.bytes -= bytes;
		ck_assert_msg(verify() == CERTS_PROOF_FORM, "without message %u", i);
		transcript = whole;
		transcript.data[at] ^= 0x40;
		ck_assert_msg(verify_signed() == CERTS_PROOF_FORM, "with message %u of another type", i);
	}
}
END_TEST

START_TEST(another_host_is_refused)
{
	char host[300];
	const char *label = good_host;
	static const char *const hosts[] = {"cpis.abc.example", "rxh.example", "cpis.rxh.example.evil", "x.cpis.rxh.example",
					    "cpis.rxh.exampl", "cpis.rxh.examplf", "CPIS.rxh.example"};
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		snprintf(host, sizeof host, "%.52s.%s", label, hosts[i]);
		ck_assert_msg(shake((struct browser_connection){.host = host}) == CERTS_PROOF_ORIGIN, "%s", hosts[i]);
	}
	ck_assert_int_eq(shake((struct browser_connection){.host = HOST}), CERTS_PROOF_ORIGIN);
	snprintf(host, sizeof host, "%.52s-%s", label, HOST);
	ck_assert_int_eq(shake((struct browser_connection){.host = host}), CERTS_PROOF_ORIGIN);
	ck_assert_int_eq(tls_handshake_verify(&public_key, transcript.data, transcript.bytes, "", challenge), CERTS_PROOF_ORIGIN);
}
END_TEST

START_TEST(another_label_is_refused)
{
	char host[300];
	snprintf(host, sizeof host, "%s", good_host);
	host[0] = host[0] == 'a' ? 'b' : 'a';
	ck_assert_int_eq(shake((struct browser_connection){.host = host}), CERTS_PROOF_CHALLENGE);
	// The same in capitals: one challenge has one label.
	snprintf(host, sizeof host, "%s", good_host);
	host[3] = (char)(host[3] & ~0x20);
	ck_assert(host[3] >= 'A' && host[3] <= 'Z');
	ck_assert_int_eq(shake((struct browser_connection){.host = host}), CERTS_PROOF_CHALLENGE);
	browser_prove(key, certificate, HOST, challenge, &transcript);
	challenge[31] ^= 1;
	ck_assert_int_eq(verify(), CERTS_PROOF_CHALLENGE);
	challenge[31] ^= 1;
	ck_assert_int_eq(verify(), CERTS_OK);
}
END_TEST

START_TEST(a_hello_without_a_name_is_refused)
{
	browser_shake_hands(key, certificate, &(struct browser_connection){.host = NULL}, &transcript);
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
}
END_TEST

// Each says the right name too; which of them a server goes by is its own affair.
START_TEST(more_than_one_name_is_refused)
{
	struct tls_transcript whole = transcript;
	uint8_t second[4 + 2 + 3 + sizeof good_host] = {0, 0};
	size_t host_bytes = strlen(good_host), count = 9 + host_bytes;
	second[3] = (uint8_t)(5 + host_bytes), second[5] = (uint8_t)(3 + host_bytes), second[8] = (uint8_t)host_bytes;
	memcpy(second + 9, good_host, host_bytes);
	// The extension twice.
	insert_extension(CLIENT_HELLO, second, count);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	// Two names in one, the right one first, and last.
	for (int last = 0; last < 2; last++) {
		transcript = whole;
		size_t place = extension_at(CLIENT_HELLO, 0);
		lengthen(CLIENT_HELLO, extensions_length_at(CLIENT_HELLO), 7);
		lengthen(CLIENT_HELLO, place + 2, 7);
		lengthen(CLIENT_HELLO, place + 4, 7);
		replace(CLIENT_HELLO, last ? place + 6 : place + 9 + host_bytes, 0, "\0\0\4evil", 7);
		ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	}
	// Of another type than a host's; with a byte behind the list; with one behind the name.
	for (int i = 0; i < 3; i++) {
		transcript = whole;
		size_t place = extension_at(CLIENT_HELLO, 0);
		if (i == 0) {
			put(CLIENT_HELLO, place + 6, "\1", 1);
		} else {
			lengthen(CLIENT_HELLO, extensions_length_at(CLIENT_HELLO), 1);
			lengthen(CLIENT_HELLO, place + 2, 1);
			if (i == 2)
				lengthen(CLIENT_HELLO, place + 4, 1);
			replace(CLIENT_HELLO, place + 9 + host_bytes, 0, "\0", 1);
		}
		ck_assert_msg(verify_signed() == CERTS_PROOF_FORM, "%d", i);
	}
}
END_TEST

START_TEST(hellos_that_are_not_of_their_form_are_refused)
{
	struct tls_transcript whole = transcript;
	for (unsigned message = CLIENT_HELLO; message <= SERVER_HELLO; message++) {
		size_t bytes, at = message_at(message, &bytes);
		(void)at;
		// A session id that is too long; extensions that end early, or late; a byte behind them.
		put(message, 38, "\x21", 1);
		ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
		for (int by = -1; by < 2; by += 2) {
			transcript = whole;
			lengthen(message, extensions_length_at(message), by);
			ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
		}
		transcript = whole;
		replace(message, bytes, 0, "\0", 1);
		ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
		transcript = whole;
		// An extension whose length leads behind the end.
		insert_extension(message, (const uint8_t[]){0xFA, 0xFA, 0xFF, 0xFF}, 4);
		ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
		transcript = whole;
	}
}
END_TEST

START_TEST(another_version_of_tls_is_refused)
{
	struct tls_transcript whole = transcript;
	put(SERVER_HELLO, extension_at(SERVER_HELLO, 43) + 4, "\3\3", 2);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	// As a ServerHello of 1.2 has it: no such extension.
	transcript = whole;
	put(SERVER_HELLO, extension_at(SERVER_HELLO, 43), "\xFA\xFA", 2);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	transcript = whole;
	insert_extension(SERVER_HELLO, (const uint8_t[]){0, 43, 0, 2, 3, 4}, 6);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
}
END_TEST

START_TEST(another_cipher_suite_is_refused)
{
	ck_assert_int_eq(shake((struct browser_connection){.suite = "TLS_AES_256_GCM_SHA384"}), CERTS_PROOF_FORM);
	static const uint8_t suites[][2] = {{0x13, 0x02}, {0x13, 0x04}, {0x13, 0x05}, {0xC0, 0x2B}, {0, 0}};
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
		browser_prove(key, certificate, HOST, challenge, &transcript);
		put(SERVER_HELLO, extensions_length_at(SERVER_HELLO) - 3, suites[i], 2);
		ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	}
}
END_TEST

START_TEST(a_retry_request_in_the_wrong_place_is_refused)
{
	ck_assert_int_eq(shake((struct browser_connection){.retried = true}), CERTS_OK);
	size_t hash_bytes, request_bytes;
	message_at(0, &hash_bytes);
	size_t request = message_at(1, &request_bytes);
	uint8_t retry[200];
	ck_assert_uint_le(request_bytes, sizeof retry);
	memcpy(retry, transcript.data + request, request_bytes);
	struct tls_transcript whole = transcript;
	// The hash without it; a hash of another length; the request alone; any ServerHello in its place.
	memmove(transcript.data + request, transcript.data + request + request_bytes, transcript.bytes - request - request_bytes);
	transcript.bytes -= request_bytes;
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	transcript = whole;
	replace(0, 4, 1, NULL, 0);
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	transcript = whole;
	memmove(transcript.data, transcript.data + hash_bytes, transcript.bytes - hash_bytes);
	transcript.bytes -= hash_bytes;
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	transcript = whole;
	transcript.data[request + 6] ^= 1;
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	// In the place of the ServerHello itself.
	browser_prove(key, certificate, HOST, challenge, &transcript);
	put(SERVER_HELLO, 6, retry + 6, 32);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
}
END_TEST

START_TEST(somebody_elses_certificate_is_refused)
{
	EVP_PKEY *other = browser_key_new(STAFF_KEY_P256), *curve = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	X509 *theirs = certify(other, "Other");
	browser_prove(other, theirs, HOST, challenge, &transcript);
	ck_assert_int_eq(verify(), CERTS_KEY_MISMATCH);
	// Their certificate, our signature; and the reverse.
	sign_by(key, 0x0403);
	ck_assert_int_eq(verify(), CERTS_KEY_MISMATCH);
	browser_prove(key, certificate, HOST, challenge, &transcript);
	sign_by(other, 0x0403);
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	X509_free(theirs);
	// Of a kind that nobody has.
	theirs = certify(curve, "Other");
	uint8_t *der = NULL;
	int bytes = i2d_X509(theirs, &der);
	uint8_t message[2000] = {0, 0, (uint8_t)((bytes + 5) >> 8), (uint8_t)(bytes + 5), 0, (uint8_t)(bytes >> 8), (uint8_t)bytes};
	memcpy(message + 7, der, (size_t)bytes);
	size_t old_bytes;
	message_at(CERTIFICATE, &old_bytes);
	replace(CERTIFICATE, 4, old_bytes - 4, message, (size_t)bytes + 9);
	ck_assert_int_eq(verify_signed(), CERTS_KEY_MISMATCH);
	OPENSSL_free(der);
	X509_free(theirs);
	EVP_PKEY_free(other);
	EVP_PKEY_free(curve);
}
END_TEST

START_TEST(certificate_messages_that_are_not_of_their_form_are_refused)
{
	struct tls_transcript whole = transcript;
	size_t bytes;
	message_at(CERTIFICATE, &bytes);
	static const uint8_t empty[] = {0, 0, 0, 0};
	// A context, as only a later request has; no certificate; one of no bytes; a list that ends early; a byte behind it.
	replace(CERTIFICATE, 4, 1, "\1\7", 2);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	transcript = whole;
	replace(CERTIFICATE, 4, bytes - 4, empty, 4);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	transcript = whole;
	replace(CERTIFICATE, 4, bytes - 4, (const uint8_t[]){0, 0, 0, 5, 0, 0, 0, 0, 0}, 9);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	transcript = whole;
	lengthen(CERTIFICATE, 6, -1);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	transcript = whole;
	replace(CERTIFICATE, bytes, 0, "\0", 1);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	transcript = whole;
	// A second entry that is none; a certificate that is none.
	lengthen(CERTIFICATE, 6, 3);
	replace(CERTIFICATE, bytes, 0, "\0\0\1", 3);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
	transcript = whole;
	put(CERTIFICATE, 11, "\x31", 1);
	ck_assert_int_eq(verify_signed(), CERTS_PROOF_FORM);
}
END_TEST

START_TEST(another_scheme_than_the_keys_is_refused)
{
	static const uint8_t schemes[][2] = {{4, 1}, {5, 3}, {8, 4}, {8, 7}, {8, 9}, {2, 3}, {0, 0}};
	struct tls_transcript whole = transcript;
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		put(VERIFY, 4, schemes[i], 2);
		ck_assert_int_eq(verify(), CERTS_WRONG_KEY_TYPE);
		transcript = whole;
	}
	// RSA signed by the older padding, under its own name and under the other's.
	end();
	begin(STAFF_KEY_RSA);
	browser_prove(key, certificate, HOST, challenge, &transcript);
	sign_by(key, 0x0401);
	ck_assert_int_eq(verify(), CERTS_WRONG_KEY_TYPE);
	put(VERIFY, 4, "\x08\x04", 2);
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	sign_by(key, 0x0804);
	ck_assert_int_eq(verify(), CERTS_OK);
}
END_TEST

START_TEST(a_signature_message_that_is_not_of_its_form_is_refused)
{
	size_t bytes;
	struct tls_transcript whole = transcript;
	message_at(VERIFY, &bytes);
	replace(VERIFY, bytes, 0, "\0", 1);
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	lengthen(VERIFY, 6, 1); // now it is the signature that has a byte behind it
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
	transcript = whole;
	lengthen(VERIFY, 6, 1);
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	transcript = whole;
	replace(VERIFY, 4, bytes - 4, "\4", 1);
	ck_assert_int_eq(verify(), CERTS_PROOF_FORM);
	transcript = whole;
	replace(VERIFY, 4, bytes - 4, "\4\3\0\0", 4);
	ck_assert_int_eq(verify(), CERTS_SIGNATURE);
}
END_TEST

// ------------------------------------------------------------------ collecting

START_TEST(a_transcript_takes_whole_messages_until_it_is_complete)
{
	static struct tls_transcript collected;
	static const uint8_t finished[36] = {20, 0, 0, 32};
	static uint8_t large[TLS_TRANSCRIPT_BYTES_MAX] = {8, 0, 0x3F, 0xFC};
	ck_assert(!tls_transcript_add(&collected, finished, 35) && !tls_transcript_add(&collected, finished, 3) &&
		  !tls_transcript_add(&collected, finished, 0));
	ck_assert(!tls_transcript_add(&collected, large, 37));
	ck_assert_uint_eq(collected.bytes, 0);
	ck_assert(tls_transcript_add(&collected, large, sizeof large));
	ck_assert(!tls_transcript_add(&collected, finished, sizeof finished));
	ck_assert_uint_eq(collected.bytes, TLS_TRANSCRIPT_BYTES_MAX);
	ck_assert(tls_transcript_is_complete(&transcript) && !tls_transcript_is_complete(&collected));
	ck_assert(!tls_transcript_add(&transcript, finished, sizeof finished));
}
END_TEST

START_TEST(a_label_is_base32_in_lower_case)
{
	char label[BROWSER_CHALLENGE_LABEL_BYTES];
	uint8_t bytes[BROWSER_CHALLENGE_BYTES] = "foobar"; // RFC 4648, section 10: MZXW6YTBOI
	browser_challenge_label(bytes, label);
	ck_assert_str_eq(label, "mzxw6ytboiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	memset(bytes, 0xFF, sizeof bytes);
	browser_challenge_label(bytes, label);
	ck_assert_str_eq(label, "777777777777777777777777777777777777777777777777777q");
}
END_TEST

START_TEST(a_web_host_is_a_name_in_lower_case)
{
	static const char *const good[] = {"localhost", "cpis.rxh.nhs.uk", "a-1.b2", "xn--caf-dma.example", "1.a"};
	static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "A", "a_b", "a b", "a:1", "192.0.2.1", "a.1", "a/b", "*.a",
					  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "caf\xC3\xA9"};
	char longest[WEB_HOST_BYTES_MAX + 2];
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(web_host_is_good(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!web_host_is_good(bad[i]), "%s", bad[i]);
	for (size_t i = 0; i < sizeof longest - 1; i++)
		longest[i] = i % 2 == 0 ? 'a' : '.';
	longest[sizeof longest - 1] = '\0'; // 191 bytes, well-formed but for that
	ck_assert(!web_host_is_good(longest));
	ck_assert(web_host_is_good(longest + 2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_handshake");
	TCase *tests = tcase_create("tls_handshake");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, end);
	tcase_add_test(tests, a_handshake_of_each_kind_of_key_holds);
	tcase_add_test(tests, a_handshake_that_a_browser_made_holds);
	tcase_add_test(tests, a_handshake_that_was_signed_again_holds);
	tcase_add_test(tests, the_longest_web_host_holds);
	tcase_add_test(tests, every_altered_byte_is_refused);
	tcase_add_test(tests, every_shorter_and_every_longer_transcript_is_refused);
	tcase_add_test(tests, a_message_less_or_in_another_place_is_refused);
	tcase_add_test(tests, another_host_is_refused);
	tcase_add_test(tests, another_label_is_refused);
	tcase_add_test(tests, a_hello_without_a_name_is_refused);
	tcase_add_test(tests, more_than_one_name_is_refused);
	tcase_add_test(tests, hellos_that_are_not_of_their_form_are_refused);
	tcase_add_test(tests, another_version_of_tls_is_refused);
	tcase_add_test(tests, another_cipher_suite_is_refused);
	tcase_add_test(tests, a_retry_request_in_the_wrong_place_is_refused);
	tcase_add_test(tests, somebody_elses_certificate_is_refused);
	tcase_add_test(tests, certificate_messages_that_are_not_of_their_form_are_refused);
	tcase_add_test(tests, another_scheme_than_the_keys_is_refused);
	tcase_add_test(tests, a_signature_message_that_is_not_of_its_form_is_refused);
	tcase_add_test(tests, a_transcript_takes_whole_messages_until_it_is_complete);
	tcase_add_test(tests, a_label_is_base32_in_lower_case);
	tcase_add_test(tests, a_web_host_is_a_name_in_lower_case);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
