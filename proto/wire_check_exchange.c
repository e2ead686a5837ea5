// Limits of what is exchanged between organisations: taking items, enquiries, responders.
#include <string.h>

#include "proto/wire_check_priv.h"

static enum wire_status check_take(const Cpis__V1__InboxTakeRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->limit <= PAGE_ITEMS_MAX, WIRE_BAD_VALUE, "inbox_take.limit");
	REQUIRE(body->lease_ms != 0, WIRE_MISSING, "inbox_take.lease_ms");
	REQUIRE(body->lease_ms >= INBOX_LEASE_MS_MIN && body->lease_ms <= INBOX_LEASE_MS_MAX, WIRE_BAD_VALUE,
		"inbox_take.lease_ms");
	// A retry has less of its deadline left and waits for what it waited for.
	REQUIRE(body->wait_ms <= DEADLINE_MS_MAX, WIRE_BAD_VALUE, "inbox_take.wait_ms");
	REQUIRE((body->held_id != 0) == (body->lease != 0), WIRE_MISSING, "inbox_take.lease");
	return status;
}

static enum wire_status check_not_brought(const Cpis__V1__NotBroughtSendRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->nhs_number[0] != '\0', WIRE_MISSING, "not_brought_send.nhs_number");
	REQUIRE(body->appointment_date[0] != '\0', WIRE_MISSING, "not_brought_send.appointment_date");
	return status;
}

static enum wire_status check_register(const Cpis__V1__ResponderRegisterRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	bool plans = body->kind == CPIS__V1__RESPONDER_KIND__PLANS;
	REQUIRE(body->kind != CPIS__V1__RESPONDER_KIND__RESPONDER_KIND_UNSPECIFIED, WIRE_MISSING, "responder_register.kind");
	REQUIRE((body->range_first[0] != '\0') == plans, plans ? WIRE_MISSING : WIRE_BAD_VALUE,
		"responder_register.range_first");
	REQUIRE((body->range_last[0] != '\0') == plans, plans ? WIRE_MISSING : WIRE_BAD_VALUE,
		"responder_register.range_last");
	REQUIRE(body->answer_key.len > 0, WIRE_MISSING, "responder_register.answer_key");
	REQUIRE(body->answer_key.len == CHANNEL_KEY_BYTES, WIRE_BAD_VALUE, "responder_register.answer_key");
	return status;
}

static enum wire_status check_answer(const Cpis__V1__ResponderAnswerRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->answer.len > 0, WIRE_MISSING, "responder_answer.answer");
	REQUIRE(body->answer.len <= ANSWER_BYTES_MAX, WIRE_BAD_VALUE, "responder_answer.answer");
	REQUIRE(body->signature.len > 0, WIRE_MISSING, "responder_answer.signature");
	REQUIRE(body->signature.len == SIGNATURE_BYTES, WIRE_BAD_VALUE, "responder_answer.signature");
	return status;
}

static enum wire_status check_announce(const Cpis__V1__ResponderAnnounceRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->n_numbers > 0, WIRE_MISSING, "responder_announce.numbers");
	REQUIRE(body->n_numbers <= ANNOUNCE_NUMBERS_MAX, WIRE_TOO_MANY, "responder_announce.numbers");
	for (size_t i = 0; i < body->n_numbers && status == WIRE_OK; i++)
		REQUIRE(body->numbers[i]->nhs_number[0] != '\0', WIRE_MISSING, "responder_announce.numbers.nhs_number");
	return status;
}

enum wire_status wire_check_exchange(const Cpis__V1__Request *request, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_INBOX_TAKE:
		return check_take(request->inbox_take, error);
	case CPIS__V1__REQUEST__BODY_ENQUIRY_SEND:
		REQUIRE(request->enquiry_send->notification_id != 0, WIRE_MISSING, "enquiry_send.notification_id");
		return status == WIRE_OK ? wire_check_words(request->enquiry_send->message_text, "enquiry_send.message_text",
							    error)
					 : status;
	case CPIS__V1__REQUEST__BODY_ENQUIRY_ANSWER:
		REQUIRE(request->enquiry_answer->item_id != 0, WIRE_MISSING, "enquiry_answer.item_id");
		return status == WIRE_OK ? wire_check_words(request->enquiry_answer->message_text,
							    "enquiry_answer.message_text", error)
					 : status;
	case CPIS__V1__REQUEST__BODY_NOT_BROUGHT_SEND:
		return check_not_brought(request->not_brought_send, error);
	case CPIS__V1__REQUEST__BODY_RESPONDER_REGISTER:
		return check_register(request->responder_register, error);
	case CPIS__V1__REQUEST__BODY_RESPONDER_TAKE:
		REQUIRE(request->responder_take->wait_ms == 0 || request->responder_take->wait_ms < request->deadline_ms,
			WIRE_BAD_VALUE, "responder_take.wait_ms");
		return status;
	case CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER:
		return check_answer(request->responder_answer, error);
	case CPIS__V1__REQUEST__BODY_RESPONDER_ANNOUNCE:
		return check_announce(request->responder_announce, error);
	default:
		REQUIRE(false, WIRE_MISSING, "body");
		return status;
	}
}

static enum wire_status check_digest(const Cpis__V1__AccessDigest *digest, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(digest->n_accesses <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "items.digest.accesses");
	for (size_t i = 0; i < digest->n_accesses && status == WIRE_OK; i++)
		REQUIRE(digest->accesses[i]->n_plan_types <= PLAN_TYPES_MAX, WIRE_TOO_MANY,
			"items.digest.accesses.plan_types");
	return status;
}

enum wire_status wire_check_item(const Cpis__V1__InboxItem *item, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (item->kind_case) {
	case CPIS__V1__INBOX_ITEM__KIND_ACCESS:
		REQUIRE(item->access->n_plan_types <= PLAN_TYPES_MAX, WIRE_TOO_MANY, "items.access.plan_types");
		return status;
	case CPIS__V1__INBOX_ITEM__KIND_DIGEST:
		return check_digest(item->digest, error);
	case CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER:
		REQUIRE(item->inactive_number->n_plan_types <= PLAN_TYPES_MAX, WIRE_TOO_MANY,
			"items.inactive_number.plan_types");
		return status;
	default:
		return status;
	}
}

enum wire_status wire_check_exchange_reply(const Cpis__V1__Reply *reply, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (reply->body_case) {
	case CPIS__V1__REPLY__BODY_INBOX_TAKE:
		REQUIRE(reply->inbox_take->n_items <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "inbox_take.items");
		for (size_t i = 0; i < reply->inbox_take->n_items && status == WIRE_OK; i++)
			status = wire_check_item(reply->inbox_take->items[i], error);
		return status;
	case CPIS__V1__REPLY__BODY_RESPONDER_TAKE:
		REQUIRE(reply->responder_take->work == NULL || reply->responder_take->work->work_id.len == WORK_ID_BYTES,
			WIRE_BAD_VALUE, "responder_take.work.work_id");
		return status;
	default:
		return status;
	}
}
