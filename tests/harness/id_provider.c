// A test's own OpenID provider.
#include "tests/harness/id_provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/openssl.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "id_provider: %s\n", what);
	abort();
}

void id_provider_init(struct id_provider *provider, const char *directory)
{
	snprintf(provider->directory, sizeof provider->directory, "%s", directory);
	must(mkdir(directory, 0700) == 0, "the directory cannot be made");
}

void id_provider_done(struct id_provider *provider)
{
	for (size_t i = 0; i < provider->count; i++)
		json_decref(provider->keys[i]);
	provider->count = 0;
}

static json_t *encoded(const void *data, size_t bytes)
{
	json_t *text = jose_b64_enc(data, bytes);
	must(text != NULL || bytes == 0, "no memory");
	return text == NULL ? json_string("") : text;
}

static json_t *make_ed25519(void)
{
	uint8_t public_key[32], private_key[32];
	size_t bytes = 32, private_bytes = 32;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	must(key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &bytes) == 1 &&
		     EVP_PKEY_get_raw_private_key(key, private_key, &private_bytes) == 1, "no Ed25519 key");
	EVP_PKEY_free(key);
	return json_pack("{s:s,s:s,s:o,s:o}", "kty", "OKP", "crv", "Ed25519", "x", encoded(public_key, 32), "d", encoded(private_key, 32));
}

void id_provider_add_key(struct id_provider *provider, const char *kid, const char *algorithm)
{
	json_t *key = strcmp(algorithm, "EdDSA") == 0 ? make_ed25519() : json_pack("{s:s}", "alg", algorithm);
	must(key != NULL && provider->count < ID_PROVIDER_KEYS_MAX &&
		     (json_object_get(key, "kty") != NULL || jose_jwk_gen(NULL, key)), "no key");
	json_object_set_new(key, "kid", json_string(kid));
	json_object_set_new(key, "alg", json_string(algorithm));
	json_object_del(key, "key_ops");
	provider->keys[provider->count++] = key;
}

static size_t find(const struct id_provider *provider, const char *kid)
{
	for (size_t i = 0; i < provider->count; i++)
		if (strcmp(json_string_value(json_object_get(provider->keys[i], "kid")), kid) == 0)
			return i;
	must(false, "no such key");
	return 0;
}

void id_provider_drop_key(struct id_provider *provider, const char *kid)
{
	size_t at = find(provider, kid);
	json_decref(provider->keys[at]);
	provider->keys[at] = provider->keys[--provider->count];
}

void id_provider_write(const struct id_provider *provider, const char *name, const char *text)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", provider->directory, name);
	FILE *file = fopen(path, "we");
	must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

void id_provider_publish(const struct id_provider *provider)
{
	static const char *const secret[] = {"d", "p", "q", "dp", "dq", "qi"};
	json_t *list = json_array();
	for (size_t i = 0; i < provider->count; i++) {
		json_t *key = json_deep_copy(provider->keys[i]);
		for (size_t j = 0; j < sizeof secret / sizeof secret[0]; j++)
			json_object_del(key, secret[j]);
		json_array_append_new(list, key);
	}
	json_t *set = json_pack("{s:o}", "keys", list);
	char *text = json_dumps(set, 0);
	must(text != NULL, "no memory");
	id_provider_write(provider, "cis2.jwks", text);
	free(text);
	json_decref(set);
}

void id_provider_configure(const struct id_provider *provider, const char *system)
{
	char text[600];
	snprintf(text, sizeof text, "issuer: " ID_PROVIDER_ISSUER "\njwks_file: cis2.jwks\nassurance_level: \"3\"\n"
		 "algorithms: [RS256, PS256, ES256, EdDSA]\naudiences:\n  - {system: %s, audience: " ID_PROVIDER_AUDIENCE "}\n", system);
	id_provider_write(provider, "cis2.yaml", text);
}

