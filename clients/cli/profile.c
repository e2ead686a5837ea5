// Reading a profile through libcyaml.
#include "clients/cli/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/key_token.h"
#include "clients/cli/command_line.h"
#include "proto/invariant.h"
#include "proto/text.h"
#include "proto/wire.h"
#include "proto/yaml_file.h"
#include "proto/yaml_keys.h"

#define PATH_BYTES_MAX 4095
#define WITNESS_AGE_S_MAX (31u * 24u * 3600u)

#define WORD_TABLE(X)                                                                                \
	X(endpoint, 0, 255)                                                                          \
	X(broker_name, 0, 64)                                                                        \
	X(role, CYAML_FLAG_OPTIONAL, ROLE_CODE_BYTES_MAX)                                            \
	X(care_setting, CYAML_FLAG_OPTIONAL, 64)                                                     \
	X(share_log, CYAML_FLAG_OPTIONAL, 3)                                                         \
	X(witness, CYAML_FLAG_OPTIONAL, 6)                                                           \
	X(witness_age_max, CYAML_FLAG_OPTIONAL, 10)
#define PATH_TABLE(X)                                                                                \
	X(broker_certificate, 0, PATH_BYTES_MAX)                                                     \
	X(trust_directory, 0, PATH_BYTES_MAX)                                                        \
	X(system_certificate, 0, PATH_BYTES_MAX)                                                     \
	X(staff_certificate, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX)                                    \
	X(checkpoint_file, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX)
#define KEY_TABLE(X)                                                                                 \
	X(system_key, 0, PATH_BYTES_MAX)                                                             \
	X(staff_key, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX)

#define BROKER_WORD_TABLE(X)                                                                         \
	X(endpoint, 0, 255)                                                                          \
	X(broker_name, 0, 64)
#define BROKER_PATH_TABLE(X)                                                                         \
	X(broker_certificate, 0, PATH_BYTES_MAX)                                                     \
	X(trust_directory, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX)                                      \
	X(checkpoint_file, CYAML_FLAG_OPTIONAL, PATH_BYTES_MAX)

static const cyaml_schema_field_t broker_fields[] = {
#define X(name, optional, bytes_max)                                                                 \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | (optional), struct profile_broker, name, 1, bytes_max),
	BROKER_WORD_TABLE(X) BROKER_PATH_TABLE(X)
#undef X
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t broker_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_broker, broker_fields),
};

static const cyaml_schema_field_t profile_fields[] = {
#define X(name, optional, bytes_max)                                                                 \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | (optional), struct profile, name, 1, bytes_max),
	WORD_TABLE(X) PATH_TABLE(X) KEY_TABLE(X)
#undef X
	CYAML_FIELD_SEQUENCE("brokers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct profile, brokers, &broker_value, 0,
			     PROFILE_BROKERS_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t profile_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct profile, profile_fields),
};

void profile_print_keys(FILE *out)
{
	yaml_keys_print(&profile_schema, out);
}

// One that stands twice would seem to be two.
static bool is_named_before(const struct profile *profile, unsigned number)
{
	const char *endpoint = profile->brokers[number].endpoint;
	bool named = strcmp(endpoint, profile->endpoint) == 0;
	for (unsigned i = 0; i < number; i++)
		named = named || strcmp(endpoint, profile->brokers[i].endpoint) == 0;
	return named;
}

