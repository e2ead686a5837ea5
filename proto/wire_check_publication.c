// Limits of what local authorities send: files, contacts, reports of their quality.
#include <string.h>

#include "proto/text.h"
#include "proto/wire_check_priv.h"

static bool is_telephone(const char *text)
{
	return text_is_telephone(text, strlen(text));
}

static enum wire_status check_open(const Cpis__V1__PublicationOpenRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->publication_id.len > 0, WIRE_MISSING, "publication_open.publication_id");
	REQUIRE(body->publication_id.len == PUBLICATION_ID_BYTES, WIRE_BAD_VALUE, "publication_open.publication_id");
	REQUIRE(body->kind != CPIS__V1__PUBLICATION_KIND__PUBLICATION_KIND_UNSPECIFIED, WIRE_MISSING,
		"publication_open.kind");
	REQUIRE(body->sequence != 0, WIRE_MISSING, "publication_open.sequence");
	REQUIRE(body->records != 0, WIRE_MISSING, "publication_open.records");
	REQUIRE(body->records <= PUBLICATION_RECORDS_MAX, WIRE_TOO_MANY, "publication_open.records");
	REQUIRE(body->created_ms != 0, WIRE_MISSING, "publication_open.created_ms");
	return status;
}

static enum wire_status check_records(const Cpis__V1__PublicationRecordsRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->publication_id.len > 0, WIRE_MISSING, "publication_records.publication_id");
	REQUIRE(body->publication_id.len == PUBLICATION_ID_BYTES, WIRE_BAD_VALUE, "publication_records.publication_id");
	REQUIRE(body->n_records > 0, WIRE_MISSING, "publication_records.records");
	REQUIRE(body->n_records <= PUBLISH_RECORDS_MAX, WIRE_TOO_MANY, "publication_records.records");
	REQUIRE(body->first < PUBLICATION_RECORDS_MAX, WIRE_BAD_VALUE, "publication_records.first");
	for (size_t i = 0; i < body->n_records && status == WIRE_OK; i++)
		REQUIRE(strlen(body->records[i]->local_id) <= LOCAL_ID_BYTES_MAX, WIRE_BAD_TEXT,
			"publication_records.records.local_id");
	return status;
}

static enum wire_status check_commit(const Cpis__V1__PublicationCommitRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->publication_id.len > 0, WIRE_MISSING, "publication_commit.publication_id");
	REQUIRE(body->publication_id.len == PUBLICATION_ID_BYTES, WIRE_BAD_VALUE, "publication_commit.publication_id");
	REQUIRE(body->kind != CPIS__V1__PUBLICATION_KIND__PUBLICATION_KIND_UNSPECIFIED, WIRE_MISSING,
		"publication_commit.kind");
	REQUIRE(body->sequence != 0, WIRE_MISSING, "publication_commit.sequence");
	REQUIRE(body->records != 0, WIRE_MISSING, "publication_commit.records");
	REQUIRE(body->records <= PUBLICATION_RECORDS_MAX, WIRE_TOO_MANY, "publication_commit.records");
	REQUIRE(body->content_sha256.len > 0, WIRE_MISSING, "publication_commit.content_sha256");
	REQUIRE(body->content_sha256.len == HASH_BYTES, WIRE_BAD_VALUE, "publication_commit.content_sha256");
	return status;
}

static enum wire_status check_contacts_set(const Cpis__V1__ContactsSetRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	const char *emergency = body->emergency_duty_telephone, *office = body->office_hours_telephone;
	if (body->confirm_only) {
		REQUIRE(emergency[0] == '\0' && office[0] == '\0' && body->from_date[0] == '\0', WIRE_BAD_VALUE,
			"contacts_set.confirm_only");
		return status;
	}
	REQUIRE(emergency[0] != '\0', WIRE_MISSING, "contacts_set.emergency_duty_telephone");
	REQUIRE(is_telephone(emergency), WIRE_BAD_VALUE, "contacts_set.emergency_duty_telephone");
	REQUIRE(office[0] == '\0' || is_telephone(office), WIRE_BAD_VALUE, "contacts_set.office_hours_telephone");
	return status;
}

static enum wire_status check_extract_read(const Cpis__V1__ExtractReadRequest *body, struct wire_error *error)
{
	enum wire_status status = wire_check_words(body->reason, "extract_read.reason", error);
	REQUIRE(body->n_recipients > 0, WIRE_MISSING, "extract_read.recipients");
	REQUIRE(body->n_recipients <= EXTRACT_RECIPIENTS_MAX, WIRE_TOO_MANY, "extract_read.recipients");
	for (size_t i = 0; i < body->n_recipients && status == WIRE_OK; i++)
		REQUIRE(text_is_digits(body->recipients[i], strlen(body->recipients[i]), UID_DIGITS), WIRE_BAD_VALUE,
			"extract_read.recipients");
	REQUIRE(body->after.len <= EXTRACT_CURSOR_BYTES_MAX, WIRE_BAD_VALUE, "extract_read.after");
	REQUIRE(body->limit <= PAGE_ITEMS_MAX, WIRE_BAD_VALUE, "extract_read.limit");
	return status;
}

