// The limits of each kind of reply: a client does not trust its broker's bytes either.
#include "proto/wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/raw.h"

#define MANY 201

static struct arena arena, packing;
static struct wire_error error;
static Cpis__V1__Reply reply;
static Cpis__V1__Receipt receipt;
static ProtobufCBinaryData path[INCLUSION_PATH_MAX + 1];
static uint8_t bytes[2048];
static char checkpoint[] = "cpis.example/audit\n1\nroot\n\n\xE2\x80\x94 cpis.example/audit signature\n";

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert(arena_init(&packing, ARENA_BYTES));
	memset(bytes, 'x', sizeof bytes);
	cpis__v1__receipt__init(&receipt);
	receipt.salt = (ProtobufCBinaryData){SALT_BYTES, bytes};
	receipt.record = (ProtobufCBinaryData){1, bytes};
	receipt.checkpoint = checkpoint;
	receipt.path = path;
	for (size_t i = 0; i < sizeof path / sizeof path[0]; i++)
		path[i] = (ProtobufCBinaryData){HASH_BYTES, bytes};
	cpis__v1__reply__init(&reply);
	reply.protocol_version = PROTOCOL_VERSION;
	reply.request_id = (ProtobufCBinaryData){REQUEST_ID_BYTES, bytes};
	reply.outcome = CPIS__V1__OUTCOME__OK;
	reply.receipt = &receipt;
}

static void teardown(void)
{
	arena_done(&arena);
	arena_done(&packing);
}

static void expect(enum wire_status expected, const char *field)
{
	Cpis__V1__Reply *decoded = NULL;
	size_t count = 0;
	arena_reset(&packing);
	arena_reset(&arena);
	const uint8_t *packed = wire_pack(&packing, &reply.base, &count);
	ck_assert_ptr_nonnull(packed);
	enum wire_status status = wire_reply_decode(&arena, packed, count, &decoded, &error);
	ck_assert_msg(status == expected, "%s at %s", wire_status_text(status), error.field);
	ck_assert_str_eq(error.field, field);
	ck_assert_int_eq(status, error.status);
	ck_assert_int_eq(status == WIRE_OK, decoded != NULL);
}

static void answer_ping(void)
{
	static Cpis__V1__PingReply ping = CPIS__V1__PING_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_PING;
	reply.ping = &ping;
}

// As many pointers to one empty message as a repeated field wants.
#define REPEAT(type, init)                                                                           \
	static type element = init;                                                                  \
	static type *elements[MANY];                                                                 \
	for (size_t i = 0; i < MANY; i++)                                                            \
	elements[i] = &element

// ------------------------------------------------------------------ envelope

START_TEST(takes_its_own_version_only)
{
	answer_ping();
	expect(WIRE_OK, "");
	reply.protocol_version = 0;
	expect(WIRE_BAD_VALUE, "protocol_version");
	reply.protocol_version = 2;
	expect(WIRE_BAD_VALUE, "protocol_version");
}
END_TEST

START_TEST(takes_request_ids_of_16_bytes_or_none)
{
	answer_ping();
	reply.request_id.len = 0;
	expect(WIRE_OK, "");
	reply.request_id.len = 15;
	expect(WIRE_BAD_VALUE, "request_id");
	reply.request_id.len = 17;
	expect(WIRE_BAD_VALUE, "request_id");
}
END_TEST

START_TEST(needs_an_outcome)
{
	reply.outcome = CPIS__V1__OUTCOME__OUTCOME_UNSPECIFIED;
	expect(WIRE_MISSING, "outcome");
}
END_TEST

START_TEST(takes_tokens_up_to_1024_bytes)
{
	answer_ping();
	reply.session_token = (ProtobufCBinaryData){1024, bytes};
	expect(WIRE_OK, "");
	reply.session_token.len = 1025;
	expect(WIRE_BAD_VALUE, "session_token");
}
END_TEST

START_TEST(has_a_body_with_ok_and_with_nothing_else)
{
	expect(WIRE_BAD_VALUE, "body");
	answer_ping();
	expect(WIRE_OK, "");
	for (int outcome = 2; outcome <= 15; outcome++) {
		reply.outcome = (Cpis__V1__Outcome)outcome;
		answer_ping();
		expect(WIRE_BAD_VALUE, "body");
		reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
		expect(WIRE_OK, "");
	}
}
END_TEST

