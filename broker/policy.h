// What a role may do: a table read from one YAML file, and one pure function over it. Deny by default; the
// first reason in the order of policy_decide's checks wins; every decision has a reason (broker/reason.h).
#ifndef CPIS_BROKER_POLICY_H
#define CPIS_BROKER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/activity_set.h"
#include "broker/detection_rules.h"
#include "broker/limits.h"
#include "broker/reason.h"
#include "proto/cpis.pb-c.h"
#include "proto/limits.h"

#define POLICY_DETAIL_BYTES 400
#define POLICY_VERSION_BYTES 96u     // "<name>@<first 16 hex digits of the file's SHA-256>"
#define POLICY_RULE_BYTES 80u        // what decided, in words

#define ORGANISATION_TYPE_TABLE(X)                                                                   \
	X(ORGANISATION_CARE_PROVIDER, "care_provider")                                               \
	X(ORGANISATION_LOCAL_AUTHORITY, "local_authority")                                           \
	X(ORGANISATION_NATIONAL_BODY, "national_body")

enum organisation_type {
#define X(name, word) name,
	ORGANISATION_TYPE_TABLE(X)
#undef X
	ORGANISATION_TYPES
};
const char *organisation_type_word(enum organisation_type type);

struct policy;

// Reads and checks the whole file: unknown keys, unknown operations, activities, care settings, doubles, a view operation
// without activities, and an example that is not decided as it says are refused with file and line in `detail`.
__attribute__((warn_unused_result)) bool policy_load(const char *path, struct policy **ret, char detail[POLICY_DETAIL_BYTES]);
// The same from memory; `name` stands for the path in `detail`. The bytes are copied.
__attribute__((warn_unused_result)) bool policy_read(const uint8_t *bytes, size_t bytes_count, const char *name,
						      struct policy **ret, char detail[POLICY_DETAIL_BYTES]);
void policy_free(struct policy *policy); // accepts NULL
const char *policy_version(const struct policy *policy);
// The file as it was read. Borrowed.
const uint8_t *policy_text(const struct policy *policy, size_t *ret_bytes);

// What is looked for among the records. Borrowed.
const struct detection_rules *policy_detection(const struct policy *policy);

// For how many months after its own a month's records of a class are kept; 0: for ever.
#define POLICY_RETENTION_MONTHS_MIN 12u
struct policy_retention {
	unsigned child, staff, service;
};
const struct policy_retention *policy_retention(const struct policy *policy);

// The role's name, NULL when the policy does not know the role.
const char *policy_role_name(const struct policy *policy, const char *role_code);
// Empty when the policy does not know the role.
struct activity_set policy_role_activities(const struct policy *policy, const char *role_code);
// Adds one activity by its code to the set; false when the policy does not know it.
__attribute__((warn_unused_result)) bool policy_activity(const struct policy *policy, const char *activity_code,
							  struct activity_set *set);
// Codes of the activities in the set: borrowed from the policy; at most ACTIVITIES_PER_ROLE_MAX.
size_t policy_activity_codes(const struct policy *policy, const struct activity_set *set,
			     const char *ret_codes[ACTIVITIES_PER_ROLE_MAX]);

struct policy_question {
	Cpis__V1__Operation operation;
	enum organisation_type organisation_type;
	const char *role_code;
	struct activity_set additional;            // granted to the person beyond the role
	uint64_t organisation_care_settings;       // bit n: the organisation provides care setting n
	Cpis__V1__CareSetting care_setting;        // as asked; UNSPECIFIED allowed
	Cpis__V1__AccessType access_type;          // as asked; UNSPECIFIED allowed
	bool reason_stated;                        // why one looks, in words
	bool break_glass;                          // asked for; only a look at details can
	uint64_t session_age_ms;
	uint64_t now_ms;                           // UTC; hours are England's
};

