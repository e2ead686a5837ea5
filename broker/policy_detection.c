// Reading the policy's detection rules. Each kind takes its own thresholds, all of them and no others.
#include "broker/policy_detection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/limits.h"
#include "proto/invariant.h"
#include "proto/text.h"
#include "proto/wire.h"

#define WORD_BYTES_MAX 64
#define NUMBER_BYTES_MAX 8
#define MINUTE_MS UINT64_C(60000)
#define SENTENCE_BYTES 600

#define N(name) (1u << DETECTION_##name)

// What a kind is called, and which thresholds it has.
static const struct kind {
	const char *word;
	unsigned numbers;
	bool hours;         // has them, and needs them
	bool care_settings; // may be narrowed to some
} kinds[DETECTION_KINDS] = {
	[DETECTION_VOLUME] = {"volume", N(CHILDREN) | N(TIMES) | N(PEERS) | N(ALONE), false, true},
	[DETECTION_ENUMERATION] = {"enumeration", N(NUMBERS) | N(SPAN), false, true},
	[DETECTION_NO_MATCH] = {"no_match", N(LOOKS) | N(PERCENT) | N(INVALID), false, true},
	[DETECTION_NO_REASON] = {"no_attendance_reason", N(LOOKS) | N(TIMES) | N(PERCENT) | N(PEERS), false, true},
	[DETECTION_OUTSIDE_HOURS] = {"outside_hours", N(LOOKS), true, true},
	[DETECTION_FAR_SETTINGS] = {"far_settings", N(KM), false, true},
	[DETECTION_DORMANT] = {"dormant", N(DAYS), false, false},
	[DETECTION_OWN_HOUSEHOLD] = {"own_household", 0, false, true},
	[DETECTION_DENIED_THEN_ALLOWED] = {"denied_then_allowed", N(DENIALS), false, true},
	[DETECTION_SYSTEM_RATE] = {"system_rate", N(REQUESTS) | N(TIMES), false, false},
};

static const struct number {
	const char *word;
	unsigned max;
} numbers[DETECTION_NUMBERS_COUNT] = {
#define X(name, word, max) [DETECTION_##name] = {word, max},
	DETECTION_NUMBER_TABLE(X)
#undef X
};

static const char *const severities[] = {
	[CPIS__V1__SEVERITY__SEVERITY_LOW] = "low",
	[CPIS__V1__SEVERITY__SEVERITY_MEDIUM] = "medium",
	[CPIS__V1__SEVERITY__SEVERITY_HIGH] = "high",
};

const char *detection_kind_word(enum detection_kind kind)
{
	INVARIANT((unsigned)kind < DETECTION_KINDS);
	return kinds[kind].word;
}

const char *detection_severity_word(Cpis__V1__Severity severity)
{
	return severity >= CPIS__V1__SEVERITY__SEVERITY_LOW && severity <= CPIS__V1__SEVERITY__SEVERITY_HIGH
		       ? severities[severity]
		       : "?";
}

// ------------------------------------------------------------------ as it is written

#define TEXT(key, flags, member)                                                                     \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), struct policy_file_detection, member, 1, WORD_BYTES_MAX)

static const cyaml_strval_t day_words[] = {{"weekdays", 1}};
static const cyaml_schema_value_t setting_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, WORD_BYTES_MAX)};

static const cyaml_schema_field_t fields[] = {
	TEXT("rule", 0, rule),
	TEXT("window_minutes", 0, window_minutes),
	TEXT("severity", 0, severity),
#define X(name, word, max) TEXT(word, CYAML_FLAG_OPTIONAL, numbers[DETECTION_##name]),
	DETECTION_NUMBER_TABLE(X)
#undef X
	CYAML_FIELD_SEQUENCE("care_settings", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct policy_file_detection,
			     care_settings, &setting_value, 1, POLICY_CARE_SETTINGS_MAX),
	TEXT("hours", CYAML_FLAG_OPTIONAL, hours),
	CYAML_FIELD_ENUM("days", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct policy_file_detection, days, day_words, 1),
	YAML_FILE_BOOL("quarantine", CYAML_FLAG_OPTIONAL, struct policy_file_detection, quarantine),
	TEXT("quarantine_minutes", CYAML_FLAG_OPTIONAL, quarantine_minutes),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t policy_detection_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_file_detection, fields),
};

const cyaml_schema_field_t policy_sampling_fields[] = {
	CYAML_FIELD_STRING_PTR("per_thousand", CYAML_FLAG_POINTER, struct policy_file_sampling, per_thousand, 1, WORD_BYTES_MAX),
	CYAML_FIELD_END,
};

// ------------------------------------------------------------------ compiling

