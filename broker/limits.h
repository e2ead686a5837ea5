// The broker's own bounds on what others may send, ask for, or make it keep; those of the wire are in proto/limits.h. Every *_MAX of
// a header in broker/ stands here. Most are tables in memory, made
// for a country with room to spare; a full one refuses or forgets, and never grows. tests/data/limits.txt names the test of each.
#ifndef CPIS_BROKER_LIMITS_H
#define CPIS_BROKER_LIMITS_H

#include "proto/limits.h"

// The network's front (front_process.c, front_link.c, listeners.c, transport.c, zap.c); what of it the configuration sets is below
#define LISTENERS_ENROLLING_PER_SECOND 10u // messages of strangers that are read
#define LISTENERS_ENROLLING_BUSY_S 10u // of more than that, and all of them are cut off
#define LISTENERS_ENROLLING_MAX 1024u // connections of strangers
#define LISTENERS_ENROLLING_GROWTH_BYTES (64u * 1024u * 1024u) // of memory while their endpoint is open
#define TRANSPORT_WAIT_MAX 4u // sockets that are waited for at once
#define ZAP_FIELD_BYTES_MAX 255 // of one field of a question whether to let somebody in; a longer one is not answered
#define FRONT_HALF_OPEN_MAX 1024u // connections beside connections_max, for handshakes under way
#define FRONT_DESCRIPTORS_MAX 65536u // a connection beyond is counted, but neither followed nor cut off
#define FRONT_DRAIN_MAX 65536u // waiting requests that are told when the broker stops
#define FRONT_BUSY_SYSTEMS_MAX 64u // refused as too busy between two looks, 100 ms; those of more count for the last one
#define FRONT_LINK_FRAME_BYTES_MAX (1024u * 1024u) // between core and front: the list of 16,384 systems is the longest
#define FRONT_LINK_UNSENT_BYTES_MAX (64u * 1024u * 1024u) // that one of the two does not take; past it that one has failed

// The operator's log, and the sandbox (log.c, trouble.h, sandbox.h)
#define LOG_LINE_BYTES_MAX 1024u // with its newline; a longer one is cut
#define TROUBLE_LINES_MAX 16u // different lines that recur
#define SANDBOX_PATHS_MAX 42 // directories
#define SANDBOX_PORTS_MAX 4

// The configuration (config.c)
#define CONFIG_PATH_BYTES_MAX 4095 // the kernel's PATH_MAX without the end
#define CONFIG_USER_BYTES_MAX 32 // useradd(8)
#define CONFIG_CONNINFO_BYTES_MAX 2000
#define CONNECTIONS_MAX 65536u
#define BATCH_MAX 1024u // requests per commit
#define WAITING_MAX 65536u // requests before the core
#define BUSY_AFTER_MS_MAX 10000u
#define FRONT_MEMORY_MB_MAX 65536u
#define WITNESS_REQUIRED_S_MAX (31u * 24u * 3600u)

// Identity providers (identity_providers.c, identity_keys.c)
#define IDENTITY_PROVIDERS_MAX 16u
#define IDENTITY_ISSUER_BYTES_MAX 128u // it is in each session's token
#define IDENTITY_AUDIENCE_BYTES_MAX 128u
#define IDENTITY_AUDIENCES_MAX 1024u // of one provider
#define IDENTITY_KEYS_MAX 32u // of one provider, old and new
#define IDENTITY_KID_BYTES_MAX 128u
#define IDENTITY_FILE_BYTES_MAX 65536u // of a JWK Set

// Who is refused (intake.c)
#define INTAKE_RETRY_AFTER_MS_MAX 5000u // that they are asked to wait

// Requests that wait (parked.c, wait.h)
#define PARKED_MAX 4096u // in all
#define PARKED_PER_SYSTEM_MAX 64u // by connection key
#define PARKED_BYTES_MAX (64u * 1024u * 1024u)
#define WAKES_MAX 256u // events between two looks; past it everybody is woken

// Questions to responders (works.c, responders.c)
#define WORKS_MAX 1024u // in all
#define WORKS_PER_ASKER_MAX 64u // that wait for an answer, by connection key
#define WORKS_BYTES_MAX (32u * 1024u * 1024u) // of questions and answers
#define RESPONDERS_MAX (2u * REGISTER_RANGES_MAX) // the one that was not heard of for longest is forgotten: more than the register can have ranges

// How often, and what is remembered of it (rate.c, session_cache.c, detection*.c, finding.c)
#define RATE_COUNTERS_MAX 65536u // past it whoever is not counted yet is refused until others' minutes are over
#define SESSION_CACHE_TOKEN_BYTES_MAX 768u // longer tokens are opened each time
#define CLOSED_SESSIONS_MAX 65536u // signed out of late, in memory; beyond, tokens are looked up in the store again
#define DETECTION_PEOPLE_MAX 16384u // remembered at a time, as are the next three; newcomers take the place of others
#define DETECTION_SYSTEMS_MAX 4096u
#define DETECTION_CHILDREN_MAX 32768u
#define DETECTION_GROUPS_MAX 4096u // of a role in a care setting
#define DETECTION_RULES_MAX 16u // of one policy
#define DETECTION_LOOKS_MAX 96u // distinct numbers remembered of one person, which bounds the thresholds that count them
#define DETECTION_WINDOW_MINUTES_MAX (7u * 24u * 60u) // a week
#define FINDING_READ_BACK_MAX 8192u // records, after a start: what lies further back is forgotten

