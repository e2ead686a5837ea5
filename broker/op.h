// One handler per kind of request, each in a file of its own: op_details.c answers DETAILS, and so on. By the time a
// handler runs, the system is known, the person's session holds and the policy has allowed the operation; the
// handler checks what is particular to its request, reads and writes the store, and fills the reply's body
// and the audit detail. It never sends, never commits and never records: core.c does, for all of them alike.
//
// Handlers return REASON_NONE or the refusal; REASON_STORE when a store call failed (the whole batch is then
// given up); REASON_PARKED with `wait` filled when there is nothing to answer yet (broker/wait.h), but never when
// `may_wait` is false. A handler that refuses or parks has written nothing to the store.
#ifndef CPIS_BROKER_OP_H
#define CPIS_BROKER_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/audit.h"
#include "broker/closed_sessions.h"
#include "broker/enrolments.h"
#include "broker/limits.h"
#include "broker/policy.h"
#include "broker/policy_in_force.h"
#include "broker/quarantine.h"
#include "broker/rate.h"
#include "broker/register.h"
#include "broker/responders.h"
#include "broker/roles.h"
#include "broker/session.h"
#include "broker/store.h"
#include "broker/vault.h"
#include "broker/wait.h"
#include "broker/works.h"
#include "certs/note.h"

struct traffic;
struct waiting;
struct witnessing;

struct op_context {
	// What everybody shares; borrowed.
	const struct policy *policy;
	const struct register_snapshot *snapshot;
	struct store *store;
	struct vault *vault;
	const struct session_keys *session_keys;
	struct audit_log *audit;
	const struct note_verifier *log;            // verifies its checkpoints
	struct witnessing *witnessing;
	struct quarantine *quarantine;
	struct closed_sessions *closed_sessions;
	struct roles *roles;
	struct rate *rate;
	struct policy_in_force *in_force;
	struct enrolments *enrolments;
	struct responders *responders;
	struct works *works;
	uint64_t *sample_looked_ms;   // job_sample's: when it last looked whether it is due
	struct retention_progress *retention; // job_retention's
	const struct traffic *traffic;
	struct waiting *waiting;
	uint64_t certificate_until_ms; // the broker's own; 0: not known
	const char *broker_name;

	// This request.
	uint64_t now_ms;
	struct arena *arena;                       // holds the reply until the batch is through
	const Cpis__V1__Request *request;
	const struct organisation *organisation;   // of the system, as registered
	const uint8_t *channel_key;
	const char *system_name;                   // "" when the system is not known
	const char *web_host;                      // of the system, "" when it has none
	bool enrolling;                            // came on the enrolment endpoint: whose key it is is not known
	struct session *session;                   // zeroed for ping; filled by session_open
	struct policy_decision decision;
	uint64_t audit_index;                      // of the record this request will have
	bool has_subject;                          // the NHS number asked about is one; noted in the audit record
	struct store_tag subject;
	bool resumed;                              // it waited and was submitted again
	bool may_wait;
	uint64_t ticket;                           // of a resumed request: what it waited with
	uint64_t waited_ms;                        // since it arrived
	struct wakes *wakes;                       // what happens here that others may wait for: wakes_add

	// Results.
	Cpis__V1__Reply *reply;                    // body, session_token; the rest is core.c's
	Cpis__V1__AuditDetail *detail;             // nhs_number, count...; who and where are filled already
	const char *refusal;                       // a sentence in place of the reason's own; NULL: none
	const char *recorded_reason;               // what the record of a refusal says in place of the reply's sentence
	struct wait wait;                          // with REASON_PARKED
	bool wants_proof;                          // AUDIT_SHOW: prove `proof_index` when the batch closes
	uint64_t proof_index;
};

enum reason op_ping(struct op_context *);
enum reason op_session_open(struct op_context *);
enum reason op_session_close(struct op_context *);
enum reason op_flag(struct op_context *);
enum reason op_details(struct op_context *);
enum reason op_publish(struct op_context *);
enum reason op_publication_open(struct op_context *);
enum reason op_publication_records(struct op_context *);
enum reason op_publication_commit(struct op_context *);
enum reason op_publication_show(struct op_context *);
enum reason op_contacts_set(struct op_context *);
enum reason op_contacts_show(struct op_context *);
enum reason op_data_quality(struct op_context *);
enum reason op_inbox_list(struct op_context *);
enum reason op_inbox_acknowledge(struct op_context *);
enum reason op_inbox_take(struct op_context *);
enum reason op_enquiry_send(struct op_context *);
enum reason op_enquiry_answer(struct op_context *);
enum reason op_not_brought_send(struct op_context *);
enum reason op_audit_search(struct op_context *);
enum reason op_audit_show(struct op_context *);
enum reason op_quarantine_set(struct op_context *);
enum reason op_quarantine_lift(struct op_context *);
enum reason op_quarantine_list(struct op_context *);
enum reason op_role_grant(struct op_context *);
enum reason op_role_end(struct op_context *);
enum reason op_role_list(struct op_context *);
enum reason op_explain(struct op_context *);
enum reason op_policy_load(struct op_context *);
enum reason op_policy_show(struct op_context *);
enum reason op_alert_list(struct op_context *);
enum reason op_alert_review(struct op_context *);
enum reason op_alert_show(struct op_context *);
enum reason op_alert_assign(struct op_context *);
enum reason op_alert_note(struct op_context *);
enum reason op_alert_close(struct op_context *);
enum reason op_enrol(struct op_context *); // without a system and without a session
enum reason op_enrol_invite(struct op_context *);
enum reason op_enrol_list(struct op_context *);
enum reason op_enrol_withdraw(struct op_context *);
enum reason op_operations_show(struct op_context *);
enum reason op_extract_read(struct op_context *);
enum reason op_retention_show(struct op_context *);
enum reason op_retention_hold(struct op_context *);
enum reason op_retention_release(struct op_context *);
enum reason op_audit_consistency(struct op_context *); // without a session, as is the next one
enum reason op_checkpoint_exchange(struct op_context *);
enum reason op_responder_register(struct op_context *);
enum reason op_responder_take(struct op_context *);
enum reason op_responder_answer(struct op_context *);
enum reason op_responder_announce(struct op_context *);

// request.c: in the audit record, this request is about this number (NULL: about nobody). For those whose own words do not say
// whom they are about. False: the arena is full.
__attribute__((warn_unused_result)) bool op_note_number(struct op_context *context, const struct nhs_number *number);

// A zeroed message in the arena. Arena full: NULL.
#define OP_NEW(context, type, init)                                                                  \
	({                                                                                           \
		type *op_new_ = arena_alloc((context)->arena, sizeof(type));                         \
		if (op_new_ != NULL)                                                                 \
			init(op_new_);                                                               \
		op_new_;                                                                             \
	})

// The text itself, as protobuf-c's structs want it (they are not const); it must outlive the batch.
static inline char *op_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

#endif
