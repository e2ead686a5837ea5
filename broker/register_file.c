// The register file: YAML read into the snapshot's sorted tables.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/limits.h"
#include "broker/file_schemas_priv.h"
#include "broker/register_priv.h"
#include "proto/date.h"
#include "proto/invariant.h"
#include "proto/text.h"
#include "proto/wire.h"
#include "proto/yaml_file.h"

#define INSTANT_BYTES_MAX 30
#define PLACE_BYTES_MAX 24
#define MINUTES_PER_DAY (24u * 60u)

// ------------------------------------------------------------------ the file as it is written

enum file_often { OFTEN_NEVER, OFTEN_HOURLY, OFTEN_DAILY };

// NULL: not said.
struct file_inbox {
	uint32_t *escalate_after_minutes, *expire_after_days, *same_look_minutes;
	enum file_often *digest, *nothing_to_report;
};

struct file_organisation {
	char *ods, *name, *place;
	enum organisation_type type;
	char **care_settings;
	unsigned care_settings_count;
	struct file_inbox *inbox;
	struct register_answers *answers;
	struct register_incident *incident;
};

struct file_profile {
	char *uid, *role, *organisation, *from, *until, *trained;
	char **activities;
	unsigned activities_count;
};

struct file_publishing {
	unsigned vanished_percent_max, contacts_stale_days;
};

struct file_register {
	struct file_publishing *publishing;
	struct file_organisation *organisations;
	unsigned organisations_count;
	struct file_profile *role_profiles;
	unsigned role_profiles_count;
};

static const cyaml_strval_t type_words[ORGANISATION_TYPES] = {
#define X(name, word) {word, name},
	ORGANISATION_TYPE_TABLE(X)
#undef X
};

#define TEXT(key, flags, structure, member, bytes_max) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), struct structure, member, 1, bytes_max)

static const cyaml_schema_value_t word_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, POLICY_NAME_BYTES_MAX)};

static const cyaml_strval_t digest_words[] = {{"never", OFTEN_NEVER}, {"hourly", OFTEN_HOURLY}};
static const cyaml_strval_t nothing_words[] = {{"never", OFTEN_NEVER}, {"daily", OFTEN_DAILY}};

#define OPTIONAL_NUMBER(key, member) \
	CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_inbox, member)
#define OPTIONAL_WORD(key, member, words)                                                            \
	CYAML_FIELD_ENUM_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct file_inbox, member, words, \
			     sizeof words / sizeof words[0])

static const cyaml_schema_field_t inbox_fields[] = {
	OPTIONAL_NUMBER("escalate_after_minutes", escalate_after_minutes),
	OPTIONAL_NUMBER("expire_after_days", expire_after_days),
	OPTIONAL_NUMBER("same_look_minutes", same_look_minutes),
	OPTIONAL_WORD("digest", digest, digest_words),
	OPTIONAL_WORD("nothing_to_report", nothing_to_report, nothing_words),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t organisation_fields[] = {
	TEXT("ods", 0, file_organisation, ods, ODS_CODE_BYTES_MAX),
	TEXT("name", 0, file_organisation, name, TEXT_BYTES_MAX),
	CYAML_FIELD_ENUM("type", CYAML_FLAG_STRICT, struct file_organisation, type, type_words,
			 ORGANISATION_TYPES),
	CYAML_FIELD_SEQUENCE("care_settings", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct file_organisation, care_settings, &word_value, 0, POLICY_CARE_SETTINGS_MAX),
	TEXT("place", CYAML_FLAG_OPTIONAL, file_organisation, place, PLACE_BYTES_MAX),
	CYAML_FIELD_MAPPING_PTR("inbox", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_organisation, inbox,
				inbox_fields),
	CYAML_FIELD_MAPPING_PTR("answers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_organisation, answers,
				register_answers_fields),
	CYAML_FIELD_MAPPING_PTR("incident", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_organisation, incident,
				register_incident_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t profile_fields[] = {
	TEXT("uid", 0, file_profile, uid, UID_DIGITS),
	TEXT("role", 0, file_profile, role, ROLE_CODE_BYTES_MAX),
	TEXT("organisation", 0, file_profile, organisation, ODS_CODE_BYTES_MAX),
	TEXT("from", 0, file_profile, from, INSTANT_BYTES_MAX),
	TEXT("until", CYAML_FLAG_OPTIONAL, file_profile, until, INSTANT_BYTES_MAX),
	TEXT("trained", CYAML_FLAG_OPTIONAL, file_profile, trained, INSTANT_BYTES_MAX),
	CYAML_FIELD_SEQUENCE("activities", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_profile,
			     activities, &word_value, 0, ACTIVITIES_PER_ROLE_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t organisation_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_organisation, organisation_fields),
};
static const cyaml_schema_value_t profile_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_profile, profile_fields),
};
static const cyaml_schema_field_t publishing_fields[] = {
	CYAML_FIELD_UINT("vanished_percent_max", CYAML_FLAG_DEFAULT, struct file_publishing, vanished_percent_max),
	CYAML_FIELD_UINT("contacts_stale_days", CYAML_FLAG_DEFAULT, struct file_publishing, contacts_stale_days),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t register_fields[] = {
	CYAML_FIELD_MAPPING_PTR("publishing", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_register, publishing,
				publishing_fields),
	CYAML_FIELD_SEQUENCE("organisations", CYAML_FLAG_POINTER, struct file_register, organisations,
			     &organisation_value, 0, REGISTER_ORGANISATIONS_MAX),
	CYAML_FIELD_SEQUENCE("role_profiles", CYAML_FLAG_POINTER, struct file_register, role_profiles,
			     &profile_value, 0, REGISTER_PROFILES_MAX),
	CYAML_FIELD_END,
};
const cyaml_schema_value_t register_file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_register, register_fields),
};

