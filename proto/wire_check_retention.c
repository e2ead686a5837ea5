// Keys by month, and what holds them.
#include <string.h>

#include "proto/date.h"
#include "proto/wire_check_priv.h"

static bool is_month(const char *text)
{
	uint32_t month;
	return month_parse(text, strlen(text), &month);
}

static bool is_month_or_empty(const char *text)
{
	return text[0] == '\0' || is_month(text);
}

static enum wire_status check_name(const char *name, const char *field, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	REQUIRE(name[0] != '\0', WIRE_MISSING, field);
	REQUIRE(strlen(name) <= HOLD_NAME_BYTES_MAX, WIRE_BAD_VALUE, field);
	return status;
}

static enum wire_status check_hold(const Cpis__V1__RetentionHold *hold, struct wire_error *error)
{
	if (hold == NULL)
		return wire_require(WIRE_OK, false, WIRE_MISSING, "retention_hold.hold", error);
	enum wire_status status = check_name(hold->name, "retention_hold.hold.name", error);
	REQUIRE(is_month_or_empty(hold->from_month), WIRE_BAD_VALUE, "retention_hold.hold.from_month");
	// As text, months are in the order of their time.
	REQUIRE(is_month_or_empty(hold->until_month) &&
			(hold->until_month[0] == '\0' || strcmp(hold->from_month, hold->until_month) <= 0),
		WIRE_BAD_VALUE, "retention_hold.hold.until_month");
	return status == WIRE_OK ? wire_check_words(hold->reason, "retention_hold.hold.reason", error) : status;
}

enum wire_status wire_check_retention(const Cpis__V1__Request *request, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	switch (request->body_case) {
	case CPIS__V1__REQUEST__BODY_RETENTION_SHOW:
		REQUIRE(is_month_or_empty(request->retention_show->before_month), WIRE_BAD_VALUE, "retention_show.before_month");
		REQUIRE(request->retention_show->limit <= PAGE_ITEMS_MAX, WIRE_BAD_VALUE, "retention_show.limit");
		return status;
	case CPIS__V1__REQUEST__BODY_RETENTION_HOLD:
		return check_hold(request->retention_hold->hold, error);
	case CPIS__V1__REQUEST__BODY_RETENTION_RELEASE:
		status = check_name(request->retention_release->name, "retention_release.name", error);
		return status == WIRE_OK ? wire_check_words(request->retention_release->reason, "retention_release.reason", error)
					 : status;
	default:
		return wire_require(WIRE_OK, false, WIRE_MISSING, "body", error);
	}
}

enum wire_status wire_check_retention_reply(const Cpis__V1__Reply *reply, struct wire_error *error)
{
	enum wire_status status = WIRE_OK;
	const Cpis__V1__RetentionShowReply *body = reply->retention_show;
	REQUIRE(body->n_months <= PAGE_ITEMS_MAX, WIRE_TOO_MANY, "retention_show.months");
	REQUIRE(body->n_holds <= HOLDS_MAX, WIRE_TOO_MANY, "retention_show.holds");
	REQUIRE(!body->more || body->n_months > 0, WIRE_MISSING, "retention_show.months");
	for (size_t i = 0; i < body->n_months && status == WIRE_OK; i++) {
		REQUIRE(is_month(body->months[i]->month), WIRE_BAD_VALUE, "retention_show.months.month");
		REQUIRE(body->months[i]->n_keys <= RETENTION_KEYS_MAX, WIRE_TOO_MANY, "retention_show.months.keys");
	}
	return status;
}