static bool read_minute(const char *text, unsigned short *ret)
{
	if (!text_is_digits(text, 2, 2) || text[2] != ':' || !text_is_digits(text + 3, 2, 2))
		return false;
	unsigned hour = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	unsigned minute = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
	*ret = (unsigned short)(hour * 60 + minute);
	return hour < 24 && minute < 60;
}

bool policy_read_hours(const char *text, unsigned short *ret_from_minute, unsigned short *ret_until_minute)
{
	return strlen(text) == 11 && text[5] == '-' && read_minute(text, ret_from_minute) &&
	       read_minute(text + 6, ret_until_minute) && *ret_from_minute != *ret_until_minute;
}

static bool compile_number(const struct yaml_place *place, const char *rule, const char *key, const char *text, unsigned max,
			   unsigned *ret)
{
	*ret = 0;
	if (text != NULL && strlen(text) <= NUMBER_BYTES_MAX && text_is_digits(text, strlen(text), strlen(text)))
		*ret = (unsigned)strtoul(text, NULL, 10);
	return (*ret > 0 && *ret <= max) ||
	       yaml_file_refuse(place, "%s: %s is a number from 1 to %u", rule, key, max);
}

static bool compile_numbers(const struct yaml_place *place, const struct policy_file_detection *from,
			    struct detection_rule *rule)
{
	for (unsigned i = 0; i < DETECTION_NUMBERS_COUNT; i++) {
		bool wanted = (kinds[rule->kind].numbers & 1u << i) != 0;
		if (wanted && !compile_number(place, from->rule, numbers[i].word, from->numbers[i], numbers[i].max,
					      &rule->numbers[i]))
			return false;
		if (!wanted && from->numbers[i] != NULL)
			return yaml_file_refuse(place, "rule %s has no %s", from->rule, numbers[i].word);
	}
	return true;
}

static bool compile_settings(const struct yaml_place *place, const struct policy_file_detection *from,
			     struct detection_rule *rule)
{
	if (from->care_settings_count > 0 && !kinds[rule->kind].care_settings)
		return yaml_file_refuse(place, "rule %s has no care_settings", from->rule);
	for (unsigned i = 0; i < from->care_settings_count; i++) {
		Cpis__V1__CareSetting setting;
		if (!wire_care_setting_by_name(from->care_settings[i], &setting))
			return yaml_file_refuse(place, "rule %s: unknown care setting '%s'", from->rule,
						from->care_settings[i]);
		INVARIANT((unsigned)setting < POLICY_CARE_SETTINGS_MAX);
		uint64_t bit = UINT64_C(1) << (unsigned)setting;
		if ((rule->care_settings & bit) != 0)
			return yaml_file_refuse(place, "rule %s: care setting %s stands twice", from->rule,
						from->care_settings[i]);
		rule->care_settings |= bit;
	}
	return true;
}

static bool compile_hours(const struct yaml_place *place, const struct policy_file_detection *from,
			  struct detection_rule *rule)
{
	if (!kinds[rule->kind].hours)
		return (from->hours == NULL && !from->days) || yaml_file_refuse(place, "rule %s has no hours", from->rule);
	rule->weekdays = from->days != 0;
	return (from->hours != NULL && policy_read_hours(from->hours, &rule->from_minute, &rule->until_minute)) ||
	       yaml_file_refuse(place, "rule %s: hours are like 08:00-18:00, and not empty", from->rule);
}

static bool compile_quarantine(const struct yaml_place *place, const struct policy_file_detection *from,
			       struct detection_rule *rule)
{
	unsigned minutes;
	if (!from->quarantine)
		return from->quarantine_minutes == NULL ||
		       yaml_file_refuse(place, "rule %s: quarantine_minutes without quarantine: true", from->rule);
	if (!compile_number(place, from->rule, "quarantine_minutes", from->quarantine_minutes, DETECTION_WINDOW_MINUTES_MAX,
			    &minutes))
		return false;
	rule->quarantine_ms = minutes * MINUTE_MS;
	return true;
}

static bool compile_rule(const struct yaml_place *place, const struct policy_file_detection *from,
			 struct detection_rule *rule)
{
	unsigned kind = 0, minutes, severity = CPIS__V1__SEVERITY__SEVERITY_LOW;
	while (kind < DETECTION_KINDS && strcmp(kinds[kind].word, from->rule) != 0)
		kind++;
	if (kind == DETECTION_KINDS)
		return yaml_file_refuse(place, "unknown rule '%s'", from->rule);
	rule->kind = (enum detection_kind)kind;
	while (severity <= CPIS__V1__SEVERITY__SEVERITY_HIGH && strcmp(severities[severity], from->severity) != 0)
		severity++;
	if (severity > CPIS__V1__SEVERITY__SEVERITY_HIGH)
		return yaml_file_refuse(place, "rule %s: severity is low, medium or high", from->rule);
	rule->severity = (Cpis__V1__Severity)severity;
	if (!compile_number(place, from->rule, "window_minutes", from->window_minutes, DETECTION_WINDOW_MINUTES_MAX, &minutes))
		return false;
	rule->window_ms = minutes * MINUTE_MS;
	return compile_numbers(place, from, rule) && compile_settings(place, from, rule) &&
	       compile_hours(place, from, rule) && compile_quarantine(place, from, rule);
}

