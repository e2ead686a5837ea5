// Somebody turns the broker's clock, while it runs or between two runs: what that brings alive again and what it does not.
// What it cannot prevent is pinned too, so that README.md says no more than is true. The certificates are new, so most of
// this plays two days from now (PRESENT), where there is a past to go back to.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "certs/authority.h"
#include "tests/harness/channel.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"

#define SYSTEM "RXH/hospital-record-system"
#define WHY "laptop with the key was stolen"
#define MINUTE_MS (60u * 1000u)
#define HOUR_MS (60u * MINUTE_MS)
#define DAY_MS (24u * HOUR_MS)
#define PRESENT "+48h"
#define PRESENT_MS (2 * (int64_t)DAY_MS)

static struct world *world;
static struct channel *hospital;
static char child[11];
static const struct world_person *nurse;

static void setup(void)
{
	world_nhs_number(0, child);
	nurse = world_person("nurse");
	world = world_new();
}

static void begin(const char *offset)
{
	world_start_with_clock(world, offset);
	hospital = channel_open(world, world_path(world, "systems/hospital.key"));
}

static void restart(const char *offset)
{
	channel_close(hospital);
	ck_assert_int_eq(world_stop(world), 0);
	begin(offset);
}

static void teardown(void)
{
	channel_close(hospital);
	ck_assert_int_eq(world_stop(world), 0);
	// Whatever the times in it are: the log holds, in the order in which things happened.
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				    world_path(world, "authority/trust/log.vkey"), NULL),
			 0);
	world_free(world);
}

