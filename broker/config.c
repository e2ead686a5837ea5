// The broker's configuration file.
#include "broker/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/config_table.h"
#include "broker/metrics_address.h"
#include "certs/identity.h"
#include "proto/text.h"
#include "proto/yaml_file.h"

// Numbers are read as text: libcyaml would take "10k" for 10.
struct config_text {
	struct config config;
#define NOTHING(...)
#define NUMBER(key, least, most, usual, cap, unit, meaning) char *key;
	CONFIG_TABLE(NOTHING, NOTHING, NOTHING, NOTHING, NUMBER)
#undef NUMBER
	char *sandbox;
	char *store_lone_server;
	char *log_format;
	char *drill;
};

#define NEEDED CYAML_FLAG_POINTER
#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define TEXT_FIELD(key, member, flags, bytes_max) CYAML_FIELD_STRING_PTR(#key, flags, struct config_text, member, 1, bytes_max),

static const cyaml_schema_field_t config_fields[] = {
#define WORD(key, member, needed, bytes_max, usual, meaning) TEXT_FIELD(key, member, needed, bytes_max)
#define PATH(key, needed, usual, meaning) TEXT_FIELD(key, config.key, needed, CONFIG_PATH_BYTES_MAX)
#define NUMBER(key, least, most, usual, cap, unit, meaning) TEXT_FIELD(key, key, OPTIONAL, 10)
	CONFIG_TABLE(WORD, PATH, PATH, PATH, NUMBER)
#undef WORD
#undef PATH
#undef NUMBER
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_text, config_fields),
};

