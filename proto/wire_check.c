// Limits of each field of a request, as proto/cpis.proto states them; and what the other wire_check files share.
#include "proto/wire_check_priv.h"

#include <stdio.h>
#include <string.h>

#include "proto/ods_code.h"
#include "proto/text.h"

static enum wire_status fail(struct wire_error *error, enum wire_status status, const char *field)
{
	snprintf(error->field, sizeof error->field, "%s", field);
	return status;
}

enum wire_status wire_require(enum wire_status status, bool holds, enum wire_status otherwise, const char *field,
			      struct wire_error *error)
{
	if (status != WIRE_OK || holds)
		return status;
	return fail(error, otherwise, field);
}

bool wire_is_ods(const char *text)
{
	struct ods_code ignored;
	return ods_code_parse(text, strlen(text), &ignored);
}

static enum wire_status check_bytes(const ProtobufCBinaryData *data, size_t bytes_max, const char *field, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(data->len > 0, WIRE_MISSING, field);
	REQUIRE(data->len <= bytes_max, WIRE_BAD_VALUE, field);
	return status;
}

enum wire_status wire_check_browser_proof(const Cpis__V1__BrowserProof *proof, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (proof->kind_case) {
	case CPIS__V1__BROWSER_PROOF__KIND_PASSKEY:
		status = check_bytes(&proof->passkey->authenticator_data, AUTHENTICATOR_DATA_BYTES_MAX,
				     "browser_proof.passkey.authenticator_data", error);
		if (status == WIRE_OK)
			status = check_bytes(&proof->passkey->client_data_json, CLIENT_DATA_BYTES_MAX,
					     "browser_proof.passkey.client_data_json", error);
		return status != WIRE_OK ? status
					 : check_bytes(&proof->passkey->signature, ASSERTION_SIGNATURE_BYTES_MAX,
						       "browser_proof.passkey.signature", error);
	case CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE:
		return check_bytes(&proof->handshake->transcript, TRANSCRIPT_BYTES_MAX, "browser_proof.handshake.transcript", error);
	default:
		return fail(error, WIRE_MISSING, "browser_proof");
	}
}

static enum wire_status check_session_open(const Cpis__V1__SessionOpenRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->statement.len > 0, WIRE_MISSING, "session_open.statement");
	REQUIRE(body->statement.len <= STATEMENT_BYTES_MAX, WIRE_BAD_VALUE, "session_open.statement");
	if (body->identity_token.len > 0) {
		// One kind of proof: with two the record could not say which of them counted.
		REQUIRE(body->identity_token.len <= IDENTITY_TOKEN_BYTES_MAX && body->signature.len == 0 && body->browser_proof == NULL &&
				body->staff_certificate.len == 0,
			WIRE_BAD_VALUE, "session_open.identity_token");
		return status;
	}
	REQUIRE(body->signature.len == (body->browser_proof == NULL ? SIGNATURE_BYTES : 0), WIRE_BAD_VALUE, "session_open.signature");
	if (status == WIRE_OK && body->browser_proof != NULL)
		status = wire_check_browser_proof(body->browser_proof, error);
	REQUIRE(body->staff_certificate.len > 0, WIRE_MISSING, "session_open.staff_certificate");
	REQUIRE(body->staff_certificate.len <= STAFF_CERTIFICATE_BYTES_MAX, WIRE_BAD_VALUE,
		"session_open.staff_certificate");
	return status;
}

static enum wire_status check_publish(const Cpis__V1__PublishRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->authority[0] != '\0', WIRE_MISSING, "publish.authority");
	REQUIRE(wire_is_ods(body->authority), WIRE_BAD_VALUE, "publish.authority");
	REQUIRE(body->n_records > 0, WIRE_MISSING, "publish.records");
	REQUIRE(body->n_records <= PUBLISH_RECORDS_MAX, WIRE_TOO_MANY, "publish.records");
	for (size_t i = 0; i < body->n_records && status == WIRE_OK; i++)
		REQUIRE(strlen(body->records[i]->local_id) <= LOCAL_ID_BYTES_MAX, WIRE_BAD_TEXT,
			"publish.records.local_id");
	return status;
}

