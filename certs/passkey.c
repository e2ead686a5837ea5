// Checking a passkey's assertion.
#include "certs/passkey.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "certs/staff_key_priv.h"

// Authenticator data (section 6.1).
#define HOST_HASH_BYTES 32
#define FLAGS_AT HOST_HASH_BYTES
#define BARE_BYTES 37 // and four of the counter
#define FLAG_USER_PRESENT 0x01u
#define FLAG_USER_VERIFIED 0x04u
#define FLAG_CREDENTIAL_DATA 0x40u // only where a passkey is made
#define FLAG_EXTENSIONS 0x80u

struct text {
	const uint8_t *at;
	size_t bytes;
};

static bool take(struct text *from, const char *expected)
{
	size_t bytes = strlen(expected);
	if (from->bytes < bytes || memcmp(from->at, expected, bytes) != 0)
		return false;
	*from = (struct text){from->at + bytes, from->bytes - bytes};
	return true;
}

// As a browser writes it: 1 to 65535, without a leading zero.
static bool take_port(struct text *from)
{
	unsigned port = 0;
	size_t digits = 0;
	for (; digits < 5 && digits < from->bytes && from->at[digits] >= '0' && from->at[digits] <= '9'; digits++)
		port = port * 10 + (unsigned)(from->at[digits] - '0');
	if (digits == 0 || from->at[0] == '0' || port > 65535)
		return false;
	*from = (struct text){from->at + digits, from->bytes - digits};
	return true;
}

// RFC 4648, section 5; 32 bytes are 43 characters without the padding.
static void base64url(const uint8_t challenge[BROWSER_CHALLENGE_BYTES], char out[48])
{
	EVP_EncodeBlock((unsigned char *)out, challenge, BROWSER_CHALLENGE_BYTES);
	for (char *c = out; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
}

// Section 5.8.1.3. What the origin may have behind the host, a port, is not ours to know.
static enum certs_status check_client_data(const struct passkey_assertion *assertion, const char *web_host,
					   const uint8_t challenge[BROWSER_CHALLENGE_BYTES])
{
	char expected[48];
	struct text left = {assertion->client_data_json, assertion->client_data_json_bytes};
	if (left.bytes > PASSKEY_CLIENT_DATA_BYTES_MAX || !take(&left, "{\"type\":\"webauthn.get\",\"challenge\":\""))
		return CERTS_PROOF_FORM;
	base64url(challenge, expected);
	if (!take(&left, expected))
		return CERTS_PROOF_CHALLENGE;
	if (!take(&left, "\",\"origin\":\""))
		return CERTS_PROOF_FORM;
	if (!take(&left, "https://") || !take(&left, web_host) || (take(&left, ":") && !take_port(&left)) || !take(&left, "\""))
		return CERTS_PROOF_ORIGIN;
	// In a frame of another page nobody sees whose page they are on.
	if (!take(&left, ",\"crossOrigin\":false"))
		return CERTS_PROOF_FORM;
	return (left.bytes == 1 && left.at[0] == '}') || (left.bytes > 1 && left.at[0] == ',') ? CERTS_OK : CERTS_PROOF_FORM;
}

static enum certs_status check_authenticator_data(const struct passkey_assertion *assertion, const char *web_host)
{
	const uint8_t *data = assertion->authenticator_data;
	size_t bytes = assertion->authenticator_data_bytes;
	uint8_t host_hash[EVP_MAX_MD_SIZE];
	if (bytes < BARE_BYTES || bytes > PASSKEY_AUTHENTICATOR_DATA_BYTES_MAX)
		return CERTS_PROOF_FORM;
	uint8_t flags = data[FLAGS_AT];
	if ((flags & FLAG_CREDENTIAL_DATA) != 0 || ((flags & FLAG_EXTENSIONS) != 0) != (bytes > BARE_BYTES))
		return CERTS_PROOF_FORM;
	if (EVP_Digest(web_host, strlen(web_host), host_hash, NULL, EVP_sha256(), NULL) != 1)
		return CERTS_LIBRARY;
	if (memcmp(data, host_hash, HOST_HASH_BYTES) != 0)
		return CERTS_PROOF_ORIGIN;
	return (flags & FLAG_USER_PRESENT) != 0 && (flags & FLAG_USER_VERIFIED) != 0 ? CERTS_OK : CERTS_PROOF_PRESENCE;
}

// Section 7.2, steps 19 and 20: over the authenticator data and the client data's hash.
static enum certs_status check_signature(const struct staff_key *key, const struct passkey_assertion *assertion)
{
	uint8_t message[PASSKEY_AUTHENTICATOR_DATA_BYTES_MAX + EVP_MAX_MD_SIZE];
	size_t bytes = assertion->authenticator_data_bytes;
	memcpy(message, assertion->authenticator_data, bytes);
	if (EVP_Digest(assertion->client_data_json, assertion->client_data_json_bytes, message + bytes, NULL, EVP_sha256(), NULL) != 1)
		return CERTS_LIBRARY;
	return staff_key_verify(key, key->kind == STAFF_KEY_P256 ? STAFF_SIGNATURE_ECDSA_SHA256 : STAFF_SIGNATURE_RSA_PKCS1_SHA256,
				message, bytes + 32, assertion->signature, assertion->signature_bytes);
}

enum certs_status passkey_verify(const struct staff_key *key, const struct passkey_assertion *assertion, const char *web_host,
				 const uint8_t challenge[BROWSER_CHALLENGE_BYTES])
{
	if (web_host[0] == '\0')
		return CERTS_PROOF_ORIGIN;
	if (assertion->signature_bytes == 0 || assertion->signature_bytes > PASSKEY_SIGNATURE_BYTES_MAX)
		return CERTS_PROOF_FORM;
	enum certs_status status = check_client_data(assertion, web_host, challenge);
	if (status == CERTS_OK)
		status = check_authenticator_data(assertion, web_host);
	if (status == CERTS_OK)
		status = check_signature(key, assertion);
	return status;
}
