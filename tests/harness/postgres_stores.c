// The fixture of the tests of the PostgreSQL store: its server, a database for each test, and what most of them do.
#include "tests/harness/postgres_stores.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct postgres server;
char database[32];
struct arena arena;
struct store *first, *second;
const struct ods_code leeds = {"383"};
pid_t receiver;

const char *sql(const char *text)
{
	return postgres_sql(&server, "postgres", database, text);
}

bool forbids(const char *role, const char *text)
{
	return postgres_forbids(&server, role, database, text);
}

// ------------------------------------------------------------------ a database for each test

bool migrate(const char *of)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "";
	postgres_conninfo(&server, "migrator", of, conninfo);
	bool done = store_postgres_migrate(conninfo, detail) == STORE_OK;
	if (!done)
		fprintf(stderr, "%s\n", detail);
	return done;
}

static void start(void)
{
	// What a test that failed has left.
	postgres_configure(&server, NULL, NULL);
	snprintf(database, sizeof database, "test_%d", (int)getpid());
	postgres_make_database(&server, database);
	ck_assert(arena_init(&arena, 65536));
}

static void stop(void)
{
	if (receiver != 0) {
		kill(receiver, SIGKILL);
		waitpid(receiver, NULL, 0);
		receiver = 0;
	}
	postgres_configure(&server, NULL, NULL);
	if (first != NULL)
		first->ops->close(first);
	if (second != NULL)
		second->ops->close(second);
	first = second = NULL;
	arena_done(&arena);
	postgres_remove_database(&server, database);
}

bool try_open(const struct store_postgres_options *options, struct store **ret, char detail[STORE_DETAIL_BYTES])
{
	detail[0] = '\0';
	return store_postgres_open(options, ret, detail) == STORE_OK;
}

struct store *open_as(const char *role, bool lone_server, unsigned timeout_ms)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES];
	struct store *opened = NULL;
	postgres_conninfo(&server, role, database, conninfo);
	struct store_postgres_options options = {
		.conninfo = conninfo, .lone_server = lone_server, .timeout_ms = timeout_ms};
	ck_assert_msg(try_open(&options, &opened, detail), "%s", detail);
	return opened;
}

struct store *open_one(void)
{
	return open_as("broker1", true, 60000);
}

struct store *open_short(const char *role, bool lone_server)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES];
	struct store *opened = NULL;
	postgres_conninfo(&server, role, database, conninfo);
	struct store_postgres_options options = {
		.conninfo = conninfo, .lone_server = lone_server, .timeout_ms = SHORT_MS};
	while (!try_open(&options, &opened, detail))
		continue;
	return opened;
}

void refuses(const struct store_postgres_options *options, const char *words)
{
	char detail[STORE_DETAIL_BYTES];
	struct store *opened = NULL;
	ck_assert_msg(!try_open(options, &opened, detail), "\"%s\" was opened", options->conninfo);
	ck_assert_ptr_null(opened);
	ck_assert_msg(strstr(detail, words) != NULL, "\"%s\" does not say \"%s\"", detail, words);
}

void refuses_role(const char *role, bool lone_server, unsigned timeout_ms, const char *words)
{
	char conninfo[POSTGRES_CONNINFO_BYTES];
	postgres_conninfo(&server, role, database, conninfo);
	struct store_postgres_options options = {
		.conninfo = conninfo, .lone_server = lone_server, .timeout_ms = timeout_ms};
	refuses(&options, words);
}

struct store_tag tag(unsigned n)
{
	return (struct store_tag){{(uint8_t)n}};
}

enum store_status append(struct store *store, uint64_t index)
{
	struct store_audit row = {.index = index, .record = {(const uint8_t *)"record", 6}, .node_count = 1, .time_ms = 1000 + index};
	return store->ops->audit_append(store, &row);
}

enum store_status put_plan(struct store *store, unsigned slot)
{
	struct store_plan plan = {tag(slot), 1, tag(7), leeds, {(const uint8_t *)"plan", 4}};
	return store->ops->plan_put(store, &plan);
}

enum store_status put_item(struct store *store, uint64_t id)
{
	struct store_inbox_item item = {.organisation = leeds, .id = id, .sealed = {(const uint8_t *)"item", 4}};
	return store->ops->inbox_put(store, &item);
}

uint64_t size_of(struct store *store)
{
	uint64_t size = 4711;
	ck_assert_int_eq(store->ops->audit_size(store, &size), STORE_OK);
	return size;
}

void begin(struct store *store)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
}

void append_and_commit(struct store *store, uint64_t index)
{
	begin(store);
	ck_assert_int_eq(append(store, index), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
}

void commit_fails(struct store *store)
{
	ck_assert_int_eq(store->ops->commit(store), STORE_FAILED);
	store->ops->rollback(store);
}

// ------------------------------------------------------------------ the second server

void start_receiver(void)
{
	postgres_configure(&server, "synchronous_standby_names", STANDBY);
	receiver = postgres_receiver(&server, STANDBY);
	postgres_until(&server, "postgres", "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'");
}

void stop_receiver(void)
{
	int status;
	ck_assert_int_eq(kill(receiver, SIGSTOP), 0);
	ck_assert(waitpid(receiver, &status, WUNTRACED) == receiver && WIFSTOPPED(status));
}

void stores_add(Suite *suite, const char *name, const TTest *const tests[], size_t count)
{
	TCase *group = tcase_create(name);
	tcase_add_checked_fixture(group, start, stop);
	tcase_set_timeout(group, 120);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(group, tests[i]);
	suite_add_tcase(suite, group);
}

int stores_main(Suite *suite)
{
	postgres_start(&server, NULL);
	if (!migrate("template"))
		return EXIT_FAILURE;
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&server);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
