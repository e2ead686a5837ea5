// Reading the settings through libcyaml.
#include "clients/web/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/http/address.h"
#include "proto/text.h"
#include "proto/wire.h"
#include "proto/yaml_file.h"

#define PATH_BYTES_MAX 4095
#define LOCK_S_MIN 60u
#define LOCK_S_MAX (SESSION_IDLE_MS_MAX / 1000u)
#define LOCK_S_DEFAULT 600u
#define WORKERS_MAX 64u
#define WORKERS_DEFAULT 8u

// X(key, whether it may be left out, most bytes, default, meaning): the schema and `cpis-web --describe settings` come from these.
#define WORD_TABLE(X)                                                                                \
	X(listen, 0, 60, "required", "a numeric address and a port, as `0.0.0.0:443`")                \
	X(public_port, CYAML_FLAG_OPTIONAL, 5, "that of `listen`", "where browsers see another one, 1 to 65535") \
	X(organisation, 0, 100, "required", "its name, as people call it")                           \
	X(lock_after, CYAML_FLAG_OPTIONAL, 4, "600 s", "seconds without a sign of the person until the pages lock, 60 to 1800") \
	X(workers, CYAML_FLAG_OPTIONAL, 2, "8", "threads, each a client of the broker, 1 to 64")
#define PATH_TABLE(X)                                                                                \
	X(web_certificate, 0, PATH_BYTES_MAX, "required", "PEM chain for the web host and `*.` before it") \
	X(profile, 0, PATH_BYTES_MAX, "required",                                                    \
	  "where the broker is and which system this is: a profile of `cpis` without `staff_*`")     \
	X(staff_directory, 0, PATH_BYTES_MAX, "required",                                            \
	  "certificates of the passkeys of those who sign in here; new ones are found at once")      \
	X(share_directory, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX, "as installed", "`templates/` and `assets/`")
#define KEY_TABLE(X)                                                                                 \
	X(web_key, 0, PATH_BYTES_MAX, "required", "the key of `web_certificate`, a file or `credential:NAME`") \
	X(sealing_key, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX, "none",                                  \
	  "32 random bytes, mode 0600, or `credential:NAME`; without one people sign in again after a restart. Several gateways may share it")
#define LIST_TABLE(X)                                                                                \
	X(roles, &role_value, 0, 1, SETTINGS_ROLES_MAX, "required", "a list of `{code: R8001, name: Nurse}`: what people choose from when they sign in, 1 to 32") \
	X(care_settings, &care_setting_value, CYAML_FLAG_OPTIONAL, 0, SETTINGS_CARE_SETTINGS_MAX, "none", "a list of what they choose from when they look, at most 16")

static const cyaml_schema_field_t role_fields[] = {
	CYAML_FIELD_STRING_PTR("code", CYAML_FLAG_POINTER, struct settings_role, code, 1, ROLE_CODE_BYTES_MAX),
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct settings_role, name, 1, 64),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t role_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct settings_role, role_fields)};
static const cyaml_schema_value_t care_setting_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 40)};

static const cyaml_schema_field_t fields[] = {
#define X(name, optional, bytes_max, usual, meaning)                                                 \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | (optional), struct settings, name, 1, bytes_max),
	WORD_TABLE(X) PATH_TABLE(X) KEY_TABLE(X)
#undef X
#define X(name, value, optional, least, most, usual, meaning)                                        \
	CYAML_FIELD_SEQUENCE(#name, CYAML_FLAG_POINTER | (optional), struct settings, name, value, least, most),
	LIST_TABLE(X)
#undef X
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct settings, fields)};

static bool check_lists(struct yaml_place *place, const struct settings *settings)
{
	place->key = "roles";
	for (place->index = 0; place->index < settings->roles_count; place->index++) {
		const struct settings_role *role = &settings->roles[place->index];
		if (!text_is_role_code(role->code, strlen(role->code)))
			return yaml_file_refuse(place, "%s is not a role code such as R8001", role->code);
		if (!text_is_clean(role->name, strlen(role->name)))
			return yaml_file_refuse(place, "the name of %s has control characters", role->code);
	}
	place->key = "care_settings";
	for (place->index = 0; place->index < settings->care_settings_count; place->index++) {
		Cpis__V1__CareSetting setting;
		if (!wire_care_setting_by_name(settings->care_settings[place->index], &setting))
			return yaml_file_refuse(place, "there is no care setting %s", settings->care_settings[place->index]);
	}
	return true;
}

