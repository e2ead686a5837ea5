// What a client of its own making tries at the real broker's door: to be somebody else by the names that ZeroMQ lets a
// client claim, and to talk its way out of CURVE. How the edge itself behaves is in unit/broker/test_transport_admission.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "certs/key.h"
#include "proto/audit_record.h"
#include "proto/wire.h"
#include "tests/harness/raw_curve.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define ROUNDS 20
#define SILENCE_MS 100
#define VICTIM "hospital"
#define THIEF "leeds"

static struct world *world;
static struct curve_key_pair broker, victim_key, thief_key;

static void load(const char *path, struct curve_key_pair *ret)
{
	ck_assert_int_eq(curve_key_load(path, ret), CERTS_OK);
}

static void setup(void)
{
	world = world_new();
	load(world_path(world, "authority/broker/broker.key"), &broker);
	load(world_path(world, "systems/" VICTIM ".key"), &victim_key);
	load(world_path(world, "systems/" THIEF ".key"), &thief_key);
	world_start(world);
}

static void teardown(void)
{
	// Nothing of it stopped the broker.
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// ------------------------------------------------------------------ hand-made clients

static struct raw_curve_options options_of(const struct curve_key_pair *key)
{
	return (struct raw_curve_options){.endpoint = world_endpoint(world),
					  .server_public = broker.public_key,
					  .public_key = key->public_key,
					  .secret_key = key->secret_key};
}

static struct raw_curve *connect_claiming(const struct curve_key_pair *key, const char *property, const void *value,
					  size_t bytes)
{
	struct raw_curve *client = NULL;
	struct raw_curve_options options = options_of(key);
	if (property != NULL)
		options.properties[0] = (struct raw_curve_property){property, value, bytes};
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_OK);
	return client;
}

// Whose request it is stands in its id.
static void ask(struct raw_curve *client, char whose, uint8_t number)
{
	uint8_t id[REQUEST_ID_BYTES] = {(uint8_t)whose, number}, bytes[64];
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	request.protocol_version = PROTOCOL_VERSION;
	request.request_id = (ProtobufCBinaryData){sizeof id, id};
	request.deadline_ms = 10000;
	request.body_case = CPIS__V1__REQUEST__BODY_PING;
	request.ping = &ping;
	ck_assert_int_eq(raw_curve_send(client, bytes, cpis__v1__request__pack(&request, bytes), false, WORLD_WAIT_MS),
			 RAW_CURVE_OK);
}

// The next thing that this client hears is the answer to its own question, recorded under its own system's name. Returns the
// record's place.
static uint64_t assert_hears_own(struct raw_curve *client, char whose, uint8_t number, const char *system_name)
{
	static uint8_t bytes[MESSAGE_BYTES_MAX];
	struct arena arena;
	struct wire_error error;
	Cpis__V1__Reply *reply = NULL;
	Cpis__V1__AuditRecord *record = NULL;
	size_t count = 0;
	ck_assert_int_eq(raw_curve_receive(client, bytes, sizeof bytes, &count, WORLD_WAIT_MS), RAW_CURVE_OK);
	ck_assert(arena_init(&arena, ARENA_BYTES));
	ck_assert_int_eq(wire_reply_decode(&arena, bytes, count, &reply, &error), WIRE_OK);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert_int_eq(reply->request_id.data[0], whose);
	ck_assert_int_eq(reply->request_id.data[1], number);
	ck_assert_int_eq(audit_record_decode(&arena, reply->receipt->record.data, reply->receipt->record.len, &record, &error),
			 WIRE_OK);
	ck_assert_str_eq(record->system_name, system_name);
	uint64_t index = reply->receipt->index;
	arena_done(&arena);
	return index;
}

static void assert_hears_nothing_more(struct raw_curve *client)
{
	uint8_t bytes[64];
	size_t count;
	ck_assert_int_eq(raw_curve_receive(client, bytes, sizeof bytes, &count, SILENCE_MS), RAW_CURVE_TIMEOUT);
}

