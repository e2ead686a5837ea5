// From a file to a database with the real broker and a real PostgreSQL: copied while it is asked, finished, and gone on with; what is
// refused; and the command killed at each of its steps, after which a broker can open one of the two at the most.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <libpq-fe.h>

#include "broker/move_table.h"
#include "tests/harness/postgres.h"
#include "tests/harness/world.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_brokers.h"
#include "tests/harness/world_plans.h"

#define WHY "the register's move is rehearsed"

enum { CANNOT = 2 };

static struct postgres postgres;
static struct world *world;
static char child[11], other_child[11], start[11], program[512];
static char conninfo[POSTGRES_CONNINFO_BYTES], migrator[POSTGRES_CONNINFO_BYTES];

static void setup(void)
{
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/cpis-broker", build == NULL ? "build" : build);
	world_nhs_number(0, child);
	world_nhs_number(1, other_child);
	world_date(0, 3, start);
	world = world_new();
	postgres_configure(&postgres, NULL, NULL);
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	postgres_conninfo(&postgres, "broker1", "cpis", conninfo);
	world_migrate(world, migrator);
}

static void teardown(void)
{
	world_free(world);
	postgres_remove_database(&postgres, "cpis");
}

static int move(const char *finish)
{
	return world_command(world, (const char *const[]){program, "--move", world_path(world, "broker.yaml"), migrator, finish, NULL});
}

static void moves(const char *finish)
{
	ck_assert_msg(move(finish) == 0, "%s%s", world_out(world), world_err(world));
}

static void refuses(const char *finish, const char *sentence)
{
	ck_assert_int_eq(move(finish), CANNOT);
	ck_assert_msg(world_complained(world, sentence), "%s", world_err(world));
}

static void sqlite(const char *text)
{
	const char *const command[] = {"sqlite3", world_path(world, "store.db"), text, NULL};
	ck_assert_msg(world_command(world, command) == 0, "%s", world_err(world));
}

static const char *sql(const char *text)
{
	return postgres_sql(&postgres, "postgres", "cpis", text);
}

static void does(const char *profile, const char *const *arguments)
{
	int code = -1;
	pid_t pid = world_cpis_start(world, profile, arguments);
	ck_assert(world_cpis_wait(world, pid, WORLD_WAIT_MS, &code));
	ck_assert_msg(code == 0, "%s %s: %d", arguments[0], arguments[1], code);
}
#define DOES(profile, ...) does(profile, (const char *const[]){__VA_ARGS__, NULL})

static void publish(void)
{
	char text[600];
	snprintf(text, sizeof text,
		 "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
		 "%s,CPP,%s,,,L-1,EXAMPLE,ALEX,2016-06-01\n%s,XXX,%s,,,L-2,EXAMPLE,KIM,2015-06-01\n", child, start, other_child, start);
	world_write_file(world_path(world, "leeds.csv"), text);
	DOES("leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", "--office-hours", "0113 496 0100");
	// 5: one of its rows is rejected, and kept as such.
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", world_path(world, "leeds.csv"), NULL), 5);
}

static void looks(void)
{
	ck_assert_msg(world_cpis(world, "nurse", "query", "--details", child, NULL) == 0, "%s", world_err(world));
	ck_assert(world_said(world, "0113 496 0000"));
}

// Something of each kind; what nobody does over the broker here is put in as bytes that nobody asks for.
static void work(void)
{
	world_start(world);
	publish();
	looks();
	DOES("midwife", "query", "--details", child);
	DOES("registrar", "quarantine", "set", "--organisation", "RDR", "--reason", WHY);
	DOES("registrar", "role", "grant", "--uid", "555000000014", "--role", "R5105", "--reason", WHY);
	DOES("registrar", "enrol", "invite", "--ods", "RXH", "--name", "second-system", "--reason", WHY);
	DOES("registrar", "policy", "load", "broker/policy.yaml", "--reason", WHY);
	DOES("guardian", "retention", "hold", "inquest 7", "--from", "2026-01", "--until", "2099-12", "--reason", WHY);
}

