// Reports from the audit log on a real broker: a nurse who opens, a receptionist who is refused, a school nurse who looks
// silently and a consultant who breaks the glass are found by each report that is about them, in each form.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define EMERGENCY "=child collapsed in the dental clinic"

static struct world *world;
static char child[11], today[11], tomorrow[11], month_ago[11];

static const char *name_of(const char *profile)
{
	return world_person(profile)->name;
}

static unsigned times(const char *text)
{
	unsigned count = 0;
	for (const char *at = world_out(world); (at = strstr(at, text)) != NULL; at += strlen(text))
		count++;
	return count;
}

static void play(void)
{
	struct cpis_client *leeds = world_sign_in(world, "leeds");
	cpis_reply_free(world_publish(world, leeds, "383", child, CPIS__V1__PLAN_TYPE__CPP, "2020-01-02"));
	cpis_close(leeds);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, "--details", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "receptionist", "query", child, NULL), 3);
	ck_assert_int_eq(world_cpis(world, "school_nurse", "query", child, "--details", "--scheduled", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "consultant", "query", child, "--break-glass", "--reason", EMERGENCY, "--care-setting",
				    "dentistry", NULL),
			 0);
}

static void setup(void)
{
	world_nhs_number(0, child);
	world_date(0, 0, today);
	world_date(1, 0, tomorrow); // the day may change while the test runs, and England's is ahead in summer
	world_date(-29, 0, month_ago);
	world = world_new();
	world_start(world);
	play();
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// One of the three that are about a period; `extra` NULL: none.
#define PERIOD "--from", month_ago, "--until", tomorrow
#define PATIENT "audit", "report", "patient-access", "--nhs-number", child, PERIOD

static json_t *parsed(void)
{
	json_error_t error;
	json_t *value = json_loads(world_out(world), 0, &error);
	ck_assert_msg(value != NULL, "line %d: %s\n%s", error.line, error.text, world_out(world));
	return value;
}

static const char *text_at(json_t *value, const char *key)
{
	const char *text = json_string_value(json_object_get(value, key));
	ck_assert_msg(text != NULL, "no %s", key);
	return text;
}

// ------------------------------------------------------------------ the three

START_TEST(who_accessed_this_child)
{
	static const char *const people[] = {"nurse", "receptionist", "school_nurse", "consultant"};
	ck_assert_int_eq(world_cpis(world, "guardian", PATIENT, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert(world_said(world, name_of(people[i])));
	ck_assert(world_said(world, "role_lacks_activity") && world_said(world, "nobody told") && world_said(world, "GLASS BROKEN") && world_said(world, EMERGENCY));
	// The hospital's officer: the hospital's. The authority's: all looks at its child, and Brighton's has none to see.
	ck_assert_int_eq(world_cpis(world, "privacy_officer", PATIENT, NULL), 0);
	ck_assert(world_said(world, name_of("nurse")) && world_said(world, name_of("receptionist")) && world_said(world, name_of("consultant")));
	ck_assert(!world_said(world, name_of("school_nurse")) && !world_said(world, name_of("guardian")));
	ck_assert_int_eq(world_cpis(world, "leeds_reviewer", PATIENT, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert(world_said(world, name_of(people[i])));
	ck_assert(!world_said(world, name_of("guardian")) && !world_said(world, name_of("privacy_officer")));
	ck_assert_int_eq(world_cpis(world, "leeds_reviewer", PATIENT, "--organisation", "RDR", NULL), 0);
	ck_assert(world_said(world, name_of("school_nurse")) && !world_said(world, name_of("nurse")));
	ck_assert_int_eq(world_cpis(world, "nurse", PATIENT, NULL), 3);
	ck_assert(world_complained(world, "role_lacks_activity"));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", PATIENT, "--organisation", "RDR", NULL), 3);
	ck_assert(world_complained(world, "audit_scope"));
}
END_TEST

START_TEST(what_this_person_did)
{
	static const char *const people[] = {"nurse", "receptionist", "school_nurse", "consultant"};
	static const char *const signs[] = {"authorities told", "role_lacks_activity", "nobody told", "GLASS BROKEN"};
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "user-access", "--uid", world_person(people[i])->uid,
					    PERIOD, NULL),
				 0);
		ck_assert(world_said(world, name_of(people[i])) && world_said(world, signs[i]) && world_said(world, child) && world_said(world, "SESSION_OPEN"));
		ck_assert(!world_said(world, name_of(people[(i + 1) % 4])));
	}
}
END_TEST

START_TEST(who_asked_about_which_children)
{
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "report", "enquiries", PERIOD, NULL), 0);
	ck_assert(world_said(world, name_of("nurse")) && world_said(world, name_of("receptionist")) && world_said(world, name_of("consultant")));
	ck_assert(world_said(world, "1 children, 1 requests, 1 of them refused") && world_said(world, "In all: 3 people, 1 children."));
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "audit", "report", "enquiries", "--organisation", "RDR", PERIOD, NULL), 0);
	json_t *report = parsed(), *person = json_array_get(json_object_get(report, "people"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(report, "people")), 1);
	ck_assert_str_eq(text_at(person, "name"), name_of("school_nurse"));
	ck_assert_str_eq(text_at(json_array_get(json_object_get(person, "numbers"), 0), "nhs_number"), child);
	json_decref(report);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "enquiries", PERIOD, "--csv", NULL), 0);
	ck_assert(world_said(world, "uid,name,role_code") || world_said(world, "\"uid\",\"name\",\"role_code\""));
	ck_assert_uint_eq(times("\r\n"), 5);
}
END_TEST