// What in the policy decided.
enum policy_rule {
	POLICY_RULE_NONE,                          // an operation before there is a role
	POLICY_RULE_OPERATION,
	POLICY_RULE_ORGANISATION_TYPE,
	POLICY_RULE_ROLE,
	POLICY_RULE_BREAK_GLASS,
	POLICY_RULE_ACTIVITY,                      // also of what is allowed: by the activity that one holds
	POLICY_RULE_HOURS,
	POLICY_RULE_SESSION,
	POLICY_RULE_REASON,
	POLICY_RULE_CARE_SETTING,
};

struct policy_decision {
	enum reason reason;                        // REASON_NONE: allowed
	enum policy_rule rule;
	size_t activity;                           // when allowed: the number of the activity that allows it
	bool by_profile;                           // which the person was granted beyond the role
	Cpis__V1__CareSetting care_setting;        // as it counts
	Cpis__V1__AccessType access_type;          // as it counts: never UNSPECIFIED when allowed and viewing
	bool signed_act;                           // when allowed: the request must carry the person's own signature
	bool notify;                               // DETAILS: history and inboxes
	bool contradiction;                        // a silent look was asked for and turned into a notifying one
	bool break_glass;                          // when allowed: by breaking the glass
	unsigned person_per_minute, system_per_minute; // when allowed: bounds for the caller to hold; 0: none
};

// Checks in this order: the operation is in the policy; the organisation's type; the role is in the policy; the glass may be
// broken, if that is asked for; the role (with what is granted in addition) has one of the operation's activities; the
// role's hours; the session's age; a reason is stated where the role needs one; for operations that need one, the care
// setting is the organisation's and in the policy's scope (UNSPECIFIED means the only one).
//
// Breaking the glass takes the place of activity, hours and scope of the care setting, never of the rest. It needs an
// operation and a role for which the policy has it, a stated reason and a signature, and always notifies.
//
// A look is silent only when it is asked for as SCHEDULED, the care setting is a scheduled one and the
// person holds an activity that the policy marks silent (B0170). Every other look notifies.
struct policy_decision policy_decide(const struct policy *policy, const struct policy_question *question);

// Whether care there is planned: a look from there is not about an emergency.
bool policy_setting_is_scheduled(const struct policy *policy, Cpis__V1__CareSetting setting);

// What decided, e.g. "roles R8001 activities B0107" or "operations details organisation_types".
void policy_rule_text(const struct policy *policy, const struct policy_question *question,
		      const struct policy_decision *decision, char out[POLICY_RULE_BYTES]);

// The checks one by one, in their order, up to the first that does not hold, each as a sentence. Returns the decision.
struct policy_step {
	char rule[POLICY_RULE_BYTES];
	bool holds;
	char text[200];
};
struct policy_decision policy_explain(const struct policy *policy, const struct policy_question *question,
				      struct policy_step ret_steps[POLICY_STEPS_MAX], size_t *ret_count);

// The decision in a word: "allowed", "notifies", "silent", or the reason's (broker/reason.h).
const char *policy_decision_word(Cpis__V1__Operation operation, const struct policy_decision *decision);

// What a reader of the policy should look at though nothing is wrong: roles that grant nothing, activities that no
// operation asks for or no role has, operations that no role may do. Each as a sentence.
typedef void policy_remark(void *context, const char *sentence);
void policy_review(const struct policy *policy, policy_remark *remark, void *context);

// Whether anybody could still put another policy in force: an organisation type and a role that may do policy_load.
bool policy_can_be_replaced(const struct policy *policy);

// Every decision that differs, over all roles of both, operations, organisation types, care settings and access types, with
// and without each silent activity, a stated reason and the glass broken, as a line "details care_provider R8001
// emergency_department ...: notifies -> role_lacks_activity"; and hours, session ages, rates, detection rules and retention that differ, likewise.
// Returns how many.
size_t policy_compare(const struct policy *before, const struct policy *after, policy_remark *remark, void *context);

#endif
