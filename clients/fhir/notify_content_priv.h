// What the functions for the kinds of items share. Nothing else includes it.
#ifndef CPIS_FHIR_NOTIFY_CONTENT_PRIV_H
#define CPIS_FHIR_NOTIFY_CONTENT_PRIV_H

#include "clients/fhir/notify_item.h"

#define AUDIT_RECORD "urn:cpis:audit-record"
#define ENQUIRY "urn:cpis:enquiry"
#define LOCAL_ID "urn:cpis:local-id"
#define JOB_ROLE "https://fhir.hl7.org.uk/CodeSystem/UKCore-SDSJobRoleName"

struct making {
	const struct notify_item *item;
	const char *subscription;
	json_t *resources; // that there are already
};

// Who did something, in which role, from where, when: an access, as `cpis` has it.
struct person {
	const char *name, *role_code, *role_name, *organisation, *organisation_name, *care_setting, *time;
};

// Takes all values out by json_unpack's strict mode, which fails when one is left over: what a later `cpis` adds is not lost
// silently.
#define UNPACK(value, ...) (json_unpack_ex((value), NULL, JSON_STRICT, __VA_ARGS__) == 0)

bool notify_read_person(json_t *value, struct person *ret);
// True for an array of texts.
bool notify_are_texts(json_t *list);

// ------------------------------------------------------------------ parts: each a new reference, NULL without memory

// Adds a resource, with its id; how others of the bundle refer to it. The resource is taken over.
json_t *notify_add(struct making *making, json_t *resource);
json_t *notify_coded(const char *system, const char *code);
// A number of ours, which is named as text.
json_t *notify_numbered(const char *system, json_int_t number);
json_t *notify_reference_to(const char *type, json_t *identifier);
json_t *notify_plan_type(const char *name);

// To the end of a resource's list; takes the value over.
void notify_append(json_t *resource, const char *name, json_t *value);
__attribute__((format(printf, 2, 3))) void notify_say(json_t *communication, const char *format, ...);

// ------------------------------------------------------------------ looks (notify_look.c)

// An access of somebody to this child's plans, `audit_index` in the log.
json_t *notify_look(const char *nhs_number, const struct person *person, json_int_t audit_index);
// Out of what `cpis` tells of a look; NULL when it has not that form, too.
json_t *notify_add_look(struct making *making, json_t *content);

// ------------------------------------------------------------------ one function for each kind; false: it has not that form

bool notify_access(struct making *making);
bool notify_digest(struct making *making);
bool notify_correction(struct making *making);
bool notify_plan_change(struct making *making);
bool notify_publication(struct making *making);
bool notify_not_brought(struct making *making);
bool notify_enquiry(struct making *making);
bool notify_answer(struct making *making);
bool notify_inactive_number(struct making *making);
bool notify_progress(struct making *making);
bool notify_nothing(struct making *making);

#endif
