// JWK Sets, by libjose and jansson. Ed25519, which libjose does not have, by certs/.
#include "broker/identity_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <jose/b64.h>
#include <jose/cfg.h>
#include <jose/jws.h>

#include "broker/limits.h"
#include "certs/key.h"

#define RSA_MODULUS_BYTES_MIN 256u
#define RSA_MODULUS_BYTES_MAX 512u

struct identity_keys {
	json_t *set;       // the keys by kid
	jose_cfg_t *cfg;
};

static const struct {
	const char *word, *kty;
} algorithms[IDENTITY_ALGORITHMS] = {
#define X(name, word_, kty_) [name] = {word_, kty_},
	IDENTITY_ALGORITHM_TABLE(X)
#undef X
};

bool identity_algorithm_by_name(const char *name, enum identity_algorithm *ret)
{
	for (unsigned i = 0; i < IDENTITY_ALGORITHMS; i++)
		if (strcmp(name, algorithms[i].word) == 0) {
			*ret = (enum identity_algorithm)i;
			return true;
		}
	return false;
}

// libjose would write what a stranger's token makes it complain of to standard error.
static void say_nothing(void *misc, const char *file, int line, uint64_t error, const char *format, va_list arguments)
{
	(void)misc, (void)file, (void)line, (void)error, (void)format, (void)arguments;
}

static const char *text_of(const json_t *key, const char *name)
{
	const char *text = json_string_value(json_object_get(key, name));
	return text == NULL ? "" : text;
}

// NULL, or what is wrong with it.
static const char *fault_of(const json_t *key)
{
	static const char *const secrets[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
	const char *kty = text_of(key, "kty"), *crv = text_of(key, "crv"), *kid = text_of(key, "kid");
	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
		if (json_object_get(key, secrets[i]) != NULL)
			return "has a private or shared key, which does not belong here";
	if (kid[0] == '\0' || strlen(kid) > IDENTITY_KID_BYTES_MAX)
		return "has a key without a kid, or with a long one";
	if (strcmp(kty, "RSA") == 0) {
		size_t bytes = jose_b64_dec(json_object_get(key, "n"), NULL, 0);
		return bytes < RSA_MODULUS_BYTES_MIN || bytes > RSA_MODULUS_BYTES_MAX ? "has an RSA key that is not of 2,048 to 4,096 bits" : NULL;
	}
	if (strcmp(kty, "EC") == 0)
		return strcmp(crv, "P-256") != 0 ? "has a key on another curve than P-256 and Ed25519" : NULL;
	if (strcmp(kty, "OKP") == 0)
		return strcmp(crv, "Ed25519") != 0 || jose_b64_dec(json_object_get(key, "x"), NULL, 0) != KEY_BYTES
			       ? "has a key on another curve than P-256 and Ed25519" : NULL;
	return "has a key of an unknown kind";
}

static const char *take_keys(struct identity_keys *keys, const json_t *list)
{
	size_t i;
	json_t *key;
	if (!json_is_array(list) || json_array_size(list) > IDENTITY_KEYS_MAX)
		return "is no JWK Set of at most 32 keys";
	json_array_foreach(list, i, key) {
		if (strcmp(text_of(key, "use"), "enc") == 0)
			continue;
		const char *fault = json_is_object(key) ? fault_of(key) : "is no JWK Set";
		if (fault != NULL)
			return fault;
		if (json_object_get(keys->set, text_of(key, "kid")) != NULL)
			return "has two keys with one kid";
		if (json_object_set(keys->set, text_of(key, "kid"), key) != 0)
			return "is too much for the memory";
	}
	return json_object_size(keys->set) == 0 ? "has no key that signs" : NULL;
}

bool identity_keys_read(const char *path, struct identity_keys **ret, char *detail, size_t detail_bytes)
{
	struct identity_keys *keys = calloc(1, sizeof *keys);
	json_error_t error;
	const char *fault = "is too much for the memory";
	// A file of another kind could be without end.
	FILE *file = fopen(path, "re");
	char *text = malloc(IDENTITY_FILE_BYTES_MAX + 1u);
	size_t bytes = file == NULL || text == NULL ? 0 : fread(text, 1, IDENTITY_FILE_BYTES_MAX + 1u, file);
	json_t *root = NULL;
	if (file == NULL)
		fault = "cannot be read";
	else if (bytes > IDENTITY_FILE_BYTES_MAX)
		fault = "is longer than 64 KiB";
	else if (text != NULL && (root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error)) == NULL)
		fault = "is no JSON, or has a name twice";
	else if (keys != NULL && (keys->set = json_object()) != NULL && (keys->cfg = jose_cfg()) != NULL) {
		jose_cfg_set_err_func(keys->cfg, say_nothing, NULL);
		fault = take_keys(keys, json_object_get(root, "keys"));
	}
	json_decref(root);
	free(text);
	if (file != NULL)
		fclose(file);
	if (fault != NULL) {
		snprintf(detail, detail_bytes, "%s", fault);
		identity_keys_free(keys);
		return false;
	}
	*ret = keys;
	return true;
}

void identity_keys_free(struct identity_keys *keys)
{
	if (keys == NULL)
		return;
	json_decref(keys->set);
	if (keys->cfg != NULL)
		jose_cfg_decref(keys->cfg);
	free(keys);
}

size_t identity_keys_count(const struct identity_keys *keys)
{
	return json_object_size(keys->set);
}

static bool verify_ed25519(const json_t *key, const char *jws, size_t signed_bytes, size_t signature_bytes)
{
	uint8_t public_key[KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
	return jose_b64_dec(json_object_get(key, "x"), public_key, sizeof public_key) == sizeof public_key &&
	       jose_b64_dec_buf(jws + signed_bytes + 1, signature_bytes, NULL, 0) == sizeof signature &&
	       jose_b64_dec_buf(jws + signed_bytes + 1, signature_bytes, signature, sizeof signature) == sizeof signature &&
	       ed25519_verify(public_key, (const uint8_t *)jws, signed_bytes, signature) == CERTS_OK;
}

enum identity_verdict identity_keys_verify(const struct identity_keys *keys, const char *kid, enum identity_algorithm algorithm,
					   const char *jws, size_t header_bytes, size_t payload_bytes, size_t signature_bytes)
{
	const json_t *key = json_object_get(keys->set, kid);
	const char *made_for = text_of(key, "alg");
	size_t signed_bytes = header_bytes + 1 + payload_bytes;
	if (key == NULL)
		return IDENTITY_NO_KEY;
	if (strcmp(text_of(key, "kty"), algorithms[algorithm].kty) != 0 ||
	    (made_for[0] != '\0' && strcmp(made_for, algorithms[algorithm].word) != 0))
		return IDENTITY_OTHER_ALGORITHM;
	if (algorithm == IDENTITY_EDDSA)
		return verify_ed25519(key, jws, signed_bytes, signature_bytes) ? IDENTITY_HOLDS : IDENTITY_BAD_SIGNATURE;
	json_t *parts = json_pack("{s:s%,s:s%,s:s%}", "protected", jws, header_bytes, "payload", jws + header_bytes + 1, payload_bytes,
				  "signature", jws + signed_bytes + 1, signature_bytes);
	bool holds = parts != NULL && jose_jws_ver(keys->cfg, parts, NULL, key, false);
	json_decref(parts);
	return holds ? IDENTITY_HOLDS : IDENTITY_BAD_SIGNATURE;
}
