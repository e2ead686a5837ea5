// The snapshot's tables, between the file's reader and the lookups. Inside broker/register*.c only.
#ifndef CPIS_BROKER_REGISTER_PRIV_H
#define CPIS_BROKER_REGISTER_PRIV_H

#include <stdatomic.h>

#include "broker/register.h"
#include "broker/role_key.h"
#include "proto/yaml_file.h"

// The profiles of one person in one role at one organisation: one, or several that follow on each other.
struct holding {
	UT_hash_handle hh;
	struct role_key key;
	size_t first, count;                 // in the snapshot's profiles
};

struct register_snapshot {
	atomic_uint references;
	struct trust *trust;
	struct identity_providers *identity; // NULL: none
	struct organisation *organisations;  // by ODS code
	size_t organisations_count;
	struct register_range *ranges;       // by first number
	size_t ranges_count;
	struct ods_code demographics;        // "": nobody
	struct publishing_rules publishing;
	struct role_profile *profiles;       // by person, role, organisation, start
	size_t profiles_count;
	struct holding *holdings;            // their hash table, and its entries
	struct holding *holding_entries;
	struct enrolled_system *systems;     // by key, each key once
	size_t systems_count;
	char *remarks[REGISTER_REMARKS_MAX];
	size_t remarks_count;                // with those that are not kept
};

// `answers` of an organisation as the file has it, read into the snapshot by register_answers.c.
struct register_answers {
	char **plans;
	unsigned plans_count;
	int demographics;
};
extern const cyaml_schema_field_t register_answers_fields[];
// Adds what this organisation answers. False, and what is wrong is at `place`.
__attribute__((warn_unused_result)) bool register_add_answers(struct yaml_place *place, const struct register_answers *from,
							       const struct ods_code *ods, struct register_snapshot *to);

// `incident` of an organisation as the file has it, read by register_incident.c.
struct register_escalation {
	uint32_t severity;
	char *role, *telephone;
};
struct register_incident {
	char *telephone;
	struct register_escalation *escalation;
	unsigned escalation_count;
};
extern const cyaml_schema_field_t register_incident_fields[];
// Malloc'd into `ret`. False, and what is wrong is at `place`.
__attribute__((warn_unused_result)) bool register_read_incident(struct yaml_place *place, const char *ods,
								 const struct register_incident *from,
								 struct incident_contacts **ret);

// Orders by person, role, organisation: 0 for one holding, whatever its period.
int register_compare_holdings(const struct role_profile *a, const struct role_profile *b);

// Fills organisations and profiles, sorted. On failure what is there is still to be freed.
__attribute__((warn_unused_result)) bool register_read_file(const char *path, const struct policy *policy,
							     struct register_snapshot *to,
							     char detail[REGISTER_DETAIL_BYTES]);

#endif
