// What a role may do: a table read from one YAML file, and one pure function over it. Deny by default; the
// first reason in the order of policy_decide's checks wins; every decision has a reason (broker/reason.h).
#ifndef CPIS_BROKER_POLICY_H
#define CPIS_BROKER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/reason.h"
#include "proto/cpis.pb-c.h"
#include "proto/limits.h"

#define POLICY_DETAIL_BYTES 400
#define POLICY_ROLES_MAX 256u
#define POLICY_ACTIVITIES_MAX 64u    // an activity is one bit of a mask
#define POLICY_NAME_BYTES_MAX 64u
#define POLICY_VERSION_BYTES 96u     // "<name>@<first 16 hex digits of the file's SHA-256>"

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

// Which of several activities one holds, by the policy's own numbering.
typedef uint64_t activity_mask;

struct policy;

// Reads and checks the whole file: unknown keys, unknown operations, activities, care settings, doubles, a view operation
// without activities, and an example that is not decided as it says are refused with file and line in `detail`.
__attribute__((warn_unused_result)) bool policy_load(const char *path, struct policy **ret, char detail[POLICY_DETAIL_BYTES]);
void policy_free(struct policy *policy); // accepts NULL
const char *policy_version(const struct policy *policy);

// The role's name, NULL when the policy does not know the role.
const char *policy_role_name(const struct policy *policy, const char *role_code);
activity_mask policy_role_activities(const struct policy *policy, const char *role_code);
// One activity by its code; 0 when the policy does not know it.
activity_mask policy_activity(const struct policy *policy, const char *activity_code);
// Codes of the activities in `mask`: borrowed from the policy; at most ACTIVITIES_PER_ROLE_MAX.
size_t policy_activity_codes(const struct policy *policy, activity_mask mask,
			     const char *ret_codes[ACTIVITIES_PER_ROLE_MAX]);

struct policy_question {
	Cpis__V1__Operation operation;
	enum organisation_type organisation_type;
	const char *role_code;
	activity_mask additional;                  // granted to the person beyond the role
	uint64_t organisation_care_settings;       // bit n: the organisation provides care setting n
	Cpis__V1__CareSetting care_setting;        // as asked; UNSPECIFIED allowed
	Cpis__V1__AccessType access_type;          // as asked; UNSPECIFIED allowed
};

struct policy_decision {
	enum reason reason;                        // REASON_NONE: allowed
	Cpis__V1__CareSetting care_setting;        // as it counts
	Cpis__V1__AccessType access_type;          // as it counts: never UNSPECIFIED when allowed and viewing
	bool signed_act;                           // when allowed: the request must carry the person's own signature
	bool notify;                               // DETAILS: history and inboxes
	bool contradiction;                        // a silent look was asked for and turned into a notifying one
};

// Checks in this order: the operation is in the policy; the organisation's type; the role is in the policy;
// the role (with what is granted in addition) has one of the operation's activities; for operations that
// need one, the care setting is the organisation's and in the policy's scope (UNSPECIFIED means the only one).
// A look is silent only when it is asked for as SCHEDULED, the care setting is a scheduled one and the
// person holds an activity that the policy marks silent (B0170). Every other look notifies.
struct policy_decision policy_decide(const struct policy *policy, const struct policy_question *question);

// The decision in a word: "allowed", "notifies", "silent", or the reason's (broker/reason.h).
const char *policy_decision_word(Cpis__V1__Operation operation, const struct policy_decision *decision);

// What a reader of the policy should look at though nothing is wrong: roles that grant nothing, activities that no
// operation asks for or no role has, operations that no role may do. Each as a sentence.
typedef void policy_remark(void *context, const char *sentence);
void policy_review(const struct policy *policy, policy_remark *remark, void *context);

// Every decision that differs, over all roles of both, operations, organisation types, care settings and access types, with
// and without each silent activity, as a line "details care_provider R8001 emergency_department ...: notifies ->
// role_lacks_activity". Returns how many.
size_t policy_compare(const struct policy *before, const struct policy *after, policy_remark *remark, void *context);

#endif
