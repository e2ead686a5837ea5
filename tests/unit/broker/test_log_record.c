// Records of the operator's log in each of their forms, and the table of events.
#include "broker/log_record.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#define NOON UINT64_C(1795780800123) // 2026-11-27T12:00:00.123Z

static char bytes[LOG_RECORD_BYTES + 1];

static const char *written(size_t (*form)(const struct log_record *, char[LOG_RECORD_BYTES]), enum log_event event, const char *message)
{
	const struct log_record record = {.time_ms = NOON, .event = event, .process = "front", .pid = 123, .message = message};
	size_t used = form(&record, bytes);
	ck_assert_uint_le(used, LOG_RECORD_BYTES);
	bytes[used] = '\0';
	ck_assert_uint_eq(strlen(bytes), used);
	return bytes;
}

START_TEST(text_is_time_level_word_and_message)
{
	ck_assert_str_eq(written(log_record_text, LOG_EVENT_HANDSHAKE_REFUSED, "key 01020304"),
			 "2026-11-27T12:00:00.123Z warning handshake_refused key 01020304\n");
}
END_TEST

START_TEST(json_is_one_object_that_says_more)
{
	json_t *object = json_loads(written(log_record_json, LOG_EVENT_HANDSHAKE_REFUSED, "key \"01\\02\"\n\x1b[0m"), 0, NULL);
	ck_assert_ptr_nonnull(object);
	ck_assert_uint_eq(json_object_size(object), 7);
	ck_assert_str_eq(json_string_value(json_object_get(object, "time")), "2026-11-27T12:00:00.123Z");
	ck_assert_str_eq(json_string_value(json_object_get(object, "level")), "warning");
	ck_assert_str_eq(json_string_value(json_object_get(object, "event")), "handshake_refused");
	ck_assert(json_is_true(json_object_get(object, "security")));
	ck_assert_str_eq(json_string_value(json_object_get(object, "process")), "front");
	ck_assert_int_eq(json_integer_value(json_object_get(object, "pid")), 123);
	ck_assert_str_eq(json_string_value(json_object_get(object, "message")), "key \"01\\02\"??[0m");
	json_decref(object);
	ck_assert_ptr_nonnull(strstr(written(log_record_json, LOG_EVENT_READY, ""), "\"security\":false"));
	ck_assert_ptr_eq(strchr(bytes, '\n'), bytes + strlen(bytes) - 1);
}
END_TEST

START_TEST(json_is_utf_8_whatever_the_message_is)
{
	ck_assert_ptr_nonnull(strstr(written(log_record_json, LOG_EVENT_READY, "M\xc3\xb4n"), "M\xc3\xb4n"));
	json_t *object = json_loads(written(log_record_json, LOG_EVENT_READY, "M\xc3\xb4n \xff"), 0, NULL);
	ck_assert_ptr_nonnull(object);
	ck_assert_str_eq(json_string_value(json_object_get(object, "message")), "M??n ?");
	json_decref(object);
}
END_TEST

START_TEST(the_longest_message_fits_in_each_form)
{
	static char quotes[3 * LOG_LINE_BYTES_MAX];
	memset(quotes, '"', sizeof quotes - 1);
	ck_assert_uint_eq(strlen(written(log_record_text, LOG_EVENT_ADMISSION_HANDLER_DIED, quotes)), LOG_LINE_BYTES_MAX);
	json_t *object = json_loads(written(log_record_json, LOG_EVENT_ADMISSION_HANDLER_DIED, quotes), 0, NULL);
	ck_assert_ptr_nonnull(object);
	ck_assert_uint_eq(strlen(json_string_value(json_object_get(object, "message"))), LOG_LINE_BYTES_MAX - 1);
	json_decref(object);
	// The last field is there.
	ck_assert_ptr_nonnull(strstr(written(log_record_journal, LOG_EVENT_ADMISSION_HANDLER_DIED, quotes), "\nCPIS_PROCESS=front\n"));
}
END_TEST

START_TEST(the_journal_gets_fields_and_a_message_makes_no_other)
{
	ck_assert_str_eq(written(log_record_journal, LOG_EVENT_FRONT_DIED, "x\nCPIS_EVENT=ready\nPRIORITY=7"),
			 "MESSAGE=x?CPIS_EVENT=ready?PRIORITY=7\nPRIORITY=3\nSYSLOG_IDENTIFIER=cpis-broker\nCPIS_EVENT=front_died\n"
			 "CPIS_SECURITY=1\nCPIS_PROCESS=front\n");
	ck_assert_ptr_nonnull(strstr(written(log_record_journal, LOG_EVENT_READY, ""), "\nPRIORITY=6\n"));
	ck_assert_ptr_nonnull(strstr(bytes, "\nCPIS_SECURITY=0\n"));
}
END_TEST

// Words are fields of structured data and message ids (RFC 5424: 32 bytes of printable ASCII); meanings stand in a Markdown table.
START_TEST(each_event_has_a_word_of_its_own_and_what_to_do)
{
	for (enum log_event event = 0; event < LOG_EVENTS; event++) {
		const struct log_event_row *row = log_event_row(event);
		ck_assert_uint_gt(strlen(row->word), 0);
		ck_assert_uint_le(strlen(row->word), 32);
		for (const char *c = row->word; *c != '\0'; c++)
			ck_assert_msg(islower((unsigned char)*c) || *c == '_', "%s", row->word);
		ck_assert_msg(row->meaning[0] != '\0' && strpbrk(row->meaning, "|\n") == NULL, "%s", row->word);
		ck_assert_msg(row->remedy[0] != '\0' && strpbrk(row->remedy, "|\n") == NULL, "%s", row->word);
		for (enum log_event other = 0; other < event; other++)
			ck_assert_str_ne(row->word, log_event_row(other)->word);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_record");
	TCase *tests = tcase_create("log_record");
	tcase_add_test(tests, text_is_time_level_word_and_message);
	tcase_add_test(tests, json_is_one_object_that_says_more);
	tcase_add_test(tests, json_is_utf_8_whatever_the_message_is);
	tcase_add_test(tests, the_longest_message_fits_in_each_form);
	tcase_add_test(tests, the_journal_gets_fields_and_a_message_makes_no_other);
	tcase_add_test(tests, each_event_has_a_word_of_its_own_and_what_to_do);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