static void rare_rows(void)
{
	sqlite("INSERT INTO inactive VALUES (x'0011', x'ff00'); INSERT OR IGNORE INTO reported VALUES (1, 7, '383');"
	       "INSERT OR IGNORE INTO heard (organisation, system, fits, size, received_ms, note) VALUES ('RXH', 'gone', 1, 3, 4, 'a note');"
	       "DELETE FROM heard WHERE system = 'gone'");
}

static bool file_is_open_to_brokers(void)
{
	int code = world_command(world, (const char *const[]){program, "--missing", world_path(world, "broker.yaml"), NULL});
	ck_assert_msg(code == 0 || world_complained(world, "PostgreSQL"), "%s", world_err(world));
	return code == 0;
}

static bool database_has_checkpoint(void)
{
	return strcmp(sql("SELECT count(*) FROM cpis.checkpoint"), "1") == 0;
}

static void broker_does_not_start(const char *because)
{
	int status = 0;
	long mark = world_log_mark(world);
	world_spawn(world);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert_int_eq(WEXITSTATUS(status), CANNOT);
	ck_assert_msg(strstr(world_log(world) + mark, because) != NULL, "%s", world_log(world) + mark);
}

// ------------------------------------------------------------------ the whole way

// Whoever makes a table has to say here, or in move_table.c, what becomes of it in a move.
START_TEST(every_table_and_column_of_both_is_moved_or_derived)
{
	char names[3000], query[4000];
	world_start(world);
	ck_assert_int_eq(world_stop(world), 0);
	sqlite("SELECT group_concat(m.name || '.' || c.name) FROM (SELECT name, type FROM sqlite_master ORDER BY name) m,"
	       " pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'audit_word%' AND m.name NOT LIKE 'sqlite_%'"
	       " AND m.name NOT IN ('audit_indexed', 'audit_block')");
	snprintf(names, sizeof names, "%s", world_out(world));
	names[strcspn(names, "\n")] = '\0';
	snprintf(query, sizeof query,
		 "SELECT string_agg(table_name || '.' || column_name, ',' ORDER BY table_name COLLATE \"C\", ordinal_position) = '%s'"
		 " FROM information_schema.columns WHERE table_schema = 'cpis'"
		 " AND table_name NOT IN ('audit_block', 'migration', 'turn', 'revision')", names);
	ck_assert_msg(strcmp(sql(query), "t") == 0, "not the same columns as PostgreSQL: %s", names);
	// And in the program's list.
	for (const struct move_table *table = move_tables; table != NULL; table = table == &move_audit ? NULL : table->name != NULL ? table + 1 : &move_audit)
		for (unsigned i = 0; table->name != NULL && i < table->column_count; i++) {
			char name[80];
			snprintf(name, sizeof name, "%s.%s", table->name, table->columns[i].name);
			char *found = strstr(names, name);
			ck_assert_msg(found != NULL, "%s", name);
			memset(found, ' ', strlen(name));
		}
	ck_assert_msg(strcspn(names, "abcdefghijklmnopqrstuvwxyz") == (size_t)(strstr(names, "checkpoint.id") - names), "%s", names);
	char *left = strstr(names, "checkpoint.id,checkpoint.note") + strlen("checkpoint.id,checkpoint.note");
	ck_assert_uint_eq(strspn(left, " ,"), strlen(left));
}
END_TEST

