// Limits of what is said about alerts and cases.
#include "proto/wire_check_priv.h"

#include <string.h>

#include "proto/text.h"

static enum wire_status check_alert_review(const Cpis__V1__AlertReviewRequest *body, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(body->id != 0, WIRE_MISSING, "alert_review.id");
	REQUIRE(body->finding != CPIS__V1__ALERT_FINDING__ALERT_FINDING_UNSPECIFIED, WIRE_MISSING, "alert_review.finding");
	return status == WIRE_OK ? wire_check_words(body->words, "alert_review.words", error) : status;
}

static enum wire_status check_case(uint64_t id, const char *words, const char *id_field, const char *words_field,
				   struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(id != 0, WIRE_MISSING, id_field);
	return status == WIRE_OK && words != NULL ? wire_check_words(words, words_field, error) : status;
}

static enum wire_status check_alert_assign(const Cpis__V1__AlertAssignRequest *body, struct wire_error *error)
{
	enum wire_status status = check_case(body->id, NULL, "alert_assign.id", "", error);
	REQUIRE(body->uid[0] != '\0', WIRE_MISSING, "alert_assign.uid");
	REQUIRE(text_is_digits(body->uid, strlen(body->uid), UID_DIGITS), WIRE_BAD_VALUE, "alert_assign.uid");
	return status;
}

enum wire_status wire_check_alert(const Cpis__V1__Request *request, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_ALERT_LIST:
		REQUIRE(request->alert_list->limit <= PAGE_ITEMS_MAX, WIRE_BAD_VALUE, "alert_list.limit");
		return status;
	case CPIS__V1__REQUEST__BODY_ALERT_REVIEW:
		return check_alert_review(request->alert_review, error);
	case CPIS__V1__REQUEST__BODY_ALERT_SHOW:
		return check_case(request->alert_show->id, NULL, "alert_show.id", "", error);
	case CPIS__V1__REQUEST__BODY_ALERT_ASSIGN:
		return check_alert_assign(request->alert_assign, error);
	case CPIS__V1__REQUEST__BODY_ALERT_NOTE:
		return check_case(request->alert_note->id, request->alert_note->words, "alert_note.id", "alert_note.words", error);
	case CPIS__V1__REQUEST__BODY_ALERT_CLOSE:
		return check_case(request->alert_close->id, request->alert_close->words, "alert_close.id", "alert_close.words",
				  error);
	default:
		REQUIRE(false, WIRE_MISSING, "body");
		return status;
	}
}

enum wire_status wire_check_alert_reply(const Cpis__V1__Reply *reply, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (reply->body_case) {
	case CPIS__V1__REPLY__BODY_ALERT_LIST:
		REQUIRE(reply->alert_list->n_alerts <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "alert_list.alerts");
		return status;
	case CPIS__V1__REPLY__BODY_ALERT_SHOW:
		REQUIRE(reply->alert_show->alert != NULL, WIRE_MISSING, "alert_show.alert");
		REQUIRE(status != WIRE_OK || reply->alert_show->alert->n_steps <= ALERT_STEPS_MAX, WIRE_TOO_MANY, "alert_show.alert.steps");
		return status;
	case CPIS__V1__REPLY__BODY_ALERT_ASSIGN:
		REQUIRE(reply->alert_assign->alert != NULL, WIRE_MISSING, "alert_assign.alert");
		return status;
	case CPIS__V1__REPLY__BODY_ALERT_NOTE:
		REQUIRE(reply->alert_note->alert != NULL, WIRE_MISSING, "alert_note.alert");
		return status;
	default:
		return status;
	}
}
