// Checking that a TLS 1.3 handshake was made by the owner of a key, with one host.
#include "certs/tls_handshake.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/certificate_priv.h"
#include "certs/staff_key_priv.h"
#include "certs/tls_message_priv.h"
#include "certs/tls_transcript.h"

#define TLS_1_3 0x0304u
#define EXTENSION_SERVER_NAME 0u
#define EXTENSION_SUPPORTED_VERSIONS 43u
#define AES_128_GCM_SHA256 0x1301u
#define CHACHA20_POLY1305_SHA256 0x1303u
#define HASH_BYTES 32
// Section 4.4.3: what is signed begins with these.
#define PAD_BYTES 64
#define CONTEXT "TLS 1.3, client CertificateVerify" // and its NUL
#define SIGNED_BYTES (PAD_BYTES + sizeof CONTEXT + HASH_BYTES)

// What of a handshake is looked at.
struct handshake {
	struct tls_bytes client_hello, server_hello, certificate, certificate_verify; // bodies
	size_t signed_bytes; // of the transcript, before the client's CertificateVerify
};

static bool expect(struct tls_bytes *from, enum tls_message_type type, struct tls_bytes *ret_body)
{
	uint8_t read;
	return tls_take_message(from, &read, ret_body) && read == (uint8_t)type;
}

// The messages, one by one. After a hash has to come what asked for another ClientHello.
static bool read_handshake(const uint8_t *transcript, size_t bytes, struct handshake *ret)
{
	struct tls_bytes left = {transcript, bytes}, body;
	if (bytes > 0 && transcript[0] == TLS_MESSAGE_HASH &&
	    !(expect(&left, TLS_MESSAGE_HASH, &body) && body.left == HASH_BYTES && expect(&left, TLS_SERVER_HELLO, &body) &&
	      tls_is_retry_request(body)))
		return false;
	if (!expect(&left, TLS_CLIENT_HELLO, &ret->client_hello) || !expect(&left, TLS_SERVER_HELLO, &ret->server_hello) ||
	    !expect(&left, TLS_ENCRYPTED_EXTENSIONS, &body) || !expect(&left, TLS_CERTIFICATE_REQUEST, &body) ||
	    !expect(&left, TLS_CERTIFICATE, &body) || !expect(&left, TLS_CERTIFICATE_VERIFY, &body) ||
	    !expect(&left, TLS_FINISHED, &body) || !expect(&left, TLS_CERTIFICATE, &ret->certificate))
		return false;
	ret->signed_bytes = bytes - left.left;
	return expect(&left, TLS_CERTIFICATE_VERIFY, &ret->certificate_verify) && left.left == 0;
}

// Both hellos (4.1.2, 4.1.3) begin alike; `hello` is left behind the session id.
static bool take_beginning(struct tls_bytes *hello)
{
	struct tls_bytes version_and_random, session;
	return tls_take(hello, 2 + 32, &version_and_random) && tls_take_vector(hello, 1, &session) && session.left <= 32;
}

// The only extension of this type, out of the block that a hello ends with (4.2).
static bool find_extension(struct tls_bytes *hello, uint32_t wanted, struct tls_bytes *ret)
{
	struct tls_bytes extensions, data;
	uint32_t type;
	unsigned found = 0;
	if (!tls_take_vector(hello, 2, &extensions) || hello->left != 0)
		return false;
	while (extensions.left > 0) {
		if (!tls_take_number(&extensions, 2, &type) || !tls_take_vector(&extensions, 2, &data))
			return false;
		if (type == wanted) {
			*ret = data;
			found++;
		}
	}
	return found == 1;
}

// The one name (RFC 6066, section 3).
static bool read_server_name(struct tls_bytes hello, struct tls_bytes *ret)
{
	struct tls_bytes suites, compression, extension, names;
	uint32_t name_type;
	return take_beginning(&hello) && tls_take_vector(&hello, 2, &suites) && tls_take_vector(&hello, 1, &compression) &&
	       find_extension(&hello, EXTENSION_SERVER_NAME, &extension) && tls_take_vector(&extension, 2, &names) &&
	       extension.left == 0 && tls_take_number(&names, 1, &name_type) && name_type == 0 && tls_take_vector(&names, 2, ret) &&
	       names.left == 0;
}

// TLS 1.3 with a cipher suite of SHA-256.
static bool is_expected_server_hello(struct tls_bytes hello)
{
	struct tls_bytes extension;
	uint32_t suite, compression, version;
	return !tls_is_retry_request(hello) && take_beginning(&hello) && tls_take_number(&hello, 2, &suite) &&
	       (suite == AES_128_GCM_SHA256 || suite == CHACHA20_POLY1305_SHA256) && tls_take_number(&hello, 1, &compression) &&
	       find_extension(&hello, EXTENSION_SUPPORTED_VERSIONS, &extension) && tls_take_number(&extension, 2, &version) &&
	       version == TLS_1_3 && extension.left == 0;
}

