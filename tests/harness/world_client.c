// Calls through libcpis as the world's people make them.
#include "tests/harness/world_client.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire.h"

struct cpis_options world_options(struct world *world, const char *profile)
{
	const struct world_person *person = world_person(profile);
	return (struct cpis_options){
		.endpoint = world_endpoint(world),
		.broker_name = WORLD_BROKER_NAME,
		.broker_certificate = world_path(world, "authority/broker/broker.pem"),
		.trust_directory = world_path(world, "authority/trust"),
		.system_certificate = world_path(world, "systems/%s.pem", person->system),
		.system_key = world_path(world, "systems/%s.key", person->system),
	};
}

struct cpis_client *world_connect(struct world *world, const char *profile)
{
	struct cpis_options options = world_options(world, profile);
	struct cpis_client *client = NULL;
	char detail[CPIS_DETAIL_BYTES] = "";
	enum cpis_status status = cpis_connect(&options, &client, detail);
	if (status != CPIS_OK)
		world_fail(world, "%s cannot connect: %s (%s)", profile, cpis_status_text(status), detail);
	return client;
}

struct cpis_client *world_sign_in(struct world *world, const char *profile)
{
	struct cpis_client *client = world_connect(world, profile);
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status =
		cpis_session_open(client, world_path(world, "staff/%s.pem", profile),
				  world_path(world, "staff/%s.key", profile), world_person(profile)->role,
				  WORLD_CALL_MS, &reply);
	if (status != CPIS_OK)
		world_fail(world, "%s has no session: %s (%s)", profile, cpis_status_text(status), cpis_detail(client));
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(world, "%s has no session: %s", profile, reply->reason_code);
	cpis_reply_free(reply);
	return client;
}

const Cpis__V1__Reply *world_call(struct cpis_client *client, Cpis__V1__Request *request)
{
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status = cpis_call(client, request, WORLD_CALL_MS, &reply);
	if (status != CPIS_OK)
		world_fail(NULL, "a call failed: %s (%s)", cpis_status_text(status), cpis_detail(client));
	return reply;
}

const Cpis__V1__Reply *world_flag(struct cpis_client *client, const char *nhs_number, Cpis__V1__CareSetting setting)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = (char *)(uintptr_t)nhs_number;
	flag.care_setting = setting;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return world_call(client, &request);
}

const Cpis__V1__Reply *world_details(struct cpis_client *client, const char *nhs_number, Cpis__V1__CareSetting setting,
				     Cpis__V1__AccessType type)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = (char *)(uintptr_t)nhs_number;
	details.care_setting = setting;
	details.access_type = type;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	return world_call(client, &request);
}

const Cpis__V1__Reply *world_inbox(struct cpis_client *client, uint64_t after_id, bool include_acknowledged)
{
	Cpis__V1__InboxListRequest list = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	list.after_id = after_id;
	list.limit = 100;
	list.include_acknowledged = include_acknowledged;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &list;
	return world_call(client, &request);
}

const Cpis__V1__Reply *world_act(struct world *world, struct cpis_client *client, const char *profile,
				 Cpis__V1__Request *request)
{
	const Cpis__V1__Reply *reply = NULL;
	enum cpis_status status =
		cpis_call_signed(client, request, world_path(world, "staff/%s.key", profile), WORLD_CALL_MS, &reply);
	if (status != CPIS_OK)
		world_fail(world, "an act failed: %s (%s)", cpis_status_text(status), cpis_detail(client));
	return reply;
}

void world_set_contacts(struct world *world, struct cpis_client *client, const char *profile)
{
	static char emergency_duty[] = "0113 496 0000", office_hours[] = "0113 496 0100";
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	contacts.emergency_duty_telephone = emergency_duty;
	contacts.office_hours_telephone = office_hours;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	const Cpis__V1__Reply *reply = world_act(world, client, profile, &request);
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(world, "the contacts of %s: %s", profile, reply->reason_code);
	cpis_reply_free(reply);
}

void world_plan(Cpis__V1__PlanRecord *plan, const char *nhs_number, Cpis__V1__PlanType type, const char *start_date)
{
	static char birth_date[] = "2016-06-01", family_name[] = "EXAMPLE", given_names[] = "ALEX";
	cpis__v1__plan_record__init(plan);
	plan->nhs_number = (char *)(uintptr_t)nhs_number;
	plan->type = type;
	plan->start_date = (char *)(uintptr_t)start_date;
	plan->birth_date = birth_date;
	plan->family_name = family_name;
	plan->given_names = given_names;
	plan->row = 1;
}

