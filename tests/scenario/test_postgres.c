// The broker's core over PostgreSQL: what it makes of commits of which it is not known what became, and of a lost connection. The second
// server is a receiver of the first one's log (tests/harness/postgres.h).
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/store_postgres.h"
#include "tests/harness/postgres.h"
#include "tests/harness/stage.h"

#define STANDBY "second"

static struct postgres server;
static char database[32];
static struct stage *stage;
static pid_t receiver;
static uint8_t id[REQUEST_ID_BYTES] = {4, 2};
static Cpis__V1__DetailsRequest details;
static Cpis__V1__Request request;

static struct store *open_store(void)
{
	struct store *opened = NULL;
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "";
	postgres_conninfo(&server, "broker1", database, conninfo);
	struct store_postgres_options options = {.conninfo = conninfo, .timeout_ms = 60000};
	ck_assert_msg(store_postgres_open(&options, &opened, detail) == STORE_OK, "%s", detail);
	return opened;
}

static void raise_curtain(void)
{
	snprintf(database, sizeof database, "test_%d", (int)getpid());
	postgres_make_database(&server, database);
	postgres_configure(&server, "synchronous_standby_names", STANDBY);
	receiver = postgres_receiver(&server, STANDBY);
	postgres_until(&server, "postgres", "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'");
	stage = stage_new_over(open_store());
	stage_sign_in(stage, NURSE);
	stage_sign_in(stage, LEEDS_WORKER);
	stage_publish(stage, LEEDS_WORKER, stage_child(0), CPIS__V1__PLAN_TYPE__CPP, "2026-02-03", NULL, NULL);
	cpis__v1__details_request__init(&details);
	cpis__v1__request__init(&request);
	details.nhs_number = (char *)(uintptr_t)stage_child(0);
	request.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	request.details = &details;
	request.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
}

static void drop_curtain(void)
{
	stage_free(stage);
	stage = NULL;
	kill(receiver, SIGKILL);
	waitpid(receiver, NULL, 0);
	postgres_configure(&server, NULL, NULL);
	postgres_remove_database(&server, database);
}

// How often the child has been accessed, as the authority was told.
static uint64_t accesses(void)
{
	const struct stage_reply *got = stage_inbox(stage, LEEDS_WORKER);
	stage_expect_ok(got);
	return got->reply->inbox_list->unacknowledged;
}

START_TEST(asks_tells_the_authority_and_goes_on_after_a_restart)
{
	const struct stage_reply *first = stage_ask_as(stage, NURSE, &request);
	stage_expect_ok(first);
	ck_assert_uint_eq(accesses(), 1);
	stage_restart(stage);
	const struct stage_reply *again = stage_ask_as(stage, NURSE, &request);
	stage_expect_ok(again);
	ck_assert(stage_same_body(first, again));
	ck_assert_uint_eq(accesses(), 1);
	ck_assert(stage_tick(stage));
	ck_assert(stage_log_verifies(stage));
}
END_TEST

// In another process, once a commit waits for the second server, which is stopped: `how` ends the wait.
static pid_t break_off(const char *how)
{
	char text[300];
	int status;
	snprintf(text, sizeof text,
		 "SELECT coalesce(bool_or(%s(pid)), false) FROM pg_stat_activity WHERE datname = '%s' AND wait_event = 'SyncRep'", how,
		 database);
	ck_assert_int_eq(kill(receiver, SIGSTOP), 0);
	ck_assert(waitpid(receiver, &status, WUNTRACED) == receiver && WIFSTOPPED(status));
	pid_t other = fork();
	if (other == 0) {
		postgres_until(&server, "postgres", text);
		_exit(EXIT_SUCCESS);
	}
	return other;
}

static void nobody_is_answered_before_it_is_on_both(const char *how)
{
	int status = 1;
	pid_t other = break_off(how);
	const struct stage_reply *lost = stage_ask_as(stage, NURSE, &request);
	ck_assert(waitpid(other, &status, 0) == other && status == 0);
	ck_assert_int_eq(lost->reply->outcome, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
	ck_assert_str_eq(lost->reply->reason_code, "store_unavailable");
	ck_assert_ptr_null(lost->reply->receipt);
	// It was kept: on the first server, and with its record. The answer to the same request again is the one that it would have had.
	ck_assert_int_eq(kill(receiver, SIGCONT), 0);
	uint64_t size = stage_log_size(stage);
	const struct stage_reply *again = stage_ask_as(stage, NURSE, &request);
	stage_expect_ok(again);
	ck_assert_uint_eq(again->reply->receipt->index, size);
	ck_assert_uint_eq(again->reply->details->n_accesses, 0);
	ck_assert_uint_eq(accesses(), 1);
	ck_assert(stage_log_verifies(stage));
}

START_TEST(a_commit_whose_wait_is_cancelled_answers_nobody_and_its_retry_takes_effect_once)
{
	nobody_is_answered_before_it_is_on_both("pg_cancel_backend");
}
END_TEST

START_TEST(nor_does_one_whose_session_is_ended)
{
	nobody_is_answered_before_it_is_on_both("pg_terminate_backend");
}
END_TEST

START_TEST(a_session_that_ended_between_two_requests_is_not_noticed)
{
	char text[200];
	snprintf(text, sizeof text, "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE datname = '%s'", database);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(postgres_sql(&server, "postgres", "postgres", text), "1");
		stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	}
	ck_assert(stage_log_verifies(stage));
}
END_TEST