// ------------------------------------------------------------------ organisations

static bool read_care_settings(struct yaml_place *place, const struct file_organisation *from, uint64_t *ret)
{
	uint64_t mask = 0;
	for (unsigned i = 0; i < from->care_settings_count; i++) {
		Cpis__V1__CareSetting setting;
		if (!wire_care_setting_by_name(from->care_settings[i], &setting))
			return yaml_file_refuse(place, "organisation %s: unknown care setting '%s'",
						from->ods, from->care_settings[i]);
		INVARIANT((unsigned)setting < POLICY_CARE_SETTINGS_MAX);
		uint64_t bit = UINT64_C(1) << (unsigned)setting;
		if ((mask & bit) != 0)
			return yaml_file_refuse(place, "organisation %s: care setting %s stands twice",
						from->ods, from->care_settings[i]);
		mask |= bit;
	}
	*ret = mask;
	return true;
}

struct inbox_settings register_inbox_defaults(enum organisation_type type)
{
	bool authority = type == ORGANISATION_LOCAL_AUTHORITY;
	return (struct inbox_settings){
		.escalate_after_minutes = authority ? REGISTER_ESCALATE_MINUTES_DEFAULT : 0,
		.expire_after_days = REGISTER_EXPIRE_DAYS_DEFAULT,
		.same_look_minutes = authority ? REGISTER_SAME_LOOK_MINUTES_DEFAULT : 0,
	};
}

// A number within its bounds, where the file says one.
static bool read_number(struct yaml_place *place, const struct file_organisation *from, const char *key, const uint32_t *said,
			uint32_t min, uint32_t max, uint32_t *ret)
{
	if (said == NULL)
		return true;
	if (*said < min || *said > max)
		return yaml_file_refuse(place, "organisation %s: inbox: %s must be %u to %u", from->ods, key, min, max);
	*ret = *said;
	return true;
}