static enum wire_status check_audit_filters(const Cpis__V1__AuditSearchRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(strlen(body->system_name) <= SYSTEM_NAME_BYTES_MAX, WIRE_BAD_VALUE, "audit_search.system_name");
	REQUIRE(body->role_code[0] == '\0' || text_is_role_code(body->role_code, strlen(body->role_code)), WIRE_BAD_VALUE,
		"audit_search.role_code");
	REQUIRE(strlen(body->reason_code) <= REASON_CODE_BYTES_MAX, WIRE_BAD_VALUE, "audit_search.reason_code");
	REQUIRE(body->request_id.len == 0 || body->request_id.len == REQUEST_ID_BYTES, WIRE_BAD_VALUE,
		"audit_search.request_id");
	REQUIRE(body->session_id.len == 0 || body->session_id.len == SESSION_ID_BYTES, WIRE_BAD_VALUE,
		"audit_search.session_id");
	REQUIRE(body->trace_id.len == 0 || body->trace_id.len == TRACE_ID_BYTES, WIRE_BAD_VALUE, "audit_search.trace_id");
	return status;
}

static enum wire_status check_audit_search(const Cpis__V1__AuditSearchRequest *body, struct wire_error *error)
{
	enum wire_status status = check_audit_filters(body, error);
	REQUIRE(body->uid[0] == '\0' || text_is_digits(body->uid, strlen(body->uid), UID_DIGITS), WIRE_BAD_VALUE,
		"audit_search.uid");
	REQUIRE(body->organisation[0] == '\0' || wire_is_ods(body->organisation), WIRE_BAD_VALUE,
		"audit_search.organisation");
	REQUIRE(body->limit <= PAGE_ITEMS_MAX, WIRE_BAD_VALUE, "audit_search.limit");
	REQUIRE(body->until_ms == 0 || body->until_ms > body->from_ms, WIRE_BAD_VALUE, "audit_search.until_ms");
	return status;
}

// "RXH/hospital": an organisation's system.
static bool is_system_target(const char *target)
{
	const char *slash = strchr(target, '/');
	struct ods_code ignored;
	return slash != NULL && slash[1] != '\0' && ods_code_parse(target, (size_t)(slash - target), &ignored);
}

static bool is_serial(const char *target)
{
	size_t digits = strspn(target, "0123456789abcdef");
	return digits > 0 && digits <= 40 && target[digits] == '\0';
}

static bool is_target(Cpis__V1__QuarantineKind kind, const char *target)
{
	switch (kind) {
	case CPIS__V1__QUARANTINE_KIND__SYSTEM:
		return is_system_target(target);
	case CPIS__V1__QUARANTINE_KIND__ORGANISATION:
		return wire_is_ods(target);
	case CPIS__V1__QUARANTINE_KIND__PERSON:
		return text_is_digits(target, strlen(target), UID_DIGITS);
	case CPIS__V1__QUARANTINE_KIND__CERTIFICATE:
		return is_serial(target);
	default:
		return false;
	}
}

