// The limits of each kind of request: at the limit it is taken, one past it is refused, and the field is named.
#include "proto/wire.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/raw.h"

static struct arena arena, packing;
static struct wire_error error;
static Cpis__V1__Request request;
static uint8_t bytes[70000];
static char nhs_number[] = "9990000018";

static void setup(void)
{
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert(arena_init(&packing, ARENA_BYTES));
	memset(bytes, 'x', sizeof bytes);
	cpis__v1__request__init(&request);
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){REQUEST_ID_BYTES, bytes};
	request.deadline_ms = 5000;
}

static void teardown(void)
{
	arena_done(&arena);
	arena_done(&packing);
}

static void expect(enum wire_status expected, const char *field)
{
	struct raw raw;
	size_t count = 0;
	arena_reset(&packing);
	const uint8_t *packed = wire_pack(&packing, &request.base, &count);
	ck_assert_ptr_nonnull(packed);
	raw.count = 0;
	raw_append(&raw, packed, count);
	enum wire_status status = raw_request(&arena, &raw, &error);
	ck_assert_msg(status == expected, "%s at %s", wire_status_text(status), error.field);
	ck_assert_str_eq(error.field, field);
	if (status != WIRE_OK && request.request_id.len == REQUEST_ID_BYTES) {
		ck_assert(error.has_request_id);
		ck_assert_mem_eq(error.request_id, request.request_id.data, REQUEST_ID_BYTES);
	}
}

static ProtobufCBinaryData data_of(size_t count)
{
	return (ProtobufCBinaryData){count, bytes};
}

// ------------------------------------------------------------------ envelope

static void ask_ping(void)
{
	static Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
}

START_TEST(takes_its_own_version_only)
{
	ask_ping();
	expect(WIRE_OK, "");
	ck_assert(!error.version_unsupported);
	request.protocol_version = 0;
	expect(WIRE_MISSING, "protocol_version");
	ck_assert(!error.version_unsupported);
	request.protocol_version = 2;
	expect(WIRE_BAD_VALUE, "protocol_version");
	ck_assert(error.version_unsupported);
	request.protocol_version = UINT32_MAX;
	expect(WIRE_BAD_VALUE, "protocol_version");
	ck_assert(error.version_unsupported);
}
END_TEST

START_TEST(takes_request_ids_of_16_bytes)
{
	ask_ping();
	request.request_id = data_of(0);
	expect(WIRE_MISSING, "request_id");
	ck_assert(!error.has_request_id);
	request.request_id = data_of(15);
	expect(WIRE_BAD_VALUE, "request_id");
	ck_assert(!error.has_request_id);
	request.request_id = data_of(17);
	expect(WIRE_BAD_VALUE, "request_id");
	ck_assert(!error.has_request_id);
}
END_TEST

START_TEST(takes_deadlines_of_1_to_60000_ms)
{
	ask_ping();
	request.deadline_ms = 0;
	expect(WIRE_MISSING, "deadline_ms");
	request.deadline_ms = 1;
	expect(WIRE_OK, "");
	request.deadline_ms = 60000;
	expect(WIRE_OK, "");
	request.deadline_ms = 60001;
	expect(WIRE_BAD_VALUE, "deadline_ms");
}
END_TEST

START_TEST(takes_tokens_up_to_1024_bytes)
{
	ask_ping();
	request.session_token = data_of(1024);
	expect(WIRE_OK, "");
	request.session_token = data_of(1025);
	expect(WIRE_BAD_VALUE, "session_token");
}
END_TEST

START_TEST(needs_a_body)
{
	expect(WIRE_MISSING, "body");
}
END_TEST

// ------------------------------------------------------------------ bodies

START_TEST(needs_a_statement_of_up_to_1024_bytes_a_signature_of_64_and_a_certificate_of_up_to_2048)
{
	Cpis__V1__SessionOpenRequest body = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	request.session_open = &body;
	expect(WIRE_MISSING, "session_open.statement");
	body.statement = data_of(1025);
	expect(WIRE_BAD_VALUE, "session_open.statement");
	body.statement = data_of(1024);
	expect(WIRE_BAD_VALUE, "session_open.signature");
	body.signature = data_of(63);
	expect(WIRE_BAD_VALUE, "session_open.signature");
	body.signature = data_of(65);
	expect(WIRE_BAD_VALUE, "session_open.signature");
	body.signature = data_of(64);
	expect(WIRE_MISSING, "session_open.staff_certificate");
	body.staff_certificate = data_of(2049);
	expect(WIRE_BAD_VALUE, "session_open.staff_certificate");
	body.staff_certificate = data_of(2048);
	expect(WIRE_OK, "");
	body.statement = data_of(1);
	body.staff_certificate = data_of(1);
	expect(WIRE_OK, "");
}
END_TEST

