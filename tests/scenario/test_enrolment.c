// Scenarios of enrolment: an invitation, the key that comes with its code, the certificate that is handed out; who may invite
// whom; and that a stranger gets nothing else and learns nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/digest.h"
#include "broker/enrolments.h"
#include "certs/public_key.h"
#include "tests/harness/stage.h"

#define WHY "new record system of the emergency department"

static struct stage *stage;
static uint8_t code[ENROLMENT_CODE_BYTES] = {1, 2, 3}, other_code[ENROLMENT_CODE_BYTES] = {4, 5, 6};
static uint8_t code_sha256[HASH_BYTES];
static Cpis__V1__EnrolRequest enrol_body;
static Cpis__V1__EnrolInviteRequest invite_body;
static Cpis__V1__EnrolListRequest list_body;
static Cpis__V1__EnrolWithdrawRequest withdraw_body;
static Cpis__V1__Request request;

static void raise_curtain(void)
{
	static const enum stage_person cast[] = {NURSE, LEEDS_WORKER, REVIEWER, REGISTRAR, NATIONAL_REGISTRAR};
	stage = stage_new();
	for (size_t i = 0; i < sizeof cast / sizeof cast[0]; i++)
		stage_sign_in(stage, cast[i]);
}

static void drop_curtain(void)
{
	stage_free(stage);
}

static char *text(const char *from)
{
	return (char *)(uintptr_t)from;
}

static Cpis__V1__Request *invite_request(const uint8_t *with_code, const char *organisation, const char *name,
					 uint64_t until_ms)
{
	cpis__v1__enrol_invite_request__init(&invite_body);
	cpis__v1__request__init(&request);
	digest_sha256(with_code, ENROLMENT_CODE_BYTES, code_sha256);
	invite_body.code_sha256 = (ProtobufCBinaryData){sizeof code_sha256, code_sha256};
	invite_body.organisation = text(organisation);
	invite_body.system_name = text(name);
	invite_body.until_ms = until_ms;
	invite_body.reason = text(WHY);
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_INVITE;
	request.enrol_invite = &invite_body;
	return &request;
}

static const struct stage_reply *invite(enum stage_person person, const uint8_t *with_code, const char *organisation,
					const char *name)
{
	return stage_act(stage, person, person, stage->now_ms,
			 invite_request(with_code, organisation, name, stage->now_ms + STAGE_DAY_MS));
}

static const struct stage_reply *withdraw(enum stage_person person, const char *organisation, const char *name)
{
	cpis__v1__enrol_withdraw_request__init(&withdraw_body);
	cpis__v1__request__init(&request);
	withdraw_body.organisation = text(organisation);
	withdraw_body.system_name = text(name);
	withdraw_body.reason = text("the supplier was changed");
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_WITHDRAW;
	request.enrol_withdraw = &withdraw_body;
	return stage_act(stage, person, person, stage->now_ms, &request);
}

static const struct stage_reply *list(enum stage_person person)
{
	cpis__v1__enrol_list_request__init(&list_body);
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_LIST;
	request.enrol_list = &list_body;
	return stage_ask_as(stage, person, &request);
}

static Cpis__V1__Request *enrol_request(const uint8_t *with_code, const char *organisation, const char *name)
{
	cpis__v1__enrol_request__init(&enrol_body);
	cpis__v1__request__init(&request);
	enrol_body.code = (ProtobufCBinaryData){ENROLMENT_CODE_BYTES, (uint8_t *)(uintptr_t)with_code};
	enrol_body.organisation = text(organisation);
	enrol_body.system_name = text(name);
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL;
	request.enrol = &enrol_body;
	return &request;
}

// On the enrolment endpoint.
static const struct stage_reply *ask_there(enum stage_system system, Cpis__V1__Request *what)
{
	stage->enrolling = true;
	const struct stage_reply *reply = stage_ask(stage, system, what);
	stage->enrolling = false;
	return reply;
}

static const struct stage_reply *enrol(enum stage_system system)
{
	return ask_there(system, enrol_request(code, "RXH", "newcomer"));
}

