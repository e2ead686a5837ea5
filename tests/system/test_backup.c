// Backups and what comes after them, as an operator goes about it: copies while the broker works, a store that is lost, one that
// is put back and is older than what clients saw, the successor of its log, and backups that are damaged.
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/world.h"
#include "tests/harness/world_plans.h"

#define PROOF_FAILED 4
#define HEADER "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"

static struct world *world;
static char child[11], other_child[11], start[11];
static char program[512];

static void setup(void)
{
	const char *build = getenv("BUILD");
	snprintf(program, sizeof program, "%s/cpis-broker", build == NULL ? "build" : build);
	world_nhs_number(0, child);
	world_nhs_number(1, other_child);
	world_date(0, 3, start);
	world = world_new();
}

static void teardown(void)
{
	world_free(world);
}

// ------------------------------------------------------------------ what an operator types

static const char *config(void)
{
	return world_path(world, "broker.yaml");
}

static int backup(const char *to)
{
	return world_command(world, (const char *const[]){program, "--backup", config(), world_path(world, "%s", to), NULL});
}

static int restore(const char *from, const char *more, const char *value)
{
	return world_command(world, (const char *const[]){program, "--restore", config(), world_path(world, "%s", from), more, value,
							  NULL});
}

static int missing(void)
{
	return world_command(world, (const char *const[]){program, "--missing", config(), NULL});
}

static bool is_there(const char *name)
{
	return access(world_path(world, "%s", name), F_OK) == 0;
}

static void run(const char *const *arguments)
{
	ck_assert_msg(world_command(world, arguments) == 0, "%s: %s", arguments[0], world_err(world));
}

static void copy(const char *from, const char *to)
{
	run((const char *const[]){"cp", world_path(world, "%s", from), world_path(world, "%s", to), NULL});
}

static void sql(const char *file, const char *text)
{
	run((const char *const[]){"sqlite3", world_path(world, "%s", file), text, NULL});
}

static void remove_store(void)
{
	unlink(world_path(world, "store.db"));
	unlink(world_path(world, "store.db-wal"));
	unlink(world_path(world, "store.db-shm"));
}

static void publish(const char *authority, const char *night, const char *number)
{
	char text[512];
	snprintf(text, sizeof text, HEADER "%s,CPP,%s,,,L-1,EXAMPLE,ALEX,2016-06-01\n", number, start);
	world_write_file(world_path(world, "%s.csv", authority), text);
	ck_assert_int_eq(world_cpis(world, authority, "contacts", "set", "--emergency-duty", night, "--office-hours", night, NULL), 0);
	ck_assert_msg(world_cpis(world, authority, "publish", "--full", world_path(world, "%s.csv", authority), NULL) == 0, "%s",
		      world_err(world));
}

static int query(const char *number)
{
	return world_cpis(world, "nurse", "query", "--details", number, NULL);
}

static void verifies(const char *database, const char *log_key)
{
	int code = world_cpis(world, NULL, "audit", "verify", "--database", world_path(world, "%s", database), "--log-key",
			      world_path(world, "%s", log_key), NULL);
	ck_assert_msg(code == 0, "%s%s", world_out(world), world_err(world));
}

// ------------------------------------------------------------------ making one

