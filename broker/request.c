// The way of one request: whose connection, who asks, may they, do it.
#include "broker/request.h"

#include <stdio.h>
#include <string.h>

#include "broker/act.h"
#include "broker/retry.h"
#include "broker/witnessing.h"

// ------------------------------------------------------------------ identify

enum reason request_standing(const struct register_snapshot *snapshot, const struct quarantine *quarantine,
			     const struct enrolled_system *system, uint64_t now_ms)
{
	if (system == NULL)
		return REASON_SYSTEM_UNKNOWN;
	// A revocation list that is out of date cannot say that nobody was revoked.
	if (now_ms >= trust_crl_next_update_ms(register_trust(snapshot)))
		return REASON_SYSTEM_INVALID;
	switch (register_system_status(system, now_ms)) {
	case CERTS_OK:
		return quarantine_holds_system(quarantine, &system->identity, now_ms) ? REASON_SYSTEM_QUARANTINED
										       : REASON_NONE;
	case CERTS_REVOKED:
		return REASON_SYSTEM_REVOKED;
	case CERTS_EXPIRED:
		return REASON_SYSTEM_EXPIRED;
	default:
		return REASON_SYSTEM_INVALID;
	}
}

static bool needs_session(Cpis__V1__Operation operation)
{
	switch (operation) {
	case CPIS__V1__OPERATION__PING:
	case CPIS__V1__OPERATION__SESSION_OPEN:
	case CPIS__V1__OPERATION__AUDIT_CONSISTENCY:
	case CPIS__V1__OPERATION__CHECKPOINT_EXCHANGE:
		return false;
	default:
		return true;
	}
}

static enum reason resume_session(struct op_context *context)
{
	struct session_context where = {
		.snapshot = context->snapshot,
		.roles = context->roles,
		.broker_name = context->broker_name,
		.channel_key = context->channel_key,
		.organisation = &context->organisation->ods,
		.system = context->system_name,
		.web_host = context->web_host,
		.closed = context->closed_sessions,
		.now_ms = context->now_ms,
	};
	bool renew = false;
	enum reason reason = session_resume(&where, context->session_keys, context->arena, context->request->session_token,
					    context->session, &renew);
	if (reason != REASON_NONE)
		return reason;
	if (quarantine_holds_person(context->quarantine, context->session->uid, &context->session->staff_serial,
				    context->now_ms))
		return REASON_PERSON_QUARANTINED;
	if (renew) {
		context->session->renewed_ms = context->now_ms;
		context->reply->session_token = session_seal(context->session_keys, context->arena, context->session);
	}
	return REASON_NONE;
}

// ------------------------------------------------------------------ decide

// Requests about a child name the care setting and how the look is meant.
static void ask_of_request(const Cpis__V1__Request *request, struct policy_question *question)
{
	if (request->body_case == CPIS__V1__REQUEST__BODY_FLAG) {
		question->care_setting = request->flag->care_setting;
		question->reason_stated = request->flag->reason[0] != '\0';
	} else if (request->body_case == CPIS__V1__REQUEST__BODY_DETAILS) {
		question->care_setting = request->details->care_setting;
		question->access_type = request->details->access_type;
		question->reason_stated = request->details->reason[0] != '\0';
		question->break_glass = request->details->break_glass;
	}
}

// The decision names its rule, in the record and to the asker.
static bool name_rule(struct op_context *context, const struct policy_question *question)
{
	char *text = arena_alloc(context->arena, POLICY_RULE_BYTES);
	if (text == NULL)
		return false;
	policy_rule_text(context->policy, question, &context->decision, text);
	context->detail->rule = context->reply->rule = text;
	return true;
}

