// Who is signed in: those who may invite, those who may not, and the reviewer.
#include "tests/scenario/enrolling.h"

#include "broker/digest.h"
#include "certs/public_key.h"

struct stage *stage;
uint8_t code[ENROLMENT_CODE_BYTES] = {1, 2, 3}, other_code[ENROLMENT_CODE_BYTES] = {4, 5, 6};
static uint8_t code_sha256[HASH_BYTES];
Cpis__V1__EnrolRequest enrol_body;
Cpis__V1__EnrolInviteRequest invite_body;
Cpis__V1__EnrolListRequest list_body;
static Cpis__V1__EnrolWithdrawRequest withdraw_body;
Cpis__V1__Request request;

void raise_curtain(void)
{
	static const enum stage_person cast[] = {NURSE, LEEDS_WORKER, REVIEWER, REGISTRAR, NATIONAL_REGISTRAR};
	stage = stage_new();
	for (size_t i = 0; i < sizeof cast / sizeof cast[0]; i++)
		stage_sign_in(stage, cast[i]);
}

void drop_curtain(void)
{
	stage_free(stage);
}

char *text(const char *from)
{
	return (char *)(uintptr_t)from;
}

Cpis__V1__Request *invite_request(const uint8_t *with_code, const char *organisation, const char *name,
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

const struct stage_reply *invite(enum stage_person person, const uint8_t *with_code, const char *organisation,
					const char *name)
{
	return stage_act(stage, person, person, stage->now_ms,
			 invite_request(with_code, organisation, name, stage->now_ms + STAGE_DAY_MS));
}

const struct stage_reply *withdraw(enum stage_person person, const char *organisation, const char *name)
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

const struct stage_reply *list(enum stage_person person)
{
	cpis__v1__enrol_list_request__init(&list_body);
	cpis__v1__request__init(&request);
	request.body_case = CPIS__V1__REQUEST__BODY_ENROL_LIST;
	request.enrol_list = &list_body;
	return stage_ask_as(stage, person, &request);
}

Cpis__V1__Request *enrol_request(const uint8_t *with_code, const char *organisation, const char *name)
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

const struct stage_reply *ask_there(enum stage_system system, Cpis__V1__Request *what)
{
	stage->enrolling = true;
	const struct stage_reply *reply = stage_ask(stage, system, what);
	stage->enrolling = false;
	return reply;
}

const struct stage_reply *enrol(enum stage_system system)
{
	return ask_there(system, enrol_request(code, "RXH", "newcomer"));
}

const struct stage_reply *invite_newcomer(void)
{
	const struct stage_reply *reply = invite(REGISTRAR, code, "RXH", "newcomer");
	stage_expect_ok(reply);
	return reply;
}

const char *fingerprint_of(enum stage_system system)
{
	static char fingerprint[PUBLIC_KEY_FINGERPRINT_BYTES];
	ck_assert(public_key_fingerprint(stage->keys[system].public_key, fingerprint));
	return fingerprint;
}

const Cpis__V1__AuditDetail *detail_of(const struct stage_reply *reply)
{
	return stage_shown(stage, REVIEWER, reply->reply->receipt->index)->detail;
}

void expect_refused(const struct stage_reply *reply, const char *recorded)
{
	stage_expect(reply, ASID_CHECK_FAILED, "enrolment_code");
	ck_assert_str_eq(detail_of(reply)->reason, recorded);
}

void expect_state(const struct stage_reply *reply, Cpis__V1__EnrolmentState state)
{
	stage_expect_ok(reply);
	ck_assert_int_eq(reply->reply->enrol->state, state);
}
