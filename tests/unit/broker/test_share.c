// The file that carries the shared keys to a new broker: what it gives back, and each way in which it is not taken.
#include "broker/share.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN "example.org/cpis"
#define NOW_MS 1795000000000u

static struct curve_key_pair own, other;
static struct signing_key *log_key, *other_log;
static struct note_verifier verifier, other_verifier;
static struct shared_keys *keys, *got;
static uint8_t file[SHARE_BYTES_MAX + 1];
static size_t file_bytes;
static char detail[SHARE_DETAIL_BYTES];

static void set_key(int which, size_t bytes)
{
	keys->bytes[which] = bytes;
	for (size_t i = 0; i < bytes; i++)
		keys->data[which][i] = (uint8_t)(i * 7 + (size_t)which + 1);
}

static void make(void)
{
	const struct share_recipient recipient = {"second-broker", own.public_key};
	ck_assert(share_make(keys, &recipient, ORIGIN, log_key, NOW_MS, file, &file_bytes));
	ck_assert_uint_le(file_bytes, SHARE_BYTES_MAX);
}

static void setup(void)
{
	ck_assert_int_eq(curve_key_generate(&own), CERTS_OK);
	ck_assert_int_eq(curve_key_generate(&other), CERTS_OK);
	ck_assert_int_eq(signing_key_generate(&log_key), CERTS_OK);
	ck_assert_int_eq(signing_key_generate(&other_log), CERTS_OK);
	snprintf(verifier.origin, sizeof verifier.origin, ORIGIN);
	signing_key_public(log_key, verifier.public_key);
	snprintf(other_verifier.origin, sizeof other_verifier.origin, ORIGIN);
	signing_key_public(other_log, other_verifier.public_key);
	keys = shared_keys_new();
	got = shared_keys_new();
	ck_assert(keys != NULL && got != NULL);
	set_key(SHARE_STORE_KEY, 65);
	set_key(SHARE_SESSION_KEY, 65);
	set_key(SHARE_LOG_KEY, 119);
	make();
}

static void teardown(void)
{
	shared_keys_free(keys);
	shared_keys_free(got);
	signing_key_free(log_key);
	signing_key_free(other_log);
	curve_key_wipe(&own);
	curve_key_wipe(&other);
}

static struct share_reader reader_of(void)
{
	return (struct share_reader){"second-broker", &own, &verifier, NOW_MS};
}

static bool opens(const struct share_reader *reader)
{
	return share_open(file, file_bytes, reader, got, detail);
}

static void assert_got_all(void)
{
	for (int i = 0; i < SHARE_FILES; i++) {
		ck_assert_uint_eq(got->bytes[i], keys->bytes[i]);
		ck_assert_mem_eq(got->data[i], keys->data[i], keys->bytes[i]);
	}
}

static void assert_refused(const struct share_reader *reader, const char *sentence)
{
	ck_assert(!opens(reader));
	ck_assert_msg(strstr(detail, sentence) != NULL, "%s", detail);
	for (int i = 0; i < SHARE_FILES; i++)
		ck_assert_uint_eq(got->bytes[i], 0);
}

START_TEST(what_is_put_in_comes_out_and_is_not_to_be_read_between)
{
	struct share_reader reader = reader_of();
	ck_assert_msg(opens(&reader), "%s", detail);
	assert_got_all();
	ck_assert_uint_eq(got->bytes[SHARE_SESSION_KEY_PREVIOUS], 0);
	for (int i = 0; i < SHARE_FILES; i++)
		ck_assert(keys->bytes[i] == 0 || memmem(file, file_bytes, keys->data[i], 16) == NULL);
}
END_TEST

START_TEST(a_key_file_has_512_bytes_and_not_one_more)
{
	struct share_reader reader = reader_of();
	for (int i = 0; i < SHARE_FILES; i++)
		set_key(i, SHARE_KEY_BYTES_MAX);
	make();
	ck_assert_msg(opens(&reader), "%s", detail);
	assert_got_all();
}
END_TEST

START_TEST(a_key_of_513_bytes_is_our_own_mistake)
{
	keys->bytes[SHARE_LOG_KEY] = SHARE_KEY_BYTES_MAX + 1;
	make();
}
END_TEST

START_TEST(a_file_has_4096_bytes_and_a_longer_one_is_not_looked_at)
{
	struct share_reader reader = reader_of();
	// Of 4,096 it is looked at, and the signature does not cover what was added.
	memset(file + file_bytes, 0, sizeof file - file_bytes);
	file_bytes = SHARE_BYTES_MAX;
	assert_refused(&reader, "not signed");
	file_bytes = SHARE_BYTES_MAX + 1;
	assert_refused(&reader, "not a file that --share made");
}
END_TEST

START_TEST(cut_at_any_length_it_is_refused)
{
	struct share_reader reader = reader_of();
	size_t whole = file_bytes;
	for (file_bytes = 0; file_bytes < whole; file_bytes++) {
		// In a place of its own size, so that a sanitizer sees whoever reads behind it.
		uint8_t *cut = malloc(file_bytes + 1);
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, file, file_bytes);
		bool opened = share_open(cut, file_bytes, &reader, got, detail);
		free(cut);
		ck_assert_msg(!opened, "of %zu bytes", file_bytes);
	}
}
END_TEST