static void assert_ok(struct channel_reply *reply)
{
	ck_assert_msg(reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
	channel_reply_free(reply);
}

// Signed with whatever time suits: a thief who has the person's key needs no copy.
static uint8_t *statement_of(const struct channel *channel, const char *profile, int64_t offset_ms, size_t *ret_bytes)
{
	struct statement statement = channel_statement(channel, profile);
	statement.time_ms = (uint64_t)((int64_t)statement.time_ms + offset_ms);
	return channel_sign_statement(world, &statement, world_path(world, "staff/%s.pem", profile),
				      world_path(world, "staff/%s.key", profile), ret_bytes);
}

static struct channel_reply *open_at(struct channel *channel, const char *profile, int64_t offset_ms)
{
	size_t bytes;
	uint8_t *packed = statement_of(channel, profile, offset_ms, &bytes);
	struct channel_reply *reply = channel_exchange(channel, packed, bytes);
	free(packed);
	return reply;
}

// The same statement in a request of the thief's own.
static struct channel_reply *replay(const uint8_t *packed, size_t bytes)
{
	uint8_t *mine = malloc(bytes);
	ck_assert_ptr_nonnull(mine);
	memcpy(mine, packed, bytes);
	mine[4] ^= 0xff;
	struct channel_reply *reply = channel_exchange(hospital, mine, bytes);
	free(mine);
	return reply;
}

// malloc'd.
static ProtobufCBinaryData token_at(struct channel *channel, const char *profile, int64_t offset_ms)
{
	struct channel_reply *reply = open_at(channel, profile, offset_ms);
	ck_assert_msg(reply->reply->outcome == CPIS__V1__OUTCOME__OK, "%s", reply->reply->reason_code);
	const ProtobufCBinaryData *token = &reply->reply->session_open->session_token;
	ProtobufCBinaryData copy = {.len = token->len, .data = malloc(token->len)};
	ck_assert_ptr_nonnull(copy.data);
	memcpy(copy.data, token->data, token->len);
	channel_reply_free(reply);
	return copy;
}

// The registrar holds the hospital's system back, as bytes that can be sent again.
static uint8_t *hold_back(const struct channel *national, ProtobufCBinaryData token, int64_t offset_ms, uint64_t until_ms,
			  size_t *ret_bytes)
{
	static char target[] = SYSTEM, why[] = WHY;
	Cpis__V1__QuarantineSetRequest set = CPIS__V1__QUARANTINE_SET_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	set.kind = CPIS__V1__QUARANTINE_KIND__SYSTEM;
	set.target = target;
	set.reason = why;
	set.until_ms = until_ms;
	request.session_token = token;
	request.act_time_ms = (uint64_t)((int64_t)world_now_ms() + offset_ms);
	request.body_case = CPIS__V1__REQUEST__BODY_QUARANTINE_SET;
	request.quarantine_set = &set;
	return channel_pack_act(national, &request, "registrar", ret_bytes);
}

// The record is there for the reviewer, whose clock is the right one.
static void assert_recorded(uint64_t index, const char *reason_code)
{
	struct world_trace trace = {
		.reason_code = reason_code, .organisation = "RXH", .system_name = "hospital-record-system", .uid = nurse->uid};
	world_set_clock(world, "+0");
	world_assert_recorded(world, index, &trace);
}

// ------------------------------------------------------------------ tokens and statements

static const char *const back[] = {"+47h", "+37h", "+0"};

START_TEST(a_token_from_the_future_is_refused_when_the_clock_was_set_back)
{
	begin(PRESENT);
	ProtobufCBinaryData token = token_at(hospital, "nurse", PRESENT_MS);
	restart(back[_i]);
	assert_recorded(channel_refused(channel_flag(hospital, token, child), "session_expired"), "session_expired");
	// It was not spoilt: by the right clock it is a session.
	world_set_clock(world, PRESENT);
	assert_ok(channel_flag(hospital, token, child));
	free(token.data);
}
END_TEST

static const struct {
	const char *clock;
	int64_t offset_ms;
	const char *reason_code;
} forward[] = {{"+40m", 40 * (int64_t)MINUTE_MS, "session_idle"},
	       {"+13h", 13 * (int64_t)HOUR_MS, "session_expired"},
	       {"+48h", 48 * (int64_t)HOUR_MS, "session_expired"}};

START_TEST(a_token_does_not_live_longer_by_setting_the_clock_forward)
{
	begin("+0");
	ProtobufCBinaryData token = channel_token(hospital, "nurse");
	restart(forward[_i].clock);
	assert_recorded(channel_refused(channel_flag(hospital, token, child), forward[_i].reason_code),
			forward[_i].reason_code);
	// And one that was made in the false future is none today.
	world_set_clock(world, forward[_i].clock);
	ProtobufCBinaryData future = token_at(hospital, "nurse", forward[_i].offset_ms);
	world_set_clock(world, "+0");
	assert_recorded(channel_refused(channel_flag(hospital, future, child), "session_expired"), "session_expired");
	free(future.data);
	free(token.data);
}
END_TEST

START_TEST(honest_statements_are_refused_while_the_clock_is_wrong)
{
	begin("+1h");
	assert_recorded(channel_refused(open_at(hospital, "nurse", 0), "statement_time"), "statement_time");
	world_set_clock(world, "+1h");
	assert_recorded(channel_refused(open_at(hospital, "nurse", 2 * (int64_t)HOUR_MS), "statement_time"),
			"statement_time");
	assert_ok(open_at(hospital, "nurse", 0));
}
END_TEST

// An opening of a session was copied. Its statement is too old, unless the clock is set back to when it was made.
START_TEST(a_used_statement_is_not_fresh_again_when_the_clock_is_set_back)
{
	static const char *const later[] = {"+3m", "+1h", "+11h"};
	size_t bytes;
	begin("+0");
	uint8_t *packed = statement_of(hospital, "nurse", 0, &bytes);
	assert_ok(channel_exchange(hospital, packed, bytes));
	world_set_clock(world, later[_i]);
	// Whatever is cleared away with time is cleared away now.
	assert_recorded(channel_refused(replay(packed, bytes), "statement_time"), "statement_time");
	restart("+0");
	assert_recorded(channel_refused(replay(packed, bytes), "statement_replayed"), "statement_replayed");
	free(packed);
}
END_TEST

START_TEST(an_act_that_was_undone_is_not_fresh_again_when_the_clock_is_set_back)
{
	size_t bytes;
	begin("+0");
	struct channel *national = channel_open(world, world_path(world, "systems/national.key"));
	ProtobufCBinaryData token = channel_token(national, "registrar");
	uint8_t *packed = hold_back(national, token, 0, 0, &bytes);
	assert_ok(channel_exchange(national, packed, bytes));
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "lift", "--system", SYSTEM, "--reason", WHY, NULL), 0);
	world_set_clock(world, "+20m");
	struct channel_reply *reply = channel_exchange(national, packed, bytes);
	ck_assert_str_eq(reply->reply->reason_code, "act_time");
	channel_reply_free(reply);
	restart("+0");
	// Answered as the retry that it could be; nothing is done again.
	reply = channel_exchange(national, packed, bytes);
	struct world_trace trace = {.uid = world_person("registrar")->uid,
				    .operation = CPIS__V1__OPERATION__QUARANTINE_SET};
	world_assert_recorded(world, reply->index, &trace);
	channel_reply_free(reply);
	assert_ok(channel_ping(hospital));
	free(packed);
	free(token.data);
	channel_close(national);
}
END_TEST