// What people and organisations make the broker keep (quarantine.c, enrolments.c, roles.c, store.h, audit_keys.c, act.c)
#define QUARANTINE_ENTRIES_MAX 4096u // held back at a time; one that ended makes room for a new one
#define ENROLMENTS_MAX 1024u // open invitations
#define ROLES_GRANTED_MAX 65536u // over the broker, beside the register's
#define STORE_EXPIRE_MAX 1100u // kept replies forgotten at a time
#define AUDIT_KEYS_MAX 8000u // 2,000 months

#define ACT_KEPT_BYTES_MAX 1024u // of a signed act in its audit record, which has to stay small; of a longer one the hash only
#define PROOF_KEPT_BYTES_MAX 12288u // of a handshake that proves an act, likewise: browsers' have 4 to 9 kB
#define PROOF_KEPT_BESIDE_BYTES_MAX (32u * 1024u) // of the reply, which has the record in its receipt and must fit a frame

// Publications and answers (child.c, authority_state.c, follow_up.c, op_contacts_set.c, op_audit_search.c, op.h)
#define CHILD_ROWS_MAX 1024u // versions of one child's plans, shown or not: a child with more is not answered
#define CHILD_AUTHORITIES_MAX 64u // that such versions are of, likewise
#define ABANDONED_MAX 8u // generations that wait for their removal
#define PENDING_CORRECTIONS_MAX 16u // generations of which what follows is not done yet
#define FOLLOW_UP_TOLD_MAX 200u // members of staff remembered as told of one correction; who looked before so many others may be told twice
#define CONTACTS_MONTHS_AHEAD_MAX 12 // from today to a date from which contacts count
#define AUDIT_SEARCH_EXAMINED_MAX 4096u // records looked at in one request, some 13 ms (tests/bench/bench_audit); the reply says where to go on
#define REJECTION_FIELD_BYTES_MAX 20u // name of a PlanRecord field
#define STORE_WAITING_MAX 20000u // notifications that are looked at when those that wait are counted
#define OP_BODY_BYTES_MAX (48u * 1024u) // of a reply, so that with receipt and envelope it fits a frame

// Dates of one plan (plan_check.c), from today; signed, as dates are reckoned with
#define PLAN_START_YEARS_BACK_MAX 25 // before anybody who is a child today was expected no plan can have begun
#define PLAN_START_MONTHS_AHEAD_MAX 12
#define PLAN_END_YEARS_AHEAD_MAX 20
#define PLAN_END_DAYS_BACK_MAX 365 // of an end that is news; an older one is to be a delete date
#define PLAN_MOTHER_YEARS_MAX 60 // old, of whom an unborn child's plan is held under

// A file that carries the keys which brokers share (share.c)
#define SHARE_KEY_BYTES_MAX 512u // of one key file
#define SHARE_BYTES_MAX 4096u // of the whole
#define SHARE_AGE_MS_MAX (7ull * 24u * 3600u * 1000u) // after it was made

// A PostgreSQL's connection string (store_postgres*.c)
#define DATABASE_HOSTS_MAX 8u
#define DATABASE_FILES_MAX 5u // of certificates, keys, lists and passwords that it names

// The operator's files (register*.c, policy*.c)
#define REGISTER_SYSTEMS_MAX 16384u // certificates in the enrolled directory
#define REGISTER_ORGANISATIONS_MAX 16384u
#define REGISTER_PROFILES_MAX 65536u // role profiles of the file
#define REGISTER_ESCALATE_MINUTES_MAX (30u * 24u * 60u) // escalate_after_minutes of an inbox
#define REGISTER_EXPIRE_DAYS_MAX 365u // expire_after_days of an inbox
#define REGISTER_SAME_LOOK_MINUTES_MAX (24u * 60u) // same_look_minutes of an inbox
#define REGISTER_CONTACTS_STALE_DAYS_MAX 3660u
#define REGISTER_RANGES_MAX 1024u // of numbers that a neighbour answers for
#define REGISTER_RANGES_PER_ORGANISATION_MAX 64u
#define REGISTER_REMARKS_MAX 100u // sentences about bad certificates; the rest is counted
#define POLICY_ROLES_MAX 256u
#define POLICY_NAME_BYTES_MAX 64u // of the policy's name
#define POLICY_EXAMPLES_MAX 1024u
#define POLICY_RETENTION_MONTHS_MAX 1200u // a hundred years
#define POLICY_SESSION_MINUTES_MAX 720u // SESSION_MS_MAX
#define POLICY_RATE_MAX 1000000u // requests per minute
#define POLICY_STEPS_MAX 10u // of one explanation
#define POLICY_ACTIVITIES_MAX 512u // bits of an activity_set
#define POLICY_OPERATIONS_MAX 64u
#define POLICY_CARE_SETTINGS_MAX 64u // a care setting is one bit of a mask

#endif
