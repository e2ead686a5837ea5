// What is PostgreSQL's own: what a commit waits for, lost connections, and several brokers before one database, which take turns. A real
// server; a receiver of its log stands for the second one.
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/postgres_stores.h"

// ------------------------------------------------------------------ what a commit means

START_TEST(is_not_opened_where_a_commit_would_not_last)
{
	char conninfo[POSTGRES_CONNINFO_BYTES + 40];
	refuses_role("broker1", false, 0, "synchronous_standby_names is empty");
	postgres_conninfo(&server, "broker1", database, conninfo);
	strcat(conninfo, " options='-c synchronous_commit=off'");
	struct store_postgres_options options = {.conninfo = conninfo, .lone_server = true};
	refuses(&options, "synchronous_commit is off");
	postgres_configure(&server, "synchronous_standby_names", STANDBY);
	postgres_sql(&server, "postgres", "postgres", "ALTER ROLE broker2 SET synchronous_commit = local");
	refuses_role("broker2", false, 0, "does not wait for the second server");
	postgres_sql(&server, "postgres", "postgres", "ALTER ROLE broker2 RESET synchronous_commit");
}
END_TEST

START_TEST(nothing_is_committed_once_the_server_would_lose_it)
{
	first = open_one();
	append_and_commit(first, 0);
	postgres_configure(&server, "fsync", "off");
	begin(first);
	ck_assert_int_eq(append(first, 1), STORE_OK);
	commit_fails(first);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
	postgres_configure(&server, "fsync", "on");
	ck_assert_uint_eq(size_of(first), 1);
	append_and_commit(first, 1);
}
END_TEST

// With a row of its own committed. Returns the next one's number.
static uint64_t open_short_with_a_row(void)
{
	for (;;) {
		struct store *patient = open_as("broker1", false, 60000);
		uint64_t next = size_of(patient);
		patient->ops->close(patient);
		first = open_short("broker1", false);
		if (first->ops->begin(first) == STORE_OK && append(first, next) == STORE_OK && first->ops->commit(first) == STORE_OK)
			return next + 1;
		first->ops->close(first);
		first = NULL;
	}
}

START_TEST(a_commit_that_the_second_server_does_not_confirm_is_not_acknowledged_and_not_guessed_at)
{
	start_receiver();
	uint64_t next = open_short_with_a_row();
	stop_receiver();
	begin(first);
	ck_assert_int_eq(append(first, next), STORE_OK);
	commit_fails(first);
	// Nothing can be read either, by which somebody might be told that it was there.
	uint64_t size;
	ck_assert_int_eq(first->ops->audit_size(first, &size), STORE_FAILED);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
	refuses_role("broker2", false, SHORT_MS, "in time");
	ck_assert_int_eq(kill(receiver, SIGCONT), 0);
	first->ops->close(first);
	first = open_as("broker1", false, 60000);
	// It waited on, and was confirmed.
	ck_assert_uint_eq(size_of(first), next + 1);
	append_and_commit(first, next + 1);
}
END_TEST

// Whoever does this to a waiting commit makes the server say that it was done, with a warning.
static void break_off(const char *how)
{
	int status = 1;
	char text[300];
	snprintf(text, sizeof text,
		 "SELECT coalesce(bool_or(%s(pid)), false) FROM pg_stat_activity WHERE datname = '%s' AND wait_event = 'SyncRep'", how,
		 database);
	start_receiver();
	first = open_as("broker1", false, 60000);
	append_and_commit(first, 0);
	stop_receiver();
	begin(first);
	ck_assert_int_eq(append(first, 1), STORE_OK);
	pid_t other = fork();
	if (other == 0) {
		postgres_until(&server, "postgres", text);
		_exit(EXIT_SUCCESS);
	}
	commit_fails(first);
	ck_assert(waitpid(other, &status, 0) == other && status == 0);
	// What it left is on one server only, until this: then it is on both.
	ck_assert_str_eq(sql("SELECT max(idx) FROM cpis.audit"), "1");
	ck_assert_int_eq(kill(receiver, SIGCONT), 0);
	ck_assert_uint_eq(size_of(first), 2);
	ck_assert_str_eq(sql("SELECT sent_lsn = flush_lsn FROM pg_stat_replication"), "t");
	append_and_commit(first, 2);
}