// How often is a bound of its own: it counts what was allowed otherwise.
static enum reason hold_rate(struct op_context *context, Cpis__V1__Operation operation)
{
	const struct policy_decision *decision = &context->decision;
	if (!rate_take(context->rate, RATE_PERSON, context->session->uid, operation, decision->person_per_minute,
		       context->now_ms))
		return REASON_PERSON_RATE;
	if (decision->system_per_minute == 0)
		return REASON_NONE;
	char system[RATE_NAME_BYTES];
	for (size_t i = 0; i < KEY_BYTES; i++)
		snprintf(system + 2 * i, 3, "%02x", context->channel_key[i]);
	if (!rate_take(context->rate, RATE_SYSTEM, system, operation, decision->system_per_minute, context->now_ms))
		return REASON_SYSTEM_RATE;
	return REASON_NONE;
}

static enum reason decide(struct op_context *context)
{
	const struct session *session = context->session;
	const struct role_profile *profile =
		roles_find(context->roles, context->snapshot, session->uid, session->role_code, &session->organisation,
				 context->now_ms);
	if (profile == NULL)
		return REASON_PROFILE;
	struct policy_question question = {
		.operation = wire_operation(context->request),
		.organisation_type = context->organisation->type,
		.role_code = session->role_code,
		.additional = profile->additional,
		.organisation_care_settings = context->organisation->care_settings,
		.session_age_ms = context->now_ms > session->opened_ms ? context->now_ms - session->opened_ms : 0,
		.now_ms = context->now_ms,
	};
	ask_of_request(context->request, &question);
	context->decision = policy_decide(context->policy, &question);
	context->detail->care_setting = context->decision.care_setting;
	context->detail->access_type = context->decision.access_type;
	if (context->decision.contradiction)
		context->detail->reason = op_text("A silent look was asked for and is not allowed here; it notified.");
	context->detail->break_glass = question.break_glass;
	if (!name_rule(context, &question))
		return REASON_INTERNAL;
	enum reason reason = context->decision.reason;
	if (reason == REASON_NONE && context->decision.signed_act)
		reason = act_check(context);
	if (reason == REASON_NONE && !context->resumed)
		reason = hold_rate(context, question.operation);
	return reason;
}

// ------------------------------------------------------------------ carry out

