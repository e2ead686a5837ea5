// hl7.org/fhir/uv/subscriptions-backport (STU 1.1): backport-subscription-notification-r4 and backport-subscription-status-r4.
#include "clients/fhir/notify_bundle.h"

#include <stdio.h>
#include <string.h>

#include "clients/fhir/notify_content.h"
#include "clients/fhir/resource.h"

// ------------------------------------------------------------------ the status

static void add_parameter(json_t *list, const char *name, const char *type, json_t *value)
{
	(void)json_array_append_new(list, json_pack("{s:s,s:o}", "name", name, type, value));
}

// There is no server that has it: by its identifier.
static json_t *logical_reference(const char *type, const char *uuid)
{
	char urn[RESOURCE_UUID_BYTES];
	snprintf(urn, sizeof urn, "urn:uuid:%s", uuid);
	return json_pack("{s:s,s:{s:s,s:s}}", "type", type, "identifier", "system", "urn:ietf:rfc:3986", "value", urn);
}

static json_t *status_parameters(const struct notify_settings *settings, const char *status, const char *type)
{
	json_t *list = json_array();
	add_parameter(list, "subscription", "valueReference", logical_reference("Subscription", settings->subscription));
	add_parameter(list, "status", "valueCode", json_string(status));
	add_parameter(list, "type", "valueCode", json_string(type));
	return list;
}

// With an `id-only` notification the resource itself is nowhere that it could be fetched from, so it is named as the subscription
// is.
static json_t *focus_of(const struct notify_settings *settings, const json_t *resource)
{
	char url[RESOURCE_UUID_BYTES];
	const char *type = json_string_value(json_object_get(resource, "resourceType")),
		   *id = json_string_value(json_object_get(resource, "id"));
	if (type == NULL || id == NULL)
		return NULL;
	if (settings->content == NOTIFY_ID_ONLY)
		return logical_reference(type, id);
	snprintf(url, sizeof url, "urn:uuid:%s", id);
	return json_pack("{s:s,s:s}", "reference", url, "type", type);
}

// Numbered as the item is in its inbox, where the numbers have no gaps: the sequence of the subscription's events, whoever asks.
static void add_event(json_t *list, const struct notify_settings *settings, const struct notify_item *item, const json_t *focus)
{
	char number[24], escalated[24];
	json_t *parts = json_array();
	snprintf(number, sizeof number, "%llu", (unsigned long long)item->id);
	add_parameter(list, "events-since-subscription-start", "valueString", json_string(number));
	add_parameter(parts, "event-number", "valueString", json_string(number));
	add_parameter(parts, "timestamp", "valueInstant", json_string(item->created));
	if (settings->content != NOTIFY_EMPTY) {
		add_parameter(parts, "focus", "valueReference", focus_of(settings, focus));
		snprintf(escalated, sizeof escalated, "%llu", (unsigned long long)item->notification_id);
		if (item->notification_id != 0)
			add_parameter(parts, "additional-context", "valueReference",
				      json_pack("{s:{s:s,s:s}}", "identifier", "system", "urn:cpis:inbox:notifications", "value",
						escalated));
		add_parameter(list, "topic", "valueCanonical",
			      json_string(item->notification_id == 0 ? "urn:cpis:topic:notifications"
								     : "urn:cpis:topic:escalations"));
	}
	(void)json_array_append_new(list, json_pack("{s:s,s:o}", "name", "notification-event", "part", parts));
}

// ------------------------------------------------------------------ the bundle

// `method` and `url`: a history says of each entry what was done (bdl-3, bdl-4).
static bool add_entry(json_t *bundle, const char *method, const char *url, const char *status, json_t *resource)
{
	char full_url[RESOURCE_UUID_BYTES];
	const char *id = json_string_value(json_object_get(resource, "id"));
	snprintf(full_url, sizeof full_url, "urn:uuid:%s", id == NULL ? "" : id);
	json_t *entry = json_pack("{s:s,s:O,s:{s:s,s:s},s:{s:s}}", "fullUrl", full_url, "resource", resource, "request", "method",
				  method, "url", url, "response", "status", status);
	return id != NULL && json_array_append_new(json_object_get(bundle, "entry"), entry) == 0;
}

