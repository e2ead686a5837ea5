// The broker's configuration file.
#include "broker/config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/limits.h"
#include "certs/identity.h"
#include "proto/text.h"
#include "proto/yaml_file.h"

#define CONNECTIONS_DEFAULT 4096u
#define CONNECTIONS_PER_SYSTEM_DEFAULT 1024u
#define BATCH_DEFAULT 256u
#define WAITING_DEFAULT 8192u
#define WAITING_PER_SYSTEM_DEFAULT 1024u
#define BUSY_AFTER_MS_DEFAULT 12u
#define FRONT_MEMORY_MB_MIN 64u // less is used up by a few hundred honest connections
#define FRONT_MEMORY_MB_DEFAULT 512u

// Numbers are read as text: libcyaml would take "10k" for 10.
struct config_text {
	struct config config;
	char *connections_max;
	char *connections_per_system_max;
	char *batch_max;
	char *waiting_max;
	char *waiting_per_system_max;
	char *busy_after_ms;
	char *front_memory_mb;
	char *witness_required_s;
	char *sandbox;
	char *store_lone_server;
};

#define TEXT_FIELD(key, member, optional, bytes_max) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (optional), struct config_text, member, 1, bytes_max)
#define PATH_TABLE(X)                         \
	X(endpoint_file, CYAML_FLAG_OPTIONAL) \
	X(enrolment_endpoint_file, CYAML_FLAG_OPTIONAL) \
	X(next_endpoint_file, CYAML_FLAG_OPTIONAL) \
	X(next_certificate, CYAML_FLAG_OPTIONAL) \
	X(next_key, CYAML_FLAG_OPTIONAL) \
	X(certificate, 0)                     \
	X(key, 0)                             \
	X(log_key, 0)                         \
	X(trust_directory, 0)                 \
	X(enrolled_directory, 0)              \
	X(register_file, 0)                   \
	X(identity_directory, CYAML_FLAG_OPTIONAL) \
	X(policy_file, 0)                     \
	X(store_file, CYAML_FLAG_OPTIONAL)    \
	X(store_key, 0)                       \
	X(session_key, CYAML_FLAG_OPTIONAL)   \
	X(session_key_previous, CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t config_fields[] = {
	TEXT_FIELD("broker_name", config.broker_name, 0, IDENTITY_NAME_BYTES_MAX),
	TEXT_FIELD("endpoint", config.endpoint, 0, 255),
	TEXT_FIELD("enrolment_endpoint", config.enrolment_endpoint, CYAML_FLAG_OPTIONAL, 255),
	TEXT_FIELD("next_endpoint", config.next_endpoint, CYAML_FLAG_OPTIONAL, 255),
#define X(name, optional) TEXT_FIELD(#name, config.name, optional, CONFIG_PATH_BYTES_MAX),
	PATH_TABLE(X)
#undef X
		TEXT_FIELD("connections_max", connections_max, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("connections_per_system_max", connections_per_system_max, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("batch_max", batch_max, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("waiting_max", waiting_max, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("waiting_per_system_max", waiting_per_system_max, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("busy_after_ms", busy_after_ms, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("front_memory_mb", front_memory_mb, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("witness_required_s", witness_required_s, CYAML_FLAG_OPTIONAL, 10),
	TEXT_FIELD("user", config.user, CYAML_FLAG_OPTIONAL, CONFIG_USER_BYTES_MAX),
	TEXT_FIELD("sandbox", sandbox, CYAML_FLAG_OPTIONAL, 16),
	TEXT_FIELD("store_postgres", config.store_postgres, CYAML_FLAG_OPTIONAL, CONFIG_CONNINFO_BYTES_MAX),
	TEXT_FIELD("store_lone_server", store_lone_server, CYAML_FLAG_OPTIONAL, 8),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_text, config_fields),
};

// "" has no digit, so that strtoul's leniency about signs and spaces is out of reach.
static bool read_number_from(struct yaml_place *place, const char *key, const char *text, unsigned min, unsigned max,
			     unsigned *number)
{
	if (text == NULL)
		return true;
	size_t digits = strspn(text, "0123456789");
	unsigned long value = strtoul(text, NULL, 10);
	place->key = key;
	if (digits == 0 || text[digits] != '\0' || value < min || value > max)
		return yaml_file_refuse(place, "%s must be a number from %u to %u", key, min, max);
	*number = (unsigned)value;
	return true;
}

static bool read_number(struct yaml_place *place, const char *key, const char *text, unsigned max, unsigned *number)
{
	return read_number_from(place, key, text, 1, max, number);
}

// What may wait before the core, and what the front may take up.
static bool read_front_numbers(struct yaml_place *place, struct config_text *text)
{
	struct config *config = &text->config;
	config->waiting_max = WAITING_DEFAULT;
	config->busy_after_ms = BUSY_AFTER_MS_DEFAULT;
	config->front_memory_mb = FRONT_MEMORY_MB_DEFAULT;
	if (!read_number(place, "waiting_max", text->waiting_max, WAITING_MAX, &config->waiting_max) ||
	    !read_number(place, "busy_after_ms", text->busy_after_ms, BUSY_AFTER_MS_MAX, &config->busy_after_ms) ||
	    !read_number_from(place, "front_memory_mb", text->front_memory_mb, FRONT_MEMORY_MB_MIN, FRONT_MEMORY_MB_MAX,
			      &config->front_memory_mb))
		return false;
	// The default gives way to a small waiting_max, what was written does not.
	config->waiting_per_system_max =
		config->waiting_max < WAITING_PER_SYSTEM_DEFAULT ? config->waiting_max : WAITING_PER_SYSTEM_DEFAULT;
	return read_number(place, "waiting_per_system_max", text->waiting_per_system_max, config->waiting_max,
			   &config->waiting_per_system_max);
}

static bool read_numbers(struct yaml_place *place, struct config_text *text)
{
	struct config *config = &text->config;
	config->connections_max = CONNECTIONS_DEFAULT;
	config->batch_max = BATCH_DEFAULT;
	if (!read_number(place, "connections_max", text->connections_max, CONNECTIONS_MAX,
			 &config->connections_max) ||
	    !read_number(place, "witness_required_s", text->witness_required_s, WITNESS_REQUIRED_S_MAX,
			 &config->witness_required_s) ||
	    !read_number(place, "batch_max", text->batch_max, BATCH_MAX, &config->batch_max) ||
	    !read_front_numbers(place, text))
		return false;
	// The default gives way to a small connections_max, what was written does not.
	config->connections_per_system_max = config->connections_max < CONNECTIONS_PER_SYSTEM_DEFAULT
						     ? config->connections_max
						     : CONNECTIONS_PER_SYSTEM_DEFAULT;
	return read_number(place, "connections_per_system_max", text->connections_per_system_max,
			   config->connections_max, &config->connections_per_system_max);
}

static bool read_sandbox(struct yaml_place *place, const char *word, enum sandbox_mode *mode)
{
	static const char *const words[] = {
		[SANDBOX_BEST_EFFORT] = "best-effort", [SANDBOX_REQUIRED] = "required", [SANDBOX_OFF] = "off"};
	if (word == NULL)
		return true;
	for (enum sandbox_mode i = SANDBOX_BEST_EFFORT; i <= SANDBOX_OFF; i++)
		if (strcmp(word, words[i]) == 0) {
			*mode = i;
			return true;
		}
	place->key = "sandbox";
	return yaml_file_refuse(place, "sandbox must be required, best-effort or off");
}

// What is said of a PostgreSQL means nothing without one.
static bool read_store_word(struct yaml_place *place, const char *key, const char *word, const struct config *config, bool *ret)
{
	place->key = key;
	if (word != NULL && config->store_postgres == NULL)
		return yaml_file_refuse(place, "%s needs store_postgres", key);
	if (word != NULL && strcmp(word, "yes") != 0 && strcmp(word, "no") != 0)
		return yaml_file_refuse(place, "%s must be yes or no", key);
	*ret = word != NULL && strcmp(word, "yes") == 0;
	return true;
}

static bool read_store(struct yaml_place *place, struct config_text *text)
{
	struct config *config = &text->config;
	place->key = config->store_file == NULL ? "store_postgres" : "store_file";
	if ((config->store_file == NULL) == (config->store_postgres == NULL))
		return yaml_file_refuse(place, "one of store_file and store_postgres must be given, and not both");
	place->key = "store_postgres";
	if (config->store_postgres != NULL && !text_is_clean(config->store_postgres, strlen(config->store_postgres)))
		return yaml_file_refuse(place, "store_postgres has control characters");
	return read_store_word(place, "store_lone_server", text->store_lone_server, config, &config->store_lone_server);
}

static bool endpoint_is_tcp(const char *endpoint)
{
	static const char scheme[] = "tcp://";
	if (strncmp(endpoint, scheme, sizeof scheme - 1) != 0)
		return false;
	const char *host = endpoint + sizeof scheme - 1;
	const char *colon = strrchr(host, ':');
	if (colon == NULL || colon == host || strpbrk(host, " /;") != NULL)
		return false;
	const char *port = colon + 1;
	if (strcmp(port, "*") == 0)
		return true;
	size_t digits = strspn(port, "0123456789");
	unsigned long number = strtoul(port, NULL, 10);
	return digits > 0 && digits <= 5 && port[digits] == '\0' && number >= 1 && number <= 65535;
}

static bool check_endpoint(struct yaml_place *place, const char *key, const char *endpoint)
{
	place->key = key;
	return endpoint == NULL || endpoint_is_tcp(endpoint) ||
	       yaml_file_refuse(place, "%s must be tcp://host:port, with a port from 1 to 65535 or *", key);
}

// Keys that mean nothing without one another.
static bool check_company(struct yaml_place *place, const struct config *config)
{
	int given = (config->next_endpoint != NULL) + (config->next_certificate != NULL) + (config->next_key != NULL);
	place->key = config->next_endpoint != NULL ? "next_endpoint"
		     : config->next_certificate != NULL ? "next_certificate" : "next_key";
	if (given != 0 && given != 3)
		return yaml_file_refuse(place, "next_endpoint, next_certificate and next_key go together");
	place->key = "next_endpoint_file";
	if (config->next_endpoint_file != NULL && config->next_endpoint == NULL)
		return yaml_file_refuse(place, "next_endpoint_file needs next_endpoint");
	place->key = "enrolment_endpoint_file";
	if (config->enrolment_endpoint_file != NULL && config->enrolment_endpoint == NULL)
		return yaml_file_refuse(place, "enrolment_endpoint_file needs enrolment_endpoint");
	return true;
}

static bool check_words(struct yaml_place *place, const struct config *config)
{
	place->key = "broker_name";
	if (!text_is_clean(config->broker_name, strlen(config->broker_name)))
		return yaml_file_refuse(place, "broker_name has control characters");
	place->key = "user";
	if (config->user != NULL && (config->user[0] == '\0' || !text_is_clean(config->user, strlen(config->user))))
		return yaml_file_refuse(place, "user must be the name of a user of this machine");
	if (!check_endpoint(place, "endpoint", config->endpoint) ||
	    !check_endpoint(place, "enrolment_endpoint", config->enrolment_endpoint) ||
	    !check_endpoint(place, "next_endpoint", config->next_endpoint) || !check_company(place, config))
		return false;
#define X(name, optional)                                                               \
	place->key = #name;                                                             \
	if (config->name != NULL && !text_is_clean(config->name, strlen(config->name))) \
		return yaml_file_refuse(place, #name " has control characters");
	PATH_TABLE(X)
#undef X
	return true;
}

static bool resolve_all(const char *config_path, struct config *config)
{
	bool good = true;
#define X(name, optional) good = good && yaml_file_resolve(config_path, &config->name);
	PATH_TABLE(X)
#undef X
	return good;
}

bool config_load(const char *path, struct config **ret, char detail[CONFIG_DETAIL_BYTES])
{
	struct yaml_file file = {0};
	struct config_text *text = NULL;
	void *data = NULL;
	struct config *config = NULL;
	if (!yaml_file_open(path, &file, detail, CONFIG_DETAIL_BYTES) ||
	    !yaml_file_load(&file, &config_schema, &data, detail, CONFIG_DETAIL_BYTES))
		goto done;
	text = data;
	struct yaml_place place = {.file = &file,
				   .schema = &config_schema,
				   .detail = detail,
				   .detail_bytes = CONFIG_DETAIL_BYTES};
	if (!read_numbers(&place, text) || !read_sandbox(&place, text->sandbox, &text->config.sandbox) || !read_store(&place, text) ||
	    !check_words(&place, &text->config))
		goto done;
	config = malloc(sizeof *config);
	if (config == NULL || !resolve_all(path, &text->config)) {
		snprintf(detail, CONFIG_DETAIL_BYTES, "%s: out of memory", path);
		free(config);
		config = NULL;
		goto done;
	}
	// The strings change hands; what is left of the text is freed without them.
	*config = text->config;
	text->config = (struct config){0};
	*ret = config;
done:
	yaml_file_free(&config_schema, data);
	yaml_file_close(&file);
	return config != NULL;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	free(config->broker_name);
	free(config->endpoint);
	free(config->enrolment_endpoint);
	free(config->next_endpoint);
	free(config->user);
	free(config->store_postgres);
#define X(name, optional) free(config->name);
	PATH_TABLE(X)
#undef X
	free(config);
}

bool config_has_store_file(const struct config *config, const char *what, char detail[CONFIG_DETAIL_BYTES])
{
	if (config->store_file == NULL)
		snprintf(detail, CONFIG_DETAIL_BYTES, "%s is for a store_file, and the configuration has store_postgres: use PostgreSQL's own tools",
			 what);
	return config->store_file != NULL;
}