START_TEST(a_backup_is_one_moment_of_a_broker_at_work)
{
	world_start(world);
	publish("leeds", "0113 496 0000", child);
	world_write_plans(world, world_path(world, "many.csv"), 20000, start);
	pid_t publishing = world_cpis_start(world, "leeds", (const char *const[]){"publish", "--full", "--accept-vanished",
										   world_path(world, "many.csv"), NULL});
	int code = -1;
	for (unsigned i = 0; i < 5; i++) {
		char name[32];
		snprintf(name, sizeof name, "backup-%u.db", i);
		ck_assert_msg(backup(name) == 0, "%s", world_err(world));
		ck_assert(world_said(world, "audit records, the newest of 20") && world_said(world, "cpis.example/audit/test") && world_said(world, "store.key, which is not in it"));
		verifies(name, "authority/trust/log.vkey");
		ck_assert(!is_there("backup-0.db-wal") && !is_there("backup-0.db.part"));
	}
	ck_assert(world_cpis_wait(world, publishing, 120000, &code));
	ck_assert_int_eq(code, 0);
	struct stat status;
	ck_assert_int_eq(stat(world_path(world, "backup-0.db"), &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(world_stop(world), 0);
	// And of one that is stopped.
	ck_assert_int_eq(backup("stopped.db"), 0);
	verifies("stopped.db", "authority/trust/log.vkey");
}
END_TEST

START_TEST(a_backup_overwrites_nothing_and_leaves_nothing_half)
{
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	ck_assert_int_eq(backup("once.db"), 0);
	ck_assert_int_eq(backup("once.db"), 2);
	ck_assert(world_complained(world, "once.db: is there already and is not overwritten"));
	ck_assert_int_eq(backup("nowhere/once.db"), 2);
	ck_assert(world_complained(world, "nowhere/once.db.part: No such file or directory"));
	// One that was interrupted.
	world_write_file(world_path(world, "twice.db.part"), "half of it");
	ck_assert_int_eq(backup("twice.db"), 0);
	ck_assert(!is_there("twice.db.part"));
	verifies("twice.db", "authority/trust/log.vkey");
	ck_assert_int_eq(world_command(world, (const char *const[]){program, "--backup", config(), NULL}), 1);
	world_stop(world);
	remove_store();
	ck_assert_int_eq(backup("none.db"), 2);
	ck_assert(world_complained(world, "store.db: No such file or directory"));
	ck_assert(!is_there("none.db") && !is_there("none.db.part"));
}
END_TEST

// ------------------------------------------------------------------ the store is lost

START_TEST(a_lost_store_is_put_back_and_goes_on_when_nothing_came_after_the_backup)
{
	world_start(world);
	publish("leeds", "0113 496 0000", child);
	ck_assert_int_eq(query(child), 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(backup("last.db"), 0);
	remove_store();
	ck_assert_msg(restore("last.db", NULL, NULL) == 0, "%s", world_err(world));
	ck_assert(world_said(world, "audit records, the newest of") && world_said(world, "publishes one full file again") && world_said(world, "--missing"));
	ck_assert(!is_there("store.db.restoring") && !is_there("store.db.restoring.lock") && !is_there("store.db.replaced"));
	world_start(world);
	ck_assert_int_eq(query(child), 0);
	ck_assert(world_said(world, "0113 496 0000"));
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert(world_said(world, "RESTORED") && world_said(world, "was put back"));
	ck_assert_int_eq(missing(), 0);
	ck_assert(world_said(world, "A backup of") && world_said(world, "Nobody has shown a checkpoint that this log lacks") && world_said(world, "383"));
	ck_assert_int_eq(world_stop(world), 0);
	verifies("store.db", "authority/trust/log.vkey");
}
END_TEST

static void give_new_log(void)
{
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "new-log", "--dir", world_path(world, "authority"), "--log-origin",
				    "cpis.example/audit/test", NULL), 1);
	ck_assert(world_complained(world, "the successor needs another"));
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "new-log", "--dir", world_path(world, "authority"), "--log-origin",
				    "cpis.example/audit/test-2", NULL), 0);
}

static unsigned count_files(const char *pattern)
{
	glob_t found;
	unsigned count = glob(world_path(world, "%s", pattern), 0, NULL, &found) == 0 ? (unsigned)found.gl_pathc : 0;
	globfree(&found);
	return count;
}