// Both ask, as fast as they can; each hears its own answers, all of them and no other.
static void assert_kept_apart(struct raw_curve *victim, struct raw_curve *thief)
{
	uint64_t index = 0;
	for (uint8_t i = 0; i < ROUNDS; i++) {
		ask(victim, 'v', i);
		ask(thief, 't', i);
	}
	for (uint8_t i = 0; i < ROUNDS; i++) {
		(void)assert_hears_own(victim, 'v', i, "hospital-record-system");
		index = assert_hears_own(thief, 't', i, "leeds-case-system");
	}
	assert_hears_nothing_more(thief);
	// What the thief did stands under the thief's own name.
	struct world_trace trace = {.organisation = "383", .system_name = "leeds-case-system"};
	world_assert_recorded(world, index, &trace);
}

// ------------------------------------------------------------------ claimed names

static const struct claim {
	const char *property, *value;
	size_t bytes;
} claims[] = {
	{"Identity", "hospital", 8}, // what the victim claims too
	{"Identity", "\0\0\0\0\1", 5}, // of the kind that libzmq gives out
	{"Identity", "", 0},
	{"User-Id", "RXH/hospital-record-system", 26},
	{"User-Id", "00000000000000000000000000000000", 32}, // of the kind that our handler gives out
};

START_TEST(a_claimed_name_takes_nobodys_replies_and_nobodys_place)
{
	const struct claim *claim = &claims[_i];
	struct raw_curve *victim = connect_claiming(&victim_key, "Identity", "hospital", 8);
	ask(victim, 'v', 0);
	(void)assert_hears_own(victim, 'v', 0, "hospital-record-system");
	struct raw_curve *thief = connect_claiming(&thief_key, claim->property, claim->value, claim->bytes);
	assert_kept_apart(victim, thief);
	raw_curve_close(thief);
	raw_curve_close(victim);
}
END_TEST

START_TEST(whoever_claims_a_name_first_keeps_nobody_out)
{
	const struct claim *claim = &claims[_i];
	struct raw_curve *thief = connect_claiming(&thief_key, claim->property, claim->value, claim->bytes);
	ask(thief, 't', 0);
	(void)assert_hears_own(thief, 't', 0, "leeds-case-system");
	struct raw_curve *victim = connect_claiming(&victim_key, claim->property, claim->value, claim->bytes);
	assert_kept_apart(victim, thief);
	raw_curve_close(thief);
	raw_curve_close(victim);
}
END_TEST

// The victim's key as anybody knows it who has seen the certificate.
START_TEST(the_victims_public_key_as_a_name_makes_nobody_the_victim)
{
	char hexadecimal[2 * KEY_BYTES + 1];
	for (size_t i = 0; i < KEY_BYTES; i++)
		snprintf(hexadecimal + 2 * i, 3, "%02x", victim_key.public_key[i]);
	struct raw_curve *victim = connect_claiming(&victim_key, NULL, NULL, 0);
	struct raw_curve *raw = connect_claiming(&thief_key, "Identity", victim_key.public_key, KEY_BYTES);
	assert_kept_apart(victim, raw);
	raw_curve_close(raw);
	struct raw_curve *text = connect_claiming(&thief_key, "User-Id", hexadecimal, sizeof hexadecimal - 1);
	assert_kept_apart(victim, text);
	raw_curve_close(text);
	raw_curve_close(victim);
}
END_TEST

// libzmq aborts when it gives out a number that somebody has claimed: here many are claimed while honest clients come.
START_TEST(claiming_the_numbers_that_come_next_stops_nobody)
{
	enum { CLAIMS = 32 };
	struct raw_curve *thieves[CLAIMS], *victims[CLAIMS];
	uint8_t id[5] = {0};
	for (uint8_t i = 0; i < CLAIMS; i++) {
		id[4] = i;
		thieves[i] = connect_claiming(&thief_key, "Identity", id, sizeof id);
		victims[i] = connect_claiming(&victim_key, NULL, NULL, 0);
	}
	for (uint8_t i = 0; i < CLAIMS; i++) {
		ask(victims[i], 'v', i);
		ask(thieves[i], 't', i);
	}
	for (uint8_t i = 0; i < CLAIMS; i++) {
		(void)assert_hears_own(victims[i], 'v', i, "hospital-record-system");
		(void)assert_hears_own(thieves[i], 't', i, "leeds-case-system");
		raw_curve_close(victims[i]);
		raw_curve_close(thieves[i]);
	}
}
END_TEST

// ------------------------------------------------------------------ the door

