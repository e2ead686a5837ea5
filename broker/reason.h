// Every reason for a refusal, in one table: our name, the word on the wire and in the audit log, the wire
// outcome, the sentence. The only place where internal results become wire codes.
// No sentence says anything about a child.
#ifndef CPIS_BROKER_REASON_H
#define CPIS_BROKER_REASON_H

#include "proto/cpis.pb-c.h"

#define REASON_TABLE(X)                                                                                                \
	X(REASON_NONE, "", OK, "")                                                                                     \
	X(REASON_MALFORMED, "message_not_well_formed", MESSAGE_NOT_WELL_FORMED,                                        \
	  "The message cannot be read.")                                                                               \
	X(REASON_TOO_LARGE, "message_too_large", MESSAGE_NOT_WELL_FORMED, "The message is larger than 65,503 bytes.")   \
	X(REASON_VERSION, "protocol_version", NO_LONGER_SUPPORTED, "This broker speaks protocol version 1.")           \
	X(REASON_NHS_NUMBER, "nhs_number", INVALID_NHS_NUMBER,                                                         \
	  "Not a valid NHS number: check the ten digits.")                                                             \
	X(REASON_VALUE, "invalid_value", INVALID_VALUE, "A field has a value that is not allowed.")                    \
	X(REASON_SYSTEM_UNKNOWN, "system_unknown", ASID_CHECK_FAILED,                                                  \
	  "This connection does not belong to an enrolled system. Connect again.")                                     \
	X(REASON_SYSTEM_REVOKED, "system_revoked", ASID_CHECK_FAILED, "This system's certificate has been revoked.")   \
	X(REASON_SYSTEM_EXPIRED, "system_expired", ASID_CHECK_FAILED, "This system's certificate has expired.")        \
	X(REASON_SYSTEM_INVALID, "system_invalid", ASID_CHECK_FAILED,                                                  \
	  "This system's certificate no longer passes the broker's checks.")                                           \
	X(REASON_ORGANISATION_UNKNOWN, "organisation_unknown", ASID_CHECK_FAILED,                                      \
	  "The organisation of this system is not in the broker's register.")                                          \
	X(REASON_SYSTEM_QUARANTINED, "system_quarantined", ASID_CHECK_FAILED,                                          \
	  "This system, its certificate or its organisation is quarantined: ring your registration authority.")        \
	X(REASON_HANDSHAKE_KEY, "handshake_unknown_key", ASID_CHECK_FAILED,\
	  "The key of a handshake is not that of any enrolled system.")\
	X(REASON_HANDSHAKE_REVOKED, "handshake_revoked", ASID_CHECK_FAILED,\
	  "The key of a handshake has a certificate that was revoked.")\
	X(REASON_HANDSHAKE_EXPIRED, "handshake_expired", ASID_CHECK_FAILED,\
	  "The key of a handshake has a certificate that has expired.")\
	X(REASON_HANDSHAKE_CERTIFICATE, "handshake_certificate", ASID_CHECK_FAILED,\
	  "The key of a handshake has a certificate that does not pass the broker's checks.")\
	X(REASON_HANDSHAKE_TURNED_AWAY, "handshake_turned_away", SERVICE_UNAVAILABLE,\
	  "A handshake was told to come later: there was no room, or no register to judge it by.")\
	X(REASON_HANDSHAKE_MECHANISM, "handshake_mechanism", ASID_CHECK_FAILED,\
	  "A connection offered NULL, PLAIN or another mechanism in place of CURVE.")\
	X(REASON_HANDSHAKE_PROTOCOL, "handshake_protocol", NO_LONGER_SUPPORTED,\
	  "A connection spoke an older protocol than ZMTP 3, or none of ZeroMQ's.")\
	X(REASON_HANDSHAKE_SECRET, "handshake_secret", ASID_CHECK_FAILED,\
	  "A handshake did not prove the secret key behind its key, or was meant for another broker's key.")\
	X(REASON_HANDSHAKE_MALFORMED, "handshake_malformed", MESSAGE_NOT_WELL_FORMED,\
	  "A handshake was not well formed.")\
	X(REASON_HANDSHAKE_UNFINISHED, "handshake_unfinished", DEADLINE_EXPIRED,\
	  "A connection ended, or said nothing for five seconds, before its handshake was done.")\
	X(REASON_STAFF_CERTIFICATE, "staff_certificate", AUTHOR_CREDENTIALS_ERROR,                                     \
	  "The member of staff's certificate does not pass the broker's checks.")                                      \
	X(REASON_STAFF_REVOKED, "staff_revoked", AUTHOR_CREDENTIALS_ERROR,                                             \
	  "The member of staff's certificate has been revoked.")                                                       \
	X(REASON_STAFF_EXPIRED, "staff_expired", AUTHOR_CREDENTIALS_ERROR,                                             \
	  "The member of staff's certificate has expired.")                                                            \
	X(REASON_STATEMENT_SIGNATURE, "statement_signature", AUTHOR_CREDENTIALS_ERROR,                                 \
	  "The session statement is not signed by the certificate's key.")                                             \
	X(REASON_PROOF_NO_HOST, "proof_no_web_host", AUTHOR_CREDENTIALS_ERROR,                                         \
	  "Browsers prove nobody through this system: its certificate names no web host.")                             \
	X(REASON_PROOF_FORM, "proof_form", AUTHOR_CREDENTIALS_ERROR,                                                   \
	  "What the browser brought as proof is not well formed.")                                                     \
	X(REASON_PROOF_ORIGIN, "proof_origin", AUTHOR_CREDENTIALS_ERROR,                                               \
	  "The browser's proof was made for another web host than this system's.")                                     \
	X(REASON_PROOF_CHALLENGE, "proof_challenge", AUTHOR_CREDENTIALS_ERROR,                                         \
	  "The browser's proof is of something else than what was sent.")                                              \
	X(REASON_PROOF_PRESENCE, "proof_presence", AUTHOR_CREDENTIALS_ERROR,                                           \
	  "The passkey did not make sure who was there: a PIN or a fingerprint is needed.")                            \
	X(REASON_PROOF_SIGNATURE, "proof_signature", AUTHOR_CREDENTIALS_ERROR,                                         \
	  "The browser's proof was not made with the key of the member of staff's certificate.")                       \
	X(REASON_IDENTITY_FORM, "identity_token_form", AUTHOR_CREDENTIALS_ERROR,                                       \
	  "The identity token is not well formed.")                                                                    \
	X(REASON_IDENTITY_ISSUER, "identity_token_issuer", AUTHOR_CREDENTIALS_ERROR,                                   \
	  "The identity token is by a provider that this broker does not know.")                                       \
	X(REASON_IDENTITY_ALGORITHM, "identity_token_algorithm", AUTHOR_CREDENTIALS_ERROR,                             \
	  "The identity token is signed in a way that this broker does not allow, or not in the way of its key.")      \
	X(REASON_IDENTITY_KEY, "identity_token_key", AUTHOR_CREDENTIALS_ERROR,                                         \
	  "The identity token is signed with a key that its provider's key file does not have.")                       \
	X(REASON_IDENTITY_SIGNATURE, "identity_token_signature", AUTHOR_CREDENTIALS_ERROR,                             \
	  "The identity token's signature does not hold.")                                                             \
	X(REASON_IDENTITY_AUDIENCE, "identity_token_audience", AUTHOR_CREDENTIALS_ERROR,                               \
	  "The identity token was issued for another relying party than this system.")                                 \
	X(REASON_IDENTITY_TIME, "identity_token_time", AUTHOR_CREDENTIALS_ERROR,                                       \
	  "The identity token has expired, or its times are not as they must be: sign in again.")                      \
	X(REASON_IDENTITY_ASSURANCE, "identity_token_assurance", AUTHOR_CREDENTIALS_ERROR,                             \
	  "The identity token does not say that the person was identified as surely as this service asks for.")        \
	X(REASON_IDENTITY_PERSON, "identity_token_person", AUTHOR_CREDENTIALS_ERROR,                                   \
	  "The identity token does not say who the person is: a user id of twelve digits and a name.")                 \
	X(REASON_IDENTITY_ROLE, "identity_token_role", AUTHOR_CREDENTIALS_ERROR,                                       \
	  "The identity token does not have this role at this organisation.")                                          \
	X(REASON_IDENTITY_ROLES, "identity_token_roles", AUTHOR_CREDENTIALS_ERROR,                                     \
	  "The identity token has several roles at this organisation: one of them has to be chosen.")                  \
	X(REASON_STATEMENT_PERSON, "statement_person", AUTHOR_CREDENTIALS_ERROR,                                       \
	  "The session statement names another person than the certificate.")                                          \
	X(REASON_STATEMENT_CHANNEL, "statement_channel", AUTHOR_CREDENTIALS_ERROR,                                     \
	  "The session statement was made for another system.")                                                    \
	X(REASON_STATEMENT_BROKER, "statement_broker", AUTHOR_CREDENTIALS_ERROR,                                       \
	  "The session statement was made for another broker.")                                                        \
	X(REASON_STATEMENT_TIME, "statement_time", AUTHOR_CREDENTIALS_ERROR,                                           \
	  "The session statement is more than 60 seconds off the broker's clock.")                                     \
	X(REASON_STATEMENT_REPLAYED, "statement_replayed", AUTHOR_CREDENTIALS_ERROR,                                   \
	  "The session statement was used before. Sign a new one.")                                                    \
	X(REASON_STATEMENT_ORGANISATION, "statement_organisation", AUTHOR_CREDENTIALS_ERROR,                           \
	  "The role profile belongs to another organisation than this system.")                                        \
	X(REASON_PROFILE, "role_profile", AUTHOR_CREDENTIALS_ERROR,                                                    \
	  "This person holds no such role profile at this organisation now.")                                          \
	X(REASON_PERSON_QUARANTINED, "person_quarantined", AUTHOR_CREDENTIALS_ERROR,                                   \
	  "This person or their certificate is quarantined: ring your registration authority.")                        \
	X(REASON_ACT_UNSIGNED, "act_unsigned", AUTHOR_CREDENTIALS_ERROR,                                               \
	  "This act needs the signature of the member of staff.")                                                      \
	X(REASON_ACT_IDENTITY, "act_identity_token", AUTHOR_CREDENTIALS_ERROR,                                         \
	  "This act needs the person's own key, and an identity token opened this session: sign in with the key.")     \
	X(REASON_ACT_SIGNATURE, "act_signature", AUTHOR_CREDENTIALS_ERROR,                                             \
	  "The act is not signed by the key of this session's member of staff.")                                       \
	X(REASON_ACT_TIME, "act_time", AUTHOR_CREDENTIALS_ERROR,                                                       \
	  "The act was signed more than 60 seconds off the broker's clock.")                                           \
	X(REASON_TOKEN_MISSING, "session_missing", SESSION_EXPIRED, "Open a session first.")                           \
	X(REASON_TOKEN_FORGED, "session_invalid", AUTHOR_CREDENTIALS_ERROR,                                            \
	  "The session token was not made by this broker for this system.")                                        \
	X(REASON_TOKEN_EXPIRED, "session_expired", SESSION_EXPIRED, "The session has ended. Open a new one.")          \
	X(REASON_TOKEN_CLOSED, "session_closed", SESSION_EXPIRED, "This session was signed out. Open a new one.")      \
	X(REASON_TOKEN_IDLE, "session_idle", SESSION_EXPIRED, "The session was idle for too long. Open a new one.")    \
	X(REASON_OPERATION, "operation_not_in_policy", ACCESS_DENIED, "The policy does not name this operation.")      \
	X(REASON_ORGANISATION_TYPE, "organisation_type", ACCESS_DENIED,                                                \
	  "This operation is not for this type of organisation.")                                                      \
	X(REASON_CARE_SETTING, "care_setting_not_in_scope", ACCESS_DENIED,                                             \
	  "This organisation does not provide care in that care setting.")                                             \
	X(REASON_CARE_SETTING_UNNAMED, "care_setting_needed", INVALID_VALUE,                                           \
	  "This organisation has several care settings: say which.")                                                   \
	X(REASON_ROLE_UNKNOWN, "role_not_in_policy", ACCESS_DENIED, "The policy does not name this role.")             \
	X(REASON_ACTIVITY, "role_lacks_activity", ACCESS_DENIED,                                                       \
	  "This role does not include the activity that this operation needs.")                                        \
	X(REASON_BREAK_GLASS, "break_glass_not_allowed", ACCESS_DENIED,\
	  "This role may not break the glass for this operation.")\
	X(REASON_HOURS, "outside_hours", ACCESS_DENIED,\
	  "This role does not work at this hour.")\
	X(REASON_SESSION_AGE, "session_too_old", SESSION_EXPIRED,\
	  "This operation needs a younger session. Open a new one.")\
	X(REASON_BIRTH_DATE, "birth_date", INVALID_VALUE, "The birth date must be a date, as YYYY-MM-DD.")             \
	X(REASON_REASON_MISSING, "reason_needed", INVALID_VALUE,\
	  "Say why, in words of at least 10 characters.")\
	X(REASON_PERSON_RATE, "person_rate", TOO_MANY_REQUESTS,\
	  "This person asks more often than the policy allows. Wait a minute.")\
	X(REASON_SYSTEM_RATE, "system_rate", TOO_MANY_REQUESTS,\
	  "This system asks more often than the policy allows. Wait a minute.")\
	X(REASON_POLICY_INVALID, "policy_invalid", INVALID_VALUE,\
	  "The policy cannot be put in force.")\
	X(REASON_EXPLAIN_SCOPE, "explain_scope", ACCESS_DENIED,\
	  "Decisions of another organisation are explained to a national body only.")\
	X(REASON_NO_SUCH_ALERT, "no_such_alert", NO_RECORD_FOUND,\
	  "There is no such alert at this organisation.")\
	X(REASON_REVIEW_SELF, "review_self", ACCESS_DENIED,\
	  "Nobody reviews an access of their own.")\
	X(REASON_ALERT_CLOSED, "alert_closed", INVALID_REQUEST_STATE,\
	  "This case is closed; nothing is added to it.")\
	X(REASON_HOLD_NARROWER, "hold_narrower", INVALID_REQUEST_STATE,\
	  "There is a hold of this name that holds more months: release it first.")\
	X(REASON_HOLDS_FULL, "holds_full", INVALID_REQUEST_STATE,\
	  "There are as many holds as there can be: release one first.")\
	X(REASON_ALERT_UNDECIDED, "alert_undecided", INVALID_REQUEST_STATE,\
	  "This case has no outcome yet: review it first.")\
	X(REASON_ALERT_FULL, "alert_full", INVALID_REQUEST_STATE,\
	  "This case has as many steps as it can hold: give it its outcome.")\
	X(REASON_ALERT_ASSIGNEE, "alert_assignee", INVALID_VALUE,\
	  "A case is given to somebody who has a role at this organisation, and not to whom it is about.")\
	X(REASON_OTHER_AUTHORITY, "other_authority", ACCESS_DENIED,                                                    \
	  "An authority publishes its own records only.")                                                              \
	X(REASON_CONTACTS, "contacts_needed", INVALID_REQUEST_STATE,                                                   \
	  "This authority has no telephones in force: set its contacts first.")                                        \
	X(REASON_QUALITY_SCOPE, "quality_scope", ACCESS_DENIED,                                                        \
	  "An authority is told of its own data only, a national body of any.")                                        \
	X(REASON_CONTACTS_DATE, "contacts_date", INVALID_VALUE,                                                        \
	  "Contacts begin today or on a date within the next 12 months.")                                              \
	X(REASON_CONTACTS_FULL, "contacts_full", INVALID_REQUEST_STATE,                                                \
	  "There are 8 entries of contacts already. Replace one by giving its date.")                                  \
	X(REASON_SEQUENCE, "publication_sequence", INVALID_REQUEST_STATE, "The file is out of sequence.")              \
	X(REASON_PUBLICATION_UNKNOWN, "publication_unknown", INVALID_REQUEST_STATE,                                    \
	  "No such file is open. Open it again.")                                                                      \
	X(REASON_PUBLICATION_STALE, "publication_stale", INVALID_REQUEST_STATE,                                        \
	  "A correction came since this file was opened, so it was discarded. Open it again.")                      \
	X(REASON_PUBLICATION_STATE, "publication_state", INVALID_REQUEST_STATE,                                        \
	  "This cannot be done with the file now.")                                                                    \
	X(REASON_VANISHED, "too_many_vanish", INVALID_REQUEST_STATE, "More would vanish than is allowed without asking.")                   \
	X(REASON_PUBLICATION_BUSY, "publication_busy", SERVICE_UNAVAILABLE,                                            \
	  "What follows from the last publication is still being done. Try again.")                                    \
	X(REASON_DEMOGRAPHICS, "demographics_unavailable", SERVICE_UNAVAILABLE,                                        \
	  "CPF05: the demographics service does not answer, so nothing was stored. Send the same again later.")               \
	X(REASON_QUARANTINE_SCOPE, "quarantine_scope", ACCESS_DENIED,                                                  \
	  "A registration authority quarantines its own organisation's systems and people only, and never itself.")    \
	X(REASON_ROLE_SELF, "role_self", ACCESS_DENIED, "Nobody grants a role to themselves.")                          \
	X(REASON_WRONG_ENDPOINT, "wrong_endpoint", ACCESS_DENIED,                                                      \
	  "The enrolment endpoint answers enrolment requests and nothing else, and no other endpoint answers them.")   \
	X(REASON_ENROLMENT_CODE, "enrolment_code", ASID_CHECK_FAILED,                                                  \
	  "The code is not good for this key, organisation and name. Ask whoever gave it to you.")                     \
	X(REASON_ENROLMENT_SCOPE, "enrolment_scope", ACCESS_DENIED,                                                    \
	  "A registrar invites systems of the own organisation, one of a national body those of any in the register.") \
	X(REASON_ENROLMENTS_FULL, "enrolments_full", TOO_MANY_REQUESTS,                                                \
	  "There are 1,024 open invitations. Withdraw one, or wait until one ends.")                                   \
	X(REASON_RESPONDER_SCOPE, "responder_scope", ACCESS_DENIED,                                                    \
	  "The register does not give this organisation that range or kind of question to answer.")                    \
	X(REASON_NOT_REGISTERED, "responder_not_registered", INVALID_REQUEST_STATE,                                    \
	  "This session and connection are not registered as a responder, or no longer: register first.")              \
	X(REASON_WORK_NOT_TAKEN, "work_not_taken", ACCESS_DENIED,                                                      \
	  "That question was not given to this responder.")                                                            \
	X(REASON_ANSWER_SIGNATURE, "answer_signature", AUTHOR_CREDENTIALS_ERROR,                                       \
	  "The answer is not signed by the key that was registered, for this question and this broker.")               \
	X(REASON_ANSWER_INVALID, "answer_invalid", INVALID_VALUE,                                                      \
	  "The answer cannot be read, does not fit its question, or says what cannot be.")                             \
	X(REASON_AUDIT_SCOPE, "audit_scope", ACCESS_DENIED,                                                            \
	  "A reviewer of one organisation sees that organisation's records only.")                                     \
	X(REASON_REPORT_NEEDS, "report_needs", INVALID_VALUE,                                                          \
	  "This report must say whom it is about.")                                                                    \
	X(REASON_REPORT_PERIOD, "report_period", INVALID_VALUE,                                                        \
	  "This report is about a period of at most 31 days, which must be given.")                                    \
	X(REASON_NO_SUCH_RECORD, "no_such_record", NO_RECORD_FOUND, "There is no such audit record within your remit.")\
	X(REASON_NO_SUCH_SIZE, "no_such_size", NO_RECORD_FOUND, "The audit log has fewer records than that.")\
	X(REASON_CHECKPOINT_INVALID, "checkpoint_invalid", INVALID_VALUE,\
	  "The checkpoint is not well-formed, or its signature does not verify.")\
	X(REASON_CHECKPOINT_OTHER_LOG, "checkpoint_other_log", INVALID_VALUE, "The checkpoint is of another log.")\
	X(REASON_COSIGNATURE, "cosignature_invalid", INVALID_VALUE,\
	  "A line of the checkpoint bears a witness's name and is not its cosignature, or is of a time to come.")\
	X(REASON_LOG_UNWITNESSED, "log_unwitnessed", SERVICE_UNAVAILABLE,\
	  "The audit log has not been cosigned by its witnesses lately, and this broker is set not to answer then.")\
	X(REASON_DEADLINE, "deadline", DEADLINE_EXPIRED, "The deadline had passed; nothing was done.")                 \
	X(REASON_NO_SUCH_ITEM, "no_such_item", NO_RECORD_FOUND,\
	  "There is no such item in this organisation's inbox.")\
	X(REASON_NOT_A_NOTIFICATION, "not_a_notification", INVALID_VALUE,\
	  "That item is not about a look: an enquiry is about an access notification.")\
	X(REASON_NOT_AN_ENQUIRY, "not_an_enquiry", INVALID_VALUE, "That item is not an enquiry.")\
	X(REASON_ANSWERED, "enquiry_answered", INVALID_REQUEST_STATE, "This enquiry has been answered before.")\
	X(REASON_APPOINTMENT, "appointment_date", INVALID_VALUE,\
	  "The appointment's date must be a date, not in the future and at most 31 days ago.")\
	X(REASON_DUPLICATE, "request_id_reused", DUPLICATE_REJECTED,                                                   \
	  "This request id was used before for another request.")                                                      \
	X(REASON_STORE, "store_unavailable", SERVICE_UNAVAILABLE,                                                      \
	  "The request could not be recorded, so it is not answered. Try again.")                                      \
	X(REASON_BUSY, "busy", SERVICE_UNAVAILABLE,                                                                    \
	  "More is asked of this broker now than it can answer in time. Try again after the time stated.")             \
	X(REASON_DRAINING, "draining", SERVICE_UNAVAILABLE, "This broker is stopping. Try another.")                   \
	X(REASON_INTERNAL, "internal", INTERNAL_SERVER_ERROR, "The broker made a mistake; it has been recorded.")

enum reason {
#define X(name, word, outcome, sentence) name,
	REASON_TABLE(X)
#undef X
	REASONS,
	REASON_PARKED // no refusal: the request waits (broker/wait.h), and has neither record nor reply yet
};

const char *reason_word(enum reason reason);
const char *reason_sentence(enum reason reason);
Cpis__V1__Outcome reason_outcome(enum reason reason);

#endif
