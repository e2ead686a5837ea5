// Who may find what in the audit log: tests/data/audit_remit.txt, line by line. And that whoever asks is on record, with what
// they asked for, whether they were answered or refused.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage.h"

#define TABLE "tests/data/audit_remit.txt"
#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define WORDS_MAX 12
#define ACTS 11

static struct stage *stage;
static uint64_t scene_from, acts[ACTS]; // records: the first of the scene, and of each of its acts

static const struct {
	const char *name;
	enum stage_person person;
} people[] = {
	{"privacy_officer", PRIVACY_OFFICER}, {"infirmary_guardian", INFIRMARY_GUARDIAN},
	{"leeds_reviewer", LEEDS_REVIEWER},   {"reviewer", REVIEWER},
	{"nurse", NURSE},                     {"registrar", REGISTRAR},
	{"leeds_worker", LEEDS_WORKER},       {"national_registrar", NATIONAL_REGISTRAR},
	{"other_nurse", OTHER_NURSE},         {"midwife", MIDWIFE},
	{"receptionist", RECEPTIONIST},       {"school_nurse", SCHOOL_NURSE},
	{"consultant", CONSULTANT},
};

static enum stage_person person_of(const char *name)
{
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
		if (strcmp(people[i].name, name) == 0)
			return people[i].person;
	ck_abort_msg("%s: nobody is called %s", TABLE, name);
}

// ------------------------------------------------------------------ the scene

static uint64_t index_of(const struct stage_reply *got)
{
	return got->reply->receipt->index;
}

static const struct stage_reply *search(enum stage_person person, Cpis__V1__AuditSearchRequest *body)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = body;
	return stage_ask_as(stage, person, &request);
}

static uint64_t look(enum stage_person person, const char *nhs_number, Cpis__V1__CareSetting setting, bool scheduled)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = TEXT(nhs_number);
	details.care_setting = setting;
	details.access_type = scheduled ? CPIS__V1__ACCESS_TYPE__SCHEDULED : CPIS__V1__ACCESS_TYPE__UNSCHEDULED;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return index_of(got);
}

static uint64_t ask_flag(enum stage_person person, const char *nhs_number, Cpis__V1__CareSetting setting)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = TEXT(nhs_number);
	flag.care_setting = setting;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return index_of(stage_ask_as(stage, person, &request));
}

static uint64_t break_glass(enum stage_person person, const char *nhs_number)
{
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	details.nhs_number = TEXT(nhs_number);
	details.break_glass = true;
	details.reason = TEXT("child collapsed in the dental clinic");
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	const struct stage_reply *got = stage_act(stage, person, person, stage->now_ms, &request);
	stage_expect_ok(got);
	return index_of(got);
}

static void play(void)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	const Cpis__V1__CareSetting emergency = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT,
				    none = CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED;
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	stage_publish(stage, BRIGHTON_WORKER, stage_child(1), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(2), CPIS__V1__PLAN_TYPE__LAC, "2023-02-03", NULL, NULL);
	stage_publish(stage, LEEDS_WORKER, stage_child(2), CPIS__V1__PLAN_TYPE__LAC, "2023-02-03", NULL, "2026-10-20");
	stage_publish(stage, LEEDS_WORKER, stage_child(3), CPIS__V1__PLAN_TYPE__LAC, "2025-02-03", "2026-04-20", NULL);
	scene_from = stage_log_size(stage);
	acts[0] = look(NURSE, stage_child(0), none, false);
	acts[1] = look(OTHER_NURSE, stage_child(0), none, false);
	acts[2] = look(SCHOOL_NURSE, stage_child(0), none, true);
	acts[3] = ask_flag(RECEPTIONIST, stage_child(0), none);
	acts[4] = look(NURSE, stage_child(1), none, false);
	acts[5] = ask_flag(MIDWIFE, stage_child(2), emergency);
	acts[6] = ask_flag(MIDWIFE, stage_child(3), emergency);
	acts[7] = break_glass(CONSULTANT, stage_child(4));
	acts[8] = index_of(stage_inbox(stage, LEEDS_WORKER));
	body.nhs_number = TEXT(stage_child(0));
	acts[9] = index_of(search(PRIVACY_OFFICER, &body));
	acts[10] = index_of(stage_ping(stage, STAGE_STRANGER));
}