static bool check_brokers(struct yaml_place *place, const struct profile *profile)
{
	place->key = "brokers";
	for (place->index = 0; place->index < profile->brokers_count; place->index++) {
		const struct profile_broker *broker = &profile->brokers[place->index];
#define X(name, optional, bytes_max)                                                                 \
	if (broker->name != NULL && !text_is_clean(broker->name, strlen(broker->name)))              \
		return yaml_file_refuse(place, #name " has control characters");
		BROKER_WORD_TABLE(X)
		BROKER_PATH_TABLE(X)
#undef X
		if (is_named_before(profile, place->index))
			return yaml_file_refuse(place, "the broker at %s stands twice", broker->endpoint);
	}
	return true;
}

static bool check_share_log(struct yaml_place *place, struct profile *profile)
{
	place->key = "share_log";
	if (profile->share_log == NULL)
		return true;
	profile->shares_log = strcmp(profile->share_log, "yes") == 0;
	if (!profile->shares_log && strcmp(profile->share_log, "no") != 0)
		return yaml_file_refuse(place, "share_log must be yes or no");
	if (profile->brokers_count == 0)
		return yaml_file_refuse(place, "share_log goes with brokers");
	place->key = "brokers";
	for (place->index = 0; profile->shares_log && place->index < profile->brokers_count; place->index++) {
		const struct profile_broker *broker = &profile->brokers[place->index];
		if (broker->trust_directory != NULL || broker->checkpoint_file != NULL)
			return yaml_file_refuse(place, "with share_log there is one log: trust_directory and checkpoint_file are the "
						       "profile's, and none of a broker's own");
	}
	return true;
}

static bool check_witness(struct yaml_place *place, struct profile *profile)
{
	place->key = "witness";
	if ((profile->witness == NULL) != (profile->witness_age_max == NULL))
		return yaml_file_refuse(place, "witness and witness_age_max go together");
	if (profile->witness == NULL)
		return true;
	if (strcmp(profile->witness, "warn") != 0 && strcmp(profile->witness, "refuse") != 0)
		return yaml_file_refuse(place, "witness must be warn or refuse");
	place->key = "witness_age_max";
	if (!command_number(profile->witness_age_max, 1, WITNESS_AGE_S_MAX, &profile->witness_age_max_s))
		return yaml_file_refuse(place, "witness_age_max must be a number of seconds from 1 to %u", WITNESS_AGE_S_MAX);
	return true;
}

static bool check(struct yaml_place *place, struct profile *profile)
{
	Cpis__V1__CareSetting setting;
#define X(name, optional, bytes_max)                                                                 \
	place->key = #name;                                                                          \
	if (profile->name != NULL && !text_is_clean(profile->name, strlen(profile->name)))           \
		return yaml_file_refuse(place, #name " has control characters");
	WORD_TABLE(X)
	PATH_TABLE(X)
	KEY_TABLE(X)
#undef X
#define X(name, optional, bytes_max)                                                                 \
	place->key = #name;                                                                          \
	if (!yaml_file_secret_is_named(profile->name))                                               \
		return yaml_file_refuse(place, YAML_FILE_SECRET_UNNAMED, #name);
	KEY_TABLE(X)
#undef X
	place->key = "role";
	if (profile->role != NULL && !text_is_role_code(profile->role, strlen(profile->role)))
		return yaml_file_refuse(place, "role must be a role code, e.g. R8001");
	place->key = "care_setting";
	if (profile->care_setting != NULL && !wire_care_setting_by_name(profile->care_setting, &setting))
		return yaml_file_refuse(place, "care_setting is not one that the protocol knows");
	place->key = "endpoint";
	int given = (profile->staff_certificate != NULL) + (profile->staff_key != NULL) + (profile->role != NULL);
	if (given != 0 && given != 3)
		return yaml_file_refuse(place, "staff_certificate, staff_key and role go together");
	return check_witness(place, profile) && check_brokers(place, profile) && check_share_log(place, profile);
}

// A key on a token is named by a URI, which is no path.
static bool resolve_key(const char *path, char **name)
{
	return (*name != NULL && signing_key_is_token(*name)) || yaml_file_resolve_secret(path, name);
}

bool profile_load(const char *path, struct profile **ret, char detail[PROFILE_DETAIL_BYTES])
{
	struct yaml_file file = {0};
	void *data = NULL;
	struct profile *profile = NULL;
	if (!yaml_file_open(path, &file, detail, PROFILE_DETAIL_BYTES))
		return false;
	if (yaml_file_load(&file, &profile_schema, &data, detail, PROFILE_DETAIL_BYTES)) {
		struct yaml_place place = {.file = &file,
					   .schema = &profile_schema,
					   .detail = detail,
					   .detail_bytes = PROFILE_DETAIL_BYTES};
		profile = data;
		bool good = check(&place, profile);
#define X(name, optional, bytes_max) good = good && yaml_file_resolve(path, &profile->name);
		PATH_TABLE(X)
#undef X
#define X(name, optional, bytes_max) good = good && resolve_key(path, &profile->name);
		KEY_TABLE(X)
#undef X
		for (unsigned i = 0; i < profile->brokers_count; i++) {
#define X(name, optional, bytes_max) good = good && yaml_file_resolve(path, &profile->brokers[i].name);
			BROKER_PATH_TABLE(X)
#undef X
		}
		if (!good) {
			profile_free(profile);
			profile = NULL;
		}
	}
	yaml_file_close(&file);
	if (profile == NULL)
		return false;
	*ret = profile;
	return true;
}

size_t profile_brokers_count(const struct profile *profile)
{
	return 1 + profile->brokers_count;
}

struct profile_broker profile_broker(const struct profile *profile, size_t number)
{
	struct profile_broker own = {.endpoint = profile->endpoint,
				     .broker_name = profile->broker_name,
				     .broker_certificate = profile->broker_certificate,
				     .trust_directory = profile->trust_directory,
				     .checkpoint_file = profile->checkpoint_file};
	INVARIANT(number < profile_brokers_count(profile));
	if (number == 0)
		return own;
	struct profile_broker broker = profile->brokers[number - 1];
	if (broker.trust_directory == NULL)
		broker.trust_directory = own.trust_directory;
	if (profile->shares_log)
		broker.checkpoint_file = own.checkpoint_file;
	return broker;
}

void profile_connect_options(const struct profile *profile, size_t number, struct cpis_options *ret)
{
	struct profile_broker broker = profile_broker(profile, number);
	*ret = (struct cpis_options){
		.endpoint = broker.endpoint,
		.broker_name = broker.broker_name,
		.broker_certificate = broker.broker_certificate,
		.trust_directory = broker.trust_directory,
		.system_certificate = profile->system_certificate,
		.system_key = profile->system_key,
		.checkpoint_file = broker.checkpoint_file,
	};
}

size_t profile_further(const struct profile *profile, struct cpis_broker ret[PROFILE_BROKERS_MAX])
{
	if (!profile->shares_log)
		return 0;
	for (size_t i = 0; i < profile->brokers_count; i++)
		ret[i] = (struct cpis_broker){profile->brokers[i].endpoint, profile->brokers[i].broker_name,
					      profile->brokers[i].broker_certificate};
	return profile->brokers_count;
}

void profile_free(struct profile *profile)
{
	yaml_file_free(&profile_schema, profile);
}