// ------------------------------------------------------------------ forms

START_TEST(csv_is_quoted_and_starts_no_formula)
{
	ck_assert_int_eq(world_cpis(world, "guardian", PATIENT, "--csv", NULL), 0);
	ck_assert(world_said(world, "\"'" EMERGENCY "\"") && !world_said(world, "\"" EMERGENCY));
	ck_assert_uint_ge(times("\r\n"), 6);
	ck_assert_int_eq(world_cpis(world, "guardian", PATIENT, "--csv", "--fhir", NULL), 1);
	ck_assert(world_complained(world, "one of them"));
}
END_TEST

static const char *coding_at(json_t *concept)
{
	return text_at(json_array_get(json_object_get(concept, "coding"), 0), "code");
}

static const char *identifier_at(json_t *holder, const char *key, const char *system)
{
	json_t *identifier = json_object_get(json_object_get(holder, key), "identifier");
	if (system != NULL)
		ck_assert_str_eq(text_at(identifier, "system"), system);
	return text_at(identifier, "value");
}

// The elements that R4 and the patterns require, in each event; its operation's name.
static const char *check_event(json_t *event)
{
	json_t *agents = json_object_get(event, "agent"), *agent;
	size_t i, requestors = 0;
	ck_assert_str_eq(text_at(event, "resourceType"), "AuditEvent");
	ck_assert_str_eq(text_at(json_object_get(event, "type"), "system"), "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle");
	ck_assert_str_eq(text_at(json_object_get(event, "type"), "code"), "access");
	ck_assert(strchr("CRUDE", text_at(event, "action")[0]) != NULL && text_at(event, "action")[1] == '\0');
	ck_assert_uint_eq(strlen(text_at(event, "recorded")), strlen("2026-11-23T03:00:00.000Z"));
	json_array_foreach(agents, i, agent) {
		ck_assert(json_is_boolean(json_object_get(agent, "requestor")));
		ck_assert_ptr_nonnull(coding_at(json_object_get(agent, "type")));
		ck_assert_ptr_nonnull(identifier_at(agent, "who", NULL));
		requestors += json_is_true(json_object_get(agent, "requestor"));
	}
	ck_assert_uint_eq(requestors, 1);
	ck_assert_str_eq(identifier_at(json_object_get(event, "source"), "observer", "urn:cpis:broker"), WORLD_BROKER_NAME);
	return text_at(json_array_get(json_object_get(event, "subtype"), 0), "code");
}

static void check_look(json_t *event, const char *profile)
{
	json_t *person = json_array_get(json_object_get(event, "agent"), 0), *entities = json_object_get(event, "entity");
	json_t *organisation = json_array_get(json_object_get(event, "agent"), 2);
	ck_assert_str_eq(identifier_at(person, "who", "https://fhir.nhs.uk/Id/sds-user-id"), world_person(profile)->uid);
	ck_assert_str_eq(coding_at(json_array_get(json_object_get(person, "role"), 0)), "AUT");
	ck_assert_str_eq(coding_at(json_array_get(json_object_get(person, "role"), 1)), world_person(profile)->role);
	ck_assert_uint_eq(strlen(identifier_at(organisation, "who", "https://fhir.nhs.uk/Id/ods-organization-code")), 3);
	ck_assert_str_eq(identifier_at(json_array_get(entities, 0), "what", "https://fhir.nhs.uk/Id/nhs-number"), child);
	ck_assert_str_eq(text_at(json_object_get(json_array_get(entities, 1), "type"), "code"), "XrequestId");
	ck_assert_uint_eq(strlen(identifier_at(json_array_get(entities, 1), "what", NULL)), 32);
}