static void raise_curtain(void)
{
	stage = stage_new();
	stage_sign_in(stage, BRIGHTON_WORKER);
	for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
		stage_sign_in(stage, people[i].person);
	play();
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// ------------------------------------------------------------------ the table

static Cpis__V1__AuditReport report_of(const char *name)
{
	static const char *const names[] = {"patient_access", "user_access",  "enquiries",
					    "subject_access", "staff_member", "organisation_month"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return (Cpis__V1__AuditReport)(i + 1);
	ck_abort_msg("%s: no report is called %s", TABLE, name);
}

// Reads the words of a query, from `words[1]` on, into a search of the scene and nothing else.
static void read_query(char *const *words, Cpis__V1__AuditSearchRequest *body)
{
	cpis__v1__audit_search_request__init(body);
	body->from_index = scene_from;
	body->before_index = acts[ACTS - 1] + 1;
	for (size_t i = 1; words[i] != NULL; i++) {
		const char *what = words[i];
		if (strcmp(what, "everything") == 0)
			continue;
		if (strcmp(what, "refused") == 0) {
			body->decision = CPIS__V1__AUDIT_DECISION__REFUSED;
			continue;
		}
		char *value = words[++i];
		ck_assert_msg(value != NULL, "%s: %s what?", TABLE, what);
		if (strcmp(what, "child") == 0) {
			body->nhs_number = TEXT(stage_child((size_t)(value[0] - '0')));
		} else if (strcmp(what, "person") == 0) {
			body->uid = TEXT(stage_uid(person_of(value)));
		} else if (strcmp(what, "organisation") == 0) {
			body->organisation = value;
		} else if (strcmp(what, "system") == 0) {
			body->system_name = value;
		} else if (strcmp(what, "report") == 0) {
			body->report = report_of(value);
			body->from_ms = STAGE_NOW_MS - STAGE_DAY_MS;
			body->until_ms = STAGE_NOW_MS + STAGE_DAY_MS;
		} else {
			ck_abort_msg("%s: a query has no %s", TABLE, what);
		}
	}
}

static void describe_found(const Cpis__V1__AuditSearchReply *found, char out[64])
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t act = 0; act < ACTS; act++)
		for (size_t i = 0; i < found->n_entries; i++)
			if (found->entries[i]->index == acts[act]) {
				snprintf(out + used, 64 - used, "%s%c", used == 0 ? "" : " ", (char)('a' + act));
				used += used == 0 ? 1 : 2;
			}
	ck_assert_msg(used == 0 ? found->n_entries == 0 : (used + 1) / 2 == found->n_entries, "something else was found");
	if (used == 0)
		strcpy(out, "nothing");
	ck_assert(!found->more);
}

static const struct stage_reply *ask_show(enum stage_person person, const char *act)
{
	return stage_show(stage, person, acts[act[0] - 'a']);
}

static void answer(char *const *words, char out[64])
{
	enum stage_person person = person_of(words[0]);
	Cpis__V1__AuditSearchRequest body;
	bool show = strcmp(words[1], "show") == 0;
	if (!show)
		read_query(words, &body);
	const struct stage_reply *got = show ? ask_show(person, words[2]) : search(person, &body);
	if (got->reply->outcome != CPIS__V1__OUTCOME__OK)
		snprintf(out, 64, "%s", got->reply->reason_code);
	else if (show)
		strcpy(out, "shown");
	else
		describe_found(got->reply->audit_search, out);
}

START_TEST(each_reviewer_finds_what_is_in_the_remit_and_nothing_else)
{
	char line[200], got[64];
	unsigned number = 0, rows = 0;
	FILE *file = fopen(TABLE, "re");
	ck_assert_msg(file != NULL, "%s cannot be read: run from the root", TABLE);
	while (fgets(line, sizeof line, file) != NULL) {
		char *words[WORDS_MAX] = {NULL}, *rest = NULL;
		size_t count = 0;
		number++;
		line[strcspn(line, "\n")] = '\0';
		char *expected = strstr(line, " = ");
		if (line[0] == '#' || line[0] == '\0')
			continue;
		ck_assert_msg(expected != NULL, "%s:%u has no answer", TABLE, number);
		*expected = '\0';
		for (char *word = strtok_r(line, " ", &rest); word != NULL && count < WORDS_MAX - 1; word = strtok_r(NULL, " ", &rest))
			words[count++] = word;
		answer(words, got);
		ck_assert_msg(strcmp(got, expected + 3) == 0, "%s:%u: %s, not %s", TABLE, number, got, expected + 3);
		rows++;
	}
	fclose(file);
	ck_assert_uint_gt(rows, 80);
}
END_TEST

// ------------------------------------------------------------------ whoever asks is on record

