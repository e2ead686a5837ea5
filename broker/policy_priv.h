// The compiled policy, between its reader (policy_file.c) and its decisions (policy.c). Inside broker/policy*.c only.
#ifndef CPIS_BROKER_POLICY_PRIV_H
#define CPIS_BROKER_POLICY_PRIV_H

#include "broker/limits.h"
#include "broker/policy.h"

struct policy_activity {
	char code[ROLE_CODE_BYTES_MAX + 1];
};

// By England's clock, from inclusive, until exclusive; from after until: over midnight.
struct policy_hours {
	bool set;
	bool weekdays; // Monday to Friday only
	unsigned short from_minute, until_minute; // of the day
};

struct policy_role {
	char code[ROLE_CODE_BYTES_MAX + 1];
	char name[POLICY_NAME_BYTES_MAX + 1];
	struct activity_set activities;
	bool reason_required; // to look
	struct policy_hours hours;
};

struct policy_operation {
	bool stands; // in the policy
	struct activity_set activities; // one of them is needed
	unsigned organisation_types;
	bool signed_act; // needs an act_signature
	bool break_glass; // may be done by it
	uint64_t session_ms_max; // 0: any age
	unsigned person_per_minute, system_per_minute; // 0: no bound
};

struct policy {
	char version[POLICY_VERSION_BYTES];
	struct policy_activity activities[POLICY_ACTIVITIES_MAX];
	size_t activities_count;
	struct activity_set silent, break_glass;
	struct policy_role roles[POLICY_ROLES_MAX]; // by code
	size_t roles_count;
	uint64_t care_settings; // in scope
	uint64_t scheduled; // of those
	struct policy_operation operations[POLICY_OPERATIONS_MAX];
	struct detection_rules detection;
	struct policy_retention retention;
	uint8_t *text;
	size_t text_bytes;
};

// What a decision is made from, as far as it has got.
struct policy_case {
	const struct policy *policy;
	const struct policy_question *question;
	const struct policy_operation *operation; // once it was found in the policy
	const struct policy_role *role; // likewise
	struct policy_decision decision;
};

// One check of a decision: REASON_NONE when it holds. All of them, in the order in which they are made.
struct policy_check {
	enum policy_rule rule;
	enum reason (*check)(struct policy_case *);
};
extern const struct policy_check policy_checks[];
extern const size_t policy_checks_count;
struct policy_case policy_case_begin(const struct policy *policy, const struct policy_question *question);
// Fills in what an allowed request is to be done like.
void policy_case_allow(struct policy_case *made);
const struct policy_role *policy_find_role(const struct policy *policy, const char *role_code);

// Whose requests come before there is a role, so that nothing about them could be enforced; and signing out, which everybody may.
static inline bool policy_is_roleless(Cpis__V1__Operation operation)
{
	return operation == CPIS__V1__OPERATION__PING || operation == CPIS__V1__OPERATION__SESSION_OPEN ||
	       operation == CPIS__V1__OPERATION__SESSION_CLOSE ||
	       operation == CPIS__V1__OPERATION__ENROL || operation == CPIS__V1__OPERATION__AUDIT_CONSISTENCY ||
	       operation == CPIS__V1__OPERATION__CHECKPOINT_EXCHANGE;
}

// Whose requests carry a care setting.
static inline bool policy_is_view(Cpis__V1__Operation operation)
{
	return operation == CPIS__V1__OPERATION__FLAG || operation == CPIS__V1__OPERATION__DETAILS;
}

static inline uint64_t policy_setting_bit(Cpis__V1__CareSetting setting)
{
	return (unsigned)setting < POLICY_CARE_SETTINGS_MAX ? UINT64_C(1) << (unsigned)setting : 0;
}

#endif
