// A browser's keys, passkey assertions and handshakes.
#include "tests/harness/browser.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "certs/public_key.h"
#include "certs/request.h"
#include "certs/staff_key_priv.h"

// ------------------------------------------------------------------ keys and certificates

EVP_PKEY *browser_key_new(enum staff_key_kind kind)
{
	EVP_PKEY *key = kind == STAFF_KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
			: kind == STAFF_KEY_P256  ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
						  : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	ck_assert_ptr_nonnull(key);
	return key;
}

EVP_PKEY *browser_key_load(const char *path)
{
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s", path);
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_msg(key != NULL, "%s", path);
	return key;
}

X509 *browser_certificate_load(const char *path)
{
	FILE *file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s", path);
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_msg(certificate != NULL, "%s", path);
	return certificate;
}

struct staff_key browser_staff_key(const EVP_PKEY *key)
{
	struct staff_key staff;
	ck_assert_int_eq(staff_key_from_evp(key, &staff), CERTS_OK);
	return staff;
}

static void certify(const char *authority, struct authority_request request, const char *out, const char *file, uint64_t now_ms,
		    struct authority_paths *ret)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	request.kind = CERTIFICATE_STAFF;
	ck_assert_msg(authority_issue_requested(authority, &request, out, file, 365, now_ms, ret, detail) == CERTS_OK, "%s", detail);
}

void browser_certify(const char *authority, const char *uid, const char *name, enum staff_key_kind kind, const char *out, const char *file,
		     uint64_t now_ms, struct authority_paths *ret)
{
	struct request_files files;
	char detail[CERTS_DETAIL_BYTES] = "";
	ck_assert_msg(request_make_browser(uid, name, kind, out, file, &files, detail) == CERTS_OK, "%s", detail);
	certify(authority, (struct authority_request){.file = files.request, .fingerprint = files.fingerprint}, out, file, now_ms, ret);
	memcpy(ret->key, files.key, sizeof ret->key);
}

static void base64url(const uint8_t *bytes, size_t count, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, bytes, (int)count);
	for (char *c = out; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
}

void browser_save_passkey(const EVP_PKEY *key, const char *uid, const char *name, const char *credential, const char *path,
			  char ret_fingerprint[25])
{
	struct staff_key staff = browser_staff_key(key);
	char text[700];
	ck_assert_int_ne(staff.kind, STAFF_KEY_ED25519); // whose bytes are not the DER
	base64url(staff.bytes, staff.size, text);
	FILE *file = fopen(path, "we");
	ck_assert_msg(file != NULL, "%s", path);
	fprintf(file, "cpis-passkey-request-v1\nuid: %s\nname: %s\ncredential: %s\nkey: %s\n", uid, name, credential, text);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert(public_key_staff_fingerprint(&staff, ret_fingerprint));
}

void browser_certify_passkey(const char *authority, const char *uid, const char *name, const EVP_PKEY *key, const char *credential,
			     const char *out, const char *file, uint64_t now_ms, struct authority_paths *ret)
{
	char path[400], fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	snprintf(path, sizeof path, "%s/%s.passkey", out, file);
	browser_save_passkey(key, uid, name, credential, path, fingerprint);
	certify(authority, (struct authority_request){.file = path, .fingerprint = fingerprint, .passkey = true}, out, file, now_ms, ret);
}

// ------------------------------------------------------------------ passkeys

void browser_assertion_sign(EVP_PKEY *key, struct browser_assertion *assertion)
{
	uint8_t message[PASSKEY_AUTHENTICATOR_DATA_BYTES_MAX + 1 + EVP_MAX_MD_SIZE];
	size_t bytes = assertion->authenticator_data_bytes;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *digest = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
	memcpy(message, assertion->authenticator_data, bytes);
	ck_assert_int_eq(EVP_Digest(assertion->client_data_json, strlen(assertion->client_data_json), message + bytes, NULL, EVP_sha256(),
				    NULL), 1);
	assertion->signature_bytes = sizeof assertion->signature;
	ck_assert_int_eq(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
	ck_assert_int_eq(EVP_DigestSign(context, assertion->signature, &assertion->signature_bytes, message, bytes + 32), 1);
	EVP_MD_CTX_free(context);
}

void browser_assert(EVP_PKEY *key, const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES], struct browser_assertion *ret)
{
	char text[64];
	*ret = (struct browser_assertion){.authenticator_data_bytes = 37};
	ck_assert_int_eq(EVP_Digest(web_host, strlen(web_host), ret->authenticator_data, NULL, EVP_sha256(), NULL), 1);
	ret->authenticator_data[32] = 0x1D; // present, verified; may be and is in several devices
	base64url(challenge, BROWSER_CHALLENGE_BYTES, text);
	snprintf(ret->client_data_json, sizeof ret->client_data_json,
		 "{\"type\":\"webauthn.get\",\"challenge\":\"%s\",\"origin\":\"https://%s\",\"crossOrigin\":false}", text, web_host);
	browser_assertion_sign(key, ret);
}

struct passkey_assertion browser_assertion_of(const struct browser_assertion *assertion)
{
	return (struct passkey_assertion){assertion->authenticator_data,       (const uint8_t *)assertion->client_data_json,
					  assertion->signature,                assertion->authenticator_data_bytes,
					  strlen(assertion->client_data_json), assertion->signature_bytes};
}

// ------------------------------------------------------------------ handshakes

struct collected {
	struct tls_transcript *transcript;
	bool overflowed;
};