static bool read_inbox(struct yaml_place *place, const struct file_organisation *from, struct inbox_settings *to)
{
	const struct file_inbox *said = from->inbox;
	*to = register_inbox_defaults(from->type);
	if (said == NULL)
		return true;
	// Nobody but an authority is told of looks.
	if (from->type != ORGANISATION_LOCAL_AUTHORITY &&
	    (said->same_look_minutes != NULL || said->digest != NULL || said->nothing_to_report != NULL))
		return yaml_file_refuse(place, "organisation %s: inbox: same_look_minutes, digest and nothing_to_report are "
					"for local authorities only", from->ods);
	if (!read_number(place, from, "escalate_after_minutes", said->escalate_after_minutes, 0, REGISTER_ESCALATE_MINUTES_MAX,
			 &to->escalate_after_minutes) ||
	    !read_number(place, from, "expire_after_days", said->expire_after_days, 1, REGISTER_EXPIRE_DAYS_MAX, &to->expire_after_days) ||
	    !read_number(place, from, "same_look_minutes", said->same_look_minutes, 0, REGISTER_SAME_LOOK_MINUTES_MAX,
			 &to->same_look_minutes))
		return false;
	if (to->escalate_after_minutes >= to->expire_after_days * MINUTES_PER_DAY)
		return yaml_file_refuse(place, "organisation %s: inbox: escalate_after_minutes must be less than expire_after_days",
					from->ods);
	to->digest_hourly = said->digest != NULL && *said->digest == OFTEN_HOURLY;
	to->nothing_to_report_daily = said->nothing_to_report != NULL && *said->nothing_to_report == OFTEN_DAILY;
	return true;
}

static bool read_organisation(struct yaml_place *place, const struct file_organisation *from,
			      struct organisation *to)
{
	if (!ods_code_parse(from->ods, strlen(from->ods), &to->ods))
		return yaml_file_refuse(place, "'%s' is not an ODS code: 3 to 12 capital letters and digits",
					from->ods);
	if (!text_is_clean(from->name, strlen(from->name)))
		return yaml_file_refuse(place, "organisation %s: the name has control characters", from->ods);
	memcpy(to->name, from->name, strlen(from->name) + 1);
	to->type = from->type;
	if (from->place != NULL && !place_parse(from->place, &to->place))
		return yaml_file_refuse(place, "organisation %s: place is latitude and longitude in degrees, like 53.80 -1.55",
					from->ods);
	return read_care_settings(place, from, &to->care_settings) && read_inbox(place, from, &to->inbox) &&
	       (from->incident == NULL || register_read_incident(place, from->ods, from->incident, &to->incident));
}

static unsigned entry_of_organisation(const struct file_register *file, const struct ods_code *ods)
{
	// The last one: of two, the one that is one too many.
	unsigned index = file->organisations_count - 1;
	while (index > 0 && strcmp(file->organisations[index].ods, ods->text) != 0)
		index--;
	return index;
}

static int compare_organisations(const void *a, const void *b)
{
	return strcmp(((const struct organisation *)a)->ods.text, ((const struct organisation *)b)->ods.text);
}

static bool read_organisations(struct yaml_place *place, const struct file_register *file,
			       struct register_snapshot *to)
{
	place->key = "organisations";
	for (place->index = 0; place->index < file->organisations_count; place->index++) {
		const struct file_organisation *from = &file->organisations[place->index];
		struct organisation *organisation = &to->organisations[place->index];
		to->organisations_count = place->index + 1u; // also of one that fails: what it holds is freed
		if (!read_organisation(place, from, organisation) ||
		    (from->answers != NULL && !register_add_answers(place, from->answers, &organisation->ods, to)))
			return false;
	}
	qsort(to->organisations, to->organisations_count, sizeof to->organisations[0], compare_organisations);
	for (size_t i = 1; i < to->organisations_count; i++) {
		if (compare_organisations(&to->organisations[i - 1], &to->organisations[i]) != 0)
			continue;
		place->index = entry_of_organisation(file, &to->organisations[i].ods);
		return yaml_file_refuse(place, "organisation %s stands twice", to->organisations[i].ods.text);
	}
	return true;
}

// ------------------------------------------------------------------ publishing

#define VANISHED_PERCENT_DEFAULT 10u
#define CONTACTS_STALE_DAYS_DEFAULT 90u

static bool read_publishing(struct yaml_place *place, const struct file_publishing *from, struct publishing_rules *to)
{
	*to = (struct publishing_rules){VANISHED_PERCENT_DEFAULT, CONTACTS_STALE_DAYS_DEFAULT};
	if (from == NULL)
		return true;
	place->key = "publishing";
	place->index = 0;
	if (from->vanished_percent_max > 100)
		return yaml_file_refuse(place, "vanished_percent_max is a share in 100: 0 to 100");
	if (from->contacts_stale_days == 0 || from->contacts_stale_days > REGISTER_CONTACTS_STALE_DAYS_MAX)
		return yaml_file_refuse(place, "contacts_stale_days is 1 to %u", REGISTER_CONTACTS_STALE_DAYS_MAX);
	*to = (struct publishing_rules){from->vanished_percent_max, from->contacts_stale_days};
	return true;
}

