// The policy file's "retention", between its reader and the rest of the file. Inside broker/policy*.c only.
#ifndef CPIS_BROKER_POLICY_RETENTION_H
#define CPIS_BROKER_POLICY_RETENTION_H

#include "broker/policy.h"
#include "proto/yaml_file.h"

// As it is written; what does not stand is NULL.
struct policy_file_retention {
	char *child_months, *staff_months, *service_months;
};
extern const cyaml_schema_field_t policy_retention_fields[];

// `from` NULL: there is none, and all is kept. `place` is of the file; false with its detail filled.
__attribute__((warn_unused_result)) bool policy_retention_compile(struct yaml_place *place,
								   const struct policy_file_retention *from,
								   struct policy_retention *ret);
// What differs, as sentences. Returns how many.
size_t policy_retention_compare(const struct policy_retention *before, const struct policy_retention *after,
				policy_remark *remark, void *context);

#endif
