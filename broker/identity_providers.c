// The files of identity providers.
#include "broker/identity_providers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"
#include "proto/yaml_file.h"

#define PATH_BYTES 4400

struct file_audience {
	char *system, *audience;
};

struct file_provider {
	char *issuer, *jwks_file, *assurance_level;
	char **algorithms;
	unsigned algorithms_count;
	struct file_audience *audiences;
	unsigned audiences_count;
};

#define TEXT(key, structure, member, bytes_max) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct structure, member, 1, bytes_max)

static const cyaml_schema_value_t word_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 16)};
static const cyaml_schema_field_t audience_fields[] = {
	TEXT("system", file_audience, system, ODS_CODE_BYTES_MAX + 1 + SYSTEM_NAME_BYTES_MAX),
	TEXT("audience", file_audience, audience, IDENTITY_AUDIENCE_BYTES_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t audience_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_audience, audience_fields),
};
static const cyaml_schema_field_t provider_fields[] = {
	TEXT("issuer", file_provider, issuer, IDENTITY_ISSUER_BYTES_MAX),
	TEXT("jwks_file", file_provider, jwks_file, 255),
	TEXT("assurance_level", file_provider, assurance_level, 1),
	CYAML_FIELD_SEQUENCE("algorithms", CYAML_FLAG_POINTER, struct file_provider, algorithms, &word_value, 1, IDENTITY_ALGORITHMS),
	CYAML_FIELD_SEQUENCE("audiences", CYAML_FLAG_POINTER, struct file_provider, audiences, &audience_value, 1, IDENTITY_AUDIENCES_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t provider_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_provider, provider_fields),
};

static bool read_algorithms(struct yaml_place *place, const struct file_provider *from, struct identity_provider *to)
{
	place->key = "algorithms";
	for (place->index = 0; place->index < from->algorithms_count; place->index++) {
		enum identity_algorithm algorithm;
		if (!identity_algorithm_by_name(from->algorithms[place->index], &algorithm))
			return yaml_file_refuse(place, "'%s' is none of RS256, PS256, ES256, EdDSA", from->algorithms[place->index]);
		to->algorithms |= 1u << algorithm;
	}
	return true;
}

// "RXH/fhir".
static bool read_audience(const struct file_audience *from, struct identity_audience *to)
{
	const char *slash = strchr(from->system, '/');
	if (slash == NULL || slash[1] == '\0' || strlen(slash + 1) > SYSTEM_NAME_BYTES_MAX || !text_is_clean(slash + 1, strlen(slash + 1)) ||
	    !ods_code_parse(from->system, (size_t)(slash - from->system), &to->organisation) || from->audience[0] == '\0')
		return false;
	snprintf(to->system, sizeof to->system, "%s", slash + 1);
	snprintf(to->audience, sizeof to->audience, "%s", from->audience);
	return true;
}

static bool read_audiences(struct yaml_place *place, const struct file_provider *from, struct identity_provider *to)
{
	place->key = "audiences";
	to->audiences = calloc(from->audiences_count, sizeof *to->audiences);
	if (to->audiences == NULL)
		return yaml_file_refuse(place, "out of memory");
	for (place->index = 0; place->index < from->audiences_count; place->index++) {
		struct identity_audience *audience = &to->audiences[place->index];
		if (!read_audience(&from->audiences[place->index], audience))
			return yaml_file_refuse(place, "an audience needs a system, like RXH/fhir, and the name that the provider knows it by");
		for (size_t i = 0; i < to->audiences_count; i++)
			// One token through two systems: neither could be told from the other.
			if (strcmp(to->audiences[i].audience, audience->audience) == 0 ||
			    identity_provider_audience(to, &audience->organisation, audience->system) != NULL)
				return yaml_file_refuse(place, "%s or its audience stands twice", from->audiences[place->index].system);
		to->audiences_count++;
	}
	return true;
}