START_TEST(fhir_is_a_bundle_of_audit_events)
{
	static const char *const people[] = {"nurse", "receptionist", "school_nurse", "consultant"};
	size_t next = 0, i;
	json_t *entry;
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "enquiries", PERIOD, "--fhir", NULL), 0);
	json_t *bundle = parsed();
	ck_assert_str_eq(text_at(bundle, "resourceType"), "Bundle");
	ck_assert_str_eq(text_at(bundle, "type"), "collection");
	// The nurse and the school nurse ask first whether there is something, and then open it: six looks of four people.
	ck_assert_uint_eq(json_array_size(json_object_get(bundle, "entry")), 6);
	json_array_foreach(json_object_get(bundle, "entry"), i, entry) {
		json_t *event = json_object_get(entry, "resource");
		const char *operation = check_event(event);
		bool details = strcmp(operation, "DETAILS") == 0;
		if (strcmp(text_at(event, "outcome"), "0") == 0 && !details)
			continue;
		check_look(event, people[next]);
		ck_assert_str_eq(text_at(event, "outcome"), next == 1 ? "4" : "0");
		ck_assert_str_eq(text_at(event, "action"), "R");
		ck_assert_int_eq(json_object_get(event, "purposeOfEvent") != NULL, next == 3);
		next++;
	}
	ck_assert_uint_eq(next, 4);
	json_decref(bundle);
}
END_TEST

START_TEST(json_lists_each_record_once)
{
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", PATIENT, NULL), 0);
	json_t *report = parsed();
	size_t count = json_array_size(json_object_get(report, "entries"));
	ck_assert_str_eq(text_at(report, "report"), "patient-access");
	ck_assert_uint_eq(count, 6);
	ck_assert_uint_eq((size_t)json_integer_value(json_object_get(report, "count")), count);
	json_decref(report);
}
END_TEST

// ------------------------------------------------------------------ a family, a colleague, an organisation

START_TEST(a_family_reads_who_looked_in_plain_words)
{
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "subject", "--nhs-number", child, NULL), 0);
	ck_assert(world_said(world, "Grace Okafor, Nurse Access, University Hospitals Sussex (emergency department), opened the details"));
	ck_assert(world_said(world, "known to children's social care, and was refused.") && world_said(world, "nothing was shown."));
	ck_assert(world_said(world, name_of("school_nurse")) && world_said(world, "The usual limits were set aside"));
	ck_assert(world_said(world, "The local authority was told of it."));
	ck_assert(!world_said(world, world_person("nurse")->uid) && !world_said(world, "role_lacks_activity") && !world_said(world, "DETAILS"));
	ck_assert(world_complained(world, "withheld"));
	// The report itself is found by the next one.
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "subject", "--nhs-number", child, NULL), 0);
	ck_assert(world_said(world, "Helen Marsh, Caldicott Guardian, NHS England, searched the log of who looked."));
}
END_TEST

START_TEST(all_that_one_member_of_staff_did)
{
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "report", "staff", "--uid", world_person("receptionist")->uid, NULL),
			 0);
	ck_assert(world_said(world, name_of("receptionist")) && world_said(world, "refused_because\n") && world_said(world, "role_lacks_activity"));
	ck_assert(!world_said(world, name_of("nurse")));
}
END_TEST

START_TEST(an_organisations_month_in_counts)
{
	char month[8], next[8];
	snprintf(month, sizeof month, "%.7s", today);
	snprintf(next, sizeof next, "%.7s", tomorrow);
	// When the month ends while this runs, the broker's day is the later one.
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "--json", "audit", "report", "organisation", "--month", month, NULL), 0);
	json_t *report = parsed(), *totals = json_object_get(report, "totals"), *by = json_object_get(report, "by");
	if (strcmp(month, next) == 0) {
		ck_assert_int_eq(json_integer_value(json_object_get(totals, "break_glass")), 1);
		ck_assert_int_eq(json_integer_value(json_object_get(totals, "refused")), 1);
		ck_assert_int_eq(json_integer_value(json_object_get(totals, "children")), 1);
		ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(by, "refused_because"), "role_lacks_activity")), 1);
		ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(by, "operation"), "DETAILS")), 2);
		ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(by, "role"), "Consultant")), 2);
		ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(by, "care_setting"), "DENTISTRY")), 1);
	}
	json_decref(report);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "report", "organisation", "--month", month, "--csv", NULL), 0);
	ck_assert(world_said(world, "\"break_glass\"") && world_said(world, "\"total\""));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "report", "organisation", "--month", "2026-13", NULL), 1);
	ck_assert(world_complained(world, "--month is like 2026-11"));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "report", "organisation", "--month", month, "--organisation",
				    "RDR", NULL),
			 3);
}
END_TEST