bool policy_detection_compile(struct yaml_place *place, const struct policy_file_detection *from, unsigned count,
			      struct detection_rules *ret)
{
	place->key = "detection";
	for (place->index = 0; place->index < count; place->index++) {
		struct detection_rule *rule = &ret->rules[ret->count];
		if (!compile_rule(place, &from[place->index], rule))
			return false;
		// The same rule with another window is another rule.
		for (size_t i = 0; i < ret->count; i++)
			if (ret->rules[i].kind == rule->kind && ret->rules[i].window_ms == rule->window_ms)
				return yaml_file_refuse(place, "rule %s stands twice with this window", from[place->index].rule);
		ret->count++;
	}
	return true;
}

bool policy_sampling_compile(struct yaml_place *place, const struct policy_file_sampling *from, struct detection_rules *ret)
{
	place->key = "sampling";
	place->index = 0;
	return from == NULL || compile_number(place, "sampling", "per_thousand", from->per_thousand, 1000, &ret->sample_per_thousand);
}

// ------------------------------------------------------------------ comparing

static void rule_text(const struct detection_rule *rule, char out[SENTENCE_BYTES])
{
	int bytes = snprintf(out, SENTENCE_BYTES, "%s", detection_severity_word(rule->severity));
	for (unsigned i = 0; i < DETECTION_NUMBERS_COUNT; i++)
		if (rule->numbers[i] != 0)
			bytes += snprintf(out + bytes, SENTENCE_BYTES - (size_t)bytes, " %s %u", numbers[i].word, rule->numbers[i]);
	if (kinds[rule->kind].hours)
		bytes += snprintf(out + bytes, SENTENCE_BYTES - (size_t)bytes, " hours %02u:%02u-%02u:%02u%s",
				  rule->from_minute / 60u, rule->from_minute % 60u, rule->until_minute / 60u,
				  rule->until_minute % 60u, rule->weekdays ? " weekdays" : "");
	if (rule->care_settings != 0)
		bytes += snprintf(out + bytes, SENTENCE_BYTES - (size_t)bytes, " care settings %llx",
				  (unsigned long long)rule->care_settings);
	if (rule->quarantine_ms != 0)
		snprintf(out + bytes, SENTENCE_BYTES - (size_t)bytes, " quarantine %llu minutes",
			 (unsigned long long)(rule->quarantine_ms / MINUTE_MS));
}

static const struct detection_rule *find(const struct detection_rules *rules, const struct detection_rule *like)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->rules[i].kind == like->kind && rules->rules[i].window_ms == like->window_ms)
			return &rules->rules[i];
	return NULL;
}

static bool tell(const struct detection_rule *before, const struct detection_rule *after, policy_remark *remark, void *context)
{
	const struct detection_rule *rule = before != NULL ? before : after;
	char sentence[2 * SENTENCE_BYTES + 100], was[SENTENCE_BYTES] = "none", is[SENTENCE_BYTES] = "none";
	if (before != NULL)
		rule_text(before, was);
	if (after != NULL)
		rule_text(after, is);
	if (strcmp(was, is) == 0)
		return false;
	snprintf(sentence, sizeof sentence, "detection %s in %llu minutes: %s -> %s", detection_kind_word(rule->kind),
		 (unsigned long long)(rule->window_ms / MINUTE_MS), was, is);
	remark(context, sentence);
	return true;
}

size_t policy_detection_compare(const struct detection_rules *before, const struct detection_rules *after,
				policy_remark *remark, void *context)
{
	size_t differences = before->sample_per_thousand != after->sample_per_thousand;
	char sentence[80];
	snprintf(sentence, sizeof sentence, "sampling per_thousand: %u -> %u", before->sample_per_thousand, after->sample_per_thousand);
	if (differences > 0)
		remark(context, sentence);
	for (size_t i = 0; i < before->count; i++)
		differences += tell(&before->rules[i], find(after, &before->rules[i]), remark, context);
	for (size_t i = 0; i < after->count; i++)
		if (find(before, &after->rules[i]) == NULL)
			differences += tell(NULL, &after->rules[i], remark, context);
	return differences;
}
