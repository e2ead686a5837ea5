// Every bound of the wire format, in one place. proto/cpis.proto states them in words beside each field.
#ifndef CPIS_PROTO_LIMITS_H
#define CPIS_PROTO_LIMITS_H

#define PROTOCOL_VERSION 1u

// A frame of 65,536 bytes under CURVE leaves 65,503 for the message: CURVE adds 33.
#define FRAME_BYTES_MAX 65536u
#define MESSAGE_BYTES_MAX 65503u

// What one decoded message may occupy. Hostile input blows up at most 76-fold in protobuf-c;
// honest messages stay under 10-fold.
#define ARENA_BYTES (1024u * 1024u)

#define MESSAGE_DEPTH_MAX 8u          // nesting of sub-messages
#define NEWER_FIELDS_MAX 16u           // of one message, that a later version of the broker may have added (wire.h)
#define REPEATED_COUNT_MAX 256u       // elements of any repeated field, unless a tighter bound stands below

#define REQUEST_ID_BYTES 16u
#define SESSION_TOKEN_BYTES_MAX 1024u
#define STATEMENT_BYTES_MAX 1024u
#define STAFF_CERTIFICATE_BYTES_MAX 2048u
#define SIGNATURE_BYTES 64u
#define AUTHENTICATOR_DATA_BYTES_MAX 512u // of a passkey's assertion, as the next two
#define CLIENT_DATA_BYTES_MAX 1024u
#define ASSERTION_SIGNATURE_BYTES_MAX 512u
#define TRANSCRIPT_BYTES_MAX 16384u   // of a TLS handshake
#define IDENTITY_TOKEN_BYTES_MAX 8192u
#define CALLER_ID_BYTES_MAX 64u       // what the caller's own records call a request
#define CHANNEL_KEY_BYTES 32u
#define NONCE_BYTES 16u

#define DEADLINE_MS_MAX 60000u
#define CLOCK_SKEW_MS_MAX 60000u      // statement time against broker's clock
#define SESSION_MS_MAX (12u * 3600u * 1000u)
#define SESSION_IDLE_MS_MAX (30u * 60u * 1000u)

#define TEXT_BYTES_MAX 200u           // any string, unless a tighter bound stands below
#define CHECKPOINT_BYTES_MAX 4608u   // with the signatures of 16 witnesses
#define MESSAGE_TEXT_BYTES_MAX 1000u  // what people write to each other
#define LOCAL_ID_BYTES_MAX 40u
#define TELEPHONE_BYTES_MIN 3u
#define TELEPHONE_BYTES_MAX 20u
#define UID_DIGITS 12u
#define ROLE_CODE_BYTES_MAX 12u
#define QUARANTINE_TARGET_BYTES_MAX 80u
#define HOLD_NAME_BYTES_MAX 64u
#define HOLDS_MAX 64u
#define RETENTION_KEYS_MAX 16u // of one month
#define REASON_CHARACTERS_MIN 10u     // of a reason in words
#define SYSTEM_NAME_BYTES_MAX 64u
#define ENROLMENT_CODE_BYTES 16u
#define SYSTEM_CERTIFICATE_BYTES_MAX 2048u
#define ENROLMENT_MS_MAX (14ull * 24u * 3600u * 1000u) // an invitation ends by then
#define POLICY_BYTES_MAX 49152u
#define EXPLAIN_STEPS_MAX 16u

#define PUBLISH_RECORDS_MAX 200u
#define PUBLICATION_ID_BYTES 16u
#define PUBLICATION_RECORDS_MAX 1000000u // of one file
#define VANISHED_CURSOR_BYTES_MAX 64u
#define EXTRACT_RECIPIENTS_MAX 12u    // as many as one text of the audit record names
#define EXTRACT_CURSOR_BYTES_MAX 64u
#define ESCALATION_MAX 8u             // of one organisation
#define ESCALATION_ROLE_BYTES_MAX 64u
#define INCIDENT_SEVERITY_MAX 4u      // 1 is the gravest
#define CONTACTS_MAX 8u               // of one authority, in force and to come
#define OPEN_ERRORS_MAX 64u           // kinds of rejected records in a report
#define INBOX_LEASE_MS_MIN 1000u
#define INBOX_LEASE_MS_MAX (3600u * 1000u)
#define WORK_ID_BYTES 16u
#define ANSWER_BYTES_MAX 32768u       // of a responder
#define ANNOUNCE_NUMBERS_MAX 100u
#define NOT_AVAILABLE_MAX 8u          // registers that did not answer
#define APPOINTMENT_DAYS_BACK_MAX 31
#define TRACE_ID_BYTES 16u // W3C Trace Context
#define TRACE_PARENT_ID_BYTES 8u
#define SESSION_ID_BYTES 16u
#define REASON_CODE_BYTES_MAX 64u
// 31 days of England's calendar; the end of summer time makes one of them an hour longer.
#define REPORT_MS_MAX ((31ull * 24u + 1u) * 3600u * 1000u)
#define ALERT_STEPS_MAX 64u           // of one case
#define FINDINGS_MAX 16u              // of one record
#define PAGE_ITEMS_MAX 100u
#define PAGE_ITEMS_DEFAULT 50u
#define ACKNOWLEDGE_IDS_MAX 100u
#define PLANS_PER_CHILD_MAX 32u
#define PLAN_TYPES_MAX 3u
#define ACCESS_HISTORY_MAX 25u
#define ACTIVITIES_PER_ROLE_MAX 32u
#define INCLUSION_PATH_MAX 63u
#define GROWTH_PATH_MAX 65u           // of a consistency proof
#define HELD_CHECKPOINTS_MAX 8u        // of one exchange

#define SHOWN_SECONDS_MAX 60u         // of one CountedSeconds
#define SHOWN_MINUTES_MAX 5u          // of an OperationsShowReply, as are the next three
#define SHOWN_OPERATIONS_MAX 64u
#define SHOWN_BUCKETS_MAX 192u
#define SHOWN_EXPIRING_MAX 50u

#define TAG_BYTES 16u                 // subject_tag, person_tag
#define SALT_BYTES 16u
#define HASH_BYTES 32u

#endif