json_t *id_provider_claims(uint64_t now_ms, const char *uid, const char *organisation, const char *role)
{
	char code[64];
	json_int_t now = (json_int_t)(now_ms / 1000u);
	snprintf(code, sizeof code, "S8000:G8000:%s", role);
	json_t *claims = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:[{s:s,s:s,s:s}]}", "iss", ID_PROVIDER_ISSUER, "sub", uid,
				   "aud", ID_PROVIDER_AUDIENCE, "jti", "b7c0f9", "iat", now - 1, "exp", now + 300, "auth_time", now - 60,
				   "authentication_assurance_level", "3", "id_assurance_level", "3", "nhsid_useruid", uid, "name",
				   "Grace Okafor", "nhsid_nrbac_roles", "org_code", organisation, "person_roleid", "100000000001", "role_code",
				   code);
	must(claims != NULL, "no memory");
	return claims;
}

static void append(char **text, const void *data, size_t bytes)
{
	json_t *part = encoded(data, bytes);
	char *more = NULL;
	must(asprintf(&more, "%s%s%s", *text == NULL ? "" : *text, *text == NULL ? "" : ".", json_string_value(part)) >= 0, "no memory");
	free(*text);
	json_decref(part);
	*text = more;
}

static EVP_PKEY *private_key_of(const json_t *key)
{
	uint8_t secret[32];
	if (strcmp(json_string_value(json_object_get(key, "kty")), "OKP") != 0)
		return jose_openssl_jwk_to_EVP_PKEY(NULL, key);
	must(jose_b64_dec(json_object_get(key, "d"), secret, sizeof secret) == sizeof secret, "no key");
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
}

// RFC 7518, section 3.4: both numbers with 32 bytes each.
static void flatten(uint8_t *signature, size_t *bytes)
{
	const uint8_t *at = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)*bytes);
	must(pair != NULL, "no signature");
	must(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) == 32,
	     "no signature");
	ECDSA_SIG_free(pair);
	*bytes = 64;
}

// Not by libjose, which would not sign what says that it is something else.
static void append_signature(const json_t *key, const char *algorithm, char **text)
{
	uint8_t signature[512];
	size_t bytes = sizeof signature;
	EVP_PKEY_CTX *padding = NULL;
	EVP_PKEY *private_key = private_key_of(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *digest = strcmp(algorithm, "EdDSA") == 0 ? NULL : EVP_sha256();
	must(private_key != NULL && context != NULL && EVP_DigestSignInit(context, &padding, digest, NULL, private_key) == 1, "no signature");
	must(strcmp(algorithm, "PS256") != 0 || (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
						 EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1), "no padding");
	must(EVP_DigestSign(context, signature, &bytes, (const uint8_t *)*text, strlen(*text)) == 1, "no signature");
	if (strcmp(algorithm, "ES256") == 0)
		flatten(signature, &bytes);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(private_key);
	append(text, signature, bytes);
}

char *id_provider_sign(const struct id_provider *provider, const char *kid, const char *algorithm, const char *header, const char *payload)
{
	char *text = NULL;
	append(&text, header, strlen(header));
	append(&text, payload, strlen(payload));
	if (strcmp(algorithm, "none") != 0) {
		append_signature(provider->keys[find(provider, kid)], algorithm, &text);
		return text;
	}
	char *dotted = NULL;
	must(asprintf(&dotted, "%s.", text) > 0, "no memory");
	free(text);
	return dotted;
}

char *id_provider_token(const struct id_provider *provider, const char *kid, const json_t *claims)
{
	char header[300];
	const char *algorithm = json_string_value(json_object_get(provider->keys[find(provider, kid)], "alg"));
	snprintf(header, sizeof header, "{\"typ\":\"JWT\",\"alg\":\"%s\",\"kid\":\"%s\"}", algorithm, kid);
	char *payload = json_dumps(claims, JSON_COMPACT);
	must(payload != NULL, "no memory");
	char *token = id_provider_sign(provider, kid, algorithm, header, payload);
	free(payload);
	return token;
}