START_TEST(a_search_is_recorded_with_all_that_was_searched_for)
{
	static uint8_t id[16] = {1, 2, 3};
	static const char *const organisations[] = {"383", "RXH"}; // the second is refused
	for (size_t i = 0; i < 2; i++) {
		Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
		body.nhs_number = TEXT(stage_child(1));
		body.uid = TEXT(stage_uid(NURSE));
		body.organisation = TEXT(organisations[i]);
		body.from_ms = 5;
		body.until_ms = stage->now_ms;
		body.limit = 7;
		body.before_index = 100000;
		body.system_name = TEXT("leeds");
		body.care_setting = CPIS__V1__CARE_SETTING__MATERNITY;
		body.role_code = TEXT("R8001");
		body.operation = CPIS__V1__OPERATION__DETAILS;
		body.decision = CPIS__V1__AUDIT_DECISION__REFUSED;
		body.outcome = CPIS__V1__OUTCOME__ACCESS_DENIED;
		body.reason_code = TEXT("role_lacks_activity");
		body.request_id = body.session_id = (ProtobufCBinaryData){sizeof id, id};
		body.break_glass = CPIS__V1__YES_NO__YES;
		body.notified = CPIS__V1__YES_NO__NO;
		body.oldest_first = true;
		body.from_index = 3;
		const struct stage_reply *got = search(LEEDS_REVIEWER, &body);
		if (i == 0)
			stage_expect_ok(got);
		else
			stage_expect(got, ACCESS_DENIED, "audit_scope");
		// Nothing of it is in clear; the child is found by its tag.
		ck_assert_uint_eq(got->record->subject_tag.len, TAG_BYTES);
		const Cpis__V1__AuditEntry *entry = stage_shown(stage, REVIEWER, index_of(got));
		uint8_t asked[512], kept[512];
		size_t bytes = cpis__v1__audit_search_request__pack(&body, asked);
		ck_assert_ptr_nonnull(entry->detail->search);
		ck_assert_uint_eq(cpis__v1__audit_search_request__pack(entry->detail->search, kept), bytes);
		ck_assert_mem_eq(asked, kept, bytes);
		ck_assert_str_eq(entry->detail->nhs_number, stage_child(1));
	}
}
END_TEST

START_TEST(a_record_that_was_read_or_refused_is_named_in_the_record_of_it)
{
	char expected[40];
	snprintf(expected, sizeof expected, "record %llu", (unsigned long long)acts[1]);
	const Cpis__V1__AuditEntry *entry = stage_shown(stage, REVIEWER, index_of(ask_show(PRIVACY_OFFICER, "b")));
	ck_assert_str_eq(entry->detail->target, expected);
	ck_assert_str_eq(entry->reason_code, "no_such_record");
	// Whom it was about is not the refused reviewer's to have on record.
	ck_assert_str_eq(entry->detail->nhs_number, "");
	entry = stage_shown(stage, REVIEWER, index_of(ask_show(LEEDS_REVIEWER, "b")));
	ck_assert_str_eq(entry->detail->target, expected);
	ck_assert_str_eq(entry->detail->nhs_number, stage_child(0));
}
END_TEST

START_TEST(an_authoritys_remit_ends_when_its_plan_does_and_with_its_withdrawal)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	body.nhs_number = TEXT(stage_child(3));
	const Cpis__V1__AuditSearchReply *found = search(LEEDS_REVIEWER, &body)->reply->audit_search;
	ck_assert_uint_eq(found->n_entries, 1);
	ck_assert_uint_eq(found->entries[0]->index, acts[6]);
	stage_publish(stage, LEEDS_WORKER, stage_child(3), CPIS__V1__PLAN_TYPE__LAC, "2025-02-03", "2025-10-20", NULL);
	// Twelve months after its end are over tomorrow.
	stage->now_ms += STAGE_DAY_MS;
	stage_sign_in(stage, LEEDS_REVIEWER);
	stage_sign_in(stage, LEEDS_WORKER);
	found = search(LEEDS_REVIEWER, &body)->reply->audit_search;
	ck_assert_uint_eq(found->n_entries, 1);
	ck_assert_int_eq(found->entries[0]->operation, CPIS__V1__OPERATION__AUDIT_SEARCH); // its own
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, "2026-10-20");
	stage_expect(ask_show(LEEDS_REVIEWER, "a"), NO_RECORD_FOUND, "no_such_record");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_remit");
	TCase *all = tcase_create("remit");
	tcase_add_checked_fixture(all, raise_curtain, drop_curtain);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, each_reviewer_finds_what_is_in_the_remit_and_nothing_else);
	tcase_add_test(all, a_search_is_recorded_with_all_that_was_searched_for);
	tcase_add_test(all, a_record_that_was_read_or_refused_is_named_in_the_record_of_it);
	tcase_add_test(all, an_authoritys_remit_ends_when_its_plan_does_and_with_its_withdrawal);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