static const struct number {
	const char *key, *cap;
	unsigned least, most, usual;
	size_t text, value; // where they stand in struct config_text
} numbers[] = {
#define NUMBER(key_, least_, most_, usual_, cap_, unit, meaning)                                   \
	{.key = #key_, .cap = cap_, .least = least_, .most = most_, .usual = usual_,                \
	 .text = offsetof(struct config_text, key_), .value = offsetof(struct config_text, config.key_)},
	CONFIG_TABLE(NOTHING, NOTHING, NOTHING, NOTHING, NUMBER)
#undef NUMBER
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static unsigned *value_of(struct config_text *text, const struct number *number)
{
	return (unsigned *)(void *)((char *)text + number->value);
}

// The other number's value; this one's bound where there is none.
static unsigned cap_of(struct config_text *text, const struct number *number)
{
	for (size_t i = 0; i < NUMBERS; i++)
		if (strcmp(numbers[i].key, number->cap) == 0)
			return *value_of(text, &numbers[i]);
	return number->most;
}

// "" has no digit, so that strtoul's leniency about signs and spaces is out of reach.
static bool read_number(struct yaml_place *place, struct config_text *text, const struct number *number)
{
	const char *written = *(char **)(void *)((char *)text + number->text);
	unsigned most = cap_of(text, number);
	// The default gives way to a small cap, what was written does not.
	*value_of(text, number) = number->usual < most ? number->usual : most;
	if (written == NULL)
		return true;
	size_t digits = strspn(written, "0123456789");
	unsigned long value = strtoul(written, NULL, 10);
	place->key = number->key;
	if (digits == 0 || written[digits] != '\0' || value < number->least || value > most)
		return yaml_file_refuse(place, "%s must be a number from %u to %u", number->key, number->least, most);
	*value_of(text, number) = (unsigned)value;
	return true;
}

// A cap stands before what it is for.
static bool read_numbers(struct yaml_place *place, struct config_text *text)
{
	for (size_t i = 0; i < NUMBERS; i++)
		if (!read_number(place, text, &numbers[i]))
			return false;
	return true;
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

static bool read_watching(struct yaml_place *place, const struct config_text *text, struct config *config)
{
	place->key = "log_format";
	if (text->log_format != NULL && strcmp(text->log_format, "text") != 0 && strcmp(text->log_format, "json") != 0)
		return yaml_file_refuse(place, "log_format must be text or json");
	config->log_format = text->log_format != NULL && strcmp(text->log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	place->key = "drill";
	if (text->drill != NULL && strcmp(text->drill, "yes") != 0 && strcmp(text->drill, "no") != 0)
		return yaml_file_refuse(place, "drill must be yes or no");
	config->drill = text->drill != NULL && strcmp(text->drill, "yes") == 0;
	return true;
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

// What is served there is for this machine: numbers of a service for children are nobody else's.
static bool check_metrics_endpoint(struct yaml_place *place, const struct config *config)
{
	struct metrics_address address;
	place->key = "metrics_endpoint";
	if (config->metrics_endpoint != NULL && !metrics_address_parse(config->metrics_endpoint, &address))
		return yaml_file_refuse(place, "metrics_endpoint must be a loopback address and a port from 1 to 65535 or *, as in 127.0.0.1:9420 or [::1]:9420");
	place->key = "metrics_endpoint_file";
	if (config->metrics_endpoint_file != NULL && config->metrics_endpoint == NULL)
		return yaml_file_refuse(place, "metrics_endpoint_file needs metrics_endpoint");
	return true;
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
	if (!check_metrics_endpoint(place, config) || !check_endpoint(place, "endpoint", config->endpoint) ||
	    !check_endpoint(place, "enrolment_endpoint", config->enrolment_endpoint) ||
	    !check_endpoint(place, "next_endpoint", config->next_endpoint) || !check_company(place, config))
		return false;
#define PATH(name, needed, usual, meaning)                                              \
	place->key = #name;                                                             \
	if (config->name != NULL && !text_is_clean(config->name, strlen(config->name))) \
		return yaml_file_refuse(place, #name " has control characters");
	CONFIG_TABLE(NOTHING, PATH, PATH, PATH, NOTHING)
#undef PATH
#define SECRET(name, needed, usual, meaning)                                            \
	place->key = #name;                                                             \
	if (!yaml_file_secret_is_named(config->name))                                   \
		return yaml_file_refuse(place, YAML_FILE_SECRET_UNNAMED, #name);
	CONFIG_TABLE(NOTHING, NOTHING, NOTHING, SECRET, NOTHING)
#undef SECRET
	return true;
}

static bool resolve_all(const char *config_path, struct config *config)
{
	bool good = true;
#define PATH(name, needed, usual, meaning) good = good && yaml_file_resolve(config_path, &config->name);
#define SECRET(name, needed, usual, meaning) good = good && yaml_file_resolve_secret(config_path, &config->name);
	CONFIG_TABLE(NOTHING, PATH, PATH, SECRET, NOTHING)
#undef PATH
#undef SECRET
	return good;
}

static bool name_handover_socket(struct config *config)
{
	return config->handover_socket != NULL || config->store_file == NULL ||
	       asprintf(&config->handover_socket, "%s.handover", config->store_file) >= 0;
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
	    !read_watching(&place, text, &text->config) ||
	    !check_words(&place, &text->config))
		goto done;
	config = malloc(sizeof *config);
	if (config == NULL || !resolve_all(path, &text->config) || !name_handover_socket(&text->config)) {
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
	free(config->metrics_endpoint);
#define PATH(name, needed, usual, meaning) free(config->name);
	CONFIG_TABLE(NOTHING, PATH, PATH, PATH, NOTHING)
#undef PATH
	free(config);
}

void config_missing(const struct config *config, void (*each)(void *context, const char *sentence), void *context)
{
	const struct {
		const char *key, *path;
	} needed[] = {
#define PATH(name, needed, usual, meaning) {#name, config->name},
		CONFIG_TABLE(NOTHING, PATH, NOTHING, PATH, NOTHING)
#undef PATH
	};
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		char sentence[CONFIG_DETAIL_BYTES];
		if (needed[i].path == NULL || access(needed[i].path, F_OK) == 0)
			continue;
		snprintf(sentence, sizeof sentence, "%s: %.300s: %s", needed[i].key, needed[i].path, strerror(errno));
		each(context, sentence);
	}
}

bool config_has_store_file(const struct config *config, const char *what, char detail[CONFIG_DETAIL_BYTES])
{
	if (config->store_file == NULL)
		snprintf(detail, CONFIG_DETAIL_BYTES, "%s is for a store_file, and the configuration has store_postgres: use PostgreSQL's own tools",
			 what);
	return config->store_file != NULL;
}