static enum reason dispatch(struct op_context *context)
{
	switch (wire_operation(context->request)) {
	case CPIS__V1__OPERATION__PING:
		return op_ping(context);
	case CPIS__V1__OPERATION__SESSION_OPEN:
		return op_session_open(context);
	case CPIS__V1__OPERATION__SESSION_CLOSE:
		return op_session_close(context);
	case CPIS__V1__OPERATION__FLAG:
		return op_flag(context);
	case CPIS__V1__OPERATION__DETAILS:
		return op_details(context);
	case CPIS__V1__OPERATION__PUBLISH:
		return op_publish(context);
	case CPIS__V1__OPERATION__PUBLICATION_OPEN:
		return op_publication_open(context);
	case CPIS__V1__OPERATION__PUBLICATION_RECORDS:
		return op_publication_records(context);
	case CPIS__V1__OPERATION__PUBLICATION_COMMIT:
		return op_publication_commit(context);
	case CPIS__V1__OPERATION__PUBLICATION_SHOW:
		return op_publication_show(context);
	case CPIS__V1__OPERATION__CONTACTS_SET:
		return op_contacts_set(context);
	case CPIS__V1__OPERATION__CONTACTS_SHOW:
		return op_contacts_show(context);
	case CPIS__V1__OPERATION__DATA_QUALITY:
		return op_data_quality(context);
	case CPIS__V1__OPERATION__INBOX_LIST:
		return op_inbox_list(context);
	case CPIS__V1__OPERATION__INBOX_ACKNOWLEDGE:
		return op_inbox_acknowledge(context);
	case CPIS__V1__OPERATION__INBOX_TAKE:
		return op_inbox_take(context);
	case CPIS__V1__OPERATION__ENQUIRY_SEND:
		return op_enquiry_send(context);
	case CPIS__V1__OPERATION__ENQUIRY_ANSWER:
		return op_enquiry_answer(context);
	case CPIS__V1__OPERATION__NOT_BROUGHT_SEND:
		return op_not_brought_send(context);
	case CPIS__V1__OPERATION__AUDIT_SEARCH:
		return op_audit_search(context);
	case CPIS__V1__OPERATION__AUDIT_SHOW:
		return op_audit_show(context);
	case CPIS__V1__OPERATION__QUARANTINE_SET:
		return op_quarantine_set(context);
	case CPIS__V1__OPERATION__QUARANTINE_LIFT:
		return op_quarantine_lift(context);
	case CPIS__V1__OPERATION__QUARANTINE_LIST:
		return op_quarantine_list(context);
	case CPIS__V1__OPERATION__ROLE_GRANT:
		return op_role_grant(context);
	case CPIS__V1__OPERATION__ROLE_END:
		return op_role_end(context);
	case CPIS__V1__OPERATION__ROLE_LIST:
		return op_role_list(context);
	case CPIS__V1__OPERATION__EXPLAIN:
		return op_explain(context);
	case CPIS__V1__OPERATION__POLICY_LOAD:
		return op_policy_load(context);
	case CPIS__V1__OPERATION__POLICY_SHOW:
		return op_policy_show(context);
	case CPIS__V1__OPERATION__ALERT_LIST:
		return op_alert_list(context);
	case CPIS__V1__OPERATION__ALERT_REVIEW:
		return op_alert_review(context);
	case CPIS__V1__OPERATION__ALERT_SHOW:
		return op_alert_show(context);
	case CPIS__V1__OPERATION__ALERT_ASSIGN:
		return op_alert_assign(context);
	case CPIS__V1__OPERATION__ALERT_NOTE:
		return op_alert_note(context);
	case CPIS__V1__OPERATION__ALERT_CLOSE:
		return op_alert_close(context);
	case CPIS__V1__OPERATION__OPERATIONS_SHOW:
		return op_operations_show(context);
	case CPIS__V1__OPERATION__EXTRACT_READ:
		return op_extract_read(context);
	case CPIS__V1__OPERATION__RETENTION_SHOW:
		return op_retention_show(context);
	case CPIS__V1__OPERATION__RETENTION_HOLD:
		return op_retention_hold(context);
	case CPIS__V1__OPERATION__RETENTION_RELEASE:
		return op_retention_release(context);
	case CPIS__V1__OPERATION__ENROL:
		return op_enrol(context);
	case CPIS__V1__OPERATION__ENROL_INVITE:
		return op_enrol_invite(context);
	case CPIS__V1__OPERATION__ENROL_LIST:
		return op_enrol_list(context);
	case CPIS__V1__OPERATION__ENROL_WITHDRAW:
		return op_enrol_withdraw(context);
	case CPIS__V1__OPERATION__AUDIT_CONSISTENCY:
		return op_audit_consistency(context);
	case CPIS__V1__OPERATION__CHECKPOINT_EXCHANGE:
		return op_checkpoint_exchange(context);
	case CPIS__V1__OPERATION__RESPONDER_REGISTER:
		return op_responder_register(context);
	case CPIS__V1__OPERATION__RESPONDER_TAKE:
		return op_responder_take(context);
	case CPIS__V1__OPERATION__RESPONDER_ANSWER:
		return op_responder_answer(context);
	case CPIS__V1__OPERATION__RESPONDER_ANNOUNCE:
		return op_responder_announce(context);
	default:
		return REASON_OPERATION;
	}
}

// Who is given a child's data again is recorded again, and the record says that nothing else happened.
static enum reason note_retry(struct op_context *context, const struct retry *retry)
{
	char *text = arena_printf(context->arena, "A retry of record %llu: answered again, nothing was done again.",
				  (unsigned long long)retry->audit_index);
	if (text == NULL)
		return REASON_INTERNAL;
	context->detail->reason = text;
	return REASON_NONE;
}