static enum wire_status check_contacts_show(const Cpis__V1__ContactsShowRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->authority[0] == '\0' || (!body->every_organisation && wire_is_ods(body->authority)), WIRE_BAD_VALUE,
		"contacts_show.authority");
	REQUIRE(body->after[0] == '\0' || (body->every_organisation && wire_is_ods(body->after)), WIRE_BAD_VALUE,
		"contacts_show.after");
	return status;
}

static enum wire_status check_contacts_shown(const Cpis__V1__ContactsShowReply *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->n_contacts <= CONTACTS_MAX, WIRE_TOO_MANY, "contacts_show.contacts");
	REQUIRE(body->n_organisations <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "contacts_show.organisations");
	for (size_t i = 0; i < body->n_organisations && status == WIRE_OK; i++) {
		REQUIRE(body->organisations[i]->n_contacts <= CONTACTS_MAX, WIRE_TOO_MANY, "contacts_show.organisations.contacts");
		REQUIRE(body->organisations[i]->n_escalation <= ESCALATION_MAX, WIRE_TOO_MANY,
			"contacts_show.organisations.escalation");
	}
	return status;
}

enum wire_status wire_check_publication(const Cpis__V1__Request *request, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_PUBLICATION_OPEN:
		return check_open(request->publication_open, error);
	case CPIS__V1__REQUEST__BODY_PUBLICATION_RECORDS:
		return check_records(request->publication_records, error);
	case CPIS__V1__REQUEST__BODY_PUBLICATION_COMMIT:
		return check_commit(request->publication_commit, error);
	case CPIS__V1__REQUEST__BODY_PUBLICATION_SHOW:
		REQUIRE(request->publication_show->limit <= PAGE_ITEMS_MAX, WIRE_BAD_VALUE, "publication_show.limit");
		REQUIRE(request->publication_show->after_vanished.len <= VANISHED_CURSOR_BYTES_MAX, WIRE_BAD_VALUE,
			"publication_show.after_vanished");
		return status;
	case CPIS__V1__REQUEST__BODY_CONTACTS_SET:
		return check_contacts_set(request->contacts_set, error);
	case CPIS__V1__REQUEST__BODY_CONTACTS_SHOW:
		return check_contacts_show(request->contacts_show, error);
	case CPIS__V1__REQUEST__BODY_EXTRACT_READ:
		return check_extract_read(request->extract_read, error);
	case CPIS__V1__REQUEST__BODY_DATA_QUALITY:
		REQUIRE(request->data_quality->authority[0] == '\0' || wire_is_ods(request->data_quality->authority),
			WIRE_BAD_VALUE, "data_quality.authority");
		return status;
	default:
		REQUIRE(false, WIRE_MISSING, "body");
		return status;
	}
}

enum wire_status wire_check_publication_reply(const Cpis__V1__Reply *reply, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (reply->body_case) {
	case CPIS__V1__REPLY__BODY_PUBLICATION_RECORDS:
		REQUIRE(reply->publication_records->n_outcomes <= PUBLISH_RECORDS_MAX, WIRE_TOO_MANY,
			"publication_records.outcomes");
		return status;
	case CPIS__V1__REPLY__BODY_PUBLICATION_SHOW:
		REQUIRE(reply->publication_show->n_rejected <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "publication_show.rejected");
		REQUIRE(reply->publication_show->n_vanished <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "publication_show.vanished");
		REQUIRE(reply->publication_show->next_vanished.len <= VANISHED_CURSOR_BYTES_MAX, WIRE_BAD_VALUE,
			"publication_show.next_vanished");
		return status;
	case CPIS__V1__REPLY__BODY_CONTACTS_SHOW:
		return check_contacts_shown(reply->contacts_show, error);
	case CPIS__V1__REPLY__BODY_EXTRACT_READ:
		REQUIRE(reply->extract_read->n_contacts <= CONTACTS_MAX, WIRE_TOO_MANY, "extract_read.contacts");
		REQUIRE(reply->extract_read->n_plans <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "extract_read.plans");
		REQUIRE(reply->extract_read->next.len <= EXTRACT_CURSOR_BYTES_MAX, WIRE_BAD_VALUE, "extract_read.next");
		return status;
	case CPIS__V1__REPLY__BODY_DATA_QUALITY:
		REQUIRE(reply->data_quality->n_errors <= OPEN_ERRORS_MAX, WIRE_TOO_MANY, "data_quality.errors");
		return status;
	default:
		return status;
	}
}