START_TEST(an_older_copy_is_noticed_the_operator_is_told_and_the_log_has_a_successor)
{
	world_start(world);
	publish("leeds", "0113 496 0000", child);
	ck_assert_int_eq(query(child), 0);
	ck_assert_int_eq(world_cpis(world, "leeds_duty", "ping", NULL), 0);
	ck_assert_int_eq(backup("night.db"), 0);
	// The day goes on: another authority publishes, and the nurse is shown a log that the backup has not.
	publish("brighton", "01632 960001", other_child);
	ck_assert_int_eq(query(other_child), 0);
	copy("profiles/nurse.checkpoint", "nurse.last");
	copy("authority/trust/log.vkey", "old.vkey");
	world_kill(world);
	remove_store();
	ck_assert_int_eq(restore("night.db", NULL, NULL), 0);
	world_start(world);

	// The nurse's system notices, stops, and hands in what it holds.
	ck_assert_int_eq(query(child), PROOF_FAILED);
	long mark = world_log_mark(world);
	ck_assert_int_eq(query(child), PROOF_FAILED);
	world_wait_log(world, mark, "log_forked");
	world_wait_log(world, mark, "records_missing");
	ck_assert_ptr_nonnull(strstr(world_log(world), "records made after it are lost"));
	ck_assert_int_eq(missing(), 0);
	ck_assert(world_said(world, "Lost: at least") && world_said(world, "RXH/hospital-record-system was shown a log of"));
	ck_assert(world_said(world, "383") && !world_said(world, "846") && world_said(world, "cpis certs new-log") && world_said(world, "cpis publish"));
	ck_assert_int_eq(world_stop(world), 0);

	// The way on. Under the old key it is refused, and so is the new one without the old.
	give_new_log();
	ck_assert_int_eq(restore("night.db", "--replace", NULL), 2);
	ck_assert(world_complained(world, "its checkpoint is not of the log cpis.example/audit/test-2"));
	char successor_of[560];
	snprintf(successor_of, sizeof successor_of, "--successor-of=%s", world_path(world, "authority/trust/log.previous"));
	ck_assert_int_eq(restore("night.db", successor_of, NULL), 2);
	ck_assert(world_complained(world, "a store is there: move it away, or say --replace"));
	ck_assert_msg(restore("night.db", "--replace", successor_of) == 0, "%s", world_err(world));
	ck_assert(world_said(world, "begins with these records") && world_said(world, "store.db.replaced"));
	ck_assert(is_there("store.db.replaced"));
	copy("store.db.succeeded", "authority/trust/log.succeeded");
	world_start(world);

	// A bundle that does not name the log before does not do: nobody forgets a log because a file was changed.
	ck_assert_int_eq(rename(world_path(world, "authority/trust/log.previous"), world_path(world, "log.previous")), 0);
	ck_assert_int_ne(query(child), 0);
	ck_assert(world_complained(world, "the remembered checkpoint was not signed by this audit log"));
	world_write_file(world_path(world, "authority/trust/log.previous"), "not a key\n");
	ck_assert_int_ne(query(child), 0);
	ck_assert(world_complained(world, "log.previous: "));
	ck_assert_int_eq(rename(world_path(world, "log.previous"), world_path(world, "authority/trust/log.previous")), 0);
	// With the new trust bundle the nurse goes on; what she held of the old log is kept.
	ck_assert_msg(query(child) == 0, "%s", world_err(world));
	ck_assert(world_said(world, "0113 496 0000"));
	ck_assert_uint_eq(count_files("profiles/nurse.checkpoint.previous-*"), 1);
	ck_assert_int_eq(query(child), 0);
	// Who saw no more than the backup has is proven that the successor begins with that.
	ck_assert_msg(world_cpis(world, "leeds_duty", "ping", NULL) == 0, "%s", world_err(world));
	ck_assert_uint_eq(count_files("profiles/leeds_duty.checkpoint.previous-*"), 1);
	ck_assert_int_eq(query(other_child), 0);
	ck_assert(!world_said(world, "01632 960001"));
	// Brighton, which is told to, publishes its full file again.
	publish("brighton", "01632 960001", other_child);
	ck_assert_int_eq(query(other_child), 0);
	ck_assert(world_said(world, "01632 960001"));
	ck_assert_int_eq(missing(), 0);
	ck_assert(world_said(world, "this log is its successor") && world_said(world, "846") && world_said(world, "since the backup was put back"));
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert(world_said(world, "RESTORED") && world_said(world, "This log is the successor") && world_said(world, "cpis.example/audit/test"));
	ck_assert_int_eq(world_stop(world), 0);
	verifies("store.db", "authority/trust/log.vkey");
	verifies("night.db", "old.vkey");
	// An auditor who kept checkpoints of the log before: one that is in the successor holds, one beyond it does not.
	const char *new_key = world_path(world, "authority/trust/log.vkey"), *database = world_path(world, "store.db");
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", database, "--log-key", new_key, "--previous-log-key",
				    world_path(world, "old.vkey"), "--checkpoint", world_path(world, "store.db.succeeded"), NULL), 0);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", database, "--log-key", new_key, "--checkpoint",
				    world_path(world, "store.db.succeeded"), NULL), PROOF_FAILED);
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--database", database, "--log-key", new_key, "--previous-log-key",
				    world_path(world, "old.vkey"), "--checkpoint", world_path(world, "nurse.last"), NULL), PROOF_FAILED);
	// What the old log signed still verifies by its own key; of the new one it is not.
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "compare", "--log-key", world_path(world, "old.vkey"),
				    world_path(world, "nurse.last"), world_path(world, "nurse.last"), NULL), 0);
	ck_assert_int_ne(world_cpis(world, NULL, "audit", "compare", "--log-key", world_path(world, "authority/trust/log.vkey"),
				    world_path(world, "nurse.last"), world_path(world, "nurse.last"), NULL), 0);
}
END_TEST