static const struct stage_reply *invite_newcomer(void)
{
	const struct stage_reply *reply = invite(REGISTRAR, code, "RXH", "newcomer");
	stage_expect_ok(reply);
	return reply;
}

static const char *fingerprint_of(enum stage_system system)
{
	static char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	ck_assert(public_key_fingerprint(stage->keys[system].public_key, fingerprint));
	return fingerprint;
}

// The detail of this reply's record, as a reviewer reads it.
static const Cpis__V1__AuditDetail *detail_of(const struct stage_reply *reply)
{
	return stage_shown(stage, REVIEWER, reply->reply->receipt->index)->detail;
}

static void expect_refused(const struct stage_reply *reply, const char *recorded)
{
	stage_expect(reply, ASID_CHECK_FAILED, "enrolment_code");
	ck_assert_str_eq(detail_of(reply)->reason, recorded);
}

static void expect_state(const struct stage_reply *reply, Cpis__V1__EnrolmentState state)
{
	stage_expect_ok(reply);
	ck_assert_int_eq(reply->reply->enrol->state, state);
}

#define WAITING CPIS__V1__ENROLMENT_STATE__WAITING
#define ISSUED CPIS__V1__ENROLMENT_STATE__ISSUED
#define INVITED CPIS__V1__ENROLMENT_STATE__INVITED

// ------------------------------------------------------------------ the way of a new system

START_TEST(an_invited_system_waits_and_is_given_the_certificate_of_its_key)
{
	invite_newcomer();
	const struct stage_reply *waiting = enrol(STAGE_NEWCOMER);
	expect_state(waiting, WAITING);
	ck_assert_str_eq(waiting->reply->enrol->fingerprint, fingerprint_of(STAGE_NEWCOMER));
	ck_assert_uint_eq(waiting->reply->enrol->until_ms, stage->now_ms + STAGE_DAY_MS);
	ck_assert_uint_eq(waiting->reply->enrol->certificate.len, 0);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	const struct stage_reply *issued = enrol(STAGE_NEWCOMER);
	expect_state(issued, ISSUED);
	uint8_t *der = NULL;
	size_t der_bytes = 0;
	ck_assert_int_eq(certificate_file_to_der(stage->system_files[STAGE_NEWCOMER], &der, &der_bytes), CERTS_OK);
	ck_assert_uint_eq(issued->reply->enrol->certificate.len, der_bytes);
	ck_assert_mem_eq(issued->reply->enrol->certificate.data, der, der_bytes);
	free(der);
	// An answer that was lost is given again.
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage_expect_ok(stage_ping(stage, STAGE_NEWCOMER));
}
END_TEST

START_TEST(the_list_shows_whom_to_compare_and_what_became_of_them)
{
	const struct stage_reply *invited = invite_newcomer();
	const struct stage_reply *got = list(REGISTRAR);
	stage_expect_ok(got);
	ck_assert_uint_eq(got->reply->enrol_list->n_enrolments, 1);
	const Cpis__V1__Enrolment *shown = got->reply->enrol_list->enrolments[0];
	ck_assert_str_eq(shown->organisation, "RXH");
	ck_assert_str_eq(shown->system_name, "newcomer");
	char registrar[32];
	snprintf(registrar, sizeof registrar, "Person %d", REGISTRAR + 1);
	ck_assert_str_eq(shown->invited_by, registrar);
	ck_assert_int_eq(shown->state, INVITED);
	ck_assert_uint_eq(shown->invited_ms, stage->now_ms);
	ck_assert_uint_eq(shown->audit_index, invited->reply->receipt->index);
	ck_assert_uint_eq(shown->public_key.len, 0);
	stage->now_ms += STAGE_MINUTE_MS;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	shown = list(REGISTRAR)->reply->enrol_list->enrolments[0];
	ck_assert_int_eq(shown->state, WAITING);
	ck_assert_uint_eq(shown->presented_ms, stage->now_ms);
	ck_assert_str_eq(shown->fingerprint, fingerprint_of(STAGE_NEWCOMER));
	ck_assert_mem_eq(shown->public_key.data, stage->keys[STAGE_NEWCOMER].public_key, KEY_BYTES);
	stage_enrol_newcomer(stage);
	ck_assert_int_eq(list(REGISTRAR)->reply->enrol_list->enrolments[0]->state, ISSUED);
	stage->now_ms += STAGE_DAY_MS;
	stage_sign_in(stage, REGISTRAR);
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 0);
}
END_TEST