const Cpis__V1__Reply *world_publish(struct world *world, struct cpis_client *client, const char *authority,
				     const char *nhs_number, Cpis__V1__PlanType type, const char *start_date)
{
	Cpis__V1__PlanRecord record, *records[] = {&record};
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const char *profile = strcmp(authority, "383") == 0 ? "leeds" : "brighton";
	world_plan(&record, nhs_number, type, start_date);
	publish.authority = (char *)(uintptr_t)authority;
	publish.n_records = 1;
	publish.records = records;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	const Cpis__V1__Reply *reply = world_act(world, client, profile, &request);
	if (strcmp(reply->reason_code, "contacts_needed") != 0)
		return reply;
	cpis_reply_free(reply);
	world_set_contacts(world, client, profile);
	return world_act(world, client, profile, &request);
}

// ------------------------------------------------------------------ what a reviewer finds

static bool says(const char *wanted, const char *text)
{
	return wanted == NULL || strcmp(wanted, text) == 0;
}

static const char *name_of(const char *uid)
{
	const struct world_person *person = world_people;
	while (uid != NULL && person->uid != NULL && strcmp(person->uid, uid) != 0)
		person++;
	return uid == NULL ? NULL : person->name;
}

static bool shows(const Cpis__V1__AuditEntry *entry, const struct world_trace *trace)
{
	return says(trace->reason_code, entry->reason_code) && says(trace->organisation, entry->organisation) &&
	       says(trace->system_name, entry->system_name) && says(trace->uid, entry->detail->uid) &&
	       says(name_of(trace->uid), entry->detail->name) && says(trace->nhs_number, entry->detail->nhs_number) &&
	       says(trace->target, entry->detail->target) &&
	       (trace->operation == 0 || trace->operation == entry->operation);
}

static char *or_nothing(const char *text)
{
	return (char *)(uintptr_t)(text == NULL ? "" : text);
}

// The first page that reaches down to `index`.
static const Cpis__V1__Reply *search_down_to(struct world *world, struct cpis_client *guardian, uint64_t index,
					     const struct world_trace *trace)
{
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	search.uid = or_nothing(trace->uid);
	search.nhs_number = or_nothing(trace->nhs_number);
	search.organisation = or_nothing(trace->organisation);
	search.before_index = index + 1;
	search.limit = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	const Cpis__V1__Reply *reply = world_call(guardian, &request);
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(world, "the reviewer cannot search: %s", reply->reason_code);
	return reply;
}

void world_assert_recorded(struct world *world, uint64_t index, const struct world_trace *trace)
{
	struct cpis_client *guardian = world_sign_in(world, "guardian");
	const Cpis__V1__Reply *reply = search_down_to(world, guardian, index, trace);
	const Cpis__V1__AuditSearchReply *found = reply->audit_search;
	if (found->n_entries != 1 || found->entries[0]->index != index)
		world_fail(world, "the reviewer does not find record %llu", (unsigned long long)index);
	const Cpis__V1__AuditEntry *entry = found->entries[0];
	if (!shows(entry, trace))
		world_fail(world, "record %llu says %s %s by %s of %s/%s about '%s' '%s'", (unsigned long long)index,
			   wire_operation_name(entry->operation), entry->reason_code, entry->detail->uid,
			   entry->organisation, entry->system_name, entry->detail->nhs_number, entry->detail->target);
	cpis_reply_free(reply);
	cpis_close(guardian);
}

struct world_handshakes world_handshakes(struct world *world, const char *reason_code)
{
	Cpis__V1__AuditSearchRequest search = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	struct world_handshakes found = {0};
	struct cpis_client *guardian = world_sign_in(world, "guardian");
	search.limit = 100;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &search;
	const Cpis__V1__Reply *reply = world_call(guardian, &request);
	if (reply->outcome != CPIS__V1__OUTCOME__OK)
		world_fail(world, "the reviewer cannot search: %s", reply->reason_code);
	for (size_t i = reply->audit_search->n_entries; i > 0; i--) {
		const Cpis__V1__AuditEntry *entry = reply->audit_search->entries[i - 1];
		if (entry->operation != CPIS__V1__OPERATION__HANDSHAKE || strcmp(entry->reason_code, reason_code) != 0)
			continue;
		found.records++;
		found.count += entry->detail->count;
		snprintf(found.target, sizeof found.target, "%s", entry->detail->target);
	}
	cpis_reply_free(reply);
	cpis_close(guardian);
	return found;
}