START_TEST(has_a_receipt_with_every_outcome_but_service_unavailable)
{
	answer_ping();
	reply.receipt = NULL;
	expect(WIRE_MISSING, "receipt");
	reply.body_case = CPIS__V1__REPLY__BODY__NOT_SET;
	for (int outcome = 2; outcome <= 15; outcome++) {
		reply.outcome = (Cpis__V1__Outcome)outcome;
		if (reply.outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE)
			expect(WIRE_OK, "");
		else
			expect(WIRE_MISSING, "receipt");
	}
	// And then nothing else either.
	reply.outcome = CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE;
	reply.session_token = (ProtobufCBinaryData){8, bytes};
	expect(WIRE_BAD_VALUE, "session_token");
}
END_TEST

// ------------------------------------------------------------------ receipt

START_TEST(holds_the_receipt_to_its_sizes)
{
	answer_ping();
	receipt.salt.len = 15;
	expect(WIRE_BAD_VALUE, "receipt.salt");
	receipt.salt.len = 17;
	expect(WIRE_BAD_VALUE, "receipt.salt");
	receipt.salt.len = 16;
	receipt.record.len = 0;
	expect(WIRE_MISSING, "receipt.record");
	receipt.record.len = 1;
	receipt.n_path = 63;
	expect(WIRE_OK, "");
	receipt.n_path = 64;
	expect(WIRE_TOO_MANY, "receipt.path");
	receipt.n_path = 63;
	path[62].len = 31;
	expect(WIRE_BAD_VALUE, "receipt.path");
	path[62].len = 33;
	expect(WIRE_BAD_VALUE, "receipt.path");
	path[62].len = 0;
	expect(WIRE_BAD_VALUE, "receipt.path");
}
END_TEST

START_TEST(takes_checkpoints_of_1_to_4608_bytes_in_lines)
{
	char text[4610];
	answer_ping();
	memset(text, 'x', sizeof text);
	text[500] = '\n';
	text[4608] = '\0';
	receipt.checkpoint = text;
	expect(WIRE_OK, "");
	text[4608] = '\n';
	text[4609] = '\0';
	expect(WIRE_BAD_TEXT, "receipt.checkpoint");
	text[4608] = '\0';
	text[7] = '\r';
	expect(WIRE_BAD_TEXT, "receipt.checkpoint");
	receipt.checkpoint = NULL;
	expect(WIRE_MISSING, "receipt.checkpoint");
}
END_TEST

// ------------------------------------------------------------------ bodies

START_TEST(session_open_has_up_to_32_activities_and_a_token_of_up_to_1024_bytes)
{
	Cpis__V1__SessionOpenReply body = CPIS__V1__SESSION_OPEN_REPLY__INIT;
	char *activities[33], code[] = "B0107";
	for (size_t i = 0; i < 33; i++)
		activities[i] = code;
	reply.body_case = CPIS__V1__REPLY__BODY_SESSION_OPEN;
	reply.session_open = &body;
	body.session_token = (ProtobufCBinaryData){1024, bytes};
	body.activities = activities;
	body.n_activities = 32;
	expect(WIRE_OK, "");
	body.n_activities = 33;
	expect(WIRE_TOO_MANY, "session_open.activities");
	body.n_activities = 32;
	body.session_token.len = 1025;
	expect(WIRE_BAD_VALUE, "session_open.session_token");
}
END_TEST

START_TEST(details_has_up_to_32_plans)
{
	REPEAT(Cpis__V1__Plan, CPIS__V1__PLAN__INIT);
	Cpis__V1__DetailsReply body = CPIS__V1__DETAILS_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_DETAILS;
	reply.details = &body;
	body.plans = elements;
	body.n_plans = 32;
	expect(WIRE_OK, "");
	body.n_plans = 33;
	expect(WIRE_TOO_MANY, "details.plans");
}
END_TEST