static void assert_still_serves(void)
{
	struct raw_curve *victim = connect_claiming(&victim_key, NULL, NULL, 0);
	ask(victim, 'v', 0);
	(void)assert_hears_own(victim, 'v', 0, "hospital-record-system");
	raw_curve_close(victim);
}

// The audit log says what was tried, and `where`; once the broker has told the operator's log that it does.
static void assert_on_record(long mark, const char *reason_code, const char *where)
{
	world_wait_log(world, mark, reason_code);
	struct world_handshakes found = world_handshakes(world, reason_code);
	ck_assert_uint_eq(found.records, 1);
	ck_assert_uint_eq(found.count, 1);
	ck_assert_str_eq(found.target, where);
}

static const char *at_the_endpoint(void)
{
	static char text[128];
	snprintf(text, sizeof text, "at %s", world_endpoint(world));
	return text;
}

static const struct {
	const char *mechanism;
	uint8_t version;
	const char *reason_code;
} downgrades[] = {
	{"NULL", 3, "handshake_mechanism"},   {"PLAIN", 3, "handshake_mechanism"}, {"", 3, "handshake_mechanism"},
	{"CURVE2", 3, "handshake_mechanism"}, {"curve", 3, "handshake_mechanism"}, {"NULL", 2, "handshake_mechanism"},
	{"NULL", 1, "handshake_protocol"}, // ZMTP 2.0
};

START_TEST(an_enrolled_system_is_not_let_in_without_curve_nor_by_an_older_protocol)
{
	struct raw_curve *client = NULL;
	struct raw_curve_options options = options_of(&victim_key);
	options.mechanism = downgrades[_i].mechanism;
	options.version = downgrades[_i].version;
	long mark = world_log_mark(world);
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_CLOSED);
	raw_curve_close(client);
	assert_still_serves();
	assert_on_record(mark, downgrades[_i].reason_code, at_the_endpoint());
}
END_TEST

// ZMTP 1.0 has no greeting: a length, flags, the routing id, then messages.
START_TEST(the_first_protocol_without_a_greeting_is_not_spoken)
{
	struct raw_curve *client = NULL;
	struct raw_curve_options options = options_of(&victim_key);
	options.stop = RAW_CURVE_STOP_CONNECTED;
	long mark = world_log_mark(world);
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_STOPPED);
	ck_assert_int_eq(raw_curve_send_plain(client, "\1\0\3\0hi", 6, WORLD_WAIT_MS), RAW_CURVE_OK);
	ck_assert_int_eq(raw_curve_wait_closed(client, WORLD_WAIT_MS), RAW_CURVE_CLOSED);
	raw_curve_close(client);
	assert_still_serves();
	assert_on_record(mark, "handshake_protocol", at_the_endpoint());
}
END_TEST

// The trace of whoever proves a key that does not get in: its first bytes, and from where. In the audit log at once, and in the
// operator's log each time.
START_TEST(a_key_that_nobody_enrolled_is_refused_and_named_in_both_logs)
{
	struct curve_key_pair stranger;
	struct raw_curve *client = NULL;
	char line[64];
	ck_assert_int_eq(curve_key_generate(&stranger), CERTS_OK);
	struct raw_curve_options options = options_of(&stranger);
	// Whoever it claims to be.
	options.properties[0] = (struct raw_curve_property){"User-Id", "RXH/hospital-record-system", 26};
	long mark = world_log_mark(world);
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_REFUSED);
	ck_assert_str_eq(raw_curve_reason(client), "400");
	raw_curve_close(client);
	world_wait_log(world, mark, "handshake_refused");
	snprintf(line, sizeof line, "key %02x%02x%02x%02x from 127.0.0.1", stranger.public_key[0], stranger.public_key[1],
		 stranger.public_key[2], stranger.public_key[3]);
	ck_assert_ptr_nonnull(strstr(world_log(world) + mark, line));
	assert_still_serves();
	assert_on_record(mark, "handshake_unknown_key", line);
}
END_TEST

START_TEST(a_revoked_key_is_refused_and_on_record)
{
	struct raw_curve *client = NULL;
	char line[64];
	struct raw_curve_options options = options_of(&thief_key);
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "systems/" THIEF ".pem"));
	world_wait_log(world, mark, "register_loaded");
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_REFUSED);
	raw_curve_close(client);
	snprintf(line, sizeof line, "key %02x%02x%02x%02x from 127.0.0.1", thief_key.public_key[0], thief_key.public_key[1],
		 thief_key.public_key[2], thief_key.public_key[3]);
	assert_still_serves();
	assert_on_record(mark, "handshake_revoked", line);
}
END_TEST