// ------------------------------------------------------------------ what has an end

START_TEST(a_quarantine_that_has_ended_holds_again_when_the_clock_is_set_back)
{
	size_t bytes;
	begin(PRESENT);
	struct channel *national = channel_open(world, world_path(world, "systems/national.key"));
	ProtobufCBinaryData token = token_at(national, "registrar", PRESENT_MS);
	uint64_t until_ms = world_now_ms() + (uint64_t)PRESENT_MS + HOUR_MS;
	uint8_t *packed = hold_back(national, token, PRESENT_MS, until_ms, &bytes);
	assert_ok(channel_exchange(national, packed, bytes));
	world_set_clock(world, "+50h");
	assert_ok(channel_ping(hospital));
	restart(PRESENT);
	(void)channel_refused(channel_ping(hospital), "system_quarantined");
	world_set_clock(world, "+0");
	(void)channel_refused(channel_ping(hospital), "system_quarantined");
	free(packed);
	free(token.data);
	channel_close(national);
}
END_TEST

START_TEST(a_revocation_holds_whatever_the_clock_says)
{
	begin(PRESENT);
	long mark = world_log_mark(world);
	world_revoke(world, world_path(world, "staff/nurse.pem"));
	world_wait_log(world, mark, "register_loaded");
	assert_recorded(channel_refused(open_at(hospital, "nurse", PRESENT_MS), "staff_revoked"), "staff_revoked");
	restart("+0");
	assert_recorded(channel_refused(open_at(hospital, "nurse", 0), "staff_revoked"), "staff_revoked");
}
END_TEST

START_TEST(before_the_date_of_the_revocation_list_nobody_is_let_in)
{
	char detail[CERTS_DETAIL_BYTES];
	begin(PRESENT);
	long mark = world_log_mark(world);
	ck_assert_int_eq(authority_revoke(world_path(world, "authority"), world_path(world, "staff/midwife.pem"),
					  (uint64_t)((int64_t)world_now_ms() + PRESENT_MS), detail),
			 CERTS_OK);
	world_wait_log(world, mark, "register_loaded");
	assert_ok(open_at(hospital, "nurse", PRESENT_MS));
	world_set_clock(world, "+0");
	(void)channel_refused(open_at(hospital, "nurse", 0), "staff_certificate");
	(void)channel_refused(open_at(hospital, "midwife", 0), "staff_certificate");
	world_set_clock(world, PRESENT);
	(void)channel_refused(open_at(hospital, "midwife", PRESENT_MS), "staff_revoked");
}
END_TEST

