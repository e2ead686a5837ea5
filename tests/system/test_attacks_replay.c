// What was said once is said again, or somewhere else: replies as requests, statements, signed acts, tokens, and the role
// profiles of somebody who works for two organisations. Each attempt fails, tells nothing, and leaves a record that
// the national reviewer finds and that names who tried what. Single refusals are in test_refusals.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define WHY "an act that will be undone"

static struct world *world;
static struct channel *hospital;
static char child[11];
static const struct world_person *nurse;

static void setup(void)
{
	world_nhs_number(0, child);
	nurse = world_person("nurse");
	world = world_new();
	world_start(world);
	hospital = channel_open(world, world_path(world, "systems/hospital.key"));
}

static void teardown(void)
{
	channel_close(hospital);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL),
			 0);
	world_free(world);
}

static struct channel *channel_of(const char *system)
{
	return channel_open(world, world_path(world, "systems/%s.key", system));
}

static uint64_t assert_ok(struct channel_reply *reply)
{
	uint64_t index = reply->index;
	ck_assert_msg(reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
	channel_reply_free(reply);
	return index;
}

static void assert_nurse_recorded(uint64_t index, const char *reason_code, const char *system_name)
{
	struct world_trace trace = {.reason_code = reason_code,
				    .system_name = system_name,
				    .uid = nurse->uid,
				    .operation = CPIS__V1__OPERATION__SESSION_OPEN};
	world_assert_recorded(world, index, &trace);
}

// ------------------------------------------------------------------ reflection

// What the broker said, sent back to it. Frees `reply`'s bytes.
static void assert_reflection_fails(uint8_t *said, size_t bytes)
{
	ck_assert_ptr_nonnull(said);
	struct channel_reply *reply = channel_exchange(hospital, said, bytes);
	ck_assert_ptr_null(memmem(said, bytes, child, 10));
	struct world_trace trace = {.reason_code = "message_not_well_formed",
				    .organisation = "RXH",
				    .system_name = "hospital-record-system"};
	world_assert_recorded(world, channel_refused(reply, "message_not_well_formed"), &trace);
	free(said);
}

START_TEST(the_brokers_own_replies_are_no_requests)
{
	static const uint8_t nonsense[] = {0xff};
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	size_t bytes;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	channel_send_request(hospital, &request);
	uint8_t *said = channel_receive(hospital, CHANNEL_WAIT_MS, &bytes);
	assert_reflection_fails(said, bytes);
	// A session's opening, with the token in it.
	struct statement truth = channel_statement(hospital, "nurse");
	uint8_t *open = channel_sign_statement(world, &truth, world_path(world, "staff/nurse.pem"),
					       world_path(world, "staff/nurse.key"), &bytes);
	channel_send(hospital, open, bytes);
	said = channel_receive(hospital, CHANNEL_WAIT_MS, &bytes);
	assert_reflection_fails(said, bytes);
	free(open);
	channel_send(hospital, nonsense, sizeof nonsense);
	said = channel_receive(hospital, CHANNEL_WAIT_MS, &bytes);
	assert_reflection_fails(said, bytes);
}
END_TEST

// ------------------------------------------------------------------ statements

// Somebody copied a nurse's opening of a session out of the memory of the hospital's system.
struct copied {
	uint8_t *bytes;
	size_t count;
};

static struct copied copy_of_an_opening(void)
{
	struct copied copied;
	struct statement truth = channel_statement(hospital, "nurse");
	copied.bytes = channel_sign_statement(world, &truth, world_path(world, "staff/nurse.pem"),
					      world_path(world, "staff/nurse.key"), &copied.count);
	assert_ok(channel_exchange(hospital, copied.bytes, copied.count));
	return copied;
}

// The same statement under a request id of the thief's own: field 2 of the request, behind two bytes of version and two
// of its header.
static struct channel_reply *present_as_new(struct channel *channel, const struct copied *copied)
{
	uint8_t *mine = malloc(copied->count);
	ck_assert_ptr_nonnull(mine);
	memcpy(mine, copied->bytes, copied->count);
	ck_assert_mem_eq(mine, "\x08\x01\x12\x10", 4);
	mine[4] ^= 0xff;
	struct channel_reply *reply = channel_exchange(channel, mine, copied->count);
	free(mine);
	return reply;
}

START_TEST(a_copied_statement_opens_no_second_session)
{
	struct copied copied = copy_of_an_opening();
	assert_nurse_recorded(channel_refused(present_as_new(hospital, &copied), "statement_replayed"), "statement_replayed",
			      "hospital-record-system");
	// A new connection of the same system.
	struct channel *again = channel_of("hospital");
	assert_nurse_recorded(channel_refused(present_as_new(again, &copied), "statement_replayed"), "statement_replayed",
			      "hospital-record-system");
	channel_close(again);
	// Another system, which cannot even pass it off as its own.
	struct channel *ambulance = channel_of("ambulance");
	assert_nurse_recorded(channel_refused(present_as_new(ambulance, &copied), "statement_channel"), "statement_channel",
			      "ambulance-record-system");
	assert_nurse_recorded(channel_refused(channel_exchange(ambulance, copied.bytes, copied.count), "statement_channel"),
			      "statement_channel", "ambulance-record-system");
	channel_close(ambulance);
	free(copied.bytes);
}
END_TEST

START_TEST(a_copied_statement_opens_no_second_session_after_a_restart)
{
	struct copied copied = copy_of_an_opening();
	world_kill(world);
	world_start(world);
	struct channel *again = channel_of("hospital");
	assert_nurse_recorded(channel_refused(present_as_new(again, &copied), "statement_replayed"), "statement_replayed",
			      "hospital-record-system");
	channel_close(again);
	free(copied.bytes);
}
END_TEST

// Byte for byte it is the retry of a client that got no answer, and is answered as one: through the same system only, for as
// long as the statement is fresh, and each time with a record of its own under the same request id.
START_TEST(an_opening_repeated_byte_for_byte_is_a_retry_and_each_one_is_recorded)
{
	struct copied copied = copy_of_an_opening();
	struct channel *again = channel_of("hospital");
	uint64_t index = assert_ok(channel_exchange(again, copied.bytes, copied.count));
	assert_nurse_recorded(index, "", "hospital-record-system");
	// What takes the person's right away takes the retry's too.
	long mark = world_log_mark(world);
	world_end_role(world, "nurse");
	world_wait_log(world, mark, "register_loaded");
	assert_nurse_recorded(channel_refused(channel_exchange(again, copied.bytes, copied.count), "role_profile"),
			      "role_profile", "hospital-record-system");
	channel_close(again);
	free(copied.bytes);
}
END_TEST

// ------------------------------------------------------------------ signed acts

static struct channel_reply *grant(struct channel *national, ProtobufCBinaryData token, struct copied *ret)
{
	static char uid[] = "555000000010", role[] = "R5090", reason[] = WHY;
	Cpis__V1__RoleGrantRequest body = CPIS__V1__ROLE_GRANT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.uid = uid;
	body.role_code = role;
	body.reason = reason;
	request.session_token = token;
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_GRANT;
	request.role_grant = &body;
	ret->bytes = channel_pack_act(national, &request, "registrar", &ret->count);
	return channel_exchange(national, ret->bytes, ret->count);
}

static struct channel_reply *end_role(struct channel *national, ProtobufCBinaryData token)
{
	static char uid[] = "555000000010", role[] = "R5090", reason[] = WHY;
	Cpis__V1__RoleEndRequest body = CPIS__V1__ROLE_END_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.uid = uid;
	body.role_code = role;
	body.reason = reason;
	request.session_token = token;
	request.body_case = CPIS__V1__REQUEST__BODY_ROLE_END;
	request.role_end = &body;
	size_t bytes;
	uint8_t *packed = channel_pack_act(national, &request, "registrar", &bytes);
	struct channel_reply *reply = channel_exchange(national, packed, bytes);
	free(packed);
	return reply;
}

static struct channel_reply *open_as_agent(struct channel *national)
{
	struct statement statement = channel_statement(national, "guardian");
	size_t bytes;
	statement.role = "R5090";
	uint8_t *packed = channel_sign_statement(world, &statement, world_path(world, "staff/guardian.pem"),
						 world_path(world, "staff/guardian.key"), &bytes);
	struct channel_reply *reply = channel_exchange(national, packed, bytes);
	free(packed);
	return reply;
}

static void assert_registrar_recorded(uint64_t index, const char *reason_code, Cpis__V1__Operation operation)
{
	struct world_trace trace = {.reason_code = reason_code,
				    .organisation = "X26",
				    .system_name = "national-audit-system",
				    .uid = world_person("registrar")->uid,
				    .operation = operation};
	world_assert_recorded(world, index, &trace);
}

START_TEST(a_role_that_was_granted_and_ended_does_not_come_back_by_repeating_the_grant)
{
	struct channel *national = channel_of("national");
	ProtobufCBinaryData token = channel_token(national, "registrar");
	struct copied copied;
	assert_ok(grant(national, token, &copied));
	assert_ok(open_as_agent(national));
	assert_ok(end_role(national, token));
	(void)channel_refused(open_as_agent(national), "role_profile");
	// Answered as the retry that it could be, recorded as one, and nothing is done again.
	struct channel_reply *reply = channel_exchange(national, copied.bytes, copied.count);
	ck_assert(!reply->reply->role_grant->replaced);
	assert_registrar_recorded(assert_ok(reply), "", CPIS__V1__OPERATION__ROLE_GRANT);
	(void)channel_refused(open_as_agent(national), "role_profile");
	world_kill(world);
	world_start(world);
	channel_close(national);
	national = channel_of("national");
	assert_ok(channel_exchange(national, copied.bytes, copied.count));
	(void)channel_refused(open_as_agent(national), "role_profile");
	free(copied.bytes);
	free(token.data);
	channel_close(national);
}
END_TEST

// The signature is over the request id, so it does not go into another envelope.
START_TEST(a_signed_act_does_not_pass_as_a_new_one_nor_in_anybody_elses_session)
{
	struct channel *national = channel_of("national");
	ProtobufCBinaryData token = channel_token(national, "registrar");
	struct copied copied;
	assert_ok(grant(national, token, &copied));
	assert_ok(end_role(national, token));
	assert_registrar_recorded(channel_refused(present_as_new(national, &copied), "act_signature"), "act_signature",
				  CPIS__V1__OPERATION__ROLE_GRANT);
	(void)channel_refused(open_as_agent(national), "role_profile");
	// With the token of the guardian, who may not do this at all.
	struct arena arena;
	struct wire_error error;
	Cpis__V1__Request *request = NULL;
	ProtobufCBinaryData other = channel_token(national, "guardian");
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert_int_eq(wire_request_decode(&arena, copied.bytes, copied.count, &request, &error), WIRE_OK);
	request->session_token = other;
	struct world_trace trace = {.reason_code = "role_lacks_activity",
				    .uid = world_person("guardian")->uid,
				    .operation = CPIS__V1__OPERATION__ROLE_GRANT};
	world_assert_recorded(world, channel_refused(channel_request(national, request), "role_lacks_activity"), &trace);
	arena_done(&arena);
	free(other.data);
	free(copied.bytes);
	free(token.data);
	channel_close(national);
}
END_TEST

static struct channel_reply *hold_back(struct channel *national, ProtobufCBinaryData token, bool lift,
				       struct copied *ret)
{
	static char target[] = "RXH/hospital-record-system", reason[] = WHY;
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__QuarantineLiftRequest end = CPIS__V1__QUARANTINE_LIFT_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	set.kind = end.kind = CPIS__V1__QUARANTINE_KIND__SYSTEM;
	set.target = end.target = target;
	set.reason = end.reason = reason;
	request.session_token = token;
	if (lift) {
		request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_LIFT;
		request.quarantine_lift = &end;
	} else {
		request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
		request.quarantine_set = &set;
	}
	ret->bytes = channel_pack_act(national, &request, "registrar", &ret->count);
	return channel_exchange(national, ret->bytes, ret->count);
}

START_TEST(a_quarantine_that_was_lifted_does_not_come_back_nor_go_by_repeating_the_act)
{
	struct channel *national = channel_of("national");
	ProtobufCBinaryData token = channel_token(national, "registrar");
	struct copied set, lift, set_again;
	assert_ok(hold_back(national, token, false, &set));
	(void)channel_refused(channel_ping(hospital), "system_quarantined");
	assert_ok(hold_back(national, token, true, &lift));
	assert_ok(channel_ping(hospital));
	assert_registrar_recorded(assert_ok(channel_exchange(national, set.bytes, set.count)), "",
				  CPIS__V1__OPERATION__QUARANTINE_SET);
	assert_ok(channel_ping(hospital));
	// Held back anew: the old lifting does not free the thief.
	assert_ok(hold_back(national, token, false, &set_again));
	assert_registrar_recorded(assert_ok(channel_exchange(national, lift.bytes, lift.count)), "",
				  CPIS__V1__OPERATION__QUARANTINE_LIFT);
	(void)channel_refused(channel_ping(hospital), "system_quarantined");
	free(set.bytes);
	free(lift.bytes);
	free(set_again.bytes);
	free(token.data);
	channel_close(national);
}
END_TEST

// ------------------------------------------------------------------ tokens

static void assert_look_recorded(uint64_t index, const char *reason_code, const char *organisation,
				 const char *system_name, const char *uid)
{
	struct world_trace trace = {.reason_code = reason_code,
				    .organisation = organisation,
				    .system_name = system_name,
				    .uid = uid,
				    .nhs_number = child,
				    .operation = CPIS__V1__OPERATION__FLAG};
	world_assert_recorded(world, index, &trace);
}

START_TEST(a_token_is_worthless_once_its_role_has_ended)
{
	ProtobufCBinaryData token = channel_token(hospital, "nurse");
	assert_ok(channel_flag(hospital, token, child));
	long mark = world_log_mark(world);
	world_end_role(world, "nurse");
	world_wait_log(world, mark, "register_loaded");
	assert_look_recorded(channel_refused(channel_flag(hospital, token, child), "role_profile"), "role_profile", "RXH",
			     "hospital-record-system", nurse->uid);
	world_kill(world);
	world_start(world);
	struct channel *again = channel_of("hospital");
	assert_look_recorded(channel_refused(channel_flag(again, token, child), "role_profile"), "role_profile", "RXH",
			     "hospital-record-system", nurse->uid);
	channel_close(again);
	free(token.data);
}
END_TEST

// A token that does not open names nobody that could be believed: the record has the system that showed it, and the child.
START_TEST(a_token_is_worthless_at_the_organisations_second_system_and_at_another_organisation)
{
	long mark = world_log_mark(world);
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "issue-system", "--dir", world_path(world, "authority"), "--ods",
				    "RXH", "--name", "second-record-system", "--out", world_path(world, "systems"), "--file",
				    "second", NULL),
			 0);
	world_wait_log(world, mark, "register_loaded");
	struct channel *second = channel_of("second"), *ambulance = channel_of("ambulance");
	ProtobufCBinaryData token = channel_token(hospital, "nurse");
	assert_look_recorded(channel_refused(channel_flag(second, token, child), "session_invalid"), "session_invalid",
			     "RXH", "second-record-system", "");
	assert_look_recorded(channel_refused(channel_flag(ambulance, token, child), "session_invalid"), "session_invalid",
			     "RYD", "ambulance-record-system", "");
	assert_ok(channel_flag(hospital, token, child));
	// The system's other connections are the system's.
	struct channel *again = channel_of("hospital");
	assert_ok(channel_flag(again, token, child));
	channel_close(again);
	channel_close(second);
	channel_close(ambulance);
	free(token.data);
}
END_TEST

