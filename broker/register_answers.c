// Which organisation answers what in place of the built-in register: `answers` of the register file, and looking it up.
#include "broker/register_priv.h"

#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

#define RANGE_BYTES (2 * NHS_NUMBER_DIGITS + 1) // "9995000000-9995999999"

static const cyaml_schema_value_t range_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, RANGE_BYTES)};

const cyaml_schema_field_t register_answers_fields[] = {
	CYAML_FIELD_SEQUENCE("plans", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct register_answers, plans,
			     &range_value, 0, REGISTER_RANGES_PER_ORGANISATION_MAX),
	YAML_FILE_BOOL("demographics", CYAML_FLAG_OPTIONAL, struct register_answers, demographics),
	CYAML_FIELD_END,
};

static bool read_range(const char *text, struct register_range *ret)
{
	const char *last = text + NHS_NUMBER_DIGITS + 1;
	if (strlen(text) != RANGE_BYTES || text[NHS_NUMBER_DIGITS] != '-' ||
	    !text_is_digits(text, NHS_NUMBER_DIGITS, NHS_NUMBER_DIGITS) ||
	    !text_is_digits(last, NHS_NUMBER_DIGITS, NHS_NUMBER_DIGITS))
		return false;
	memcpy(ret->first.digits, text, NHS_NUMBER_DIGITS);
	memcpy(ret->last.digits, last, NHS_NUMBER_DIGITS + 1);
	return strcmp(ret->first.digits, ret->last.digits) <= 0;
}

// Puts it in its place by its first number.
static bool add_range(struct yaml_place *place, const struct register_range *range, struct register_snapshot *to)
{
	size_t at = to->ranges_count;
	if (at == REGISTER_RANGES_MAX)
		return yaml_file_refuse(place, "more than %u ranges of numbers", REGISTER_RANGES_MAX);
	while (at > 0 && strcmp(to->ranges[at - 1].first.digits, range->first.digits) > 0)
		at--;
	const struct register_range *before = at > 0 ? &to->ranges[at - 1] : NULL;
	const struct register_range *after = at < to->ranges_count ? &to->ranges[at] : NULL;
	const struct register_range *other =
		before != NULL && strcmp(before->last.digits, range->first.digits) >= 0 ? before
		: after != NULL && strcmp(after->first.digits, range->last.digits) <= 0 ? after
											 : NULL;
	if (other != NULL)
		return yaml_file_refuse(place, "organisation %s: range %s-%s overlaps with %s-%s of %s",
					range->organisation.text, range->first.digits, range->last.digits,
					other->first.digits, other->last.digits, other->organisation.text);
	memmove(&to->ranges[at + 1], &to->ranges[at], (to->ranges_count - at) * sizeof to->ranges[0]);
	to->ranges[at] = *range;
	to->ranges_count++;
	return true;
}

bool register_add_answers(struct yaml_place *place, const struct register_answers *from, const struct ods_code *ods,
			  struct register_snapshot *to)
{
	for (unsigned i = 0; i < from->plans_count; i++) {
		struct register_range range = {.organisation = *ods};
		if (!read_range(from->plans[i], &range))
			return yaml_file_refuse(place,
						"organisation %s: '%s' is not a range of NHS numbers, as 9995000000-9995999999",
						ods->text, from->plans[i]);
		if (!add_range(place, &range, to))
			return false;
	}
	if (from->demographics == 0)
		return true;
	if (to->demographics.text[0] != '\0')
		return yaml_file_refuse(place, "organisation %s: %s answers demographics already", ods->text,
					to->demographics.text);
	to->demographics = *ods;
	return true;
}

static int compare_range(const void *key, const void *element)
{
	const struct nhs_number *number = key;
	const struct register_range *range = element;
	if (strcmp(number->digits, range->first.digits) < 0)
		return -1;
	return strcmp(number->digits, range->last.digits) > 0;
}

const struct register_range *register_range_of(const struct register_snapshot *snapshot, const struct nhs_number *number)
{
	return bsearch(number, snapshot->ranges, snapshot->ranges_count, sizeof snapshot->ranges[0], compare_range);
}

const struct organisation *register_demographics(const struct register_snapshot *snapshot)
{
	return snapshot->demographics.text[0] == '\0' ? NULL : register_organisation(snapshot, &snapshot->demographics);
}
