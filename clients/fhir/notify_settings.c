// Reading the settings through libcyaml.
#include "clients/fhir/notify_settings.h"

#include <stdio.h>
#include <string.h>

#include "clients/http/address.h"
#include "proto/yaml_file.h"

#define PATH_BYTES_MAX 4095
#define DEADLINE_S_MAX 240u
#define DEADLINE_S_DEFAULT 30u

// X(key, whether it may be left out, most bytes, default, meaning): the schema and `--describe settings` come from these.
#define WORD_TABLE(X) \
	X(endpoint, 0, 500, "required", \
	  "where notifications are posted: `https://`, a host, a port if it is not 443, and a path; nothing behind that, and nobody's name before it") \
	X(subscription, 0, 36, "required", \
	  "a UUID that the receiver knows this subscription by: make one (`cat /proc/sys/kernel/random/uuid`), and keep it") \
	X(payload, 0, 13, "required", "`full-resource`, `id-only` or `empty`: what a notification says") \
	X(deadline_s, CYAML_FLAG_OPTIONAL, 3, "30", \
	  "seconds that all of it may take, 1 to 240; shorter than `--lease` of `cpis inbox follow`")
#define PATH_TABLE(X) \
	X(ca_file, 0, PATH_BYTES_MAX, "required", "PEM: the authorities that may certify the endpoint; no others are trusted") \
	X(certificate, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX, "none", "PEM chain that this program shows (mutual TLS)") \
	X(key, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX, "none", "its PEM key, mode 0600, without a passphrase") \
	X(authorization_file, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX, "none", \
	  "a file of one line, mode 0600: the value of the `Authorization` header, as `Bearer ...`")

static const cyaml_schema_field_t fields[] = {
#define X(name, optional, bytes_max, usual, meaning) \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | (optional), struct notify_settings, name, 1, bytes_max),
	WORD_TABLE(X) PATH_TABLE(X)
#undef X
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct notify_settings, fields)};

// No user before the host, no query and no fragment: those would be in logs, and what is in logs must say nothing.
static bool read_endpoint(struct notify_settings *settings)
{
	static const char scheme[] = "https://";
	const char *rest = settings->endpoint + sizeof scheme - 1;
	unsigned port;
	char digits[6] = "";
	if (strncmp(settings->endpoint, scheme, sizeof scheme - 1) != 0)
		return false;
	size_t host = strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789.-");
	if (host == 0 || host >= NOTIFY_HOST_BYTES)
		return false;
	memcpy(settings->host, rest, host);
	settings->host[host] = '\0';
	rest += host;
	if (*rest == ':') {
		size_t count = strspn(++rest, "0123456789");
		if (count == 0 || count >= sizeof digits)
			return false;
		memcpy(digits, rest, count);
		if (!address_number(digits, 1, 65535, &port))
			return false;
		rest += count;
	}
	return *rest == '/' && rest[strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._~$-")] == '\0';
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
							    : text[i] == '\0' || strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	return text[36] == '\0';
}

static bool read_payload(struct notify_settings *settings)
{
	static const char *const words[] =
		{[NOTIFY_EMPTY] = "empty", [NOTIFY_ID_ONLY] = "id-only", [NOTIFY_FULL_RESOURCE] = "full-resource"};
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(settings->payload, words[i]) == 0) {
			settings->content = (enum notify_payload)i;
			return true;
		}
	}
	return false;
}

static bool check(struct yaml_place *place, struct notify_settings *settings)
{
	settings->deadline_seconds = DEADLINE_S_DEFAULT;
	place->key = "endpoint";
	if (!read_endpoint(settings))
		return yaml_file_refuse(place, "endpoint is an https address of a host in small letters and a path, such as "
					       "https://fhir.council.example/notifications; no user, query or fragment");
	place->key = "subscription";
	if (!is_uuid(settings->subscription))
		return yaml_file_refuse(place,
					"subscription is a UUID in small letters, as those of /proc/sys/kernel/random/uuid");
	place->key = "payload";
	if (!read_payload(settings))
		return yaml_file_refuse(place, "payload is full-resource, id-only or empty");
	place->key = "deadline_s";
	if (settings->deadline_s != NULL && !address_number(settings->deadline_s, 1, DEADLINE_S_MAX, &settings->deadline_seconds))
		return yaml_file_refuse(place, "deadline_s is 1 to %u", DEADLINE_S_MAX);
	place->key = settings->certificate != NULL ? "certificate" : "key";
	if ((settings->certificate == NULL) != (settings->key == NULL))
		return yaml_file_refuse(place, "certificate and key go together");
	return true;
}

static bool resolve(const char *path, struct notify_settings *settings)
{
	bool resolved = true;
#define X(name, optional, bytes_max, usual, meaning) resolved = resolved && yaml_file_resolve(path, &settings->name);
	PATH_TABLE(X)
#undef X
	return resolved;
}

bool notify_settings_load(const char *path, struct notify_settings **ret, char detail[NOTIFY_DETAIL_BYTES])
{
	struct yaml_file file = {0};
	void *loaded = NULL;
	if (!yaml_file_open(path, &file, detail, NOTIFY_DETAIL_BYTES))
		return false;
	bool done = yaml_file_load(&file, &schema, &loaded, detail, NOTIFY_DETAIL_BYTES);
	if (done) {
		struct yaml_place place = {.file = &file,
					   .schema = &schema,
					   .detail = detail,
					   .detail_bytes = NOTIFY_DETAIL_BYTES};
		done = check(&place, loaded);
	}
	if (done && !resolve(path, loaded)) {
		snprintf(detail, NOTIFY_DETAIL_BYTES, "%.300s: out of memory", path);
		done = false;
	}
	yaml_file_close(&file);
	if (!done) {
		notify_settings_free(loaded);
		return false;
	}
	*ret = loaded;
	return true;
}

void notify_settings_free(struct notify_settings *settings)
{
	yaml_file_free(&schema, settings);
}

void notify_settings_describe(void)
{
	puts("| key | default | meaning |\n| --- | --- | --- |");
#define X(name, optional, bytes_max, usual, meaning) puts("| `" #name "` | " usual " | " meaning " |");
	WORD_TABLE(X) PATH_TABLE(X)
#undef X
}