// ------------------------------------------------------------------ searching

START_TEST(a_search_by_anything_that_a_record_says)
{
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--break-glass", "yes", NULL), 0);
	ck_assert(world_said(world, name_of("consultant")) && times("DETAILS") == 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--system", "RXH/ed", "--refused", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--reason-code", "role_lacks_activity", "--role", "R8009", NULL), 0);
	ck_assert(world_said(world, name_of("receptionist")) && !world_said(world, name_of("nurse")));
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--notified", "no", "--operation", "details", NULL), 0);
	ck_assert(world_said(world, name_of("school_nurse")) && !world_said(world, name_of("consultant")));
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "audit", "search", "--care-setting", "dentistry", NULL), 0);
	json_t *found = parsed(), *entry = json_array_get(json_object_get(found, "entries"), 0);
	char request[33], session[33];
	snprintf(request, sizeof request, "%s", text_at(entry, "request_id"));
	snprintf(session, sizeof session, "%s", text_at(json_object_get(entry, "detail"), "session_id"));
	json_decref(found);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--request", request, NULL), 0);
	ck_assert(world_said(world, "GLASS BROKEN") && times(name_of("consultant")) == 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--session", session, "--oldest-first", NULL), 0);
	ck_assert(world_said(world, "SESSION_OPEN") && world_said(world, "GLASS BROKEN"));
}
END_TEST

START_TEST(what_was_done_for_a_trace_is_found_by_its_id)
{
	static const char trace[] = "4bf92f3577b34da6a3ce929d0e0e4736", other[] = "0af7651916cd43dd8448eb211c80319c";
	char header[64];
	snprintf(header, sizeof header, "00-%s-00f067aa0ba902b7-01", trace);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--traceparent", header, child, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--trace", trace, NULL), 0);
	ck_assert(world_said(world, "SESSION_OPEN") && times("FLAG") == 1 && world_said(world, name_of("nurse")));
	// As whatever calls cpis has it around; one that is malformed there is nobody's fault here.
	snprintf(header, sizeof header, "00-%s-b7ad6b7169203331-00", other);
	ck_assert_int_eq(setenv("TRACEPARENT", header, 1), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 0);
	ck_assert_int_eq(setenv("TRACEPARENT", "00-what", 1), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--traceparent", "00-what", child, NULL), 1);
	ck_assert(world_complained(world, "W3C Trace Context"));
	ck_assert_int_eq(unsetenv("TRACEPARENT"), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "audit", "search", "--trace", other, "--operation", "FLAG", NULL), 0);
	json_t *found = parsed(), *entries = json_object_get(found, "entries");
	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_str_eq(text_at(json_object_get(json_array_get(entries, 0), "detail"), "trace_id"), other);
	ck_assert_str_eq(text_at(json_object_get(json_array_get(entries, 0), "detail"), "trace_parent_id"), "b7ad6b7169203331");
	char number[24];
	snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json_object_get(json_array_get(entries, 0), "index")));
	json_decref(found);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "show", number, NULL), 0);
	ck_assert(world_said(world, other) && world_said(world, "b7ad6b7169203331"));
}
END_TEST

START_TEST(a_search_follows_its_pages_in_either_order)
{
	char limited[32];
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--limit", "2", "--oldest-first", NULL), 0);
	ck_assert(world_said(world, "There may be more: --after 1"));
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--limit", "2", "--oldest-first", "--after", "1", NULL), 0);
	ck_assert(world_said(world, "There may be more: --after 3") && !world_said(world, "\n     1  "));
	// All of it, in pages of three, is what one page has.
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "audit", "search", "--limit", "3", "--all", "--oldest-first", NULL), 0);
	json_t *all = parsed();
	size_t count = json_array_size(json_object_get(all, "entries")), i;
	json_t *entry;
	json_array_foreach(json_object_get(all, "entries"), i, entry)
		ck_assert_uint_eq((size_t)json_integer_value(json_object_get(entry, "index")), i);
	json_decref(all);
	snprintf(limited, sizeof limited, "%zu", count);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--before", limited, "--all", NULL), 0);
	snprintf(limited, sizeof limited, "%zu records.", count);
	ck_assert(world_said(world, limited));
}
END_TEST