// Bytes that begin a character: all but UTF-8's continuation bytes.
static size_t characters(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static enum wire_status check_quarantine(Cpis__V1__QuarantineKind kind, const char *target, const char *reason,
					 struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(kind != CPIS__V1__QUARANTINE_KIND__QUARANTINE_KIND_UNSPECIFIED, WIRE_MISSING, "quarantine.kind");
	REQUIRE(target[0] != '\0', WIRE_MISSING, "quarantine.target");
	REQUIRE(strlen(target) <= QUARANTINE_TARGET_BYTES_MAX && is_target(kind, target), WIRE_BAD_VALUE,
		"quarantine.target");
	REQUIRE(reason[0] != '\0', WIRE_MISSING, "quarantine.reason");
	REQUIRE(characters(reason) >= REASON_CHARACTERS_MIN, WIRE_BAD_VALUE, "quarantine.reason");
	return status;
}

static enum wire_status check_profile_name(const char *uid, const char *role_code, const char *reason,
					   struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(uid[0] != '\0', WIRE_MISSING, "role.uid");
	REQUIRE(text_is_digits(uid, strlen(uid), UID_DIGITS), WIRE_BAD_VALUE, "role.uid");
	REQUIRE(role_code[0] != '\0', WIRE_MISSING, "role.role_code");
	REQUIRE(text_is_role_code(role_code, strlen(role_code)), WIRE_BAD_VALUE, "role.role_code");
	REQUIRE(reason[0] != '\0', WIRE_MISSING, "role.reason");
	REQUIRE(characters(reason) >= REASON_CHARACTERS_MIN, WIRE_BAD_VALUE, "role.reason");
	return status;
}

static enum wire_status check_role_grant(const Cpis__V1__RoleGrantRequest *body, struct wire_error *error)
{
	enum wire_status status = check_profile_name(body->uid, body->role_code, body->reason, error);
	REQUIRE(body->until_ms == 0 || body->until_ms > body->from_ms, WIRE_BAD_VALUE, "role_grant.until_ms");
	REQUIRE(body->n_activities <= ACTIVITIES_PER_ROLE_MAX, WIRE_TOO_MANY, "role_grant.activities");
	for (size_t i = 0; i < body->n_activities && status == WIRE_OK; i++)
		REQUIRE(text_is_role_code(body->activities[i], strlen(body->activities[i])), WIRE_BAD_VALUE,
			"role_grant.activities");
	return status;
}

static enum wire_status check_role_list(const Cpis__V1__RoleListRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	const char *uid = body->after_uid, *role = body->after_role_code;
	REQUIRE((uid[0] == '\0') == (role[0] == '\0'), WIRE_MISSING, "role_list.after_role_code");
	REQUIRE(uid[0] == '\0' || text_is_digits(uid, strlen(uid), UID_DIGITS), WIRE_BAD_VALUE, "role_list.after_uid");
	REQUIRE(role[0] == '\0' || text_is_role_code(role, strlen(role)), WIRE_BAD_VALUE, "role_list.after_role_code");
	return status;
}

enum wire_status wire_check_words(const char *words, const char *field, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(words[0] != '\0', WIRE_MISSING, field);
	REQUIRE(characters(words) >= REASON_CHARACTERS_MIN, WIRE_BAD_VALUE, field);
	return status;
}

static enum wire_status check_look(const char *nhs_number, const char *reason, const char *number_field,
				   const char *reason_field, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(nhs_number[0] != '\0', WIRE_MISSING, number_field);
	REQUIRE(reason[0] == '\0' || characters(reason) >= REASON_CHARACTERS_MIN, WIRE_BAD_VALUE, reason_field);
	return status;
}

static enum wire_status check_explain(const Cpis__V1__ExplainRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->uid[0] != '\0', WIRE_MISSING, "explain.uid");
	REQUIRE(text_is_digits(body->uid, strlen(body->uid), UID_DIGITS), WIRE_BAD_VALUE, "explain.uid");
	REQUIRE(body->role_code[0] != '\0', WIRE_MISSING, "explain.role_code");
	REQUIRE(text_is_role_code(body->role_code, strlen(body->role_code)), WIRE_BAD_VALUE, "explain.role_code");
	REQUIRE(body->operation != CPIS__V1__OPERATION__OPERATION_UNSPECIFIED, WIRE_MISSING, "explain.operation");
	REQUIRE(body->organisation[0] == '\0' || wire_is_ods(body->organisation), WIRE_BAD_VALUE, "explain.organisation");
	return status;
}

static enum wire_status check_policy_load(const Cpis__V1__PolicyLoadRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->policy.len > 0, WIRE_MISSING, "policy_load.policy");
	REQUIRE(body->policy.len <= POLICY_BYTES_MAX, WIRE_BAD_VALUE, "policy_load.policy");
	return status == WIRE_OK ? wire_check_words(body->reason, "policy_load.reason", error) : status;
}

// Who is, or would be, enrolled.
static enum wire_status check_system(const char *organisation, const char *system_name, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(organisation[0] != '\0', WIRE_MISSING, "enrol.organisation");
	REQUIRE(wire_is_ods(organisation), WIRE_BAD_VALUE, "enrol.organisation");
	REQUIRE(system_name[0] != '\0', WIRE_MISSING, "enrol.system_name");
	REQUIRE(strlen(system_name) <= SYSTEM_NAME_BYTES_MAX, WIRE_BAD_VALUE, "enrol.system_name");
	return status;
}

static enum wire_status check_enrol(const Cpis__V1__EnrolRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->code.len > 0, WIRE_MISSING, "enrol.code");
	REQUIRE(body->code.len == ENROLMENT_CODE_BYTES, WIRE_BAD_VALUE, "enrol.code");
	return status == WIRE_OK ? check_system(body->organisation, body->system_name, error) : status;
}

static enum wire_status check_enrol_invite(const Cpis__V1__EnrolInviteRequest *body, struct wire_error *error)
{
	enum wire_status status = check_system(body->organisation, body->system_name, error);
	REQUIRE(body->code_sha256.len > 0, WIRE_MISSING, "enrol.code_sha256");
	REQUIRE(body->code_sha256.len == HASH_BYTES, WIRE_BAD_VALUE, "enrol.code_sha256");
	REQUIRE(body->until_ms != 0, WIRE_MISSING, "enrol.until_ms");
	return status == WIRE_OK ? wire_check_words(body->reason, "enrol.reason", error) : status;
}

