// What must not work, against the real broker: keys, certificates, statements, tokens, roles and bytes. Each refusal
// says why, and where there is a connection it leaves an audit record that says so too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "certs/authority.h"
#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define DAY_MS (24u * 3600u * 1000u)

static struct world *world;
static char child[11];

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
}

static void teardown(void)
{
	// Whatever was refused, the log is whole and the broker stops in good order.
	if (world_broker_pid(world) != 0)
		ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"),
				    "--log-key", world_path(world, "authority/trust/log.vkey"), NULL),
			 0);
	world_free(world);
}

static struct channel *channel_of(const char *system)
{
	return channel_open(world, world_path(world, "systems/%s.key", system));
}

// The reply refuses with this reason, and so does the record behind it. Frees the reply.
static void assert_refused(struct channel_reply *reply, Cpis__V1__Outcome outcome, const char *reason_code)
{
	ck_assert_str_eq(reply->reply->reason_code, reason_code);
	ck_assert_int_eq(reply->reply->outcome, outcome);
	ck_assert_int_eq(reply->reply->body_case, CPIS__V1__REPLY__BODY__NOT_SET);
	ck_assert_str_ne(reply->reply->reason, "");
	ck_assert_ptr_nonnull(reply->record);
	ck_assert_str_eq(reply->record->reason_code, reason_code);
	ck_assert_int_eq(reply->record->outcome, outcome);
	channel_reply_free(reply);
}