// ------------------------------------------------------------------ role profiles

static bool read_period(struct yaml_place *place, const struct file_profile *from, struct role_profile *to)
{
	if (!instant_parse(from->from, strlen(from->from), &to->from_ms))
		return yaml_file_refuse(
			place, "role profile of %s: from '%s' is not a date (YYYY-MM-DD) or a UTC time",
			from->uid, from->from);
	if (from->trained != NULL && !instant_parse(from->trained, strlen(from->trained), &to->trained_ms))
		return yaml_file_refuse(place, "role profile of %s: trained '%s' is not a date (YYYY-MM-DD) or a UTC time",
					from->uid, from->trained);
	if (from->until == NULL)
		return true;
	if (!instant_parse(from->until, strlen(from->until), &to->until_ms))
		return yaml_file_refuse(
			place, "role profile of %s: until '%s' is not a date (YYYY-MM-DD) or a UTC time",
			from->uid, from->until);
	// This also keeps an until of 1970-01-01 out, whose 0 would stand for "no end".
	if (to->until_ms <= to->from_ms)
		return yaml_file_refuse(place, "role profile of %s: until must be after from", from->uid);
	return true;
}

static bool read_additional(struct yaml_place *place, const struct file_profile *from,
			    const struct policy *policy, struct role_profile *to)
{
	for (unsigned i = 0; i < from->activities_count; i++) {
		struct activity_set one = {0};
		size_t ignored;
		if (!policy_activity(policy, from->activities[i], &one))
			return yaml_file_refuse(place, "role profile of %s: the policy has no activity '%s'",
						from->uid, from->activities[i]);
		if (activity_sets_meet(&to->additional, &one, &ignored))
			return yaml_file_refuse(place, "role profile of %s: activity %s stands twice",
						from->uid, from->activities[i]);
		activity_set_add_all(&to->additional, &one);
	}
	// So that a session can name them all.
	struct activity_set held = policy_role_activities(policy, to->role_code);
	activity_set_add_all(&held, &to->additional);
	if (activity_set_count(&held) > ACTIVITIES_PER_ROLE_MAX)
		return yaml_file_refuse(place,
					"role profile of %s: more than %u activities with those of the role",
					from->uid, ACTIVITIES_PER_ROLE_MAX);
	return true;
}

static bool read_profile(struct yaml_place *place, const struct file_profile *from,
			 const struct policy *policy, const struct register_snapshot *snapshot,
			 struct role_profile *to)
{
	if (!text_is_digits(from->uid, strlen(from->uid), UID_DIGITS))
		return yaml_file_refuse(place, "'%s' is not a staff uid: 12 digits", from->uid);
	if (policy_role_name(policy, from->role) == NULL)
		return yaml_file_refuse(place, "role profile of %s: the policy has no role '%s'", from->uid,
					from->role);
	if (!ods_code_parse(from->organisation, strlen(from->organisation), &to->organisation) ||
	    register_organisation(snapshot, &to->organisation) == NULL)
		return yaml_file_refuse(place, "role profile of %s: unknown organisation '%s'", from->uid,
					from->organisation);
	memcpy(to->uid, from->uid, sizeof to->uid);
	memcpy(to->role_code, from->role, strlen(from->role) + 1);
	return read_period(place, from, to) && read_additional(place, from, policy, to);
}

// A profile as it was read, and the entry it came from, for complaints about pairs.
struct origin {
	const struct role_profile *profile;
	unsigned index;
};

static int compare_origins(const void *a, const void *b)
{
	const struct origin *x = a, *y = b;
	const struct role_profile *p = x->profile, *q = y->profile;
	int order = register_compare_holdings(p, q);
	if (order == 0)
		order = (p->from_ms > q->from_ms) - (p->from_ms < q->from_ms);
	return order == 0 ? (x->index > y->index) - (x->index < y->index) : order;
}

