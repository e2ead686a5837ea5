// Reading the settings through libcyaml.
#include "clients/fhir/configuration.h"

#include <stdio.h>
#include <string.h>

#include "proto/text.h"
#include "proto/wire.h"
#include "proto/yaml_file.h"

#define PATH_BYTES_MAX 4095
#define WORKERS_MAX 64u
#define WORKERS_DEFAULT 8u

#define FIELD(name, optional, bytes_max) \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | (optional), struct configuration, name, 1, bytes_max)

static const cyaml_schema_field_t fields[] = {
	FIELD(listen, 0, 60),
	FIELD(host, 0, 253),
	FIELD(public_port, CYAML_FLAG_OPTIONAL, 5),
	FIELD(certificate, 0, PATH_BYTES_MAX),
	FIELD(key, 0, PATH_BYTES_MAX),
	FIELD(profile, 0, PATH_BYTES_MAX),
	FIELD(care_setting, CYAML_FLAG_OPTIONAL, 40),
	FIELD(workers, CYAML_FLAG_OPTIONAL, 2),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct configuration, fields)};

static bool check(struct yaml_place *place, struct configuration *configuration)
{
	unsigned port = 0;
	configuration->worker_count = WORKERS_DEFAULT;
	place->key = "listen";
	if (!address_parse(configuration->listen, configuration->address, &configuration->port))
		return yaml_file_refuse(place, "listen is a numeric address and a port, such as 0.0.0.0:443");
	place->key = "host";
	if (configuration->host[0] == '\0' ||
	    strspn(configuration->host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(configuration->host))
		return yaml_file_refuse(place, "host is a name in small letters, such as fhir.trust.example");
	place->key = "public_port";
	if (configuration->public_port != NULL && !address_number(configuration->public_port, 1, 65535, &port))
		return yaml_file_refuse(place, "public_port is 1 to 65535");
	configuration->caller_port = (uint16_t)port;
	place->key = "workers";
	if (configuration->workers != NULL && !address_number(configuration->workers, 1, WORKERS_MAX, &configuration->worker_count))
		return yaml_file_refuse(place, "workers is 1 to %u", WORKERS_MAX);
	place->key = "care_setting";
	if (configuration->care_setting != NULL &&
	    !wire_care_setting_by_name(configuration->care_setting, &configuration->care_setting_code))
		return yaml_file_refuse(place, "there is no care setting %s", configuration->care_setting);
	place->key = "key";
	if (!yaml_file_secret_is_named(configuration->key))
		return yaml_file_refuse(place, YAML_FILE_SECRET_UNNAMED, "key");
	return true;
}

bool configuration_load(const char *path, struct configuration **ret, char detail[CONFIGURATION_DETAIL_BYTES])
{
	struct yaml_file file = {0};
	void *loaded = NULL;
	if (!yaml_file_open(path, &file, detail, CONFIGURATION_DETAIL_BYTES))
		return false;
	bool done = yaml_file_load(&file, &schema, &loaded, detail, CONFIGURATION_DETAIL_BYTES);
	struct configuration *configuration = loaded;
	if (done) {
		struct yaml_place place = {.file = &file, .schema = &schema, .detail = detail, .detail_bytes = CONFIGURATION_DETAIL_BYTES};
		done = check(&place, configuration);
	}
	if (done && (!yaml_file_resolve(path, &configuration->certificate) || !yaml_file_resolve_secret(path, &configuration->key) ||
		     !yaml_file_resolve(path, &configuration->profile))) {
		snprintf(detail, CONFIGURATION_DETAIL_BYTES, "%s: out of memory", path);
		done = false;
	}
	yaml_file_close(&file);
	if (!done) {
		yaml_file_free(&schema, loaded);
		return false;
	}
	*ret = configuration;
	return true;
}

void configuration_free(struct configuration *configuration)
{
	yaml_file_free(&schema, configuration);
}
