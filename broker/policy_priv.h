// The compiled policy, between its reader (policy_file.c) and its decisions (policy.c). Inside broker/policy*.c only.
#ifndef CPIS_BROKER_POLICY_PRIV_H
#define CPIS_BROKER_POLICY_PRIV_H

#include "broker/policy.h"

#define POLICY_OPERATIONS_MAX 32u
#define POLICY_CARE_SETTINGS_MAX 64u // a care setting is one bit of a mask

struct policy_activity {
	char code[ROLE_CODE_BYTES_MAX + 1];
};

struct policy_role {
	char code[ROLE_CODE_BYTES_MAX + 1];
	char name[POLICY_NAME_BYTES_MAX + 1];
	activity_mask activities;
};

struct policy_rule {
	bool stands; // in the policy
	activity_mask activities; // one of them is needed
	unsigned organisation_types;
	bool signed_act; // needs an act_signature
};

struct policy {
	char version[POLICY_VERSION_BYTES];
	struct policy_activity activities[POLICY_ACTIVITIES_MAX];
	size_t activities_count;
	activity_mask silent;
	struct policy_role roles[POLICY_ROLES_MAX]; // by code
	size_t roles_count;
	uint64_t care_settings; // in scope
	uint64_t scheduled; // of those
	struct policy_rule rules[POLICY_OPERATIONS_MAX];
};

// Whose requests come before there is a role: nothing about them could be enforced.
static inline bool policy_is_roleless(Cpis__V1__Operation operation)
{
	return operation == CPIS__V1__OPERATION__PING || operation == CPIS__V1__OPERATION__SESSION_OPEN ||
	       operation == CPIS__V1__OPERATION__ENROL;
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
