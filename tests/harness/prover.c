// Proofs of tests/harness/browser.h as messages.
#include "tests/harness/prover.h"

#include <stdio.h>
#include <string.h>

// Of files that no two provers of a test share.
static void name_file(char out[32])
{
	static unsigned number;
	snprintf(out, 32, "prover-%u", ++number);
}

static void take(struct prover *prover, const char *web_host, const struct authority_paths *paths)
{
	snprintf(prover->certificate_file, sizeof prover->certificate_file, "%.150s", paths->certificate);
	snprintf(prover->web_host, sizeof prover->web_host, "%s", web_host);
	prover->certificate = browser_certificate_load(paths->certificate);
}

void prover_init_passkey(struct prover *prover, const char *directory, const char *authority, const char *uid, const char *name,
			 const char *web_host, uint64_t now_ms)
{
	struct authority_paths paths;
	char where[160], file[32];
	*prover = (struct prover){.key = browser_key_new(STAFF_KEY_P256)};
	name_file(file);
	snprintf(where, sizeof where, "%.120s/%.30s", directory, authority);
	browser_certify_passkey(where, uid, name, prover->key, "Y3JlZGVudGlhbA", directory, file, now_ms, &paths);
	take(prover, web_host, &paths);
}

void prover_init_certificate(struct prover *prover, const char *directory, const char *authority, const char *uid, const char *name,
			     enum staff_key_kind kind, const char *web_host, uint64_t now_ms)
{
	struct authority_paths paths;
	char where[160], file[32];
	*prover = (struct prover){.by_handshake = true};
	name_file(file);
	snprintf(where, sizeof where, "%.120s/%.30s", directory, authority);
	browser_certify(where, uid, name, kind, directory, file, now_ms, &paths);
	prover->key = browser_key_load(paths.key);
	take(prover, web_host, &paths);
}

void prover_done(struct prover *prover)
{
	X509_free(prover->certificate);
	EVP_PKEY_free(prover->key);
}

static ProtobufCBinaryData borrowed(const void *data, size_t bytes)
{
	return (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)data};
}

static void prove_by_handshake(struct prover *prover, const uint8_t challenge[BROWSER_CHALLENGE_BYTES])
{
	browser_prove(prover->key, prover->certificate, prover->web_host, challenge, &prover->transcript);
	cpis__v1__tls_handshake__init(&prover->handshake);
	prover->handshake.transcript = borrowed(prover->transcript.data, prover->transcript.bytes);
	prover->proof.kind_case = CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE;
	prover->proof.handshake = &prover->handshake;
}

static void prove_by_passkey(struct prover *prover, const uint8_t challenge[BROWSER_CHALLENGE_BYTES])
{
	struct browser_assertion *assertion = &prover->assertion;
	browser_assert(prover->key, prover->web_host, challenge, assertion);
	cpis__v1__passkey_assertion__init(&prover->passkey);
	prover->passkey.authenticator_data = borrowed(assertion->authenticator_data, assertion->authenticator_data_bytes);
	prover->passkey.client_data_json = borrowed(assertion->client_data_json, strlen(assertion->client_data_json));
	prover->passkey.signature = borrowed(assertion->signature, assertion->signature_bytes);
	prover->proof.kind_case = CPIS__V1__BROWSER_PROOF__KIND_PASSKEY;
	prover->proof.passkey = &prover->passkey;
}

const Cpis__V1__BrowserProof *prover_prove(void *context, const uint8_t challenge[BROWSER_CHALLENGE_BYTES])
{
	struct prover *prover = context;
	cpis__v1__browser_proof__init(&prover->proof);
	memcpy(prover->challenge, challenge, sizeof prover->challenge);
	if (prover->by_handshake)
		prove_by_handshake(prover, challenge);
	else
		prove_by_passkey(prover, challenge);
	if (prover->spoil != NULL)
		prover->spoil(prover);
	return &prover->proof;
}
