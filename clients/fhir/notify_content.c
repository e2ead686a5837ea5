// Which function makes what, and the parts that they make it from. An empty text says nothing, and is left out at the end (ele-1:
// no element is empty).
#include "clients/fhir/notify_content.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clients/fhir/notify_content_priv.h"
#include "clients/fhir/resource.h"
#include "proto/date.h"
#include "proto/wire.h"

// ------------------------------------------------------------------ parts

json_t *notify_add(struct making *making, json_t *resource)
{
	char uuid[NOTIFY_UUID_BYTES], url[RESOURCE_UUID_BYTES];
	const char *type = json_string_value(json_object_get(resource, "resourceType"));
	if (type == NULL) {
		json_decref(resource);
		return NULL;
	}
	notify_item_uuid(making->item, making->subscription, type, (unsigned)json_array_size(making->resources), uuid);
	snprintf(url, sizeof url, "urn:uuid:%s", uuid);
	json_t *reference = json_pack("{s:s,s:s}", "reference", url, "type", type);
	if (json_object_set_new(resource, "id", json_string(uuid)) == 0 &&
	    json_array_append_new(making->resources, resource) == 0)
		return reference;
	json_decref(reference);
	return NULL;
}

void notify_append(json_t *resource, const char *name, json_t *value)
{
	json_t *list = json_object_get(resource, name);
	if (list == NULL && json_object_set_new(resource, name, list = json_array()) != 0)
		return json_decref(value);
	(void)json_array_append_new(list, value);
}

json_t *notify_numbered(const char *system, json_int_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)number);
	return json_pack("{s:s,s:s}", "system", system, "value", text);
}

json_t *notify_reference_to(const char *type, json_t *identifier)
{
	return json_pack("{s:s,s:o}", "type", type, "identifier", identifier);
}

json_t *notify_coded(const char *system, const char *code)
{
	return json_pack("{s:[{s:s,s:s}]}", "coding", "system", system, "code", code);
}

json_t *notify_plan_type(const char *name)
{
	Cpis__V1__PlanType type = CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED;
	(void)!wire_plan_type_by_name(name, &type);
	return type == CPIS__V1__PLAN_TYPE__PLAN_TYPE_UNSPECIFIED ? notify_coded("urn:cpis:plan-type", name)
								  : resource_plan_type(type);
}

void notify_say(json_t *communication, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int bytes = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = notify_secret_allocate((size_t)bytes + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)bytes + 1, format, arguments);
	va_end(arguments);
	notify_append(communication, "payload", json_pack("{s:s}", "contentString", text));
	notify_secret_free(text);
}

bool notify_read_person(json_t *value, struct person *ret)
{
	uint64_t time_ms;
	return UNPACK(value, "{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "name", &ret->name, "role_code", &ret->role_code, "role_name",
		      &ret->role_name, "organisation", &ret->organisation, "organisation_name", &ret->organisation_name,
		      "care_setting", &ret->care_setting, "time", &ret->time) &&
	       instant_parse(ret->time, strlen(ret->time), &time_ms);
}

bool notify_are_texts(json_t *list)
{
	size_t index;
	json_t *value;
	json_array_foreach(list, index, value) if (!json_is_string(value)) return false;
	return json_is_array(list);
}

// ------------------------------------------------------------------ all of them

static const struct {
	const char *kind;
	bool (*make)(struct making *making);
} kinds[] = {
	{"ACCESS", notify_access},
	{"CORRECTION", notify_correction},
	{"PLAN_CHANGE", notify_plan_change},
	{"PUBLICATION", notify_publication},
	{"NOT_BROUGHT", notify_not_brought},
	{"ENQUIRY", notify_enquiry},
	{"ANSWER", notify_answer},
	{"INACTIVE_NUMBER", notify_inactive_number},
	{"PROGRESS", notify_progress},
	{"DIGEST", notify_digest},
	{"NOTHING", notify_nothing},
};

static bool is_empty(const json_t *value)
{
	return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) || (json_is_object(value) && json_object_size(value) == 0);
}

// How deep it goes is what was made above.
static void leave_out_empty(json_t *value)
{
	const char *key;
	void *next;
	json_t *inner;
	json_object_foreach_safe(value, next, key, inner) {
		leave_out_empty(inner);
		if (is_empty(inner))
			(void)json_object_del(value, key);
	}
	for (size_t i = json_array_size(value); i-- > 0;) {
		leave_out_empty(json_array_get(value, i));
		if (is_empty(json_array_get(value, i)))
			(void)json_array_remove(value, i);
	}
}

json_t *notify_content(const struct notify_item *item, const char *subscription, char detail[NOTIFY_DETAIL_BYTES])
{
	struct making making = {.item = item, .subscription = subscription, .resources = json_array()};
	bool known = false;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(item->kind, kinds[i].kind) != 0)
			continue;
		known = true;
		if (kinds[i].make(&making)) {
			leave_out_empty(making.resources);
			return making.resources;
		}
	}
	json_decref(making.resources);
	snprintf(detail, NOTIFY_DETAIL_BYTES, "%s; nothing was sent. Is this program as new as `cpis`?",
		 known ? "it has not the form that items of its kind have" : "it is of a kind that is not known here");
	return NULL;
}