START_TEST(details_has_up_to_25_accesses)
{
	REPEAT(Cpis__V1__Access, CPIS__V1__ACCESS__INIT);
	Cpis__V1__DetailsReply body = CPIS__V1__DETAILS_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_DETAILS;
	reply.details = &body;
	body.accesses = elements;
	body.n_accesses = 25;
	expect(WIRE_OK, "");
	body.n_accesses = 26;
	expect(WIRE_TOO_MANY, "details.accesses");
}
END_TEST

START_TEST(publish_rejects_up_to_200_records)
{
	REPEAT(Cpis__V1__RecordOutcome, CPIS__V1__RECORD_OUTCOME__INIT);
	Cpis__V1__PublishReply body = CPIS__V1__PUBLISH_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_PUBLISH;
	reply.publish = &body;
	body.rejected = elements;
	body.n_rejected = 200;
	expect(WIRE_OK, "");
	body.n_rejected = 201;
	expect(WIRE_TOO_MANY, "publish.rejected");
}
END_TEST

START_TEST(inbox_list_has_up_to_100_items)
{
	REPEAT(Cpis__V1__InboxItem, CPIS__V1__INBOX_ITEM__INIT);
	Cpis__V1__InboxListReply body = CPIS__V1__INBOX_LIST_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_INBOX_LIST;
	reply.inbox_list = &body;
	body.items = elements;
	body.n_items = 100;
	expect(WIRE_OK, "");
	body.n_items = 101;
	expect(WIRE_TOO_MANY, "inbox_list.items");
}
END_TEST

START_TEST(a_notification_has_up_to_3_plan_types)
{
	Cpis__V1__InboxListReply body = CPIS__V1__INBOX_LIST_REPLY__INIT;
	Cpis__V1__InboxItem first = CPIS__V1__INBOX_ITEM__INIT, second = first, *items[] = {&first, &second};
	Cpis__V1__AccessNotification access = CPIS__V1__ACCESS_NOTIFICATION__INIT;
	Cpis__V1__PlanType types[] = {CPIS__V1__PLAN_TYPE__CPP, CPIS__V1__PLAN_TYPE__LAC, CPIS__V1__PLAN_TYPE__UCPP,
				      CPIS__V1__PLAN_TYPE__CPP};
	reply.body_case = CPIS__V1__REPLY__BODY_INBOX_LIST;
	reply.inbox_list = &body;
	body.items = items;
	body.n_items = 2;
	second.kind_case = CPIS__V1__INBOX_ITEM__KIND_ACCESS;
	second.access = &access;
	access.plan_types = types;
	access.n_plan_types = 3;
	expect(WIRE_OK, "");
	access.n_plan_types = 4;
	expect(WIRE_TOO_MANY, "items.access.plan_types");
}
END_TEST