START_TEST(a_commit_whose_wait_was_cancelled_is_not_acknowledged)
{
	break_off("pg_cancel_backend");
}
END_TEST

START_TEST(a_commit_whose_session_was_ended_is_not_acknowledged)
{
	break_off("pg_terminate_backend");
}
END_TEST

// Released, and without a warning: the server stopped asking for a second one.
START_TEST(a_commit_during_which_the_second_server_was_given_up_is_not_acknowledged)
{
	int status = 1;
	start_receiver();
	first = open_as("broker1", false, 60000);
	stop_receiver();
	begin(first);
	ck_assert_int_eq(append(first, 0), STORE_OK);
	pid_t other = fork();
	if (other == 0) {
		postgres_until(&server, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
		postgres_configure(&server, "synchronous_standby_names", "");
		_exit(EXIT_SUCCESS);
	}
	commit_fails(first);
	ck_assert(waitpid(other, &status, 0) == other && status == 0);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
}
END_TEST

// ------------------------------------------------------------------ lost connections

static void end_sessions(void)
{
	char text[200];
	snprintf(text, sizeof text, "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity WHERE datname = '%s' AND usename = 'broker1'",
		 database);
	ck_assert_str_eq(postgres_sql(&server, "postgres", "postgres", text), "1");
}

START_TEST(a_connection_that_was_lost_between_batches_is_made_anew)
{
	first = open_one();
	append_and_commit(first, 0);
	end_sessions();
	append_and_commit(first, 1);
	end_sessions();
	ck_assert_uint_eq(size_of(first), 2);
}
END_TEST

START_TEST(a_connection_that_is_lost_in_a_batch_loses_the_batch_and_no_more)
{
	uint64_t size;
	first = open_one();
	for (int queued = 0; queued < 2; queued++) {
		begin(first);
		ck_assert_int_eq(append(first, 0), STORE_OK);
		ck_assert_int_eq(first->ops->audit_size(first, &size), STORE_OK);
		ck_assert_uint_eq(size, 1);
		end_sessions();
		if (queued == 0)
			ck_assert_int_eq(first->ops->audit_size(first, &size), STORE_FAILED);
		commit_fails(first);
		ck_assert_uint_eq(size_of(first), 0);
	}
	append_and_commit(first, 0);
}
END_TEST

START_TEST(a_write_that_was_queued_fails_with_the_next_read)
{
	uint64_t open;
	first = open_one();
	begin(first);
	ck_assert_int_eq(put_item(first, 1), STORE_OK);
	ck_assert_int_eq(put_item(first, 1), STORE_OK);
	ck_assert_int_eq(put_plan(first, 1), STORE_OK);
	ck_assert_int_eq(first->ops->inbox_unacknowledged(first, STORE_BOX_NOTIFICATIONS, &leeds, &open), STORE_FAILED);
	ck_assert_int_eq(put_plan(first, 1), STORE_FAILED);
	commit_fails(first);
	ck_assert_int_eq(first->ops->inbox_unacknowledged(first, STORE_BOX_NOTIFICATIONS, &leeds, &open), STORE_OK);
	ck_assert_uint_eq(open, 0);
}
END_TEST

START_TEST(does_not_go_on_when_the_row_of_the_turns_is_gone)
{
	first = open_one();
	append_and_commit(first, 0);
	sql("DELETE FROM cpis.turn");
	begin(first);
	(void)put_plan(first, 1);
	commit_fails(first);
	ck_assert_int_eq(first->ops->begin(first), STORE_FAILED);
	first->ops->close(first);
	first = NULL;
	refuses_role("broker1", true, 0, "turns is gone");
}
END_TEST

// ------------------------------------------------------------------ several brokers

static struct store_others others_of(struct store *of)
{
	struct store_others others = {.possible = false};
	ck_assert_int_eq(of->ops->others(of, &others), STORE_OK);
	ck_assert(others.possible);
	return others;
}

START_TEST(brokers_share_all_and_append_to_one_log_in_turn)
{
	struct store_plan *plans;
	struct store_tag child = tag(7);
	size_t count;
	uint64_t id;
	first = open_one();
	second = open_as("broker2", true, 60000);
	append_and_commit(first, 0);
	append_and_commit(second, 1);
	begin(first);
	ck_assert_str_eq(others_of(first).checkpoint, "");
	ck_assert_int_eq(append(first, 2), STORE_OK);
	ck_assert_int_eq(put_plan(first, 1), STORE_OK);
	ck_assert_int_eq(put_item(first, 1), STORE_OK);
	ck_assert_int_eq(first->ops->checkpoint_put(first, "of both"), STORE_OK);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	begin(second);
	struct store_others seen = others_of(second);
	ck_assert_uint_eq(seen.audit_size, 3);
	ck_assert_str_eq(seen.checkpoint, "of both");
	ck_assert_int_eq(second->ops->plans_of(second, &child, 9, &arena, &plans, &count), STORE_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(second->ops->inbox_next_id(second, STORE_BOX_NOTIFICATIONS, &leeds, &id), STORE_OK);
	ck_assert_uint_eq(id, 2);
	// What is not the next one of all is refused.
	ck_assert_int_eq(append(second, 2), STORE_FAILED);
	commit_fails(second);
}
END_TEST

// In another process: it waits for its turn, and sees what was committed while it did.
static pid_t append_in_turn(const char *role, uint64_t index)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	struct store *own = open_as(role, true, 60000);
	begin(own);
	struct store_others seen = others_of(own);
	bool done = seen.audit_size == index && append(own, index) == STORE_OK && own->ops->commit(own) == STORE_OK;
	own->ops->close(own);
	_exit(done ? EXIT_SUCCESS : EXIT_FAILURE);
}

START_TEST(one_broker_at_once_has_a_batch)
{
	int status = 1;
	first = open_one();
	begin(first);
	ck_assert_uint_eq(others_of(first).audit_size, 0);
	pid_t child = append_in_turn("broker2", 1);
	postgres_until(&server, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'broker2' AND wait_event_type = 'Lock'");
	ck_assert_int_eq(append(first, 0), STORE_OK);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	ck_assert(waitpid(child, &status, 0) == child && status == 0);
	ck_assert_uint_eq(size_of(first), 2);
}
END_TEST

// Of one that stops wherever it is: between two statements, or with some of them sent and more to come.
static void is_passed_over_with(unsigned queued)
{
	int status = 1;
	first = open_one();
	begin(first);
	ck_assert_uint_eq(others_of(first).audit_size, 0);
	for (unsigned i = 0; i < queued; i++)
		ck_assert_int_eq(put_plan(first, i), STORE_OK);
	pid_t child = append_in_turn("broker2", 0);
	ck_assert(waitpid(child, &status, 0) == child && status == 0);
	ck_assert_int_eq(append(first, 0), STORE_OK);
	commit_fails(first);
	ck_assert_uint_eq(size_of(first), 1);
	append_and_commit(first, 1);
}

START_TEST(a_broker_that_stops_in_its_turn_loses_it)
{
	is_passed_over_with(0);
}
END_TEST

START_TEST(also_with_half_of_its_batch_sent)
{
	is_passed_over_with(200);
}
END_TEST

// Else those that give up one after the other, while no second server confirms, would use up the server's connections.
START_TEST(who_has_given_up_waiting_for_a_turn_does_not_wait_on_at_the_server)
{
	static const char holds[] = "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'";
	int status = 1;
	pid_t holder = fork();
	if (holder == 0) {
		(void)forbids("postgres", "SET application_name = 'holder'; BEGIN; UPDATE cpis.turn SET batches = 0; SELECT pg_sleep(600)");
		_exit(EXIT_SUCCESS);
	}
	postgres_until(&server, "postgres", holds);
	refuses_role("broker2", true, SHORT_MS, "in time");
	postgres_until(&server, "postgres", "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'broker2'");
	ck_assert_str_eq(sql(holds), "t");
	sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
	ck_assert(waitpid(holder, &status, 0) == holder && status == 0);
}
END_TEST

START_TEST(one_request_that_came_to_two_brokers_is_found_by_the_second)
{
	struct store_request request = {.key = tag(1), .expires_ms = 5000, .sealed = {(const uint8_t *)"first", 5}}, found;
	first = open_one();
	second = open_as("broker2", true, 60000);
	begin(first);
	ck_assert_int_eq(first->ops->request_get(first, &request.key, 1000, &arena, &found), STORE_NOT_FOUND);
	ck_assert_int_eq(first->ops->request_put(first, &request), STORE_OK);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	begin(second);
	ck_assert_int_eq(second->ops->request_get(second, &request.key, 1000, &arena, &found), STORE_OK);
	ck_assert(found.sealed.bytes == 5 && memcmp(found.sealed.data, "first", 5) == 0);
	second->ops->rollback(second);
}
END_TEST

static uint64_t revision(struct store *of)
{
	begin(of);
	uint64_t number = others_of(of).revision;
	of->ops->rollback(of);
	return number;
}

static enum store_status hold_back(struct store *of)
{
	struct store_quarantine entry = {tag(1), 1, {(const uint8_t *)"entry", 5}};
	return of->ops->quarantine_put(of, &entry);
}

static enum store_status lift(struct store *of)
{
	struct store_tag target = tag(1);
	return of->ops->quarantine_delete(of, &target);
}

static enum store_status grant(struct store *of)
{
	struct store_role role = {tag(2), {(const uint8_t *)"role", 4}};
	return of->ops->role_put(of, &role);
}

static enum store_status invite(struct store *of)
{
	struct store_enrolment enrolment = {tag(3), tag(4), {(const uint8_t *)"code", 4}};
	return of->ops->enrolment_put(of, &enrolment);
}

static enum store_status withdraw(struct store *of)
{
	struct store_tag system = tag(3);
	return of->ops->enrolment_delete(of, &system);
}

static enum store_status put_in_force(struct store *of)
{
	return of->ops->policy_put(of, (struct store_blob){(const uint8_t *)"policy", 6});
}

static enum store_status draw_key(struct store *of)
{
	struct store_audit_key key = {.id = 1, .month = 1, .record_class = 1, .sealed = {(const uint8_t *)"key", 3}};
	return of->ops->audit_key_put(of, &key);
}

static enum store_status destroy_key(struct store *of)
{
	return of->ops->audit_key_destroy(of, 1, 5);
}

static enum store_status cosign(struct store *of)
{
	struct store_cosigned row = {1, "note"};
	return of->ops->cosigned_put(of, STORE_COSIGNED_PINNED, &row);
}

START_TEST(a_broker_sees_that_another_has_changed_what_it_keeps_in_memory)
{
	enum store_status (*const changes[])(struct store *) = {hold_back, lift,	  grant,       invite, withdraw,
								put_in_force, draw_key, destroy_key, cosign};
	first = open_one();
	second = open_as("broker2", true, 60000);
	uint64_t before = revision(second);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		begin(first);
		ck_assert_int_eq(changes[i](first), STORE_OK);
		ck_assert_int_eq(first->ops->commit(first), STORE_OK);
		ck_assert_uint_ne(revision(second), before);
		before = revision(second);
	}
	begin(first);
	ck_assert_int_eq(put_plan(first, 1), STORE_OK);
	ck_assert_int_eq(first->ops->commit(first), STORE_OK);
	ck_assert_uint_eq(revision(second), before);
}
END_TEST

int main(void)
{
	const TTest *const commits[] = {is_not_opened_where_a_commit_would_not_last, nothing_is_committed_once_the_server_would_lose_it,
					a_commit_that_the_second_server_does_not_confirm_is_not_acknowledged_and_not_guessed_at,
					a_commit_whose_wait_was_cancelled_is_not_acknowledged,
					a_commit_whose_session_was_ended_is_not_acknowledged,
					a_commit_during_which_the_second_server_was_given_up_is_not_acknowledged};
	const TTest *const losses[] = {a_connection_that_was_lost_between_batches_is_made_anew,
				       a_connection_that_is_lost_in_a_batch_loses_the_batch_and_no_more,
				       a_write_that_was_queued_fails_with_the_next_read,
				       does_not_go_on_when_the_row_of_the_turns_is_gone};
	const TTest *const brokers[] = {brokers_share_all_and_append_to_one_log_in_turn, one_broker_at_once_has_a_batch,
					a_broker_that_stops_in_its_turn_loses_it, also_with_half_of_its_batch_sent,
					who_has_given_up_waiting_for_a_turn_does_not_wait_on_at_the_server,
					one_request_that_came_to_two_brokers_is_found_by_the_second,
					a_broker_sees_that_another_has_changed_what_it_keeps_in_memory};
	Suite *suite = suite_create("store_postgres_commits");
#define ADD(group) stores_add(suite, #group, group, sizeof group / sizeof group[0])
	ADD(commits);
	ADD(losses);
	ADD(brokers);
#undef ADD
	return stores_main(suite);
}