static enum wire_status check_enrol_withdraw(const Cpis__V1__EnrolWithdrawRequest *body, struct wire_error *error)
{
	enum wire_status status = check_system(body->organisation, body->system_name, error);
	return status == WIRE_OK ? wire_check_words(body->reason, "enrol.reason", error) : status;
}

static enum wire_status check_body(const Cpis__V1__Request *request, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_SESSION_CLOSE:
	case CPIS__V1__REQUEST__BODY_OPERATIONS_SHOW:
		return WIRE_OK;
	case CPIS__V1__REQUEST__BODY_SESSION_OPEN:
		return check_session_open(request->session_open, error);
	case CPIS__V1__REQUEST__BODY_FLAG:
		return check_look(request->flag->nhs_number, request->flag->reason, "flag.nhs_number", "flag.reason", error);
	case CPIS__V1__REQUEST__BODY_DETAILS:
		return check_look(request->details->nhs_number, request->details->reason, "details.nhs_number",
				  "details.reason", error);
	case CPIS__V1__REQUEST__BODY_PUBLISH:
		return check_publish(request->publish, error);
	case CPIS__V1__REQUEST__BODY_INBOX_LIST:
		REQUIRE(request->inbox_list->limit <= PAGE_ITEMS_MAX, WIRE_BAD_VALUE, "inbox_list.limit");
		REQUIRE(request->inbox_list->wait_ms <= DEADLINE_MS_MAX, WIRE_BAD_VALUE, "inbox_list.wait_ms");
		return status;
	case CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE:
		REQUIRE(request->inbox_acknowledge->n_ids > 0, WIRE_MISSING, "inbox_acknowledge.ids");
		REQUIRE(request->inbox_acknowledge->n_ids <= ACKNOWLEDGE_IDS_MAX, WIRE_TOO_MANY, "inbox_acknowledge.ids");
		return status;
	case CPIS__V1__REQUEST__BODY_AUDIT_SEARCH:
		return check_audit_search(request->audit_search, error);
	case CPIS__V1__REQUEST__BODY_QUARANTINE_SET:
		return check_quarantine(request->quarantine_set->kind, request->quarantine_set->target,
					request->quarantine_set->reason, error);
	case CPIS__V1__REQUEST__BODY_QUARANTINE_LIFT:
		return check_quarantine(request->quarantine_lift->kind, request->quarantine_lift->target,
					request->quarantine_lift->reason, error);
	case CPIS__V1__REQUEST__BODY_ROLE_GRANT:
		return check_role_grant(request->role_grant, error);
	case CPIS__V1__REQUEST__BODY_ROLE_END:
		return check_profile_name(request->role_end->uid, request->role_end->role_code,
					  request->role_end->reason, error);
	case CPIS__V1__REQUEST__BODY_ROLE_LIST:
		return check_role_list(request->role_list, error);
	case CPIS__V1__REQUEST__BODY_EXPLAIN:
		return check_explain(request->explain, error);
	case CPIS__V1__REQUEST__BODY_POLICY_LOAD:
		return check_policy_load(request->policy_load, error);
	case CPIS__V1__REQUEST__BODY_ALERT_LIST:
	case CPIS__V1__REQUEST__BODY_ALERT_REVIEW:
	case CPIS__V1__REQUEST__BODY_ALERT_SHOW:
	case CPIS__V1__REQUEST__BODY_ALERT_ASSIGN:
	case CPIS__V1__REQUEST__BODY_ALERT_NOTE:
	case CPIS__V1__REQUEST__BODY_ALERT_CLOSE:
		return wire_check_alert(request, error);
	case CPIS__V1__REQUEST__BODY_ENROL:
		return check_enrol(request->enrol, error);
	case CPIS__V1__REQUEST__BODY_ENROL_INVITE:
		return check_enrol_invite(request->enrol_invite, error);
	case CPIS__V1__REQUEST__BODY_ENROL_WITHDRAW:
		return check_enrol_withdraw(request->enrol_withdraw, error);
	case CPIS__V1__REQUEST__BODY_PUBLICATION_OPEN:
	case CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS:
	case CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT:
	case CPIS__V1__REQUEST__BODY_PUBLICATION_SHOW:
	case CPIS__V1__REQUEST__BODY_CONTACTS_SET:
	case CPIS__V1__REQUEST__BODY_CONTACTS_SHOW:
	case CPIS__V1__REQUEST__BODY_EXTRACT_READ:
	case CPIS__V1__REQUEST__BODY_DATA_QUALITY:
		return wire_check_publication(request, error);
	case CPIS__V1__REQUEST__BODY_INBOX_TAKE:
	case CPIS__V1__REQUEST__BODY_ENQUIRY_SEND:
	case CPIS__V1__REQUEST__BODY_ENQUIRY_ANSWER:
	case CPIS__V1__REQUEST__BODY_NOT_BROUGHT_SEND:
	case CPIS__V1__REQUEST__BODY_RESPONDER_REGISTER:
	case CPIS__V1__REQUEST__BODY_RESPONDER_TAKE:
	case CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER:
	case CPIS__V1__REQUEST__BODY_RESPONDER_ANNOUNCE:
		return wire_check_exchange(request, error);
	case CPIS__V1__REQUEST__BODY_AUDIT_CONSISTENCY:
		return wire_check_consistency(request->audit_consistency, error);
	case CPIS__V1__REQUEST__BODY_RETENTION_SHOW:
	case CPIS__V1__REQUEST__BODY_RETENTION_HOLD:
	case CPIS__V1__REQUEST__BODY_RETENTION_RELEASE:
		return wire_check_retention(request, error);
	case CPIS__V1__REQUEST__BODY_CHECKPOINT_EXCHANGE:
	case CPIS__V1__REQUEST__BODY_POLICY_SHOW:
	case CPIS__V1__REQUEST__BODY_ENROL_LIST:
	case CPIS__V1__REQUEST__BODY_PING:
	case CPIS__V1__REQUEST__BODY_AUDIT_SHOW:
	case CPIS__V1__REQUEST__BODY_QUARANTINE_LIST:
		return WIRE_OK;
	default:
		return fail(error, WIRE_MISSING, "body");
	}
}