// In a process of its own, with libcpis: what a world runs a program for is written into one file.
static void ask_without_end(void)
{
	struct cpis_client *client = world_sign_in(world, "nurse");
	Cpis__V1__DetailsRequest details = CPIS__V1__DETAILS_REQUEST__INIT;
	Cpis__V1__PingRequest ping = CPIS__V1__PING_REQUEST__INIT;
	Cpis__V1__Request look = CPIS__V1__REQUEST__INIT, knock = CPIS__V1__REQUEST__INIT;
	details.nhs_number = child;
	details.care_setting = CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT;
	look.body_case = CPIS__V1__REQUEST__BODY_DETAILS;
	look.details = &details;
	knock.body_case = CPIS__V1__REQUEST__BODY_PING;
	knock.ping = &ping;
	// Looks are bounded by the minute.
	for (unsigned i = 0;; i++) {
		const Cpis__V1__Reply *reply = world_call(client, i % 5000 == 0 ? &look : &knock);
		if (reply->outcome != CPIS__V1__OUTCOME__OK)
			_exit(EXIT_FAILURE);
		cpis_reply_free(reply);
	}
}

START_TEST(a_store_is_moved_beside_its_broker_and_everything_goes_on)
{
	work();
	world_stop(world);
	rare_rows();
	world_start(world);
	moves(NULL);
	ck_assert(world_said(world, "Left behind: 0 audit records"));
	ck_assert(!database_has_checkpoint());
	// Under questions: what is told of a pass is as of some moment of it.
	pid_t asking = fork();
	if (asking == 0)
		ask_without_end();
	for (unsigned i = 0; i < 3; i++)
		moves(NULL);
	ck_assert(kill(asking, SIGKILL) == 0 && waitpid(asking, NULL, 0) == asking);
	// Changed and removed rows too.
	DOES("registrar", "quarantine", "lift", "--organisation", "RDR", "--reason", WHY);
	DOES("leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", "--office-hours", "0113 496 0101");
	moves(NULL);
	ck_assert(world_said(world, " 1 removed;") && world_said(world, " 1 changed,"));
	refuses("--finish", "another broker has this store open: stop it first");
	looks();
	ck_assert_int_eq(world_stop(world), 0);
	moves("--finish");
	ck_assert(world_said(world, "verified") && world_said(world, "All rows of both are the same") && world_said(world, "cpis.example/audit/test") && world_said(world, "is in force"));
	ck_assert(world_said(world, "waits for no second one"));
	ck_assert_str_eq(sql("SELECT (SELECT count(*) FROM cpis.reported) + (SELECT count(*) FROM cpis.inactive) + (SELECT count(*) FROM cpis.hold)"
			     " + (SELECT count(*) FROM cpis.policy)"), "4");
	ck_assert_str_eq(sql("SELECT bool_and(b.min_ms = a.low AND b.max_ms = a.high AND b.peak_ms >= a.high AND b.floor_ms <= a.low)"
			     " FROM cpis.audit_block b JOIN (SELECT idx / 1024 AS block, min(time_ms) AS low, max(time_ms) AS high FROM cpis.audit"
			     " GROUP BY 1) a USING (block)"), "t");
	// Said again, and nothing done.
	moves("--finish");
	ck_assert(world_said(world, "is in force") && !world_said(world, "verified"));
	broker_does_not_start("was moved into a PostgreSQL, where its log goes on");
	const char *const backup[] = {program, "--backup", world_path(world, "broker.yaml"), world_path(world, "copy.db"), NULL};
	ck_assert_int_eq(world_command(world, backup), CANNOT);

	world_use_postgres(world, conninfo);
	world_start(world);
	// The nurse's client holds a checkpoint of before, and is proven that the log has grown from it; so is each receipt.
	looks();
	ck_assert_msg(world_said(world, world_person("midwife")->name), "%s", world_out(world));
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ck_assert(world_said(world, child));
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, NULL), 0);
	ck_assert(world_said(world, world_person("nurse")->uid) && world_said(world, world_person("midwife")->uid));
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "show", NULL), 0);
	ck_assert(world_said(world, "inquest 7"));
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "list", NULL), 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_str_eq(sql("SELECT count(*) = max(idx) + 1 FROM cpis.audit"), "t");
	ck_assert_str_eq(sql("SELECT nextval(pg_get_serial_sequence('cpis.heard', 'id')) > (SELECT max(id) FROM cpis.heard)"), "t");
}
END_TEST

