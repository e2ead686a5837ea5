// Limits of each field of a reply, as proto/cpis.proto states them.
#include "proto/wire_check_priv.h"

#include <stdio.h>

static enum wire_status check_receipt(const Cpis__V1__Receipt *receipt, const char *where, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(receipt->salt.len == SALT_BYTES, WIRE_BAD_VALUE, "salt");
	REQUIRE(receipt->record.len > 0, WIRE_MISSING, "record");
	REQUIRE(receipt->checkpoint[0] != '\0', WIRE_MISSING, "checkpoint");
	REQUIRE(receipt->n_path <= INCLUSION_PATH_MAX, WIRE_TOO_MANY, "path");
	for (size_t i = 0; i < receipt->n_path && status == WIRE_OK; i++)
		REQUIRE(receipt->path[i].len == HASH_BYTES, WIRE_BAD_VALUE, "path");
	if (status == WIRE_OK)
		status = wire_check_growth(receipt->n_growth, receipt->growth, "growth", error);
	if (status != WIRE_OK) {
		char field[16];
		snprintf(field, sizeof field, "%.15s", error->field);
		snprintf(error->field, sizeof error->field, "%s.%s", where, field);
	}
	return status;
}

static enum wire_status check_inbox_list(const Cpis__V1__InboxListReply *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->n_items <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "inbox_list.items");
	for (size_t i = 0; i < body->n_items && status == WIRE_OK; i++)
		status = wire_check_item(body->items[i], error);
	return status;
}

static enum wire_status check_audit_show(const Cpis__V1__AuditShowReply *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->entry != NULL && body->entry->detail != NULL, WIRE_MISSING, "audit_show.entry");
	REQUIRE(status != WIRE_OK || body->entry->detail->n_findings <= FINDINGS_MAX, WIRE_TOO_MANY, "audit_show.entry.detail.findings");
	if (status == WIRE_OK && body->entry->detail->act_browser_proof != NULL)
		status = wire_check_browser_proof(body->entry->detail->act_browser_proof, error);
	REQUIRE(body->proof != NULL, WIRE_MISSING, "audit_show.proof");
	return status == WIRE_OK ? check_receipt(body->proof, "audit_show.proof", error) : status;
}

static enum wire_status check_operations_show(const Cpis__V1__OperationsShowReply *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->n_seconds <= SHOWN_MINUTES_MAX, WIRE_TOO_MANY, "operations_show.seconds");
	for (size_t i = 0; i < body->n_seconds && status == WIRE_OK; i++) {
		REQUIRE(body->seconds[i]->n_allowed <= SHOWN_SECONDS_MAX, WIRE_TOO_MANY, "operations_show.seconds.allowed");
		REQUIRE(body->seconds[i]->n_refused == body->seconds[i]->n_allowed, WIRE_BAD_VALUE, "operations_show.seconds.refused");
	}
	REQUIRE(body->n_counts <= SHOWN_OPERATIONS_MAX, WIRE_TOO_MANY, "operations_show.counts");
	REQUIRE(body->n_buckets <= SHOWN_BUCKETS_MAX, WIRE_TOO_MANY, "operations_show.buckets");
	REQUIRE(body->n_expiring_soonest <= SHOWN_EXPIRING_MAX, WIRE_TOO_MANY, "operations_show.expiring_soonest");
	REQUIRE(body->since_start != NULL && body->last_minute != NULL && body->last_five_minutes != NULL, WIRE_MISSING,
		"operations_show.since_start");
	REQUIRE(body->edge != NULL, WIRE_MISSING, "operations_show.edge");
	REQUIRE(body->waiting != NULL, WIRE_MISSING, "operations_show.waiting");
	REQUIRE(body->log != NULL, WIRE_MISSING, "operations_show.log");
	return status;
}

