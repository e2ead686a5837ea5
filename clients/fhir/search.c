// Searches: parameters read, the broker asked, a bundle made.
#include "clients/fhir/search.h"

#include <stdio.h>
#include <string.h>

#include "clients/fhir/outcome.h"
#include "clients/fhir/resource.h"
#include "proto/date.h"
#include "proto/text.h"
#include "proto/wire.h"

const struct search_parameter search_parameters[] = {
	{"patient", "reference", "Required, as patient:identifier: " RESOURCE_NHS_NUMBER "|<NHS number>. In the form that is posted to _search only."},
	{"patient.birthdate", "date", "Optional: as the caller has it, to notice a mistyped number. Not for a Flag alone."},
	{"care-setting", "token", "Where care is being given, such as emergency_department; the facade's own when it is left out."},
	{"reason", "string", "Why one looks, in words, at least 10 characters; some roles must say."},
	{NULL, NULL, NULL},
};

// What to give along with a Flag: any of it opens the details.
enum { WITH_ORGANISATION = 1, WITH_CARE_TEAM = 2, WITH_AUDIT = 4 };

struct question {
	char nhs_number[11];
	const char *birth_date, *reason;
	Cpis__V1__CareSetting care_setting;
	Cpis__V1__AccessType access_type;
	unsigned with;
};

// ------------------------------------------------------------------ parameters

static const struct {
	const char *resource, *name, *value;
	unsigned with;
} includes[] = {
	{"Flag", "_include", "Flag:author", WITH_ORGANISATION},
	{"Flag", "_revinclude", "CareTeam:patient", WITH_CARE_TEAM},
	{"Flag", "_revinclude", "AuditEvent:patient", WITH_AUDIT},
	{"CareTeam", "_include", "CareTeam:participant", WITH_ORGANISATION},
};

static bool refuse_value(struct call *call, const char *sentence)
{
	call_refuse(call, 400, "value", "INVALID_SEARCH_DATA", "", sentence);
	return false;
}

static bool take_include(const char *resource, const char *name, const char *value, struct question *ret)
{
	for (size_t i = 0; i < sizeof includes / sizeof includes[0]; i++)
		if (strcmp(includes[i].resource, resource) == 0 && strcmp(includes[i].name, name) == 0 && strcmp(includes[i].value, value) == 0) {
			ret->with |= includes[i].with;
			return true;
		}
	return false;
}

// The digits themselves are the broker's to check.
static bool take_number(const char *value, struct question *ret)
{
	static const char prefix[] = RESOURCE_NHS_NUMBER "|";
	if (ret->nhs_number[0] != '\0' || strncmp(value, prefix, sizeof prefix - 1) != 0 || !text_is_digits(value + sizeof prefix - 1, strlen(value) - (sizeof prefix - 1), 10))
		return false;
	memcpy(ret->nhs_number, value + sizeof prefix - 1, 11);
	return true;
}

// False: this name, or this value of it, is not taken. Each once.
static bool take(const char *resource, const char *name, const char *value, struct question *ret)
{
	struct date date;
	if (strcmp(name, "_include") == 0 || strcmp(name, "_revinclude") == 0)
		return take_include(resource, name, value, ret);
	if (strcmp(name, "patient:identifier") == 0 || strcmp(name, "patient.identifier") == 0)
		return take_number(value, ret);
	if (strcmp(name, "patient.birthdate") == 0 && ret->birth_date[0] == '\0') {
		ret->birth_date = value;
		return date_parse(value, strlen(value), &date);
	}
	if (strcmp(name, "care-setting") == 0 && ret->care_setting == CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED)
		return wire_care_setting_by_name(value, &ret->care_setting) &&
		       ret->care_setting != CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED;
	if (strcmp(name, "reason") == 0 && ret->reason[0] == '\0') {
		ret->reason = value;
		return text_is_clean(value, strlen(value)) && strlen(value) <= TEXT_BYTES_MAX;
	}
	return strcmp(name, "_format") == 0 && strstr(value, "json") != NULL;
}

// What the CP-IS API's header says; left out it counts as unscheduled.
static bool take_access_type(struct call *call, struct question *ret)
{
	const char *unscheduled = visit_header(call->visit, "IsUnscheduledAccessEvent");
	ret->access_type = strcmp(unscheduled, "false") == 0 ? CPIS__V1__ACCESS_TYPE__SCHEDULED : CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	if (unscheduled[0] == '\0' || strcmp(unscheduled, "true") == 0 || strcmp(unscheduled, "false") == 0)
		return true;
	call_refuse(call, 400, "value", "PRECONDITION_FAILED", "", "IsUnscheduledAccessEvent is true or false.");
	return false;
}