// The items of a take are those of a list.
START_TEST(a_digest_has_up_to_100_notifications_and_a_take_up_to_100_items)
{
	REPEAT(Cpis__V1__AccessNotification, CPIS__V1__ACCESS_NOTIFICATION__INIT);
	Cpis__V1__InboxTakeReply body = CPIS__V1__INBOX_TAKE_REPLY__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT, *items[101];
	Cpis__V1__AccessDigest digest = CPIS__V1__ACCESS_DIGEST__INIT;
	Cpis__V1__InactiveNumberNotice inactive = CPIS__V1__INACTIVE_NUMBER_NOTICE__INIT;
	Cpis__V1__PlanType types[] = {CPIS__V1__PLAN_TYPE__CPP, CPIS__V1__PLAN_TYPE__LAC, CPIS__V1__PLAN_TYPE__UCPP,
				      CPIS__V1__PLAN_TYPE__CPP};
	for (size_t i = 0; i < 101; i++)
		items[i] = &item;
	reply.body_case = CPIS__V1__REPLY__BODY_INBOX_TAKE;
	reply.inbox_take = &body;
	body.items = items;
	body.n_items = 101;
	expect(WIRE_TOO_MANY, "inbox_take.items");
	body.n_items = 1;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_DIGEST;
	item.digest = &digest;
	digest.accesses = elements;
	digest.n_accesses = 100;
	expect(WIRE_OK, "");
	digest.n_accesses = 101;
	expect(WIRE_TOO_MANY, "items.digest.accesses");
	digest.n_accesses = 1;
	elements[0]->plan_types = types;
	elements[0]->n_plan_types = 4;
	expect(WIRE_TOO_MANY, "items.digest.accesses.plan_types");
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER;
	item.inactive_number = &inactive;
	inactive.plan_types = types;
	inactive.n_plan_types = 4;
	expect(WIRE_TOO_MANY, "items.inactive_number.plan_types");
	inactive.n_plan_types = 3;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(audit_search_has_up_to_100_entries)
{
	REPEAT(Cpis__V1__AuditEntry, CPIS__V1__AUDIT_ENTRY__INIT);
	Cpis__V1__AuditSearchReply body = CPIS__V1__AUDIT_SEARCH_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_AUDIT_SEARCH;
	reply.audit_search = &body;
	body.entries = elements;
	body.n_entries = 100;
	expect(WIRE_OK, "");
	body.n_entries = 101;
	expect(WIRE_TOO_MANY, "audit_search.entries");
}
END_TEST

START_TEST(audit_show_has_an_opened_entry_and_its_proof)
{
	Cpis__V1__AuditShowReply body = CPIS__V1__AUDIT_SHOW_REPLY__INIT;
	Cpis__V1__AuditEntry entry = CPIS__V1__AUDIT_ENTRY__INIT;
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	Cpis__V1__Receipt proof = receipt;
	reply.body_case = CPIS__V1__REPLY__BODY_AUDIT_SHOW;
	reply.audit_show = &body;
	body.proof = &proof;
	expect(WIRE_MISSING, "audit_show.entry");
	body.entry = &entry;
	expect(WIRE_MISSING, "audit_show.entry");
	entry.detail = &detail;
	expect(WIRE_OK, "");
	proof.salt.len = 1;
	expect(WIRE_BAD_VALUE, "audit_show.proof.salt");
	proof.salt.len = SALT_BYTES;
	proof.checkpoint = NULL;
	expect(WIRE_MISSING, "audit_show.proof.checkpoint");
	body.proof = NULL;
	expect(WIRE_MISSING, "audit_show.proof");
}
END_TEST

START_TEST(an_explanation_has_up_to_16_steps)
{
	REPEAT(Cpis__V1__ExplainStep, CPIS__V1__EXPLAIN_STEP__INIT);
	Cpis__V1__ExplainReply body = CPIS__V1__EXPLAIN_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_EXPLAIN;
	reply.explain = &body;
	body.steps = elements;
	body.n_steps = 16;
	expect(WIRE_OK, "");
	body.n_steps = 17;
	expect(WIRE_TOO_MANY, "explain.steps");
}
END_TEST

START_TEST(a_policy_shown_has_up_to_49152_bytes)
{
	static uint8_t large[POLICY_BYTES_MAX + 1];
	Cpis__V1__PolicyShowReply body = CPIS__V1__POLICY_SHOW_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_POLICY_SHOW;
	reply.policy_show = &body;
	body.policy = (ProtobufCBinaryData){POLICY_BYTES_MAX, large};
	expect(WIRE_OK, "");
	body.policy.len++;
	expect(WIRE_BAD_VALUE, "policy_show.policy");
}
END_TEST

START_TEST(a_policy_loaded_has_up_to_100_examples)
{
	static char *examples[101];
	Cpis__V1__PolicyLoadReply body = CPIS__V1__POLICY_LOAD_REPLY__INIT;
	for (size_t i = 0; i < 101; i++)
		examples[i] = (char *)(uintptr_t)"x";
	reply.body_case = CPIS__V1__REPLY__BODY_POLICY_LOAD;
	reply.policy_load = &body;
	body.examples = examples;
	body.n_examples = 100;
	expect(WIRE_OK, "");
	body.n_examples = 101;
	expect(WIRE_TOO_MANY, "policy_load.examples");
}
END_TEST

START_TEST(alert_list_has_up_to_100_alerts)
{
	REPEAT(Cpis__V1__Alert, CPIS__V1__ALERT__INIT);
	Cpis__V1__AlertListReply body = CPIS__V1__ALERT_LIST_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_ALERT_LIST;
	reply.alert_list = &body;
	body.alerts = elements;
	body.n_alerts = 100;
	expect(WIRE_OK, "");
	body.n_alerts = 101;
	expect(WIRE_TOO_MANY, "alert_list.alerts");
}
END_TEST

START_TEST(a_case_has_an_alert_with_up_to_64_steps)
{
	REPEAT(Cpis__V1__AlertStep, CPIS__V1__ALERT_STEP__INIT);
	Cpis__V1__Alert alert = CPIS__V1__ALERT__INIT;
	Cpis__V1__AlertShowReply body = CPIS__V1__ALERT_SHOW_REPLY__INIT;
	Cpis__V1__AlertAssignReply assigned = CPIS__V1__ALERT_ASSIGN_REPLY__INIT;
	Cpis__V1__AlertNoteReply noted = CPIS__V1__ALERT_NOTE_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_ALERT_SHOW;
	reply.alert_show = &body;
	expect(WIRE_MISSING, "alert_show.alert");
	body.alert = &alert;
	alert.steps = elements;
	alert.n_steps = ALERT_STEPS_MAX;
	expect(WIRE_OK, "");
	alert.n_steps++;
	expect(WIRE_TOO_MANY, "alert_show.alert.steps");
	reply.body_case = CPIS__V1__REPLY__BODY_ALERT_ASSIGN;
	reply.alert_assign = &assigned;
	expect(WIRE_MISSING, "alert_assign.alert");
	reply.body_case = CPIS__V1__REPLY__BODY_ALERT_NOTE;
	reply.alert_note = &noted;
	expect(WIRE_MISSING, "alert_note.alert");
}
END_TEST

START_TEST(a_record_has_up_to_16_findings)
{
	REPEAT(Cpis__V1__Finding, CPIS__V1__FINDING__INIT);
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	Cpis__V1__AuditEntry entry = CPIS__V1__AUDIT_ENTRY__INIT;
	Cpis__V1__Receipt proof = CPIS__V1__RECEIPT__INIT;
	Cpis__V1__AuditShowReply body = CPIS__V1__AUDIT_SHOW_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_AUDIT_SHOW;
	reply.audit_show = &body;
	body.entry = &entry;
	body.proof = &proof;
	entry.detail = &detail;
	detail.findings = elements;
	detail.n_findings = FINDINGS_MAX + 1;
	expect(WIRE_TOO_MANY, "audit_show.entry.detail.findings");
}
END_TEST

START_TEST(a_browsers_proof_in_a_record_is_one)
{
	static uint8_t long_one[TRANSCRIPT_BYTES_MAX + 1];
	Cpis__V1__TlsHandshake handshake = CPIS__V1__TLS_HANDSHAKE__INIT;
	Cpis__V1__BrowserProof kept = CPIS__V1__BROWSER_PROOF__INIT;
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	Cpis__V1__AuditEntry entry = CPIS__V1__AUDIT_ENTRY__INIT;
	Cpis__V1__Receipt proof = receipt;
	Cpis__V1__AuditShowReply body = CPIS__V1__AUDIT_SHOW_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_AUDIT_SHOW;
	reply.audit_show = &body;
	body.entry = &entry;
	body.proof = &proof;
	entry.detail = &detail;
	detail.act_browser_proof = &kept;
	detail.proof = CPIS__V1__PROOF_KIND__BROWSER_CERTIFICATE;
	expect(WIRE_MISSING, "browser_proof");
	kept.kind_case = CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE;
	kept.handshake = &handshake;
	handshake.transcript = (ProtobufCBinaryData){TRANSCRIPT_BYTES_MAX + 1, long_one};
	expect(WIRE_BAD_VALUE, "browser_proof.handshake.transcript");
	handshake.transcript.len--;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(an_enrolment_has_a_key_of_32_bytes_or_none_and_a_certificate_of_up_to_2048)
{
	static uint8_t large[SYSTEM_CERTIFICATE_BYTES_MAX + 1];
	REPEAT(Cpis__V1__Enrolment, CPIS__V1__ENROLMENT__INIT);
	Cpis__V1__EnrolListReply body = CPIS__V1__ENROL_LIST_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_ENROL_LIST;
	reply.enrol_list = &body;
	body.enrolments = elements;
	body.n_enrolments = 100;
	expect(WIRE_OK, "");
	elements[99]->public_key = (ProtobufCBinaryData){32, large};
	expect(WIRE_OK, "");
	elements[99]->public_key.len = 31;
	expect(WIRE_BAD_VALUE, "enrol_list.enrolments.public_key");
	elements[99]->public_key.len = 0;
	body.n_enrolments = 101;
	expect(WIRE_TOO_MANY, "enrol_list.enrolments");
	Cpis__V1__EnrolReply enrol = CPIS__V1__ENROL_REPLY__INIT;
	reply.body_case = CPIS__V1__REPLY__BODY_ENROL;
	reply.enrol = &enrol;
	enrol.certificate = (ProtobufCBinaryData){SYSTEM_CERTIFICATE_BYTES_MAX, large};
	expect(WIRE_OK, "");
	enrol.certificate.len++;
	expect(WIRE_BAD_VALUE, "enrol.certificate");
}
END_TEST

START_TEST(takes_65503_bytes_and_not_one_more)
{
	static uint8_t large[70000], packed[70000];
	answer_ping();
	receipt.record = (ProtobufCBinaryData){65000, large};
	receipt.record.len += MESSAGE_BYTES_MAX - protobuf_c_message_get_packed_size(&reply.base);
	ck_assert_uint_eq(protobuf_c_message_get_packed_size(&reply.base), MESSAGE_BYTES_MAX);
	expect(WIRE_OK, "");
	receipt.record.len++;
	Cpis__V1__Reply *decoded = NULL;
	size_t count = protobuf_c_message_pack(&reply.base, packed);
	ck_assert_int_eq(wire_reply_decode(&arena, packed, count, &decoded, &error), WIRE_TOO_LARGE);
	ck_assert_ptr_null(decoded);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_reply_limits");
	TCase *tcase = tcase_create("wire_reply_limits");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, takes_its_own_version_only);
	tcase_add_test(tcase, takes_request_ids_of_16_bytes_or_none);
	tcase_add_test(tcase, needs_an_outcome);
	tcase_add_test(tcase, takes_tokens_up_to_1024_bytes);
	tcase_add_test(tcase, has_a_body_with_ok_and_with_nothing_else);
	tcase_add_test(tcase, has_a_receipt_with_every_outcome_but_service_unavailable);
	tcase_add_test(tcase, holds_the_receipt_to_its_sizes);
	tcase_add_test(tcase, takes_checkpoints_of_1_to_4608_bytes_in_lines);
	tcase_add_test(tcase, session_open_has_up_to_32_activities_and_a_token_of_up_to_1024_bytes);
	tcase_add_test(tcase, details_has_up_to_32_plans);
	tcase_add_test(tcase, details_has_up_to_25_accesses);
	tcase_add_test(tcase, publish_rejects_up_to_200_records);
	tcase_add_test(tcase, inbox_list_has_up_to_100_items);
	tcase_add_test(tcase, a_notification_has_up_to_3_plan_types);
	tcase_add_test(tcase, a_digest_has_up_to_100_notifications_and_a_take_up_to_100_items);
	tcase_add_test(tcase, audit_search_has_up_to_100_entries);
	tcase_add_test(tcase, audit_show_has_an_opened_entry_and_its_proof);
	tcase_add_test(tcase, an_explanation_has_up_to_16_steps);
	tcase_add_test(tcase, a_policy_shown_has_up_to_49152_bytes);
	tcase_add_test(tcase, a_policy_loaded_has_up_to_100_examples);
	tcase_add_test(tcase, alert_list_has_up_to_100_alerts);
	tcase_add_test(tcase, a_case_has_an_alert_with_up_to_64_steps);
	tcase_add_test(tcase, a_record_has_up_to_16_findings);
	tcase_add_test(tcase, a_browsers_proof_in_a_record_is_one);
	tcase_add_test(tcase, an_enrolment_has_a_key_of_32_bytes_or_none_and_a_certificate_of_up_to_2048);
	tcase_add_test(tcase, takes_65503_bytes_and_not_one_more);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