// ------------------------------------------------------------------ what is refused

START_TEST(a_store_without_a_record_is_not_moved)
{
	world_start(world);
	ck_assert_int_eq(world_stop(world), 0);
	// What its start recorded.
	sqlite("DROP TRIGGER audit_is_not_deleted; DELETE FROM audit; DELETE FROM checkpoint");
	refuses(NULL, "it has no audit record, so there is nothing to move");
	refuses("--finish", "it has no audit record");
}
END_TEST

START_TEST(a_database_that_is_not_for_it_is_refused)
{
	work();
	ck_assert_int_eq(world_stop(world), 0);
	sql("INSERT INTO cpis.role_use VALUES ('x', 1)");
	refuses(NULL, "the database has rows of something else");
	sql("DELETE FROM cpis.role_use; INSERT INTO cpis.checkpoint VALUES (1, 'a note')");
	refuses(NULL, "the database has a log in force already");
	sql("DELETE FROM cpis.checkpoint; INSERT INTO cpis.migration VALUES (99, 'of tomorrow')");
	refuses(NULL, "is of version 99, this program knows 2 to 2");
	sql("DELETE FROM cpis.migration WHERE number = 99; INSERT INTO cpis.audit VALUES (0, 'x', 'x', decode(repeat('00', 32), 'hex'), 1, '')");
	refuses(NULL, "the database has records of another log");
	sql("DROP SCHEMA cpis CASCADE");
	refuses(NULL, "the tables are not there, or may not be read");
	char broker[POSTGRES_CONNINFO_BYTES];
	snprintf(broker, sizeof broker, "%s", migrator);
	postgres_conninfo(&postgres, "broker1", "cpis", migrator);
	refuses(NULL, "is no member of cpis_owner");
	snprintf(migrator, sizeof migrator, "host=nowhere.invalid dbname=cpis");
	refuses(NULL, "sslmode=verify-full");
	ck_assert_int_eq(world_command(world, (const char *const[]){program, "--move", world_path(world, "broker.yaml"), NULL}), 1);
	snprintf(migrator, sizeof migrator, "%s", broker);
	ck_assert_int_eq(move("--again"), 1);
}
END_TEST

START_TEST(a_file_that_is_of_another_version_or_damaged_is_refused)
{
	work();
	ck_assert_int_eq(world_stop(world), 0);
	moves(NULL);
	sqlite("PRAGMA user_version = 5");
	refuses(NULL, "has schema version 5, this program knows version 6");
	sqlite("PRAGMA user_version = 6");
	// A changed search key, which no hash covers; a changed record; a checkpoint of before.
	sqlite("DROP TRIGGER audit_is_not_updated; UPDATE audit SET time_ms = time_ms + 1 WHERE idx = 3");
	refuses("--finish", "audit: a row of the database is not as the file has it");
	ck_assert(world_complained(world, "nothing was put in force"));
	sqlite("UPDATE audit SET time_ms = time_ms - 1 WHERE idx = 3");
	sqlite("CREATE TABLE kept AS SELECT note FROM checkpoint; UPDATE checkpoint SET note = 'nothing'");
	refuses("--finish", "its checkpoint is not of the log cpis.example/audit/test");
	sqlite("UPDATE checkpoint SET note = (SELECT note FROM kept); DROP TABLE kept");
	ck_assert(!database_has_checkpoint() && file_is_open_to_brokers());
	// The same in the database, whose triggers are its owner's.
	sql("ALTER TABLE cpis.audit DISABLE TRIGGER USER; UPDATE cpis.audit SET salt = decode(repeat('00', 16), 'hex') WHERE idx = 2");
	refuses("--finish", "audit: a row of the database is not as the file has it");
	ck_assert(!database_has_checkpoint() && file_is_open_to_brokers());
	// Both alike: then the hashes tell.
	sqlite("UPDATE audit SET salt = zeroblob(16) WHERE idx = 2");
	refuses("--finish", "audit: a record is not what was logged");
	ck_assert(!database_has_checkpoint() && file_is_open_to_brokers());
}
END_TEST

