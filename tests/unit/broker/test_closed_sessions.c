// Who signed out is known: at once, after a restart, from others' records, and when too many have come to remember them.
#include "broker/closed_sessions.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/session_cache.h"
#include "tests/unit/broker/sealed_store.h"

#define NOW_MS UINT64_C(1700000000000)
#define OVER_MS (NOW_MS + SESSION_MS_MAX + CLOCK_SKEW_MS_MAX + 1)

static struct session_cache *cache;
static struct closed_sessions *closed;

static void start(void)
{
	sealed_store_make();
	ck_assert(session_cache_new(&cache) && closed_sessions_new(store, vault, cache, &closed));
}

static void finish(void)
{
	closed_sessions_free(closed);
	session_cache_free(cache);
	sealed_store_remove();
}

static const uint8_t *id_of(unsigned number)
{
	static uint8_t id[SESSION_ID_BYTES];
	memset(id, 7, sizeof id);
	memcpy(id, &number, sizeof number);
	return id;
}

static bool is_closed(unsigned number, bool opened_before, uint64_t now_ms)
{
	bool found = false;
	arena_reset(&arena);
	ck_assert_int_eq(closed_sessions_has(closed, id_of(number), opened_before, now_ms, &arena, &found), STORE_OK);
	return found;
}

static void close_session(unsigned number)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(closed_sessions_add(closed, id_of(number), NOW_MS), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
}

static void restart(void)
{
	closed_sessions_free(closed);
	session_cache_clear(cache);
	ck_assert(closed_sessions_new(store, vault, cache, &closed));
}

START_TEST(a_session_that_was_closed_is_known_whether_or_not_its_token_was_opened_before)
{
	close_session(1);
	ck_assert(is_closed(1, true, NOW_MS) && is_closed(1, false, NOW_MS));
	ck_assert(!is_closed(2, true, NOW_MS) && !is_closed(2, false, NOW_MS));
}
END_TEST

START_TEST(after_a_restart_the_store_knows)
{
	close_session(1);
	restart();
	ck_assert(is_closed(1, false, NOW_MS) && !is_closed(2, false, NOW_MS));
	// Nothing is asked of the store for a token that was opened since: it was asked then.
	ck_assert(!is_closed(1, true, NOW_MS));
}
END_TEST

START_TEST(what_another_broker_closed_is_known_from_its_record)
{
	closed_sessions_take(closed, id_of(1), NOW_MS);
	closed_sessions_take(closed, id_of(1), NOW_MS);
	ck_assert(is_closed(1, true, NOW_MS));
}
END_TEST

START_TEST(it_is_forgotten_when_no_token_of_it_can_be_alive)
{
	close_session(1);
	ck_assert(is_closed(1, true, OVER_MS - 1));
	closed_sessions_take(closed, id_of(2), OVER_MS);
	ck_assert(!is_closed(1, true, OVER_MS) && !is_closed(1, false, OVER_MS) && is_closed(2, true, OVER_MS));
}
END_TEST

static bool cache_knows(const struct session *session, uint8_t *bytes)
{
	struct session found;
	bool of_previous;
	ProtobufCBinaryData token = {300, bytes};
	return session_cache_find(cache, token, session->channel_key, &found, &of_previous);
}

START_TEST(one_more_than_can_be_remembered_has_all_looked_up_again)
{
	static uint8_t bytes[300];
	static struct session session;
	close_session(1);
	session_cache_keep(cache, (ProtobufCBinaryData){sizeof bytes, bytes}, &session, false);
	for (unsigned i = 2; i <= CLOSED_SESSIONS_MAX; i++)
		closed_sessions_take(closed, id_of(i), NOW_MS);
	ck_assert(is_closed(1, true, NOW_MS) && cache_knows(&session, bytes));
	closed_sessions_take(closed, id_of(CLOSED_SESSIONS_MAX + 1), NOW_MS);
	// So no token counts as opened before, and the store is asked.
	ck_assert(!cache_knows(&session, bytes) && is_closed(1, false, NOW_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("closed_sessions");
	TCase *tests = tcase_create("closed_sessions");
	tcase_add_checked_fixture(tests, start, finish);
	tcase_add_test(tests, a_session_that_was_closed_is_known_whether_or_not_its_token_was_opened_before);
	tcase_add_test(tests, after_a_restart_the_store_knows);
	tcase_add_test(tests, what_another_broker_closed_is_known_from_its_record);
	tcase_add_test(tests, it_is_forgotten_when_no_token_of_it_can_be_alive);
	tcase_add_test(tests, one_more_than_can_be_remembered_has_all_looked_up_again);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
