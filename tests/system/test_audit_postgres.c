// The commands that read a broker's log, from its PostgreSQL: as the auditor's role, which may do nothing else.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/postgres.h"
#include "tests/harness/world.h"

enum { FAILED = 6, BROKEN = 4 }; // cpis's exit codes

static struct postgres postgres;
static struct world *world;
static char auditor[POSTGRES_CONNINFO_BYTES];

static void setup(void)
{
	char migrator[POSTGRES_CONNINFO_BYTES], broker[POSTGRES_CONNINFO_BYTES];
	postgres_make_database(&postgres, "cpis");
	postgres_conninfo(&postgres, "migrator", "cpis", migrator);
	postgres_conninfo(&postgres, "broker1", "cpis", broker);
	postgres_conninfo(&postgres, "auditor", "cpis", auditor);
	world = world_new();
	world_use_postgres(world, broker);
	world_migrate(world, migrator);
	world_start(world);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_eq(world_cpis(world, "leeds", "ping", NULL), 0);
}

static void teardown(void)
{
	world_free(world);
	postgres_remove_database(&postgres, "cpis");
}

static const char *log_key(void)
{
	return world_path(world, "authority/trust/log.vkey");
}

static void assert_verify(const char *conninfo, int code, const char *words)
{
	char key[300];
	snprintf(key, sizeof key, "%s", log_key());
	ck_assert_msg(world_cpis(world, NULL, "audit", "verify", "--postgres", conninfo, "--log-key", key, NULL) == code, "%s%s",
		      world_out(world), world_err(world));
	ck_assert_msg(strstr(world_out(world), words) != NULL || strstr(world_err(world), words) != NULL, "%s%s", world_out(world),
		      world_err(world));
}

START_TEST(the_log_is_verified_exported_and_proven_beside_the_running_broker)
{
	char key[300], out[300];
	snprintf(key, sizeof key, "%s", log_key());
	snprintf(out, sizeof out, "%s", world_path(world, "export"));
	assert_verify(auditor, 0, "the log holds");
	ck_assert_msg(world_cpis(world, NULL, "audit", "export", "--postgres", auditor, "--log-key", key, "--out", out, NULL) == 0, "%s",
		      world_err(world));
	ck_assert_int_eq(world_cpis(world, NULL, "audit", "verify", "--export", out, "--log-key", key, NULL), 0);
	ck_assert_msg(world_cpis(world, NULL, "audit", "prove", "--postgres", auditor, "--log-key", key, "--record", "3", NULL) == 0, "%s",
		      world_err(world));
	ck_assert_ptr_nonnull(strstr(world_out(world), "c2sp.org/tlog-proof@v1"));
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(a_standby_is_enough)
{
	struct postgres standby;
	char conninfo[POSTGRES_CONNINFO_BYTES];
	postgres_start_standby(&standby, &postgres, "second");
	ck_assert_int_eq(world_cpis(world, "leeds", "ping", NULL), 0);
	ck_assert_int_eq(world_stop(world), 0);
	postgres_until(&postgres, "postgres", "SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication WHERE application_name = 'second'");
	postgres_conninfo(&standby, "auditor", "cpis", conninfo);
	assert_verify(conninfo, 0, "the log holds");
	postgres_stop(&standby);
}
END_TEST

static void tamper(const char *sql)
{
	char all[600];
	snprintf(all, sizeof all, "ALTER TABLE cpis.audit DISABLE TRIGGER USER; %s", sql);
	postgres_sql(&postgres, "postgres", "cpis", all);
}

START_TEST(what_the_administrator_changes_is_found)
{
	static const struct {
		const char *sql, *words;
	} edits[] = {
		{"UPDATE cpis.audit_block SET max_ms = max_ms + 1", "audit_block"},
		{"UPDATE cpis.audit SET organisation = 'RXX' WHERE idx = 4", "First bad record: 4."},
		{"UPDATE cpis.audit SET subject = 'other' WHERE idx = 4", "First bad record: 4."},
		{"UPDATE cpis.audit SET record = set_byte(record, 5, get_byte(record, 5) # 1) WHERE idx = 3", "First bad record: 3."},
		{"UPDATE cpis.audit SET record = repeat('x', 9000000)::bytea WHERE idx = 3", "First bad record: 3."},
		{"DELETE FROM cpis.audit WHERE idx = 2", "First bad record: 2."},
		{"UPDATE cpis.audit SET idx = -1 WHERE idx = 1", "First bad record"},
	};
	ck_assert_int_eq(world_stop(world), 0);
	postgres_sql(&postgres, "postgres", "cpis", "CREATE TABLE kept AS SELECT * FROM cpis.audit; CREATE TABLE kept_block AS SELECT * FROM cpis.audit_block");
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		tamper(edits[i].sql);
		assert_verify(auditor, BROKEN, edits[i].words);
		tamper("DELETE FROM cpis.audit; INSERT INTO cpis.audit SELECT * FROM kept ORDER BY idx;"
		       "DELETE FROM cpis.audit_block; INSERT INTO cpis.audit_block SELECT * FROM kept_block");
		assert_verify(auditor, 0, "the log holds");
	}
}
END_TEST