START_TEST(it_outlives_a_restart_between_any_two_steps)
{
	invite_newcomer();
	stage_restart(stage);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_restart(stage);
	expect_refused(enrol(STAGE_STRANGER), "The code was used with another key.");
	stage_enrol_newcomer(stage);
	stage_restart(stage);
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage_expect_ok(withdraw(REGISTRAR, "RXH", "newcomer"));
	stage_restart(stage);
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation was withdrawn.");
}
END_TEST

START_TEST(the_record_says_who_was_invited_and_which_key_came)
{
	const Cpis__V1__AuditDetail *detail = detail_of(invite_newcomer());
	ck_assert_str_eq(detail->target, "RXH/newcomer");
	ck_assert_str_eq(detail->uid, stage_uid(REGISTRAR));
	ck_assert_str_eq(detail->reason, WHY);
	ck_assert_uint_eq(detail->act_signature.len, ED25519_SIGNATURE_BYTES);
	const struct stage_reply *came = enrol(STAGE_NEWCOMER);
	char target[100] = "RXH/newcomer ";
	strcat(target, fingerprint_of(STAGE_NEWCOMER));
	ck_assert_str_eq(detail_of(came)->target, target);
	ck_assert_str_eq(detail_of(came)->uid, "");
	// What it calls itself is not proven.
	ck_assert_str_eq(came->record->organisation, "");
	ck_assert_str_eq(came->record->system_name, "");
	ck_assert_int_eq(came->record->operation, CPIS__V1__OPERATION__ENROL);
}
END_TEST

// ------------------------------------------------------------------ refusals of a new system

START_TEST(all_refusals_of_a_code_look_the_same_and_the_record_tells_them_apart)
{
	static const struct {
		const char *organisation, *name;
	} others[] = {{"RXJ", "newcomer"}, {"RXH", "newcomer2"}, {"RXH", "hospital"}};
	expect_refused(enrol(STAGE_NEWCOMER), "There is no invitation with this code.");
	invite_newcomer();
	const struct stage_reply *first = ask_there(STAGE_STRANGER, enrol_request(other_code, "RXH", "newcomer"));
	expect_refused(first, "There is no invitation with this code.");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		const struct stage_reply *got =
			ask_there(STAGE_STRANGER, enrol_request(code, others[i].organisation, others[i].name));
		expect_refused(got, "The invitation is for another organisation or name.");
		ck_assert_str_eq(got->reply->reason, first->reply->reason);
	}
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	const struct stage_reply *used = enrol(STAGE_STRANGER);
	expect_refused(used, "The code was used with another key.");
	ck_assert_str_eq(used->reply->reason, first->reply->reason);
	stage_expect_ok(withdraw(REGISTRAR, "RXH", "newcomer"));
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation was withdrawn.");
}
END_TEST

START_TEST(an_invitation_ends_at_its_time_and_a_key_that_waits_ends_with_it)
{
	invite_newcomer();
	stage->now_ms += STAGE_DAY_MS - 1;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage->now_ms += 1;
	stage_sign_in(stage, REVIEWER);
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation has ended.");
	stage_enrol_newcomer(stage);
	expect_refused(enrol(STAGE_NEWCOMER), "The invitation has ended.");
}
END_TEST