static void collect(int written, int version, int content_type, const void *data, size_t bytes, SSL *ssl, void *context)
{
	struct collected *collected = context;
	(void)written, (void)version, (void)ssl;
	if (content_type == SSL3_RT_HANDSHAKE && !tls_transcript_is_complete(collected->transcript))
		collected->overflowed = !tls_transcript_add(collected->transcript, data, bytes) || collected->overflowed;
}

// Whom the certificate is from is not the server's question: the broker looks.
static int take_any(int good, X509_STORE_CTX *context)
{
	(void)good, (void)context;
	return 1;
}

static void add_comment(X509 *certificate, size_t bytes)
{
	ASN1_IA5STRING *comment = ASN1_IA5STRING_new();
	char *text = malloc(bytes);
	ck_assert(comment != NULL && text != NULL);
	memset(text, 'x', bytes);
	ck_assert(ASN1_STRING_set(comment, text, (int)bytes) == 1 &&
		  X509_add1_ext_i2d(certificate, NID_netscape_comment, comment, 0, X509V3_ADD_DEFAULT) == 1);
	ASN1_IA5STRING_free(comment);
	free(text);
}

static X509 *self_signed(EVP_PKEY *key, size_t comment_bytes)
{
	X509 *certificate = X509_new();
	ck_assert_ptr_nonnull(certificate);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, (const unsigned char *)"gateway", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_set_pubkey(certificate, key);
	if (comment_bytes > 0)
		add_comment(certificate, comment_bytes);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	return certificate;
}

static SSL_CTX *server_context(size_t comment_bytes)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = browser_key_new(STAFF_KEY_P256);
	X509 *certificate = self_signed(key, comment_bytes);
	ck_assert(context != NULL && SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, take_any);
	SSL_CTX_set_num_tickets(context, 0);
	ck_assert_int_eq(SSL_CTX_set1_client_sigalgs_list(context, "ECDSA+SHA256:RSA-PSS+SHA256:ed25519"), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

static SSL_CTX *client_context(EVP_PKEY *key, X509 *certificate, bool with_authority)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	ck_assert(context != NULL && SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1);
	if (with_authority)
		ck_assert_int_eq(SSL_CTX_add1_chain_cert(context, certificate), 1);
	return context;
}

// False: more was said than a transcript holds.
static bool shake(EVP_PKEY *key, X509 *certificate, const struct browser_connection *connection, struct tls_transcript *ret)
{
	SSL_CTX *contexts[2] = {client_context(key, certificate, connection->with_authority), server_context(connection->comment_bytes)};
	struct collected collected = {.transcript = ret};
	SSL *client = SSL_new(contexts[0]), *server = SSL_new(contexts[1]);
	BIO *near = NULL, *far = NULL;
	*ret = (struct tls_transcript){0};
	ck_assert(client != NULL && server != NULL && BIO_new_bio_pair(&near, 0, &far, 0) == 1);
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	ck_assert_int_eq(SSL_set_min_proto_version(client, TLS1_3_VERSION), 1);
	ck_assert_int_eq(SSL_set_ciphersuites(client, connection->suite == NULL ? "TLS_AES_128_GCM_SHA256" : connection->suite), 1);
	ck_assert(connection->host == NULL || SSL_set_tlsext_host_name(client, connection->host) == 1);
	// The client's key share is of its first group.
	ck_assert_int_eq(SSL_set1_groups_list(client, "X25519:P-256"), 1);
	ck_assert_int_eq(SSL_set1_groups_list(server, connection->retried ? "P-256" : "X25519:P-256"), 1);
	SSL_set_msg_callback(server, collect);
	SSL_set_msg_callback_arg(server, &collected);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server)); i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	ck_assert(SSL_is_init_finished(server) && (collected.overflowed || tls_transcript_is_complete(ret)));
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(contexts[0]);
	SSL_CTX_free(contexts[1]);
	return !collected.overflowed;
}

void browser_shake_hands(EVP_PKEY *key, X509 *certificate, const struct browser_connection *connection, struct tls_transcript *ret)
{
	ck_assert(shake(key, certificate, connection, ret));
}

#define PROOF_HOST_BYTES (BROWSER_CHALLENGE_LABEL_BYTES + 1 + WEB_HOST_BYTES_MAX)

static void name_host(const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES], char out[PROOF_HOST_BYTES])
{
	char label[BROWSER_CHALLENGE_LABEL_BYTES];
	browser_challenge_label(challenge, label);
	snprintf(out, PROOF_HOST_BYTES, "%s.%.190s", label, web_host);
}

void browser_prove_long(EVP_PKEY *key, X509 *certificate, const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES],
			size_t bytes, struct tls_transcript *ret)
{
	char host[PROOF_HOST_BYTES];
	struct browser_connection connection = {.host = host};
	name_host(web_host, challenge, host);
	ck_assert(shake(key, certificate, &connection, ret) && ret->bytes < bytes);
	connection.comment_bytes = bytes - ret->bytes - 64;
	// ECDSA's signatures are a few bytes longer or shorter each time.
	for (unsigned tries = 0; tries < 1000; tries++) {
		if (!shake(key, certificate, &connection, ret))
			connection.comment_bytes--;
		else if (ret->bytes == bytes)
			return;
		else
			connection.comment_bytes += bytes - ret->bytes; // may be less than nothing, and wraps
	}
	ck_abort_msg("no handshake of %zu bytes", bytes);
}

void browser_prove(EVP_PKEY *key, X509 *certificate, const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES],
		   struct tls_transcript *ret)
{
	char host[PROOF_HOST_BYTES];
	name_host(web_host, challenge, host);
	browser_shake_hands(key, certificate, &(struct browser_connection){.host = host}, ret);
}