static bool is_caller_id(const char *text)
{
	size_t bytes = strlen(text);
	return bytes <= CALLER_ID_BYTES_MAX &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == bytes;
}

// Of that length, and not all zero (W3C Trace Context, 3.2.2).
static bool is_trace(const ProtobufCBinaryData *data, size_t bytes)
{
	uint8_t any = 0;
	for (size_t i = 0; i < data->len; i++)
		any |= data->data[i];
	return data->len == bytes && any != 0;
}

enum wire_status wire_check_request(const Cpis__V1__Request *request, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(request->protocol_version != 0, WIRE_MISSING, "protocol_version");
	REQUIRE(request->protocol_version == PROTOCOL_VERSION, WIRE_BAD_VALUE, "protocol_version");
	REQUIRE(request->request_id.len > 0, WIRE_MISSING, "request_id");
	REQUIRE(request->request_id.len == REQUEST_ID_BYTES, WIRE_BAD_VALUE, "request_id");
	REQUIRE(request->deadline_ms > 0, WIRE_MISSING, "deadline_ms");
	REQUIRE(request->deadline_ms <= DEADLINE_MS_MAX, WIRE_BAD_VALUE, "deadline_ms");
	REQUIRE(request->session_token.len <= SESSION_TOKEN_BYTES_MAX, WIRE_BAD_VALUE, "session_token");
	REQUIRE(request->act_signature.len == 0 || request->act_signature.len == SIGNATURE_BYTES, WIRE_BAD_VALUE,
		"act_signature");
	REQUIRE(request->act_signature.len == 0 || request->act_browser_proof == NULL, WIRE_BAD_VALUE, "act_browser_proof");
	REQUIRE((request->act_signature.len == 0 && request->act_browser_proof == NULL) == (request->act_time_ms == 0), WIRE_MISSING,
		"act_time_ms");
	REQUIRE(is_caller_id(request->caller_request_id), WIRE_BAD_VALUE, "caller_request_id");
	REQUIRE(is_caller_id(request->caller_correlation_id), WIRE_BAD_VALUE, "caller_correlation_id");
	REQUIRE(request->trace_id.len == 0 || is_trace(&request->trace_id, TRACE_ID_BYTES), WIRE_BAD_VALUE, "trace_id");
	REQUIRE(request->trace_parent_id.len == 0 || is_trace(&request->trace_parent_id, TRACE_PARENT_ID_BYTES), WIRE_BAD_VALUE,
		"trace_parent_id");
	REQUIRE((request->trace_id.len == 0) == (request->trace_parent_id.len == 0), WIRE_MISSING,
		request->trace_id.len == 0 ? "trace_id" : "trace_parent_id");
	if (status == WIRE_OK && request->act_browser_proof != NULL)
		status = wire_check_browser_proof(request->act_browser_proof, error);
	return status == WIRE_OK ? check_body(request, error) : status;
}
