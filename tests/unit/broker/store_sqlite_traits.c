// SQLite's own, on the store that the contract's tests use: its search index is kept up, and its write-ahead log is cut.
#include <sqlite3.h>
#include <string.h>

#include "tests/unit/broker/store_contract.h"
#include "tests/unit/broker/store_sqlite_traits.h"

static const char *path;

static sqlite3_int64 rows_to_index(void)
{
	sqlite3 *beside = NULL;
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_open_v2(path, &beside, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(beside, "SELECT (SELECT max(idx) + 1 FROM audit) - next FROM audit_indexed", -1, &statement,
					    NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	sqlite3_int64 left = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(beside);
	return left;
}

// Who falls behind with it lets the next search wait for all that is missing.
START_TEST(takes_the_rows_of_the_largest_batches_into_the_search_index)
{
	for (unsigned batch = 0; batch < 3; batch++) {
		begin();
		for (unsigned i = 0; i < 5000; i++) {
			struct store_audit row = next_row("RXH", i, 7, 1000 + i);
			append(&row);
		}
		commit();
		ck_assert_int_lt(rows_to_index(), 1024);
	}
}
END_TEST

static int frames_of(sqlite3 *database)
{
	int frames = -1;
	ck_assert_int_eq(sqlite3_wal_checkpoint_v2(database, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, NULL), SQLITE_OK);
	return frames;
}

// A few pages each; many thousands of frames in all.
static void commit_pages(unsigned first)
{
	static char large[12000];
	memset(large, 'x', sizeof large - 1);
	begin();
	ck_assert_int_eq(put_plan(first % 50 + 1, 1, large), STORE_OK);
	commit();
}

// However long a reader holds it up, and however many commits come without a pause.
START_TEST(the_write_ahead_log_begins_anew)
{
	sqlite3 *reader = NULL;
	ck_assert_int_eq(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	for (int held = 0; held < 2; held++) {
		if (held == 1)
			ck_assert_int_eq(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM plan", NULL, NULL, NULL), SQLITE_OK);
		for (unsigned i = 0; i < 3000; i++)
			commit_pages(i);
		if (held == 1)
			ck_assert_int_eq(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
		// The thread is asked each thousand frames; the commit after it has done starts again at the front.
		unsigned tries = 0;
		while (frames_of(reader) > 1500) {
			ck_assert_uint_lt(++tries, 100000);
			commit_pages(tries);
		}
	}
	sqlite3_close(reader);
	struct store_tag one = tag(1);
	struct store_plan plan;
	ck_assert_int_eq(ops->plan_get(store, &one, 1, &arena, &plan), STORE_OK);
}
END_TEST

TCase *sqlite_traits(const char *of)
{
	TCase *tests = tcase_create("sqlite");
	path = of;
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, takes_the_rows_of_the_largest_batches_into_the_search_index);
	tcase_add_test(tests, the_write_ahead_log_begins_anew);
	return tests;
}