// A passkey's parts, each in its turn.
static void expect_passkey_limits(Cpis__V1__BrowserProof *proof, const char *field)
{
	static const struct {
		const char *name;
		size_t bytes_max;
	} parts[] = {{"authenticator_data", 512}, {"client_data_json", 1024}, {"signature", 512}};
	Cpis__V1__PasskeyAssertion passkey = CPIS__V1__PASSKEY_ASSERTION__INIT;
	ProtobufCBinaryData *const values[] = {&passkey.authenticator_data, &passkey.client_data_json, &passkey.signature};
	char place[80];
	proof->kind_case = CPIS__V1__BROWSER_PROOF__KIND_PASSKEY;
	proof->passkey = &passkey;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		snprintf(place, sizeof place, "%s.passkey.%s", field, parts[i].name);
		expect(WIRE_MISSING, place);
		*values[i] = data_of(parts[i].bytes_max + 1);
		expect(WIRE_BAD_VALUE, place);
		*values[i] = data_of(parts[i].bytes_max);
	}
	expect(WIRE_OK, "");
	proof->kind_case = CPIS__V1__BROWSER_PROOF__KIND__NOT_SET;
}

static void expect_handshake_limits(Cpis__V1__BrowserProof *proof, const char *field)
{
	Cpis__V1__TlsHandshake handshake = CPIS__V1__TLS_HANDSHAKE__INIT;
	char place[80];
	proof->kind_case = CPIS__V1__BROWSER_PROOF__KIND_HANDSHAKE;
	proof->handshake = &handshake;
	snprintf(place, sizeof place, "%s.handshake.transcript", field);
	expect(WIRE_MISSING, place);
	handshake.transcript = data_of(16385);
	expect(WIRE_BAD_VALUE, place);
	handshake.transcript = data_of(16384);
	expect(WIRE_OK, "");
}

START_TEST(a_browsers_proof_of_up_to_16384_bytes_stands_in_for_the_statements_signature)
{
	Cpis__V1__BrowserProof proof = CPIS__V1__BROWSER_PROOF__INIT;
	Cpis__V1__SessionOpenRequest body = CPIS__V1__SESSION_OPEN_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_OPEN;
	request.session_open = &body;
	body.statement = body.staff_certificate = data_of(1);
	body.browser_proof = &proof;
	expect(WIRE_MISSING, "browser_proof");
	expect_passkey_limits(&proof, "browser_proof");
	expect_handshake_limits(&proof, "browser_proof");
	// Both are one too many, and no signature is half of one.
	body.signature = data_of(64);
	expect(WIRE_BAD_VALUE, "session_open.signature");
}
END_TEST

START_TEST(a_browsers_proof_stands_in_for_an_acts_signature)
{
	Cpis__V1__BrowserProof proof = CPIS__V1__BROWSER_PROOF__INIT;
	Cpis__V1__SessionCloseRequest body = CPIS__V1__SESSION_CLOSE_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_SESSION_CLOSE;
	request.session_close = &body;
	expect(WIRE_OK, "");
	request.act_browser_proof = &proof;
	expect(WIRE_MISSING, "act_time_ms");
	request.act_time_ms = 1;
	expect(WIRE_MISSING, "browser_proof");
	expect_passkey_limits(&proof, "browser_proof");
	expect_handshake_limits(&proof, "browser_proof");
	request.act_signature = data_of(64);
	expect(WIRE_BAD_VALUE, "act_browser_proof");
	request.act_browser_proof = NULL;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(a_trace_is_a_trace_and_the_span_that_it_comes_from)
{
	static uint8_t some[TRACE_ID_BYTES + 1] = {[TRACE_PARENT_ID_BYTES - 1] = 1}, nothing[TRACE_ID_BYTES];
	Cpis__V1__PingRequest body = CPIS__V1__PING_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &body;
	request.trace_id = (ProtobufCBinaryData){TRACE_ID_BYTES, some};
	expect(WIRE_MISSING, "trace_parent_id");
	request.trace_parent_id = (ProtobufCBinaryData){TRACE_PARENT_ID_BYTES, some};
	expect(WIRE_OK, "");
	request.trace_parent_id.len = TRACE_PARENT_ID_BYTES + 1;
	expect(WIRE_BAD_VALUE, "trace_parent_id");
	request.trace_parent_id = (ProtobufCBinaryData){TRACE_PARENT_ID_BYTES, nothing};
	expect(WIRE_BAD_VALUE, "trace_parent_id");
	request.trace_parent_id.data = some;
	request.trace_id.len = TRACE_ID_BYTES + 1;
	expect(WIRE_BAD_VALUE, "trace_id");
	request.trace_id.len = TRACE_ID_BYTES - 1;
	expect(WIRE_BAD_VALUE, "trace_id");
	request.trace_id = (ProtobufCBinaryData){TRACE_ID_BYTES, nothing};
	expect(WIRE_BAD_VALUE, "trace_id");
	request.trace_id.len = 0;
	expect(WIRE_MISSING, "trace_id");
}
END_TEST

// A wrong number has its own outcome, so the codec only wants one to be there.
START_TEST(needs_an_nhs_number_in_flag_and_details_and_leaves_its_check_to_others)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	char wrong[] = "9990000019";
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	expect(WIRE_MISSING, "flag.nhs_number");
	flag.nhs_number = wrong;
	expect(WIRE_OK, "");
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	expect(WIRE_MISSING, "details.nhs_number");
	details.nhs_number = wrong;
	expect(WIRE_OK, "");
}
END_TEST

