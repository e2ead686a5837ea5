// Records put before the detection rules, live and read back, and what their findings lead to.
#include "broker/finding.h"

#include <stdlib.h>
#include <string.h>

#include "broker/alert.h"
#include "broker/log.h"
#include "proto/text.h"

#define OWNER "detection"
#define PAGE 64u // records that are read at a time: a power of four

// ------------------------------------------------------------------ events

// The same from a live request and from a record that is read back, so that both lead to the same memory.
static struct detection_event event_of(const Cpis__V1__AuditDetail *detail, Cpis__V1__Operation operation,
				       Cpis__V1__Outcome outcome, const struct store_tag *person)
{
	struct detection_event event = {
		.operation = operation,
		.allowed = outcome == CPIS__V1__OUTCOME__OK,
		.denied = outcome == CPIS__V1__OUTCOME__ACCESS_DENIED,
		.number_invalid = outcome == CPIS__V1__OUTCOME__INVALID_NHS_NUMBER,
		.has_person = person != NULL,
		.role_code = detail->role_code,
		.care_setting = detail->care_setting,
		.found = detail->found,
		.reason_stated = detail->stated_reason[0] != '\0',
		.own_household = detail->own_household,
		.slept_ms = detail->slept_ms,
	};
	if (person != NULL)
		event.person = *person;
	if (strlen(detail->nhs_number) == sizeof((struct nhs_number *)0)->digits - 1) {
		char first[10] = "";
		memcpy(first, detail->nhs_number, 9);
		event.number = (uint32_t)strtoul(first, NULL, 10);
		event.has_number = true;
	}
	return event;
}

static void add_where(const struct register_snapshot *snapshot, const char *organisation, const char *system_name,
		      struct detection_event *event)
{
	struct ods_code ods;
	const struct organisation *registered = ods_code_parse(organisation, strlen(organisation), &ods)
							? register_organisation(snapshot, &ods)
							: NULL;
	event->organisation = organisation;
	event->system_name = system_name;
	if (registered != NULL)
		event->place = registered->place;
}

// ------------------------------------------------------------------ what follows

static bool is_held(const struct op_context *context, const struct detection_finding *finding,
		    const struct enrolled_system *system)
{
	return finding->about_system ? quarantine_holds_system(context->quarantine, &system->identity, context->now_ms)
				     : quarantine_holds_person(context->quarantine, context->session->uid,
							       &context->session->staff_serial, context->now_ms);
}

// Whoever is held back already stays so by the act of who did it, which this must not shorten.
static enum store_status hold(struct op_context *context, const struct detection_finding *finding,
			      const struct enrolled_system *system, Cpis__V1__Finding *found)
{
	Cpis__V1__QuarantineEntry entry = CPIS__V1__QUARANTINE_ENTRY__INIT;
	bool replaced;
	if (finding->rule->quarantine_ms == 0 || is_held(context, finding, system))
		return STORE_OK;
	entry.kind = finding->about_system ? CPIS__V1__QUARANTINE_KIND__SYSTEM : CPIS__V1__QUARANTINE_KIND__PERSON;
	entry.target = finding->about_system
			       ? arena_printf(context->arena, "%s/%s", system->identity.organisation, system->identity.name)
			       : context->session->uid;
	entry.reason = found->words;
	entry.owner_name = op_text(OWNER);
	entry.owner_organisation = op_text(system->identity.organisation);
	entry.since_ms = context->now_ms;
	entry.until_ms = context->now_ms + finding->rule->quarantine_ms;
	entry.audit_index = context->audit_index;
	if (entry.target == NULL)
		return STORE_FAILED;
	enum store_status status = quarantine_put(context->quarantine, context->arena, &entry, &replaced);
	if (status == STORE_OK)
		found->held_until_ms = entry.until_ms;
	else if (status == STORE_NO_MEMORY)
		log_event(LOG_EVENT_FINDING_NOT_HELD, "the quarantine list is full: rule %s held nobody back", found->rule);
	return status == STORE_FAILED ? STORE_FAILED : STORE_OK;
}

// A name that was cut may end in half a character.
static char *clean_copy(struct op_context *context, const char *words)
{
	size_t bytes = strlen(words);
	while (bytes > 0 && !text_is_clean(words, bytes))
		bytes--;
	return arena_printf(context->arena, "%.*s", (int)bytes, words);
}

