// Reading and checking an ID token.
#include "broker/identity_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <jose/b64.h>

#include "broker/digest.h"
#include "proto/text.h"

#define LIFE_MS_MAX SESSION_MS_MAX     // of a token, and of the sign-in behind it
#define SECONDS_MAX INT64_C(253402300799) // the end of 9999: past it a product with 1,000 could be anything
#define ROLES_SHOWN 256u // of a token of 8 KiB more do not fit

struct parts {
	const char *text;                    // NUL-terminated
	size_t header_bytes, payload_bytes, signature_bytes;
	json_t *header, *payload;
};

// ------------------------------------------------------------------ form

static json_t *load_part(struct arena *arena, const char *text, size_t bytes)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	json_error_t error;
	size_t size = bytes == 0 || strspn(text, alphabet) != bytes ? SIZE_MAX : jose_b64_dec_buf(text, bytes, NULL, 0);
	char *json = size == SIZE_MAX ? NULL : arena_alloc(arena, size + 1);
	if (json == NULL || jose_b64_dec_buf(text, bytes, json, size) != size)
		return NULL;
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

static bool split(struct arena *arena, const uint8_t *token, size_t bytes, struct parts *ret)
{
	if (bytes == 0 || bytes > IDENTITY_TOKEN_BYTES_MAX || memchr(token, '\0', bytes) != NULL)
		return false;
	char *text = arena_alloc(arena, bytes + 1);
	if (text == NULL)
		return false;
	memcpy(text, token, bytes);
	text[bytes] = '\0';
	const char *first = strchr(text, '.'), *second = first == NULL ? NULL : strchr(first + 1, '.');
	if (second == NULL || strchr(second + 1, '.') != NULL || second[1] == '\0')
		return false;
	*ret = (struct parts){
		.text = text,
		.header_bytes = (size_t)(first - text),
		.payload_bytes = (size_t)(second - first - 1),
		.signature_bytes = strlen(second + 1),
	};
	ret->header = load_part(arena, text, ret->header_bytes);
	ret->payload = ret->header == NULL ? NULL : load_part(arena, first + 1, ret->payload_bytes);
	return ret->payload != NULL;
}

// "" where there is none, or it is not text that can be shown.
static const char *text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);
	return text == NULL || !text_is_clean(text, json_string_length(value)) ? "" : text;
}

// ------------------------------------------------------------------ signature

static enum reason check_signature(const struct identity_where *where, const struct parts *parts, const struct identity_provider **ret)
{
	static const enum reason reasons[] = {
		[IDENTITY_HOLDS] = REASON_NONE,
		[IDENTITY_NO_KEY] = REASON_IDENTITY_KEY,
		[IDENTITY_OTHER_ALGORITHM] = REASON_IDENTITY_ALGORITHM,
		[IDENTITY_BAD_SIGNATURE] = REASON_IDENTITY_SIGNATURE,
	};
	enum identity_algorithm algorithm;
	// What a header says that has to be understood is understood by nobody here (RFC 7515, section 4.1.11).
	if (json_object_get(parts->header, "crit") != NULL)
		return REASON_IDENTITY_FORM;
	const struct identity_provider *provider = identity_providers_find(where->providers, text_of(parts->payload, "iss"));
	if (provider == NULL)
		return REASON_IDENTITY_ISSUER;
	if (!identity_algorithm_by_name(text_of(parts->header, "alg"), &algorithm) || (provider->algorithms & (1u << algorithm)) == 0)
		return REASON_IDENTITY_ALGORITHM;
	*ret = provider;
	return reasons[identity_keys_verify(provider->keys, text_of(parts->header, "kid"), algorithm, parts->text, parts->header_bytes,
					    parts->payload_bytes, parts->signature_bytes)];
}

// ------------------------------------------------------------------ claims

// One audience, as text or as the only member of a list, and no other party that it was issued to.
static bool is_for(const json_t *payload, const struct identity_audience *ours)
{
	const json_t *aud = json_object_get(payload, "aud"), *azp = json_object_get(payload, "azp");
	if (json_is_array(aud) && json_array_size(aud) == 1)
		aud = json_array_get(aud, 0);
	const char *to = json_string_value(aud);
	return ours != NULL && to != NULL && strcmp(to, ours->audience) == 0 &&
	       (azp == NULL || (json_is_string(azp) && strcmp(json_string_value(azp), ours->audience) == 0));
}

// Whole or broken seconds since 1970. False: missing, or no time.
static bool read_instant(const json_t *payload, const char *name, uint64_t *ret_ms)
{
	const json_t *value = json_object_get(payload, name);
	double seconds = json_number_value(value);
	if (!json_is_number(value) || !(seconds > 0) || seconds > (double)SECONDS_MAX)
		return false;
	*ret_ms = json_is_integer(value) ? (uint64_t)json_integer_value(value) * 1000u : (uint64_t)(seconds * 1000.0);
	return true;
}

