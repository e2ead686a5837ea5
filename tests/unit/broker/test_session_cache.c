// Opened tokens are found by every byte of theirs and by the channel's key, and by nothing less.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/session_cache.h"

static struct session_cache *cache;
static uint8_t bytes[SESSION_CACHE_TOKEN_BYTES_MAX + 1], key[KEY_BYTES];
static struct session session, found;

static void setup(void)
{
	ck_assert(session_cache_new(&cache));
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	memset(key, 3, sizeof key);
	memset(&session, 0, sizeof session);
	memcpy(session.channel_key, key, sizeof key);
	strcpy(session.uid, "555000000001");
}

static void teardown(void)
{
	session_cache_free(cache);
}

static ProtobufCBinaryData token(size_t count)
{
	return (ProtobufCBinaryData){count, bytes};
}

static bool is_found(size_t count)
{
	bool of_previous;
	return session_cache_find(cache, token(count), key, &found, &of_previous);
}

START_TEST(a_kept_token_is_found_as_it_was)
{
	bool of_previous = false;
	ck_assert(!is_found(300));
	session_cache_keep(cache, token(300), &session, true);
	ck_assert(session_cache_find(cache, token(300), key, &found, &of_previous));
	ck_assert(of_previous);
	ck_assert_mem_eq(&found, &session, sizeof session);
}
END_TEST

START_TEST(any_other_byte_length_or_key_is_another_token)
{
	session_cache_keep(cache, token(300), &session, false);
	for (size_t i = 0; i < 300; i++) {
		bytes[i] ^= 0x40;
		ck_assert(!is_found(300));
		bytes[i] ^= 0x40;
	}
	ck_assert(!is_found(299) && !is_found(301));
	for (size_t i = 0; i < sizeof key; i++) {
		key[i] ^= 1;
		ck_assert(!is_found(300));
		key[i] ^= 1;
	}
	ck_assert(is_found(300));
}
END_TEST

START_TEST(what_is_too_short_or_too_long_is_not_kept)
{
	session_cache_keep(cache, token(SESSION_CACHE_TOKEN_BYTES_MAX), &session, false);
	ck_assert(is_found(SESSION_CACHE_TOKEN_BYTES_MAX));
	session_cache_keep(cache, token(SESSION_CACHE_TOKEN_BYTES_MAX + 1), &session, false);
	ck_assert(!is_found(SESSION_CACHE_TOKEN_BYTES_MAX + 1));
	session_cache_keep(cache, token(SEAL_OVERHEAD_BYTES - 1), &session, false);
	ck_assert(!is_found(SEAL_OVERHEAD_BYTES - 1) && !is_found(0));
}
END_TEST

START_TEST(the_newer_of_two_in_one_place_stays)
{
	session_cache_keep(cache, token(300), &session, false);
	bytes[299] ^= 1; // the same place: the nonce is at the start
	session_cache_keep(cache, token(300), &session, false);
	ck_assert(is_found(300));
	bytes[299] ^= 1;
	ck_assert(!is_found(300));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session_cache");
	TCase *tests = tcase_create("session_cache");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_kept_token_is_found_as_it_was);
	tcase_add_test(tests, any_other_byte_length_or_key_is_another_token);
	tcase_add_test(tests, what_is_too_short_or_too_long_is_not_kept);
	tcase_add_test(tests, the_newer_of_two_in_one_place_stays);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
