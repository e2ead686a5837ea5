// Reading and comparing how long records are kept.
#include "broker/policy_retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"

#define NUMBER_BYTES_MAX 8

#define MONTHS(member)                                                                               \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct policy_file_retention, member, 1, \
			       NUMBER_BYTES_MAX)

const cyaml_schema_field_t policy_retention_fields[] = {
	MONTHS(child_months),
	MONTHS(staff_months),
	MONTHS(service_months),
	CYAML_FIELD_END,
};

static bool compile_months(const struct yaml_place *place, const char *key, const char *text, unsigned *ret)
{
	*ret = 0;
	if (text == NULL)
		return true;
	if (text_is_digits(text, strlen(text), strlen(text)))
		*ret = (unsigned)strtoul(text, NULL, 10);
	return (*ret >= POLICY_RETENTION_MONTHS_MIN && *ret <= POLICY_RETENTION_MONTHS_MAX) ||
	       yaml_file_refuse(place, "%s is a number of months from %u to %u", key, POLICY_RETENTION_MONTHS_MIN, POLICY_RETENTION_MONTHS_MAX);
}

bool policy_retention_compile(struct yaml_place *place, const struct policy_file_retention *from, struct policy_retention *ret)
{
	place->key = "retention";
	place->index = 0;
	return from == NULL || (compile_months(place, "child_months", from->child_months, &ret->child) &&
				compile_months(place, "staff_months", from->staff_months, &ret->staff) &&
				compile_months(place, "service_months", from->service_months, &ret->service));
}

static size_t compare_months(const char *key, unsigned before, unsigned after, policy_remark *remark, void *context)
{
	char sentence[80];
	if (before == after)
		return 0;
	snprintf(sentence, sizeof sentence, "retention %s: %u -> %u (0: for ever)", key, before, after);
	remark(context, sentence);
	return 1;
}

size_t policy_retention_compare(const struct policy_retention *before, const struct policy_retention *after,
				policy_remark *remark, void *context)
{
	return compare_months("child_months", before->child, after->child, remark, context) +
	       compare_months("staff_months", before->staff, after->staff, remark, context) +
	       compare_months("service_months", before->service, after->service, remark, context);
}