// Clocks may differ as far as for anything else, but a token's end is not put off.
static bool check_times(const json_t *payload, uint64_t now_ms, struct identity_claims *ret)
{
	uint64_t issued_ms, expires_ms, signed_in_ms, not_before_ms = 0;
	if (!read_instant(payload, "iat", &issued_ms) || !read_instant(payload, "exp", &expires_ms) ||
	    !read_instant(payload, "auth_time", &signed_in_ms) ||
	    (json_object_get(payload, "nbf") != NULL && !read_instant(payload, "nbf", &not_before_ms)))
		return false;
	uint64_t latest_ms = now_ms + CLOCK_SKEW_MS_MAX;
	if (now_ms >= expires_ms || issued_ms > latest_ms || not_before_ms > latest_ms || signed_in_ms > latest_ms ||
	    expires_ms <= issued_ms || expires_ms - issued_ms > LIFE_MS_MAX || (now_ms > signed_in_ms && now_ms - signed_in_ms > LIFE_MS_MAX))
		return false;
	ret->expires_ms = expires_ms;
	return true;
}

// CIS2 says a level as a digit in text; others as a number. 0: not said, or not so.
static unsigned level_of(const json_t *payload, const char *name)
{
	const json_t *value = json_object_get(payload, name);
	const char *text = text_of(payload, name);
	if (json_is_integer(value))
		return json_integer_value(value) >= 1 && json_integer_value(value) <= 3 ? (unsigned)json_integer_value(value) : 0;
	return strlen(text) == 1 && text[0] >= '1' && text[0] <= '3' ? (unsigned)(text[0] - '0') : 0;
}

static bool check_assurance(const json_t *payload, unsigned least)
{
	return level_of(payload, "authentication_assurance_level") >= least &&
	       (json_object_get(payload, "id_assurance_level") == NULL || level_of(payload, "id_assurance_level") >= least);
}

static bool read_person(const json_t *payload, struct identity_claims *ret)
{
	const char *uid = text_of(payload, "nhsid_useruid"), *other = text_of(payload, "uid"), *name = text_of(payload, "name");
	if (uid[0] == '\0')
		uid = other;
	if (name[0] == '\0')
		name = text_of(payload, "display_name");
	if ((other[0] != '\0' && strcmp(uid, other) != 0) || !text_is_digits(uid, strlen(uid), UID_DIGITS) || name[0] == '\0' ||
	    strlen(name) > IDENTITY_NAME_BYTES_MAX)
		return false;
	snprintf(ret->uid, sizeof ret->uid, "%s", uid);
	snprintf(ret->name, sizeof ret->name, "%s", name);
	return true;
}

// CIS2 writes "S8000:G8000:R8001": staff group, sub-group, job role.
static const char *job_role(const json_t *role)
{
	const char *code = text_of(role, "role_code"), *colon = strrchr(code, ':');
	code = colon == NULL ? code : colon + 1;
	return text_is_role_code(code, strlen(code)) ? code : "";
}

// The same role twice at one organisation is one role.
static enum reason choose_role(const struct identity_where *where, const json_t *payload, struct identity_claims *ret)
{
	const json_t *roles = json_object_get(payload, "nhsid_nrbac_roles");
	const char *selected = text_of(payload, "selected_roleid"), *found = NULL;
	size_t i;
	const json_t *role;
	if (!json_is_array(roles) || json_array_size(roles) > ROLES_SHOWN)
		return REASON_IDENTITY_ROLE;
	json_array_foreach(roles, i, role) {
		const char *code = job_role(role);
		if (code[0] == '\0' || strcmp(text_of(role, "org_code"), where->organisation->text) != 0 ||
		    (json_object_get(payload, "selected_roleid") != NULL && strcmp(text_of(role, "person_roleid"), selected) != 0) ||
		    (where->role_code[0] != '\0' && strcmp(where->role_code, code) != 0))
			continue;
		if (found != NULL && strcmp(found, code) != 0)
			return REASON_IDENTITY_ROLES;
		found = code;
	}
	if (found == NULL)
		return REASON_IDENTITY_ROLE;
	snprintf(ret->role_code, sizeof ret->role_code, "%s", found);
	return REASON_NONE;
}

static enum reason check_claims(const struct identity_where *where, const struct identity_provider *provider, const struct parts *parts,
				struct identity_claims *ret)
{
	const json_t *payload = parts->payload;
	const char *jti = text_of(payload, "jti");
	snprintf(ret->issuer, sizeof ret->issuer, "%s", provider->issuer);
	if (jti[0] != '\0')
		digest_sha256((const uint8_t *)jti, strlen(jti), ret->id);
	else
		digest_sha256((const uint8_t *)parts->text, parts->header_bytes + 1 + parts->payload_bytes, ret->id);
	bool person = read_person(payload, ret);
	if (!is_for(payload, identity_provider_audience(provider, where->organisation, where->system)))
		return REASON_IDENTITY_AUDIENCE;
	if (!check_times(payload, where->now_ms, ret))
		return REASON_IDENTITY_TIME;
	if (!check_assurance(payload, provider->assurance_level))
		return REASON_IDENTITY_ASSURANCE;
	if (!person)
		return REASON_IDENTITY_PERSON;
	return choose_role(where, payload, ret);
}

enum reason identity_token_check(const struct identity_where *where, const uint8_t *token, size_t token_bytes, struct arena *arena,
				 struct identity_claims *ret)
{
	struct parts parts = {0};
	const struct identity_provider *provider = NULL;
	memset(ret, 0, sizeof *ret);
	enum reason reason = split(arena, token, token_bytes, &parts) ? check_signature(where, &parts, &provider) : REASON_IDENTITY_FORM;
	if (reason == REASON_NONE)
		reason = check_claims(where, provider, &parts, ret);
	json_decref(parts.header);
	json_decref(parts.payload);
	return reason;
}
