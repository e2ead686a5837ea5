// The limits of requests about what was done and may be done: the audit log, the policy, alerts and their cases.
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/unit/proto/asked.h"

START_TEST(holds_every_filter_of_an_audit_search)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	char uid[] = "555000000001", short_uid[] = "55500000001", ods[] = "RXH", bad_ods[] = "R";
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	expect(WIRE_OK, "");
	body.uid = short_uid;
	expect(WIRE_BAD_VALUE, "audit_search.uid");
	body.uid = uid;
	body.organisation = bad_ods;
	expect(WIRE_BAD_VALUE, "audit_search.organisation");
	body.organisation = ods;
	body.limit = 101;
	expect(WIRE_BAD_VALUE, "audit_search.limit");
	body.limit = 100;
	body.from_ms = 10;
	expect(WIRE_OK, "");
	body.until_ms = 10;
	expect(WIRE_BAD_VALUE, "audit_search.until_ms");
	body.until_ms = 11;
	expect(WIRE_OK, "");
	body.before_index = body.from_index = UINT64_MAX;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(holds_what_an_audit_search_looks_for_in_each_record)
{
	Cpis__V1__AuditSearchRequest body = CPIS__V1__AUDIT_SEARCH_REQUEST__INIT;
	char name[66], reason[66], role[] = "R8001", bad_role[] = "r8001";
	memset(name, 'x', sizeof name);
	memset(reason, 'x', sizeof reason);
	name[65] = reason[65] = '\0';
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SEARCH;
	request.audit_search = &body;
	body.system_name = name;
	expect(WIRE_BAD_VALUE, "audit_search.system_name");
	name[64] = '\0';
	body.role_code = bad_role;
	expect(WIRE_BAD_VALUE, "audit_search.role_code");
	body.role_code = role;
	body.reason_code = reason;
	expect(WIRE_BAD_VALUE, "audit_search.reason_code");
	reason[64] = '\0';
	body.request_id = data_of(REQUEST_ID_BYTES + 1);
	expect(WIRE_BAD_VALUE, "audit_search.request_id");
	body.request_id = data_of(REQUEST_ID_BYTES);
	body.session_id = data_of(SESSION_ID_BYTES - 1);
	expect(WIRE_BAD_VALUE, "audit_search.session_id");
	body.session_id = data_of(SESSION_ID_BYTES);
	body.trace_id = data_of(TRACE_ID_BYTES + 1);
	expect(WIRE_BAD_VALUE, "audit_search.trace_id");
	body.trace_id = data_of(TRACE_ID_BYTES);
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(takes_any_index_in_audit_show)
{
	Cpis__V1__AuditShowRequest body = CPIS__V1__AUDIT_SHOW_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_AUDIT_SHOW;
	request.audit_show = &body;
	expect(WIRE_OK, "");
	body.index = UINT64_MAX;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(explains_a_person_a_role_and_an_operation)
{
	Cpis__V1__ExplainRequest body = CPIS__V1__EXPLAIN_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_EXPLAIN;
	request.explain = &body;
	expect(WIRE_MISSING, "explain.uid");
	body.uid = (char *)(uintptr_t)"55500000000";
	expect(WIRE_BAD_VALUE, "explain.uid");
	body.uid = (char *)(uintptr_t)"555000000001";
	expect(WIRE_MISSING, "explain.role_code");
	body.role_code = (char *)(uintptr_t)"nurse";
	expect(WIRE_BAD_VALUE, "explain.role_code");
	body.role_code = (char *)(uintptr_t)"R8001";
	expect(WIRE_MISSING, "explain.operation");
	body.operation = CPIS__V1__OPERATION__DETAILS;
	expect(WIRE_OK, "");
	body.organisation = (char *)(uintptr_t)"rxh";
	expect(WIRE_BAD_VALUE, "explain.organisation");
	body.organisation = (char *)(uintptr_t)"RXH";
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(loads_policies_of_1_to_49152_bytes_with_a_reason)
{
	Cpis__V1__PolicyLoadRequest body = CPIS__V1__POLICY_LOAD_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_POLICY_LOAD;
	request.policy_load = &body;
	expect(WIRE_MISSING, "policy_load.policy");
	body.policy = data_of(POLICY_BYTES_MAX);
	expect_words(&body.reason, "policy_load.reason");
	body.policy = data_of(POLICY_BYTES_MAX + 1);
	expect(WIRE_BAD_VALUE, "policy_load.policy");
}
END_TEST

START_TEST(lists_up_to_100_alerts_and_reviews_one_with_a_finding_in_words)
{
	Cpis__V1__AlertListRequest list = CPIS__V1__ALERT_LIST_REQUEST__INIT;
	Cpis__V1__AlertReviewRequest body = CPIS__V1__ALERT_REVIEW_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_LIST;
	request.alert_list = &list;
	list.limit = PAGE_ITEMS_MAX;
	expect(WIRE_OK, "");
	list.limit++;
	expect(WIRE_BAD_VALUE, "alert_list.limit");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_REVIEW;
	request.alert_review = &body;
	expect(WIRE_MISSING, "alert_review.id");
	body.id = 1;
	expect(WIRE_MISSING, "alert_review.finding");
	body.finding = CPIS__V1__ALERT_FINDING__BREACH;
	expect_words(&body.words, "alert_review.words");
}
END_TEST

START_TEST(names_a_case_and_says_what_is_done_in_words)
{
	Cpis__V1__AlertShowRequest show = CPIS__V1__ALERT_SHOW_REQUEST__INIT;
	Cpis__V1__AlertAssignRequest assign = CPIS__V1__ALERT_ASSIGN_REQUEST__INIT;
	Cpis__V1__AlertNoteRequest note = CPIS__V1__ALERT_NOTE_REQUEST__INIT;
	Cpis__V1__AlertCloseRequest close = CPIS__V1__ALERT_CLOSE_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_SHOW;
	request.alert_show = &show;
	expect(WIRE_MISSING, "alert_show.id");
	show.id = 1;
	expect(WIRE_OK, "");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_ASSIGN;
	request.alert_assign = &assign;
	expect(WIRE_MISSING, "alert_assign.id");
	assign.id = 1;
	expect(WIRE_MISSING, "alert_assign.uid");
	assign.uid = (char *)(uintptr_t) "55500000001";
	expect(WIRE_BAD_VALUE, "alert_assign.uid");
	assign.uid = (char *)(uintptr_t) "555000000001";
	expect(WIRE_OK, "");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_NOTE;
	request.alert_note = &note;
	expect(WIRE_MISSING, "alert_note.id");
	note.id = 1;
	expect_words(&note.words, "alert_note.words");
	request.body_case = CPIS__V1__REQUEST__BODY_ALERT_CLOSE;
	request.alert_close = &close;
	expect(WIRE_MISSING, "alert_close.id");
	close.id = 1;
	expect_words(&close.words, "alert_close.words");
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, holds_every_filter_of_an_audit_search);
	tcase_add_test(tests, holds_what_an_audit_search_looks_for_in_each_record);
	tcase_add_test(tests, takes_any_index_in_audit_show);
	tcase_add_test(tests, explains_a_person_a_role_and_an_operation);
	tcase_add_test(tests, loads_policies_of_1_to_49152_bytes_with_a_reason);
	tcase_add_test(tests, lists_up_to_100_alerts_and_reviews_one_with_a_finding_in_words);
	tcase_add_test(tests, names_a_case_and_says_what_is_done_in_words);
}

int main(void)
{
	return suite_run_group("wire_limits_oversight", asked_setup, asked_teardown, 0, add);
}