static bool add_status(json_t *bundle, const struct notify_settings *settings, const char *id, json_t *parameters)
{
	char url[80];
	json_t *status = json_pack("{s:s,s:s,s:o}", "resourceType", "Parameters", "id", id, "parameter", parameters);
	snprintf(url, sizeof url, "Subscription/%s/$status", settings->subscription);
	bool done = status != NULL && add_entry(bundle, "GET", url, "200", status);
	json_decref(status);
	return done;
}

// By PUT, under the id that it keeps: told twice it is still one.
static bool add_content(json_t *bundle, json_t *resources)
{
	size_t index;
	json_t *resource;
	char url[80];
	json_array_foreach(resources, index, resource) {
		snprintf(url, sizeof url, "%s/%s", json_string_value(json_object_get(resource, "resourceType")),
			 json_string_value(json_object_get(resource, "id")));
		if (!add_entry(bundle, "PUT", url, "201", resource))
			return false;
	}
	return true;
}

static json_t *bundle_of(const char *id)
{
	return json_pack("{s:s,s:s,s:s,s:[]}", "resourceType", "Bundle", "id", id, "type", "history", "entry");
}

static bool fill(json_t *bundle, const struct notify_settings *settings, const struct notify_item *item, json_t *resources)
{
	char number[24], box[40], id[NOTIFY_UUID_BYTES];
	json_t *parameters = status_parameters(settings, "active", "event-notification");
	snprintf(number, sizeof number, "%llu", (unsigned long long)item->id);
	snprintf(box, sizeof box, "urn:cpis:inbox:%s", notify_item_box(item));
	notify_item_uuid(item, settings->subscription, "status", 0, id);
	add_event(parameters, settings, item, json_array_get(resources, 0));
	return bundle != NULL && json_object_set_new(bundle, "timestamp", json_string(item->created)) == 0 &&
	       json_object_set_new(bundle, "identifier", json_pack("{s:s,s:s}", "system", box, "value", number)) == 0 &&
	       add_status(bundle, settings, id, parameters) &&
	       (settings->content != NOTIFY_FULL_RESOURCE || add_content(bundle, resources));
}

static bool hand_over(json_t *bundle, bool done, struct notify_bundle *ret, char *detail)
{
	if (done) {
		ret->bundle = bundle;
		return true;
	}
	json_decref(bundle);
	snprintf(detail, NOTIFY_DETAIL_BYTES, "out of memory");
	return false;
}

bool notify_bundle_of_item(const struct notify_settings *settings, const struct notify_item *item, struct notify_bundle *ret,
			   char detail[NOTIFY_DETAIL_BYTES])
{
	// Made for each payload: what cannot be told in full is not hinted at either.
	json_t *resources = notify_content(item, settings->subscription, detail);
	if (resources == NULL)
		return false;
	notify_item_uuid(item, settings->subscription, "bundle", 0, ret->id);
	json_t *bundle = bundle_of(ret->id);
	bool done = fill(bundle, settings, item, resources);
	json_decref(resources);
	return hand_over(bundle, done, ret, detail);
}

bool notify_bundle_bare(const struct notify_settings *settings, const char *type, struct notify_bundle *ret,
			char detail[NOTIFY_DETAIL_BYTES])
{
	static const size_t scheme = sizeof "urn:uuid:" - 1;
	char uuid[RESOURCE_UUID_BYTES];
	resource_uuid(uuid);
	snprintf(ret->id, sizeof ret->id, "%s", uuid + scheme);
	resource_uuid(uuid);
	json_t *bundle = bundle_of(ret->id);
	return hand_over(bundle,
			 add_status(bundle, settings, uuid + scheme,
				    status_parameters(settings, strcmp(type, "handshake") == 0 ? "requested" : "active", type)),
			 ret, detail);
}

void notify_bundle_free(struct notify_bundle *bundle)
{
	json_decref(bundle->bundle);
	*bundle = (struct notify_bundle){0};
}