START_TEST(a_record_is_shown_with_all_that_it_says)
{
	char number[24];
	unsigned long long index = 0;
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, "--break-glass", "yes", NULL), 0);
	ck_assert_int_eq(sscanf(world_out(world), "%llu", &index), 1);
	snprintf(number, sizeof number, "%llu", index);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "show", number, NULL), 0);
	static const char *const lines[] = {"opened the details", "Amara Nwosu", "555000000012", "R0050", "dentistry", "RXH",
					    "the authorities whose plans were shown", "GLASS BROKEN", EMERGENCY, "signature",
					    "session", "request", "policy", "in England", "proven to be in the audit log"};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		ck_assert_msg(world_said(world, lines[i]), "it does not say %s\n%s", lines[i], world_out(world));
	// And the search that led there says what it was for.
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--operation", "audit_search", "--limit", "1", NULL), 0);
	ck_assert_int_eq(sscanf(world_out(world), "%llu", &index), 1);
	snprintf(number, sizeof number, "%llu", index);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "show", number, NULL), 0);
	ck_assert(world_said(world, "What was searched for:") && world_said(world, "glass broken") && world_said(world, child));
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "audit", "show", number, NULL), 0);
	json_t *shown = parsed(), *search = json_object_get(json_object_get(json_object_get(shown, "entry"), "detail"), "search");
	ck_assert_str_eq(text_at(search, "nhs_number"), child);
	ck_assert_str_eq(text_at(search, "break_glass"), "YES");
	json_decref(shown);
}
END_TEST

START_TEST(what_cannot_be_asked_is_said_before_anything_is_sent)
{
	static const struct {
		const char *option, *value, *complaint;
	} wrong[] = {
		{"--uid", "12", "12 digits"},          {"--role", "nurse", "role code"},
		{"--operation", "peep", "no operation"}, {"--outcome", "fine", "no outcome"},
		{"--care-setting", "pub", "no care setting"}, {"--session", "12", "32 hexadecimal digits"},
		{"--request", "zz", "32 hexadecimal digits"}, {"--trace", "zz", "32 hexadecimal digits"}, {"--break-glass", "maybe", "yes or no"},
		{"--after", "-1", "record's number"},  {"--nhs-number", "9990000019", "--nhs-number"},
		{"--system", "r/x", "NAME or ODS/NAME"}, {"--organisation", "x", "ODS code"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", wrong[i].option, wrong[i].value, NULL), 1);
		ck_assert_msg(world_complained(world, wrong[i].complaint), "%s: %s", wrong[i].option, world_err(world));
	}
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--allowed", "--refused", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--system", "RXH/x", "--organisation", "RDR", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "enquiries", "--from", "2026-01-01", "--until", "2026-02-01", NULL), 1);
	ck_assert(world_complained(world, "31 days at most"));
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "enquiries", "--from", "2026-01-02", "--until", "2026-01-01", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "enquiries", "--from", "2026-01-01", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "report", "gossip", NULL), 1);
	ck_assert(world_complained(world, "unknown command gossip"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_reports");
	TCase *all = tcase_create("reports");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, who_accessed_this_child);
	tcase_add_test(all, what_this_person_did);
	tcase_add_test(all, who_asked_about_which_children);
	tcase_add_test(all, csv_is_quoted_and_starts_no_formula);
	tcase_add_test(all, fhir_is_a_bundle_of_audit_events);
	tcase_add_test(all, json_lists_each_record_once);
	tcase_add_test(all, a_family_reads_who_looked_in_plain_words);
	tcase_add_test(all, all_that_one_member_of_staff_did);
	tcase_add_test(all, an_organisations_month_in_counts);
	tcase_add_test(all, a_search_by_anything_that_a_record_says);
	tcase_add_test(all, what_was_done_for_a_trace_is_found_by_its_id);
	tcase_add_test(all, a_search_follows_its_pages_in_either_order);
	tcase_add_test(all, a_record_is_shown_with_all_that_it_says);
	tcase_add_test(all, what_cannot_be_asked_is_said_before_anything_is_sent);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