// The registration authority may be deceived too: the successor of a log that is not what Leeds was shown.
START_TEST(a_successor_with_another_past_is_found_by_who_saw_the_real_one)
{
	char successor_of[560];
	world_start(world);
	publish("leeds", "0113 496 0000", child);
	ck_assert_int_eq(backup("early.db"), 0);
	ck_assert_int_eq(query(child), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "ping", NULL), 0);
	// The query is taken out of history, and other records are put into its place.
	world_kill(world);
	remove_store();
	ck_assert_int_eq(restore("early.db", NULL, NULL), 0);
	world_start(world);
	for (unsigned i = 0; i < 12; i++)
		ck_assert_int_eq(world_cpis(world, "paramedic", "ping", NULL), 0);
	ck_assert_int_eq(backup("forged.db"), 0);
	ck_assert_int_eq(world_stop(world), 0);
	give_new_log();
	snprintf(successor_of, sizeof successor_of, "--successor-of=%s", world_path(world, "authority/trust/log.previous"));
	ck_assert_int_eq(restore("forged.db", "--replace", successor_of), 0);
	copy("store.db.succeeded", "authority/trust/log.succeeded");
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "paramedic", "ping", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "ping", NULL), PROOF_FAILED);
	ck_assert(world_complained(world, "does not begin with the"));
	ck_assert_int_eq(world_cpis(world, "leeds", "ping", NULL), PROOF_FAILED);
	ck_assert_uint_eq(count_files("profiles/leeds.checkpoint.previous-*"), 0);
	ck_assert_uint_eq(count_files("profiles/leeds.checkpoint.evidence-*"), 1);
	// A bundle whose log.succeeded is of neither log is not believed.
	world_write_file(world_path(world, "authority/trust/log.succeeded"), "nothing\n");
	ck_assert_int_ne(world_cpis(world, "paramedic", "ping", NULL), 0);
	ck_assert(world_complained(world, "log.succeeded: "));
}
END_TEST

// ------------------------------------------------------------------ what is not put back

static void make_backup(void)
{
	world_start(world);
	publish("leeds", "0113 496 0000", child);
	ck_assert_int_eq(query(child), 0);
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(backup("good.db"), 0);
}


// Says why, and what was there is as it was.
static void refuses(const char *from, const char *option, const char *why)
{
	struct stat before, after;
	bool there = stat(world_path(world, "store.db"), &before) == 0;
	int code = restore(from, option, NULL);
	ck_assert_msg(code == 2, "%s was put back", from);
	ck_assert_msg(world_complained(world, why), "%s", world_err(world));
	ck_assert(!is_there("store.db.restoring") && !is_there("store.db.restoring-wal") && !is_there("store.db.replaced"));
	ck_assert_int_eq(stat(world_path(world, "store.db"), &after) == 0, there);
	if (there)
		ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
}

static void write_at(const char *file, long offset, const char *bytes, size_t count)
{
	int fd = open(world_path(world, "%s", file), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, count, offset), (ssize_t)count);
	close(fd);
}

START_TEST(a_damaged_backup_is_refused_by_what_is_wrong_with_it)
{
	char page[4096];
	struct stat status;
	memset(page, 0xa5, sizeof page);
	make_backup();
	remove_store();
	refuses("not-there.db", NULL, "not-there.db: No such file or directory");
	world_write_file(world_path(world, "text.db"), "this is a letter and not a database, and long enough to be looked at as one\n");
	refuses("text.db", NULL, "file is not a database");
	world_write_file(world_path(world, "empty.db"), "");
	refuses("empty.db", NULL, "is empty");
	sql("other.db", "CREATE TABLE t (x)");
	refuses("other.db", NULL, "is a database of another program");
	copy("good.db", "version.db");
	sql("version.db", "PRAGMA user_version = 4");
	refuses("version.db", NULL, "has schema version 4");
	// Cut short, and a page that the disk lost.
	copy("good.db", "short.db");
	ck_assert_int_eq(stat(world_path(world, "short.db"), &status), 0);
	ck_assert_int_eq(truncate(world_path(world, "short.db"), status.st_size / 2), 0);
	refuses("short.db", NULL, "short.db: database disk image is malformed");
	copy("good.db", "page.db");
	write_at("page.db", 4096 * 20, page, sizeof page);
	refuses("page.db", NULL, "is damaged");
	// A log that is not what was signed.
	copy("good.db", "record.db");
	sql("record.db", "DROP TRIGGER audit_is_not_updated; UPDATE audit SET record = x'00' WHERE idx = 2");
	refuses("record.db", NULL, "audit record 2 is not what was logged");
	copy("good.db", "gone.db");
	sql("gone.db", "DROP TRIGGER audit_is_not_deleted; DELETE FROM audit WHERE idx = 1");
	refuses("gone.db", NULL, "audit record 1 is missing");
	copy("good.db", "cut.db");
	sql("cut.db", "DROP TRIGGER audit_is_not_deleted; DELETE FROM audit WHERE idx = (SELECT max(idx) FROM audit)");
	refuses("cut.db", NULL, "its checkpoint was signed for");
	copy("good.db", "note.db");
	sql("note.db", "UPDATE checkpoint SET note = replace(note, 'audit', 'other')");
	refuses("note.db", NULL, "its checkpoint is not of the log cpis.example/audit/test");
	// Not a backup but a store that was copied while it was open.
	copy("good.db", "open.db");
	world_write_file(world_path(world, "open.db-wal"), "frames");
	refuses("open.db", NULL, "lies beside it");
	ck_assert_int_eq(restore("good.db", NULL, NULL), 0);
	world_start(world);
	ck_assert_int_eq(query(child), 0);
}
END_TEST