static enum wire_status check_reply_body(const Cpis__V1__Reply *reply, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (reply->body_case) {
	case CPIS__V1__REPLY__BODY_SESSION_OPEN:
		REQUIRE(reply->session_open->session_token.len <= SESSION_TOKEN_BYTES_MAX, WIRE_BAD_VALUE,
			"session_open.session_token");
		REQUIRE(reply->session_open->n_activities <= ACTIVITIES_PER_ROLE_MAX, WIRE_TOO_MANY,
			"session_open.activities");
		return status;
	case CPIS__V1__REPLY__BODY_FLAG:
		REQUIRE(reply->flag->n_not_available_from <= NOT_AVAILABLE_MAX, WIRE_TOO_MANY, "flag.not_available_from");
		return status;
	case CPIS__V1__REPLY__BODY_DETAILS:
		REQUIRE(reply->details->n_plans <= PLANS_PER_CHILD_MAX, WIRE_TOO_MANY, "details.plans");
		REQUIRE(reply->details->n_accesses <= ACCESS_HISTORY_MAX, WIRE_TOO_MANY, "details.accesses");
		REQUIRE(reply->details->n_not_available_from <= NOT_AVAILABLE_MAX, WIRE_TOO_MANY,
			"details.not_available_from");
		return status;
	case CPIS__V1__REPLY__BODY_PUBLISH:
		REQUIRE(reply->publish->n_rejected <= PUBLISH_RECORDS_MAX, WIRE_TOO_MANY, "publish.rejected");
		return status;
	case CPIS__V1__REPLY__BODY_INBOX_LIST:
		return check_inbox_list(reply->inbox_list, error);
	case CPIS__V1__REPLY__BODY_AUDIT_SEARCH:
		REQUIRE(reply->audit_search->n_entries <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "audit_search.entries");
		return status;
	case CPIS__V1__REPLY__BODY_AUDIT_SHOW:
		return check_audit_show(reply->audit_show, error);
	case CPIS__V1__REPLY__BODY_QUARANTINE_LIST:
		REQUIRE(reply->quarantine_list->n_entries <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "quarantine_list.entries");
		return status;
	case CPIS__V1__REPLY__BODY_ROLE_LIST:
		REQUIRE(reply->role_list->n_profiles <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "role_list.profiles");
		for (size_t i = 0; i < reply->role_list->n_profiles && status == WIRE_OK; i++)
			REQUIRE(reply->role_list->profiles[i]->n_activities <= ACTIVITIES_PER_ROLE_MAX, WIRE_TOO_MANY,
				"role_list.profiles.activities");
		return status;
	case CPIS__V1__REPLY__BODY_EXPLAIN:
		REQUIRE(reply->explain->n_steps <= EXPLAIN_STEPS_MAX, WIRE_TOO_MANY, "explain.steps");
		return status;
	case CPIS__V1__REPLY__BODY_POLICY_LOAD:
		REQUIRE(reply->policy_load->n_examples <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "policy_load.examples");
		return status;
	case CPIS__V1__REPLY__BODY_POLICY_SHOW:
		REQUIRE(reply->policy_show->policy.len <= POLICY_BYTES_MAX, WIRE_BAD_VALUE, "policy_show.policy");
		return status;
	case CPIS__V1__REPLY__BODY_ALERT_LIST:
	case CPIS__V1__REPLY__BODY_ALERT_SHOW:
	case CPIS__V1__REPLY__BODY_ALERT_ASSIGN:
	case CPIS__V1__REPLY__BODY_ALERT_NOTE:
		return wire_check_alert_reply(reply, error);
	case CPIS__V1__REPLY__BODY_ENROL:
		REQUIRE(reply->enrol->certificate.len <= SYSTEM_CERTIFICATE_BYTES_MAX, WIRE_BAD_VALUE, "enrol.certificate");
		return status;
	case CPIS__V1__REPLY__BODY_ENROL_LIST:
		REQUIRE(reply->enrol_list->n_enrolments <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "enrol_list.enrolments");
		for (size_t i = 0; i < reply->enrol_list->n_enrolments && status == WIRE_OK; i++)
			REQUIRE(reply->enrol_list->enrolments[i]->public_key.len == 0 ||
					reply->enrol_list->enrolments[i]->public_key.len == CHANNEL_KEY_BYTES,
				WIRE_BAD_VALUE, "enrol_list.enrolments.public_key");
		return status;
	case CPIS__V1__REPLY__BODY_PUBLICATION_RECORDS:
	case CPIS__V1__REPLY__BODY_PUBLICATION_SHOW:
	case CPIS__V1__REPLY__BODY_CONTACTS_SHOW:
	case CPIS__V1__REPLY__BODY_EXTRACT_READ:
	case CPIS__V1__REPLY__BODY_DATA_QUALITY:
		return wire_check_publication_reply(reply, error);
	case CPIS__V1__REPLY__BODY_INBOX_TAKE:
	case CPIS__V1__REPLY__BODY_RESPONDER_TAKE:
		return wire_check_exchange_reply(reply, error);
	case CPIS__V1__REPLY__BODY_AUDIT_CONSISTENCY:
		return wire_check_growth(reply->audit_consistency->n_path, reply->audit_consistency->path,
					 "audit_consistency.path", error);
	case CPIS__V1__REPLY__BODY_CHECKPOINT_EXCHANGE:
		return wire_check_checkpoints(reply->checkpoint_exchange, error);
	case CPIS__V1__REPLY__BODY_RETENTION_SHOW:
		return wire_check_retention_reply(reply, error);
	case CPIS__V1__REPLY__BODY_OPERATIONS_SHOW:
		return check_operations_show(reply->operations_show, error);
	default:
		return status;
	}
}

enum wire_status wire_check_reply(const Cpis__V1__Reply *reply, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	bool unavailable = reply->outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE;
	bool has_body = reply->body_case != CPIS__V1__REPLY__BODY__NOT_SET;
	REQUIRE(reply->protocol_version == PROTOCOL_VERSION, WIRE_BAD_VALUE, "protocol_version");
	REQUIRE(reply->request_id.len == 0 || reply->request_id.len == REQUEST_ID_BYTES, WIRE_BAD_VALUE, "request_id");
	REQUIRE(reply->outcome != CPIS__V1__OUTCOME__OUTCOME_UNSPECIFIED, WIRE_MISSING, "outcome");
	REQUIRE(reply->session_token.len <= SESSION_TOKEN_BYTES_MAX, WIRE_BAD_VALUE, "session_token");
	// The rule behind "no record, no answer", from the client's side.
	REQUIRE(reply->receipt != NULL || unavailable, WIRE_MISSING, "receipt");
	REQUIRE(reply->receipt != NULL || reply->session_token.len == 0, WIRE_BAD_VALUE, "session_token");
	REQUIRE(has_body == (reply->outcome == CPIS__V1__OUTCOME__OK), WIRE_BAD_VALUE, "body");
	if (status == WIRE_OK && reply->receipt != NULL)
		status = check_receipt(reply->receipt, "receipt", error);
	return status == WIRE_OK ? check_reply_body(reply, error) : status;
}