static bool read_question(struct call *call, const char *resource, struct question *ret)
{
	const char *name = NULL, *value = NULL;
	char sentence[200];
	*ret = (struct question){.birth_date = "", .reason = ""};
	if (call->visit->query != NULL)
		return refuse_value(call, "Nothing is searched for by address: put all parameters into the form that is posted.");
	for (size_t i = 0; visit_field_at(call->visit, i, &name, &value); i++) {
		if (take(resource, name, value, ret))
			continue;
		// Of ours the name is said, of others nothing: who knows what it is.
		bool ours = strncmp(name, "patient", 7) == 0 || strcmp(name, "care-setting") == 0 || strcmp(name, "reason") == 0 ||
			    strcmp(name, "_include") == 0 || strcmp(name, "_revinclude") == 0;
		snprintf(sentence, sizeof sentence, "%.40s has a value that is not taken here, stands twice, or is not a parameter of this search; see /metadata.",
			 ours && text_is_clean(name, strlen(name)) ? name : "A parameter");
		return refuse_value(call, sentence);
	}
	if (ret->nhs_number[0] == '\0')
		return refuse_value(call, "patient:identifier is needed: " RESOURCE_NHS_NUMBER "| and the ten digits of the NHS number.");
	if (ret->care_setting == CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED)
		ret->care_setting = call->facade->configuration->care_setting_code;
	return take_access_type(call, ret);
}

// ------------------------------------------------------------------ bundles

struct answer {
	struct call *call;
	const struct question *question;
	json_t *bundle, *issues; // issues: of the OperationOutcome beside the matches
	bool good;
	char organisations[PLANS_PER_CHILD_MAX][RESOURCE_UUID_BYTES]; // by plan: that of its authority
};

static struct answer begin(struct call *call, const struct question *question, const Cpis__V1__Reply *reply)
{
	char self[400];
	snprintf(self, sizeof self, "%s%s", call->facade->base, call->visit->path);
	struct answer answer = {.call = call, .question = question, .bundle = resource_bundle(self, reply), .issues = json_array()};
	answer.good = answer.bundle != NULL && answer.issues != NULL;
	return answer;
}

static void say(struct answer *answer, const char *severity, const char *issue_type, const char *reason_code, const char *sentence)
{
	answer->good = answer->good && json_array_append_new(answer->issues, outcome_issue(severity, issue_type, "", reason_code, sentence)) == 0;
}

static void add(struct answer *answer, const char *mode, const char *uuid, json_t *resource)
{
	answer->good = answer->good && resource_add(answer->bundle, mode, uuid, resource);
}

// The notice is another one with a yes: a caller that goes by its word is not to take a yes for a no.
static void say_gaps(struct answer *answer, bool known, const char *notice, size_t count, char *const *registers)
{
	if (notice[0] != '\0')
		say(answer, "information", "informational", known ? "supports_judgement" : "no_proof_of_safety", notice);
	for (size_t i = 0; i < count; i++) {
		char sentence[300];
		snprintf(sentence, sizeof sentence, "%.200s could not be asked: this answer is incomplete. Ring them.", registers[i]);
		say(answer, "warning", "incomplete", "not_available", sentence);
	}
}

static void end(struct answer *answer)
{
	if (answer->good && json_array_size(answer->issues) > 0)
		add(answer, "outcome", NULL, json_pack("{s:s,s:O}", "resourceType", "OperationOutcome", "issue", answer->issues));
	json_decref(answer->issues);
	if (!answer->good) {
		json_decref(answer->bundle);
		return; // the server says that it could not be made
	}
	call_answer(answer->call, 200, answer->bundle);
}

// ------------------------------------------------------------------ details

static bool ask_details(struct call *call, const struct question *question, const Cpis__V1__Reply **ret)
{
	Cpis__V1__DetailsRequest body = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.nhs_number = (char *)(uintptr_t)question->nhs_number;
	body.care_setting = question->care_setting;
	body.access_type = question->access_type;
	body.reason = (char *)(uintptr_t)question->reason;
	body.birth_date = (char *)(uintptr_t)question->birth_date;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &body;
	return call_broker(call, &request, ret);
}