// ------------------------------------------------------------------ two organisations

// The nurse also works as a paramedic at the ambulance service.
static void give_the_nurse_a_second_job(void)
{
	long mark = world_log_mark(world);
	const char *path = world_path(world, "register.yaml");
	char *text = world_read_file(path, NULL), *more = NULL;
	ck_assert_int_gt(asprintf(&more, "%s  - {uid: \"%s\", role: R1070, organisation: RYD, from: 2020-01-01}\n", text,
				  nurse->uid),
			 0);
	world_write_file(path, more);
	world_wait_log(world, mark, "register_loaded");
	free(text);
	free(more);
}

static struct channel_reply *open_with(struct channel *channel, const char *organisation, const char *role)
{
	struct statement statement = channel_statement(channel, "nurse");
	size_t bytes;
	statement.organisation = organisation;
	statement.role = role;
	uint8_t *packed = channel_sign_statement(world, &statement, world_path(world, "staff/nurse.pem"),
						 world_path(world, "staff/nurse.key"), &bytes);
	struct channel_reply *reply = channel_exchange(channel, packed, bytes);
	free(packed);
	return reply;
}

START_TEST(who_works_for_two_organisations_is_at_each_only_what_that_one_made_them)
{
	give_the_nurse_a_second_job();
	struct channel *ambulance = channel_of("ambulance");
	struct channel *const systems[] = {hospital, ambulance};
	const char *const names[] = {"hospital-record-system", "ambulance-record-system"}, *const own[] = {"RXH", "RYD"},
			  *const roles[] = {"R8001", "R1070"};
	for (unsigned here = 0; here < 2; here++) {
		unsigned there = 1 - here;
		assert_ok(open_with(systems[here], own[here], roles[here]));
		// The other organisation's profile through this one's system, whole or in part.
		assert_nurse_recorded(channel_refused(open_with(systems[here], own[there], roles[there]),
						      "statement_organisation"),
				      "statement_organisation", names[here]);
		assert_nurse_recorded(channel_refused(open_with(systems[here], own[there], roles[here]),
						      "statement_organisation"),
				      "statement_organisation", names[here]);
		assert_nurse_recorded(channel_refused(open_with(systems[here], own[here], roles[there]), "role_profile"),
				      "role_profile", names[here]);
	}
	ProtobufCBinaryData token = channel_token(hospital, "nurse");
	assert_look_recorded(channel_refused(channel_flag(ambulance, token, child), "session_invalid"), "session_invalid",
			     "RYD", "ambulance-record-system", "");
	free(token.data);
	channel_close(ambulance);
}
END_TEST