// Puts the profiles, read in the file's order, into `to` in theirs, and refuses two that hold at one time.
static bool sort_profiles(struct yaml_place *place, const struct role_profile *read, struct origin *origins,
			  size_t count, struct role_profile *to)
{
	for (size_t i = 0; i < count; i++)
		origins[i] = (struct origin){.profile = &read[i], .index = (unsigned)i};
	if (count > 0)
		qsort(origins, count, sizeof origins[0], compare_origins);
	for (size_t i = 0; i < count; i++) {
		to[i] = *origins[i].profile;
		if (i == 0 || register_compare_holdings(&to[i - 1], &to[i]) != 0 ||
		    (to[i - 1].until_ms != 0 && to[i - 1].until_ms <= to[i].from_ms))
			continue;
		place->index =
			origins[i].index > origins[i - 1].index ? origins[i].index : origins[i - 1].index;
		return yaml_file_refuse(place, "role profile of %s: role %s at %s is held twice at one time",
					to[i].uid, to[i].role_code, to[i].organisation.text);
	}
	return true;
}

// Looked up with every message: the table makes that as fast with many staff as with few.
static bool index_profiles(struct register_snapshot *to)
{
	to->holding_entries = calloc(to->profiles_count + 1, sizeof *to->holding_entries);
	if (to->holding_entries == NULL)
		return false;
	struct holding *entry = NULL;
	for (size_t i = 0; i < to->profiles_count; i++) {
		const struct role_profile *profile = &to->profiles[i];
		if (entry != NULL && register_compare_holdings(&to->profiles[entry->first], profile) == 0) {
			entry->count++;
			continue;
		}
		entry = entry == NULL ? to->holding_entries : entry + 1;
		*entry = (struct holding){.first = i, .count = 1};
		INVARIANT(role_key_make(profile->uid, profile->role_code, &profile->organisation, &entry->key));
		HASH_ADD(hh, to->holdings, key, sizeof entry->key, entry);
		if (entry->hh.tbl == NULL)
			return false;
	}
	return true;
}

static bool read_profiles(struct yaml_place *place, const struct file_register *file,
			  const struct policy *policy, struct register_snapshot *to)
{
	size_t count = file->role_profiles_count;
	struct role_profile *read = calloc(count + 1, sizeof *read);
	struct origin *origins = calloc(count + 1, sizeof *origins);
	bool good = read != NULL && origins != NULL;
	if (!good)
		snprintf(place->detail, place->detail_bytes, "%s: out of memory", place->file->path);
	place->key = "role_profiles";
	for (unsigned i = 0; good && i < count; i++) {
		place->index = i;
		good = read_profile(place, &file->role_profiles[i], policy, to, &read[i]);
	}
	good = good && sort_profiles(place, read, origins, count, to->profiles);
	to->profiles_count = good ? count : 0;
	free(read);
	free(origins);
	return good;
}

bool register_read_file(const char *path, const struct policy *policy, struct register_snapshot *to,
			char detail[REGISTER_DETAIL_BYTES])
{
	struct yaml_file file = {0};
	void *data = NULL;
	if (!yaml_file_open(path, &file, detail, REGISTER_DETAIL_BYTES))
		return false;
	struct yaml_place place = {.file = &file,
				   .schema = &register_file_schema,
				   .detail = detail,
				   .detail_bytes = REGISTER_DETAIL_BYTES};
	bool good = yaml_file_load(&file, &register_file_schema, &data, detail, REGISTER_DETAIL_BYTES);
	if (good) {
		const struct file_register *from = data;
		// One more than needed, so that an empty register is not a failed allocation.
		to->organisations = calloc(from->organisations_count + 1u, sizeof *to->organisations);
		to->profiles = calloc(from->role_profiles_count + 1u, sizeof *to->profiles);
		to->ranges = calloc(REGISTER_RANGES_MAX, sizeof *to->ranges);
		good = to->organisations != NULL && to->profiles != NULL && to->ranges != NULL;
		if (!good)
			snprintf(detail, REGISTER_DETAIL_BYTES, "%s: out of memory", path);
		good = good && read_publishing(&place, from->publishing, &to->publishing) &&
		       read_organisations(&place, from, to) &&
		       read_profiles(&place, from, policy, to);
		if (good && !index_profiles(to))
			good = yaml_file_refuse(&place, "out of memory");
	}
	yaml_file_free(&register_file_schema, data);
	yaml_file_close(&file);
	return good;
}