// The limit of all of this: an end that has only a date is judged by the clock. Somebody who sets the broker's clock back and
// has the key can use what has ended since; the operator's log says that the clock went back, and the record is there.
START_TEST(an_expired_certificate_is_good_again_while_the_clock_is_set_back_and_the_log_says_so)
{
	struct authority_paths paths;
	char detail[CERTS_DETAIL_BYTES];
	ck_assert_int_eq(authority_issue_staff(world_path(world, "authority"), nurse->uid, nurse->name,
					       world_path(world, "staff"), "former", 1, world_now_ms() - DAY_MS + HOUR_MS,
					       &paths, detail),
			 CERTS_OK);
	begin("+2h");
	struct statement statement = channel_statement(hospital, "nurse");
	size_t bytes;
	statement.time_ms += 2 * HOUR_MS;
	uint8_t *packed = channel_sign_statement(world, &statement, paths.certificate, paths.key, &bytes);
	uint64_t refused = channel_refused(channel_exchange(hospital, packed, bytes), "staff_expired");
	free(packed);
	long mark = world_log_mark(world);
	restart("+0");
	statement.time_ms = world_now_ms();
	packed = channel_sign_statement(world, &statement, paths.certificate, paths.key, &bytes);
	struct channel_reply *reply = channel_exchange(hospital, packed, bytes);
	ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
	world_wait_log(world, mark, "clock_set_back");
	assert_recorded(refused, "staff_expired");
	assert_recorded(reply->index, "");
	channel_reply_free(reply);
	free(packed);
}
END_TEST

static bool told_since(long mark)
{
	return strstr(world_log(world) + mark, "clock_set_back") != NULL;
}

START_TEST(a_clock_that_goes_back_while_the_broker_runs_is_told_of_once_each_time)
{
	begin(PRESENT);
	assert_ok(channel_ping(hospital));
	long mark = world_log_mark(world);
	world_set_clock(world, "+172770"); // half a minute back
	assert_ok(channel_ping(hospital));
	assert_ok(channel_ping(hospital));
	ck_assert(!told_since(mark));
	for (unsigned i = 0; i < 2; i++) {
		world_set_clock(world, "+47h");
		assert_ok(channel_ping(hospital));
		world_wait_log(world, mark, "clock_set_back");
		mark = world_log_mark(world);
		assert_ok(channel_ping(hospital));
		assert_ok(channel_ping(hospital));
		ck_assert(!told_since(mark));
		world_set_clock(world, PRESENT);
		assert_ok(channel_ping(hospital));
	}
}
END_TEST

// Numbers, not times, are the order of the records: what happened later stands later.
START_TEST(records_keep_their_order_when_their_times_do_not)
{
	uint64_t last = 0;
	static const char *const clocks[] = {"+48h", "+47h", "+50h", "+0", "+48h"};
	begin(PRESENT);
	for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
		world_set_clock(world, clocks[i]);
		struct channel_reply *reply = channel_ping(hospital);
		ck_assert_int_eq(reply->reply->outcome, CPIS__V1__OUTCOME__OK);
		ck_assert(i == 0 || reply->index > last);
		last = reply->index;
		channel_reply_free(reply);
	}
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

int main(void)
{
	Suite *suite = suite_create("attacks_clock");
	TCase *tests = tcase_create("clock");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, a_token_from_the_future_is_refused_when_the_clock_was_set_back, 0, COUNT(back));
	tcase_add_loop_test(tests, a_token_does_not_live_longer_by_setting_the_clock_forward, 0, COUNT(forward));
	tcase_add_test(tests, honest_statements_are_refused_while_the_clock_is_wrong);
	tcase_add_loop_test(tests, a_used_statement_is_not_fresh_again_when_the_clock_is_set_back, 0, 3);
	tcase_add_test(tests, an_act_that_was_undone_is_not_fresh_again_when_the_clock_is_set_back);
	tcase_add_test(tests, a_quarantine_that_has_ended_holds_again_when_the_clock_is_set_back);
	tcase_add_test(tests, a_revocation_holds_whatever_the_clock_says);
	tcase_add_test(tests, before_the_date_of_the_revocation_list_nobody_is_let_in);
	tcase_add_test(tests, an_expired_certificate_is_good_again_while_the_clock_is_set_back_and_the_log_says_so);
	tcase_add_test(tests, a_clock_that_goes_back_while_the_broker_runs_is_told_of_once_each_time);
	tcase_add_test(tests, records_keep_their_order_when_their_times_do_not);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