// The victim's certificate is public; the key behind it is not.
START_TEST(a_known_key_without_its_secret_is_not_let_in)
{
	struct raw_curve *client = NULL;
	struct raw_curve_options options = options_of(&victim_key);
	options.secret_key = thief_key.secret_key;
	long mark = world_log_mark(world);
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_CLOSED);
	raw_curve_close(client);
	assert_still_serves();
	assert_on_record(mark, "handshake_secret", at_the_endpoint());
}
END_TEST

START_TEST(whoever_means_another_broker_is_on_record)
{
	struct raw_curve *client = NULL;
	struct raw_curve_options options = options_of(&victim_key);
	options.server_public = thief_key.public_key;
	long mark = world_log_mark(world);
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_CLOSED);
	raw_curve_close(client);
	assert_on_record(mark, "handshake_secret", at_the_endpoint());
}
END_TEST

START_TEST(half_a_handshake_is_on_record)
{
	struct raw_curve *client = NULL;
	struct raw_curve_options options = options_of(&victim_key);
	options.stop = RAW_CURVE_STOP_HELLO;
	long mark = world_log_mark(world);
	ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_STOPPED);
	raw_curve_close(client);
	assert_on_record(mark, "handshake_unfinished", at_the_endpoint());
}
END_TEST

// A flood is one record at once, one a minute while it lasts and one when the broker stops; none of it is lost, and the log
// verifies.
START_TEST(a_flood_at_the_door_cannot_fill_the_audit_log)
{
	enum { FLOOD = 400 };
	struct raw_curve_options options = options_of(&victim_key);
	options.mechanism = "NULL";
	uint64_t began_ms = world_monotonic_ms();
	for (int i = 0; i < FLOOD; i++) {
		struct raw_curve *client = NULL;
		ck_assert_int_eq(raw_curve_open(&options, WORLD_WAIT_MS, &client), RAW_CURVE_CLOSED);
		raw_curve_close(client);
	}
	assert_still_serves();
	ck_assert_int_eq(world_stop(world), 0);
	uint64_t minutes = (world_monotonic_ms() - began_ms) / 60000;
	world_start(world);
	struct world_handshakes found = world_handshakes(world, "handshake_mechanism");
	ck_assert_uint_eq(found.count, FLOOD);
	ck_assert_uint_ge(found.records, 1);
	ck_assert_uint_le(found.records, 2 + minutes);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL),
			 0);
	// The person who reads it sees how often.
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), "HANDSHAKE"));
	ck_assert_ptr_nonnull(strstr(world_out(world), "offered NULL, PLAIN or another mechanism in place of CURVE"));
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

static TCase *new_case(const char *name)
{
	TCase *tests = tcase_create(name);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("attacks_edge");
	TCase *names = new_case("names"), *door = new_case("door");
	tcase_add_loop_test(names, a_claimed_name_takes_nobodys_replies_and_nobodys_place, 0, COUNT(claims));
	tcase_add_loop_test(names, whoever_claims_a_name_first_keeps_nobody_out, 0, COUNT(claims));
	tcase_add_test(names, the_victims_public_key_as_a_name_makes_nobody_the_victim);
	tcase_add_test(names, claiming_the_numbers_that_come_next_stops_nobody);
	tcase_add_loop_test(door, an_enrolled_system_is_not_let_in_without_curve_nor_by_an_older_protocol, 0,
			    COUNT(downgrades));
	tcase_add_test(door, the_first_protocol_without_a_greeting_is_not_spoken);
	tcase_add_test(door, a_key_that_nobody_enrolled_is_refused_and_named_in_both_logs);
	tcase_add_test(door, a_revoked_key_is_refused_and_on_record);
	tcase_add_test(door, a_known_key_without_its_secret_is_not_let_in);
	tcase_add_test(door, whoever_means_another_broker_is_on_record);
	tcase_add_test(door, half_a_handshake_is_on_record);
	tcase_add_test(door, a_flood_at_the_door_cannot_fill_the_audit_log);
	suite_add_tcase(suite, names);
	suite_add_tcase(suite, door);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