static bool read_provider(struct yaml_place *place, const char *directory, const struct file_provider *from, struct identity_provider *to)
{
	char path[PATH_BYTES], why[120] = "";
	place->key = "issuer";
	if (from->issuer[0] == '\0' || !text_is_clean(from->issuer, strlen(from->issuer)))
		return yaml_file_refuse(place, "the issuer is empty or has control characters");
	snprintf(to->issuer, sizeof to->issuer, "%s", from->issuer);
	place->key = "assurance_level";
	if (strspn(from->assurance_level, "123") != 1)
		return yaml_file_refuse(place, "assurance_level must be 1, 2 or 3");
	to->assurance_level = (unsigned)(from->assurance_level[0] - '0');
	if (!read_algorithms(place, from, to) || !read_audiences(place, from, to))
		return false;
	place->key = "jwks_file";
	// What lies elsewhere is not watched.
	if (from->jwks_file[0] == '\0' || strchr(from->jwks_file, '/') != NULL)
		return yaml_file_refuse(place, "jwks_file is the name of a file in the same directory");
	snprintf(path, sizeof path, "%.4095s/%.255s", directory, from->jwks_file);
	if (!identity_keys_read(path, &to->keys, why, sizeof why))
		return yaml_file_refuse(place, "%s %s", from->jwks_file, why);
	return true;
}

static bool read_one(const char *directory, const char *name, struct identity_providers *to, char *detail, size_t detail_bytes)
{
	char path[PATH_BYTES];
	struct yaml_file file = {0};
	void *data = NULL;
	snprintf(path, sizeof path, "%.4095s/%.255s", directory, name);
	bool good = yaml_file_open(path, &file, detail, detail_bytes) && yaml_file_load(&file, &provider_schema, &data, detail, detail_bytes);
	struct yaml_place place = {.file = &file, .schema = &provider_schema, .detail = detail, .detail_bytes = detail_bytes};
	struct identity_provider *provider = &to->list[to->count];
	if (good) {
		const struct file_provider *from = data;
		to->count++; // freed with the rest whatever comes
		good = read_provider(&place, directory, from, provider);
		if (good && identity_providers_find(to, from->issuer) != provider) {
			place.key = "issuer";
			good = yaml_file_refuse(&place, "another file has this issuer");
		}
	}
	yaml_file_free(&provider_schema, data);
	yaml_file_close(&file);
	return good;
}

static int is_yaml(const struct dirent *entry)
{
	size_t bytes = strlen(entry->d_name);
	return entry->d_name[0] != '.' && bytes > 5 && strcmp(entry->d_name + bytes - 5, ".yaml") == 0;
}

// Not alphasort, whose order is the locale's.
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

bool identity_providers_load(const char *directory, struct identity_providers **ret, char *detail, size_t detail_bytes)
{
	struct dirent **names = NULL;
	int count = scandir(directory, &names, is_yaml, compare_names);
	if (count < 0) {
		snprintf(detail, detail_bytes, "%s: cannot be read: %s", directory, strerror(errno));
		return false;
	}
	struct identity_providers *providers = calloc(1, sizeof *providers);
	bool good = count <= (int)IDENTITY_PROVIDERS_MAX;
	if (!good)
		snprintf(detail, detail_bytes, "%s: more than %u identity providers", directory, IDENTITY_PROVIDERS_MAX);
	if (good && (providers == NULL || (providers->list = calloc((size_t)count + 1, sizeof *providers->list)) == NULL)) {
		snprintf(detail, detail_bytes, "%s: out of memory", directory);
		good = false;
	}
	for (int i = 0; i < count; i++) {
		good = good && read_one(directory, names[i]->d_name, providers, detail, detail_bytes);
		free(names[i]);
	}
	free(names);
	if (!good) {
		identity_providers_free(providers);
		return false;
	}
	*ret = providers;
	return true;
}

void identity_providers_free(struct identity_providers *providers)
{
	if (providers == NULL)
		return;
	for (size_t i = 0; i < providers->count; i++) {
		free(providers->list[i].audiences);
		identity_keys_free(providers->list[i].keys);
	}
	free(providers->list);
	free(providers);
}

const struct identity_provider *identity_providers_find(const struct identity_providers *providers, const char *issuer)
{
	for (size_t i = 0; providers != NULL && i < providers->count; i++)
		if (strcmp(providers->list[i].issuer, issuer) == 0)
			return &providers->list[i];
	return NULL;
}

const struct identity_audience *identity_provider_audience(const struct identity_provider *provider, const struct ods_code *organisation,
							     const char *system)
{
	for (size_t i = 0; provider != NULL && i < provider->audiences_count; i++)
		if (ods_code_equal(&provider->audiences[i].organisation, organisation) && strcmp(provider->audiences[i].system, system) == 0)
			return &provider->audiences[i];
	return NULL;
}