static Cpis__V1__PublishRequest publish;
static Cpis__V1__PlanRecord record;
static Cpis__V1__PlanRecord *records[PUBLISH_RECORDS_MAX + 1];
static char authority[] = "383";

static void ask_publish(void)
{
	cpis__v1__publish_request__init(&publish);
	cpis__v1__plan_record__init(&record);
	record.nhs_number = nhs_number;
	for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
		records[i] = &record;
	publish.authority = authority;
	publish.records = records;
	publish.n_records = 1;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
}

START_TEST(publishes_1_to_200_records)
{
	ask_publish();
	publish.n_records = 0;
	expect(WIRE_MISSING, "publish.records");
	publish.n_records = 1;
	expect(WIRE_OK, "");
	publish.n_records = 200;
	expect(WIRE_OK, "");
	publish.n_records = 201;
	expect(WIRE_TOO_MANY, "publish.records");
}
END_TEST

START_TEST(publishes_for_an_ods_code)
{
	static const struct {
		const char *text;
		enum wire_status status;
	} codes[] = {{"", WIRE_MISSING},       {"38", WIRE_BAD_VALUE},  {"383", WIRE_OK},
		     {"ABCDEFGHIJ12", WIRE_OK}, {"ABCDEFGHIJ123", WIRE_BAD_VALUE}, {"rxh", WIRE_BAD_VALUE},
		     {"38 3", WIRE_BAD_VALUE}};
	ask_publish();
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		char text[16];
		snprintf(text, sizeof text, "%s", codes[i].text);
		publish.authority = text;
		expect(codes[i].status, codes[i].status == WIRE_OK ? "" : "publish.authority");
	}
}
END_TEST