// A request that changes something takes effect once, however often it is sent: its answer is kept beside its
// effect and given again. Who may have it is decided anew each time.
static enum reason carry_out(struct op_context *context)
{
	struct retry retry;
	if (!retry_applies(context->request))
		return dispatch(context);
	enum reason reason = retry_look_up(context, &retry);
	if (reason != REASON_NONE)
		return reason;
	if (retry.found)
		return note_retry(context, &retry);
	reason = dispatch(context);
	if (reason == REASON_NONE && !retry_keep(context, &retry))
		return REASON_STORE;
	return reason;
}

// Whom the request is about, noted before anything is decided: a look that is refused is found in the audit log by
// the child's number like any other.
static void note_subject(struct op_context *context)
{
	const Cpis__V1__Request *request = context->request;
	struct nhs_number number;
	char *text = NULL;
	if (request->body_case == CPIS__V1__REQUEST__BODY_FLAG) {
		text = request->flag->nhs_number;
		context->detail->stated_reason = request->flag->reason;
	} else if (request->body_case == CPIS__V1__REQUEST__BODY_DETAILS) {
		text = request->details->nhs_number;
		context->detail->stated_reason = request->details->reason;
		context->detail->own_household = request->details->own_household;
	} else if (request->body_case == CPIS__V1__REQUEST__BODY_AUDIT_SEARCH) {
		text = request->audit_search->nhs_number;
		context->detail->search = request->audit_search;
	} else if (request->body_case == CPIS__V1__REQUEST__BODY_NOT_BROUGHT_SEND) {
		text = request->not_brought_send->nhs_number;
	}
	if (text == NULL || nhs_number_parse(text, strlen(text), &number) != NHS_NUMBER_OK)
		return;
	vault_tag_subject(context->vault, &number, &context->subject);
	context->has_subject = true;
	context->detail->nhs_number = text;
}

bool op_note_number(struct op_context *context, const struct nhs_number *number)
{
	if (number == NULL)
		return true;
	char *copy = (char *)(uintptr_t)arena_copy(context->arena, (const uint8_t *)number->digits, sizeof number->digits);
	if (copy == NULL)
		return false;
	vault_tag_subject(context->vault, number, &context->subject);
	context->has_subject = true;
	context->detail->nhs_number = copy;
	return true;
}

// A system that nobody knows yet may do one thing. Before anything is noted: a stranger names no child in the audit log.
static enum reason process_enrolling(struct op_context *context, uint64_t waited_ms)
{
	struct policy_question question = {.operation = CPIS__V1__OPERATION__ENROL};
	if (wire_operation(context->request) != CPIS__V1__OPERATION__ENROL)
		return REASON_WRONG_ENDPOINT;
	if (waited_ms > context->request->deadline_ms)
		return REASON_DEADLINE;
	context->decision = policy_decide(context->policy, &question);
	return context->decision.reason == REASON_NONE ? dispatch(context) : context->decision.reason;
}

enum reason request_process(struct op_context *context, uint64_t waited_ms)
{
	const Cpis__V1__Request *request = context->request;
	if (context->enrolling)
		return process_enrolling(context, waited_ms);
	if (wire_operation(request) == CPIS__V1__OPERATION__ENROL)
		return REASON_WRONG_ENDPOINT;
	note_subject(context);
	if (waited_ms > request->deadline_ms)
		return REASON_DEADLINE;
	const struct enrolled_system *system = register_system(context->snapshot, context->channel_key);
	struct ods_code ods;
	if (system != NULL && ods_code_parse(system->identity.organisation, strlen(system->identity.organisation), &ods))
		context->organisation = register_organisation(context->snapshot, &ods);
	if (context->organisation == NULL)
		return REASON_ORGANISATION_UNKNOWN;
	if (witnessing_refuses(context->witnessing, wire_operation(request), context->now_ms))
		return REASON_LOG_UNWITNESSED;
	if (!needs_session(wire_operation(request)))
		return dispatch(context);
	enum reason reason = resume_session(context);
	if (reason == REASON_NONE)
		reason = decide(context);
	if (reason == REASON_NONE)
		reason = carry_out(context);
	return reason;
}
