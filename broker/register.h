// Who is known now: enrolled systems, organisations, role profiles, and the trust to check certificates with.
// An immutable snapshot, counted by reference, replaced whole when a file changes. Any thread may read one
// that it holds.
#ifndef CPIS_BROKER_REGISTER_H
#define CPIS_BROKER_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/identity_providers.h"
#include "broker/limits.h"
#include "broker/place.h"
#include "broker/policy.h"
#include "certs/identity.h"
#include "proto/nhs_number.h"
#include "proto/ods_code.h"

#define REGISTER_DETAIL_BYTES 400

#define REGISTER_ESCALATE_MINUTES_DEFAULT 240u     // of authorities; others have none
#define REGISTER_EXPIRE_DAYS_DEFAULT 30u
#define REGISTER_SAME_LOOK_MINUTES_DEFAULT 10u

// How an organisation wants to be told.
struct inbox_settings {
	uint32_t escalate_after_minutes;           // 0: never
	uint32_t expire_after_days;
	bool digest_hourly;                        // notifications that are not urgent, together
	bool nothing_to_report_daily;
	uint32_t same_look_minutes;                // one person's looks at one child within it are told once; 0: each is told
};

// Whom to ring when a severity is reached; roles, no people.
struct escalation {
	uint32_t severity;                         // 1 to INCIDENT_SEVERITY_MAX
	char role[ESCALATION_ROLE_BYTES_MAX + 1], telephone[TELEPHONE_BYTES_MAX + 1];
};

struct incident_contacts {
	char telephone[TELEPHONE_BYTES_MAX + 1];
	struct escalation escalation[ESCALATION_MAX]; // by severity
	size_t escalation_count;
};

struct organisation {
	struct ods_code ods;
	char name[TEXT_BYTES_MAX + 1];
	enum organisation_type type;
	uint64_t care_settings;                    // bit n: care setting n of cpis.v1
	struct inbox_settings inbox;
	struct place place;                        // for detection: how far looks at one child are apart
	struct incident_contacts *incident;        // NULL: the register names none
};

// NHS numbers that one organisation answers for beside the built-in register; both ends belong to it, and are compared as
// text: they need no check digit. No two ranges overlap.
struct register_range {
	struct nhs_number first, last;
	struct ods_code organisation;
};

struct role_profile {
	char uid[UID_DIGITS + 1];
	char role_code[ROLE_CODE_BYTES_MAX + 1];
	struct ods_code organisation;
	uint64_t from_ms, until_ms;                // from inclusive, until exclusive; 0: no end
	uint64_t trained_ms;                       // when they last passed the yearly training; 0: not known. Decides nothing
	struct activity_set additional;
};

// What is asked of publications.
struct publishing_rules {
	unsigned vanished_percent_max;             // of the plans held: a full file in which more are missing stops
	unsigned contacts_stale_days;              // contacts that nobody confirmed for longer are marked
};

struct enrolled_system {
	struct system_identity identity;
	enum certs_status status;                  // CERTS_OK when it was good at loading
	uint8_t *certificate;                      // DER; NULL unless it was
	size_t certificate_bytes;
};

struct register_paths {
	const char *trust_directory;               // certs/identity.h, "trust bundle"
	const char *enrolled_directory;            // *.pem, one system certificate each
	const char *register_file;                 // YAML: organisations and role profiles
	const char *identity_directory;            // broker/identity_providers.h; NULL: no identity provider is known
};

struct register_snapshot;

// Reads all, checks all. A broken register file, an unreadable directory or a broken trust bundle fails with
// file and line in `detail`. A single certificate that does not hold is kept with its status, so that a refusal
// can name it; two good certificates with one key are both marked CERTS_PROFILE.
__attribute__((warn_unused_result)) bool
register_load(const struct register_paths *paths, const struct policy *policy, uint64_t now_ms,
	      struct register_snapshot **ret, char detail[REGISTER_DETAIL_BYTES]);
// A number that changes when any of the files does (names, sizes, times, inode numbers). 0 when they cannot be read.
uint64_t register_fingerprint(const struct register_paths *paths);

struct register_snapshot *register_retain(struct register_snapshot *snapshot);
void register_release(struct register_snapshot *snapshot); // accepts NULL

// NULL: none.
const struct identity_providers *register_identity(const struct register_snapshot *snapshot);
const struct trust *register_trust(const struct register_snapshot *snapshot);
// NULL when no enrolled certificate has this key. Constant-time comparison is not needed: keys are public.
const struct enrolled_system *register_system(const struct register_snapshot *snapshot, const uint8_t curve_public[KEY_BYTES]);
// The system's standing at `now_ms`: its status at loading, and its validity period since.
enum certs_status register_system_status(const struct enrolled_system *system, uint64_t now_ms);
const struct organisation *register_organisation(const struct register_snapshot *snapshot, const struct ods_code *ods);
// All of them, by ODS code. Borrowed.
const struct organisation *register_organisations(const struct register_snapshot *snapshot, size_t *ret_count);
// What counts where the register says nothing.
struct inbox_settings register_inbox_defaults(enum organisation_type type);
// The range that holds this number; NULL: nobody else is asked about it.
const struct register_range *register_range_of(const struct register_snapshot *snapshot, const struct nhs_number *number);
// Whose demographics service publications are checked against; NULL: nobody's.
const struct organisation *register_demographics(const struct register_snapshot *snapshot);
// The profile (uid, role, organisation) if it holds at `now_ms`, else NULL.
const struct role_profile *register_profile(const struct register_snapshot *snapshot, const char *uid,
					     const char *role_code, const struct ods_code *organisation, uint64_t now_ms);
// Whether this person holds any role profile at this organisation (NULL: anywhere), at any time.
bool register_has_person(const struct register_snapshot *snapshot, const char *uid, const struct ods_code *organisation);
// Calls back for each enrolled certificate, good or not, until the callback returns true; whether one did.
bool register_find_system(const struct register_snapshot *snapshot,
			  bool (*matches)(const struct system_identity *, const void *context), const void *context);
// What an operator should know of the enrolled directory: each certificate that never held, or two with one key, and why. Not those
// that were revoked or whose time is over or has not come. At most REGISTER_REMARKS_MAX, and how many more there are.
void register_remarks(const struct register_snapshot *snapshot, void (*remark)(void *context, const char *sentence),
		      void *context);
// All role profiles of the file, by person, role, organisation and start. Borrowed.
const struct role_profile *register_profiles(const struct register_snapshot *snapshot, size_t *ret_count);
struct publishing_rules register_publishing(const struct register_snapshot *snapshot);
size_t register_systems_count(const struct register_snapshot *snapshot); // with CERTS_OK

#endif