static bool raise_one(struct op_context *context, const struct detection_finding *finding,
		      const struct enrolled_system *system)
{
	const char *own = system->identity.organisation;
	struct ods_code organisation;
	Cpis__V1__AuditDetail *detail = context->detail;
	Cpis__V1__Finding *found = OP_NEW(context, Cpis__V1__Finding, cpis__v1__finding__init);
	if (found == NULL || (found->words = clean_copy(context, finding->words)) == NULL ||
	    !ods_code_parse(own, strlen(own), &organisation))
		return false;
	found->rule = op_text(detection_kind_word(finding->rule->kind));
	found->severity = finding->rule->severity;
	found->about_system = finding->about_system;
	if (hold(context, finding, system, found) != STORE_OK)
		return false;
	detail->findings[detail->n_findings++] = found;
	Cpis__V1__Alert alert = CPIS__V1__ALERT__INIT;
	alert.kind = CPIS__V1__ALERT_KIND__FINDING;
	alert.audit_index = context->audit_index;
	alert.found = found;
	return alert_put(context, &organisation, finding->about_system ? "" : context->session->uid, &alert) == REASON_NONE;
}

static bool found_something(const Cpis__V1__Reply *reply)
{
	return (reply->body_case == CPIS__V1__REPLY__BODY_FLAG && reply->flag->flag) ||
	       (reply->body_case == CPIS__V1__REPLY__BODY_DETAILS && reply->details->n_plans > 0);
}

bool finding_look(struct op_context *context, struct detection *detection, const struct enrolled_system *system,
		  enum reason reason)
{
	struct detection_finding findings[DETECTION_RULES_MAX];
	struct store_tag person;
	bool has_person = context->detail->uid[0] != '\0';
	context->detail->found = reason == REASON_NONE && found_something(context->reply);
	if (context->request == NULL || system == NULL)
		return true;
	if (has_person)
		vault_tag_person(context->vault, context->detail->uid, &person);
	struct detection_event event = event_of(context->detail, wire_operation(context->request), reason_outcome(reason),
						has_person ? &person : NULL);
	event.time_ms = context->now_ms;
	event.audit_index = context->audit_index;
	add_where(context->snapshot, system->identity.organisation, system->identity.name, &event);
	size_t count = detection_observe(detection, policy_detection(context->policy), &event, findings);
	if (count == 0)
		return true;
	context->detail->findings = arena_alloc(context->arena, count * sizeof *context->detail->findings);
	if (context->detail->findings == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!raise_one(context, &findings[i], system))
			return false;
	return true;
}

// ------------------------------------------------------------------ read back

void finding_remember(const struct op_context *context, struct detection *detection, const struct store_audit *row,
		      const Cpis__V1__AuditEntry *entry)
{
	struct detection_finding ignored[DETECTION_RULES_MAX];
	struct store_tag person;
	if (entry->erased || entry->request_id.len == 0)
		return;
	vault_tag_person(context->vault, entry->detail->uid, &person);
	struct detection_event event = event_of(entry->detail, entry->operation, entry->outcome,
						row->has_person ? &person : NULL);
	event.time_ms = entry->time_ms;
	event.audit_index = row->index;
	add_where(context->snapshot, entry->organisation, entry->system_name, &event);
	(void)detection_observe(detection, policy_detection(context->policy), &event, ignored);
	detection_committed(detection);
}

static bool read_one(const struct op_context *context, struct detection *detection, const struct store_audit *row)
{
	size_t before = context->arena->used;
	const Cpis__V1__AuditEntry *entry = audit_entry(context->audit, context->arena, row);
	if (entry != NULL)
		finding_remember(context, detection, row, entry);
	arena_rewind(context->arena, before);
	return entry != NULL;
}

size_t finding_read_back(const struct op_context *context, struct detection *detection)
{
	uint64_t until = audit_next_index(context->audit);
	uint64_t next = until > FINDING_READ_BACK_MAX ? until - FINDING_READ_BACK_MAX : 0;
	size_t count = 0, rows_count;
	uint32_t page = PAGE;
	struct store_audit *rows;
	while (next < until) {
		arena_reset(context->arena);
		enum store_status status = audit_page(context->audit, next, until, page, context->arena, &rows, &rows_count);
		// Very long ones, one after the other: fewer at a time.
		if (status == STORE_NO_MEMORY && page > 1) {
			page /= 4;
			continue;
		}
		if (status != STORE_OK || rows_count == 0)
			break;
		for (size_t i = 0; i < rows_count; i++)
			count += read_one(context, detection, &rows[i]);
		next = rows[rows_count - 1].index + 1;
	}
	arena_reset(context->arena);
	return count;
}