static TCase *new_case(const char *name)
{
	TCase *tests = tcase_create(name);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("attacks_replay");
	TCase *statements = new_case("statements"), *acts = new_case("acts"), *tokens = new_case("tokens");
	tcase_add_test(statements, the_brokers_own_replies_are_no_requests);
	tcase_add_test(statements, a_copied_statement_opens_no_second_session);
	tcase_add_test(statements, a_copied_statement_opens_no_second_session_after_a_restart);
	tcase_add_test(statements, an_opening_repeated_byte_for_byte_is_a_retry_and_each_one_is_recorded);
	tcase_add_test(acts, a_role_that_was_granted_and_ended_does_not_come_back_by_repeating_the_grant);
	tcase_add_test(acts, a_signed_act_does_not_pass_as_a_new_one_nor_in_anybody_elses_session);
	tcase_add_test(acts, a_quarantine_that_was_lifted_does_not_come_back_nor_go_by_repeating_the_act);
	tcase_add_test(tokens, a_token_is_worthless_once_its_role_has_ended);
	tcase_add_test(tokens, a_token_is_worthless_at_the_organisations_second_system_and_at_another_organisation);
	tcase_add_test(tokens, who_works_for_two_organisations_is_at_each_only_what_that_one_made_them);
	suite_add_tcase(suite, statements);
	suite_add_tcase(suite, acts);
	suite_add_tcase(suite, tokens);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
