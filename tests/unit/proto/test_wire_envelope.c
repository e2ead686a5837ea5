// The limits of what every request says, and of those that say who asks: sessions, browsers' proofs, enrolment.
#include <stdio.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/unit/proto/asked.h"

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

static void add(TCase *tests)
{
	tcase_add_test(tests, takes_its_own_version_only);
	tcase_add_test(tests, takes_request_ids_of_16_bytes);
	tcase_add_test(tests, takes_deadlines_of_1_to_60000_ms);
	tcase_add_test(tests, takes_tokens_up_to_1024_bytes);
	tcase_add_test(tests, needs_a_body);
	tcase_add_test(tests, needs_a_statement_of_up_to_1024_bytes_a_signature_of_64_and_a_certificate_of_up_to_2048);
	tcase_add_test(tests, a_browsers_proof_of_up_to_16384_bytes_stands_in_for_the_statements_signature);
	tcase_add_test(tests, a_browsers_proof_stands_in_for_an_acts_signature);
	tcase_add_test(tests, a_trace_is_a_trace_and_the_span_that_it_comes_from);
	tcase_add_test(tests, enrols_a_named_system_with_a_code_of_16_bytes);
	tcase_add_test(tests, invites_and_withdraws_a_named_system_with_a_reason);
}

int main(void)
{
	return suite_run_group("wire_envelope", asked_setup, asked_teardown, 0, add);
}