START_TEST(another_key_opens_no_backup)
{
	make_backup();
	remove_store();
	ck_assert_int_eq(rename(world_path(world, "store.key"), world_path(world, "right.key")), 0);
	run((const char *const[]){program, "--make-store-key", world_path(world, "store.key"), NULL});
	refuses("good.db", NULL, "is this the store's key?");
	ck_assert_int_eq(rename(world_path(world, "right.key"), world_path(world, "store.key")), 0);
	// A log key that is not the trust bundle's.
	run((const char *const[]){"openssl", "genpkey", "-algorithm", "ed25519", "-out", world_path(world, "other.key"), NULL});
	ck_assert_int_eq(chmod(world_path(world, "other.key"), 0600), 0);
	copy("authority/broker/log.key", "log.key.kept");
	copy("other.key", "authority/broker/log.key");
	refuses("good.db", NULL, "log.key: ");
	copy("log.key.kept", "authority/broker/log.key");
	ck_assert_int_eq(restore("good.db", NULL, NULL), 0);
}
END_TEST

START_TEST(a_store_that_is_there_is_replaced_by_an_explicit_word_and_kept)
{
	make_backup();
	refuses("good.db", NULL, "store.db: a store is there: move it away, or say --replace");
	world_start(world);
	int code = restore("good.db", "--replace", NULL);
	ck_assert_int_eq(code, 2);
	ck_assert(world_complained(world, "store.db: another broker has this store open"));
	ck_assert(!is_there("store.db.restoring"));
	// What is in the write-ahead log only is kept with it.
	ck_assert_int_eq(query(child), 0);
	world_kill(world);
	ck_assert(is_there("store.db-wal"));
	ck_assert_int_eq(restore("good.db", "--replace", NULL), 0);
	ck_assert(is_there("store.db.replaced") && is_there("store.db.replaced-wal"));
	verifies("store.db.replaced", "authority/trust/log.vkey");
	ck_assert_int_eq(restore("good.db", "--replace", NULL), 2);
	ck_assert(world_complained(world, "store.db.replaced: is there already, from another restore: move it away"));
	ck_assert_int_eq(restore("good.db", "--other", NULL), 1);
	ck_assert_int_eq(world_command(world, (const char *const[]){program, "--restore", config(), NULL}), 1);
}
END_TEST

START_TEST(an_interrupted_restore_keeps_brokers_away_until_it_is_done_again)
{
	int status = 0;
	make_backup();
	remove_store();
	world_write_file(world_path(world, "store.db.restoring"), "half of it");
	long mark = world_log_mark(world);
	world_spawn(world);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	ck_assert_ptr_nonnull(strstr(world_log(world) + mark, "store.db.restoring: a restore was interrupted: do it again"));
	ck_assert(!is_there("store.db"));
	ck_assert_int_eq(restore("good.db", NULL, NULL), 0);
	world_start(world);
	ck_assert_int_eq(query(child), 0);
}
END_TEST

