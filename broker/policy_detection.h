// The policy file's "detection", between its reader and the rest of the file. Inside broker/policy*.c only.
#ifndef CPIS_BROKER_POLICY_DETECTION_H
#define CPIS_BROKER_POLICY_DETECTION_H

#include "broker/detection_rules.h"
#include "broker/policy.h"
#include "proto/yaml_file.h"

// As it is written; what does not stand is NULL or 0.
struct policy_file_detection {
	char *rule, *window_minutes, *severity, *hours, *quarantine_minutes;
	char *numbers[DETECTION_NUMBERS_COUNT];
	char **care_settings;
	unsigned care_settings_count;
	int days, quarantine;
};

extern const cyaml_schema_value_t policy_detection_value;

// "sampling", likewise.
struct policy_file_sampling {
	char *per_thousand;
};
extern const cyaml_schema_field_t policy_sampling_fields[];
// NULL: there is none.
__attribute__((warn_unused_result)) bool policy_sampling_compile(struct yaml_place *place,
								  const struct policy_file_sampling *from,
								  struct detection_rules *ret);

// "HH:MM-HH:MM", from and until not the same. By England's clock.
__attribute__((warn_unused_result)) bool policy_read_hours(const char *text, unsigned short *ret_from_minute,
							    unsigned short *ret_until_minute);

// `place` is of the file; false with its detail filled.
__attribute__((warn_unused_result)) bool policy_detection_compile(struct yaml_place *place,
								   const struct policy_file_detection *from, unsigned count,
								   struct detection_rules *ret);

// Rules that stand in one only or say something else, as sentences. Returns how many.
size_t policy_detection_compare(const struct detection_rules *before, const struct detection_rules *after,
				policy_remark *remark, void *context);

#endif
