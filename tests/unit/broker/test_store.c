// The store's contract, on both backends: store_contract*.c has the tests. PostgreSQL is a real one (tests/harness/postgres.h), and
// each test has a database of its own.
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/store_postgres.h"
#include "tests/harness/postgres.h"
#include "tests/unit/broker/store_contract.h"
#include "tests/unit/broker/store_sqlite_traits.h"

// ------------------------------------------------------------------ SQLite

static char directory[] = "/tmp/cpis-store-XXXXXX";
static char path[64];

static void sqlite_make(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store", directory);
}

static struct store *sqlite_open(void)
{
	struct store *opened = NULL;
	char detail[STORE_DETAIL_BYTES] = "";
	ck_assert_msg(store_sqlite_open(path, &opened, detail) == STORE_OK, "%s", detail);
	return opened;
}

static int remove_one(const char *at, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(at);
}

static void sqlite_destroy(void)
{
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static const struct contract_backend sqlite = {sqlite_make, sqlite_open, sqlite_destroy, 150000};

static void start_sqlite(void)
{
	contract_start(&sqlite);
}

// ------------------------------------------------------------------ PostgreSQL

static struct postgres server;
static char database[32];

static void postgres_make(void)
{
	snprintf(database, sizeof database, "test_%d", (int)getpid());
	postgres_make_database(&server, database);
}

static struct store *postgres_open(void)
{
	struct store *opened = NULL;
	char detail[STORE_DETAIL_BYTES] = "", conninfo[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&server, "broker1", database, conninfo);
	struct store_postgres_options options = {.conninfo = conninfo, .lone_server = true, .timeout_ms = 60000};
	ck_assert_msg(store_postgres_open(&options, &opened, detail) == STORE_OK, "%s", detail);
	return opened;
}

static void postgres_destroy(void)
{
	postgres_remove_database(&server, database);
}

// Each of them is asked for over a socket.
static const struct contract_backend postgres = {postgres_make, postgres_open, postgres_destroy, 3000};

static void start_postgres(void)
{
	contract_start(&postgres);
}

static bool migrate_template(void)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES];
	postgres_conninfo(&server, "migrator", "template", conninfo);
	bool done = store_postgres_migrate(conninfo, detail) == STORE_OK;
	if (!done)
		fprintf(stderr, "%s\n", detail);
	return done;
}

// ------------------------------------------------------------------ both

static Suite *suite_of(const char *name, SFun start, TCase *more)
{
	Suite *suite = suite_create(name);
	TCase *groups[] = {contract_batches(), contract_rows(), contract_inbox(), contract_audit(), more};
	for (size_t i = 0; i < sizeof groups / sizeof groups[0] && groups[i] != NULL; i++) {
		tcase_add_checked_fixture(groups[i], start, contract_stop);
		suite_add_tcase(suite, groups[i]);
	}
	return suite;
}

int main(void)
{
	postgres_start(&server, NULL);
	if (!migrate_template())
		return EXIT_FAILURE;
	SRunner *runner = srunner_create(suite_of("store on SQLite", start_sqlite, sqlite_traits(path)));
	srunner_add_suite(runner, suite_of("store on PostgreSQL", start_postgres, NULL));
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&server);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