START_TEST(a_page_that_is_none_is_refused_and_the_broker_keeps_its_file)
{
	char zeros[4096] = {0};
	work();
	ck_assert_int_eq(world_stop(world), 0);
	sqlite("PRAGMA wal_checkpoint(TRUNCATE)");
	sqlite("SELECT rootpage FROM sqlite_master WHERE name = 'access'");
	long page = strtol(world_out(world), NULL, 10);
	int file = open(world_path(world, "store.db"), O_WRONLY);
	ck_assert(file >= 0 && pwrite(file, zeros, sizeof zeros, (page - 1) * 4096) == 4096 && close(file) == 0);
	refuses("--finish", "the file is damaged");
	ck_assert(!database_has_checkpoint());
}
END_TEST

// ------------------------------------------------------------------ interrupted

struct mover {
	pid_t pid;
	FILE *out;
};

static struct mover start_mover(const char *finish)
{
	int ends[2];
	struct mover mover;
	const char *const arguments[] = {program, "--move", world_path(world, "broker.yaml"), migrator, finish, NULL};
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	mover.pid = fork();
	if (mover.pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv(program, (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	close(ends[1]);
	mover.out = fdopen(ends[0], "r");
	ck_assert(mover.pid > 0 && mover.out != NULL);
	return mover;
}

static void kill_mover(struct mover *mover)
{
	kill(mover->pid, SIGKILL);
	ck_assert_int_eq(waitpid(mover->pid, NULL, 0), mover->pid);
	fclose(mover->out);
	// Whatever the server still does for it.
	postgres_until(&postgres, "postgres", "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'migrator'");
}

static PGconn *hold(const char *table)
{
	char as[POSTGRES_CONNINFO_BYTES], text[200];
	postgres_conninfo(&postgres, "postgres", "cpis", as);
	PGconn *holder = PQconnectdb(as);
	snprintf(text, sizeof text, "BEGIN; LOCK TABLE cpis.%s IN SHARE MODE", table);
	PGresult *result = PQexec(holder, text);
	ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(holder));
	PQclear(result);
	return holder;
}

// Stopped where it wants to write into this table, and killed there.
static void kill_at(const char *table)
{
	PGconn *holder = hold(table);
	struct mover mover = start_mover("--finish");
	postgres_until(&postgres, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'migrator' AND wait_event_type = 'Lock'");
	kill(mover.pid, SIGKILL);
	PQfinish(holder);
	kill_mover(&mover);
}

static void goes_on_from_the_database(void)
{
	world_use_postgres(world, conninfo);
	world_start(world);
	looks();
	ck_assert_int_eq(world_stop(world), 0);
}

START_TEST(killed_before_it_hands_over_the_file_stays_in_force)
{
	static const char *const tables[] = {"audit", "plan", "inbox", "cosigned"};
	work();
	ck_assert_int_eq(world_stop(world), 0);
	sqlite("INSERT OR IGNORE INTO cosigned VALUES (3, 1, 'a note')");
	for (unsigned i = 0; i < 4; i++) {
		kill_at(tables[i]);
		ck_assert(file_is_open_to_brokers() && !database_has_checkpoint());
	}
	sqlite("DELETE FROM cosigned WHERE which = 3 AND note = 'a note'");
	// The broker goes on with its file, and another day it is moved.
	world_start(world);
	looks();
	ck_assert_int_eq(world_stop(world), 0);
	moves("--finish");
	goes_on_from_the_database();
}
END_TEST

START_TEST(killed_between_mark_and_checkpoint_neither_is_open_until_it_is_ended)
{
	work();
	ck_assert_int_eq(world_stop(world), 0);
	kill_at("checkpoint");
	ck_assert(!file_is_open_to_brokers() && !database_has_checkpoint());
	// What broker/README.md has for a database that is lost just then.
	sqlite("PRAGMA application_id = 1668311411; DROP TABLE moved");
	ck_assert(file_is_open_to_brokers());
	kill_at("checkpoint");
	ck_assert(!file_is_open_to_brokers() && !database_has_checkpoint());
	broker_does_not_start("the end of that was interrupted: run `cpis-broker --move CONFIG CONNINFO --finish` again");
	refuses(NULL, "the end of its move was interrupted: say --finish");
	// Not into another one, which would be a second log if that one has it already.
	char kept[POSTGRES_CONNINFO_BYTES];
	snprintf(kept, sizeof kept, "%s", migrator);
	postgres_make_database(&postgres, "second");
	postgres_conninfo(&postgres, "migrator", "second", migrator);
	world_migrate(world, migrator);
	refuses("--finish", "it was given to another database than this one");
	postgres_remove_database(&postgres, "second");
	snprintf(migrator, sizeof migrator, "%s", kept);
	// Nor does a broker take the database as it is.
	char *config = world_read_file(world_path(world, "broker.yaml"), NULL);
	world_use_postgres(world, conninfo);
	broker_does_not_start("the audit log has records but no checkpoint");
	world_write_file(world_path(world, "broker.yaml"), config);
	free(config);
	moves("--finish");
	ck_assert(!file_is_open_to_brokers() && database_has_checkpoint());
	goes_on_from_the_database();
}
END_TEST

START_TEST(killed_after_the_checkpoint_the_database_is_in_force)
{
	work();
	ck_assert_int_eq(world_stop(world), 0);
	moves("--finish");
	// What the last step leaves undone: the file says that it is being moved.
	sqlite("UPDATE moved SET done = 0");
	char *config = world_read_file(world_path(world, "broker.yaml"), NULL);
	goes_on_from_the_database();
	world_write_file(world_path(world, "broker.yaml"), config);
	free(config);
	ck_assert(!file_is_open_to_brokers());
	moves("--finish");
	ck_assert(world_said(world, "is in force") && !world_said(world, "verified"));
	broker_does_not_start("was moved into a PostgreSQL");
	sql("DELETE FROM cpis.checkpoint");
	refuses("--finish", "which has no checkpoint any more");
}
END_TEST

// The checkpoint's commit waits for the second server. Somebody ends that wait: then it is on one server, and not called done.
START_TEST(a_hand_over_that_is_on_one_server_only_is_not_called_done)
{
	work();
	ck_assert_int_eq(world_stop(world), 0);
	pid_t second = postgres_receiver(&postgres, "second");
	postgres_configure(&postgres, "synchronous_standby_names", "second");
	PGconn *holder = hold("checkpoint");
	struct mover mover = start_mover("--finish");
	postgres_until(&postgres, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'migrator' AND wait_event_type = 'Lock'");
	ck_assert_int_eq(kill(second, SIGSTOP), 0);
	PQfinish(holder);
	postgres_until(&postgres, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'migrator' AND wait_event = 'SyncRep'");
	ck_assert(!file_is_open_to_brokers());
	postgres_sql(&postgres, "postgres", "postgres",
		     "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'migrator' AND wait_event = 'SyncRep'");
	int status = 0;
	ck_assert_int_eq(waitpid(mover.pid, &status, 0), mover.pid);
	ck_assert_int_eq(WEXITSTATUS(status), CANNOT);
	fclose(mover.out);
	ck_assert_int_eq(kill(second, SIGCONT), 0);
	postgres_until(&postgres, "postgres", "SELECT count(*) = 1 AND bool_and(sent_lsn = flush_lsn) FROM pg_stat_replication");
	ck_assert(!file_is_open_to_brokers());
	moves("--finish");
	ck_assert(world_said(world, "is in force") && !world_said(world, "waits for no second one"));
	goes_on_from_the_database();
	postgres_configure(&postgres, NULL, NULL);
	kill(second, SIGKILL);
}
END_TEST

// After each line that it says, so at all places in the order in which they come.
START_TEST(killed_anywhere_one_at_the_most_is_open_and_the_next_run_goes_on)
{
	char line[1024];
	bool over = false;
	work();
	ck_assert_int_eq(world_stop(world), 0);
	for (unsigned lines = 1; !over; lines++) {
		struct mover mover = start_mover("--finish");
		for (unsigned i = 0; i < lines && !over; i++)
			over = fgets(line, sizeof line, mover.out) == NULL;
		kill_mover(&mover);
		bool file = file_is_open_to_brokers(), database = database_has_checkpoint();
		ck_assert(!(file && database));
		ck_assert_uint_lt(lines, 100);
	}
	moves("--finish");
	goes_on_from_the_database();
}
END_TEST

START_TEST(a_connection_that_is_lost_is_a_sentence_and_the_next_run_goes_on)
{
	work();
	PGconn *holder = hold("plan");
	struct mover mover = start_mover(NULL);
	postgres_until(&postgres, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'migrator' AND wait_event_type = 'Lock'");
	sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'migrator'");
	int status = 0;
	ck_assert_int_eq(waitpid(mover.pid, &status, 0), mover.pid);
	ck_assert_int_eq(WEXITSTATUS(status), CANNOT);
	fclose(mover.out);
	PQfinish(holder);
	looks();
	moves(NULL);
	// Two at once: the second is told.
	holder = hold("audit");
	looks();
	mover = start_mover(NULL);
	postgres_until(&postgres, "postgres", "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'migrator' AND wait_event_type = 'Lock'");
	refuses(NULL, "another --move into it is under way");
	PQfinish(holder);
	while (fgetc(mover.out) != EOF)
		;
	ck_assert(waitpid(mover.pid, &status, 0) == mover.pid && status == 0);
	fclose(mover.out);
	ck_assert_int_eq(world_stop(world), 0);
	moves("--finish");
	goes_on_from_the_database();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("move");
	TCase *tests = tcase_create("move"), *interrupted = tcase_create("interrupted"), *second = tcase_create("second");
	postgres_start(&postgres, NULL);
	tcase_set_timeout(tests, 240);
	tcase_set_timeout(interrupted, 240);
	tcase_set_timeout(second, 240);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_checked_fixture(interrupted, setup, teardown);
	tcase_add_checked_fixture(second, setup, teardown);
	tcase_add_test(tests, every_table_and_column_of_both_is_moved_or_derived);
	tcase_add_test(tests, a_store_is_moved_beside_its_broker_and_everything_goes_on);
	tcase_add_test(tests, a_store_without_a_record_is_not_moved);
	tcase_add_test(tests, a_database_that_is_not_for_it_is_refused);
	tcase_add_test(tests, a_file_that_is_of_another_version_or_damaged_is_refused);
	tcase_add_test(tests, a_page_that_is_none_is_refused_and_the_broker_keeps_its_file);
	tcase_add_test(interrupted, killed_before_it_hands_over_the_file_stays_in_force);
	tcase_add_test(interrupted, killed_between_mark_and_checkpoint_neither_is_open_until_it_is_ended);
	tcase_add_test(interrupted, killed_after_the_checkpoint_the_database_is_in_force);
	tcase_add_test(second, a_hand_over_that_is_on_one_server_only_is_not_called_done);
	tcase_add_test(interrupted, killed_anywhere_one_at_the_most_is_open_and_the_next_run_goes_on);
	tcase_add_test(interrupted, a_connection_that_is_lost_is_a_sentence_and_the_next_run_goes_on);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, interrupted);
	suite_add_tcase(suite, second);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&postgres);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