// The plan's authority as a resource of its own: the first plan of it gives its name to the others.
static const char *organisation_of(struct answer *answer, const Cpis__V1__DetailsReply *details, size_t plan)
{
	size_t first = 0;
	if ((answer->question->with & WITH_ORGANISATION) == 0)
		return NULL;
	while (strcmp(details->plans[first]->authority->organisation, details->plans[plan]->authority->organisation) != 0)
		first++;
	if (answer->organisations[first][0] == '\0')
		resource_uuid(answer->organisations[first]);
	return answer->organisations[first];
}

static void add_plans(struct answer *answer, const Cpis__V1__DetailsReply *details, const char *mode,
		      json_t *make(const char *nhs_number, const Cpis__V1__Plan *plan, const char *organisation))
{
	for (size_t i = 0; i < details->n_plans; i++)
		add(answer, mode, NULL, make(answer->question->nhs_number, details->plans[i], organisation_of(answer, details, i)));
}

static void add_organisations(struct answer *answer, const Cpis__V1__DetailsReply *details)
{
	for (size_t i = 0; i < details->n_plans; i++) {
		const Cpis__V1__Authority *authority = details->plans[i]->authority;
		if (answer->organisations[i][0] == '\0')
			continue;
		add(answer, "include", answer->organisations[i], resource_organisation(authority));
		if (authority->contacts_stale)
			say(answer, "warning", "informational", "contacts_stale",
			    "An authority has not confirmed its telephones for longer than it should have: they may be wrong.");
	}
}

static void add_accesses(struct answer *answer, const Cpis__V1__DetailsReply *details, const char *mode)
{
	for (size_t i = 0; i < details->n_accesses; i++)
		add(answer, mode, NULL, resource_audit_event(answer->question->nhs_number, details->accesses[i]));
}

static void say_details(struct answer *answer, const Cpis__V1__DetailsReply *details)
{
	say_gaps(answer, details->n_plans > 0, details->notice, details->n_not_available_from, details->not_available_from);
	if (details->birth_date_differs)
		say(answer, "warning", "value", "birth_date_differs",
		    "The authorities' records have another date of birth than was sent: is this the right child?");
	if (details->notified)
		say(answer, "information", "informational", "notified", "This look is in the child's history, and the authorities are told of it.");
}

// ------------------------------------------------------------------ the searches

void search_care_team(struct call *call)
{
	struct question question;
	const Cpis__V1__Reply *reply = NULL;
	if (!read_question(call, "CareTeam", &question) || !ask_details(call, &question, &reply))
		return;
	struct answer answer = begin(call, &question, reply);
	add_plans(&answer, reply->details, "match", resource_care_team);
	add_organisations(&answer, reply->details);
	say_details(&answer, reply->details);
	end(&answer);
	cpis_reply_free(reply);
}

void search_audit_event(struct call *call)
{
	struct question question;
	const Cpis__V1__Reply *reply = NULL;
	if (!read_question(call, "AuditEvent", &question) || !ask_details(call, &question, &reply))
		return;
	struct answer answer = begin(call, &question, reply);
	add_accesses(&answer, reply->details, "match");
	say_details(&answer, reply->details);
	end(&answer);
	cpis_reply_free(reply);
}

static void flag_with_details(struct call *call, const struct question *question)
{
	const Cpis__V1__Reply *reply = NULL;
	if (!ask_details(call, question, &reply))
		return;
	struct answer answer = begin(call, question, reply);
	add_plans(&answer, reply->details, "match", resource_flag);
	if ((question->with & WITH_CARE_TEAM) != 0)
		add_plans(&answer, reply->details, "include", resource_care_team);
	add_organisations(&answer, reply->details);
	if ((question->with & WITH_AUDIT) != 0)
		add_accesses(&answer, reply->details, "include");
	say_details(&answer, reply->details);
	end(&answer);
	cpis_reply_free(reply);
}

void search_flag(struct call *call)
{
	struct question question;
	const Cpis__V1__Reply *reply = NULL;
	Cpis__V1__FlagRequest body = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	if (!read_question(call, "Flag", &question))
		return;
	if (question.with != 0) {
		flag_with_details(call, &question);
		return;
	}
	body.nhs_number = question.nhs_number;
	body.care_setting = question.care_setting;
	body.reason = (char *)(uintptr_t)question.reason;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &body;
	if (!call_broker(call, &request, &reply))
		return;
	struct answer answer = begin(call, &question, reply);
	if (reply->flag->flag)
		add(&answer, "match", NULL, resource_flag_bare(question.nhs_number));
	say_gaps(&answer, reply->flag->flag, reply->flag->notice, reply->flag->n_not_available_from, reply->flag->not_available_from);
	end(&answer);
	cpis_reply_free(reply);
}