START_TEST(an_invitation_again_replaces_code_and_key)
{
	invite_newcomer();
	expect_state(enrol(STAGE_STRANGER), WAITING);
	const struct stage_reply *again = invite(REGISTRAR, other_code, "RXH", "newcomer");
	stage_expect_ok(again);
	ck_assert(again->reply->enrol_invite->replaced);
	expect_refused(enrol(STAGE_STRANGER), "There is no invitation with this code.");
	expect_state(ask_there(STAGE_NEWCOMER, enrol_request(other_code, "RXH", "newcomer")), WAITING);
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 1);
	// The key is free for another invitation.
	stage_expect_ok(invite(REGISTRAR, code, "RXH", "second"));
	expect_state(ask_there(STAGE_STRANGER, enrol_request(code, "RXH", "second")), WAITING);
}
END_TEST

START_TEST(one_key_is_good_for_one_invitation)
{
	invite_newcomer();
	stage_expect_ok(invite(REGISTRAR, other_code, "RXH", "second"));
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	expect_refused(ask_there(STAGE_NEWCOMER, enrol_request(other_code, "RXH", "second")),
		       "The key was presented with another invitation.");
}
END_TEST

START_TEST(a_key_that_is_enrolled_for_somebody_else_is_refused)
{
	invite_newcomer();
	expect_refused(enrol(STAGE_HOSPITAL), "The key is enrolled for another organisation or name.");
	expect_refused(enrol(STAGE_LEEDS), "The key is enrolled for another organisation or name.");
	// The invitation is not used up by that.
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

START_TEST(a_key_whose_certificate_was_revoked_is_refused)
{
	invite_newcomer();
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage_revoke_system(stage, STAGE_NEWCOMER);
	expect_refused(enrol(STAGE_NEWCOMER), "The key has a certificate that does not hold: expired, revoked or not the only one.");
	ck_assert_int_eq(list(REGISTRAR)->reply->enrol_list->enrolments[0]->state, WAITING);
}
END_TEST

START_TEST(nothing_is_handed_out_by_lists_that_are_out_of_date)
{
	invite_newcomer();
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	stage->now_ms = STAGE_LISTS_END_MS - 2;
	stage_sign_in(stage, NATIONAL_REGISTRAR);
	stage_expect_ok(stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms,
				  invite_request(code, "RXH", "newcomer", stage->now_ms + STAGE_DAY_MS)));
	expect_state(enrol(STAGE_NEWCOMER), ISSUED);
	stage->now_ms = STAGE_LISTS_END_MS;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

static void quarantine(Cpis__V1__QuarantineKind kind, const char *target)
{
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request ask = CPIS__V1__REQUEST__INIT;
	set.kind = kind;
	set.target = text(target);
	set.reason = text("key found on a stolen laptop");
	ask.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	ask.quarantine_set = &set;
	stage_expect_ok(stage_act(stage, NATIONAL_REGISTRAR, NATIONAL_REGISTRAR, stage->now_ms, &ask));
}

START_TEST(whoever_is_quarantined_does_not_enrol)
{
	static const char held[] = "The organisation, the system or its certificate is quarantined.";
	struct certificate_description description;
	char detail[CERTS_DETAIL_BYTES], serial[2 * SERIAL_BYTES_MAX + 1];
	invite_newcomer();
	stage_expect_ok(invite(NATIONAL_REGISTRAR, other_code, "383", "second"));
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage_enrol_newcomer(stage);
	ck_assert_int_eq(certificate_describe_file(stage->system_files[STAGE_NEWCOMER], &description, detail), CERTS_OK);
	certificate_serial_format(&description.serial, serial);
	quarantine(CPIS__V1__QUARANTINE_KIND__CERTIFICATE, serial);
	expect_refused(enrol(STAGE_NEWCOMER), held);
	quarantine(CPIS__V1__QUARANTINE_KIND__ORGANISATION, "383");
	expect_refused(ask_there(STAGE_STRANGER, enrol_request(other_code, "383", "second")), held);
	static const uint8_t third_code[ENROLMENT_CODE_BYTES] = {7};
	stage_expect_ok(invite(REGISTRAR, third_code, "RXH", "third"));
	quarantine(CPIS__V1__QUARANTINE_KIND__SYSTEM, "RXH/third");
	expect_refused(ask_there(STAGE_STRANGER, enrol_request(third_code, "RXH", "third")), held);
}
END_TEST

// ------------------------------------------------------------------ the two endpoints

START_TEST(nothing_else_is_answered_on_the_enrolment_endpoint_whoever_comes)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request ask = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = text(stage_child(0));
	ask.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	ask.flag = &flag;
	ask.session_token = (ProtobufCBinaryData){stage->token_bytes[NURSE], stage->tokens[NURSE]};
	// Even with the key and the token that are good on the other one.
	static const enum stage_system who[] = {STAGE_HOSPITAL, STAGE_STRANGER, STAGE_EXPIRED};
	for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
		const struct stage_reply *got = ask_there(who[i], &ask);
		stage_expect(got, ACCESS_DENIED, "wrong_endpoint");
		ck_assert_str_eq(got->record->organisation, "");
		// A stranger writes nothing about a child into the log.
		ck_assert_uint_eq(got->record->subject_tag.len, 0);
		ck_assert_uint_eq(got->reply->session_token.len, 0);
	}
	ask.body_case = CPIS__V1__REQUEST__BODY_PING;
	ask.ping = &ping;
	stage_expect(ask_there(STAGE_HOSPITAL, &ask), ACCESS_DENIED, "wrong_endpoint");
	cpis__v1__enrol_list_request__init(&list_body);
	ask.body_case = CPIS__V1__REQUEST__BODY_ENROL_LIST;
	ask.enrol_list = &list_body;
	stage_expect(ask_there(STAGE_NATIONAL, &ask), ACCESS_DENIED, "wrong_endpoint");
}
END_TEST