static bool check(struct yaml_place *place, struct settings *settings)
{
	unsigned port = 0;
	settings->lock_after_s = LOCK_S_DEFAULT;
	settings->worker_count = WORKERS_DEFAULT;
	place->key = "listen";
	if (!address_parse(settings->listen, settings->address, &settings->port))
		return yaml_file_refuse(place, "listen is a numeric address and a port, such as 0.0.0.0:443");
	settings->browser_port = settings->port;
	place->key = "public_port";
	if (settings->public_port != NULL && !address_number(settings->public_port, 1, 65535, &port))
		return yaml_file_refuse(place, "public_port is 1 to 65535");
	if (settings->public_port != NULL)
		settings->browser_port = (uint16_t)port;
	place->key = "lock_after";
	if (settings->lock_after != NULL && !address_number(settings->lock_after, LOCK_S_MIN, LOCK_S_MAX, &settings->lock_after_s))
		return yaml_file_refuse(place, "lock_after is %u to %u seconds", LOCK_S_MIN, LOCK_S_MAX);
	place->key = "workers";
	if (settings->workers != NULL && !address_number(settings->workers, 1, WORKERS_MAX, &settings->worker_count))
		return yaml_file_refuse(place, "workers is 1 to %u", WORKERS_MAX);
	place->key = "organisation";
	if (!text_is_clean(settings->organisation, strlen(settings->organisation)))
		return yaml_file_refuse(place, "the organisation's name has control characters");
#define X(name, optional, bytes_max, usual, meaning)                                                 \
	place->key = #name;                                                                          \
	if (!yaml_file_secret_is_named(settings->name))                                              \
		return yaml_file_refuse(place, YAML_FILE_SECRET_UNNAMED, #name);
	KEY_TABLE(X)
#undef X
	return check_lists(place, settings);
}

static bool resolve(const char *path, struct settings *settings)
{
	bool resolved = true;
#define X(name, optional, bytes_max, usual, meaning) resolved = resolved && yaml_file_resolve(path, &settings->name);
	PATH_TABLE(X)
#undef X
#define X(name, optional, bytes_max, usual, meaning) resolved = resolved && yaml_file_resolve_secret(path, &settings->name);
	KEY_TABLE(X)
#undef X
	return resolved;
}

bool settings_load(const char *path, struct settings **ret, char detail[SETTINGS_DETAIL_BYTES])
{
	struct yaml_file file;
	void *loaded = NULL;
	if (!yaml_file_open(path, &file, detail, SETTINGS_DETAIL_BYTES))
		return false;
	bool done = yaml_file_load(&file, &schema, &loaded, detail, SETTINGS_DETAIL_BYTES);
	if (done) {
		struct yaml_place place = {.file = &file, .schema = &schema, .detail = detail, .detail_bytes = SETTINGS_DETAIL_BYTES};
		done = check(&place, loaded);
	}
	if (done && !resolve(path, loaded)) {
		snprintf(detail, SETTINGS_DETAIL_BYTES, "%s: out of memory", path);
		done = false;
	}
	yaml_file_close(&file);
	if (!done) {
		settings_free(loaded);
		return false;
	}
	*ret = loaded;
	return true;
}

void settings_free(struct settings *settings)
{
	yaml_file_free(&schema, settings);
}

void settings_describe(FILE *out)
{
	fputs("| key | default | meaning |\n| --- | --- | --- |\n", out);
#define X(name, optional, bytes_max, usual, meaning) fprintf(out, "| `%s` | %s | %s |\n", #name, usual, meaning);
	WORD_TABLE(X)
	PATH_TABLE(X)
	KEY_TABLE(X)
#undef X
#define X(name, value, optional, least, most, usual, meaning) fprintf(out, "| `%s` | %s | %s |\n", #name, usual, meaning);
	LIST_TABLE(X)
#undef X
}