// As on a full disk: no file may grow beyond a quarter of the store.
START_TEST(without_room_nothing_half_is_left)
{
	char command[2000];
	make_backup();
	snprintf(command, sizeof command, "trap '' XFSZ; ulimit -f 100; exec %s --backup %s %s", program, config(),
		 world_path(world, "full.db"));
	ck_assert_int_eq(world_command(world, (const char *const[]){"bash", "-c", command, NULL}), 2);
	ck_assert(world_complained(world, "full.db.part: "));
	ck_assert(!is_there("full.db") && !is_there("full.db.part"));
	remove_store();
	snprintf(command, sizeof command, "trap '' XFSZ; ulimit -f 100; exec %s --restore %s %s", program, config(),
		 world_path(world, "good.db"));
	ck_assert_int_eq(world_command(world, (const char *const[]){"bash", "-c", command, NULL}), 2);
	ck_assert(world_complained(world, "store.db.restoring: File too large"));
	ck_assert(!is_there("store.db") && !is_there("store.db.restoring"));
	ck_assert_int_eq(restore("good.db", NULL, NULL), 0);
}
END_TEST

START_TEST(killed_at_any_moment_a_restore_leaves_no_store_or_a_whole_one)
{
	unsigned whole = 0, marked = 0, untouched = 0;
	make_backup();
	for (unsigned round = 0; round < 15; round++) {
		int status = 0;
		remove_store();
		unlink(world_path(world, "store.db.restoring"));
		const char *configuration = config(), *from = world_path(world, "good.db");
		int kill_after_ms = (int)world_random(120);
		pid_t process = fork();
		ck_assert_int_ge(process, 0);
		if (process == 0) {
			int nowhere = open("/dev/null", O_WRONLY);
			dup2(nowhere, 1);
			dup2(nowhere, 2);
			execl(program, program, "--restore", configuration, from, NULL);
			_exit(127);
		}
		int fd = (int)syscall(SYS_pidfd_open, process, 0);
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		(void)poll(&wait, 1, kill_after_ms);
		kill(process, SIGKILL);
		ck_assert_int_eq(waitpid(process, &status, 0), process);
		close(fd);
		if (is_there("store.db")) {
			ck_assert(!is_there("store.db.restoring"));
			verifies("store.db", "authority/trust/log.vkey");
			whole++;
		} else if (is_there("store.db.restoring")) {
			marked++;
		} else {
			untouched++;
		}
	}
	printf("killed: %u before it began, %u in it, %u when the store was in place\n", untouched, marked, whole);
	remove_store();
	ck_assert_int_eq(restore("good.db", NULL, NULL), 0);
	world_start(world);
	ck_assert_int_eq(query(child), 0);
}
END_TEST

START_TEST(what_root_puts_back_belongs_to_the_brokers_user)
{
	world_configure(world, "user: nobody\n");
	run((const char *const[]){"chown", "-R", "nobody", world_path(world, "."), NULL});
	make_backup();
	remove_store();
	unlink(world_path(world, "store.db.lock"));
	ck_assert_int_eq(restore("good.db", NULL, NULL), 0);
	world_start(world);
	ck_assert_int_eq(query(child), 0);
	ck_assert_int_eq(backup("of-another.db"), 0);
	ck_assert_int_eq(world_stop(world), 0);
	// What root reads beside the store must not keep its user out either.
	ck_assert_int_eq(backup("of-a-stopped.db"), 0);
	world_start(world);
	ck_assert_int_eq(query(child), 0);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backup");
	TCase *tests = tcase_create("backup");
	tcase_set_timeout(tests, 240);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_backup_is_one_moment_of_a_broker_at_work);
	tcase_add_test(tests, a_backup_overwrites_nothing_and_leaves_nothing_half);
	tcase_add_test(tests, a_lost_store_is_put_back_and_goes_on_when_nothing_came_after_the_backup);
	tcase_add_test(tests, an_older_copy_is_noticed_the_operator_is_told_and_the_log_has_a_successor);
	tcase_add_test(tests, a_successor_with_another_past_is_found_by_who_saw_the_real_one);
	tcase_add_test(tests, a_damaged_backup_is_refused_by_what_is_wrong_with_it);
	tcase_add_test(tests, another_key_opens_no_backup);
	tcase_add_test(tests, a_store_that_is_there_is_replaced_by_an_explicit_word_and_kept);
	tcase_add_test(tests, an_interrupted_restore_keeps_brokers_away_until_it_is_done_again);
	tcase_add_test(tests, without_room_nothing_half_is_left);
	tcase_add_test(tests, killed_at_any_moment_a_restore_leaves_no_store_or_a_whole_one);
	// Only root can become somebody else.
	if (geteuid() == 0)
		tcase_add_test(tests, what_root_puts_back_belongs_to_the_brokers_user);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