START_TEST(needs_the_emergency_telephone_and_takes_an_office_one)
{
	char shortest[] = "999", too_short[] = "99", longest[] = "01134960000123456789";
	char too_long[] = "011349600001234567890", words[] = "ring the office";
	Cpis__V1__ContactsSetRequest contacts = CPIS__V1__CONTACTS_SET_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SET;
	request.contacts_set = &contacts;
	contacts.emergency_duty_telephone = NULL;
	expect(WIRE_MISSING, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = too_short;
	expect(WIRE_BAD_VALUE, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = too_long;
	expect(WIRE_BAD_VALUE, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = words;
	expect(WIRE_BAD_VALUE, "contacts_set.emergency_duty_telephone");
	contacts.emergency_duty_telephone = longest;
	expect(WIRE_OK, "");
	contacts.emergency_duty_telephone = shortest;
	expect(WIRE_OK, "");
	contacts.office_hours_telephone = too_short;
	expect(WIRE_BAD_VALUE, "contacts_set.office_hours_telephone");
	contacts.office_hours_telephone = too_long;
	expect(WIRE_BAD_VALUE, "contacts_set.office_hours_telephone");
	contacts.office_hours_telephone = longest;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(shows_one_authoritys_contacts_or_those_of_all)
{
	char code[] = "383", bad[] = "38";
	Cpis__V1__ContactsShowRequest show = CPIS__V1__CONTACTS_SHOW_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_CONTACTS_SHOW;
	request.contacts_show = &show;
	expect(WIRE_OK, "");
	show.authority = code;
	expect(WIRE_OK, "");
	show.every_organisation = true;
	expect(WIRE_BAD_VALUE, "contacts_show.authority");
	show.authority = NULL;
	expect(WIRE_OK, "");
	show.after = code;
	expect(WIRE_OK, "");
	show.after = bad;
	expect(WIRE_BAD_VALUE, "contacts_show.after");
	show.after = code;
	show.every_organisation = false;
	expect(WIRE_BAD_VALUE, "contacts_show.after");
}
END_TEST

START_TEST(extracts_for_one_to_twelve_people_with_a_reason_in_words)
{
	char uid[] = "555000000001", bad[] = "55500000000", reason[] = "ten bytes.", *recipients[EXTRACT_RECIPIENTS_MAX + 1];
	uint8_t cursor[EXTRACT_CURSOR_BYTES_MAX + 1] = {0};
	Cpis__V1__ExtractReadRequest extract = CPIS__V1__EXTRACT_READ_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_EXTRACT_READ;
	request.extract_read = &extract;
	for (size_t i = 0; i <= EXTRACT_RECIPIENTS_MAX; i++)
		recipients[i] = uid;
	extract.recipients = recipients;
	extract.n_recipients = 1;
	expect(WIRE_MISSING, "extract_read.reason");
	extract.reason = reason;
	expect(WIRE_OK, "");
	extract.n_recipients = 0;
	expect(WIRE_MISSING, "extract_read.recipients");
	extract.n_recipients = EXTRACT_RECIPIENTS_MAX;
	expect(WIRE_OK, "");
	extract.n_recipients = EXTRACT_RECIPIENTS_MAX + 1;
	expect(WIRE_TOO_MANY, "extract_read.recipients");
	extract.n_recipients = 2;
	recipients[1] = bad;
	expect(WIRE_BAD_VALUE, "extract_read.recipients");
	extract.n_recipients = 1;
	extract.after = (ProtobufCBinaryData){EXTRACT_CURSOR_BYTES_MAX, cursor};
	expect(WIRE_OK, "");
	extract.after.len++;
	expect(WIRE_BAD_VALUE, "extract_read.after");
	extract.after.len = 0;
	extract.limit = PAGE_ITEMS_MAX;
	expect(WIRE_OK, "");
	extract.limit++;
	expect(WIRE_BAD_VALUE, "extract_read.limit");
}
END_TEST

START_TEST(takes_local_ids_up_to_40_bytes_in_every_record)
{
	Cpis__V1__PlanRecord last = CPIS__V1__PLAN_RECORD__INIT;
	char local_id[42];
	memset(local_id, 'x', sizeof local_id);
	ask_publish();
	last.local_id = local_id;
	publish.n_records = 3;
	records[2] = &last;
	local_id[40] = '\0';
	expect(WIRE_OK, "");
	local_id[40] = 'x';
	local_id[41] = '\0';
	expect(WIRE_BAD_TEXT, "publish.records.local_id");
}
END_TEST

// Rows are judged one by one by the broker, so that one bad row does not lose the others.
START_TEST(leaves_the_rows_of_a_publication_to_the_broker)
{
	char anything[] = "not a date";
	ask_publish();
	record.nhs_number = NULL;
	record.start_date = anything;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(lists_up_to_100_inbox_items)
{
	Cpis__V1__InboxListRequest body = CPIS__V1__INBOX_LIST_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_LIST;
	request.inbox_list = &body;
	expect(WIRE_OK, "");
	body.limit = 100;
	expect(WIRE_OK, "");
	body.limit = 101;
	expect(WIRE_BAD_VALUE, "inbox_list.limit");
	body.limit = 0;
	body.wait_ms = DEADLINE_MS_MAX; // more than is left of this request's deadline: a retry asks for the same
	expect(WIRE_OK, "");
	body.wait_ms = DEADLINE_MS_MAX + 1;
	expect(WIRE_BAD_VALUE, "inbox_list.wait_ms");
}
END_TEST

START_TEST(takes_inbox_items_for_a_second_to_an_hour)
{
	Cpis__V1__InboxTakeRequest body = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &body;
	expect(WIRE_MISSING, "inbox_take.lease_ms");
	body.lease_ms = 999;
	expect(WIRE_BAD_VALUE, "inbox_take.lease_ms");
	body.lease_ms = 3600001;
	expect(WIRE_BAD_VALUE, "inbox_take.lease_ms");
	body.lease_ms = 3600000;
	expect(WIRE_OK, "");
	body.lease_ms = 1000;
	expect(WIRE_OK, "");
	body.limit = 101;
	expect(WIRE_BAD_VALUE, "inbox_take.limit");
	body.limit = 100;
	body.wait_ms = DEADLINE_MS_MAX + 1;
	expect(WIRE_BAD_VALUE, "inbox_take.wait_ms");
	body.wait_ms = DEADLINE_MS_MAX;
	expect(WIRE_OK, "");
	body.held_id = 1;
	expect(WIRE_MISSING, "inbox_take.lease");
	body.lease = 1;
	expect(WIRE_OK, "");
	body.held_id = 0;
	expect(WIRE_MISSING, "inbox_take.lease");
}
END_TEST

START_TEST(acknowledges_1_to_100_items)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	uint64_t ids[101];
	for (size_t i = 0; i < 101; i++)
		ids[i] = i;
	body.ids = ids;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	expect(WIRE_MISSING, "inbox_acknowledge.ids");
	body.n_ids = 1;
	expect(WIRE_OK, "");
	body.n_ids = 100;
	expect(WIRE_OK, "");
	body.n_ids = 101;
	expect(WIRE_TOO_MANY, "inbox_acknowledge.ids");
}
END_TEST

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

// `words` (a member of the request's body) is needed, and has 10 characters at least.
static void expect_words(char **words, const char *field)
{
	*words = (char *)(uintptr_t)"";
	expect(WIRE_MISSING, field);
	*words = (char *)(uintptr_t)"nine char";
	expect(WIRE_BAD_VALUE, field);
	*words = (char *)(uintptr_t)"ten  chars";
	expect(WIRE_OK, "");
}

START_TEST(takes_a_reason_to_look_of_10_characters_or_none)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	flag.nhs_number = details.nhs_number = (char *)(uintptr_t)"9990000018";
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	expect(WIRE_OK, "");
	flag.reason = (char *)(uintptr_t)"too short";
	expect(WIRE_BAD_VALUE, "flag.reason");
	flag.reason = (char *)(uintptr_t)"long enough";
	expect(WIRE_OK, "");
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	expect(WIRE_OK, "");
	details.reason = (char *)(uintptr_t)"too short";
	expect(WIRE_BAD_VALUE, "details.reason");
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

START_TEST(enrols_a_named_system_with_a_code_of_16_bytes)
{
	char name[SYSTEM_NAME_BYTES_MAX + 2];
	Cpis__V1__EnrolRequest body = CPIS__V1__ENROL_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL;
	request.enrol = &body;
	expect(WIRE_MISSING, "enrol.code");
	body.code = data_of(ENROLMENT_CODE_BYTES + 1);
	expect(WIRE_BAD_VALUE, "enrol.code");
	body.code.len--;
	expect(WIRE_MISSING, "enrol.organisation");
	body.organisation = (char *)(uintptr_t)"RX";
	expect(WIRE_BAD_VALUE, "enrol.organisation");
	body.organisation = (char *)(uintptr_t)"RXH";
	expect(WIRE_MISSING, "enrol.system_name");
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	body.system_name = name;
	expect(WIRE_BAD_VALUE, "enrol.system_name");
	body.system_name++;
	expect(WIRE_OK, "");
}
END_TEST

START_TEST(invites_and_withdraws_a_named_system_with_a_reason)
{
	Cpis__V1__EnrolInviteRequest invite = CPIS__V1__ENROL_INVITE_REQUEST__INIT;
	Cpis__V1__EnrolWithdrawRequest withdraw = CPIS__V1__ENROL_WITHDRAW_REQUEST__INIT;
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_INVITE;
	request.enrol_invite = &invite;
	invite.organisation = withdraw.organisation = (char *)(uintptr_t)"RXH";
	invite.system_name = withdraw.system_name = (char *)(uintptr_t)"ed";
	expect(WIRE_MISSING, "enrol.code_sha256");
	invite.code_sha256 = data_of(HASH_BYTES - 1);
	expect(WIRE_BAD_VALUE, "enrol.code_sha256");
	invite.code_sha256.len++;
	expect(WIRE_MISSING, "enrol.until_ms");
	invite.until_ms = 1;
	expect_words(&invite.reason, "enrol.reason");
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_WITHDRAW;
	request.enrol_withdraw = &withdraw;
	expect_words(&withdraw.reason, "enrol.reason");
}
END_TEST

// ------------------------------------------------------------------ size

START_TEST(takes_65503_bytes_and_not_one_more)
{
	char text[TEXT_BYTES_MAX + 1];
	memset(text, 'x', TEXT_BYTES_MAX);
	text[TEXT_BYTES_MAX] = '\0';
	ask_publish();
	publish.n_records = PUBLISH_RECORDS_MAX;
	record.nhs_number = text;
	// The rows get close and the token makes up the rest: 3 bytes of tag and length, 128 to 1,024 of its own.
	for (size_t length = TEXT_BYTES_MAX; length > 0; length--) {
		record.start_date = text + TEXT_BYTES_MAX - length;
		size_t size = protobuf_c_message_get_packed_size(&request.base) + 3;
		if (size + 128 <= MESSAGE_BYTES_MAX && size + SESSION_TOKEN_BYTES_MAX > MESSAGE_BYTES_MAX) {
			request.session_token = data_of(MESSAGE_BYTES_MAX - size);
			break;
		}
	}
	ck_assert_uint_eq(protobuf_c_message_get_packed_size(&request.base), MESSAGE_BYTES_MAX);
	expect(WIRE_OK, "");
	request.session_token.len++;
	struct raw raw = {.count = MESSAGE_BYTES_MAX + 1};
	ck_assert_uint_eq(protobuf_c_message_pack(&request.base, raw.bytes), raw.count);
	ck_assert_int_eq(raw_request(&arena, &raw, &error), WIRE_TOO_LARGE);
	// Not even looked into.
	ck_assert(!error.has_request_id);
	ck_assert_int_eq(raw_unpack(&arena, &cpis__v1__request__descriptor, &raw, &error), WIRE_TOO_LARGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire_limits");
	TCase *tcase = tcase_create("wire_limits");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, takes_its_own_version_only);
	tcase_add_test(tcase, takes_request_ids_of_16_bytes);
	tcase_add_test(tcase, takes_deadlines_of_1_to_60000_ms);
	tcase_add_test(tcase, takes_tokens_up_to_1024_bytes);
	tcase_add_test(tcase, needs_a_body);
	tcase_add_test(tcase,
		       needs_a_statement_of_up_to_1024_bytes_a_signature_of_64_and_a_certificate_of_up_to_2048);
	tcase_add_test(tcase, a_browsers_proof_of_up_to_16384_bytes_stands_in_for_the_statements_signature);
	tcase_add_test(tcase, a_browsers_proof_stands_in_for_an_acts_signature);
	tcase_add_test(tcase, a_trace_is_a_trace_and_the_span_that_it_comes_from);
	tcase_add_test(tcase, needs_an_nhs_number_in_flag_and_details_and_leaves_its_check_to_others);
	tcase_add_test(tcase, publishes_1_to_200_records);
	tcase_add_test(tcase, publishes_for_an_ods_code);
	tcase_add_test(tcase, needs_the_emergency_telephone_and_takes_an_office_one);
	tcase_add_test(tcase, takes_local_ids_up_to_40_bytes_in_every_record);
	tcase_add_test(tcase, leaves_the_rows_of_a_publication_to_the_broker);
	tcase_add_test(tcase, lists_up_to_100_inbox_items);
	tcase_add_test(tcase, takes_inbox_items_for_a_second_to_an_hour);
	tcase_add_test(tcase, acknowledges_1_to_100_items);
	tcase_add_test(tcase, holds_every_filter_of_an_audit_search);
	tcase_add_test(tcase, holds_what_an_audit_search_looks_for_in_each_record);
	tcase_add_test(tcase, takes_any_index_in_audit_show);
	tcase_add_test(tcase, takes_a_reason_to_look_of_10_characters_or_none);
	tcase_add_test(tcase, explains_a_person_a_role_and_an_operation);
	tcase_add_test(tcase, loads_policies_of_1_to_49152_bytes_with_a_reason);
	tcase_add_test(tcase, lists_up_to_100_alerts_and_reviews_one_with_a_finding_in_words);
	tcase_add_test(tcase, names_a_case_and_says_what_is_done_in_words);
	tcase_add_test(tcase, enrols_a_named_system_with_a_code_of_16_bytes);
	tcase_add_test(tcase, invites_and_withdraws_a_named_system_with_a_reason);
	tcase_add_test(tcase, extracts_for_one_to_twelve_people_with_a_reason_in_words);
	tcase_add_test(tcase, shows_one_authoritys_contacts_or_those_of_all);
	tcase_add_test(tcase, takes_65503_bytes_and_not_one_more);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