static enum certs_status check_host(struct tls_bytes name, const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES])
{
	char label[BROWSER_CHALLENGE_LABEL_BYTES];
	size_t label_bytes = sizeof label - 1, host_bytes = strlen(web_host);
	browser_challenge_label(challenge, label);
	if (name.left != label_bytes + 1 + host_bytes || name.at[label_bytes] != '.' ||
	    memcmp(name.at + label_bytes + 1, web_host, host_bytes) != 0)
		return CERTS_PROOF_ORIGIN;
	return memcmp(name.at, label, label_bytes) == 0 ? CERTS_OK : CERTS_PROOF_CHALLENGE;
}

// The first certificate of the message (4.4.2), which is the client's own; the others only have to be well-formed as entries.
static bool read_leaf(struct tls_bytes message, struct tls_bytes *ret)
{
	struct tls_bytes context, list, certificate, extensions;
	if (!tls_take_vector(&message, 1, &context) || context.left != 0 || !tls_take_vector(&message, 3, &list) || message.left != 0 ||
	    list.left == 0)
		return false;
	for (unsigned i = 0; list.left > 0; i++) {
		if (!tls_take_vector(&list, 3, &certificate) || !tls_take_vector(&list, 2, &extensions))
			return false;
		if (i == 0)
			*ret = certificate;
	}
	return true;
}

static enum certs_status check_leaf(const struct staff_key *key, struct tls_bytes message)
{
	struct tls_bytes leaf;
	struct staff_key read;
	X509 *certificate = NULL;
	if (!read_leaf(message, &leaf))
		return CERTS_PROOF_FORM;
	// Again if it was for want of memory.
	if (certificate_from_der(leaf.at, leaf.left, &certificate) != CERTS_OK &&
	    certificate_from_der(leaf.at, leaf.left, &certificate) != CERTS_OK) {
		ERR_clear_error();
		return CERTS_PROOF_FORM;
	}
	const EVP_PKEY *public_half = X509_get0_pubkey(certificate);
	bool same = public_half != NULL && staff_key_from_evp(public_half, &read) == CERTS_OK && staff_key_equal(&read, key);
	X509_free(certificate);
	ERR_clear_error();
	return same ? CERTS_OK : CERTS_KEY_MISMATCH;
}

// Section 4.2.3, those of staff's keys.
static bool find_scheme(uint32_t code, enum staff_signature *ret)
{
	switch (code) {
	case 0x0403: // ecdsa_secp256r1_sha256
		*ret = STAFF_SIGNATURE_ECDSA_SHA256;
		return true;
	case 0x0804: // rsa_pss_rsae_sha256
		*ret = STAFF_SIGNATURE_RSA_PSS_SHA256;
		return true;
	case 0x0807: // ed25519
		*ret = STAFF_SIGNATURE_ED25519;
		return true;
	default:
		return false;
	}
}

static enum certs_status check_signature(const struct staff_key *key, const uint8_t *transcript, const struct handshake *handshake)
{
	struct tls_bytes message = handshake->certificate_verify, signature;
	uint32_t code;
	enum staff_signature scheme;
	uint8_t text[SIGNED_BYTES], hash[EVP_MAX_MD_SIZE];
	if (!tls_take_number(&message, 2, &code) || !tls_take_vector(&message, 2, &signature) || message.left != 0)
		return CERTS_PROOF_FORM;
	if (!find_scheme(code, &scheme))
		return CERTS_WRONG_KEY_TYPE;
	if (EVP_Digest(transcript, handshake->signed_bytes, hash, NULL, EVP_sha256(), NULL) != 1)
		return CERTS_LIBRARY;
	memset(text, ' ', PAD_BYTES);
	memcpy(text + PAD_BYTES, CONTEXT, sizeof CONTEXT);
	memcpy(text + PAD_BYTES + sizeof CONTEXT, hash, HASH_BYTES);
	return staff_key_verify(key, scheme, text, sizeof text, signature.at, signature.left);
}

enum certs_status tls_handshake_verify(const struct staff_key *key, const uint8_t *transcript, size_t transcript_bytes,
				       const char *web_host, const uint8_t challenge[BROWSER_CHALLENGE_BYTES])
{
	struct handshake handshake;
	struct tls_bytes name;
	if (web_host[0] == '\0')
		return CERTS_PROOF_ORIGIN;
	if (transcript_bytes > TLS_TRANSCRIPT_BYTES_MAX || !read_handshake(transcript, transcript_bytes, &handshake) ||
	    !read_server_name(handshake.client_hello, &name) || !is_expected_server_hello(handshake.server_hello))
		return CERTS_PROOF_FORM;
	enum certs_status status = check_host(name, web_host, challenge);
	if (status == CERTS_OK)
		status = check_leaf(key, handshake.certificate);
	if (status == CERTS_OK)
		status = check_signature(key, transcript, &handshake);
	return status;
}
