// Scenarios of the detection rules: each fires at its threshold and not below, says why in numbers, once within its window, and
// stands or falls with the record that set it off.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/stage.h"

static struct stage *stage;
static Cpis__V1__Request request;

static void raise_curtain(void)
{
	stage = stage_new();
	stage->now_ms += STAGE_HOUR_MS / 2; // 10:00 UTC: the beginning of a window
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

// The n-th valid number of those whose first nine digits go up in steps.
static const char *number(unsigned n, unsigned step)
{
	static char text[11];
	for (unsigned first = 999100000;; first += step) {
		unsigned sum = 0, rest = first;
		for (unsigned weight = 2; weight <= 10; weight++, rest /= 10)
			sum += rest % 10 * weight;
		unsigned check = (11 - sum % 11) % 11;
		if (check == 10 || n-- > 0)
			continue;
		snprintf(text, sizeof text, "%09u%u", first, check);
		return text;
	}
}

// Numbers that have nothing to do with each other.
static const char *child(unsigned n)
{
	return number(n, 1009);
}

static const Cpis__V1__AlertListReply *alerts(enum stage_person person)
{
	Cpis__V1__AlertListRequest body = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &body;
	const struct stage_reply *got = stage_ask_as(stage, person, &request);
	stage_expect_ok(got);
	return got->reply->alert_list;
}

static size_t count(void)
{
	return alerts(PRIVACY_OFFICER)->n_alerts;
}

// The one alert there is says this.
static const Cpis__V1__Alert *expect_alert(const char *rule, const char *words)
{
	const Cpis__V1__AlertListReply *list = alerts(PRIVACY_OFFICER);
	ck_assert_uint_eq(list->n_alerts, 1);
	ck_assert_int_eq(list->alerts[0]->kind, CPIS__V1__ALERT_KIND__FINDING);
	ck_assert_str_eq(list->alerts[0]->found->rule, rule);
	ck_assert_str_eq(list->alerts[0]->found->words, words);
	return list->alerts[0];
}

static const Cpis__V1__AuditDetail *show(uint64_t index)
{
	return stage_shown(stage, PRIVACY_OFFICER, index)->detail;
}

// A look with all that can be said with it.
static const struct stage_reply *look(enum stage_person person, const char *nhs_number, Cpis__V1__CareSetting setting,
				      const char *reason, bool own_household)
{
	Cpis__V1__DetailsRequest body = CPIS__V1__DETAILS_REQUEST__INIT;
	cpis__v1__request__init(&request);
	body.nhs_number = (char *)(uintptr_t)nhs_number;
	body.care_setting = setting;
	body.reason = (char *)(uintptr_t)reason;
	body.own_household = own_household;
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &body;
	return stage_ask_as(stage, person, &request);
}

// ------------------------------------------------------------------ the rules

#define VOLUME "  - {rule: volume, window_minutes: 60, children: 4, times: 2, peers: 2, alone: 6, severity: medium}\n"
#define SIX "looked at 6 children in 60 minutes; too little is known of peers in R8001 in emergency_department"

static void flag_children(unsigned from, unsigned until)
{
	for (unsigned i = from; i < until; i++)
		stage_expect_ok(stage_flag(stage, NURSE, child(i)));
}

START_TEST(many_children_are_found_without_peers_at_the_higher_threshold)
{
	stage_set_detection(stage, VOLUME);
	flag_children(0, 5);
	// The same child again is not another one.
	flag_children(0, 5);
	ck_assert_uint_eq(count(), 0);
	const struct stage_reply *got = stage_flag(stage, NURSE, child(5));
	stage_expect_ok(got);
	const Cpis__V1__Alert *alert = expect_alert("volume", SIX);
	ck_assert_uint_eq(alert->audit_index, got->reply->receipt->index);
	ck_assert_int_eq(alert->found->severity, CPIS__V1__SEVERITY__SEVERITY_MEDIUM);
	ck_assert_uint_eq(alert->found->held_until_ms, 0);
	// The record says so too.
	const Cpis__V1__AuditDetail *detail = show(alert->audit_index);
	ck_assert_uint_eq(detail->n_findings, 1);
	ck_assert_str_eq(detail->findings[0]->words, SIX);
	ck_assert_str_eq(detail->uid, stage_uid(NURSE));
}
END_TEST

START_TEST(many_children_are_found_beside_what_peers_do)
{
	stage_set_detection(stage, VOLUME);
	// Two hours of two children each: what peers do.
	for (unsigned i = 0; i < 2; i++) {
		flag_children(2 * i, 2 * i + 2);
		stage->now_ms += 2 * STAGE_HOUR_MS;
		stage_sign_in(stage, NURSE);
		stage_sign_in(stage, PRIVACY_OFFICER);
	}
	flag_children(10, 13);
	ck_assert_uint_eq(count(), 0);
	flag_children(13, 14);
	expect_alert("volume", "looked at 4 children in 60 minutes; peers in R8001 in emergency_department: 2, most 2");
}
END_TEST

START_TEST(a_finding_is_made_once_in_its_window)
{
	stage_set_detection(stage, VOLUME);
	flag_children(0, 12);
	ck_assert_uint_eq(count(), 1);
	stage->now_ms += STAGE_HOUR_MS;
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
	flag_children(0, 12);
	ck_assert_uint_eq(count(), 2);
}
END_TEST

START_TEST(numbers_close_to_each_other_are_found)
{
	stage_set_detection(stage, "  - {rule: enumeration, window_minutes: 60, numbers: 4, span: 10, severity: high}\n");
	for (unsigned i = 0; i < 20; i++)
		stage_expect_ok(stage_flag(stage, NURSE, child(i)));
	for (unsigned i = 0; i < 3; i++)
		stage_expect_ok(stage_flag(stage, NURSE, number(i, 1)));
	// child(0) is number(0, 1): three within reach so far.
	ck_assert_uint_eq(count(), 0);
	stage_expect_ok(stage_flag(stage, NURSE, number(3, 1)));
	const Cpis__V1__AlertListReply *list = alerts(PRIVACY_OFFICER);
	ck_assert_uint_eq(list->n_alerts, 1);
	ck_assert_ptr_nonnull(strstr(list->alerts[0]->found->words, "asked about 4 numbers in 60 minutes that lie within "));
}
END_TEST

START_TEST(numbers_that_are_none_are_found)
{
	stage_set_detection(stage, "  - {rule: no_match, window_minutes: 60, looks: 4, percent: 75, invalid: 3, severity: low}\n");
	stage_publish(stage, (stage_sign_in(stage, LEEDS_WORKER), LEEDS_WORKER), stage_child(0), CPIS__V1__PLAN_TYPE__CPP,
		      "2026-02-03", NULL, NULL);
	stage_expect_ok(stage_flag(stage, NURSE, stage_child(0)));
	for (unsigned i = 0; i < 2; i++)
		stage_expect(stage_flag(stage, NURSE, "9990000019"), INVALID_NHS_NUMBER, "nhs_number");
	ck_assert_uint_eq(count(), 0);
	stage_expect(stage_flag(stage, NURSE, "9990000019"), INVALID_NHS_NUMBER, "nhs_number");
	expect_alert("no_match", "asked about 4 numbers in 60 minutes: 3 of them are no NHS number, and of 0 nothing is known");
}
END_TEST

START_TEST(looks_without_a_reason_are_found_where_others_state_one)
{
	stage_set_detection(stage, "  - {rule: no_attendance_reason, window_minutes: 60, looks: 2, times: 2, percent: 80, peers: 10, "
				   "severity: low}\n");
	stage_sign_in(stage, CONSULTANT);
	for (unsigned i = 0; i < 8; i++)
		stage_expect_ok(look(CONSULTANT, child(i), CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT,
				     "brought in by ambulance", false));
	stage_expect_ok(stage_details(stage, NURSE, child(0)));
	ck_assert_uint_eq(count(), 0);
	stage_expect_ok(stage_details(stage, NURSE, child(1)));
	expect_alert("no_attendance_reason", "2 of 2 looks in 60 minutes without a reason; 80 of 100 looks at RXH in "
					     "emergency_department state one");
}
END_TEST

START_TEST(where_few_state_a_reason_nobody_is_found_without)
{
	stage_set_detection(stage, "  - {rule: no_attendance_reason, window_minutes: 60, looks: 2, times: 2, percent: 80, peers: 10, "
				   "severity: low}\n");
	for (unsigned i = 0; i < 12; i++)
		stage_expect_ok(stage_details(stage, NURSE, child(i)));
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(looks_outside_hours_are_found_by_englands_clock)
{
	stage_set_detection(stage, "  - {rule: outside_hours, window_minutes: 720, looks: 2, hours: 06:00-22:00, days: weekdays, "
				   "severity: medium}\n");
	stage->now_ms = STAGE_NOW_MS + 11 * STAGE_HOUR_MS + 29 * STAGE_MINUTE_MS; // 20:59 UTC, 21:59 in England
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_expect_ok(stage_flag(stage, NURSE, child(0)));
	stage_expect_ok(stage_flag(stage, NURSE, child(0)));
	stage->now_ms += STAGE_MINUTE_MS;
	stage_expect_ok(stage_flag(stage, NURSE, child(0)));
	ck_assert_uint_eq(count(), 0);
	stage_expect_ok(stage_flag(stage, NURSE, child(0)));
	expect_alert("outside_hours", "2 looks in 720 minutes from emergency_department outside 06:00-22:00 on weekdays, one at "
				      "22:00");
}
END_TEST

START_TEST(looks_at_the_weekend_are_found)
{
	stage_set_detection(stage, "  - {rule: outside_hours, window_minutes: 720, looks: 1, hours: 06:00-22:00, days: weekdays, "
				   "severity: medium}\n");
	stage->now_ms = STAGE_NOW_MS + 4 * STAGE_DAY_MS; // Saturday
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_expect_ok(stage_flag(stage, NURSE, child(0)));
	ck_assert_uint_eq(count(), 1);
}
END_TEST

#define FAR "  - {rule: far_settings, window_minutes: 20, km: %u, care_settings: [emergency_department], severity: high}\n"

static void look_far(unsigned km, Cpis__V1__CareSetting second)
{
	char rule[200];
	snprintf(rule, sizeof rule, FAR, km);
	stage_set_detection(stage, rule);
	stage_sign_in(stage, MIDWIFE);
	stage_expect_ok(look(MIDWIFE, child(0), second, "", false));
	stage->now_ms += 7 * STAGE_MINUTE_MS;
	stage_expect_ok(stage_flag(stage, NURSE, child(0)));
}

START_TEST(one_child_at_two_places_far_apart_is_found)
{
	look_far(344, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
	expect_alert("far_settings", "a child was looked at from RXJ and, 7 minutes later and 344 km away, from RXH");
}
END_TEST

START_TEST(one_child_at_two_places_nearer_or_elsewhere_or_later_is_not)
{
	look_far(345, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
	ck_assert_uint_eq(count(), 0);
	look_far(344, CPIS__V1__CARE_SETTING__MATERNITY);
	ck_assert_uint_eq(count(), 0);
	stage->now_ms += STAGE_DAY_MS;
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
	look_far(344, CPIS__V1__CARE_SETTING__MATERNITY);
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(a_role_that_nobody_used_for_long_is_found)
{
	stage_set_detection(stage, "  - {rule: dormant, window_minutes: 1440, asleep_days: 5, severity: low}\n");
	stage->now_ms += 5 * STAGE_DAY_MS - 1;
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
	ck_assert_uint_eq(count(), 0);
	stage->now_ms += 5 * STAGE_DAY_MS;
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, NURSE);
	// The privacy officer was away for as long, and says so about themselves.
	stage_sign_in(stage, PRIVACY_OFFICER);
	const Cpis__V1__AlertListReply *list = alerts(PRIVACY_OFFICER);
	ck_assert_uint_eq(list->n_alerts, 2);
	ck_assert_str_eq(list->alerts[0]->found->words, "signed in as R8001 at RXH for the first time in 5 days");
}
END_TEST

START_TEST(a_look_at_the_own_household_is_found_where_the_system_says_so)
{
	stage_set_detection(stage, "  - {rule: own_household, window_minutes: 1440, severity: high}\n");
	stage_expect_ok(look(NURSE, child(0), CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, "", false));
	ck_assert_uint_eq(count(), 0);
	stage_expect_ok(look(NURSE, child(0), CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, "", true));
	stage_expect_ok(look(NURSE, child(0), CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT, "", true));
	expect_alert("own_household", "looked at a child of whom hospital says that they live at the same address");
}
END_TEST

#define DENIED "  - {rule: denied_then_allowed, window_minutes: 60, denials: 2, severity: medium}\n"

static void be_refused(unsigned n)
{
	stage_expect(look(NURSE, child(n), CPIS__V1__CARE_SETTING__DENTISTRY, "", false), ACCESS_DENIED,
		     "care_setting_not_in_scope");
}

START_TEST(refused_and_then_allowed_about_one_child_is_found)
{
	stage_set_detection(stage, DENIED);
	be_refused(0);
	stage_expect_ok(stage_details(stage, NURSE, child(0)));
	// An answer ends the row of refusals; those about another child are another row.
	be_refused(0);
	be_refused(1);
	stage_expect_ok(stage_details(stage, NURSE, child(0)));
	ck_assert_uint_eq(count(), 0);
	be_refused(1);
	stage->now_ms += 3 * STAGE_MINUTE_MS;
	stage_expect_ok(stage_details(stage, NURSE, child(1)));
	expect_alert("denied_then_allowed", "was refused 2 times about a child, and allowed 3 minutes after the last time");
}
END_TEST

START_TEST(refused_and_allowed_long_after_is_not)
{
	stage_set_detection(stage, DENIED);
	be_refused(0);
	be_refused(0);
	stage->now_ms += STAGE_HOUR_MS;
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_expect_ok(stage_details(stage, NURSE, child(0)));
	ck_assert_uint_eq(count(), 0);
}
END_TEST

#define RATE "  - {rule: system_rate, window_minutes: 10, requests: 5, times: 2, severity: high%s}\n"

// Three windows, the first with the two sign-ins, of two pings each, and then so many in one.
static void ping_hospital(unsigned pings)
{
	for (unsigned i = 0; i < 6; i++) {
		stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
		stage->now_ms += 5 * STAGE_MINUTE_MS;
	}
	for (unsigned i = 0; i < pings; i++)
		stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
}

START_TEST(a_system_whose_rate_jumps_is_found)
{
	char rule[200];
	snprintf(rule, sizeof rule, RATE, "");
	stage_set_detection(stage, rule);
	ping_hospital(7);
	// The privacy officer asks through the same system, and is told of what the own question set off.
	ck_assert_uint_eq(alerts(PRIVACY_OFFICER)->n_alerts, 0);
	const Cpis__V1__Alert *alert =
		expect_alert("system_rate", "8 requests in 10 minutes by RXH/hospital; on average 4 before, most 4");
	ck_assert(alert->found->about_system);
}
END_TEST

// ------------------------------------------------------------------ quarantine

static const Cpis__V1__QuarantineListReply *held(void)
{
	Cpis__V1__QuarantineListRequest body = CPIS__V1__QUARANTINE_LIST_REQUEST__INIT;
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIST;
	request.quarantine_list = &body;
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	const struct stage_reply *got = stage_ask_as(stage, NATIONAL_REGISTRAR, &request);
	stage_expect_ok(got);
	return got->reply->quarantine_list;
}

#define HOLDING "  - {rule: volume, window_minutes: 60, children: 6, times: 2, peers: 99, alone: 6, severity: high, " \
		"quarantine: true, quarantine_minutes: 30}\n"

START_TEST(a_rule_holds_a_person_back_and_says_so_and_until_when)
{
	stage_set_detection(stage, HOLDING);
	// The look that sets it off is answered: the rule holds from the next one on.
	flag_children(0, 6);
	stage_expect(stage_flag(stage, NURSE, child(6)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	const Cpis__V1__Alert *alert = expect_alert("volume", SIX);
	ck_assert_uint_eq(alert->found->held_until_ms, stage->now_ms + 30 * STAGE_MINUTE_MS);
	ck_assert_uint_eq(show(alert->audit_index)->findings[0]->held_until_ms, alert->found->held_until_ms);
	const Cpis__V1__QuarantineListReply *list = held();
	ck_assert_uint_eq(list->n_entries, 1);
	ck_assert_str_eq(list->entries[0]->owner_name, "detection");
	ck_assert_str_eq(list->entries[0]->owner_uid, "");
	ck_assert_str_eq(list->entries[0]->target, stage_uid(NURSE));
	ck_assert_str_eq(list->entries[0]->reason, SIX);
	ck_assert_uint_eq(list->entries[0]->audit_index, alert->audit_index);
	// Also after a restart, and no longer than it says.
	stage_restart(stage);
	stage_expect(stage_flag(stage, NURSE, child(6)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	stage->now_ms += 30 * STAGE_MINUTE_MS;
	stage_sign_in(stage, NURSE);
	stage_expect_ok(stage_flag(stage, NURSE, child(6)));
}
END_TEST

START_TEST(a_rule_holds_a_system_back_and_not_what_a_registrar_holds)
{
	char rule[200];
	snprintf(rule, sizeof rule, RATE, ", quarantine: true, quarantine_minutes: 30");
	stage_set_detection(stage, rule);
	ping_hospital(8);
	stage_expect(stage_ping(stage, STAGE_HOSPITAL), ASID_CHECK_FAILED, "system_quarantined");
	const Cpis__V1__QuarantineListReply *list = held();
	ck_assert_uint_eq(list->n_entries, 1);
	ck_assert_str_eq(list->entries[0]->target, "RXH/hospital");
	uint64_t index = list->entries[0]->audit_index;
	// What is refused counts on, and does not hold anew what is held.
	stage->now_ms += 10 * STAGE_MINUTE_MS;
	for (unsigned i = 0; i < 20; i++)
		stage_expect(stage_ping(stage, STAGE_HOSPITAL), ASID_CHECK_FAILED, "system_quarantined");
	list = held();
	ck_assert_uint_eq(list->n_entries, 1);
	ck_assert_uint_eq(list->entries[0]->audit_index, index);
}
END_TEST

// ------------------------------------------------------------------ with its record, or not at all

START_TEST(a_restart_remembers_what_the_log_says)
{
	stage_set_detection(stage, VOLUME);
	flag_children(0, 5);
	stage_restart(stage);
	ck_assert_uint_eq(count(), 0);
	flag_children(5, 6);
	expect_alert("volume", SIX);
	// And what was found already.
	stage_restart(stage);
	flag_children(6, 12);
	ck_assert_uint_eq(count(), 1);
}
END_TEST

// Pings, until the log has so many records.
static void fill_log(uint64_t until)
{
	Cpis__V1__PingRequest body = CPIS__V1__PING_REQUEST__INIT;
	for (uint64_t size = stage_log_size(stage); size < until; size = stage_log_size(stage)) {
		for (unsigned i = 0; i < STAGE_BATCH_MAX && i < until - size; i++) {
			cpis__v1__request__init(&request);
			request.body_case = CPIS__V1__REQUEST__BODY_PING;
			request.ping = &body;
			ck_assert(stage_submit(stage, STAGE_HOSPITAL, &request));
		}
		ck_assert(stage_flush(stage));
		stage_forget(stage);
	}
	ck_assert_uint_eq(stage_log_size(stage), until);
}

START_TEST(of_the_log_the_last_8192_records_are_remembered)
{
	stage_free(stage);
	stage = stage_new_in("/dev/shm"); // where so many records are soon written
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, CONSULTANT);
	stage_sign_in(stage, PRIVACY_OFFICER);
	stage_set_detection(stage, VOLUME);
	const uint64_t first = stage_log_size(stage);
	for (unsigned i = 0; i < 5; i++) {
		stage_expect_ok(stage_flag(stage, NURSE, child(i)));
		stage_expect_ok(stage_flag(stage, CONSULTANT, child(i)));
	}
	ck_assert_uint_eq(stage_log_size(stage), first + 10);
	// The consultant's first look is the oldest record that is read; the nurse's, just before it, is forgotten.
	fill_log(first + 1 + FINDING_READ_BACK_MAX);
	stage_restart(stage);
	stage_expect_ok(stage_flag(stage, NURSE, child(5)));
	ck_assert_uint_eq(count(), 0);
	stage_expect_ok(stage_flag(stage, CONSULTANT, child(5)));
	const Cpis__V1__AlertListReply *list = alerts(PRIVACY_OFFICER);
	ck_assert_uint_eq(list->n_alerts, 1);
	ck_assert_ptr_nonnull(strstr(list->alerts[0]->found->words, "looked at 6 children in 60 minutes"));
	ck_assert_ptr_nonnull(strstr(list->alerts[0]->found->words, "peers in R0050"));
}
END_TEST

START_TEST(a_failure_at_any_call_leaves_neither_finding_nor_record)
{
	stage_set_detection(stage, HOLDING);
	flag_children(0, 5);
	uint64_t n = 1, size = stage_log_size(stage);
	for (;; n++) {
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		if (stage_flag(stage, NURSE, child(5))->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		fault_store_mend(&stage->fault);
		ck_assert_uint_eq(stage_log_size(stage), size);
		ck_assert_uint_eq(count(), 0);
		size++; // the privacy officer's question
		stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
		size++;
	}
	ck_assert_uint_gt(n, 8);
	fault_store_mend(&stage->fault);
	const Cpis__V1__Alert *alert = expect_alert("volume", SIX);
	ck_assert_uint_eq(alert->audit_index, size);
	stage_expect(stage_flag(stage, NURSE, child(6)), AUTHOR_CREDENTIALS_ERROR, "person_quarantined");
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(what_a_failed_commit_did_is_not_counted)
{
	stage_set_detection(stage, VOLUME);
	flag_children(0, 4);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(stage_flag(stage, NURSE, child(4)), SERVICE_UNAVAILABLE, "store_unavailable");
	stage_expect(stage_flag(stage, NURSE, child(5)), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	flag_children(6, 7);
	ck_assert_uint_eq(count(), 0);
	flag_children(7, 8);
	expect_alert("volume", SIX);
}
END_TEST

START_TEST(what_a_commit_did_that_lied_is_found_once)
{
	stage_set_detection(stage, VOLUME);
	flag_children(0, 5);
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(stage_flag(stage, NURSE, child(5)), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	flag_children(5, 8);
	expect_alert("volume", SIX);
}
END_TEST

START_TEST(one_batch_counts_within_itself)
{
	Cpis__V1__FlagRequest body = CPIS__V1__FLAG_REQUEST__INIT;
	stage_set_detection(stage, VOLUME);
	for (unsigned i = 0; i < 8; i++) {
		cpis__v1__request__init(&request);
		body.nhs_number = (char *)(uintptr_t)child(i);
		body.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
		request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
		request.flag = &body;
		ck_assert(stage_submit_as(stage, NURSE, &request));
	}
	ck_assert(stage_flush(stage));
	expect_alert("volume", SIX);
}
END_TEST

START_TEST(without_rules_nothing_is_found)
{
	stage_set_detection(stage, "");
	flag_children(0, 20);
	ck_assert_uint_eq(count(), 0);
}
END_TEST

static TCase *group(const char *name)
{
	TCase *tests = tcase_create(name);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("detection");
	TCase *rules = group("rules"), *durable = group("durable");
	tcase_add_test(rules, many_children_are_found_without_peers_at_the_higher_threshold);
	tcase_add_test(rules, many_children_are_found_beside_what_peers_do);
	tcase_add_test(rules, a_finding_is_made_once_in_its_window);
	tcase_add_test(rules, numbers_close_to_each_other_are_found);
	tcase_add_test(rules, numbers_that_are_none_are_found);
	tcase_add_test(rules, looks_without_a_reason_are_found_where_others_state_one);
	tcase_add_test(rules, where_few_state_a_reason_nobody_is_found_without);
	tcase_add_test(rules, looks_outside_hours_are_found_by_englands_clock);
	tcase_add_test(rules, looks_at_the_weekend_are_found);
	tcase_add_test(rules, one_child_at_two_places_far_apart_is_found);
	tcase_add_test(rules, one_child_at_two_places_nearer_or_elsewhere_or_later_is_not);
	tcase_add_test(rules, a_role_that_nobody_used_for_long_is_found);
	tcase_add_test(rules, a_look_at_the_own_household_is_found_where_the_system_says_so);
	tcase_add_test(rules, refused_and_then_allowed_about_one_child_is_found);
	tcase_add_test(rules, refused_and_allowed_long_after_is_not);
	tcase_add_test(rules, a_system_whose_rate_jumps_is_found);
	tcase_add_test(durable, a_rule_holds_a_person_back_and_says_so_and_until_when);
	tcase_add_test(durable, a_rule_holds_a_system_back_and_not_what_a_registrar_holds);
	tcase_add_test(durable, a_restart_remembers_what_the_log_says);
	tcase_add_test(durable, of_the_log_the_last_8192_records_are_remembered);
	tcase_add_test(durable, a_failure_at_any_call_leaves_neither_finding_nor_record);
	tcase_add_test(durable, what_a_failed_commit_did_is_not_counted);
	tcase_add_test(durable, what_a_commit_did_that_lied_is_found_once);
	tcase_add_test(durable, one_batch_counts_within_itself);
	tcase_add_test(durable, without_rules_nothing_is_found);
	suite_add_tcase(suite, rules);
	suite_add_tcase(suite, durable);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