// As after a server that lagged behind took over, or a backup was put back under a broker that runs: all of it is there and agrees,
// but for the newest.
START_TEST(a_database_that_has_lost_what_was_answered_for_is_not_gone_on_with)
{
	char text[800];
	postgres_sql(&server, "postgres", database, "CREATE TABLE kept AS SELECT note FROM cpis.checkpoint");
	uint64_t size = stage_log_size(stage);
	stage_expect_ok(stage_ask_as(stage, NURSE, &request));
	snprintf(text, sizeof text,
		 "ALTER TABLE cpis.audit DISABLE TRIGGER ALL; DELETE FROM cpis.audit WHERE idx >= %llu;"
		 "ALTER TABLE cpis.audit ENABLE ALWAYS TRIGGER audit_is_only_appended; UPDATE cpis.checkpoint SET note = kept.note FROM kept;"
		 "DELETE FROM cpis.access WHERE audit_index >= %llu; DELETE FROM cpis.request", (unsigned long long)size, (unsigned long long)size);
	postgres_sql(&server, "postgres", database, text);
	snprintf(text, sizeof text, "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE datname = '%s'", database);
	postgres_sql(&server, "postgres", "postgres", text);
	// The first finds out that its row is not the next; from then on the log is read, and what was signed is not in it.
	for (int i = 0; i < 3; i++) {
		const struct stage_reply *got = stage_ask_as(stage, NURSE, &request);
		ck_assert_int_eq(got->reply->outcome, CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
		ck_assert_ptr_null(got->reply->receipt);
	}
	snprintf(text, sizeof text, "%llu", (unsigned long long)size);
	ck_assert_str_eq(postgres_sql(&server, "postgres", database, "SELECT count(*) FROM cpis.audit"), text);
}
END_TEST

// ------------------------------------------------------------------ two brokers, asked in turn

static unsigned allowed_in_a_minute(unsigned brokers)
{
	for (unsigned allowed = 0;; allowed++) {
		const struct stage_reply *got = stage_details(stage, NURSE, stage_child(0));
		if (got->reply->outcome == CPIS__V1__OUTCOME__TOO_MANY_REQUESTS)
			return allowed;
		stage_expect_ok(got);
		if (brokers == 2)
			stage_change_broker(stage);
	}
}

START_TEST(a_bound_on_how_often_counts_what_every_broker_let_pass)
{
	stage_add_broker(stage, open_store());
	unsigned by_one = allowed_in_a_minute(1);
	ck_assert_uint_gt(by_one, 1);
	stage->now_ms += 3 * 60000;
	ck_assert_uint_eq(allowed_in_a_minute(2), by_one);
	ck_assert(stage_log_verifies(stage));
}
END_TEST

START_TEST(a_look_at_one_broker_is_in_the_history_that_the_other_shows)
{
	stage_add_broker(stage, open_store());
	for (unsigned looks = 0; looks < 5; looks++) {
		const struct stage_reply *got = stage_details(stage, NURSE, stage_child(0));
		stage_expect_ok(got);
		ck_assert_uint_eq(got->reply->details->n_accesses, looks);
		stage_change_broker(stage);
	}
	ck_assert(stage_log_verifies(stage));
}
END_TEST

// Where the one left off the other goes on, also with a batch of many records, a month's new keys, and its own commits in between.
START_TEST(a_broker_that_has_not_been_asked_for_long_catches_up)
{
	stage_add_broker(stage, open_store());
	for (unsigned i = 0; i < 300; i++)
		stage_expect_ok(stage_ping(stage, STAGE_HOSPITAL));
	stage->now_ms += 14 * STAGE_DAY_MS; // into November
	stage_sign_in(stage, NURSE);
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	stage_change_broker(stage);
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	stage_change_broker(stage);
	stage_expect_ok(stage_details(stage, NURSE, stage_child(0)));
	ck_assert(stage_log_verifies(stage));
}
END_TEST

static bool migrate(void)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "";
	postgres_conninfo(&server, "migrator", "template", conninfo);
	bool done = store_postgres_migrate(conninfo, detail) == STORE_OK;
	if (!done)
		fprintf(stderr, "%s\n", detail);
	return done;
}

int main(void)
{
	Suite *suite = suite_create("postgres");
	TCase *tests = tcase_create("core");
	tcase_add_checked_fixture(tests, raise_curtain, drop_curtain);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, asks_tells_the_authority_and_goes_on_after_a_restart);
	tcase_add_test(tests, a_commit_whose_wait_is_cancelled_answers_nobody_and_its_retry_takes_effect_once);
	tcase_add_test(tests, nor_does_one_whose_session_is_ended);
	tcase_add_test(tests, a_session_that_ended_between_two_requests_is_not_noticed);
	tcase_add_test(tests, a_database_that_has_lost_what_was_answered_for_is_not_gone_on_with);
	tcase_add_test(tests, a_bound_on_how_often_counts_what_every_broker_let_pass);
	tcase_add_test(tests, a_look_at_one_broker_is_in_the_history_that_the_other_shows);
	tcase_add_test(tests, a_broker_that_has_not_been_asked_for_long_catches_up);
	suite_add_tcase(suite, tests);
	postgres_start(&server, NULL);
	if (!migrate())
		return EXIT_FAILURE;
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&server);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