START_TEST(a_log_without_its_checkpoint_does_not_hold)
{
	ck_assert_int_eq(world_stop(world), 0);
	postgres_sql(&postgres, "postgres", "cpis", "DELETE FROM cpis.checkpoint");
	assert_verify(auditor, BROKEN, "checkpoint");
}
END_TEST

START_TEST(the_auditors_role_reads_the_log_and_nothing_else)
{
	static const char *const tries[] = {
		"SELECT * FROM cpis.inbox", "SELECT * FROM cpis.plan", "SELECT * FROM cpis.audit_key", "SELECT * FROM cpis.access",
		"INSERT INTO cpis.audit SELECT * FROM cpis.audit", "UPDATE cpis.audit SET time_ms = 0", "DELETE FROM cpis.audit",
		"TRUNCATE cpis.audit", "UPDATE cpis.checkpoint SET note = ''", "UPDATE cpis.audit_block SET min_ms = 0",
		"UPDATE cpis.turn SET batches = 0", "SET ROLE cpis_owner", "CREATE TABLE cpis.more (id int)",
	};
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
		ck_assert_msg(postgres_forbids(&postgres, "auditor", "cpis", tries[i]), "%s", tries[i]);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_said)
{
	char elsewhere[POSTGRES_CONNINFO_BYTES], stranger[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&postgres, "auditor", "postgres", elsewhere);
	postgres_sql(&postgres, "postgres", "postgres", "DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN IN ROLE pg_monitor;"
							"GRANT CONNECT ON DATABASE cpis TO stranger");
	postgres_conninfo(&postgres, "stranger", "cpis", stranger);
	assert_verify("host=db.example dbname=cpis", FAILED, "verify-full");
	assert_verify("host=/tmp service=x", FAILED, "service file");
	assert_verify("host=/nonexistent dbname=cpis", FAILED, "PostgreSQL: connection to server");
	assert_verify(elsewhere, FAILED, "not migrated");
	assert_verify(stranger, FAILED, "cpis_auditor");
	assert_verify(auditor, 0, "the log holds");
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	postgres_start(&postgres, "fsync = on");
	Suite *suite = suite_create("audit_postgres");
	TCase *tests = tcase_create("audit_postgres");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_log_is_verified_exported_and_proven_beside_the_running_broker);
	tcase_add_test(tests, a_standby_is_enough);
	tcase_add_test(tests, what_the_administrator_changes_is_found);
	tcase_add_test(tests, a_log_without_its_checkpoint_does_not_hold);
	tcase_add_test(tests, the_auditors_role_reads_the_log_and_nothing_else);
	tcase_add_test(tests, what_cannot_be_read_is_said);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&postgres);
	return failed == 0 ? 0 : 1;
}