static void assert_ok(struct channel_reply *reply)
{
	ck_assert_msg(reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
	channel_reply_free(reply);
}

// A session's token, malloc'd.
static ProtobufCBinaryData token_on(struct channel *channel, const char *profile)
{
	struct channel_reply *reply = channel_open_session(world, channel, profile);
	ck_assert_msg(reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
	const ProtobufCBinaryData *token = &reply->reply->session_open->session_token;
	ProtobufCBinaryData copy = {.len = token->len, .data = malloc(token->len)};
	ck_assert_ptr_nonnull(copy.data);
	memcpy(copy.data, token->data, token->len);
	channel_reply_free(reply);
	return copy;
}

static struct channel_reply *flag_for(struct channel *channel, ProtobufCBinaryData token, const char *nhs_number,
				      Cpis__V1__CareSetting setting)
{
	Cpis__V1__FlagRequest flag = CPIS__V1__FLAG_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	flag.nhs_number = (char *)(uintptr_t)nhs_number;
	flag.care_setting = setting;
	request.session_token = token;
	request.body_case = CPIS__V1__REQUEST__BODY_FLAG;
	request.flag = &flag;
	return channel_request(channel, &request);
}

static struct channel_reply *flag(struct channel *channel, ProtobufCBinaryData token)
{
	return flag_for(channel, token, child, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
}

// ------------------------------------------------------------------ systems

START_TEST(a_key_nobody_enrolled_is_refused_at_the_handshake)
{
	long mark = world_log_mark(world);
	struct channel *stranger = channel_open(world, NULL);
	ck_assert(!channel_admitted(stranger));
	channel_close(stranger);
	world_wait_log(world, mark, "handshake_refused");
}
END_TEST

START_TEST(a_certified_system_that_is_not_enrolled_is_refused_at_the_handshake)
{
	char detail[CERTS_DETAIL_BYTES];
	struct certificate_description description;
	char serial[2 * SERIAL_BYTES_MAX + 1];
	ck_assert_int_eq(certificate_describe_file(world_path(world, "systems/ambulance.pem"), &description, detail),
			 CERTS_OK);
	certificate_serial_format(&description.serial, serial);
	long mark = world_log_mark(world);
	ck_assert_int_eq(unlink(world_path(world, "authority/enrolled/%s.pem", serial)), 0);
	world_wait_log(world, mark, "register_loaded");
	struct channel *ambulance = channel_of("ambulance");
	ck_assert(!channel_admitted(ambulance));
	channel_close(ambulance);
	ck_assert_int_eq(world_cpis(world, "paramedic", "ping", NULL), 3);
}
END_TEST

START_TEST(a_system_revoked_while_connected_is_refused_within_a_second)
{
	struct channel *hospital = channel_of("hospital");
	ProtobufCBinaryData token = token_on(hospital, "nurse");
	assert_ok(flag(hospital, token));
	world_revoke(world, world_path(world, "systems/hospital.pem"));
	uint64_t revoked = world_monotonic_ms();
	struct channel_reply *reply = flag(hospital, token);
	while (reply->reply->outcome == CPIS__V1__OUTCOME__OK) {
		ck_assert_uint_lt(world_monotonic_ms() - revoked, 1000);
		channel_reply_free(reply);
		reply = flag(hospital, token);
	}
	assert_refused(reply, CPIS__V1__OUTCOME__ASID_CHECK_FAILED, "system_revoked");
	struct channel *again = channel_of("hospital");
	ck_assert(!channel_admitted(again));
	channel_close(again);
	channel_close(hospital);
	free(token.data);
}
END_TEST

START_TEST(an_expired_system_is_refused_at_the_handshake)
{
	struct authority_paths paths;
	char detail[CERTS_DETAIL_BYTES];
	long mark = world_log_mark(world);
	ck_assert_int_eq(authority_issue_system(world_path(world, "authority"), "RXH", "old-system",
						world_path(world, "systems"), "old", 1, world_now_ms() - 2 * DAY_MS,
						&paths, detail),
			 CERTS_OK);
	world_wait_log(world, mark, "register_loaded");
	struct channel *old = channel_open(world, paths.key);
	ck_assert(!channel_admitted(old));
	channel_close(old);
}
END_TEST

START_TEST(a_system_that_expires_while_connected_is_refused_from_then_on)
{
	struct authority_paths paths;
	char detail[CERTS_DETAIL_BYTES];
	long mark = world_log_mark(world);
	uint64_t end = world_now_ms() + 4000;
	ck_assert_int_eq(authority_issue_system(world_path(world, "authority"), "RXH", "ending-system",
						world_path(world, "systems"), "ending", 1, end - DAY_MS, &paths, detail),
			 CERTS_OK);
	world_wait_log(world, mark, "register_loaded");
	struct channel *ending = channel_open(world, paths.key);
	struct channel_reply *reply = channel_ping(ending);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	while (reply->reply->outcome == CPIS__V1__OUTCOME__OK) {
		ck_assert_uint_lt(world_now_ms(), end + 1000);
		channel_reply_free(reply);
		reply = channel_ping(ending);
	}
	assert_refused(reply, CPIS__V1__OUTCOME__ASID_CHECK_FAILED, "system_expired");
	channel_close(ending);
}
END_TEST

START_TEST(an_organisation_that_is_not_in_the_register_is_refused)
{
	struct authority_paths paths;
	char detail[CERTS_DETAIL_BYTES];
	long mark = world_log_mark(world);
	ck_assert_int_eq(authority_issue_system(world_path(world, "authority"), "ZZZ99", "stray-system",
						world_path(world, "systems"), "stray", 1, world_now_ms(), &paths,
						detail),
			 CERTS_OK);
	world_wait_log(world, mark, "register_loaded");
	struct channel *stray = channel_open(world, paths.key);
	assert_refused(channel_ping(stray), CPIS__V1__OUTCOME__ASID_CHECK_FAILED, "organisation_unknown");
	channel_close(stray);
}
END_TEST

// ------------------------------------------------------------------ staff and statements

// Signs with a person's key and sends on a channel.
static struct channel_reply *present(struct channel *channel, const struct statement *statement, const char *certificate,
				     const char *key)
{
	size_t bytes;
	uint8_t *packed = channel_sign_statement(world, statement, world_path(world, "staff/%s.pem", certificate),
						 world_path(world, "staff/%s.key", key), &bytes);
	struct channel_reply *reply = channel_exchange(channel, packed, bytes);
	free(packed);
	return reply;
}

START_TEST(a_statement_is_worthless_on_another_channel)
{
	struct channel *hospital = channel_of("hospital"), *leeds = channel_of("leeds");
	struct statement statement = channel_statement(hospital, "nurse");
	size_t bytes;
	uint8_t *packed = channel_sign_statement(world, &statement, world_path(world, "staff/nurse.pem"),
						 world_path(world, "staff/nurse.key"), &bytes);
	assert_ok(channel_exchange(hospital, packed, bytes));
	assert_refused(channel_exchange(leeds, packed, bytes), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR,
		       "statement_channel");
	free(packed);
	channel_close(hospital);
	channel_close(leeds);
}
END_TEST

START_TEST(a_statement_that_says_anything_else_is_refused)
{
	struct channel *hospital = channel_of("hospital");
	const struct statement truth = channel_statement(hospital, "nurse");
	const Cpis__V1__Outcome outcome = CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR;
	struct statement lie = truth;
	lie.uid = world_person("midwife")->uid;
	assert_refused(present(hospital, &lie, "nurse", "nurse"), outcome, "statement_person");
	lie = truth;
	lie.broker_name = "another-broker";
	assert_refused(present(hospital, &lie, "nurse", "nurse"), outcome, "statement_broker");
	lie = truth;
	lie.time_ms = world_now_ms() - CLOCK_SKEW_MS_MAX - 5000;
	assert_refused(present(hospital, &lie, "nurse", "nurse"), outcome, "statement_time");
	lie.time_ms = world_now_ms() + CLOCK_SKEW_MS_MAX + 5000;
	assert_refused(present(hospital, &lie, "nurse", "nurse"), outcome, "statement_time");
	lie = truth;
	lie.organisation = "RYD";
	assert_refused(present(hospital, &lie, "nurse", "nurse"), outcome, "statement_organisation");
	lie = truth;
	lie.role = "R0001";
	assert_refused(present(hospital, &lie, "nurse", "nurse"), outcome, "role_profile");
	assert_refused(present(hospital, &truth, "nurse", "midwife"), outcome, "statement_signature");
	assert_ok(present(hospital, &truth, "nurse", "nurse"));
	channel_close(hospital);
}
END_TEST

START_TEST(staff_of_another_organisation_have_no_role_here)
{
	struct channel *ambulance = channel_of("ambulance");
	struct statement statement = channel_statement(ambulance, "nurse");
	statement.organisation = "RYD";
	assert_refused(present(ambulance, &statement, "nurse", "nurse"), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR,
		       "role_profile");
	channel_close(ambulance);
}
END_TEST

START_TEST(an_expired_member_of_staff_is_refused)
{
	struct authority_paths paths;
	char detail[CERTS_DETAIL_BYTES];
	ck_assert_int_eq(authority_issue_staff(world_path(world, "authority"), world_person("nurse")->uid, "Grace Okafor",
					       world_path(world, "staff"), "old_nurse", 1, world_now_ms() - 2 * DAY_MS,
					       &paths, detail),
			 CERTS_OK);
	struct channel *hospital = channel_of("hospital");
	struct statement statement = channel_statement(hospital, "nurse");
	assert_refused(present(hospital, &statement, "old_nurse", "old_nurse"),
		       CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR, "staff_expired");
	channel_close(hospital);
}
END_TEST

START_TEST(a_member_of_staff_revoked_in_mid_session_is_refused_and_so_is_a_new_session)
{
	struct channel *hospital = channel_of("hospital");
	ProtobufCBinaryData token = token_on(hospital, "nurse");
	assert_ok(flag(hospital, token));
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "staff/nurse.pem"));
	world_wait_log(world, mark, "register_loaded");
	assert_refused(flag(hospital, token), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR, "staff_revoked");
	assert_refused(channel_open_session(world, hospital, "nurse"), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR,
		       "staff_revoked");
	channel_close(hospital);
	free(token.data);
}
END_TEST

START_TEST(a_role_that_was_ended_stops_in_mid_session)
{
	struct channel *hospital = channel_of("hospital");
	ProtobufCBinaryData token = token_on(hospital, "nurse");
	assert_ok(flag(hospital, token));
	long mark = world_log_mark(world);
	world_end_role(world, "nurse");
	world_wait_log(world, mark, "register_loaded");
	assert_refused(flag(hospital, token), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR, "role_profile");
	channel_close(hospital);
	free(token.data);
}
END_TEST

// ------------------------------------------------------------------ tokens

START_TEST(a_token_with_any_byte_altered_is_refused)
{
	struct channel *hospital = channel_of("hospital");
	ProtobufCBinaryData token = token_on(hospital, "nurse");
	for (size_t i = 0; i < token.len; i++) {
		token.data[i] ^= 1;
		assert_refused(flag(hospital, token), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR, "session_invalid");
		token.data[i] ^= 1;
	}
	token.len--;
	assert_refused(flag(hospital, token), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR, "session_invalid");
	token.len++;
	assert_ok(flag(hospital, token));
	channel_close(hospital);
	free(token.data);
}
END_TEST

START_TEST(a_token_is_worthless_on_another_channel)
{
	struct channel *hospital = channel_of("hospital"), *ambulance = channel_of("ambulance");
	ProtobufCBinaryData token = token_on(hospital, "nurse");
	assert_refused(flag(ambulance, token), CPIS__V1__OUTCOME__AUTHOR_CREDENTIALS_ERROR, "session_invalid");
	assert_ok(flag(hospital, token));
	channel_close(hospital);
	channel_close(ambulance);
	free(token.data);
}
END_TEST

START_TEST(without_a_session_nothing_is_looked_up)
{
	static const ProtobufCBinaryData none = {0, NULL};
	struct channel *hospital = channel_of("hospital");
	assert_refused(flag(hospital, none), CPIS__V1__OUTCOME__SESSION_EXPIRED, "session_missing");
	channel_close(hospital);
}
END_TEST

// ------------------------------------------------------------------ roles and values

START_TEST(a_role_without_the_activity_is_refused)
{
	static const char *const roles[] = {"receptionist", "privacy_officer"};
	struct channel *hospital = channel_of("hospital");
	for (size_t i = 0; i < 2; i++) {
		ProtobufCBinaryData token = token_on(hospital, roles[i]);
		assert_refused(flag(hospital, token), CPIS__V1__OUTCOME__ACCESS_DENIED, "role_lacks_activity");
		free(token.data);
	}
	channel_close(hospital);
}
END_TEST

START_TEST(a_care_setting_that_is_not_the_organisations_is_refused)
{
	struct channel *hospital = channel_of("hospital");
	ProtobufCBinaryData token = token_on(hospital, "nurse");
	assert_refused(flag_for(hospital, token, child, CPIS__V1__CARE_SETTING__AMBULANCE),
		       CPIS__V1__OUTCOME__ACCESS_DENIED, "care_setting_not_in_scope");
	assert_refused(flag_for(hospital, token, child, CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED),
		       CPIS__V1__OUTCOME__INVALID_VALUE, "care_setting_needed");
	channel_close(hospital);
	free(token.data);
}
END_TEST

static struct channel_reply *publish_as(struct channel *channel, ProtobufCBinaryData token, const char *profile,
					const char *authority)
{
	Cpis__V1__PlanRecord record, *records[] = {&record};
	Cpis__V1__PublishRequest publish = CPIS__V1__PUBLISH_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	size_t bytes;
	world_plan(&record, child, CPIS__V1__PLAN_TYPE__CPP, "2024-05-01");
	publish.authority = (char *)(uintptr_t)authority;
	publish.n_records = 1;
	publish.records = records;
	request.session_token = token;
	request.body_case = CPIS__V1__REQUEST__BODY_PUBLISH;
	request.publish = &publish;
	uint8_t *packed = channel_pack_act(channel, &request, profile, &bytes);
	struct channel_reply *reply = channel_exchange(channel, packed, bytes);
	free(packed);
	return reply;
}

START_TEST(only_an_authority_publishes_and_only_for_itself)
{
	struct channel *leeds = channel_of("leeds"), *hospital = channel_of("hospital");
	ProtobufCBinaryData worker = token_on(leeds, "leeds"), duty = token_on(leeds, "leeds_duty"),
			    nurse = token_on(hospital, "nurse");
	assert_refused(publish_as(leeds, worker, "leeds", "846"), CPIS__V1__OUTCOME__ACCESS_DENIED, "other_authority");
	assert_refused(publish_as(leeds, duty, "leeds_duty", "383"), CPIS__V1__OUTCOME__ACCESS_DENIED, "role_lacks_activity");
	assert_refused(publish_as(hospital, nurse, "nurse", "RXH"), CPIS__V1__OUTCOME__ACCESS_DENIED, "organisation_type");
	struct channel_reply *reply = flag(hospital, nurse);
	ck_assert_int_eq(reply->reply->flag->flag, false);
	assert_ok(reply);
	free(worker.data);
	free(duty.data);
	free(nurse.data);
	channel_close(leeds);
	channel_close(hospital);
}
END_TEST

START_TEST(an_authority_does_not_look_up_children)
{
	struct channel *leeds = channel_of("leeds");
	ProtobufCBinaryData token = token_on(leeds, "leeds");
	assert_refused(flag_for(leeds, token, child, CPIS__V1__CARE_SETTING__CARE_SETTING_UNSPECIFIED),
		       CPIS__V1__OUTCOME__ACCESS_DENIED, "organisation_type");
	channel_close(leeds);
	free(token.data);
}
END_TEST

START_TEST(an_nhs_number_that_is_none_is_refused)
{
	static const char *const wrong[] = {"9990000019", "999000001", "99900000180", "999000001X", "9999999999"};
	struct channel *hospital = channel_of("hospital");
	ProtobufCBinaryData token = token_on(hospital, "nurse");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_refused(flag_for(hospital, token, wrong[i], CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT),
			       CPIS__V1__OUTCOME__INVALID_NHS_NUMBER, "nhs_number");
	channel_close(hospital);
	free(token.data);
}
END_TEST

// ------------------------------------------------------------------ bytes

static void assert_malformed(struct channel *channel, const void *data, size_t bytes)
{
	uint64_t before = world_monotonic_ms();
	assert_refused(channel_exchange(channel, data, bytes), CPIS__V1__OUTCOME__MESSAGE_NOT_WELL_FORMED,
		       "message_not_well_formed");
	ck_assert_uint_lt(world_monotonic_ms() - before, 5000);
}

START_TEST(garbage_is_refused_and_recorded)
{
	uint8_t bytes[2048];
	struct channel *hospital = channel_of("hospital");
	assert_malformed(hospital, "", 0);
	for (unsigned i = 0; i < 200; i++) {
		size_t count = 1 + world_random(sizeof bytes - 1);
		for (size_t j = 0; j < count; j++)
			bytes[j] = (uint8_t)world_random(256);
		// A first field that can be a request's would be one in many; none of these is a whole one.
		struct channel_reply *reply = channel_exchange(hospital, bytes, count);
		ck_assert_int_ne(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
		ck_assert_ptr_nonnull(reply->record);
		channel_reply_free(reply);
	}
	assert_ok(channel_ping(hospital));
	channel_close(hospital);
}
END_TEST

// A well-formed ping's beginning: version 1, a request id, a deadline.
static size_t put_envelope(uint8_t *out)
{
	static const uint8_t envelope[] = {0x08, 0x01, 0x12, 0x10, 'r', 'e', 'q', 'u', 'e', 's', 't', '-', 'i',
					   'd',  '-',  '0',  '0',  '0', '1', '!', 0x18, 0xe8, 0x07};
	memcpy(out, envelope, sizeof envelope);
	return sizeof envelope;
}

START_TEST(a_merge_bomb_is_refused_at_once)
{
	static uint8_t bytes[MESSAGE_BYTES_MAX];
	size_t used = put_envelope(bytes);
	struct channel *hospital = channel_of("hospital");
	// `flag` (field 18) again and again, each with the same number: protobuf merges them in quadratic time.
	while (used + 15 <= sizeof bytes) {
		memcpy(bytes + used, "\x92\x01\x0c\x0a\x0a" "9990000018", 15);
		used += 15;
	}
	assert_malformed(hospital, bytes, used);
	assert_ok(channel_ping(hospital));
	channel_close(hospital);
}
END_TEST

START_TEST(deep_nesting_is_refused_at_once)
{
	static uint8_t bytes[30000], inner[30000];
	struct channel *hospital = channel_of("hospital");
	size_t depth_bytes = 0;
	// Field 1, length-delimited, around itself for as long as a two-byte length can say.
	while (depth_bytes < 16000) {
		size_t header = depth_bytes < 128 ? 2 : 3;
		memmove(inner + header, inner, depth_bytes);
		inner[0] = 0x0a;
		inner[1] = (uint8_t)(depth_bytes < 128 ? depth_bytes : (depth_bytes & 0x7f) | 0x80);
		if (header == 3)
			inner[2] = (uint8_t)(depth_bytes >> 7);
		depth_bytes += header;
	}
	size_t used = put_envelope(bytes);
	bytes[used++] = 0x92;
	bytes[used++] = 0x01;
	bytes[used++] = (uint8_t)((depth_bytes & 0x7f) | 0x80);
	bytes[used++] = (uint8_t)(depth_bytes >> 7);
	memcpy(bytes + used, inner, depth_bytes);
	assert_malformed(hospital, bytes, used + depth_bytes);
	assert_ok(channel_ping(hospital));
	channel_close(hospital);
}
END_TEST

START_TEST(the_largest_message_is_refused_by_its_contents_and_a_larger_one_ends_its_connection)
{
	static uint8_t bytes[MESSAGE_BYTES_MAX + 1];
	struct channel *hospital = channel_of("hospital"), *ambulance = channel_of("ambulance");
	assert_ok(channel_ping(ambulance));
	assert_malformed(hospital, bytes, MESSAGE_BYTES_MAX);
	channel_send(hospital, bytes, MESSAGE_BYTES_MAX + 1);
	channel_wait_closed(hospital);
	assert_ok(channel_ping(ambulance));
	channel_close(hospital);
	channel_close(ambulance);
}
END_TEST

START_TEST(another_protocol_version_is_told_so)
{
	uint8_t bytes[64];
	size_t used = put_envelope(bytes);
	struct channel *hospital = channel_of("hospital");
	bytes[1] = 2;
	memcpy(bytes + used, "\x82\x01\x00", 3);
	assert_refused(channel_exchange(hospital, bytes, used + 3), CPIS__V1__OUTCOME__NO_LONGER_SUPPORTED,
		       "protocol_version");
	bytes[1] = 1;
	assert_ok(channel_exchange(hospital, bytes, used + 3));
	channel_close(hospital);
}
END_TEST

START_TEST(refusals_are_found_by_the_auditor)
{
	struct channel *hospital = channel_of("hospital");
	ProtobufCBinaryData token = token_on(hospital, "receptionist");
	assert_refused(flag(hospital, token), CPIS__V1__OUTCOME__ACCESS_DENIED, "role_lacks_activity");
	assert_malformed(hospital, "x", 1);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "search", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "role_lacks_activity"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "message_not_well_formed"));
	ck_assert_ptr_nonnull(strstr(world_out(world), world_person("receptionist")->uid));
	channel_close(hospital);
	free(token.data);
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
	Suite *suite = suite_create("refusals");
	TCase *systems = new_case("systems"), *staff = new_case("staff"), *roles = new_case("roles"),
	      *bytes = new_case("bytes");
	tcase_add_test(systems, a_key_nobody_enrolled_is_refused_at_the_handshake);
	tcase_add_test(systems, a_certified_system_that_is_not_enrolled_is_refused_at_the_handshake);
	tcase_add_test(systems, a_system_revoked_while_connected_is_refused_within_a_second);
	tcase_add_test(systems, an_expired_system_is_refused_at_the_handshake);
	tcase_add_test(systems, a_system_that_expires_while_connected_is_refused_from_then_on);
	tcase_add_test(systems, an_organisation_that_is_not_in_the_register_is_refused);
	tcase_add_test(staff, a_statement_is_worthless_on_another_channel);
	tcase_add_test(staff, a_statement_that_says_anything_else_is_refused);
	tcase_add_test(staff, staff_of_another_organisation_have_no_role_here);
	tcase_add_test(staff, an_expired_member_of_staff_is_refused);
	tcase_add_test(staff, a_member_of_staff_revoked_in_mid_session_is_refused_and_so_is_a_new_session);
	tcase_add_test(staff, a_role_that_was_ended_stops_in_mid_session);
	tcase_add_test(staff, a_token_with_any_byte_altered_is_refused);
	tcase_add_test(staff, a_token_is_worthless_on_another_channel);
	tcase_add_test(staff, without_a_session_nothing_is_looked_up);
	tcase_add_test(roles, a_role_without_the_activity_is_refused);
	tcase_add_test(roles, a_care_setting_that_is_not_the_organisations_is_refused);
	tcase_add_test(roles, only_an_authority_publishes_and_only_for_itself);
	tcase_add_test(roles, an_authority_does_not_look_up_children);
	tcase_add_test(roles, an_nhs_number_that_is_none_is_refused);
	tcase_add_test(roles, refusals_are_found_by_the_auditor);
	tcase_add_test(bytes, garbage_is_refused_and_recorded);
	tcase_add_test(bytes, a_merge_bomb_is_refused_at_once);
	tcase_add_test(bytes, deep_nesting_is_refused_at_once);
	tcase_add_test(bytes, the_largest_message_is_refused_by_its_contents_and_a_larger_one_ends_its_connection);
	tcase_add_test(bytes, another_protocol_version_is_told_so);
	suite_add_tcase(suite, systems);
	suite_add_tcase(suite, staff);
	suite_add_tcase(suite, roles);
	suite_add_tcase(suite, bytes);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