START_TEST(with_any_byte_changed_it_is_refused)
{
	struct share_reader reader = reader_of();
	for (size_t i = 0; i < file_bytes; i++) {
		file[i] ^= 0x01;
		ck_assert_msg(!opens(&reader), "byte %zu", i);
		file[i] ^= 0x81;
		ck_assert_msg(!opens(&reader), "byte %zu", i);
		file[i] ^= 0x80;
	}
	ck_assert(opens(&reader));
}
END_TEST

// An authentic signature over a body that is cut, longer or changed: the decoder is strict by itself.
START_TEST(a_body_that_is_not_one_is_refused_even_when_it_is_signed)
{
	static const size_t magic = sizeof SHARE_MAGIC - 1, body_at = sizeof SHARE_MAGIC - 1 + ED25519_SIGNATURE_BYTES;
	struct share_reader reader = reader_of();
	uint8_t text[sizeof SHARE_CONTEXT + SHARE_BYTES_MAX];
	size_t whole = file_bytes;
	for (file_bytes = body_at; file_bytes <= whole + 1; file_bytes++) {
		memcpy(text, SHARE_CONTEXT, sizeof SHARE_CONTEXT);
		memcpy(text + sizeof SHARE_CONTEXT, file + body_at, file_bytes - body_at);
		ck_assert_int_eq(signing_key_sign(log_key, text, sizeof SHARE_CONTEXT + file_bytes - body_at, file + magic), CERTS_OK);
		ck_assert_int_eq(opens(&reader), file_bytes == whole);
		if (file_bytes != whole)
			ck_assert_msg(strstr(detail, "not well-formed") != NULL, "%s", detail);
	}
}
END_TEST

START_TEST(for_another_broker_or_another_key_of_this_one_it_is_refused)
{
	struct share_reader reader = reader_of();
	reader.broker_name = "third-broker";
	assert_refused(&reader, "is for the broker second-broker, and this is third-broker");
	reader = reader_of();
	reader.key = &other;
	assert_refused(&reader, "another certificate");
}
END_TEST

START_TEST(signed_by_another_log_or_of_another_origin_it_is_refused)
{
	struct share_reader reader = reader_of();
	reader.log = &other_verifier;
	assert_refused(&reader, "not signed with the key of the log");
	struct note_verifier elsewhere = verifier;
	snprintf(elsewhere.origin, sizeof elsewhere.origin, "example.org/another");
	reader.log = &elsewhere;
	assert_refused(&reader, "is of the log example.org/cpis, and this trust bundle's is example.org/another");
}
END_TEST

START_TEST(it_is_good_for_seven_days)
{
	struct share_reader reader = reader_of();
	reader.now_ms = NOW_MS + SHARE_AGE_MS_MAX;
	ck_assert(opens(&reader));
	reader.now_ms = NOW_MS - CLOCK_SKEW_MS_MAX;
	ck_assert(opens(&reader));
	memset(got, 0, sizeof *got);
	reader.now_ms = NOW_MS + SHARE_AGE_MS_MAX + 1;
	assert_refused(&reader, "more than 7 days ago");
	reader.now_ms = NOW_MS - CLOCK_SKEW_MS_MAX - 1;
	assert_refused(&reader, "in the future");
}
END_TEST

// What the log's key signs for one use is nothing in another.
START_TEST(a_checkpoint_is_not_a_share_and_a_share_is_not_a_checkpoint)
{
	struct checkpoint checkpoint = {.origin = ORIGIN, .size = 7};
	struct share_reader reader = reader_of();
	char note[NOTE_BYTES_MAX + 1];
	uint8_t text[sizeof SHARE_CONTEXT + SHARE_BYTES_MAX];
	ck_assert_int_eq(checkpoint_verify((const char *)file, file_bytes, &verifier, &checkpoint), CERTS_MALFORMED);
	memcpy(text, SHARE_CONTEXT, sizeof SHARE_CONTEXT);
	ck_assert_int_eq(checkpoint_verify((const char *)text, sizeof SHARE_CONTEXT, &verifier, &checkpoint), CERTS_MALFORMED);
	ck_assert_int_eq(checkpoint_sign(&checkpoint, log_key, note), CERTS_OK);
	file_bytes = strlen(note);
	memcpy(file, note, file_bytes);
	assert_refused(&reader, "not a file that --share made");
	// The body alone, signed without what says what it is.
	make();
	size_t body_at = sizeof SHARE_MAGIC - 1 + ED25519_SIGNATURE_BYTES;
	ck_assert_int_eq(signing_key_sign(log_key, file + body_at, file_bytes - body_at, file + sizeof SHARE_MAGIC - 1), CERTS_OK);
	assert_refused(&reader, "not signed");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("share");
	TCase *tests = tcase_create("share");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_put_in_comes_out_and_is_not_to_be_read_between);
	tcase_add_test(tests, a_key_file_has_512_bytes_and_not_one_more);
	tcase_add_test_raise_signal(tests, a_key_of_513_bytes_is_our_own_mistake, 6);
	tcase_add_test(tests, a_file_has_4096_bytes_and_a_longer_one_is_not_looked_at);
	tcase_add_test(tests, cut_at_any_length_it_is_refused);
	tcase_add_test(tests, with_any_byte_changed_it_is_refused);
	tcase_add_test(tests, a_body_that_is_not_one_is_refused_even_when_it_is_signed);
	tcase_add_test(tests, for_another_broker_or_another_key_of_this_one_it_is_refused);
	tcase_add_test(tests, signed_by_another_log_or_of_another_origin_it_is_refused);
	tcase_add_test(tests, it_is_good_for_seven_days);
	tcase_add_test(tests, a_checkpoint_is_not_a_share_and_a_share_is_not_a_checkpoint);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