START_TEST(every_kind_of_request_but_one_is_refused_on_the_enrolment_endpoint)
{
	// An empty body of each kind; those that need more are not well-formed, and so refused as well.
	for (uint8_t field = 16; field <= 39; field++) {
		uint8_t packed[] = {0x08, 0x01, 0x12, 0x10, 0, 1, 2,	3, 4, 5,    6, 7,
				    8,	  9,	10,   11,   12, 13, 14, 15, 0x18, 0x64, (uint8_t)(field << 3 | 2), (uint8_t)(field >> 4), 0};
		packed[22] |= 0x80;
		stage->enrolling = true;
		const struct stage_reply *got = stage_ask_bytes(stage, STAGE_HOSPITAL, packed, sizeof packed, 0);
		stage->enrolling = false;
		ck_assert_int_ne(got->reply->outcome, CPIS__V1__OUTCOME__OK);
		ck_assert_ptr_nonnull(got->record);
	}
}
END_TEST

START_TEST(garbage_on_the_enrolment_endpoint_is_recorded_and_refused)
{
	stage->enrolling = true;
	stage_expect(stage_ask_bytes(stage, STAGE_STRANGER, "garbage", 7, 0), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
	stage_expect(stage_ask_bytes(stage, STAGE_STRANGER, "", 0, 0), MESSAGE_NOT_WELL_FORMED,
		     "message_not_well_formed");
	stage->enrolling = false;
}
END_TEST

START_TEST(enrolment_is_refused_on_the_ordinary_endpoint)
{
	invite_newcomer();
	stage_expect(stage_ask(stage, STAGE_HOSPITAL, enrol_request(code, "RXH", "newcomer")), ACCESS_DENIED,
		     "wrong_endpoint");
	stage_expect(stage_ask(stage, STAGE_NEWCOMER, enrol_request(code, "RXH", "newcomer")), ASID_CHECK_FAILED,
		     "system_unknown");
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

START_TEST(a_connection_whose_key_is_not_known_is_told_to_connect_again)
{
	invite_newcomer();
	stage_expect(enrol(STAGE_KEYLESS), ASID_CHECK_FAILED, "system_unknown");
}
END_TEST

START_TEST(what_waited_past_its_deadline_is_not_carried_out)
{
	uint8_t id[REQUEST_ID_BYTES] = {1}, packed[512];
	invite_newcomer();
	Cpis__V1__Request *ask = enrol_request(code, "RXH", "newcomer");
	ask->protocol_version = PROTOCOL_VERSION;
	ask->request_id = (ProtobufCBinaryData){sizeof id, id};
	ask->deadline_ms = 1000;
	size_t bytes = cpis__v1__request__pack(ask, packed);
	stage->enrolling = true;
	stage_expect(stage_ask_bytes(stage, STAGE_STRANGER, packed, bytes, 1001), DEADLINE_EXPIRED, "deadline");
	stage->enrolling = false;
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

// ------------------------------------------------------------------ who invites whom

START_TEST(a_registrar_invites_for_the_own_organisation_and_a_national_one_for_any_in_the_register)
{
	stage_expect(invite(REGISTRAR, code, "RXJ", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect(invite(REGISTRAR, code, "RXHX", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect(invite(NATIONAL_REGISTRAR, code, "RYX", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect_ok(invite(NATIONAL_REGISTRAR, code, "RXJ", "newcomer"));
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 0);
	ck_assert_uint_eq(list(NATIONAL_REGISTRAR)->reply->enrol_list->n_enrolments, 1);
	stage_expect(withdraw(REGISTRAR, "RXJ", "newcomer"), ACCESS_DENIED, "enrolment_scope");
	stage_expect_ok(invite(REGISTRAR, other_code, "RXH", "newcomer"));
	ck_assert_uint_eq(list(NATIONAL_REGISTRAR)->reply->enrol_list->n_enrolments, 2);
	stage_expect_ok(withdraw(NATIONAL_REGISTRAR, "RXH", "newcomer"));
	ck_assert_uint_eq(list(REGISTRAR)->reply->enrol_list->n_enrolments, 0);
}
END_TEST

START_TEST(others_may_neither_invite_nor_withdraw_nor_see)
{
	stage_expect(invite(NURSE, code, "RXH", "newcomer"), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(withdraw(LEEDS_WORKER, "383", "newcomer"), ACCESS_DENIED, "role_lacks_activity");
	stage_expect(list(NURSE), ACCESS_DENIED, "role_lacks_activity");
}
END_TEST

START_TEST(inviting_and_withdrawing_need_the_persons_own_signature)
{
	stage_expect(stage_ask_as(stage, REGISTRAR,
				  invite_request(code, "RXH", "newcomer", stage->now_ms + STAGE_DAY_MS)),
		     AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
	stage_expect(stage_act(stage, REGISTRAR, NURSE, stage->now_ms,
			       invite_request(code, "RXH", "newcomer", stage->now_ms + STAGE_DAY_MS)),
		     AUTHOR_CREDENTIALS_ERROR, "act_signature");
	invite_newcomer();
	withdraw(REGISTRAR, "RXH", "newcomer");
	stage_expect(stage_ask_as(stage, REGISTRAR, &request), AUTHOR_CREDENTIALS_ERROR, "act_unsigned");
}
END_TEST

START_TEST(an_invitation_lasts_14_days_at_the_most)
{
	const uint64_t longest_ms = stage->now_ms + ENROLMENT_MS_MAX;
	static const struct {
		int64_t off_ms;
		bool good;
	} ends[] = {{0, true}, {1, false}, {-(int64_t)ENROLMENT_MS_MAX, false}, {-(int64_t)ENROLMENT_MS_MAX + 1, true}};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const struct stage_reply *got = stage_act(
			stage, REGISTRAR, REGISTRAR, stage->now_ms,
			invite_request(code, "RXH", "newcomer", longest_ms + (uint64_t)ends[i].off_ms));
		if (ends[i].good)
			stage_expect_ok(got);
		else
			stage_expect(got, INVALID_VALUE, "invalid_value");
	}
}
END_TEST

START_TEST(one_code_does_not_serve_two_invitations)
{
	invite_newcomer();
	stage_expect(invite(REGISTRAR, code, "RXH", "second"), INVALID_VALUE, "invalid_value");
	const struct stage_reply *again = invite(REGISTRAR, code, "RXH", "newcomer");
	stage_expect_ok(again);
	ck_assert(again->reply->enrol_invite->replaced);
}
END_TEST

START_TEST(withdrawing_says_whether_there_was_anything_to_withdraw)
{
	ck_assert(!withdraw(REGISTRAR, "RXH", "newcomer")->reply->enrol_withdraw->withdrawn);
	invite_newcomer();
	ck_assert(withdraw(REGISTRAR, "RXH", "newcomer")->reply->enrol_withdraw->withdrawn);
	ck_assert(!withdraw(REGISTRAR, "RXH", "newcomer")->reply->enrol_withdraw->withdrawn);
	const struct stage_reply *again = invite_newcomer();
	ck_assert(!again->reply->enrol_invite->replaced);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

// ------------------------------------------------------------------ bounds and failures

START_TEST(there_are_1024_open_invitations_at_the_most_and_the_list_comes_in_pages_of_100)
{
	uint8_t many[ENROLMENT_CODE_BYTES] = {9};
	char name[32];
	for (unsigned i = 0; i < ENROLMENTS_MAX; i++) {
		memcpy(many + 1, &i, sizeof i);
		snprintf(name, sizeof name, "system %u", i);
		stage_expect_ok(invite(NATIONAL_REGISTRAR, many, i % 2 == 0 ? "RXH" : "383", name));
	}
	stage_expect(invite(REGISTRAR, code, "RXH", "newcomer"), TOO_MANY_REQUESTS, "enrolments_full");
	const struct stage_reply *got = list(REGISTRAR);
	ck_assert_uint_eq(got->reply->enrol_list->n_enrolments, PAGE_ITEMS_MAX);
	ck_assert(got->reply->enrol_list->more);
	ck_assert_str_eq(got->reply->enrol_list->enrolments[1]->system_name, "system 2");
	// One that is replaced takes no place; one that ended gives its own.
	stage_expect_ok(invite(REGISTRAR, code, "RXH", "system 8"));
	stage_expect_ok(withdraw(REGISTRAR, "RXH", "system 10"));
	stage_expect_ok(invite(REGISTRAR, other_code, "RXH", "newcomer"));
	memcpy(many + 1, &(unsigned){12}, sizeof(unsigned));
	stage_expect(invite(REGISTRAR, many, "RXH", "system 10"), INVALID_VALUE, "invalid_value");
	stage_restart(stage);
	expect_state(ask_there(STAGE_NEWCOMER, enrol_request(other_code, "RXH", "newcomer")), WAITING);
	stage_expect(invite(REGISTRAR, (uint8_t[ENROLMENT_CODE_BYTES]){7}, "RXH", "system 10"), TOO_MANY_REQUESTS,
		     "enrolments_full");
}
END_TEST

START_TEST(what_could_not_be_committed_did_not_happen_and_what_was_did)
{
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(invite(REGISTRAR, code, "RXH", "newcomer"), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	expect_refused(enrol(STAGE_NEWCOMER), "There is no invitation with this code.");
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(invite(REGISTRAR, code, "RXH", "newcomer"), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(enrol(STAGE_STRANGER), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	// The stranger's key was not kept.
	stage->fault.commit = FAULT_COMMIT_LIES;
	stage_expect(enrol(STAGE_NEWCOMER), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	expect_refused(enrol(STAGE_STRANGER), "The code was used with another key.");
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
	stage->fault.commit = FAULT_COMMIT_FAILS;
	stage_expect(withdraw(REGISTRAR, "RXH", "newcomer"), SERVICE_UNAVAILABLE, "store_unavailable");
	fault_store_mend(&stage->fault);
	expect_state(enrol(STAGE_NEWCOMER), WAITING);
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_refuses_and_keeps_nothing)
{
	uint64_t n = 1;
	invite_newcomer();
	for (;; n++) {
		fault_store_mend(&stage->fault);
		stage->fault.fail_at = n;
		const struct stage_reply *got = enrol(n % 2 == 0 ? STAGE_STRANGER : STAGE_NEWCOMER);
		if (got->reply->outcome == CPIS__V1__OUTCOME__OK)
			break;
		stage_expect(got, SERVICE_UNAVAILABLE, "store_unavailable");
		fault_store_mend(&stage->fault);
		ck_assert_int_eq(list(REGISTRAR)->reply->enrol_list->enrolments[0]->state, INVITED);
	}
	// begin, expire, put, record, checkpoint, commit
	ck_assert_uint_gt(n, 5);
	fault_store_mend(&stage->fault);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(both_steps_may_come_in_one_batch)
{
	invite_newcomer();
	stage->enrolling = true;
	ck_assert(stage_submit(stage, STAGE_NEWCOMER, enrol_request(code, "RXH", "newcomer")));
	ck_assert(stage_submit(stage, STAGE_STRANGER, enrol_request(code, "RXH", "newcomer")));
	stage->enrolling = false;
	cpis__v1__enrol_list_request__init(&list_body);
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_LIST;
	request.enrol_list = &list_body;
	ck_assert(stage_submit_as(stage, REGISTRAR, &request));
	ck_assert(stage_flush(stage));
	expect_state(stage->batch[0], WAITING);
	stage_expect(stage->batch[1], ASID_CHECK_FAILED, "enrolment_code");
	ck_assert_str_eq(stage->batch[2]->reply->enrol_list->enrolments[0]->fingerprint, fingerprint_of(STAGE_NEWCOMER));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("enrolment");
	TCase *tests = tcase_create("enrolment");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_add_test(tests, an_invited_system_waits_and_is_given_the_certificate_of_its_key);
	tcase_add_test(tests, the_list_shows_whom_to_compare_and_what_became_of_them);
	tcase_add_test(tests, it_outlives_a_restart_between_any_two_steps);
	tcase_add_test(tests, the_record_says_who_was_invited_and_which_key_came);
	tcase_add_test(tests, all_refusals_of_a_code_look_the_same_and_the_record_tells_them_apart);
	tcase_add_test(tests, an_invitation_ends_at_its_time_and_a_key_that_waits_ends_with_it);
	tcase_add_test(tests, an_invitation_again_replaces_code_and_key);
	tcase_add_test(tests, one_key_is_good_for_one_invitation);
	tcase_add_test(tests, a_key_that_is_enrolled_for_somebody_else_is_refused);
	tcase_add_test(tests, a_key_whose_certificate_was_revoked_is_refused);
	tcase_add_test(tests, nothing_is_handed_out_by_lists_that_are_out_of_date);
	tcase_add_test(tests, whoever_is_quarantined_does_not_enrol);
	tcase_add_test(tests, nothing_else_is_answered_on_the_enrolment_endpoint_whoever_comes);
	tcase_add_test(tests, every_kind_of_request_but_one_is_refused_on_the_enrolment_endpoint);
	tcase_add_test(tests, garbage_on_the_enrolment_endpoint_is_recorded_and_refused);
	tcase_add_test(tests, enrolment_is_refused_on_the_ordinary_endpoint);
	tcase_add_test(tests, a_connection_whose_key_is_not_known_is_told_to_connect_again);
	tcase_add_test(tests, what_waited_past_its_deadline_is_not_carried_out);
	tcase_add_test(tests, a_registrar_invites_for_the_own_organisation_and_a_national_one_for_any_in_the_register);
	tcase_add_test(tests, others_may_neither_invite_nor_withdraw_nor_see);
	tcase_add_test(tests, inviting_and_withdrawing_need_the_persons_own_signature);
	tcase_add_test(tests, an_invitation_lasts_14_days_at_the_most);
	tcase_add_test(tests, one_code_does_not_serve_two_invitations);
	tcase_add_test(tests, withdrawing_says_whether_there_was_anything_to_withdraw);
	tcase_add_test(tests, there_are_1024_open_invitations_at_the_most_and_the_list_comes_in_pages_of_100);
	tcase_add_test(tests, what_could_not_be_committed_did_not_happen_and_what_was_did);
	tcase_add_test(tests, a_store_that_fails_at_any_call_refuses_and_keeps_nothing);
	tcase_add_test(tests, both_steps_may_come_in_one_batch);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
